package contact

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"bonafide"
)

//go:embed checklists/*.toml
var listFiles embed.FS

// A Checklist is the least material that a demand needs where certain rules apply.
type Checklist struct {
	ID           string  `json:"id"`           // "cn-nfra/overcharge"
	Jurisdiction string  `json:"jurisdiction"` // a pack of complaint rules, or "any"
	Demand       string  `json:"demand"`
	Titles       Texts   `json:"titles"`
	Items        []Item  `json:"items"`
	Never        []Texts `json:"never"` // what is never asked for
	Rule         string  `json:"rule"`  // by which what the lender holds is not asked for
}

// An Item is one thing that may be asked for.
type Item struct {
	ID     string `toml:"id" json:"id"`
	Titles Texts  `toml:"titles" json:"titles"`
	Why    Texts  `toml:"why" json:"why"` // told to the customer
	Basis  string `toml:"basis" json:"basis"`
	HeldBy string `toml:"held_by" json:"held_by,omitempty"` // what the lender holds that strikes it off: one of Holdings
}

// Holdings are what a lender may hold, by which an item is struck off.
var Holdings = []string{
	"contract", "statements", "payment-history", "id-copy", "call-log", "call-recording", "credit-report", "authority", "customer-record", "settlement",
}

// jurisdictions are those with checklists of their own, the last for all others.
var jurisdictions = []string{"cn-nfra", "us-cfpb", "uk-disp", "in-rbi", "any"}

// Demands lists what a customer may ask for, as checklists tell it apart.
func Demands() []string {
	return []string{"overcharge", "calls", "hardship", "credit-record", "identity-theft", "representation", "settlement", "other"}
}

// listFile is the checklists of one jurisdiction as written.
type listFile struct {
	Jurisdiction string            `toml:"jurisdiction"`
	Titles       Texts             `toml:"titles"`
	Rule         string            `toml:"rule"`
	Never        []Texts           `toml:"never"`
	Basis        map[string]string `toml:"basis"` // of an item, instead of the one it has everywhere
	Items        []Item            `toml:"item"`
	Checklists   []struct {
		Demand string   `toml:"demand"`
		Titles Texts    `toml:"titles"`
		Items  []string `toml:"items"`
		Never  []Texts  `toml:"never"`
	} `toml:"checklist"`
}

// readLists reads the checklists of a file. items are those that stand elsewhere;
// the file's own are added to them.
func readLists(text []byte, items map[string]Item) (map[string]Checklist, error) {
	var f listFile
	if err := decode(text, maxScript, &f); err != nil {
		return nil, err
	}
	if !slices.Contains(jurisdictions, f.Jurisdiction) {
		return nil, at("jurisdiction", "%q: only %s", f.Jurisdiction, strings.Join(jurisdictions, ", "))
	}
	if f.Rule == "" {
		return nil, at("rule", "missing: by which what is held is not asked for")
	}
	if err := whole("titles", f.Titles); err != nil {
		return nil, err
	}
	if err := wholes("never", f.Never); err != nil {
		return nil, err
	}
	for _, it := range f.Items {
		field := "item." + it.ID
		if !ids.MatchString(it.ID) || items[it.ID].ID != "" {
			return nil, at(field+".id", "must be words of a to z and digits, joined by hyphens, and its own")
		}
		if it.Basis == "" {
			return nil, at(field+".basis", "missing")
		}
		if it.HeldBy != "" && !slices.Contains(Holdings, it.HeldBy) {
			return nil, at(field+".held_by", "%q: only %s", it.HeldBy, strings.Join(Holdings, ", "))
		}
		if err := whole(field+".titles", it.Titles); err != nil {
			return nil, err
		}
		if err := whole(field+".why", it.Why); err != nil {
			return nil, err
		}
		items[it.ID] = it
	}
	for id, basis := range f.Basis {
		if items[id].ID == "" || basis == "" {
			return nil, at("basis."+id, "names no item, or is empty")
		}
	}
	out := map[string]Checklist{}
	for _, l := range f.Checklists {
		field := "checklist." + l.Demand
		if _, twice := out[l.Demand]; twice || !slices.Contains(Demands(), l.Demand) {
			return nil, at(field+".demand", "stands twice, or is none of %s", strings.Join(Demands(), ", "))
		}
		if err := whole(field+".titles", l.Titles); err != nil {
			return nil, err
		}
		if err := wholes(field+".never", l.Never); err != nil {
			return nil, err
		}
		c := Checklist{
			ID: f.Jurisdiction + "/" + l.Demand, Jurisdiction: f.Jurisdiction, Demand: l.Demand, Titles: l.Titles, Rule: f.Rule,
			Never: slices.Concat(f.Never, l.Never),
		}
		for _, id := range l.Items {
			it, ok := items[id]
			if !ok || c.item(id) != nil {
				return nil, at(field+".items", "%q is no item, or stands twice", id)
			}
			if basis := f.Basis[id]; basis != "" {
				it.Basis = basis
			}
			c.Items = append(c.Items, it)
		}
		out[l.Demand] = c
	}
	return out, nil
}

// lists reads the checklists of the binary once. That they are sound is tested.
var lists = sync.OnceValue(func() map[string]map[string]Checklist {
	out := map[string]map[string]Checklist{}
	items := map[string]Item{}
	read := func(jurisdiction string) {
		text, err := listFiles.ReadFile("checklists/" + jurisdiction + ".toml")
		if err != nil {
			panic(err)
		}
		all, err := readLists(text, items)
		if err != nil {
			panic(fmt.Sprintf("%s.toml: %v", jurisdiction, err))
		}
		out[jurisdiction] = all
	}
	read("any") // the items stand there
	for _, j := range jurisdictions {
		if j != "any" {
			read(j)
		}
	}
	return out
})

// For returns the checklist of a jurisdiction and a demand. Where the jurisdiction
// has none, that for any applies; an unknown demand is "other".
func For(jurisdiction, demand string) Checklist {
	if !slices.Contains(Demands(), demand) {
		demand = "other"
	}
	if c, ok := lists()[jurisdiction][demand]; ok {
		return c
	}
	return lists()["any"][demand]
}

// item returns an item by its id, or nil.
func (c Checklist) item(id string) *Item {
	i := slices.IndexFunc(c.Items, func(it Item) bool { return it.ID == id })
	if i < 0 {
		return nil
	}
	return &c.Items[i]
}

// A Line is one item of a checklist for one customer.
type Line struct {
	Item   Item   `json:"item"`
	Struck bool   `json:"struck,omitempty"` // the lender holds it: it must not be asked for
	Rule   string `json:"rule,omitempty"`   // why it is struck off
}

// Least returns every item, and which of them are struck off because of what the
// lender holds.
func (c Checklist) Least(held map[string]bool) []Line {
	out := make([]Line, 0, len(c.Items))
	for _, it := range c.Items {
		l := Line{Item: it}
		if it.HeldBy != "" && held[it.HeldBy] {
			l.Struck, l.Rule = true, c.Rule
		}
		out = append(out, l)
	}
	return out
}

// A Request is one item that the customer was asked for.
type Request struct {
	Item       string    `json:"item"`
	AskedBy    string    `json:"asked_by"` // Actor.ID
	Asked      time.Time `json:"asked"`
	Due        time.Time `json:"due"` // a wish to the customer: nothing ends when it passes
	Received   time.Time `json:"received,omitzero"`
	ReceivedBy string    `json:"received_by,omitempty"`
	Waived     bool      `json:"waived,omitempty"` // no longer needed
}

// Open reports whether the item is neither received nor waived.
func (r Request) Open() bool { return r.Received.IsZero() && !r.Waived }

// Material is what the customer was asked for in one complaint. The complaint never
// waits for it.
type Material struct {
	Demand   string    `json:"demand"`
	Requests []Request `json:"requests,omitempty"`
}

// request returns the latest request for an item, or nil.
func (m *Material) request(item string) *Request {
	for i := len(m.Requests) - 1; i >= 0; i-- {
		if m.Requests[i].Item == item {
			return &m.Requests[i]
		}
	}
	return nil
}

// Ask notes that an item is asked for. What the lender holds, what is not on the
// list, and what was asked for before are errors: of kind Denied, Invalid and
// Conflict.
func (m *Material) Ask(list Checklist, held map[string]bool, item, by string, now, due time.Time) error {
	it := list.item(item)
	switch {
	case it == nil:
		return invalid("item: %q is not on the list %s: no more than the least is asked for", item, list.ID)
	case it.HeldBy != "" && held[it.HeldBy]:
		return &bonafide.Error{Kind: bonafide.Denied, Msg: fmt.Sprintf("item: %s must not be asked for: the lender holds it (%s). %s", item, it.HeldBy, list.Rule)}
	case m.request(item) != nil:
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: fmt.Sprintf("item: %s was asked for before: nobody is asked twice", item)}
	case by == "":
		return invalid("by: missing: say who asks")
	case now.IsZero() || !due.After(now):
		return invalid("due: must lie after the day of asking")
	}
	m.Demand = list.Demand
	m.Requests = append(m.Requests, Request{Item: item, AskedBy: by, Asked: now, Due: due})
	return nil
}

// Receive notes that an item came in.
func (m *Material) Receive(item, by string, now time.Time) error {
	r := m.request(item)
	switch {
	case r == nil:
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: fmt.Sprintf("item: %q was not asked for", item)}
	case !r.Received.IsZero():
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: fmt.Sprintf("item: %s was received before", item)}
	case by == "":
		return invalid("by: missing: say who received it")
	case now.Before(r.Asked):
		return invalid("received: before it was asked for")
	}
	r.Received, r.ReceivedBy = now, by
	return nil
}

// Waive notes that an item is no longer needed.
func (m *Material) Waive(item string) error {
	r := m.request(item)
	if r == nil {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: fmt.Sprintf("item: %q was not asked for", item)}
	}
	if !r.Received.IsZero() {
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: fmt.Sprintf("item: %s was received already", item)}
	}
	r.Waived = true
	return nil
}

// Missing returns what was asked for until now and has not come in, in the order in
// which it was asked for.
func (m *Material) Missing(now time.Time) []Request {
	var out []Request
	for _, r := range m.Requests {
		if r.Open() && !r.Asked.After(now) {
			out = append(out, r)
		}
	}
	return out
}

// demandWords say which demand a word of a complaint's structured list is.
var demandWords = map[string]string{
	"overcharge": "overcharge", "refund": "overcharge", "refund fees": "overcharge", "refund interest": "overcharge", "interest": "overcharge", "fees": "overcharge", "fee": "overcharge",
	"退款": "overcharge", "退费": "overcharge", "退息": "overcharge", "利息": "overcharge", "费用": "overcharge", "减免利息": "overcharge",
	"reembolso": "overcharge", "devolução": "overcharge", "juros": "overcharge", "tarifas": "overcharge",
	"calls": "calls", "stop calls": "calls", "collection": "calls", "harassment": "calls", "停止催收": "calls", "催收": "calls", "骚扰": "calls", "cobrança": "calls", "ligações": "calls", "parar ligações": "calls",
	"hardship": "hardship", "instalments": "hardship", "installments": "hardship", "defer": "hardship", "deferral": "hardship", "stop interest": "hardship", "payment plan": "hardship",
	"分期": "hardship", "延期": "hardship", "延期还款": "hardship", "停息": "hardship", "parcelamento": "hardship", "parcelas": "hardship", "prazo": "hardship",
	"credit record": "credit-record", "credit report": "credit-record", "delete record": "credit-record", "correct record": "credit-record",
	"征信": "credit-record", "征信更正": "credit-record", "征信异议": "credit-record", "cadastro de crédito": "credit-record",
	"identity theft": "identity-theft", "not mine": "identity-theft", "冒名": "identity-theft", "冒名贷款": "identity-theft", "fraude de identidade": "identity-theft",
	"representation": "representation", "representative": "representation", "代理": "representation", "representação": "representation",
	"settlement": "settlement", "agreement": "settlement", "和解": "settlement", "协议": "settlement", "acordo": "settlement",
}

// Demand returns the demand of a complaint's structured list of demands: the first
// whose words are known, or "other". It looks at whole entries and never into a
// letter.
func Demand(demands []string) string {
	for _, d := range demands {
		d = strings.Join(strings.FieldsFunc(strings.ToLower(d), func(r rune) bool { return r == ' ' || r == '-' || r == '_' }), " ")
		if known := demandWords[d]; known != "" {
			return known
		}
	}
	return "other"
}

// phrases are the sentences of the letter that asks for material.
var phrases = map[string]struct{ about, none, ask, why, by, how, free, onward, never, thanks string }{
	"en": {
		about:  "About your complaint %s",
		none:   "We need nothing more from you. Your complaint goes on, and you will have our answer within the time that the rules set.",
		ask:    "To look into your complaint as well as we can, the following would help us:",
		why:    "Why: ",
		by:     "Please let us have it by %s if you can.",
		how:    "You can send it in the app, by answering the letter or message in which you received this, or bring it to a branch. A plain copy or a photograph is enough.",
		free:   "It costs nothing, and nobody needs to be paid for it. If you do not have something or would rather not give it, tell us, or leave it out: we go on with what there is.",
		onward: "Your complaint goes on meanwhile, and the time within which we must answer runs on. What we hold ourselves we do not ask you for.",
		never:  "We will never ask you for:",
		thanks: "Thank you.",
	},
	"zh": {
		about:  "关于您的投诉（编号%s）",
		none:   "我们不需要您再提供任何材料。您的投诉照常办理，我们会在规定期限内答复您。",
		ask:    "为了更好地办理您的投诉，以下内容会对我们有帮助：",
		why:    "原因：",
		by:     "如果方便，请在%s前提供。",
		how:    "您可以在应用内提交，回复本信或本消息，或者到网点提交。普通复印件或照片就可以。",
		free:   "这是免费的，不需要为此付钱给任何人。如果您没有其中某项或者不愿提供，告诉我们一声或者略过即可，我们依据现有材料继续办理。",
		onward: "您的投诉同时照常办理，答复期限照常计算。我们自己已经掌握的材料，不会再向您索要。",
		never:  "我们绝不会向您索要：",
		thanks: "谢谢。",
	},
	"pt": {
		about:  "Sobre a sua reclamação %s",
		none:   "Não precisamos de mais nada de você. Sua reclamação segue, e você terá nossa resposta no prazo das regras.",
		ask:    "Para examinar sua reclamação o melhor possível, isto nos ajudaria:",
		why:    "Por quê: ",
		by:     "Se puder, envie até %s.",
		how:    "Você pode enviar pelo aplicativo, em resposta à carta ou mensagem em que recebeu isto, ou levar a uma agência. Uma cópia simples ou uma foto basta.",
		free:   "Não custa nada, e ninguém precisa ser pago por isso. Se não tem algo ou prefere não entregar, avise ou deixe de fora: seguimos com o que houver.",
		onward: "Sua reclamação segue enquanto isso, e o prazo da nossa resposta continua a correr. O que nós mesmos temos não pedimos a você.",
		never:  "Nunca pediremos a você:",
		thanks: "Obrigado.",
	},
}

// Letter writes in plain words what is still needed and why, by when, how to hand
// it in, and that the complaint goes on meanwhile. What the lender holds is left
// out even if it was asked for. format writes a date in the letter's language.
func (m Material) Letter(c Checklist, held map[string]bool, lang, lender, complaint string, due time.Time, format func(time.Time) string) string {
	short, _, _ := strings.Cut(lang, "-")
	p, ok := phrases[short]
	if !ok {
		short, p = "en", phrases["en"]
	}
	var b strings.Builder
	fmt.Fprintf(&b, p.about+"\n\n", complaint)
	n := 0
	for _, l := range c.Least(held) {
		if r := m.request(l.Item.ID); l.Struck || r == nil || !r.Open() {
			continue
		}
		if n++; n == 1 {
			b.WriteString(p.ask + "\n\n")
		}
		fmt.Fprintf(&b, "%d. %s\n   %s%s\n", n, l.Item.Titles.In(short), p.why, l.Item.Why.In(short))
	}
	if n == 0 {
		b.WriteString(p.none + "\n")
	} else {
		fmt.Fprintf(&b, "\n"+p.by+"\n\n%s\n\n%s\n\n%s\n", format(due), p.how, p.free, p.onward)
	}
	b.WriteString("\n" + p.never + "\n\n")
	for _, t := range c.Never {
		b.WriteString("- " + t.In(short) + "\n")
	}
	fmt.Fprintf(&b, "\n%s\n%s\n", p.thanks, lender)
	return b.String()
}
