package api

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"bonafide"
	"bonafide/server"
	"bonafide/store"
)

// The same request with the same key gets the same answer and changes nothing again;
// another request with the key is refused. So for every route that changes something.
func TestRepetitionGetsTheSameAnswer(t *testing.T) {
	for _, rt := range routes {
		if rt.body != server.JSON || rt.path == "/tags/lookup" || rt.path == "/customers/find" {
			continue
		}
		t.Run(rt.path, func(t *testing.T) {
			w := newWorld(t)
			th := w.a.seed()
			switch rt.path {
			case "/complaints":
				th.complaint = "new"
			case "/links/apart/remove":
				w.a.ok(200, "POST", "/links/apart", map[string]any{"a": th.complaint, "b": th.other, "reason": "neighbours"})
			case "/rings/{id}/reopen":
				w.a.ok(200, "POST", "/rings/"+th.ring+"/clear", map[string]any{"reason": "a shelter", "innocent": "shared office"})
			case "/customers/erase":
				w.a.ok(200, "POST", "/customers", map[string]any{"ref": "K-1001"})
			}
			key := with(onceHeader, `~ key "1"`)
			first := w.a.request(rt, th, key)
			if first.status >= 300 || first.header.Get(replayHeader) != "" {
				t.Fatalf("status %d, replayed %q: %s", first.status, first.header.Get(replayHeader), first.body)
			}
			before := w.a.counts()
			again := w.a.request(rt, th, key)
			want := first.body
			if s := secretOf(t, first.body); s != "" {
				want = bytes.Replace(want, []byte(`,"secret":"`+s+`"`), nil, 1)
			}
			if again.status != first.status || !bytes.Equal(again.body, want) || again.header.Get(replayHeader) != "true" {
				t.Errorf("again: status %d, replayed %q:\n%s\nwant %d:\n%s", again.status, again.header.Get(replayHeader), again.body, first.status, want)
			}
			if after := w.a.counts(); after["log"] != before["log"] || after["complaints"] != before["complaints"] || after["events"] != before["events"] {
				t.Errorf("the repetition changed something: %v, then %v", before, after)
			}
			other := bytes.Replace(th.body(w.a, rt), []byte("{"), []byte("{ "), 1)
			if g := w.a.call(rt.method, th.path(rt.path), other, key); g.status != 422 || g.problem(t).Field != onceHeader {
				t.Errorf("with another body: status %d, want 422: %s", g.status, g.body)
			}
			if g := w.a.call("POST", "/tags", map[string]any{"complaint": th.other, "reason": "x"}, key); g.status != 422 {
				t.Errorf("at another address: status %d, want 422: %s", g.status, g.body)
			}
			// The key belongs to who used it: another API key of the tenant has its own.
			if g := w.key("tenant-a", store.APIKey{Scopes: []bonafide.Scope{bonafide.ScopeAdmin}}).request(rt, th, key); g.header.Get(replayHeader) != "" {
				t.Errorf("another key got the first one's answer: %s", g.body)
			}
			w.clock.move(answerLife)
			if g := w.a.request(rt, th, key); g.header.Get(replayHeader) != "" {
				t.Errorf("the answer is still given after %v", answerLife)
			}
		})
	}
}

func secretOf(t *testing.T, b []byte) string {
	t.Helper()
	var v struct{ Secret string }
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v.Secret
}

// What failed is not kept: a mended request may use the key again.
func TestFailuresAreNotKept(t *testing.T) {
	w := newWorld(t)
	key := with(onceHeader, "k")
	w.a.ok(422, "POST", "/complaints", `{"id":"C-1"}`, key)
	w.eng.mu.Lock()
	w.eng.fail = &bonafide.Error{Kind: bonafide.Busy, Msg: "loading"}
	w.eng.mu.Unlock()
	body := `{"id":"C-1","received":"2026-03-02T09:30:00Z","text":"x"}`
	if g := w.a.ok(503, "POST", "/complaints", body, key); g.header.Get("Retry-After") == "" {
		t.Error("busy without Retry-After")
	}
	w.eng.mu.Lock()
	w.eng.fail = nil
	w.eng.mu.Unlock()
	w.a.ok(201, "POST", "/complaints", body, key)
	if g := w.a.ok(201, "POST", "/complaints", body, key); g.header.Get(replayHeader) != "true" {
		t.Error("not replayed")
	}
	w.a.ok(200, "POST", "/complaints", body)
	w.a.ok(200, "POST", "/complaints", body, with(onceHeader, "k2"))
	if g := w.a.ok(200, "POST", "/complaints", body, with(onceHeader, "k2")); g.header.Get(replayHeader) != "true" {
		t.Error("unchanged is not replayed")
	}
	w.a.ok(409, "POST", "/complaints", strings.Replace(body, `"x"`, `"y"`, 1), with(onceHeader, "k3"))
	w.a.ok(404, "POST", "/tags", `{"complaint":"none","reason":"x"}`, with(onceHeader, "k4"))
	w.a.ok(201, "POST", "/tags", `{"complaint":"C-1","reason":"x"}`, with(onceHeader, "k4"))
}

// Of many that send one request with one key at once, one makes the change.
func TestRepetitionsAtOnce(t *testing.T) {
	w := newWorld(t)
	w.a.ok(201, "POST", "/complaints", `{"id":"C-1","received":"2026-03-02T09:30:00Z","text":"x"}`)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			g := w.a.call("POST", "/tags", `{"complaint":"C-1","reason":"x"}`, with(onceHeader, "one"))
			if g.status != 201 && g.status != 409 {
				t.Errorf("status %d: %s", g.status, g.body)
			}
		})
	}
	wg.Wait()
	var l struct{ Items []bonafide.Tag }
	w.a.ok(200, "GET", "/tags", nil).into(t, &l)
	if len(l.Items) != 1 {
		t.Errorf("%d tags, want 1", len(l.Items))
	}
}

// A look-up is answered by what is true now, and each is logged.
func TestLookUpIsNeverReplayed(t *testing.T) {
	w := newWorld(t)
	th := w.a.seed()
	ask := func() (l lookedUp) {
		w.a.ok(200, "POST", "/tags/lookup", map[string]any{"complaint": th.complaint, "purpose": "incoming call"}, with(onceHeader, "k")).into(t, &l)
		return l
	}
	if l := ask(); len(l.Tags) != 1 {
		t.Fatalf("%d tags, want 1", len(l.Tags))
	}
	w.a.ok(200, "POST", "/tags/"+th.tag+"/remove", map[string]any{"reason": "a mistake"})
	if l := ask(); len(l.Tags) != 0 {
		t.Errorf("a removed tag warns on: %+v", l)
	}
	if n := len(w.a.actions("tags.looked-up")); n != 2 {
		t.Errorf("%d look-ups in the log, want 2", n)
	}
}
