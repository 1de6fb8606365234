package bench

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"bonafide/ring"

	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/community"
	"gonum.org/v1/gonum/graph/simple"
	"gonum.org/v1/gonum/graph/topo"
)

// slack is how much modularity a split may lose against another library's.
const slack = 0.002

// TestGraphBesideGonum runs each step of the ring search beside gonum's on one
// graph and compares what they find.
func TestGraphBesideGonum(t *testing.T) {
	nodes, edges, rounds := 600, 4000, 1
	if full {
		nodes, edges, rounds = 10_000, 100_000, 3
	}
	for _, kind := range []struct {
		name string
		make func(int, int, uint64) net
	}{{"planted", planted}, {"scale-free", scaleFree}} {
		g := kind.make(nodes, edges, 5)
		var theirs *simple.UndirectedGraph
		loading := timed(func() { theirs = load(g) })
		var ours *ring.Graph
		building := timed(func() { ours = ring.NewGraph(g.nodes, g.edges) })

		var out table
		out.row("%s: %d nodes, %d edges; medians of %d", kind.name, g.nodes, len(g.edges), rounds)
		out.row("step\tours ms\tgonum ms\ttimes\tours finds\tgonum finds")
		line := func(step string, a, b time.Duration, format string, x, y any) {
			out.row("%s\t%.2f\t%.1f\t%.0f\t"+format+"\t"+format, step, ms(a), ms(b), float64(b)/float64(a), x, y)
		}
		line("build", building, loading, "%v", len(g.edges), theirs.Edges().Len())

		sets, parts := components(g), topo.ConnectedComponents(theirs)
		a := repeat(3*rounds, func() { sets = components(g) })
		b := repeat(rounds, func() { parts = topo.ConnectedComponents(theirs) })
		line("components", a, b, "%d", len(sets), len(parts))
		check(t, sameSets(sets, parts), "%s: components differ from gonum's", kind.name)

		var order []int32
		var core int
		var ranks []graph.Node
		a = repeat(3*rounds, func() { order, _, core = ring.Peel(ours) })
		b = repeat(rounds, func() { ranks, _ = topo.DegeneracyOrdering(theirs) })
		mine, _ := densest(g, order)
		other, _ := densest(g, removed(ranks))
		line("peel", a, b, "density %.3f", mine, other)
		check(t, mine >= 0.999*other, "%s: densest block has %.3f edges a node, gonum's %.3f", kind.name, mine, other)
		at := density(g, order[len(order)-core:])
		check(t, at >= 0.999*mine, "%s: core has %.3f edges a node, the best on the way %.3f", kind.name, at, mine)

		var split []int32
		var reduced community.ReducedGraph
		a = repeat(3*rounds, func() { split = ring.Split(ours, 1) })
		var q float64
		seed := uint64(0)
		b = repeat(rounds, func() {
			seed++
			reduced = community.Modularize(theirs, 1, rand.NewPCG(seed, seed))
			q = max(q, community.Q(theirs, reduced.Communities(), 1))
		})
		found := ring.Modularity(ours, split, 1)
		line("split", a, b, "Q %.4f", found, q)
		out.row("planted blocks: Q %.4f", ring.Modularity(ours, g.block, 1))
		out.log(t)
		check(t, found >= q-slack, "%s: modularity %.4f, want gonum's %.4f less %.3f at least", kind.name, found, q, slack)
		// Both must mean the same by modularity.
		self := community.Q(theirs, groups(split), 1)
		check(t, found-self < 1e-6 && self-found < 1e-6, "%s: modularity %.6f, gonum counts %.6f", kind.name, found, self)
	}
}

// TestTenMillionEdges runs the steps on a graph of a million nodes.
func TestTenMillionEdges(t *testing.T) {
	nodes, edges := 2000, 20_000
	if full {
		nodes, edges = 100_000, 1_000_000
	}
	if huge {
		nodes, edges = 1_000_000, 10_000_000
	}
	for _, kind := range []struct {
		name string
		make func(int, int, uint64) net
	}{{"planted", planted}, {"scale-free", scaleFree}} {
		plain := kind.make(nodes, edges, 6)
		for _, g := range []net{plain, plain.weighted()} {
			var out table
			out.row("%s, %d nodes, %d edges, first weight %.2f", kind.name, g.nodes, len(g.edges), g.edges[0].Weight)
			out.row("step\ts\tMB allocated\tfinds")
			line := func(step string, work func(), finds func() (string, any)) {
				took, bytes := weighed(work)
				format, x := finds()
				out.row("%s\t%.3f\t%.0f\t"+format, step, took.Seconds(), float64(bytes)/1e6, x)
			}
			var sets [][]int32
			line("components", func() { sets = components(g) }, func() (string, any) { return "%d", len(sets) })
			var h *ring.Graph
			line("build", func() { h = ring.NewGraph(g.nodes, g.edges) }, func() (string, any) { return "%d nodes", h.Len() })
			var order []int32
			var core int
			line("peel", func() { order, _, core = ring.Peel(h) }, func() (string, any) { return "core of %d", core })
			best, size := densest(g, order)
			at := density(g, order[len(order)-core:])
			out.row("\t\t\tdensity %.3f; exact on the way %.3f with %d", at, best, size)
			var split []int32
			line("split", func() { split = ring.Split(h, 1) }, func() (string, any) { return "%d communities", len(groups(split)) })
			found, truth := ring.Modularity(h, split, 1), ring.Modularity(h, g.block, 1)
			out.row("\t\t\tmodularity %.4f; planted blocks %.4f", found, truth)
			out.log(t)
			check(t, found >= truth-0.01, "%s: modularity %.4f below the planted blocks' %.4f", kind.name, found, truth)
			// Weights are rounded to 1/64 of their mean, and small ones more.
			check(t, at >= 0.99*best, "%s: core has %.3f a node, the best on the way %.3f", kind.name, at, best)
		}
	}
}

func ms(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// repeat returns the median time of n runs.
func repeat(n int, work func()) time.Duration {
	var took []time.Duration
	for range n {
		took = append(took, timed(work))
	}
	return median(took)
}

// weighed returns how long work takes and the bytes it allocates.
func weighed(work func()) (time.Duration, uint64) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	took := timed(work)
	runtime.ReadMemStats(&after)
	return took, after.TotalAlloc - before.TotalAlloc
}

func components(g net) [][]int32 {
	u := ring.NewUnion(g.nodes)
	for _, e := range g.edges {
		u.Join(e.A, e.B)
	}
	return u.Sets(1)
}

func load(g net) *simple.UndirectedGraph {
	h := simple.NewUndirectedGraph()
	for i := range g.nodes {
		h.AddNode(simple.Node(i))
	}
	for _, e := range g.edges {
		h.SetEdge(simple.Edge{F: simple.Node(e.A), T: simple.Node(e.B)})
	}
	return h
}

func sameSets(ours [][]int32, theirs [][]graph.Node) bool {
	var sets [][]int32
	for _, part := range theirs {
		var set []int32
		for _, n := range part {
			set = append(set, int32(n.ID()))
		}
		slices.Sort(set)
		sets = append(sets, set)
	}
	slices.SortFunc(sets, func(a, b []int32) int { return int(a[0] - b[0]) })
	return slices.EqualFunc(ours, sets, slices.Equal)
}

// removed is gonum's order of removal: DegeneracyOrdering lists the last first.
func removed(nodes []graph.Node) []int32 {
	var order []int32
	for _, n := range nodes {
		order = append(order, int32(n.ID()))
	}
	slices.Reverse(order)
	return order
}

// densest returns the highest weight of edges per node among the last k nodes
// of order, over all k, and that k.
func densest(g net, order []int32) (best float64, size int) {
	rank := make([]int32, g.nodes)
	for i, v := range order {
		rank[v] = int32(i)
	}
	weight := make([]float64, g.nodes) // of the edges that go with the node of each rank
	for _, e := range g.edges {
		weight[min(rank[e.A], rank[e.B])] += float64(e.Weight)
	}
	var sum float64
	for i := g.nodes - 1; i >= 0; i-- {
		sum += weight[i]
		if d := sum / float64(g.nodes-i); d > best {
			best, size = d, g.nodes-i
		}
	}
	return best, size
}

// density is the weight of the edges among nodes, for each of them.
func density(g net, nodes []int32) float64 {
	in := make([]bool, g.nodes)
	for _, i := range nodes {
		in[i] = true
	}
	var sum float64
	for _, e := range g.edges {
		if in[e.A] && in[e.B] {
			sum += float64(e.Weight)
		}
	}
	return sum / float64(max(1, len(nodes)))
}

// groups lists the nodes of each community.
func groups(of []int32) [][]graph.Node {
	var out [][]graph.Node
	for i, c := range of {
		for int(c) >= len(out) {
			out = append(out, nil)
		}
		out[c] = append(out[c], simple.Node(i))
	}
	return out
}
