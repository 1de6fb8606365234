package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"bonafide"
	"bonafide/casefile"
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
	if saidInWords(step.What) {
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
