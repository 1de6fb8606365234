package merit_test

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"bonafide"
	"bonafide/internal/synth"
	"bonafide/merit"

	godiff "github.com/google/go-cmp/cmp"
)

// byCustomer sorts a lender's records.
func byCustomer(w synth.RecordsWorld) map[string]*merit.Records {
	out := map[string]*merit.Records{}
	of := func(ref string) *merit.Records {
		if out[ref] == nil {
			out[ref] = &merit.Records{}
		}
		return out[ref]
	}
	for i := range w.Calls {
		r := of(w.Calls[i].CustomerRef)
		r.Calls = append(r.Calls, w.Calls[i])
	}
	for i := range w.Contracts {
		r := of(w.Contracts[i].CustomerRef)
		r.Contracts = append(r.Contracts, w.Contracts[i])
	}
	for i := range w.ThirdParties {
		r := of(w.ThirdParties[i].CustomerRef)
		r.ThirdParties = append(r.ThirdParties, w.ThirdParties[i])
	}
	for i := range w.Objections {
		r := of(w.Objections[i].CustomerRef)
		r.Objections = append(r.Objections, w.Objections[i])
	}
	for i := range w.Failures {
		r := of(w.Failures[i].CustomerRef)
		r.Failures = append(r.Failures, w.Failures[i])
	}
	return out
}

func pack(t testing.TB, id string) *merit.Pack {
	t.Helper()
	p, err := merit.Load(id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// found returns what Check finds of one customer, as the truth has it.
func found(ref string, m bonafide.Merit) []synth.Planted {
	var out []synth.Planted
	for _, f := range m.Findings {
		rows := slices.Clone(f.Rows)
		if n := len(out); n > 0 && out[n-1].Rule == f.Rule && out[n-1].Standing == f.Standing {
			out[n-1].Rows = append(out[n-1].Rows, rows...)
			continue
		}
		out = append(out, synth.Planted{Customer: ref, Rule: f.Rule, Standing: f.Standing, Rows: rows})
	}
	for _, p := range out {
		slices.SortFunc(p.Rows, func(a, b bonafide.RowRef) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) })
	}
	slices.SortFunc(out, func(a, b synth.Planted) int { return cmp.Compare(a.Rule, b.Rule) })
	return out
}

// What was planted is found, and nothing else: customers, rules, standings and rows.
func TestCheckFindsWhatWasPlantedAndNothingElse(t *testing.T) {
	p := pack(t, "cn")
	customers, calls, breaches := 0, 0, 0
	near := map[string]int{}
	rules := map[string]int{}
	for seed := range uint64(8) {
		days := []int{1, 1, 3, 7}[seed%4]
		w := synth.MakeRecords(synth.RecordsConfig{Seed: seed + 1, Customers: 4000 / days, Days: days})
		var got []synth.Planted
		records := byCustomer(w)
		for ref, r := range records {
			got = append(got, found(ref, p.Check(time.Time{}, *r, w.AsOf, nil))...)
		}
		slices.SortFunc(got, func(a, b synth.Planted) int {
			return cmp.Or(cmp.Compare(a.Customer, b.Customer), cmp.Compare(a.Rule, b.Rule))
		})
		if d := godiff.Diff(w.Planted, got); d != "" {
			t.Fatalf("seed %d (-planted +found):\n%s", seed+1, d)
		}
		customers, calls, breaches = customers+len(records), calls+len(w.Calls), breaches+len(got)
		for what, n := range w.Near {
			near[what] += n
		}
		for _, g := range got {
			rules[g.Rule]++
		}
	}
	for _, r := range p.Rules() {
		if rules[r.ID] == 0 {
			t.Errorf("no breach of %s was planted", r.ID)
		}
	}
	t.Logf("%d customers, %d calls: %d breaches, all found and no other: %v; beside %d kinds of near misses: %v", customers, calls, breaches, rules, len(near), near)
}
