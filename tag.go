package bonafide

import "time"

// A TargetKind says what a tag stands on.
type TargetKind string

// What a tag can stand on.
const (
	OnComplaint  TargetKind = "complaint"
	OnCustomer   TargetKind = "customer"
	OnIdentifier TargetKind = "identifier"
	OnRing       TargetKind = "ring"
	OnIncident   TargetKind = "incident" // of events only: no tag stands on it
)

// A Target is what a tag stands on. ID is the id of a complaint or ring, and for
// a customer or identifier the keyed hash of its one spelling: never the value.
type Target struct {
	Kind TargetKind `json:"kind"`
	ID   string     `json:"id"`
}

// TagLife is how long a tag warns unless a person renews it: safeguard 9.
const TagLife = 90 * 24 * time.Hour

// A Tag is an internal warning to the front line: whom to ask a question more. It
// delays and refuses nothing, and it expires.
type Tag struct {
	ID         string    `json:"id"`
	Target     Target    `json:"target"`
	Reason     string    `json:"reason"`             // in words a person on the phone can use
	Evidence   []string  `json:"evidence,omitempty"` // what it rests on; no personal data
	Ring       string    `json:"ring,omitempty"`     // the ring it was made for
	Author     string    `json:"author"`             // Actor.ID
	Created    time.Time `json:"created"`
	Expires    time.Time `json:"expires"`
	Renewed    time.Time `json:"renewed,omitzero"`
	Removed    time.Time `json:"removed,omitzero"`
	RemovedBy  string    `json:"removed_by,omitempty"`
	RemovedWhy string    `json:"removed_why,omitempty"`
}

// Live reports whether the tag still warns at now.
func (t Tag) Live(now time.Time) bool { return t.Removed.IsZero() && now.Before(t.Expires) }
