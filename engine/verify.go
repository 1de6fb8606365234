package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"bonafide"
	"bonafide/contact"
	"bonafide/normalize"
	"bonafide/store"
)

// The states of a verification's sheet.
const (
	VerificationOpen   = "open"
	VerificationSigned = "signed"
)

// verifyWithin is how long a verification may take before it is reminded of. It holds no
// complaint up: its clock runs beside the complaint's own, and is not read there.
const verifyWithin = 5 * 24 * time.Hour

// registered lists the ways to reach a customer as the lender's own record had them at a
// time. What was stored later is not among them.
func (d *desk) registered(ctx context.Context, tx *store.Tx, subject string, at time.Time) ([]contact.Registered, error) {
	row, err := tx.OneRecord(ctx, d.tenant, RecordCustomer, subject)
	if errors.Is(err, bonafide.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if row.Stored.After(at) {
		old, err := tx.RecordVersions(ctx, d.tenant, RecordCustomer, subject)
		if err != nil {
			return nil, err
		}
		found := false
		for _, v := range slices.Backward(old) {
			if !v.Stored.After(at) {
				row, found = v, true
				break
			}
		}
		if !found {
			return nil, nil
		}
	}
	var c bonafide.Customer
	if err := json.Unmarshal(row.Body, &c); err != nil {
		return nil, fmt.Errorf("customer: %w", err)
	}
	var out []contact.Registered
	for _, r := range []contact.Registered{{Way: bonafide.ByPhone, Value: c.Phone}, {Way: bonafide.ByEmail, Value: c.Email}, {Way: bonafide.ByPost, Value: c.Address}} {
		if strings.TrimSpace(r.Value) != "" {
			r.Since = row.Stored
			out = append(out, r)
		}
	}
	return out, nil
}

// Ways lists over which ways something about a complaint may be verified, and why the
// others may not be used. Values are clear: they are shown to whoever makes the attempt,
// and that is logged by the caller.
func (e *Engine) Ways(ctx context.Context, tx *store.Tx, t bonafide.Tenant, complaint string, kind bonafide.VerificationKind) ([]contact.Offer, error) {
	d, err := e.desk(ctx, t)
	if err != nil {
		return nil, err
	}
	return d.ways(ctx, tx, complaint, kind)
}

func (d *desk) ways(ctx context.Context, tx *store.Tx, complaint string, kind bonafide.VerificationKind) ([]contact.Offer, error) {
	row, err := tx.Complaint(ctx, d.tenant, complaint)
	if err != nil {
		return nil, err
	}
	var c bonafide.Complaint
	if err := json.Unmarshal(row.Body, &c); err != nil {
		return nil, fmt.Errorf("complaint %s: %w", complaint, err)
	}
	at := row.Stored
	if !row.Received.IsZero() && row.Received.Before(at) {
		at = row.Received
	}
	before, came, err := d.dispute(ctx, tx, row.Subject, at)
	if err != nil {
		return nil, err
	}
	registered, err := d.registered(ctx, tx, row.Subject, before)
	if err != nil {
		return nil, err
	}
	own := d.came(&c)
	return contact.Ways(kind, before, registered, func(w bonafide.Way, value string) bool { return own(w, value) || came(w, value) }), nil
}

// disputeMost bounds the complaints of one customer that are looked at.
const disputeMost = 50

// dispute says when a customer's dispute began, at the latest at a moment: with the first
// of their complaints that is not answered, or came within a year before. What a lender
// stored since may come from whoever leads it. came reports of values whether one of
// these complaints came with them.
func (d *desk) dispute(ctx context.Context, tx *store.Tx, subject string, at time.Time) (before time.Time, came func(bonafide.Way, string) bool, err error) {
	before = at
	ids, err := tx.ComplaintsOf(ctx, d.tenant, subject)
	if err != nil {
		return before, nil, err
	}
	var all []func(bonafide.Way, string) bool
	for _, id := range ids[max(0, len(ids)-disputeMost):] {
		row, err := tx.Complaint(ctx, d.tenant, id)
		if errors.Is(err, bonafide.NotFound) {
			continue
		}
		if err != nil {
			return before, nil, err
		}
		track, err := tx.Track(ctx, d.tenant, id)
		if err != nil {
			return before, nil, err
		}
		began := row.Stored
		if !row.Received.IsZero() && row.Received.Before(began) {
			began = row.Received
		}
		if !track.Ended.IsZero() && began.Before(at.AddDate(-1, 0, 0)) {
			continue
		}
		var c bonafide.Complaint
		if err := json.Unmarshal(row.Body, &c); err != nil {
			return before, nil, fmt.Errorf("complaint %s: %w", id, err)
		}
		all = append(all, d.came(&c))
		if began.Before(before) {
			before = began
		}
	}
	return before, func(w bonafide.Way, value string) bool {
		return slices.ContainsFunc(all, func(f func(bonafide.Way, string) bool) bool { return f(w, value) })
	}, nil
}

// came reports of values whether they came with a complaint: among its contacts, or
// within its letter, in whatever spelling.
func (d *desk) came(c *bonafide.Complaint) func(bonafide.Way, string) bool {
	k := d.live.Keeper()
	bare := *c
	bare.Customer = bonafide.Customer{} // what is the customer's own counts too
	bare.Representative = nil
	keys := map[bonafide.Key]bool{}
	for _, f := range k.Facts(&bare).Filed {
		if f.Key != 0 {
			keys[f.Key] = true
		}
	}
	for _, f := range normalize.Find(c.Text) {
		if x, ok := k.Filed(bonafide.Identifier{Kind: bonafide.IdentifierKind(f.Kind), Value: f.Value}); ok {
			keys[x.Key] = true
		}
	}
	return func(w bonafide.Way, value string) bool {
		kind := kindOf(w)
		if kind == "" {
			return false
		}
		if x, ok := k.Filed(bonafide.Identifier{Kind: kind, Value: value}); ok && keys[x.Key] {
			return true
		}
		return slices.ContainsFunc(c.Contacts, func(id bonafide.Identifier) bool { return d.same(kind, value, id) })
	}
}

// openTasks names the verifications of a complaint that are not signed, by kind and
// what they are about.
func (d *desk) openTasks(ctx context.Context, tx *store.Tx, complaint string) (map[string]bool, error) {
	_, all, err := sheetsOf(ctx, tx, d.tenant, complaint)
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, v := range all {
		if v.Outcome == "" {
			out[string(v.Kind)+" "+v.About] = true
		}
	}
	return out, nil
}

func (d *desk) addVerification(ctx context.Context, tx *store.Tx, by bonafide.Actor, v bonafide.Verification, now time.Time) (string, error) {
	switch v.Kind {
	case bonafide.VerifyIdentity, bonafide.VerifyAuthority, bonafide.VerifyDocument, bonafide.VerifySituation:
	default:
		return "", &bonafide.Error{Kind: bonafide.Invalid, Msg: "kind: not one of identity, authority, document, situation"}
	}
	v.ID, v.By, v.Opened, v.Due = d.cfg.DB.NewID(), by.ID, now, now.Add(verifyWithin)
	return v.ID, saveVerification(ctx, tx, d.tenant, by, v, store.SheetRow{State: VerificationOpen}, "opened")
}

func saveVerification(ctx context.Context, tx *store.Tx, t bonafide.Tenant, by bonafide.Actor, v bonafide.Verification, row store.SheetRow, action string) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write verification: %w", err)
	}
	row.Kind, row.ID, row.Complaint, row.Author, row.At, row.Due, row.Body = store.SheetVerification, v.ID, v.Complaint, v.By, v.Opened, v.Due, body
	row.Version++
	return tx.SaveSheet(ctx, t, by, row, action)
}

// OpenVerification asks that something about a complaint be found out over a known way.
func (e *Engine) OpenVerification(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, complaint string, kind bonafide.VerificationKind, about, reason string) (id string, err error) {
	if err := errors.Join(brief("about", about), brief("reason", reason)); err != nil {
		return "", err
	}
	d, err := e.desk(ctx, t)
	if err != nil {
		return "", err
	}
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.SubjectOf(ctx, t, complaint); err != nil {
			return err
		}
		id, err = d.addVerification(ctx, tx, by, bonafide.Verification{Complaint: complaint, Kind: kind, About: about, Reason: reason}, e.cfg.Now().UTC())
		return err
	})
	return id, err
}

// readVerification reads a verification that is not signed, as a person saw it in a
// version.
func readVerification(ctx context.Context, tx *store.Tx, t bonafide.Tenant, id string, version int) (bonafide.Verification, store.SheetRow, error) {
	var v bonafide.Verification
	if _, err := tx.Lock(ctx, t); err != nil {
		return v, store.SheetRow{}, err
	}
	row, err := tx.Sheet(ctx, t, store.SheetVerification, id)
	switch {
	case err != nil:
		return v, row, err
	case len(row.Body) == 0:
		return v, row, &bonafide.Error{Kind: bonafide.NotFound, Msg: "the content of this verification was erased"}
	case version > 0 && row.Version != version:
		return v, row, &bonafide.Error{Kind: bonafide.Conflict, Msg: "somebody else changed this meanwhile: look at it again"}
	}
	if err := json.Unmarshal(row.Body, &v); err != nil {
		return v, row, fmt.Errorf("verification %s: %w", id, err)
	}
	return v, row, nil
}

// TryVerification writes down an attempt, over a way that may be used.
func (e *Engine) TryVerification(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, version int, a bonafide.Attempt) error {
	d, err := e.desk(ctx, t)
	if err != nil {
		return err
	}
	a.By, a.At = by.ID, e.cfg.Now().UTC()
	if err := brief("note", a.Note); err != nil {
		return err
	}
	return e.changed(e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		v, row, err := readVerification(ctx, tx, t, id, version)
		if err != nil {
			return err
		}
		return d.attempt(ctx, tx, by, v, row, a)
	}))
}

func (e *Engine) changed(err error) error {
	if err == nil {
		e.wake()
	}
	return err
}

func (d *desk) attempt(ctx context.Context, tx *store.Tx, by bonafide.Actor, v bonafide.Verification, row store.SheetRow, a bonafide.Attempt) error {
	offers, err := d.ways(ctx, tx, v.Complaint, v.Kind)
	if err != nil {
		return err
	}
	v, err = contact.Try(v, a, offers, d.cfg.Now().UTC())
	if err != nil {
		return err
	}
	if err := saveVerification(ctx, tx, d.tenant, by, v, row, "tried"); err != nil {
		return err
	}
	if a.Result != bonafide.RefusedTalk {
		return nil
	}
	return d.learnKnown(ctx, tx, by, v.Complaint)
}

// SignVerification ends a verification by what a person found. See [contact.Sign].
func (e *Engine) SignVerification(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, version int, s contact.Signature) error {
	d, err := e.desk(ctx, t)
	if err != nil {
		return err
	}
	return e.changed(e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		v, row, err := readVerification(ctx, tx, t, id, version)
		if err != nil {
			return err
		}
		if v, err = contact.Sign(v, s.Outcome, s.Finding, s.Criterion, s.Innocent, by.ID, e.cfg.Now().UTC()); err != nil {
			return err
		}
		row.State = VerificationSigned
		if err := saveVerification(ctx, tx, t, by, v, row, "signed"); err != nil {
			return err
		}
		return d.learnKnown(ctx, tx, by, v.Complaint)
	}))
}
