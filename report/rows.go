package report

import (
	"cmp"
	"slices"
	"strconv"

	"bonafide"
)

// A row is a complaint in the table of all that got more than nothing.
type row struct {
	ID, At           string
	Level, Class     string
	Route            string
	Ring, RingAt     string
	Letter, LetterAt string
	Criteria         []string
	Why              []string
	WhyLeft          int

	verdict *bonafide.Verdict
}

// rows words the complaints table. Whoever needs a person comes first, then
// what is proposed.
func (s *scene) rows(p *purse) []row {
	care := func(v *bonafide.Verdict) int {
		switch v.Route {
		case bonafide.RouteVulnerable:
			return 2
		case bonafide.RouteNone:
			return 0
		}
		return 1
	}
	order := make([]*bonafide.Verdict, len(s.Complaints))
	for i := range order {
		order[i] = &s.Complaints[i]
	}
	slices.SortStableFunc(order, func(a, b *bonafide.Verdict) int {
		return cmp.Or(care(b)-care(a), b.Level.Rank()-a.Level.Rank())
	})
	var out []row
	for i, v := range order[:min(len(order), maxComplaints)] {
		if !p.pay(rowMarkup) {
			break
		}
		r := row{
			verdict: v, At: "complaint-" + strconv.Itoa(i+1), ID: p.text(v.ID, maxID),
			Level: proposal(v.Level, v.Route), Class: levelClass(v.Level, v.Route), Route: routeWords(v.Route),
			Ring: p.text(v.Ring, maxID), Letter: p.text(v.Template, maxID),
		}
		s.rowAt[v.ID] = r.At
		for _, c := range v.Criteria[:min(len(v.Criteria), maxReasons)] {
			r.Criteria = append(r.Criteria, p.text(criterionWords(c), maxID))
		}
		r.Why, r.WhyLeft = p.lines(v.Why, 6)
		out = append(out, r)
	}
	return out
}
