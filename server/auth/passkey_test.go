package auth

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"bonafide"
	"bonafide/store"
)

// A device holds passkeys.
type device struct {
	*world
	rp   virtualwebauthn.RelyingParty
	auth virtualwebauthn.Authenticator
	key  virtualwebauthn.Credential
	// synced passkeys do not count: nothing but the challenge tells one use from another.
	synced bool
}

func newDevice(w *world) *device {
	return &device{
		world: w, rp: virtualwebauthn.RelyingParty{Name: "Bonafide", ID: "console.example.org", Origin: public},
		auth: virtualwebauthn.NewAuthenticator(), key: newCredential(),
	}
}

// newCredential makes a key that the library writes out rightly: it drops the leading
// zero byte that one coordinate in 256 has, which no real device does.
func newCredential() virtualwebauthn.Credential {
	for {
		c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
		parsed, err := x509.ParsePKCS8PrivateKey(c.Key.Data)
		if err != nil {
			panic(err)
		}
		pub, err := parsed.(*ecdsa.PrivateKey).PublicKey.Bytes()
		if err != nil {
			panic(err)
		}
		if pub[1] != 0 && pub[33] != 0 { // 4, X, Y
			return c
		}
	}
}

// send posts to a route with cookies.
func (w *world) send(pattern, body string, cookies ...*http.Cookie) *httptest.ResponseRecorder {
	w.t.Helper()
	h := w.auth.Routes()[pattern]
	if h == nil {
		w.t.Fatalf("no route %s", pattern)
	}
	method, path, _ := strings.Cut(pattern, " ")
	r := httptest.NewRequest(method, public+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for _, c := range cookies {
		if c != nil {
			r.AddCookie(c)
		}
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

// make returns the device's answer to options for a new passkey.
func (d *device) make(options string) string {
	d.t.Helper()
	o, err := virtualwebauthn.ParseAttestationOptions(options)
	if err != nil {
		d.t.Fatal(err)
	}
	if d.auth.Options.UserHandle == nil {
		d.auth.Options.UserHandle = []byte(o.UserID)
	}
	return virtualwebauthn.CreateAttestationResponse(d.rp, d.auth, d.key, *o)
}

// add adds the device's passkey to the person of a session.
func (d *device) add(c *http.Cookie) *httptest.ResponseRecorder {
	d.t.Helper()
	begun := d.send("POST /me/passkeys/begin", "", c)
	if begun.Code != 200 {
		d.t.Fatalf("begin: %d %s", begun.Code, begun.Body)
	}
	body := `{"name":"my phone","credential":` + d.make(begun.Body.String()) + `}`
	return d.send("POST /me/passkeys/finish", body, c, cookieOf(begun, "__Host-bonafide-passkey-add"))
}

// answer begins a sign-in and returns the device's answer and the cookie of the flow.
func (d *device) answer() (string, *http.Cookie) {
	d.t.Helper()
	begun := d.send("POST /sign-in/passkey/begin", "")
	if begun.Code != 200 {
		d.t.Fatalf("begin: %d %s", begun.Code, begun.Body)
	}
	o, err := virtualwebauthn.ParseAssertionOptions(begun.Body.String())
	if err != nil {
		d.t.Fatal(err)
	}
	if len(o.AllowCredentials) != 0 {
		d.t.Error("the options name passkeys")
	}
	if !d.synced {
		d.key.Counter++
	}
	return virtualwebauthn.CreateAssertionResponse(d.rp, d.auth, d.key, *o), cookieOf(begun, "__Host-bonafide-passkey")
}

func (d *device) enter() *httptest.ResponseRecorder {
	d.t.Helper()
	body, flow := d.answer()
	return d.send("POST /sign-in/passkey/finish", body, flow)
}

func TestSyncedPasskey(t *testing.T) {
	w := newWorld(t)
	c, _ := w.mustSignIn()
	d := newDevice(w)
	d.synced = true
	if rec := d.add(c); rec.Code != 201 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	for range 2 {
		body, flow := d.answer()
		if rec := w.send("POST /sign-in/passkey/finish", body, flow); rec.Code != 200 {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
		if rec := w.send("POST /sign-in/passkey/finish", body, flow); rec.Code != 401 || cookieOf(rec, "__Host-bonafide") != nil {
			t.Errorf("replayed: %d", rec.Code)
		}
	}
}

func TestPasskey(t *testing.T) {
	w := newWorld(t)
	c, s := w.mustSignIn()
	d := newDevice(w)
	if rec := d.add(c); rec.Code != 201 || !strings.Contains(rec.Body.String(), `"name":"my phone"`) {
		t.Fatalf("%d %s\n%s", rec.Code, rec.Body, w.log)
	}
	if rec := d.add(c); rec.Code == 201 {
		t.Error("the same passkey twice")
	}
	keys, err := w.auth.Passkeys(t.Context(), s)
	if err != nil || len(keys) != 1 || keys[0].Name != "my phone" || !keys[0].Used.IsZero() {
		t.Fatalf("%+v, %v", keys, err)
	}
	body, flow := d.answer()
	rec := w.send("POST /sign-in/passkey/finish", `{"next":"/complaints","credential":`+body+`}`, flow, c)
	if rec.Code != 200 || !strings.Contains(rec.Body.String(), `"next":"/complaints"`) {
		t.Fatalf("%d %s\n%s", rec.Code, rec.Body, w.log)
	}
	in := cookieOf(rec, "__Host-bonafide")
	s2, err := w.auth.Session(request(in))
	if err != nil || s2.Person.ID != w.ana.ID || !s2.Strong() || !s2.Fresh(w.clock.now(), time.Minute) {
		t.Errorf("%+v, %v", s2, err)
	}
	if w.live(c) || in.Value == c.Value {
		t.Error("the session of before goes on")
	}
	if keys, _ = w.auth.Passkeys(t.Context(), s); keys[0].Used.IsZero() {
		t.Error("the use is not noted")
	}
	// The same answer again.
	if rec := w.send("POST /sign-in/passkey/finish", body, flow); rec.Code != 401 {
		t.Errorf("replayed: %d", rec.Code)
	}
	for action, want := range map[string]int{"passkey.added": 1, "passkey.used": 1, "person.signed-in": 2} {
		if n := w.logged(action); n != want {
			t.Errorf("%s: %d in the log, want %d", action, n, want)
		}
	}
	if err := w.auth.RemovePasskey(t.Context(), s2, keys[0].ID); err != nil {
		t.Fatal(err)
	}
	if rec := d.enter(); rec.Code != 401 {
		t.Errorf("a removed passkey: %d", rec.Code)
	}
}

// A passkey lets in while guessing has locked the password.
func TestPasskeyDuringLock(t *testing.T) {
	w := newWorld(t)
	c, _ := w.mustSignIn()
	d := newDevice(w)
	d.add(c)
	for range lockAfter {
		_, _, err := w.signIn(w.auth, "ana", "wrong password here")
		_ = refusal(t, err)
	}
	if rec := d.enter(); rec.Code != 200 {
		t.Errorf("%d", rec.Code)
	}
	if _, _, err := w.signIn(w.auth, "ana", password); err == nil {
		t.Error("the passkey unlocked the password")
	}
}

func TestPasskeyIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *world, d *device) // before the sign-in
		answer func(w *world, d *device) *httptest.ResponseRecorder
		want   int
	}{
		"another site's":  {change: func(_ *world, d *device) { d.rp.Origin = "https://console.example.org.evil.example" }, want: 401},
		"another rp":      {change: func(_ *world, d *device) { d.rp.ID = "evil.example" }, want: 401},
		"nobody verified": {change: func(_ *world, d *device) { d.auth.Options.UserNotVerified = true }, want: 401},
		"another key": {change: func(_ *world, d *device) {
			k := newCredential()
			k.ID = d.key.ID
			d.key = k
		}, want: 401},
		"unknown":        {change: func(_ *world, d *device) { d.key = newCredential() }, want: 401},
		"another person": {change: func(w *world, d *device) { d.auth.Options.UserHandle = []byte(w.boss.ID) }, want: 401},
		"no handle":      {change: func(_ *world, d *device) { d.auth.Options.UserHandle = nil }, want: 401},
		"copied":         {change: func(_ *world, d *device) { d.enter(); d.enter(); d.key.Counter = 0 }, want: 401},
		"disabled": {change: func(w *world, _ *device) {
			p := w.ana
			p.Disabled = w.clock.now()
			if err := w.db.Update(w.t.Context(), func(tx *store.Tx) error { return tx.SavePerson(w.t.Context(), chief, p) }); err != nil {
				w.t.Fatal(err)
			}
		}, want: 401},
		"another challenge": {answer: func(w *world, d *device) *httptest.ResponseRecorder {
			body, _ := d.answer()
			_, flow := d.answer()
			return w.send("POST /sign-in/passkey/finish", body, flow)
		}, want: 401},
		"no flow": {answer: func(w *world, d *device) *httptest.ResponseRecorder {
			body, _ := d.answer()
			return w.send("POST /sign-in/passkey/finish", body)
		}, want: 403},
		"too late": {answer: func(w *world, d *device) *httptest.ResponseRecorder {
			body, flow := d.answer()
			w.clock.add(flowTime)
			return w.send("POST /sign-in/passkey/finish", body, flow)
		}, want: 403},
		"a flow of another kind": {answer: func(w *world, d *device) *httptest.ResponseRecorder {
			body, flow := d.answer()
			flow.Name = "__Host-bonafide-passkey-add"
			c, _, err := w.signIn(w.auth, "boss", password)
			if err != nil {
				w.t.Fatal(err)
			}
			return w.send("POST /me/passkeys/finish", body, flow, c)
		}, want: 403},
		"nonsense": {answer: func(w *world, d *device) *httptest.ResponseRecorder {
			_, flow := d.answer()
			return w.send("POST /sign-in/passkey/finish", `{"credential":{"id":"canary"}}`, flow)
		}, want: 401},
		"no JSON": {answer: func(w *world, d *device) *httptest.ResponseRecorder {
			_, flow := d.answer()
			return w.send("POST /sign-in/passkey/finish", `{`, flow)
		}, want: 400},
		"too large": {answer: func(w *world, d *device) *httptest.ResponseRecorder {
			_, flow := d.answer()
			return w.send("POST /sign-in/passkey/finish", `"`+strings.Repeat("x", mostBody)+`"`, flow)
		}, want: 413},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			cookie, _ := w.mustSignIn()
			d := newDevice(w)
			if rec := d.add(cookie); rec.Code != 201 {
				t.Fatalf("%d %s", rec.Code, rec.Body)
			}
			if c.change != nil {
				c.change(w, d)
			}
			before := w.logged("person.signed-in")
			var rec *httptest.ResponseRecorder
			if c.answer == nil {
				rec = d.enter()
			} else {
				rec = c.answer(w, d)
			}
			if rec.Code != c.want || cookieOf(rec, "__Host-bonafide") != nil {
				t.Errorf("%d, want %d: %s", rec.Code, c.want, rec.Body)
			}
			if name != "a flow of another kind" && w.logged("person.signed-in") != before {
				t.Error("signed in")
			}
			if strings.Contains(w.log.String()+rec.Body.String(), "canary") {
				t.Error("what was sent stands in the log or the answer")
			}
			if name == "copied" && w.logged("passkey.suspect") != 1 {
				t.Error("the suspicion is not in the log")
			}
		})
	}
}

func TestPasskeyIsAddedByItsPersonAlone(t *testing.T) {
	w := newWorld(t)
	if rec := w.send("POST /me/passkeys/begin", ""); rec.Code != 401 {
		t.Errorf("nobody: %d", rec.Code)
	}
	ana, _ := w.mustSignIn()
	boss, _, err := w.signIn(w.auth, "boss", password)
	if err != nil {
		t.Fatal(err)
	}
	d := newDevice(w)
	begun := w.send("POST /me/passkeys/begin", "", ana)
	flow, made := cookieOf(begun, "__Host-bonafide-passkey-add"), d.make(begun.Body.String())
	if rec := w.send("POST /me/passkeys/finish", made, boss, flow); rec.Code != 403 {
		t.Errorf("in another person's session: %d", rec.Code)
	}
	again, _ := w.mustSignIn()
	if rec := w.send("POST /me/passkeys/finish", made, again, flow); rec.Code != 403 {
		t.Errorf("in another session: %d", rec.Code)
	}
	if rec := w.send("POST /me/passkeys/finish", `{"name":"`+strings.Repeat("x", 99)+`","credential":`+made+`}`, ana, flow); rec.Code != 422 {
		t.Errorf("a long name: %d", rec.Code)
	}
	w.clock.add(Confirmation + time.Second)
	if rec := w.send("POST /me/passkeys/begin", "", ana); rec.Code != 403 || !strings.Contains(rec.Body.String(), "confirm that it is you") {
		t.Errorf("not confirmed lately: %d %s", rec.Code, rec.Body)
	}
	s, err := w.auth.Session(request(ana))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.auth.RemovePasskey(t.Context(), s, "K"); !errors.Is(err, bonafide.Denied) {
		t.Errorf("remove: %v", err)
	}
	_, once, err := w.auth.AddPerson(t.Context(), chief, bonafide.Person{Tenant: lender, Login: "carl", Name: "Carl", Roles: []bonafide.Role{bonafide.RoleHandler}}, "")
	if err != nil {
		t.Fatal(err)
	}
	carl, _, err := w.signIn(w.auth, "carl", once)
	if err != nil {
		t.Fatal(err)
	}
	if rec := w.send("POST /me/passkeys/begin", "", carl); rec.Code != 403 {
		t.Errorf("before the password is changed: %d", rec.Code)
	}
	off := newWorld(t, func(c *Config) { c.PublicURL = "" })
	for pattern := range off.auth.Routes() {
		if strings.Contains(pattern, "passkey") {
			if rec := off.send(pattern, "{}"); rec.Code != 404 {
				t.Errorf("%s without a public URL: %d", pattern, rec.Code)
			}
		}
	}
}

// The options ask for what makes a passkey one.
func TestPasskeyOptions(t *testing.T) {
	w := newWorld(t)
	c, _ := w.mustSignIn()
	var o struct {
		PublicKey struct {
			RP                     struct{ ID string }
			User                   struct{ ID, Name string }
			AuthenticatorSelection struct{ ResidentKey, UserVerification string }
			Attestation            string
		}
	}
	if err := json.Unmarshal(w.send("POST /me/passkeys/begin", "", c).Body.Bytes(), &o); err != nil {
		t.Fatal(err)
	}
	if k := o.PublicKey; k.RP.ID != "console.example.org" || k.AuthenticatorSelection.ResidentKey != "required" || k.AuthenticatorSelection.UserVerification != "required" || k.Attestation != "none" || k.User.Name != "ana" {
		t.Errorf("%+v", k)
	}
	var in struct {
		PublicKey struct{ UserVerification, RPID string }
	}
	if err := json.Unmarshal(w.send("POST /sign-in/passkey/begin", "").Body.Bytes(), &in); err != nil {
		t.Fatal(err)
	}
	if in.PublicKey.UserVerification != "required" || in.PublicKey.RPID != "console.example.org" {
		t.Errorf("%+v", in)
	}
}
