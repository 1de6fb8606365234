// Package casefile is an investigation: where a case stands, what it needs before it may
// move, the periods of the police's and the procurator's procedure, what an offence
// consists of, how organised agents work and what is then to be done.
//
// It is a package of its own because [bonafide/casework], a complaint's own track, may
// know nothing of what is suspected. No move here reaches a complaint.
//
// Rules stand in TOML files with the basis of every number. The clock and ids are
// arguments.
package casefile

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"bonafide"

	"github.com/BurntSushi/toml"
)

//go:embed *.toml
var files embed.FS

// A Text is the same words in several languages, by "en", "zh" and "pt".
type Text map[string]string

// In returns the words in a language such as "pt-BR", in English where that is missing.
func (t Text) In(lang string) string {
	short, _, _ := strings.Cut(lang, "-")
	if s, ok := t[short]; ok {
		return s
	}
	return t["en"]
}

// A Period is one clock of the procedure.
type Period struct {
	Name    string          `toml:"name"`
	Title   Text            `toml:"title"`
	Days    int             `toml:"days"`
	Months  int             `toml:"months"`
	Starts  []bonafide.Move `toml:"starts"`
	Met     []bonafide.Move `toml:"met"`
	Extends []int           `toml:"extends"` // days that each extension adds
	Option  bool            `toml:"option"`  // a chance that may be left
	Basis   string          `toml:"basis"`
}

// An Offence is what is to be shown before a case goes to the police.
type Offence struct {
	ID       bonafide.Criterion `toml:"id"`
	Statute  string             `toml:"statute"`
	Title    Text               `toml:"title"`
	Elements []Element          `toml:"element"`
}

// An Element is one thing that an offence consists of.
type Element struct {
	ID    string `toml:"id"`
	Title Text   `toml:"title"`
}

// A Scenario is a way in which organised agents work: A1 to A13.
type Scenario struct {
	ID       string               `toml:"id"`
	Title    Text                 `toml:"title"`
	Words    []string             `toml:"words"`    // of what is demanded
	Criteria []bonafide.Criterion `toml:"criteria"` // that people verified or a policy proposes
	Facts    []string             `toml:"facts"`    // that conversations established
	Things   []string             `toml:"things"`   // kinds of thing that are shared
	Channels int                  `toml:"channels"` // one letter through so many
	Burst    bool                 `toml:"burst"`
	Tasks    []string             `toml:"tasks"`
}

// A Task is a template: what is to be done where a scenario is at work.
type Task struct {
	Days int  `toml:"days"`
	Text Text `toml:"text"`
}

// A rulebook is all that the files say.
type rulebook struct {
	Name      string          `toml:"name"`
	Title     string          `toml:"title"`
	Clocks    []Period        `toml:"clock"`
	Offences  []Offence       `toml:"offence"`
	Scenarios []Scenario      `toml:"scenario"`
	Tasks     map[string]Task `toml:"task"`
	Slang     []Term          `toml:"slang"`
}

// book reads the files of the binary once. That they are sound is tested.
var book = sync.OnceValue(func() *rulebook {
	b := &rulebook{}
	for _, name := range []string{"procedure.toml", "offences.toml", "scenarios.toml", "slang.toml"} {
		text, err := files.ReadFile(name)
		if err != nil {
			panic(err) // it is embedded
		}
		meta, err := toml.Decode(string(text), b)
		if err != nil || len(meta.Undecoded()) > 0 {
			panic(fmt.Sprintf("casefile: %s: %v %v", name, err, meta.Undecoded()))
		}
	}
	return b
})

// Periods lists the clocks of the procedure.
func Periods() []Period { return slices.Clone(book().Clocks) }

// PeriodOf returns a clock of the procedure by its name.
func PeriodOf(name string) (Period, bool) {
	i := slices.IndexFunc(book().Clocks, func(p Period) bool { return p.Name == name })
	if i < 0 {
		return Period{}, false
	}
	return book().Clocks[i], true
}

// Offences lists the offences of K01 to K05.
func Offences() []Offence { return slices.Clone(book().Offences) }

// OffenceOf returns an offence by its criterion.
func OffenceOf(id string) (Offence, bool) {
	i := slices.IndexFunc(book().Offences, func(o Offence) bool { return string(o.ID) == id })
	if i < 0 {
		return Offence{}, false
	}
	return book().Offences[i], true
}

// Element returns one of an offence's elements.
func (o Offence) Element(id string) (Element, bool) {
	i := slices.IndexFunc(o.Elements, func(e Element) bool { return e.ID == id })
	if i < 0 {
		return Element{}, false
	}
	return o.Elements[i], true
}

// Scenarios lists A1 to A13.
func Scenarios() []Scenario { return slices.Clone(book().Scenarios) }

// ScenarioOf returns a scenario by its id.
func ScenarioOf(id string) (Scenario, bool) {
	i := slices.IndexFunc(book().Scenarios, func(s Scenario) bool { return s.ID == id })
	if i < 0 {
		return Scenario{}, false
	}
	return book().Scenarios[i], true
}

// TaskOf returns the template of a task: "A6.issuer".
func TaskOf(template string) (Task, bool) {
	_, name, _ := strings.Cut(template, ".")
	t, ok := book().Tasks[name]
	return t, ok
}

// A Calendar knows on which day a period ends.
type Calendar interface {
	// Days returns the last moment of the nth day after the day of from.
	Days(from time.Time, n int, business bool) time.Time
	// Business reports whether the day of t is a working day.
	Business(t time.Time) (works bool, holiday string)
	Zone() *time.Location
}

// due returns the last moment of a period that counts from a moment and was extended so
// many times. It never ends on a holiday.
func (p Period) due(cal Calendar, from time.Time, extended int) time.Time {
	n := p.Days
	if p.Months > 0 {
		y, m, d := from.In(cal.Zone()).Date()
		first := time.Date(y, m, d, 12, 0, 0, 0, time.UTC)
		last := time.Date(y, m+time.Month(p.Months), 1, 12, 0, 0, 0, time.UTC)
		last = last.AddDate(0, 0, min(d, last.AddDate(0, 1, -1).Day())-1) // 31 January ends in February with its last day
		n += int(last.Sub(first).Hours() / 24)
	}
	for i, more := range p.Extends {
		if i < extended {
			n += more
		}
	}
	due := cal.Days(from, n, false)
	for range 30 {
		if works, _ := cal.Business(due); works {
			break
		}
		n++
		due = cal.Days(from, n, false)
	}
	return due
}

func wrong(kind bonafide.Kind, format string, args ...any) error {
	return &bonafide.Error{Kind: kind, Msg: fmt.Sprintf(format, args...)}
}
