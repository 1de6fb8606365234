package ring

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTrackGivesLastingIDs(t *testing.T) {
	before := []Lasting{
		{ID: "r1", Members: []string{"a", "b", "c", "d", "e"}},
		{ID: "r2", Members: []string{"k", "l", "m"}},
		{ID: "r3", Members: []string{"x", "y"}},
		{ID: "r4", Members: []string{"p", "q"}},
	}
	found := [][]string{
		{"a", "b", "f"},           // most of what is left of r1
		{"c", "d", "e"},           // and more of it
		{"k", "l", "m", "x", "y"}, // r2 took r3 in
		{"s", "t"},                // new
	}
	got := Track(before, found)
	want := []Step{
		{Fate: SplitOff, Found: 0, Other: "r1", Into: -1, Added: []string{"a", "b", "f"}},
		{Fate: Shrunk, ID: "r1", Found: 1, Into: -1, Removed: []string{"a", "b"}},
		{Fate: Grown, ID: "r2", Found: 2, Into: -1, Added: []string{"x", "y"}},
		{Fate: Formed, Found: 3, Into: -1, Added: []string{"s", "t"}},
		{Fate: Merged, ID: "r3", Found: -1, Into: 2, Removed: []string{"x", "y"}},
		{Fate: Dissolved, ID: "r4", Found: -1, Into: -1, Removed: []string{"p", "q"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestTrackKeepsAConfirmedRingsID(t *testing.T) {
	before := []Lasting{
		{ID: "big", Members: []string{"a", "b", "c", "d"}},
		{ID: "sure", Members: []string{"x", "y"}, Firm: true},
	}
	got := Track(before, [][]string{{"a", "b", "c", "d", "x", "y"}})
	if got[0].ID != "sure" || got[0].Fate != Grown {
		t.Errorf("%+v: the confirmed ring must keep its id", got[0])
	}
	if got[1].ID != "big" || got[1].Fate != Merged || got[1].Into != 0 {
		t.Errorf("%+v: the other must be merged into it", got[1])
	}
}
