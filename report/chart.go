package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"bonafide"
)

// maxBuckets bounds how many bars a chart has, so that each can be seen.
const maxBuckets = 120

// A calendar cuts a span of time into at most maxBuckets equal steps.
type calendar struct {
	step   string // "day", "week", "month" or in words: "10 years"
	months int    // length of a step in months, or 0
	days   int    // length of a step in days, or 0
	first  int    // number of the first step
	n      int
}

// newCalendar returns the finest calendar from first to last.
func newCalendar(first, last time.Time) calendar {
	steps := []calendar{
		{step: "day", days: 1},
		{step: "week", days: 7},
		{step: "month", months: 1},
		{step: "quarter", months: 3},
		{step: "year", months: 12},
		{step: "10 years", months: 120},
		{step: "100 years", months: 1200},
	}
	for _, c := range steps {
		c.first = c.at(first)
		c.n = c.at(last) - c.first + 1
		if c.n >= 1 && c.n <= maxBuckets {
			return c
		}
	}
	return calendar{}
}

// at returns the number of the step that holds t. Weeks begin on Monday.
func (c calendar) at(t time.Time) int {
	t = t.UTC()
	if c.months > 0 {
		return floor(t.Year()*12+int(t.Month())-1, c.months)
	}
	days := int(floor64(t.Unix(), 86400))
	return floor(days+3, c.days) // 1 January 1970 was a Thursday
}

func floor(a, b int) int { return int(floor64(int64(a), int64(b))) }

func floor64(a, b int64) int64 {
	if a < 0 {
		return -((b - 1 - a) / b)
	}
	return a / b
}

// start returns the first day of the i-th step.
func (c calendar) start(i int) time.Time {
	k := c.first + i
	if c.months > 0 {
		return time.Date(0, time.Month(k*c.months+1), 1, 0, 0, 0, 0, time.UTC)
	}
	return time.Unix(int64(k*c.days-3)*86400, 0).UTC()
}

// name says which days the i-th step covers.
func (c calendar) name(i int) string {
	switch c.step {
	case "day":
		return day(c.start(i))
	case "week":
		return "week of " + day(c.start(i))
	case "month":
		return c.start(i).Format("January 2006")
	}
	return c.step + " from " + c.start(i).Format("January 2006")
}

// A chart is a row of bars on a calendar. Bars is an SVG path in a box of
// Width by 100 units, drawn without regard to its proportions.
type chart struct {
	ID, Title, Desc string
	Step            string
	Width           int
	Bars            string
	Most            int // height of the highest bar
	Ticks           []string
	Rows            []bar // what the chart shows, as a table
}

// A bar is one step of a chart.
type bar struct {
	When  string
	Count int
	All   int // of all complaints in the same step, in a ring's chart
}

// barUnits is the width of a bar with the gap after it.
const barUnits = 10

// draw makes the bars of counts.
func (c calendar) draw(counts []int) (path string, most int) {
	for _, n := range counts {
		most = max(most, n)
	}
	if most == 0 {
		return "", 0
	}
	var b strings.Builder
	for i, n := range counts {
		if n > 0 {
			h := max(2, (n*100+most/2)/most)
			fmt.Fprintf(&b, "M%d 100v-%dh%dv%dz", i*barUnits, h, barUnits-2, h)
		}
	}
	return b.String(), most
}

// ticks returns up to five dates, evenly spaced.
func (c calendar) ticks() []string {
	n := min(5, c.n)
	if n == 1 {
		return []string{day(c.start(0))}
	}
	out := make([]string, n)
	for i := range out {
		at := c.start(i * (c.n - 1) / (n - 1))
		if out[i] = day(at); c.months > 0 {
			out[i] = at.Format("Jan 2006")
		}
	}
	return out
}

// arrivals are all complaints on a calendar.
type arrivals struct {
	calendar
	counts      []int
	first, last time.Time
}

// newArrivals puts what arrived on the finest calendar that holds it. Days that
// are no dates are left out.
func newArrivals(days []bonafide.Arrivals) arrivals {
	type dated struct {
		at time.Time
		n  int
	}
	var all []dated
	var first, last time.Time
	for _, d := range days {
		at, err := time.Parse(time.DateOnly, d.Day)
		if err != nil || d.Count <= 0 {
			continue
		}
		if len(all) == 0 || at.Before(first) {
			first = at
		}
		if len(all) == 0 || at.After(last) {
			last = at
		}
		all = append(all, dated{at, d.Count})
	}
	if len(all) == 0 {
		return arrivals{}
	}
	a := arrivals{calendar: newCalendar(first, last), first: first, last: last}
	a.counts = make([]int, a.n)
	for _, d := range all {
		if i := a.at(d.at) - a.calendar.first; i >= 0 && i < a.n {
			a.counts[i] += d.n
		}
	}
	return a
}

// chart draws all arrivals, or returns nil where nothing is dated.
func (a arrivals) chart() *chart {
	c := a.base("arrivals", a.counts)
	if c == nil {
		return nil
	}
	at, total := 0, 0
	for i, n := range a.counts {
		total += n
		if n > a.counts[at] {
			at = i
		}
		c.Rows = append(c.Rows, bar{When: a.name(i), Count: n})
	}
	c.Title = "Complaints received per " + c.Step
	c.Desc = fmt.Sprintf("%s, %s. Most in one %s: %s, %s.",
		count(total, "dated complaint"), between(a.first, a.last), c.Step, number(c.Most), a.name(at))
	return c
}

// ring draws when the members came on the same calendar, or returns nil where that is not known.
func (a arrivals) ring(id string, received []time.Time) *chart {
	if a.n == 0 {
		return nil
	}
	counts := make([]int, a.n)
	dated := 0
	for _, t := range received {
		if t.IsZero() {
			continue
		}
		if i := a.at(t) - a.calendar.first; i >= 0 && i < a.n {
			counts[i]++
			dated++
		}
	}
	c := a.base(id, counts)
	if c == nil {
		return nil
	}
	at, steps := 0, 0
	for i, n := range counts {
		if n > counts[at] {
			at = i
		}
		if n > 0 {
			steps++
			c.Rows = append(c.Rows, bar{When: a.name(i), Count: n, All: a.counts[i]})
		}
	}
	c.Title = "Members received per " + c.Step
	same := fmt.Sprintf("%s of any kind came in the same %s", count(a.counts[at], "complaint"), c.Step)
	switch {
	case steps == 1:
		c.Desc = fmt.Sprintf("All came in one %s, %s; %s.", c.Step, a.name(at), same)
	case c.Most == 1:
		c.Desc = "No two came in the same " + c.Step + "."
	default:
		c.Desc = fmt.Sprintf("Most in one %s: %s of %s, %s; %s.", c.Step, number(c.Most), number(dated), a.name(at), same)
	}
	return c
}

func (a arrivals) base(id string, counts []int) *chart {
	if a.n == 0 {
		return nil
	}
	c := &chart{ID: id, Step: a.step, Width: max(a.n*barUnits-2, 1), Ticks: a.ticks()}
	if c.Bars, c.Most = a.draw(counts); c.Most == 0 {
		return nil
	}
	return c
}

// units writes a coordinate with at most one decimal.
func units(x float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(x, 'f', 1, 64), ".0")
}
