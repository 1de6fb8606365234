package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"bonafide"
)

func TestUploadReadsItsPartsAndSaysWhereTheyAreGone(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		ctx := t.Context()
		parts := [][]byte{bytes.Repeat([]byte("a"), 1000), bytes.Repeat([]byte("b"), 500)}
		m := ImportRow{ID: "I", State: ImportRunning, Size: 1500, At: start, Body: []byte("{}")}
		update(t, db, func(_ context.Context, tx *Tx) error { return tx.AddImport(ctx, lender, clerk, m, parts) })
		got, err := io.ReadAll(db.Upload(ctx, lender, "I", 1500))
		if err != nil || !bytes.Equal(got, bytes.Join(parts, nil)) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		half := db.Upload(ctx, lender, "I", 1500)
		if _, err := io.ReadFull(half, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		m.State, m.Version = ImportStopped, 2
		update(t, db, func(_ context.Context, tx *Tx) error { return tx.SaveImport(ctx, lender, clerk, m) })
		// A file that is gone must never look like one that has ended.
		if _, err := io.ReadAll(half); !errors.Is(err, ErrUploadGone) {
			t.Errorf("reading on: %v", err)
		}
	})
}

func TestQuarantineKeepsARowOnce(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		ctx := t.Context()
		row := func(id, body string) QuarantineRow {
			return QuarantineRow{ID: id, Import: "I", State: QuarantineOpen, At: start, Body: []byte(body)}
		}
		update(t, db, func(_ context.Context, tx *Tx) error {
			return tx.AddQuarantine(ctx, lender, clerk, []QuarantineRow{row("I.1", "first")})
		})
		update(t, db, func(_ context.Context, tx *Tx) error {
			return tx.CloseQuarantine(ctx, lender, clerk, "I.1", QuarantineMended, "")
		})
		update(t, db, func(_ context.Context, tx *Tx) error {
			return tx.AddQuarantine(ctx, lender, clerk, []QuarantineRow{row("I.1", "again"), row("I.2", "second")})
		})
		update(t, db, func(_ context.Context, tx *Tx) error {
			return tx.AddQuarantine(ctx, lender, clerk, []QuarantineRow{row("I.2", "again")})
		})
		err := db.View(ctx, func(tx *Tx) error {
			open, err := tx.Quarantined(ctx, lender, QuarantineOpen, "I", "", 0)
			if len(open) != 1 || open[0].ID != "I.2" || open[0].Body != nil {
				t.Errorf("open: %+v", open)
			}
			one, oerr := tx.OneQuarantined(ctx, lender, "I.2")
			if string(one.Body) != "second" {
				t.Errorf("the row reads %q", one.Body)
			}
			return errors.Join(err, oerr)
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestStoredSinceAndPending(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		ctx := t.Context()
		update(t, db, func(_ context.Context, tx *Tx) error {
			return tx.Enqueue(ctx, Job{Tenant: lender, Kind: "import", Arg: "I", Due: start})
		})
		err := db.View(ctx, func(tx *Tx) error {
			n, err := tx.StoredSince(ctx, lender, []string{"none"}, time.Time{})
			yes, err1 := tx.Pending(ctx, lender, "import", "I")
			no, err2 := tx.Pending(ctx, lender, "import", "J")
			other, err3 := tx.Pending(ctx, bonafide.Tenant("other"), "import", "I")
			if n != 0 || !yes || no || other {
				t.Errorf("%d stored, pending %v %v %v", n, yes, no, other)
			}
			return errors.Join(err, err1, err2, err3)
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
