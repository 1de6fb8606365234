package store

import (
	"context"

	"bonafide"
)

// Emit adds events to the outbox and numbers them; they are written when the
// transaction commits. Events stand beside a change that is logged and leave no
// entry of their own.
func (tx *Tx) Emit(ctx context.Context, t bonafide.Tenant, events ...bonafide.Event) error {
	h, err := tx.lock(ctx, t)
	if err != nil {
		return err
	}
	for _, e := range events {
		h.Events++
		h.events = append(h.events, string(t), h.Events, string(e.Type), micros(e.At), string(e.Target.Kind), e.Target.ID,
			e.Ring, e.Other, string(e.Level), int64(e.Count), e.Reason)
		h.changed = true
	}
	return nil
}

const eventColumns = `seq, type, at, kind, target, ring, other, level, count, reason`

func scanEvent(r row) (e bonafide.Event, err error) {
	var at int64
	err = r.Scan(&e.Seq, &e.Type, &at, &e.Target.Kind, &e.Target.ID, &e.Ring, &e.Other, &e.Level, &e.Count, &e.Reason)
	e.At = instant(at)
	return e, err
}

// Events lists events behind a seq. Those of this transaction are among them.
func (tx *Tx) Events(ctx context.Context, t bonafide.Tenant, after int64, limit int) ([]bonafide.Event, error) {
	if err := tx.flush(ctx); err != nil {
		return nil, err
	}
	return list(ctx, tx, scanEvent, `SELECT `+eventColumns+` FROM event WHERE tenant = $1 AND seq > $2 ORDER BY seq LIMIT $3`, string(t), after, upTo(limit))
}

// RingEvents lists what happened to a ring, oldest first: the events whose target
// it is or that name it.
func (tx *Tx) RingEvents(ctx context.Context, t bonafide.Tenant, ring string) ([]bonafide.Event, error) {
	if ring == "" {
		return nil, nil
	}
	if err := tx.flush(ctx); err != nil {
		return nil, err
	}
	return list(ctx, tx, scanEvent, `SELECT `+eventColumns+` FROM event WHERE tenant = $1 AND kind = 'ring' AND target = $2
		UNION SELECT `+eventColumns+` FROM event WHERE tenant = $1 AND ring <> '' AND ring = $2
		UNION SELECT `+eventColumns+` FROM event WHERE tenant = $1 AND other <> '' AND other = $2
		ORDER BY seq`, string(t), ring)
}
