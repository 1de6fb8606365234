package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"bonafide"
)

// Options say how files are read.
type Options struct {
	Mapping    *Mapping                         // nil: guess
	Limits     Limits                           // zero: defaults
	Quarantine func(bonafide.Quarantined) error // called for every bad row; may be nil
	// QuarantineRow is called for every bad row too, with what stood in it by the names
	// of its columns; see [Whole]. May be nil.
	QuarantineRow func(q bonafide.Quarantined, row map[string]string) error
	Progress      func(bytesRead int64, rows int) // may be nil; called at most every 64 KiB of input
}

// Summary counts what a Reader has read so far.
type Summary struct {
	Accepted    int
	Quarantined int
	Repeated    int      // the same id with the same content again
	Warnings    []string // what was guessed, left out or mended; no content of rows
}

// A Reader reads the files of one scan. It remembers ids across files, so that a
// complaint that stands in two of them counts once. It is not safe for
// concurrent use.
type Reader struct {
	options Options
	limits  Limits
	summary Summary
	repeats repeats
	line    int                      // of the row that is read
	cells   func() map[string]string // of that row
}

// NewReader returns a Reader with the given options.
func NewReader(o Options) *Reader { return &Reader{options: o, limits: o.Limits.withDefaults()} }

// Summary returns the counts so far.
func (r *Reader) Summary() Summary { return r.summary }

// Row returns the row that the complaint handed to yield was made of: its line, and what
// stood in it by the names of its columns. It holds within yield alone.
func (r *Reader) Row() (line int, row map[string]string) { return r.line, r.cells() }

// Read streams one file of complaints to yield; name is the base name used in
// messages. Bad rows go to Quarantine and reading goes on. An error of kind
// Invalid is for the file as a whole: empty, binary, no text column, expanding
// beyond its limits. Errors of yield, Quarantine and ctx are returned as they are.
func (r *Reader) Read(ctx context.Context, name string, src io.Reader, yield func(*bonafide.Complaint) error) error {
	run := &reading{Reader: r, ctx: ctx, name: name, yield: yield, tally: &tally{unknown: map[string]int{}}}
	var tell func(int64)
	if r.options.Progress != nil {
		tell = func(n int64) { r.options.Progress(n, run.rows) }
	}
	s, err := open(name, src, r.limits, tell)
	if err != nil {
		return err
	}
	run.warn(s.warnings...)
	if err := run.file(s); err != nil {
		var known *bonafide.Error
		if run.foreign || errors.As(err, &known) || ctx.Err() != nil {
			return err
		}
		return fmt.Errorf("%s: read: %w", name, err)
	}
	run.finish()
	if run.rows == 0 {
		if run.header {
			return refused(name, "a header and no rows: nothing to read")
		}
		return refused(name, "empty file: nothing to read")
	}
	return nil
}

// reading is one file on its way through.
type reading struct {
	*Reader
	ctx     context.Context // lives as long as the call of Read
	name    string
	yield   func(*bonafide.Complaint) error
	rows    int
	header  bool
	foreign bool // the error came from the caller's function
	tally   *tally
}

func (r *reading) warn(notes ...string) {
	for _, n := range notes {
		if len(r.summary.Warnings) < 1000 {
			r.summary.Warnings = append(r.summary.Warnings, n)
		}
	}
}

func (r *reading) file(s *source) error {
	if isJSON(s.head) && r.options.Mapping == nil {
		if follows, dated := followsContract(s.head, r.limits); follows {
			return r.contract(s, dated)
		}
	}
	t, err := newTable(r.name, s, r.options.Mapping, r.limits)
	if err != nil {
		return err
	}
	r.header = t.sheet != nil
	sample := t.preview(sampled)
	if len(t.ahead) == 0 && t.broken == nil {
		return nil
	}
	m := r.options.Mapping
	if m == nil {
		guessed, notes := Guess(t.header, sample)
		if guessed == nil {
			if t.broken != nil {
				return t.broken
			}
			if t.lines != nil && len(sample) == 0 {
				return r.drain(t)
			}
			return noText(r.name, len(t.header))
		}
		for _, n := range notes {
			r.warn(r.name + ": " + n)
		}
		m = guessed
	}
	p, err := m.bind(r.name, t.header, r.limits, r.tally)
	if err != nil {
		return err
	}
	if i, ok := p.fields["received"]; ok && m.DateOrder == "" {
		order, note := guessOrder(columnOf(sample, i), t.header)
		p.order = order
		if note != "" && r.options.Mapping != nil {
			r.warn(fmt.Sprintf("%s: dates in %s: %s", r.name, safeName(t.header[i], i+1), note))
		}
	}
	if !p.dated {
		r.warn(r.name + ": no column of dates: nothing can be said about timing")
	}
	var row row
	r.cells = func() map[string]string { return t.named(row) }
	for {
		row, err = t.next()
		r.tally.spoiled += t.parser.spoiled
		t.parser.spoiled = 0
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if row.bad == nil {
			var c *bonafide.Complaint
			if c, row.bad = p.complaint(row.cells, row.line); row.bad == nil {
				err = r.accept(c, row.line)
			}
		}
		if row.bad != nil {
			err = r.refuse(row.line, row.bad)
		}
		if err != nil {
			return err
		}
	}
}

// drain sets every row aside, where none could be read.
func (r *reading) drain(t *table) error {
	var row row
	var err error
	r.cells = func() map[string]string { return t.named(row) }
	for {
		row, err = t.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if row.bad == nil {
			row.bad = &problem{reason: "no field of a complaint: see spec/complaint.schema.json"}
		}
		if err := r.refuse(row.line, row.bad); err != nil {
			return err
		}
	}
}

func (r *reading) contract(s *source, dated bool) error {
	l := newLines(s, r.limits)
	k := &contract{dated: dated, limits: r.limits, tally: r.tally}
	if !dated {
		r.warn(r.name + ": no dates: nothing can be said about timing")
	}
	var p parser
	var n node
	var whole []byte
	r.cells = func() map[string]string {
		if len(whole) > 0 {
			return map[string]string{Whole: plain(whole)}
		}
		return contractRow(&n)
	}
	for {
		b, err := l.next()
		var bad *problem
		if err == io.EOF {
			return nil
		}
		if errors.As(err, &bad) {
			n, whole = node{}, l.in.lost
			if err := r.refuse(bad.line, bad); err != nil {
				return err
			}
			if l.array {
				return nil
			}
			continue
		}
		if err != nil {
			return err
		}
		whole = nil
		n, err = p.parse(b)
		r.tally.spoiled += p.spoiled
		p.spoiled = 0
		switch {
		case err != nil:
			whole, bad = b, &problem{reason: err.Error() + ": mend the line"}
		case n.kind != jsonObject:
			whole, bad = b, &problem{reason: "not a JSON object: give one object on each line"}
		default:
			var c *bonafide.Complaint
			if c, bad = k.complaint(&n); bad == nil {
				if err := r.accept(c, l.at); err != nil {
					return err
				}
			}
		}
		if bad != nil {
			if err := r.refuse(l.at, bad); err != nil {
				return err
			}
		}
	}
}

// accept yields c unless its id was met before.
func (r *reading) accept(c *bonafide.Complaint, line int) error {
	r.line = line
	if err := r.tick(); err != nil {
		return err
	}
	at, known, same := r.repeats.meet(c, r.name, line)
	switch {
	case same:
		r.summary.Repeated++
		return nil
	case known:
		return r.quarantine(line, &problem{field: "id", reason: fmt.Sprintf("id already used in line %d of %s with other content: give every complaint its own id", at.line, r.repeats.file(at))})
	}
	r.summary.Accepted++
	err := r.yield(c)
	r.foreign = err != nil
	return err
}

// refuse sets a row aside.
func (r *reading) refuse(line int, p *problem) error {
	if err := r.tick(); err != nil {
		return err
	}
	return r.quarantine(line, p)
}

func (r *reading) quarantine(line int, p *problem) error {
	r.summary.Quarantined++
	q := bonafide.Quarantined{File: r.name, Line: line, Column: p.column, Field: p.field, Reason: p.reason}
	var err error
	if r.options.Quarantine != nil {
		err = r.options.Quarantine(q)
	}
	if r.options.QuarantineRow != nil && err == nil {
		err = r.options.QuarantineRow(q, r.cells())
	}
	r.foreign = err != nil
	return err
}

// tick counts a row and looks whether the caller has given up.
func (r *reading) tick() error {
	r.rows++
	if r.rows%64 == 1 {
		return r.ctx.Err()
	}
	return nil
}

// finish adds the warnings that need the whole file.
func (r *reading) finish() {
	t := r.tally
	if t.spoiled > 0 {
		r.warn(fmt.Sprintf("%s: %d cells held bytes that are no UTF-8; they were replaced by \uFFFD", r.name, t.spoiled))
	}
	if t.unknownRep > 0 {
		r.warn(fmt.Sprintf("%s: %d representative types are none of self, lawyer, legal-aid, family, guardian, heir, charity, paid-agent; read as unknown", r.name, t.unknownRep))
	}
	if t.badAmount > 0 {
		r.warn(fmt.Sprintf("%s: %d amounts left out: not a number, or without a currency", r.name, t.badAmount))
	}
	if len(t.unknown) > 0 {
		keys := sortedKeys(t.unknown)
		total := 0
		for _, n := range t.unknown {
			total += n
		}
		more := ""
		if len(keys) > 10 {
			more = fmt.Sprintf(" and %d more", len(keys)-10)
			keys = keys[:10]
		}
		for i, k := range keys {
			keys[i] = fmt.Sprintf("%s (%d)", safeName(k, i+1), t.unknown[k])
		}
		r.warn(fmt.Sprintf("%s: %d fields that are not in the contract were ignored: %s%s", r.name, total, strings.Join(keys, ", "), more))
	}
}
