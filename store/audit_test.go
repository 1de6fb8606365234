package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bonafide"
)

// An action calls one method of Tx with arguments that fit what is stored, or that
// do not.
type action func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error

func pick(r *rand.Rand, prefix string, n int) string { return fmt.Sprint(prefix, r.IntN(n)) }

func blob(r *rand.Rand) []byte { return fmt.Appendf(nil, `{"n":%d}`, r.IntN(5)) }

// logged are the methods that change what the log is about.
var loggedActions = map[string]action{
	"AddTenant": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.AddTenant(ctx, bonafide.Tenant(pick(r, "t", 4)), "x", clerk)
	},
	"AddComplaints": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		cs := complaints(r.IntN(60), 1+r.IntN(3), 10, 10, 10)
		cs[0].Subject = pick(r, "s", 3)
		if r.IntN(3) == 0 {
			cs[0].Screening = nil
		}
		if r.IntN(3) == 0 {
			cs[0].Key = &Answer{Key: pick(r, "k", 9), Expires: now.Add(time.Duration(r.IntN(60)) * time.Minute)}
		}
		_, err := tx.AddComplaints(ctx, lender, clerk, cs)
		return err
	},
	"PutScreening": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.PutScreening(ctx, lender, clerk, pick(r, "c", 4), 1, blob(r))
	},
	"PutRecords": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		var rs []NewRecord
		for range 1 + r.IntN(4) {
			rs = append(rs, NewRecord{Kind: pick(r, "kind", 2), ID: pick(r, "r", 5), Subject: pick(r, "s", 3), Digest: blob(r), Body: blob(r)})
		}
		_, err := tx.PutRecords(ctx, lender, clerk, rs)
		return err
	},
	"Erase": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.Erase(ctx, lender, clerk, pick(r, "s", 4), "asked")
	},
	"SaveVerdicts": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.SaveVerdicts(ctx, lender, clerk, []VerdictRow{{Complaint: pick(r, "c", 5), Body: blob(r)}}, []string{pick(r, "c", 5)})
	},
	"SaveTemplates": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.SaveTemplates(ctx, lender, clerk, []TemplateRow{{ID: pick(r, "T", 3), Body: blob(r)}}, []string{pick(r, "T", 3)})
	},
	"SaveRings": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.SaveRings(ctx, lender, clerk, []RingRow{{ID: pick(r, "R", 3), Members: []string{pick(r, "c", 5), pick(r, "c", 5)}, Updated: now}, {ID: pick(r, "Q", 3)}})
	},
	"PutApart": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.PutApart(ctx, lender, clerk, pick(r, "c", 4), pick(r, "c", 4), "x")
	},
	"RemoveApart": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.RemoveApart(ctx, lender, clerk, pick(r, "c", 4), pick(r, "c", 4), "x")
	},
	"PutTags": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		g := tag(pick(r, "g", 12), bonafide.OnCustomer, pick(r, "c", 4))
		g.Expires = now.Add(time.Duration(r.IntN(90)) * time.Minute)
		return tx.PutTags(ctx, lender, clerk, []bonafide.Tag{g})
	},
	"RenewTag": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.RenewTag(ctx, lender, clerk, pick(r, "g", 12), now.Add(time.Hour), "still")
	},
	"RemoveTags": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.RemoveTags(ctx, lender, clerk, []string{pick(r, "g", 12), pick(r, "g", 12)}, "why")
	},
	"ExpireTags": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		_, err := tx.ExpireTags(ctx, now, 1+r.IntN(3))
		return err
	},
	"AddKey": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.AddKey(ctx, lender, clerk, APIKey{ID: pick(r, "K", 6), Hash: blob(r)})
	},
	"RevokeKey": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.RevokeKey(ctx, lender, clerk, pick(r, "K", 6), now)
	},
	"AddWebhook": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.AddWebhook(ctx, lender, clerk, Webhook{ID: pick(r, "W", 4), Events: []string{"tag.created"}})
	},
	"DisableWebhook": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.DisableWebhook(ctx, lender, clerk, pick(r, "W", 4), now, "x")
	},
	"RemoveWebhook": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.RemoveWebhook(ctx, lender, clerk, pick(r, "W", 4))
	},
	"Record": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.Record(ctx, lender, clerk, "looked.up", "complaint:"+pick(r, "c", 4), nil)
	},
}

// machinery are the methods whose changes follow from logged ones.
var machineryActions = map[string]action{
	"Emit": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.Emit(ctx, lender, bonafide.Event{Type: bonafide.TagCreated, At: now, Count: r.IntN(4)})
	},
	"Enqueue": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.Enqueue(ctx, Job{Tenant: lender, Kind: "screen", Arg: pick(r, "", 5), Due: now})
	},
	"Finish": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.Finish(ctx, Job{ID: pick(r, "", 5)}, "w")
	},
	"PutAnswer": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.PutAnswer(ctx, lender, clerk.ID, Answer{Key: pick(r, "k", 9), Expires: now.Add(time.Hour)})
	},
	"PutDelivery": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.PutDelivery(ctx, lender, Delivery{ID: pick(r, "D", 5), Webhook: pick(r, "W", 4), Due: now})
	},
	"AddCheckpoint": func(ctx context.Context, tx *Tx, _ *rand.Rand, _ time.Time) error {
		skey, _, err := tx.SigningKey(ctx)
		if err != nil {
			return err
		}
		return checkpoint(ctx, tx, skey)
	},
	"LeadCursor": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		_, _, err := tx.LeadCursor(ctx, lender, "kafka", pick(r, "w", 2), now, time.Minute)
		return err
	},
	"MoveCursor": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.MoveCursor(ctx, lender, "kafka", pick(r, "w", 2), int64(r.IntN(9)))
	},
}

// readers are the methods that change nothing.
var readers = []string{
	"Leased",
	"Answer", "AllTraces", "Aparts", "Checkpoints", "Complaint", "Complaints", "ComplaintsOf", "CountComplaints", "CountEvents", "Deliveries", "Delivery",
	"Entries", "Events", "Hashes", "Jobs", "KeyByHash", "Keys", "Known", "Lock", "LogRow", "LogTree", "OneRecord", "RecordVersions", "Records", "Ring",
	"RingEvents", "Rings", "RingsOf", "Secret", "SigningKey", "SubjectOf", "Tag", "Tags", "TagsOn", "Template", "Templates", "Tenants", "Traces", "Verdict",
	"Verdicts", "Webhook", "Webhooks",
}

// machineTables hold no more than what follows from changes that are logged.
var machineTables = []string{"meta", "head", "entry", "event", "checkpoint", "job", "answer", "delivery", "reader"}

// Whoever adds a method says here what it does to the log.
func TestEveryMethodIsKnown(t *testing.T) {
	var got []string
	for m := range reflect.TypeFor[*Tx]().Methods() {
		got = append(got, m.Name)
	}
	want := slices.Concat(readers, slices.Collect(maps.Keys(loggedActions)), slices.Collect(maps.Keys(machineryActions)))
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("methods of Tx, those of readers, loggedActions and machineryActions (-want +got):\n%s", d)
	}
}

var errUndo = errors.New("undo")

// No change without an entry, no entry without a change that was made: over random
// actions on a store that fills up, each tried once in vain and once for good.
func TestNoChangeWithoutEntry(t *testing.T) {
	each(t, func(t *testing.T, db *DB, c *clock) {
		r := rand.New(rand.NewPCG(1, 2))
		all := maps.Clone(loggedActions)
		maps.Copy(all, machineryActions)
		names := slices.Sorted(maps.Keys(all))
		worked := map[string]int{}
		before := dump(t, db)
		for i := range 400 {
			name := names[r.IntN(len(names))]
			c.add(time.Minute)
			seed, now := r.Uint64(), c.now()
			run := func(tx *Tx) error { return all[name](t.Context(), tx, rand.New(rand.NewPCG(seed, 1)), now) }

			// In vain: fn fails behind it, or the context ends before the commit.
			var err error
			if i%2 == 0 {
				err = db.Update(t.Context(), func(tx *Tx) error { return errors.Join(run(tx), errUndo) })
			} else {
				ctx, cancel := context.WithCancel(t.Context())
				err = db.Update(ctx, func(tx *Tx) error {
					defer cancel()
					return run(tx)
				})
				cancel()
			}
			if err == nil {
				t.Fatalf("%s: committed what was to be undone", name)
			}
			if after := dump(t, db); !same(before, after) {
				t.Fatalf("%s failed and changed (-want +got):\n%s", name, cmp.Diff(before, after))
			}

			err = db.Update(t.Context(), run)
			after := dump(t, db)
			if err != nil {
				if !errors.As(err, new(*bonafide.Error)) {
					t.Fatalf("%s: %v", name, err)
				}
				if !same(before, after) {
					t.Fatalf("%s was refused (%v) and changed (-want +got):\n%s", name, err, cmp.Diff(before, after))
				}
				continue
			}
			worked[name]++
			changed := !same(data(before), data(after))
			entries := len(after["entry"]) - len(before["entry"])
			_, log := loggedActions[name]
			switch {
			case changed && entries == 0:
				t.Fatalf("%s changed something and left no entry", name)
			case !log && entries != 0:
				t.Fatalf("%s is machinery and left %d entries", name, entries)
			case log && !changed && entries > 0 && !slices.Contains([]string{"RevokeKey", "SaveVerdicts", "SaveTemplates", "Record"}, name):
				t.Fatalf("%s left an entry and changed nothing", name)
			}
			before = after
		}
		for _, name := range names {
			if worked[name] == 0 && name != "Finish" { // TestJobs
				t.Errorf("%s never worked: the test shows nothing of it", name)
			}
		}
		for _, tenant := range []bonafide.Tenant{lender, "t0", "t1"} {
			rep, err := db.VerifyLog(t.Context(), tenant, "", nil)
			if err != nil || rep.Problem != nil {
				t.Errorf("the log of %s: %+v, %v", tenant, rep.Problem, err)
			}
		}
	})
}

func same(a, b map[string][]string) bool { return maps.EqualFunc(a, b, slices.Equal) }

// data leaves the machinery out of a dump.
func data(all map[string][]string) map[string][]string {
	out := maps.Clone(all)
	for _, name := range machineTables {
		delete(out, name)
	}
	return out
}

// No method changes anything in a View.
func TestViewRefusesChanges(t *testing.T) {
	each(t, func(t *testing.T, db *DB, c *clock) {
		fill(t, db)
		before := dump(t, db)
		all := maps.Clone(loggedActions)
		maps.Copy(all, machineryActions)
		for name, fn := range all {
			for seed := range uint64(5) {
				err := db.View(t.Context(), func(tx *Tx) error { return fn(t.Context(), tx, rand.New(rand.NewPCG(seed, 1)), c.now()) })
				if err == nil && name != "ExpireTags" && name != "RemoveTags" { // with nothing to do they do nothing
					t.Errorf("%s: no error in a View", name)
				}
			}
		}
		err := db.View(t.Context(), func(tx *Tx) error {
			_, err := tx.q.ExecContext(t.Context(), `DELETE FROM entry`)
			return err
		})
		if err == nil {
			t.Error("the database allowed a change in a View")
		}
		if d := cmp.Diff(before, dump(t, db)); d != "" {
			t.Errorf("changed (-want +got):\n%s", d)
		}
	})
}

// A View sees one moment.
func TestViewIsOfOneMoment(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		view(t, db, func(ctx context.Context, tx *Tx) error {
			first, err := tx.LogTree(ctx, lender)
			if err != nil {
				return err
			}
			update(t, db, func(ctx context.Context, tx *Tx) error { return tx.PutApart(ctx, lender, clerk, "a", "b", "x") })
			second, err := tx.LogTree(ctx, lender)
			if err != nil || first != second {
				t.Errorf("the log was %v and is %v, %v", first, second, err)
			}
			return nil
		})
	})
}
