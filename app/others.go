package app

import (
	"context"
	"strings"
	"time"

	"bonafide"
	"bonafide/engine"
	"bonafide/outbox"
)

// others are the parts besides engine and server, those that are asked for.
func (a *App) others() []func(context.Context) error {
	hooks := &outbox.Webhooks{DB: a.DB, Now: time.Now, Log: a.log, Private: a.cfg.WebhooksPrivate, Every: 100 * time.Millisecond}
	parts := []func(context.Context) error{hooks.Run}
	if a.cfg.Sender == "file" {
		parts = append(parts, a.cfg.folder().Run)
	}
	if a.cfg.Metrics != "" {
		parts = append(parts, a.serveMetrics)
	}
	if a.cfg.KafkaBrokers == "" {
		return parts
	}
	k := &outbox.Kafka{
		DB: a.DB, Now: time.Now, Log: a.log, Brokers: strings.Split(a.cfg.KafkaBrokers, ","), TLS: a.cfg.KafkaTLS,
		Tenant: bonafide.Tenant(a.cfg.KafkaTenant), In: a.cfg.KafkaIn, Out: a.cfg.KafkaOut, Submit: a.submit,
	}
	if k.In != "" {
		parts = append(parts, k.Read)
	}
	if k.Out != "" {
		parts = append(parts, k.Write)
	}
	return parts
}

// submit stores complaints that did not come through the API.
func (a *App) submit(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, cs []*bonafide.Complaint) ([]bonafide.PutStatus, error) {
	subs := make([]engine.Submission, len(cs))
	for i, c := range cs {
		subs[i].Complaint = c
	}
	got, err := a.Engine.Submit(ctx, t, by, subs)
	if err != nil {
		return nil, err
	}
	out := make([]bonafide.PutStatus, len(got))
	for i, r := range got {
		out[i] = r.Status
	}
	return out, nil
}
