package main

import (
	"fmt"
	"path/filepath"

	"bonafide/intake"
)

type mappingCmd struct {
	File string `arg:"" help:"A file of complaints." placeholder:"FILE"`
}

// Help is shown by mapping --help.
func (mappingCmd) Help() string {
	return `
Reads the header and the first rows of a file and prints which column would be
read as which field, as a TOML file to edit:

  bonafide mapping export.csv > mapping.toml
  bonafide scan export.csv --mapping mapping.toml`
}

// Run prints the guess.
func (c *mappingCmd) Run(s *streams) error {
	f, err := openFile(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	m, notes, err := intake.GuessFile(filepath.Base(c.File), f)
	if err != nil {
		return err
	}
	for _, n := range notes {
		fmt.Fprintln(s.err, "note:", n)
	}
	return m.Write(s.out)
}
