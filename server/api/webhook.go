package api

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"bonafide"
	"bonafide/store"
)

// A webhookView is a webhook as it is shown. Secret is there once, in the answer that
// made it.
type webhookView struct {
	ID       string    `json:"id"`
	URL      string    `json:"url"`
	Events   []string  `json:"events"`
	Created  time.Time `json:"created"`
	Disabled time.Time `json:"disabled,omitzero"`
	Secret   string    `json:"secret,omitempty"` // as Standard Webhooks writes it: whsec_…
}

// kept leaves out what is shown once.
func (v webhookView) kept() any { v.Secret = ""; return v }

func webhookOf(h store.Webhook) webhookView {
	return webhookView{ID: h.ID, URL: h.URL, Events: h.Events, Created: utc(h.Created), Disabled: utc(h.Disabled)}
}

// listWebhooks lists webhooks, without their secrets.
func (a *api) listWebhooks(w http.ResponseWriter, r *http.Request, who caller) error {
	ctx := r.Context()
	var rows []store.Webhook
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		rows, err = tx.Webhooks(ctx, who.tenant)
		return err
	})
	if err != nil {
		return err
	}
	views := make([]webhookView, len(rows))
	for i, h := range rows {
		views[i] = webhookOf(h)
	}
	return answer(w, http.StatusOK, paged(views, 0, func(v webhookView) string { return v.ID }))
}

// maxWebhooks bounds the webhooks of a tenant.
const maxWebhooks = 50

// addWebhook adds a webhook. The secret that signs its deliveries is in this answer
// and nowhere else.
func (a *api) addWebhook(w http.ResponseWriter, r *http.Request, who caller) error {
	var in struct {
		URL    string   `json:"url"`
		Events []string `json:"events"`
	}
	body, err := a.read(w, r, &in)
	if err != nil {
		return err
	}
	if why := badURL(in.URL); why != "" {
		return wrong("url", why)
	}
	if len(in.Events) == 0 {
		return wrong("events", "missing: say what to be told of")
	}
	for i, e := range in.Events {
		if !slices.Contains(bonafide.EventTypes, bonafide.EventType(e)) || slices.Contains(in.Events[:i], e) {
			return wrong("events", "not some of the event types of the contract, each once")
		}
	}
	return a.change(w, r, who, body, http.StatusCreated, func(ctx context.Context, tx *store.Tx) (any, error) {
		have, err := tx.Webhooks(ctx, who.tenant)
		if err != nil {
			return nil, err
		}
		if len(have) >= maxWebhooks {
			return nil, &bonafide.Error{Kind: bonafide.Conflict, Msg: "there are 50 webhooks already: remove one"}
		}
		h := store.Webhook{ID: a.Store.NewID(), URL: in.URL, Secret: make([]byte, 32), Events: in.Events, Created: a.Now().UTC()}
		if _, err := io.ReadFull(a.Random, h.Secret); err != nil {
			return nil, fmt.Errorf("draw a secret: %w", err)
		}
		if err := tx.AddWebhook(ctx, who.tenant, who.actor, h); err != nil {
			return nil, err
		}
		v := webhookOf(h)
		v.Secret = "whsec_" + base64.StdEncoding.EncodeToString(h.Secret)
		return v, nil
	})
}

// badURL says what is wrong with the address of a webhook. Which addresses may be
// reached is decided again when one is delivered to, by what its name resolves to.
func badURL(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil || len(s) > 2048 || u.Host == "" || u.Opaque != "":
		return "not an absolute address of at most 2048 characters"
	case u.User != nil:
		return "with a user or password in it: leave them out, deliveries are signed"
	case u.Fragment != "":
		return "with a fragment, which is never sent"
	case u.Scheme == "https":
		return ""
	case u.Scheme == "http" && loopback(u.Hostname()):
		return ""
	}
	return "not https"
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || strings.EqualFold(host, "localhost")
}

// removeWebhook removes a webhook with its deliveries.
func (a *api) removeWebhook(w http.ResponseWriter, r *http.Request, who caller) error {
	ctx := r.Context()
	err := a.Store.Update(ctx, func(tx *store.Tx) error { return tx.RemoveWebhook(ctx, who.tenant, who.actor, r.PathValue("id")) })
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// A deliveryView is one event on its way to one webhook.
type deliveryView struct {
	ID      string    `json:"id"`
	Event   int64     `json:"event"`
	State   string    `json:"state"`
	Attempt int       `json:"attempt"`
	Due     time.Time `json:"due,omitzero"`
	Status  int       `json:"status,omitempty"` // HTTP status of the last attempt
	Error   string    `json:"error,omitempty"`
}

func deliveryOf(d store.Delivery) deliveryView {
	return deliveryView{ID: d.ID, Event: d.Event, State: d.State, Attempt: d.Attempt, Due: utc(d.Due), Status: d.Status, Error: d.Error}
}

// maxScanned bounds how many deliveries of all webhooks one page looks through.
const maxScanned = 20_000

// listDeliveries lists the deliveries of a webhook by id; those that are dead wait for
// somebody to retry them. A page may be short, and even empty, with more behind it.
func (a *api) listDeliveries(w http.ResponseWriter, r *http.Request, who caller) error {
	ctx, id := r.Context(), r.PathValue("id")
	state, err := oneOf(r, "state", "ready", "done", "dead")
	if err != nil {
		return err
	}
	after, limit, err := pageAfter(r)
	if err != nil {
		return err
	}
	var out list[deliveryView, string]
	err = a.Store.View(ctx, func(tx *store.Tx) error {
		if _, err := tx.Webhook(ctx, who.tenant, id); err != nil {
			return err
		}
		out = list[deliveryView, string]{Items: []deliveryView{}}
		at := after
		for scanned := 0; scanned < maxScanned; {
			rows, err := tx.Deliveries(ctx, who.tenant, state, at, maxPage)
			if err != nil {
				return err
			}
			for _, d := range rows {
				at = d.ID
				if d.Webhook != id {
					continue
				}
				if out.Items = append(out.Items, deliveryOf(d)); len(out.Items) == limit {
					out.Next = &at
					return nil
				}
			}
			if len(rows) < maxPage {
				return nil
			}
			scanned += len(rows)
		}
		out.Next = &at
		return nil
	})
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, out)
}

// retryDelivery sends a dead delivery on its way again.
func (a *api) retryDelivery(w http.ResponseWriter, r *http.Request, who caller) error {
	body, err := a.read(w, r, &struct{}{})
	if err != nil {
		return err
	}
	hook, id := r.PathValue("id"), r.PathValue("delivery")
	return a.change(w, r, who, body, http.StatusOK, func(ctx context.Context, tx *store.Tx) (any, error) {
		d, err := tx.Delivery(ctx, who.tenant, id)
		if err != nil {
			return nil, err
		}
		if d.Webhook != hook {
			return nil, &bonafide.Error{Kind: bonafide.NotFound, Msg: "no such delivery of this webhook"}
		}
		if d.State != "dead" {
			return nil, &bonafide.Error{Kind: bonafide.Conflict, Msg: "only a dead delivery is retried"}
		}
		d.State, d.Attempt, d.Due, d.Status, d.Error = "ready", 0, a.Now().UTC(), 0, ""
		if err := tx.PutDelivery(ctx, who.tenant, d); err != nil {
			return nil, err
		}
		return deliveryOf(d), tx.Record(ctx, who.tenant, who.actor, "webhook.retried", "webhook:"+hook, map[string]string{"delivery": id})
	})
}
