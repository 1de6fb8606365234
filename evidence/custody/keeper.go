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
	"sync"
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

	mu    sync.Mutex // guards id and guest
	id    string     // whose keeper it is; "" before Own
	guest bool       // the place is another's
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
	if err := k.announce(ctx); err != nil {
		return Taken{}, err
	}
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

// Own says for whom it keeps: id is the identity of a database, which its backups share
// and no other database has. At its first use the place becomes id's. Where it is another
// database's already it returns false: content is taken in and given out, and nothing is
// swept. Once anything was taken in so, its owner sweeps nothing there either: it does not
// know what is the other's.
func (k *Keeper) Own(ctx context.Context, id string) (mine bool, err error) {
	if id == "" {
		return false, &bonafide.Error{Kind: bonafide.Invalid, Msg: "no identity is named to own the originals"}
	}
	owner, err := k.objects.Mark(ctx, markOwner, id)
	if err != nil && !errors.Is(err, bonafide.Conflict) { // a conflict: whose it is cannot be told, so not ours
		return false, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.id, k.guest = id, owner != id
	return owner == id, nil
}

// announce leaves a mark where originals are taken in at another's place.
func (k *Keeper) announce(ctx context.Context) error {
	k.mu.Lock()
	id, guest := k.id, k.guest
	k.mu.Unlock()
	if !guest {
		return nil
	}
	_, err := k.objects.Mark(ctx, markGuest, id)
	return err
}

// mine returns why this keeper may not sweep, nil where it may. The mark is read each time:
// it may have been removed or another database's come there since.
func (k *Keeper) mine(ctx context.Context) error {
	k.mu.Lock()
	id := k.id
	k.mu.Unlock()
	owner, err := k.objects.Mark(ctx, markOwner, "")
	if err != nil {
		return err
	}
	if owner == id {
		guest, err := k.objects.Mark(ctx, markGuest, "")
		if err != nil || guest == "" {
			return err
		}
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: "nothing is removed from the place for originals: another database has taken originals in here. Give that one a place of its own (evidence), copy its originals there, and remove the mark here (GUEST in a directory, guest in a bucket)"}
	}
	if owner == "" {
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: "nothing is removed from the place for originals: the mark that says whose it is was taken away. Check that it is the right place, and start the program again"}
	}
	return &bonafide.Error{Kind: bonafide.Conflict, Msg: "nothing is removed from the place for originals: it belongs to another database. Give this database a place of its own (evidence), or, if the originals are to be this one's, remove the mark there (OWNER in a directory, owner in a bucket) and start the program again"}
}

// Open gives out the content under address, also where it lies in the trash, from which it
// is restored. What was altered is an error here or where it is read, bonafide.Conflict.
// The context holds for reading too.
func (k *Keeper) Open(ctx context.Context, address string, key Key) (*Clear, error) {
	o, err := k.objects.Open(ctx, address)
	if errors.Is(err, bonafide.NotFound) {
		// Where the trash does not hold it either, somebody may just have restored it.
		if err := k.objects.Restore(ctx, address); err != nil && !errors.Is(err, bonafide.NotFound) {
			return nil, err
		}
		o, err = k.objects.Open(ctx, address)
	}
	if err != nil {
		return nil, err
	}
	c, err := NewClear(o, key)
	if err != nil {
		return nil, errors.Join(err, o.Close())
	}
	return c, nil
}

// Remove removes the object under address, from the trash too; removing what is not there
// is no error.
func (k *Keeper) Remove(ctx context.Context, address string) error {
	if err := k.objects.Delete(ctx, address); err != nil {
		return err
	}
	return k.objects.Purge(ctx, address)
}

// trashFor is how long an object lies in the trash before it is removed for good.
const trashFor = 30 * 24 * time.Hour

// A sweep that would take more than sweepMost objects and more than one in sweepShare of
// all is refused: nobody leaves that many behind.
const (
	sweepMost  = 20
	sweepShare = 10
)

// Sweep removes spool files older than age, and moves objects older than age that known
// does not know into the trash; it returns how many. What has lain in the trash for 30
// days it removes for good, and what known knows it brings back from there. An object
// counts as old from when it was written, so age MUST be longer than it takes to take in
// the largest and to register it: a day is sensible.
//
// Where the place is another database's (see [Keeper.Own]), and where it would take so
// much that this can hardly be the database of these originals, it takes no object and
// returns bonafide.Conflict.
func (k *Keeper) Sweep(ctx context.Context, age time.Duration, known func(address string) (bool, error)) (int, error) {
	if err := k.mine(ctx); err != nil {
		return 0, err
	}
	before := k.now().Add(-age)
	n, err := k.sweepSpool(before)
	if err != nil {
		return n, err
	}
	all, left := 0, []string(nil)
	if err := k.objects.Each(ctx, func(address string, stored time.Time, _ int64) error {
		all++
		if stored.After(before) {
			return nil
		}
		is, err := known(address)
		if err == nil && !is {
			left = append(left, address)
		}
		return err
	}); err != nil {
		return n, err
	}
	if len(left) > sweepMost && len(left)*sweepShare > all {
		return n, &bonafide.Error{Kind: bonafide.Conflict, Msg: fmt.Sprintf("%d of %d originals are not known to this database: none was removed. Is this the right database? If it is, move away what does not belong to it, or restore the database that knows them", len(left), all)}
	}
	if err := k.sweepTrash(ctx, known); err != nil {
		return n, err
	}
	for _, address := range left {
		if err := k.objects.Trash(ctx, address); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// sweepTrash removes for good what has lain in the trash long enough. What is known after
// all was thrown away by an older state of the database, and goes back to its place.
func (k *Keeper) sweepTrash(ctx context.Context, known func(address string) (bool, error)) error {
	before := k.now().Add(-trashFor)
	var purge, restore []string
	if err := k.objects.EachTrashed(ctx, func(address string, trashed time.Time) error {
		switch is, err := known(address); {
		case err != nil:
			return err
		case is:
			restore = append(restore, address)
		case !trashed.After(before):
			purge = append(purge, address)
		}
		return nil
	}); err != nil {
		return err
	}
	for _, address := range restore {
		if err := k.objects.Restore(ctx, address); err != nil && !errors.Is(err, bonafide.NotFound) {
			return err
		}
	}
	for _, address := range purge {
		if err := k.objects.Purge(ctx, address); err != nil {
			return err
		}
	}
	return nil
}

// sweepSpool removes spool files from before a moment.
func (k *Keeper) sweepSpool(before time.Time) (n int, err error) {
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
	return n, nil
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
