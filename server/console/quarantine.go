package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"bonafide"
	"bonafide/intake"
	"bonafide/store"
)

// quarantinePage lists rows that could not be used, with none of their content.
type quarantinePage struct {
	Import string // "" of all
	Rows   []store.QuarantineRow
	Next   string // query of the next page
	First  bool
}

func (k *Console) quarantine(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx, q := r.Context(), r.URL.Query()
	page := quarantinePage{Import: q.Get("import"), First: q.Get("after") == ""}
	after := q.Get("after")
	if page.Import != "" && !bonafide.ValidID(page.Import) || after != "" && !bonafide.ValidID(after) {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "the address asks for a list that there is not"}
	}
	err := k.Store.View(ctx, func(tx *store.Tx) (err error) {
		page.Rows, err = tx.Quarantined(ctx, who.tenant, store.QuarantineOpen, page.Import, after, pageRows+1)
		return err
	})
	if err != nil {
		return err
	}
	if len(page.Rows) > pageRows {
		page.Rows = page.Rows[:pageRows]
		next := url.Values{"after": {page.Rows[pageRows-1].ID}}
		if page.Import != "" {
			next.Set("import", page.Import)
		}
		page.Next = next.Encode()
	}
	return k.ok(w, r, who, "quarantine", page)
}

// quarantinedPage shows one row with its content, to be corrected.
type quarantinedPage struct {
	store.QuarantineRow
	Fields  []rowField
	Problem string // as it is now, which can be another than at first
	Field   string
	Again   bool // it was corrected, and still cannot be used
	Reasons []string
	how     intake.Import
	stored  map[string]string
}

// rowField is a field of the row.
type rowField struct {
	N     int
	Name  string // of the column; "" where the row stands in one piece
	As    string // what it is read as; "" where it is not used
	Value string
	Long  bool
	Wrong bool
}

// dropReasons are why a row is not stored.
var dropReasons = []string{"duplicate", "no-complaint", "elsewhere", "unreadable"}

func (k *Console) quarantined(w http.ResponseWriter, r *http.Request, who *visit) error {
	page, err := k.readQuarantined(r, who)
	if err != nil {
		return err
	}
	page.fill(page.stored)
	return k.ok(w, r, who, "quarantined", page)
}

// readQuarantined reads a row. It shows what identifies people, so that it was looked at
// is logged.
func (k *Console) readQuarantined(r *http.Request, who *visit) (*quarantinedPage, error) {
	ctx, id := r.Context(), r.PathValue("id")
	if !bonafide.ValidID(id) {
		return nil, &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no row in quarantine"}
	}
	page := &quarantinedPage{Reasons: dropReasons}
	err := k.looked(ctx, who, "quarantine", id, "", func(tx *store.Tx) error {
		var err error
		if page.QuarantineRow, err = tx.OneQuarantined(ctx, who.tenant, id); err != nil {
			return err
		}
		page.Problem, page.Field = page.QuarantineRow.Problem, page.QuarantineRow.Field
		if page.State != store.QuarantineOpen {
			return nil
		}
		m, err := tx.Import(ctx, who.tenant, page.Import)
		if err != nil {
			return err
		}
		page.how, page.stored = intake.Import{}, map[string]string{}
		if err := readJSON(m.Body, &page.how); err != nil {
			return err
		}
		return readJSON(page.Body, &page.stored)
	})
	return page, err
}

// longField is from how many characters on a field gets more than one line.
const longField = 80

// fill lays out the row's fields with their values.
func (p *quarantinedPage) fill(row map[string]string) {
	p.Fields = nil
	if p.State != store.QuarantineOpen || len(p.stored) == 0 {
		return
	}
	for i, name := range p.how.Names(p.stored, p.QuarantineRow.Field) {
		f := rowField{N: i, Name: name, Value: row[name]}
		path, kind := p.how.Field(name)
		if f.As = path; kind != "" {
			f.As = contactAs + string(kind)
		}
		f.Long = name == intake.Whole || path == "text" || strings.ContainsAny(f.Value, "\r\n") || utf8.RuneCountInString(f.Value) > longField
		f.Wrong = p.Field != "" && (p.Field == path || p.Field == name || p.Field == "column "+strconv.Itoa(i+1) && !p.how.Contract ||
			p.how.Contract && strings.HasPrefix(p.Field, name+"."))
		p.Fields = append(p.Fields, f)
	}
}

// Marked reports whether one of the fields is marked as the wrong one.
func (p *quarantinedPage) Marked() bool {
	return slices.ContainsFunc(p.Fields, func(f rowField) bool { return f.Wrong })
}

// mend hands a row in as it was corrected. Where it still cannot be used the page comes
// again, with what was written.
func (k *Console) mend(w http.ResponseWriter, r *http.Request, who *visit) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	page, err := k.readQuarantined(r, who)
	if err != nil {
		return err
	}
	if page.State != store.QuarantineOpen {
		return errRowClosed
	}
	row := map[string]string{}
	for i, name := range page.how.Names(page.stored, page.QuarantineRow.Field) {
		row[name] = page.stored[name]
		if v, ok := r.PostForm["f"+strconv.Itoa(i)]; ok {
			row[name] = strings.ReplaceAll(v[0], "\r\n", "\n")
		}
		if _, was := page.stored[name]; !was && row[name] == "" {
			delete(row, name)
		}
	}
	bad, err := k.Imports.MendRow(r.Context(), who.tenant, who.actor, page.ID, row)
	if err != nil {
		return err
	}
	if bad != nil {
		page.Problem, page.Field, page.Again = bad.Reason, bad.Field, true
		if bad.Field == "" && bad.Column > 0 {
			page.Field = "column " + strconv.Itoa(bad.Column)
		}
		page.fill(row)
		k.show(w, r, who, http.StatusUnprocessableEntity, "quarantined", page)
		return nil
	}
	return done(w, r, "/quarantine?import="+page.Import, "mended")
}

var errRowClosed = &bonafide.Error{Kind: bonafide.Conflict, Msg: "the row was mended or dropped already"}

// dropRow gives a row up, and erases what stood in it.
func (k *Console) dropRow(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx, id, reason := r.Context(), r.PathValue("id"), r.PostFormValue("reason")
	if !slices.Contains(dropReasons, reason) {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "say why the row is dropped"}
	}
	imp := ""
	err := k.Store.Update(ctx, func(tx *store.Tx) error {
		q, err := tx.OneQuarantined(ctx, who.tenant, id)
		if err != nil {
			return err
		}
		if q.State != store.QuarantineOpen {
			return errRowClosed
		}
		imp = q.Import
		return tx.CloseQuarantine(ctx, who.tenant, who.actor, id, store.QuarantineDropped, reason)
	})
	if err != nil {
		return err
	}
	return done(w, r, "/quarantine?import="+imp, "dropped")
}
