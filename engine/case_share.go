package engine

import (
	"context"
	"encoding/json"
	"fmt"

	"bonafide"
	"bonafide/casefile"
	"bonafide/pipeline"
	"bonafide/store"
)

// shareable refuses to tell others of a case unless the police filed it and nobody let it go
// since, or every ring of it was confirmed at level 1 by two people while it goes on.
func shareable(ctx context.Context, tx *store.Tx, t bonafide.Tenant, c *bonafide.Case) error {
	no := &bonafide.Error{Kind: bonafide.Conflict, Msg: "only what the police filed and nobody let go since, or two people confirmed at level 1, is shared with others"}
	switch c.Stage {
	case bonafide.StageFiled, bonafide.StageInvestigation, bonafide.StageProcurator, bonafide.StageSupplement, bonafide.StageIndicted, bonafide.StageJudgment:
		return nil
	case bonafide.StageClosed:
		if c.Exit == bonafide.ExitJudgment {
			return nil
		}
		return no
	case bonafide.StageOpened, bonafide.StagePreserving, bonafide.StageLegalReview, bonafide.StagePrepared, bonafide.StageReported, bonafide.StageReceipt, bonafide.StagePoliceReview:
	default:
		return no
	}
	if len(c.Rings) == 0 {
		return no
	}
	for _, id := range c.Rings {
		r, err := tx.Ring(ctx, t, id)
		if err != nil {
			return err
		}
		if r.State != string(bonafide.RingIsFirm) || bonafide.Level(r.Level) != bonafide.Level1 {
			return no
		}
	}
	return nil
}

// Stix writes the grey industry's infrastructure of a case for others, where it may be
// shared. That it was written is logged.
func (e *Engine) Stix(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string) ([]byte, error) {
	d, err := e.desk(ctx, t)
	if err != nil {
		return nil, err
	}
	var out []byte
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		row, err := readCase(ctx, tx, t, id, 0)
		if err != nil {
			return err
		}
		if err := shareable(ctx, tx, t, &row.Case); err != nil {
			return err
		}
		ids, err := complaintsOf(ctx, tx, t, &row.Case)
		if err != nil {
			return err
		}
		own, err := d.ownedBy(ctx, tx, ids)
		if err != nil {
			return err
		}
		adverts, err := tx.Adverts(ctx, t, row.Adverts, 0)
		if err != nil {
			return err
		}
		out, err = casefile.Infrastructure{Case: row.Case, Adverts: adverts, Innocent: own, Origin: e.cfg.Lender, At: row.Since}.Bundle()
		if err != nil {
			return err
		}
		return tx.Record(ctx, t, by, "case.shared", "case:"+id, map[string]any{"format": "STIX 2.1", "bytes": len(out)})
	})
	return out, err
}

// ownedBy reports of values whether a customer of these complaints owns them, as the lender's
// records or the complaints say, or whether only one customer's complaints came with them: a
// number of which nobody else made use is nobody's infrastructure.
func (d *desk) ownedBy(ctx context.Context, tx *store.Tx, ids []string) (func(bonafide.Identifier) bool, error) {
	bodies, err := bodiesOf(ctx, tx, d.tenant, ids)
	if err != nil {
		return nil, err
	}
	k := d.live.Keeper()
	own := map[pipeline.SharedKey]bool{}
	used := map[pipeline.SharedKey]map[string]bool{}
	file := func(id bonafide.Identifier) (pipeline.SharedKey, bool) { return k.Filed(id) }
	add := func(kind bonafide.IdentifierKind, value string) {
		if x, ok := file(bonafide.Identifier{Kind: kind, Value: value}); ok {
			own[x] = true
		}
	}
	customer := func(c *bonafide.Customer) {
		add(bonafide.Phone, c.Phone)
		add(bonafide.Email, c.Email)
		add(bonafide.Address, c.Address)
	}
	for _, id := range ids {
		c := bodies[id]
		if c == nil {
			continue
		}
		customer(&c.Customer)
		add(bonafide.Account, c.Account)
		subject, err := tx.SubjectOf(ctx, d.tenant, id)
		if err != nil {
			return nil, err
		}
		for _, v := range c.Contacts {
			if x, ok := file(v); ok {
				if used[x] == nil {
					used[x] = map[string]bool{}
				}
				used[x][subject] = true
			}
		}
	}
	after := ""
	for {
		page, err := tx.Records(ctx, d.tenant, RecordCustomer, after, part)
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			after = r.ID
			if len(r.Body) == 0 {
				continue
			}
			var who bonafide.Customer
			if err := json.Unmarshal(r.Body, &who); err != nil {
				return nil, fmt.Errorf("customer: %w", err)
			}
			customer(&who)
		}
		if len(page) < part {
			break
		}
	}
	return func(id bonafide.Identifier) bool {
		x, ok := file(id)
		return ok && (own[x] || len(used[x]) == 1)
	}, nil
}
