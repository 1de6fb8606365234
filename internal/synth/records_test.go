package synth

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRecordsAreRepeatable(t *testing.T) {
	c := RecordsConfig{Seed: 3, Customers: 300, Days: 3}
	if d := cmp.Diff(MakeRecords(c), MakeRecords(c)); d != "" {
		t.Errorf("equal configs (-first +second):\n%s", d)
	}
	w := New(Config{Seed: 3, Size: 1000})
	if d := cmp.Diff(RecordsFor(w, 1), RecordsFor(w, 1)); d != "" {
		t.Errorf("equal worlds (-first +second):\n%s", d)
	}
	if cmp.Equal(MakeRecords(c).Calls, MakeRecords(RecordsConfig{Seed: 4, Customers: 300, Days: 3}).Calls) {
		t.Error("another seed made the same calls")
	}
}

// Every record keeps its contract, has its own id, and every planted row is one.
func TestRecordsAreSound(t *testing.T) {
	for _, w := range []RecordsWorld{MakeRecords(RecordsConfig{Seed: 5, Customers: 3000, Days: 2}), RecordsFor(New(Config{Seed: 5, Size: 2000}), 5)} {
		ids := map[string]bool{}
		see := func(kind, id string, err error) {
			if err != nil || ids[kind+":"+id] {
				t.Fatalf("%s %s: %v, or twice", kind, id, err)
			}
			ids[kind+":"+id] = true
		}
		for i := range w.Calls {
			see("call", w.Calls[i].ID, w.Calls[i].Check())
		}
		for i := range w.Contracts {
			see("contract", w.Contracts[i].ID, w.Contracts[i].Check())
		}
		for i := range w.ThirdParties {
			see("third-party", w.ThirdParties[i].ID, w.ThirdParties[i].Check())
		}
		for i := range w.Objections {
			see("objection", w.Objections[i].ID, w.Objections[i].Check())
		}
		for i := range w.Failures {
			see("failure", w.Failures[i].ID, w.Failures[i].Check())
		}
		for _, p := range w.Planted {
			for _, r := range p.Rows {
				if !ids[r.Kind+":"+r.ID] {
					t.Errorf("%s of %s is planted in %s %s, which there is not", p.Rule, p.Customer, r.Kind, r.ID)
				}
			}
		}
		if len(w.Planted) == 0 {
			t.Error("nothing is planted")
		}
		var lines, truth bytes.Buffer
		if err := w.WriteNDJSON(&lines); err != nil {
			t.Fatal(err)
		}
		if err := w.WriteTruth(&truth); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(lines.String(), "\n"); got != len(ids) {
			t.Errorf("%d lines, want %d", got, len(ids))
		}
		if got := strings.Count(truth.String(), "\n"); got != len(w.Planted)+1 {
			t.Errorf("%d lines of truth, want %d", got, len(w.Planted)+1)
		}
	}
}

// Behind a wave stands one breach by the lender, for each customer who is known.
func TestRecordsForCoverTheWaves(t *testing.T) {
	complaints, covered := 0, 0
	for seed := range uint64(10) {
		w := New(Config{Seed: seed + 1, Size: 2000})
		r := RecordsFor(w, seed)
		if !slices.ContainsFunc(r.Waves, func(v RecordsWave) bool { return v.Rule == "failed-operation" }) ||
			!slices.ContainsFunc(r.Waves, func(v RecordsWave) bool { return v.Rule == "fee-outside-contract" }) {
			t.Errorf("seed %d: waves %+v, want one of each kind at least", seed+1, r.Waves)
		}
		for _, v := range r.Waves {
			complaints, covered = complaints+v.Complaints, covered+len(v.Covered)
		}
	}
	share := float64(covered) / float64(complaints)
	t.Logf("records cover %d of %d complaints of waves: %.1f %%; the others have lost the customer's reference", covered, complaints, 100*share)
	if share < 0.7 || share > 0.9 {
		t.Errorf("records cover %.2f of the waves, want about 0.8", share)
	}
	if got := RecordsFor(World{}, 1); len(got.Calls) != 0 {
		t.Errorf("records of an empty world: %+v", got)
	}
}
