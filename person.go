package bonafide

import (
	"log/slog"
	"slices"
	"time"
)

// A Role is what a person is here for. It grants scopes; a person may have several.
type Role string

// The roles.
const (
	RoleHandler       Role = "handler"       // answers complaints
	RoleInvestigator  Role = "investigator"  // looks into rings
	RoleReviewer      Role = "reviewer"      // the second pair of eyes
	RoleCompliance    Role = "compliance"    // policies, the log, erasure
	RoleRegulator     Role = "regulator"     // figures and nothing else
	RoleAdministrator Role = "administrator" // people and webhooks; no complaints
)

// Roles lists every role, in the order they are shown.
var Roles = []Role{RoleHandler, RoleInvestigator, RoleReviewer, RoleCompliance, RoleRegulator, RoleAdministrator}

var roleScopes = map[Role][]Scope{
	RoleHandler: {ScopeComplaintsRead, ScopeComplaintsWrite, ScopeTrackWrite, ScopeRecordsRead, ScopeTagsLookup, ScopeFiguresRead, ScopeContactsRead, ScopeContactsWrite},
	RoleInvestigator: {
		ScopeComplaintsRead, ScopeComplaintsWrite, ScopeTrackWrite, ScopeRecordsRead, ScopeTagsLookup, ScopeFiguresRead,
		ScopeRingsRead, ScopeRingsDecide, ScopeTagsRead, ScopeTagsWrite, ScopePolicyRead, ScopeContactsRead, ScopeContactsWrite,
		ScopeCasesRead, ScopeCasesWrite,
	},
	RoleReviewer: {
		ScopeComplaintsRead, ScopeRecordsRead, ScopeRingsRead, ScopeRingsDecide, ScopeTagsLookup, ScopeTagsRead, ScopeTagsWrite,
		ScopeTrackWrite, ScopeTrackApprove, ScopeAppeals, ScopePolicyRead, ScopeFiguresRead, ScopeContactsRead, ScopeContactsWrite, ScopeAudit,
		ScopeCasesRead, ScopeCasesDecide,
	},
	RoleCompliance: {
		ScopeComplaintsRead, ScopeRecordsRead, ScopeRingsRead, ScopeRingsDecide, ScopeTagsLookup, ScopeTagsRead, ScopeTagsWrite,
		ScopeTrackApprove, ScopeAppeals, ScopePolicyRead, ScopeFiguresRead, ScopePolicyWrite, ScopeLogRead, ScopeErase, ScopeContactsRead, ScopeAudit,
		ScopeCasesRead, ScopeCasesWrite, ScopeCasesDecide,
	},
	RoleRegulator:     {ScopeFiguresRead},
	RoleAdministrator: {ScopePeopleWrite, ScopeWebhooks, ScopeLogRead, ScopeFiguresRead},
}

// Known reports whether r is one of Roles.
func (r Role) Known() bool { return slices.Contains(Roles, r) }

// Scopes returns what r may do, in the order of [Scopes]; nothing for a role that
// is not known. No role grants ScopeAdmin.
func (r Role) Scopes() []Scope { return scopesOf([]Role{r}) }

func scopesOf(roles []Role) []Scope {
	var out []Scope
	for _, s := range Scopes {
		if slices.ContainsFunc(roles, func(r Role) bool { return slices.Contains(roleScopes[r], s) }) {
			out = append(out, s)
		}
	}
	return out
}

// A Person works with complaints in the console. Nobody is ever deleted, since the
// log names people by their ids.
type Person struct {
	ID         string
	Tenant     Tenant
	Login      string // unique in the whole database; lower case, NFC
	Name       string
	Roles      []Role
	Lang       string // BCP 47; empty is the browser's
	Created    time.Time
	Disabled   time.Time // zero while the person may sign in
	MustChange bool      // the password was given by somebody else
}

// Actor returns who p is in the log and what p may do.
func (p Person) Actor() Actor {
	return Actor{ID: "person:" + p.ID, Name: p.Name, Scopes: scopesOf(p.Roles)}
}

// Is reports whether p has a role.
func (p Person) Is(r Role) bool { return slices.Contains(p.Roles, r) }

// LogValue keeps name and login out of logs.
func (p Person) LogValue() slog.Value { return slog.StringValue("person:" + p.ID) }
