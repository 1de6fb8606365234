package api

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"bonafide"
	"bonafide/store"
)

func TestWebhooks(t *testing.T) {
	w := newWorld(t)
	th := w.a.seed()
	for _, url := range []string{
		"", "crm.example", "ftp://crm.example/x", "http://crm.example/x", "https:///x", "https://user:" + canary + "@crm.example/", "https://crm.example/#x", "https:crm.example",
		"http://localhost.example/", "https://crm.example/" + strings.Repeat("x", 2048), "http://[::1", "javascript:alert(1)",
	} {
		if g := w.a.ok(422, "POST", "/webhooks", map[string]any{"url": url, "events": []string{"tag.created"}}); g.problem(t).Field != "url" {
			t.Errorf("%q: %s", url, g.body)
		}
	}
	for _, events := range [][]string{nil, {"tag.created", "tag.created"}, {"tag"}} {
		w.a.ok(422, "POST", "/webhooks", map[string]any{"url": "https://crm.example/", "events": events})
	}
	var made webhookView
	w.a.ok(201, "POST", "/webhooks", map[string]any{"url": "http://127.0.0.1:8080/x", "events": []string{"ring.formed"}}).into(t, &made)
	var l struct{ Items []webhookView }
	w.a.ok(200, "GET", "/webhooks", nil).into(t, &l)
	if len(l.Items) != 2 || l.Items[0].Secret != "" || made.Secret == "" {
		t.Errorf("made %+v, listed %+v", made, l.Items)
	}
	w.update(func(tx *store.Tx) error {
		ds := []store.Delivery{{ID: "other", Webhook: made.ID, Event: 1, State: "dead", Attempt: 9}}
		for i := range 5 {
			ds = append(ds, store.Delivery{ID: fmt.Sprintf("d-%d", i), Webhook: th.webhook, Event: 1, State: []string{"ready", "done"}[i%2], Attempt: 1, Due: w.clock.Now()})
		}
		return tx.PutDelivery(t.Context(), "tenant-a", ds...)
	})
	page := func(query string) (ids []string, next string) {
		var l list[deliveryView, string]
		w.a.ok(200, "GET", "/webhooks/"+th.webhook+"/deliveries"+query, nil).into(t, &l)
		for _, d := range l.Items {
			ids = append(ids, d.ID)
		}
		if l.Next != nil {
			next = *l.Next
		}
		return ids, next
	}
	own := th.webhook + "-1" // of the tag that the seed made
	if ids, next := page(""); !slices.Equal(ids, []string{own, th.delivery, "d-0", "d-1", "d-2", "d-3", "d-4"}) || next != "" {
		t.Errorf("all deliveries: %v, next %q", ids, next)
	}
	if ids, next := page("?limit=2&state=ready"); !slices.Equal(ids, []string{own, "d-0"}) || next != "d-0" {
		t.Errorf("a page: %v, next %q", ids, next)
	}
	if ids, _ := page("?limit=2&state=ready&after=d-0"); !slices.Equal(ids, []string{"d-2", "d-4"}) {
		t.Errorf("the next page: %v", ids)
	}
	retry := func(status int, hook, id string) {
		t.Helper()
		w.a.ok(status, "POST", "/webhooks/"+hook+"/deliveries/"+id+"/retry", map[string]any{})
	}
	retry(404, th.webhook, "other") // of the other webhook
	retry(404, made.ID, th.delivery)
	retry(404, th.webhook, "none")
	retry(409, th.webhook, "d-0")
	retry(200, th.webhook, th.delivery)
	retry(409, th.webhook, th.delivery)
	if ids, _ := page("?state=dead"); len(ids) != 0 {
		t.Errorf("still dead: %v", ids)
	}
	if n := len(w.a.actions("webhook.retried")); n != 1 {
		t.Errorf("%d retries in the log, want 1", n)
	}
	w.a.ok(204, "DELETE", "/webhooks/"+th.webhook, nil)
	w.a.ok(404, "DELETE", "/webhooks/"+th.webhook, nil)
	w.a.ok(404, "GET", "/webhooks/"+th.webhook+"/deliveries", nil)
}

func TestTags(t *testing.T) {
	w := newWorld(t)
	th := w.a.seed()
	now := w.clock.Now()
	for _, c := range []struct {
		body   map[string]any
		status int
		field  string
	}{
		{map[string]any{"reason": "x"}, 422, "complaint"},
		{map[string]any{"reason": "x", "complaint": th.complaint, "ring": th.ring}, 422, "complaint"},
		{map[string]any{"reason": "x", "complaint": "none"}, 404, ""},
		{map[string]any{"reason": "x", "ring": "none"}, 404, ""},
		{map[string]any{"reason": "x", "customer_ref": "unknown"}, 422, "customer_ref"},
		{map[string]any{"reason": "x", "identifier": map[string]any{"kind": "phone", "value": "unknown"}}, 422, "identifier"},
		{map[string]any{"reason": "x", "identifier": map[string]any{"kind": "fax", "value": "1"}}, 422, "identifier.kind"},
		{map[string]any{"reason": "x", "identifier": map[string]any{"kind": "phone", "value": ""}}, 422, "identifier.value"},
		{map[string]any{"reason": "x", "complaint": th.complaint, "expires": now}, 422, "expires"},
		{map[string]any{"reason": "x", "complaint": th.complaint, "expires": now.Add(bonafide.TagLife + time.Second)}, 422, "expires"},
		{map[string]any{"reason": "x", "complaint": th.complaint, "evidence": []string{"fine", "call +86 138 1234 5678"}}, 422, "evidence[1]"},
		{map[string]any{"reason": "x", "complaint": th.complaint, "evidence": make([]string, 21)}, 422, "evidence"},
		{map[string]any{"reason": "x", "complaint": th.complaint, "expires": now.Add(bonafide.TagLife)}, 201, ""},
	} {
		g := w.a.ok(c.status, "POST", "/tags", c.body)
		if c.status != 201 && g.problem(t).Field != c.field {
			t.Errorf("%v: field %q, want %q", c.body, g.problem(t).Field, c.field)
		}
	}
	var tag bonafide.Tag
	w.a.ok(201, "POST", "/tags", map[string]any{"ring": th.ring, "reason": "ask who is calling"}).into(t, &tag)
	if tag.Ring != th.ring || !tag.Expires.Equal(now.Add(bonafide.TagLife)) || tag.Author != "key:"+w.a.id {
		t.Errorf("the tag is %+v", tag)
	}
	w.clock.move(89 * 24 * time.Hour)
	w.a.ok(200, "POST", "/tags/"+tag.ID+"/renew", map[string]any{"reason": "it goes on"}).into(t, &tag)
	if !tag.Expires.Equal(w.clock.Now().Add(bonafide.TagLife)) {
		t.Errorf("renewed until %v", tag.Expires)
	}
	w.a.ok(422, "POST", "/tags/"+tag.ID+"/renew", map[string]any{"reason": "x", "expires": w.clock.Now().Add(bonafide.TagLife + time.Second)})
	w.clock.move(2 * 24 * time.Hour) // the others have ended
	for query, want := range map[string]int{"": 3, "?state=live": 1, "?state=expired": 2, "?state=removed": 0, "?ring=" + th.ring: 1, "?kind=complaint": 2, "?kind=ring&target=" + th.ring: 1, "?limit=1": 1} {
		var l list[bonafide.Tag, string]
		w.a.ok(200, "GET", "/tags"+query, nil).into(t, &l)
		if len(l.Items) != want {
			t.Errorf("/tags%s: %d tags, want %d", query, len(l.Items), want)
		}
	}
	w.a.ok(200, "POST", "/tags/"+tag.ID+"/remove", map[string]any{"reason": "a mistake"}).into(t, &tag)
	if tag.RemovedBy != "key:"+w.a.id || tag.RemovedWhy != "a mistake" {
		t.Errorf("removed: %+v", tag)
	}
	w.a.ok(409, "POST", "/tags/"+tag.ID+"/remove", map[string]any{"reason": "again"})
	w.a.ok(409, "POST", "/tags/"+tag.ID+"/renew", map[string]any{"reason": "again"})
	var l list[bonafide.Event, int64]
	w.a.ok(200, "GET", "/events", nil).into(t, &l)
	var told []string
	for _, e := range l.Items {
		if e.Reason == tag.ID {
			told = append(told, string(e.Type))
		}
	}
	if !slices.Equal(told, []string{"tag.created", "tag.renewed", "tag.removed"}) {
		t.Errorf("others are told of the tag: %v", told)
	}
}

// A list is read page by page without gaps or repetitions.
func TestPages(t *testing.T) {
	w := newWorld(t)
	th := w.a.seed()
	body := ""
	for i := range 23 {
		body += line(fmt.Sprintf("P-%02d", i), "x")
	}
	w.a.ok(200, "POST", "/complaints/bulk", body)
	var seqs []int64
	after, pages := int64(0), 0
	for {
		var l list[complaintView, int64]
		w.a.ok(200, "GET", fmt.Sprintf("/complaints?limit=10&after=%d", after), nil).into(t, &l)
		pages++
		for _, v := range l.Items {
			seqs = append(seqs, v.Seq)
		}
		if l.Next == nil {
			break
		}
		after = *l.Next
	}
	if pages != 3 || len(seqs) != 25 || seqs[0] != 1 || seqs[24] != 25 || !slices.IsSorted(seqs) {
		t.Errorf("%d pages: %v", pages, seqs)
	}
	var rings list[ringView, string]
	w.a.ok(200, "GET", "/rings?state=cleared", nil).into(t, &rings)
	if len(rings.Items) != 0 {
		t.Errorf("cleared rings: %+v", rings.Items)
	}
	w.a.ok(200, "GET", "/rings?limit=1", nil).into(t, &rings)
	if len(rings.Items) != 1 || rings.Next == nil || *rings.Next != th.ring {
		t.Errorf("a page of rings: %+v", rings)
	}
}

// A decision changes the state, is told once, and cannot be made twice.
func TestDecisions(t *testing.T) {
	w := newWorld(t)
	th := w.a.seed()
	why := map[string]any{"reason": "a shelter", "innocent": "shared office: true"}
	w.a.ok(422, "POST", "/rings/"+th.ring+"/clear", map[string]any{"reason": "a shelter"})
	w.a.ok(422, "POST", "/rings/"+th.ring+"/clear", map[string]any{"innocent": "none"})
	var d decidedRing
	w.a.ok(200, "POST", "/rings/"+th.ring+"/clear", why).into(t, &d)
	if d.State != bonafide.RingIsCleared {
		t.Errorf("state %s", d.State)
	}
	w.a.ok(409, "POST", "/rings/"+th.ring+"/clear", why)
	w.a.ok(404, "POST", "/rings/none/clear", why)
	w.a.ok(422, "POST", "/links/apart", map[string]any{"a": th.other, "b": th.other, "reason": "x"})
	w.a.ok(404, "POST", "/links/apart", map[string]any{"a": th.other, "b": "none", "reason": "x"})
	w.a.ok(200, "POST", "/links/apart", map[string]any{"a": th.other, "b": th.complaint, "reason": "x"})
	var l list[pair, string]
	w.a.ok(200, "GET", "/links/apart", nil).into(t, &l)
	if !slices.Equal(l.Items, []pair{{th.complaint, th.other}}) {
		t.Errorf("apart: %v", l.Items)
	}
	w.a.ok(200, "POST", "/links/apart/remove", map[string]any{"a": th.complaint, "b": th.other, "reason": "x"})
	w.a.ok(200, "GET", "/links/apart", nil).into(t, &l)
	if len(l.Items) != 0 {
		t.Errorf("apart after taking it back: %v", l.Items)
	}
}
