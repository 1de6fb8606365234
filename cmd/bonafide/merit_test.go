package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bonafide"
	"bonafide/internal/synth"

	"github.com/google/go-cmp/cmp"
)

// The command finds in a file what was planted there, and nothing else.
func TestMeritFindsWhatWasPlanted(t *testing.T) {
	for seed := range uint64(3) {
		w := synth.MakeRecords(synth.RecordsConfig{Seed: 100 + seed, Customers: 800, Days: 2})
		var body bytes.Buffer
		if err := w.WriteNDJSON(&body); err != nil {
			t.Fatal(err)
		}
		in := filepath.Join(t.TempDir(), "records.ndjson")
		out := filepath.Join(t.TempDir(), "found.json")
		if err := os.WriteFile(in, body.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if status := run([]string{"merit", in, "--as-of", w.AsOf.Format("2006-01-02T15:04:05Z07:00"), "--format", "json", "-o", out}, nil, os.Stdout, os.Stderr); status != exitOK {
			t.Fatalf("exit status %d", status)
		}
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		var res meritResult
		if err := json.Unmarshal(text, &res); err != nil {
			t.Fatal(err)
		}
		var got []synth.Planted
		for _, c := range res.Checked {
			for _, f := range c.Merit.Findings {
				slices.SortFunc(f.Rows, func(a, b bonafide.RowRef) int { return strings.Compare(a.ID, b.ID) })
				got = append(got, synth.Planted{Customer: c.Customer, Rule: f.Rule, Standing: f.Standing, Rows: f.Rows})
			}
		}
		slices.SortFunc(got, func(a, b synth.Planted) int {
			return strings.Compare(a.Customer+"\x00"+a.Rule, b.Customer+"\x00"+b.Rule)
		})
		if d := cmp.Diff(w.Planted, got); d != "" {
			t.Errorf("seed %d (-planted +found):\n%s", 100+seed, d)
		}
		if n := res.Read.Records["call"]; n != len(w.Calls) || res.Read.Customers != 800 {
			t.Errorf("seed %d: read %d calls of %d customers, want %d of 800", 100+seed, n, res.Read.Customers, len(w.Calls))
		}
	}
}
