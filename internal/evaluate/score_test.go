package evaluate

import (
	"strings"
	"testing"

	"bonafide"
	"bonafide/internal/synth"
)

// small is a truth with one ring of three provable, one text-only and one
// routed member, another ring of two, and two innocents.
var small = synth.Truth{Rows: []synth.Row{
	{ID: "a1", Group: "agent:small", Agent: true, Ring: "R1", Provable: true},
	{ID: "a2", Group: "agent:small", Agent: true, Ring: "R1", Provable: true},
	{ID: "a3", Group: "agent:small", Agent: true, Ring: "R1", Provable: true},
	{ID: "a4", Group: "agent:small", Agent: true, Ring: "R1", TextOnly: true},
	{ID: "a5", Group: "agent:small", Agent: true, Ring: "R1", Provable: true, Routed: true},
	{ID: "b1", Group: "agent:chains", Agent: true, Ring: "R2", Provable: true},
	{ID: "b2", Group: "agent:chains", Agent: true, Ring: "R2", Provable: true},
	{ID: "i1", Group: "innocent:plain"},
	{ID: "i2", Group: "innocent:law-firm", Routed: true},
}}

func accusing(ids ...string) map[string]bonafide.Level {
	levels := map[string]bonafide.Level{}
	for _, id := range ids {
		levels[id] = bonafide.Level2
	}
	return levels
}

func TestScoreCountsEachSideOnItsOwn(t *testing.T) {
	levels := accusing("a1", "a2", "a4", "a5", "i2")
	levels["i1"] = bonafide.Information
	levels["b1"] = bonafide.Individual // accuses, but is below level 2
	s := Score(small, Prediction{Levels: levels})
	for _, row := range []struct {
		name      string
		got, want int
	}{
		{"innocent", s.Innocent, 2},
		{"falsely accused", s.FalselyAccused, 1},
		{"routed clients", s.RoutedClients, 1},
		{"routed accused", s.RoutedAccused, 1},
		{"provable", s.Provable, 5},
		{"provable found", s.ProvableFound, 2},
		{"text only", s.TextOnly, 1},
		{"text only accused", s.TextOnlyAccused, 1},
	} {
		if row.got != row.want {
			t.Errorf("%s: got %d, want %d", row.name, row.got, row.want)
		}
	}
}

func TestPairsLeaveRoutedOut(t *testing.T) {
	for _, row := range []struct {
		name  string
		rings [][]string
		want  PairCounts
	}{
		{"perfect", [][]string{{"a1", "a2", "a3", "a4"}, {"b1", "b2"}}, PairCounts{Predicted: 7, PredictedTrue: 7, Provable: 4, ProvableFound: 4, All: 7, AllFound: 7}},
		{"routed members change nothing", [][]string{{"a1", "a2", "a5", "i2"}}, PairCounts{Predicted: 1, PredictedTrue: 1, Provable: 4, ProvableFound: 1, All: 7, AllFound: 1}},
		{"two rings merged", [][]string{{"a1", "b1"}}, PairCounts{Predicted: 1, Provable: 4, All: 7}},
		{"an innocent drawn in", [][]string{{"a1", "a2", "i1"}}, PairCounts{Predicted: 3, PredictedTrue: 1, Provable: 4, ProvableFound: 1, All: 7, AllFound: 1}},
		{"a pair counts once", [][]string{{"a1", "a2"}, {"a2", "a1"}}, PairCounts{Predicted: 1, PredictedTrue: 1, Provable: 4, ProvableFound: 1, All: 7, AllFound: 1}},
		{"two innocents are no true pair", [][]string{{"i1", "zzz"}}, PairCounts{Provable: 4, All: 7}},
	} {
		if got := Score(small, Prediction{Rings: row.rings}).Pairs; got != row.want {
			t.Errorf("%s: got %+v, want %+v", row.name, got, row.want)
		}
	}
}

func TestSumPoolsAndKeepsWorlds(t *testing.T) {
	good := Score(small, Prediction{Levels: accusing("a1", "a2", "a3", "b1", "b2"), Rings: [][]string{{"a1", "a2", "a3"}, {"b1", "b2"}}})
	bad := Score(small, Prediction{Levels: accusing("i1")})
	s := Sum([]Scores{good, bad})
	if s.Provable != 10 || s.ProvableFound != 5 || s.Recall != 0.5 || s.FalseRate != 0.25 {
		t.Errorf("got %d of %d provable, recall %v, false rate %v", s.ProvableFound, s.Provable, s.Recall, s.FalseRate)
	}
	least, median, greatest := s.Spread(func(w WorldScore) float64 { return w.Recall })
	if least != 0 || median != 0.5 || greatest != 1 {
		t.Errorf("spread of recall: got %v, %v, %v", least, median, greatest)
	}
	var b strings.Builder
	if err := s.Write(&b, "two worlds"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"two worlds (2 world(s))", "innocents accused", "agent:small", "innocent:law-firm"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("table lacks %q:\n%s", want, b.String())
		}
	}
}
