package console

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

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
	track, imported, digest, contacts, tasks, cases := "", "", "", "", "", ""
	o.view(func(tx *store.Tx) error {
		if row, err := tx.Track(ctx, s.Tenant, s.Of2[1]); err == nil {
			track = strconv.Itoa(row.Version)
		}
		if row, err := tx.Sheet(ctx, s.Tenant, store.SheetContact, s.Contact); err == nil {
			contacts = strconv.Itoa(row.Version)
		}
		if row, err := tx.Sheet(ctx, s.Tenant, store.SheetVerification, s.Task); err == nil {
			tasks = strconv.Itoa(row.Version)
		}
		if row, err := tx.Case(ctx, s.Tenant, s.Case); err == nil {
			cases = strconv.Itoa(row.Version)
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
	case "POST /contacts":
		return v("script", "incoming", "lang", "en", "complaint", s.Of2[1])
	case "POST /contacts/{id}/answer":
		return v("version", contacts, "step", "who", "choice", "self", "note", "they say so", "lang", "pt-BR")
	case "POST /contacts/{id}/back", "POST /contacts/{id}/end":
		return v("version", contacts)
	case "POST /complaints/{id}/verifications":
		return v("kind", "identity", "about", "", "reason", "who wrote it?")
	case "POST /verifications/{id}/try":
		return v("version", tasks, "way", "branch", "result", "unreached", "note", "closed")
	case "POST /verifications/{id}/sign":
		return v("version", tasks, "outcome", "open-ended", "finding", "nobody was there")
	case "POST /verifications/{id}/ask":
		return v("way", "registered-phone", "lang", "en")
	case "POST /verifications/{id}/code":
		return v("code", "no such code")
	case "POST /complaints/{id}/material":
		return v("verb", "ask", "item", "what-happened", "demand", "other", "version", "0")
	case "POST /confirm/{token}":
		return v("answer", "yes")
	case "POST /audits/draw":
		return v("number", "2")
	case "POST /audits/{id}/judge":
		return v("version", "1", "judgement", "genuine", "reason", "a story of their own")
	case "POST /detectors/{name}/on":
		return v("reason", "it was mended")
	case "POST /learning":
		return v("alpha", "5")
	case "POST /learning/{id}":
		return v("version", "1", "state", "shadow")
	case "POST /cases":
		return v("title", "one more", "reason", "heard at the counter", "ring", s.Ring2)
	case "POST /cases/{id}/move":
		return v("move", "open", "version", cases)
	case "POST /cases/{id}/change":
		return v("what", "note", "text", "a note", "version", cases)
	case "POST /cases/{id}/record":
		return v("complaint", s.Of2[1], "record", "track", "second", "A Witness", "place", "here")
	case "POST /cases/{id}/seal", "POST /cases/{id}/pack":
		return v("variant", "regulator")
	case "POST /cases/{id}/merge":
		return v("from", s.Spare, "reason", "the same people")
	case "POST /cases/{id}/split":
		return v("ring", s.Ring1, "reason", "two matters", "version", cases)
	case "POST /items/{id}/read":
		return v("purpose", "review")
	case "POST /items/{id}/declare":
		return v("personal", "no")
	case "POST /items/{id}/redact":
		return v("second", "A Witness")
	case "POST /adverts":
		return v("where", "a poster", "text", "we get your money back", "idkind", "phone", "value", "+447800055555")
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
	"POST /quarantine/{id}/drop":      http.StatusConflict,            // it was mended
	"POST /import/{id}/stop":          http.StatusConflict,            // it has ended
	"POST /verifications/{id}/ask":    http.StatusConflict,            // it is signed
	"POST /verifications/{id}/code":   http.StatusUnprocessableEntity, // not the one that was sent
	"POST /cases/{id}/items":          http.StatusUnprocessableEntity, // a file
	"POST /cases/{id}/stix":           http.StatusConflict,            // the police filed nothing
	"POST /learning":                  http.StatusConflict,            // too little was decided
	"POST /confirm/{token}":           http.StatusNotFound,            // it is signed
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
	o.ready()
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
		t.Errorf("refused forms changed something: %v", o.done(before))
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
var looks = []string{"complaint.viewed", "contact.viewed", "verification.viewed", "ways.viewed", "ring.viewed", "template.viewed", "quarantine.viewed", "audit.viewed", "case.viewed"}

// Reading changes nothing but what the log says of who read.
func TestReadingChangesNothing(t *testing.T) {
	o := newOffice(t)
	o.ready()
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

// scopesOf says a second time what each route needs, so that nobody opens one by chance.
var scopesOf = map[bonafide.Scope][]string{
	"": {
		"GET /{$}", "GET /me", "POST /me", "POST /me/passkeys/{id}/remove", "POST /confirm", "GET /live", "GET /help",
	},
	bonafide.ScopeComplaintsRead: {
		"GET /inbox", "POST /inbox/filters", "GET /complaints/{id}", "POST /complaints/{id}/reveal", "POST /complaints/{id}/appeal", "GET /compare", "GET /search", "POST /search", "GET /incidents",
	},
	bonafide.ScopeContactsRead: {"GET /contacts", "GET /contacts/{id}", "GET /verifications/{id}", "GET /complaints/{id}/material"},
	bonafide.ScopeContactsWrite: {
		"GET /contacts/new", "POST /contacts", "POST /contacts/{id}/answer", "POST /contacts/{id}/back", "POST /contacts/{id}/end", "POST /complaints/{id}/verifications",
		"POST /verifications/{id}/try", "POST /verifications/{id}/sign", "POST /verifications/{id}/ask", "POST /verifications/{id}/code", "POST /complaints/{id}/material",
	},
	bonafide.ScopeTrackWrite:   {"POST /complaints/{id}/letter", "POST /complaints/{id}/move", "POST /complaints/{id}/take"},
	bonafide.ScopeTrackApprove: {"POST /complaints/{id}/extension"},
	bonafide.ScopeRingsRead:    {"GET /rings", "GET /rings/{id}", "GET /templates", "GET /templates/{id}", "GET /appeals"},
	bonafide.ScopeRingsDecide:  {"POST /rings/{id}/decide", "POST /rings/{id}/cut", "POST /templates/{id}/public", "POST /letters/{id}/remove"},
	bonafide.ScopeAppeals:      {"POST /appeals/{id}"},
	bonafide.ScopeFiguresRead:  {"GET /dashboard", "GET /month", "GET /month.pdf", "GET /month.xlsx", "GET /month.csv"},
	bonafide.ScopeCasesRead:    {"GET /cases", "GET /cases/{id}", "POST /cases/{id}/move", "POST /cases/{id}/change", "POST /items/{id}/read", "GET /adverts"},
	bonafide.ScopeCasesWrite: {
		"GET /cases/new", "POST /cases", "POST /cases/{id}/items", "POST /cases/{id}/record", "POST /cases/{id}/seal", "POST /cases/{id}/pack", "POST /cases/{id}/merge", "POST /cases/{id}/split",
		"POST /cases/{id}/stix", "POST /items/{id}/redact", "POST /items/{id}/declare", "POST /adverts",
	},
	bonafide.ScopePeopleWrite: {
		"GET /admin", "POST /admin/people", "POST /admin/people/{id}", "POST /admin/keys", "POST /admin/keys/{id}/revoke", "POST /admin/settings",
	},
	bonafide.ScopeLogRead: {"GET /log", "POST /log/verify", "GET /log/{n}"},
	bonafide.ScopeComplaintsWrite: {
		"GET /import", "POST /import", "GET /import/{id}", "POST /import/{id}/mapping", "POST /import/{id}/start", "POST /import/{id}/stop",
		"GET /quarantine", "GET /quarantine/{id}", "POST /quarantine/{id}/mend", "POST /quarantine/{id}/drop",
	},
	bonafide.ScopeAudit:      {"GET /audits", "POST /audits/draw", "GET /audits/{id}", "POST /audits/{id}/judge"},
	bonafide.ScopePolicyRead: {"GET /policy", "GET /policy/{id}", "GET /learning"},
	bonafide.ScopePolicyWrite: {
		"POST /policy/copy", "POST /policy/{id}/save", "POST /policy/{id}/backtest", "POST /policy/{id}/shadow", "POST /policy/{id}/approve",
		"POST /detectors/{name}/on", "POST /learning", "POST /learning/promise", "POST /learning/{id}",
	},
}

func TestRoutesAskForTheirScope(t *testing.T) {
	open := []string{"GET /sign-in", "POST /sign-in", "POST /sign-out", "POST /speak", "GET /confirm/{token}", "POST /confirm/{token}"}
	for _, rt := range routes {
		if rt.open != slices.Contains(open, rt.pattern) {
			t.Errorf("%s: open %v", rt.pattern, rt.open)
		}
		if !rt.open && !slices.Contains(scopesOf[rt.scope], rt.pattern) {
			t.Errorf("%s asks for the scope %q: if that is meant, say so here", rt.pattern, rt.scope)
		}
	}
}

// Every route, tried by every role: refused exactly where the role lacks its scope.
func TestRolesReachWhatTheyMay(t *testing.T) {
	o := newOffice(t)
	o.ready()
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
				t.Errorf("%s, %s: refused, and %v", role, rt.pattern, o.done(before))
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
	if got := o.done(before); len(got) > 0 {
		t.Errorf("nobody did %v", got)
	}
}

// A role reaches what its page says and no more: a regulator sees figures and nobody's
// file, and somebody who answers complaints sees no ring.
func TestPagesShowWhatARoleMay(t *testing.T) {
	o := newOffice(t)
	o.ready()
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

// Fields that no form has change nothing: neither who acts, nor for whom, nor what one is.
func TestFieldsSmuggleNothing(t *testing.T) {
	o := newOffice(t)
	o.ready()
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
	o.ready()
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
