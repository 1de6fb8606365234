package pipeline

import (
	"context"
	"hash/maphash"
	"runtime"
	"slices"
	"sync"

	"bonafide"
	"bonafide/policy"
	"bonafide/signal/text"
)

// Live holds what comparisons keep of every complaint of one tenant, in memory,
// and compares new ones with it. It is a cache: the store has the traces, and a new
// process fills it from them.
//
// Any number of goroutines may Reduce, Screen, Group and ask; Keep and Forget wait
// for them. Complaints stand under their place in the order of storing, from 1.
type Live struct {
	cfg    Config
	reduce *reducer

	mu      sync.RWMutex
	all     []*subject // by place - 1; nil where a complaint was erased
	kept    int        // of them not nil
	index   *text.Index
	holders map[bonafide.Key]places
	ids     map[uint64]struct{} // hashes of the ids that were ever kept
	seed    maphash.Seed
	routed  map[bonafide.Key]bool // customers, one of whose complaints goes to a person first
	corpus  *text.Corpus          // of the last grouping, nil before it
	sums    []text.Sums           // of the letters that took part in it
	learned *learned              // by it
	queries sync.Pool

	policy, shadow *policy.Pack // set by Rule; nil before it
	public         []text.Public
	spared         map[string]bool // complaints that take no part in groupings
	known          map[string]Known
	muted          []string              // kinds of evidence that take no part in groupings
	frail          map[bonafide.Key]bool // customers whom people found to need care
	care           map[bonafide.Key]bool // customers whom people found to need care, or confirmed a representative of

	rings    map[string]string   // the lasting ring of each member
	members  map[string][]string // of each lasting ring
	memberAt map[string]int32    // place - 1 of each member
}

// places are the complaints that were filed with one thing, by place - 1: most
// things have one.
type places struct {
	first int32
	more  []int32
}

// NewLive returns an empty Live for about expect complaints.
func NewLive(cfg Config, expect int) *Live {
	if cfg.Workers <= 0 {
		cfg.Workers = runtime.GOMAXPROCS(0)
	}
	if cfg.Progress == nil {
		cfg.Progress = func(string, int, int) {}
	}
	l := &Live{
		cfg: cfg, reduce: newReducer(cfg.Normalize, cfg.Secret),
		index:   text.NewIndex(expect+expect/4, 0),
		holders: make(map[bonafide.Key]places, 2*expect), rings: map[string]string{},
		ids: make(map[uint64]struct{}, expect), routed: map[bonafide.Key]bool{}, seed: maphash.MakeSeed(),
	}
	l.all = make([]*subject, 0, expect+expect/4)
	l.queries.New = func() any { return &asker{query: text.NewQuery(l.index), words: text.NewComparer(nil)} }
	return l
}

// Reduce makes of c what comparisons keep of it.
func (l *Live) Reduce(ctx context.Context, c *bonafide.Complaint) (Reduced, error) {
	sub, err := l.reduce.run(ctx, c)
	if err != nil {
		return Reduced{}, err
	}
	sub.Text, sub.Name, sub.keys = "", "", nil
	return Reduced{sub}, nil
}

// Keeper returns what hashes the tenant's values.
func (l *Live) Keeper() *Keeper { return l.reduce.keeper }

// Last returns the place of the last complaint kept.
func (l *Live) Last() int64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return int64(len(l.all))
}

// Keep takes complaints that are stored, the first at place first. Places between
// the last one kept and first are taken as erased.
func (l *Live) Keep(first int64, batch []Reduced) {
	keys := make([][]bonafide.Key, len(batch))
	for i, r := range batch {
		keys[i] = r.sub.letter.Keys()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for int64(len(l.all)) < first-1 {
		l.all = append(l.all, nil)
		l.index.Add(nil)
	}
	for i, r := range batch {
		at := int32(len(l.all))
		l.all = append(l.all, r.sub)
		l.kept++
		if f := r.sub.facts; f.Vulnerable || f.WhitePath {
			for _, k := range f.Self {
				l.routed[k] = true
			}
		}
		l.ids[maphash.String(l.seed, r.sub.ID)] = struct{}{}
		l.index.Add(keys[i])
		for _, k := range r.sub.things() {
			p, ok := l.holders[k]
			if !ok {
				p.first = at
			} else {
				p.more = append(p.more, at)
			}
			l.holders[k] = p
		}
	}
}

// Met reports whether a complaint with the id may have been kept. False is certain,
// but says nothing of those that were erased before this process began.
func (l *Live) Met(id string) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	_, ok := l.ids[maphash.String(l.seed, id)]
	return ok
}

// Skip says that every place up to last is taken, if only by erased complaints.
func (l *Live) Skip(last int64) { l.Keep(last+1, nil) }

// Forget drops erased complaints. Their places stay.
func (l *Live) Forget(ids []string) {
	gone := map[string]bool{}
	for _, id := range ids {
		gone[id] = true
	}
	l.mu.RLock()
	all := slices.Clone(l.all)
	l.mu.RUnlock()
	var at []int
	for i, sub := range all {
		if sub != nil && gone[sub.ID] {
			at = append(at, i)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, i := range at {
		if l.all[i] != nil {
			l.all[i] = nil
			l.kept--
		}
	}
}

// OfCustomer returns the complaints that one of a customer's keys stands in.
func (l *Live) OfCustomer(self bonafide.Key) []string {
	l.mu.RLock()
	all := slices.Clone(l.all)
	l.mu.RUnlock()
	var out []string
	for _, sub := range all {
		if sub != nil && slices.Contains(sub.facts.Self, self) {
			out = append(out, sub.ID)
		}
	}
	return out
}

// Selves adds to self the customers of members of lasting rings, where they are not
// in it, and returns which of the members belong to a customer who goes to a person
// first: one of their complaints is flagged as vulnerable or came through a declared
// representative.
func (l *Live) Selves(self map[string]bonafide.Key, members []string) (routed map[string]bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	routed = map[string]bool{}
	for _, m := range members {
		if i, ok := l.memberAt[m]; ok && l.all[i] != nil && self[m] == 0 && len(l.all[i].facts.Self) > 0 {
			self[m] = l.all[i].facts.Self[0]
		}
		if k := self[m]; k != 0 && (l.routed[k] || l.care[k]) {
			routed[m] = true
		}
	}
	return routed
}

// things are the keys of what a complaint was filed and handed in with, each once.
func (s *subject) things() []bonafide.Key {
	var out []bonafide.Key
	for _, f := range s.facts.Filed {
		if f.Key != 0 && !slices.Contains(out, f.Key) {
			out = append(out, f.Key)
		}
	}
	for _, p := range s.papers {
		if !slices.Contains(out, p.Key) {
			out = append(out, p.Key)
		}
	}
	return out
}

// A Grouping is what joining all evidence anew gives. Ids of rings and
// templates name their members; lasting ids are given by whoever stores them.
type Grouping struct {
	Result *bonafide.Result
	Last   int64                   // place of the last complaint that took part
	Shared [][]SharedKey           // of each ring of the result
	Self   map[string]bonafide.Key // of each member of a ring: the key of its customer, 0 if unknown
	Shadow *bonafide.Result        // by the policy in shadow; nil where there is none
}

// Group joins the evidence of all complaints kept, as a scan of them would, and
// makes what it learns of the language the measure of later screenings. apart
// are pairs of complaints that a person said are not linked.
func (l *Live) Group(ctx context.Context, apart [][2]string) (*Grouping, error) {
	s, places, shadow := l.everything(apart)
	letters, found, err := s.compare(ctx)
	if err != nil {
		return nil, err
	}
	w, err := s.result(letters, found, bonafide.Read{Accepted: len(s.all)}, nil)
	if err != nil {
		return nil, err
	}
	out := w.grouping(int64(len(places)))
	if shadow != nil {
		if out.Shadow, err = s.graded(letters, found, shadow); err != nil {
			return nil, err
		}
	}
	at := make(map[*subject]int32, len(s.all))
	for i, sub := range s.all {
		at[sub] = int32(i)
	}
	sums := make([]text.Sums, len(places))
	var alone *text.Comparer
	for i, sub := range places {
		k, took := at[sub]
		switch {
		case sub == nil:
		case took:
			sums[i] = letters.sums[k]
		default: // spared, and compared with all the same
			if alone == nil {
				alone = text.NewComparer(letters.corpus)
			}
			alone.Set(sub.letter)
			sums[i] = alone.Sums()
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(s.all) < leastCorpus {
		return out, nil
	}
	l.corpus, l.sums = letters.corpus, sums
	l.learned = &learned{
		corpus: letters.corpus, drawn: found.drawn, rhythm: w.rhythm, usage: w.usage, days: w.days, complaints: len(s.all),
		incidents: found.incidents,
	}
	return out, nil
}

// everything returns a scanner of all complaints kept, by place too, and the policy in
// shadow.
func (l *Live) everything(apart [][2]string) (s *Scanner, places []*subject, shadow *policy.Pack) {
	l.mu.RLock()
	s, shadow = &Scanner{cfg: l.rules(), apart: apart, bare: true}, l.shadow
	places = slices.Clone(l.all)
	l.mu.RUnlock()
	s.all = make([]*subject, 0, len(places))
	l.mu.RLock()
	spared := l.spared
	s.known, s.muted, s.frail = l.known, l.muted, l.frail
	l.mu.RUnlock()
	for _, sub := range places {
		if sub != nil && !spared[sub.ID] {
			s.all = append(s.all, sub)
		}
	}
	return s, places, shadow
}

// Spare keeps complaints out of groupings from now on, instead of those spared before:
// nothing is joined through them, and nothing is proposed about them.
func (l *Live) Spare(ids []string) {
	spared := make(map[string]bool, len(ids))
	for _, id := range ids {
		spared[id] = true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spared = spared
}

// leastCorpus is how many letters tell rare words from common ones: by fewer, every
// shingle of a copied letter would look common.
const leastCorpus = 50

// beside returns the config of work that goes on beside screenings: half of the cores.
func (l *Live) beside() Config {
	c := l.cfg
	c.Workers = max(1, c.Workers/2)
	c.Progress = func(string, int, int) {}
	return c
}

// grouping returns what the writer put together.
func (w *writer) grouping(last int64) *Grouping {
	out := &Grouping{Result: w.out, Last: last, Shared: w.keys, Self: map[string]bonafide.Key{}}
	for _, r := range w.rings.found {
		for _, m := range r.Members {
			if self := w.all[m].facts.Self; len(self) > 0 {
				out.Self[w.all[m].ID] = self[0]
			}
		}
	}
	return out
}

// Belong says which complaints are in which lasting ring: screenings name it, and new
// complaints are joined with all of it.
// cleared are those that a person cleared: screenings do not name them.
func (l *Live) Belong(members map[string][]string, cleared map[string]bool) {
	rings, in := map[string]string{}, map[string]bool{}
	for r, ms := range members {
		for _, m := range ms {
			in[m] = true
			if !cleared[r] {
				rings[m] = r
			}
		}
	}
	at := make(map[string]int32, len(rings))
	l.mu.RLock()
	all := slices.Clone(l.all)
	l.mu.RUnlock()
	for i, sub := range all {
		if sub != nil && in[sub.ID] {
			at[sub.ID] = int32(i)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rings, l.members, l.memberAt = rings, members, at
}

// Join adds lasting rings, or replaces their members by more.
func (l *Live) Join(members map[string][]string) {
	if len(members) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	unplaced := map[string]bool{}
	for r, ms := range members {
		if l.members == nil {
			l.members, l.memberAt = map[string][]string{}, map[string]int32{}
		}
		l.members[r] = ms
		for _, m := range ms {
			l.rings[m] = r
			if _, ok := l.memberAt[m]; !ok {
				unplaced[m] = true
			}
		}
	}
	// New members are among the last complaints: look from the end, and not at all of them.
	for i := len(l.all) - 1; i >= max(0, len(l.all)-10*nearLimit) && len(unplaced) > 0; i-- {
		if sub := l.all[i]; sub != nil && unplaced[sub.ID] {
			l.memberAt[sub.ID] = int32(i)
			delete(unplaced, sub.ID)
		}
	}
}
