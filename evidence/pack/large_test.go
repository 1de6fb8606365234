package pack

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// large makes a case of items of size bytes, each with three custody entries.
func large(t testing.TB, items, size int) *sample {
	t.Helper()
	s := &sample{Contents: Contents{
		Name: "case-12-3-police", Organisation: "Bank", Version: "v1", Case: "C-12", Number: 3, Variant: "police", Time: when, Origin: "bank", Items: map[string]int{},
	}}
	noise := rand.NewChaCha8([32]byte{3})
	for i := range items {
		b := make([]byte, size)
		_, _ = noise.Read(b)
		s.Files = append(s.Files, Bytes(fmt.Sprintf("items/I-%04d/file.bin", i), b))
		for range 3 {
			s.handle(fmt.Sprintf("I-%04d", i))
		}
	}
	s.finish(t)
	return s
}

func TestLargePack(t *testing.T) {
	if testing.Short() {
		t.Skip("200 MB")
	}
	s := large(t, 1000, 200_000)
	p := filepath.Join(t.TempDir(), "large.zip")
	f, err := os.Create(p)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	began := time.Now()
	if err := Write(t.Context(), f, &s.Contents, s.Seal); err != nil {
		t.Fatal(err)
	}
	built := time.Since(began)
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		t.Fatal(err)
	}
	began = time.Now()
	rep, err := Verify(t.Context(), f, size, Options{})
	if err != nil || len(rep.Problems) > 0 {
		t.Fatal(rep.Problems, err)
	}
	verified := time.Since(began)
	t.Logf("1000 items of 200 kB, %d bytes: built in %v, verified in %v", size, built, verified)
	if built > time.Minute || verified > 20*time.Second {
		t.Error("too slow: a minute to build and 20 s to verify are the most")
	}
	js := inNode(t, p)[0]
	t.Logf("verified by the browser's script in %.1f s", js.Seconds)
	if len(js.Problems) > 0 {
		t.Error(js.Problems)
	}
}

func BenchmarkWrite(b *testing.B) {
	s := large(b, 100, 200_000)
	b.SetBytes(100 * 200_000)
	for b.Loop() {
		if err := Write(context.Background(), io.Discard, &s.Contents, s.Seal); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	zip := large(b, 100, 200_000).bytes(b)
	b.SetBytes(int64(len(zip)))
	for b.Loop() {
		if rep, err := Verify(context.Background(), bytes.NewReader(zip), int64(len(zip)), Options{}); err != nil || len(rep.Problems) > 0 {
			b.Fatal(rep.Problems, err)
		}
	}
}

// More files than the old form of a zip counts, and one that is read twice.
func TestManyFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("66,000 files")
	}
	s := newSample(t)
	for i := range 66_000 {
		s.Files = append(s.Files, Bytes(fmt.Sprintf("many/%05d", i), nil))
	}
	s.Files = append(s.Files, Bytes("large.bin", bytes.Repeat([]byte("0123456789"), small/10+1)))
	s.finish(t)
	for name, rep := range agree(t, map[string][]byte{"many": s.bytes(t)}) {
		if len(rep.Problems) > 0 || rep.Files != 66_005 {
			t.Errorf("%s: %d files, %v", name, rep.Files, rep.Problems)
		}
	}
}

// The headers of a file and an offset beyond 4 GiB are read as they are written.
func TestLargeHeaders(t *testing.T) {
	for _, h := range []header{{name: "x/a", size: 5, offset: 1 << 33}, {name: "x/a", size: 1 << 33, offset: 7}, {name: "x/a", size: big32, offset: big32}, {name: "x/a", size: big32 - 1, offset: big32 - 1}} {
		b := h.central(toDOS(when))
		if e, n := parseCentral(b); n != len(b) || e.header != h || e.compressed {
			t.Errorf("%+v: read as %+v, %d bytes of %d", h, e, n, len(b))
		}
	}
}
