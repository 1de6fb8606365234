package bench

import (
	"math"
	"math/rand/v2"

	"bonafide/signal/text"
)

// bands × rows is the MinHash-LSH at about the number of keys of [text.Index]:
// a pair of likeness j meets with probability 1-(1-j³)^42.
const bands, rows = 42, 3

// lsh is MinHash-LSH (Broder 1997; Leskovec, Rajaraman and Ullman, Mining of
// Massive Datasets, ch. 3) with one hash table for each band.
type lsh struct {
	mul, add [bands * rows]uint64
	heads    [bands]map[uint64]int32 // newest letter of each bucket
	next     [bands][]int32          // the letter before in the same bucket, -1 if none
	keys     [][bands]uint64
	seen     []int32 // the last letter that met each one
}

func newLSH(n int) *lsh {
	x := &lsh{keys: make([][bands]uint64, 0, n), seen: make([]int32, n)}
	r := rand.New(rand.NewPCG(1, 126))
	for k := range x.mul {
		x.mul[k], x.add[k] = r.Uint64()|1, r.Uint64()
	}
	for b := range bands {
		x.heads[b] = make(map[uint64]int32, n)
		x.next[b] = make([]int32, n)
	}
	for i := range x.seen {
		x.seen[i] = -1
	}
	return x
}

// file files the next letter under its bands.
func (x *lsh) file(l text.Letter) {
	id := int32(len(x.keys))
	var least [bands * rows]uint32
	for k := range least {
		mul, add, low := x.mul[k], x.add[k], uint32(math.MaxUint32)
		for _, s := range l {
			low = min(low, uint32((mul*uint64(s)+add)>>32))
		}
		least[k] = low
	}
	var keys [bands]uint64
	for b := range bands {
		h := uint64(0)
		for _, m := range least[b*rows : (b+1)*rows] {
			h = (h ^ uint64(m)) * 0x9E3779B97F4A7C15
			h ^= h >> 32
		}
		keys[b] = h
		before, ok := x.heads[b][h]
		if !ok {
			before = -1
		}
		x.next[b][id] = before
		x.heads[b][h] = id
	}
	x.keys = append(x.keys, keys)
}

// candidates appends to dst the earlier letters that share a band with letter i.
func (x *lsh) candidates(dst []int32, i int) []int32 {
	for b := range bands {
		for id := x.next[b][i]; id >= 0; id = x.next[b][id] {
			if x.seen[id] != int32(i) {
				x.seen[id] = int32(i)
				dst = append(dst, id)
			}
		}
	}
	return dst
}
