package custody

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"bonafide"
)

// fakeS3 serves an S3 with an empty bucket and returns its address.
func fakeS3(t testing.TB) string {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("originals"); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(s.Close)
	return "s3+" + s.URL
}

// each runs a test on every kind of store.
func each(t *testing.T, test func(t *testing.T, o Objects)) {
	c := Credentials{Key: "key", Secret: "secret", Region: "us-east-1"}
	for name, url := range map[string]func(t *testing.T) string{
		"directory":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "objects") },
		"S3":          func(t *testing.T) string { return fakeS3(t) + "/originals" },
		"S3 prefixed": func(t *testing.T) string { return fakeS3(t) + "/originals/a/b" },
	} {
		t.Run(name, func(t *testing.T) {
			o, err := OpenObjects(t.Context(), url(t), c)
			if err != nil {
				t.Fatal(err)
			}
			test(t, o)
		})
	}
}

// spooled writes a spool file and returns its path and address.
func spooled(t *testing.T, content []byte) (path, address string) {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "*.part")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	return f.Name(), hex.EncodeToString(sum[:])
}

func TestObjects(t *testing.T) {
	each(t, func(t *testing.T, o Objects) {
		ctx := t.Context()
		var want []string
		for _, n := range []int{1, 29, 1000, block, 2*block + 5} {
			content := pattern(n)
			path, address := spooled(t, content)
			for range 2 { // putting again what is there is no error
				if err := o.Put(ctx, address, path); err != nil {
					t.Fatal(err)
				}
				if _, err := os.Stat(path); err == nil {
					t.Errorf("the spool file is left")
				}
				path, _ = spooled(t, content)
			}
			want = append(want, address)
			got, err := o.Open(ctx, address)
			if err != nil {
				t.Fatal(err)
			}
			if got.Size() != int64(n) {
				t.Errorf("Size = %d, want %d", got.Size(), n)
			}
			b, err := io.ReadAll(io.NewSectionReader(got, 0, got.Size()))
			if err != nil || !bytes.Equal(b, content) {
				t.Errorf("%d bytes read otherwise: %d, %v", n, len(b), err)
			}
			if n > 1000 { // across a block, and beyond the end
				p := make([]byte, 600)
				if _, err := got.ReadAt(p, int64(n-700)); err != nil || !bytes.Equal(p, content[n-700:n-100]) {
					t.Errorf("a part of %d bytes reads otherwise: %v", n, err)
				}
				if k, err := got.ReadAt(p, int64(n-100)); k != 100 || !errors.Is(err, io.EOF) {
					t.Errorf("ReadAt beyond the end = %d, %v", k, err)
				}
			}
			if err := got.Close(); err != nil {
				t.Error(err)
			}
		}
		slices.Sort(want)
		list := func() (got []string) {
			err := o.Each(ctx, func(address string, stored time.Time, _ int64) error {
				if d := time.Since(stored); d < -time.Minute || d > time.Minute {
					t.Errorf("stored at %v", stored)
				}
				got = append(got, address)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(got)
			return got
		}
		if got := list(); !slices.Equal(got, want) {
			t.Errorf("Each gives %v, want %v", got, want)
		}
		stop := errors.New("stop")
		if err := o.Each(ctx, func(string, time.Time, int64) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("Each that is stopped: %v", err)
		}
		for range 2 { // deleting what is not there is no error
			if err := o.Delete(ctx, want[0]); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := o.Open(ctx, want[0]); !errors.Is(err, bonafide.NotFound) {
			t.Errorf("open what was deleted: %v", err)
		}
		if got := list(); !slices.Equal(got, want[1:]) {
			t.Errorf("Each gives %v, want %v", got, want[1:])
		}
		for _, bad := range []string{"", "../../etc/passwd", strings.Repeat("A", 64), strings.Repeat("g", 64), want[1] + "0", "/" + want[1][1:]} {
			path, _ := spooled(t, nil)
			_, err := o.Open(ctx, bad)
			for _, err := range []error{err, o.Put(ctx, bad, path), o.Delete(ctx, bad), o.Trash(ctx, bad), o.Restore(ctx, bad), o.Purge(ctx, bad)} {
				if !errors.Is(err, bonafide.Invalid) {
					t.Errorf("address %q: %v", bad, err)
				}
			}
		}
	})
}

func TestTrash(t *testing.T) {
	each(t, func(t *testing.T, o Objects) {
		ctx := t.Context()
		path, address := spooled(t, []byte("content"))
		if err := o.Put(ctx, address, path); err != nil {
			t.Fatal(err)
		}
		at := func() (place, trash int) {
			err := o.Each(ctx, func(string, time.Time, int64) error { place++; return nil })
			if err := errors.Join(err, o.EachTrashed(ctx, func(got string, trashed time.Time) error {
				if d := time.Since(trashed); got != address || d < -time.Minute || d > time.Minute {
					t.Errorf("%s trashed at %v", got, trashed)
				}
				trash++
				return nil
			})); err != nil {
				t.Fatal(err)
			}
			return place, trash
		}
		is := func(what string, place, trash int) {
			t.Helper()
			if p, n := at(); p != place || n != trash {
				t.Errorf("%s: %d in their place and %d in the trash, want %d and %d", what, p, n, place, trash)
			}
		}
		if err := o.Restore(ctx, address); !errors.Is(err, bonafide.NotFound) {
			t.Errorf("restore what is not in the trash: %v", err)
		}
		is("put", 1, 0)
		for range 2 { // trashing what is not there is no error
			if err := o.Trash(ctx, address); err != nil {
				t.Fatal(err)
			}
			is("trashed", 0, 1)
		}
		if _, err := o.Open(ctx, address); !errors.Is(err, bonafide.NotFound) {
			t.Errorf("open what lies in the trash: %v", err)
		}
		if err := o.Restore(ctx, address); err != nil {
			t.Fatal(err)
		}
		is("restored", 1, 0)
		got, err := o.Open(ctx, address)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(io.NewSectionReader(got, 0, got.Size()))
		if err = errors.Join(err, got.Close()); err != nil || string(b) != "content" {
			t.Errorf("restored as %q, %v", b, err)
		}
		if err := o.Trash(ctx, address); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := o.Purge(ctx, address); err != nil {
				t.Fatal(err)
			}
		}
		is("purged", 0, 0)
		stop := errors.New("stop")
		path, address = spooled(t, []byte("more"))
		if err := errors.Join(o.Put(ctx, address, path), o.Trash(ctx, address)); err != nil {
			t.Fatal(err)
		}
		if err := o.EachTrashed(ctx, func(string, time.Time) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("EachTrashed that is stopped: %v", err)
		}
	})
}

// Of many that claim a place at once one wins, and everybody is told the same.
func TestOneOwner(t *testing.T) {
	each(t, func(t *testing.T, o Objects) {
		ctx := t.Context()
		if owner, err := o.Mark(ctx, markOwner, ""); owner != "" || err != nil {
			t.Fatalf("a new place is owned by %q, %v", owner, err)
		}
		for _, bad := range []string{"two words", "a\nb", strings.Repeat("x", 201), "ü"} {
			if _, err := o.Mark(ctx, markOwner, bad); !errors.Is(err, bonafide.Invalid) {
				t.Errorf("owner %q: %v", bad, err)
			}
		}
		var wg sync.WaitGroup
		for n := range 8 {
			wg.Go(func() { _, _ = o.Mark(ctx, markOwner, strings.Repeat("x", n+1)) }) // the mark may be half written
		}
		wg.Wait()
		owner, err := o.Mark(ctx, markOwner, "")
		if err != nil || owner == "" {
			t.Fatal(owner, err)
		}
		for _, claim := range []string{"", "another", owner} {
			if got, err := o.Mark(ctx, markOwner, claim); got != owner || err != nil {
				t.Errorf("claimed by %q it is owned by %q, %v", claim, got, err)
			}
		}
		if says, err := o.Mark(ctx, markGuest, "x"); says != "x" || err != nil {
			t.Errorf("another mark says %q, %v", says, err)
		}
		if err := o.Each(ctx, func(address string, _ time.Time, _ int64) error { t.Error(address, "is no object"); return nil }); err != nil {
			t.Error(err)
		}
	})
}

func TestDirectoryIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "objects")
	o, err := OpenObjects(t.Context(), dir, Credentials{})
	if err != nil {
		t.Fatal(err)
	}
	path, address := spooled(t, []byte("x"))
	if err := o.Put(t.Context(), address, path); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, address[:2]): 0o700, filepath.Join(dir, address[:2], address): 0o400} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", filepath.Base(name), got, want)
		}
	}
}

func TestOpenObjectsRefusesAddresses(t *testing.T) {
	here := fakeS3(t)
	for _, c := range []struct {
		url  string
		want error
	}{
		{"", bonafide.Invalid},
		{"https://host/bucket", bonafide.Invalid},
		{"s3://bucket", bonafide.Invalid},
		{"s3+https://", bonafide.Invalid},
		{"s3+https://host", bonafide.Invalid},
		{"s3+https://host/", bonafide.Invalid},
		{"s3+ftp://host/bucket", bonafide.Invalid},
		{"s3+https://key:secret@host/bucket", bonafide.Invalid},
		{"s3+https://key@host/bucket", bonafide.Invalid},
		{"s3+https://host/bucket?secret=x", bonafide.Invalid},
		{"s3+http://s3.example/bucket", bonafide.Invalid},
		{"s3+https://key:sec ret@host/%zz", bonafide.Invalid},
		{here + "/nothing", bonafide.NotFound},
	} {
		_, err := OpenObjects(t.Context(), c.url, Credentials{Key: "key", Secret: "secret", Region: "us-east-1"})
		if !errors.Is(err, c.want) {
			t.Errorf("OpenObjects(%q): %v, want %v", c.url, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("OpenObjects(%q) tells a secret: %v", c.url, err)
		}
	}
}

func TestPutOfWhatIsCancelled(t *testing.T) {
	each(t, func(t *testing.T, o Objects) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		path, address := spooled(t, []byte("x"))
		if err := o.Put(ctx, address, path); err == nil {
			t.Error("Put with a cancelled context: no error")
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("the spool file is gone: %v", err)
		}
		if _, err := o.Open(t.Context(), address); !errors.Is(err, bonafide.NotFound) {
			t.Errorf("an object is there: %v", err)
		}
	})
}
