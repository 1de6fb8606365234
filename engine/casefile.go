package engine

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"bonafide"
	"bonafide/casefile"
	"bonafide/report"
	"bonafide/store"
)

// documents writes every file of a pack but its items.
func documents(f *report.CaseFile, result *bonafide.Result) ([]snapshotFile, error) {
	var out []snapshotFile
	var failed error
	add := func(path string, b []byte, err error) {
		if err != nil && failed == nil {
			failed = fmt.Errorf("write %s: %w", path, err)
		}
		out = append(out, snapshotFile{path, b})
	}
	asJSON := func(path string, v any) {
		b, err := json.MarshalIndent(v, "", "  ")
		add(path, append(b, '\n'), err)
	}
	for _, lang := range []string{"zh", "en"} {
		b, err := report.CaseCover(f, lang)
		add("cover."+lang+".pdf", b, err)
		b, err = report.ItemList(f, lang)
		add("items."+lang+".pdf", b, err)
	}
	asJSON("case.json", map[string]any{
		"format": 1, "seal": f.Seal, "variant": f.Variant, "sealed": f.Sealed, "lender": f.Lender, "case": f.Case, "steps": f.Steps,
		"offences": f.Offences, "methods": f.Methods, "months": f.Months, "slang": f.Slang, "people": f.People, "adverts": f.Adverts, "standing": f.Standing,
	})
	asJSON("items.json", f.Items)
	asJSON("rings.json", result)
	var page bytes.Buffer
	err := report.HTML(&page, result)
	add("rings.html", page.Bytes(), err)
	sheet, err := lossSheet(f.Case.Losses)
	add("losses.csv", sheet, err)
	for i := range f.Dossiers {
		d := &f.Dossiers[i]
		at := fmt.Sprintf("dossiers/%04d/", d.Number)
		b, err := report.DossierHTML(d, f)
		add(at+"dossier.html", b, err)
		asJSON(at+"exculpatory.json", d.Exculpatory)
		if d.Erased {
			continue
		}
		add(at+"letter.txt", []byte(d.Complaint.Text), nil)
		asJSON(at+"complaint.json", d.Complaint)
		asJSON(at+"track.json", map[string]any{"state": d.State, "outcome": d.Outcome, "received": d.Received, "steps": d.Steps})
		asJSON(at+"merit.json", d.Merit)
		asJSON(at+"verifications.json", d.Verifications)
		asJSON(at+"contacts.json", d.Contacts)
		asJSON(at+"verdict.json", d.Verdict)
		for k, call := range d.Complaint.Calls {
			if call.Transcript != "" {
				add(fmt.Sprintf("%scall-%d.txt", at, k+1), []byte(call.Transcript), nil)
			}
		}
	}
	return out, failed
}

func lossSheet(losses []bonafide.Loss) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	rows := [][]string{{"kind", "complaint", "amount_minor", "currency", "basis"}}
	for _, l := range losses {
		rows = append(rows, []string{report.Cell(l.Kind), report.Cell(l.Complaint), strconv.FormatInt(l.Amount.Minor, 10), report.Cell(l.Amount.Currency), report.Cell(l.Basis)})
	}
	err := w.WriteAll(rows)
	return b.Bytes(), err
}

// caseFile reads what the documents of a pack are written from. What is not for its reader
// is hidden or left out here, and nowhere else.
func (e *Engine) caseFile(ctx context.Context, tx *store.Tx, t bonafide.Tenant, id, variant string, number int, at time.Time) (f report.CaseFile, items []store.ItemRow, result bonafide.Result, err error) {
	row, err := tx.Case(ctx, t, id)
	if err != nil {
		return f, nil, result, err
	}
	whole := variant == VariantPolice
	f = report.CaseFile{
		Case: row.Case, Lender: e.cfg.Lender, Seal: number, Variant: variant, Sealed: at, Zone: e.cfg.Clocks.Zone(), Version: e.cfg.Version, People: map[string]string{},
	}
	if !whole {
		f.Case.Parties = slices.Clone(f.Case.Parties)
		for i := range f.Case.Parties {
			p := &f.Case.Parties[i]
			if variant == VariantRegulator && !p.Organisation {
				p.Name, p.Identifiers = "", nil
			}
		}
	}
	if f.Steps, err = tx.CaseSteps(ctx, t, id); err != nil {
		return f, nil, result, err
	}
	people, err := tx.People(ctx, t)
	if err != nil {
		return f, nil, result, err
	}
	acted := map[string]bool{row.Assignee: true}
	for _, g := range row.Group {
		acted[g] = true
	}
	for _, s := range f.Steps {
		acted[s.By], acted[s.Second] = true, true
	}
	for _, p := range people {
		if acted["person:"+p.ID] || acted[p.ID] {
			f.People["person:"+p.ID], f.People[p.ID] = p.Name, p.Name
		}
	}
	ids, err := complaintsOf(ctx, tx, t, &row.Case)
	if err != nil {
		return f, nil, result, err
	}
	mask, err := maskerOf(ctx, tx, t, ids)
	if err != nil {
		return f, nil, result, err
	}
	for i := range f.Steps {
		s := &f.Steps[i]
		if saidInWords(s.What) {
			s.Reason = mask(s.Reason)
		}
		if words := strings.Fields(s.Reason); s.What == "merit" || s.What == "link" || s.What == "unlink" {
			if n := len(words); n == 0 || !slices.Contains(slices.Concat(ids, row.Rings, row.Adverts), words[n-1]) {
				s.Reason = "" // it is of what left the case
			}
		}
	}
	f.Case = casefile.Clone(f.Case)
	maskCase(&f.Case, mask)
	if items, err = tx.Items(ctx, t, id); err != nil {
		return f, nil, result, err
	}
	about := map[string][]int{}
	for _, i := range items {
		line := report.ItemLine{Item: i.Item, Custody: 0}
		switch {
		case i.Erased:
			line.Left = "erased"
		case i.Complaint != "" && !slices.Contains(ids, i.Complaint):
			line.Left = "unlinked" // whom it is about is no longer in the case
			line.Name, line.Glossary, line.Source, line.Place, line.Complaint = "", "", "", "", ""
		case i.Personal && !whole:
			line.Left = "personal"
			line.Name, line.Glossary, line.Source, line.Place = "", "", "", ""
		default:
			line.Path = fmt.Sprintf("items/%04d-%s%s", i.Number, safeName(i.ID), i.Ext)
		}
		about[i.Complaint] = append(about[i.Complaint], i.Number)
		f.Items = append(f.Items, line)
	}
	rings, err := ringsNamed(ctx, tx, t, row.Rings)
	if err != nil {
		return f, nil, result, err
	}
	f.Rings, f.Standing = rings, map[string]string{}
	for _, id := range row.Rings {
		r, err := tx.Ring(ctx, t, id)
		if err != nil {
			return f, nil, result, err
		}
		f.Standing[id] = r.State
	}
	analysis, err := e.Analyse(ctx, tx, t, &row.Case)
	if err != nil {
		return f, nil, result, err
	}
	tell(&f, analysis)
	for _, o := range casefile.Offences() {
		if slices.Contains(row.Offences, string(o.ID)) {
			f.Offences = append(f.Offences, matrix(o, row.Exhibits, items))
		}
	}
	result = bonafide.Result{Version: e.cfg.Version, Policy: "case", Rings: rings, Templates: []bonafide.Template{}, NotProved: notProved, Complaints: []bonafide.Verdict{}}
	templates := map[string]bool{}
	for n, id := range ids {
		d, err := e.dossierOf(ctx, tx, t, id, at)
		if err != nil {
			return f, nil, result, err
		}
		d.Number, d.Items = n+1, about[id]
		for _, l := range row.Looks {
			if l.Complaint == id {
				d.Steps = append(d.Steps, report.DossierStep{At: l.At, What: "merit", To: d.State, Reason: l.Found})
			}
		}
		for _, p := range row.Parties {
			if p.Complaint == id {
				d.Role = p.Role
			}
		}
		if d.Verdict != nil {
			result.Complaints = append(result.Complaints, *d.Verdict)
			if d.Verdict.Template != "" {
				templates[d.Verdict.Template] = true
			}
		}
		f.Slang = slang(f.Slang, &d)
		if !whole && !d.Erased {
			maskDossier(&d)
		}
		f.Dossiers = append(f.Dossiers, d)
		result.Read.Accepted++
	}
	for _, i := range items {
		if !i.Erased && (whole || !i.Personal) {
			f.Slang = slangIn(f.Slang, i.Glossary, i.Number)
		}
	}
	for id := range templates {
		one, err := tx.Template(ctx, t, id)
		if errors.Is(err, bonafide.NotFound) {
			continue
		}
		if err != nil {
			return f, nil, result, err
		}
		var body bonafide.Template
		if err := json.Unmarshal(one.Body, &body); err != nil {
			return f, nil, result, fmt.Errorf("template %s: %w", id, err)
		}
		result.Templates = append(result.Templates, body)
	}
	slices.SortFunc(result.Templates, func(a, b bonafide.Template) int { return bytes.Compare([]byte(a.ID), []byte(b.ID)) })
	return f, items, result, nil
}

// notProved is what the evidence of a case does not show, as every result says.
var notProved = []string{
	"Likeness is no guilt. Levels are proposed by a published standard; people decide, and their decisions stand in the cover.",
	"Whether a complaint is right is another question, looked at first and by itself: see each dossier.",
	"A customer in a ring may be its victim: who filed a complaint is not who organised it.",
}

// matrix says which items show which element of an offence.
func matrix(o casefile.Offence, exhibits []bonafide.Exhibit, items []store.ItemRow) report.OffenceSheet {
	number := map[string]int{}
	for _, i := range items {
		number[i.ID] = i.Number
	}
	out := report.OffenceSheet{ID: string(o.ID), Statute: o.Statute, Title: report.Words{ZH: o.Title.In("zh"), EN: o.Title.In("en")}}
	for _, el := range o.Elements {
		line := report.ElementLine{ID: el.ID, Title: report.Words{ZH: el.Title.In("zh"), EN: el.Title.In("en")}}
		for _, x := range exhibits {
			if x.Offence != string(o.ID) || x.Element != el.ID {
				continue
			}
			if n := number[x.Item]; n > 0 {
				line.Exhibits = append(line.Exhibits, n)
			}
			if x.Note != "" {
				line.Notes = append(line.Notes, x.Note)
			}
		}
		slices.Sort(line.Exhibits)
		out.Elements = append(out.Elements, line)
	}
	return out
}

// tell puts the analysis of a case into words of both languages.
func tell(f *report.CaseFile, a Analysis) {
	shown := map[string]casefile.Method{}
	for _, m := range a.Methods {
		shown[m.Scenario] = m
	}
	for _, s := range casefile.Scenarios() {
		m, ok := shown[s.ID]
		judged := slices.Contains(f.Case.Scenarios, s.ID)
		if !ok && !judged {
			continue
		}
		line := report.MethodLine{ID: s.ID, Title: report.Words{ZH: s.Title.In("zh"), EN: s.Title.In("en")}, Judged: judged, Count: m.Count, Of: m.Of}
		for _, g := range m.Why {
			line.Signs = append(line.Signs, fmt.Sprintf("%s %s ×%d", g.Code, g.About, g.Count))
		}
		f.Methods = append(f.Methods, line)
	}
	list := func(all []casefile.Share) string {
		var b bytes.Buffer
		for i, s := range all {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(s.Name + " " + strconv.Itoa(s.Count))
		}
		return b.String()
	}
	for _, m := range a.Months {
		f.Months = append(f.Months, report.MonthLine{Month: m.Month, Filings: m.Filings, Channels: list(m.Channels), Demands: list(m.Demands)})
	}
	for _, x := range a.Feeds {
		f.Adverts = append(f.Adverts, report.AdvertLine{Advert: x.Advert, Complaints: len(x.Complaints)})
	}
}

func slang(lines []report.SlangLine, d *report.Dossier) []report.SlangLine {
	lines = slangIn(lines, d.Complaint.Text, 0)
	for _, c := range d.Complaint.Calls {
		lines = slangIn(lines, c.Transcript, 0)
	}
	return lines
}

// slangIn adds the code words that stand in a text.
func slangIn(lines []report.SlangLine, text string, item int) []report.SlangLine {
	for _, s := range casefile.Slang(text) {
		i := slices.IndexFunc(lines, func(l report.SlangLine) bool { return l.Term == s.Term })
		if i < 0 {
			i = len(lines)
			lines = append(lines, report.SlangLine{Term: s.Term, Meaning: report.Words{ZH: s.Meaning.In("zh"), EN: s.Meaning.In("en")}})
		}
		if item > 0 && !slices.Contains(lines[i].Items, item) {
			lines[i].Items = append(lines[i].Items, item)
		}
	}
	return lines
}
