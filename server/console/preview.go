package console

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"bonafide"
	"bonafide/intake"
	"bonafide/normalize"
	"bonafide/pipeline"
)

// What somebody sees of a file before it is stored: enough to tell what each column is,
// and nobody in it. A value too many is hidden rather than a person too few.

const hidden = "•••"

// sample masks the first rows of a file.
func sample(columns []importColumn, rows [][]string) [][]string {
	var out [][]string
	for _, row := range rows[:min(len(rows), sampleRows)] {
		var names []string
		for i, c := range columns {
			if i < len(row) && (strings.HasPrefix(c.As, "customer.") || c.As == "representative.name") {
				names = append(names, row[i])
			}
		}
		cells := make([]string, len(columns))
		for i, c := range columns {
			if i < len(row) {
				cells[i] = maskCell(c, clean(row[i]), names)
			}
		}
		out = append(out, cells)
	}
	return out
}

// maskCell is a cell as it can be shown.
func maskCell(c importColumn, cell string, names []string) string {
	if cell == "" {
		return ""
	}
	switch c.As {
	case "text", "title", "demands", "calls.transcript":
		return ellipsis(pipeline.MaskLetter(cell, names...), sampleRunes)
	case "id", "received", "channel", "lang", "product", "external_ref", "amount", "amount.minor", "amount.currency",
		"representative.type", "representative.confirmed", "documents.kind", "documents.verified", "calls.started":
		if len(normalize.Find(cell)) > 0 {
			cell = normalize.Mask(cell)
		}
		return ellipsis(cell, sampleRunes)
	}
	switch {
	case c.As != "", c.Name == "", intake.Personal(c.Name):
		return hidden
	case !strings.ContainsFunc(cell, unicode.IsLetter): // numbers, dates
		return ellipsis(normalize.Mask(cell), sampleRunes)
	case utf8.RuneCountInString(cell) > sampleRunes:
		return ellipsis(pipeline.MaskLetter(cell, names...), sampleRunes)
	}
	return hidden
}

// ellipsis cuts a text to some characters.
func ellipsis(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:most])) + "…"
}

// errEnough ends a trial.
var errEnough = errors.New("enough")

// try reads the first rows of a file as the import would.
func try(ctx context.Context, how *intake.Import, src io.Reader) (*trial, error) {
	t := &trial{}
	if m := how.Mapping; !how.Contract && (m == nil || m.Check() != nil) {
		t.Problem = chooseText
		return t, nil
	}
	o := how.Options()
	count := func() error {
		if t.Rows++; t.Rows >= triedRows {
			return errEnough
		}
		return nil
	}
	o.Quarantine = func(q bonafide.Quarantined) error {
		t.Refused++
		i := slices.IndexFunc(t.Reasons, func(x trialReason) bool { return x.Field == q.Field && x.Reason == q.Reason })
		if i < 0 {
			i = len(t.Reasons)
			t.Reasons = append(t.Reasons, trialReason{Field: q.Field, Reason: q.Reason})
		}
		x := &t.Reasons[i]
		if x.Count++; len(x.Lines) < someLines {
			x.Lines = append(x.Lines, q.Line)
		}
		return count()
	}
	reader := intake.NewReader(o)
	err := reader.Read(ctx, how.Mark, src, func(c *bonafide.Complaint) error {
		if t.First == nil {
			t.First, t.Text = c, ellipsis(clean(pipeline.MaskLetter(c.Text, namesIn(*c)...)), letterRunes)
			for _, id := range c.Contacts {
				t.Contacts = append(t.Contacts, id.Kind)
			}
		}
		return count()
	})
	t.notes = reader.Summary().Warnings
	known, ok := errors.AsType[*bonafide.Error](err)
	switch {
	case err == nil, errors.Is(err, errEnough):
	case ok && known.Kind == bonafide.Invalid:
		t.Problem = strings.TrimPrefix(known.Msg, how.Mark+": ")
	default:
		return nil, err
	}
	return t, nil
}

const chooseText = "choose the column that holds the words of the complaint"

// warnings are those of the trial, without the mark of the file.
func (t *trial) warnings(mark string) []string {
	out := make([]string, len(t.notes))
	for i, n := range t.notes {
		out[i] = strings.TrimPrefix(n, mark+": ")
	}
	return out
}
