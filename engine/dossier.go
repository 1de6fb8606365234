package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"bonafide"
	"bonafide/casework"
	"bonafide/pipeline"
	"bonafide/report"
	"bonafide/store"
)

// dossierOf reads what is known of one complaint, and what speaks for whoever complained. at
// is the moment that merit is looked at from.
func (e *Engine) dossierOf(ctx context.Context, tx *store.Tx, t bonafide.Tenant, id string, at time.Time) (report.Dossier, error) {
	d := report.Dossier{Complaint: bonafide.Complaint{ID: id}}
	track, err := tx.Track(ctx, t, id)
	if err != nil {
		return d, err
	}
	d.State, d.Outcome, d.Received = track.State, track.Outcome, track.Received
	bodies, err := bodiesOf(ctx, tx, t, []string{id})
	if err != nil {
		return d, err
	}
	if bodies[id] == nil {
		d.Erased = true
		if d.Outcome == string(casework.Upheld) || d.Outcome == string(casework.PartlyUpheld) {
			d.Exculpatory = []report.Exculpatory{{Code: "upheld", About: d.Outcome}}
		}
		return d, nil
	}
	d.Complaint = *bodies[id]
	steps, err := tx.TrackSteps(ctx, t, id)
	if err != nil {
		return d, err
	}
	for _, s := range steps {
		var l casework.Line
		if len(s.Body) == 0 {
			continue
		}
		if err := json.Unmarshal(s.Body, &l); err != nil {
			return d, fmt.Errorf("history of %s: %w", id, err)
		}
		reason := l.Act.Reason
		if reason == "" {
			reason = l.Note
		}
		d.Steps = append(d.Steps, report.DossierStep{At: s.At, What: string(l.Act.Verb), To: string(l.To), Reason: reason})
	}
	subject, err := tx.SubjectOf(ctx, t, id)
	if err != nil {
		return d, err
	}
	if d.Merit, err = e.checkMerit(ctx, tx, t, subject, track.Received, at); err != nil {
		return d, err
	}
	if v, err := verdictOf(ctx, tx, t, id); err == nil {
		d.Verdict = &v
	} else if !errors.Is(err, bonafide.NotFound) {
		return d, err
	}
	if d.Contacts, d.Verifications, err = sheetsOf(ctx, tx, t, id); err != nil {
		return d, err
	}
	d.Exculpatory, err = exculpatory(ctx, tx, t, &d)
	return d, err
}

// exculpatory gathers every fact that speaks for whoever complained.
func exculpatory(ctx context.Context, tx *store.Tx, t bonafide.Tenant, d *report.Dossier) ([]report.Exculpatory, error) {
	var out []report.Exculpatory
	add := func(code, about string) {
		if x := (report.Exculpatory{Code: code, About: about}); !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	if d.Merit == nil || len(d.Merit.Tested) == 0 {
		add("merit-untested", "")
	}
	if d.Merit != nil {
		for _, f := range d.Merit.Findings {
			if f.Standing == bonafide.Substantiated {
				add("merit-substantiated", f.Rule)
			}
		}
	}
	if d.Outcome == string(casework.Upheld) || d.Outcome == string(casework.PartlyUpheld) {
		add("upheld", d.Outcome)
	}
	if d.Complaint.Customer.Vulnerable != "" {
		add("vulnerable", "")
	}
	if r := d.Complaint.Representative; r != nil && r.Confirmed {
		add("representative", string(r.Type))
	}
	for _, c := range d.Contacts {
		if c.Known && c.Established.Identity == "confirmed" && c.Established.Authority == "own" {
			add("own-confirmed", "")
		}
		if c.Established.Vulnerability == "flagged" {
			add("vulnerable", "")
		}
	}
	for _, v := range d.Verifications {
		switch {
		case v.Outcome == "confirmed" && v.Kind == bonafide.VerifyIdentity:
			add("own-confirmed", "")
		case v.Outcome == "confirmed" && v.Kind == bonafide.VerifyAuthority:
			add("representative", v.About)
		case v.Outcome == "confirmed" && v.Kind == bonafide.VerifyDocument:
			add("paper-genuine", v.About)
		case v.Outcome == "":
			add("verified-open", string(v.Kind))
		}
		if v.Innocent != "" {
			add("innocent", v.Innocent)
		}
	}
	if d.Verdict != nil {
		for _, s := range d.Verdict.Innocent {
			add("innocent", s)
		}
		if d.Verdict.Route == bonafide.RouteVulnerable {
			add("vulnerable", "")
		}
	}
	appeals, err := tx.AppealsOf(ctx, t, d.Complaint.ID)
	if err != nil {
		return nil, err
	}
	for _, a := range appeals {
		if a.State == store.AppealUpheld {
			add("appeal-upheld", "")
		}
	}
	rows, err := tx.Incidents(ctx, t)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		in, err := row.Read()
		if err != nil {
			return nil, err
		}
		if slices.Contains(in.Complaints, d.Complaint.ID) {
			add("incident", in.Rule)
		}
	}
	return out, nil
}

// maskDossier hides who complained: its reader needs to know what happened, not to whom.
func maskDossier(d *report.Dossier) {
	c := &d.Complaint
	names := []string{c.Customer.Name}
	if c.Representative != nil {
		names = append(names, c.Representative.Name)
	}
	mask := func(s string) string { return pipeline.MaskLetter(s, names...) }
	bare := bonafide.Complaint{
		ID: c.ID, Received: c.Received, Channel: c.Channel, Lang: c.Lang, Text: mask(c.Text), Product: c.Product, Amount: c.Amount,
		Customer: bonafide.Customer{Region: c.Customer.Region},
	}
	if r := c.Representative; r != nil {
		bare.Representative = &bonafide.Representative{Type: r.Type, Confirmed: r.Confirmed}
	}
	for _, s := range c.Demands {
		bare.Demands = append(bare.Demands, mask(s))
	}
	for _, p := range c.Documents {
		bare.Documents = append(bare.Documents, bonafide.Document{Kind: p.Kind, SHA256: p.SHA256, Verified: p.Verified})
	}
	for _, one := range c.Calls {
		bare.Calls = append(bare.Calls, bonafide.Call{Started: one.Started, Transcript: mask(one.Transcript)})
	}
	d.Complaint, d.Masked = bare, true
	d.Steps, d.Contacts, d.Verifications = slices.Clone(d.Steps), slices.Clone(d.Contacts), slices.Clone(d.Verifications)
	for i := range d.Steps {
		d.Steps[i].Reason = mask(d.Steps[i].Reason)
	}
	for i := range d.Contacts {
		d.Contacts[i].Answers = slices.Clone(d.Contacts[i].Answers)
		for k := range d.Contacts[i].Answers {
			d.Contacts[i].Answers[k].Note = mask(d.Contacts[i].Answers[k].Note)
		}
	}
	for i := range d.Verifications {
		v := &d.Verifications[i]
		v.Finding, v.Innocent, v.Reason = mask(v.Finding), mask(v.Innocent), mask(v.Reason)
		v.Attempts = slices.Clone(v.Attempts)
		for k := range v.Attempts {
			v.Attempts[k].Note = mask(v.Attempts[k].Note)
		}
	}
	for i, x := range d.Exculpatory {
		d.Exculpatory[i].About = mask(x.About)
	}
	if d.Merit != nil { // rows name records, and with them the customer
		m := *d.Merit
		m.Findings = slices.Clone(m.Findings)
		for i := range m.Findings {
			m.Findings[i].Rows = nil
		}
		d.Merit = &m
	}
}

// safeName makes a part of a path of an id.
func safeName(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, s)
}
