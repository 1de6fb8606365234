package store

import (
	"encoding/json"
	"iter"
	"regexp"
	"strings"
)

// A dialect holds the few words that SQLite and PostgreSQL spell differently.
type dialect struct {
	name     string
	lock     string // ends a SELECT of a row that stays locked until the transaction ends
	skip     string // ends a SELECT of rows that another worker may be claiming
	postgres bool
}

var (
	sqliteDialect   = dialect{name: "sqlite"}
	postgresDialect = dialect{name: "postgres", lock: " FOR UPDATE", skip: " FOR UPDATE SKIP LOCKED", postgres: true}
)

// in says that a text column is one of the list that stands at argument n.
func (d dialect) in(col string, n int) string {
	if d.postgres {
		return col + " = ANY(" + number(n) + ")"
	}
	return col + " IN (SELECT value FROM json_each(" + number(n) + "))"
}

// values is a table v of the texts that stand at argument n, in its column value.
// A subquery for each of them is looked up by its index whatever PostgreSQL thinks
// of the table's size; a list given to [dialect.in] is not, where the table was
// small when the statement was planned.
func (d dialect) values(n int) string {
	if d.postgres {
		return "unnest(" + number(n) + "::text[]) AS v(value)"
	}
	return "json_each(" + number(n) + ") AS v"
}

// list is the argument for [dialect.in] and [dialect.values].
func (d dialect) list(values []string) any {
	if d.postgres {
		return values
	}
	b, _ := json.Marshal(values) // strings always marshal
	return string(b)
}

// inNumbers says that a number column is one of the list that stands at argument n.
func (d dialect) inNumbers(col string, n int) string { return d.in(col, n) }

// numbers is the argument for [dialect.inNumbers].
func (d dialect) numbers(values []int64) any {
	if d.postgres {
		return values
	}
	b, _ := json.Marshal(values) // numbers always marshal
	return string(b)
}

// migration fits the text of a migration to the database. TEXT sorts by its bytes
// on both: by PostgreSQL's own collations an order could differ from machine to
// machine, and an index could break when the system's libraries are renewed.
func (d dialect) migration(text string) string {
	if d.postgres {
		return textType.ReplaceAllString(text, `TEXT COLLATE "C"`)
	}
	return text
}

var textType = regexp.MustCompile(`\bTEXT\b`)

// maxRows bounds the rows of one INSERT on SQLite, whose statements are prepared
// for each number of rows.
const maxRows = 64

// A batch is the source of rows of one INSERT.
type batch struct {
	source string
	args   []any
}

// batches cuts rows into INSERT statements. PostgreSQL takes each column as one
// array, so its statement is the same for every number of rows.
func (d dialect) batches(t table, args []any) iter.Seq[batch] {
	return func(yield func(batch) bool) {
		if len(args) == 0 {
			return
		}
		if d.postgres {
			yield(columns(t, args))
			return
		}
		for width := len(t.cols); len(args) > 0; {
			n := min(len(args)/width, maxRows)
			row := "(?" + strings.Repeat(",?", width-1) + ")"
			b := batch{source: "VALUES " + row + strings.Repeat(","+row, n-1), args: args[:n*width]}
			if args = args[n*width:]; !yield(b) {
				return
			}
		}
	}
}

// columns turns rows into one array per column.
func columns(t table, args []any) batch {
	width := len(t.cols)
	n := len(args) / width
	var source strings.Builder
	source.WriteString("SELECT * FROM unnest(")
	out := make([]any, width)
	for i, c := range t.cols {
		if i > 0 {
			source.WriteString(", ")
		}
		source.WriteString(number(i+1) + "::" + strings.ToLower(c.kind) + "[]")
		switch c.kind {
		case "TEXT":
			out[i] = column1[string](args, i, width, n)
		case "BIGINT":
			out[i] = column1[int64](args, i, width, n)
		case "BYTEA":
			out[i] = column1[[]byte](args, i, width, n)
		case "BOOLEAN":
			out[i] = column1[bool](args, i, width, n)
		}
	}
	source.WriteString(")")
	return batch{source: source.String(), args: out}
}

// column1 gathers column i of rows. A value of another type is a mistake of this
// package and panics.
func column1[T any](args []any, i, width, n int) []T {
	out := make([]T, n)
	for row := range out {
		out[row] = args[row*width+i].(T)
	}
	return out
}
