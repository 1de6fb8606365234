package api

import (
	"context"
	"encoding/json"
	"time"

	"bonafide"
	"bonafide/contact"
	"bonafide/store"
)

// What an engine does for the front line, in short.

func (e *engine) Merit(ctx context.Context, tx *store.Tx, t bonafide.Tenant, complaint string) (*bonafide.Merit, error) {
	if _, err := tx.SubjectOf(ctx, t, complaint); err != nil {
		return nil, err
	}
	at := e.clock.Now()
	return &bonafide.Merit{
		Checked: at, Rules: "cn 1", Tested: []string{"night-call"}, Untested: []string{"cost-above-line"},
		Findings: []bonafide.Finding{{
			Rule: "night-call", Standing: bonafide.Substantiated, Basis: "b", Text: "t", Facts: []string{"1"}, From: at, To: at, Count: 1,
			Rows: []bonafide.RowRef{{Kind: "call", ID: "V"}},
		}},
	}, nil
}

func (e *engine) Hand(ctx context.Context, tx *store.Tx, t bonafide.Tenant, by bonafide.Actor, _ []bonafide.Identifier, _, complaint, script, lang string) (contact.Handover, error) {
	if script == "" {
		script = "incoming"
	}
	c := contact.Conversation{Contact: bonafide.Contact{
		ID: e.db.NewID(), Complaint: complaint, Script: script, Version: "1", Lang: lang, Direction: "in", By: by.ID, Started: e.clock.Now(),
	}}
	return contact.Handover{Contact: c.ID, Script: script}, saveTalk(ctx, tx, t, by, c)
}

func saveTalk(ctx context.Context, tx *store.Tx, t bonafide.Tenant, by bonafide.Actor, c contact.Conversation) error {
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return tx.SaveSheet(ctx, t, by, store.SheetRow{Kind: store.SheetContact, ID: c.ID, Complaint: c.Complaint, State: "open", Author: by.ID, At: c.Started, Body: body}, "begun")
}

func (e *engine) Talk(ctx context.Context, tx *store.Tx, t bonafide.Tenant, id string) (contact.Conversation, contact.Talk, int, error) {
	var c contact.Conversation
	row, err := tx.Sheet(ctx, t, store.SheetContact, id)
	if err != nil {
		return c, contact.Talk{}, 0, err
	}
	return c, contact.Talk{}, row.Version, json.Unmarshal(row.Body, &c)
}

// seedFront makes a conversation and an incident of a tenant.
func seedFront(ctx context.Context, tx *store.Tx, t bonafide.Tenant, by bonafide.Actor, th things, now time.Time) error {
	c := contact.Conversation{Contact: bonafide.Contact{
		ID: th.contact, Complaint: th.complaint, Script: "incoming", Version: "1", Direction: "in", By: by.ID, Started: now, Ended: now, End: "done",
		Answers:     []bonafide.Answer{{Step: "who", Choice: "self", Note: canary, At: now}},
		Established: bonafide.Established{Identity: "confirmed", Facts: []string{"night-calls"}},
		Signals:     []bonafide.ContactSignal{{Family: bonafide.FamilyConduct, Criteria: "K04", Text: "t", Innocent: "i", Step: "who", Choice: "self"}},
	}}
	if err := saveTalk(ctx, tx, t, by, c); err != nil {
		return err
	}
	inc := bonafide.Incident{ID: "a-inc", Rule: "failed-operation", From: now, To: now, Began: now, Ended: now, Complaints: []string{th.complaint}, Customers: 1, Why: []string{"w"}}
	body, err := json.Marshal(inc)
	if err != nil {
		return err
	}
	return tx.SaveIncidents(ctx, t, by, []store.IncidentRow{{ID: inc.ID, Rule: inc.Rule, Size: 1, Began: now, At: now, Body: string(body)}})
}
