package bench

import (
	"slices"

	"bonafide/signal/text"
)

// exact files every letter under all its shingles, with no cap, and so meets
// every pair that shares one. It is the ceiling: what the sample of
// [text.Index] can lose is measured against it.
type exact struct {
	number   map[uint32]int32 // of each shingle
	off      []int32
	postings []int32
	weight   []float64 // of each shingle
	own      [][]int32 // shingle numbers of each letter, each once

	shared  []float64 // weight in common with the letter asked about
	words   []int32
	touched []int32
}

func newExact(letters []text.Letter, c *text.Corpus) *exact {
	x := &exact{number: map[uint32]int32{}, own: make([][]int32, len(letters))}
	for i, l := range letters {
		ns := make([]int32, 0, len(l))
		for _, s := range l {
			n, ok := x.number[s]
			if !ok {
				n = int32(len(x.weight))
				x.number[s] = n
				x.weight = append(x.weight, c.Weight(s))
			}
			ns = append(ns, n)
		}
		slices.Sort(ns)
		x.own[i] = slices.Compact(ns)
	}
	x.off = make([]int32, len(x.weight)+1)
	for _, ns := range x.own {
		for _, n := range ns {
			x.off[n+1]++
		}
	}
	for n := range x.weight {
		x.off[n+1] += x.off[n]
	}
	x.postings = make([]int32, x.off[len(x.weight)])
	at := slices.Clone(x.off)
	for i, ns := range x.own {
		for _, n := range ns {
			x.postings[at[n]] = int32(i)
			at[n]++
		}
	}
	x.shared, x.words = make([]float64, len(letters)), make([]int32, len(letters))
	return x
}

// ask calls yield with the likeness of i and every earlier letter that shares a
// shingle which is not common property.
func (x *exact) ask(i int, sums []text.Sums, yield func(id int32, like text.Likeness)) {
	x.touched = x.touched[:0]
	for _, n := range x.own[i] {
		w := x.weight[n]
		if w == 0 {
			continue
		}
		for _, id := range x.postings[x.off[n]:x.off[n+1]] {
			if int(id) >= i {
				break
			}
			if x.words[id] == 0 {
				x.touched = append(x.touched, id)
			}
			x.words[id]++
			x.shared[id] += w
		}
	}
	a := sums[i]
	for _, id := range x.touched {
		b, w := sums[id], x.shared[id]
		yield(id, text.Likeness{
			Jaccard: w / (float64(a.Weight) + float64(b.Weight) - w),
			Overlap: w / float64(min(a.Weight, b.Weight)),
			Bits:    w,
			Words:   int(x.words[id]),
			OwnA:    int(a.Own),
			OwnB:    int(b.Own),
		})
		x.shared[id], x.words[id] = 0, 0
	}
}
