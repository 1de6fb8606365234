package console

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"bonafide"
	"bonafide/casefile"
	"bonafide/store"
)

// What a case is worked on with, as its forms offer it.
var (
	sealVariants = []string{"police", "lawyer", "regulator"}
	itemPurposes = []string{"review", "legal-review", "transcription", "comparison", "hand-over", "other"}
	itemRecords  = []string{"letter", "complaint", "track", "merit", "contacts", "verifications", "verdict"}
)

// casePage is all that there is of a case.
type casePage struct {
	store.CaseRow
	Due        bonafide.CaseClock
	Runs       bool
	Into, From *caseLink

	Rings      []ringLink
	Complaints []string // those named
	All        []string // those named and the members of its rings
	Adverts    []feedRow
	Untested   []string
	Upheld     []string

	Methods   []methodRow
	Months    []casefile.Spell
	Scenarios []choice
	Offences  []offenceRow
	Parties   []partyRow
	Totals    []totalRow
	Items     []itemRow
	Tasks     []taskLine
	Clocks    []periodRow
	History   []stepLine
	Handovers []handLine
	Requests  []requestLine
	Watches   []watchLine
	Seals     []store.Seal
	Moves     []moveRow
	People    []bonafide.Person // who may see cases
	Names     map[string]string

	Write, Decide bool
	Open          bool // it can be written into
	HoldBy        string
	HoldMine      bool
	Others        []caseLink // that it may be merged with
	Closed        int        // tasks that are done
}

type ringLink struct {
	ID    string
	Level string
	State string
	Size  int
	Gone  bool
}

// feedRow is an advert with the complaints of the case that it fed.
type feedRow struct {
	bonafide.Advert
	Fed    []string
	Linked bool
}

type methodRow struct {
	casefile.Method
	Judged bool
}

type choice struct {
	ID  string
	Yes bool
}

type offenceRow struct {
	casefile.Offence
	Yes      bool
	Elements []elementRow
}

type elementRow struct {
	casefile.Element
	Exhibits []exhibitRow
}

type exhibitRow struct {
	bonafide.Exhibit
	Number int // of the item
}

type partyRow struct {
	bonafide.Party
	Boss *bonafide.Party
}

type totalRow struct {
	Kind, Currency string
	Minor          int64
}

type itemRow struct {
	store.ItemRow
	Who    string
	Parent int // number of the item that it was made of
	Text   bool
}

type taskLine struct {
	bonafide.CaseTask
	Who  string
	Late bool
	New  []string // what a watch told of
	Kind string   // of the watch
}

type periodRow struct {
	bonafide.CaseClock
	Period     casefile.Period
	Days       int
	Near, Past bool
	Runs       bool
}

type stepLine struct {
	bonafide.CaseStep
	Who, Second string
	Whom        string
}

type handLine struct {
	bonafide.Handover
	Who     string
	Numbers []int // of the items
}

type requestLine struct {
	bonafide.MaterialRequest
	Who        string
	Near, Late bool
}

type watchLine struct {
	bonafide.Watch
	Name string
}

// moveRow is a move that the stage allows, and what stands in its way.
type moveRow struct {
	Move     bonafide.Move
	To       bonafide.Stage
	Lacks    []casefile.Lack
	Two      bool
	First    string // who decided first
	Other    bool   // somebody else has to: the visitor was first, or asked for the review
	May      bool   // the visitor's role includes it
	Reason   bool
	Number   bool
	Dated    bool
	Innocent bool
}

// Ready reports whether the visitor may do it now. What came too late today may bear a date
// of before.
func (m moveRow) Ready() bool {
	lacks := slices.ContainsFunc(m.Lacks, func(l casefile.Lack) bool { return l.Code != "too-late" || !m.Dated })
	return !lacks && !m.Other && m.May
}

// mayMove reports whether a visitor's role includes a move.
func (v *visit) mayMove(m bonafide.Move) bool {
	switch m {
	case bonafide.MovePrepare, bonafide.MoveReturn:
		return v.May(bonafide.ScopeCasesDecide)
	case bonafide.MoveReport:
		return v.May(bonafide.ScopeCasesWrite) || v.May(bonafide.ScopeCasesDecide)
	}
	return v.May(bonafide.ScopeCasesWrite)
}

// Bounds of the page.
const (
	caseComplaints = 60
	caseSteps      = 200
	caseNews       = 20
	mergeMost      = 100
)

// More is how many complaints the page does not name.
func (p *casePage) More() int { return max(0, len(p.All)-caseComplaints) }

// Some are the complaints that the page names.
func (p *casePage) Some() []string { return p.All[:min(len(p.All), caseComplaints)] }

// Offer are the complaints that forms offer.
func (p *casePage) Offer() []string { return p.All[:min(len(p.All), 500)] }

// Texts are the items that a redacted copy can be made of here.
func (p *casePage) Texts() []itemRow {
	return slices.DeleteFunc(slices.Clone(p.Items), func(i itemRow) bool { return !i.Text || i.Erased })
}

// Currency is the one that a loss is likely to be in.
func (p *casePage) Currency() string {
	if n := len(p.Losses); n > 0 {
		return p.Losses[n-1].Amount.Currency
	}
	return "CNY"
}

// Lists that the forms of a case choose from.
func (*casePage) Roles() []bonafide.PartyRole                { return bonafide.PartyRoles }
func (*casePage) LossKinds() []string                        { return bonafide.LossKinds }
func (*casePage) Recipients() []string                       { return bonafide.Recipients }
func (*casePage) Categories() []string                       { return bonafide.ItemCategories }
func (*casePage) Variants() []string                         { return sealVariants }
func (*casePage) Purposes() []string                         { return itemPurposes }
func (*casePage) Records() []string                          { return itemRecords }
func (*casePage) IdentifierKinds() []bonafide.IdentifierKind { return bonafide.IdentifierKinds }
func (*casePage) AllScenarios() []casefile.Scenario          { return casefile.Scenarios() }

func (k *Console) oneCase(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx, id := r.Context(), r.PathValue("id")
	if !bonafide.ValidID(id) {
		return errNoCase
	}
	// The look is logged first, by itself: what the page shows takes a while to read, and
	// nobody else has to wait with writing meanwhile.
	err := k.looked(ctx, who, "case", id, "", func(tx *store.Tx) error { _, err := tx.Case(ctx, who.tenant, id); return err })
	if err != nil {
		return err
	}
	var p *casePage
	err = k.Store.View(ctx, func(tx *store.Tx) (err error) {
		p, err = k.readCase(ctx, tx, who, id)
		return err
	})
	if err != nil {
		return err
	}
	return k.ok(w, r, who, "case", p)
}

// readCase reads everything that the page of a case shows.
func (k *Console) readCase(ctx context.Context, tx *store.Tx, who *visit, id string) (*casePage, error) {
	row, err := tx.Case(ctx, who.tenant, id)
	if err != nil {
		return nil, err
	}
	p := &casePage{CaseRow: row, Write: who.May(bonafide.ScopeCasesWrite), Decide: who.May(bonafide.ScopeCasesDecide)}
	p.Open = row.Case.Into == ""
	if row.Stage != bonafide.StageClosed {
		p.Due, p.Runs = row.Case.Due()
	}
	if p.People, err = tx.People(ctx, who.tenant); err != nil {
		return nil, err
	}
	p.Names = map[string]string{}
	for _, one := range p.People {
		p.Names["person:"+one.ID], p.Names[one.ID] = one.Name, one.Name
	}
	p.People = slices.DeleteFunc(p.People, func(one bonafide.Person) bool {
		return !one.Disabled.IsZero() || !one.Actor().May(bonafide.ScopeCasesRead)
	})
	facts, err := k.Cases.CaseFacts(ctx, tx, who.tenant, row)
	if err != nil {
		return nil, err
	}
	p.Untested, p.Upheld = facts.Untested, facts.Upheld
	for _, read := range []func(context.Context, *store.Tx, *visit, *casePage) error{
		k.readSubjects, k.readMethods, k.readItems, k.readHistory, k.readRelated,
	} {
		if err := read(ctx, tx, who, p); err != nil {
			return nil, err
		}
	}
	k.layOut(who, p)
	p.moves(who, facts, k.Now())
	if row.Pending != nil && row.Pending.What == "lift-hold" {
		p.HoldBy, p.HoldMine = who.actorName(p.Names, row.Pending.By), row.Pending.By == who.actor.ID
	}
	return p, nil
}

// moves lists what the stage allows, with what is lacking.
func (p *casePage) moves(who *visit, facts casefile.Facts, now time.Time) {
	if p.Case.Into != "" {
		return // it goes on in the other
	}
	for _, m := range p.Stage.Moves() {
		row := moveRow{
			Move: m, To: p.Stage.To(m), Lacks: casefile.Lacks(&p.Case, m, facts, now), Two: casefile.NeedsTwo(m), May: who.mayMove(m),
			Reason: casefile.NeedsReason(m), Number: casefile.NeedsNumber(m), Dated: casefile.Dated(m), Innocent: m == bonafide.MoveReview || m == bonafide.MoveDrop,
		}
		if d := p.Pending; d != nil && d.What == string(m) {
			row.First, row.Other = who.actorName(p.Names, d.By), d.By == who.actor.ID
		}
		row.Other = row.Other || m == bonafide.MovePrepare && p.AskedBy == who.actor.ID
		p.Moves = append(p.Moves, row)
	}
}

// readSubjects reads what the case is about.
func (k *Console) readSubjects(ctx context.Context, tx *store.Tx, who *visit, p *casePage) error {
	for _, id := range p.Case.Rings {
		r, err := tx.Ring(ctx, who.tenant, id)
		if errors.Is(err, bonafide.NotFound) {
			p.Rings = append(p.Rings, ringLink{ID: id, Gone: true})
			continue
		}
		if err != nil {
			return err
		}
		p.Rings = append(p.Rings, ringLink{ID: id, Level: r.Level, State: r.State, Size: r.Size})
	}
	p.Complaints = p.Case.Complaints
	var err error
	p.All, err = k.Cases.ComplaintsOfCase(ctx, tx, who.tenant, &p.Case)
	return err
}

// readMethods reads how the complaints of the case work.
func (k *Console) readMethods(ctx context.Context, tx *store.Tx, who *visit, p *casePage) error {
	methods, months, adverts, fed, err := k.Cases.AnalyseCase(ctx, tx, who.tenant, &p.Case)
	if err != nil {
		return err
	}
	for _, m := range methods {
		p.Methods = append(p.Methods, methodRow{m, slices.Contains(p.Case.Scenarios, m.Scenario)})
	}
	p.Months = months
	for _, a := range adverts {
		p.Adverts = append(p.Adverts, feedRow{a, fed[a.ID], slices.Contains(p.Case.Adverts, a.ID)})
	}
	return nil
}

// readItems reads the items in custody, and the packs.
func (k *Console) readItems(ctx context.Context, tx *store.Tx, who *visit, p *casePage) error {
	items, err := tx.Items(ctx, who.tenant, p.ID)
	if err != nil {
		return err
	}
	number := map[string]int{}
	for _, i := range items {
		number[i.ID] = i.Number
		kind, _, _ := strings.Cut(i.MIME, ";")
		p.Items = append(p.Items, itemRow{i, who.actorName(p.Names, i.By), number[i.Parent], strings.HasPrefix(kind, "text/") || kind == "application/json"})
	}
	for _, o := range casefile.Offences() {
		row := offenceRow{Offence: o, Yes: slices.Contains(p.Case.Offences, string(o.ID))}
		for _, e := range o.Elements {
			el := elementRow{Element: e}
			for _, x := range p.Case.Exhibits {
				if x.Offence == string(o.ID) && x.Element == e.ID {
					el.Exhibits = append(el.Exhibits, exhibitRow{x, number[x.Item]})
				}
			}
			row.Elements = append(row.Elements, el)
		}
		p.Offences = append(p.Offences, row)
	}
	for _, h := range p.Case.Handovers {
		line := handLine{Handover: h, Who: who.actorName(p.Names, h.By)}
		for _, id := range h.Items {
			line.Numbers = append(line.Numbers, number[id])
		}
		p.Handovers = append(p.Handovers, line)
	}
	p.Seals, err = tx.Seals(ctx, who.tenant, p.ID, "")
	return err
}

// readHistory reads what was done and decided, the last first.
func (k *Console) readHistory(ctx context.Context, tx *store.Tx, who *visit, p *casePage) error {
	steps, err := tx.CaseSteps(ctx, who.tenant, p.ID)
	if err != nil {
		return err
	}
	for _, s := range slices.Backward(steps) {
		line := stepLine{CaseStep: s, Who: who.actorName(p.Names, s.By)}
		if s.Second != "" {
			line.Second = who.actorName(p.Names, s.Second)
		}
		switch s.What {
		case "assign", "group":
			line.Whom, line.Reason = p.Names[s.Reason], ""
		}
		p.History = append(p.History, line)
		if len(p.History) == caseSteps {
			break
		}
	}
	return nil
}

// readRelated reads the cases that this one came of or went into, and those that it may be
// merged with.
func (k *Console) readRelated(ctx context.Context, tx *store.Tx, who *visit, p *casePage) error {
	of := func(id string) (*caseLink, error) {
		if id == "" {
			return nil, nil
		}
		row, err := tx.Case(ctx, who.tenant, id)
		if errors.Is(err, bonafide.NotFound) {
			return nil, nil
		}
		return &caseLink{row.ID, row.Number, row.Title, row.Stage}, err
	}
	var err error
	if p.Into, err = of(p.Case.Into); err != nil {
		return err
	}
	if p.From, err = of(p.Case.From); err != nil || !p.Write || !mergeable(p.Stage) {
		return err
	}
	rows, err := tx.Cases(ctx, who.tenant, store.CaseFilter{Open: true, Limit: mergeMost})
	for _, row := range rows {
		if row.ID != p.ID && mergeable(row.Stage) {
			p.Others = append(p.Others, caseLink{row.ID, row.Number, row.Title, row.Stage})
		}
	}
	return err
}

// mergeable reports whether a case was not reported yet.
func mergeable(s bonafide.Stage) bool {
	switch s {
	case bonafide.StageClue, bonafide.StageOpened, bonafide.StagePreserving, bonafide.StageLegalReview, bonafide.StagePrepared:
		return true
	}
	return false
}

// Mergeable reports whether the case may be merged with another.
func (p *casePage) Mergeable() bool { return p.Open && mergeable(p.Stage) }

// layOut puts what the case says itself in the form of the page.
func (k *Console) layOut(who *visit, p *casePage) {
	now := k.Now()
	for _, s := range casefile.Scenarios() {
		p.Scenarios = append(p.Scenarios, choice{s.ID, slices.Contains(p.Case.Scenarios, s.ID)})
	}
	for _, one := range p.Case.Parties {
		row := partyRow{Party: one}
		if i := slices.IndexFunc(p.Case.Parties, func(q bonafide.Party) bool { return q.ID == one.Under }); one.Under != "" && i >= 0 {
			row.Boss = &p.Case.Parties[i]
		}
		p.Parties = append(p.Parties, row)
	}
	totals := casefile.Totals(p.Losses)
	for _, kind := range bonafide.LossKinds {
		for _, currency := range sortedKeys(totals[kind]) {
			p.Totals = append(p.Totals, totalRow{kind, currency, totals[kind][currency]})
		}
	}
	for _, t := range p.Case.Tasks {
		line := taskLine{CaseTask: t, Who: who.actorName(p.Names, t.DoneBy), Late: t.Done.IsZero() && !t.Due.IsZero() && now.After(t.Due)}
		if kind, ok := strings.CutPrefix(t.Template, "watch."); ok {
			line.Kind, line.New = kind, strings.Split(t.Text, ", ")
			line.New = line.New[:min(len(line.New), caseNews)]
		}
		if !t.Done.IsZero() {
			p.Closed++
		}
		p.Tasks = append(p.Tasks, line)
	}
	slices.SortStableFunc(p.Tasks, func(a, b taskLine) int { // what is to be done first
		return boolOrder(!a.Done.IsZero(), !b.Done.IsZero())
	})
	for _, c := range p.Case.Clocks {
		period, _ := casefile.PeriodOf(c.Name)
		row := periodRow{CaseClock: c, Period: period, Runs: c.Met.IsZero() && p.Stage != bonafide.StageClosed}
		if row.Runs {
			row.Days, row.Near, row.Past, _ = k.dueSoon(c)
		}
		p.Clocks = append(p.Clocks, row)
	}
	for _, q := range p.Case.Requests {
		line := requestLine{MaterialRequest: q, Who: who.actorName(p.Names, q.By)}
		if q.Answered.IsZero() {
			line.Late = now.After(q.Due)
			line.Near = !line.Late && k.Clocks.DaysLeft(q.Due, now) <= nearDays
		}
		p.Requests = append(p.Requests, line)
	}
	for _, one := range p.Case.Watches {
		line := watchLine{Watch: one, Name: shortID(one.Value)}
		for _, a := range p.Adverts {
			if one.Kind == "advert" && a.ID == one.Value {
				line.Name = cut(clean(a.Where), 80)
			}
		}
		p.Watches = append(p.Watches, line)
	}
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func sortedKeys(m map[string]int64) []string {
	var out []string
	for key := range m {
		out = append(out, key)
	}
	slices.Sort(out)
	return out
}

// PersonName names a person by id.
func (p *casePage) PersonName(id string) string { return p.Names[id] }

// Kept reports whether an item is there that can be named in a form.
func (p *casePage) Kept() []itemRow {
	return slices.DeleteFunc(slices.Clone(p.Items), func(i itemRow) bool { return i.Erased })
}

// StepWord says what was done in a case.
func (g tongue) StepWord(what string) string {
	for _, prefix := range []string{"casestep.", "move."} {
		if g.Has(prefix + what) {
			return g.T(prefix + what)
		}
	}
	return clean(what)
}

// StepAbout says what of a step is a word of the program's own.
func (g tongue) StepAbout(s stepLine) string {
	switch s.What {
	case "scenario":
		if scenario, ok := casefile.ScenarioOf(s.Reason); ok {
			return g.coded(s.Reason, scenario.Title)
		}
	case "offence":
		return g.OffenceName(s.Reason)
	case "party":
		return g.known("partyrole.", s.Reason)
	case "loss":
		return g.known("loss.", s.Reason)
	case "handover", "request":
		return g.known("recipient.", s.Reason)
	case "watch":
		return g.known("watch.", s.Reason)
	case "exhibit", "exhibit-remove":
		return g.ElementName(s.Reason)
	}
	return ""
}

// known is a word of a list, else what it was.
func (g tongue) known(prefix, word string) string {
	if g.Has(prefix + word) {
		return g.T(prefix + word)
	}
	return clean(word)
}

// ItemNote says something that was found about a file.
func (g tongue) ItemNote(n bonafide.Remark) string {
	if !g.Has("remark." + n.Code) {
		return clean(n.Code)
	}
	return g.T("remark."+n.Code, clean(n.Value))
}

// Sign says by what a scenario shows.
func (g tongue) Sign(s casefile.Sign) string {
	about := clean(s.About)
	switch s.Code {
	case "criterion":
		if g.Has("say.rule." + about) {
			about = g.T("say.rule." + about)
		}
	case "fact":
		about = g.Fact(about)
	case "thing":
		about = g.known("kind.", about)
	}
	if !g.Has("sign." + s.Code) {
		return about
	}
	return g.T("sign."+s.Code, s.Count, about)
}
