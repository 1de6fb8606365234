package ring

import "math"

// Peel removes the node with the least remaining weight again and again and
// returns the order of removal and, for each node, the weight that tied it to
// the nodes still there when it went. Core is how many of the last nodes of order form
// the densest block met on the way, by weight of edges per node: at least half
// as dense as the densest there is (Charikar 2000), and the search that
// FRAUDAR (Hooi et al. 2016) runs on discounted weights.
//
// Weights are rounded to 1/64 of the mean edge, so that a bucket queue keeps
// the work linear in the edges.
func Peel(g *Graph) (order []int32, tie []float64, core int) {
	n := g.Len()
	if n == 0 {
		return nil, nil, 0
	}
	var sum float64
	for _, w := range g.weight {
		sum += float64(w)
	}
	scale := 1.0
	if sum > 0 {
		scale = 64 * float64(len(g.weight)) / sum
	}
	degree := make([]int64, n)
	round := func(w float32) int64 { return max(1, int64(math.Round(float64(w)*scale))) }
	var total int64
	for i := range n {
		for k := g.off[i]; k < g.off[i+1]; k++ {
			degree[i] += round(g.weight[k])
			if int(g.to[k]) == i {
				degree[i] += round(g.weight[k])
			}
		}
		total += degree[i]
	}
	q := newBuckets(degree)
	order = make([]int32, 0, n)
	tie = make([]float64, n)
	gone := make([]bool, n)
	best := -1.0
	left := total / 2
	for rest := n; rest > 0; rest-- {
		if density := float64(left) / float64(rest); density > best {
			best, core = density, rest
		}
		i := q.pop()
		gone[i] = true
		order = append(order, i)
		tie[i] = float64(q.value[i]) / scale
		for k := g.off[i]; k < g.off[i+1]; k++ {
			w := round(g.weight[k])
			if j := g.to[k]; j == i {
				left -= w
			} else if !gone[j] {
				left -= w
				q.lower(j, w)
			}
		}
	}
	return order, tie, core
}

// buckets is a monotone-enough priority queue: values only fall, by at most
// what one removal takes away, so the cursor steps back only as far as they do.
type buckets struct {
	value  []int64
	width  int64
	head   []int32 // first node of each bucket, -1 if none
	next   []int32
	prev   []int32
	cursor int
}

func newBuckets(value []int64) *buckets {
	n := len(value)
	var most int64
	for _, v := range value {
		most = max(most, v)
	}
	size := min(most+1, int64(4*n)+1024)
	b := &buckets{value: value, width: most/size + 1, next: make([]int32, n), prev: make([]int32, n)}
	b.head = make([]int32, most/b.width+1)
	for i := range b.head {
		b.head[i] = -1
	}
	for i := n - 1; i >= 0; i-- {
		b.insert(int32(i))
	}
	return b
}

func (b *buckets) insert(i int32) {
	at := int(b.value[i] / b.width)
	b.prev[i], b.next[i] = -1, b.head[at]
	if b.head[at] >= 0 {
		b.prev[b.head[at]] = i
	}
	b.head[at] = i
	b.cursor = min(b.cursor, at)
}

func (b *buckets) remove(i int32) {
	if b.prev[i] >= 0 {
		b.next[b.prev[i]] = b.next[i]
	} else {
		b.head[b.value[i]/b.width] = b.next[i]
	}
	if b.next[i] >= 0 {
		b.prev[b.next[i]] = b.prev[i]
	}
}

// lower takes by away from i.
func (b *buckets) lower(i int32, by int64) {
	b.remove(i)
	b.value[i] = max(0, b.value[i]-by)
	b.insert(i)
}

// pop removes and returns a node of the lowest bucket.
func (b *buckets) pop() int32 {
	for b.head[b.cursor] < 0 {
		b.cursor++
	}
	i := b.head[b.cursor]
	b.remove(i)
	return i
}
