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
	ScopePolicyWrite     Scope = "policy:write" // draft, back-test, shadow, promote
	ScopePeopleWrite     Scope = "people:write" // people, roles, keys, retention
	ScopeAdmin           Scope = "admin"        // keys; may do everything else too
)

// Scopes lists every scope, in the order they are shown.
var Scopes = []Scope{
	ScopeComplaintsWrite, ScopeComplaintsRead, ScopeRecordsWrite, ScopeRecordsRead, ScopeRingsRead, ScopeRingsDecide,
	ScopeTagsLookup, ScopeTagsRead, ScopeTagsWrite, ScopeLogRead, ScopeWebhooks, ScopeErase,
	ScopeTrackWrite, ScopeTrackApprove, ScopeAppeals, ScopeFiguresRead, ScopePolicyRead, ScopePolicyWrite, ScopePeopleWrite, ScopeAdmin,
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
