package bonafide

import (
	"log/slog"
	"time"
)

// A Contact is one conversation about a complaint, led by a script. What was said
// is kept as the choices of the script and notes; nothing is inferred from tone.
type Contact struct {
	ID        string    `json:"id"`
	Complaint string    `json:"complaint,omitempty"` // "" where none was filed yet
	Script    string    `json:"script"`
	Version   string    `json:"version"` // of the script
	Lang      string    `json:"lang"`
	Direction string    `json:"direction"`       // "in": they called; "out": they were called
	Known     bool      `json:"known,omitempty"` // over a channel known before the dispute began
	By        string    `json:"by"`              // Actor.ID
	Started   time.Time `json:"started"`
	Ended     time.Time `json:"ended,omitzero"`
	Answers   []Answer  `json:"answers,omitempty"`
	// What follows of the answers by the script.
	Established Established     `json:"established,omitzero"`
	Signals     []ContactSignal `json:"signals,omitempty"`
	End         string          `json:"end,omitempty"` // the end that was reached, "" before
}

// LogValue keeps what was said out of logs.
func (c Contact) LogValue() slog.Value { return slog.StringValue("contact:" + c.ID) }

// An Answer is the choice that somebody made at one step of a script.
type Answer struct {
	Step   string    `json:"step"`
	Choice string    `json:"choice"`
	Note   string    `json:"note,omitempty"` // in the words of who asked
	At     time.Time `json:"at"`
}

// Established is what a conversation established. An empty field is not known.
type Established struct {
	Identity      string   `json:"identity,omitempty"`      // confirmed, doubtful, failed
	Purpose       string   `json:"purpose,omitempty"`       // complaint, hardship, information, threat, representation, warning, other
	Authority     string   `json:"authority,omitempty"`     // own, confirmed, claimed, refused
	Facts         []string `json:"facts,omitempty"`         // claimed: "night-calls", "illness", …; each once, in order
	Vulnerability string   `json:"vulnerability,omitempty"` // none, claimed, flagged
}

// A ContactSignal is what an answer is evidence of, with the innocent explanation
// that is tested first. Alone it grades nothing.
type ContactSignal struct {
	Family   Family    `json:"family"` // conduct or identity
	Criteria Criterion `json:"criterion,omitempty"`
	Text     string    `json:"text"`     // in plain English
	Innocent string    `json:"innocent"` // the explanation to test first
	Step     string    `json:"step"`
	Choice   string    `json:"choice"`
}

// A Way is a way to reach a customer or an issuer that was known before the dispute
// began.
type Way string

// The ways over which something can be verified.
const (
	ByPhone  Way = "registered-phone"
	ByEmail  Way = "registered-email"
	ByApp    Way = "app"
	ByBranch Way = "branch"
	ByPost   Way = "registered-post"
	ByIssuer Way = "issuer" // of a paper: over the issuer's own published address
)

// An AttemptResult says what came of trying.
type AttemptResult string

// What can come of an attempt.
const (
	Unreached   AttemptResult = "unreached"    // nobody answered
	Reached     AttemptResult = "reached"      // the right person, or the issuer
	OtherPerson AttemptResult = "other-person" // somebody else answered
	RefusedTalk AttemptResult = "refused"      // the customer in person refuses to talk
)

// An Attempt is one try to reach somebody.
type Attempt struct {
	At     time.Time     `json:"at"`
	By     string        `json:"by"` // Actor.ID
	Way    Way           `json:"way"`
	Result AttemptResult `json:"result"`
	Note   string        `json:"note,omitempty"`
}

// A VerificationKind says what is verified.
type VerificationKind string

// What can be verified.
const (
	VerifyIdentity  VerificationKind = "identity"  // did the customer complain themselves?
	VerifyAuthority VerificationKind = "authority" // may this person speak for the customer?
	VerifyDocument  VerificationKind = "document"  // does the issuer know the paper?
	VerifySituation VerificationKind = "situation" // illness, hardship: how can the lender help?
)

// A Verification is a task: to find something out over a known way.
type Verification struct {
	ID        string           `json:"id"`
	Complaint string           `json:"complaint"`
	Kind      VerificationKind `json:"kind"`
	About     string           `json:"about,omitempty"` // the kind of paper or standing; no name
	Way       Way              `json:"way"`
	Reason    string           `json:"reason,omitempty"`
	By        string           `json:"by"` // who asked for it
	Opened    time.Time        `json:"opened"`
	Due       time.Time        `json:"due,omitzero"`
	Attempts  []Attempt        `json:"attempts,omitempty"`
	// Outcome is confirmed, denied or open-ended, signed by a person; "" before.
	Outcome  string    `json:"outcome,omitempty"`
	Finding  string    `json:"finding,omitempty"` // what the person found, in their words; no copy of a paper
	SignedBy string    `json:"signed_by,omitempty"`
	Signed   time.Time `json:"signed,omitzero"`
	// Criterion is what the outcome verifies, where a person signed that it does, and
	// Innocent the explanation that they tested first.
	Criterion Criterion `json:"criterion,omitempty"`
	Innocent  string    `json:"innocent,omitempty"`
}

// LogValue keeps what was found out of logs.
func (v Verification) LogValue() slog.Value { return slog.StringValue("verification:" + v.ID) }

// A Message is a question to a customer, on its way over a known way.
type Message struct {
	ID      string    `json:"id"`
	Way     Way       `json:"way"`
	To      string    `json:"to"`
	Lang    string    `json:"lang"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
	Made    time.Time `json:"made"`
	Expires time.Time `json:"expires"`
}

// LogValue keeps whom a message is for, and its link, out of logs.
func (m Message) LogValue() slog.Value { return slog.StringValue("message:" + m.ID) }
