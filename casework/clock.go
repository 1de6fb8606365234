package casework

import (
	"slices"
	"time"
)

// A Text is one thing said in several languages, by their BCP 47 tags.
type Text map[string]string

// In returns the text in the first of the languages that it has. A language
// without region or script is found too: "pt" in "pt-BR", "zh-Hans" in "zh-CN".
// If there is none it falls back to English.
func (t Text) In(langs ...string) string {
	for _, l := range append(slices.Clone(langs), "en") {
		if k := pick(l, t); k != "" {
			return t[k]
		}
	}
	return ""
}

// Roll says what happens to a period that ends on a day nobody works.
type Roll string

// The rolls.
const (
	RollNone Roll = "none"              // it ends on that day all the same
	RollNext Roll = "next-business-day" // it ends on the next business day
)

// receipt stands among the verbs that start a clock for the arrival of the
// complaint, which nobody does.
const receipt Verb = "receipt"

// A Deadline is one clock as the rules set it.
type Deadline struct {
	Name     string `json:"name"`
	Titles   Text   `json:"titles"`
	Days     int    `json:"days"`
	Business bool   `json:"business,omitempty"` // count business days only
	Roll     Roll   `json:"roll"`
	Starts   []Verb `json:"starts"` // "receipt", or what a person did
	Met      []Verb `json:"met"`    // by what a person did
	// Chosen marks a kind of complaint: the clock starts only if the act that
	// registers the complaint names it, and its days are counted from receipt.
	Chosen bool   `json:"chosen,omitempty"`
	Option bool   `json:"option,omitempty"` // may be used and need not be
	House  bool   `json:"house,omitempty"`  // the rule names no number: this one is the house's
	Remind []int  `json:"remind"`           // days before the due day, the most first
	Basis  string `json:"basis"`
}

// An Extension is one lawful lengthening of a clock. Those of one clock are used
// in the order in which the pack lists them, each once.
type Extension struct {
	Clock    string `json:"clock"`
	Titles   Text   `json:"titles"`
	Days     int    `json:"days"`               // more than before
	Approval bool   `json:"approval,omitempty"` // a second person must approve
	// Answers marks a first answer that says when the final one comes: it meets
	// the clock instead of moving it.
	Answers bool   `json:"answers,omitempty"`
	Basis   string `json:"basis"`
}

// Deadlines returns the clocks of the pack, in its order.
func (p *Pack) Deadlines() []Deadline { return slices.Clone(p.deadlines) }

// Extensions returns the extensions of a clock, first to last.
func (p *Pack) Extensions(clock string) []Extension {
	var out []Extension
	for _, e := range p.extensions {
		if e.Clock == clock {
			out = append(out, e)
		}
	}
	return out
}

// ClockTitle returns what a clock is called in a language, else in the pack's
// own, else in English; its name if the pack does not know it.
func (p *Pack) ClockTitle(name, lang string) string {
	d := p.deadline(name)
	if d == nil {
		return name
	}
	return d.Titles.In(lang, p.Language)
}

// deadline returns the clock of a name, or nil.
func (p *Pack) deadline(name string) *Deadline {
	i := slices.IndexFunc(p.deadlines, func(d Deadline) bool { return d.Name == name })
	if i < 0 {
		return nil
	}
	return &p.deadlines[i]
}

// due returns the last moment of a clock that counts from started and was
// extended so many times. Days add up before the period rolls, so that 15 days
// extended by 15 are 30 days and never a day more.
func (p *Pack) due(d *Deadline, started time.Time, extended int) time.Time {
	n := d.Days
	for i, e := range p.Extensions(d.Name) {
		if i < extended {
			n += e.Days
		}
	}
	last := p.calendar.after(p.calendar.day(started), n, d.Business)
	if d.Roll == RollNext {
		last = p.calendar.next(last)
	}
	return p.calendar.end(last)
}

// start returns a clock that counts from a moment.
func (p *Pack) start(d *Deadline, at time.Time) Clock {
	return Clock{Name: d.Name, Started: at, Due: p.due(d, at, 0), Option: d.Option}
}

// A Reminder is a running clock that ends soon or has ended.
type Reminder struct {
	Clock    string    `json:"clock"`
	Due      time.Time `json:"due"`
	DaysLeft int       `json:"days_left"`
	Overdue  bool      `json:"overdue,omitempty"`
	// Point is the reminder time that was reached: the smallest of the pack's
	// days that is not below DaysLeft, -1 when overdue. A complaint, a clock and
	// a point together make one reminder.
	Point int `json:"point"`
}

// Reminders returns the clocks of a track that are within their reminder times
// or overdue, those that end first before the others.
func (p *Pack) Reminders(t Track, now time.Time) []Reminder {
	if t.State.Ended() {
		return nil
	}
	var out []Reminder
	for _, c := range t.Clocks {
		if !c.Runs() {
			continue
		}
		r := Reminder{Clock: c.Name, Due: c.Due, DaysLeft: p.DaysLeft(c.Due, now), Overdue: c.Late(now), Point: -1}
		if now.After(c.Due) {
			if r.Overdue { // and not a chance that passed
				out = append(out, r)
			}
			continue
		}
		points := p.remind
		if d := p.deadline(c.Name); d != nil {
			points = d.Remind
		}
		for _, days := range points {
			if days >= r.DaysLeft {
				r.Point = days
			}
		}
		if r.Point >= 0 {
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b Reminder) int { return a.Due.Compare(b.Due) })
	return out
}
