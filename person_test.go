package bonafide

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What each role may do is a decision, so it stands here a second time, in full.
func TestRolesGrantThisAndNoMore(t *testing.T) {
	want := map[Role][]Scope{
		"handler":       {"complaints:write", "complaints:read", "records:read", "tags:lookup", "track:write", "figures:read", "contacts:read", "contacts:write"},
		"investigator":  {"complaints:write", "complaints:read", "records:read", "rings:read", "rings:decide", "tags:lookup", "tags:read", "tags:write", "track:write", "figures:read", "policy:read", "contacts:read", "contacts:write", "cases:read", "cases:write"},
		"reviewer":      {"complaints:read", "records:read", "rings:read", "rings:decide", "tags:lookup", "tags:read", "tags:write", "track:write", "track:approve", "appeals:decide", "figures:read", "policy:read", "contacts:read", "contacts:write", "audit:judge", "cases:read", "cases:decide"},
		"compliance":    {"complaints:read", "records:read", "rings:read", "rings:decide", "tags:lookup", "tags:read", "tags:write", "log:read", "customers:erase", "track:approve", "appeals:decide", "figures:read", "policy:read", "policy:write", "contacts:read", "audit:judge", "cases:read", "cases:write", "cases:decide"},
		"regulator":     {"figures:read"},
		"administrator": {"log:read", "webhooks:write", "figures:read", "people:write"},
		"emperor":       nil,
	}
	for r, scopes := range want {
		if d := cmp.Diff(scopes, r.Scopes()); d != "" {
			t.Errorf("%s (-want +got):\n%s", r, d)
		}
	}
	for _, r := range Roles {
		if !r.Known() || len(want[r]) == 0 {
			t.Errorf("%s is not in this table", r)
		}
		a := Person{ID: "P", Roles: []Role{r}}.Actor()
		if slices.Contains(a.Scopes, ScopeAdmin) || a.ID != "person:P" {
			t.Errorf("%s is %+v", r, a)
		}
	}
	all := Person{ID: "P", Roles: Roles}.Actor()
	for _, s := range []Scope{ScopeAdmin, ScopeRecordsWrite} {
		if all.May(s) {
			t.Errorf("every role together may do %s", s)
		}
	}
	admin := Person{Roles: []Role{RoleAdministrator}}.Actor()
	for _, s := range []Scope{ScopeComplaintsRead, ScopeRecordsRead, ScopeRingsRead, ScopeTagsLookup, ScopeErase, ScopePolicyWrite} {
		if admin.May(s) {
			t.Errorf("an administrator may do %s", s)
		}
	}
}
