package text

import (
	"cmp"
	"slices"

	"bonafide"
)

// An Index finds the letters that share at least two sampled shingles with a
// given one. Letters are numbered in the order of Add.
//
// A key's posting list stops at a cap. A key over its cap is a phrase of the
// language or of the trade; it is consulted only for letters that consist of
// little else, such as the thousandth copy of one form letter.
type Index struct {
	slots    []slot // open addressing, power of two
	used     int
	blocks   []uint32 // posting blocks: [next, id × blockSize]
	n        int
	capacity int
}

// slot is the head of one posting list. The first postings stand in the slot
// itself: most keys have one or two.
type slot struct {
	key   uint32
	count uint32 // letters filed, also beyond the cap
	first [2]uint32
	block uint32 // newest block, 0 if none
}

const blockSize = 7

// slotsPerLetter is room for the distinct keys of ordinary letters, a third of
// it free; the table grows where letters need more.
const slotsPerLetter = 16

// NewIndex returns an empty index for about n letters. Posting lists stop at
// limit, or at a limit that grows with n where limit is 0.
func NewIndex(n, limit int) *Index {
	if limit <= 0 {
		limit = postingLimit(n)
	}
	return &Index{slots: make([]slot, 1024+n*slotsPerLetter), blocks: make([]uint32, 1+blockSize), capacity: limit}
}

// postingLimit is 300 up to 200,000 letters and grows with the fourth root of
// the corpus beyond: with the square root, comparing a million letters took a
// third longer and linked no more of them.
func postingLimit(n int) int {
	limit := 300
	for m := 200_000; m < n; m *= 16 {
		limit *= 2
	}
	return limit
}

// Len returns the number of letters filed.
func (x *Index) Len() int { return x.n }

func (x *Index) find(key uint32) *slot {
	n := len(x.slots)
	// Multiply and shift takes the hash to any size, not only powers of two.
	for i := int(uint64(key*0x9E3779B1) * uint64(n) >> 32); ; i++ {
		if i == n {
			i = 0
		}
		if s := &x.slots[i]; s.count == 0 || s.key == key {
			return s
		}
	}
}

// Add files the next letter and returns its number.
func (x *Index) Add(keys []bonafide.Key) int {
	id := uint32(x.n)
	x.n++
	for _, k := range keys {
		if x.used*5 >= len(x.slots)*4 {
			x.grow()
		}
		s := x.find(uint32(k))
		if s.count == 0 {
			s.key = uint32(k)
			x.used++
		}
		n := int(s.count)
		s.count++
		switch {
		case n < len(s.first):
			s.first[n] = id
		case n < x.capacity:
			at := (n - len(s.first)) % blockSize
			if at == 0 {
				x.blocks = append(x.blocks, s.block)
				s.block = uint32(len(x.blocks) - 1)
				x.blocks = append(x.blocks, make([]uint32, blockSize)...)
			}
			x.blocks[int(s.block)+1+at] = id
		}
	}
	return int(id)
}

func (x *Index) grow() {
	old := x.slots
	x.slots = make([]slot, len(old)+len(old)/2)
	for _, s := range old {
		if s.count > 0 {
			*x.find(s.key) = s
		}
	}
}

// Count returns how many letters are filed under key.
func (x *Index) Count(key bonafide.Key) int { return int(x.find(uint32(key)).count) }

// Postings calls yield with each letter kept under key.
func (x *Index) Postings(key bonafide.Key, yield func(id int)) {
	s := x.find(uint32(key))
	n := min(int(s.count), x.capacity)
	for i := range min(n, len(s.first)) {
		yield(int(s.first[i]))
	}
	if n -= len(s.first); n <= 0 {
		return
	}
	in := (n-1)%blockSize + 1
	for b := s.block; b != 0; b = x.blocks[b] {
		for i := range in {
			yield(int(x.blocks[int(b)+1+i]))
		}
		in = blockSize
	}
}

// A Candidate is a letter that shares keys with the one asked about.
type Candidate struct {
	ID     int
	Shared int // number of keys in common
}

// A Query asks one index about one letter after the other and keeps its
// buffers between them. It belongs to one goroutine; any number may share an
// index that nobody adds to.
type Query struct {
	x       *Index
	counts  []uint8
	touched []uint32
	found   []Candidate
	lists   []*slot
}

// NewQuery returns a query on x.
func NewQuery(x *Index) *Query { return &Query{x: x} }

// count counts one key for each letter of ids that is numbered below before.
func (q *Query) count(ids []uint32, before int) {
	for _, id := range ids {
		if int(id) >= before {
			continue
		}
		c := q.counts[id]
		if c == 0 {
			q.touched = append(q.touched, id)
		}
		if c < 255 {
			q.counts[id] = c + 1
		}
	}
}

// Candidates returns up to limit letters numbered below before that share at
// least two of keys, those that share most first, then the earliest. The result
// is valid until the next call.
func (q *Query) Candidates(keys []bonafide.Key, before, limit int) []Candidate {
	if len(q.counts) < q.x.n {
		q.counts = make([]uint8, q.x.n+q.x.n/4)
	}
	q.lists = q.lists[:0]
	rare := 0
	for _, k := range keys {
		s := q.x.find(uint32(k))
		if s.count > 0 {
			q.lists = append(q.lists, s)
			if int(s.count) <= q.x.capacity {
				rare++
			}
		}
	}
	q.touched = q.touched[:0]
	for _, s := range q.lists {
		// A letter made of phrases over the cap is looked up under them; any
		// other letter has rarer words to be found by.
		if int(s.count) > q.x.capacity && rare*2 >= len(q.lists) {
			continue
		}
		n := min(int(s.count), q.x.capacity)
		q.count(s.first[:min(n, len(s.first))], before)
		in := (n-len(s.first)-1)%blockSize + 1
		for b := s.block; b != 0; b = q.x.blocks[b] {
			q.count(q.x.blocks[b+1:int(b)+1+in], before)
			in = blockSize
		}
	}
	q.found = q.found[:0]
	for _, id := range q.touched {
		if c := q.counts[id]; c >= 2 {
			q.found = append(q.found, Candidate{ID: int(id), Shared: int(c)})
		}
		q.counts[id] = 0
	}
	slices.SortFunc(q.found, func(a, b Candidate) int {
		if c := cmp.Compare(b.Shared, a.Shared); c != 0 {
			return c
		}
		return cmp.Compare(a.ID, b.ID)
	})
	return q.found[:min(limit, len(q.found))]
}
