package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"bonafide"
	"bonafide/casefile"
	"bonafide/store"
)

// complaintsOf lists the complaints of a case: those named, and the members of its rings.
func complaintsOf(ctx context.Context, tx *store.Tx, t bonafide.Tenant, c *bonafide.Case) ([]string, error) {
	all := slices.Clone(c.Complaints)
	for _, id := range c.Rings {
		r, err := tx.Ring(ctx, t, id)
		if errors.Is(err, bonafide.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, r.Members...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// ComplaintsOfCase lists the complaints of a case: those named, and the members of its rings.
func (e *Engine) ComplaintsOfCase(ctx context.Context, tx *store.Tx, t bonafide.Tenant, c *bonafide.Case) ([]string, error) {
	return complaintsOf(ctx, tx, t, c)
}

// bodiesOf reads complaints that were not erased.
func bodiesOf(ctx context.Context, tx *store.Tx, t bonafide.Tenant, ids []string) (map[string]*bonafide.Complaint, error) {
	out := map[string]*bonafide.Complaint{}
	for some := range slices.Chunk(ids, part) {
		bodies, err := tx.Bodies(ctx, t, some)
		if err != nil {
			return nil, err
		}
		for id, b := range bodies {
			c := new(bonafide.Complaint)
			if err := json.Unmarshal(b, c); err != nil {
				return nil, fmt.Errorf("complaint %s: %w", id, err)
			}
			out[id] = c
		}
	}
	return out, nil
}

// CaseFacts reads what a case has besides what it says itself.
func (e *Engine) CaseFacts(ctx context.Context, tx *store.Tx, t bonafide.Tenant, row store.CaseRow) (casefile.Facts, error) {
	f := casefile.Facts{Held: map[string]bool{}}
	items, err := tx.Items(ctx, t, row.ID)
	if err != nil {
		return f, err
	}
	for _, i := range items {
		if !i.Erased {
			f.Items++
			f.Held[i.ID] = true
		}
	}
	ids, err := complaintsOf(ctx, tx, t, &row.Case)
	if err != nil {
		return f, err
	}
	there, err := bodiesOf(ctx, tx, t, ids)
	if err != nil {
		return f, err
	}
	for _, id := range ids {
		track, err := tx.Track(ctx, t, id)
		if err != nil {
			return f, err
		}
		m, err := tx.Merit(ctx, t, id)
		if err != nil && !errors.Is(err, bonafide.NotFound) {
			return f, err
		}
		var merit bonafide.Merit
		if len(m.Body) > 0 {
			if err := json.Unmarshal(m.Body, &merit); err != nil {
				return f, fmt.Errorf("merit of %s: %w", id, err)
			}
		}
		looked := slices.ContainsFunc(row.Looks, func(l bonafide.Look) bool { return l.Complaint == id })
		switch {
		case track.Outcome == "upheld" || track.Outcome == "partly-upheld" || m.Found != "" && m.Found != "null" && m.Found != "[]":
			f.Upheld = append(f.Upheld, id)
		case track.Outcome == "" && len(merit.Tested) == 0 && !looked && there[id] != nil:
			f.Untested = append(f.Untested, id)
		}
	}
	seals, err := tx.Seals(ctx, t, row.ID, VariantPolice)
	if err != nil || len(seals) == 0 {
		return f, err
	}
	last := seals[len(seals)-1]
	f.Sealed = last.Number
	if row.Stage.Can(bonafide.MoveReport) { // costs a look at every complaint
		f.Changed, err = e.changedSince(ctx, tx, t, row.ID, last)
	}
	return f, err
}

// ringsStand refuses to take a case to lawyers or police on a ring that is no more: its evidence
// was taken back, a person cleared it, or it is part of another.
func ringsStand(ctx context.Context, tx *store.Tx, t bonafide.Tenant, c bonafide.Case, m bonafide.Move) error {
	if m != bonafide.MoveReview && m != bonafide.MovePrepare && m != bonafide.MoveReport {
		return nil
	}
	for _, id := range c.Rings {
		r, err := tx.Ring(ctx, t, id)
		if err != nil {
			return err
		}
		if s := bonafide.RingState(r.State); s != bonafide.RingProposed && s != bonafide.RingIsFirm {
			return &bonafide.Error{Kind: bonafide.Conflict, Msg: fmt.Sprintf("a ring of the case no longer stands, it is %s: take it out of the case, or look at it again", s)}
		}
	}
	return nil
}

// A Next is a move that the stage of a case allows, with what it still lacks.
type Next struct {
	Move  bonafide.Move
	Lacks []casefile.Lack
	Why   string // the same in English
	Two   bool   // two people decide
	First string // who decided first, Actor.ID
}

// NextMoves lists what the stage of a case allows.
func (e *Engine) NextMoves(ctx context.Context, tx *store.Tx, t bonafide.Tenant, row store.CaseRow) ([]Next, error) {
	facts, err := e.CaseFacts(ctx, tx, t, row)
	if err != nil {
		return nil, err
	}
	var out []Next
	if row.Into != "" {
		return nil, nil
	}
	for _, m := range row.Stage.Moves() {
		n := Next{Move: m, Lacks: casefile.Lacks(&row.Case, m, facts, e.cfg.Now()), Two: casefile.NeedsTwo(m)}
		if len(n.Lacks) > 0 {
			n.Why = (&casefile.LackError{Move: m, Lacks: n.Lacks}).Error()
		}
		if row.Pending != nil && row.Pending.What == string(m) {
			n.First = row.Pending.By
		}
		out = append(out, n)
	}
	return out, nil
}
