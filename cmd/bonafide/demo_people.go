package main

import (
	"context"
	"fmt"
	"time"

	"bonafide"
	"bonafide/app"
	"bonafide/casework"
	"bonafide/store"
)

// demoPassword is the password of everybody in the demonstration, which is reached from
// this machine alone and holds nothing real.
const demoPassword = "made-up-harbour"

// demoPeople are those who work at the made-up lender: one for each role, and a second
// for what takes two.
func demoPeople() []bonafide.Person {
	person := func(login, name string, roles ...bonafide.Role) bonafide.Person {
		return bonafide.Person{Tenant: app.Main, Login: login, Name: name, Roles: roles}
	}
	return []bonafide.Person{
		person("handler", "Hana Lindqvist", bonafide.RoleHandler),
		person("investigator", "Ivo Marchetti", bonafide.RoleInvestigator),
		person("second", "Sela Okafor", bonafide.RoleInvestigator, bonafide.RoleCompliance),
		person("reviewer", "Rui Tavares", bonafide.RoleReviewer),
		person("compliance", "Cleo Ashworth", bonafide.RoleCompliance),
		person("regulator", "Reza Nikolaidis", bonafide.RoleRegulator),
		person("administrator", "Ada Wexler", bonafide.RoleAdministrator),
	}
}

// addDemoPeople adds them, with a password that need not be changed.
func addDemoPeople(ctx context.Context, a *app.App) ([]bonafide.Person, error) {
	by := bonafide.System("demo")
	var out []bonafide.Person
	for _, p := range demoPeople() {
		p, _, err := a.Auth.AddPerson(ctx, by, p, demoPassword)
		if err != nil {
			return nil, fmt.Errorf("demo: %w", err)
		}
		err = a.DB.Update(ctx, func(tx *store.Tx) error {
			phc, err := tx.Password(ctx, p.Tenant, p.ID)
			if err != nil {
				return err
			}
			return tx.SetPassword(ctx, p.Tenant, p.Actor(), p.ID, phc, false)
		})
		if err != nil {
			return nil, fmt.Errorf("demo: %w", err)
		}
		out = append(out, p)
	}
	return out, nil
}

// demoOld is how many days ago a complaint of the demonstration came that was answered
// before the program was there.
const demoOld = 21

// work has the people of the demonstration handle some of what is there, so that the
// inbox looks like a morning at the office: what is old is answered, what is newer is on
// its way, and the newest nobody has taken yet.
func (c *demoCmd) work(ctx context.Context, a *app.App, people []bonafide.Person, before []bonafide.Complaint) error {
	handlers := []bonafide.Person{people[0], people[1], people[2]}
	reviewer := people[3]
	now := time.Now()
	for i, one := range before {
		if ctx.Err() != nil {
			return nil
		}
		who := handlers[i%len(handlers)]
		age := now.Sub(one.Received)
		acts := []casework.Act{{Verb: casework.Register}, {Verb: casework.CheckAuthority}, {Verb: casework.Investigate}}
		switch {
		case age > demoOld*24*time.Hour: // answered long ago
			continue
		case age < 4*24*time.Hour:
			if i%5 != 0 {
				continue
			}
			acts = acts[:1]
		case age < 10*24*time.Hour:
			acts = acts[:1+i%3]
		case i%6 == 0: // late: still being looked into
		default:
			outcome := []casework.Outcome{casework.NotUpheld, casework.Upheld, casework.PartlyUpheld}[i%3]
			acts = append(acts, casework.Act{Verb: casework.Decide, Outcome: outcome, Reason: demoReason[outcome]}, casework.Act{Verb: casework.Notify}, casework.Act{Verb: casework.Close})
		}
		version := 1
		step := func(do func() error) error {
			if err := do(); err != nil {
				return fmt.Errorf("demo: %s: %w", one.ID, err)
			}
			version++
			return nil
		}
		if err := step(func() error { return a.Engine.Assign(ctx, app.Main, who.Actor(), one.ID, version, who.ID) }); err != nil {
			return err
		}
		for _, act := range acts {
			by := who.Actor()
			if act.Verb == casework.Decide && i%4 == 0 {
				by = reviewer.Actor()
			}
			if err := step(func() error {
				_, err := a.Engine.Move(ctx, app.Main, by, one.ID, version, act)
				return err
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

var demoReason = map[casework.Outcome]string{
	casework.NotUpheld:    "The log of calls and the contract were checked: the calls were within the agreed hours and the fees are those of the contract.",
	casework.Upheld:       "Calls after 22:00 stand in the log. An apology was made and the calls were stopped.",
	casework.PartlyUpheld: "One fee was charged twice and is paid back. The interest is that of the contract.",
}
