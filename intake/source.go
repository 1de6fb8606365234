package intake

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"bonafide"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

const (
	sniffed      = 256 << 10 // bytes looked at to tell encoding and delimiter
	progressStep = 64 << 10
	ratioFrom    = 64 << 20 // output bytes before the gzip ratio is judged
)

// Limits bound what one file may cost. A zero field means its default.
type Limits struct {
	Row   int   // bytes of one row; default 4 MiB
	Field int   // bytes of one cell; default 1 MiB
	Text  int   // characters of one complaint's text; default 200,000 as in the contract
	File  int64 // bytes of one file once expanded; default 16 GiB
	Ratio int   // how often its own size a gzip file may expand to, once past 64 MiB; default 200
}

func (l Limits) withDefaults() Limits {
	if l.Row <= 0 {
		l.Row = 4 << 20
	}
	if l.Field <= 0 {
		l.Field = 1 << 20
	}
	if l.Text <= 0 {
		l.Text = 200_000
	}
	if l.File <= 0 {
		l.File = 16 << 30
	}
	if l.Ratio <= 0 {
		l.Ratio = 200
	}
	return l
}

// refused makes the error for a file as a whole.
func refused(name, format string, args ...any) error {
	return &bonafide.Error{Kind: bonafide.Invalid, Msg: name + ": " + fmt.Sprintf(format, args...)}
}

// meter counts the bytes of the file itself and reports progress.
type meter struct {
	src  io.Reader
	n    int64
	last int64
	tell func(int64)
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.src.Read(p)
	m.n += int64(n)
	if m.tell != nil && m.n-m.last >= progressStep {
		m.last = m.n
		m.tell(m.n)
	}
	return n, err
}

// guard stops a file that expands beyond its limits.
type guard struct {
	src    io.Reader
	name   string
	raw    *meter
	limits Limits
	zipped bool
	n      int64
}

func (g *guard) Read(p []byte) (int, error) {
	n, err := g.src.Read(p)
	g.n += int64(n)
	if g.n > g.limits.File {
		return 0, refused(g.name, "more than %d bytes once unpacked: refused; split the file, or raise --max-file", g.limits.File)
	}
	if g.zipped && g.n > ratioFrom && g.n > int64(g.limits.Ratio)*max(g.raw.n, 1) {
		return 0, refused(g.name, "unpacks to more than %d times its size: refused; if the file is honest, unpack it and give the plain file", g.limits.Ratio)
	}
	if err != nil && err != io.EOF && g.zipped {
		if _, ok := errors.AsType[*bonafide.Error](err); !ok {
			err = &bonafide.Error{Kind: bonafide.Invalid, Msg: g.name + ": damaged or cut short gzip data: send the file again", Err: err}
		}
	}
	return n, err
}

// source is an opened file as UTF-8 text.
type source struct {
	io.Reader
	head     []byte // the first bytes, decoded; still to be read as well
	warnings []string
}

// open unpacks and decodes src. The error is for the file as a whole.
func open(name string, src io.Reader, limits Limits, tell func(int64)) (*source, error) {
	raw := &meter{src: src, tell: tell}
	first, err := peek(raw, 2)
	if err != nil {
		return nil, fmt.Errorf("%s: read: %w", name, err)
	}
	r := io.MultiReader(bytes.NewReader(first), raw)
	zipped := len(first) == 2 && first[0] == 0x1f && first[1] == 0x8b
	if zipped {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: name + ": damaged or cut short gzip data: send the file again", Err: err}
		}
		r = z
	}
	g := &guard{src: r, name: name, raw: raw, limits: limits, zipped: zipped}
	head, err := peek(g, sniffed)
	if err != nil {
		if _, ok := errors.AsType[*bonafide.Error](err); ok {
			return nil, err
		}
		return nil, fmt.Errorf("%s: read: %w", name, err)
	}
	if len(head) == 0 {
		return nil, refused(name, "empty file: nothing to read")
	}
	s := &source{}
	enc, skip, note, err := detect(name, head)
	if err != nil {
		return nil, err
	}
	if note != "" {
		s.warnings = append(s.warnings, name+": "+note)
	}
	s.Reader = io.MultiReader(bytes.NewReader(head[skip:]), g)
	if enc != nil {
		s.Reader = transform.NewReader(s.Reader, enc.NewDecoder())
	}
	if s.head, err = peek(s.Reader, sniffed/2); err != nil {
		return nil, err
	}
	if bytes.HasPrefix(s.head, []byte("\xef\xbb\xbf")) {
		s.head = s.head[3:]
	}
	s.Reader = io.MultiReader(bytes.NewReader(s.head), s.Reader)
	if bytes.IndexByte(s.head, '\n') < 0 && bytes.IndexByte(s.head, '\r') >= 0 {
		s.head = bytes.ReplaceAll(s.head, []byte("\r"), []byte("\n"))
		s.Reader = oldMac{s.Reader}
	}
	if len(bytes.TrimSpace(s.head)) == 0 && len(s.head) < sniffed/2 {
		return nil, refused(name, "empty file: nothing to read")
	}
	return s, nil
}

// peek reads up to n bytes; the end of the file is no error.
func peek(r io.Reader, n int) ([]byte, error) {
	b := make([]byte, n)
	m, err := io.ReadFull(r, b)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return b[:m], err
}

// oldMac turns carriage returns into line feeds, for files that have no others.
type oldMac struct{ src io.Reader }

func (o oldMac) Read(p []byte) (int, error) {
	n, err := o.src.Read(p)
	for i, c := range p[:n] {
		if c == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}

// detect tells the encoding of a file by its first bytes: nil is UTF-8. skip is
// the length of the byte order mark.
func detect(name string, head []byte) (enc encoding.Encoding, skip int, note string, err error) {
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		return nil, 3, "", notText(name, head[3:])
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), 2, "", decodes(name, head[2:], unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM))
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), 2, "", decodes(name, head[2:], unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM))
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return nil, 0, "", refused(name, "a spreadsheet or zip archive: save it as CSV (UTF-8) and give that")
	case bytes.HasPrefix(head, []byte("%PDF")):
		return nil, 0, "", refused(name, "a PDF: give CSV, NDJSON, or gzip of either")
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		return nil, 0, "", refused(name, "an old Excel or Word file: save it as CSV (UTF-8) and give that")
	}
	if bytes.IndexByte(head, 0) >= 0 {
		if e := utf16Shape(head); e != nil {
			return e, 0, "", decodes(name, head, e)
		}
		return nil, 0, "", notText(name, head)
	}
	if err := notText(name, head); err != nil {
		return nil, 0, "", err
	}
	if valid(head) {
		return nil, 0, "", nil
	}
	isolated, high := 0, 0
	for i := 0; i < len(head); i++ {
		if head[i] < utf8.RuneSelf {
			continue
		}
		j := i
		for j < len(head) && head[j] >= utf8.RuneSelf {
			j++
		}
		high += j - i
		if j-i == 1 {
			isolated++
		}
		i = j
	}
	out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(head)
	bad := bytes.Count(out, []byte("\uFFFD"))
	switch {
	case isolated*2 > high:
		return charmap.Windows1252, 0, "read as Windows-1252, because it is not UTF-8; save it as UTF-8 if letters look wrong", nil
	case err == nil && bad <= 1+len(out)/1000:
		return simplifiedchinese.GB18030, 0, "", nil
	}
	if invalid := bytes.Count(bytes.ToValidUTF8(head, []byte("\x00")), []byte{0}); invalid*100 <= high {
		return nil, 0, "", nil // UTF-8 with a few spoilt places
	}
	return nil, 0, "", refused(name, "neither UTF-8, UTF-16 nor GB18030: save it as UTF-8")
}

// valid reports UTF-8, where the last character may be cut.
func valid(b []byte) bool {
	for cut := 0; cut < utf8.UTFMax && cut <= len(b); cut++ {
		if utf8.Valid(b[:len(b)-cut]) {
			return true
		}
	}
	return false
}

// utf16Shape tells UTF-16 without a mark by where its zero bytes stand.
func utf16Shape(b []byte) encoding.Encoding {
	var zero [2]int
	for i, c := range b {
		if c == 0 {
			zero[i%2]++
		}
	}
	// A table has delimiters and line feeds, and they show a zero byte each.
	least := len(b)/100 + 1
	switch {
	case zero[1] > least && zero[0] <= zero[1]/4:
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case zero[0] > least && zero[1] <= zero[0]/4:
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	}
	return nil
}

func decodes(name string, head []byte, enc encoding.Encoding) error {
	out, err := enc.NewDecoder().Bytes(head[:len(head)&^1])
	if err != nil || bytes.Count(out, []byte("\uFFFD"))*100 > len(out) {
		return refused(name, "not readable as UTF-16: save it as UTF-8")
	}
	return notText(name, out)
}

// notText reports bytes that no text holds.
func notText(name string, b []byte) error {
	n, at := 0, -1
	for i, c := range b {
		if c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 0x1b || c == 0x7f {
			if n++; at < 0 {
				at = i
			}
			if c == 0 {
				n += 100
			}
		}
	}
	if n*100 > len(b) && n > 2 {
		return refused(name, "not a text file (binary bytes at offset %d); give CSV, NDJSON, or gzip of either", at)
	}
	return nil
}

// safeName returns a column or field name for messages, or a stand-in where it
// looks like data: a file without a header shows a person there.
func safeName(s string, column int) string {
	digits := 0
	for _, r := range s {
		if '0' <= r && r <= '9' {
			digits++
		}
	}
	if s == "" || utf8.RuneCountInString(s) > 60 || digits > 4 || strings.ContainsAny(s, "@\n\r") || !utf8.ValidString(s) {
		return fmt.Sprintf("column %d", column)
	}
	return fmt.Sprintf("%q", s)
}
