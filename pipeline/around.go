package pipeline

import (
	"context"
	"slices"

	"bonafide"
	"bonafide/signal/text"
	"bonafide/signal/timing"
)

// learned is what a grouping of all complaints taught about the lender: the language
// of its complaints, its rhythm, and how usual it is to share things.
type learned struct {
	corpus     *text.Corpus
	drawn      *text.Background
	rhythm     *timing.Rhythm
	usage      map[string]usage
	days       int
	complaints int
	incidents  []bonafide.Incident
	uses       func(bonafide.Key) int // complaints filed or handed in with a thing
}

// Bounds of what is joined around new complaints.
const (
	coreLimit = 600   // complaints that share things, directly or through others
	nearLimit = 6_000 // with the letters like theirs
)

// Sharing returns which of the complaints at places from first on share something with
// another complaint, at most limit of them; more says that there are others.
func (l *Live) Sharing(first int64, limit int) (places []int64, more bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for i := max(0, int(first-1)); i < len(l.all); i++ {
		if l.all[i] == nil || !slices.ContainsFunc(l.all[i].things(), func(k bonafide.Key) bool { return len(l.holders[k].more) > 0 }) {
			continue
		}
		if len(places) == limit {
			return places, true
		}
		places = append(places, int64(i+1))
	}
	return places, false
}

// GroupAround joins the evidence around the complaints at places: whoever shares a
// thing with them, directly or through others, and the letters most like theirs,
// by the measure of the last Group. It finds in a moment what touches new complaints; how the
// rest of the corpus changes through them is left to the next Group. ok is false where
// there was no Group yet or too much is connected.
func (l *Live) GroupAround(ctx context.Context, places []int64, apart [][2]string) (g *Grouping, ok bool, err error) {
	l.mu.RLock()
	if l.learned == nil {
		l.mu.RUnlock()
		return nil, false, nil
	}
	part := *l.learned
	last := int64(len(l.all))
	l.mu.RUnlock()
	core, near, ok := l.around(places)
	if !ok {
		return nil, false, nil
	}
	l.mu.RLock()
	s := &Scanner{cfg: l.rules(), apart: apart, bare: true, known: l.known, muted: l.muted, frail: l.frail}
	l.mu.RUnlock()
	uses := map[bonafide.Key]int{}
	l.inParts(near, func(i int32) {
		if sub := l.all[i]; sub != nil && !l.spared[sub.ID] {
			s.all = append(s.all, sub)
			for _, k := range sub.things() {
				uses[k] = 1 + len(l.holders[k].more)
			}
		}
	})
	part.uses = func(k bonafide.Key) int { return uses[k] }
	s.part = &part
	letters, found, err := s.compare(ctx)
	if err != nil {
		return nil, false, err
	}
	w, err := s.result(letters, found, bonafide.Read{Accepted: len(s.all)}, nil)
	if err != nil {
		return nil, false, err
	}
	g = w.grouping(last)
	g.only(core)
	return g, true, nil
}

// around collects the core, complaints connected with those at places by what they
// share, and near, the core with the letters most like theirs.
func (l *Live) around(places []int64) (core map[string]bool, near []int32, ok bool) {
	in := map[int32]bool{}
	members := map[string][]int32{} // of rings met; filled when first needed
	var queue []int32
	add := func(i int32) {
		if l.all[i] != nil && !in[i] && !l.spared[l.all[i].ID] {
			in[i] = true
			queue = append(queue, i)
		}
	}
	connect := func() bool {
		for len(queue) > 0 {
			i := queue[0]
			queue = queue[1:]
			for _, k := range l.all[i].things() {
				p := l.holders[k]
				if len(p.more)+1 > maxHolders {
					continue // a switchboard connects nobody here
				}
				add(p.first)
				for _, h := range p.more {
					add(h)
				}
			}
			if r := l.rings[l.all[i].ID]; r != "" && members[r] == nil {
				members[r] = l.places(r)
				for _, m := range members[r] {
					add(m)
				}
			}
			if len(in) > coreLimit {
				return false
			}
		}
		return true
	}
	l.mu.RLock()
	for _, p := range places {
		if p >= 1 && int(p) <= len(l.all) {
			add(int32(p - 1))
		}
	}
	ok = connect()
	core = map[string]bool{}
	var first []int32
	for i := range in {
		if l.all[i] != nil {
			core[l.all[i].ID] = true
			first = append(first, i)
		}
	}
	l.mu.RUnlock()
	if !ok {
		return nil, nil, false
	}
	slices.Sort(first)
	all := map[int32]bool{}
	for _, i := range first {
		all[i] = true
	}
	a := l.queries.Get().(*asker)
	defer l.queries.Put(a)
	l.inParts(first, func(i int32) {
		if l.all[i] == nil || len(all) > nearLimit {
			return
		}
		for _, c := range a.query.Candidates(l.all[i].letter.Keys(), len(l.all), 2*candidates) {
			j := int32(c.ID)
			if l.all[j] == nil || all[j] {
				continue
			}
			all[j] = true
			// Groups that share things themselves may belong to one playbook with the core.
			for _, k := range l.all[j].things() {
				if p := l.holders[k]; len(p.more) > 0 && len(p.more) < maxHolders {
					for _, h := range append([]int32{p.first}, p.more...) {
						if l.all[h] != nil {
							all[h] = true
						}
					}
				}
			}
		}
	})
	if len(all) > nearLimit {
		return nil, nil, false
	}
	for i := range all {
		near = append(near, i)
	}
	slices.Sort(near)
	return core, near, true
}

// inParts calls do with each complaint under the reading lock, and lets go of it after every
// few: whoever adds complaints waits a moment at most.
func (l *Live) inParts(complaints []int32, do func(i int32)) {
	const few = 8
	for len(complaints) > 0 {
		n := min(few, len(complaints))
		l.mu.RLock()
		for _, i := range complaints[:n] {
			do(i)
		}
		l.mu.RUnlock()
		complaints = complaints[n:]
		if l.cfg.Pause != nil {
			l.cfg.Pause()
		}
	}
}

// places returns where the members of a lasting ring stand.
func (l *Live) places(ring string) []int32 {
	var out []int32
	for _, m := range l.members[ring] {
		if i, ok := l.memberAt[m]; ok {
			out = append(out, i)
		}
	}
	return out
}

// only leaves the rings that have a member in core, and the verdicts of their members.
func (g *Grouping) only(core map[string]bool) {
	keep := map[string]bool{}
	var rings []bonafide.Ring
	var shared [][]SharedKey
	for i, r := range g.Result.Rings {
		if slices.ContainsFunc(r.Members, func(m string) bool { return core[m] }) {
			keep[r.ID] = true
			rings = append(rings, r)
			shared = append(shared, g.Shared[i])
		}
	}
	g.Result.Rings, g.Shared = rings, shared
	g.Result.Complaints = slices.DeleteFunc(g.Result.Complaints, func(v bonafide.Verdict) bool { return !keep[v.Ring] })
	g.Result.Templates = nil
}
