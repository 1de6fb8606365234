package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bonafide"
)

func tag(id string, kind bonafide.TargetKind, target string) bonafide.Tag {
	return bonafide.Tag{
		ID: id, Target: bonafide.Target{Kind: kind, ID: target}, Reason: "ask for the written authority", Evidence: []string{"phone 1", "paper 2"},
		Ring: "R-1", Author: clerk.ID, Created: start, Expires: start.Add(bonafide.TagLife),
	}
}

func tagIDs(tags []bonafide.Tag) []string {
	out := []string{}
	for _, g := range tags {
		out = append(out, g.ID)
	}
	return out
}

func TestTags(t *testing.T) {
	each(t, func(t *testing.T, db *DB, c *clock) {
		const other = bonafide.Tenant("other")
		a, b, third := tag("A", bonafide.OnCustomer, "c1"), tag("B", bonafide.OnComplaint, "c1"), tag("C", bonafide.OnCustomer, "c2")
		third.Evidence, third.Ring, third.Expires = nil, "", start.Add(time.Hour)
		update(t, db, func(ctx context.Context, tx *Tx) error {
			if err := tx.AddTenant(ctx, other, "Another", clerk); err != nil {
				return err
			}
			if err := tx.PutTags(ctx, other, clerk, []bonafide.Tag{tag("A", bonafide.OnCustomer, "c1")}); err != nil {
				return err
			}
			return tx.PutTags(ctx, lender, clerk, []bonafide.Tag{a, b, third})
		})
		list := func(want []string, f TagFilter) {
			t.Helper()
			view(t, db, func(ctx context.Context, tx *Tx) error {
				got, err := tx.Tags(ctx, lender, f)
				if d := cmp.Diff(want, tagIDs(got)); d != "" {
					t.Errorf("Tags(%+v) (-want +got):\n%s", f, d)
				}
				return err
			})
		}
		on := func(want []string, now time.Time, targets ...bonafide.Target) {
			t.Helper()
			view(t, db, func(ctx context.Context, tx *Tx) error {
				before := db.Statements()
				got, err := tx.TagsOn(ctx, lender, targets, now)
				if d := cmp.Diff(want, tagIDs(got)); d != "" {
					t.Errorf("TagsOn(%v) (-want +got):\n%s", targets, d)
				}
				if n := db.Statements() - before; n > 1 {
					t.Errorf("TagsOn took %d statements", n)
				}
				return err
			})
		}
		view(t, db, func(ctx context.Context, tx *Tx) error {
			for _, want := range []bonafide.Tag{a, b, third} {
				got, err := tx.Tag(ctx, lender, want.ID)
				if d := cmp.Diff(want, got); err != nil || d != "" {
					t.Errorf("Tag: %v (-want +got):\n%s", err, d)
				}
			}
			_, err := tx.Tag(ctx, lender, "Z")
			if !errors.Is(err, bonafide.NotFound) {
				t.Errorf("a tag that is not there: %v", err)
			}
			return nil
		})
		list([]string{"A", "B", "C"}, TagFilter{})
		list([]string{"B"}, TagFilter{After: "A", Limit: 1})
		list([]string{"A", "C"}, TagFilter{Kind: "customer"})
		list([]string{"A"}, TagFilter{Kind: "customer", Target: "c1"})
		list([]string{"A", "B"}, TagFilter{Target: "c1"})
		list([]string{"A", "B"}, TagFilter{Ring: "R-1"})
		list([]string{"C"}, TagFilter{ExpiresBefore: start.Add(2 * time.Hour)})
		c1, c2 := bonafide.Target{Kind: bonafide.OnCustomer, ID: "c1"}, bonafide.Target{Kind: bonafide.OnCustomer, ID: "c2"}
		on([]string{}, start)
		on([]string{"A", "C"}, start, c1, c2, bonafide.Target{Kind: bonafide.OnRing, ID: "c1"})
		on([]string{"A"}, start.Add(time.Hour), c1, c2)

		c.add(time.Hour)
		list([]string{"A", "B"}, TagFilter{State: TagLive})
		list([]string{"C"}, TagFilter{State: TagExpired})
		update(t, db, func(ctx context.Context, tx *Tx) error {
			return tx.RemoveTags(ctx, lender, clerk, []string{"A", "A"}, "a mistake")
		})
		list([]string{"A"}, TagFilter{State: TagRemoved})
		list([]string{"B"}, TagFilter{State: TagLive})
		on([]string{}, start, c1)
		view(t, db, func(ctx context.Context, tx *Tx) error {
			got, err := tx.Tag(ctx, lender, "A")
			want := a
			want.Removed, want.RemovedBy, want.RemovedWhy = start.Add(time.Hour), clerk.ID, "a mistake"
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("a removed tag (-want +got):\n%s", d)
			}
			return err
		})
		refuse := func(kind bonafide.Kind, fn func(ctx context.Context, tx *Tx) error) {
			t.Helper()
			if err := db.Update(t.Context(), func(tx *Tx) error { return fn(t.Context(), tx) }); !errors.Is(err, kind) {
				t.Errorf("%v, want %s", err, kind)
			}
		}
		refuse(bonafide.Conflict, func(ctx context.Context, tx *Tx) error {
			return tx.RenewTag(ctx, lender, clerk, "A", start.Add(time.Hour), "still")
		})
		refuse(bonafide.NotFound, func(ctx context.Context, tx *Tx) error {
			return tx.RenewTag(ctx, lender, clerk, "Z", start, "still")
		})
		refuse(bonafide.NotFound, func(ctx context.Context, tx *Tx) error {
			return tx.RemoveTags(ctx, lender, clerk, []string{"B", "Z"}, "gone")
		})
		refuse(bonafide.Conflict, func(ctx context.Context, tx *Tx) error {
			return tx.PutTags(ctx, lender, clerk, []bonafide.Tag{tag("D", bonafide.OnRing, "r"), a})
		})
		list([]string{"B"}, TagFilter{State: TagLive})

		// C's clock ran out; it is told once, until it is renewed.
		expire := func(now time.Time) (got []string) {
			t.Helper()
			update(t, db, func(ctx context.Context, tx *Tx) error {
				got = []string{}
				tags, err := tx.ExpireTags(ctx, now, 10)
				for _, v := range tags {
					got = append(got, fmt.Sprintf("%s/%s", v.Tenant, v.Tag.ID))
				}
				return err
			})
			return got
		}
		if d := cmp.Diff([]string{"lender/C"}, expire(start.Add(time.Hour))); d != "" {
			t.Errorf("ExpireTags (-want +got):\n%s", d)
		}
		if got := expire(start.Add(time.Hour)); len(got) != 0 {
			t.Errorf("ExpireTags again: %v", got)
		}
		update(t, db, func(ctx context.Context, tx *Tx) error {
			return tx.RenewTag(ctx, lender, clerk, "C", start.Add(48*time.Hour), "still")
		})
		on([]string{"C"}, start.Add(47*time.Hour), c2)
		if d := cmp.Diff([]string{"lender/B", "lender/C", "other/A"}, expire(start.Add(2*bonafide.TagLife))); d != "" {
			t.Errorf("ExpireTags of all tenants (-want +got):\n%s", d)
		}
		verified(t, db)
	})
}
