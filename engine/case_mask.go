package engine

import (
	"context"
	"slices"
	"strings"

	"bonafide"
	"bonafide/normalize"
	"bonafide/pipeline"
	"bonafide/store"
)

// maskCase hides names and identifiers in what people wrote into a case. Numbers that
// authorities gave, and the names of those who may stand behind it, stay.
func maskCase(c *bonafide.Case, mask func(string) string) {
	for _, s := range []*string{&c.Title, &c.Reason, &c.Innocent, &c.Lessons} {
		*s = mask(*s)
	}
	for i := range c.Parties {
		c.Parties[i].Basis = mask(c.Parties[i].Basis)
	}
	for i := range c.Losses {
		c.Losses[i].Basis = mask(c.Losses[i].Basis)
	}
	for i := range c.Exhibits {
		c.Exhibits[i].Note = mask(c.Exhibits[i].Note)
	}
	for i := range c.Tasks {
		if !strings.HasPrefix(c.Tasks[i].Template, "watch.") { // ids
			c.Tasks[i].Text = mask(c.Tasks[i].Text)
		}
		c.Tasks[i].Note = mask(c.Tasks[i].Note)
	}
	for i := range c.Requests {
		c.Requests[i].What, c.Requests[i].Answer = mask(c.Requests[i].What), mask(c.Requests[i].Answer)
	}
	for i := range c.Handovers {
		c.Handovers[i].Unit = mask(c.Handovers[i].Unit)
	}
	for i := range c.Looks {
		c.Looks[i].Found = mask(c.Looks[i].Found)
	}
	if c.Pending != nil {
		p := *c.Pending
		p.Reason = mask(p.Reason)
		c.Pending = &p
	}
}

// masker hides the names of a case's customers, and identifiers, in what is written into it:
// a case outlives what is kept of them.
func (e *Engine) masker(ctx context.Context, tx *store.Tx, t bonafide.Tenant, c *bonafide.Case) (func(string) string, error) {
	ids, err := complaintsOf(ctx, tx, t, c)
	if err != nil {
		return nil, err
	}
	return maskerOf(ctx, tx, t, ids)
}

// maskerOf hides the names of the customers of complaints, and identifiers.
func maskerOf(ctx context.Context, tx *store.Tx, t bonafide.Tenant, ids []string) (func(string) string, error) {
	bodies, err := bodiesOf(ctx, tx, t, ids)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range bodies {
		names = append(names, c.Customer.Name)
		if c.Representative != nil {
			names = append(names, c.Representative.Name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return func(s string) string {
		if s == "" {
			return ""
		}
		return strings.TrimSpace(pipeline.MaskLetter(s, names...))
	}, nil
}

// ofNoCustomer refuses a person or organisation that is named as a customer of the case is, or
// by what one owns: a borrower is named by their complaint alone.
func (e *Engine) ofNoCustomer(ctx context.Context, tx *store.Tx, t bonafide.Tenant, c *bonafide.Case, p bonafide.Party) error {
	ids, err := complaintsOf(ctx, tx, t, c)
	if err != nil {
		return err
	}
	bodies, err := bodiesOf(ctx, tx, t, ids)
	if err != nil {
		return err
	}
	for _, b := range bodies {
		if name := normalize.Fold(b.Customer.Name); name != "" && name == normalize.Fold(p.Name) {
			return &bonafide.Error{Kind: bonafide.Invalid, Msg: "a customer of the case has this name: a borrower is named by their complaint alone"}
		}
	}
	return nil
}

// saidInWords reports whether the reason of a step is what somebody wrote, and not an id or a
// word of a list, in which a mask would see a number.
func saidInWords(what string) bool {
	switch what {
	case "assign", "group", "link", "unlink", "merit", "scenario", "offence", "exhibit", "exhibit-remove", "party", "loss", "handover", "request", "watch", "watched":
		return false
	}
	return true
}
