package pack

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	"bonafide"
	"bonafide/internal/tsa"
)

func TestSoundPack(t *testing.T) {
	zips := map[string][]byte{}
	s := newSample(t)
	good := s.bytes(t)
	zips["P-256"] = good
	zips["RSA"] = newSample(t, tsa.WithRSA()).bytes(t)
	plain := newSample(t)
	plain.Token, plain.Roots = nil, nil
	zips["no time-stamp"] = plain.bytes(t)
	for name, rep := range agree(t, zips) {
		if len(rep.Problems) > 0 {
			t.Errorf("%s: %v", name, rep.Problems)
		}
	}
	trusted := roots(t, s.Roots)
	trusted.Key = s.Seal.Key
	var done, total int64
	trusted.Progress = func(d, n int64) { done, total = d, n }
	rep := verify(t, good, trusted)
	for _, c := range rep.Checks {
		if c.State != OK {
			t.Errorf("%s: %s: %s", c.Code, c.State, c.Text)
		}
	}
	if done != total || total != 1_552 {
		t.Errorf("progress ends at %d of %d", done, total)
	}
	rep.Checks, rep.Authority = nil, ""
	want := Report{
		Name: "case-12-3-police", Case: "C-12", Number: 3, Variant: "police", Sealed: when, Stamped: rep.Stamped,
		Key: Fingerprint([]byte(s.Seal.Key)), Files: 4, Items: 3, Custody: 8, Problems: []Problem{},
	}
	if d := cmp.Diff(want, rep); d != "" || rep.Stamped.IsZero() {
		t.Errorf("report (-want +got):\n%s", d)
	}
	if again := s.bytes(t); !bytes.Equal(good, again) {
		t.Error("the same case gave other bytes")
	}
}

// Every byte of a zip has one right value.
func TestVerifyFindsEveryFlippedByte(t *testing.T) {
	s := newSample(t)
	s.Files = s.Files[:1] // small
	s.Contents.Custody = nil
	s.Items = map[string]int{}
	s.finish(t)
	good := s.bytes(t)
	page := bytes.Index(good, Page())
	for i := range good {
		if i > page+100 && i < page+len(Page())-100 && i%501 != 0 {
			continue // the inside of the page is like its ends
		}
		b := bytes.Clone(good)
		b[i] ^= 1 << (i % 8)
		if rep := verify(t, b, Options{}); len(rep.Problems) == 0 {
			t.Fatalf("byte %d of %d flipped: nothing found", i, len(good))
		}
	}
}

// A byte changed in any file of the pack is found and names that file, by both verifiers,
// in the zip and in the folder.
func TestVerifyNamesChangedFile(t *testing.T) {
	s := newSample(t)
	zip := s.bytes(t)
	good := unpack(t, zip)
	zips := map[string][]byte{}
	for p, body := range good {
		if len(body) == 0 {
			continue
		}
		for name, at := range map[string]int{"first": 0, "middle": len(body) / 2, "last": len(body) - 1} {
			b := good.clone()
			b[p][at] ^= 1
			zips[p+" "+name] = b.zip(t, when)
			at := bytes.LastIndex(zip, body) + at
			raw := bytes.Clone(zip)
			raw[at] ^= 1
			zips[p+" "+name+" in place"] = raw
		}
	}
	for name, rep := range agree(t, zips) {
		p, _, _ := strings.Cut(name, " ")
		named := false
		for _, x := range rep.Problems {
			named = named || x.File == p || strings.Contains(x.What, p)
		}
		// A digest in a tag manifest is changed like the file it lists; only the zip tells.
		if !named && (p != tagmanifestName || strings.HasSuffix(name, "in place")) {
			t.Errorf("%s: not named in %v", name, rep.Problems)
		}
		if len(rep.Problems) == 0 {
			t.Errorf("%s: nothing found", name)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*sample)
		want   string
	}{
		"changed file": {func(s *sample) {
			s.Files[0].Open = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("other")), nil }
		}, "items/I-1/letter.txt is not what its digests say"},
		"longer file": {func(s *sample) {
			s.Files[0].Open = func() (io.ReadCloser, error) {
				return io.NopCloser(strings.NewReader("Dear bank, I did not take this loan.\n+")), nil
			}
		}, "items/I-1/letter.txt is not what its digests say"},
		"checkpoint of another size": {func(s *sample) { s.Seal.Size++ }, "is of another size"},
		"other variant":              {func(s *sample) { s.Variant = "court" }, `"variant" is not what the log says`},
		"gap in custody":             {func(s *sample) { s.Contents.Custody = s.Contents.Custody[1:] }, "would not be sound"},
		"stamp of something else":    {func(s *sample) { s.Token, _ = s.tsa.Stamp([]byte("x")) }, "stamps something else"},
		"unsafe path":                {func(s *sample) { s.Files = append(s.Files, Bytes("../x", nil)) }, "not a safe path"},
		"same path":                  {func(s *sample) { s.Files = append(s.Files, Bytes("CASE.json", nil)) }, "cannot both stand"},
		"file as folder":             {func(s *sample) { s.Files = append(s.Files, Bytes("case.json/x", nil)) }, "a file and a folder"},
	} {
		s := newSample(t)
		c.change(s)
		err := Write(t.Context(), io.Discard, &s.Contents, s.Seal)
		if !errors.Is(err, bonafide.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestSafePath(t *testing.T) {
	for p, want := range map[string]bool{
		"data/a.txt": true, "data/证据/录音 1.mp3": true, "data/.x": true, "data/a..b": true,
		"": false, "/a": false, "a//b": false, "a/": false, "../a": false, "a/../b": false, "./a": false, `a\b`: false, "c:a": false,
		"a\nb": false, "a\x00": false, "a%0Ab": false, "a.": false, "a ": false, " a": false, "con": false, "COM1.txt": false, "x/nul.tar.gz": false,
		"a\u202eb": false, "e\u0301": false, "\u00e9": true, "a\xff": false, "a*": false, strings.Repeat("a", 201): false, strings.Repeat("a/", 200) + "b": false,
	} {
		if got := safePath(p); got != want {
			t.Errorf("safePath(%q) = %v", p, got)
		}
	}
}

// extract unpacks with the standard library, which must read what we write.
func extract(t testing.TB, pack []byte) string {
	t.Helper()
	dir := t.TempDir()
	r, err := zip.NewReader(bytes.NewReader(pack), int64(len(pack)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.File {
		src, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(src)
		if err != nil {
			t.Fatal(err)
		}
		p := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "case-12-3-police")
}

func TestFolder(t *testing.T) {
	s := newSample(t)
	dir := extract(t, s.bytes(t))
	for _, d := range []string{dir, filepath.Dir(dir)} {
		rep, err := VerifyDir(t.Context(), os.DirFS(d), Options{})
		if err != nil || len(rep.Problems) > 0 {
			t.Errorf("%v, %v", rep.Problems, err)
		}
	}
	for _, change := range []struct{ file, want string }{
		{"data/case.json", "file-changed data/case.json"}, {"data/more.txt", "file-extra data/more.txt"}, {"notes.txt", "file-extra notes.txt"},
	} {
		before, _ := os.ReadFile(filepath.Join(dir, change.file))
		if err := os.WriteFile(filepath.Join(dir, change.file), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		rep, err := VerifyDir(t.Context(), os.DirFS(dir), Options{})
		if err != nil {
			t.Fatal(err)
		}
		js := inNode(t, dir)[0].Report
		if d := cmp.Diff(rep.Problems, js.Problems); d != "" || !slices.Contains(found(rep), change.want) {
			t.Errorf("%s: %v (-Go +browser):\n%s", change.file, found(rep), d)
		}
		if before == nil {
			err = os.Remove(filepath.Join(dir, change.file))
		} else {
			err = os.WriteFile(filepath.Join(dir, change.file), before, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("case.json", filepath.Join(dir, "data", "link")); err != nil {
		t.Fatal(err)
	}
	rep, err := VerifyDir(t.Context(), os.DirFS(dir), Options{})
	if err != nil || !slices.Contains(found(rep), "path-unsafe data/link") {
		t.Errorf("a link: %v, %v", found(rep), err)
	}
}

// tool runs a program in a folder, or skips the test where it is not there.
func tool(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed", name)
	}
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestCommonToolsAccept(t *testing.T) {
	dir := extract(t, newSample(t).bytes(t))
	tool(t, dir, "sha256sum", "--strict", "-c", manifestName)
	tool(t, dir, "sha256sum", "--strict", "-c", tagmanifestName)
	out := tool(t, dir, "openssl", "ts", "-verify", "-in", responseName, "-data", checkpointName, "-CAfile", rootsName)
	if !strings.Contains(out, "Verification: OK") {
		t.Errorf("openssl: %s", out)
	}
	tool(t, dir, "openssl", "ts", "-verify", "-token_in", "-in", tokenName, "-data", checkpointName, "-CAfile", rootsName)
}

// BagIt's own validator is fetched from the network, so it runs on request only.
func TestBagItValidatorAccepts(t *testing.T) {
	if os.Getenv("BONAFIDE_BAGIT") != "1" {
		t.Skip("set BONAFIDE_BAGIT=1 to fetch and run the validator of BagIt")
	}
	dir, venv := extract(t, newSample(t).bytes(t)), t.TempDir()
	tool(t, venv, "python3", "-m", "venv", venv)
	tool(t, venv, filepath.Join(venv, "bin", "pip"), "install", "--quiet", "bagit==1.9.0", "setuptools<81")
	t.Log(tool(t, venv, filepath.Join(venv, "bin", "python"), "-m", "bagit", "--validate", dir))
}

func TestEncrypt(t *testing.T) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := Encrypt(&b, []string{id.Recipient().String()})
	if err != nil {
		t.Fatal(err)
	}
	s := newSample(t)
	if err := errors.Join(Write(t.Context(), w, &s.Contents, s.Seal), w.Close()); err != nil {
		t.Fatal(err)
	}
	r, err := Decrypt(bytes.NewReader(b.Bytes()), []string{other.String(), id.String()})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, s.bytes(t)) {
		t.Errorf("decrypted to something else: %v", err)
	}
	if _, err := Decrypt(bytes.NewReader(b.Bytes()), []string{other.String()}); !errors.Is(err, bonafide.Denied) {
		t.Errorf("another's key: %v", err)
	}
	if _, err := Decrypt(strings.NewReader("hello"), []string{id.String()}); !errors.Is(err, bonafide.Invalid) {
		t.Errorf("not a file of age: %v", err)
	}
	for _, to := range [][]string{nil, {"x"}} {
		if _, err := Encrypt(&b, to); !errors.Is(err, bonafide.Invalid) {
			t.Errorf("Encrypt to %q: %v", to, err)
		}
	}
}
