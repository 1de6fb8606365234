package merit

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"bonafide"
)

// A Substantiated is a complaint with what the lender's records show of it. Findings
// that only indicate a breach may stand among them and are left out.
type Substantiated struct {
	Complaint string
	Customer  uint64 // equal for complaints by one customer
	Received  time.Time
	Findings  []bonafide.Finding
}

// IncidentOptions say what to take for an incident, and what is known of the days
// besides the complaints that are substantiated. Zero fields mean the defaults.
type IncidentOptions struct {
	Window         time.Duration // an incident's burst is at most so long; default and most 14 days
	LeastCustomers int           // different customers in it; default 8
	Chance         float64       // of so many in the usual rhythm must be below it; default 1e-6
	Times          float64       // and they must be so many times the usual; default 3

	// From and To are when the tenant's records of complaints begin and end. Left out,
	// they are the first and last complaint given, or day of PerDay.
	From, To time.Time
	// PerDay counts all complaints of a day in UTC, whatever was found of them. Many
	// complaints at once, by a campaign or after news, bring many ordinary breaches to
	// light: by PerDay they are told from a breach of those days. Without it only
	// disturbances that the lender has named are found.
	PerDay map[bonafide.Day]int
}

const (
	day = 24 * time.Hour

	// leastExpected is how many customers a rule without any history is taken to
	// bring in a window of 14 days.
	leastExpected = 0.5
	// reach is how long a rule's rhythm must be known besides a window. Only a
	// disturbance that the lender has named needs none: nobody complains of it in
	// ordinary times.
	reach = 14 * day
)

// burstDays are the lengths of windows that are tried.
var burstDays = []int{1, 2, 3, 5, 7, 10, 14}

// topic is what one incident can be about: a rule, and where findings of it can have
// several causes, which.
type topic struct{ rule, cause string }

// Cause returns what a finding of a rule with several possible causes is due to: the
// lender's name of a disturbance, the kind of a fee. "" for other rules.
func Cause(f bonafide.Finding) string { return about(&f).cause }

// Slim returns what finding incidents needs of a finding, without figures of one customer.
func Slim(f bonafide.Finding) bonafide.Finding {
	out := bonafide.Finding{Rule: f.Rule, Standing: f.Standing, From: f.From, To: f.To, Count: f.Count}
	switch cause := Cause(f); f.Rule {
	case FailedOperation:
		out.Facts = []string{"", "", cause}
	case FeeOutsideContract:
		out.Facts = []string{cause}
	}
	return out
}

// about returns the topic of a finding.
func about(f *bonafide.Finding) topic {
	switch {
	case f.Rule == FailedOperation && len(f.Facts) > 2:
		return topic{f.Rule, f.Facts[2]}
	case f.Rule == FeeOutsideContract && len(f.Facts) > 0:
		return topic{f.Rule, f.Facts[0]}
	}
	return topic{f.Rule, ""}
}

// named reports whether a topic is a disturbance that the lender's log names.
func (t topic) named() bool { return t.rule == FailedOperation && t.cause != "" }

// event is one complaint about a topic.
type event struct {
	complaint  string
	customer   uint64
	at         time.Time
	began, end time.Time // of the breaches
}

// Incidents returns the breaches that many customers complain of at once, by when the
// complaints begin. They are told before anything is said about the complaints of their
// days.
//
// For each topic — a rule; of failed operations each disturbance, of fees each kind — a
// complaint counts if its substantiated breaches began and ended within Window before
// it: what troubled the customer for a year is no incident. A window of 1 to 14 days is
// an incident if LeastCustomers different customers complained in it, Times as many as
// the topic usually brings, and by chance (Poisson) that many would come with less than
// Chance. What is usual is learnt from the rest of the history, by the day and by the
// complaint: the larger of both. It must be 14 days long at least, and PerDay be known,
// but for a disturbance that the lender's log names, of which nobody complains in
// ordinary times. The window least likely by chance is taken first; complaints close
// before and after it that are about breaches of the same days are added, and the rest
// is looked at again.
//
// The result depends on nothing but what is given, in any order. An incident keeps its
// ID while later complaints join it.
func Incidents(found []Substantiated, o IncidentOptions) []bonafide.Incident {
	if o.Window <= 0 || o.Window > 14*day {
		o.Window = 14 * day
	}
	if o.LeastCustomers <= 0 {
		o.LeastCustomers = 8
	}
	if o.Chance <= 0 {
		o.Chance = 1e-6
	}
	if o.Times <= 0 {
		o.Times = 3
	}
	span := func(from, to time.Time) {
		if o.From.IsZero() || from.Before(o.From) {
			o.From = from
		}
		if o.To.IsZero() || to.After(o.To) {
			o.To = to
		}
	}
	for d := range o.PerDay {
		if n, ok := dayNumber(d); ok {
			at := time.Unix(int64(n)*86400, 0).UTC()
			span(at, at.Add(day))
		}
	}
	topics := map[topic][]event{}
	for i := range found {
		s := &found[i]
		span(s.Received, s.Received)
		mine := map[topic]event{}
		for j := range s.Findings {
			f := &s.Findings[j]
			if f.Standing != bonafide.Substantiated {
				continue
			}
			t := about(f)
			e, known := mine[t]
			if !known {
				e = event{s.Complaint, s.Customer, s.Received, f.From, f.To}
			}
			if f.From.Before(e.began) {
				e.began = f.From
			}
			if f.To.After(e.end) {
				e.end = f.To
			}
			mine[t] = e
		}
		for t, e := range mine {
			if !e.began.Before(s.Received.Add(-o.Window)) && !e.end.After(s.Received.Add(day)) {
				topics[t] = append(topics[t], e)
			}
		}
	}
	h := newHistory(o)
	var out []bonafide.Incident
	for t, events := range topics {
		slices.SortFunc(events, func(a, b event) int {
			return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.complaint, b.complaint))
		})
		for len(events) >= o.LeastCustomers {
			w, ok := h.best(t, events)
			if !ok {
				break
			}
			i, rest := h.take(t, events, w)
			out, events = append(out, i), rest
		}
	}
	slices.SortFunc(out, func(a, b bonafide.Incident) int {
		return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// history is what is known of the tenant's days.
type history struct {
	IncidentOptions
	days   float64 // from From to To
	all    int     // complaints of PerDay
	before []int   // complaints of PerDay before each day from the first on
	first  int     // that day
}

func newHistory(o IncidentOptions) *history {
	h := &history{IncidentOptions: o, days: o.To.Sub(o.From).Hours() / 24}
	var days []int
	for d := range o.PerDay {
		if n, ok := dayNumber(d); ok {
			days = append(days, n)
		}
	}
	if len(days) == 0 {
		return h
	}
	h.first = slices.Min(days)
	h.before = make([]int, slices.Max(days)-h.first+2)
	for d, n := range o.PerDay {
		if at, ok := dayNumber(d); ok {
			h.before[at-h.first+1] += max(n, 0)
		}
	}
	for i := 1; i < len(h.before); i++ {
		h.before[i] += h.before[i-1]
	}
	h.all = h.before[len(h.before)-1]
	return h
}

// between counts the complaints of the days that a stretch touches.
func (h *history) between(from, to time.Time) int {
	if h.all == 0 {
		return 0
	}
	at := func(t time.Time, more int) int {
		return min(max(civil(t.UTC())-h.first+more, 0), len(h.before)-1)
	}
	return h.before[at(to, 1)] - h.before[at(from, 0)]
}

// window is a stretch of a topic's events, which stand from lo to hi.
type window struct {
	lo, hi    int
	days      int
	customers int
	expected  float64
	chance    float64 // its logarithm
}

// best returns the window that is least likely by chance, if one is an incident.
func (h *history) best(t topic, events []event) (best window, ok bool) {
	for _, days := range burstDays {
		length := time.Duration(days) * day
		if length > h.Window {
			break
		}
		seen := map[uint64]int{}
		lo := 0
		for hi := range events {
			seen[events[hi].customer]++
			for events[hi].at.Sub(events[lo].at) >= length {
				c := events[lo].customer
				if seen[c]--; seen[c] == 0 {
					delete(seen, c)
				}
				lo++
			}
			if len(seen) < h.LeastCustomers {
				continue
			}
			w := window{lo: lo, hi: hi + 1, days: days, customers: len(seen)}
			var known bool
			if w.expected, known = h.expect(events, w); !known && !t.named() {
				continue
			}
			if float64(w.customers) < h.Times*w.expected {
				continue
			}
			w.chance = logTail(w.expected, w.customers)
			if w.chance < math.Log(h.Chance) && (!ok || w.chance < best.chance) {
				best, ok = w, true
			}
		}
	}
	return best, ok
}

// expect returns how many complaints of a topic a window would usually bring, and
// whether enough is known of other days to say so.
func (h *history) expect(events []event, w window) (float64, bool) {
	rest := float64(len(events) - (w.hi - w.lo))
	outside := h.days - float64(w.days)
	expected := leastExpected * float64(w.days) / 14
	if outside >= 1 {
		expected = max(expected, rest/outside*float64(w.days))
	}
	if h.all > 0 {
		from := events[w.lo].at
		to := events[w.hi-1].at
		inside := h.between(from, to)
		if others := h.all - inside; others > 0 {
			// One more than there were: none so far is no proof that there are none.
			expected = max(expected, (rest+1)/float64(others)*float64(inside))
		}
	}
	return expected, h.all > 0 && outside >= reach.Hours()/24
}

// logTail returns the logarithm of the chance that a Poisson number with the given mean
// is n or more.
func logTail(mean float64, n int) float64 {
	if float64(n) <= mean {
		return 0
	}
	g, _ := math.Lgamma(float64(n) + 1)
	first := -mean + float64(n)*math.Log(mean) - g
	sum, term := 1.0, 1.0
	for i := n + 1; term > sum*1e-16; i++ {
		term *= mean / float64(i)
		sum += term
	}
	return first + math.Log(sum)
}

// take makes an incident of a window and of what belongs to it close by, and returns
// the events that are left.
func (h *history) take(t topic, events []event, w window) (bonafide.Incident, []event) {
	core := events[w.lo:w.hi]
	began, ended := core[0].began, core[0].end
	for _, e := range core[1:] {
		if e.began.Before(began) {
			began = e.began
		}
		if e.end.After(ended) {
			ended = e.end
		}
	}
	first, last := core[0].at.Add(-h.Window), core[len(core)-1].at.Add(h.Window)
	var in, rest []event
	for i, e := range events {
		near := !e.at.Before(first) && !e.at.After(last) && !e.began.Before(began) && !e.end.After(ended)
		if i >= w.lo && i < w.hi || near {
			in = append(in, e)
		} else {
			rest = append(rest, e)
		}
	}
	out := bonafide.Incident{Rule: t.rule, Cause: t.cause, From: in[0].at, To: in[len(in)-1].at, Began: began, Ended: ended}
	customers := map[uint64]bool{}
	for _, e := range in {
		out.Complaints = append(out.Complaints, e.complaint)
		customers[e.customer] = true
	}
	out.Customers = len(customers)
	stretch := max(out.To.Sub(out.From).Hours()/24, float64(w.days))
	out.Expected = math.Round(w.expected*stretch/float64(w.days)*100) / 100
	sum := sha256.Sum256([]byte(t.rule + "\x00" + t.cause + "\x00" + in[0].complaint))
	out.ID = "i" + hex.EncodeToString(sum[:6])
	out.Why = []string{
		fmt.Sprintf("%d customers complained of it within %s", w.customers, some(w.days, "day")),
		"as many days usually bring " + strconv.FormatFloat(w.expected, 'f', 2, 64),
		"their breaches lie between " + began.UTC().Format(time.DateOnly) + " and " + ended.UTC().Format(time.DateOnly) + " (UTC)",
	}
	switch {
	case t.named():
		out.Why = append(out.Why, "the lender's log gives all of them one cause: "+t.cause)
	case t.rule == FeeOutsideContract:
		out.Why = append(out.Why, "all of them are charges of one kind: "+t.cause)
	}
	return out, rest
}
