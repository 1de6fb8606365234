package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"bonafide"
)

var update = flag.Bool("update", false, "renew the golden files")

// golden compares got with a file under testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from what was written (%d bytes, want %d); look at it and run go test ./report -update", name, len(got), len(want))
	}
}

func written(t testing.TB, r *bonafide.Result) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := HTML(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func nothing() *bonafide.Result { return &bonafide.Result{Policy: "nifa-2024 2024.1"} }

func TestGolden(t *testing.T) {
	for _, c := range []struct {
		name  string
		write func(*bytes.Buffer) error
	}{
		{"half-year.html", func(b *bytes.Buffer) error { return HTML(b, halfYear()) }},
		{"half-year.txt", func(b *bytes.Buffer) error { return Summary(b, halfYear(), SummaryOptions{Report: "report.html"}) }},
		{"half-year.csv", func(b *bytes.Buffer) error { return CSV(b, halfYear()) }},
		{"half-year.json", func(b *bytes.Buffer) error { return JSON(b, halfYear()) }},
		{"explain-member.txt", func(b *bytes.Buffer) error { return Explain(b, halfYear(), "C-0319137") }},
		{"explain-public.txt", func(b *bytes.Buffer) error { return Explain(b, halfYear(), "W-0100") }},
		{"explain-routed.txt", func(b *bytes.Buffer) error { return Explain(b, halfYear(), "C-0301977") }},
		{"explain-vulnerable.txt", func(b *bytes.Buffer) error { return Explain(b, halfYear(), "投诉-2025-0460") }},
		{"empty.html", func(b *bytes.Buffer) error { return HTML(b, nothing()) }},
		{"empty.txt", func(b *bytes.Buffer) error { return Summary(b, nothing(), SummaryOptions{}) }},
		{"empty.csv", func(b *bytes.Buffer) error { return CSV(b, nothing()) }},
		{"empty.json", func(b *bytes.Buffer) error { return JSON(b, nothing()) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var a, b bytes.Buffer
			if err := errors.Join(c.write(&a), c.write(&b)); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(a.Bytes(), b.Bytes()) {
				t.Error("the same result gave different bytes")
			}
			golden(t, c.name, a.Bytes())
		})
	}
}

func TestPageKeepsTheOrderOfJustice(t *testing.T) {
	got := string(written(t, halfYear()))
	at := 0
	for _, want := range []string{
		"Nothing here says whether a grievance is right", "<h2 id=\"figures-h\">", "<h2 id=\"rings-h\">",
		"Ring 7f3a9c — 14 complaints share 5 things", "What the letter says", "Whether it is right", "What they share",
		"Why they are tied", "What is proposed, and what to test first", "Innocent explanations to test first",
		"<h2 id=\"letters-h\">", "public template", "<h2 id=\"complaints-h\">", "<h2 id=\"limits-h\">", "Rows set aside", "<h2 id=\"words-h\">",
	} {
		i := strings.Index(got[at:], want)
		if i < 0 {
			t.Fatalf("no %q after byte %d", want, at)
		}
		at += i
	}
}

func TestPageAllowsNothingButItself(t *testing.T) {
	got := string(written(t, halfYear()))
	inside := func(tag string) string {
		_, rest, _ := strings.Cut(got, "<"+tag+">")
		s, _, _ := strings.Cut(rest, "</"+tag+">")
		return s
	}
	for tag, part := range map[string]string{"style": "style-src", "script": "script-src"} {
		if want := part + " '" + digest(inside(tag)) + "'"; !strings.Contains(got, want) {
			t.Errorf("the policy does not name the %s that is written: want %s", tag, want)
		}
	}
	for _, no := range []string{"http://", "https://", "unsafe-", " style=", " onclick", "@POLICY@", "ZgotmplZ", "url("} {
		if strings.Contains(got, no) {
			t.Errorf("page holds %q", no)
		}
	}
}

func TestPageLinksLead(t *testing.T) {
	for name, r := range map[string]*bonafide.Result{"half year": halfYear(), "empty": nothing(), "large": large(300, 60, 10_000), "hostile": hostile(hostileText)} {
		got := string(written(t, r))
		ids := map[string]int{}
		for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(got, -1) {
			if ids[m[1]]++; ids[m[1]] > 1 {
				t.Errorf("%s: id %q twice", name, m[1])
			}
		}
		for _, m := range regexp.MustCompile(`(?:href="#|aria-labelledby="|for=")([^"]*)"`).FindAllStringSubmatch(got, -1) {
			for id := range strings.FieldsSeq(m[1]) {
				if ids[id] == 0 {
					t.Errorf("%s: link to %q, which is not there", name, id)
				}
			}
		}
	}
}

func TestEmptyStatesSaySo(t *testing.T) {
	got := string(written(t, nothing()))
	for _, want := range []string{
		"Nothing here is tied by more than wording. That is the usual result and a good one.",
		"No other letter is shared", "There is nothing to say about any complaint", "Every row could be read",
		"Everything that this scan tests could be tested", "No complaint has a date",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q", want)
		}
	}
}

// hostileText is what a letter can hold to get at whoever reads it.
const hostileText = "</style></script><script>alert(1)</script><img src=x onerror=alert(2)>\"'` onload=alert(3) " +
	"{{.}} \x1b]0;owned\a\x1b[31m\x00\u202egpj.exe \u2066 😀 ‹<b>› &lt;script&gt; =cmd|' /C calc'!A0 javascript:alert(4)"

// hostile puts s everywhere a result holds text.
func hostile(s string) *bonafide.Result {
	some := []string{s, s}
	at := on(3, 3, 3)
	return &bonafide.Result{
		Version: s, Policy: s, NotProved: some, Warnings: some,
		Read:       bonafide.Read{Accepted: 2, Quarantined: 1, Files: some, First: at, Last: at},
		Arrivals:   []bonafide.Arrivals{{Day: s, Count: 3}, {Day: "2025-03-03", Count: 2}},
		Quarantine: []bonafide.Quarantined{{File: s, Line: 1, Column: 2, Field: s, Reason: s}},
		Complaints: []bonafide.Verdict{{
			ID: s, Level: bonafide.Level(s), Ring: s, Template: s, Criteria: []bonafide.Criterion{bonafide.Criterion(s)},
			Why: some, Innocent: some, Families: []bonafide.Family{bonafide.Family(s)}, Route: bonafide.Route(s),
		}, {ID: s + "2", Level: bonafide.Level2}},
		Rings: []bonafide.Ring{{
			ID: s, Members: []string{s, s + "2"}, Families: []bonafide.Family{bonafide.Family(s)}, Score: 2, Why: some,
			Ties: []bonafide.Tie{{Complaint: s, Received: at, Region: s, Why: some, Route: bonafide.Route(s)}}, Innocent: some,
			Shared:   []bonafide.SharedThing{{Label: s, Kind: s, Family: bonafide.Family(s), Members: some, Rarity: s}},
			Template: s, Level: bonafide.Level(s),
		}},
		Templates: []bonafide.Template{{
			ID: s, Members: some, Skeleton: s, Benign: s, Lang: s,
			Examples: []bonafide.Aligned{{Complaint: s, Spans: []bonafide.Span{{Kind: bonafide.SpanKind(s), Text: s}, {Kind: bonafide.SpanOwn, Text: s}}}},
		}, {ID: s + "2", Members: some, Skeleton: s, Benign: s, Lang: s}},
	}
}

// What a tag looks like, what stands between quotes in it, and attributes that can act.
var (
	tagForm  = regexp.MustCompile(`<(/?)([a-zA-Z!][a-zA-Z0-9]*)((?:[^"<>]|"[^"]*")*)>`)
	quoted   = regexp.MustCompile(`"[^"]*"`)
	canAct   = regexp.MustCompile(`(?i)\b(?:on\w+|style|src|srcset|action|formaction)\s*=`)
	elements = func() map[string]bool {
		own := map[string]bool{}
		for _, m := range tagForm.FindAllStringSubmatch(pageHTML, -1) {
			own[m[2]] = true
		}
		return own
	}()
)

// checkHarmless fails where something in got is markup that the template did not write.
func checkHarmless(t *testing.T, got string) {
	t.Helper()
	_, rest, _ := strings.Cut(got, "</style>")
	body, _, found := strings.Cut(rest, "<script>")
	if !found || strings.Count(got, "<script") != 1 || strings.Count(got, "</script") != 1 || strings.Count(got, "<style") != 1 || strings.Count(got, "</style") != 1 {
		t.Fatal("a letter opened or closed a script or a style sheet")
	}
	end := 0
	for _, m := range tagForm.FindAllStringSubmatchIndex(body, -1) {
		if text := body[end:m[0]]; strings.ContainsAny(text, "<") {
			t.Fatalf("a bare < in text: %.80q", text)
		}
		end = m[1]
		if name := body[m[4]:m[5]]; !elements[name] {
			t.Fatalf("element %q is not of the page", name)
		}
		outside := quoted.ReplaceAllString(body[m[6]:m[7]], "")
		if canAct.MatchString(outside) {
			t.Fatalf("an attribute that could act: %q", body[m[0]:m[1]])
		}
	}
	for _, r := range got {
		if r != '\n' && unicode.IsControl(r) || directs(r) {
			t.Fatalf("control character %U", r)
		}
	}
}

func TestHostileText(t *testing.T) {
	for name, s := range map[string]string{
		"markup":         hostileText,
		"no space":       strings.Repeat("x", 200_000),
		"escapes":        strings.Repeat("<\"&>", 50_000),
		"right to left":  "שלום \u202e עולם " + strings.Repeat("ا", 3000),
		"no text":        "\x00\x01\x02\u202e",
		"bytes":          "\xff\xfe\xc0\x80",
		"slots":          strings.Repeat("‹", 10_000) + strings.Repeat("‹a›", 10_000),
		"lines":          strings.Repeat("\n\r\n \t", 10_000),
		"wide":           strings.Repeat("投诉", 50_000),
		"combining":      "a" + strings.Repeat("\u0301", 50_000),
		"figure":         "1 in 99999999999999999999999999999999999999,,,",
		"terminal clear": "\x1b[2J\u009b2J",
	} {
		t.Run(name, func(t *testing.T) {
			r := hostile(s)
			got := written(t, r)
			checkHarmless(t, string(got))
			if len(got) > maxPage {
				t.Errorf("page of %d bytes", len(got))
			}
			checkTerminal(t, r)
		})
	}
}

// checkTerminal fails where the summary or a story could control the screen or is too long.
func checkTerminal(t *testing.T, r *bonafide.Result) {
	t.Helper()
	var b, e bytes.Buffer
	if err := Summary(&b, r, SummaryOptions{Report: "report.html"}); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(b.Bytes(), []byte("\n")); n > 40 {
		t.Errorf("summary of %d lines", n)
	}
	for l := range strings.Lines(b.String()) {
		if n := columns(strings.TrimSuffix(l, "\n")); n > 80 {
			t.Errorf("summary line of %d columns: %q", n, l)
		}
	}
	for _, v := range r.Complaints[:min(3, len(r.Complaints))] {
		if err := Explain(&e, r, v.ID); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range b.String() + e.String() {
		if c != '\n' && unicode.IsControl(c) || directs(c) {
			t.Fatalf("control character %U on the terminal", c)
		}
	}
}

func FuzzHTML(f *testing.F) {
	f.Add(hostileText)
	f.Add("<script>")
	f.Add("1 in 90,000 ‹name› \n\n \u2028")
	f.Add("zh-\"><svg onload=alert(1)>")
	f.Fuzz(func(t *testing.T, s string) {
		r := hostile(s)
		checkHarmless(t, string(written(t, r)))
		checkTerminal(t, r)
		var b bytes.Buffer
		if err := CSV(&b, r); err != nil {
			t.Fatal(err)
		}
		checkCells(t, b.Bytes())
	})
}

// maxPage is what the page promises.
const maxPage = 5_000_000

// large is a result with many rings, their members, and other complaints.
func large(rings, size, complaints int) *bonafide.Result {
	r := &bonafide.Result{Version: "0.1.0", Policy: "nifa-2024 2024.1", Read: bonafide.Read{Accepted: complaints * 10, Files: []string{"all.csv"}}}
	for d := range 900 {
		r.Arrivals = append(r.Arrivals, bonafide.Arrivals{Day: on(1, 1, 0).AddDate(0, 0, d).Format(time.DateOnly), Count: 100 + d%40})
	}
	id := func(i int) string { return fmt.Sprintf("C-%08d", i) }
	for g := range rings {
		x := bonafide.Ring{ID: fmt.Sprintf("r%05d", g), Score: 0.8, Level: bonafide.Level2, Template: fmt.Sprintf("t%05d", g), Families: []bonafide.Family{bonafide.FamilyIdentity, bonafide.FamilyText}}
		for j := range size {
			m := id(g*size + j)
			x.Members = append(x.Members, m)
			x.Ties = append(x.Ties, bonafide.Tie{Complaint: m, Received: on(2, 1, 0).AddDate(0, 0, g%300+j), Region: "Easthaven", Why: []string{"same phone number as 7 other customers in 4 regions"}})
		}
		for k := range 6 {
			x.Shared = append(x.Shared, bonafide.SharedThing{Label: fmt.Sprintf("phone %d", k+1), Kind: "phone", Family: bonafide.FamilyIdentity, Members: x.Members, Rarity: "1 in 90,000 phone numbers is shared at all"})
		}
		x.Why, x.Innocent = []string{"all gave one phone number"}, []string{"a family"}
		r.Rings = append(r.Rings, x)
		r.Templates = append(r.Templates, bonafide.Template{ID: x.Template, Members: x.Members, Skeleton: strings.Repeat("I ask you to stop ‹thing> at once. ", 40)})
	}
	for i := range complaints {
		v := bonafide.Verdict{ID: id(i), Level: bonafide.Level2, Criteria: []bonafide.Criterion{"K06", "K10"}, Why: []string{"same phone number as 7 other customers in 4 regions; 1 in 90,000 numbers is shared at all"}}
		if i < rings*size {
			v.Ring, v.Template = r.Rings[i/size].ID, r.Rings[i/size].Template
		}
		r.Complaints = append(r.Complaints, v)
	}
	return r
}

func TestLargePage(t *testing.T) {
	r := large(300, 12, 10_000)
	start := time.Now()
	got := written(t, r)
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
	t.Logf("%d bytes, %d rings", len(got), bytes.Count(got, []byte(`<article class="ring"`)))
	if len(got) > maxPage {
		t.Errorf("page of %d bytes", len(got))
	}
	if n := bytes.Count(got, []byte(`<article class="ring"`)); n < 100 || n > maxRings {
		t.Errorf("%d rings on the page", n)
	}
	for _, want := range []string{"more rings. <code>", "These are 2,000 of 10,000 complaints", "--format json"} {
		if !bytes.Contains(got, []byte(want)) {
			t.Errorf("no %q", want)
		}
	}
}

func TestPageStaysSmall(t *testing.T) {
	many := large(1000, 400, 50_000)
	for i := range many.Complaints {
		many.Complaints[i].Why = []string{strings.Repeat("<", 1000), strings.Repeat("\"", 1000)}
	}
	for i := range many.Rings {
		many.Rings[i].Why = []string{strings.Repeat("\"", 5000)}
		many.Rings[i].ID = strings.Repeat("'", 300) + fmt.Sprint(i)
	}
	for range 5000 {
		many.Quarantine = append(many.Quarantine, bonafide.Quarantined{File: strings.Repeat("'", 500), Reason: strings.Repeat("\"", 5000)})
		many.Warnings = append(many.Warnings, strings.Repeat("\"", 5000))
	}
	got := written(t, many)
	t.Logf("%d bytes", len(got))
	if len(got) > maxPage {
		t.Errorf("page of %d bytes, want at most %d", len(got), maxPage)
	}
	if len(got) < maxPage/4 {
		t.Errorf("page of %d bytes: something is missing", len(got))
	}
	checkTerminal(t, many)
}

// checkCells fails where a spreadsheet would run a cell.
func checkCells(t *testing.T, sheet []byte) {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(sheet)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
				t.Fatalf("cell %.40q begins a formula", cell)
			}
		}
	}
}

func TestCSVEscapesFormulas(t *testing.T) {
	for cell, want := range map[string]string{
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", "\rx": "'\rx",
		"": "", "a=b": "a=b", "'=x": "'=x", "1-2": "1-2",
	} {
		if got := Cell(cell); got != want {
			t.Errorf("Cell(%q) = %q, want %q", cell, got, want)
		}
	}
	var b bytes.Buffer
	if err := CSV(&b, hostile("=cmd|' /C calc'!A0")); err != nil {
		t.Fatal(err)
	}
	checkCells(t, b.Bytes())
}

func TestJSONLeavesTheResultAlone(t *testing.T) {
	r := &bonafide.Result{Rings: []bonafide.Ring{{ID: "<a>", Ties: []bonafide.Tie{{}}, Shared: []bonafide.SharedThing{{}}}}, Templates: []bonafide.Template{{Examples: []bonafide.Aligned{{}}}}}
	var b bytes.Buffer
	if err := JSON(&b, r); err != nil {
		t.Fatal(err)
	}
	if r.Complaints != nil || r.Rings[0].Members != nil || r.Rings[0].Ties[0].Why != nil || r.Rings[0].Shared[0].Members != nil || r.Templates[0].Examples[0].Spans != nil {
		t.Error("JSON changed the result that it was given")
	}
	for _, no := range []string{"null", `\u003c`} {
		if strings.Contains(b.String(), no) {
			t.Errorf("JSON holds %s:\n%s", no, b.String())
		}
	}
	if !strings.HasSuffix(b.String(), "}\n") || !json.Valid(b.Bytes()) {
		t.Error("JSON is not valid, or does not end in a line")
	}
}

func TestExplainUnknown(t *testing.T) {
	var b bytes.Buffer
	err := Explain(&b, halfYear(), "C-404")
	if !errors.Is(err, bonafide.NotFound) {
		t.Fatalf("got %v, want NotFound", err)
	}
	var e *bonafide.Error
	if !errors.As(err, &e) || !strings.Contains(e.Msg, "nothing was found about it") || !strings.Contains(e.Msg, "not in the scan") {
		t.Errorf("message %q does not help", err)
	}
	if b.Len() > 0 {
		t.Error("something was written about a complaint that is not there")
	}
}

func TestSummaryColour(t *testing.T) {
	var plain, colour bytes.Buffer
	if err := errors.Join(Summary(&plain, halfYear(), SummaryOptions{}), Summary(&colour, halfYear(), SummaryOptions{Color: true})); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(plain.Bytes(), []byte("\x1b")) {
		t.Error("colours that nobody asked for")
	}
	stripped := regexp.MustCompile(`\x1b\[[0-9]+m`).ReplaceAll(colour.Bytes(), nil)
	if !bytes.Equal(stripped, plain.Bytes()) {
		t.Error("colours changed the words")
	}
	if bytes.Equal(colour.Bytes(), plain.Bytes()) {
		t.Error("no colours")
	}
}

func TestSummaryFitsItsWidth(t *testing.T) {
	for _, width := range []int{40, 60, 80, 132} {
		var b bytes.Buffer
		if err := Summary(&b, halfYear(), SummaryOptions{Width: width}); err != nil {
			t.Fatal(err)
		}
		for l := range strings.Lines(b.String()) {
			if n := columns(strings.TrimSuffix(l, "\n")); n > width {
				t.Errorf("width %d: line of %d columns: %q", width, n, l)
			}
		}
	}
}

func TestBetween(t *testing.T) {
	for _, c := range []struct {
		from, to time.Time
		want     string
	}{
		{time.Time{}, time.Time{}, "no date"},
		{on(3, 3, 1), on(3, 3, 9), "3 Mar 2025"},
		{on(3, 3, 1), on(3, 21, 9), "3–21 Mar 2025"},
		{on(3, 3, 1), on(5, 21, 9), "3 Mar – 21 May 2025"},
		{on(3, 3, 1), on(3, 3, 1).AddDate(1, 0, 0), "3 Mar 2025 – 3 Mar 2026"},
	} {
		if got := between(c.from, c.to); got != c.want {
			t.Errorf("between(%v, %v) = %q, want %q", c.from, c.to, got, c.want)
		}
	}
}

func TestCalendar(t *testing.T) {
	for _, c := range []struct {
		first, last string
		step        string
		n           int
		start       string // of the first step
	}{
		{"2025-03-05", "2025-03-05", "day", 1, "2025-03-05"},
		{"2025-01-02", "2025-05-01", "day", 120, "2025-01-02"},
		{"2025-01-02", "2025-05-02", "week", 18, "2024-12-30"},
		{"2020-01-01", "2025-12-31", "month", 72, "2020-01-01"},
		{"1969-12-31", "1970-01-01", "day", 2, "1969-12-31"},
		{"1960-02-03", "1985-01-01", "quarter", 101, "1960-01-01"},
		{"0001-01-01", "9999-12-31", "100 years", 100, "0000-01-01"},
	} {
		first, _ := time.Parse(time.DateOnly, c.first)
		last, _ := time.Parse(time.DateOnly, c.last)
		got := newCalendar(first, last)
		if got.step != c.step || got.n != c.n || got.start(0).Format(time.DateOnly) != c.start {
			t.Errorf("%s to %s: %d of a %s from %s, want %d of a %s from %s", c.first, c.last, got.n, got.step, got.start(0).Format(time.DateOnly), c.n, c.step, c.start)
		}
		for i := range got.n {
			if at := got.at(got.start(i)) - got.first; at != i {
				t.Fatalf("%s to %s: step %d starts in step %d", c.first, c.last, i, at)
			}
		}
	}
}

func TestPictureGroupsWhatCannotBeSeen(t *testing.T) {
	r := large(1, 700, 700)
	p := draw("x", &r.Rings[0], arrived(&r.Rings[0]))
	if n := len(p.Dots) + len(p.Lanes); n > 500 {
		t.Errorf("%d nodes", n)
	}
	if p.PerDot != 5 || len(p.Dots) != 140 {
		t.Errorf("%d dots of %d complaints, want 140 of 5", len(p.Dots), p.PerDot)
	}
	if got := string(written(t, r)); !strings.Contains(got, "up to 5 complaints in a row") {
		t.Error("the page does not say that complaints are grouped")
	}
}

func TestWeightGrowsWithRarity(t *testing.T) {
	last := 0.0
	for _, s := range []string{"1 in 1 phones", "1 in 40 letters is shared", "one in 2,400 is", "1 in 90,000 numbers"} {
		if got := weight(s); got <= last {
			t.Errorf("weight(%q) = %v, want more than %v", s, got, last)
		} else {
			last = got
		}
	}
	if got := weight("nobody knows"); got != 2 {
		t.Errorf("weight without a figure = %v, want 2", got)
	}
}

func TestOnlyWordsAreMarked(t *testing.T) {
	for _, c := range []struct {
		text string
		want spanView
	}{
		{" £840 ", spanView{"own", " ", "£840", " "}},
		{"May", spanView{"own", "", "May", ""}},
		{"., ", spanView{"shared", "", "., ", ""}},
		{" \n", spanView{"shared", "", " \n", ""}},
	} {
		if got := newSpanView(bonafide.SpanOwn, c.text); got != c.want {
			t.Errorf("newSpanView(%q) = %q, want %q", c.text, got, c.want)
		}
	}
	if got := newSpanView(bonafide.SpanCommon, " x "); got != (spanView{"common", "", " x ", ""}) {
		t.Errorf("a common passage was cut: %q", got)
	}
}

func TestTieWords(t *testing.T) {
	for score, want := range map[float64]string{0: "not estimated", 0.004: "less than 1", 0.93: "about 93 in 100", 0.999: "more than 99", 5: "more than 99", -1: "not estimated"} {
		if got := tieWords(score); !strings.Contains(got, want) {
			t.Errorf("tieWords(%v) = %q, want %q", score, got, want)
		}
	}
}
