package main

import (
	"context"
	"fmt"
	"io"
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
	Records   bool     `help:"Give the scan the lender's records too: outages and charged fees behind the waves of complaints, and ordinary ones."`
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

With --records the waves of complaints about an outage or a changed fee have records
of the lender behind them that show it did wrong: they are to be told as incidents,
and nobody in them accused.

  bonafide eval --seeds 5
  bonafide eval --seeds 5 --records
  bonafide eval --truth truth.csv complaints.csv`
}

// method is one way of predicting, by name.
type method struct {
	name    string
	predict func([]bonafide.Complaint) (evaluate.Prediction, error)
}

// Run measures.
func (c *evalCmd) Run(ctx context.Context, s *streams) error {
	sum := &waveSum{}
	var world synth.World
	methods := []method{{"bonafide", func(cs []bonafide.Complaint) (evaluate.Prediction, error) { return c.scan(ctx, cs) }}}
	if c.Records {
		if c.Truth != "" {
			return &bonafide.Error{Kind: bonafide.Invalid, Msg: "--records makes records for made-up worlds: leave --truth out"}
		}
		methods = append(methods, method{"bonafide, with the lender's records", func([]bonafide.Complaint) (evaluate.Prediction, error) {
			return c.withRecords(ctx, world, sum)
		}})
	}
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
			world = w
			if err := measure(w.Complaints, w.Truth); err != nil {
				return err
			}
			p.stage("worlds", n+1, c.Seeds)
		}
		p.clear()
		fmt.Fprintf(s.out, "%d worlds of %d complaints, style %s, ease %g, seeds %d to %d, policy %s\n\n",
			c.Seeds, c.Size, c.Style, c.Ease, c.From, c.From+uint64(c.Seeds)-1, c.Policy)
	}
	if c.Records {
		if err := sum.write(s.out); err != nil {
			return err
		}
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
	p, _, err := c.scanKnowing(ctx, cs, nil)
	return p, err
}

func (c *evalCmd) scanKnowing(ctx context.Context, cs []bonafide.Complaint, known map[string]pipeline.Known) (evaluate.Prediction, *bonafide.Result, error) {
	var p evaluate.Prediction
	cfg, err := (&scanCmd{Policy: c.Policy}).config()
	if err != nil {
		return p, nil, err
	}
	sc := pipeline.NewScanner(cfg)
	sc.Know(known)
	for i := range cs {
		if err := sc.Add(ctx, &cs[i]); err != nil {
			return p, nil, err
		}
	}
	res, err := sc.Finish(ctx, bonafide.Read{Accepted: len(cs)}, nil)
	if err != nil {
		return p, nil, err
	}
	p.Levels = map[string]bonafide.Level{}
	for _, v := range res.Complaints {
		p.Levels[v.ID] = v.Level
	}
	for _, r := range res.Rings {
		p.Rings = append(p.Rings, r.Members)
	}
	return p, res, nil
}

// withRecords predicts with the lender's records beside the complaints.
func (c *evalCmd) withRecords(ctx context.Context, w synth.World, sum *waveSum) (evaluate.Prediction, error) {
	records := synth.RecordsFor(w, c.From)
	book := newRecordBook(&quarantine{})
	for _, r := range records.Calls {
		book.of(r.CustomerRef).Calls = append(book.of(r.CustomerRef).Calls, r)
	}
	for _, r := range records.Contracts {
		book.of(r.CustomerRef).Contracts = append(book.of(r.CustomerRef).Contracts, r)
	}
	for _, r := range records.ThirdParties {
		book.of(r.CustomerRef).ThirdParties = append(book.of(r.CustomerRef).ThirdParties, r)
	}
	for _, r := range records.Objections {
		book.of(r.CustomerRef).Objections = append(book.of(r.CustomerRef).Objections, r)
	}
	for _, r := range records.Failures {
		book.of(r.CustomerRef).Failures = append(book.of(r.CustomerRef).Failures, r)
	}
	pack, err := loadMeritPack("cn")
	if err != nil {
		return evaluate.Prediction{}, err
	}
	right := righting{pack: pack, book: book, known: map[string]pipeline.Known{}, now: w.Complaints[len(w.Complaints)-1].Received.AddDate(0, 0, 1)}
	for i := range w.Complaints {
		right.check(&w.Complaints[i])
	}
	p, res, err := c.scanKnowing(ctx, w.Complaints, right.known)
	if err == nil {
		sum.add(w, records, res)
	}
	return p, err
}

// A waveSum counts what became of the waves behind which the lender did wrong.
type waveSum struct {
	waves, told       int // waves, and those told as an incident
	incidents, none   int // incidents, and those of no wave
	complaints, there int // complaints of incidents, and those of a wave with a record
	covered, found    int // complaints of waves with a record, and those in an incident
	inWaves, accused  int // complaints of waves, and those against which something is proposed
	rings             int // rings that a complaint of a wave stands in
}

func (s *waveSum) add(w synth.World, records synth.RecordsWorld, res *bonafide.Result) {
	wave, group := map[string]int{}, map[string]string{}
	for i, x := range records.Waves {
		s.waves++
		for _, id := range x.Covered {
			wave[id] = i + 1
		}
		s.covered += len(x.Covered)
	}
	for _, r := range w.Truth.Rows {
		group[r.ID] = r.Group
	}
	isWave := func(id string) bool {
		return group[id] == "innocent:outage-wave" || group[id] == "innocent:fee-change-wave"
	}
	told := map[int]bool{}
	in := map[string]bool{}
	for _, inc := range res.Incidents {
		s.incidents++
		hits := map[int]int{}
		for _, id := range inc.Complaints {
			in[id] = true
			s.complaints++
			if wave[id] > 0 {
				s.there++
				hits[wave[id]]++
			}
		}
		if len(hits) == 0 {
			s.none++
		}
		for k := range hits {
			told[k] = true
		}
	}
	s.told += len(told)
	for id := range wave {
		if in[id] {
			s.found++
		}
	}
	for _, r := range w.Truth.Rows {
		if isWave(r.ID) {
			s.inWaves++
		}
	}
	for _, v := range res.Complaints {
		if isWave(v.ID) && v.Level.Accuses() {
			s.accused++
		}
	}
	for _, r := range res.Rings {
		if slices.ContainsFunc(r.Members, isWave) {
			s.rings++
		}
	}
}

func (s *waveSum) write(w io.Writer) error {
	_, err := fmt.Fprintf(w, `waves behind which the lender did wrong
  %d of %d waves are told as an incident; %d of the %d incidents are of no wave
  %d of the %d complaints of incidents belong to a wave; %d of the %d complaints of waves with a record are in one
  %d of %d complaints of waves are accused; %d rings hold one of them

`, s.told, s.waves, s.none, s.incidents, s.there, s.complaints, s.found, s.covered, s.accused, s.inWaves, s.rings)
	return err
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
