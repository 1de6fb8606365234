package casefile

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"bonafide"
)

// A Change is what a person writes into a case without moving it. What decides which of the
// other fields are read.
type Change struct {
	What string // see Changes
	By   string

	ID   string // of what is changed or taken away; "" for something new
	Text string // a note, a title, an answer
	Kind string // of a link: ring, complaint, advert; of a watch
	Name string // a person's id, an offence, a scenario
	On   bool

	Party    bonafide.Party
	Loss     bonafide.Loss
	Exhibit  bonafide.Exhibit
	Task     bonafide.CaseTask
	Handover bonafide.Handover
	Request  bonafide.MaterialRequest
}

// Changes are what can be written into a case.
var Changes = []string{
	"note", "title", "assign", "group", "gang", "link", "unlink", "scenario", "offence", "party", "party-remove", "loss", "loss-remove",
	"exhibit", "exhibit-remove", "task", "task-done", "handover", "request", "answer", "watch", "watch-remove", "merit", "lift-hold", "hold",
}

// liftHold is the change that two people decide.
const liftHold = "lift-hold"

// beside are the changes that leave what a legal review looked at as it is. Lifting the
// legal hold is one: a report asks again whether the exhibits are still there.
var beside = []string{"note", "assign", "group", "task-done", "handover", "request", "answer", "watch", "watch-remove", "hold", liftHold}

// settled are the changes that a closed case does not take.
var settled = []string{"link", "unlink", "offence", "party", "party-remove", "loss", "loss-remove", "exhibit", "exhibit-remove"}

// Most of one kind of thing in a case, and the longest text.
const (
	most     = 2000
	longest  = 4000
	longName = 200
)

// Clone copies a case, so that changing the copy leaves the case as it was.
func Clone(c bonafide.Case) bonafide.Case {
	c.Rings, c.Complaints, c.Adverts = slices.Clone(c.Rings), slices.Clone(c.Complaints), slices.Clone(c.Adverts)
	c.Group, c.Scenarios, c.Offences = slices.Clone(c.Group), slices.Clone(c.Scenarios), slices.Clone(c.Offences)
	c.Parties, c.Losses, c.Exhibits, c.Tasks, c.Clocks = slices.Clone(c.Parties), slices.Clone(c.Losses), slices.Clone(c.Exhibits), slices.Clone(c.Tasks), slices.Clone(c.Clocks)
	c.Handovers, c.Requests, c.Watches = slices.Clone(c.Handovers), slices.Clone(c.Requests), slices.Clone(c.Watches)
	c.Looks = slices.Clone(c.Looks)
	if c.Pending != nil {
		p := *c.Pending
		c.Pending = &p
	}
	c.Numbers = maps.Clone(c.Numbers)
	return c
}

// unreview takes back what people decided about a case as it was before it changed: the
// first word of a report, and a legal review that was asked for or approved.
func unreview(c *bonafide.Case, now time.Time) {
	if c.Pending != nil && c.Pending.What == string(bonafide.MoveReport) {
		c.Pending = nil
	}
	if c.Stage == bonafide.StageLegalReview || c.Stage == bonafide.StagePrepared {
		c.Stage, c.Since, c.AskedBy, c.PreparedBy = bonafide.StagePreserving, now, "", ""
	}
}

// Write does what a change asks for, and returns the case afterwards with the line of its
// history. What alters the substance of a case takes back what was decided about it before:
// a case in legal review or prepared goes back to the preserving of evidence. The case that is given stays as it is. id is the id of what is new.
func Write(c bonafide.Case, ch Change, id string, now time.Time) (bonafide.Case, bonafide.CaseStep, error) {
	now = now.UTC().Truncate(time.Microsecond)
	next := Clone(c)
	step := bonafide.CaseStep{At: now, By: ch.By, What: ch.What, From: c.Stage, To: c.Stage}
	fail := func(err error) (bonafide.Case, bonafide.CaseStep, error) { return c, bonafide.CaseStep{}, err }
	if !slices.Contains(Changes, ch.What) {
		return fail(wrong(bonafide.Invalid, "what: not something that can be written into a case"))
	}
	if c.Into != "" {
		return fail(wrong(bonafide.Conflict, "the case is part of another now: write there"))
	}
	if c.Stage == bonafide.StageClosed && slices.Contains(settled, ch.What) {
		return fail(wrong(bonafide.Conflict, "the case is closed: open it again first"))
	}
	if utf8.RuneCountInString(ch.Text) > longest {
		return fail(wrong(bonafide.Invalid, "text: longer than 4,000 characters"))
	}
	var err error
	switch ch.What {
	case "note":
		step.Reason = strings.TrimSpace(ch.Text)
		if step.Reason == "" {
			err = wrong(bonafide.Invalid, "note: missing")
		}
	case "title":
		next.Title = strings.TrimSpace(ch.Text)
		if next.Title == "" || utf8.RuneCountInString(next.Title) > longName {
			err = wrong(bonafide.Invalid, "title: 1 to 200 characters")
		}
	case "assign":
		next.Assignee, step.Reason = ch.Name, ch.Name
	case "group":
		next.Group, err = toggle(next.Group, ch.Name, ch.On)
		step.Reason = ch.Name
	case "gang":
		next.Gang = ch.On
		step.Reason = ch.Text
	case "link", "unlink":
		step.Reason = ch.Kind + " " + ch.Name
		err = link(&next, ch)
	case "scenario":
		s, ok := ScenarioOf(ch.Name)
		if !ok {
			return fail(wrong(bonafide.Invalid, "scenario: not one of A1 to A13"))
		}
		next.Scenarios, err = toggle(next.Scenarios, ch.Name, ch.On)
		step.Reason = ch.Name
		if ch.On {
			addTasks(&next, s, id, now)
		}
	case "offence":
		if _, ok := OffenceOf(ch.Name); !ok {
			return fail(wrong(bonafide.Invalid, "offence: not one of K01 to K05"))
		}
		next.Offences, err = toggle(next.Offences, ch.Name, ch.On)
		step.Reason = ch.Name
	case "party":
		err = saveParty(&next, ch, id)
		step.Reason = string(ch.Party.Role)
	case "party-remove":
		next.Parties, err = remove(next.Parties, ch.ID, func(p bonafide.Party) string { return p.ID })
		for i := range next.Parties {
			if next.Parties[i].Under == ch.ID {
				next.Parties[i].Under = ""
			}
		}
	case "loss":
		err = addLoss(&next, ch, id)
		step.Reason = ch.Loss.Kind
	case "loss-remove":
		next.Losses, err = remove(next.Losses, ch.ID, func(l bonafide.Loss) string { return l.ID })
	case "exhibit", "exhibit-remove":
		err = exhibit(&next, ch)
		step.Reason = ch.Exhibit.Offence + "." + ch.Exhibit.Element
	case "task":
		t := bonafide.CaseTask{ID: id, Text: strings.TrimSpace(ch.Text), Due: ch.Task.Due}
		if t.Text == "" || len(next.Tasks) >= most {
			return fail(wrong(bonafide.Invalid, "task: say what is to be done"))
		}
		next.Tasks = append(next.Tasks, t)
	case "task-done":
		err = finish(&next, ch, now)
	case "handover":
		h := ch.Handover
		h.ID, h.By, h.At = id, ch.By, orNow(h.At, now)
		if !slices.Contains(bonafide.Recipients, h.To) || strings.TrimSpace(h.Unit) == "" {
			return fail(wrong(bonafide.Invalid, "handover: say to whom: police, procurator, court, regulator or lawyer, and which"))
		}
		for _, text := range []string{h.Unit, h.Person, h.Receipt} {
			if utf8.RuneCountInString(text) > longName {
				return fail(wrong(bonafide.Invalid, "handover: unit, person and receipt have up to 200 characters"))
			}
		}
		if len(h.Items) > most || len(next.Handovers) >= most {
			return fail(wrong(bonafide.Invalid, "there are too many already"))
		}
		if h.Seal == 0 && len(h.Items) == 0 {
			return fail(wrong(bonafide.Invalid, "handover: say what was handed over: a sealed pack, or items"))
		}
		if h.Seal > 0 && h.Variant == "" {
			return fail(wrong(bonafide.Invalid, "handover: say which pack it was: its number and its variant"))
		}
		if h.To == "police" && !approved(&c) {
			return fail(wrong(bonafide.Conflict, "handover: nothing goes to the police before the legal review was approved: the case is %s", c.Stage))
		}
		next.Handovers, step.Reason, step.Number = append(next.Handovers, h), h.To, h.Receipt
	case "request":
		r := ch.Request
		r.ID, r.Asked, r.What = id, orNow(r.Asked, now), strings.TrimSpace(r.What)
		if !slices.Contains(bonafide.Recipients, r.From) || r.What == "" || r.Due.IsZero() {
			return fail(wrong(bonafide.Invalid, "request: say who asks, for what, and until when"))
		}
		next.Requests, step.Reason = append(next.Requests, r), r.From
	case "answer":
		i := slices.IndexFunc(next.Requests, func(r bonafide.MaterialRequest) bool { return r.ID == ch.ID })
		if i < 0 || strings.TrimSpace(ch.Text) == "" {
			return fail(wrong(bonafide.Invalid, "answer: say what was given, to which request"))
		}
		next.Requests[i].Answered, next.Requests[i].Answer, next.Requests[i].By = now, ch.Text, ch.By
	case "watch":
		err = addWatch(&next, ch, id, now)
		step.Reason = ch.Kind
	case "watch-remove":
		next.Watches, err = remove(next.Watches, ch.ID, func(w bonafide.Watch) string { return w.ID })
	case "merit":
		if ch.Name == "" || strings.TrimSpace(ch.Text) == "" {
			return fail(wrong(bonafide.Invalid, "merit: name the complaint, and say what you looked at and found"))
		}
		next.Looks = append(slices.DeleteFunc(next.Looks, func(l bonafide.Look) bool { return l.Complaint == ch.Name }),
			bonafide.Look{Complaint: ch.Name, Found: strings.TrimSpace(ch.Text), By: ch.By, At: now})
		step.Reason = ch.Name
	case "hold":
		next.Hold = true
		if next.Pending != nil && next.Pending.What == liftHold {
			next.Pending = nil
		}
	case liftHold:
		return lift(c, next, ch, step, now)
	}
	if err != nil {
		return fail(err)
	}
	if !slices.Contains(beside, ch.What) {
		unreview(&next, now)
		step.To = next.Stage
	}
	return next, step, nil
}

// lift ends the legal hold of a case: two people decide.
func lift(c, next bonafide.Case, ch Change, step bonafide.CaseStep, now time.Time) (bonafide.Case, bonafide.CaseStep, error) {
	step.Reason = strings.TrimSpace(ch.Text)
	switch {
	case !c.Hold:
		return c, bonafide.CaseStep{}, wrong(bonafide.Conflict, "lift-hold: there is no legal hold")
	case step.Reason == "":
		return c, bonafide.CaseStep{}, wrong(bonafide.Invalid, "lift-hold: reason: missing")
	case c.Pending != nil && c.Pending.What != ch.What:
		return c, bonafide.CaseStep{}, underWay(c.Pending)
	case c.Pending == nil:
		next.Pending = &bonafide.Pending{What: ch.What, By: ch.By, At: now, Reason: step.Reason}
		step.What = "ask-lift-hold"
		return next, step, nil
	case c.Pending.By == ch.By:
		return c, bonafide.CaseStep{}, wrong(bonafide.Denied, "lift-hold: two people decide this: a second person must")
	}
	next.Hold, next.Pending, step.Second = false, nil, c.Pending.By
	return next, step, nil
}

func orNow(t, now time.Time) time.Time {
	if t.IsZero() {
		return now
	}
	return t.UTC()
}

// toggle adds a name to a list or takes it away.
func toggle(all []string, name string, on bool) ([]string, error) {
	if name == "" {
		return all, wrong(bonafide.Invalid, "name: missing")
	}
	i := slices.Index(all, name)
	switch {
	case on && i < 0:
		if len(all) >= most {
			return all, wrong(bonafide.Invalid, "there are too many already")
		}
		all = append(all, name)
		slices.Sort(all)
	case !on && i >= 0:
		all = slices.Delete(all, i, i+1)
	}
	return all, nil
}

func remove[T any](all []T, id string, of func(T) string) ([]T, error) {
	i := slices.IndexFunc(all, func(v T) bool { return of(v) == id })
	if i < 0 {
		return all, wrong(bonafide.NotFound, "it is not in the case")
	}
	return slices.Delete(all, i, i+1), nil
}

func link(c *bonafide.Case, ch Change) (err error) {
	on := ch.What == "link"
	switch ch.Kind {
	case "ring":
		c.Rings, err = toggle(c.Rings, ch.Name, on)
	case "complaint":
		c.Complaints, err = toggle(c.Complaints, ch.Name, on)
	case "advert":
		c.Adverts, err = toggle(c.Adverts, ch.Name, on)
	default:
		err = wrong(bonafide.Invalid, "kind: not one of ring, complaint, advert")
	}
	return err
}

// addTasks adds the tasks of a scenario that are not there yet.
func addTasks(c *bonafide.Case, s Scenario, id string, now time.Time) {
	for i, name := range s.Tasks {
		template := s.ID + "." + name
		same := func(t bonafide.CaseTask) bool {
			_, have, _ := strings.Cut(t.Template, ".")
			return have == name && (t.Done.IsZero() || t.Template == template)
		}
		if slices.ContainsFunc(c.Tasks, same) {
			continue
		}
		t, _ := TaskOf(template)
		c.Tasks = append(c.Tasks, bonafide.CaseTask{ID: id + string(rune('a'+i)), Template: template, Due: now.AddDate(0, 0, t.Days)})
	}
}

func saveParty(c *bonafide.Case, ch Change, id string) error {
	p := ch.Party
	p.Name, p.Basis = strings.TrimSpace(p.Name), strings.TrimSpace(p.Basis)
	switch {
	case !slices.Contains(bonafide.PartyRoles, p.Role):
		return wrong(bonafide.Invalid, "role: not one of the roles of a case")
	case p.Basis == "":
		return wrong(bonafide.Invalid, "basis: say what shows the role")
	case p.Role.Borrows() && (p.Complaint == "" || p.Name != "" || len(p.Identifiers) > 0):
		return wrong(bonafide.Invalid, "a borrower is named by their complaint alone: their name stands there")
	case !p.Role.Borrows() && p.Complaint != "":
		return wrong(bonafide.Invalid, "complaint: of borrowers only: a complaint names who borrowed")
	case !p.Role.Borrows() && p.Name == "" && len(p.Identifiers) == 0:
		return wrong(bonafide.Invalid, "name: missing: at least an alias or an identifier")
	case utf8.RuneCountInString(p.Name) > longName || len(p.Identifiers) > 50:
		return wrong(bonafide.Invalid, "name: up to 200 characters, and up to 50 identifiers")
	}
	for _, x := range p.Identifiers {
		if !slices.Contains(bonafide.IdentifierKinds, x.Kind) || strings.TrimSpace(x.Value) == "" || utf8.RuneCountInString(x.Value) > 500 {
			return wrong(bonafide.Invalid, "identifiers: each has a kind and up to 500 characters")
		}
	}
	if p.Under != "" && !slices.ContainsFunc(c.Parties, func(q bonafide.Party) bool { return q.ID == p.Under && q.ID != ch.ID }) {
		return wrong(bonafide.Invalid, "under: not somebody of this case")
	}
	if ch.ID == "" {
		if len(c.Parties) >= most {
			return wrong(bonafide.Invalid, "there are too many already")
		}
		p.ID = id
		c.Parties = append(c.Parties, p)
		return nil
	}
	i := slices.IndexFunc(c.Parties, func(q bonafide.Party) bool { return q.ID == ch.ID })
	if i < 0 {
		return wrong(bonafide.NotFound, "there is no such person or organisation in the case")
	}
	p.ID = ch.ID
	c.Parties[i] = p
	for seen, at := map[string]bool{}, p.ID; at != ""; { // nobody works for themselves, over others
		if seen[at] {
			return wrong(bonafide.Invalid, "under: they would work for themselves")
		}
		seen[at] = true
		j := slices.IndexFunc(c.Parties, func(q bonafide.Party) bool { return q.ID == at })
		if j < 0 {
			break
		}
		at = c.Parties[j].Under
	}
	return nil
}

func addLoss(c *bonafide.Case, ch Change, id string) error {
	l := ch.Loss
	l.ID, l.Basis = id, strings.TrimSpace(l.Basis)
	switch {
	case !slices.Contains(bonafide.LossKinds, l.Kind):
		return wrong(bonafide.Invalid, "kind: not a kind of loss")
	case l.Amount.Minor <= 0 || l.Amount.Minor > 1e15 || len(l.Amount.Currency) != 3:
		return wrong(bonafide.Invalid, "amount: more than nothing, with a currency of three letters")
	case l.Basis == "":
		return wrong(bonafide.Invalid, "basis: say how it was counted")
	case len(c.Losses) >= most:
		return wrong(bonafide.Invalid, "there are too many already")
	}
	c.Losses = append(c.Losses, l)
	return nil
}

// Totals adds up losses by kind and currency.
func Totals(losses []bonafide.Loss) map[string]map[string]int64 {
	out := map[string]map[string]int64{}
	for _, l := range losses {
		if out[l.Kind] == nil {
			out[l.Kind] = map[string]int64{}
		}
		out[l.Kind][l.Amount.Currency] += l.Amount.Minor
	}
	return out
}

// Amount is the sum of a case's losses by currency, less what is only at risk.
func Amount(losses []bonafide.Loss) map[string]int64 {
	out := map[string]int64{}
	for _, l := range losses {
		if l.Kind != "at-risk" {
			out[l.Amount.Currency] += l.Amount.Minor
		}
	}
	return out
}

func exhibit(c *bonafide.Case, ch Change) error {
	x := ch.Exhibit
	o, ok := OffenceOf(x.Offence)
	if _, is := o.Element(x.Element); !ok || !is {
		return wrong(bonafide.Invalid, "element: not one of an offence of K01 to K05")
	}
	x.Note = strings.TrimSpace(x.Note)
	same := func(y bonafide.Exhibit) bool {
		return y.Offence == x.Offence && y.Element == x.Element && y.Item == x.Item
	}
	if ch.What == "exhibit-remove" {
		n := len(c.Exhibits)
		if c.Exhibits = slices.DeleteFunc(c.Exhibits, same); len(c.Exhibits) == n {
			return wrong(bonafide.NotFound, "it is not in the case")
		}
		return nil
	}
	if x.Item == "" && x.Note == "" {
		return wrong(bonafide.Invalid, "exhibit: name an item, or say why there is none")
	}
	c.Exhibits = append(slices.DeleteFunc(c.Exhibits, same), x)
	if len(c.Exhibits) > most {
		return wrong(bonafide.Invalid, "there are too many already")
	}
	return nil
}

func finish(c *bonafide.Case, ch Change, now time.Time) error {
	i := slices.IndexFunc(c.Tasks, func(t bonafide.CaseTask) bool { return t.ID == ch.ID })
	switch {
	case i < 0:
		return wrong(bonafide.NotFound, "there is no such task in the case")
	case strings.TrimSpace(ch.Text) == "":
		return wrong(bonafide.Invalid, "note: say what was done, or why it does not apply")
	}
	c.Tasks[i].Done, c.Tasks[i].DoneBy, c.Tasks[i].Note = now, ch.By, strings.TrimSpace(ch.Text)
	return nil
}

func addWatch(c *bonafide.Case, ch Change, id string, now time.Time) error {
	if !slices.Contains(bonafide.WatchKinds, ch.Kind) {
		return wrong(bonafide.Invalid, "kind: not something that can be watched")
	}
	switch ch.Kind {
	case "ring":
		if !slices.Contains(c.Rings, ch.Name) {
			return wrong(bonafide.Invalid, "ring: not one of the case")
		}
	case "advert":
		if !slices.Contains(c.Adverts, ch.Name) {
			return wrong(bonafide.Invalid, "advert: not one of the case")
		}
	case "scenario":
		if _, ok := ScenarioOf(ch.Name); !ok {
			return wrong(bonafide.Invalid, "scenario: not one of A1 to A13")
		}
	}
	if slices.ContainsFunc(c.Watches, func(w bonafide.Watch) bool { return w.Kind == ch.Kind && w.Value == ch.Name }) {
		return wrong(bonafide.Conflict, "that is watched already")
	}
	if len(c.Watches) >= 50 {
		return wrong(bonafide.Invalid, "there are too many already")
	}
	c.Watches = append(c.Watches, bonafide.Watch{ID: id, Kind: ch.Kind, Value: ch.Name, Since: now})
	return nil
}

// Merge puts what is in one case into another and closes it. Both are being prepared.
func Merge(into, from bonafide.Case, by, reason string, now time.Time) (bonafide.Case, bonafide.Case, error) {
	now = now.UTC().Truncate(time.Microsecond)
	for _, c := range []bonafide.Case{into, from} {
		switch c.Stage {
		case bonafide.StageClue, bonafide.StageOpened, bonafide.StagePreserving, bonafide.StageLegalReview, bonafide.StagePrepared:
		default:
			return into, from, wrong(bonafide.Conflict, "merge: only cases that were not reported yet can be merged")
		}
	}
	if into.ID == from.ID || strings.TrimSpace(reason) == "" || by == "" {
		return into, from, wrong(bonafide.Invalid, "merge: name another case, and the reason")
	}
	a, b := Clone(into), Clone(from)
	union := func(x, y []string) []string {
		out := append(slices.Clone(x), y...)
		slices.Sort(out)
		return slices.Compact(out)
	}
	a.Rings, a.Complaints, a.Adverts = union(a.Rings, b.Rings), union(a.Complaints, b.Complaints), union(a.Adverts, b.Adverts)
	a.Group, a.Scenarios, a.Offences = union(a.Group, b.Group), union(a.Scenarios, b.Scenarios), union(a.Offences, b.Offences)
	a.Parties, a.Losses, a.Exhibits = append(a.Parties, b.Parties...), append(a.Losses, b.Losses...), append(a.Exhibits, b.Exhibits...)
	a.Looks = append(a.Looks, b.Looks...)
	a.Tasks, a.Watches = append(a.Tasks, b.Tasks...), append(a.Watches, b.Watches...)
	a.Handovers, a.Requests = append(a.Handovers, b.Handovers...), append(a.Requests, b.Requests...)
	a.Gang, a.Hold = a.Gang || b.Gang, a.Hold || b.Hold
	unreview(&a, now) // what was reviewed is no longer all
	a.Pending, b.Pending = nil, nil
	b.Stage, b.Exit, b.Into, b.Since, b.Hold = bonafide.StageClosed, bonafide.ExitMerged, a.ID, now, false
	for i := range b.Clocks {
		if b.Clocks[i].Met.IsZero() {
			b.Clocks[i].Met = now
		}
	}
	return a, b, nil
}

// Split takes rings and complaints out of a case into a new one, whose id and number are
// set by whoever stores it. What else is in the case stays; a case that was reviewed goes
// back to the preserving of evidence.
func Split(c bonafide.Case, rings, complaints []string, by, reason string, now time.Time) (bonafide.Case, bonafide.Case, error) {
	now = now.UTC().Truncate(time.Microsecond)
	all := len(c.Rings) + len(c.Complaints) + len(c.Adverts)
	switch {
	case strings.TrimSpace(reason) == "" || by == "":
		return c, bonafide.Case{}, wrong(bonafide.Invalid, "split: reason: missing")
	case len(rings)+len(complaints) == 0 || len(rings)+len(complaints) >= all:
		return c, bonafide.Case{}, wrong(bonafide.Invalid, "split: name some of its rings and complaints, and leave some")
	case c.Stage == bonafide.StageClosed:
		return c, bonafide.Case{}, wrong(bonafide.Conflict, "split: the case is closed")
	}
	a := Clone(c)
	b := bonafide.Case{Title: c.Title, Reason: reason, Stage: bonafide.StageClue, Begun: now, Since: now, From: c.ID, Hold: c.Hold, Scenarios: nil}
	for _, r := range rings {
		i := slices.Index(a.Rings, r)
		if i < 0 {
			return c, bonafide.Case{}, wrong(bonafide.Invalid, "split: a ring is not in the case")
		}
		a.Rings = slices.Delete(a.Rings, i, i+1)
		b.Rings = append(b.Rings, r)
	}
	for _, id := range complaints {
		i := slices.Index(a.Complaints, id)
		if i < 0 {
			return c, bonafide.Case{}, wrong(bonafide.Invalid, "split: a complaint is not in the case")
		}
		a.Complaints = slices.Delete(a.Complaints, i, i+1)
		b.Complaints = append(b.Complaints, id)
	}
	a.Pending = nil
	unreview(&a, now)
	return a, b, nil
}

// Prune takes out of a case what is said about complaints that are no longer of it: the
// borrowers whose they are, what was lost by them, and that somebody looked at them. The
// case that is given stays as it is.
func Prune(c bonafide.Case, complaints []string) bonafide.Case {
	c = Clone(c)
	gone := func(id string) bool { return id != "" && !slices.Contains(complaints, id) }
	away := map[string]bool{}
	c.Parties = slices.DeleteFunc(c.Parties, func(p bonafide.Party) bool {
		if gone(p.Complaint) {
			away[p.ID] = true
		}
		return gone(p.Complaint)
	})
	for i := range c.Parties {
		if away[c.Parties[i].Under] {
			c.Parties[i].Under = ""
		}
	}
	c.Losses = slices.DeleteFunc(c.Losses, func(l bonafide.Loss) bool { return gone(l.Complaint) })
	c.Looks = slices.DeleteFunc(c.Looks, func(l bonafide.Look) bool { return gone(l.Complaint) })
	return c
}
