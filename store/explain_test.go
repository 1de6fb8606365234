package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"bonafide"
	"bonafide/internal/testdb"
)

// chain writes an error and everything it wraps.
func chain(err error) string {
	text := fmt.Sprintf("%v|%+v|%#v\n", err, err, err)
	if inner := errors.Unwrap(err); inner != nil {
		return text + chain(inner)
	}
	if many, ok := any(err).(interface{ Unwrap() []error }); ok {
		for _, inner := range many.Unwrap() {
			text += chain(inner)
		}
	}
	return text
}

func TestExplainPostgres(t *testing.T) {
	for code, want := range map[string]struct {
		kind  bonafide.Kind
		again bool
		msg   string
	}{
		"40001": {bonafide.Busy, true, "try again"},
		"40P01": {bonafide.Busy, true, "try again"},
		"23505": {bonafide.Conflict, false, "stored already"},
		"23503": {bonafide.Conflict, false, "not stored"},
		"22021": {bonafide.Invalid, false, "cannot be stored"},
		"53100": {bonafide.Busy, false, "free space"},
		"53300": {bonafide.Busy, false, "connections"},
		"25006": {bonafide.Busy, false, "primary"},
		"57P01": {bonafide.Busy, false, "shutting down"},
		"57P03": {bonafide.Busy, false, "starting"},
		"08006": {bonafide.Busy, false, "try again"},
		"58030": {bonafide.Busy, false, "disk"},
		"42703": {"", false, "no such column"},
		"57014": {"", false, "statement timeout"},
	} {
		pg := &pgconn.PgError{
			Code: code, Message: "canary in a message", Detail: "Key (id)=(canary) already exists.", Hint: "canary", Where: "canary", TableName: "complaint", ConstraintName: "complaint_pkey",
		}
		if want.kind == "" {
			pg.Message = want.msg
		}
		err := explain(t.Context(), fmt.Errorf("wrapped: %w", pg))
		if want.kind != "" && !errors.Is(err, want.kind) || errors.Is(err, errAgain) != want.again || !strings.Contains(err.Error(), want.msg) {
			t.Errorf("%s: %v, want %s with %q", code, err, want.kind, want.msg)
		}
		if code[0] == '2' && code != "25006" && strings.Contains(chain(err), "canary") || strings.Contains(chain(err), "Key (id)") {
			t.Errorf("%s repeats a value: %s", code, chain(err))
		}
	}
}

func TestExplainLostConnections(t *testing.T) {
	for _, err := range []error{driver.ErrBadConn, &net.OpError{Op: "read", Net: "tcp", Err: errors.New("connection reset by peer")}, fmt.Errorf("unexpected: %w", net.ErrClosed)} {
		if got := explain(t.Context(), err); !errors.Is(got, bonafide.Busy) || errors.Is(got, errAgain) {
			t.Errorf("%v: %v, want busy and no second try", err, got)
		}
	}
	for _, err := range []error{context.Canceled, fmt.Errorf("x: %w", context.DeadlineExceeded), errNone} {
		if got := explain(t.Context(), err); !errors.Is(got, err) || got.Error() != err.Error() {
			t.Errorf("%v became %v", err, got)
		}
	}
}

// What the databases really say of values that they refuse is not repeated.
func TestErrorsRepeatNoValues(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		const canary = "13800138000"
		insert := func(ctx context.Context, tx *Tx) error {
			_, err := tx.insert(ctx, "subject", "", []any{string(lender), canary, []byte(nil), int64(1), int64(2)})
			return err
		}
		update(t, db, insert)
		for name, fn := range map[string]func(context.Context, *Tx) error{
			"unique": insert,
			"not null": func(ctx context.Context, tx *Tx) error {
				return second(tx.exec(ctx, `INSERT INTO apart (tenant, a, b) VALUES ('x', '`+canary+`', 'b')`))
			},
			"foreign": func(ctx context.Context, tx *Tx) error {
				return second(tx.insert(ctx, "delivery", "", []any{string(lender), "D", canary, int64(1), "ready", int64(0), int64(0), int64(0), ""}))
			},
			"zero byte": func(ctx context.Context, tx *Tx) error {
				return tx.PutApart(ctx, lender, clerk, canary+"\x00", "b", "x")
			},
		} {
			err := db.Update(t.Context(), func(tx *Tx) error { return fn(t.Context(), tx) })
			if err == nil || strings.Contains(chain(err), canary) {
				t.Errorf("%s: %s", name, chain(err))
			}
		}
	})
}

// Another process that writes to the SQLite file: SQLite waits for it, and says
// that it is busy where that takes too long.
func TestBusySQLite(t *testing.T) {
	path := testdb.SQLite(t)
	db, _ := openTest(t, path)
	other, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate") // without a timeout
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	update(t, db, func(ctx context.Context, _ *Tx) error {
		_, err := other.BeginTx(ctx, nil)
		if got := explain(t.Context(), err); !errors.Is(got, bonafide.Busy) || !errors.Is(got, errAgain) {
			t.Errorf("while another writes: %v", got)
		}
		return nil
	})
	// And Update itself waits.
	lock, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(300*time.Millisecond, func() { _ = lock.Rollback() })
	update(t, db, func(ctx context.Context, tx *Tx) error { return tx.PutApart(ctx, lender, clerk, "a", "b", "x") })
}

// Where the disk is full nothing is stored, the error says so, and when there is
// space again the store goes on.
func TestDiskFull(t *testing.T) {
	db, _ := openTest(t, testdb.SQLite(t))
	limit := func(pages int) {
		t.Helper()
		c, err := db.lite.take(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		defer db.lite.give(c, true, false)
		if _, err := c.ExecContext(t.Context(), fmt.Sprintf(`PRAGMA max_page_count = %d`, pages)); err != nil {
			t.Fatal(err)
		}
	}
	limit(200)
	stored := 0
	var err error
	for err == nil {
		err = db.Update(t.Context(), func(tx *Tx) error {
			_, err := tx.AddComplaints(t.Context(), lender, clerk, complaints(stored, 10, 2000, 1000, 100))
			return err
		})
		if err == nil {
			stored += 10
		}
	}
	if !errors.Is(err, bonafide.Busy) || !strings.Contains(err.Error(), "full") || stored == 0 {
		t.Fatalf("after %d complaints: %v", stored, err)
	}
	if n := verified(t, db); n != int64(1+stored) {
		t.Errorf("%d entries, want %d", n, 1+stored)
	}
	limit(1 << 30)
	update(t, db, func(ctx context.Context, tx *Tx) error {
		_, err := tx.AddComplaints(ctx, lender, clerk, complaints(stored, 10, 2000, 1000, 100))
		return err
	})
	if n := verified(t, db); n != int64(11+stored) {
		t.Errorf("%d entries, want %d", n, 11+stored)
	}
}

func TestReadOnlyFile(t *testing.T) {
	db, _ := openTest(t, testdb.SQLite(t))
	c, err := db.lite.take(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.ExecContext(t.Context(), `PRAGMA query_only = 1`)
	db.lite.give(c, true, false)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(t.Context(), func(tx *Tx) error { return tx.PutApart(t.Context(), lender, clerk, "a", "b", "x") })
	if !errors.Is(err, bonafide.Busy) || !strings.Contains(err.Error(), "cannot be written") {
		t.Errorf("a file that cannot be written: %v", err)
	}
}

// Two that lock two tenants in opposite order: PostgreSQL refuses one of them, and
// Update does it again.
func TestDeadlockIsTriedAgain(t *testing.T) {
	db, _ := openTest(t, testdb.Postgres(t))
	update(t, db, func(ctx context.Context, tx *Tx) error { return tx.AddTenant(ctx, "other", "x", clerk) })
	both := make(chan struct{}, 2)
	tries := make(chan int, 2)
	errs := make(chan error, 2)
	for _, order := range [][]bonafide.Tenant{{lender, "other"}, {"other", lender}} {
		go func() {
			n := 0
			errs <- db.Update(t.Context(), func(tx *Tx) error {
				n++
				for i, tenant := range order {
					if err := tx.PutApart(t.Context(), tenant, clerk, "a", "b", "x"); err != nil {
						return err
					}
					if i == 0 && n == 1 {
						both <- struct{}{}
						for len(both) < 2 {
							time.Sleep(time.Millisecond)
						}
					}
				}
				return nil
			})
			tries <- n
		}()
	}
	if err := errors.Join(<-errs, <-errs); err != nil {
		t.Error(err)
	}
	if n := <-tries + <-tries; n != 3 {
		t.Errorf("%d tries, want 3", n)
	}
	if n := verified(t, db); n != 3 {
		t.Errorf("%d entries, want 3", n)
	}
}

// Nothing but what the database asks for is tried again, and not for ever.
func TestUpdateTriesAgain(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		for _, c := range []struct {
			err  error
			want int
		}{{errors.New("mine"), 1}, {busy("lost", errors.New("x")), 1}, {busy("again", errAgain), maxTries}, {&bonafide.Error{Kind: bonafide.Conflict}, 1}} {
			n := 0
			err := db.Update(t.Context(), func(*Tx) error {
				n++
				return c.err
			})
			if n != c.want || !errors.Is(err, c.err) {
				t.Errorf("%v: %d tries and %v, want %d", c.err, n, err, c.want)
			}
		}
		n := 0
		update(t, db, func(ctx context.Context, tx *Tx) error {
			if err := tx.PutApart(ctx, lender, clerk, "a", "b", "x"); err != nil {
				return err
			}
			if n++; n < 3 {
				return fmt.Errorf("in between: %w", busy("again", errAgain))
			}
			return nil
		})
		if got := verified(t, db); got != 2 {
			t.Errorf("%d entries, want 2", got)
		}
	})
}

// A panic in fn neither commits nor blocks the next.
func TestUpdatePanic(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		before := dump(t, db)
		func() {
			defer func() { _ = recover() }()
			_ = db.Update(t.Context(), func(tx *Tx) error {
				_ = tx.PutApart(t.Context(), lender, clerk, "a", "b", "x")
				panic("oops")
			})
		}()
		if d := cmp.Diff(before, dump(t, db)); d != "" {
			t.Errorf("changed (-want +got):\n%s", d)
		}
		update(t, db, func(ctx context.Context, tx *Tx) error { return tx.PutApart(ctx, lender, clerk, "a", "b", "x") })
	})
}

// The context's end stops a transaction, and the store goes on.
func TestUpdateCancelled(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		for range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Millisecond)
			err := db.Update(ctx, func(tx *Tx) error {
				for i := range 1000 {
					if _, err := tx.AddComplaints(ctx, lender, clerk, complaints(i*10, 10, 100, 100, 10)); err != nil {
						return err
					}
				}
				return nil
			})
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("Update = %v, want the deadline", err)
			}
		}
		if n := verified(t, db); n != 1 {
			t.Errorf("%d entries, want 1", n)
		}
		update(t, db, func(ctx context.Context, tx *Tx) error { return tx.PutApart(ctx, lender, clerk, "a", "b", "x") })
	})
}
