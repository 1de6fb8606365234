package engine

import (
	"context"
	"io"

	"bonafide"
	"bonafide/casefile"
	"bonafide/store"
)

// The pages know the stages and the store, and nothing of this package: what they need of
// cases in words of those two.

// BeginCaseOf is BeginCase without a type of this package.
func (e *Engine) BeginCaseOf(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, title, reason string, rings, complaints, adverts []string) (id string, err error) {
	return e.BeginCase(ctx, t, by, CaseStart{Title: title, Reason: reason, Rings: rings, Complaints: complaints, Adverts: adverts})
}

// AnalyseCase is Analyse without a type of this package. Fed are the complaints of the case
// that were filed with what an advert names, by the advert's id.
func (e *Engine) AnalyseCase(ctx context.Context, tx *store.Tx, t bonafide.Tenant, c *bonafide.Case) (methods []casefile.Method, months []casefile.Spell, adverts []bonafide.Advert, fed map[string][]string, err error) {
	a, err := e.Analyse(ctx, tx, t, c)
	fed = map[string][]string{}
	for _, f := range a.Feeds {
		adverts = append(adverts, f.Advert)
		fed[f.Advert.ID] = f.Complaints
	}
	return a.Methods, a.Months, adverts, fed, err
}

// PackCase is WritePack without a type of this package.
func (e *Engine) PackCase(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id, variant string, anew bool, seal int, recipients []string, open func(name string) (io.Writer, error)) (store.Seal, error) {
	return e.WritePack(ctx, t, by, id, variant, PackOptions{Anew: anew, Seal: seal, Recipients: recipients}, open)
}
