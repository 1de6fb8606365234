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
	"bonafide/casework"
	"bonafide/contact"
	"bonafide/engine"
	"bonafide/store"
)

// hostile is what somebody might write who wants a page to do something.
const hostile = `<script>alert(1)</script><b onclick="x()">"'` + "\u202Egnihton\u2066" + `{{.T}} javascript:alert(1)`

// contactVersion is the version of a conversation or verification.
func (o *office) sheetVersion(kind, id string) string {
	o.t.Helper()
	n := 0
	o.view(func(tx *store.Tx) error {
		row, err := tx.Sheet(o.t.Context(), "north", kind, id)
		n = row.Version
		return err
	})
	return strconv.Itoa(n)
}

// A conversation is led through its script to an end: what was said is kept, what follows
// is done, and the complaint's page shows it.
func TestConversationFromItsBeginningToItsEnd(t *testing.T) {
	o := newOffice(t)
	o.ready()
	me, id := o.signIn(o.north.People["handler"]), o.north.Alone
	page := me.get("/complaints/" + id).want(http.StatusOK)
	if !strings.Contains(page.Body, `action="/contacts"`) {
		t.Fatal("no conversation can be started")
	}
	at := me.post("/contacts", url.Values{"complaint": {id}, "script": {"incoming"}, "lang": {"pt-BR"}}).leads()
	talk := last(at)
	s, err := contact.Load("incoming")
	if err != nil {
		t.Fatal(err)
	}
	var c contact.Case
	for _, one := range s.Cases {
		if one.Want.End == "customer-asked" {
			c = one
			break
		}
	}
	answers, err := contact.Answers(c.Answers)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range answers {
		page = me.get(at).want(http.StatusOK)
		step := s.Step(a.Step)
		if !strings.Contains(html.UnescapeString(page.Body), step.Ask.In("pt-BR")) {
			t.Fatalf("%s: the question is not shown in the language of the conversation", a.Step)
		}
		for _, n := range append(step.Never, s.Never...) {
			if !strings.Contains(html.UnescapeString(page.Body), n.In("en")) {
				t.Errorf("%s: does not say what must never be said: %s", a.Step, n.In("en"))
			}
		}
		form := url.Values{"version": {o.sheetVersion(store.SheetContact, talk)}, "step": {a.Step}, "choice": {a.Choice}}
		if i == 0 {
			form.Set("note", hostile)
		}
		me.post(at+"/answer", form).want(http.StatusSeeOther)
		// The same form once more is of a version that is no more.
		me.post(at+"/answer", form).want(http.StatusConflict)
	}
	end := url.Values{"version": {o.sheetVersion(store.SheetContact, talk)}}
	me.post(at+"/end", end).want(http.StatusSeeOther)
	me.post(at+"/end", end).want(http.StatusConflict)
	me.post(at+"/back", url.Values{"version": {o.sheetVersion(store.SheetContact, talk)}}).want(http.StatusConflict)
	page = me.get(at).want(http.StatusOK)
	if strings.Contains(page.Body, "data-player") || !strings.Contains(page.Body, `data-end="customer-asked"`) {
		t.Error("it can be answered on, or its end is not shown")
	}
	if strings.Contains(page.Body, "<script>alert") || !strings.Contains(page.Body, "&lt;script&gt;alert") {
		t.Error("a note is not shown as it was written")
	}
	page = me.get("/complaints/" + id).want(http.StatusOK)
	for _, want := range []string{`data-talk-end="customer-asked"`, `data-task="identity"`} {
		if !strings.Contains(page.Body, want) {
			t.Errorf("the complaint does not show %s", want)
		}
	}
	o.view(func(tx *store.Tx) error {
		row, err := tx.Track(t.Context(), "north", id)
		if err != nil {
			return err
		}
		track, _, err := o.engine.TrackOf(row)
		if track.State != casework.Registered {
			t.Errorf("the track stands at %s", track.State)
		}
		return err
	})
	// Who only reads reads it, and changes nothing.
	reader := o.signIn(o.north.People["compliance"])
	if body := reader.get(at).want(http.StatusOK).Body; strings.Contains(body, "<form method=\"post\" action=\"/contacts") {
		t.Error("somebody who only reads is offered a form")
	}
	reader.post(at+"/answer", end).want(http.StatusForbidden)
	o.signIn(o.south.People["all"]).get(at).want(http.StatusNotFound)
}

// A conversation that a telephone system began without a complaint opens, and can be led.
func TestConversationWithoutAComplaint(t *testing.T) {
	o := newOffice(t)
	o.ready()
	me := o.signIn(o.north.People["handler"])
	at := me.post("/contacts", url.Values{"script": {"incoming"}, "lang": {"en"}}).leads()
	me.get(at).want(http.StatusOK)
	if body := me.get("/contacts").want(http.StatusOK).Body; !strings.Contains(body, at) {
		t.Error("it is not in the list")
	}
	me.post("/contacts", url.Values{"script": {"call-back"}, "lang": {"en"}}).want(http.StatusUnprocessableEntity)
	me.post("/contacts", url.Values{"script": {"no-such"}, "lang": {"en"}}).want(http.StatusNotFound)
	me.post("/contacts", url.Values{"script": {"call-back"}, "lang": {"en"}, "known": {"yes"}}).want(http.StatusSeeOther)
	me.get("/contacts/new?complaint=" + o.south.Alone).want(http.StatusNotFound)
	me.post(at+"/end", url.Values{"version": {"1"}}).want(http.StatusSeeOther)
	if body := me.get(at).want(http.StatusOK).Body; !strings.Contains(body, `data-state="broken-off"`) {
		t.Error("broken off, and not said")
	}
}

// A way that came with the complaint is named and its value never shown; whoever does not
// make attempts sees no value at all, and every look at one is logged.
func TestWaysThatCameWithTheComplaintAreNeverShown(t *testing.T) {
	o := newOffice(t)
	o.ready()
	before := o.size("north")
	at := "/verifications/" + o.north.Task
	body := html.UnescapeString(o.signIn(o.north.People["handler"]).get(at).want(http.StatusOK).Body)
	if !strings.Contains(body, knownPhone) || !strings.Contains(body, `data-left="registered-email"`) {
		t.Error("the known phone, or that the mailbox is left out, is not shown")
	}
	if strings.Contains(body, knownMail) {
		t.Error("the mailbox that came with the complaint is shown")
	}
	logged := false
	for _, e := range o.entries("north", before) {
		logged = logged || e.Action == "ways.viewed" && e.Target == "ways:"+o.north.Asked
	}
	if !logged {
		t.Error("that the values were seen is not logged")
	}
	body = html.UnescapeString(o.signIn(o.north.People["compliance"]).get(at).want(http.StatusOK).Body)
	if strings.Contains(body, knownPhone) || strings.Contains(body, knownMail) || strings.Contains(body, "/try") {
		t.Error("somebody who only reads sees a value, or a form")
	}
}

// A verification is tried, asked and signed; what was written is shown as it is.
func TestVerificationIsTriedAndSigned(t *testing.T) {
	o := newOffice(t)
	o.ready()
	me := o.signIn(o.north.People["investigator"])
	at := me.post("/complaints/"+o.north.Asked+"/verifications", url.Values{"kind": {"authority"}, "about": {hostile}, "reason": {hostile}}).leads()
	at, _, _ = strings.Cut(at, "?")
	id := last(at)
	v := func() string { return o.sheetVersion(store.SheetVerification, id) }
	me.post(at+"/try", url.Values{"version": {"7"}, "way": {"registered-phone"}, "result": {"reached"}}).want(http.StatusConflict)
	me.post(at+"/try", url.Values{"version": {v()}, "way": {"registered-email"}, "result": {"reached"}}).want(http.StatusForbidden)
	me.post(at+"/sign", url.Values{"version": {v()}, "outcome": {"denied"}, "finding": {"x"}}).want(http.StatusUnprocessableEntity)
	me.post(at+"/try", url.Values{"version": {v()}, "way": {"registered-phone"}, "result": {"reached"}, "note": {hostile}}).want(http.StatusSeeOther)
	me.post(at+"/sign", url.Values{"version": {v()}, "outcome": {"denied"}, "finding": {"x"}, "criterion": {"K02"}, "innocent": {"y"}}).want(http.StatusUnprocessableEntity)
	me.post(at+"/sign", url.Values{"version": {v()}, "outcome": {"denied"}, "finding": {"x"}, "criterion": {"K06"}}).want(http.StatusUnprocessableEntity)
	me.post(at+"/ask", url.Values{"way": {"registered-phone"}, "lang": {"zh-CN"}}).want(http.StatusSeeOther)
	m, _ := o.sent.last()
	if m.Lang != "zh-CN" || m.To != knownPhone || strings.Contains(m.Text+m.Subject, "fee") || !strings.Contains(m.Text, "A Lender") {
		t.Errorf("sent %+v", m)
	}
	code := ""
	for _, word := range strings.FieldsFunc(m.Text, func(r rune) bool { return r < '0' || r > '9' }) {
		if len(word) == 6 {
			code = word
		}
	}
	me.post(at+"/code", url.Values{"code": {"x" + code}}).want(http.StatusUnprocessableEntity)
	me.post(at+"/code", url.Values{"code": {" " + code}}).want(http.StatusSeeOther)
	me.post(at+"/code", url.Values{"code": {code}}).want(http.StatusConflict)
	me.post(at+"/sign", url.Values{"version": {v()}, "outcome": {"denied"}, "finding": {hostile}, "criterion": {"K06"}, "innocent": {hostile}}).want(http.StatusSeeOther)
	body := me.get(at).want(http.StatusOK).Body
	if !strings.Contains(body, `data-outcome="denied"`) || strings.Contains(body, "<script>alert") {
		t.Error("what was signed is not shown, or not as it was written")
	}
	me.get("/complaints/" + o.north.Asked).want(http.StatusOK)
	// Another lender's is not there.
	theirs := o.signIn(o.south.People["all"])
	theirs.get(at).want(http.StatusNotFound)
	theirs.post(at+"/ask", url.Values{"way": {"registered-phone"}}).want(http.StatusNotFound)
}

// A customer answers a link once, without signing in. Whatever is wrong with a link, the
// page says the same, and it names nobody.
func TestQuestionIsAnsweredOnce(t *testing.T) {
	o := newOffice(t)
	o.ready()
	nobody := o.client()
	at := "/confirm/" + o.north.Token
	for lang, want := range map[string]string{"en": "Did you file it yourself", "zh-CN,zh;q=0.9": "您本人", "pt": "a seu pedido"} {
		nobody.head = http.Header{"Accept-Language": {lang}, "Sec-Fetch-Site": {"none"}}
		page := nobody.get(at).want(http.StatusOK)
		if !strings.Contains(page.Body, want) || strings.Contains(page.Body, "<nav") || strings.Contains(page.Body, o.north.Asked) || strings.Contains(page.Body, "yearly fee") {
			t.Errorf("%s: %s", lang, page.says())
		}
	}
	nobody.head = http.Header{"Sec-Fetch-Site": {"same-origin"}}
	// Whoever is signed in sees what a customer sees.
	if body := o.signIn(o.north.People["all"]).get(at).want(http.StatusOK).Body; strings.Contains(body, "<nav") || strings.Contains(body, "data-signed-in") {
		t.Error("the page knows who is signed in")
	}
	nobody.post(at, url.Values{"answer": {"perhaps"}}).want(http.StatusOK)
	if page := nobody.post(at, url.Values{"answer": {"no"}}).want(http.StatusOK); !strings.Contains(page.Body, "goes on whatever you answered") {
		t.Errorf("thanks: %s", page.says())
	}
	gone := nobody.get(at).want(http.StatusNotFound).says()
	for _, token := range []string{"x", strings.Repeat("y", 43), "%00", o.north.Token + "x"} {
		if got := nobody.get("/confirm/" + token).want(http.StatusNotFound).says(); got != gone {
			t.Errorf("%q: %s, want %s", token, got, gone)
		}
	}
	if got := nobody.post(at, url.Values{"answer": {"yes"}}).want(http.StatusNotFound).says(); got != gone {
		t.Errorf("the second answer: %s", got)
	}
	// What came of it is an attempt; nothing is signed by it.
	body := o.signIn(o.north.People["handler"]).get("/verifications/" + o.north.Task).want(http.StatusOK).Body
	if !strings.Contains(body, "answered by the link: no") || strings.Contains(body, "data-outcome") {
		t.Error("the answer is not an attempt, or more than one")
	}
	// One address does not try link after link.
	slowed := false
	for range askedPerMinute {
		slowed = slowed || nobody.get("/confirm/x").Status == http.StatusTooManyRequests
	}
	if !slowed {
		t.Error("an address may try as many links as it likes")
	}
}

// What the lender's records show stands first under merit: nothing found is told apart
// from nothing handed in.
func TestMeritIsToldFirst(t *testing.T) {
	o := newOffice(t)
	o.ready()
	me := o.signIn(o.north.People["handler"])
	day := time.Now().AddDate(0, 0, -3).UTC().Truncate(24 * time.Hour)
	file := func(id string, calls ...bonafide.CollectionCall) string {
		ref := id + "ref"
		o.submit("north", bonafide.Complaint{ID: id, Text: "They called and called about my loan " + id + ".", Customer: bonafide.Customer{Ref: ref}})
		for _, c := range calls {
			c.CustomerRef = ref
			o.recordCall("north", c)
		}
		return me.get("/complaints/" + id).want(http.StatusOK).Body
	}
	zone := time.FixedZone("", 8*3600)
	call := func(id string, hour int) bonafide.CollectionCall {
		return bonafide.CollectionCall{
			ID: id, Direction: "out", Party: "debtor", Outsourcer: "o1", Seconds: 60, Effective: true,
			Started: time.Date(day.Year(), day.Month(), day.Day(), hour, 15, 0, 0, zone),
		}
	}
	if body := file("MERIT-NONE"); !strings.Contains(body, `data-merit="untested"`) || strings.Contains(body, `data-merit="nothing"`) || strings.Contains(body, "data-rule=") {
		t.Error("no records were handed in, and the page says otherwise")
	}
	if body := file("MERIT-CLEAN", call("by-day", 11)); !strings.Contains(body, `data-merit="nothing"`) || strings.Contains(body, "data-rule=") {
		t.Error("nothing was found, and the page does not say it")
	}
	body := file("MERIT-NIGHT", call("by-night", 23))
	for _, want := range []string{`data-rule="night-call"`, "1 call between 22:00 and 08:00.", "by-night", "standing substantiated"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Index(body, `data-rule="night-call"`) > strings.Index(body, `id="h-share"`) {
		t.Error("what is shared stands before what is right")
	}
	if !strings.Contains(body, "calls at night</span>") {
		t.Error("the call itself is not marked")
	}
}

// An incident is told before anything else is said of a complaint.
func TestIncidentIsToldFirst(t *testing.T) {
	o := newOffice(t)
	o.ready()
	now := o.now()
	inc := `{"id":"i0001","rule":"failed-operation","from":"` + now.Format(time.RFC3339) + `","to":"` + now.Format(time.RFC3339) + `","began":"` + now.Format(time.RFC3339) + `","ended":"` +
		now.Format(time.RFC3339) + `","complaints":["` + o.north.Alone + `"],"customers":41,"expected":0.5,"why":["41 customers complained of it within 2 days"]}`
	o.quiet()
	o.update(func(tx *store.Tx) error {
		return tx.SaveIncidents(t.Context(), "north", bonafide.System("test"), []store.IncidentRow{{ID: "i0001", Rule: "failed-operation", Size: 1, Began: now, At: now, Body: inc}})
	})
	me := o.signIn(o.north.People["investigator"])
	for path, want := range map[string]string{
		"/complaints/" + o.north.Alone: "41 customers complain of the same", "/incidents": "41 customers complained of it within 2 days", "/rings": "Customers: 41", "/dashboard": "Customers: 41",
	} {
		if a := me.get(path).want(http.StatusOK); !strings.Contains(a.Body, want) {
			t.Errorf("%s lacks %q", path, want)
		}
	}
	if a := o.signIn(o.north.People["regulator"]).get("/dashboard").want(http.StatusOK); !strings.Contains(a.Body, "Customers: 41") || strings.Contains(a.Body, "/incidents") {
		t.Error("a regulator sees no count, or a link to more")
	}
	if a := o.signIn(o.south.People["all"]).get("/incidents").want(http.StatusOK); strings.Contains(a.Body, "i0001") {
		t.Error("another lender's incident")
	}
}

// What a customer is asked for is the least, once, and never what is held.
func TestMaterialIsAskedForOnce(t *testing.T) {
	o := newOffice(t)
	o.ready()
	me, at := o.signIn(o.north.People["handler"]), "/complaints/"+o.north.Asked+"/material"
	page := me.get(at + "?demand=other").want(http.StatusOK)
	if !strings.Contains(page.Body, "<s>") || !strings.Contains(page.Body, `<pre class="sheet"`) {
		t.Errorf("nothing is struck off, or there is no letter: %s", page.says())
	}
	form := func(verb, item, version string) url.Values {
		return url.Values{"verb": {verb}, "item": {item}, "demand": {"other"}, "version": {version}}
	}
	me.post(at, form("ask", "what-happened", "0")).want(http.StatusSeeOther)
	me.post(at, form("ask", "what-happened", "0")).want(http.StatusConflict)
	me.post(at, form("ask", "what-happened", "1")).want(http.StatusConflict)
	me.post(at, form("ask", "passport", "1")).want(http.StatusUnprocessableEntity)
	me.post(at, form("ask", "contact", "1")).want(http.StatusForbidden) // it is held
	me.post(at, form("receive", "what-happened", "1")).want(http.StatusSeeOther)
	for _, l := range langs {
		me.get(at + "?lang=" + l.Tag).want(http.StatusOK)
	}
	o.signIn(o.north.People["compliance"]).post(at, form("waive", "what-happened", "2")).want(http.StatusForbidden)
	o.signIn(o.south.People["all"]).get(at).want(http.StatusNotFound)
}

// What was said with somebody who was erased is gone from every page.
func TestConversationsOfAnErasedPerson(t *testing.T) {
	o := newOffice(t)
	o.ready()
	me := o.signIn(o.north.People["handler"])
	o.submit("north", bonafide.Complaint{ID: "GONE", Text: "I was charged twice.", Customer: bonafide.Customer{Ref: "gone", Name: "Greta Vanish"}})
	at := me.post("/contacts", url.Values{"complaint": {"GONE"}, "script": {"incoming"}, "lang": {"en"}}).leads()
	me.post(at+"/answer", url.Values{"version": {"1"}, "step": {"who"}, "choice": {"self"}, "note": {"Vanish said it herself"}}).want(http.StatusSeeOther)
	task, _, _ := strings.Cut(me.post("/complaints/GONE/verifications", url.Values{"kind": {"identity"}, "reason": {"Vanish?"}}).leads(), "?")
	err := o.engine.Erase(t.Context(), "north", bonafide.System("test"), "", "GONE", "asked", func(*store.Tx, string, []string) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{at, task, "/complaints/GONE", "/contacts"} {
		if body := me.get(path).want(http.StatusOK).Body; strings.Contains(body, "Vanish") {
			t.Errorf("%s shows something of them", path)
		}
	}
	if a := me.post(at+"/answer", url.Values{"version": {"2"}, "step": {"matter"}, "choice": {"calls"}}); a.Status < 400 || a.Status >= 500 {
		t.Errorf("answered of somebody who was erased: %d", a.Status)
	}
	me.get("/complaints/GONE/material").want(http.StatusNotFound)
}

// recordCall stores a call that the lender handed in.
func (o *office) recordCall(t bonafide.Tenant, c bonafide.CollectionCall) {
	o.t.Helper()
	o.put(t, engine.RecordCall, c.ID, c.CustomerRef, c)
}
