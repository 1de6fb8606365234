package text

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A token is one word, or one rune of a script written without spaces.
type token struct {
	hash       uint64
	start, end int  // bytes of the letter
	rune3      bool // such tokens form shingles of three
}

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// base maps Latin letters with marks (U+00C0 to U+024F) to their plain
// lower-case letter, so that a lost accent changes nothing.
var base = func() (t [0x250 - 0xC0]byte) {
	for r := rune(0xC0); r < 0x250; r++ {
		d, _ := utf8.DecodeRuneInString(norm.NFD.String(string(r)))
		if d = unicode.ToLower(d); d < utf8.RuneSelf && unicode.IsLetter(d) {
			t[r-0xC0] = byte(d)
		}
	}
	return t
}()

// tokens cuts a letter into tokens and passes over numbers and redactions
// ("XXXX", "####"), which differ in every copy of a merged letter. It appends to dst.
func tokens(dst []token, s string) []token {
	for i := 0; i < len(s); {
		r, n := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s[i:])
		}
		switch classOf(r) {
		case classGap:
			i += n
		case classRune:
			dst = append(dst, token{hash: mix(uint64(r)), start: i, end: i + n, rune3: true})
			i += n
		default:
			var t token
			var slot bool
			t, slot, i = word(s, i)
			if !slot {
				dst = append(dst, t)
			}
		}
	}
	return dst
}

// word reads the word that starts at i. It reports whether the word is a slot: a number
// or a redaction.
func word(s string, i int) (t token, slot bool, next int) {
	h, start := uint64(fnvOffset), i
	digits, crosses, letters := 0, 0, 0
	for i < len(s) {
		r, n := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s[i:])
		}
		if c := classOf(r); c != classWord {
			// An apostrophe inside a word belongs to it and is not hashed.
			if (r == '\'' || r == '’') && i+n < len(s) && classOf(rune(s[i+n])) == classWord {
				i += n
				continue
			}
			if c != classSkip {
				break
			}
			i += n
			continue
		}
		r = fold(r)
		switch {
		case '0' <= r && r <= '9':
			digits++
		case r == 'x':
			crosses++
		default:
			letters++
		}
		h = (h ^ uint64(r)) * fnvPrime
		i += n
	}
	slot = digits > 0 || letters == 0
	return token{hash: mix(h), start: start, end: i}, slot, i
}

type class uint8

const (
	classGap  class = iota // between words
	classWord              // part of a word
	classRune              // a word of its own
	classSkip              // invisible: as if it were not there
)

func classOf(r rune) class {
	switch {
	case r < utf8.RuneSelf:
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' {
			return classWord
		}
		return classGap
	case r >= 0x200B && r <= 0x200F, r >= 0x202A && r <= 0x202E, r == 0x2060, r == 0xFEFF, r >= 0xFE00 && r <= 0xFE0F, r == 0xAD:
		return classSkip
	case r >= 0x4E00 && r <= 0x9FFF, r >= 0x3400 && r <= 0x4DBF, r >= 0x3040 && r <= 0x30FF, r >= 0x20000 && r <= 0x2FA1F, r >= 0x0E00 && r <= 0x0E7F:
		return classRune
	case unicode.IsLetter(r), unicode.IsDigit(r), unicode.Is(unicode.Mn, r):
		return classWord
	}
	return classGap
}

// fold gives one spelling to upper and lower case, full-width forms and
// accented Latin letters.
func fold(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	case r >= 0xC0 && r < 0x250:
		if b := base[r-0xC0]; b != 0 {
			return rune(b)
		}
	case r >= 0xFF01 && r <= 0xFF5E:
		return fold(r - 0xFEE0)
	}
	return unicode.ToLower(r)
}

// mix spreads the bits of h (the finalizer of splitmix64).
func mix(h uint64) uint64 {
	h ^= h >> 30
	h *= 0xbf58476d1ce4e5b9
	h ^= h >> 27
	h *= 0x94d049bb133111eb
	return h ^ h>>31
}
