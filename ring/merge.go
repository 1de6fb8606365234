package ring

import (
	"cmp"
	"math"
	"slices"

	"bonafide"
)

// merge joins groups that write from one playbook, the most alike first. Only
// groups that already share a thing are joined: letters alone tie nobody.
func (f *finder) merge() {
	sets := f.group.Sets(2)
	of := map[int32]int{}
	for g, set := range sets {
		for _, i := range set {
			of[i] = g
		}
	}
	type joint struct {
		like float64
		a, b int
		at   [2]int // versions of both when it was measured
	}
	version := make([]int, len(sets))
	var heap []joint
	less := func(x, y joint) int {
		if c := cmp.Compare(y.like, x.like); c != 0 {
			return c
		}
		if c := cmp.Compare(x.a, y.a); c != 0 {
			return c
		}
		return cmp.Compare(x.b, y.b)
	}
	near := make([]map[int]bool, len(sets))
	measure := func(a, b int) {
		if a > b {
			a, b = b, a
		}
		like := f.between(sets[a], sets[b])
		if like >= max(f.t.Merge, f.kin(sets[a]), f.kin(sets[b])) {
			j := joint{like, a, b, [2]int{version[a], version[b]}}
			at, _ := slices.BinarySearchFunc(heap, j, less)
			heap = slices.Insert(heap, at, j)
		}
	}
	for g, set := range sets {
		near[g] = map[int]bool{}
		for _, i := range set {
			for _, j := range f.Near(i) {
				if h, ok := of[j]; ok && h != g {
					near[g][h] = true
				}
			}
		}
	}
	for g := range sets { // both ways
		for h := range near[g] {
			near[h][g] = true
		}
	}
	for g := range sets {
		for _, h := range sorted(near[g]) {
			if h > g {
				measure(g, h)
			}
		}
	}
	gone := make([]bool, len(sets))
	for len(heap) > 0 {
		j := heap[0]
		heap = heap[1:]
		if gone[j.a] || gone[j.b] || j.at != [2]int{version[j.a], version[j.b]} {
			continue
		}
		f.group.Join(sets[j.a][0], sets[j.b][0])
		sets[j.a] = append(sets[j.a], sets[j.b]...)
		slices.Sort(sets[j.a])
		version[j.a]++
		gone[j.b] = true
		for h := range near[j.b] {
			near[j.a][h] = true
			near[h][j.a] = true
		}
		delete(near[j.a], j.a)
		for _, h := range sorted(near[j.a]) {
			if !gone[h] {
				measure(j.a, h)
			}
		}
	}
}

// between is the mean likeness of two groups, each by up to eight members.
func (f *finder) between(x, y []int32) float64 {
	var sum float64
	n := 0
	for i := 0; i < len(x); i += max(1, (len(x)+7)/8) {
		for j := 0; j < len(y); j += max(1, (len(y)+7)/8) {
			if f.Customer[x[i]] == f.Customer[y[j]] || f.Relation(x[i], y[j]) == bonafide.SameHome {
				continue
			}
			sum += f.alike(x[i], y[j])
			n++
		}
	}
	if n == 0 {
		return math.Inf(-1)
	}
	return sum / float64(n)
}

// kin is what another group must reach to be joined with set: a share of how alike
// its members are among themselves. A playbook is not much more alike within a
// cell than across; where all could be one home the share is larger, since a
// family tells one story, more alike than it is to anybody else's.
func (f *finder) kin(set []int32) float64 {
	var sum float64
	n := 0
	for i := range min(len(set), 8) {
		for j := i + 1; j < min(len(set), 8); j++ {
			if f.Customer[set[i]] != f.Customer[set[j]] {
				sum += f.alike(set[i], set[j])
				n++
			}
		}
	}
	if n == 0 {
		return 0
	}
	if f.homes(set) > 1 {
		return f.t.Cell * sum / float64(n)
	}
	return f.t.Kin * sum / float64(n)
}

func sorted(set map[int]bool) []int {
	out := make([]int, 0, len(set))
	for k := range set {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// adoptHolders bounds how many holders a thing may have that ties by adoption.
const adoptHolders = 6

// adopt ties holders of one thing whose letters are not alike enough to tie
// them to each other, but both are to one group: a playbook has several letters.
func (f *finder) adopt() {
	sets := f.group.Sets(2)
	of := map[int32]int{}
	for g, set := range sets {
		for _, i := range set {
			of[i] = g
		}
	}
	type home struct {
		group int
		like  float64
	}
	best := map[int32]home{}
	find := func(i int32) home {
		if h, ok := best[i]; ok {
			return h
		}
		h := home{group: -1}
		if g, ok := of[i]; ok {
			h.group = g
			h.like, _ = f.likeness(i, sets[g])
		} else {
			seen := map[int]bool{}
			for _, j := range f.Near(i) {
				g, ok := of[j]
				if !ok || seen[g] {
					continue
				}
				seen[g] = true
				if like, n := f.likeness(i, sets[g]); n >= 2 && (h.group < 0 || like > h.like) {
					h = home{g, like}
				}
			}
		}
		best[i] = h
		return h
	}
	for t, th := range f.Things {
		hs := f.holders(th)
		if len(hs) < 2 || len(hs) > adoptHolders || f.carries[t] || th.Place && (len(hs) > 3 || !f.elsewhere(hs)) {
			continue
		}
		for x, a := range hs {
			ha := find(a)
			if ha.group < 0 || ha.like < f.t.Adopt {
				continue
			}
			for _, b := range hs[x+1:] {
				rel := f.Relation(a, b)
				if f.Customer[a] == f.Customer[b] || rel == bonafide.SameHome || rel == bonafide.Neighbour {
					continue
				}
				need := f.t.Adopt
				if rel == bonafide.Unknown { // they could be one family: both must be as like the group as a playbook makes them
					need = f.t.Merge
				}
				if hb := find(b); hb.group != ha.group || min(ha.like, hb.like) < need {
					continue
				}
				if !f.carries[t] {
					f.carries[t] = true
					for _, h := range hs {
						f.things[h] = append(f.things[h], t)
					}
				}
				f.linked[a], f.linked[b] = true, true
				f.group.Join(a, sets[ha.group][0])
				f.group.Join(b, sets[ha.group][0])
			}
		}
	}
}
