package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bonafide"
	"bonafide/app"
	"bonafide/engine"
	"bonafide/internal/synth"
	"bonafide/internal/tsa"
	"bonafide/server/live"

	"golang.org/x/sync/errgroup"
)

type demoCmd struct {
	Listen string        `help:"Address to listen on." default:"127.0.0.1:8484"`
	Every  time.Duration `help:"Time between two complaints." default:"3s"`
	Seed   uint64        `help:"Which made-up world." default:"11"`
	Lang   string        `help:"Language of the letters: en, zh or pt." default:"en" enum:"en,zh,pt"`
	Size   int           `help:"Complaints that are there already." default:"400"`
}

// Help says what is seen.
func (demoCmd) Help() string {
	return `Everything in it is made up, and gone when it ends: people, lenders, letters. The console opens with
people of every role, one password for all; complaints go on arriving, and a ring forms before your
eyes. The API works as under serve; its key is printed.`
}

// soonest and mostDemo bound what a demo is asked for.
const (
	soonest  = 50 * time.Millisecond
	mostDemo = 20_000
)

// Run serves a made-up world that keeps arriving.
func (c *demoCmd) Run(ctx context.Context, s *streams) (err error) {
	if c.Every < soonest {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("--every %v: at least %v", c.Every, soonest)}
	}
	if c.Size < leastWorld || c.Size > mostDemo {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("--size %d: from %d to %d", c.Size, leastWorld, mostDemo)}
	}
	dir, err := os.MkdirTemp("", "bonafide-demo-")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer os.RemoveAll(dir)
	set := settings{}
	cfg := app.Defaults()
	cfg.Data, cfg.Listen, cfg.LogLevel = filepath.Join(dir, "data"), c.Listen, "warn"
	if err := cfg.Check(); err != nil {
		return err
	}
	parts, err := set.parts(cfg, os.Stderr)
	if err != nil {
		return err
	}
	parts.Extra = func(a *app.App) map[string]http.Handler {
		return map[string]http.Handler{"/demo/": http.StripPrefix("/demo", live.New(live.Config{DB: a.DB, Tenant: app.Main, Now: time.Now, Log: a.Log()}))}
	}
	parts.Demo, parts.DemoPassword = demoPeople(), demoPassword
	authority, err := tsa.New(rand.Reader, time.Now)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	parts.StampRoots = authority.Roots
	parts.Stamp = func(_ context.Context, data []byte) ([]byte, error) { return authority.Stamp(data) }
	a, err := app.New(ctx, cfg, parts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	people, err := addDemoPeople(ctx, a)
	if err != nil {
		return err
	}
	before, after := c.world(time.Now().UTC())
	fmt.Fprintf(s.out, "A made-up lender with %d complaints. Open\n\n    %s\n\nand sign in as investigator, password %s; the page shows the others. One more complaint\narrives every %v: watch it at %s/demo/. API key: %s\nCtrl-C ends it, and nothing stays.\n",
		len(before), a.URL(), demoPassword, c.Every, a.URL(), a.First)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.Run(ctx) })
	g.Go(func() error { return c.feed(ctx, a, people, before, after) })
	return g.Wait()
}

// feed hands in what is there already, and then one complaint after the other.
func (c *demoCmd) feed(ctx context.Context, a *app.App, people []bonafide.Person, before, after []bonafide.Complaint) error {
	by := bonafide.System("demo")
	long := time.Now().AddDate(0, 0, -demoOld)
	submit := func(cs []bonafide.Complaint) error {
		subs := make([]engine.Submission, len(cs))
		for i := range cs {
			subs[i].Complaint = &cs[i]
			subs[i].History = cs[i].Received.Before(long)
		}
		_, err := a.Engine.Submit(ctx, app.Main, by, subs)
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	if err := demoRecords(ctx, a, before, after); err != nil && ctx.Err() == nil {
		return err
	}
	if err := submit(before); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if err := c.work(ctx, a, people, before); err != nil {
		return err
	}
	if err := demoCases(ctx, a, people, before); err != nil && ctx.Err() == nil {
		return err
	}
	t := time.NewTicker(c.Every)
	defer t.Stop()
	for len(after) > 0 {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		next := after[0]
		next.Received = time.Now().UTC().Truncate(time.Second)
		after = after[1:]
		if err := submit([]bonafide.Complaint{next}); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	<-ctx.Done()
	return nil
}

// forming is about how many members the ring has that forms while one watches.
const forming = 7

// world makes the complaints that are there and those that will arrive. Among these are
// the members of one ring, every second one until it is whole.
func (c *demoCmd) world(now time.Time) (before, after []bonafide.Complaint) {
	w := synth.New(synth.Config{Seed: c.Seed, Size: c.Size + 1200, Lang: c.Lang, Ease: 0.6})
	members := chosen(w.Truth)
	var ring, others []bonafide.Complaint
	for _, one := range w.Complaints {
		switch {
		case members[one.ID]:
			ring = append(ring, one)
		case len(before) < c.Size:
			before = append(before, one)
		default:
			others = append(others, one)
		}
	}
	// What is there already came in the last weeks.
	shift := now.Add(-6 * time.Hour).Sub(before[len(before)-1].Received)
	for i := range before {
		before[i].Received = before[i].Received.Add(shift)
	}
	forge(ring)
	for len(ring) > 0 && len(others) > 0 {
		after = append(after, others[0], ring[0])
		others, ring = others[1:], ring[1:]
	}
	after = append(after, slices.Concat(ring, others)...)
	return before, after
}

// forge gives some of a ring one paper that its issuer called forged: with a verified item
// the gravest level is proposed, which takes two people to confirm.
func forge(ring []bonafide.Complaint) {
	paper := bonafide.Document{Kind: "hospital certificate", SHA256: strings.Repeat("5e1f", 16), Verified: bonafide.Forged}
	for i := range ring {
		if i%2 == 0 {
			ring[i].Documents = append(ring[i].Documents, paper)
		}
	}
}

// chosen picks a ring whose members all share something that can be proved.
func chosen(t synth.Truth) map[string]bool {
	rings := map[string][]synth.Row{}
	var order []string
	for _, r := range t.Rows {
		if r.Ring != "" {
			if rings[r.Ring] == nil {
				order = append(order, r.Ring)
			}
			rings[r.Ring] = append(rings[r.Ring], r)
		}
	}
	best := ""
	for _, name := range order {
		rows := rings[name]
		hidden := slices.ContainsFunc(rows, func(r synth.Row) bool { return !r.Provable || r.Routed })
		if !hidden && len(rows) >= 4 && (best == "" || abs(len(rows)-forming) < abs(len(rings[best])-forming)) {
			best = name
		}
	}
	members := map[string]bool{}
	for _, r := range rings[best] {
		members[r.ID] = true
	}
	return members
}

func abs(n int) int { return max(n, -n) }
