package engine

import (
	"context"

	"bonafide"
	"bonafide/pipeline"
	"bonafide/signal/text"
)

// Holding returns the complaints whose letters hold a passage; ok is false where it is
// too short.
func (e *Engine) Holding(ctx context.Context, t bonafide.Tenant, passage string, limit int) (hits []pipeline.Hit, ok bool, err error) {
	d, err := e.desk(ctx, t)
	if err != nil {
		return nil, false, err
	}
	hits, ok = d.live.Holding(passage, limit)
	return hits, ok, nil
}

// Filed returns the complaints that were filed with an identifier, the latest first, and
// how many there are; ok is false where it identifies nobody. Values are compared as
// keyed hashes.
func (e *Engine) Filed(ctx context.Context, t bonafide.Tenant, id bonafide.Identifier, limit int) (ids []string, all int, ok bool, err error) {
	d, err := e.desk(ctx, t)
	if err != nil {
		return nil, 0, false, err
	}
	x, ok := d.live.Keeper().Filed(id)
	if !ok {
		return nil, 0, false, nil
	}
	ids, all = d.live.Filed(x.Key, limit)
	return ids, all, true, nil
}

// Marks cuts a letter into passages by how many of others hold each.
func (e *Engine) Marks(ctx context.Context, t bonafide.Tenant, letter string, others []string) ([]text.Mark, error) {
	d, err := e.desk(ctx, t)
	if err != nil {
		return nil, err
	}
	return d.live.Corpus().Marks(letter, others), nil
}
