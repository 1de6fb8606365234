package store

import (
	"context"
	"time"

	"bonafide"
)

// CountEvents returns how many events were ever sent, without locking.
func (tx *Tx) CountEvents(ctx context.Context, t bonafide.Tenant) (int64, error) {
	if h := tx.heads[t]; h != nil {
		return h.Events, nil
	}
	h, err := tx.head(ctx, t, "")
	return h.Events, err
}

// post makes a delivery of each event behind a seq for every webhook that asks for
// its type. It stands in the transaction of the events, so that none is missed.
func (tx *Tx) post(ctx context.Context, t bonafide.Tenant, after int64) error {
	_, err := tx.exec(ctx, `INSERT INTO delivery (tenant, id, webhook, event, state, attempt, due, status, error)
		SELECT e.tenant, w.id || '-' || CAST(e.seq AS TEXT), w.id, e.seq, 'ready', 0, e.at, 0, ''
		FROM event e JOIN webhook w ON w.tenant = e.tenant AND w.disabled = 0 AND w.events LIKE '%"' || e.type || '"%'
		WHERE e.tenant = $1 AND e.seq > $2`, string(t), after)
	return err
}

// An Outgoing is a delivery with what has to be delivered where.
type Outgoing struct {
	Tenant   bonafide.Tenant
	Delivery Delivery
	Webhook  Webhook
	Event    bonafide.Event
}

// ClaimDeliveries returns up to limit deliveries that are due, and puts them off by
// lease so that no other process makes them meanwhile.
func (db *DB) ClaimDeliveries(ctx context.Context, now time.Time, lease time.Duration, limit int) (out []Outgoing, err error) {
	due := false
	err = db.View(ctx, func(tx *Tx) error {
		n, err := list(ctx, tx, func(r row) (n int64, err error) { err = r.Scan(&n); return n, err },
			`SELECT 1 FROM delivery WHERE state = 'ready' AND due <= $1 LIMIT 1`, micros(now))
		due = len(n) > 0
		return err
	})
	if err != nil || !due {
		return nil, err
	}
	err = db.Update(ctx, func(tx *Tx) error {
		out = nil
		type claimed struct {
			t bonafide.Tenant
			d Delivery
		}
		all, err := list(ctx, tx, func(r row) (c claimed, err error) {
			var at int64
			err = r.Scan(&c.t, &c.d.ID, &c.d.Webhook, &c.d.Event, &c.d.State, &c.d.Attempt, &at, &c.d.Status, &c.d.Error)
			c.d.Due = instant(at)
			return c, err
		}, `WITH free AS (SELECT tenant, id FROM delivery WHERE state = 'ready' AND due <= $1 ORDER BY due LIMIT $3`+tx.db.d.skip+`)
			UPDATE delivery SET due = $2 WHERE (tenant, id) IN (SELECT tenant, id FROM free)
			RETURNING tenant, id, webhook, event, state, attempt, due, status, error`, micros(now), micros(now.Add(lease)), limit)
		if err != nil {
			return err
		}
		for _, c := range all {
			o := Outgoing{Tenant: c.t, Delivery: c.d}
			if o.Webhook, err = tx.Webhook(ctx, c.t, c.d.Webhook); err != nil {
				return err
			}
			events, err := tx.Events(ctx, c.t, c.d.Event-1, 1)
			if err != nil {
				return err
			}
			if len(events) == 1 {
				o.Event = events[0]
			}
			out = append(out, o)
		}
		return nil
	})
	return out, err
}

// LeadCursor says how far a named reader of events has come, and makes owner the one
// that moves it until now+lease, unless another is. It changes nothing that is
// logged.
func (tx *Tx) LeadCursor(ctx context.Context, t bonafide.Tenant, name, owner string, now time.Time, lease time.Duration) (seq int64, mine bool, err error) {
	n, err := tx.exec(ctx, `INSERT INTO reader (tenant, name, seq, owner, lease) VALUES ($1, $2, 0, $3, $4)
		ON CONFLICT (tenant, name) DO UPDATE SET owner = excluded.owner, lease = excluded.lease
		WHERE reader.owner = excluded.owner OR reader.lease <= $5`, string(t), name, owner, micros(now.Add(lease)), micros(now))
	if err != nil || n == 0 {
		return 0, false, err
	}
	seq, err = one(ctx, tx, func(r row) (n int64, err error) { err = r.Scan(&n); return n, err },
		`SELECT seq FROM reader WHERE tenant = $1 AND name = $2`, string(t), name)
	return seq, err == nil, err
}

// Cursor says how far a named reader has come, without leading it.
func (tx *Tx) Cursor(ctx context.Context, t bonafide.Tenant, name string) (int64, error) {
	all, err := list(ctx, tx, func(r row) (n int64, err error) { return n, r.Scan(&n) }, `SELECT seq FROM reader WHERE tenant = $1 AND name = $2`, string(t), name)
	if err != nil || len(all) == 0 {
		return 0, err
	}
	return all[0], nil
}

// MoveCursor says that the reader has read up to seq; Conflict where another leads now.
func (tx *Tx) MoveCursor(ctx context.Context, t bonafide.Tenant, name, owner string, seq int64) error {
	n, err := tx.exec(ctx, `UPDATE reader SET seq = $4 WHERE tenant = $1 AND name = $2 AND owner = $3`, string(t), name, owner, seq)
	if err == nil && n == 0 {
		err = tx.refuse(errLease)
	}
	return err
}
