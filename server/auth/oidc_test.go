package auth

import (
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"

	"bonafide"
	"bonafide/store"
)

// A member is somebody whom the provider knows.
type member struct {
	Sub      string
	Email    string
	Verified any
	Groups   any
	Name     string
	AuthTime int64
	Nonce    string // sent instead of the right one
}

// ID is the subject.
func (m *member) ID() string { return m.Sub }

// Userinfo is not asked for.
func (m *member) Userinfo([]string) ([]byte, error) { return json.Marshal(m) }

// Claims are those of the id token.
func (m *member) Claims(_ []string, c *mockoidc.IDTokenClaims) (jwt.Claims, error) {
	nonce := c.Nonce
	if m.Nonce != "" {
		nonce = m.Nonce
	}
	return jwt.MapClaims{
		"iss": c.Issuer, "sub": c.Subject, "aud": c.Audience, "exp": c.ExpiresAt.Unix(), "iat": c.IssuedAt.Unix(), "nonce": nonce,
		"email": m.Email, "email_verified": m.Verified, "groups": m.Groups, "name": m.Name, "auth_time": m.AuthTime,
	}, nil
}

// A federation is a world with an identity provider, and a browser.
type federation struct {
	*world
	idp     *mockoidc.MockOIDC
	site    *httptest.Server
	browser *http.Client
}

func federated(t *testing.T, change ...func(*Config)) *federation {
	t.Helper()
	idp, err := mockoidc.Run()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := idp.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	mux := http.NewServeMux()
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	f := &federation{idp: idp, site: site}
	all := append([]func(*Config){func(c *Config) {
		c.Secure, c.PublicURL = false, strings.Replace(site.URL, "127.0.0.1", "localhost", 1)
		c.OIDC = OIDC{Issuer: idp.Issuer(), ClientID: idp.ClientID, ClientSecret: idp.ClientSecret, Tenant: lender}
	}}, change...)
	f.world = newWorld(t, all...)
	for pattern, h := range f.auth.Routes() {
		mux.Handle(pattern, h)
	}
	mux.Handle("GET /", f.auth.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s, ok := From(r.Context()); ok {
			w.Header().Set("X-Person", s.Person.Login)
			w.Header().Set("X-Scopes", strconv.Itoa(len(s.Actor.Scopes)))
		}
	})))
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	f.browser = &http.Client{Jar: jar}
	return f
}

func (f *federation) at(path string) string { return f.cfg.PublicURL + path }

// A page is where a browser is.
type page struct {
	code   int
	at     *url.URL
	header http.Header
}

// come signs in through the provider and returns where the browser ends.
func (f *federation) come(m *member, query string) page {
	f.t.Helper()
	f.idp.QueueUser(m)
	return f.get(f.browser, f.at("/sign-in/oidc"+query))
}

func (f *federation) get(c *http.Client, address string) page {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		f.t.Fatal(err)
	}
	return page{resp.StatusCode, resp.Request.URL, resp.Header}
}

// halt stops a browser before it goes to a path, and returns where it would have gone.
func (f *federation) halt(path, from string) *url.URL {
	f.t.Helper()
	var stopped *url.URL
	c := *f.browser
	c.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == path {
			stopped = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}
	f.get(&c, from)
	if stopped == nil {
		f.t.Fatalf("the browser never went to %s", path)
	}
	return stopped
}

func (f *federation) signedIn() bool {
	f.t.Helper()
	return f.get(f.browser, f.at("/")).header.Get("X-Person") != ""
}

func known(sub string) *member {
	return &member{Sub: sub, Email: "eve@example.org", Verified: true, Name: "Eve"}
}

func TestOIDC(t *testing.T) {
	f := federated(t)
	eve := f.person("eve@example.org", bonafide.RoleHandler)
	resp := f.come(known("S1"), "?next=/complaints?x=1")
	if resp.code != 200 || resp.at.String() != f.at("/complaints?x=1") || resp.header.Get("X-Person") != eve.Login {
		t.Fatalf("%d at %s as %q\n%s", resp.code, resp.at, resp.header.Get("X-Person"), f.log)
	}
	if f.logged("person.linked") != 1 || f.logged("person.signed-in") != 1 {
		t.Error("not in the log")
	}
	// A one-time password that was never used does not stand in the way.
	once, err := f.auth.SetPassword(t.Context(), chief, lender, eve.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	if resp := f.come(known("S1"), ""); resp.header.Get("X-Scopes") == "0" || resp.header.Get("X-Person") != eve.Login {
		t.Errorf("with a one-time password: %v", resp.header)
	}
	if _, s, err := f.signIn(f.auth, eve.Login, once); err != nil || !s.Person.MustChange || len(s.Actor.Scopes) != 0 {
		t.Errorf("by the one-time password: %+v, %v", s, err)
	}
	// Linked for good: the address of e-mail no longer matters.
	m := known("S1")
	m.Email, m.Verified = "eve.now.married@example.org", false
	if resp := f.come(m, ""); resp.code != 200 || resp.header.Get("X-Person") != eve.Login || resp.at.Path != "/" {
		t.Errorf("the second time: %d at %s", resp.code, resp.at)
	}
	// Somebody else with the same address is not Eve.
	if resp := f.come(known("S2"), ""); resp.code != 403 {
		t.Errorf("another subject with the same address: %d", resp.code)
	}
	if strings.Contains(f.log.String(), "eve@") || strings.Contains(f.log.String(), f.idp.ClientSecret) {
		t.Error("an address or the secret stands in the log")
	}
}

func TestOIDCStrangers(t *testing.T) {
	f := federated(t)
	off := f.person("off@example.org", bonafide.RoleHandler)
	off.Disabled = f.clock.now()
	if err := f.db.Update(t.Context(), func(tx *store.Tx) error { return tx.SavePerson(t.Context(), chief, off) }); err != nil {
		t.Fatal(err)
	}
	f.person("eve@example.org", bonafide.RoleHandler)
	other := bonafide.Person{ID: "O", Tenant: "other", Login: "olga@example.org", Name: "O", Roles: []bonafide.Role{bonafide.RoleAdministrator}}
	if err := f.db.Update(t.Context(), func(tx *store.Tx) error {
		if err := tx.AddTenant(t.Context(), "other", "", chief); err != nil {
			return err
		}
		return tx.AddPerson(t.Context(), chief, other, "")
	}); err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]*member{
		"nobody":               {Sub: "1", Email: "nobody@example.org", Verified: true},
		"not verified":         {Sub: "2", Email: "eve@example.org", Verified: false},
		"verified not said":    {Sub: "3", Email: "eve@example.org"},
		"no address":           {Sub: "4", Verified: true},
		"disabled":             {Sub: "5", Email: "off@example.org", Verified: true},
		"another tenant's":     {Sub: "6", Email: "olga@example.org", Verified: true},
		"another nonce":        {Sub: "7", Email: "eve@example.org", Verified: true, Nonce: "planted"},
		"verified as nonsense": {Sub: "8", Email: "eve@example.org", Verified: map[string]bool{"true": true}},
	} {
		resp := f.come(m, "")
		if resp.code != 403 || f.signedIn() {
			t.Errorf("%s: %d, signed in %v", name, resp.code, f.signedIn())
		}
	}
	if f.logged("person.linked") != 0 || f.logged("person.signed-in") != 0 {
		t.Error("something was done")
	}
	// Some providers send the word.
	if resp := f.come(&member{Sub: "9", Email: "eve@example.org", Verified: "true"}, ""); resp.code != 200 || !f.signedIn() {
		t.Errorf("verified as a word: %d", resp.code)
	}
}

func TestOIDCState(t *testing.T) {
	f := federated(t)
	f.person("eve@example.org", bonafide.RoleHandler)
	change := func(u *url.URL, key, value string) string {
		q := u.Query()
		q.Set(key, value)
		c := *u
		c.RawQuery = q.Encode()
		return c.String()
	}
	begin := func() *url.URL {
		f.idp.QueueUser(known("S1"))
		return f.halt(callback, f.at("/sign-in/oidc"))
	}
	for name, address := range map[string]func() string{
		"another state":   func() string { return change(begin(), "state", "planted") },
		"no state":        func() string { return change(begin(), "state", "") },
		"no code":         func() string { return change(begin(), "code", "") },
		"another code":    func() string { return change(begin(), "code", "planted") },
		"another issuer":  func() string { return change(begin(), "iss", "https://evil.example") },
		"provider's no":   func() string { return change(begin(), "error", "access_denied") },
		"too late":        func() string { u := begin(); f.clock.add(flowTime); return u.String() },
		"another browser": func() string { u := begin(); f.browser.Jar, _ = cookiejar.New(nil); return u.String() },
		"a state of before": func() string {
			old := begin().Query().Get("state")
			return change(begin(), "state", old)
		},
	} {
		resp := f.get(f.browser, address())
		if resp.code != 403 || f.signedIn() {
			t.Errorf("%s: %d, signed in %v", name, resp.code, f.signedIn())
		}
	}
	// The same answer twice: with the cookie of the first time put back.
	u := begin()
	here, _ := url.Parse(f.cfg.PublicURL)
	held := f.browser.Jar.Cookies(here)
	if resp := f.get(f.browser, u.String()); resp.code != 200 || !f.signedIn() {
		t.Fatalf("%d", resp.code)
	}
	for name, put := range map[string]bool{"as it is": false, "with the cookie": true} {
		f.browser.Jar, _ = cookiejar.New(nil)
		if put {
			f.browser.Jar.SetCookies(here, held)
		}
		granted, err := f.idp.SessionStore.GetSessionByID(u.Query().Get("code"))
		if err != nil {
			t.Fatal(err)
		}
		granted.Granted = false // a provider that takes a code twice
		if resp := f.get(f.browser, u.String()); resp.code != 403 || f.signedIn() {
			t.Errorf("replayed %s: %d", name, resp.code)
		}
	}
	if f.logged("person.signed-in") != 1 {
		t.Error("signed in more than once")
	}
	// Somebody's answer, begun in their own browser, does not sign another browser in.
	tampered := *held[0]
	tampered.Value = tampered.Value[:len(tampered.Value)-2] + "AA"
	u = begin()
	f.browser.Jar, _ = cookiejar.New(nil)
	f.browser.Jar.SetCookies(here, []*http.Cookie{&tampered})
	if resp := f.get(f.browser, u.String()); resp.code != 403 {
		t.Errorf("a cookie that was changed: %d", resp.code)
	}
}

func TestOIDCAsksWithChallenge(t *testing.T) {
	f := federated(t)
	u := f.halt(mockoidc.AuthorizationEndpoint, f.at("/sign-in/oidc?again=1"))
	q := u.Query()
	for key, want := range map[string]string{"response_type": "code", "code_challenge_method": "S256", "prompt": "login", "max_age": "0", "redirect_uri": f.at(callback), "client_id": f.idp.ClientID} {
		if q.Get(key) != want {
			t.Errorf("%s is %q, want %q", key, q.Get(key), want)
		}
	}
	for _, key := range []string{"state", "nonce", "code_challenge"} {
		if len(q.Get(key)) != 43 {
			t.Errorf("%s is %q", key, q.Get(key))
		}
	}
	if q.Get("client_secret") != "" || !strings.Contains(q.Get("scope"), "openid") {
		t.Errorf("%v", q)
	}
}

func TestOIDCGoesNowhereElse(t *testing.T) {
	f := federated(t)
	f.person("eve@example.org", bonafide.RoleHandler)
	for _, next := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "%2F%2Fevil.example", "/%09/evil.example", "javascript:alert(1)"} {
		f.idp.QueueUser(known("S1"))
		u := f.halt(callback, f.at("/sign-in/oidc?next="+next))
		c := *f.browser
		c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		if resp := f.get(&c, u.String()); resp.code != 303 || resp.header.Get("Location") != "/" {
			t.Errorf("%s: %d to %q", next, resp.code, resp.header.Get("Location"))
		}
	}
}

func TestOIDCRoles(t *testing.T) {
	mapped := func(c *Config) {
		c.OIDC.RolesClaim, c.OIDC.Create = "groups", true
		c.OIDC.Roles = map[string][]bonafide.Role{"complaints": {bonafide.RoleHandler}, "second-line": {bonafide.RoleReviewer, bonafide.RoleHandler}}
	}
	f := federated(t, mapped)
	person := func() bonafide.Person {
		var p bonafide.Person
		if err := f.db.View(t.Context(), func(tx *store.Tx) (err error) {
			p, err = tx.PersonBySubject(t.Context(), f.idp.Issuer(), "S1")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return p
	}
	for name, groups := range map[string]any{"none": nil, "others": []string{"canteen"}, "names of ours": []string{"administrator", "handler"}, "a number": 7} {
		m := known("S1")
		m.Groups = groups
		if resp := f.come(m, ""); resp.code != 403 || f.logged("person.added") != 2 {
			t.Errorf("%s: %d", name, resp.code)
		}
	}
	m := known("S1")
	m.Groups, m.Verified = []string{"complaints", "canteen"}, false
	if resp := f.come(m, ""); resp.code != 403 || f.logged("person.added") != 2 {
		t.Errorf("made with an address that is not verified: %d", resp.code)
	}
	m.Verified = true
	if resp := f.come(m, ""); resp.code != 200 {
		t.Fatalf("%d\n%s", resp.code, f.log)
	}
	if p := person(); p.Login != "eve@example.org" || p.Name != "Eve" || len(p.Roles) != 1 || !p.Is(bonafide.RoleHandler) || p.Tenant != lender || p.MustChange {
		t.Errorf("made: %+v", p)
	}
	m.Groups = "second-line"
	if resp := f.come(m, ""); resp.code != 200 || !person().Is(bonafide.RoleReviewer) {
		t.Errorf("another group: %d, %v", resp.code, person().Roles)
	}
	m.Groups = []string{}
	if resp := f.come(m, ""); resp.code != 403 {
		t.Errorf("no group any more: %d", resp.code)
	}
	// A new person has no password that anybody could guess.
	if _, _, err := f.signIn(f.auth, "eve@example.org", ""); refusal(t, err).Status != 401 {
		t.Error(err)
	}
}

func TestOIDCFreshness(t *testing.T) {
	f := federated(t)
	now := f.clock.now()
	for _, row := range []struct {
		authTime int64
		again    bool
		want     bool
	}{
		{0, false, false}, {0, true, true}, {now.Unix() - 60, false, true}, {now.Unix() - 3600, true, false}, {now.Unix() + 3600, true, false},
	} {
		s := &Session{Recent: f.auth.proved(claims{AuthTime: row.authTime}, oidcFlow{Again: row.again})}
		if got := s.Fresh(now, Confirmation); got != row.want {
			t.Errorf("auth_time %d, again %v: fresh %v", row.authTime, row.again, got)
		}
	}
}

// A provider that is down stops neither the start nor other ways to sign in.
func TestOIDCProviderIsDown(t *testing.T) {
	refused := ""
	w := newWorld(t, func(c *Config) {
		c.OIDC = OIDC{Issuer: "http://127.0.0.1:1", ClientID: "c", Tenant: lender}
		c.Refused = func(w http.ResponseWriter, _ *http.Request, err error) { refused = err.Error(); w.WriteHeader(503) }
	})
	rec := httptest.NewRecorder()
	w.auth.Routes()["GET /sign-in/oidc"].ServeHTTP(rec, httptest.NewRequest(http.MethodGet, public+"/sign-in/oidc", nil))
	if rec.Code != 503 || !strings.Contains(refused, "does not answer") {
		t.Errorf("%d %q", rec.Code, refused)
	}
	start := time.Now()
	if err := w.auth.OIDCStart(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, public+"/sign-in/oidc", nil)); refusal(t, err).Status != 503 || time.Since(start) > time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	w.mustSignIn()
}

// An id token that somebody else signed is refused.
func TestOIDCForgedToken(t *testing.T) {
	for name, forged := range map[string]bool{"signed by the provider": false, "forged": true} {
		t.Run(name, func(t *testing.T) {
			f := federated(t)
			f.person("eve@example.org", bonafide.RoleHandler)
			f.idp.QueueUser(known("S1"))
			u := f.halt(callback, f.at("/sign-in/oidc"))
			other, err := mockoidc.RandomKeypair(2048)
			if err != nil {
				t.Fatal(err)
			}
			own := *f.idp.Keypair // published, whoever signs
			f.auth.OIDC.Transport, f.auth.provider.found = keysOf{http.DefaultTransport, own}, nil
			if forged {
				other.Kid = own.Kid
				f.idp.Keypair = other
			}
			resp := f.get(f.browser, u.String())
			f.idp.Keypair = &own
			if f.signedIn() == forged || (resp.code == 403) != forged || strings.Contains(f.log.String(), "the id token is not right") != forged {
				t.Errorf("%d\n%s", resp.code, f.log)
			}
		})
	}
}

// keysOf answers for the keys of a provider with its real ones.
type keysOf struct {
	next http.RoundTripper
	key  mockoidc.Keypair
}

// RoundTrip sends a request.
func (k keysOf) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != mockoidc.JWKSEndpoint {
		return k.next.RoundTrip(r)
	}
	b, err := k.key.JWKS()
	if err != nil {
		return nil, err
	}
	rec := httptest.NewRecorder()
	rec.Header().Set("Content-Type", "application/json")
	if _, err := rec.Write(b); err != nil {
		return nil, err
	}
	return rec.Result(), nil
}
