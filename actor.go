package bonafide

import "slices"

// A Tenant is one institution that keeps its complaints here. Nothing of one
// tenant is visible to another.
type Tenant string

// A Scope is something an API key or a person may do.
type Scope string

// The scopes.
const (
	ScopeComplaintsWrite Scope = "complaints:write" // hand complaints in
	ScopeComplaintsRead  Scope = "complaints:read"
	ScopeRecordsWrite    Scope = "records:write" // customers, contracts, calls, representatives
	ScopeRecordsRead     Scope = "records:read"
	ScopeRingsRead       Scope = "rings:read"
	ScopeRingsDecide     Scope = "rings:decide" // confirm, clear, say that two are not linked
	ScopeTagsLookup      Scope = "tags:lookup"  // what the front line may ask
	ScopeTagsRead        Scope = "tags:read"
	ScopeTagsWrite       Scope = "tags:write"
	ScopeLogRead         Scope = "log:read"
	ScopeWebhooks        Scope = "webhooks:write"
	ScopeErase           Scope = "customers:erase"
	ScopeTrackWrite      Scope = "track:write"   // move a complaint along its own track
	ScopeTrackApprove    Scope = "track:approve" // approve an extension
	ScopeAppeals         Scope = "appeals:decide"
	ScopeFiguresRead     Scope = "figures:read" // counts, without complaints
	ScopePolicyRead      Scope = "policy:read"
	ScopePolicyWrite     Scope = "policy:write"   // draft, back-test, shadow, promote
	ScopePeopleWrite     Scope = "people:write"   // people, roles, keys, retention
	ScopeContactsRead    Scope = "contacts:read"  // conversations, verifications, material, scripts
	ScopeContactsWrite   Scope = "contacts:write" // lead them, and sign what they found
	ScopeAudit           Scope = "audit:judge"    // judge complaints blindly
	ScopeCasesRead       Scope = "cases:read"     // cases and their items
	ScopeCasesWrite      Scope = "cases:write"    // work on them, take evidence in, seal packs
	ScopeCasesDecide     Scope = "cases:decide"   // the legal review, and the second of two people
	ScopeAdmin           Scope = "admin"          // keys; may do everything else too
)

// Scopes lists every scope, in the order they are shown.
var Scopes = []Scope{
	ScopeComplaintsWrite, ScopeComplaintsRead, ScopeRecordsWrite, ScopeRecordsRead, ScopeRingsRead, ScopeRingsDecide,
	ScopeTagsLookup, ScopeTagsRead, ScopeTagsWrite, ScopeLogRead, ScopeWebhooks, ScopeErase,
	ScopeTrackWrite, ScopeTrackApprove, ScopeAppeals, ScopeFiguresRead, ScopePolicyRead, ScopePolicyWrite, ScopePeopleWrite,
	ScopeContactsRead, ScopeContactsWrite, ScopeAudit, ScopeCasesRead, ScopeCasesWrite, ScopeCasesDecide, ScopeAdmin,
}

// A KeyPurpose says what the system that holds an API key does for the lender.
type KeyPurpose string

// The purposes of keys. Those behind ForOther are walled off: safeguard 8.
const (
	ForComplaints    KeyPurpose = "complaints"    // handles complaints; also where nothing is said
	ForFrontLine     KeyPurpose = "front-line"    // answers calls
	ForInvestigation KeyPurpose = "investigation" // looks into rings
	ForRecords       KeyPurpose = "records"       // hands in the lender's records
	ForOther         KeyPurpose = "other"
	ForCredit        KeyPurpose = "credit"
	ForPricing       KeyPurpose = "pricing"
	ForLimits        KeyPurpose = "limits"
	ForCollection    KeyPurpose = "collection"
	ForEmployment    KeyPurpose = "employment"
	ForMarketing     KeyPurpose = "marketing"
)

// KeyPurposes lists every purpose, in the order they are shown.
var KeyPurposes = []KeyPurpose{
	ForComplaints, ForFrontLine, ForInvestigation, ForRecords, ForOther,
	ForCredit, ForPricing, ForLimits, ForCollection, ForEmployment, ForMarketing,
}

// Walled reports whether a system of this purpose must not learn anything that is
// suspected of anybody.
func (p KeyPurpose) Walled() bool {
	switch p {
	case ForCredit, ForPricing, ForLimits, ForCollection, ForEmployment, ForMarketing:
		return true
	}
	return false
}

// Allows reports whether a system of this purpose may hold the scope s. Behind the wall
// it may hand records in and read nothing: even the answer to a complaint says what it
// was compared with.
func (p KeyPurpose) Allows(s Scope) bool {
	if !p.Walled() {
		return true
	}
	return s == ScopeRecordsWrite
}

// An Actor is who does something: the holder of an API key, a person, or the
// program itself. It is an argument of every change, never a setting of a session.
type Actor struct {
	ID     string // "key:01J…", "person:01J…", "system:settle"
	Name   string
	Scopes []Scope
}

// System returns the actor that the program is when it acts by itself.
func System(part string) Actor {
	return Actor{ID: "system:" + part, Name: part, Scopes: []Scope{ScopeAdmin}}
}

// May reports whether a is allowed to do s.
func (a Actor) May(s Scope) bool {
	return slices.Contains(a.Scopes, s) || slices.Contains(a.Scopes, ScopeAdmin)
}
