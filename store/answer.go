package store

import (
	"context"
	"time"

	"bonafide"
)

// An Answer is what a request with an idempotency key was answered.
type Answer struct {
	Key     string
	Digest  []byte // of the request
	Status  int
	Body    []byte
	Expires time.Time // zero: never
}

// Answer returns what an actor's request with a key was answered; NotFound if it
// was not or the answer has expired.
func (tx *Tx) Answer(ctx context.Context, t bonafide.Tenant, actorID, key string) (Answer, error) {
	a, err := one(ctx, tx, func(r row) (Answer, error) {
		a := Answer{Key: key}
		var expires int64
		err := r.Scan(&a.Digest, &a.Status, &a.Body, &expires)
		a.Expires, a.Digest, a.Body = instant(expires), some(a.Digest), some(a.Body)
		return a, err
	}, `SELECT digest, status, body, expires FROM answer WHERE tenant = $1 AND actor = $2 AND key = $3 AND (expires = 0 OR expires > $4)`,
		string(t), actorID, key, micros(tx.db.now()))
	return a, otherwise(err, bonafide.NotFound, "this idempotency key was not used")
}

// PutAnswer keeps an answer; Conflict if the actor has used the key and its answer
// has not expired.
func (tx *Tx) PutAnswer(ctx context.Context, t bonafide.Tenant, actorID string, a Answer) error {
	return tx.putAnswers(ctx, t, actorID, []Answer{a})
}

func (tx *Tx) putAnswers(ctx context.Context, t bonafide.Tenant, actorID string, as []Answer) error {
	if len(as) == 0 {
		return nil
	}
	var args []any
	keys := make([]string, 0, len(as))
	for _, a := range as {
		args = append(args, string(t), actorID, a.Key, some(a.Digest), int64(a.Status), some(a.Body), micros(a.Expires))
		keys = append(keys, a.Key)
	}
	add := func() (int64, error) { return tx.insert(ctx, "answer", " ON CONFLICT DO NOTHING", args) }
	n, err := add()
	if err != nil || n == int64(len(as)) {
		return err
	}
	// What has expired makes room; what has not is in the way.
	if _, err := tx.exec(ctx, `DELETE FROM answer WHERE tenant = $1 AND actor = $2 AND expires > 0 AND expires <= $3 AND `+tx.db.d.in("key", 4),
		string(t), actorID, micros(tx.db.now()), tx.db.d.list(keys)); err != nil {
		return err
	}
	more, err := add()
	if err == nil && n+more != int64(len(as)) {
		err = tx.refuse(&bonafide.Error{Kind: bonafide.Conflict, Msg: "this idempotency key was used already"})
	}
	return err
}

// some is b, and empty where b is nil: the columns take no NULL, and SQLite's driver
// gives nil for what is empty.
func some(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// PurgeAnswers deletes the answers of every tenant that expired by now and returns
// how many.
func (db *DB) PurgeAnswers(ctx context.Context, now time.Time) (n int64, err error) {
	err = db.Update(ctx, func(tx *Tx) (err error) {
		n, err = tx.exec(ctx, `DELETE FROM answer WHERE expires > 0 AND expires <= $1`, micros(now))
		return err
	})
	return n, err
}
