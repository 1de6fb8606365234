// Package store keeps everything in SQL. The same statements run on SQLite and on
// PostgreSQL; [dialect] holds the few words that differ.
//
// What a transaction changes of a tenant and what the tenant's log says of it are
// one: [Tx.Record] buffers log entries, and [DB.Update] writes them, with the new
// head of the log, before it commits. The head's row is locked by the first change,
// so that the changes of a tenant have one order on both databases. Jobs, answers
// to repeated requests, events, deliveries and checkpoints follow from changes that
// are logged and leave no entry of their own.
//
// Personal data is sealed under a key of its subject (see vault.go); nothing
// personal stands in an id, in the log, or in an error.
//
// A list takes what comes behind the last id or number of the page before, and a
// limit; one that is not positive is none.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // driver "sqlite"

	"bonafide"
)

// Options are what a store needs of the world.
type Options struct {
	RootKey []byte           // 32 bytes; wraps every other key
	Now     func() time.Time // the clock
	Random  io.Reader        // of keys, nonces and ids; not to be guessed
	// Readers is how many connections read from SQLite at once, or use PostgreSQL
	// at once; 0 is 4 and 16.
	Readers int
}

// A DB is an open database. It may be used by many goroutines at once.
type DB struct {
	d      dialect
	o      Options
	now    func() time.Time
	random *lockedReader
	root   *sealer
	ids    ids

	pool *sql.DB // PostgreSQL; nil on SQLite
	lite *lite   // SQLite; nil on PostgreSQL

	statements atomic.Uint64
	census     census
}

// Open opens url, a file path or a postgres:// URL, and brings its schema up to
// date. It refuses a root key that the database was not made with and a schema
// newer than the program.
func Open(ctx context.Context, url string, o Options) (*DB, error) {
	db, err := open(url, o)
	if err != nil {
		return nil, err
	}
	if err = db.migrate(ctx, nil); err == nil {
		err = db.identify(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func open(url string, o Options) (*DB, error) {
	if o.Now == nil || o.Random == nil {
		return nil, errors.New("store: Options need a clock and a random source")
	}
	root, err := newSealer(o.RootKey)
	if err != nil {
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("the root key must be 32 bytes and has %d", len(o.RootKey))}
	}
	random := &lockedReader{r: o.Random}
	o.Random = random // for a backup, which opens a database too
	db := &DB{d: sqliteDialect, o: o, now: o.Now, random: random, root: root}
	if !strings.HasPrefix(url, "postgres://") && !strings.HasPrefix(url, "postgresql://") {
		db.lite, err = openLite(url, o.Readers)
		return db, err
	}
	db.d = postgresDialect
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: "the URL of the database cannot be read: it should be postgres://user:password@host:port/name"}
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "bonafide"
	}
	n := o.Readers
	if n <= 0 {
		n = 16
	}
	db.pool = stdlib.OpenDB(*config, stdlib.OptionAfterConnect(planOnce))
	db.pool.SetMaxOpenConns(n)
	db.pool.SetMaxIdleConns(n)
	db.pool.SetConnMaxIdleTime(5 * time.Minute)
	return db, nil
}

// planOnce has PostgreSQL plan each statement for any arguments. All of ours find
// their rows by an index; planned for the very arguments, on tables whose
// statistics are not of today, a list of 256 ids was looked up by reading all rows
// of the tenant: 20 ms instead of 0.6.
func planOnce(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, `SET plan_cache_mode = force_generic_plan`)
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "42704" {
		return nil // kin of PostgreSQL that do not know the setting
	}
	return err
}

// Close waits for running transactions and closes the database.
func (db *DB) Close() error {
	if db.lite != nil {
		return db.lite.close()
	}
	return db.pool.Close()
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	return db.View(ctx, func(tx *Tx) error {
		_, err := one(ctx, tx, func(r row) (n int, err error) { return n, r.Scan(&n) }, `SELECT 1`)
		return err
	})
}

// Dialect names the database: "sqlite" or "postgres".
func (db *DB) Dialect() string { return db.d.name }

// Statements counts the SQL round trips since Open, those that begin and end
// transactions among them.
func (db *DB) Statements() uint64 { return db.statements.Load() }

// liteURL names a SQLite file for the driver, with the settings of its connections.
// The driver runs them in the order of the alphabet.
func liteURL(path string, settings ...string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	q := url.Values{"_txlock": {"immediate"}, "_dqs": {"0"}, "_error_rc": {"1"}, "_journal_mode": {"WAL"}}
	for _, s := range append([]string{"busy_timeout(10000)", "foreign_keys(1)", "temp_store(MEMORY)", "trusted_schema(0)"}, settings...) {
		q.Add("_pragma", s)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// makeFile creates a database file that only its owner may read, and leaves one
// that is there.
func makeFile(path string) error {
	f, err := os.OpenFile(filepath.Clean(path), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		if pe, ok := errors.AsType[*os.PathError](err); ok {
			err = pe.Err // without the path
		}
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("the database file cannot be opened for writing: %v; check its folder and permissions", err), Err: err}
	}
	return f.Close()
}
