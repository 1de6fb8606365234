package store

import (
	"context"
	"fmt"
	"io"
	"slices"

	"bonafide"
)

// Personal data is sealed under a random key of its subject: the person it is
// about. The key is wrapped by the root key and stands in the table subject alone;
// without it nothing of the person opens again. Keys are unwrapped when they are
// needed and kept nowhere: that takes about a microsecond, and a process that kept
// them would go on reading what another has erased.

// subjectKeys returns the keys of subjects and makes those that do not exist yet.
// Own are subjects that cannot exist: of complaints that are about to be stored.
// The head must be locked.
func (tx *Tx) subjectKeys(ctx context.Context, t bonafide.Tenant, named, own []string) (map[string]*sealer, error) {
	keys := make(map[string]*sealer, len(named)+len(own))
	var erased []string
	if len(named) > 0 {
		if err := tx.each(ctx, `SELECT v.value, (SELECT COALESCE(s.key, '') FROM subject s WHERE s.tenant = $1 AND s.id = v.value) FROM `+tx.db.d.values(2), func(r row) error {
			var id string
			var wrapped []byte
			if err := r.Scan(&id, &wrapped); err != nil || wrapped == nil {
				return err
			}
			if len(wrapped) == 0 {
				erased = append(erased, id)
				return nil
			}
			s, err := tx.db.unwrap(t, id, wrapped)
			keys[id] = s
			return err
		}, string(t), tx.db.d.list(named)); err != nil {
			return nil, err
		}
	}
	now := micros(tx.db.now())
	var args []any
	for _, ids := range [][]string{named, own} {
		for _, id := range ids {
			if keys[id] != nil {
				continue
			}
			s, wrapped, err := tx.db.newKey(t, id)
			if err != nil {
				return nil, err
			}
			keys[id] = s
			if !slices.Contains(erased, id) {
				args = append(args, string(t), id, wrapped, now, int64(0))
				continue
			}
			// Somebody whose data was erased has come back: with a new key, under
			// which the old data stays unreadable.
			if _, err := tx.exec(ctx, `UPDATE subject SET key = $3 WHERE tenant = $1 AND id = $2`, string(t), id, wrapped); err != nil {
				return nil, err
			}
		}
	}
	_, err := tx.insert(ctx, "subject", "", args)
	return keys, err
}

// newKey makes the key of a subject and wraps it.
func (db *DB) newKey(t bonafide.Tenant, subject string) (s *sealer, wrapped []byte, err error) {
	key := make([]byte, keySize)
	if _, err = io.ReadFull(db.random, key); err != nil {
		return nil, nil, err
	}
	if s, err = newSealer(key); err != nil {
		return nil, nil, err
	}
	wrapped, err = db.root.seal(db.random, place("subject", string(t), subject), key)
	return s, wrapped, err
}

func (db *DB) unwrap(t bonafide.Tenant, subject string, wrapped []byte) (*sealer, error) {
	key, err := db.root.open(place("subject", string(t), subject), wrapped)
	if err != nil {
		return nil, fmt.Errorf("the key of a subject: %w", err)
	}
	return newSealer(key)
}

// unseal opens a value under the wrapped key of its subject.
func (db *DB) unseal(t bonafide.Tenant, subject string, wrapped, sealed []byte, where ...string) ([]byte, error) {
	s, err := db.unwrap(t, subject, wrapped)
	if err != nil {
		return nil, err
	}
	plain, err := s.open(place(where...), sealed)
	if err != nil {
		return nil, fmt.Errorf("a body in %s: %w", where[0], err)
	}
	return plain, nil
}

// Erase makes everything sealed for a subject unreadable for good: it deletes the
// subject's key, the bodies of its complaints and records with their earlier
// versions, and the traces of its complaints; what nobody can read any more nobody can
// answer, so their tracks end. That there was a subject, and when it
// was erased, stays. NotFound if there is no such subject or it is erased already.
//
// Copies made before, such as backups and PostgreSQL's own archive, still have the
// wrapped key: they must be destroyed too. Templates quote letters: build them anew.
func (tx *Tx) Erase(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, subject, reason string) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	n, err := tx.exec(ctx, `UPDATE subject SET key = NULL, erased = $3 WHERE tenant = $1 AND id = $2 AND key IS NOT NULL`,
		string(t), subject, micros(tx.db.now()))
	if err != nil {
		return err
	}
	if n == 0 {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is nothing stored of this subject, or it was erased already"}
	}
	counts := map[string]any{"reason": reason}
	for _, step := range []struct{ name, q string }{
		{"traces", `DELETE FROM trace WHERE tenant = $1 AND seq IN (SELECT seq FROM complaint WHERE tenant = $1 AND subject = $2)`},
		{"complaints", `UPDATE complaint SET state = 'erased', body = $3 WHERE tenant = $1 AND subject = $2 AND state <> 'erased'`},
		{"records", `UPDATE record SET body = $3, digest = $3 WHERE tenant = $1 AND subject = $2`},
		{"versions", `UPDATE record_version SET body = $3, digest = $3 WHERE tenant = $1 AND subject = $2`},
		{"tracks", `UPDATE track SET state = 'closed', ended = $4, due = $5, late = -1, version = version + 1, body = $3
			WHERE tenant = $1 AND ended = 0 AND complaint IN (SELECT id FROM complaint WHERE tenant = $1 AND subject = $2)`},
		{"steps", `UPDATE track_step SET body = $3 WHERE tenant = $1 AND subject = $2`},
		{"appeals", `UPDATE appeal SET body = $3 WHERE tenant = $1 AND subject = $2`},
		{"sheets", `UPDATE sheet SET body = $3, state = 'erased' WHERE tenant = $1 AND subject = $2`},
		{"merits", `UPDATE merit SET body = $3, found = '' WHERE tenant = $1 AND subject = $2`},
		{"known", `UPDATE known SET body = $3 WHERE tenant = $1 AND subject = $2`},
		{"items", `UPDATE item SET body = $3, address = '' WHERE tenant = $1 AND subject = $2`},
		{"seals", `UPDATE seal SET address = '', body = $3 WHERE tenant = $1 AND EXISTS (SELECT 1 FROM seal_subject w
			WHERE w.tenant = $1 AND w.case_id = seal.case_id AND w.variant = seal.variant AND w.n = seal.n AND w.subject = $2)`},
		{"quarantined", `UPDATE quarantine SET body = $3, state = 'erased' WHERE tenant = $1 AND subject = $2`},
	} {
		args := []any{string(t), subject, []byte{}}
		switch step.name {
		case "traces":
			args = args[:2]
		case "tracks":
			args = append(args, micros(tx.db.now()), noClock)
		}
		n, err := tx.exec(ctx, step.q, args...)
		if err != nil {
			return err
		}
		counts[step.name] = n
	}
	items, err := list(ctx, tx, scanText, `SELECT id FROM item WHERE tenant = $1 AND subject = $2 ORDER BY id`, string(t), subject)
	if err != nil {
		return err
	}
	for _, id := range items { // their digests stay
		if _, err := tx.Custody(ctx, t, actor, id, "erased", nil); err != nil {
			return err
		}
	}
	tx.erased = true
	return tx.Record(ctx, t, actor, "subject.erased", "subject:"+subject, counts)
}

// scrub folds SQLite's write-ahead log into the file after something was erased,
// so that the log does not keep it. Pages that are freed are overwritten. Where a
// reader is in the way, the next fold does it.
func (db *DB) scrub(ctx context.Context) {
	if db.lite == nil {
		return
	}
	c, err := db.lite.take(ctx, true)
	if err != nil {
		return
	}
	_, err = c.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	db.lite.give(c, true, err != nil)
}

// SubjectOf returns the subject of a complaint.
func (tx *Tx) SubjectOf(ctx context.Context, t bonafide.Tenant, complaint string) (string, error) {
	s, err := one(ctx, tx, scanText, `SELECT subject FROM complaint WHERE tenant = $1 AND id = $2`, string(t), complaint)
	return s, otherwise(err, bonafide.NotFound, noComplaint(complaint))
}

// ComplaintsOf lists the complaints of a subject in the order of storing.
func (tx *Tx) ComplaintsOf(ctx context.Context, t bonafide.Tenant, subject string) ([]string, error) {
	return list(ctx, tx, scanText, `SELECT id FROM complaint WHERE tenant = $1 AND subject = $2 ORDER BY seq`, string(t), subject)
}

func scanText(r row) (s string, err error) { return s, r.Scan(&s) }

func noComplaint(id string) string { return fmt.Sprintf("there is no complaint %q", id) }
