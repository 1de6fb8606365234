package ring

// An Edge joins two nodes with a positive weight.
type Edge struct {
	A, B   int32
	Weight float32
}

// A Graph is an undirected weighted graph in compressed sparse rows: the
// neighbours of i are to[off[i]:off[i+1]]. Parallel edges add up in every
// computation; loops are allowed and count once in to.
type Graph struct {
	off    []int32
	to     []int32
	weight []float32
}

// NewGraph builds the graph of n nodes from edges in linear time.
func NewGraph(n int, edges []Edge) *Graph {
	g := &Graph{off: make([]int32, n+1)}
	for _, e := range edges {
		g.off[e.A+1]++
		if e.A != e.B {
			g.off[e.B+1]++
		}
	}
	for i := range n {
		g.off[i+1] += g.off[i]
	}
	g.to = make([]int32, g.off[n])
	g.weight = make([]float32, g.off[n])
	at := make([]int32, n)
	copy(at, g.off)
	put := func(a, b int32, w float32) {
		g.to[at[a]], g.weight[at[a]] = b, w
		at[a]++
	}
	for _, e := range edges {
		put(e.A, e.B, e.Weight)
		if e.A != e.B {
			put(e.B, e.A, e.Weight)
		}
	}
	return g
}

// Len returns the number of nodes.
func (g *Graph) Len() int { return len(g.off) - 1 }

// Degree returns the total weight of the edges at i; a loop counts twice.
func (g *Graph) Degree(i int32) float64 {
	var d float64
	for k := g.off[i]; k < g.off[i+1]; k++ {
		d += float64(g.weight[k])
		if g.to[k] == i {
			d += float64(g.weight[k])
		}
	}
	return d
}

// A Union keeps disjoint sets of 0..n-1 (union by the smaller root, path
// halving), so that the root of a set is its smallest member.
type Union struct{ parent []int32 }

// NewUnion returns n sets of one.
func NewUnion(n int) *Union {
	u := &Union{parent: make([]int32, n)}
	for i := range u.parent {
		u.parent[i] = int32(i)
	}
	return u
}

// Root returns the smallest member of i's set.
func (u *Union) Root(i int32) int32 {
	p := u.parent
	for p[i] != i {
		p[i] = p[p[i]]
		i = p[i]
	}
	return i
}

// Join merges two sets and reports whether they were apart.
func (u *Union) Join(a, b int32) bool {
	a, b = u.Root(a), u.Root(b)
	switch {
	case a == b:
		return false
	case a < b:
		u.parent[b] = a
	default:
		u.parent[a] = b
	}
	return true
}

// Sets returns the sets of at least least members, each sorted, in the order of their
// smallest members.
func (u *Union) Sets(least int) [][]int32 {
	size := make([]int32, len(u.parent))
	for i := range u.parent {
		size[u.Root(int32(i))]++
	}
	at := make([]int32, len(u.parent))
	var sets [][]int32
	for i := range u.parent {
		r := u.Root(int32(i))
		if int(size[r]) < least {
			continue
		}
		if int(r) == i {
			at[r] = int32(len(sets))
			sets = append(sets, make([]int32, 0, size[r]))
		}
		sets[at[r]] = append(sets[at[r]], int32(i))
	}
	return sets
}
