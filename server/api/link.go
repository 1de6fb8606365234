package api

import (
	"context"
	"net/http"

	"bonafide"
	"bonafide/store"
)

// A pair are two complaints that a person said are not linked; the smaller id first.
type pair struct {
	A string `json:"a"`
	B string `json:"b"`
}

// listApart lists the pairs that a person said are not linked.
func (a *api) listApart(w http.ResponseWriter, r *http.Request, who caller) error {
	ctx := r.Context()
	var rows [][2]string
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		rows, err = tx.Aparts(ctx, who.tenant)
		return err
	})
	if err != nil {
		return err
	}
	pairs := make([]pair, len(rows))
	for i, p := range rows {
		pairs[i] = pair{p[0], p[1]}
	}
	return answer(w, http.StatusOK, paged(pairs, 0, func(p pair) string { return p.A }))
}

// apart keeps a person's word that two complaints are not linked.
func (a *api) apart(w http.ResponseWriter, r *http.Request, who caller) error {
	return a.pair(w, r, who, a.Decider.Apart)
}

// together takes that back.
func (a *api) together(w http.ResponseWriter, r *http.Request, who caller) error {
	return a.pair(w, r, who, a.Decider.Together)
}

func (a *api) pair(w http.ResponseWriter, r *http.Request, who caller, do func(context.Context, bonafide.Tenant, bonafide.Actor, string, string, string, func(*store.Tx) error) error) error {
	var in struct {
		A      string `json:"a"`
		B      string `json:"b"`
		Reason string `json:"reason"`
	}
	body, err := a.read(w, r, &in)
	if err != nil {
		return err
	}
	for _, f := range [...]struct{ name, id string }{{"a", in.A}, {"b", in.B}} {
		if !bonafide.ValidID(f.id) {
			return wrong(f.name, "not an id: 1 to 128 characters of UTF-8 without control characters")
		}
	}
	if in.A == in.B {
		return wrong("b", "the same complaint as a")
	}
	if err := words("reason", in.Reason, maxWords); err != nil {
		return err
	}
	p := pair{min(in.A, in.B), max(in.A, in.B)}
	return a.decided(w, r, who, body, func(ctx context.Context, keep func(*store.Tx, any) error) error {
		return do(ctx, who.tenant, who.actor, p.A, p.B, in.Reason, func(tx *store.Tx) error { return keep(tx, p) })
	})
}
