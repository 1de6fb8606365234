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
}

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

// A directory keeps the object aabb… as the file aa/aabb….
type directory struct{ path string }

func (d directory) file(address string) string { return filepath.Join(d.path, address[:2], address) }

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
	switch err := os.Mkdir(folder, 0o700); {
	case err == nil:
	case errors.Is(err, fs.ErrExist):
	default:
		return fmt.Errorf("put object: %w", err)
	}
	// Also where the folder was there: whoever made it may not have come this far.
	if err := persist(d.path); err != nil {
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
