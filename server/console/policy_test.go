package console

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"bonafide"
	"bonafide/engine"
	"bonafide/internal/synth"
	"bonafide/policy"
	"bonafide/store"
)

// crowd hands in a made-up world and waits until it is grouped.
func (h *house) crowd() {
	h.t.Helper()
	w := synth.New(synth.Config{Seed: 11, Size: 400, Lang: "en", Ease: 0.8})
	subs := make([]engine.Submission, len(w.Complaints))
	for i := range w.Complaints {
		subs[i].Complaint = &w.Complaints[i]
	}
	if _, err := h.eng.Submit(h.t.Context(), houseTenant, bonafide.System("test"), subs); err != nil {
		h.t.Fatal(err)
	}
	h.wait("somebody is proposed above information", func() bool { return h.accused() > 0 && !h.pending("cluster", "") })
}

func (h *house) pending(kind, arg string) (pending bool) {
	h.t.Helper()
	h.view(func(tx *store.Tx) (err error) {
		pending, err = tx.Pending(h.t.Context(), houseTenant, kind, arg)
		return err
	})
	return pending
}

// accused counts the complaints that stand above information.
func (h *house) accused() (n int) {
	h.t.Helper()
	h.view(func(tx *store.Tx) error {
		n = 0
		all, err := tx.Verdicts(h.t.Context(), houseTenant, "", 0)
		for _, v := range all {
			if bonafide.Level(v.Level).Accuses() {
				n++
			}
		}
		return err
	})
	return n
}

func (h *house) policy(id string) (row store.PolicyRow, body store.PolicyBody) {
	h.t.Helper()
	h.view(func(tx *store.Tx) (err error) {
		if row, err = tx.Policy(h.t.Context(), houseTenant, id); err != nil {
			return err
		}
		body = store.PolicyBody{}
		return readJSON(row.Body, &body)
	})
	return row, body
}

// lenient is a pack's text in which no rule asks for more than information.
func lenient(text string) string {
	return regexp.MustCompile(`(?m)^level = "(level-[12]|individual)"`).ReplaceAllString(text, `level = "information"`)
}

func TestPolicyFromCopyToForce(t *testing.T) {
	h := newHouse(t)
	one, two := h.sign("cleo", bonafide.RoleCompliance), h.sign("dora", bonafide.RoleCompliance)
	h.crowd()
	before := h.accused()

	one.get("/policy").shows(t, "The policy in force", "from the program's settings", "K06", "NIFA guide 2024, level 1: false identity", `complaint.forged > 0 || "K02" in complaint.verified`, "the spouse speaks")
	to := one.post("/policy/copy", url.Values{"from": {"builtin:nifa-2024"}, "name": {"Lenient"}}).ok(t)
	id := lastOf(to)
	row, body := h.policy(id)
	if row.State != store.PolicyDraft || body.Basis != "nifa-2024 2024.1" || !strings.Contains(row.Text, `version = "2024.1+`) {
		t.Fatalf("copy is %s of %q: %.900s", row.State, body.Basis, row.Text)
	}
	digest := func() string { row, _ := h.policy(id); return store.PolicyDigest(row.Text) }

	// What cannot be read is shown again, and not kept.
	was := digest()
	wrong := one.post(to+"/save", url.Values{"digest": {was}, "name": {"Lenient"}, "text": {strings.Replace(row.Text, "complaint.forged > 0", "complaint.forged >", 1) + "\n# mine"}})
	if wrong.status != http.StatusUnprocessableEntity || digest() != was {
		t.Fatalf("a broken text: %d", wrong.status)
	}
	wrong.shows(t, "the text is no policy pack", "rule K02: condition", "# mine")
	failing := one.post(to+"/save", url.Values{"digest": {was}, "name": {"Lenient"}, "text": {strings.Replace(row.Text, "complaint.forged > 0", "complaint.forged > 5", 1)}})
	if failing.status != http.StatusUnprocessableEntity || digest() != was {
		t.Fatalf("a failing text: %d", failing.status)
	}
	failing.shows(t, "the pack fails its own test cases", "the issuer denies the paper", "complaint.forged > 5")

	// Nobody approves what was not tried.
	approve := func(g *guest) houseAnswer {
		return g.post(to+"/approve", url.Values{"digest": {digest()}, "reason": {"fewer of our customers are asked twice"}})
	}
	if a := approve(one); a.status != http.StatusConflict {
		t.Fatalf("approved without a back-test: %d", a.status)
	}
	one.get(to).shows(t, "Try it on all complaints first")

	one.post(to+"/save", url.Values{"digest": {was}, "name": {"Lenient"}, "text": {strings.ReplaceAll(lenient(row.Text), "\n", "\r\n")}}).ok(t)
	if row, _ := h.policy(id); row.Text != lenient(row.Text) || digest() == was {
		t.Fatal("the text was not kept")
	}
	if stale := two.post(to+"/save", url.Values{"digest": {was}, "name": {"Lenient"}, "text": {row.Text + "# from two"}}); stale.status != http.StatusConflict || !strings.Contains(stale.body, "# from two") {
		t.Errorf("a stale text: %d, or it was lost", stale.status)
	}

	test := func() {
		t.Helper()
		one.post(to+"/backtest", nil).ok(t)
		h.wait("the policy was tried", func() bool { return !h.pending("backtest", id) })
	}
	test()
	page := one.get(to)
	page.shows(t, "Tried on the complaints of today", "nifa-2024 2024.1", "would be graded otherwise", `href="/complaints/`)
	_, body = h.policy(id)
	var report policy.Comparison
	if err := readJSON(body.Backtest, &report); err != nil {
		t.Fatal(err)
	}
	if report.Changed < before || report.Digest != digest() {
		t.Fatalf("%d changes of %d accused", report.Changed, before)
	}
	if h.accused() != before {
		t.Error("trying a policy changed something")
	}

	// In shadow it grades beside the one in force, without effect.
	one.post(to+"/shadow", url.Values{"digest": {digest()}, "on": {"yes"}}).ok(t)
	h.wait("the shadow has a report", func() bool { _, b := h.policy(id); return len(b.Shadow) > 0 })
	one.get(to).shows(t, "In shadow, at the last grouping")
	if h.accused() != before {
		t.Error("a policy in shadow changed something")
	}
	one.post(to+"/shadow", url.Values{"digest": {digest()}, "on": {"no"}}).ok(t)

	// One person is not enough, and the same person twice is one.
	if a := one.post(to+"/approve", url.Values{"digest": {digest()}}); a.status != http.StatusUnprocessableEntity {
		t.Errorf("approved without a reason: %d", a.status)
	}
	approve(one).ok(t)
	if row, _ := h.policy(id); row.State != store.PolicyDraft {
		t.Fatalf("after one approval it is %s", row.State)
	}
	if a := approve(one); a.status != http.StatusForbidden {
		t.Fatalf("the same person again: %d", a.status)
	}
	// A change of the text voids the approval, and the back-test too.
	row, _ = h.policy(id)
	one.post(to+"/save", url.Values{"digest": {digest()}, "name": {"Lenient"}, "text": {row.Text + "\n# a word more\n"}}).ok(t)
	if a := approve(two); a.status != http.StatusConflict {
		t.Fatalf("approved another text than was tried: %d", a.status)
	}
	test()
	approve(two).ok(t)
	if row, _ := h.policy(id); row.State != store.PolicyDraft {
		t.Fatal("an approval of another text counted")
	}
	approve(one).ok(t)
	if row, _ := h.policy(id); row.State != store.PolicyPromoted {
		t.Fatalf("after two approvals it is %s", row.State)
	}
	h.wait("nobody is proposed above information", func() bool { return h.accused() == 0 })
	one.get("/policy").shows(t, "your own, approved by two people")
	if a := one.post(to+"/save", url.Values{"digest": {digest()}, "name": {"x"}, "text": {row.Text}}); a.status != http.StatusConflict {
		t.Errorf("changed while in force: %d", a.status)
	}
	if a := approve(two); a.status != http.StatusConflict {
		t.Errorf("approved while in force: %d", a.status)
	}

	// Back to the built-in pack by its copy; the one before retires.
	to = one.post("/policy/copy", url.Values{"from": {"program:"}, "name": {"As it was"}}).ok(t)
	old := id
	id = lastOf(to)
	test()
	approve(one).ok(t)
	approve(two).ok(t)
	if row, _ := h.policy(old); row.State != store.PolicyRetired {
		t.Errorf("the one before is %s", row.State)
	}
	h.wait("everything is proposed as before", func() bool { return h.accused() == before })
}

func TestPolicyNeedsItsScopes(t *testing.T) {
	h := newHouse(t)
	one, reader, handler := h.sign("cleo", bonafide.RoleCompliance), h.sign("ivo", bonafide.RoleInvestigator), h.sign("hana", bonafide.RoleHandler)
	to := one.post("/policy/copy", url.Values{"from": {"builtin:us-regv"}, "name": {"Mine"}}).ok(t)
	if a := handler.get("/policy"); a.status != http.StatusForbidden {
		t.Errorf("a handler reads policies: %d", a.status)
	}
	page := reader.get(to)
	page.shows(t, "Mine", "The text of the policy")
	page.hides(t, "<textarea", "Check and save")
	for _, verb := range []string{"save", "backtest", "shadow", "approve"} {
		if a := reader.post(to+"/"+verb, url.Values{"reason": {"x"}, "digest": {"x"}}); a.status != http.StatusForbidden {
			t.Errorf("%s without policy:write: %d", verb, a.status)
		}
	}
	if a := reader.post("/policy/copy", url.Values{"from": {"builtin:us-regv"}, "name": {"x"}}); a.status != http.StatusForbidden {
		t.Errorf("copy without policy:write: %d", a.status)
	}
	for _, form := range []url.Values{{"from": {"builtin:none"}, "name": {"x"}}, {"from": {"own:none"}, "name": {"x"}}, {"from": {"x"}, "name": {"x"}}, {"from": {"program:"}, "name": {" "}}} {
		if a := one.post("/policy/copy", form); a.status != http.StatusNotFound && a.status != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", form, a.status)
		}
	}
	// The store holds what the page asks for: nothing comes into force without two people.
	row, body := h.policy(lastOf(to))
	_ = body
	row.State, row.Version = store.PolicyPromoted, row.Version+1
	err := h.db.Update(t.Context(), func(tx *store.Tx) error {
		return tx.SavePolicy(t.Context(), houseTenant, one.person.Actor(), row, "promoted")
	})
	if !errors.Is(err, bonafide.Denied) {
		t.Errorf("promoted without approvals: %v", err)
	}
}
