package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"bonafide"
	"bonafide/merit"
	"bonafide/store"
)

// The records of the lender that a complaint is held against, as they are stored.
const (
	RecordCustomer   = "customer"
	RecordContract   = "contract"
	RecordCall       = "call"
	RecordThirdParty = "third-party"
	RecordObjection  = "objection"
	RecordFailure    = "failure"
)

var meritKinds = []string{RecordCall, RecordContract, RecordThirdParty, RecordObjection, RecordFailure}

// How the lender's records are held against complaints.
const (
	meritEvery  = 500 * time.Millisecond
	meritBatch  = 200
	meritRows   = 5000 // records of one kind and customer at most, the latest
	meritReader = "merit"
)

// meritPack is the pack whose rules apply where the clocks of a jurisdiction run.
func (e *Engine) meritPack() *merit.Pack {
	if p, ok := merit.For(e.cfg.Clocks.Name); ok {
		return p
	}
	return nil
}

// Merit holds the lender's records against a complaint as both are now. It is nil where
// no rules are known for the jurisdiction.
func (e *Engine) Merit(ctx context.Context, tx *store.Tx, t bonafide.Tenant, complaint string) (*bonafide.Merit, error) {
	subject, err := tx.SubjectOf(ctx, t, complaint)
	if err != nil {
		return nil, err
	}
	track, err := tx.Track(ctx, t, complaint)
	if err != nil {
		return nil, err
	}
	return e.checkMerit(ctx, tx, t, subject, track.Received, e.cfg.Now())
}

func (e *Engine) checkMerit(ctx context.Context, tx *store.Tx, t bonafide.Tenant, subject string, received, now time.Time) (*bonafide.Merit, error) {
	pack := e.meritPack()
	if pack == nil {
		return nil, nil
	}
	var r merit.Records
	for _, kind := range meritKinds {
		rows, err := tx.RecordsOf(ctx, t, kind, subject, meritRows)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if err := addRecord(&r, row); err != nil {
				return nil, err
			}
		}
	}
	m := pack.Check(received, r, now.UTC(), e.cfg.Clocks.Zone())
	return &m, nil
}

func addRecord(r *merit.Records, row store.RecordRow) error {
	switch row.Kind {
	case RecordCall:
		return appendJSON(&r.Calls, row)
	case RecordContract:
		return appendJSON(&r.Contracts, row)
	case RecordThirdParty:
		return appendJSON(&r.ThirdParties, row)
	case RecordObjection:
		return appendJSON(&r.Objections, row)
	case RecordFailure:
		return appendJSON(&r.Failures, row)
	}
	return nil
}

func appendJSON[T any](to *[]T, row store.RecordRow) error {
	var v T
	if err := json.Unmarshal(row.Body, &v); err != nil {
		return fmt.Errorf("%s %s: %w", row.Kind, row.ID, err)
	}
	*to = append(*to, v)
	return nil
}

// meritLoop holds the lender's records against complaints as they arrive, and again
// when records come later. One process does it for a tenant.
func (d *desk) meritLoop(ctx context.Context) error {
	if d.meritPack() == nil {
		return nil
	}
	for {
		more, err := d.meritRound(ctx)
		if err != nil && ctx.Err() == nil {
			d.cfg.Log.WarnContext(ctx, "hold records against complaints", slog.Any("tenant", d.tenant), slog.Any("err", err))
		}
		if more && err == nil && !d.isBusy() {
			continue
		}
		if !sleep(ctx, meritEvery) {
			return nil
		}
	}
}

// meritRound does some of what is to be done; more says that there is more.
func (d *desk) meritRound(ctx context.Context) (more bool, err error) {
	var todo []store.Arrival
	var at int64
	var records []store.Fresh
	mine := false
	look := func(tx *store.Tx) error {
		var err error
		if at, err = tx.Cursor(ctx, d.tenant, meritReader); err != nil {
			return err
		}
		if todo, err = tx.Arrivals(ctx, d.tenant, at, meritBatch); err != nil {
			return err
		}
		records, err = tx.FreshRecords(ctx, d.tenant, meritBatch)
		return err
	}
	if err := d.cfg.DB.View(ctx, look); err != nil || len(todo)+len(records) == 0 {
		return false, err
	}
	err = d.cfg.DB.Update(ctx, func(tx *store.Tx) (err error) {
		_, mine, err = tx.LeadCursor(ctx, d.tenant, meritReader, d.owner, d.cfg.Now(), lease)
		return err
	})
	if err != nil || !mine {
		return false, err
	}
	// Another process may have led until now.
	if err := d.cfg.DB.View(ctx, look); err != nil || len(todo)+len(records) == 0 {
		return false, err
	}
	again, err := d.openOf(ctx, records)
	if err != nil {
		return false, err
	}
	rows, err := d.meritRows(ctx, append(slices.Clone(todo), again...))
	if err != nil {
		return false, err
	}
	changed := false
	err = d.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		changed = false
		if len(rows) > 0 {
			if err := tx.SaveMerit(ctx, d.tenant, bonafide.System("merit"), rows); err != nil {
				return err
			}
			changed = slices.ContainsFunc(rows, func(r store.MeritRow) bool { return r.Found != "" })
		}
		if len(todo) > 0 {
			if err := tx.MoveCursor(ctx, d.tenant, meritReader, d.owner, todo[len(todo)-1].Seq); err != nil {
				return err
			}
		}
		if err := tx.HeldRecords(ctx, d.tenant, records); err != nil {
			return err
		}
		if changed {
			return tx.Enqueue(ctx, store.Job{Tenant: d.tenant, Kind: jobCluster, Due: d.cfg.Now().Add(d.wait())})
		}
		return nil
	})
	if err == nil && changed {
		d.wake()
	}
	return len(todo) == meritBatch || len(records) == meritBatch, err
}

// openOf lists the complaints, of customers whose records are new, that are not answered.
func (d *desk) openOf(ctx context.Context, records []store.Fresh) ([]store.Arrival, error) {
	if len(records) == 0 {
		return nil, nil
	}
	subjects := make([]string, len(records))
	for i, r := range records {
		subjects[i] = r.Subject
	}
	var out []store.Arrival
	err := d.cfg.DB.View(ctx, func(tx *store.Tx) (err error) {
		out, err = tx.OpenComplaints(ctx, d.tenant, subjects)
		return err
	})
	return out, err
}

// meritRows holds the records against complaints. Those of whom no record was handed in
// are left out: nothing can be said of them.
func (d *desk) meritRows(ctx context.Context, todo []store.Arrival) ([]store.MeritRow, error) {
	var out []store.MeritRow
	done := map[string]bool{}
	err := d.cfg.DB.View(ctx, func(tx *store.Tx) error {
		out = nil
		clear(done)
		subjects := make([]string, len(todo))
		for i, a := range todo {
			subjects[i] = a.Subject
		}
		has, err := tx.HaveRecords(ctx, d.tenant, meritKinds, subjects)
		if err != nil {
			return err
		}
		for _, a := range todo {
			if !has[a.Subject] || done[a.ID] {
				continue
			}
			done[a.ID] = true
			m, err := d.checkMerit(ctx, tx, d.tenant, a.Subject, a.Received, d.cfg.Now())
			if errors.Is(err, bonafide.Busy) || ctx.Err() != nil {
				return err // tried again
			}
			if err != nil {
				// One record that cannot be read must not stop the others.
				d.cfg.Log.ErrorContext(ctx, "hold records against a complaint", slog.Any("tenant", d.tenant), slog.Any("seq", a.Seq), slog.Any("err", err))
				continue
			}
			row, err := meritRow(a.ID, m)
			if err != nil {
				return err
			}
			out = append(out, row)
		}
		return nil
	})
	return out, err
}

func meritRow(complaint string, m *bonafide.Merit) (store.MeritRow, error) {
	row := store.MeritRow{Complaint: complaint, At: m.Checked}
	var err error
	if row.Body, err = json.Marshal(m); err != nil {
		return row, fmt.Errorf("write merit: %w", err)
	}
	var found []bonafide.Finding
	for _, f := range m.Findings {
		if f.Standing == bonafide.Substantiated {
			found = append(found, merit.Slim(f)) // the rest stands in the body, sealed
		}
	}
	if len(found) > 0 {
		b, err := json.Marshal(found)
		if err != nil {
			return row, fmt.Errorf("write findings: %w", err)
		}
		row.Found = string(b)
	}
	return row, nil
}

// settleIncidents stores the incidents of a whole grouping and tells of new ones.
func (d *desk) settleIncidents(ctx context.Context, found []bonafide.Incident, j store.Job) error {
	rows := make([]store.IncidentRow, len(found))
	now := d.cfg.Now().UTC()
	for i, inc := range found {
		body, err := json.Marshal(inc)
		if err != nil {
			return fmt.Errorf("write incident: %w", err)
		}
		rows[i] = store.IncidentRow{ID: inc.ID, Rule: inc.Rule, Size: len(inc.Complaints), Began: inc.Began, At: now, Body: string(body)}
	}
	return d.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		have, err := tx.Incidents(ctx, d.tenant)
		if err != nil || len(have)+len(rows) == 0 {
			return err
		}
		if err := d.watch(ctx, tx, j); err != nil {
			return err
		}
		var events []bonafide.Event
		for _, r := range rows {
			if !slices.ContainsFunc(have, func(h store.IncidentRow) bool { return h.ID == r.ID }) {
				events = append(events, bonafide.Event{
					Type: bonafide.IncidentFound, At: now, Target: bonafide.Target{Kind: bonafide.OnIncident, ID: r.ID}, Count: r.Size, Reason: r.Rule,
				})
			}
		}
		if err := tx.SaveIncidents(ctx, d.tenant, bonafide.System("settle"), rows); err != nil {
			return err
		}
		if err := tx.Emit(ctx, d.tenant, events...); err != nil {
			return err
		}
		d.settling.since, err = tx.CountEvents(ctx, d.tenant)
		return err
	})
}
