package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"bonafide"
	"bonafide/casework"
	"bonafide/store"
)

// FileAppeal records that somebody says what is held against a complaint is wrong, and
// returns the appeal's id.
func (e *Engine) FileAppeal(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, complaint, ring, reason string) (string, error) {
	if strings.TrimSpace(reason) == "" {
		return "", &bonafide.Error{Kind: bonafide.Invalid, Msg: "an appeal needs its reason"}
	}
	a := store.AppealRow{ID: e.cfg.DB.NewID(), Complaint: complaint, Ring: ring, State: store.AppealOpen, Filed: e.cfg.Now().UTC(), FiledBy: by.ID}
	return a.ID, e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.SubjectOf(ctx, t, complaint); err != nil {
			return err
		}
		if ring != "" {
			of, err := tx.RingsOf(ctx, t, []string{complaint})
			if err != nil {
				return err
			}
			if !slices.Contains(of[complaint], ring) {
				return &bonafide.Error{Kind: bonafide.NotFound, Msg: "the complaint does not stand in that ring"}
			}
		}
		body := casework.Appeal{Reason: reason}
		var err error
		if body.Values, body.StoodIn, err = valuesOf(ctx, tx, t, complaint); err != nil {
			return err
		}
		if a.Body, err = json.Marshal(body); err != nil {
			return fmt.Errorf("write appeal: %w", err)
		}
		return tx.SaveAppeal(ctx, t, by, a)
	})
}

// DecideAppeal decides an open appeal. Whoever decided about the complaint's ring, put a
// tag on it or filed the appeal is Denied. Where it is upheld, the complaint and the
// customer's others leave every ring, lose their verdicts and tags, and are never put
// into one again; those are told who follow the events.
func (e *Engine) DecideAppeal(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, upheld bool, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "a decision needs its reason"}
	}
	d, err := e.desk(ctx, t)
	if err != nil {
		return err
	}
	var ids []string
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Lock(ctx, t); err != nil {
			return err
		}
		a, err := tx.Appeal(ctx, t, id)
		if err != nil {
			return err
		}
		subject, err := tx.SubjectOf(ctx, t, a.Complaint)
		if err != nil {
			return err
		}
		if ids, err = tx.ComplaintsOf(ctx, t, subject); err != nil {
			return err
		}
		tags, err := d.tagsOn(ctx, tx, subject, ids)
		if err != nil {
			return err
		}
		rings, err := d.ringsOf(ctx, tx, append(ids, a.Complaint), a.Ring)
		if err != nil {
			return err
		}
		hands, err := d.hands(ctx, tx, append(ids, a.Complaint))
		if err != nil {
			return err
		}
		if !casework.Uninvolved(by.ID, a.FiledBy, slices.Concat(involved(rings, tags), hands)) {
			return &bonafide.Error{Kind: bonafide.Denied, Msg: "an appeal is decided by somebody who had no part in what it is about"}
		}
		var body casework.Appeal
		if len(a.Body) > 0 {
			if err := json.Unmarshal(a.Body, &body); err != nil {
				return fmt.Errorf("appeal %s: %w", id, err)
			}
		}
		body.Decision = reason
		if a.Body, err = json.Marshal(body); err != nil {
			return fmt.Errorf("write appeal: %w", err)
		}
		a.State, a.Decided, a.DecidedBy = store.AppealRejected, e.cfg.Now().UTC(), by.ID
		if upheld {
			a.State = store.AppealUpheld
		}
		if err := tx.SaveAppeal(ctx, t, by, a); err != nil || !upheld {
			return err
		}
		return d.takeBack(ctx, tx, by, ids, rings, tags, id)
	})
	if err != nil || !upheld {
		return err
	}
	e.wake()
	return nil
}

// takeBack removes whatever is held against complaints. The reason stays sealed with the
// appeal: tags and the log name the appeal only.
func (d *desk) takeBack(ctx context.Context, tx *store.Tx, by bonafide.Actor, ids []string, rings []bonafide.Ring, tags []bonafide.Tag, appeal string) error {
	now := d.cfg.Now().UTC()
	if err := d.leaveRings(ctx, tx, by, ids); err != nil {
		return err
	}
	if err := tx.SaveVerdicts(ctx, d.tenant, by, nil, ids); err != nil {
		return err
	}
	var drop []string
	var events []bonafide.Event
	for _, g := range tags {
		drop = append(drop, g.ID)
		events = append(events, bonafide.Event{Type: bonafide.TagRemoved, At: now, Target: g.Target, Ring: g.Ring, Reason: g.ID})
	}
	if len(drop) > 0 {
		if err := tx.RemoveTags(ctx, d.tenant, by, drop, appealUpheld+": "+appeal); err != nil {
			return err
		}
	}
	for _, r := range rings {
		// Settlings under way read it as a decision and look again.
		events = append(events, bonafide.Event{Type: bonafide.RingShrunk, At: now, Target: bonafide.Target{Kind: bonafide.OnRing, ID: r.ID}, Ring: r.ID, Level: r.Level, Reason: appealUpheld})
	}
	if err := tx.Emit(ctx, d.tenant, events...); err != nil {
		return err
	}
	return tx.Enqueue(ctx, store.Job{Tenant: d.tenant, Kind: jobCluster, Due: now})
}

// appealUpheld is the reason of the event that a ring lost members to an appeal.
const appealUpheld = "an appeal was upheld"

// ringsOf reads the rings that complaints stand in, and one more.
func (d *desk) ringsOf(ctx context.Context, tx *store.Tx, ids []string, more string) ([]bonafide.Ring, error) {
	of, err := tx.RingsOf(ctx, d.tenant, ids)
	if err != nil {
		return nil, err
	}
	names := []string{}
	if more != "" {
		names = append(names, more)
	}
	for _, rs := range of {
		names = append(names, rs...)
	}
	slices.Sort(names)
	var out []bonafide.Ring
	for _, id := range slices.Compact(names) {
		row, err := tx.Ring(ctx, d.tenant, id)
		if err != nil {
			return nil, err
		}
		var r bonafide.Ring
		if err := json.Unmarshal(row.Body, &r); err != nil {
			return nil, fmt.Errorf("ring %s: %w", id, err)
		}
		out = append(out, r)
	}
	return out, nil
}

// tagsOn reads the tags that warn of a person and their complaints.
func (d *desk) tagsOn(ctx context.Context, tx *store.Tx, subject string, ids []string) ([]bonafide.Tag, error) {
	targets := []bonafide.Target{{Kind: bonafide.OnCustomer, ID: subject}}
	for _, id := range ids {
		targets = append(targets, bonafide.Target{Kind: bonafide.OnComplaint, ID: id})
	}
	return tx.TagsOn(ctx, d.tenant, targets, d.cfg.Now())
}
