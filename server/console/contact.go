package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"bonafide"
	"bonafide/contact"
	"bonafide/pipeline"
	"bonafide/store"
)

// contactsPage lists conversations: those that go on, and the latest that ended.
type contactsPage struct {
	Open, Ended []talkRow
}

// Bounds of the list of conversations.
const (
	talksOpen  = 200
	talksRead  = 5000
	talksEnded = 60
)

func (k *Console) contacts(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx := r.Context()
	var page contactsPage
	err := k.Store.View(ctx, func(tx *store.Tx) error {
		names, err := k.actors(ctx, tx, who.tenant)
		if err != nil {
			return err
		}
		open, err := tx.Sheets(ctx, who.tenant, store.SheetContact, talkOpen, talksOpen)
		if err != nil {
			return err
		}
		if page.Open, err = talksOf(who.tongue, open, names); err != nil {
			return err
		}
		var ended []store.SheetRow
		for _, state := range []string{talkEnded, talkBroken} {
			rows, err := tx.Sheets(ctx, who.tenant, store.SheetContact, state, talksRead)
			if err != nil {
				return err
			}
			ended = append(ended, rows...)
		}
		slices.SortFunc(ended, func(a, b store.SheetRow) int { return a.At.Compare(b.At) })
		ended = ended[max(0, len(ended)-talksEnded):]
		page.Ended, err = talksOf(who.tongue, ended, names)
		return err
	})
	if err != nil {
		return err
	}
	return k.ok(w, r, who, "contacts", page)
}

// newContact asks which script, in which language and over which way.
func (k *Console) newContact(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx := r.Context()
	page := beginForm{Complaint: r.URL.Query().Get("complaint"), Script: contact.Suggest(contact.Known{}), Lang: who.Tag, Langs: langs, Scripts: scripts()}
	if page.Complaint != "" {
		err := k.Store.View(ctx, func(tx *store.Tx) error {
			if !bonafide.ValidID(page.Complaint) {
				return &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such complaint"}
			}
			_, err := tx.SubjectOf(ctx, who.tenant, page.Complaint)
			return err
		})
		if err != nil {
			return err
		}
	}
	return k.ok(w, r, who, "contact-new", page)
}

func (k *Console) beginContact(w http.ResponseWriter, r *http.Request, who *visit) error {
	id, err := k.Front.BeginContact(r.Context(), who.tenant, who.actor, r.PostFormValue("script"), r.PostFormValue("complaint"), chooseLang(r.PostFormValue("lang"), who.Tag).Tag, r.PostFormValue("known") != "")
	if err != nil {
		return err
	}
	return done(w, r, "/contacts/"+id, "")
}

// contactPage is a conversation: what to say now, or what it came to.
type contactPage struct {
	ID      string
	C       contact.Conversation
	Talk    contact.Talk
	Script  *contact.Script // nil where it is gone
	Version int
	Who     string
	State   string
	Erased  bool
	Lang    string // of what is said to the customer
	Langs   []Lang
	Lines   []talkLine
	End     *contact.End // that was reached
	Never   []contact.Texts

	// Of the complaint, where there is one.
	Letter string
	About  string // language of the letter
	Gone   bool   // its content was erased
	Merit  *bonafide.Merit
	Tasks  []taskRow
}

// A talkLine is a question and its answer.
type talkLine struct {
	Ask, Choice contact.Texts
	Answer      bonafide.Answer
}

// Open reports whether the conversation goes on.
func (p *contactPage) Open() bool { return p.State == talkOpen && p.C.Ended.IsZero() }

// Vulnerable reports whether a trained person takes over.
func (p *contactPage) Vulnerable() bool {
	return p.Talk.Vulnerable || p.C.Established.Vulnerability == "claimed" || p.C.Established.Vulnerability == "flagged"
}

// Established is what was said so far.
func (p *contactPage) Established() bonafide.Established {
	if p.Open() {
		return p.Talk.Established
	}
	return p.C.Established
}

// Signals are what answers are evidence of.
func (p *contactPage) Signals() []bonafide.ContactSignal {
	if p.Open() {
		return p.Talk.Signals
	}
	return p.C.Signals
}

func (k *Console) contact(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx := r.Context()
	p := &contactPage{ID: r.PathValue("id"), Langs: langs}
	if !bonafide.ValidID(p.ID) {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such conversation"}
	}
	if err := k.looked(ctx, who, "contact", p.ID, "", func(tx *store.Tx) error { return k.readContact(ctx, tx, who, p) }); err != nil {
		return err
	}
	p.Lang = p.C.Lang
	if lang := r.URL.Query().Get("lang"); lang != "" {
		p.Lang = lang
	}
	p.Lang = chooseLang(p.Lang, who.Tag).Tag
	if p.C.Complaint != "" && who.May(bonafide.ScopeComplaintsRead) {
		if err := k.looked(ctx, who, "complaint", p.C.Complaint, "", func(tx *store.Tx) error { return k.readBeside(ctx, tx, who, p) }); err != nil {
			return err
		}
	}
	return k.ok(w, r, who, "contact", p)
}

// readContact reads a conversation and where it stands.
func (k *Console) readContact(ctx context.Context, tx *store.Tx, who *visit, p *contactPage) error {
	row, err := tx.Sheet(ctx, who.tenant, store.SheetContact, p.ID)
	if err != nil {
		return err
	}
	names, err := k.actors(ctx, tx, who.tenant)
	if err != nil {
		return err
	}
	p.State, p.Who, p.Lines, p.Version = row.State, who.actorName(names, row.Author), nil, row.Version
	if p.Erased = len(row.Body) == 0; p.Erased {
		p.C.Started, p.State = row.At, talkEnded
		return nil
	}
	if p.C, p.Talk, p.Version, err = k.Front.Talk(ctx, tx, who.tenant, p.ID); err != nil {
		return err
	}
	if p.Script, err = contact.Load(p.C.Script); err != nil {
		p.Script = nil // a script that is gone: the record says what it says
		return nil
	}
	p.End = p.Script.End(p.C.End)
	if p.Talk.End != nil {
		p.End = p.Talk.End
	}
	if p.Talk.Step != nil {
		p.Never = p.Talk.Step.Never
	}
	for _, a := range p.C.Answers {
		line := talkLine{Answer: a, Ask: contact.Texts{"en": a.Step}, Choice: contact.Texts{"en": a.Choice}}
		if step := p.Script.Step(a.Step); step != nil {
			line.Ask = step.Ask
			if c := step.Choice(a.Choice); c != nil {
				line.Choice = c.Label
			}
		}
		p.Lines = append(p.Lines, line)
	}
	return nil
}

// readBeside reads what stands beside a conversation about a complaint: first whether it
// is right, then the letter, and what is to be verified.
func (k *Console) readBeside(ctx context.Context, tx *store.Tx, who *visit, p *contactPage) error {
	row, err := tx.Complaint(ctx, who.tenant, p.C.Complaint)
	if err != nil {
		if row.ID == "" {
			return err
		}
		p.Gone = true
		return nil
	}
	var c bonafide.Complaint
	if err := json.Unmarshal(row.Body, &c); err != nil {
		return fmt.Errorf("complaint %s: %w", p.C.Complaint, err)
	}
	one := 1
	p.Letter, _ = partOf(pipeline.MaskLetter(c.Text, namesIn(c)...), &one)
	p.About = c.Lang
	if p.Merit, err = k.Front.Merit(ctx, tx, who.tenant, p.C.Complaint); err != nil {
		return err
	}
	names, err := k.actors(ctx, tx, who.tenant)
	if err != nil {
		return err
	}
	rows, err := tx.SheetsOf(ctx, who.tenant, p.C.Complaint, store.SheetVerification)
	if err != nil {
		return err
	}
	p.Tasks, err = k.tasksOf(who.tongue, rows, names)
	return err
}

// talkAt is the address of a conversation, in the language that was chosen for it.
func talkAt(r *http.Request) string {
	at := "/contacts/" + r.PathValue("id")
	lang := r.PostFormValue("lang")
	if slices.ContainsFunc(langs, func(l Lang) bool { return l.Tag == lang }) {
		at += "?lang=" + lang
	}
	return at
}

func (k *Console) answerContact(w http.ResponseWriter, r *http.Request, who *visit) error {
	note, err := words(r, "note")
	if err != nil {
		return err
	}
	a := bonafide.Answer{Step: r.PostFormValue("step"), Choice: r.PostFormValue("choice"), Note: note}
	if err := k.Front.AnswerContact(r.Context(), who.tenant, who.actor, r.PathValue("id"), version(r), a); err != nil {
		return err
	}
	return done(w, r, talkAt(r), "")
}

func (k *Console) backContact(w http.ResponseWriter, r *http.Request, who *visit) error {
	if err := k.Front.BackContact(r.Context(), who.tenant, who.actor, r.PathValue("id"), version(r)); err != nil {
		return err
	}
	return done(w, r, talkAt(r), "")
}

func (k *Console) endContact(w http.ResponseWriter, r *http.Request, who *visit) error {
	if err := k.Front.EndContact(r.Context(), who.tenant, who.actor, r.PathValue("id"), version(r)); err != nil {
		return err
	}
	return done(w, r, talkAt(r), "talked")
}

// Of is a text of a script or a checklist, which has it in each language.
func (g tongue) Of(t contact.Texts) string {
	if g.Tag == pseudo {
		return "⟦" + t["en"] + "⟧"
	}
	return t.In(g.Tag)
}

// Finding says a breach in words, with the values of it.
func (g tongue) Finding(f bonafide.Finding) string {
	key := "finding." + f.Rule
	if len(f.Facts) > 0 && f.Facts[len(f.Facts)-1] == "" && g.Has(key+".plain") {
		key += ".plain"
	}
	if !g.Has(key) {
		return g.Say(f.Text)
	}
	args := make([]any, len(f.Facts))
	for i, fact := range f.Facts {
		arg, said := g.piece(clean(fact), sayDepth)
		if s, ok := arg.(string); ok && !said && g.Has("merit.word."+s) {
			arg = g.T("merit.word." + s)
		}
		args[i] = arg
	}
	return g.T(key, args...)
}

// An incidentRow is an incident with the complaints that may be looked at.
type incidentRow struct {
	bonafide.Incident
	At time.Time
}

// incidents reads the incidents there are, the latest first.
func (k *Console) readIncidents(ctx context.Context, tx *store.Tx, t bonafide.Tenant) ([]incidentRow, error) {
	rows, err := tx.Incidents(ctx, t)
	if err != nil {
		return nil, err
	}
	var out []incidentRow
	for _, row := range rows {
		inc, err := row.Read()
		if err != nil {
			return nil, err
		}
		out = append(out, incidentRow{inc, row.At})
	}
	slices.SortStableFunc(out, func(a, b incidentRow) int { return b.From.Compare(a.From) })
	return out, nil
}

// incidentsPage lists breaches that many customers complain of at once.
type incidentsPage struct{ Rows []incidentRow }

// incidentShown bounds the complaints that the page names of one incident.
const incidentShown = 60

// Shown are the complaints that the page names.
func (r incidentRow) Shown() []string { return r.Complaints[:min(len(r.Complaints), incidentShown)] }

// More is how many it does not name.
func (r incidentRow) More() int { return max(0, len(r.Complaints)-incidentShown) }

func (k *Console) incidents(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx := r.Context()
	var page incidentsPage
	err := k.Store.View(ctx, func(tx *store.Tx) (err error) {
		page.Rows, err = k.readIncidents(ctx, tx, who.tenant)
		return err
	})
	if err != nil {
		return err
	}
	return k.ok(w, r, who, "incidents", page)
}

// incidentCount says how many incidents there are and how many customers they concern.
type incidentCount struct{ Incidents, Customers int }

func (k *Console) countIncidents(ctx context.Context, tx *store.Tx, t bonafide.Tenant) (n incidentCount, err error) {
	rows, err := k.readIncidents(ctx, tx, t)
	for _, row := range rows {
		n.Incidents++
		n.Customers += row.Customers
	}
	return n, err
}

// readMerit reads what the lender's own records say of a complaint, and whether it is one
// of many about the same breach. It is read before anything that others share.
func (k *Console) readMerit(ctx context.Context, tx *store.Tx, who *visit, p *complaintPage) error {
	p.Merit, p.Incidents = nil, nil // this may run again
	if p.Erased {
		return nil
	}
	var err error
	if p.Merit, err = k.Front.Merit(ctx, tx, who.tenant, p.ID); err != nil && !errors.Is(err, bonafide.NotFound) {
		return err
	}
	all, err := k.readIncidents(ctx, tx, who.tenant)
	if err != nil {
		return err
	}
	for _, inc := range all {
		if slices.Contains(inc.Complaints, p.ID) {
			p.Incidents = append(p.Incidents, inc)
		}
	}
	if p.Merit == nil {
		return nil
	}
	for i := range p.Calls {
		for _, f := range p.Merit.Findings {
			if slices.Contains(f.Rows, bonafide.RowRef{Kind: "call", ID: p.Calls[i].ID}) {
				p.Calls[i].Breaks = append(p.Calls[i].Breaks, f.Rule)
			}
		}
	}
	return nil
}

// Rule names a rule on the lender's conduct shortly.
func (g tongue) Rule(rule string) string {
	if g.Has("breach." + rule) {
		return g.T("breach." + rule)
	}
	return strings.ReplaceAll(clean(rule), "-", " ")
}
