package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"bonafide"
)

// A RingRow is a ring with its lasting id. Body is the JSON of a bonafide.Ring.
type RingRow struct {
	ID, State, Level string
	Size, Customers  int
	Found            bool     // the last look still found it
	Members          []string // complaint ids, ascending
	Body             []byte
	Created, Updated time.Time
	Reason           string // of its state, typed by a person
}

// SaveRings stores rings over earlier ones, with their members. Each leaves an
// entry in the log.
func (tx *Tx) SaveRings(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, rings []RingRow) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	var args []any
	at := map[string]int{}
	members := map[string][]string{}
	for _, r := range rings {
		if r.ID == "" {
			return tx.refuse(&bonafide.Error{Kind: bonafide.Invalid, Msg: "a ring needs an id"})
		}
		if err := twoConfirmed(r); err != nil {
			return tx.refuse(err)
		}
		args = lastWins(at, args, r.ID, string(t), r.ID, r.State, r.Level, int64(r.Size), int64(r.Customers), r.Found, micros(r.Created), micros(r.Updated), r.Reason, some(r.Body))
		m := slices.Clone(r.Members)
		slices.Sort(m)
		members[r.ID] = slices.Compact(m)
	}
	if _, err := tx.insert(ctx, "ring", overwrite("ring"), args); err != nil {
		return err
	}
	if err := tx.saveMembers(ctx, t, members); err != nil {
		return err
	}
	for _, r := range rings {
		if err := tx.Record(ctx, t, actor, "ring.saved", "ring:"+r.ID, map[string]any{
			"state": r.State, "level": r.Level, "size": r.Size, "customers": r.Customers, "found": r.Found, "reason": r.Reason,
			"members": len(members[r.ID]), "digest": digestOf(append([]string{string(r.Body)}, members[r.ID]...)...),
		}); err != nil {
			return err
		}
	}
	return nil
}

// twoConfirmed refuses a confirmed ring of level 1 that two different people did not
// confirm: whatever calls the store, nobody is accused of the gravest by one.
func twoConfirmed(r RingRow) error {
	if r.State != string(bonafide.RingIsFirm) || bonafide.Level(r.Level) != bonafide.Level1 {
		return nil
	}
	var body bonafide.Ring
	if err := json.Unmarshal(r.Body, &body); err != nil {
		return fmt.Errorf("ring %s: %w", r.ID, err)
	}
	var by []string
	for _, d := range slices.Backward(body.Decisions) {
		if d.Verb != bonafide.Confirm {
			break
		}
		if d.By != "" && !slices.Contains(by, d.By) {
			by = append(by, d.By)
		}
	}
	if len(by) < 2 {
		return &bonafide.Error{Kind: bonafide.Denied, Msg: "level 1 is confirmed by two people: nothing was changed"}
	}
	return nil
}

// saveMembers stores who is in which ring, and writes only what is new.
func (tx *Tx) saveMembers(ctx context.Context, t bonafide.Tenant, members map[string][]string) error {
	ids := make([]string, 0, len(members))
	for id := range members {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	stored, err := tx.membersOf(ctx, t, ids)
	if err != nil {
		return err
	}
	var add []any
	for _, id := range ids {
		var gone []string
		for _, m := range stored[id] {
			if _, still := slices.BinarySearch(members[id], m); !still {
				gone = append(gone, m)
			}
		}
		if len(gone) > 0 {
			if _, err := tx.exec(ctx, `DELETE FROM ring_member WHERE tenant = $1 AND ring = $2 AND `+tx.db.d.in("complaint", 3), string(t), id, tx.db.d.list(gone)); err != nil {
				return err
			}
		}
		for _, m := range members[id] {
			if _, known := slices.BinarySearch(stored[id], m); !known {
				add = append(add, string(t), id, m)
			}
		}
	}
	_, err = tx.insert(ctx, "ring_member", "", add)
	return err
}

// membersOf returns the members of rings, ascending.
func (tx *Tx) membersOf(ctx context.Context, t bonafide.Tenant, rings []string) (map[string][]string, error) {
	members := map[string][]string{}
	if len(rings) == 0 {
		return members, nil
	}
	return members, tx.each(ctx, `SELECT ring, complaint FROM ring_member WHERE tenant = $1 AND `+tx.db.d.in("ring", 2)+` ORDER BY ring, complaint`, func(r row) error {
		var ring, complaint string
		err := r.Scan(&ring, &complaint)
		members[ring] = append(members[ring], complaint)
		return err
	}, string(t), tx.db.d.list(rings))
}

const ringColumns = `id, state, level, size, customers, found, created, updated, reason, body`

func scanRing(r row) (v RingRow, err error) {
	var created, updated int64
	err = r.Scan(&v.ID, &v.State, &v.Level, &v.Size, &v.Customers, &v.Found, &created, &updated, &v.Reason, &v.Body)
	v.Created, v.Updated, v.Body = instant(created), instant(updated), some(v.Body)
	return v, err
}

// Ring returns a ring.
func (tx *Tx) Ring(ctx context.Context, t bonafide.Tenant, id string) (RingRow, error) {
	r, err := one(ctx, tx, scanRing, `SELECT `+ringColumns+` FROM ring WHERE tenant = $1 AND id = $2`, string(t), id)
	if err != nil {
		return r, otherwise(err, bonafide.NotFound, fmt.Sprintf("there is no ring %q", id))
	}
	members, err := tx.membersOf(ctx, t, []string{id})
	r.Members = members[id]
	return r, err
}

// Rings lists rings of a state, or of every state if it is empty, behind an id.
func (tx *Tx) Rings(ctx context.Context, t bonafide.Tenant, state, after string, limit int) ([]RingRow, error) {
	q, args := `SELECT `+ringColumns+` FROM ring WHERE tenant = $1 AND id > $2`, []any{string(t), after, upTo(limit)}
	if state != "" {
		q += ` AND state = $4`
		args = append(args, state)
	}
	rings, err := list(ctx, tx, scanRing, q+` ORDER BY id LIMIT $3`, args...)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(rings))
	for i, r := range rings {
		ids[i] = r.ID
	}
	members, err := tx.membersOf(ctx, t, ids)
	for i := range rings {
		rings[i].Members = members[rings[i].ID]
	}
	return rings, err
}

// RingsOf returns the ids of the rings that complaints belong to, ascending, by
// complaint; complaints that belong to none are absent.
func (tx *Tx) RingsOf(ctx context.Context, t bonafide.Tenant, complaints []string) (map[string][]string, error) {
	rings := map[string][]string{}
	if len(complaints) == 0 {
		return rings, nil
	}
	return rings, tx.each(ctx, `SELECT complaint, ring FROM ring_member WHERE tenant = $1 AND `+tx.db.d.in("complaint", 2)+` ORDER BY complaint, ring`, func(r row) error {
		var complaint, ring string
		err := r.Scan(&complaint, &ring)
		rings[complaint] = append(rings[complaint], ring)
		return err
	}, string(t), tx.db.d.list(complaints))
}

// RingHeads lists rings of a state without their members, the newest first, behind an id.
func (tx *Tx) RingHeads(ctx context.Context, t bonafide.Tenant, state, after string, limit int) ([]RingRow, error) {
	q, args := `SELECT `+ringColumns+` FROM ring WHERE tenant = $1 AND state = $2`, []any{string(t), state, upTo(limit)}
	if after != "" {
		q += ` AND id < $4`
		args = append(args, after)
	}
	return list(ctx, tx, scanRing, q+` ORDER BY id DESC LIMIT $3`, args...)
}
