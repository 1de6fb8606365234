package console

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"bonafide"
	"bonafide/casefile"
	"bonafide/evidence/custody"
	sheets "bonafide/report"
	"bonafide/store"
)

// Cases works on cases: it moves and changes them, keeps evidence, and seals packs.
type Cases interface {
	BeginCaseOf(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, title, reason string, rings, complaints, adverts []string) (id string, err error)
	MoveCase(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, version int, act casefile.Act) error
	ChangeCase(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, version int, ch casefile.Change) error
	MergeCases(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, into, from, reason string) error
	SplitCase(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, version int, rings, complaints []string, reason string) (split string, err error)

	CaseFacts(ctx context.Context, tx *store.Tx, t bonafide.Tenant, row store.CaseRow) (casefile.Facts, error)
	ComplaintsOfCase(ctx context.Context, tx *store.Tx, t bonafide.Tenant, c *bonafide.Case) ([]string, error)
	AnalyseCase(ctx context.Context, tx *store.Tx, t bonafide.Tenant, c *bonafide.Case) (methods []casefile.Method, months []casefile.Spell, adverts []bonafide.Advert, fed map[string][]string, err error)

	AddAdvert(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, a bonafide.Advert) (id string, err error)
	Fed(ctx context.Context, t bonafide.Tenant, a bonafide.Advert) ([]string, error)

	TakeIn(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, about bonafide.Item, r io.Reader) (bonafide.Item, error)
	TakeRecord(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, caseID, complaint, record, second, place string) (bonafide.Item, error)
	OpenItem(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id, purpose string) (bonafide.Item, *custody.Clear, error)
	Redact(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id, second string) (bonafide.Item, error)
	SealCase(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id, variant string, anew bool) (store.Seal, error)
	Declare(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, personal bool) error
	PackCase(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id, variant string, anew bool, seal int, recipients []string, open func(name string) (io.Writer, error)) (store.Seal, error)
	Stix(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string) ([]byte, error)

	Month(ctx context.Context, tx *store.Tx, t bonafide.Tenant, month string, cases bool) (sheets.MonthSheet, error)
	MonthOf(month string) (from, to time.Time, err error)
}

var errNoCase = &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such case"}

// caseAt is the address of a case.
func caseAt(id string) string { return "/cases/" + url.PathEscape(id) }

// casesPage lists cases.
type casesPage struct {
	View   string
	Views  []string
	Stage  string
	Stages []bonafide.Stage
	Figure string // of the monthly sheet, whose cases these are
	Month  string
	Rows   []caseRow
	Next   int // the number that the next page begins below; 0 where this is the last
}

// A caseRow is one case in a list.
type caseRow struct {
	store.CaseRow
	Who        string
	Due        bonafide.CaseClock
	Days       int
	Runs       bool
	Near, Past bool
	Option     bool
}

var caseViews = []string{"open", "mine", "closed"}

// caseFigures are the figures of the monthly sheet that have cases behind them.
var caseFigures = func() []string {
	out := []string{"pushed", "filed", "preparation", "gang", "reported"}
	for _, x := range bonafide.Exits {
		out = append(out, "exit."+string(x))
	}
	return out
}()

var errNoList = &bonafide.Error{Kind: bonafide.Invalid, Msg: "the address asks for a list that there is not"}

func (k *Console) cases(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx, q := r.Context(), r.URL.Query()
	page := casesPage{View: q.Get("view"), Views: caseViews, Stage: q.Get("stage"), Stages: bonafide.Stages, Figure: q.Get("figure"), Month: q.Get("month")}
	if !slices.Contains(page.Views, page.View) {
		page.View = "open"
	}
	if !slices.Contains(page.Stages, bonafide.Stage(page.Stage)) {
		page.Stage = ""
	}
	if page.Figure != "" && !slices.Contains(caseFigures, page.Figure) {
		return errNoList
	}
	err := k.Store.View(ctx, func(tx *store.Tx) error {
		page.Rows, page.Next = nil, 0 // this may run again
		rows, err := k.caseList(ctx, tx, who, &page, number(r, "before"))
		if err != nil {
			return err
		}
		names, err := k.names(ctx, tx, who.tenant)
		if err != nil {
			return err
		}
		for _, row := range rows {
			page.Rows = append(page.Rows, k.caseRow(row, names))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return k.ok(w, r, who, "cases", page)
}

// caseList reads the cases of a list, the open ones first.
func (k *Console) caseList(ctx context.Context, tx *store.Tx, who *visit, page *casesPage, before int) ([]store.CaseRow, error) {
	if page.Figure != "" {
		sheet, err := k.Cases.Month(ctx, tx, who.tenant, page.Month, true)
		if err != nil {
			return nil, err
		}
		page.Month = sheet.From.Format(monthForm)
		var rows []store.CaseRow
		for _, f := range sheet.Cases {
			if f.Key != page.Figure {
				continue
			}
			for _, c := range f.Cases {
				row, err := tx.CaseByNumber(ctx, who.tenant, c.Number)
				if err != nil {
					return nil, err
				}
				rows = append(rows, row)
			}
		}
		return rows, nil
	}
	filter := store.CaseFilter{Stage: page.Stage, Open: true, Before: before, Limit: pageRows + 1}
	switch {
	case page.View == "mine":
		filter.Assignee = who.person.ID
	case page.View == "closed":
		filter.Open, filter.Stage, page.Stage = false, string(bonafide.StageClosed), ""
	case page.Stage == string(bonafide.StageClosed):
		filter.Open = false
	}
	rows, err := tx.Cases(ctx, who.tenant, filter)
	if len(rows) > pageRows {
		rows = rows[:pageRows]
		page.Next = rows[pageRows-1].Number
	}
	return rows, err
}

func (k *Console) caseRow(row store.CaseRow, names map[string]string) caseRow {
	out := caseRow{CaseRow: row, Who: names[row.Assignee]}
	if row.Stage == bonafide.StageClosed {
		return out
	}
	out.Due, out.Runs = row.Case.Due()
	if out.Runs {
		out.Days, out.Near, out.Past, out.Option = k.dueSoon(out.Due)
	}
	return out
}

// dueSoon says how many days a period has left, and whether that is little or nothing. A
// chance that may be left is never red.
func (k *Console) dueSoon(c bonafide.CaseClock) (days int, near, past, option bool) {
	p, _ := casefile.PeriodOf(c.Name)
	now := k.Now()
	days = k.Clocks.DaysLeft(c.Due, now)
	past = now.After(c.Due)
	return days, !past && days <= nearDays && !p.Option, past && !p.Option, p.Option
}

// newCasePage asks for what a case is begun with.
type newCasePage struct {
	Rings, Complaints, Adverts []string
	Title                      string
	Stands                     []caseLink // cases that are about the same already
	Back                       string     // where the visitor came from
}

// A caseLink is a case that something stands in.
type caseLink struct {
	ID     string
	Number int
	Title  string
	Stage  bonafide.Stage
}

// ids are the ids of one kind in a query or a form.
func idsOf(values []string) ([]string, error) {
	var out []string
	for _, v := range values {
		if v == "" || slices.Contains(out, v) {
			continue
		}
		if !bonafide.ValidID(v) || len(out) >= subjectsMost {
			return nil, &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such thing"}
		}
		out = append(out, v)
	}
	return out, nil
}

// subjectsMost bounds what a case is begun with in one form.
const subjectsMost = 200

// subjects reads what a form or an address says a case is about.
func subjects(v url.Values) (rings, complaints, adverts []string, err error) {
	if rings, err = idsOf(v["ring"]); err == nil {
		if complaints, err = idsOf(v["complaint"]); err == nil {
			adverts, err = idsOf(v["advert"])
		}
	}
	return rings, complaints, adverts, err
}

func (k *Console) newCase(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx := r.Context()
	var page newCasePage
	var err error
	if page.Rings, page.Complaints, page.Adverts, err = subjects(r.URL.Query()); err != nil {
		return err
	}
	err = k.Store.View(ctx, func(tx *store.Tx) error {
		page.Stands = nil // this may run again
		for _, id := range page.Rings {
			if _, err := tx.Ring(ctx, who.tenant, id); err != nil {
				return err
			}
		}
		for _, id := range page.Complaints {
			if _, err := tx.SubjectOf(ctx, who.tenant, id); err != nil {
				return err
			}
		}
		for kind, ids := range map[string][]string{"ring": page.Rings, "complaint": page.Complaints, "advert": page.Adverts} {
			for _, id := range ids {
				some, err := k.standsIn(ctx, tx, who, kind, id)
				if err != nil {
					return err
				}
				page.Stands = append(page.Stands, some...)
			}
		}
		if len(page.Adverts) == 0 {
			return nil
		}
		have, err := tx.Adverts(ctx, who.tenant, page.Adverts, 0)
		if err == nil && len(have) != len(page.Adverts) {
			err = &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such advert"}
		}
		return err
	})
	if err != nil {
		return err
	}
	slices.SortFunc(page.Stands, func(a, b caseLink) int { return b.Number - a.Number })
	page.Stands = slices.Compact(page.Stands)
	page.Back = "/cases"
	switch {
	case len(page.Rings) > 0:
		page.Back = "/rings/" + page.Rings[0]
	case len(page.Complaints) > 0:
		page.Back = complaintAt(page.Complaints[0])
	case len(page.Adverts) > 0:
		page.Back = "/adverts"
	}
	return k.ok(w, r, who, "case-new", page)
}

// standsMost bounds the cases that are named beside something.
const standsMost = 20

// standsIn lists the cases that something stands in, the newest first, to whoever may see
// cases.
func (k *Console) standsIn(ctx context.Context, tx *store.Tx, who *visit, kind, id string) ([]caseLink, error) {
	if !who.May(bonafide.ScopeCasesRead) {
		return nil, nil
	}
	ids, err := tx.CasesOf(ctx, who.tenant, kind, id)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	rows, err := tx.Cases(ctx, who.tenant, store.CaseFilter{IDs: ids, Limit: standsMost})
	var out []caseLink
	for _, row := range rows {
		out = append(out, caseLink{row.ID, row.Number, row.Title, row.Stage})
	}
	return out, err
}

func (k *Console) beginCase(w http.ResponseWriter, r *http.Request, who *visit) error {
	title, err := oneLine(r, "title")
	if err != nil {
		return err
	}
	reason, err := words(r, "reason")
	if err != nil {
		return err
	}
	_ = r.PostFormValue("ring") // reads the form
	rings, complaints, adverts, err := subjects(r.PostForm)
	if err != nil {
		return err
	}
	id, err := k.Cases.BeginCaseOf(r.Context(), who.tenant, who.actor, title, reason, rings, complaints, adverts)
	if err != nil {
		return err
	}
	return done(w, r, caseAt(id), "case-begun")
}

// oneLine reads a field that is one line.
func oneLine(r *http.Request, field string) (string, error) {
	s, err := words(r, field)
	s = strings.Join(strings.Fields(s), " ")
	if err == nil && len([]rune(s)) > lineMost {
		err = errLine
	}
	return s, err
}

// lineMost is the longest line that is written into a case.
const lineMost = 200

var errLine = &bonafide.Error{Kind: bonafide.Invalid, Msg: "a line is longer than 200 characters: shorten it"}

// Text is a text of the rules of cases, which have it in each language.
func (g tongue) Text(t casefile.Text) string {
	if g.Tag == pseudo {
		return "⟦" + t["en"] + "⟧"
	}
	return t.In(g.Tag)
}

// ScenarioTitle names a scenario.
func (g tongue) ScenarioTitle(id string) string {
	s, ok := casefile.ScenarioOf(id)
	if !ok {
		return clean(id)
	}
	return g.Text(s.Title)
}

// PeriodTitle names a period of the procedure.
func (g tongue) PeriodTitle(name string) string {
	p, ok := casefile.PeriodOf(name)
	if !ok {
		return clean(name)
	}
	return g.Text(p.Title)
}

// TaskText says what is to be done.
func (g tongue) TaskText(t bonafide.CaseTask) string {
	if kind, ok := strings.CutPrefix(t.Template, "watch."); ok && g.Has("told.watch."+kind) {
		return g.T("told.watch." + kind)
	}
	if task, ok := casefile.TaskOf(t.Template); ok {
		return g.Text(task.Text)
	}
	return clean(t.Text)
}

// Lack says what a case still needs before a move.
func (g tongue) Lack(l casefile.Lack) string {
	key := "lack." + l.Code
	about := clean(l.About)
	switch l.Code {
	case "task":
		about = g.TaskText(bonafide.CaseTask{Template: l.About, Text: l.About})
	case "element":
		about = g.ElementName(l.About)
	case "too-late":
		if t, err := time.ParseInLocation(time.DateOnly, l.About, g.zone); err == nil {
			about = g.Date(t)
		}
	}
	if about == "" {
		return g.T(key)
	}
	return g.T(key, about)
}

// coded is a text of the rules with its code before it.
func (g tongue) coded(code string, t casefile.Text) string {
	if g.Tag == pseudo {
		return "⟦" + code + " " + t["en"] + "⟧"
	}
	return code + " " + t.In(g.Tag)
}

// OffenceName names what is to be shown: "K02 Forging papers or seals".
func (g tongue) OffenceName(id string) string {
	if o, ok := casefile.OffenceOf(id); ok {
		return g.coded(id, o.Title)
	}
	return clean(id)
}

// ElementName names an element of an offence, such as "K02.paper".
func (g tongue) ElementName(id string) string {
	offence, element, _ := strings.Cut(id, ".")
	if o, ok := casefile.OffenceOf(offence); ok {
		if e, ok := o.Element(element); ok {
			return g.coded(offence+" –", e.Title)
		}
	}
	return clean(id)
}

// Lacking says everything that is still needed.
func (g tongue) Lacking(all []casefile.Lack) []string {
	var out []string
	for _, l := range all {
		if said := g.Lack(l); !slices.Contains(out, said) {
			out = append(out, said)
		}
	}
	return out
}

// Bytes says how large a file is.
func (g tongue) Bytes(n int64) string {
	switch {
	case n < 1000:
		return g.N(n) + " B"
	case n < 1e6:
		return g.F(float64(n)/1e3, 1) + " kB"
	case n < 1e9:
		return g.F(float64(n)/1e6, 1) + " MB"
	}
	return g.F(float64(n)/1e9, 2) + " GB"
}

// minorOf reads an amount of money, "1,234.50" or "1.234,50", as minor units.
func minorOf(s string) (int64, bool) {
	s = strings.ReplaceAll(strings.TrimSpace(s), " ", "")
	whole, cents := s, ""
	if i := strings.LastIndexAny(s, ".,"); i >= 0 && len(s)-i <= 3 {
		whole, cents = s[:i], s[i+1:]
	}
	whole = strings.NewReplacer(",", "", ".", "").Replace(whole)
	if len(whole) == 0 || len(whole) > 13 {
		return 0, false
	}
	n, err := strconv.ParseInt(whole+(cents + "00")[:2], 10, 64)
	return n, err == nil && n > 0
}
