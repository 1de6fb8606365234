package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"bonafide"
	"bonafide/app"
	"bonafide/engine"
	"bonafide/evidence/pack"
	"bonafide/evidence/stamp"
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

type itemCmd struct {
	Add   itemAddCmd   `cmd:"" help:"Take files into the custody of a case, as they are."`
	Check itemCheckCmd `cmd:"" help:"Read every original and name those that were changed or are missing. It removes nothing."`
}

type itemAddCmd struct {
	acting
	Case      int       `arg:"" help:"Number of the case."`
	Files     []string  `arg:"" help:"Files to take in." type:"existingfile"`
	Category  string    `help:"physical, documentary, testimony, victim-statement, expert-opinion, audio-visual or electronic." default:"electronic"`
	Complaint string    `help:"Complaint that the files are about: they can be erased with its customer."`
	Source    string    `help:"System or place that they come from." required:""`
	Extractor string    `help:"Who took them out." required:""`
	Second    string    `help:"Who was with them: somebody else." required:""`
	Tool      string    `help:"With which tool, and its version." required:""`
	Place     string    `help:"Where." required:""`
	At        time.Time `help:"When (RFC 3339). Default: now."`
	Glossary  string    `help:"Code words in them, explained."`
	Public    bool      `help:"They hold no personal data: they stand in redacted packs too."`
}

// Run takes files in.
func (c *itemAddCmd) Run(ctx context.Context, s *streams) (err error) {
	d, row, err := c.at(ctx, bonafide.ScopeCasesWrite, c.Case)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.db.Close()) }()
	for _, path := range c.Files {
		i, err := c.add(ctx, s, d, row.ID, path)
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		fmt.Fprintf(s.out, "item %d  %s  %s  %d bytes\n  sha256 %s\n  sm3    %s\n", i.Number, i.Name, i.Format, i.Size, i.SHA256, i.SM3)
		for _, n := range i.Notes {
			fmt.Fprintf(s.out, "  note   %s %s\n", n.Code, n.Value)
		}
	}
	return nil
}

func (c *itemAddCmd) add(ctx context.Context, s *streams, d *desk, caseID, path string) (bonafide.Item, error) {
	f, err := os.Open(path)
	if err != nil {
		return bonafide.Item{}, &bonafide.Error{Kind: bonafide.Invalid, Msg: "cannot be read: " + errors.Unwrap(err).Error()}
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		return bonafide.Item{}, &bonafide.Error{Kind: bonafide.Invalid, Msg: "not a file"}
	}
	var r io.Reader = f
	if s.terminal && st.Size() > 100<<20 {
		r = &taking{r: f, size: st.Size(), w: s.err}
	}
	return d.engine.TakeIn(ctx, d.tenant, d.by, bonafide.Item{
		Case: caseID, Name: filepath.Base(path), Category: c.Category, Complaint: c.Complaint, Source: c.Source, Extractor: c.Extractor, Second: c.Second,
		Tool: c.Tool, Place: c.Place, At: c.At.UTC(), Glossary: c.Glossary, Personal: !c.Public,
	}, r)
}

// taking says how much of a large file was read.
type taking struct {
	r          io.Reader
	w          io.Writer
	size, done int64
	said       int64
}

// Read reads on.
func (p *taking) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.done += int64(n)
	if pct := 100 * p.done / max(p.size, 1); pct != p.said {
		p.said = pct
		fmt.Fprintf(p.w, "\rtaking in … %d %%", pct)
	}
	if err != nil {
		fmt.Fprint(p.w, "\r                   \r")
	}
	return n, err
}

type itemCheckCmd struct {
	acting
}

// Run checks every original.
func (c *itemCheckCmd) Run(ctx context.Context, s *streams) (err error) {
	d, err := c.sit(ctx, bonafide.ScopeCasesRead)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.db.Close()) }()
	n, bad, err := d.engine.CheckEvidence(ctx)
	if err != nil {
		return err
	}
	for _, line := range bad {
		fmt.Fprintln(s.out, line)
	}
	fmt.Fprintf(s.out, "%d originals read, %d are not what they were\n", n, len(bad))
	if len(bad) > 0 {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "originals were changed or are missing: put them back from a backup"}
	}
	return nil
}

type packCmd struct {
	acting
	Case      int      `arg:"" help:"Number of the case."`
	For       string   `help:"Who reads it: police, lawyer or regulator. The last two do not see who complained." default:"police" enum:"police,lawyer,regulator"`
	To        string   `help:"Folder to write it into." default:"." type:"existingdir"`
	Anew      bool     `help:"Seal what is known now, though the case itself did not change since its last seal." xor:"which"`
	Seal      int      `help:"Write this seal again, by its number, whatever the case says now." xor:"which"`
	Recipient []string `help:"Encrypt it to this key of age (age1…); several may be given."`
}

// Help says what a pack is.
func (packCmd) Help() string {
	return `A pack is a zip that holds everything about a case and can be checked without this program: open
VERIFY.html in it, or run bonafide verify. It is sealed in the log, signed, and stamped with the time
where tsa_url is set. While the case stays as it is, packing it again gives the same bytes: what was
sealed is kept, and written anew with --anew only, or once somebody wrote into the case. An earlier seal
is written again with --seal. A file that is there already is never written over.`
}

// Run writes a pack.
func (c *packCmd) Run(ctx context.Context, s *streams) (err error) {
	if c.Seal < 0 {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "--seal: seals are numbered from 1"}
	}
	d, row, err := c.at(ctx, bonafide.ScopeCasesWrite, c.Case)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.db.Close()) }()
	if err := d.fill(ctx, s); err != nil {
		return err
	}
	var out *whole
	seal, err := d.engine.WritePack(ctx, d.tenant, d.by, row.ID, c.For, engine.PackOptions{Anew: c.Anew, Seal: c.Seal, Recipients: c.Recipient}, func(name string) (io.Writer, error) {
		var err error
		out, err = newWhole(filepath.Join(c.To, name))
		return out, err
	})
	if out != nil {
		err = out.end(err, true)
	}
	if err != nil {
		return err
	}
	stamped := "not stamped: no time-stamping authority is configured (tsa_url)"
	if len(seal.Token) > 0 {
		stamped = "stamped with the time"
	}
	had := ""
	if out.had {
		had = " was there already, with the same bytes: it is left as it is"
	}
	fmt.Fprintf(s.out, "%s%s\nseal %d of %s for the %s, entry %d of the log, %s\nkey %s\nTell the reader this fingerprint over another channel than the pack:\n%s\n",
		out.path, had, seal.Number, seal.At.Format(time.RFC3339), c.For, seal.Entry, stamped, d.engine.LogKey(), pack.Fingerprint([]byte(d.engine.LogKey())))
	return nil
}

// A whole is a file that appears under its name once it is complete. Until then it stands
// beside it under a name of its own; what a run that was killed left of it disturbs nobody.
// It writes over no file.
type whole struct {
	*os.File
	path string
	had  bool // the same file was there already
}

func newWhole(path string) (*whole, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "bonafide-*.part")
	if err != nil {
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("%s cannot be written: %v", path, errors.Unwrap(err))}
	}
	return &whole{File: f, path: path}, nil
}

// end gives the file its name, or removes it where something went wrong. Where a file of
// that name is there already it stays: that is an error, unless again allows it to have the
// same bytes.
func (w *whole) end(err error, again bool) error {
	if err == nil {
		err = w.Sync()
	}
	if err = errors.Join(err, w.Close()); err == nil {
		err = w.name(again)
	}
	if e := os.Remove(w.Name()); e != nil && !errors.Is(e, fs.ErrNotExist) {
		err = errors.Join(err, e)
	}
	if err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(w.path))
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(w.path), err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// name links the file to its name, which replaces nothing.
func (w *whole) name(again bool) error {
	err := os.Link(w.Name(), w.path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		// A file system without links, on a stick for one.
		if _, there := os.Lstat(w.path); errors.Is(there, fs.ErrNotExist) {
			return os.Rename(w.Name(), w.path)
		}
	}
	if err == nil {
		return nil
	}
	if !again {
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: w.path + " is there already: choose another name"}
	}
	same, err := sameFile(w.Name(), w.path)
	if err == nil && !same {
		err = &bonafide.Error{Kind: bonafide.Conflict, Msg: w.path + " is there already and is another file: choose another folder, or move it away"}
	}
	w.had = err == nil
	return err
}

// sameFile reports whether a file has the bytes of another. What is no file has not.
func sameFile(a, b string) (bool, error) {
	if st, err := os.Lstat(b); err != nil || !st.Mode().IsRegular() {
		return false, err
	}
	var sums [2][]byte
	for i, path := range []string{a, b} {
		f, err := os.Open(path)
		if err != nil {
			return false, err
		}
		h := sha256.New()
		_, err = io.Copy(h, f)
		if err = errors.Join(err, f.Close()); err != nil {
			return false, err
		}
		sums[i] = h.Sum(nil)
	}
	return bytes.Equal(sums[0], sums[1]), nil
}

// writeWhole writes a file that must not exist.
func writeWhole(path string, write func(io.Writer) error) error {
	if _, err := os.Lstat(path); err == nil {
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: path + " is there already: choose another name"}
	}
	w, err := newWhole(path)
	if err != nil {
		return err
	}
	return w.end(write(w), false)
}

type verifyCmd struct {
	Pack     string `arg:"" help:"The pack: a zip, its unpacked folder, or a .age that is encrypted to you." type:"path"`
	Key      string `help:"Verifying key of the sender's log, as they told it over another channel."`
	TSARoots string `name:"tsa-roots" help:"File with the root certificates of the time-stamping authority (PEM)." type:"existingfile"`
	Identity string `help:"File with your secret key of age, for a .age." type:"existingfile"`
	JSON     bool   `help:"Print the report as JSON."`
}

// Help says what is checked.
func (verifyCmd) Help() string {
	return `Checks every file against the sealed manifest, the seal against the signed log, every entry of custody
against the seal, and the time-stamp. Without --key it takes the key in the pack: who made the whole pack
anew with a key of their own is then not found, so compare the fingerprint it prints. The exit status is 0
only where nothing is wrong.`
}

// Run verifies a pack.
func (c *verifyCmd) Run(ctx context.Context, s *streams) error {
	o := pack.Options{Key: strings.TrimSpace(c.Key)}
	if c.TSARoots != "" {
		b, err := os.ReadFile(c.TSARoots)
		if err != nil {
			return fmt.Errorf("read the root certificates: %w", err)
		}
		var roots []*x509.Certificate
		if roots, err = stamp.ParseRoots(b); err != nil {
			return err
		}
		o.Roots = roots
	}
	if s.terminal {
		said := int64(-1)
		o.Progress = func(done, total int64) {
			if pct := 100 * done / max(total, 1); pct != said {
				said = pct
				fmt.Fprintf(s.err, "\rchecking … %d %%", pct)
			}
		}
	}
	rep, err := c.verify(ctx, o)
	if s.terminal {
		fmt.Fprint(s.err, "\r                    \r")
	}
	if err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		err = e.Encode(rep)
	} else {
		err = tellReport(s.out, rep, c.Key == "")
	}
	if err == nil && len(rep.Problems) > 0 {
		err = &bonafide.Error{Kind: bonafide.Invalid, Msg: strconv.Itoa(len(rep.Problems)) + " things are wrong with the pack: do not rely on it"}
	}
	return err
}

func (c *verifyCmd) verify(ctx context.Context, o pack.Options) (pack.Report, error) {
	st, err := os.Stat(c.Pack)
	if err != nil {
		return pack.Report{}, &bonafide.Error{Kind: bonafide.Invalid, Msg: c.Pack + " cannot be read: " + errors.Unwrap(err).Error()}
	}
	if st.IsDir() {
		return pack.VerifyDir(ctx, os.DirFS(c.Pack), o)
	}
	f, err := os.Open(c.Pack)
	if err != nil {
		return pack.Report{}, &bonafide.Error{Kind: bonafide.Invalid, Msg: c.Pack + " cannot be read: " + errors.Unwrap(err).Error()}
	}
	defer f.Close()
	if c.Identity == "" {
		if strings.HasSuffix(c.Pack, ".age") {
			return pack.Report{}, &bonafide.Error{Kind: bonafide.Invalid, Msg: "the pack is encrypted: give --identity, the file with your secret key"}
		}
		return pack.Verify(ctx, f, st.Size(), o)
	}
	secret, err := os.ReadFile(c.Identity)
	if err != nil {
		return pack.Report{}, fmt.Errorf("read the identity: %w", err)
	}
	var ids []string
	for line := range strings.SplitSeq(string(secret), "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			ids = append(ids, line)
		}
	}
	plain, err := pack.Decrypt(f, ids)
	if err != nil {
		return pack.Report{}, err
	}
	// What was encrypted is clear only while it is checked, in a file that has no name.
	tmp, err := os.CreateTemp("", "bonafide-verify-")
	if err != nil {
		return pack.Report{}, fmt.Errorf("verify: %w", err)
	}
	defer tmp.Close()
	if err := os.Remove(tmp.Name()); err != nil {
		return pack.Report{}, fmt.Errorf("verify: %w", err)
	}
	n, err := io.Copy(tmp, plain)
	if err != nil {
		return pack.Report{}, &bonafide.Error{Kind: bonafide.Invalid, Msg: "the pack cannot be decrypted to its end: it is damaged", Err: err}
	}
	return pack.Verify(ctx, tmp, n, o)
}

// tellReport says what was found.
func tellReport(w io.Writer, r pack.Report, own bool) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n", r.Name)
	if !r.Sealed.IsZero() {
		fmt.Fprintf(&b, "sealed %s", r.Sealed.Format(time.RFC3339))
		if !r.Stamped.IsZero() {
			fmt.Fprintf(&b, ", stamped %s by %s", r.Stamped.Format(time.RFC3339), r.Authority)
		}
		fmt.Fprintf(&b, "; %d files, %d items, %d entries of custody\n", r.Files, r.Items, r.Custody)
	}
	b.WriteString("\n")
	for _, c := range r.Checks {
		fmt.Fprintf(&b, "%-7s %s\n", c.State, c.Text)
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "\nWRONG   %s: %s", p.File, p.What)
	}
	if len(r.Problems) > 0 {
		b.WriteString("\n")
	}
	if own && r.Key != "" {
		fmt.Fprintf(&b, "\nThe key is the pack's own. Compare its fingerprint with what the sender told you:\n%s\n", r.Key)
	}
	_, err := w.Write(b.Bytes())
	return err
}
