package testdb

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Each runs fn on SQLite and, where BONAFIDE_TEST_PG is set, on PostgreSQL. Fresh
// returns the URL of a new and empty database every time it is called; what it
// made is gone when the test ends.
func Each(t *testing.T, fn func(t *testing.T, fresh func() string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, func() string { return SQLite(t) }) })
	t.Run("postgres", func(t *testing.T) {
		NeedPostgres(t)
		fn(t, func() string { return Postgres(t) })
	})
}

// SQLite returns the path of a file that does not exist yet.
func SQLite(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "bonafide.db")
}

// NeedPostgres skips the test where there is no PostgreSQL.
func NeedPostgres(t testing.TB) {
	t.Helper()
	if os.Getenv(Env) == "" {
		t.Skipf("%s is not set: run it through go run ./internal/testdb/cmd/pg -- go test …", Env)
	}
}

var schemas atomic.Int64

// Postgres returns the URL of a new schema on the PostgreSQL that BONAFIDE_TEST_PG
// names, and skips the test where it is not set.
func Postgres(t testing.TB) string {
	t.Helper()
	NeedPostgres(t)
	u, err := url.Parse(os.Getenv(Env))
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		t.Fatalf("%s must be a postgres:// URL", Env)
	}
	schema := fmt.Sprintf("bonafide_test_%d_%d", os.Getpid(), schemas.Add(1))
	run := func(q string) {
		ctx := context.WithoutCancel(t.Context())
		c, err := pgx.Connect(ctx, u.String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(ctx)
		if _, err := c.Exec(ctx, q); err != nil {
			t.Fatal(err)
		}
	}
	drop := "DROP SCHEMA IF EXISTS " + schema + " CASCADE"
	run(drop + "; CREATE SCHEMA " + schema)
	t.Cleanup(func() { run(drop) })
	own := *u
	q := own.Query()
	q.Set("search_path", schema)
	own.RawQuery = q.Encode()
	return own.String()
}
