package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"bonafide"
)

// A Passkey is a key pair on a person's device. The public half is here.
type Passkey struct {
	ID         string
	Tenant     bonafide.Tenant
	Person     string
	Name       string // what the person calls it
	Credential []byte // the id that the device gave it
	Data       []byte // public key, counter and flags, as server/auth writes them
	Created    time.Time
	Used       time.Time // zero: never
}

// passkeyBody is what of a passkey is sealed.
type passkeyBody struct {
	Name       string `json:"name"`
	Credential []byte `json:"credential"`
	Data       []byte `json:"data"`
}

func credentialHash(id []byte) []byte {
	h := sha256.Sum256(id)
	return h[:]
}

func (tx *Tx) sealPasskey(t bonafide.Tenant, k Passkey) ([]byte, error) {
	b, err := json.Marshal(passkeyBody{k.Name, k.Credential, k.Data})
	if err != nil {
		return nil, err
	}
	return tx.db.root.seal(tx.db.random, place("passkey", string(t), k.ID), b)
}

// AddPasskey adds a passkey; Conflict if its credential is known. Only the person
// adds one.
func (tx *Tx) AddPasskey(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, k Passkey) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	if !isPerson(actor, k.Person) {
		return &bonafide.Error{Kind: bonafide.Denied, Msg: "only the person adds a passkey"}
	}
	body, err := tx.sealPasskey(t, k)
	if err != nil {
		return err
	}
	if _, err := tx.insert(ctx, "passkey", "", []any{
		string(t), k.ID, k.Person, credentialHash(k.Credential), micros(k.Created), micros(k.Used), body,
	}); err != nil {
		return otherwise(err, bonafide.Conflict, "this passkey is known already, or there is no such person")
	}
	return tx.Record(ctx, t, actor, "passkey.added", "passkey:"+k.ID, map[string]any{"person": k.Person})
}

const passkeyColumns = `tenant, id, person, created, used, body`

func (tx *Tx) scanPasskey(r row) (k Passkey, err error) {
	var created, used int64
	var sealed []byte
	if err = r.Scan(&k.Tenant, &k.ID, &k.Person, &created, &used, &sealed); err != nil {
		return k, err
	}
	k.Created, k.Used = instant(created), instant(used)
	plain, err := tx.db.root.open(place("passkey", string(k.Tenant), k.ID), sealed)
	if err != nil {
		return k, fmt.Errorf("a passkey: %w", err)
	}
	var b passkeyBody
	if err := json.Unmarshal(plain, &b); err != nil {
		return k, fmt.Errorf("a passkey: %w", err)
	}
	k.Name, k.Credential, k.Data = b.Name, b.Credential, b.Data
	return k, nil
}

const noPasskey = "there is no such passkey"

// PasskeyByCredential returns the passkey, of whatever tenant, with the id that a
// device gave it.
func (tx *Tx) PasskeyByCredential(ctx context.Context, credential []byte) (Passkey, error) {
	k, err := one(ctx, tx, tx.scanPasskey, `SELECT `+passkeyColumns+` FROM passkey WHERE credential = $1`, credentialHash(credential))
	return k, otherwise(err, bonafide.NotFound, noPasskey)
}

// Passkeys lists the passkeys of a person by id.
func (tx *Tx) Passkeys(ctx context.Context, t bonafide.Tenant, person string) ([]Passkey, error) {
	return list(ctx, tx, tx.scanPasskey, `SELECT `+passkeyColumns+` FROM passkey WHERE tenant = $1 AND person = $2 ORDER BY id`, string(t), person)
}

// UpdatePasskey saves Data and Used of a passkey that was used: its counter went on.
func (tx *Tx) UpdatePasskey(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, k Passkey) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	if !isPerson(actor, k.Person) {
		return &bonafide.Error{Kind: bonafide.Denied, Msg: "only the person uses a passkey"}
	}
	body, err := tx.sealPasskey(t, k)
	if err != nil {
		return err
	}
	n, err := tx.exec(ctx, `UPDATE passkey SET used = $4, body = $5 WHERE tenant = $1 AND id = $2 AND person = $3`, string(t), k.ID, k.Person, micros(k.Used), body)
	if err != nil {
		return err
	}
	if n == 0 {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: noPasskey}
	}
	return tx.Record(ctx, t, actor, "passkey.used", "passkey:"+k.ID, map[string]any{"person": k.Person})
}

// RemovePasskey removes a passkey: the person does, and who may change people.
func (tx *Tx) RemovePasskey(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, person, id string) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	if err := mayPeople(actor); err != nil && !isPerson(actor, person) {
		return err
	}
	n, err := tx.exec(ctx, `DELETE FROM passkey WHERE tenant = $1 AND id = $2 AND person = $3`, string(t), id, person)
	if err != nil {
		return err
	}
	if n == 0 {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: noPasskey}
	}
	return tx.Record(ctx, t, actor, "passkey.removed", "passkey:"+id, map[string]any{"person": person})
}
