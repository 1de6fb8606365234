package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// found fills a store with complaints, several of one moment and some without a date.
func manyFound(t *testing.T, db *DB, n int) []NewComplaint {
	t.Helper()
	cs := complaints(1, n, 60, 20, 10)
	for i := range cs {
		cs[i].Received = start.Add(-time.Duration(i/5) * time.Hour)
		cs[i].Channel = []string{"letter", "email"}[i%2]
		if i%17 == 0 {
			cs[i].Received = time.Time{}
		}
		cs[i].Body = fmt.Appendf(cs[i].Body[:0], `letter %d, %s`, i, strings.Repeat("word ", i%3))
	}
	update(t, db, func(ctx context.Context, tx *Tx) error {
		_, err := tx.AddComplaints(ctx, lender, clerk, cs)
		if err != nil {
			return err
		}
		var vs []VerdictRow
		for i := 0; i < n; i += 4 {
			vs = append(vs, VerdictRow{Complaint: cs[i].ID, Level: "level-2", Ring: "R", Body: []byte("{}")})
		}
		return tx.SaveVerdicts(ctx, lender, clerk, vs, nil)
	})
	return cs
}

// Pages of a search hold every complaint once, in one order, also where many are of one
// moment.
func TestFindPages(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		cs := manyFound(t, db, 200)
		for _, f := range []FindFilter{{}, {Channel: "email"}, {Level: "level-2"}, {From: start.Add(-20 * time.Hour)}, {To: start.Add(-20 * time.Hour)}, {State: "received"}} {
			var want []string
			view(t, db, func(ctx context.Context, tx *Tx) error {
				all, err := tx.Find(ctx, lender, f)
				for _, one := range all {
					want = append(want, one.ID)
				}
				return err
			})
			if len(want) == 0 {
				t.Fatalf("%+v finds nothing", f)
			}
			for _, look := range []bool{false, true} {
				var got []string
				page := f
				page.Limit = 7
				for range 100 {
					var rows []Found
					var last Found
					n := 0
					view(t, db, func(ctx context.Context, tx *Tx) (err error) {
						if look {
							rows, last, n, err = tx.FindIn(ctx, lender, page, func([]byte) bool { return true })
							return err
						}
						if rows, err = tx.Find(ctx, lender, page); len(rows) > 0 {
							last = rows[len(rows)-1]
						}
						n = len(rows)
						return err
					})
					for _, r := range rows {
						got = append(got, r.ID)
					}
					if n < page.Limit {
						break
					}
					page.Before, page.BeforeAt = last.ID, last.Received
				}
				if !slices.Equal(got, want) {
					t.Errorf("%+v by pages (opening letters: %v): %d, want %d", f, look, len(got), len(want))
				}
			}
		}
		view(t, db, func(ctx context.Context, tx *Tx) error {
			n, err := tx.CountTracks(ctx, lender, TrackFilter{Channel: "email"}, 1000)
			if most, merr := tx.CountTracks(ctx, lender, TrackFilter{}, 150); err != nil || merr != nil || n != 100 || most != 150 {
				t.Errorf("%d and %d tracks, %v, %v", n, most, err, merr)
			}
			if n, err := tx.CountTags(ctx, lender, "R", start); n != 0 || err != nil {
				t.Errorf("%d tags, %v", n, err)
			}
			if _, err := tx.Figures(ctx, lender, start, start.Add(-time.Hour)); err != nil {
				t.Error(err)
			}
			if got, err := tx.Retired(ctx, lender, start, "", 10); len(got) != 0 || err != nil {
				t.Errorf("retired %v, %v", got, err)
			}
			if heads, err := tx.TemplateHeads(ctx, lender, 10); len(heads) != 0 || err != nil {
				t.Errorf("templates %v, %v", heads, err)
			}
			found, _, looked, err := tx.FindIn(ctx, lender, FindFilter{Limit: 1000}, func(b []byte) bool { return bytes.HasPrefix(b, []byte("letter 42,")) })
			if err != nil || len(found) != 1 || found[0].ID != cs[42].ID || looked != 200 {
				t.Errorf("%v, looked at %d, %v", found, looked, err)
			}
			_, _, looked, err = tx.FindIn(ctx, "other", FindFilter{Limit: 1000}, func([]byte) bool { return true })
			if looked != 0 {
				t.Errorf("looked at %d of another tenant, %v", looked, err)
			}
			return nil
		})
	})
}

// Looking through letters opens those that are chosen, whatever SQLite knows of its
// tables: statistics once had it read and sort all of them.
func TestFindInChoosesFirst(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		if db.lite == nil {
			t.Skip("for SQLite")
		}
		manyFound(t, db, 300)
		for _, statistics := range []string{"", "ANALYZE track", "ANALYZE"} {
			if statistics != "" {
				update(t, db, func(ctx context.Context, tx *Tx) error { return tx.script(ctx, statistics) })
			}
			q, args := FindFilter{Limit: 10}.lookQuery(lender, fromAll)
			view(t, db, func(ctx context.Context, tx *Tx) error {
				var plan []string
				err := tx.each(ctx, "EXPLAIN QUERY PLAN "+q, func(r row) error {
					var id, parent, n int
					var what string
					err := r.Scan(&id, &parent, &n, &what)
					plan = append(plan, what)
					return err
				}, args...)
				at := func(table string) int {
					return slices.IndexFunc(plan, func(s string) bool {
						return strings.HasPrefix(s, "SEARCH "+table+" ") || strings.HasPrefix(s, "SCAN "+table)
					})
				}
				if err != nil || at("c") < at("k") || strings.Contains(strings.Join(plan, ";"), "complaint_received") {
					t.Errorf("after %q: %v\n%s", statistics, err, strings.Join(plan, "\n"))
				}
				return nil
			})
		}
	})
}
