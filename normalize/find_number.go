package normalize

import (
	"strings"
	"unicode/utf8"

	"bonafide"
)

// maxGroups is how many groups of digits are tried together as one number: a
// card has four or five, a spelt-out mobile eleven.
const maxGroups = 12

// group is a run of digits within a number.
type group struct {
	from, to int // cells
	at       int // where it starts among the digits
}

// numbers looks at every run of digits with single separators between them.
func (l *letter) numbers() {
	next := 0
	for _, k := range l.nums {
		if k < next || l.cells[k].taken {
			continue
		}
		next = l.numberAt(k)
	}
}

// numberAt reads the groups of digits from cell k on, tries every row of them
// as a number, longest first, and returns the cell where reading stopped.
func (l *letter) numberAt(k int) int {
	var groups []group
	var d []byte
	i := k
	for i < len(l.cells) && len(groups) < 64 {
		j := i
		for j < len(l.cells) && !l.cells[j].taken && j-i < 64 {
			c, ok := l.digit(j)
			if !ok {
				break
			}
			d = append(d, c)
			j++
		}
		if j == i {
			break
		}
		groups = append(groups, group{i, j, len(d) - (j - i)})
		n := 0
		for n < 4 && l.between(j+n) {
			n++
		}
		if n == 0 {
			i = j
			break
		}
		i = j + n
	}
	for s := 0; s < len(groups); {
		e := l.classify(groups[s:min(len(groups), s+maxGroups)], d)
		s += max(e, 1)
	}
	return max(i, k+1)
}

// digit returns the digit that cell j shows; hidden digits are '*'.
func (l *letter) digit(j int) (byte, bool) {
	r := l.at(j)
	if r < utf8.RuneSelf && isDigit(byte(r)) {
		return byte(r), true
	}
	if isMask(r) && j > 0 {
		return '*', true
	}
	if r == 'x' && j > 2 && (l.at(j+1) == 'x' || l.at(j-1) == 'x') {
		return '*', true
	}
	return hanDigit(r)
}

func (l *letter) between(j int) bool {
	return j < len(l.cells) && strings.ContainsRune(" -.()/~_·—–", l.at(j))
}

// classify tries rows of groups that start with the first one and returns how
// many groups were taken.
func (l *letter) classify(g []group, d []byte) int {
	glued := isAlpha(l.at(g[0].from - 1))
	if glued && isWord(l.at(g[0].from-2)) {
		return 0 // part of a reference such as ab12345
	}
	for e := len(g); e > 0; e-- {
		last := g[e-1]
		s := d[g[0].at : last.at+last.to-last.from]
		if len(s) < 8 || len(s) > 20 {
			continue
		}
		if r := l.at(last.to); isAlpha(r) && r != 'x' {
			continue
		}
		if _, mobile := china(string(s)); glued && !mobile {
			continue // v13812345678 hides a mobile; a12345678 is a reference
		}
		if l.number(g[:e], string(s)) {
			return e
		}
	}
	return 0
}

// number files s, written in groups g, under the first kind that it proves.
func (l *letter) number(g []group, s string) bool {
	from, to := g[0].from, g[len(g)-1].to
	if strings.Contains(s, "*") {
		if len(s) == 11 && s[0] == '1' && between(s[1], '3', '9') && isDigit(s[1]) && Shown(s) >= 7 {
			if p, ok := phone(s, "CN"); ok {
				return l.add(string(bonafide.Phone), p, from, to)
			}
		}
		return false
	}
	shape := l.shape(g)
	plus := l.at(from-1) == '+'
	if len(s) == 17 && l.at(to) == 'x' && !isWord(l.at(to+1)) {
		if id, ok := ID(s + "X"); ok && id.Country == "CN" {
			return l.add(FoundID, id.Text, from, to+1)
		}
	}
	if isAlpha(l.at(to)) {
		return false
	}
	if !plus && (len(s) == 18 || len(s) == 11 && (shape == "3.3.3-2" || l.before(from, "cpf")) || len(s) == 14 && (shape == "2.3.3/4-2" || l.before(from, "cnpj")) ||
		shape == "3-2-4" || shape == "4 4 4" || len(s) == 15 && l.before(from, "身份证")) {
		if id, ok := ID(s); ok && id.Country != "" {
			return l.add(FoundID, id.Text, from, to)
		}
	}
	if !plus && len(s) >= 13 && len(s) <= 19 && strings.IndexByte("23456", s[0]) >= 0 && tight(shape, 4) && luhn(s) && !dull(s) {
		return l.add(FoundCard, s, from, to)
	}
	if len(s) > 15 || strings.ContainsAny(shape, "/~_") {
		return false
	}
	if !plus && !phoneShape(s, shape) {
		return false
	}
	written := s
	if plus {
		written = "+" + s
	} else if i := strings.IndexAny(shape, " -.()"); i > 0 {
		if n := g[0].to - g[0].from; n > 1 || len(g) == 4 {
			written = s[:n] + " " + s[n:]
		}
	}
	p, ok := phone(written, "")
	if !ok || knownJunk[p] {
		return false
	}
	if plus && !l.cells[from-1].taken {
		from--
	}
	if l.at(from-1) == '(' && from > 0 && !l.cells[from-1].taken && strings.Contains(l.string(from, to), ")") {
		from--
	}
	return l.add(string(bonafide.Phone), p, from, to)
}

// shape writes the groups as their lengths with the separators between.
func (l *letter) shape(g []group) string {
	b := make([]byte, 0, 24)
	for i, x := range g {
		n := x.to - x.from
		if n > 9 {
			b = append(b, byte('0'+n/10))
		}
		b = append(b, byte('0'+n%10))
		if i+1 < len(g) {
			for j := x.to; j < g[i+1].from; j++ {
				switch r := l.at(j); r {
				case '(', ')':
				case '—', '–':
					b = append(b, '-')
				case '·':
					b = append(b, '.')
				default:
					if len(b) > 0 && b[len(b)-1] == ' ' {
						b = b[:len(b)-1]
					}
					b = append(b, byte(r))
				}
			}
			if j := x.to; l.at(j) == ')' && j+1 == g[i+1].from {
				b = append(b, '-')
			}
		}
	}
	return string(b)
}

// tight reports a number written in one piece or in groups of n: the way cards
// are. Anything else is several numbers that stand side by side.
func tight(shape string, n byte) bool {
	if !strings.ContainsAny(shape, " -.") {
		return true
	}
	for i := range len(shape) {
		if c := shape[i]; isDigit(c) && (c > '0'+n+2 || i > 0 && isDigit(shape[i-1])) {
			return false
		}
	}
	return shape[0] == '0'+n
}

var dashes = strings.NewReplacer(" ", "-", ".", "-")

// phoneShape reports whether digits written so are dialled by somebody, and are
// not an amount, a date or a reference.
func phoneShape(s, shape string) bool {
	flat := dashes.Replace(shape)
	if _, ok := china(s); ok {
		switch {
		case strings.Count(flat, "-") == 0, strings.HasPrefix(flat, "3-4-4"), strings.HasPrefix(flat, "3-3-5"), strings.HasPrefix(flat, "2-3-4-4"),
			strings.HasPrefix(flat, "2-11"), strings.Count(flat, "-") == len(s)-1, flat == "4-3-4", flat == "4-4-3":
			return true
		}
	}
	switch flat {
	case "3-3-4", "1-3-3-4", "3-7": // North America
		_, ok := nanp(s)
		return ok && (flat != "3-7" || strings.Contains(shape, "-"))
	case "2-5-4", "2-4-4", "2-9", "2-1-4-4", "2-2-5-4", "2-2-4-4", "11", "3-5-4", "3-4-4": // Brazil
		t, ok := brazil(s)
		return ok && (flat != "11" || len(t) == 11)
	case "3-8", "4-8", "4-7": // Chinese land lines
		return s[0] == '0' && s[1] != '0'
	case "5-6", "5-3-3", "4-3-4": // the United Kingdom
		return s[0] == '0' && strings.IndexByte("12378", s[1]) >= 0
	}
	return false
}

// before reports whether word stands within a few characters before cell k.
func (l *letter) before(k int, word string) bool {
	i := max(0, k-12)
	return strings.Contains(l.string(i, k), word)
}
