package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"bonafide"
)

// errAgain marks an error after which the same transaction may succeed.
var errAgain = errors.New("the database asks to try again")

// SQLite's result codes, without the extension in their higher bits.
const (
	sqliteBusy     = 5
	sqliteLocked   = 6
	sqliteReadonly = 8
	sqliteIOErr    = 10
	sqliteCorrupt  = 11
	sqliteFull     = 13
	sqliteCantOpen = 14
	sqliteNotADB   = 26

	sqliteNoPrimaryKey = 1555 // these two are whole codes
	sqliteNotUnique    = 2067
)

// explain turns an error of a driver into one that a caller can act on. It never
// repeats a value of a row: of PostgreSQL's errors it takes neither the detail nor,
// where it may quote input, the message.
func explain(ctx context.Context, err error) error {
	if err == nil || errors.As(err, new(*bonafide.Error)) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if late := ctx.Err(); late != nil {
		return late // the driver closes the connection, and says no more than that
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return explainPostgres(pg)
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		return explainSQLite(lite)
	}
	if lost(err) {
		return busy("the connection to the database was lost: try again when it is back; what was just sent may or may not have been stored", cause(err))
	}
	return fmt.Errorf("database: %w", err)
}

func busy(msg string, err error) error {
	return &bonafide.Error{Kind: bonafide.Busy, Msg: msg, Err: err}
}

func explainPostgres(pg *pgconn.PgError) error {
	text := "postgres: SQLSTATE " + pg.Code
	if pg.ConstraintName != "" {
		text += " by " + pg.ConstraintName
	}
	class := pg.Code[:min(2, len(pg.Code))]
	if class != "22" && class != "23" { // those quote what they refuse
		text += ": " + pg.Message
	}
	err := errors.New(text)
	switch {
	case pg.Code == "40001" || pg.Code == "40P01":
		return busy("too many changed the same at once: try again", errors.Join(errAgain, err))
	case pg.Code == "23505":
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: "something with this id is stored already (" + pg.TableName + ")", Err: err}
	case class == "23":
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: "it refers to something that is not stored (" + pg.TableName + ")", Err: err}
	case class == "22":
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "a value cannot be stored as it is", Err: err}
	case pg.Code == "53100":
		return busy("the database's disk is full: free space on it, then try again; nothing was stored", err)
	case class == "53":
		return busy("the database has no resources left (connections, memory): try again later; nothing was stored", err)
	case pg.Code == "25006":
		return busy("the database takes no changes (a standby, or set read-only): point the program at the primary; nothing was stored", err)
	case class == "57" && pg.Code != "57014", class == "08":
		return busy("the database is shutting down or starting: try again in a moment", err)
	case class == "58":
		return busy("the database's disk gave an error: have its administrator look at it; nothing was stored", err)
	}
	return err
}

func explainSQLite(lite *sqlite.Error) error {
	err := fmt.Errorf("sqlite: %w", lite) // names tables and columns, never values
	switch lite.Code() {
	case sqliteNoPrimaryKey, sqliteNotUnique:
		_, where, _ := strings.Cut(lite.Error(), "UNIQUE constraint failed: ")
		where, _, _ = strings.Cut(where, ".")
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: "something with this id is stored already (" + where + ")", Err: err}
	}
	switch lite.Code() & 0xff {
	case sqliteBusy, sqliteLocked:
		return busy("another process is writing to the database file: try again", errors.Join(errAgain, err))
	case sqliteFull:
		return busy("the disk of the database file is full: free space on it, then try again; nothing was stored", err)
	case sqliteReadonly:
		return busy("the database file cannot be written to: check its permissions and that its disk is not mounted read-only; nothing was stored", err)
	case sqliteIOErr:
		return busy("the disk of the database file gave an error: check that it is healthy and has space; nothing was stored", err)
	case sqliteCantOpen:
		return busy("the database file cannot be opened: check that its folder exists and may be written to", err)
	case sqliteCorrupt, sqliteNotADB:
		return fmt.Errorf("the database file is damaged or is no SQLite database: restore a backup: %w", err)
	case 19: // constraint
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: "it refers to something that is not stored", Err: err}
	}
	return err
}

// lost reports whether err says that the connection is gone.
func lost(err error) bool {
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.As(err, new(*pgconn.ConnectError)) || errors.As(err, new(net.Error)) || strings.Contains(err.Error(), "conn closed")
}

// cause is what the log may say of a lost connection; a driver's own words may
// hold the password.
func cause(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op
	}
	return errors.New("connection lost")
}
