package synth

import (
	"slices"
	"strings"
	"unicode"

	"bonafide"
)

// normal undoes what dress does, for the truth only; the programs under test
// have their own. It reports false for placeholders and empty values.
func normal(kind bonafide.IdentifierKind, raw string) (value, bool) {
	if raw == "" || slices.Contains(junk[kind], raw) {
		return value{}, false
	}
	s := strings.ToLower(narrow(raw))
	masked := strings.Contains(s, "*")
	switch kind {
	case bonafide.Phone:
		s = strings.NewReplacer("o", "0", "l", "1").Replace(s)
		s = keep(s, func(r rune) bool { return r >= '0' && r <= '9' || r == '*' })
		if len(s) > 10 {
			s = s[len(s)-10:] // without trunk zero and country code
		}
	case bonafide.Handle:
		for _, prefix := range []string{"vx:", "wx:", "id:", "@"} {
			s = strings.TrimPrefix(s, prefix)
		}
		s = keep(s, wordRune)
	case bonafide.Email:
		s = strings.ReplaceAll(s, " ", "")
	case bonafide.IP:
	case bonafide.Address, bonafide.Sender:
		s = strings.NewReplacer("號", "号", "幢", "栋", "室", "", "单元", "-", " road", " rd", " street", " st", "rua ", "r. ", "avenida", "av.", "av ", "av. ", "apt ", "flat ", "nº", "").Replace(s)
		s = keep(s, wordRune)
	default:
		s = keep(s, wordRune)
	}
	if s == "" {
		return value{}, false
	}
	return value{key: string(kind) + " " + s, masked: masked}, true
}

func wordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '*' }

func keep(s string, ok func(rune) bool) string {
	return strings.Map(func(r rune) rune {
		if ok(r) {
			return r
		}
		return -1
	}, s)
}

// narrow folds full-width ASCII and Cyrillic look-alikes to ASCII.
func narrow(s string) string {
	return strings.Map(func(r rune) rune {
		if r > 0xff00 && r < 0xff5f {
			return r - 0xfee0
		}
		if plain, ok := lookalikes[r]; ok {
			return plain
		}
		return r
	}, s)
}

var lookalikes = map[rune]rune{'а': 'a', 'е': 'e', 'о': 'o', 'с': 'c', 'р': 'p', 'х': 'x', 'А': 'A', 'Е': 'E', 'О': 'O', 'С': 'C', 'Р': 'P', 'Х': 'X'}
