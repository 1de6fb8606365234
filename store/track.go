package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"time"

	"bonafide"
)

// A TrackRow says where a complaint stands on its own track. Body is JSON without
// personal data; the store does not look into it. Nothing of it comes from what is
// suspected, and no list of tracks is ordered by that.
type TrackRow struct {
	Complaint       string
	Seq             int64
	Channel, Region string
	Pack            string // whose clocks run; "" until they were started
	State           string
	Received, Since time.Time
	Due             time.Time // of the clock that ends first; zero where none runs
	Assignee        string    // a person's id; "" = nobody
	Outcome         string    // of the decision on its merit
	Ended           time.Time // zero while it runs
	Late            int       // clocks that ended before what they wait for was done
	Version         int       // from 1; grows with every change
	Body            []byte
}

// A TrackStep is one line of a complaint's history. Body is clear; the store seals it.
type TrackStep struct {
	N    int // from 1
	At   time.Time
	Body []byte
}

// A TrackFilter chooses tracks that have not ended. An empty field chooses all.
type TrackFilter struct {
	Assignee   string // a person's id
	Unassigned bool
	State      string
	Channel    string
	DueBefore  time.Time
	// AfterDue and After are of the last row of the page before.
	AfterDue time.Time
	After    string
	Limit    int
}

// noClock stands for no due moment, behind every moment in the order of lists.
const noClock int64 = math.MaxInt64

// dueMicros is how SQL holds a due moment.
func dueMicros(t time.Time) int64 {
	if t.IsZero() {
		return noClock
	}
	return micros(t)
}

func (r TrackRow) args(t bonafide.Tenant) []any {
	return []any{
		string(t), r.Complaint, r.Seq, r.Channel, r.Region, r.Pack, r.State, micros(r.Received), micros(r.Since), dueMicros(r.Due),
		r.Assignee, r.Outcome, micros(r.Ended), int64(r.Late), int64(r.Version), some(r.Body),
	}
}

const trackColumns = `complaint, seq, channel, region, pack, state, received, since, due, assignee, outcome, ended, late, version, body`

func scanTrack(r row) (k TrackRow, err error) {
	var received, since, due, ended int64
	err = r.Scan(&k.Complaint, &k.Seq, &k.Channel, &k.Region, &k.Pack, &k.State, &received, &since, &due, &k.Assignee, &k.Outcome, &ended, &k.Late, &k.Version, &k.Body)
	if due == noClock {
		due = 0
	}
	k.Received, k.Since, k.Due, k.Ended, k.Body = instant(received), instant(since), instant(due), instant(ended), some(k.Body)
	return k, err
}

// Track returns the track of a complaint.
func (tx *Tx) Track(ctx context.Context, t bonafide.Tenant, complaint string) (TrackRow, error) {
	k, err := one(ctx, tx, scanTrack, `SELECT `+trackColumns+` FROM track WHERE tenant = $1 AND complaint = $2`, string(t), complaint)
	return k, otherwise(err, bonafide.NotFound, noComplaint(complaint))
}

// Tracks lists tracks that have not ended: those whose clock ends first stand first.
func (tx *Tx) Tracks(ctx context.Context, t bonafide.Tenant, f TrackFilter) ([]TrackRow, error) {
	where, args := f.where(t)
	args = append(args, upTo(f.Limit))
	return list(ctx, tx, scanTrack, `SELECT `+trackColumns+` FROM track WHERE tenant = $1`+where+` ORDER BY due, complaint LIMIT `+number(len(args)), args...)
}

// CountTracks counts tracks that have not ended, up to most.
func (tx *Tx) CountTracks(ctx context.Context, t bonafide.Tenant, f TrackFilter, most int) (int, error) {
	where, args := f.where(t)
	args = append(args, int64(most))
	return one(ctx, tx, func(r row) (n int, err error) { return n, r.Scan(&n) },
		`SELECT count(*) FROM (SELECT 1 FROM track WHERE tenant = $1`+where+` LIMIT `+number(len(args))+`) AS few`, args...)
}

func (f TrackFilter) where(t bonafide.Tenant) (string, []any) {
	q, args := ` AND ended = 0`, []any{string(t)}
	and := func(cond string, arg any) {
		args = append(args, arg)
		q += ` AND ` + cond + ` ` + number(len(args))
	}
	switch {
	case f.Unassigned:
		and(`assignee =`, "")
	case f.Assignee != "":
		and(`assignee =`, f.Assignee)
	}
	if f.State != "" {
		and(`state =`, f.State)
	}
	if f.Channel != "" {
		and(`channel =`, f.Channel)
	}
	if !f.DueBefore.IsZero() {
		q += ` AND due > 0`
		and(`due <`, micros(f.DueBefore))
	}
	if f.After != "" {
		args = append(args, dueMicros(f.AfterDue), f.After)
		q += ` AND (due, complaint) > (` + number(len(args)-1) + `, ` + number(len(args)) + `)`
	}
	return q, args
}

// Unclocked lists tracks whose clocks were not started: of complaints that were
// stored before the program kept tracks.
func (tx *Tx) Unclocked(ctx context.Context, t bonafide.Tenant, limit int) ([]TrackRow, error) {
	return list(ctx, tx, scanTrack, `SELECT `+trackColumns+` FROM track WHERE tenant = $1 AND ended = 0 AND pack = '' ORDER BY seq LIMIT $2`, string(t), upTo(limit))
}

// StartClocks stores tracks over those that stand there, without history: of
// complaints that were stored before the program kept tracks.
func (tx *Tx) StartClocks(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, rows []TrackRow) error {
	if _, err := tx.lock(ctx, t); err != nil || len(rows) == 0 {
		return err
	}
	var args []any
	sum := newSum()
	for _, r := range rows {
		args = append(args, r.args(t)...)
		sum.add(r.Complaint, r.State, fmt.Sprint(micros(r.Due)), string(r.Body))
	}
	if _, err := tx.insert(ctx, "track", overwrite("track"), args); err != nil {
		return err
	}
	return tx.Record(ctx, t, actor, "tracks.started", "tracks", map[string]any{"count": len(rows), "digest": sum.hex()})
}

// SaveTrack stores a track over the one whose version is one less, with the step
// that led to it. Conflict if somebody else moved it meanwhile.
func (tx *Tx) SaveTrack(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, r TrackRow, verb string, step []byte) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	subject, err := tx.unerased(ctx, t, r.Complaint)
	if err != nil {
		return err
	}
	n, err := tx.exec(ctx, `UPDATE track SET pack = $4, state = $5, since = $6, due = $7, assignee = $8, outcome = $9, ended = $10, late = $11, version = $3 + 1, body = $12
		WHERE tenant = $1 AND complaint = $2 AND version = $3`,
		string(t), r.Complaint, int64(r.Version-1), r.Pack, r.State, micros(r.Since), dueMicros(r.Due), r.Assignee, r.Outcome, micros(r.Ended), int64(r.Late), some(r.Body))
	if err != nil {
		return err
	}
	if n == 0 {
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: "somebody else changed the complaint meanwhile: look at it again"}
	}
	keys, err := tx.subjectKeys(ctx, t, []string{subject}, nil)
	if err != nil {
		return err
	}
	sealed, err := keys[subject].seal(tx.db.random, stepPlace(t, r.Complaint, r.Version), step)
	if err != nil {
		return err
	}
	if _, err := tx.insert(ctx, "track_step", "", []any{string(t), r.Complaint, int64(r.Version), micros(tx.db.now()), subject, sealed}); err != nil {
		return err
	}
	return tx.Record(ctx, t, actor, "complaint.moved", "complaint:"+r.Complaint, map[string]any{
		"verb": verb, "state": r.State, "due": micros(r.Due), "assignee": r.Assignee, "outcome": r.Outcome, "version": r.Version,
		"step": fmt.Sprintf("%x", sha256.Sum256(sealed)),
	})
}

// unerased returns the subject of a complaint that can still be read: nothing is written
// about somebody who was erased.
func (tx *Tx) unerased(ctx context.Context, t bonafide.Tenant, complaint string) (string, error) {
	type pair struct{ subject, state string }
	c, err := one(ctx, tx, func(r row) (c pair, err error) { return c, r.Scan(&c.subject, &c.state) },
		`SELECT subject, state FROM complaint WHERE tenant = $1 AND id = $2`, string(t), complaint)
	if err != nil {
		return "", otherwise(err, bonafide.NotFound, noComplaint(complaint))
	}
	if c.state == ComplaintErased {
		return "", &bonafide.Error{Kind: bonafide.Conflict, Msg: "the content of the complaint was erased: nothing is written about it any more"}
	}
	return c.subject, nil
}

func stepPlace(t bonafide.Tenant, complaint string, n int) []byte {
	return place("track_step", string(t), complaint, fmt.Sprint(n))
}

// TrackSteps lists what was done with a complaint, the first first. Those of an
// erased person come without Body.
func (tx *Tx) TrackSteps(ctx context.Context, t bonafide.Tenant, complaint string) ([]TrackStep, error) {
	return list(ctx, tx, func(r row) (s TrackStep, err error) {
		var at int64
		var subject string
		var sealed, key []byte
		if err = r.Scan(&s.N, &at, &subject, &sealed, &key); err != nil {
			return s, err
		}
		s.At = instant(at)
		if len(sealed) == 0 || len(key) == 0 {
			return s, nil
		}
		k, err := tx.db.unwrap(t, subject, key)
		if err != nil {
			return s, err
		}
		s.Body, err = k.open(stepPlace(t, complaint, s.N), sealed)
		return s, err
	}, `SELECT p.n, p.at, p.subject, p.body, s.key FROM track_step p LEFT JOIN subject s ON s.tenant = p.tenant AND s.id = p.subject
		WHERE p.tenant = $1 AND p.complaint = $2 ORDER BY p.n`, string(t), complaint)
}

// A Tally is how many complaints arrived on a day.
type Tally struct {
	Day             int64 // since 1970, of the tenant's zone
	Channel, Region string
	Count           int64
}

// addTallies counts arrivals; Count of the keys is not read.
func (tx *Tx) addTallies(ctx context.Context, t bonafide.Tenant, more map[Tally]int64) error {
	var args []any
	for k, n := range more {
		args = append(args, string(t), k.Day, k.Channel, k.Region, n)
	}
	_, err := tx.insert(ctx, "tally", " ON CONFLICT (tenant, day, channel, region) DO UPDATE SET count = tally.count + excluded.count", args)
	return err
}

// Tallies lists arrivals from a day on, by day.
func (tx *Tx) Tallies(ctx context.Context, t bonafide.Tenant, from int64) ([]Tally, error) {
	return list(ctx, tx, func(r row) (y Tally, err error) { return y, r.Scan(&y.Day, &y.Channel, &y.Region, &y.Count) },
		`SELECT day, channel, region, count FROM tally WHERE tenant = $1 AND day >= $2 ORDER BY day, channel, region`, string(t), from)
}
