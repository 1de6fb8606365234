package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"bonafide"
	"bonafide/intake"
	"bonafide/internal/evaluate"
	"bonafide/internal/synth"
	"bonafide/pipeline"
)

type evalCmd struct {
	Seeds     int      `help:"How many worlds." default:"20"`
	From      uint64   `help:"Seed of the first world." default:"1001"`
	Size      int      `help:"Complaints in each world." default:"5000"`
	Style     string   `help:"Which generator: ${enum}. Thresholds were chosen on dev, none on the others." enum:"dev,held,held2" default:"held"`
	Lang      string   `help:"Language of the worlds: en, zh or pt; by seed if empty." enum:",en,zh,pt" default:""`
	Ease      float64  `help:"0 hard … 1 easy: identical letters, plainly shared identifiers." default:"0"`
	Truth     string   `help:"Measure on a file of your own instead: its truth as CSV (id,group,agent,ring,provable,text_only,routed)." placeholder:"TRUTH.csv"`
	Files     []string `arg:"" optional:"" help:"With --truth: the complaints." placeholder:"FILE"`
	Policy    string   `help:"Policy pack that grades." default:"nifa-2024"`
	Baselines bool     `help:"Measure the three baselines in the same run." default:"true" negatable:""`
}

// Help is shown by eval --help.
func (evalCmd) Help() string {
	return `
Makes worlds with known truth, scans them, and prints per group how many were
accused, and overall: the false-accusation rate with its 95 % Wilson interval,
the recall of provable agent complaints at level 2, and precision, recall and F1
of rings over pairs. Three baselines run on the same worlds: exact duplicates,
"three share a phone", and a shared identifier plus like letters.

  bonafide eval --seeds 5
  bonafide eval --truth truth.csv complaints.csv`
}

// method is one way of predicting, by name.
type method struct {
	name    string
	predict func([]bonafide.Complaint) (evaluate.Prediction, error)
}

// Run measures.
func (c *evalCmd) Run(ctx context.Context, s *streams) error {
	methods := []method{{"bonafide", func(cs []bonafide.Complaint) (evaluate.Prediction, error) { return c.scan(ctx, cs) }}}
	plain := func(f func([]bonafide.Complaint) evaluate.Prediction) func([]bonafide.Complaint) (evaluate.Prediction, error) {
		return func(cs []bonafide.Complaint) (evaluate.Prediction, error) { return f(cs), nil }
	}
	if c.Baselines {
		methods = append(methods,
			method{"baseline 1: exact duplicates", plain(evaluate.ExactDuplicates)},
			method{"baseline 2: three share a phone", plain(evaluate.SharedPhone)},
			method{"baseline 3: shared identifier and like letters", plain(evaluate.SharedIdentifierAndText)})
	}
	if c.Truth == "" && (c.Seeds < 1 || c.Size < leastWorld) {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("--seeds %d --size %d: nothing to measure; at least 1 world of %d complaints", c.Seeds, c.Size, leastWorld)}
	}
	scores := make([][]evaluate.Scores, len(methods))
	measure := func(cs []bonafide.Complaint, truth synth.Truth) error {
		for i, m := range methods {
			p, err := m.predict(cs)
			if err != nil {
				return err
			}
			scores[i] = append(scores[i], evaluate.Score(truth, p))
		}
		return nil
	}
	if c.Truth != "" {
		cs, truth, err := c.own(ctx)
		if err != nil {
			return err
		}
		if err := measure(cs, truth); err != nil {
			return err
		}
	} else {
		p := &progress{w: s.err, on: s.terminal, start: time.Now()}
		for n := range c.Seeds {
			w := synth.New(synth.Config{Seed: c.From + uint64(n), Size: c.Size, Lang: c.Lang, Style: synth.Style(c.Style), Ease: c.Ease})
			if err := measure(w.Complaints, w.Truth); err != nil {
				return err
			}
			p.stage("worlds", n+1, c.Seeds)
		}
		p.clear()
		fmt.Fprintf(s.out, "%d worlds of %d complaints, style %s, ease %g, seeds %d to %d, policy %s\n\n",
			c.Seeds, c.Size, c.Style, c.Ease, c.From, c.From+uint64(c.Seeds)-1, c.Policy)
	}
	for i, m := range methods {
		if err := evaluate.Sum(scores[i]).Write(s.out, m.name); err != nil {
			return err
		}
		fmt.Fprintln(s.out)
	}
	return nil
}

// scan predicts with a scan as scan runs it.
func (c *evalCmd) scan(ctx context.Context, cs []bonafide.Complaint) (evaluate.Prediction, error) {
	var p evaluate.Prediction
	cfg, err := (&scanCmd{Policy: c.Policy}).config()
	if err != nil {
		return p, err
	}
	sc := pipeline.NewScanner(cfg)
	for i := range cs {
		if err := sc.Add(ctx, &cs[i]); err != nil {
			return p, err
		}
	}
	res, err := sc.Finish(ctx, bonafide.Read{Accepted: len(cs)}, nil)
	if err != nil {
		return p, err
	}
	p.Levels = map[string]bonafide.Level{}
	for _, v := range res.Complaints {
		p.Levels[v.ID] = v.Level
	}
	for _, r := range res.Rings {
		p.Rings = append(p.Rings, r.Members)
	}
	return p, nil
}

// own reads a file of complaints and its truth.
func (c *evalCmd) own(ctx context.Context) ([]bonafide.Complaint, synth.Truth, error) {
	var truth synth.Truth
	if len(c.Files) == 0 {
		return nil, truth, &bonafide.Error{Kind: bonafide.Invalid, Msg: "--truth needs the file of complaints that it is about: bonafide eval --truth TRUTH.csv FILE"}
	}
	f, err := openFile(c.Truth)
	if err != nil {
		return nil, truth, err
	}
	defer f.Close()
	if truth, err = synth.ReadTruth(f); err != nil {
		return nil, truth, &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("%s: %v", c.Truth, err), Err: err}
	}
	var cs []bonafide.Complaint
	r := intake.NewReader(intake.Options{Quarantine: func(bonafide.Quarantined) error { return nil }})
	for _, path := range c.Files {
		err := func() error {
			f, err := openFile(path)
			if err != nil {
				return err
			}
			defer f.Close()
			return r.Read(ctx, path, f, func(c *bonafide.Complaint) error { cs = append(cs, *c); return nil })
		}()
		if err != nil {
			return nil, truth, err
		}
	}
	if len(cs) == 0 {
		return nil, truth, &bonafide.Error{Kind: bonafide.Invalid, Msg: "no usable complaint to measure on"}
	}
	known := map[string]bool{}
	for _, row := range truth.Rows {
		known[row.ID] = true
	}
	if !slices.ContainsFunc(cs, func(c bonafide.Complaint) bool { return known[c.ID] }) {
		return nil, truth, &bonafide.Error{Kind: bonafide.Invalid, Msg: c.Truth + ": not one of its ids is in the complaints"}
	}
	return cs, truth, nil
}
