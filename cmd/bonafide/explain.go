package main

import (
	"encoding/json"
	"fmt"

	"bonafide"
	"bonafide/report"
)

type explainCmd struct {
	Result string `arg:"" help:"What scan --format json wrote." placeholder:"RESULT"`
	ID     string `arg:"" help:"The complaint's id." placeholder:"ID"`
}

// Help is shown by explain --help.
func (explainCmd) Help() string {
	return `
Says of one complaint what its letter shares with others, what else is shared
and with how many, what is proposed, and which innocent explanations to test
first. It reads the result of a scan, not the complaints:

  bonafide scan examples/complaints.csv --format json -o result.json
  bonafide explain result.json C-0319383`
}

// Run tells one complaint's story.
func (c *explainCmd) Run(s *streams) error {
	f, err := openFile(c.Result)
	if err != nil {
		return err
	}
	defer f.Close()
	var r bonafide.Result
	if err := json.NewDecoder(f).Decode(&r); err != nil || r.Version == "" {
		return &bonafide.Error{Kind: bonafide.Invalid, Err: err, Msg: fmt.Sprintf(
			"%s is not the result of a scan: make one with bonafide scan FILE --format json -o %s", c.Result, c.Result)}
	}
	return report.Explain(s.out, &r, c.ID)
}
