package store

import (
	"context"
	"sync"
)

// A census counts the rows this process adds to PostgreSQL's tables. PostgreSQL
// itself looks once a minute whether its statistics are of yesterday; until then it
// takes a tenant to have a few rows, and looks up a list of ids by reading all of
// them. A first import would be over before it knows better.
type census struct {
	mu   sync.Mutex
	rows map[string]int64
	next map[string]int64 // the count at which a table is looked at again
}

// The first look is after so many rows, each later one after so many times more.
const (
	firstLook = 1000
	laterLook = 8
)

// add counts rows and returns the tables to look at now.
func (c *census) add(rows map[string]int64) (look []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rows == nil {
		c.rows, c.next = map[string]int64{}, map[string]int64{}
	}
	for name, n := range rows {
		c.rows[name] += n
		if c.rows[name] < max(c.next[name], firstLook) {
			continue
		}
		c.next[name] = c.rows[name] * laterLook
		look = append(look, name)
	}
	return look
}

// analyze has PostgreSQL look at tables that grew a lot. It is of no consequence
// where that fails: PostgreSQL will do so by itself.
func (db *DB) analyze(ctx context.Context, rows map[string]int64) {
	if !db.d.postgres || len(rows) == 0 {
		return
	}
	for _, name := range db.census.add(rows) {
		db.statements.Add(1)
		_, _ = db.pool.ExecContext(ctx, "ANALYZE "+name)
	}
}
