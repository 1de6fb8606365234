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
	drawn     *text.Background
	incidents []bonafide.Incident
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
	v := s.newVoices(l)
	if err := v.draw(ctx, out.things); err != nil {
		return nil, err
	}
	e := ring.Evidence{
		Customer: out.customer, Day: days, White: white,
		Relation: func(a, b int32) bonafide.Relation { return identity.Related(s.all[a].facts, s.all[b].facts) },
		Alike:    v.alike,
		Voice:    func(a, b int32) float64 { return v.profile(a).Above(v.letter(b)) },
		Near: func(a int32) []int32 {
			s.pause()
			var near []int32
			for _, c := range query.Candidates(s.all[a].filed(), len(s.all), 2*candidates) {
				near = append(near, int32(c.ID))
			}
			return near
		},
	}
	for _, t := range out.things {
		e.Things = append(e.Things, t.Thing)
	}
	e.Apart = s.keptApart()
	out.drawn = v.drawn
	out.found = ring.Find(e, ring.Tuned)
	return out, nil
}

// keptApart numbers the complaints that are not linked.
func (s *Scanner) keptApart() [][2]int32 {
	if len(s.apart) == 0 {
		return nil
	}
	at := map[string]int32{}
	for i, sub := range s.all {
		at[sub.ID] = int32(i)
	}
	var out [][2]int32
	for _, p := range s.apart {
		a, ok := at[p[0]]
		b, too := at[p[1]]
		if ok && too {
			out = append(out, [2]int32{a, b})
		}
	}
	return out
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

// whole reports whether uses, the uses of a thing among these complaints, are all
// there are: of a part of the complaints a thing says nothing that others use too.
func (s *Scanner) whole(k bonafide.Key, uses int) bool {
	return s.part == nil || uses >= s.part.uses(k)
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
			if f.Key != 0 && !slices.Contains(s.muted, string(f.Kind)) {
				uses = append(uses, use{f.Key, int32(i), string(f.Kind), f.Kind.Family(), identity.Place(f.Kind)})
			}
		}
		for _, p := range sub.papers {
			if slices.Contains(s.muted, "document") {
				break
			}
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
		if several && s.whole(uses[lo].key, hi-lo) {
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

// voices judges likeness between letters against strangers on the topic.
type voices struct {
	s        *Scanner
	corpus   *text.Corpus
	drawn    *text.Background
	letters  []text.Letter   // parsed when needed
	profiles []*text.Profile // of complaints that share something, drawn when needed
}

func (s *Scanner) newVoices(l *letters) *voices {
	v := &voices{s: s, corpus: l.corpus, letters: make([]text.Letter, len(s.all)), profiles: make([]*text.Profile, len(s.all))}
	if s.part != nil {
		v.drawn = s.part.drawn
		return v
	}
	var drawn []text.Letter
	for _, i := range text.Draw(len(s.all)) {
		drawn = append(drawn, v.letter(int32(i)))
	}
	v.drawn = text.NewBackground(drawn)
	return v
}

// letter is what the voice of complaint i is judged by.
func (v *voices) letter(i int32) text.Letter {
	if v.letters[i] == nil {
		sub := v.s.all[i]
		v.letters[i] = v.corpus.Voice(sub.letter, sub.pairs)
	}
	return v.letters[i]
}

// draw draws the profiles of the complaints that share something, on all cores.
func (v *voices) draw(ctx context.Context, things []thing) error {
	need := make([]bool, len(v.s.all))
	for _, t := range things {
		for _, h := range t.Holders[:min(len(t.Holders), maxProfiles)] {
			need[h] = true
		}
	}
	var ids []int32
	for i, yes := range need {
		if yes {
			ids = append(ids, int32(i))
		}
	}
	return v.s.fan(ctx, "weighing what is shared", len(ids), func(lo, hi int) error {
		for _, i := range ids[lo:hi] {
			v.profiles[i] = v.drawn.Profile(v.letter(i))
		}
		return nil
	})
}

// maxProfiles bounds how many holders of one thing get a profile beforehand: a
// switchboard's are looked at by sample only.
const maxProfiles = 64

// alike is the mean, over both letters, of how far what they share stands above
// what strangers on the topic share.
func (v *voices) alike(a, b int32) float64 {
	return (v.profile(a).Above(v.letter(b)) + v.profile(b).Above(v.letter(a))) / 2
}

func (v *voices) profile(i int32) *text.Profile {
	if v.profiles[i] == nil {
		v.s.pause()
		v.profiles[i] = v.drawn.Profile(v.letter(i))
	}
	return v.profiles[i]
}
