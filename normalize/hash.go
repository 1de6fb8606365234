package normalize

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"

	"bonafide"
)

// A Hasher turns personal values into keyed 64-bit hashes, so that they are
// compared without being kept. Without the key a hash cannot be tested against
// guessed numbers. A Hasher is safe for concurrent use.
type Hasher struct {
	pool sync.Pool // of *hashState
}

type hashState struct {
	mac hash.Hash
	buf []byte
}

// NewHasher returns a Hasher over HMAC-SHA256. Values hashed under different
// keys have nothing in common; key should hold at least 16 random bytes.
func NewHasher(key []byte) *Hasher {
	key = append([]byte(nil), key...)
	h := &Hasher{}
	h.pool.New = func() any { return &hashState{mac: hmac.New(sha256.New, key)} }
	return h
}

// Sum returns the first 64 bits of the keyed hash of text within kind. The
// length of kind goes before it, so no other kind and text give the same input.
func (h *Hasher) Sum(kind, text string) bonafide.Key {
	s := h.pool.Get().(*hashState)
	s.buf = binary.AppendUvarint(s.buf[:0], uint64(len(kind)))
	s.buf = append(s.buf, kind...)
	s.buf = append(s.buf, text...)
	s.mac.Reset()
	s.mac.Write(s.buf)
	s.buf = s.mac.Sum(s.buf[:0])
	k := binary.BigEndian.Uint64(s.buf)
	if cap(s.buf) <= 4096 {
		clear(s.buf[:cap(s.buf)]) // no personal value stays in the pool
		h.pool.Put(s)
	}
	return bonafide.Key(k)
}

// Digest returns the keyed hash of content, all 32 bytes of it.
func (h *Hasher) Digest(content []byte) []byte {
	s := h.pool.Get().(*hashState)
	defer h.pool.Put(s)
	s.mac.Reset()
	s.mac.Write(content)
	return s.mac.Sum(nil)
}
