package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"bonafide"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// A migration is one step of the schema.
type migration struct{ name, text string }

// migrations lists the steps for a database, in order. 0002_x.sql is for both; if
// one needs its own words, 0002_x.sqlite.sql or 0002_x.postgres.sql stands in its
// place.
func (d dialect) migrations(from fs.FS) ([]migration, error) {
	files, err := fs.Glob(from, "migrations/*.sql") // sorted
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	var all []migration
	for _, f := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(f, "migrations/"), ".sql")
		base, only, _ := strings.Cut(name, ".")
		if only != "" && only != d.name {
			continue
		}
		text, err := fs.ReadFile(from, f)
		if err != nil {
			return nil, err
		}
		if _, seen := texts[base]; !seen {
			all = append(all, migration{name: base})
		}
		if _, seen := texts[base]; !seen || only != "" { // the one for both may come before or after
			texts[base] = d.migration(string(text))
		}
	}
	for i := range all {
		all[i].text = texts[all[i].name]
	}
	return all, nil
}

// migrate applies each migration once, in order, all in one transaction. Processes
// that start at once wait for each other. Known are the migrations to apply; nil is
// all that the program has.
func (db *DB) migrate(ctx context.Context, known []migration) error {
	if known == nil {
		var err error
		if known, err = db.d.migrations(migrationFiles); err != nil {
			return err
		}
	}
	if err := db.makeMigrationTable(ctx); err != nil {
		return err
	}
	return db.Update(ctx, func(tx *Tx) error {
		if tx.db.d.postgres {
			if err := tx.script(ctx, `LOCK TABLE migration IN EXCLUSIVE MODE`); err != nil {
				return err
			}
		}
		done, err := list(ctx, tx, func(r row) (s string, err error) { return s, r.Scan(&s) }, `SELECT name FROM migration ORDER BY name`)
		if err != nil {
			return err
		}
		for _, name := range done {
			if !slices.ContainsFunc(known, func(m migration) bool { return m.name == name }) {
				return &bonafide.Error{Kind: bonafide.Conflict, Msg: fmt.Sprintf("the database was brought up to date by a newer program (migration %s): start that program, or restore a backup made before it", name)}
			}
		}
		for _, m := range known {
			if slices.Contains(done, m.name) {
				continue
			}
			if err := tx.script(ctx, m.text); err != nil {
				return fmt.Errorf("migration %s: %w", m.name, err)
			}
			if _, err := tx.exec(ctx, `INSERT INTO migration (name) VALUES ($1)`, m.name); err != nil {
				return err
			}
		}
		return nil
	})
}

// makeMigrationTable makes the table of migrations. On PostgreSQL two who make it
// at once can both be told that it is there already.
func (db *DB) makeMigrationTable(ctx context.Context) error {
	const q = `CREATE TABLE IF NOT EXISTS migration (name TEXT NOT NULL PRIMARY KEY)`
	for try := 1; ; try++ {
		var code string
		err := db.Update(ctx, func(tx *Tx) error {
			tx.db.statements.Add(1)
			_, err := tx.q.ExecContext(ctx, db.d.migration(q))
			if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
				code = pg.Code
			}
			return explain(ctx, err)
		})
		if err == nil || try == maxTries || code != "23505" && code != "42P07" && code != "42710" {
			return err
		}
	}
}

// script runs several statements that take no arguments.
func (tx *Tx) script(ctx context.Context, text string) error {
	tx.db.statements.Add(1)
	var err error
	if t, ok := tx.q.(liteTx); ok {
		_, err = t.c.ExecContext(ctx, text)
	} else {
		_, err = tx.q.ExecContext(ctx, text)
	}
	if err != nil {
		return tx.fail(ctx, err)
	}
	return nil
}
