package console

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"bonafide"
	"bonafide/contact"
	"bonafide/store"
)

// verificationPage is something to find out over a way that was known before.
type verificationPage struct {
	ID        string
	Complaint string
	V         bonafide.Verification
	State     string
	Version   int
	Erased    bool
	Who       string
	Signer    string
	Attempts  []attemptRow
	Late      bool

	Offers   []contact.Offer
	Clear    bool // the values of the ways are shown
	Results  []bonafide.AttemptResult
	Outcomes []string
	Criteria []bonafide.Criterion
	Sent     []store.Confirmation
	Lang     string // of the customer
	Langs    []Lang
}

type attemptRow struct {
	bonafide.Attempt
	Who string
}

// Open reports whether nobody signed it yet.
func (p *verificationPage) Open() bool { return p.State == taskOpen && !p.Erased }

// Offered are the ways that may be used.
func (p *verificationPage) Offered() []contact.Offer {
	return slices.DeleteFunc(slices.Clone(p.Offers), func(o contact.Offer) bool { return o.Refused != "" })
}

// Left are the ways that may not be used.
func (p *verificationPage) Left() []contact.Offer {
	return slices.DeleteFunc(slices.Clone(p.Offers), func(o contact.Offer) bool { return o.Refused == "" })
}

// Askable are the ways over which a question can be sent.
func (p *verificationPage) Askable() []contact.Offer {
	return slices.DeleteFunc(p.Offered(), func(o contact.Offer) bool { return o.Way != bonafide.ByPhone && o.Way != bonafide.ByEmail })
}

// Awaits reports whether a question was sent that is not answered.
func (p *verificationPage) Awaits() bool {
	return len(p.Sent) > 0 && p.Sent[len(p.Sent)-1].Used.IsZero()
}

// Kinds of what is verified, and what they may be about.
var (
	taskKinds  = []bonafide.VerificationKind{bonafide.VerifyIdentity, bonafide.VerifyAuthority, bonafide.VerifyDocument, bonafide.VerifySituation}
	taskAbouts = []string{"representation", "hardship", "papers-given"}
	allResults = []bonafide.AttemptResult{bonafide.Reached, bonafide.Unreached, bonafide.OtherPerson, bonafide.RefusedTalk}
)

// Abouts are what a verification may be about, in the form that opens one.
func (p *complaintPage) Abouts() []string { return taskAbouts }

// Kinds are what can be verified.
func (p *complaintPage) Kinds() []bonafide.VerificationKind { return taskKinds }

// About says what a verification is about.
func (g tongue) About(about string) string {
	if about != "" && g.Has("about."+about) {
		return g.T("about." + about)
	}
	return clean(about)
}

// criteriaOf lists the criteria that a denied verification of a kind can show: those that
// may be signed with it.
func criteriaOf(kind bonafide.VerificationKind) []bonafide.Criterion {
	var out []bonafide.Criterion
	at := time.Unix(1, 0)
	reached := bonafide.Verification{Kind: kind, Opened: at, Attempts: []bonafide.Attempt{{At: at, By: "x", Result: bonafide.Reached}}}
	for _, c := range criteria {
		if _, err := contact.Sign(reached, "denied", "x", c, "x", "x", at); err == nil {
			out = append(out, c)
		}
	}
	return out
}

var criteria = []bonafide.Criterion{"K01", "K02", "K03", "K04", "K05", "K06", "K07", "K08", "K09", "K10", "K11", "K12", "K13", "K14", "K15", "K16"}

func (k *Console) verification(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx := r.Context()
	p := &verificationPage{ID: r.PathValue("id"), Outcomes: contact.Outcomes, Langs: langs, Clear: who.May(bonafide.ScopeContactsWrite)}
	if !bonafide.ValidID(p.ID) {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such verification"}
	}
	if err := k.looked(ctx, who, "verification", p.ID, "", func(tx *store.Tx) error { return k.readVerification(ctx, tx, who, p) }); err != nil {
		return err
	}
	if !p.Open() {
		return k.ok(w, r, who, "verification", p)
	}
	ways := func(tx *store.Tx) (err error) {
		p.Offers, err = k.Front.Ways(ctx, tx, who.tenant, p.Complaint, p.V.Kind)
		return err
	}
	var err error
	if p.Clear {
		err = k.looked(ctx, who, "ways", p.Complaint, "", ways)
	} else if err = k.Store.View(ctx, ways); err == nil {
		for i := range p.Offers {
			p.Offers[i].Value = ""
		}
	}
	if err != nil {
		return err
	}
	return k.ok(w, r, who, "verification", p)
}

func (k *Console) readVerification(ctx context.Context, tx *store.Tx, who *visit, p *verificationPage) error {
	row, err := tx.Sheet(ctx, who.tenant, store.SheetVerification, p.ID)
	if err != nil {
		return err
	}
	names, err := k.actors(ctx, tx, who.tenant)
	if err != nil {
		return err
	}
	rows, err := k.tasksOf(who.tongue, []store.SheetRow{row}, names)
	if err != nil {
		return err
	}
	one := rows[0]
	p.V, p.State, p.Version, p.Erased, p.Who, p.Signer, p.Complaint, p.Late = one.V, one.State, one.Version, one.Erased, one.Who, one.Signer, one.Complaint, one.Late
	p.Attempts = nil
	for _, a := range p.V.Attempts {
		p.Attempts = append(p.Attempts, attemptRow{a, who.actorName(names, a.By)})
	}
	p.Criteria, p.Results = criteriaOf(p.V.Kind), allResults
	if p.V.Kind == bonafide.VerifyDocument {
		p.Results = allResults[:2]
	}
	if p.Sent, err = tx.Confirmations(ctx, who.tenant, p.ID); err != nil {
		return err
	}
	complaint, err := tx.Complaint(ctx, who.tenant, p.Complaint)
	if err != nil {
		if complaint.ID == "" {
			return err
		}
		p.Erased = true // with the person went what there is to verify
		return nil
	}
	var c bonafide.Complaint
	if err := readJSON(complaint.Body, &c); err != nil {
		return err
	}
	p.Lang = chooseLang(c.Lang, who.Tag).Tag
	return nil
}

func (k *Console) openVerification(w http.ResponseWriter, r *http.Request, who *visit) error {
	about, err := words(r, "about")
	if err != nil {
		return err
	}
	reason, err := words(r, "reason")
	if err != nil {
		return err
	}
	id, err := k.Front.OpenVerification(r.Context(), who.tenant, who.actor, r.PathValue("id"), bonafide.VerificationKind(r.PostFormValue("kind")), cut(about, 120), reason)
	if err != nil {
		return err
	}
	return done(w, r, "/verifications/"+id, "verifying")
}

func taskAt(r *http.Request) string { return "/verifications/" + r.PathValue("id") }

func (k *Console) tryVerification(w http.ResponseWriter, r *http.Request, who *visit) error {
	note, err := words(r, "note")
	if err != nil {
		return err
	}
	a := bonafide.Attempt{Way: bonafide.Way(r.PostFormValue("way")), Result: bonafide.AttemptResult(r.PostFormValue("result")), Note: note}
	if err := k.Front.TryVerification(r.Context(), who.tenant, who.actor, r.PathValue("id"), version(r), a); err != nil {
		return err
	}
	return done(w, r, taskAt(r), "tried")
}

func (k *Console) signVerification(w http.ResponseWriter, r *http.Request, who *visit) error {
	finding, err := words(r, "finding")
	if err != nil {
		return err
	}
	innocent, err := words(r, "innocent")
	if err != nil {
		return err
	}
	s := contact.Signature{Outcome: r.PostFormValue("outcome"), Finding: finding, Criterion: bonafide.Criterion(r.PostFormValue("criterion")), Innocent: innocent}
	if err := k.Front.SignVerification(r.Context(), who.tenant, who.actor, r.PathValue("id"), version(r), s); err != nil {
		return err
	}
	return done(w, r, taskAt(r), "signed")
}

// askCustomer sends the question of a verification over a known way. The message names
// nobody and quotes nothing of the complaint.
func (k *Console) askCustomer(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx, id := r.Context(), r.PathValue("id")
	g := k.tongue(chooseLang(r.PostFormValue("lang"), who.Tag))
	var v bonafide.Verification
	var received time.Time
	err := k.Store.View(ctx, func(tx *store.Tx) error {
		row, err := tx.Sheet(ctx, who.tenant, store.SheetVerification, id)
		if err != nil {
			return err
		}
		if len(row.Body) == 0 {
			return &bonafide.Error{Kind: bonafide.NotFound, Msg: "the content of this verification was erased"}
		}
		if err := readJSON(row.Body, &v); err != nil {
			return err
		}
		track, err := tx.Track(ctx, who.tenant, v.Complaint)
		received = track.Received
		return err
	})
	if err != nil {
		return err
	}
	text := func(link, code string) (subject, body string) {
		return g.question(v.Kind, k.lender(g), received, link, code)
	}
	if err := k.Front.Ask(ctx, who.tenant, who.actor, id, bonafide.Way(r.PostFormValue("way")), g.Tag, text); err != nil {
		return err
	}
	return done(w, r, taskAt(r), "asked")
}

// question writes the message that asks a customer.
func (g tongue) question(kind bonafide.VerificationKind, lender string, received time.Time, link, code string) (subject, body string) {
	parts := []string{
		g.T("ask."+string(kind), lender, g.Date(received)), g.T("ask.link") + "\n" + link, g.T("ask.code", code), g.T("ask.onward"),
	}
	return g.T("ask.subject", lender), strings.Join(parts, "\n\n") + "\n"
}

func (k *Console) answerCode(w http.ResponseWriter, r *http.Request, who *visit) error {
	if err := k.Front.AnswerCode(r.Context(), who.tenant, who.actor, r.PathValue("id"), r.PostFormValue("code")); err != nil {
		return err
	}
	return done(w, r, taskAt(r), "coded")
}

// materialPage is what a complaint still needs of its customer.
type materialPage struct {
	ID      string
	Need    contact.Needed
	Lines   []materialLine
	Demands []string
	Letter  string
	Lang    string // of the letter
	Langs   []Lang // the customer's first
}

// A materialLine is an item, and what became of asking for it.
type materialLine struct {
	contact.Line
	Request *contact.Request
	Who     string // asked
}

// WhoAsked names who asked for an item.
func (p *materialPage) WhoAsked(item string) string {
	for _, l := range p.Lines {
		if l.Item.ID == item {
			return l.Who
		}
	}
	return ""
}

// Left are the items that may still be asked for.
func (p *materialPage) Left() []materialLine {
	return slices.DeleteFunc(slices.Clone(p.Lines), func(l materialLine) bool { return l.Struck || l.Request != nil })
}

// TalkOf returns the conversation that a verification was opened after, or nothing.
func (g tongue) TalkOf(reason string) string {
	id, ok := strings.CutPrefix(reason, "contact:")
	if !ok || !bonafide.ValidID(id) {
		return ""
	}
	return id
}

// Fact says what somebody claims.
func (g tongue) Fact(fact string) string {
	if g.Has("fact." + fact) {
		return g.T("fact." + fact)
	}
	return clean(strings.ReplaceAll(fact, "-", " "))
}

func (k *Console) material(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx, id, q := r.Context(), r.PathValue("id"), r.URL.Query()
	p := &materialPage{ID: id, Demands: contact.Demands()}
	if !bonafide.ValidID(id) {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such complaint"}
	}
	demand := q.Get("demand")
	if !slices.Contains(p.Demands, demand) {
		demand = ""
	}
	err := k.looked(ctx, who, "complaint", id, "", func(tx *store.Tx) error {
		row, err := tx.Complaint(ctx, who.tenant, id)
		if err != nil {
			return err
		}
		var c bonafide.Complaint
		if err := readJSON(row.Body, &c); err != nil {
			return err
		}
		theirs := chooseLang(c.Lang, who.Tag)
		p.Lang = chooseLang(q.Get("lang"), theirs.Tag).Tag
		p.Langs = append([]Lang{theirs}, slices.DeleteFunc(slices.Clone(langs), func(l Lang) bool { return l.Tag == theirs.Tag })...)
		if p.Need, err = k.Front.Checklist(ctx, tx, who.tenant, id, demand); err != nil {
			return err
		}
		names, err := k.actors(ctx, tx, who.tenant)
		if err != nil {
			return err
		}
		p.Lines = nil
		for _, l := range p.Need.Lines {
			line := materialLine{Line: l}
			for i := range p.Need.Material.Requests {
				if q := &p.Need.Material.Requests[i]; q.Item == l.Item.ID {
					line.Request, line.Who = q, who.actorName(names, q.AskedBy)
				}
			}
			p.Lines = append(p.Lines, line)
		}
		p.Letter, err = k.Front.MaterialLetter(ctx, tx, who.tenant, id, p.Lang, k.lender(k.tongue(chooseLang(p.Lang, ""))), k.tongue(chooseLang(p.Lang, "")).Date)
		return err
	})
	if err != nil {
		return err
	}
	return k.ok(w, r, who, "material", p)
}

func (k *Console) changeMaterial(w http.ResponseWriter, r *http.Request, who *visit) error {
	id, demand := r.PathValue("id"), r.PostFormValue("demand")
	items := slices.Clone(r.PostForm["item"])
	if err := k.Front.Material(r.Context(), who.tenant, who.actor, id, demand, r.PostFormValue("verb"), items, version(r)); err != nil {
		return err
	}
	return done(w, r, complaintAt(id)+"/material", "material")
}
