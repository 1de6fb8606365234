package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"bonafide"
	"bonafide/app"
	"bonafide/evidence"
	"bonafide/evidence/stamp"
	"bonafide/store"

	"golang.org/x/mod/sumdb/note"
)

type backupCmd struct {
	settings
	To string `arg:"" help:"File to write. It must not exist." type:"path"`
}

// Help says what a backup is.
func (backupCmd) Help() string {
	return `The backup is one file in the form of the embedded database, whichever database it is taken from:
a consistent state, taken while complaints go on arriving. Personal values in it are sealed; the
root key is not in it. Keep the key elsewhere: a backup without it restores nothing.`
}

// Run writes a backup.
func (c *backupCmd) Run(ctx context.Context, s *streams) (err error) {
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := os.Lstat(c.To); err == nil {
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: c.To + " is there already: choose another name"}
	}
	if err := db.Backup(ctx, c.To); err != nil {
		return err
	}
	st, err := os.Stat(c.To)
	if err != nil {
		return fmt.Errorf("look at the backup: %w", err)
	}
	_, err = fmt.Fprintf(s.out, "%s: %.1f MB. Restore it with: bonafide restore %s --db …\n", filepath.Base(c.To), float64(st.Size())/1e6, filepath.Base(c.To))
	return err
}

type restoreCmd struct {
	settings
	From string `arg:"" help:"The backup." type:"existingfile"`
}

// Help says where it goes.
func (restoreCmd) Help() string {
	return `The database that is restored into must be empty. The root key must be the one the backup was
taken under: put it into its file or BONAFIDE_ROOT_KEY first. The log is verified afterwards.`
}

// Run restores a backup into an empty database and verifies it.
func (c *restoreCmd) Run(ctx context.Context, s *streams) (err error) {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	key, _, err := cfg.RootKey(nil)
	if err != nil {
		return err
	}
	// The backup is opened as a copy: opening brings a schema up to date, and a backup is
	// never changed.
	tmp, err := os.MkdirTemp("", "bonafide-restore-")
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	defer os.RemoveAll(tmp)
	copied := filepath.Join(tmp, "backup.db")
	if err := copyFile(c.From, copied); err != nil {
		return err
	}
	src, err := app.OpenWith(ctx, copied, key)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	if !cfg.Postgres() {
		if err := os.MkdirAll(filepath.Dir(cfg.Database()), 0o700); err != nil {
			return fmt.Errorf("restore: %w", err)
		}
	}
	dst, err := app.OpenWith(ctx, cfg.Database(), key)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	if err := store.Copy(ctx, src, dst); err != nil {
		return err
	}
	return verify(ctx, s, dst, "", nil)
}

func copyFile(from, to string) error {
	b, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("read the backup: %w", err)
	}
	defer b.Close()
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("copy the backup: %w", err)
	}
	_, err = f.ReadFrom(b)
	return errors.Join(err, f.Close())
}

type migrateCmd struct {
	settings
}

// Run brings the schema up to date.
func (c *migrateCmd) Run(ctx context.Context, s *streams) (err error) {
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = fmt.Fprintf(s.out, "The schema is that of this program (%s).\n", db.Dialect())
	return err
}

type logCmd struct {
	Verify logVerifyCmd `cmd:"" help:"Prove that no entry of the audit log was changed, dropped or re-ordered; name the first that was."`
}

type logVerifyCmd struct {
	settings
	Tenant      string   `help:"Only this tenant."`
	Checkpoints []string `help:"Files of checkpoints that were kept elsewhere: the log must agree with each." type:"existingfile"`
	Key         string   `help:"Verifying key that was kept elsewhere; without it the one in the database is taken."`
	Stamps      bool     `help:"Check the time-stamps of checkpoints too, against the certificates of tsa_roots."`
}

// Run verifies the log.
func (c *logVerifyCmd) Run(ctx context.Context, s *streams) (err error) {
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	extra, err := c.kept(ctx, db)
	if err != nil {
		return err
	}
	if c.Tenant != "" {
		t, err := tenantOf(ctx, db, c.Tenant)
		if err != nil {
			return err
		}
		return errors.Join(verifyOne(ctx, s, db, t, c.Key, extra[t]), c.stamps(ctx, s, db, t))
	}
	return errors.Join(verify(ctx, s, db, c.Key, extra), c.stamps(ctx, s, db, ""))
}

// kept reads the checkpoints that were kept elsewhere, by the tenant whose log each is of.
func (c *logVerifyCmd) kept(ctx context.Context, db *store.DB) (map[bonafide.Tenant][][]byte, error) {
	if len(c.Checkpoints) == 0 {
		return nil, nil
	}
	key, err := verifyingKey(ctx, db, c.Key)
	if err != nil {
		return nil, err
	}
	v, err := note.NewVerifier(key)
	if err != nil {
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: "--key is not a verifying key"}
	}
	out := map[bonafide.Tenant][][]byte{}
	for _, f := range c.Checkpoints {
		texts, err := readCheckpoints(f)
		if err != nil {
			return nil, err
		}
		for i, text := range texts {
			point, err := evidence.OpenCheckpoint(text, v)
			if err != nil {
				return nil, &bonafide.Error{Kind: bonafide.Conflict, Msg: fmt.Sprintf("%s, checkpoint %d: %v", filepath.Base(f), i+1, err)}
			}
			name, ok := strings.CutPrefix(point.Origin, v.Name()+"/")
			if !ok {
				return nil, &bonafide.Error{Kind: bonafide.Conflict, Msg: fmt.Sprintf("%s, checkpoint %d: it is of another log, %q", filepath.Base(f), i+1, point.Origin)}
			}
			t := bonafide.Tenant(name)
			if out[t] == nil {
				if _, err := tenantOf(ctx, db, name); err != nil {
					return nil, &bonafide.Error{Kind: bonafide.Conflict, Msg: fmt.Sprintf("%s, checkpoint %d: %v", filepath.Base(f), i+1, err), Err: err}
				}
			}
			out[t] = append(out[t], text)
		}
	}
	return out, nil
}

// stamps checks the time-stamps of a tenant's checkpoints, of every tenant's if it is empty.
func (c *logVerifyCmd) stamps(ctx context.Context, s *streams, db *store.DB, only bonafide.Tenant) error {
	if !c.Stamps {
		return nil
	}
	cfg, err := c.load()
	if err != nil {
		return err
	}
	pem, err := os.ReadFile(cfg.TSARoots)
	if err != nil {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "--stamps needs tsa_roots: the file with the authority's root certificates"}
	}
	roots, err := stamp.ParseRoots(pem)
	if err != nil {
		return err
	}
	return db.View(ctx, func(tx *store.Tx) error {
		tenants, err := tx.Tenants(ctx)
		if err != nil {
			return err
		}
		for _, t := range tenants {
			if only != "" && t.ID != only {
				continue
			}
			all, err := tx.Stamps(ctx, t.ID, 0)
			if err != nil {
				return err
			}
			points, err := tx.Checkpoints(ctx, t.ID)
			if err != nil {
				return err
			}
			text := map[int64][]byte{}
			for _, p := range points {
				text[p.Size] = p.Text
			}
			for _, one := range all {
				if _, err := stamp.Verify(one.Token, text[one.Size], roots); err != nil {
					return &bonafide.Error{Kind: bonafide.Conflict, Msg: fmt.Sprintf("the time-stamp of the log of %s at %d entries does NOT hold: %v", t.ID, one.Size, err)}
				}
			}
			fmt.Fprintf(s.out, "%d time-stamps of the log of %s hold.\n", len(all), t.ID)
		}
		return nil
	})
}

// verifyingKey returns the key that was given, else the one of the database.
func verifyingKey(ctx context.Context, db *store.DB, given string) (key string, err error) {
	if given != "" {
		return given, nil
	}
	err = db.View(ctx, func(tx *store.Tx) (err error) { _, key, err = tx.SigningKey(ctx); return err })
	return key, err
}

// maxCheckpoints bounds a file of checkpoints: about a hundred thousand.
const maxCheckpoints = 32 << 20

// readCheckpoints reads a file as serve writes it: notes with an empty line and another
// between them. Each ends with its signature line.
func readCheckpoints(path string) ([][]byte, error) {
	st, err := os.Stat(path)
	if err != nil || st.Size() > maxCheckpoints {
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: filepath.Base(path) + " cannot be read, or is no file of checkpoints"}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read checkpoints: %w", err)
	}
	var out [][]byte
	for text := range strings.SplitSeq(string(b), "\n\n\n") {
		if text = strings.TrimSpace(text); text != "" {
			out = append(out, []byte(text+"\n"))
		}
	}
	return out, nil
}

func verify(ctx context.Context, s *streams, db *store.DB, key string, extra map[bonafide.Tenant][][]byte) error {
	var tenants []store.TenantRow
	if err := db.View(ctx, func(tx *store.Tx) (err error) { tenants, err = tx.Tenants(ctx); return err }); err != nil {
		return err
	}
	for _, t := range tenants {
		if err := verifyOne(ctx, s, db, t.ID, key, extra[t.ID]); err != nil {
			return err
		}
	}
	return nil
}

func verifyOne(ctx context.Context, s *streams, db *store.DB, t bonafide.Tenant, key string, extra [][]byte) error {
	key, err := verifyingKey(ctx, db, key)
	if err != nil {
		return err
	}
	start := time.Now()
	r, err := db.VerifyLog(ctx, t, key, extra)
	if err != nil {
		return err
	}
	if r.Problem != nil {
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: fmt.Sprintf("the log of %s is NOT sound: %s (%d entries before it are right)", t, r.Problem, r.Entries)}
	}
	_, err = fmt.Fprintf(s.out, "The log of %s is sound: %d entries, %d checkpoints, root %v (%v).\n", t, r.Entries, r.Checkpoints, r.Root, time.Since(start).Round(time.Millisecond))
	return err
}

type doctorCmd struct {
	settings
}

// Run looks at everything that can be wrong and says what to do.
func (c *doctorCmd) Run(ctx context.Context, s *streams) (err error) {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	fmt.Fprintln(s.out, "settings    right")
	if path := cfg.KeyFile(); path == "" {
		fmt.Fprintln(s.out, "root key    from BONAFIDE_ROOT_KEY")
	} else if st, err := os.Stat(path); err == nil && st.Mode().Perm()&0o077 != 0 {
		fmt.Fprintf(s.out, "root key    others can read it: chmod 600 %s\n", path)
	}
	db, err := app.Open(ctx, cfg, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	start := time.Now()
	if err := db.Ping(ctx); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "database    %s answers in %v; the root key fits; the schema is this program's\n", db.Dialect(), time.Since(start).Round(time.Microsecond))
	return db.View(ctx, func(tx *store.Tx) error {
		tenants, err := tx.Tenants(ctx)
		if err != nil {
			return err
		}
		for _, t := range tenants {
			n, err := tx.CountComplaints(ctx, t.ID)
			if err != nil {
				return err
			}
			last, err := tx.Checkpoints(ctx, t.ID)
			if err != nil {
				return err
			}
			signed := "never signed: start serve"
			if len(last) > 0 {
				signed = "signed last at " + last[len(last)-1].At.UTC().Format(time.DateTime) + " UTC"
			}
			fmt.Fprintf(s.out, "tenant      %s: %d complaints; log %s\n", t.ID, n, signed)
		}
		for _, state := range []string{"ready", "leased", "dead"} {
			jobs, err := tx.Jobs(ctx, state, 1000)
			if err != nil {
				return err
			}
			advice := ""
			if state == "dead" && len(jobs) > 0 {
				advice = ": they failed too often; the program's log says why"
			}
			fmt.Fprintf(s.out, "jobs        %d %s%s\n", len(jobs), state, advice)
		}
		_, err = fmt.Fprintln(s.out, "log         bonafide log verify reads all of it")
		return err
	})
}

type keyCmd struct {
	Add keyAddCmd `cmd:"" help:"Make an API key and print its secret once."`
}

type keyAddCmd struct {
	settings
	Name   string   `arg:"" help:"What the key is for; it stands in the log beside the key's id."`
	Tenant string   `help:"Whose." default:"main"`
	Scope  []string `help:"What it may do: complaints:write, tags:lookup … ; repeat it. Default: admin."`
	New    bool     `help:"Make the tenant where it is not there."`
	Rate   int      `help:"Requests a minute; 0 is the usual bound."`
	// Purpose of a key of credit, pricing, limits, collection, employment or marketing
	// lets it hand records in, and nothing else.
	Purpose string `help:"What the system that holds it does: ${enum}. Those behind other may hand records in and learn nothing that is suspected." enum:"complaints,front-line,investigation,records,other,credit,pricing,limits,collection,employment,marketing" default:"complaints"`
}

// tenantName is what a new tenant may be called: it comes to stand in file names.
var tenantName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// Run makes a key.
func (c *keyAddCmd) Run(ctx context.Context, s *streams) (err error) {
	scopes, err := parseScopes(c.Scope)
	if err != nil {
		return err
	}
	if c.New && !tenantName.MatchString(c.Tenant) {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("--tenant %q: a new tenant's id has 1 to 64 of a-z 0-9 - _ and begins with a letter or digit", c.Tenant)}
	}
	db, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	by := bonafide.System("command line")
	if c.New {
		err := db.Update(ctx, func(tx *store.Tx) error { return tx.AddTenant(ctx, bonafide.Tenant(c.Tenant), c.Tenant, by) })
		if err != nil && !errors.Is(err, bonafide.Conflict) {
			return err
		}
	}
	t, err := tenantOf(ctx, db, c.Tenant)
	if err != nil {
		return err
	}
	var secret string
	err = db.Update(ctx, func(tx *store.Tx) (err error) {
		secret, err = app.AddKey(ctx, tx, by, store.APIKey{ID: db.NewID(), Tenant: t, Name: c.Name, Scopes: scopes, Rate: c.Rate, Purpose: bonafide.KeyPurpose(c.Purpose)})
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, secret)
	return err
}

func parseScopes(names []string) ([]bonafide.Scope, error) {
	if len(names) == 0 {
		return []bonafide.Scope{bonafide.ScopeAdmin}, nil
	}
	var out []bonafide.Scope
	for _, n := range names {
		known := false
		for _, s := range bonafide.Scopes {
			known = known || string(s) == n
		}
		if !known {
			return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("there is no scope %q: there are %v", n, bonafide.Scopes)}
		}
		out = append(out, bonafide.Scope(n))
	}
	return out, nil
}
