package synth

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"bonafide"
)

// Truth is what really lies behind each complaint of a world.
type Truth struct {
	Rows []Row // in the order of World.Complaints
}

// Row is the truth about one complaint.
type Row struct {
	ID    string
	Group string // as "agent:rotating-devices", "innocent:household" or "innocent:plain"
	Agent bool   // an agent made it
	Ring  string // "" for innocents
	// Provable: by an agent, and at least one identifier or document is shared
	// with another customer's complaint of the same ring. Masked values,
	// placeholders and values that more outsiders than members hold do not
	// count; see markTruth.
	Provable bool
	TextOnly bool // by an agent, and nothing but the letter ties it to its ring
	Routed   bool // a declared representative of the white path, or a vulnerable customer
}

var truthColumns = []string{"id", "group", "agent", "ring", "provable", "text_only", "routed"}

// Write writes t as CSV.
func (t Truth) Write(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(truthColumns); err != nil {
		return fmt.Errorf("write truth: %w", err)
	}
	for _, r := range t.Rows {
		err := out.Write([]string{
			r.ID, r.Group, strconv.FormatBool(r.Agent), r.Ring, strconv.FormatBool(r.Provable),
			strconv.FormatBool(r.TextOnly), strconv.FormatBool(r.Routed),
		})
		if err != nil {
			return fmt.Errorf("write truth: %w", err)
		}
	}
	out.Flush()
	return out.Error()
}

// ReadTruth reads what Truth.Write wrote. Errors are bonafide.Invalid where the
// file is not of that form.
func ReadTruth(r io.Reader) (Truth, error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord = len(truthColumns)
	var t Truth
	for line := 1; ; line++ {
		rec, err := in.Read()
		if err == io.EOF {
			return t, nil
		}
		if err != nil {
			return Truth{}, &bonafide.Error{Kind: bonafide.Invalid, Msg: "the truth file is not a CSV of seven columns", Err: fmt.Errorf("read truth: %w", err)}
		}
		if line == 1 {
			continue
		}
		row := Row{ID: rec[0], Group: rec[1], Ring: rec[3]}
		for _, f := range []struct {
			to *bool
			at int
		}{{&row.Agent, 2}, {&row.Provable, 4}, {&row.TextOnly, 5}, {&row.Routed, 6}} {
			if *f.to, err = strconv.ParseBool(rec[f.at]); err != nil {
				return Truth{}, &bonafide.Error{
					Kind: bonafide.Invalid,
					Msg:  fmt.Sprintf("the truth file, row %d, column %s: write true or false", line, truthColumns[f.at]),
					Err:  err,
				}
			}
		}
		t.Rows = append(t.Rows, row)
	}
}
