package bonafide

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Safeguard 11: what was verified about health and poverty papers is kept as a result,
// by people who lead conversations and sign; no field can hold a copy of a paper.
func TestSafeguard11PapersAreKeptAsResults(t *testing.T) {
	for _, r := range []Role{RoleRegulator, RoleAdministrator} {
		if slices.Contains(r.Scopes(), ScopeContactsRead) {
			t.Errorf("%s may read verifications", r)
		}
	}
	for f := range reflect.TypeFor[Verification]().Fields() {
		if k := f.Type.Kind(); k == reflect.Slice && f.Name != "Attempts" || k == reflect.Map || strings.Contains(strings.ToLower(f.Name), "path") {
			t.Errorf("a verification has a place for a paper: %s", f.Name)
		}
	}
	if got := (Verification{ID: "V1", Finding: "she is ill"}).LogValue().String(); strings.Contains(got, "ill") {
		t.Errorf("a log would say %q", got)
	}
	if got := (Contact{ID: "T1", Answers: []Answer{{Note: "she is ill"}}}).LogValue().String(); strings.Contains(got, "ill") {
		t.Errorf("a log would say %q", got)
	}
}

// Safeguard 16: the regulator's role sees figures and nothing else.
func TestSafeguard16RegulatorSeesFiguresAlone(t *testing.T) {
	if got := RoleRegulator.Scopes(); !slices.Equal(got, []Scope{ScopeFiguresRead}) {
		t.Errorf("the regulator may %v", got)
	}
}
