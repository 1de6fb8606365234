package custody

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// inspect inspects content in memory.
func inspect(content []byte, name string) Format {
	return Inspect(bytes.NewReader(content), int64(len(content)), name)
}

func codes(f Format) []string {
	var s []string
	for _, n := range f.Notes {
		s = append(s, n.Code)
	}
	slices.Sort(s)
	return slices.Compact(s)
}

// A file is a member of a ZIP.
type file struct {
	name, body string
	mode       os.FileMode
	flags      uint16
	stored     bool
}

func zipOf(t testing.TB, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Flags: f.flags}
		if f.stored {
			h.Method = zip.Store
		}
		if f.mode != 0 {
			h.SetMode(f.mode)
		}
		m, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(m, f.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func picture(t testing.TB, encode func(io.Writer, image.Image) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b, image.NewPaletted(image.Rect(0, 0, 20, 10), color.Palette{color.Black, color.White})); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t testing.TB) []byte { return picture(t, png.Encode) }
func gifOf(t testing.TB) []byte {
	return picture(t, func(w io.Writer, i image.Image) error { return gif.Encode(w, i, nil) })
}

func jpegOf(t testing.TB) []byte {
	return picture(t, func(w io.Writer, i image.Image) error { return jpeg.Encode(w, i, nil) })
}

// pdf is the least that is one.
func pdf(more string) []byte {
	return []byte("%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R" + more + ">>\nstartxref\n9\n%%EOF\n")
}

// hugePNG has the header of an image of that size, and no more.
func hugePNG(w, h uint32) []byte {
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
	b = binary.BigEndian.AppendUint32(b, w)
	b = binary.BigEndian.AppendUint32(b, h)
	b = append(b, 8, 6, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[12:]))
	return append(b, "\x00\x00\x00\x00IEND\xaeB`\x82"...)
}

func gzipped(t testing.TB, r io.Reader) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.Copy(w, r); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// overlapping is a ZIP bomb as David Fifield's: many members, one kernel.
func overlapping(t testing.TB, members int) []byte {
	t.Helper()
	var kernel bytes.Buffer
	fw, err := flate.NewWriter(&kernel, 9)
	if err != nil {
		t.Fatal(err)
	}
	const size = 20 << 20
	if _, err := io.Copy(fw, io.LimitReader(zeros{}, size)); err != nil {
		t.Fatal(err)
	}
	if err := fw.Close(); err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	var b, dir []byte
	b = append(b, "PK\x03\x04\x14\x00\x00\x00\x08\x00\x00\x00\x00\x00"...)
	b = append(b, 0, 0, 0, 0)
	b = le.AppendUint32(b, uint32(kernel.Len()))
	b = le.AppendUint32(b, size)
	b = append(b, 1, 0, 0, 0, 'a')
	b = append(b, kernel.Bytes()...)
	for range members {
		dir = append(dir, "PK\x01\x02\x14\x00\x14\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
		dir = le.AppendUint32(dir, uint32(kernel.Len()))
		dir = le.AppendUint32(dir, size)
		dir = append(dir, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
		dir = le.AppendUint32(dir, 0)
		dir = append(dir, 'a')
	}
	return append(append(b, dir...), ending(uint16(members), uint32(len(dir)), uint32(len(b)))...)
}

func ending(members uint16, length, offset uint32) []byte {
	le := binary.LittleEndian
	e := []byte("PK\x05\x06\x00\x00\x00\x00")
	e = le.AppendUint16(e, members)
	e = le.AppendUint16(e, members)
	e = le.AppendUint32(e, length)
	e = le.AppendUint32(e, offset)
	return append(e, 0, 0)
}

// fourBillion is a ZIP64 whose end claims four billion members.
func fourBillion(t testing.TB) []byte {
	b := zipOf(t, file{name: "a", body: "a"})
	b = b[:len(b)-22]
	start := bytes.LastIndex(b, []byte("PK\x01\x02"))
	le := binary.LittleEndian
	at := uint64(len(b))
	length := at - uint64(start)
	b = append(b, "PK\x06\x06\x2c\x00\x00\x00\x00\x00\x00\x00\x2d\x00\x2d\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
	for _, v := range []uint64{4_000_000_000, 4_000_000_000, length, uint64(start)} {
		b = le.AppendUint64(b, v)
	}
	b = append(b, "PK\x06\x07\x00\x00\x00\x00"...)
	b = le.AppendUint64(b, at)
	b = append(b, 1, 0, 0, 0)
	return append(b, ending(0xffff, 0xffffffff, 0xffffffff)...)
}

// nested42 is built as 42.zip: sixteen alike in each, and in the innermost zeros.
func nested42(t testing.TB, depth int) []byte {
	inner := zipOf(t, file{name: "0.dll", body: strings.Repeat("\x00", 32<<20)})
	for range depth {
		var all []file
		for n := range 16 {
			all = append(all, file{name: fmt.Sprintf("lib %x.zip", n), body: string(inner)})
		}
		inner = zipOf(t, all...)
	}
	return inner
}

// liar declares less than its members hold.
func liar(t testing.TB) []byte {
	b := zipOf(t, file{name: "a", body: strings.Repeat("\x00", 80<<20)})
	at := bytes.LastIndex(b, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(b[at+24:], 10)
	return b
}

func tarOf(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		h.Mode = 0o600
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func many(n int) []file {
	var all []file
	for i := range n {
		all = append(all, file{name: fmt.Sprint(i), stored: true})
	}
	return all
}

func TestInspect(t *testing.T) {
	const office = "application/vnd.openxmlformats-officedocument."
	const odt = "application/vnd.oasis.opendocument.text"
	types := file{name: "[Content_Types].xml", body: "<Types/>"}
	elf := append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 100)...)
	pe := append([]byte("MZ"), append(make([]byte, 76), "This program cannot be run in DOS mode"...)...)
	for _, c := range []struct {
		what    string
		content []byte
		name    string
		mime    string // its beginning
		want    []string
	}{
		{"nothing", nil, "a.pdf", "application/x-empty", []string{NoteEmpty}},
		{"text", []byte("hello\n"), "a.txt", "text/plain", nil},
		{"text named as a table", []byte("hello\n"), "a.csv", "text/plain", nil},
		{"text named as a PDF", []byte("hello\n"), "a.PDF", "text/plain", []string{NoteNameDiffers}},
		{"noise", pattern(5000)[1:], "a.pdf", "application/octet-stream", []string{NoteNameDiffers}},
		{"noise without a name", pattern(5000)[1:], "", "application/octet-stream", nil},
		{"PDF", pdf(""), "a.pdf", "application/pdf", nil},
		{"PDF, cut", pdf("")[:40], "a.pdf", "application/pdf", []string{NoteTruncated}},
		{"PDF, encrypted", pdf("/Encrypt 5 0 R"), "a.pdf", "application/pdf", []string{NoteEncrypted}},
		{"PDF with a ZIP behind", append(pdf(""), zipOf(t, file{name: "a", body: "a"})...), "a.pdf", "application/pdf", []string{NotePolyglot}},
		{"PDF behind a JPEG's head", append(jpegOf(t), pdf("")...), "a.jpg", "image/jpeg", []string{NotePolyglot}},
		{"PNG", pngOf(t), "a.png", "image/png", nil},
		{"PNG named as a JPEG", pngOf(t), `C:\x\a.JPG`, "image/png", []string{NoteNameDiffers}},
		{"PNG, cut", pngOf(t)[:60], "a.png", "image/png", []string{NoteTruncated}},
		{"PNG of 100000x100000", hugePNG(100000, 100000), "a.png", "image/png", []string{NoteBomb}},
		{"PNG of 10000x10000", hugePNG(10000, 10000), "a.png", "image/png", nil},
		{"PNG with a script", append(pngOf(t), "<ScRipt>alert(1)</script>"...), "a.png", "image/png", []string{NotePolyglot}},
		{"PNG with a program", append(pngOf(t), elf...), "a.png", "image/png", []string{NoteExecutable}},
		{"JPEG", jpegOf(t), "a.jpeg", "image/jpeg", nil},
		{"JPEG, cut", jpegOf(t)[:300], "a.jpeg", "image/jpeg", []string{NoteTruncated}},
		{"JPEG with a ZIP behind", append(jpegOf(t), zipOf(t, file{name: "a", body: "a"})...), "a.jpg", "image/jpeg", []string{NotePolyglot}},
		{"JPEG with a RAR behind", append(jpegOf(t), "Rar!\x1a\x07\x01\x00"...), "a.jpg", "image/jpeg", []string{NotePolyglot}},
		{"GIF", gifOf(t), "a.gif", "image/gif", nil},
		{"GIF, cut", gifOf(t)[:30], "a.gif", "image/gif", []string{NoteTruncated}},
		{"GIFAR", append(gifOf(t), zipOf(t, file{name: "META-INF/MANIFEST.MF", body: "a"})...), "a.gif", "image/gif", []string{NotePolyglot}},
		{"WAV, cut", []byte("RIFF\xff\xff\x00\x00WAVEfmt \x10\x00\x00\x00"), "a.wav", "audio/wav", []string{NoteTruncated}},
		{"ZIP", zipOf(t, file{name: "a.txt", body: "a"}), "a.zip", "application/zip", nil},
		{"ZIP, cut", zipOf(t, file{name: "a.txt", body: "a"})[:50], "a.zip", "application/zip", []string{NoteTruncated}},
		{"ZIP of a stored PDF", zipOf(t, file{name: "a.pdf", body: string(pdf("")), stored: true}), "a.zip", "application/zip", nil},
		{"ZIP, encrypted", zipOf(t, file{name: "a", body: "a", flags: 1}), "a.zip", "application/zip", []string{NoteEncrypted}},
		{"ZIP with a program", zipOf(t, file{name: "Invoice.pdf.EXE", body: "a"}), "a.zip", "application/zip", []string{NoteExecutable}},
		{"ZIP upwards", zipOf(t, file{name: "../../etc/passwd", body: "a"}), "a.zip", "application/zip", []string{NotePathEscape}},
		{"ZIP upwards, Windows", zipOf(t, file{name: `x\..\..\a`, body: "a"}), "a.zip", "application/zip", []string{NotePathEscape}},
		{"ZIP from the root", zipOf(t, file{name: "/etc/passwd", body: "a"}), "a.zip", "application/zip", []string{NotePathEscape}},
		{"ZIP with a drive", zipOf(t, file{name: "c:/a", body: "a"}), "a.zip", "application/zip", []string{NotePathEscape}},
		{"ZIP with a link", zipOf(t, file{name: "a", body: "/etc", mode: os.ModeSymlink | 0o777}), "a.zip", "application/zip", []string{NotePathEscape}},
		{"ZIP of many", zipOf(t, many(10_001)...), "a.zip", "application/zip", []string{NoteManyMembers}},
		{"ZIP of too many", zipOf(t, many(30_000)...), "a.zip", "application/zip", []string{NoteManyMembers, NotePartly}},
		{"ZIP of four billion", fourBillion(t), "a.zip", "application/zip", []string{NoteManyMembers}},
		{"ZIP bomb", zipOf(t, file{name: "a", body: strings.Repeat("\x00", 70<<20)}), "a.zip", "application/zip", []string{NoteBomb}},
		{"ZIP bomb of overlapping members", overlapping(t, 1000), "a.zip", "application/zip", []string{NoteBomb, NoteOverlap}},
		{"ZIP bomb that declares little", liar(t), "a.zip", "application/zip", []string{NoteBomb}},
		{"ZIP bomb as 42.zip", nested42(t, 4), "42.zip", "application/zip", []string{NoteBomb}},
		{"Word", zipOf(t, types, file{name: "word/document.xml", body: "x"}), "a.docx", office + "wordprocessingml", nil},
		{"Word, its types last", zipOf(t, file{name: "x", body: "x"}, file{name: "word/document.xml", body: "x"}, types), "a.docx", office + "wordprocessingml", nil},
		{"Word with macros", zipOf(t, types, file{name: "word/document.xml"}, file{name: "word/vbaProject.bin"}), "a.docm", "application/vnd.ms-word.document.macroEnabled.12", []string{NoteMacros}},
		{"Word with macros in disguise", zipOf(t, types, file{name: "word/document.xml"}, file{name: "word/vbaProject.bin"}), "a.docx", "application/vnd.ms-word.document.macroEnabled.12", []string{NoteMacros, NoteNameDiffers}},
		{"Excel", zipOf(t, types, file{name: "xl/workbook.xml"}), "a.xlsx", office + "spreadsheetml", nil},
		{"PowerPoint", zipOf(t, types, file{name: "ppt/presentation.xml"}), "a.pptx", office + "presentationml", nil},
		{"OpenDocument", zipOf(t, file{name: "mimetype", body: odt, stored: true}, file{name: "content.xml"}), "a.odt", odt, nil},
		{"OpenDocument, encrypted", zipOf(t, file{name: "mimetype", body: odt, stored: true}, file{name: "META-INF/manifest.xml", body: "<manifest:encryption-data>"}), "a.odt", odt, []string{NoteEncrypted}},
		{"OpenDocument with macros", zipOf(t, file{name: "mimetype", body: odt, stored: true}, file{name: "Basic/Standard/script-lb.xml"}), "a.odt", odt, []string{NoteMacros}},
		{"Java", zipOf(t, file{name: "META-INF/MANIFEST.MF"}, file{name: "A.class"}), "a.jar", "application/java-archive", nil},
		{"tar", tarOf(t, tar.Header{Name: "a"}), "a.tar", "application/x-tar", nil},
		{"tar upwards", tarOf(t, tar.Header{Name: "../a"}), "a.tar", "application/x-tar", []string{NotePathEscape}},
		{"tar with a link upwards", tarOf(t, tar.Header{Name: "a", Typeflag: tar.TypeSymlink, Linkname: "../../x"}), "a.tar", "application/x-tar", []string{NotePathEscape}},
		{"gzip", gzipped(t, strings.NewReader("hello")), "a.gz", "application/gzip", nil},
		{"gzip bomb", gzipped(t, io.LimitReader(zeros{}, 100<<20)), "a.gz", "application/gzip", []string{NoteBomb}},
		{"gzip bomb whose size lies", append(gzipped(t, io.LimitReader(zeros{}, 100<<20)), 0, 0, 0, 0), "a.gz", "application/gzip", []string{NoteBomb}},
		{"Windows program", pe, "a.exe", "application/vnd.microsoft.portable-executable", []string{NoteExecutable}},
		{"Windows program as a PDF", pe, "a.pdf", "application/vnd.microsoft.portable-executable", []string{NoteExecutable, NoteNameDiffers}},
		{"OLE, cut", []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "a.doc", "application/x-ole-storage", []string{NoteNameDiffers, NoteTruncated}},
		{"OLE Word with macros", compound("WordDocument", "VBA"), "a.doc", "application/msword", []string{NoteMacros}},
		{"OLE Excel with a theme", append(compound("Workbook"), zipOf(t, file{name: "theme/theme1.xml", body: "a"})...), "a.xls", "application/vnd.ms-excel", nil},
		{"SVG", []byte("<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'></svg>"), "a.svg", "image/svg+xml", nil},
		{"SVG behind a comment", []byte("<!-- by\n x -->\n<svg xmlns='http://www.w3.org/2000/svg'></svg>"), "a.svg", "image/svg+xml", nil},
		{"SVG with a script", []byte("<!-- x --><svg><script>alert(1)</script></svg>"), "a.svg", "image/svg+xml", []string{NotePolyglot}},
		{"text that is named as a picture", []byte("<p>hello"), "a.jpg", "text/", []string{NoteNameDiffers}},
		{"OLE Excel", compound("Workbook"), "a.xls", "application/vnd.ms-excel", nil},
		{"OLE Office, encrypted", compound("EncryptedPackage", "EncryptionInfo"), "a.docx", "application/x-ole-storage", []string{NoteEncrypted}},
		{"OLE whose chain is a ring", ring(), "a.doc", "application/msword", nil},
	} {
		start := time.Now()
		got := inspect(c.content, c.name)
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("%s: took %v", c.what, d)
		}
		if !strings.HasPrefix(got.MIME, c.mime) {
			t.Errorf("%s: is %s, want %s", c.what, got.MIME, c.mime)
		}
		if d := cmp.Diff(c.want, codes(got)); d != "" {
			t.Errorf("%s: %v (-want +got):\n%s", c.what, got.Notes, d)
		}
		if got.Name == "" {
			t.Errorf("%s: has no name", c.what)
		}
	}
}

// compound is a compound file with streams of those names, all empty.
func compound(names ...string) []byte {
	b := make([]byte, 512*4)
	le := binary.LittleEndian
	copy(b, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	le.PutUint16(b[26:], 3)
	le.PutUint16(b[28:], 0xfffe)
	le.PutUint16(b[30:], 9)
	le.PutUint32(b[48:], 1) // the directory
	le.PutUint32(b[68:], 0xfffffffe)
	for i := range 109 {
		le.PutUint32(b[76+4*i:], 0xffffffff)
	}
	le.PutUint32(b[76:], 0) // the FAT
	le.PutUint32(b[512:], 0xfffffffd)
	le.PutUint32(b[516:], 0xfffffffe)
	for n, name := range append([]string{"Root Entry"}, names...) {
		e := b[1024+128*n:]
		for i, r := range name {
			le.PutUint16(e[2*i:], uint16(r))
		}
		le.PutUint16(e[64:], uint16(2*len(name)+2))
		e[66] = 2
	}
	return b
}

func ring() []byte {
	b := compound("WordDocument")
	binary.LittleEndian.PutUint32(b[516:], 1)
	return b
}

// Whatever comes in, looking at it takes little memory and time.
func TestInspectIsBounded(t *testing.T) {
	sparse, err := os.Create(filepath.Join(t.TempDir(), "sparse"))
	if err != nil {
		t.Fatal(err)
	}
	defer sparse.Close()
	const size = 3 << 30
	if err := sparse.Truncate(size); err != nil {
		t.Skip("no sparse files here: ", err)
	}
	heads := map[string][]byte{
		"zeros": nil, "JPEG": jpegOf(t), "PNG": pngOf(t)[:40], "GIF": gifOf(t)[:20], "PDF": pdf(""), "gzip": gzipped(t, io.LimitReader(zeros{}, 1<<20)),
		"bzip2": []byte("BZh91AY&SY"), "tar": tarOf(t, tar.Header{Name: "a"})[:512], "OLE": compound("WordDocument"), "ZIP": zipOf(t, file{name: "a", body: "a"}),
		"RIFF": []byte("RIFF\xff\xff\xff\xfeWAVEfmt "), "TIFF": []byte("II*\x00\x00\x00\x00\x10"),
	}
	check := func(name string, r io.ReaderAt, size int64) {
		t.Helper()
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		f := Inspect(r, size, "")
		d := time.Since(start)
		runtime.ReadMemStats(&after)
		// All that was asked for bounds what was held at once.
		asked := after.TotalAlloc - before.TotalAlloc
		t.Logf("%-12s %-30.30s %8v %9d bytes asked for; %v", name, f.MIME, d.Round(time.Millisecond), asked, f.Notes)
		if d > 2*time.Second || asked > 16<<20 {
			t.Errorf("%s: took %v and %d bytes", name, d, asked)
		}
	}
	for name, head := range heads {
		clean := make([]byte, 1<<20)
		copy(clean, head)
		if _, err := sparse.WriteAt(clean, 0); err != nil {
			t.Fatal(err)
		}
		check(name, sparse, size)
	}
	for name, b := range map[string][]byte{
		"overlapping": overlapping(t, 60_000), "42.zip": nested42(t, 4), "four billion": fourBillion(t), "many": zipOf(t, many(60_000)...), "liar": liar(t),
	} {
		check(name, bytes.NewReader(b), int64(len(b)))
	}
}

// Through a sealed object it is the same as without.
func TestInspectThroughClear(t *testing.T) {
	for name, b := range map[string][]byte{"many": zipOf(t, many(20_000)...), "bomb": nested42(t, 2), "png": pngOf(t)} {
		c, err := NewClear(object(sealed(t, b)), testKey)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		got := Inspect(c, c.Size(), name)
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("%s: took %v", name, d)
		}
		if d := cmp.Diff(inspect(b, name), got); d != "" {
			t.Errorf("%s (-clear +sealed):\n%s", name, d)
		}
	}
}

func TestNotesAreSentences(t *testing.T) {
	for _, c := range Codes() {
		if s := (Note{Code: c}).String(); s == c || !strings.HasSuffix(s, ".") {
			t.Errorf("%s reads %q", c, s)
		}
	}
}

func FuzzInspect(f *testing.F) {
	for _, b := range [][]byte{
		nil, pdf(""), pngOf(f), gifOf(f), jpegOf(f), compound("WordDocument", "VBA"), ring(), fourBillion(f), overlapping(f, 3), hugePNG(1, 1),
		zipOf(f, file{name: "../a.zip", body: string(zipOf(f, file{name: "b", body: "c"}))}), tarOf(f, tar.Header{Name: "a"}),
		gzipped(f, strings.NewReader("a")), []byte("BZh91AY&SY"), []byte("II*\x00\x08\x00\x00\x00\x01\x00"), []byte("RIFF\x00\x00\x00\x00WEBPVP8X"),
	} {
		f.Add(b, "a.pdf")
	}
	f.Fuzz(func(t *testing.T, b []byte, name string) {
		got := inspect(b, name)
		if got.MIME == "" || got.Name == "" {
			t.Errorf("%+v", got)
		}
		for _, n := range got.Notes {
			if !slices.Contains(Codes(), n.Code) {
				t.Errorf("note %v", n)
			}
		}
		if again := inspect(b, name); !cmp.Equal(got, again) {
			t.Errorf("told twice: %+v, %+v", got, again)
		}
	})
}
