package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"bonafide"
)

// CaseCover writes the cover of a pack as a PDF, in "zh" or "en": what the case is, what the
// pack holds, what speaks for every complainant, and only then what it is about. The same
// case file gives the same bytes.
func CaseCover(f *CaseFile, lang string) ([]byte, error) { return coverOf(f, lang).pdf() }

// A binder is a case file with what its documents look up.
type binder struct {
	*CaseFile
	lang    string
	zh      bool
	zone    *time.Location
	numbers map[string]int // of dossiers, by complaint
	items   map[string]int // of items, by id
}

func newBinder(f *CaseFile, lang string) *binder {
	b := &binder{CaseFile: f, lang: lang, zh: strings.HasPrefix(lang, "zh"), zone: f.Zone, numbers: map[string]int{}, items: map[string]int{}}
	if b.zone == nil {
		b.zone = time.UTC
	}
	for _, d := range f.Dossiers {
		b.numbers[d.Complaint.ID] = d.Number
	}
	for _, i := range f.Items {
		b.items[i.ID] = i.Number
	}
	return b
}

// w chooses between the words of the two languages.
func (b *binder) w(zh, en string) string {
	if b.zh {
		return zh
	}
	return en
}

// f chooses between two formats and fills it.
func (b *binder) f(zh, en string, args ...any) string { return fmt.Sprintf(b.w(zh, en), args...) }

func (b *binder) comma() string { return b.w("、", ", ") }

// when writes a moment in the zone of the case.
func (b *binder) when(t time.Time) string {
	if t.IsZero() {
		return b.w("无日期", "no date")
	}
	return t.In(b.zone).Format("2006-01-02 15:04")
}

// moment writes a moment to the second with its distance from UTC.
func (b *binder) moment(t time.Time) string {
	if t.IsZero() {
		return b.when(t)
	}
	return t.In(b.zone).Format("2006-01-02 15:04:05 -07:00")
}

func (b *binder) who(id string) string {
	if name := b.People[id]; name != "" {
		return name
	}
	if id == "" {
		return "–"
	}
	if rest, ok := strings.CutPrefix(id, "system"); ok {
		return b.w("系统", "the program") + strings.Replace(rest, ":", " ", 1)
	}
	return id
}

// dossier names a complaint by the number of its dossier.
func (b *binder) dossier(complaint string) string {
	if n := b.numbers[complaint]; n > 0 {
		return b.f("案卷 %d", "dossier %d", n)
	}
	return "–"
}

// spans writes numbers as a reader does: "1–3, 7".
func spans(of []int) string {
	n := slices.Compact(slices.Sorted(slices.Values(of)))
	var out []string
	for i := 0; i < len(n); {
		k := i
		for k+1 < len(n) && n[k+1] == n[k]+1 {
			k++
		}
		switch k - i {
		case 0:
			out = append(out, strconv.Itoa(n[i]))
		case 1:
			out = append(out, strconv.Itoa(n[i]), strconv.Itoa(n[k]))
		default:
			out = append(out, strconv.Itoa(n[i])+"–"+strconv.Itoa(n[k]))
		}
		i = k + 1
	}
	return strings.Join(out, ", ")
}

// members writes which dossiers complaints are.
func (b *binder) members(complaints []string) string {
	var n []int
	for _, id := range complaints {
		if k := b.numbers[id]; k > 0 {
			n = append(n, k)
		}
	}
	if len(n) == 0 {
		return "–"
	}
	return spans(n)
}

// digits says how many decimals a currency has (ISO 4217) where they are not two.
var digits = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}

// money writes an amount of minor units with its currency.
func money(minor int64, currency string) string {
	n, ok := digits[currency]
	if !ok {
		n = 2
	}
	s := strconv.FormatInt(minor, 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	if len(s) <= n {
		s = strings.Repeat("0", n+1-len(s)) + s
	}
	whole, part := s[:len(s)-n], s[len(s)-n:]
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if n > 0 {
		whole += "." + part
	}
	return strings.TrimSpace(sign + whole + " " + currency)
}

func (b *binder) document(title string) *document {
	return &document{
		Lang: b.lang, Title: b.f("%s　案件 %d　%s", "%s · case %d · %s", b.Lender, b.Case.Number, title),
		Mark:  b.f("封存号 %d　%s　%s", "seal %d · %s · %s", b.Seal, said(variantWords, b.Variant, b.lang), b.moment(b.Sealed)),
		Maker: "bonafide " + b.Version, Made: b.Sealed,
	}
}

func coverOf(f *CaseFile, lang string) *document {
	b := newBinder(f, lang)
	d := b.document(b.w("案件材料封面", "cover of the pack"))
	d.Blocks = slices.Concat(
		b.front(), b.contents(), b.narrative(), b.timeline(), b.organisation(), b.exculpatory(), b.matrix(), b.losses(), b.decisions(), b.handovers(), b.slang(), b.limits(),
	)
	return d
}

func (b *binder) front() []block {
	c := &b.Case
	stage := said(stageWords, c.Stage, b.lang)
	if c.Exit != "" {
		stage += b.w("；结果：", "; outcome: ") + said(exitWords, c.Exit, b.lang)
	}
	gang := b.w("未认定", "not judged to be")
	if c.Gang {
		gang = b.w("办案人员认为具有团伙性质（有待有权机关认定）", "of gang type, as those who work on it judge; it is for the authorities to say")
	}
	facts := factsBlock{
		{b.w("机构", "Lender"), b.Lender},
		{b.w("案件编号", "Case number"), strconv.Itoa(c.Number)},
		{b.w("案件名称", "Title"), c.Title},
		{b.w("本版本", "This variant"), said(variantWords, b.Variant, b.lang)},
		{b.w("封存号", "Seal number"), strconv.Itoa(b.Seal)},
		{b.w("封存时间", "Sealed"), b.moment(b.Sealed) + b.f("（%s）", " (%s)", b.zone.String())},
		{b.w("封存时间（UTC）", "Sealed (UTC)"), b.Sealed.UTC().Format("2006-01-02 15:04:05.000000Z")},
		{b.w("当前阶段", "Stage"), stage},
		{b.w("登记时间", "Begun"), b.when(c.Begun)},
		{b.w("团伙性质", "Gang type"), gang},
		{b.w("参与人员", "Who worked on it"), b.workers()},
		{b.w("规模", "Extent"), b.f("案卷 %d 份，证据 %d 项，关联组群 %d 个", "dossiers %d, items %d, rings %d", len(b.Dossiers), len(b.Items), len(b.Rings))},
		{b.w("生成程序", "Made by"), "bonafide " + b.Version},
	}
	if c.Hold {
		facts = append(facts, [2]string{b.w("证据保全", "Legal hold"), b.w("已锁定，不得删除", "in force: nothing of it is erased")})
	}
	for _, k := range slices.Sorted(maps.Keys(c.Numbers)) {
		facts = append(facts, [2]string{b.w("机关文号", "Authority's number"), said(stepWords, k, b.lang) + b.w("：", ": ") + c.Numbers[k]})
	}
	return []block{
		titleBlock{b.w("案件材料封面", "Cover of the case pack"), b.Lender},
		facts,
		paraBlock{Boxed: true, Text: b.w(
			"阅读提示：相似不等于有罪。凡未注明由人决定的级别均为建议。诉求是否属实与是否有组织，是两件分开核查的事；对投诉人有利的事实列在指控要件之前。",
			"How to read this: likeness is not guilt. Every level is a proposal unless it says that people decided. Whether a grievance is right, and whether it was organised, are two questions that are looked at apart; what speaks for the complainants stands before the elements of any offence.")},
	}
}

// workers lists the people who acted, in the order in which they first did.
func (b *binder) workers() string {
	var out []string
	add := func(id string) {
		if id == "" || strings.HasPrefix(id, "system") {
			return
		}
		if w := b.who(id); !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	add(b.Case.Assignee)
	for _, id := range b.Case.Group {
		add(id)
	}
	for _, s := range b.Steps {
		add(s.By)
		add(s.Second)
	}
	if len(out) == 0 {
		return "–"
	}
	return strings.Join(out, b.comma())
}

func (b *binder) contents() []block {
	rows := [][]string{
		{"cover.zh.pdf, cover.en.pdf", b.w("本封面（中文、英文）", "this cover, in Chinese and English")},
		{"items.zh.pdf, items.en.pdf", b.w("提取电子数据清单、固定保全清单，供签字", "the list of items, to be signed")},
		{"case.json", b.w("案件数据：阶段、要件、场景、逐月变化", "the case as data: stages, elements, scenarios, months")},
		{"items.json", b.w("证据清单数据，含 SHA-256 与 SM3", "the items as data, with SHA-256 and SM3")},
		{"rings.html, rings.json", b.w("关联组群：网页与数据", "the rings: a page, and data")},
		{"losses.csv", b.w("损失明细", "the losses, line by line")},
	}
	if n := len(b.Dossiers); n > 0 {
		rows = append(rows, []string{b.f("dossiers/0001/ … %04d/", "dossiers/0001/ … %04d/", n), b.w(
			"每件投诉的案卷：先是本人陈述与有利事实，然后才是其他；投诉数据、处理经过、诉求核查、核实与访谈、分析建议", "a dossier for each complaint: first what the person says and what speaks for them; the complaint, how it was handled, its merit, verifications and conversations, what was proposed")})
	}
	if len(b.Items) > 0 {
		rows = append(rows, []string{"items/", b.w("证据原件，按编号", "the items as they came, by number")})
	}
	rows = append(rows,
		[]string{"seal/", b.w("封存证明：日志条目、包含证明、签名检查点、时间戳", "the proof of the seal: log entries, inclusion proofs, signed checkpoint, time-stamp")},
		[]string{"VERIFY.html", b.w("离线核验页：在浏览器中打开并选择本材料包", "a page that checks the pack without a network: open it in a browser and choose the pack")},
	)
	return []block{
		headingBlock{1, b.w("一、材料目录", "1. What the pack holds")},
		tableBlock{Heads: []string{b.w("文件", "File"), b.w("内容", "Content")}, Widths: []float64{3, 7}, Rows: rows},
	}
}

// tally counts what speaks for the complainants.
func (b *binder) inFavour() (substantiated, upheld, erased int) {
	for _, d := range b.Dossiers {
		if d.Erased {
			erased++
		}
		if slices.ContainsFunc(d.Exculpatory, func(x Exculpatory) bool { return x.Code == "merit-substantiated" }) {
			substantiated++
		}
		if slices.ContainsFunc(d.Exculpatory, func(x Exculpatory) bool { return x.Code == "upheld" }) {
			upheld++
		}
	}
	return substantiated, upheld, erased
}

func (b *binder) narrative() []block {
	c := &b.Case
	substantiated, upheld, erased := b.inFavour()
	var first, last time.Time
	for _, d := range b.Dossiers {
		if at := d.Received; !at.IsZero() {
			if first.IsZero() || at.Before(first) {
				first = at
			}
			if at.After(last) {
				last = at
			}
		}
	}
	begin := b.f("本案于 %s 由%s登记为线索。", "The case was begun on %s by %s.", b.when(c.Begun), b.beginner())
	if c.Reason != "" {
		begin += b.f("登记理由：%s", " The reason given: %s", sentenceIn(c.Reason, b.zh))
	}
	if c.From != "" {
		begin += b.w("本案由另一案件拆出。", " It was split off another case.")
	}
	scope := b.f("涉及投诉 %d 件，关联组群 %d 个，引流广告 %d 则。", "It is about %d complaints, %d rings and %d adverts.", len(b.Dossiers), len(b.Rings), len(b.Adverts))
	if !first.IsZero() {
		scope += b.f("投诉收到时间为 %s 至 %s。", " The complaints were received from %s to %s.", first.In(b.zone).Format(time.DateOnly), last.In(b.zone).Format(time.DateOnly))
	}
	favour := b.f("其中 %d 件的诉求经机构自身记录证明属实，%d 件已作出支持客户的决定；这些投诉无论是否由他人组织，均应予补救。", "In %d of them the lender's own records show that the grievance is right, and %d were decided for the customer: these are to be remedied, whoever organised them.", substantiated, upheld)
	if erased > 0 {
		favour += b.f("%d 件的内容已依法删除。", " Of %d the content was erased.", erased)
	}
	out := []block{
		headingBlock{1, b.w("二、案情", "2. What happened")},
		headingBlock{2, b.w("起因与范围", "How it began, and how far it goes")},
		paraBlock{Text: begin},
		paraBlock{Text: scope},
		paraBlock{Text: favour},
	}
	if c.Innocent != "" {
		out = append(out, paraBlock{Text: b.w("已检验的无辜解释：", "Innocent explanations that were tested: ") + c.Innocent})
	}
	return slices.Concat(out, b.rings(), b.methods(), b.months(), b.adverts())
}

func (b *binder) beginner() string {
	if len(b.Steps) > 0 {
		return b.who(b.Steps[0].By)
	}
	return b.w("本机构", "the lender")
}

// sentenceIn ends a text as a sentence.
func sentenceIn(s string, zh bool) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return s
	}
	if end, _ := utf8.DecodeLastRuneInString(s); strings.ContainsRune(".!?。！？…", end) {
		return s
	}
	if zh {
		return s + "。"
	}
	return s + "."
}

func (b *binder) timeline() []block {
	t := tableBlock{
		Heads: []string{b.w("时间", "Time"), b.w("事项", "What"), b.w("阶段", "Stage"), b.w("理由、文号", "Reason, number"), b.w("经办人", "Who")}, Widths: []float64{1.9, 3, 1.7, 4, 2},
	}
	for _, s := range b.Steps {
		stage := ""
		if s.To != s.From {
			stage = said(stageWords, s.To, b.lang)
		}
		reason := s.Reason
		if s.Number != "" {
			reason = strings.TrimSpace(reason + "\n№ " + s.Number)
		}
		who := b.who(s.By)
		if s.Second != "" {
			who = b.f("%s；第一人：%s", "%s; the first was %s", who, b.who(s.Second))
		}
		t.Rows = append(t.Rows, []string{b.when(s.At), stepSaid(s.What, b.lang), stage, reason, who})
	}
	out := []block{headingBlock{1, b.w("三、时间线", "3. Timeline")}}
	if len(t.Rows) == 0 {
		return append(out, paraBlock{Text: b.w("没有记录。", "Nothing was recorded.")})
	}
	return append(out, paraBlock{Small: true, Text: b.f("时间按 %s。", "Times are those of %s.", b.zone.String())}, t)
}

// partyName says who somebody is: a borrower by the number of their dossier alone.
func (b *binder) partyName(p *bonafide.Party) string {
	switch {
	case p.Role.Borrows() || p.Complaint != "":
		return b.dossier(p.Complaint)
	case p.Name != "":
		return p.Name
	}
	return b.w("（姓名未列）", "(not named)")
}

func (b *binder) organisation() []block {
	out := []block{headingBlock{1, b.w("四、组织结构", "4. Organisation")}}
	if len(b.Case.Parties) == 0 {
		return append(out, paraBlock{Text: b.w("尚未登记任何人员或组织。", "Nobody was written down.")})
	}
	parties := slices.Clone(b.Case.Parties)
	slices.SortStableFunc(parties, func(x, y bonafide.Party) int {
		return cmp.Compare(slices.Index(bonafide.PartyRoles, x.Role), slices.Index(bonafide.PartyRoles, y.Role))
	})
	names := map[string]string{}
	for i := range parties {
		names[parties[i].ID] = b.partyName(&parties[i])
	}
	t := tableBlock{
		Heads:  []string{b.w("角色", "Role"), b.w("人员或组织", "Who"), b.w("标识", "Identifiers"), b.w("为谁工作", "Works for"), b.w("依据", "What says so")},
		Widths: []float64{2, 2.4, 2.8, 1.8, 3.4},
	}
	for i := range parties {
		p := &parties[i]
		name := names[p.ID]
		if p.Organisation {
			name += b.w("（组织）", " (organisation)")
		}
		var ids []string
		if !p.Role.Borrows() {
			for _, id := range p.Identifiers {
				ids = append(ids, said(sharedKindWords, string(id.Kind), b.lang)+b.w("：", ": ")+id.Value)
			}
		}
		t.Rows = append(t.Rows, []string{said(roleWords, p.Role, b.lang), name, strings.Join(ids, "\n"), cmp.Or(names[p.Under], "–"), p.Basis})
	}
	out = append(out, paraBlock{Text: b.w("借款人在未有相反证据之前视为被害方，此处只以案卷号表示。", "A borrower is a victim until shown otherwise, and stands here by the number of a dossier alone.")})
	if pic := b.drawParties(parties, names); pic != nil {
		out = append(out, pic)
	}
	return append(out, t)
}

// drawParties draws who works for whom, borrowers as one box.
func (b *binder) drawParties(parties []bonafide.Party, names map[string]string) block {
	const room, perRow, mostBoxes, high, gap = 170.0, 5, 25, 13.0, 9.0
	var shown []bonafide.Party
	borrowers, over := 0, map[string]bool{}
	for _, p := range parties {
		switch {
		case p.Role.Borrows():
			borrowers++
			over[p.Under] = true
		default:
			shown = append(shown, p)
		}
	}
	hidden := len(shown) - mostBoxes
	shown = shown[:min(len(shown), mostBoxes)]
	if len(shown) == 0 {
		return nil
	}
	under := map[string]string{}
	for _, p := range shown {
		under[p.ID] = p.Under
	}
	depth := func(id string) int {
		n := 0
		for up := under[id]; n < len(shown); n++ { // bounded: a circle ends too
			next, ok := under[up]
			if !ok {
				return n
			}
			up = next
		}
		return n
	}
	tiers := map[int][]bonafide.Party{}
	for _, p := range shown {
		tiers[depth(p.ID)] = append(tiers[depth(p.ID)], p)
	}
	pic := drawingBlock{}
	place := map[string]drawnBox{}
	y := 1.0
	for _, k := range slices.Sorted(maps.Keys(tiers)) {
		for some := range slices.Chunk(tiers[k], perRow) {
			w := min(room/float64(len(some))-6, 48)
			for i, p := range some {
				x := room*(float64(i)+0.5)/float64(len(some)) - w/2
				box := drawnBox{X: x, Y: y, W: w, H: high, Strong: p.Role == bonafide.RoleOrganiser, Text: said(roleWords, p.Role, b.lang) + b.w("：", ": ") + names[p.ID]}
				pic.Boxes = append(pic.Boxes, box)
				place[p.ID] = box
			}
			y += high + gap
		}
	}
	join := func(up, down drawnBox) {
		pic.Lines = append(pic.Lines, [4]float64{up.X + up.W/2, up.Y + up.H, down.X + down.W/2, down.Y})
	}
	for _, p := range shown {
		if up, ok := place[p.Under]; ok && p.Under != p.ID {
			join(up, place[p.ID])
		}
	}
	if borrowers > 0 {
		box := drawnBox{X: room/2 - 24, Y: y, W: 48, H: high, Text: b.f("借款人 %d 人（见表）", "borrowers: %d (see the table)", borrowers)}
		pic.Boxes = append(pic.Boxes, box)
		for _, p := range shown {
			if over[p.ID] {
				join(place[p.ID], box)
			}
		}
		y += high + gap
	}
	pic.Height = y
	pic.Caption = b.w("线表示为谁工作，依据见下表。", "A line says who works for whom; the table says what it rests on.")
	if hidden > 0 {
		pic.Caption += b.f("未画出 %d 个。", " %d are not drawn.", hidden)
	}
	return pic
}
