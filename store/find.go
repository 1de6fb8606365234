package store

import (
	"context"
	"time"

	"bonafide"
)

// A FindFilter chooses complaints, also those whose track has ended. An empty field
// chooses all.
type FindFilter struct {
	From, To time.Time // of receiving; To is the first moment that is too late
	Channel  string
	State    string
	Level    string
	// BeforeAt and Before are of the last row of the page before.
	BeforeAt time.Time
	Before   string
	Limit    int
}

// A Found is one complaint in a list of those found.
type Found struct {
	ID              string
	Received        time.Time
	Channel, Region string
	State           string
	Due             time.Time
	Level, Ring     string // proposed; "" where nothing is
}

func (f FindFilter) where(t bonafide.Tenant) (string, []any) {
	q, args := ``, []any{string(t)}
	and := func(cond string, arg any) {
		args = append(args, arg)
		q += ` AND ` + cond + ` ` + number(len(args))
	}
	if !f.From.IsZero() {
		and(`k.received >=`, micros(f.From))
	}
	if !f.To.IsZero() {
		and(`k.received <`, micros(f.To))
	}
	if f.Channel != "" {
		and(`k.channel =`, f.Channel)
	}
	if f.State != "" {
		and(`k.state =`, f.State)
	}
	if f.Level != "" {
		and(`v.level =`, f.Level)
	}
	if f.Before != "" {
		args = append(args, micros(f.BeforeAt), f.Before)
		q += ` AND (k.received, k.complaint) < (` + number(len(args)-1) + `, ` + number(len(args)) + `)`
	}
	return q, args
}

const foundColumns = `k.complaint, k.received, k.channel, k.region, k.state, k.due, COALESCE(v.level, ''), COALESCE(v.ring, '')`

func scanFound(r row, more ...any) (f Found, err error) {
	var received, due int64
	err = r.Scan(append([]any{&f.ID, &received, &f.Channel, &f.Region, &f.State, &due, &f.Level, &f.Ring}, more...)...)
	if due == noClock {
		due = 0
	}
	f.Received, f.Due = instant(received), instant(due)
	return f, err
}

// Find lists complaints, the last received first.
func (tx *Tx) Find(ctx context.Context, t bonafide.Tenant, f FindFilter) ([]Found, error) {
	where, args := f.where(t)
	from, err := tx.findFrom(ctx, t, f)
	if err != nil {
		return nil, err
	}
	args = append(args, upTo(f.Limit))
	return list(ctx, tx, func(r row) (Found, error) { return scanFound(r) }, `SELECT `+foundColumns+from+where+` ORDER BY k.received DESC, k.complaint DESC LIMIT `+number(len(args)), args...)
}

// rareLevel is from how many complaints on a level is common: those are found soon by
// going through all in the order of the list, and fewer by going through them.
const rareLevel = 3000

// The ways to join complaints with what is proposed about them; the order of a CROSS JOIN
// is kept by SQLite.
const (
	fromAll    = ` FROM track k LEFT JOIN verdict v ON v.tenant = k.tenant AND v.complaint = k.complaint WHERE k.tenant = $1`
	fromCommon = ` FROM track k CROSS JOIN verdict v WHERE k.tenant = $1 AND v.tenant = k.tenant AND v.complaint = k.complaint`
	fromRare   = ` FROM verdict v CROSS JOIN track k WHERE v.tenant = $1 AND k.tenant = v.tenant AND k.complaint = v.complaint`
)

// findFrom chooses the way for a filter.
func (tx *Tx) findFrom(ctx context.Context, t bonafide.Tenant, f FindFilter) (string, error) {
	if f.Level == "" {
		return fromAll, nil
	}
	n, err := one(ctx, tx, func(r row) (n int, err error) { return n, r.Scan(&n) },
		`SELECT count(*) FROM (SELECT 1 FROM verdict WHERE tenant = $1 AND level = $2 LIMIT $3) AS few`, string(t), f.Level, int64(rareLevel))
	if n < rareLevel {
		return fromRare, err
	}
	return fromCommon, err
}

// FindIn looks through the letters of up to f.Limit complaints, the last received
// first, and returns those that match says yes to, with the last one looked at and
// how many were. Letters are opened one by one: nothing of their words is kept
// outside of them, so that a search costs time and leaks nothing.
func (tx *Tx) FindIn(ctx context.Context, t bonafide.Tenant, f FindFilter, match func(body []byte) bool) (found []Found, last Found, looked int, err error) {
	from, err := tx.findFrom(ctx, t, f)
	if err != nil {
		return nil, last, 0, err
	}
	q, args := f.lookQuery(t, from)
	err = tx.each(ctx, q, func(r row) error {
		var subject string
		var sealed, key []byte
		one, err := scanFound(r, &subject, &sealed, &key)
		if err != nil {
			return err
		}
		last = one
		looked++
		if len(sealed) == 0 || len(key) == 0 {
			return nil // erased
		}
		body, err := tx.db.unseal(t, subject, key, sealed, "complaint", string(t), one.ID)
		if err != nil {
			return err
		}
		if match(body) {
			found = append(found, one)
		}
		return nil
	}, args...)
	return found, last, looked, err
}

// lookQuery is the statement of FindIn: it chooses the complaints first and opens only
// those. Left to choose, SQLite has read and sorted all of a million instead.
func (f FindFilter) lookQuery(t bonafide.Tenant, from string) (string, []any) {
	where, args := f.where(t)
	args = append(args, upTo(f.Limit))
	return `SELECT k.complaint, k.received, k.channel, k.region, k.state, k.due, k.level, k.ring, c.subject, c.body, s.key
		FROM (SELECT k.tenant, k.complaint, k.received, k.channel, k.region, k.state, k.due, COALESCE(v.level, '') AS level, COALESCE(v.ring, '') AS ring` + from + where + ` ORDER BY k.received DESC, k.complaint DESC LIMIT ` + number(len(args)) + `) k
		CROSS JOIN complaint c LEFT JOIN subject s ON s.tenant = c.tenant AND s.id = c.subject
		WHERE c.tenant = k.tenant AND c.id = k.complaint ORDER BY k.received DESC, k.complaint DESC`, args
}

// FoundByID returns those of ids that are stored, as a list of those found shows them.
func (tx *Tx) FoundByID(ctx context.Context, t bonafide.Tenant, ids []string) (map[string]Found, error) {
	out := map[string]Found{}
	if len(ids) == 0 {
		return out, nil
	}
	all, err := list(ctx, tx, func(r row) (Found, error) { return scanFound(r) }, `SELECT `+foundColumns+` FROM track k
		LEFT JOIN verdict v ON v.tenant = k.tenant AND v.complaint = k.complaint
		WHERE k.tenant = $1 AND `+tx.db.d.in("k.complaint", 2), string(t), tx.db.d.list(ids))
	for _, f := range all {
		out[f.ID] = f
	}
	return out, err
}

// Bodies returns the content of complaints that are not erased, by id.
func (tx *Tx) Bodies(ctx context.Context, t bonafide.Tenant, ids []string) (map[string][]byte, error) {
	out := map[string][]byte{}
	if len(ids) == 0 {
		return out, nil
	}
	return out, tx.each(ctx, `SELECT c.id, c.subject, c.body, s.key FROM complaint c
		LEFT JOIN subject s ON s.tenant = c.tenant AND s.id = c.subject
		WHERE c.tenant = $1 AND `+tx.db.d.in("c.id", 2), func(r row) error {
		var id, subject string
		var sealed, key []byte
		if err := r.Scan(&id, &subject, &sealed, &key); err != nil || len(sealed) == 0 || len(key) == 0 {
			return err
		}
		body, err := tx.db.unseal(t, subject, key, sealed, "complaint", string(t), id)
		out[id] = body
		return err
	}, string(t), tx.db.d.list(ids))
}

// Figures are counts over all of a tenant's complaints and rings. Making them reads
// much: they are kept for a while by whoever asks.
type Figures struct {
	Complaints int64
	Open       int64
	Overdue    int64
	DueSoon    int64 // within three days
	InTime     int64 // ended without a clock missed
	Late       int64
	Flagged    []Flagged
	Rings      []RingCount
	Appeals    map[string]int64 // by state
	Tags       int64            // that warn now
}

// Flagged counts complaints about which a level that says something against them is
// proposed, by what they have in common.
type Flagged struct {
	Level, Channel, Region, Outcome string
	RingState                       string // of the ring they are in
	Recent                          bool   // received since the moment given
	Count                           int64
}

// RingCount counts rings.
type RingCount struct {
	State, Level string
	Rings, Size  int64
}

// Figures counts. since tells recent complaints from older ones.
func (tx *Tx) Figures(ctx context.Context, t bonafide.Tenant, now, since time.Time) (f Figures, err error) {
	if f.Complaints, err = tx.CountComplaints(ctx, t); err != nil {
		return f, err
	}
	count := func(q string, args ...any) (n int64, err error) {
		return one(ctx, tx, func(r row) (int64, error) { var n int64; return n, r.Scan(&n) }, q, append([]any{string(t)}, args...)...)
	}
	for _, c := range []struct {
		to   *int64
		q    string
		args []any
	}{
		{&f.Open, `SELECT count(*) FROM track WHERE tenant = $1 AND ended = 0`, nil},
		{&f.Overdue, `SELECT count(*) FROM track WHERE tenant = $1 AND ended = 0 AND due > 0 AND due < $2`, []any{micros(now)}},
		{&f.DueSoon, `SELECT count(*) FROM track WHERE tenant = $1 AND ended = 0 AND due >= $2 AND due < $3`, []any{micros(now), micros(now.AddDate(0, 0, 3))}},
		{&f.InTime, `SELECT count(*) FROM track WHERE tenant = $1 AND ended > 0 AND late = 0`, nil},
		{&f.Late, `SELECT count(*) FROM track WHERE tenant = $1 AND ended > 0 AND late > 0`, nil},
		{&f.Tags, `SELECT count(*) FROM tag WHERE tenant = $1 AND removed = 0 AND expires > $2`, []any{micros(now)}},
	} {
		if *c.to, err = count(c.q, c.args...); err != nil {
			return f, err
		}
	}
	if f.Flagged, err = list(ctx, tx, func(r row) (g Flagged, err error) {
		return g, r.Scan(&g.Level, &g.Channel, &g.Region, &g.Outcome, &g.RingState, &g.Recent, &g.Count)
	}, `SELECT v.level, k.channel, k.region, k.outcome, COALESCE(r.state, ''), k.received >= $2, count(*) FROM verdict v
		JOIN track k ON k.tenant = v.tenant AND k.complaint = v.complaint
		LEFT JOIN ring r ON r.tenant = v.tenant AND r.id = v.ring
		WHERE v.tenant = $1 AND v.level IN ('individual', 'level-2', 'level-1') GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6`, string(t), micros(since)); err != nil {
		return f, err
	}
	if f.Rings, err = list(ctx, tx, func(r row) (c RingCount, err error) { return c, r.Scan(&c.State, &c.Level, &c.Rings, &c.Size) },
		`SELECT state, level, count(*), sum(size) FROM ring WHERE tenant = $1 GROUP BY 1, 2 ORDER BY 1, 2`, string(t)); err != nil {
		return f, err
	}
	f.Appeals = map[string]int64{}
	return f, tx.each(ctx, `SELECT state, count(*) FROM appeal WHERE tenant = $1 GROUP BY 1`, func(r row) error {
		var s string
		var n int64
		err := r.Scan(&s, &n)
		f.Appeals[s] = n
		return err
	}, string(t))
}

// A Retiree is a person whose complaints all ended long ago, and one of those.
type Retiree struct{ Subject, Complaint string }

// retired chooses people whose complaints all ended before a moment, about whom no appeal
// is open, and of whom nothing stands in a ring that is proposed or confirmed. Its
// arguments are the tenant and the moment; more narrows it down.
func retired(more string) string {
	return `SELECT c.subject, min(c.id) FROM complaint c JOIN track k ON k.tenant = c.tenant AND k.complaint = c.id
		WHERE c.tenant = $1 AND c.state <> 'erased'` + more + `
		GROUP BY c.subject HAVING min(k.ended) > 0 AND max(k.ended) < $2
		AND NOT EXISTS (SELECT 1 FROM complaint o JOIN ring_member m ON m.tenant = o.tenant AND m.complaint = o.id
			JOIN ring g ON g.tenant = m.tenant AND g.id = m.ring WHERE o.tenant = $1 AND o.subject = c.subject AND g.state IN ('proposed', 'confirmed'))
		AND NOT EXISTS (SELECT 1 FROM complaint o JOIN appeal a ON a.tenant = o.tenant AND a.complaint = o.id
			WHERE o.tenant = $1 AND o.subject = c.subject AND a.state = 'open')
		ORDER BY c.subject`
}

// Retired lists people whose data has been kept long enough, behind a subject.
func (tx *Tx) Retired(ctx context.Context, t bonafide.Tenant, before time.Time, after string, limit int) ([]Retiree, error) {
	return list(ctx, tx, func(r row) (p Retiree, err error) { return p, r.Scan(&p.Subject, &p.Complaint) },
		retired(` AND c.subject > $3`)+` LIMIT $4`, string(t), micros(before), after, upTo(limit))
}

// Retires reports whether a person's data has been kept long enough. Lock the tenant
// first: somebody may be handing in a complaint of theirs.
func (tx *Tx) Retires(ctx context.Context, t bonafide.Tenant, before time.Time, subject string) (bool, error) {
	n := 0
	err := tx.each(ctx, retired(` AND c.subject = $3`), func(row) error { n++; return nil }, string(t), micros(before), subject)
	return n > 0, err
}

// A MonthTally counts the complaints of a period. Ended are those that were decided here:
// who was erased, withdrew, or was answered elsewhere was not.
type MonthTally struct {
	Received, Ended, InTime int64
	Levels                  map[string]int64 // of those received, by the level that is proposed
	FlaggedEnded            int64            // of those ended, with a level that says something against them
	FlaggedUpheld           int64            // and of these, upheld wholly or in part
}

// TallyMonth counts the complaints received and ended from one moment up to another.
func (tx *Tx) TallyMonth(ctx context.Context, t bonafide.Tenant, from, to time.Time) (m MonthTally, err error) {
	if m, err = one(ctx, tx, func(r row) (m MonthTally, err error) {
		return m, r.Scan(&m.Received, &m.Ended, &m.InTime)
	}, `SELECT (SELECT count(*) FROM track WHERE tenant = $1 AND received >= $2 AND received < $3),
		(SELECT count(*) FROM track WHERE tenant = $1 AND ended >= $2 AND ended < $3 AND outcome <> '' AND late >= 0),
		(SELECT count(*) FROM track WHERE tenant = $1 AND ended >= $2 AND ended < $3 AND outcome <> '' AND late = 0)`, string(t), micros(from), micros(to)); err != nil {
		return m, err
	}
	m.Levels = map[string]int64{}
	if err = tx.each(ctx, `SELECT v.level, count(*) FROM verdict v JOIN track k ON k.tenant = v.tenant AND k.complaint = v.complaint
		WHERE v.tenant = $1 AND k.received >= $2 AND k.received < $3 GROUP BY 1 ORDER BY 1`, func(r row) error {
		var level string
		var n int64
		err := r.Scan(&level, &n)
		m.Levels[level] = n
		return err
	}, string(t), micros(from), micros(to)); err != nil {
		return m, err
	}
	return m, tx.each(ctx, `SELECT k.outcome, count(*) FROM verdict v JOIN track k ON k.tenant = v.tenant AND k.complaint = v.complaint
		WHERE v.tenant = $1 AND k.ended >= $2 AND k.ended < $3 AND k.outcome <> '' AND k.late >= 0 AND v.level IN ('individual', 'level-2', 'level-1') GROUP BY 1 ORDER BY 1`, func(r row) error {
		var outcome string
		var n int64
		if err := r.Scan(&outcome, &n); err != nil {
			return err
		}
		m.FlaggedEnded += n
		if outcome == "upheld" || outcome == "partly-upheld" {
			m.FlaggedUpheld += n
		}
		return nil
	}, string(t), micros(from), micros(to))
}
