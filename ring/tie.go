package ring

import (
	"math"

	"bonafide"
)

// holders returns who may be tied by th: nobody where at least half of its customers
// came through a declared representative, whose thing it then is.
func (f *finder) holders(th Thing) []int32 {
	white, all := map[int32]bool{}, map[int32]bool{}
	var hs []int32
	for _, h := range th.Holders {
		all[f.Customer[h]] = true
		if f.White[h] {
			white[f.Customer[h]] = true
		} else {
			hs = append(hs, h)
		}
	}
	if 2*len(white) >= len(all) {
		return nil
	}
	return hs
}

// Bounds of what one thing can cost: a switchboard has thousands of holders.
const (
	manyHolders = 48 // up to here every pair is compared
	sample      = 24 // beyond, each holder with so many others
)

// tie ties the holders hs of thing t who write alike and live apart.
func (f *finder) tie(t int, hs []int32) {
	customers := map[int32]bool{}
	for _, h := range hs {
		customers[f.Customer[h]] = true
	}
	m := len(customers)
	if m < 2 {
		return
	}
	// The more share a thing, the more of them are alike by chance.
	need := f.t.Link + f.t.Crowd*math.Log2(max(1, float64(m)/3))
	if f.Things[t].Family == bonafide.FamilyDocument && m > 3 {
		need += f.t.Paper // a notice or a form goes through many hands
	}
	if f.Things[t].Place {
		if m > fewHolders || !f.elsewhere(hs) {
			return
		}
		need += placeMargin
	}
	u := NewUnion(len(hs))
	type pair struct{ i, j int }
	var pairs []pair
	consider := func(i, j int) {
		a, b := hs[i], hs[j]
		if f.Customer[a] != f.Customer[b] && !f.keptApart(a, b) && f.alike(a, b) >= need {
			pairs = append(pairs, pair{i, j})
			u.Join(int32(i), int32(j))
		}
	}
	if len(hs) <= manyHolders {
		for i := range hs {
			for j := i + 1; j < len(hs); j++ {
				consider(i, j)
			}
		}
	} else {
		for i := range hs {
			for k := 1; k <= sample; k++ {
				// Strides spread the sample over all holders.
				if j := (i + k*k*k + k) % len(hs); j != i {
					consider(min(i, j), max(i, j))
				}
			}
		}
	}
	// Most of those who share the thing must be in one group that writes alike.
	best := 0
	for _, set := range u.Sets(2) {
		in := map[int32]bool{}
		for _, i := range set {
			in[f.Customer[hs[i]]] = true
		}
		best = max(best, len(in))
	}
	if best == 0 || m >= 4 && 2*best < m {
		return
	}
	f.carries[t] = true
	for _, h := range hs {
		f.things[h] = append(f.things[h], t)
	}
	for _, p := range pairs {
		a, b := hs[p.i], hs[p.j]
		f.linked[a], f.linked[b] = true, true
		f.group.Join(a, b)
	}
}

// A place ties up to fewHolders customers, who must be more alike than others
// by placeMargin.
const (
	fewHolders  = 5
	placeMargin = 1
)

// elsewhere reports whether the holders of a place live apart, as far as is
// known, and two of them certainly do.
func (f *finder) elsewhere(hs []int32) bool {
	apart := false
	for i, a := range hs {
		for _, b := range hs[i+1:] {
			if f.Customer[a] == f.Customer[b] {
				continue
			}
			switch f.Relation(a, b) {
			case bonafide.SameHome, bonafide.Neighbour:
				return false
			case bonafide.Strangers:
				apart = true
			}
		}
	}
	return apart
}
