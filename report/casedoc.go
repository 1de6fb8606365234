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

// ItemList writes the list of items that is signed when electronic evidence is taken out and
// fixed, as a PDF, in "zh" or "en". The same case file gives the same bytes.
func ItemList(f *CaseFile, lang string) ([]byte, error) { return itemsOf(f, lang).pdf() }

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

// mostRings bounds how many rings are told in full, and mostWhy how many reasons of each.
const mostRings, mostDrawn, mostWhy = 40, 6, 12

func (b *binder) rings() []block {
	if len(b.Rings) == 0 {
		return nil
	}
	out := []block{headingBlock{2, b.w("投诉之间共有什么", "What the complaints share")}}
	for i, r := range b.Rings[:min(len(b.Rings), mostRings)] {
		text := b.f("组群 %d（%s）：%d 件投诉，案卷 %s。", "Ring %d (%s): %d complaints, dossiers %s.", i+1, r.ID, len(r.Members), b.members(r.Members))
		if shared := b.shared(r.Shared); shared != "" {
			text += b.f("共有：%s。", " They share %s.", shared)
		}
		if len(r.Families) > 0 {
			var names []string
			for _, k := range r.Families {
				names = append(names, said(familyPackWords, k, b.lang))
			}
			text += b.f("证据类别：%s。", " Families of evidence: %s.", strings.Join(names, b.comma()))
		}
		text += b.ringStanding(&r)
		out = append(out, headingBlock{3, b.f("组群 %d", "Ring %d", i+1)}, paraBlock{Text: text})
		if i < mostDrawn {
			if pic := b.drawRing(&r); pic != nil {
				out = append(out, pic)
			}
		}
		if len(r.Why) > 0 {
			out = append(out, paraBlock{Small: true, Text: b.w("系统记录的关联理由（原文为英文，标识已遮蔽）：", "Why, as the program recorded it (identifiers are masked):")}, b.bounded(r.Why))
		}
		if len(r.Innocent) > 0 {
			out = append(out, paraBlock{Small: true, Text: b.w("须先检验的无辜解释：", "Innocent explanations to test first:")}, b.bounded(r.Innocent))
		}
	}
	if left := len(b.Rings) - mostRings; left > 0 {
		out = append(out, paraBlock{Small: true, Text: b.f("其余 %d 个组群见 rings.html。", "%d more rings stand in rings.html.", left)})
	}
	return out
}

func (b *binder) bounded(all []string) listBlock {
	out := listBlock{}
	for _, s := range all[:min(len(all), mostWhy)] {
		out = append(out, sentence(s))
	}
	if left := len(all) - mostWhy; left > 0 {
		out = append(out, b.f("另有 %d 条，见 rings.json", "%d more: see rings.json", left))
	}
	return out
}

func (b *binder) shared(things []bonafide.SharedThing) string {
	if !b.zh {
		return sharedWords(things)
	}
	var kinds []string
	n := map[string]int{}
	for _, t := range things {
		if n[t.Kind]++; n[t.Kind] == 1 {
			kinds = append(kinds, t.Kind)
		}
	}
	for i, k := range kinds {
		kinds[i] = said(sharedKindWords, k, b.lang) + " " + strconv.Itoa(n[k]) + " 个"
	}
	return strings.Join(kinds, "、")
}

// ringStanding says whether people decided about a ring, and whether it still stands.
func (b *binder) ringStanding(r *bonafide.Ring) string {
	switch bonafide.RingState(b.Standing[r.ID]) {
	case bonafide.RingIsNoLonger:
		return b.w("该组群的依据已不存在，已撤销。", " It no longer stands: the evidence that tied it was taken back.")
	case bonafide.RingIsCleared:
		return b.w("已有人查明存在无辜解释，该组群已排除。", " It no longer stands: a person found an innocent explanation.")
	case bonafide.RingIsMerged:
		return b.w("该组群已并入其他组群。", " It is part of another ring now.")
	}
	if len(r.Decisions) == 0 {
		return b.w("尚无人作出决定，仅为建议。", " Nobody decided about it: it is a proposal.")
	}
	last := r.Decisions[len(r.Decisions)-1]
	out := b.f("最近的决定：%s，%s，%s。", " The last decision: %s, %s, %s.", said(verbWords, last.Verb, b.lang), b.who(last.By), b.when(last.At))
	if last.Verb == bonafide.Confirm && bonafide.RingState(b.Standing[r.ID]) == bonafide.RingProposed {
		out += b.w("仅一人确认，仍为建议。", " One person confirmed it, and two have to: it is still a proposal.")
	}
	return out
}

// drawRing draws a ring: its complaints as dots by the number of their dossiers, what they
// share as boxes. It returns nil where there is nothing to draw.
func (b *binder) drawRing(r *bonafide.Ring) block {
	const room, perLine, mostDots, mostThings = 170.0, 20, 60, 12
	things := slices.Clone(r.Shared)
	slices.SortStableFunc(things, func(x, y bonafide.SharedThing) int { return cmp.Compare(len(y.Members), len(x.Members)) })
	members := slices.Clone(r.Members)
	slices.SortStableFunc(members, func(x, y string) int { return cmp.Compare(b.numbers[x], b.numbers[y]) })
	if len(things) == 0 || len(members) < 2 {
		return nil
	}
	left, hidden := len(things)-mostThings, len(members)-mostDots
	things, members = things[:min(len(things), mostThings)], members[:min(len(members), mostDots)]
	pic := drawingBlock{}
	at := map[string][2]float64{}
	lines := (len(members) + perLine - 1) / perLine
	for i, id := range members {
		inLine := min(perLine, len(members)-i/perLine*perLine)
		x := room * (float64(i%perLine) + 0.5) / float64(inLine)
		y := 6 + 11*float64(i/perLine)
		at[id] = [2]float64{x, y}
		pic.Dots = append(pic.Dots, drawnDot{x, y, strconv.Itoa(b.numbers[id])})
	}
	const boxHigh, perRow = 10.0, 6
	top := 6 + 11*float64(lines-1) + 20
	rows := (len(things) + perRow - 1) / perRow
	for i, t := range things {
		inRow := min(perRow, len(things)-i/perRow*perRow)
		w := min(room/float64(inRow)-4, 34)
		x := room*(float64(i%perRow)+0.5)/float64(inRow) - w/2
		y := top + float64(i/perRow)*(boxHigh+5)
		pic.Boxes = append(pic.Boxes, drawnBox{X: x, Y: y, W: w, H: boxHigh, Text: b.thing(t)})
		for _, id := range t.Members {
			if p, ok := at[id]; ok {
				pic.Lines = append(pic.Lines, [4]float64{p[0], p[1], x + w/2, y})
			}
		}
	}
	pic.Height = top + float64(rows)*(boxHigh+5)
	pic.Caption = b.w("点为投诉（数字为案卷号），框为共有之物；连线只表示共有，不表示过错。", "A dot is a complaint with the number of its dossier, a box is a thing that several share. A line says that it is shared, and nothing about fault.")
	if left > 0 || hidden > 0 {
		pic.Caption += b.f("未画出：投诉 %d 件，共有之物 %d 个。", " Not drawn: %d complaints and %d things.", max(hidden, 0), max(left, 0))
	}
	return pic
}

// thing names a shared thing: its kind, its number in the result, how many share it.
func (b *binder) thing(t bonafide.SharedThing) string {
	label := t.Label
	if b.zh {
		_, n, _ := strings.Cut(t.Label, " ")
		label = said(sharedKindWords, t.Kind, b.lang) + " " + n
	}
	return fmt.Sprintf("%s ×%d", label, len(t.Members))
}

func (b *binder) methods() []block {
	if len(b.Methods) == 0 {
		return nil
	}
	t := tableBlock{
		Heads: []string{b.w("场景", "Scenario"), b.w("依据", "Who says so"), b.w("投诉数", "Filings"), b.w("表现", "By what it shows")}, Widths: []float64{3.2, 2, 1.3, 5},
	}
	for _, m := range b.Methods {
		by := b.w("投诉所显示", "the filings show it")
		if m.Judged {
			by = b.w("办案人员认定", "a person judged so")
		}
		count := "–"
		if m.Of > 0 {
			count = fmt.Sprintf("%d/%d", m.Count, m.Of)
		}
		signs := make([]string, len(m.Signs))
		for i, s := range m.Signs {
			signs[i] = signSaid(s, b.lang)
		}
		t.Rows = append(t.Rows, []string{m.ID + " " + m.Title.in(b.lang), by, count, strings.Join(signs, b.w("；", "; "))})
	}
	return []block{headingBlock{2, b.w("以何种方式进行", "By which scenarios it works")}, t}
}

// shares translates the names in a list such as "regulator 5, portal 2".
func (b *binder) shares(all string, words map[string]tongues) string {
	parts := strings.Split(all, ", ")
	for i, p := range parts {
		if at := strings.LastIndexByte(p, ' '); at > 0 {
			parts[i] = said(words, p[:at], b.lang) + " " + p[at+1:]
		}
	}
	return strings.Join(parts, b.comma())
}

func (b *binder) months() []block {
	if len(b.Months) == 0 {
		return nil
	}
	t := tableBlock{
		Heads: []string{b.w("月份", "Month"), b.w("投诉数", "Filings"), b.w("渠道", "Channels"), b.w("诉求（按场景编号）", "Demands, by scenario")}, Widths: []float64{1.4, 1.2, 4, 4}, Right: []int{1},
	}
	peak := b.Months[0]
	for _, m := range b.Months {
		if m.Filings > peak.Filings {
			peak = m
		}
		t.Rows = append(t.Rows, []string{m.Month, strconv.Itoa(m.Filings), b.shares(m.Channels, channelWords), b.shares(m.Demands, nil)})
	}
	return []block{
		headingBlock{2, b.w("逐月变化", "How it changed from month to month")},
		paraBlock{Text: b.f("共 %d 个月有投诉，最多的是 %s，%d 件。", "Complaints came in %d months, most of them in %s: %d.", len(b.Months), peak.Month, peak.Filings)},
		t,
	}
}

func (b *binder) adverts() []block {
	if len(b.Adverts) == 0 {
		return nil
	}
	t := tableBlock{
		Heads: []string{b.w("平台与网址", "Where"), b.w("看到时间", "Seen"), b.w("发布者", "Publisher"), b.w("内容", "Text"), b.w("对应投诉", "Complaints")}, Widths: []float64{3, 1.7, 1.8, 3.6, 1.7}, Right: []int{4},
	}
	for _, a := range b.Adverts {
		t.Rows = append(t.Rows, []string{strings.TrimSpace(a.Where + "\n" + a.URL), b.when(a.Seen), a.Publisher, short(a.Text, 300), strconv.Itoa(a.Complaints)})
	}
	return []block{
		headingBlock{2, b.w("哪些广告为其引流", "Which adverts feed it")},
		paraBlock{Text: b.w("广告说明其发布者的行为，不说明任何客户的行为。", "An advert speaks of its publisher, never of a customer.")},
		t,
	}
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

// favour writes the facts that speak for whoever complained, merit first.
func (b *binder) favour(d *Dossier) (lines []string, substantiated bool) {
	facts := slices.Clone(d.Exculpatory)
	slices.SortStableFunc(facts, func(x, y Exculpatory) int { return cmp.Compare(exculpatoryRank(x.Code), exculpatoryRank(y.Code)) })
	for _, x := range facts {
		substantiated = substantiated || x.Code == "merit-substantiated"
		s := said(exculpatoryWords, x.Code, b.lang)
		if about := b.about(x); about != "" {
			s += b.w("：", ": ") + about
		}
		lines = append(lines, s)
	}
	return lines, substantiated
}

func exculpatoryRank(code string) int {
	if i := slices.Index(ExculpatoryCodes, code); i >= 0 {
		return i
	}
	return len(ExculpatoryCodes)
}

// about says what an exculpatory fact is about.
func (b *binder) about(x Exculpatory) string {
	switch x.Code {
	case "merit-substantiated", "incident":
		return said(ruleWords, x.About, b.lang)
	case "upheld":
		return said(outcomeWords, x.About, b.lang)
	case "verified-open":
		return said(verifyWords, x.About, b.lang)
	}
	return x.About
}

func (b *binder) exculpatory() []block {
	t := tableBlock{
		Heads: []string{b.w("案卷", "Dossier"), b.w("投诉决定", "Decision"), b.w("对投诉人有利的事实", "What speaks for the complainant")}, Widths: []float64{1, 2, 7}, Strong: map[int]bool{},
	}
	type line struct {
		n             int
		substantiated bool
		cells         []string
	}
	var lines []line
	for i := range b.Dossiers {
		d := &b.Dossiers[i]
		facts, substantiated := b.favour(d)
		if len(facts) == 0 {
			facts = []string{b.w("目前没有记录", "nothing is recorded so far")}
		}
		if d.Erased {
			facts = []string{b.w("内容已依法删除", "the content was erased")}
		}
		lines = append(lines, line{d.Number, substantiated, []string{strconv.Itoa(d.Number), said(outcomeWords, d.Outcome, b.lang), strings.Join(facts, "\n")}})
	}
	slices.SortStableFunc(lines, func(x, y line) int {
		if x.substantiated != y.substantiated {
			if x.substantiated {
				return -1
			}
			return 1
		}
		return cmp.Compare(x.n, y.n)
	})
	for i, l := range lines {
		t.Rows = append(t.Rows, l.cells)
		t.Strong[i] = l.substantiated
	}
	out := []block{
		headingBlock{1, b.w("五、对投诉人有利的事实", "5. What speaks for every complainant")},
		paraBlock{Text: b.w("逐件列明，诉求属实者在前（加粗）。没有记录不等于没有。", "Complaint by complaint; those whose grievance is shown to be right come first, in heavier type. That nothing is recorded does not mean that there is nothing.")},
	}
	if len(t.Rows) == 0 {
		return append(out, paraBlock{Text: b.w("本案不涉及具体投诉。", "The case is about no complaint.")})
	}
	return append(out, t)
}

func (b *binder) matrix() []block {
	out := []block{headingBlock{1, b.w("六、要件与证据对照", "6. Elements of offences, and what shows them")}}
	if len(b.Offences) == 0 {
		return append(out, paraBlock{Text: b.w("尚未指明任何罪名。", "No offence was named.")})
	}
	out = append(out, paraBlock{Text: b.w("下表只说明哪些证据与哪一要件有关；是否成立，由有权机关认定。", "The tables say which items bear on which element. Whether an element is proved is for the authorities to say.")})
	for _, o := range b.Offences {
		t := tableBlock{Heads: []string{b.w("要件", "Element"), b.w("证据编号", "Items"), b.w("说明", "Note")}, Widths: []float64{4.5, 2, 4.5}}
		for _, e := range o.Elements {
			shown := spans(e.Exhibits)
			if shown == "" {
				shown = b.w("无", "none")
			}
			t.Rows = append(t.Rows, []string{e.Title.in(b.lang), shown, strings.Join(e.Notes, "\n")})
		}
		out = append(out, headingBlock{2, o.ID + " " + o.Title.in(b.lang)}, paraBlock{Small: true, Text: o.Statute}, t)
	}
	return out
}

func (b *binder) losses() []block {
	out := []block{headingBlock{1, b.w("七、损失", "7. Losses")}}
	if len(b.Case.Losses) == 0 {
		return append(out, paraBlock{Text: b.w("尚未登记损失。", "No loss was written down.")})
	}
	type key struct{ kind, currency string }
	sums, counts := map[key]int64{}, map[key]int{}
	for _, l := range b.Case.Losses {
		k := key{l.Kind, l.Amount.Currency}
		sums[k] += l.Amount.Minor
		counts[k]++
	}
	keys := slices.SortedFunc(maps.Keys(sums), func(x, y key) int {
		return cmp.Or(cmp.Compare(lossRank(x.kind), lossRank(y.kind)), cmp.Compare(x.kind, y.kind), cmp.Compare(x.currency, y.currency))
	})
	total := tableBlock{Heads: []string{b.w("种类", "Kind"), b.w("笔数", "Lines"), b.w("合计", "Total")}, Widths: []float64{5, 1.5, 3}, Right: []int{1, 2}}
	for _, k := range keys {
		total.Rows = append(total.Rows, []string{said(lossWords, k.kind, b.lang), strconv.Itoa(counts[k]), money(sums[k], k.currency)})
	}
	lines := tableBlock{
		Heads: []string{"№", b.w("种类", "Kind"), b.w("案卷", "Dossier"), b.w("金额", "Amount"), b.w("计算依据", "How it was counted")}, Widths: []float64{0.8, 3, 1.6, 2.4, 5}, Right: []int{3},
	}
	for i, l := range b.Case.Losses {
		lines.Rows = append(lines.Rows, []string{strconv.Itoa(i + 1), said(lossWords, l.Kind, b.lang), b.dossier(l.Complaint), money(l.Amount.Minor, l.Amount.Currency), l.Basis})
	}
	return append(out, paraBlock{Text: b.w("不同种类、不同币种不相加；风险敞口尚不是损失。", "Kinds and currencies are not added up; what is at risk is no loss yet.")}, total, headingBlock{2, b.w("明细", "Line by line")}, lines)
}

func lossRank(kind string) int {
	if i := slices.Index(bonafide.LossKinds, kind); i >= 0 {
		return i
	}
	return len(bonafide.LossKinds)
}

// decided are the steps of a case at which somebody decides.
var decided = []string{"open", "drop", "review", "return", "prepare", "report", "withdraw", "close", "reopen", "lift-hold", "gang", "merge", "split", "reconsider"}

func (b *binder) decisions() []block {
	t := tableBlock{
		Heads: []string{b.w("时间", "Time"), b.w("决定", "Decision"), b.w("决定人", "Who decided"), b.w("理由", "Reason"), b.w("已检验的无辜解释", "Innocent explanation tested")}, Widths: []float64{1.8, 2.5, 2.2, 3, 3},
	}
	type line struct {
		at    time.Time
		cells []string
	}
	var lines []line
	for i, r := range b.Rings {
		for k, d := range r.Decisions {
			who := b.who(d.By)
			if k > 0 && r.Decisions[k-1].Verb == d.Verb && r.Decisions[k-1].By != d.By {
				who = b.f("%s（第二人；第一人：%s）", "%s (second; the first was %s)", who, b.who(r.Decisions[k-1].By))
			}
			lines = append(lines, line{d.At, []string{b.when(d.At), b.f("组群 %d：%s", "ring %d: %s", i+1, said(verbWords, d.Verb, b.lang)), who, d.Reason, d.Innocent}})
		}
	}
	for _, s := range b.Steps {
		if s.Second == "" && !slices.Contains(decided, s.What) {
			continue
		}
		who := b.who(s.By)
		if s.Second != "" {
			who = b.f("%s；%s（两人决定）", "%s and %s (two decided)", b.who(s.Second), who)
		}
		lines = append(lines, line{s.At, []string{b.when(s.At), stepSaid(s.What, b.lang), who, s.Reason, ""}})
	}
	slices.SortStableFunc(lines, func(x, y line) int { return x.at.Compare(y.at) })
	for _, l := range lines {
		t.Rows = append(t.Rows, l.cells)
	}
	out := []block{headingBlock{1, b.w("八、人作出的决定", "8. What people decided")}}
	if len(t.Rows) == 0 {
		out = append(out, paraBlock{Text: b.w("尚无。凡列出的级别均为建议。", "Nothing yet: every level is a proposal.")})
	} else {
		out = append(out, t)
	}
	if p := b.Case.Pending; p != nil {
		out = append(out, paraBlock{Text: b.f("等待第二人决定：%s（%s，%s）。", "A second person has to decide: %s (%s, %s).", said(stepWords, p.What, b.lang), b.who(p.By), b.when(p.At))})
	}
	return out
}

func (b *binder) handovers() []block {
	if len(b.Case.Handovers)+len(b.Case.Requests) == 0 {
		return nil
	}
	out := []block{headingBlock{1, b.w("九、移交与调取", "9. Handed over, and asked for")}}
	if len(b.Case.Handovers) > 0 {
		t := tableBlock{Heads: []string{b.w("时间", "Time"), b.w("接收方", "To"), b.w("内容", "What"), b.w("回执", "Receipt"), b.w("经办人", "Who")}, Widths: []float64{1.9, 3, 3, 2, 1.8}}
		for _, h := range b.Case.Handovers {
			var what []string
			if h.Seal > 0 {
				what = append(what, b.f("封存 %d，%s", "seal %d, %s", h.Seal, said(variantWords, h.Variant, b.lang)))
			}
			var n []int
			for _, id := range h.Items {
				if k := b.items[id]; k > 0 {
					n = append(n, k)
				}
			}
			if len(n) > 0 {
				what = append(what, b.w("证据 ", "items ")+spans(n))
			}
			to := said(recipientWords, h.To, b.lang) + b.w("：", ": ") + h.Unit
			if h.Person != "" {
				to += b.comma() + h.Person
			}
			t.Rows = append(t.Rows, []string{b.when(h.At), to, strings.Join(what, "\n"), h.Receipt, b.who(h.By)})
		}
		out = append(out, t)
	}
	if len(b.Case.Requests) > 0 {
		t := tableBlock{Heads: []string{b.w("要求时间", "Asked"), b.w("要求方", "By"), b.w("内容", "What"), b.w("期限", "Due"), b.w("答复", "Answer")}, Widths: []float64{1.9, 1.6, 3.5, 1.9, 3.5}}
		for _, r := range b.Case.Requests {
			answer := b.w("尚未答复", "not answered yet")
			if !r.Answered.IsZero() {
				answer = b.when(r.Answered) + " " + r.Answer
			}
			t.Rows = append(t.Rows, []string{b.when(r.Asked), said(recipientWords, r.From, b.lang), r.What, b.when(r.Due), answer})
		}
		out = append(out, t)
	}
	return out
}

func (b *binder) slang() []block {
	if len(b.Slang) == 0 {
		return nil
	}
	t := tableBlock{Heads: []string{b.w("用语", "Word"), b.w("含义", "Meaning"), b.w("证据编号", "Items")}, Widths: []float64{2, 5, 2}}
	for _, s := range b.Slang {
		items := spans(s.Items)
		if items == "" {
			items = b.w("见案卷", "in dossiers")
		}
		t.Rows = append(t.Rows, []string{s.Term, s.Meaning.in(b.lang), items})
	}
	return []block{
		headingBlock{1, b.w("十、行话释义", "10. Words of the trade")},
		paraBlock{Text: b.w("仅为阅读证据而释义；使用这些词不说明任何人的过错。", "They are explained to help reading the evidence. Using one says nothing against anybody.")},
		t,
	}
}

func (b *binder) limits() []block {
	return []block{
		headingBlock{1, b.w("本材料不能证明什么", "What this pack does not show")},
		paraBlock{Text: b.w(
			"相似不等于有罪。多件投诉使用相同的文字、电话或材料，可能有正当原因：同一律师或公益机构、家人代办、公开范本、机构自身的故障。“组群”是程序对关联强度的描述，不是对任何人的认定；组群中的借款人往往是被害方。",
			"Likeness is not guilt. Several complaints may share wording, a number or a paper for good reasons: one lawyer or charity, a family, a public template, a disturbance of the lender's own. A ring describes how strong a tie is; it finds nobody guilty, and the borrowers in it are often the victims.")},
		paraBlock{Text: b.w(
			"凡未在“人作出的决定”中列出的级别和场景，均为建议。诉求是否属实与是否有组织无关：由他人撰写的投诉也可能完全属实，属实的应予补救。",
			"Levels are proposals unless they stand under \"What people decided\"; a scenario is what a person judged, or what the filings show, as its line says. Merit is a question apart: a complaint that somebody else wrote can be right, and what is right is to be remedied.")},
		paraBlock{Text: b.w(
			"封存证明材料自封存之时起未被改动，不证明材料在固定之前是真实的，也不证明没有遗漏。被遮蔽或未附的内容，在目录与清单中注明。",
			"The seal shows that nothing was changed since it was made. It shows neither that what was taken in is true, nor that nothing is missing. What was masked or left out is said in the lists.")},
	}
}

// halves breaks a digest into two lines.
func halves(hex string) string {
	if len(hex) != 64 {
		return hex
	}
	return hex[:32] + "\n" + hex[32:]
}

func itemsOf(f *CaseFile, lang string) *document {
	b := newBinder(f, lang)
	title := b.w("提取电子数据清单（固定保全清单）", "List of items of evidence")
	d := b.document(title)
	d.Wide = true
	t := tableBlock{
		Heads: []string{
			"№", b.w("名称、种类、格式、大小", "Name, category, format, size"), b.w("完整性校验值", "Digests"), b.w("来源与提取", "Source and extraction"), b.w("存放位置与备注", "Place and notes"),
		},
		Widths: []float64{0.7, 4.1, 4.1, 4.3, 3.8}, Size: 8,
	}
	for i := range f.Items {
		t.Rows = append(t.Rows, b.item(&f.Items[i]))
	}
	left := 0
	for _, i := range f.Items {
		if i.Path == "" {
			left++
		}
	}
	d.Blocks = []block{
		titleBlock{title, b.f("%s　案件 %d：%s", "%s · case %d: %s", b.Lender, b.Case.Number, b.Case.Title)},
		factsBlock{
			{b.w("封存号与时间", "Seal and time"), b.f("%d　%s（UTC %s）", "%d · %s (UTC %s)", b.Seal, b.moment(b.Sealed), b.Sealed.UTC().Format("2006-01-02 15:04:05Z"))},
			{b.w("版本", "Variant"), said(variantWords, b.Variant, b.lang)},
			{b.w("项数", "Items"), b.f("%d 项，其中 %d 项未附原件", "%d, of which %d are not in the pack", len(f.Items), left)},
		},
	}
	if len(f.Items) == 0 {
		d.Blocks = append(d.Blocks, paraBlock{Text: b.w("没有证据项。", "There is no item.")})
	} else {
		d.Blocks = append(d.Blocks, t)
	}
	d.Blocks = append(d.Blocks,
		paraBlock{Text: b.f("以上清单共 %d 项，经核对与所提取、固定的电子数据一致。", "The list holds %d items. It was compared with what was extracted and fixed, and agrees.", len(f.Items))},
		signBlock{
			b.w("提取人（签名）", "Extracted by (signature)"), b.w("见证人／第二人（签名）", "Second person (signature)"),
			b.w("持有人／单位（盖章）", "Holder (seal)"), b.w("日期", "Date"),
		},
	)
	return d
}

// item writes one row of the list.
func (b *binder) item(i *ItemLine) []string {
	label := func(zh, en, value string) string {
		if value == "" {
			return ""
		}
		return b.w(zh+"：", en+": ") + value
	}
	join := func(lines ...string) string {
		return strings.Join(slices.DeleteFunc(lines, func(s string) bool { return s == "" }), "\n")
	}
	name := i.Name
	if name == "" {
		name = b.w("（名称未列）", "(name left out)")
	}
	format := i.Format
	if i.MIME != "" && i.MIME != i.Format {
		format = strings.TrimSpace(format + " " + i.MIME)
	}
	place := label("位置", "In the pack", i.Path)
	if i.Path == "" {
		place = label("未附", "Left out", said(leftWords, i.Left, b.lang))
	}
	var notes []string
	for _, n := range i.Notes {
		notes = append(notes, strings.TrimSpace(said(noteWords, n.Code, b.lang)+" "+n.Value))
	}
	parent, custody := "", ""
	if i.Parent != "" {
		parent = label("由此制作", "Made of", b.w("第 ", "item ")+strconv.Itoa(b.items[i.Parent])+b.w(" 项", ""))
	}
	if i.Custody > 0 {
		custody = label("保管记录", "Custody entries", strconv.Itoa(i.Custody))
	}
	about := ""
	if i.Complaint != "" {
		about = label("关于", "About", b.dossier(i.Complaint))
	}
	return []string{
		strconv.Itoa(i.Number),
		join(name, label("种类", "Category", said(itemWords, i.Category, b.lang)), label("格式", "Format", format), b.f("大小：%s 字节", "Size: %s bytes", number(int(i.Size)))),
		join("SHA-256", halves(i.SHA256), "SM3", halves(i.SM3)),
		join(
			label("来源", "Source", i.Source), label("提取地点", "Place", i.Place), label("提取人", "Extracted by", b.who(i.Extractor)), label("第二人", "Second person", b.who(i.Second)),
			label("提取时间", "Extracted", b.moment(i.At)), label("工具", "Tool", i.Tool), label("入库", "Taken in", b.moment(i.Stored)),
		),
		join(place, about, parent, custody, label("备注", "Notes", strings.Join(notes, b.w("；", "; "))), label("用语说明", "Words explained", short(i.Glossary, 200))),
	}
}
