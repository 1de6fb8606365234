package api

import (
	"encoding/json"
	"strings"

	"bonafide"
	"bonafide/store"
)

// Things are the ids of one of everything that a tenant has.
type things struct {
	complaint, other, customer, contract, call, representative, thirdParty, objection, failure, contact string
	ring, template, tag, webhook, delivery, key                                                         string
}

// canary stands in every personal value of the seed.
const canary = "CANARY7f3a"

// seed makes one of everything in a client's tenant. What the API can make is made
// through it, from the examples of the contract; the rest is what an engine would have
// stored.
func (c *client) seed() things {
	t := c.w.t
	t.Helper()
	const prefix = "a-"
	var th things
	th.complaint, th.other = prefix+"C-1", prefix+"C-2"
	th.contract, th.call, th.representative = prefix+"L-1", prefix+"V-1", prefix+"R-1"
	th.thirdParty, th.objection, th.failure, th.contact = prefix+"P-1", prefix+"O-1", prefix+"F-1", prefix+"contact"
	th.ring, th.template, th.delivery = prefix+"ring", prefix+"template", prefix+"delivery"
	for i, id := range []string{th.complaint, th.other} {
		c.ok(201, "POST", "/complaints", map[string]any{
			"id": id, "received": "2026-03-02T09:30:00+08:00", "text": canary + " was called at midnight",
			"customer": map[string]any{"ref": prefix + "K-" + string(rune('1'+i)), "name": canary, "phone": "+86 130 0000 0001"},
			"contacts": []any{map[string]any{"kind": "phone", "value": "+86 130 0000 0002"}},
		})
	}
	ref := prefix + "K-1"
	var put putRecord
	c.ok(200, "POST", "/customers", map[string]any{"ref": ref, "name": canary}).into(t, &put)
	th.customer = put.ID
	c.ok(200, "POST", "/contracts", map[string]any{"id": th.contract, "customer_ref": ref, "principal": 1, "currency": "CNY", "opened": "2025-01-15", "product": canary})
	c.ok(200, "POST", "/calls", map[string]any{"id": th.call, "contract": th.contract, "started": "2026-02-27T22:40:00+08:00", "duration_s": 5, "direction": "out", "party": "debtor", "effective": true, "outsourcer": canary})
	c.ok(200, "POST", "/third-parties", map[string]any{"id": th.thirdParty, "customer_ref": ref, "relation": canary}).into(t, &put)
	th.thirdParty = put.ID // their ids are unique for the customer alone
	c.ok(200, "POST", "/objections", map[string]any{"id": th.objection, "customer_ref": ref, "filed": "2026-02-01"})
	c.ok(200, "POST", "/failures", map[string]any{"id": th.failure, "customer_ref": ref, "at": "2026-02-27T22:40:00+08:00", "what": "payment", "cause": canary})
	c.ok(200, "POST", "/representatives", map[string]any{"id": th.representative, "customer_ref": ref, "type": "family", "name": canary})
	var made struct{ ID string }
	c.ok(201, "POST", "/webhooks", map[string]any{"url": "https://crm.example/hooks", "events": []string{"tag.created"}}).into(t, &made)
	th.webhook = made.ID
	c.ok(201, "POST", "/keys", map[string]any{"name": prefix + "key", "scopes": []string{"tags:lookup"}}).into(t, &made)
	th.key = made.ID
	c.ok(201, "POST", "/tags", map[string]any{"complaint": th.complaint, "reason": "ask who helped to write this"}).into(t, &made)
	th.tag = made.ID

	now, actor, members := c.w.clock.Now(), bonafide.System("settle"), []string{th.complaint, th.other}
	body := func(v any) []byte {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	ring := bonafide.Ring{
		ID: th.ring, Members: members, Families: []bonafide.Family{bonafide.FamilyIdentity, bonafide.FamilyText}, Score: 0.9, Why: []string{"one phone"},
		Ties:   []bonafide.Tie{{Complaint: th.complaint, Received: now, Region: "example", Why: []string{"phone 1"}, Route: bonafide.RouteVulnerable}},
		Shared: []bonafide.SharedThing{{Label: "phone 1", Kind: "phone", Family: bonafide.FamilyIdentity, Members: members, Rarity: "rare"}},
		Level:  bonafide.Level2, Innocent: []string{"family"}, Template: th.template,
		Decisions: []bonafide.Decision{{Verb: bonafide.Reopen, By: "key:x", At: now, Reason: "new member", Innocent: "family", Members: members}},
	}
	letter := bonafide.Template{
		ID: th.template, Members: members, Skeleton: "was called at ‹…›", Lang: "en",
		Examples: []bonafide.Aligned{{Complaint: th.complaint, Spans: []bonafide.Span{{Kind: bonafide.SpanShared, Text: "was called at"}, {Kind: bonafide.SpanOwn, Text: "midnight"}}}},
	}
	verdict := bonafide.Verdict{ID: th.complaint, Level: bonafide.Level2, Ring: th.ring, Template: th.template, Criteria: []bonafide.Criterion{"K08"}, Why: []string{"one phone"}, Families: ring.Families}
	ctx := t.Context()
	c.w.update(func(tx *store.Tx) error {
		if err := tx.SaveRings(ctx, c.tenant, actor, []store.RingRow{{
			ID: th.ring, State: string(bonafide.RingProposed), Level: string(bonafide.Level2), Size: 2, Customers: 2, Found: true, Members: members, Body: body(ring), Created: now, Updated: now,
		}}); err != nil {
			return err
		}
		if err := tx.Emit(ctx, c.tenant, bonafide.Event{Type: bonafide.RingFormed, At: now, Target: bonafide.Target{Kind: bonafide.OnRing, ID: th.ring}, Ring: th.ring, Level: bonafide.Level2, Count: 2}); err != nil {
			return err
		}
		if err := tx.SaveTemplates(ctx, c.tenant, actor, []store.TemplateRow{{ID: th.template, Size: 2, Body: body(letter)}}, nil); err != nil {
			return err
		}
		if err := tx.SaveVerdicts(ctx, c.tenant, actor, []store.VerdictRow{{Complaint: th.complaint, Level: string(verdict.Level), Ring: th.ring, Template: th.template, Body: body(verdict)}}, nil); err != nil {
			return err
		}
		if err := seedFront(ctx, tx, c.tenant, actor, th, now); err != nil {
			return err
		}
		return tx.PutDelivery(ctx, c.tenant, store.Delivery{ID: th.delivery, Webhook: th.webhook, Event: 1, State: "dead", Attempt: 9, Due: now, Status: 500, Error: "server error"})
	})
	return th
}

// path fills the ids of th into the pattern of a route.
func (th things) path(pattern string) string {
	_, rest, _ := strings.Cut(pattern, "/")
	kind, _, _ := strings.Cut(rest, "/")
	id := map[string]string{
		"complaints": th.complaint, "customers": th.customer, "contracts": th.contract, "calls": th.call, "representatives": th.representative,
		"third-parties": th.thirdParty, "objections": th.objection, "failures": th.failure, "contacts": th.contact,
		"rings": th.ring, "templates": th.template, "tags": th.tag, "webhooks": th.webhook, "keys": th.key,
	}[kind]
	return strings.NewReplacer("{id}", id, "{delivery}", th.delivery, "{n}", "0").Replace(pattern)
}

// body is a request for a route that fits the ids of th: the example of the contract
// with the ids in the place of its own.
func (th things) body(c *client, rt route) []byte {
	b := string(example(c.w.t, rt))
	return []byte(strings.NewReplacer("C-2026-0001", th.complaint, "C-2026-0002", th.other, `"contract":"L-1"`, `"contract":"`+th.contract+`"`).Replace(b))
}
