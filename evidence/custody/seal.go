package custody

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"

	"bonafide"
)

// The form of a sealed object: the STREAM construction of Hoang, Reyhanitabar,
// Rogaway and Vizár, "Online Authenticated-Encryption and its Nonce-Reuse
// Misuse-Resistance" (2015), as in Tink's AES-GCM streaming.
//
// A header, magic and a random prefix, comes first. Chunks of 64 KiB of clear
// content follow, the last of which is shorter or as long, and empty only where the
// content is. Each is sealed by AES-256-GCM with the header as associated data and
// the nonce prefix ‖ number of the chunk (4 bytes, big-endian) ‖ 1 for the last
// chunk, 0 for the others.
const (
	magic      = "bfobj1"
	prefixSize = 7
	headerSize = len(magic) + prefixSize
	chunkSize  = 64 << 10
	tagSize    = 16
	sealedSize = chunkSize + tagSize
	maxChunks  = math.MaxUint32
)

func newAEAD(key Key) (cipher.AEAD, error) {
	b, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	a, err := cipher.NewGCM(b)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return a, nil
}

// nonce writes the nonce of chunk n into dst, whose prefix is set.
func nonce(dst *[12]byte, n uint32, last bool) []byte {
	binary.BigEndian.PutUint32(dst[prefixSize:], n)
	dst[11] = 0
	if last {
		dst[11] = 1
	}
	return dst[:]
}

// A sealer seals what is written to it.
type sealer struct {
	w      io.Writer
	aead   cipher.AEAD
	header []byte
	nonce  [12]byte
	chunks uint32
	clear  []byte // what is not sealed yet: at most a chunk
	sealed []byte
	err    error // the first one; it stays
}

// Seal returns a writer that seals what is written to it under key, and writes the
// sealed bytes to w. Only with Close is the object complete; it does not close w. A
// key MUST seal one object only.
func Seal(random io.Reader, key Key, w io.Writer) (io.WriteCloser, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	s := &sealer{w: w, aead: aead, clear: make([]byte, 0, chunkSize), sealed: make([]byte, 0, sealedSize)}
	if _, err := io.ReadFull(random, s.nonce[:prefixSize]); err != nil {
		return nil, fmt.Errorf("draw a nonce: %w", err)
	}
	s.header = append([]byte(magic), s.nonce[:prefixSize]...)
	if _, err := w.Write(s.header); err != nil {
		return nil, fmt.Errorf("write sealed bytes: %w", err)
	}
	return s, nil
}

func (s *sealer) Write(p []byte) (int, error) {
	n := 0
	for n < len(p) && s.err == nil {
		if len(s.clear) == chunkSize { // more follows, so it is not the last
			s.flush(false)
			continue
		}
		k := min(len(p)-n, chunkSize-len(s.clear))
		s.clear = append(s.clear, p[n:n+k]...)
		n += k
	}
	return n, s.err
}

// Close seals the last chunk.
func (s *sealer) Close() error {
	if s.err == nil {
		s.flush(true)
	}
	err := s.err
	if err == nil {
		s.err = errors.New("seal: already closed")
	}
	return err
}

func (s *sealer) flush(last bool) {
	if s.chunks == maxChunks {
		s.err = &bonafide.Error{Kind: bonafide.Invalid, Msg: "the content is too large to be sealed"}
		return
	}
	s.sealed = s.aead.Seal(s.sealed[:0], nonce(&s.nonce, s.chunks, last), s.clear, s.header)
	if _, err := s.w.Write(s.sealed); err != nil {
		s.err = fmt.Errorf("write sealed bytes: %w", err)
		return
	}
	s.chunks++
	clear(s.clear)
	s.clear = s.clear[:0]
}

// errAltered is said of every object that is not what was sealed.
func errAltered(cause error) error {
	return &bonafide.Error{Kind: bonafide.Conflict, Msg: "the original was altered or is damaged, or the key is not its own: restore it from a backup", Err: cause}
}

// A Clear reads the clear content of a sealed object. Its ReadAt may be used by
// several goroutines at once; Read and Seek may not.
type Clear struct {
	object Object
	aead   cipher.AEAD
	header [headerSize]byte
	chunks int64
	size   int64
	off    int64 // of Read

	mu     sync.Mutex
	kept   int64  // number of the chunk in clear; -1 where there is none
	clear  []byte // the last chunk that was opened
	sealed []byte
}

// NewClear reads o, which it closes when it is closed, but not where it returns an
// error. It opens the last chunk at once, so that an object that was cut short or
// made longer is refused here, and Size can be trusted.
func NewClear(o Object, key Key) (*Clear, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	c := &Clear{object: o, aead: aead, kept: -1, clear: make([]byte, 0, chunkSize), sealed: make([]byte, sealedSize)}
	body := o.Size() - int64(headerSize)
	if body < tagSize {
		return nil, errAltered(errors.New("open object: shorter than an empty one"))
	}
	c.chunks = (body + sealedSize - 1) / sealedSize
	c.size = body - c.chunks*tagSize
	last := body - (c.chunks-1)*sealedSize
	if c.chunks > maxChunks || last < tagSize || last == tagSize && c.chunks > 1 {
		return nil, errAltered(fmt.Errorf("open object: no content has %d sealed bytes", o.Size()))
	}
	if _, err := readFull(o, c.header[:], 0); err != nil {
		return nil, fmt.Errorf("read object: %w", err)
	}
	if string(c.header[:len(magic)]) != magic {
		return nil, errAltered(errors.New("open object: it does not begin as one"))
	}
	if err := c.open(c.chunks - 1); err != nil {
		return nil, err
	}
	return c, nil
}

// readFull reads all of p at off.
func readFull(r io.ReaderAt, p []byte, off int64) (int, error) {
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return n, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// open makes chunk n the one that is kept.
func (c *Clear) open(n int64) error {
	if c.kept == n {
		return nil
	}
	c.kept = -1
	at := int64(headerSize) + n*sealedSize
	sealed := c.sealed[:min(sealedSize, c.object.Size()-at)]
	if _, err := readFull(c.object, sealed, at); err != nil {
		return fmt.Errorf("read object: %w", err)
	}
	var no [12]byte
	copy(no[:], c.header[len(magic):])
	content, err := c.aead.Open(c.clear[:0], nonce(&no, uint32(n), n == c.chunks-1), sealed, c.header[:])
	if err != nil {
		return errAltered(fmt.Errorf("open chunk %d: %w", n, err))
	}
	c.clear, c.kept = content, n
	return nil
}

// Size returns the size of the content in bytes.
func (c *Clear) Size() int64 { return c.size }

// ReadAt reads content; what it returns with an error is right as far as it goes.
func (c *Clear) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("read content: before its beginning")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for n < len(p) {
		at := off + int64(n)
		if at >= c.size {
			return n, io.EOF
		}
		if err := c.open(at / chunkSize); err != nil {
			return n, err
		}
		n += copy(p[n:], c.clear[at%chunkSize:])
	}
	return n, nil
}

// Read reads on from where the last Read or Seek left off.
func (c *Clear) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := c.ReadAt(p, c.off)
	c.off += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// Seek sets where the next Read begins.
func (c *Clear) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += c.off
	case io.SeekEnd:
		offset += c.size
	default:
		return 0, errors.New("seek in content: from nowhere")
	}
	if offset < 0 {
		return 0, errors.New("seek in content: before its beginning")
	}
	c.off = offset
	return offset, nil
}

// Close closes the object.
func (c *Clear) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.clear[:cap(c.clear)])
	c.kept = -1
	return c.object.Close()
}
