package contact

import "bonafide"

// A Conversation is a contact as it is stored: with what was known when it began, so
// that replaying its answers gives the same again.
type Conversation struct {
	bonafide.Contact
	Facts Known `json:"facts"`
}

// Suggest names the script that fits what is known of a call. A tag chooses none: it
// only adds a question.
func Suggest(k Known) string {
	switch {
	case k.Representative && !k.Confirmed:
		return "representative"
	case k.Threat:
		return "threat"
	}
	return "incoming"
}

// A Handover is what a telephone system shows whoever takes a call.
type Handover struct {
	Contact    string         `json:"contact"` // the conversation that was begun
	Script     string         `json:"script"`
	Known      Known          `json:"known"`
	Complaints []string       `json:"complaints,omitempty"` // of the customer, not answered yet
	Tags       []bonafide.Tag `json:"tags,omitempty"`
}

// A Signature is what a person found by verifying.
type Signature struct {
	Outcome   string // one of [Outcomes]
	Finding   string
	Criterion bonafide.Criterion
	Innocent  string // the explanation that was tested
}

// Needed is what a complaint needs besides what the lender holds, and what was asked for.
type Needed struct {
	Checklist
	Lines    []Line
	Held     map[string]bool
	Material Material
	Version  int // of the material; 0 where nothing was asked for yet
}
