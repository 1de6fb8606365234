package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"bonafide"
	"bonafide/internal/testdb"
)

const lender = bonafide.Tenant("lender")

var (
	clerk  = bonafide.Actor{ID: "key:clerk", Name: "clerk"}
	start  = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	testID = []byte("0123456789abcdef0123456789abcdef")
)

// A clock is set by tests.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// testOptions are those of a store that makes the same of the same.
func testOptions(seed byte) (Options, *clock) {
	c := &clock{t: start}
	return Options{RootKey: testID, Now: c.now, Random: rand.NewChaCha8([32]byte{seed})}, c
}

// openTest opens a database with one tenant.
func openTest(t testing.TB, url string) (*DB, *clock) {
	t.Helper()
	o, c := testOptions(1)
	db, err := Open(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	update(t, db, func(ctx context.Context, tx *Tx) error {
		err := tx.AddTenant(ctx, lender, "A Lender", bonafide.System("test"))
		if errors.Is(err, bonafide.Conflict) {
			t.Fatal(err)
		}
		return err
	})
	return db, c
}

// each runs fn on a new database of either kind with one tenant.
func each(t *testing.T, fn func(t *testing.T, db *DB, c *clock)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		db, c := openTest(t, fresh())
		fn(t, db, c)
	})
}

func update(t testing.TB, db *DB, fn func(context.Context, *Tx) error) {
	t.Helper()
	if err := db.Update(t.Context(), func(tx *Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func view(t testing.TB, db *DB, fn func(context.Context, *Tx) error) {
	t.Helper()
	if err := db.View(t.Context(), func(tx *Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

// verified checks the log of the lender and returns how many entries it has.
func verified(t testing.TB, db *DB) int64 {
	t.Helper()
	rep, err := db.VerifyLog(t.Context(), lender, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Problem != nil {
		t.Fatalf("the log is not sound: %s", rep.Problem.What)
	}
	return rep.Entries
}

// complaints makes n complaints like those of an intake.
func complaints(from, n, body, trace, screening int) []NewComplaint {
	r := rand.New(rand.NewPCG(uint64(from), 7))
	fill := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte('a' + r.IntN(26))
		}
		return b
	}
	cs := make([]NewComplaint, n)
	for i := range cs {
		cs[i] = NewComplaint{
			ID: fmt.Sprintf("C-%07d", from+i), Received: start.Add(-time.Hour), Channel: "letter", Digest: fill(32),
			Body: fill(body), Trace: fill(trace), Screening: fill(screening),
		}
	}
	return cs
}

// eachURL runs fn with the URL of a new database of either kind.
func eachURL(t *testing.T, fn func(t *testing.T, url string)) {
	t.Helper()
	testdb.Each(t, func(t *testing.T, fresh func() string) { fn(t, fresh()) })
}

// dump returns every row of every table, in a form to compare.
func dump(t testing.TB, db *DB) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	view(t, db, func(ctx context.Context, tx *Tx) error {
		clear(all)
		for _, tb := range tables {
			err := tx.each(ctx, `SELECT `+names(tb.cols)+` FROM `+tb.name+` ORDER BY `+names(tb.cols[:tb.key]), func(r row) error {
				values, _, err := tb.scan(r)
				var line strings.Builder
				for _, v := range values {
					if b, ok := v.([]byte); ok {
						v = hex.EncodeToString(b)
						if b == nil {
							v = "NULL"
						}
					}
					fmt.Fprint(&line, v, " ")
				}
				all[tb.name] = append(all[tb.name], line.String())
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return all
}
