package store

import (
	"context"
	"fmt"
	"time"

	"bonafide"
)

// The states of an appeal.
const (
	AppealOpen     = "open"
	AppealUpheld   = "upheld" // what was held against the complaint was wrong
	AppealRejected = "rejected"
)

// An AppealRow says that what is held against a complaint is wrong. Body is clear:
// reasons in people's words, which the store seals.
type AppealRow struct {
	ID, Complaint, Ring string
	State               string
	Filed               time.Time
	FiledBy             string // Actor.ID
	Decided             time.Time
	DecidedBy           string
	Body                []byte
}

// SaveAppeal stores a new appeal, or the decision on an open one. An open appeal may
// be decided once; Conflict otherwise. Upheld, it exempts all complaints of the customer.
func (tx *Tx) SaveAppeal(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, a AppealRow) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	subject, err := tx.unerased(ctx, t, a.Complaint)
	if err != nil {
		return err
	}
	keys, err := tx.subjectKeys(ctx, t, []string{subject}, nil)
	if err != nil {
		return err
	}
	sealed, err := keys[subject].seal(tx.db.random, place("appeal", string(t), a.ID), a.Body)
	if err != nil {
		return err
	}
	if a.State == AppealOpen {
		if _, err := tx.insert(ctx, "appeal", "", []any{string(t), a.ID, a.Complaint, a.Ring, a.State, micros(a.Filed), a.FiledBy, int64(0), "", subject, sealed}); err != nil {
			return otherwise(err, bonafide.Conflict, "there is an appeal with this id already")
		}
		return tx.Record(ctx, t, actor, "appeal.filed", "complaint:"+a.Complaint, map[string]any{"appeal": a.ID, "ring": a.Ring})
	}
	n, err := tx.exec(ctx, `UPDATE appeal SET state = $3, decided = $4, decided_by = $5, body = $6 WHERE tenant = $1 AND id = $2 AND state = 'open'`,
		string(t), a.ID, a.State, micros(a.Decided), a.DecidedBy, sealed)
	if err != nil {
		return err
	}
	if n == 0 {
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: "the appeal is decided already"}
	}
	if a.State == AppealUpheld {
		ids, err := tx.ComplaintsOf(ctx, t, subject)
		if err != nil {
			return err
		}
		var args []any
		for _, id := range ids {
			args = append(args, string(t), id, a.ID, actor.ID, micros(tx.db.now()))
		}
		if _, err := tx.insert(ctx, "exempt", " ON CONFLICT DO NOTHING", args); err != nil {
			return err
		}
	}
	return tx.Record(ctx, t, actor, "appeal."+a.State, "complaint:"+a.Complaint, map[string]any{"appeal": a.ID, "ring": a.Ring})
}

const appealColumns = `a.id, a.complaint, a.ring, a.state, a.filed, a.filed_by, a.decided, a.decided_by, a.subject, a.body, s.key`

const appealFrom = ` FROM appeal a LEFT JOIN subject s ON s.tenant = a.tenant AND s.id = a.subject WHERE a.tenant = $1 `

func (tx *Tx) scanAppeal(t bonafide.Tenant) func(row) (AppealRow, error) {
	return func(r row) (a AppealRow, err error) {
		var filed, decided int64
		var subject string
		var sealed, key []byte
		if err = r.Scan(&a.ID, &a.Complaint, &a.Ring, &a.State, &filed, &a.FiledBy, &decided, &a.DecidedBy, &subject, &sealed, &key); err != nil {
			return a, err
		}
		a.Filed, a.Decided = instant(filed), instant(decided)
		if len(sealed) > 0 && len(key) > 0 {
			a.Body, err = tx.db.unseal(t, subject, key, sealed, "appeal", string(t), a.ID)
		}
		return a, err
	}
}

// Appeal returns an appeal; of an erased person without Body.
func (tx *Tx) Appeal(ctx context.Context, t bonafide.Tenant, id string) (AppealRow, error) {
	a, err := one(ctx, tx, tx.scanAppeal(t), `SELECT `+appealColumns+appealFrom+`AND a.id = $2`, string(t), id)
	return a, otherwise(err, bonafide.NotFound, fmt.Sprintf("there is no appeal %q", id))
}

// AppealsOf lists the appeals about a complaint.
func (tx *Tx) AppealsOf(ctx context.Context, t bonafide.Tenant, complaint string) ([]AppealRow, error) {
	return list(ctx, tx, tx.scanAppeal(t), `SELECT `+appealColumns+appealFrom+`AND a.complaint = $2 ORDER BY a.id`, string(t), complaint)
}

// Appeals lists appeals of a state, or of every state if it is empty, behind an id.
func (tx *Tx) Appeals(ctx context.Context, t bonafide.Tenant, state, after string, limit int) ([]AppealRow, error) {
	return list(ctx, tx, tx.scanAppeal(t), `SELECT `+appealColumns+appealFrom+`AND a.id > $2 AND ($4 = '' OR a.state = $4) ORDER BY a.id LIMIT $3`,
		string(t), after, upTo(limit), state)
}

// Exempt lists the complaints against which nothing is held again, since an appeal
// about them was upheld.
func (tx *Tx) Exempt(ctx context.Context, t bonafide.Tenant) ([]string, error) {
	return list(ctx, tx, scanText, `SELECT complaint FROM exempt WHERE tenant = $1 ORDER BY complaint`, string(t))
}
