package synth

import (
	"embed"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
)

// banks holds the phrase banks, one a style and language. A line is a clause:
// {a|b} chooses, [a] may be left out, <slot> is filled with a detail or a word
// of a list. "= name" opens a section, "= topic name" a topic, "+ name" a
// section of the topic, "= list name" words separated by semicolons.
//
//go:embed bank/*.txt
var banks embed.FS

// A bank is the vocabulary of one style in one language. Agents and innocents
// write from the same bank.
type bank struct {
	sections map[string][]*clause
	topics   []*topic
	lists    map[string][]string
}

// A topic is one kind of trouble.
type topic struct {
	name     string
	products []string
	sections map[string][]*clause
}

// A clause is one parsed line of a bank.
type clause struct {
	id   uint64 // unique within the bank
	body []node
}

// A node is text, a slot, or a choice among sequences.
type node struct {
	text   string
	slot   string
	choice [][]node
	id     uint64 // of a choice, unique within the bank
}

var loaded sync.Map // "style.lang" to func() *bank

// loadBank returns the bank of a style and language. The banks are part of the
// program, so a fault in one is a panic.
func loadBank(style Style, lang string) *bank {
	name := string(style) + "." + lang
	load, _ := loaded.LoadOrStore(name, sync.OnceValue(func() *bank {
		raw, err := banks.ReadFile("bank/" + name + ".txt")
		if err != nil {
			panic(fmt.Sprintf("synth: no bank for %s: %v", name, err))
		}
		b, err := parseBank(string(raw))
		if err != nil {
			panic(fmt.Sprintf("synth: bank %s: %v", name, err))
		}
		return b
	}))
	return load.(func() *bank)()
}

func parseBank(raw string) (*bank, error) {
	b := &bank{sections: map[string][]*clause{}, lists: map[string][]string{}}
	p := &parser{}
	var section, list string
	var of *topic
	for i, line := range strings.Split(raw, "\n") {
		line = strings.TrimSpace(line)
		head, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case head == "=":
			section, list, of = rest, "", nil
			if name, ok := strings.CutPrefix(rest, "topic "); ok {
				of, section = &topic{name: name, sections: map[string][]*clause{}}, ""
				b.topics = append(b.topics, of)
			}
			if name, ok := strings.CutPrefix(rest, "list "); ok {
				list = name
			}
		case head == "+":
			section = rest
		case list != "":
			for word := range strings.SplitSeq(line, ";") {
				b.lists[list] = append(b.lists[list], strings.TrimSpace(word))
			}
		case of != nil && section == "product":
			for word := range strings.SplitSeq(line, ";") {
				of.products = append(of.products, strings.TrimSpace(word))
			}
		default:
			c, err := p.clause(line)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
			if of != nil {
				of.sections[section] = append(of.sections[section], c)
			} else {
				b.sections[section] = append(b.sections[section], c)
			}
		}
	}
	return b, nil
}

// parser numbers clauses and choices as it reads them.
type parser struct {
	next uint64
	in   string
}

func (p *parser) clause(line string) (*clause, error) {
	p.next++
	c := &clause{id: p.next}
	p.in = line
	var err error
	if c.body, err = p.sequence(""); err != nil {
		return nil, err
	}
	if p.in != "" {
		return nil, fmt.Errorf("unexpected %q", p.in)
	}
	return c, nil
}

// sequence reads up to one of the stop bytes, which it leaves.
func (p *parser) sequence(stop string) ([]node, error) {
	var out []node
	for p.in != "" {
		switch ch := p.in[0]; {
		case strings.IndexByte(stop, ch) >= 0:
			return out, nil
		case ch == '<':
			name, rest, ok := strings.Cut(p.in[1:], ">")
			if !ok {
				return nil, fmt.Errorf("unclosed < in %q", p.in)
			}
			out, p.in = append(out, node{slot: name}), rest
		case ch == '{' || ch == '[':
			p.next++
			n, end := node{id: p.next}, "|}"
			if ch == '[' {
				n.choice, end = [][]node{nil}, "]"
			}
			p.in = p.in[1:]
			for {
				seq, err := p.sequence(end)
				if err != nil {
					return nil, err
				}
				if p.in == "" {
					return nil, fmt.Errorf("unclosed %c", ch)
				}
				n.choice = append(n.choice, seq)
				last := p.in[0] != '|'
				p.in = p.in[1:]
				if last {
					break
				}
			}
			out = append(out, n)
		default:
			cut := strings.IndexAny(p.in, "<{["+stop)
			if cut < 0 {
				cut = len(p.in)
			}
			if cut == 0 {
				return nil, fmt.Errorf("unexpected %q", p.in)
			}
			out, p.in = append(out, node{text: p.in[:cut]}), p.in[cut:]
		}
	}
	if stop != "" {
		return nil, fmt.Errorf("missing one of %q", stop)
	}
	return out, nil
}

// A voice makes the choices of one letter. An ordinary writer chooses freely. A
// writer with a book prefers what the book fixes and departs from it at random.
type voice struct {
	r     *rand.Rand
	book  uint64  // 0 for none
	loose float64 // probability of departing from the book at each choice
	same  float64 // probability that a detail is the book's rather than the writer's own
	fill  func(r *rand.Rand, slot string) string
}

// pick returns a number below n: the book's for this key, or a free one.
func (v *voice) pick(key uint64, n int) int {
	if v.book != 0 && v.r.Float64() >= v.loose {
		return int(mix(v.book, key) % uint64(n))
	}
	return v.r.IntN(n)
}

// chance is true with probability p, as the book has it or freely.
func (v *voice) chance(key uint64, p float64) bool {
	return float64(v.pick(key, 1<<20)) < p*(1<<20)
}

func (v *voice) expand(w *strings.Builder, body []node) {
	for _, n := range body {
		switch {
		case n.choice != nil:
			v.expand(w, n.choice[v.pick(n.id, len(n.choice))])
		case n.slot != "":
			r := v.r
			if v.book != 0 && v.r.Float64() < v.same {
				r = rand.New(rand.NewPCG(v.book, mix(uint64(w.Len()), hashString(n.slot))))
			}
			w.WriteString(v.fill(r, n.slot))
		default:
			w.WriteString(n.text)
		}
	}
}

// mix joins two numbers into one that looks random (the finaliser of
// SplitMix64, Steele and others 2014).
func mix(a, b uint64) uint64 {
	x := a*0x9e3779b97f4a7c15 + b + 0x632be59bd9b4e019
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// hashString is 64-bit FNV-1a.
func hashString(s string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 0x100000001b3
	}
	return h
}
