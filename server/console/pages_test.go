package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/net/html"

	"bonafide"
	"bonafide/store"
)

// evil is what others could write so that a page does what they want.
var evil = []string{
	`<script>alert(4711)</script>`, `"><img src=x class=pwned onerror=alert(4711)>`, `' onmouseover='alert(4711)`, `javascript:alert(4711)`, `</textarea><svg class=pwned onload=alert(4711)>`,
	`</title><h1 class=pwned>4711</h1>`, `{{.}}{{template "frame"}}`, `<!-- `, `]]>`, `<svg><script xlink:href=x>`, `<a href="javascript:alert(4711)">`, `&lt;b&gt;&#60;i&#62;`, `</bdi></mark></p></div></option></select>`,
	"\u202Eabc\u2066def\u200F\u061C", "\x01\x1b[31m\x7f\u0085", "\uFFFD", "👩‍👩‍👧 🏳️‍🌈 🇨🇳", "ᄀᄀᄀ각ᆨᆨ", `{0} {1} {2}`, `%s %d %!v(MISSING)`, `=HYPERLINK("x")`, `${7*7}`, "‹slot›",
}

// nothingOf fails the test where something on the page came from evil. What stands there
// as text does no harm.
func (a *reply) nothingOf() {
	a.t.Helper()
	a.each(func(n *html.Node) {
		for _, at := range n.Attr {
			if at.Val == "pwned" {
				a.t.Errorf("%s: <%s %s=%q>", a.what, n.Data, at.Key, at.Val)
			}
			if strings.HasPrefix(strings.ToLower(strings.TrimSpace(at.Val)), "javascript:") && at.Key != "value" && at.Key != "content" {
				a.t.Errorf("%s: <%s %s=%q>", a.what, n.Data, at.Key, at.Val)
			}
		}
	})
}

func line(s string) string { return strings.Join(strings.Fields(clean(s)), " ") }

// Whatever people and complaints say, pages show it as text.
func TestPagesShowHostileTextAsText(t *testing.T) {
	o := newOffice(t)
	o.ready()
	ctx := t.Context()
	all := strings.Join(evil, " ")
	var lone string
	if err := json.Unmarshal([]byte(`"\ud800 \udc00x"`), &lone); err != nil {
		t.Fatal(err)
	}
	all += lone
	o.person("north", "evil", cutRunes(line(all), 190), bonafide.Roles...)
	person := o.north.People["all"]
	person.Name = cutRunes(line(all), 190)
	o.update(func(tx *store.Tx) error { return tx.SavePerson(ctx, person.Actor(), person) })
	me := o.signIn(person)

	// A ring of complaints in which every field is hostile.
	now := o.now()
	var ids []string
	cs := agency("<b>evil</b>", "", strings.ReplaceAll(playbookOne, "mother", "neighbour")+" "+all, "78333", 6, now.AddDate(0, 0, -100))
	for i := range cs {
		c := &cs[i]
		c.ID = cutRunes(fmt.Sprintf(`%d<img src=x class=pwned onerror=alert(4711)>"'/?#&%%3C`, i)+"\u202E\u200F", 120)
		c.Customer.Region, c.Customer.Name, c.Product, c.Channel = all, "Zed "+all, all, bonafide.Channel("other/"+all)
		if i%2 == 0 {
			c.Channel = bonafide.Channel(all)
		}
		c.Lang, c.Account, c.ExternalRef, c.Customer.IDNumber, c.Customer.Email, c.Customer.Vulnerable = `en"><img class=pwned>`, all, all, all, all, ""
		c.Demands, c.Documents = evil, []bonafide.Document{{Kind: all, Path: all, SHA256: strings.Repeat("ab", 32)}}
		c.Contacts = append(c.Contacts, bonafide.Identifier{Kind: bonafide.Handle, Value: all}, bonafide.Identifier{Kind: bonafide.Address, Value: all})
		c.Representative = &bonafide.Representative{Type: bonafide.RepUnknown, Name: all, Licence: all}
		ids = append(ids, c.ID)
	}
	o.submit("north", cs...)
	o.quiet()

	at := func(id string) string { return complaintAt(id) }
	for _, one := range []struct {
		to   string
		form url.Values
	}{
		{at(ids[0]) + "/move", url.Values{"verb": {"note"}, "version": {"1"}, "reason": {all}}},
		{at(ids[0]) + "/move", url.Values{"verb": {"withdraw"}, "version": {"2"}, "reason": {all}}},
		{at(ids[1]) + "/appeal", url.Values{"reason": {all}}},
		{"/inbox/filters", url.Values{"name": {`"><img class=pwned onerror=alert(4711)>`}, "query": {"view=all&state=<script>&channel=\"'>"}}},
		{"/templates/" + o.north.Template + "/public", url.Values{"name": {cutRunes(all, 110)}}},
		{"/admin/people", url.Values{"login": {"evil2"}, "name": {cutRunes(line(all), 190)}, "role": {"handler"}}},
		{"/admin/keys", url.Values{"name": {cutRunes(all, 90)}, "scope": {"complaints:read"}}},
		{"/policy/" + o.north.Policy + "/save", url.Values{"name": {cutRunes(all, 70)}, "text": {all}, "digest": {o.form(&o.north, "POST /policy/{id}/save").Get("digest")}}},
		{"/policy/copy", url.Values{"name": {cutRunes(all, 70)}, "from": {"program:"}}},
		{at(ids[2]) + "/reveal", url.Values{"purpose": {"law"}}},
		{at(ids[2]) + "/letter", url.Values{"kind": {o.k.Clocks.Letters("en")[0].Kind}, "reason": {all}, "materials": {all}}},
		{"/search", url.Values{"q": {cutRunes(all, 300)}, "kind": {"words"}}},
		{"/search", url.Values{"q": {"neighbour"}, "kind": {"words"}}},
		{"/search", url.Values{}},
		{"/confirm", url.Values{"password": {all}, "next": {all}}},
		{"/log/verify", nil},
		{"/quarantine/" + o.north.Row + "/mend", url.Values{"f0": {all}, "f1": {all}, "f2": {all}, "f3": {all}, "f4": {all}}},
	} {
		a := me.post(one.to, one.form)
		if a.Status >= 500 {
			t.Errorf("%s: %d %s", one.to, a.Status, a.says())
		}
		a.nothingOf()
	}
	file := last(me.upload("/import", `x"><img class=pwned onerror=alert(4711)>`+"\u202E.csv",
		`"id","text","<script>alert(4711)</script>","`+"\u202E"+`name","date"`+"\n"+strings.Repeat(`"`+strings.ReplaceAll(line(all), `"`, `""`)+`","`+strings.ReplaceAll(line(all), `"`, `""`)+`","<svg onload=alert(4711)>","<b>","<i>x"`+"\n", 8)).leads())
	me.get("/import/" + file).want(http.StatusOK).nothingOf()
	me.post("/import/"+file+"/start", url.Values{"version": {"1"}}).want(http.StatusSeeOther)
	o.quiet()
	decide, ring := url.Values{"verb": {"clear"}, "reason": {all}, "innocent": {all}}, ""
	o.view(func(tx *store.Tx) error {
		of, err := tx.RingsOf(ctx, "north", ids)
		if len(of[ids[0]]) > 0 {
			ring = of[ids[0]][0]
		}
		return err
	})
	if ring == "" {
		t.Fatal("the hostile complaints are no ring")
	}
	a := me.get("/rings/" + ring)
	a.nothingOf()
	if !strings.Contains(a.says(), "4711") {
		t.Error("the ring shows nothing hostile")
	}
	me.post("/rings/"+ring+"/decide", decide).want(http.StatusSeeOther)
	o.quiet()
	me.get("/dashboard")
	var row string
	o.view(func(tx *store.Tx) error {
		rows, err := tx.Quarantined(ctx, "north", store.QuarantineOpen, file, "", 1)
		if len(rows) > 0 {
			row = rows[0].ID
		}
		return err
	})
	time.Sleep(300 * time.Millisecond) // figures are made
	shows := map[string]bool{          // and whether something hostile has to stand there
		"/inbox?view=all": true, at(ids[0]): true, at(ids[1]): true, "/rings?state=cleared": false, "/rings/" + ring: true, "/appeals": true, "/templates": true, "/search": false, "/admin": true,
		"/policy": true, "/policy/" + o.north.Policy: false, "/import": true, "/import/" + file: true, "/quarantine": false, "/log": true, "/me": true, "/dashboard": true, "/help": false,
		"/compare?" + url.Values{"with": ids}.Encode(): true,
	}
	crowded := me.crowded(ring, ids[0], all)
	for _, at := range []string{"/cases/" + crowded, "/cases", "/adverts", "/cases?view=mine"} {
		shows[at] = at != "/cases?view=mine"
	}
	shows["/cases/new?"+url.Values{"ring": {ring}, "complaint": {ids[0]}}.Encode()] = true
	me.sends(crowded, "move", "move", "review", "innocent", all, "reason", all).want(http.StatusConflict).nothingOf()
	me.sends(crowded, "move", "move", "drop", "innocent", all, "reason", all).want(http.StatusSeeOther)
	if row != "" {
		shows["/quarantine/"+row] = true
	}
	for address, has := range shows {
		a := me.get(address).want(http.StatusOK)
		a.nothingOf()
		if got := strings.Contains(a.Body, "4711"); has && !got {
			t.Errorf("%s shows nothing hostile: %s", address, a.says())
		}
		part := me
		part.head.Set("X-Part", "1")
		part.get(address).nothingOf()
		part.head.Del("X-Part")
	}
	for _, tpl := range func() (out []string) {
		o.view(func(tx *store.Tx) error {
			heads, err := tx.TemplateHeads(ctx, "north", 50)
			for _, h := range heads {
				out = append(out, h.ID)
			}
			return err
		})
		return out
	}() {
		me.get("/templates/" + tpl).want(http.StatusOK).nothingOf()
	}
}

// A letter can be of any length and make; the page stays small, and quick enough.
func TestPagesStaySmall(t *testing.T) {
	o := newOffice(t)
	o.ready()
	me := o.signIn(o.north.People["all"])
	now := o.now()
	alternating := func(seed int) string { // shared and own words by turns: each needs its mark
		var b strings.Builder
		for i := range 9000 {
			fmt.Fprintf(&b, "共同文字%c %c%c", 0x4e00+i%4000, 0x4e00+(i*7+seed*13)%9000, 0x4e00+(i*11+seed*17)%9000)
		}
		return b.String()
	}
	letters := map[string]string{
		"one word": strings.Repeat("x", 200_000), "quotes": strings.Repeat(`"'<>&+`, 33_000), "combining": "e" + strings.Repeat("\u0301", 100_000), "emoji": strings.Repeat("👩‍👩‍👧", 10_000),
		"zalgo": strings.Repeat("z\u0335\u0321\u0352\u0489", 20_000), "lines": strings.Repeat("\n", 200_000), "alternating 1": alternating(1), "alternating 2": alternating(2), "alternating 3": alternating(3),
		"alternating 4": alternating(4), "fields": "short",
	}
	var with []string
	for name, letter := range letters {
		long := strings.Repeat(`<"&>`, 50_000)
		c := bonafide.Complaint{ID: "long " + name, Received: now.AddDate(0, 0, -300), Text: letter, Channel: "letter", Customer: bonafide.Customer{Ref: "longref" + name, Name: "Some One"}}
		if name == "fields" {
			c.Product, c.Lang, c.Channel, c.Account = long, long, bonafide.Channel(long), long
			c.Customer.Region, c.Customer.Name, c.Customer.Address, c.Customer.IDNumber, c.Customer.Email = long, long, long, long, long
			for range 300 {
				c.Demands, c.Documents = append(c.Demands, long[:4000]), append(c.Documents, bonafide.Document{Kind: long[:4000]})
				c.Contacts = append(c.Contacts, bonafide.Identifier{Kind: bonafide.Handle, Value: long[:4000]})
			}
		}
		o.submit("north", c)
		if name != "fields" && name != "lines" && name != "one word" {
			with = append(with, c.ID)
		}
	}
	o.quiet()
	slices.Sort(with)
	for name, letter := range letters {
		at := complaintAt("long " + name)
		began := time.Now()
		me.get(at).want(http.StatusOK)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s: %v", name, took)
		}
		a := me.get(at + "?part=999").want(http.StatusOK)
		if len([]rune(letter)) > letterPart && !strings.Contains(a.says(), "part ") {
			t.Errorf("%s: no word of parts: %s", name, cutRunes(a.says(), 200))
		}
		me.post(at+"/reveal", url.Values{"purpose": {"law"}}).want(http.StatusOK)
	}
	me.get("/compare?" + url.Values{"with": with[:8]}.Encode()).want(http.StatusOK)
	me.get("/inbox?view=all").want(http.StatusOK)
	me.post("/search", url.Values{}).want(http.StatusOK)
	me.get("/dashboard")
	time.Sleep(300 * time.Millisecond)
	me.get("/dashboard").want(http.StatusOK)
	heads := func() (out []store.TemplateRow) {
		o.view(func(tx *store.Tx) (err error) { out, err = tx.TemplateHeads(t.Context(), "north", 50); return err })
		return out
	}
	for _, h := range heads() {
		me.get("/templates/" + h.ID).want(http.StatusOK)
	}
}

var (
	bracketed = regexp.MustCompile(`⟦[^⟦⟧]*⟧`)
	dated     = regexp.MustCompile(`\b[0-9]{1,2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [0-9]{4}\b`)
	money     = regexp.MustCompile(`[0-9] [A-Z]{3}\b`)
)

// past returns what of a text stands outside of the catalogues.
func past(s string) string {
	for {
		next := bracketed.ReplaceAllString(s, "")
		if next == s {
			break
		}
		s = next
	}
	s = money.ReplaceAllString(dated.ReplaceAllString(s, ""), "")
	if !strings.ContainsFunc(s, unicode.IsLetter) {
		return ""
	}
	return strings.TrimSpace(s)
}

// In a made-up language every word of a page stands in brackets, but for data.
func TestEveryWordComesFromTheCatalogues(t *testing.T) {
	o := newOffice(t)
	o.ready()
	// Something of everything: a note, an extension, a decision, an appeal that was decided.
	id := o.north.Of1[0]
	me := o.signIn(o.north.People["all"])
	for i, form := range []url.Values{
		{"verb": {"register"}},
		{"verb": {"note"}, "reason": {"x"}},
		{"verb": {"assign"}, "assignee": {o.north.People["handler"].ID}},
		{"verb": {"extend"}, "reason": {"x"}},
		{"verb": {"check-authority"}},
		{"verb": {"investigate"}},
		{"verb": {"decide"}, "outcome": {"not-upheld"}, "reason": {"x"}},
		{"verb": {"notify"}},
	} {
		form.Set("version", fmt.Sprint(i+1))
		me.post("/complaints/"+id+"/move", form).want(http.StatusSeeOther)
	}
	me.post("/complaints/"+o.north.Of2[1]+"/move", url.Values{"verb": {"ask-extension"}, "reason": {"x"}, "version": {"1"}, "clock": {""}})
	me.post("/complaints/"+id+"/appeal", url.Values{"reason": {"x"}, "ring": {o.north.Ring1}}).want(http.StatusSeeOther)
	me.post("/rings/"+o.north.Ring1+"/decide", o.form(&o.north, "POST /rings/{id}/decide")).want(http.StatusSeeOther)
	o.signIn(o.north.People["reviewer"]).post("/appeals/"+o.north.Appeal, url.Values{"verdict": {"rejected"}, "reason": {"x"}}).want(http.StatusSeeOther)
	me.post("/policy/"+o.north.Policy+"/approve", o.form(&o.north, "POST /policy/{id}/approve")).want(http.StatusSeeOther)
	crowded := me.crowded(o.north.Ring1, id, "x")
	me.sends(crowded, "move", "move", "preserve").want(http.StatusSeeOther)
	o.quiet()
	o.speaks(o.north.People["all"], pseudo)
	me = o.signIn(o.north.People["all"])
	me.get("/dashboard")
	o.quiet()
	time.Sleep(300 * time.Millisecond)

	var pages []*reply
	for _, pattern := range o.patterns(http.MethodGet) {
		if pattern != "GET /live" && pattern != "GET /confirm/{token}" && !strings.Contains(pattern, "oidc") && !strings.Contains(pattern, "/month.") {
			_, at := o.north.fill(pattern)
			pages = append(pages, me.get(at))
		}
	}
	for _, at := range []string{
		"/inbox?view=all", "/inbox?view=due", "/inbox?view=unassigned", "/complaints/" + id, "/complaints/NCANARY", "/complaints/" + o.north.Alone, "/rings?state=confirmed", "/rings?state=cleared", "/rings?state=merged",
		"/rings?state=dissolved", "/rings/" + o.north.Ring1, "/appeals?state=rejected", "/appeals?state=upheld", "/import/" + o.north.Read, "/complaints/none", "/log?before=50", "/inbox?done=taken", "/admin?done=saved",
		"/quarantine?import=" + o.north.Read, "/inbox?state=nonsense",
		"/cases/" + crowded, "/cases?view=mine", "/cases?view=closed", "/cases?figure=pushed", "/cases?figure=exit.judgment", "/cases?stage=preserving", "/cases/new?ring=" + o.north.Ring1, "/month?m=2026-01", "/cases/none", "/rings/" + o.north.Ring2,
	} {
		pages = append(pages, me.get(at))
	}
	for _, pattern := range []string{"POST /complaints/{id}/reveal", "POST /complaints/{id}/letter", "POST /search", "POST /admin/keys", "POST /admin/people", "POST /log/verify", "POST /complaints/{id}/extension", "POST /policy/{id}/approve", "POST /import"} {
		_, at := o.north.fill(pattern)
		pages = append(pages, me.post(at, o.form(&o.north, pattern)))
	}
	for _, form := range []url.Values{
		{"q": {"short"}, "kind": {"passage"}}, {"q": {"12345678901"}, "kind": {"phone"}}, {"q": {"0000"}, "kind": {"phone"}}, {"q": {cutRunes(playbookTwo, 300)}, "kind": {"passage"}}, {"q": {"zzzzz"}}, {"kind": {"any"}, "channel": {"letter"}},
	} {
		pages = append(pages, me.post("/search", form))
	}
	pages = append(pages, me.sends(crowded, "move", "move", "review", "innocent", "x"), me.changes(crowded, "note"), me.takeIn(crowded, "x", "x", map[string]string{"tool": ""}))
	pages = append(pages,
		me.post("/policy/"+o.north.Policy+"/save", url.Values{"name": {"x"}, "text": {"what?"}, "digest": {"x"}}), me.post("/confirm", url.Values{"password": {"x"}}),
		me.post("/quarantine/"+o.north.Row+"/mend", url.Values{"f4": {"another day"}}), me.post("/complaints/"+id+"/reveal", nil),
	)
	o.later(31 * time.Minute) // too old to change people
	me = o.signIn(o.north.People["all"])
	o.later(16 * time.Minute)
	pages = append(pages, me.post("/admin/settings", url.Values{"retention": {"0"}}))

	seen := 0
	for _, a := range pages {
		if a.Doc == nil || a.Status == http.StatusSeeOther {
			if a.Status < 300 || a.Status >= 400 {
				t.Errorf("%s: %d, and no page: %s", a.what, a.Status, a.Body)
			}
			continue
		}
		seen++
		a.each(func(n *html.Node) {
			switch {
			case n.Type == html.TextNode && !within(n, "bdi", "kbd", "textarea", "option", "script", "style", "noscript") && !untranslated(n):
				s := n.Data
				if n.Parent.Data == "title" {
					s = strings.ReplaceAll(s, "bonafide", "")
					if n.Parent.Parent.Data != "head" || strings.Contains(a.what, "/complaints/") || strings.Contains(a.what, "/rings/") || strings.Contains(a.what, "/templates/") || strings.Contains(a.what, "/policy/") {
						return // of a dot of the picture, or with an id
					}
				}
				if got := past(s); got != "" {
					t.Errorf("%s: %q stands in <%s> past the catalogues", a.what, got, n.Parent.Data)
				}
			case n.Type == html.ElementNode:
				for _, key := range []string{"aria-label", "placeholder", "alt", "label", "data-command"} {
					if got := past(attr(n, key)); got != "" {
						t.Errorf("%s: %s=%q of <%s> past the catalogues", a.what, key, got, n.Data)
					}
				}
			}
		})
	}
	if seen < 50 {
		t.Errorf("only %d pages", seen)
	}
}

// untranslated reports whether a text stands in what is not translated.
func untranslated(n *html.Node) bool {
	for p := n.Parent; p != nil; p = p.Parent {
		if attr(p, "translate") == "no" {
			return true
		}
	}
	return false
}
