package contact

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"bonafide"

	"github.com/BurntSushi/toml"
)

// maxScript bounds the size of a script, and the others how much is in it.
const (
	maxScript  = 1 << 20
	maxSteps   = 60
	maxChoices = 12
	maxEnds    = 20
	maxCases   = 500
	maxText    = 2000 // characters of one text
)

// ids are how steps, choices, ends and facts are named.
var ids = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// What a conversation can establish: the values of [bonafide.Established].
var (
	identities  = []string{"", "confirmed", "doubtful", "failed"}
	purposes    = []string{"", "complaint", "hardship", "information", "threat", "representation", "warning", "other"}
	authorities = []string{"", "own", "confirmed", "claimed", "refused"}
	kinds       = []bonafide.VerificationKind{bonafide.VerifyIdentity, bonafide.VerifyAuthority, bonafide.VerifyDocument, bonafide.VerifySituation}
	criteria    = regexp.MustCompile(`^(K0[1-9]|K1[0-6])?$`)
)

// Parse reads a script. It is strict: a field that is not known, a text missing in
// a language, a choice that leads nowhere, a step that cannot be reached or left, a
// signal without an innocent explanation, and above all an end that would decline,
// end or pause the complaint are errors of kind Invalid that name the file and the
// field. What else is wrong tells [Script.Check].
func Parse(name string, text []byte) (*Script, error) {
	s, err := read(text)
	if err != nil {
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: name + ": " + err.Error()}
	}
	return s, nil
}

// at returns an error about one field.
func at(field, format string, args ...any) error {
	return fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...))
}

// decode reads TOML and refuses fields that v does not have.
func decode(text []byte, limit int, v any) error {
	if len(text) > limit {
		return fmt.Errorf("larger than %d bytes", limit)
	}
	if !utf8.Valid(text) {
		return errors.New("not UTF-8")
	}
	meta, err := toml.Decode(string(text), v)
	if err != nil {
		if located, ok := errors.AsType[toml.ParseError](err); ok {
			field := located.LastKey
			if field == "" {
				field = "TOML"
			}
			return at(field, "line %d: %s", located.Position.Line, located.Message)
		}
		return err
	}
	if rest := meta.Undecoded(); len(rest) > 0 {
		return at(rest[0].String(), "not a field that is known here")
	}
	return nil
}

// whole reports a text that is missing in a language, too long, or in a language
// that nobody asked for.
func whole(field string, t Texts) error {
	for _, lang := range languages {
		switch s := t[lang]; {
		case strings.TrimSpace(s) == "":
			return at(field+"."+lang, "missing: every text stands in %s", strings.Join(languages, ", "))
		case utf8.RuneCountInString(s) > maxText:
			return at(field+"."+lang, "longer than %d characters", maxText)
		}
	}
	if len(t) > len(languages) {
		return at(field, "only %s are languages of a script", strings.Join(languages, ", "))
	}
	return nil
}

// wholes is whole for a list.
func wholes(field string, list []Texts) error {
	for i, t := range list {
		if err := whole(fmt.Sprintf("%s[%d]", field, i+1), t); err != nil {
			return err
		}
	}
	return nil
}

func read(text []byte) (*Script, error) {
	var s Script
	if err := decode(text, maxScript, &s); err != nil {
		return nil, err
	}
	s.text = string(text)
	switch {
	case !ids.MatchString(s.ID):
		return nil, at("id", "must be words of a to z and digits, joined by hyphens")
	case strings.TrimSpace(s.Version) == "" || len(s.Version) > 20:
		return nil, at("version", "missing or longer than 20 characters")
	case s.Direction != "in" && s.Direction != "out":
		return nil, at("direction", `must be "in" or "out"`)
	case len(s.Never) == 0:
		return nil, at("never", "missing: what must never be asked or said")
	case len(s.Steps) == 0 || len(s.Steps) > maxSteps:
		return nil, at("step", "a script has 1 to %d", maxSteps)
	case len(s.Ends) == 0 || len(s.Ends) > maxEnds:
		return nil, at("end", "a script has 1 to %d", maxEnds)
	case len(s.Cases) > maxCases:
		return nil, at("case", "at most %d", maxCases)
	}
	for _, t := range [...]struct {
		field string
		texts Texts
	}{{"titles", s.Titles}, {"purpose", s.Purpose}} {
		if err := whole(t.field, t.texts); err != nil {
			return nil, err
		}
	}
	if err := wholes("never", s.Never); err != nil {
		return nil, err
	}
	if err := s.readEnds(); err != nil {
		return nil, err
	}
	if err := s.readSteps(); err != nil {
		return nil, err
	}
	return &s, s.walkable()
}

func (s *Script) readEnds() error {
	seen := map[string]bool{}
	for i, e := range s.Ends {
		field := fmt.Sprintf("end[%d]", i+1)
		if !ids.MatchString(e.ID) || seen[e.ID] {
			return at(field+".id", "must be words of a to z and digits, joined by hyphens, and its own")
		}
		seen[e.ID] = true
		field = "end." + e.ID
		for _, t := range [...]struct {
			field string
			texts Texts
		}{{"titles", e.Titles}, {"say", e.Say}} {
			if err := whole(field+"."+t.field, t.texts); err != nil {
				return err
			}
		}
		if err := wholes(field+".offer", e.Offer); err != nil {
			return err
		}
		if !slices.Contains(Tracks, e.Track) {
			return at(field+".track", "%q: only register and check-authority: no conversation ends, declines, pauses or delays a complaint", e.Track)
		}
		if !slices.Contains(Letters, e.Letter) {
			return at(field+".letter", "%q: only acknowledgement, authority-request and materials", e.Letter)
		}
		for j, v := range e.Verify {
			if !slices.Contains(kinds, v.Kind) {
				return at(fmt.Sprintf("%s.verify[%d].kind", field, j+1), "%q: only identity, authority, document and situation", v.Kind)
			}
			if v.About != "" && !ids.MatchString(v.About) {
				return at(fmt.Sprintf("%s.verify[%d].about", field, j+1), "must be words of a to z and digits, joined by hyphens")
			}
		}
	}
	return nil
}

func (s *Script) readSteps() error {
	seen := map[string]bool{}
	for i, p := range s.Steps {
		if field := fmt.Sprintf("step[%d].id", i+1); !ids.MatchString(p.ID) || seen[p.ID] || s.End(p.ID) != nil {
			return at(field, "must be words of a to z and digits, joined by hyphens, and its own")
		}
		seen[p.ID] = true
	}
	if s.Step(s.Start) == nil {
		return at("start", "%q is no step", s.Start)
	}
	for _, p := range s.Steps {
		field := "step." + p.ID
		for _, t := range [...]struct {
			field string
			texts Texts
		}{{"ask", p.Ask}, {"why", p.Why}} {
			if err := whole(field+"."+t.field, t.texts); err != nil {
				return err
			}
		}
		if err := wholes(field+".never", p.Never); err != nil {
			return err
		}
		if len(p.Choices) == 0 || len(p.Choices) > maxChoices {
			return at(field+".choice", "a step has 1 to %d", maxChoices)
		}
		taken, keys := map[string]bool{}, map[string]bool{}
		for j := range p.Choices {
			c := &p.Choices[j]
			if !ids.MatchString(c.ID) || taken[c.ID] {
				return at(fmt.Sprintf("%s.choice[%d].id", field, j+1), "must be words of a to z and digits, joined by hyphens, and its own")
			}
			taken[c.ID] = true
			field := field + ".choice." + c.ID
			if len(c.Key) != 1 || !strings.Contains("0123456789acdefghijklmnopqrstuvwxyz", c.Key) {
				return at(field+".key", "must be one letter a to z, but for b, which goes back, or one digit")
			}
			if keys[c.Key] {
				return at(field+".key", "%q stands twice in the step", c.Key)
			}
			keys[c.Key] = true
			if err := s.readChoice(field, c); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Script) readChoice(field string, c *Choice) error {
	if err := whole(field+".label", c.Label); err != nil {
		return err
	}
	there := func(id string) bool { return s.Step(id) != nil || s.End(id) != nil }
	if len(c.Branches) == 0 && !there(c.Next) {
		return at(field+".next", "%q is neither a step nor an end", c.Next)
	}
	if len(c.Branches) > 0 && c.Next != "" {
		return at(field+".next", "stands beside branches: leave one out")
	}
	for i, b := range c.Branches {
		field := fmt.Sprintf("%s.branch[%d]", field, i+1)
		if !there(b.Next) {
			return at(field+".next", "%q is neither a step nor an end", b.Next)
		}
		if last := i == len(c.Branches)-1; last != (len(b.When) == 0) {
			return at(field+".when", "the last branch, and no other, has no condition")
		}
		for _, cond := range b.When {
			if err := s.readCondition(cond); err != nil {
				return at(field+".when", "%v", err)
			}
			if strings.TrimPrefix(cond, "!") == "tagged" && s.End(b.Next) != nil {
				return at(field+".when", "a tag asks a question more: it leads to a step and never to an end")
			}
		}
	}
	e := c.Establish
	for _, v := range [...]struct {
		field, value string
		of           []string
	}{{"identity", e.Identity, identities}, {"purpose", e.Purpose, purposes}, {"authority", e.Authority, authorities}, {"vulnerability", e.Vulnerability, vulnerabilities}} {
		if !slices.Contains(v.of, v.value) {
			return at(field+".establish."+v.field, "%q: only %s", v.value, strings.Join(v.of[1:], ", "))
		}
	}
	for _, f := range e.Facts {
		if !ids.MatchString(f) {
			return at(field+".establish.facts", "%q must be words of a to z and digits, joined by hyphens", f)
		}
	}
	if g := c.Signal; g != nil {
		switch {
		case g.Family != bonafide.FamilyConduct && g.Family != bonafide.FamilyIdentity:
			return at(field+".signal.family", "%q: a conversation gives signals of conduct and identity only", g.Family)
		case !criteria.MatchString(string(g.Criterion)):
			return at(field+".signal.criterion", "%q: only K01 to K16", g.Criterion)
		case strings.TrimSpace(g.Text) == "":
			return at(field+".signal.text", "missing")
		case strings.TrimSpace(g.Innocent) == "":
			return at(field+".signal.innocent", "missing: no signal without the innocent explanation that is tested first")
		}
	}
	return nil
}

func (s *Script) readCondition(cond string) error {
	name := strings.TrimPrefix(cond, "!")
	step, choice, earlier := strings.Cut(name, "=")
	if !earlier {
		if slices.Contains(Facts, name) {
			return nil
		}
		return fmt.Errorf("%q is neither one of %s nor an earlier step=choice", cond, strings.Join(Facts, ", "))
	}
	if p := s.Step(step); p == nil || p.Choice(choice) == nil {
		return fmt.Errorf("%q names no step and choice of the script", cond)
	}
	return nil
}

// walkable checks that every step and end can be reached and every step left, and
// counts how near the ends are.
func (s *Script) walkable() error {
	reached := map[string]bool{s.Start: true}
	from := map[string][]string{} // from a step or end to the steps before it
	for todo := []string{s.Start}; len(todo) > 0; todo = todo[1:] {
		p := s.Step(todo[0])
		if p == nil {
			continue
		}
		for i := range p.Choices {
			for _, next := range p.Choices[i].leads() {
				from[next] = append(from[next], p.ID)
				if !reached[next] {
					reached[next] = true
					todo = append(todo, next)
				}
			}
		}
	}
	s.nearby = map[string]int{}
	var todo []string
	for _, e := range s.Ends {
		if !reached[e.ID] {
			return at("end."+e.ID, "cannot be reached")
		}
		s.nearby[e.ID] = 0
		todo = append(todo, e.ID)
	}
	for ; len(todo) > 0; todo = todo[1:] {
		for _, p := range from[todo[0]] {
			if _, ok := s.nearby[p]; !ok {
				s.nearby[p] = s.nearby[todo[0]] + 1
				todo = append(todo, p)
			}
		}
	}
	for _, p := range s.Steps {
		if !reached[p.ID] {
			return at("step."+p.ID, "cannot be reached")
		}
		if _, ok := s.nearby[p.ID]; !ok {
			return at("step."+p.ID, "no end can be reached from here")
		}
	}
	return nil
}
