package engine

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"bonafide"
	"bonafide/pipeline"
	"bonafide/ring"
	"bonafide/store"
)

// settled is what is stored already, so that only what changed is written. It is
// read anew for each grouping: another process may have settled the last one.
type settled struct {
	since     int64 // events before it began
	verdicts  map[string][32]byte
	templates map[string]templateState
}

type templateState struct {
	members []string
	digest  [32]byte
}

// part bounds what one statement reads and one transaction of settling writes, so that
// complaints are not kept waiting for it.
const part = 200

// A change is what one grouping made of one ring.
type change struct {
	row    store.RingRow
	ring   bonafide.Ring
	keys   []pipeline.SharedKey
	events []bonafide.Event
	wrote  bool // something of it changed
}

// settle stores what a grouping changed: rings under their lasting ids, verdicts,
// templates, tags. Each step is one transaction and can be repeated; the last ends
// the job.
func (d *desk) settle(ctx context.Context, g *pipeline.Grouping, apart [][2]string, j store.Job) error {
	if err := d.begin(ctx); err != nil {
		return err
	}
	before, err := d.rings(ctx)
	if err != nil {
		return err
	}
	if err := d.remember(ctx); err != nil {
		return err
	}
	now := d.cfg.Now().UTC()
	changes, lasting := d.track(before, g, now, apart, false)
	if err := d.settleIncidents(ctx, g.Result.Incidents, j); err != nil {
		return err
	}
	if err := d.settleVerdicts(ctx, g, changes, lasting, j); err != nil {
		return err
	}
	if err := d.saveChanges(ctx, changes, g, now, j); err != nil {
		return err
	}
	members, cleared := map[string][]string{}, map[string]bool{}
	for _, c := range changes {
		if c.row.Found || c.row.State == string(bonafide.RingIsFirm) {
			members[c.row.ID] = c.row.Members
			cleared[c.row.ID] = c.row.State == string(bonafide.RingIsCleared)
		}
	}
	d.live.Belong(members, cleared)
	return d.done(ctx, j)
}

// saveChanges stores changed rings, some at a time.
func (d *desk) saveChanges(ctx context.Context, changes []change, g *pipeline.Grouping, now time.Time, j store.Job) error {
	var wrote []change
	for _, c := range changes {
		if c.wrote {
			wrote = append(wrote, c)
		}
	}
	for len(wrote) > 0 {
		// So many that their members, each with its tags, stay within part.
		n, size := 1, len(wrote[0].row.Members)
		for n < len(wrote) && size+len(wrote[n].row.Members) <= part {
			size += len(wrote[n].row.Members)
			n++
		}
		some := wrote[:n]
		wrote = wrote[n:]
		var since int64
		err := d.update(ctx, func(tx *store.Tx) error {
			if err := d.watch(ctx, tx, j); err != nil {
				return err
			}
			if err := d.saveRings(ctx, tx, some, g.Self, now); err != nil {
				return err
			}
			var err error
			since, err = tx.CountEvents(ctx, d.tenant) // its own are no surprise
			return err
		})
		if err != nil {
			return fmt.Errorf("store rings: %w", err)
		}
		d.settling.since = since
	}
	return nil
}

// rings reads the rings that can go on: proposed, confirmed and cleared.
func (d *desk) rings(ctx context.Context) ([]store.RingRow, error) {
	var out []store.RingRow
	err := d.cfg.DB.View(ctx, func(tx *store.Tx) error {
		for _, state := range []bonafide.RingState{bonafide.RingProposed, bonafide.RingIsFirm, bonafide.RingIsCleared} {
			after := ""
			for {
				page, err := tx.Rings(ctx, d.tenant, string(state), after, part)
				if err != nil {
					return err
				}
				out = append(out, page...)
				if len(page) < part {
					break
				}
				after = page[len(page)-1].ID
			}
		}
		return nil
	})
	return out, err
}

// reopens says how many new members a cleared ring needs to be looked at again: half
// of those it was cleared with, and three at least.
func reopens(cleared int) int { return max(3, (cleared+1)/2) }

// track gives the rings of a grouping their lasting ids and says what changed.
// lasting maps the grouping's ids to them.
//
// With growOnly, for a grouping of some of the complaints, nobody leaves a ring but who
// is kept apart from another member: the next whole grouping says who does.
func (d *desk) track(before []store.RingRow, g *pipeline.Grouping, now time.Time, apart [][2]string, growOnly bool) (changes []change, lasting map[string]string) {
	lasting = map[string]string{}
	olds := make([]ring.Lasting, len(before))
	byID := map[string]*store.RingRow{}
	for i := range before {
		r := &before[i]
		byID[r.ID] = r
		olds[i] = ring.Lasting{ID: r.ID, Members: r.Members, Firm: r.State != string(bonafide.RingProposed)}
	}
	found := make([][]string, len(g.Result.Rings))
	for i, r := range g.Result.Rings {
		found[i] = r.Members
	}
	steps := ring.Track(olds, found)
	decided := decisionsOf(before)
	in := map[string]int{} // the ring found that a complaint stands in
	held := map[int]bool{} // parts of a confirmed ring, which keeps its members
	for _, s := range steps {
		if s.Fate == ring.SplitOff && decided.firm(s.Other, found[s.Found]) {
			held[s.Found] = true
			lasting[g.Result.Rings[s.Found].ID] = s.Other
			continue
		}
		if s.Found >= 0 {
			for _, m := range found[s.Found] {
				in[m] = s.Found
			}
		}
	}
	ids := make([]string, len(found))
	for i := range steps {
		if steps[i].Found >= 0 {
			if steps[i].ID == "" {
				steps[i].ID = d.cfg.DB.NewID()
			}
			ids[steps[i].Found] = steps[i].ID
		}
	}
	for _, s := range steps {
		c := change{}
		emit := func(t bonafide.EventType, other, reason string) {
			c.events = append(c.events, bonafide.Event{
				Type: t, At: now, Target: bonafide.Target{Kind: bonafide.OnRing, ID: s.ID},
				Ring: s.ID, Other: other, Level: bonafide.Level(c.row.Level), Count: len(c.row.Members), Reason: reason,
			})
		}
		old := byID[s.ID]
		if held[s.Found] {
			continue
		}
		if s.Found < 0 {
			if growOnly && (s.Fate != ring.Merged || !contains(found[s.Into], old.Members)) {
				continue
			}
			d.lose(&c, *old, s, ids, emit)
			if c.wrote {
				c.row.Updated = now
			}
			changes = append(changes, c)
			continue
		}
		r := g.Result.Rings[s.Found]
		lasting[r.ID] = s.ID
		if growOnly && old != nil && len(s.Removed) > 0 {
			r = staying(r, *old, mayStay(s.Removed, r.Members, apart))
			s.Removed = nil
		}
		c.ring, c.keys = r, g.Shared[s.Found]
		c.ring.ID = s.ID
		c.row = store.RingRow{
			ID: s.ID, State: string(bonafide.RingProposed), Level: string(r.Level), Size: len(r.Members),
			Customers: customersOf(r.Members, g.Self), Found: true, Members: r.Members, Created: now, Updated: now,
		}
		if old == nil {
			c.wrote = true
			if s.Fate == ring.SplitOff {
				c.row.Reason = "it was part of another ring, whose members the evidence now divides"
				emit(bonafide.RingSplit, s.Other, c.row.Reason)
			} else {
				c.row.Reason = fmt.Sprintf("%d complaints by different customers share things and a way of writing", len(r.Members))
				emit(bonafide.RingFormed, "", c.row.Reason)
			}
		} else {
			d.goOn(&c, *old, s, in, apart, emit)
		}
		if from := decided.cleared(c.row.Members); from != nil && c.row.State == string(bonafide.RingProposed) && len(c.ring.Decisions) == 0 {
			c.row.State, c.row.Reason = string(bonafide.RingIsCleared), "most of its members were cleared as part of another ring"
			c.ring.Decisions, c.wrote = []bonafide.Decision{*from}, true
		}
		c.write()
		if last := lastDecision(c.ring.Decisions); old != nil && last != nil && old.Updated.Equal(last.At) {
			c.wrote = true // decided since: its tags say so
		}
		if old != nil && !c.wrote {
			c.row.Updated = old.Updated
			c.wrote = string(c.row.Body) != string(old.Body)
		}
		changes = append(changes, c)
	}
	return changes, lasting
}

// contains reports whether all of some are in all; both are ascending.
func contains(all, some []string) bool {
	for _, m := range some {
		if _, ok := slices.BinarySearch(all, m); !ok {
			return false
		}
	}
	return true
}

// staying returns r with the members it would lose of the ring it was.
func staying(r bonafide.Ring, old store.RingRow, removed []string) bonafide.Ring {
	var was bonafide.Ring
	// The ties of those who stay are kept as they were; without them the members still are.
	_ = json.Unmarshal(old.Body, &was)
	r.Members = slices.Sorted(slices.Values(append(slices.Clone(r.Members), removed...)))
	ties := slices.Clone(r.Ties)
	for _, t := range was.Ties {
		if slices.Contains(removed, t.Complaint) {
			ties = append(ties, t)
		}
	}
	slices.SortFunc(ties, func(a, b bonafide.Tie) int { return cmp.Compare(a.Complaint, b.Complaint) })
	r.Ties = ties
	return r
}

func (c *change) write() {
	// A ring of strings and numbers can always be written.
	c.row.Body, _ = json.Marshal(c.ring)
}

// goOn carries a ring on: what people decided stays.
func (d *desk) goOn(c *change, old store.RingRow, s ring.Step, in map[string]int, apart [][2]string, emit func(bonafide.EventType, string, string)) {
	var was bonafide.Ring
	if err := json.Unmarshal(old.Body, &was); err == nil {
		c.ring.Decisions = was.Decisions
	}
	c.row.State, c.row.Created, c.row.Reason = old.State, old.Created, old.Reason
	decided := lastDecision(c.ring.Decisions)
	if old.State == string(bonafide.RingIsFirm) && decided != nil {
		// Whom a person confirmed stays, also where the evidence alone would let go.
		// But who was kept apart by a person, or is found in another ring.
		var back []string
		for _, m := range old.Members {
			at, elsewhere := in[m]
			if slices.Contains(decided.Members, m) && !slices.Contains(c.row.Members, m) && (!elsewhere || at == s.Found) {
				back = append(back, m)
			}
		}
		back = mayStay(back, c.row.Members, apart)
		c.ring = staying(c.ring, old, back)
		c.row.Members, c.row.Size = c.ring.Members, len(c.ring.Members)
		s.Removed = slices.DeleteFunc(slices.Clone(s.Removed), func(m string) bool { return slices.Contains(back, m) })
	}
	if len(s.Added) > 0 {
		c.row.Reason = number(len(s.Added), "more complaint is", "more complaints are") + " tied to it"
		emit(bonafide.RingGrown, "", c.row.Reason)
	}
	if len(s.Removed) > 0 {
		c.row.Reason = number(len(s.Removed), "complaint is", "complaints are") + " no longer tied to it"
		emit(bonafide.RingShrunk, "", c.row.Reason)
	}
	if old.Level != c.row.Level {
		emit(bonafide.RingLevel, "", "another level is proposed for its members")
	}
	if old.State == string(bonafide.RingIsFirm) && bonafide.Level(c.row.Level) == bonafide.Level1 && confirmers(c.ring.Decisions) < 2 {
		c.row.State, c.row.Reason = string(bonafide.RingProposed), "its level rose to 1: a second person has to confirm it"
		emit(bonafide.RingAwaits, "", c.row.Reason)
	}
	if old.State == string(bonafide.RingIsCleared) && decided != nil {
		more := 0
		for _, m := range c.row.Members {
			if !slices.Contains(decided.Members, m) {
				more++
			}
		}
		if more >= reopens(len(decided.Members)) {
			c.row.State = string(bonafide.RingProposed)
			c.row.Reason = fmt.Sprintf("it was cleared with %d members and has %d more since: look again", len(decided.Members), more)
			emit(bonafide.RingReopened, "", c.row.Reason)
		}
	}
	c.wrote = len(c.events) > 0 || !old.Found
}

// lose ends a ring that the evidence no longer shows, unless a person confirmed it.
func (d *desk) lose(c *change, old store.RingRow, s ring.Step, ids []string, emit func(bonafide.EventType, string, string)) {
	c.row = old
	_ = json.Unmarshal(old.Body, &c.ring)
	c.row.Found = false
	switch {
	case s.Fate == ring.Merged && old.State == string(bonafide.RingProposed):
		c.row.State, c.wrote = string(bonafide.RingIsMerged), true
		c.row.Reason = "its members are part of another ring now"
		emit(bonafide.RingMerged, ids[s.Into], c.row.Reason)
	case old.State == string(bonafide.RingProposed):
		c.row.State, c.wrote = string(bonafide.RingIsNoLonger), true
		c.row.Reason = "what ties its members is no longer out of the ordinary, or was taken back"
		emit(bonafide.RingDissolved, "", c.row.Reason)
	default: // a person's decision stays
		c.wrote = old.Found
	}
}

func lastDecision(ds []bonafide.Decision) *bonafide.Decision {
	if len(ds) == 0 {
		return nil
	}
	return &ds[len(ds)-1]
}

func customersOf(members []string, self map[string]bonafide.Key) int {
	seen := map[bonafide.Key]bool{}
	unknown := 0
	for _, m := range members {
		if k := self[m]; k != 0 {
			seen[k] = true
		} else {
			unknown++
		}
	}
	return len(seen) + unknown
}

// saveRings stores some changed rings with their events and tags.
func (d *desk) saveRings(ctx context.Context, tx *store.Tx, changes []change, self map[string]bonafide.Key, now time.Time) error {
	by := bonafide.System("settle")
	var rows []store.RingRow
	var events []bonafide.Event
	for _, c := range changes {
		rows = append(rows, c.row)
		events = append(events, c.events...)
		more, err := d.settleTags(ctx, tx, by, c.row, c.ring, c.keys, self, now)
		if err != nil {
			return err
		}
		events = append(events, more...)
	}
	if len(rows) == 0 {
		return nil
	}
	if err := tx.SaveRings(ctx, d.tenant, by, rows); err != nil {
		return err
	}
	return tx.Emit(ctx, d.tenant, events...)
}

// remember reads what the last settling stored.
func (d *desk) remember(ctx context.Context) error {
	s := &d.settling
	return d.cfg.DB.View(ctx, func(tx *store.Tx) error {
		s.verdicts, s.templates = map[string][32]byte{}, map[string]templateState{}
		after := ""
		for {
			page, err := tx.Verdicts(ctx, d.tenant, after, 2000)
			if err != nil {
				return err
			}
			for _, v := range page {
				s.verdicts[v.Complaint] = sha256.Sum256(v.Body)
			}
			if len(page) < 2000 {
				break
			}
			after = page[len(page)-1].Complaint
		}
		after = ""
		for {
			page, err := tx.Templates(ctx, d.tenant, after, part)
			if err != nil {
				return err
			}
			for _, t := range page {
				var tm bonafide.Template
				if err := json.Unmarshal(t.Body, &tm); err != nil {
					return fmt.Errorf("template %s: %w", t.ID, err)
				}
				s.templates[t.ID] = templateState{tm.Members, sha256.Sum256(t.Body)}
			}
			if len(page) < part {
				break
			}
			after = page[len(page)-1].ID
		}
		return nil
	})
}

// settleVerdicts stores the verdicts and templates that changed.
func (d *desk) settleVerdicts(ctx context.Context, g *pipeline.Grouping, changes []change, lasting map[string]string, j store.Job) error {
	s := &d.settling
	by := bonafide.System("settle")
	names, err := d.settleTemplates(ctx, by, g)
	if err != nil {
		return err
	}
	rows := map[string]*change{}
	kept := map[string]bool{} // verdicts that a decision keeps as they are
	for i := range changes {
		rows[changes[i].row.ID] = &changes[i]
		if changes[i].row.State == string(bonafide.RingIsFirm) {
			for _, m := range changes[i].row.Members {
				kept[m] = true
			}
		}
	}
	var put []store.VerdictRow
	now := map[string]bool{}
	for _, v := range g.Result.Complaints {
		v.Ring, v.Template = lasting[v.Ring], names[v.Template]
		if c := rows[v.Ring]; c != nil && c.row.State == string(bonafide.RingIsCleared) {
			v = clearedVerdict(v, c.ring)
		}
		if v.Ring == "" && kept[v.ID] {
			continue // a confirmed ring holds it, though the evidence alone would not
		}
		now[v.ID] = true
		row, err := verdictRow(v)
		if err != nil {
			return err
		}
		if s.verdicts[v.ID] != sha256.Sum256(row.Body) {
			put = append(put, row)
		}
	}
	var drop []string
	for id := range s.verdicts {
		if !now[id] && !kept[id] {
			drop = append(drop, id)
		}
	}
	slices.Sort(drop)
	for len(put) > 0 || len(drop) > 0 {
		some, gone := put[:min(part, len(put))], drop[:min(part, len(drop))]
		put, drop = put[len(some):], drop[len(gone):]
		err := d.update(ctx, func(tx *store.Tx) error {
			if err := d.watch(ctx, tx, j); err != nil {
				return err
			}
			return tx.SaveVerdicts(ctx, d.tenant, by, some, gone)
		})
		if err != nil {
			return fmt.Errorf("store verdicts: %w", err)
		}
	}
	s.verdicts = nil
	return nil
}

func verdictRow(v bonafide.Verdict) (store.VerdictRow, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return store.VerdictRow{}, fmt.Errorf("write verdict: %w", err)
	}
	return store.VerdictRow{Complaint: v.ID, Level: string(v.Level), Route: string(v.Route), Ring: v.Ring, Template: v.Template, Body: body}, nil
}

// clearedVerdict says of a member of a ring that a person cleared what they found.
func clearedVerdict(v bonafide.Verdict, r bonafide.Ring) bonafide.Verdict {
	v.Level = bonafide.Information
	why := "a person looked at what ties it to others and cleared it"
	if last := lastDecision(r.Decisions); last != nil {
		why = fmt.Sprintf("a person looked at what ties it to others and cleared it on %s: %s", last.At.Format(time.DateOnly), last.Reason)
	}
	v.Why = append([]string{why}, v.Why...)
	return v
}

// settleTemplates gives templates lasting ids, as rings have them, and stores those
// that changed. It maps the grouping's ids to them.
func (d *desk) settleTemplates(ctx context.Context, by bonafide.Actor, g *pipeline.Grouping) (map[string]string, error) {
	s := &d.settling
	var olds []ring.Lasting
	for id, t := range s.templates {
		olds = append(olds, ring.Lasting{ID: id, Members: t.members})
	}
	slices.SortFunc(olds, func(a, b ring.Lasting) int { return cmp.Compare(a.ID, b.ID) })
	found := make([][]string, len(g.Result.Templates))
	for i, t := range g.Result.Templates {
		found[i] = t.Members
	}
	names := map[string]string{}
	var put []store.TemplateRow
	var drop []string
	for _, st := range ring.Track(olds, found) {
		if st.Found < 0 {
			drop = append(drop, st.ID)
			continue
		}
		t := g.Result.Templates[st.Found]
		id := cmp.Or(st.ID, "t"+d.cfg.DB.NewID())
		names[t.ID] = id
		t.ID = id
		body, err := json.Marshal(t)
		if err != nil {
			return nil, fmt.Errorf("write template: %w", err)
		}
		if s.templates[id].digest != sha256.Sum256(body) {
			put = append(put, store.TemplateRow{ID: id, Size: len(t.Members), Body: body})
		}
	}
	for len(put) > 0 || len(drop) > 0 {
		some, gone := put[:min(part, len(put))], drop[:min(part, len(drop))]
		put, drop = put[len(some):], drop[len(gone):]
		err := d.update(ctx, func(tx *store.Tx) error { return tx.SaveTemplates(ctx, d.tenant, by, some, gone) })
		if err != nil {
			return nil, fmt.Errorf("store templates: %w", err)
		}
	}
	s.templates = nil
	return names, nil
}

// number writes a count with its word.
func number(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
