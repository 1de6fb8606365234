package store

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"bonafide"
	"bonafide/internal/testdb"
)

// benchEach runs fn on SQLite and, where it is set, on PostgreSQL.
func benchEach(b *testing.B, fn func(b *testing.B, db *DB)) {
	for name, url := range map[string]func(testing.TB) string{"sqlite": testdb.SQLite, "postgres": testdb.Postgres} {
		b.Run(name, func(b *testing.B) {
			db, _ := openTest(b, url(b))
			fn(b, db)
		})
	}
}

func BenchmarkAddComplaints(b *testing.B) {
	for _, size := range []int{1, 64, 256} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			benchEach(b, func(b *testing.B, db *DB) {
				ready := make([][]NewComplaint, 0, 64)
				next := 0
				for b.Loop() {
					if len(ready) == 0 {
						b.StopTimer()
						for range cap(ready) {
							cs := complaints(next, size, 1500, 1200, 300)
							for i := range cs {
								cs[i].Subject = fmt.Sprintf("customer-%x", (next+i)*2654435761%1000003)
							}
							ready = append(ready, cs)
							next += size
						}
						b.StartTimer()
					}
					cs := ready[len(ready)-1]
					ready = ready[:len(ready)-1]
					update(b, db, func(ctx context.Context, tx *Tx) error {
						ids := make([]string, len(cs))
						for i := range cs {
							ids[i] = cs[i].ID
						}
						if _, err := tx.Lock(ctx, lender); err != nil {
							return err
						}
						if known, err := tx.Known(ctx, lender, ids); err != nil || len(known) > 0 {
							return fmt.Errorf("known: %v, %w", known, err)
						}
						_, err := tx.AddComplaints(ctx, lender, clerk, cs)
						return err
					})
				}
				b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "complaints/s")
				b.ReportMetric(float64(db.Statements())/float64(b.N), "statements/op")
			})
		})
	}
}

func fillComplaints(b *testing.B, db *DB, n int) {
	b.Helper()
	for from := 0; from < n; from += 256 {
		cs := complaints(from, min(256, n-from), 1500, 1200, 300)
		for i := range cs {
			cs[i].Subject = fmt.Sprintf("customer-%x", (from+i)*2654435761%1000003)
		}
		update(b, db, func(ctx context.Context, tx *Tx) error {
			_, err := tx.AddComplaints(ctx, lender, clerk, cs)
			return err
		})
	}
}

func BenchmarkTraces(b *testing.B) {
	const n = 200_000
	benchEach(b, func(b *testing.B, db *DB) {
		fillComplaints(b, db, n)
		b.ResetTimer()
		for b.Loop() {
			rows := 0
			view(b, db, func(ctx context.Context, tx *Tx) error {
				rows = 0
				for tr, err := range tx.AllTraces(ctx, lender, 0) {
					if err != nil {
						return err
					}
					if len(tr.Body) != 1200 {
						return fmt.Errorf("trace %d has %d bytes", tr.Seq, len(tr.Body))
					}
					rows++
				}
				return nil
			})
			if rows != n {
				b.Fatalf("%d traces, want %d", rows, n)
			}
		}
		b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "rows/s")
	})
}

func BenchmarkTagsOn(b *testing.B) {
	const n = 1_000_000
	benchEach(b, func(b *testing.B, db *DB) {
		target := func(i int) bonafide.Target {
			return bonafide.Target{Kind: bonafide.OnCustomer, ID: fmt.Sprintf("%016x", uint64(i)*0x9e3779b97f4a7c15)}
		}
		for from := 0; from < n; from += 5000 {
			tags := make([]bonafide.Tag, 5000)
			for i := range tags {
				tags[i] = bonafide.Tag{
					ID: db.NewID(), Target: target(from + i), Reason: "shares a number with a ring", Evidence: []string{"phone 3"}, Ring: "R-1",
					Author: "system:settle", Created: start, Expires: start.Add(bonafide.TagLife),
				}
			}
			update(b, db, func(ctx context.Context, tx *Tx) error { return tx.PutTags(ctx, lender, clerk, tags) })
		}
		var took []time.Duration
		i := 0
		b.ResetTimer()
		for b.Loop() {
			targets := make([]bonafide.Target, 10)
			for k := range targets {
				i += 7919
				targets[k] = target(i % (2 * n)) // every other is not there
			}
			began := time.Now()
			view(b, db, func(ctx context.Context, tx *Tx) error {
				_, err := tx.TagsOn(ctx, lender, targets, start.Add(time.Hour))
				return err
			})
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds()), "median-µs")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	})
}
