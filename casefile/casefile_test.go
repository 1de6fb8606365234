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
		Handovers: []bonafide.Handover{{To: "police", Variant: "police", Seal: 1}},
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
	if taken < 60 {
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
	early := []bonafide.Move{bonafide.MoveDrop, bonafide.MoveReturn, bonafide.MoveWithdraw, bonafide.MovePenalise, bonafide.MoveAdmonish}
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
			m := moves[r.IntN(len(moves))]
			if slices.Contains(early, m) && r.IntN(4) > 0 { // or few walks would come to a court
				m = moves[r.IntN(len(moves))]
			}
			next, step, err := Step(c, actOf(m, by), f, cal, now)
			if err == nil {
				if (step.Exit != "") != (next.Stage == bonafide.StageClosed) || step.Exit != next.Exit {
					t.Fatalf("seed %d: the step says that it ended as %q, the case as %q", seed, step.Exit, next.Exit)
				}
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
	for _, e := range bonafide.Exits {
		if e == bonafide.ExitMerged {
			continue // no move leads there
		}
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
		{Case: "b", At: before, What: "open", From: bonafide.StageClue, To: bonafide.StageOpened},
		{Case: "a", At: in, What: "open", From: bonafide.StageClue, To: bonafide.StageOpened},
		{Case: "b", At: in, What: "close", From: bonafide.StageAdmonition, To: bonafide.StageClosed},
		{Case: "a", At: in.Add(1), What: "file", From: bonafide.StagePoliceReview, To: bonafide.StageFiled},
		{Case: "c", At: after, What: "open", From: bonafide.StageClue, To: bonafide.StageOpened},
	}
	m := Figures(heads, steps, from, to)
	if d := cmp.Diff([]string{"a"}, m.Pushed); d != "" {
		t.Error(d)
	}
	if len(m.Filed) != 1 || len(m.Gang) != 1 || len(m.Preparation) != 0 || len(m.Closed[bonafide.ExitAdmonition]) != 1 || m.Amounts["CNY"] != 5 {
		t.Errorf("%+v", m)
	}
}

// reviewed is a case that lacks nothing, in the stage before a report, with somebody of a
// complaint in it.
func reviewed(stage bonafide.Stage) (bonafide.Case, Facts) {
	c, f := ready(stage)
	c.PreparedBy, c.Begun = "person:z", morning
	c.Complaints = []string{"x"}
	c.Tasks = []bonafide.CaseTask{{ID: "t", Text: "call"}}
	c.Requests = []bonafide.MaterialRequest{{ID: "q"}}
	c.Watches = []bonafide.Watch{{ID: "w", Kind: "scenario", Value: "A6"}}
	return c, f
}

// What was approved is looked at again by both who report it.
func TestReportAsksEverythingAgain(t *testing.T) {
	gone := map[string]func(c *bonafide.Case, f *Facts){
		"item":    func(_ *bonafide.Case, f *Facts) { f.Items = 0 },
		"merit":   func(_ *bonafide.Case, f *Facts) { f.Untested = []string{"c9"} },
		"task":    func(c *bonafide.Case, _ *Facts) { c.Tasks = append(c.Tasks, bonafide.CaseTask{Template: "watch.ring"}) },
		"offence": func(c *bonafide.Case, _ *Facts) { c.Offences = nil },
		"loss":    func(c *bonafide.Case, _ *Facts) { c.Losses = nil },
		"party":   func(c *bonafide.Case, _ *Facts) { c.Parties = nil },
		"element": func(_ *bonafide.Case, f *Facts) { f.Held = nil },
	}
	for code, take := range gone {
		for _, second := range []bool{false, true} {
			c, f := reviewed(bonafide.StagePrepared)
			if second {
				c.Pending = &bonafide.Pending{What: "report", By: "person:z"}
			}
			take(&c, &f)
			_, _, err := Step(c, actOf(bonafide.MoveReport, "person:b"), f, cal, morning)
			var lack *LackError
			if !errors.As(err, &lack) || lack.Lacks[0].Code != code {
				t.Errorf("%s, second %v: %v", code, second, err)
			}
		}
	}
	c, f := reviewed(bonafide.StagePrepared)
	for i := range c.Exhibits { // a note stands for an item that never was, not for one that is gone
		c.Exhibits[i].Note = "seen"
	}
	f.Held = nil
	if _, _, err := Step(c, actOf(bonafide.MoveReport, "person:b"), f, cal, morning); !errors.Is(err, bonafide.Conflict) {
		t.Errorf("its items are gone: %v", err)
	}
	for i := range c.Exhibits {
		c.Exhibits[i].Item = ""
	}
	if _, _, err := Step(c, actOf(bonafide.MoveReport, "person:b"), f, cal, morning); err != nil {
		t.Errorf("notes say why there is none: %v", err)
	}
	for _, h := range []bonafide.Handover{{To: "police", Variant: "lawyer", Seal: 1}, {To: "police", Variant: "police", Seal: 2}, {To: "lawyer", Variant: "police", Seal: 1}, {To: "police", Seal: 1}} {
		c, f := reviewed(bonafide.StagePrepared)
		c.Handovers = []bonafide.Handover{h}
		if _, _, err := Step(c, actOf(bonafide.MoveReport, "person:b"), f, cal, morning); !errors.Is(err, bonafide.Conflict) {
			t.Errorf("%+v: %v", h, err)
		}
	}
}

// written is one change of each kind that is taken.
func written(what string) Change {
	ch := Change{What: what, By: "person:a", Text: "text", Name: "person:c", On: true}
	switch what {
	case "link":
		ch.Kind, ch.Name = "complaint", "y"
	case "unlink":
		ch.Kind, ch.Name = "complaint", "x"
	case "scenario":
		ch.Name = "A2"
	case "offence":
		ch.Name = "K03"
	case "party":
		ch.Party = bonafide.Party{Role: bonafide.RoleAgent, Name: "n", Basis: "b"}
	case "party-remove":
		ch.ID = "p"
	case "loss":
		ch.Loss = bonafide.Loss{Kind: "cost", Amount: bonafide.Amount{Minor: 1, Currency: "CNY"}, Basis: "b"}
	case "loss-remove":
		ch.ID = "l"
	case "exhibit", "exhibit-remove":
		ch.Exhibit = bonafide.Exhibit{Offence: "K02", Element: "paper", Item: "i"}
	case "task-done":
		ch.ID = "t"
	case "handover":
		ch.Handover = bonafide.Handover{To: "lawyer", Unit: "u", Items: []string{"i"}}
	case "request":
		ch.Request = bonafide.MaterialRequest{From: "police", What: "w", Due: morning}
	case "answer":
		ch.ID = "q"
	case "watch":
		ch.Kind, ch.Name = "scenario", "A1"
	case "watch-remove":
		ch.ID = "w"
	}
	return ch
}

// What changes a case after it was reviewed sends it back, and nobody's word for a report of
// it as it was counts any more.
func TestWhatIsReviewedIsWhatIsReported(t *testing.T) {
	keep := []string{"note", "assign", "group", "task-done", "handover", "request", "answer", "watch", "watch-remove", "hold"}
	for _, what := range Changes {
		if what == "lift-hold" {
			continue
		}
		for _, stage := range []bonafide.Stage{bonafide.StageLegalReview, bonafide.StagePrepared, bonafide.StageInvestigation} {
			c, _ := reviewed(stage)
			c.Pending = &bonafide.Pending{What: "report", By: "person:z"}
			now := morning.Add(time.Hour)
			next, step, err := Write(c, written(what), "n", now)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			stays := slices.Contains(keep, what)
			if (next.Pending != nil) != stays {
				t.Errorf("%s in %s: pending %+v", what, stage, next.Pending)
			}
			want := bonafide.StagePreserving
			if stays || stage == bonafide.StageInvestigation {
				want = stage
			}
			back := want != stage
			if next.Stage != want || step.To != want || step.From != stage || next.Since.Equal(now) != back || (next.AskedBy == "") != back || (next.PreparedBy == "") != back {
				t.Errorf("%s in %s: %s, step %+v, since %s, asked by %q, prepared by %q", what, stage, next.Stage, step, next.Since, next.AskedBy, next.PreparedBy)
			}
		}
	}
	c, _ := reviewed(bonafide.StagePrepared)
	rest, _, err := Split(c, []string{"R"}, nil, "person:a", "two hands", morning)
	if err != nil || rest.Stage != bonafide.StagePreserving || rest.PreparedBy != "" {
		t.Errorf("split: %s %v", rest.Stage, err)
	}
	c, f := reviewed(bonafide.StagePrepared)
	if next, _, err := Step(c, actOf(bonafide.MoveReturn, "person:b"), f, cal, morning); err != nil || next.AskedBy+next.PreparedBy != "" {
		t.Errorf("returned, and still approved: %+v %v", next, err)
	}
}

// Two decisions of two people do not wait at once: the one would be forgotten.
func TestOneDecisionOfTwoAtATime(t *testing.T) {
	lifting := Change{What: "lift-hold", By: "person:a", Text: "over"}
	c, f := reviewed(bonafide.StagePrepared)
	c.Hold = true
	asked, _, err := Step(c, actOf(bonafide.MoveReport, "person:a"), f, cal, morning)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Write(asked, lifting, "n", morning); !errors.Is(err, bonafide.Conflict) || !strings.Contains(err.Error(), "under way") {
		t.Errorf("lift-hold while a report waits: %v", err)
	}
	lift, _, err := Write(c, lifting, "n", morning)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Step(lift, actOf(bonafide.MoveReport, "person:b"), f, cal, morning); !errors.Is(err, bonafide.Conflict) || !strings.Contains(err.Error(), "under way") {
		t.Errorf("report while lift-hold waits: %v", err)
	}
	if next, _, err := Step(lift, actOf(bonafide.MoveReturn, "person:b"), f, cal, morning); err != nil || next.Pending == nil || next.Pending.What != "lift-hold" {
		t.Errorf("another move forgot that the hold is to be lifted: %+v %v", next.Pending, err)
	}
	if next, _, err := Write(lift, written("loss"), "n", morning); err != nil || next.Pending == nil {
		t.Errorf("a change forgot that the hold is to be lifted: %v", err)
	}
	if next, _, err := Write(lift, written("hold"), "n", morning); err != nil || next.Pending != nil || !next.Hold {
		t.Errorf("the hold was set, and is to be lifted: %+v %v", next.Pending, err)
	}
	opened, _ := ready(bonafide.StageOpened)
	opened.Pending = lift.Pending
	if next, _, err := Step(opened, actOf(bonafide.MovePreserve, "person:b"), f, cal, morning); err != nil || next.Pending != nil {
		t.Errorf("the hold began, and is to be lifted: %+v %v", next.Pending, err)
	}
	lifting.By = "person:b"
	if next, _, err := Write(lift, lifting, "n", morning); err != nil || next.Hold || next.Stage != bonafide.StagePrepared {
		t.Errorf("%+v %v", next, err)
	}
}

func TestMergedCasesStayWhereTheyAre(t *testing.T) {
	for _, s := range bonafide.Stages {
		for _, m := range s.Moves() {
			c, f := reviewed(s)
			c.Into = "other"
			if _, _, err := Step(c, actOf(m, "person:b"), f, cal, morning); !errors.Is(err, bonafide.Conflict) {
				t.Errorf("%s of a merged case that is %s: %v", m, s, err)
			}
		}
	}
}

// Nothing goes to the police before two people looked at what speaks for the borrowers.
func TestNothingGoesToThePoliceUnreviewed(t *testing.T) {
	before := []bonafide.Stage{bonafide.StageClue, bonafide.StageOpened, bonafide.StagePreserving, bonafide.StageLegalReview}
	give := Change{What: "handover", By: "person:a", Handover: bonafide.Handover{To: "police", Unit: "u", Variant: "police", Seal: 1}}
	for _, s := range bonafide.Stages {
		c, _ := reviewed(s)
		_, _, err := Write(c, give, "n", morning)
		packs := MayPack(&c, "police")
		if slices.Contains(before, s) {
			if !errors.Is(err, bonafide.Conflict) || !errors.Is(packs, bonafide.Conflict) {
				t.Errorf("%s: handed over: %v, sealed: %v", s, err, packs)
			}
		} else if err != nil || packs != nil {
			t.Errorf("%s: handed over: %v, sealed: %v", s, err, packs)
		}
		if err := errors.Join(MayPack(&c, "lawyer"), MayPack(&c, "regulator")); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	dropped := bonafide.Case{Stage: bonafide.StageClosed, Exit: bonafide.ExitDropped}
	if err := MayPack(&dropped, "police"); !errors.Is(err, bonafide.Conflict) {
		t.Errorf("a clue that was dropped: %v", err)
	}
	c, _ := reviewed(bonafide.StagePrepared)
	give.Handover.Variant = ""
	if _, _, err := Write(c, give, "n", morning); !errors.Is(err, bonafide.Invalid) {
		t.Errorf("a seal of no variant: %v", err)
	}
}

func TestAcquittalAndDroppedCharges(t *testing.T) {
	for _, x := range []struct {
		move  bonafide.Move
		stage bonafide.Stage
		exit  bonafide.Exit
	}{
		{bonafide.MoveAcquit, bonafide.StageAcquitted, bonafide.ExitAcquitted},
		{bonafide.MoveDropCharges, bonafide.StageNotIndicted, bonafide.ExitNotIndicted},
		{bonafide.MoveJudge, bonafide.StageJudgment, bonafide.ExitJudgment},
	} {
		c, f := ready(bonafide.StageIndicted)
		for _, act := range []Act{{Move: x.move, By: "person:a", Reason: "r"}, {Move: x.move, By: "person:a", Number: "n"}} {
			if _, _, err := Step(c, act, f, cal, morning); !errors.Is(err, bonafide.Invalid) {
				t.Errorf("%+v: %v", act, err)
			}
		}
		c, step, err := Step(c, actOf(x.move, "person:a"), f, cal, morning)
		if err != nil || c.Stage != x.stage || c.Numbers[string(x.move)] != "n" || step.Exit != "" || !Dated(x.move) {
			t.Fatalf("%s: %+v %v", x.move, c, err)
		}
		c, step, err = Step(c, actOf(bonafide.MoveClose, "person:a"), f, cal, morning)
		if err != nil || c.Exit != x.exit || step.Exit != x.exit {
			t.Errorf("%s: %s, step %s, %v", x.move, c.Exit, step.Exit, err)
		}
	}
}

// Whatever ends a reconsideration, its period ends with it.
func TestReconsiderationCanEndOtherwise(t *testing.T) {
	for stage, clock := range map[bonafide.Stage]string{bonafide.StageReconsideration: "reconsideration", bonafide.StageSecondReview: "second-review"} {
		for _, m := range []bonafide.Move{bonafide.MoveWithdraw, bonafide.MoveAdmonish, bonafide.MovePenalise} {
			c, f := ready(stage)
			c.Clocks = []bonafide.CaseClock{{Name: clock, Started: morning, Due: morning.AddDate(0, 0, 30)}}
			if next, _, err := Step(c, actOf(m, "person:a"), f, cal, morning); err != nil || next.Clock(clock) != nil {
				t.Errorf("%s from %s: %v", m, stage, err)
			}
		}
	}
}

// An application is in time by its own day.
func TestApplicationCountsByItsDay(t *testing.T) {
	c, f := ready(bonafide.StageNotFiled)
	due := morning.AddDate(0, 0, 7)
	c.Clocks = []bonafide.CaseClock{{Name: "reconsideration-apply", Started: morning, Due: due}}
	late := due.AddDate(0, 0, 3)
	act := actOf(bonafide.MoveReconsider, "person:a")
	if _, _, err := Step(c, act, f, cal, late); !errors.Is(err, bonafide.Conflict) {
		t.Errorf("today is too late: %v", err)
	}
	act.Date = due.Add(time.Minute)
	if _, _, err := Step(c, act, f, cal, late); !errors.Is(err, bonafide.Conflict) {
		t.Errorf("its day is too late: %v", err)
	}
	act.Date = due.Add(-time.Hour)
	next, _, err := Step(c, act, f, cal, late)
	if err != nil || !next.Clocks[0].Met.Equal(act.Date) || next.Clocks[0].Late(late) || !next.Clocks[1].Started.Equal(act.Date) {
		t.Errorf("it was in time: %+v %v", next.Clocks, err)
	}
}

// A paper is of no day before the case, or before the period that it ends.
func TestDatesBeforeTheirBeginning(t *testing.T) {
	began := time.Date(2026, 3, 2, 15, 0, 0, 0, shanghai)
	started := time.Date(2026, 3, 5, 15, 0, 0, 0, shanghai)
	for _, x := range []struct {
		move  bonafide.Move
		stage bonafide.Stage
		clock string
		date  time.Time
		ok    bool
	}{
		{bonafide.MoveReceipt, bonafide.StageReported, "", began.AddDate(0, 0, -1), false},
		{bonafide.MoveReceipt, bonafide.StageReported, "", began.Add(-14 * time.Hour), true}, // of the same day there
		{bonafide.MoveReceipt, bonafide.StageReported, "", began.Add(-16 * time.Hour), false},
		{bonafide.MoveFile, bonafide.StagePoliceReview, "police-review", started.Add(-16 * time.Hour), false},
		{bonafide.MoveFile, bonafide.StagePoliceReview, "police-review", started.Add(-14 * time.Hour), true},
		{bonafide.MoveExamine, bonafide.StageReceipt, "police-review", started.AddDate(0, 0, -1), true}, // it does not end it
		{bonafide.MoveReconsider, bonafide.StageNotFiled, "reconsideration-apply", started.AddDate(0, 0, -1), false},
		{bonafide.MoveClose, bonafide.StagePenalty, "reconsideration-apply", started.AddDate(0, 0, -1), false},
	} {
		c, f := ready(x.stage)
		c.Begun = began
		if x.clock != "" {
			c.Clocks = []bonafide.CaseClock{{Name: x.clock, Started: started, Due: started.AddDate(0, 0, 7)}}
		}
		act := actOf(x.move, "person:a")
		act.Date = x.date
		next, _, err := Step(c, act, f, cal, started.AddDate(0, 0, 2))
		if x.ok != (err == nil) || err != nil && (!errors.Is(err, bonafide.Invalid) || !strings.Contains(err.Error(), "date: it lies before")) {
			t.Errorf("%s of %s: %v", x.move, x.date, err)
		}
		for _, k := range next.Clocks {
			if !k.Met.IsZero() && k.Met.Before(k.Started) {
				t.Errorf("%s: %s ended before it began", x.move, k.Name)
			}
		}
	}
}

func TestMonthCountsAnEndOnce(t *testing.T) {
	from, to := morning, morning.AddDate(0, 1, 0)
	before, in := from.Add(-time.Hour), from.Add(time.Hour)
	closed := func(c string, at time.Time, from bonafide.Stage, exit bonafide.Exit) Line {
		return Line{Case: c, At: at, What: "close", From: from, To: bonafide.StageClosed, Exit: exit}
	}
	heads := []Headline{
		{Case: "noted", Number: 1, Exit: bonafide.ExitPenalty},
		{Case: "again", Number: 2}, // it was opened again later
		{Case: "within", Number: 3},
		{Case: "old", Number: 4, Exit: bonafide.ExitWithdrawn}, // its steps say no exit
		{Case: "merged", Number: 5, Gang: true, Exit: bonafide.ExitMerged, Amount: map[string]int64{"CNY": 7}},
		{Case: "noted-too", Number: 6, Exit: bonafide.ExitAcquitted},
	}
	note := func(c string, at time.Time) Line {
		return Line{Case: c, At: at, What: "note", From: bonafide.StageClosed, To: bonafide.StageClosed}
	}
	m := Figures(heads, []Line{
		closed("noted", before, bonafide.StagePenalty, bonafide.ExitPenalty),
		note("noted", in),
		closed("again", in, bonafide.StageAdmonition, bonafide.ExitAdmonition),
		closed("within", in, bonafide.StageNotFiled, bonafide.ExitNotFiled),
		{Case: "within", At: in.Add(1), What: "reopen", From: bonafide.StageClosed, To: bonafide.StageOpened},
		closed("old", in, bonafide.StageWithdrawn, ""),
		{Case: "merged", At: in, What: "open", From: bonafide.StageClue, To: bonafide.StageOpened},
		{Case: "merged", At: in.Add(1), What: "merged", From: bonafide.StageOpened, To: bonafide.StageClosed},
		closed("noted-too", in, bonafide.StageAcquitted, bonafide.ExitAcquitted),
		note("noted-too", in.Add(1)),
		{Case: "again", At: to, What: "reopen", From: bonafide.StageClosed, To: bonafide.StageOpened},
	}, from, to)
	want := map[bonafide.Exit][]string{
		bonafide.ExitAdmonition: {"again"}, bonafide.ExitWithdrawn: {"old"}, bonafide.ExitMerged: {"merged"}, bonafide.ExitAcquitted: {"noted-too"},
	}
	if d := cmp.Diff(want, m.Closed); d != "" {
		t.Error(d)
	}
	if len(m.Pushed)+len(m.Gang)+len(m.Amounts) != 0 {
		t.Errorf("a merged case counts: %+v", m)
	}
}

func TestClosedCasesAreWrittenIntoNoMore(t *testing.T) {
	for _, what := range Changes {
		c, _ := reviewed(bonafide.StageClosed)
		c.Hold = true
		_, _, err := Write(c, written(what), "n", morning)
		if refused := slices.Contains([]string{"link", "unlink", "offence", "party", "party-remove", "loss", "loss-remove", "exhibit", "exhibit-remove"}, what); refused != errors.Is(err, bonafide.Conflict) || !refused && err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	c, _ := reviewed(bonafide.StageClosed)
	c.Group = []string{"person:c", "person:gone"}
	next, _, err := Write(c, Change{What: "group", By: "person:a", Name: "person:gone"}, "n", morning)
	if d := cmp.Diff([]string{"person:c"}, next.Group); err != nil || d != "" {
		t.Error(err, d)
	}
}

func TestPruneLeavesNothingOfWhoIsOut(t *testing.T) {
	c := bonafide.Case{
		Parties: []bonafide.Party{
			{ID: "o", Role: bonafide.RoleOrganiser},
			{ID: "b1", Role: bonafide.RoleVictim, Complaint: "in"},
			{ID: "b2", Role: bonafide.RoleWilling, Complaint: "out"},
			{ID: "r", Role: bonafide.RoleRecruiter, Under: "b2"},
		},
		Losses: []bonafide.Loss{{ID: "1", Complaint: "in"}, {ID: "2", Complaint: "out"}, {ID: "3"}},
		Looks:  []bonafide.Look{{Complaint: "out"}, {Complaint: "in"}},
	}
	before, _ := json.Marshal(c)
	got := Prune(c, []string{"in"})
	want := bonafide.Case{
		Parties: []bonafide.Party{{ID: "o", Role: bonafide.RoleOrganiser}, {ID: "b1", Role: bonafide.RoleVictim, Complaint: "in"}, {ID: "r", Role: bonafide.RoleRecruiter}},
		Losses:  []bonafide.Loss{{ID: "1", Complaint: "in"}, {ID: "3"}},
		Looks:   []bonafide.Look{{Complaint: "in"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if after, _ := json.Marshal(c); string(before) != string(after) {
		t.Error("it changed the case that it was given")
	}
}
