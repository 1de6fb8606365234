package intake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	previewBytes = 8 << 20 // rows held while the columns are told
	maxColumns   = 2000
)

// A row is one line of a table. bad is set where it could not be read.
type row struct {
	line  int
	cells [][]byte
	bad   *problem
	whole []byte // as it stood, where it could not be cut into cells
}

// table gives CSV and flattened JSON the same face: a header and rows of cells.
type table struct {
	name    string
	header  []string
	sheet   *sheet // for CSV
	lines   *lines // for JSON
	parser  parser
	columns map[string]int // JSON keys by column
	ahead   []row          // previewed
	broken  error          // what ended the preview
	scratch [][]byte
	last    bool     // the lines have ended
	names   []string // of the header, each once
}

// newTable reads the header of a CSV, or makes ready to read JSON.
func newTable(name string, s *source, m *Mapping, limits Limits) (*table, error) {
	t := &table{name: name}
	if isJSON(s.head) {
		t.lines = newLines(s, limits)
		t.columns = map[string]int{}
		return t, nil
	}
	var comma byte
	if m != nil && m.Delimiter != "" {
		comma = m.Delimiter[0]
	} else {
		comma = delimiter(s.head, limits)
	}
	t.sheet = newSheet(s, comma, limits)
	err := t.sheet.next()
	var p *problem
	switch {
	case errors.As(err, &p):
		return nil, refused(name, "line %d: the header cannot be read: %s", p.line, p.reason)
	case err == io.EOF:
		return nil, refused(name, "empty file: nothing to read")
	case err != nil:
		return nil, err
	case len(t.sheet.fields) > maxColumns:
		return nil, refused(name, "more than %d columns: this is no table of complaints", maxColumns)
	}
	for _, f := range t.sheet.fields {
		t.header = append(t.header, strings.TrimSpace(strings.ToValidUTF8(string(f), "\uFFFD")))
	}
	return t, nil
}

func isJSON(head []byte) bool {
	head = bytes.TrimLeft(head, " \t\r\n")
	return len(head) > 0 && (head[0] == '{' || head[0] == '[' && len(bytes.TrimLeft(head[1:], " \t\r\n")) > 0 && bytes.IndexByte([]byte("{[]"), bytes.TrimLeft(head[1:], " \t\r\n")[0]) >= 0)
}

func newLines(s *source, limits Limits) *lines {
	return &lines{in: newSheet(s, ',', limits), array: bytes.TrimLeft(s.head, " \t\r\n")[0] == '['}
}

// preview reads rows ahead until there are enough to judge by, most at most.
func (t *table) preview(most int) [][]string {
	var sample [][]string
	size := 0
	for len(t.ahead) < most && size < previewBytes {
		r, err := t.read()
		if err != nil {
			t.broken = err
			if err == io.EOF {
				t.broken = nil
				t.last = true
			}
			break
		}
		cells := make([][]byte, len(r.cells))
		texts := make([]string, len(r.cells))
		for i, c := range r.cells {
			cells[i] = bytes.Clone(c)
			size += len(c) + 48
			if len(c) > 400 {
				c = c[:400] // enough to tell a text from a name
			}
			texts[i] = string(bytes.TrimSpace(c))
		}
		r.cells, r.whole = cells, bytes.Clone(r.whole)
		size += len(r.whole)
		t.ahead = append(t.ahead, r)
		if r.bad == nil {
			sample = append(sample, texts)
		}
	}
	return sample
}

// next returns rows in order, those read ahead first. A row's cells hold until
// the next call.
func (t *table) next() (row, error) {
	if len(t.ahead) > 0 {
		r := t.ahead[0]
		t.ahead[0] = row{}
		t.ahead = t.ahead[1:]
		return r, nil
	}
	if t.broken != nil {
		return row{}, t.broken
	}
	if t.last {
		return row{}, io.EOF
	}
	return t.read()
}

func (t *table) read() (row, error) {
	if t.lines != nil {
		return t.readJSON()
	}
	err := t.sheet.next()
	if p, ok := errors.AsType[*problem](err); ok {
		r := row{line: p.line, bad: p, whole: t.sheet.lost}
		if len(r.whole) == 0 {
			r.cells = t.sheet.fields // one of them is too long
		}
		return r, nil
	}
	if err != nil {
		return row{}, err
	}
	r := row{line: t.sheet.at, cells: t.sheet.fields}
	if n := len(t.header); len(r.cells) != n {
		extra := false
		for i := n; i < len(r.cells); i++ {
			extra = extra || len(bytes.TrimSpace(r.cells[i])) > 0
		}
		switch {
		case len(r.cells) < n:
			r.bad = &problem{line: r.line, reason: "fewer cells than the header has columns: quote line breaks and missing delimiters"}
		case extra:
			r.bad = &problem{line: r.line, column: n + 1, reason: "more cells than the header has columns: quote the cell that holds a delimiter"}
		default:
			r.cells = r.cells[:n]
		}
	}
	return r, nil
}

func (t *table) readJSON() (row, error) {
	b, err := t.lines.next()
	if p, ok := errors.AsType[*problem](err); ok {
		t.last = t.lines.array
		return row{line: p.line, bad: p, whole: t.lines.in.lost}, nil
	}
	if err != nil {
		return row{}, err
	}
	r := row{line: t.lines.at}
	n, err := t.parser.parse(b)
	if err != nil {
		r.bad, r.whole = &problem{line: r.line, reason: err.Error() + ": mend the line"}, b
		return r, nil
	}
	if n.kind != jsonObject {
		r.bad, r.whole = &problem{line: r.line, reason: "not a JSON object: give one object on each line"}, b
		return r, nil
	}
	clear(t.scratch)
	t.scratch = t.scratch[:len(t.header)]
	t.flatten("", &n)
	r.cells = t.scratch
	return r, nil
}

// flatten files an object's values under their paths, customer.name and so on.
func (t *table) flatten(prefix string, n *node) {
	for i, key := range n.keys {
		if prefix != "" {
			key = prefix + "." + key
		}
		v := &n.items[i]
		switch v.kind {
		case jsonObject:
			t.flatten(key, v)
		case jsonArray:
			for j := range v.items {
				if e := &v.items[j]; e.kind == jsonObject {
					t.flatten(key, e)
				} else if e.kind != jsonArray && e.kind != jsonNull {
					t.file(key, e.text)
				}
			}
		case jsonNull:
		default:
			t.file(key, v.text)
		}
	}
}

func (t *table) file(key, value string) {
	i, ok := t.columns[key]
	if !ok {
		if len(t.header) >= maxColumns || !utf8.ValidString(key) || len(key) > 256 {
			return
		}
		i = len(t.header)
		t.columns[key] = i
		t.header = append(t.header, key)
		t.scratch = append(t.scratch, nil)
	}
	if len(t.scratch[i]) > 0 {
		t.scratch[i] = append(append(t.scratch[i], ';'), value...)
		return
	}
	t.scratch[i] = []byte(value)
}

// named gives the cells of a row the names of their columns; see [Whole].
func (t *table) named(r row) map[string]string {
	if len(r.whole) > 0 {
		return map[string]string{Whole: plain(r.whole)}
	}
	if len(t.names) != len(t.header) {
		t.names = distinct(t.header)
	}
	size := 0
	for _, c := range r.cells {
		size += len(c)
	}
	if t.sheet != nil && size > t.sheet.limits.Row {
		return map[string]string{} // longer than a row may be
	}
	out := make(map[string]string, len(r.cells))
	for i, c := range r.cells {
		switch {
		case i >= len(t.names):
			out[numbered(i)] = plain(c)
		case len(c) > 0 || t.sheet != nil:
			out[t.names[i]] = plain(c)
		}
	}
	return out
}

func plain(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }

// numbered names a column that has no name.
func numbered(i int) string { return fmt.Sprintf("column %d", i+1) }

// distinct returns the names of a header's columns, each once.
func distinct(header []string) []string {
	out, used := make([]string, len(header)), make(map[string]bool, len(header))
	for i, h := range header {
		if h == "" {
			h = numbered(i)
		}
		name := h
		for n := 2; used[name]; n++ {
			name = fmt.Sprintf("%s (%d)", h, n)
		}
		out[i], used[name] = name, true
	}
	return out
}
