package report

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"bonafide"

	"github.com/xuri/excelize/v2"
)

// figureWords names the figures of the monthly sheet. Exits and levels are in monthWords.
var figureWords = map[string]tongues{
	"pushed":      {"本月立项案件", "cases opened in the month", "casos abertos no mês"},
	"filed":       {"公安机关立案", "filed by the police", "instaurados pela polícia"},
	"preparation": {"筹备中（月末）", "in preparation at the end of the month", "em preparação no fim do mês"},
	"gang":        {"团伙性质（人工判断）", "of gang type, as people judge", "do tipo quadrilha, segundo pessoas"},
	"reported":    {"本月报案", "reported to the police in the month", "comunicados à polícia no mês"},
	"received":    {"收到投诉", "complaints received", "reclamações recebidas"},
	"decided":     {"已决定投诉", "complaints decided", "reclamações decididas"},
	"upheld":      {"被建议级别的已决投诉中，支持客户的", "upheld, of those decided against which a level was proposed", "procedentes, entre as decididas com nível proposto"},
	"in-time":     {"已决投诉中，按期决定的", "decided in time, of those decided", "decididas no prazo, entre as decididas"},
}

// Words of the monthly sheet.
var (
	monthTitle     = tongues{"月度统计表", "Monthly sheet", "Folha mensal"}
	monthPeriod    = tongues{"统计期间", "Period", "Período"}
	monthMade      = tongues{"生成时间", "Made", "Emitido"}
	monthLender    = tongues{"机构", "Lender", "Instituição"}
	monthProgram   = tongues{"生成程序", "Made by", "Emitido por"}
	monthCases     = tongues{"案件", "Cases", "Casos"}
	monthAmounts   = tongues{"本月立项案件的涉案损失", "Losses of the cases opened in the month", "Perdas dos casos abertos no mês"}
	monthComplaint = tongues{"投诉", "Complaints", "Reclamações"}
	monthShares    = tongues{"比例", "Shares", "Proporções"}
	monthDetectors = tongues{"证据类型与盲审准确率", "Kinds of evidence, and how often blind audits found them right", "Tipos de evidência e acertos em auditoria cega"}
	monthFigure    = tongues{"项目", "Figure", "Indicador"}
	monthCount     = tongues{"数量", "Count", "Quantidade"}
	monthWhole     = tongues{"总数", "Of", "De"}
	monthShare     = tongues{"比例", "Share", "Proporção"}
	monthNumber    = tongues{"案件编号", "Case", "Caso"}
	monthName      = tongues{"名称", "Title", "Título"}
	monthStage     = tongues{"阶段", "Stage", "Fase"}
	monthCurrency  = tongues{"币种", "Currency", "Moeda"}
	monthAmount    = tongues{"金额", "Amount", "Valor"}
	monthClosed    = tongues{"结案：", "closed: ", "encerrados: "}
	monthLevel     = tongues{"建议级别：", "proposed: ", "proposto: "}
	monthOff       = tongues{"（已停用）", " (switched off)", " (desligado)"}
	monthBehind    = tongues{"各项对应的案件", "The cases behind the figures", "Os casos por trás dos números"}
	monthNone      = tongues{"没有数据。", "There is nothing.", "Não há dados."}
	monthNote      = tongues{
		"级别均为建议，由人决定；投诉是否属实与级别无关。比例的分母为零时不计算。",
		"Levels are proposals that people decide; whether a complaint is right is a question apart. A share of nothing is not computed.",
		"Os níveis são propostas que pessoas decidem; se a reclamação tem fundamento é outra questão. Uma proporção de nada não se calcula.",
	}
)

// figureSaid names a figure by its key; one that is not known is shown as it is.
func figureSaid(key, lang string) string {
	if exit, ok := strings.CutPrefix(key, "exit."); ok {
		if w, ok := exitWords[bonafide.Exit(exit)]; ok {
			return monthClosed.in(lang) + w.in(lang)
		}
	}
	if level, ok := strings.CutPrefix(key, "level."); ok {
		if w, ok := levelPackWords[bonafide.Level(level)]; ok && level != "" {
			return monthLevel.in(lang) + w.in(lang)
		}
	}
	return said(figureWords, key, lang)
}

func (m *MonthSheet) zone() *time.Location {
	if m.Zone == nil {
		return time.UTC
	}
	return m.Zone
}

// period writes the days of the sheet, the last one included.
func (m *MonthSheet) period() string {
	return m.From.In(m.zone()).Format(time.DateOnly) + " – " + m.To.Add(-time.Nanosecond).In(m.zone()).Format(time.DateOnly)
}

func percent(part, of int) string {
	if of <= 0 {
		return "–"
	}
	return strconv.FormatFloat(100*float64(part)/float64(of), 'f', 1, 64) + " %"
}

// detectorName names a kind of evidence, and says where it is switched off.
func detectorName(d MonthDetector, lang string) string {
	name := said(familyPackWords, bonafide.Family(d.Name), lang)
	if d.Off {
		name += monthOff.in(lang)
	}
	return name
}

// MonthPDF writes the monthly sheet as a PDF, in "zh", "en" or "pt". The same sheet gives the
// same bytes.
func MonthPDF(m *MonthSheet, lang string) ([]byte, error) { return monthOf(m, lang).pdf() }

func monthOf(m *MonthSheet, lang string) *document {
	d := &document{
		Lang: lang, Title: m.Lender + " · " + monthTitle.in(lang), Mark: m.period(), Maker: "bonafide " + m.Version, Made: m.Made,
	}
	d.Blocks = []block{
		titleBlock{monthTitle.in(lang), m.period()},
		factsBlock{
			{monthLender.in(lang), m.Lender},
			{monthPeriod.in(lang), m.period() + " (" + m.zone().String() + ")"},
			{monthMade.in(lang), m.Made.In(m.zone()).Format("2006-01-02 15:04 -07:00")},
			{monthProgram.in(lang), "bonafide " + m.Version},
		},
	}
	figures := func(title tongues, of []MonthFigure) {
		d.Blocks = append(d.Blocks, headingBlock{1, title.in(lang)})
		if len(of) == 0 {
			d.Blocks = append(d.Blocks, paraBlock{Text: monthNone.in(lang)})
			return
		}
		t := tableBlock{Heads: []string{monthFigure.in(lang), monthCount.in(lang)}, Widths: []float64{6, 1.5}, Right: []int{1}, Size: 9.5}
		for _, f := range of {
			t.Rows = append(t.Rows, []string{figureSaid(f.Key, lang), strconv.Itoa(f.Count)})
		}
		d.Blocks = append(d.Blocks, t)
	}
	figures(monthCases, m.Cases)
	if len(m.Amounts) > 0 {
		t := tableBlock{Heads: []string{monthCurrency.in(lang), monthAmount.in(lang)}, Widths: []float64{3, 3}, Right: []int{1}, Size: 9.5}
		for _, a := range m.Amounts {
			t.Rows = append(t.Rows, []string{a.Currency, money(a.Minor, a.Currency)})
		}
		d.Blocks = append(d.Blocks, headingBlock{2, monthAmounts.in(lang)}, t)
	}
	figures(monthComplaint, m.Complaints)
	heads := []string{monthFigure.in(lang), monthCount.in(lang), monthWhole.in(lang), monthShare.in(lang)}
	d.Blocks = append(d.Blocks, headingBlock{1, monthShares.in(lang)}, tableBlock{
		Heads: heads, Widths: []float64{6, 1.5, 1.5, 1.5}, Right: []int{1, 2, 3}, Size: 9.5,
		Rows: [][]string{
			{figureSaid("upheld", lang), strconv.Itoa(m.Upheld.Part), strconv.Itoa(m.Upheld.Of), percent(m.Upheld.Part, m.Upheld.Of)},
			{figureSaid("in-time", lang), strconv.Itoa(m.Clocks.Part), strconv.Itoa(m.Clocks.Of), percent(m.Clocks.Part, m.Clocks.Of)},
		},
	})
	if len(m.Detectors) > 0 {
		t := tableBlock{Heads: heads, Widths: []float64{6, 1.5, 1.5, 1.5}, Right: []int{1, 2, 3}, Size: 9.5}
		for _, k := range m.Detectors {
			t.Rows = append(t.Rows, []string{detectorName(k, lang), strconv.Itoa(k.Right), strconv.Itoa(k.Of), percent(k.Right, k.Of)})
		}
		d.Blocks = append(d.Blocks, headingBlock{1, monthDetectors.in(lang)}, t)
	}
	d.Blocks = append(d.Blocks, paraBlock{Small: true, Text: monthNote.in(lang)})
	var behind []block
	for _, f := range slices.Concat(m.Cases, m.Complaints) {
		if len(f.Cases) == 0 {
			continue
		}
		t := tableBlock{Heads: []string{monthNumber.in(lang), monthName.in(lang), monthStage.in(lang)}, Widths: []float64{1.2, 5, 2.5}}
		for _, c := range f.Cases {
			t.Rows = append(t.Rows, []string{strconv.Itoa(c.Number), c.Title, said(stageWords, bonafide.Stage(c.Stage), lang)})
		}
		behind = append(behind, headingBlock{2, figureSaid(f.Key, lang)}, t)
	}
	if len(behind) > 0 {
		d.Blocks = append(d.Blocks, headingBlock{1, monthBehind.in(lang)})
		d.Blocks = append(d.Blocks, behind...)
	}
	return d
}

// MonthCSV writes the monthly sheet as rows: what kind of row, the key of a figure, its count,
// of how many, and for the case behind a figure its number, title and stage. No cell can be
// taken for a formula.
func MonthCSV(m *MonthSheet) ([]byte, error) {
	var b bytes.Buffer
	out := csv.NewWriter(&b)
	rows := [][]string{{"row", "key", "count", "of", "case", "title", "stage"}}
	add := func(cells ...string) { rows = append(rows, append(cells, make([]string, 7-len(cells))...)) }
	for _, f := range slices.Concat(m.Cases, m.Complaints) {
		add("figure", f.Key, strconv.Itoa(f.Count))
	}
	for _, a := range m.Amounts {
		add("amount-minor", a.Currency, strconv.FormatInt(a.Minor, 10))
	}
	add("share", "upheld", strconv.Itoa(m.Upheld.Part), strconv.Itoa(m.Upheld.Of))
	add("share", "in-time", strconv.Itoa(m.Clocks.Part), strconv.Itoa(m.Clocks.Of))
	for _, d := range m.Detectors {
		kind := "detector"
		if d.Off {
			kind = "detector-off"
		}
		add(kind, d.Name, strconv.Itoa(d.Right), strconv.Itoa(d.Of))
	}
	for _, f := range slices.Concat(m.Cases, m.Complaints) {
		for _, c := range f.Cases {
			add("case", f.Key, "", "", strconv.Itoa(c.Number), c.Title, c.Stage)
		}
	}
	for _, row := range rows {
		for i, cell := range row {
			row[i] = csvCell(cell)
		}
		if err := out.Write(row); err != nil {
			return nil, err
		}
	}
	out.Flush()
	return b.Bytes(), out.Error()
}

// csvCell escapes text for a cell. A negative number stays a number.
func csvCell(s string) string {
	if _, err := strconv.ParseInt(s, 10, 64); err == nil {
		return s
	}
	return Cell(line(s))
}

// mostXLSX bounds the rows of a list, and mostXLSXText the characters of a cell, both below
// what the format allows.
const mostXLSX, mostXLSXText = 100_000, 4_000

// MonthXLSX writes the monthly sheet as a workbook, in "zh", "en" or "pt": one sheet of
// figures, and one for each list of cases. Numbers are numbers; text that looks like a
// formula is escaped. The same sheet gives the same bytes.
func MonthXLSX(m *MonthSheet, lang string) (_ []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("write workbook: %v", r)
		}
	}()
	x := excelize.NewFile()
	defer func() { err = cmp.Or(err, x.Close()) }()
	w := &workbook{x: x, used: map[string]bool{}}
	if w.head, err = x.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}}); err != nil {
		return nil, fmt.Errorf("write workbook: %w", err)
	}
	made := m.Made.UTC().Format(time.RFC3339)
	w.err = x.SetDocProps(&excelize.DocProperties{Creator: xlsxText(m.Lender), Title: xlsxText(monthTitle.in(lang) + " " + m.period()), Created: made, Modified: made, LastModifiedBy: "bonafide"})
	w.open(monthTitle.in(lang), 60, 16, 12, 12)
	w.row(monthLender.in(lang), m.Lender)
	w.row(monthPeriod.in(lang), m.period())
	w.row(monthMade.in(lang), m.Made.In(m.zone()).Format("2006-01-02 15:04 -07:00"))
	w.row()
	w.heads(monthFigure.in(lang), monthCount.in(lang), monthWhole.in(lang), monthShare.in(lang))
	for _, f := range slices.Concat(m.Cases, m.Complaints) {
		w.row(figureSaid(f.Key, lang), f.Count)
	}
	share := func(name string, part, of int) {
		if of > 0 {
			w.row(name, part, of, float64(part)/float64(of))
			return
		}
		w.row(name, part, of)
	}
	share(figureSaid("upheld", lang), m.Upheld.Part, m.Upheld.Of)
	share(figureSaid("in-time", lang), m.Clocks.Part, m.Clocks.Of)
	if len(m.Amounts) > 0 {
		w.row()
		w.heads(monthAmounts.in(lang), monthAmount.in(lang), monthCurrency.in(lang))
		for _, a := range m.Amounts {
			n, ok := digits[a.Currency]
			if !ok {
				n = 2
			}
			amount := float64(a.Minor)
			for range n {
				amount /= 10
			}
			w.row("", amount, a.Currency)
		}
	}
	if len(m.Detectors) > 0 {
		w.row()
		w.heads(monthDetectors.in(lang), monthCount.in(lang), monthWhole.in(lang), monthShare.in(lang))
		for _, d := range m.Detectors {
			share(detectorName(d, lang), d.Right, d.Of)
		}
	}
	for _, f := range slices.Concat(m.Cases, m.Complaints) {
		if len(f.Cases) == 0 {
			continue
		}
		w.open(figureSaid(f.Key, lang), 12, 60, 28)
		w.heads(monthNumber.in(lang), monthName.in(lang), monthStage.in(lang))
		for _, c := range f.Cases[:min(len(f.Cases), mostXLSX)] {
			w.row(c.Number, c.Title, said(stageWords, bonafide.Stage(c.Stage), lang))
		}
	}
	if w.err != nil {
		return nil, fmt.Errorf("write workbook: %w", w.err)
	}
	var b bytes.Buffer
	if err := x.Write(&b); err != nil {
		return nil, fmt.Errorf("write workbook: %w", err)
	}
	return rezip(b.Bytes())
}

// A workbook is written row by row and keeps its first error.
type workbook struct {
	x     *excelize.File
	sheet string
	at    int
	head  int // style
	used  map[string]bool
	err   error
}

// open begins a sheet with columns of these widths.
func (w *workbook) open(title string, widths ...float64) {
	if w.err != nil {
		return
	}
	first := w.sheet == ""
	w.sheet, w.at = w.name(title), 0
	if first {
		w.err = w.x.SetSheetName(w.x.GetSheetName(0), w.sheet)
	} else {
		_, w.err = w.x.NewSheet(w.sheet)
	}
	for i, width := range widths {
		if w.err == nil {
			col := string(rune('A' + i))
			w.err = w.x.SetColWidth(w.sheet, col, col, width)
		}
	}
}

// name makes the name of a sheet: at most 31 UTF-16 units, none of them forbidden, no two the
// same.
func (w *workbook) name(title string) string {
	base := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`:\/?*[]'`, r) || r > 0xFFFF || r < ' ' || r == 0xFFFE || r == 0xFFFF {
			return ' '
		}
		return r
	}, line(title))
	base = strings.TrimSpace(base)
	for n := 1; ; n++ {
		tail := ""
		if n > 1 {
			tail = " " + strconv.Itoa(n)
		}
		runes := []rune(cmp.Or(base, "–"))
		name := strings.TrimSpace(string(runes[:min(len(runes), 31-len(tail))])) + tail
		if key := strings.ToLower(name); !w.used[key] {
			w.used[key] = true
			return name
		}
	}
}

// xlsxText makes text fit for a cell.
func xlsxText(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, line(s))
	return Cell(short(s, mostXLSXText))
}

func (w *workbook) row(cells ...any) {
	w.at++
	for i, c := range cells {
		if w.err != nil {
			return
		}
		at := string(rune('A'+i)) + strconv.Itoa(w.at)
		if s, ok := c.(string); ok {
			w.err = w.x.SetCellStr(w.sheet, at, xlsxText(s))
			continue
		}
		w.err = w.x.SetCellValue(w.sheet, at, c)
	}
}

func (w *workbook) heads(cells ...string) {
	all := make([]any, len(cells))
	for i, c := range cells {
		all[i] = c
	}
	w.row(all...)
	if w.err == nil && len(cells) > 0 {
		at := strconv.Itoa(w.at)
		w.err = w.x.SetCellStyle(w.sheet, "A"+at, string(rune('A'+len(cells)-1))+at, w.head)
	}
}

// rezip writes a zip again with its files in order and without times, so that nothing but the
// content decides about its bytes.
func rezip(b []byte) ([]byte, error) {
	zr, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, fmt.Errorf("write workbook: %w", err)
	}
	files := slices.SortedFunc(slices.Values(zr.File), func(x, y *zip.File) int { return cmp.Compare(x.Name, y.Name) })
	var out bytes.Buffer
	zw := zip.NewWriter(&out)
	for _, f := range files {
		r, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("write workbook: %w", err)
		}
		w, err := zw.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Deflate})
		if err == nil {
			_, err = io.Copy(w, r)
		}
		if err != nil {
			return nil, fmt.Errorf("write workbook: %w", err)
		}
		if err := r.Close(); err != nil {
			return nil, fmt.Errorf("write workbook: %w", err)
		}
	}
	if err := zw.Close(); err != nil {
		return nil, fmt.Errorf("write workbook: %w", err)
	}
	return out.Bytes(), nil
}
