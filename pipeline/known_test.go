package pipeline

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"bonafide"
	"bonafide/policy"
)

// scanKnowing scans complaints with what is known of them besides.
func scanKnowing(t *testing.T, cs []bonafide.Complaint, known map[string]Known, muted ...string) *bonafide.Result {
	t.Helper()
	pack, err := policy.Load("nifa-2024")
	if err != nil {
		t.Fatal(err)
	}
	s := NewScanner(Config{Version: "test", Secret: []byte("test"), Policy: pack})
	s.Know(known)
	s.muted = muted
	for i := range cs {
		if err := s.Add(t.Context(), &cs[i]); err != nil {
			t.Fatal(err)
		}
	}
	r, err := s.Finish(t.Context(), bonafide.Read{Accepted: len(cs)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func failed(at time.Time, cause string) Known {
	return KnownOf(bonafide.Merit{Findings: []bonafide.Finding{{
		Rule: "failed-operation", Standing: bonafide.Substantiated, Basis: "b", Text: "t", Facts: []string{"1", "payment", cause}, From: at, To: at, Count: 1,
	}}})
}

// A ring most of whose members complain of one breach that the records show is an
// incident of the lender's; one in which few do stays a ring.
func TestSafeguard02IncidentComesBeforeARing(t *testing.T) {
	cs := agency(strangers(400, 3), 15)
	plain := scanKnowing(t, cs, nil)
	if len(plain.Rings) == 0 {
		t.Fatal("no ring: the test shows nothing")
	}
	members := plain.Rings[0].Members
	at := map[string]time.Time{}
	for i := range cs {
		if slices.Contains(members, cs[i].ID) { // a wave comes within days
			cs[i].Received = time.Date(2026, 3, 2, 8, i%60, 0, 0, time.UTC)
			at[cs[i].ID] = cs[i].Received
		}
	}
	for _, share := range []struct {
		of   int
		ring bool
	}{{len(members), false}, {len(members) / 3, true}} {
		known := map[string]Known{}
		for _, m := range members[:share.of] {
			known[m] = failed(at[m].Add(-12*time.Hour), "core outage")
		}
		r := scanKnowing(t, cs, known)
		in := false
		for _, ring := range r.Rings {
			for _, m := range members {
				in = in || slices.Contains(ring.Members, m)
			}
		}
		if in != share.ring {
			t.Errorf("with the records of %d of %d members a ring stands: %v, want %v", share.of, len(members), in, share.ring)
		}
		if share.ring {
			continue
		}
		if len(r.Incidents) != 1 || r.Incidents[0].Customers < 8 {
			t.Errorf("incidents: %+v", r.Incidents)
		}
		for _, v := range r.Complaints {
			if slices.Contains(members, v.ID) && (v.Level.Accuses() || v.Ring != "") {
				t.Errorf("%s is proposed at %q in ring %q", v.ID, v.Level, v.Ring)
			}
		}
	}
}

// What a person found out counts: somebody who needs care is routed, and a confirmed
// representative is left in peace, whatever ring they stand in.
func TestWhatPeopleFoundOutRoutes(t *testing.T) {
	cs := agency(strangers(400, 3), 15)
	members := scanKnowing(t, cs, nil).Rings[0].Members
	r := scanKnowing(t, cs, map[string]Known{members[0]: {Vulnerable: true}, members[1]: {Verified: []bonafide.Criterion{"K01"}, Families: []bonafide.Family{bonafide.FamilyIdentity}}})
	for _, v := range r.Complaints {
		switch v.ID {
		case members[0]:
			if v.Level.Accuses() || v.Route != bonafide.RouteVulnerable {
				t.Errorf("who needs care: %s, route %q", v.Level, v.Route)
			}
		case members[1]:
			if v.Level != bonafide.Level1 || !slices.Contains(v.Criteria, "K01") {
				t.Errorf("verified K01: %s, %v", v.Level, v.Criteria)
			}
		default:
			if v.Level == bonafide.Level1 {
				t.Errorf("%s is proposed at level 1 by what was verified of another", v.ID)
			}
		}
	}
}

// A conversation alone, or a verified item of somebody tied to nobody by more than one
// family, never carries a level.
func TestConductAloneIsInformation(t *testing.T) {
	cs := agency(strangers(400, 3), 15)
	lone := cs[0].ID
	r := scanKnowing(t, cs, map[string]Known{lone: {Families: []bonafide.Family{bonafide.FamilyConduct}, Refused: 3}})
	for _, v := range r.Complaints {
		if v.ID == lone && v.Level.Accuses() {
			t.Errorf("conduct alone: %s", v.Level)
		}
	}
}

// A kind of evidence that was switched off ties nobody.
func TestMutedKindTiesNobody(t *testing.T) {
	cs := agency(strangers(400, 3), 15)
	var kinds []string
	for _, s := range scanKnowing(t, cs, nil).Rings[0].Shared {
		kinds = append(kinds, s.Kind)
	}
	r := scanKnowing(t, cs, nil, kinds...)
	for _, ring := range r.Rings {
		for _, s := range ring.Shared {
			if slices.Contains(kinds, s.Kind) {
				t.Errorf("a ring rests on %s", s.Kind)
			}
		}
	}
	if got := fmt.Sprint(r.Rings); strings.Contains(got, kinds[0]+" 1") {
		t.Error(got)
	}
}
