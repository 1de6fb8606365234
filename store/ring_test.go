package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bonafide"
)

func TestRings(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		a := RingRow{
			ID: "R-A", State: "proposed", Level: "level-2", Size: 3, Customers: 2, Found: true, Members: []string{"c1", "c2", "c3"},
			Body: []byte(`{"id":"R-A"}`), Created: start, Updated: start.Add(time.Hour), Reason: "",
		}
		b := RingRow{ID: "R-B", State: "confirmed", Level: "level-1", Members: []string{"c3"}, Body: []byte(`{"decisions":[{"verb":"confirm","by":"a"},{"verb":"confirm","by":"b"}]}`), Created: start, Reason: "the handwriting"}
		save := func(rings ...RingRow) {
			t.Helper()
			update(t, db, func(ctx context.Context, tx *Tx) error { return tx.SaveRings(ctx, lender, clerk, rings) })
		}
		shuffled := a
		shuffled.Members = []string{"c3", "c1", "c2", "c1"}
		save(shuffled, b)
		check := func(want ...RingRow) {
			t.Helper()
			view(t, db, func(ctx context.Context, tx *Tx) error {
				for _, w := range want {
					got, err := tx.Ring(ctx, lender, w.ID)
					if d := cmp.Diff(w, got); err != nil || d != "" {
						t.Errorf("Ring: %v (-want +got):\n%s", err, d)
					}
				}
				got, err := tx.Rings(ctx, lender, "", "", 0)
				if d := cmp.Diff(want, got); err != nil || d != "" {
					t.Errorf("Rings: %v (-want +got):\n%s", err, d)
				}
				return nil
			})
		}
		check(a, b)
		view(t, db, func(ctx context.Context, tx *Tx) error {
			got, err := tx.RingsOf(ctx, lender, []string{"c3", "c1", "c9"})
			if d := cmp.Diff(map[string][]string{"c1": {"R-A"}, "c3": {"R-A", "R-B"}}, got); err != nil || d != "" {
				t.Errorf("RingsOf: %v (-want +got):\n%s", err, d)
			}
			confirmed, err := tx.Rings(ctx, lender, "confirmed", "", 5)
			if err != nil || len(confirmed) != 1 || confirmed[0].ID != "R-B" {
				t.Errorf("confirmed rings = %v, %v", confirmed, err)
			}
			page, err := tx.Rings(ctx, lender, "", "R-A", 5)
			if err != nil || len(page) != 1 || page[0].ID != "R-B" {
				t.Errorf("rings behind R-A = %v, %v", page, err)
			}
			_, err = tx.Ring(ctx, lender, "R-C")
			if !errors.Is(err, bonafide.NotFound) {
				t.Errorf("a ring that is not there: %v", err)
			}
			return nil
		})
		a.Members, a.Size, a.State = []string{"c2", "c4"}, 2, "cleared"
		b.Members = nil
		save(a, b)
		check(a, b)
		var crowd []string
		for i := range 200 {
			crowd = append(crowd, fmt.Sprintf("c%04d", i))
		}
		a.Members = crowd
		save(a)
		before := db.Statements()
		a.Members = append(slices.Clone(crowd), "d")
		save(a)
		if n := db.Statements() - before; n > 9 {
			t.Errorf("one more member took %d statements", n)
		}
		check(a, b)
		if n := verified(t, db); n != 1+2+2+1+1 {
			t.Errorf("%d entries, want 7", n)
		}
	})
}

func TestApart(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		update(t, db, func(ctx context.Context, tx *Tx) error {
			return errors.Join(tx.PutApart(ctx, lender, clerk, "c2", "c1", "brothers"), tx.PutApart(ctx, lender, clerk, "c1", "c2", "brothers in law"),
				tx.PutApart(ctx, lender, clerk, "c1", "c3", "no"))
		})
		list := func(want [][2]string) {
			t.Helper()
			view(t, db, func(ctx context.Context, tx *Tx) error {
				got, err := tx.Aparts(ctx, lender)
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("Aparts (-want +got):\n%s", d)
				}
				return err
			})
		}
		list([][2]string{{"c1", "c2"}, {"c1", "c3"}})
		update(t, db, func(ctx context.Context, tx *Tx) error {
			return tx.RemoveApart(ctx, lender, clerk, "c2", "c1", "they are one")
		})
		list([][2]string{{"c1", "c3"}})
		for kind, pair := range map[bonafide.Kind][2]string{bonafide.NotFound: {"c1", "c2"}, bonafide.Invalid: {"c1", "c1"}} {
			err := db.Update(t.Context(), func(tx *Tx) error { return tx.RemoveApart(t.Context(), lender, clerk, pair[0], pair[1], "x") })
			if !errors.Is(err, kind) {
				t.Errorf("RemoveApart%v = %v, want %s", pair, err, kind)
			}
		}
	})
}

func TestVerdictsAndTemplates(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		v := func(id, level string) VerdictRow {
			return VerdictRow{Complaint: id, Level: level, Route: "vulnerable", Ring: "R", Template: "T", Body: []byte(`{"id":"` + id + `"}`)}
		}
		var many []VerdictRow
		for i := range 130 {
			many = append(many, v(fmt.Sprintf("m%03d", i), "information"))
		}
		update(t, db, func(ctx context.Context, tx *Tx) error {
			if err := tx.SaveVerdicts(ctx, lender, clerk, append(many, v("a", "level-2"), v("b", ""), v("a", "level-1")), nil); err != nil {
				return err
			}
			return tx.SaveTemplates(ctx, lender, clerk, []TemplateRow{{"T1", 3, []byte("one")}, {"T2", 4, []byte("two")}}, nil)
		})
		update(t, db, func(ctx context.Context, tx *Tx) error {
			if err := tx.SaveVerdicts(ctx, lender, clerk, []VerdictRow{v("b", "level-2")}, []string{"m000", "nobody"}); err != nil {
				return err
			}
			return tx.SaveTemplates(ctx, lender, clerk, []TemplateRow{{"T2", 5, []byte("zwei")}}, []string{"T1"})
		})
		view(t, db, func(ctx context.Context, tx *Tx) error {
			all, err := tx.Verdicts(ctx, lender, "", 0)
			if err != nil || len(all) != 131 {
				t.Errorf("Verdicts = %d, %v; want 131", len(all), err)
			}
			page, err := tx.Verdicts(ctx, lender, "a", 1)
			if d := cmp.Diff([]VerdictRow{v("b", "level-2")}, page); err != nil || d != "" {
				t.Errorf("Verdicts: %v (-want +got):\n%s", err, d)
			}
			one, err := tx.Verdict(ctx, lender, "a")
			if d := cmp.Diff(v("a", "level-1"), one); err != nil || d != "" {
				t.Errorf("Verdict: %v (-want +got):\n%s", err, d)
			}
			if _, err = tx.Verdict(ctx, lender, "m000"); !errors.Is(err, bonafide.NotFound) {
				t.Errorf("a dropped verdict: %v", err)
			}
			templates, err := tx.Templates(ctx, lender, "", 0)
			if d := cmp.Diff([]TemplateRow{{"T2", 5, []byte("zwei")}}, templates); err != nil || d != "" {
				t.Errorf("Templates: %v (-want +got):\n%s", err, d)
			}
			if _, err = tx.Template(ctx, lender, "T1"); !errors.Is(err, bonafide.NotFound) {
				t.Errorf("a dropped template: %v", err)
			}
			one2, err := tx.Template(ctx, lender, "T2")
			if err != nil || string(one2.Body) != "zwei" {
				t.Errorf("Template = %+v, %v", one2, err)
			}
			return nil
		})
		if n := verified(t, db); n != 1+4 {
			t.Errorf("%d entries, want 5", n)
		}
	})
}

// Whatever calls the store, level 1 is confirmed by two different people since anything
// else was decided.
func TestLevelOneTakesTwo(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		for decisions, ok := range map[string]bool{
			``: false, `[]`: false,
			`[{"verb":"confirm","by":"a"}]`:                                                        false,
			`[{"verb":"confirm","by":"a"},{"verb":"confirm","by":"a"}]`:                            false,
			`[{"verb":"confirm","by":"a"},{"verb":"reopen","by":"c"},{"verb":"confirm","by":"b"}]`: false,
			`[{"verb":"confirm","by":"a"},{"verb":"confirm","by":""}]`:                             false,
			`[{"verb":"confirm","by":"a"},{"verb":"confirm","by":"b"}]`:                            true,
		} {
			body := `{}`
			if decisions != "" {
				body = `{"decisions":` + decisions + `}`
			}
			row := RingRow{ID: "R", State: "confirmed", Level: "level-1", Members: []string{"c"}, Body: []byte(body)}
			err := db.Update(t.Context(), func(tx *Tx) error { return tx.SaveRings(t.Context(), lender, clerk, []RingRow{row}) })
			if ok && err != nil || !ok && !errors.Is(err, bonafide.Denied) {
				t.Errorf("%s: %v", decisions, err)
			}
		}
	})
}
