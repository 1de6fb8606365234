package contact

import (
	"fmt"
	"slices"
	"strings"

	"bonafide"
)

// Known is what is known of a complaint and its caller as a conversation begins.
// Scripts ask about it in conditions, by the names of the toml tags.
type Known struct {
	Tagged         bool `toml:"tagged" json:"tagged,omitempty"`                 // a tag asks for one question more; it never refuses anything
	Complaint      bool `toml:"complaint" json:"complaint,omitempty"`           // a complaint is on record
	Customer       bool `toml:"customer" json:"customer,omitempty"`             // a customer of the lender is on record
	Representative bool `toml:"representative" json:"representative,omitempty"` // the complaint declares one
	WhitePath      bool `toml:"white_path" json:"white_path,omitempty"`         // lawyer, legal aid, family, guardian, heir, charity
	Confirmed      bool `toml:"confirmed" json:"confirmed,omitempty"`           // the customer confirmed the authority before
	Vulnerable     bool `toml:"vulnerable" json:"vulnerable,omitempty"`         // flagged before
	KnownNumber    bool `toml:"known_number" json:"known_number,omitempty"`     // over a number known before the dispute began
	Threat         bool `toml:"threat" json:"threat,omitempty"`                 // a threat was made before and refused
	Substantiated  bool `toml:"substantiated" json:"substantiated,omitempty"`   // the grievance was found right
}

// Facts are the names by which conditions speak of [Known].
var Facts = []string{"tagged", "complaint", "customer", "representative", "white_path", "confirmed", "vulnerable", "known_number", "threat", "substantiated"}

// field returns the fact of a name, or nil.
func (k *Known) field(name string) *bool {
	switch name {
	case "tagged":
		return &k.Tagged
	case "complaint":
		return &k.Complaint
	case "customer":
		return &k.Customer
	case "representative":
		return &k.Representative
	case "white_path":
		return &k.WhitePath
	case "confirmed":
		return &k.Confirmed
	case "vulnerable":
		return &k.Vulnerable
	case "known_number":
		return &k.KnownNumber
	case "threat":
		return &k.Threat
	case "substantiated":
		return &k.Substantiated
	}
	return nil
}

// KnownOf returns what is known by the names of [Facts].
func KnownOf(names ...string) (Known, error) {
	var k Known
	for _, n := range names {
		f := k.field(n)
		if f == nil {
			return Known{}, invalid("%q cannot be known: there are %s", n, strings.Join(Facts, ", "))
		}
		*f = true
	}
	return k, nil
}

// invalid returns an error that a user may see.
func invalid(format string, args ...any) error {
	return &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf(format, args...)}
}

// A Talk is where a conversation stands: at a step or at an end.
type Talk struct {
	Step        *Step                    `json:"step,omitempty"` // asked next; nil at an end
	End         *End                     `json:"end,omitempty"`  // nil before
	Established bonafide.Established     `json:"established,omitzero"`
	Signals     []bonafide.ContactSignal `json:"signals,omitempty"`
	Asked       []string                 `json:"asked,omitempty"` // the steps answered so far, in order
	Left        int                      `json:"left"`            // questions until an end, at least; 0 at an end
	// Vulnerable says that a trained person takes over: it was known before, or the
	// conversation showed it, or the end asks for it.
	Vulnerable bool `json:"vulnerable,omitempty"`
}

// maxAnswers bounds a conversation.
const maxAnswers = 60

// Play replays the answers from the first step. It depends on its arguments alone.
// An answer to another step than the one asked, or one that the step does not
// have, is an error of kind Invalid that names the step.
func (s *Script) Play(k Known, answers []bonafide.Answer) (Talk, error) {
	if len(answers) > maxAnswers {
		return Talk{}, invalid("%s: more than %d answers", s.ID, maxAnswers)
	}
	t := Talk{Step: s.Step(s.Start)}
	if t.Step == nil {
		return Talk{}, invalid("%s: no step %q", s.ID, s.Start)
	}
	given := map[string]string{} // step → choice, the latest
	for i, a := range answers {
		if t.Step == nil {
			return Talk{}, invalid("%s: answer %d: the conversation ended before with %s", s.ID, i+1, t.End.ID)
		}
		if a.Step != t.Step.ID {
			return Talk{}, invalid("%s: answer %d: step %s is asked here, not %q", s.ID, i+1, t.Step.ID, a.Step)
		}
		c := t.Step.Choice(a.Choice)
		if c == nil {
			var there []string
			for _, c := range t.Step.Choices {
				there = append(there, c.ID)
			}
			return Talk{}, invalid("%s: answer %d: step %s has no choice %q: it has %s", s.ID, i+1, a.Step, a.Choice, strings.Join(there, ", "))
		}
		given[a.Step] = a.Choice
		t.Asked = append(t.Asked, a.Step)
		t.Established = establish(t.Established, c.Establish)
		if g := c.Signal; g != nil && !slices.ContainsFunc(t.Signals, func(x bonafide.ContactSignal) bool { return x.Step == a.Step && x.Choice == a.Choice }) {
			t.Signals = append(t.Signals, bonafide.ContactSignal{
				Family: g.Family, Criteria: g.Criterion, Text: g.Text, Innocent: g.Innocent, Step: a.Step, Choice: a.Choice,
			})
		}
		next := c.next(k, given, t.Established)
		if t.Step, t.End = s.Step(next), s.End(next); t.Step == nil && t.End == nil {
			return Talk{}, invalid("%s: step %s, choice %s leads to %q, which is neither a step nor an end", s.ID, a.Step, a.Choice, next)
		}
	}
	if t.Step != nil {
		t.Left = s.nearby[t.Step.ID]
	}
	t.Vulnerable = k.Vulnerable || frail(t.Established) || t.End != nil && t.End.Vulnerable
	return t, nil
}

// frail reports whether a conversation showed that a trained person is needed.
func frail(e bonafide.Established) bool {
	return e.Vulnerability == "claimed" || e.Vulnerability == "flagged"
}

// vulnerabilities stand from least to most: one that is established stays.
var vulnerabilities = []string{"", "none", "claimed", "flagged"}

// establish adds what an answer establishes. What is said last counts, but a
// vulnerability is never talked away.
func establish(e, more bonafide.Established) bonafide.Established {
	if more.Identity != "" {
		e.Identity = more.Identity
	}
	if more.Purpose != "" {
		e.Purpose = more.Purpose
	}
	if more.Authority != "" {
		e.Authority = more.Authority
	}
	if slices.Index(vulnerabilities, more.Vulnerability) > slices.Index(vulnerabilities, e.Vulnerability) {
		e.Vulnerability = more.Vulnerability
	}
	e.Facts = slices.Clone(e.Facts)
	for _, f := range more.Facts {
		if !slices.Contains(e.Facts, f) {
			e.Facts = append(e.Facts, f)
		}
	}
	return e
}

// next returns where a choice leads.
func (c *Choice) next(k Known, given map[string]string, e bonafide.Established) string {
	for _, b := range c.Branches {
		if !slices.ContainsFunc(b.When, func(cond string) bool { return !holds(cond, k, given, e) }) {
			return b.Next
		}
	}
	return c.Next
}

// holds reports whether a condition holds. Vulnerable holds too from the moment
// that the conversation shows it.
func holds(cond string, k Known, given map[string]string, e bonafide.Established) bool {
	cond, not := strings.CutPrefix(cond, "!")
	if step, choice, ok := strings.Cut(cond, "="); ok {
		return (given[step] == choice) != not
	}
	f := k.field(cond)
	yes := f != nil && *f || cond == "vulnerable" && frail(e)
	return yes != not
}

// A Case is a script's own test: what is known and answered, and what comes of it.
type Case struct {
	Name    string   `toml:"name"`
	Known   Known    `toml:"known"`
	Answers []string `toml:"answers"` // "step:choice"
	Want    Want     `toml:"want"`
}

// Want is how a case must come out.
type Want struct {
	End         string               `toml:"end"`
	Established bonafide.Established `toml:"established"`
	Signals     []string             `toml:"signals"` // criteria, or families where there is none
	Track       string               `toml:"track"`
	Verify      []string             `toml:"verify"` // kinds
	Vulnerable  bool                 `toml:"vulnerable"`
}

// A Failure is a case that did not come out as written.
type Failure struct{ Case, Field, Want, Got string }

// String says it in a line.
func (f Failure) String() string {
	return fmt.Sprintf("case %q: %s: want %s, got %s", f.Case, f.Field, f.Want, f.Got)
}

// Answers reads answers written as "step:choice".
func Answers(words []string) ([]bonafide.Answer, error) {
	var out []bonafide.Answer
	for i, w := range words {
		step, choice, ok := strings.Cut(w, ":")
		if !ok || step == "" || choice == "" {
			return nil, invalid("answer %d: %q is not step:choice", i+1, w)
		}
		out = append(out, bonafide.Answer{Step: step, Choice: choice})
	}
	return out, nil
}

// Test runs the script's own cases and returns how many ran and what failed.
func (s *Script) Test() (ran int, failed []Failure) {
	for _, c := range s.Cases {
		ran++
		bad := func(field, want, got string) {
			if want != got {
				failed = append(failed, Failure{Case: c.Name, Field: field, Want: want, Got: got})
			}
		}
		answers, err := Answers(c.Answers)
		if err != nil {
			bad("answers", "step:choice", err.Error())
			continue
		}
		t, err := s.Play(c.Known, answers)
		if err != nil {
			bad("answers", "a conversation", err.Error())
			continue
		}
		if t.End == nil {
			bad("end", c.Want.End, "no end: step "+t.Step.ID+" is asked")
			continue
		}
		var signals, verify []string
		for _, g := range t.Signals {
			if g.Criteria != "" {
				signals = append(signals, string(g.Criteria))
			} else {
				signals = append(signals, string(g.Family))
			}
		}
		for _, v := range t.End.Verify {
			verify = append(verify, string(v.Kind))
		}
		bad("end", c.Want.End, t.End.ID)
		bad("established", told(c.Want.Established), told(t.Established))
		bad("signals", strings.Join(c.Want.Signals, " "), strings.Join(signals, " "))
		bad("track", c.Want.Track, t.End.Track)
		bad("verify", strings.Join(c.Want.Verify, " "), strings.Join(verify, " "))
		bad("vulnerable", fmt.Sprint(c.Want.Vulnerable), fmt.Sprint(t.Vulnerable))
	}
	return ran, failed
}

// told writes what was established on a line.
func told(e bonafide.Established) string {
	var out []string
	add := func(name, value string) {
		if value != "" {
			out = append(out, name+"="+value)
		}
	}
	add("identity", e.Identity)
	add("purpose", e.Purpose)
	add("authority", e.Authority)
	add("facts", strings.Join(e.Facts, "+"))
	add("vulnerability", e.Vulnerability)
	return strings.Join(out, " ")
}
