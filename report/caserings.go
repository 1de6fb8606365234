package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"bonafide"
)

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
