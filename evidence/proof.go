package evidence

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"bonafide"
)

// Hashes reads stored hashes out of the rows of a log. Fetch is called once for
// each proof and returns [Row.Nodes] of the rows with the given ids.
func Hashes(fetch func(ids []int64) (map[int64][]byte, error)) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		ids := make([]int64, len(indexes))
		levels := make([]int, len(indexes))
		for i, x := range indexes {
			level, k := tlog.SplitStoredHashIndex(x)
			ids[i], levels[i] = (k+1)<<level-1, level
		}
		nodes, err := fetch(ids)
		if err != nil {
			return nil, err
		}
		hs := make([]tlog.Hash, len(indexes))
		for i, id := range ids {
			have := split(nodes[id])
			if levels[i] >= len(have) {
				return nil, fmt.Errorf("entry %d of the log is missing or damaged", id)
			}
			hs[i] = have[levels[i]]
		}
		return hs, nil
	})
}

// ProveRecord returns the proof that entry id is in the tree of the first size
// entries.
func ProveRecord(size, id int64, r tlog.HashReader) (tlog.RecordProof, error) {
	if id < 0 || id >= size {
		return nil, &bonafide.Error{Kind: bonafide.NotFound, Msg: fmt.Sprintf("there is no entry %d in a log of %d entries", id, size)}
	}
	p, err := tlog.ProveRecord(size, id, r)
	if err != nil {
		return nil, fmt.Errorf("prove entry %d: %w", id, err)
	}
	return p, nil
}

// CheckRecord checks a proof that data is entry id of tree.
func CheckRecord(p tlog.RecordProof, tree tlog.Tree, id int64, data []byte) error {
	if err := tlog.CheckRecord(p, tree.N, tree.Hash, id, tlog.RecordHash(data)); err != nil {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("the proof does not show that this is entry %d of the log of %d entries", id, tree.N), Err: err}
	}
	return nil
}

// ProveTree returns the proof that the tree of the first size entries begins with
// the tree of the first old entries.
func ProveTree(size, old int64, r tlog.HashReader) (tlog.TreeProof, error) {
	if old < 1 || old > size {
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("a log of %d entries does not begin with one of %d: ask for 1 to %d", size, old, size)}
	}
	p, err := tlog.ProveTree(size, old, r)
	if err != nil {
		return nil, fmt.Errorf("prove that a log of %d entries begins with one of %d: %w", size, old, err)
	}
	return p, nil
}

// CheckTree checks a proof that the log of tree begins with the log of old.
func CheckTree(p tlog.TreeProof, tree, old tlog.Tree) error {
	if err := tlog.CheckTree(p, tree.N, tree.Hash, old.N, old.Hash); err != nil {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("the proof does not show that the log of %d entries begins with the one of %d", tree.N, old.N), Err: err}
	}
	return nil
}
