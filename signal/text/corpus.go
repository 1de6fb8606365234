package text

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"bonafide"
)

// A Corpus knows how common each shingle is among all letters, and which
// passages are common property. It is learned once and then only read.
type Corpus struct {
	n      int
	df     []uint32 // hashed counters: letters that hold the shingle
	common map[uint32]struct{}
	// weights holds the weight of a shingle by its frequency, and maybe one bit for
	// each of 65,536 classes of shingles that has a common one: both spare the slow way.
	weights [4096]float32
	maybe   [1024]uint64
}

// NewCorpus counts in how many letters each shingle stands. Counters are shared by
// hash, so a count can be too high, by less than one on average. pause, where it is not
// nil, is called often: it may hold the work up so that other work goes first.
func NewCorpus(letters []Letter, workers int, pause func()) *Corpus {
	size := 1 << 16
	total := 0
	for _, l := range letters {
		total += len(l)
	}
	for size < total/2 && size < 1<<27 {
		size *= 2
	}
	c := &Corpus{n: len(letters), df: make([]uint32, size)}
	for df := range c.weights {
		c.weights[df] = float32(math.Log2(1 + float64(c.n)/float64(max(1, df))))
	}
	mask := uint32(size - 1)
	fan(len(letters), workers, func(lo, hi int) {
		var seen marks
		for i, l := range letters[lo:hi] {
			if pause != nil && i%128 == 0 {
				pause()
			}
			seen.reset(len(l))
			for _, s := range l {
				if seen.add(s) {
					atomic.AddUint32(&c.df[s&mask], 1)
				}
			}
		}
	})
	return c
}

// fan runs work on parts of 0..n in parallel and waits.
func fan(n, workers int, work func(lo, hi int)) {
	workers = max(1, min(workers, n))
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() { work(n*w/workers, n*(w+1)/workers) })
	}
	wg.Wait()
}

// Frequency returns in about how many letters s stands.
func (c *Corpus) Frequency(s uint32) int {
	if c == nil {
		return 1
	}
	return int(c.df[s&uint32(len(c.df)-1)])
}

// Weight returns the weight of a shared shingle in bits: log2(1 + n/df), the
// inverse document frequency, and nothing for common passages.
func (c *Corpus) Weight(s uint32) float64 {
	if c == nil {
		return 1
	}
	if c.IsCommon(s) {
		return 0
	}
	df := c.df[s&uint32(len(c.df)-1)]
	if int(df) < len(c.weights) {
		return float64(c.weights[df])
	}
	return math.Log2(1 + float64(c.n)/float64(df))
}

// IsCommon reports whether s belongs to a passage that many otherwise
// different letters quote.
func (c *Corpus) IsCommon(s uint32) bool {
	if c == nil || c.maybe[s>>22]&(1<<(s>>16&63)) == 0 {
		return false
	}
	_, ok := c.common[s]
	return ok
}

// Own leaves out the keys that belong to common passages: letters that share no
// more than a statute need not be compared.
func (c *Corpus) Own(keys []bonafide.Key) []bonafide.Key {
	common := func(k bonafide.Key) bool { return c.IsCommon(uint32(k)) }
	if !slices.ContainsFunc(keys, common) {
		return keys
	}
	return slices.DeleteFunc(slices.Clone(keys), common)
}

// Common passages are learned from the corpus itself: a run of at least
// quoteRun shingles that stands in at least quoteLetters letters, which are
// unlike each other outside the run.
const (
	quoteRun     = 6
	quoteLetters = 4
	quoteSample  = 10   // letters looked at for each shingle
	quoteContext = 0.15 // mean Jaccard outside the run below which letters are unlike
)

// LearnCommon finds the passages that are common property: quoted statute,
// portal footers, greetings. Each sampled shingle filed in x is tested on the
// letters that hold it; x must be an index of letters. pause is as for [NewCorpus].
func (c *Corpus) LearnCommon(letters []Letter, x *Index, workers int, pause func()) {
	var keys []bonafide.Key
	for i := range x.slots {
		if s := &x.slots[i]; s.count >= quoteLetters {
			keys = append(keys, bonafide.Key(s.key))
		}
	}
	slices.Sort(keys) // the same order whatever the table's layout
	var mu sync.Mutex
	common := map[uint32]struct{}{}
	fan(len(keys), workers, func(lo, hi int) {
		mine := map[uint32]struct{}{}
		var t quoteTest
		for i, k := range keys[lo:hi] {
			if pause != nil && i%64 == 0 {
				pause()
			}
			t.run(letters, x, k, mine)
		}
		mu.Lock()
		defer mu.Unlock()
		for s := range mine {
			common[s] = struct{}{}
		}
	})
	c.common = common
	for s := range common {
		c.maybe[s>>22] |= 1 << (s >> 16 & 63)
	}
}

// quoteTest holds the buffers of one worker of LearnCommon.
type quoteTest struct {
	ids  []int
	seen marks
}

// run tests the shingle key and adds the passage around it to common if the letters that
// hold it are otherwise different.
func (t *quoteTest) run(letters []Letter, x *Index, key bonafide.Key, common map[uint32]struct{}) {
	t.ids = t.ids[:0]
	x.Postings(key, func(id int) { t.ids = append(t.ids, id) })
	slices.Sort(t.ids)
	if len(t.ids) > quoteSample { // spread over the whole list
		step := float64(len(t.ids)) / quoteSample
		for i := range quoteSample {
			t.ids[i] = t.ids[int(float64(i)*step)]
		}
		t.ids = t.ids[:quoteSample]
	}
	// Most keys are phrases: no two letters share a long run around them.
	long := false
	for i := range t.ids {
		for j := i + 1; j < len(t.ids) && !long; j++ {
			run, _, ok := around(letters[t.ids[i]], letters[t.ids[j]], uint32(key))
			long = ok && run.hi-run.lo >= quoteRun
		}
	}
	if !long {
		return
	}
	var sum float64
	pairs, unlike := 0, 0
	var passage []uint32
	for i := range t.ids {
		for j := i + 1; j < len(t.ids); j++ {
			a, b := letters[t.ids[i]], letters[t.ids[j]]
			run, rest, ok := outside(&t.seen, a, b, uint32(key))
			if !ok {
				continue
			}
			pairs++
			sum += rest
			if rest < quoteContext && run.hi-run.lo >= quoteRun {
				unlike++
				passage = append(passage, a[run.lo:run.hi]...)
			}
		}
	}
	if pairs == 0 || sum/float64(pairs) >= quoteContext || unlike*2 < pairs {
		return
	}
	// What at least a quarter of the unlike pairs share around the key is the quotation.
	slices.Sort(passage)
	for i := 0; i < len(passage); {
		j := i
		for j < len(passage) && passage[j] == passage[i] {
			j++
		}
		if (j-i)*4 >= unlike {
			common[passage[i]] = struct{}{}
		}
		i = j
	}
}

type span struct{ lo, hi int }

// around finds the run of shared shingles around the first key in a and b: as a
// range of a, and where it starts in b.
func around(a, b Letter, key uint32) (run span, there int, ok bool) {
	i, j := slices.Index(a, key), slices.Index(b, key)
	if i < 0 || j < 0 {
		return span{}, 0, false
	}
	lo, hi := 0, 1
	for i+lo > 0 && j+lo > 0 && a[i+lo-1] == b[j+lo-1] {
		lo--
	}
	for i+hi < len(a) && j+hi < len(b) && a[i+hi] == b[j+hi] {
		hi++
	}
	return span{i + lo, i + hi}, j + lo, true
}

// outside finds the run of shared shingles around key in a and b and returns
// it as a range of a, with the Jaccard likeness of what lies outside it. Two
// letters with nothing outside the run are one letter: their rest is 1.
func outside(seen *marks, a, b Letter, key uint32) (run span, rest float64, ok bool) {
	run, there, ok := around(a, b, key)
	if !ok {
		return run, 0, false
	}
	if max(len(a), len(b)) <= (run.hi-run.lo)*5/4 {
		return run, 1, true // both are little but the passage
	}
	seen.reset(len(a))
	n := 0
	for x, s := range a {
		if (x < run.lo || x >= run.hi) && seen.add(s) {
			n++
		}
	}
	both, more := 0, 0
	for x, s := range b {
		if x >= there && x < there+run.hi-run.lo {
			continue
		}
		if seen.take(s) {
			both++
		} else {
			more++
		}
	}
	if n+more == 0 {
		return run, 1, true
	}
	return run, float64(both) / float64(n+more), true
}

// A Likeness is what two letters have in common.
type Likeness struct {
	Jaccard float64 // weighted by rarity, common passages left out; 0 to 1
	Cosine  float64 // of the weights squared; 0 to 1
	Overlap float64 // weighted share of the shorter letter that stands in the other
	Plain   float64 // Jaccard with every shingle counted alike, common passages too
	Bits    float64 // sum of the weights shared
	Words   int     // shingles shared that are nobody's common property
	Common  int     // shingles shared that belong to common passages
	OwnA    int     // shingles of a outside common passages
	OwnB    int
}

// Thresholds of SameLetter, chosen by reading pairs of real complaints; see
// docs/evaluation.md.
const (
	sameJaccard = 0.40
	sameOverlap = 0.95
	sameWords   = 12
)

// SameLetter reports whether the two letters share a template rather than a
// phrase or a quotation.
func (l Likeness) SameLetter() bool {
	if l.Words < sameWords {
		// Short letters must agree in nearly all they say themselves.
		return l.Words >= 6 && 5*l.Words >= 4*max(l.OwnA, l.OwnB)
	}
	return l.Jaccard >= sameJaccard || l.Overlap >= sameOverlap && l.Jaccard >= sameJaccard/2
}

// Reason says in words what is shared.
func (l Likeness) Reason() bonafide.Reason {
	return bonafide.Reason{
		Family: bonafide.FamilyText,
		Text:   fmt.Sprintf("%d %% of the rarer wording is the same (%d word pairs)", int(math.Round(100*l.Jaccard)), l.Words),
		Bits:   l.Bits,
	}
}

// Likeness compares two letters on all their shingles.
func (c *Corpus) Likeness(a, b Letter) Likeness {
	m := NewComparer(c)
	m.Set(a)
	return m.With(b)
}

// A Comparer holds one letter and compares others with it. It belongs to one
// goroutine.
type Comparer struct {
	c       *Corpus
	table   []entry
	stamp   uint32 // of the letter set
	round   uint32 // of the letter compared
	size    int
	weight  float64
	squares float64
	own     int
	other   marks
}

type entry struct {
	key    uint32
	stamp  uint32
	round  uint32
	weight float32 // negative: common
}

// NewComparer returns a comparer that weighs by c; c may be nil.
func NewComparer(c *Corpus) *Comparer { return &Comparer{c: c} }

// Weigh makes c the corpus that weighs the letters set from now on; c may be nil.
func (m *Comparer) Weigh(c *Corpus) { m.c = c }

// Set makes a the letter that others are compared with.
func (m *Comparer) Set(a Letter) {
	size := 64
	for size < 2*len(a)+2 {
		size *= 2
	}
	if size > len(m.table) {
		m.table = make([]entry, size)
		m.stamp, m.round = 0, 0
	}
	m.stamp++
	m.size, m.weight, m.squares, m.own = 0, 0, 0, 0
	for _, s := range a {
		e := m.find(s)
		if e.stamp == m.stamp {
			continue
		}
		w := m.c.Weight(s)
		*e = entry{key: s, stamp: m.stamp, weight: float32(w)}
		m.size++
		if w > 0 {
			m.own++
			m.weight += w
			m.squares += w * w
		}
	}
}

func (m *Comparer) find(key uint32) *entry {
	mask := uint32(len(m.table) - 1)
	for i := (key * 0x9E3779B1) >> 7 & mask; ; i = (i + 1) & mask {
		if e := &m.table[i]; e.stamp != m.stamp || e.key == key {
			return e
		}
	}
}

// Sums are the totals of one letter's distinct shingles.
type Sums struct {
	Size, Own       int32
	Weight, Squares float32
}

// Sums adds up the letter that is set.
func (m *Comparer) Sums() Sums {
	return Sums{Size: int32(m.size), Own: int32(m.own), Weight: float32(m.weight), Squares: float32(m.squares)}
}

// With compares the letter that is set with b.
func (m *Comparer) With(b Letter) Likeness {
	var sums Sums
	m.other.reset(len(b))
	for _, s := range b {
		if !m.other.add(s) {
			continue
		}
		w := m.c.Weight(s)
		sums.Size++
		if w > 0 {
			sums.Own++
			sums.Weight += float32(w)
			sums.Squares += float32(w * w)
		}
	}
	return m.WithSums(b, sums)
}

// WithSums is With for a letter whose totals are known already.
func (m *Comparer) WithSums(b Letter, sums Sums) Likeness {
	m.round++
	var both, words, common int
	var weight, squares float64
	for _, s := range b {
		e := m.find(s)
		if e.stamp != m.stamp || e.key != s || e.round == m.round {
			continue
		}
		e.round = m.round
		both++
		if w := float64(e.weight); w > 0 {
			words++
			weight += w
			squares += w * w
		} else {
			common++
		}
	}
	l := Likeness{Words: words, Common: common, Bits: weight, OwnA: m.own, OwnB: int(sums.Own)}
	if all := m.size + int(sums.Size) - both; all > 0 {
		l.Plain = float64(both) / float64(all)
	}
	if all := m.weight + float64(sums.Weight) - weight; all > 0 {
		l.Jaccard = weight / all
	}
	if least := min(m.weight, float64(sums.Weight)); least > 0 {
		l.Overlap = weight / least
	}
	if all := math.Sqrt(m.squares * float64(sums.Squares)); all > 0 {
		l.Cosine = squares / all
	}
	return l
}

// marks is a set of shingles that is emptied in constant time.
type marks struct {
	table []struct{ key, stamp uint32 }
	stamp uint32
}

func (m *marks) reset(n int) {
	size := 64
	for size < 2*n+2 {
		size *= 2
	}
	if size > len(m.table) {
		m.table = make([]struct{ key, stamp uint32 }, size)
		m.stamp = 0
	}
	m.stamp += 2
}

// add adds s and reports whether it is new.
func (m *marks) add(s uint32) bool {
	mask := uint32(len(m.table) - 1)
	for i := (s * 0x9E3779B1) >> 7 & mask; ; i = (i + 1) & mask {
		e := &m.table[i]
		if e.stamp != m.stamp && e.stamp != m.stamp+1 {
			e.key, e.stamp = s, m.stamp
			return true
		}
		if e.key == s {
			return false
		}
	}
}

// take reports whether s was added and not taken yet, and takes it.
func (m *marks) take(s uint32) bool {
	mask := uint32(len(m.table) - 1)
	for i := (s * 0x9E3779B1) >> 7 & mask; ; i = (i + 1) & mask {
		e := &m.table[i]
		if e.stamp != m.stamp && e.stamp != m.stamp+1 {
			return false
		}
		if e.key == s {
			if e.stamp == m.stamp {
				e.stamp++
				return true
			}
			return false
		}
	}
}
