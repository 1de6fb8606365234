package casework

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"bonafide"
)

func TestPacksPassTheirOwnCases(t *testing.T) {
	for _, p := range Packs() {
		ran, failed := p.Test()
		if ran < len(p.deadlines)+len(p.extensions) || len(failed) > 0 {
			t.Errorf("%s: %d cases ran, failed: %+v", p.Name, ran, failed)
		}
	}
}

func TestFailingCaseIsReported(t *testing.T) {
	p, err := Parse("x.toml", changed(t, "in-rbi", `due = "2026-04-01"`, `due = "2026-04-02"`))
	if err != nil {
		t.Fatal(err)
	}
	_, failed := p.Test()
	if len(failed) != 1 || failed[0].Got != "2026-04-01" || failed[0].Want != "2026-04-02" {
		t.Errorf("got %+v", failed)
	}
}

func TestPacksAreListedByName(t *testing.T) {
	var names []string
	for _, p := range Packs() {
		names = append(names, p.Name)
		if p.Title == "" || p.Basis == "" || len(p.Grounds()) == 0 {
			t.Errorf("%s: %+v", p.Name, p)
		}
		for _, d := range p.Deadlines() {
			for _, lang := range []string{"en", "pt-BR", "zh-CN"} {
				if d.Titles[lang] == "" {
					t.Errorf("%s: clock %s has no title in %s", p.Name, d.Name, lang)
				}
			}
		}
	}
	if want := []string{"cn-nfra", "in-rbi", "uk-disp", "us-cfpb"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
	if _, err := Load("fr-acpr"); !errors.Is(err, bonafide.NotFound) || !strings.Contains(err.Error(), "cn-nfra, in-rbi, uk-disp, us-cfpb") {
		t.Errorf("got %v", err)
	}
}

// A weekend day that is a holiday by its own date is observed elsewhere or not
// at all; a name never stands on a day that is worked.
func TestHolidaysAndWorkdaysDoNotContradict(t *testing.T) {
	for _, p := range Packs() {
		for d, name := range p.calendar.holidays {
			if p.calendar.works(d) || name == "" {
				t.Errorf("%s: %s %q", p.Name, d, name)
			}
		}
		for _, d := range slices.Collect(maps.Keys(p.calendar.workdays)) {
			if !p.calendar.works(d) {
				t.Errorf("%s: %s", p.Name, d)
			}
		}
		for year := p.calendar.first; year <= p.calendar.last; year++ {
			n := 0
			for d := date(year, 1, 1); d < date(year+1, 1, 1); d++ {
				if p.calendar.holidays[d] != "" {
					n++
				}
			}
			if n < 8 {
				t.Errorf("%s: %d holidays in %d", p.Name, n, year)
			}
		}
	}
}

func TestClockTitles(t *testing.T) {
	p := load(t, "cn-nfra")
	for lang, want := range map[string]string{
		"en": "Review", "en-US": "Review", "zh-CN": "核查决定", "zh": "核查决定", "pt": "Revisão", "pt-PT": "Revisão", "fr": "核查决定", "": "核查决定",
	} {
		if got := p.ClockTitle("review", lang); got != want {
			t.Errorf("%q: got %q, want %q", lang, got, want)
		}
	}
	if got := p.ClockTitle("nonsense", "en"); got != "nonsense" {
		t.Errorf("got %q", got)
	}
}

// changed returns a built-in pack with one passage replaced.
func changed(t *testing.T, pack, old, put string) []byte {
	t.Helper()
	body, err := files.ReadFile("packs/" + pack + ".toml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(body), old) {
		t.Fatalf("%s has no %q", pack, old)
	}
	return []byte(strings.Replace(string(body), old, put, 1))
}

func TestParseNamesTableAndKey(t *testing.T) {
	for _, c := range []struct{ pack, old, put, says string }{
		{"in-rbi", `language = "en"`, `language = "en"` + "\ncolour = 3", "colour: not a key"},
		{"in-rbi", `days = 30`, `days = 0`, "clock.reply.days"},
		{"in-rbi", `days = 30`, `days = "thirty"`, "clock.days"},
		{"in-rbi", `days = 30`, `days = 30` + "\nhours = 3", "clock.hours: not a key"},
		{"in-rbi", `roll = "none"`, `roll = "back"`, "clock.reply.roll"},
		{"in-rbi", `roll = "none"`, ``, "clock.reply.roll"},
		{"in-rbi", `starts = ["receipt"]`, `starts = ["received"]`, "clock.reply.starts"},
		{"in-rbi", `starts = ["receipt"]`, `starts = ["close"]`, "clock.reply.starts"},
		{"in-rbi", `starts = ["receipt"]`, `starts = []`, "clock.reply.starts: missing"},
		{"in-rbi", `met = ["notify"]`, `met = ["hope"]`, "clock.reply.met"},
		{"in-rbi", `met = ["notify"]`, ``, "clock.reply.met: missing"},
		{"in-rbi", `met = ["notify"]`, `met = ["notify"]` + "\nchosen = true", "clock.reply.chosen"},
		{"in-rbi", `name = "reply"`, `name = "Reply!"`, "clock[1].name"},
		{"in-rbi", `title = { en = "Reply", `, `title = { `, "clock.reply.title.en: missing"},
		{"in-rbi", `basis = "RB-IOS: 30 days`, `house = false # "`, "clock.reply.basis: missing"},
		{"in-rbi", `zone = "Asia/Kolkata"`, `zone = "Asia/Kalkutta"`, "calendar.zone"},
		{"in-rbi", `zone = "Asia/Kolkata"`, `zone = "Local"`, "calendar.zone"},
		{"in-rbi", `zone = "Asia/Kolkata"`, `zone = "../../etc/passwd"`, "calendar.zone"},
		{"in-rbi", `"saturday", "sunday"`, `"caturday"`, "calendar.weekend"},
		{"in-rbi", `"saturday", "sunday"`, `"monday","tuesday","wednesday","thursday","friday","saturday", "sunday"`, "calendar.weekend"},
		{"in-rbi", `complete_until = 2026`, `complete_until = 2023`, "calendar.complete_until"},
		{"in-rbi", `2024-01-26 = `, `2024-02-30 = `, "calendar.holidays"},
		{"in-rbi", `2024-03-25 = "Holi"`, `2024-03-25 = ""`, "calendar.holidays.2024-03-25"},
		{"in-rbi", `2024-03-25 = "Holi"`, "2024-03-25 = \"a\"\n2024-03-25 = \"b\"", "2024-03-25"},
		{"cn-nfra", `2024-02-04 = `, `2024-02-05 = `, "calendar.workdays.2024-02-05"},
		{"cn-nfra", `2024-02-04 = `, `2024-02-10 = `, "calendar.workdays.2024-02-10"},
		{"in-rbi", `counting = "`, `# "`, "calendar.counting"},
		{"in-rbi", `english = "en-GB"`, `english = "en-AU"`, "english"},
		{"in-rbi", `remind = [7, 3, 1, 0]`, `remind = []`, "remind"},
		{"in-rbi", `remind = [7, 3, 1, 0]`, `remind = [7, -1]`, "remind"},
		{"in-rbi", `name = "in-rbi"`, `name = " "`, "name: missing"},
		{"in-rbi", `id = "before-court"`, `id = "already-settled"`, "ground[2].id"},
		{"cn-nfra", `id = "court"`, `id = ""`, "ground[4].id"},
		{"cn-nfra", `basis = "NIFA guide 2024, declining of complaints"`, ``, "ground.no-infringement.basis"},
		{"cn-nfra", `clock = "decision"`, `clock = "indecision"`, "extension[1].clock"},
		{"cn-nfra", "days = 30\napproval = true", "days = -1\napproval = true", "extension[2].days"},
		{"cn-nfra", "other_person = true\nbasis", "other_person = true\n#", "review.basis"},
		{"us-cfpb", "answers = true\n", "answers = true\ndays = 3\n", "extension[1].days"},
		{"in-rbi", `[text.pt-BR]`, `[text.fr]`, "text.fr"},
		{"in-rbi", `[text.en]`, `[text.nonsense]`, "text.en"},
		{"us-cfpb", `{{.Ground}}`, `{{.Secret}}`, "letter[1].body"},
		{"us-cfpb", `{{.Ground}}`, `{{printf "%s" .Ground}}`, "letter[1].body"},
		{"us-cfpb", `{{.Ground}}`, `{{range .Ground}}{{end}}`, "letter[1].body"},
		{"us-cfpb", `{{.Ground}}`, `{{define "x"}}{{end}}`, "letter[1].body"},
		{"us-cfpb", `{{.Ground}}`, `{{template "x"}}`, "letter[1].body"},
		{"us-cfpb", `{{.Ground}}`, `{{.Ground`, "letter[1].body"},
		{"us-cfpb", `{{if .Materials}}`, `{{if $x := .Materials}}`, "letter[1].body"},
		{"us-cfpb", `{{if .Materials}}`, `{{if len .Materials}}`, "letter[1].body"},
		{"us-cfpb", `kind = "reg-v-frivolous"`, `kind = "Reg V"`, "letter[1].kind"},
		{"us-cfpb", "kind = \"reg-v-frivolous\"\nlang = \"en\"", "kind = \"reg-v-frivolous\"\nlang = \"fr\"", "letter[1].lang"},
		{"us-cfpb", "kind = \"reg-v-frivolous\"\nlang = \"en\"", "kind = \"other\"\nlang = \"en\"", "letter.reg-v-frivolous"},
		{"in-rbi", `from = "2026-03-02T09:00:00+05:30"`, `from = "2 March"`, "case[1].from"},
		{"in-rbi", `due = "2026-04-01"`, `due = "soon"`, "case[1].due"},
		{"in-rbi", `clock = "reply"`, `clock = "replay"`, "case[1].clock"},
		{"cn-nfra", `extended = 2`, `extended = 3`, "case[5].extended"},
		{"cn-nfra", `extended = 2`, ``, "clock.decision: needs a [[case]]"},
		{"in-rbi", `name = "in-rbi"`, `name = [[[`, "name"},
	} {
		body := changed(t, c.pack, c.old, c.put)
		_, err := Parse("mine.toml", body)
		if !errors.Is(err, bonafide.Invalid) || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "mine.toml: ") {
			t.Errorf("%q to %q: got %v, want an Invalid with %q", c.old, c.put, err, c.says)
		}
	}
	if _, err := Parse("big.toml", make([]byte, maxPack+1)); !errors.Is(err, bonafide.Invalid) {
		t.Errorf("too large: got %v", err)
	}
	if _, err := Parse("empty.toml", nil); !errors.Is(err, bonafide.Invalid) || !strings.Contains(err.Error(), "name: missing") {
		t.Errorf("empty: got %v", err)
	}
}

// A clock that rolls ends on the next business day, and an extension adds to the
// days before it rolls.
func TestRollToNextBusinessDay(t *testing.T) {
	body := changed(t, "uk-disp", "days = 56\nroll = \"none\"", "days = 56\nroll = \"next-business-day\"")
	p, err := Parse("rolls.toml", []byte(strings.Replace(string(body), "[[ground]]", `[[extension]]
clock = "final-response"
title = { en = "More" }
days = 7
basis = "a test"

[[case]]
name = "a week more, rolled"
clock = "final-response"
from = "2026-10-30T09:00:00Z"
extended = 1
due = "2027-01-04"

[[ground]]`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	at := moment(t, "2026-10-30T09:00:00Z")
	// 25 December is a Friday; Saturday, Sunday, and Monday a substitute day.
	if got := p.calendar.day(p.due(p.deadline("final-response"), at, 0)).String(); got != "2026-12-29" {
		t.Errorf("got %s, want 2026-12-29", got)
	}
	// 63 days end on Friday, 1 January 2027, and not a week after 29 December.
	if got := p.calendar.day(p.due(p.deadline("final-response"), at, 1)).String(); got != "2027-01-04" {
		t.Errorf("extended: got %s, want 2027-01-04", got)
	}
}

// FuzzParse holds for any text: an error of kind Invalid, or a pack that can be
// used.
func FuzzParse(f *testing.F) {
	names, err := files.ReadDir("packs")
	if err != nil {
		f.Fatal(err)
	}
	for _, n := range names {
		body, err := files.ReadFile("packs/" + n.Name())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte("name = 1"))
	f.Add([]byte("[[clock]]\nstarts = [\"receipt\"]"))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := Parse("fuzz", body)
		if err != nil {
			if !errors.Is(err, bonafide.Invalid) {
				t.Fatalf("not Invalid: %v", err)
			}
			return
		}
		p.Test()
		tr := p.Open("c1", start)
		for _, v := range []Verb{Register, Extend, Investigate, Decide, Notify, RequestReview} {
			if next, _, err := p.Move(tr, Act{Verb: v, By: "a", Reason: "r", Outcome: map[bool]Outcome{true: Upheld}[v == Decide]}, tr.Since); err == nil {
				tr = next
			}
		}
		p.Reminders(tr, start.AddDate(1, 0, 0))
		for _, lang := range []string{"en", p.Language, "pt-BR"} {
			for _, k := range p.Letters(lang) {
				if _, err := p.Letter(k.Kind, lang, full()); err != nil {
					t.Fatalf("%s in %s: %v", k.Kind, lang, err)
				}
			}
		}
	})
}

// full returns data with every field.
func full() LetterData {
	return LetterData{
		Complaint: "C-2026-000417", Received: start, Today: start.Add(48 * time.Hour), Due: start.AddDate(0, 0, 15), Customer: "Li Na", Lender: "Example Finance",
		Outcome: PartlyUpheld, Reason: "We called you after 22:00 twice. We refund the fee.", Ground: "A court has dealt with the matter", ExtensionDays: 15,
		Clock: "Decision", Contact: "Complaints desk, 400 000 0000", Materials: "the number of the account",
	}
}
