package store

import (
	"context"
	"fmt"

	"bonafide"
)

// pair puts the smaller id first.
func pair(a, b string) (string, string, error) {
	switch {
	case a == b || a == "" || b == "":
		return "", "", &bonafide.Error{Kind: bonafide.Invalid, Msg: "it takes two different complaints to be kept apart"}
	case a > b:
		a, b = b, a
	}
	return a, b, nil
}

// PutApart keeps a person's word that two complaints are not linked; the later word
// stands.
func (tx *Tx) PutApart(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, a, b, reason string) error {
	a, b, err := pair(a, b)
	if err != nil {
		return err
	}
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	if _, err := tx.insert(ctx, "apart", overwrite("apart"), []any{string(t), a, b, actor.ID, micros(tx.db.now()), reason}); err != nil {
		return err
	}
	return tx.Record(ctx, t, actor, "apart.added", "complaint:"+a, map[string]any{"other": b, "reason": reason})
}

// RemoveApart takes back that two complaints are not linked.
func (tx *Tx) RemoveApart(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, a, b, reason string) error {
	a, b, err := pair(a, b)
	if err != nil {
		return err
	}
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	n, err := tx.exec(ctx, `DELETE FROM apart WHERE tenant = $1 AND a = $2 AND b = $3`, string(t), a, b)
	if err != nil {
		return err
	}
	if n == 0 {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: fmt.Sprintf("complaints %q and %q are not kept apart", a, b)}
	}
	return tx.Record(ctx, t, actor, "apart.removed", "complaint:"+a, map[string]any{"other": b, "reason": reason})
}

// Aparts lists the pairs that are not linked, each with the smaller id first.
func (tx *Tx) Aparts(ctx context.Context, t bonafide.Tenant) ([][2]string, error) {
	return list(ctx, tx, func(r row) (p [2]string, err error) { return p, r.Scan(&p[0], &p[1]) },
		`SELECT a, b FROM apart WHERE tenant = $1 ORDER BY a, b`, string(t))
}
