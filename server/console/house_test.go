package console

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"html"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"bonafide"
	"bonafide/casework"
	"bonafide/engine"
	"bonafide/internal/testdb"
	"bonafide/policy"
	"bonafide/server/auth"
	"bonafide/store"
)

const houseTenant bonafide.Tenant = "house"

const housePassword = "made-up-harbour-of-tests"

// A house is a tenant at work: the pages over a real store and a real engine.
type house struct {
	t    *testing.T
	url  string
	db   *store.DB
	eng  *engine.Engine
	k    *Console
	auth *auth.Auth
	mux  *http.ServeMux
	log  *houseLog
	stop func() // of the engine
}

type houseLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *houseLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *houseLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, url: testdb.SQLite(t), log: &houseLog{}}
	var err error
	h.db, err = store.Open(t.Context(), h.url, store.Options{RootKey: bytes.Repeat([]byte{7}, 32), Now: time.Now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.db.Close(); err != nil {
			t.Error(err)
		}
	})
	err = h.db.Update(t.Context(), func(tx *store.Tx) error {
		return tx.AddTenant(t.Context(), houseTenant, "A Lender", bonafide.System("test"))
	})
	if err != nil {
		t.Fatal(err)
	}
	pack, err := policy.Load("nifa-2024")
	if err != nil {
		t.Fatal(err)
	}
	clocks, err := casework.Load("cn-nfra")
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h.eng = engine.New(engine.Config{DB: h.db, Now: time.Now, Log: log, Version: "test", Policy: pack, Clocks: clocks, Settle: 10 * time.Millisecond})
	h.run()
	if h.auth, err = auth.New(auth.Config{Store: h.db, Now: time.Now, Random: rand.Reader, Log: log}); err != nil {
		t.Fatal(err)
	}
	h.k, err = New(Config{
		Store: h.db, Auth: h.auth, Tracks: h.eng, Extensions: h.eng, Decider: h.eng, Finder: h.eng, Grader: h.eng, Imports: h.eng, Front: h.eng, Audits: h.eng, Policy: pack,
		Clocks: clocks, Lender: "A Lender", Now: time.Now, Log: log, Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	h.mux = http.NewServeMux()
	for pattern, page := range h.k.Handlers() {
		h.mux.Handle(pattern, page)
	}
	return h
}

// run runs the engine until stop.
func (h *house) run() {
	h.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.eng.Run(ctx) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Error("run:", err)
		}
	})
	h.t.Cleanup(h.stop)
	h.wait("the engine is ready", func() bool {
		for _, s := range h.eng.Status() {
			if s.Tenant == houseTenant && s.Ready {
				return true
			}
		}
		return false
	})
}

func (h *house) wait(what string, ok func() bool) {
	h.t.Helper()
	for range 1200 {
		if ok() {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	h.t.Fatalf("waited in vain until %s", what)
}

func (h *house) view(fn func(*store.Tx) error) {
	h.t.Helper()
	if err := h.db.View(h.t.Context(), fn); err != nil {
		h.t.Fatal(err)
	}
}

// did counts the entries of the log of a kind.
func (h *house) did(action string) (n int) {
	h.t.Helper()
	h.view(func(tx *store.Tx) error {
		n = 0
		entries, err := tx.Entries(h.t.Context(), houseTenant, 0, 0)
		for _, e := range entries {
			if strings.Contains(string(e.Data), `"`+action+`"`) {
				n++
			}
		}
		return err
	})
	return n
}

// A guest is somebody who is signed in.
type guest struct {
	h      *house
	person bonafide.Person
	cookie *http.Cookie
}

// sign signs somebody in who has roles.
func (h *house) sign(login string, roles ...bonafide.Role) *guest {
	h.t.Helper()
	ctx := h.t.Context()
	chief := bonafide.Actor{ID: "system:test", Scopes: []bonafide.Scope{bonafide.ScopePeopleWrite}}
	p, _, err := h.auth.AddPerson(ctx, chief, bonafide.Person{Tenant: houseTenant, Login: login, Name: "Some Body", Roles: roles}, housePassword)
	if err != nil {
		h.t.Fatal(err)
	}
	err = h.db.Update(ctx, func(tx *store.Tx) error {
		phc, err := tx.Password(ctx, houseTenant, p.ID)
		return errors.Join(err, tx.SetPassword(ctx, houseTenant, p.Actor(), p.ID, phc, false))
	})
	if err != nil {
		h.t.Fatal(err)
	}
	g := &guest{h: h, person: p}
	a := g.post("/sign-in", url.Values{"login": {login}, "password": {housePassword}})
	for _, c := range a.cookies {
		if c.HttpOnly && c.Value != "" {
			g.cookie = c
		}
	}
	if a.status != http.StatusSeeOther || g.cookie == nil {
		h.t.Fatalf("sign in: %d %s", a.status, a.body)
	}
	return g
}

// A houseAnswer is what a browser gets.
type houseAnswer struct {
	status   int
	location string
	body     string // without entities
	raw      string
	cookies  []*http.Cookie
}

func (g *guest) do(method, to, kind string, body io.Reader) houseAnswer {
	g.h.t.Helper()
	r := httptest.NewRequest(method, "http://localhost"+to, body)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if g.cookie != nil {
		r.AddCookie(g.cookie)
	}
	w := httptest.NewRecorder()
	g.h.mux.ServeHTTP(w, r)
	raw := w.Body.String()
	return houseAnswer{w.Code, w.Header().Get("Location"), html.UnescapeString(raw), raw, w.Result().Cookies()}
}

func (g *guest) get(to string) houseAnswer { g.h.t.Helper(); return g.do(http.MethodGet, to, "", nil) }

func (g *guest) post(to string, form url.Values) houseAnswer {
	g.h.t.Helper()
	return g.do(http.MethodPost, to, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

// upload hands a file in.
func (g *guest) upload(name string, content []byte) houseAnswer {
	g.h.t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	w, err := form.CreateFormFile("file", name)
	if err != nil {
		g.h.t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		g.h.t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		g.h.t.Fatal(err)
	}
	return g.do(http.MethodPost, "/import", form.FormDataContentType(), &b)
}

// ok fails the test unless the form was carried out, and returns where it led.
func (a houseAnswer) ok(t *testing.T) string {
	t.Helper()
	if a.status != http.StatusSeeOther {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	to, _, _ := strings.Cut(a.location, "?")
	return to
}

// shows fails the test unless the page has all of some texts.
func (a houseAnswer) shows(t *testing.T, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if !strings.Contains(a.body, s) {
			t.Errorf("the page does not show %q:\n%s", s, a.body)
		}
	}
}

// hides fails the test if the page has one of some texts.
func (a houseAnswer) hides(t *testing.T, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if strings.Contains(a.body, s) {
			t.Errorf("the page shows %q", s)
		}
	}
}

// lastOf is the last part of an address.
func lastOf(to string) string { return to[strings.LastIndexByte(to, '/')+1:] }
