package text

import (
	"math"
	"slices"
)

// A Profile is what sets one letter apart from strangers on the same topic: its
// shingles, each weighed by how rare it is among the letters nearest to it that
// were drawn at random. What everybody with the same trouble writes weighs little.
type Profile struct {
	keys    []uint32 // open addressing
	weights []float32
	total   float64
	median  float64 // of the shares of strangers on the topic
	spread  float64
}

// How a profile is drawn: the strangers nearest to the letter, every second one
// for the weights and the others for the level, so that no letter is judged by
// weights that it made itself.
const (
	topicShare = 0.08
	topicLeast = 24
	shrink     = 8 // strength of the whole corpus beside the topic, in letters
)

// Profile draws the profile of l.
func (b *Background) Profile(l Letter) *Profile {
	ns := b.near(l, func(found int) int { return max(2*topicLeast, int(2*topicShare*float64(found))) })
	k := len(ns)

	size := 64
	for size < 2*len(l)+2 {
		size *= 2
	}
	p := &Profile{keys: make([]uint32, size), weights: make([]float32, size)}
	count := make([]float32, size)
	for _, s := range l {
		if s == 0 {
			continue
		}
		i := p.slot(s)
		p.keys[i] = s
	}
	var seen marks
	half := 0
	for r := 0; r < k; r += 2 {
		half++
		o := b.letters[ns[r]]
		seen.reset(len(o))
		for _, s := range o {
			if i := p.slot(s); p.keys[i] == s && s != 0 && seen.add(s) {
				count[i]++
			}
		}
	}
	for i, s := range p.keys {
		if s == 0 {
			continue
		}
		// A shingle that no letter of the background has is counted as half a letter's.
		global := max(0.5, float64(b.count[b.slot(s)])) / float64(max(1, len(b.letters)))
		rate := (float64(count[i]) + shrink*global) / (float64(half) + shrink)
		p.weights[i] = float32(max(0, -math.Log2(rate)))
		p.total += float64(p.weights[i])
	}
	shares := make([]float64, 0, k/2)
	for r := 1; r < k; r += 2 {
		shares = append(shares, p.share(b.letters[ns[r]]))
	}
	if len(shares) == 0 {
		p.spread = 1
		return p
	}
	slices.Sort(shares)
	p.median = shares[len(shares)/2]
	off := make([]float64, len(shares))
	for i, x := range shares {
		off[i] = math.Abs(x - p.median)
	}
	slices.Sort(off)
	p.spread = max(leastSpread, 1.4826*off[len(off)/2])
	return p
}

// leastSpread keeps a handful of equal letters from making every likeness look
// extreme.
const leastSpread = 0.01

func (p *Profile) slot(s uint32) int {
	mask := uint32(len(p.keys) - 1)
	for i := (s * 0x9E3779B1) >> 7 & mask; ; i = (i + 1) & mask {
		if k := p.keys[i]; k == s || k == 0 {
			return int(i)
		}
	}
}

// share is the weight of what o has in common with p, for the length of both.
func (p *Profile) share(o Letter) float64 {
	if len(o) == 0 || p.total == 0 {
		return 0
	}
	var sum float64
	var few [32]uint64
	counted := few[:]
	if n := (len(p.keys) + 63) / 64; n > len(few) {
		counted = make([]uint64, n)
	}
	for _, s := range o {
		i := p.slot(s)
		if p.keys[i] != s || s == 0 || counted[i/64]&(1<<(i%64)) != 0 {
			continue
		}
		counted[i/64] |= 1 << (i % 64)
		sum += float64(p.weights[i])
	}
	return sum / math.Sqrt(p.total*float64(len(o)))
}

// Above returns by how many deviations o shares more with the profile's letter
// than strangers on its topic do.
func (p *Profile) Above(o Letter) float64 { return (p.share(o) - p.median) / p.spread }
