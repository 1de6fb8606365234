package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"bonafide"
)

// A NewComplaint is a complaint to be stored. Body and Trace are clear; the store
// seals them.
type NewComplaint struct {
	ID        string
	Received  time.Time
	Channel   string
	Subject   string  // whose it is; "" = a subject of its own
	Digest    []byte  // keyed hash of the content
	Body      []byte  // the complaint
	Trace     []byte  // what comparing needs of it; nil = none
	Screening []byte  // JSON without personal data; nil = a job "screen" is enqueued with its seq
	Key       *Answer // stored in the same transaction; may be nil
	// Track is where the complaint starts on its own track; of a nil one the clocks are
	// started later.
	Track  *TrackRow
	Region string
	Day    int64 // of arrival, since 1970, in the tenant's zone; 0 = that of UTC
}

// The states of a stored complaint.
const (
	ComplaintStored = "stored"
	ComplaintErased = "erased" // its body is gone
)

// A ComplaintRow is a stored complaint.
type ComplaintRow struct {
	ID        string
	Seq       int64 // place in the order of storing, from 1
	Received  time.Time
	Stored    time.Time
	Channel   string
	Subject   string
	State     string
	Digest    []byte
	Body      []byte // clear
	Screening []byte // nil until screened
}

// Known returns the digests of those complaints of ids that are stored.
func (tx *Tx) Known(ctx context.Context, t bonafide.Tenant, ids []string) (map[string][]byte, error) {
	known := map[string][]byte{}
	if len(ids) == 0 {
		return known, nil
	}
	return known, tx.each(ctx, `SELECT v.value, (SELECT c.digest FROM complaint c WHERE c.tenant = $1 AND c.id = v.value) FROM `+tx.db.d.values(2), func(r row) error {
		var id string
		var digest any // tells NULL from empty, on SQLite too
		if err := r.Scan(&id, &digest); err != nil || digest == nil {
			return err
		}
		b, _ := digest.([]byte)
		known[id] = some(b)
		return nil
	}, string(t), tx.db.d.list(ids))
}

// AddComplaints stores complaints and returns the seq of the first; the others
// follow it without gaps. Conflict, and nothing is stored, if an id is taken.
func (tx *Tx) AddComplaints(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, cs []NewComplaint) (firstSeq int64, err error) {
	h, err := tx.lock(ctx, t)
	if err != nil {
		return 0, err
	}
	firstSeq = h.Complaints + 1
	if len(cs) == 0 {
		return firstSeq, nil
	}
	keys, err := tx.complaintKeys(ctx, t, cs)
	if err != nil {
		return 0, err
	}
	var (
		now                           = micros(tx.db.now())
		complaints, traces, screening []any
		tracks                        []any
		tallies                       = map[Tally]int64{}
		jobs                          []Job
		answers                       []Answer
	)
	for i, c := range cs {
		seq, subject := firstSeq+int64(i), subjectOf(c)
		body, err := keys[subject].seal(tx.db.random, place("complaint", string(t), c.ID), c.Body)
		if err != nil {
			return 0, err
		}
		complaints = append(complaints, string(t), c.ID, seq, micros(c.Received), now, c.Channel, subject, ComplaintStored, some(c.Digest), body)
		if c.Trace != nil {
			if body, err = keys[subject].seal(tx.db.random, place("trace", string(t), c.ID), c.Trace); err != nil {
				return 0, err
			}
			traces = append(traces, string(t), seq, c.ID, subject, body)
		}
		tracks = append(tracks, c.track(seq, instant(now)).args(t)...)
		tallies[c.tally(instant(now))]++
		if c.Screening != nil {
			screening = append(screening, string(t), c.ID, now, c.Screening)
		} else {
			jobs = append(jobs, Job{Tenant: t, ID: tx.db.NewID(), Kind: "screen", Arg: strconv.FormatInt(seq, 10), Due: instant(now)})
		}
		if c.Key != nil {
			answers = append(answers, *c.Key)
		}
		if err := tx.Record(ctx, t, actor, "complaint.added", "complaint:"+c.ID, addedDetail(c, seq)); err != nil {
			return 0, err
		}
	}
	if _, err := tx.insert(ctx, "complaint", "", complaints); err != nil {
		return 0, otherwise(err, bonafide.Conflict, "a complaint with one of these ids is stored already")
	}
	if _, err := tx.insert(ctx, "trace", "", traces); err != nil {
		return 0, err
	}
	if _, err := tx.insert(ctx, "track", "", tracks); err != nil {
		return 0, err
	}
	if err := tx.addTallies(ctx, t, tallies); err != nil {
		return 0, err
	}
	if _, err := tx.insert(ctx, "screening", "", screening); err != nil {
		return 0, err
	}
	if err := tx.Enqueue(ctx, jobs...); err != nil {
		return 0, err
	}
	if err := tx.putAnswers(ctx, t, actor.ID, answers); err != nil {
		return 0, err
	}
	h.Complaints += int64(len(cs))
	return firstSeq, nil
}

// subjectOf names the subject of a complaint; one without gets its own.
func subjectOf(c NewComplaint) string {
	if c.Subject != "" {
		return c.Subject
	}
	return "complaint:" + c.ID
}

// track is where the complaint starts on its own track.
func (c *NewComplaint) track(seq int64, now time.Time) TrackRow {
	k := TrackRow{State: "received", Received: c.Received, Since: now}
	if c.Track != nil {
		k = *c.Track
	}
	if k.Received.IsZero() {
		k.Received = now
	}
	k.Complaint, k.Seq, k.Channel, k.Region, k.Version = c.ID, seq, c.Channel, c.Region, 1
	return k
}

// tally is what the complaint is counted under.
func (c *NewComplaint) tally(now time.Time) Tally {
	day := c.Day
	if day == 0 {
		at := c.Received
		if at.IsZero() {
			at = now
		}
		day = at.Unix() / 86400
	}
	return Tally{Day: day, Channel: c.Channel, Region: c.Region}
}

// complaintKeys returns the keys that complaints are sealed under.
func (tx *Tx) complaintKeys(ctx context.Context, t bonafide.Tenant, cs []NewComplaint) (map[string]*sealer, error) {
	var named, own []string
	seen := make(map[string]bool, len(cs))
	for _, c := range cs {
		subject := subjectOf(c)
		switch {
		case c.ID == "":
			return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: "a complaint needs an id"}
		case seen[subject]:
		case c.Subject == "":
			own = append(own, subject)
		default:
			named = append(named, subject)
		}
		seen[subject] = true
	}
	keys, err := tx.subjectKeys(ctx, t, named, own)
	return keys, otherwise(err, bonafide.Conflict, "a complaint with one of these ids is stored already")
}

// addedDetail is what the log says of a new complaint.
func addedDetail(c NewComplaint, seq int64) json.RawMessage {
	b := fmt.Appendf(nil, `{"seq":%d,"digest":"%x"`, seq, c.Digest)
	if c.Screening != nil {
		b = fmt.Appendf(b, `,"screening":"%x"`, sha256.Sum256(c.Screening))
	}
	return append(b, '}')
}

const complaintColumns = `c.id, c.seq, c.received, c.stored, c.channel, c.subject, c.state, c.digest, n.body`

func scanComplaint(r row, more ...any) (c ComplaintRow, err error) {
	var received, stored int64
	dest := append([]any{&c.ID, &c.Seq, &received, &stored, &c.Channel, &c.Subject, &c.State, &c.Digest, &c.Screening}, more...)
	err = r.Scan(dest...)
	c.Received, c.Stored, c.Digest = instant(received), instant(stored), some(c.Digest)
	return c, err
}

// Complaint returns a complaint. Where its subject was erased, the row comes
// without Body and with an error of Kind NotFound.
func (tx *Tx) Complaint(ctx context.Context, t bonafide.Tenant, id string) (ComplaintRow, error) {
	var sealed, key []byte
	c, err := one(ctx, tx, func(r row) (ComplaintRow, error) { return scanComplaint(r, &sealed, &key) },
		`SELECT `+complaintColumns+`, c.body, s.key FROM complaint c
		LEFT JOIN subject s ON s.tenant = c.tenant AND s.id = c.subject
		LEFT JOIN screening n ON n.tenant = c.tenant AND n.complaint = c.id
		WHERE c.tenant = $1 AND c.id = $2`, string(t), id)
	if err != nil {
		return c, otherwise(err, bonafide.NotFound, noComplaint(id))
	}
	if c.State == ComplaintErased {
		return c, &bonafide.Error{Kind: bonafide.NotFound, Msg: fmt.Sprintf("the content of complaint %q was erased", id), Err: errErased}
	}
	c.Body, err = tx.db.unseal(t, c.Subject, key, sealed, "complaint", string(t), c.ID)
	return c, err
}

// errErased is the cause where something is not found because it was erased.
var errErased = errors.New("its subject was erased")

// Complaints lists complaints behind a seq, without Body.
func (tx *Tx) Complaints(ctx context.Context, t bonafide.Tenant, after int64, limit int) ([]ComplaintRow, error) {
	return list(ctx, tx, func(r row) (ComplaintRow, error) { return scanComplaint(r) },
		`SELECT `+complaintColumns+` FROM complaint c
		LEFT JOIN screening n ON n.tenant = c.tenant AND n.complaint = c.id
		WHERE c.tenant = $1 AND c.seq > $2 ORDER BY c.seq LIMIT $3`, string(t), after, upTo(limit))
}

// PutScreening stores the screening of a complaint, over an earlier one.
func (tx *Tx) PutScreening(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, id string, seq int64, body []byte) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	if _, err := tx.insert(ctx, "screening", overwrite("screening"), []any{string(t), id, micros(tx.db.now()), some(body)}); err != nil {
		return err
	}
	return tx.Record(ctx, t, actor, "complaint.screened", "complaint:"+id, json.RawMessage(fmt.Sprintf(`{"seq":%d,"screening":"%x"}`, seq, sha256.Sum256(body))))
}
