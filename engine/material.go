package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"bonafide"
	"bonafide/contact"
	"bonafide/store"
)

// materialWithin is what a customer is given to hand something in, where nothing else is
// said. It is a wish: no clock of the complaint waits for it.
const materialWithin = 10 * 24 * time.Hour

// Checklist reads what a complaint needs. Demand may be empty for the one that the
// complaint states.
func (e *Engine) Checklist(ctx context.Context, tx *store.Tx, t bonafide.Tenant, complaint, demand string) (contact.Needed, error) {
	var out contact.Needed
	row, err := tx.Complaint(ctx, t, complaint)
	if err != nil {
		return out, err
	}
	var c bonafide.Complaint
	if err := json.Unmarshal(row.Body, &c); err != nil {
		return out, fmt.Errorf("complaint %s: %w", complaint, err)
	}
	sheet, err := tx.Sheet(ctx, t, store.SheetMaterial, complaint)
	switch {
	case errors.Is(err, bonafide.NotFound):
	case err != nil:
		return out, err
	case len(sheet.Body) > 0:
		if err := json.Unmarshal(sheet.Body, &out.Material); err != nil {
			return out, fmt.Errorf("material of %s: %w", complaint, err)
		}
		out.Version = sheet.Version
	}
	if demand == "" {
		demand = out.Material.Demand
	}
	if demand == "" {
		demand = contact.Demand(c.Demands)
	}
	out.Checklist = contact.For(e.cfg.Clocks.Name, demand)
	if out.Held, err = e.holds(ctx, tx, t, row.Subject, &c); err != nil {
		return out, err
	}
	out.Lines = out.Least(out.Held)
	return out, nil
}

// holds says what the lender has already that it must not ask a customer for.
func (e *Engine) holds(ctx context.Context, tx *store.Tx, t bonafide.Tenant, subject string, c *bonafide.Complaint) (map[string]bool, error) {
	held := map[string]bool{}
	if customer, err := tx.OneRecord(ctx, t, RecordCustomer, subject); err == nil {
		held["customer-record"] = true
		var who bonafide.Customer
		if err := json.Unmarshal(customer.Body, &who); err != nil {
			return nil, fmt.Errorf("customer: %w", err)
		}
		held["id-copy"] = who.IDNumber != ""
	} else if !errors.Is(err, bonafide.NotFound) {
		return nil, err
	}
	contracts, err := tx.RecordsOf(ctx, t, RecordContract, subject, 50)
	if err != nil {
		return nil, err
	}
	for _, r := range contracts {
		var k bonafide.Contract
		if err := json.Unmarshal(r.Body, &k); err != nil {
			return nil, fmt.Errorf("contract %s: %w", r.ID, err)
		}
		held["contract"] = true
		if len(k.Schedule) > 0 {
			held["statements"] = true
		}
		if len(k.Payments) > 0 {
			held["payment-history"] = true
		}
	}
	for kind, name := range map[string]string{RecordCall: "call-log", RecordObjection: "credit-report"} {
		rows, err := tx.RecordsOf(ctx, t, kind, subject, 1)
		if err != nil {
			return nil, err
		}
		held[name] = len(rows) > 0
	}
	reps, err := tx.RecordsOf(ctx, t, "representative", subject, 10)
	if err != nil {
		return nil, err
	}
	for _, r := range reps {
		var a bonafide.Authority
		if err := json.Unmarshal(r.Body, &a); err != nil {
			return nil, fmt.Errorf("representative %s: %w", r.ID, err)
		}
		held["authority"] = held["authority"] || a.Confirmed
	}
	if c.Representative != nil && c.Representative.Confirmed {
		held["authority"] = true
	}
	for _, call := range c.Calls {
		held["call-recording"] = held["call-recording"] || call.Path != "" || call.Transcript != ""
	}
	for _, d := range c.Documents {
		switch d.Kind {
		case "contract", "settlement":
			held[d.Kind] = true
		case "statement":
			held["statements"] = true
		case "receipt":
			held["payment-history"] = true
		case "authority", "power-of-attorney":
			held["authority"] = true
		}
	}
	return held, nil
}

// Material changes what a complaint's customer was asked for: verb is ask, receive or
// waive. Version is the one that a person saw. Whatever is missing holds nothing up.
func (e *Engine) Material(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, complaint, demand, verb string, items []string, version int) error {
	if len(items) == 0 {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "item: choose what it is about"}
	}
	return e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Lock(ctx, t); err != nil {
			return err
		}
		list, err := e.Checklist(ctx, tx, t, complaint, demand)
		if err != nil {
			return err
		}
		if list.Version != version {
			return &bonafide.Error{Kind: bonafide.Conflict, Msg: "somebody else changed this meanwhile: look at it again"}
		}
		now := e.cfg.Now().UTC()
		m := &list.Material
		for _, item := range items {
			switch verb {
			case "ask":
				err = m.Ask(list.Checklist, list.Held, item, by.ID, now, now.Add(materialWithin))
			case "receive":
				err = m.Receive(item, by.ID, now)
			case "waive":
				err = m.Waive(item)
			default:
				err = &bonafide.Error{Kind: bonafide.Invalid, Msg: "verb: not one of ask, receive, waive"}
			}
			if err != nil {
				return err
			}
		}
		if m.Demand == "" {
			m.Demand = list.Demand
		}
		body, err := json.Marshal(m)
		if err != nil {
			return fmt.Errorf("write material: %w", err)
		}
		row := store.SheetRow{Kind: store.SheetMaterial, ID: complaint, Complaint: complaint, State: "complete", Author: by.ID, At: now, Version: list.Version + 1, Body: body}
		if missing := m.Missing(now); len(missing) > 0 {
			row.State, row.Due = "missing", missing[0].Due
		}
		return tx.SaveSheet(ctx, t, by, row, verb)
	})
}

// MaterialLetter writes the letter that asks a customer for what is missing. day writes
// a date as the language does.
func (e *Engine) MaterialLetter(ctx context.Context, tx *store.Tx, t bonafide.Tenant, complaint, lang, lender string, day func(time.Time) string) (string, error) {
	list, err := e.Checklist(ctx, tx, t, complaint, "")
	if err != nil {
		return "", err
	}
	due := e.cfg.Now().Add(materialWithin)
	if missing := list.Material.Missing(e.cfg.Now()); len(missing) > 0 {
		due = missing[0].Due
	}
	return list.Material.Letter(list.Checklist, list.Held, lang, lender, complaint, due, day), nil
}
