package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bonafide"
	"bonafide/internal/testdb"
)

// fill puts something into every table.
func fill(t testing.TB, db *DB) {
	t.Helper()
	update(t, db, func(ctx context.Context, tx *Tx) error {
		cs := complaints(1, 70, 200, 100, 50)
		cs[0].Screening, cs[1].Subject = nil, "alice"
		cs[2].Key = &Answer{Key: "k", Expires: start.Add(time.Hour)}
		_, err := tx.AddComplaints(ctx, lender, clerk, cs)
		for i := range 2 {
			_, err2 := tx.PutRecords(ctx, lender, clerk, []NewRecord{{Kind: "contract", ID: "K", Subject: "bob", Digest: []byte{byte(i)}, Body: []byte("x")}})
			err = errors.Join(err, err2)
		}
		skey, _, err2 := tx.SigningKey(ctx)
		err = errors.Join(err, err2,
			tx.SaveVerdicts(ctx, lender, clerk, []VerdictRow{{Complaint: "C", Body: []byte("{}")}}, nil),
			tx.SaveTemplates(ctx, lender, clerk, []TemplateRow{{ID: "T", Body: []byte("{}")}}, nil),
			tx.SaveRings(ctx, lender, clerk, []RingRow{{ID: "R", Found: true, Members: []string{"a", "b"}, Body: []byte{}}}),
			tx.PutApart(ctx, lender, clerk, "a", "b", "客诉"),
			tx.PutTags(ctx, lender, clerk, []bonafide.Tag{tag("T", bonafide.OnRing, "R")}),
			tx.AddKey(ctx, lender, clerk, APIKey{ID: "K", Hash: []byte{0, 255}}),
			tx.AddPerson(ctx, chief, someone("P", "alice"), "$argon2id$x"),
			tx.AddPasskey(ctx, lender, someone("P", "").Actor(), Passkey{ID: "K", Person: "P", Credential: []byte("c"), Data: []byte("{}")}),
			tx.AddSession(ctx, someone("P", "").Actor(), Session{Hash: []byte("h"), Tenant: lender, Person: "P", Started: start}),
			tx.AddWebhook(ctx, lender, clerk, Webhook{ID: "W", Secret: []byte("s"), Events: []string{string(bonafide.RingFormed)}}),
			tx.Emit(ctx, lender, bonafide.Event{Type: bonafide.RingFormed, At: start, Target: bonafide.Target{Kind: bonafide.OnRing, ID: "R"}}),
			tx.PutDelivery(ctx, lender, Delivery{ID: "D", Webhook: "W", State: DeliveryReady}),
			tx.Erase(ctx, lender, clerk, "alice", "asked"),
			checkpoint(ctx, tx, skey))
		track, err2a := tx.Track(ctx, lender, cs[5].ID)
		track.Version++
		err = errors.Join(err, err2a, tx.SaveTrack(ctx, lender, clerk, track, "note", []byte("{}")),
			tx.SaveAppeal(ctx, lender, clerk, AppealRow{ID: "A", Complaint: cs[5].ID, State: AppealOpen, Filed: start, Body: []byte("{}")}),
			tx.SaveAppeal(ctx, lender, clerk, AppealRow{ID: "A", Complaint: cs[5].ID, State: AppealUpheld, Decided: start, Body: []byte("{}")}),
			tx.SavePolicy(ctx, lender, clerk, PolicyRow{ID: "P", State: PolicyDraft, Version: 1, Body: []byte("{}")}, "drafted"),
			tx.PutPublicLetter(ctx, lender, clerk, PublicLetter{ID: "L", At: start, Body: []byte("a\nb")}),
			tx.AddImport(ctx, lender, clerk, ImportRow{ID: "I", State: ImportOpen, At: start, Body: []byte("{}")}, [][]byte{[]byte("id,text")}),
			tx.AddQuarantine(ctx, lender, clerk, []QuarantineRow{{ID: "Q", State: QuarantineOpen, At: start, Body: []byte("{}")}}),
			tx.PutFilter(ctx, lender, clerk, "P", Filter{"mine", "view=mine"}), tx.PutSetting(ctx, lender, clerk, "retention", "365"))
		err = errors.Join(err,
			tx.SaveSheet(ctx, lender, clerk, SheetRow{Kind: SheetContact, ID: "S", Complaint: cs[5].ID, State: "open", At: start, Body: []byte("{}")}, "begun"),
			tx.AddConfirmation(ctx, lender, clerk, Confirmation{Hash: []byte("h"), Sheet: "S", Way: bonafide.ByEmail, Code: []byte("c"), Made: start, Expires: start}),
			tx.SaveMerit(ctx, lender, clerk, []MeritRow{{Complaint: cs[5].ID, At: start, Found: "[]", Body: []byte("{}")}}),
			tx.SaveKnown(ctx, lender, clerk, KnownRow{Complaint: cs[5].ID, At: start, Body: []byte("{}")}),
			tx.SaveIncidents(ctx, lender, clerk, []IncidentRow{{ID: "I", Rule: "night-call", Began: start, At: start, Body: "{}"}}),
			tx.SaveModel(ctx, lender, clerk, ModelRow{ID: "M", State: ModelDraft, Author: clerk.ID, At: start, Body: "{}"}, "learned"),
			tx.SaveDetector(ctx, lender, clerk, Detector{Name: "phone", Off: true, At: start, Reason: "x"}))
		digest := strings.Repeat("ab", 32)
		_, err4 := tx.AddItem(ctx, lender, clerk, ItemRow{Item: bonafide.Item{ID: "i", Case: "F", SHA256: digest, SM3: digest, Stored: start}, Address: digest})
		_, err5 := tx.AddSeal(ctx, lender, clerk, Seal{Case: "F", Variant: "police", Number: 1, At: start, Manifest: make([]byte, 32), Address: "x", Subjects: []string{"s"}}, nil, signed(ctx, tx))
		err = errors.Join(err, err4, err5, tx.AddStamp(ctx, lender, clerk, Stamp{Size: 1, At: start, Token: []byte("x")}),
			tx.SaveCase(ctx, lender, clerk, CaseRow{Case: bonafide.Case{ID: "F", Number: 1, Begun: start, Since: start, Rings: []string{"R"}, Hold: true}, Held: []string{"s"}}, bonafide.CaseStep{At: start, What: "begin"}))
		_, _, err2 = tx.LeadCursor(ctx, lender, "kafka", "w", start, time.Minute)
		_, err3 := tx.ReserveTry(ctx, "person:P", start, func(int) time.Duration { return 0 })
		return errors.Join(err, err2, err3)
	})
}

func TestBackup(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		fill(t, db)
		want := dump(t, db)
		for _, tb := range tables {
			if len(want[tb.name]) == 0 {
				t.Errorf("nothing in %s: the test copies nothing of it", tb.name)
			}
		}
		path := t.TempDir() + "/backup of today.db"
		if err := db.Backup(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		if err := db.Backup(t.Context(), path); !errors.Is(err, bonafide.Conflict) {
			t.Errorf("a backup over another: %v", err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the backup: %v, %v", info, err)
		}
		if _, err := os.Stat(path + ".part"); !errors.Is(err, os.ErrNotExist) {
			t.Error("something is left beside the backup")
		}
		o, _ := testOptions(9)
		backup, err := Open(t.Context(), path, o)
		if err != nil {
			t.Fatal(err)
		}
		defer backup.Close()
		if d := cmp.Diff(want, dump(t, backup)); d != "" {
			t.Errorf("the backup (-want +got):\n%s", d)
		}
		verified(t, backup)
		// And back again: into a database of either kind.
		eachURL(t, func(t *testing.T, url string) {
			to, err := Open(t.Context(), url, o)
			if err != nil {
				t.Fatal(err)
			}
			defer to.Close()
			if err := Copy(t.Context(), backup, to); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, dump(t, to)); d != "" {
				t.Errorf("restored (-want +got):\n%s", d)
			}
			verified(t, to)
			if err := Copy(t.Context(), backup, to); !errors.Is(err, bonafide.Conflict) {
				t.Errorf("a copy into what is not empty: %v", err)
			}
			update(t, to, func(ctx context.Context, tx *Tx) error {
				_, err := tx.AddComplaints(ctx, lender, clerk, complaints(500, 3, 10, 10, 10))
				return err
			})
			verified(t, to)
		})
	})
}

// While complaints keep coming in, a backup is of one moment: its log verifies and
// its counts agree.
func TestBackupUnderLoad(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for w := range 2 {
			wg.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					err := db.Update(t.Context(), func(tx *Tx) error {
						_, err := tx.AddComplaints(t.Context(), lender, clerk, complaints((w*100_000+i)*8, 8, 300, 200, 50))
						return err
					})
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		o, _ := testOptions(9)
		var last int64
		for i := range 3 {
			path := fmt.Sprintf("%s/%d.db", t.TempDir(), i)
			if err := db.Backup(t.Context(), path); err != nil {
				t.Fatal(err)
			}
			backup, err := Open(t.Context(), path, o)
			if err != nil {
				t.Fatal(err)
			}
			n := verified(t, backup)
			view(t, backup, func(ctx context.Context, tx *Tx) error {
				count, err := tx.CountComplaints(ctx, lender)
				if err != nil {
					return err
				}
				traces, err := tx.Traces(ctx, lender, 0, 0)
				if err != nil || int64(len(traces)) != count || n != 1+count {
					t.Errorf("%d entries, %d complaints, %d traces, %v", n, count, len(traces), err)
				}
				return nil
			})
			if n < last {
				t.Errorf("a later backup has %d entries, an earlier one %d", n, last)
			}
			last = n
			if err := backup.Close(); err != nil {
				t.Error(err)
			}
		}
		close(stop)
		wg.Wait()
		if verified(t, db) <= last {
			t.Error("nothing came in during the backup: the test shows nothing")
		}
	})
}

func TestCopyRefuses(t *testing.T) {
	from, _ := openTest(t, testdb.SQLite(t))
	o, _ := testOptions(2)
	o.RootKey = []byte("ffffffffffffffffffffffffffffffff")
	to, err := Open(t.Context(), testdb.SQLite(t), o)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	if err := Copy(t.Context(), from, to); !errors.Is(err, bonafide.Denied) {
		t.Errorf("another root key: %v", err)
	}
	if err := Copy(t.Context(), from, from); !errors.Is(err, bonafide.Conflict) {
		t.Errorf("into itself: %v", err)
	}
}

// A copy that was broken off is not taken for a database.
func TestBrokenCopyIsRefused(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		from, _ := openTest(t, testdb.SQLite(t))
		fill(t, from)
		o, _ := testOptions(2)
		to, err := Open(t.Context(), url, o)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		err = from.View(ctx, func(tx *Tx) error {
			if err := to.prepareCopy(ctx, tx); err != nil {
				return err
			}
			for _, tb := range tables {
				if n++; n == 5 {
					cancel()
				}
				if err := tx.copyTable(ctx, tb, to); err != nil {
					return err
				}
			}
			return nil
		})
		cancel()
		if err == nil {
			t.Fatal("the copy was not broken off")
		}
		if err := to.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), url, o); !errors.Is(err, bonafide.Conflict) {
			t.Errorf("Open of half a copy: %v", err)
		}
	})
}
