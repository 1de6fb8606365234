package store

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"bonafide"
)

// A table is one of the schema. Its columns stand in the order of the migrations.
type table struct {
	name string
	key  int // its first columns, that many, tell its rows apart
	cols []column
}

// A column has one of the types that both databases know: TEXT, BIGINT, BYTEA or
// BOOLEAN.
type column struct{ name, kind string }

// tables lists the schema; a table stands behind those it refers to.
var tables = []table{
	newTable("meta", 1, "name TEXT", "value BYTEA"),
	newTable("tenant", 1, "id TEXT", "name TEXT", "created BIGINT", "secret BYTEA"),
	newTable("head", 1, "tenant TEXT", "entries BIGINT", "complaints BIGINT", "events BIGINT", "edge BYTEA"),
	newTable("entry", 2, "tenant TEXT", "id BIGINT", "data BYTEA", "nodes BYTEA"),
	newTable("checkpoint", 2, "tenant TEXT", "size BIGINT", "at BIGINT", "text BYTEA"),
	newTable("subject", 2, "tenant TEXT", "id TEXT", "key BYTEA", "created BIGINT", "erased BIGINT"),
	newTable("complaint", 2, "tenant TEXT", "id TEXT", "seq BIGINT", "received BIGINT", "stored BIGINT", "channel TEXT", "subject TEXT", "state TEXT", "digest BYTEA", "body BYTEA"),
	newTable("trace", 2, "tenant TEXT", "seq BIGINT", "complaint TEXT", "subject TEXT", "body BYTEA"),
	newTable("screening", 2, "tenant TEXT", "complaint TEXT", "at BIGINT", "body BYTEA"),
	newTable("record", 3, "tenant TEXT", "kind TEXT", "id TEXT", "subject TEXT", "at BIGINT", "stored BIGINT", "version BIGINT", "digest BYTEA", "body BYTEA"),
	newTable("record_version", 4, "tenant TEXT", "kind TEXT", "id TEXT", "version BIGINT", "subject TEXT", "at BIGINT", "stored BIGINT", "digest BYTEA", "body BYTEA"),
	newTable("verdict", 2, "tenant TEXT", "complaint TEXT", "level TEXT", "route TEXT", "ring TEXT", "template TEXT", "body BYTEA"),
	newTable("template", 2, "tenant TEXT", "id TEXT", "size BIGINT", "body BYTEA"),
	newTable("ring", 2, "tenant TEXT", "id TEXT", "state TEXT", "level TEXT", "size BIGINT", "customers BIGINT", "found BOOLEAN", "created BIGINT", "updated BIGINT", "reason TEXT", "body BYTEA"),
	newTable("ring_member", 3, "tenant TEXT", "ring TEXT", "complaint TEXT"),
	newTable("apart", 3, "tenant TEXT", "a TEXT", "b TEXT", "author TEXT", "at BIGINT", "reason TEXT"),
	newTable("tag", 2, "tenant TEXT", "id TEXT", "kind TEXT", "place TEXT", "reason TEXT", "evidence TEXT", "ring TEXT", "author TEXT", "created BIGINT", "expires BIGINT", "renewed BIGINT", "removed BIGINT", "removed_by TEXT", "removed_why TEXT", "expired BIGINT"),
	newTable("job", 1, "id TEXT", "tenant TEXT", "kind TEXT", "arg TEXT", "state TEXT", "attempt BIGINT", "due BIGINT", "owner TEXT", "lease BIGINT", "error TEXT"),
	newTable("answer", 3, "tenant TEXT", "actor TEXT", "key TEXT", "digest BYTEA", "status BIGINT", "body BYTEA", "expires BIGINT"),
	newTable("api_key", 2, "tenant TEXT", "id TEXT", "name TEXT", "hash BYTEA", "scopes TEXT", "rate BIGINT", "created BIGINT", "expires BIGINT", "revoked BIGINT", "replaces TEXT", "purpose TEXT"),
	newTable("person", 2, "tenant TEXT", "id TEXT", "login BYTEA", "subject BYTEA", "roles TEXT", "created BIGINT", "disabled BIGINT", "must_change BOOLEAN", "password BYTEA", "body BYTEA"),
	newTable("passkey", 2, "tenant TEXT", "id TEXT", "person TEXT", "credential BYTEA", "created BIGINT", "used BIGINT", "body BYTEA"),
	newTable("session", 2, "tenant TEXT", "hash BYTEA", "person TEXT", "how TEXT", "started BIGINT", "seen BIGINT", "recent BIGINT"),
	newTable("attempt", 1, "who TEXT", "failures BIGINT", "locked BIGINT", "at BIGINT"),
	newTable("event", 2, "tenant TEXT", "seq BIGINT", "type TEXT", "at BIGINT", "kind TEXT", "target TEXT", "ring TEXT", "other TEXT", "level TEXT", "count BIGINT", "reason TEXT"),
	newTable("webhook", 2, "tenant TEXT", "id TEXT", "url TEXT", "secret BYTEA", "events TEXT", "created BIGINT", "disabled BIGINT"),
	newTable("delivery", 2, "tenant TEXT", "id TEXT", "webhook TEXT", "event BIGINT", "state TEXT", "attempt BIGINT", "due BIGINT", "status BIGINT", "error TEXT"),
	newTable("reader", 2, "tenant TEXT", "name TEXT", "seq BIGINT", "owner TEXT", "lease BIGINT"),
	newTable("track", 2, "tenant TEXT", "complaint TEXT", "seq BIGINT", "channel TEXT", "region TEXT", "pack TEXT", "state TEXT", "received BIGINT", "since BIGINT", "due BIGINT", "assignee TEXT", "outcome TEXT", "ended BIGINT", "late BIGINT", "version BIGINT", "body BYTEA"),
	newTable("track_step", 3, "tenant TEXT", "complaint TEXT", "n BIGINT", "at BIGINT", "subject TEXT", "body BYTEA"),
	newTable("tally", 4, "tenant TEXT", "day BIGINT", "channel TEXT", "region TEXT", "count BIGINT"),
	newTable("appeal", 2, "tenant TEXT", "id TEXT", "complaint TEXT", "ring TEXT", "state TEXT", "filed BIGINT", "filed_by TEXT", "decided BIGINT", "decided_by TEXT", "subject TEXT", "body BYTEA"),
	newTable("exempt", 2, "tenant TEXT", "complaint TEXT", "appeal TEXT", "author TEXT", "at BIGINT"),
	newTable("policy", 2, "tenant TEXT", "id TEXT", "name TEXT", "state TEXT", "author TEXT", "created BIGINT", "updated BIGINT", "version BIGINT", "text TEXT", "body BYTEA"),
	newTable("public_letter", 2, "tenant TEXT", "id TEXT", "name TEXT", "author TEXT", "at BIGINT", "body BYTEA"),
	newTable("import", 2, "tenant TEXT", "id TEXT", "author TEXT", "at BIGINT", "state TEXT", "size BIGINT", "done BIGINT", "stored BIGINT", "same BIGINT", "bad BIGINT", "version BIGINT", "body BYTEA"),
	newTable("upload", 3, "tenant TEXT", "import TEXT", "part BIGINT", "body BYTEA"),
	newTable("quarantine", 2, "tenant TEXT", "id TEXT", "import TEXT", "line BIGINT", "at BIGINT", "state TEXT", "field TEXT", "problem TEXT", "subject TEXT", "body BYTEA"),
	newTable("filter", 3, "tenant TEXT", "person TEXT", "name TEXT", "query TEXT"),
	newTable("setting", 2, "tenant TEXT", "name TEXT", "value TEXT"),
	newTable("sheet", 3, "tenant TEXT", "kind TEXT", "id TEXT", "complaint TEXT", "subject TEXT", "state TEXT", "author TEXT", "at BIGINT", "due BIGINT", "version BIGINT", "body BYTEA"),
	newTable("confirmation", 2, "tenant TEXT", "hash BYTEA", "sheet TEXT", "way TEXT", "code BYTEA", "made BIGINT", "expires BIGINT", "tries BIGINT", "used BIGINT"),
	newTable("merit", 2, "tenant TEXT", "complaint TEXT", "subject TEXT", "at BIGINT", "found TEXT", "body BYTEA"),
	newTable("fresh", 2, "tenant TEXT", "subject TEXT", "n BIGINT"),
	newTable("known", 2, "tenant TEXT", "complaint TEXT", "subject TEXT", "at BIGINT", "body BYTEA"),
	newTable("incident", 2, "tenant TEXT", "id TEXT", "rule TEXT", "size BIGINT", "began BIGINT", "at BIGINT", "body TEXT"),
	newTable("model", 2, "tenant TEXT", "id TEXT", "state TEXT", "author TEXT", "at BIGINT", "version BIGINT", "body TEXT"),
	newTable("case_file", 2, "tenant TEXT", "id TEXT", "number BIGINT", "stage TEXT", "outcome TEXT", "assignee TEXT", "gang BOOLEAN", "hold BOOLEAN", "begun BIGINT", "since BIGINT", "due BIGINT", "amounts TEXT", "version BIGINT", "body BYTEA"),
	newTable("case_link", 4, "tenant TEXT", "case_id TEXT", "kind TEXT", "target TEXT"),
	newTable("case_held", 3, "tenant TEXT", "case_id TEXT", "subject TEXT"),
	newTable("case_step", 3, "tenant TEXT", "case_id TEXT", "n BIGINT", "at BIGINT", "what TEXT", "origin TEXT", "stage TEXT", "actor TEXT", "outcome TEXT", "body BYTEA"),
	newTable("item", 2, "tenant TEXT", "id TEXT", "case_id TEXT", "n BIGINT", "subject TEXT", "at BIGINT", "sha256 BYTEA", "sm3 BYTEA", "size BIGINT", "address TEXT", "custody BIGINT", "body BYTEA"),
	newTable("custody", 3, "tenant TEXT", "item TEXT", "n BIGINT", "entry BIGINT"),
	newTable("seal", 4, "tenant TEXT", "case_id TEXT", "variant TEXT", "n BIGINT", "at BIGINT", "entry BIGINT", "size BIGINT", "manifest BYTEA", "checkpoint BYTEA", "token BYTEA", "roots BYTEA", "facts BYTEA", "address TEXT", "body BYTEA"),
	newTable("seal_subject", 5, "tenant TEXT", "case_id TEXT", "variant TEXT", "n BIGINT", "subject TEXT"),
	newTable("stamp", 2, "tenant TEXT", "size BIGINT", "at BIGINT", "token BYTEA"),
	newTable("detector", 2, "tenant TEXT", "name TEXT", "off BOOLEAN", "at BIGINT", "reason TEXT"),
}

func newTable(name string, key int, cols ...string) table {
	t := table{name: name, key: key}
	for _, c := range cols {
		n, kind, _ := strings.Cut(c, " ")
		t.cols = append(t.cols, column{n, kind})
	}
	return t
}

func tableNamed(name string) table {
	for _, t := range tables {
		if t.name == name {
			return t
		}
	}
	panic("store: no table " + name)
}

// names lists columns of a table.
func names(cols []column) string {
	out := make([]string, len(cols))
	for i, c := range cols {
		out[i] = c.name
	}
	return strings.Join(out, ", ")
}

// insert adds rows to a table, whose values stand in args one row after the other
// in the order of the columns, and returns how many. Conflict is an ON CONFLICT
// clause or nothing.
func (tx *Tx) insert(ctx context.Context, name, conflict string, args []any) (int64, error) {
	t := tableNamed(name)
	var n int64
	for batch := range tx.db.d.batches(t, args) {
		k, err := tx.exec(ctx, "INSERT INTO "+t.name+" ("+names(t.cols)+") "+batch.source+conflict, batch.args...)
		if err != nil {
			return n, err
		}
		n += k
	}
	tx.added[name] += n
	return n, nil
}

// overwrite is the ON CONFLICT clause that puts a row over the one with its key.
func overwrite(name string) string {
	t := tableNamed(name)
	var b strings.Builder
	b.WriteString(" ON CONFLICT (" + names(t.cols[:t.key]) + ") DO UPDATE SET ")
	for i, c := range t.cols[t.key:] {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c.name + " = excluded." + c.name)
	}
	return b.String()
}

// checkText refuses text that PostgreSQL could not hold, so that both databases
// take the same.
func checkText(args []any) error {
	for _, a := range args {
		switch a := a.(type) {
		case string:
			if !storable(a) {
				return errText
			}
		case []string:
			for _, s := range a {
				if !storable(s) {
					return errText
				}
			}
		}
	}
	return nil
}

var errText = &bonafide.Error{Kind: bonafide.Invalid, Msg: "an id or a text has a zero byte or is not UTF-8: it cannot be stored"}

func storable(s string) bool { return strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) }

var errView = errors.New("store: a change inside View")

// number writes $n.
func number(n int) string { return "$" + strconv.Itoa(n) }
