package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"bonafide"
	"bonafide/server"
	"bonafide/server/strict"
	"bonafide/store"
)

// A record is a customer, contract, call or representative that follows its
// contract.
type record struct {
	id       string // "" for a customer: it is the keyed hash of ref
	ref      string // the customer number; "" where contract tells whose it is
	contract string
	at       time.Time
	body     []byte
}

// A recordKind is one kind of record, with the same routes as the others.
type recordKind struct {
	kind  string // as it is stored
	parse func([]byte) (record, error)
}

// The kinds.
var (
	customers = recordKind{"customer", func(b []byte) (record, error) {
		var c bonafide.Customer
		return recordOf(b, &c, c.CheckRecord, func() record { return record{ref: c.Ref} })
	}}
	contracts = recordKind{"contract", func(b []byte) (record, error) {
		var c bonafide.Contract
		return recordOf(b, &c, c.Check, func() record { return record{id: c.ID, ref: c.CustomerRef} })
	}}
	calls = recordKind{"call", func(b []byte) (record, error) {
		var c bonafide.CollectionCall
		return recordOf(b, &c, c.Check, func() record { return record{id: c.ID, ref: c.CustomerRef, contract: c.Contract, at: c.Started} })
	}}
	thirdParties = recordKind{"third-party", func(b []byte) (record, error) {
		var p bonafide.ThirdParty
		return recordOf(b, &p, p.Check, func() record { return record{id: p.ID, ref: p.CustomerRef, at: p.Refused} })
	}}
	objections = recordKind{"objection", func(b []byte) (record, error) {
		var o bonafide.CreditObjection
		return recordOf(b, &o, o.Check, func() record { return record{id: o.ID, ref: o.CustomerRef} })
	}}
	failures = recordKind{"failure", func(b []byte) (record, error) {
		var f bonafide.Failure
		return recordOf(b, &f, f.Check, func() record { return record{id: f.ID, ref: f.CustomerRef, at: f.At} })
	}}
	representatives = recordKind{"representative", func(b []byte) (record, error) {
		var c bonafide.Authority
		return recordOf(b, &c, c.Check, func() record { return record{id: c.ID, ref: c.CustomerRef, at: c.From} })
	}}
)

// recordOf reads one record. Its body is written anew, so that the same content in
// another order of fields is the same.
func recordOf(b []byte, into any, check func() error, made func() record) (record, error) {
	if err := strict.Decode(b, into, strict.Limits{}); err != nil {
		return record{}, err
	}
	if err := check(); err != nil {
		return record{}, err
	}
	rec := made()
	var err error
	rec.body, err = json.Marshal(into)
	return rec, err
}

// A putRecord is the answer to a record handed in.
type putRecord struct {
	ID     string             `json:"id"`
	Status bonafide.PutStatus `json:"status"`
}

// add takes one record.
func (k recordKind) add(a *api, w http.ResponseWriter, r *http.Request, who caller) error {
	body, err := server.ReadBody(w, r, server.JSON, a.Limits.Body)
	if err != nil {
		return err
	}
	rec, err := k.parse(body)
	if err != nil {
		return refused(err)
	}
	in, bad, err := k.prepare(r.Context(), a, who, []record{rec})
	if err != nil {
		return err
	}
	if bad[0] != nil {
		return refused(bad[0])
	}
	return a.change(w, r, who, body, http.StatusOK, func(ctx context.Context, tx *store.Tx) (any, error) {
		got, err := tx.PutRecords(ctx, who.tenant, who.actor, in)
		if err != nil {
			return nil, err
		}
		return putRecord{ID: in[0].ID, Status: got[0]}, nil
	})
}

// addBulk takes a stream of records.
func (k recordKind) addBulk(a *api, w http.ResponseWriter, r *http.Request, who caller) error {
	s := stream[record]{a: a, parse: k.parse}
	s.put = func(ctx context.Context, recs []record) ([]lineAnswer, error) {
		in, bad, err := k.prepare(ctx, a, who, recs)
		if err != nil {
			return nil, err
		}
		var got []bonafide.PutStatus
		err = a.Store.Update(ctx, func(tx *store.Tx) error {
			got = got[:0]
			for _, part := range distinct(in) {
				st, err := tx.PutRecords(ctx, who.tenant, who.actor, part)
				if err != nil {
					return err
				}
				got = append(got, st...)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		out, n := make([]lineAnswer, len(recs)), 0
		for i := range recs {
			if bad[i] != nil {
				out[i] = spoilt(bad[i])
				continue
			}
			out[i] = lineAnswer{ID: in[n].ID, Status: got[n]}
			n++
		}
		return out, nil
	}
	return s.serve(w, r, who)
}

// distinct cuts records into parts in which no id stands twice, so that the second
// of two is compared with the first.
func distinct(in []store.NewRecord) [][]store.NewRecord {
	var parts [][]store.NewRecord
	seen, from := map[string]bool{}, 0
	for i, r := range in {
		if seen[r.ID] {
			parts = append(parts, in[from:i])
			clear(seen)
			from = i
		}
		seen[r.ID] = true
	}
	if from < len(in) {
		parts = append(parts, in[from:])
	}
	return parts
}

// prepare finds out whose each record is and hashes it. What is wrong with one stands
// in bad; in leaves it out.
func (k recordKind) prepare(ctx context.Context, a *api, who caller, recs []record) (in []store.NewRecord, bad []error, err error) {
	bad = make([]error, len(recs))
	owners := map[string]string{} // subject by contract
	for i, rec := range recs {
		n := store.NewRecord{Kind: k.kind, ID: rec.id, At: rec.at, Body: rec.body}
		switch {
		case rec.ref != "":
			n.Subject, err = a.Hasher.Subject(ctx, who.tenant, &bonafide.Customer{Ref: rec.ref})
		default:
			n.Subject, err = a.owner(ctx, who, rec.contract, owners)
		}
		if err != nil {
			return nil, nil, err
		}
		if n.Subject == "" {
			bad[i] = k.nobody(rec)
			continue
		}
		switch {
		case n.ID == "":
			n.ID = n.Subject
		case k.kind == thirdParties.kind: // contact lists number their people anew for each customer
			n.ID = n.Subject + "." + n.ID
		}
		if n.Digest, err = a.Hasher.Digest(ctx, who.tenant, rec.body); err != nil {
			return nil, nil, fmt.Errorf("hash a record: %w", err)
		}
		in = append(in, n)
	}
	return in, bad, nil
}

// nobody says which field should have told whose a record is.
func (k recordKind) nobody(rec record) error {
	field, why := "customer_ref", "a value that identifies nobody, such as unknown or 0000"
	switch {
	case k.kind == customers.kind:
		field = "ref"
	case rec.ref == "":
		field, why = "contract", "no such contract: hand it in first, or give customer_ref"
	}
	return &bonafide.Error{Kind: bonafide.Invalid, Msg: field + ": " + why}
}

// owner returns whose a contract is; "" where it was not handed in.
func (a *api) owner(ctx context.Context, who caller, contract string, known map[string]string) (string, error) {
	if s, ok := known[contract]; ok {
		return s, nil
	}
	var row store.RecordRow
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		row, err = tx.OneRecord(ctx, who.tenant, contracts.kind, contract)
		return err
	})
	if err != nil && !errors.Is(err, bonafide.NotFound) {
		return "", err
	}
	known[contract] = row.Subject
	return row.Subject, nil
}

// A recordView is a record as it is shown. Content is given only where it was asked
// for with a purpose.
type recordView struct {
	ID       string          `json:"id"`
	Customer string          `json:"customer,omitempty"` // id of the customer: a keyed hash
	Version  int             `json:"version"`            // grows with each change
	At       time.Time       `json:"at,omitzero"`
	Stored   time.Time       `json:"stored"`
	Content  json.RawMessage `json:"content,omitempty"`
}

// one shows one record. A reveal of its content is logged before it is shown.
func (k recordKind) one(a *api, w http.ResponseWriter, r *http.Request, who caller) error {
	ctx, id := r.Context(), r.PathValue("id")
	purpose, content, err := reveal(r)
	if err != nil {
		return err
	}
	var v recordView
	show := func(tx *store.Tx) error {
		row, err := tx.OneRecord(ctx, who.tenant, k.kind, id)
		if err != nil && !gone(err, content, row.ID) {
			return err
		}
		v = recordView{ID: row.ID, Customer: row.Subject, Version: row.Version, At: utc(row.At), Stored: utc(row.Stored)}
		if !content {
			return nil
		}
		v.Content = raw(row.Body)
		return tx.Record(ctx, who.tenant, who.actor, k.kind+".revealed", k.kind+":"+id, map[string]string{"purpose": purpose})
	}
	if content {
		err = a.Store.Update(ctx, show)
	} else {
		err = a.Store.View(ctx, show)
	}
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, v)
}
