package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"bonafide"
	"bonafide/app"
	"bonafide/server/auth"
	"bonafide/store"
)

type personCmd struct {
	Add      personAddCmd      `cmd:"" help:"Add a person and print a one-time password, once."`
	List     personListCmd     `cmd:"" help:"List people with their roles."`
	Password personPasswordCmd `cmd:"" help:"Give a person a new one-time password; all their sessions end."`
	Disable  personDisableCmd  `cmd:"" help:"Keep a person from signing in; all their sessions end."`
	Roles    personRolesCmd    `cmd:"" help:"Give a person other roles; all their sessions end."`
}

// Help lists the roles.
func (personCmd) Help() string {
	var b strings.Builder
	b.WriteString("People sign in to the console. What each may do follows from their roles:\n\n")
	for _, r := range bonafide.Roles {
		var scopes []string
		for _, s := range r.Scopes() {
			scopes = append(scopes, string(s))
		}
		fmt.Fprintf(&b, "  %-14s %s\n", r, strings.Join(scopes, " "))
	}
	return b.String()
}

// byHand is who the log says did what is done on the command line.
var byHand = bonafide.System("command line")

type personAddCmd struct {
	settings
	Login         string   `arg:"" help:"What the person signs in with, such as an address of e-mail."`
	Name          string   `help:"What others see. Default: the login."`
	Role          []string `help:"handler, investigator, reviewer, compliance, regulator or administrator; repeat it." required:""`
	Tenant        string   `help:"Whose." default:"main"`
	Lang          string   `help:"Language of the pages, such as en or pt-BR. Default: the browser's."`
	PasswordStdin bool     `help:"Read the one-time password from the standard input instead of making one."`
}

// Run adds a person.
func (c *personAddCmd) Run(ctx context.Context, s *streams) error {
	roles, err := parseRoles(c.Role)
	if err != nil {
		return err
	}
	given, err := readPassword(s, c.PasswordStdin)
	if err != nil {
		return err
	}
	return c.people(ctx, func(a *auth.Auth, db *store.DB) error {
		t, err := tenantOf(ctx, db, c.Tenant)
		if err != nil {
			return err
		}
		p := bonafide.Person{Tenant: t, Login: c.Login, Name: c.Name, Roles: roles, Lang: c.Lang}
		if p.Name == "" {
			p.Name = c.Login
		}
		_, once, err := a.AddPerson(ctx, byHand, p, given)
		if err != nil {
			return err
		}
		return printPassword(s, c.PasswordStdin, once)
	})
}

type personListCmd struct {
	settings
	Tenant string `help:"Whose." default:"main"`
}

// Run lists people.
func (c *personListCmd) Run(ctx context.Context, s *streams) (err error) {
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	t, err := tenantOf(ctx, db, c.Tenant)
	if err != nil {
		return err
	}
	var all []bonafide.Person
	if err := db.View(ctx, func(tx *store.Tx) (err error) { all, err = tx.People(ctx, t); return err }); err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, p := range all {
		var roles []string
		for _, r := range p.Roles {
			roles = append(roles, string(r))
		}
		state := ""
		switch {
		case !p.Disabled.IsZero():
			state = "disabled since " + p.Disabled.UTC().Format(time.DateOnly)
		case p.MustChange:
			state = "has to change the password"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", p.Login, p.Name, strings.Join(roles, ","), state)
	}
	return w.Flush()
}

type personPasswordCmd struct {
	settings
	Login         string `arg:"" help:"Whose."`
	PasswordStdin bool   `help:"Read the one-time password from the standard input instead of making one."`
}

// Run gives somebody a one-time password.
func (c *personPasswordCmd) Run(ctx context.Context, s *streams) error {
	given, err := readPassword(s, c.PasswordStdin)
	if err != nil {
		return err
	}
	return c.people(ctx, func(a *auth.Auth, db *store.DB) error {
		p, err := personOf(ctx, db, c.Login)
		if err != nil {
			return err
		}
		once, err := a.SetPassword(ctx, byHand, p.Tenant, p.ID, given)
		if err != nil {
			return err
		}
		return printPassword(s, c.PasswordStdin, once)
	})
}

type personDisableCmd struct {
	settings
	Login string `arg:"" help:"Whom."`
	Undo  bool   `help:"Let the person sign in again."`
}

// Run keeps somebody out, or lets them in again.
func (c *personDisableCmd) Run(ctx context.Context, s *streams) error {
	return c.change(ctx, s, c.Login, func(p *bonafide.Person) {
		p.Disabled = time.Now().UTC()
		if c.Undo {
			p.Disabled = time.Time{}
		}
	})
}

type personRolesCmd struct {
	settings
	Login string   `arg:"" help:"Whose."`
	Role  []string `help:"The roles that the person has from now on; repeat it." required:""`
}

// Run gives somebody other roles.
func (c *personRolesCmd) Run(ctx context.Context, s *streams) error {
	roles, err := parseRoles(c.Role)
	if err != nil {
		return err
	}
	return c.change(ctx, s, c.Login, func(p *bonafide.Person) { p.Roles = roles })
}

// people runs fn with what people are added and changed by.
func (s *settings) people(ctx context.Context, fn func(*auth.Auth, *store.DB) error) (err error) {
	cfg, err := s.load()
	if err != nil {
		return err
	}
	db, err := app.Open(ctx, cfg, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	a, err := auth.New(auth.Config{Store: db, Now: time.Now, Random: rand.Reader, Log: cfg.Logger(io.Discard)})
	if err != nil {
		return err
	}
	return fn(a, db)
}

// change changes a person and says what they are then.
func (s *settings) change(ctx context.Context, st *streams, login string, fn func(*bonafide.Person)) (err error) {
	db, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	p, err := personOf(ctx, db, login)
	if err != nil {
		return err
	}
	fn(&p)
	if err := db.Update(ctx, func(tx *store.Tx) error { return tx.SavePerson(ctx, byHand, p) }); err != nil {
		return err
	}
	if !p.Disabled.IsZero() {
		_, err = fmt.Fprintf(st.out, "%s cannot sign in any more.\n", p.Login)
		return err
	}
	_, err = fmt.Fprintf(st.out, "%s can sign in as %v.\n", p.Login, p.Roles)
	return err
}

func personOf(ctx context.Context, db *store.DB, login string) (p bonafide.Person, err error) {
	err = db.View(ctx, func(tx *store.Tx) error { p, err = tx.PersonByLogin(ctx, login); return err })
	if errors.Is(err, bonafide.NotFound) {
		err = &bonafide.Error{Kind: bonafide.NotFound, Msg: fmt.Sprintf("there is no person %q: bonafide person list shows who there is", login)}
	}
	return p, err
}

func parseRoles(names []string) ([]bonafide.Role, error) {
	var out []bonafide.Role
	for _, n := range names {
		if !bonafide.Role(n).Known() {
			return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("there is no role %q: there are %v", n, bonafide.Roles)}
		}
		out = append(out, bonafide.Role(n))
	}
	return out, nil
}

// maxPassword bounds what is read as a password, in bytes.
const maxPassword = 4 << 10

// readPassword reads the first line of the standard input, where it was asked for.
func readPassword(s *streams, wanted bool) (string, error) {
	if !wanted {
		return "", nil
	}
	line, err := bufio.NewReader(io.LimitReader(s.in, maxPassword)).ReadString('\n')
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", &bonafide.Error{Kind: bonafide.Invalid, Msg: "--password-stdin: there is no password on the standard input"}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return line, nil
}

// printPassword shows a password that was made here, this once.
func printPassword(s *streams, given bool, once string) error {
	if given {
		return nil
	}
	_, err := fmt.Fprintln(s.out, once)
	return err
}
