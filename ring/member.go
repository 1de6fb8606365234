package ring

import (
	"math"
	"slices"

	"bonafide"
)

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

// keepAlike leaves out, one by one, the member least like the others while it
// is under the threshold.
func (f *finder) keepAlike(set []int32) []int32 {
	members := slices.Clone(set)
	if len(members) > manyMembers {
		members = f.peel(members)
	}
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

// keptApart reports whether a person said that the customers of a and b are not
// linked.
func (f *finder) keptApart(a, b int32) bool {
	if len(f.apart) == 0 {
		return false
	}
	x, y := f.Customer[a], f.Customer[b]
	return f.apart[[2]int32{min(x, y), max(x, y)}]
}

// keepApart leaves out one of each two members who are not linked: the one less
// like the others, and of equals the later.
func (f *finder) keepApart(members []int32) []int32 {
	if len(f.apart) == 0 {
		return members
	}
	members = slices.Clone(members)
	for i := 0; i < len(members); i++ {
		for j := i + 1; j < len(members); {
			if !f.keptApart(members[i], members[j]) {
				j++
				continue
			}
			first, _ := f.likeness(members[i], members)
			second, _ := f.likeness(members[j], members)
			if first < second {
				members[i] = members[j]
				members = slices.Delete(members, j, j+1)
				j = i + 1 // another stands at i now
				continue
			}
			members = slices.Delete(members, j, j+1)
		}
	}
	slices.Sort(members)
	return members
}

// longGap is the number of days after which a number may have passed to somebody
// else: operators hand out numbers again after about 90 days.
const longGap = 60

// need is how alike i must be to the other members.
func (f *finder) need(i int32, members []int32) float64 {
	tied := false
	for _, t := range f.things[i] {
		for _, j := range among(f.Things[t].Holders, members) {
			if f.Customer[i] == f.Customer[j] {
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

// takeIn adds whoever shares a thing with a member, is tied to nobody else, and
// writes from the playbook.
func (f *finder) takeIn(members []int32) []int32 {
	all := slices.Clone(members)
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
					all = append(all, h)
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// among returns which of complaints are in members; both are ascending.
func among(complaints, members []int32) []int32 {
	var out []int32
	for _, i := range complaints {
		if _, ok := slices.BinarySearch(members, i); ok {
			out = append(out, i)
		}
	}
	return out
}

// manyMembers is the size from which members that are least alike are peeled off in one
// pass before they are looked at one by one.
const manyMembers = 200

// peel leaves out who is not alike to the members still there, on a sample of pairs.
func (f *finder) peel(members []int32) []int32 {
	var edges []Edge
	for k := range members {
		for step := 1; step <= sample; step++ {
			j := (k + step*step) % len(members)
			if like := f.alike(members[k], members[j]); j != k && like > 0 {
				edges = append(edges, Edge{int32(k), int32(j), float32(like)})
			}
		}
	}
	order, tie, _ := Peel(NewGraph(len(members), edges))
	from := 0
	for from < len(order) && tie[order[from]] < f.t.Member*sample {
		from++
	}
	kept := make([]int32, 0, len(order)-from)
	for _, k := range order[from:] {
		kept = append(kept, members[k])
	}
	slices.Sort(kept)
	return kept
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

// count returns how many customers are behind complaints.
func (f *finder) count(complaints []int32) int {
	customers := map[int32]bool{}
	for _, i := range complaints {
		customers[f.Customer[i]] = true
	}
	return len(customers)
}
