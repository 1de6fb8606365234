package store

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/oklog/ulid/v2"
)

// A sealer encrypts under one key: AES-256-GCM with a random nonce. What it seals
// opens only in the place that it was sealed for.
type sealer struct{ aead cipher.AEAD }

const (
	keySize     = 32
	sealVersion = 1
	nonceSize   = 12
)

func newSealer(key []byte) (*sealer, error) {
	if len(key) != keySize {
		return nil, errors.New("a key has 32 bytes")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &sealer{aead}, nil
}

// seal returns the version, a nonce and the encrypted text.
func (s *sealer) seal(random io.Reader, place, plain []byte) ([]byte, error) {
	out := make([]byte, 1+nonceSize, 1+nonceSize+len(plain)+s.aead.Overhead())
	out[0] = sealVersion
	if _, err := io.ReadFull(random, out[1:]); err != nil {
		return nil, err
	}
	return s.aead.Seal(out, out[1:], plain, place), nil
}

var errSealed = errors.New("sealed under another key, for another place, or damaged")

// open returns the clear text.
func (s *sealer) open(place, sealed []byte) ([]byte, error) {
	if len(sealed) < 1+nonceSize || sealed[0] != sealVersion {
		return nil, errSealed
	}
	plain, err := s.aead.Open(nil, sealed[1:1+nonceSize], sealed[1+nonceSize:], place)
	if err != nil {
		return nil, errSealed
	}
	return some(plain), nil
}

// place names where a sealed value stands: table, tenant and the row's key. None
// of them has a zero byte.
func place(parts ...string) []byte { return []byte(strings.Join(parts, "\x00")) }

// A lockedReader lets many goroutines read from a source of randomness.
type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

// Read fills p.
func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return io.ReadFull(l.r, p)
}

// ids makes ULIDs.
type ids struct {
	mu      sync.Mutex
	ms      uint64
	entropy *ulid.MonotonicEntropy
}

// NewID returns a new id: a ULID, and later ones sort behind earlier ones even
// where the clock goes back.
func (db *DB) NewID() string {
	ms := uint64(max(db.now().UnixMilli(), 0))
	db.ids.mu.Lock()
	defer db.ids.mu.Unlock()
	if db.ids.entropy == nil {
		db.ids.entropy = ulid.Monotonic(db.random, 0)
	}
	db.ids.ms = max(db.ids.ms, ms)
	id, err := ulid.New(db.ids.ms, db.ids.entropy)
	if errors.Is(err, ulid.ErrMonotonicOverflow) {
		db.ids.ms++ // this millisecond is full
		id, err = ulid.New(db.ids.ms, db.ids.entropy)
	}
	if err != nil {
		panic("store: no randomness for an id: " + err.Error())
	}
	return id.String()
}
