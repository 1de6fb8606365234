package casework

import "slices"

// What a person can do beside moving a complaint: say who works on it, and say
// something about it. Neither changes its state or a clock.
const (
	Assign  Verb = "assign"
	Comment Verb = "note"
)

// A Line is one line of a complaint's history as it is kept: a step, who took it on,
// or what somebody said about it.
type Line struct {
	Step
	Assignee string `json:"assignee,omitempty"` // of Assign; "" gave it back
	Note     string `json:"note,omitempty"`     // of Comment
}

// Ask is the verb of a line in which somebody asks that a clock be extended, where
// that needs somebody else's approval; Refuse the one in which it was not given.
const (
	Ask    Verb = "ask-extension"
	Refuse Verb = "refuse-extension"
)

// Asked returns the extension that is asked for and neither approved nor refused.
func Asked(lines []Line) (Act, bool) {
	for _, l := range slices.Backward(lines) {
		switch l.Act.Verb {
		case Ask:
			return l.Act, true
		case Extend, Refuse:
			return Act{}, false
		}
	}
	return Act{}, false
}
