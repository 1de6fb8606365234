package synth

import (
	"math/rand/v2"
	"strings"
	"unicode/utf8"

	"bonafide"
)

// dress writes a value another way that means the same, as people and agents
// do. Heavy dressing is meant to defeat comparison; light dressing is habit.
func (m *maker) dress(r *rand.Rand, kind bonafide.IdentifierKind, value string, heavy bool) string {
	switch kind {
	case bonafide.Phone:
		value = m.dressPhone(r, value, heavy)
	case bonafide.Handle:
		value = dressHandle(r, value, heavy)
	case bonafide.Device, bonafide.Email:
		if r.IntN(2) == 0 {
			value = strings.ToUpper(value)
		}
		if heavy && kind == bonafide.Device && r.IntN(2) == 0 {
			value = strings.ReplaceAll(grouped(value, 4, pickOne(r, []string{":", " ", "-"})), "--", "-")
		}
		if heavy && kind == bonafide.Email && r.IntN(2) == 0 {
			value = strings.Replace(value, "@", pickOne(r, []string{" @ ", "＠", "@ "}), 1)
		}
	case bonafide.Account:
		value = grouped(strings.NewReplacer("-", "", " ", "", "/", "").Replace(value), 4, pickOne(r, []string{" ", "-", ""}))
		if heavy && r.IntN(2) == 0 {
			value = wide(value)
		}
	case bonafide.Sender, bonafide.Address:
		value = m.rewrite(r, value)
	}
	return value
}

func (m *maker) dressPhone(r *rand.Rand, value string, heavy bool) string {
	if r.IntN(3) == 0 {
		switch m.Lang {
		case "zh":
			value = pickOne(r, []string{"+86", "86", "+86 "}) + value
		case "pt":
			value = "+55 " + value
		default:
			value = pickOne(r, []string{"+44 ", "0044"}) + strings.TrimPrefix(value, "0")
		}
	}
	if r.IntN(3) > 0 {
		value = spaced(r, value, pickOne(r, []string{" ", "-", ".", " "}))
	}
	if heavy {
		switch r.IntN(4) {
		case 0:
			value = wide(value)
		case 1:
			value = strings.NewReplacer("0", "O", "1", "l").Replace(value)
		case 2:
			value = spaced(r, value, pickOne(r, []string{"·", " ", "/", "_"}))
		}
	}
	return value
}

func dressHandle(r *rand.Rand, value string, heavy bool) string {
	if r.IntN(2) == 0 {
		value = strings.ToUpper(value)
	}
	if r.IntN(3) == 0 {
		value = strings.NewReplacer("_", "-", ".", "").Replace(value)
	}
	if heavy {
		switch r.IntN(5) {
		case 0:
			value = wide(value)
		case 1:
			value = cyrillic.Replace(value)
		case 2:
			value = grouped(value, 1, pickOne(r, []string{" ", ".", "·"}))
		case 3:
			value = strings.NewReplacer("_", "", "-", "").Replace(value)
		}
	}
	if r.IntN(4) == 0 {
		value = pickOne(r, []string{"vx: ", "WX:", "id: ", "@"}) + value
	}
	return value
}

// cyrillic holds letters that look the same.
var cyrillic = strings.NewReplacer("a", "а", "e", "е", "o", "о", "c", "с", "p", "р", "x", "х", "A", "А", "E", "Е", "O", "О", "C", "С")

// wide writes ASCII in full width.
func wide(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f {
			return r + 0xfee0
		}
		return r
	}, s)
}

// grouped puts a separator after every n characters.
func grouped(s string, n int, by string) string {
	var w strings.Builder
	for i, r := range []rune(s) {
		if i > 0 && i%n == 0 {
			w.WriteString(by)
		}
		w.WriteRune(r)
	}
	return w.String()
}

// spaced puts a separator in two places, as people read numbers aloud.
func spaced(r *rand.Rand, s, by string) string {
	if utf8.RuneCountInString(s) < 8 {
		return s
	}
	runes := []rune(s)
	a := 3 + r.IntN(2)
	b := a + 3 + r.IntN(2)
	return string(runes[:a]) + by + string(runes[a:b]) + by + string(runes[b:])
}

// mask hides the middle of a value, as exports do. Hard masks leave so little
// that strangers collide.
func mask(value string, hard bool) string {
	runes := []rune(value)
	switch {
	case len(runes) < 8:
		return strings.Repeat("*", len(runes))
	case hard:
		return strings.Repeat("*", len(runes)-3) + string(runes[len(runes)-3:])
	}
	return string(runes[:3]) + strings.Repeat("*", len(runes)-7) + string(runes[len(runes)-4:])
}

// junk are values people type where a form insists.
var junk = map[bonafide.IdentifierKind][]string{
	bonafide.Phone:   {"00000000000", "13800000000", "11111111111", "N/A", "无", "12345678900", "-", "0"},
	bonafide.Email:   {"none@none.com", "n/a", "a@a.com", "无", "test@test.com"},
	bonafide.Handle:  {"none", "n/a", "无", "x"},
	bonafide.Device:  {"unknown", "0000000000000000", "null"},
	bonafide.IP:      {"127.0.0.1", "0.0.0.0", "192.168.1.1", "10.0.0.1"},
	bonafide.Address: {"N/A", "无", "as on file", "same"},
	bonafide.Account: {"0", "N/A", "无"},
}

// noise damages a letter as scanners and hurried fingers do: rate is the chance
// per character.
func noise(r *rand.Rand, text, lang string, rate float64) string {
	var w strings.Builder
	for _, ch := range text {
		if r.Float64() >= rate {
			w.WriteRune(ch)
			continue
		}
		if swap, ok := scanned[ch]; ok {
			w.WriteString(swap)
			continue
		}
		switch {
		case lang == "zh" && r.IntN(3) > 0:
			w.WriteRune(ch)
		case r.IntN(2) == 0: // a dropped character
		default:
			w.WriteRune(ch)
			w.WriteRune(ch)
		}
	}
	return w.String()
}

// scanned are confusions of scanners and of input methods.
var scanned = map[rune]string{
	'l': "1", 'o': "0", 'm': "rn", 'i': "l", 'c': "e", 'u': "v", 'h': "b", 'a': "o", 'é': "e", 'ã': "a", 'ç': "c",
	'的': "得", '在': "再", '己': "已", '未': "末", '做': "作", '他': "她", '日': "曰", '账': "帐", '贷': "货", '，': " ", '。': ".",
}
