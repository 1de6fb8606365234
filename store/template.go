package store

import (
	"context"
	"fmt"

	"bonafide"
)

// A TemplateRow is a letter that several complaints share. Body is the JSON of a
// bonafide.Template; it quotes letters, so the store seals it, under the root key
// because it is of no one person.
type TemplateRow struct {
	ID   string
	Size int // complaints that share it
	Body []byte
}

// SaveTemplates stores templates over earlier ones and drops others.
func (tx *Tx) SaveTemplates(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, put []TemplateRow, drop []string) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	if len(drop) > 0 {
		if _, err := tx.exec(ctx, `DELETE FROM template WHERE tenant = $1 AND `+tx.db.d.in("id", 2), string(t), tx.db.d.list(drop)); err != nil {
			return err
		}
	}
	var args []any
	at := map[string]int{}
	sum := newSum()
	for _, p := range put {
		sum.add(p.ID, string(p.Body))
		sealed, err := tx.db.root.seal(tx.db.random, place("template", string(t), p.ID), p.Body)
		if err != nil {
			return err
		}
		args = lastWins(at, args, p.ID, string(t), p.ID, int64(p.Size), sealed)
	}
	if _, err := tx.insert(ctx, "template", overwrite("template"), args); err != nil {
		return err
	}
	return tx.Record(ctx, t, actor, "templates.saved", "templates", map[string]any{
		"put": len(put), "dropped": len(drop), "digest": sum.hex(), "dropped_digest": digestOf(drop...),
	})
}

func (tx *Tx) scanTemplate(t bonafide.Tenant) func(row) (TemplateRow, error) {
	return func(r row) (p TemplateRow, err error) {
		var sealed []byte
		if err = r.Scan(&p.ID, &p.Size, &sealed); err != nil {
			return p, err
		}
		p.Body, err = tx.db.root.open(place("template", string(t), p.ID), sealed)
		return p, err
	}
}

// Template returns a template.
func (tx *Tx) Template(ctx context.Context, t bonafide.Tenant, id string) (TemplateRow, error) {
	p, err := one(ctx, tx, tx.scanTemplate(t), `SELECT id, size, body FROM template WHERE tenant = $1 AND id = $2`, string(t), id)
	return p, otherwise(err, bonafide.NotFound, fmt.Sprintf("there is no template %q", id))
}

// Templates lists templates behind an id.
func (tx *Tx) Templates(ctx context.Context, t bonafide.Tenant, after string, limit int) ([]TemplateRow, error) {
	return list(ctx, tx, tx.scanTemplate(t), `SELECT id, size, body FROM template WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3`, string(t), after, upTo(limit))
}

// TemplateHeads lists templates without their bodies, those that most complaints share
// first.
func (tx *Tx) TemplateHeads(ctx context.Context, t bonafide.Tenant, limit int) ([]TemplateRow, error) {
	return list(ctx, tx, func(r row) (p TemplateRow, err error) { return p, r.Scan(&p.ID, &p.Size) },
		`SELECT id, size FROM template WHERE tenant = $1 ORDER BY size DESC, id LIMIT $2`, string(t), upTo(limit))
}
