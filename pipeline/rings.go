package pipeline

import (
	"cmp"
	"context"
	"slices"

	"bonafide"
	"bonafide/ring"
	"bonafide/signal/identity"
	"bonafide/signal/text"
)

// thing is what complaints share, with the key under which they met.
type thing struct {
	ring.Thing
	key bonafide.Key
}

// rings is what the joined evidence shows.
type rings struct {
	customer  []int32 // of each complaint
	customers int
	things    []thing
	found     []ring.Found
}

// findRings joins the evidence of all layers.
func (s *Scanner) findRings(ctx context.Context, l *letters) (*rings, error) {
	out := &rings{}
	query := text.NewQuery(l.index)
	out.customer, out.customers = s.customers()
	out.things = s.things(out.customer)
	days := make([]int32, len(s.all))
	white := make([]bool, len(s.all))
	for i, sub := range s.all {
		if !sub.Received.IsZero() {
			days[i] = int32(sub.Received.Unix() / 86400)
		}
		white[i] = sub.facts.WhitePath
	}
	b := s.newBackground(l)
	if err := b.measure(ctx, out.things); err != nil {
		return nil, err
	}
	e := ring.Evidence{
		Customer: out.customer, Day: days, White: white,
		Relation: func(a, b int32) bonafide.Relation { return identity.Related(s.all[a].facts, s.all[b].facts) },
		Alike:    b.alike,
		Near: func(a int32) []int32 {
			var near []int32
			for _, c := range query.Candidates(s.all[a].keys, len(s.all), 2*candidates) {
				near = append(near, int32(c.ID))
			}
			return near
		},
	}
	for _, t := range out.things {
		e.Things = append(e.Things, t.Thing)
	}
	out.found = ring.Find(e, ring.Tuned)
	return out, nil
}

// customers numbers the customers behind the complaints.
func (s *Scanner) customers() (of []int32, count int) {
	u := ring.NewUnion(len(s.all))
	first := map[bonafide.Key]int32{}
	for i, sub := range s.all {
		for _, k := range sub.facts.Self {
			if j, ok := first[k]; ok {
				u.Join(j, int32(i))
			} else {
				first[k] = int32(i)
			}
		}
	}
	of = make([]int32, len(s.all))
	for i := range of {
		of[i] = u.Root(int32(i))
		if of[i] == int32(i) {
			count++
		}
	}
	return of, count
}

// things collects what complaints by at least two customers share.
func (s *Scanner) things(customer []int32) []thing {
	type use struct {
		key    bonafide.Key
		holder int32
		kind   string
		family bonafide.Family
		place  bool
	}
	var uses []use
	for i, sub := range s.all {
		for _, f := range sub.facts.Filed {
			if f.Key != 0 {
				uses = append(uses, use{f.Key, int32(i), string(f.Kind), f.Kind.Family(), identity.Place(f.Kind)})
			}
		}
		for _, p := range sub.papers {
			uses = append(uses, use{p.Key, int32(i), "document", bonafide.FamilyDocument, false})
		}
	}
	slices.SortFunc(uses, func(a, b use) int {
		if c := cmp.Compare(a.key, b.key); c != 0 {
			return c
		}
		return cmp.Compare(a.holder, b.holder)
	})
	var out []thing
	for lo := 0; lo < len(uses); {
		hi := lo + 1
		several := false
		for hi < len(uses) && uses[hi].key == uses[lo].key {
			several = several || customer[uses[hi].holder] != customer[uses[lo].holder]
			hi++
		}
		if several {
			t := thing{key: uses[lo].key, Thing: ring.Thing{Kind: uses[lo].kind, Family: uses[lo].family, Place: uses[lo].place}}
			for _, u := range uses[lo:hi] {
				if n := len(t.Holders); n == 0 || t.Holders[n-1] != u.holder {
					t.Holders = append(t.Holders, u.holder)
				}
			}
			out = append(out, t)
		}
		lo = hi
	}
	// Keys depend on the secret; the order of things must not.
	slices.SortFunc(out, func(a, b thing) int {
		if c := slices.Compare(a.Holders, b.Holders); c != 0 {
			return c
		}
		return cmp.Compare(a.Kind, b.Kind)
	})
	return out
}

// background judges likeness between letters against strangers on the topic.
type background struct {
	s      *Scanner
	l      *letters
	b      *text.Background
	levels []text.Level // of complaints that share something
	m      *text.Comparer
	set    int32
}

func (s *Scanner) newBackground(l *letters) *background {
	all := make([]text.Letter, len(s.all))
	for i, sub := range s.all {
		all[i] = sub.letter
	}
	return &background{
		s: s, l: l, b: text.NewBackground(l.corpus, all, l.sums), levels: make([]text.Level, len(s.all)),
		m: text.NewComparer(l.corpus), set: -1,
	}
}

// measure finds the level of every complaint that shares something that can tie.
func (b *background) measure(ctx context.Context, things []thing) error {
	need := make([]bool, len(b.s.all))
	for _, t := range things {
		for _, h := range t.Holders[:min(len(t.Holders), 500)] {
			need[h] = true
		}
	}
	var ids []int32
	for i, yes := range need {
		if yes {
			ids = append(ids, int32(i))
		}
	}
	return b.s.fan(ctx, "weighing what is shared", len(ids), func(lo, hi int) error {
		m := text.NewComparer(b.l.corpus)
		for _, i := range ids[lo:hi] {
			m.Set(b.s.all[i].letter)
			b.levels[i] = b.b.Level(m)
		}
		return nil
	})
}

// alike is the mean, over both letters, of how far their likeness stands above
// that of strangers on the topic.
func (b *background) alike(x, y int32) float64 {
	if b.set != x {
		b.m.Set(b.s.all[x].letter)
		b.set = x
	}
	c := b.m.WithSums(b.s.all[y].letter, b.l.sums[y]).Cosine
	return (b.level(x).Above(c) + b.level(y).Above(c)) / 2
}

func (b *background) level(i int32) text.Level {
	if b.levels[i].Deviation == 0 {
		m := text.NewComparer(b.l.corpus)
		m.Set(b.s.all[i].letter)
		b.levels[i] = b.b.Level(m)
	}
	return b.levels[i]
}
