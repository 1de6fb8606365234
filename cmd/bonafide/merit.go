package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"bonafide"
	"bonafide/intake"
	"bonafide/merit"
	"bonafide/report"
)

type meritCmd struct {
	Files []string `arg:"" help:"NDJSON of the lender's records, plain or gzip; - reads standard input." placeholder:"FILE"`

	Complaints string `help:"Check the customers of these complaints (CSV or NDJSON), each as of its day; everybody as of --as-of if left out." placeholder:"FILE"`
	Rules      string `help:"Pack of conduct rules: one of those below, or a TOML file." default:"cn" placeholder:"PACK"`
	Zone       string `help:"Zone of who was called where a call says UTC, such as Asia/Shanghai; the pack's own if left out." placeholder:"ZONE"`
	AsOf       string `help:"Look at the records as of this day or time (2026-01-31, 2026-01-31T09:00:00+08:00); now if left out." placeholder:"DATE"`
	Format     string `help:"What to print: ${enum}." enum:"text,json,csv" default:"text"`
	Show       int    `help:"How many findings the text tells." default:"10"`
	Out        string `short:"o" help:"Print to this file instead of standard output." placeholder:"PATH"`
	Quarantine string `help:"Where lines that could not be used are listed; written only if there are any." default:"quarantine.csv" placeholder:"PATH"`
	Quiet      bool   `short:"q" help:"Show no progress, even on a terminal."`
}

// Help is shown by merit --help.
func (meritCmd) Help() string {
	var packs strings.Builder
	for _, id := range merit.List() {
		p, err := merit.Load(id)
		if err != nil {
			continue
		}
		var rules []string
		for _, r := range p.Rules() {
			rules = append(rules, r.ID)
		}
		fmt.Fprintf(&packs, "  %s  %s\n      %s\n", id, p.Title, strings.Join(rules, ", "))
	}
	return `
Looks into the lender's own records for what it did wrong, before anybody asks who
is behind a complaint: calls at night, too many calls, contacts called after they
refused, cost, charges, settled debts, credit records, failed operations. Says too
which rules nothing was handed in for: of those nothing is known.

Each line of the records is a JSON object with its kind, one of call, contract,
third-party, objection, failure:

  {"kind":"call","id":"K1","customer_ref":"R7","started":"2026-03-01T22:00:00+08:00",
   "duration_s":40,"direction":"out","party":"debtor","effective":true}
  {"kind":"contract","id":"L1","customer_ref":"R7","principal":100000,"currency":"CNY",
   "opened":"2025-03-10","schedule":[{"due":"2026-03-10","amount":124000}],
   "fees":[{"kind":"guarantee","amount":12000}]}
  {"kind":"third-party","id":"P1","customer_ref":"R7","refused":"2026-02-01T09:00:00+08:00"}
  {"kind":"objection","id":"O1","customer_ref":"R7","filed":"2026-01-05","answered":"2026-02-10"}
  {"kind":"failure","id":"F1","customer_ref":"R7","at":"2026-03-01T09:00:00+08:00",
   "what":"payment","cause":"core banking down"}

(each on one line of its own). Money is in minor units: 100000 is 1,000.00. With
--complaints the breaches that many customers complain of at once, the lender's
incidents, are told first.

Exit status: 0 done, 1 failed, 2 wrong command line, 3 done but some lines were set
aside (see the quarantine file).

  bonafide synth world.ndjson --records records.ndjson
  bonafide merit records.ndjson --complaints world.ndjson
  bonafide merit calls.ndjson.gz contracts.ndjson --format csv -o findings.csv

Packs of rules:
` + packs.String()
}

// checked is what the records say of one customer, or of one complaint by them.
type checked struct {
	Complaint string         `json:"complaint,omitempty"`
	Customer  string         `json:"customer"`
	Received  time.Time      `json:"received,omitzero"`
	Merit     bonafide.Merit `json:"merit"`
}

// meritResult is everything that a run found.
type meritResult struct {
	Rules     string              `json:"rules"`
	Zone      string              `json:"zone"`
	AsOf      time.Time           `json:"as_of"`
	Read      meritRead           `json:"read"`
	Summary   []meritSum          `json:"summary"`
	Incidents []bonafide.Incident `json:"incidents,omitempty"`
	Checked   []checked           `json:"checked"`

	title string
}

// meritRead counts what was read.
type meritRead struct {
	Records     map[string]int `json:"records"` // by kind
	Customers   int            `json:"customers"`
	Repeated    int            `json:"repeated"`
	Quarantined int            `json:"quarantined"`
	// Complaints are those of --complaints, Matched those whose customer has records.
	Complaints int `json:"complaints,omitempty"`
	Matched    int `json:"matched,omitempty"`
}

// meritSum sums up one rule.
type meritSum struct {
	Rule      string `json:"rule"`
	Customers int    `json:"customers"` // with a finding; complaints, where there are any
	Findings  int    `json:"findings"`
	Indicated int    `json:"indicated"` // findings that a person has to weigh
	Breaches  int    `json:"breaches"`
	Tested    int    `json:"tested"` // customers or complaints
	Untested  int    `json:"untested"`
}

// Run checks.
func (c *meritCmd) Run(ctx context.Context, s *streams) error {
	pack, err := loadMeritPack(c.Rules)
	if err != nil {
		return err
	}
	zone := pack.Zone()
	if c.Zone != "" {
		if zone, err = time.LoadLocation(c.Zone); err != nil || c.Zone == "Local" {
			return &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("--zone: no zone %q: name one such as Asia/Shanghai", c.Zone)}
		}
	}
	now := time.Now()
	if c.AsOf != "" {
		if now, err = asOf(c.AsOf, zone); err != nil {
			return err
		}
	}
	if err := c.places(); err != nil {
		return err
	}
	p := &progress{w: s.err, on: s.terminal && !c.Quiet, start: time.Now()}
	q := &quarantine{path: c.Quarantine}
	defer q.close()
	book := newRecordBook(q)
	for _, file := range c.Files {
		if err := book.read(ctx, file, s.in, p); err != nil {
			p.clear()
			return err
		}
	}
	if err := book.settle(); err != nil {
		p.clear()
		return err
	}
	if len(book.customers) == 0 {
		p.clear()
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("no usable record in %s: %d lines were set aside; see %s", strings.Join(c.Files, ", "), book.count.Quarantined, c.Quarantine)}
	}
	res := &meritResult{Rules: pack.Name(), Zone: zone.String(), AsOf: now, title: pack.Title}
	if c.Complaints == "" {
		refs := slices.Sorted(maps.Keys(book.customers))
		for i, ref := range refs {
			if i%1000 == 0 {
				if err := ctx.Err(); err != nil {
					return err
				}
				p.stage("checking", i, len(refs))
			}
			res.Checked = append(res.Checked, checked{Customer: ref, Merit: pack.Check(time.Time{}, *book.customers[ref], now, zone)})
		}
	} else if err := c.checkComplaints(ctx, s, p, book, pack, res, zone); err != nil {
		p.clear()
		return err
	}
	p.clear()
	res.Read = book.count
	res.Read.Customers = len(book.customers)
	res.sum(pack)
	if err := q.close(); err != nil {
		return err
	}
	write := func(w io.Writer) error {
		b := bufio.NewWriter(w)
		if err := c.write(b, res); err != nil {
			return err
		}
		return b.Flush()
	}
	if c.Out != "" {
		err = toFile(c.Out, write)
	} else {
		err = write(s.out)
	}
	if err != nil {
		return err
	}
	if n := book.count.Quarantined; n > 0 {
		fmt.Fprintf(s.err, "bonafide: %d lines were set aside; %s says which and why\n", n, c.Quarantine)
		return errQuarantined
	}
	return nil
}

// loadMeritPack loads a built-in pack by id, or a file.
func loadMeritPack(name string) (*merit.Pack, error) {
	if !strings.HasSuffix(name, ".toml") {
		return merit.Load(name)
	}
	f, err := openFile(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	body, err := io.ReadAll(io.LimitReader(f, maxTOML+1))
	if err != nil {
		return nil, openError(name, err)
	}
	return merit.Parse(filepath.Base(name), body)
}

// asOf reads a time, or a day, which is meant as a whole.
func asOf(text string, zone *time.Location) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		return t, &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("--as-of: %q is no day such as 2026-01-31 and no time such as 2026-01-31T09:00:00+08:00", text)}
	}
	return t.AddDate(0, 0, 1).Add(-time.Nanosecond), nil
}

// places looks before the work whether its results can be written, and would overwrite
// nothing that is read.
func (c *meritCmd) places() error {
	if c.Out != "" {
		if err := writable(c.Out); err != nil {
			return err
		}
	}
	for _, out := range []string{c.Out, c.Quarantine} {
		st, err := os.Stat(out)
		if out == "" || err != nil || !st.Mode().IsRegular() {
			continue
		}
		for _, in := range append([]string{c.Complaints, c.Rules}, c.Files...) {
			if read, err := os.Stat(in); err == nil && os.SameFile(st, read) {
				return &bonafide.Error{Kind: bonafide.Invalid, Msg: out + " is read here and would be overwritten: choose another place for the result"}
			}
		}
	}
	return nil
}

// recordBook holds records by customer while they are read.
type recordBook struct {
	aside     *quarantine
	customers map[string]*merit.Records
	owner     map[string]string // of a contract
	seen      map[string]uint64 // what stood under a kind and id
	orphans   []orphan
	count     meritRead
}

// orphan is a call that names a contract and no customer: the contract may come later.
type orphan struct {
	file string
	line int
	call bonafide.CollectionCall
}

func newRecordBook(q *quarantine) *recordBook {
	return &recordBook{
		aside: q, customers: map[string]*merit.Records{}, owner: map[string]string{}, seen: map[string]uint64{},
		count: meritRead{Records: map[string]int{}},
	}
}

func (b *recordBook) quarantine(q bonafide.Quarantined) error {
	b.count.Quarantined++
	return b.aside.add(q)
}

func (b *recordBook) of(ref string) *merit.Records {
	r := b.customers[ref]
	if r == nil {
		r = &merit.Records{}
		b.customers[ref] = r
	}
	return r
}

// read reads one file.
func (b *recordBook) read(ctx context.Context, path string, in io.Reader, p *progress) error {
	name := "standard input"
	if path != "-" {
		f, err := openFile(path)
		if err != nil {
			return err
		}
		defer f.Close()
		name, in = filepath.Base(path), f
	}
	opts := intake.Options{Progress: p.reading, Quarantine: b.quarantine}
	return intake.ReadObjects(ctx, name, in, opts, func(line int, body []byte) error {
		rec, err := merit.ParseRecord(body)
		if err != nil {
			return err
		}
		row, ref := rec.Ref()
		key := row.Kind + "\x00" + row.ID
		if rec.ThirdParty != nil { // contact lists number their people anew for each customer
			key += "\x00" + ref
		}
		h := fnv.New64a()
		h.Write(body)
		switch was, known := b.seen[key]; {
		case known && was == h.Sum64():
			b.count.Repeated++
			return nil
		case known:
			return &bonafide.Error{Kind: bonafide.Invalid, Msg: "id: used before by another " + row.Kind + ": give every record its own id"}
		}
		b.seen[key] = h.Sum64()
		if rec.Contract != nil {
			b.owner[row.ID] = ref
		}
		if rec.Call != nil && ref == "" {
			b.orphans = append(b.orphans, orphan{name, line, *rec.Call})
			return nil
		}
		b.count.Records[row.Kind]++
		b.of(ref).Add(rec)
		return nil
	})
}

// settle gives calls that name a contract alone to its customer.
func (b *recordBook) settle() error {
	for i := range b.orphans {
		o := &b.orphans[i]
		ref, known := b.owner[o.call.Contract]
		if !known {
			if err := b.quarantine(bonafide.Quarantined{
				File: o.file, Line: o.line, Field: "contract", Reason: "not among the contracts handed in, and no customer_ref either: say whose debt it is",
			}); err != nil {
				return err
			}
			continue
		}
		b.count.Records["call"]++
		b.of(ref).Calls = append(b.of(ref).Calls, o.call)
	}
	b.orphans, b.seen = nil, nil
	return nil
}

// checkComplaints checks the customer of each complaint as of its day, and looks for
// incidents.
func (c *meritCmd) checkComplaints(ctx context.Context, s *streams, p *progress, book *recordBook, pack *merit.Pack, res *meritResult, zone *time.Location) error {
	var found []merit.Substantiated
	perDay := map[bonafide.Day]int{}
	var first, last time.Time
	reader := intake.NewReader(intake.Options{Progress: p.reading, Quarantine: book.quarantine})
	err := func() error {
		f, err := openFile(c.Complaints)
		if err != nil {
			return err
		}
		defer f.Close()
		return reader.Read(ctx, filepath.Base(c.Complaints), f, func(g *bonafide.Complaint) error {
			book.count.Complaints++
			if at := g.Received.UTC(); !at.IsZero() {
				perDay[bonafide.Day(at.Format(time.DateOnly))]++
				if first.IsZero() || at.Before(first) {
					first = at
				}
				if at.After(last) {
					last = at
				}
			}
			r := book.customers[g.Customer.Ref]
			if g.Customer.Ref == "" || r == nil {
				return nil
			}
			book.count.Matched++
			m := pack.Check(g.Received, *r, res.AsOf, zone)
			res.Checked = append(res.Checked, checked{Complaint: g.ID, Customer: g.Customer.Ref, Received: g.Received, Merit: m})
			if m.Substantiated() && !g.Received.IsZero() {
				h := fnv.New64a()
				h.Write([]byte(g.Customer.Ref))
				found = append(found, merit.Substantiated{Complaint: g.ID, Customer: h.Sum64(), Received: g.Received, Findings: m.Findings})
			}
			return nil
		})
	}()
	if err != nil {
		return err
	}
	for _, w := range reader.Summary().Warnings {
		fmt.Fprintln(s.err, "bonafide:", w)
	}
	slices.SortFunc(res.Checked, func(a, b checked) int {
		return cmp.Or(a.Received.Compare(b.Received), cmp.Compare(a.Complaint, b.Complaint))
	})
	res.Incidents = merit.Incidents(found, merit.IncidentOptions{From: first, To: last, PerDay: perDay})
	return nil
}

// sum sums up the rules of the pack.
func (r *meritResult) sum(p *merit.Pack) {
	at := map[string]int{}
	for i, rule := range p.Rules() {
		r.Summary = append(r.Summary, meritSum{Rule: rule.ID})
		at[rule.ID] = i
	}
	for i := range r.Checked {
		m := &r.Checked[i].Merit
		for _, id := range m.Tested {
			r.Summary[at[id]].Tested++
		}
		for _, id := range m.Untested {
			r.Summary[at[id]].Untested++
		}
		last := ""
		for _, id := range slices.Sorted(func(yield func(string) bool) {
			for _, f := range m.Findings {
				if !yield(f.Rule) {
					return
				}
			}
		}) {
			if id != last {
				r.Summary[at[id]].Customers++
			}
			last = id
		}
		for _, f := range m.Findings {
			sum := &r.Summary[at[f.Rule]]
			sum.Findings++
			sum.Breaches += f.Count
			if f.Standing == bonafide.Indicated {
				sum.Indicated++
			}
		}
	}
}

// write prints the result.
func (c *meritCmd) write(w *bufio.Writer, r *meritResult) error {
	switch c.Format {
	case "json":
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(r)
	case "csv":
		return r.csv(w)
	}
	return r.text(w, c)
}

// csv writes a line for each finding.
func (r *meritResult) csv(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"complaint", "customer", "received", "rule", "standing", "count", "from", "to", "text", "basis", "rows"}); err != nil {
		return fmt.Errorf("write findings: %w", err)
	}
	for i := range r.Checked {
		k := &r.Checked[i]
		received := ""
		if !k.Received.IsZero() {
			received = k.Received.Format(time.RFC3339)
		}
		for _, f := range k.Merit.Findings {
			row := []string{
				k.Complaint, k.Customer, received, f.Rule, string(f.Standing), strconv.Itoa(f.Count),
				f.From.Format(time.RFC3339), f.To.Format(time.RFC3339), f.Text, f.Basis, rowList(f.Rows, len(f.Rows)),
			}
			for i := range row {
				row[i] = report.Cell(row[i])
			}
			if err := out.Write(row); err != nil {
				return fmt.Errorf("write findings: %w", err)
			}
		}
	}
	out.Flush()
	return out.Error()
}

// rowList names rows, the first most of them.
func rowList(rows []bonafide.RowRef, most int) string {
	var out []string
	for _, r := range rows[:min(most, len(rows))] {
		out = append(out, r.Kind+" "+r.ID)
	}
	if more := len(rows) - most; more > 0 {
		out = append(out, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(out, "; ")
}

// number writes a count and what it counts.
func number(n int, one string) string {
	switch {
	case n == 1:
		return "1 " + one
	case strings.HasSuffix(one, "y"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(one, "y"))
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// text writes what a busy person needs.
func (r *meritResult) text(w *bufio.Writer, c *meritCmd) error {
	what, column := "customer", "customers"
	fmt.Fprintf(w, "Rules       %s, %s\n", r.Rules, r.title)
	var read []string
	for _, kind := range merit.Kinds {
		if n := r.Read.Records[kind]; n > 0 {
			read = append(read, number(n, strings.Replace(kind, "-", " ", 1)))
		}
	}
	fmt.Fprintf(w, "Read        %s of %s", strings.Join(read, ", "), number(r.Read.Customers, "customer"))
	if r.Read.Repeated > 0 {
		fmt.Fprintf(w, "; %d repeated", r.Read.Repeated)
	}
	if r.Read.Quarantined > 0 {
		fmt.Fprintf(w, "\nSet aside   %s: see %s", number(r.Read.Quarantined, "line"), c.Quarantine)
	}
	if c.Complaints != "" {
		what, column = "complaint", "complaints"
		fmt.Fprintf(w, "\nChecked     %d of %s: the others name no customer with records\n", r.Read.Matched, number(r.Read.Complaints, "complaint"))
		fmt.Fprintf(w, "\nIncidents of the lender: one breach that many customers complain of at once\n")
		if len(r.Incidents) == 0 {
			fmt.Fprintf(w, "  none\n")
		}
		for _, i := range r.Incidents {
			fmt.Fprintf(w, "  %s  %s: %s by %s, %s to %s\n", i.ID, i.Rule, number(len(i.Complaints), "complaint"), number(i.Customers, "customer"),
				i.From.Format(time.DateOnly), i.To.Format(time.DateOnly))
			for _, why := range i.Why {
				fmt.Fprintf(w, "      %s\n", why)
			}
		}
	} else {
		fmt.Fprintf(w, "\nChecked     as of %s\n", r.AsOf.Format("2006-01-02 15:04 -07:00"))
	}
	fmt.Fprintln(w)
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(tab, "%s\tfindings\tto weigh\tbreaches\ttested\tuntested\t  rule\n", column)
	var silent []string
	for _, s := range r.Summary {
		fmt.Fprintf(tab, "%d\t%d\t%d\t%d\t%d\t%d\t  %s\n", s.Customers, s.Findings, s.Indicated, s.Breaches, s.Tested, s.Untested, s.Rule)
		if s.Tested == 0 {
			silent = append(silent, s.Rule)
		}
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	if len(silent) > 0 {
		fmt.Fprintf(w, "\nUntested: nothing was handed in that could show %s. Of them nothing is known.\n", strings.Join(silent, ", "))
	}
	type told struct {
		*checked
		*bonafide.Finding
	}
	var all []told
	for i := range r.Checked {
		for j := range r.Checked[i].Merit.Findings {
			all = append(all, told{&r.Checked[i], &r.Checked[i].Merit.Findings[j]})
		}
	}
	slices.SortStableFunc(all, func(a, b told) int { // substantiated first, as in the alphabet it is last
		return cmp.Compare(b.Finding.Standing, a.Finding.Standing)
	})
	if show := min(len(all), max(c.Show, 0)); show > 0 {
		fmt.Fprintf(w, "\nFindings, %d of %d\n", show, len(all))
		for _, f := range all[:show] {
			who := f.Customer
			if f.Complaint != "" {
				who = f.Complaint
			}
			fmt.Fprintf(w, "  %s %s  %s, %s\n      %s\n      %s to %s: %s\n", what, who, f.Rule, f.Standing, f.Text,
				f.From.Format(time.DateOnly), f.To.Format(time.DateOnly), rowList(f.Rows, 5))
		}
		fmt.Fprintf(w, "\nAll of them: --format csv, or --format json\n")
	}
	return nil
}
