package intake

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"bonafide"
)

// Whole is the name under which a row stands in one piece, where it could not be cut
// into cells.
const Whole = ""

// An Import says how a file is read that was handed in to be stored: the body of its row
// in the store. Name and Columns can be personal.
type Import struct {
	Name     string    `json:"name"` // of the file, as somebody chose it
	Mark     string    `json:"mark"` // made from its content: begins the ids of rows that have none
	Columns  []string  `json:"columns"`
	JSON     bool      `json:"json,omitempty"`
	Contract bool      `json:"contract,omitempty"` // its fields are those of the contract, and no mapping is used
	Dated    bool      `json:"dated,omitempty"`    // of a file that follows the contract: some rows carry a date
	Mapping  *Mapping  `json:"mapping,omitempty"`
	Notes    []string  `json:"notes,omitempty"` // what was guessed, then what was met in reading
	History  bool      `json:"history,omitempty"`
	By       string    `json:"by,omitempty"` // who started it
	Started  time.Time `json:"started,omitzero"`
	Begun    bool      `json:"begun,omitempty"`   // a job has begun to read it; the next one goes on
	Problem  string    `json:"problem,omitempty"` // why it was not read to its end
}

// importFile bounds what an imported file unpacks to.
const importFile = 4 << 30

// Options are those that the file is read with.
func (m *Import) Options() Options {
	o := Options{Limits: Limits{File: importFile}}
	if !m.Contract {
		o.Mapping = m.Mapping
	}
	return o
}

// Look reads the beginning of a file and guesses how it is read. It returns the cells of
// the first rows too, cut where they are long; an error is for the file as a whole. A
// mapping without a text column has to be corrected before it is used.
func Look(name string, src io.Reader, most int) (*Import, [][]string, error) {
	limits := Limits{}.withDefaults()
	s, err := open(name, src, limits, nil)
	if err != nil {
		return nil, nil, err
	}
	m := &Import{Mark: name, JSON: isJSON(s.head)}
	if m.JSON {
		m.Contract, m.Dated = followsContract(s.head, limits)
	}
	t, err := newTable(name, s, nil, limits)
	if err != nil {
		return nil, nil, err
	}
	rows := t.preview(min(most, sampled))
	switch _, known := errors.AsType[*bonafide.Error](t.broken); {
	case known:
		return nil, nil, t.broken
	case t.broken != nil:
		return nil, nil, fmt.Errorf("%s: read: %w", name, t.broken)
	case len(t.ahead) == 0:
		return nil, nil, refused(name, "a header and no rows: nothing to read")
	}
	for _, row := range rows {
		for i := range row {
			row[i] = strings.ToValidUTF8(row[i], "\uFFFD")
		}
	}
	m.Columns = t.header
	if m.Contract {
		m.Notes = s.warnings
		return m, rows, nil
	}
	var notes []string
	if m.Mapping, notes = Guess(t.header, rows); m.Mapping == nil {
		m.Mapping = &Mapping{}
	}
	if t.sheet != nil {
		m.Mapping.Delimiter = string(t.sheet.comma)
	}
	m.Notes = slices.Concat(s.warnings, notes)
	return m, rows, nil
}

// Paths lists the fields of a complaint that a column can be mapped to.
func Paths() []string { return slices.Clone(paths) }

// ColumnName returns the name of a column as it can be shown, or "" where it looks like
// data: a file without a header shows a person there.
func ColumnName(name string) string {
	if strings.HasPrefix(safeName(name, 1), `"`) {
		return name
	}
	return ""
}

// Check refuses a mapping that no file can be read with.
func (m *Mapping) Check() error { return m.check() }

// Personal reports whether a field or a column of this name identifies people.
func Personal(path string) bool {
	f, ok := byName[plainName(path)]
	if !ok {
		f = byName[strings.TrimRight(plainName(path), "0123456789")]
	}
	return f.contact != "" || personalPath(f.path) || personalPath(path)
}

func personalPath(path string) bool {
	return strings.HasPrefix(path, "customer") || strings.HasPrefix(path, "contacts") ||
		path == "account" || path == "representative.name" || path == "representative.licence"
}

// Field returns the field of a complaint that a column is read as, "" for none, and the
// kind of contact where it is one.
func (m *Import) Field(column string) (path string, kind bonafide.IdentifierKind) {
	if m.Contract {
		return column, ""
	}
	if m.Mapping == nil {
		return "", ""
	}
	for _, p := range paths {
		if m.Mapping.Fields[p] == column && column != "" {
			return p, ""
		}
	}
	for _, c := range m.Mapping.Contacts {
		if c.Column == column {
			return "", c.Kind
		}
	}
	return "", ""
}

// Names lists the fields of a row that was set aside, in the order in which a person
// looks at them; field is the one that is wrong.
func (m *Import) Names(row map[string]string, field string) []string {
	if _, whole := row[Whole]; whole {
		return []string{Whole}
	}
	var out []string
	switch {
	case m.Contract:
		for _, p := range paths {
			if _, ok := row[p]; ok || p == field || p == "id" || p == "received" || p == "text" {
				out = append(out, p)
			}
		}
	default:
		out = distinct(m.Columns)
	}
	for _, name := range slices.Sorted(maps.Keys(row)) {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// Mend reads a row that was set aside, as it was corrected, in the way the file was read.
// Where it still cannot be used the second value says why.
func (m *Import) Mend(line int, row map[string]string) (*bonafide.Complaint, *bonafide.Quarantined) {
	c, bad := m.mend(line, row)
	if bad != nil {
		return nil, &bonafide.Quarantined{File: m.Mark, Line: line, Column: bad.column, Field: bad.field, Reason: bad.reason}
	}
	return c, nil
}

const oneRow = "not one row of the file: mend it, or drop it"

func (m *Import) mend(line int, row map[string]string) (*bonafide.Complaint, *problem) {
	row = maps.Clone(row)
	limits := Limits{}.withDefaults()
	whole, isWhole := row[Whole]
	t := &tally{unknown: map[string]int{}}
	if m.Contract {
		n, bad := m.object(row)
		if bad != nil {
			return nil, bad
		}
		return (&contract{dated: m.Dated, limits: limits, tally: t}).complaint(n)
	}
	var header []string
	var cells [][]byte
	switch {
	case isWhole:
		rows, err := m.cut(whole, limits)
		if err != nil {
			return nil, &problem{reason: oneRow}
		}
		if rows.bad != nil {
			return nil, rows.bad
		}
		header, cells = rows.header, rows.cells
	default:
		header = slices.Clone(m.Columns)
		cells = make([][]byte, len(header))
		for i, name := range distinct(header) {
			cells[i] = []byte(row[name])
			delete(row, name)
		}
		for _, name := range slices.Sorted(maps.Keys(row)) {
			if !m.JSON && strings.TrimSpace(row[name]) != "" {
				return nil, &problem{column: len(header) + 1, reason: "more cells than the header has columns: quote the cell that holds a delimiter"}
			}
			header, cells = append(header, name), append(cells, []byte(row[name]))
		}
	}
	// A row of JSON need not have every column.
	need := slices.Collect(maps.Values(m.Mapping.Fields))
	for _, c := range m.Mapping.Contacts {
		need = append(need, c.Column)
	}
	for _, name := range need {
		if !slices.Contains(header, name) && m.JSON {
			header, cells = append(header, name), append(cells, nil)
		}
	}
	p, err := m.Mapping.bind(m.Mark, header, limits, t)
	if err != nil {
		return nil, &problem{reason: oneRow}
	}
	return p.complaint(cells, line)
}

// cutRow is a row of a table on its own.
type cutRow struct {
	row
	header []string
}

// cut cuts a row that stands in one piece.
func (m *Import) cut(whole string, limits Limits) (cutRow, error) {
	src := &source{Reader: strings.NewReader(whole), head: []byte(whole)}
	t := &table{name: m.Mark, columns: map[string]int{}}
	if m.JSON {
		t.lines = &lines{in: newSheet(src, ',', limits)}
	} else {
		t.header, t.sheet = m.Columns, newSheet(src, delimiterOr(m.Mapping.Delimiter), limits)
	}
	first, err := t.read()
	if err != nil {
		return cutRow{}, err
	}
	for i, c := range first.cells {
		first.cells[i] = slices.Clone(c)
	}
	if _, err := t.read(); err != io.EOF {
		return cutRow{}, bonafide.Invalid
	}
	return cutRow{first, t.header}, nil
}

func delimiterOr(s string) byte {
	if s == "" {
		return ','
	}
	return s[0]
}

// jsonFields of the contract are shown as JSON, since they are lists.
var jsonFields = []string{"demands", "contacts", "documents", "calls"}

// contractRow cuts an object of the contract into fields with one text each.
func contractRow(n *node) map[string]string {
	out := map[string]string{}
	put := func(path string, v *node) {
		switch v.kind {
		case jsonNull:
		case jsonObject, jsonArray:
			out[path] = string(v.append(nil))
		default:
			out[path] = v.text
		}
	}
	for i, key := range n.keys {
		v := &n.items[i]
		if key == Whole {
			continue
		}
		if v.kind == jsonObject && (key == "customer" || key == "representative" || key == "amount") {
			for j, inner := range v.keys {
				put(key+"."+inner, &v.items[j])
			}
			continue
		}
		put(key, v)
	}
	return out
}

// object puts a row of contractRow together again.
func (m *Import) object(row map[string]string) (*node, *problem) {
	var p parser
	if whole, ok := row[Whole]; ok {
		n, err := p.parse([]byte(whole))
		if err != nil || n.kind != jsonObject {
			return nil, &problem{reason: oneRow}
		}
		return &n, nil
	}
	out := &node{kind: jsonObject}
	for _, path := range slices.Sorted(maps.Keys(row)) {
		s := row[path]
		if s == "" && path != "text" {
			continue
		}
		v := node{kind: jsonString, text: s}
		_, err := strconv.ParseInt(s, 10, 64)
		switch {
		case slices.Contains(jsonFields, path):
			var perr error
			if v, perr = p.parse([]byte(s)); perr != nil {
				return nil, &problem{field: path, reason: "not JSON: write it as in spec/complaint.schema.json"}
			}
		case path == "amount.minor" && err == nil:
			v.kind = jsonNumber
		case path == "representative.confirmed" && (s == "true" || s == "false"):
			v.kind = jsonBool
		}
		outer, inner, nested := strings.Cut(path, ".")
		if !nested {
			out.keys, out.items = append(out.keys, path), append(out.items, v)
			continue
		}
		i := slices.Index(out.keys, outer)
		if i < 0 {
			i = len(out.keys)
			out.keys, out.items = append(out.keys, outer), append(out.items, node{kind: jsonObject})
		}
		out.items[i].keys, out.items[i].items = append(out.items[i].keys, inner), append(out.items[i].items, v)
	}
	return out, nil
}

// append writes a value as JSON behind b.
func (n *node) append(b []byte) []byte {
	switch n.kind {
	case jsonString:
		s, _ := json.Marshal(n.text) // a string can always be written
		return append(b, s...)
	case jsonNull:
		return append(b, "null"...)
	case jsonObject:
		b = append(b, '{')
		for i, key := range n.keys {
			if i > 0 {
				b = append(b, ',')
			}
			k, _ := json.Marshal(key)
			b = n.items[i].append(append(append(b, k...), ':'))
		}
		return append(b, '}')
	case jsonArray:
		b = append(b, '[')
		for i := range n.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = n.items[i].append(b)
		}
		return append(b, ']')
	}
	return append(b, n.text...)
}
