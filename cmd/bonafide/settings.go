package main

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"strings"

	"bonafide"
	"bonafide/app"
	"bonafide/policy"
	"bonafide/signal/text"
	"bonafide/store"

	"github.com/alecthomas/kong"
)

// settings are how every command that needs a database is told where it is: by
// defaults, then a file, then the environment, then flags.
type settings struct {
	Config string `help:"Settings file (TOML). Without it, bonafide.toml where there is one." env:"BONAFIDE_CONFIG" type:"path"`

	Flags app.Config `embed:""`

	given []string // names of the flags that were given
}

// AfterApply notes which flags were given: only these win over a file.
func (s *settings) AfterApply(k *kong.Context) error { //nolint:unparam // kong wants a hook to return an error
	for _, p := range k.Path {
		if p.Flag != nil {
			s.given = append(s.given, strings.ReplaceAll(p.Flag.Name, "-", "_"))
		}
	}
	return nil
}

// defaultConfig is read where it is there and no other is named.
const defaultConfig = "bonafide.toml"

// load gathers the settings and checks them.
func (s *settings) load() (app.Config, error) {
	c := app.Defaults()
	path := s.Config
	if path == "" {
		if _, err := os.Stat(defaultConfig); err == nil {
			path = defaultConfig
		}
	}
	if path != "" {
		if err := c.Read(path); err != nil {
			return c, err
		}
	}
	if err := c.Environ(os.LookupEnv); err != nil {
		return c, err
	}
	c.Overlay(s.Flags, s.given)
	return c, c.Check()
}

// parts gathers what complaints are compared and graded with.
func (s *settings) parts(c app.Config, errs *os.File) (app.Parts, error) {
	p := app.Parts{Version: version, Log: errs}
	var err error
	if p.Policy, err = loadPack(c.Policy); err != nil {
		return p, err
	}
	if p.Public, err = text.PublicLetters(); err != nil {
		return p, err
	}
	if c.Lender != "" {
		p.Normalize, err = readLender(c.Lender)
	}
	return p, err
}

// open opens the database for a command that looks after it.
func (s *settings) open(ctx context.Context) (*store.DB, error) {
	c, err := s.load()
	if err != nil {
		return nil, err
	}
	return app.Open(ctx, c, false)
}

type configCmd struct {
	Check configCheckCmd `cmd:"" help:"Say whether the settings are right, and what they are."`
}

type configCheckCmd struct {
	settings
}

// Help explains where settings come from.
func (configCheckCmd) Help() string {
	return "Settings come from defaults, then the file, then the environment (BONAFIDE_ and the name in\ncapitals), then flags. A file holds names and values, such as: listen = \"127.0.0.1:8484\""
}

// Run checks the settings.
func (c *configCheckCmd) Run(s *streams) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	var pack *policy.Pack
	if pack, err = loadPack(cfg.Policy); err != nil {
		return err
	}
	if cfg.Lender != "" {
		if _, err := readLender(cfg.Lender); err != nil {
			return err
		}
	}
	db, otlp := cfg.Shown()
	v := reflect.ValueOf(cfg)
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("toml")
		if name == "" {
			continue
		}
		value := fmt.Sprint(v.Field(i).Interface())
		switch name {
		case "db":
			value = db
		case "otlp":
			value = otlp
		}
		fmt.Fprintf(s.out, "%-16s %s\n", name, value)
	}
	_, err = fmt.Fprintf(s.out, "\nThe settings are right. Levels are proposed by %s.\n", pack.Name())
	return err
}

// tenantOf checks that a tenant is there.
func tenantOf(ctx context.Context, db *store.DB, name string) (bonafide.Tenant, error) {
	var all []store.TenantRow
	if err := db.View(ctx, func(tx *store.Tx) (err error) { all, err = tx.Tenants(ctx); return err }); err != nil {
		return "", err
	}
	var names []string
	for _, t := range all {
		if string(t.ID) == name {
			return t.ID, nil
		}
		names = append(names, string(t.ID))
	}
	return "", &bonafide.Error{Kind: bonafide.NotFound, Msg: fmt.Sprintf("there is no tenant %q: there are %s", name, strings.Join(names, ", "))}
}
