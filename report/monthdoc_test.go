package report

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"bonafide"

	"github.com/xuri/excelize/v2"
)

func madeUpMonth() *MonthSheet {
	m := &MonthSheet{
		Lender: "示例消费金融有限公司", Version: "0.9.0", From: time.Date(2025, 4, 1, 0, 0, 0, 0, shanghai), To: time.Date(2025, 5, 1, 0, 0, 0, 0, shanghai), Made: on(5, 2, 3), Zone: shanghai,
		Cases: []MonthFigure{
			{"pushed", 3, []MonthCase{{7, "“债务优化”代理投诉案", "reported"}, {8, "=HYPERLINK(\"http://x\")", "opened"}, {9, "-2+3", "clue"}}},
			{"filed", 1, nil},
			{"preparation", 2, nil},
			{"gang", 1, nil},
			{"reported", 1, []MonthCase{{7, "“债务优化”代理投诉案", "reported"}}},
		},
		Amounts:    []MonthAmount{{"CNY", 123456}, {"JPY", 900}},
		Complaints: []MonthFigure{{"received", 120, nil}, {"decided", 95, nil}, {"level.information", 7, nil}, {"level.individual", 1, nil}, {"level.level-2", 12, nil}, {"level.level-1", 1, nil}, {"something-new", 4, nil}},
		Upheld:     MonthShare{3, 10}, Clocks: MonthShare{90, 95},
		Detectors: []MonthDetector{{"identity", 19, 20, false}, {"voice", 1, 3, true}, {"other", 0, 0, false}},
	}
	for _, x := range bonafide.Exits {
		m.Cases = append(m.Cases, MonthFigure{"exit." + string(x), 1, nil})
	}
	return m
}

func TestMonthlySheetInThreeLanguages(t *testing.T) {
	m := madeUpMonth()
	for lang, want := range map[string][]string{
		"zh": {"月度统计表", "2025-04-01 – 2025-04-30", "本月立项案件", "团伙性质", "结案：训诫", "1,234.56 CNY", "建议级别：二级（建议）", "something-new", "30.0 %", "声音（已停用）", "已报案"},
		"en": {"Monthly sheet", "cases opened in the month", "closed: admonition", "900 JPY", "something-new", "94.7 %", "voice (switched off)", "reported"},
		"pt": {"Folha mensal", "casos abertos no mês", "encerrados: advertência", "reclamações recebidas", "something-new", "comunicado à polícia"},
	} {
		text, err := monthOf(m, lang).text()
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: %q is not there", lang, w)
			}
		}
		if strings.Contains(text, "〔U+") {
			t.Errorf("%s: the font lacks something", lang)
		}
		one, err := MonthPDF(m, lang)
		soundPDF(t, one, err)
		two, err := MonthPDF(m, lang)
		soundPDF(t, two, err)
		if !bytes.Equal(one, two) {
			t.Errorf("%s: not the same bytes twice", lang)
		}
	}
}

func TestMonthlyWorkbookIsReadBack(t *testing.T) {
	m := madeUpMonth()
	for _, lang := range []string{"zh", "en", "pt"} {
		b, err := MonthXLSX(m, lang)
		if err != nil {
			t.Fatal(err)
		}
		again, err := MonthXLSX(m, lang)
		if err != nil || !bytes.Equal(b, again) {
			t.Errorf("%s: not the same bytes twice: %v", lang, err)
		}
		x, err := excelize.OpenReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if got := len(x.GetSheetList()); got != 3 {
			t.Errorf("%s: %d sheets, want the figures and two lists", lang, got)
		}
		first := x.GetSheetName(0)
		rows, err := x.GetRows(first)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for i, row := range rows {
			if len(row) > 1 && row[0] == figureSaid("received", lang) {
				found = row[1] == "120"
				kind, err := x.GetCellType(first, "B"+itoa(i+1))
				if err != nil || kind == excelize.CellTypeSharedString || kind == excelize.CellTypeInlineString {
					t.Errorf("%s: a number is no number: %v %v", lang, kind, err)
				}
			}
		}
		if !found {
			t.Errorf("%s: the complaints received are not in %v", lang, rows)
		}
		cases, err := x.GetRows(x.GetSheetName(1))
		if err != nil || len(cases) != 4 {
			t.Fatalf("%s: %v %v", lang, cases, err)
		}
		if got := cases[2][1]; !strings.HasPrefix(got, "'=") {
			t.Errorf("%s: a formula got through: %q", lang, got)
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	}
}

func itoa(n int) string { return number(n) }

func TestMonthlyRowsAreReadBack(t *testing.T) {
	b, err := MonthCSV(madeUpMonth())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	has := func(want ...string) {
		t.Helper()
		for _, row := range rows {
			if strings.HasPrefix(strings.Join(row, "|"), strings.Join(want, "|")) {
				return
			}
		}
		t.Errorf("no row %v", want)
	}
	has("row", "key", "count", "of")
	has("figure", "pushed", "3")
	has("figure", "exit.admonition", "1")
	has("share", "upheld", "3", "10")
	has("amount-minor", "CNY", "123456")
	has("detector-off", "voice", "1", "3")
	has("case", "pushed", "", "", "8", "'=HYPERLINK(\"http://x\")", "opened")
	has("case", "pushed", "", "", "9", "'-2+3", "clue")
}

func TestMonthlySheetOfNothingAndOfHostileText(t *testing.T) {
	sheets := []*MonthSheet{{}}
	for _, s := range hostileTexts {
		sheets = append(sheets, &MonthSheet{
			Lender: s, Version: s, Cases: []MonthFigure{{s, 1, []MonthCase{{1, s, s}}}, {s, 1, []MonthCase{{1, s, s}}}}, Amounts: []MonthAmount{{s, -9223372036854775808}}, Complaints: []MonthFigure{{s, -1, nil}},
			Detectors: []MonthDetector{{s, 1, 0, true}},
		})
	}
	for _, m := range sheets {
		b, err := MonthPDF(m, "zh")
		soundPDF(t, b, err)
		b, err = MonthXLSX(m, "pt")
		if err != nil {
			t.Fatal(err)
		}
		x, err := excelize.OpenReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
		b, err = MonthCSV(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := csv.NewReader(bytes.NewReader(b)).ReadAll(); err != nil {
			t.Error(err)
		}
	}
}
