package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"bonafide"
)

// The states of a tag that a TagFilter can ask for.
const (
	TagLive    = "live"
	TagExpired = "expired"
	TagRemoved = "removed"
)

// A TagFilter chooses tags. An empty field chooses all.
type TagFilter struct {
	Kind          string // of the target
	Target        string // its id
	Ring          string
	State         string    // TagLive, TagExpired or TagRemoved
	ExpiresBefore time.Time // those whose clock ends before
	After         string    // the last id of the page before
	Limit         int       // 0 = no limit
}

// An ExpiredTag is a tag whose clock ran out, and whose it is.
type ExpiredTag struct {
	Tenant bonafide.Tenant
	Tag    bonafide.Tag
}

// PutTags stores new tags; Conflict if an id is taken.
func (tx *Tx) PutTags(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, tags []bonafide.Tag) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	var args []any
	for _, g := range tags {
		evidence, err := json.Marshal(append([]string{}, g.Evidence...))
		if err != nil {
			return err
		}
		args = append(args, string(t), g.ID, string(g.Target.Kind), targetPlace(g.Target), g.Reason, string(evidence), g.Ring, g.Author,
			micros(g.Created), micros(g.Expires), micros(g.Renewed), micros(g.Removed), g.RemovedBy, g.RemovedWhy, int64(0))
	}
	if _, err := tx.insert(ctx, "tag", "", args); err != nil {
		return otherwise(err, bonafide.Conflict, "there is a tag with one of these ids already")
	}
	for _, g := range tags {
		if err := tx.Record(ctx, t, actor, "tag.created", "tag:"+g.ID, map[string]any{
			"target": targetPlace(g.Target), "ring": g.Ring, "expires": micros(g.Expires), "reason": g.Reason, "evidence": digestOf(g.Evidence...),
		}); err != nil {
			return err
		}
	}
	return nil
}

// targetPlace is how SQL holds a target: kind:id.
func targetPlace(t bonafide.Target) string { return string(t.Kind) + ":" + t.ID }

const tagColumns = `tenant, id, kind, place, reason, evidence, ring, author, created, expires, renewed, removed, removed_by, removed_why`

func scanTag(r row) (v ExpiredTag, err error) {
	g := &v.Tag
	var place, evidence string
	var created, expires, renewed, removed int64
	if err = r.Scan(&v.Tenant, &g.ID, &g.Target.Kind, &place, &g.Reason, &evidence, &g.Ring, &g.Author, &created, &expires, &renewed, &removed, &g.RemovedBy, &g.RemovedWhy); err != nil {
		return v, err
	}
	g.Target.ID = strings.TrimPrefix(place, string(g.Target.Kind)+":")
	g.Created, g.Expires, g.Renewed, g.Removed = instant(created), instant(expires), instant(renewed), instant(removed)
	if evidence == "[]" {
		return v, nil
	}
	return v, json.Unmarshal([]byte(evidence), &g.Evidence)
}

func scanOwnTag(r row) (bonafide.Tag, error) {
	v, err := scanTag(r)
	return v.Tag, err
}

// Tag returns a tag.
func (tx *Tx) Tag(ctx context.Context, t bonafide.Tenant, id string) (bonafide.Tag, error) {
	g, err := one(ctx, tx, scanOwnTag, `SELECT `+tagColumns+` FROM tag WHERE tenant = $1 AND id = $2`, string(t), id)
	return g, otherwise(err, bonafide.NotFound, noTag(id))
}

func noTag(id string) string { return fmt.Sprintf("there is no tag %q", id) }

// Tags lists tags by id.
func (tx *Tx) Tags(ctx context.Context, t bonafide.Tenant, f TagFilter) ([]bonafide.Tag, error) {
	args := []any{string(t), f.After}
	q := `SELECT ` + tagColumns + ` FROM tag WHERE tenant = $1 AND id > $2`
	and := func(cond string, arg any) {
		args = append(args, arg)
		q += " AND " + strings.Replace(cond, "?", number(len(args)), 1)
	}
	if f.Kind != "" {
		and("kind = ?", f.Kind)
	}
	if f.Kind != "" && f.Target != "" {
		and("place = ?", f.Kind+":"+f.Target)
	} else if f.Target != "" {
		and("place = kind || ':' || ?", f.Target)
	}
	if f.Ring != "" {
		and("ring <> '' AND ring = ?", f.Ring)
	}
	if !f.ExpiresBefore.IsZero() {
		and("expires < ?", micros(f.ExpiresBefore))
	}
	switch f.State {
	case "":
	case TagLive:
		and("removed = 0 AND expires > ?", micros(tx.db.now()))
	case TagExpired:
		and("removed = 0 AND expires <= ?", micros(tx.db.now()))
	case TagRemoved:
		q += ` AND removed > 0`
	default:
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("there is no state %q of a tag: ask for %s, %s or %s", f.State, TagLive, TagExpired, TagRemoved)}
	}
	args = append(args, upTo(f.Limit))
	return list(ctx, tx, scanOwnTag, q+` ORDER BY id LIMIT `+number(len(args)), args...)
}

// TagsOn returns the tags that warn on any of the targets at now, by id.
func (tx *Tx) TagsOn(ctx context.Context, t bonafide.Tenant, targets []bonafide.Target, now time.Time) ([]bonafide.Tag, error) {
	if len(targets) == 0 {
		return nil, nil
	}
	places := make([]string, len(targets))
	for i, target := range targets {
		places[i] = targetPlace(target)
	}
	tags, err := list(ctx, tx, scanOwnTag, `SELECT `+tagColumns+` FROM tag WHERE tenant = $1 AND removed = 0 AND expires > $2 AND `+tx.db.d.in("place", 3),
		string(t), micros(now), tx.db.d.list(places))
	slices.SortFunc(tags, func(a, b bonafide.Tag) int { return strings.Compare(a.ID, b.ID) })
	return tags, err
}

// RenewTag lets a tag warn until expires; Conflict if it was removed. One that has
// expired warns again.
func (tx *Tx) RenewTag(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, id string, expires time.Time, reason string) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	g, err := tx.Tag(ctx, t, id)
	if err != nil {
		return err
	}
	if !g.Removed.IsZero() {
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: fmt.Sprintf("tag %q was removed and cannot be renewed: make a new one", id)}
	}
	if _, err := tx.exec(ctx, `UPDATE tag SET expires = $3, renewed = $4, expired = 0 WHERE tenant = $1 AND id = $2`,
		string(t), id, micros(expires), micros(tx.db.now())); err != nil {
		return err
	}
	return tx.Record(ctx, t, actor, "tag.renewed", "tag:"+id, map[string]any{"expires": micros(expires), "was": micros(g.Expires), "reason": reason})
}

// RemoveTags ends tags. Those that were removed before stay as they are; NotFound
// if one does not exist.
func (tx *Tx) RemoveTags(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, ids []string, why string) error {
	if _, err := tx.lock(ctx, t); err != nil || len(ids) == 0 {
		return err
	}
	tags, err := list(ctx, tx, scanOwnTag, `SELECT `+tagColumns+` FROM tag WHERE tenant = $1 AND `+tx.db.d.in("id", 2), string(t), tx.db.d.list(ids))
	if err != nil {
		return err
	}
	var live []string
	found := map[string]bool{}
	for _, g := range tags {
		found[g.ID] = true
		if g.Removed.IsZero() {
			live = append(live, g.ID)
		}
	}
	for _, id := range ids {
		if !found[id] {
			return &bonafide.Error{Kind: bonafide.NotFound, Msg: noTag(id)}
		}
	}
	if len(live) == 0 {
		return nil
	}
	slices.Sort(live)
	if _, err := tx.exec(ctx, `UPDATE tag SET removed = $3, removed_by = $4, removed_why = $5 WHERE tenant = $1 AND `+tx.db.d.in("id", 2),
		string(t), tx.db.d.list(live), micros(tx.db.now()), actor.ID, why); err != nil {
		return err
	}
	for _, id := range live {
		if err := tx.Record(ctx, t, actor, "tag.removed", "tag:"+id, map[string]any{"why": why}); err != nil {
			return err
		}
	}
	return nil
}

// ExpireTags marks tags of any tenant whose clock ran out by now, those that ran
// out first, and returns them. Each is returned once, unless it is renewed.
func (tx *Tx) ExpireTags(ctx context.Context, now time.Time, limit int) ([]ExpiredTag, error) {
	const due = ` FROM tag WHERE removed = 0 AND expired = 0 AND expires <= $1`
	tags, err := list(ctx, tx, scanTag, `SELECT `+tagColumns+due+` ORDER BY expires, id LIMIT $2`, micros(now), upTo(limit))
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(tags, func(a, b ExpiredTag) int { return strings.Compare(string(a.Tenant), string(b.Tenant)) })
	var out []ExpiredTag
	for len(tags) > 0 {
		t := tags[0].Tenant // heads are locked in the order of tenants
		n := slices.IndexFunc(tags, func(v ExpiredTag) bool { return v.Tenant != t })
		if n < 0 {
			n = len(tags)
		}
		done, err := tx.expire(ctx, t, tags[:n], now)
		if err != nil {
			return nil, err
		}
		out, tags = append(out, done...), tags[n:]
	}
	return out, nil
}

// expire marks tags of one tenant and returns those that nobody renewed, removed or
// marked before its head was locked.
func (tx *Tx) expire(ctx context.Context, t bonafide.Tenant, tags []ExpiredTag, now time.Time) ([]ExpiredTag, error) {
	if _, err := tx.lock(ctx, t); err != nil {
		return nil, err
	}
	ids := make([]string, len(tags))
	for i, v := range tags {
		ids[i] = v.Tag.ID
	}
	still, err := list(ctx, tx, scanTag, `SELECT `+tagColumns+` FROM tag WHERE tenant = $1 AND removed = 0 AND expired = 0 AND expires <= $2 AND `+tx.db.d.in("id", 3)+` ORDER BY id`,
		string(t), micros(now), tx.db.d.list(ids))
	if err != nil || len(still) == 0 {
		return nil, err
	}
	ids = ids[:0]
	for _, v := range still {
		ids = append(ids, v.Tag.ID)
	}
	if _, err := tx.exec(ctx, `UPDATE tag SET expired = $2 WHERE tenant = $1 AND `+tx.db.d.in("id", 3), string(t), micros(now), tx.db.d.list(ids)); err != nil {
		return nil, err
	}
	for _, v := range still {
		if err := tx.Record(ctx, t, bonafide.System("tags"), "tag.expired", "tag:"+v.Tag.ID, map[string]any{"expires": micros(v.Tag.Expires)}); err != nil {
			return nil, err
		}
	}
	return still, nil
}

// CountTags counts the tags of a ring that warn at now.
func (tx *Tx) CountTags(ctx context.Context, t bonafide.Tenant, ring string, now time.Time) (int, error) {
	return one(ctx, tx, func(r row) (n int, err error) { return n, r.Scan(&n) },
		`SELECT count(*) FROM tag WHERE tenant = $1 AND ring <> '' AND ring = $2 AND removed = 0 AND expires > $3`, string(t), ring, micros(now))
}
