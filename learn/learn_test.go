package learn

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"bonafide"
)

// The promise is kept in at least 95 of 100 histories, whatever the people are like, and
// costs recall that is shown beside an uncontrolled threshold.
func TestPromiseIsKept(t *testing.T) {
	for _, c := range []struct {
		name   string
		people Population
		groups int
		alpha  float64
	}{
		{"usual", Population{Share: 0.6, Hard: 0.3}, 400, 0.05},
	} {
		s := Simulate(c.people, 200, c.groups, Options{Alpha: c.alpha, Seed: 7})
		t.Logf("%s: kept in %d of %d (refused %d); falsely %.4f, at worst %.4f; recall %.3f; uncontrolled: kept in %d, falsely %.3f, recall %.3f",
			c.name, s.Kept, s.Histories, s.Refused, s.False, s.Worst, s.Recall, s.PlainKept, s.PlainFalse, s.PlainRecall)
		if s.Refused > 0 || float64(s.Kept) < 0.95*float64(s.Histories) {
			t.Errorf("%s: kept in %d of %d histories, refused in %d", c.name, s.Kept, s.Histories, s.Refused)
		}
		if c.people.Hard < 0.5 && s.Recall < 0.2 {
			t.Errorf("%s: recall %.3f", c.name, s.Recall)
		}
	}
}

func TestTooFewLabels(t *testing.T) {
	people := Population{Share: 0.5, Hard: 0.3}
	for _, groups := range []int{0, 4, 60, 150} {
		_, err := Fit(Names, people.draw(rand.New(rand.NewPCG(1, 2)), groups), Options{})
		var m *Missing
		if !errors.As(err, &m) || !errors.Is(err, bonafide.Conflict) || m.Innocent <= 0 {
			t.Errorf("%d groups: %v", groups, err)
		}
	}
	if n := Needed(0.05, 0.95); n != 59 {
		t.Errorf("needed for 5 %%: %d, want 59 (Wilks 1941)", n)
	}
	if n := Needed(0.01, 0.95); n != 299 {
		t.Errorf("needed for 1 %%: %d, want 299", n)
	}
}

// Who says that so many are missing is right: with so many more it learns.
func TestMissingIsEnough(t *testing.T) {
	people := Population{Share: 0.5, Hard: 0.3}
	r := rand.New(rand.NewPCG(5, 6))
	ex := people.draw(r, 80)
	_, err := Fit(Names, ex, Options{})
	var m *Missing
	if !errors.As(err, &m) {
		t.Fatal(err)
	}
	for i := range m.Innocent {
		ex = append(ex, people.group(r, fmt.Sprint("more", i), false)...)
	}
	for i := range m.Organised {
		ex = append(ex, people.group(r, fmt.Sprint("worse", i), true)...)
	}
	if _, err := Fit(Names, ex, Options{}); err != nil {
		t.Error(err)
	}
}

func TestThreshold(t *testing.T) {
	scores := make([]float64, 59)
	for i := range scores {
		scores[i] = float64(i) / 100
	}
	if got := Threshold(scores, 0.05, 0.95); got != 0.58 {
		t.Errorf("of 59: %v, want the highest", got)
	}
	if got := Threshold(scores[:58], 0.05, 0.95); got != 1 {
		t.Errorf("of 58: %v, want nobody accused", got)
	}
	scores = make([]float64, 100)
	for i := range scores {
		scores[i] = float64(i)
	}
	// P(Bin(100, 0.05) ≤ 1) = 0.037, ≤ 2 = 0.118: one may stand above.
	if got := Threshold(scores, 0.05, 0.95); got != 98 {
		t.Errorf("of 100: %v, want the second highest", got)
	}
}

// Weights agree with a regression worked out by gradient descent.
func TestRegressFindsTheMinimum(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	var x [][]float64
	var ex []Example
	for i := range 300 {
		a, b := r.NormFloat64(), r.NormFloat64()
		x = append(x, []float64{a, b})
		ex = append(ex, Example{Organised: r.Float64() < sigmoid(1.5*a-b+0.3), Group: fmt.Sprint(i)})
	}
	w, bias := regress(x, ex, 1)
	theta := []float64{0, 0, 0}
	for range 20_000 {
		g := []float64{theta[0], theta[1], 0}
		for i, e := range ex {
			p := sigmoid(theta[0]*x[i][0] + theta[1]*x[i][1] + theta[2])
			if e.Organised {
				p--
			}
			g[0] += p * x[i][0]
			g[1] += p * x[i][1]
			g[2] += p
		}
		for j := range theta {
			theta[j] -= 0.005 * g[j]
		}
	}
	if math.Abs(w[0]-theta[0])+math.Abs(w[1]-theta[1])+math.Abs(bias-theta[2]) > 1e-4 {
		t.Errorf("weights %v, %v, want %v", w, bias, theta)
	}
}

// A probability of 0.7 means that 7 of 10 are organised.
func TestProbabilitiesAreCalibrated(t *testing.T) {
	people := Population{Share: 0.5, Hard: 0.5}
	m, err := Fit(Names, people.draw(rand.New(rand.NewPCG(3, 4)), 1500), Options{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	var sum, yes, n [5]float64
	for _, e := range people.draw(rand.New(rand.NewPCG(8, 8)), 6000) {
		p := m.Probability(e.X)
		k := min(4, int(p*5))
		sum[k] += p
		n[k]++
		if e.Organised {
			yes[k]++
		}
	}
	for k := range n {
		if n[k] > 200 && math.Abs(sum[k]/n[k]-yes[k]/n[k]) > 0.08 {
			t.Errorf("said %.2f, was %.2f", sum[k]/n[k], yes[k]/n[k])
		}
	}
}

// Learned weights hold back and never raise.
func TestHoldNeverRaises(t *testing.T) {
	people := Population{Share: 0.5, Hard: 0.3}
	m, err := Fit(Names, people.draw(rand.New(rand.NewPCG(3, 4)), 600), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []bonafide.Level{bonafide.LevelNone, bonafide.Information, bonafide.Individual, bonafide.Level2, bonafide.Level1} {
		for _, threshold := range []float64{0, 0.5, 1} {
			m.Threshold = threshold
			v := bonafide.Verdict{ID: "a", Level: l, Families: bonafide.Families}
			r := bonafide.Ring{Members: []string{"a", "b"}, Score: 1, Shared: []bonafide.SharedThing{{Kind: "phone", Members: []string{"a", "b"}}}}
			m.Hold(&v, r)
			if v.Level.Rank() > l.Rank() {
				t.Errorf("%s became %s", l, v.Level)
			}
			if threshold == 1 && v.Level.Accuses() {
				t.Errorf("%s stands though nothing can be promised", l)
			}
		}
	}
}
