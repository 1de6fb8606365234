package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"bonafide"
	"bonafide/app"
	"bonafide/casefile"
	"bonafide/engine"
	"bonafide/store"
)

// demoStages are how far the cases of the demonstration got this month: twelve pushed, of
// which three were filed and nine are in preparation.
var demoStages = []bonafide.Stage{
	bonafide.StageFiled, bonafide.StageFiled, bonafide.StageFiled, bonafide.StagePoliceReview, bonafide.StageReported, bonafide.StagePrepared,
	bonafide.StageLegalReview, bonafide.StagePreserving, bonafide.StagePreserving, bonafide.StagePreserving, bonafide.StageOpened, bonafide.StageOpened,
}

// demoGang is how many of them are of gang type.
const demoGang = 3

// demoWait is how long the demonstration waits for its first rings.
const demoWait = 60 * time.Second

// A demoDesk is who works on cases in the demonstration.
type demoDesk struct {
	a             *app.App
	first, second bonafide.Person // an investigator, and somebody who decides too
}

// demoCases has the people of the demonstration work on cases: those with most in them are
// about the rings that were found, the others about single complaints and adverts.
func demoCases(ctx context.Context, a *app.App, people []bonafide.Person, before []bonafide.Complaint) error {
	d := demoDesk{a: a, first: people[1], second: people[2]}
	rings, err := d.rings(ctx)
	if err != nil || ctx.Err() != nil {
		return err
	}
	advert, err := a.Engine.AddAdvert(ctx, app.Main, d.first.Actor(), bonafide.Advert{
		Where: "short video", URL: "https://sunrise-rights.example/join", Publisher: "Sunrise Rights", Text: "Overdue? We write, you wait. Interest back within 30 days, 30 % of what you win. Message sunrise_rights.",
		Identifiers: []bonafide.Identifier{{Kind: bonafide.Handle, Value: "sunrise_rights"}},
	})
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	for i, stage := range demoStages {
		if ctx.Err() != nil {
			return nil
		}
		start := engine.CaseStart{Title: fmt.Sprintf("One letter, many names (%d)", i+1), Reason: "The same hand seems to write for several customers."}
		switch {
		case i < len(rings):
			start.Rings = []string{rings[i]}
		case i == len(demoStages)-1:
			start.Title, start.Adverts = "An advert that promises refunds", []string{advert}
		default:
			start.Complaints = []string{before[(i*29)%len(before)].ID}
		}
		if i == 0 {
			start.Adverts = append(start.Adverts, advert)
		}
		if err := d.carry(ctx, start, stage, i < demoGang); err != nil && ctx.Err() == nil {
			return fmt.Errorf("demo: case %d: %w", i+1, err)
		}
	}
	return nil
}

// rings waits for the first grouping.
func (d demoDesk) rings(ctx context.Context) (ids []string, err error) {
	for end := time.Now().Add(demoWait); time.Now().Before(end) && ctx.Err() == nil && len(ids) == 0; {
		err := d.a.DB.View(ctx, func(tx *store.Tx) error {
			ids = nil
			rows, err := tx.Rings(ctx, app.Main, string(bonafide.RingProposed), "", 12)
			for _, r := range rows {
				ids = append(ids, r.ID)
			}
			return err
		})
		if err != nil && !errors.Is(err, bonafide.Busy) {
			return nil, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
	return ids, nil
}

// carry begins a case and takes it as far as a stage, with everything that each move needs.
func (d demoDesk) carry(ctx context.Context, start engine.CaseStart, stage bonafide.Stage, gang bool) error {
	e, by, also := d.a.Engine, d.first.Actor(), d.second.Actor()
	id, err := e.BeginCase(ctx, app.Main, by, start)
	if err != nil {
		return err
	}
	change := func(ch casefile.Change) func() error {
		return func() error { return e.ChangeCase(ctx, app.Main, by, id, 0, ch) }
	}
	move := func(who bonafide.Actor, act casefile.Act) func() error {
		return func() error { return e.MoveCase(ctx, app.Main, who, id, 0, act) }
	}
	exhibits := func() error {
		c, err := d.read(ctx, id)
		if err != nil {
			return err
		}
		o, _ := casefile.OffenceOf("K04")
		for _, el := range o.Elements {
			if err := e.ChangeCase(ctx, app.Main, by, id, 0, casefile.Change{What: "exhibit", Exhibit: bonafide.Exhibit{Offence: "K04", Element: el.ID, Item: c.item}}); err != nil {
				return err
			}
		}
		return nil
	}
	tasks := func() error {
		c, err := d.read(ctx, id)
		if err != nil {
			return err
		}
		for _, complaint := range c.untested {
			if err := change(casefile.Change{What: "merit", Name: complaint, Text: "Contract, fees and the log of calls were looked at: no breach was found."})(); err != nil {
				return err
			}
		}
		for _, t := range c.Tasks {
			if err := e.ChangeCase(ctx, app.Main, by, id, 0, casefile.Change{What: "task-done", ID: t.ID, Text: "Done; what came of it is among the items."}); err != nil {
				return err
			}
		}
		return nil
	}
	item := func() error {
		_, err := e.TakeIn(ctx, app.Main, by, bonafide.Item{
			Case: id, Name: "messages.txt", Category: "electronic", Source: "group chat, public invitation", Extractor: d.first.Name, Second: d.second.Name, Tool: "browser 128, screen recorder 3.1", Place: "office, room 4",
			Glossary: "上岸: to be free of debt; 话术: the script that callers read",
		}, strings.NewReader("Made-up messages of a made-up group:\n“Send the letter today, all of you. 话术 is in the files. Who pays gets to 上岸 first.”\n“If they do not refund, we go on until they do.”\n"))
		return err
	}
	pack := func() error {
		seal, err := e.SealCase(ctx, app.Main, by, id, engine.VariantPolice, false)
		if err != nil {
			return err
		}
		return change(casefile.Change{What: "handover", Handover: bonafide.Handover{To: "police", Unit: "Economic crimes, made-up city", Variant: seal.Variant, Seal: seal.Number}})()
	}
	report := casefile.Act{Move: bonafide.MoveReport, Reason: "Threat and demand, in many names."}
	for _, leg := range []struct {
		to bonafide.Stage
		do []func() error
	}{
		{bonafide.StageOpened, []func() error{
			move(by, casefile.Act{Move: bonafide.MoveOpen}), change(casefile.Change{What: "gang", On: gang}), change(casefile.Change{What: "assign", Name: d.first.ID}),
		}},
		{bonafide.StagePreserving, []func() error{change(casefile.Change{What: "scenario", Name: "A13", On: true}), move(by, casefile.Act{Move: bonafide.MovePreserve}), item}},
		{bonafide.StageLegalReview, []func() error{
			tasks, change(casefile.Change{What: "offence", Name: "K04", On: true}), exhibits,
			change(casefile.Change{What: "party", Party: bonafide.Party{Role: bonafide.RoleOrganiser, Organisation: true, Name: "Sunrise Rights", Basis: "names itself in the advert", Identifiers: []bonafide.Identifier{{Kind: bonafide.Handle, Value: "sunrise_rights"}}}}),
			change(casefile.Change{What: "loss", Loss: bonafide.Loss{Kind: "refunded", Amount: bonafide.Amount{Minor: 18_640_00, Currency: "CNY"}, Basis: "refunds made after threats, from the ledger"}}),
			move(by, casefile.Act{Move: bonafide.MoveReview, Innocent: "No outage and no fee change in these weeks; no public letter reads like this."}),
		}},
		{bonafide.StagePrepared, []func() error{
			move(also, casefile.Act{Move: bonafide.MovePrepare, Reason: "Every element has an exhibit."}),
		}},
		{bonafide.StageReported, []func() error{pack, move(by, report), move(also, report)}},
		{bonafide.StagePoliceReview, []func() error{move(by, casefile.Act{Move: bonafide.MoveReceipt, Number: "made-up (2026) 12"}), move(by, casefile.Act{Move: bonafide.MoveExamine})}},
		{bonafide.StageFiled, []func() error{move(by, casefile.Act{Move: bonafide.MoveFile, Number: "made-up (2026) 345"})}},
	} {
		if slices.Index(bonafide.Stages, leg.to) > slices.Index(bonafide.Stages, stage) {
			break
		}
		for _, do := range leg.do {
			if err := do(); err != nil {
				return err
			}
		}
	}
	return nil
}

// A demoCase is a case with the item that was taken in for it.
type demoCase struct {
	store.CaseRow
	item     string
	untested []string
}

func (d demoDesk) read(ctx context.Context, id string) (c demoCase, err error) {
	err = d.a.DB.View(ctx, func(tx *store.Tx) (err error) {
		if c.CaseRow, err = tx.Case(ctx, app.Main, id); err != nil {
			return err
		}
		facts, err := d.a.Engine.CaseFacts(ctx, tx, app.Main, c.CaseRow)
		if err != nil {
			return err
		}
		c.untested = facts.Untested
		items, err := tx.Items(ctx, app.Main, id)
		if len(items) > 0 {
			c.item = items[0].ID
		}
		return err
	})
	return c, err
}
