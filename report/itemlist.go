package report

import (
	"slices"
	"strconv"
	"strings"
)

// ItemList writes the list of items that is signed when electronic evidence is taken out and
// fixed, as a PDF, in "zh" or "en". The same case file gives the same bytes.
func ItemList(f *CaseFile, lang string) ([]byte, error) { return itemsOf(f, lang).pdf() }

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
