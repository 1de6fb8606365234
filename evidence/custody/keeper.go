package custody

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"bonafide"
)

// A Keeper takes content in and gives it out. It may be used by several goroutines
// at once.
type Keeper struct {
	objects Objects
	spool   string
	random  io.Reader
	now     func() time.Time
}

// NewKeeper returns a keeper of objects. The directory spool is made where there is
// none; for objects in a directory it has to be on the same file system. The random
// source makes keys: it MUST be a cryptographic one, and safe for use by several
// goroutines.
func NewKeeper(objects Objects, spool string, random io.Reader, now func() time.Time) (*Keeper, error) {
	if err := os.MkdirAll(spool, 0o700); err != nil {
		return nil, fmt.Errorf("make the spool: %w", err)
	}
	return &Keeper{objects: objects, spool: spool, random: random, now: now}, nil
}

// part is how the name of a spool file ends.
const part = ".part"

// TakeIn reads r to its end, seals it under a key of its own as it is read, looks at
// it, and puts it. More than limit bytes are bonafide.Invalid. Where it returns an
// error nothing is left behind. When it returns without one the object is durable
// and may be registered; name is looked at to tell whether it fits the content, and
// not kept.
func (k *Keeper) TakeIn(ctx context.Context, r io.Reader, name string, limit int64) (taken Taken, err error) {
	if _, err := io.ReadFull(k.random, taken.Key[:]); err != nil {
		return Taken{}, fmt.Errorf("draw a key: %w", err)
	}
	var id [16]byte
	if _, err := io.ReadFull(k.random, id[:]); err != nil {
		return Taken{}, fmt.Errorf("draw a name: %w", err)
	}
	spool := filepath.Join(k.spool, hex.EncodeToString(id[:])+part)
	f, err := os.OpenFile(spool, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Taken{}, fmt.Errorf("make a spool file: %w", err)
	}
	defer func() {
		f.Close()
		if err != nil {
			taken = Taken{}
			if e := os.Remove(spool); e != nil && !errors.Is(e, fs.ErrNotExist) {
				err = errors.Join(err, fmt.Errorf("remove the spool file: %w", e))
			}
		}
	}()
	size, err := k.seal(ctx, f, r, limit, &taken)
	if err != nil {
		return Taken{}, err
	}
	content, err := NewClear(fileObject{f, size}, taken.Key)
	if err != nil {
		return Taken{}, fmt.Errorf("read back what was sealed: %w", err)
	}
	taken.Format = Inspect(content, content.Size(), name)
	if err := k.objects.Put(ctx, taken.Address, spool); err != nil {
		return Taken{}, err
	}
	return taken, nil
}

// seal writes r to f, and returns how many sealed bytes it wrote.
func (k *Keeper) seal(ctx context.Context, f *os.File, r io.Reader, limit int64, taken *Taken) (int64, error) {
	address := sha256.New()
	out := &counter{w: io.MultiWriter(f, address)}
	s, err := Seal(k.random, taken.Key, out)
	if err != nil {
		return 0, err
	}
	sha, sm := sha256.New(), sm3.New()
	buf := make([]byte, chunkSize)
	for {
		if err := ctx.Err(); err != nil {
			return 0, fmt.Errorf("take in: %w", err)
		}
		n, err := r.Read(buf)
		taken.Size += int64(n)
		if taken.Size > limit {
			return 0, &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("the file is larger than %d bytes, which is the most that is taken in", limit)}
		}
		sha.Write(buf[:n])
		sm.Write(buf[:n])
		if _, err := s.Write(buf[:n]); err != nil {
			return 0, err
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, fmt.Errorf("read what is to be taken in: %w", err)
		}
	}
	if err := s.Close(); err != nil {
		return 0, err
	}
	clear(buf)
	sha.Sum(taken.SHA256[:0])
	sm.Sum(taken.SM3[:0])
	taken.Address = hex.EncodeToString(address.Sum(nil))
	return out.n, nil
}

// A counter counts what is written through it.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// Open gives out the content under address. What was altered is an error here or
// where it is read, bonafide.Conflict. The context holds for reading too.
func (k *Keeper) Open(ctx context.Context, address string, key Key) (*Clear, error) {
	o, err := k.objects.Open(ctx, address)
	if err != nil {
		return nil, err
	}
	c, err := NewClear(o, key)
	if err != nil {
		return nil, errors.Join(err, o.Close())
	}
	return c, nil
}

// Remove removes the object under address; removing what is not there is no error.
func (k *Keeper) Remove(ctx context.Context, address string) error {
	return k.objects.Delete(ctx, address)
}

// Sweep removes spool files older than age, and objects older than age that known
// does not know, and returns how many. An object counts as old from when it was
// written, so age MUST be longer than it takes to take in the largest and to
// register it: a day is sensible.
func (k *Keeper) Sweep(ctx context.Context, age time.Duration, known func(address string) (bool, error)) (int, error) {
	n := 0
	before := k.now().Add(-age)
	files, err := os.ReadDir(k.spool)
	if err != nil {
		return n, fmt.Errorf("sweep the spool: %w", err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), part) {
			continue
		}
		info, err := f.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.ModTime().After(before) {
			continue
		}
		if err == nil {
			err = os.Remove(filepath.Join(k.spool, f.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return n, fmt.Errorf("sweep the spool: %w", err)
		}
		n++
	}
	err = k.objects.Each(ctx, func(address string, stored time.Time, _ int64) error {
		if stored.After(before) {
			return nil
		}
		is, err := known(address)
		if err != nil || is {
			return err
		}
		if err := k.objects.Delete(ctx, address); err != nil {
			return err
		}
		n++
		return nil
	})
	return n, err
}

// Check reads every object, calls fn for those whose sealed bytes are not what their
// address says or cannot be read, and returns how many objects it read.
func (k *Keeper) Check(ctx context.Context, fn func(address string, err error)) (n int, err error) {
	buf := make([]byte, block)
	err = k.objects.Each(ctx, func(address string, _ time.Time, _ int64) error {
		err := k.check(ctx, address, buf)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, bonafide.NotFound): // deleted meanwhile
			return nil
		case err != nil:
			fn(address, err)
		}
		n++
		return nil
	})
	return n, err
}

func (k *Keeper) check(ctx context.Context, address string, buf []byte) error {
	o, err := k.objects.Open(ctx, address)
	if err != nil {
		return err
	}
	defer o.Close()
	h := sha256.New()
	for at := int64(0); at < o.Size(); {
		b := buf[:min(int64(len(buf)), o.Size()-at)]
		n, err := readFull(o, b, at)
		if err != nil {
			return fmt.Errorf("read object: %w", err)
		}
		h.Write(b)
		at += int64(n)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if hex.EncodeToString(h.Sum(nil)) != address {
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: fmt.Sprintf("the original under %s was altered or is damaged: restore it from a backup", address)}
	}
	return nil
}
