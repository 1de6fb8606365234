package custody

import (
	"archive/tar"
	"bufio"
	"bytes"
	"cmp"
	"compress/bzip2"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"path"
	"slices"
	"strings"
)

// The limits of ZIPs within ZIPs.
const (
	maxNested        = 1 << 20 // bytes of one that is inflated to be looked into
	maxNestedMembers = 2_000
	maxDepth         = 6
	maxOpened        = 256
	maxDirectory     = 16 << 20 // bytes of a central directory that are read
)

// A zipDirectory is where the central directory of a ZIP stands.
type zipDirectory struct {
	start, length, base int64  // base is where the ZIP itself begins
	members             uint64 // as it says
}

var errNoZIP = errors.New("inspect: no central directory")

// directory finds the central directory of the ZIP r, whose end is tail.
func (in *inspection) directory(r io.ReaderAt, size int64, tail []byte) (d zipDirectory, err error) {
	le := binary.LittleEndian
	for i := len(tail) - 22; i >= 0; i-- {
		if !bytes.HasPrefix(tail[i:], []byte("PK\x05\x06")) {
			continue
		}
		e := tail[i:]
		at := size - int64(len(tail)) + int64(i)
		d.members, d.length = uint64(le.Uint16(e[10:])), int64(le.Uint32(e[12:]))
		offset := int64(le.Uint32(e[16:]))
		end := at
		if l := i - 20; l >= 0 && bytes.HasPrefix(tail[l:], []byte("PK\x06\x07")) && (d.members == 0xffff || d.length == 0xffffffff || offset == 0xffffffff) {
			var b [56]byte
			where := le.Uint64(tail[l+8:])
			if where > uint64(size) {
				return d, errNoZIP
			}
			if _, err := readFull(r, b[:], int64(where)); err != nil || string(b[:4]) != "PK\x06\x06" {
				return d, errNoZIP
			}
			n, o := le.Uint64(b[40:]), le.Uint64(b[48:])
			if n > uint64(size) || o > uint64(size) {
				// It says what cannot be; what it says of the number is told all the same.
				n, o = uint64(min(int64(where), size)), 0
			}
			d.members, d.length, offset, end = le.Uint64(b[32:]), int64(n), int64(o), int64(where)
		}
		d.start = end - d.length
		d.base = d.start - offset
		if d.start < 0 || d.base < 0 {
			d.start, d.base = offset, 0
		}
		if d.start > size {
			return d, errNoZIP
		}
		d.length = min(d.length, size-d.start)
		return d, nil
	}
	return d, errNoZIP
}

// plausible reports whether a member stands where the directory should be.
func (d zipDirectory) plausible(r io.ReaderAt) bool {
	var b [4]byte
	_, err := readFull(r, b[:], d.start)
	return err == nil && string(b[:]) == "PK\x01\x02"
}

// A member is what the central directory says of one.
type member struct {
	at, packed, size uint64 // at is the place of its local header
	crc              uint32
	method           uint16
	archive          bool // its name says it is a ZIP
}

// A census is what the names of the members tell.
type census struct {
	has                  map[string]bool // of those in told
	word, sheet, show    bool
	escapes, executables int
	encrypted, macros    bool
	manifest, mimetype   *member
}

var told = []string{"[content_types].xml", "meta-inf/manifest.mf", "androidmanifest.xml", "xl/workbook.bin", "mimetype"}

// archives are the extensions of formats that are ZIPs.
var archives = []string{".zip", ".jar", ".war", ".ear", ".apk", ".docx", ".docm", ".xlsx", ".xlsm", ".pptx", ".pptm", ".odt", ".ods", ".odp", ".epub", ".kmz"}

// programs are the extensions of files that run when they are opened.
var programs = []string{
	".exe", ".dll", ".scr", ".com", ".bat", ".cmd", ".ps1", ".vbs", ".vbe", ".js", ".jse", ".wsf", ".hta", ".msi", ".lnk", ".pif", ".cpl", ".reg", ".sys",
}

// members reads a central directory and calls fn with each member and its name in
// lower case.
func (in *inspection) members(r io.ReaderAt, d zipDirectory, limit int, fn func(m member, name string, flags uint16, unix uint32)) (int, error) {
	le := binary.LittleEndian
	b := bufio.NewReaderSize(io.NewSectionReader(r, d.start, min(d.length, maxDirectory)), 32<<10)
	var h [46]byte
	var rest []byte
	for n := 0; ; n++ {
		if _, err := io.ReadFull(b, h[:]); errors.Is(err, io.EOF) || err == nil && string(h[:4]) != "PK\x01\x02" {
			if d.length > maxDirectory {
				return n, errLimit
			}
			return n, nil
		} else if errors.Is(err, io.ErrUnexpectedEOF) {
			return n, nil
		} else if err != nil {
			return n, err
		}
		if n == limit {
			return n, errLimit
		}
		nameLen, extraLen, noteLen := int(le.Uint16(h[28:])), int(le.Uint16(h[30:])), int(le.Uint16(h[32:]))
		rest = slices.Grow(rest[:0], nameLen+extraLen)[:nameLen+extraLen]
		if _, err := io.ReadFull(b, rest); err != nil {
			return n, ignoreEOF(err)
		}
		if _, err := b.Discard(noteLen); err != nil {
			return n, ignoreEOF(err)
		}
		m := member{
			method: le.Uint16(h[10:]), crc: le.Uint32(h[16:]),
			packed: uint64(le.Uint32(h[20:])), size: uint64(le.Uint32(h[24:])), at: uint64(le.Uint32(h[42:])),
		}
		m.wide(rest[nameLen:])
		unix := uint32(0)
		if h[5] == 3 { // made on Unix
			unix = le.Uint32(h[38:]) >> 16
		}
		name := strings.ToLower(string(rest[:nameLen]))
		m.archive = slices.Contains(archives, path.Ext(name))
		fn(m, name, le.Uint16(h[8:]), unix)
	}
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// wide reads the 64-bit sizes out of the extra field 1.
func (m *member) wide(extra []byte) {
	le := binary.LittleEndian
	for len(extra) >= 4 {
		id, n := le.Uint16(extra), int(le.Uint16(extra[2:]))
		if extra = extra[4:]; n > len(extra) {
			return
		}
		if id == 1 {
			f := extra[:n]
			for _, v := range []*uint64{&m.size, &m.packed, &m.at} {
				if *v == math.MaxUint32 && len(f) >= 8 {
					*v, f = le.Uint64(f), f[8:]
				}
			}
			return
		}
		extra = extra[n:]
	}
}

// escapes reports whether a member of that name would be written outside the folder
// that an archive is unpacked in.
func escapes(name string) bool {
	name = strings.ReplaceAll(name, `\`, "/")
	return strings.HasPrefix(name, "/") || len(name) > 1 && name[1] == ':' || strings.ContainsRune(name, 0) ||
		slices.Contains(strings.Split(name, "/"), "..")
}

func (c *census) count(m member, name string, flags uint16, unix uint32) {
	if escapes(name) || unix&0o170000 == 0o120000 { // a symbolic link
		c.escapes++
	}
	if slices.Contains(programs, path.Ext(name)) {
		c.executables++
	}
	c.encrypted = c.encrypted || flags&1 != 0
	base := path.Base(name)
	c.macros = c.macros || base == "vbaproject.bin" || strings.HasPrefix(name, "basic/") && base == "script-lb.xml"
	c.word = c.word || name == "word/document.xml"
	c.sheet = c.sheet || name == "xl/workbook.xml"
	c.show = c.show || name == "ppt/presentation.xml"
	if slices.Contains(told, name) {
		c.has[name] = true
	}
	switch name {
	case "mimetype":
		c.mimetype = &m
	case "meta-inf/manifest.xml":
		c.manifest = &m
	}
}

// zip reads the central directory. The members themselves are sampled, and never
// unpacked.
func (in *inspection) zip() error {
	d, err := in.directory(in, in.size, in.tail)
	if err != nil {
		in.is("application/zip", ".zip")
		in.note(NoteTruncated, "")
		return nil
	}
	c := census{has: map[string]bool{}}
	var ms []member
	n, limit := in.members(in, d, maxMembers, func(m member, name string, flags uint16, unix uint32) {
		c.count(m, name, flags, unix)
		ms = append(ms, m)
	})
	if limit != nil && !errors.Is(limit, errLimit) {
		return limit
	}
	switch {
	case d.members > manyMembers:
		in.note(NoteManyMembers, fmt.Sprint(d.members))
	case n > manyMembers:
		in.note(NoteManyMembers, fmt.Sprint(n))
	case uint64(n) < d.members:
		in.note(NoteTruncated, "")
	}
	in.nameZIP(d, &c)
	if c.escapes > 0 {
		in.note(NotePathEscape, fmt.Sprint(c.escapes))
	}
	if c.encrypted {
		in.note(NoteEncrypted, "")
	}
	if c.macros {
		in.note(NoteMacros, "")
	}
	if c.executables > 0 && in.Ext == ".zip" {
		in.note(NoteExecutable, fmt.Sprint(c.executables))
	}
	if overlap(ms) {
		in.note(NoteOverlap, "")
	}
	total := in.expands(in, d, ms, 0)
	in.bomb(total, uint64(in.size))
	return limit
}

// nameZIP tells what a ZIP is by its members.
func (in *inspection) nameZIP(d zipDirectory, c *census) {
	was, wasExt := in.MIME, in.Ext
	in.is("application/zip", ".zip")
	if c.mimetype != nil {
		s := strings.TrimSpace(string(in.begin(in, d, *c.mimetype, 100)))
		if ext := extOf(s); ext != "" {
			in.is(s, ext)
		}
	}
	types := c.has["[content_types].xml"]
	switch {
	case in.Ext != ".zip": // it named itself
	case types && c.word && c.macros:
		in.is("application/vnd.ms-word.document.macroEnabled.12", ".docm")
	case types && c.word:
		in.is(officeMIME+"wordprocessingml.document", ".docx")
	case types && c.has["xl/workbook.bin"]:
		in.is("application/vnd.ms-excel.sheet.binary.macroEnabled.12", ".xlsb")
	case types && c.sheet && c.macros:
		in.is("application/vnd.ms-excel.sheet.macroEnabled.12", ".xlsm")
	case types && c.sheet:
		in.is(officeMIME+"spreadsheetml.sheet", ".xlsx")
	case types && c.show && c.macros:
		in.is("application/vnd.ms-powerpoint.presentation.macroEnabled.12", ".pptm")
	case types && c.show:
		in.is(officeMIME+"presentationml.presentation", ".pptx")
	case c.has["androidmanifest.xml"]:
		in.is("application/vnd.android.package-archive", ".apk")
	case c.has["meta-inf/manifest.mf"]:
		in.is("application/java-archive", ".jar")
	case strings.HasPrefix(was, "application/vnd.") && !strings.HasPrefix(was, officeMIME) && !strings.Contains(was, "opendocument"):
		in.is(was, wasExt) // told by its first members; one that we do not tell ourselves
	}
	if c.manifest != nil && bytes.Contains(in.begin(in, d, *c.manifest, 256<<10), []byte("encryption-data")) {
		in.note(NoteEncrypted, "")
	}
}

// extOf returns the extension of a format that names itself in its first member;
// "" where it is none that we know.
func extOf(s string) string {
	return map[string]string{
		odfMIME + "text": ".odt", odfMIME + "text-template": ".ott", odfMIME + "spreadsheet": ".ods", odfMIME + "spreadsheet-template": ".ots",
		odfMIME + "presentation": ".odp", odfMIME + "presentation-template": ".otp", odfMIME + "graphics": ".odg", odfMIME + "formula": ".odf",
		odfMIME + "chart": ".odc", odfMIME + "image": ".odi", odfMIME + "text-master": ".odm", odfMIME + "base": ".odb", "application/epub+zip": ".epub",
	}[s]
}

// storedFirst reports whether at is where the first member of a ZIP begins, not
// compressed.
func (in *inspection) storedFirst(at int) bool {
	h := in.head
	if len(h) < 30 || string(h[:4]) != "PK\x03\x04" {
		return false
	}
	le := binary.LittleEndian
	return le.Uint16(h[8:]) == 0 && at == 30+int(le.Uint16(h[26:]))+int(le.Uint16(h[28:]))
}

// overlap reports whether members share bytes.
func overlap(ms []member) bool {
	ms = slices.Clone(ms)
	slices.SortFunc(ms, func(a, b member) int { return cmp.Compare(a.at, b.at) })
	for i := 1; i < len(ms); i++ {
		if end, carry := bits.Add64(ms[i-1].at, ms[i-1].packed, 0); carry > 0 || end > ms[i].at {
			return true
		}
	}
	return false
}

// data returns the packed bytes of m, or nil where they are not there.
func (d zipDirectory) data(r io.ReaderAt, m member) *io.SectionReader {
	var h [30]byte
	if m.at > math.MaxInt64/4 || m.packed > math.MaxInt64/4 {
		return nil
	}
	at := d.base + int64(m.at)
	if _, err := readFull(r, h[:], at); err != nil || string(h[:4]) != "PK\x03\x04" {
		return nil
	}
	at += 30 + int64(binary.LittleEndian.Uint16(h[26:])) + int64(binary.LittleEndian.Uint16(h[28:]))
	return io.NewSectionReader(r, at, int64(m.packed))
}

// open returns a reader of what m is unpacked, or nil.
func (d zipDirectory) open(r io.ReaderAt, m member) io.Reader {
	s := d.data(r, m)
	switch {
	case s == nil:
		return nil
	case m.method == 0:
		return s
	case m.method == 8:
		return flate.NewReader(s)
	}
	return nil
}

// begin returns at most n bytes of the beginning of m.
func (in *inspection) begin(r io.ReaderAt, d zipDirectory, m member, n int64) []byte {
	from := d.open(r, m)
	if from == nil || in.inflate < n {
		return nil
	}
	b, _ := io.ReadAll(io.LimitReader(from, n)) // what can be had will do
	in.inflate -= int64(len(b))
	return b
}

// expands returns to how many bytes a ZIP expands, with the ZIPs in it: what it
// declares, or what samples show where that is more.
func (in *inspection) expands(r io.ReaderAt, d zipDirectory, ms []member, depth int) uint64 {
	total := uint64(0)
	for _, m := range ms {
		total = add(total, m.size)
	}
	// The members that hold the most may hold more than they declare; where what they
	// declare is enough to tell a bomb, there is no need to look.
	large := slices.Clone(ms)
	slices.SortFunc(large, func(a, b member) int { return cmp.Compare(b.packed, a.packed) })
	if depth == 0 && !isBomb(total, uint64(in.size)) {
		for _, m := range large[:min(8, len(large))] {
			if m.method != 8 {
				continue
			}
			if s := d.data(r, m); s != nil {
				if got := in.sample(flateOf, s); got > m.size {
					total = add(total, got-m.size)
				}
			}
		}
	}
	for _, m := range ms {
		if m.archive {
			total = add(total, in.nested(r, d, m, depth+1))
		}
	}
	return total
}

// A nestedID tells members that are the same, so that each is looked into once.
type nestedID struct {
	packed, size uint64
	crc          uint32
}

// nested returns to how many bytes a ZIP in a ZIP expands.
func (in *inspection) nested(r io.ReaderAt, d zipDirectory, m member, depth int) uint64 {
	id := nestedID{m.packed, m.size, m.crc}
	if n, ok := in.seen[id]; ok {
		return n
	}
	if depth > maxDepth || in.opened == maxOpened {
		in.note(NotePartly, "")
		return 0
	}
	in.opened++
	var inner io.ReaderAt
	var size int64
	if m.method == 0 {
		s := d.data(r, m)
		if s == nil || m.packed > uint64(in.size) {
			return 0
		}
		inner, size = s, s.Size()
	} else {
		b := in.begin(r, d, m, maxNested+1)
		if len(b) > maxNested {
			in.note(NotePartly, "")
			return 0
		}
		inner, size = bytes.NewReader(b), int64(len(b))
	}
	in.seen[id] = 0 // it does not hold itself
	tail := make([]byte, min(size, window))
	if _, err := readFull(inner, tail, size-int64(len(tail))); err != nil {
		return 0
	}
	at, err := in.directory(inner, size, tail)
	if err != nil {
		return 0
	}
	var ms []member
	if _, err := in.members(inner, at, maxNestedMembers, func(m member, _ string, _ uint16, _ uint32) { ms = append(ms, m) }); err != nil {
		in.note(NotePartly, "")
	}
	total := in.expands(inner, at, ms, depth)
	in.seen[id] = total
	return total
}

// add adds and stays at the largest number.
func add(a, b uint64) uint64 {
	n, carry := bits.Add64(a, b, 0)
	if carry > 0 {
		return math.MaxUint64
	}
	return n
}

func flateOf(r io.Reader) (io.Reader, error) { return flate.NewReader(r), nil }
func gzipOf(r io.Reader) (io.Reader, error)  { return gzip.NewReader(r) }
func bzip2Of(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }

// A meter counts what was read through it, byte by byte, so that decompressors read
// no further than they need.
type meter struct {
	*bufio.Reader
	n int64
}

func (m *meter) ReadByte() (byte, error) {
	b, err := m.Reader.ReadByte()
	if err == nil {
		m.n++
	}
	return b, err
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	m.n += int64(n)
	return n, err
}

// sample unpacks the beginning of packed and returns to how many bytes all of it
// would expand at that rate.
func (in *inspection) sample(unpack func(io.Reader) (io.Reader, error), packed *io.SectionReader) uint64 {
	limit := min(maxSample, in.inflate)
	if limit <= 0 {
		in.note(NotePartly, "")
		return 0
	}
	m := &meter{Reader: bufio.NewReaderSize(packed, 4096)}
	r, err := unpack(m)
	if err != nil {
		return 0
	}
	n, _ := io.CopyN(io.Discard, r, limit) // damaged ones expand as far as they do
	in.inflate -= n
	if n < limit || m.n == 0 {
		return uint64(n)
	}
	return uint64(float64(n) / float64(m.n) * float64(packed.Size()))
}

// gzip compares the size that the last four bytes declare, and a sample.
func (in *inspection) gzip() {
	if in.size < 18 {
		in.note(NoteTruncated, "")
		return
	}
	total := uint64(binary.LittleEndian.Uint32(in.tail[len(in.tail)-4:]))
	if total/1100 > uint64(in.size) { // deflate expands at most 1032-fold: the size is modulo 2^32, or something stands behind
		total = 0
	}
	in.bomb(max(total, in.sample(gzipOf, io.NewSectionReader(in, 0, in.size))), uint64(in.size))
}

// bzip2 samples less, as it is slow.
func (in *inspection) bzip2() {
	in.inflate = min(in.inflate, 3<<20)
	in.bomb(in.sample(bzip2Of, io.NewSectionReader(in, 0, in.size)), uint64(in.size))
}

// tar goes from header to header.
func (in *inspection) tar() error {
	r := tar.NewReader(io.NewSectionReader(in, 0, in.size))
	c := census{has: map[string]bool{}}
	total, n := uint64(0), 0
	defer func() {
		if n > manyMembers {
			in.note(NoteManyMembers, fmt.Sprint(n))
		}
		if c.escapes > 0 {
			in.note(NotePathEscape, fmt.Sprint(c.escapes))
		}
		if c.executables > 0 {
			in.note(NoteExecutable, fmt.Sprint(c.executables))
		}
		in.bomb(total, uint64(in.size))
	}()
	for ; n < maxMembers; n++ {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if errors.Is(err, errLimit) {
			return err
		}
		if err != nil {
			in.note(NoteTruncated, "")
			return nil
		}
		unix := uint32(0)
		if h.Typeflag == tar.TypeSymlink || h.Typeflag == tar.TypeLink {
			if escapes(h.Linkname) {
				unix = 0o120000
			}
		}
		c.count(member{}, strings.ToLower(h.Name), 0, unix)
		total = add(total, uint64(h.Size))
	}
	return errLimit
}
