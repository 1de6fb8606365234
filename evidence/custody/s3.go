package custody

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"bonafide"
)

// singlePut is the size in bytes up to which S3 takes an object in one request,
// which is all or nothing and confirmed by its MD5.
const singlePut = 5 << 30

// singleCopy is the size in bytes up to which S3 copies an object at once; a larger one it
// copies in parts.
const singleCopy = 5 << 30

// block is how much is fetched at once, so that reading on does not cost a request
// for each chunk.
const block = 1 << 20

// A bucket keeps objects in S3, below a prefix, path-style.
type bucket struct {
	client *minio.Client
	name   string
	prefix string // "" or ends in a slash
}

func openS3(ctx context.Context, address string, c Credentials) (Objects, error) {
	bad := func(msg string) error { return &bonafide.Error{Kind: bonafide.Invalid, Msg: msg} }
	u, err := url.Parse(strings.TrimPrefix(address, "s3+"))
	if err != nil { // its text may hold a password
		return nil, bad("the address of the S3 store cannot be read: it has to be s3+https://host/bucket")
	}
	name, prefix, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	switch {
	case u.User != nil:
		return nil, bad("the address of the S3 store holds a user or a password: give them apart from it")
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "", name == "", u.RawQuery != "", u.Fragment != "":
		return nil, bad("the address of the S3 store has to be s3+https://host[:port]/bucket[/prefix]")
	case u.Scheme == "http" && !c.Plain && !loopback(u.Hostname()):
		return nil, bad("s3+http:// is for this machine alone: use s3+https://, or allow plain connections")
	}
	client, err := minio.New(u.Host, &minio.Options{
		Creds:        credentials.NewStaticV4(c.Key, c.Secret, ""),
		Secure:       u.Scheme == "https",
		Region:       c.Region,
		BucketLookup: minio.BucketLookupPath,
	})
	if err != nil {
		return nil, fmt.Errorf("open S3 store: %w", err)
	}
	ok, err := client.BucketExists(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("open S3 store: %w", err)
	}
	if !ok {
		return nil, &bonafide.Error{Kind: bonafide.NotFound, Msg: fmt.Sprintf("the S3 store has no bucket %q: make it first", name)}
	}
	b := &bucket{client: client, name: name, prefix: prefix}
	if b.prefix != "" {
		b.prefix += "/"
	}
	return b, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (b *bucket) key(address string) string { return b.prefix + address[:2] + "/" + address }

func (b *bucket) trashKey(address string) string { return b.prefix + "trash/" + address }

// absent reports whether an answer says that there is no such object.
func absent(err error) bool {
	code := minio.ToErrorResponse(err).Code
	return code == minio.NoSuchKey || code == "NotFound"
}

// Put uploads spool and removes it once the store has confirmed what it holds.
func (b *bucket) Put(ctx context.Context, address, spool string) error {
	if err := checkAddress(address); err != nil {
		return err
	}
	f, err := os.Open(spool)
	if err != nil {
		return fmt.Errorf("put object: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("put object: %w", err)
	}
	o := minio.PutObjectOptions{ContentType: "application/octet-stream", PartSize: 64 << 20}
	if info.Size() <= singlePut {
		o.DisableMultipart, o.SendContentMd5 = true, true // the store refuses what does not fit the MD5
	}
	if _, err := b.client.PutObject(ctx, b.name, b.key(address), f, info.Size(), o); err != nil {
		return fmt.Errorf("put object: %w", err)
	}
	got, err := b.client.StatObject(ctx, b.name, b.key(address), minio.StatObjectOptions{})
	if err != nil {
		return fmt.Errorf("confirm object: %w", err)
	}
	if got.Size != info.Size() {
		return fmt.Errorf("confirm object: the store holds %d bytes instead of %d", got.Size, info.Size())
	}
	if err := os.Remove(spool); err != nil {
		return fmt.Errorf("put object: %w", err)
	}
	return nil
}

func (b *bucket) Open(ctx context.Context, address string) (Object, error) {
	if err := checkAddress(address); err != nil {
		return nil, err
	}
	info, err := b.client.StatObject(ctx, b.name, b.key(address), minio.StatObjectOptions{})
	if err != nil {
		if absent(err) {
			return nil, missing(address, err)
		}
		return nil, fmt.Errorf("open object: %w", err)
	}
	o, err := b.client.GetObject(ctx, b.name, b.key(address), minio.GetObjectOptions{})
	if err != nil {
		return nil, fmt.Errorf("open object: %w", err)
	}
	return &s3Object{object: o, size: info.Size, at: -1}, nil
}

func (b *bucket) Delete(ctx context.Context, address string) error {
	if err := checkAddress(address); err != nil {
		return err
	}
	if err := b.client.RemoveObject(ctx, b.name, b.key(address), minio.RemoveObjectOptions{}); err != nil {
		return fmt.Errorf("delete object: %w", err)
	}
	return nil
}

func (b *bucket) Each(ctx context.Context, fn func(address string, stored time.Time, size int64) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for o := range b.client.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix, Recursive: true}) {
		if o.Err != nil {
			return fmt.Errorf("list objects: %w", o.Err)
		}
		address := path.Base(o.Key)
		if checkAddress(address) != nil || o.Key != b.key(address) {
			continue
		}
		if err := fn(address, o.LastModified, o.Size); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Mark keeps a mark as an object below the prefix. Where the store knows no condition on
// writing, of two that claim at once the later one wins.
func (b *bucket) Mark(ctx context.Context, name, claim string) (string, error) {
	if claim != "" && !markable(claim) {
		return "", unmarkable()
	}
	says, err := b.mark(ctx, name)
	if err != nil || says != "" || claim == "" {
		return says, err
	}
	text := claim + "\n"
	put := func(o minio.PutObjectOptions) error {
		o.ContentType, o.DisableMultipart = "text/plain", true
		_, err := b.client.PutObject(ctx, b.name, b.prefix+name, strings.NewReader(text), int64(len(text)), o)
		return err
	}
	var once minio.PutObjectOptions
	once.SetMatchETagExcept("*")
	err = put(once)
	switch status := minio.ToErrorResponse(err).StatusCode; {
	case err == nil || status == 412 || status == 409: // it is there already, or just being written
	case status == 501 || status == 400: // the store knows no such condition
		if err := put(minio.PutObjectOptions{}); err != nil {
			return "", fmt.Errorf("mark the place for originals: %w", err)
		}
	default:
		return "", fmt.Errorf("mark the place for originals: %w", err)
	}
	return b.mark(ctx, name)
}

// mark is "" where it is not there.
func (b *bucket) mark(ctx context.Context, name string) (string, error) {
	o, err := b.client.GetObject(ctx, b.name, b.prefix+name, minio.GetObjectOptions{})
	if err != nil {
		return "", fmt.Errorf("read whose the originals are: %w", err)
	}
	defer o.Close()
	text, err := io.ReadAll(io.LimitReader(o, maxMark+2))
	if err != nil {
		if absent(err) {
			return "", nil
		}
		return "", fmt.Errorf("read whose the originals are: %w", err)
	}
	return readMark(name, text)
}

func (b *bucket) Trash(ctx context.Context, address string) error {
	if err := checkAddress(address); err != nil {
		return err
	}
	if err := b.move(ctx, b.key(address), b.trashKey(address)); err != nil && !absent(err) {
		return fmt.Errorf("move object into the trash: %w", err)
	}
	return nil
}

func (b *bucket) Restore(ctx context.Context, address string) error {
	if err := checkAddress(address); err != nil {
		return err
	}
	if err := b.move(ctx, b.trashKey(address), b.key(address)); err != nil {
		if absent(err) {
			return missing(address, err)
		}
		return fmt.Errorf("restore object: %w", err)
	}
	return nil
}

// move copies within the store, and removes what was copied once the store has confirmed
// the copy.
func (b *bucket) move(ctx context.Context, from, to string) error {
	was, err := b.client.StatObject(ctx, b.name, from, minio.StatObjectOptions{})
	if err != nil {
		return err
	}
	dst, src := minio.CopyDestOptions{Bucket: b.name, Object: to}, minio.CopySrcOptions{Bucket: b.name, Object: from}
	if was.Size <= singleCopy {
		_, err = b.client.CopyObject(ctx, dst, src)
	} else {
		_, err = b.client.ComposeObject(ctx, dst, src)
	}
	if err != nil {
		return err
	}
	got, err := b.client.StatObject(ctx, b.name, to, minio.StatObjectOptions{})
	if err != nil {
		return errors.New("the store does not show the copy that it made") // never "not found": from is there
	}
	if got.Size != was.Size {
		return fmt.Errorf("the copy has %d bytes instead of %d", got.Size, was.Size)
	}
	return b.client.RemoveObject(ctx, b.name, from, minio.RemoveObjectOptions{})
}

func (b *bucket) Purge(ctx context.Context, address string) error {
	if err := checkAddress(address); err != nil {
		return err
	}
	if err := b.client.RemoveObject(ctx, b.name, b.trashKey(address), minio.RemoveObjectOptions{}); err != nil {
		return fmt.Errorf("purge object: %w", err)
	}
	return nil
}

func (b *bucket) EachTrashed(ctx context.Context, fn func(address string, trashed time.Time) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for o := range b.client.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix + "trash/"}) {
		if o.Err != nil {
			return fmt.Errorf("list the trash: %w", o.Err)
		}
		address := path.Base(o.Key)
		if checkAddress(address) != nil || o.Key != b.trashKey(address) {
			continue
		}
		if err := fn(address, o.LastModified); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// An s3Object reads by ranged requests and keeps the last block.
type s3Object struct {
	object *minio.Object
	size   int64

	mu   sync.Mutex
	at   int64 // where data begins; -1 where there is none
	data []byte
}

func (o *s3Object) Size() int64  { return o.size }
func (o *s3Object) Close() error { return o.object.Close() }

func (o *s3Object) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("read object: before its beginning")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for n < len(p) {
		at := off + int64(n)
		if at >= o.size {
			return n, io.EOF
		}
		if err := o.fetch(at / block * block); err != nil {
			return n, fmt.Errorf("read object: %w", err)
		}
		n += copy(p[n:], o.data[at-o.at:])
	}
	return n, nil
}

// fetch makes the block at at the one that is kept.
func (o *s3Object) fetch(at int64) error {
	if o.at == at {
		return nil
	}
	o.at = -1
	want := min(block, o.size-at)
	if cap(o.data) < int(want) {
		o.data = make([]byte, want)
	}
	o.data = o.data[:want]
	n, err := o.object.ReadAt(o.data, at)
	if n < len(o.data) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	o.at = at
	return nil
}
