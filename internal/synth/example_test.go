package synth

import (
	"bytes"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "renew examples/complaints.csv")

//go:generate go test -run TestExampleFileIsCurrent -update .

// exampleConfig makes the file that a newcomer tries first: a few rings, and
// innocents of most kinds.
var exampleConfig = Config{Seed: 20, Size: 400, Lang: "en", Style: Dev, Ease: 0.35, AgentShare: 0.16}

const exampleFile = "../../examples/complaints.csv"

func TestExampleFileIsCurrent(t *testing.T) {
	w := New(exampleConfig)
	count := map[string]int{}
	rings := map[string]bool{}
	for i, row := range w.Truth.Rows {
		count[row.Group]++
		if row.Agent {
			rings[row.Ring] = true
		}
		if w.Complaints[i].Customer.Vulnerable != "" {
			count["vulnerable"]++
		}
	}
	for _, group := range []string{"innocent:household", "innocent:law-firm", "innocent:viral-post", "vulnerable"} {
		if count[group] == 0 {
			t.Errorf("the example shows no %s", group)
		}
	}
	if len(rings) < 3 {
		t.Errorf("the example has %d rings, want a few", len(rings))
	}
	t.Logf("%d rings; %v", len(rings), count)
	var want bytes.Buffer
	if err := WriteCSV(&want, w.Complaints); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(exampleFile, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("examples/complaints.csv is out of date: run go generate ./internal/synth")
	}
}
