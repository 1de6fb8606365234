package normalize

import (
	"slices"
	"strings"
	"unicode/utf8"

	"bonafide"
)

// Found is an identifier written inside a letter.
type Found struct {
	Kind       string // an IdentifierKind, "id" or "card"
	Value      string // canonical spelling
	Start, End int    // byte offsets in the text
}

// The kinds that Find reports beyond those a complaint can be filed with.
const (
	FoundID   = "id"   // a national identity number
	FoundCard = "card" // a payment card
)

// Find returns the identifiers written inside text, in order and without
// overlap: phones, mailboxes, chat handles behind their marker, identity
// numbers, cards and international account numbers, also where full-width or
// circled digits, look-alike letters, Chinese numerals or separators disguise
// them. It takes time linear in the text.
func Find(text string) []Found {
	l := letter{text: text}
	l.fold()
	l.mailboxes()
	l.handles()
	l.accounts()
	l.numbers()
	slices.SortFunc(l.found, func(a, b Found) int { return a.Start - b.Start })
	return l.found
}

// A cell is one folded character and where it stands in the text.
type cell struct {
	r          rune
	start, end int32
	taken      bool // part of something found
}

// letter is a text under search.
type letter struct {
	text  string
	cells []cell
	found []Found
	ats   []int // cells that hold or can stand for '@'
	marks []int // cells where a chat marker can start
	nums  []int // cells where a number can start
	ibans []int // cells where an account number can start
}

// fold fills cells and notes where each kind of search has to look, so that a
// letter without identifiers costs one pass.
func (l *letter) fold() {
	l.cells = make([]cell, 0, utf8.RuneCountInString(l.text)+16)
	var buf [8]rune
	number := false
	for i, r := range l.text {
		n := utf8.RuneLen(r)
		if r == utf8.RuneError {
			_, n = utf8.DecodeRuneInString(l.text[i:])
		}
		if r < utf8.RuneSelf {
			if 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
			l.cells = append(l.cells, cell{r: r, start: int32(i), end: int32(i + 1)})
			number = l.note(number)
			continue
		}
		for _, f := range foldRune(r, buf[:0]) {
			l.cells = append(l.cells, cell{r: f, start: int32(i), end: int32(i + n)})
			number = l.note(number)
		}
	}
}

// note files the last cell under the searches it can start.
func (l *letter) note(number bool) bool {
	k := len(l.cells) - 1
	r := l.cells[k].r
	d := r < utf8.RuneSelf && isDigit(byte(r))
	if !d && r >= utf8.RuneSelf {
		_, d = hanDigit(r)
	}
	switch {
	case d:
		if !number {
			l.nums = append(l.nums, k)
		}
		if r < utf8.RuneSelf && k >= 2 && isAlpha(l.at(k-1)) && isAlpha(l.at(k-2)) && !isWord(l.at(k-3)) {
			l.ibans = append(l.ibans, k-2)
		}
	case r == '@', r == '#':
		l.ats = append(l.ats, k)
	case r == 't' && k > 0 && l.at(k-1) == 'a' && !isWord(l.at(k-2)):
		l.ats = append(l.ats, k-1)
	}
	if markerStart(r) {
		l.marks = append(l.marks, k)
	}
	return d
}

// at returns the character of cell i, or a space outside the text.
func (l *letter) at(i int) rune {
	if i < 0 || i >= len(l.cells) {
		return ' '
	}
	return l.cells[i].r
}

func isAlpha(r rune) bool { return 'a' <= r && r <= 'z' }

// isWord reports ASCII letters and digits.
func isWord(r rune) bool { return isAlpha(r) || '0' <= r && r <= '9' }

// add keeps what stands from cell i to cell j, unless part of it is taken.
func (l *letter) add(kind, value string, i, j int) bool {
	for k := i; k < j; k++ {
		if l.cells[k].taken {
			return false
		}
	}
	// A character that folds to several is taken as a whole.
	for i > 0 && l.cells[i-1].start == l.cells[i].start {
		i--
	}
	for j < len(l.cells) && l.cells[j].start == l.cells[j-1].start {
		j++
	}
	for k := i; k < j; k++ {
		l.cells[k].taken = true
	}
	l.found = append(l.found, Found{Kind: kind, Value: value, Start: int(l.cells[i].start), End: int(l.cells[j-1].end)})
	return true
}

func (l *letter) string(i, j int) string {
	b := make([]byte, 0, j-i)
	for _, c := range l.cells[i:j] {
		b = utf8.AppendRune(b, c.r)
	}
	return string(b)
}

func isLocal(r rune) bool {
	return isWord(r) || r == '.' || r == '_' || r == '-' || r == '+' || r == '%'
}

// mailboxes looks to both sides of every @, (at) and " at ".
func (l *letter) mailboxes() {
	for _, k := range l.ats {
		i, j := k, k+1 // the cells that stand for @
		switch l.at(k) {
		case '#':
			if strings.IndexByte("qg1", byte(min(l.at(k+1), 127))) < 0 {
				continue
			}
		case 'a':
			j = k + 2
			if isWord(l.at(j)) || l.at(k-1) == '.' || l.at(j) == '.' {
				continue
			}
		}
		spoken := l.at(k) == 'a'
		bracket := false
		if strings.ContainsRune("([{<", l.at(i-1)) && strings.ContainsRune(")]}>", l.at(j)) {
			i, j, bracket = i-1, j+1, true
		}
		spaced := 0
		for l.at(i-1) == ' ' && i > 0 && spaced < 2 {
			i--
			spaced++
		}
		for l.at(j) == ' ' && j < len(l.cells) && spaced < 4 {
			j++
			spaced++
		}
		if spoken && !bracket && spaced < 2 {
			continue
		}
		start := i
		for start > 0 && i-start < 65 && isLocal(l.at(start-1)) && !l.cells[start-1].taken {
			start--
		}
		for start < i && !isWord(l.at(start)) {
			start++
		}
		if start == i {
			continue
		}
		domain, end, disguised := l.domain(j)
		if end == 0 || spoken && !bracket && !disguised {
			continue // "met at noon. com" is no mailbox
		}
		local, domain, ok := mailbox(l.string(start, i), domain)
		if !ok || junkMailbox(local, domain) {
			continue
		}
		l.add(string(bonafide.Email), local+"@"+domain, start, end)
	}
}

// domain reads a host name from cell j on, with dots written out as well. end
// is 0 where there is none; disguised says that a dot was written as a word.
func (l *letter) domain(j int) (name string, end int, disguised bool) {
	var b []byte
	dots := 0
	for k := j; k < len(l.cells) && len(b) < 100; {
		r := l.at(k)
		switch {
		case isWord(r) || r == '-':
			b = append(b, byte(r))
			k++
			if dots > 0 {
				end = k
			}
			continue
		case r == '.' && isWord(l.at(k+1)):
			b = append(b, '.')
			dots++
			k++
			continue
		case r == '点' && isWord(l.at(k+1)):
			b = append(b, '.')
			dots++
			disguised = true
			k++
			continue
		}
		n := l.dotWord(k)
		if n == 0 {
			break
		}
		b = append(b, '.')
		dots++
		disguised = true
		k += n
	}
	if dots == 0 {
		return "", 0, false
	}
	if last := strings.LastIndexByte(string(b), '.'); last == 0 || !topLevel(string(b[last+1:])) {
		return "", 0, false
	}
	return string(b), end, disguised
}

// topLevel reports what can end a host name: two letters or more.
func topLevel(s string) bool {
	return len(s) >= 2 && len(s) <= 18 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz") == ""
}

var dotWords = []string{"(dot)", "[dot]", "{dot}", " dot ", " (dot) ", " [dot] ", " ponto ", "(ponto)", "(.)", "[.]"}

// dotWord returns how many cells from k on spell out a dot.
func (l *letter) dotWord(k int) int {
	if strings.IndexByte("([{ ", byte(min(l.at(k), 127))) < 0 {
		return 0
	}
	for _, w := range dotWords {
		if l.has(k, w) {
			return len(w)
		}
	}
	return 0
}

// has reports whether the cells from k on spell w.
func (l *letter) has(k int, w string) bool {
	for _, r := range w {
		if k >= len(l.cells) || l.cells[k].r != r {
			return false
		}
		k++
	}
	return true
}

// accounts looks for international account numbers (IBAN).
func (l *letter) accounts() {
	for _, k := range l.ibans {
		b := make([]byte, 0, 34)
		for i := k; i < len(l.cells) && len(b) < 34; i++ {
			r := l.at(i)
			if r == ' ' || r == '-' {
				continue
			}
			if !isWord(r) {
				break
			}
			if isAlpha(r) {
				r -= 'a' - 'A'
			}
			b = append(b, byte(r))
			if len(b) == 2 && ibanLength[string(b)] == 0 {
				break
			}
			if len(b) > 2 && len(b) == ibanLength[string(b[:2])] {
				if iban(string(b)) && !isWord(l.at(i+1)) {
					l.add(string(bonafide.Account), string(b), k, i+1)
				}
				break
			}
		}
	}
}
