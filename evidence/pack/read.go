package pack

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// A member is one file of a bag that is being checked.
type member struct {
	path string // below the folder of the bag
	size int64
	crc  uint32 // of the zip
	open func() (io.ReadCloser, error)
}

// readZip lists the files of a zip and reports whether all of it could be read. It
// accepts what [Write] writes and nothing else: every header is compared with the one
// that its own fields give.
func (c *checker) readZip(ctx context.Context, r io.ReaderAt, size int64) (bool, error) {
	c.zipped = true
	entries, start, ok, err := c.directory(r, size)
	if err != nil || !ok {
		return false, err
	}
	var at dosTime
	next, last := int64(0), ""
	for i, e := range entries {
		if i%1000 == 0 && ctx.Err() != nil {
			return false, ctx.Err()
		}
		h := e.header
		if e.compressed {
			c.add("zip-damaged", "zip-compressed", c.inBag(h.name))
			return false, nil
		}
		if i == 0 {
			at = e.at
			c.at = at
			c.name, _, _ = strings.Cut(h.name, "/")
		}
		want := h.local(at)
		if h.offset != next || h.size > start-next-int64(len(want)) {
			c.add("zip-damaged", "zip-layout", c.inBag(h.name))
			return false, nil
		}
		got := make([]byte, len(want))
		if err := readAt(r, got, h.offset); err != nil {
			return false, err
		}
		if !bytes.Equal(got, want) || !bytes.Equal(e.raw, h.central(at)) {
			c.add("zip-damaged", "zip-header", c.inBag(h.name))
		}
		data := h.offset + int64(len(want))
		next = data + h.size
		if i > 0 && h.name <= last {
			c.add("zip-damaged", "zip-order", c.inBag(h.name))
			continue
		}
		last = h.name
		name, ok := strings.CutPrefix(h.name, c.name+"/")
		if !ok || !safePath(h.name) {
			c.add("path-unsafe", "path-unsafe", c.inBag(h.name))
			continue
		}
		c.take(member{path: name, size: h.size, crc: h.crc, open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.NewSectionReader(r, data, h.size)), nil
		}})
	}
	if next != start {
		c.add("zip-damaged", "zip-layout", "zip")
		return false, nil
	}
	return true, nil
}

// inBag returns the path below the folder of the bag, to be shown.
func (c *checker) inBag(name string) string {
	return show(strings.TrimPrefix(name, c.name+"/"))
}

func (c *checker) take(m member) { c.members[m.path] = m }

// An entry is a header of the central directory as it was read.
type entry struct {
	header
	at         dosTime
	compressed bool
	raw        []byte
}

// directory reads the central directory and where it starts.
func (c *checker) directory(r io.ReaderAt, size int64) (entries []entry, start int64, ok bool, err error) {
	le := binary.LittleEndian
	bad := func(key string) ([]entry, int64, bool, error) {
		c.add("zip-damaged", key, "zip")
		return nil, 0, false, nil
	}
	if size < endLen {
		return bad("zip-not")
	}
	end := make([]byte, endLen)
	if err := readAt(r, end, size-endLen); err != nil {
		return nil, 0, false, err
	}
	if le.Uint32(end) != 0x06054b50 {
		return bad("zip-not")
	}
	count, length, start := int64(le.Uint16(end[10:])), int64(le.Uint32(end[12:])), int64(le.Uint32(end[16:]))
	if count == big16 || length == big32 || start == big32 {
		if size < endLen+end64Len+locatorLen {
			return bad("zip-not")
		}
		end = make([]byte, end64Len+locatorLen+endLen)
		if err := readAt(r, end, size-int64(len(end))); err != nil {
			return nil, 0, false, err
		}
		a, b, d := le.Uint64(end[32:]), le.Uint64(end[40:]), le.Uint64(end[48:])
		if a > maxInt || b > maxInt || d > maxInt {
			return bad("zip-directory")
		}
		count, length, start = int64(a), int64(b), int64(d)
	}
	switch {
	case count > maxFiles:
		c.add("limit", "too-many", "zip", maxFiles)
		return nil, 0, false, nil
	case count < 1 || length > maxDir || start+length != size-int64(len(end)):
		return bad("zip-directory")
	case !bytes.Equal(end, ending(count, length, start)):
		return bad("zip-directory")
	}
	dir := make([]byte, length)
	if err := readAt(r, dir, start); err != nil {
		return nil, 0, false, err
	}
	for range count {
		e, n := parseCentral(dir)
		if n == 0 {
			return bad("zip-directory")
		}
		entries, dir = append(entries, e), dir[n:]
	}
	if len(dir) > 0 {
		return bad("zip-directory")
	}
	return entries, start, true, nil
}

// parseCentral reads a central header and returns its length, 0 where it is none.
func parseCentral(b []byte) (entry, int) {
	le := binary.LittleEndian
	if len(b) < centralLen || le.Uint32(b) != 0x02014b50 {
		return entry{}, 0
	}
	name, extra, comment := int(le.Uint16(b[28:])), int(le.Uint16(b[30:])), int(le.Uint16(b[32:]))
	n := centralLen + name + extra + comment
	if len(b) < n {
		return entry{}, 0
	}
	flags, method := le.Uint16(b[8:]), le.Uint16(b[10:])
	packed := int64(le.Uint32(b[20:]))
	e := entry{
		header: header{name: string(b[centralLen : centralLen+name]), size: int64(le.Uint32(b[24:])), crc: le.Uint32(b[16:]), offset: int64(le.Uint32(b[42:]))},
		at:     dosTime{le.Uint16(b[12:]), le.Uint16(b[14:])},
		raw:    b[:n],
	}
	e.compressed = method != 0 || flags&1 != 0 || packed != e.size || le.Uint16(b[34:]) != 0
	x := b[centralLen+name : centralLen+name+extra]
	if len(x) >= 4 && le.Uint16(x) == 1 {
		x = x[4:]
		if e.size == big32 && len(x) >= 16 {
			size := le.Uint64(x)
			if size > maxInt {
				return entry{}, 0
			}
			e.size, x = int64(size), x[16:]
		}
		if e.offset == big32 && len(x) >= 8 {
			offset := le.Uint64(x)
			if offset > maxInt {
				return entry{}, 0
			}
			e.offset = int64(offset)
		}
	}
	return e, n
}

// readAt fills b; a file that ends early is an error of reading.
func readAt(r io.ReaderAt, b []byte, off int64) error {
	if n, err := r.ReadAt(b, off); n < len(b) {
		return fmt.Errorf("read the pack at byte %d: %w", off, err)
	}
	return nil
}

// readDir lists the files of an unpacked bag.
func (c *checker) readDir(ctx context.Context, dir fs.FS) error {
	root := "."
	if _, err := fs.Stat(dir, "bagit.txt"); err != nil {
		// The folder that holds the bag was named instead of the bag.
		list, err := fs.ReadDir(dir, ".")
		if err != nil {
			return fmt.Errorf("read the pack: %w", err)
		}
		if len(list) == 1 && list[0].IsDir() {
			root, c.name = list[0].Name(), list[0].Name()
		}
	}
	n := 0
	var paths []member
	err := fs.WalkDir(dir, root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case d.IsDir():
			return nil
		}
		if n++; n > maxFiles {
			c.add("limit", "too-many", "zip", maxFiles)
			return fs.SkipAll
		}
		name := p
		if root != "." {
			name = strings.TrimPrefix(p, root+"/")
		}
		if !d.Type().IsRegular() || !safePath(name) {
			c.add("path-unsafe", "path-unsafe", show(name))
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		paths = append(paths, member{path: name, size: info.Size(), open: func() (io.ReadCloser, error) { return dir.Open(p) }})
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the pack: %w", err)
	}
	slices.SortFunc(paths, func(a, b member) int { return strings.Compare(a.path, b.path) })
	for _, m := range paths {
		c.take(m)
	}
	return nil
}
