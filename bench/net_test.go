package bench

import (
	"math"
	"math/rand/v2"
	"slices"

	"bonafide/ring"
)

// A net is a random graph with planted blocks.
type net struct {
	nodes int
	edges []ring.Edge // no loops, each pair once
	block []int32     // of each node
}

// planted makes blocks of 8 to 40 nodes that hold six tenths of the edges; one
// tenth goes to hubs, a thousandth of the nodes, and the rest is noise. A
// dense block of sixty nodes hides in it.
func planted(nodes, edges int, seed uint64) net {
	r := rand.New(rand.NewPCG(seed, 1))
	g := net{nodes: nodes, block: make([]int32, nodes)}
	var first []int // node of each block
	for at := 0; at < nodes; {
		first = append(first, at)
		size := min(8+r.IntN(33), nodes-at)
		for i := range size {
			g.block[at+i] = int32(len(first) - 1)
		}
		at += size
	}
	first = append(first, nodes)
	names := r.Perm(nodes)
	var pairs []uint64
	put := func(a, b int) { pairs = append(pairs, pair(names[a], names[b])) }
	for range edges * 7 / 6 { // a seventh are drawn twice
		switch x := r.Float64(); {
		case x < 0.6:
			a := r.IntN(nodes)
			b := int(g.block[a])
			put(a, first[b]+r.IntN(first[b+1]-first[b]))
		case x < 0.7:
			put(r.IntN(max(1, nodes/1000))*1000%nodes, r.IntN(nodes))
		default:
			put(r.IntN(nodes), r.IntN(nodes))
		}
	}
	pairs = append(pairs, dense(r, names)...)
	block := make([]int32, nodes)
	for i, b := range g.block {
		block[names[i]] = b
	}
	g.block = block
	g.edges = unique(pairs)
	return g
}

// scaleFree draws the ends of six tenths of its edges by weights i^-0.6 (Chung
// and Lu 2002: degrees by a power law of exponent 2.7) and the rest within
// groups of a hundred. A dense block of sixty nodes hides in it.
func scaleFree(nodes, edges int, seed uint64) net {
	r := rand.New(rand.NewPCG(seed, 2))
	g := net{nodes: nodes, block: make([]int32, nodes)}
	const group = 100
	names, place := r.Perm(nodes), r.Perm(nodes)
	draw := func() int { return int(float64(nodes) * math.Pow(r.Float64(), 1/(1-0.6))) }
	var pairs []uint64
	for range edges {
		if r.Float64() < 0.6 {
			pairs = append(pairs, pair(names[draw()], names[draw()]))
			continue
		}
		a := r.IntN(nodes)
		b := min(a/group*group+r.IntN(group), nodes-1)
		pairs = append(pairs, pair(place[a], place[b]))
	}
	for i, at := range place {
		g.block[at] = int32(i / group)
	}
	pairs = append(pairs, dense(r, names)...)
	g.edges = unique(pairs)
	return g
}

// dense joins sixty random nodes, each pair with a chance of four in five.
func dense(r *rand.Rand, names []int) []uint64 {
	in := r.Perm(len(names))[:60]
	var pairs []uint64
	for i, a := range in {
		for _, b := range in[:i] {
			if r.Float64() < 0.8 {
				pairs = append(pairs, pair(names[a], names[b]))
			}
		}
	}
	return pairs
}

func pair(a, b int) uint64 { return uint64(min(a, b))<<32 | uint64(max(a, b)) }

// unique returns the pairs as edges of weight 1, each once and in random order,
// as links arrive.
func unique(pairs []uint64) []ring.Edge {
	slices.Sort(pairs)
	pairs = slices.Compact(pairs)
	edges := make([]ring.Edge, 0, len(pairs))
	for _, p := range pairs {
		if a, b := int32(p>>32), int32(p&math.MaxUint32); a != b {
			edges = append(edges, ring.Edge{A: a, B: b, Weight: 1})
		}
	}
	r := rand.New(rand.NewPCG(uint64(len(edges)), 3))
	r.Shuffle(len(edges), func(i, j int) { edges[i], edges[j] = edges[j], edges[i] })
	return edges
}

// weighted gives each edge of g a weight of 0.2 to 4.
func (g net) weighted() net {
	r := rand.New(rand.NewPCG(4, 4))
	g.edges = slices.Clone(g.edges)
	for i := range g.edges {
		g.edges[i].Weight = 0.2 + 3.8*r.Float32()
	}
	return g
}
