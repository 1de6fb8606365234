// Package policy grades what the evidence shows by a published standard. A
// pack is a file of rules, each with a condition, its basis, the innocent
// explanations to test first and test cases of its own.
//
// Rules can only ask for a level. What may be proposed is decided by the
// combination rule in [Pack.Grade], which no pack can change: text alone is
// information; level 2 needs two families of evidence, one of them not text,
// time or conduct; level 1 needs a verified item besides; declared representatives and
// vulnerable customers are routed to a person and never graded.
package policy

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"bonafide"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/ext"
	"github.com/BurntSushi/toml"
)

//go:embed packs/*.toml
var packs embed.FS

// A Pack is one published standard as rules.
type Pack struct {
	ID           string         `toml:"id"`
	Version      string         `toml:"version"`
	Title        string         `toml:"title"`
	Jurisdiction string         `toml:"jurisdiction"`
	Basis        string         `toml:"basis"`
	Most         bonafide.Level `toml:"most"` // the highest level the standard knows
	Rules        []Rule         `toml:"rule"`

	text string
}

// A Rule asks for a level where its condition holds.
type Rule struct {
	ID       string             `toml:"id"`        // unique within the pack
	Criteria bonafide.Criterion `toml:"criterion"` // K01 to K16; empty for rules of other standards
	Means    string             `toml:"means"`     // C1 to C5 of the banking association's draft standard
	Title    string             `toml:"title"`
	Level    bonafide.Level     `toml:"level"`
	Verified bool               `toml:"verified"` // the condition is an item that a person verified
	When     string             `toml:"when"`     // CEL over ring, tie, letter, complaint, contact and merit
	Basis    string             `toml:"basis"`
	Innocent []string           `toml:"innocent"` // explanations to test first
	Cases    []Case             `toml:"case"`

	program cel.Program
}

// A Case is a rule's own test: under Facts, the rule asks or does not.
type Case struct {
	Name  string `toml:"name"`
	Facts Facts  `toml:"facts"`
	Want  bool   `toml:"want"`
}

// Name returns the pack's id and version, as results quote it.
func (p *Pack) Name() string { return p.ID + " " + p.Version }

// Text returns the pack as it was written.
func (p *Pack) Text() string { return p.text }

// List returns the ids of the built-in packs.
func List() []string {
	files, err := fs.Glob(packs, "packs/*.toml")
	if err != nil {
		panic(err) // the pattern is constant
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".toml")
	}
	return files
}

// Load returns a built-in pack.
func Load(id string) (*Pack, error) {
	text, err := packs.ReadFile("packs/" + id + ".toml")
	if err != nil {
		return nil, &bonafide.Error{
			Kind: bonafide.NotFound, Err: err,
			Msg: fmt.Sprintf("no policy pack %q: there are %s", id, strings.Join(List(), ", ")),
		}
	}
	return Parse(id+".toml", text)
}

// maxPack bounds the size of a pack, and maxCost what one condition may cost.
const (
	maxPack = 1 << 20
	maxCost = 10_000
)

// Parse reads a pack and compiles its conditions. name is used in messages.
func Parse(name string, text []byte) (*Pack, error) {
	invalid := func(format string, args ...any) error {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: name + ": " + fmt.Sprintf(format, args...)}
	}
	if len(text) > maxPack {
		return nil, invalid("larger than %d bytes", maxPack)
	}
	var p Pack
	meta, err := toml.Decode(string(text), &p)
	if err != nil {
		return nil, invalid("%v", err)
	}
	if rest := meta.Undecoded(); len(rest) > 0 {
		return nil, invalid("unknown field %s", rest[0])
	}
	if p.ID == "" || p.Version == "" || p.Basis == "" {
		return nil, invalid("id, version and basis are needed")
	}
	if p.Most.Rank() == 0 {
		return nil, invalid("most must be one of information, individual, level-2, level-1")
	}
	env, err := environment()
	if err != nil {
		return nil, fmt.Errorf("policy environment: %w", err)
	}
	seen := map[string]bool{}
	for i := range p.Rules {
		r := &p.Rules[i]
		switch {
		case r.ID == "" || seen[r.ID]:
			return nil, invalid("rule %d: an id of its own is needed", i+1)
		case r.Title == "" || r.Basis == "" || len(r.Innocent) == 0:
			return nil, invalid("rule %s: title, basis and at least one innocent explanation are needed", r.ID)
		case r.Level.Rank() == 0 || r.Level.Rank() > p.Most.Rank():
			return nil, invalid("rule %s: level %q is not one the pack knows (most is %s)", r.ID, r.Level, p.Most)
		case r.Level == bonafide.Level1 && !r.Verified:
			return nil, invalid("rule %s: level 1 is only asked for on a verified item", r.ID)
		case len(r.Cases) < 2:
			return nil, invalid("rule %s: needs a case that holds and one that does not", r.ID)
		}
		seen[r.ID] = true
		ast, issues := env.Compile(r.When)
		if issues.Err() != nil {
			return nil, invalid("rule %s: condition: %v", r.ID, issues.Err())
		}
		if ast.OutputType() != cel.BoolType && ast.OutputType() != cel.DynType {
			return nil, invalid("rule %s: condition is not a yes or no", r.ID)
		}
		if r.program, err = env.Program(ast, cel.CostLimit(maxCost)); err != nil {
			return nil, invalid("rule %s: %v", r.ID, err)
		}
	}
	p.text = string(text)
	return &p, nil
}

// environment declares what conditions may speak of. See [Facts].
func environment() (*cel.Env, error) {
	fact := cel.MapType(cel.StringType, cel.DynType)
	return cel.NewEnv(
		cel.Variable("ring", fact), cel.Variable("tie", fact), cel.Variable("letter", fact),
		cel.Variable("complaint", fact), cel.Variable("contact", fact), cel.Variable("merit", fact),
		ext.Strings(),
	)
}

// asks reports whether the rule's condition holds.
func (r *Rule) asks(vars map[string]any) (bool, error) {
	out, _, err := r.program.Eval(vars)
	if err != nil {
		return false, fmt.Errorf("rule %s: %w", r.ID, err)
	}
	yes, ok := out.Value().(bool)
	if !ok {
		return false, fmt.Errorf("rule %s: condition gave %v, not a yes or no", r.ID, out.Type())
	}
	return yes, nil
}

// A Failure is a test case of a rule that did not come out as written.
type Failure struct {
	Rule, Case string
	Want       bool
	Err        error // why the condition could not be evaluated, or nil
}

// Test runs the cases of every rule and returns how many ran and which failed.
func (p *Pack) Test() (ran int, failed []Failure) {
	for i := range p.Rules {
		r := &p.Rules[i]
		for _, c := range r.Cases {
			ran++
			got, err := r.asks(c.Facts.vars())
			if err != nil || got != c.Want {
				failed = append(failed, Failure{Rule: r.ID, Case: c.Name, Want: c.Want, Err: err})
			}
		}
	}
	return ran, failed
}

// Rule returns the rule of an id, or nil.
func (p *Pack) Rule(id string) *Rule {
	i := slices.IndexFunc(p.Rules, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return nil
	}
	return &p.Rules[i]
}
