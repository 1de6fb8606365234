package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"bonafide"
	"bonafide/server"
	"bonafide/store"
)

// onceHeader makes a POST give the same answer each time it is sent within
// answerLife. ReplayHeader marks an answer given before.
const (
	onceHeader   = "Idempotency-Key"
	replayHeader = "Idempotent-Replayed"
	maxOnceKey   = 128
	answerLife   = 24 * time.Hour
)

// An ask is a request with an idempotency key.
type ask struct {
	key     string
	digest  []byte // keyed hash of method, address and body
	expires time.Time
}

// asked returns the idempotency key of a request, nil if it has none.
func (a *api) asked(r *http.Request, who caller, body []byte) (*ask, error) {
	keys := r.Header.Values(onceHeader)
	if len(keys) == 0 {
		return nil, nil
	}
	if len(keys) > 1 || !printable(keys[0]) {
		return nil, &server.Refusal{Status: http.StatusBadRequest, Field: onceHeader, Detail: onceHeader + ": not 1 to 128 printable ASCII characters"}
	}
	content := append([]byte(r.Method+" "+r.URL.EscapedPath()+"\n"), body...)
	digest, err := a.Hasher.Digest(r.Context(), who.tenant, content)
	if err != nil {
		return nil, fmt.Errorf("hash the request: %w", err)
	}
	return &ask{key: keys[0], digest: digest, expires: a.Now().Add(answerLife)}, nil
}

func printable(s string) bool {
	if s == "" || len(s) > maxOnceKey {
		return false
	}
	for _, c := range []byte(s) {
		if c < 0x20 || c > 0x7E {
			return false
		}
	}
	return true
}

// A reply is what a request is answered with.
type reply struct {
	status   int
	body     []byte
	replayed bool
}

func (y reply) write(w http.ResponseWriter) error {
	if y.replayed {
		w.Header().Set(replayHeader, "true")
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(y.status)
	_, _ = w.Write(append(y.body, '\n')) // nobody is left to tell
	return nil
}

// earlier returns the reply to the same request sent before. The key of another
// request is refused.
func (a *api) earlier(ctx context.Context, tx *store.Tx, who caller, q *ask) (reply, bool, error) {
	if q == nil {
		return reply{}, false, nil
	}
	old, err := tx.Answer(ctx, who.tenant, who.actor.ID, q.key)
	switch {
	case errors.Is(err, bonafide.NotFound) || err == nil && !a.Now().Before(old.Expires):
		return reply{}, false, nil
	case err != nil:
		return reply{}, false, err
	case !bytes.Equal(old.Digest, q.digest):
		return reply{}, false, &server.Refusal{
			Status: http.StatusUnprocessableEntity, Field: onceHeader,
			Detail: onceHeader + ": it was used for another request: use a new key for a new request",
		}
	}
	return reply{status: old.Status, body: old.Body, replayed: true}, true, nil
}

// before looks for an earlier reply in a transaction of its own.
func (a *api) before(ctx context.Context, who caller, q *ask) (y reply, found bool, err error) {
	if q == nil {
		return reply{}, false, nil
	}
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		y, found, err = a.earlier(ctx, tx, who, q)
		return err
	})
	return y, found, err
}

// keep stores the reply to a request with an idempotency key.
func keep(ctx context.Context, tx *store.Tx, who caller, q *ask, y reply) error {
	if q == nil {
		return nil
	}
	err := tx.PutAnswer(ctx, who.tenant, who.actor.ID, store.Answer{Key: q.key, Digest: q.digest, Status: y.status, Body: y.body, Expires: q.expires})
	if errors.Is(err, bonafide.Conflict) {
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: onceHeader + ": another request with this key is under way: send it again later", Err: err}
	}
	return err
}

// An unstored answer has a part that is shown once and kept nowhere.
type unstored interface{ kept() any }

// change answers a POST: do makes the change in a transaction that also keeps the
// answer for repetitions. Do may run more than once.
func (a *api) change(w http.ResponseWriter, r *http.Request, who caller, body []byte, status int, do func(context.Context, *store.Tx) (any, error)) error {
	ctx := r.Context()
	q, err := a.asked(r, who, body)
	if err != nil {
		return err
	}
	var y reply
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		var found bool
		if y, found, err = a.earlier(ctx, tx, who, q); found || err != nil {
			return err
		}
		v, err := do(ctx, tx)
		if err != nil {
			return err
		}
		if y, err = rendered(status, v); err != nil {
			return err
		}
		stored := y
		if u, ok := v.(unstored); ok {
			if stored, err = rendered(status, u.kept()); err != nil {
				return err
			}
		}
		return keep(ctx, tx, who, q, stored)
	})
	if err != nil {
		return err
	}
	return y.write(w)
}

func rendered(status int, v any) (reply, error) {
	b, err := json.Marshal(v)
	return reply{status: status, body: b}, err
}

// decided answers a POST whose change the live engine makes: do hands the engine what
// keeps the answer in the transaction of the change.
func (a *api) decided(w http.ResponseWriter, r *http.Request, who caller, body []byte, do func(ctx context.Context, keep func(*store.Tx, any) error) error) error {
	ctx := r.Context()
	q, err := a.asked(r, who, body)
	if err != nil {
		return err
	}
	y, found, err := a.before(ctx, who, q)
	if err != nil {
		return err
	}
	if found {
		return y.write(w)
	}
	err = do(ctx, func(tx *store.Tx, v any) (err error) {
		if y, err = rendered(http.StatusOK, v); err != nil {
			return err
		}
		return keep(ctx, tx, who, q, y)
	})
	if err != nil {
		return err
	}
	if y.status == 0 {
		return errors.New("the engine kept no answer")
	}
	return y.write(w)
}
