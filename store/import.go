package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"bonafide"
)

// The states of an import.
const (
	ImportOpen    = "open"    // its mapping is looked at
	ImportRunning = "running" // it is read
	ImportDone    = "done"
	ImportStopped = "stopped" // by a person, or by an error that its Body names
)

// An ImportRow is a file handed in through the console. Body is clear JSON: the name
// of the file and how its columns are read; the store seals it.
type ImportRow struct {
	ID, Author, State string
	At                time.Time
	Size, Done        int64 // bytes
	Stored, Same, Bad int64 // rows
	Version           int
	Body              []byte
}

// AddImport stores an import with the parts of its file, which the store seals.
func (tx *Tx) AddImport(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, m ImportRow, parts [][]byte) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	body, err := tx.db.root.seal(tx.db.random, place("import", string(t), m.ID), m.Body)
	if err != nil {
		return err
	}
	if _, err := tx.insert(ctx, "import", "", []any{
		string(t), m.ID, m.Author, micros(m.At), m.State, m.Size, m.Done, m.Stored, m.Same, m.Bad, int64(1), body,
	}); err != nil {
		return otherwise(err, bonafide.Conflict, "there is an import with this id already")
	}
	for i, p := range parts {
		sealed, err := tx.db.root.seal(tx.db.random, uploadPlace(t, m.ID, i), p)
		if err != nil {
			return err
		}
		if _, err := tx.insert(ctx, "upload", "", []any{string(t), m.ID, int64(i), sealed}); err != nil {
			return err
		}
	}
	return tx.Record(ctx, t, actor, "import.added", "import:"+m.ID, map[string]any{"size": m.Size, "parts": len(parts)})
}

func uploadPlace(t bonafide.Tenant, id string, part int) []byte {
	return place("upload", string(t), id, fmt.Sprint(part))
}

// SaveImport stores an import over the one whose version is one less. One that is done
// or stopped loses its file.
func (tx *Tx) SaveImport(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, m ImportRow) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	body, err := tx.db.root.seal(tx.db.random, place("import", string(t), m.ID), m.Body)
	if err != nil {
		return err
	}
	n, err := tx.exec(ctx, `UPDATE import SET state = $4, done = $5, stored = $6, same = $7, bad = $8, version = $3 + 1, body = $9 WHERE tenant = $1 AND id = $2 AND version = $3`,
		string(t), m.ID, int64(m.Version-1), m.State, m.Done, m.Stored, m.Same, m.Bad, body)
	if err != nil {
		return err
	}
	if n == 0 {
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: "somebody else changed the import meanwhile: look at it again"}
	}
	if m.State == ImportDone || m.State == ImportStopped {
		if _, err := tx.exec(ctx, `DELETE FROM upload WHERE tenant = $1 AND import = $2`, string(t), m.ID); err != nil {
			return err
		}
		tx.erased = true
	}
	return tx.Record(ctx, t, actor, "import.saved", "import:"+m.ID, map[string]any{"state": m.State, "done": m.Done, "stored": m.Stored, "same": m.Same, "bad": m.Bad})
}

func (tx *Tx) scanImport(t bonafide.Tenant) func(row) (ImportRow, error) {
	return func(r row) (m ImportRow, err error) {
		var at int64
		var sealed []byte
		if err = r.Scan(&m.ID, &m.Author, &at, &m.State, &m.Size, &m.Done, &m.Stored, &m.Same, &m.Bad, &m.Version, &sealed); err != nil {
			return m, err
		}
		m.At = instant(at)
		m.Body, err = tx.db.root.open(place("import", string(t), m.ID), sealed)
		return m, err
	}
}

const importColumns = `id, author, at, state, size, done, stored, same, bad, version, body`

// Import returns an import.
func (tx *Tx) Import(ctx context.Context, t bonafide.Tenant, id string) (ImportRow, error) {
	m, err := one(ctx, tx, tx.scanImport(t), `SELECT `+importColumns+` FROM import WHERE tenant = $1 AND id = $2`, string(t), id)
	return m, otherwise(err, bonafide.NotFound, fmt.Sprintf("there is no import %q", id))
}

// Imports lists imports, the newest first.
func (tx *Tx) Imports(ctx context.Context, t bonafide.Tenant, limit int) ([]ImportRow, error) {
	return list(ctx, tx, tx.scanImport(t), `SELECT `+importColumns+` FROM import WHERE tenant = $1 ORDER BY id DESC LIMIT $2`, string(t), upTo(limit))
}

// UploadPart returns one part of an import's file, from 0; NotFound behind the last.
func (tx *Tx) UploadPart(ctx context.Context, t bonafide.Tenant, id string, part int) ([]byte, error) {
	b, err := one(ctx, tx, func(r row) (b []byte, err error) { return b, r.Scan(&b) }, `SELECT body FROM upload WHERE tenant = $1 AND import = $2 AND part = $3`, string(t), id, int64(part))
	if err != nil {
		return nil, otherwise(err, bonafide.NotFound, "the file has no more parts")
	}
	return tx.db.root.open(uploadPlace(t, id, part), b)
}

// Upload reads an import's file, of size bytes, part by part. Where the file was deleted
// meanwhile it ends with [ErrUploadGone].
func (db *DB) Upload(ctx context.Context, t bonafide.Tenant, id string, size int64) io.Reader {
	return &upload{ctx: ctx, db: db, tenant: t, id: id, left: size}
}

// ErrUploadGone says that the file of an import was deleted while it was read.
var ErrUploadGone = &bonafide.Error{Kind: bonafide.Conflict, Msg: "the file is no longer there"}

type upload struct {
	ctx    context.Context // of the reading, which is as long as it lives
	db     *DB
	tenant bonafide.Tenant
	id     string
	next   int
	left   int64
	part   []byte
}

// Read implements [io.Reader].
func (u *upload) Read(p []byte) (int, error) {
	if len(u.part) == 0 {
		if u.left <= 0 {
			return 0, io.EOF
		}
		err := u.db.View(u.ctx, func(tx *Tx) (err error) { u.part, err = tx.UploadPart(u.ctx, u.tenant, u.id, u.next); return err })
		if errors.Is(err, bonafide.NotFound) {
			return 0, ErrUploadGone
		}
		if err != nil {
			return 0, err
		}
		u.next++
		u.left -= int64(len(u.part))
	}
	n := copy(p, u.part)
	u.part = u.part[n:]
	return n, nil
}

// StoredSince counts those of ids that were stored at a moment or later.
func (tx *Tx) StoredSince(ctx context.Context, t bonafide.Tenant, ids []string, since time.Time) (int, error) {
	return one(ctx, tx, func(r row) (n int, err error) { return n, r.Scan(&n) },
		`SELECT COUNT(*) FROM complaint WHERE tenant = $1 AND stored >= $2 AND `+tx.db.d.in("id", 3), string(t), micros(since), tx.db.d.list(ids))
}

// The states of a quarantined row.
const (
	QuarantineOpen    = "open"
	QuarantineMended  = "mended"  // handed in again and stored
	QuarantineDropped = "dropped" // by a person
)

// A QuarantineRow is a row that could not be read as a complaint. Problem quotes
// nothing of it; Body is the row in clear, which the store seals under a key of its
// own that goes with the row.
type QuarantineRow struct {
	ID, Import     string
	Line           int64
	At             time.Time
	State          string
	Field, Problem string
	Body           []byte
}

// AddQuarantine keeps rows that could not be read. Those whose ids are there already,
// because their file was begun before, are left as they are.
func (tx *Tx) AddQuarantine(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, rows []QuarantineRow) error {
	if _, err := tx.lock(ctx, t); err != nil || len(rows) == 0 {
		return err
	}
	ids := make([]string, len(rows))
	for i, q := range rows {
		ids[i] = q.ID
	}
	known := map[string]bool{}
	err := tx.each(ctx, `SELECT id FROM quarantine WHERE tenant = $1 AND `+tx.db.d.in("id", 2), func(r row) error {
		var id string
		err := r.Scan(&id)
		known[id] = true
		return err
	}, string(t), tx.db.d.list(ids))
	if err != nil {
		return err
	}
	rows = slices.DeleteFunc(slices.Clone(rows), func(q QuarantineRow) bool { return known[q.ID] })
	if len(rows) == 0 {
		return nil
	}
	own := make([]string, len(rows))
	for i, q := range rows {
		own[i] = "quarantine:" + q.ID
	}
	keys, err := tx.subjectKeys(ctx, t, own, nil)
	if err != nil {
		return err
	}
	var args []any
	for i, q := range rows {
		sealed, err := keys[own[i]].seal(tx.db.random, place("quarantine", string(t), q.ID), q.Body)
		if err != nil {
			return err
		}
		args = append(args, string(t), q.ID, q.Import, q.Line, micros(q.At), q.State, q.Field, q.Problem, own[i], sealed)
		if err := tx.Record(ctx, t, actor, "quarantine.added", "quarantine:"+q.ID, map[string]any{"import": q.Import, "line": q.Line, "field": q.Field}); err != nil {
			return err
		}
	}
	_, err = tx.insert(ctx, "quarantine", "", args)
	return err
}

// CloseQuarantine ends an open row: what it held is erased.
func (tx *Tx) CloseQuarantine(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, id, state, reason string) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	n, err := tx.exec(ctx, `UPDATE quarantine SET state = $3, body = $4 WHERE tenant = $1 AND id = $2 AND state = 'open'`, string(t), id, state, []byte{})
	if err != nil {
		return err
	}
	if n == 0 {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: fmt.Sprintf("there is no open row %q in quarantine", id)}
	}
	if _, err := tx.exec(ctx, `UPDATE subject SET key = NULL, erased = $3 WHERE tenant = $1 AND id = $2`, string(t), "quarantine:"+id, micros(tx.db.now())); err != nil {
		return err
	}
	tx.erased = true
	return tx.Record(ctx, t, actor, "quarantine."+state, "quarantine:"+id, map[string]any{"reason": reason})
}

func (tx *Tx) scanQuarantine(t bonafide.Tenant) func(row) (QuarantineRow, error) {
	return func(r row) (q QuarantineRow, err error) {
		var at int64
		var subject string
		var sealed, key []byte
		if err = r.Scan(&q.ID, &q.Import, &q.Line, &at, &q.State, &q.Field, &q.Problem, &subject, &sealed, &key); err != nil {
			return q, err
		}
		q.At = instant(at)
		if len(sealed) > 0 && len(key) > 0 {
			q.Body, err = tx.db.unseal(t, subject, key, sealed, "quarantine", string(t), q.ID)
		}
		return q, err
	}
}

const (
	quarantineColumns = `q.id, q.import, q.line, q.at, q.state, q.field, q.problem, q.subject, q.body, s.key`
	quarantineFrom    = ` FROM quarantine q LEFT JOIN subject s ON s.tenant = q.tenant AND s.id = q.subject WHERE q.tenant = $1 `
)

// OneQuarantined returns a row of the quarantine.
func (tx *Tx) OneQuarantined(ctx context.Context, t bonafide.Tenant, id string) (QuarantineRow, error) {
	q, err := one(ctx, tx, tx.scanQuarantine(t), `SELECT `+quarantineColumns+quarantineFrom+`AND q.id = $2`, string(t), id)
	return q, otherwise(err, bonafide.NotFound, fmt.Sprintf("there is no row %q in quarantine", id))
}

// Quarantined lists rows of a state behind an id, of one import or of all, without what
// they hold.
func (tx *Tx) Quarantined(ctx context.Context, t bonafide.Tenant, state, imp, after string, limit int) ([]QuarantineRow, error) {
	return list(ctx, tx, func(r row) (q QuarantineRow, err error) {
		var at int64
		err = r.Scan(&q.ID, &q.Import, &q.Line, &at, &q.State, &q.Field, &q.Problem)
		q.At = instant(at)
		return q, err
	}, `SELECT id, import, line, at, state, field, problem FROM quarantine WHERE tenant = $1 AND state = $2 AND id > $3 AND ($5 = '' OR import = $5) ORDER BY id LIMIT $4`,
		string(t), state, after, upTo(limit), imp)
}

// A Filter is a list that a person wants to find again. Query holds ids and words of
// the program, and no personal data.
type Filter struct{ Name, Query string }

// PutFilter keeps a person's filter, over one of the same name; an empty query
// removes it.
func (tx *Tx) PutFilter(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, person string, f Filter) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	if strings.TrimSpace(f.Query) == "" {
		n, err := tx.exec(ctx, `DELETE FROM filter WHERE tenant = $1 AND person = $2 AND name = $3`, string(t), person, f.Name)
		if err != nil || n == 0 {
			return err
		}
	} else if _, err := tx.insert(ctx, "filter", overwrite("filter"), []any{string(t), person, f.Name, f.Query}); err != nil {
		return err
	}
	return tx.Record(ctx, t, actor, "filter.saved", "person:"+person, map[string]any{"digest": digestOf(f.Name, f.Query)})
}

// Filters lists a person's filters.
func (tx *Tx) Filters(ctx context.Context, t bonafide.Tenant, person string) ([]Filter, error) {
	return list(ctx, tx, func(r row) (f Filter, err error) { return f, r.Scan(&f.Name, &f.Query) },
		`SELECT name, query FROM filter WHERE tenant = $1 AND person = $2 ORDER BY name`, string(t), person)
}

// RetentionDays names the setting that says how many days after their last complaint has
// ended a person's data is erased. Absent or 0: it is kept.
const RetentionDays = "retention_days"

// PutSetting sets one of the tenant's settings.
func (tx *Tx) PutSetting(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, name, value string) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	if _, err := tx.insert(ctx, "setting", overwrite("setting"), []any{string(t), name, value}); err != nil {
		return err
	}
	return tx.Record(ctx, t, actor, "setting.saved", "setting:"+name, map[string]any{"value": value})
}

// Settings returns the tenant's settings.
func (tx *Tx) Settings(ctx context.Context, t bonafide.Tenant) (map[string]string, error) {
	out := map[string]string{}
	return out, tx.each(ctx, `SELECT name, value FROM setting WHERE tenant = $1`, func(r row) error {
		var name, value string
		err := r.Scan(&name, &value)
		out[name] = value
		return err
	}, string(t))
}
