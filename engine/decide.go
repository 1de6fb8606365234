package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

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
	now := e.cfg.Now().UTC().Truncate(time.Microsecond) // as it will be read again
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error { return d.decideIn(ctx, tx, by, ringID, verb, reason, innocent, now, keep) })
	if err != nil {
		return err
	}
	e.wake()
	return nil
}

// decideIn is Decide within a transaction.
func (d *desk) decideIn(ctx context.Context, tx *store.Tx, by bonafide.Actor, ringID string, verb bonafide.Verb, reason, innocent string, now time.Time, keep func(*store.Tx, bonafide.RingState) error) error {
	t := d.tenant
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
		// Its tags go with the ring, as the program's own doing: reopened, it warns again.
		events, err := d.settleTags(ctx, tx, bonafide.System("settle"), row, body, nil, map[string]bonafide.Key{}, now)
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
}

// decide applies a decision to a ring and returns the event it makes.
func decide(row *store.RingRow, body *bonafide.Ring, what bonafide.Decision) (bonafide.EventType, error) {
	conflict := func(msg string) error { return &bonafide.Error{Kind: bonafide.Conflict, Msg: msg} }
	state := bonafide.RingState(row.State)
	if state == bonafide.RingIsMerged || state == bonafide.RingIsNoLonger {
		return "", conflict("the ring is no more: its history says what became of it")
	}
	switch what.Verb {
	case bonafide.Confirm:
		if state == bonafide.RingIsFirm {
			return "", conflict("the ring is confirmed already")
		}
		had := confirmers(body.Decisions)
		body.Decisions = append(body.Decisions, what)
		if bonafide.Level(row.Level) == bonafide.Level1 && confirmers(body.Decisions) < 2 {
			if had > 0 {
				return "", &bonafide.Error{Kind: bonafide.Denied, Msg: "level 1 needs a second person to confirm"}
			}
			row.Reason = "one person confirmed it; level 1 needs a second"
			return bonafide.RingAwaits, nil
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

// Erase deletes the keys of everything that is known of a person: by the number of the
// customer, with whatever else shows the same customer, or by one of their complaints.
// They leave rings, verdicts and tags too. Nobody can read it again, but from copies of
// the database that were made before. keep is called in the same transaction with the
// person's subject and complaints. Every process hears of it and drops them from memory.
func (e *Engine) Erase(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, customerRef, complaint, reason string, keep func(tx *store.Tx, subject string, complaints []string) error) error {
	return e.erase(ctx, t, by, customerRef, complaint, reason, func(*store.Tx) error { return nil }, keep)
}

// erase is Erase where first, under the tenant's lock, has no objection.
func (e *Engine) erase(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, customerRef, complaint, reason string, first func(*store.Tx) error, keep func(tx *store.Tx, subject string, complaints []string) error) error {
	d, err := e.desk(ctx, t)
	if err != nil {
		return err
	}
	var named string
	var known []string
	if customerRef != "" {
		if key := d.live.Keeper().Self(&bonafide.Customer{Ref: customerRef}); key != 0 {
			named, known = hexKey(key), d.live.OfCustomer(key)
		}
	}
	var ids, addresses []string
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		addresses = nil
		if _, err := tx.Lock(ctx, t); err != nil {
			return err
		}
		if err := first(tx); err != nil {
			return err
		}
		subjects := map[string]bool{}
		subject := named
		if subject == "" {
			var err error
			if subject, err = tx.SubjectOf(ctx, t, complaint); err != nil {
				return err
			}
		}
		subjects[subject] = true
		for _, id := range known {
			other, err := tx.SubjectOf(ctx, t, id)
			if err != nil {
				return err
			}
			subjects[other] = true
		}
		ids = nil
		for _, s := range slices.Sorted(maps.Keys(subjects)) {
			more, err := tx.ComplaintsOf(ctx, t, s)
			if err != nil {
				return err
			}
			ids = append(ids, more...)
			held, err := tx.Held(ctx, t, s)
			if err != nil {
				return err
			}
			if len(held) > 0 {
				return &heldError{held[0]}
			}
			places, err := tx.AddressesOf(ctx, t, s)
			if err != nil {
				return err
			}
			addresses = append(addresses, places...)
			// The number may be known from records or from complaints alone.
			if err := tx.Erase(ctx, t, by, s, reason); err != nil && (s == subject && len(subjects) == 1 || !errors.Is(err, bonafide.NotFound)) {
				return err
			}
		}
		if err := d.unlink(ctx, tx, slices.Sorted(maps.Keys(subjects)), ids); err != nil {
			return err
		}
		now := e.cfg.Now().UTC()
		for _, id := range ids {
			if err := tx.Emit(ctx, t, bonafide.Event{Type: bonafide.ComplaintErased, At: now, Target: bonafide.Target{Kind: bonafide.OnComplaint, ID: id}}); err != nil {
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
	d.forget(ids)
	e.wake()
	for _, a := range addresses { // unreadable already; what is left of them is swept
		if e.cfg.Keeper == nil {
			break
		}
		if err := e.cfg.Keeper.Remove(ctx, a); err != nil {
			e.cfg.Log.WarnContext(ctx, "remove an erased file", slog.Any("tenant", t), slog.Any("err", err))
		}
	}
	return nil
}

// A heldError says that somebody's data is evidence in a case under legal hold.
type heldError struct{ number int }

// Error says in which case.
func (h *heldError) Error() string {
	return fmt.Sprintf("the data is evidence in case %d, which is under legal hold: two people can lift it there", h.number)
}

// Unwrap makes it a conflict whose message a user may see.
func (h *heldError) Unwrap() error { return &bonafide.Error{Kind: bonafide.Conflict, Msg: h.Error()} }

// unlink takes erased complaints out of rings, decisions, verdicts and tags.
func (d *desk) unlink(ctx context.Context, tx *store.Tx, subjects, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	by := bonafide.System("erase")
	if err := d.leaveRings(ctx, tx, by, ids); err != nil {
		return err
	}
	if err := tx.SaveVerdicts(ctx, d.tenant, by, nil, ids); err != nil {
		return err
	}
	var targets []bonafide.Target
	for _, id := range ids {
		targets = append(targets, bonafide.Target{Kind: bonafide.OnComplaint, ID: id})
	}
	for _, s := range subjects {
		targets = append(targets, bonafide.Target{Kind: bonafide.OnCustomer, ID: s})
	}
	tags, err := tx.TagsOn(ctx, d.tenant, targets, d.cfg.Now())
	if err != nil || len(tags) == 0 {
		return err
	}
	var drop []string
	for _, t := range tags {
		drop = append(drop, t.ID)
	}
	return tx.RemoveTags(ctx, d.tenant, by, drop, "the person was erased")
}

// leaveRings takes complaints out of the rings they stand in, and out of what was
// decided about those.
func (d *desk) leaveRings(ctx context.Context, tx *store.Tx, by bonafide.Actor, ids []string) error {
	gone := func(m string) bool { return slices.Contains(ids, m) }
	of, err := tx.RingsOf(ctx, d.tenant, ids)
	if err != nil {
		return err
	}
	rings := map[string]bool{}
	for _, rs := range of {
		for _, r := range rs {
			rings[r] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(rings)) {
		row, err := tx.Ring(ctx, d.tenant, id)
		if err != nil {
			return err
		}
		var body bonafide.Ring
		if err := json.Unmarshal(row.Body, &body); err != nil {
			return fmt.Errorf("ring %s: %w", id, err)
		}
		row.Members = slices.DeleteFunc(row.Members, gone)
		body.Members = slices.DeleteFunc(body.Members, gone)
		body.Ties = slices.DeleteFunc(body.Ties, func(t bonafide.Tie) bool { return gone(t.Complaint) })
		for i := range body.Shared {
			body.Shared[i].Members = slices.DeleteFunc(body.Shared[i].Members, gone)
		}
		for i := range body.Decisions {
			body.Decisions[i].Members = slices.DeleteFunc(body.Decisions[i].Members, gone)
		}
		row.Size = len(row.Members)
		row.Customers = min(row.Customers, row.Size)
		if row.Body, err = json.Marshal(body); err != nil {
			return fmt.Errorf("write ring: %w", err)
		}
		if err := tx.SaveRings(ctx, d.tenant, by, []store.RingRow{row}); err != nil {
			return err
		}
	}
	return nil
}
