package casework

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"text/template"
	"time"

	"bonafide"

	"github.com/BurntSushi/toml"
)

//go:embed packs/*.toml
var files embed.FS

// A Pack is what the rules of one jurisdiction say: its calendar, its clocks and
// their extensions, the grounds of declining, and what letters must tell. A pack
// is safe for use by many goroutines.
type Pack struct {
	Name     string `json:"name"` // "cn-nfra"
	Title    string `json:"title"`
	Basis    string `json:"basis"`
	Language string `json:"language"` // its own, for titles and letters that lack the one asked for

	english       string // en-GB or en-US: how English dates are written
	calendar      calendar
	remind        []int
	deadlines     []Deadline
	extensions    []Extension
	grounds       []Ground
	otherReviewer bool // a review is decided by somebody else
	texts         map[string]parts
	letters       map[string]map[string]*letter // of the pack alone: kind, language
	cases         []trial
}

// A Ground is one reason for which the rules let a complaint be declined.
type Ground struct {
	ID     string `json:"id"`
	Title  string `json:"title"` // in English
	Titles Text   `json:"titles"`
	Basis  string `json:"basis"`
}

// A Failure is a case of a pack that did not come out as written.
type Failure struct{ Case, Want, Got string }

// file is a pack as written.
type file struct {
	Name     string `toml:"name"`
	Title    string `toml:"title"`
	Basis    string `toml:"basis"`
	Language string `toml:"language"`
	English  string `toml:"english"`
	Remind   []int  `toml:"remind"`
	Calendar struct {
		Zone     string            `toml:"zone"`
		Weekend  []string          `toml:"weekend"`
		From     int               `toml:"complete_from"`
		Until    int               `toml:"complete_until"`
		Basis    string            `toml:"basis"`
		Counting string            `toml:"counting"` // why the first day is not counted
		Holidays map[string]string `toml:"holidays"`
		Workdays map[string]string `toml:"workdays"`
	} `toml:"calendar"`
	Review struct {
		OtherPerson bool   `toml:"other_person"`
		Basis       string `toml:"basis"`
	} `toml:"review"`
	Clocks []struct {
		Name     string `toml:"name"`
		Title    Text   `toml:"title"`
		Days     int    `toml:"days"`
		Business bool   `toml:"business"`
		Roll     Roll   `toml:"roll"`
		Starts   []Verb `toml:"starts"`
		Met      []Verb `toml:"met"`
		Chosen   bool   `toml:"chosen"`
		Option   bool   `toml:"option"`
		House    bool   `toml:"house"`
		Remind   []int  `toml:"remind"`
		Basis    string `toml:"basis"`
	} `toml:"clock"`
	Extensions []struct {
		Clock    string `toml:"clock"`
		Title    Text   `toml:"title"`
		Days     int    `toml:"days"`
		Approval bool   `toml:"approval"`
		Answers  bool   `toml:"answers"`
		Basis    string `toml:"basis"`
	} `toml:"extension"`
	Grounds []struct {
		ID    string `toml:"id"`
		Title Text   `toml:"title"`
		Basis string `toml:"basis"`
	} `toml:"ground"`
	Text    map[string]parts `toml:"text"`
	Letters []struct {
		Kind  string `toml:"kind"`
		Lang  string `toml:"lang"`
		Title string `toml:"title"`
		Body  string `toml:"body"`
	} `toml:"letter"`
	Cases []trial `toml:"case"`
}

// A trial is a pack's own test: a clock that counts from a moment, extended so
// many times, is due on a day of the pack's zone.
type trial struct {
	Name     string `toml:"name"`
	Clock    string `toml:"clock"`
	From     string `toml:"from"` // RFC 3339
	Extended int    `toml:"extended"`
	Due      string `toml:"due"`
}

// builtIn parses the packs of the binary once. That they are sound is tested.
var builtIn = sync.OnceValue(func() []*Pack {
	names, err := fs.Glob(files, "packs/*.toml")
	if err != nil {
		panic(err) // the pattern is constant
	}
	var out []*Pack
	for _, name := range names {
		body, err := files.ReadFile(name)
		if err != nil {
			panic(err)
		}
		p, err := Parse(path.Base(name), body)
		if err != nil {
			panic(err)
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *Pack) int { return strings.Compare(a.Name, b.Name) })
	return out
})

// Packs returns the built-in packs, ascending by name.
func Packs() []*Pack { return slices.Clone(builtIn()) }

// Load returns a built-in pack. The error of an unknown name lists those there
// are.
func Load(name string) (*Pack, error) {
	var names []string
	for _, p := range builtIn() {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return nil, wrong(bonafide.NotFound, "no pack of complaint rules %q: there are %s", name, strings.Join(names, ", "))
}

// maxPack bounds the size of a pack.
const maxPack = 1 << 20

// Parse reads a pack. It is strict: a key that is not known, a clock without a
// basis or without a case is an error of kind Invalid that names the table and
// the key. name is used in messages.
func Parse(name string, b []byte) (*Pack, error) {
	p, err := read(b)
	if err != nil {
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: name + ": " + err.Error()}
	}
	return p, nil
}

// at returns an error about one key of a table.
func at(key, format string, args ...any) error { return fmt.Errorf(key+": "+format, args...) }

func read(b []byte) (*Pack, error) {
	if len(b) > maxPack {
		return nil, fmt.Errorf("larger than %d bytes", maxPack)
	}
	var f file
	meta, err := toml.Decode(string(b), &f)
	if err != nil {
		if located, ok := errors.AsType[toml.ParseError](err); ok && located.LastKey != "" {
			return nil, fmt.Errorf("%s: line %d: %s", located.LastKey, located.Position.Line, located.Message)
		}
		return nil, err
	}
	if rest := meta.Undecoded(); len(rest) > 0 {
		return nil, at(rest[0].String(), "not a key that a pack has")
	}
	for _, k := range [...]struct{ key, value string }{{"name", f.Name}, {"title", f.Title}, {"basis", f.Basis}, {"language", f.Language}} {
		if strings.TrimSpace(k.value) == "" {
			return nil, at(k.key, "missing")
		}
	}
	if f.English != "en-GB" && f.English != "en-US" {
		return nil, at("english", "must be en-GB or en-US")
	}
	p := &Pack{
		Name: f.Name, Title: f.Title, Basis: f.Basis, Language: f.Language, english: f.English, otherReviewer: f.Review.OtherPerson,
	}
	if p.remind, err = reminders("remind", f.Remind); err != nil {
		return nil, err
	}
	if f.Review.OtherPerson && f.Review.Basis == "" {
		return nil, at("review.basis", "missing")
	}
	for _, part := range []func(*file) error{p.readCalendar, p.readClocks, p.readExtensions, p.readGrounds, p.readTexts, p.readLetters, p.readCases} {
		if err := part(&f); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// reminders checks days before a deadline and puts the most first.
func reminders(key string, days []int) ([]int, error) {
	if len(days) == 0 {
		return nil, at(key, "missing: days before the due day, such as [5, 3, 1, 0]")
	}
	days = slices.Clone(days)
	slices.Sort(days)
	slices.Reverse(days)
	if days[0] > maxDays || days[len(days)-1] < 0 {
		return nil, at(key, "must lie between 0 and %d", maxDays)
	}
	return slices.Compact(days), nil
}

func (p *Pack) readCalendar(f *file) error {
	c := &f.Calendar
	switch {
	case c.Zone == "" || c.Zone == "Local":
		return at("calendar.zone", "must name a zone, such as Europe/London")
	case c.Basis == "":
		return at("calendar.basis", "missing")
	case c.Counting == "":
		return at("calendar.counting", "missing: the rule by which the first day is not counted")
	case c.From < 1970 || c.Until < c.From || c.Until > 9999:
		return at("calendar.complete_until", "complete_from and complete_until must be years, the first not after the last")
	}
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return at("calendar.zone", "no zone %q", c.Zone)
	}
	p.calendar = calendar{zone: zone, first: c.From, last: c.Until, holidays: map[day]string{}, workdays: map[day]string{}}
	week := map[string]time.Weekday{}
	for d := time.Sunday; d <= time.Saturday; d++ {
		week[strings.ToLower(d.String())] = d
	}
	for _, name := range c.Weekend {
		d, ok := week[name]
		if !ok {
			return at("calendar.weekend", "%q is no day of the week, such as saturday", name)
		}
		p.calendar.weekend[d] = true
	}
	if !slices.Contains(p.calendar.weekend[:], false) {
		return at("calendar.weekend", "at least one day must be a working day")
	}
	for _, m := range [...]struct {
		key  string
		from map[string]string
		to   map[day]string
	}{{"calendar.holidays", c.Holidays, p.calendar.holidays}, {"calendar.workdays", c.Workdays, p.calendar.workdays}} {
		for _, s := range slices.Sorted(maps.Keys(m.from)) {
			d, err := parseDate(s)
			if err != nil {
				return at(m.key, "%q is no date such as 2026-01-31", s)
			}
			if m.from[s] == "" {
				return at(m.key+"."+s, "must have a name")
			}
			m.to[d] = m.from[s]
		}
	}
	for d := range p.calendar.workdays {
		if _, both := p.calendar.holidays[d]; both {
			return at("calendar.workdays."+d.String(), "is a holiday too")
		}
		if !p.calendar.weekend[d.utc().Weekday()] {
			return at("calendar.workdays."+d.String(), "is a working day anyway")
		}
	}
	return nil
}

// slug reports whether s can name a clock, a ground or a letter.
func slug(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// titled reports a title that lacks English or the pack's own language.
func (p *Pack) titled(key string, t Text) error {
	for _, lang := range []string{"en", p.Language} {
		if strings.TrimSpace(t[lang]) == "" {
			return at(key+".title."+lang, "missing")
		}
	}
	return nil
}

func (p *Pack) readClocks(f *file) error {
	if len(f.Clocks) == 0 {
		return at("clock", "a pack needs at least one")
	}
	for i, c := range f.Clocks {
		key := fmt.Sprintf("clock[%d]", i+1)
		switch {
		case !slug(c.Name):
			return at(key+".name", "must be letters a to z, digits and hyphens")
		case p.deadline(c.Name) != nil:
			return at(key+".name", "%q stands twice", c.Name)
		}
		key = "clock." + c.Name
		remind := p.remind
		var err error
		if c.Remind != nil {
			if remind, err = reminders(key+".remind", c.Remind); err != nil {
				return err
			}
		}
		switch {
		case c.Days < 1 || c.Days > maxDays:
			return at(key+".days", "must lie between 1 and %d", maxDays)
		case c.Roll != RollNone && c.Roll != RollNext:
			return at(key+".roll", "must be %s or %s", RollNone, RollNext)
		case c.Basis == "":
			return at(key+".basis", "missing")
		case len(c.Starts) == 0:
			return at(key+".starts", "missing: receipt, or what a person did")
		case len(c.Met) == 0:
			return at(key+".met", "missing: by what a person did")
		case c.Chosen && !slices.Equal(c.Starts, []Verb{Register}):
			return at(key+".chosen", "only for a clock that starts = [\"register\"]")
		}
		for _, v := range c.Starts {
			if v == Extend || v != receipt && !slices.Contains(Verbs, v) {
				return at(key+".starts", "%q is not receipt and not one of %s", v, join(Verbs))
			}
			if v != Decline && transitions[v].to.Ended() {
				return at(key+".starts", "%s ends the complaint: no clock runs after it", v)
			}
		}
		for _, v := range c.Met {
			if !slices.Contains(Verbs, v) || v == Extend || slices.Contains(c.Starts, v) {
				return at(key+".met", "%q is not one of %s, or starts the clock or extends it", v, join(Verbs))
			}
		}
		if err := p.titled(key, c.Title); err != nil {
			return err
		}
		p.deadlines = append(p.deadlines, Deadline{
			Name: c.Name, Titles: c.Title, Days: c.Days, Business: c.Business, Roll: c.Roll, Starts: c.Starts, Met: c.Met,
			Chosen: c.Chosen, Option: c.Option, House: c.House, Remind: remind, Basis: c.Basis,
		})
	}
	return nil
}

func (p *Pack) readExtensions(f *file) error {
	for i, e := range f.Extensions {
		key := fmt.Sprintf("extension[%d]", i+1)
		d := p.deadline(e.Clock)
		switch {
		case d == nil || d.Option:
			return at(key+".clock", "%q is no clock of the pack that must be met", e.Clock)
		case e.Answers != (e.Days == 0) || e.Days < 0 || e.Days > maxDays:
			return at(key+".days", "must lie between 1 and %d, and be left out if it answers", maxDays)
		case e.Basis == "":
			return at(key+".basis", "missing")
		}
		if all := p.Extensions(e.Clock); len(all) > 0 && all[len(all)-1].Answers {
			return at(key+".clock", "%s was met by the extension before", e.Clock)
		}
		if err := p.titled(key, e.Title); err != nil {
			return err
		}
		p.extensions = append(p.extensions, Extension{
			Clock: e.Clock, Titles: e.Title, Days: e.Days, Approval: e.Approval, Answers: e.Answers, Basis: e.Basis,
		})
	}
	return nil
}

func (p *Pack) readGrounds(f *file) error {
	for i, g := range f.Grounds {
		key := fmt.Sprintf("ground[%d]", i+1)
		switch {
		case !slug(g.ID) || p.Ground(g.ID) != nil:
			return at(key+".id", "must be letters a to z, digits and hyphens, and its own")
		case g.Basis == "":
			return at("ground."+g.ID+".basis", "missing")
		}
		if err := p.titled("ground."+g.ID, g.Title); err != nil {
			return err
		}
		p.grounds = append(p.grounds, Ground{ID: g.ID, Title: g.Title["en"], Titles: g.Title, Basis: g.Basis})
	}
	return nil
}

func (p *Pack) readTexts(f *file) error {
	p.texts = f.Text
	for _, lang := range append([]string{"en", p.Language}, slices.Sorted(maps.Keys(f.Text))...) {
		t := f.Text[lang]
		for _, k := range [...]struct{ key, value string }{{"rule", t.Rule}, {"waiting", t.Waiting}, {"remedy", t.Remedy}, {"review", t.Review}} {
			if strings.TrimSpace(k.value) == "" {
				return at("text."+lang+"."+k.key, "missing")
			}
		}
		if months[lang] == nil {
			return at("text."+lang, "letters are written in %s", strings.Join(slices.Sorted(maps.Keys(months)), ", "))
		}
	}
	return nil
}

func (p *Pack) readLetters(f *file) error {
	p.letters = map[string]map[string]*letter{}
	for i, l := range f.Letters {
		key := fmt.Sprintf("letter[%d]", i+1)
		switch {
		case !slug(l.Kind):
			return at(key+".kind", "must be letters a to z, digits and hyphens")
		case p.texts[l.Lang] == parts{}:
			return at(key+".lang", "%q is not a language of the pack's text", l.Lang)
		case l.Title == "":
			return at(key+".title", "missing")
		case p.letters[l.Kind][l.Lang] != nil:
			return at(key+".kind", "%s stands twice in %s", l.Kind, l.Lang)
		}
		body, err := template.New(l.Kind).Option("missingkey=error").Parse(l.Body)
		if err == nil {
			err = plain(body)
		}
		if err != nil {
			return at(key+".body", "%v", err)
		}
		if p.letters[l.Kind] == nil {
			p.letters[l.Kind] = map[string]*letter{}
		}
		p.letters[l.Kind][l.Lang] = &letter{title: l.Title, body: body}
	}
	for kind, langs := range p.letters {
		if langs["en"] == nil && standard(kind, "en") == nil {
			return at("letter."+kind, "missing in en")
		}
	}
	return nil
}

func (p *Pack) readCases(f *file) error {
	tried := map[string]int{} // how often extended, at most
	for i, c := range f.Cases {
		key := fmt.Sprintf("case[%d]", i+1)
		d := p.deadline(c.Clock)
		if c.Name == "" {
			return at(key+".name", "missing")
		}
		if d == nil {
			return at(key+".clock", "no clock %q", c.Clock)
		}
		if _, err := time.Parse(time.RFC3339, c.From); err != nil {
			return at(key+".from", "%q is no moment such as 2026-01-31T23:30:00Z", c.From)
		}
		if _, err := parseDate(c.Due); err != nil {
			return at(key+".due", "%q is no date such as 2026-01-31", c.Due)
		}
		if c.Extended < 0 || c.Extended > len(p.Extensions(c.Clock)) {
			return at(key+".extended", "%s is extended 0 to %d times", c.Clock, len(p.Extensions(c.Clock)))
		}
		tried[c.Clock] = max(tried[c.Clock], c.Extended+1)
	}
	for _, d := range p.deadlines {
		if want := len(p.Extensions(d.Name)) + 1; tried[d.Name] < want {
			return at("clock."+d.Name, "needs a [[case]] for itself and one for its last extension")
		}
	}
	p.cases = f.Cases
	return nil
}

// Test runs the pack's own cases and returns how many ran and which failed.
func (p *Pack) Test() (ran int, failed []Failure) {
	for _, c := range p.cases {
		ran++
		from, err := time.Parse(time.RFC3339, c.From)
		if err != nil {
			failed = append(failed, Failure{Case: c.Name, Want: c.Due, Got: err.Error()})
			continue
		}
		got := p.calendar.day(p.due(p.deadline(c.Clock), from, c.Extended)).String()
		if got != c.Due {
			failed = append(failed, Failure{Case: c.Name, Want: c.Due, Got: got})
		}
	}
	return ran, failed
}

// Grounds returns the grounds on which the rules let a person decline.
func (p *Pack) Grounds() []Ground { return slices.Clone(p.grounds) }

// Ground returns the ground of an id, or nil.
func (p *Pack) Ground(id string) *Ground {
	i := slices.IndexFunc(p.grounds, func(g Ground) bool { return g.ID == id })
	if i < 0 {
		return nil
	}
	return &p.grounds[i]
}
