package console

import (
	"bufio"
	"cmp"
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"bonafide"
	"bonafide/casework"
	"bonafide/store"
)

// form is what somebody would send to a route, so that it is carried out.
func (o *office) form(s *side, pattern string) url.Values {
	o.t.Helper()
	ctx := o.t.Context()
	v := func(pairs ...string) url.Values {
		out := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			out.Add(pairs[i], pairs[i+1])
		}
		return out
	}
	track, imported, digest := "", "", ""
	o.view(func(tx *store.Tx) error {
		if row, err := tx.Track(ctx, s.Tenant, s.Of2[1]); err == nil {
			track = strconv.Itoa(row.Version)
		}
		if m, err := tx.Import(ctx, s.Tenant, s.Import); err == nil {
			imported = strconv.Itoa(m.Version)
		}
		if p, err := tx.Policy(ctx, s.Tenant, s.Policy); err == nil {
			digest = store.PolicyDigest(p.Text)
		}
		return nil
	})
	switch pattern {
	case "POST /sign-in":
		return v("login", s.People["handler"].Login, "password", officePassword)
	case "POST /speak":
		return v("lang", "en")
	case "POST /me":
		return v("old", officePassword, "password", "another-Good-one-4711", "again", "a different one")
	case "POST /confirm":
		return v("password", officePassword, "next", "/admin")
	case "POST /inbox/filters":
		return v("name", "mine", "query", "view=all")
	case "POST /complaints/{id}/reveal":
		return v("purpose", "handling")
	case "POST /complaints/{id}/letter":
		return v("kind", o.k.Clocks.Letters("en")[0].Kind)
	case "POST /complaints/{id}/move":
		return v("version", track, "verb", "register")
	case "POST /complaints/{id}/take":
		return v("version", track)
	case "POST /complaints/{id}/extension":
		return v("version", track, "answer", "approve", "reason", "needed")
	case "POST /complaints/{id}/appeal":
		return v("ring", s.Ring2, "reason", "it is mine alone")
	case "POST /search":
		return v("q", "loan contract", "kind", "words")
	case "POST /rings/{id}/decide":
		return v("verb", "confirm", "reason", "one phone", "innocent", "no family")
	case "POST /rings/{id}/cut":
		return v("a", s.Of2[0], "b", s.Of2[len(s.Of2)-1], "reason", "brothers")
	case "POST /templates/{id}/public":
		return v("name", "The council's letter")
	case "POST /admin/people":
		return v("login", "newcomer-"+o.db.NewID(), "name", "New Comer", "role", "handler")
	case "POST /admin/people/{id}":
		return v("do", "roles", "role", "handler", "role", "investigator")
	case "POST /admin/keys":
		return v("name", "a key", "scope", "complaints:read", "days", "30")
	case "POST /admin/settings":
		return v("retention", "400")
	case "POST /import/{id}/mapping", "POST /import/{id}/start":
		return v("version", imported)
	case "POST /quarantine/{id}/mend":
		return v("f4", "2026-05-02")
	case "POST /quarantine/{id}/drop":
		return v("reason", "duplicate")
	case "POST /policy/copy":
		return v("from", "program:", "name", "another")
	case "POST /policy/{id}/save":
		text := ""
		o.view(func(tx *store.Tx) error { p, err := tx.Policy(ctx, s.Tenant, s.Policy); text = p.Text; return err })
		return v("name", "renamed", "text", text, "digest", digest)
	case "POST /policy/{id}/shadow":
		return v("on", "yes", "digest", digest)
	case "POST /policy/{id}/approve":
		return v("reason", "it is right", "digest", digest)
	case "POST /appeals/{id}":
		return v("verdict", "rejected", "reason", "the phone is an agency's")
	}
	return v()
}

// withoutForm are routes whose forms are of another kind, or that have nothing to send, and
// what they answer then.
var withoutForm = map[string]int{
	"POST /import":                    http.StatusUnprocessableEntity, // a file
	"POST /me":                        http.StatusUnprocessableEntity, // the two new ones differ
	"POST /complaints/{id}/extension": http.StatusConflict,            // nobody asked
	"POST /appeals/{id}":              http.StatusForbidden,           // whoever decided does not decide
	"POST /quarantine/{id}/drop":      http.StatusNotFound,            // it was mended
	"POST /import/{id}/stop":          http.StatusConflict,            // it has ended
}

// patterns are those of all routes of a method, in the order of the table, and the ones of
// sign-in.
func (o *office) patterns(method string) []string {
	var out []string
	for _, rt := range routes {
		if strings.HasPrefix(rt.pattern, method+" ") {
			out = append(out, rt.pattern)
		}
	}
	for _, p := range slices.Sorted(maps.Keys(o.k.Handlers())) {
		if strings.HasPrefix(p, method+" ") && !strings.HasPrefix(p, "GET /static/") && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

const fromElsewhere = "comes from another site"

// Every form is refused where another site's page sends it, and carried out where one of
// ours does. Routes that are added are tried by themselves.
func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	o := newOffice(t)
	o.ready(2)
	all := o.signIn(o.north.People["all"])
	all.get("/me").want(http.StatusOK)
	o.quiet()
	before := o.size("north")
	for _, pattern := range o.patterns(http.MethodPost) {
		_, at := o.north.fill(pattern)
		form := o.form(&o.north, pattern)
		for name, head := range map[string]http.Header{
			"cross-site": {"Sec-Fetch-Site": {"cross-site"}}, "same-site": {"Sec-Fetch-Site": {"same-site"}}, "foreign": {"Origin": {"https://evil.example"}}, "null": {"Origin": {"null"}}, "another port": {"Origin": {"http://localhost:1"}},
		} {
			all.head = head
			a := all.post(at, form)
			if a.Status != http.StatusForbidden || !strings.Contains(a.Body, fromElsewhere) || len(a.Header["Set-Cookie"]) > 0 {
				t.Errorf("%s, %s: %d %s", pattern, name, a.Status, a.Body)
			}
		}
	}
	if after := o.size("north"); after != before {
		t.Errorf("refused forms changed something: %v", o.done("north", before))
	}
	for _, pattern := range o.patterns(http.MethodPost) {
		_, at := o.north.fill(pattern)
		form := o.form(&o.north, pattern)
		me := o.signIn(o.north.People["all"])
		me.head = http.Header{"Origin": {o.srv.URL}}
		if pattern == "POST /import/{id}/stop" || pattern == "POST /policy/{id}/approve" {
			o.quiet() // it was started
		}
		a := me.post(at, form)
		if strings.Contains(a.Body, fromElsewhere) {
			t.Errorf("%s: refused from here: %s", pattern, a.Body)
		}
		if want, ok := withoutForm[pattern]; ok && a.Status != want {
			t.Errorf("%s: %d, want %d: %s", pattern, a.Status, want, a.says())
		} else if !ok && !strings.Contains(pattern, "passkey") && a.Status != http.StatusOK && a.Status != http.StatusSeeOther {
			t.Errorf("%s: %d: %s", pattern, a.Status, a.says())
		}
	}
}

// looks are what the log says of somebody who only looks.
var looks = []string{"complaint.viewed", "ring.viewed", "template.viewed", "quarantine.viewed"}

// Reading changes nothing but what the log says of who read.
func TestReadingChangesNothing(t *testing.T) {
	o := newOffice(t)
	o.ready(2)
	all := o.signIn(o.north.People["all"])
	o.quiet()
	before := o.size("north")
	for _, pattern := range o.patterns(http.MethodGet) {
		if pattern == "GET /live" || strings.Contains(pattern, "oidc") {
			continue
		}
		_, at := o.north.fill(pattern)
		// What a form would send does nothing in an address.
		for _, q := range []string{"", "verb=register&version=1&purpose=handling&do=disable&role=administrator&name=x&query=view%3Dall"} {
			sep := "?"
			if strings.Contains(at, "?") {
				sep = "&"
			}
			if a := all.get(at + sep + q); a.Status >= 400 {
				t.Errorf("%s: %d %s", at, a.Status, a.says())
			}
		}
	}
	for _, e := range o.entries("north", before) {
		if !slices.Contains(looks, e.Action) || e.Actor != o.north.People["all"].Actor().ID {
			t.Errorf("reading did %+v", e)
		}
	}
}

const notYours = "your role does not include this"

// Every route, tried by every role: refused exactly where the role lacks its scope.
func TestRolesReachWhatTheyMay(t *testing.T) {
	o := newOffice(t)
	o.ready(2)
	for _, role := range bonafide.Roles {
		p := o.north.People[string(role)]
		me := o.signIn(p)
		for _, rt := range routes {
			if rt.pattern == "GET /live" || rt.pattern == "POST /sign-out" || rt.pattern == "POST /sign-in" {
				continue
			}
			method, at := o.north.fill(rt.pattern)
			before := o.size("north")
			a := me.do(method, at, strings.NewReader(o.form(&o.north, rt.pattern).Encode()), "application/x-www-form-urlencoded")
			may := rt.scope == "" || p.Actor().May(rt.scope)
			refused := a.Status == http.StatusForbidden && strings.Contains(a.Body, notYours)
			switch {
			case may == refused:
				t.Errorf("%s, %s: %d %s", role, rt.pattern, a.Status, a.says())
			case a.Status >= http.StatusInternalServerError:
				t.Errorf("%s, %s: %d %s", role, rt.pattern, a.Status, a.says())
			case strings.HasPrefix(a.Header.Get("Location"), "/sign-in"):
				t.Errorf("%s, %s: asked to sign in", role, rt.pattern)
			case refused && slices.ContainsFunc(o.entries("north", before), func(e entry) bool { return e.Actor == p.Actor().ID }):
				t.Errorf("%s, %s: refused, and %v", role, rt.pattern, o.done("north", before))
			}
		}
		a := me.get("/me")
		for _, m := range menu {
			if in := strings.Contains(a.Body, `href="`+m.Path+`"`); in != p.Actor().May(m.scope) {
				t.Errorf("%s: %s stands in the menu: %v", role, m.Path, in)
			}
		}
	}
	// Nobody at all is asked to sign in, and reaches nothing.
	nobody := o.client()
	before := o.size("north")
	for _, rt := range routes {
		if rt.open {
			continue
		}
		method, at := o.north.fill(rt.pattern)
		a := nobody.do(method, at, strings.NewReader(o.form(&o.north, rt.pattern).Encode()), "application/x-www-form-urlencoded")
		if a.Status != http.StatusUnauthorized && !(a.Status == http.StatusSeeOther && strings.HasPrefix(a.Header.Get("Location"), "/sign-in")) {
			t.Errorf("nobody, %s: %d %s", rt.pattern, a.Status, a.Header.Get("Location"))
		}
	}
	if got := o.done("north", before); len(got) > 0 {
		t.Errorf("nobody did %v", got)
	}
}

// A role reaches what its page says and no more: a regulator sees figures and nobody's
// file, and somebody who answers complaints sees no ring.
func TestPagesShowWhatARoleMay(t *testing.T) {
	o := newOffice(t)
	o.ready(2)
	handler := o.signIn(o.north.People["handler"])
	a := handler.post("/search", url.Values{"kind": {"any"}, "level": {"level-1"}}).want(http.StatusOK)
	if strings.Contains(a.Body, "/rings/") || strings.Contains(a.Body, "level-1") {
		t.Error("somebody who may see no ring searches by level")
	}
	a = handler.get("/complaints/" + o.north.Of2[0]).want(http.StatusOK)
	if strings.Contains(a.Body, `href="/rings/`) {
		t.Error("a link to a ring for somebody who may see none")
	}
	regulator := o.signIn(o.north.People["regulator"])
	if a = regulator.get("/"); a.leads() != "/dashboard" {
		t.Errorf("a regulator begins at %s", a.leads())
	}
	a = regulator.get("/dashboard").want(http.StatusOK)
	if strings.Contains(a.Body, "/complaints/") || strings.Contains(a.Body, "/rings/") {
		t.Error("the figures lead to files")
	}
}

func TestPasswordGivenByAnotherOpensNothing(t *testing.T) {
	o := newOffice(t)
	o.ready(2)
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
	if got := o.done("north", before); len(got) > 0 {
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
	o.ready(2)
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
	o.ready(2)
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
	if got := o.done("north", before); len(got) > 0 {
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

// Fields that no form has change nothing: neither who acts, nor for whom, nor what one is.
func TestFieldsSmuggleNothing(t *testing.T) {
	o := newOffice(t)
	o.ready(2)
	ctx := t.Context()
	handler, other := o.north.People["handler"], o.north.People["reviewer"]
	me, id := o.signIn(handler), o.north.Alone
	extra := func(form url.Values) url.Values {
		for _, name := range []string{"by", "actor", "approver", "Approver", "By", "act.by", "person", "who", "author"} {
			form.Set(name, other.Actor().ID)
		}
		form["role"], form["roles"], form["tenant"], form["id"] = []string{"administrator"}, []string{"administrator"}, []string{"south"}, []string{other.ID}
		return form
	}
	track := func() (row store.TrackRow, tr casework.Track) {
		o.view(func(tx *store.Tx) (err error) {
			if row, err = tx.Track(ctx, "north", id); err == nil {
				tr, _, err = o.engine.TrackOf(row)
			}
			return err
		})
		return row, tr
	}
	before := o.size("north")
	move := func(form url.Values) *reply {
		row, _ := track()
		form.Set("version", strconv.Itoa(row.Version))
		return me.post("/complaints/"+id+"/move", extra(form))
	}
	move(url.Values{"verb": {"register"}}).want(http.StatusSeeOther)
	move(url.Values{"verb": {"note"}, "reason": {"by somebody else?"}}).want(http.StatusSeeOther)
	move(url.Values{"verb": {"extend"}, "reason": {"this pack lets one do it once"}}).want(http.StatusSeeOther)
	row, tr := track()
	due, _ := tr.Due()
	for _, form := range []url.Values{
		{"verb": {"extend"}, "reason": {"I approve it for another"}},
		{"verb": {"approve-extension"}, "reason": {"x"}},
		{"verb": {"refuse-extension"}, "reason": {"x"}},
		{"verb": {"assign"}, "assignee": {"<script>"}},
		{"verb": {"assign"}, "assignee": {o.south.People["handler"].ID}},
		{"verb": {"assign"}, "assignee": {o.north.People["regulator"].ID}},
		{"verb": {"delete"}},
		{"verb": {""}},
	} {
		if a := move(form); a.Status < 400 || a.Status >= 500 {
			t.Errorf("%v: %d", form["verb"], a.Status)
		}
	}
	if now, tr := track(); now.Version != row.Version || now.Assignee != "" {
		t.Errorf("the track moved: %+v", now)
	} else if then, _ := tr.Due(); !then.Due.Equal(due.Due) {
		t.Errorf("due %v, was %v", then.Due, due.Due)
	}
	me.post("/complaints/"+id+"/take", extra(url.Values{"version": {strconv.Itoa(row.Version)}, "assignee": {other.ID}})).want(http.StatusSeeOther)
	if now, _ := track(); now.Assignee != handler.ID {
		t.Errorf("taken for %s", now.Assignee)
	}
	me.post("/inbox/filters", extra(url.Values{"name": {"sly"}, "query": {"view=all"}})).want(http.StatusSeeOther)
	o.view(func(tx *store.Tx) error {
		mine, err := tx.Filters(ctx, "north", handler.ID)
		theirs, err2 := tx.Filters(ctx, "north", other.ID)
		if len(mine) != 1 || len(theirs) != 0 {
			t.Errorf("filters %v and %v", mine, theirs)
		}
		return cmp.Or(err, err2)
	})
	me.post("/speak", extra(url.Values{"lang": {"pt-BR"}})).want(http.StatusSeeOther)
	me.post("/complaints/"+id+"/appeal", extra(url.Values{"reason": {"mine"}})).want(http.StatusSeeOther)
	me.post("/me", extra(url.Values{"old": {officePassword}, "password": {"brand-New-heron-99"}, "again": {"brand-New-heron-99"}})).want(http.StatusSeeOther)
	o.view(func(tx *store.Tx) error {
		people, err := tx.People(ctx, "north")
		for _, p := range people {
			if p.ID == handler.ID && (!slices.Equal(p.Roles, handler.Roles) || p.Lang != "pt-BR" || p.Tenant != "north") {
				t.Errorf("the person is now %+v", p)
			}
			if p.ID == other.ID && (p.Lang != "" || !slices.Equal(p.Roles, other.Roles)) {
				t.Errorf("the other is now %+v", p)
			}
		}
		return err
	})
	for _, e := range o.entries("north", before) {
		if strings.HasPrefix(e.Actor, "person:") && e.Actor != handler.Actor().ID {
			t.Errorf("in another's name: %+v", e)
		}
		if strings.Contains(e.Detail, other.ID) {
			t.Errorf("another stands in %+v", e)
		}
	}
	// An administrator adds people to the own house alone.
	admin := o.signIn(o.north.People["administrator"])
	admin.post("/admin/people", extra(url.Values{"login": {"sly"}, "name": {"Sly"}})).want(http.StatusOK)
	o.view(func(tx *store.Tx) error {
		p, err := tx.PersonByLogin(ctx, "sly")
		if p.Tenant != "north" || p.ID == other.ID || !p.MustChange {
			t.Errorf("added %+v", p)
		}
		return err
	})
}

// Ids of another lender lead nowhere, in every route that takes one, and in every field.
func TestIdsOfAnotherLenderLeadNowhere(t *testing.T) {
	o := newOffice(t)
	o.ready(2)
	me := o.signIn(o.north.People["all"])
	o.quiet()
	before := o.size("south")
	foreign := func(a *reply) {
		t.Helper()
		if strings.Contains(a.Body, o.south.Word) {
			t.Errorf("%s: shows what is another lender's", a.what)
		}
		for _, id := range []string{o.south.Of2[1], o.south.Ring2, o.south.Template, o.south.Policy, o.south.Import, o.south.Row, o.south.People["second"].ID} {
			if a.Doc != nil && a.Status >= 400 && strings.Contains(a.Body, id) {
				t.Errorf("%s: repeats the id", a.what)
			}
		}
	}
	for _, rt := range routes {
		if !strings.Contains(rt.pattern, "{id}") {
			continue
		}
		method, at := o.south.fill(rt.pattern)
		form := o.form(&o.south, rt.pattern)
		a := me.do(method, at, strings.NewReader(form.Encode()), "application/x-www-form-urlencoded")
		if a.Status != http.StatusNotFound {
			t.Errorf("%s: %d %s", rt.pattern, a.Status, a.says())
		}
		foreign(a)
	}
	ours, theirs := o.north.Of2, o.south.Of2
	for _, one := range []struct {
		at   string
		form url.Values // nil: it is read
		want int
	}{
		{"/compare?with=" + theirs[0] + "&with=" + theirs[1], nil, 404},
		{"/compare?with=" + ours[0] + "&with=" + theirs[1], nil, 200},
		{"/quarantine?import=" + o.south.Read, nil, 200},
		{"/quarantine?after=" + o.south.Row, nil, 200},
		{"/rings?after=" + o.south.Ring1, nil, 200},
		{"/inbox?view=all&after=0." + theirs[0], nil, 200},
		{"/rings/" + o.north.Ring2 + "/cut", url.Values{"a": {theirs[0]}, "b": {theirs[1]}, "reason": {"x"}}, 404},
		{"/rings/" + o.north.Ring2 + "/cut", url.Values{"a": {ours[0]}, "b": {theirs[1]}, "reason": {"x"}}, 404},
		{"/rings/" + o.south.Ring2 + "/cut", url.Values{"a": {ours[0]}, "b": {ours[1]}, "reason": {"x"}}, 404},
		{"/complaints/" + ours[0] + "/appeal", url.Values{"ring": {o.south.Ring2}, "reason": {"x"}}, 404},
		{"/policy/copy", url.Values{"from": {"own:" + o.south.Policy}, "name": {"x"}}, 404},
		{"/search", url.Values{"q": {theirs[0]}}, 200},
		{"/search", url.Values{"q": {"before"}, "kind": {"words"}, "before": {theirs[0]}, "before_at": {"1"}}, 200},
		{"/search", url.Values{"q": {o.south.Word}, "kind": {"words"}}, 200},
		{"/search", url.Values{"q": {"My name is client aa of " + o.south.Word + ". I refuse to accept the interest that your company has charged"}, "kind": {"passage"}}, 200},
	} {
		method, body := http.MethodGet, ""
		if one.form != nil {
			method, body = http.MethodPost, one.form.Encode()
		}
		a := me.do(method, one.at, strings.NewReader(body), "application/x-www-form-urlencoded")
		if a.Status != one.want {
			t.Errorf("%s %v: %d, want %d: %s", one.at, one.form, a.Status, one.want, a.says())
		}
		if one.at != "/search" {
			foreign(a)
			continue
		}
		a.each(func(n *html.Node) {
			if strings.HasPrefix(attr(n, "href"), "/complaints/S") {
				t.Errorf("%v finds %s", one.form, attr(n, "href"))
			}
		})
	}
	for _, pattern := range o.patterns(http.MethodGet) {
		if pattern != "GET /live" && !strings.Contains(pattern, "oidc") {
			_, at := o.north.fill(pattern)
			foreign(me.get(at))
		}
	}
	// Within a house a passkey is its owner's alone.
	if a := o.signIn(o.north.People["every"]).post("/me/passkeys/"+o.north.Passkey+"/remove", nil); a.Status != http.StatusNotFound {
		t.Errorf("another's passkey: %d", a.Status)
	}
	if after := o.size("south"); after != before {
		t.Errorf("the other lender's log grew: %v", o.entries("south", before))
	}
	o.view(func(tx *store.Tx) error {
		keys, err := tx.Passkeys(t.Context(), "north", o.north.People["all"].ID)
		if len(keys) != 1 {
			t.Errorf("%d passkeys are left", len(keys))
		}
		return err
	})
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
	o.ready(2)
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
	o.ready(2)
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
	o.ready(2)
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

// What identifies somebody is hidden until a purpose was given, which is logged first.
func TestRevealNeedsAPurposeAndIsLogged(t *testing.T) {
	o := newOffice(t)
	o.ready(2)
	handler := o.north.People["handler"]
	me, at := o.signIn(handler), "/complaints/NCANARY"
	before := o.size("north")
	shown := func(a *reply) (out []string) {
		for _, c := range canaries {
			if strings.Contains(a.Body, c) {
				out = append(out, c)
			}
		}
		return out
	}
	for range 3 {
		if got := shown(me.get(at).want(http.StatusOK)); len(got) > 0 {
			t.Errorf("masked, and shows %q", got)
		}
	}
	for _, other := range []string{"/compare?with=NCANARY&with=" + o.north.Alone, "/inbox?view=all", "/templates", "/search"} {
		if got := shown(me.get(other)); len(got) > 0 {
			t.Errorf("%s shows %q", other, got)
		}
	}
	if got := shown(me.post("/search", url.Values{"q": {"branch closed before noon"}, "kind": {"words"}}).want(http.StatusOK)); len(got) > 0 {
		t.Errorf("a search shows %q", got)
	}
	if n := count(o.entries("north", before), "complaint.viewed", "complaint:NCANARY", ""); n != 1 {
		t.Errorf("three looks within ten minutes are %d in the log", n)
	}
	o.later(11 * time.Minute)
	me.get(at)
	if n := count(o.entries("north", before), "complaint.viewed", "complaint:NCANARY", handler.Actor().ID); n != 2 {
		t.Errorf("a look eleven minutes later: %d in the log", n)
	}
	for _, purpose := range []string{"", "because", "letter", "HANDLING", "handling "} {
		a := me.post(at+"/reveal", url.Values{"purpose": {purpose}})
		if a.Status != http.StatusUnprocessableEntity || len(shown(a)) > 0 {
			t.Errorf("purpose %q: %d", purpose, a.Status)
		}
	}
	if a := me.get(at + "/reveal"); a.Status != http.StatusMethodNotAllowed {
		t.Errorf("a reveal by address: %d", a.Status)
	}
	if n := count(o.entries("north", before), "complaint.revealed", "", ""); n != 0 {
		t.Errorf("%d reveals in the log", n)
	}
	a := me.post(at+"/reveal", url.Values{"purpose": {"law"}, "by": {"person:x"}}).want(http.StatusOK)
	for _, want := range []string{canaryName, canaryPhone, canaryMail, canaryID, canaryHome, canaryAccount, handler.Name, "data-fades"} {
		if !strings.Contains(a.Body, want) && !strings.Contains(a.Body, html.EscapeString(want)) && !strings.Contains(html.UnescapeString(a.Body), want) {
			t.Errorf("revealed, and does not show %q", want)
		}
	}
	es := o.entries("north", before)
	if n := count(es, "complaint.revealed", "complaint:NCANARY", handler.Actor().ID); n != 1 || !strings.Contains(es[len(es)-1].Detail, "law") {
		t.Errorf("%d reveals in the log, the last entry %+v", n, es[len(es)-1])
	}
	for _, e := range es {
		for _, c := range canaries {
			if strings.Contains(e.Detail, c) {
				t.Errorf("the log holds %q: %+v", c, e)
			}
		}
	}
	if got := o.log.String(); strings.Contains(got, "Quackworth") || strings.Contains(got, "7700900123") || strings.Contains(got, "canary.example") {
		t.Error("the program's log holds a canary")
	}
}

// A reveal is shown only once it stands in the log.
func TestRevealThatCannotBeLoggedShowsNothing(t *testing.T) {
	o := newOffice(t)
	o.ready(2)
	me := o.signIn(o.north.People["handler"])
	who := &visit{tongue: o.k.tongue(langs[0]), tenant: "nowhere", actor: o.north.People["handler"].Actor(), person: o.north.People["handler"]}
	read := false
	err := o.k.looked(t.Context(), who, "complaint", "NCANARY", "law", func(tx *store.Tx) error {
		_, err := tx.Complaint(t.Context(), "north", "NCANARY")
		read = err == nil
		return err
	})
	if !read || err == nil {
		t.Errorf("read %v, and its log entry: %v", read, err)
	}
	me.get("/complaints/NCANARY").want(http.StatusOK)
}

func TestSixtyRevealsAnHour(t *testing.T) {
	o := newOffice(t)
	o.ready(2)
	me := o.signIn(o.north.People["handler"])
	reveal := func() *reply {
		return me.post("/complaints/"+o.north.Alone+"/reveal", url.Values{"purpose": {"quality"}})
	}
	for i := range 60 {
		if i == 30 { // what a bucket that refills would give back
			o.later(25 * time.Minute)
		}
		if i%20 == 7 { // a letter names the customer too
			me.post("/complaints/"+o.north.Of2[0]+"/letter", o.form(&o.north, "POST /complaints/{id}/letter")).want(http.StatusOK)
			continue
		}
		reveal().want(http.StatusOK)
	}
	a := reveal()
	wait, _ := strconv.Atoi(a.Header.Get("Retry-After"))
	if a.Status != http.StatusTooManyRequests || wait < 30*60 || wait > 3600 {
		t.Errorf("reveal 61: %d, Retry-After %q", a.Status, a.Header.Get("Retry-After"))
	}
	if a := me.post("/complaints/NCANARY/letter", o.form(&o.north, "POST /complaints/{id}/letter")); a.Status != http.StatusTooManyRequests || strings.Contains(a.Body, canaryName) {
		t.Errorf("a letter goes past it: %d", a.Status)
	}
	if a := o.signIn(o.north.People["second"]).post("/complaints/"+o.north.Alone+"/reveal", url.Values{"purpose": {"quality"}}); a.Status != http.StatusOK {
		t.Errorf("another person: %d", a.Status)
	}
	o.later(time.Duration(wait) * time.Second)
	if to := me.get("/inbox"); to.Status == http.StatusSeeOther { // it was long
		me = o.signIn(o.north.People["handler"])
	}
	reveal().want(http.StatusOK)
}

func count(es []entry, action, target, actor string) (n int) {
	for _, e := range es {
		if e.Action == action && (target == "" || e.Target == target) && (actor == "" || e.Actor == actor) {
			n++
		}
	}
	return n
}

// Two people confirm what is gravest; the forms cannot name the second.
func TestFourEyes(t *testing.T) {
	o := newOffice(t)
	o.ready(2)
	state := func() (row store.RingRow, body bonafide.Ring) {
		o.view(func(tx *store.Tx) (err error) {
			if row, err = tx.Ring(t.Context(), "north", o.north.Ring1); err != nil {
				return err
			}
			return readJSON(row.Body, &body)
		})
		return row, body
	}
	one, two := o.signIn(o.north.People["investigator"]), o.signIn(o.north.People["second"])
	confirm := url.Values{"verb": {"confirm"}, "reason": {"one paper"}, "innocent": {"no family"}, "by": {o.north.People["second"].Actor().ID}, "actor": {o.north.People["second"].Actor().ID}}
	at := "/rings/" + o.north.Ring1
	if to := one.post(at+"/decide", confirm).leads(); to != at+"?done=ring-first" {
		t.Errorf("the first leads to %s", to)
	}
	for range 2 {
		one.post(at+"/decide", confirm).want(http.StatusForbidden)
	}
	if row, body := state(); row.State != string(bonafide.RingProposed) || len(body.Decisions) != 1 || body.Decisions[0].By != o.north.People["investigator"].Actor().ID {
		t.Fatalf("one person: %s %+v", row.State, body.Decisions)
	}
	page := one.get(at)
	page.each(func(n *html.Node) {
		if n.Data == "button" && attr(n, "value") == "confirm" && !slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "disabled" }) {
			t.Error("the button is not disabled for who confirmed")
		}
	})
	for _, bad := range []url.Values{{"verb": {"confirm"}, "innocent": {"x"}}, {"verb": {"confirm"}, "reason": {"x"}}, {"verb": {"confirm"}, "reason": {" "}, "innocent": {"\u202e"}}, {"reason": {"x"}, "innocent": {"x"}}, {"verb": {"confirmed"}, "reason": {"x"}, "innocent": {"x"}}} {
		if a := two.post(at+"/decide", bad); a.Status != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", bad, a.Status)
		}
	}
	two.post(at+"/decide", confirm).want(http.StatusSeeOther)
	row, _ := state()
	if row.State != string(bonafide.RingIsFirm) {
		t.Errorf("two people: %s", row.State)
	}
	page = one.get(at)
	for _, name := range []string{o.north.People["investigator"].Name, o.north.People["second"].Name} {
		if !strings.Contains(page.Body, name) {
			t.Errorf("the page does not name %s", name)
		}
	}
	o.quiet()

	// A policy too.
	all, every := o.signIn(o.north.People["all"]), o.signIn(o.north.People["every"])
	at = "/policy/" + o.north.Policy + "/approve"
	form := o.form(&o.north, "POST /policy/{id}/approve")
	form.Set("by", o.north.People["every"].Actor().ID)
	all.post(at, form).want(http.StatusSeeOther)
	all.post(at, form).want(http.StatusForbidden)
	policyState := func() (s string) {
		o.view(func(tx *store.Tx) error {
			p, err := tx.Policy(t.Context(), "north", o.north.Policy)
			s = p.State
			return err
		})
		return s
	}
	if policyState() != store.PolicyDraft {
		t.Error("in force by one person")
	}
	every.post(at, form).want(http.StatusSeeOther)
	if policyState() != store.PolicyPromoted {
		t.Error("two approved, and it is not in force")
	}
	o.quiet()

	// And an appeal needs somebody who had no part in it.
	compliance, reviewer := o.signIn(o.north.People["compliance"]), o.signIn(o.north.People["reviewer"])
	appeal := func(c *client, complaint string) string {
		c.post("/complaints/"+complaint+"/appeal", url.Values{"reason": {"it is mine"}, "ring": {o.north.Ring1}, "by": {"person:x"}}).want(http.StatusSeeOther)
		id := ""
		o.view(func(tx *store.Tx) error {
			rows, err := tx.AppealsOf(t.Context(), "north", complaint)
			for _, r := range rows {
				if r.State == store.AppealOpen {
					id = r.ID
				}
			}
			return err
		})
		return "/appeals/" + id
	}
	yes := url.Values{"verdict": {"upheld"}, "reason": {"a family"}}
	mine := appeal(compliance, o.north.Of1[0])
	compliance.post(mine, yes).want(http.StatusForbidden) // filed it
	one.post(mine, yes).want(http.StatusForbidden)        // lacks the scope
	all.post("/rings/"+o.north.Ring1+"/decide", url.Values{"verb": {"reopen"}, "reason": {"x"}, "innocent": {"y"}}).want(http.StatusSeeOther)
	all.post(mine, yes).want(http.StatusForbidden) // decided about the ring
	reviewer.post(mine, url.Values{"reason": {"x"}}).want(http.StatusUnprocessableEntity)
	reviewer.post(mine, url.Values{"verdict": {"upheld"}}).want(http.StatusUnprocessableEntity)
	reviewer.post(mine, yes).want(http.StatusSeeOther)
	reviewer.post(mine, yes).want(http.StatusConflict)
	o.view(func(tx *store.Tx) error {
		_, err := tx.Verdict(t.Context(), "north", o.north.Of1[0])
		if err == nil {
			t.Error("the appeal was upheld, and the verdict stands")
		}
		return nil
	})
}

// An extension is approved by somebody else than who asked.
func TestExtensionNeedsSomebodyElse(t *testing.T) {
	o := newOffice(t)
	o.ready(2)
	reviewer, all := o.signIn(o.north.People["reviewer"]), o.signIn(o.north.People["all"])
	at := "/complaints/" + o.north.Alone
	version := func() string {
		v := 0
		o.view(func(tx *store.Tx) error {
			r, err := tx.Track(t.Context(), "north", o.north.Alone)
			v = r.Version
			return err
		})
		return strconv.Itoa(v)
	}
	for _, verb := range []string{"register", "check-authority", "investigate"} {
		reviewer.post(at+"/move", url.Values{"verb": {verb}, "version": {version()}})
	}
	clock := ""
	o.view(func(tx *store.Tx) error {
		r, err := tx.Track(t.Context(), "north", o.north.Alone)
		if err != nil {
			return err
		}
		tr, _, err := o.engine.TrackOf(r)
		if due, ok := tr.Due(); ok {
			clock = due.Name
		}
		return err
	})
	reviewer.post(at+"/move", url.Values{"verb": {"ask-extension"}, "version": {version()}, "reason": {"the archive is closed"}, "clock": {clock}, "approver": {o.north.People["all"].Actor().ID}}).want(http.StatusSeeOther)
	yes := func() url.Values {
		return url.Values{"answer": {"approve"}, "version": {version()}, "by": {o.north.People["all"].Actor().ID}, "approver": {o.north.People["all"].Actor().ID}}
	}
	if a := reviewer.post(at+"/extension", yes()); a.Status != http.StatusForbidden {
		t.Errorf("approved by who asked: %d %s", a.Status, a.says())
	}
	if strings.Contains(reviewer.get(at).Body, at+"/extension") {
		t.Error("the form stands on the page of who asked")
	}
	if !strings.Contains(all.get(at).Body, at+"/extension") {
		t.Error("the form is missing for who may")
	}
	all.post(at+"/extension", yes()).want(http.StatusSeeOther)
}

// What goes wrong is said without repeating what was sent.
func TestErrorsRepeatNothing(t *testing.T) {
	o := newOffice(t)
	o.ready(2)
	me := o.signIn(o.north.People["all"])
	const sent = "Canary-7f3a"
	for _, at := range []string{
		"/complaints/" + sent, "/rings/" + sent, "/templates/" + sent, "/policy/" + sent, "/import/" + sent, "/quarantine/" + sent, "/log/" + sent, "/log/99999999", "/compare?with=" + sent + "&with=x",
		"/inbox?state=" + sent, "/inbox?channel=" + sent, "/inbox?after=" + sent, "/quarantine?after=1.%00" + sent, "/rings?after=%00" + sent, "/" + sent, "/me?done=" + sent, "/compare?with=" + sent,
	} {
		a := me.get(at)
		if strings.Contains(a.Body, sent) || strings.Contains(a.Header.Get("Location"), sent) || a.Status >= 500 {
			t.Errorf("%s: %d: %s", at, a.Status, a.says())
		}
	}
	for at, form := range map[string]url.Values{
		"/complaints/" + o.north.Alone + "/move":   {"verb": {sent}, "version": {sent}, "reason": {sent}},
		"/complaints/" + o.north.Alone + "/reveal": {"purpose": {sent}},
		"/complaints/" + o.north.Alone + "/letter": {"kind": {sent}},
		"/complaints/" + sent + "/move":            {"verb": {"register"}, "version": {"1"}},
		"/rings/" + o.north.Ring2 + "/decide":      {"verb": {sent}, "reason": {sent}, "innocent": {sent}},
		"/rings/" + o.north.Ring2 + "/cut":         {"a": {sent}, "b": {sent + "2"}, "reason": {sent}},
		"/search":                                  {"q": {"x"}, "kind": {sent}},
		"/admin/people":                            {"login": {sent + " !"}, "name": {sent}, "role": {"handler"}},
		"/admin/people/" + sent:                    {"do": {"disable"}},
		"/admin/keys":                              {"name": {sent}, "scope": {sent}},
		"/admin/settings":                          {"retention": {sent}},
		"/inbox/filters":                           {"name": {sent}, "query": {sent + "=1"}},
		"/appeals/" + sent:                         {"verdict": {"upheld"}, "reason": {sent}},
		"/policy/copy":                             {"from": {sent}, "name": {sent}},
		"/me":                                      {"old": {sent}, "password": {sent}, "again": {sent + "2"}},
		"/quarantine/" + o.north.Row + "/drop":     {"reason": {sent}},
		"/letters/" + sent + "/remove":             {},
		"/admin/keys/" + sent + "/revoke":          {},
		"/me/passkeys/" + sent + "/remove":         {},
	} {
		a := me.post(at, form)
		if strings.Contains(a.Body, sent) || a.Status < 400 || a.Status >= 500 {
			t.Errorf("%s: %d: %s", at, a.Status, a.says())
		}
	}
	// Too long, and not what it says it is.
	if a := me.post("/complaints/"+o.north.Alone+"/move", url.Values{"reason": {strings.Repeat("x", maxForm)}}); a.Status < 400 || a.Status >= 500 {
		t.Errorf("a form of a megabyte: %d", a.Status)
	}
}

// Whoever watches is told that something changed, until the session or the server ends.
func TestLiveTellsOfChanges(t *testing.T) {
	o := newOffice(t)
	o.ready(2)
	if a := o.client().get("/live"); a.Status != http.StatusUnauthorized {
		t.Fatalf("nobody watches: %d", a.Status)
	}
	o.quiet()
	watch := func(c *client) (events <-chan string, done <-chan struct{}) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, o.srv.URL+"/live", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := c.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
			t.Fatalf("%d %s", res.StatusCode, res.Header.Get("Content-Type"))
		}
		lines, end := make(chan string, 100), make(chan struct{})
		go func() {
			defer close(end)
			defer res.Body.Close()
			for s := bufio.NewScanner(res.Body); s.Scan(); {
				if s.Text() != "" && !strings.HasPrefix(s.Text(), ":") {
					lines <- s.Text()
				}
			}
		}()
		return lines, end
	}
	within := func(what string, ch <-chan string) string {
		t.Helper()
		select {
		case s := <-ch:
			return s
		case <-time.After(15 * time.Second):
			t.Fatalf("waited in vain for %s", what)
			return ""
		}
	}
	ended := func(what string, ch <-chan struct{}) {
		t.Helper()
		select {
		case <-ch:
		case <-time.After(15 * time.Second):
			t.Fatalf("the stream goes on after %s", what)
		}
	}
	second := o.signIn(o.north.People["second"])
	lines, end := watch(o.signIn(o.north.People["handler"]))
	_, out := watch(second)
	if got := within("the first event", lines); got != "event: changed" {
		t.Fatal(got)
	}
	if data := within("its data", lines); strings.Trim(strings.TrimPrefix(data, "data: "), "0123456789") != "" {
		t.Errorf("the stream says %q", data)
	}
	for len(lines) > 0 {
		<-lines
	}
	o.submit("south", strangers("x", "SLATE", 1, o.now())...) // another lender's: nobody here is told
	o.quiet()
	time.Sleep(liveChange + 500*time.Millisecond)
	if len(lines) > 0 {
		t.Errorf("told of another lender's change: %s", <-lines)
	}
	second.post("/inbox/filters", url.Values{"name": {"x"}, "query": {"view=all"}}).want(http.StatusSeeOther)
	if got := within("a change", lines); got != "event: changed" {
		t.Error(got)
	}
	second.post("/sign-out", nil).want(http.StatusSeeOther)
	ended("the sign-out", out)
	o.srv.Config.RegisterOnShutdown(o.k.EndStreams)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := o.srv.Config.Shutdown(ctx); err != nil {
		t.Errorf("the stream keeps the server: %v", err)
	}
	ended("the server's end", end)
}
