package text

import (
	"context"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"bonafide"
)

// A Letter holds the shingles of one letter in the order of its words, one
// shingle for each word but the last.
type Letter []uint32

// Limits of what is read of one letter. Words past maxTokens are not compared:
// a letter of 200,000 characters has about 35,000 words.
const maxTokens = 60_000

// The sample under which a letter is filed: all shingles whose hash is below
// 1/sampleRate of the range (FracMinHash), but at least the minKeys smallest.
// Measured on synthetic campaigns, this sample with two keys in common finds
// 99 % of what an exact index finds; MinHash-LSH 42×3 finds 76 % at the same
// number of keys. See docs/adr/0002-text-index.md.
const (
	sampleRate = 8
	minKeys    = 24
	maxKeys    = 512 // bounds what one very long letter can cost
)

// ParseLetter reduces text to its letter.
func ParseLetter(text string) Letter {
	var ts [512]token
	return shingles(tokens(ts[:0], text))
}

func shingles(ts []token) Letter {
	if len(ts) > maxTokens {
		ts = ts[:maxTokens]
	}
	if len(ts) < 2 {
		return nil
	}
	l := make(Letter, 0, len(ts)-1)
	for i := range ts[:len(ts)-1] {
		h := ts[i].hash*31 + ts[i+1].hash
		if ts[i].rune3 && i+2 < len(ts) {
			h = h*31 + ts[i+2].hash
		}
		l = append(l, uint32(mix(h)>>32))
	}
	return l
}

// ParsePairs reduces text to what its writer's voice is judged by in scripts
// without spaces: pairs of runes, where three would be too few in common. It stands
// beside the letter, position for position; nil where the text has no such script
// and the letter itself serves.
func ParsePairs(text string) Letter {
	if !strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf && classOf(r) == classRune }) {
		return nil
	}
	var buf [512]token
	ts := tokens(buf[:0], text)
	if len(ts) > maxTokens {
		ts = ts[:maxTokens]
	}
	l := shingles(ts)
	for i := range l {
		if ts[i].rune3 {
			l[i] = pair(ts[i], ts[i+1])
		}
	}
	return l
}

// Voice leaves out of a letter what belongs to the corpus's common passages.
// pairs is what [ParsePairs] made of the same text.
func (c *Corpus) Voice(letter, pairs Letter) Letter {
	if len(letter) == 0 {
		return nil
	}
	if pairs == nil {
		pairs = letter
	}
	l := make(Letter, 0, len(letter))
	for i, s := range letter {
		if !c.IsCommon(s) {
			l = append(l, pairs[i])
		}
	}
	return l
}

func pair(a, b token) uint32 { return uint32(mix(a.hash*31+b.hash) >> 32) }

// Keys returns the sample of l under which it is filed, smallest first and each
// once.
func (l Letter) Keys() []bonafide.Key {
	const limit = math.MaxUint32 / sampleRate
	var buf [128]uint32
	small := buf[:0]
	for _, s := range l {
		if s < limit {
			small = append(small, s)
		}
	}
	slices.Sort(small)
	small = slices.Compact(small)
	if len(small) < minKeys {
		all := slices.Clone(l)
		slices.Sort(all)
		all = slices.Compact(all)
		small = all[:min(minKeys, len(all))]
	}
	small = small[:min(maxKeys, len(small))]
	keys := make([]bonafide.Key, len(small))
	for i, s := range small {
		keys[i] = bonafide.Key(s)
	}
	return keys
}

// A Signal compares letters. The corpus gives each shingle its weight; a nil
// corpus weighs all alike.
type Signal struct {
	Corpus *Corpus
}

// Layer says that this is the text layer.
func (s Signal) Layer() bonafide.Layer { return bonafide.LayerText }

// Extract reduces the letter of c to its shingles, and files it under a sample.
func (s Signal) Extract(_ context.Context, c *bonafide.Complaint) (bonafide.Trace, error) {
	l := ParseLetter(c.Text)
	return bonafide.Trace{Complaint: c.ID, Layer: bonafide.LayerText, Keys: l.Keys(), Body: l}, nil
}

// Compare says whether two letters share a template: see [Likeness.SameLetter].
func (s Signal) Compare(a, b bonafide.Trace) (bonafide.Link, bool) {
	la, lb := a.Body.(Letter), b.Body.(Letter)
	like := s.Corpus.Likeness(la, lb)
	if !like.SameLetter() {
		return bonafide.Link{}, false
	}
	x, y := a.Complaint, b.Complaint
	if x > y {
		x, y = y, x
	}
	return bonafide.Link{A: x, B: y, Layer: bonafide.LayerText, Bits: like.Bits, Why: []bonafide.Reason{like.Reason()}}, true
}
