package pipeline

import (
	"strings"

	"bonafide/normalize"
)

// MaskLetter hides in a letter what identifies people: numbers and addresses of every
// kind, the names given, and who introduces themselves. A word too many is hidden
// rather than a person too few.
func MaskLetter(letter string, names ...string) string {
	s := normalize.Mask(letter)
	for _, n := range names {
		s = maskName(n, s)
	}
	return introduced.ReplaceAllString(s, "$1‹name›")
}

// maskName hides a name in s, whole and by its parts.
func maskName(name, s string) string {
	name = strings.TrimSpace(name)
	if len(name) <= 2 {
		return s
	}
	s = strings.ReplaceAll(s, name, "‹name›")
	for part := range strings.FieldsSeq(name) {
		if len(part) > 2 && part != name {
			s = replaceWord(s, part, "‹name›")
		}
	}
	return s
}
