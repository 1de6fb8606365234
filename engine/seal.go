package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
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
}

// A snapshot is what was written for a pack, which is kept: rings and verdicts go on
// changing as complaints arrive, and a sealed pack does not.
type snapshot struct {
	Name         string         `json:"name"`
	Organisation string         `json:"organisation"`
	Version      string         `json:"version"`
	Items        []snapshotItem `json:"items"`
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
		log, err = tx.CustodyOf(ctx, t, id, 0)
		return err
	})
	if err != nil {
		return s, err
	}
	s.snapshot = snapshot{Name: fmt.Sprintf("case-%d-%d-%s", f.Case.Number, number, variant), Organisation: e.cfg.Lender, Version: e.cfg.Version}
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
		if items, err = tx.Items(ctx, t, seal.Case); err != nil {
			return err
		}
		log, err = tx.CustodyOf(ctx, t, seal.Case, seal.Entry)
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
		"offences": f.Offences, "methods": f.Methods, "months": f.Months, "slang": f.Slang, "people": f.People, "adverts": f.Adverts,
	})
	asJSON("items.json", f.Items)
	asJSON("rings.json", result)
	var page bytes.Buffer
	err := report.HTML(&page, result)
	add("rings.html", page.Bytes(), err)
	add("losses.csv", []byte(lossSheet(f.Case.Losses)), nil)
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

func lossSheet(losses []bonafide.Loss) string {
	var b bytes.Buffer
	b.WriteString("kind,complaint,amount_minor,currency,basis\r\n")
	for _, l := range losses {
		fmt.Fprintf(&b, "%s,%s,%d,%s,%s\r\n", report.Cell(l.Kind), report.Cell(l.Complaint), l.Amount.Minor, report.Cell(l.Amount.Currency), report.Cell(l.Basis))
	}
	return b.String()
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
	for _, p := range people {
		f.People["person:"+p.ID], f.People[p.ID] = p.Name, p.Name
	}
	if items, err = tx.Items(ctx, t, id); err != nil {
		return f, nil, result, err
	}
	about := map[string][]int{}
	for _, i := range items {
		line := report.ItemLine{Item: i.Item, Custody: 0}
		switch {
		case i.Erased:
			line.Left = "erased"
		case i.Personal && !whole:
			line.Left = "personal"
			line.Name, line.Glossary, line.Source = "", "", ""
		default:
			line.Path = fmt.Sprintf("items/%04d-%s%s", i.Number, safeName(i.ID), i.Ext)
		}
		about[i.Complaint] = append(about[i.Complaint], i.Number)
		f.Items = append(f.Items, line)
	}
	ids, err := complaintsOf(ctx, tx, t, &row.Case)
	if err != nil {
		return f, nil, result, err
	}
	rings, err := ringsNamed(ctx, tx, t, row.Rings)
	if err != nil {
		return f, nil, result, err
	}
	f.Rings = rings
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
	result = bonafide.Result{Version: e.cfg.Version, Policy: "case", Rings: rings, Templates: []bonafide.Template{}, NotProved: []string{}, Complaints: []bonafide.Verdict{}}
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
			seals, err := tx.Seals(ctx, t, id, variant)
			if err != nil || len(seals) == 0 {
				return err
			}
			last = seals[len(seals)-1]
			changed, err = changedSince(ctx, tx, t, id, last)
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
// somebody wrote into the case what a pack tells, an item came or was erased.
func changedSince(ctx context.Context, tx *store.Tx, t bonafide.Tenant, id string, last store.Seal) (bool, error) {
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
	for _, i := range items {
		if i.Stored.After(last.At) {
			return true, nil
		}
	}
	return false, err
}

// errMoved says that the custody of a case went on while it was gathered.
var errMoved = errors.New("custody went on")

func (e *Engine) addSeal(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, want store.Seal, s sealing) (seal store.Seal, err error) {
	detail, err := pack.SealDetail(s.contents)
	if err != nil {
		return seal, err
	}
	kept, err := e.keep(ctx, s.snapshot)
	if err != nil {
		return seal, err
	}
	want.Manifest, want.Address, want.Key, want.Subjects = s.manifest[:], kept.Address, kept.Key, s.subjects
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Lock(ctx, t); err != nil {
			return err
		}
		log, err := tx.CustodyOf(ctx, t, want.Case, 0)
		if err != nil {
			return err
		}
		if len(log) != len(s.contents.Custody) {
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
		s.Token = token
		if err := tx.StampSeal(ctx, t, s); err != nil {
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

// WritePack writes the pack of a case, and seals it first where it changed since its last
// seal or anew asks for that. Recipients of age, where there are any, are the only ones who
// can open it then. Every item in it is written into its custody.
func (e *Engine) WritePack(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id, variant string, anew bool, recipients []string, open func(name string) (io.Writer, error)) (store.Seal, error) {
	seal, s, err := e.seal(ctx, t, by, id, variant, anew)
	if err != nil {
		return seal, err
	}
	return seal, e.writePack(ctx, t, by, id, seal, s, recipients, open)
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
		for _, item := range slices.Sorted(maps.Keys(s.contents.Items)) {
			if _, err := tx.Custody(ctx, t, by, item, "packed", map[string]any{"seal": seal.Number, "variant": seal.Variant}); err != nil {
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
		Entry: seal.Entry, EntryData: entry, Checkpoint: seal.Checkpoint, Size: seal.Size, Key: e.cfg.LogKey, Token: seal.Token, Roots: e.roots(seal),
		Proof: func(id int64) (tlog.RecordProof, error) { return proofs[id], nil },
	})
	if err == nil && locked != nil {
		err = locked.Close()
	}
	return err
}

// roots are the authority's certificates, where a seal is stamped.
func (e *Engine) roots(s store.Seal) []byte {
	if len(s.Token) == 0 {
		return nil
	}
	return e.cfg.StampRoots
}
