package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"bonafide"
)

// A NewRecord is a customer, contract, call or representative handed in. Body is
// clear; the store seals it.
type NewRecord struct {
	Kind, ID     string
	Subject      string // whose it is; "" = a subject of its own
	At           time.Time
	Digest, Body []byte // Digest is a keyed hash of the content
}

// A RecordRow is a stored record.
type RecordRow struct {
	Kind, ID, Subject string
	At, Stored        time.Time
	Version           int // from 1
	Digest, Body      []byte
}

// PutRecords stores records and says of each what became of it: created, unchanged
// where the same digest is stored already, or updated. The body that an update
// replaces is kept with its version number.
func (tx *Tx) PutRecords(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, rs []NewRecord) ([]bonafide.PutStatus, error) {
	if _, err := tx.lock(ctx, t); err != nil {
		return nil, err
	}
	status := make([]bonafide.PutStatus, len(rs))
	todo := make([]int, len(rs))
	for i, r := range rs {
		if r.Kind == "" || r.ID == "" {
			return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("record %d needs a kind and an id", i+1)}
		}
		todo[i] = i
	}
	for len(todo) > 0 {
		// A record that comes twice is stored twice, one after the other.
		seen := map[[2]string]bool{}
		var now, later []int
		for _, i := range todo {
			k := [2]string{rs[i].Kind, rs[i].ID}
			if seen[k] {
				later = append(later, i)
			} else {
				now = append(now, i)
			}
			seen[k] = true
		}
		if err := tx.putRecords(ctx, t, actor, rs, now, status); err != nil {
			return nil, err
		}
		todo = later
	}
	return status, nil
}

// putRecords stores the records of todo, which are of different ids.
func (tx *Tx) putRecords(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, rs []NewRecord, todo []int, status []bonafide.PutStatus) error {
	type stored struct {
		version int64
		digest  []byte
	}
	have := map[[2]string]stored{}
	ids := map[string][]string{}
	for _, i := range todo {
		ids[rs[i].Kind] = append(ids[rs[i].Kind], rs[i].ID)
	}
	for _, kind := range slices.Sorted(maps.Keys(ids)) {
		if err := tx.each(ctx, `SELECT id, version, digest FROM record WHERE tenant = $1 AND kind = $2 AND `+tx.db.d.in("id", 3), func(r row) error {
			var id string
			var s stored
			err := r.Scan(&id, &s.version, &s.digest)
			have[[2]string{kind, id}] = s
			return err
		}, string(t), kind, tx.db.d.list(ids[kind])); err != nil {
			return err
		}
	}
	var change []int
	old := map[string][]string{}
	var named []string
	for _, i := range todo {
		r := rs[i]
		s, known := have[[2]string{r.Kind, r.ID}]
		switch {
		case !known:
			status[i] = bonafide.PutCreated
		case bytes.Equal(s.digest, r.Digest) && len(s.digest) > 0:
			status[i] = bonafide.PutUnchanged
			continue
		default:
			status[i] = bonafide.PutUpdated
			old[r.Kind] = append(old[r.Kind], r.ID)
		}
		change = append(change, i)
		named = append(named, recordSubject(r))
	}
	slices.Sort(named)
	keys, err := tx.subjectKeys(ctx, t, slices.Compact(named), nil)
	if err != nil {
		return err
	}
	for _, kind := range slices.Sorted(maps.Keys(old)) {
		if _, err := tx.exec(ctx, `INSERT INTO record_version (tenant, kind, id, version, subject, at, stored, digest, body)
			SELECT tenant, kind, id, version, subject, at, stored, digest, body FROM record WHERE tenant = $1 AND kind = $2 AND `+tx.db.d.in("id", 3),
			string(t), kind, tx.db.d.list(old[kind])); err != nil {
			return err
		}
	}
	now := micros(tx.db.now())
	var args []any
	for _, i := range change {
		r := rs[i]
		version := have[[2]string{r.Kind, r.ID}].version + 1
		subject := recordSubject(r)
		body, err := keys[subject].seal(tx.db.random, recordPlace(t, r.Kind, r.ID, version), r.Body)
		if err != nil {
			return err
		}
		args = append(args, string(t), r.Kind, r.ID, subject, micros(r.At), now, version, some(r.Digest), body)
		detail := json.RawMessage(fmt.Sprintf(`{"version":%d,"digest":"%x"}`, version, r.Digest))
		if err := tx.Record(ctx, t, actor, "record."+string(status[i]), r.Kind+":"+r.ID, detail); err != nil {
			return err
		}
	}
	if _, err = tx.insert(ctx, "record", overwrite("record"), args); err != nil || len(change) == 0 {
		return err
	}
	return tx.freshen(ctx, t, slices.Compact(named))
}

func recordSubject(r NewRecord) string {
	if r.Subject != "" {
		return r.Subject
	}
	return r.Kind + ":" + r.ID
}

func recordPlace(t bonafide.Tenant, kind, id string, version int64) []byte {
	return place("record", string(t), kind, id, strconv.FormatInt(version, 10))
}

const recordColumns = `r.kind, r.id, r.subject, r.at, r.stored, r.version, r.digest, r.body, s.key`

// scanRecord reads a record; one that was erased comes without Body.
func (tx *Tx) scanRecord(t bonafide.Tenant) func(row) (RecordRow, error) {
	return func(row row) (r RecordRow, err error) {
		var at, stored int64
		var sealed, key []byte
		if err = row.Scan(&r.Kind, &r.ID, &r.Subject, &at, &stored, &r.Version, &r.Digest, &sealed, &key); err != nil {
			return r, err
		}
		r.At, r.Stored, r.Digest = instant(at), instant(stored), some(r.Digest)
		if len(sealed) == 0 {
			return r, nil
		}
		s, err := tx.db.unwrap(t, r.Subject, key)
		if err != nil {
			return r, err
		}
		if r.Body, err = s.open(recordPlace(t, r.Kind, r.ID, int64(r.Version)), sealed); err != nil {
			return r, fmt.Errorf("a body in record: %w", err)
		}
		return r, nil
	}
}

// OneRecord returns a record. Where its subject was erased, the row comes without
// Body and with an error of Kind NotFound.
func (tx *Tx) OneRecord(ctx context.Context, t bonafide.Tenant, kind, id string) (RecordRow, error) {
	r, err := one(ctx, tx, tx.scanRecord(t), `SELECT `+recordColumns+` FROM record r
		JOIN subject s ON s.tenant = r.tenant AND s.id = r.subject
		WHERE r.tenant = $1 AND r.kind = $2 AND r.id = $3`, string(t), kind, id)
	if err != nil {
		return r, otherwise(err, bonafide.NotFound, fmt.Sprintf("there is no %s %q", kind, id))
	}
	if r.Body == nil {
		return r, &bonafide.Error{Kind: bonafide.NotFound, Msg: fmt.Sprintf("the content of %s %q was erased", kind, id), Err: errErased}
	}
	return r, nil
}

// Records lists records of a kind behind an id. Erased ones are absent.
func (tx *Tx) Records(ctx context.Context, t bonafide.Tenant, kind, after string, limit int) ([]RecordRow, error) {
	return list(ctx, tx, tx.scanRecord(t), `SELECT `+recordColumns+` FROM record r
		JOIN subject s ON s.tenant = r.tenant AND s.id = r.subject
		WHERE r.tenant = $1 AND r.kind = $2 AND r.id > $3 AND r.body <> $5 ORDER BY r.id LIMIT $4`, string(t), kind, after, upTo(limit), []byte{})
}

// RecordVersions lists the earlier versions of a record, oldest first, without
// those that were erased.
func (tx *Tx) RecordVersions(ctx context.Context, t bonafide.Tenant, kind, id string) ([]RecordRow, error) {
	return list(ctx, tx, tx.scanRecord(t), `SELECT `+recordColumns+` FROM record_version r
		JOIN subject s ON s.tenant = r.tenant AND s.id = r.subject
		WHERE r.tenant = $1 AND r.kind = $2 AND r.id = $3 AND r.body <> $4 ORDER BY r.version`, string(t), kind, id, []byte{})
}

// RecordsOf lists the records of a kind that belong to a subject, the latest first.
func (tx *Tx) RecordsOf(ctx context.Context, t bonafide.Tenant, kind, subject string, limit int) ([]RecordRow, error) {
	return list(ctx, tx, tx.scanRecord(t), `SELECT `+recordColumns+` FROM record r
		JOIN subject s ON s.tenant = r.tenant AND s.id = r.subject
		WHERE r.tenant = $1 AND r.subject = $2 AND r.kind = $3 AND r.body <> $5 ORDER BY r.at DESC, r.id LIMIT $4`, string(t), subject, kind, upTo(limit), []byte{})
}
