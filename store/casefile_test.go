package store

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bonafide"
	"bonafide/evidence"
)

// lenderCase is a case about a ring and two complaints, under hold.
func lenderCase(id string, number int) CaseRow {
	return CaseRow{Case: bonafide.Case{
		ID: id, Number: number, Title: "One letter, many names", Stage: bonafide.StageClue, Begun: start, Since: start,
		Rings: []string{"R1"}, Complaints: []string{"c1"}, Hold: true, Parties: []bonafide.Party{{ID: "p", Role: bonafide.RoleAgent, Name: "Canary Agency"}},
	}, Amounts: map[string]int64{"CNY": 1200}}
}

func evidenceItem(id, complaint string) ItemRow {
	return ItemRow{
		Item:    bonafide.Item{ID: id, Case: "F1", Name: "canary-name.pdf", Complaint: complaint, SHA256: strings.Repeat("0a", 32), SM3: strings.Repeat("0b", 32), Size: 7, Stored: start},
		Address: strings.Repeat("0c", 32), Key: [32]byte{1, 2, 3},
	}
}

func TestCaseIsKeptSealedWithItsHistory(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		ctx := t.Context()
		c := lenderCase("F1", 1)
		first := bonafide.CaseStep{At: start, By: clerk.ID, What: "begin", To: bonafide.StageClue, Reason: "canary reason"}
		must(t, db.Update(ctx, func(tx *Tx) error { return tx.SaveCase(ctx, lender, clerk, c, first) }))
		next := c
		next.Version, next.Stage, next.Rings = 2, bonafide.StageOpened, []string{"R2"}
		second := bonafide.CaseStep{At: start, By: clerk.ID, What: "open", From: bonafide.StageClue, To: bonafide.StageOpened}
		must(t, db.Update(ctx, func(tx *Tx) error { return tx.SaveCase(ctx, lender, clerk, next, second) }))
		err := db.Update(ctx, func(tx *Tx) error { return tx.SaveCase(ctx, lender, clerk, next, second) })
		if !errors.Is(err, bonafide.Conflict) {
			t.Errorf("stored over a version that is no longer there: %v", err)
		}
		must(t, db.View(ctx, func(tx *Tx) error {
			got, err := tx.Case(ctx, lender, "F1")
			if d := cmp.Diff(next, got); err != nil || d != "" {
				t.Errorf("%v %s", err, d)
			}
			steps, err := tx.CaseSteps(ctx, lender, "F1")
			first.N, second.N = 1, 2
			if d := cmp.Diff([]bonafide.CaseStep{first, second}, steps); err != nil || d != "" {
				t.Errorf("%v %s", err, d)
			}
			of, err := tx.CasesOf(ctx, lender, "ring", "R2")
			old, err2 := tx.CasesOf(ctx, lender, "ring", "R1")
			if len(of) != 1 || len(old) != 0 || err != nil || err2 != nil {
				t.Errorf("cases of R2: %v, of R1: %v, %v %v", of, old, err, err2)
			}
			other, err := tx.Cases(ctx, "other", CaseFilter{})
			if len(other) != 0 {
				t.Errorf("another tenant sees %d cases, %v", len(other), err)
			}
			return nil
		}))
	})
}

func TestCustodyHasNoGaps(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		ctx := t.Context()
		must(t, db.Update(ctx, func(tx *Tx) error {
			if err := tx.SaveCase(ctx, lender, clerk, lenderCase("F1", 1), bonafide.CaseStep{What: "begin"}); err != nil {
				return err
			}
			if err := tx.SaveCase(ctx, lender, clerk, lenderCase("F2", 2), bonafide.CaseStep{What: "begin"}); err != nil {
				return err
			}
			_, err := tx.AddItem(ctx, lender, clerk, evidenceItem("i1", ""))
			_, err2 := tx.AddItem(ctx, lender, clerk, evidenceItem("i2", ""))
			_, err3 := tx.Custody(ctx, lender, clerk, "i1", "read", map[string]any{"purpose": "review"})
			return errors.Join(err, err2, err3, tx.MoveItems(ctx, lender, clerk, "F1", "F2"))
		}))
		must(t, db.View(ctx, func(tx *Tx) error {
			items, err := tx.Items(ctx, lender, "F2")
			if err != nil || len(items) != 2 || items[0].Name != "canary-name.pdf" || items[0].Key[1] != 2 || items[0].Custody != 3 || items[1].Number != 2 {
				t.Fatalf("items %+v %v", items, err)
			}
			log, err := tx.CustodyOf(ctx, lender, []string{"i1", "i2"}, 0)
			n := map[string]int{}
			for _, e := range log {
				n[e.Item]++
				if e.N != n[e.Item] {
					t.Errorf("entry %d of %s stands where %d should", e.N, e.Item, n[e.Item])
				}
				parsed, err := evidence.ParseEntry(e.Data)
				if err != nil || parsed.Target != "item:"+e.Item {
					t.Errorf("%+v %v", parsed, err)
				}
			}
			if n["i1"] != 3 || n["i2"] != 2 {
				t.Errorf("custody %v, %v", n, err)
			}
			return err
		}))
	})
}

func TestHeldBy(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		ctx := t.Context()
		cs := complaints(0, 4, 10, 10, 10)
		for i := range cs {
			cs[i].Subject = "s" + string(rune('0'+i))
		}
		c := lenderCase("F1", 7)
		c.Complaints = []string{cs[0].ID}
		must(t, db.Update(ctx, func(tx *Tx) error {
			_, err := tx.AddComplaints(ctx, lender, clerk, cs)
			return errors.Join(err, tx.SaveRings(ctx, lender, clerk, []RingRow{{ID: "R1", Members: []string{cs[1].ID}, Updated: start}}),
				tx.SaveCase(ctx, lender, clerk, c, bonafide.CaseStep{What: "begin"}))
		}))
		must(t, db.Update(ctx, func(tx *Tx) error {
			_, err := tx.AddItem(ctx, lender, clerk, evidenceItem("i1", cs[2].ID))
			return err
		}))
		held := func(subject string) []int {
			var out []int
			must(t, db.View(ctx, func(tx *Tx) (err error) { out, err = tx.Held(ctx, lender, subject); return err }))
			return out
		}
		for i, want := range []int{1, 1, 1, 0} { // named, a member, an item's, nothing
			if got := len(held(cs[i].Subject)); got != want {
				t.Errorf("complaint %d: held by %d cases, want %d", i, got, want)
			}
		}
		c.Version, c.Complaints, c.Rings, c.Held = 2, nil, nil, []string{cs[0].Subject}
		must(t, db.Update(ctx, func(tx *Tx) error { return tx.SaveCase(ctx, lender, clerk, c, bonafide.CaseStep{What: "unlink"}) }))
		if got := held(cs[0].Subject); len(got) != 1 {
			t.Error("taken out of the case, their data can be erased under its hold")
		}
		c.Version, c.Hold, c.Held = 3, false, nil
		must(t, db.Update(ctx, func(tx *Tx) error { return tx.SaveCase(ctx, lender, clerk, c, bonafide.CaseStep{What: "lift-hold"}) }))
		if got := held(cs[0].Subject); len(got) != 0 {
			t.Errorf("still held by %v", got)
		}
	})
}

func TestErasedItemKeepsItsDigests(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		ctx := t.Context()
		cs := complaints(0, 1, 10, 10, 10)
		cs[0].Subject = "s"
		must(t, db.Update(ctx, func(tx *Tx) error { _, err := tx.AddComplaints(ctx, lender, clerk, cs); return err }))
		must(t, db.Update(ctx, func(tx *Tx) error {
			_, err := tx.AddItem(ctx, lender, clerk, evidenceItem("i1", cs[0].ID))
			return err
		}))
		var addresses []string
		must(t, db.Update(ctx, func(tx *Tx) (err error) {
			if addresses, err = tx.AddressesOf(ctx, lender, "s"); err != nil {
				return err
			}
			return tx.Erase(ctx, lender, clerk, "s", "asked")
		}))
		must(t, db.View(ctx, func(tx *Tx) error {
			i, err := tx.Item(ctx, lender, "i1")
			if err != nil || !i.Erased || i.Name != "" || i.Key != [32]byte{} || i.SHA256 != strings.Repeat("0a", 32) || i.Custody != 2 {
				t.Errorf("%+v %v", i, err)
			}
			still, err := tx.Addressed(ctx, addresses[0])
			if still || err != nil {
				t.Errorf("its content is still somebody's: %v", err)
			}
			return nil
		}))
		rep, err := db.VerifyLog(context.WithoutCancel(ctx), lender, "", nil)
		if err != nil || rep.Problem != nil {
			t.Errorf("%+v %v", rep, err)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
