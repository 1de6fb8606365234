package report

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"bonafide"
)

// JSON writes r as spec/result.schema.json has it, indented, with a newline at
// the end. What the contract calls a list is a list, empty or not.
func JSON(w io.Writer, r *bonafide.Result) error {
	out := *r
	out.Complaints = filled(r.Complaints)
	out.NotProved = filled(r.NotProved)
	out.Rings = slices.Clone(filled(r.Rings))
	for i := range out.Rings {
		g := &out.Rings[i]
		g.Members, g.Families, g.Why = filled(g.Members), filled(g.Families), filled(g.Why)
		g.Ties, g.Shared = slices.Clone(g.Ties), slices.Clone(g.Shared)
		for j := range g.Ties {
			g.Ties[j].Why = filled(g.Ties[j].Why)
		}
		for j := range g.Shared {
			g.Shared[j].Members = filled(g.Shared[j].Members)
		}
	}
	out.Templates = slices.Clone(filled(r.Templates))
	for i := range out.Templates {
		t := &out.Templates[i]
		t.Members, t.Examples = filled(t.Members), slices.Clone(t.Examples)
		for j := range t.Examples {
			t.Examples[j].Spans = filled(t.Examples[j].Spans)
		}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(&out)
}

// filled returns s, or an empty slice in place of nil.
func filled[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// CSV writes one row for each complaint that got more than nothing. Lists within a cell
// are joined by " | ". No cell can be taken for a formula.
func CSV(w io.Writer, r *bonafide.Result) error {
	out := csv.NewWriter(w)
	row := []string{"id", "level", "route", "ring", "template", "criteria", "families", "why", "innocent"}
	if err := out.Write(row); err != nil {
		return err
	}
	for _, v := range r.Complaints {
		row = append(row[:0], v.ID, string(v.Level), string(v.Route), v.Ring, v.Template,
			joined(v.Criteria), joined(v.Families), joined(v.Why), joined(v.Innocent))
		for i, cell := range row {
			row[i] = Cell(cell)
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// joined puts a list into one cell.
func joined[T ~string](parts []T) string {
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteString(" | ")
		}
		b.WriteString(string(p))
	}
	return b.String()
}

// Cell returns cell with an apostrophe before it where a spreadsheet would run it
// as a formula. Every sheet that is written goes through it.
func Cell(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
