package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"bonafide"
)

// A Webhook is where another system wants to be told of events.
type Webhook struct {
	ID, URL  string
	Secret   []byte // signs deliveries; sealed by the root key
	Events   []string
	Created  time.Time
	Disabled time.Time // zero while it is on
}

// The states of a delivery.
const (
	DeliveryReady = "ready"
	DeliveryDone  = "done"
	DeliveryDead  = "dead" // given up
)

// A Delivery is one event on its way to one webhook.
type Delivery struct {
	ID, Webhook string
	Event       int64  // Event.Seq
	State       string // DeliveryReady, DeliveryDone or DeliveryDead
	Attempt     int
	Due         time.Time
	Status      int    // HTTP status of the last attempt
	Error       string // why it failed; nothing personal
}

// AddWebhook adds a webhook; Conflict if its id is taken.
func (tx *Tx) AddWebhook(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, w Webhook) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	secret, err := tx.db.root.seal(tx.db.random, place("webhook", string(t), w.ID), w.Secret)
	if err != nil {
		return err
	}
	events, err := json.Marshal(append([]string{}, w.Events...))
	if err != nil {
		return err
	}
	if _, err := tx.insert(ctx, "webhook", "", []any{string(t), w.ID, w.URL, secret, string(events), micros(w.Created), micros(w.Disabled)}); err != nil {
		return otherwise(err, bonafide.Conflict, "there is a webhook with this id already")
	}
	return tx.Record(ctx, t, actor, "webhook.added", "webhook:"+w.ID, map[string]any{"events": w.Events, "url": digestOf(w.URL)})
}

const webhookColumns = `id, url, secret, events, created, disabled`

func (tx *Tx) scanWebhook(t bonafide.Tenant) func(row) (Webhook, error) {
	return func(r row) (w Webhook, err error) {
		var created, disabled int64
		var sealed []byte
		var events string
		if err = r.Scan(&w.ID, &w.URL, &sealed, &events, &created, &disabled); err != nil {
			return w, err
		}
		w.Created, w.Disabled = instant(created), instant(disabled)
		if w.Secret, err = tx.db.root.open(place("webhook", string(t), w.ID), sealed); err != nil {
			return w, fmt.Errorf("the secret of a webhook: %w", err)
		}
		return w, json.Unmarshal([]byte(events), &w.Events)
	}
}

// Webhook returns a webhook.
func (tx *Tx) Webhook(ctx context.Context, t bonafide.Tenant, id string) (Webhook, error) {
	w, err := one(ctx, tx, tx.scanWebhook(t), `SELECT `+webhookColumns+` FROM webhook WHERE tenant = $1 AND id = $2`, string(t), id)
	return w, otherwise(err, bonafide.NotFound, noWebhook(id))
}

// Webhooks lists the webhooks of a tenant by id.
func (tx *Tx) Webhooks(ctx context.Context, t bonafide.Tenant) ([]Webhook, error) {
	return list(ctx, tx, tx.scanWebhook(t), `SELECT `+webhookColumns+` FROM webhook WHERE tenant = $1 ORDER BY id`, string(t))
}

// DisableWebhook switches a webhook off at a time; the zero time switches it on.
func (tx *Tx) DisableWebhook(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, id string, at time.Time, why string) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	n, err := tx.exec(ctx, `UPDATE webhook SET disabled = $3 WHERE tenant = $1 AND id = $2`, string(t), id, micros(at))
	if err != nil {
		return err
	}
	if n == 0 {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: noWebhook(id)}
	}
	action := "webhook.disabled"
	if at.IsZero() {
		action = "webhook.enabled"
	}
	return tx.Record(ctx, t, actor, action, "webhook:"+id, map[string]any{"why": why})
}

// RemoveWebhook removes a webhook with its deliveries.
func (tx *Tx) RemoveWebhook(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, id string) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	n, err := tx.exec(ctx, `DELETE FROM webhook WHERE tenant = $1 AND id = $2`, string(t), id)
	if err != nil {
		return err
	}
	if n == 0 {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: noWebhook(id)}
	}
	return tx.Record(ctx, t, actor, "webhook.removed", "webhook:"+id, nil)
}

func noWebhook(id string) string { return fmt.Sprintf("there is no webhook %q", id) }

// PutDelivery stores deliveries, each over an earlier one of its id. NotFound if
// the webhook is gone.
func (tx *Tx) PutDelivery(ctx context.Context, t bonafide.Tenant, ds ...Delivery) error {
	var args []any
	at := map[string]int{}
	for _, d := range ds {
		args = lastWins(at, args, d.ID, string(t), d.ID, d.Webhook, d.Event, d.State, int64(d.Attempt), micros(d.Due), int64(d.Status), d.Error)
	}
	_, err := tx.insert(ctx, "delivery", overwrite("delivery"), args)
	if errors.Is(err, bonafide.Conflict) {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: "the webhook of a delivery is gone"}
	}
	return err
}

const deliveryColumns = `id, webhook, event, state, attempt, due, status, error`

func scanDelivery(r row) (d Delivery, err error) {
	var due int64
	err = r.Scan(&d.ID, &d.Webhook, &d.Event, &d.State, &d.Attempt, &due, &d.Status, &d.Error)
	d.Due = instant(due)
	return d, err
}

// Delivery returns a delivery.
func (tx *Tx) Delivery(ctx context.Context, t bonafide.Tenant, id string) (Delivery, error) {
	d, err := one(ctx, tx, scanDelivery, `SELECT `+deliveryColumns+` FROM delivery WHERE tenant = $1 AND id = $2`, string(t), id)
	return d, otherwise(err, bonafide.NotFound, fmt.Sprintf("there is no delivery %q", id))
}

// Deliveries lists deliveries of a state, or of every state if it is empty, behind
// an id.
func (tx *Tx) Deliveries(ctx context.Context, t bonafide.Tenant, state, after string, limit int) ([]Delivery, error) {
	q, args := `SELECT `+deliveryColumns+` FROM delivery WHERE tenant = $1 AND id > $2`, []any{string(t), after, upTo(limit)}
	if state != "" {
		q += ` AND state = $4`
		args = append(args, state)
	}
	return list(ctx, tx, scanDelivery, q+` ORDER BY id LIMIT $3`, args...)
}
