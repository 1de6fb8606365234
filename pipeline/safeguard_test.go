package pipeline

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"bonafide"
	"bonafide/normalize"
	"bonafide/policy"

	"github.com/google/go-cmp/cmp"
)

// The safeguards of docs/safeguards.md that a scan can break, one test each,
// named by number. Those of the combination rule are in policy.

func TestSafeguard01SuspicionTouchesNoComplaint(t *testing.T) {
	cs := agency(strangers(50, 1), 9)
	before, err := json.Marshal(cs)
	if err != nil {
		t.Fatal(err)
	}
	r := scan(t, cs)
	after, err := json.Marshal(cs)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(before), string(after)); d != "" {
		t.Errorf("the scan changed complaints: %s", d)
	}
	// A proposal says nothing of order, date or state of the complaint's own track.
	out, err := json.Marshal(r.Complaints)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"priority", "pause", "refuse", "reject", "delay", "close", "decline", "deadline"} {
		if strings.Contains(strings.ToLower(string(out)), word) {
			t.Errorf("a verdict speaks of %q", word)
		}
	}
}

func TestSafeguard02MeritStaysApart(t *testing.T) {
	r := scan(t, agency(strangers(50, 2), 9))
	if !strings.Contains(r.NotProved[0], "Merit is checked apart, first") {
		t.Errorf("the result begins with %q", r.NotProved[0])
	}
	pack, err := policy.Load("nifa-2024")
	if err != nil {
		t.Fatal(err)
	}
	// What merit finds never lowers a grievance because of suspicion, nor raises suspicion.
	f := policy.Facts{
		Ring: policy.Ring{Customers: 9, Homes: 9},
		Tie:  policy.Tie{Families: []bonafide.Family{"identity", "text"}, Things: 1},
	}
	plain, err := pack.Grade(f, false)
	if err != nil {
		t.Fatal(err)
	}
	f.Merit.Substantiated = true
	upheld, err := pack.Grade(f, false)
	if err != nil {
		t.Fatal(err)
	}
	if upheld.Level.Rank() > plain.Level.Rank() {
		t.Errorf("a substantiated grievance is graded %s, an unchecked one %s", upheld.Level, plain.Level)
	}
}

func TestSafeguard03LettersAloneAccuseNobody(t *testing.T) {
	cs := agency(strangers(100, 3), 60)
	for i := range cs {
		cs[i].Contacts = nil
	}
	r := scan(t, cs)
	if len(r.Rings) > 0 {
		t.Errorf("%d rings", len(r.Rings))
	}
	n := 0
	for id, l := range levels(r) {
		n++
		if l != bonafide.Information {
			t.Errorf("%s: %s", id, l)
		}
	}
	if n != 60 {
		t.Errorf("%d complaints with something to say, want the 60 copies", n)
	}
}

func TestSafeguard04AdvertWordsMeanNothingInALetter(t *testing.T) {
	cs := strangers(80, 4)
	for i, words := range []string{"停息挂账", "债务优化", "专业反催收", "征信洗白", "debt optimisation, stop interest, credit repair guaranteed"} {
		cs[i].Text += " " + strings.Repeat(words+"。 ", 10)
	}
	if r := scan(t, cs); len(r.Complaints) > 0 {
		t.Errorf("advert vocabulary in a letter led to %+v", r.Complaints)
	}
}

func TestSafeguard05TheBorrowerIsNoTarget(t *testing.T) {
	r := scan(t, agency(strangers(50, 5), 9))
	var words strings.Builder
	for _, v := range r.Complaints {
		words.WriteString(strings.ToLower(strings.Join(v.Why, " ")))
	}
	for _, ring := range r.Rings {
		words.WriteString(strings.ToLower(strings.Join(ring.Why, " ")))
	}
	for _, bad := range []string{"fraud", "criminal", "guilty", "gang", "scam", "liar", "fake customer", "malicious"} {
		if strings.Contains(words.String(), bad) {
			t.Errorf("a reason calls somebody %q", bad)
		}
	}
	if !strings.Contains(strings.Join(r.NotProved, " "), "often its victims: warn and help them") {
		t.Error("the result does not say that clients are often victims")
	}
}

func TestSafeguard06RepresentativesAreRoutedNotGraded(t *testing.T) {
	for _, rep := range []bonafide.RepresentativeType{
		bonafide.RepLawyer, bonafide.RepLegalAid, bonafide.RepFamily, bonafide.RepGuardian, bonafide.RepHeir, bonafide.RepCharity,
	} {
		for _, confirmed := range []bool{false, true} {
			cs := agency(strangers(50, 6), 9)
			for i := 50; i < len(cs); i++ {
				cs[i].Representative = &bonafide.Representative{Type: rep, Confirmed: confirmed}
			}
			r := scan(t, cs)
			if len(r.Rings) > 0 {
				t.Errorf("%s: clients of a declared representative were called a ring", rep)
			}
			for _, v := range r.Complaints {
				want := bonafide.RouteConfirmAuthority
				if confirmed {
					want = bonafide.RouteNone
				}
				if v.Level.Accuses() || v.Route != want {
					t.Errorf("%s, confirmed %v: level %s, route %q", rep, confirmed, v.Level, v.Route)
				}
			}
		}
	}
}

func TestSafeguard09NumberOfComplaintsIsNoReason(t *testing.T) {
	cs := strangers(60, 9)
	for i := range 40 { // one person writes forty times
		cs[i].Customer, cs[i].Contacts = cs[0].Customer, cs[0].Contacts
	}
	if r := scan(t, cs); len(r.Complaints) > 0 {
		t.Errorf("writing often led to %+v", r.Complaints)
	}
}

func TestSafeguard12VulnerableMembersAreRouted(t *testing.T) {
	cs := agency(strangers(50, 12), 9)
	cs[52].Customer.Vulnerable = "illness"
	cs[52].Documents = []bonafide.Document{{Kind: "certificate", SHA256: fmt.Sprintf("%064x", 7), Verified: bonafide.Forged}}
	r := scan(t, cs)
	for _, v := range r.Complaints {
		if v.ID != cs[52].ID {
			continue
		}
		if v.Level.Accuses() || v.Route != bonafide.RouteVulnerable {
			t.Errorf("a vulnerable customer got level %s, route %q", v.Level, v.Route)
		}
		return
	}
	t.Error("a vulnerable member of a ring was not routed")
}

// Safeguard 10: voice is off. Recordings and transcripts that are the same tie nobody, and
// no signal listens.
func TestSafeguard10VoiceIsOff(t *testing.T) {
	cs := strangers(200, 9)
	for i := range cs {
		cs[i].Calls = []bonafide.Call{{Path: "one.wav", Transcript: playbook}}
	}
	r := scan(t, cs)
	if len(r.Rings) != 0 {
		t.Errorf("%d rings of people whose recordings are the same", len(r.Rings))
	}
	for _, v := range r.Complaints {
		if v.Level.Accuses() || slices.Contains(v.Families, bonafide.FamilyVoice) {
			t.Errorf("%s: %s, %v", v.ID, v.Level, v.Families)
		}
	}
	for _, s := range newReducer(normalize.Config{}, []byte("x")).signals {
		if s.Layer() == "voice" {
			t.Error("a signal listens to voices")
		}
	}
}
