package main

import (
	"encoding/json"
	"fmt"
	"os"

	"bonafide"
	"bonafide/report"
)

type explainCmd struct {
	Result string `arg:"" help:"What scan --format json wrote." placeholder:"RESULT"`
	ID     string `arg:"" help:"The complaint's id." placeholder:"ID"`
}

// Run tells one complaint's story.
func (c *explainCmd) Run(s *streams) error {
	f, err := os.Open(c.Result)
	if err != nil {
		return openError(c.Result, err)
	}
	defer f.Close()
	var r bonafide.Result
	if err := json.NewDecoder(f).Decode(&r); err != nil || r.Version == "" {
		return &bonafide.Error{Kind: bonafide.Invalid, Err: err, Msg: fmt.Sprintf(
			"%s is not the result of a scan: make one with bonafide scan FILE --format json -o %s", c.Result, c.Result)}
	}
	return report.Explain(s.out, &r, c.ID)
}
