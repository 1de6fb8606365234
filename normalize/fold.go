package normalize

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxMarks is how many combining marks may stand on one letter. No living
// spelling needs more than four; stacked marks are decoration.
const maxMarks = 4

// Fold returns s in the one spelling that comparison works on: compatibility
// composed (NFKC), full width turned to half, invisible characters removed,
// lower case, and Cyrillic, Greek, letter-like, circled and mathematical
// look-alikes turned to ASCII. Accents stay. Fold(Fold(s)) == Fold(s).
func Fold(s string) string {
	plain := true
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	if out, ok := foldQuick(s); ok {
		return out
	}
	return foldFull(s)
}

// foldQuick folds text made of ASCII, Han and full-width characters, which
// neither combine nor decompose; ok is false for any other.
func foldQuick(s string) (string, bool) {
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			b.WriteByte(c)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case 0x4E00 <= r && r <= 0x9FFF, 0x3001 <= r && r <= 0x3002, 0x3400 <= r && r <= 0x4DBF,
			r == '\u2014', r == '\u201C', r == '\u201D':
			b.WriteString(s[i : i+n])
		case 0xFF01 <= r && r <= 0xFF5E:
			r -= 0xFEE0
			if 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
			b.WriteByte(byte(r))
		default:
			return "", false
		}
		i += n
	}
	return b.String(), true
}

// foldFull decomposes first, so that a look-alike under an accent is seen, and
// composes last, so that folding twice changes nothing.
func foldFull(s string) string {
	var pre strings.Builder
	pre.Grow(len(s))
	for _, r := range s {
		if d, ok := digitOf(r); ok {
			r = d
		}
		pre.WriteRune(r)
	}
	d := norm.NFKD.String(pre.String())
	var b strings.Builder
	b.Grow(len(d))
	marks := 0
	for _, r := range d {
		if ignorable(r) {
			continue
		}
		if unicode.Is(unicode.Mn, r) {
			if marks++; marks > maxMarks {
				continue
			}
			b.WriteRune(r)
			continue
		}
		marks = 0
		r = unicode.ToLower(lookAlike(r))
		b.WriteRune(lookAlike(r))
	}
	return norm.NFC.String(b.String())
}

// foldRune folds one character without its neighbours: what Find works on.
// Marks and invisible characters vanish. It returns at most four runes.
func foldRune(r rune, out []rune) []rune {
	switch {
	case r < utf8.RuneSelf:
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return append(out, r)
	case 0x4E00 <= r && r <= 0x9FFF, 0x3001 <= r && r <= 0x3002:
		return append(out, r)
	case 0xFF01 <= r && r <= 0xFF5E:
		return foldRune(r-0xFEE0, out)
	case ignorable(r), unicode.Is(unicode.Mn, r):
		return out
	case r == utf8.RuneError:
		return append(out, r)
	}
	if d, ok := digitOf(r); ok {
		return append(out, d)
	}
	var enc [utf8.UTFMax]byte
	n := utf8.EncodeRune(enc[:], r)
	p := norm.NFKD.Properties(enc[:n]).Decomposition()
	if p == nil {
		return append(out, unicode.ToLower(lookAlike(r)))
	}
	start := len(out)
	for len(p) > 0 && len(out)-start < 4 {
		q, m := utf8.DecodeRune(p)
		p = p[m:]
		if !unicode.Is(unicode.Mn, q) && !ignorable(q) {
			out = append(out, lookAlike(unicode.ToLower(lookAlike(q))))
		}
	}
	return out
}

// stripAccents removes combining marks from folded text.
func stripAccents(s string) string {
	ascii := true
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii {
		return s
	}
	d := norm.NFD.String(s)
	var b strings.Builder
	b.Grow(len(d))
	for _, r := range d {
		if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(r)
		}
	}
	return norm.NFC.String(b.String())
}

// ignorable reports characters that show nothing: zero-width and bidirectional
// controls, variation selectors, tags, soft hyphens, blank fillers, strokes laid
// over other characters, and private-use icons.
func ignorable(r rune) bool {
	switch {
	case r < 0xAD:
		return r < 0x20 && r != '\n' && r != '\t' && r != '\r' || r == 0x7F
	case r == 0xAD, r == 0x34F, r == 0x61C, r == 0x115F, r == 0x1160, r == 0x17B4, r == 0x17B5,
		0x180B <= r && r <= 0x180F, 0x200B <= r && r <= 0x200F, 0x202A <= r && r <= 0x202E,
		0x2060 <= r && r <= 0x206F, r == 0x3164, 0xFE00 <= r && r <= 0xFE0F, r == 0xFEFF, r == 0xFFA0,
		0x335 <= r && r <= 0x338, 0x20D0 <= r && r <= 0x20F0,
		0xE000 <= r && r <= 0xF8FF, 0xE0000 <= r && r <= 0xE0FFF:
		return true
	}
	return false
}

// digitOf returns the ASCII digit that r shows, for digits of other scripts and
// for circled, bracketed and dotted digits that NFKC would leave brackets on.
func digitOf(r rune) (rune, bool) {
	switch {
	case r < 0x660:
		return r, false
	case r == 0x24EA, r == 0x24FF, r == 0x1F10B, r == 0x1F10C, r == 0x1F100:
		return '0', true
	case 0x2460 <= r && r <= 0x2468:
		return '1' + r - 0x2460, true
	case 0x2474 <= r && r <= 0x247C:
		return '1' + r - 0x2474, true
	case 0x2488 <= r && r <= 0x2490:
		return '1' + r - 0x2488, true
	case 0x24F5 <= r && r <= 0x24FD:
		return '1' + r - 0x24F5, true
	case 0x2776 <= r && r <= 0x277E:
		return '1' + r - 0x2776, true
	case 0x2780 <= r && r <= 0x2788:
		return '1' + r - 0x2780, true
	case 0x278A <= r && r <= 0x2792:
		return '1' + r - 0x278A, true
	case 0x4E00 <= r && r <= 0x9FFF:
		return r, false
	}
	if !unicode.Is(unicode.Nd, r) {
		return r, false
	}
	// Every Nd range of Unicode starts at a zero and holds whole sets of ten.
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10, true
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10, true
		}
	}
	return r, false
}

// lookAlike returns the ASCII letter that r looks like, or r. It covers what
// NFKC leaves alone: Cyrillic, Greek, small capitals, African and IPA letters,
// negative circled and squared letters, regional indicators. After Unicode TR 39
// (confusables), kept to letters that are in fact used in disguise.
func lookAlike(r rune) rune {
	if r < 0x100 {
		return r
	}
	switch {
	case 0x1F150 <= r && r <= 0x1F169:
		return 'a' + r - 0x1F150
	case 0x1F170 <= r && r <= 0x1F189:
		return 'a' + r - 0x1F170
	case 0x1F1E6 <= r && r <= 0x1F1FF:
		return 'a' + r - 0x1F1E6
	}
	if a, ok := lookAlikes[r]; ok {
		return rune(a)
	}
	return r
}

var lookAlikes = func() map[rune]byte {
	m := map[rune]byte{}
	for ascii, like := range map[byte]string{
		'a': "аАαΑᴀɑ", 'b': "ВвΒβʙЬь", 'c': "сСϲᴄ", 'd': "ԁᴅԀ", 'e': "еЕεΕᴇєЄ",
		'f': "ғҒꜰ", 'g': "ɢɡԌԍ", 'h': "НнһҺΗʜ", 'i': "іІιΙɪıӀ", 'j': "јЈᴊ",
		'k': "кКκΚᴋ", 'l': "ʟⅼ", 'm': "мМΜᴍ", 'n': "ɴΝη", 'o': "оОοΟᴏσ",
		'p': "рРρΡᴘ", 'q': "ԛԚ", 'r': "ʀгГ", 's': "ѕЅꜱ", 't': "тТτΤᴛ",
		'u': "υᴜ", 'v': "ѵѴνᴠ", 'w': "ԝԜωᴡ", 'x': "хХχΧ", 'y': "уУγΥʏүҮ",
		'z': "Ζᴢ", '3': "зЗ",
	} {
		for _, r := range like {
			m[r] = ascii
		}
	}
	m['∗'], m['⁎'], m['✱'], m['✲'] = '*', '*', '*', '*'
	m['∶'], m['꞉'] = ':', ':'
	return m
}()

// hanDigit returns the ASCII digit for a Chinese numeral used as a digit.
func hanDigit(r rune) (byte, bool) {
	switch r {
	case '〇', '零', '○':
		return '0', true
	case '一', '壹', '幺':
		return '1', true
	case '二', '贰', '貳':
		return '2', true
	case '三', '叁', '參':
		return '3', true
	case '四', '肆':
		return '4', true
	case '五', '伍':
		return '5', true
	case '六', '陆', '陸':
		return '6', true
	case '七', '柒':
		return '7', true
	case '八', '捌':
		return '8', true
	case '九', '玖':
		return '9', true
	}
	return 0, false
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAlnum(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func isHan(r rune) bool {
	return 0x4E00 <= r && r <= 0x9FFF || 0x3400 <= r && r <= 0x4DBF || r == '〇'
}
