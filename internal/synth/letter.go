package synth

import (
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A step of a letter takes clauses from one section.
type step struct {
	section     string
	least, most int
}

// shapes are the orders in which a style tells a story.
var shapes = map[Style][][]step{
	Dev: {
		{{"open", 0, 1}, {"who", 0, 2}, {"fact", 1, 3}, {"more", 1, 3}, {"tried", 0, 2}, {"harm", 0, 2}, {"life", 0, 2}, {"ask", 1, 2}, {"close", 0, 1}},
		{{"fact", 1, 2}, {"life", 0, 2}, {"more", 1, 3}, {"who", 0, 1}, {"harm", 0, 2}, {"tried", 0, 3}, {"ask", 1, 2}},
		{{"open", 0, 1}, {"ask", 1, 1}, {"who", 0, 2}, {"fact", 1, 3}, {"tried", 0, 2}, {"more", 0, 3}, {"life", 0, 1}, {"harm", 0, 1}, {"close", 0, 1}},
		{{"who", 1, 2}, {"life", 0, 3}, {"fact", 1, 2}, {"harm", 0, 2}, {"more", 1, 4}, {"ask", 0, 2}, {"close", 0, 1}},
	},
	Held: { // a diary: life and attempts between the facts
		{{"life", 0, 1}, {"fact", 1, 1}, {"tried", 0, 1}, {"more", 1, 2}, {"tried", 0, 1}, {"fact", 0, 2}, {"harm", 0, 2}, {"ask", 1, 2}},
		{{"who", 1, 1}, {"more", 1, 2}, {"fact", 1, 2}, {"harm", 0, 1}, {"life", 0, 2}, {"tried", 0, 2}, {"ask", 0, 1}, {"close", 0, 1}},
		{{"harm", 1, 1}, {"fact", 1, 3}, {"who", 0, 1}, {"more", 0, 2}, {"tried", 1, 2}, {"life", 0, 1}, {"ask", 1, 1}},
		{{"open", 0, 1}, {"fact", 1, 2}, {"life", 0, 2}, {"more", 0, 3}, {"who", 0, 1}, {"tried", 0, 1}, {"close", 0, 1}, {"ask", 1, 1}},
	},
	Held2: { // a filled form: headed blocks
		{{"#what", 1, 1}, {"fact", 1, 3}, {"more", 1, 3}, {"#done", 0, 1}, {"tried", 0, 2}, {"#want", 1, 1}, {"ask", 1, 2}},
		{{"who", 0, 1}, {"#what", 0, 1}, {"more", 1, 2}, {"fact", 1, 2}, {"life", 0, 2}, {"harm", 0, 2}, {"#want", 0, 1}, {"ask", 1, 2}, {"close", 0, 1}},
		{{"open", 0, 1}, {"life", 0, 2}, {"fact", 1, 3}, {"harm", 0, 2}, {"tried", 0, 2}, {"ask", 0, 2}},
	},
}

// A book is what a ring, a household or a public template fixes about a letter:
// the shape, a preferred choice and order of clauses, and the words of each.
type book struct {
	key   uint64
	loose float64 // see voice.loose; also governs dropped, exchanged and re-ordered clauses
	same  float64 // see voice.same
}

// compose writes one letter of at least size words (runes of Han). With a nil
// book the writer chooses freely.
func (b *bank) compose(r *rand.Rand, style Style, lang string, t *topic, bk *book, size int, fill func(*rand.Rand, string) string) string {
	v := &voice{r: r, fill: fill}
	if bk != nil {
		v.book, v.loose, v.same = bk.key, bk.loose, bk.same
	}
	shape := shapes[style][v.pick(1, len(shapes[style]))]
	used := map[*clause]bool{}
	var plan []*clause
	for i, s := range shape {
		from := b.section(t, s.section)
		if len(from) == 0 {
			continue
		}
		n := s.least + v.pick(mix(2, uint64(i)), s.most-s.least+1)
		for _, c := range v.choose(from, n, mix(3, uint64(i))) {
			if !used[c] {
				used[c] = true
				plan = append(plan, c)
			}
		}
	}
	if bk != nil {
		plan = v.depart(plan, b, t, used)
	}
	// A letter that is still short is filled up with asides and details.
	var texts []string
	for _, c := range plan {
		texts = append(texts, v.say(c))
	}
	for tries := 0; lettersOf(texts, lang) < size && tries < 60; tries++ {
		// Even an agent's filler comes mostly from the book.
		section := []string{"more", "life", "tried", "harm", "fact", "who"}[v.pick(mix(5, uint64(tries)), 6)]
		from := b.section(t, section)
		if len(from) == 0 {
			continue
		}
		c := from[v.pick(mix(6, uint64(tries)), len(from))]
		if used[c] {
			continue
		}
		used[c] = true
		at := min(1+v.pick(mix(7, uint64(tries)), 8), len(texts))
		texts = slices.Insert(texts, at, v.say(c))
	}
	return v.join(texts, style, lang)
}

// section returns the clauses of a topic's section, or of the general one; both
// together where both exist.
func (b *bank) section(t *topic, name string) []*clause {
	return append(slices.Clip(t.sections[name]), b.sections[name]...)
}

// choose returns n different clauses: the book's in the book's order, or free.
func (v *voice) choose(from []*clause, n int, key uint64) []*clause {
	r := v.r
	if v.book != 0 {
		r = rand.New(rand.NewPCG(v.book, key))
	}
	var out []*clause
	for _, i := range r.Perm(len(from))[:min(n, len(from))] {
		out = append(out, from[i])
	}
	return out
}

// depart spins a plan: some clauses dropped, some exchanged, some moved.
func (v *voice) depart(plan []*clause, b *bank, t *topic, used map[*clause]bool) []*clause {
	var out []*clause
	for _, c := range plan {
		switch x := v.r.Float64(); {
		case x < 0.30*v.loose && len(plan) > 3:
			continue
		case x < 0.65*v.loose:
			from := b.section(t, []string{"fact", "more", "life", "tried", "harm", "ask"}[v.r.IntN(6)])
			if other := from[v.r.IntN(len(from))]; !used[other] {
				used[other], c = true, other
			}
		}
		out = append(out, c)
	}
	for i := 1; i < len(out); i++ {
		if v.r.Float64() < 0.5*v.loose {
			out[i-1], out[i] = out[i], out[i-1]
		}
	}
	return out
}

func (v *voice) say(c *clause) string {
	var w strings.Builder
	v.expand(&w, c.body)
	return strings.TrimSpace(strings.Join(strings.Fields(w.String()), " "))
}

// join makes sentences of clauses. Styles punctuate and connect differently.
func (v *voice) join(texts []string, style Style, lang string) string {
	links := connectives[style][lang]
	stop, comma, space := ".", ", ", " "
	if lang == "zh" {
		stop, comma, space = "。", "，", ""
	}
	together, linked, paragraph := 0.25, 0.15, 0.12
	switch style {
	case Held:
		together, linked, paragraph = 0.1, 0.45, 0
	case Held2:
		together, linked, paragraph = 0.45, 0.1, 0.3
	}
	var w strings.Builder
	fresh := true
	for i, text := range texts {
		if strings.HasSuffix(text, ":") || strings.HasSuffix(text, "：") { // a heading
			if i > 0 {
				w.WriteString("\n")
			}
			w.WriteString(capital(text))
			w.WriteString(space)
			fresh = true
			continue
		}
		if v.chance(mix(12, uint64(i)), linked) && i > 0 && len(links) > 0 && !(lang != "zh" && startsName(text)) {
			text = links[v.pick(mix(11, uint64(i)), len(links))] + text
		}
		if fresh {
			text = capital(text)
		}
		w.WriteString(text)
		last := i == len(texts)-1
		switch {
		case last || !v.chance(mix(13, uint64(i)), together):
			if r, _ := utf8.DecodeLastRuneInString(text); !strings.ContainsRune(".?!。？！", r) {
				w.WriteString(stop)
			}
			fresh = true
			if v.chance(mix(14, uint64(i)), paragraph) && !last {
				w.WriteString("\n")
			} else if !last {
				w.WriteString(space)
			}
		default:
			w.WriteString(comma)
			if lang == "en" && v.pick(mix(15, uint64(i)), 2) == 0 && !fresh {
				w.WriteString("and ")
			}
			fresh = false
		}
	}
	return w.String()
}

// connectives open a clause that goes on from the one before.
var connectives = map[Style]map[string][]string{
	Dev: {
		"en": {"also, ", "besides, ", "on top of that ", "what is more, ", "to make it worse, ", "meanwhile "},
		"zh": {"而且", "另外，", "更过分的是，", "与此同时，", "再说，"},
		"pt": {"além disso, ", "e ainda por cima ", "também ", "para piorar, ", "enquanto isso "},
	},
	Held: {
		"en": {"then ", "a few days later ", "after that ", "the next morning ", "by the end of the week ", "later on ", "at first ", "so "},
		"zh": {"后来", "过了几天", "第二天", "到了月底", "于是", "起初", "没想到"},
		"pt": {"depois ", "dias depois ", "na manhã seguinte ", "no fim da semana ", "então ", "no começo ", "aí "},
	},
	Held2: {
		"en": {"note that ", "in fact ", "as I said, ", "please note: ", "secondly, "},
		"zh": {"需要说明的是，", "事实上", "其次，", "特此说明：", "同时"},
		"pt": {"destaco que ", "de fato ", "em segundo lugar, ", "observo que ", "inclusive "},
	},
}

func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// startsName reports whether a clause begins with a capital that must stay one,
// such as "I".
func startsName(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsUpper(r) && !strings.HasPrefix(s, "I ")
}

// lettersOf counts words, or runes of Chinese.
func lettersOf(texts []string, lang string) int {
	n := 0
	for _, t := range texts {
		if lang == "zh" {
			n += utf8.RuneCountInString(t) + 1
		} else {
			n += strings.Count(t, " ") + 1
		}
	}
	return n
}
