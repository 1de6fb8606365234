package custody

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bonafide"
)

// An Objects keeps sealed objects under their address, the SHA-256 in lower-case
// hexadecimal of the sealed bytes.
type Objects interface {
	// Put moves or uploads spool, the path of a complete file. When it returns the
	// object is durable and spool is gone. Putting what is there already is no error.
	Put(ctx context.Context, address, spool string) error
	// Open returns bonafide.NotFound where there is no such object. The context
	// holds for reading too.
	Open(ctx context.Context, address string) (Object, error)
	// Delete removes an object; deleting what is not there is no error.
	Delete(ctx context.Context, address string) error
	// Each calls fn for every object until it returns an error. What is put or
	// deleted meanwhile may be seen or not.
	Each(ctx context.Context, fn func(address string, stored time.Time, size int64) error) error
	// Mark returns what a mark of the place says, "" where it is not there. Where it is not
	// there and claim is not empty it says claim from then on: of two that claim at once
	// one wins. A mark that cannot be read is bonafide.Conflict.
	Mark(ctx context.Context, name, claim string) (string, error)
	// Trash moves an object into the trash, where neither Open nor Each finds it;
	// moving what is not there is no error. Whenever it is interrupted the object lies
	// in its place, in the trash, or in both.
	Trash(ctx context.Context, address string) error
	// Restore moves an object back out of the trash. It returns bonafide.NotFound where
	// the trash does not hold it.
	Restore(ctx context.Context, address string) error
	// Purge removes an object from the trash for good; purging what is not there is no
	// error.
	Purge(ctx context.Context, address string) error
	// EachTrashed calls fn for every object in the trash, with when it came there, until
	// it returns an error.
	EachTrashed(ctx context.Context, fn func(address string, trashed time.Time) error) error
}

// Marks of a place: files in capitals in a directory, objects below the prefix in a bucket.
const (
	markOwner = "owner" // whose the place is
	markGuest = "guest" // that another database took originals in there
)

// An Object is open for reading; it may be read by several goroutines at once.
type Object interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// Credentials open an S3 store. They never stand in its address.
type Credentials struct {
	Key, Secret, Region string
	Plain               bool // allows http to hosts that are not this machine
}

// OpenObjects opens the objects at url: a directory, which is made where there is
// none, or an S3 bucket as "s3+https://host[:port]/bucket[/prefix]". "s3+http://" is
// for this machine alone unless c.Plain is set.
func OpenObjects(ctx context.Context, url string, c Credentials) (Objects, error) {
	switch {
	case strings.HasPrefix(url, "s3+"):
		return openS3(ctx, url, c)
	case url == "":
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: "no place for originals is named: give a directory or s3+https://host/bucket"}
	case strings.Contains(url, "://"):
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: "the place for originals is neither a directory nor s3+https://host/bucket"}
	}
	if err := os.MkdirAll(url, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of objects: %w", err)
	}
	return directory{url}, nil
}

// checkAddress keeps anything but an address from becoming a path.
func checkAddress(address string) error {
	if b, err := hex.DecodeString(address); err != nil || len(b) != 32 || address != strings.ToLower(address) {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "not the address of an original: 64 hexadecimal digits in lower case"}
	}
	return nil
}

func missing(address string, cause error) error {
	return &bonafide.Error{Kind: bonafide.NotFound, Msg: fmt.Sprintf("there is no original under %s", address), Err: cause}
}

// readMark reads a mark: one line.
func readMark(name string, b []byte) (string, error) {
	says, ended := strings.CutSuffix(string(b), "\n")
	if !ended || !markable(says) {
		return "", &bonafide.Error{Kind: bonafide.Conflict, Msg: fmt.Sprintf("the place for originals does not say whose it is: its mark (%s in a directory, %s in a bucket) is damaged. Remove it and start the program on the database that the originals belong to", strings.ToUpper(name), name)}
	}
	return says, nil
}

// maxMark is the most bytes that a mark says.
const maxMark = 200

func markable(s string) bool {
	return s != "" && len(s) <= maxMark && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func unmarkable() error {
	return &bonafide.Error{Kind: bonafide.Invalid, Msg: "not an identity that a place for originals can be marked with"}
}

// A directory keeps the object aabb… as the file aa/aabb…, one in the trash as
// trash/aabb…, and a mark as the file OWNER.
type directory struct{ path string }

func (d directory) file(address string) string { return filepath.Join(d.path, address[:2], address) }

func (d directory) trash() string { return filepath.Join(d.path, "trash") }

// Put renames spool, which has to stand on the same file system.
func (d directory) Put(ctx context.Context, address, spool string) error {
	if err := checkAddress(address); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := os.Chmod(spool, 0o400); err != nil {
		return fmt.Errorf("put object: %w", err)
	}
	if err := persist(spool); err != nil {
		return fmt.Errorf("put object: %w", err)
	}
	name := d.file(address)
	folder := filepath.Dir(name)
	if err := d.folder(folder); err != nil {
		return fmt.Errorf("put object: %w", err)
	}
	// An object that is there already has the same bytes, or is damaged.
	if err := os.Rename(spool, name); err != nil {
		return fmt.Errorf("put object: the spool has to be on the file system of the objects: %w", err)
	}
	if err := persist(folder); err != nil {
		return fmt.Errorf("put object: %w", err)
	}
	return nil
}

// folder makes a folder for objects, durably.
func (d directory) folder(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	// Also where the folder was there: whoever made it may not have come this far.
	return persist(d.path)
}

// persist makes a file or the entries of a folder durable.
func persist(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

type fileObject struct {
	*os.File
	size int64
}

func (o fileObject) Size() int64 { return o.size }

func (d directory) Open(_ context.Context, address string) (Object, error) {
	if err := checkAddress(address); err != nil {
		return nil, err
	}
	f, err := os.Open(d.file(address))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing(address, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open object: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open object: %w", err), f.Close())
	}
	return fileObject{f, info.Size()}, nil
}

func (d directory) Delete(_ context.Context, address string) error {
	if err := checkAddress(address); err != nil {
		return err
	}
	name := d.file(address)
	err := os.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = persist(filepath.Dir(name))
	}
	if err != nil {
		return fmt.Errorf("delete object: %w", err)
	}
	return nil
}

func (d directory) Each(ctx context.Context, fn func(address string, stored time.Time, size int64) error) error {
	folders, err := os.ReadDir(d.path)
	if err != nil {
		return fmt.Errorf("list objects: %w", err)
	}
	for _, folder := range folders {
		if !folder.IsDir() || len(folder.Name()) != 2 {
			continue
		}
		files, err := os.ReadDir(filepath.Join(d.path, folder.Name()))
		if err != nil {
			return fmt.Errorf("list objects: %w", err)
		}
		for _, f := range files {
			if checkAddress(f.Name()) != nil || f.Name()[:2] != folder.Name() {
				continue
			}
			info, err := f.Info()
			if errors.Is(err, fs.ErrNotExist) { // deleted meanwhile
				continue
			}
			if err != nil {
				return fmt.Errorf("list objects: %w", err)
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := fn(f.Name(), info.ModTime(), info.Size()); err != nil {
				return err
			}
		}
	}
	return nil
}

// Mark never writes over a file.
func (d directory) Mark(_ context.Context, name, claim string) (string, error) {
	path := filepath.Join(d.path, strings.ToUpper(name))
	if claim != "" {
		if !markable(claim) {
			return "", unmarkable()
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			_, err = f.WriteString(claim + "\n")
			if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
				err = persist(d.path)
			}
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return "", fmt.Errorf("mark the place for originals: %w", err)
		}
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read whose the originals are: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxMark+2))
	if err != nil {
		return "", fmt.Errorf("read whose the originals are: %w", err)
	}
	return readMark(name, b)
}

func (d directory) Trash(_ context.Context, address string) error {
	if err := checkAddress(address); err != nil {
		return err
	}
	name := d.file(address)
	// First the time, from which it is kept: an interruption must not make it look old.
	err := d.folder(d.trash())
	var now time.Time
	if err == nil {
		now, err = clockOf(d.trash())
	}
	if err == nil {
		err = os.Chtimes(name, now, now)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = os.Rename(name, filepath.Join(d.trash(), address))
	}
	if err == nil {
		err = errors.Join(persist(d.trash()), persist(filepath.Dir(name)))
	}
	if err != nil {
		return fmt.Errorf("move object into the trash: %w", err)
	}
	return nil
}

// clockOf is the time by the clock of a folder, which is the one that files have their times
// of.
func clockOf(folder string) (time.Time, error) {
	f, err := os.CreateTemp(folder, "clock-")
	if err != nil {
		return time.Time{}, err
	}
	st, err := f.Stat()
	if err = errors.Join(err, f.Close(), os.Remove(f.Name())); err != nil {
		return time.Time{}, err
	}
	return st.ModTime(), nil
}

func (d directory) Restore(_ context.Context, address string) error {
	if err := checkAddress(address); err != nil {
		return err
	}
	name := d.file(address)
	if err := d.folder(filepath.Dir(name)); err != nil {
		return fmt.Errorf("restore object: %w", err)
	}
	err := os.Rename(filepath.Join(d.trash(), address), name)
	if errors.Is(err, fs.ErrNotExist) {
		return missing(address, err)
	}
	if err == nil {
		err = errors.Join(persist(filepath.Dir(name)), persist(d.trash()))
	}
	if err != nil {
		return fmt.Errorf("restore object: %w", err)
	}
	return nil
}

func (d directory) Purge(_ context.Context, address string) error {
	if err := checkAddress(address); err != nil {
		return err
	}
	err := os.Remove(filepath.Join(d.trash(), address))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = persist(d.trash())
	}
	if err != nil {
		return fmt.Errorf("purge object: %w", err)
	}
	return nil
}

func (d directory) EachTrashed(ctx context.Context, fn func(address string, trashed time.Time) error) error {
	files, err := os.ReadDir(d.trash())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("list the trash: %w", err)
	}
	for _, f := range files {
		if checkAddress(f.Name()) != nil {
			continue
		}
		info, err := f.Info()
		if errors.Is(err, fs.ErrNotExist) { // restored meanwhile
			continue
		}
		if err != nil {
			return fmt.Errorf("list the trash: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := fn(f.Name(), info.ModTime()); err != nil {
			return err
		}
	}
	return nil
}
