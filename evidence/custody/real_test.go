package custody

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// expected is how the MIME type of files with an extension begins.
var expected = map[string][]string{
	".pdf":  {"application/pdf"},
	".doc":  {"application/msword"},
	".xls":  {"application/vnd.ms-excel"},
	".docx": {"application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
	".xlsx": {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
	".pptx": {"application/vnd.openxmlformats-officedocument.presentationml.presentation"},
	".odt":  {"application/vnd.oasis.opendocument.text"},
	".ods":  {"application/vnd.oasis.opendocument.spreadsheet"},
	".odp":  {"application/vnd.oasis.opendocument.presentation"},
	".png":  {"image/png", "image/apng"},
	".jpg":  {"image/jpeg"},
	".jpeg": {"image/jpeg"},
	".gif":  {"image/gif"},
	".webp": {"image/webp"},
	".bmp":  {"image/bmp"},
	".tif":  {"image/tiff"},
	".tiff": {"image/tiff"},
	".svg":  {"image/svg+xml"},
	".wav":  {"audio/wav"},
	".oga":  {"audio/ogg"},
	".ogg":  {"audio/ogg", "video/ogg", "application/ogg"},
	".mp3":  {"audio/mpeg"},
	".flac": {"audio/flac"},
	".m4a":  {"audio/x-m4a", "audio/mp4"},
	".mp4":  {"video/mp4"},
	".gz":   {"application/gzip"},
	".zip":  {"application/zip"},
	".jar":  {"application/java-archive"},
}

// A finding is how files of one extension were told.
type finding map[string]int

// survey inspects the files below dir, and reports those that are told otherwise
// than their extension says, or are wrongly said to be hostile.
func survey(t *testing.T, dir string, limit int, found map[string]finding) {
	t.Helper()
	seen := map[string]int{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		ext := strings.ToLower(filepath.Ext(path))
		want, known := expected[ext]
		if err != nil || !e.Type().IsRegular() || !known || seen[ext] == limit {
			return nil //nolint:nilerr // what cannot be read is passed over
		}
		f, err := os.Open(path)
		if err != nil {
			return nil //nolint:nilerr // as above
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil || info.Size() == 0 {
			return err
		}
		seen[ext]++
		got := Inspect(f, info.Size(), path)
		mime, _, _ := strings.Cut(got.MIME, ";")
		if found[ext] == nil {
			found[ext] = finding{}
		}
		told := mime
		for _, c := range codes(got) {
			told += " +" + c
		}
		found[ext][told]++
		if !slices.ContainsFunc(want, func(w string) bool { return strings.HasPrefix(mime, w) }) {
			t.Errorf("%s is told to be %s %v", filepath.Base(path), got.MIME, got.Notes)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func table(found map[string]finding) string {
	var b strings.Builder
	for _, ext := range slices.Sorted(maps.Keys(found)) {
		for _, told := range slices.Sorted(maps.Keys(found[ext])) {
			fmt.Fprintf(&b, "\n%-6s %5d  %s", ext, found[ext][told], told)
		}
	}
	return b.String()
}

func TestInspectFilesOfThisMachine(t *testing.T) {
	found := map[string]finding{}
	for _, dir := range []string{"/usr/share/doc", "/usr/share/pixmaps", "/usr/share/icons", "/usr/share/sounds", "/usr/share/java"} {
		if _, err := os.Stat(dir); err == nil {
			survey(t, dir, 40, found)
		}
	}
	if len(found) == 0 {
		t.Skip("no such files on this machine")
	}
	t.Log(table(found))
}

// The packages of Debian that hold files of the formats that people send.
var packages = []string{
	"doc-debian", "debian-faq", "sound-theme-freedesktop", "python3-docx", "python3-pygame", "r-cran-readxl", "r-cran-openxlsx",
	"r-cran-officer", "libopenoffice-oodoc-perl", "golang-golang-x-image-dev", "adwaita-icon-theme", "alsa-utils", "apache2-data",
	"libspreadsheet-read-perl", "libspreadsheet-parseexcel-perl", "libmp3-tag-perl", "wv",
}

func TestInspectFilesOfDebian(t *testing.T) {
	if os.Getenv("BONAFIDE_DEBS") == "" {
		t.Skip("set BONAFIDE_DEBS=1 to download packages and inspect what they hold")
	}
	found := map[string]finding{}
	for _, p := range packages {
		dir := t.TempDir()
		cmd := exec.Command("apt-get", "download", p)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Logf("%s is not to be had: %v\n%s", p, err, out)
			continue
		}
		debs, err := filepath.Glob(filepath.Join(dir, "*.deb"))
		if err != nil || len(debs) != 1 {
			t.Fatalf("%s: %v, %v", p, debs, err)
		}
		if out, err := exec.Command("dpkg-deb", "-x", debs[0], filepath.Join(dir, "x")).CombinedOutput(); err != nil {
			t.Fatalf("unpack %s: %v\n%s", p, err, out)
		}
		survey(t, filepath.Join(dir, "x"), 400, found)
	}
	t.Log(table(found))
}
