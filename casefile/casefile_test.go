package casefile

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bonafide"
)

// plain is a calendar on which weekends are off, and one holiday.
type plain struct{ zone *time.Location }

func (p plain) Days(from time.Time, n int, _ bool) time.Time {
	y, m, d := from.In(p.zone).Date()
	return time.Date(y, m, d+n+1, 0, 0, 0, 0, p.zone).Add(-time.Microsecond).UTC()
}

func (p plain) Business(t time.Time) (bool, string) {
	t = t.In(p.zone)
	if t.Format(time.DateOnly) == "2026-10-01" {
		return false, "国庆节"
	}
	return t.Weekday() != time.Saturday && t.Weekday() != time.Sunday, ""
}

func (p plain) Zone() *time.Location { return p.zone }

var (
	shanghai = time.FixedZone("CST", 8*3600)
	cal      = plain{shanghai}
	morning  = time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC) // a Monday
)

func TestRulebookIsSound(t *testing.T) {
	b := book()
	known := map[bonafide.Move]bool{"second": true}
	for _, s := range bonafide.Stages {
		for _, m := range s.Moves() {
			known[m] = true
		}
	}
	for _, p := range b.Clocks {
		if p.Basis == "" || p.Days+p.Months == 0 || len(p.Starts) == 0 || len(p.Met) == 0 {
			t.Errorf("%s: incomplete", p.Name)
		}
		for _, m := range slices.Concat(p.Starts, p.Met) {
			if !known[m] {
				t.Errorf("%s: no move %q", p.Name, m)
			}
		}
		whole(t, p.Name, p.Title)
	}
	if len(b.Scenarios) != 13 || len(b.Offences) != 5 {
		t.Errorf("%d scenarios, %d offences", len(b.Scenarios), len(b.Offences))
	}
	for _, s := range b.Scenarios {
		whole(t, s.ID, s.Title)
		if len(s.Tasks) == 0 || len(s.Words)+len(s.Criteria)+len(s.Facts)+len(s.Things) == 0 {
			t.Errorf("%s: nothing to do, or nothing shows it", s.ID)
		}
		for _, name := range s.Tasks {
			task, ok := TaskOf(s.ID + "." + name)
			if !ok || task.Days < 1 {
				t.Errorf("%s: no task %q", s.ID, name)
			}
			whole(t, name, task.Text)
		}
		for _, w := range s.Words {
			if w != strings.ToLower(w) {
				t.Errorf("%s: %q is compared in lower case", s.ID, w)
			}
		}
	}
	for _, o := range b.Offences {
		whole(t, string(o.ID), o.Title)
		for _, e := range o.Elements {
			whole(t, e.ID, e.Title)
		}
		if o.Statute == "" || len(o.Elements) < 3 {
			t.Errorf("%s: incomplete", o.ID)
		}
	}
}

func whole(t *testing.T, what string, text Text) {
	t.Helper()
	for _, lang := range []string{"en", "zh", "pt"} {
		if text[lang] == "" {
			t.Errorf("%s: no words in %s", what, lang)
		}
	}
}

// ready is a case that lacks nothing for any move.
func ready(stage bonafide.Stage) (bonafide.Case, Facts) {
	c := bonafide.Case{
		ID: "c", Stage: stage, Since: morning, Rings: []string{"R"}, Assignee: "p", Scenarios: []string{"A6"}, Offences: []string{"K02"},
		Losses: []bonafide.Loss{{ID: "l"}}, Parties: []bonafide.Party{{ID: "p", Role: bonafide.RoleUnknown}}, AskedBy: "person:a",
		Handovers: []bonafide.Handover{{To: "police", Seal: 1}},
	}
	o, _ := OffenceOf("K02")
	for _, e := range o.Elements {
		c.Exhibits = append(c.Exhibits, bonafide.Exhibit{Offence: "K02", Element: e.ID, Item: "i"})
	}
	return c, Facts{Items: 1, Held: map[string]bool{"i": true}, Sealed: 1}
}

func actOf(m bonafide.Move, by string) Act {
	return Act{Move: m, By: by, Reason: "r", Number: "n", Innocent: "tested"}
}

// Every move in every stage is taken or refused as the table says, and a refused one
// changes nothing.
func TestEveryMoveInEveryStage(t *testing.T) {
	all := []bonafide.Move{}
	for _, s := range bonafide.Stages {
		for _, m := range s.Moves() {
			if !slices.Contains(all, m) {
				all = append(all, m)
			}
		}
	}
	taken := 0
	for _, s := range bonafide.Stages {
		for _, m := range all {
			c, f := ready(s)
			switch m {
			case bonafide.MoveExtend:
				c.Clocks = []bonafide.CaseClock{{Name: "police-review", Started: morning, Due: morning.AddDate(0, 0, 7)}}
			case bonafide.MoveNotice:
				c.Clocks = []bonafide.CaseClock{{Name: "refusal-notice", Started: morning, Due: morning.AddDate(0, 0, 3)}}
			case bonafide.MoveReport:
				c.Pending = &bonafide.Pending{What: "report", By: "person:z"}
			}
			before, _ := json.Marshal(c)
			next, step, err := Step(c, actOf(m, "person:b"), f, cal, morning)
			after, _ := json.Marshal(c)
			if string(before) != string(after) {
				t.Errorf("%s in %s changed the case it was given", m, s)
			}
			if s.Can(m) != (err == nil) {
				t.Errorf("%s in %s: %v", m, s, err)
			}
			if err != nil {
				if !errors.Is(err, bonafide.Conflict) {
					t.Errorf("%s in %s: %v", m, s, err)
				}
				continue
			}
			taken++
			if step.To != next.Stage || step.From != s {
				t.Errorf("%s in %s: step %+v", m, s, step)
			}
		}
	}
	if taken < 40 {
		t.Errorf("only %d moves were taken", taken)
	}
}

func TestOnlyPeopleMoveCasesAndSayWhy(t *testing.T) {
	c, f := ready(bonafide.StagePoliceReview)
	for _, x := range []struct {
		act  Act
		kind bonafide.Kind
	}{
		{Act{Move: bonafide.MoveFile, By: "system:settle", Number: "n"}, bonafide.Denied},
		{Act{Move: bonafide.MoveFile, By: "person:a"}, bonafide.Invalid},
		{Act{Move: bonafide.MoveRefuse, By: "person:a"}, bonafide.Invalid},
		{Act{Move: bonafide.MoveFile, By: "person:a", Number: "n", Date: morning.AddDate(0, 0, 3)}, bonafide.Invalid},
	} {
		if _, _, err := Step(c, x.act, f, cal, morning); !errors.Is(err, x.kind) {
			t.Errorf("%+v: %v", x.act, err)
		}
	}
	c, f = ready(bonafide.StageLegalReview)
	if _, _, err := Step(c, actOf(bonafide.MovePrepare, "person:a"), f, cal, morning); !errors.Is(err, bonafide.Denied) {
		t.Errorf("who asked for the review approved it: %v", err)
	}
}

// The last day of every period, by hand: natural days, the first not counted, and a holiday
// or weekend at the end moves it to the next working day.
func TestPeriods(t *testing.T) {
	for _, x := range []struct {
		name     string
		from     string
		extended int
		due      string
	}{
		{"police-review", "2026-03-02T09:00:00+08:00", 0, "2026-03-09"},
		{"police-review", "2026-03-02T09:00:00+08:00", 1, "2026-04-01"},
		{"police-review", "2026-03-02T09:00:00+08:00", 2, "2026-05-01"},
		{"police-review", "2026-03-01T23:30:00+08:00", 0, "2026-03-09"}, // the 8th is a Sunday
		{"police-review", "2026-09-24T10:00:00+08:00", 0, "2026-10-02"}, // the 1st is a holiday
		{"refusal-notice", "2026-03-04T10:00:00+08:00", 0, "2026-03-09"},
		{"reconsideration-apply", "2026-03-03T10:00:00+08:00", 0, "2026-03-10"},
		{"reconsideration", "2026-03-03T10:00:00+08:00", 0, "2026-04-02"},
		{"second-review", "2026-03-03T10:00:00+08:00", 0, "2026-04-02"},
		{"procurator-review", "2026-03-03T10:00:00+08:00", 0, "2026-04-03"},
		{"procurator-review", "2026-03-03T10:00:00+08:00", 1, "2026-04-20"}, // the 18th is a Saturday
		{"procurator-review", "2026-01-31T10:00:00+08:00", 0, "2026-03-02"}, // 28 February is a Saturday
		{"procurator-review", "2028-01-31T10:00:00+08:00", 0, "2028-02-29"},
		{"supplement", "2026-12-10T10:00:00+08:00", 0, "2027-01-11"}, // the 10th is a Sunday
	} {
		p, ok := PeriodOf(x.name)
		from, err := time.Parse(time.RFC3339, x.from)
		if !ok || err != nil {
			t.Fatal(x.name, err)
		}
		if got := p.due(cal, from, x.extended).In(shanghai).Format(time.DateOnly); got != x.due {
			t.Errorf("%s from %s, extended %d: due %s, want %s", x.name, x.from, x.extended, got, x.due)
		}
	}
}

// Whatever people do, a case stays whole: no clock runs after its end, rounds and
// supplements stay within bounds, and no borrower has a name.
func TestRandomWalks(t *testing.T) {
	ends := map[bonafide.Exit]int{}
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		c, f := ready(bonafide.StageClue)
		now := morning
		for range 60 {
			now = now.Add(time.Duration(r.IntN(72)) * time.Hour)
			moves := c.Stage.Moves()
			if len(moves) == 0 {
				t.Fatalf("nothing leads out of %s", c.Stage)
			}
			by := []string{"person:a", "person:b", "person:c"}[r.IntN(3)]
			next, _, err := Step(c, actOf(moves[r.IntN(len(moves))], by), f, cal, now)
			if err == nil {
				c = next
			}
			for _, k := range c.Clocks {
				if c.Stage == bonafide.StageClosed && k.Met.IsZero() {
					t.Fatalf("seed %d: %s runs in a closed case", seed, k.Name)
				}
				if k.Due.Before(k.Started) {
					t.Fatalf("seed %d: %s is due before it starts", seed, k.Name)
				}
			}
			if c.Rounds > mostRounds || c.Supplied > mostSupplied {
				t.Fatalf("seed %d: %d rounds, %d supplements", seed, c.Rounds, c.Supplied)
			}
			if c.Stage == bonafide.StageClosed {
				ends[c.Exit]++
			}
		}
	}
	for _, e := range []bonafide.Exit{bonafide.ExitDropped, bonafide.ExitNotFiled, bonafide.ExitPenalty, bonafide.ExitAdmonition, bonafide.ExitWithdrawn} {
		if ends[e] == 0 {
			t.Errorf("no walk ended in %s", e)
		}
	}
}

func TestBorrowersHaveNoNames(t *testing.T) {
	c := bonafide.Case{ID: "c"}
	for _, p := range []bonafide.Party{
		{Role: bonafide.RoleVictim, Name: "Somebody", Basis: "b", Complaint: "c1"},
		{Role: bonafide.RoleVictim, Basis: "b"},
		{Role: bonafide.RoleWilling, Basis: "b", Complaint: "c1", Identifiers: []bonafide.Identifier{{Kind: bonafide.Phone, Value: "1"}}},
		{Role: bonafide.RoleAgent, Basis: "b", Name: "x", Complaint: "c1"},
		{Role: "boss", Basis: "b", Name: "x"},
		{Role: bonafide.RoleAgent, Name: "x"},
	} {
		if _, _, err := Write(c, Change{What: "party", By: "person:a", Party: p}, "1", morning); !errors.Is(err, bonafide.Invalid) {
			t.Errorf("%+v: %v", p, err)
		}
	}
	next, _, err := Write(c, Change{What: "party", By: "person:a", Party: bonafide.Party{Role: bonafide.RoleVictim, Basis: "b", Complaint: "c1"}}, "1", morning)
	if err != nil || len(next.Parties) != 1 || len(c.Parties) != 0 {
		t.Errorf("%+v %v", next, err)
	}
}

func TestNobodyWorksForThemselvesOverOthers(t *testing.T) {
	c := bonafide.Case{Parties: []bonafide.Party{{ID: "a", Role: bonafide.RoleAgent, Name: "a", Basis: "b"}, {ID: "b", Role: bonafide.RoleAgent, Name: "b", Basis: "b", Under: "a"}}}
	p := c.Parties[0]
	p.Under = "b"
	if _, _, err := Write(c, Change{What: "party", By: "x", ID: "a", Party: p}, "1", morning); !errors.Is(err, bonafide.Invalid) {
		t.Error(err)
	}
}

func TestMethodIsReadOfDemandsAndSigns(t *testing.T) {
	var fs []Filing
	at := time.Date(2026, 4, 6, 3, 0, 0, 0, time.UTC)
	for i := range 10 {
		f := Filing{Complaint: string(rune('a' + i)), Received: at.AddDate(0, i/5, i), Channel: "hotline", Demands: []string{"要求退息"}, Template: "T"}
		if i > 6 {
			f.Demands, f.Criteria, f.Channel = []string{"停息挂账"}, []bonafide.Criterion{"K02"}, "regulator/12378"
		}
		fs = append(fs, f)
	}
	fs[0].Channel = "letter"
	methods, months := Analyse(fs, shanghai)
	var got []string
	for _, m := range methods {
		got = append(got, m.Scenario)
	}
	if d := cmp.Diff([]string{"A10", "A2", "A1", "A6"}, got); d != "" {
		t.Error(d)
	}
	if len(months) != 2 || months[0].Filings != 5 || months[1].Demands[0].Name != "A1" {
		t.Errorf("%+v", months)
	}
	if m, _ := Analyse(nil, shanghai); m != nil {
		t.Error("something of nothing")
	}
}

func TestSTIXNamesNoComplainant(t *testing.T) {
	x := Infrastructure{
		Case: bonafide.Case{ID: "c", Number: 3, Scenarios: []string{"A2"}, Parties: []bonafide.Party{
			{ID: "1", Role: bonafide.RoleOrganiser, Organisation: true, Name: "Sunrise Ltd", Identifiers: []bonafide.Identifier{{Kind: bonafide.Phone, Value: "+86100"}, {Kind: bonafide.Phone, Value: "+86999"}, {Kind: bonafide.Account, Value: "62220000"}, {Kind: bonafide.Device, Value: "IMEI"}}},
			{ID: "2", Role: bonafide.RoleAgent, Name: "Canary Person", Identifiers: []bonafide.Identifier{{Kind: bonafide.Handle, Value: "wx_sunrise"}}},
			{ID: "3", Role: bonafide.RoleVictim, Complaint: "CANARY-1"},
			{ID: "4", Role: bonafide.RoleUnknown, Name: "Canary Unknown", Identifiers: []bonafide.Identifier{{Kind: bonafide.Email, Value: "canary@example.org"}}},
		}},
		Adverts:  []bonafide.Advert{{URL: "https://sunrise.example/join?from=canary", Text: "Canary text", Identifiers: []bonafide.Identifier{{Kind: bonafide.Email, Value: "join@sunrise.example"}}}},
		Innocent: func(id bonafide.Identifier) bool { return id.Value == "+86999" },
		Origin:   "A lender", At: morning,
	}
	b, err := x.Bundle()
	again, err2 := x.Bundle()
	if err != nil || err2 != nil || string(b) != string(again) {
		t.Fatal(err, err2, "or other bytes")
	}
	s := strings.ToLower(string(b))
	for _, never := range []string{"canary", "+86999", "62220000", "imei", "criminal"} {
		if strings.Contains(s, never) {
			t.Errorf("it names %q", never)
		}
	}
	for _, want := range []string{"sunrise ltd", "+86100", "wx_sunrise", "https://sunrise.example/join", "join@sunrise.example", "grouping"} {
		if !strings.Contains(s, want) {
			t.Errorf("no %q", want)
		}
	}
	var bundle struct {
		Objects []struct {
			Type, ID   string
			ObjectRefs []string `json:"object_refs"`
		}
	}
	if err := json.Unmarshal(b, &bundle); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, o := range bundle.Objects {
		if ids[o.ID] || !strings.HasPrefix(o.ID, o.Type+"--") || len(o.ID) != len(o.Type)+38 {
			t.Errorf("id %s", o.ID)
		}
		ids[o.ID] = true
	}
	for _, o := range bundle.Objects {
		for _, r := range o.ObjectRefs {
			if !ids[r] {
				t.Errorf("a reference to nothing: %s", r)
			}
		}
	}
}

func TestMonthCountsStepsOfTheMonth(t *testing.T) {
	from, to := morning, morning.AddDate(0, 1, 0)
	in, before, after := from.Add(time.Hour), from.Add(-time.Hour), to
	heads := []Headline{{Case: "a", Number: 1, Gang: true, Amount: map[string]int64{"CNY": 5}}, {Case: "b", Number: 2, Exit: bonafide.ExitAdmonition}, {Case: "c", Number: 3}}
	steps := []Line{
		{"b", before, "open", bonafide.StageOpened},
		{"a", in, "open", bonafide.StageOpened},
		{"b", in, "close", bonafide.StageClosed},
		{"a", in.Add(1), "file", bonafide.StageFiled},
		{"c", after, "open", bonafide.StageOpened},
	}
	m := Figures(heads, steps, from, to)
	if d := cmp.Diff([]string{"a"}, m.Pushed); d != "" {
		t.Error(d)
	}
	if len(m.Filed) != 1 || len(m.Gang) != 1 || len(m.Preparation) != 0 || len(m.Closed[bonafide.ExitAdmonition]) != 1 || m.Amounts["CNY"] != 5 {
		t.Errorf("%+v", m)
	}
}
