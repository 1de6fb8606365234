package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"bonafide"
)

// Backup writes a consistent copy of the database into a new SQLite file, while
// others go on reading and writing: of SQLite and of PostgreSQL alike. The file
// needs the same root key, and appears under its name when it is whole.
func (db *DB) Backup(ctx context.Context, path string) error {
	if _, err := os.Lstat(path); err == nil {
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: "there is a file of that name already: a backup is never written over anything"}
	}
	part := path + ".part"
	if err := removeLite(part); err != nil {
		return err
	}
	err := db.backup(ctx, part)
	if err == nil {
		err = settle(part, path)
	}
	if err != nil {
		return errors.Join(err, removeLite(part))
	}
	return nil
}

func (db *DB) backup(ctx context.Context, part string) error {
	if db.lite != nil {
		return db.lite.vacuum(ctx, part)
	}
	to, err := Open(ctx, part, db.o)
	if err != nil {
		return err
	}
	return errors.Join(Copy(ctx, db, to), to.Close())
}

// vacuum writes a copy of the file, as of one moment and without free pages.
func (l *lite) vacuum(ctx context.Context, part string) (err error) {
	if err := makeFile(part); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", liteURL(l.path))
	if err != nil {
		return fmt.Errorf("open sqlite: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(ctx, `VACUUM INTO $1`, part)
	return explain(ctx, err)
}

// settle makes part durable and gives it its name.
func settle(part, path string) error {
	if err := syncFile(part); err != nil {
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	return syncFile(filepath.Dir(path))
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// removeLite removes a SQLite file with what stands beside it.
func removeLite(path string) error {
	var errs []error
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// How much a Copy commits at a time.
const (
	copyRows  = 2000
	copyBytes = 4 << 20
)

// copying marks a database that a Copy has not finished; Open refuses it.
const copying = "copying"

// Copy copies every table of from, as of one moment, into the empty database to,
// which must be opened with the same root key. To then has the identity of from,
// the key of its logs included. Where it fails, to is of no use any more and says
// so when it is opened.
func Copy(ctx context.Context, from, to *DB) error {
	return from.View(ctx, func(tx *Tx) error {
		if err := to.prepareCopy(ctx, tx); err != nil {
			return err
		}
		for _, t := range tables {
			if err := tx.copyTable(ctx, t, to); err != nil {
				return fmt.Errorf("copy %s: %w", t.name, err)
			}
		}
		return to.Update(ctx, func(tx *Tx) error {
			_, err := tx.exec(ctx, `DELETE FROM meta WHERE name = $1`, copying)
			return err
		})
	})
}

// prepareCopy checks that db can take a copy of what tx reads, and takes its
// identity away.
func (db *DB) prepareCopy(ctx context.Context, from *Tx) error {
	check, err := from.meta(ctx, "check")
	if err != nil {
		return err
	}
	if _, err := db.root.open(place("meta", "check"), check); err != nil {
		return &bonafide.Error{Kind: bonafide.Denied, Msg: "the two databases have different root keys: give the copy the key of the original", Err: err}
	}
	return db.Update(ctx, func(tx *Tx) error {
		for _, t := range tables {
			if t.name == "meta" {
				continue
			}
			some, err := list(ctx, tx, func(r row) (n int, err error) { return n, r.Scan(&n) }, `SELECT 1 FROM `+t.name+` LIMIT 1`)
			if err != nil {
				return err
			}
			if len(some) > 0 {
				return &bonafide.Error{Kind: bonafide.Conflict, Msg: fmt.Sprintf("the database to copy into is not empty: it has rows in %s", t.name)}
			}
		}
		if _, err := tx.exec(ctx, `DELETE FROM meta`); err != nil {
			return err
		}
		_, err := tx.insert(ctx, "meta", "", []any{copying, []byte{1}})
		return err
	})
}

// copyTable copies the rows of a table in the order of its key.
func (tx *Tx) copyTable(ctx context.Context, t table, to *DB) error {
	var args []any
	size := 0
	flush := func() error {
		batch := args
		args, size = nil, 0
		return to.Update(ctx, func(w *Tx) error {
			_, err := w.insert(ctx, t.name, "", batch)
			return err
		})
	}
	err := tx.each(ctx, `SELECT `+names(t.cols)+` FROM `+t.name+` ORDER BY `+names(t.cols[:t.key]), func(r row) error {
		values, n, err := t.scan(r)
		if err != nil {
			return err
		}
		args, size = append(args, values...), size+n
		if size < copyBytes && len(args) < copyRows*len(t.cols) {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

// scan reads a row of the table and says how many bytes its values have.
func (t table) scan(r row) (values []any, size int, err error) {
	dest := make([]any, len(t.cols))
	for i, c := range t.cols {
		switch c.kind {
		case "TEXT":
			dest[i] = new(string)
		case "BIGINT":
			dest[i] = new(int64)
		case "BYTEA":
			dest[i] = new(any) // tells NULL from empty, on SQLite too
		case "BOOLEAN":
			dest[i] = new(bool)
		}
	}
	if err := r.Scan(dest...); err != nil {
		return nil, 0, err
	}
	values = make([]any, len(dest))
	for i, d := range dest {
		switch d := d.(type) {
		case *string:
			values[i], size = *d, size+len(*d)
		case *int64:
			values[i], size = *d, size+8
		case *any:
			b, _ := (*d).([]byte)
			if *d != nil {
				b = some(b)
			}
			values[i], size = b, size+len(b)
		case *bool:
			values[i], size = *d, size+1
		}
	}
	return values, size, nil
}
