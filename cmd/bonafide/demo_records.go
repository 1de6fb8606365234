package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"bonafide"
	"bonafide/app"
	"bonafide/engine"
	"bonafide/store"
)

// demoOutage is how many of the latest customers had a payment that failed.
const demoOutage = 12

// demoRecords hands in what the made-up lender has about its customers: how to reach them,
// a call at night for some, and for the latest the same outage.
func demoRecords(ctx context.Context, a *app.App, cs, later []bonafide.Complaint) error {
	by := bonafide.System("demo")
	zone := time.FixedZone("", 8*3600)
	var recs []store.NewRecord
	add := func(kind, id, ref string, v any) error {
		body, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		subject, err := a.Engine.Subject(ctx, app.Main, &bonafide.Customer{Ref: ref})
		if err != nil || subject == "" {
			return err
		}
		if id == "" {
			id = subject
		}
		digest, err := a.Engine.Digest(ctx, app.Main, body)
		recs = append(recs, store.NewRecord{Kind: kind, ID: id, Subject: subject, Digest: digest, Body: body})
		return err
	}
	for i, c := range later {
		if ref := c.Customer.Ref; ref != "" {
			if err := add(engine.RecordCustomer, "", ref, bonafide.Customer{Ref: ref, Phone: fmt.Sprintf("+44770091%04d", i), Email: fmt.Sprintf("later%d@known.example", i)}); err != nil {
				return err
			}
		}
	}
	failed := 0
	for i := len(cs) - 1; i >= 0; i-- {
		c := &cs[i]
		ref := c.Customer.Ref
		if ref == "" {
			continue
		}
		reach := bonafide.Customer{Ref: ref, Phone: fmt.Sprintf("+44770090%04d", i), Email: fmt.Sprintf("customer%d@known.example", i)}
		if err := add(engine.RecordCustomer, "", ref, reach); err != nil {
			return err
		}
		if i%9 == 0 {
			y, m, d := c.Received.In(zone).AddDate(0, 0, -2).Date()
			call := bonafide.CollectionCall{
				ID: fmt.Sprint("V-", i), CustomerRef: ref, Started: time.Date(y, m, d, 23, 5+i%50, 0, 0, zone), Seconds: 95, Direction: "out", Party: "debtor", Effective: true, Outsourcer: "Example Collections",
			}
			if err := add(engine.RecordCall, call.ID, ref, call); err != nil {
				return err
			}
		}
		if failed < demoOutage {
			failed++
			f := bonafide.Failure{ID: fmt.Sprint("F-", i), CustomerRef: ref, At: c.Received.Add(-20 * time.Hour), What: "payment", Cause: "core banking outage"}
			if err := add(engine.RecordFailure, f.ID, ref, f); err != nil {
				return err
			}
		}
	}
	return a.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.PutRecords(ctx, app.Main, by, recs)
		return err
	})
}
