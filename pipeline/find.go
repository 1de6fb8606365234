package pipeline

import (
	"cmp"
	"slices"

	"bonafide"
	"bonafide/signal/text"
)

// A Hit is a complaint that holds a passage.
type Hit struct {
	ID    string
	Share float64 // of the passage's pairs of words that stand in the letter, 0 to 1
}

// Bounds of a search.
const (
	passageShingles = 4    // the shortest passage that is looked for
	passageShare    = 0.6  // of the passage that a letter must hold
	passageLetters  = 4000 // looked at, the latest first
)

// Holding returns the complaints whose letters hold a passage, or most of it, those that
// hold most of it first. ok is false where the passage is too short to be told from
// chance.
func (l *Live) Holding(passage string, limit int) (hits []Hit, ok bool) {
	want := text.ParseLetter(passage)
	distinct := slices.Compact(slices.Sorted(slices.Values(want)))
	if len(distinct) < passageShingles {
		return nil, false
	}
	keys := make([]bonafide.Key, len(distinct))
	for i, s := range distinct {
		keys[i] = bonafide.Key(s)
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	seen := map[int]bool{}
	for _, k := range keys {
		l.index.Postings(k, func(id int) { seen[id] = true })
	}
	places := make([]int, 0, len(seen))
	for at := range seen {
		places = append(places, at)
	}
	slices.SortFunc(places, func(a, b int) int { return b - a })
	for _, at := range places[:min(len(places), passageLetters)] {
		sub := l.all[at]
		if sub == nil {
			continue
		}
		have := 0
		in := slices.Sorted(slices.Values(sub.letter))
		for _, s := range distinct {
			if _, found := slices.BinarySearch(in, s); found {
				have++
			}
		}
		if share := float64(have) / float64(len(distinct)); share >= passageShare {
			hits = append(hits, Hit{sub.ID, share})
		}
	}
	slices.SortStableFunc(hits, func(a, b Hit) int { return cmp.Compare(b.Share, a.Share) })
	return hits[:min(len(hits), limit)], true
}

// Filed returns the complaints that were filed with a thing, the latest first, and how
// many there are.
func (l *Live) Filed(k bonafide.Key, limit int) (ids []string, all int) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	p, ok := l.holders[k]
	if !ok {
		return nil, 0
	}
	at := append([]int32{p.first}, p.more...)
	for _, i := range slices.Backward(at) {
		if l.all[i] == nil {
			continue
		}
		if all++; len(ids) < limit {
			ids = append(ids, l.all[i].ID)
		}
	}
	return ids, all
}

// Corpus returns what the last grouping learned of the language; nil before it.
func (l *Live) Corpus() *text.Corpus {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.corpus
}
