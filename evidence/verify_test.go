package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var when = time.Date(2026, 3, 4, 5, 6, 7, 891000, time.UTC)

// keys makes a signer that is the same for the same seed.
func keys(t testing.TB, name string, seed byte) (note.Signer, note.Verifier) {
	t.Helper()
	skey, vkey, err := NewSigner(rand.NewChaCha8([32]byte{seed}), name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

// testLog returns a log of n entries with checkpoints of sizes 0, 1, n/2 and n.
func testLog(t *testing.T, n int64) (rows []Row, head Edge, checkpoints [][]byte) {
	t.Helper()
	s, _ := keys(t, "bank.example", 1)
	mark := func() {
		if slices.Contains([]int64{0, 1, n / 2, n}, head.Size) {
			c, err := SignCheckpoint(s, "bank", tlog.Tree{N: head.Size, Hash: head.Root()}, when)
			if err != nil {
				t.Fatal(err)
			}
			checkpoints = append(checkpoints, c)
		}
	}
	mark()
	for i := range n {
		data := Entry{Time: when.UnixMicro() + i, Actor: "key:1", Action: "tag.removed", Target: fmt.Sprintf("tag:%d", i)}.Marshal()
		rows = append(rows, Row{ID: i, Data: data, Nodes: head.Append(data)})
		mark()
	}
	return rows, head, checkpoints
}

func seq(rows []Row) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// found checks a log and returns what was found.
func found(t *testing.T, rows []Row, head Edge, checkpoints [][]byte) string {
	t.Helper()
	_, v := keys(t, "bank.example", 1)
	rep, err := Verify(seq(rows), head, checkpoints, v)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Problem == nil {
		return "sound"
	}
	return rep.Problem.What
}

// deep copies rows so that a test can damage them.
func deep(rows []Row) []Row {
	out := make([]Row, len(rows))
	for i, r := range rows {
		out[i] = clone(r)
	}
	return out
}

const size = 23

func TestVerifySound(t *testing.T) {
	for n := range int64(40) {
		rows, head, cps := testLog(t, n)
		_, v := keys(t, "bank.example", 1)
		rep, err := Verify(seq(rows), head, cps, v)
		if err != nil || rep.Problem != nil || rep.Entries != n || rep.Root != head.Root() || rep.Checkpoints != len(cps) {
			t.Errorf("a sound log of %d entries: %+v, %v", n, rep, err)
		}
	}
}

func TestVerifyNamesEveryChangedByte(t *testing.T) {
	rows, head, cps := testLog(t, size)
	check := func(what string, i int, damaged []Row, want string) {
		t.Helper()
		if got := found(t, damaged, head, cps); got != want {
			t.Errorf("%s, byte %d: found %q, want %q", what, i, got, want)
		}
	}
	for id := range rows {
		for i := range rows[id].Data {
			d := deep(rows)
			d[id].Data[i] ^= 0x10
			check("data", i, d, fmt.Sprintf("entry %d: its bytes were changed", id))
		}
		for i := range rows[id].Nodes {
			d := deep(rows)
			d[id].Nodes[i] ^= 0x01
			want := fmt.Sprintf("entry %d: its stored hash was changed", id)
			if l := i / 32; l > 0 {
				want = fmt.Sprintf("entry %d: its stored hash over entries %d to %d does not fit them", id, id-1<<l+1, id)
			}
			check("nodes", i, d, want)
		}
		d := deep(rows)
		d[id].Nodes = d[id].Nodes[:len(d[id].Nodes)-1]
		check("nodes cut", 0, d, fmt.Sprintf("entry %d: its stored hashes were changed: %d bytes instead of %d", id, len(d[id].Nodes), len(rows[id].Nodes)))
	}
	for i := range head.Marshal() {
		b := head.Marshal()
		b[i] ^= 0x80
		h, err := ParseEdge(head.Size, b)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := found(t, rows, h, cps), "the head of the log was changed: its hashes are not those of the entries"; got != want {
			t.Errorf("edge, byte %d: found %q, want %q", i, got, want)
		}
	}
}

// A changed entry whose own hash was made to fit is found one hash higher.
func TestVerifyNamesRehashedEntry(t *testing.T) {
	rows, head, cps := testLog(t, size)
	for id := range rows {
		d := deep(rows)
		d[id].Data[10] ^= 1
		h := tlog.RecordHash(d[id].Data)
		copy(d[id].Nodes, h[:])
		pair := id | 1
		want := fmt.Sprintf("entry %d: its stored hash over entries %d to %d does not fit them", pair, pair-1, pair)
		if id == size-1 {
			want = "the head of the log was changed: its hashes are not those of the entries"
		}
		if got := found(t, d, head, cps); got != want {
			t.Errorf("entry %d: found %q, want %q", id, got, want)
		}
	}
}

func TestVerifyNamesDroppedRows(t *testing.T) {
	rows, head, cps := testLog(t, size)
	for id := range rows {
		want := fmt.Sprintf("entry %d is missing", id)
		if id == size-1 {
			want += ": the head of the log counts 23"
		}
		if got := found(t, slices.Delete(deep(rows), id, id+1), head, cps); got != want {
			t.Errorf("dropped entry %d: found %q, want %q", id, got, want)
		}
		want = fmt.Sprintf("entries %d to 22 are missing: the head of the log counts 23", id)
		if id == size-1 {
			continue
		}
		if got := found(t, rows[:id], head, cps); got != want {
			t.Errorf("dropped tail from %d: found %q, want %q", id, got, want)
		}
	}
	if got, want := found(t, slices.Delete(deep(rows), 4, 7), head, cps), "entries 4 to 6 are missing"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
	// Who drops the tail and sets the head back is found by the last checkpoint.
	short, small, _ := testLog(t, 20)
	if got, want := found(t, short, small, cps), "checkpoint 4 (size 23): the log has 20 entries only, its tail was dropped"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
}

func TestVerifyNamesExchangedRows(t *testing.T) {
	rows, head, cps := testLog(t, size)
	for i := range rows {
		for j := i + 1; j < len(rows); j++ {
			want := fmt.Sprintf("entries %d and %d were exchanged", i, j)
			d := deep(rows)
			d[i].Data, d[j].Data, d[i].Nodes, d[j].Nodes = d[j].Data, d[i].Data, d[j].Nodes, d[i].Nodes
			if got := found(t, d, head, cps); got != want {
				t.Errorf("rows %d and %d: found %q, want %q", i, j, got, want)
			}
			d = deep(rows)
			d[i].Data, d[j].Data = d[j].Data, d[i].Data
			if got := found(t, d, head, cps); got != want {
				t.Errorf("bytes of %d and %d: found %q, want %q", i, j, got, want)
			}
			d = deep(rows)
			d[i], d[j] = d[j], d[i] // read in another order than that of the ids
			if got := found(t, d, head, cps); got == "sound" {
				t.Errorf("rows %d and %d read in the wrong order: not found", i, j)
			}
		}
	}
}

func TestVerifyNamesChangedSize(t *testing.T) {
	rows, head, cps := testLog(t, size)
	for n := range int64(40) {
		if n == size {
			continue
		}
		want := fmt.Sprintf("entry %d is beyond the end: the head of the log counts %d", n, n)
		switch {
		case n == size+1:
			want = "entry 23 is missing: the head of the log counts 24"
		case n > size:
			want = fmt.Sprintf("entries 23 to %d are missing: the head of the log counts %d", n-1, n)
		}
		if got := found(t, rows, Edge{Size: n, Hashes: head.Hashes}, cps); got != want {
			t.Errorf("size %d: found %q, want %q", n, got, want)
		}
	}
}

func TestVerifyNamesCheckpoints(t *testing.T) {
	rows, head, cps := testLog(t, size)
	for i := range cps[2] {
		damaged := bytes.Clone(cps[2])
		damaged[i] ^= 0x04
		if got := found(t, rows, head, [][]byte{cps[0], cps[1], damaged, cps[3]}); !strings.HasPrefix(got, "checkpoint 3") {
			t.Errorf("byte %d of checkpoint 3 changed: found %q", i, got)
		}
	}
	other, _ := keys(t, "bank.example", 2)
	stranger, _ := keys(t, "else.example", 1)
	own, _ := keys(t, "bank.example", 1)
	tree := tlog.Tree{N: 11, Hash: tlog.RecordHash([]byte("x"))}
	for _, c := range []struct {
		signer note.Signer
		want   string
	}{
		{other, "checkpoint 2 (size 11): its signature is not by bank.example"},
		{stranger, "checkpoint 2 (size 11): its signature is not by bank.example"},
		{own, "checkpoint 2 (size 11) is not of this log: its first 11 entries hash to something else"},
	} {
		forged, err := SignCheckpoint(c.signer, "bank", tree, when)
		if err != nil {
			t.Fatal(err)
		}
		if got := found(t, rows, head, [][]byte{cps[0], forged}); got != c.want {
			t.Errorf("found %q, want %q", got, c.want)
		}
	}
	if got, want := found(t, rows, head, [][]byte{[]byte("hello")}), "checkpoint 1: it is not a signed note"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
}

// Who re-hashes everything is found by a checkpoint made before, and by nothing else.
func TestVerifyFindsRewrittenLog(t *testing.T) {
	rows, _, cps := testLog(t, size)
	var head Edge
	forged := deep(rows)
	for i := range forged {
		if i == 7 {
			forged[i].Data[12] ^= 1
		}
		forged[i].Nodes = head.Append(forged[i].Data)
	}
	if got, want := found(t, forged, head, cps), "checkpoint 3 (size 11) is not of this log: its first 11 entries hash to something else"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
}

func TestVerifyReportsReadError(t *testing.T) {
	rows, head, _ := testLog(t, 3)
	broken := errors.New("broken pipe")
	_, err := Verify(func(yield func(Row, error) bool) {
		_ = yield(rows[0], nil) && yield(Row{}, broken)
	}, head, nil, nil)
	if !errors.Is(err, broken) {
		t.Errorf("Verify = %v, want %v", err, broken)
	}
}

func BenchmarkAppend(b *testing.B) {
	var e Edge
	data := bytes.Repeat([]byte("x"), 200)
	for b.Loop() {
		e.Append(data)
	}
}
