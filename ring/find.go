package ring

import (
	"cmp"
	"math"
	"slices"

	"bonafide"
)

// A Thing is an identifier or a paper that complaints by different customers
// share.
type Thing struct {
	Kind    string // an IdentifierKind or "document"
	Family  bonafide.Family
	Holders []int32 // complaints, ascending
	// Place things belong to a place rather than a person: an address, a network.
	// They tie a few strangers who live elsewhere, and never neighbours.
	Place bool
}

// Evidence is what Find joins. Complaints are numbered from 0 in the order of
// arrival.
type Evidence struct {
	Customer []int32 // who complains: equal numbers are one customer
	Day      []int32 // when, in days from any origin; equal where unknown
	White    []bool  // declared representatives and the like: never tied
	Things   []Thing
	// Relation says what is known of two customers apart from the complaints.
	Relation func(a, b int32) bonafide.Relation
	// Alike says by how many deviations the letters of a and b are more alike
	// than those of strangers on the same topic.
	Alike func(a, b int32) float64
	// Voice is Alike seen from a alone: how far b is from strangers to a.
	Voice func(a, b int32) float64
	// Near returns the complaints whose letters are most like that of a.
	Near func(a int32) []int32
}

// Found is a ring before it is named.
type Found struct {
	Members []int32   // complaints, ascending
	Alike   []float64 // of each member: mean deviations of likeness to the other members
	Things  []int     // what ties them, as indices into Evidence.Things, ascending
	Homes   int       // different homes among the members: 1 where they could all live in one
	Mates   []int32   // complaints written from the same playbook that share nothing else: not members
}

// Thresholds say when evidence ties. All but Homes are in deviations of likeness
// above strangers on the same topic.
type Thresholds struct {
	Link   float64 // two holders of one thing
	Crowd  float64 // added to Link for each doubling of the customers of a thing beyond three
	Gap    float64 // added to Member for who shares only things that others used long before or after
	Member float64 // a member and the rest of its ring, on average
	Merge  float64 // two groups that share nothing but a playbook, on average
	Kin    float64 // share of a family's own likeness that another group must reach
	Adopt  float64 // a holder and the group it is tied to by another holder, on average
	Pair   float64 // two customers who are the whole ring
	Ring   float64 // the members of a ring, on average
	Mate   float64 // somebody whose letter is from the playbook and who shares nothing else
	Blind  float64 // the members of a ring of whom all who share a thing could be one home, on average
	Cover  float64 // share of those who write from the playbook that also share a thing
}

// Tuned are the thresholds chosen on the development worlds; docs/evaluation.md
// says how they do on others.
var Tuned = Thresholds{
	Link: 1, Crowd: 0.8, Gap: 1.5, Member: 0.8, Merge: 2.5, Kin: 0.4, Adopt: 1.2,
	Ring: 1.5, Pair: 2.2, Blind: 4, Mate: 3, Cover: 0.05,
}

// Find returns the rings, in the order of their first members.
//
// Holders of one thing who write alike and live apart are tied; together they
// form groups. A thing most of whose holders have nothing in common is a public place and
// ties nobody. Groups that write from one playbook are joined, and whoever is
// not like the rest is left out again. A ring is what then has at least three
// customers of as many homes, and two ties between homes.
func Find(e Evidence, t Thresholds) []Found {
	f := &finder{
		Evidence: e, t: t, group: NewUnion(len(e.Customer)),
		things: make([][]int, len(e.Customer)), carries: make([]bool, len(e.Things)),
		linked: make([]bool, len(e.Customer)), memo: map[[2]int32]float64{},
	}
	for i, th := range f.Things {
		if hs := f.holders(th); len(hs) >= 2 {
			f.tie(i, hs)
		}
	}
	f.merge()
	f.adopt()
	return f.rings()
}

type finder struct {
	Evidence
	t       Thresholds
	group   *Union
	things  [][]int // of each complaint: the things that carry
	carries []bool
	linked  []bool // complaints tied to another
	memo    map[[2]int32]float64
}

// alike is Evidence.Alike, each pair computed once.
func (f *finder) alike(a, b int32) float64 {
	if a > b {
		a, b = b, a
	}
	k := [2]int32{a, b}
	v, ok := f.memo[k]
	if !ok {
		v = f.Alike(a, b)
		f.memo[k] = v
	}
	return v
}

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
		if f.Customer[a] != f.Customer[b] && f.alike(a, b) >= need {
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

// likeness is how alike a is to others on average, leaving out its own
// customer and home; n is how many were compared.
func (f *finder) likeness(a int32, others []int32) (mean float64, n int) {
	step := max(1, len(others)/30)
	var sum float64
	for i := 0; i < len(others); i += step {
		b := others[i]
		if f.Customer[a] == f.Customer[b] || f.Relation(a, b) == bonafide.SameHome {
			continue
		}
		sum += f.alike(a, b)
		n++
	}
	if n == 0 {
		return 0, 0
	}
	return sum / float64(n), n
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

// kin is what another group must reach to be joined with set, where set could
// be one home: a family tells one story, and tells it more alike than it is to
// anybody else's. A playbook is no more alike within a cell than across.
func (f *finder) kin(set []int32) float64 {
	if f.homes(set) > 1 {
		return 0
	}
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
				if f.Customer[a] == f.Customer[b] || f.Relation(a, b) != bonafide.Strangers {
					continue
				}
				if hb := find(b); hb.group != ha.group || hb.like < f.t.Adopt {
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

// adoptHolders bounds how many holders a thing may have that ties by adoption.
const adoptHolders = 6

// rings checks each group and returns those that are rings.
func (f *finder) rings() []Found {
	var out []Found
	for _, set := range f.group.Sets(2) {
		if r, ok := f.ring(set); ok {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b Found) int { return cmp.Compare(a.Members[0], b.Members[0]) })
	return out
}

// ring leaves out of set who is not like the rest, takes in who shares a thing
// with a member and is, and reports whether what remains is a ring.
func (f *finder) ring(set []int32) (Found, bool) {
	members := f.keepAlike(set)
	// Whoever shares a thing with a member and writes from the playbook.
	in := map[int32]bool{}
	for _, i := range members {
		in[i] = true
	}
	for _, i := range members {
		for _, t := range f.things[i] {
			for _, h := range f.Things[t].Holders {
				if in[h] || f.White[h] || f.linked[h] {
					continue
				}
				if like, n := f.likeness(h, members); n >= 2 && like >= f.t.Member {
					in[h] = true
				}
			}
		}
	}
	members = members[:0]
	for i := range in {
		members = append(members, i)
	}
	slices.Sort(members)
	members = f.keepTied(f.keepAlike(members))
	r := Found{Members: members}
	customers := map[int32]bool{}
	for _, i := range members {
		customers[f.Customer[i]] = true
	}
	if len(customers) < 2 {
		return r, false
	}
	apart := 0 // things that strangers share
	for _, t := range f.shared(members) {
		r.Things = append(r.Things, t)
		var hs []int32
		for _, h := range f.Things[t].Holders {
			if in[h] {
				hs = append(hs, h)
			}
		}
		apart += f.homes(hs) - 1
	}
	r.Homes = f.homes(members)
	for _, i := range members {
		like, _ := f.likeness(i, members)
		r.Alike = append(r.Alike, like)
	}
	var sum float64
	for _, like := range r.Alike {
		sum += like
	}
	if sum < f.t.Ring*float64(len(members)) {
		return r, false
	}
	r.Mates = f.mates(members)
	mates := f.count(r.Mates)
	cover := float64(len(customers)) / float64(len(customers)+mates)
	if cover < f.t.Cover {
		return r, false // a letter that went round, and a few of its readers share something
	}
	if apart == 0 {
		// Everyone who shares a thing could be one home; several such homes far
		// from each other, with one playbook, are not.
		return r, sum >= f.t.Blind*float64(len(members)) && r.Homes >= 2
	}
	if len(customers) == 2 {
		personal := slices.ContainsFunc(r.Things, func(t int) bool { return !f.Things[t].Place })
		return r, personal && r.Alike[0] >= f.t.Pair && mates >= 1
	}
	return r, true
}

// mates returns the complaints of other customers and homes that are as alike
// to the members as a playbook makes them, and are no members.
func (f *finder) mates(members []int32) []int32 {
	seen := map[int32]bool{}
	for _, i := range members {
		seen[i] = true
	}
	some := members[:min(len(members), 12)]
	var out []int32
	for _, i := range some {
		for _, j := range f.Near(i) {
			if seen[j] {
				continue
			}
			seen[j] = true
			var sum float64
			n := 0
			for _, k := range some {
				if f.Customer[k] != f.Customer[j] && f.Relation(k, j) != bonafide.SameHome {
					sum += f.Voice(k, j)
					n++
				}
			}
			if n > 0 && sum >= f.t.Mate*float64(n) {
				out = append(out, j)
			}
		}
	}
	slices.Sort(out)
	return out
}

// count returns how many customers are behind complaints.
func (f *finder) count(complaints []int32) int {
	customers := map[int32]bool{}
	for _, i := range complaints {
		customers[f.Customer[i]] = true
	}
	return len(customers)
}

// keepAlike leaves out, one by one, the member least like the others while it
// is under the threshold.
func (f *finder) keepAlike(set []int32) []int32 {
	members := slices.Clone(set)
	for len(members) >= 2 {
		worst, at := math.Inf(1), -1
		for k, i := range members {
			like, n := f.likeness(i, members)
			if n == 0 {
				like = math.Inf(-1)
			}
			if like -= f.need(i, members); like < worst {
				worst, at = like, k
			}
		}
		if worst >= 0 {
			break
		}
		members = slices.Delete(members, at, at+1)
	}
	return members
}

// longGap is the number of days after which a number may have passed to somebody
// else: operators hand out numbers again after about 90 days.
const longGap = 60

// need is how alike i must be to the other members.
func (f *finder) need(i int32, members []int32) float64 {
	in := map[int32]bool{}
	for _, j := range members {
		in[j] = true
	}
	tied := false
	for _, t := range f.things[i] {
		for _, j := range f.Things[t].Holders {
			if !in[j] || f.Customer[i] == f.Customer[j] {
				continue
			}
			tied = true
			if max(f.Day[i], f.Day[j])-min(f.Day[i], f.Day[j]) <= longGap {
				return f.t.Member
			}
		}
	}
	if tied {
		return f.t.Member + f.t.Gap
	}
	return f.t.Member
}

// keepTied leaves out members who share nothing with another member's customer.
func (f *finder) keepTied(members []int32) []int32 {
	count := map[int]map[int32]bool{}
	for _, i := range members {
		for _, t := range f.things[i] {
			if count[t] == nil {
				count[t] = map[int32]bool{}
			}
			count[t][f.Customer[i]] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(members), func(i int32) bool {
		return !slices.ContainsFunc(f.things[i], func(t int) bool { return len(count[t]) >= 2 })
	})
}

// shared returns the carrying things that at least two customers among members share.
func (f *finder) shared(members []int32) []int {
	who := map[int]int32{}
	several := map[int]bool{}
	for _, i := range members {
		for _, t := range f.things[i] {
			if c, ok := who[t]; ok && c != f.Customer[i] {
				several[t] = true
			}
			who[t] = f.Customer[i]
		}
	}
	return sorted(several)
}

// homes counts the different homes among complaints that are certain: a
// greedy set of customers who are strangers to each other.
func (f *finder) homes(complaints []int32) int {
	most := 0
	// Whoever is taken first decides who else fits, so several are tried.
	for start := range min(len(complaints), 6) {
		var apart []int32
		for k := range complaints {
			i := complaints[(start+k)%len(complaints)]
			if !slices.ContainsFunc(apart, func(j int32) bool {
				return f.Customer[i] == f.Customer[j] || f.Relation(i, j) != bonafide.Strangers
			}) {
				apart = append(apart, i)
			}
		}
		most = max(most, len(apart))
	}
	return most
}
