package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"bonafide"
)

// explainWidth is the width of a story in columns.
const explainWidth = 80

// Explain writes the story of one complaint in plain words: what its letter
// says, whether it is right, who shares what, what is proposed. Where nothing
// was found about id the error is a [bonafide.NotFound].
func Explain(w io.Writer, r *bonafide.Result, id string) error {
	i := slices.IndexFunc(r.Complaints, func(v bonafide.Verdict) bool { return v.ID == id })
	if i < 0 {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: fmt.Sprintf(
			"no entry for complaint %q: either nothing was found about it, which is the usual and good result, "+
				"or it was not in the scan; check the spelling of the id, and the rows set aside", short(line(id), maxID))}
	}
	s := newScene(r)
	e := story{terminal: newTerminal(w, SummaryOptions{Width: explainWidth}), scene: s, v: &r.Complaints[i], said: map[string]bool{}}
	for j := range r.Rings {
		if r.Rings[j].ID == e.v.Ring {
			e.ring = &r.Rings[j]
		}
	}
	e.WriteString("Complaint " + short(line(id), maxID) + "\n")
	e.letter()
	e.head("Whether it is right")
	e.say("Not looked at here. Check call logs, contacts, contract and fees first: if the grievance is right it gets its remedy, whatever stands below.")
	e.shared()
	e.proposal()
	e.test()
	e.limits()
	e.next()
	return e.Flush()
}

// A story is what is told of one complaint.
type story struct {
	*terminal
	*scene
	v    *bonafide.Verdict
	ring *bonafide.Ring  // nil if it belongs to none
	said map[string]bool // reasons given already
}

func (e *story) head(s string) { e.WriteString("\n" + s + "\n") }

// say writes a paragraph.
func (e *story) say(s string) { e.bullet("", s) }

// bullet writes a paragraph with a mark before its first line.
func (e *story) bullet(mark, s string) {
	indent := 2 + columns(mark)
	for i, l := range e.wrap(cut(s, 1000), e.width-indent, 40) {
		if i == 0 {
			e.WriteString("  " + mark + l + "\n")
		} else {
			e.WriteString(strings.Repeat(" ", indent) + l + "\n")
		}
	}
}

func (e *story) letter() {
	e.head("What the letter says")
	t := e.letters[e.v.Template]
	switch {
	case t == nil && e.v.Template == "":
		e.say("It shares no letter with others. Read it in your own system.")
		return
	case t == nil:
		e.say("It uses letter " + line(e.v.Template) + ".")
		return
	}
	text := "It uses letter " + line(t.ID) + ", as " + count(len(t.Members), "complaint") + " do."
	if t.Benign != "" {
		text += " It is a public template: " + line(t.Benign) + ". Anybody may use it."
	} else {
		text += " It is not a public template known here."
	}
	e.say(text)
	for i, para := range strings.Split(paragraphs(t.Skeleton), "\n") {
		if i == 12 {
			e.WriteString("  | …\n")
			break
		}
		if para = strings.TrimSpace(para); para == "" {
			e.WriteString("  |\n")
			continue
		}
		for _, l := range e.wrap(para, e.width-4, 8) {
			e.WriteString("  | " + l + "\n")
		}
	}
}

func (e *story) shared() {
	e.head("What others share with it")
	if e.ring == nil {
		if e.v.Ring != "" {
			e.say("It belongs to ring " + line(e.v.Ring) + ".")
		} else {
			e.say("It belongs to no ring.")
		}
		e.reasons(e.v.Why)
		return
	}
	ties := arrived(e.ring)
	first, last := received(ties)
	text := "It belongs to ring " + line(e.ring.ID) + ": " + count(len(ties), "complaint")
	if !first.IsZero() {
		text += ", received " + between(first, last)
	}
	if g := regions(ties); g != "" {
		text += ", from " + g
	}
	e.say(text + ".")
	for _, t := range e.ring.Shared {
		if slices.Contains(t.Members, e.v.ID) {
			e.bullet("- ", line(t.Label)+", with "+count(len(t.Members)-1, "other member")+rarity(t.Rarity))
		}
	}
	for _, t := range ties {
		if t.Complaint != e.v.ID {
			continue
		}
		for _, w := range t.Why {
			// The list above says what is shared already.
			if slices.ContainsFunc(e.ring.Shared, func(t bonafide.SharedThing) bool { return strings.HasPrefix(w, t.Label+" ") }) {
				e.said[w] = true
			}
		}
		e.reasons(t.Why)
	}
	e.say(tieWords(e.ring.Score))
}

func rarity(s string) string {
	if s == "" {
		return "."
	}
	return ": " + strings.TrimRight(line(s), ".") + "."
}

// reasons lists what was not said before in this story.
func (e *story) reasons(why []string) {
	for _, s := range why {
		if e.said[s] {
			continue
		}
		e.said[s] = true
		e.bullet("- ", sentence(s))
	}
}

func (e *story) proposal() {
	e.head("What is proposed")
	switch e.v.Route {
	case bonafide.RouteConfirmAuthority:
		e.say("Nothing is graded: a representative is declared. The complaint goes to a person who confirms the authority.")
	case bonafide.RouteVulnerable:
		e.say("Nothing is graded: the customer is flagged as vulnerable. A trained person takes over.")
	default:
		switch e.v.Level {
		case bonafide.Level1:
			e.say("Level 1. Two people decide.")
		case bonafide.Level2:
			e.say("Level 2. A person decides.")
		case bonafide.Individual:
			e.say("Class I: disorder by a person of their own, never called grey industry. A person decides.")
		case bonafide.Information:
			e.say("Information only. It says nothing against the customer.")
		default:
			e.say("Nothing.")
		}
	}
	if e.ring != nil {
		e.reasons(e.v.Why)
	}
	if len(e.v.Families) > 0 {
		names := make([]string, len(e.v.Families))
		for i, f := range e.v.Families {
			names[i] = familyName(f)
		}
		e.say("Families of evidence: " + list(names) + ".")
	}
	if len(e.v.Criteria) > 0 {
		e.say("What it could come to, if it is proved:")
		for _, c := range e.v.Criteria {
			e.bullet("- ", criterionWords(c))
		}
	}
}

func (e *story) test() {
	innocent := e.v.Innocent
	if len(innocent) == 0 && e.ring != nil {
		innocent = e.ring.Innocent
	}
	if len(innocent) == 0 {
		return
	}
	e.head("Innocent explanations to test first")
	for _, s := range innocent {
		e.bullet("[ ] ", sentence(s))
	}
}

func (e *story) limits() {
	e.head("What this does not prove")
	if len(e.NotProved) == 0 {
		e.say("Who is behind it, that the customer knew of an agent or paid one, or that the grievance is wrong.")
	}
	e.reasons(e.NotProved)
}

func (e *story) next() {
	e.head("What to do next")
	steps := []string{"Answer the complaint like any other: its clock runs."}
	switch {
	case e.v.Route == bonafide.RouteVulnerable:
		steps = append(steps, "Hand it to a trained person today.")
	case e.v.Route == bonafide.RouteConfirmAuthority:
		steps = append(steps, "Confirm the authority with the customer over a channel you already know. Nobody is turned away for being a representative.")
	case e.v.Level.Accuses():
		steps = append(steps, "Test each innocent explanation and write down what came of it.",
			"Warn and help the customer: the organiser is the target.")
		if e.v.Level == bonafide.Level1 {
			steps = append(steps, "Let two people decide, with reasons.")
		} else {
			steps = append(steps, "Let a person decide, with reasons, notice and a way to appeal.")
		}
	default:
		steps = append(steps, "Nothing else.")
	}
	for i, s := range steps {
		e.bullet(fmt.Sprintf("%d. ", i+1), s)
	}
}
