package app

import (
	"context"

	"bonafide"
	"bonafide/engine"
	"bonafide/server"
	"bonafide/server/api"
	"bonafide/store"
)

// intake gives the engine the form that the API asks for.
type intake struct{ *engine.Engine }

// Submit hands complaints to the engine.
func (i intake) Submit(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, in []api.Submission) ([]api.Receipt, error) {
	subs := make([]engine.Submission, len(in))
	for k, s := range in {
		subs[k].Complaint = s.Complaint
		if s.Once != nil {
			answer := s.Once.Answer
			subs[k].Once = &engine.Once{Key: s.Once.Key, Digest: s.Once.Digest, Answer: func(r engine.Receipt) store.Answer { return answer(api.Receipt(r)) }}
		}
	}
	got, err := i.Engine.Submit(ctx, t, by, subs)
	if err != nil {
		return nil, err
	}
	out := make([]api.Receipt, len(got))
	for k, r := range got {
		out[k] = api.Receipt(r)
	}
	return out, nil
}

// decider gives the engine the form that the API asks for.
type decider struct{ *engine.Engine }

// Decide records a decision about a ring.
func (d decider) Decide(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, ring string, what api.Decision, keep func(*store.Tx, bonafide.RingState) error) error {
	return d.Engine.Decide(ctx, t, by, ring, what.Verb, what.Reason, what.Innocent, keep)
}

// readiness tells how far the engine is.
type readiness struct{ *engine.Engine }

// Ready lists every tenant.
func (r readiness) Ready(context.Context) []server.TenantStatus {
	var out []server.TenantStatus
	for _, s := range r.Status() {
		out = append(out, server.TenantStatus{Tenant: s.Tenant, Ready: s.Ready, Loaded: s.Loaded, Total: max(s.Total, s.Loaded)})
	}
	return out
}
