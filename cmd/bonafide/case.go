package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"bonafide"
	"bonafide/app"
	"bonafide/engine"
	"bonafide/store"
)

// acting is how a command that works on cases is told where they are and who works.
type acting struct {
	settings
	Tenant string `help:"Whose." default:"main"`
	As     string `help:"Login of the person who does this: it stands in the log." required:""`
}

// a desk is what such a command works with.
type desk struct {
	db     *store.DB
	engine *engine.Engine
	tenant bonafide.Tenant
	by     bonafide.Actor
}

// sit opens the database and finds who acts. They must have the scope.
func (a *acting) sit(ctx context.Context, scope bonafide.Scope) (*desk, error) {
	cfg, err := a.load()
	if err != nil {
		return nil, err
	}
	parts, err := a.parts(cfg, os.Stderr)
	if err != nil {
		return nil, err
	}
	cfg.LogLevel = "warn"
	db, e, err := app.Offline(ctx, cfg, parts)
	if err != nil {
		return nil, err
	}
	d := &desk{db: db, engine: e}
	if d.tenant, err = tenantOf(ctx, db, a.Tenant); err == nil {
		err = db.View(ctx, func(tx *store.Tx) error {
			p, err := tx.PersonByLogin(ctx, a.As)
			if err != nil || p.Tenant != d.tenant || !p.Disabled.IsZero() {
				return &bonafide.Error{Kind: bonafide.NotFound, Msg: "--as: nobody signs in by this login: bonafide person list shows who does"}
			}
			if d.by = p.Actor(); !d.by.May(scope) {
				return &bonafide.Error{Kind: bonafide.Denied, Msg: fmt.Sprintf("--as: %s may not do this: it takes %s", a.As, scope)}
			}
			return nil
		})
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return d, nil
}

// fill reads the tenant's complaints, which are compared with what adverts name.
func (d *desk) fill(ctx context.Context, s *streams) error {
	if s.terminal {
		fmt.Fprint(s.err, "reading the complaints …\r")
	}
	return d.engine.Fill(ctx, d.tenant)
}

// at is sit at the case of a number.
func (a *acting) at(ctx context.Context, scope bonafide.Scope, number int) (*desk, store.CaseRow, error) {
	d, err := a.sit(ctx, scope)
	if err != nil {
		return nil, store.CaseRow{}, err
	}
	var row store.CaseRow
	if err := d.db.View(ctx, func(tx *store.Tx) (err error) { row, err = tx.CaseByNumber(ctx, d.tenant, number); return err }); err != nil {
		return nil, row, errors.Join(err, d.db.Close())
	}
	return d, row, nil
}

type caseCmd struct {
	Begin caseBeginCmd `cmd:"" help:"Begin a case: a clue about a ring, a complaint, or something that was heard."`
	List  caseListCmd  `cmd:"" help:"List cases, the newest first."`
	Show  caseShowCmd  `cmd:"" help:"Show where a case stands, what is in it, and what its next moves lack."`
	Stix  caseStixCmd  `cmd:"" help:"Write the grey industry's infrastructure of a case as STIX 2.1: no complainants, no borrowers."`
}

type caseBeginCmd struct {
	acting
	Title     string   `help:"What it is called; names of customers in it are hidden." required:""`
	Reason    string   `help:"Why it is begun." required:""`
	Ring      []string `help:"Ring that it is about."`
	Complaint []string `help:"Complaint that it is about."`
}

// Run begins a case.
func (c *caseBeginCmd) Run(ctx context.Context, s *streams) (err error) {
	d, err := c.sit(ctx, bonafide.ScopeCasesWrite)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.db.Close()) }()
	id, err := d.engine.BeginCase(ctx, d.tenant, d.by, engine.CaseStart{Title: c.Title, Reason: c.Reason, Rings: c.Ring, Complaints: c.Complaint})
	if err != nil {
		return err
	}
	var row store.CaseRow
	if err := d.db.View(ctx, func(tx *store.Tx) (err error) { row, err = tx.Case(ctx, d.tenant, id); return err }); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "case %d\n", row.Number)
	return err
}

type caseListCmd struct {
	acting
	Stage string `help:"Only those at this stage."`
	All   bool   `help:"Closed ones too."`
}

// Run lists cases.
func (c *caseListCmd) Run(ctx context.Context, s *streams) (err error) {
	d, err := c.sit(ctx, bonafide.ScopeCasesRead)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.db.Close()) }()
	var rows []store.CaseRow
	if err := d.db.View(ctx, func(tx *store.Tx) (err error) {
		rows, err = tx.Cases(ctx, d.tenant, store.CaseFilter{Stage: c.Stage, Open: !c.All && c.Stage == ""})
		return err
	}); err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CASE\tSTAGE\tSINCE\tDUE\tRINGS\tTITLE")
	for _, r := range rows {
		due := ""
		if !r.DueAt.IsZero() {
			due = r.DueAt.Format(time.DateOnly)
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%d\t%s\n", r.Number, r.Stage, r.Since.Format(time.DateOnly), due, len(r.Rings), r.Title)
	}
	return w.Flush()
}

type caseShowCmd struct {
	acting
	Case int `arg:"" help:"Its number."`
}

// Run shows a case.
func (c *caseShowCmd) Run(ctx context.Context, s *streams) (err error) {
	d, row, err := c.at(ctx, bonafide.ScopeCasesRead, c.Case)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.db.Close()) }()
	var steps []bonafide.CaseStep
	var items []store.ItemRow
	var next []engine.Next
	if err := d.db.Update(ctx, func(tx *store.Tx) (err error) {
		if steps, err = tx.CaseSteps(ctx, d.tenant, row.ID); err != nil {
			return err
		}
		if items, err = tx.Items(ctx, d.tenant, row.ID); err != nil {
			return err
		}
		if next, err = d.engine.NextMoves(ctx, tx, d.tenant, row); err != nil {
			return err
		}
		return tx.Record(ctx, d.tenant, d.by, "case.viewed", "case:"+row.ID, nil)
	}); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "Case %d: %s\n%s since %s; rings %d, complaints named %d, items %d\n\n", row.Number, row.Title, row.Stage, row.Since.Format(time.DateOnly), len(row.Rings), len(row.Complaints), len(items))
	for _, st := range steps {
		fmt.Fprintf(s.out, "%s  %s", st.At.Format("2006-01-02 15:04"), st.What)
		if st.From != st.To {
			fmt.Fprintf(s.out, "  %s → %s", st.From, st.To)
		}
		fmt.Fprintln(s.out)
	}
	for _, i := range items {
		fmt.Fprintf(s.out, "item %d  %s  %s  %d bytes  sha256 %s\n", i.Number, i.Category, i.Format, i.Size, i.SHA256)
	}
	fmt.Fprintln(s.out)
	for _, n := range next {
		fmt.Fprintf(s.out, "next: %s", n.Move)
		if len(n.Lacks) > 0 {
			fmt.Fprintf(s.out, " — not yet: %s", n.Why)
		}
		fmt.Fprintln(s.out)
	}
	return nil
}

type caseStixCmd struct {
	acting
	Case int    `arg:"" help:"Its number."`
	To   string `help:"File to write; it must not exist. Default: standard output." type:"path"`
}

// Run writes a bundle.
func (c *caseStixCmd) Run(ctx context.Context, s *streams) (err error) {
	d, row, err := c.at(ctx, bonafide.ScopeCasesWrite, c.Case)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.db.Close()) }()
	if err := d.fill(ctx, s); err != nil {
		return err
	}
	b, err := d.engine.Stix(ctx, d.tenant, d.by, row.ID)
	if err != nil {
		return err
	}
	if c.To == "" {
		_, err = s.out.Write(b)
		return err
	}
	return writeWhole(c.To, func(w io.Writer) error { _, err := w.Write(b); return err })
}
