package api

import (
	_ "embed" // of openapi.yaml
	"net/http"

	"bonafide"
	"bonafide/store"
)

// A statusView says how far the live engine of the caller's tenant is.
type statusView struct {
	Tenant  bonafide.Tenant `json:"tenant"`
	Version string          `json:"version"`
	Ready   bool            `json:"ready"`
	Loaded  int64           `json:"loaded"` // complaints that new ones are compared with
	Total   int64           `json:"total"`  // complaints stored
	LagMS   int64           `json:"lag_ms"` // how far the engine is behind what is stored
}

// status tells a key's holder whose key it is and how far the engine is.
func (a *api) status(w http.ResponseWriter, r *http.Request, who caller) error {
	v := statusView{Tenant: who.tenant, Version: a.Version}
	for _, t := range a.Readiness.Ready(r.Context()) {
		if t.Tenant == who.tenant {
			v.Ready, v.Loaded, v.Total, v.LagMS = t.Ready, t.Loaded, t.Total, t.Lag.Milliseconds()
		}
	}
	return answer(w, http.StatusOK, v)
}

// listEvents lists what happened, the oldest first: the same that webhooks are told,
// for who would rather ask.
func (a *api) listEvents(w http.ResponseWriter, r *http.Request, who caller) error {
	ctx := r.Context()
	after, limit, err := page(r, 0)
	if err != nil {
		return err
	}
	var events []bonafide.Event
	err = a.Store.View(ctx, func(tx *store.Tx) (err error) {
		events, err = tx.Events(ctx, who.tenant, after, limit)
		return err
	})
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, paged(events, limit, func(e bonafide.Event) int64 { return e.Seq }))
}

//go:embed openapi.yaml
var openAPI []byte

// contract serves the contract.
func (a *api) contract(w http.ResponseWriter, _ *http.Request, _ caller) error {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(openAPI) // nobody is left to tell
	return nil
}
