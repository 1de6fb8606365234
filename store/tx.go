package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"bonafide"
)

// A Tx is a transaction. Its methods, one file per noun, are the only SQL in the
// program. It belongs to one goroutine.
type Tx struct {
	db   *DB
	q    querier
	view bool
	// failed is the first change that the database refused. The rest of the
	// transaction can no longer be committed, on either database.
	failed error
	heads  map[bonafide.Tenant]*head
	added  map[string]int64 // rows, by table
	erased bool
}

// A querier runs statements in a transaction.
type querier interface {
	ExecContext(ctx context.Context, q string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error)
}

// View runs fn in a read-only transaction, which sees the database as it was at
// its first statement.
func (db *DB) View(ctx context.Context, fn func(*Tx) error) error {
	return db.once(ctx, true, fn)
}

// Update runs fn in a transaction and commits it if fn returns nil.
//
// Fn may run more than once: where the database asks to try again, everything fn
// did to it is undone and fn is called afresh, so fn must set what it hands out
// rather than add to it. What fn reads before it calls [Tx.Lock] or a method that
// changes something may be changed by others meanwhile.
//
// Updates are not nested: on SQLite the inner one would wait for the outer.
//
// An error of Kind Busy says that nothing was stored, but for one: where the
// connection was lost at the very end the database may have stored all of it.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	for try := 1; ; try++ {
		err := db.once(ctx, false, fn)
		if !errors.Is(err, errAgain) || try == maxTries {
			return err
		}
		if err := db.pause(ctx, try); err != nil {
			return err
		}
	}
}

// maxTries bounds how often Update runs its function.
const maxTries = 5

// pause waits a little longer after each try, and not as long as others do.
func (db *DB) pause(ctx context.Context, try int) error {
	var b [1]byte
	if _, err := db.random.Read(b[:]); err != nil {
		return err
	}
	wait := time.Millisecond << (2 * try) // 4 ms to 256 ms
	t := time.NewTimer(wait/2 + wait*time.Duration(b[0])/256)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func (db *DB) once(ctx context.Context, view bool, fn func(*Tx) error) error {
	tx := &Tx{db: db, view: view, heads: map[bonafide.Tenant]*head{}, added: map[string]int64{}}
	end, err := db.begin(ctx, tx)
	if err != nil {
		return explain(ctx, err)
	}
	done := false
	defer func() {
		if !done { // fn panicked
			_ = end(false)
		}
	}()
	if err = fn(tx); err == nil {
		err = tx.failed
	}
	if err == nil && !view {
		err = tx.flush(ctx)
	}
	done = true
	if err != nil || view {
		return errors.Join(err, endError(ctx, end(false), err))
	}
	if err := end(true); err != nil {
		return explain(ctx, err)
	}
	if tx.erased {
		db.scrub(ctx)
	}
	db.analyze(ctx, tx.added)
	return nil
}

// endError drops the error of a rollback where there is one that says more.
func endError(ctx context.Context, end, err error) error {
	if err != nil || errors.Is(end, sql.ErrTxDone) {
		return nil
	}
	return explain(ctx, end)
}

// begin begins a transaction and returns what ends it.
func (db *DB) begin(ctx context.Context, tx *Tx) (end func(commit bool) error, err error) {
	db.statements.Add(1)
	if db.lite == nil {
		opts := &sql.TxOptions{}
		if tx.view {
			opts = &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}
		}
		t, err := db.pool.BeginTx(ctx, opts)
		if err != nil {
			return nil, err
		}
		tx.q = t
		return func(commit bool) error {
			db.statements.Add(1)
			if commit {
				return t.Commit()
			}
			return t.Rollback()
		}, nil
	}
	c, err := db.lite.take(ctx, !tx.view)
	if err != nil {
		return nil, err
	}
	word := "BEGIN IMMEDIATE"
	if tx.view {
		word = "BEGIN"
	}
	if _, err := c.ExecContext(ctx, word); err != nil {
		db.lite.give(c, !tx.view, true)
		return nil, err
	}
	tx.q = liteTx{c}
	return func(commit bool) error {
		db.statements.Add(1)
		word, late := "ROLLBACK", ctx.Err()
		if commit && late == nil {
			word = "COMMIT"
		}
		_, err := c.ExecContext(context.WithoutCancel(ctx), word)
		db.lite.give(c, !tx.view, err != nil) // closing the connection undoes what could not be ended
		if err == nil && commit {
			err = late
		}
		return err
	}, nil
}

// exec runs a statement that changes something and returns how many rows it
// changed.
func (tx *Tx) exec(ctx context.Context, q string, args ...any) (int64, error) {
	if tx.view {
		return 0, errView
	}
	if tx.failed != nil {
		return 0, tx.failed
	}
	if err := checkText(args); err != nil {
		return 0, tx.refuse(err)
	}
	tx.db.statements.Add(1)
	res, err := tx.q.ExecContext(ctx, q, args...)
	if err != nil {
		return 0, tx.fail(ctx, err)
	}
	return res.RowsAffected()
}

// row is the part of [sql.Row] and [sql.Rows] that scanning needs.
type row interface{ Scan(dest ...any) error }

// each calls fn with every row that q finds.
func (tx *Tx) each(ctx context.Context, q string, fn func(row) error, args ...any) error {
	if err := checkText(args); err != nil {
		return err
	}
	tx.db.statements.Add(1)
	rows, err := tx.q.QueryContext(ctx, q, args...)
	if err != nil {
		return tx.fail(ctx, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return tx.fail(ctx, err)
	}
	return nil
}

// fail keeps an error of the database: after one PostgreSQL takes no more
// statements in the transaction, so neither do we on SQLite.
func (tx *Tx) fail(ctx context.Context, err error) error {
	return tx.refuse(explain(ctx, err))
}

// refuse keeps an error of our own that came after a change: without it the change
// would be half of one.
func (tx *Tx) refuse(err error) error {
	if tx.failed == nil {
		tx.failed = err
	}
	return err
}

// list runs q and scans every row.
func list[T any](ctx context.Context, tx *Tx, scan func(row) (T, error), q string, args ...any) ([]T, error) {
	var all []T
	err := tx.each(ctx, q, func(r row) error {
		v, err := scan(r)
		if err != nil {
			return err
		}
		all = append(all, v)
		return nil
	}, args...)
	return all, err
}

// errNone says that a statement found no row.
var errNone = &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such thing"}

// one runs q and scans its only row; errNone if there is none.
func one[T any](ctx context.Context, tx *Tx, scan func(row) (T, error), q string, args ...any) (T, error) {
	all, err := list(ctx, tx, scan, q, args...)
	if err != nil || len(all) == 0 {
		var none T
		if err == nil {
			err = errNone
		}
		return none, err
	}
	return all[0], nil
}

// otherwise gives an error of a Kind a message of its own.
func otherwise(err error, kind bonafide.Kind, msg string) error {
	if errors.Is(err, kind) {
		return &bonafide.Error{Kind: kind, Msg: msg, Err: err}
	}
	return err
}

// upTo is the argument of LIMIT; no limit where it is not positive.
func upTo(limit int) int64 {
	if limit <= 0 {
		return math.MaxInt64
	}
	return int64(limit)
}

// micros is how SQL holds a time; 0 is none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// instant is the time of micros.
func instant(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
