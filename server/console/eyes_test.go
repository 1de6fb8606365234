package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"bonafide"
	"bonafide/store"
)

// Two people confirm what is gravest; the forms cannot name the second.
func TestFourEyes(t *testing.T) {
	o := newOffice(t)
	o.ready()
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
	o.ready()
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
