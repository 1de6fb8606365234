// Package casework is the track of a complaint: from receipt to the answer, with
// the deadlines that a jurisdiction sets and the letters that go out.
//
// The track depends on the complaint alone. Nothing that is known or thought of
// who may stand behind it can start, stop, move or delay a clock here; the
// package knows no such words, and a test of its own source keeps it so.
//
// What the rules of a jurisdiction say stands in a pack, a TOML file with the
// basis of every number: see [Pack]. The clock is always an argument.
package casework

import (
	"slices"
	"time"
)

// A State is where a complaint stands.
type State string

// The states, in the order a complaint goes through them. Withdrawn and Declined
// are exits.
const (
	Received      State = "received"
	Registered    State = "registered"
	Authority     State = "authority" // identity, and authority of who speaks for the customer, are checked
	Investigating State = "investigating"
	Decided       State = "decided"  // on the merits, or to decline; the customer has not been told
	Notified      State = "notified" // the customer has been told
	Review        State = "review"   // the customer asked for the decision to be looked at again
	Closed        State = "closed"
	Withdrawn     State = "withdrawn" // by the customer
	Declined      State = "declined"  // by a person, on a statutory ground, with reasons
)

// States lists every state, in order.
var States = []State{Received, Registered, Authority, Investigating, Decided, Notified, Review, Closed, Withdrawn, Declined}

// Ended reports whether s is closed, withdrawn or declined: no clock runs.
func (s State) Ended() bool { return s == Closed || s == Withdrawn || s == Declined }

// A Verb is what a person can do with a complaint.
type Verb string

// The verbs.
const (
	Register       Verb = "register"
	CheckAuthority Verb = "check-authority"
	Investigate    Verb = "investigate"
	Decide         Verb = "decide"
	Notify         Verb = "notify"
	RequestReview  Verb = "request-review"
	Close          Verb = "close"
	Extend         Verb = "extend" // moves a clock and leaves the state
	Withdraw       Verb = "withdraw"
	Decline        Verb = "decline"
	Reopen         Verb = "reopen" // for review, after the end
)

// Verbs lists every verb, in the order they are shown.
var Verbs = []Verb{Register, CheckAuthority, Investigate, Decide, Notify, RequestReview, Close, Extend, Withdraw, Decline, Reopen}

// An Outcome is what a person decided on the merits.
type Outcome string

// The outcomes.
const (
	Upheld       Outcome = "upheld"
	PartlyUpheld Outcome = "partly-upheld"
	NotUpheld    Outcome = "not-upheld"
)

// Outcomes lists every outcome.
var Outcomes = []Outcome{Upheld, PartlyUpheld, NotUpheld}

// A Clock is one deadline that runs or ran for a complaint.
type Clock struct {
	Name    string    `json:"name"`    // of the pack's clock: "decision"
	Started time.Time `json:"started"` // what days are counted from; that day itself is not counted
	// Due is the last moment: one microsecond before the midnight that ends the
	// due day in the pack's zone, as UTC. A microsecond is what databases keep.
	Due      time.Time `json:"due"`
	Met      time.Time `json:"met,omitzero"`       // when what it asks for was done, perhaps late
	Stopped  time.Time `json:"stopped,omitzero"`   // when the complaint ended without it
	Extended int       `json:"extended,omitempty"` // how many times
	// Option marks a time in which something may be done and need not be: it is
	// never overdue.
	Option bool `json:"option,omitempty"`
}

// Runs reports whether the clock was neither met nor stopped.
func (c Clock) Runs() bool { return c.Met.IsZero() && c.Stopped.IsZero() }

// Late reports whether what the clock asks for was not done in time, seen at now.
func (c Clock) Late(now time.Time) bool {
	switch {
	case c.Option:
		return false
	case !c.Met.IsZero():
		return c.Met.After(c.Due)
	case !c.Stopped.IsZero():
		return c.Stopped.After(c.Due)
	}
	return now.After(c.Due)
}

// A Track is where one complaint stands and which deadlines it has. It is a
// value: [Pack.Move] returns a new one.
type Track struct {
	Complaint string    `json:"complaint"`
	Pack      string    `json:"pack"`
	State     State     `json:"state"`
	Received  time.Time `json:"received"`
	Since     time.Time `json:"since"` // of the state
	Clocks    []Clock   `json:"clocks"`
	Outcome   Outcome   `json:"outcome,omitempty"` // set by Decide: the merit decision of a person
	Ground    string    `json:"ground,omitempty"`  // of declining
	Decider   string    `json:"decider,omitempty"` // who decided or declined last
}

// Due returns the clock that ends first of those that run. An option does not
// count, because nobody has to meet it.
func (t Track) Due() (Clock, bool) {
	var first Clock
	found := false
	if t.State.Ended() {
		return first, false
	}
	for _, c := range t.Clocks {
		if c.Runs() && !c.Option && (!found || c.Due.Before(first.Due)) {
			first, found = c, true
		}
	}
	return first, found
}

// Overdue reports whether a clock that runs is past its due moment.
func (t Track) Overdue(now time.Time) bool {
	c, ok := t.Due()
	return ok && now.After(c.Due)
}

// Declining reports whether a person declined the complaint and the notice that
// is owed for it has not gone out. Until then it is not over and its clocks run.
func (t Track) Declining() bool { return t.State == Decided && t.Ground != "" }

// transitions says from which states a verb leads, and where to. Extend leads
// back to where it came from. A complaint is declined only once it is on the
// books, and a withdrawn one is filed anew instead of reopened, because its
// clocks ended with it.
var transitions = map[Verb]struct {
	from []State
	to   State
}{
	Register:       {[]State{Received}, Registered},
	CheckAuthority: {[]State{Registered}, Authority},
	Investigate:    {[]State{Registered, Authority}, Investigating},
	Decide:         {[]State{Investigating, Review}, Decided},
	Notify:         {[]State{Decided}, Notified},
	RequestReview:  {[]State{Notified}, Review},
	Close:          {[]State{Notified}, Closed},
	Extend:         {[]State{Received, Registered, Authority, Investigating, Decided, Review}, ""},
	Withdraw:       {[]State{Received, Registered, Authority, Investigating, Decided, Review}, Withdrawn},
	Decline:        {[]State{Registered, Authority, Investigating}, Declined},
	Reopen:         {[]State{Closed, Declined}, Review},
}

// whileDeclining is what can be done until the notice of a refusal is out.
var whileDeclining = []Verb{Notify, Extend, Withdraw}

// Can returns what the state allows, in the order of [Verbs]. Whether a clock can
// be extended is up to the pack as well: see [Pack.Can].
func (t Track) Can() []Verb {
	var out []Verb
	for _, v := range Verbs {
		if slices.Contains(transitions[v].from, t.State) && (!t.Declining() || slices.Contains(whileDeclining, v)) {
			out = append(out, v)
		}
	}
	return out
}
