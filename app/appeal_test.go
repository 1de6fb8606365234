package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bonafide"
	"bonafide/engine"
	"bonafide/evidence"
	"bonafide/internal/synth"
	"bonafide/internal/testdb"
	"bonafide/store"
)

// A consumer is another system of the lender's that keeps the tags it was told of.
type consumer struct {
	mu   sync.Mutex
	tags map[string]bool
}

func (c *consumer) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var m struct{ Data bonafide.Event }
	b, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(b, &m) != nil {
		return
	}
	ev := m.Data
	c.mu.Lock()
	defer c.mu.Unlock()
	switch ev.Type {
	case bonafide.TagCreated:
		c.tags[ev.Reason] = true
	case bonafide.TagRemoved, bonafide.TagExpired:
		delete(c.tags, ev.Reason)
	}
}

func (c *consumer) has(ids []string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, id := range ids {
		if c.tags[id] {
			n++
		}
	}
	return n
}

// Safeguard 7: an appeal that is upheld takes the tag back everywhere within a second:
// in the console, in look-ups, in lists of tags, and with whoever follows the events. The
// log proves it, and its checkpoints prove the log.
func TestSafeguard07WrongTagIsGoneEverywhereWithinASecond(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		ctx := t.Context()
		crm := &consumer{tags: map[string]bool{}}
		hook := httptest.NewServer(crm)
		defer hook.Close()
		cfg := Defaults()
		cfg.Data, cfg.Listen, cfg.Checkpoint, cfg.WebhooksPrivate = t.TempDir(), "127.0.0.1:0", "200ms", true
		if u := fresh(); strings.HasPrefix(u, "postgres") {
			cfg.DB = u
		}
		a := here(t, cfg, io.Discard)
		run(t, a)
		p := &place{key: a.First}
		ask := func(method, path string, body any) (int, []byte) {
			t.Helper()
			b, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			status, answer, err := p.ask(method, a.URL()+"/v1"+path, bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			return status, answer
		}
		if s, b := ask("POST", "/webhooks", map[string]any{"url": hook.URL, "events": bonafide.EventTypes}); s != http.StatusCreated {
			t.Fatal(s, string(b))
		}
		world := synth.New(synth.Config{Seed: 3, Size: 500, Ease: 1})
		subs := make([]engine.Submission, len(world.Complaints))
		refs := map[string]string{}
		for i := range world.Complaints {
			subs[i].Complaint = &world.Complaints[i]
			refs[world.Complaints[i].ID] = world.Complaints[i].Customer.Ref
		}
		if _, err := a.Engine.Submit(ctx, Main, bonafide.System("test"), subs); err != nil {
			t.Fatal(err)
		}
		victim := ""
		lookup := func() (ids []string) {
			t.Helper()
			body := map[string]any{"purpose": "incoming call", "complaint": victim}
			if refs[victim] != "" {
				body["customer_ref"] = refs[victim]
			}
			s, b := ask("POST", "/tags/lookup", body)
			var got struct{ Tags []bonafide.Tag }
			if err := json.Unmarshal(b, &got); err != nil || s != http.StatusOK {
				t.Fatal(s, string(b), err)
			}
			for _, x := range got.Tags {
				if x.Target.Kind == bonafide.OnComplaint || x.Target.Kind == bonafide.OnCustomer {
					ids = append(ids, x.ID)
				}
			}
			return ids
		}
		var ids []string
		for range 400 {
			time.Sleep(50 * time.Millisecond)
			if victim == "" {
				if err := a.DB.View(ctx, func(tx *store.Tx) error {
					all, err := tx.Tags(ctx, Main, store.TagFilter{Kind: string(bonafide.OnComplaint), State: "live", Limit: 1})
					if len(all) > 0 {
						victim = all[0].Target.ID
					}
					return err
				}); err != nil {
					t.Fatal(err)
				}
				continue
			}
			if ids = lookup(); len(ids) > 0 && crm.has(ids) == len(ids) {
				break
			}
		}
		if len(ids) == 0 || crm.has(ids) != len(ids) {
			t.Fatalf("tags %v, of which the consumer has %d: the test shows nothing", ids, crm.has(ids))
		}
		reviewer := signedIn(t, a, "reviewer", bonafide.RoleReviewer)
		page := func() string {
			t.Helper()
			res, err := reviewer.Get(a.URL() + "/complaints/" + url.PathEscape(victim))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			b, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != http.StatusOK {
				t.Fatal(res.StatusCode, err)
			}
			return string(b)
		}
		if !strings.Contains(page(), "level level-") {
			t.Fatal("the page shows no level: the test shows nothing")
		}
		id, err := a.Engine.FileAppeal(ctx, Main, bonafide.Actor{ID: "person:handler"}, victim, "", "I wrote it myself")
		if err != nil {
			t.Fatal(err)
		}
		settled(t, a) // a morning's work goes on, but not the first grouping of everything
		start := time.Now()
		res, err := reviewer.PostForm(a.URL()+"/appeals/"+id, url.Values{"verdict": {"upheld"}, "reason": {"the sister confirmed it"}})
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Fatalf("deciding the appeal: status %d", res.StatusCode)
		}
		if left := lookup(); len(left) > 0 {
			t.Errorf("the look-up still finds %v", left)
		}
		if strings.Contains(page(), "level level-") {
			t.Error("the page still shows the level")
		}
		s, b := ask("GET", "/tags?state=live&limit=1000", nil)
		for _, x := range ids {
			if s != http.StatusOK || bytes.Contains(b, []byte(x)) {
				t.Errorf("the list of live tags: %d, still holds %s", s, x)
			}
		}
		for crm.has(ids) > 0 && time.Since(start) < 3*time.Second {
			time.Sleep(5 * time.Millisecond)
		}
		took := time.Since(start)
		t.Logf("gone everywhere after %v", took.Round(time.Millisecond))
		if crm.has(ids) > 0 || took > time.Second {
			t.Errorf("the consumer still has %d tags after %v", crm.has(ids), took)
		}
		// The log says who did it and which appeal it was for.
		var actions []string
		if err := a.DB.View(ctx, func(tx *store.Tx) error {
			entries, err := tx.Entries(ctx, Main, -1, 100_000)
			for _, e := range entries {
				var entry evidence.Entry
				if err := json.Unmarshal(e.Data, &entry); err != nil {
					return err
				}
				if (entry.Action == "appeal.upheld" || strings.HasPrefix(entry.Action, "tag")) && strings.HasPrefix(entry.Actor, "person:") {
					actions = append(actions, entry.Action)
				}
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(actions, "appeal.upheld") || len(actions) < 2 {
			t.Errorf("the log says %v", actions)
		}
		rep, err := a.DB.VerifyLog(ctx, Main, a.logKey, nil)
		if err != nil || rep.Problem != nil {
			t.Errorf("the log: %v, %v", rep.Problem, err)
		}
	})
}

// settled waits until every event was delivered.
func settled(t *testing.T, a *App) {
	t.Helper()
	for range 400 {
		open := 0
		if err := a.DB.View(t.Context(), func(tx *store.Tx) error {
			waiting, err := tx.Deliveries(t.Context(), Main, store.DeliveryReady, "", 10)
			open = len(waiting)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if open == 0 {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
}

// signedIn is a browser in which somebody with a role signed in.
func signedIn(t *testing.T, a *App, login string, role bonafide.Role) *http.Client {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	const password = "made-up-harbour"
	person, _, err := a.Auth.AddPerson(ctx, bonafide.System("test"), bonafide.Person{Tenant: Main, Login: login, Name: login, Roles: []bonafide.Role{role}}, password)
	if err != nil {
		t.Fatal(err)
	}
	err = a.DB.Update(ctx, func(tx *store.Tx) error {
		phc, err := tx.Password(ctx, Main, person.ID)
		if err != nil {
			return err
		}
		return tx.SetPassword(ctx, Main, person.Actor(), person.ID, phc, false)
	})
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	res, err := browser.PostForm(a.URL()+"/sign-in", url.Values{"login": {login}, "password": {password}})
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Request.URL.Path == "/sign-in" {
		t.Fatalf("signing in: status %d at %s", res.StatusCode, res.Request.URL.Path)
	}
	return browser
}
