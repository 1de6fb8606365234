package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"

	"bonafide"
	"bonafide/internal/testdb"
)

func TestOpenAgain(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		o, _ := testOptions(1)
		key := func() (skey, vkey string, secret []byte) {
			db, err := Open(t.Context(), url, o)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			update(t, db, func(ctx context.Context, tx *Tx) error {
				tenants, err := tx.Tenants(ctx)
				if err == nil && len(tenants) == 0 {
					err = tx.AddTenant(ctx, lender, "A Lender", clerk)
				}
				return err
			})
			view(t, db, func(ctx context.Context, tx *Tx) (err error) {
				if skey, vkey, err = tx.SigningKey(ctx); err != nil {
					return err
				}
				secret, err = tx.Secret(ctx, lender)
				return err
			})
			return skey, vkey, secret
		}
		skey, vkey, secret := key()
		skey2, vkey2, secret2 := key()
		if skey != skey2 || vkey != vkey2 || !bytes.Equal(secret, secret2) || len(secret) != 32 {
			t.Error("the keys are others when the database is opened again")
		}
		if _, err := note.NewSigner(skey); err != nil {
			t.Error(err)
		}
		if _, err := note.NewVerifier(vkey); err != nil {
			t.Error(err)
		}
		wrong := o
		wrong.RootKey = bytes.Repeat([]byte{1}, 32)
		_, err := Open(t.Context(), url, wrong)
		if !errors.Is(err, bonafide.Denied) || !strings.Contains(err.Error(), "root key") {
			t.Errorf("another root key: %v", err)
		}
		wrong.RootKey = wrong.RootKey[:16]
		if _, err := Open(t.Context(), url, wrong); !errors.Is(err, bonafide.Invalid) {
			t.Errorf("a short root key: %v", err)
		}
	})
}

// Processes that start at once on a new database agree on its schema and keys.
func TestOpenAtOnce(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		var mu sync.Mutex
		keys := map[string]int{}
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				o, _ := testOptions(byte(i))
				db, err := Open(t.Context(), url, o)
				if err != nil {
					t.Error(err)
					return
				}
				defer db.Close()
				view(t, db, func(ctx context.Context, tx *Tx) error {
					_, vkey, err := tx.SigningKey(ctx)
					mu.Lock()
					keys[vkey]++
					mu.Unlock()
					return err
				})
			})
		}
		wg.Wait()
		if len(keys) != 1 {
			t.Errorf("%d signing keys, want 1", len(keys))
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	o, _ := testOptions(1)
	notSQL := testdb.SQLite(t)
	if err := os.WriteFile(notSQL, bytes.Repeat([]byte("not a database "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ url, want string }{
		"no folder":      {testdb.SQLite(t) + "/x/y.db", "folder"},
		"no database":    {notSQL, "restore a backup"},
		"no URL":         {"postgres://%zz", "cannot be read"},
		"nobody listens": {"postgres://user:canary@127.0.0.1:1/x?sslmode=disable", "connection to the database was lost"},
	} {
		_, err := Open(t.Context(), c.url, o)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(fmt.Sprintf("%+v", err), "canary") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := Open(t.Context(), testdb.SQLite(t), Options{RootKey: testID}); err == nil {
		t.Error("opened without a clock")
	}
}

// A path is a path, whatever characters are in it, and others may not read it.
func TestOpenStrangePath(t *testing.T) {
	for _, name := range []string{"a b?c%20#d&mode=ro.db", "数据库.db"} {
		path := t.TempDir() + "/" + name
		db, _ := openTest(t, path)
		verified(t, db)
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

// A database of the first version is brought up to date with what is in it.
func TestUpgrade(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		o, _ := testOptions(1)
		db, err := Open(t.Context(), url, o)
		if err != nil {
			t.Fatal(err)
		}
		known, err := db.d.migrations(migrationFiles)
		if err != nil || len(known) < 2 {
			t.Fatal(known, err)
		}
		cs := complaints(1, 20, 50, 40, 30)
		cs[3].Received = time.Time{}
		update(t, db, func(ctx context.Context, tx *Tx) error {
			if err := tx.AddTenant(ctx, lender, "A Lender", clerk); err != nil {
				return err
			}
			_, err := tx.AddComplaints(ctx, lender, clerk, cs)
			return err
		})
		toFirst(t, db, known)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if db, err = Open(t.Context(), url, o); err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		view(t, db, func(ctx context.Context, tx *Tx) error {
			got, err := tx.Complaint(ctx, lender, cs[7].ID)
			if err != nil || !bytes.Equal(got.Body, cs[7].Body) {
				t.Errorf("a complaint from before: %v", err)
			}
			rows, err := tx.Unclocked(ctx, lender, 0)
			if err != nil || len(rows) != 20 || rows[7].Complaint != cs[7].ID || !rows[7].Received.Equal(cs[7].Received) || rows[3].Received.IsZero() || rows[0].State != "received" {
				t.Errorf("tracks of complaints from before: %d, %v", len(rows), err)
			}
			days, err := tx.Tallies(ctx, lender, 0)
			if err != nil || len(days) == 0 {
				t.Errorf("tallies of complaints from before: %v, %v", days, err)
			}
			return nil
		})
		update(t, db, func(ctx context.Context, tx *Tx) error { return tx.AddWebhook(ctx, lender, clerk, Webhook{ID: "W"}) })
		if n := verified(t, db); n != 22 {
			t.Errorf("%d entries, want 22", n)
		}
		// An older program refuses what a newer one made.
		err = db.migrate(t.Context(), known[:1])
		if !errors.Is(err, bonafide.Conflict) || !strings.Contains(err.Error(), known[1].name) {
			t.Errorf("a newer schema: %v", err)
		}
		if err := db.migrate(t.Context(), nil); err != nil {
			t.Errorf("migrate again: %v", err)
		}
	})
}

// toFirst takes a database back to what the first migration made.
func toFirst(t *testing.T, db *DB, known []migration) {
	t.Helper()
	drop := regexp.MustCompile(`CREATE (?:UNIQUE )?(TABLE|INDEX) ([a-z_]+)`)
	added := regexp.MustCompile(`ALTER TABLE ([a-z_]+) ADD COLUMN ([a-z_]+)`)
	update(t, db, func(ctx context.Context, tx *Tx) error {
		for _, m := range slices.Backward(known[1:]) {
			for _, d := range added.FindAllStringSubmatch(m.text, -1) {
				if err := tx.script(ctx, "ALTER TABLE "+d[1]+" DROP COLUMN "+d[2]); err != nil {
					return err
				}
			}
			found := drop.FindAllStringSubmatch(m.text, -1)
			for _, d := range slices.Backward(found) {
				if err := tx.script(ctx, "DROP "+d[1]+" "+d[2]); err != nil {
					return err
				}
			}
			if err := tx.script(ctx, "DELETE FROM migration WHERE name = '"+m.name+"'"); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestMigrationsOfADialect(t *testing.T) {
	from := fstest.MapFS{}
	for name, text := range map[string]string{
		"0001_a.sql": "both TEXT", "0002_b.postgres.sql": "pg", "0002_b.sqlite.sql": "lite", "0003_c.sql": "both", "0003_c.sqlite.sql": "lite", "0003_c.postgres.sql": "pg",
		"0004_d.sqlite.sql": "lite only", "0010_e.sql": "TEXTUAL",
	} {
		from["migrations/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	for d, want := range map[dialect][]migration{
		sqliteDialect:   {{"0001_a", "both TEXT"}, {"0002_b", "lite"}, {"0003_c", "lite"}, {"0004_d", "lite only"}, {"0010_e", "TEXTUAL"}},
		postgresDialect: {{"0001_a", `both TEXT COLLATE "C"`}, {"0002_b", "pg"}, {"0003_c", "pg"}, {"0010_e", "TEXTUAL"}},
	} {
		got, err := d.migrations(from)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(migration{})); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", d.name, err, diff)
		}
	}
}

// What was acknowledged must survive a loss of power: that cannot be tried here, so
// the settings it hangs on are looked at.
func TestSQLiteSettings(t *testing.T) {
	db, _ := openTest(t, testdb.SQLite(t))
	for writes, want := range map[bool]map[string]string{
		true:  {"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "secure_delete": "1", "busy_timeout": "10000", "query_only": "0"},
		false: {"journal_mode": "wal", "foreign_keys": "1", "busy_timeout": "10000", "query_only": "1"},
	} {
		c, err := db.lite.take(t.Context(), writes)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range want {
			var got string
			if err := c.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&got); err != nil || got != value {
				t.Errorf("writes %v: %s = %s, %v; want %s", writes, name, got, err, value)
			}
		}
		db.lite.give(c, writes, false)
	}
}

// A migration that fails leaves nothing of itself.
func TestMigrationIsOneTransaction(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		known, err := db.d.migrations(migrationFiles)
		if err != nil {
			t.Fatal(err)
		}
		bad := append(slices.Clone(known), migration{"9998_a", `CREATE TABLE made (x TEXT)`}, migration{"9999_b", `CREATE TABLE oops (`})
		if err := db.migrate(t.Context(), bad); err == nil {
			t.Fatal("no error")
		}
		err = db.View(t.Context(), func(tx *Tx) error { return tx.each(t.Context(), `SELECT x FROM made`, func(row) error { return nil }) })
		if err == nil {
			t.Error("the first half of a failed migration is there")
		}
		if err := db.migrate(t.Context(), nil); err != nil {
			t.Error(err)
		}
	})
}

// The list of tables is what the migrations make, to the last column.
func TestTablesAreTheSchema(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		q := `SELECT m.name, c.name, c.type FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid`
		if db.d.postgres {
			q = `SELECT table_name, column_name, upper(data_type) FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY table_name COLLATE "C", ordinal_position`
		}
		var got, want []string
		view(t, db, func(ctx context.Context, tx *Tx) (err error) {
			got, err = list(ctx, tx, func(r row) (string, error) {
				var tb, c, kind string
				err := r.Scan(&tb, &c, &kind)
				return tb + "." + c + " " + kind, err
			}, q)
			return err
		})
		for _, tb := range append(slices.Clone(tables), newTable("migration", 1, "name TEXT")) {
			for _, c := range tb.cols {
				want = append(want, tb.name+"."+c.name+" "+c.kind)
			}
		}
		slices.SortStableFunc(want, func(a, b string) int {
			return strings.Compare(a[:strings.Index(a, ".")], b[:strings.Index(b, ".")])
		})
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("columns (-want +got):\n%s", d)
		}
	})
}

func TestNewID(t *testing.T) {
	db, c := openTest(t, testdb.SQLite(t))
	form := regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{26}$`)
	last := ""
	for i := range 5000 {
		if i == 1000 {
			c.add(-time.Hour) // the clock goes back, ids do not
		}
		if i == 2000 {
			c.add(2 * time.Hour)
		}
		id := db.NewID()
		if id <= last || !form.MatchString(id) {
			t.Fatalf("id %d = %s behind %s", i, id, last)
		}
		last = id
	}
}

// Text sorts by its bytes on both databases, whatever language the server speaks.
func TestTextSortsByBytes(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		want := []string{"10", "9", "B", "Z", "_", "a", "b", "Ä", "ä", "客"}
		update(t, db, func(ctx context.Context, tx *Tx) error {
			for _, id := range want {
				if err := tx.SaveVerdicts(ctx, lender, clerk, []VerdictRow{{Complaint: id}}, nil); err != nil {
					return err
				}
			}
			return nil
		})
		var got []string
		view(t, db, func(ctx context.Context, tx *Tx) error {
			got = nil
			for after := ""; ; {
				page, err := tx.Verdicts(ctx, lender, after, 3)
				if err != nil || len(page) == 0 {
					return err
				}
				for _, v := range page {
					got = append(got, v.Complaint)
				}
				after = got[len(got)-1]
			}
		})
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("the order (-want +got):\n%s", d)
		}
	})
}

func TestPing(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		if err := db.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := db.Ping(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Ping after the end: %v", err)
		}
		if d := db.Dialect(); d != "sqlite" && d != "postgres" {
			t.Errorf("Dialect = %q", d)
		}
	})
}
