package api

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bonafide"
	"bonafide/store"
)

// request sends a route's own example, filled with ids.
func (c *client) request(rt route, th things, set ...func(*http.Request)) got {
	c.w.t.Helper()
	var body any
	if rt.body != "" {
		body = th.body(c, rt)
	}
	return c.call(rt.method, th.path(rt.path), body, set...)
}

// Every route answers its own example.
func TestEveryRouteWorks(t *testing.T) {
	for _, rt := range routes {
		if rt.path == "/log/checkpoint" || rt.path == "/links/apart/remove" {
			continue // they need something first: see their own tests
		}
		t.Run(rt.method+" "+rt.path, func(t *testing.T) {
			w := newWorld(t)
			th := w.a.seed()
			if rt.path == "/rings/{id}/reopen" {
				w.a.ok(200, "POST", "/rings/"+th.ring+"/clear", map[string]any{"reason": "a shelter", "innocent": "shared office"})
			}
			switch rt.path {
			case "/customers/erase":
				w.a.ok(200, "POST", "/customers", map[string]any{"ref": "K-1001"})
			case "/complaints", "/complaints/bulk":
				th.complaint, th.other = "new-1", "new-2"
			}
			if g := w.a.request(rt, th); g.status >= 300 {
				t.Errorf("status %d: %s", g.status, g.body)
			}
		})
	}
}

// Without a key, with a wrong one and with one that lacks the scope nothing is
// answered, whatever is asked.
func TestEveryRouteNeedsKeyAndScope(t *testing.T) {
	w := newWorld(t)
	th := w.a.seed()
	nobody := &client{w: w}
	for _, rt := range routes {
		name := rt.method + " " + rt.path
		if rt.open {
			if g := nobody.request(rt, th); g.status != 200 {
				t.Errorf("%s: status %d without a key, want 200", name, g.status)
			}
			continue
		}
		if g := nobody.request(rt, th); g.status != 401 || g.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: status %d without a key, want 401 and which scheme", name, g.status)
		}
		for _, wrong := range []string{"Bearer bf_" + strings.Repeat("0", 43), "Bearer " + w.a.secret[:20], "Basic " + w.a.secret, w.a.secret, "Bearer  " + w.a.secret} {
			if g := nobody.request(rt, th, with("Authorization", wrong)); g.status != 401 {
				t.Errorf("%s: status %d with a wrong key, want 401", name, g.status)
			}
		}
		if rt.scope == "" {
			continue
		}
		var others []bonafide.Scope
		for _, s := range bonafide.Scopes {
			if s != rt.scope && s != bonafide.ScopeAdmin {
				others = append(others, s)
			}
		}
		if g := w.key("tenant-a", store.APIKey{Name: "others", Scopes: others}).request(rt, th); g.status != 403 {
			t.Errorf("%s: status %d with every scope but %s, want 403", name, g.status, rt.scope)
		}
		if g := w.key("tenant-a", store.APIKey{Name: "one", Scopes: []bonafide.Scope{rt.scope}}).request(route{method: rt.method, path: rt.path, body: rt.body}, things{}); g.status == 403 || g.status == 401 {
			t.Errorf("%s: status %d with the scope %s", name, g.status, rt.scope)
		}
	}
	if s := w.logs.String(); strings.Contains(s, w.a.secret) {
		t.Error("a secret stands in the log")
	}
}

// The other tenant's key finds nothing by this tenant's ids, whatever the route, and
// changes nothing here. The requests are made from the contract.
func TestSafeguard13OtherInstitutionFindsNothing(t *testing.T) {
	w := newWorld(t)
	th := w.a.seed()
	w.a.ok(200, "POST", "/links/apart", map[string]any{"a": th.complaint, "b": th.other, "reason": "neighbours"})
	before := snapshot(w.a, th)
	entries := len(w.a.entries())
	asked := 0
	var names []string // what creates something of the second tenant comes last
	for last := range 2 {
		for path, item := range document().Paths.Map() {
			for method := range item.Operations() {
				creates := method == "POST" && path != "/contacts/handover" && !strings.Contains(path, "{") && !slices.Contains([]string{"/customers/erase", "/links/apart", "/links/apart/remove", "/tags", "/tags/lookup"}, path)
				if creates == (last == 1) {
					names = append(names, method+" "+path)
				}
			}
		}
	}
	for _, name := range names {
		method, path, _ := strings.Cut(name, " ")
		i := slices.IndexFunc(routes, func(rt route) bool { return rt.path == path && rt.method == method })
		if i < 0 {
			t.Fatalf("%s: no such route", name)
		}
		rt := routes[i]
		asked++
		var body any
		if rt.body != "" {
			b := th.body(w.b, rt)
			switch path {
			case "/customers/erase":
				b = []byte(`{"complaint":"` + th.complaint + `","reason":"the person asked for it"}`)
			}
			body = b
		}
		query := ""
		if slices.Contains(rt.query, "include") {
			query = "?include=content"
		}
		g := w.b.call(method, th.path(path)+query, body, with(purposeHeader, "a look across the fence"))
		switch {
		case strings.Contains(path, "{n}"), path == "/status", path == "/openapi.yaml", path == "/scripts":
			// its own log, its own status, everybody's contract
		case strings.Contains(path, "{"), path == "/customers/erase", path == "/log/checkpoint", strings.HasPrefix(path, "/links/apart") && method == "POST", path == "/tags" && method == "POST":
			if g.status != 404 {
				t.Errorf("%s: status %d with the other tenant's ids, want 404: %s", name, g.status, g.body)
			}
		case method == "GET" && path != "/log/entries" && path != "/keys":
			var l struct{ Items []any }
			g.into(t, &l)
			if g.status != 200 || len(l.Items) > 0 {
				t.Errorf("%s: status %d, want an empty list: %s", name, g.status, g.body)
			}
		case path == "/tags/lookup":
			var l lookedUp
			g.into(t, &l)
			if g.status != 200 || len(l.Tags)+len(l.Rings) > 0 {
				t.Errorf("%s: status %d, want nothing found: %s", name, g.status, g.body)
			}
		}
		for _, id := range []string{th.customer, th.tag, th.webhook, th.key, canary} {
			if bytes.Contains(g.body, []byte(id)) {
				t.Errorf("%s: the answer has %s of the other tenant: %s", name, id, g.body)
			}
		}
	}
	if asked != len(routes) {
		t.Errorf("%d routes asked, want %d", asked, len(routes))
	}
	if d := cmp.Diff(before, snapshot(w.a, th)); d != "" {
		t.Errorf("the other tenant changed something (-before +after):\n%s", d)
	}
	// Reading leaves no entries but the reveals of the snapshots.
	if got := len(w.a.entries()) - entries; got != reveals {
		t.Errorf("the log of the first tenant grew by %d entries, want the %d of looking", got, reveals)
	}
}

// reveals is how many entries a snapshot leaves in the log.
const reveals = 11 // the merit of a complaint and a conversation among them

// snapshot reads everything of a tenant.
func snapshot(c *client, th things) map[string]string {
	all := map[string]string{}
	for _, rt := range routes {
		if rt.method != "GET" || rt.path == "/log/entries" || rt.path == "/log/checkpoint" || strings.Contains(rt.path, "{n}") {
			continue
		}
		query := ""
		if slices.Contains(rt.query, "include") {
			query = "?include=content"
		}
		all[rt.path] = string(c.ok(200, "GET", th.path(rt.path)+query, nil, with(purposeHeader, "a snapshot")).body)
	}
	return all
}

// A key that was revoked, or has expired, ends within the time that keys are
// believed, also in another process.
func TestKeysEnd(t *testing.T) {
	w := newWorld(t)
	other := newAPI(w.api.Config) // another process on the same database
	k := w.key("tenant-a", store.APIKey{Name: "short", Scopes: []bonafide.Scope{bonafide.ScopeRingsRead}, Expires: w.clock.Now().Add(time.Hour)})
	ask := func(a *api) int {
		r, err := http.NewRequestWithContext(t.Context(), "GET", "/v1/rings", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+k.secret)
		rec := newRecorder()
		a.handler().ServeHTTP(rec, r)
		return rec.status
	}
	if s := ask(other); s != 200 {
		t.Fatalf("status %d, want 200", s)
	}
	k.ok(200, "GET", "/rings", nil)
	w.a.ok(200, "POST", "/keys/"+k.id+"/revoke", map[string]any{})
	k.ok(401, "GET", "/rings", nil)
	w.clock.move(w.api.Limits.Trust - time.Millisecond)
	if s := ask(other); s != 200 {
		t.Errorf("status %d in the other process before the time is over, want 200: does it ask each time?", s)
	}
	w.clock.move(time.Millisecond)
	if s := ask(other); s != 401 {
		t.Errorf("status %d in the other process %v after the key was revoked, want 401", s, w.api.Limits.Trust)
	}
	w.a.ok(409, "POST", "/keys/"+k.id+"/revoke", map[string]any{})

	k = w.key("tenant-a", store.APIKey{Name: "short", Scopes: []bonafide.Scope{bonafide.ScopeRingsRead}, Expires: w.clock.Now().Add(time.Hour)})
	k.ok(200, "GET", "/rings", nil)
	w.clock.move(time.Hour - time.Millisecond)
	k.ok(200, "GET", "/rings", nil)
	w.clock.move(time.Millisecond)
	k.ok(401, "GET", "/rings", nil)
}

// A rotated key and its successor are both good until the overlap ends.
func TestKeyRotates(t *testing.T) {
	w := newWorld(t)
	k := w.key("tenant-a", store.APIKey{Name: "softphone", Rate: 600, Scopes: []bonafide.Scope{bonafide.ScopeRingsRead}})
	var made keyView
	w.a.ok(201, "POST", "/keys/"+k.id+"/rotate", map[string]any{"overlap_s": 60}).into(t, &made)
	if made.Replaces != k.id || made.Name != "softphone" || made.Rate != 600 || !slices.Equal(made.Scopes, []bonafide.Scope{bonafide.ScopeRingsRead}) || made.Secret == "" {
		t.Errorf("the new key is %+v", made)
	}
	next := &client{w: w, tenant: "tenant-a", id: made.ID, secret: made.Secret}
	k.ok(200, "GET", "/rings", nil)
	next.ok(200, "GET", "/rings", nil)
	w.clock.move(time.Minute)
	k.ok(401, "GET", "/rings", nil)
	next.ok(200, "GET", "/rings", nil)
	w.a.ok(409, "POST", "/keys/"+k.id+"/rotate", map[string]any{})
	var l struct{ Items []keyView }
	w.a.ok(200, "GET", "/keys", nil).into(t, &l)
	for _, v := range l.Items {
		if v.Secret != "" {
			t.Error("a list of keys has a secret")
		}
	}
	for _, e := range w.a.entries() {
		if strings.Contains(e.Text, made.Secret) || strings.Contains(e.Text, fmt.Sprintf("%x", hashSecret(made.Secret))) {
			t.Errorf("the log has the secret or its hash: %s", e.Text)
		}
	}
}

// A key may send as many requests a minute as its rate, ten seconds' worth at once.
func TestRateOfKey(t *testing.T) {
	w := newWorld(t)
	k := w.key("tenant-a", store.APIKey{Name: "slow", Rate: 60, Scopes: []bonafide.Scope{bonafide.ScopeRingsRead}})
	for range 10 {
		k.ok(200, "GET", "/rings", nil)
	}
	if g := k.ok(429, "GET", "/rings", nil); g.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After is %q, want 1", g.header.Get("Retry-After"))
	}
	w.clock.move(time.Second)
	k.ok(200, "GET", "/rings", nil)
	k.ok(429, "GET", "/rings", nil)
	w.a.ok(200, "GET", "/rings", nil) // another key is not meant
}

// An address that sends wrong keys is slowed down; a key that is known to be good goes
// on from there, and the store is not asked for the others.
func TestWrongKeysAreSlowed(t *testing.T) {
	w := newWorld(t, func(l *Limits) { l.Failures = 5 })
	w.a.ok(200, "GET", "/rings", nil)
	guess := &client{w: w, secret: "bf_" + strings.Repeat("0", 43)}
	for range 5 {
		guess.ok(401, "GET", "/rings", nil)
	}
	before := w.db.Statements()
	guess.ok(429, "GET", "/rings", nil)
	(&client{w: w}).ok(429, "GET", "/rings", nil)
	w.a.ok(200, "GET", "/rings", nil)
	if n := w.db.Statements() - before; n > 3 {
		t.Errorf("%d statements for two wrong keys and one list", n)
	}
	w.clock.move(time.Minute)
	guess.ok(401, "GET", "/rings", nil)
	w.a.ok(200, "GET", "/rings", nil)
}

// A key that is in use costs no statement for a while.
func TestKeysAreRemembered(t *testing.T) {
	w := newWorld(t)
	w.a.ok(200, "GET", "/status", nil)
	before := w.db.Statements()
	for range 50 {
		w.a.ok(200, "GET", "/status", nil)
	}
	if n := w.db.Statements() - before; n != 0 {
		t.Errorf("50 requests with a known key took %d statements, want none", n)
	}
}

// A recorder is a ResponseWriter for handlers called without a server.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newRecorder() *recorder { return &recorder{header: http.Header{}} }

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) { r.status = status }

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = 200
	}
	return r.body.Write(b)
}
