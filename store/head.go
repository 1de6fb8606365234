package store

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"bonafide"
	"bonafide/evidence"
)

// A Head counts what a tenant has, and holds the right edge of its log. Its row is
// locked for the rest of the transaction, so that a tenant's changes have one order.
type Head struct {
	Entries    int64 // entries in the log, those of this transaction included
	Complaints int64 // complaints ever stored
	Events     int64 // events ever sent
	Edge       evidence.Edge
}

// A head is a locked head and what is to be written with it.
type head struct {
	Head
	changed bool
	entries []any // rows of the table entry
	events  []any // rows of the table event
}

// Lock locks the tenant's head and returns it. Every change of a tenant does so
// first; call it yourself where what you read decides what you write. A second
// call in the transaction costs nothing.
func (tx *Tx) Lock(ctx context.Context, t bonafide.Tenant) (Head, error) {
	h, err := tx.lock(ctx, t)
	if err != nil {
		return Head{}, err
	}
	out := h.Head
	out.Edge.Hashes = slices.Clone(out.Edge.Hashes)
	return out, nil
}

func (tx *Tx) lock(ctx context.Context, t bonafide.Tenant) (*head, error) {
	if h := tx.heads[t]; h != nil {
		return h, nil
	}
	if tx.view {
		return nil, errView
	}
	h, err := tx.head(ctx, t, tx.db.d.lock)
	if err != nil {
		return nil, err
	}
	tx.heads[t] = &head{Head: h}
	return tx.heads[t], nil
}

// head reads the head; lock ends the statement.
func (tx *Tx) head(ctx context.Context, t bonafide.Tenant, lock string) (Head, error) {
	h, err := one(ctx, tx, func(r row) (h Head, err error) {
		var edge []byte
		if err = r.Scan(&h.Entries, &h.Complaints, &h.Events, &edge); err != nil {
			return h, err
		}
		h.Edge, err = evidence.ParseEdge(h.Entries, edge)
		return h, err
	}, `SELECT entries, complaints, events, edge FROM head WHERE tenant = $1`+lock, string(t))
	return h, noTenant(err, t)
}

// CountComplaints returns how many complaints were ever stored, without locking.
func (tx *Tx) CountComplaints(ctx context.Context, t bonafide.Tenant) (int64, error) {
	if h := tx.heads[t]; h != nil {
		return h.Complaints, nil
	}
	h, err := tx.head(ctx, t, "")
	return h.Complaints, err
}

// Record adds an entry to the log, to be written when the transaction commits.
// Target is made of ids; detail is marshalled to JSON and must hold nothing
// personal; nil leaves it out.
func (tx *Tx) Record(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, action, target string, detail any) error {
	return tx.recordAt(ctx, t, actor, action, target, detail, tx.db.now())
}

// recordAt is Record of something that happened at a given moment.
func (tx *Tx) recordAt(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, action, target string, detail any, at time.Time) error {
	if actor.ID == "" {
		return fmt.Errorf("log %s: no actor", action)
	}
	h, err := tx.lock(ctx, t)
	if err != nil {
		return err
	}
	e := evidence.Entry{Time: micros(at), Actor: actor.ID, Action: action, Target: target}
	switch d := detail.(type) {
	case nil:
	case json.RawMessage:
		e.Detail = d
	default:
		if e.Detail, err = json.Marshal(d); err != nil {
			return fmt.Errorf("log %s: %w", action, err)
		}
	}
	data := e.Marshal()
	h.entries = append(h.entries, string(t), h.Entries, data, h.Edge.Append(data))
	h.Entries++
	h.changed = true
	return nil
}

// flush writes what was buffered: log entries and events of each tenant, and its
// head.
func (tx *Tx) flush(ctx context.Context) error {
	for _, t := range slices.Sorted(maps.Keys(tx.heads)) {
		h := tx.heads[t]
		if !h.changed {
			continue
		}
		if _, err := tx.insert(ctx, "entry", "", h.entries); err != nil {
			return err
		}
		if len(h.events) > 0 {
			if _, err := tx.insert(ctx, "event", "", h.events); err != nil {
				return err
			}
			if err := tx.post(ctx, t, h.Events-int64(len(h.events)/len(tableNamed("event").cols))); err != nil {
				return err
			}
		}
		n, err := tx.exec(ctx, `UPDATE head SET entries = $2, complaints = $3, events = $4, edge = $5 WHERE tenant = $1`,
			string(t), h.Entries, h.Complaints, h.Events, h.Edge.Marshal())
		if err != nil {
			return err
		}
		if n != 1 {
			return fmt.Errorf("the head of tenant %q is gone", t)
		}
		h.entries, h.events, h.changed = nil, nil, false
	}
	return nil
}
