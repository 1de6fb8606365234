package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"bonafide"
	"bonafide/casework"
	"bonafide/store"
)

// wipe takes away every verdict, tag and ring of a lender.
func (o *office) wipe(tenant bonafide.Tenant) (verdicts, tags, rings int) {
	o.t.Helper()
	ctx, by := o.t.Context(), bonafide.System("test")
	o.update(func(tx *store.Tx) error {
		vs, err := tx.Verdicts(ctx, tenant, "", 0)
		if err != nil {
			return err
		}
		var drop, ids []string
		for _, v := range vs {
			drop = append(drop, v.Complaint)
		}
		gs, err := tx.Tags(ctx, tenant, store.TagFilter{State: store.TagLive})
		if err != nil {
			return err
		}
		for _, g := range gs {
			ids = append(ids, g.ID)
		}
		rs, err := tx.Rings(ctx, tenant, "", "", 0)
		if err != nil {
			return err
		}
		for i := range rs {
			rs[i].State, rs[i].Members, rs[i].Size = string(bonafide.RingIsNoLonger), nil, 0
		}
		verdicts, tags, rings = len(drop), len(ids), len(rs)
		return errors.Join(tx.SaveVerdicts(ctx, tenant, by, nil, drop), tx.RemoveTags(ctx, tenant, by, ids, "wiped"), tx.SaveRings(ctx, tenant, by, rs))
	})
	return verdicts, tags, rings
}

// Safeguard 1 on the page: the lists that people work through are the same, byte by byte,
// with and without everything that is suspected.
func TestInboxDoesNotReadSuspicion(t *testing.T) {
	o := newOffice(t)
	o.ready()
	// Some are handled, a ring is confirmed and its members are tagged.
	investigator, second := o.signIn(o.north.People["investigator"]), o.signIn(o.north.People["second"])
	for i, id := range append(o.north.Of1[:3:3], o.north.Of2[0], o.north.Alone) {
		c := []*client{investigator, second}[i%2]
		c.post("/complaints/"+id+"/take", url.Values{"version": {"1"}}).want(http.StatusSeeOther)
		if i%2 == 0 {
			c.post("/complaints/"+id+"/move", url.Values{"version": {"2"}, "verb": {"register"}}).want(http.StatusSeeOther)
		}
	}
	for _, c := range []*client{investigator, second} {
		c.post("/rings/"+o.north.Ring1+"/decide", url.Values{"verb": {"confirm"}, "reason": {"one paper"}, "innocent": {"no family"}}).want(http.StatusSeeOther)
	}
	o.quiet()
	o.still.Store(o.now().UnixMicro()) // days left do not change meanwhile
	var addresses []string
	for _, view := range append(inboxViews, "") {
		for _, state := range append([]casework.State{""}, casework.States...) {
			addresses = append(addresses, "/inbox?"+url.Values{"view": {view}, "state": {string(state)}}.Encode())
		}
		for _, channel := range channels {
			addresses = append(addresses, "/inbox?"+url.Values{"view": {view}, "channel": {channel}}.Encode())
		}
	}
	read := func() map[string]string {
		out := map[string]string{}
		for _, who := range []string{"handler", "investigator", "second", "reviewer"} {
			c := o.signIn(o.north.People[who])
			for _, at := range addresses {
				out[who+" "+at] = c.get(at).want(http.StatusOK).Body
			}
			for at, n := "/inbox?view=all", 0; at != ""; n++ { // all pages of the longest list
				a := c.get(at).want(http.StatusOK)
				out[who+" "+at] = a.Body
				at = next(a)
				if n > 20 {
					t.Fatal("the list does not end")
				}
			}
		}
		return out
	}
	before := read()
	verdicts, tags, rings := o.wipe("north")
	if verdicts < 10 || tags < 5 || rings < 2 {
		t.Fatalf("nothing was suspected: %d verdicts, %d tags, %d rings", verdicts, tags, rings)
	}
	after := read()
	if len(before) != len(after) {
		t.Errorf("%d lists, then %d", len(before), len(after))
	}
	for at, page := range before {
		if after[at] != page {
			i := 0
			for i < min(len(page), len(after[at])) && page[i] == after[at][i] {
				i++
			}
			t.Errorf("%s differs from byte %d on: %.120q and %.120q", at, i, page[i:], after[at][min(i, len(after[at])):])
		}
	}
}

// next is where a list goes on; "" on its last page.
func next(a *reply) (at string) {
	a.each(func(n *html.Node) {
		if n.Data == "a" && attr(n, "data-key") == "n" {
			at = attr(n, "href")
		}
	})
	return at
}

// A list is walked through page by page, and shows each complaint once, what is due first
// at the top; filters that are saved are what they were when they were saved.
func TestInboxPagesAndFilters(t *testing.T) {
	o := newOffice(t)
	o.ready()
	me := o.signIn(o.north.People["handler"])
	seen := map[string]bool{}
	last, pages := "", 0
	for at := "/inbox?view=all"; at != ""; pages++ {
		a := me.get(at).want(http.StatusOK)
		n := 0
		a.each(func(x *html.Node) {
			if id := attr(x, "data-id"); id != "" {
				if seen[id] {
					t.Errorf("%s stands twice", id)
				}
				seen[id], n = true, n+1
			}
			if x.Data == "time" && within(x, "td") && x.Parent.Data == "span" {
				if due := attr(x, "datetime"); due < last {
					t.Errorf("%s stands behind %s", due, last)
				} else {
					last = due
				}
			}
		})
		if at = next(a); n == 0 || n < pageRows && at != "" || pages > 10 {
			t.Fatalf("page %d: %d rows, next %q", pages, n, at)
		}
	}
	o.view(func(tx *store.Tx) error {
		rows, err := tx.Tracks(t.Context(), "north", store.TrackFilter{})
		if len(rows) != len(seen) || len(rows) < 3*pageRows {
			t.Errorf("%d are open and %d stand in the list", len(rows), len(seen))
		}
		return err
	})
	me.post("/inbox/filters", url.Values{"name": {"Portal & co"}, "query": {"channel=portal&view=all"}}).want(http.StatusSeeOther)
	a, saved := me.get("/inbox"), ""
	a.each(func(n *html.Node) {
		if n.Data == "a" && n.FirstChild != nil && n.FirstChild.Data == "bdi" && n.FirstChild.FirstChild.Data == "Portal & co" {
			saved = attr(n, "href")
		}
	})
	a = me.get(saved).want(http.StatusOK)
	rows := 0
	a.each(func(n *html.Node) {
		if attr(n, "data-id") != "" {
			rows++
		}
		if n.Data == "a" && attr(n, "href") == saved && attr(n, "aria-current") != "page" {
			t.Error("the saved list is not marked as the one that is shown")
		}
	})
	if rows == 0 || strings.Contains(a.says(), "Hotline |  | Norwich") {
		t.Errorf("%q shows %d rows", saved, rows)
	}
	me.post("/inbox/filters", url.Values{"name": {"Portal & co"}, "query": {""}}).want(http.StatusSeeOther)
	if strings.Contains(me.get("/inbox").Body, "Portal") {
		t.Error("it is not forgotten")
	}
	for _, bad := range []url.Values{{"name": {""}, "query": {"view=all"}}, {"name": {strings.Repeat("x", 61)}, "query": {"view=all"}}, {"name": {"x"}, "query": {"view=all&next=//evil.example"}}, {"name": {"x"}, "query": {"%zz"}}, {"name": {"x"}, "query": {"state=" + strings.Repeat("x", 400)}}} {
		me.post("/inbox/filters", bad).want(http.StatusUnprocessableEntity)
	}
}

// Lenders write what they like into an id. Each such complaint is reached by the links of
// every list, and what is done with it leads back to it.
func TestAnyIDIsReached(t *testing.T) {
	o := newOffice(t)
	o.ready()
	me := o.signIn(o.north.People["all"])
	ids := []string{"2024/0017", "银保监诉〔2024〕12号", "a?b=c", "100%", "x#y", "a b+c", "%2F", `q"uote'`, "a&b", "<b>", "~._-", "a;b", "%3Cscript%3E", "a\\b", "=1+1"}
	now := o.now()
	for i, id := range ids {
		c := strangers("ids", "", 1, now.AddDate(0, 0, -200).Add(time.Duration(i)*time.Hour))[0]
		c.ID, c.Customer = id, bonafide.Customer{Ref: "idref" + id, Name: "Some One", Region: "ids"}
		o.submit("north", c)
	}
	o.quiet()
	links := map[string]string{}
	me.get("/inbox?view=all").want(http.StatusOK).each(func(n *html.Node) {
		if n.Data == "tr" && attr(n, "data-id") != "" {
			links[attr(n, "data-id")] = attr(n, "data-href")
		}
		if n.Data == "a" && n.Parent.Data == "th" && attr(n.Parent.Parent, "data-href") != attr(n, "href") {
			t.Errorf("the link %s of the row %s", attr(n, "href"), attr(n.Parent.Parent, "data-href"))
		}
	})
	for _, id := range ids {
		at := links[id]
		if at == "" {
			t.Errorf("%s stands in no list", id)
			continue
		}
		a := me.get(at)
		if a.Status != http.StatusOK || !strings.Contains(html.UnescapeString(a.Body), "<bdi>"+id+"</bdi>") {
			t.Errorf("%s at %s: %d", id, at, a.Status)
			continue
		}
		actions := 0
		a.each(func(n *html.Node) {
			if to := attr(n, "action"); n.Data == "form" && strings.HasPrefix(to, "/complaints/") {
				if actions++; !strings.HasPrefix(to, at+"/") {
					t.Errorf("%s: a form goes to %s", id, to)
				}
			}
		})
		if actions < 4 {
			t.Errorf("%s: %d forms", id, actions)
		}
		to := me.post(at+"/take", url.Values{"version": {"1"}}).leads()
		if to != at+"?done=taken" {
			t.Errorf("%s: taken, and led to %s, not %s", id, to, at)
		}
		me.get(to).want(http.StatusOK)
		if a := me.post(at+"/reveal", url.Values{"purpose": {"law"}}).want(http.StatusOK); !strings.HasSuffix(a.Header.Get("Refresh"), "url="+at) {
			t.Errorf("%s: hidden again at %s", id, a.Header.Get("Refresh"))
		}
		a = me.post(at+"/take", url.Values{"version": {"1"}}).want(http.StatusConflict)
		a.each(func(n *html.Node) {
			if n.Data == "a" && attr(n, "rel") == "up" && attr(n, "href") != at {
				t.Errorf("%s: the error page leads back to %s", id, attr(n, "href"))
			}
		})
		if to := me.post("/search", url.Values{"q": {id}}).leads(); to != at {
			t.Errorf("%s: found at %s", id, to)
		}
	}
}
