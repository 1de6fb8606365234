package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"bonafide"
	"bonafide/internal/testdb"
)

func TestErase(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		cs := complaints(1, 4, 20, 20, 20)
		cs[0].Subject, cs[2].Subject = "alice", "alice"
		rec := NewRecord{Kind: "contract", ID: "K1", Subject: "alice", Digest: []byte("d1"), Body: []byte("body 1")}
		update(t, db, func(ctx context.Context, tx *Tx) error {
			if _, err := tx.AddComplaints(ctx, lender, clerk, cs); err != nil {
				return err
			}
			if _, err := tx.PutRecords(ctx, lender, clerk, []NewRecord{rec}); err != nil {
				return err
			}
			rec.Digest = []byte("d2")
			_, err := tx.PutRecords(ctx, lender, clerk, []NewRecord{rec})
			return err
		})
		erase := func(subject string) error {
			return db.Update(t.Context(), func(tx *Tx) error { return tx.Erase(t.Context(), lender, clerk, subject, "asked for it") })
		}
		if err := erase("alice"); err != nil {
			t.Fatal(err)
		}
		for _, gone := range []string{"alice", "nobody"} {
			if err := erase(gone); !errors.Is(err, bonafide.NotFound) {
				t.Errorf("erase %s: %v, want not found", gone, err)
			}
		}
		check := func() {
			t.Helper()
			view(t, db, func(ctx context.Context, tx *Tx) error {
				for i := range 4 {
					row, err := tx.Complaint(ctx, lender, cs[i].ID)
					if i%2 == 1 {
						if err != nil || !bytes.Equal(row.Body, cs[i].Body) {
							t.Errorf("complaint %d of somebody else: %v", i, err)
						}
						continue
					}
					if !errors.Is(err, bonafide.NotFound) || !strings.Contains(err.Error(), "erased") || row.Body != nil || row.ID != cs[i].ID || row.State != ComplaintErased {
						t.Errorf("complaint %d: %+v, %v; want the row without body", i, row, err)
					}
				}
				return nil
			})
		}
		check()
		view(t, db, func(ctx context.Context, tx *Tx) error {
			traces, err := tx.Traces(ctx, lender, 0, 0)
			if err != nil || len(traces) != 2 || traces[0].Seq != 2 || traces[1].Seq != 4 {
				t.Errorf("Traces = %v, %v; want those of 2 and 4", traces, err)
			}
			if _, err := tx.OneRecord(ctx, lender, "contract", "K1"); !errors.Is(err, bonafide.NotFound) || !strings.Contains(err.Error(), "erased") {
				t.Errorf("OneRecord: %v", err)
			}
			rs, err := tx.Records(ctx, lender, "contract", "", 0)
			if err != nil || len(rs) != 0 {
				t.Errorf("Records = %v, %v", rs, err)
			}
			old, err := tx.RecordVersions(ctx, lender, "contract", "K1")
			if err != nil || len(old) != 0 {
				t.Errorf("RecordVersions = %v, %v", old, err)
			}
			return nil
		})
		// Who comes back gets a new key: what is new opens, what was erased does not.
		back := complaints(10, 1, 20, 20, 20)
		back[0].Subject = "alice"
		var status []bonafide.PutStatus
		update(t, db, func(ctx context.Context, tx *Tx) (err error) {
			if _, err = tx.AddComplaints(ctx, lender, clerk, back); err != nil {
				return err
			}
			status, err = tx.PutRecords(ctx, lender, clerk, []NewRecord{rec})
			return err
		})
		if d := cmp.Diff([]bonafide.PutStatus{bonafide.PutUpdated}, status); d != "" {
			t.Errorf("an erased record handed in again (-want +got):\n%s", d)
		}
		check()
		view(t, db, func(ctx context.Context, tx *Tx) error {
			row, err := tx.Complaint(ctx, lender, back[0].ID)
			if err != nil || !bytes.Equal(row.Body, back[0].Body) {
				t.Errorf("the new complaint: %v", err)
			}
			traces, err := tx.Traces(ctx, lender, 0, 0)
			if err != nil || len(traces) != 3 {
				t.Errorf("Traces = %v, %v; want three", traces, err)
			}
			r, err := tx.OneRecord(ctx, lender, "contract", "K1")
			if err != nil || string(r.Body) != "body 1" {
				t.Errorf("the record handed in again: %+v, %v", r, err)
			}
			return nil
		})
		if err := erase("alice"); err != nil {
			t.Errorf("erase again: %v", err)
		}
		verified(t, db)
	})
}

// After an erasure neither the wrapped key nor anything sealed under it is in the
// SQLite file or beside it.
func TestEraseLeavesNothingInTheFile(t *testing.T) {
	path := testdb.SQLite(t)
	db, _ := openTest(t, path)
	cs := complaints(1, 40, 3000, 2000, 20)
	for i := range cs {
		cs[i].Subject = []string{"alice", "bob"}[i%2]
	}
	update(t, db, func(ctx context.Context, tx *Tx) error {
		_, err := tx.AddComplaints(ctx, lender, clerk, cs)
		return err
	})
	secrets := func(subject string) (all [][]byte) {
		view(t, db, func(ctx context.Context, tx *Tx) error {
			return tx.each(ctx, `SELECT key FROM subject WHERE tenant = $1 AND id = $2
				UNION ALL SELECT body FROM complaint WHERE tenant = $1 AND subject = $2
				UNION ALL SELECT body FROM trace WHERE tenant = $1 AND subject = $2`, func(r row) error {
				var b []byte
				err := r.Scan(&b)
				all = append(all, b)
				return err
			}, string(lender), subject)
		})
		return all
	}
	alice, bob := secrets("alice"), secrets("bob")
	if len(alice) != 41 || len(bob) != 41 {
		t.Fatalf("%d and %d secrets, want 41 of each", len(alice), len(bob))
	}
	found := func(secrets [][]byte) (n int) {
		var all []byte
		for _, suffix := range []string{"", "-wal"} {
			b, err := os.ReadFile(path + suffix)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, b...)
		}
		for _, s := range secrets {
			if bytes.Contains(all, s[:24]) { // a long one is cut over pages
				n++
			}
		}
		return n
	}
	if n := found(alice); n != 41 {
		t.Fatalf("before: %d of 41 found in the file: the test looks in the wrong place", n)
	}
	update(t, db, func(ctx context.Context, tx *Tx) error { return tx.Erase(ctx, lender, clerk, "alice", "asked for it") })
	if n := found(alice); n != 0 {
		t.Errorf("%d of 41 still in the file", n)
	}
	if n := found(bob); n != 41 {
		t.Errorf("%d of 41 of somebody else in the file", n)
	}
}

// Nothing clear stands in any table.
func TestNothingClearAtRest(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		const canary = "canary-of-a-person"
		c := complaints(1, 1, 1, 1, 10)[0]
		c.Body, c.Trace = []byte("body "+canary), []byte("trace "+canary)
		update(t, db, func(ctx context.Context, tx *Tx) error {
			if _, err := tx.AddComplaints(ctx, lender, clerk, []NewComplaint{c}); err != nil {
				return err
			}
			for i := range 2 {
				if _, err := tx.PutRecords(ctx, lender, clerk, []NewRecord{{Kind: "customer", ID: "1", Digest: []byte{byte(i)}, Body: []byte(canary)}}); err != nil {
					return err
				}
			}
			if err := tx.SaveTemplates(ctx, lender, clerk, []TemplateRow{{ID: "T", Body: []byte(canary)}}, nil); err != nil {
				return err
			}
			return tx.AddWebhook(ctx, lender, clerk, Webhook{ID: "W", URL: "https://example.org", Secret: []byte(canary)})
		})
		secret := ""
		view(t, db, func(ctx context.Context, tx *Tx) error {
			b, err := tx.Secret(ctx, lender)
			secret = string(b)
			return err
		})
		rows := 0
		for _, tb := range tables {
			view(t, db, func(ctx context.Context, tx *Tx) error {
				return tx.each(ctx, `SELECT `+names(tb.cols)+` FROM `+tb.name, func(r row) error {
					values, _, err := tb.scan(r)
					for _, v := range values {
						b, _ := v.([]byte)
						s, _ := v.(string)
						for _, plain := range []string{canary, secret, string(testID)} {
							if strings.Contains(string(b)+s, plain) {
								t.Errorf("%s has something clear", tb.name)
							}
						}
					}
					rows++
					return err
				})
			})
		}
		if rows < 15 {
			t.Errorf("%d rows searched", rows)
		}
	})
}

func TestSealer(t *testing.T) {
	o, _ := testOptions(1)
	s, err := newSealer(testID)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 50 {
		plain := bytes.Repeat([]byte{'x'}, n)
		sealed, err := s.seal(o.Random, place("a", "b"), plain)
		if err != nil {
			t.Fatal(err)
		}
		if len(sealed) != 1+12+n+16 || sealed[0] != 1 {
			t.Errorf("%d bytes sealed are %d", n, len(sealed))
		}
		if got, err := s.open(place("a", "b"), sealed); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("open = %x, %v", got, err)
		}
		if _, err := s.open(place("a", "c"), sealed); !errors.Is(err, errSealed) {
			t.Errorf("opened in another place: %v", err)
		}
		for i := range sealed {
			damaged := bytes.Clone(sealed)
			damaged[i] ^= 1
			if _, err := s.open(place("a", "b"), damaged); !errors.Is(err, errSealed) {
				t.Errorf("opened with byte %d changed: %v", i, err)
			}
			if _, err := s.open(place("a", "b"), sealed[:i]); !errors.Is(err, errSealed) {
				t.Errorf("opened %d bytes of %d: %v", i, len(sealed), err)
			}
		}
	}
	for _, n := range []int{0, 16, 31, 33} {
		if _, err := newSealer(make([]byte, n)); err == nil {
			t.Errorf("a key of %d bytes was taken", n)
		}
	}
}
