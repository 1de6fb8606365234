package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bonafide"
)

func enqueue(t testing.TB, db *DB, jobs ...Job) {
	t.Helper()
	update(t, db, func(ctx context.Context, tx *Tx) error { return tx.Enqueue(ctx, jobs...) })
}

func job(id, arg string, due time.Duration) Job {
	return Job{Tenant: lender, ID: id, Kind: "screen", Arg: arg, Due: start.Add(due)}
}

func claim(t testing.TB, db *DB, owner string, now time.Duration, limit int) []Job {
	t.Helper()
	jobs, err := db.Claim(t.Context(), owner, []string{"screen", "settle"}, start.Add(now), time.Minute, limit)
	if err != nil {
		t.Fatal(err)
	}
	return jobs
}

func finish(t testing.TB, db *DB, j Job, owner string) error {
	t.Helper()
	return db.Update(t.Context(), func(tx *Tx) error { return tx.Finish(t.Context(), j, owner) })
}

// jobIDs lists the jobs of a state.
func jobIDs(t testing.TB, db *DB, state string) string {
	t.Helper()
	var ids []string
	view(t, db, func(ctx context.Context, tx *Tx) error {
		jobs, err := tx.Jobs(ctx, state, 0)
		for _, j := range jobs {
			ids = append(ids, j.ID)
		}
		return err
	})
	return strings.Join(ids, " ")
}

func TestJobs(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		enqueue(t, db, job("1", "a", 3*time.Second), job("2", "b", time.Second), job("3", "a", 2*time.Second), job("4", "c", time.Hour),
			Job{Tenant: lender, ID: "5", Kind: "other", Due: start})
		enqueue(t, db, job("6", "a", time.Second), job("7", "b", time.Minute))
		if got, want := jobIDs(t, db, JobReady), "5 1 2 4"; got != want {
			t.Errorf("ready: %s, want %s", got, want)
		}
		if got := claim(t, db, "w1", 0, 10); len(got) != 0 {
			t.Errorf("claimed before it is due: %v", got)
		}
		got := claim(t, db, "w1", time.Second, 10)
		want := []Job{
			{Tenant: lender, ID: "1", Kind: "screen", Arg: "a", Attempt: 1, Due: start.Add(time.Second)},
			{Tenant: lender, ID: "2", Kind: "screen", Arg: "b", Attempt: 1, Due: start.Add(time.Second)},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("Claim (-want +got):\n%s", d)
		}
		// An equal job may be enqueued while one runs, and waits for it.
		enqueue(t, db, job("8", "a", time.Second))
		if again := claim(t, db, "w2", 2*time.Second, 10); len(again) != 0 {
			t.Errorf("claimed what another holds, or its like: %v", again)
		}
		if err := finish(t, db, got[0], "w2"); !errors.Is(err, bonafide.Conflict) {
			t.Errorf("finished by another: %v", err)
		}
		if err := finish(t, db, got[0], "w1"); err != nil {
			t.Error(err)
		}
		if err := finish(t, db, got[0], "w1"); !errors.Is(err, bonafide.Conflict) {
			t.Errorf("finished twice: %v", err)
		}
		if next := claim(t, db, "w2", 2*time.Second, 10); len(next) != 1 || next[0].ID != "8" {
			t.Errorf("after its like was finished: %v, want 8", next)
		}
		// 2's lease runs out; w2 takes it over and w1 has lost it.
		taken := claim(t, db, "w2", time.Second+time.Minute, 1)
		if len(taken) != 1 || taken[0].ID != "2" || taken[0].Attempt != 2 {
			t.Fatalf("after the lease: %v, want 2", taken)
		}
		for name, err := range map[string]error{
			"finish": finish(t, db, got[1], "w1"),
			"retry":  db.Retry(t.Context(), got[1], "w1", start, "slow"),
			"bury":   db.Bury(t.Context(), got[1], "w1", "slow"),
		} {
			if !errors.Is(err, bonafide.Conflict) {
				t.Errorf("%s after the lease was lost: %v", name, err)
			}
		}
		if err := db.Retry(t.Context(), taken[0], "w2", start.Add(2*time.Hour), "the index is away"); err != nil {
			t.Fatal(err)
		}
		// A retry while an equal job is ready: that one does the work of both.
		held := claim(t, db, "w3", 2*time.Hour, 1)
		enqueue(t, db, Job{Tenant: lender, ID: "9", Kind: held[0].Kind, Arg: held[0].Arg, Due: start})
		if err := db.Retry(t.Context(), held[0], "w3", start, "again"); err != nil {
			t.Fatal(err)
		}
		if all := jobIDs(t, db, ""); strings.Contains(all, held[0].ID) || !strings.Contains(all, "9") {
			t.Errorf("jobs %s: want 9 and not %s", all, held[0].ID)
		}
		dead := claim(t, db, "w4", 3*time.Hour, 1)
		if err := db.Bury(t.Context(), dead[0], "w4", "it never works"); err != nil {
			t.Fatal(err)
		}
		view(t, db, func(ctx context.Context, tx *Tx) error {
			jobs, err := tx.Jobs(ctx, JobDead, 0)
			if err != nil || len(jobs) != 1 || jobs[0].ID != dead[0].ID || jobs[0].Error != "it never works" {
				t.Errorf("dead: %+v, %v", jobs, err)
			}
			return nil
		})
	})
}

func TestRenew(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		enqueue(t, db, job("1", "a", 0))
		j := claim(t, db, "w1", 0, 1)[0]
		for _, owner := range []string{"w1", "w2"} {
			if err := db.Renew(t.Context(), owner, start.Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		if got := claim(t, db, "w2", 59*time.Minute, 1); len(got) != 0 {
			t.Errorf("claimed in spite of the renewed lease: %v", got)
		}
		if err := finish(t, db, j, "w1"); err != nil {
			t.Error(err)
		}
	})
}

// A result is not committed where the lease was lost, even if the error is ignored.
func TestFinishKeepsResultOfLostLeaseOut(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		enqueue(t, db, job("1", "a", 0))
		j := claim(t, db, "w1", 0, 1)[0]
		claim(t, db, "w2", time.Hour, 1)
		err := db.Update(t.Context(), func(tx *Tx) error {
			if err := tx.PutApart(t.Context(), lender, clerk, "a", "b", "x"); err != nil {
				return err
			}
			_ = tx.Finish(t.Context(), j, "w1")
			return nil
		})
		if !errors.Is(err, bonafide.Conflict) {
			t.Errorf("Update = %v, want conflict", err)
		}
		if n := verified(t, db); n != 1 {
			t.Errorf("%d entries, want 1", n)
		}
	})
}

func TestRelease(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		enqueue(t, db, job("1", "a", 0), job("2", "b", 0), job("3", "c", 0))
		claim(t, db, "w1", 0, 2)
		claim(t, db, "w2", 0, 1)
		enqueue(t, db, job("4", "a", time.Minute))
		if err := db.Release(t.Context(), "w1"); err != nil {
			t.Fatal(err)
		}
		if got, want := jobIDs(t, db, JobReady), "2 4"; got != want {
			t.Errorf("ready: %s, want %s", got, want)
		}
		if got, want := jobIDs(t, db, JobLeased), "3"; got != want {
			t.Errorf("leased: %s, want %s", got, want)
		}
		if got := claim(t, db, "w5", 0, 9); len(got) != 1 || got[0].Attempt != 1 {
			t.Errorf("claimed again: %+v, want 2 in its first attempt", got)
		}
	})
}

// Many workers of two processes: every job is done once.
func TestClaimOnce(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		one, _ := openTest(t, url)
		o, _ := testOptions(2)
		two, err := Open(t.Context(), url, o)
		if err != nil {
			t.Fatal(err)
		}
		defer two.Close()
		const n = 200
		var jobs []Job
		for i := range n {
			jobs = append(jobs, job("", fmt.Sprint(i), 0))
		}
		enqueue(t, one, jobs...)
		var mu sync.Mutex
		done := map[string]int{}
		var wg sync.WaitGroup
		for w := range 6 {
			wg.Go(func() {
				db, owner := []*DB{one, two}[w%2], fmt.Sprint("w", w)
				for {
					got := claim(t, db, owner, 0, 7)
					if len(got) == 0 {
						return
					}
					if len(got) > 7 {
						t.Errorf("claimed %d, want at most 7", len(got))
					}
					for _, j := range got {
						if err := finish(t, db, j, owner); err != nil {
							t.Error(err)
						}
						mu.Lock()
						done[j.Arg]++
						mu.Unlock()
					}
				}
			})
		}
		wg.Wait()
		for i := range n {
			if k := done[fmt.Sprint(i)]; k != 1 {
				t.Errorf("job %d was done %d times", i, k)
			}
		}
	})
}
