package merit

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the zones of the packs, wherever the program runs

	"bonafide"

	"github.com/BurntSushi/toml"
)

//go:embed packs/*.toml
var packs embed.FS

// The rules, in the order in which findings of equal standing are told.
const (
	ThirdPartyAfterRefusal = "third-party-after-refusal"
	NightCall              = "night-call"
	TooManyCalls           = "too-many-calls"
	SettledStillDunned     = "settled-still-dunned"
	CostAboveLine          = "cost-above-line"
	FeeOutsideContract     = "fee-outside-contract"
	CreditRecordLate       = "credit-record-late"
	FailedOperation        = "failed-operation"
)

// order is that of the constants.
var order = []string{
	ThirdPartyAfterRefusal, NightCall, TooManyCalls, SettledStillDunned,
	CostAboveLine, FeeOutsideContract, CreditRecordLate, FailedOperation,
}

// A Pack is what the rules of one country say of a lender's conduct. It is safe for use
// by many goroutines.
type Pack struct {
	ID            string
	Version       string
	Title         string
	Jurisdiction  string
	Jurisdictions []string // packs of complaint rules that it belongs to: "cn-nfra"
	Basis         string
	LookBack      int // how many days before a complaint a breach may lie

	zone  *time.Location
	rules [8]*rule // as in order; nil is off
	cases []trial
}

// A Rule is what a pack says of one breach.
type Rule struct {
	ID       string
	Standing bonafide.Standing // how firmly a breach stands that the records show
	Basis    string
}

// A Failure is a case of a pack that did not come out as written.
type Failure struct{ Case, Want, Got string }

// rule is a rule with its numbers; which of them count depends on the rule.
type rule struct {
	Rule
	outsourced  bool // of outsourcers' calls only
	night       night
	perDay      int
	perWeek     int
	perContract bool
	attempts    bool // calls count whether or not somebody answered
	lines       []line
	days        int
}

// night is a time of day, over midnight or not.
type night struct {
	from, until time.Duration // since midnight
	after       bool          // from itself is still day
}

// clock writes a time of day as people do.
func clock(d time.Duration) string {
	return fmt.Sprintf("%02d:%02d", int(d.Hours()), int(d.Minutes())%60)
}

// has reports whether a time of day is at night.
func (n night) has(d time.Duration) bool {
	begun := d >= n.from
	if n.after {
		begun = d > n.from
	}
	if n.from > n.until {
		return begun || d < n.until
	}
	return begun && d < n.until
}

// line is a yearly cost that is not to be exceeded.
type line struct {
	bp       int64
	standing bonafide.Standing
	basis    string
}

// file is a pack as written.
type file struct {
	ID            string   `toml:"id"`
	Version       string   `toml:"version"`
	Title         string   `toml:"title"`
	Jurisdiction  string   `toml:"jurisdiction"`
	Jurisdictions []string `toml:"jurisdictions"`
	Basis         string   `toml:"basis"`
	Zone          string   `toml:"zone"`
	LookBack      int      `toml:"look_back_days"`
	LookBackBasis string   `toml:"look_back_basis"`

	ThirdParty *table `toml:"third-party-after-refusal"`
	Night      *struct {
		table
		From  string `toml:"from"`  // "22:00", which is night
		After string `toml:"after"` // "21:00", which is not
		Until string `toml:"until"` // "08:00", which is not
	} `toml:"night-call"`
	TooMany *struct {
		table
		PerDay      int    `toml:"calls_per_day"`
		PerWeek     int    `toml:"calls_per_week"` // within seven days in a row
		Counts      string `toml:"counts"`         // "effective" or "attempts"
		PerContract bool   `toml:"per_contract"`
	} `toml:"too-many-calls"`
	Settled *table `toml:"settled-still-dunned"`
	Cost    *struct {
		Lines []struct {
			BP       int64             `toml:"bp"`
			Standing bonafide.Standing `toml:"standing"`
			Basis    string            `toml:"basis"`
		} `toml:"line"`
	} `toml:"cost-above-line"`
	Fee    *table `toml:"fee-outside-contract"`
	Credit *struct {
		table
		Days int `toml:"days"`
	} `toml:"credit-record-late"`
	Failed *struct {
		table
		Days int `toml:"failure_days"`
	} `toml:"failed-operation"`
	Cases []trial `toml:"case"`
}

// table is what every rule has.
type table struct {
	Standing   bonafide.Standing `toml:"standing"`
	Basis      string            `toml:"basis"`
	Outsourced bool              `toml:"outsourced"`
}

// trial is a pack's own test: records as they are handed in, and the rules that they
// break.
type trial struct {
	Name     string   `toml:"name"`
	Received string   `toml:"received"` // RFC 3339
	Records  []string `toml:"records"`  // as ParseRecord takes them
	Want     []string `toml:"want"`
}

const (
	maxPack = 1 << 20
	maxDays = 3660
)

// lookBack is how many days before a complaint a breach may lie, where a pack does not
// say.
const lookBack = 365

var builtIn = sync.OnceValue(func() []*Pack {
	names, err := fs.Glob(packs, "packs/*.toml")
	if err != nil {
		panic(err) // the pattern is constant
	}
	var out []*Pack
	for _, name := range names {
		body, err := packs.ReadFile(name)
		if err != nil {
			panic(err)
		}
		p, err := Parse(path.Base(name), body)
		if err != nil {
			panic(err) // that the packs of the binary are sound is tested
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *Pack) int { return strings.Compare(a.ID, b.ID) })
	return out
})

// List returns the ids of the built-in packs, ascending.
func List() []string {
	var out []string
	for _, p := range builtIn() {
		out = append(out, p.ID)
	}
	return out
}

// Load returns a built-in pack. The error of an unknown id lists those there are.
func Load(id string) (*Pack, error) {
	for _, p := range builtIn() {
		if p.ID == id {
			return p, nil
		}
	}
	return nil, &bonafide.Error{Kind: bonafide.NotFound, Msg: fmt.Sprintf("no pack of conduct rules %q: there are %s", id, strings.Join(List(), ", "))}
}

// For returns the built-in pack that belongs to a pack of complaint rules, such as
// "cn-nfra".
func For(caseworkPack string) (*Pack, bool) {
	for _, p := range builtIn() {
		if slices.Contains(p.Jurisdictions, caseworkPack) {
			return p, true
		}
	}
	return nil, false
}

// Parse reads a pack. It is strict: a key that is not known, and a rule without a basis,
// is an error of kind Invalid that names the key. name is used in messages.
func Parse(name string, text []byte) (*Pack, error) {
	p, err := read(text)
	if err != nil {
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: name + ": " + err.Error()}
	}
	return p, nil
}

// Name returns the pack with its version: "cn 2025.1".
func (p *Pack) Name() string { return p.ID + " " + p.Version }

// Zone returns the zone of who is called where a record does not say it.
func (p *Pack) Zone() *time.Location { return p.zone }

// Rules returns the rules that the pack has, in the order of their findings. The basis
// of cost-above-line is that of its highest line.
func (p *Pack) Rules() []Rule {
	var out []Rule
	for _, r := range p.rules {
		if r != nil {
			out = append(out, r.Rule)
		}
	}
	return out
}

// Test runs the cases that the pack carries.
func (p *Pack) Test() (ran int, failed []Failure) {
	for _, c := range p.cases {
		ran++
		got, err := p.try(c)
		want := strings.Join(c.Want, ", ")
		if err != nil {
			failed = append(failed, Failure{c.Name, want, err.Error()})
		} else if got != want {
			failed = append(failed, Failure{c.Name, want, got})
		}
	}
	return ran, failed
}

// try returns the rules that a case's records break.
func (p *Pack) try(c trial) (string, error) {
	received, err := time.Parse(time.RFC3339, c.Received)
	if err != nil {
		return "", at("received", "not a time such as 2026-01-31T09:00:00+08:00")
	}
	var r Records
	for i, line := range c.Records {
		rec, err := ParseRecord([]byte(line))
		if err != nil {
			return "", at(fmt.Sprintf("records[%d]", i), "%v", err)
		}
		r.Add(rec)
	}
	var out []string
	for _, f := range p.Check(received, r, received, nil).Findings {
		out = append(out, f.Rule)
	}
	return strings.Join(slices.Compact(out), ", "), nil
}

// at returns an error about one key.
func at(key, format string, args ...any) error { return fmt.Errorf(key+": "+format, args...) }

func read(text []byte) (*Pack, error) {
	if len(text) > maxPack {
		return nil, fmt.Errorf("larger than %d bytes", maxPack)
	}
	var f file
	meta, err := toml.Decode(string(text), &f)
	if err != nil {
		if located, ok := errors.AsType[toml.ParseError](err); ok && located.LastKey != "" {
			return nil, fmt.Errorf("%s: line %d: %s", located.LastKey, located.Position.Line, located.Message)
		}
		return nil, err
	}
	if rest := meta.Undecoded(); len(rest) > 0 {
		return nil, at(rest[0].String(), "not a key that a pack has")
	}
	for _, k := range [...]struct{ key, value string }{
		{"id", f.ID}, {"version", f.Version}, {"title", f.Title}, {"jurisdiction", f.Jurisdiction}, {"basis", f.Basis},
	} {
		if strings.TrimSpace(k.value) == "" {
			return nil, at(k.key, "missing")
		}
	}
	p := &Pack{
		ID: f.ID, Version: f.Version, Title: f.Title, Jurisdiction: f.Jurisdiction, Jurisdictions: f.Jurisdictions,
		Basis: f.Basis, LookBack: lookBack, cases: f.Cases,
	}
	if f.Zone == "" || f.Zone == "Local" {
		return nil, at("zone", "must name a zone, such as Europe/London")
	}
	if p.zone, err = time.LoadLocation(f.Zone); err != nil {
		return nil, at("zone", "no zone %q", f.Zone)
	}
	if meta.IsDefined("look_back_days") {
		if p.LookBack, err = days("look_back_days", f.LookBack); err != nil {
			return nil, err
		}
		if strings.TrimSpace(f.LookBackBasis) == "" {
			return nil, at("look_back_basis", "missing")
		}
	}
	if err := p.readRules(&f); err != nil {
		return nil, err
	}
	if len(p.Rules()) == 0 {
		return nil, at("night-call", "a pack needs one rule at least")
	}
	for i, c := range p.cases {
		if strings.TrimSpace(c.Name) == "" {
			return nil, at(fmt.Sprintf("case[%d].name", i+1), "missing")
		}
	}
	return p, nil
}

func days(key string, n int) (int, error) {
	if n < 1 || n > maxDays {
		return 0, at(key, "must lie between 1 and %d", maxDays)
	}
	return n, nil
}

// standing checks how firmly a rule stands; nothing said is substantiated.
func standing(key string, s bonafide.Standing) (bonafide.Standing, error) {
	switch s {
	case "":
		return bonafide.Substantiated, nil
	case bonafide.Substantiated, bonafide.Indicated:
		return s, nil
	}
	return "", at(key+".standing", "must be %s or %s", bonafide.Substantiated, bonafide.Indicated)
}

// set enters a rule of which the common part is t.
func (p *Pack) set(id string, t *table) (*rule, error) {
	s, err := standing(id, t.Standing)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(t.Basis) == "" {
		return nil, at(id+".basis", "missing")
	}
	i := slices.Index(order, id)
	if t.Outsourced && i > slices.Index(order, SettledStillDunned) {
		return nil, at(id+".outsourced", "only rules of calls know it")
	}
	p.rules[i] = &rule{Rule: Rule{ID: id, Standing: s, Basis: t.Basis}, outsourced: t.Outsourced}
	return p.rules[i], nil
}

func (p *Pack) readRules(f *file) error {
	for _, t := range [...]struct {
		id string
		*table
	}{{ThirdPartyAfterRefusal, f.ThirdParty}, {SettledStillDunned, f.Settled}, {FeeOutsideContract, f.Fee}} {
		if t.table == nil {
			continue
		}
		if _, err := p.set(t.id, t.table); err != nil {
			return err
		}
	}
	for _, part := range []func(*file) error{p.readNight, p.readTooMany, p.readCost, p.readDays} {
		if err := part(f); err != nil {
			return err
		}
	}
	return nil
}

func (p *Pack) readNight(f *file) error {
	if f.Night == nil {
		return nil
	}
	r, err := p.set(NightCall, &f.Night.table)
	if err != nil {
		return err
	}
	from := f.Night.From
	if r.night.after = f.Night.After != ""; r.night.after {
		if from != "" {
			return at(NightCall+".after", "either from or after: 22:00 is night by the one, and not yet by the other")
		}
		from = f.Night.After
	}
	for _, t := range [...]struct {
		key, text string
		to        *time.Duration
	}{{"from", from, &r.night.from}, {"until", f.Night.Until, &r.night.until}} {
		day, err := time.Parse("15:04", t.text)
		if err != nil || len(t.text) != 5 {
			return at(NightCall+"."+t.key, "must be a time of day such as 22:00")
		}
		*t.to = time.Duration(day.Hour())*time.Hour + time.Duration(day.Minute())*time.Minute
	}
	if r.night.from == r.night.until {
		return at(NightCall+".until", "must differ from its beginning")
	}
	return nil
}

func (p *Pack) readTooMany(f *file) error {
	if f.TooMany == nil {
		return nil
	}
	r, err := p.set(TooManyCalls, &f.TooMany.table)
	if err != nil {
		return err
	}
	r.perDay, r.perWeek, r.perContract = f.TooMany.PerDay, f.TooMany.PerWeek, f.TooMany.PerContract
	if r.perDay < 0 || r.perWeek < 0 || r.perDay > 1000 || r.perWeek > 1000 || r.perDay+r.perWeek == 0 {
		return at(TooManyCalls+".calls_per_day", "it or calls_per_week must lie between 1 and 1000")
	}
	switch f.TooMany.Counts {
	case "effective":
	case "attempts":
		r.attempts = true
	default:
		return at(TooManyCalls+".counts", "must be effective or attempts")
	}
	return nil
}

func (p *Pack) readCost(f *file) error {
	if f.Cost == nil {
		return nil
	}
	if len(f.Cost.Lines) == 0 {
		return at(CostAboveLine+".line", "needs one at least")
	}
	var lines []line
	for i, l := range f.Cost.Lines {
		key := fmt.Sprintf("%s.line[%d]", CostAboveLine, i+1)
		s, err := standing(key, l.Standing)
		switch {
		case err != nil:
			return err
		case l.BP < 1 || l.BP > 1_000_000:
			return at(key+".bp", "must lie between 1 and 1000000 basis points: 3600 for 36 %%")
		case strings.TrimSpace(l.Basis) == "":
			return at(key+".basis", "missing")
		case slices.ContainsFunc(lines, func(o line) bool { return o.bp == l.BP }):
			return at(key+".bp", "stands twice")
		}
		lines = append(lines, line{l.BP, s, l.Basis})
	}
	slices.SortFunc(lines, func(a, b line) int { return int(b.bp - a.bp) })
	r, err := p.set(CostAboveLine, &table{Standing: lines[0].standing, Basis: lines[0].basis})
	if err != nil {
		return err
	}
	r.lines = lines
	return nil
}

func (p *Pack) readDays(f *file) error {
	if f.Credit != nil {
		r, err := p.set(CreditRecordLate, &f.Credit.table)
		if err != nil {
			return err
		}
		if r.days, err = days(CreditRecordLate+".days", f.Credit.Days); err != nil {
			return err
		}
	}
	if f.Failed != nil {
		r, err := p.set(FailedOperation, &f.Failed.table)
		if err != nil {
			return err
		}
		if r.days, err = days(FailedOperation+".failure_days", f.Failed.Days); err != nil {
			return err
		}
	}
	return nil
}
