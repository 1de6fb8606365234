// Package timing finds bursts and coordinated filing. Both are judged against
// the lender's own rhythm: a Monday, an outage or a fee change brings everybody
// at once, and says nothing about one hand.
package timing

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"bonafide"
)

// A Signal compares complaints by the minute in which they arrived. Complaints
// without a time of day meet nobody.
type Signal struct {
	// PerMinute is how many complaints the lender gets in one minute on
	// average; 0 counts as one a day.
	PerMinute float64
}

// Within is how close two complaints must be to count as filed together.
const Within = 10 * time.Minute

// Layer says that this is the timing layer.
func (s Signal) Layer() bonafide.Layer { return bonafide.LayerTiming }

// Extract files c under its slot of ten minutes and the next.
func (s Signal) Extract(_ context.Context, c *bonafide.Complaint) (bonafide.Trace, error) {
	t := bonafide.Trace{Complaint: c.ID, Layer: bonafide.LayerTiming, Body: c.Received}
	if hasTime(c.Received) {
		slot := bonafide.Key(c.Received.Unix() / int64(Within/time.Second))
		t.Keys = []bonafide.Key{slot, slot + 1}
	}
	return t, nil
}

// hasTime reports whether t names more than a day.
func hasTime(t time.Time) bool {
	h, m, s := t.UTC().Clock()
	return !t.IsZero() && (h != 0 || m != 0 || s != 0)
}

// Compare says whether two complaints arrived within minutes of each other, and
// how unlikely that is by chance.
func (s Signal) Compare(a, b bonafide.Trace) (bonafide.Link, bool) {
	l := bonafide.Link{A: min(a.Complaint, b.Complaint), B: max(a.Complaint, b.Complaint), Layer: bonafide.LayerTiming}
	ta, tb := a.Body.(time.Time), b.Body.(time.Time)
	apart := ta.Sub(tb).Abs()
	if !hasTime(ta) || !hasTime(tb) || apart > Within {
		return l, false
	}
	rate := s.PerMinute
	if rate <= 0 {
		rate = 1.0 / (24 * 60)
	}
	// Chance that some other complaint falls so close: Poisson over both sides.
	p := 1 - math.Exp(-2*rate*max(1, apart.Minutes()))
	l.Bits = -math.Log2(p)
	l.Why = []bonafide.Reason{{
		Family: bonafide.FamilyTime, Bits: l.Bits,
		Text: fmt.Sprintf("filed within %d minutes of each other", max(1, int(math.Ceil(apart.Minutes())))),
	}}
	return l, true
}

// A Rhythm is how many complaints the lender got on each day.
type Rhythm struct {
	days []int32 // sorted, one for each complaint with a date
}

// NewRhythm takes the day of each complaint, in days from any origin.
func NewRhythm(days []int32) *Rhythm {
	d := slices.Clone(days)
	slices.Sort(d)
	return &Rhythm{days: d}
}

// share is the part of all complaints that arrived from lo to hi, both included.
func (r *Rhythm) share(lo, hi int32) float64 {
	if len(r.days) == 0 {
		return 1
	}
	a, _ := slices.BinarySearch(r.days, lo)
	b, _ := slices.BinarySearch(r.days, hi+1)
	return float64(b-a) / float64(len(r.days))
}

// A Burst is a stretch of days in which more of a group arrived than the
// lender's rhythm explains.
type Burst struct {
	From, To int32   // days, both included
	Count    int     // of the group
	Expected float64 // of the group, were it spread like all complaints
	Chance   float64 // that so many or more fall into some such stretch
}

// windows are the lengths in days that are looked at.
var windows = []int32{1, 3, 7, 14, 30}

// improbable is the chance below which a stretch is a burst.
const improbable = 1e-4

// Burst returns the least likely stretch of a group's days, and whether it is a
// burst. A group of fewer than four never is one.
func (r *Rhythm) Burst(group []int32) (Burst, bool) {
	g := slices.Clone(group)
	slices.Sort(g)
	best := Burst{Chance: 1}
	n := len(g)
	if n < 4 || len(r.days) == 0 {
		return best, false
	}
	for _, w := range windows {
		for i := range g {
			j, _ := slices.BinarySearch(g, g[i]+w)
			count := j - i
			if count < 3 {
				continue
			}
			p := r.share(g[i], g[i]+w-1)
			// Bonferroni over the starts and lengths looked at.
			chance := min(1, tail(n, count, p)*float64(n*len(windows)))
			if chance < best.Chance {
				best = Burst{From: g[i], To: g[j-1], Count: count, Expected: float64(n) * p, Chance: chance}
			}
		}
	}
	return best, best.Chance < improbable
}

// tail is the chance that at least k of n fall where each falls with chance p
// (binomial).
func tail(n, k int, p float64) float64 {
	if p >= 1 {
		return 1
	}
	if p <= 0 {
		return 0
	}
	lg := func(x int) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
	var sum float64
	for i := k; i <= n; i++ {
		sum += math.Exp(lg(n) - lg(i) - lg(n-i) + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return min(1, sum)
}
