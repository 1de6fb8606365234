package console

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"bonafide/store"
)

// What identifies somebody is hidden until a purpose was given, which is logged first.
func TestRevealNeedsAPurposeAndIsLogged(t *testing.T) {
	o := newOffice(t)
	o.ready()
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
	o.ready()
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
	o.ready()
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

// What goes wrong is said without repeating what was sent.
func TestErrorsRepeatNothing(t *testing.T) {
	o := newOffice(t)
	o.ready()
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
