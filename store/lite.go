package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// lite is an open SQLite file: one connection that writes and several that read.
// Connections are held by us and not by database/sql's pool, because it can keep
// prepared statements for one connection only where the connection is known.
type lite struct {
	path          string
	read, write   *sql.DB
	readers, pens *conns
}

// conns are the connections of one kind. The one used last is used next, because
// its cache is warm.
type conns struct {
	free chan struct{} // one for each that may be taken
	mu   sync.Mutex
	idle []*conn
}

func newConns(n int) *conns {
	c := &conns{free: make(chan struct{}, n)}
	for range n {
		c.free <- struct{}{}
	}
	return c
}

// pop returns an idle connection, or nil.
func (c *conns) pop() *conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.idle) == 0 {
		return nil
	}
	last := c.idle[len(c.idle)-1]
	c.idle = c.idle[:len(c.idle)-1]
	return last
}

// put returns the right to a connection, and the connection unless it is nil.
func (c *conns) put(idle *conn) {
	if idle != nil {
		c.mu.Lock()
		c.idle = append(c.idle, idle)
		c.mu.Unlock()
	}
	c.free <- struct{}{}
}

// drain waits until every connection is back, and closes them.
func (c *conns) drain() error {
	for range cap(c.free) {
		<-c.free
	}
	var errs []error
	for idle := c.pop(); idle != nil; idle = c.pop() {
		errs = append(errs, idle.close())
	}
	return errors.Join(errs...)
}

// A conn is one connection to SQLite with the statements prepared on it.
type conn struct {
	*sql.Conn
	stmts map[string]*sql.Stmt
}

// maxStmts bounds the statements kept per connection. The INSERTs of all tables
// with 1 to 64 rows are more, and a large one takes 100 kB.
const maxStmts = 256

func openLite(path string, readers int) (*lite, error) {
	if err := makeFile(path); err != nil {
		return nil, err
	}
	if readers <= 0 {
		readers = 4
	}
	write, err := sql.Open("sqlite", liteURL(path, "synchronous(FULL)", "cache_size(-65536)", "secure_delete(1)", "wal_autocheckpoint(4000)", "journal_size_limit(67108864)"))
	if err != nil {
		return nil, fmt.Errorf("open sqlite: %w", err)
	}
	read, err := sql.Open("sqlite", liteURL(path, "cache_size(-16384)", "mmap_size(8589934592)", "query_only(1)"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open sqlite: %w", err), write.Close())
	}
	return &lite{path: path, read: read, write: write, readers: newConns(readers), pens: newConns(1)}, nil
}

// take waits for a free connection.
func (l *lite) take(ctx context.Context, writes bool) (*conn, error) {
	from, db := l.readers, l.read
	if writes {
		from, db = l.pens, l.write
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-from.free:
	}
	if c := from.pop(); c != nil {
		return c, nil
	}
	c, err := db.Conn(ctx)
	if err != nil {
		from.put(nil)
		return nil, err
	}
	return &conn{Conn: c, stmts: map[string]*sql.Stmt{}}, nil
}

// give returns a connection; one that is broken is closed and opened anew by the
// next who needs it.
func (l *lite) give(c *conn, writes, broken bool) {
	if broken {
		_ = c.close()
		c = nil
	}
	if writes {
		l.pens.put(c)
	} else {
		l.readers.put(c)
	}
}

// close waits until every connection is free.
func (l *lite) close() error {
	return errors.Join(l.readers.drain(), l.read.Close(),
		l.pens.drain(), l.write.Close()) // the last to go folds the write-ahead log into the file
}

func (c *conn) close() error {
	c.forget()
	return c.Conn.Close()
}

func (c *conn) forget() {
	for q, s := range c.stmts {
		_ = s.Close()
		delete(c.stmts, q)
	}
}

// prepared returns the statement of q, prepared the first time.
func (c *conn) prepared(ctx context.Context, q string) (*sql.Stmt, error) {
	if s := c.stmts[q]; s != nil {
		return s, nil
	}
	if len(c.stmts) >= maxStmts {
		c.forget()
	}
	s, err := c.PrepareContext(ctx, q)
	if err != nil {
		return nil, err
	}
	c.stmts[q] = s
	return s, nil
}

// liteTx is a transaction on a connection to SQLite.
type liteTx struct{ c *conn }

func (t liteTx) ExecContext(ctx context.Context, q string, args ...any) (sql.Result, error) {
	s, err := t.c.prepared(ctx, q) //nolint:sqlclosecheck // it is kept for the next time
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

func (t liteTx) QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	s, err := t.c.prepared(ctx, q) //nolint:sqlclosecheck // it is kept for the next time
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}
