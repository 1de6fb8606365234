package evidence

import (
	"bytes"
	"cmp"
	"fmt"
	"iter"
	"slices"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A Row is one stored entry: Nodes are the hashes of the tree that become complete
// with it, level 0 first, 32 bytes each.
type Row struct {
	ID          int64 // from 0
	Data, Nodes []byte
}

// A Problem names what is wrong with a log.
type Problem struct {
	Entry      int64  // -1 where it is about no entry
	Checkpoint int    // from 1 in the order given; 0 where it is about none
	What       string // "entry 17: its bytes were changed"
}

// String returns what is wrong.
func (p Problem) String() string { return p.What }

// A Report is what checking a log found.
type Report struct {
	Entries     int64     // entries read and found right, up to the first thing wrong
	Checkpoints int       // checkpoints found right
	Root        tlog.Hash // of those entries
	Problem     *Problem  // the first thing wrong; nil where the log is sound
}

// Verify reads a whole log in the order of its ids and every checkpoint of it, and
// reports the first thing wrong by name: in the entries, then in the head, then in
// the checkpoints. The error is of reading, never of what was read.
//
// Who changes an entry and re-hashes everything after it, the head included, is
// found by a checkpoint made before: keep some where the log's owner cannot reach
// them.
func Verify(rows iter.Seq2[Row, error], head Edge, checkpoints [][]byte, v note.Verifier) (Report, error) {
	marks, bad := openAll(checkpoints, v)
	var (
		rep    Report
		edge   Edge
		before []tlog.Hash // edge.Hashes without the row at hand
		fault  *fault
	)
	for row, err := range rows {
		if err != nil {
			return Report{}, fmt.Errorf("read the log: %w", err)
		}
		if fault != nil {
			fault.see(row)
			continue
		}
		if p := misplaced(row, edge.Size, head.Size); p != nil {
			rep.Problem = p
			break
		}
		before = append(before[:0], edge.Hashes...)
		want := edge.Append(row.Data)
		if !bytes.Equal(want, row.Nodes) {
			edge = Edge{Size: edge.Size - 1, Hashes: before}
			fault = newFault(edge, row, want)
			continue
		}
		for i := range marks {
			marks[i].meet(edge)
		}
	}
	rep.Entries, rep.Root = edge.Size, edge.Root()
	if fault != nil {
		rep.Problem = fault.name(head)
	}
	if rep.Problem == nil {
		rep.Problem = atHead(edge, head)
	}
	for _, m := range marks {
		switch {
		case m.same:
			rep.Checkpoints++
		case rep.Problem == nil:
			rep.Problem = m.problem(edge.Size)
		}
	}
	if rep.Problem == nil {
		rep.Problem = bad
	}
	return rep, nil
}

// misplaced reports a row that is not the next one.
func misplaced(row Row, next, size int64) *Problem {
	switch {
	case row.ID < next:
		return &Problem{Entry: row.ID, What: fmt.Sprintf("entry %d stands where entry %d should", row.ID, next)}
	case next >= size:
		return &Problem{Entry: row.ID, What: fmt.Sprintf("entry %d is beyond the end: the head of the log counts %d", row.ID, size)}
	case row.ID > next:
		return missing(next, min(row.ID, size)-1, "")
	}
	return nil
}

func missing(first, last int64, why string) *Problem {
	if first == last {
		return &Problem{Entry: first, What: fmt.Sprintf("entry %d is missing%s", first, why)}
	}
	return &Problem{Entry: first, What: fmt.Sprintf("entries %d to %d are missing%s", first, last, why)}
}

// atHead compares the entries read with what the head says of them.
func atHead(edge, head Edge) *Problem {
	switch {
	case edge.Size < head.Size:
		return missing(edge.Size, head.Size-1, fmt.Sprintf(": the head of the log counts %d", head.Size))
	case !slices.Equal(edge.Hashes, head.Hashes):
		return &Problem{Entry: -1, What: "the head of the log was changed: its hashes are not those of the entries"}
	}
	return nil
}

// A mark is an opened checkpoint, to be met when as many entries were read.
type mark struct {
	Checkpoint
	number    int
	met, same bool
}

// openAll opens checkpoints, smallest first, and names the first that does not open.
func openAll(texts [][]byte, v note.Verifier) (marks []mark, bad *Problem) {
	for i, text := range texts {
		c, err := OpenCheckpoint(text, v)
		if err != nil {
			if bad == nil {
				size := ""
				if n, ok := claimedSize(text); ok {
					size = fmt.Sprintf(" (size %d)", n)
				}
				bad = &Problem{Entry: -1, Checkpoint: i + 1, What: fmt.Sprintf("checkpoint %d%s: %v", i+1, size, err)}
			}
			continue
		}
		m := mark{Checkpoint: c, number: i + 1}
		m.meet(Edge{})
		marks = append(marks, m)
	}
	slices.SortStableFunc(marks, func(a, b mark) int { return cmp.Compare(a.N, b.N) })
	return marks, bad
}

// claimedSize reads the size that a checkpoint claims without looking at its signature.
func claimedSize(text []byte) (int64, bool) {
	t, err := tlog.ParseTree(text)
	return t.N, err == nil
}

func (m *mark) meet(e Edge) {
	if m.N == e.Size {
		m.met, m.same = true, m.Hash == e.Root()
	}
}

func (m mark) problem(size int64) *Problem {
	p := &Problem{Entry: -1, Checkpoint: m.number, What: fmt.Sprintf("checkpoint %d (size %d) is not of this log: its first %d entries hash to something else", m.number, m.N, m.N)}
	if !m.met {
		p.What = fmt.Sprintf("checkpoint %d (size %d): the log has %d entries only, its tail was dropped", m.number, m.N, size)
		p.Entry = size
	}
	return p
}
