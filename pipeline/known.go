package pipeline

import (
	"slices"
	"time"

	"bonafide"
	"bonafide/merit"
	"bonafide/policy"
)

// Known is what people and the lender's own records say of a complaint besides what
// it says itself. It carries no personal data.
type Known struct {
	// Verified are criteria that a person signed after verifying them over a known way.
	Verified []bonafide.Criterion `json:"verified,omitempty"`
	// Families are the families of evidence of what was verified, and conduct where a
	// conversation showed some.
	Families []bonafide.Family `json:"families,omitempty"`
	Refused  int               `json:"refused,omitempty"` // attempts that the customer refused in person
	Forged   int               `json:"forged,omitempty"`  // papers that their issuer denied
	// Vulnerable says that a conversation showed a need of care, Confirmed that the
	// customer confirmed their representative, Own that they said they complained themselves.
	Vulnerable bool `json:"vulnerable,omitempty"`
	Confirmed  bool `json:"confirmed,omitempty"`
	Own        bool `json:"own,omitempty"`
	// Found is what the lender's records substantiate.
	Found []bonafide.Finding `json:"-"`
}

// Empty reports whether nothing is known.
func (k Known) Empty() bool {
	return len(k.Verified) == 0 && len(k.Families) == 0 && k.Refused == 0 && k.Forged == 0 && !k.Vulnerable && !k.Confirmed && !k.Own && len(k.Found) == 0
}

// KnownOf returns what a look into the lender's records makes known.
func KnownOf(m bonafide.Merit) Known {
	var k Known
	for _, f := range m.Findings {
		if f.Standing == bonafide.Substantiated {
			k.Found = append(k.Found, f)
		}
	}
	return k
}

// Know says what is known of complaints from now on, instead of what was known before.
func (l *Live) Know(known map[string]Known) {
	care, frail := map[bonafide.Key]bool{}, map[bonafide.Key]bool{}
	cared := map[string]bool{}
	for id, k := range known {
		if k.Vulnerable || k.Confirmed {
			cared[id] = true
		}
	}
	if len(cared) > 0 {
		l.mu.RLock()
		all := slices.Clone(l.all)
		l.mu.RUnlock()
		for _, sub := range all {
			if sub != nil && cared[sub.ID] {
				for _, k := range sub.facts.Self {
					care[k] = true
					if known[sub.ID].Vulnerable {
						frail[k] = true
					}
				}
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known, l.care, l.frail = known, care, frail
}

// Mute leaves kinds of evidence out of groupings from now on, instead of those before:
// an audit found that they too often accuse who is honest.
func (l *Live) Mute(kinds []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.muted = slices.Clone(kinds)
}

// Know says what is known of complaints that were or will be added.
func (s *Scanner) Know(known map[string]Known) { s.known = known }

// apply adds what is known of a complaint to what a rule may speak of.
func (k Known) apply(f *policy.Facts) {
	f.Complaint.Verified = append(f.Complaint.Verified, k.Verified...)
	f.Complaint.Forged += k.Forged
	f.Complaint.Vulnerable = f.Complaint.Vulnerable || k.Vulnerable
	f.Complaint.Confirmed = f.Complaint.Confirmed || k.Confirmed
	f.Contact.Refused = k.Refused
	f.Merit.Substantiated = len(k.Found) > 0
}

// tie adds the families of what was verified to those that tie a complaint.
func (k Known) tie(f *policy.Facts) {
	for _, fam := range k.Families {
		if !slices.Contains(f.Tie.Families, fam) {
			f.Tie.Families = append(f.Tie.Families, fam)
		}
	}
}

// incidents finds the breaches by the lender that many complain of at once. They come
// before everything that is said about organisation. Of a part of the complaints it
// returns those that all of them showed.
func (s *Scanner) incidents(customer []int32) []bonafide.Incident {
	if s.part != nil {
		return s.part.incidents
	}
	if len(s.known) == 0 {
		return nil
	}
	var found []merit.Substantiated
	for i, sub := range s.all {
		if k := s.known[sub.ID]; len(k.Found) > 0 {
			found = append(found, merit.Substantiated{Complaint: sub.ID, Customer: uint64(customer[i]), Received: sub.Received, Findings: k.Found})
		}
	}
	if len(found) == 0 {
		return nil
	}
	opt := merit.IncidentOptions{PerDay: map[bonafide.Day]int{}}
	for _, sub := range s.all {
		if sub.Received.IsZero() {
			continue
		}
		if opt.From.IsZero() {
			opt.From = sub.Received
		}
		opt.To = sub.Received
		opt.PerDay[bonafide.Day(sub.Received.UTC().Format(time.DateOnly))]++
	}
	return merit.Incidents(found, opt)
}

// explained drops the rings that an incident explains: at least half of their members complain of
// one breach that the lender's records show. What stays may still hold some of them.
func (s *Scanner) explained(r *rings, incidents []bonafide.Incident) {
	if len(incidents) == 0 {
		return
	}
	in := s.inIncidents(incidents)
	kept := r.found[:0]
	for _, f := range r.found {
		of := make([]int, len(incidents))
		most := 0
		for _, m := range f.Members {
			for _, k := range in[s.all[m].ID] {
				of[k]++
				most = max(most, of[k])
			}
		}
		if 2*most >= len(f.Members) {
			continue
		}
		kept = append(kept, f)
	}
	r.found = kept
}

// inIncidents lists the incidents that each complaint stands in. One that came since they
// were found stands in those whose breach it shares, while they last.
func (s *Scanner) inIncidents(incidents []bonafide.Incident) map[string][]int {
	in := map[string][]int{}
	for k, inc := range incidents {
		for _, id := range inc.Complaints {
			in[id] = append(in[id], k)
		}
	}
	if s.part == nil {
		return in
	}
	for _, sub := range s.all {
		for _, f := range s.known[sub.ID].Found {
			for k, inc := range incidents {
				near := sub.Received.After(inc.From.Add(-incidentLasts)) && sub.Received.Before(inc.To.Add(incidentLasts))
				if f.Rule == inc.Rule && merit.Cause(f) == inc.Cause && near && !f.From.After(inc.Ended) && !f.To.Before(inc.Began) && !slices.Contains(in[sub.ID], k) {
					in[sub.ID] = append(in[sub.ID], k)
				}
			}
		}
	}
	return in
}

// incidentLasts is how long before and after the complaints of an incident further ones of
// the same breach belong to it.
const incidentLasts = 14 * 24 * time.Hour
