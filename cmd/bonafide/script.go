package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"bonafide"
	"bonafide/contact"
)

type scriptCmd struct {
	List  scriptListCmd  `cmd:"" help:"List the built-in call scripts."`
	Show  scriptShowCmd  `cmd:"" help:"Show a script: what is said, what for, what follows."`
	Check scriptCheckCmd `cmd:"" help:"Check scripts and run their own cases."`
	Run   scriptRunCmd   `cmd:"" help:"Play a script in the terminal."`
	Cases scriptCasesCmd `cmd:"" help:"Print the cases of the built-in scripts as JSON."`
}

// Help is shown by script --help.
func (scriptCmd) Help() string {
	return `
A call script leads one kind of conversation, question by question. No script can
decline, end, pause or delay a complaint; every signal in it names the innocent
explanation that is tested first:

  bonafide script list
  bonafide script show incoming --lang zh
  bonafide script run incoming --known tagged,representative
  bonafide script check mine.toml`
}

type scriptListCmd struct {
	Lang string `help:"Language of the titles." enum:"en,zh,pt" default:"en"`
}

// Run lists the scripts.
func (c *scriptListCmd) Run(s *streams) error {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tVERSION\tTITLE\tSTEPS\tENDS\tCASES")
	for _, id := range contact.List() {
		p, err := contact.Load(id)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\n", p.ID, p.Version, p.Titles.In(c.Lang), len(p.Steps), len(p.Ends), len(p.Cases))
	}
	return w.Flush()
}

type scriptCasesCmd struct{}

// A scriptCase is one case of a script, for other programs.
type scriptCase struct {
	Script     string               `json:"script"`
	Name       string               `json:"name"`
	NeedsKnown bool                 `json:"needs_known,omitempty"`
	Known      contact.Known        `json:"known"`
	Answers    []scriptAnswer       `json:"answers"`
	End        string               `json:"end"`
	Told       bonafide.Established `json:"established"`
	Signals    []string             `json:"signals,omitempty"`
	Track      string               `json:"track,omitempty"`
	Verify     []string             `json:"verify,omitempty"`
	Vulnerable bool                 `json:"vulnerable,omitempty"`
}

// A scriptAnswer is a choice with its key of the keyboard.
type scriptAnswer struct {
	Step   string `json:"step"`
	Choice string `json:"choice"`
	Key    string `json:"key"`
}

// Run prints them.
func (c *scriptCasesCmd) Run(s *streams) error {
	out := []scriptCase{}
	for _, id := range contact.List() {
		p, err := contact.Load(id)
		if err != nil {
			return err
		}
		for i := range p.Cases {
			one := &p.Cases[i]
			answers, err := contact.Answers(one.Answers)
			if err != nil {
				return err
			}
			x := scriptCase{
				Script: id, Name: one.Name, NeedsKnown: p.NeedsKnown, Known: one.Known, End: one.Want.End, Told: one.Want.Established,
				Signals: one.Want.Signals, Track: one.Want.Track, Verify: one.Want.Verify, Vulnerable: one.Want.Vulnerable,
			}
			for _, a := range answers {
				x.Answers = append(x.Answers, scriptAnswer{a.Step, a.Choice, p.Step(a.Step).Choice(a.Choice).Key})
			}
			out = append(out, x)
		}
	}
	e := json.NewEncoder(s.out)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

// loadScript loads a built-in script by id, or a file.
func loadScript(name string) (*contact.Script, error) {
	if !strings.HasSuffix(name, ".toml") {
		return contact.Load(name)
	}
	body, err := os.ReadFile(name)
	if err != nil {
		return nil, openError(name, err)
	}
	return contact.Parse(filepath.Base(name), body)
}

type scriptShowCmd struct {
	Script string `arg:"" help:"A built-in script, or a TOML file." placeholder:"ID"`
	Lang   string `help:"Language of the wording." enum:"en,zh,pt" default:"en"`
}

// Run shows the script.
func (c *scriptShowCmd) Run(s *streams) error {
	p, err := loadScript(c.Script)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(s.out)
	fmt.Fprintf(w, "%s: %s\n%s\n", p.Name(), p.Titles.In(c.Lang), p.Purpose.In(c.Lang))
	if p.NeedsKnown {
		fmt.Fprintln(w, "Only over a way to reach the customer that was known before the dispute began.")
	}
	fmt.Fprintln(w, "\nNever:")
	for _, t := range p.Never {
		fmt.Fprintf(w, "  - %s\n", t.In(c.Lang))
	}
	for _, step := range p.Steps {
		fmt.Fprintf(w, "\n%s\n  say:  %s\n  why:  %s\n", step.ID, step.Ask.In(c.Lang), step.Why.In(c.Lang))
		for _, t := range step.Never {
			fmt.Fprintf(w, "  not:  %s\n", t.In(c.Lang))
		}
		for _, ch := range step.Choices {
			fmt.Fprintf(w, "  [%s]   %s → %s\n", ch.Key, ch.Label.In(c.Lang), leads(ch))
			if g := ch.Signal; g != nil {
				fmt.Fprintf(w, "        signal: %s (%s); test first: %s\n", g.Text, strings.TrimSpace(string(g.Family)+" "+string(g.Criterion)), g.Innocent)
			}
		}
	}
	for i := range p.Ends {
		fmt.Fprintf(w, "\nend %s: %s\n", p.Ends[i].ID, p.Ends[i].Titles.In(c.Lang))
		follows(w, &p.Ends[i], c.Lang)
	}
	return w.Flush()
}

// leads says in a line where a choice leads.
func leads(c contact.Choice) string {
	if len(c.Branches) == 0 {
		return c.Next
	}
	var out []string
	for _, b := range c.Branches {
		if len(b.When) == 0 {
			out = append(out, "else "+b.Next)
		} else {
			out = append(out, b.Next+" if "+strings.Join(b.When, " and "))
		}
	}
	return strings.Join(out, ", ")
}

// follows writes what an end says and does.
func follows(w io.Writer, e *contact.End, lang string) {
	fmt.Fprintf(w, "  say:    %s\n", e.Say.In(lang))
	switch e.Track {
	case "":
		fmt.Fprintln(w, "  track:  the complaint goes on as it is")
	default:
		fmt.Fprintf(w, "  track:  %s\n", e.Track)
	}
	for _, v := range e.Verify {
		fmt.Fprintf(w, "  verify: %s\n", strings.TrimSpace(string(v.Kind)+" "+v.About))
	}
	if e.Letter != "" {
		fmt.Fprintf(w, "  letter: %s\n", e.Letter)
	}
	if e.Vulnerable {
		fmt.Fprintln(w, "  route:  a trained person takes over")
	}
	for _, t := range e.Offer {
		fmt.Fprintf(w, "  offer:  %s\n", t.In(lang))
	}
}

type scriptCheckCmd struct {
	Scripts []string `arg:"" optional:"" help:"TOML files; all built-in scripts by default." placeholder:"FILE"`
}

// Run checks the scripts and runs their cases.
func (c *scriptCheckCmd) Run(s *streams) error {
	names := c.Scripts
	if len(names) == 0 {
		names = contact.List()
	}
	bad := 0
	for _, name := range names {
		p, err := loadScript(name)
		if err != nil {
			bad++
			fmt.Fprintln(s.out, userMessage(err))
			continue
		}
		problems := p.Check()
		ran, failed := p.Test()
		for _, f := range failed {
			problems = append(problems, f.String())
		}
		for _, line := range problems {
			fmt.Fprintf(s.out, "%s: %s\n", p.Name(), line)
		}
		bad += len(problems)
		fmt.Fprintf(s.out, "%s: %d cases, %d problems\n", p.Name(), ran, len(problems))
	}
	if bad > 0 {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("problems found: %d", bad)}
	}
	return nil
}

type scriptRunCmd struct {
	Script  string   `arg:"" help:"A built-in script, or a TOML file." placeholder:"ID"`
	Lang    string   `help:"Language of the wording." enum:"en,zh,pt" default:"en"`
	Known   []string `help:"What is known: tagged, complaint, customer, representative, white_path, confirmed, vulnerable, known_number, threat, substantiated." placeholder:"FACT"`
	Answers []string `help:"Play these answers instead of reading keys." placeholder:"STEP:CHOICE"`
}

// Help is shown by script run --help.
func (scriptRunCmd) Help() string {
	return `
One line a key: the key of a choice, ? for what a question is for, ! for what must
never be asked or said, b to go back. Nothing is stored.`
}

// Run plays the script.
func (c *scriptRunCmd) Run(s *streams) error {
	p, err := loadScript(c.Script)
	if err != nil {
		return err
	}
	known, err := contact.KnownOf(c.Known...)
	if err != nil {
		return err
	}
	answers, err := contact.Answers(c.Answers)
	if err != nil {
		return err
	}
	talk, err := p.Play(known, answers)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(s.out)
	fmt.Fprintf(w, "%s: %s\n", p.Name(), p.Titles.In(c.Lang))
	if len(answers) == 0 {
		if talk, err = c.dialogue(s.in, w, p, known); err != nil {
			return err
		}
	}
	if talk.End == nil {
		fmt.Fprintf(w, "\nStopped at %s, before an end. The complaint goes on as it is.\n", talk.Step.ID)
	}
	record(w, talk, c.Lang)
	return w.Flush()
}

// dialogue asks and reads a key a line until an end or the end of the input.
func (c *scriptRunCmd) dialogue(in io.Reader, w *bufio.Writer, p *contact.Script, known contact.Known) (contact.Talk, error) {
	var answers []bonafide.Answer
	lines := bufio.NewScanner(in)
	talk, err := p.Play(known, nil)
	for ask := true; err == nil && talk.End == nil; {
		if ask {
			fmt.Fprintf(w, "\n%s\n", talk.Step.Ask.In(c.Lang))
			for _, ch := range talk.Step.Choices {
				fmt.Fprintf(w, "  [%s] %s\n", ch.Key, ch.Label.In(c.Lang))
			}
			fmt.Fprintf(w, "  [?] why  [!] never  [b] back  (questions left, at least: %d)\n", talk.Left)
		}
		if err := w.Flush(); err != nil {
			return talk, err
		}
		if !lines.Scan() {
			return talk, lines.Err()
		}
		ask = true
		switch key := strings.ToLower(strings.TrimSpace(lines.Text())); {
		case key == "?":
			fmt.Fprintf(w, "  %s\n", talk.Step.Why.In(c.Lang))
			ask = false
		case key == "!":
			for _, t := range slices.Concat(talk.Step.Never, p.Never) {
				fmt.Fprintf(w, "  - %s\n", t.In(c.Lang))
			}
			ask = false
		case slices.ContainsFunc(talk.Step.Choices, func(ch contact.Choice) bool { return ch.Key == key }):
			i := slices.IndexFunc(talk.Step.Choices, func(ch contact.Choice) bool { return ch.Key == key })
			answers = append(answers, bonafide.Answer{Step: talk.Step.ID, Choice: talk.Step.Choices[i].ID})
			if talk, err = p.Play(known, answers); err == nil {
				fmt.Fprintf(w, "  established: %s\n", established(talk.Established))
			}
		case key == "b":
			answers = answers[:max(0, len(answers)-1)]
			talk, err = p.Play(known, answers)
		default:
			fmt.Fprintf(w, "  %q is no key here\n", key)
			ask = false
		}
	}
	return talk, err
}

// established writes what was established on a line.
func established(e bonafide.Established) string {
	var out []string
	for _, f := range [...]struct{ name, value string }{
		{"identity", e.Identity}, {"purpose", e.Purpose}, {"authority", e.Authority}, {"facts", strings.Join(e.Facts, "+")}, {"vulnerability", e.Vulnerability},
	} {
		if f.value != "" {
			out = append(out, f.name+" "+f.value)
		}
	}
	if len(out) == 0 {
		return "nothing yet"
	}
	return strings.Join(out, ", ")
}

// record writes what came of a conversation.
func record(w io.Writer, t contact.Talk, lang string) {
	fmt.Fprintf(w, "\nRecord\n  asked:  %s\n  established: %s\n", strings.Join(t.Asked, ", "), established(t.Established))
	for _, g := range t.Signals {
		fmt.Fprintf(w, "  signal: %s (%s); alone it grades nothing; test first: %s\n", g.Text, strings.TrimSpace(string(g.Family)+" "+string(g.Criteria)), g.Innocent)
	}
	if t.End == nil {
		if t.Vulnerable {
			fmt.Fprintln(w, "  route:  a trained person takes over")
		}
		return
	}
	fmt.Fprintf(w, "\nEnd %s: %s\n", t.End.ID, t.End.Titles.In(lang))
	follows(w, t.End, lang)
	if t.Vulnerable && !t.End.Vulnerable {
		fmt.Fprintln(w, "  route:  a trained person takes over")
	}
}
