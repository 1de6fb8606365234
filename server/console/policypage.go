package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"bonafide"
	"bonafide/policy"
	"bonafide/store"
)

// A policy proposes, and people change it in the open: a copy is edited, tried on all
// complaints beside the one in force, and comes into force when two people approved its
// very text.

// policiesPage shows the policy in force and those that could be.
type policiesPage struct {
	Pack    *policy.Pack // in force
	Program *policy.Pack // in force where the tenant has none of its own
	Own     string       // id of the tenant's policy that is in force; "" where it is the program's
	Broken  bool         // that one can no longer be read, so the program's holds
	Rows    []policyHead
	Builtin []*policy.Pack
}

type policyHead struct {
	store.PolicyRow
	Who      string
	Basis    string
	Approved int
	Tested   bool
}

func (k *Console) policies(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx := r.Context()
	page := policiesPage{Pack: k.Policy, Program: k.Policy}
	err := k.Store.View(ctx, func(tx *store.Tx) error {
		page.Rows = nil
		rows, err := tx.Policies(ctx, who.tenant, "")
		if err != nil {
			return err
		}
		names, err := k.actors(ctx, tx, who.tenant)
		if err != nil {
			return err
		}
		for _, row := range rows {
			h := policyHead{PolicyRow: row, Who: nameOf(names, row.Author)}
			var body store.PolicyBody
			if err := readJSON(row.Body, &body); err != nil {
				return err
			}
			h.Basis, h.Approved, h.Tested = body.Basis, len(approvers(body, row.Text)), tested(body, row.Text)
			page.Rows = append(page.Rows, h)
			if row.State == store.PolicyPromoted {
				page.Own = row.ID
				p, err := policy.Parse(row.Name, []byte(row.Text))
				if page.Broken = err != nil; !page.Broken {
					page.Pack = p
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range policy.List() {
		p, err := policy.Load(id)
		if err != nil {
			return err
		}
		page.Builtin = append(page.Builtin, p)
	}
	return k.ok(w, r, who, "policies", page)
}

// approvers are those who approved a policy's text as it stands.
func approvers(b store.PolicyBody, text string) []string {
	var by []string
	for _, a := range b.Approvals {
		if a.Digest == store.PolicyDigest(text) && !slices.Contains(by, a.By) {
			by = append(by, a.By)
		}
	}
	return by
}

// tested reports whether the text as it stands was tried on the complaints.
func tested(b store.PolicyBody, text string) bool {
	c := comparisonOf(b.Backtest)
	return c != nil && c.Problem == "" && c.Digest == store.PolicyDigest(text)
}

// comparisonOf reads a report; nil where there is none.
func comparisonOf(b json.RawMessage) *policy.Comparison {
	var c policy.Comparison
	if len(b) == 0 || json.Unmarshal(b, &c) != nil || c.Digest == "" {
		return nil
	}
	return &c
}

// policyPage shows one policy of the tenant.
type policyPage struct {
	store.PolicyRow
	Who       string
	Digest    string // of the text stored
	Basis     string
	Pack      *policy.Pack // nil where the text cannot be read
	Draft     string       // the text in the form
	DraftName string
	Problem   string // of the form
	Detail    string // of the program that reads packs, in English
	Failures  []policy.Failure
	Approvals []approval
	Mine      bool // the visitor approved it
	Tested    bool
	Running   bool
	Reports   []report
	Open      bool // it can be changed
}

// approval is one with a name.
type approval struct {
	store.Approval
	Who   string
	Holds bool // it is of the text as it stands
}

// report is a comparison on the page.
type report struct {
	Kind string // backtest or shadow
	policy.Comparison
	Old bool // of another text than the one that stands
}

// Gap is by how many a count changes, with its sign.
func (report) Gap(c policy.LevelCount) int { return c.Then - c.Today }

func (k *Console) onePolicy(w http.ResponseWriter, r *http.Request, who *visit) error {
	page, err := k.readPolicy(r, who)
	if err != nil {
		return err
	}
	return k.ok(w, r, who, "policy", page)
}

func (k *Console) readPolicy(r *http.Request, who *visit) (*policyPage, error) {
	ctx, id := r.Context(), r.PathValue("id")
	if !bonafide.ValidID(id) {
		return nil, errNoPolicy
	}
	page := &policyPage{}
	err := k.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		page.Approvals = nil
		if page.PolicyRow, err = tx.Policy(ctx, who.tenant, id); err != nil {
			return err
		}
		names, err := k.actors(ctx, tx, who.tenant)
		if err != nil {
			return err
		}
		page.Who = nameOf(names, page.Author)
		var body store.PolicyBody
		if err := readJSON(page.Body, &body); err != nil {
			return err
		}
		page.Digest, page.Basis = store.PolicyDigest(page.Text), body.Basis
		for _, a := range body.Approvals {
			page.Approvals = append(page.Approvals, approval{a, nameOf(names, a.By), a.Digest == page.Digest})
			page.Mine = page.Mine || a.Digest == page.Digest && a.By == who.actor.ID
		}
		page.Tested = tested(body, page.Text)
		page.Reports = nil
		for _, one := range []struct {
			kind string
			body json.RawMessage
		}{{"backtest", body.Backtest}, {"shadow", body.Shadow}} {
			if c := comparisonOf(one.body); c != nil {
				page.Reports = append(page.Reports, report{one.kind, *c, c.Digest != page.Digest})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	page.Draft, page.DraftName = page.Text, page.Name
	page.Open = page.State == store.PolicyDraft || page.State == store.PolicyShadow
	page.Pack, _ = policy.Parse(page.Name, []byte(page.Text)) // nil for a pack of another version of the program
	page.Running, err = k.Grader.Testing(ctx, who.tenant, id)
	return page, err
}

// The refusals of these pages.
var (
	errNoPolicy     = &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no policy"}
	errPolicyClosed = &bonafide.Error{Kind: bonafide.Conflict, Msg: "a policy that is or was in force is not changed: copy it"}
	errPolicyText   = &bonafide.Error{Kind: bonafide.Conflict, Msg: "somebody else changed the text meanwhile: look at it again"}
	errUntested     = &bonafide.Error{Kind: bonafide.Conflict, Msg: "try the policy on the complaints first: an approval is of a text whose effect is known"}
	errApproved     = &bonafide.Error{Kind: bonafide.Denied, Msg: "you approved it already: a second person has to"}
	errPolicyName   = &bonafide.Error{Kind: bonafide.Invalid, Msg: "a policy needs a name of 1 to 80 characters"}
)

// policyName reads a name from a form.
func policyName(r *http.Request) (string, error) {
	name := strings.Join(strings.Fields(clean(r.PostFormValue("name"))), " ")
	if n := utf8.RuneCountInString(name); n == 0 || n > 80 {
		return "", errPolicyName
	}
	return name, nil
}

// packVersion is the line of a pack's text that says its version.
var packVersion = regexp.MustCompile(`(?m)^version\s*=\s*"([^"+]*)(?:\+[^"]*)?"`)

// copyPolicy makes a draft of a built-in pack, of the one in force, or of another of the
// tenant's policies.
func (k *Console) copyPolicy(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx := r.Context()
	name, err := policyName(r)
	if err != nil {
		return err
	}
	text := ""
	switch kind, id, _ := strings.Cut(r.PostFormValue("from"), ":"); kind {
	case "program":
		text = k.Policy.Text()
	case "builtin":
		p, err := policy.Load(id)
		if err != nil {
			return errNoPolicy
		}
		text = p.Text()
	case "own":
		err := k.Store.View(ctx, func(tx *store.Tx) error {
			row, err := tx.Policy(ctx, who.tenant, id)
			text = row.Text
			return err
		})
		if err != nil {
			return err
		}
	default:
		return errNoPolicy
	}
	now := k.Now().UTC()
	row := store.PolicyRow{ID: k.Store.NewID(), Name: name, State: store.PolicyDraft, Author: who.actor.ID, Created: now, Updated: now, Version: 1}
	// Results quote a pack's version, so that it tells a copy from what it was copied from.
	row.Text = packVersion.ReplaceAllString(text, `version = "${1}+`+strings.ToLower(shortID(row.ID))+`"`)
	from, err := policy.Parse(name, []byte(text))
	if err != nil {
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: "this policy can no longer be read: copy a built-in one", Err: err}
	}
	if row.Body, err = json.Marshal(store.PolicyBody{Basis: from.Name()}); err != nil {
		return fmt.Errorf("write policy: %w", err)
	}
	if err := k.Store.Update(ctx, func(tx *store.Tx) error { return tx.SavePolicy(ctx, who.tenant, who.actor, row, "copied") }); err != nil {
		return err
	}
	return done(w, r, "/policy/"+row.ID, "policy-copied")
}

// savePolicy changes a draft. What cannot be read, or fails its own test cases, is not
// kept; the page shows it again.
func (k *Console) savePolicy(w http.ResponseWriter, r *http.Request, who *visit) error {
	page, err := k.readPolicy(r, who)
	if err != nil {
		return err
	}
	page.Draft = strings.ReplaceAll(r.PostFormValue("text"), "\r\n", "\n")
	page.DraftName = clean(r.PostFormValue("name"))
	name, err := policyName(r)
	status := http.StatusUnprocessableEntity
	if err == nil {
		err = page.check()
	}
	if err == nil && page.Problem == "" {
		err = k.changePolicy(r, who, "saved", func(row *store.PolicyRow, body *store.PolicyBody) error {
			row.Name, row.Text = name, page.Draft
			body.Approvals = slices.DeleteFunc(body.Approvals, func(a store.Approval) bool { return a.Digest != store.PolicyDigest(row.Text) })
			return nil
		})
		status = http.StatusConflict
	}
	known, ok := errors.AsType[*bonafide.Error](err)
	switch {
	case ok && (known.Kind == bonafide.Conflict || known.Kind == bonafide.Invalid):
		page.Problem = known.Msg
	case err != nil:
		return err
	}
	if page.Problem != "" {
		k.show(w, r, who, status, "policy", page)
		return nil
	}
	if page.State == store.PolicyShadow {
		if err := k.Grader.Regroup(r.Context(), who.tenant); err != nil {
			return err
		}
	}
	return done(w, r, "/policy/"+page.ID, "policy-saved")
}

// check reads the text of the form and runs its test cases.
func (p *policyPage) check() error {
	pack, err := policy.Parse(p.DraftName, []byte(p.Draft))
	known, ok := errors.AsType[*bonafide.Error](err)
	switch {
	case ok && known.Kind == bonafide.Invalid:
		p.Problem, p.Detail = "the text is no policy pack", strings.TrimPrefix(known.Msg, p.DraftName+": ")
		return nil
	case err != nil:
		return err
	}
	if _, p.Failures = pack.Test(); len(p.Failures) > 0 {
		p.Problem = "the pack fails its own test cases"
	}
	return nil
}

// changePolicy changes a draft that still has the text that the form was made from. What
// reports write into it meanwhile does not matter.
func (k *Console) changePolicy(r *http.Request, who *visit, what string, change func(*store.PolicyRow, *store.PolicyBody) error) error {
	ctx, id, digest := r.Context(), r.PathValue("id"), r.PostFormValue("digest")
	return k.Store.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Lock(ctx, who.tenant); err != nil {
			return err
		}
		row, err := tx.Policy(ctx, who.tenant, id)
		if err != nil {
			return err
		}
		switch {
		case row.State != store.PolicyDraft && row.State != store.PolicyShadow:
			return errPolicyClosed
		case store.PolicyDigest(row.Text) != digest:
			return errPolicyText
		}
		var body store.PolicyBody
		if err := readJSON(row.Body, &body); err != nil {
			return err
		}
		if err := change(&row, &body); err != nil {
			return err
		}
		if row.Body, err = json.Marshal(body); err != nil {
			return fmt.Errorf("write policy: %w", err)
		}
		row.Version, row.Updated = row.Version+1, k.Now().UTC()
		if row.State == store.PolicyPromoted {
			what = "promoted"
		}
		return tx.SavePolicy(ctx, who.tenant, who.actor, row, what)
	})
}

// backtest has a draft tried on all complaints.
func (k *Console) backtest(w http.ResponseWriter, r *http.Request, who *visit) error {
	page, err := k.readPolicy(r, who)
	if err != nil {
		return err
	}
	if !page.Open {
		return errPolicyClosed
	}
	ctx := r.Context()
	if err := k.Grader.Backtest(ctx, who.tenant, page.ID); err != nil {
		return err
	}
	if err := k.recordPolicy(ctx, who, "policy.backtest-asked", page.ID); err != nil {
		return err
	}
	return done(w, r, "/policy/"+page.ID, "policy-backtest")
}

func (k *Console) recordPolicy(ctx context.Context, who *visit, what, id string) error {
	return k.Store.Update(ctx, func(tx *store.Tx) error {
		return tx.Record(ctx, who.tenant, who.actor, what, "policy:"+id, nil)
	})
}

// shadowPolicy has a draft grade beside the policy in force, without effect, or ends that.
func (k *Console) shadowPolicy(w http.ResponseWriter, r *http.Request, who *visit) error {
	on := r.PostFormValue("on") == "yes"
	what, state := "unshadowed", store.PolicyDraft
	if on {
		what, state = "shadowing", store.PolicyShadow
	}
	err := k.changePolicy(r, who, what, func(row *store.PolicyRow, _ *store.PolicyBody) error {
		row.State = state
		return nil
	})
	if err != nil {
		return err
	}
	if err := k.Grader.Regroup(r.Context(), who.tenant); err != nil {
		return err
	}
	if on {
		return done(w, r, "/policy/"+r.PathValue("id"), "policy-shadow")
	}
	return done(w, r, "/policy/"+r.PathValue("id"), "policy-unshadow")
}

// approvePolicy records that somebody approves a draft as it stands. With the second
// person it comes into force, and everything is graded anew.
func (k *Console) approvePolicy(w http.ResponseWriter, r *http.Request, who *visit) error {
	reason, err := words(r, "reason")
	if err != nil {
		return err
	}
	if reason == "" {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "an approval needs its reason"}
	}
	promoted := false
	err = k.changePolicy(r, who, "approved", func(row *store.PolicyRow, body *store.PolicyBody) error {
		digest := store.PolicyDigest(row.Text)
		if !tested(*body, row.Text) {
			return errUntested
		}
		if slices.Contains(approvers(*body, row.Text), who.actor.ID) {
			return errApproved
		}
		body.Approvals = append(slices.DeleteFunc(body.Approvals, func(a store.Approval) bool { return a.Digest != digest }),
			store.Approval{By: who.actor.ID, At: k.Now().UTC(), Reason: reason, Digest: digest})
		if promoted = len(approvers(*body, row.Text)) >= 2; promoted {
			row.State = store.PolicyPromoted
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !promoted {
		return done(w, r, "/policy/"+r.PathValue("id"), "policy-approved")
	}
	if err := k.Grader.Regroup(r.Context(), who.tenant); err != nil {
		return err
	}
	return done(w, r, "/policy/"+r.PathValue("id"), "policy-promoted")
}
