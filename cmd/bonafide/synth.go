package main

import (
	"bufio"
	"io"
	"strings"

	"bonafide/internal/synth"
)

type synthCmd struct {
	Out   string  `arg:"" help:"File to write: NDJSON, or CSV where the name ends in .csv." placeholder:"FILE"`
	Truth string  `help:"Write the truth about each complaint to this file, for eval --truth." placeholder:"PATH"`
	Seed  uint64  `help:"Equal seeds make equal worlds." default:"1"`
	Size  int     `help:"Complaints wanted, at least 200." default:"5000"`
	Style string  `help:"Which generator: ${enum}." enum:"dev,held,held2" default:"dev"`
	Lang  string  `help:"en, zh or pt; by seed if empty." enum:",en,zh,pt" default:""`
	Ease  float64 `help:"0 hard … 1 easy." default:"0"`
}

// Run writes a world.
func (c *synthCmd) Run() error {
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
	if err != nil || c.Truth == "" {
		return err
	}
	return toFile(c.Truth, w.Truth.Write)
}
