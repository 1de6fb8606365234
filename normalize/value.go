package normalize

import (
	"strings"
	"unicode/utf8"

	"bonafide"
)

// maxIdentifier is the longest identifier read, in bytes; addresses are the
// longest honest ones.
const maxIdentifier = 512

// Config says what a lender's files mean and which values never link.
type Config struct {
	// Country is the ISO 3166 alpha-2 code for phones written without a country
	// code. Where it is "", the number's shape decides: 11 digits from 13 to 19
	// are Chinese mobiles, 10 digits North American, 10 or 11 digits behind a
	// bracketed or separate two-digit area code Brazilian.
	Country string
	Own     []bonafide.Identifier // the lender's own numbers, mail addresses …: never link anybody
	Junk    []string              // further values that never link
}

// A Normalizer gives identifiers their canonical spelling. It does not change
// after New and is safe for concurrent use.
type Normalizer struct {
	country string
	own     map[Value]bool
	kinds   map[bonafide.IdentifierKind][]string // the lender's own by kind, for masked values
	junk    map[string]bool
}

// New returns a Normalizer for c.
func New(c Config) *Normalizer {
	n := &Normalizer{country: strings.ToUpper(c.Country), own: map[Value]bool{}, kinds: map[bonafide.IdentifierKind][]string{}, junk: map[string]bool{}}
	if n.country == "UK" {
		n.country = "GB"
	}
	for _, j := range c.Junk {
		if k := bare(Fold(j)); k != "" {
			n.junk[k] = true
		}
	}
	for _, id := range c.Own {
		if v, ok := n.settled(id); ok {
			n.own[v] = true
			n.kinds[v.Kind] = append(n.kinds[v.Kind], v.Text)
		}
	}
	return n
}

// A Value is an identifier in canonical spelling.
type Value struct {
	Kind   bonafide.IdentifierKind
	Text   string // canonical spelling
	Masked bool   // some characters are hidden ('*' in Text): use Compatible, never equality
}

// Identifier returns the canonical spelling of id. It is false for junk, for
// what cannot be read and for the lender's own: such values link nobody. A
// handle that is a Chinese mobile number comes back as a phone, because the
// chat account and the number are one fact.
func (n *Normalizer) Identifier(id bonafide.Identifier) (Value, bool) {
	v, ok := n.settled(id)
	if !ok {
		return Value{}, false
	}
	if len(n.own) > 0 {
		if n.own[v] {
			return Value{}, false
		}
		if v.Masked {
			for _, o := range n.kinds[v.Kind] {
				if Compatible(o, v.Text) {
					return Value{}, false
				}
			}
		}
	}
	if len(n.junk) > 0 && n.junk[bare(Fold(v.Text))] {
		return Value{}, false
	}
	return v, true
}

// settled is the canonical spelling of id that is its own canonical spelling.
// Values that people write settle at once; what never does is junk.
func (n *Normalizer) settled(id bonafide.Identifier) (Value, bool) {
	v, ok := n.canonical(id)
	for range 4 {
		if !ok {
			return Value{}, false
		}
		again, good := n.canonical(bonafide.Identifier{Kind: v.Kind, Value: v.Text})
		if good && again == v {
			return v, true
		}
		v, ok = again, good
	}
	return Value{}, false
}

func (n *Normalizer) canonical(id bonafide.Identifier) (Value, bool) {
	if len(id.Value) > maxIdentifier || id.Value == "" || !utf8.ValidString(id.Value) {
		return Value{}, false
	}
	s := strings.TrimSpace(Fold(id.Value))
	if isNothing(s) || len(n.junk) > 0 && n.junk[bare(s)] {
		return Value{}, false
	}
	v := Value{Kind: id.Kind}
	ok := false
	switch id.Kind {
	case bonafide.Phone:
		v.Text, ok = phone(s, n.country)
	case bonafide.Email:
		v.Text, ok = email(s)
	case bonafide.Handle:
		v.Text, v.Kind, ok = handle(s)
	case bonafide.Device:
		v.Text, ok = code(s, 6, 128)
	case bonafide.Account:
		v.Text, ok = code(s, 6, 64)
	case bonafide.IP:
		a, good := publicAddr(s)
		if good {
			v.Text, ok = a.String(), true
		}
	case bonafide.Address:
		p, good := ParseAddress(s)
		v.Text, ok = p.Exact, good
	case bonafide.Sender:
		v.Text, ok = sender(s)
	}
	if !ok || v.Text == "" || len(v.Text) > maxIdentifier || knownJunk[v.Text] || isNothing(v.Text) {
		return Value{}, false
	}
	v.Masked = strings.IndexByte(v.Text, '*') >= 0
	return v, true
}

// Compatible reports whether two canonical texts of one kind could be the same
// value, where either or both hide characters behind '*': same length, and no
// position where two visible characters differ.
func Compatible(a, b string) bool {
	if a == b {
		return true
	}
	for a != "" && b != "" {
		p, i := utf8.DecodeRuneInString(a)
		q, j := utf8.DecodeRuneInString(b)
		if p != q && p != '*' && q != '*' {
			return false
		}
		a, b = a[i:], b[j:]
	}
	return a == "" && b == ""
}

// Shown returns how many letters and digits of a masked value are visible,
// leaving out a phone's country code, which says next to nothing.
func Shown(masked string) int {
	if strings.HasPrefix(masked, "+") {
		masked = masked[1+callingCode(masked[1:]):]
	}
	n := 0
	for _, r := range masked {
		if r >= utf8.RuneSelf || isAlnum(byte(r)) {
			n++
		}
	}
	return n
}

// code returns the canonical spelling of device ids and account numbers: upper
// case letters, digits and '*' for what is hidden.
func code(folded string, least, most int) (string, bool) {
	b := make([]byte, 0, len(folded))
	for _, r := range folded {
		switch {
		case r < 0x80 && isAlnum(byte(r)):
			c := byte(r)
			if 'a' <= c && c <= 'z' {
				c -= 'a' - 'A'
			}
			b = append(b, c)
		case isMask(r):
			b = append(b, '*')
		}
	}
	maskRuns(b)
	if len(b) < least || len(b) > most {
		return "", false
	}
	shown := make([]byte, 0, len(b))
	for _, c := range b {
		if c != '*' {
			shown = append(shown, c)
		}
	}
	if len(shown) < 4 || dull(string(shown)) {
		return "", false
	}
	return string(b), true
}

// maskRuns turns runs of three or more X, as redaction leaves them, into '*'.
func maskRuns(b []byte) {
	for i := 0; i < len(b); {
		j := i
		for j < len(b) && (b[j] == 'X' || b[j] == '*') {
			j++
		}
		if j-i >= 3 {
			for k := i; k < j; k++ {
				b[k] = '*'
			}
		}
		i = max(j, i+1)
	}
}

// isMask reports the characters that stand for a hidden one.
func isMask(r rune) bool {
	switch r {
	case '*', '•', '●', '×', '■', '█', '◆', '▪', '※', '╳', '✕', '✖', '⬛', '▇', '⚫':
		return true
	}
	return false
}

// sender returns the canonical spelling of who posted a letter: a mailbox, or a
// name and address with the words in sorted order.
func sender(folded string) (string, bool) {
	if strings.Contains(folded, "@") {
		if e, ok := email(folded); ok {
			return e, true
		}
	}
	if p, ok := ParseAddress(folded); ok {
		return p.Exact, true
	}
	words := addressWords(stripAccents(folded))
	n := 0
	for _, w := range words {
		n += utf8.RuneCountInString(w)
	}
	s := strings.Join(sortedWords(words), " ")
	if n < 4 || isNothing(s) || dull(bare(s)) {
		return "", false
	}
	return s, true
}
