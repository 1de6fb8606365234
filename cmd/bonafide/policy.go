package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"bonafide"
	"bonafide/policy"
)

type policyCmd struct {
	List policyListCmd `cmd:"" help:"List the built-in packs."`
	Show policyShowCmd `cmd:"" help:"Show a pack's rules with their basis and innocent explanations."`
	Test policyTestCmd `cmd:"" help:"Run a pack's own test cases."`
}

// Help is shown by policy --help.
func (policyCmd) Help() string {
	return `
A policy pack is one published standard as rules, each with its basis, the
innocent explanations to test first and test cases of its own:

  bonafide policy list
  bonafide policy show nifa-2024
  bonafide policy test mine.toml`
}

type policyListCmd struct{}

// Run lists the packs.
func (policyListCmd) Run(s *streams) error {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, id := range policy.List() {
		p, err := policy.Load(id)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\t%s\t%d rules, at most %s\n", p.Name(), p.Title, len(p.Rules), p.Most)
	}
	return w.Flush()
}

type policyShowCmd struct {
	Pack string `arg:"" help:"A built-in pack, or a TOML file." placeholder:"PACK"`
}

// loadPack loads a built-in pack by id, or a file.
func loadPack(name string) (*policy.Pack, error) {
	if !strings.HasSuffix(name, ".toml") {
		return policy.Load(name)
	}
	body, err := os.ReadFile(name)
	if err != nil {
		return nil, openError(name, err)
	}
	return policy.Parse(filepath.Base(name), body)
}

// Run shows the pack.
func (c *policyShowCmd) Run(s *streams) error {
	p, err := loadPack(c.Pack)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s: %s (%s)\nbasis: %s\n", p.Name(), p.Title, p.Jurisdiction, p.Basis)
	fmt.Fprintf(s.out, "\nRules ask for a level; the combination rule decides what may be proposed:\n"+
		"text alone is information, level 2 needs two families of evidence of which one is\n"+
		"not text, time or conduct, level 1 needs a verified item besides.\n")
	for _, r := range p.Rules {
		means := ""
		if r.Means != "" {
			means = ", " + r.Means
		}
		fmt.Fprintf(s.out, "\n%s  %s  [%s%s]\n  when:           %s\n  basis:          %s\n  test first:     %s\n",
			r.ID, r.Title, r.Level, means, r.When, r.Basis, strings.Join(r.Innocent, "; "))
	}
	return nil
}

type policyTestCmd struct {
	Packs []string `arg:"" optional:"" help:"Packs or TOML files; all built-in ones by default." placeholder:"PACK"`
}

// Run runs the packs' cases.
func (c *policyTestCmd) Run(s *streams) error {
	if len(c.Packs) == 0 {
		c.Packs = policy.List()
	}
	bad := 0
	for _, name := range c.Packs {
		p, err := loadPack(name)
		if err != nil {
			return err
		}
		ran, failed := p.Test()
		for _, f := range failed {
			why := fmt.Sprintf("want %v", f.Want)
			if f.Err != nil {
				why = f.Err.Error()
			}
			fmt.Fprintf(s.out, "%s: rule %s, case %q: %s\n", p.Name(), f.Rule, f.Case, why)
		}
		bad += len(failed)
		fmt.Fprintf(s.out, "%s: %d cases, %d failed\n", p.Name(), ran, len(failed))
	}
	if bad > 0 {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("%d cases failed", bad)}
	}
	return nil
}
