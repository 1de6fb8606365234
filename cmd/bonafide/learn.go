package main

import (
	"fmt"

	"bonafide"
	"bonafide/learn"
)

type learnCmd struct {
	Simulate learnSimulateCmd `cmd:"" help:"Try the promise about false accusations on made-up histories of decisions."`
	Needed   learnNeededCmd   `cmd:"" help:"Say how many decisions a promise needs."`
}

// Help is shown by learn --help.
func (learnCmd) Help() string {
	return `
Weights are learned of what people decided, in the console, and only ever hold a
proposal back. With them comes a promise: of the innocent groups that a standard would
flag, at most so many are still accused, with so much confidence.

  bonafide learn needed --alpha 1
  bonafide learn simulate --alpha 5 --groups 400`
}

type learnNeededCmd struct {
	Alpha      float64 `help:"How many of the innocent may be accused, in percent." default:"5"`
	Confidence float64 `help:"With which confidence, in percent." default:"95"`
}

// Run prints how many decisions are needed.
func (c *learnNeededCmd) Run(s *streams) error {
	if err := percents(c.Alpha, c.Confidence); err != nil {
		return err
	}
	n := learn.Needed(c.Alpha/100, c.Confidence/100)
	_, err := fmt.Fprintf(s.out, "%d innocent groups to set the threshold by, and as many to learn from: about %d cleared rings, upheld appeals and complaints judged genuine\n", n, 2*n)
	return err
}

type learnSimulateCmd struct {
	Alpha      float64 `help:"How many of the innocent may be accused, in percent." default:"5"`
	Confidence float64 `help:"With which confidence, in percent." default:"95"`
	Histories  int     `help:"How many histories of decisions." default:"200"`
	Groups     int     `help:"Groups decided about in each." default:"400"`
	Share      float64 `help:"Share of them that are organised." default:"0.6"`
	Hard       float64 `help:"0: the organised differ much; 1: not at all." default:"0.3"`
	Seed       uint64  `help:"Equal seeds make equal histories." default:"7"`
}

// Run simulates.
func (c *learnSimulateCmd) Run(s *streams) error {
	if err := percents(c.Alpha, c.Confidence); err != nil {
		return err
	}
	if c.Histories < 1 || c.Histories > 100_000 || c.Groups < 1 || c.Groups > 100_000 || !(c.Share > 0 && c.Share < 1) || !(c.Hard >= 0 && c.Hard <= 1) {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "--histories and --groups from 1 to 100000, --share between 0 and 1, --hard from 0 to 1"}
	}
	sim := learn.Simulate(learn.Population{Share: c.Share, Hard: c.Hard}, c.Histories, c.Groups, learn.Options{Alpha: c.Alpha / 100, Confidence: c.Confidence / 100, Seed: c.Seed})
	if sim.Refused > 0 {
		fmt.Fprintf(s.out, "refused in %d of %d histories: too few decisions to promise anything; bonafide learn needed says how many it takes\n", sim.Refused, sim.Histories)
	}
	n := sim.Histories - sim.Refused
	if n == 0 {
		return nil
	}
	_, err := fmt.Fprintf(s.out, `%d histories of %d groups; promise: at most %.3g %% of innocent groups accused, in %.3g %% of histories

                                promised      at one half
kept in                         %-13s %s
innocent groups accused, mean   %-13s %.1f %%
  at worst                      %.1f %%
organised complaints proposed   %-13s %.1f %%
`, n, c.Groups, c.Alpha, c.Confidence,
		fmt.Sprintf("%.1f %%", 100*float64(sim.Kept)/float64(n)), fmt.Sprintf("%.1f %%", 100*float64(sim.PlainKept)/float64(n)),
		fmt.Sprintf("%.1f %%", 100*sim.False), 100*sim.PlainFalse, 100*sim.Worst,
		fmt.Sprintf("%.1f %%", 100*sim.Recall), 100*sim.PlainRecall)
	return err
}

func percents(alpha, confidence float64) error {
	if !(alpha >= 0.1 && alpha <= 50) || !(confidence >= 50 && confidence <= 99.9) {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "--alpha from 0.1 to 50 percent, --confidence from 50 to 99.9 percent"}
	}
	return nil
}
