package api

import (
	"encoding/json"
	"fmt"
	"net/http"

	"bonafide"
	"bonafide/store"
)

// A templateView is a letter that several complaints share. Examples, which are whole
// letters with their identifiers masked, are given only where they were asked for
// with a purpose.
type templateView struct {
	ID       string             `json:"id"`
	Size     int                `json:"size"`
	Members  []string           `json:"members,omitempty"`
	Skeleton string             `json:"skeleton,omitempty"`
	Benign   string             `json:"benign,omitempty"`
	Lang     string             `json:"lang,omitempty"`
	Examples []bonafide.Aligned `json:"examples,omitempty"`
}

// listTemplates lists templates by id.
func (a *api) listTemplates(w http.ResponseWriter, r *http.Request, who caller) error {
	ctx := r.Context()
	after, limit, err := pageAfter(r)
	if err != nil {
		return err
	}
	var rows []store.TemplateRow
	err = a.Store.View(ctx, func(tx *store.Tx) (err error) {
		rows, err = tx.Templates(ctx, who.tenant, after, limit)
		return err
	})
	if err != nil {
		return err
	}
	views := make([]templateView, len(rows))
	for i, row := range rows {
		views[i] = templateView{ID: row.ID, Size: row.Size}
	}
	return answer(w, http.StatusOK, paged(views, limit, func(v templateView) string { return v.ID }))
}

// oneTemplate shows a template. A reveal of its examples is logged before they are
// shown.
func (a *api) oneTemplate(w http.ResponseWriter, r *http.Request, who caller) error {
	ctx, id := r.Context(), r.PathValue("id")
	purpose, content, err := reveal(r)
	if err != nil {
		return err
	}
	var v templateView
	show := func(tx *store.Tx) error {
		row, err := tx.Template(ctx, who.tenant, id)
		if err != nil {
			return err
		}
		var t bonafide.Template
		if err := json.Unmarshal(row.Body, &t); err != nil {
			return fmt.Errorf("read a stored template: %w", err)
		}
		v = templateView{ID: row.ID, Size: row.Size, Members: t.Members, Skeleton: t.Skeleton, Benign: t.Benign, Lang: t.Lang}
		if !content {
			return nil
		}
		v.Examples = t.Examples
		return tx.Record(ctx, who.tenant, who.actor, "template.revealed", "template:"+id, map[string]string{"purpose": purpose})
	}
	if content {
		err = a.Store.Update(ctx, show)
	} else {
		err = a.Store.View(ctx, show)
	}
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, v)
}
