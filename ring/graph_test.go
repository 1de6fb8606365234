package ring

import (
	"math/rand/v2"
	"testing"
)

// planted returns a graph of blocks of size nodes, dense inside, with noise
// edges between.
func planted(blocks, size, noise int, seed uint64) (int, []Edge) {
	r := rand.New(rand.NewPCG(seed, 1))
	var edges []Edge
	n := blocks * size
	for b := range blocks {
		for i := range size {
			for j := i + 1; j < size; j++ {
				if r.Float64() < 0.6 {
					edges = append(edges, Edge{int32(b*size + i), int32(b*size + j), 1})
				}
			}
		}
	}
	for range noise {
		a, b := r.IntN(n), r.IntN(n)
		if a != b {
			edges = append(edges, Edge{int32(a), int32(b), 0.2})
		}
	}
	return n, edges
}

func TestUnionRootIsSmallestMember(t *testing.T) {
	u := NewUnion(10)
	for _, p := range [][2]int32{{9, 4}, {4, 7}, {3, 9}, {1, 2}} {
		u.Join(p[0], p[1])
	}
	if got := u.Root(7); got != 3 {
		t.Errorf("Root(7) = %d, want 3", got)
	}
	if u.Join(9, 7) {
		t.Error("joining one set with itself reported a change")
	}
	sets := u.Sets(2)
	if len(sets) != 2 || len(sets[0]) != 2 || len(sets[1]) != 4 {
		t.Errorf("Sets(2) = %v", sets)
	}
}

func TestSplitFindsPlantedBlocks(t *testing.T) {
	n, edges := planted(20, 12, 120, 7)
	g := NewGraph(n, edges)
	c := Split(g, 1)
	wrong := 0
	for i := range n {
		for j := i + 1; j < n; j++ {
			if (i/12 == j/12) != (c[i] == c[j]) {
				wrong++
			}
		}
	}
	if wrong > n*n/2/500 {
		t.Errorf("%d pairs on the wrong side", wrong)
	}
	if q := Modularity(g, c, 1); q < 0.8 {
		t.Errorf("modularity %.3f", q)
	}
}

func TestSplitSameGraphSameCommunities(t *testing.T) {
	n, edges := planted(10, 10, 80, 3)
	a, b := Split(NewGraph(n, edges), 1), Split(NewGraph(n, edges), 1)
	for i := range a {
		if a[i] != b[i] {
			t.Fatal("two runs differ")
		}
	}
}

func TestPeelKeepsTheDenseBlock(t *testing.T) {
	n, edges := planted(1, 15, 0, 5)
	for i := range 200 { // a long tail, each hanging on one thread
		edges = append(edges, Edge{int32(n + i), int32(max(0, n+i-1)), 1})
	}
	order, tie, core := Peel(NewGraph(n+200, edges))
	if core < 13 || core > 15 {
		t.Fatalf("core of %d nodes, want the block of 15", core)
	}
	for _, i := range order[len(order)-core:] {
		if int(i) >= n {
			t.Errorf("node %d of the tail is in the core", i)
		}
	}
	if tie[n+199] != 1 {
		t.Errorf("end of the tail hangs on %.2f, want 1", tie[n+199])
	}
}
