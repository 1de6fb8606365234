package merit_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"bonafide"
	"bonafide/internal/synth"
	"bonafide/merit"

	godiff "github.com/google/go-cmp/cmp"
)

func moment(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// outgoing is a call that got through to the debtor.
func outgoing(t testing.TB, id, at string) bonafide.CollectionCall {
	return bonafide.CollectionCall{ID: id, CustomerRef: "a", Started: moment(t, at), Direction: "out", Party: "debtor", Effective: true}
}

// rules lists the rules that findings are of.
func rules(m bonafide.Merit) string {
	var out []string
	for _, f := range m.Findings {
		out = append(out, f.Rule)
	}
	return strings.Join(out, " ")
}

func TestNightIsByTheClockOfWhoWasCalled(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, at string
		zone     *time.Location
		night    bool
	}{
		{"the last second of the evening", "2026-03-01T21:59:59+08:00", nil, false},
		{"and all of it", "2026-03-01T21:59:59.999999999+08:00", nil, false},
		{"the first second of the night", "2026-03-01T22:00:00+08:00", nil, true},
		{"midnight", "2026-03-02T00:00:00+08:00", nil, true},
		{"the last second of the night", "2026-03-02T07:59:59+08:00", nil, true},
		{"and all of it", "2026-03-02T07:59:59.999999999+08:00", nil, true},
		{"the first second of the day", "2026-03-02T08:00:00+08:00", nil, false},
		{"UTC is read in the zone of the pack", "2026-03-01T13:59:59Z", nil, false},
		{"which is Shanghai", "2026-03-01T14:00:00Z", nil, true},
		{"an offset of nothing is UTC", "2026-03-01T23:59:59+00:00", nil, true},
		{"and day there", "2026-03-02T00:00:00+00:00", nil, false},
		{"UTC is read in the zone that is given", "2026-03-02T02:59:59Z", newYork, false},
		{"which is New York", "2026-03-02T03:00:00Z", newYork, true},
		{"any other zone is that of who was called", "2026-03-01T22:00:00+06:00", newYork, true},
		{"and evening there", "2026-03-01T21:59:59+06:00", nil, false},
		{"before clocks go forward", "2026-03-07T12:59:59Z", newYork, true},
		{"the morning of that winter day", "2026-03-07T13:00:00Z", newYork, false},
		{"on the day when they do", "2026-03-08T11:59:59Z", newYork, true},
		{"its morning comes an hour earlier", "2026-03-08T12:00:00Z", newYork, false},
		{"the hour that comes twice, first", "2025-11-02T05:30:00Z", newYork, true},
		{"and again", "2025-11-02T06:30:00Z", newYork, true},
		{"the morning after", "2025-11-02T13:00:00Z", newYork, false},
	} {
		m := pack(t, "cn").Check(moment(t, "2026-04-01T12:00:00+08:00"),
			merit.Records{Calls: []bonafide.CollectionCall{outgoing(t, "1", c.at)}}, time.Time{}, c.zone)
		if got := rules(m) == merit.NightCall; got != c.night {
			t.Errorf("%s (%s): night %v, want %v", c.name, c.at, got, c.night)
		}
	}
}

func TestNightCallsThatCountAndThatDoNot(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*bonafide.CollectionCall)
		want   string
	}{
		{"it rang", func(c *bonafide.CollectionCall) { c.Effective = false }, merit.NightCall},
		{"a third party", func(c *bonafide.CollectionCall) { c.Party = "third-party" }, merit.NightCall},
		{"agreed", func(c *bonafide.CollectionCall) { c.AgreedHours = true }, ""},
		{"they called", func(c *bonafide.CollectionCall) { c.Direction = "in" }, ""},
	} {
		call := outgoing(t, "1", "2026-03-01T23:00:00+08:00")
		c.change(&call)
		m := pack(t, "cn").Check(moment(t, "2026-03-02T12:00:00+08:00"), merit.Records{Calls: []bonafide.CollectionCall{call}}, time.Time{}, nil)
		if got := rules(m); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestTooManyCallsADay(t *testing.T) {
	for _, c := range []struct {
		name string
		at   []string
		want int // days
	}{
		{"three", []string{"2026-03-01T09:00:00+08:00", "2026-03-01T10:00:00+08:00", "2026-03-01T11:00:00+08:00"}, 0},
		{"four", []string{"2026-03-01T09:00:00+08:00", "2026-03-01T10:00:00+08:00", "2026-03-01T11:00:00+08:00", "2026-03-01T12:00:00+08:00"}, 1},
		{"two and two around midnight", []string{"2026-03-01T23:00:00+08:00", "2026-03-01T23:59:59+08:00", "2026-03-02T00:00:00+08:00", "2026-03-02T00:10:00+08:00"}, 0},
		{"four of a day that is two in UTC", []string{"2026-02-28T16:30:00Z", "2026-02-28T17:30:00Z", "2026-03-01T01:00:00Z", "2026-03-01T02:00:00Z"}, 1},
		{"four of a day in UTC that is two", []string{"2026-03-01T01:00:00Z", "2026-03-01T02:00:00Z", "2026-03-01T16:00:00Z", "2026-03-01T17:00:00Z"}, 0},
		{"zones apart, one day each by its clock", []string{"2026-03-01T09:00:00+08:00", "2026-03-01T10:00:00+06:00", "2026-03-01T11:00:00+08:00", "2026-03-01T21:00:00+06:00"}, 1},
		{"four on two days", []string{
			"2026-03-01T09:00:00+08:00", "2026-03-01T10:00:00+08:00", "2026-03-01T11:00:00+08:00", "2026-03-01T12:00:00+08:00",
			"2026-03-04T09:00:00+08:00", "2026-03-04T10:00:00+08:00", "2026-03-04T11:00:00+08:00", "2026-03-04T12:00:00+08:00",
		}, 2},
		{"the fourth after the complaint", []string{"2026-03-10T09:00:00+08:00", "2026-03-10T10:00:00+08:00", "2026-03-10T11:00:00+08:00", "2026-03-10T12:00:01+08:00"}, 0},
		{"the fourth just before it", []string{"2026-03-10T09:00:00+08:00", "2026-03-10T10:00:00+08:00", "2026-03-10T11:00:00+08:00", "2026-03-10T12:00:00+08:00"}, 1},
	} {
		var r merit.Records
		for i, at := range c.at {
			call := outgoing(t, fmt.Sprint(i), at)
			call.AgreedHours = true
			r.Calls = append(r.Calls, call)
		}
		m := pack(t, "cn").Check(moment(t, "2026-03-10T12:00:00+08:00"), r, time.Time{}, nil)
		got := 0
		for _, f := range m.Findings {
			got += f.Count
		}
		if got != c.want {
			t.Errorf("%s: got %d days, want %d: %+v", c.name, got, c.want, m.Findings)
		}
	}
}

func TestFindingTellsTheBreach(t *testing.T) {
	r := merit.Records{Calls: []bonafide.CollectionCall{
		outgoing(t, "c", "2026-03-01T15:00:00Z"), outgoing(t, "b", "2026-03-01T23:30:00+08:00"), outgoing(t, "a", "2026-02-01T22:00:00+08:00"),
		outgoing(t, "d", "2026-03-01T20:00:00+08:00"), outgoing(t, "e", "2026-03-01T21:00:00+08:00"),
	}}
	now := moment(t, "2026-03-05T12:00:00+08:00")
	got := pack(t, "cn").Check(now.AddDate(0, 0, -1), r, now, nil)
	want := bonafide.Merit{
		Checked: now, Rules: "cn 2025.1",
		Findings: []bonafide.Finding{
			{
				Rule: "night-call", Standing: bonafide.Substantiated, Basis: pack(t, "cn").Rules()[1].Basis,
				Text:  "3 calls between 22:00 and 08:00 by the clock of who was called, at hours that had not been agreed.",
				Facts: []string{"3", "22:00", "08:00"}, From: r.Calls[2].Started, To: r.Calls[1].Started, Count: 3,
				Rows: []bonafide.RowRef{{Kind: "call", ID: "a"}, {Kind: "call", ID: "c"}, {Kind: "call", ID: "b"}},
			},
			{
				Rule: "too-many-calls", Standing: bonafide.Substantiated, Basis: pack(t, "cn").Rules()[2].Basis,
				Text:  "On 1 day the debtor had been given more than 3 effective calls on one day, at most 4; outsourcers' calls are counted.",
				Facts: []string{"1", "3", "4", "day"}, From: r.Calls[1].Started, To: r.Calls[1].Started, Count: 1,
				Rows: []bonafide.RowRef{{Kind: "call", ID: "d"}, {Kind: "call", ID: "e"}, {Kind: "call", ID: "c"}, {Kind: "call", ID: "b"}},
			},
		},
		Tested:   []string{"third-party-after-refusal", "night-call", "too-many-calls"},
		Untested: []string{"settled-still-dunned", "cost-above-line", "fee-outside-contract", "credit-record-late", "failed-operation"},
	}
	same := godiff.Comparer(func(a, b time.Time) bool { return a.Equal(b) })
	if d := godiff.Diff(want, got, same); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for range 10 {
		rand.New(rand.NewPCG(1, 1)).Shuffle(len(r.Calls), func(i, j int) { r.Calls[i], r.Calls[j] = r.Calls[j], r.Calls[i] })
		if d := godiff.Diff(got, pack(t, "cn").Check(now.AddDate(0, 0, -1), r, now, nil)); d != "" {
			t.Fatalf("in another order (-first +second):\n%s", d)
		}
	}
}

func TestLookBackAndComplaintBoundTheBreaches(t *testing.T) {
	received := moment(t, "2026-03-10T23:30:00+08:00")
	for _, c := range []struct {
		at   string
		want string
	}{
		{"2025-03-10T23:30:00+08:00", merit.NightCall},
		{"2025-03-10T23:29:59+08:00", ""},
		{"2026-03-10T23:30:00+08:00", merit.NightCall},
		{"2026-03-10T23:30:01+08:00", ""},
	} {
		r := merit.Records{Calls: []bonafide.CollectionCall{outgoing(t, "1", c.at)}}
		if got := rules(pack(t, "cn").Check(received, r, received.AddDate(1, 0, 0), nil)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.at, got, c.want)
		}
		if got := rules(pack(t, "cn").Check(time.Time{}, r, received, nil)); got != c.want {
			t.Errorf("%s, as of now: got %q, want %q", c.at, got, c.want)
		}
	}
}

func TestRowsAreBounded(t *testing.T) {
	var r merit.Records
	for i := range 3 * bonafide.MaxRows {
		c := outgoing(t, fmt.Sprintf("%03d", i), "2026-03-01T23:00:00+08:00")
		c.Started, c.Effective = c.Started.AddDate(0, 0, i%200-200), false
		r.Calls = append(r.Calls, c)
	}
	m := pack(t, "cn").Check(moment(t, "2026-03-10T12:00:00+08:00"), r, time.Time{}, nil)
	if len(m.Findings) != 1 || m.Findings[0].Count != 3*bonafide.MaxRows || len(m.Findings[0].Rows) != bonafide.MaxRows {
		t.Errorf("got %+v, want one finding of %d calls with %d rows", m.Findings, 3*bonafide.MaxRows, bonafide.MaxRows)
	}
}

func TestCostOfAContract(t *testing.T) {
	year := func(amount int64) []bonafide.Instalment {
		return []bonafide.Instalment{{Due: "2026-01-01", Amount: amount}}
	}
	for _, c := range []struct {
		name string
		c    bonafide.Contract
		want string // cost · line · how, or ""
	}{
		{"on the line", bonafide.Contract{Schedule: year(124_000)}, ""},
		{"rounded to it", bonafide.Contract{Schedule: year(124_004)}, ""},
		{"above it", bonafide.Contract{Schedule: year(124_010)}, "24.01 24 computed"},
		{"on the higher line", bonafide.Contract{Schedule: year(136_000)}, "36 24 computed"},
		{"above the higher line", bonafide.Contract{Schedule: year(136_100)}, "36.1 36 computed"},
		{"a guarantor's fee counts", bonafide.Contract{Schedule: year(120_000), Fees: []bonafide.Fee{{Kind: "guarantee", Amount: 20_000, To: "g"}}}, "50 36 computed"},
		{"not twice", bonafide.Contract{Schedule: year(120_000), Fees: []bonafide.Fee{{Kind: "guarantee", Amount: 20_000, InSchedule: true}}}, ""},
		{"a fee at the end", bonafide.Contract{Schedule: year(120_000), Fees: []bonafide.Fee{{Kind: "service", Amount: 5000, Day: "2026-01-01"}}}, "25 24 computed"},
		{"charges stand for fees", bonafide.Contract{
			Schedule: year(120_000), Fees: []bonafide.Fee{{Kind: "service", Amount: 20_000}}, Charges: []bonafide.Fee{{Kind: "service", Amount: 1000, Day: "2026-01-01"}},
		}, ""},
		{"a penalty follows from delay", bonafide.Contract{Schedule: year(120_000), Charges: []bonafide.Fee{{Kind: "penalty", Amount: 9000, Day: "2025-06-01"}}}, ""},
		{"what was paid, where it is closed", bonafide.Contract{
			Closed: "2026-01-01", Schedule: year(120_000), Payments: []bonafide.Payment{{Day: "2026-01-01", Amount: 130_000}},
			Fees: []bonafide.Fee{{Kind: "service", Amount: 9000}},
		}, "30 24 computed"},
		{"the schedule, while it runs", bonafide.Contract{Schedule: year(120_000), Payments: []bonafide.Payment{{Day: "2025-02-01", Amount: 130_000}}}, ""},
		{"the lender's own figure", bonafide.Contract{AnnualCost: 3601}, "36.01 36 stated"},
		{"which a schedule overrides", bonafide.Contract{AnnualCost: 3601, Schedule: year(120_000)}, ""},
		{"closed too long ago", bonafide.Contract{Opened: "2023-01-01", Closed: "2024-12-31", AnnualCost: 3601}, ""},
		{"not open yet", bonafide.Contract{Opened: "2026-01-02", AnnualCost: 3601}, ""},
	} {
		c.c.ID, c.c.Principal, c.c.Currency = "1", 100_000, "CNY"
		if c.c.Opened == "" {
			c.c.Opened = "2025-01-01"
		}
		m := pack(t, "cn").Check(moment(t, "2026-01-01T12:00:00+08:00"), merit.Records{Contracts: []bonafide.Contract{c.c}}, time.Time{}, nil)
		got := ""
		for _, f := range m.Findings {
			if f.Rule == merit.CostAboveLine {
				got = strings.Join(f.Facts[:3], " ")
				if want := f.Facts[1] == "36"; want != (f.Standing == bonafide.Substantiated) {
					t.Errorf("%s: a line of %s %% is %s", c.name, f.Facts[1], f.Standing)
				}
			}
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestCostThatCannotBeComputedIsUntested(t *testing.T) {
	for _, c := range []bonafide.Contract{
		{ID: "1", Principal: 100_000, Currency: "CNY", Opened: "2025-01-01"},
		{ID: "1", Currency: "CNY", Opened: "2025-01-01", Schedule: []bonafide.Instalment{{Due: "2026-01-01", Amount: 5}}},
	} {
		m := pack(t, "cn").Check(moment(t, "2026-01-01T12:00:00+08:00"), merit.Records{Contracts: []bonafide.Contract{c}}, time.Time{}, nil)
		if slices.Contains(m.Tested, merit.CostAboveLine) || !slices.Contains(m.Untested, merit.CostAboveLine) {
			t.Errorf("%+v: tested %v, untested %v", c, m.Tested, m.Untested)
		}
	}
}

func TestFeesOutsideTheContract(t *testing.T) {
	for _, c := range []struct {
		name          string
		fees, charges []bonafide.Fee
		want          []string
	}{
		{"as agreed", []bonafide.Fee{{Kind: "service", Amount: 500}}, []bonafide.Fee{{Kind: "service", Amount: 500, Day: "2025-02-01"}}, nil},
		{"of another kind", []bonafide.Fee{{Kind: "service", Amount: 500}}, []bonafide.Fee{{Kind: "other", Amount: 500, Day: "2025-02-01"}}, []string{"other", "5.00", "0.00", "CNY", "1"}},
		{
			"higher, from the second on",
			[]bonafide.Fee{{Kind: "service", Amount: 300}, {Kind: "service", Amount: 200}},
			[]bonafide.Fee{{Kind: "service", Amount: 500, Day: "2025-02-01"}, {Kind: "service", Amount: 1, Day: "2025-03-01"}, {Kind: "service", Amount: 500, Day: "2025-04-01"}},
			[]string{"service", "10.01", "5.00", "CNY", "2"},
		},
		{"agreed within instalments only", []bonafide.Fee{{Kind: "interest", Amount: 500, InSchedule: true}}, []bonafide.Fee{{Kind: "interest", Amount: 500, Day: "2025-02-01"}}, []string{"interest", "5.00", "0.00", "CNY", "1"}},
		{"given back", nil, []bonafide.Fee{{Kind: "other", Amount: 500, Day: "2025-02-01"}, {Kind: "other", Amount: -500, Day: "2025-03-01"}}, nil},
		{"given back after the complaint", nil, []bonafide.Fee{{Kind: "other", Amount: 500, Day: "2025-02-01"}, {Kind: "other", Amount: -500, Day: "2026-01-02"}}, []string{"other", "5.00", "0.00", "CNY", "1"}},
		{"after the complaint", nil, []bonafide.Fee{{Kind: "other", Amount: 500, Day: "2026-01-02"}}, nil},
		{"more than any number", nil, []bonafide.Fee{{Kind: "other", Amount: 1<<63 - 1, Day: "2025-02-01"}, {Kind: "other", Amount: 1<<63 - 1, Day: "2025-02-02"}}, []string{"other", "92233720368547758.07", "0.00", "CNY", "2"}},
	} {
		contract := bonafide.Contract{ID: "1", Principal: 1e15, Currency: "CNY", Opened: "2025-01-01", Fees: c.fees, Charges: c.charges}
		m := pack(t, "cn").Check(moment(t, "2026-01-01T12:00:00+08:00"), merit.Records{Contracts: []bonafide.Contract{contract}}, time.Time{}, nil)
		var got []string
		for _, f := range m.Findings {
			got = append(got, f.Facts...)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestObjectionsThatWait(t *testing.T) {
	for _, c := range []struct {
		name     string
		received string
		o        bonafide.CreditObjection
		want     string // objections · days allowed · most days
	}{
		{"the twentieth day", "2026-03-21T23:59:59+08:00", bonafide.CreditObjection{Filed: "2026-03-01"}, ""},
		{"the twenty-first", "2026-03-22T00:00:00+08:00", bonafide.CreditObjection{Filed: "2026-03-01"}, "1 20 21"},
		{"answered in time", "2026-06-01T00:00:00+08:00", bonafide.CreditObjection{Filed: "2026-03-01", Answered: "2026-03-21"}, ""},
		{"answered late", "2026-06-01T00:00:00+08:00", bonafide.CreditObjection{Filed: "2026-03-01", Answered: "2026-03-31"}, "1 20 30"},
		{"answered after the complaint, which came in time", "2026-03-20T00:00:00+08:00", bonafide.CreditObjection{Filed: "2026-03-01", Answered: "2026-03-31"}, ""},
		{"wrong and not corrected", "2026-04-10T00:00:00+08:00", bonafide.CreditObjection{Filed: "2026-03-01", Answered: "2026-03-05", Wrong: true}, "1 20 40"},
		{"wrong and corrected in time", "2026-04-10T00:00:00+08:00", bonafide.CreditObjection{Filed: "2026-03-01", Answered: "2026-03-05", Wrong: true, Corrected: "2026-03-21"}, ""},
		{"wrong and corrected late", "2026-04-10T00:00:00+08:00", bonafide.CreditObjection{Filed: "2026-03-01", Answered: "2026-03-05", Wrong: true, Corrected: "2026-03-22"}, "1 20 21"},
		{"filed after the complaint", "2026-02-01T00:00:00+08:00", bonafide.CreditObjection{Filed: "2026-03-01"}, ""},
		{"settled too long ago", "2028-01-01T00:00:00+08:00", bonafide.CreditObjection{Filed: "2026-03-01", Answered: "2026-06-01"}, ""},
	} {
		c.o.ID = "1"
		m := pack(t, "cn").Check(moment(t, c.received), merit.Records{Objections: []bonafide.CreditObjection{c.o}}, time.Time{}, nil)
		got := ""
		for _, f := range m.Findings {
			got += strings.Join(f.Facts, " ")
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestFailuresByDisturbance(t *testing.T) {
	at := moment(t, "2026-03-01T12:00:00+08:00")
	m := pack(t, "cn").Check(at, merit.Records{Failures: []bonafide.Failure{
		{ID: "1", At: at.AddDate(0, 0, -14), What: "payment", Cause: "core down"},
		{ID: "2", At: at, What: "payment", Cause: "core down"},
		{ID: "3", At: at, What: "payment"},
		{ID: "4", At: at, What: "login"},
		{ID: "5", At: at.AddDate(0, 0, -14).Add(-time.Second), What: "login"},
		{ID: "6", At: at.Add(time.Second), What: "login"},
	}}, time.Time{}, nil)
	var got []string
	for _, f := range m.Findings {
		got = append(got, strings.Join(f.Facts, "/"))
	}
	if d := godiff.Diff([]string{"2/payment/core down", "1/login/", "1/payment/"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// An unmarked log of calls to third parties says nothing of refusals.
func TestThirdPartiesAreUntestedWithoutAnyMark(t *testing.T) {
	call := outgoing(t, "1", "2026-03-01T09:00:00+08:00")
	call.Party = "third-party"
	for _, c := range []struct {
		name   string
		r      merit.Records
		tested bool
	}{
		{"no call", merit.Records{}, false},
		{"calls to the debtor", merit.Records{Calls: []bonafide.CollectionCall{outgoing(t, "1", "2026-03-01T09:00:00+08:00")}}, true},
		{"a call to somebody", merit.Records{Calls: []bonafide.CollectionCall{call}}, false},
		{"with a list", merit.Records{Calls: []bonafide.CollectionCall{call}, ThirdParties: []bonafide.ThirdParty{{ID: "m"}}}, true},
	} {
		m := pack(t, "cn").Check(moment(t, "2026-03-02T12:00:00+08:00"), c.r, time.Time{}, nil)
		if got := slices.Contains(m.Tested, merit.ThirdPartyAfterRefusal); got != c.tested {
			t.Errorf("%s: tested %v, want %v", c.name, got, c.tested)
		}
	}
}

// A rule that a pack lacks is neither tested nor untested.
func TestRulesThatAPackLacksAreOff(t *testing.T) {
	m := pack(t, "uk").Check(moment(t, "2026-03-02T12:00:00Z"), merit.Records{Calls: []bonafide.CollectionCall{outgoing(t, "1", "2026-03-01T23:00:00Z")}}, time.Time{}, nil)
	if len(m.Findings) > 0 || slices.Contains(m.Tested, merit.NightCall) || slices.Contains(m.Untested, merit.NightCall) {
		t.Errorf("got %+v, want nothing of night calls", m)
	}
}

// Findings hold no value by which a person is known: the ids are the lender's own.
func TestFindingsNameNobody(t *testing.T) {
	w := synth.MakeRecords(synth.RecordsConfig{Seed: 9, Customers: 2000})
	for ref, r := range byCustomer(w) {
		for _, f := range pack(t, "cn").Check(time.Time{}, *r, w.AsOf, nil).Findings {
			if strings.Contains(f.Text+strings.Join(f.Facts, " "), ref) {
				t.Fatalf("%s names its customer: %s", f.Rule, f.Text)
			}
		}
	}
}

// A day of a large lender: some 310,000 calls to 140,000 customers, a contract each.
func BenchmarkCheckADayOfCalls(b *testing.B) {
	w := synth.MakeRecords(synth.RecordsConfig{Seed: 1, Customers: 140_000})
	records := byCustomer(w)
	p := pack(b, "cn")
	b.Logf("%d calls, %d customers", len(w.Calls), len(records))
	for b.Loop() {
		found := 0
		for _, r := range records {
			found += len(p.Check(time.Time{}, *r, w.AsOf, nil).Findings)
		}
		if found == 0 {
			b.Fatal("nothing found")
		}
	}
}
