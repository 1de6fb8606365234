package bonafide

import "context"

// A Layer is one way in which complaints are compared; each has a package
// under signal/.
type Layer string

// The layers.
const (
	LayerText     Layer = "text"
	LayerIdentity Layer = "identity"
	LayerTiming   Layer = "timing"
	LayerDocument Layer = "document"
)

// A Family groups evidence that would fall together if one source were wrong.
// The combination rule counts families, never single signals.
type Family string

// The families of evidence.
const (
	FamilyText     Family = "text"
	FamilyIdentity Family = "identity"
	FamilyNetwork  Family = "network"
	FamilyDocument Family = "document"
	FamilyPayment  Family = "payment"
	FamilyVoice    Family = "voice"
	FamilyTime     Family = "time"
	FamilyConduct  Family = "conduct"
)

// Families lists every family, in the order they are reported.
var Families = []Family{FamilyIdentity, FamilyNetwork, FamilyDocument, FamilyPayment, FamilyVoice, FamilyText, FamilyTime, FamilyConduct}

// Hard reports whether the family can carry a level together with another one.
// Text, time and conduct cannot: many honest people write alike at one time.
func (f Family) Hard() bool {
	switch f {
	case FamilyIdentity, FamilyNetwork, FamilyDocument, FamilyPayment, FamilyVoice:
		return true
	}
	return false
}

// Family returns the family of evidence that a shared identifier belongs to.
func (k IdentifierKind) Family() Family {
	switch k {
	case IP:
		return FamilyNetwork
	case Account:
		return FamilyPayment
	}
	return FamilyIdentity
}

// A Key is a 64-bit hash under which a signal files a complaint, so that
// complaints worth comparing meet (the blocking step of record linkage).
type Key uint64

// A Trace is what a signal keeps of one complaint. Body holds what Compare
// needs and belongs to the signal that made it; it carries no clear personal
// value.
type Trace struct {
	Complaint string
	Layer     Layer
	Keys      []Key
	Body      any
}

// A Signal is one way in which complaints by the same hand resemble each other.
// Both methods are pure: they touch no storage, clock or network.
type Signal interface {
	Layer() Layer
	// Extract reduces c to what Compare needs and the keys it is filed under.
	Extract(ctx context.Context, c *Complaint) (Trace, error)
	// Compare says what two complaints share that met under some key.
	Compare(a, b Trace) (Link, bool)
}
