package pipeline

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"bonafide"
	"bonafide/policy"
	"bonafide/ring"
	"bonafide/signal/timing"
)

// result grades what was found and puts it into words.
func (s *Scanner) result(l *letters, r *rings, read bonafide.Read, warnings []string) (*writer, error) {
	w := &writer{
		Scanner: s, letters: l, rings: r,
		ringOf: map[int32]int{}, templateOf: map[int32]int{},
		out: &bonafide.Result{
			Version: s.cfg.Version, Policy: s.cfg.Policy.Name(), Read: read,
			Complaints: []bonafide.Verdict{}, Rings: []bonafide.Ring{}, Templates: []bonafide.Template{},
			NotProved: notProved, Warnings: warnings,
		},
	}
	w.out.Incidents = r.incidents
	w.arrivals()
	w.templates()
	w.writeRings()
	if err := w.verdicts(); err != nil {
		return nil, err
	}
	w.warn()
	return w, nil
}

// notProved is what no scan shows, said in every result.
var notProved = []string{
	"Whether any grievance is right. Merit is checked apart, first, and drives the remedy whatever stands here.",
	"That anybody was paid. Shared identifiers and wording show one hand; why it helps is for people to find out.",
	"That a borrower knew. Clients of an agency are often its victims: warn and help them.",
	"Anything about a letter that shares wording only. Honest people copy public letters, statutes and each other.",
}

// writer puts one result together.
type writer struct {
	*Scanner
	letters *letters
	rings   *rings
	out     *bonafide.Result

	rhythm     *timing.Rhythm
	ringOf     map[int32]int // index into out.Rings
	templateOf map[int32]int
	bursts     []bool        // of each ring
	keys       [][]SharedKey // of each ring: what its members share
	days       int           // from the first complaint to the last
	usage      map[string]usage
}

// A SharedKey is the keyed hash of a thing that members of a ring share.
type SharedKey struct {
	Kind string // an IdentifierKind or "document"
	Key  bonafide.Key
}

// id names a set of complaints: the same members give the same name.
func id(prefix string, members []string) string {
	h := sha256.New()
	for _, m := range members {
		fmt.Fprintf(h, "%d:%s", len(m), m)
	}
	return prefix + hex.EncodeToString(h.Sum(nil)[:6])
}

// names returns the ids of complaints, sorted.
func (w *writer) names(complaints []int32) []string {
	out := make([]string, len(complaints))
	for i, c := range complaints {
		out[i] = w.all[c].ID
	}
	slices.Sort(out)
	return out
}

func (w *writer) day(i int32) (int32, bool) {
	t := w.all[i].Received
	return int32(math.Floor(float64(t.Unix()) / 86400)), !t.IsZero()
}

// arrivals counts complaints by day.
func (w *writer) arrivals() {
	var days []int32
	for i, sub := range w.all {
		if sub.Received.IsZero() {
			continue
		}
		d, _ := w.day(int32(i))
		days = append(days, d)
		name := sub.Received.UTC().Format(time.DateOnly)
		if n := len(w.out.Arrivals); n > 0 && w.out.Arrivals[n-1].Day == name {
			w.out.Arrivals[n-1].Count++
		} else {
			w.out.Arrivals = append(w.out.Arrivals, bonafide.Arrivals{Day: name, Count: 1})
		}
		if w.out.Read.First.IsZero() {
			w.out.Read.First = sub.Received
		}
		w.out.Read.Last = sub.Received
	}
	if w.part != nil {
		w.rhythm, w.days = w.part.rhythm, w.part.days
		return
	}
	w.rhythm = timing.NewRhythm(days)
	if len(days) > 0 {
		w.days = int(days[len(days)-1]-days[0]) + 1
	}
}

// customersOf counts the customers behind complaints.
func (w *writer) customersOf(complaints []int32) int {
	seen := map[int32]bool{}
	for _, i := range complaints {
		seen[w.rings.customer[i]] = true
	}
	return len(seen)
}

// writeRings puts every ring into words, the largest first.
func (w *writer) writeRings() {
	found := slices.Clone(w.rings.found)
	slices.SortStableFunc(found, func(a, b ring.Found) int { return cmp.Compare(len(b.Members), len(a.Members)) })
	label := map[string]int{}
	kinds := w.kinds()
	w.usage = kinds
	for _, f := range found {
		r := bonafide.Ring{ID: id("r", w.names(f.Members)), Members: w.names(f.Members)}
		in := map[int32]bool{}
		var days []int32
		for _, m := range f.Members {
			w.ringOf[m] = len(w.out.Rings)
			in[m] = true
			if d, ok := w.day(m); ok {
				days = append(days, d)
			}
		}
		customers, regions := w.customersOf(f.Members), w.regionsOf(f.Members)
		families := map[bonafide.Family]bool{}
		tied := map[int32][]string{}
		var keys []SharedKey
		visible := map[bonafide.Key]string{} // what a mask would leave of the shared numbers
		for _, t := range f.Things {
			th := w.rings.things[t]
			var holders []int32
			for _, h := range th.Holders {
				if in[h] {
					holders = append(holders, h)
				}
			}
			label[th.Kind]++
			keys = append(keys, SharedKey{Kind: th.Kind, Key: th.key})
			shared := bonafide.SharedThing{
				Label: fmt.Sprintf("%s %d", th.Kind, label[th.Kind]), Kind: th.Kind, Family: th.Family,
				Members: w.names(holders), Rarity: kinds[th.Kind].rarity(th.Kind),
			}
			families[th.Family] = true
			r.Shared = append(r.Shared, shared)
			for _, x := range w.all[holders[0]].facts.Filed {
				if x.Key == th.key && x.Visible != 0 {
					visible[x.Visible] = shared.Label
				}
			}
			n := w.customersOf(holders)
			for _, h := range holders {
				tied[h] = append(tied[h], fmt.Sprintf("%s is shared with %s in this ring; %s",
					shared.Label, count(n-1, "other customer", "other customers"), shared.Rarity))
			}
			r.Why = append(r.Why, fmt.Sprintf("%s %s %s; %s", count(n, "customer", "customers"), verb(n, "was", "were")+" filed with", shared.Label, shared.Rarity))
		}
		families[bonafide.FamilyText] = true
		mean := 0.0
		for _, a := range f.Alike {
			mean += a
		}
		mean /= float64(len(f.Alike))
		r.Why = append(r.Why, fmt.Sprintf("their letters are more alike than strangers' letters on the same topic: on average %.1f times the usual spread above what is usual", mean))
		if f.Homes > 1 {
			r.Why = append(r.Why, fmt.Sprintf("%s from at least %d different homes%s, so one family does not explain it",
				count(customers, "customer", "customers"), f.Homes, inRegions(regions)))
		}
		burst, ok := w.rhythm.Burst(days)
		if ok {
			families[bonafide.FamilyTime] = true
			r.Why = append(r.Why, fmt.Sprintf("%d of %d arrived from %s to %s, where the lender's own rhythm would bring %.1f",
				burst.Count, len(days), dayName(burst.From), dayName(burst.To), burst.Expected))
		}
		if n, bits := w.together(f.Members); bits >= togetherBits {
			families[bonafide.FamilyTime] = true
			ok = true
			r.Why = append(r.Why, fmt.Sprintf("%s of its complaints, by different customers, %s filed within %d minutes of each other",
				count(n, "pair", "pairs"), verb(n, "was", "were"), int(timing.Within.Minutes())))
		}
		w.bursts = append(w.bursts, ok)
		if mates := len(f.Mates); mates > 0 {
			r.Why = append(r.Why, fmt.Sprintf("%s written from the same playbook and %s nothing else: not members, information at most",
				count(mates, "more complaint is", "more complaints are"), verb(mates, "shares", "share")))
		}
		for _, fam := range bonafide.Families {
			if families[fam] {
				r.Families = append(r.Families, fam)
			}
		}
		r.Score = score(mean, customers)
		r.Template = w.mainTemplate(f.Members)
		hints := w.hidden(f, visible)
		for k, m := range f.Members {
			tie := bonafide.Tie{Complaint: w.all[m].ID, Received: w.all[m].Received, Region: w.all[m].Region}
			tie.Why = append(tie.Why, tied[m]...)
			if hint := hints[m]; hint != "" {
				tie.Why = append(tie.Why, hint)
			}
			tie.Why = append(tie.Why, fmt.Sprintf("its letter is more like the other members' than strangers' letters on its topic are: %.1f times the usual spread above what is usual", f.Alike[k]))
			r.Ties = append(r.Ties, tie)
		}
		slices.SortFunc(r.Ties, func(a, b bonafide.Tie) int { return cmp.Compare(a.Complaint, b.Complaint) })
		w.out.Rings = append(w.out.Rings, r)
		w.keys = append(w.keys, keys)
	}
	w.rings.found = found
}

// togetherBits is the weight from which filing within minutes counts as evidence
// of time: some five pairs at a lender of a hundred complaints a day.
const togetherBits = 20

// together counts the pairs of members by different customers who filed within
// minutes, and adds up how unlikely each is beyond the first few bits that
// chance alone brings among so many pairs.
func (w *writer) together(members []int32) (pairs int, bits float64) {
	n := len(w.all)
	if w.part != nil {
		n = w.part.complaints
	}
	sig := timing.Signal{PerMinute: float64(n) / max(1, float64(w.days)*24*60)}
	traces := make([]bonafide.Trace, len(members))
	for i, m := range members {
		// Extract of timing never fails: it reads the date only.
		traces[i], _ = sig.Extract(context.Background(), &bonafide.Complaint{ID: w.all[m].ID, Received: w.all[m].Received})
	}
	chance := math.Log2(float64(len(members))) + 2
	for i, a := range members {
		for j := i + 1; j < len(members) && w.all[members[j]].Received.Sub(w.all[a].Received) <= timing.Within; j++ {
			if w.rings.customer[a] == w.rings.customer[members[j]] {
				continue
			}
			if l, ok := sig.Compare(traces[i], traces[j]); ok && l.Bits > chance {
				pairs++
				bits += l.Bits - chance
			}
		}
	}
	return pairs, bits
}

// hidden says of each member whose partly hidden number fits a number that the ring
// shares, which one. It is a hint and no proof: many numbers fit one mask.
func (w *writer) hidden(f ring.Found, labels map[bonafide.Key]string) map[int32]string {
	out := map[int32]string{}
	for _, m := range f.Members {
		for _, x := range w.all[m].facts.Filed {
			if label, ok := labels[x.Visible]; ok && x.Key == 0 && x.Visible != 0 {
				out[m] = fmt.Sprintf("it also names a partly hidden %s that would fit %s; a hidden number proves nothing", x.Kind, label)
			}
		}
	}
	return out
}

// regionsOf counts the regions that are known of complaints.
func (w *writer) regionsOf(complaints []int32) int {
	seen := map[string]bool{}
	for _, i := range complaints {
		if r := w.all[i].facts.Region; r != "" {
			seen[r] = true
		}
	}
	return len(seen)
}

// inRegions says in how many regions, where more than one is known.
func inRegions(regions int) string {
	if regions < 2 {
		return ""
	}
	return fmt.Sprintf(" in %d regions", regions)
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func dayName(day int32) string {
	return time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly)
}

// plurals of kinds that do not just take an s.
var plurals = map[string]string{"address": "addresses", "ip": "IP addresses", "sender": "mail senders", "handle": "chat handles"}

// usage is how often a kind of thing occurs and is shared.
type usage struct{ values, shared int }

// rarity says how unusual it is that customers share a thing of the kind.
func (u usage) rarity(kind string) string {
	if u.shared == 0 || u.values == 0 {
		return "hardly ever shared"
	}
	plural, ok := plurals[kind]
	if !ok {
		plural = kind + "s"
	}
	return fmt.Sprintf("of the %d %s seen, 1 in %d is shared by several customers", u.values, plural, max(1, int(math.Round(float64(u.values)/float64(u.shared)))))
}

// kinds counts the values of each kind of thing.
func (w *writer) kinds() map[string]usage {
	if w.part != nil {
		return w.part.usage
	}
	values := map[string]map[bonafide.Key]bool{}
	add := func(kind string, key bonafide.Key) {
		if values[kind] == nil {
			values[kind] = map[bonafide.Key]bool{}
		}
		values[kind][key] = true
	}
	for _, sub := range w.all {
		for _, f := range sub.facts.Filed {
			if f.Key != 0 {
				add(string(f.Kind), f.Key)
			}
		}
		for _, p := range sub.papers {
			add("document", p.Key)
		}
	}
	out := map[string]usage{}
	for k, v := range values {
		out[k] = usage{values: len(v)}
	}
	for _, t := range w.rings.things {
		u := out[t.Kind]
		u.shared++
		out[t.Kind] = u
	}
	return out
}

// score is the estimated share of a ring's pairs that one hand made: a logistic
// regression on 1,802 rings found in development worlds, where it is right within two points
// in each sixth of them; see docs/evaluation.md. Larger rings are more often two that were joined.
func score(alike float64, customers int) float64 {
	x := 2.41 + 0.85*math.Log1p(max(0, alike)) - 0.58*math.Log(float64(max(2, customers)))
	return math.Round(100/(1+math.Exp(-x))) / 100
}

// verdicts grades every complaint about which there is something to say.
func (w *writer) verdicts() error {
	type letterOf struct{ customer, letter int32 }
	repeats := map[letterOf]int{}
	incidents := w.inIncidents(w.out.Incidents)
	for i, sub := range w.all {
		if i%16 == 0 {
			w.pause()
		}
		i := int32(i)
		v := bonafide.Verdict{ID: sub.ID}
		f := policy.Facts{Complaint: policy.Complaint{
			Channel: string(sub.Channel), Product: sub.Product, Vulnerable: sub.facts.Vulnerable,
		}}
		if rep := sub.Representative; rep != nil {
			f.Complaint.Representative, f.Complaint.Confirmed = rep.Type, rep.Confirmed
		}
		for _, p := range sub.papers {
			if p.Verified == bonafide.Forged {
				f.Complaint.Forged++
			}
		}
		if t, ok := w.templateOf[i]; ok {
			tm := w.out.Templates[t]
			v.Template = tm.ID
			f.Letter = policy.Letter{Customers: w.customersOf(w.letters.groups[w.letters.of[i]]), Public: tm.Benign != ""}
		}
		if g := w.letters.of[i]; g >= 0 {
			key := letterOf{w.rings.customer[i], g}
			f.Complaint.Repeats = repeats[key]
			repeats[key]++
		}
		if len(incidents[sub.ID]) > 0 {
			v.Why = append(v.Why, "it stands in an incident of the lender's own, which comes first")
		}
		known := w.known[sub.ID]
		known.apply(&f)
		// Who needs care needs it with every complaint of theirs.
		f.Complaint.Vulnerable = f.Complaint.Vulnerable || slices.ContainsFunc(sub.facts.Self, func(k bonafide.Key) bool { return w.frail[k] })
		if k, ok := w.ringOf[i]; ok {
			w.facts(&f, &v, i, k)
			known.tie(&f) // of who is tied to nobody it says nothing about an organisation
		}
		g, err := w.cfg.Policy.Grade(f, sub.facts.WhitePath)
		if err != nil {
			return fmt.Errorf("grade: %w", err)
		}
		if g.Level == bonafide.LevelNone && g.Route == bonafide.RouteConfirmAuthority && !f.Complaint.Confirmed {
			g.Level = bonafide.Information // somebody must confirm the authority
		}
		if g.Level == bonafide.LevelNone {
			continue
		}
		w.verdict(&v, g, f)
		w.out.Complaints = append(w.out.Complaints, v)
		if k, ok := w.ringOf[i]; ok {
			r := &w.out.Rings[k]
			if v.Level.Rank() > r.Level.Rank() {
				r.Level = v.Level
			}
			at, _ := slices.BinarySearchFunc(r.Ties, sub.ID, func(t bonafide.Tie, id string) int { return cmp.Compare(t.Complaint, id) })
			r.Ties[at].Route = v.Route
			for _, x := range g.Innocent {
				if !slices.Contains(r.Innocent, x) {
					r.Innocent = append(r.Innocent, x)
				}
			}
		}
	}
	slices.SortFunc(w.out.Complaints, func(a, b bonafide.Verdict) int {
		if c := cmp.Compare(b.Level.Rank(), a.Level.Rank()); c != 0 {
			return c
		}
		return cmp.Compare(a.ID, b.ID)
	})
	return nil
}

// facts fills in what ring k ties complaint i with.
func (w *writer) facts(f *policy.Facts, v *bonafide.Verdict, i int32, k int) {
	r, found := w.out.Rings[k], w.rings.found[k]
	v.Ring = r.ID
	var days []int32
	for _, m := range found.Members {
		if d, ok := w.day(m); ok {
			days = append(days, d)
		}
	}
	f.Ring = policy.Ring{
		Customers: w.customersOf(found.Members), Homes: max(found.Homes, 1), Mates: w.customersOf(found.Mates),
		Score: r.Score, Burst: w.bursts[k],
	}
	if len(days) > 0 {
		f.Ring.Days = int(slices.Max(days)-slices.Min(days)) + 1
	}
	kinds := map[string]bool{}
	families := map[bonafide.Family]bool{bonafide.FamilyText: true}
	others := map[int32]bool{}
	for _, t := range found.Things {
		th := w.rings.things[t]
		kinds[th.Kind] = true
		if _, holds := slices.BinarySearch(th.Holders, i); !holds {
			continue
		}
		f.Tie.Things++
		families[th.Family] = true
		for _, h := range th.Holders {
			if _, member := slices.BinarySearch(found.Members, h); member && w.rings.customer[h] != w.rings.customer[i] {
				others[w.rings.customer[h]] = true
			}
		}
	}
	f.Ring.Kinds, f.Tie.Customers = len(kinds), len(others)
	if w.bursts[k] {
		families[bonafide.FamilyTime] = true
	}
	for _, fam := range bonafide.Families {
		if families[fam] {
			f.Tie.Families = append(f.Tie.Families, fam)
		}
	}
	at, _ := slices.BinarySearchFunc(r.Ties, v.ID, func(t bonafide.Tie, id string) int { return cmp.Compare(t.Complaint, id) })
	v.Why = append(v.Why, r.Ties[at].Why...)
}

// ruleName names a rule by its criterion first, where that does not begin its id already.
func ruleName(r *policy.Rule) string {
	return strings.TrimSpace(string(r.Criteria) + " " + strings.TrimPrefix(r.ID, string(r.Criteria)))
}

// verdict puts what the policy proposes into words.
func (w *writer) verdict(v *bonafide.Verdict, g policy.Grading, f policy.Facts) {
	v.Level, v.Route, v.Criteria = g.Level, g.Route, g.Criteria
	v.Innocent, v.Families = g.Innocent, f.Tie.Families
	if f.Letter.Customers > 1 {
		if f.Letter.Public {
			v.Why = append(v.Why, fmt.Sprintf("its letter is a public template that %d customers sent: advice followed, nothing more", f.Letter.Customers))
		} else {
			v.Why = append(v.Why, fmt.Sprintf("its letter shares its wording with those of %s", count(f.Letter.Customers-1, "other customer", "other customers")))
		}
	}
	for _, r := range g.Rules {
		v.Why = append(v.Why, fmt.Sprintf("%s: %s (%s)", ruleName(r), r.Title, r.Basis))
	}
	if g.Held != "" {
		v.Why = append(v.Why, "held back: "+g.Held)
	}
}

// warn says what could not be tested.
func (w *writer) warn() {
	filed := 0
	for _, sub := range w.all {
		if len(sub.facts.Filed) > 0 || len(sub.papers) > 0 {
			filed++
		}
	}
	if filed == 0 && len(w.all) > 0 {
		w.out.Warnings = append(w.out.Warnings, "no complaint has an identifier or a document: only wording could be compared, so nothing stands above information")
	}
	if w.days == 0 && len(w.all) > 0 {
		w.out.Warnings = append(w.out.Warnings, "no dates: timing was not tested")
	}
}
