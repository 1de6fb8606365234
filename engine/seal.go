package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"bonafide"
	"bonafide/casefile"
	"bonafide/evidence/pack"
	"bonafide/store"
)

// The variants of a pack, by who reads it. The police see whom a case is about; a lawyer and
// the regulator see what happened.
const (
	VariantPolice    = "police"
	VariantLawyer    = "lawyer"
	VariantRegulator = "regulator"
)

// Variants lists them.
var Variants = []string{VariantPolice, VariantLawyer, VariantRegulator}

func (e *Engine) origin(t bonafide.Tenant) string {
	if e.cfg.Origin == nil {
		return "bonafide/" + string(t)
	}
	return e.cfg.Origin(t)
}

// sealTries bounds how often sealing begins anew because the case changes meanwhile.
const sealTries = 5

// SealCase seals a case for a reader: the digest of everything in the pack is written into
// the log, the log is signed, and the signature stamped with the time. Where the case did not
// change since its last seal that one stands, unless anew asks for what is known now.
func (e *Engine) SealCase(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id, variant string, anew bool) (store.Seal, error) {
	seal, _, err := e.seal(ctx, t, by, id, variant, anew)
	return seal, err
}

func (e *Engine) seal(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id, variant string, anew bool) (store.Seal, sealing, error) {
	switch {
	case !slices.Contains(Variants, variant):
		return store.Seal{}, sealing{}, &bonafide.Error{Kind: bonafide.Invalid, Msg: "variant: not one of police, lawyer, regulator"}
	case e.cfg.Keeper == nil || e.cfg.Sign == nil:
		return store.Seal{}, sealing{}, errNoCustody
	}
	for range sealTries {
		var last store.Seal
		var changed bool
		err := e.cfg.DB.View(ctx, func(tx *store.Tx) error {
			last = store.Seal{}
			row, err := tx.Case(ctx, t, id)
			if err != nil {
				return err
			}
			if err := casefile.MayPack(&row.Case, variant); err != nil {
				return err
			}
			seals, err := tx.Seals(ctx, t, id, variant)
			if err != nil || len(seals) == 0 {
				return err
			}
			last = seals[len(seals)-1]
			changed, err = e.changedSince(ctx, tx, t, id, last)
			return err
		})
		if err != nil {
			return last, sealing{}, err
		}
		if last.Number > 0 && !changed && !anew {
			old, err := e.reopen(ctx, t, last)
			if err != nil {
				return last, old, err
			}
			last, err = e.stampSeal(ctx, t, last)
			return last, old, err
		}
		at := e.cfg.Now().UTC().Truncate(time.Microsecond)
		fresh, err := e.gather(ctx, t, id, variant, last.Number+1, at)
		if err != nil {
			return store.Seal{}, fresh, err
		}
		seal, err := e.addSeal(ctx, t, by, store.Seal{Case: id, Variant: variant, Number: last.Number + 1, At: at}, fresh)
		if errors.Is(err, errMoved) {
			continue
		}
		if err != nil {
			return seal, fresh, err
		}
		seal, err = e.stampSeal(ctx, t, seal)
		return seal, fresh, err
	}
	return store.Seal{}, sealing{}, &bonafide.Error{Kind: bonafide.Busy, Msg: "the case changes while it is sealed: try again"}
}

// changedSince reports whether a pack that was sealed no longer says what the case does:
// somebody wrote into the case what a pack tells, an item came or went, somebody came into a
// ring or left it, or something is known of somebody in it that was not known then.
func (e *Engine) changedSince(ctx context.Context, tx *store.Tx, t bonafide.Tenant, id string, last store.Seal) (bool, error) {
	if last.Address == "" {
		return true, nil
	}
	steps, err := tx.CaseSteps(ctx, t, id)
	if err != nil {
		return false, err
	}
	for _, s := range steps {
		if s.At.After(last.At) && alters(s.What) {
			return true, nil
		}
	}
	items, err := tx.Items(ctx, t, id)
	if err != nil {
		return false, err
	}
	for _, i := range items {
		if i.Stored.After(last.At) {
			return true, nil
		}
	}
	f, _, _, err := e.caseFile(ctx, tx, t, id, last.Variant, last.Number, last.At)
	now := factsOf(&f)
	return !bytes.Equal(now[:], last.Facts), err
}

// errMoved says that a case went on while it was gathered.
var errMoved = errors.New("the case went on")

func (e *Engine) addSeal(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, want store.Seal, s sealing) (seal store.Seal, err error) {
	detail, err := pack.SealDetail(s.contents)
	if err != nil {
		return seal, err
	}
	kept, err := e.keep(ctx, s.snapshot)
	if err != nil {
		return seal, err
	}
	want.Manifest, want.Facts, want.Address, want.Key, want.Subjects = s.manifest[:], s.facts[:], kept.Address, kept.Key, s.subjects
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Lock(ctx, t); err != nil {
			return err
		}
		// Nothing moved meanwhile: not the custody, not what is known of anybody, and nobody
		// was erased.
		log, err := tx.CustodyOf(ctx, t, s.snapshot.All, 0)
		if err != nil {
			return err
		}
		items, err := tx.Items(ctx, t, want.Case)
		if err != nil {
			return err
		}
		f, _, _, err := e.caseFile(ctx, tx, t, want.Case, want.Variant, want.Number, want.At)
		if err != nil {
			return err
		}
		if len(log) != len(s.contents.Custody) || len(items) != len(s.snapshot.All) || factsOf(&f) != s.facts {
			return errMoved
		}
		seal, err = tx.AddSeal(ctx, t, by, want, detail, func(tree tlog.Tree) ([]byte, error) { return e.cfg.Sign(t, tree, want.At) })
		return err
	})
	if errors.Is(err, bonafide.Conflict) {
		err = errMoved
	}
	return seal, err
}

// stampSeal has the authority stamp a seal that has no time-stamp yet, where one is
// configured.
func (e *Engine) stampSeal(ctx context.Context, t bonafide.Tenant, s store.Seal) (store.Seal, error) {
	if e.cfg.Stamp == nil || len(s.Token) > 0 {
		return s, nil
	}
	token, err := e.cfg.Stamp(ctx, s.Checkpoint)
	if err != nil {
		return s, fmt.Errorf("time-stamp the seal: %w", err)
	}
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		s.Token, s.Roots = token, e.cfg.StampRoots
		if err := tx.StampSeal(ctx, t, bonafide.System("seal"), s); err != nil {
			return err
		}
		all, err := tx.Seals(ctx, t, s.Case, s.Variant)
		for _, one := range all {
			if one.Number == s.Number { // another process may have been first
				s = one
			}
		}
		return err
	})
	return s, err
}
