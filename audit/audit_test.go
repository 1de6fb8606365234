package audit

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"bonafide"
)

func TestFromIDNumber(t *testing.T) {
	at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct{ id, age, sex string }{
		{"110101199003070011", "30-39", "male"},
		{"110101199003070022", "30-39", "female"},
		{"110101195611230013", "60-69", "male"},
		{"110101195611220013", "70+", "male"},
		{"110101201003070011", "0-17", "male"},
		{"110101199013070011", "", ""},
		{"12345", "", ""},
		{"11010120300307001X", "", ""},
		{"1101011990030700XX", "", ""},
	} {
		if age, sex := FromIDNumber(c.id, at); age != c.age || sex != c.sex {
			t.Errorf("%s: %q, %q, want %q, %q", c.id, age, sex, c.age, c.sex)
		}
	}
}

// Every complaint is equally likely to be drawn.
func TestDrawIsFair(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	all := []string{"a", "b", "c", "d", "e"}
	got := map[string]int{}
	for range 20_000 {
		some, err := Draw(all, 2, func(n int) (int, error) { return r.IntN(n), nil })
		if err != nil || len(some) != 2 || some[0] == some[1] {
			t.Fatal(some, err)
		}
		for _, s := range some {
			got[s]++
		}
	}
	for _, s := range all {
		if got[s] < 7700 || got[s] > 8300 {
			t.Errorf("%s was drawn %d times, want about 8000", s, got[s])
		}
	}
	if some, err := Draw(all, 9, func(n int) (int, error) { return r.IntN(n), nil }); err != nil || len(some) != 5 {
		t.Errorf("more than there are: %v, %v", some, err)
	}
}

// The interval holds the true rate in about 95 of 100 samples.
func TestWilsonCovers(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, p := range []float64{0.02, 0.2, 0.5, 0.9} {
		in := 0
		for range 4000 {
			k := 0
			for range 60 {
				if r.Float64() < p {
					k++
				}
			}
			if low, high := Wilson(k, 60); low <= p && p <= high {
				in++
			}
		}
		if share := float64(in) / 4000; share < 0.92 {
			t.Errorf("at %v the interval holds the rate in %.3f of samples", p, share)
		}
	}
	if low, high := Wilson(0, 0); low != 0 || high != 1 {
		t.Errorf("of nothing: %v to %v", low, high)
	}
}

func cases(n int, region string, j Judgement, detectors ...string) []Case {
	var out []Case
	for i := range n {
		out = append(out, Case{ID: fmt.Sprint(region, j, i), Level: bonafide.Level2, Groups: Groups{Region: region, Sex: "female"}, Judgement: j, Detectors: detectors})
	}
	return out
}

func TestMeasure(t *testing.T) {
	var all []Case
	all = append(all, cases(38, "north", Organised, "phone")...)
	all = append(all, cases(2, "north", Genuine, "phone")...)
	all = append(all, cases(12, "south", Organised, "ip")...)
	all = append(all, cases(18, "south", Genuine, "ip")...)
	all = append(all, cases(3, "west", Genuine, "email")...)
	all = append(all, Case{Level: bonafide.Information, Judgement: Organised}, Case{Judgement: Genuine}, Case{Judgement: Unclear, Level: bonafide.Level2}, Case{})
	f := Measure(all)
	if f.FalseFlags.Of != 23 || f.FalseFlags.Among != 73 || f.Missed.Of != 1 || f.Missed.Among != 2 || f.Judged != 76 || f.Open != 1 || f.Unclear != 1 {
		t.Errorf("figures: %+v", f)
	}
	if f.FalseFlags.Low > f.FalseFlags.Share() || f.FalseFlags.High < f.FalseFlags.Share() || math.IsNaN(f.FalseFlags.Low) {
		t.Errorf("interval: %+v", f.FalseFlags)
	}
	byName := map[string]Group{}
	for _, g := range f.Groups {
		byName[g.Name] = g
	}
	if !byName["south"].Differs || !byName["north"].Differs || byName["female"].Differs {
		t.Errorf("disparity: %+v", f.Groups)
	}
	if _, shown := byName["west"]; shown {
		t.Error("a group of three people is shown")
	}
	below := f.Below(Floor)
	if len(below) != 1 || below[0].Name != "ip" {
		t.Errorf("below the floor: %+v", below)
	}
	if got := f.Below(0.3); slices.ContainsFunc(got, func(d Detector) bool { return d.Name == "ip" }) {
		t.Errorf("below a lower floor: %+v", got)
	}
}

func TestWilson(t *testing.T) {
	for _, row := range []struct {
		k, n      int
		low, high float64
	}{
		{0, 0, 0, 1}, {0, 10, 0, 0.2775}, {5, 10, 0.2366, 0.7634}, {10, 10, 0.7225, 1}, {20, 4000, 0.00324, 0.00771},
	} {
		low, high := Wilson(row.k, row.n)
		if math.Abs(low-row.low) > 1e-4 || math.Abs(high-row.high) > 1e-4 {
			t.Errorf("Wilson(%d, %d): got %.5f to %.5f, want %.5f to %.5f", row.k, row.n, low, high, row.low, row.high)
		}
	}
}
