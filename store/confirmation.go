package store

import (
	"context"
	"time"

	"bonafide"
)

// A Confirmation is a question sent to a customer over a known way, to be answered
// once: by its link, or by reading out its code. Neither is kept, only their hashes.
type Confirmation struct {
	Tenant        bonafide.Tenant
	Hash          []byte // of the link's secret
	Sheet         string // the verification it belongs to
	Way           bonafide.Way
	Code          []byte // a keyed hash
	Made, Expires time.Time
	Tries         int // wrong codes
	Used          time.Time
}

// AddConfirmation stores a question that is about to be sent.
func (tx *Tx) AddConfirmation(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, c Confirmation) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	if _, err := tx.insert(ctx, "confirmation", "", []any{
		string(t), some(c.Hash), c.Sheet, string(c.Way), some(c.Code), micros(c.Made), micros(c.Expires), int64(0), int64(0),
	}); err != nil {
		return err
	}
	return tx.Record(ctx, t, actor, "confirmation.sent", "verification:"+c.Sheet, map[string]any{"way": string(c.Way), "expires": micros(c.Expires)})
}

// TryConfirmation counts a wrong code.
func (tx *Tx) TryConfirmation(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, c Confirmation) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	n, err := tx.exec(ctx, `UPDATE confirmation SET tries = tries + 1 WHERE tenant = $1 AND hash = $2`, string(t), some(c.Hash))
	if err != nil {
		return err
	}
	if n == 0 {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such question"}
	}
	return tx.Record(ctx, t, actor, "confirmation.wrong", "verification:"+c.Sheet, nil)
}

// UseConfirmation ends a question: it was answered. Conflict if it was before.
func (tx *Tx) UseConfirmation(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, c Confirmation, answer string) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	n, err := tx.exec(ctx, `UPDATE confirmation SET used = $3 WHERE tenant = $1 AND hash = $2 AND used = 0`, string(t), some(c.Hash), micros(tx.db.now()))
	if err != nil {
		return err
	}
	if n == 0 {
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: "this was answered already"}
	}
	return tx.Record(ctx, t, actor, "confirmation.answered", "verification:"+c.Sheet, map[string]any{"answer": answer})
}

// DropConfirmation takes back a question that could not be sent.
func (tx *Tx) DropConfirmation(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, c Confirmation) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	n, err := tx.exec(ctx, `DELETE FROM confirmation WHERE tenant = $1 AND hash = $2`, string(t), some(c.Hash))
	if err != nil {
		return err
	}
	if n == 0 {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such question"}
	}
	return tx.Record(ctx, t, actor, "confirmation.failed", "verification:"+c.Sheet, nil)
}

const confirmationColumns = `tenant, hash, sheet, way, code, made, expires, tries, used`

func scanConfirmation(r row) (c Confirmation, err error) {
	var made, expires, used int64
	err = r.Scan(&c.Tenant, &c.Hash, &c.Sheet, &c.Way, &c.Code, &made, &expires, &c.Tries, &used)
	c.Made, c.Expires, c.Used, c.Hash, c.Code = instant(made), instant(expires), instant(used), some(c.Hash), some(c.Code)
	return c, err
}

// ConfirmationByHash returns the question, of whatever tenant, whose link has this
// SHA-256. It may have expired or been answered.
func (tx *Tx) ConfirmationByHash(ctx context.Context, hash []byte) (Confirmation, error) {
	c, err := one(ctx, tx, scanConfirmation, `SELECT `+confirmationColumns+` FROM confirmation WHERE hash = $1`, some(hash))
	return c, otherwise(err, bonafide.NotFound, "there is no such question")
}

// Confirmations lists the questions sent for a verification, the oldest first.
func (tx *Tx) Confirmations(ctx context.Context, t bonafide.Tenant, sheet string) ([]Confirmation, error) {
	return list(ctx, tx, scanConfirmation, `SELECT `+confirmationColumns+` FROM confirmation WHERE tenant = $1 AND sheet = $2 ORDER BY made, hash`, string(t), sheet)
}
