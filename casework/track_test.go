package casework

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"bonafide"

	"github.com/google/go-cmp/cmp"
)

// start is Monday, 2 March 2026, 09:00 in Shanghai.
var start = time.Date(2026, 3, 2, 1, 0, 0, 0, time.UTC)

// act returns an act of one person with everything its verb needs.
func act(p *Pack, v Verb) Act {
	a := Act{Verb: v, By: "key:anna"}
	switch v {
	case Decide:
		a.Reason, a.Outcome = "the call log shows it", Upheld
	case Extend, Reopen:
		a.Reason = "the archive answers late"
	case Decline:
		a.Reason, a.Ground = "a court decided on 3 May", p.grounds[0].ID
	}
	return a
}

// walk moves a track by several verbs, an hour apart.
func walk(t *testing.T, p *Pack, tr Track, verbs ...Verb) Track {
	t.Helper()
	for _, v := range verbs {
		a := act(p, v)
		if v == Decide && tr.State == Review {
			a.By = "key:berta"
		}
		var err error
		if tr, _, err = p.Move(tr, a, tr.Since.Add(time.Hour)); err != nil {
			t.Fatalf("%s: %v", v, err)
		}
	}
	return tr
}

// to says by which verbs each state is reached.
var to = map[State][]Verb{
	Received:      {},
	Registered:    {Register},
	Authority:     {Register, CheckAuthority},
	Investigating: {Register, Investigate},
	Decided:       {Register, Investigate, Decide},
	Notified:      {Register, Investigate, Decide, Notify},
	Review:        {Register, Investigate, Decide, Notify, RequestReview},
	Closed:        {Register, Investigate, Decide, Notify, Close},
	Withdrawn:     {Withdraw},
	Declined:      {Register, Decline},
}

// Every verb in every state: what is allowed leads where the table says, and the
// rest is a conflict that changes nothing.
func TestEveryTransition(t *testing.T) {
	p := load(t, "cn-nfra")
	allowed := map[State]map[Verb]State{
		Received:      {Register: Registered, Extend: Received, Withdraw: Withdrawn},
		Registered:    {CheckAuthority: Authority, Investigate: Investigating, Extend: Registered, Withdraw: Withdrawn, Decline: Declined},
		Authority:     {Investigate: Investigating, Extend: Authority, Withdraw: Withdrawn, Decline: Declined},
		Investigating: {Decide: Decided, Extend: Investigating, Withdraw: Withdrawn, Decline: Declined},
		Decided:       {Notify: Notified, Extend: Decided, Withdraw: Withdrawn},
		Notified:      {RequestReview: Review, Close: Closed},
		Review:        {Decide: Decided, Extend: Review, Withdraw: Withdrawn},
		Closed:        {Reopen: Review},
		Withdrawn:     {},
		Declined:      {Reopen: Review},
	}
	if len(allowed) != len(States) || len(to) != len(States) {
		t.Fatal("a state is missing in the tables")
	}
	for _, from := range States {
		tr := walk(t, p, p.Open("c1", start), to[from]...)
		if tr.State != from {
			t.Fatalf("got %s, want %s", tr.State, from)
		}
		var can []Verb
		for _, v := range Verbs {
			a := act(p, v)
			if v == Decide {
				a.By = "key:berta"
			}
			want, ok := allowed[from][v]
			if ok {
				can = append(can, v)
			}
			if from == Review && v == Extend { // allowed by the state, but the pack has no extension of a review
				if _, _, err := p.Move(tr, a, tr.Since); !errors.Is(err, bonafide.Conflict) {
					t.Errorf("extend in review: got %v, want a conflict", err)
				}
				continue
			}
			before := tr
			got, step, err := p.Move(tr, a, tr.Since.Add(time.Hour))
			switch {
			case ok && err != nil:
				t.Errorf("%s in %s: %v", v, from, err)
			case ok && (got.State != want || step.From != from || step.To != want):
				t.Errorf("%s in %s: got %s, step %s to %s, want %s", v, from, got.State, step.From, step.To, want)
			case !ok && !errors.Is(err, bonafide.Conflict):
				t.Errorf("%s in %s: got %v, want a conflict", v, from, err)
			case !ok && !cmp.Equal(got, before):
				t.Errorf("%s in %s: a refused act changed the track", v, from)
			}
			if !cmp.Equal(tr, before) {
				t.Errorf("%s in %s: Move changed its argument", v, from)
			}
		}
		if d := cmp.Diff(can, tr.Can()); d != "" {
			t.Errorf("Can in %s (-want +got):\n%s", from, d)
		}
	}
}

func TestMoveRefusesWhatIsMissing(t *testing.T) {
	p := load(t, "cn-nfra")
	for _, c := range []struct {
		name string
		in   State
		a    Act
		kind bonafide.Kind
		says string
	}{
		{"nobody", Received, Act{Verb: Register}, bonafide.Invalid, "by: missing"},
		{"unknown verb", Received, Act{Verb: "burn", By: "a"}, bonafide.Invalid, "verb"},
		{"decide without outcome", Investigating, Act{Verb: Decide, By: "a", Reason: "r"}, bonafide.Invalid, "outcome: missing"},
		{"decide without reason", Investigating, Act{Verb: Decide, By: "a", Outcome: Upheld}, bonafide.Invalid, "reason: missing"},
		{"unknown outcome", Investigating, Act{Verb: Decide, By: "a", Reason: "r", Outcome: "perhaps"}, bonafide.Invalid, "perhaps"},
		{"blank reason", Investigating, Act{Verb: Decide, By: "a", Reason: " \n", Outcome: Upheld}, bonafide.Invalid, "reason: missing"},
		{"decline without ground", Registered, Act{Verb: Decline, By: "a", Reason: "r"}, bonafide.Invalid, "ground: missing"},
		{"unknown ground", Registered, Act{Verb: Decline, By: "a", Reason: "r", Ground: "too-many-complaints"}, bonafide.Invalid, "no-infringement"},
		{"decline without reason", Registered, Act{Verb: Decline, By: "a", Ground: "court"}, bonafide.Invalid, "reason: missing"},
		{"a program declines", Registered, Act{Verb: Decline, By: "system:settle", Ground: "court", Reason: "r"}, bonafide.Denied, "only a person"},
		{"a program decides", Investigating, Act{Verb: Decide, By: "system:settle", Outcome: NotUpheld, Reason: "r"}, bonafide.Denied, "only a person"},
		{"extend without reason", Received, Act{Verb: Extend, By: "a"}, bonafide.Invalid, "reason: missing"},
		{"the same person approves", Received, Act{Verb: Extend, By: "a", Approver: " a ", Reason: "r"}, bonafide.Denied, "somebody else"},
		{"a program approves", Received, Act{Verb: Extend, By: "a", Approver: "system:x", Reason: "r"}, bonafide.Denied, "only a person"},
		{"extend what does not run", Received, Act{Verb: Extend, By: "a", Reason: "r", Clock: "review"}, bonafide.Conflict, "review"},
		{"an outcome where none belongs", Received, Act{Verb: Register, By: "a", Outcome: Upheld}, bonafide.Invalid, "outcome"},
		{"a ground where none belongs", Received, Act{Verb: Register, By: "a", Ground: "court"}, bonafide.Invalid, "ground"},
		{"an approver where none belongs", Received, Act{Verb: Register, By: "a", Approver: "b"}, bonafide.Invalid, "approver"},
		{"an unknown kind", Received, Act{Verb: Register, By: "a", Clock: "decision"}, bonafide.Invalid, "credit-record"},
		{"reopen without reason", Closed, Act{Verb: Reopen, By: "a"}, bonafide.Invalid, "reason: missing"},
		{"the decider reviews", Review, Act{Verb: Decide, By: "key:anna", Reason: "r", Outcome: Upheld}, bonafide.Denied, "somebody else"},
	} {
		tr := walk(t, p, p.Open("c1", start), to[c.in]...)
		_, _, err := p.Move(tr, c.a, tr.Since)
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %s with %q", c.name, err, c.kind, c.says)
		}
	}
	other := load(t, "uk-disp").Open("c1", start)
	if _, _, err := p.Move(other, act(p, Register), start); !errors.Is(err, bonafide.Conflict) {
		t.Errorf("another pack's track: got %v, want a conflict", err)
	}
}

// due returns the last moment of a date in the pack's zone.
func due(t *testing.T, p *Pack, s string) time.Time {
	t.Helper()
	d, err := parseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return p.calendar.end(d)
}

func TestChineseExtensions(t *testing.T) {
	p := load(t, "cn-nfra")
	tr := p.Open("c1", start)
	ask := Act{Verb: Extend, By: "key:anna", Reason: "two branches are involved"}

	tr, step, err := p.Move(tr, ask, start.Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if want := due(t, p, "2026-04-01"); !step.Due.Equal(want) || step.Clock != "decision" || !tr.Clocks[0].Due.Equal(want) || tr.State != Received || !tr.Since.Equal(start) {
		t.Errorf("first: got %+v, %+v", step, tr)
	}
	if _, _, err := p.Move(tr, ask, start.Add(48*time.Hour)); !errors.Is(err, bonafide.Denied) {
		t.Errorf("second without approval: got %v, want denied", err)
	}
	ask.Approver = ask.By
	if _, _, err := p.Move(tr, ask, start.Add(48*time.Hour)); !errors.Is(err, bonafide.Denied) {
		t.Errorf("second approved by the same person: got %v, want denied", err)
	}
	ask.Approver = "key:head-office"
	late := due(t, p, "2026-04-01").Add(time.Microsecond)
	if _, _, err := p.Move(tr, ask, late); !errors.Is(err, bonafide.Conflict) {
		t.Errorf("after the end: got %v, want a conflict", err)
	}
	tr, step, err = p.Move(tr, ask, late.Add(-time.Microsecond))
	if err != nil || !step.Due.Equal(due(t, p, "2026-05-01")) || tr.Clocks[0].Extended != 2 {
		t.Errorf("second, in the last moment: got %v, %+v", err, step)
	}
	if _, _, err := p.Move(tr, ask, late); !errors.Is(err, bonafide.Conflict) {
		t.Errorf("third: got %v, want a conflict", err)
	}
	if slices.Contains(p.Can(tr, late), Extend) || !slices.Contains(tr.Can(), Extend) {
		t.Error("the state allows to extend, and the pack does not any more")
	}
}

func TestClocksAreMetAndStopped(t *testing.T) {
	p := load(t, "cn-nfra")
	tr := p.Open("c1", start)
	if c, ok := tr.Due(); !ok || c.Name != "decision" || !c.Due.Equal(due(t, p, "2026-03-17")) {
		t.Fatalf("got %+v", c)
	}
	if tr.Overdue(due(t, p, "2026-03-17")) || !tr.Overdue(due(t, p, "2026-03-17").Add(time.Microsecond)) {
		t.Error("overdue begins a microsecond after due")
	}
	decided := walk(t, p, tr, Register, CheckAuthority, Investigate, Decide)
	if _, ok := decided.Due(); !ok || decided.Outcome != Upheld || decided.Decider != "key:anna" {
		t.Errorf("a decision that nobody was told stops no clock: %+v", decided)
	}
	told := walk(t, p, decided, Notify)
	if _, ok := told.Due(); ok || told.Clocks[0].Met.IsZero() || told.Clocks[0].Late(start.AddDate(1, 0, 0)) {
		t.Errorf("got %+v", told)
	}
	late, _, err := p.Move(decided, act(p, Notify), start.AddDate(0, 1, 0))
	if err != nil || !late.Clocks[0].Late(start) {
		t.Errorf("told late: got %v, %+v", err, late.Clocks[0])
	}
	gone := walk(t, p, tr, Withdraw)
	if c := gone.Clocks[0]; c.Runs() || !c.Met.IsZero() || c.Stopped.IsZero() {
		t.Errorf("withdrawn: got %+v", c)
	}
}

func TestReviewHasItsOwnClock(t *testing.T) {
	p := load(t, "cn-nfra")
	tr := walk(t, p, p.Open("c1", start), to[Notified]...)
	asked := time.Date(2026, 4, 30, 8, 0, 0, 0, time.UTC)
	tr, step, err := p.Move(tr, act(p, RequestReview), asked)
	if err != nil || step.Clock != "review" || !step.Due.Equal(due(t, p, "2026-05-30")) {
		t.Fatalf("got %v, %+v", err, step)
	}
	again := walk(t, p, tr, Decide, Notify, Close, Reopen)
	if c, ok := again.Due(); !ok || c.Name != "review" || len(again.Clocks) != 3 || again.State != Review {
		t.Errorf("got %+v", again)
	}
}

func TestCreditRecordObjectionIsChosenWhenRegistered(t *testing.T) {
	p := load(t, "cn-nfra")
	a := act(p, Register)
	a.Clock = "credit-record"
	// Registered three days later: the days count from receipt all the same.
	tr, step, err := p.Move(p.Open("c1", start), a, start.AddDate(0, 0, 3))
	if err != nil || step.Clock != "credit-record" || !step.Due.Equal(due(t, p, "2026-03-22")) || !tr.Clocks[1].Started.Equal(start) {
		t.Fatalf("got %v, %+v", err, step)
	}
	if c, _ := tr.Due(); c.Name != "decision" {
		t.Errorf("both run, and the decision ends first: got %s", c.Name)
	}
	if plain := walk(t, p, p.Open("c2", start), Register); len(plain.Clocks) != 1 {
		t.Errorf("not chosen: got %+v", plain.Clocks)
	}
}

// Declining under Regulation V is not over until the notice is out: five
// business days from the act.
func TestFrivolousNoticeRunsFromDeclining(t *testing.T) {
	p := load(t, "us-cfpb")
	received := moment(t, "2026-03-02T09:00:00-05:00")
	tr := walk(t, p, p.Open("c1", received), Register)
	a := act(p, Decline)
	tr, step, err := p.Move(tr, a, moment(t, "2026-03-04T10:00:00-05:00"))
	if err != nil || step.Clock != "frivolous-notice" || !step.Due.Equal(due(t, p, "2026-03-11")) {
		t.Fatalf("got %v, %+v", err, step)
	}
	if tr.State != Decided || !tr.Declining() || tr.Ground != a.Ground || tr.Outcome != "" || tr.State.Ended() {
		t.Errorf("got %+v", tr)
	}
	if c, ok := tr.Due(); !ok || c.Name != "frivolous-notice" {
		t.Errorf("got %+v", c)
	}
	if d := cmp.Diff([]Verb{Notify, Extend, Withdraw}, tr.Can()); d != "" {
		t.Errorf("Can (-want +got):\n%s", d)
	}
	done, _, err := p.Move(tr, act(p, Notify), moment(t, "2026-03-06T10:00:00-05:00"))
	if err != nil || done.State != Declined {
		t.Fatalf("got %v, %+v", err, done)
	}
	for _, c := range done.Clocks {
		if c.Runs() {
			t.Errorf("%s runs after the end", c.Name)
		}
	}
}

func TestFirstResponseInProgress(t *testing.T) {
	p := load(t, "us-cfpb")
	tr := walk(t, p, p.Open("c1", start), Register, Investigate)
	tr, step, err := p.Move(tr, act(p, Extend), start.AddDate(0, 0, 10))
	if err != nil || step.Clock != "first-response" || tr.Clocks[0].Met.IsZero() || tr.Clocks[0].Extended != 1 {
		t.Fatalf("got %v, %+v", err, tr.Clocks)
	}
	if c, ok := tr.Due(); !ok || c.Name != "final-response" {
		t.Errorf("got %+v", c)
	}
	if _, _, err := p.Move(tr, act(p, Extend), start.AddDate(0, 0, 11)); !errors.Is(err, bonafide.Conflict) {
		t.Errorf("the final response cannot be extended: got %v", err)
	}
}

// What may be done within three days and need not be is never overdue.
func TestSummaryResolutionIsAnOption(t *testing.T) {
	p := load(t, "uk-disp")
	tr := walk(t, p, p.Open("c1", start), Register)
	if len(tr.Clocks) != 3 {
		t.Fatalf("got %+v", tr.Clocks)
	}
	if c, ok := tr.Due(); !ok || c.Name != "final-response" || tr.Overdue(start.AddDate(0, 0, 20)) {
		t.Errorf("got %+v", c)
	}
	for _, r := range p.Reminders(tr, start.AddDate(0, 0, 20)) {
		t.Errorf("got %+v, want no reminder of a chance that passed", r)
	}
}

func TestReminders(t *testing.T) {
	p := load(t, "cn-nfra")
	tr := p.Open("c1", start) // due on 17 March
	for _, c := range []struct {
		now  string
		want []Reminder
	}{
		{"2026-03-09T23:59:00+08:00", nil},
		{"2026-03-10T00:00:00+08:00", []Reminder{{Clock: "decision", DaysLeft: 7, Point: 7}}},
		{"2026-03-13T00:00:00+08:00", []Reminder{{Clock: "decision", DaysLeft: 4, Point: 7}}},
		{"2026-03-15T00:00:00+08:00", []Reminder{{Clock: "decision", DaysLeft: 2, Point: 3}}},
		{"2026-03-17T23:00:00+08:00", []Reminder{{Clock: "decision", DaysLeft: 0, Point: 0}}},
		{"2026-03-19T00:00:00+08:00", []Reminder{{Clock: "decision", DaysLeft: -2, Overdue: true, Point: -1}}},
	} {
		for i := range c.want {
			c.want[i].Due = due(t, p, "2026-03-17")
		}
		if d := cmp.Diff(c.want, p.Reminders(tr, moment(t, c.now))); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.now, d)
		}
	}
	if got := p.Reminders(walk(t, p, tr, Withdraw), start.AddDate(1, 0, 0)); got != nil {
		t.Errorf("ended: got %+v", got)
	}
	first := load(t, "uk-disp").Reminders(load(t, "uk-disp").Open("c", start), start.AddDate(0, 0, 60))
	if len(first) != 2 || first[0].Clock != "acknowledgement" || first[1].Clock != "final-response" {
		t.Errorf("those that end first come first: got %+v", first)
	}
}

// A clock of a machine that lags does not make a history run backwards.
func TestSinceNeverGoesBackwards(t *testing.T) {
	p := load(t, "cn-nfra")
	tr, step, err := p.Move(p.Open("c1", start), act(p, Register), start.Add(-time.Second))
	if err != nil || !tr.Since.Equal(start) || !step.At.Equal(start) {
		t.Errorf("got %v, %v, %v", err, tr.Since, step.At)
	}
}

func TestTrackSurvivesJSON(t *testing.T) {
	p := load(t, "us-cfpb")
	tr := walk(t, p, p.Open("c1", start.Add(123456789)), Register, Investigate, Extend, Decide, Notify, Close)
	body, err := json.Marshal(tr)
	if err != nil {
		t.Fatal(err)
	}
	var got Track
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(tr, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if strings.Contains(string(body), "0001-01-01") {
		t.Errorf("a moment that is none is written: %s", body)
	}
}

// Random walks: whatever people try, nothing panics, no history runs backwards,
// receipt stays, a due moment moves only by extending, and what ended rests.
func TestRandomWalks(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	people := []string{"", "key:anna", "key:berta", "system:settle"}
	moved := map[State]int{}
	for _, p := range Packs() {
		grounds := []string{"", "nonsense"}
		for _, g := range p.grounds {
			grounds = append(grounds, g.ID)
		}
		clocks := []string{"", "", "", "nonsense"}
		for _, d := range p.deadlines {
			clocks = append(clocks, d.Name)
		}
		one := func(s []string) string { return s[r.IntN(len(s))] }
		for range 400 {
			now := start.Add(time.Duration(r.Int64N(int64(900 * 24 * time.Hour))))
			tr := p.Open("c1", now)
			for range 40 {
				now = now.Add(time.Duration(r.Int64N(int64(6*24*time.Hour))) - 3*time.Hour)
				a := Act{Verb: Verbs[r.IntN(len(Verbs))], By: one(people)}
				if r.IntN(3) > 0 { // mostly what the verb needs
					a = act(p, a.Verb)
					a.By = one(people)
				} else {
					a.Approver, a.Reason, a.Ground, a.Clock = one(people), one([]string{"", "r"}), one(grounds), one(clocks)
					a.Outcome = []Outcome{"", Upheld, "nonsense"}[r.IntN(3)]
				}
				if a.Verb == Extend {
					a.Approver, a.Clock = one(people), one(clocks)
				}
				next, step, err := p.Move(tr, a, now)
				if err != nil {
					if !cmp.Equal(next, tr) || !cmp.Equal(step, Step{}) {
						t.Fatalf("%s: a refused act changed something: %v", p.Name, err)
					}
					continue
				}
				moved[next.State]++
				if next.Since.Before(tr.Since) || !next.Received.Equal(tr.Received) || next.Complaint != tr.Complaint {
					t.Fatalf("%s: %+v after %+v", p.Name, next, tr)
				}
				if step.At.Before(tr.Since) || step.From != tr.State || step.To != next.State || !slices.Contains(tr.Can(), a.Verb) {
					t.Fatalf("%s: %+v", p.Name, step)
				}
				for i, c := range tr.Clocks {
					n := next.Clocks[i]
					if !n.Due.Equal(c.Due) && (a.Verb != Extend || n.Due.Before(c.Due) || n.Name != step.Clock || n.Extended != c.Extended+1) {
						t.Fatalf("%s: %s moved %s from %v to %v", p.Name, a.Verb, c.Name, c.Due, n.Due)
					}
					if !c.Runs() && !cmp.Equal(n, c) {
						t.Fatalf("%s: a clock that was over changed: %+v to %+v", p.Name, c, n)
					}
				}
				if next.State.Ended() {
					for _, c := range next.Clocks {
						if c.Runs() {
							t.Fatalf("%s: %s runs though the complaint is %s", p.Name, c.Name, next.State)
						}
					}
					if _, ok := next.Due(); ok || next.Overdue(now.AddDate(10, 0, 0)) || p.Reminders(next, now) != nil {
						t.Fatalf("%s: %s and something is due", p.Name, next.State)
					}
				}
				tr = next
			}
		}
	}
	for _, s := range States {
		if s != Received && moved[s] == 0 {
			t.Errorf("no walk came to %s: the test is too tame", s)
		}
	}
}
