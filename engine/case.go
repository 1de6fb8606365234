package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"bonafide"
	"bonafide/casefile"
	"bonafide/normalize"
	"bonafide/pipeline"
	"bonafide/store"
)

// A CaseStart is what a case is begun with.
type CaseStart struct {
	Title, Reason              string
	Rings, Complaints, Adverts []string
}

// BeginCase writes down a clue: a ring, a complaint, an advert, or something that a person
// heard. It changes nothing about any complaint.
func (e *Engine) BeginCase(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, s CaseStart) (id string, err error) {
	if strings.TrimSpace(s.Title) == "" || strings.TrimSpace(s.Reason) == "" {
		return "", &bonafide.Error{Kind: bonafide.Invalid, Msg: "a case needs a title, and the reason why it is begun"}
	}
	if err := errors.Join(brief("title", s.Title), brief("reason", s.Reason)); err != nil {
		return "", err
	}
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Lock(ctx, t); err != nil {
			return err
		}
		id = e.cfg.DB.NewID()
		now := e.cfg.Now().UTC().Truncate(time.Microsecond)
		c := bonafide.Case{ID: id, Stage: bonafide.StageClue, Begun: now, Since: now, Rings: s.Rings, Complaints: s.Complaints, Adverts: s.Adverts}
		if err := e.linked(ctx, tx, t, &c); err != nil {
			return err
		}
		c.Title, c.Reason = strings.TrimSpace(s.Title), strings.TrimSpace(s.Reason)
		return e.addCase(ctx, tx, t, by, c, "begin")
	})
	return id, e.changed(err)
}

// addCase stores a new case under the next number.
func (e *Engine) addCase(ctx context.Context, tx *store.Tx, t bonafide.Tenant, by bonafide.Actor, c bonafide.Case, what string) error {
	n, err := tx.NextCase(ctx, t)
	if err != nil {
		return err
	}
	c.Number = n
	return e.keepCase(ctx, tx, t, by, store.CaseRow{Case: c}, bonafide.CaseStep{At: c.Begun, By: by.ID, What: what, To: c.Stage, Reason: c.Reason})
}

// keepCase stores a case with a step of its history. What stands in it about customers who
// are in it is hidden, whenever they came in; what is about complaints that left it goes.
func (e *Engine) keepCase(ctx context.Context, tx *store.Tx, t bonafide.Tenant, by bonafide.Actor, row store.CaseRow, step bonafide.CaseStep) error {
	ids, err := complaintsOf(ctx, tx, t, &row.Case)
	if err != nil {
		return err
	}
	mask, err := maskerOf(ctx, tx, t, ids)
	if err != nil {
		return err
	}
	row.Case = casefile.Prune(casefile.Clone(row.Case), ids)
	maskCase(&row.Case, mask)
	if step.Reason != row.Assignee { // an id
		step.Reason = mask(step.Reason)
	}
	row.Held = nil
	if row.Hold {
		for _, id := range ids {
			subject, err := tx.SubjectOf(ctx, t, id)
			if err != nil {
				return err
			}
			row.Held = append(row.Held, subject)
		}
	}
	row.Amounts = casefile.Amount(row.Losses)
	row.DueAt = time.Time{}
	if k, ok := row.Due(); ok && row.Stage != bonafide.StageClosed {
		row.DueAt = k.Due
	}
	row.Version++
	return tx.SaveCase(ctx, t, by, row, step)
}

// maskCase hides names and identifiers in what people wrote into a case. Numbers that
// authorities gave, and the names of those who may stand behind it, stay.
func maskCase(c *bonafide.Case, mask func(string) string) {
	for _, s := range []*string{&c.Title, &c.Reason, &c.Innocent, &c.Lessons} {
		*s = mask(*s)
	}
	for i := range c.Parties {
		c.Parties[i].Basis = mask(c.Parties[i].Basis)
	}
	for i := range c.Losses {
		c.Losses[i].Basis = mask(c.Losses[i].Basis)
	}
	for i := range c.Exhibits {
		c.Exhibits[i].Note = mask(c.Exhibits[i].Note)
	}
	for i := range c.Tasks {
		if !strings.HasPrefix(c.Tasks[i].Template, "watch.") { // ids
			c.Tasks[i].Text = mask(c.Tasks[i].Text)
		}
		c.Tasks[i].Note = mask(c.Tasks[i].Note)
	}
	for i := range c.Requests {
		c.Requests[i].What, c.Requests[i].Answer = mask(c.Requests[i].What), mask(c.Requests[i].Answer)
	}
	for i := range c.Handovers {
		c.Handovers[i].Unit = mask(c.Handovers[i].Unit)
	}
	for i := range c.Looks {
		c.Looks[i].Found = mask(c.Looks[i].Found)
	}
	if c.Pending != nil {
		p := *c.Pending
		p.Reason = mask(p.Reason)
		c.Pending = &p
	}
}

// linked checks that what a case is about is there.
func (e *Engine) linked(ctx context.Context, tx *store.Tx, t bonafide.Tenant, c *bonafide.Case) error {
	for _, list := range []*[]string{&c.Rings, &c.Complaints, &c.Adverts} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	for _, id := range c.Rings {
		if _, err := tx.Ring(ctx, t, id); err != nil {
			return err
		}
	}
	for _, id := range c.Complaints {
		if _, err := tx.SubjectOf(ctx, t, id); err != nil {
			return err
		}
	}
	have, err := tx.Adverts(ctx, t, c.Adverts, 0)
	if err == nil && len(c.Adverts) > 0 && len(have) != len(c.Adverts) {
		err = &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such advert"}
	}
	return err
}

// complaintsOf lists the complaints of a case: those named, and the members of its rings.
func complaintsOf(ctx context.Context, tx *store.Tx, t bonafide.Tenant, c *bonafide.Case) ([]string, error) {
	all := slices.Clone(c.Complaints)
	for _, id := range c.Rings {
		r, err := tx.Ring(ctx, t, id)
		if errors.Is(err, bonafide.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, r.Members...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// ComplaintsOfCase lists the complaints of a case: those named, and the members of its rings.
func (e *Engine) ComplaintsOfCase(ctx context.Context, tx *store.Tx, t bonafide.Tenant, c *bonafide.Case) ([]string, error) {
	return complaintsOf(ctx, tx, t, c)
}

// masker hides the names of a case's customers, and identifiers, in what is written into it:
// a case outlives what is kept of them.
func (e *Engine) masker(ctx context.Context, tx *store.Tx, t bonafide.Tenant, c *bonafide.Case) (func(string) string, error) {
	ids, err := complaintsOf(ctx, tx, t, c)
	if err != nil {
		return nil, err
	}
	return maskerOf(ctx, tx, t, ids)
}

// maskerOf hides the names of the customers of complaints, and identifiers.
func maskerOf(ctx context.Context, tx *store.Tx, t bonafide.Tenant, ids []string) (func(string) string, error) {
	bodies, err := bodiesOf(ctx, tx, t, ids)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range bodies {
		names = append(names, c.Customer.Name)
		if c.Representative != nil {
			names = append(names, c.Representative.Name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return func(s string) string {
		if s == "" {
			return ""
		}
		return strings.TrimSpace(pipeline.MaskLetter(s, names...))
	}, nil
}

// bodiesOf reads complaints that were not erased.
func bodiesOf(ctx context.Context, tx *store.Tx, t bonafide.Tenant, ids []string) (map[string]*bonafide.Complaint, error) {
	out := map[string]*bonafide.Complaint{}
	for some := range slices.Chunk(ids, part) {
		bodies, err := tx.Bodies(ctx, t, some)
		if err != nil {
			return nil, err
		}
		for id, b := range bodies {
			c := new(bonafide.Complaint)
			if err := json.Unmarshal(b, c); err != nil {
				return nil, fmt.Errorf("complaint %s: %w", id, err)
			}
			out[id] = c
		}
	}
	return out, nil
}

// CaseFacts reads what a case has besides what it says itself.
func (e *Engine) CaseFacts(ctx context.Context, tx *store.Tx, t bonafide.Tenant, row store.CaseRow) (casefile.Facts, error) {
	f := casefile.Facts{Held: map[string]bool{}}
	items, err := tx.Items(ctx, t, row.ID)
	if err != nil {
		return f, err
	}
	for _, i := range items {
		if !i.Erased {
			f.Items++
			f.Held[i.ID] = true
		}
	}
	ids, err := complaintsOf(ctx, tx, t, &row.Case)
	if err != nil {
		return f, err
	}
	there, err := bodiesOf(ctx, tx, t, ids)
	if err != nil {
		return f, err
	}
	for _, id := range ids {
		track, err := tx.Track(ctx, t, id)
		if err != nil {
			return f, err
		}
		m, err := tx.Merit(ctx, t, id)
		if err != nil && !errors.Is(err, bonafide.NotFound) {
			return f, err
		}
		var merit bonafide.Merit
		if len(m.Body) > 0 {
			if err := json.Unmarshal(m.Body, &merit); err != nil {
				return f, fmt.Errorf("merit of %s: %w", id, err)
			}
		}
		looked := slices.ContainsFunc(row.Looks, func(l bonafide.Look) bool { return l.Complaint == id })
		switch {
		case track.Outcome == "upheld" || track.Outcome == "partly-upheld" || m.Found != "" && m.Found != "null" && m.Found != "[]":
			f.Upheld = append(f.Upheld, id)
		case track.Outcome == "" && len(merit.Tested) == 0 && !looked && there[id] != nil:
			f.Untested = append(f.Untested, id)
		}
	}
	seals, err := tx.Seals(ctx, t, row.ID, VariantPolice)
	if err != nil || len(seals) == 0 {
		return f, err
	}
	last := seals[len(seals)-1]
	f.Sealed = last.Number
	if row.Stage.Can(bonafide.MoveReport) { // costs a look at every complaint
		f.Changed, err = e.changedSince(ctx, tx, t, row.ID, last)
	}
	return f, err
}

// alters reports whether a step changes what a pack says of a case: that it was handed over,
// or is about to be reported, does not.
func alters(what string) bool {
	switch what {
	case "handover", "request", "answer", "ask-report", "report", "assign", "group", "note", "task-done", "watch", "watch-remove", "watched", "hold", "ask-lift-hold":
		return false
	}
	return true
}

// readCase reads a case as a person saw it in a version, under the tenant's lock.
func readCase(ctx context.Context, tx *store.Tx, t bonafide.Tenant, id string, version int) (store.CaseRow, error) {
	if _, err := tx.Lock(ctx, t); err != nil {
		return store.CaseRow{}, err
	}
	row, err := tx.Case(ctx, t, id)
	if err == nil && version > 0 && row.Version != version {
		err = &bonafide.Error{Kind: bonafide.Conflict, Msg: "somebody else changed this meanwhile: look at it again"}
	}
	return row, err
}

// MoveCase moves a case along. A refusal for want of something is a [casefile.LackError].
// What the authorities decided reaches its rings, tags and what is learned: see feedback.
func (e *Engine) MoveCase(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, version int, act casefile.Act) error {
	act.By = by.ID
	if err := errors.Join(brief("reason", act.Reason), brief("innocent", act.Innocent), brief("number", act.Number)); err != nil {
		return err
	}
	d, err := e.desk(ctx, t)
	if err != nil {
		return err
	}
	return e.changed(e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		row, err := readCase(ctx, tx, t, id, version)
		if err != nil {
			return err
		}
		facts, err := e.CaseFacts(ctx, tx, t, row)
		if err != nil {
			return err
		}
		mask, err := e.masker(ctx, tx, t, &row.Case)
		if err != nil {
			return err
		}
		masked := act
		masked.Reason, masked.Innocent = mask(act.Reason), mask(act.Innocent)
		if err := ringsStand(ctx, tx, t, row.Case, act.Move); err != nil {
			return err
		}
		next, step, err := casefile.Step(row.Case, masked, facts, e.cfg.Clocks, e.cfg.Now())
		if err != nil {
			return err
		}
		row.Case = next
		if err := e.keepCase(ctx, tx, t, by, row, step); err != nil {
			return err
		}
		return d.feedback(ctx, tx, by, next, masked)
	}))
}

// ringsStand refuses to take a case to lawyers or police on a ring that is no more: its evidence
// was taken back, a person cleared it, or it is part of another.
func ringsStand(ctx context.Context, tx *store.Tx, t bonafide.Tenant, c bonafide.Case, m bonafide.Move) error {
	if m != bonafide.MoveReview && m != bonafide.MovePrepare && m != bonafide.MoveReport {
		return nil
	}
	for _, id := range c.Rings {
		r, err := tx.Ring(ctx, t, id)
		if err != nil {
			return err
		}
		if s := bonafide.RingState(r.State); s != bonafide.RingProposed && s != bonafide.RingIsFirm {
			return &bonafide.Error{Kind: bonafide.Conflict, Msg: fmt.Sprintf("a ring of the case no longer stands, it is %s: take it out of the case, or look at it again", s)}
		}
	}
	return nil
}

// ChangeCase writes something into a case without moving it.
func (e *Engine) ChangeCase(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, version int, ch casefile.Change) error {
	ch.By = by.ID
	var seen map[string][]string // by a watch that begins: what is there already is no news
	if ch.What == "watch" {
		var row store.CaseRow
		err := e.cfg.DB.View(ctx, func(tx *store.Tx) (err error) { row, err = tx.Case(ctx, t, id); return err })
		if err != nil {
			return err
		}
		row.Watches = []bonafide.Watch{{Kind: ch.Kind, Value: ch.Name}}
		if seen, err = e.news(ctx, t, row); err != nil {
			return err
		}
	}
	var given []string // items in a sealed pack that is handed over
	if ch.What == "handover" && ch.Handover.Seal > 0 {
		err := e.cfg.DB.View(ctx, func(tx *store.Tx) error {
			row, err := tx.Case(ctx, t, id)
			if err != nil {
				return err
			}
			return e.fits(ctx, tx, t, row, ch)
		})
		if err != nil {
			return err
		}
		if given, err = e.sealedItems(ctx, t, id, ch.Handover.Variant, ch.Handover.Seal); err != nil {
			return err
		}
	}
	return e.changed(e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		row, err := readCase(ctx, tx, t, id, version)
		if err != nil {
			return err
		}
		if err := e.fits(ctx, tx, t, row, ch); err != nil {
			return err
		}
		next, step, err := casefile.Write(row.Case, ch, e.cfg.DB.NewID(), e.cfg.Now())
		if err != nil {
			return err
		}
		if ch.What == "watch" {
			next.Watches[len(next.Watches)-1].Seen = seen[""]
		}
		if ch.What == "handover" {
			if err := e.handOver(ctx, tx, t, by, next, given); err != nil {
				return err
			}
		}
		row.Case = next
		return e.keepCase(ctx, tx, t, by, row, step)
	}))
}

// fits checks of a change what only the store knows.
func (e *Engine) fits(ctx context.Context, tx *store.Tx, t bonafide.Tenant, row store.CaseRow, ch casefile.Change) error {
	switch ch.What {
	case "assign", "group":
		if ch.Name == "" || ch.What == "group" && !ch.On {
			return nil
		}
		p, err := tx.Person(ctx, t, ch.Name)
		if err == nil && (!p.Disabled.IsZero() || !p.Actor().May(bonafide.ScopeCasesRead)) {
			err = &bonafide.Error{Kind: bonafide.Invalid, Msg: "this person cannot see cases"}
		}
		return err
	case "link":
		one := bonafide.Case{}
		switch ch.Kind {
		case "ring":
			one.Rings = []string{ch.Name}
		case "complaint":
			one.Complaints = []string{ch.Name}
		case "advert":
			one.Adverts = []string{ch.Name}
		}
		return e.linked(ctx, tx, t, &one)
	case "party":
		if err := e.ofNoCustomer(ctx, tx, t, &row.Case, ch.Party); err != nil {
			return err
		}
		return inCase(ctx, tx, t, &row.Case, ch.Party.Complaint)
	case "loss":
		return inCase(ctx, tx, t, &row.Case, ch.Loss.Complaint)
	case "merit":
		return inCase(ctx, tx, t, &row.Case, ch.Name)
	case "exhibit":
		if ch.Exhibit.Item == "" {
			return nil
		}
		i, err := tx.Item(ctx, t, ch.Exhibit.Item)
		if err == nil && i.Case != row.ID {
			err = &bonafide.Error{Kind: bonafide.Invalid, Msg: "item: not one of the case"}
		}
		return err
	case "handover":
		h := ch.Handover
		if h.Seal > 0 {
			seals, err := tx.Seals(ctx, t, row.ID, h.Variant)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(seals, func(s store.Seal) bool { return s.Number == h.Seal }) {
				return &bonafide.Error{Kind: bonafide.Invalid, Msg: "handover: there is no such sealed pack"}
			}
		}
		for _, id := range h.Items {
			if i, err := tx.Item(ctx, t, id); err != nil || i.Case != row.ID {
				return &bonafide.Error{Kind: bonafide.Invalid, Msg: "handover: an item is not one of the case"}
			}
		}
	}
	return nil
}

// ofNoCustomer refuses a person or organisation that is named as a customer of the case is, or
// by what one owns: a borrower is named by their complaint alone.
func (e *Engine) ofNoCustomer(ctx context.Context, tx *store.Tx, t bonafide.Tenant, c *bonafide.Case, p bonafide.Party) error {
	ids, err := complaintsOf(ctx, tx, t, c)
	if err != nil {
		return err
	}
	bodies, err := bodiesOf(ctx, tx, t, ids)
	if err != nil {
		return err
	}
	for _, b := range bodies {
		if name := normalize.Fold(b.Customer.Name); name != "" && name == normalize.Fold(p.Name) {
			return &bonafide.Error{Kind: bonafide.Invalid, Msg: "a customer of the case has this name: a borrower is named by their complaint alone"}
		}
	}
	return nil
}

// inCase checks that a complaint is one of a case; "" names none.
func inCase(ctx context.Context, tx *store.Tx, t bonafide.Tenant, c *bonafide.Case, complaint string) error {
	if complaint == "" {
		return nil
	}
	all, err := complaintsOf(ctx, tx, t, c)
	if err == nil && !slices.Contains(all, complaint) {
		err = &bonafide.Error{Kind: bonafide.Invalid, Msg: "complaint: not one of the case"}
	}
	return err
}

// handOver writes into the custody of every item that was handed over to whom it went.
func (e *Engine) handOver(ctx context.Context, tx *store.Tx, t bonafide.Tenant, by bonafide.Actor, c bonafide.Case, given []string) error {
	h := c.Handovers[len(c.Handovers)-1]
	items, err := tx.Items(ctx, t, c.ID)
	if err != nil {
		return err
	}
	for _, i := range items {
		if !slices.Contains(h.Items, i.ID) && !slices.Contains(given, i.ID) {
			continue
		}
		detail := map[string]any{"to": h.To, "handover": h.ID}
		if h.Seal > 0 {
			detail["seal"], detail["variant"] = h.Seal, h.Variant
		}
		if _, err := tx.Custody(ctx, t, by, i.ID, "handed-over", detail); err != nil {
			return err
		}
	}
	return nil
}

// MergeCases puts what is in one case into another and closes it.
func (e *Engine) MergeCases(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, into, from, reason string) error {
	return e.changed(e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		a, err := readCase(ctx, tx, t, into, 0)
		if err != nil {
			return err
		}
		b, err := readCase(ctx, tx, t, from, 0)
		if err != nil {
			return err
		}
		now := e.cfg.Now().UTC().Truncate(time.Microsecond)
		before, gone := a.Stage, b.Stage
		if a.Case, b.Case, err = casefile.Merge(a.Case, b.Case, by.ID, reason, now); err != nil {
			return err
		}
		mask, err := e.masker(ctx, tx, t, &a.Case) // of both
		if err != nil {
			return err
		}
		reason := mask(reason)
		return errors.Join(
			tx.MoveItems(ctx, t, by, from, into),
			e.keepCase(ctx, tx, t, by, a, bonafide.CaseStep{At: now, By: by.ID, What: "merge", From: before, To: a.Stage, Reason: reason, Number: fmt.Sprint(b.Number)}),
			e.keepCase(ctx, tx, t, by, b, bonafide.CaseStep{At: now, By: by.ID, What: "merged", From: gone, To: b.Stage, Exit: bonafide.ExitMerged, Reason: reason, Number: fmt.Sprint(a.Number)}),
		)
	}))
}

// SplitCase takes rings and complaints out of a case into a new one.
func (e *Engine) SplitCase(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, version int, rings, complaints []string, reason string) (split string, err error) {
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		row, err := readCase(ctx, tx, t, id, version)
		if err != nil {
			return err
		}
		mask, err := e.masker(ctx, tx, t, &row.Case)
		if err != nil {
			return err
		}
		now := e.cfg.Now().UTC().Truncate(time.Microsecond)
		before := row.Stage
		rest, out, err := casefile.Split(row.Case, rings, complaints, by.ID, mask(reason), now)
		if err != nil {
			return err
		}
		split = e.cfg.DB.NewID()
		out.ID, row.Case = split, rest
		return errors.Join(
			e.keepCase(ctx, tx, t, by, row, bonafide.CaseStep{At: now, By: by.ID, What: "split", From: before, To: rest.Stage, Reason: mask(reason)}),
			e.addCase(ctx, tx, t, by, out, "split-off"),
		)
	})
	return split, e.changed(err)
}

// AddAdvert keeps an advert of somebody who offers to complain for others.
func (e *Engine) AddAdvert(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, a bonafide.Advert) (id string, err error) {
	switch {
	case strings.TrimSpace(a.Where) == "":
		return "", &bonafide.Error{Kind: bonafide.Invalid, Msg: "where: say on which platform or at which place it was seen"}
	case a.Text == "" && a.URL == "" && a.Publisher == "" && len(a.Identifiers) == 0:
		return "", &bonafide.Error{Kind: bonafide.Invalid, Msg: "an advert needs its text, its address or its publisher"}
	case len(a.Identifiers) > 50:
		return "", &bonafide.Error{Kind: bonafide.Invalid, Msg: "identifiers: up to 50"}
	}
	if err := errors.Join(brief("where", a.Where), brief("publisher", a.Publisher), brief("url", a.URL), brief("text", a.Text)); err != nil {
		return "", err
	}
	now := e.cfg.Now().UTC().Truncate(time.Microsecond)
	a.ID, a.By = e.cfg.DB.NewID(), by.ID
	if a.Seen.IsZero() || a.Seen.After(now) {
		a.Seen = now
	}
	for _, f := range normalize.Find(a.Text) { // what the text itself names
		id := bonafide.Identifier{Kind: bonafide.IdentifierKind(f.Kind), Value: f.Value}
		if slices.Contains(bonafide.IdentifierKinds, id.Kind) && !slices.Contains(a.Identifiers, id) && len(a.Identifiers) < 50 {
			a.Identifiers = append(a.Identifiers, id)
		}
	}
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error { return tx.SaveAdvert(ctx, t, by, a) })
	return a.ID, err
}

// Fed lists the complaints that were filed with something that an advert names.
func (e *Engine) Fed(ctx context.Context, t bonafide.Tenant, a bonafide.Advert) ([]string, error) {
	found := map[string]bool{}
	for _, id := range a.Identifiers {
		ids, _, ok, err := e.Filed(ctx, t, id, fedMost)
		if err != nil {
			return nil, err
		}
		if ok {
			for _, c := range ids {
				found[c] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// fedMost bounds what is looked up for one value.
const fedMost = 500

// A Next is a move that the stage of a case allows, with what it still lacks.
type Next struct {
	Move  bonafide.Move
	Lacks []casefile.Lack
	Why   string // the same in English
	Two   bool   // two people decide
	First string // who decided first, Actor.ID
}

// NextMoves lists what the stage of a case allows.
func (e *Engine) NextMoves(ctx context.Context, tx *store.Tx, t bonafide.Tenant, row store.CaseRow) ([]Next, error) {
	facts, err := e.CaseFacts(ctx, tx, t, row)
	if err != nil {
		return nil, err
	}
	var out []Next
	if row.Into != "" {
		return nil, nil
	}
	for _, m := range row.Stage.Moves() {
		n := Next{Move: m, Lacks: casefile.Lacks(&row.Case, m, facts, e.cfg.Now()), Two: casefile.NeedsTwo(m)}
		if len(n.Lacks) > 0 {
			n.Why = (&casefile.LackError{Move: m, Lacks: n.Lacks}).Error()
		}
		if row.Pending != nil && row.Pending.What == string(m) {
			n.First = row.Pending.By
		}
		out = append(out, n)
	}
	return out, nil
}

// shareable refuses to tell others of a case unless the police filed it and nobody let it go
// since, or every ring of it was confirmed at level 1 by two people while it goes on.
func shareable(ctx context.Context, tx *store.Tx, t bonafide.Tenant, c *bonafide.Case) error {
	no := &bonafide.Error{Kind: bonafide.Conflict, Msg: "only what the police filed and nobody let go since, or two people confirmed at level 1, is shared with others"}
	switch c.Stage {
	case bonafide.StageFiled, bonafide.StageInvestigation, bonafide.StageProcurator, bonafide.StageSupplement, bonafide.StageIndicted, bonafide.StageJudgment:
		return nil
	case bonafide.StageClosed:
		if c.Exit == bonafide.ExitJudgment {
			return nil
		}
		return no
	case bonafide.StageOpened, bonafide.StagePreserving, bonafide.StageLegalReview, bonafide.StagePrepared, bonafide.StageReported, bonafide.StageReceipt, bonafide.StagePoliceReview:
	default:
		return no
	}
	if len(c.Rings) == 0 {
		return no
	}
	for _, id := range c.Rings {
		r, err := tx.Ring(ctx, t, id)
		if err != nil {
			return err
		}
		if r.State != string(bonafide.RingIsFirm) || bonafide.Level(r.Level) != bonafide.Level1 {
			return no
		}
	}
	return nil
}

// Stix writes the grey industry's infrastructure of a case for others, where it may be
// shared. That it was written is logged.
func (e *Engine) Stix(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string) ([]byte, error) {
	d, err := e.desk(ctx, t)
	if err != nil {
		return nil, err
	}
	var out []byte
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		row, err := readCase(ctx, tx, t, id, 0)
		if err != nil {
			return err
		}
		if err := shareable(ctx, tx, t, &row.Case); err != nil {
			return err
		}
		ids, err := complaintsOf(ctx, tx, t, &row.Case)
		if err != nil {
			return err
		}
		own, err := d.ownedBy(ctx, tx, ids)
		if err != nil {
			return err
		}
		adverts, err := tx.Adverts(ctx, t, row.Adverts, 0)
		if err != nil {
			return err
		}
		out, err = casefile.Infrastructure{Case: row.Case, Adverts: adverts, Innocent: own, Origin: e.cfg.Lender, At: row.Since}.Bundle()
		if err != nil {
			return err
		}
		return tx.Record(ctx, t, by, "case.shared", "case:"+id, map[string]any{"format": "STIX 2.1", "bytes": len(out)})
	})
	return out, err
}

// ownedBy reports of values whether a customer of these complaints owns them, as the lender's
// records or the complaints say, or whether only one customer's complaints came with them: a
// number of which nobody else made use is nobody's infrastructure.
func (d *desk) ownedBy(ctx context.Context, tx *store.Tx, ids []string) (func(bonafide.Identifier) bool, error) {
	bodies, err := bodiesOf(ctx, tx, d.tenant, ids)
	if err != nil {
		return nil, err
	}
	k := d.live.Keeper()
	own := map[pipeline.SharedKey]bool{}
	used := map[pipeline.SharedKey]map[string]bool{}
	file := func(id bonafide.Identifier) (pipeline.SharedKey, bool) { return k.Filed(id) }
	add := func(kind bonafide.IdentifierKind, value string) {
		if x, ok := file(bonafide.Identifier{Kind: kind, Value: value}); ok {
			own[x] = true
		}
	}
	customer := func(c *bonafide.Customer) {
		add(bonafide.Phone, c.Phone)
		add(bonafide.Email, c.Email)
		add(bonafide.Address, c.Address)
	}
	for _, id := range ids {
		c := bodies[id]
		if c == nil {
			continue
		}
		customer(&c.Customer)
		add(bonafide.Account, c.Account)
		subject, err := tx.SubjectOf(ctx, d.tenant, id)
		if err != nil {
			return nil, err
		}
		for _, v := range c.Contacts {
			if x, ok := file(v); ok {
				if used[x] == nil {
					used[x] = map[string]bool{}
				}
				used[x][subject] = true
			}
		}
	}
	after := ""
	for {
		page, err := tx.Records(ctx, d.tenant, RecordCustomer, after, part)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			after = r.ID
			if len(r.Body) == 0 {
				continue
			}
			var who bonafide.Customer
			if err := json.Unmarshal(r.Body, &who); err != nil {
				return nil, fmt.Errorf("customer: %w", err)
			}
			customer(&who)
		}
		if len(page) < part {
			break
		}
	}
	return func(id bonafide.Identifier) bool {
		x, ok := file(id)
		return ok && (own[x] || len(used[x]) == 1)
	}, nil
}
