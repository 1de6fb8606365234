package report

import (
	"bytes"
	_ "embed"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"bonafide"
)

var (
	//go:embed dossier.html
	dossierHTML string
	//go:embed dossier.css
	dossierCSS string
)

// dossierTemplate holds the page of a dossier. Its policy allows the one style sheet by its
// digest and nothing else: no script, no picture, no other file.
var dossierTemplate = func() *template.Template {
	policy := "default-src 'none'; style-src '" + digest(dossierCSS) + "'; base-uri 'none'; form-action 'none'"
	return template.Must(template.New("dossier").Parse(strings.Replace(dossierHTML, "@POLICY@", policy, 1)))
}()

// Bounds of a dossier's page, in characters and lines.
const (
	mostLetter = 100_000
	mostNote   = 4_000
	mostLines  = 500
)

// A folder is what the page of a dossier shows, all words chosen.
type folder struct {
	CSS                             template.CSS
	Title, Lender, Sealed, Variant  string
	Version                         string
	Case, Seal, Number              int
	Masked, Erased                  bool
	Facts, Merit, Handling, Verdict []fact
	Letter                          string
	Calls                           []fact
	Exculpatory                     []strongLine
	Findings                        []findingView
	Steps                           [][]string
	Why, Innocent                   []string
	Verifications, Contacts         []sheetView
	Items                           []itemView
}

type (
	strongLine struct {
		Text   string
		Strong bool
	}

	findingView struct {
		Rule, Standing, Text, Basis, When, Rows string
		Strong                                  bool
	}

	sheetView struct {
		Title string
		Facts []fact
		Rows  []string
	}

	itemView struct {
		Number                            int
		Name, Category, SHA256, SM3, Left string
	}
)

// DossierHTML writes the dossier of one complaint as one page in Chinese and English that
// needs nothing else. It follows the order of justice: what the person says, what speaks for
// them, how the complaint was handled, and only then what it shares with others. Of an erased
// complaint it shows the digests alone. The same dossier gives the same bytes.
func DossierHTML(d *Dossier, f *CaseFile) ([]byte, error) {
	var b bytes.Buffer
	if err := dossierTemplate.Execute(&b, newFolder(d, f)); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// gathered holds names with values that are there.
type gathered []fact

func (f *gathered) add(name string, values ...string) {
	var there []string
	for _, v := range values {
		if v = shown(v, mostNote); v != "" {
			there = append(there, v)
		}
	}
	if len(there) > 0 {
		*f = append(*f, fact{name, there})
	}
}

// shown makes text fit for the page.
func shown(s string, most int) string { return strings.TrimSpace(cut(clean(s), most)) }

func newFolder(d *Dossier, f *CaseFile) *folder {
	zh := newBinder(f, "zh")
	p := &folder{
		CSS: template.CSS(dossierCSS), Lender: shown(f.Lender, maxID), Case: f.Case.Number, Seal: f.Seal, Number: d.Number, Sealed: zh.moment(f.Sealed),
		Variant: saidBoth(variantWords, f.Variant), Masked: d.Masked, Erased: d.Erased, Version: shown(f.Version, maxID),
	}
	p.Title = "案卷 " + strconv.Itoa(d.Number) + " / Dossier " + strconv.Itoa(d.Number)
	for _, n := range d.Items {
		i := slices.IndexFunc(f.Items, func(i ItemLine) bool { return i.Number == n })
		if i < 0 {
			continue
		}
		one := itemView{Number: n, Name: shown(f.Items[i].Name, maxReason), Category: saidBoth(itemWords, f.Items[i].Category), SHA256: shown(f.Items[i].SHA256, 64), SM3: shown(f.Items[i].SM3, 64)}
		if d.Erased {
			one.Name = "–" // it may be a name
		}
		if f.Items[i].Left != "" {
			one.Left = saidBoth(leftWords, f.Items[i].Left)
		}
		p.Items = append(p.Items, one)
	}
	if d.Erased {
		return p
	}
	p.letter(d, zh)
	p.speaksFor(d, zh)
	p.handled(d, zh)
	p.shares(d)
	p.sheets(d, zh)
	return p
}

func (p *folder) letter(d *Dossier, b *binder) {
	c := &d.Complaint
	var out gathered
	out.add("投诉编号 / Complaint", c.ID)
	out.add("收到 / Received", b.received(d))
	out.add("渠道 / Channel", channelBoth(string(c.Channel)))
	out.add("姓名 / Name", c.Customer.Name)
	out.add("客户号 / Customer number", c.Customer.Ref)
	out.add("证件号 / Identity number", c.Customer.IDNumber)
	out.add("登记电话、邮箱 / Known phone, mail", c.Customer.Phone, c.Customer.Email)
	out.add("地址、地区 / Address, region", c.Customer.Address, c.Customer.Region)
	if c.Customer.Vulnerable != "" {
		out.add("需特别照顾 / Needs care", c.Customer.Vulnerable)
	}
	if r := c.Representative; r != nil {
		confirmed := "未确认 / not confirmed"
		if r.Confirmed {
			confirmed = "客户已确认 / confirmed by the customer"
		}
		out.add("代理人 / Representative", string(r.Type), r.Name, r.Licence, confirmed)
	}
	var contacts []string
	for _, id := range c.Contacts {
		contacts = append(contacts, said(sharedKindWords, string(id.Kind), "zh")+"："+id.Value)
	}
	out.add("投诉所用联系方式 / Filed with", contacts...)
	out.add("产品、合同 / Product, contract", c.Product, c.Account)
	out.add("诉求 / Demands", c.Demands...)
	if c.Amount != nil {
		out.add("金额 / Amount", money(c.Amount.Minor, c.Amount.Currency))
	}
	var papers []string
	for _, one := range c.Documents {
		papers = append(papers, strings.TrimSpace(one.Kind+" "+string(one.Verified)+" "+one.SHA256))
	}
	out.add("材料 / Papers", papers...)
	out.add("外部编号 / External reference", c.ExternalRef)
	p.Facts, p.Letter = out, shown(c.Text, mostLetter)
	for i, call := range c.Calls {
		if call.Transcript != "" {
			p.Calls = append(p.Calls, fact{strconv.Itoa(i+1) + " · " + b.when(call.Started), []string{shown(call.Transcript, mostLetter)}})
		}
	}
}

// received is when a complaint came in.
func (b *binder) received(d *Dossier) string {
	if d.Received.IsZero() {
		return stamp(d.Complaint.Received, b)
	}
	return stamp(d.Received, b)
}

// stamp writes a moment, or nothing where there is none.
func stamp(t time.Time, b *binder) string {
	if t.IsZero() {
		return ""
	}
	return b.when(t)
}

// channelBoth says a channel with its qualifier.
func channelBoth(c string) string {
	if c == "" {
		return ""
	}
	top, rest, ok := strings.Cut(c, "/")
	out := saidBoth(channelWords, top)
	if ok {
		out += " · " + rest
	}
	return out
}

func (p *folder) speaksFor(d *Dossier, zh *binder) {
	en := *zh
	en.lang, en.zh = "en", false
	list, _ := zh.favour(d)
	other, _ := en.favour(d)
	for i := range list[:min(len(list), mostLines)] {
		text := list[i]
		if other[i] != text {
			text += " / " + other[i]
		}
		p.Exculpatory = append(p.Exculpatory, strongLine{shown(text, mostNote), strings.HasPrefix(other[i], exculpatoryWords["merit-substantiated"][1])})
	}
	m := d.Merit
	if m == nil {
		return
	}
	var out gathered
	out.add("核查时间 / Checked", stamp(m.Checked, zh))
	out.add("规则 / Rules", m.Rules)
	out.add("已核对 / Tested", rules(m.Tested))
	out.add("无记录可核对 / Untested", rules(m.Untested))
	p.Merit = out
	findings := slices.Clone(m.Findings)
	slices.SortStableFunc(findings, func(x, y bonafide.Finding) int { return standingRank(x.Standing) - standingRank(y.Standing) })
	for _, f := range findings[:min(len(findings), mostLines)] {
		v := findingView{
			Rule: shown(saidBoth(ruleWords, f.Rule), maxReason), Standing: saidBoth(standingWords, f.Standing), Text: shown(f.Text, mostNote), Basis: shown(f.Basis, maxReason),
			When: zh.when(f.From) + " – " + zh.when(f.To) + " · ×" + strconv.Itoa(f.Count), Strong: f.Standing == bonafide.Substantiated,
		}
		var rows []string
		for _, r := range f.Rows {
			rows = append(rows, r.Kind+" "+r.ID)
		}
		v.Rows = shown(strings.Join(rows, ", "), mostNote)
		p.Findings = append(p.Findings, v)
	}
}

func standingRank(s bonafide.Standing) int {
	if s == bonafide.Substantiated {
		return 0
	}
	return 1
}

func rules(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = saidBoth(ruleWords, n)
	}
	return strings.Join(out, "; ")
}

func (p *folder) handled(d *Dossier, b *binder) {
	var out gathered
	out.add("状态 / State", saidBoth(trackWords, d.State))
	out.add("决定 / Decision", saidBoth(outcomeWords, d.Outcome))
	p.Handling = out
	for _, s := range d.Steps[:min(len(d.Steps), mostLines)] {
		p.Steps = append(p.Steps, []string{b.when(s.At), shown(saidBoth(trackVerbWords, s.What), maxReason), shown(saidBoth(trackWords, s.To), maxReason), shown(s.Reason, mostNote)})
	}
}

func (p *folder) shares(d *Dossier) {
	var out gathered
	if d.Role != "" {
		out.add("在案中 / In the case", saidBoth(roleWords, d.Role))
	}
	v := d.Verdict
	if v == nil {
		out.add("建议 / Proposed", levelPackWords[bonafide.LevelNone].both())
		p.Verdict = out
		return
	}
	out.add("建议 / Proposed", saidBoth(levelPackWords, v.Level))
	if v.Route != bonafide.RouteNone {
		out.add("转交 / Routed", saidBoth(routePackWords, v.Route))
	}
	out.add("组群 / Ring", v.Ring)
	var criteria, families []string
	for _, c := range v.Criteria {
		criteria = append(criteria, criterionWords(c))
	}
	for _, f := range v.Families {
		families = append(families, saidBoth(familyPackWords, f))
	}
	out.add("标准（若证实） / Criteria, if proved", criteria...)
	out.add("证据类别 / Families of evidence", families...)
	p.Verdict = out
	for _, s := range v.Why[:min(len(v.Why), mostLines)] {
		p.Why = append(p.Why, shown(sentence(s), mostNote))
	}
	for _, s := range v.Innocent[:min(len(v.Innocent), mostLines)] {
		p.Innocent = append(p.Innocent, shown(sentence(s), mostNote))
	}
}

func (p *folder) sheets(d *Dossier, b *binder) {
	for _, v := range d.Verifications[:min(len(d.Verifications), mostLines)] {
		var out gathered
		out.add("事项 / About", v.About)
		out.add("渠道 / Way", saidBoth(verifyWords, string(v.Way)))
		out.add("理由 / Reason", v.Reason)
		out.add("提出 / Asked", b.who(v.By)+" · "+b.when(v.Opened))
		out.add("结果 / Outcome", saidBoth(verifyWords, v.Outcome))
		out.add("查明 / Finding", v.Finding)
		if v.SignedBy != "" {
			out.add("签署 / Signed", b.who(v.SignedBy)+" · "+b.when(v.Signed))
		}
		if v.Criterion != "" {
			out.add("证实的标准 / Verifies", criterionWords(v.Criterion))
		}
		out.add("已检验的无辜解释 / Innocent explanation tested", v.Innocent)
		one := sheetView{Title: "核实：/ Verification: " + shown(saidBoth(verifyWords, string(v.Kind)), maxID), Facts: out}
		for _, a := range v.Attempts[:min(len(v.Attempts), mostLines)] {
			one.Rows = append(one.Rows, shown(b.when(a.At)+" · "+b.who(a.By)+" · "+saidBoth(verifyWords, string(a.Way))+" · "+saidBoth(verifyWords, string(a.Result))+" "+a.Note, mostNote))
		}
		p.Verifications = append(p.Verifications, one)
	}
	for _, c := range d.Contacts[:min(len(d.Contacts), mostLines)] {
		var out gathered
		way := "对方来电 / they called"
		if c.Direction == "out" {
			way = "我方去电 / they were called"
		}
		if c.Known {
			way += "，已知渠道 / over a known channel"
		}
		out.add("方式 / Way", way)
		out.add("经办 / By", b.who(c.By)+" · "+b.when(c.Started))
		e := c.Established
		out.add("查明 / Established", pair("identity", e.Identity), pair("purpose", e.Purpose), pair("authority", e.Authority), pair("vulnerability", e.Vulnerability), pair("facts", strings.Join(e.Facts, ", ")))
		out.add("结束 / End", c.End)
		one := sheetView{Title: "访谈 / Conversation: " + shown(c.Script+" "+c.Version, maxID), Facts: out}
		for _, a := range c.Answers[:min(len(c.Answers), mostLines)] {
			one.Rows = append(one.Rows, shown(strings.TrimSpace(a.Step+" → "+a.Choice+" "+a.Note), mostNote))
		}
		for _, s := range c.Signals[:min(len(c.Signals), mostLines)] {
			one.Rows = append(one.Rows, shown(sentence(s.Text)+" 须先检验 / to test first: "+s.Innocent, mostNote))
		}
		p.Contacts = append(p.Contacts, one)
	}
}

// pair joins a name with a value that is there.
func pair(name, value string) string {
	if value == "" {
		return ""
	}
	return name + ": " + value
}
