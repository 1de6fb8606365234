package store

import (
	"context"
	"fmt"
	"io"
	"time"

	"bonafide"
	"bonafide/evidence"
)

// A TenantRow is one institution that keeps its complaints here.
type TenantRow struct {
	ID      bonafide.Tenant
	Name    string
	Created time.Time
}

// AddTenant adds a tenant with a secret and a log of its own; Conflict if there is
// one with this id.
func (tx *Tx) AddTenant(ctx context.Context, t bonafide.Tenant, name string, actor bonafide.Actor) error {
	if t == "" {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "a tenant needs an id"}
	}
	secret := make([]byte, keySize)
	if _, err := io.ReadFull(tx.db.random, secret); err != nil {
		return err
	}
	sealed, err := tx.db.root.seal(tx.db.random, place("tenant", string(t)), secret)
	if err != nil {
		return err
	}
	_, err = tx.insert(ctx, "tenant", "", []any{string(t), name, micros(tx.db.now()), sealed})
	if err != nil {
		return otherwise(err, bonafide.Conflict, fmt.Sprintf("there is a tenant %q already", t))
	}
	if _, err := tx.insert(ctx, "head", "", []any{string(t), int64(0), int64(0), int64(0), []byte{}}); err != nil {
		return err
	}
	return tx.Record(ctx, t, actor, "tenant.added", "tenant:"+string(t), map[string]any{"name": name})
}

// Tenants lists the tenants by id.
func (tx *Tx) Tenants(ctx context.Context) ([]TenantRow, error) {
	return list(ctx, tx, func(r row) (t TenantRow, err error) {
		var created int64
		err = r.Scan(&t.ID, &t.Name, &created)
		t.Created = instant(created)
		return t, err
	}, `SELECT id, name, created FROM tenant ORDER BY id`)
}

// Secret returns the key of the tenant's keyed hashes: 32 bytes.
func (tx *Tx) Secret(ctx context.Context, t bonafide.Tenant) ([]byte, error) {
	sealed, err := one(ctx, tx, func(r row) (b []byte, err error) { return b, r.Scan(&b) }, `SELECT secret FROM tenant WHERE id = $1`, string(t))
	if err != nil {
		return nil, noTenant(err, t)
	}
	secret, err := tx.db.root.open(place("tenant", string(t)), sealed)
	if err != nil {
		return nil, fmt.Errorf("the secret of tenant %q: %w", t, err)
	}
	return secret, nil
}

func noTenant(err error, t bonafide.Tenant) error {
	return otherwise(err, bonafide.NotFound, fmt.Sprintf("there is no tenant %q", t))
}

// identify checks that the database was made with our root key. A new database gets
// a value to check by and the key pair of its log.
func (db *DB) identify(ctx context.Context) error {
	return db.Update(ctx, func(tx *Tx) error {
		broken, err := tx.meta(ctx, copying)
		if err != nil {
			return err
		}
		if broken != nil {
			return &bonafide.Error{Kind: bonafide.Conflict, Msg: "a copy into this database was broken off half-way: delete the database and copy again"}
		}
		sealed, err := tx.meta(ctx, "check")
		if err != nil {
			return err
		}
		if sealed == nil {
			if err := tx.makeIdentity(ctx); err != nil {
				return err
			}
			// Another process may have been faster.
			if sealed, err = tx.meta(ctx, "check"); err != nil {
				return err
			}
		}
		if plain, err := db.root.open(place("meta", "check"), sealed); err != nil || string(plain) != checkValue {
			return &bonafide.Error{Kind: bonafide.Denied, Msg: "this is not the root key that the database was made with: without that key nothing in it can be read; find it and start again", Err: err}
		}
		return nil
	})
}

const checkValue = "bonafide"

func (tx *Tx) makeIdentity(ctx context.Context) error {
	skey, vkey, err := evidence.NewSigner(tx.db.random, "bonafide-log")
	if err != nil {
		return err
	}
	check, err := tx.db.root.seal(tx.db.random, place("meta", "check"), []byte(checkValue))
	if err != nil {
		return err
	}
	secret, err := tx.db.root.seal(tx.db.random, place("meta", "signing-key"), []byte(skey))
	if err != nil {
		return err
	}
	// The check comes first: who is late waits for it and then adds nothing.
	n, err := tx.insert(ctx, "meta", " ON CONFLICT DO NOTHING", []any{"check", check})
	if err != nil || n == 0 {
		return err
	}
	_, err = tx.insert(ctx, "meta", "", []any{"signing-key", secret, "verifier-key", []byte(vkey)})
	return err
}

// meta returns a value that belongs to the database, or nil.
func (tx *Tx) meta(ctx context.Context, name string) ([]byte, error) {
	all, err := list(ctx, tx, func(r row) (b []byte, err error) { return b, r.Scan(&b) }, `SELECT value FROM meta WHERE name = $1`, name)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all[0], nil
}

// SigningKey returns the key pair that signs checkpoints of the logs: skey is
// secret, vkey is for everyone.
func (tx *Tx) SigningKey(ctx context.Context) (skey, vkey string, err error) {
	sealed, err := tx.meta(ctx, "signing-key")
	if err != nil {
		return "", "", err
	}
	public, err := tx.meta(ctx, "verifier-key")
	if err != nil {
		return "", "", err
	}
	secret, err := tx.db.root.open(place("meta", "signing-key"), sealed)
	if err != nil {
		return "", "", fmt.Errorf("the signing key of the log: %w", err)
	}
	return string(secret), string(public), nil
}
