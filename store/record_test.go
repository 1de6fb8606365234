package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bonafide"
)

func TestPutRecords(t *testing.T) {
	each(t, func(t *testing.T, db *DB, c *clock) {
		put := func(want []bonafide.PutStatus, rs ...NewRecord) {
			t.Helper()
			var got []bonafide.PutStatus
			update(t, db, func(ctx context.Context, tx *Tx) (err error) {
				got, err = tx.PutRecords(ctx, lender, clerk, rs)
				return err
			})
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("PutRecords (-want +got):\n%s", d)
			}
		}
		rec := func(kind, id, body string) NewRecord {
			return NewRecord{Kind: kind, ID: id, Subject: "customer-a", At: start, Digest: []byte("digest of " + body), Body: []byte(body)}
		}
		const created, unchanged, updated = bonafide.PutCreated, bonafide.PutUnchanged, bonafide.PutUpdated
		put([]bonafide.PutStatus{created, created, created}, rec("contract", "K1", "one"), rec("call", "K1", "two"), rec("contract", "K2", "three"))
		before := verified(t, db)
		put([]bonafide.PutStatus{unchanged}, rec("contract", "K1", "one"))
		if n := verified(t, db); n != before {
			t.Errorf("a record that did not change left %d entries", n-before)
		}
		c.add(time.Hour)
		put([]bonafide.PutStatus{updated, unchanged}, rec("contract", "K1", "four"), rec("contract", "K2", "three"))
		// The same record more than once in a call: one after the other.
		put([]bonafide.PutStatus{updated, created, updated, unchanged, updated},
			rec("contract", "K1", "five"), rec("contract", "K9", "x"), rec("contract", "K1", "six"), rec("contract", "K1", "six"), rec("contract", "K9", ""))
		if n := verified(t, db); n != before+1+4 {
			t.Errorf("%d entries for 5 changes", n-before)
		}
		view(t, db, func(ctx context.Context, tx *Tx) error {
			got, err := tx.OneRecord(ctx, lender, "contract", "K1")
			want := RecordRow{Kind: "contract", ID: "K1", Subject: "customer-a", At: start, Stored: start.Add(time.Hour), Version: 4, Digest: []byte("digest of six"), Body: []byte("six")}
			if d := cmp.Diff(want, got); err != nil || d != "" {
				t.Errorf("OneRecord: %v (-want +got):\n%s", err, d)
			}
			old, err := tx.RecordVersions(ctx, lender, "contract", "K1")
			var bodies []string
			for _, r := range old {
				bodies = append(bodies, string(r.Body))
			}
			if d := cmp.Diff([]string{"one", "four", "five"}, bodies); err != nil || d != "" {
				t.Errorf("RecordVersions: %v (-want +got):\n%s", err, d)
			}
			page, err := tx.Records(ctx, lender, "contract", "K1", 1)
			if err != nil || len(page) != 1 || page[0].ID != "K2" {
				t.Errorf("Records behind K1 = %v, %v", page, err)
			}
			all, err := tx.Records(ctx, lender, "contract", "", 0)
			if err != nil || len(all) != 3 {
				t.Errorf("Records = %v, %v", all, err)
			}
			if _, err := tx.OneRecord(ctx, lender, "contract", "K7"); !errors.Is(err, bonafide.NotFound) {
				t.Errorf("a record that is not there: %v", err)
			}
			return nil
		})
		err := db.Update(t.Context(), func(tx *Tx) error {
			_, err := tx.PutRecords(t.Context(), lender, clerk, []NewRecord{{Kind: "contract"}})
			return err
		})
		if !errors.Is(err, bonafide.Invalid) {
			t.Errorf("a record without id: %v", err)
		}
	})
}
