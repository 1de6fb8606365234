package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"bonafide"
	"bonafide/policy"
	"bonafide/signal/document"
	"bonafide/signal/identity"
	"bonafide/signal/text"
)

// maxHolders bounds how many complaints that were filed with one thing are compared
// with a new one: the latest. More is a switchboard.
const maxHolders = 64

// asker holds the buffers of one goroutine that screens.
type asker struct {
	query *text.Query
	words *text.Comparer
}

// Screen compares each complaint of batch with all that stand before it: those kept
// and those earlier in the batch. The first will stand at place first. Times are the
// caller's to set.
func (l *Live) Screen(ctx context.Context, first int64, batch []Reduced) ([]bonafide.Screening, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.screen(ctx, len(l.all), first, batch)
}

// screen is Screen against the complaints at places up to before.
func (l *Live) screen(ctx context.Context, before int, first int64, batch []Reduced) ([]bonafide.Screening, error) {
	// What arrives together meets too: the batch is filed in a small index of its own.
	var among *text.Index
	with := map[bonafide.Key][]int{}
	if len(batch) > 1 {
		among = text.NewIndex(0, len(batch))
		for i, r := range batch {
			among.Add(r.sub.letter.Keys())
			for _, k := range r.sub.things() {
				with[k] = append(with[k], i)
			}
		}
	}
	out := make([]bonafide.Screening, len(batch))
	one := func(i int) error {
		sub := batch[i].sub
		a := l.queries.Get().(*asker)
		defer l.queries.Put(a)
		j := judging{l: l, a: a, sub: sub, before: before, links: map[string][]bonafide.Link{}, others: map[string]*subject{}, beside: map[bonafide.Key][]*subject{}}
		keys := sub.letter.Keys()
		a.words.Weigh(l.corpus)
		a.words.Set(sub.letter)
		own := l.corpus.Own(keys)
		for _, c := range a.query.Candidates(own, before, candidates) {
			j.letter(c.ID)
		}
		if i > 0 {
			for _, c := range text.NewQuery(among).Candidates(own, i, candidates) {
				j.letterOf(batch[c.ID].sub, nil)
			}
		}
		for _, k := range sub.things() {
			for _, h := range with[k] {
				if h < i {
					j.beside[k] = append(j.beside[k], batch[h].sub)
				}
			}
			for _, h := range l.latest(k, before) {
				j.thing(l.all[h])
			}
			for _, s := range j.beside[k] {
				j.thing(s)
			}
		}
		s, err := j.screening()
		s.Seq = first + int64(i)
		s.Compared = int64(min(l.kept, before) + i)
		out[i] = s
		return err
	}
	if len(batch) < 4 {
		for i := range batch {
			if err := one(i); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	errs := make([]error, l.cfg.Workers)
	var wg sync.WaitGroup
	for w := range l.cfg.Workers {
		wg.Go(func() {
			for i := w; i < len(batch) && errs[w] == nil && ctx.Err() == nil; i += l.cfg.Workers {
				errs[w] = guarded(func() error { return one(i) })
			}
		})
	}
	wg.Wait()
	return out, cmp.Or(firstError(errs), ctx.Err())
}

func firstError(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// ScreenKept compares a complaint that is kept already with all before it.
func (l *Live) ScreenKept(ctx context.Context, place int64) (bonafide.Screening, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if place < 1 || place > int64(len(l.all)) || l.all[place-1] == nil {
		return bonafide.Screening{}, &bonafide.Error{Kind: bonafide.NotFound, Msg: "no complaint stands at this place: it may have been erased"}
	}
	all, err := l.screen(ctx, int(place-1), place, []Reduced{{l.all[place-1]}})
	if err != nil {
		return bonafide.Screening{}, err
	}
	return all[0], nil
}

// latest returns the latest complaints at places up to before that were filed with
// a thing, maxHolders at most.
func (l *Live) latest(k bonafide.Key, before int) []int32 {
	p, ok := l.holders[k]
	if !ok || int(p.first) >= before {
		return nil
	}
	n, _ := slices.BinarySearch(p.more, int32(before))
	more := p.more[max(0, n-maxHolders):n]
	if len(more) == maxHolders {
		return more
	}
	return append([]int32{p.first}, more...)
}

// judging is the screening of one complaint.
type judging struct {
	l      *Live
	a      *asker
	sub    *subject
	links  map[string][]bonafide.Link // by the other complaint
	others map[string]*subject
	alike  int                         // different complaints with the same letter
	before int                         // places up to here are compared with
	beside map[bonafide.Key][]*subject // complaints of the batch before this one, by what they share with it
}

func (j *judging) add(other *subject, link bonafide.Link) {
	link.A, link.B = min(j.sub.ID, other.ID), max(j.sub.ID, other.ID)
	for _, have := range j.links[other.ID] {
		if have.Layer == link.Layer {
			return
		}
	}
	j.links[other.ID] = append(j.links[other.ID], link)
	j.others[other.ID] = other
}

// letter compares with the letter of complaint i.
func (j *judging) letter(i int) {
	other := j.l.all[i]
	if other == nil {
		return
	}
	var sums *text.Sums
	if i < len(j.l.sums) {
		sums = &j.l.sums[i]
	}
	j.letterOf(other, sums)
}

func (j *judging) letterOf(other *subject, sums *text.Sums) {
	if other == j.sub || identity.SameCustomer(j.sub.facts, other.facts) {
		return
	}
	var like text.Likeness
	if sums != nil {
		like = j.a.words.WithSums(other.letter, *sums)
	} else {
		like = j.a.words.With(other.letter)
	}
	if like.SameLetter() {
		j.alike++
		j.add(other, bonafide.Link{Layer: bonafide.LayerText, Bits: like.Bits, Why: []bonafide.Reason{like.Reason()}})
	}
}

// thing compares with a complaint that was filed with the same thing.
func (j *judging) thing(other *subject) {
	if other == nil || other == j.sub {
		return
	}
	holders := j.customers
	a := bonafide.Trace{Complaint: j.sub.ID, Body: j.sub.facts}
	b := bonafide.Trace{Complaint: other.ID, Body: other.facts}
	if link, ok := (identity.Signal{Holders: holders, Customers: j.l.kept}).Compare(a, b); ok {
		j.add(other, link)
	}
	if len(j.sub.papers) == 0 || len(other.papers) == 0 || identity.SameCustomer(j.sub.facts, other.facts) {
		return
	}
	a.Body, b.Body = j.sub.papers, other.papers
	if link, ok := (document.Signal{Holders: holders}).Compare(a, b); ok {
		j.add(other, link)
	}
}

// customers counts those filed with a thing, this one included, as far as a few
// complaints tell.
func (j *judging) customers(k bonafide.Key) int {
	seen := map[bonafide.Key]bool{}
	unknown := 0
	count := func(s *subject) {
		if s == nil {
			return
		}
		if len(s.facts.Self) == 0 {
			unknown++
			return
		}
		seen[s.facts.Self[0]] = true
	}
	for _, h := range j.l.latest(k, j.before) {
		count(j.l.all[h])
	}
	for _, s := range j.beside[k] {
		count(s)
	}
	count(j.sub)
	return len(seen) + unknown
}

// screening orders the links and says what is known at once.
func (j *judging) screening() (bonafide.Screening, error) {
	s := bonafide.Screening{Complaint: j.sub.ID}
	hard := 0
	for id, links := range j.links {
		isHard := false
		for _, link := range links {
			s.Links = append(s.Links, link)
			isHard = isHard || link.Layer != bonafide.LayerText
		}
		if r := j.l.rings[id]; isHard {
			hard++
			if r != "" && !slices.Contains(s.Rings, r) {
				s.Rings = append(s.Rings, r)
			}
		}
	}
	slices.Sort(s.Rings)
	slices.SortFunc(s.Links, func(a, b bonafide.Link) int {
		return cmp.Or(cmp.Compare(b.Bits, a.Bits), cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B), cmp.Compare(a.Layer, b.Layer))
	})
	if more := len(s.Links) - bonafide.MaxLinks; more > 0 {
		s.Links, s.More = s.Links[:bonafide.MaxLinks], more
	}
	f := policy.Facts{Complaint: policy.Complaint{
		Channel: string(j.sub.Channel), Product: j.sub.Product, Vulnerable: j.sub.facts.Vulnerable,
	}}
	if rep := j.sub.Representative; rep != nil {
		f.Complaint.Representative, f.Complaint.Confirmed = rep.Type, rep.Confirmed
	}
	if j.alike > 0 {
		f.Letter.Customers = j.alike + 1
	}
	g, err := j.l.cfg.Policy.Grade(f, j.sub.facts.WhitePath)
	if err != nil {
		return s, fmt.Errorf("grade: %w", err)
	}
	s.Route = g.Route
	if g.Level != bonafide.LevelNone || g.Route != bonafide.RouteNone || hard > 0 {
		s.Level = bonafide.Information
	}
	if hard > 0 {
		s.Why = append(s.Why, fmt.Sprintf("shares an identifier or a file with %s by other customers", count(hard, "complaint", "complaints")))
	}
	if j.alike > 0 {
		s.Why = append(s.Why, fmt.Sprintf("shares its wording with %s by other customers, which alone says nothing against anybody", count(j.alike, "complaint", "complaints")))
	}
	return s, nil
}
