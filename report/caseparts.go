package report

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"bonafide"
)

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
