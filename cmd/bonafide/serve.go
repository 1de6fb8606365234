package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"bonafide/app"
)

type serveCmd struct {
	settings
}

// Help says what happens at the first start.
func (serveCmd) Help() string {
	return `The first start makes the data directory, a root key, a tenant called main, and an
administrator's API key, which is shown once. Keep the root key: whoever loses it loses every
personal value, and whoever has it and the database can read them.

Complaints are handed in at POST /v1/complaints; GET /v1/openapi.yaml tells everything else. People
work in the console at the same address; "bonafide person add" makes the first of them.`
}

// Run serves until it is told to stop.
func (c *serveCmd) Run(ctx context.Context, s *streams) (err error) {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	parts, err := c.parts(cfg, os.Stderr)
	if err != nil {
		return err
	}
	a, err := app.New(ctx, cfg, parts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if a.First != "" {
		fmt.Fprintf(s.out, "The first administrator's key, shown this once:\n\n    %s\n\n", a.First)
	}
	fmt.Fprintf(s.out, "bonafide %s listens on %s\nTry:  curl -H \"Authorization: Bearer KEY\" %s/v1/status\n", version, a.URL(), a.URL())
	return a.Run(ctx)
}
