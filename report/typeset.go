package report

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// fontFile is WenQuanYi Micro Hei, reduced; fonts/README.md says how. Licence: Apache 2.0.
//
//go:embed fonts/wqy-microhei.ttf.gz
var fontFile []byte

// A typeface is the font of printed documents with the widths of its signs.
type typeface struct {
	ttf    []byte
	has    [1 << 16]bool
	widths [1 << 16]uint16 // in thousandths of the size
}

// loadFace unpacks the font and reads it once.
var loadFace = sync.OnceValues(func() (*typeface, error) {
	zr, err := gzip.NewReader(bytes.NewReader(fontFile))
	if err != nil {
		return nil, fmt.Errorf("unpack font: %w", err)
	}
	ttf, err := io.ReadAll(zr)
	if err != nil {
		return nil, fmt.Errorf("unpack font: %w", err)
	}
	return readFace(ttf)
})

// readFace reads which signs a TrueType font has, and how wide they are: its cmap of format
// 4 and its hmtx, which the writer of the PDF uses too.
func readFace(ttf []byte) (f *typeface, err error) {
	defer func() {
		if recover() != nil {
			f, err = nil, errors.New("read font: it is damaged")
		}
	}()
	u16 := func(at int) int { return int(binary.BigEndian.Uint16(ttf[at:])) }
	u32 := func(at int) int { return int(binary.BigEndian.Uint32(ttf[at:])) }
	table := map[string]int{}
	for i := range u16(4) {
		at := 12 + 16*i
		table[string(ttf[at:at+4])] = u32(at + 8)
	}
	em, metrics := float64(u16(table["head"]+18)), u16(table["hhea"]+34)
	cmap := 0
	for i := range u16(table["cmap"] + 2) {
		at := table["cmap"] + 4 + 8*i
		if sub := table["cmap"] + u32(at+4); cmap == 0 && u16(at) == 3 && u16(at+2) == 1 && u16(sub) == 4 {
			cmap = sub
		}
	}
	if cmap == 0 || em == 0 || metrics == 0 {
		return nil, errors.New("read font: no cmap of format 4")
	}
	f = &typeface{ttf: ttf}
	n := u16(cmap+6) / 2
	ends := cmap + 14
	starts := ends + 2*n + 2
	deltas, offsets := starts+2*n, starts+4*n
	for i := range n {
		for r := u16(starts + 2*i); r <= u16(ends+2*i) && r < 0xFFFF; r++ {
			glyph := r
			if off := u16(offsets + 2*i); off != 0 {
				if glyph = u16(offsets + 2*i + off + 2*(r-u16(starts+2*i))); glyph == 0 {
					continue
				}
			}
			if glyph = (glyph + u16(deltas+2*i)) & 0xFFFF; glyph == 0 {
				continue
			}
			f.has[r] = true
			f.widths[r] = uint16(math.Round(1000 / em * float64(u16(table["hmtx"]+4*min(glyph, metrics-1)))))
		}
	}
	return f, nil
}

// width returns how wide s is, in thousandths of the size.
func (f *typeface) width(s string) int {
	w := 0
	for _, r := range s {
		if r <= 0xFFFF {
			w += int(f.widths[r])
		}
	}
	return w
}

// A gated text is one that the font can show: it holds no sign for which the font has no
// glyph, no control character but the line break, and is bounded. Only gate makes one.
type gated string

// What signs weigh against the bound of a text: a line break costs room, a sign that is
// written as its code costs several.
const (
	breakCost, escapeCost = 20, 8
	mostMarks             = 2 // combining marks on one letter
)

// gate makes any text fit to be set, at most so many characters of it. Invalid UTF-8 becomes
// U+FFFD; control characters, marks that change the direction, and invisible joiners go; a
// sign that the font cannot show becomes its code, as in 〔U+1F600〕, right-to-left letters
// too, so that their order stays the one they were written in. What is beyond the bound is
// counted and said.
func (f *typeface) gate(s string, most int, lang string) gated {
	var b strings.Builder
	cost, marks, escaped, breaks := 0, 0, false, 0
	s, cut := head(s, most)
	// Letters with their marks are put together only where there are marks, so that all other
	// text stays sign for sign what it was.
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Mn, r) }) {
		s = norm.NFC.String(s)
	}
	for i, r := range s {
		if cost > most {
			cut += utf8.RuneCountInString(s[i:])
			break
		}
		switch {
		case r == '\n' || r == '\u2028' || r == '\u2029' || r == '\u0085':
			r = '\n'
		case r == '\t' || r == '\v' || r == '\f' || r == '\r' || r != '\u3000' && unicode.Is(unicode.Zs, r):
			r = ' '
		case unicode.IsControl(r) || directs(r) || joins(r):
			continue
		}
		if r != '\n' && r != ' ' {
			breaks = 0
		}
		if unicode.Is(unicode.M, r) {
			marks++
		} else {
			marks = 0
		}
		shown := r == '\n' || r == utf8.RuneError || r < 0xFFFF && f.has[r]
		if unicode.Is(unicode.M, r) && (marks > mostMarks || b.Len() == 0 || escaped) {
			shown = false
		}
		switch {
		case shown && escaped:
			b.WriteString("〕")
			escaped = false
		case !shown && !escaped:
			b.WriteString("〔")
		}
		switch {
		case !shown:
			if escaped {
				b.WriteByte(' ')
			}
			fmt.Fprintf(&b, "U+%04X", r)
			escaped = true
			cost += escapeCost
		case r == '\n':
			if breaks++; breaks <= 2 {
				b.WriteByte('\n')
			}
			cost += breakCost
		case r == utf8.RuneError && !f.has[r]:
			b.WriteString("?")
			cost++
		default:
			b.WriteRune(r)
			cost++
		}
	}
	if escaped {
		b.WriteString("〕")
	}
	out := strings.TrimRight(b.String(), "\n ")
	if cut > 0 {
		out += fmt.Sprintf(moreWords.in(lang), number(cut))
	}
	return gated(out)
}

// moreWords says that a text goes on.
var moreWords = tongues{"……（另有 %s 个字符，见原件）", "… (%s more characters: see the original)", "… (mais %s caracteres: ver o original)"}

// head returns the first n characters of s, and how many are left.
func head(s string, n int) (string, int) {
	if len(s) <= n {
		return s, 0
	}
	seen := 0
	for at := range s {
		if seen == n {
			return s[:at], utf8.RuneCountInString(s[at:])
		}
		seen++
	}
	return s, 0
}

// joins reports whether r shows nothing and only changes how its neighbours are shown.
func joins(r rune) bool {
	return r >= 0x200B && r <= 0x200D || r == 0x2060 || r == 0xFEFF || r == 0x00AD || r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0100 && r <= 0xE01EF
}

// Signs that begin or end no line.
const (
	noStart = "，。、；：？！）》」』】〕〉…—’”％,.;:?!)]}%·"
	noEnd   = "（《「『【〔〈‘“([{"
)

// wide reports whether a line can be broken beside r without a space.
func wide(r rune) bool { return r >= 0x2E80 }

// breaks reports whether a line may end between two signs.
func breaks(r, next rune) bool {
	switch {
	case next == ' ':
		return false
	case r == ' ':
		return true
	case strings.ContainsRune(noStart, next) || strings.ContainsRune(noEnd, r):
		return false
	case r == '-' || r == '/' || r == '|' || r == '_':
		return unicode.IsLetter(next)
	}
	return wide(r) || wide(next)
}

// wrap breaks a text into lines that are no wider than width, in millimetres. A word that is
// longer than a line is broken where the line ends.
func (f *typeface) wrap(s gated, size, width float64) []string {
	most := int(width * 1000 / (size * mm))
	var out []string
	for part := range strings.SplitSeq(string(s), "\n") {
		runes := []rune(part)
		start, last, w, lastW := 0, 0, 0, 0 // w is the width from start, lastW that from start to last
		for i := range runes {
			add := int(f.widths[runes[i]])
			if w+add > most && i > start && runes[i] != ' ' {
				end := i
				if last > start {
					end = last
					w -= lastW
				} else {
					w = 0
				}
				out = append(out, strings.TrimRight(string(runes[start:end]), " "))
				start, last, lastW = end, end, 0
			}
			w += add
			if i+1 < len(runes) && breaks(runes[i], runes[i+1]) {
				last, lastW = i+1, w
			}
		}
		out = append(out, strings.TrimRight(string(runes[start:]), " "))
	}
	return out
}
