package engine

import (
	"context"
	"io"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"bonafide"
	"bonafide/evidence"
	"bonafide/evidence/pack"
	"bonafide/store"
)

// PackOptions say which seal of a case is packed, and for whom.
type PackOptions struct {
	Anew bool // seal what is known now, though the case itself did not change
	Seal int  // write this seal again; 0 is the last one, or a new one where the case changed
	// Recipients of age, where there are any, are the only ones who can open it.
	Recipients []string
}

// WritePack writes the pack of a case, and seals it first where it changed since its last
// seal. That it is about to be written stands in the custody of every item in it before.
func (e *Engine) WritePack(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id, variant string, o PackOptions, open func(name string) (io.Writer, error)) (store.Seal, error) {
	var seal store.Seal
	var s sealing
	var err error
	if o.Seal > 0 {
		if seal, err = e.sealNumbered(ctx, t, id, variant, o.Seal); err == nil {
			s, err = e.reopen(ctx, t, seal)
		}
	} else {
		seal, s, err = e.seal(ctx, t, by, id, variant, o.Anew)
	}
	if err != nil {
		return seal, err
	}
	return seal, e.writePack(ctx, t, by, id, seal, s, o.Recipients, open)
}

// sealNumbered returns a seal of a case by its number.
func (e *Engine) sealNumbered(ctx context.Context, t bonafide.Tenant, id, variant string, number int) (found store.Seal, err error) {
	err = e.cfg.DB.View(ctx, func(tx *store.Tx) error {
		all, err := tx.Seals(ctx, t, id, variant)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(s store.Seal) bool { return s.Number == number })
		if i < 0 {
			return &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such sealed pack"}
		}
		found = all[i]
		return nil
	})
	return found, err
}

// sealedItems lists the items that a sealed pack holds.
func (e *Engine) sealedItems(ctx context.Context, t bonafide.Tenant, id, variant string, number int) ([]string, error) {
	seal, err := e.sealNumbered(ctx, t, id, variant, number)
	if err != nil {
		return nil, err
	}
	s, err := e.reopen(ctx, t, seal)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, i := range s.snapshot.Items {
		out = append(out, i.Item)
	}
	return out, nil
}

func (e *Engine) writePack(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, seal store.Seal, s sealing, recipients []string, open func(name string) (io.Writer, error)) error {
	proofs := map[int64]tlog.RecordProof{}
	var entry []byte
	err := e.cfg.DB.View(ctx, func(tx *store.Tx) error {
		row, err := tx.LogRow(ctx, t, seal.Entry)
		if err != nil {
			return err
		}
		entry = row.Data
		r := tx.Hashes(ctx, t)
		ids := []int64{seal.Entry}
		for _, c := range s.contents.Custody {
			ids = append(ids, c.ID)
		}
		for _, id := range ids {
			if proofs[id], err = evidence.ProveRecord(seal.Size, id, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		for _, i := range s.snapshot.Items {
			if _, err := tx.Custody(ctx, t, by, i.Item, "packed", map[string]any{"seal": seal.Number, "variant": seal.Variant}); err != nil {
				return err
			}
		}
		return tx.Record(ctx, t, by, "case.packed", "case:"+id, map[string]any{"seal": seal.Number, "variant": seal.Variant, "recipients": len(recipients)})
	})
	if err != nil {
		return err
	}
	name := s.contents.Name + ".zip"
	if len(recipients) > 0 {
		name += ".age"
	}
	w, err := open(name)
	if err != nil {
		return err
	}
	out := w
	var locked io.WriteCloser
	if len(recipients) > 0 {
		if locked, err = pack.Encrypt(w, recipients); err != nil {
			return err
		}
		out = locked
	}
	err = pack.Write(ctx, out, s.contents, pack.Seal{
		Entry: seal.Entry, EntryData: entry, Checkpoint: seal.Checkpoint, Size: seal.Size, Key: e.cfg.LogKey, Token: seal.Token, Roots: seal.Roots,
		Proof: func(id int64) (tlog.RecordProof, error) { return proofs[id], nil },
	})
	if err == nil && locked != nil {
		err = locked.Close()
	}
	return err
}
