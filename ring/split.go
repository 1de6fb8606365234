package ring

// Split divides the nodes of g into communities of high modularity and returns
// the community of each node, numbered by first member. A higher resolution
// gives smaller communities; 1 is the usual one.
//
// The method is Leiden (Traag et al. 2019, arXiv:1810.08473): local moving with
// a queue, refinement, aggregation by the refined parts; run a second time from
// what it found. Nodes are visited in order and join the best neighbour rather
// than one drawn by chance, so the same graph always gives the same communities.
func Split(g *Graph, resolution float64) []int32 {
	return leiden(g, resolution, leiden(g, resolution, nil))
}

// leiden runs the levels once, from a division to start with or from single nodes.
func leiden(g *Graph, resolution float64, start []int32) []int32 {
	of := make([]int32, g.Len()) // part of each original node
	for i := range of {
		of[i] = int32(i)
	}
	for {
		m := newMover(g, resolution)
		m.begin(start)
		m.run()
		part, count := connected(g, m.refined())
		if count == g.Len() {
			community, _ := connected(g, m.community)
			for i := range of {
				of[i] = community[of[i]]
			}
			return of
		}
		for i := range of {
			of[i] = part[of[i]]
		}
		// Parts start in their communities, which are named by one of their parts.
		name := make([]int32, g.Len())
		for i := range name {
			name[i] = -1
		}
		start = make([]int32, count)
		for i, p := range part {
			c := m.community[i]
			if name[c] < 0 {
				name[c] = p
			}
			start[p] = name[c]
		}
		g = aggregate(g, part, count)
	}
}

// mover is the state of one round of local moving.
type mover struct {
	g          *Graph
	resolution float64
	community  []int32
	degree     []float64 // of each node
	total      []float64 // of each community
	twice      float64   // twice the weight of all edges
	sum        []float64 // weight from the node at hand to each community
	near       []int32   // communities with sum set
}

func newMover(g *Graph, resolution float64) *mover {
	n := g.Len()
	s := &mover{
		g: g, resolution: resolution, community: make([]int32, n), degree: make([]float64, n),
		total: make([]float64, n), sum: make([]float64, n),
	}
	for i := range n {
		s.community[i] = int32(i)
		s.degree[i] = g.Degree(int32(i))
		s.total[i] = s.degree[i]
		s.twice += s.degree[i]
	}
	return s
}

// begin puts the nodes into the communities of start, if there is one.
func (s *mover) begin(start []int32) {
	if start == nil {
		return
	}
	clear(s.total)
	for i, c := range start {
		s.community[i] = c
		s.total[c] += s.degree[i]
	}
}

// refined divides each community into parts that hold together well: nodes that are
// still alone join the part inside their community that they gain most by.
func (s *mover) refined() []int32 {
	r := newMover(s.g, s.resolution)
	alone := make([]bool, s.g.Len())
	for i := range alone {
		alone[i] = true
	}
	for i := range int32(s.g.Len()) {
		if !alone[i] {
			continue
		}
		r.near = r.near[:0]
		var tied float64
		for k := s.g.off[i]; k < s.g.off[i+1]; k++ {
			j := s.g.to[k]
			if j == i || s.community[j] != s.community[i] {
				continue
			}
			c := r.community[j]
			if r.sum[c] == 0 {
				r.near = append(r.near, c)
			}
			r.sum[c] += float64(s.g.weight[k])
			tied += float64(s.g.weight[k])
		}
		pull := r.resolution * r.degree[i] / r.twice
		best, most := i, 0.0
		if tied >= pull*(s.total[s.community[i]]-r.degree[i]) {
			for _, c := range r.near {
				if gain := r.sum[c] - pull*r.total[c]; gain > most+1e-9 {
					best, most = c, gain
				}
			}
		}
		for _, c := range r.near {
			r.sum[c] = 0
		}
		if best != i {
			r.total[i] -= r.degree[i]
			r.total[best] += r.degree[i]
			r.community[i] = best
			alone[i], alone[best] = false, false
		}
	}
	return r.community
}

// run moves nodes until none gains.
func (s *mover) run() {
	n := s.g.Len()
	queue := make([]int32, n)
	waiting := make([]bool, n)
	for i := range queue {
		queue[i], waiting[i] = int32(i), true
	}
	for head, size := 0, n; size > 0; {
		i := queue[head]
		if head++; head == n {
			head = 0
		}
		size--
		waiting[i] = false
		c, better := s.best(i)
		if !better {
			continue
		}
		s.total[s.community[i]] -= s.degree[i]
		s.total[c] += s.degree[i]
		s.community[i] = c
		for k := s.g.off[i]; k < s.g.off[i+1]; k++ {
			j := s.g.to[k]
			if s.community[j] != c && !waiting[j] {
				waiting[j] = true
				queue[(head+size)%n] = j
				size++
			}
		}
	}
}

// best returns the community that i gains most by joining.
func (s *mover) best(i int32) (int32, bool) {
	own := s.community[i]
	s.near = s.near[:0]
	for k := s.g.off[i]; k < s.g.off[i+1]; k++ {
		j := s.g.to[k]
		if j == i {
			continue
		}
		c := s.community[j]
		if s.sum[c] == 0 {
			s.near = append(s.near, c)
		}
		s.sum[c] += float64(s.g.weight[k])
	}
	pull := s.resolution * s.degree[i] / s.twice
	best, most := own, s.sum[own]-pull*(s.total[own]-s.degree[i])
	for _, c := range s.near {
		if c == own {
			continue
		}
		gain := s.sum[c] - pull*s.total[c]
		if gain > most+1e-9 || gain > most-1e-9 && best != own && c < best {
			best, most = c, gain
		}
	}
	for _, c := range s.near {
		s.sum[c] = 0
	}
	s.sum[own] = 0
	return best, best != own
}

// connected cuts every community into its connected parts and numbers them by first
// member.
func connected(g *Graph, community []int32) (part []int32, count int) {
	n := g.Len()
	part = make([]int32, n)
	for i := range part {
		part[i] = -1
	}
	var stack []int32
	for i := range n {
		if part[i] >= 0 {
			continue
		}
		id := int32(count)
		count++
		part[i] = id
		stack = append(stack[:0], int32(i))
		for len(stack) > 0 {
			v := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			for k := g.off[v]; k < g.off[v+1]; k++ {
				if j := g.to[k]; part[j] < 0 && community[j] == community[v] {
					part[j] = id
					stack = append(stack, j)
				}
			}
		}
	}
	return part, count
}

// aggregate makes one node of each part; edges inside become a loop.
func aggregate(g *Graph, part []int32, count int) *Graph {
	// Members of each part, by counting sort.
	first := make([]int32, count+1)
	for _, p := range part {
		first[p+1]++
	}
	for c := range count {
		first[c+1] += first[c]
	}
	members := make([]int32, len(part))
	at := make([]int32, count)
	copy(at, first)
	for i, p := range part {
		members[at[p]] = int32(i)
		at[p]++
	}
	h := &Graph{off: make([]int32, count+1)}
	sum := make([]float64, count)
	var near []int32
	for c := range count {
		near = near[:0]
		for _, i := range members[first[c]:first[c+1]] {
			for k := g.off[i]; k < g.off[i+1]; k++ {
				d := part[g.to[k]]
				w := float64(g.weight[k])
				if int(d) == c && g.to[k] != i {
					w /= 2 // met from both ends
				}
				if sum[d] == 0 {
					near = append(near, d)
				}
				sum[d] += w
			}
		}
		for _, d := range near {
			h.to = append(h.to, d)
			h.weight = append(h.weight, float32(sum[d]))
			sum[d] = 0
		}
		h.off[c+1] = int32(len(h.to))
	}
	return h
}

// Modularity returns the modularity of a division of g (Newman 2004), from -0.5 to 1.
func Modularity(g *Graph, community []int32, resolution float64) float64 {
	inside := map[int32]float64{}
	total := map[int32]float64{}
	var twice float64
	for i := range int32(g.Len()) {
		d := g.Degree(i)
		twice += d
		total[community[i]] += d
		for k := g.off[i]; k < g.off[i+1]; k++ {
			if community[g.to[k]] == community[i] {
				inside[community[i]] += float64(g.weight[k])
				if g.to[k] == i {
					inside[community[i]] += float64(g.weight[k])
				}
			}
		}
	}
	if twice == 0 {
		return 0
	}
	var q float64
	for c, t := range total {
		q += inside[c]/twice - resolution*(t/twice)*(t/twice)
	}
	return q
}
