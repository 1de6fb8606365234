package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"bonafide"
	"bonafide/normalize"
	"bonafide/store"
)

// AddAdvert keeps an advert of somebody who offers to complain for others.
func (e *Engine) AddAdvert(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, a bonafide.Advert) (id string, err error) {
	switch {
	case strings.TrimSpace(a.Where) == "":
		return "", &bonafide.Error{Kind: bonafide.Invalid, Msg: "where: say on which platform or at which place it was seen"}
	case a.Text == "" && a.URL == "" && a.Publisher == "" && len(a.Identifiers) == 0:
		return "", &bonafide.Error{Kind: bonafide.Invalid, Msg: "an advert needs its text, its address or its publisher"}
	case len(a.Identifiers) > 50:
		return "", &bonafide.Error{Kind: bonafide.Invalid, Msg: "identifiers: up to 50"}
	}
	if err := errors.Join(brief("where", a.Where), brief("publisher", a.Publisher), brief("url", a.URL), brief("text", a.Text)); err != nil {
		return "", err
	}
	now := e.cfg.Now().UTC().Truncate(time.Microsecond)
	a.ID, a.By = e.cfg.DB.NewID(), by.ID
	if a.Seen.IsZero() || a.Seen.After(now) {
		a.Seen = now
	}
	for _, f := range normalize.Find(a.Text) { // what the text itself names
		id := bonafide.Identifier{Kind: bonafide.IdentifierKind(f.Kind), Value: f.Value}
		if slices.Contains(bonafide.IdentifierKinds, id.Kind) && !slices.Contains(a.Identifiers, id) && len(a.Identifiers) < 50 {
			a.Identifiers = append(a.Identifiers, id)
		}
	}
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error { return tx.SaveAdvert(ctx, t, by, a) })
	return a.ID, err
}

// Fed lists the complaints that were filed with something that an advert names.
func (e *Engine) Fed(ctx context.Context, t bonafide.Tenant, a bonafide.Advert) ([]string, error) {
	found := map[string]bool{}
	for _, id := range a.Identifiers {
		ids, _, ok, err := e.Filed(ctx, t, id, fedMost)
		if err != nil {
			return nil, err
		}
		if ok {
			for _, c := range ids {
				found[c] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// fedMost bounds what is looked up for one value.
const fedMost = 500
