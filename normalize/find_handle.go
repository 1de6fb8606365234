package normalize

import (
	"strings"
	"unicode/utf8"
)

// strong markers name a chat beyond doubt; what follows needs no separator.
var strongMarkers = []string{
	"微信", "薇信", "威信", "徽信", "维信", "微❤", "薇❤", "v信", "加v", "+v", "加微", "加薇", "加威", "加❤", "加q", "q群", "qq", "扣扣", "扣群", "企鹅号",
	"纸飞机", "飞机", "灰机", "电报", "蝙蝠", "vx", "wx", "wechat", "weixin", "whatsapp", "telegram", "zapzap",
}

// weak markers are everyday letters and words: they count only before a colon
// or the like.
var weakMarkers = []string{"v", "q", "微", "薇", "威", "徽", "❤", "♥", "扣", "企鹅", "🐧", "✈", "tg", "ws", "line", "line id", "zap", "skype", "signal", "viber", "卫星", "钉钉"}

// A marker is a word before a handle.
type marker struct {
	word   string
	cells  int // its length in characters
	strong bool
}

// markers holds them by their first character.
var markers = func() map[rune][]marker {
	m := map[rune][]marker{}
	for _, list := range [...]struct {
		words  []string
		strong bool
	}{{strongMarkers, true}, {weakMarkers, false}} {
		for _, w := range list.words {
			r, _ := utf8.DecodeRuneInString(w)
			m[r] = append(m[r], marker{w, utf8.RuneCountInString(w), list.strong})
		}
	}
	return m
}()

// markerStart reports the characters that a marker, a chat address or a mention
// can start with.
func markerStart(r rune) bool {
	if r < utf8.RuneSelf {
		return strings.IndexByte("@+vqwtzls", byte(r)) >= 0
	}
	return r >= 0x2000 && markers[r] != nil
}

// handles looks behind every chat marker, @ and chat address.
func (l *letter) handles() {
	for _, k := range l.marks {
		if l.cells[k].taken {
			continue
		}
		if i := l.site(k); i > 0 {
			l.handleAt(k, i, true, true)
			continue
		}
		if l.at(k) == '@' {
			if (!isWord(l.at(k-1)) || !isWord(l.at(k-2))) && isAlpha(l.at(k+1)) {
				l.handleAt(k, k+1, true, false)
			}
			continue
		}
		if isAlpha(l.at(k)) && isWord(l.at(k-1)) {
			continue // inside a word
		}
		if i, strong := l.marker(k); i > 0 {
			j, sep := l.lead(i)
			if (l.has(k, "whatsapp") || l.has(k, "zap")) && isDigit(byte(min(l.at(j), 127))) {
				continue // a phone: numbers reads it with its country code
			}
			latin := isAlpha(l.at(i - 1))
			l.handleAt(j, j, sep, strong && (!latin || sep))
		}
	}
}

// site returns the cell behind a chat address that starts at k, or 0.
func (l *letter) site(k int) int {
	switch l.at(k) {
	case 't', 'w', 'l':
	default:
		return 0
	}
	if isWord(l.at(k - 1)) {
		return 0
	}
	for _, s := range chatSites {
		if l.has(k, s) {
			i := k + len(s)
			if l.has(i, "joinchat/") {
				i += len("joinchat/")
			}
			if l.at(i) == '+' {
				i++
			}
			return i
		}
	}
	return 0
}

// marker returns the cell behind the longest marker that starts at k, or 0. A
// strong one goes before a weak one.
func (l *letter) marker(k int) (end int, strong bool) {
	for _, m := range markers[l.at(k)] {
		if strong && !m.strong {
			break
		}
		if m.cells > end-k && l.has(k, m.word) {
			end, strong = k+m.cells, m.strong
		}
	}
	return end, strong
}

// lead passes over what may stand between a marker and its handle. sep is
// whether anything but white space did.
func (l *letter) lead(i int) (int, bool) {
	sep := false
	for n := 0; n < 12 && i < len(l.cells); n++ {
		switch r := l.at(i); {
		case r == ' ' || r == '\t':
		case strings.ContainsRune(":=~+@>→-—()[]·.,，、★☆【】", r):
			sep = true
		case strings.ContainsRune("号码群是为帐账加我信咨询联系搜id", r) && (r >= utf8.RuneSelf || l.has(i, "id") && !isWord(l.at(i+2)) || l.at(i-1) == 'i' && r == 'd'):
			sep = true
		case r == '❤' || r == '同':
			sep = true
		default:
			return i, sep
		}
		i++
	}
	return i, sep
}

// handleAt reads a handle from cell i on, whose marker starts at from. marked
// says that something set it apart from the words around it; certain, that it
// needs no digit to be believed.
func (l *letter) handleAt(from, i int, marked, certain bool) {
	if !marked && !certain {
		return
	}
	b := make([]byte, 0, 32)
	end, hard, digits := i, false, 0
	for k := i; k < len(l.cells) && len(b) < 40; {
		if l.cells[k].taken {
			break
		}
		r := l.at(k)
		c, ok := byte(0), false
		switch {
		case isWord(r):
			c, ok = byte(r), true
		case (r == '_' || r == '-') && len(b) > 0 && (isWord(l.at(k+1)) || l.at(k+1) == '_'):
			c, ok = byte(r), true
		case r >= utf8.RuneSelf:
			if c, ok = hanDigit(r); ok && (l.plainRun(k) < 5 && len(b) == 0 || len(b) > 0 && digits < len(b)) {
				ok = false // 一 in a sentence
			}
		}
		if ok {
			b = append(b, c)
			if isDigit(c) {
				digits++
			}
			k++
			end = k
			hard = false
			continue
		}
		// One or two separators inside a handle that is spelt out.
		if hard || len(b) == 0 {
			break
		}
		n := 0
		for n < 2 && strings.ContainsRune(" ~·*.-—,、", l.at(k+n)) && k+n < len(l.cells) {
			n++
		}
		if n == 0 || !l.joins(k+n, b, digits) {
			break
		}
		k += n
		hard = true
	}
	s := string(b)
	if len(s) < 5 || !certain && digits == 0 && !(marked && len(s) >= 6 && l.at(i-1) == ':') {
		if !(from < i && len(s) >= 5 && l.at(from) == '@') {
			return
		}
	}
	// A letter-only word behind a bare marker is a sentence going on.
	if digits == 0 && !marked {
		return
	}
	if chatWord[s] || nothings[bare(s)] {
		return
	}
	if l.has(from, "wa.me/") || l.has(from, "api.") {
		s = "wa.me/" + s
	}
	v, kind, ok := handle(s)
	if !ok || knownJunk[v] {
		return
	}
	l.add(string(kind), v, from, end)
}

// plainRun counts the digits and Chinese numerals from cell k on.
func (l *letter) plainRun(k int) int {
	n := 0
	for n < 16 {
		r := l.at(k + n)
		if _, ok := hanDigit(r); !ok && !(r < utf8.RuneSelf && isDigit(byte(r))) {
			break
		}
		n++
	}
	return n
}

// joins reports whether what starts at cell k goes on a handle read so far as
// b: single characters go on single characters, digits go on digits.
func (l *letter) joins(k int, b []byte, digits int) bool {
	r := l.at(k)
	if !isWord(r) {
		if _, ok := hanDigit(r); !ok {
			return false
		}
	}
	single := !isWord(l.at(k + 1))
	if digits == len(b) {
		return '0' <= r && r <= '9' && len(b) < 11 && !(len(b) >= 9 && l.plainRun(k) > 3) || single && len(b) < 12
	}
	return single && len(b) < 16 && l.spelt(k) || len(b) < 5 && '0' <= r && r <= '9'
}

// spelt reports whether the cell two before k is a single character as well.
func (l *letter) spelt(k int) bool {
	n := 0
	for i := k - 1; i >= 0 && n < 3 && !isWord(l.at(i)); i-- {
		n++
	}
	i := k - 1 - n
	return isWord(l.at(i)) && !isWord(l.at(i-1))
}
