package evidence

import (
	"crypto/sha256"
	"fmt"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// An Edge is the right edge of the tree: all that appending needs.
type Edge struct {
	Size   int64       // entries in the tree
	Hashes []tlog.Hash // of the complete subtrees, the largest first: one for each 1 bit of Size
}

// Marshal returns the hashes of e, one after the other.
func (e Edge) Marshal() []byte { return join(e.Hashes) }

// ParseEdge reads what [Edge.Marshal] wrote of a tree of size entries.
func ParseEdge(size int64, b []byte) (Edge, error) {
	if n := hashesOf(size); size < 0 || len(b) != n*tlog.HashSize {
		return Edge{}, fmt.Errorf("read the edge of a log of %d entries: %d bytes instead of %d", size, len(b), n*tlog.HashSize)
	}
	return Edge{Size: size, Hashes: split(b)}, nil
}

// Append adds an entry and returns the stored hashes that become complete with it,
// level 0 first, one after the other.
func (e *Edge) Append(data []byte) (nodes []byte) {
	h := tlog.RecordHash(data)
	done := completes(e.Size)
	nodes = make([]byte, 0, done*tlog.HashSize)
	nodes = append(nodes, h[:]...)
	last := len(e.Hashes)
	for range done - 1 {
		last--
		h = tlog.NodeHash(e.Hashes[last], h)
		nodes = append(nodes, h[:]...)
	}
	e.Hashes = append(e.Hashes[:last], h)
	e.Size++
	return nodes
}

// Root returns the hash of the whole tree.
func (e Edge) Root() tlog.Hash {
	if len(e.Hashes) == 0 {
		return sha256.Sum256(nil) // of the empty tree: RFC 6962, section 2.1
	}
	last := len(e.Hashes) - 1
	h := e.Hashes[last]
	for i := last - 1; i >= 0; i-- {
		h = tlog.NodeHash(e.Hashes[i], h)
	}
	return h
}

// completes returns how many hashes become complete with entry id: its own and one
// for each trailing 1 bit.
func completes(id int64) int { return 1 + bits.TrailingZeros64(uint64(id+1)) }

// hashesOf returns how many hashes the edge of a tree of size entries has.
func hashesOf(size int64) int { return bits.OnesCount64(uint64(size)) }

func join(hs []tlog.Hash) []byte {
	b := make([]byte, 0, len(hs)*tlog.HashSize)
	for _, h := range hs {
		b = append(b, h[:]...)
	}
	return b
}

// split cuts b into hashes; what is left over is dropped.
func split(b []byte) []tlog.Hash {
	hs := make([]tlog.Hash, len(b)/tlog.HashSize)
	for i := range hs {
		copy(hs[i][:], b[i*tlog.HashSize:])
	}
	return hs
}
