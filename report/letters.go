package report

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"bonafide"
)

// A letterView is a shared letter with some of those who used it.
type letterView struct {
	At, ID, Count, Benign, Lang string
	Skeleton                    []piece
	Examples                    []exampleView
	Members                     []memberLink
	MembersLeft                 int
}

type memberLink struct{ ID, At string }

// A piece of text; Slot marks where letters differ.
type piece struct {
	Text string
	Slot bool
}

type exampleView struct {
	ID, At string
	Spans  []spanView
	Cut    bool
}

// A spanView is a passage. White space around what only one letter has stands apart, so
// that only words are marked.
type spanView struct{ Kind, Before, Text, After string }

func newSpanView(kind bonafide.SpanKind, text string) spanView {
	v := spanView{Kind: string(kind), Text: text}
	if kind != bonafide.SpanOwn {
		return v
	}
	v.Text = strings.TrimLeftFunc(text, unicode.IsSpace)
	v.Before = text[:len(text)-len(v.Text)]
	all := v.Text
	v.Text = strings.TrimRightFunc(all, unicode.IsSpace)
	v.After = all[len(v.Text):]
	if strings.IndexFunc(v.Text, func(r rune) bool { return !unicode.IsPunct(r) }) < 0 {
		return spanView{Kind: string(bonafide.SpanShared), Text: text}
	}
	return v
}

// langTag is the form of a language tag. The tag of a letter is guessed, or comes from the file.
var langTag = regexp.MustCompile(`^(?:zh|en|pt|es|fr|de|ru|ja|ko|hi|ar|id|vi|th|tr|it|nl|pl)(?:-[A-Za-z0-9]{2,8})*$`)

func (s *scene) letterView(at string, t *bonafide.Template, p *purse) *letterView {
	v := &letterView{
		At: at, ID: p.text(t.ID, maxID), Count: count(len(t.Members), "complaint"),
		Benign: p.text(t.Benign, maxReason),
	}
	if langTag.MatchString(t.Lang) {
		v.Lang = t.Lang
	}
	v.Skeleton = slots(p.keep(cut(paragraphs(t.Skeleton), maxLetter)))
	for _, x := range t.Examples[:min(len(t.Examples), maxExamples)] {
		e := exampleView{ID: p.text(x.Complaint, maxID), At: s.rowAt[x.Complaint]}
		room := maxLetter
		for i, sp := range x.Spans {
			if room <= 0 || i >= 400 || !p.pay(40) {
				e.Cut = true
				break
			}
			text := short(paragraphsIn(sp.Text), room)
			room -= len([]rune(text))
			e.Spans = append(e.Spans, newSpanView(sp.Kind, p.keep(text)))
		}
		v.Examples = append(v.Examples, e)
	}
	return v
}

// paragraphs is clean without empty lines at the ends or in rows.
func paragraphs(s string) string {
	return strings.TrimSpace(paragraphsIn(s))
}

var blank = regexp.MustCompile(`\n\s*\n\s*`)

func paragraphsIn(s string) string { return blank.ReplaceAllString(clean(s), "\n\n") }

// slots cuts a skeleton at its ‹slots›.
func slots(s string) []piece {
	var out []piece
	for s != "" {
		open := strings.Index(s, "‹")
		if open < 0 {
			break
		}
		end := strings.Index(s[open:], "›")
		if end < 0 || end > 200 {
			break
		}
		end += open + len("›")
		if open > 0 {
			out = append(out, piece{Text: s[:open]})
		}
		out = append(out, piece{Text: s[open:end], Slot: true})
		s = s[end:]
		if len(out) > 2000 {
			break
		}
	}
	if s != "" {
		out = append(out, piece{Text: s})
	}
	return out
}

// carries says how many members of g use letter t.
func (s *scene) carries(g *bonafide.Ring, t *bonafide.Template) string {
	in := make(map[string]bool, len(t.Members))
	for _, m := range t.Members {
		in[m] = true
	}
	n := 0
	for _, m := range g.Members {
		if in[m] {
			n++
		}
	}
	return number(n) + " of " + number(len(g.Members)) + " members"
}

// freeLetters words the letters that no ring is shown with, the most used first.
func (s *scene) freeLetters(p *purse) (out []letterView, left int) {
	var free []*bonafide.Template
	for i := range s.Templates {
		if t := &s.Templates[i]; s.letterAt[t.ID] == "" {
			free = append(free, t)
		}
	}
	slices.SortStableFunc(free, func(a, b *bonafide.Template) int {
		return cmp.Or(len(b.Members)-len(a.Members), cmp.Compare(a.ID, b.ID))
	})
	for _, t := range free[:min(len(free), maxLetters)] {
		if !p.pay(1200) {
			break
		}
		at := "letter-" + strconv.Itoa(len(out)+1)
		s.letterAt[t.ID] = at
		v := s.letterView(at, t, p)
		for _, m := range t.Members[:min(len(t.Members), 12)] {
			v.Members = append(v.Members, memberLink{p.text(m, maxID), s.rowAt[m]})
		}
		v.MembersLeft = len(t.Members) - len(v.Members)
		out = append(out, *v)
	}
	return out, len(free) - len(out)
}
