package evidence

import (
	"bytes"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// A fault is the first row whose hashes are not those that its bytes and the rows
// before it give. The rows behind it tell what happened to it.
type fault struct {
	edge Edge // before the row
	row  Row
	want []byte // what its nodes should be

	behind []Row // up to two rows that follow it
	// The entries that the row, or the one before it, may have been exchanged
	// with; -1 if none. The rows alone may allow both: the hash above tells.
	own, left int64
}

func newFault(edge Edge, row Row, want []byte) *fault {
	return &fault{edge: edge, row: clone(row), want: want, own: -1, left: -1}
}

// clone copies what the source of the rows may use again.
func clone(r Row) Row {
	return Row{ID: r.ID, Data: bytes.Clone(r.Data), Nodes: bytes.Clone(r.Nodes)}
}

// holds reports whether h stands at a level of nodes.
func holds(nodes []byte, level int, h tlog.Hash) bool {
	at := level * tlog.HashSize
	return len(nodes) >= at+tlog.HashSize && bytes.Equal(nodes[at:at+tlog.HashSize], h[:])
}

// odd reports whether the row closes a pair.
func (f *fault) odd() bool { return f.row.ID&1 == 1 }

// see looks at a row behind the fault for the one that was put in its place.
func (f *fault) see(r Row) {
	if n := len(f.behind); n < 2 && r.ID == f.row.ID+1+int64(n) {
		f.behind = append(f.behind, clone(r))
	}
	own, leaf := tlog.RecordHash(f.row.Data), tlog.RecordHash(r.Data)
	if !holds(f.row.Nodes, 0, own) { // bytes and hash contradict each other: were the bytes alone exchanged?
		if f.own < 0 && holds(f.row.Nodes, 0, leaf) && holds(r.Nodes, 0, own) {
			f.own = r.ID
		}
		return
	}
	if f.own < 0 && (f.odd() || r.ID&1 == 1) { // a row of an even place fits every even place
		here := Edge{Size: f.edge.Size, Hashes: slices.Clone(f.edge.Hashes)}
		if bytes.Equal(here.Append(r.Data), r.Nodes) {
			f.own = r.ID
		}
	}
	if f.left < 0 && f.odd() && holds(f.row.Nodes, 1, tlog.NodeHash(leaf, own)) {
		f.left = r.ID
	}
}

// inPlace reports whether the hash that the row completes over itself and its left
// neighbour is the one that the tree above was made of.
func (f *fault) inPlace(head Edge) bool {
	pair := split(f.row.Nodes)[1]
	switch {
	case len(f.want) > 2*tlog.HashSize:
		return holds(f.row.Nodes, 2, tlog.NodeHash(f.edge.Hashes[len(f.edge.Hashes)-2], pair))
	case len(f.behind) == 2 && len(f.behind[1].Nodes) > 2*tlog.HashSize:
		return holds(f.behind[1].Nodes, 2, tlog.NodeHash(pair, split(f.behind[1].Nodes)[1]))
	}
	return slices.Contains(head.Hashes, pair)
}

// name says what happened.
func (f *fault) name(head Edge) *Problem {
	id := f.row.ID
	p := &Problem{Entry: id}
	var leaf, stored tlog.Hash
	copy(leaf[:], f.want)
	copy(stored[:], f.row.Nodes)
	switch {
	case f.left >= 0 && (f.own < 0 || f.inPlace(head)):
		p.Entry--
		p.What = fmt.Sprintf("entries %d and %d were exchanged", p.Entry, f.left)
	case f.own >= 0:
		p.What = fmt.Sprintf("entries %d and %d were exchanged", id, f.own)
	case len(f.row.Nodes) != len(f.want):
		p.What = fmt.Sprintf("entry %d: its stored hashes were changed: %d bytes instead of %d", id, len(f.row.Nodes), len(f.want))
	case stored != leaf && f.above(head, leaf):
		p.What = fmt.Sprintf("entry %d: its stored hash was changed", id)
	case stored != leaf:
		p.What = fmt.Sprintf("entry %d: its bytes were changed", id)
	default:
		level := 1
		for bytes.Equal(f.row.Nodes[:(level+1)*tlog.HashSize], f.want[:(level+1)*tlog.HashSize]) {
			level++
		}
		p.What = fmt.Sprintf("entry %d: its stored hash over entries %d to %d does not fit them", id, id-1<<level+1, id)
	}
	return p
}

// above reports whether the hash one level higher was made of leaf, so that the
// bytes are right and the stored hash is not.
func (f *fault) above(head Edge, leaf tlog.Hash) bool {
	switch {
	case f.odd():
		return holds(f.row.Nodes, 1, tlog.NodeHash(f.edge.Hashes[len(f.edge.Hashes)-1], leaf))
	case len(f.behind) > 0:
		return holds(f.behind[0].Nodes, 1, tlog.NodeHash(leaf, tlog.RecordHash(f.behind[0].Data)))
	}
	return len(head.Hashes) > 0 && head.Hashes[len(head.Hashes)-1] == leaf
}
