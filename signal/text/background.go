package text

import (
	"math"
	"slices"
)

// A Background tells how alike strangers write about the same trouble, so that
// a likeness can be judged against it: two letters about night-time calls share
// many words by nature, and only what goes beyond that says anything.
type Background struct {
	c       *Corpus
	letters []Letter
	sums    []Sums
}

// How the background is drawn: letters compared with, and the share of them
// (the most alike) that stands for "strangers on the same topic".
const (
	backgroundSize = 600
	topicShare     = 0.08
	topicLeast     = 12
)

// NewBackground draws the background evenly from letters, in their order.
func NewBackground(c *Corpus, letters []Letter, sums []Sums) *Background {
	b := &Background{c: c}
	n := len(letters)
	m := min(n, backgroundSize)
	for i := range m {
		k := i * n / m
		if len(letters[k]) > 0 {
			b.letters = append(b.letters, letters[k])
			b.sums = append(b.sums, sums[k])
		}
	}
	return b
}

// A Level is how alike strangers on the topic of one letter are to it: the median
// of their cosines and a robust deviation.
type Level struct{ Median, Deviation float64 }

// Above returns by how many deviations a cosine stands above the level.
func (l Level) Above(cosine float64) float64 { return (cosine - l.Median) / l.Deviation }

// leastDeviation keeps a handful of equal letters from making every likeness
// look extreme.
const leastDeviation = 0.015

// Level measures the letter that m holds.
func (b *Background) Level(m *Comparer) Level {
	cs := make([]float64, 0, len(b.letters))
	for i, l := range b.letters {
		if x := m.WithSums(l, b.sums[i]).Cosine; x > 0.002 { // letters in another language share nothing
			cs = append(cs, x)
		}
	}
	slices.Sort(cs)
	slices.Reverse(cs)
	k := min(len(cs), max(topicLeast, int(topicShare*float64(len(cs)))))
	if k == 0 {
		return Level{Deviation: 0.05}
	}
	cs = cs[:k]
	median := cs[k/2]
	off := make([]float64, k)
	for i, x := range cs {
		off[i] = math.Abs(x - median)
	}
	slices.Sort(off)
	return Level{Median: median, Deviation: max(leastDeviation, 1.4826*off[k/2])}
}
