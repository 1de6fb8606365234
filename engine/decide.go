package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"bonafide"
	"bonafide/store"
)

// Decide records what a person decided about a ring, and brings verdicts and tags to
// it at once. It lasts: later groupings keep it. A level-1 ring needs two people, and
// stays proposed until the second. keep is called in the same transaction with the
// state that the ring is in then.
func (e *Engine) Decide(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, ringID string, verb bonafide.Verb, reason, innocent string, keep func(*store.Tx, bonafide.RingState) error) error {
	if strings.TrimSpace(reason) == "" || strings.TrimSpace(innocent) == "" {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "a decision needs its reason and which innocent explanations were tested"}
	}
	d, err := e.desk(ctx, t)
	if err != nil {
		return err
	}
	now := e.cfg.Now().UTC()
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Lock(ctx, t); err != nil {
			return err
		}
		row, err := tx.Ring(ctx, t, ringID)
		if err != nil {
			return err
		}
		var body bonafide.Ring
		if err := json.Unmarshal(row.Body, &body); err != nil {
			return fmt.Errorf("ring %s: %w", ringID, err)
		}
		event, err := decide(&row, &body, bonafide.Decision{Verb: verb, By: by.ID, At: now, Reason: reason, Innocent: innocent, Members: row.Members})
		if err != nil {
			return err
		}
		row.Updated = now
		if row.Body, err = json.Marshal(body); err != nil {
			return fmt.Errorf("write ring: %w", err)
		}
		if err := tx.SaveRings(ctx, t, by, []store.RingRow{row}); err != nil {
			return err
		}
		if event != "" {
			ev := bonafide.Event{Type: event, At: now, Target: bonafide.Target{Kind: bonafide.OnRing, ID: ringID}, Ring: ringID, Level: bonafide.Level(row.Level), Count: row.Size, Reason: reason}
			if err := tx.Emit(ctx, t, ev); err != nil {
				return err
			}
		}
		if verb == bonafide.Clear {
			if err := d.clearVerdicts(ctx, tx, by, row, body); err != nil {
				return err
			}
			events, err := d.settleTags(ctx, tx, by, row, body, nil, nil, now)
			if err != nil {
				return err
			}
			if err := tx.Emit(ctx, t, events...); err != nil {
				return err
			}
		}
		// The next grouping brings everything else to it.
		if err := tx.Enqueue(ctx, store.Job{Tenant: t, Kind: jobCluster, Due: now}); err != nil {
			return err
		}
		return keep(tx, bonafide.RingState(row.State))
	})
	if err != nil {
		return err
	}
	e.wake()
	return nil
}

// decide applies a decision to a ring and returns the event it makes.
func decide(row *store.RingRow, body *bonafide.Ring, what bonafide.Decision) (bonafide.EventType, error) {
	conflict := func(msg string) error { return &bonafide.Error{Kind: bonafide.Conflict, Msg: msg} }
	state := bonafide.RingState(row.State)
	if state == bonafide.RingIsMerged || state == bonafide.RingIsNoLonger {
		return "", conflict("the ring is no more: its history says what became of it")
	}
	last := lastDecision(body.Decisions)
	switch what.Verb {
	case bonafide.Confirm:
		if state == bonafide.RingIsFirm {
			return "", conflict("the ring is confirmed already")
		}
		first := last == nil || last.Verb != bonafide.Confirm
		if !first && last.By == what.By {
			return "", &bonafide.Error{Kind: bonafide.Denied, Msg: "level 1 needs a second person to confirm"}
		}
		body.Decisions = append(body.Decisions, what)
		if bonafide.Level(row.Level) == bonafide.Level1 && first {
			row.Reason = "one person confirmed it; level 1 needs a second"
			return "", nil
		}
		row.State, row.Reason = string(bonafide.RingIsFirm), what.Reason
		return bonafide.RingConfirmed, nil
	case bonafide.Clear:
		if state == bonafide.RingIsCleared {
			return "", conflict("the ring is cleared already")
		}
		body.Decisions = append(body.Decisions, what)
		row.State, row.Reason = string(bonafide.RingIsCleared), what.Reason
		return bonafide.RingCleared, nil
	case bonafide.Reopen:
		if state == bonafide.RingProposed {
			return "", conflict("the ring is open already")
		}
		body.Decisions = append(body.Decisions, what)
		row.State, row.Reason = string(bonafide.RingProposed), what.Reason
		return bonafide.RingReopened, nil
	}
	return "", &bonafide.Error{Kind: bonafide.Invalid, Msg: "a ring can be confirmed, cleared or reopened"}
}

// clearVerdicts takes back what was proposed about the members of a cleared ring.
func (d *desk) clearVerdicts(ctx context.Context, tx *store.Tx, by bonafide.Actor, row store.RingRow, body bonafide.Ring) error {
	var put []store.VerdictRow
	for _, m := range row.Members {
		have, err := tx.Verdict(ctx, d.tenant, m)
		if errors.Is(err, bonafide.NotFound) {
			continue
		}
		if err != nil {
			return err
		}
		var v bonafide.Verdict
		if err := json.Unmarshal(have.Body, &v); err != nil {
			return fmt.Errorf("verdict: %w", err)
		}
		if v.Ring != row.ID {
			continue
		}
		r, err := verdictRow(clearedVerdict(v, body))
		if err != nil {
			return err
		}
		put = append(put, r)
	}
	if len(put) == 0 {
		return nil
	}
	return tx.SaveVerdicts(ctx, d.tenant, by, put, nil)
}

// Apart records that two complaints are not linked, whatever the evidence: their
// customers never stand in one ring again. keep is called in the same transaction.
func (e *Engine) Apart(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, a, b, reason string, keep func(*store.Tx) error) error {
	return e.pair(ctx, t, a, b, reason, func(tx *store.Tx, a, b string) error {
		if err := tx.PutApart(ctx, t, by, a, b, reason); err != nil {
			return err
		}
		return keep(tx)
	})
}

// Together takes back that two complaints are not linked.
func (e *Engine) Together(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, a, b, reason string, keep func(*store.Tx) error) error {
	return e.pair(ctx, t, a, b, reason, func(tx *store.Tx, a, b string) error {
		if err := tx.RemoveApart(ctx, t, by, a, b, reason); err != nil {
			return err
		}
		return keep(tx)
	})
}

// pair changes what is said of two complaints, and has everything joined anew.
func (e *Engine) pair(ctx context.Context, t bonafide.Tenant, a, b, reason string, do func(tx *store.Tx, a, b string) error) error {
	if a == b || strings.TrimSpace(reason) == "" {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "name two different complaints, and the reason"}
	}
	err := e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		for _, id := range []string{a, b} {
			if _, err := tx.SubjectOf(ctx, t, id); err != nil {
				return err
			}
		}
		if err := do(tx, min(a, b), max(a, b)); err != nil {
			return err
		}
		return tx.Enqueue(ctx, store.Job{Tenant: t, Kind: jobCluster, Due: e.cfg.Now()})
	})
	if err == nil {
		e.wake()
	}
	return err
}

// Erase deletes the key of everything that is known of a person: by the number of the
// customer or by one of their complaints. Nobody can read it again, but from copies of
// the database that were made before. keep is called in the same transaction with the
// person's subject and complaints. Every process hears of it and drops them from memory.
func (e *Engine) Erase(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, customerRef, complaint, reason string, keep func(tx *store.Tx, subject string, complaints []string) error) error {
	var named string
	if customerRef != "" {
		var err error
		if named, err = e.Subject(ctx, t, &bonafide.Customer{Ref: customerRef}); err != nil {
			return err
		}
	}
	var ids []string
	err := e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		subject := named
		var err error
		if subject == "" {
			if subject, err = tx.SubjectOf(ctx, t, complaint); err != nil {
				return err
			}
		}
		if ids, err = tx.ComplaintsOf(ctx, t, subject); err != nil {
			return err
		}
		if err := tx.Erase(ctx, t, by, subject, reason); err != nil {
			return err
		}
		now := e.cfg.Now().UTC()
		var events []bonafide.Event
		for _, id := range ids {
			events = append(events, bonafide.Event{Type: bonafide.ComplaintErased, At: now, Target: bonafide.Target{Kind: bonafide.OnComplaint, ID: id}})
		}
		if len(events) > 0 {
			if err := tx.Emit(ctx, t, events...); err != nil {
				return err
			}
		}
		if err := tx.Enqueue(ctx, store.Job{Tenant: t, Kind: jobCluster, Due: now}); err != nil {
			return err
		}
		return keep(tx, subject, ids)
	})
	if err != nil {
		return err
	}
	d, err := e.desk(ctx, t)
	if err != nil {
		return err
	}
	d.forget(ids)
	e.wake()
	return nil
}
