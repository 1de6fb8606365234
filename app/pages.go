package app

import (
	"context"
	"crypto/rand"
	"net/http"
	"time"

	"bonafide"
	"bonafide/casework"
	"bonafide/server/auth"
	"bonafide/server/console"
	"bonafide/store"
)

// openConsole makes what signs people in and the pages where they work.
func (a *App) openConsole(clocks *casework.Pack) error {
	c, err := a.cfg.Auth()
	if err != nil {
		return err
	}
	c.Store, c.Now, c.Random, c.Log = a.DB, time.Now, rand.Reader, a.log
	c.Refused = func(w http.ResponseWriter, r *http.Request, err error) { a.console.Refuse(w, r, err) }
	if a.Auth, err = auth.New(c); err != nil {
		return err
	}
	a.console, err = console.New(console.Config{
		Store: a.DB, Auth: a.Auth, Tracks: a.Engine, Extensions: a.Engine, Decider: a.Engine, Finder: a.Engine, Grader: a.Engine, Imports: a.Engine, Front: a.Engine, Audits: a.Engine, Cases: a.Engine, Policy: a.parts.Policy, Clocks: clocks,
		NewKey: a.newKey, Lender: a.cfg.LenderName, Now: time.Now, Log: a.log, Version: a.parts.Version, Demo: a.parts.Demo, DemoPassword: a.parts.DemoPassword,
	})
	return err
}

// newKey makes an API key for the console.
func (a *App) newKey(ctx context.Context, by bonafide.Actor, k store.APIKey) (secret string, err error) {
	err = a.DB.Update(ctx, func(tx *store.Tx) error {
		secret, err = AddKey(ctx, tx, by, k)
		return err
	})
	return secret, err
}
