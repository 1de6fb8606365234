package policy

import (
	"slices"

	"bonafide"
)

// Facts are what a condition may speak of. Field names in a condition are the
// toml names.
type Facts struct {
	Ring      Ring      `toml:"ring"`
	Tie       Tie       `toml:"tie"`
	Letter    Letter    `toml:"letter"`
	Complaint Complaint `toml:"complaint"`
	Contact   Contact   `toml:"contact"`
	Merit     Merit     `toml:"merit"`
}

// Ring is the ring a complaint belongs to; Customers is 0 where it belongs to none.
type Ring struct {
	Customers int     `toml:"customers"`
	Homes     int     `toml:"homes"` // different homes among them, as far as known
	Mates     int     `toml:"mates"` // more customers whose letters are from its playbook and who share nothing else
	Score     float64 `toml:"score"`
	Days      int     `toml:"days"`  // from first to last complaint
	Burst     bool    `toml:"burst"` // arrivals stand out from the lender's own rhythm
	Kinds     int     `toml:"kinds"` // different kinds of shared thing
}

// Tie is what ties the complaint itself to other members.
type Tie struct {
	Families  []bonafide.Family `toml:"families"`
	Things    int               `toml:"things"`    // shared identifiers and papers
	Customers int               `toml:"customers"` // others who share one of them
}

// Letter is the template the complaint was written from; Customers is 0 where
// there is none.
type Letter struct {
	Customers int  `toml:"customers"`
	Public    bool `toml:"public"` // a registered public template
}

// Complaint is what the complaint itself says and what is verified about it.
type Complaint struct {
	Channel        string                      `toml:"channel"`
	Product        string                      `toml:"product"`
	Representative bonafide.RepresentativeType `toml:"representative"`
	Confirmed      bool                        `toml:"confirmed"` // the customer confirmed the authority
	Vulnerable     bool                        `toml:"vulnerable"`
	Forged         int                         `toml:"forged"`   // papers that their issuer called forged
	Verified       []bonafide.Criterion        `toml:"verified"` // criteria that a person verified
	Settled        bool                        `toml:"settled"`  // the same matter was settled and signed
	Repeats        int                         `toml:"repeats"`  // earlier complaints by the customer with the same letter
}

// Contact is what came of trying to reach the customer.
type Contact struct {
	Refused int `toml:"refused"` // logged attempts that were refused
}

// Merit is what the merit check found. A scan does not check merit: both are false.
type Merit struct {
	Substantiated bool `toml:"substantiated"`
	Unfounded     bool `toml:"unfounded"`
}

// vars gives f the form that conditions read.
func (f Facts) vars() map[string]any {
	names := func(n int, at func(int) string) []string {
		out := make([]string, n)
		for i := range out {
			out[i] = at(i)
		}
		return out
	}
	return map[string]any{
		"ring": map[string]any{
			"customers": f.Ring.Customers, "homes": f.Ring.Homes, "mates": f.Ring.Mates, "score": f.Ring.Score,
			"days": f.Ring.Days, "burst": f.Ring.Burst, "kinds": f.Ring.Kinds,
		},
		"tie": map[string]any{
			"families": names(len(f.Tie.Families), func(i int) string { return string(f.Tie.Families[i]) }),
			"things":   f.Tie.Things, "customers": f.Tie.Customers,
		},
		"letter": map[string]any{"customers": f.Letter.Customers, "public": f.Letter.Public},
		"complaint": map[string]any{
			"channel": f.Complaint.Channel, "product": f.Complaint.Product,
			"representative": string(f.Complaint.Representative), "confirmed": f.Complaint.Confirmed,
			"vulnerable": f.Complaint.Vulnerable, "forged": f.Complaint.Forged,
			"verified": names(len(f.Complaint.Verified), func(i int) string { return string(f.Complaint.Verified[i]) }),
			"settled":  f.Complaint.Settled, "repeats": f.Complaint.Repeats,
		},
		"contact": map[string]any{"refused": f.Contact.Refused},
		"merit":   map[string]any{"substantiated": f.Merit.Substantiated, "unfounded": f.Merit.Unfounded},
	}
}

// A Grading is what a pack proposes for one complaint.
type Grading struct {
	Level    bonafide.Level
	Route    bonafide.Route
	Criteria []bonafide.Criterion
	Rules    []*Rule  // that asked, gravest first
	Innocent []string // explanations to test first
	// Held says why less is proposed than a rule asked for; empty where nothing was held back.
	Held string
}

// Grade applies every rule to f, and the combination rule to what they ask.
// whitePath says that the complaint came through a declared representative;
// only a verified K03, somebody who plays a lawyer, sets it aside.
func (p *Pack) Grade(f Facts, whitePath bool) (Grading, error) {
	var g Grading
	vars := f.vars()
	asked, verified := bonafide.LevelNone, false
	for i := range p.Rules {
		r := &p.Rules[i]
		yes, err := r.asks(vars)
		if err != nil {
			return g, err
		}
		if !yes {
			continue
		}
		g.Rules = append(g.Rules, r)
		if r.Level.Rank() > asked.Rank() {
			asked = r.Level
		}
		verified = verified || r.Verified
	}
	slices.SortStableFunc(g.Rules, func(a, b *Rule) int { return b.Level.Rank() - a.Level.Rank() })
	for _, r := range g.Rules {
		if r.Criteria != "" && !slices.Contains(g.Criteria, r.Criteria) {
			g.Criteria = append(g.Criteria, r.Criteria)
		}
		for _, x := range r.Innocent {
			if !slices.Contains(g.Innocent, x) {
				g.Innocent = append(g.Innocent, x)
			}
		}
	}
	g.Level, g.Held = combine(asked, f.Tie.Families, verified)
	switch {
	case f.Complaint.Vulnerable:
		g.Route = bonafide.RouteVulnerable
		g.hold("the customer is flagged as vulnerable: a trained person takes over, nothing is graded")
	case whitePath && !slices.Contains(f.Complaint.Verified, "K03"):
		if f.Complaint.Confirmed {
			g.hold("a declared representative whose authority the customer confirmed: nothing is graded")
			break
		}
		g.Route = bonafide.RouteConfirmAuthority
		g.hold("a declared representative: confirm the authority with the customer first, nothing is graded")
	}
	return g, nil
}

// hold lowers the level to information.
func (g *Grading) hold(why string) {
	if g.Level.Accuses() {
		g.Level = bonafide.Information
	}
	g.Held = why
}

// combine is the combination rule: what may be proposed of what the rules ask,
// given the families of evidence that tie this complaint to others. A class of
// its own, individual, needs a verified item and says nothing of a ring.
func combine(asked bonafide.Level, families []bonafide.Family, verified bool) (bonafide.Level, string) {
	if !asked.Accuses() {
		return asked, ""
	}
	if asked == bonafide.Individual {
		if !verified {
			return bonafide.Information, "nothing of it is verified"
		}
		return asked, ""
	}
	var distinct []bonafide.Family
	hard := false
	for _, f := range families {
		if !slices.Contains(distinct, f) {
			distinct = append(distinct, f)
			hard = hard || f.Hard()
		}
	}
	switch {
	case len(distinct) == 0:
		return bonafide.Information, "nothing ties the complaint to another"
	case !hard:
		return bonafide.Information, "wording and time alone are information"
	case len(distinct) < 2:
		return bonafide.Information, "one family of evidence alone gives no level"
	case asked == bonafide.Level1 && !verified:
		return bonafide.Level2, "level 1 needs a verified item"
	}
	return asked, ""
}
