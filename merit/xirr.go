package merit

import (
	"fmt"
	"math"
	"slices"
	"time"

	"bonafide"
)

// A Flow is money on a day, in minor units: positive one way, negative the other.
type Flow struct {
	Day    bonafide.Day
	Amount int64
}

// span bounds ln(1 + r) in the search for a rate: rates of 10^304 are found, and
// 1 − 10^-304 of a loss.
const span = 700

// XIRR returns the yearly rate r, 0.36 for 36 %, at which flows are worth nothing:
//
//	Σ amountᵢ / (1 + r)^((dayᵢ − day₀) / 365) = 0
//
// as the function of that name of the spreadsheets has it, to 1e-9 (of r, where it is
// above 1). The order of flows does not matter.
//
// With x = ln(1 + r) the sum is Σ amountᵢ · e^(−x·tᵢ), which has at most as many roots as
// the amounts, by day, change their sign (Descartes' rule for such sums). One change
// makes one rate. Where there are more, the roots are searched on a grid, and flows that
// several rates fit have none: the error, of kind Invalid as all of XIRR's, says so.
func XIRR(flows []Flow) (float64, error) {
	s, err := newSum(flows)
	if err != nil {
		return 0, err
	}
	brackets := [][2]float64{{-span, span}}
	if s.changes() > 1 {
		brackets = s.brackets()
	} else if s.positive(-span) == s.positive(span) {
		brackets = nil
	}
	switch {
	case len(brackets) == 0:
		return 0, noRate("no rate above −100 %% makes these payments worth nothing")
	case len(brackets) > 1:
		return 0, noRate("at least %d rates fit these payments, which go back and forth: none of them is the cost", len(brackets))
	}
	r := math.Expm1(s.root(brackets[0][0], brackets[0][1]))
	if r <= -1 || math.IsInf(r, 0) || math.IsNaN(r) {
		return 0, noRate("no rate above −100 %% makes these payments worth nothing")
	}
	return r, nil
}

func noRate(format string, args ...any) error {
	return &bonafide.Error{Kind: bonafide.Invalid, Msg: "yearly rate: " + fmt.Sprintf(format, args...)}
}

// sum is Σ amount · e^(−x·t), with one term a day, none of them nothing, by day.
type sum struct {
	amount []float64
	t      []float64 // years of 365 days since the first
}

func newSum(flows []Flow) (*sum, error) {
	type term struct {
		day    int
		amount float64
	}
	terms := make([]term, 0, len(flows))
	for _, f := range flows {
		d, ok := dayNumber(f.Day)
		if !ok {
			return nil, noRate("a day that is none from 1990 to 2100: write it as 2024-05-31")
		}
		terms = append(terms, term{d, float64(f.Amount)})
	}
	// By amount too: the order in which amounts of one day are added must not depend
	// on that of flows.
	slices.SortFunc(terms, func(a, b term) int {
		if a.day != b.day {
			return a.day - b.day
		}
		switch {
		case a.amount < b.amount:
			return -1
		case a.amount > b.amount:
			return 1
		}
		return 0
	})
	var s sum
	first := 0
	for i := 0; i < len(terms); {
		day, amount := terms[i].day, 0.0
		for ; i < len(terms) && terms[i].day == day; i++ {
			amount += terms[i].amount
		}
		if amount == 0 {
			continue
		}
		if len(s.t) == 0 {
			first = day
		}
		s.t = append(s.t, float64(day-first)/365)
		s.amount = append(s.amount, amount)
	}
	switch {
	case len(s.t) < 2:
		return nil, noRate("needs money on two days at least")
	case s.changes() == 0:
		return nil, noRate("money goes one way only: it needs some that is received and some that is paid")
	}
	return &s, nil
}

// changes counts how often the amounts change their sign.
func (s *sum) changes() int {
	n := 0
	for i := 1; i < len(s.amount); i++ {
		if (s.amount[i] > 0) != (s.amount[i-1] > 0) {
			n++
		}
	}
	return n
}

// at returns the sum at x and its slope, both times a positive number by which no term
// is more than its amount: powers of high rates over many years would overflow.
func (s *sum) at(x float64) (value, slope float64) {
	from := 0.0
	if x < 0 {
		from = s.t[len(s.t)-1]
	}
	for i, a := range s.amount {
		t := s.t[i] - from
		v := a * math.Exp(-x*t)
		value += v
		slope -= t * v
	}
	return value, slope
}

func (s *sum) positive(x float64) bool {
	v, _ := s.at(x)
	return v > 0
}

// grid is how many steps the search for several rates takes. They lie closest around
// no interest, where 1 % of rate is several steps.
const grid = 2000

// brackets returns intervals that hold one root each, or an uneven number of them.
// Roots that lie closer together than a step are taken for one, or for none.
func (s *sum) brackets() [][2]float64 {
	// Beyond these the first amount, or the last, outweighs all others together.
	n := len(s.t)
	var all float64
	for _, a := range s.amount {
		all += math.Abs(a)
	}
	hi := min(math.Log(all/math.Abs(s.amount[0]))/s.t[1]+1, span)
	lo := max(-math.Log(all/math.Abs(s.amount[n-1]))/(s.t[n-1]-s.t[n-2])-1, -span)
	const dense = 100
	from, to := math.Asinh(lo*dense), math.Asinh(hi*dense)
	var out [][2]float64
	last, known := 0.0, false // the last point that was no root
	up, open := false, false
	for i := range grid + 1 {
		x := math.Sinh(from+(to-from)*float64(i)/grid) / dense
		v, _ := s.at(x)
		if v == 0 {
			if !open {
				out, open = append(out, [2]float64{x, x}), true
			}
			continue
		}
		if known && !open && (v > 0) != up {
			out = append(out, [2]float64{last, x})
		}
		last, known, up, open = x, true, v > 0, false
	}
	return out
}

// root returns the root between lo and hi: by Newton's steps where they stay within what
// is known and are at most half as long as the step before last, and by bisection where
// they are not, so that it ends.
func (s *sum) root(lo, hi float64) float64 {
	if lo == hi {
		return lo
	}
	up := s.positive(hi)
	x := 0.1 // a usual loan
	if x <= lo || x >= hi {
		x = lo + (hi-lo)/2
	}
	before, step := hi-lo, hi-lo
	for range 4000 {
		v, slope := s.at(x)
		if v == 0 {
			return x
		}
		if (v > 0) == up {
			hi = x
		} else {
			lo = x
		}
		next := x - v/slope
		if !(next > lo && next < hi) || math.Abs(next-x) > before/2 { // NaN is not within either
			next = lo + (hi-lo)/2
		}
		before, step = step, math.Abs(next-x)
		if x = next; step <= 1e-14*(1+math.Abs(x)) {
			break
		}
	}
	return x
}

// dayNumber counts the days since 1970.
func dayNumber(d bonafide.Day) (int, bool) {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil || t.Year() < 1990 || t.Year() > 2100 {
		return 0, false
	}
	return int(t.Unix() / 86400), true
}
