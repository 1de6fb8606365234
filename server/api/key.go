package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"bonafide"
	"bonafide/store"
)

// A keyView is an API key as it is shown. Secret is there once, in the answer that made
// the key.
type keyView struct {
	ID       string              `json:"id"`
	Name     string              `json:"name"`
	Scopes   []bonafide.Scope    `json:"scopes"`
	Rate     int                 `json:"rate"` // requests a minute
	Created  time.Time           `json:"created"`
	Expires  time.Time           `json:"expires,omitzero"`
	Revoked  time.Time           `json:"revoked,omitzero"` // from when on it is no key
	Replaces string              `json:"replaces,omitempty"`
	Purpose  bonafide.KeyPurpose `json:"purpose,omitempty"`
	Secret   string              `json:"secret,omitempty"`
}

// kept leaves out what is shown once: a repetition of the request gets the key without
// its secret.
func (v keyView) kept() any { v.Secret = ""; return v }

func (a *api) keyOf(k store.APIKey) keyView {
	v := keyView{
		ID: k.ID, Name: k.Name, Scopes: k.Scopes, Rate: k.Rate,
		Created: utc(k.Created), Expires: utc(k.Expires), Revoked: utc(k.Revoked), Replaces: k.Replaces, Purpose: k.Purpose,
	}
	if v.Rate <= 0 {
		v.Rate = a.Limits.Rate
	}
	if v.Scopes == nil {
		v.Scopes = []bonafide.Scope{}
	}
	return v
}

// listKeys lists the keys of a tenant, without their secrets.
func (a *api) listKeys(w http.ResponseWriter, r *http.Request, who caller) error {
	ctx := r.Context()
	var rows []store.APIKey
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		rows, err = tx.Keys(ctx, who.tenant)
		return err
	})
	if err != nil {
		return err
	}
	views := make([]keyView, len(rows))
	for i, k := range rows {
		views[i] = a.keyOf(k)
	}
	return answer(w, http.StatusOK, paged(views, 0, func(v keyView) string { return v.ID }))
}

// maxRate bounds the rate of a key, requests a minute.
const maxRate = 10_000_000

// addKey makes a key. Its secret is in this answer and nowhere else.
func (a *api) addKey(w http.ResponseWriter, r *http.Request, who caller) error {
	var in struct {
		Name    string              `json:"name"`
		Scopes  []bonafide.Scope    `json:"scopes"`
		Rate    int                 `json:"rate"`
		Expires time.Time           `json:"expires"`
		Purpose bonafide.KeyPurpose `json:"purpose"`
	}
	body, err := a.read(w, r, &in)
	if err != nil {
		return err
	}
	if in.Purpose != "" && !slices.Contains(bonafide.KeyPurposes, in.Purpose) {
		return wrong("purpose", "not one of the purposes that a key can have")
	}
	if strings.TrimSpace(in.Name) == "" || utf8.RuneCountInString(in.Name) > 100 || strings.ContainsFunc(in.Name, unicode.IsControl) {
		return wrong("name", "not 1 to 100 characters without control characters")
	}
	if len(in.Scopes) == 0 {
		return wrong("scopes", "missing: a key without a scope can do nothing")
	}
	seen := map[bonafide.Scope]bool{}
	for _, s := range in.Scopes {
		if !slices.Contains(bonafide.Scopes, s) || seen[s] {
			return wrong("scopes", "not some of "+scopes()+", each once")
		}
		seen[s] = true
	}
	now := a.Now().UTC()
	if in.Rate < 0 || in.Rate > maxRate {
		return wrong("rate", "not from 1 to 10000000 requests a minute")
	}
	if !in.Expires.IsZero() && !in.Expires.After(now) {
		return wrong("expires", "not in the future")
	}
	k := store.APIKey{Tenant: who.tenant, Name: in.Name, Scopes: in.Scopes, Rate: in.Rate, Created: now, Expires: utc(in.Expires), Purpose: in.Purpose}
	return a.change(w, r, who, body, http.StatusCreated, func(ctx context.Context, tx *store.Tx) (any, error) {
		return a.makeKey(ctx, tx, who, k)
	})
}

// makeKey draws the secret of a key and stores the key.
func (a *api) makeKey(ctx context.Context, tx *store.Tx, who caller, k store.APIKey) (keyView, error) {
	secret, hash, err := NewSecret(a.Random)
	if err != nil {
		return keyView{}, err
	}
	k.ID, k.Hash = a.Store.NewID(), hash
	if err := tx.AddKey(ctx, who.tenant, who.actor, k); err != nil {
		return keyView{}, err
	}
	v := a.keyOf(k)
	v.Secret = secret
	return v, nil
}

func scopes() string {
	names := make([]string, len(bonafide.Scopes))
	for i, s := range bonafide.Scopes {
		names[i] = string(s)
	}
	return strings.Join(names, ", ")
}

// The times that an old key lives on beside the one that replaces it.
const usualOverlap, maxOverlap = 24 * time.Hour, 30 * 24 * time.Hour

// rotateKey makes a key that takes over from another, which ends after the overlap.
func (a *api) rotateKey(w http.ResponseWriter, r *http.Request, who caller) error {
	var in struct {
		Overlap *int64 `json:"overlap_s"`
	}
	body, err := a.read(w, r, &in)
	if err != nil {
		return err
	}
	overlap := usualOverlap
	if in.Overlap != nil {
		if *in.Overlap < 0 || *in.Overlap > int64(maxOverlap/time.Second) {
			return wrong("overlap_s", "not from 0 to 2592000 seconds")
		}
		overlap = time.Duration(*in.Overlap) * time.Second
	}
	id := r.PathValue("id")
	defer a.keys.drop(nil, id)
	return a.change(w, r, who, body, http.StatusCreated, func(ctx context.Context, tx *store.Tx) (any, error) {
		now := a.Now().UTC()
		old, err := a.livingKey(ctx, tx, who, id, now)
		if err != nil {
			return nil, err
		}
		if err := tx.RevokeKey(ctx, who.tenant, who.actor, id, now.Add(overlap)); err != nil {
			return nil, err
		}
		return a.makeKey(ctx, tx, who, store.APIKey{
			Tenant: who.tenant, Name: old.Name, Scopes: old.Scopes, Rate: old.Rate, Created: now, Expires: old.Expires, Replaces: id, Purpose: old.Purpose,
		})
	})
}

// revokeKey ends a key now. Other processes follow within [Limits].Trust.
func (a *api) revokeKey(w http.ResponseWriter, r *http.Request, who caller) error {
	body, err := a.read(w, r, &struct{}{})
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	defer a.keys.drop(nil, id)
	return a.change(w, r, who, body, http.StatusOK, func(ctx context.Context, tx *store.Tx) (any, error) {
		now := a.Now().UTC()
		k, err := a.livingKey(ctx, tx, who, id, now)
		if err != nil {
			return nil, err
		}
		if err := tx.RevokeKey(ctx, who.tenant, who.actor, id, now); err != nil {
			return nil, err
		}
		k.Revoked = now
		return a.keyOf(k), nil
	})
}

// livingKey returns a key of the tenant that has not ended.
func (a *api) livingKey(ctx context.Context, tx *store.Tx, who caller, id string, now time.Time) (store.APIKey, error) {
	keys, err := tx.Keys(ctx, who.tenant)
	if err != nil {
		return store.APIKey{}, err
	}
	at := slices.IndexFunc(keys, func(k store.APIKey) bool { return k.ID == id })
	if at < 0 {
		return store.APIKey{}, &bonafide.Error{Kind: bonafide.NotFound, Msg: "no such key"}
	}
	if !valid(keys[at], now) {
		return store.APIKey{}, &bonafide.Error{Kind: bonafide.Conflict, Msg: "the key has ended already"}
	}
	return keys[at], nil
}
