package auth

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"bonafide"
	"bonafide/internal/testdb"
	"bonafide/server"
	"bonafide/store"
)

const (
	lender   = bonafide.Tenant("lender")
	password = "zebra-canary-Lantern-42" // a canary too
	public   = "https://console.example.org"
)

var chief = bonafide.Actor{ID: "key:chief", Name: "chief", Scopes: []bonafide.Scope{bonafide.ScopePeopleWrite}}

// A clock is set by tests.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// A safeBuffer takes a log.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// dice draws numbers that many may draw from at once.
type dice struct {
	mu sync.Mutex
	r  *rand.ChaCha8
}

func (d *dice) Read(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.r.Read(p)
}

// A world is a database with a tenant, two people, and an Auth on it.
type world struct {
	t     *testing.T
	db    *store.DB
	path  string
	auth  *Auth
	clock *clock
	log   *safeBuffer
	cfg   Config
	ana   bonafide.Person // a handler
	boss  bonafide.Person // an administrator
}

func newWorld(t *testing.T, change ...func(*Config)) *world {
	t.Helper()
	return newWorldOn(t, testdb.SQLite(t), change...)
}

func newWorldOn(t *testing.T, url string, change ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, path: url, clock: &clock{t: time.Now().UTC().Truncate(time.Second)}, log: &safeBuffer{}}
	random := &dice{r: rand.NewChaCha8([32]byte{7})}
	var err error
	w.db, err = store.Open(t.Context(), url, store.Options{RootKey: []byte("0123456789abcdef0123456789abcdef"), Now: w.clock.now, Random: random})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.db.Close(); err != nil {
			t.Error(err)
		}
	})
	w.cfg = Config{
		Store: w.db, Now: w.clock.now, Random: random, Secure: true, PublicURL: public,
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, fn := range change {
		fn(&w.cfg)
	}
	w.auth = w.another()
	if err := w.db.Update(t.Context(), func(tx *store.Tx) error {
		return tx.AddTenant(t.Context(), lender, "A Lender", bonafide.System("test"))
	}); err != nil {
		t.Fatal(err)
	}
	w.ana = w.person("ana", bonafide.RoleHandler)
	w.boss = w.person("boss", bonafide.RoleAdministrator)
	return w
}

// another returns a second Auth on the same database, as of another process.
func (w *world) another() *Auth {
	w.t.Helper()
	a, err := New(w.cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// person makes somebody whose password is password, already changed.
func (w *world) person(login string, role bonafide.Role) bonafide.Person {
	w.t.Helper()
	ctx := w.t.Context()
	p, _, err := w.auth.AddPerson(ctx, chief, bonafide.Person{Tenant: lender, Login: login, Name: "Some Body", Roles: []bonafide.Role{role}}, password)
	if err != nil {
		w.t.Fatal(err)
	}
	err = w.db.Update(ctx, func(tx *store.Tx) error {
		phc, err := tx.Password(ctx, lender, p.ID)
		return errors.Join(err, tx.SetPassword(ctx, lender, p.Actor(), p.ID, phc, false))
	})
	if err != nil {
		w.t.Fatal(err)
	}
	p.MustChange = false
	return p
}

func request(cookies ...*http.Cookie) *http.Request {
	r := httptest.NewRequest(http.MethodPost, public+"/sign-in", nil)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	return r
}

// signIn tries to sign in and returns the cookie of the session.
func (w *world) signIn(a *Auth, login, pw string, cookies ...*http.Cookie) (*http.Cookie, *Session, error) {
	w.t.Helper()
	rec := httptest.NewRecorder()
	s, err := a.SignIn(w.t.Context(), rec, request(cookies...), login, pw)
	return cookieOf(rec, a.cookieName(sessionCookie)), s, err
}

func (w *world) mustSignIn(cookies ...*http.Cookie) (*http.Cookie, *Session) {
	w.t.Helper()
	c, s, err := w.signIn(w.auth, "ana", password, cookies...)
	if err != nil || c == nil {
		w.t.Fatalf("sign in: %v, cookie %v", err, c)
	}
	return c, s
}

func cookieOf(rec *httptest.ResponseRecorder, name string) *http.Cookie {
	for _, c := range rec.Result().Cookies() {
		if c.Name == name {
			return c
		}
	}
	return nil
}

func (w *world) live(c *http.Cookie) bool {
	w.t.Helper()
	_, err := w.auth.Session(request(c))
	if err != nil && !errors.Is(err, ErrNoSession) {
		w.t.Fatal(err)
	}
	return err == nil
}

func refusal(t *testing.T, err error) *server.Refusal {
	t.Helper()
	r, internal := server.Refused(err)
	if err == nil || internal {
		t.Fatalf("not a refusal: %v", err)
	}
	return r
}

func (w *world) actions() (all []string) {
	w.t.Helper()
	err := w.db.View(w.t.Context(), func(tx *store.Tx) error {
		rows, err := tx.Entries(w.t.Context(), lender, -1, 0)
		all = nil
		for _, r := range rows {
			all = append(all, string(r.Data))
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func (w *world) logged(action string) int {
	n := 0
	for _, e := range w.actions() {
		n += strings.Count(e, `"`+action+`"`)
	}
	return n
}

func TestSignIn(t *testing.T) {
	w := newWorld(t)
	c, s := w.mustSignIn()
	if s.Person.ID != w.ana.ID || s.Tenant != lender || s.Actor.ID != "person:"+w.ana.ID || !s.Actor.May(bonafide.ScopeComplaintsRead) || s.Actor.May(bonafide.ScopePeopleWrite) {
		t.Errorf("session %+v", s)
	}
	if !s.Fresh(w.clock.now(), time.Minute) || s.Fresh(w.clock.now().Add(2*time.Minute), time.Minute) || s.Strong() {
		t.Error("freshness")
	}
	var seen *Session
	h := w.auth.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen, _ = From(r.Context()) }))
	h.ServeHTTP(httptest.NewRecorder(), request(c))
	if seen == nil || seen.Person.ID != w.ana.ID || seen.Person.Name != "Some Body" {
		t.Errorf("in the context: %+v", seen)
	}
	for _, bad := range []*http.Cookie{{Name: c.Name, Value: "x"}, {Name: c.Name, Value: strings.Repeat("A", 43)}, {Name: "bonafide", Value: c.Value}} {
		seen = nil
		h.ServeHTTP(httptest.NewRecorder(), request(bad))
		if seen != nil {
			t.Errorf("%v is taken for a session", bad)
		}
	}
	if _, err := w.auth.Session(request(c, &http.Cookie{Name: c.Name, Value: strings.Repeat("A", 43)})); !errors.Is(err, ErrNoSession) {
		t.Errorf("two cookies: %v", err)
	}
	if n := w.logged("person.signed-in"); n != 1 {
		t.Errorf("%d sign-ins in the log", n)
	}
	if _, _, err := w.signIn(w.auth, " ANA ", password); err != nil {
		t.Errorf("login in capitals: %v", err)
	}
}

func TestCookieFlags(t *testing.T) {
	for _, secure := range []bool{true, false} {
		w := newWorld(t, func(c *Config) {
			if c.Secure = secure; !secure {
				c.PublicURL = "http://localhost:8484"
			}
		})
		c, _ := w.mustSignIn()
		name := "bonafide"
		if secure {
			name = "__Host-bonafide"
		}
		if c.Name != name || c.Secure != secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || len(c.Value) != 43 {
			t.Errorf("secure %v: %+v", secure, c)
		}
		rec := httptest.NewRecorder()
		if err := w.auth.SignOut(t.Context(), rec, request(c)); err != nil {
			t.Fatal(err)
		}
		if gone := cookieOf(rec, name); gone == nil || gone.MaxAge >= 0 || gone.Value != "" || gone.Secure != secure || gone.Path != "/" {
			t.Errorf("signed out: %+v", gone)
		}
	}
}

// Whatever token a browser had before, the session has another one after.
func TestFixation(t *testing.T) {
	w := newWorld(t)
	planted := &http.Cookie{Name: w.auth.cookieName(sessionCookie), Value: strings.Repeat("A", 43)}
	c, _ := w.mustSignIn(planted)
	if c.Value == planted.Value || w.live(planted) {
		t.Error("a planted token is a session")
	}
	// Another person's session, planted by that person.
	evil, _, err := w.signIn(w.auth, "boss", password)
	if err != nil {
		t.Fatal(err)
	}
	after, _ := w.mustSignIn(evil)
	if after.Value == evil.Value || w.live(evil) {
		t.Error("the session of before goes on")
	}
	if s, err := w.auth.Session(request(after)); err != nil || s.Person.ID != w.ana.ID {
		t.Errorf("%+v, %v", s, err)
	}
	// Proving it again changes the token as well.
	w.clock.add(20 * time.Minute)
	s, err := w.auth.Session(request(after))
	if err != nil || s.Fresh(w.clock.now(), Confirmation) {
		t.Fatalf("%+v, %v", s, err)
	}
	rec := httptest.NewRecorder()
	s2, err := w.auth.Confirm(t.Context(), rec, s, password)
	if err != nil || !s2.Fresh(w.clock.now(), Confirmation) || !s2.Started.Equal(s.Started) {
		t.Fatalf("confirm: %+v, %v", s2, err)
	}
	renewed := cookieOf(rec, after.Name)
	if renewed.Value == after.Value || w.live(after) || !w.live(renewed) {
		t.Error("the old token goes on after a confirmation")
	}
	if _, err := w.auth.Confirm(t.Context(), httptest.NewRecorder(), s2, "wrong password here"); refusal(t, err).Status != http.StatusUnauthorized {
		t.Errorf("confirm with a wrong password: %v", err)
	}
}

func TestSessionEnds(t *testing.T) {
	const next = "violet-Harbour-gazebo-7"
	for name, end := range map[string]func(w *world, c *http.Cookie, s *Session) error{
		"idle": func(w *world, _ *http.Cookie, _ *Session) error { w.clock.add(idle); return nil },
		"absolute": func(w *world, c *http.Cookie, _ *Session) error {
			for range 34 { // never idle
				w.clock.add(20 * time.Minute)
				if !w.live(c) {
					return errors.New("ended early")
				}
			}
			w.clock.add(20 * time.Minute)
			return nil
		},
		"sign-out": func(w *world, c *http.Cookie, _ *Session) error {
			return w.auth.SignOut(w.t.Context(), httptest.NewRecorder(), request(c))
		},
		"own new password": func(w *world, _ *http.Cookie, s *Session) error {
			return w.auth.ChangePassword(w.t.Context(), s, password, next)
		},
		"new password by an administrator": func(w *world, _ *http.Cookie, _ *Session) error {
			_, err := w.auth.SetPassword(w.t.Context(), w.boss.Actor(), lender, w.ana.ID, "")
			return err
		},
		"disabled": func(w *world, _ *http.Cookie, _ *Session) error {
			p := w.ana
			p.Disabled = w.clock.now()
			return w.db.Update(w.t.Context(), func(tx *store.Tx) error { return tx.SavePerson(w.t.Context(), w.boss.Actor(), p) })
		},
		"new roles": func(w *world, _ *http.Cookie, _ *Session) error {
			p := w.ana
			p.Roles = []bonafide.Role{bonafide.RoleReviewer}
			return w.db.Update(w.t.Context(), func(tx *store.Tx) error { return tx.SavePerson(w.t.Context(), w.boss.Actor(), p) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			first, _ := w.mustSignIn()
			second, s := w.mustSignIn()
			w.clock.add(idle - time.Second)
			if !w.live(first) || !w.live(second) {
				t.Fatal("a session ended early")
			}
			if err := end(w, second, s); err != nil {
				t.Fatal(err)
			}
			if w.live(second) {
				t.Error("the session goes on")
			}
			if everywhere := name != "sign-out"; w.live(first) == everywhere {
				t.Errorf("the other session lives: %v", w.live(first))
			}
		})
	}
}

func TestNewPasswordLetsIn(t *testing.T) {
	const next = "violet-Harbour-gazebo-7"
	w := newWorld(t)
	_, s := w.mustSignIn()
	for _, bad := range []string{"short", "password1234", next + strings.Repeat("x", 300)} {
		if err := w.auth.ChangePassword(t.Context(), s, password, bad); !errors.Is(err, bonafide.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := w.auth.ChangePassword(t.Context(), s, password, password); !errors.Is(err, bonafide.Invalid) {
		t.Errorf("the same again: %v", err)
	}
	if err := w.auth.ChangePassword(t.Context(), s, "not the old one", next); refusal(t, err).Status != http.StatusUnauthorized {
		t.Errorf("a wrong old password: %v", err)
	}
	if err := w.auth.ChangePassword(t.Context(), s, password, next); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.signIn(w.auth, "ana", password); err == nil {
		t.Error("the old password lets in")
	}
	if _, _, err := w.signIn(w.auth, "ana", next); err != nil {
		t.Error(err)
	}
}

// Who got the password from somebody else may do nothing before changing it.
func TestOneTimePassword(t *testing.T) {
	w := newWorld(t)
	p, once, err := w.auth.AddPerson(t.Context(), w.boss.Actor(), bonafide.Person{Tenant: lender, Login: "carl", Name: "Carl", Roles: []bonafide.Role{bonafide.RoleCompliance}}, "")
	if err != nil || len(once) != 24 || CheckPassword(p, once) != nil {
		t.Fatalf("%q, %v", once, err)
	}
	c, s, err := w.signIn(w.auth, "carl", once)
	if err != nil || !s.Person.MustChange || len(s.Actor.Scopes) != 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	if s, err = w.auth.Session(request(c)); err != nil || len(s.Actor.Scopes) != 0 {
		t.Errorf("%+v, %v", s, err)
	}
	if err := w.auth.ChangePassword(t.Context(), s, once, "violet-Harbour-gazebo-7"); err != nil {
		t.Fatal(err)
	}
	if _, s, err = w.signIn(w.auth, "carl", "violet-Harbour-gazebo-7"); err != nil || s.Person.MustChange || !s.Actor.May(bonafide.ScopePolicyWrite) {
		t.Errorf("%+v, %v", s, err)
	}
	for name, by := range map[string]bonafide.Actor{"a handler": w.ana.Actor(), "themselves": p.Actor()} {
		if _, err := w.auth.SetPassword(t.Context(), by, lender, p.ID, ""); !errors.Is(err, bonafide.Denied) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.auth.SetPassword(t.Context(), w.boss.Actor(), lender, w.boss.ID, ""); !errors.Is(err, bonafide.Denied) {
		t.Errorf("an administrator's own without the old one: %v", err)
	}
	if _, _, err := w.auth.AddPerson(t.Context(), w.ana.Actor(), bonafide.Person{Tenant: lender, Login: "dora", Name: "D", Roles: []bonafide.Role{bonafide.RoleAdministrator}}, ""); !errors.Is(err, bonafide.Denied) {
		t.Errorf("a handler makes an administrator: %v", err)
	}
}

func TestBruteForce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		w := newWorldOn(t, fresh())
		one, two := w.auth, w.another()
		procs := []*Auth{one, two}
		wants := []time.Duration{0, 0, 0, 0, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 32 * time.Minute, time.Hour, time.Hour}
		for i, want := range wants {
			_, _, err := w.signIn(procs[i%2], "ana", "wrong password here")
			r := refusal(t, err)
			if r.After != want || r.Status != 401 {
				t.Fatalf("failure %d: %d, Retry-After %v, want %v", i+1, r.Status, r.After, want)
			}
			if want == 0 {
				continue
			}
			// Neither process lets the right password in, nor does one that has just started.
			for _, a := range []*Auth{one, two, w.another()} {
				if _, _, err := w.signIn(a, "ana", password); err == nil || refusal(t, err).After != want {
					t.Fatalf("failure %d: the right password while locked: %v", i+1, err)
				}
			}
			w.clock.add(want)
		}
		if _, _, err := w.signIn(two, "ana", password); err != nil {
			t.Fatalf("the right password after the lock: %v", err)
		}
		if _, _, err := w.signIn(one, "ana", "wrong password here"); refusal(t, err).After != 0 {
			t.Errorf("the count goes on after a sign-in: %v", err)
		}
		if n := w.logged("person.locked"); n != len(wants)-4 {
			t.Errorf("%d locks in the log, want %d", n, len(wants)-4)
		}
		if _, _, err := w.signIn(one, "boss", password); err != nil {
			t.Errorf("somebody else is locked too: %v", err)
		}
	})
}

// Many at once are no more tries than many in a row.
func TestBruteForceAtOnce(t *testing.T) {
	w := newWorld(t)
	procs := []*Auth{w.auth, w.another()}
	before := procs[0].hasher.checks.Load() + procs[1].hasher.checks.Load()
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			_, err := procs[i%2].SignIn(context.WithoutCancel(t.Context()), httptest.NewRecorder(), request(), "ana", "wrong password here")
			if err == nil {
				t.Error("let in")
			}
		})
	}
	wg.Wait()
	if n := procs[0].hasher.checks.Load() + procs[1].hasher.checks.Load() - before; n != lockAfter {
		t.Errorf("%d passwords were tried, want %d", n, lockAfter)
	}
	if w.logged("person.locked") != 1 {
		t.Error("the lock is not in the log once")
	}
}

func TestPasswordResetUnlocks(t *testing.T) {
	w := newWorld(t)
	for range lockAfter {
		_, _, err := w.signIn(w.auth, "ana", "wrong password here")
		_ = refusal(t, err)
	}
	once, err := w.auth.SetPassword(t.Context(), w.boss.Actor(), lender, w.ana.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.signIn(w.auth, "ana", once); err != nil {
		t.Error(err)
	}
}

// One address that guesses many logins is slowed down, and others are not.
func TestAddressIsSlowedDown(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.BehindProxy = true })
	try := func(via, login, pw string) error {
		r := request()
		r.Header.Set("X-Forwarded-For", via)
		_, err := w.auth.SignIn(t.Context(), httptest.NewRecorder(), r, login, pw)
		return err
	}
	for i := range failuresPerMinute {
		if s := refusal(t, try("203.0.113.1", "login"+string(rune('a'+i)), "x")).Status; s != 401 {
			t.Fatalf("failure %d: %d", i, s)
		}
	}
	r := refusal(t, try("198.51.100.99, 203.0.113.1", "ana", password))
	if r.Status != 429 || r.After <= 0 {
		t.Errorf("%d, %v", r.Status, r.After)
	}
	if err := try("203.0.113.1, 203.0.113.2", "ana", password); err != nil {
		t.Errorf("another address: %v", err)
	}
	for in, want := range map[string]string{"2001:db8:1:2:3::4": "2001:db8:1:2::/64", "::ffff:192.0.2.1": "192.0.2.1", "nonsense": "unknown"} {
		r := request()
		r.Header.Set("X-Forwarded-For", in)
		if got := w.auth.address(r); got != want {
			t.Errorf("%s is %s, want %s", in, got, want)
		}
	}
	r2 := request()
	r2.Header.Set("X-Forwarded-For", "203.0.113.9")
	if got := newWorld(t).auth.address(r2); got == "203.0.113.9" {
		t.Error("without a proxy, the header of the client is believed")
	}
}

// Nobody can tell from an answer whether a login exists: words, status, Retry-After and
// the work are the same, before and after a lock.
func TestNoEnumeration(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.BehindProxy = true })
	off := w.person("off", bonafide.RoleHandler)
	off.Disabled = w.clock.now()
	none := bonafide.Person{ID: "X", Tenant: lender, Login: "none", Name: "No password", Roles: []bonafide.Role{bonafide.RoleHandler}}
	err := w.db.Update(t.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.SavePerson(t.Context(), chief, off), tx.AddPerson(t.Context(), chief, none, ""))
	})
	if err != nil {
		t.Fatal(err)
	}
	type answer struct {
		status int
		words  string
		after  time.Duration
		checks int64
	}
	// the disabled person gives the right password, too
	for i := range lockAfter + 2 {
		var first *answer
		for n, c := range []struct{ login, pw string }{{"ana", "wrong password here"}, {"nobody", "wrong password here"}, {"off", password}, {"none", ""}, {"bad login!", "wrong password here"}, {strings.Repeat("x", 5000), "y"}} {
			r := request()
			r.Header.Set("X-Forwarded-For", "203.0.113."+string(rune('1'+n)))
			before := w.auth.hasher.checks.Load()
			rec := httptest.NewRecorder()
			_, err := w.auth.SignIn(t.Context(), rec, r, c.login, c.pw)
			ref := refusal(t, err)
			got := answer{ref.Status, ref.Detail, ref.After, w.auth.hasher.checks.Load() - before}
			if len(rec.Result().Cookies()) != 0 {
				t.Errorf("%s: cookies", c.login)
			}
			if first == nil {
				first = &got
			}
			if got != *first {
				t.Errorf("try %d of %.20q is answered %+v, and of ana %+v", i+1, c.login, got, *first)
			}
		}
		if i < lockAfter && first.checks != 1 {
			t.Errorf("%d hashes were computed, want 1", first.checks)
		}
	}
}

func TestHashTakesAsLongForNobody(t *testing.T) {
	h, err := newHasher(&dice{r: rand.NewChaCha8([32]byte{1})})
	if err != nil {
		t.Fatal(err)
	}
	phc, err := h.hash(&dice{r: rand.NewChaCha8([32]byte{2})}, password)
	if err != nil {
		t.Fatal(err)
	}
	took := func(phc string) (best time.Duration) {
		best = time.Hour
		for range 5 {
			start := time.Now()
			h.check(phc, "wrong password here")
			best = min(best, time.Since(start))
		}
		return best
	}
	known, nobody := took(phc), took("")
	if ratio := float64(known) / float64(nobody); ratio < 0.5 || ratio > 2 {
		t.Errorf("a known login takes %v, an unknown one %v", known, nobody)
	}
}

func TestCrossSiteIsRefused(t *testing.T) {
	w := newWorld(t)
	c, _ := w.mustSignIn()
	called := 0
	h := w.auth.Protect(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called++ }))
	for _, row := range []struct {
		method string
		header map[string]string
		want   int
	}{
		{"POST", map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": public}, 200},
		{"POST", map[string]string{"Origin": public}, 200},
		{"POST", map[string]string{}, 200}, // no browser
		{"GET", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 200},
		{"POST", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403},
		{"POST", map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "https://evil.example.org"}, 403},
		{"DELETE", map[string]string{"Origin": "https://evil.example"}, 403},
		{"POST", map[string]string{"Origin": "null"}, 403},
	} {
		r := httptest.NewRequest(row.method, public+"/me/password", nil)
		r.AddCookie(c)
		for k, v := range row.header {
			r.Header.Set(k, v)
		}
		rec, before := httptest.NewRecorder(), called
		h.ServeHTTP(rec, r)
		if rec.Code != row.want || (called > before) != (row.want == 200) {
			t.Errorf("%s %v: %d, want %d", row.method, row.header, rec.Code, row.want)
		}
		if row.want == 403 && rec.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%v: not a problem", row.header)
		}
	}
	// The routes are protected by themselves.
	for pattern, h := range w.auth.Routes() {
		method, path, _ := strings.Cut(pattern, " ")
		if method != http.MethodPost {
			continue
		}
		r := httptest.NewRequest(method, public+path, strings.NewReader("{}"))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.AddCookie(c)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if rec.Code != 403 || len(rec.Result().Cookies()) != 0 {
			t.Errorf("%s from another site: %d", pattern, rec.Code)
		}
	}
}

func TestLocalPathStaysHere(t *testing.T) {
	for in, want := range map[string]string{
		"/": "/", "/complaints?state=open&q=a%2Fb#x": "/complaints?state=open&q=a%2Fb#x", "/投诉": "/投诉",
		"": "/", "complaints": "/", "//evil.example": "/", "///evil.example": "/", `/\evil.example`: "/", `\\evil.example`: "/",
		"https://evil.example": "/", "javascript:alert(1)": "/", "/\t/evil.example": "/", "/\n/evil.example": "/", " //evil.example": "/",
		"/%5Cevil.example": "/", "/%2F/evil.example": "/", "/a\x00": "/", "http:/evil.example": "/", "/" + strings.Repeat("a", 3000): "/",
	} {
		if got := LocalPath(in); got != want {
			t.Errorf("LocalPath(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPasswordRules(t *testing.T) {
	p := bonafide.Person{Login: "ana.miller@example.org", Name: "Ana Miller"}
	for pw, want := range map[string]bool{
		password: true, "correct horse battery": true, "violet-Harbour-gazebo-7": true, "长城故宫颐和园天坛北海公园": true,
		"Ana Miller drinks green tea at dawn": true, strings.Repeat("ab1 ", 60) + "unlike": true,
		"": false, "elevenchars": false, strings.Repeat("é", 11): false, "passwordpassword": false, "Password1234": false, "PASSWORD-1234": false,
		"aaaaaaaaaaaaaaa": false, "abababababab": false, "123456789012": false, "abcdefghijklmnop": false, "qwertyuiop123": false,
		"ana.miller@example.org": false, "Ana Miller 123": false, "anamiller2026": false, strings.Repeat("unlike 7", 40): false, "\xff\xfe unlike 7 unlike": false,
		"bonafide2026": false, "ｐａｓｓｗｏｒｄ１２３４": false, // full-width: NFKC
	} {
		if err := CheckPassword(p, pw); (err == nil) != want || err != nil && (!errors.Is(err, bonafide.Invalid) || len(pw) > 3 && strings.Contains(err.Error(), pw)) {
			t.Errorf("%q: %v, want %v", pw, err, want)
		}
	}
}

func TestPHC(t *testing.T) {
	random := &dice{r: rand.NewChaCha8([32]byte{3})}
	h, err := newHasher(random)
	if err != nil {
		t.Fatal(err)
	}
	phc, err := h.hash(random, password)
	if err != nil || !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("%q, %v", phc, err)
	}
	if again, _ := h.hash(random, password); again == phc {
		t.Error("the same salt twice")
	}
	if ok, stale := h.check(phc, password); !ok || stale {
		t.Errorf("%v, %v", ok, stale)
	}
	if ok, _ := h.check(phc, password+" "); ok {
		t.Error("another password is right")
	}
	// A vector of the reference implementation: phc-winner-argon2, test.c.
	c, salt, sum, err := parsePHC("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	if err != nil || c != (cost{65536, 2, 1}) || string(salt) != "somesalt" || len(sum) != 32 {
		t.Errorf("%+v %q %v", c, salt, err)
	}
	if ok, stale := h.check("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password"); !ok || !stale {
		t.Errorf("the reference's hash: %v, %v", ok, stale)
	}
	for _, bad := range []string{
		"", "x", strings.Replace(phc, "argon2id", "argon2i", 1), strings.Replace(phc, "v=19", "v=16", 1), strings.Replace(phc, "m=19456", "m=99999999", 1),
		strings.Replace(phc, "t=2", "t=0", 1), strings.Replace(phc, "t=2", "t=999", 1), strings.Replace(phc, "p=1", "p=0", 1), strings.Replace(phc, "p=1", "p=1,x=2", 1), phc + "$", phc[:40],
	} {
		if _, _, _, err := parsePHC(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
		if ok, _ := h.check(bad, ""); ok {
			t.Errorf("%q lets in", bad)
		}
	}
	if ok, _ := h.check("", ""); ok {
		t.Error("no password lets in")
	}
}

// A password hashed at another cost is hashed anew at the next sign-in, and sessions
// go on.
func TestRehash(t *testing.T) {
	w := newWorld(t)
	c, _ := w.mustSignIn()
	w.auth.hasher.cost = cost{memory: 8 << 10, passes: 1, lanes: 1}
	w.mustSignIn()
	var phc string
	_ = w.db.View(t.Context(), func(tx *store.Tx) (err error) {
		phc, err = tx.Password(t.Context(), lender, w.ana.ID)
		return err
	})
	if !strings.HasPrefix(phc, "$argon2id$v=19$m=8192,t=1,p=1$") || !w.live(c) || w.logged("person.rehashed") != 1 {
		t.Errorf("%.30s, session %v", phc, w.live(c))
	}
	w.mustSignIn()
	if w.logged("person.rehashed") != 1 {
		t.Error("hashed anew twice")
	}
}

// A flood of sign-ins is answered with Busy and eats no memory.
func TestFloodIsBusy(t *testing.T) {
	w := newWorld(t)
	h := w.auth.hasher
	h.wait = 20 * time.Millisecond
	var leave []func()
	for range hashesAtOnce {
		fn, err := h.enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		leave = append(leave, fn)
	}
	_, _, err := w.signIn(w.auth, "ana", password)
	if r := refusal(t, err); r.Status != 503 || r.After <= 0 {
		t.Errorf("%+v", r)
	}
	h.wait = time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range mostQueued {
		wg.Go(func() {
			if _, err := h.enter(ctx); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	for h.queued.Load() < mostQueued+hashesAtOnce {
		time.Sleep(time.Millisecond)
	}
	if _, err := h.enter(t.Context()); !errors.Is(err, bonafide.Busy) {
		t.Errorf("one too many: %v", err)
	}
	cancel()
	wg.Wait()
	for _, fn := range leave {
		fn()
	}
	if h.queued.Load() != 0 {
		t.Errorf("%d left in the queue", h.queued.Load())
	}
	w.mustSignIn()
}

// Neither password nor token stands in the database, the log of the program, the audit
// log, or an error.
func TestCanary(t *testing.T) {
	w := newWorld(t)
	c, s := w.mustSignIn()
	const typo = "canary-typed-into-the-login-field"
	errs := ""
	for range lockAfter + 1 {
		_, _, err := w.signIn(w.auth, "ana", typo)
		errs += err.Error()
		_, _, err = w.signIn(w.auth, typo, typo)
		errs += err.Error()
	}
	err := w.auth.ChangePassword(t.Context(), s, typo, typo+"2")
	errs += err.Error()
	once, err := w.auth.SetPassword(t.Context(), w.boss.Actor(), lender, w.ana.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	w.cfg.Log.InfoContext(t.Context(), "told", slog.Any("session", s), slog.Any("person", w.ana))
	rec := httptest.NewRecorder()
	server.Handle(w.cfg.Log, func(rw http.ResponseWriter, r *http.Request) error {
		_, err := w.auth.SignIn(r.Context(), rw, r, "ana", typo)
		return err
	}).ServeHTTP(rec, request(c))
	places := map[string]string{"log": w.log.String(), "errors": errs, "answer": rec.Body.String(), "audit log": strings.Join(w.actions(), "\n")}
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(w.path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		places["database"+suffix] = string(b)
	}
	for name, text := range places {
		if len(text) == 0 {
			t.Errorf("nothing in %s: the test looks in the wrong place", name)
		}
		for what, canary := range map[string]string{"password": password, "one-time password": once, "token": c.Value, "hash": "$argon2id$", "typed": typo, "name": "Some Body"} {
			if strings.Contains(text, canary) {
				t.Errorf("the %s stands in the %s", what, name)
			}
		}
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	w := newWorld(t)
	good := OIDC{Issuer: "https://id.example", ClientID: "c", Tenant: lender}
	for name, change := range map[string]func(*Config){
		"store":      func(c *Config) { c.Store = nil },
		"url":        func(c *Config) { c.PublicURL = "console.example.org" },
		"path":       func(c *Config) { c.PublicURL = public + "/console" },
		"user":       func(c *Config) { c.PublicURL = "https://u:p@console.example.org" },
		"issuer":     func(c *Config) { c.OIDC = good; c.OIDC.Issuer = "http://id.example" },
		"client":     func(c *Config) { c.OIDC = good; c.OIDC.ClientID = "" },
		"public url": func(c *Config) { c.OIDC = good; c.PublicURL = "" },
		"roles":      func(c *Config) { c.OIDC = good; c.OIDC.Create = true },
		"claim":      func(c *Config) { c.OIDC = good; c.OIDC.RolesClaim = "groups" },
	} {
		cfg := w.cfg
		change(&cfg)
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	for url, want := range map[string]bool{"": false, "https://console.example.org": true, "https://10.0.0.1": false, "http://localhost:8484": true, "http://127.0.0.1:8484": false} {
		cfg := w.cfg
		cfg.PublicURL = url
		a, err := New(cfg)
		if err != nil || a.HasPasskeys() != want || a.HasOIDC() {
			t.Errorf("%q: %v, %v", url, a.HasPasskeys(), err)
		}
	}
}

// A password that is changed while the old one is being checked lets nobody in by the
// old one.
func TestPasswordChangedMeanwhile(t *testing.T) {
	w := newWorld(t)
	p, err := w.auth.verify(t.Context(), "ana", password)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.auth.SetPassword(t.Context(), w.boss.Actor(), lender, w.ana.ID, ""); err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	_, err = w.auth.start(t.Context(), rec, request(), p.person, ByPassword, w.clock.now(), func(tx *store.Tx) error { return w.auth.settle(t.Context(), tx, p) })
	if refusal(t, err).Status != 401 || len(rec.Result().Cookies()) != 0 {
		t.Errorf("%v", err)
	}
}
