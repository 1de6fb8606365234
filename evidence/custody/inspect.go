package custody

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// The limits of an inspection. They are counts of bytes and not of time, so that the
// same content is always told the same; together they keep it below 16 MB of memory
// and 2 seconds.
const (
	window      = 64 << 10 // how much of the beginning and of the end is looked at
	maxRead     = 96 << 20 // bytes read of the content
	maxInflated = 48 << 20 // bytes made by decompressing samples
	maxSample   = 8 << 20  // of them by one sample
	maxMembers  = 20_000   // of an archive that are looked at
	manyMembers = 10_000
	bombSize    = 64 << 20 // below this nothing is a bomb
	bombRatio   = 100
	maxPixels   = 100_000_000
)

// The limit is the library's and holds for the whole process: its own, 3 KB, is too
// little to find what an OLE file or a long XML prolog is.
func init() { mimetype.SetLimit(window) }

// An inspection looks at one content.
type inspection struct {
	Format
	r          io.ReaderAt
	size       int64
	head, tail []byte
	text       bool  // it is a text of some form
	locked     bool  // its format is hidden by a password
	read       int64 // what is left of maxRead
	inflate    int64 // what is left of maxInflated
	opened     int   // nested archives
	seen       map[nestedID]uint64
}

var errLimit = errors.New("inspect: limit reached")

// ReadAt reads the content as long as the limit is not reached.
func (in *inspection) ReadAt(p []byte, off int64) (int, error) {
	if in.read -= int64(len(p)); in.read < 0 {
		return 0, errLimit
	}
	return in.r.ReadAt(p, off)
}

// Inspect tells what content of size bytes is, and what to be wary of. It neither
// fails nor executes, renders or unpacks anything: what cannot be told is left out,
// and noted where a limit was the reason. Of name the extension alone is looked at.
func Inspect(r io.ReaderAt, size int64, name string) (f Format) {
	in := &inspection{r: r, size: size, read: maxRead, inflate: maxInflated, seen: map[nestedID]uint64{}}
	in.is("application/octet-stream", "")
	defer func() {
		if p := recover(); p != nil { // a library that hostile content got the better of
			in.note(NotePartly, "")
			f = in.Format
		}
	}()
	if size == 0 {
		in.is("application/x-empty", "")
		in.note(NoteEmpty, "")
		return in.Format
	}
	if err := in.look(); err != nil {
		in.note(NotePartly, "")
	}
	if in.differs(name) {
		mime, _, _ := strings.Cut(in.MIME, ";")
		in.note(NoteNameDiffers, mime)
	}
	return in.Format
}

func (in *inspection) look() error {
	in.head = make([]byte, min(window, in.size))
	if _, err := readFull(in, in.head, 0); err != nil {
		return err
	}
	in.tail = in.head
	if in.size > window {
		in.tail = make([]byte, window)
		if _, err := readFull(in, in.tail, in.size-window); err != nil {
			return err
		}
	}
	m := in.detect()
	in.is(m.String(), m.Extension())
	if m.Is("text/html") && svg.Match(in.head) {
		in.is("image/svg+xml", ".svg") // the library takes what begins with a comment for HTML
	}
	for p := m; p != nil; p = p.Parent() {
		in.text = in.text || p.Is("text/plain")
	}
	var err error
	switch {
	case bytes.HasPrefix(in.head, []byte("PK\x03\x04")), bytes.HasPrefix(in.head, []byte("PK\x05\x06")):
		err = in.zip()
	case m.Is("application/x-tar"):
		err = in.tar()
	case m.Is("application/gzip"):
		in.gzip()
	case m.Is("application/x-bzip2"):
		in.bzip2()
	case bytes.HasPrefix(in.head, []byte(oleMagic)):
		err = in.ole()
	case m.Is("application/pdf"):
		in.pdf()
	case strings.HasPrefix(in.MIME, "image/"):
		err = in.image()
	case bytes.HasPrefix(in.head, []byte("RIFF")):
		in.riff()
	}
	in.polyglot()
	in.executable()
	return err
}

// detect tells the format by the beginning. The library takes for a PDF whatever has
// "%PDF-" in its first kilobyte, so it is asked again without where something else
// stands before it.
func (in *inspection) detect() *mimetype.MIME {
	m := mimetype.Detect(in.head)
	at := bytes.Index(in.head, []byte("%PDF-"))
	if !m.Is("application/pdf") || at <= 0 {
		return m
	}
	other := bytes.Clone(in.head)
	clear(other[at : at+5])
	if o := mimetype.Detect(other); !o.Is("application/octet-stream") && !o.Is("text/plain") {
		return o
	}
	return m
}

// svg is how an SVG begins that has a comment before it.
var svg = regexp.MustCompile(`(?is)^\s*(<\?xml.*?\?>\s*|<!--.*?-->\s*|<!doctype svg[^>\[]*>\s*)*<svg[\s>]`)

var encryptRef = regexp.MustCompile(`/Encrypt\s*(<<|\d+\s+\d+\s+R)`)

func (in *inspection) pdf() {
	if encryptRef.Match(in.head) || encryptRef.Match(in.tail) {
		in.note(NoteEncrypted, "")
	}
	if !bytes.Contains(in.tail, []byte("%%EOF")) {
		in.note(NoteTruncated, "")
	}
}

// within are the beginnings of formats that are looked for in media: they are long
// enough not to turn up by chance.
var within = []struct{ mark, mime string }{
	{"Rar!\x1a\x07", "application/vnd.rar"},
	{"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"},
}

// polyglot looks for a second format in the content.
func (in *inspection) polyglot() {
	is := func(mime string) bool { return strings.HasPrefix(in.MIME, mime) }
	image := is("image/")
	media := image || is("application/pdf") || is("audio/") || is("video/")
	if at := bytes.Index(in.head[:min(1024+5, len(in.head))], []byte("%PDF-")); at >= 0 && !in.storedFirst(at) && !is("application/x-tar") {
		if !is("application/pdf") {
			in.note(NotePolyglot, "application/pdf")
		} else if at > 0 {
			in.note(NotePolyglot, "application/octet-stream")
		}
	}
	if !bytes.HasPrefix(in.head, []byte("PK")) && !in.zipWithin() {
		if d, err := in.directory(in, in.size, in.tail); err == nil && d.plausible(in) {
			in.note(NotePolyglot, "application/zip")
		}
	}
	if image {
		for mark, mime := range map[string]string{"<script": "text/html", "<html": "text/html", "<?php": "text/x-php"} {
			if bytes.Contains(bytes.ToLower(in.head), []byte(mark)) {
				in.note(NotePolyglot, mime)
			}
		}
	}
	for _, w := range within {
		if media && (bytes.Contains(in.head, []byte(w.mark)) || bytes.Contains(in.tail, []byte(w.mark))) {
			in.note(NotePolyglot, w.mime)
		}
	}
}

// zipWithin reports whether a ZIP at the end is what the format has there anyway: a
// tar whose last member is one, or an OLE file, in which Excel keeps its theme as a
// ZIP.
func (in *inspection) zipWithin() bool {
	return strings.HasPrefix(in.MIME, "application/x-tar") || bytes.HasPrefix(in.head, []byte(oleMagic))
}

var programMarks = [][]byte{[]byte("This program cannot be run in DOS mode"), []byte("This program must be run under Win32")}

// executable notes programs, and programs in what should be none.
func (in *inspection) executable() {
	switch {
	case strings.HasPrefix(in.MIME, "application/vnd.microsoft.portable-executable"), strings.HasPrefix(in.MIME, "application/x-mach-binary"),
		bytes.HasPrefix(in.head, []byte("\x7fELF")):
		in.note(NoteExecutable, "")
		return
	case strings.HasPrefix(in.MIME, "text/"):
		return // a text may speak of programs
	}
	for _, mark := range programMarks {
		if bytes.Contains(in.head, mark) || bytes.Contains(in.tail, mark) {
			in.note(NoteExecutable, "")
		}
	}
	if strings.HasPrefix(in.MIME, "image/") && (bytes.Contains(in.head, []byte("\x7fELF\x02\x01\x01")) || bytes.Contains(in.tail, []byte("\x7fELF\x02\x01\x01"))) {
		in.note(NoteExecutable, "")
	}
}

func isBomb(total, size uint64) bool { return total > bombSize && total/bombRatio > size }

// bomb notes what expands to total bytes from size, where that is too much.
func (in *inspection) bomb(total, size uint64) {
	if isBomb(total, size) && !in.has(NoteBomb) {
		in.note(NoteBomb, fmt.Sprint(total))
	}
}
