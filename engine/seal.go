package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"bonafide"
	"bonafide/casefile"
	"bonafide/evidence"
	"bonafide/evidence/custody"
	"bonafide/evidence/pack"
	"bonafide/report"
	"bonafide/store"
)

// The variants of a pack, by who reads it. The police see whom a case is about; a lawyer and
// the regulator see what happened.
const (
	VariantPolice    = "police"
	VariantLawyer    = "lawyer"
	VariantRegulator = "regulator"
)

// Variants lists them.
var Variants = []string{VariantPolice, VariantLawyer, VariantRegulator}

// A sealing is what a pack is made of.
type sealing struct {
	contents *pack.Contents
	manifest evidence.Digest
	snapshot snapshot
	subjects []string
	facts    evidence.Digest // of what is known of everybody in it
}

// A snapshot is what was written for a pack, which is kept: rings and verdicts go on
// changing as complaints arrive, and a sealed pack does not.
type snapshot struct {
	Name         string         `json:"name"`
	Organisation string         `json:"organisation"`
	Version      string         `json:"version"`
	Items        []snapshotItem `json:"items"`
	All          []string       `json:"all"` // items of the case then, those left out too
	Files        []snapshotFile `json:"files"`
}

type snapshotItem struct {
	Path string `json:"path"`
	Item string `json:"item"`
}

type snapshotFile struct {
	Path string `json:"path"`
	Body []byte `json:"body"`
}

// gather writes everything that a pack holds, as of the moment at, under the number of a
// seal.
func (e *Engine) gather(ctx context.Context, t bonafide.Tenant, id, variant string, number int, at time.Time) (sealing, error) {
	var f report.CaseFile
	var s sealing
	var log []store.CustodyEntry
	var items []store.ItemRow
	var result bonafide.Result
	err := e.cfg.DB.View(ctx, func(tx *store.Tx) (err error) {
		if f, items, result, err = e.caseFile(ctx, tx, t, id, variant, number, at); err != nil {
			return err
		}
		s.subjects = nil
		for _, d := range f.Dossiers {
			subject, err := tx.SubjectOf(ctx, t, d.Complaint.ID)
			if err != nil {
				return err
			}
			s.subjects = append(s.subjects, subject)
		}
		for _, i := range items {
			if i.Complaint != "" {
				s.subjects = append(s.subjects, i.Subject)
			}
		}
		s.facts = factsOf(&f)
		s.snapshot.All = nil
		for _, i := range items {
			s.snapshot.All = append(s.snapshot.All, i.ID)
		}
		log, err = tx.CustodyOf(ctx, t, s.snapshot.All, 0)
		return err
	})
	if err != nil {
		return s, err
	}
	s.snapshot.Name, s.snapshot.Organisation, s.snapshot.Version = fmt.Sprintf("case-%d-%d-%s", f.Case.Number, number, variant), e.cfg.Lender, e.cfg.Version
	if s.snapshot.Files, err = documents(&f, &result); err != nil {
		return s, err
	}
	for i, line := range f.Items {
		if line.Path != "" {
			s.snapshot.Items = append(s.snapshot.Items, snapshotItem{line.Path, items[i].ID})
		}
	}
	return s, e.contents(ctx, t, &s, store.Seal{Case: id, Variant: variant, Number: number, At: at}, items, log)
}

// contents makes of a snapshot what a pack holds.
func (e *Engine) contents(ctx context.Context, t bonafide.Tenant, s *sealing, seal store.Seal, items []store.ItemRow, log []store.CustodyEntry) error {
	c := &pack.Contents{
		Name: s.snapshot.Name, Organisation: s.snapshot.Organisation, Version: s.snapshot.Version,
		Case: seal.Case, Number: seal.Number, Variant: seal.Variant, Time: seal.At, Origin: e.origin(t), Items: map[string]int{},
	}
	for _, l := range log {
		c.Custody = append(c.Custody, pack.Custody{ID: l.Entry, Item: l.Item, N: l.N, Data: l.Data})
		c.Items[l.Item] = l.N
	}
	for _, f := range s.snapshot.Files {
		c.Files = append(c.Files, pack.Bytes(f.Path, f.Body))
	}
	rows := map[string]store.ItemRow{}
	for _, i := range items {
		rows[i.ID] = i
	}
	for _, one := range s.snapshot.Items {
		row := rows[one.Item]
		if row.Address == "" {
			return &bonafide.Error{Kind: bonafide.Conflict, Msg: "an item of this seal was erased: seal the case again"}
		}
		file := pack.File{Path: one.Path, Size: row.Size, Open: func() (io.ReadCloser, error) { return e.cfg.Keeper.Open(ctx, row.Address, row.Key) }}
		if err := errors.Join(file.SHA256.UnmarshalText([]byte(row.SHA256)), file.SM3.UnmarshalText([]byte(row.SM3))); err != nil {
			return err
		}
		c.Files = append(c.Files, file)
	}
	var err error
	s.contents = c
	_, s.manifest, err = c.Manifest()
	return err
}

// snapshotMost bounds what is written for one pack, besides its items: 1 GiB.
const snapshotMost = 1 << 30

// keep puts a snapshot into its place.
func (e *Engine) keep(ctx context.Context, s snapshot) (custody.Taken, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return custody.Taken{}, fmt.Errorf("write snapshot: %w", err)
	}
	return e.cfg.Keeper.TakeIn(ctx, bytes.NewReader(b), "snapshot.json", snapshotMost)
}

// reopen reads what was sealed.
func (e *Engine) reopen(ctx context.Context, t bonafide.Tenant, seal store.Seal) (s sealing, err error) {
	if seal.Address == "" {
		return s, &bonafide.Error{Kind: bonafide.Conflict, Msg: "somebody in this seal was erased: seal the case again"}
	}
	plain, err := e.cfg.Keeper.Open(ctx, seal.Address, seal.Key)
	if err != nil {
		return s, err
	}
	defer plain.Close()
	if err := json.NewDecoder(plain).Decode(&s.snapshot); err != nil {
		return s, fmt.Errorf("read snapshot: %w", err)
	}
	var items []store.ItemRow
	var log []store.CustodyEntry
	if err := e.cfg.DB.View(ctx, func(tx *store.Tx) (err error) {
		items = nil
		for _, one := range s.snapshot.Items { // wherever they are now: cases are merged
			i, err := tx.Item(ctx, t, one.Item)
			if err != nil {
				return err
			}
			items = append(items, i)
		}
		log, err = tx.CustodyOf(ctx, t, s.snapshot.All, seal.Entry)
		return err
	}); err != nil {
		return s, err
	}
	if err := e.contents(ctx, t, &s, seal, items, log); err != nil {
		return s, err
	}
	if !bytes.Equal(s.manifest[:], seal.Manifest) {
		return s, &bonafide.Error{Kind: bonafide.Conflict, Msg: "what was kept of this seal is not what was sealed: check the originals"}
	}
	return s, nil
}

func (e *Engine) origin(t bonafide.Tenant) string {
	if e.cfg.Origin == nil {
		return "bonafide/" + string(t)
	}
	return e.cfg.Origin(t)
}

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

// factsOf is a digest of what a pack says of everybody in it that others decide: where their
// complaint stands, what speaks for them, what is proposed, and where each ring stands.
func factsOf(f *report.CaseFile) evidence.Digest {
	type one struct {
		ID, State, Outcome string
		Erased             bool
		For                []report.Exculpatory
		Level              bonafide.Level
		Route              bonafide.Route
	}
	var all []any
	for i := range f.Dossiers {
		d := &f.Dossiers[i]
		x := one{ID: d.Complaint.ID, State: d.State, Outcome: d.Outcome, Erased: d.Erased, For: d.Exculpatory}
		if d.Verdict != nil {
			x.Level, x.Route = d.Verdict.Level, d.Verdict.Route
		}
		all = append(all, x)
	}
	for _, r := range f.Rings {
		all = append(all, r.ID, f.Standing[r.ID], len(r.Decisions))
	}
	b, err := json.Marshal(all)
	if err != nil {
		panic(err) // there is nothing in it that JSON lacks
	}
	return sha256.Sum256(b)
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
		s.Reason = mask(s.Reason)
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

// sealTries bounds how often sealing begins anew because the case changes meanwhile.
const sealTries = 5

// SealCase seals a case for a reader: the digest of everything in the pack is written into
// the log, the log is signed, and the signature stamped with the time. Where the case did not
// change since its last seal that one stands, unless anew asks for what is known now.
func (e *Engine) SealCase(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id, variant string, anew bool) (store.Seal, error) {
	seal, _, err := e.seal(ctx, t, by, id, variant, anew)
	return seal, err
}

func (e *Engine) seal(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id, variant string, anew bool) (store.Seal, sealing, error) {
	switch {
	case !slices.Contains(Variants, variant):
		return store.Seal{}, sealing{}, &bonafide.Error{Kind: bonafide.Invalid, Msg: "variant: not one of police, lawyer, regulator"}
	case e.cfg.Keeper == nil || e.cfg.Sign == nil:
		return store.Seal{}, sealing{}, errNoCustody
	}
	for range sealTries {
		var last store.Seal
		var changed bool
		err := e.cfg.DB.View(ctx, func(tx *store.Tx) error {
			last = store.Seal{}
			row, err := tx.Case(ctx, t, id)
			if err != nil {
				return err
			}
			if err := casefile.MayPack(&row.Case, variant); err != nil {
				return err
			}
			seals, err := tx.Seals(ctx, t, id, variant)
			if err != nil || len(seals) == 0 {
				return err
			}
			last = seals[len(seals)-1]
			changed, err = e.changedSince(ctx, tx, t, id, last)
			return err
		})
		if err != nil {
			return last, sealing{}, err
		}
		if last.Number > 0 && !changed && !anew {
			old, err := e.reopen(ctx, t, last)
			if err != nil {
				return last, old, err
			}
			last, err = e.stampSeal(ctx, t, last)
			return last, old, err
		}
		at := e.cfg.Now().UTC().Truncate(time.Microsecond)
		fresh, err := e.gather(ctx, t, id, variant, last.Number+1, at)
		if err != nil {
			return store.Seal{}, fresh, err
		}
		seal, err := e.addSeal(ctx, t, by, store.Seal{Case: id, Variant: variant, Number: last.Number + 1, At: at}, fresh)
		if errors.Is(err, errMoved) {
			continue
		}
		if err != nil {
			return seal, fresh, err
		}
		seal, err = e.stampSeal(ctx, t, seal)
		return seal, fresh, err
	}
	return store.Seal{}, sealing{}, &bonafide.Error{Kind: bonafide.Busy, Msg: "the case changes while it is sealed: try again"}
}

// changedSince reports whether a pack that was sealed no longer says what the case does:
// somebody wrote into the case what a pack tells, an item came or went, somebody came into a
// ring or left it, or something is known of somebody in it that was not known then.
func (e *Engine) changedSince(ctx context.Context, tx *store.Tx, t bonafide.Tenant, id string, last store.Seal) (bool, error) {
	if last.Address == "" {
		return true, nil
	}
	steps, err := tx.CaseSteps(ctx, t, id)
	if err != nil {
		return false, err
	}
	for _, s := range steps {
		if s.At.After(last.At) && alters(s.What) {
			return true, nil
		}
	}
	items, err := tx.Items(ctx, t, id)
	if err != nil {
		return false, err
	}
	for _, i := range items {
		if i.Stored.After(last.At) {
			return true, nil
		}
	}
	f, _, _, err := e.caseFile(ctx, tx, t, id, last.Variant, last.Number, last.At)
	now := factsOf(&f)
	return !bytes.Equal(now[:], last.Facts), err
}

// errMoved says that a case went on while it was gathered.
var errMoved = errors.New("the case went on")

func (e *Engine) addSeal(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, want store.Seal, s sealing) (seal store.Seal, err error) {
	detail, err := pack.SealDetail(s.contents)
	if err != nil {
		return seal, err
	}
	kept, err := e.keep(ctx, s.snapshot)
	if err != nil {
		return seal, err
	}
	want.Manifest, want.Facts, want.Address, want.Key, want.Subjects = s.manifest[:], s.facts[:], kept.Address, kept.Key, s.subjects
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Lock(ctx, t); err != nil {
			return err
		}
		// Nothing moved meanwhile: not the custody, not what is known of anybody, and nobody
		// was erased.
		log, err := tx.CustodyOf(ctx, t, s.snapshot.All, 0)
		if err != nil {
			return err
		}
		items, err := tx.Items(ctx, t, want.Case)
		if err != nil {
			return err
		}
		f, _, _, err := e.caseFile(ctx, tx, t, want.Case, want.Variant, want.Number, want.At)
		if err != nil {
			return err
		}
		if len(log) != len(s.contents.Custody) || len(items) != len(s.snapshot.All) || factsOf(&f) != s.facts {
			return errMoved
		}
		seal, err = tx.AddSeal(ctx, t, by, want, detail, func(tree tlog.Tree) ([]byte, error) { return e.cfg.Sign(t, tree, want.At) })
		return err
	})
	if errors.Is(err, bonafide.Conflict) {
		err = errMoved
	}
	return seal, err
}

// stampSeal has the authority stamp a seal that has no time-stamp yet, where one is
// configured.
func (e *Engine) stampSeal(ctx context.Context, t bonafide.Tenant, s store.Seal) (store.Seal, error) {
	if e.cfg.Stamp == nil || len(s.Token) > 0 {
		return s, nil
	}
	token, err := e.cfg.Stamp(ctx, s.Checkpoint)
	if err != nil {
		return s, fmt.Errorf("time-stamp the seal: %w", err)
	}
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		s.Token, s.Roots = token, e.cfg.StampRoots
		if err := tx.StampSeal(ctx, t, bonafide.System("seal"), s); err != nil {
			return err
		}
		all, err := tx.Seals(ctx, t, s.Case, s.Variant)
		for _, one := range all {
			if one.Number == s.Number { // another process may have been first
				s = one
			}
		}
		return err
	})
	return s, err
}

// PackOptions say which seal of a case is packed, and for whom.
type PackOptions struct {
	Anew bool // seal what is known now, though the case itself did not change
	Seal int  // write this seal again; 0 is the last one, or a new one where the case changed
	// Recipients of age, where there are any, are the only ones who can open it.
	Recipients []string
}

// WritePack writes the pack of a case, and seals it first where it changed since its last
// seal. That it is about to be written stands in the custody of every item in it before.
func (e *Engine) WritePack(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id, variant string, o PackOptions, open func(name string) (io.Writer, error)) (store.Seal, error) {
	var seal store.Seal
	var s sealing
	var err error
	if o.Seal > 0 {
		if seal, err = e.sealNumbered(ctx, t, id, variant, o.Seal); err == nil {
			s, err = e.reopen(ctx, t, seal)
		}
	} else {
		seal, s, err = e.seal(ctx, t, by, id, variant, o.Anew)
	}
	if err != nil {
		return seal, err
	}
	return seal, e.writePack(ctx, t, by, id, seal, s, o.Recipients, open)
}

// sealNumbered returns a seal of a case by its number.
func (e *Engine) sealNumbered(ctx context.Context, t bonafide.Tenant, id, variant string, number int) (found store.Seal, err error) {
	err = e.cfg.DB.View(ctx, func(tx *store.Tx) error {
		all, err := tx.Seals(ctx, t, id, variant)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(s store.Seal) bool { return s.Number == number })
		if i < 0 {
			return &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such sealed pack"}
		}
		found = all[i]
		return nil
	})
	return found, err
}

// sealedItems lists the items that a sealed pack holds.
func (e *Engine) sealedItems(ctx context.Context, t bonafide.Tenant, id, variant string, number int) ([]string, error) {
	seal, err := e.sealNumbered(ctx, t, id, variant, number)
	if err != nil {
		return nil, err
	}
	s, err := e.reopen(ctx, t, seal)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, i := range s.snapshot.Items {
		out = append(out, i.Item)
	}
	return out, nil
}

func (e *Engine) writePack(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, seal store.Seal, s sealing, recipients []string, open func(name string) (io.Writer, error)) error {
	proofs := map[int64]tlog.RecordProof{}
	var entry []byte
	err := e.cfg.DB.View(ctx, func(tx *store.Tx) error {
		row, err := tx.LogRow(ctx, t, seal.Entry)
		if err != nil {
			return err
		}
		entry = row.Data
		r := tx.Hashes(ctx, t)
		ids := []int64{seal.Entry}
		for _, c := range s.contents.Custody {
			ids = append(ids, c.ID)
		}
		for _, id := range ids {
			if proofs[id], err = evidence.ProveRecord(seal.Size, id, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		for _, i := range s.snapshot.Items {
			if _, err := tx.Custody(ctx, t, by, i.Item, "packed", map[string]any{"seal": seal.Number, "variant": seal.Variant}); err != nil {
				return err
			}
		}
		return tx.Record(ctx, t, by, "case.packed", "case:"+id, map[string]any{"seal": seal.Number, "variant": seal.Variant, "recipients": len(recipients)})
	})
	if err != nil {
		return err
	}
	name := s.contents.Name + ".zip"
	if len(recipients) > 0 {
		name += ".age"
	}
	w, err := open(name)
	if err != nil {
		return err
	}
	out := w
	var locked io.WriteCloser
	if len(recipients) > 0 {
		if locked, err = pack.Encrypt(w, recipients); err != nil {
			return err
		}
		out = locked
	}
	err = pack.Write(ctx, out, s.contents, pack.Seal{
		Entry: seal.Entry, EntryData: entry, Checkpoint: seal.Checkpoint, Size: seal.Size, Key: e.cfg.LogKey, Token: seal.Token, Roots: seal.Roots,
		Proof: func(id int64) (tlog.RecordProof, error) { return proofs[id], nil },
	})
	if err == nil && locked != nil {
		err = locked.Close()
	}
	return err
}
