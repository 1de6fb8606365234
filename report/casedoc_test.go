package report

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"bonafide"
)

// shanghai is the zone of the made-up case.
var shanghai = time.FixedZone("Asia/Shanghai", 8*3600)

// madeUpCase is a case with so many complaints and items.
func madeUpCase(complaints, items int) *CaseFile {
	f := &CaseFile{
		Lender: "示例消费金融有限公司", Seal: 2, Variant: "police", Sealed: on(5, 20, 7), Zone: shanghai, Version: "0.9.0",
		People: map[string]string{"person:li": "李核查", "person:wang": "王法务", "person:chen": "陈固证"},
		Case: bonafide.Case{
			ID: "c7", Number: 7, Title: "“债务优化”代理投诉案", Reason: "多件投诉使用同一退款账户", Stage: bonafide.StageReported, Begun: on(3, 1, 2), Since: on(5, 1, 2),
			Assignee: "person:li", Group: []string{"person:chen"}, Gang: true, Hold: true, Innocent: "已核查是否为同一律师代理：不是；是否系统故障：3 月 4 日无故障。",
			Numbers: map[string]string{"receipt": "受案字〔2025〕12 号"},
			Parties: []bonafide.Party{
				{ID: "p1", Role: bonafide.RoleOrganiser, Organisation: true, Name: "示例信息咨询有限公司", Basis: "证据 3、4", Identifiers: []bonafide.Identifier{{Kind: bonafide.Phone, Value: "+86 170 0000 0000"}}},
				{ID: "p2", Role: bonafide.RoleAgent, Name: "张某", Under: "p1", Basis: "证据 5"},
				{ID: "p3", Role: bonafide.RoleRecruiter, Name: "网名“上岸指南”", Under: "p1", Basis: "广告 1"},
				{ID: "p4", Role: bonafide.RoleVictim, Name: "不得出现", Complaint: "k2", Under: "p2", Basis: "访谈"},
				{ID: "p5", Role: bonafide.RoleUnknown, Under: "p5", Basis: "同一号码"},
			},
			Losses: []bonafide.Loss{
				{Kind: "refunded", Complaint: "k1", Amount: bonafide.Amount{Minor: 123456, Currency: "CNY"}, Basis: "退款凭证"},
				{Kind: "refunded", Complaint: "k2", Amount: bonafide.Amount{Minor: 100000, Currency: "CNY"}, Basis: "退款凭证"},
				{Kind: "at-risk", Amount: bonafide.Amount{Minor: 5000000, Currency: "CNY"}, Basis: "未偿本金"},
				{Kind: "cost", Amount: bonafide.Amount{Minor: 900, Currency: "JPY"}, Basis: "postage"},
			},
			Handovers: []bonafide.Handover{{To: "police", Unit: "某市公安局经侦支队", Variant: "police", Seal: 1, Items: []string{"i1", "i2"}, Receipt: "R-1", At: on(5, 2, 3), By: "person:li"}},
			Requests:  []bonafide.MaterialRequest{{From: "police", What: "补充录音原件", Asked: on(5, 9, 3), Due: on(5, 16, 3)}},
		},
		Steps: []bonafide.CaseStep{
			{N: 1, At: on(3, 1, 2), By: "person:li", What: "begin", To: bonafide.StageClue, Reason: "多件投诉使用同一退款账户"},
			{N: 2, At: on(3, 2, 2), By: "person:li", What: "open", From: bonafide.StageClue, To: bonafide.StageOpened},
			{N: 3, At: on(4, 2, 2), By: "person:li", What: "ask-report", From: bonafide.StagePrepared, To: bonafide.StagePrepared, Reason: "材料齐备"},
			{N: 4, At: on(5, 1, 2), By: "person:wang", Second: "person:li", What: "report", From: bonafide.StagePrepared, To: bonafide.StageReported, Reason: "材料齐备", Number: "2025-0007"},
			{N: 5, At: on(5, 3, 2), By: "system:watch", What: "watched", From: bonafide.StageReported, To: bonafide.StageReported},
		},
		Offences: []OffenceSheet{{
			ID: "K04", Statute: "Criminal Law of China, article 274", Title: Words{"敲诈勒索", "Extortion"},
			Elements: []ElementLine{
				{ID: "threat", Title: Words{"威胁、要挟：何人、对何人、说了什么", "A threat: what was said, by whom, to whom"}, Exhibits: []int{1, 2, 3, 9}, Notes: []string{"录音 00:41"}},
				{ID: "amount", Title: Words{"数额较大，或者二年内三次以上", "The amount, or that it was done three times in two years"}, Notes: []string{"尚无证据"}},
			},
		}},
		Methods: []MethodLine{{ID: "A2", Title: Words{"退息退费", "Refund of interest and fees"}, Judged: true, Count: 9, Of: 12, Signs: []string{"word 退息 ×7", "thing document ×3", "fact agency-paid ×2", "channels  ×4"}}},
		Months:  []MonthLine{{"2025-03", 4, "regulator 3, hotline 1", "A2 3, A1 1"}, {"2025-04", 8, "portal 8", "A2 8"}},
		Adverts: []AdvertLine{{Advert: bonafide.Advert{Where: "短视频平台", URL: "https://example.org/v/1", Seen: on(3, 3, 3), Text: "专业停息挂账，成功率高", Publisher: "上岸指南"}, Complaints: 5}},
		Slang:   []SlangLine{{Term: "上岸", Meaning: Words{"还清或摆脱债务", "to come ashore: to be free of debt"}, Items: []int{1, 2, 3}}},
	}
	ring := bonafide.Ring{
		ID: "r1", Families: []bonafide.Family{bonafide.FamilyIdentity, bonafide.FamilyText}, Score: 0.97, Why: []string{"phone 1 was used by 4 customers in 3 regions", "letter 1 is the same in 9 of 12"},
		Innocent: []string{"one lawyer writes for all of them"},
		Decisions: []bonafide.Decision{
			{Verb: bonafide.Confirm, By: "person:li", At: on(3, 20, 2), Reason: "同一退款账户", Innocent: "不是同一律师"},
			{Verb: bonafide.Confirm, By: "person:wang", At: on(3, 21, 2), Reason: "复核一致", Innocent: "已复核"},
		},
	}
	phone, paper := bonafide.SharedThing{Label: "phone 1", Kind: "phone", Family: bonafide.FamilyIdentity}, bonafide.SharedThing{Label: "paper 1", Kind: "document", Family: bonafide.FamilyDocument}
	for n := 1; n <= complaints; n++ {
		id := fmt.Sprintf("k%d", n)
		d := Dossier{
			Number: n, Complaint: bonafide.Complaint{ID: id, Text: "本人要求退还多收的利息。", Customer: bonafide.Customer{Name: "赵某"}}, Received: on(3, 1+n%28, 3), State: "investigating", Role: bonafide.RoleVictim,
			Exculpatory: []Exculpatory{{Code: "innocent", About: "同一律师代理多名客户"}},
			Verdict:     &bonafide.Verdict{ID: id, Level: bonafide.Level2, Ring: "r1", Why: []string{"phone 1 was used by others"}},
		}
		switch n {
		case 2:
			d.Outcome = "upheld"
			d.Exculpatory = append(d.Exculpatory, Exculpatory{"upheld", "upheld"}, Exculpatory{"merit-substantiated", "night-call"})
			d.Merit = &bonafide.Merit{Checked: on(3, 9, 3), Rules: "cn 2025.1", Tested: []string{"night-call"}, Findings: []bonafide.Finding{{Rule: "night-call", Standing: bonafide.Substantiated, Basis: "some rule", Text: "2 calls at night.", From: on(2, 1, 1), To: on(2, 2, 1), Count: 2, Rows: []bonafide.RowRef{{Kind: "call", ID: "call-1"}}}}}
			d.Items = []int{1}
			d.Steps = []DossierStep{{on(3, 4, 1), "register", "registered", ""}, {on(3, 20, 1), "decide", "decided", "夜间来电属实"}}
			d.Verifications = []bonafide.Verification{{Kind: bonafide.VerifyIdentity, Way: bonafide.ByPhone, By: "person:chen", Opened: on(3, 5, 1), Outcome: "confirmed", Finding: "本人投诉", SignedBy: "person:chen", Signed: on(3, 6, 1), Attempts: []bonafide.Attempt{{At: on(3, 5, 2), By: "person:chen", Way: bonafide.ByPhone, Result: bonafide.Reached}}}}
		case 3:
			d.Erased, d.Complaint, d.Verdict, d.Exculpatory, d.Items = true, bonafide.Complaint{ID: id}, nil, nil, []int{2}
		case 4:
			d.Exculpatory = nil
		}
		f.Dossiers = append(f.Dossiers, d)
		f.Case.Complaints = append(f.Case.Complaints, id)
		ring.Members = append(ring.Members, id)
		if n%3 != 0 {
			phone.Members = append(phone.Members, id)
		}
		if n%2 == 0 {
			paper.Members = append(paper.Members, id)
		}
	}
	ring.Shared = []bonafide.SharedThing{phone, paper}
	f.Rings = []bonafide.Ring{ring}
	for n := 1; n <= items; n++ {
		i := ItemLine{
			Item: bonafide.Item{
				ID: fmt.Sprintf("i%d", n), Number: n, Name: fmt.Sprintf("录音%d.wav", n), Category: "audio-visual", Complaint: "k2", Size: 1234567, SHA256: strings.Repeat("0123456789abcdef", 4), SM3: strings.Repeat("fedcba9876543210", 4),
				MIME: "audio/wav", Format: "WAV audio", Source: "呼叫系统 CTI-2", Extractor: "person:chen", Second: "person:wang", Tool: "ffmpeg 7.1", Place: "上海机房 A", At: on(4, 1, 2), Stored: on(4, 1, 3),
			},
			Path: fmt.Sprintf("items/%04d-i%d.wav", n, n), Custody: n % 4,
		}
		switch n {
		case 2:
			i.Path, i.Left, i.Erased = "", "erased", true
		case 3:
			i.Path, i.Left, i.Name = "", "personal", ""
		case 4:
			i.Parent, i.Notes = "i1", []bonafide.Remark{{Code: "name-differs", Value: "audio/mpeg"}, {Code: "macros"}}
		}
		f.Items = append(f.Items, i)
	}
	return f
}

func coverText(t *testing.T, f *CaseFile, lang string) string {
	t.Helper()
	text, err := coverOf(f, lang).text()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func soundPDF(t *testing.T, b []byte, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(b, []byte("%PDF-")) || !bytes.HasSuffix(bytes.TrimRight(b, "\r\n"), []byte("%%EOF")) {
		t.Fatalf("not a PDF: %d bytes", len(b))
	}
}

func TestCoverSaysWhatSpeaksForThemFirst(t *testing.T) {
	f := madeUpCase(5, 6)
	for lang, want := range map[string][]string{
		"zh": {"一、材料目录", "VERIFY.html", "二、案情", "四、组织结构", "五、对投诉人有利的事实", "诉求属实：机构自身记录显示违规：夜间来电", "六、要件与证据对照", "1–3, 9", "七、损失", "2,234.56 CNY", "八、人作出的决定", "王法务（第二人；第一人：李核查）", "李核查；王法务（两人决定）", "十、行话释义", "相似不等于有罪"},
		"en": {"1. What the pack holds", "VERIFY.html", "2. What happened", "4. Organisation", "5. What speaks for every complainant", "merit substantiated: the lender's own records show a breach: calls at night", "6. Elements of offences", "1–3, 9", "7. Losses", "2,234.56 CNY", "900 JPY", "8. What people decided", "李核查 and 王法务 (two decided)", "10. Words of the trade", "Likeness is not guilt"},
	} {
		text := coverText(t, f, lang)
		at := 0
		for _, w := range want {
			i := strings.Index(text[at:], w)
			if i < 0 {
				t.Fatalf("%s: %q is not where it should be in:\n%s", lang, w, text)
			}
			at += i
		}
		if strings.Contains(text, "不得出现") || strings.Contains(text, "赵某") {
			t.Errorf("%s: the cover names a borrower", lang)
		}
		// The grievance that is right stands above all others.
		head := text[strings.Index(text, want[4])+len(want[4]):]
		if first, other := strings.Index(head, want[5]), strings.Index(head, "同一律师代理多名客户"); first < 0 || other < first {
			t.Errorf("%s: the substantiated complaint is not the first", lang)
		}
	}
}

func TestItemListHasWhatIsSigned(t *testing.T) {
	text, err := itemsOf(madeUpCase(5, 6), "zh").text()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"提取电子数据清单", "录音1.wav", "视听资料", "1,234,567 字节", "0123456789abcdef0123456789abcdef\n0123456789abcdef0123456789abcdef", "SM3", "呼叫系统 CTI-2", "提取人：陈固证", "第二人：王法务",
		"ffmpeg 7.1", "items/0001-i1.wav", "内容已删除，保留校验值", "含个人信息，本版本未附", "第 1 项", "含宏", "提取人（签名）", "见证人／第二人（签名）", "持有人／单位（盖章）", "日期",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the list does not say %q", want)
		}
	}
}

func TestPackDocumentsAreTheSameTwice(t *testing.T) {
	f := madeUpCase(5, 6)
	for _, lang := range []string{"zh", "en"} {
		for name, write := range map[string]func(*CaseFile, string) ([]byte, error){"cover": CaseCover, "items": ItemList} {
			one, err := write(f, lang)
			soundPDF(t, one, err)
			two, err := write(f, lang)
			soundPDF(t, two, err)
			if !bytes.Equal(one, two) {
				t.Errorf("%s.%s: not the same bytes twice", name, lang)
			}
		}
	}
}

func TestPackDocumentsOfAnEmptyCase(t *testing.T) {
	for _, lang := range []string{"zh", "en", ""} {
		f := &CaseFile{}
		b, err := CaseCover(f, lang)
		soundPDF(t, b, err)
		b, err = ItemList(f, lang)
		soundPDF(t, b, err)
		if _, err := DossierHTML(&Dossier{}, f); err != nil {
			t.Error(err)
		}
	}
}

func TestOrganisationInACircleIsDrawn(t *testing.T) {
	f := madeUpCase(1, 0)
	f.Case.Parties = []bonafide.Party{{ID: "a", Role: bonafide.RoleAgent, Name: "甲", Under: "b"}, {ID: "b", Role: bonafide.RoleAgent, Name: "乙", Under: "a"}}
	b, err := CaseCover(f, "zh")
	soundPDF(t, b, err)
}

// TestChineseComesOut reads a cover back with pdftotext.
func TestChineseComesOut(t *testing.T) {
	tool, err := exec.LookPath("pdftotext")
	if err != nil {
		t.Skip("pdftotext is not on this machine")
	}
	b, err := CaseCover(madeUpCase(5, 6), "zh")
	soundPDF(t, b, err)
	file := filepath.Join(t.TempDir(), "cover.pdf")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tool, file, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"示例消费金融有限公司", "对投诉人有利的事实", "案件材料封面"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q does not come out again", want)
		}
	}
}

func TestEveryWordOfAPackIsInBothLanguages(t *testing.T) {
	full := func(what, key string, w tongues, ok bool) {
		t.Helper()
		if !ok || w[0] == "" || w[1] == "" {
			t.Errorf("%s %q has no words in both languages", what, key)
		}
	}
	for _, s := range bonafide.Stages {
		w, ok := stageWords[s]
		full("stage", string(s), w, ok && w[2] != "")
		for _, m := range s.Moves() {
			w, ok := stepWords[string(m)]
			full("move", string(m), w, ok)
		}
	}
	for _, x := range bonafide.Exits {
		w, ok := exitWords[x]
		full("exit", string(x), w, ok && w[2] != "")
	}
	for _, r := range bonafide.PartyRoles {
		w, ok := roleWords[r]
		full("role", string(r), w, ok)
	}
	for _, k := range bonafide.LossKinds {
		w, ok := lossWords[k]
		full("loss", k, w, ok)
	}
	for _, k := range bonafide.Recipients {
		w, ok := recipientWords[k]
		full("recipient", k, w, ok)
	}
	for _, k := range bonafide.ItemCategories {
		w, ok := itemWords[k]
		full("item", k, w, ok)
	}
	for _, k := range ExculpatoryCodes {
		w, ok := exculpatoryWords[k]
		full("exculpatory", k, w, ok)
	}
	if len(exculpatoryWords) != len(ExculpatoryCodes) {
		t.Error("words for exculpatory codes that do not exist")
	}
	for _, l := range []bonafide.Level{bonafide.LevelNone, bonafide.Information, bonafide.Individual, bonafide.Level2, bonafide.Level1} {
		w, ok := levelPackWords[l]
		full("level", string(l), w, ok && w[2] != "")
	}
	for _, k := range bonafide.Families {
		w, ok := familyPackWords[k]
		full("family", string(k), w, ok && w[2] != "")
	}
	for key, w := range figureWords {
		full("figure", key, w, w[2] != "")
	}
	for _, table := range []map[string]tongues{stepWords, leftWords, variantWords, outcomeWords, trackWords, trackVerbWords, ruleWords, verifyWords, sharedKindWords, signWords, channelWords, noteWords, establishedWords} {
		for key, w := range table {
			full("word", key, w, true)
		}
	}
	face, err := loadFace()
	if err != nil {
		t.Fatal(err)
	}
	// What the program itself says can be shown.
	escaped := regexp.MustCompile(`〔U\+[0-9A-F ]+`)
	f := madeUpCase(5, 6)
	for _, lang := range []string{"zh", "en"} {
		if at := escaped.FindString(coverText(t, f, lang)); at != "" {
			t.Errorf("%s: the font lacks %s", lang, at)
		}
	}
	for _, r := range "–—…·×“”‘’№〔〕•→ãõçáéíóúâêôàÃÕÇ" {
		if r != '•' && !face.has[r] {
			t.Errorf("the font lacks %q", r)
		}
	}
}

func TestDossierFollowsTheOrderOfJustice(t *testing.T) {
	f := madeUpCase(5, 6)
	b, err := DossierHTML(&f.Dossiers[1], f)
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	at := 0
	for _, want := range []string{"default-src &#39;none&#39;", "本人要求退还多收的利息", "诉求属实：机构自身记录显示违规：夜间来电", "2 calls at night.", "夜间来电属实", "Phone 1 was used by others.", "本人投诉", "录音1.wav"} {
		i := strings.Index(page[at:], strings.ReplaceAll(want, "&#39;", "'"))
		if i < 0 {
			t.Fatalf("%q is not where it should be", want)
		}
		at += i
	}
	if strings.Contains(page, "<script") {
		t.Error("a dossier has a script")
	}
	same, err := DossierHTML(&f.Dossiers[1], f)
	if err != nil || !bytes.Equal(b, same) {
		t.Error("not the same bytes twice", err)
	}
}

func TestDossierOfAnErasedComplaintSaysOnlyThat(t *testing.T) {
	f := madeUpCase(5, 6)
	d := f.Dossiers[2]
	d.Complaint.Text, d.Steps = "must not show", []DossierStep{{on(1, 1, 1), "decide", "decided", "must not show"}}
	b, err := DossierHTML(&d, f)
	if err != nil {
		t.Fatal(err)
	}
	if page := string(b); strings.Contains(page, "must not show") || strings.Contains(page, "录音2.wav") || !strings.Contains(page, f.Items[1].SHA256) || !strings.Contains(page, "内容已删除") {
		t.Error("the page of an erased complaint says more than that, or hides the digests")
	}
}

func TestHostileTextInPackDocuments(t *testing.T) {
	for _, s := range hostileTexts {
		f := madeUpCase(3, 3)
		f.Lender, f.Case.Title, f.Case.Reason, f.Version = s, s, s, s
		f.Rings[0].Why, f.Rings[0].Shared[0].Label = []string{s, s}, s
		f.Case.Parties[0].Name, f.Case.Parties[1].Basis = s, s
		f.Items[0].Name, f.Items[0].SHA256, f.Items[0].Source = s, s, s
		f.Dossiers[0].Exculpatory = []Exculpatory{{Code: s, About: s}}
		d := &f.Dossiers[1]
		d.Complaint.Text, d.Complaint.ID, d.Verdict.Why, d.Steps[0].Reason = s, s, []string{s}, s
		b, err := CaseCover(f, "zh")
		soundPDF(t, b, err)
		b, err = ItemList(f, "en")
		soundPDF(t, b, err)
		page, err := DossierHTML(d, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"<script>", "<img", "onerror=\""} {
			if strings.Contains(string(page), bad) {
				t.Errorf("the page of a dossier holds %q", bad)
			}
		}
		for _, r := range string(page) {
			if directs(r) {
				t.Errorf("the page of a dossier turns its direction by %U", r)
			}
		}
	}
}

// hostileTexts are texts that people might write into a complaint.
var hostileTexts = []string{
	"<script>alert(1)</script><img src=x onerror=\"alert(1)\">", "\x00\x01\x02\x1b[31m", "\xff\xfe\xed\xa0\x80\xed\xbf\xbf", "😀👩‍👩‍👧‍👦🏳️‍🌈🇨🇳", "\u202egnp.exe\u2066\u2069\u200f", "שלום עולם مرحبا بالعالم",
	strings.Repeat("a", 10_000), strings.Repeat("投", 10_000), strings.Repeat("e\u0301\u0300\u0302\u0303", 3000), "()\\)(\\\\ endstream endobj BT ET", "=HYPERLINK(\"x\")", "\r\n\r\n\t\v\f", "", " ", strings.Repeat("\n", 5000), "𠮷𡘙 \U0010FFFF \uFFFF \uFFFE \uFEFF",
	"{{.}} ${x} %s %d %!", "\u00ad\u200b\u200c\u200d\u2060",
}

func TestCoverOfALargeCaseIsFast(t *testing.T) {
	f := madeUpCase(300, 1000)
	start := time.Now()
	b, err := CaseCover(f, "zh")
	soundPDF(t, b, err)
	cover := time.Since(start)
	start = time.Now()
	list, err := ItemList(f, "zh")
	soundPDF(t, list, err)
	t.Logf("cover: %v, %d bytes; list of items: %v, %d bytes", cover, len(b), time.Since(start), len(list))
	if cover > 20*time.Second {
		t.Errorf("the cover took %v", cover)
	}
}

func BenchmarkCover(b *testing.B) {
	f := madeUpCase(300, 1000)
	for b.Loop() {
		if _, err := CaseCover(f, "zh"); err != nil {
			b.Fatal(err)
		}
	}
}

func TestSpans(t *testing.T) {
	for want, of := range map[string][]int{"": nil, "1": {1}, "1, 2": {2, 1}, "1–3, 7": {7, 3, 2, 1, 1}} {
		if got := spans(slices.Clone(of)); got != want {
			t.Errorf("spans(%v): got %q, want %q", of, got, want)
		}
	}
}

func TestMoneyHasTheDecimalsOfItsCurrency(t *testing.T) {
	for _, c := range []struct {
		minor    int64
		currency string
		want     string
	}{{0, "CNY", "0.00 CNY"}, {5, "CNY", "0.05 CNY"}, {123456789, "CNY", "1,234,567.89 CNY"}, {-123456, "BRL", "-1,234.56 BRL"}, {1234, "JPY", "1,234 JPY"}, {1234, "KWD", "1.234 KWD"}, {-9223372036854775808, "CNY", "-92,233,720,368,547,758.08 CNY"}} {
		if got := money(c.minor, c.currency); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
