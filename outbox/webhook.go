package outbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"bonafide"
	"bonafide/store"
)

// Webhooks delivers events to the addresses that lenders registered.
type Webhooks struct {
	DB      *store.DB
	Now     func() time.Time
	Log     *slog.Logger
	Private bool          // private and loopback addresses may be reached
	Every   time.Duration // how often to look for deliveries; 0 means a second

	client *http.Client
}

// How deliveries are tried. A delivery that failed is tried again after each of these
// waits, and is dead after the last: somebody has to retry it by hand.
var waits = []time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

const (
	atOnce   = 16               // deliveries under way
	each     = 2                // of these to one webhook
	answerIn = 10 * time.Second // that a receiver has
	claimFor = time.Minute      // a delivery whose process died is tried again after this
)

// Run delivers until ctx ends.
func (w *Webhooks) Run(ctx context.Context) error {
	w.client = w.newClient()
	every := w.Every
	if every == 0 {
		every = time.Second
	}
	t := time.NewTicker(every)
	defer t.Stop()
	d := newDesk()
	defer d.wait()
	for {
		n, err := w.claim(ctx, d)
		if err != nil && ctx.Err() == nil {
			w.Log.WarnContext(ctx, "deliver webhooks", slog.Any("err", err))
		}
		d.start(w.Now(), func(o store.Outgoing) { w.deliver(ctx, o) })
		if n == atOnce && ctx.Err() == nil { // there may be more
			select {
			case id := <-d.done:
				d.end(id, w.Now())
			default:
			}
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case id := <-d.done:
			d.end(id, w.Now())
		case <-t.C:
		}
	}
}

// round claims some deliveries that are due and makes them.
func (w *Webhooks) round(ctx context.Context) (int, error) {
	d := newDesk()
	n, err := w.claim(ctx, d)
	if err != nil {
		return 0, err
	}
	for {
		d.start(w.Now(), func(o store.Outgoing) { w.deliver(ctx, o) })
		if d.underWay == 0 {
			return n, nil
		}
		d.end(<-d.done, w.Now())
	}
}

// claim brings deliveries that are due to the desk where it has room.
func (w *Webhooks) claim(ctx context.Context, d *desk) (int, error) {
	now := w.Now()
	if !d.room(now) {
		return 0, nil
	}
	out, err := w.DB.ClaimDeliveries(ctx, now, claimFor, atOnce)
	for _, o := range out {
		d.put(o, now)
	}
	return len(out), err
}

// deliver makes one attempt and records what came of it.
func (w *Webhooks) deliver(ctx context.Context, o store.Outgoing) {
	status, err := w.send(ctx, o)
	if ctx.Err() != nil {
		return // the claim ends by itself
	}
	d := o.Delivery
	d.Attempt++
	d.Status, d.Error, d.State = status, "", "done"
	if err != nil {
		d.Error, d.State = err.Error(), "dead"
		if d.Attempt <= len(waits) {
			d.State, d.Due = "ready", w.Now().Add(waits[d.Attempt-1])
		}
	}
	err = w.DB.Update(ctx, func(tx *store.Tx) error {
		if d.State == "dead" {
			by := bonafide.System("webhooks")
			if err := tx.Record(ctx, o.Tenant, by, "delivery.dead", "webhook:"+d.Webhook, map[string]any{"delivery": d.ID, "attempts": d.Attempt}); err != nil {
				return err
			}
		}
		return tx.PutDelivery(ctx, o.Tenant, d)
	})
	if err != nil && ctx.Err() == nil {
		w.Log.WarnContext(ctx, "record a delivery", slog.Any("delivery", d.ID), slog.Any("err", err))
	}
}

// A message is the body of a delivery.
type message struct {
	Type      bonafide.EventType `json:"type"`
	Timestamp time.Time          `json:"timestamp"`
	Data      bonafide.Event     `json:"data"`
}

// send posts one event. The error says what went wrong without naming the address.
func (w *Webhooks) send(ctx context.Context, o store.Outgoing) (status int, err error) {
	body, err := json.Marshal(message{o.Event.Type, o.Event.At.UTC(), o.Event})
	if err != nil {
		return 0, fmt.Errorf("write event: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.Webhook.URL, bytes.NewReader(body))
	if err != nil {
		return 0, errors.New("the address is not one that can be posted to")
	}
	at := strconv.FormatInt(w.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "bonafide")
	req.Header.Set("Webhook-Id", o.Delivery.ID)
	req.Header.Set("Webhook-Timestamp", at)
	req.Header.Set("Webhook-Signature", Sign(o.Webhook.Secret, o.Delivery.ID, at, body))
	res, err := w.client.Do(req)
	if err != nil {
		if errors.Is(err, errPrivate) {
			return 0, errPrivate
		}
		if errors.Is(err, context.DeadlineExceeded) {
			return 0, errors.New("no answer in 10 seconds")
		}
		return 0, errors.New("the address could not be reached")
	}
	defer res.Body.Close()
	// Read a little, so that the connection can be used again; what it says is not kept.
	_, _ = io.CopyN(io.Discard, res.Body, 4<<10)
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return res.StatusCode, fmt.Errorf("the receiver answered %d", res.StatusCode)
	}
	return res.StatusCode, nil
}

// Sign returns the signature of a delivery: v1, and the base64 of HMAC-SHA256 over
// id, timestamp and body with dots between.
func Sign(secret []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// errPrivate says why an address is not reached.
var errPrivate = errors.New("the address is private: set webhooks_private to allow it")

// newClient returns a client that follows no redirect and, unless allowed, reaches no
// private address, whatever name resolves to it.
func (w *Webhooks) newClient() *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	if !w.Private {
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil || !public(at.Addr()) {
				return errPrivate
			}
			return nil
		}
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: answerIn,
			MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 32 << 10, DisableCompression: true,
			ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// shared are ranges that are not public though they look it: carriers' addresses,
// benchmarks, reserved ones, and IPv6 forms that carry an IPv4 address.
var shared = []netip.Prefix{
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("2002::/16"),
}

// public reports whether an address is one of the open network.
func public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return false
	}
	for _, p := range shared {
		if p.Contains(a) {
			return false
		}
	}
	return true
}
