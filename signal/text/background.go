package text

import (
	"cmp"
	"math"
	"slices"
)

// A Background tells how alike strangers write about the same trouble, so that
// a likeness can be judged against it: two letters about night-time calls share
// many words by nature, and only what goes beyond that says anything.
//
// It holds letters drawn evenly from the corpus, filed under all their
// shingles. It is only read once made, by any number of goroutines.
type Background struct {
	letters []Letter
	norm    []float32 // root of the sum of squared weights of each letter
	keys    []uint32  // open addressing: the shingles of all letters, 0 if free
	first   []uint32  // start of each key's letters in who
	count   []uint32
	who     []uint16
}

// backgroundSize is how many letters stand for all. More of them make profiles
// sharper and dearer.
const backgroundSize = 2500

// everyday is the share of the background above which a shingle is left out
// when near letters are sought: it tells no topic from another.
const everyday = 0.15

// Draw returns which of n letters stand for all: evenly, in their order.
func Draw(n int) []int {
	out := make([]int, min(n, backgroundSize))
	for i := range out {
		out[i] = i * n / len(out)
	}
	return out
}

// NewBackground files voices, drawn from the corpus by [Draw].
func NewBackground(voices []Letter) *Background {
	b := &Background{}
	total := 0
	for _, v := range voices {
		if len(v) > 0 {
			b.letters = append(b.letters, v)
			total += len(v)
		}
	}
	size := 1024
	for size < 2*total {
		size *= 2
	}
	b.keys, b.first, b.count = make([]uint32, size), make([]uint32, size), make([]uint32, size)
	var seen marks
	each := func(visit func(i int, slot int)) {
		for i, l := range b.letters {
			seen.reset(len(l))
			for _, s := range l {
				if s != 0 && seen.add(s) {
					visit(i, b.slot(s))
					b.keys[b.slot(s)] = s
				}
			}
		}
	}
	each(func(_, slot int) { b.count[slot]++ })
	var at uint32
	for k := range b.keys {
		b.first[k] = at
		at += b.count[k]
		b.count[k] = 0
	}
	b.who = make([]uint16, at)
	each(func(i, slot int) {
		b.who[b.first[slot]+b.count[slot]] = uint16(i)
		b.count[slot]++
	})
	b.norm = make([]float32, len(b.letters))
	each(func(i, slot int) { b.norm[i] += float32(b.weight(slot) * b.weight(slot)) })
	for i, x := range b.norm {
		b.norm[i] = float32(math.Sqrt(float64(x)))
	}
	return b
}

// weight is the weight in bits of the shingle in slot: log2(1 + n/df).
func (b *Background) weight(slot int) float64 {
	return math.Log2(1 + float64(len(b.letters))/float64(max(1, b.count[slot])))
}

func (b *Background) slot(s uint32) int {
	mask := uint32(len(b.keys) - 1)
	for i := (s * 0x9E3779B1) >> 7 & mask; ; i = (i + 1) & mask {
		if k := b.keys[i]; k == s || k == 0 {
			return int(i)
		}
	}
}

// near returns the background letters most like l, the most alike first, by the
// cosine of their weighted shingles.
func (b *Background) near(l Letter, limit func(found int) int) []int {
	score := make([]float32, len(b.letters))
	var seen marks
	seen.reset(len(l))
	for _, s := range l {
		if s == 0 || !seen.add(s) {
			continue
		}
		k := b.slot(s)
		n := int(b.count[k])
		if n == 0 || float64(n) > everyday*float64(len(b.letters)) {
			continue
		}
		w := float32(b.weight(k) * b.weight(k))
		for _, i := range b.who[b.first[k] : b.first[k]+uint32(n)] {
			score[i] += w
		}
	}
	ids := make([]int, 0, len(score)/4)
	for i, s := range score {
		if s > 0 && b.norm[i] > 0 {
			score[i] = s / b.norm[i] // the norm of l is the same for all
			ids = append(ids, i)
		}
	}
	slices.SortFunc(ids, func(x, y int) int {
		if c := cmp.Compare(score[y], score[x]); c != 0 {
			return c
		}
		return cmp.Compare(x, y)
	})
	return ids[:min(len(ids), limit(len(ids)))]
}
