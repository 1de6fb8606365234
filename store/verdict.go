package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"

	"bonafide"
)

// A VerdictRow is what is proposed for a complaint. Body is the JSON of a
// bonafide.Verdict.
type VerdictRow struct {
	Complaint, Level, Route, Ring, Template string
	Body                                    []byte
}

// SaveVerdicts stores verdicts over earlier ones and drops those of other
// complaints. The log says how many of each level, and a digest of all of them.
func (tx *Tx) SaveVerdicts(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, put []VerdictRow, drop []string) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	if len(drop) > 0 {
		if _, err := tx.exec(ctx, `DELETE FROM verdict WHERE tenant = $1 AND `+tx.db.d.in("complaint", 2), string(t), tx.db.d.list(drop)); err != nil {
			return err
		}
	}
	var args []any
	levels := map[string]int{}
	sum := newSum()
	at := map[string]int{}
	for _, v := range put {
		levels[v.Level]++
		sum.add(v.Complaint, v.Level, v.Route, v.Ring, v.Template, string(v.Body))
		args = lastWins(at, args, v.Complaint, string(t), v.Complaint, v.Level, v.Route, v.Ring, v.Template, some(v.Body))
	}
	if _, err := tx.insert(ctx, "verdict", overwrite("verdict"), args); err != nil {
		return err
	}
	return tx.Record(ctx, t, actor, "verdicts.saved", "verdicts", map[string]any{
		"put": len(put), "dropped": len(drop), "levels": levels, "digest": sum.hex(), "dropped_digest": digestOf(drop...),
	})
}

// lastWins appends a row, or puts it over the earlier one with its key: one INSERT
// of PostgreSQL must not touch a row twice.
func lastWins(at map[string]int, args []any, key string, row ...any) []any {
	if i, ok := at[key]; ok {
		copy(args[i:], row)
		return args
	}
	at[key] = len(args)
	return append(args, row...)
}

// A sum is a digest of many texts, each with its length.
type sum struct{ h hash.Hash }

func newSum() sum { return sum{sha256.New()} }

func (s sum) add(texts ...string) {
	for _, t := range texts {
		fmt.Fprintf(s.h, "%d:%s", len(t), t)
	}
}

func (s sum) hex() string { return hex.EncodeToString(s.h.Sum(nil)) }

// digestOf is the digest of texts, for the log.
func digestOf(texts ...string) string {
	s := newSum()
	s.add(texts...)
	return s.hex()
}

const verdictColumns = `complaint, level, route, ring, template, body`

func scanVerdict(r row) (v VerdictRow, err error) {
	err = r.Scan(&v.Complaint, &v.Level, &v.Route, &v.Ring, &v.Template, &v.Body)
	v.Body = some(v.Body)
	return v, err
}

// Verdict returns the verdict of a complaint.
func (tx *Tx) Verdict(ctx context.Context, t bonafide.Tenant, complaint string) (VerdictRow, error) {
	v, err := one(ctx, tx, scanVerdict, `SELECT `+verdictColumns+` FROM verdict WHERE tenant = $1 AND complaint = $2`, string(t), complaint)
	return v, otherwise(err, bonafide.NotFound, fmt.Sprintf("there is no verdict on complaint %q", complaint))
}

// Verdicts lists verdicts behind a complaint's id.
func (tx *Tx) Verdicts(ctx context.Context, t bonafide.Tenant, after string, limit int) ([]VerdictRow, error) {
	return list(ctx, tx, scanVerdict, `SELECT `+verdictColumns+` FROM verdict WHERE tenant = $1 AND complaint > $2 ORDER BY complaint LIMIT $3`, string(t), after, upTo(limit))
}
