package evidence

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"
)

// reader reads the hashes of rows kept in memory.
func reader(rows []Row) tlog.HashReader {
	return Hashes(func(ids []int64) (map[int64][]byte, error) {
		m := map[int64][]byte{}
		for _, id := range ids {
			if id < int64(len(rows)) {
				m[id] = rows[id].Nodes
			}
		}
		return m, nil
	})
}

// The library that checks proofs must agree with us about every hash.
func TestEdgeAgreesWithTlog(t *testing.T) {
	var edge Edge
	var rows []Row
	for n := range int64(200) {
		if want, err := tlog.TreeHash(n, reader(rows)); err != nil || edge.Root() != want {
			t.Fatalf("root of %d entries = %v, want %v, %v", n, edge.Root(), want, err)
		}
		data := fmt.Appendf(nil, "entry %d", n)
		want, err := tlog.StoredHashes(n, data, reader(rows))
		if err != nil {
			t.Fatal(err)
		}
		got := edge.Append(data)
		if d := cmp.Diff(join(want), got); d != "" {
			t.Fatalf("nodes of entry %d (-want +got):\n%s", n, d)
		}
		rows = append(rows, Row{ID: n, Data: data, Nodes: got})
		again, err := ParseEdge(edge.Size, edge.Marshal())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(edge, again); d != "" {
			t.Fatalf("edge of %d entries read back (-want +got):\n%s", n+1, d)
		}
	}
}

func TestParseEdgeRefusesOtherLengths(t *testing.T) {
	for _, c := range []struct {
		size  int64
		bytes int
	}{{0, 32}, {1, 0}, {3, 32}, {3, 65}, {4, 64}, {-1, 64 * 32}} {
		if e, err := ParseEdge(c.size, make([]byte, c.bytes)); err == nil {
			t.Errorf("ParseEdge(%d, %d bytes) = %v, want an error", c.size, c.bytes, e)
		}
	}
}

func TestProofs(t *testing.T) {
	rows, head, _ := testLog(t, 21)
	tree := tlog.Tree{N: head.Size, Hash: head.Root()}
	for id := range head.Size {
		p, err := ProveRecord(tree.N, id, reader(rows))
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckRecord(p, tree, id, rows[id].Data); err != nil {
			t.Error(err)
		}
		if err := CheckRecord(p, tree, id, append(bytes.Clone(rows[id].Data), ' ')); err == nil {
			t.Errorf("entry %d: a proof fits other bytes", id)
		}
		if err := CheckRecord(p, tree, (id+1)%tree.N, rows[id].Data); err == nil {
			t.Errorf("entry %d: a proof fits another place", id)
		}
	}
	for size := int64(1); size <= tree.N; size++ {
		h, err := tlog.TreeHash(size, reader(rows))
		if err != nil {
			t.Fatal(err)
		}
		p, err := ProveTree(tree.N, size, reader(rows))
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckTree(p, tree, tlog.Tree{N: size, Hash: h}); err != nil {
			t.Error(err)
		}
		if err := CheckTree(p, tree, tlog.Tree{N: size, Hash: tlog.RecordHash(nil)}); err == nil {
			t.Errorf("size %d: a proof fits another tree", size)
		}
	}
	for _, id := range []int64{-1, 21, 400} {
		if _, err := ProveRecord(tree.N, id, reader(rows)); err == nil {
			t.Errorf("ProveRecord of entry %d: no error", id)
		}
	}
	for _, old := range []int64{-1, 0, 22} {
		if _, err := ProveTree(tree.N, old, reader(rows)); err == nil {
			t.Errorf("ProveTree from %d: no error", old)
		}
	}
	if _, err := ProveRecord(tree.N, 3, reader(rows[:10])); err == nil {
		t.Error("a proof was made of rows that are missing")
	}
}
