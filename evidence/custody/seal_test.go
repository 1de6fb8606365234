package custody

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/iotest"

	"bonafide"
)

// memory is an object that stands in memory.
type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

func object(b []byte) Object { return memory{bytes.NewReader(b)} }

var testKey = Key{1, 2, 3}

func sealed(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := Seal(rand.Reader, testKey, &b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, iotest.OneByteReader(bytes.NewReader(content[:min(len(content), 100)]))); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content[min(len(content), 100):]); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("x")); err == nil {
		t.Error("written to after it was closed: no error")
	}
	return b.Bytes()
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * i >> 7)
	}
	return b
}

func TestClearGivesBackWhatWasSealed(t *testing.T) {
	for _, n := range []int{0, 1, 100, chunkSize - 1, chunkSize, chunkSize + 1, 2 * chunkSize, 3*chunkSize + 7} {
		want := pattern(n)
		b := sealed(t, want)
		c, err := NewClear(object(b), testKey)
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if c.Size() != int64(n) {
			t.Errorf("Size = %d, want %d", c.Size(), n)
		}
		if err := iotest.TestReader(c, want); err != nil {
			t.Errorf("%d bytes: %v", n, err)
		}
		if n > 40 && bytes.Contains(b, want[:40]) {
			t.Errorf("%d bytes: clear content stands in the object", n)
		}
	}
}

// opened reads all of an object.
func opened(b []byte, key Key) ([]byte, error) {
	c, err := NewClear(object(b), key)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(c)
}

func TestClearRefusesWhatWasAltered(t *testing.T) {
	content := pattern(3*chunkSize + 100)
	good := sealed(t, content)
	other := sealed(t, content)
	at := func(n int) int { return headerSize + n*sealedSize }
	exchanged := slices.Concat(good[:at(0)], good[at(1):at(2)], good[at(0):at(1)], good[at(2):])
	for name, b := range map[string][]byte{
		"empty":                       nil,
		"header only":                 good[:headerSize],
		"cut at a chunk":              good[:at(2)],
		"cut after the first chunk":   good[:at(1)],
		"cut in a chunk":              good[:at(2)+500],
		"cut by a byte":               good[:len(good)-1],
		"cut so that a tag is left":   good[:at(2)+tagSize],
		"a byte more":                 append(bytes.Clone(good), 0),
		"a chunk more":                slices.Concat(good, good[at(0):at(1)]),
		"the last chunk twice":        slices.Concat(good, good[at(3):]),
		"a chunk missing":             slices.Concat(good[:at(1)], good[at(2):]),
		"chunks exchanged":            exchanged,
		"chunk of another object":     slices.Concat(good[:at(1)], other[at(1):at(2)], good[at(2):]),
		"header of another object":    slices.Concat(other[:at(0)], good[at(0):]),
		"another magic":               slices.Concat([]byte("bfobj2"), good[6:]),
		"first chunk is the last too": slices.Concat(good[:at(0)], good[at(3):]),
	} {
		if _, err := opened(b, testKey); !errors.Is(err, bonafide.Conflict) {
			t.Errorf("%s: %v, want a conflict", name, err)
		}
	}
	if _, err := opened(good, Key{9}); !errors.Is(err, bonafide.Conflict) {
		t.Errorf("another key: %v", err)
	}
	// What is cut short or made longer is refused before anything is read.
	for _, b := range [][]byte{good[:at(2)], append(bytes.Clone(good), 0)} {
		if _, err := NewClear(object(b), testKey); !errors.Is(err, bonafide.Conflict) {
			t.Errorf("NewClear of %d bytes of %d: %v", len(b), len(good), err)
		}
	}
	// An altered byte is refused where it is read, and elsewhere it does no harm.
	for i := 0; i < len(good); i += 997 {
		b := bytes.Clone(good)
		b[i] ^= 0x10
		c, err := NewClear(object(b), testKey)
		if err != nil {
			continue
		}
		bad := (i - headerSize) / sealedSize
		for n := range 4 {
			p := make([]byte, 50)
			_, err := c.ReadAt(p, int64(n*chunkSize+10))
			if (err != nil) != (n == bad) {
				t.Errorf("byte %d altered: chunk %d: %v", i, n, err)
			}
			if err == nil && !bytes.Equal(p, content[n*chunkSize+10:][:50]) {
				t.Errorf("byte %d altered: chunk %d reads otherwise", i, n)
			}
		}
	}
}

func FuzzClear(f *testing.F) {
	content := pattern(2*chunkSize + 10)
	good := sealed(f, content)
	f.Add(0, byte(0), len(good), 0)
	f.Add(20, byte(1), len(good), 5)
	f.Add(0, byte(0), headerSize+sealedSize, 0)
	f.Add(0, byte(0), len(good)+30, chunkSize)
	f.Fuzz(func(t *testing.T, at int, x byte, size, off int) {
		if size < 0 || size > 2*len(good) {
			return
		}
		b := slices.Concat(good, good)[:size]
		if at >= 0 && at < len(b) {
			b[at] ^= x
		}
		c, err := NewClear(object(b), testKey)
		if err != nil {
			return
		}
		if c.Size() != int64(len(content)) {
			t.Fatalf("Size = %d of %d bytes, byte %d ^ %d", c.Size(), size, at, x)
		}
		if off < 0 || off > len(content) {
			off = 0
		}
		p := make([]byte, 100)
		n, _ := c.ReadAt(p, int64(off))
		if !bytes.Equal(p[:n], content[off:off+n]) {
			t.Errorf("reads otherwise at %d", off)
		}
		if all, err := io.ReadAll(c); err == nil && !bytes.Equal(all, content) {
			t.Error("reads otherwise")
		}
	})
}

func FuzzClearBytes(f *testing.F) {
	f.Add(sealed(f, nil))
	f.Add(sealed(f, []byte("content")))
	f.Fuzz(func(t *testing.T, b []byte) {
		// No other object under the key is to be had by mutation.
		if got, err := opened(b, testKey); err == nil && len(got) > 0 && string(got) != "content" {
			t.Errorf("opened %x: %q", b, got)
		}
	})
}

func TestKeyIsNotPrinted(t *testing.T) {
	for _, s := range []string{fmt.Sprintf("%v", testKey), fmt.Sprintf("%x", testKey), fmt.Sprintf("%+v", Taken{Key: testKey}), fmt.Sprintf("%#v", testKey)} {
		if bytes.Contains([]byte(s), []byte("1 2 3")) || bytes.Contains([]byte(s), []byte("010203")) || bytes.Contains([]byte(s), []byte("0x1, 0x2")) {
			t.Errorf("a key is printed: %s", s)
		}
	}
}
