package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"bonafide"
	"bonafide/casefile"
	"bonafide/store"
)

// errOtherRole is said where the route is open to a role and what it asks for is not.
var errOtherRole = &bonafide.Error{Kind: bonafide.Denied, Msg: "this step of a case needs another role"}

// theCase reads the case of the address, to whoever may see it.
func (k *Console) theCase(r *http.Request, who *visit) (row store.CaseRow, err error) {
	ctx, id := r.Context(), r.PathValue("id")
	if !bonafide.ValidID(id) {
		return row, errNoCase
	}
	err = k.Store.View(ctx, func(tx *store.Tx) (err error) { row, err = tx.Case(ctx, who.tenant, id); return err })
	return row, err
}

// day reads a day of a form; today is now, and none is zero.
func (k *Console) day(value string) (time.Time, error) {
	value = strings.TrimSpace(value)
	zone := k.Clocks.Zone()
	if value == "" || value == k.Now().In(zone).Format(time.DateOnly) {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, value, zone)
	if err != nil || t.Year() < 1990 || t.Year() > 2200 {
		return t, &bonafide.Error{Kind: bonafide.Invalid, Msg: "a date is not one such as 2026-11-23"}
	}
	return t.Add(12 * time.Hour).UTC(), nil
}

// moveCase moves a case along. What the engine refuses for want of something is said in
// the reader's words: see fail.
func (k *Console) moveCase(w http.ResponseWriter, r *http.Request, who *visit) error {
	row, err := k.theCase(r, who)
	if err != nil {
		return err
	}
	act := casefile.Act{Move: bonafide.Move(r.PostFormValue("move"))}
	if !who.mayMove(act.Move) {
		return errOtherRole
	}
	if act.Reason, err = words(r, "reason"); err != nil {
		return err
	}
	if act.Innocent, err = words(r, "innocent"); err != nil {
		return err
	}
	if act.Number, err = oneLine(r, "number"); err != nil {
		return err
	}
	if act.Date, err = k.day(r.PostFormValue("date")); err != nil {
		return err
	}
	if err := k.couldMove(row, act); err != nil {
		return err
	}
	if err := k.Cases.MoveCase(r.Context(), who.tenant, who.actor, row.ID, version(r), act); err != nil {
		return err
	}
	key := "case-moved"
	if casefile.NeedsTwo(act.Move) && (row.Pending == nil || row.Pending.What != string(act.Move)) {
		key = "case-first"
	}
	return done(w, r, caseAt(row.ID), key)
}

// couldMove says in words of its own what the form of a move lacks, and what its stage does
// not allow.
func (k *Console) couldMove(row store.CaseRow, act casefile.Act) error {
	wrong := func(msg string) error { return &bonafide.Error{Kind: bonafide.Invalid, Msg: msg} }
	switch {
	case row.Case.Into != "":
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: "the case is part of another now: it goes on there"}
	case !row.Stage.Can(act.Move):
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: "the case does not stand where this is possible: look at it again"}
	case casefile.NeedsReason(act.Move) && act.Reason == "":
		return wrong("say why: this step needs its reason")
	case casefile.NeedsNumber(act.Move) && act.Number == "":
		return wrong("give the number that stands on the authority's paper")
	case (act.Move == bonafide.MoveReview || act.Move == bonafide.MoveDrop) && act.Innocent == "":
		return wrong("say which innocent explanations were tested, and how")
	case act.Date.After(k.Now().Add(24 * time.Hour)):
		return wrong("the date of the paper lies in the future")
	case !act.Date.IsZero() && act.Date.Before(row.Since.AddDate(0, 0, -400)):
		return wrong("the date of the paper lies more than a year before the last step")
	}
	return nil
}

// A changeForm reads the fields of one kind of change.
type changeForm struct {
	k   *Console
	r   *http.Request
	err error
}

// words reads a field that people write in.
func (f *changeForm) words(field string) string {
	s, err := words(f.r, field)
	if f.err == nil {
		f.err = err
	}
	return s
}

// line reads a field of one line.
func (f *changeForm) line(field string) string {
	s, err := oneLine(f.r, field)
	if f.err == nil {
		f.err = err
	}
	return s
}

// day reads a day.
func (f *changeForm) day(field string) time.Time {
	t, err := f.k.day(f.r.PostFormValue(field))
	if f.err == nil {
		f.err = err
	}
	return t
}

// due reads a day until whose end there is time.
func (f *changeForm) due(field string) time.Time {
	value := strings.TrimSpace(f.r.PostFormValue(field))
	if value == "" {
		return time.Time{}
	}
	t, err := time.ParseInLocation(time.DateOnly, value, f.k.Clocks.Zone())
	if (err != nil || t.Year() < 1990 || t.Year() > 2200) && f.err == nil {
		f.err = &bonafide.Error{Kind: bonafide.Invalid, Msg: "a date is not one such as 2026-11-23"}
	}
	return t.AddDate(0, 0, 1).Add(-time.Second).UTC()
}

func (f *changeForm) value(field string) string { return strings.TrimSpace(f.r.PostFormValue(field)) }

func (f *changeForm) on() bool { return f.value("on") == "yes" }

// identifiers reads rows of a kind and a value.
func identifiers(v url.Values) []bonafide.Identifier {
	var out []bonafide.Identifier
	for i, value := range v["value"] {
		if value = strings.Join(strings.Fields(clean(value)), " "); value != "" && i < len(v["idkind"]) {
			out = append(out, bonafide.Identifier{Kind: bonafide.IdentifierKind(v["idkind"][i]), Value: value})
		}
	}
	return out
}

// changes read the form of each kind of change.
var changes = map[string]func(f *changeForm, c *casefile.Change){
	"note":           func(f *changeForm, c *casefile.Change) { c.Text = f.words("text") },
	"title":          func(f *changeForm, c *casefile.Change) { c.Text = f.line("text") },
	"assign":         func(f *changeForm, c *casefile.Change) { c.Name = f.value("name") },
	"group":          named,
	"gang":           func(f *changeForm, c *casefile.Change) { c.On, c.Text = f.on(), f.words("text") },
	"link":           linked,
	"unlink":         linked,
	"scenario":       named,
	"offence":        named,
	"party":          partyForm,
	"party-remove":   byID,
	"loss":           lossForm,
	"loss-remove":    byID,
	"exhibit":        exhibitForm,
	"exhibit-remove": exhibitForm,
	"task":           func(f *changeForm, c *casefile.Change) { c.Text, c.Task.Due = f.words("text"), f.due("due") },
	"task-done":      func(f *changeForm, c *casefile.Change) { c.ID, c.Text = f.value("of"), f.words("text") },
	"handover":       handoverForm,
	"request":        requestForm,
	"answer":         func(f *changeForm, c *casefile.Change) { c.ID, c.Text = f.value("of"), f.words("text") },
	"watch":          linked,
	"watch-remove":   byID,
	"merit":          func(f *changeForm, c *casefile.Change) { c.Name, c.Text = f.value("name"), f.words("text") },
	"hold":           func(*changeForm, *casefile.Change) {},
	"lift-hold":      func(f *changeForm, c *casefile.Change) { c.Text = f.words("text") },
}

func named(f *changeForm, c *casefile.Change) { c.Name, c.On = f.value("name"), f.on() }

func byID(f *changeForm, c *casefile.Change) { c.ID = f.value("of") }

// linked reads what is linked or watched: in two fields, or in one as "ring 01J…".
func linked(f *changeForm, c *casefile.Change) {
	c.Kind, c.Name = f.value("kind"), f.value("name")
	if kind, name, ok := strings.Cut(f.value("target"), " "); ok {
		c.Kind, c.Name = kind, name
	}
	if c.Name != "" && !bonafide.ValidID(c.Name) && f.err == nil {
		f.err = &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such thing"}
	}
}

func partyForm(f *changeForm, c *casefile.Change) {
	c.ID = f.value("of")
	c.Party = bonafide.Party{
		Role: bonafide.PartyRole(f.value("role")), Organisation: f.value("organisation") == "yes", Name: f.line("name"), Complaint: f.value("complaint"),
		Under: f.value("under"), Basis: f.words("basis"), Identifiers: identifiers(f.r.PostForm),
	}
}

func lossForm(f *changeForm, c *casefile.Change) {
	minor, ok := minorOf(f.value("amount"))
	if !ok && f.err == nil {
		f.err = &bonafide.Error{Kind: bonafide.Invalid, Msg: "the amount is not one such as 1200.50"}
	}
	c.Loss = bonafide.Loss{
		Kind: f.value("kind"), Complaint: f.value("complaint"), Basis: f.words("basis"),
		Amount: bonafide.Amount{Minor: minor, Currency: strings.ToUpper(f.value("currency"))},
	}
	if id := c.Loss.Complaint; id != "" && !bonafide.ValidID(id) && f.err == nil {
		f.err = &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such complaint"}
	}
	if slices.ContainsFunc([]rune(c.Loss.Amount.Currency), func(r rune) bool { return r < 'A' || r > 'Z' }) && f.err == nil {
		f.err = &bonafide.Error{Kind: bonafide.Invalid, Msg: "amount: more than nothing, with a currency of three letters"}
	}
}

func exhibitForm(f *changeForm, c *casefile.Change) {
	offence, element, _ := strings.Cut(f.value("element"), ".")
	c.Exhibit = bonafide.Exhibit{Offence: offence, Element: element, Item: f.value("item"), Note: f.words("text")}
}

func handoverForm(f *changeForm, c *casefile.Change) {
	h := bonafide.Handover{To: f.value("to"), Unit: f.line("unit"), Person: f.line("person"), Receipt: f.line("receipt"), At: f.day("at"), Items: slices.Clone(f.r.PostForm["item"])}
	if variant, n, ok := strings.Cut(f.value("seal"), " "); ok {
		h.Variant = variant
		h.Seal, _ = strconv.Atoi(n)
	}
	c.Handover = h
}

func requestForm(f *changeForm, c *casefile.Change) {
	c.Request = bonafide.MaterialRequest{From: f.value("from"), What: f.words("text"), Asked: f.day("asked"), Due: f.due("due")}
}

// changeCase writes something into a case.
func (k *Console) changeCase(w http.ResponseWriter, r *http.Request, who *visit) error {
	row, err := k.theCase(r, who)
	if err != nil {
		return err
	}
	c := casefile.Change{What: r.PostFormValue("what")}
	may := who.May(bonafide.ScopeCasesWrite) || c.What == "lift-hold" && who.May(bonafide.ScopeCasesDecide)
	if !may {
		return errOtherRole
	}
	read := changes[c.What]
	if read == nil {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "what: not something that can be written into a case"}
	}
	f := &changeForm{k: k, r: r}
	read(f, &c)
	if f.err != nil {
		return f.err
	}
	if err := k.Cases.ChangeCase(r.Context(), who.tenant, who.actor, row.ID, version(r), c); err != nil {
		return err
	}
	key := "saved"
	if c.What == "lift-hold" && (row.Pending == nil || row.Pending.What != c.What) {
		key = "case-first"
	}
	return doneAt(w, r, row.ID, sections[c.What], key)
}

// doneAt answers a form of a case: the browser goes to the part of its page that it stood in.
func doneAt(w http.ResponseWriter, r *http.Request, id, section, key string) error {
	http.Redirect(w, r, caseAt(id)+"?done="+key+"#"+section, http.StatusSeeOther)
	return nil
}

// sections are the parts of the page that a change is seen in.
var sections = map[string]string{
	"note": "history", "title": "about", "assign": "people", "group": "people", "gang": "methods", "link": "about", "unlink": "about", "scenario": "methods", "offence": "offences",
	"party": "parties", "party-remove": "parties", "loss": "losses", "loss-remove": "losses", "exhibit": "offences", "exhibit-remove": "offences", "task": "tasks", "task-done": "tasks",
	"handover": "handovers", "request": "requests", "answer": "requests", "watch": "watches", "watch-remove": "watches", "merit": "merit", "lift-hold": "hold", "hold": "hold",
}

// mergeCase puts another case into this one, which stays.
func (k *Console) mergeCase(w http.ResponseWriter, r *http.Request, who *visit) error {
	row, err := k.theCase(r, who)
	if err != nil {
		return err
	}
	reason, err := words(r, "reason")
	if err != nil {
		return err
	}
	from := r.PostFormValue("from")
	if !bonafide.ValidID(from) {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "merge: name another case, and the reason"}
	}
	if err := k.Cases.MergeCases(r.Context(), who.tenant, who.actor, row.ID, from, reason); err != nil {
		return err
	}
	return done(w, r, caseAt(row.ID), "case-merged")
}

// splitCase takes rings and complaints out of a case into a new one.
func (k *Console) splitCase(w http.ResponseWriter, r *http.Request, who *visit) error {
	row, err := k.theCase(r, who)
	if err != nil {
		return err
	}
	reason, err := words(r, "reason")
	if err != nil {
		return err
	}
	rings, complaints, _, err := subjects(r.PostForm)
	if err != nil {
		return err
	}
	id, err := k.Cases.SplitCase(r.Context(), who.tenant, who.actor, row.ID, version(r), rings, complaints, reason)
	if err != nil {
		return err
	}
	return done(w, r, caseAt(id), "case-split")
}
