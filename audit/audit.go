// Package audit measures the harm that suspicion does: a random sample of complaints is
// judged by people who do not see what the program suspects, and what they say is laid
// beside it. Of that come the share of complaints that were flagged wrongly, how it
// differs between groups of people, and which kind of evidence is to be switched off.
//
// The package computes; who draws, who judges and what follows is for others.
package audit

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"bonafide"
)

// A Judgement is what somebody said of a complaint without seeing what is suspected.
type Judgement string

// What can be said.
const (
	Organised Judgement = "organised" // an organised agent is behind it
	Genuine   Judgement = "genuine"   // a person of their own, or an honest helper
	Unclear   Judgement = "unclear"   // counts for nothing
)

// Judgements lists what can be said.
var Judgements = []Judgement{Organised, Genuine, Unclear}

// A Case is one complaint of a sample.
type Case struct {
	ID        string         `json:"id"` // of the case: it does not name the complaint
	Complaint string         `json:"complaint"`
	Drawn     time.Time      `json:"drawn"`
	Level     bonafide.Level `json:"level,omitempty"` // that was proposed when it was drawn
	Ring      string         `json:"ring,omitempty"`
	Detectors []string       `json:"detectors,omitempty"` // kinds of evidence that tie it
	Involved  []string       `json:"involved,omitempty"`  // who decided about it: they do not judge it
	Groups    Groups         `json:"groups"`
	Values    []float64      `json:"values,omitempty"` // what the verdict rested on: see package learn
	Judgement Judgement      `json:"judgement,omitempty"`
	Reason    string         `json:"reason,omitempty"`
	By        string         `json:"by,omitempty"` // Actor.ID
	Judged    time.Time      `json:"judged,omitzero"`
}

// Flagged reports whether something was proposed against the complaint when it was drawn.
func (c Case) Flagged() bool { return c.Level.Accuses() }

// Groups say of whom a complaint is, as far as that is known; "" where it is not.
type Groups struct {
	Region  string `json:"region,omitempty"`
	Age     string `json:"age,omitempty"` // a band: "18-29"
	Sex     string `json:"sex,omitempty"` // "female", "male"
	Channel string `json:"channel,omitempty"`
	Lang    string `json:"lang,omitempty"`
}

// Dimensions lists the ways in which groups are told apart.
var Dimensions = []string{"region", "age", "sex", "channel", "language"}

// In returns the group of a dimension.
func (g Groups) In(dimension string) string {
	switch dimension {
	case "region":
		return g.Region
	case "age":
		return g.Age
	case "sex":
		return g.Sex
	case "channel":
		return g.Channel
	case "language":
		return g.Lang
	}
	return ""
}

// FromIDNumber returns the age band and the sex that a Chinese identity number of 18
// digits says (GB 11643-1999: digits 7 to 14 are the day of birth, digit 17 is odd for
// men), and "" where it is none.
func FromIDNumber(id string, at time.Time) (age, sex string) {
	if len(id) != 18 {
		return "", ""
	}
	born, err := time.Parse("20060102", id[6:14])
	if err != nil || born.After(at) || born.Year() < 1900 {
		return "", ""
	}
	d := int(id[16]) - '0'
	if d < 0 || d > 9 {
		return "", ""
	}
	sex = "female"
	if d%2 == 1 {
		sex = "male"
	}
	years := at.Year() - born.Year()
	if at.Before(born.AddDate(years, 0, 0)) {
		years--
	}
	return Band(years), sex
}

// Band is the age band of somebody so many years old.
func Band(years int) string {
	from := 0
	for _, b := range [...]int{18, 30, 40, 50, 60, 70} {
		if years < b {
			return strconv.Itoa(from) + "-" + strconv.Itoa(b-1)
		}
		from = b
	}
	return "70+"
}

// Draw takes n of all, each set of n equally likely. intn returns a random number from
// 0 to n-1. The result is in the order of drawing.
func Draw(all []string, n int, intn func(n int) (int, error)) ([]string, error) {
	all = slices.Clone(all)
	n = min(n, len(all))
	for i := range n {
		k, err := intn(len(all) - i)
		if err != nil {
			return nil, err
		}
		all[i], all[i+k] = all[i+k], all[i]
	}
	return all[:n], nil
}

// A Rate is how often something was so, with its 95 % interval after Wilson.
type Rate struct {
	Of, Among int
	Low, High float64
}

// Share is the rate itself; 0 where there is nothing to count.
func (r Rate) Share() float64 {
	if r.Among == 0 {
		return 0
	}
	return float64(r.Of) / float64(r.Among)
}

func rate(of, among int) Rate {
	low, high := Wilson(of, among)
	return Rate{of, among, low, high}
}

// z95 is the 97.5th percentile of the normal distribution.
const z95 = 1.959963984540054

// Wilson returns the 95 % score interval of k out of n, from 0 to 1 where n is 0
// (Wilson 1927).
func Wilson(k, n int) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	p, m := float64(k)/float64(n), float64(n)
	centre := p + z95*z95/(2*m)
	spread := z95 * math.Sqrt(p*(1-p)/m+z95*z95/(4*m*m))
	scale := 1 + z95*z95/m
	low, high = (centre-spread)/scale, (centre+spread)/scale
	if k == 0 {
		low = 0
	}
	if k == n {
		high = 1
	}
	return low, high
}

// Figures are what a sample says.
type Figures struct {
	Judged, Open, Unclear int
	// FalseFlags is the share of flagged complaints that were judged genuine, Missed
	// the share of those not flagged that were judged organised.
	FalseFlags, Missed Rate
	Groups             []Group
	Detectors          []Detector
}

// A Group is how one group of people fares beside all others in its dimension.
type Group struct {
	Dimension, Name    string
	FalseFlags, Others Rate
	// Differs says that the two intervals do not overlap: more than chance among so few.
	Differs bool
}

// A Detector is how often one kind of evidence flagged rightly.
type Detector struct {
	Name      string
	Precision Rate
}

// leastGroup is the least number of judged, flagged complaints of a group that is shown:
// fewer would say something of single people.
const leastGroup = 5

// Measure lays what people said beside what was proposed.
func Measure(cases []Case) Figures {
	var f Figures
	var flagged []Case
	missed, quiet := 0, 0
	for _, c := range cases {
		switch {
		case c.Judgement == "":
			f.Open++
			continue
		case c.Judgement == Unclear:
			f.Unclear++
			f.Judged++
			continue
		}
		f.Judged++
		if c.Flagged() {
			flagged = append(flagged, c)
			continue
		}
		quiet++
		if c.Judgement == Organised {
			missed++
		}
	}
	f.Missed = rate(missed, quiet)
	f.FalseFlags = wrongAmong(flagged, func(Case) bool { return true })
	f.Groups = groups(flagged)
	f.Detectors = detectors(flagged)
	return f
}

func wrongAmong(flagged []Case, in func(Case) bool) Rate {
	wrong, all := 0, 0
	for _, c := range flagged {
		if !in(c) {
			continue
		}
		all++
		if c.Judgement == Genuine {
			wrong++
		}
	}
	return rate(wrong, all)
}

func groups(flagged []Case) []Group {
	var out []Group
	for _, dim := range Dimensions {
		var names []string
		for _, c := range flagged {
			if n := c.Groups.In(dim); n != "" && !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
		slices.Sort(names)
		for _, n := range names {
			g := Group{Dimension: dim, Name: n}
			g.FalseFlags = wrongAmong(flagged, func(c Case) bool { return c.Groups.In(dim) == n })
			g.Others = wrongAmong(flagged, func(c Case) bool { x := c.Groups.In(dim); return x != "" && x != n })
			if g.FalseFlags.Among < leastGroup {
				continue
			}
			g.Differs = g.Others.Among > 0 && (g.FalseFlags.Low > g.Others.High || g.FalseFlags.High < g.Others.Low)
			out = append(out, g)
		}
	}
	return out
}

func detectors(flagged []Case) []Detector {
	right, all := map[string]int{}, map[string]int{}
	for _, c := range flagged {
		for _, d := range c.Detectors {
			all[d]++
			if c.Judgement == Organised {
				right[d]++
			}
		}
	}
	var out []Detector
	for d, n := range all {
		out = append(out, Detector{d, rate(right[d], n)})
	}
	slices.SortFunc(out, func(a, b Detector) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// The floor of a detector, where a lender sets no other, and how many complaints have to
// be judged before it counts.
const (
	Floor      = 0.8
	LeastCases = 20
)

// Below lists the detectors whose audited precision fell below a floor.
func (f Figures) Below(floor float64) []Detector {
	return slices.DeleteFunc(slices.Clone(f.Detectors), func(d Detector) bool {
		return d.Precision.Among < LeastCases || d.Precision.Share() >= floor
	})
}
