package ring

import (
	"cmp"
	"slices"
)

// A Lasting ring is one that had an id before the evidence was joined anew.
type Lasting struct {
	ID      string
	Members []string // complaints, ascending
	// Firm says that a person decided about it: its id goes only to a ring found that
	// has most of it, or is mostly it, and then before any other's.
	Firm bool
}

// A Fate is what became of lasting rings and of rings found.
type Fate string

// The fates.
const (
	Formed    Fate = "formed"
	Same      Fate = "same"
	Grown     Fate = "grown"     // members were added, none left
	Shrunk    Fate = "shrunk"    // members left, none were added
	Changed   Fate = "changed"   // both
	SplitOff  Fate = "split"     // a new ring that was part of Other
	Merged    Fate = "merged"    // a lasting ring that is now part of Other
	Dissolved Fate = "dissolved" // a lasting ring that is found no more
)

// A Step is one ring's way from before to now. Found is -1 for a ring that is no
// more, and ID is "" for a new one, which the caller names.
type Step struct {
	Fate    Fate
	ID      string // of the lasting ring, "" for Formed and SplitOff
	Found   int    // index into what was found, -1 for Merged and Dissolved
	Other   string // lasting id: what it split off; "" otherwise
	Into    int    // Merged: index into what was found, -1 otherwise
	Added   []string
	Removed []string
}

// Track gives rings their lasting ids. Each ring found takes the id of the lasting
// ring it has most members of, those that people decided about first; each id goes to one ring.
// What is left over is new, split off, merged or dissolved. The result does not
// depend on the order of either list: steps stand in the order of found, then
// the lost ones by id.
func Track(before []Lasting, found [][]string) []Step {
	of := map[string]int{}
	for i, r := range before {
		for _, m := range r.Members {
			of[m] = i
		}
	}
	type overlap struct{ ring, found, n int }
	var all []overlap
	for j, members := range found {
		count := map[int]int{}
		for _, m := range members {
			if i, ok := of[m]; ok {
				count[i]++
			}
		}
		for i, n := range count {
			all = append(all, overlap{i, j, n})
		}
	}
	first := func(a, b overlap) int {
		x, y := before[a.ring], before[b.ring]
		firm := func(o overlap) bool { return before[o.ring].Firm && most(o.n, before[o.ring].Members, found[o.found]) }
		if firm(a) != firm(b) {
			if firm(a) {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(x.ID, y.ID), slices.Compare(found[a.found], found[b.found]))
	}
	slices.SortFunc(all, first)
	ringOf, foundOf := make([]int, len(found)), make([]int, len(before))
	for j := range ringOf {
		ringOf[j] = -1
	}
	for i := range foundOf {
		foundOf[i] = -1
	}
	split, into := slices.Clone(ringOf), slices.Clone(foundOf)
	for _, o := range all {
		decided := before[o.ring].Firm
		if ringOf[o.found] < 0 && foundOf[o.ring] < 0 && (!decided || most(o.n, before[o.ring].Members, found[o.found])) {
			ringOf[o.found], foundOf[o.ring] = o.ring, o.found
		}
		if split[o.found] < 0 {
			split[o.found] = o.ring
		}
		if into[o.ring] < 0 {
			into[o.ring] = o.found
		}
	}
	var steps []Step
	for j, members := range found {
		i := ringOf[j]
		if i < 0 {
			s := Step{Fate: Formed, Found: j, Into: -1, Added: members}
			if split[j] >= 0 {
				s.Fate, s.Other = SplitOff, before[split[j]].ID
			}
			steps = append(steps, s)
			continue
		}
		s := Step{Fate: Same, ID: before[i].ID, Found: j, Into: -1, Added: without(members, before[i].Members), Removed: without(before[i].Members, members)}
		switch {
		case len(s.Added) > 0 && len(s.Removed) > 0:
			s.Fate = Changed
		case len(s.Added) > 0:
			s.Fate = Grown
		case len(s.Removed) > 0:
			s.Fate = Shrunk
		}
		steps = append(steps, s)
	}
	var lost []Step
	for i, r := range before {
		if foundOf[i] >= 0 {
			continue
		}
		s := Step{Fate: Dissolved, ID: r.ID, Found: -1, Into: -1, Removed: r.Members}
		if into[i] >= 0 {
			s.Fate, s.Into = Merged, into[i]
		}
		lost = append(lost, s)
	}
	slices.SortFunc(lost, func(a, b Step) int { return cmp.Compare(a.ID, b.ID) })
	return append(steps, lost...)
}

// most reports whether n members are more than half of one of both.
func most(n int, before, found []string) bool { return 2*n > len(before) || 2*n > len(found) }

// without returns what of a is not in b; both are ascending.
func without(a, b []string) []string {
	var out []string
	for _, x := range a {
		if _, ok := slices.BinarySearch(b, x); !ok {
			out = append(out, x)
		}
	}
	return out
}
