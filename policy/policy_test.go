package policy

import (
	"slices"
	"strings"
	"testing"

	"bonafide"
)

func TestBuiltInPacksPassTheirOwnCases(t *testing.T) {
	for _, id := range List() {
		p, err := Load(id)
		if err != nil {
			t.Fatal(err)
		}
		ran, failed := p.Test()
		if ran < 2*len(p.Rules) || len(failed) > 0 {
			t.Errorf("%s: %d cases ran, failed: %+v", id, ran, failed)
		}
	}
}

func TestNIFAPackCoversEveryCriterion(t *testing.T) {
	p, err := Load("nifa-2024")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, r := range p.Rules {
		have[string(r.Criteria)], have[r.Means] = true, true
	}
	for want := range strings.FieldsSeq("K01 K02 K03 K04 K05 K06 K07 K08 K09 K10 K11 K12 K13 K14 K15 K16 C1 C2 C3 C4 C5") {
		if !have[want] {
			t.Errorf("no rule for %s", want)
		}
	}
}

func grade(t *testing.T, f Facts, white bool) Grading {
	t.Helper()
	p, err := Load("nifa-2024")
	if err != nil {
		t.Fatal(err)
	}
	g, err := p.Grade(f, white)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// suspicious is a member of a large ring tied by identity and text.
func suspicious() Facts {
	return Facts{
		Ring:   Ring{Customers: 20, Homes: 20, Score: 0.99, Days: 8, Burst: true, Kinds: 2},
		Tie:    Tie{Families: []bonafide.Family{"identity", "text"}, Things: 2, Customers: 5},
		Letter: Letter{Customers: 20},
	}
}

// The combination rule, over every set of families: a pack that asks for the
// gravest level everywhere gets no more than the rule allows.
func TestCombinationRuleOverAllFamilies(t *testing.T) {
	all := bonafide.Families
	for set := range 1 << len(all) {
		var fs []bonafide.Family
		hard := false
		for i, f := range all {
			if set&(1<<i) != 0 {
				fs = append(fs, f, f) // twice: repetition is no second family
				hard = hard || f.Hard()
			}
		}
		for _, verified := range []bool{false, true} {
			got, _ := combine(bonafide.Level1, fs, verified)
			want := bonafide.Information
			if len(fs) >= 4 && hard {
				want = bonafide.Level2
				if verified {
					want = bonafide.Level1
				}
			}
			if got != want {
				t.Errorf("families %v, verified %v: %s, want %s", fs, verified, got, want)
			}
		}
	}
}

// Safeguard 3: no level from one family; text alone is information.
func TestSafeguard03TextAloneIsInformation(t *testing.T) {
	f := suspicious()
	for _, fs := range [][]bonafide.Family{{"text"}, {"text", "time"}, {"text", "time", "conduct"}, {"identity"}, {"document"}} {
		f.Tie.Families = fs
		if g := grade(t, f, false); g.Level.Accuses() {
			t.Errorf("families %v: proposed %s", fs, g.Level)
		}
	}
	f.Tie.Families = []bonafide.Family{"identity", "text"}
	if g := grade(t, f, false); g.Level != bonafide.Level2 {
		t.Errorf("identity and text: proposed %s, want level-2", g.Level)
	}
}

// Safeguard 6: declared representatives have a white path.
func TestSafeguard06RepresentativesAreNeverGraded(t *testing.T) {
	f := suspicious()
	f.Complaint = Complaint{Representative: bonafide.RepLawyer, Forged: 1}
	g := grade(t, f, true)
	if g.Level.Accuses() || g.Route != bonafide.RouteConfirmAuthority {
		t.Errorf("got level %s, route %s", g.Level, g.Route)
	}
	f.Complaint.Verified = []bonafide.Criterion{"K03"}
	if g := grade(t, f, true); g.Level != bonafide.Level1 {
		t.Errorf("a verified impostor: got %s, want level-1", g.Level)
	}
}

// Safeguard 12, as far as a scan goes: vulnerability overrides everything.
func TestSafeguard12VulnerableIsRoutedNotGraded(t *testing.T) {
	f := suspicious()
	f.Complaint = Complaint{Vulnerable: true, Forged: 2, Verified: []bonafide.Criterion{"K01", "K16"}}
	g := grade(t, f, false)
	if g.Level.Accuses() || g.Route != bonafide.RouteVulnerable {
		t.Errorf("got level %s, route %s", g.Level, g.Route)
	}
}

// Level 1 is only ever proposed on a verified item.
func TestLevel1NeedsAVerifiedItem(t *testing.T) {
	f := suspicious()
	if g := grade(t, f, false); g.Level != bonafide.Level2 {
		t.Errorf("without a verified item: %s", g.Level)
	}
	f.Complaint.Forged = 1
	if g := grade(t, f, false); g.Level != bonafide.Level1 || !slices.Contains(g.Criteria, bonafide.Criterion("K02")) {
		t.Errorf("with a forged paper: %s %v", g.Level, g.Criteria)
	}
}

// Safeguard 4: advert vocabulary is never applied to customers' words. No
// condition can see a letter, so no pack can break this.
func TestSafeguard04ConditionsCannotReadLetters(t *testing.T) {
	pack := `id="x"
version="1"
basis="b"
most="level-2"
[[rule]]
id="r"
title="t"
level="level-2"
basis="b"
innocent=["i"]
when='%s'
[[rule.case]]
want=true
[[rule.case]]
want=false
`
	for _, cond := range []string{`text.contains("停息挂账")`, `complaint.text.contains("停息挂账")`, `letter.text.contains("停息挂账")`} {
		p, err := Parse("x.toml", []byte(strings.Replace(pack, "%s", cond, 1)))
		if err != nil {
			continue // does not even compile
		}
		if _, err := p.Grade(suspicious(), false); err == nil {
			t.Errorf("%s could be evaluated", cond)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"unknown field":     "id='x'\nversion='1'\nbasis='b'\nmost='level-2'\ncolour='red'",
		"most must be":      "id='x'\nversion='1'\nbasis='b'\nmost='level-9'",
		"id, version":       "version='1'",
		"innocent":          "id='x'\nversion='1'\nbasis='b'\nmost='level-2'\n[[rule]]\nid='r'\ntitle='t'\nlevel='level-2'\nbasis='b'\nwhen='true'",
		"one the pack know": "id='x'\nversion='1'\nbasis='b'\nmost='information'\n[[rule]]\nid='r'\ntitle='t'\nlevel='level-2'\nbasis='b'\nwhen='true'\ninnocent=['i']",
		"verified item":     "id='x'\nversion='1'\nbasis='b'\nmost='level-1'\n[[rule]]\nid='r'\ntitle='t'\nlevel='level-1'\nbasis='b'\nwhen='true'\ninnocent=['i']",
		"condition":         "id='x'\nversion='1'\nbasis='b'\nmost='level-2'\n[[rule]]\nid='r'\ntitle='t'\nlevel='level-2'\nbasis='b'\nwhen='ring.size >='\ninnocent=['i']\n[[rule.case]]\n[[rule.case]]",
		"not a yes or no":   "id='x'\nversion='1'\nbasis='b'\nmost='level-2'\n[[rule]]\nid='r'\ntitle='t'\nlevel='level-2'\nbasis='b'\nwhen='1+1'\ninnocent=['i']\n[[rule.case]]\n[[rule.case]]",
	} {
		_, err := Parse("x.toml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	// Small seeds: compiling a whole pack under coverage takes seconds.
	for _, when := range []string{"true", "ring.customers >= 3 && 'text' in tie.families", "complaint.forged > 0 || contact.refused >= 3"} {
		f.Add([]byte("id='x'\nversion='1'\nbasis='b'\nmost='level-1'\n[[rule]]\nid='r'\ntitle='t'\nlevel='level-1'\nverified=true\nbasis='b'\ninnocent=['i']\nwhen=\"" +
			when + "\"\n[[rule.case]]\nwant=true\n[[rule.case]]\nwant=false\n"))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := Parse("fuzz.toml", text)
		if err != nil {
			return
		}
		g, err := p.Grade(Facts{Tie: Tie{Families: []bonafide.Family{"text"}}}, false)
		if err == nil && g.Level.Accuses() && g.Level != bonafide.Individual {
			t.Errorf("a pack proposed %s on text alone", g.Level)
		}
	})
}
