package main

import (
	"context"
	"crypto/rand"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"bonafide"
	"bonafide/intake"
	"bonafide/merit"
	"bonafide/normalize"
	"bonafide/pipeline"
	"bonafide/report"
	"bonafide/signal/text"
)

// errQuarantined says that a scan is done and some rows were set aside.
var errQuarantined = errors.New("some rows were set aside")

type scanCmd struct {
	Files []string `arg:"" optional:"" help:"CSV or NDJSON, plain or gzip; - or nothing reads standard input." placeholder:"FILE"`

	Report     string   `help:"Write a page to this file that opens offline." placeholder:"PATH"`
	Format     string   `help:"What to print: ${enum}." enum:"summary,json,csv" default:"summary"`
	Output     string   `short:"o" help:"Print to this file instead of standard output." placeholder:"PATH"`
	Mapping    string   `help:"Which column is which field; see bonafide mapping." placeholder:"FILE.toml"`
	Quarantine string   `help:"Where rows that could not be used are listed; written only if there are any." default:"quarantine.csv" placeholder:"PATH"`
	Policy     string   `help:"Policy pack that grades: a built-in one (see bonafide policy list) or a TOML file." default:"nifa-2024" placeholder:"PACK"`
	Lender     string   `help:"The lender's own numbers and addresses, its country, and further values that never link anybody (TOML)." placeholder:"FILE.toml"`
	Public     string   `help:"Folder of letters that anybody may copy: *.txt, the name on the first line." placeholder:"DIR"`
	Records    []string `help:"The lender's own records as NDJSON (see bonafide merit): what they substantiate is said first, and a breach that many complain of is an incident and no ring." placeholder:"FILE"`
	Rules      string   `help:"With --records: pack of conduct rules (see bonafide merit --help)." default:"cn" placeholder:"PACK"`
	MaxFile    string   `help:"Largest file read, once expanded, such as 500MB or 16GB." default:"16GB"`
	MaxCell    string   `help:"Largest cell read." default:"1MB"`
	Quiet      bool     `short:"q" help:"Show no progress, even on a terminal."`
}

// Help is shown by scan --help.
func (scanCmd) Help() string {
	return `
Reads files of complaints and compares every complaint with every other one:
letters, identifiers, documents, timing. Prints what a busy person needs; the
report has all of it, and --format json follows spec/result.schema.json.

Columns of the CFPB's export are known, and common names in English, Chinese and
Portuguese are guessed; for anything else run bonafide mapping FILE > m.toml,
edit it, and scan --mapping m.toml.

Personal values are compared as keyed hashes; the key is made for this run, or
taken from BONAFIDE_SECRET. No hash and no key leaves the program.

Exit status: 0 done, 1 failed, 2 wrong command line, 3 done but some rows were
set aside (see the quarantine file).

  bonafide scan examples/complaints.csv --report report.html
  bonafide scan world.ndjson --records records.ndjson
  zcat export.csv.gz | bonafide scan --format json -o result.json
  bonafide explain result.json C-0319383`
}

// Run scans.
func (c *scanCmd) Run(ctx context.Context, s *streams) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	if err := c.places(); err != nil {
		return err
	}
	p := &progress{w: s.err, on: s.terminal && !c.Quiet, start: time.Now()}
	cfg.Progress = p.stage
	opts, err := c.intake(p)
	if err != nil {
		return err
	}
	q := &quarantine{path: c.Quarantine}
	defer q.close()
	opts.Quarantine = q.add
	scanner := pipeline.NewScanner(cfg)
	reader := intake.NewReader(opts)
	right, err := c.merit(ctx, s, p)
	if err != nil {
		p.clear()
		return err
	}
	if len(c.Files) == 0 {
		c.Files = []string{"-"}
	}
	var names []string
	for _, file := range c.Files {
		name, err := readFile(ctx, reader, file, s.in, func(m *bonafide.Complaint) error {
			right.check(m)
			return scanner.Add(ctx, m)
		})
		if err != nil {
			p.clear()
			return err
		}
		names = append(names, name)
	}
	sum := reader.Summary()
	if sum.Accepted == 0 {
		p.clear()
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf(
			"no usable complaint in %s: %d rows were set aside; see %s", strings.Join(names, ", "), sum.Quarantined, c.Quarantine)}
	}
	scanner.Know(right.known)
	read := bonafide.Read{Accepted: sum.Accepted, Quarantined: sum.Quarantined, Repeated: sum.Repeated, Files: names}
	res, err := scanner.Finish(ctx, read, sum.Warnings)
	p.clear()
	if err != nil {
		return err
	}
	res.Quarantine = q.first
	if err := q.close(); err != nil {
		return err
	}
	if err := c.write(s, res); err != nil {
		return err
	}
	if right.aside > 0 {
		fmt.Fprintf(s.err, "bonafide: %d lines of records were set aside; %s says which and why\n", right.aside, c.Quarantine+".records")
		if sum.Quarantined == 0 {
			return errQuarantined
		}
	}
	if sum.Quarantined > 0 {
		fmt.Fprintf(s.err, "bonafide: %d of %d rows were set aside; %s says which and why\n", sum.Quarantined, sum.Quarantined+sum.Accepted+sum.Repeated, c.Quarantine)
		return errQuarantined
	}
	return nil
}

// places looks before the scan whether its results can be written: nobody wants
// to hear of a missing folder an hour later, or to lose a file that is read.
func (c *scanCmd) places() error {
	for _, out := range []string{c.Report, c.Output, c.Quarantine, c.Quarantine + ".records"} {
		if out == "" || c.Quarantine == "" && out == ".records" {
			continue
		}
		if out != c.Quarantine && out != c.Quarantine+".records" {
			if err := writable(out); err != nil {
				return err
			}
		}
		st, err := os.Stat(out)
		if err != nil || !st.Mode().IsRegular() {
			continue
		}
		for _, in := range slices.Concat([]string{c.Mapping, c.Lender}, c.Records, c.Files) {
			if read, err := os.Stat(in); err == nil && os.SameFile(st, read) {
				return &bonafide.Error{Kind: bonafide.Invalid, Msg: out + " is read by this scan and would be overwritten: choose another place for the result"}
			}
		}
	}
	return nil
}

// config gathers everything the scan compares and grades with.
func (c *scanCmd) config() (pipeline.Config, error) {
	cfg := pipeline.Config{Version: version}
	var err error
	if cfg.Policy, err = loadPack(c.Policy); err != nil {
		return cfg, err
	}
	if cfg.Public, err = text.PublicLetters(); err != nil {
		return cfg, err
	}
	if c.Public != "" {
		own, err := readPublic(c.Public)
		if err != nil {
			return cfg, err
		}
		cfg.Public = append(cfg.Public, own...)
	}
	if c.Lender != "" {
		if cfg.Normalize, err = readLender(c.Lender); err != nil {
			return cfg, err
		}
	}
	cfg.Secret = []byte(os.Getenv("BONAFIDE_SECRET"))
	if len(cfg.Secret) == 0 {
		cfg.Secret = make([]byte, 32)
		rand.Read(cfg.Secret) // never fails: crypto/rand
	}
	return cfg, nil
}

// intake gathers how files are read.
func (c *scanCmd) intake(p *progress) (intake.Options, error) {
	opts := intake.Options{Progress: p.reading}
	file, err := parseSize(c.MaxFile)
	if err != nil {
		return opts, err
	}
	cell, err := parseSize(c.MaxCell)
	if err != nil {
		return opts, err
	}
	opts.Limits.File, opts.Limits.Field = file, int(min(cell, 1<<30))
	opts.Limits.Row = max(4<<20, 2*opts.Limits.Field)
	if c.Mapping == "" {
		return opts, nil
	}
	f, err := openFile(c.Mapping)
	if err != nil {
		return opts, err
	}
	defer f.Close()
	opts.Mapping, err = intake.ReadMapping(f)
	if e, ok := errors.AsType[*bonafide.Error](err); ok {
		e.Msg = filepath.Base(c.Mapping) + ": " + strings.TrimPrefix(e.Msg, "mapping: ")
	}
	return opts, err
}

// A righting holds the lender's records against complaints as they are read.
type righting struct {
	pack  *merit.Pack
	book  *recordBook
	known map[string]pipeline.Known
	now   time.Time
	aside int // lines of records that could not be used
}

// merit reads the lender's records, where some are given.
func (c *scanCmd) merit(ctx context.Context, s *streams, p *progress) (*righting, error) {
	r := &righting{known: map[string]pipeline.Known{}, now: time.Now()}
	if len(c.Records) == 0 {
		return r, nil
	}
	var err error
	if r.pack, err = loadMeritPack(c.Rules); err != nil {
		return nil, err
	}
	q := &quarantine{path: c.Quarantine + ".records"}
	defer q.close()
	r.book = newRecordBook(q)
	for _, file := range c.Records {
		if err := r.book.read(ctx, file, s.in, p); err != nil {
			return nil, err
		}
	}
	if err := r.book.settle(); err != nil {
		return nil, err
	}
	r.aside = r.book.count.Quarantined
	return r, q.close()
}

// check looks what the records say of one complaint.
func (r *righting) check(c *bonafide.Complaint) {
	if r.book == nil || c.Customer.Ref == "" {
		return
	}
	records := r.book.customers[c.Customer.Ref]
	if records == nil {
		return
	}
	m := r.pack.Check(c.Received, *records, r.now, r.pack.Zone())
	if k := pipeline.KnownOf(m); !k.Empty() {
		r.known[c.ID] = k
	}
}

// readFile reads one file and returns its base name.
func readFile(ctx context.Context, r *intake.Reader, path string, in io.Reader, add func(*bonafide.Complaint) error) (string, error) {
	if path == "-" {
		const name = "standard input"
		return name, r.Read(ctx, name, in, add)
	}
	name := filepath.Base(path)
	f, err := openFile(path)
	if err != nil {
		return name, err
	}
	defer f.Close()
	return name, r.Read(ctx, name, f, add)
}

// openFile opens a file to read; a folder is none.
func openFile(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, openError(path, err)
	}
	if st, err := f.Stat(); err == nil && st.IsDir() {
		f.Close()
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: path + " is a folder: name a file in it"}
	}
	return f, nil
}

// openError says why a file could not be opened.
func openError(path string, err error) error {
	why := "cannot be opened: " + err.Error()
	switch {
	case errors.Is(err, os.ErrNotExist):
		why = "there is no such file"
	case errors.Is(err, os.ErrPermission):
		why = "no permission to read it"
	}
	return &bonafide.Error{Kind: bonafide.Invalid, Msg: path + ": " + why, Err: err}
}

// write prints the result and writes the page.
func (c *scanCmd) write(s *streams, res *bonafide.Result) error {
	if c.Report != "" {
		if err := toFile(c.Report, func(w io.Writer) error { return report.HTML(w, res) }); err != nil {
			return err
		}
	}
	show := func(w io.Writer) error {
		switch c.Format {
		case "json":
			return report.JSON(w, res)
		case "csv":
			return report.CSV(w, res)
		}
		return report.Summary(w, res, report.SummaryOptions{Color: s.colour && c.Output == "", Report: c.Report})
	}
	if c.Output != "" {
		return toFile(c.Output, show)
	}
	return show(s.out)
}

// writable says why no file can be written at path.
func writable(path string) error {
	why := ""
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		why = "it is a folder: name a file in it"
	}
	dir := filepath.Dir(path)
	if st, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		why = fmt.Sprintf("there is no folder %s: make it, or choose another place", dir)
	} else if err == nil && !st.IsDir() {
		why = dir + " is no folder: choose another place"
	}
	if why == "" {
		return nil
	}
	return &bonafide.Error{Kind: bonafide.Invalid, Msg: path + " cannot be written: " + why}
}

// toFile writes a file whole or not at all. What is there and no plain file, a
// pipe or a device, is written to as it is.
func toFile(path string, write func(io.Writer) error) error {
	if err := writable(path); err != nil {
		return err
	}
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return toDevice(path, write)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".bonafide-*")
	if err != nil {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("%s cannot be written: %v", path, err), Err: err}
	}
	defer os.Remove(f.Name()) // gone already once renamed
	err = write(f)
	if err2 := f.Chmod(0o644); err == nil {
		err = err2
	}
	if err2 := f.Close(); err == nil {
		err = err2
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

func toDevice(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("%s cannot be written: %v", path, err), Err: err}
	}
	err = write(f)
	if err2 := f.Close(); err == nil {
		err = err2
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// keepQuarantined is how many rows set aside go into the result itself.
const keepQuarantined = 1000

// quarantine writes the rows that could not be used. The file is made when the first
// one comes.
type quarantine struct {
	path  string
	f     *os.File
	w     *csv.Writer
	first []bonafide.Quarantined
}

func (q *quarantine) add(r bonafide.Quarantined) error {
	if q.f == nil {
		f, err := os.Create(q.path)
		if err != nil {
			return &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("%s cannot be written: %v; choose another place with --quarantine", q.path, err), Err: err}
		}
		q.f, q.w = f, csv.NewWriter(f)
		if err := q.w.Write([]string{"file", "line", "column", "field", "reason"}); err != nil {
			return fmt.Errorf("write quarantine: %w", err)
		}
	}
	if len(q.first) < keepQuarantined {
		q.first = append(q.first, r)
	}
	column := ""
	if r.Column > 0 {
		column = strconv.Itoa(r.Column)
	}
	return q.w.Write([]string{report.Cell(r.File), strconv.Itoa(r.Line), column, report.Cell(r.Field), report.Cell(r.Reason)})
}

// close ends the file; more than once is harmless.
func (q *quarantine) close() error {
	if q.f == nil {
		return nil
	}
	q.w.Flush()
	err := q.w.Error()
	if err2 := q.f.Close(); err == nil {
		err = err2
	}
	q.f = nil
	if err != nil {
		return fmt.Errorf("write %s: %w", q.path, err)
	}
	return nil
}

// readLender reads the lender's own values.
func readLender(path string) (normalize.Config, error) {
	var l struct {
		Country string   `toml:"country"`
		Junk    []string `toml:"junk"`
		Own     []struct {
			Kind  bonafide.IdentifierKind `toml:"kind"`
			Value string                  `toml:"value"`
		} `toml:"own"`
	}
	if err := decodeTOML(path, &l); err != nil {
		return normalize.Config{}, err
	}
	wrong := func(format string, args ...any) (normalize.Config, error) {
		return normalize.Config{}, &bonafide.Error{Kind: bonafide.Invalid, Msg: filepath.Base(path) + ": " + fmt.Sprintf(format, args...)}
	}
	if l.Country != "" && len(l.Country) != 2 {
		return wrong("country %q: use the two letters of ISO 3166, such as CN, GB or BR", l.Country)
	}
	cfg := normalize.Config{Country: l.Country, Junk: l.Junk}
	for i, o := range l.Own {
		// A misspelt kind would let the lender's own number link its customers.
		if !slices.Contains(bonafide.IdentifierKinds, o.Kind) {
			return wrong("own %d: kind %q: use phone, email, handle, device, ip, address, account or sender", i+1, o.Kind)
		}
		if strings.TrimSpace(o.Value) == "" {
			return wrong("own %d: value is missing", i+1)
		}
		cfg.Own = append(cfg.Own, bonafide.Identifier{Kind: o.Kind, Value: o.Value})
	}
	return cfg, nil
}

// readPublic reads a folder of registered letters.
func readPublic(dir string) ([]text.Public, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) == 0 {
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: dir + ": no *.txt files with public letters there", Err: err}
	}
	var out []text.Public
	for _, f := range files {
		body, err := os.ReadFile(f)
		if err != nil {
			return nil, openError(f, err)
		}
		p, err := text.ParsePublic(string(body))
		if err != nil {
			return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: f + ": " + userMessage(err), Err: err}
		}
		out = append(out, p)
	}
	return out, nil
}
