package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"bonafide"
	"bonafide/evidence"
)

// A CheckpointRow is a stored checkpoint of a tenant's log.
type CheckpointRow struct {
	Size int64
	At   time.Time
	Text []byte
}

const entryColumns = `id, data, nodes`

func scanEntry(r row) (e evidence.Row, err error) { return e, r.Scan(&e.ID, &e.Data, &e.Nodes) }

// Entries lists log entries behind an id. The first entry has the id 0, so after
// is -1 for the first page. Those of this transaction are among them.
func (tx *Tx) Entries(ctx context.Context, t bonafide.Tenant, after int64, limit int) ([]evidence.Row, error) {
	if err := tx.flush(ctx); err != nil {
		return nil, err
	}
	return list(ctx, tx, scanEntry, `SELECT `+entryColumns+` FROM entry WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3`, string(t), after, upTo(limit))
}

// LogRow returns one entry of the log.
func (tx *Tx) LogRow(ctx context.Context, t bonafide.Tenant, id int64) (evidence.Row, error) {
	if err := tx.flush(ctx); err != nil {
		return evidence.Row{}, err
	}
	e, err := one(ctx, tx, scanEntry, `SELECT `+entryColumns+` FROM entry WHERE tenant = $1 AND id = $2`, string(t), id)
	return e, otherwise(err, bonafide.NotFound, fmt.Sprintf("the log has no entry %d", id))
}

// Hashes reads the stored hashes of a tenant's log, for proofs: one statement each.
func (tx *Tx) Hashes(ctx context.Context, t bonafide.Tenant) tlog.HashReader {
	return evidence.Hashes(func(ids []int64) (map[int64][]byte, error) {
		if err := tx.flush(ctx); err != nil {
			return nil, err
		}
		nodes := make(map[int64][]byte, len(ids))
		if len(ids) == 0 {
			return nodes, nil
		}
		return nodes, tx.each(ctx, `SELECT id, nodes FROM entry WHERE tenant = $1 AND `+tx.db.d.inNumbers("id", 2), func(r row) error {
			var id int64
			var b []byte
			err := r.Scan(&id, &b)
			nodes[id] = b
			return err
		}, string(t), tx.db.d.numbers(ids))
	})
}

// LogTree returns the size and the hash of a tenant's log, without locking it.
func (tx *Tx) LogTree(ctx context.Context, t bonafide.Tenant) (tlog.Tree, error) {
	if h := tx.heads[t]; h != nil {
		return tlog.Tree{N: h.Entries, Hash: h.Edge.Root()}, nil
	}
	h, err := tx.head(ctx, t, "")
	if err != nil {
		return tlog.Tree{}, err
	}
	return tlog.Tree{N: h.Entries, Hash: h.Edge.Root()}, nil
}

// AddCheckpoint stores a checkpoint. Of one size the first stays.
func (tx *Tx) AddCheckpoint(ctx context.Context, t bonafide.Tenant, size int64, text []byte, at time.Time) error {
	_, err := tx.insert(ctx, "checkpoint", " ON CONFLICT DO NOTHING", []any{string(t), size, micros(at), some(text)})
	return err
}

// Checkpoints lists the checkpoints of a tenant's log, the smallest first.
func (tx *Tx) Checkpoints(ctx context.Context, t bonafide.Tenant) ([]CheckpointRow, error) {
	return list(ctx, tx, func(r row) (c CheckpointRow, err error) {
		var at int64
		err = r.Scan(&c.Size, &at, &c.Text)
		c.At = instant(at)
		return c, err
	}, `SELECT size, at, text FROM checkpoint WHERE tenant = $1 ORDER BY size`, string(t))
}

// VerifyLog reads a tenant's whole log and checks it against its head, the stored
// checkpoints, and those in extra, which are numbered behind them. An empty vkey is
// the database's own. What it reads, it reads as of one moment.
func (db *DB) VerifyLog(ctx context.Context, t bonafide.Tenant, vkey string, extra [][]byte) (rep evidence.Report, err error) {
	err = db.View(ctx, func(tx *Tx) error {
		rep, err = tx.verifyLog(ctx, t, vkey, extra)
		return err
	})
	return rep, err
}

func (tx *Tx) verifyLog(ctx context.Context, t bonafide.Tenant, vkey string, extra [][]byte) (rep evidence.Report, err error) {
	if vkey == "" {
		if _, vkey, err = tx.SigningKey(ctx); err != nil {
			return rep, err
		}
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return rep, &bonafide.Error{Kind: bonafide.Invalid, Msg: "the key to verify the log with cannot be read: it should look like name+hash+key", Err: err}
	}
	head, err := tx.rawHead(ctx, t)
	if err != nil {
		return rep, err
	}
	stored, err := tx.Checkpoints(ctx, t)
	if err != nil {
		return rep, err
	}
	var texts [][]byte
	for _, c := range stored {
		texts = append(texts, c.Text)
	}
	return evidence.Verify(tx.allEntries(ctx, t), head, append(texts, extra...), v)
}

// rawHead reads the head as it stands. An edge that cannot be one comes without
// hashes, which is then found wrong.
func (tx *Tx) rawHead(ctx context.Context, t bonafide.Tenant) (evidence.Edge, error) {
	e, err := one(ctx, tx, func(r row) (e evidence.Edge, err error) {
		var b []byte
		if err = r.Scan(&e.Size, &b); err != nil {
			return e, err
		}
		if edge, err := evidence.ParseEdge(e.Size, b); err == nil {
			e = edge
		}
		return e, nil
	}, `SELECT entries, edge FROM head WHERE tenant = $1`, string(t))
	return e, noTenant(err, t)
}

// allEntries streams a log. The transaction can be used for nothing else meanwhile.
func (tx *Tx) allEntries(ctx context.Context, t bonafide.Tenant) iter.Seq2[evidence.Row, error] {
	return func(yield func(evidence.Row, error) bool) {
		err := tx.each(ctx, `SELECT `+entryColumns+` FROM entry WHERE tenant = $1 AND id > $2 ORDER BY id`, func(r row) error {
			e, err := scanEntry(r)
			if err == nil && !yield(e, nil) {
				err = errStop
			}
			return err
		}, string(t), int64(math.MinInt64))
		if err != nil && !errors.Is(err, errStop) {
			yield(evidence.Row{}, err)
		}
	}
}
