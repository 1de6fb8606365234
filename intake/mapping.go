package intake

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the same zones on every machine

	"bonafide"

	"github.com/BurntSushi/toml"
)

// A Mapping says which column of a file holds what. Its TOML form is meant to be
// guessed once, read over by a person and kept.
type Mapping struct {
	Delimiter  string            `toml:"delimiter" json:"delimiter,omitempty"`     // one of , ; | or a tab; "" tells by the file
	DateOrder  string            `toml:"date_order" json:"date_order,omitempty"`   // ymd, mdy or dmy; "" tells by the file
	DateLayout []string          `toml:"date_layout" json:"date_layout,omitempty"` // further layouts, in Go's notation (2006-01-02 15:04:05)
	Zone       string            `toml:"zone" json:"zone,omitempty"`               // IANA name or +08:00: where the file's clock stands; "" is UTC
	Fields     map[string]string `toml:"fields" json:"fields,omitempty"`           // contract path → column
	Fixed      map[string]string `toml:"fixed" json:"fixed,omitempty"`             // contract path → value for every row
	Contacts   []ContactColumn   `toml:"contacts" json:"contacts,omitempty"`
}

// A ContactColumn is a column of identifiers that complaints were filed with. A
// cell can hold several, separated by ; or |.
type ContactColumn struct {
	Kind   bonafide.IdentifierKind `toml:"kind" json:"kind"`
	Column string                  `toml:"column" json:"column"`
}

// The contract paths that a column can be mapped to, in the order a mapping is
// written. Contacts stand apart, because several columns can hold them.
var paths = []string{
	"id", "received", "text", "title", "channel", "lang", "product", "account", "external_ref",
	"customer.ref", "customer.name", "customer.given", "customer.surname", "customer.id_number", "customer.phone", "customer.email",
	"customer.address", "customer.region", "customer.vulnerable",
	"representative.type", "representative.name", "representative.licence", "representative.confirmed",
	"demands", "amount", "amount.minor", "amount.currency",
	"documents.kind", "documents.path", "documents.sha256", "documents.verified",
	"calls.path", "calls.started", "calls.transcript",
}

// maxMapping is the longest mapping read, in bytes.
const maxMapping = 1 << 20

// ReadMapping reads a mapping in TOML. The error names the line or key to mend.
func ReadMapping(r io.Reader) (*Mapping, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxMapping+1))
	if err != nil {
		return nil, fmt.Errorf("read mapping: %w", err)
	}
	if len(b) > maxMapping {
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: "mapping: longer than 1 MiB: this is no mapping"}
	}
	m := &Mapping{}
	meta, err := toml.Decode(string(b), m)
	if err != nil {
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: "mapping: " + firstLine(err.Error()), Err: err}
	}
	if keys := meta.Undecoded(); len(keys) > 0 {
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("mapping: unknown key %q: correct its spelling or remove it", keys[0].String())}
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	return m, nil
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// check refuses what no file can be read with.
func (m *Mapping) check() error {
	wrong := func(format string, args ...any) error {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "mapping: " + fmt.Sprintf(format, args...)}
	}
	switch m.Delimiter {
	case "", ",", ";", "\t", "|":
	default:
		return wrong("delimiter %q: use one of , ; | or \\t", m.Delimiter)
	}
	switch m.DateOrder {
	case "", yearFirst, monthFirst, dayFirst:
	default:
		return wrong("date_order %q: use ymd, mdy or dmy", m.DateOrder)
	}
	if _, err := m.location(); err != nil {
		return wrong("zone %q: use a name such as Asia/Shanghai or an offset such as +08:00", m.Zone)
	}
	for part, set := range map[string]map[string]string{"fields": m.Fields, "fixed": m.Fixed} {
		for path := range set {
			if !slices.Contains(paths, path) {
				return wrong("%s.%q is no field of a complaint: use one of %s", part, path, strings.Join(paths, ", "))
			}
		}
	}
	for i, c := range m.Contacts {
		if !slices.Contains(bonafide.IdentifierKinds, c.Kind) {
			return wrong("contacts %d: kind %q: use phone, email, handle, device, ip, address, account or sender", i+1, c.Kind)
		}
		if c.Column == "" {
			return wrong("contacts %d: column is missing", i+1)
		}
	}
	if m.Fields["text"] == "" && m.Fields["title"] == "" && m.Fixed["text"] == "" {
		return wrong("fields.text is missing: name the column that holds the complaint's text")
	}
	return nil
}

// location is where the file's clock stands.
func (m *Mapping) location() (*time.Location, error) {
	switch {
	case m.Zone == "":
		return time.UTC, nil
	case m.Zone[0] == '+' || m.Zone[0] == '-':
		if z, ok := offset(m.Zone); ok {
			return z, nil
		}
		return nil, bonafide.Invalid
	case m.Zone == "Local":
		return nil, bonafide.Invalid // the same file must read the same everywhere
	}
	return time.LoadLocation(m.Zone)
}

// Write writes m as commented TOML that ReadMapping reads back the same.
func (m *Mapping) Write(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Which column holds what. Edit the right-hand sides; remove a line to leave a column out.\n\n")
	b.WriteString("# What separates the cells: , ; | or \\t. Empty: told by the file.\n")
	fmt.Fprintf(&b, "delimiter = %s\n\n", quote(m.Delimiter))
	b.WriteString("# Order of the parts of a date: ymd, mdy (03/25/2015) or dmy (25/03/2015). Empty: told by the file.\n")
	fmt.Fprintf(&b, "date_order = %s\n", quote(m.DateOrder))
	b.WriteString("# Further date layouts, written as 2 January 2006, 15:04:05 would look.\n")
	b.WriteString("date_layout = [")
	for i, l := range m.DateLayout {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote(l))
	}
	b.WriteString("]\n# Where the file's clock stands: Asia/Shanghai, America/Sao_Paulo, +08:00. Empty: UTC.\n")
	fmt.Fprintf(&b, "zone = %s\n\n", quote(m.Zone))
	b.WriteString("# Field of a complaint = \"column of the file\".\n[fields]\n")
	writeTable(&b, m.Fields)
	fmt.Fprintf(&b, "# also possible: %s\n\n", strings.Join(missing(m.Fields), ", "))
	b.WriteString("# Field of a complaint = \"value for every row\", as in channel = \"regulator/12378\".\n[fixed]\n")
	writeTable(&b, m.Fixed)
	b.WriteString("\n# What complaints were filed with. One part per column; kind is phone, email, handle,\n# device, ip, address, account or sender.\n")
	for _, c := range m.Contacts {
		fmt.Fprintf(&b, "[[contacts]]\nkind = %s\ncolumn = %s\n\n", quote(string(c.Kind)), quote(c.Column))
	}
	_, err := io.WriteString(w, b.String())
	if err != nil {
		return fmt.Errorf("write mapping: %w", err)
	}
	return nil
}

func writeTable(b *strings.Builder, t map[string]string) {
	for _, p := range paths {
		if v, ok := t[p]; ok {
			fmt.Fprintf(b, "%s = %s\n", quote(p), quote(v))
		}
	}
}

func missing(t map[string]string) []string {
	var out []string
	for _, p := range paths {
		if _, ok := t[p]; !ok {
			out = append(out, p)
		}
	}
	return out
}

// quote writes a TOML basic string.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\n':
			b.WriteString(`\n`)
		case r < 0x20 || r == 0x7F:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
