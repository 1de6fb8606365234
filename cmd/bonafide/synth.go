package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"bonafide"
	"bonafide/internal/synth"
)

// leastWorld is how many complaints a made-up world has at least.
const leastWorld = 200

type synthCmd struct {
	Out     string  `arg:"" help:"File to write: NDJSON, or CSV where the name ends in .csv." placeholder:"FILE"`
	Truth   string  `help:"Write the truth about each complaint to this file, for eval --truth." placeholder:"PATH"`
	Records string  `help:"Write the lender's records (calls, contracts, failures) to this file, for merit." placeholder:"PATH"`
	Planted string  `help:"Write the breaches that are planted in --records to this file." placeholder:"PATH"`
	Seed    uint64  `help:"Equal seeds make equal worlds." default:"1"`
	Size    int     `help:"Complaints wanted, at least 200." default:"5000"`
	Style   string  `help:"Which generator: ${enum}." enum:"dev,held,held2" default:"dev"`
	Lang    string  `help:"en, zh or pt; by seed if empty." enum:",en,zh,pt" default:""`
	Ease    float64 `help:"0 hard … 1 easy: identical letters, plainly shared identifiers." default:"0"`
}

// Help is shown by synth --help.
func (synthCmd) Help() string {
	return `
Makes complaints to an invented lender: ordinary people, innocents that look
guilty, and rings of paid agents. No person, firm or number in them is real.
The truth about each complaint lets eval measure what a scan makes of them:

  bonafide synth world.csv --truth truth.csv --seed 7
  bonafide eval --truth truth.csv world.csv

The lender has records, some of which show that it did wrong: payments failed behind
a wave of complaints about an outage, charges that no contract agrees behind one
about fees, and some calls at night:

  bonafide synth world.ndjson --records records.ndjson --planted planted.csv
  bonafide merit records.ndjson --complaints world.ndjson`
}

// Run writes a world.
func (c *synthCmd) Run() error {
	if c.Size < leastWorld {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("--size %d: too small for a world; at least %d", c.Size, leastWorld)}
	}
	if c.Planted != "" && c.Records == "" {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "--planted tells what stands in --records: name a file for those too"}
	}
	for _, path := range []string{c.Truth, c.Records, c.Planted} {
		if path == "" {
			continue
		}
		if err := writable(path); err != nil {
			return err
		}
	}
	w := synth.New(synth.Config{Seed: c.Seed, Size: c.Size, Lang: c.Lang, Style: synth.Style(c.Style), Ease: c.Ease})
	err := toFile(c.Out, func(f io.Writer) error {
		b := bufio.NewWriter(f)
		write := synth.WriteNDJSON
		if strings.HasSuffix(c.Out, ".csv") {
			write = synth.WriteCSV
		}
		if err := write(b, w.Complaints); err != nil {
			return err
		}
		return b.Flush()
	})
	if err == nil && c.Truth != "" {
		err = toFile(c.Truth, w.Truth.Write)
	}
	if err != nil || c.Records == "" {
		return err
	}
	records := synth.RecordsFor(w, c.Seed)
	err = toFile(c.Records, func(f io.Writer) error {
		b := bufio.NewWriter(f)
		if err := records.WriteNDJSON(b); err != nil {
			return err
		}
		return b.Flush()
	})
	if err != nil || c.Planted == "" {
		return err
	}
	return toFile(c.Planted, records.WriteTruth)
}
