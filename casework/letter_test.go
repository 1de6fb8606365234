package casework

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"bonafide"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "renew golden files")

// Words that have no place in a letter to a customer.
var banned = regexp.MustCompile(`(?i)suspic|suspect|fraud|organi[sz]ed|gang|\bring\b|malicious|abusive|flagged|risk score|可疑|嫌疑|欺诈|团伙|黑产|恶意|异常|反催收|职业投诉|suspeit|fraude|quadrilha|abusiv`)

// Every kind in every language of every pack, with all data and with the least.
func TestEveryLetter(t *testing.T) {
	least := LetterData{
		Complaint: "C-2026-000417", Received: start, Today: start, Due: start.AddDate(0, 0, 15), Customer: "Li Na", Lender: "Example Finance",
		Outcome: Upheld, Reason: "We were wrong.", Ground: "A court has dealt with the matter",
	}
	written := 0
	for _, p := range Packs() {
		for lang := range p.texts {
			kinds := p.Letters(lang)
			for _, k := range kinds {
				for _, d := range []LetterData{full(), least} {
					for _, d.Outcome = range Outcomes {
						got, err := p.Letter(k.Kind, lang, d)
						if err != nil {
							t.Fatalf("%s %s %s: %v", p.Name, k.Kind, lang, err)
						}
						written++
						where := fmt.Sprintf("%s %s %s", p.Name, k.Kind, lang)
						for _, want := range []string{d.Complaint, p.written(d.Today, lang), p.written(d.Received, lang), d.Customer, d.Lender} {
							if !strings.Contains(got, want) {
								t.Errorf("%s: no %q in\n%s", where, want, got)
							}
						}
						for _, bad := range []string{"<no value>", "{{", "}}", "\n\n\n", " \n", "%!"} {
							if strings.Contains(got, bad) {
								t.Errorf("%s: %q in\n%s", where, bad, got)
							}
						}
						if m := banned.FindString(strings.ReplaceAll(got, `"frivolous or irrelevant"`, "")); m != "" {
							t.Errorf("%s: %q has no place in\n%s", where, m, got)
						}
						if !utf8.ValidString(got) || !strings.HasSuffix(got, "\n") || strings.HasPrefix(got, "\n") || utf8.RuneCountInString(got) < 150 {
							t.Errorf("%s: not a letter:\n%s", where, got)
						}
					}
				}
			}
			if k := kinds[0]; k.Kind != "acknowledgement" || k.Lang != lang || k.Title == "" {
				t.Errorf("%s %s: got %+v", p.Name, lang, k)
			}
		}
	}
	if written < 4*7*2*2*3 {
		t.Errorf("only %d letters", written)
	}
}

// A decision and a refusal tell what the customer can do next, and by when.
func TestDecisionsTellWhatComesNext(t *testing.T) {
	for _, c := range []struct {
		pack, lang string
		want       []string
	}{
		{"cn-nfra", "zh-CN", []string{"30日内", "核查", "12378", "仲裁", "人民法院", "部分成立", "2026年3月4日"}},
		{"cn-nfra", "en", []string{"within 30 days", "12378", "court", "upheld in part", "4 March 2026"}},
		{"uk-disp", "en", []string{"Financial Ombudsman Service", "six months", "free of charge", "0800 023 4567", "4 March 2026"}},
		{"us-cfpb", "en", []string{"consumerfinance.gov/complaint", "60 days", "attorney general", "March 3, 2026"}},
		{"in-rbi", "en", []string{"RBI Ombudsman", "90 days", "cms.rbi.org.in", "14448", "4 March 2026"}},
		{"uk-disp", "pt-BR", []string{"Financial Ombudsman Service", "seis meses", "procedente em parte", "4 de março de 2026"}},
	} {
		got, err := load(t, c.pack).Letter("decision", c.lang, full())
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range append(c.want, full().Reason, full().Contact) {
			if !strings.Contains(got, want) {
				t.Errorf("%s %s: no %q in\n%s", c.pack, c.lang, want, got)
			}
		}
	}
}

// The rules forbid asking for what the lender already holds.
func TestAuthorityRequestAsksForNothingHeld(t *testing.T) {
	for lang, want := range map[string]string{
		"en": "We do not ask for anything that we already hold", "zh-CN": "不要求您提供", "pt-BR": "Não pedimos nada que já tenhamos",
	} {
		got, err := load(t, "cn-nfra").Letter("authority-request", lang, full())
		if err != nil || !strings.Contains(got, want) || !strings.Contains(got, full().Materials) {
			t.Errorf("%s: got %v\n%s", lang, err, got)
		}
	}
}

// The day of a letter is a day of the pack's zone, and English is written as the
// country writes it.
func TestDatesInLetters(t *testing.T) {
	at := moment(t, "2026-11-21T16:30:00Z")
	for _, c := range []struct{ pack, lang, want string }{
		{"cn-nfra", "zh-CN", "2026年11月22日"},
		{"cn-nfra", "en", "22 November 2026"},
		{"cn-nfra", "pt-BR", "22 de novembro de 2026"},
		{"us-cfpb", "en", "November 21, 2026"},
		{"uk-disp", "en", "21 November 2026"},
		{"in-rbi", "en", "21 November 2026"},
	} {
		if got := load(t, c.pack).written(at, c.lang); got != c.want {
			t.Errorf("%s %s: got %s, want %s", c.pack, c.lang, got, c.want)
		}
	}
	if got := load(t, "uk-disp").written(moment(t, "2026-05-01T12:00:00Z"), "pt-BR"); got != "1º de maio de 2026" {
		t.Errorf("got %s", got)
	}
}

func TestLetterFallsBack(t *testing.T) {
	for _, c := range []struct{ pack, lang, in string }{
		{"cn-nfra", "fr", "zh-CN"},
		{"cn-nfra", "zh", "zh-CN"},
		{"cn-nfra", "zh-TW", "zh-CN"},
		{"cn-nfra", "en-US", "en"},
		{"cn-nfra", "pt_PT", "pt-BR"},
		{"uk-disp", "zh-CN", "en"},
		{"us-cfpb", "", "en"},
	} {
		p := load(t, c.pack)
		if got := p.Letters(c.lang)[0].Lang; got != c.in {
			t.Errorf("%s %q: got %s, want %s", c.pack, c.lang, got, c.in)
		}
		got, err := p.Letter("decision", c.lang, full())
		want, _ := p.Letter("decision", c.in, full())
		if err != nil || got != want {
			t.Errorf("%s %q: got %v, another letter than in %s", c.pack, c.lang, err, c.in)
		}
	}
}

func TestLetterRefusesWhatIsMissing(t *testing.T) {
	p := load(t, "us-cfpb")
	for _, c := range []struct {
		kind, says string
		change     func(*LetterData)
	}{
		{"decision", "complaint: missing", func(d *LetterData) { d.Complaint = " " }},
		{"decision", "customer: missing", func(d *LetterData) { d.Customer = "" }},
		{"decision", "lender: missing", func(d *LetterData) { d.Lender = "" }},
		{"decision", "received: missing", func(d *LetterData) { d.Received = time.Time{} }},
		{"decision", "today: missing", func(d *LetterData) { d.Today = time.Time{} }},
		{"decision", "outcome: missing", func(d *LetterData) { d.Outcome = "" }},
		{"decision", "perhaps", func(d *LetterData) { d.Outcome = "perhaps" }},
		{"decision", "reason: missing", func(d *LetterData) { d.Reason = "\n" }},
		{"decline", "ground: missing", func(d *LetterData) { d.Ground = "" }},
		{"reg-v-frivolous", "reason: missing", func(d *LetterData) { d.Reason = "" }},
		{"acknowledgement", "due: missing", func(d *LetterData) { d.Due = time.Time{} }},
		{"extension", "due: missing", func(d *LetterData) { d.Due = time.Time{} }},
	} {
		d := full()
		c.change(&d)
		if _, err := p.Letter(c.kind, "en", d); !errors.Is(err, bonafide.Invalid) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want an Invalid with %q", c.kind, err, c.says)
		}
	}
	if _, err := p.Letter("poem", "en", full()); !errors.Is(err, bonafide.NotFound) || !strings.Contains(err.Error(), "reg-v-frivolous") {
		t.Errorf("got %v", err)
	}
	if _, err := load(t, "uk-disp").Letter("reg-v-frivolous", "en", full()); !errors.Is(err, bonafide.NotFound) {
		t.Errorf("another country's letter: got %v", err)
	}
}

// What people write cannot break a letter: no template of theirs runs, and
// control characters, marks that turn text around and empty lines go.
func TestLetterIsSafeFromItsData(t *testing.T) {
	d := full()
	d.Customer = "Li\nNa {{.Lender}} \u202eevil"
	d.Reason = "one\r\n\r\n\r\n\r\ntwo\x00\x1b[31m  \n\n\n{{template \"x\"}}"
	got, err := load(t, "uk-disp").Letter("decision", "en", d)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Dear Li Na {{.Lender}} evil,\n", "one\n\ntwo[31m\n\n{{template \"x\"}}\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "\n\n\n") || strings.ContainsAny(got, "\x00\x1b\r\u202e") {
		t.Errorf("got %q", got)
	}
}

func TestLetterDataIsRedactedInLogs(t *testing.T) {
	var b strings.Builder
	slog.New(slog.NewTextHandler(&b, nil)).InfoContext(t.Context(), "letter", slog.Any("data", full()))
	if strings.Contains(b.String(), "Li Na") || !strings.Contains(b.String(), "[redacted]") {
		t.Errorf("got %s", b.String())
	}
}

// One letter of each pack in its own language, and the others' languages once,
// as they go out.
func TestGoldenLetters(t *testing.T) {
	for _, c := range []struct{ pack, kind, lang string }{
		{"cn-nfra", "acknowledgement", "zh-CN"},
		{"cn-nfra", "decision", "zh-CN"},
		{"cn-nfra", "extension", "zh-CN"},
		{"uk-disp", "decision", "en"},
		{"us-cfpb", "reg-v-frivolous", "en"},
		{"in-rbi", "decline", "en"},
		{"uk-disp", "extension", "pt-BR"},
	} {
		p := load(t, c.pack)
		d := full()
		if c.lang == "zh-CN" {
			d.Customer, d.Lender, d.Reason, d.Contact, d.Clock = "李娜", "示例消费金融有限公司", "经核对通话记录，我们曾在22时之后两次致电。我们将退还相应费用。", "投诉处理部门 400 000 0000", p.ClockTitle("decision", c.lang)
		}
		got, err := p.Letter(c.kind, c.lang, d)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join("testdata", strings.Join([]string{c.pack, c.kind, c.lang}, "_")+".txt")
		if *update {
			if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestStandardKindsHaveTitlesAndFiles(t *testing.T) {
	for lang, of := range titles {
		if len(of) != len(standardKinds) || months[lang] == nil {
			t.Errorf("%s: %d titles", lang, len(of))
		}
		entries, err := letterFiles.ReadDir("letters/" + lang)
		if err != nil || len(entries) != len(standardKinds) {
			t.Errorf("%s: got %v, %d letters", lang, err, len(entries))
		}
		for _, e := range entries {
			if !slices.Contains(standardKinds, strings.TrimSuffix(e.Name(), ".txt")) {
				t.Errorf("%s: %s is no kind", lang, e.Name())
			}
		}
	}
}
