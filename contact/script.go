// Package contact is how staff speak with customers about a complaint: call
// scripts, checklists of the least material that is needed, and the ways over
// which something may be verified.
//
// A script never ends, declines, pauses or delays a complaint, whatever is
// answered: see [Parse]. What a conversation shows is what people said, as
// choices; nothing is drawn from how they said it. The clock is always an
// argument.
package contact

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"bonafide"
)

//go:embed scripts/*.toml
var scriptFiles embed.FS

// Texts is one text in several languages, by the language's two letters: en, zh, pt.
type Texts map[string]string

// languages are those in which everything that staff read or say is written.
var languages = []string{"en", "zh", "pt"}

// In returns the text in a language such as "pt" or "pt-BR", in English where that
// is missing.
func (t Texts) In(lang string) string {
	if s, ok := t[lang]; ok {
		return s
	}
	short, _, _ := strings.Cut(lang, "-")
	if s, ok := t[short]; ok {
		return s
	}
	return t["en"]
}

// A Script leads one kind of conversation, question by question. It is safe for
// use by many goroutines and not to be changed.
type Script struct {
	ID        string `toml:"id" json:"id"`
	Version   string `toml:"version" json:"version"`
	Titles    Texts  `toml:"titles" json:"titles"`
	Purpose   Texts  `toml:"purpose" json:"purpose"`
	Direction string `toml:"direction" json:"direction"` // "in": they call; "out": they are called
	// NeedsKnown says that the script is only for a way to reach the customer that
	// was known before the dispute began.
	NeedsKnown bool    `toml:"needs_known_channel" json:"needs_known_channel"`
	Never      []Texts `toml:"never" json:"never"` // what must never be asked or said
	Start      string  `toml:"start" json:"start"` // the first step
	Steps      []Step  `toml:"step" json:"steps"`
	Ends       []End   `toml:"end" json:"ends"`
	Cases      []Case  `toml:"case" json:"-"`

	text   string
	nearby map[string]int // from a step to the nearest end: how many questions, at least
}

// A Step is one question.
type Step struct {
	ID      string   `toml:"id" json:"id"`
	Ask     Texts    `toml:"ask" json:"ask"`     // the words that staff say
	Why     Texts    `toml:"why" json:"why"`     // what it is for, for staff
	Never   []Texts  `toml:"never" json:"never"` // besides the script's own
	Note    bool     `toml:"note" json:"note"`   // a note may be written
	Choices []Choice `toml:"choice" json:"choices"`
}

// A Choice is one answer that staff can tick.
type Choice struct {
	ID        string               `toml:"id" json:"id"`
	Key       string               `toml:"key" json:"key"` // of the keyboard: one digit or letter but b, which goes back
	Label     Texts                `toml:"label" json:"label"`
	Next      string               `toml:"next" json:"next,omitempty"`       // a step or an end
	Branches  []Branch             `toml:"branch" json:"branches,omitempty"` // instead of Next: the first that holds
	Establish bonafide.Established `toml:"establish" json:"establish,omitzero"`
	Signal    *Signal              `toml:"signal" json:"signal,omitempty"`
}

// A Branch leads on where all its conditions hold. A condition is a fact of [Known]
// or an earlier "step=choice", each with "!" before it for the contrary.
type Branch struct {
	When []string `toml:"when" json:"when,omitempty"`
	Next string   `toml:"next" json:"next"`
}

// A Signal is what a choice is evidence of, with the innocent explanation that is
// tested first; both in plain English.
type Signal struct {
	Family    bonafide.Family    `toml:"family" json:"family"` // conduct or identity
	Criterion bonafide.Criterion `toml:"criterion" json:"criterion,omitempty"`
	Text      string             `toml:"text" json:"text"`
	Innocent  string             `toml:"innocent" json:"innocent"`
}

// An End is how a conversation closes and what follows of it. The complaint goes
// on from every end.
type End struct {
	ID     string `toml:"id" json:"id"`
	Titles Texts  `toml:"titles" json:"titles"`
	Say    Texts  `toml:"say" json:"say"` // the closing words
	// Track is what may be done on the complaint's own track: register,
	// check-authority, or nothing.
	Track      string  `toml:"track" json:"track,omitempty"`
	Verify     []Task  `toml:"verify" json:"verify,omitempty"` // tasks to open
	Vulnerable bool    `toml:"vulnerable" json:"vulnerable,omitempty"`
	Letter     string  `toml:"letter" json:"letter,omitempty"` // kind of letter to offer
	Offer      []Texts `toml:"offer" json:"offer,omitempty"`   // help, options, warnings to pass on
}

// A Task is a verification to open.
type Task struct {
	Kind  bonafide.VerificationKind `toml:"kind" json:"kind"`
	About string                    `toml:"about" json:"about,omitempty"` // the kind of paper or standing
}

// Tracks are the verbs of a complaint's own track that an end may name. Those that
// end, decline, pause or delay a complaint are not among them and never will be.
var Tracks = []string{"", "register", "check-authority"}

// Letters are the kinds of letter that an end may offer.
var Letters = []string{"", "acknowledgement", "authority-request", "materials"}

// Name returns the script's id and version: "incoming 2026.1".
func (s *Script) Name() string { return s.ID + " " + s.Version }

// Text returns the script as it was written.
func (s *Script) Text() string { return s.text }

// Step returns a step by its id, or nil.
func (s *Script) Step(id string) *Step {
	for i := range s.Steps {
		if s.Steps[i].ID == id {
			return &s.Steps[i]
		}
	}
	return nil
}

// End returns an end by its id, or nil.
func (s *Script) End(id string) *End {
	for i := range s.Ends {
		if s.Ends[i].ID == id {
			return &s.Ends[i]
		}
	}
	return nil
}

// Choice returns a choice by its id, or nil.
func (s *Step) Choice(id string) *Choice {
	for i := range s.Choices {
		if s.Choices[i].ID == id {
			return &s.Choices[i]
		}
	}
	return nil
}

// leads returns where a choice can lead, whatever the conditions.
func (c *Choice) leads() []string {
	if len(c.Branches) == 0 {
		return []string{c.Next}
	}
	var out []string
	for _, b := range c.Branches {
		out = append(out, b.Next)
	}
	return out
}

// order is how scripts are listed: from the call that comes in to what may follow.
var order = []string{"incoming", "not-the-customer", "call-back", "representative", "hardship", "threat", "collector", "recruited"}

// List returns the ids of the built-in scripts, in the order they are shown.
func List() []string {
	names, err := fs.Glob(scriptFiles, "scripts/*.toml")
	if err != nil {
		panic(err) // the pattern is constant
	}
	there := map[string]bool{}
	for _, n := range names {
		there[strings.TrimSuffix(path.Base(n), ".toml")] = true
	}
	var out []string
	for _, id := range order {
		if there[id] {
			out = append(out, id)
		}
	}
	return out
}

// builtIn parses the scripts of the binary once. That they are sound is tested.
var builtIn = sync.OnceValue(func() map[string]*Script {
	out := map[string]*Script{}
	for _, id := range List() {
		text, err := scriptFiles.ReadFile("scripts/" + id + ".toml")
		if err != nil {
			panic(err)
		}
		s, err := Parse(id+".toml", text)
		if err != nil {
			panic(err)
		}
		out[id] = s
	}
	return out
})

// Load returns a built-in script. The error of an unknown id lists those there are.
func Load(id string) (*Script, error) {
	if s := builtIn()[id]; s != nil {
		return s, nil
	}
	return nil, &bonafide.Error{
		Kind: bonafide.NotFound,
		Msg:  fmt.Sprintf("no call script %q: there are %s", id, strings.Join(List(), ", ")),
	}
}
