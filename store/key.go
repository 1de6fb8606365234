package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"bonafide"
)

// An APIKey is what another system shows to be let in. Its secret is not kept.
type APIKey struct {
	ID       string
	Tenant   bonafide.Tenant
	Name     string
	Hash     []byte // SHA-256 of the secret
	Scopes   []bonafide.Scope
	Rate     int // requests per minute; 0 = default
	Created  time.Time
	Expires  time.Time // zero: never
	Revoked  time.Time // zero: it is good
	Replaces string    // the key that it takes over from
	Purpose  bonafide.KeyPurpose
}

// AddKey adds an API key to a tenant; Conflict if its id or its secret is in use.
func (tx *Tx) AddKey(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, k APIKey) error {
	for _, s := range k.Scopes {
		if !k.Purpose.Allows(s) {
			return &bonafide.Error{Kind: bonafide.Denied, Msg: fmt.Sprintf("a key for %s cannot have the scope %s: nothing that is suspected is used there", k.Purpose, s)}
		}
	}
	scopes, err := json.Marshal(k.Scopes)
	if err != nil {
		return err
	}
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	if _, err = tx.insert(ctx, "api_key", "", []any{
		string(t), k.ID, k.Name, some(k.Hash), string(scopes), int64(k.Rate), micros(k.Created), micros(k.Expires), micros(k.Revoked), k.Replaces, string(k.Purpose),
	}); err != nil {
		return otherwise(err, bonafide.Conflict, "there is a key with this id already")
	}
	return tx.Record(ctx, t, actor, "key.added", "key:"+k.ID, map[string]any{
		"name": k.Name, "scopes": k.Scopes, "rate": k.Rate, "expires": micros(k.Expires), "replaces": k.Replaces, "purpose": string(k.Purpose),
	})
}

const keyColumns = `tenant, id, name, hash, scopes, rate, created, expires, revoked, replaces, purpose`

func scanKey(r row) (k APIKey, err error) {
	var scopes string
	var created, expires, revoked int64
	if err = r.Scan(&k.Tenant, &k.ID, &k.Name, &k.Hash, &scopes, &k.Rate, &created, &expires, &revoked, &k.Replaces, &k.Purpose); err != nil {
		return k, err
	}
	k.Created, k.Expires, k.Revoked, k.Hash = instant(created), instant(expires), instant(revoked), some(k.Hash)
	if err := json.Unmarshal([]byte(scopes), &k.Scopes); err != nil {
		return k, err
	}
	// Also a row that somebody changed by hand opens nothing.
	k.Scopes = slices.DeleteFunc(k.Scopes, func(s bonafide.Scope) bool { return !k.Purpose.Allows(s) })
	return k, nil
}

// KeyByHash returns the key, of whatever tenant, whose secret has this SHA-256. It
// may have expired or been revoked.
func (tx *Tx) KeyByHash(ctx context.Context, hash []byte) (APIKey, error) {
	k, err := one(ctx, tx, scanKey, `SELECT `+keyColumns+` FROM api_key WHERE hash = $1`, some(hash))
	return k, otherwise(err, bonafide.NotFound, "there is no such key")
}

// Keys lists the keys of a tenant by id.
func (tx *Tx) Keys(ctx context.Context, t bonafide.Tenant) ([]APIKey, error) {
	return list(ctx, tx, scanKey, `SELECT `+keyColumns+` FROM api_key WHERE tenant = $1 ORDER BY id`, string(t))
}

// RevokeKey ends a key at a time, which may lie ahead. A key that is to end earlier
// already stays as it is, and that is logged too.
func (tx *Tx) RevokeKey(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, id string, at time.Time) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	n, err := tx.exec(ctx, `UPDATE api_key SET revoked = CASE WHEN revoked = 0 OR revoked > $3 THEN $3 ELSE revoked END WHERE tenant = $1 AND id = $2`,
		string(t), id, micros(at))
	if err != nil {
		return err
	}
	if n == 0 {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: fmt.Sprintf("there is no key %q", id)}
	}
	return tx.Record(ctx, t, actor, "key.revoked", "key:"+id, map[string]any{"at": micros(at)})
}
