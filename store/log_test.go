package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"bonafide"
	"bonafide/evidence"
	"bonafide/internal/testdb"
)

// checkpoint signs the log of the lender as it is.
func checkpoint(ctx context.Context, tx *Tx, skey string) error {
	s, err := note.NewSigner(skey)
	if err != nil {
		return err
	}
	tree, err := tx.LogTree(ctx, lender)
	if err != nil {
		return err
	}
	text, err := evidence.SignCheckpoint(s, string(lender), tree, start)
	if err != nil {
		return err
	}
	return tx.AddCheckpoint(ctx, lender, tree.N, text, start)
}

// logged makes a log of n entries with a checkpoint behind each seventh.
func logged(t testing.TB, db *DB, n int) {
	t.Helper()
	view(t, db, func(ctx context.Context, tx *Tx) error {
		skey, _, err := tx.SigningKey(ctx)
		if err != nil {
			return err
		}
		for i := 1; i < n; i++ { // AddTenant made the first
			update(t, db, func(ctx context.Context, tx *Tx) error {
				if err := tx.PutApart(ctx, lender, clerk, "a", fmt.Sprintf("b%02d", i), "x"); err != nil || (i+1)%7 != 0 {
					return err
				}
				return checkpoint(ctx, tx, skey)
			})
		}
		return nil
	})
}

func TestLog(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		const n = 23
		logged(t, db, n)
		rep, err := db.VerifyLog(t.Context(), lender, "", nil)
		if err != nil || rep.Problem != nil || rep.Entries != n || rep.Checkpoints != 3 {
			t.Fatalf("VerifyLog = %+v, %v", rep, err)
		}
		view(t, db, func(ctx context.Context, tx *Tx) error {
			tree, err := tx.LogTree(ctx, lender)
			if err != nil || tree.N != n || tree.Hash != rep.Root {
				t.Errorf("LogTree = %v, %v; want %v", tree, err, rep.Root)
			}
			cps, err := tx.Checkpoints(ctx, lender)
			if err != nil || len(cps) != 3 || cps[0].Size != 7 || cps[2].Size != 21 || !cps[1].At.Equal(start) {
				t.Errorf("Checkpoints = %v, %v", cps, err)
			}
			all, err := tx.Entries(ctx, lender, -1, 0)
			if err != nil || len(all) != n {
				t.Fatalf("%d entries, %v", len(all), err)
			}
			for id, e := range all {
				one, err := tx.LogRow(ctx, lender, int64(id))
				if err != nil || !bytes.Equal(one.Data, e.Data) || e.ID != int64(id) {
					t.Errorf("LogRow %d = %v, %v", id, one, err)
				}
				p, err := evidence.ProveRecord(tree.N, e.ID, tx.Hashes(ctx, lender))
				if err != nil {
					t.Fatal(err)
				}
				if err := evidence.CheckRecord(p, tree, e.ID, e.Data); err != nil {
					t.Error(err)
				}
			}
			p, err := evidence.ProveTree(tree.N, 7, tx.Hashes(ctx, lender))
			if err != nil {
				t.Fatal(err)
			}
			_, vkey, err := tx.SigningKey(ctx)
			if err != nil {
				return err
			}
			v, err := note.NewVerifier(vkey)
			if err != nil {
				return err
			}
			old, err := evidence.OpenCheckpoint(cps[0].Text, v)
			if err != nil {
				return err
			}
			if err := evidence.CheckTree(p, tree, old.Tree); err != nil {
				t.Error(err)
			}
			page, err := tx.Entries(ctx, lender, 4, 2)
			if err != nil || len(page) != 2 || page[0].ID != 5 {
				t.Errorf("entries behind 4 = %v, %v", page, err)
			}
			if _, err := tx.LogRow(ctx, lender, n); !errors.Is(err, bonafide.NotFound) {
				t.Errorf("an entry that is not there: %v", err)
			}
			return nil
		})
	})
}

// Whoever can write to the database and changes the log is found out, by name.
func TestVerifyLogNamesTampering(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		const n = 16
		logged(t, db, n)
		verified(t, db)
		var rows []evidence.Row
		view(t, db, func(ctx context.Context, tx *Tx) (err error) {
			rows, err = tx.Entries(ctx, lender, -1, 0)
			return err
		})
		// try runs statements as an administrator would, looks, and takes them back.
		try := func(want string, statements ...func(ctx context.Context, tx *Tx) error) {
			t.Helper()
			var got string
			undo := errors.New("undo")
			err := db.Update(t.Context(), func(tx *Tx) error {
				for _, fn := range statements {
					if err := fn(t.Context(), tx); err != nil {
						return err
					}
				}
				got = verifyWithin(t, tx)
				return undo
			})
			if !errors.Is(err, undo) {
				t.Fatal(err)
			}
			if got != want && !(strings.HasSuffix(want, "…") && strings.HasPrefix(got, strings.TrimSuffix(want, "…"))) {
				t.Errorf("found %q, want %q", got, want)
			}
		}
		do := func(q string, args ...any) func(context.Context, *Tx) error {
			return func(ctx context.Context, tx *Tx) error {
				k, err := tx.exec(ctx, q, append([]any{string(lender)}, args...)...)
				if err == nil && k == 0 {
					err = errors.New("no row was changed")
				}
				return err
			}
		}
		set := func(id int64, data, nodes []byte) func(context.Context, *Tx) error {
			return do(`UPDATE entry SET data = $3, nodes = $4 WHERE tenant = $1 AND id = $2`, id, data, nodes)
		}
		flip := func(b []byte, i int) []byte {
			b = bytes.Clone(b)
			b[i] ^= 1
			return b
		}
		try("sound")
		r := rand.New(rand.NewPCG(1, 2))
		for _, e := range rows {
			try(fmt.Sprintf("entry %d: its bytes were changed", e.ID), set(e.ID, flip(e.Data, r.IntN(len(e.Data))), e.Nodes))
			try(fmt.Sprintf("entry %d: its stored hash…", e.ID), set(e.ID, e.Data, flip(e.Nodes, r.IntN(len(e.Nodes)))))
			missing := fmt.Sprintf("entry %d is missing", e.ID)
			if e.ID == n-1 {
				missing += ": the head of the log counts 16"
			}
			try(missing, do(`DELETE FROM entry WHERE tenant = $1 AND id = $2`, e.ID))
			if e.ID > 0 {
				before := rows[e.ID-1]
				try(fmt.Sprintf("entries %d and %d were exchanged", before.ID, e.ID), set(before.ID, e.Data, e.Nodes), set(e.ID, before.Data, before.Nodes))
			}
		}
		try("entries 10 to 15 are missing: the head of the log counts 16", do(`DELETE FROM entry WHERE tenant = $1 AND id >= 10`))
		try("entry 15 is beyond the end: the head of the log counts 15", do(`UPDATE head SET entries = 15 WHERE tenant = $1`))
		try("entry 16 is missing: the head of the log counts 17", do(`UPDATE head SET entries = 17 WHERE tenant = $1`))
		try("the head of the log was changed: its hashes are not those of the entries", do(`UPDATE head SET edge = $2 WHERE tenant = $1`, []byte("short")))
		try("the head of the log was changed: its hashes are not those of the entries", do(`UPDATE head SET edge = $2 WHERE tenant = $1`, make([]byte, 32)))

		// The tail is dropped and the head set back as if it had never been.
		var short evidence.Edge
		for _, e := range rows[:10] {
			short.Append(e.Data)
		}
		setHead := func(e evidence.Edge) func(context.Context, *Tx) error {
			return do(`UPDATE head SET entries = $2, edge = $3 WHERE tenant = $1`, e.Size, e.Marshal())
		}
		try("checkpoint 2 (size 14): the log has 10 entries only, its tail was dropped", do(`DELETE FROM entry WHERE tenant = $1 AND id >= 10`), setHead(short))

		// Everything is written anew from entry 3 on.
		var forged evidence.Edge
		var anew []func(context.Context, *Tx) error
		for _, e := range rows {
			data := e.Data
			if e.ID == 3 {
				data = bytes.Replace(data, []byte("apart.added"), []byte("apart.erased"), 1)
			}
			anew = append(anew, set(e.ID, data, forged.Append(data)))
		}
		anew = append(anew, setHead(forged))
		try("checkpoint 1 (size 7) is not of this log: its first 7 entries hash to something else", anew...)

		// With checkpoints signed by another key, and altered ones.
		skey, _, err := evidence.NewSigner(rand.NewChaCha8([32]byte{9}), "bonafide-log")
		if err != nil {
			t.Fatal(err)
		}
		s, err := note.NewSigner(skey)
		if err != nil {
			t.Fatal(err)
		}
		var at7 evidence.Edge
		for _, e := range rows[:7] {
			at7.Append(e.Data)
		}
		text, err := evidence.SignCheckpoint(s, string(lender), tlog.Tree{N: 7, Hash: at7.Root()}, start)
		if err != nil {
			t.Fatal(err)
		}
		try("checkpoint 1 (size 7): its signature is not by bonafide-log", do(`UPDATE checkpoint SET text = $2 WHERE tenant = $1 AND size = 7`, text))
		var own []byte
		view(t, db, func(ctx context.Context, tx *Tx) error {
			cps, err := tx.Checkpoints(ctx, lender)
			own = cps[1].Text
			return err
		})
		altered := bytes.Replace(own, []byte("\n14\n"), []byte("\n15\n"), 1)
		try("checkpoint 2 (size 15): its signature by bonafide-log does not fit its text", do(`UPDATE checkpoint SET text = $2 WHERE tenant = $1 AND size = 14`, altered))
		verified(t, db)

		// A checkpoint that was kept elsewhere is looked at as well.
		rep, err := db.VerifyLog(t.Context(), lender, "", [][]byte{own, text})
		if err != nil || rep.Problem == nil || rep.Problem.Checkpoint != 4 || rep.Checkpoints != 3 {
			t.Errorf("with checkpoints of our own: %+v, %v", rep, err)
		}
	})
}

// verifyWithin looks at the log as the transaction sees it.
func verifyWithin(t testing.TB, tx *Tx) string {
	t.Helper()
	ctx := t.Context()
	_, vkey, err := tx.SigningKey(ctx)
	if err != nil {
		t.Fatal(err)
	}
	rep, err := tx.verifyLog(ctx, lender, vkey, nil)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Problem == nil {
		return "sound"
	}
	return rep.Problem.What
}

func TestVerifyLogRefuses(t *testing.T) {
	db, _ := openTest(t, testdb.SQLite(t))
	if _, err := db.VerifyLog(t.Context(), lender, "no key", nil); !errors.Is(err, bonafide.Invalid) {
		t.Errorf("no key: %v", err)
	}
	if _, err := db.VerifyLog(t.Context(), "nobody", "", nil); !errors.Is(err, bonafide.NotFound) {
		t.Errorf("no tenant: %v", err)
	}
}
