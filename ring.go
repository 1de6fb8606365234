package bonafide

import "time"

// A Ring is a group of complaints by different customers that the evidence
// ties to one hand.
type Ring struct {
	ID       string   `json:"id"` // the same input gives the same id
	Members  []string `json:"members"`
	Families []Family `json:"families"`
	// Score is the estimated probability, from 0 to 1, that an average pair of
	// members was made by one hand, given what they share. It is a measure of
	// the tie, not of guilt, and says nothing about merit.
	Score float64  `json:"score"`
	Why   []string `json:"why"`

	Ties     []Tie         `json:"ties,omitempty"`     // one per member
	Shared   []SharedThing `json:"shared,omitempty"`   // what ties them
	Innocent []string      `json:"innocent,omitempty"` // explanations to test first
	Template string        `json:"template,omitempty"` // the letter most members share
	Level    Level         `json:"level"`              // the highest level proposed for a member

	Decisions []Decision `json:"decisions,omitempty"` // of people, the first first; a scan has none
}

// A RingState says where a lasting ring stands.
type RingState string

// The states of a lasting ring.
const (
	RingProposed   RingState = "proposed"
	RingIsFirm     RingState = "confirmed" // by one person, or by two at level 1
	RingIsCleared  RingState = "cleared"   // a person found an innocent explanation
	RingIsMerged   RingState = "merged"    // it is part of another now
	RingIsNoLonger RingState = "dissolved" // the evidence no longer ties it
)

// A Verb is what a person can decide about a ring.
type Verb string

// The verbs.
const (
	Confirm Verb = "confirm"
	Clear   Verb = "clear"
	Reopen  Verb = "reopen"
)

// A Decision is what a person decided about a ring, and why.
type Decision struct {
	Verb     Verb      `json:"verb"`
	By       string    `json:"by"` // Actor.ID
	At       time.Time `json:"at"`
	Reason   string    `json:"reason"`
	Innocent string    `json:"innocent"` // the innocent explanations that were tested, and how
	Members  []string  `json:"members"`  // of the ring when it was decided
}

// A Tie says why one complaint belongs to a ring.
type Tie struct {
	Complaint string    `json:"complaint"`
	Received  time.Time `json:"received,omitzero"`
	Region    string    `json:"region,omitempty"`
	Why       []string  `json:"why"`
	Route     Route     `json:"route,omitempty"` // set where the member is routed and not graded
}

// A SharedThing is one identifier, paper or letter that several members share.
// It is named by its kind and a number within the result, never by its value.
type SharedThing struct {
	Label   string   `json:"label"` // "phone 3", "paper 1"
	Kind    string   `json:"kind"`  // an IdentifierKind, "document" or "letter"
	Family  Family   `json:"family"`
	Members []string `json:"members"`
	Rarity  string   `json:"rarity"` // how unusual it is to share one, in words
}
