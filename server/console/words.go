package console

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

// The engine, the comparisons and the policy packs write English sentences, which are
// stored. The phrasebook in locale/words.toml knows the patterns of those sentences, so
// that they can be read in each language; a sentence that it does not know is shown as
// it is.

// A phrase is the pattern of an English sentence: what stands between the places of the
// arguments, in order. There is one literal more than there are places.
type phrase struct {
	key      string
	literals []string
	places   []int // which argument stands there
}

// A phrasebook finds phrases.
type phrasebook struct {
	exact    map[string]string // keys of sentences without places
	patterns []phrase          // the most literal first
}

// sayPrefix begins the keys of phrases.
const sayPrefix = "say."

// phrases is the phrasebook of the catalogues that come with the program. That they can
// be read is seen to by [New], which reads them too.
var phrases = sync.OnceValue(func() *phrasebook {
	all, err := readCatalogue(localeFiles)
	if err != nil {
		return &phrasebook{}
	}
	return newPhrasebook(all)
})

func newPhrasebook(all catalogue) *phrasebook {
	b := &phrasebook{exact: map[string]string{}}
	for key, m := range all {
		if !strings.HasPrefix(key, sayPrefix) {
			continue
		}
		for _, text := range m["en"] {
			p := newPhrase(key, text)
			if len(p.places) == 0 {
				b.exact[text] = key
				continue
			}
			b.patterns = append(b.patterns, p)
		}
	}
	slices.SortFunc(b.patterns, func(x, y phrase) int {
		return cmp.Or(cmp.Compare(y.size(), x.size()), cmp.Compare(x.key, y.key))
	})
	return b
}

// newPhrase cuts a pattern at its places, which are written {0}, {1} and so on.
func newPhrase(key, text string) phrase {
	p := phrase{key: key}
	for {
		open := strings.IndexByte(text, '{')
		if open < 0 || open+2 >= len(text) || text[open+2] != '}' || text[open+1] < '0' || text[open+1] > '9' {
			p.literals = append(p.literals, text)
			return p
		}
		p.literals, p.places = append(p.literals, text[:open]), append(p.places, int(text[open+1]-'0'))
		text = text[open+3:]
	}
}

func (p phrase) size() (n int) {
	for _, l := range p.literals {
		n += len(l)
	}
	return n
}

// bare reports whether a pattern has no word of its own, such as "{0}: {1}". It fits
// only where the phrasebook knows a piece of the sentence.
func (p phrase) bare() bool {
	return !strings.ContainsFunc(strings.Join(p.literals, ""), unicode.IsLetter)
}

// cut returns what stands in the places of a sentence, by argument; nil where the
// pattern does not fit. It looks at every literal once, the first place it stands at.
func (p phrase) cut(sentence string) []string {
	rest, ok := strings.CutPrefix(sentence, p.literals[0])
	if !ok {
		return nil
	}
	last := p.literals[len(p.literals)-1]
	if rest, ok = strings.CutSuffix(rest, last); !ok {
		return nil
	}
	out := make([]string, 1+slices.Max(p.places))
	for i, place := range p.places {
		piece := rest
		if i < len(p.places)-1 {
			if piece, rest, ok = strings.Cut(rest, p.literals[i+1]); !ok {
				return nil
			}
		}
		if piece == "" {
			return nil
		}
		out[place] = piece
	}
	return out
}

// Bounds of what is looked up: no sentence of ours is longer, and none is in another
// that is in a third beyond that.
const (
	sayBytes = 32 << 10
	sayDepth = 3
)

// Say says a sentence that the program wrote in the reader's language. What it does not
// know it returns as it is. In the pseudo language a sentence that it knows stands in
// ⟦brackets⟧.
func (g tongue) Say(sentence string) string {
	sentence = clean(sentence)
	if g.column == "en" && g.Tag != pseudo {
		return sentence
	}
	said, ok := g.say(sentence, sayDepth)
	if ok && g.Tag == pseudo {
		return "⟦" + sentence + "⟧"
	}
	return said
}

func (g tongue) say(sentence string, depth int) (said string, ok bool) {
	if len(sentence) > sayBytes || depth == 0 {
		return sentence, false
	}
	b := phrases()
	if key, ok := b.exact[sentence]; ok {
		return g.T(key), true
	}
	for _, p := range b.patterns {
		pieces := p.cut(sentence)
		if pieces == nil {
			continue
		}
		args, known := make([]any, len(pieces)), false
		for i, piece := range pieces {
			var ok bool
			args[i], ok = g.piece(piece, depth-1)
			known = known || ok
		}
		if p.bare() && !known {
			continue
		}
		return g.T(p.key, args...), true
	}
	return sentence, false
}

// piece says a part of a sentence; ok reports whether it is a phrase itself.
func (g tongue) piece(s string, depth int) (arg any, ok bool) {
	if n, err := strconv.Atoi(s); err == nil && len(s) <= 15 {
		return n, false
	}
	if whole, rest, broken := strings.Cut(s, "."); broken && len(rest) == 1 && len(whole) <= 12 {
		if x, err := strconv.ParseFloat(s, 64); err == nil {
			return x, false
		}
	}
	if len(s) == len(time.DateOnly) {
		if t, err := time.ParseInLocation(time.DateOnly, s, g.zone); err == nil {
			return t, false
		}
	}
	if said, ok := g.say(s, depth); ok {
		return said, true
	}
	if said, ok := g.thing(s); ok {
		return said, true
	}
	if said, ok := g.each(s); ok {
		return said, true
	}
	return s, false
}

// each says a list of words that the catalogues know, such as "notify, close".
func (g tongue) each(s string) (said string, ok bool) {
	words := strings.Split(s, ", ")
	if len(words) > 20 {
		return s, false
	}
	for i, word := range words {
		if words[i], ok = g.word(word); !ok {
			return s, false
		}
	}
	return strings.Join(words, g.T("list.comma")), true
}

// word says a verb, state, outcome or kind of letter by its name in the code.
func (g tongue) word(w string) (said string, ok bool) {
	for _, prefix := range []string{"verb.", "state.", "outcome.", "letter.kind.", "move.", "stage."} {
		if g.Has(prefix + w) {
			return g.T("quoted", g.T(prefix+w)), true
		}
	}
	return w, false
}

// Thing names what complaints share: "phone 3".
func (g tongue) Thing(label string) string {
	said, ok := g.thing(label)
	if !ok {
		return clean(label)
	}
	return said
}

func (g tongue) thing(label string) (said string, ok bool) {
	kind, n, ok := strings.Cut(label, " ")
	number, err := strconv.Atoi(n)
	if !ok || err != nil || !g.Has("thing."+kind) {
		return label, false
	}
	return g.T("thing."+kind, number), true
}

// channelRunes is how much of a channel is shown.
const channelRunes = 80

// Channel names the way a complaint came in. A qualifier follows in brackets:
// "regulator/12378". It takes any kind of string.
func (g tongue) Channel(c any) string {
	base, rest, _ := strings.Cut(cut(clean(fmt.Sprint(c)), channelRunes), "/")
	if base == "" {
		return "–"
	}
	name := g.T("channel.other")
	if base != "other" && g.Has("channel."+base) {
		name = g.T("channel." + base)
	} else if base != "other" {
		rest = strings.Trim(base+"/"+rest, "/")
	}
	if rest != "" {
		name += " (" + rest + ")"
	}
	return name
}

// Minus turns a number round: days left into days past.
func (tongue) Minus(n int) int { return -n }
