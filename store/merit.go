package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"bonafide"
)

// A MeritRow is what the lender's records say of a complaint. Body is the JSON of a
// bonafide.Merit, clear; the store seals it. Found is the JSON of what is substantiated,
// without its rows, or nothing.
type MeritRow struct {
	Complaint string
	At        time.Time
	Found     string
	Body      []byte
}

// SaveMerit stores what the records say of complaints over what they said before.
// Those of erased people are left out.
func (tx *Tx) SaveMerit(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, ms []MeritRow) error {
	if len(ms) == 0 {
		return nil
	}
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	ids := make([]string, len(ms))
	for i, m := range ms {
		ids[i] = m.Complaint
	}
	of := map[string]string{}
	if err := tx.each(ctx, `SELECT id, subject FROM complaint WHERE tenant = $1 AND state <> 'erased' AND `+tx.db.d.in("id", 2), func(r row) error {
		var id, subject string
		err := r.Scan(&id, &subject)
		of[id] = subject
		return err
	}, string(t), tx.db.d.list(ids)); err != nil {
		return err
	}
	var subjects []string
	for _, s := range of {
		subjects = append(subjects, s)
	}
	slices.Sort(subjects)
	keys, err := tx.subjectKeys(ctx, t, slices.Compact(subjects), nil)
	if err != nil {
		return err
	}
	var args []any
	at, sum, found := map[string]int{}, newSum(), 0
	for _, m := range ms {
		subject, ok := of[m.Complaint]
		if !ok {
			continue
		}
		sealed, err := keys[subject].seal(tx.db.random, place("merit", string(t), m.Complaint), m.Body)
		if err != nil {
			return err
		}
		if m.Found != "" {
			found++
		}
		sum.add(m.Complaint, m.Found, string(m.Body))
		args = lastWins(at, args, m.Complaint, string(t), m.Complaint, subject, micros(m.At), m.Found, sealed)
	}
	if len(args) == 0 {
		return nil
	}
	before, err := one(ctx, tx, func(r row) (n int64, err error) { return n, r.Scan(&n) },
		`SELECT count(*) FROM merit WHERE tenant = $1 AND found <> '' AND `+tx.db.d.in("complaint", 2), string(t), tx.db.d.list(ids))
	if err != nil {
		return err
	}
	if _, err := tx.insert(ctx, "merit", overwrite("merit"), args); err != nil {
		return err
	}
	if found > 0 || before > 0 {
		if err := tx.bump(ctx, t); err != nil {
			return err
		}
	}
	return tx.Record(ctx, t, actor, "merit.checked", "merit", map[string]any{"complaints": len(at), "substantiated": found, "digest": sum.hex()})
}

// Merit returns what the records say of a complaint; NotFound where they were not
// looked at yet, or the person was erased.
func (tx *Tx) Merit(ctx context.Context, t bonafide.Tenant, complaint string) (MeritRow, error) {
	m, err := one(ctx, tx, func(r row) (m MeritRow, err error) {
		var at int64
		var subject string
		var sealed, key []byte
		if err = r.Scan(&m.Complaint, &subject, &at, &m.Found, &sealed, &key); err != nil {
			return m, err
		}
		m.At = instant(at)
		if len(sealed) > 0 && len(key) > 0 {
			m.Body, err = tx.db.unseal(t, subject, key, sealed, "merit", string(t), m.Complaint)
		}
		return m, err
	}, `SELECT m.complaint, m.subject, m.at, m.found, m.body, s.key FROM merit m LEFT JOIN subject s ON s.tenant = m.tenant AND s.id = m.subject
		WHERE m.tenant = $1 AND m.complaint = $2`, string(t), complaint)
	if err == nil && m.Body == nil {
		err = errNone
	}
	return m, otherwise(err, bonafide.NotFound, fmt.Sprintf("the records were not held against complaint %q yet", complaint))
}

// MeritFound lists the complaints of which something is substantiated, without bodies.
func (tx *Tx) MeritFound(ctx context.Context, t bonafide.Tenant) ([]MeritRow, error) {
	return list(ctx, tx, func(r row) (m MeritRow, err error) {
		var at int64
		err = r.Scan(&m.Complaint, &at, &m.Found)
		m.At = instant(at)
		return m, err
	}, `SELECT complaint, at, found FROM merit WHERE tenant = $1 AND found <> '' ORDER BY complaint`, string(t))
}

// A Fresh is somebody of whom records were handed in lately.
type Fresh struct {
	Subject string
	N       int64 // how often, since they were last held against complaints
}

// freshen notes that records of subjects were handed in.
func (tx *Tx) freshen(ctx context.Context, t bonafide.Tenant, subjects []string) error {
	var args []any
	for _, s := range subjects {
		args = append(args, string(t), s, int64(1))
	}
	_, err := tx.insert(ctx, "fresh", ` ON CONFLICT (tenant, subject) DO UPDATE SET n = fresh.n + 1`, args)
	return err
}

// FreshRecords lists the people whose new records are not held against their complaints
// yet, at most limit.
func (tx *Tx) FreshRecords(ctx context.Context, t bonafide.Tenant, limit int) ([]Fresh, error) {
	return list(ctx, tx, func(r row) (f Fresh, err error) { return f, r.Scan(&f.Subject, &f.N) },
		`SELECT subject, n FROM fresh WHERE tenant = $1 ORDER BY subject LIMIT $2`, string(t), upTo(limit))
}

// HeldRecords says that the records of people were held against their complaints; those of
// whom more came meanwhile stay.
func (tx *Tx) HeldRecords(ctx context.Context, t bonafide.Tenant, done []Fresh) error {
	if len(done) > 0 {
		if _, err := tx.lock(ctx, t); err != nil {
			return err
		}
	}
	for _, f := range done {
		if _, err := tx.exec(ctx, `DELETE FROM fresh WHERE tenant = $1 AND subject = $2 AND n = $3`, string(t), f.Subject, f.N); err != nil {
			return err
		}
	}
	return nil
}

// A KnownRow is what people found out about a complaint. Body is clear JSON; the store
// seals it.
type KnownRow struct {
	Complaint string
	At        time.Time
	Body      []byte
}

// SaveKnown stores what people found out about a complaint over what was known.
func (tx *Tx) SaveKnown(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, k KnownRow) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	subject, err := tx.unerased(ctx, t, k.Complaint)
	if err != nil {
		return err
	}
	keys, err := tx.subjectKeys(ctx, t, []string{subject}, nil)
	if err != nil {
		return err
	}
	sealed, err := keys[subject].seal(tx.db.random, place("known", string(t), k.Complaint), k.Body)
	if err != nil {
		return err
	}
	if _, err := tx.insert(ctx, "known", overwrite("known"), []any{string(t), k.Complaint, subject, micros(k.At), sealed}); err != nil {
		return err
	}
	if err := tx.bump(ctx, t); err != nil {
		return err
	}
	return tx.Record(ctx, t, actor, "known.saved", "complaint:"+k.Complaint, map[string]any{"digest": digestOf(string(k.Body))})
}

// KnownOf lists what people found out, by complaint, without erased people.
func (tx *Tx) KnownOf(ctx context.Context, t bonafide.Tenant) ([]KnownRow, error) {
	return list(ctx, tx, func(r row) (k KnownRow, err error) {
		var at int64
		var subject string
		var sealed, key []byte
		if err = r.Scan(&k.Complaint, &subject, &at, &sealed, &key); err != nil {
			return k, err
		}
		k.At = instant(at)
		k.Body, err = tx.db.unseal(t, subject, key, sealed, "known", string(t), k.Complaint)
		return k, err
	}, `SELECT k.complaint, k.subject, k.at, k.body, s.key FROM known k JOIN subject s ON s.tenant = k.tenant AND s.id = k.subject
		WHERE k.tenant = $1 AND s.key IS NOT NULL AND k.body <> $2 ORDER BY k.complaint`, string(t), []byte{})
}

// knownReader is the row of table reader that counts changes of what is known.
const knownReader = "known"

// bump counts a change of what is known of complaints, or substantiated.
func (tx *Tx) bump(ctx context.Context, t bonafide.Tenant) error {
	_, err := tx.insert(ctx, "reader", ` ON CONFLICT (tenant, name) DO UPDATE SET seq = reader.seq + 1`, []any{string(t), knownReader, int64(1), "", int64(0)})
	return err
}

// KnownStamp changes whenever what is known of complaints, or substantiated, does.
func (tx *Tx) KnownStamp(ctx context.Context, t bonafide.Tenant) (int64, error) {
	return tx.Cursor(ctx, t, knownReader)
}

// An IncidentRow is a breach by the lender that many complain of at once. Body is the
// JSON of a bonafide.Incident.
type IncidentRow struct {
	ID, Rule  string
	Size      int
	Began, At time.Time
	Body      string
}

// Read returns the incident of a row.
func (r IncidentRow) Read() (bonafide.Incident, error) {
	var inc bonafide.Incident
	if err := json.Unmarshal([]byte(r.Body), &inc); err != nil {
		return inc, fmt.Errorf("incident %s: %w", r.ID, err)
	}
	return inc, nil
}

// SaveIncidents stores the incidents there are and drops all others. Nothing is written
// where nothing changed.
func (tx *Tx) SaveIncidents(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, in []IncidentRow) error {
	have, err := tx.Incidents(ctx, t)
	if err != nil {
		return err
	}
	old := map[string]string{}
	for _, i := range have {
		old[i.ID] = i.Body
	}
	var args []any
	at := map[string]int{}
	for _, i := range in {
		if old[i.ID] != i.Body {
			args = lastWins(at, args, i.ID, string(t), i.ID, i.Rule, int64(i.Size), micros(i.Began), micros(i.At), i.Body)
		}
		delete(old, i.ID)
	}
	if len(args) == 0 && len(old) == 0 {
		return nil
	}
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	if _, err := tx.insert(ctx, "incident", overwrite("incident"), args); err != nil {
		return err
	}
	var gone []string
	for id := range old {
		gone = append(gone, id)
		if _, err := tx.exec(ctx, `DELETE FROM incident WHERE tenant = $1 AND id = $2`, string(t), id); err != nil {
			return err
		}
	}
	slices.Sort(gone)
	return tx.Record(ctx, t, actor, "incidents.saved", "incidents", map[string]any{"put": len(at), "gone": gone})
}

// Incidents lists the incidents, the latest first.
func (tx *Tx) Incidents(ctx context.Context, t bonafide.Tenant) ([]IncidentRow, error) {
	return list(ctx, tx, func(r row) (i IncidentRow, err error) {
		var began, at int64
		err = r.Scan(&i.ID, &i.Rule, &i.Size, &began, &at, &i.Body)
		i.Began, i.At = instant(began), instant(at)
		return i, err
	}, `SELECT id, rule, size, began, at, body FROM incident WHERE tenant = $1 ORDER BY began DESC, id`, string(t))
}

// An Arrival is a complaint with what its records are held against: no content.
type Arrival struct {
	ID, Subject string
	Seq         int64
	Received    time.Time // when it was stored, where it has no date
}

func scanArrival(r row) (a Arrival, err error) {
	var received int64
	err = r.Scan(&a.ID, &a.Subject, &a.Seq, &received)
	a.Received = instant(received)
	return a, err
}

const arrivalColumns = `id, subject, seq, CASE WHEN received = 0 THEN stored ELSE received END`

// Arrivals lists complaints behind a place in the order of storing, without the erased.
func (tx *Tx) Arrivals(ctx context.Context, t bonafide.Tenant, after int64, limit int) ([]Arrival, error) {
	return list(ctx, tx, scanArrival, `SELECT `+arrivalColumns+` FROM complaint WHERE tenant = $1 AND seq > $2 AND state <> 'erased' ORDER BY seq LIMIT $3`,
		string(t), after, upTo(limit))
}

// OpenComplaints lists the complaints of subjects that are not answered.
func (tx *Tx) OpenComplaints(ctx context.Context, t bonafide.Tenant, subjects []string) ([]Arrival, error) {
	return list(ctx, tx, scanArrival, `SELECT c.id, c.subject, c.seq, CASE WHEN c.received = 0 THEN c.stored ELSE c.received END
		FROM complaint c JOIN track k ON k.tenant = c.tenant AND k.complaint = c.id
		WHERE c.tenant = $1 AND k.ended = 0 AND c.state <> 'erased' AND `+tx.db.d.in("c.subject", 2)+` ORDER BY c.seq`, string(t), tx.db.d.list(subjects))
}

// HaveRecords says of which subjects there are records of some kinds.
func (tx *Tx) HaveRecords(ctx context.Context, t bonafide.Tenant, kinds, subjects []string) (map[string]bool, error) {
	out := map[string]bool{}
	return out, tx.each(ctx, `SELECT DISTINCT subject FROM record WHERE tenant = $1 AND `+tx.db.d.in("subject", 2)+` AND `+tx.db.d.in("kind", 3), func(r row) error {
		var s string
		err := r.Scan(&s)
		out[s] = true
		return err
	}, string(t), tx.db.d.list(subjects), tx.db.d.list(kinds))
}
