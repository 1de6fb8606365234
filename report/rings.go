package report

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"bonafide"
)

// A ringView is a ring in the order of justice: what the letter says, whether
// it is right, what is shared, what is proposed.
type ringView struct {
	At, ID, Heading string
	Received        string
	Regions         string
	Size            string
	Shares          string
	Level, Class    string

	Letter      *letterView
	LetterCount string

	Picture *picture
	Crowded bool // no room for the picture
	Things  []thingView
	More    int // things left out
	Why     []string
	WhyLeft int
	Chart   *chart

	Members     []memberView
	MembersLeft int

	Outcome  string
	Tie      string
	Families string
	Unseen   string
	Innocent []string
}

type thingView struct {
	Icon, Label, Kind, Family, Count, Rarity string
}

type memberView struct {
	ID, At, Received, Region string
	Shares                   string
	Why                      []string
	Proposed, Class          string
}

// What markup around the text of a part weighs, in bytes, rounded up.
const (
	ringMarkup   = 5000
	memberMarkup = 300
	thingMarkup  = 280
	dotMarkup    = 110
	barMarkup    = 90
	rowMarkup    = 350
)

// ringViews words the rings that the page has room for.
func (s *scene) ringViews(p *purse) []ringView {
	var out []ringView
	for i, g := range s.rings[:min(len(s.rings), maxRings)] {
		if !p.pay(ringMarkup) {
			break
		}
		s.ringAt[g.ID] = "ring-" + strconv.Itoa(i+1)
		out = append(out, s.ringView(g, p))
	}
	return out
}

func (s *scene) ringView(g *bonafide.Ring, p *purse) ringView {
	at := s.ringAt[g.ID]
	ties := arrived(g)
	first, last := received(ties)
	v := ringView{
		At: at, ID: p.text(g.ID, maxID), Size: count(len(g.Members), "complaint"), Received: between(first, last),
		Regions: regions(ties), Shares: sharedWords(g.Shared), Level: proposal(g.Level, ""), Class: levelClass(g.Level, ""),
		Tie: tieWords(g.Score), Unseen: unseen(g.Families), Outcome: s.outcome(g),
	}
	v.Heading = "Ring " + v.ID + " — " + v.Size
	if n := len(g.Shared); n > 0 {
		v.Heading += " share " + count(n, "thing")
	}
	if t := s.letters[g.Template]; t != nil {
		v.LetterCount = s.carries(g, t)
		if s.letterAt[t.ID] == "" {
			s.letterAt[t.ID] = at + "-letter"
		}
		v.Letter = s.letterView(at+"-letter", t, p)
	}
	names := make([]string, len(g.Families))
	for i, f := range g.Families {
		names[i] = familyName(f)
	}
	v.Families = list(names)
	v.Why, v.WhyLeft = p.lines(g.Why, maxReasons)
	v.Innocent, _ = p.lines(g.Innocent, maxReasons)

	if pic := draw(at+"-picture", g, ties); pic != nil {
		if size := dotMarkup * (len(pic.Dots) + 4*len(pic.Lanes)); p.pay(size + len(pic.Threads) + laneBytes(pic)) {
			v.Picture = pic
		} else {
			v.Crowded = true
		}
	}
	times := make([]time.Time, len(ties))
	for i, t := range ties {
		times[i] = t.Received
	}
	if c := s.arrivals.ring(at+"-when", times); c != nil && p.pay(len(c.Bars)+len(c.Rows)*barMarkup) {
		v.Chart = c
	}
	shares := map[string][]string{}
	for _, t := range g.Shared {
		for _, m := range t.Members {
			shares[m] = append(shares[m], line(t.Label))
		}
	}
	for _, t := range g.Shared[:min(len(g.Shared), maxThings)] {
		if !p.pay(thingMarkup) {
			break
		}
		v.Things = append(v.Things, thingView{
			Icon: icon(t.Kind), Label: p.text(t.Label, maxID), Kind: p.text(t.Kind, maxID), Family: familyName(t.Family),
			Count:  number(len(t.Members)) + " of " + number(len(g.Members)),
			Rarity: p.text(sentence(t.Rarity), maxReason),
		})
	}
	v.More = len(g.Shared) - len(v.Things)
	for _, t := range ties[:min(len(ties), maxMembers)] {
		if !p.pay(memberMarkup) {
			break
		}
		v.Members = append(v.Members, s.member(t, shares[t.Complaint], p))
	}
	v.MembersLeft = len(ties) - len(v.Members)
	return v
}

func laneBytes(p *picture) int {
	n := 0
	for _, l := range p.Lanes {
		n += len(l.Dots)
	}
	return n
}

func (s *scene) member(t bonafide.Tie, shares []string, p *purse) memberView {
	m := memberView{
		ID: p.text(t.Complaint, maxID), At: s.rowAt[t.Complaint], Received: day(t.Received),
		Region: p.text(t.Region, maxID), Shares: p.text(strings.Join(shares, ", "), 300),
	}
	m.Why, _ = p.lines(t.Why, 4)
	level, route := bonafide.LevelNone, t.Route
	if v := s.verdicts[t.Complaint]; v != nil {
		level, route = v.Level, cmp.Or(route, v.Route)
	}
	if m.Proposed, m.Class = proposal(level, route), levelClass(level, route); route != "" {
		m.Proposed = routeWords(route) + "; not graded"
	}
	return m
}

// arrived returns a tie for each member in the order of arrival, those without
// a date last.
func arrived(g *bonafide.Ring) []bonafide.Tie {
	known := make(map[string]bonafide.Tie, len(g.Ties))
	for _, t := range g.Ties {
		known[t.Complaint] = t
	}
	out := make([]bonafide.Tie, len(g.Members))
	for i, m := range g.Members {
		out[i] = known[m]
		out[i].Complaint = m
	}
	slices.SortStableFunc(out, func(a, b bonafide.Tie) int {
		switch {
		case a.Received.IsZero() != b.Received.IsZero():
			if a.Received.IsZero() {
				return 1
			}
			return -1
		}
		return cmp.Or(a.Received.Compare(b.Received), cmp.Compare(a.Complaint, b.Complaint))
	})
	return out
}

// regions says from how many regions the members come, where that is known.
func regions(ties []bonafide.Tie) string {
	seen := map[string]bool{}
	for _, t := range ties {
		if t.Region != "" {
			seen[t.Region] = true
		}
	}
	if len(seen) == 0 {
		return ""
	}
	return count(len(seen), "region")
}

// outcome says what is proposed for the members.
func (s *scene) outcome(g *bonafide.Ring) string {
	var t tally
	for _, m := range g.Members {
		if v := s.verdicts[m]; v != nil {
			t.add(v)
		}
	}
	var parts []string
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, what+" for "+number(n))
		}
	}
	add(t.level1, "level 1")
	add(t.level2, "level 2")
	add(t.individual, "class I")
	add(t.information, "information only")
	out := "Nothing is proposed for any member."
	if len(parts) > 0 {
		out = sentence("of " + count(len(g.Members), "member") + ": " + list(parts))
	}
	if t.authority > 0 {
		out += " " + number(t.authority) + " came through a declared representative and " + isAre(t.authority) + " not graded: confirm the authority with the customer first."
	}
	if t.vulnerable > 0 {
		out += " " + number(t.vulnerable) + " " + isAre(t.vulnerable) + " flagged as vulnerable and not graded: a trained person takes over."
	}
	return out
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// unseen names the hard families that the evidence does not come from.
func unseen(seen []bonafide.Family) string {
	var out []string
	for _, f := range bonafide.Families {
		if f.Hard() && !slices.Contains(seen, f) {
			out = append(out, familyName(f))
		}
	}
	if len(out) == 0 {
		return ""
	}
	return "Nothing was seen of " + strings.Replace(list(out), " and ", " or ", 1) + "."
}

// levelClass is the style of a level: amber is suspicion, and nothing else is amber.
func levelClass(l bonafide.Level, r bonafide.Route) string {
	switch {
	case r != bonafide.RouteNone:
		return "routed"
	case l.Accuses():
		return "amber"
	}
	return "quiet"
}
