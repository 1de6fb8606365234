package ring

import (
	"cmp"
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
	// Apart are complaints that a person said are not linked: their customers
	// never stand in one ring.
	Apart [][2]int32
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
	Cell   float64 // share of a group's own likeness that another group must reach
	Paper  float64 // added to Link for a paper that four customers or more handed in
	Kin    float64 // the same where the group could be one family
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
	Link: 0.8, Crowd: 0.8, Gap: 1.5, Paper: 1.5, Member: 0.2, Merge: 2, Cell: 0.35, Kin: 0.4,
	Adopt: 1, Ring: 2, Pair: 2.2, Blind: 3, Mate: 2.5, Cover: 0.05,
}

// Find returns the rings, in the order of their first members.
//
// Holders of one thing who write alike and live apart are tied; together they
// form groups. A thing most of whose holders have nothing in common is a public
// place and ties nobody. Groups that write from one playbook are joined; a loose
// group is split where its parts write differently; and whoever is not like the
// rest is left out again. A ring is what then cannot be one home: strangers
// share a thing, or several homes far from each other write from one playbook.
func Find(e Evidence, t Thresholds) []Found {
	f := &finder{
		Evidence: e, t: t, group: NewUnion(len(e.Customer)),
		things: make([][]int, len(e.Customer)), carries: make([]bool, len(e.Things)),
		linked: make([]bool, len(e.Customer)), memo: map[[2]int32]float64{}, apart: map[[2]int32]bool{},
	}
	for _, p := range e.Apart {
		a, b := e.Customer[p[0]], e.Customer[p[1]]
		f.apart[[2]int32{min(a, b), max(a, b)}] = true
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
	apart   map[[2]int32]bool // customers, the smaller first
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

// rings checks each group and returns those that are rings.
func (f *finder) rings() []Found {
	var out []Found
	for _, set := range f.group.Sets(2) {
		for _, part := range f.parts(set) {
			if r, ok := f.ring(part); ok {
				out = append(out, r)
			}
		}
	}
	slices.SortFunc(out, func(a, b Found) int { return cmp.Compare(a.Members[0], b.Members[0]) })
	return out
}

// ring leaves out of set who is not like the rest, takes in who shares a thing
// with a member and is, and reports whether what remains is a ring.
func (f *finder) ring(set []int32) (Found, bool) {
	members := f.keepTied(f.keepApart(f.keepAlike(f.takeIn(f.keepAlike(set)))))
	r := Found{Members: members}
	customers := f.count(members)
	if customers < 2 {
		return r, false
	}
	apart := 0 // ties between strangers
	for _, t := range f.shared(members) {
		r.Things = append(r.Things, t)
		apart += f.homes(among(f.Things[t].Holders, members)) - 1
	}
	r.Homes = f.homes(members)
	var sum float64
	for _, i := range members {
		like, _ := f.likeness(i, members)
		r.Alike = append(r.Alike, like)
		sum += like
	}
	if sum < f.t.Ring*float64(len(members)) {
		return r, false
	}
	r.Mates = f.mates(members)
	mates := f.count(r.Mates)
	if float64(customers) < f.t.Cover*float64(customers+mates) {
		return r, false // a letter that went round, and a few of its readers share something
	}
	if apart == 0 {
		// Everyone who shares a thing could be one home; several such homes far
		// from each other, with one playbook, are not.
		return r, sum >= f.t.Blind*float64(len(members)) && r.Homes >= 2
	}
	if customers == 2 {
		personal := slices.ContainsFunc(r.Things, func(t int) bool { return !f.Things[t].Place })
		return r, personal && r.Alike[0] >= f.t.Pair && mates >= 1
	}
	return r, true
}

// parts divides a loose group into communities where these write differently.
// Most groups are one.
func (f *finder) parts(set []int32) [][]int32 {
	const loose = 8 // smaller groups hold together or fail as a whole
	if len(set) < loose {
		return [][]int32{set}
	}
	at := map[int32]int32{}
	for k, i := range set {
		at[i] = int32(k)
	}
	var edges []Edge
	for k := range set {
		for step := 1; step <= min(sample, len(set)/2); step++ {
			j := (k + step) % len(set)
			if like := f.alike(set[k], set[j]); like > 0 {
				edges = append(edges, Edge{int32(k), int32(j), float32(like)})
			}
		}
		for _, t := range f.things[set[k]] {
			for _, h := range f.Things[t].Holders {
				if j, ok := at[h]; ok && j > int32(k) {
					edges = append(edges, Edge{int32(k), j, float32(f.t.Merge)})
				}
			}
		}
	}
	communities := map[int32][]int32{}
	var names []int32
	for k, c := range Split(NewGraph(len(set), edges), 1) {
		if communities[c] == nil {
			names = append(names, c)
		}
		communities[c] = append(communities[c], set[k])
	}
	// Communities of one playbook belong together.
	u := NewUnion(len(names))
	for x := range names {
		for y := x + 1; y < len(names); y++ {
			if f.between(communities[names[x]], communities[names[y]]) >= f.t.Member {
				u.Join(int32(x), int32(y))
			}
		}
	}
	var out [][]int32
	for _, group := range u.Sets(1) {
		var part []int32
		for _, x := range group {
			part = append(part, communities[names[x]]...)
		}
		slices.Sort(part)
		out = append(out, part)
	}
	return out
}
