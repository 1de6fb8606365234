package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bonafide"
)

func TestEvents(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		ring := func(id string) bonafide.Target { return bonafide.Target{Kind: bonafide.OnRing, ID: id} }
		events := []bonafide.Event{
			{Type: bonafide.RingFormed, At: start, Target: ring("R-1"), Level: bonafide.Level2, Count: 3},
			{Type: bonafide.TagCreated, At: start, Target: bonafide.Target{Kind: bonafide.OnCustomer, ID: "R-1"}},
			{Type: bonafide.TagCreated, At: start, Target: bonafide.Target{Kind: bonafide.OnCustomer, ID: "c"}, Ring: "R-1"},
			{Type: bonafide.RingMerged, At: start, Target: ring("R-2"), Other: "R-1", Reason: "one number"},
			{Type: bonafide.RingLevel, At: start, Target: ring("R-1"), Ring: "R-1"},
		}
		update(t, db, func(ctx context.Context, tx *Tx) error {
			if err := tx.Emit(ctx, lender, events[:2]...); err != nil {
				return err
			}
			seen, err := tx.Events(ctx, lender, 0, 0) // its own are among them
			if err != nil || len(seen) != 2 {
				t.Errorf("Events in their own transaction = %v, %v", seen, err)
			}
			return tx.Emit(ctx, lender, events[2:]...)
		})
		for i := range events {
			events[i].Seq = int64(i + 1)
		}
		view(t, db, func(ctx context.Context, tx *Tx) error {
			got, err := tx.Events(ctx, lender, 0, 0)
			if d := cmp.Diff(events, got); err != nil || d != "" {
				t.Errorf("Events: %v (-want +got):\n%s", err, d)
			}
			got, err = tx.Events(ctx, lender, 2, 1)
			if d := cmp.Diff(events[2:3], got); err != nil || d != "" {
				t.Errorf("Events behind 2: %v (-want +got):\n%s", err, d)
			}
			got, err = tx.RingEvents(ctx, lender, "R-1")
			if d := cmp.Diff([]bonafide.Event{events[0], events[2], events[3], events[4]}, got); err != nil || d != "" {
				t.Errorf("RingEvents: %v (-want +got):\n%s", err, d)
			}
			n, err := tx.CountEvents(ctx, lender)
			if n != 5 || err != nil {
				t.Errorf("CountEvents = %d, %v", n, err)
			}
			return nil
		})
	})
}

func TestWebhooks(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		w := Webhook{ID: "W1", URL: "https://example.org/in?x=1", Secret: []byte("hush"), Events: []string{"tag.created"}, Created: start}
		off := Webhook{ID: "W2", URL: "https://example.org/2", Secret: []byte{}, Events: []string{}, Created: start, Disabled: start}
		d := Delivery{ID: "D1", Webhook: "W1", Event: 7, State: DeliveryReady, Due: start}
		update(t, db, func(ctx context.Context, tx *Tx) error {
			return errors.Join(tx.AddWebhook(ctx, lender, clerk, w), tx.AddWebhook(ctx, lender, clerk, off),
				tx.PutDelivery(ctx, lender, d, Delivery{ID: "D2", Webhook: "W2", State: DeliveryDone}))
		})
		d.State, d.Attempt, d.Status, d.Error = DeliveryDead, 9, 500, "no"
		update(t, db, func(ctx context.Context, tx *Tx) error {
			return errors.Join(tx.PutDelivery(ctx, lender, d), tx.PutDelivery(ctx, lender), tx.DisableWebhook(ctx, lender, clerk, "W2", time.Time{}, "again"))
		})
		off.Disabled = time.Time{}
		view(t, db, func(ctx context.Context, tx *Tx) error {
			all, err := tx.Webhooks(ctx, lender)
			if diff := cmp.Diff([]Webhook{w, off}, all); err != nil || diff != "" {
				t.Errorf("Webhooks: %v (-want +got):\n%s", err, diff)
			}
			one, err := tx.Webhook(ctx, lender, "W1")
			if diff := cmp.Diff(w, one); err != nil || diff != "" {
				t.Errorf("Webhook: %v (-want +got):\n%s", err, diff)
			}
			got, err := tx.Delivery(ctx, lender, "D1")
			if diff := cmp.Diff(d, got); err != nil || diff != "" {
				t.Errorf("Delivery: %v (-want +got):\n%s", err, diff)
			}
			dead, err := tx.Deliveries(ctx, lender, DeliveryDead, "", 5)
			if err != nil || len(dead) != 1 {
				t.Errorf("dead deliveries = %v, %v", dead, err)
			}
			page, err := tx.Deliveries(ctx, lender, "", "D1", 5)
			if err != nil || len(page) != 1 || page[0].ID != "D2" {
				t.Errorf("deliveries behind D1 = %v, %v", page, err)
			}
			return nil
		})
		update(t, db, func(ctx context.Context, tx *Tx) error { return tx.RemoveWebhook(ctx, lender, clerk, "W1") })
		view(t, db, func(ctx context.Context, tx *Tx) error {
			for name, err := range map[string]error{
				"webhook":  second(tx.Webhook(ctx, lender, "W1")),
				"delivery": second(tx.Delivery(ctx, lender, "D1")),
			} {
				if !errors.Is(err, bonafide.NotFound) {
					t.Errorf("the %s of a removed webhook: %v", name, err)
				}
			}
			return nil
		})
		for name, fn := range map[string]func(ctx context.Context, tx *Tx) error{
			"remove":  func(ctx context.Context, tx *Tx) error { return tx.RemoveWebhook(ctx, lender, clerk, "W1") },
			"disable": func(ctx context.Context, tx *Tx) error { return tx.DisableWebhook(ctx, lender, clerk, "W1", start, "") },
			"deliver": func(ctx context.Context, tx *Tx) error { return tx.PutDelivery(ctx, lender, d) },
		} {
			if err := db.Update(t.Context(), func(tx *Tx) error { return fn(t.Context(), tx) }); !errors.Is(err, bonafide.NotFound) {
				t.Errorf("%s a webhook that is gone: %v", name, err)
			}
		}
		verified(t, db)
	})
}

func second[T any](_ T, err error) error { return err }

func TestEventsBecomeDeliveries(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		update(t, db, func(ctx context.Context, tx *Tx) error {
			return errors.Join(
				tx.AddWebhook(ctx, lender, clerk, Webhook{ID: "W1", Secret: []byte("s"), Events: []string{"tag.created", "ring.formed"}}),
				tx.AddWebhook(ctx, lender, clerk, Webhook{ID: "W2", Secret: []byte("s"), Events: []string{"tag.created"}, Disabled: start}),
				tx.Emit(ctx, lender, bonafide.Event{Type: bonafide.TagCreated, At: start}, bonafide.Event{Type: bonafide.TagRemoved, At: start}))
		})
		update(t, db, func(ctx context.Context, tx *Tx) error {
			return tx.Emit(ctx, lender, bonafide.Event{Type: bonafide.RingFormed, At: start.Add(time.Minute)})
		})
		claim := func(now time.Duration) (seqs []int64) {
			t.Helper()
			out, err := db.ClaimDeliveries(t.Context(), start.Add(now), time.Hour, 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range out {
				if o.Webhook.ID != "W1" || o.Event.Seq != o.Delivery.Event || o.Tenant != lender {
					t.Errorf("outgoing: %+v", o)
				}
				seqs = append(seqs, o.Event.Seq)
			}
			return seqs
		}
		if d := cmp.Diff([]int64{1}, claim(0)); d != "" {
			t.Errorf("claimed (-want +got):\n%s", d)
		}
		if d := cmp.Diff([]int64{3}, claim(time.Minute)); d != "" {
			t.Errorf("claimed later (-want +got):\n%s", d)
		}
		if got := claim(time.Minute); got != nil {
			t.Errorf("claimed twice: %v", got)
		}
		lead := func(owner string, now time.Duration) (seq int64, mine bool) {
			t.Helper()
			update(t, db, func(ctx context.Context, tx *Tx) (err error) {
				seq, mine, err = tx.LeadCursor(ctx, lender, "kafka", owner, start.Add(now), time.Minute)
				return err
			})
			return seq, mine
		}
		move := func(owner string, seq int64) error {
			return db.Update(t.Context(), func(tx *Tx) error { return tx.MoveCursor(t.Context(), lender, "kafka", owner, seq) })
		}
		if seq, mine := lead("w1", 0); seq != 0 || !mine {
			t.Errorf("the first to lead: %d, %v", seq, mine)
		}
		if err := move("w1", 2); err != nil {
			t.Error(err)
		}
		if _, mine := lead("w2", 0); mine {
			t.Error("two lead at once")
		}
		if seq, mine := lead("w2", time.Minute); seq != 2 || !mine {
			t.Errorf("the next to lead: %d, %v", seq, mine)
		}
		if err := move("w1", 3); !errors.Is(err, bonafide.Conflict) {
			t.Errorf("moved by one who leads no more: %v", err)
		}
	})
}

func TestAnswers(t *testing.T) {
	each(t, func(t *testing.T, db *DB, c *clock) {
		a := Answer{Key: "k1", Digest: []byte("d"), Status: 201, Body: []byte(`{"id":"C-1"}`), Expires: start.Add(time.Hour)}
		forever := Answer{Key: "k2", Digest: []byte{}, Body: []byte{}}
		put := func(actor string, a Answer) error {
			return db.Update(t.Context(), func(tx *Tx) error { return tx.PutAnswer(t.Context(), lender, actor, a) })
		}
		get := func(actor, key string) (a Answer, err error) {
			err = db.View(t.Context(), func(tx *Tx) error {
				a, err = tx.Answer(t.Context(), lender, actor, key)
				return err
			})
			return a, err
		}
		if err := errors.Join(put("x", a), put("y", a), put("x", forever)); err != nil {
			t.Fatal(err)
		}
		if err := put("x", a); !errors.Is(err, bonafide.Conflict) {
			t.Errorf("a key used again: %v", err)
		}
		for _, want := range []Answer{a, forever} {
			got, err := get("x", want.Key)
			if d := cmp.Diff(want, got); err != nil || d != "" {
				t.Errorf("Answer: %v (-want +got):\n%s", err, d)
			}
		}
		if _, err := get("z", "k1"); !errors.Is(err, bonafide.NotFound) {
			t.Errorf("a key of another: %v", err)
		}
		c.add(time.Hour)
		if _, err := get("x", "k1"); !errors.Is(err, bonafide.NotFound) {
			t.Errorf("a key that expired: %v", err)
		}
		a.Status, a.Expires = 202, start.Add(2*time.Hour)
		if err := put("x", a); err != nil {
			t.Errorf("a key that expired, used again: %v", err)
		}
		if got, err := get("x", "k1"); err != nil || got.Status != 202 {
			t.Errorf("its answer: %+v, %v", got, err)
		}
		for want, now := range map[int64]time.Duration{1: time.Hour} {
			if n, err := db.PurgeAnswers(t.Context(), start.Add(now)); n != want || err != nil {
				t.Errorf("PurgeAnswers = %d, %v; want %d", n, err, want)
			}
		}
		if n, err := db.PurgeAnswers(t.Context(), start.Add(99*time.Hour)); n != 1 || err != nil {
			t.Errorf("PurgeAnswers later = %d, %v; want 1", n, err)
		}
		if _, err := get("x", "k2"); err != nil {
			t.Errorf("one that never expires: %v", err)
		}
	})
}

func TestKeys(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		hash := func(s string) []byte {
			h := sha256.Sum256([]byte(s))
			return h[:]
		}
		k := APIKey{
			ID: "K1", Tenant: lender, Name: "softphone", Hash: hash("1"), Scopes: []bonafide.Scope{bonafide.ScopeTagsLookup}, Rate: 600,
			Created: start, Expires: start.Add(time.Hour), Replaces: "K0",
		}
		add := func(k APIKey) error {
			return db.Update(t.Context(), func(tx *Tx) error { return tx.AddKey(t.Context(), lender, clerk, k) })
		}
		bare := APIKey{ID: "K2", Hash: hash("2")}
		if err := errors.Join(add(k), add(bare)); err != nil {
			t.Fatal(err)
		}
		bare.Tenant = lender
		for name, twice := range map[string]APIKey{"id": {ID: "K1", Hash: hash("3")}, "secret": {ID: "K3", Hash: hash("1")}} {
			if err := add(twice); !errors.Is(err, bonafide.Conflict) {
				t.Errorf("the same %s again: %v", name, err)
			}
		}
		revoke := func(id string, at time.Time) error {
			return db.Update(t.Context(), func(tx *Tx) error { return tx.RevokeKey(t.Context(), lender, clerk, id, at) })
		}
		if err := errors.Join(revoke("K2", start.Add(time.Hour)), revoke("K2", start.Add(2*time.Hour)), revoke("K2", start.Add(time.Minute))); err != nil {
			t.Fatal(err)
		}
		if err := revoke("K9", start); !errors.Is(err, bonafide.NotFound) {
			t.Errorf("revoked a key that is not there: %v", err)
		}
		bare.Revoked = start.Add(time.Minute)
		view(t, db, func(ctx context.Context, tx *Tx) error {
			all, err := tx.Keys(ctx, lender)
			if d := cmp.Diff([]APIKey{k, bare}, all); err != nil || d != "" {
				t.Errorf("Keys: %v (-want +got):\n%s", err, d)
			}
			one, err := tx.KeyByHash(ctx, hash("1"))
			if d := cmp.Diff(k, one); err != nil || d != "" {
				t.Errorf("KeyByHash: %v (-want +got):\n%s", err, d)
			}
			if _, err := tx.KeyByHash(ctx, hash("9")); !errors.Is(err, bonafide.NotFound) {
				t.Errorf("a key that is not there: %v", err)
			}
			return nil
		})
		verified(t, db)
	})
}
