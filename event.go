package bonafide

import "time"

// An EventType says what happened.
type EventType string

// What other systems can be told of.
const (
	TagCreated    EventType = "tag.created"
	TagRenewed    EventType = "tag.renewed"
	TagRemoved    EventType = "tag.removed"
	TagExpired    EventType = "tag.expired"
	RingFormed    EventType = "ring.formed"
	RingGrown     EventType = "ring.grown"
	RingShrunk    EventType = "ring.shrunk"
	RingMerged    EventType = "ring.merged" // into another
	RingSplit     EventType = "ring.split"  // off another
	RingDissolved EventType = "ring.dissolved"
	RingLevel     EventType = "ring.level" // another level is proposed
	RingConfirmed EventType = "ring.confirmed"
	RingCleared   EventType = "ring.cleared"
	RingReopened  EventType = "ring.reopened" // cleared once, and new members since
	RingAwaits    EventType = "ring.awaits"   // one person confirmed level 1: a second has to

	IncidentFound EventType = "incident.found" // a breach of the lender's own that many complain of

	ComplaintErased EventType = "complaint.erased" // nobody can read it any more
)

// EventTypes lists every type that a webhook can ask for.
var EventTypes = []EventType{
	TagCreated, TagRenewed, TagRemoved, TagExpired,
	RingFormed, RingGrown, RingShrunk, RingMerged, RingSplit, RingDissolved, RingLevel, RingConfirmed, RingCleared, RingReopened, RingAwaits,
	IncidentFound, ComplaintErased,
}

// An Event tells another system what happened. It carries ids and no personal data.
type Event struct {
	Seq    int64     `json:"seq"` // of the tenant, without gaps
	Type   EventType `json:"type"`
	At     time.Time `json:"at"`
	Target Target    `json:"target"`
	Ring   string    `json:"ring,omitempty"`
	Other  string    `json:"other,omitempty"` // the ring it merged into or split off
	Level  Level     `json:"level,omitempty"`
	Count  int       `json:"count,omitempty"` // members of the ring
	Reason string    `json:"reason,omitempty"`
}
