package casework

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"bonafide"
)

// An Act is what a person did.
type Act struct {
	Verb     Verb    `json:"verb"`
	By       string  `json:"by"`                 // Actor.ID
	Approver string  `json:"approver,omitempty"` // of an extension that needs approval; somebody else than By
	Reason   string  `json:"reason,omitempty"`   // needed to decide, extend, decline and reopen
	Ground   string  `json:"ground,omitempty"`   // of declining, one of the pack's
	Outcome  Outcome `json:"outcome,omitempty"`  // of deciding
	// Clock names what is extended, or the kind of complaint that Register
	// chooses. Empty, Extend takes the clock that ends first of those that the
	// pack lets extend.
	Clock string `json:"clock,omitempty"`
}

// A Step is one line of a track's history.
type Step struct {
	At    time.Time `json:"at"`
	From  State     `json:"from"`
	To    State     `json:"to"`
	Act   Act       `json:"act"`
	Clock string    `json:"clock,omitempty"` // started, moved, or met by a first answer
	Due   time.Time `json:"due,omitzero"`    // its due moment after the step
}

// Open returns the track of a complaint that has just been received, with the
// clocks that run from receipt. Moments are kept to the microsecond.
func (p *Pack) Open(complaint string, received time.Time) Track {
	received = exact(received)
	t := Track{Complaint: complaint, Pack: p.Name, State: Received, Received: received, Since: received, Clocks: []Clock{}}
	for i := range p.deadlines {
		if d := &p.deadlines[i]; slices.Contains(d.Starts, receipt) {
			t.Clocks = append(t.Clocks, p.start(d, received))
		}
	}
	return t
}

// exact returns a moment as databases keep it: UTC, to the microsecond.
func exact(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// Can returns what Move would not refuse for the state of the track, its pack and
// the time. Track.Can knows the state only.
func (p *Pack) Can(t Track, now time.Time) []Verb {
	return slices.DeleteFunc(t.Can(), func(v Verb) bool {
		if v == Extend {
			_, err := p.extendable(t, "", now)
			return err != nil
		}
		return v == Decline && len(p.grounds) == 0
	})
}

// Move returns the track after an act, and the step to write down. t itself is
// not changed. Errors are of kind Conflict if the state, the pack or the time
// does not allow the act; Invalid if a reason, ground or outcome is missing or
// wrong; Denied if approval is missing or the person must be another one.
//
// A moment before the track's latest is taken as that one, because machines'
// clocks differ by moments and a history must not run backwards.
func (p *Pack) Move(t Track, a Act, now time.Time) (Track, Step, error) {
	fail := func(err error) (Track, Step, error) { return t, Step{}, err }
	if t.Pack != p.Name {
		return fail(wrong(bonafide.Conflict, "complaint %s runs by pack %q, not %q", t.Complaint, t.Pack, p.Name))
	}
	way, known := transitions[a.Verb]
	switch {
	case !known:
		return fail(wrong(bonafide.Invalid, "verb: %q is not one of %s", a.Verb, join(Verbs)))
	case !slices.Contains(States, t.State):
		return fail(wrong(bonafide.Invalid, "state: %q is not one of %s", t.State, join(States)))
	case !slices.Contains(t.Can(), a.Verb):
		return fail(wrong(bonafide.Conflict, "%s: not for a complaint that is %s: it allows %s", a.Verb, t.State, orNothing(t.Can())))
	}
	if err := p.check(t, a); err != nil {
		return fail(err)
	}

	now = exact(now)
	if now.Before(t.Since) {
		now = t.Since
	}
	next := t
	next.Clocks = slices.Clone(t.Clocks)
	step := Step{At: now, From: t.State, Act: a}

	if a.Verb == Extend {
		i, err := p.extendable(t, a.Clock, now)
		if err != nil {
			return fail(err)
		}
		if err := p.extend(&next.Clocks[i], a, now); err != nil {
			return fail(err)
		}
		step.To, step.Clock, step.Due = t.State, next.Clocks[i].Name, next.Clocks[i].Due
		return next, step, nil
	}

	next.State, next.Since = way.to, now
	switch a.Verb {
	case Decide:
		next.Outcome, next.Ground, next.Decider = a.Outcome, "", a.By
	case Decline:
		next.Ground, next.Decider = a.Ground, a.By
		if p.owesNotice() {
			next.State = Decided // not over until the notice is out
		}
	case Notify:
		if t.Declining() {
			next.State = Declined
		}
	}
	step.To = next.State
	p.meet(&next, a.Verb, now)
	if c, ok := p.begin(&next, a, now); ok {
		step.Clock, step.Due = c.Name, c.Due
	}
	if next.State.Ended() {
		for i := range next.Clocks {
			if next.Clocks[i].Runs() {
				next.Clocks[i].Stopped = now
			}
		}
	}
	return next, step, nil
}

// check reports what an act lacks or must not have, whatever the clocks say.
func (p *Pack) check(t Track, a Act) error {
	by := strings.TrimSpace(a.By)
	missing := func(what string) error {
		return wrong(bonafide.Invalid, "%s: %s: missing", a.Verb, what)
	}
	needs := a.Verb == Decide || a.Verb == Extend || a.Verb == Decline || a.Verb == Reopen
	switch {
	case by == "":
		return missing("by")
	case needs && program(by):
		return wrong(bonafide.Denied, "%s: only a person does this", a.Verb)
	case needs && strings.TrimSpace(a.Reason) == "":
		return missing("reason")
	case a.Verb == Decide && a.Outcome == "":
		return missing("outcome")
	case a.Verb == Decide && !slices.Contains(Outcomes, a.Outcome):
		return wrong(bonafide.Invalid, "decide: outcome: %q is not one of %s", a.Outcome, join(Outcomes))
	case a.Verb != Decide && a.Outcome != "":
		return wrong(bonafide.Invalid, "%s: outcome: only to decide", a.Verb)
	case a.Verb == Decline && a.Ground == "":
		return missing("ground")
	case a.Verb == Decline && p.Ground(a.Ground) == nil:
		ids := make([]string, len(p.grounds))
		for i, g := range p.grounds {
			ids[i] = g.ID
		}
		return wrong(bonafide.Invalid, "decline: ground: %q is not one of the pack's: %s", a.Ground, strings.Join(ids, ", "))
	case a.Verb != Decline && a.Ground != "":
		return wrong(bonafide.Invalid, "%s: ground: only to decline", a.Verb)
	case a.Verb != Extend && a.Approver != "":
		return wrong(bonafide.Invalid, "%s: approver: only to extend", a.Verb)
	case a.Verb != Extend && a.Verb != Register && a.Clock != "":
		return wrong(bonafide.Invalid, "%s: clock: only to extend or register", a.Verb)
	case a.Verb == Decide && t.State == Review && p.otherReviewer && by == strings.TrimSpace(t.Decider):
		return wrong(bonafide.Denied, "decide: whoever made the decision cannot decide on its review: somebody else must")
	case a.Verb == Register && a.Clock != "":
		if d := p.deadline(a.Clock); d == nil || !d.Chosen {
			return wrong(bonafide.Invalid, "register: clock: %q is not a kind of complaint that can be chosen: %s", a.Clock, orNothing(p.kinds()))
		}
	}
	return nil
}

// program reports whether an actor is a part of the program, and no person.
func program(by string) bool { return strings.HasPrefix(by, "system:") }

// kinds returns the names of the clocks that Register can choose.
func (p *Pack) kinds() []string {
	var out []string
	for _, d := range p.deadlines {
		if d.Chosen {
			out = append(out, d.Name)
		}
	}
	return out
}

// owesNotice reports whether the pack has a clock that starts when a complaint is
// declined: then declining is over only when the customer has been told.
func (p *Pack) owesNotice() bool {
	return slices.ContainsFunc(p.deadlines, func(d Deadline) bool { return slices.Contains(d.Starts, Decline) })
}

// extendable returns the place of the clock to extend. An overdue clock cannot
// be extended: an extension is granted while there is time, and does not cure a
// deadline that was missed.
func (p *Pack) extendable(t Track, name string, now time.Time) (int, error) {
	best := -1
	var why error
	for i, c := range t.Clocks {
		if !c.Runs() || name != "" && c.Name != name {
			continue
		}
		all := p.Extensions(c.Name)
		switch {
		case len(all) == 0 && name == "":
		case len(all) == 0:
			why = wrong(bonafide.Conflict, "extend: the pack knows no extension of %s", c.Name)
		case c.Extended >= len(all):
			why = wrong(bonafide.Conflict, "extend: %s was extended %d times, as often as the pack allows", c.Name, c.Extended)
		case now.After(c.Due):
			why = wrong(bonafide.Conflict, "extend: %s ended on %s: a clock that is overdue cannot be extended", c.Name, p.calendar.day(c.Due))
		case best < 0 || c.Due.Before(t.Clocks[best].Due):
			best = i
		}
	}
	switch {
	case best >= 0:
		return best, nil
	case why != nil:
		return 0, why
	case name != "":
		return 0, wrong(bonafide.Conflict, "extend: no clock %q runs", name)
	}
	return 0, wrong(bonafide.Conflict, "extend: no clock runs that the pack lets extend")
}

// extend lengthens a clock by its next extension, or meets it if that is a first
// answer.
func (p *Pack) extend(c *Clock, a Act, now time.Time) error {
	e := p.Extensions(c.Name)[c.Extended]
	approver := strings.TrimSpace(a.Approver)
	switch {
	case e.Approval && approver == "":
		return wrong(bonafide.Denied, "extend: %s needs the approval of a second person", c.Name)
	case approver != "" && approver == strings.TrimSpace(a.By):
		return wrong(bonafide.Denied, "extend: whoever extends cannot approve it: somebody else must")
	case program(approver):
		return wrong(bonafide.Denied, "extend: only a person approves")
	}
	c.Extended++
	if e.Answers {
		c.Met = now
	} else {
		c.Due = p.due(p.deadline(c.Name), c.Started, c.Extended)
	}
	return nil
}

// meet marks the clocks that a verb meets.
func (p *Pack) meet(t *Track, v Verb, now time.Time) {
	for i := range t.Clocks {
		c := &t.Clocks[i]
		if d := p.deadline(c.Name); c.Runs() && d != nil && slices.Contains(d.Met, v) {
			c.Met = now
		}
	}
}

// begin starts the clocks that an act starts, and returns the one that ends
// first. A clock that runs is not started again.
func (p *Pack) begin(t *Track, a Act, now time.Time) (first Clock, found bool) {
	for i := range p.deadlines {
		d := &p.deadlines[i]
		runs := slices.ContainsFunc(t.Clocks, func(c Clock) bool { return c.Name == d.Name && c.Runs() })
		if runs || !slices.Contains(d.Starts, a.Verb) || d.Chosen && a.Clock != d.Name {
			continue
		}
		c := p.start(d, now)
		if d.Chosen {
			c = p.start(d, t.Received)
		}
		t.Clocks = append(t.Clocks, c)
		if !found || c.Due.Before(first.Due) {
			first, found = c, true
		}
	}
	return first, found
}

// wrong returns an error that a user may see.
func wrong(kind bonafide.Kind, format string, args ...any) error {
	return &bonafide.Error{Kind: kind, Msg: fmt.Sprintf(format, args...)}
}

// join lists names.
func join[S ~string](names []S) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = string(n)
	}
	return strings.Join(out, ", ")
}

// orNothing lists names, or says that there are none.
func orNothing[S ~string](names []S) string {
	if len(names) == 0 {
		return "nothing"
	}
	return join(names)
}
