package store

import (
	"context"
	"fmt"
	"time"

	"bonafide"
)

// The kinds of sheet.
const (
	SheetContact      = "contact"      // body: bonafide.Contact
	SheetVerification = "verification" // body: bonafide.Verification
	SheetMaterial     = "material"     // body: contact.Material; its id is the complaint's
	SheetAudit        = "audit"        // body: a blind audit
)

// A SheetRow is a form that people fill in about a complaint. Body is clear; the store
// seals it under the key of whom the complaint is about.
type SheetRow struct {
	Kind, ID, Complaint string
	Subject             string // read from the complaint; given only where there is none
	State, Author       string
	At, Due             time.Time
	Version             int // from 1; the one that is stored
	Body                []byte
}

// SaveSheet stores a sheet over the one whose version is one less, a new one under
// version 1. action is what the log says was done. Conflict if it changed meanwhile.
func (tx *Tx) SaveSheet(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, s SheetRow, action string) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	subject, err := tx.sheetSubject(ctx, t, s)
	if err != nil {
		return err
	}
	keys, err := tx.subjectKeys(ctx, t, []string{subject}, nil)
	if err != nil {
		return err
	}
	sealed, err := keys[subject].seal(tx.db.random, place("sheet", string(t), s.Kind, s.ID), s.Body)
	if err != nil {
		return err
	}
	if s.Version <= 1 {
		if _, err := tx.insert(ctx, "sheet", "", []any{
			string(t), s.Kind, s.ID, s.Complaint, subject, s.State, s.Author, micros(s.At), micros(s.Due), int64(1), sealed,
		}); err != nil {
			return otherwise(err, bonafide.Conflict, "somebody else began this meanwhile: look at it again")
		}
	} else {
		n, err := tx.exec(ctx, `UPDATE sheet SET state = $5, due = $6, version = $4 + 1, body = $7 WHERE tenant = $1 AND kind = $2 AND id = $3 AND version = $4`,
			string(t), s.Kind, s.ID, int64(s.Version-1), s.State, micros(s.Due), sealed)
		if err != nil {
			return err
		}
		if n == 0 {
			return &bonafide.Error{Kind: bonafide.Conflict, Msg: "somebody else changed this meanwhile: look at it again"}
		}
	}
	detail := map[string]any{"version": max(1, s.Version), "state": s.State}
	if s.Complaint != "" {
		detail["complaint"] = s.Complaint
	}
	return tx.Record(ctx, t, actor, s.Kind+"."+action, s.Kind+":"+s.ID, detail)
}

// sheetSubject is whose key seals a sheet.
func (tx *Tx) sheetSubject(ctx context.Context, t bonafide.Tenant, s SheetRow) (string, error) {
	switch {
	case s.Complaint != "":
		return tx.unerased(ctx, t, s.Complaint)
	case s.Subject != "":
		return s.Subject, nil
	}
	return "sheet:" + s.ID, nil
}

const sheetColumns = `h.kind, h.id, h.complaint, h.subject, h.state, h.author, h.at, h.due, h.version, h.body, s.key`

const sheetFrom = ` FROM sheet h LEFT JOIN subject s ON s.tenant = h.tenant AND s.id = h.subject WHERE h.tenant = $1 `

// scanSheet reads a sheet; one of an erased person comes without Body.
func (tx *Tx) scanSheet(t bonafide.Tenant) func(row) (SheetRow, error) {
	return func(r row) (s SheetRow, err error) {
		var at, due int64
		var sealed, key []byte
		if err = r.Scan(&s.Kind, &s.ID, &s.Complaint, &s.Subject, &s.State, &s.Author, &at, &due, &s.Version, &sealed, &key); err != nil {
			return s, err
		}
		s.At, s.Due = instant(at), instant(due)
		if len(sealed) > 0 && len(key) > 0 {
			s.Body, err = tx.db.unseal(t, s.Subject, key, sealed, "sheet", string(t), s.Kind, s.ID)
		}
		return s, err
	}
}

// Sheet returns a sheet; of an erased person without Body.
func (tx *Tx) Sheet(ctx context.Context, t bonafide.Tenant, kind, id string) (SheetRow, error) {
	s, err := one(ctx, tx, tx.scanSheet(t), `SELECT `+sheetColumns+sheetFrom+`AND h.kind = $2 AND h.id = $3`, string(t), kind, id)
	return s, otherwise(err, bonafide.NotFound, fmt.Sprintf("there is no %s %q", kind, id))
}

// SheetsOf lists the sheets of a complaint, of one kind or of every kind if it is
// empty, the oldest first.
func (tx *Tx) SheetsOf(ctx context.Context, t bonafide.Tenant, complaint, kind string) ([]SheetRow, error) {
	return list(ctx, tx, tx.scanSheet(t), `SELECT `+sheetColumns+sheetFrom+`AND h.complaint = $2 AND ($3 = '' OR h.kind = $3) ORDER BY h.kind, h.id`, string(t), complaint, kind)
}

// Sheets lists sheets of a kind and state, or of every state if it is empty, those due
// first at the top, at most limit.
func (tx *Tx) Sheets(ctx context.Context, t bonafide.Tenant, kind, state string, limit int) ([]SheetRow, error) {
	return list(ctx, tx, tx.scanSheet(t), `SELECT `+sheetColumns+sheetFrom+`AND h.kind = $2 AND ($4 = '' OR h.state = $4) ORDER BY h.due, h.id LIMIT $3`,
		string(t), kind, upTo(limit), state)
}

// AuditFrame lists the complaints that an audit may draw: those against which something
// is proposed, and as many of the latest others. What was drawn before, was erased, or
// belongs to somebody vulnerable is left out; of more than 20,000 flagged ones the first.
func (tx *Tx) AuditFrame(ctx context.Context, t bonafide.Tenant) (flagged, others []string, err error) {
	const frame = 20_000
	const undrawn = ` AND c.state <> 'erased' AND NOT EXISTS (SELECT 1 FROM sheet s WHERE s.tenant = $1 AND s.kind = 'audit' AND s.complaint = c.id)`
	if flagged, err = list(ctx, tx, scanText, `SELECT c.id FROM verdict v JOIN complaint c ON c.tenant = v.tenant AND c.id = v.complaint
		WHERE v.tenant = $1 AND v.level IN ('individual', 'level-2', 'level-1') AND v.route = ''`+undrawn+` ORDER BY c.id LIMIT $2`, string(t), int64(frame)); err != nil {
		return nil, nil, err
	}
	others, err = list(ctx, tx, scanText, `SELECT c.id FROM complaint c WHERE c.tenant = $1
		AND NOT EXISTS (SELECT 1 FROM verdict v WHERE v.tenant = $1 AND v.complaint = c.id AND (v.level IN ('individual', 'level-2', 'level-1') OR v.route <> ''))`+undrawn+`
		ORDER BY c.seq DESC LIMIT $2`, string(t), int64(frame))
	return flagged, others, err
}
