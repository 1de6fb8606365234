package pipeline

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"bonafide"
	"bonafide/normalize"
	"bonafide/signal/text"
)

// Bounds of what a template shows.
const (
	skeletonLetters = 32     // letters the skeleton is voted by
	skeletonBytes   = 6_000  // of a skeleton
	exampleLetters  = 3      // letters laid against the model
	exampleBytes    = 12_000 // of one of them
)

// templates puts every letter that several customers share into words, the most used
// first.
func (w *writer) templates() {
	groups := make([][]int32, 0, len(w.letters.groups))
	for _, g := range w.letters.groups {
		if w.customersOf(g) >= 2 {
			groups = append(groups, g)
		}
	}
	slices.SortStableFunc(groups, func(a, b []int32) int { return cmp.Compare(len(b), len(a)) })
	for n, g := range groups {
		model := w.model(g)
		t := bonafide.Template{ID: id("t", w.names(g)), Members: w.names(g), Lang: w.all[model].Lang}
		if !w.bare {
			t.Skeleton = w.skeleton(g, model)
		}
		for _, p := range w.cfg.Public {
			if p.Matches(w.all[model].letter) {
				t.Benign = p.Name
				break
			}
		}
		// Laid-out letters are for people to read; nobody reads the ten thousandth.
		if n < 2000 && !w.bare {
			for _, i := range spread(g, exampleLetters+1) {
				if i != model && len(t.Examples) < exampleLetters {
					t.Examples = append(t.Examples, w.aligned(g, i, model))
				}
			}
		}
		for _, i := range g {
			w.templateOf[i] = len(w.out.Templates)
		}
		w.out.Templates = append(w.out.Templates, t)
	}
}

// skeleton is what the letters of g have in common, laid on the model.
func (w *writer) skeleton(g []int32, model int32) string {
	var others []string
	for _, i := range spread(g, skeletonLetters) {
		others = append(others, w.all[i].Text)
	}
	// One member may have signed with another's name: what is shared hides them all.
	s := normalize.Mask(text.Skeleton(w.all[model].Text, others, skeletonBytes))
	for _, i := range g {
		s = maskName(w.all[i].Name, s)
	}
	return s
}

// spread takes up to n of g, evenly.
func spread(g []int32, n int) []int32 {
	if len(g) <= n {
		return g
	}
	out := make([]int32, n)
	for i := range out {
		out[i] = g[i*len(g)/n]
	}
	return out
}

// model returns the letter of g that is most like the others.
func (w *writer) model(g []int32) int32 {
	some := spread(g, 12)
	best, most := some[0], -1.0
	m := text.NewComparer(w.letters.corpus)
	for _, i := range some {
		m.Set(w.all[i].letter)
		var sum float64
		for _, j := range some {
			if i != j {
				sum += m.With(w.all[j].letter).Plain
			}
		}
		if sum > most {
			best, most = i, sum
		}
	}
	return best
}

// aligned lays letter i of group g against the model, with what identifies people masked.
func (w *writer) aligned(g []int32, i, model int32) bonafide.Aligned {
	a := bonafide.Aligned{Complaint: w.all[i].ID}
	left := exampleBytes
	for _, s := range w.letters.corpus.Align(w.all[i].Text, w.all[model].Text) {
		s.Text = normalize.Mask(s.Text)
		for _, k := range g {
			s.Text = maskName(w.all[k].Name, s.Text)
		}
		if s.Kind == bonafide.SpanOwn {
			s.Text = fullName.ReplaceAllStringFunc(s.Text, hideName)
			s.Text = introduced.ReplaceAllString(s.Text, "$1‹name›")
		}
		if len(s.Text) > left {
			s.Text = strings.ToValidUTF8(s.Text[:left], "") + " …"
		}
		a.Spans = append(a.Spans, s)
		if left -= len(s.Text); left <= 0 {
			break
		}
	}
	return a
}

// People name others in their letters, whom no record lists. Where letters
// differ, two capitalised words in a row and what follows "I am called" are taken for a name: a
// town too many is hidden rather than a person too few.
var (
	fullName   = regexp.MustCompile(`\p{Lu}\p{Ll}+(?:[ '-](?:(?:da|de|do|dos|das|van|von|der|la|el|bin|al) )?\p{Lu}[\p{Ll}']+)+`)
	introduced = regexp.MustCompile(`((?i:my name is|meu nome é|me chamo)\s+|我叫|我是|本人|姓名[:：]?|叫做?)[\p{Lu}\p{Han}][\p{Ll}\p{Han}]{1,3}`)
)

// notNames are capitalised words that begin sentences or name days.
var notNames = func() map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(`On In At The My Our I It We He She They This That When After Since And But So If As For From By To Then
		Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July August September October November December
		Em No Na Meu Minha O A Os As Eu Ele Ela Quando Depois Dear Sir Madam Please Mr Mrs Ms Dr`) {
		set[w] = true
	}
	return set
}()

// hideName hides what is left of capitalised words once those are gone that begin
// sentences or name days; a single word stays.
func hideName(words string) string {
	parts := strings.Split(words, " ")
	from := 0
	for from < len(parts) && notNames[parts[from]] {
		from++
	}
	if len(parts)-from < 2 && !strings.ContainsAny(words, "-'") {
		return words
	}
	return strings.Join(append(parts[:from:from], "‹name›"), " ")
}

// replaceWord replaces old where it stands as a word of its own.
func replaceWord(s, old, with string) string {
	var out strings.Builder
	for {
		at := strings.Index(s, old)
		if at < 0 {
			out.WriteString(s)
			return out.String()
		}
		end := at + len(old)
		out.WriteString(s[:at])
		if letterBefore(s, at) || letterAfter(s, end) {
			out.WriteString(old)
		} else {
			out.WriteString(with)
		}
		s = s[end:]
	}
}

func letterBefore(s string, at int) bool { return at > 0 && isLetter(s[at-1]) }
func letterAfter(s string, at int) bool  { return at < len(s) && isLetter(s[at]) }
func isLetter(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
}

// mainTemplate is the letter that at least half of the members were written from.
func (w *writer) mainTemplate(members []int32) string {
	votes := map[int]int{}
	for _, m := range members {
		if t, ok := w.templateOf[m]; ok {
			votes[t]++
		}
	}
	best := -1
	for t, n := range votes {
		if 2*n >= len(members) && (best < 0 || n > votes[best] || n == votes[best] && t < best) {
			best = t
		}
	}
	if best < 0 {
		return ""
	}
	return w.out.Templates[best].ID
}
