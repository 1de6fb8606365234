package console

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"bonafide"
)

func TestPasswordGivenByAnotherOpensNothing(t *testing.T) {
	o := newOffice(t)
	o.ready()
	p, secret, err := o.auth.AddPerson(t.Context(), bonafide.System("test"), bonafide.Person{Tenant: "north", Login: "fresh", Name: "Fresh One", Roles: bonafide.Roles}, "")
	if err != nil {
		t.Fatal(err)
	}
	me := o.client()
	if to := me.post("/sign-in", url.Values{"login": {"fresh"}, "password": {secret}, "next": {"/admin"}}).leads(); to != "/me" {
		t.Errorf("led to %s", to)
	}
	before := o.size("north")
	for _, rt := range routes {
		if rt.open || rt.pattern == "GET /me" || rt.pattern == "POST /me" {
			continue
		}
		method, at := o.north.fill(rt.pattern)
		a := me.do(method, at, strings.NewReader(o.form(&o.north, rt.pattern).Encode()), "application/x-www-form-urlencoded")
		if a.Status != http.StatusSeeOther || a.Header.Get("Location") != "/me" {
			t.Errorf("%s: %d %s", rt.pattern, a.Status, a.says())
		}
	}
	for _, at := range []string{"/me/passkeys/begin", "/me/passkeys/finish"} {
		if a := me.do(http.MethodPost, at, strings.NewReader("{}"), "application/json"); a.Status != http.StatusForbidden {
			t.Errorf("%s: %d %s", at, a.Status, a.Body)
		}
	}
	if got := o.done(before); len(got) > 0 {
		t.Errorf("they did %v", got)
	}
	if a := me.get("/me").want(http.StatusOK); strings.Contains(a.Body, `href="/inbox"`) {
		t.Error("the menu shows what is closed")
	}
	me.post("/me", url.Values{"old": {secret}, "password": {"my-own-Heron-4711"}, "again": {"my-own-Heron-4711"}}).want(http.StatusSeeOther)
	me.get("/inbox").want(http.StatusOK)
	if p.ID == "" {
		t.Fatal("nobody")
	}
	if me.post("/sign-out", nil).leads() != "/sign-in?done=signed-out" || !strings.HasPrefix(me.get("/inbox").leads(), "/sign-in") {
		t.Error("signed out and still in")
	}
}

func TestDisablingEndsSessions(t *testing.T) {
	o := newOffice(t)
	o.ready()
	second, admin := o.signIn(o.north.People["second"]), o.signIn(o.north.People["administrator"])
	second.get("/rings").want(http.StatusOK)
	at := "/admin/people/" + o.north.People["second"].ID
	admin.post(at, url.Values{"do": {"roles"}, "role": {"handler"}}).want(http.StatusSeeOther)
	if to := second.get("/rings").leads(); to != "/sign-in?next=%2Frings" {
		t.Errorf("after other roles: %s", to)
	}
	second = o.signIn(o.north.People["second"])
	second.get("/rings").want(http.StatusForbidden)
	admin.post(at, url.Values{"do": {"disable"}}).want(http.StatusSeeOther)
	if to := second.get("/inbox").leads(); !strings.HasPrefix(to, "/sign-in") {
		t.Errorf("kept out, and led to %s", to)
	}
	if a := o.client().post("/sign-in", url.Values{"login": {o.north.People["second"].Login}, "password": {officePassword}}); a.Status != http.StatusUnauthorized {
		t.Errorf("kept out, and signs in: %d", a.Status)
	}
	// The last administrator stays; nobody shuts themselves out or raises themselves.
	for _, do := range []url.Values{{"do": {"disable"}}, {"do": {"roles"}, "role": {"compliance"}}, {"do": {"password"}}} {
		if a := admin.post("/admin/people/"+o.north.People["administrator"].ID, do); a.Status != http.StatusForbidden {
			t.Errorf("%v of oneself: %d", do, a.Status)
		}
	}
}

// What dangerous acts need is that somebody proved lately who they are.
func TestOldSessionProvesItselfAgain(t *testing.T) {
	o := newOffice(t)
	o.ready()
	admin := o.signIn(o.north.People["administrator"])
	for range 2 {
		o.later(20 * time.Minute) // a session stays alive by being used, and gets no fresher
		admin.get("/admin").want(http.StatusOK)
	}
	before := o.size("north")
	for _, at := range []string{"/admin/people", "/admin/people/" + o.north.People["second"].ID, "/admin/keys", "/admin/settings"} {
		a := admin.post(at, url.Values{"do": {"disable"}, "name": {"x"}, "login": {"x"}, "role": {"administrator"}, "scope": {"admin"}, "retention": {"0"}})
		if a.Status < 400 || !strings.Contains(a.Body, `action="/confirm"`) {
			t.Errorf("%s: %d %s", at, a.Status, a.says())
		}
	}
	if got := o.done(before); len(got) > 0 {
		t.Errorf("an old session did %v", got)
	}
	admin.post("/confirm", url.Values{"password": {officePassword}, "next": {"/admin"}}).want(http.StatusSeeOther)
	admin.post("/admin/settings", url.Values{"retention": {"400"}}).want(http.StatusSeeOther)
	// A page that renews itself is nobody at work.
	for range 4 {
		o.later(9 * time.Minute)
		admin.head.Set("X-Part", "1")
		admin.get("/admin")
	}
	admin.head.Del("X-Part")
	if to := admin.get("/admin").leads(); !strings.HasPrefix(to, "/sign-in") {
		t.Error("a page that renews itself keeps a session alive")
	}
}

func (c *client) cookie() *http.Cookie {
	c.o.t.Helper()
	u, err := url.Parse(c.o.srv.URL)
	if err != nil {
		c.o.t.Fatal(err)
	}
	for _, one := range c.http.Jar.Cookies(u) {
		if one.Name == "bonafide" {
			return one
		}
	}
	return nil
}

func (c *client) plant(value string) {
	u, err := url.Parse(c.o.srv.URL)
	if err != nil {
		c.o.t.Fatal(err)
	}
	c.http.Jar.SetCookies(u, []*http.Cookie{{Name: "bonafide", Value: value, Path: "/"}})
}

func TestPlantedCookieIsNoSession(t *testing.T) {
	o := newOffice(t)
	o.ready()
	me, evil := o.client(), o.signIn(o.north.People["second"])
	for _, planted := range []string{strings.Repeat("A", 43), evil.cookie().Value} {
		me.plant(planted)
		me.post("/sign-in", url.Values{"login": {o.north.People["handler"].Login}, "password": {officePassword}}).want(http.StatusSeeOther)
		got := me.cookie()
		if got == nil || got.Value == planted {
			t.Fatalf("the session goes under the planted token")
		}
		thief := o.client()
		thief.plant(planted)
		if to := thief.get("/inbox").leads(); !strings.HasPrefix(to, "/sign-in") {
			t.Errorf("the planted token is a session: %s", to)
		}
		if a := me.get("/me").want(http.StatusOK); !strings.Contains(a.Body, o.north.People["handler"].Login) {
			t.Error("the session is another's")
		}
		// What a thief copied before is worth nothing after the sign-out.
		thief.plant(got.Value)
		thief.get("/me").want(http.StatusOK)
		me.post("/sign-out", nil).want(http.StatusSeeOther)
		if to := thief.get("/me").leads(); !strings.HasPrefix(to, "/sign-in") {
			t.Error("signed out, and the token still opens")
		}
	}
}

func TestWrongPasswordsLock(t *testing.T) {
	o := newOffice(t)
	o.ready()
	try := func(login, password string) *reply {
		return o.client().post("/sign-in", url.Values{"login": {login}, "password": {password}})
	}
	known, unknown := o.north.People["handler"].Login, "nobody-of-this-name"
	for _, login := range []string{known, unknown} {
		for i := range 6 {
			a := try(login, "wrong-Heron-"+strconv.Itoa(i))
			if a.Status != http.StatusUnauthorized || strings.Contains(a.Body, "wrong-Heron") {
				t.Errorf("%s, %d: %d", login, i, a.Status)
			}
			if locked := a.Header.Get("Retry-After") != ""; locked != (i >= 4) {
				t.Errorf("%s: wrong password number %d: locked %v", login, i+1, locked)
			}
		}
	}
	a, b := try(known, officePassword), try(unknown, officePassword)
	if a.Status != http.StatusUnauthorized || a.Header.Get("Retry-After") == "" || len(a.Header["Set-Cookie"]) > 0 {
		t.Errorf("locked, and the right password: %d", a.Status)
	}
	if a.says() != b.says() || a.Status != b.Status {
		t.Errorf("a name that there is differs from one that there is not:\n%s\n%s", a.says(), b.says())
	}
	o.later(2 * time.Minute)
	if a := try(known, officePassword); a.Status != http.StatusSeeOther {
		t.Errorf("after the lock: %d", a.Status)
	}
	// Nor can a stolen session try passwords.
	thief := o.signIn(o.north.People["administrator"])
	for i := range 7 {
		a := thief.post("/confirm", url.Values{"password": {"wrong-Heron-" + strconv.Itoa(i)}})
		if a.Status != http.StatusUnauthorized || (a.Header.Get("Retry-After") != "") != (i >= 4) {
			t.Errorf("confirm, %d: %d, Retry-After %q", i, a.Status, a.Header.Get("Retry-After"))
		}
	}
}

func TestNextLeadsNowhereElse(t *testing.T) {
	o := newOffice(t)
	o.ready()
	p := o.north.People["administrator"]
	for _, next := range []string{
		"https://evil.example/", "//evil.example", `/\evil.example`, `\\evil.example`, "javascript:alert(1)", "/\t/evil.example", "/%09/evil.example", " /evil.example", "http:evil.example",
		"//evil.example/%2e%2e", "/\x00//evil.example", "https:/evil.example", "///evil.example", "/..//evil.example", "evil.example", "/admin\r\nSet-Cookie: x=y", "@evil.example",
	} {
		c := o.client()
		a := c.post("/sign-in", url.Values{"login": {p.Login}, "password": {officePassword}, "next": {next}})
		b := c.post("/confirm", url.Values{"password": {officePassword}, "next": {next}})
		page := o.client().get("/sign-in?next=" + url.QueryEscape(next)).want(http.StatusOK)
		for _, to := range []string{a.leads(), strings.TrimSuffix(b.leads(), "?done=confirmed")} {
			u, err := url.Parse(to)
			if err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") {
				t.Errorf("next=%q leads to %q", next, to)
			}
		}
		if len(a.Header["Set-Cookie"]) != 1 {
			t.Errorf("next=%q: cookies %v", next, a.Header["Set-Cookie"])
		}
		page.each(func(n *html.Node) {
			if attr(n, "name") == "next" && strings.Contains(attr(n, "value"), "evil") && !strings.HasPrefix(attr(n, "value"), "/") {
				t.Errorf("the page keeps next=%q", attr(n, "value"))
			}
		})
	}
	c := o.client()
	to := c.get("/complaints/2024%2F17%3Fx").leads()
	if to != "/sign-in?next=%2Fcomplaints%2F2024%252F17%253Fx" {
		t.Errorf("asked to sign in at %s", to)
	}
	if got := c.post("/sign-in", url.Values{"login": {p.Login}, "password": {officePassword}, "next": {"/log?before=5"}}).leads(); got != "/log?before=5" {
		t.Errorf("a page of ours: %s", got)
	}
}
