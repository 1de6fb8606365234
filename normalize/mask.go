package normalize

import (
	"strings"
	"unicode/utf8"

	"bonafide"
)

// longNumber is the shortest run of digits that Mask hides although it proves
// to be nothing: references and account numbers start there, amounts and years
// stay readable.
const longNumber = 5

// Mask returns text with every identifier and every long number in it replaced
// by its kind: ‹phone›, ‹email›, ‹handle›, ‹id›, ‹card›, ‹account›, ‹number›.
func Mask(text string) string {
	found := Find(text)
	var b strings.Builder
	b.Grow(len(text))
	last := 0
	for _, f := range found {
		maskNumbers(&b, text[last:f.Start])
		b.WriteString(slot(f.Kind))
		last = f.End
	}
	maskNumbers(&b, text[last:])
	return b.String()
}

func slot(kind string) string {
	switch kind {
	case string(bonafide.Phone):
		return "‹phone›"
	case string(bonafide.Email):
		return "‹email›"
	case string(bonafide.Handle):
		return "‹handle›"
	case string(bonafide.Account):
		return "‹account›"
	case FoundID:
		return "‹id›"
	case FoundCard:
		return "‹card›"
	}
	return "‹number›"
}

// maskNumbers copies s and hides the long runs of digits, whatever script they
// are written in.
func maskNumbers(b *strings.Builder, s string) {
	copied, start, n := 0, 0, 0
	flush := func(end int) {
		if n >= longNumber {
			b.WriteString(s[copied:start])
			b.WriteString("‹number›")
			copied = end
		}
		n = 0
	}
	var buf [8]rune
	for i, r := range s {
		digit := r < utf8.RuneSelf && isDigit(byte(r))
		if !digit && r >= utf8.RuneSelf && !isHan(r) {
			f := foldRune(r, buf[:0])
			if len(f) == 0 && n > 0 {
				continue // an invisible character within a number
			}
			digit = len(f) == 1 && f[0] < utf8.RuneSelf && isDigit(byte(f[0]))
		}
		switch {
		case digit && n == 0:
			start, n = i, 1
		case digit:
			n++
		default:
			flush(i)
		}
	}
	flush(len(s))
	b.WriteString(s[copied:])
}
