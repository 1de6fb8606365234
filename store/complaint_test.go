package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bonafide"
	"bonafide/evidence"
)

func TestAddComplaints(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		cs := complaints(1, 150, 90, 80, 70)
		cs[3].Subject, cs[149].Subject = "customer-a", "customer-a"
		cs[5].Received = time.Time{}
		cs[7].Screening = nil
		cs[8].Trace = nil
		cs[9].Body = nil
		cs[10].Key = &Answer{Key: "again", Digest: []byte("d"), Status: 202, Body: []byte(`{}`), Expires: start.Add(time.Hour)}
		var first int64
		update(t, db, func(ctx context.Context, tx *Tx) (err error) {
			first, err = tx.AddComplaints(ctx, lender, clerk, cs)
			return err
		})
		if first != 1 {
			t.Errorf("first seq = %d, want 1", first)
		}
		more := complaints(1000, 2, 10, 10, 10)
		more[0].Subject = "customer-a"
		update(t, db, func(ctx context.Context, tx *Tx) (err error) {
			first, err = tx.AddComplaints(ctx, lender, clerk, more)
			return err
		})
		if first != 151 {
			t.Errorf("first seq of the second call = %d, want 151", first)
		}
		view(t, db, func(ctx context.Context, tx *Tx) error {
			known, err := tx.Known(ctx, lender, []string{"C-0000004", "C-0000150", "nobody"})
			if d := cmp.Diff(map[string][]byte{"C-0000004": cs[3].Digest, "C-0000150": cs[149].Digest}, known); err != nil || d != "" {
				t.Errorf("Known: %v (-want +got):\n%s", err, d)
			}
			for i, want := range cs {
				got, err := tx.Complaint(ctx, lender, want.ID)
				if err != nil {
					t.Fatal(err)
				}
				subject := want.Subject
				if subject == "" {
					subject = "complaint:" + want.ID
				}
				row := ComplaintRow{
					ID: want.ID, Seq: int64(i + 1), Received: want.Received, Stored: start, Channel: "letter", Subject: subject,
					State: ComplaintStored, Digest: want.Digest, Body: some(want.Body), Screening: want.Screening,
				}
				if d := cmp.Diff(row, got); d != "" {
					t.Fatalf("complaint %d (-want +got):\n%s", i, d)
				}
			}
			var ids []string
			for after := int64(0); ; {
				page, err := tx.Complaints(ctx, lender, after, 40)
				if err != nil {
					return err
				}
				if len(page) == 0 {
					break
				}
				for _, row := range page {
					if row.Body != nil {
						t.Errorf("Complaints opened the body of %s", row.ID)
					}
					ids = append(ids, row.ID)
				}
				after = page[len(page)-1].Seq
			}
			if len(ids) != 152 || !slices.IsSorted(ids) {
				t.Errorf("Complaints listed %d ids, sorted %v", len(ids), slices.IsSorted(ids))
			}
			jobs, err := tx.Jobs(ctx, JobReady, 0)
			if err != nil || len(jobs) != 1 || jobs[0].Kind != "screen" || jobs[0].Arg != "8" || jobs[0].Tenant != lender {
				t.Errorf("jobs = %+v, %v; want one to screen 8", jobs, err)
			}
			a, err := tx.Answer(ctx, lender, clerk.ID, "again")
			if d := cmp.Diff(*cs[10].Key, a); err != nil || d != "" {
				t.Errorf("Answer: %v (-want +got):\n%s", err, d)
			}
			n, err := tx.CountComplaints(ctx, lender)
			if n != 152 || err != nil {
				t.Errorf("CountComplaints = %d, %v", n, err)
			}
			of, err := tx.ComplaintsOf(ctx, lender, "customer-a")
			if d := cmp.Diff([]string{"C-0000004", "C-0000150", "C-0001000"}, of); err != nil || d != "" {
				t.Errorf("ComplaintsOf: %v (-want +got):\n%s", err, d)
			}
			s, err := tx.SubjectOf(ctx, lender, "C-0000004")
			if s != "customer-a" || err != nil {
				t.Errorf("SubjectOf = %q, %v", s, err)
			}
			last, err := tx.Entries(ctx, lender, 151, 1)
			if err != nil || len(last) != 1 {
				t.Fatal(last, err)
			}
			e, err := evidence.ParseEntry(last[0].Data)
			want := fmt.Sprintf(`{"seq":152,"digest":"%x","screening":`, more[1].Digest)
			if err != nil || e.Action != "complaint.added" || e.Target != "complaint:C-0001001" || e.Actor != clerk.ID || !strings.HasPrefix(string(e.Detail), want) {
				t.Errorf("entry = %+v, %v", e, err)
			}
			return nil
		})
		if n := verified(t, db); n != 1+152 {
			t.Errorf("the log has %d entries, want 153", n)
		}
	})
}

// A batch takes a fixed number of statements, whatever its size; on SQLite one for
// each 64 rows of a table.
func TestAddComplaintsStatements(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		for _, c := range []struct{ size, want int }{{1, 13}, {64, 13}, {256, 30}} {
			cs := complaints(c.size*1000, c.size, 20, 20, 20)
			ids := make([]string, len(cs))
			for i := range cs {
				ids[i], cs[i].Subject = cs[i].ID, fmt.Sprint("s", i)
			}
			db.census = census{} // PostgreSQL is not asked to look at its tables in between
			before := db.Statements()
			update(t, db, func(ctx context.Context, tx *Tx) error {
				if _, err := tx.Known(ctx, lender, ids); err != nil {
					return err
				}
				_, err := tx.AddComplaints(ctx, lender, clerk, cs)
				return err
			})
			if n := int(db.Statements() - before); n > c.want {
				t.Errorf("%d complaints took %d statements, want at most %d", c.size, n, c.want)
			}
		}
	})
}

func TestTraces(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		cs := complaints(1, 2*chunk+7, 20, 60, 20)
		cs[2].Trace = nil
		cs[4].Trace = []byte{}
		update(t, db, func(ctx context.Context, tx *Tx) error {
			_, err := tx.AddComplaints(ctx, lender, clerk, cs)
			return err
		})
		view(t, db, func(ctx context.Context, tx *Tx) error {
			all, err := tx.Traces(ctx, lender, 0, 0)
			if err != nil || len(all) != len(cs)-1 {
				t.Fatalf("Traces = %d, %v; want %d", len(all), err, len(cs)-1)
			}
			for _, tr := range all {
				want := cs[tr.Seq-1]
				if d := cmp.Diff(Trace{Seq: tr.Seq, ID: want.ID, Subject: "complaint:" + want.ID, Body: want.Trace}, tr); d != "" {
					t.Fatalf("trace (-want +got):\n%s", d)
				}
			}
			page, err := tx.Traces(ctx, lender, 2, 2)
			if err != nil || len(page) != 2 || page[0].Seq != 4 || page[1].Seq != 5 {
				t.Errorf("a page behind 2 = %v, %v", page, err)
			}
			for stop := range []int{0, 1, chunk - 1, chunk, chunk + 1, len(cs) - 1} {
				var got []Trace
				for tr, err := range tx.AllTraces(ctx, lender, 0) {
					if err != nil {
						return err
					}
					if len(got) == stop {
						break
					}
					got = append(got, tr)
				}
				if d := cmp.Diff(all[:stop], got, cmp.Comparer(func(a, b Trace) bool { return a.Seq == b.Seq })); stop > 0 && d != "" {
					t.Errorf("stopped after %d (-want +got):\n%s", stop, d)
				}
			}
			return nil
		})
	})
}

// A trace that was moved to another row, or damaged, is not opened.
func TestTracesRefuseMovedBodies(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		cs := complaints(1, 3, 20, 20, 20)
		for i := range cs {
			cs[i].Subject = "one"
		}
		update(t, db, func(ctx context.Context, tx *Tx) error {
			if _, err := tx.AddComplaints(ctx, lender, clerk, cs); err != nil {
				return err
			}
			_, err := tx.exec(ctx, `UPDATE trace SET body = (SELECT o.body FROM trace o WHERE o.tenant = $1 AND o.seq = 1) WHERE tenant = $1 AND seq = 2`, string(lender))
			return err
		})
		view(t, db, func(ctx context.Context, tx *Tx) error {
			if _, err := tx.Traces(ctx, lender, 0, 1); err != nil {
				t.Errorf("the first trace: %v", err)
			}
			if all, err := tx.Traces(ctx, lender, 0, 0); !errors.Is(err, errSealed) {
				t.Errorf("Traces = %v, %v; want an error", all, err)
			}
			return nil
		})
	})
}

func TestAddComplaintsRefuses(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		update(t, db, func(ctx context.Context, tx *Tx) error {
			_, err := tx.AddComplaints(ctx, lender, clerk, complaints(1, 3, 10, 10, 10))
			return err
		})
		before := dump(t, db)
		for name, c := range map[string]struct {
			change func([]NewComplaint)
			kind   bonafide.Kind
		}{
			"an id that is taken":      {func(cs []NewComplaint) { cs[1].ID = "C-0000002" }, bonafide.Conflict},
			"an id of a named subject": {func(cs []NewComplaint) { cs[1].ID, cs[1].Subject = "C-0000002", "x" }, bonafide.Conflict},
			"an id twice":              {func(cs []NewComplaint) { cs[1].ID = cs[0].ID }, bonafide.Conflict},
			"no id":                    {func(cs []NewComplaint) { cs[2].ID = "" }, bonafide.Invalid},
			"a zero byte":              {func(cs []NewComplaint) { cs[0].Channel = "a\x00b" }, bonafide.Invalid},
			"no UTF-8":                 {func(cs []NewComplaint) { cs[0].ID = "a\xff" }, bonafide.Invalid},
			"a key used twice":         {func(cs []NewComplaint) { cs[0].Key, cs[1].Key = &Answer{Key: "k"}, &Answer{Key: "k"} }, bonafide.Conflict},
		} {
			cs := complaints(11, 3, 10, 10, 10)
			c.change(cs)
			err := db.Update(t.Context(), func(tx *Tx) error {
				_, err := tx.AddComplaints(t.Context(), lender, clerk, cs)
				return err
			})
			if !errors.Is(err, c.kind) {
				t.Errorf("%s: %v, want %s", name, err, c.kind)
			}
			// Who does not care about the error stores nothing either.
			err = db.Update(t.Context(), func(tx *Tx) error {
				_, _ = tx.AddComplaints(t.Context(), lender, clerk, cs)
				return nil
			})
			if name != "no id" && !errors.Is(err, c.kind) {
				t.Errorf("%s, ignored: %v, want %s", name, err, c.kind)
			}
			if d := cmp.Diff(before, dump(t, db)); d != "" {
				t.Errorf("%s: changed (-want +got):\n%s", name, d)
			}
		}
		err := db.Update(t.Context(), func(tx *Tx) error {
			_, err := tx.AddComplaints(t.Context(), "nobody", clerk, complaints(1, 1, 1, 1, 1))
			return err
		})
		if !errors.Is(err, bonafide.NotFound) {
			t.Errorf("a tenant that is not there: %v", err)
		}
		verified(t, db)
	})
}

func TestPutScreening(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		cs := complaints(1, 1, 10, 10, 10)
		cs[0].Screening = nil
		update(t, db, func(ctx context.Context, tx *Tx) error {
			_, err := tx.AddComplaints(ctx, lender, clerk, cs)
			return err
		})
		for _, body := range []string{`{"a":1}`, `{"a":2}`} {
			update(t, db, func(ctx context.Context, tx *Tx) error {
				return tx.PutScreening(ctx, lender, bonafide.System("screen"), cs[0].ID, 1, []byte(body))
			})
			view(t, db, func(ctx context.Context, tx *Tx) error {
				c, err := tx.Complaint(ctx, lender, cs[0].ID)
				if string(c.Screening) != body {
					t.Errorf("Screening = %s, want %s", c.Screening, body)
				}
				return err
			})
		}
	})
}

// Two processes that add complaints at once: the seqs and the log have no gaps, and
// every complaint has its own place.
func TestConcurrentChangesHaveOneOrder(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		one, _ := openTest(t, url)
		o, _ := testOptions(2)
		two, err := Open(t.Context(), url, o)
		if err != nil {
			t.Fatal(err)
		}
		defer two.Close()
		const workers, rounds, size = 6, 8, 5
		var mu sync.Mutex
		seqs := map[int64]string{}
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				db := []*DB{one, two}[w%2]
				for r := range rounds {
					cs := complaints((w*rounds+r)*size, size, 30, 30, 30)
					cs[0].Subject = "shared" // all workers want the same key
					var first int64
					err := db.Update(t.Context(), func(tx *Tx) (err error) {
						if first, err = tx.AddComplaints(t.Context(), lender, clerk, cs); err != nil {
							return err
						}
						return tx.Emit(t.Context(), lender, bonafide.Event{Type: bonafide.RingFormed, At: start})
					})
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					for i, c := range cs {
						seqs[first+int64(i)] = c.ID
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		const n = workers * rounds * size
		if len(seqs) != n {
			t.Fatalf("%d seqs, want %d", len(seqs), n)
		}
		view(t, one, func(ctx context.Context, tx *Tx) error {
			for seq := int64(1); seq <= n; seq++ {
				c, err := tx.Complaint(ctx, lender, seqs[seq])
				if err != nil || c.Seq != seq {
					t.Fatalf("complaint %d = %d, %v", seq, c.Seq, err)
				}
			}
			events, err := tx.Events(ctx, lender, 0, 0)
			if err != nil || len(events) != workers*rounds || events[len(events)-1].Seq != workers*rounds {
				t.Errorf("%d events, %v", len(events), err)
			}
			all, err := tx.Traces(ctx, lender, 0, 0)
			if err != nil || len(all) != n {
				t.Errorf("%d traces, %v", len(all), err)
			}
			return nil
		})
		if got := verified(t, one); got != n+1 {
			t.Errorf("the log has %d entries, want %d", got, n+1)
		}
	})
}
