package casework

import (
	"testing"
	"time"
)

// moment parses RFC 3339.
func moment(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// load returns a built-in pack.
func load(t *testing.T, name string) *Pack {
	t.Helper()
	p, err := Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A dated is a deadline worked out by hand. clock is a clock of the pack, or ""
// for n business days.
type dated struct {
	clock    string
	from     string
	n        int // times extended, or business days
	due, why string
}

// run checks a table against a pack.
func run(t *testing.T, pack string, table []dated) {
	t.Helper()
	p := load(t, pack)
	if len(table) < 15 {
		t.Errorf("%s: %d dates, want 15 at least", pack, len(table))
	}
	for _, c := range table {
		at := moment(t, c.from)
		got := p.Days(at, c.n, true)
		if c.clock != "" {
			got = p.due(p.deadline(c.clock), at, c.n)
		}
		if got := p.calendar.day(got).String(); got != c.due {
			t.Errorf("%s: %s from %s (%d): got %s, want %s: %s", pack, c.clock, c.from, c.n, got, c.due, c.why)
		}
		if after := got.Add(time.Microsecond).In(p.Zone()); after.Hour() != 0 || after.Minute() != 0 {
			t.Errorf("%s: %s from %s: a microsecond after due is %v, want midnight", pack, c.clock, c.from, after)
		}
	}
}

func TestDatesOfChina(t *testing.T) {
	run(t, "cn-nfra", []dated{
		{"decision", "2026-03-02T09:00:00+08:00", 0, "2026-03-17", "2 + 15"},
		{"decision", "2026-01-31T15:59:59Z", 0, "2026-02-15", "a second before midnight in Shanghai: still 31 January"},
		{"decision", "2026-01-31T16:00:00Z", 0, "2026-02-16", "midnight in Shanghai: 1 February"},
		{"decision", "2026-01-31T23:30:00Z", 0, "2026-02-16", "1 February, 07:30; the last day is Spring Festival and does not roll"},
		{"decision", "2025-12-20T10:00:00+08:00", 0, "2026-01-04", "11 days to 31 December, 4 more"},
		{"decision", "2028-02-14T10:00:00+08:00", 0, "2028-02-29", "14 + 15 in a leap year"},
		{"decision", "2028-02-20T10:00:00+08:00", 0, "2028-03-06", "9 days to 29 February, 6 more"},
		{"decision", "2027-02-20T10:00:00+08:00", 0, "2027-03-07", "8 days to 28 February, 7 more"},
		{"decision", "2024-09-16T10:00:00+08:00", 0, "2024-10-01", "received on a holiday, ends on one: 14 days to 30 September, 1 more"},
		{"decision", "2025-09-23T20:00:00-07:00", 0, "2025-10-09", "written in California: 24 September, 11:00, in Shanghai; 6 days to 30 September, 9 more"},
		{"decision", "2026-03-02T09:00:00+08:00", 1, "2026-04-01", "30 days: 29 to 31 March, 1 more"},
		{"decision", "2026-03-02T09:00:00+08:00", 2, "2026-05-01", "60 days: 30 more, to Labour Day, which does not roll"},
		{"decision", "2027-12-31T09:00:00+08:00", 2, "2028-02-29", "60 days: 31 to 31 January, 29 more"},
		{"credit-record", "2025-12-20T09:00:00+08:00", 0, "2026-01-09", "11 days to 31 December, 9 more"},
		{"review", "2026-04-30T16:00:00+08:00", 0, "2026-05-30", "30 days"},
		{"review", "2024-01-31T16:00:00+08:00", 0, "2024-03-01", "29 days to 29 February, 1 more"},
		{"", "2026-02-13T09:00:00+08:00", 1, "2026-02-14", "Friday; Saturday the 14th is worked in return for Spring Festival"},
		{"", "2026-02-14T09:00:00+08:00", 1, "2026-02-24", "the holidays last from the 15th to the 23rd"},
		{"", "2026-02-13T09:00:00+08:00", 3, "2026-02-25", "14th, 24th, 25th"},
		{"", "2024-09-13T09:00:00+08:00", 2, "2024-09-18", "Saturday the 14th is worked; 15th to 17th Mid-Autumn"},
		{"", "2025-09-26T09:00:00+08:00", 3, "2025-09-30", "Saturday is free, Sunday the 28th is worked; 29th, 30th"},
		{"", "2025-09-26T09:00:00+08:00", 6, "2025-10-11", "28, 29, 30 September, 9, 10 October, and Saturday the 11th is worked"},
		{"", "2025-12-31T09:00:00+08:00", 2, "2026-01-05", "1st to 3rd free, Sunday the 4th worked"},
	})
}

func TestDatesOfUnitedStates(t *testing.T) {
	run(t, "us-cfpb", []dated{
		{"first-response", "2026-03-02T09:00:00-05:00", 0, "2026-03-17", "2 + 15, over the change to summer time on 8 March"},
		{"first-response", "2026-03-03T04:59:00Z", 0, "2026-03-17", "23:59 on 2 March in New York"},
		{"first-response", "2026-03-03T05:00:00Z", 0, "2026-03-18", "midnight in New York: 3 March"},
		{"first-response", "2026-07-15T03:59:00Z", 0, "2026-07-29", "summer time: 23:59 on 14 July"},
		{"first-response", "2026-07-15T04:00:00Z", 0, "2026-07-30", "summer time: 15 July"},
		{"first-response", "2026-12-20T09:00:00-05:00", 0, "2027-01-04", "11 days to 31 December, 4 more"},
		{"first-response", "2026-06-19T09:00:00-04:00", 0, "2026-07-04", "11 days to 30 June, 4 more; a holiday, and it does not roll"},
		{"first-response", "2026-03-02T09:00:00-05:00", 1, "2026-03-17", "in progress does not move the day"},
		{"first-response", "2026-10-17T09:00:00-04:00", 0, "2026-11-01", "14 days to 31 October, 1 more: the day with 25 hours"},
		{"final-response", "2026-03-02T09:00:00-05:00", 0, "2026-05-01", "29 days to 31 March, 30 in April, 1 more"},
		{"final-response", "2026-11-01T09:00:00-05:00", 0, "2026-12-31", "29 days to 30 November, 31 more"},
		{"final-response", "2027-12-31T09:00:00-05:00", 0, "2028-02-29", "31 in January, 29 more in a leap year"},
		{"frivolous-notice", "2026-03-04T10:00:00-05:00", 0, "2026-03-11", "Wednesday: Thu, Fri, Mon, Tue, Wed"},
		{"frivolous-notice", "2026-06-30T10:00:00-04:00", 0, "2026-07-08", "1, 2, not the 3rd (observed), 6, 7, 8 July"},
		{"frivolous-notice", "2025-12-23T10:00:00-05:00", 0, "2025-12-31", "24, 26, 29, 30, 31 December"},
		{"frivolous-notice", "2027-12-22T10:00:00-05:00", 0, "2027-12-30", "23, not the 24th (observed), 27, 28, 29, 30"},
		{"frivolous-notice", "2027-12-27T10:00:00-05:00", 0, "2028-01-04", "28, 29, 30, not the 31st (observed for 2028), 3 and 4 January"},
		{"frivolous-notice", "2026-11-20T10:00:00-05:00", 0, "2026-11-30", "23, 24, 25, not Thanksgiving, 27, 30"},
		{"frivolous-notice", "2026-10-10T02:00:00Z", 0, "2026-10-19", "Friday 9 October, 22:00; Monday is Columbus Day; 13, 14, 15, 16, 19"},
		{"frivolous-notice", "2028-02-24T10:00:00-05:00", 0, "2028-03-02", "Thursday; 25, 28, 29 February, 1, 2 March"},
	})
}

func TestDatesOfUnitedKingdom(t *testing.T) {
	run(t, "uk-disp", []dated{
		{"final-response", "2026-03-02T09:00:00Z", 0, "2026-04-27", "Monday to Monday: 29 to 31 March, 27 more; over the change to summer time"},
		{"final-response", "2026-06-30T22:59:00Z", 0, "2026-08-25", "23:59 on 30 June in summer time: 31 in July, 25 more"},
		{"final-response", "2026-06-30T23:00:00Z", 0, "2026-08-26", "1 July"},
		{"final-response", "2026-01-31T23:30:00Z", 0, "2026-03-28", "winter time: still 31 January; 28 in February, 28 more"},
		{"final-response", "2026-10-30T09:00:00Z", 0, "2026-12-25", "1 + 30 + 25; Christmas Day, and it does not roll"},
		{"final-response", "2026-11-06T09:00:00Z", 0, "2027-01-01", "24 + 31 + 1; a bank holiday, and it does not roll"},
		{"final-response", "2028-01-04T09:00:00Z", 0, "2028-02-29", "27 + 29"},
		{"final-response", "2027-01-04T09:00:00Z", 0, "2027-03-01", "27 + 28 + 1"},
		{"final-response", "2026-03-28T23:59:00Z", 0, "2026-05-23", "an hour before summer time: 3 + 30 + 23"},
		{"final-response", "2026-10-25T00:30:00Z", 0, "2026-12-20", "in the hour that comes twice: 6 + 30 + 20"},
		{"summary-resolution", "2026-04-02T09:00:00+01:00", 0, "2026-04-09", "Thursday before Easter: 7, 8, 9 April"},
		{"summary-resolution", "2027-12-23T09:00:00Z", 0, "2027-12-30", "24; 27 and 28 are substitute days; 29, 30"},
		{"summary-resolution", "2026-12-24T09:00:00Z", 0, "2026-12-31", "25 and 28 are holidays; 29, 30, 31"},
		{"summary-resolution", "2025-08-22T09:00:00+01:00", 0, "2025-08-28", "Friday; Monday is the summer bank holiday"},
		{"summary-resolution", "2026-05-02T09:00:00+01:00", 0, "2026-05-07", "Saturday; Monday is a bank holiday; 5, 6, 7"},
		{"summary-resolution", "2024-12-31T09:00:00Z", 0, "2025-01-06", "2, 3, 6 January"},
		{"acknowledgement", "2026-08-27T09:00:00+01:00", 0, "2026-09-04", "28; Monday is a bank holiday; 1, 2, 3, 4"},
		{"acknowledgement", "2026-08-27T23:30:00Z", 0, "2026-09-07", "half past midnight on Friday the 28th: 1, 2, 3, 4, 7"},
	})
}

func TestDatesOfIndia(t *testing.T) {
	run(t, "in-rbi", []dated{
		{"reply", "2026-03-02T09:00:00+05:30", 0, "2026-04-01", "29 to 31 March, 1 more"},
		{"reply", "2026-03-01T18:29:00Z", 0, "2026-03-31", "23:59 on 1 March"},
		{"reply", "2026-03-01T18:30:00Z", 0, "2026-04-01", "midnight: 2 March"},
		{"reply", "2025-12-27T09:00:00+05:30", 0, "2026-01-26", "4 to 31 December, 26 more: Republic Day, and it does not roll"},
		{"reply", "2028-02-10T09:00:00+05:30", 0, "2028-03-11", "19 to 29 February, 11 more"},
		{"reply", "2028-01-30T09:00:00+05:30", 0, "2028-02-29", "1 + 29"},
		{"reply", "2027-01-30T09:00:00+05:30", 0, "2027-03-01", "1 + 28 + 1"},
		{"reply", "2026-12-01T09:00:00+05:30", 0, "2026-12-31", "30"},
		{"reply", "2026-12-02T09:00:00+05:30", 0, "2027-01-01", "29 + 1"},
		{"reply", "2026-07-16T09:00:00+05:30", 0, "2026-08-15", "15 + 15: Independence Day, a Saturday"},
		{"reply", "2024-01-31T09:00:00+05:30", 0, "2024-03-01", "29 + 1"},
		{"reply", "2026-02-28T23:59:59+05:30", 0, "2026-03-30", "the last second of February"},
		{"", "2026-03-03T09:00:00+05:30", 1, "2026-03-05", "the 4th is Holi"},
		{"", "2026-10-01T09:00:00+05:30", 1, "2026-10-05", "Friday is a holiday, then the weekend"},
		{"", "2026-03-25T09:00:00+05:30", 3, "2026-04-01", "26th and 31st are holidays: 27, 30, 1"},
		{"", "2026-04-30T09:00:00+05:30", 1, "2026-05-04", "Friday is Buddha Purnima"},
		{"", "2026-03-04T09:00:00+05:30", 0, "2026-03-04", "no day at all"},
	})
}

// The due moment is the last of the day on that day's own offset.
func TestDueIsLastMicrosecondOfLocalDay(t *testing.T) {
	for _, c := range []struct{ pack, from, want string }{
		{"cn-nfra", "2026-03-02T01:00:00Z", "2026-03-17T15:59:59.999999Z"},
		{"in-rbi", "2026-03-02T01:00:00Z", "2026-03-17T18:29:59.999999Z"},
		{"us-cfpb", "2026-03-02T14:00:00Z", "2026-03-18T03:59:59.999999Z"}, // received at -5, due at -4
		{"us-cfpb", "2026-02-21T14:00:00Z", "2026-03-09T03:59:59.999999Z"}, // 8 March has 23 hours
		{"us-cfpb", "2026-10-17T14:00:00Z", "2026-11-02T04:59:59.999999Z"}, // 1 November has 25
		{"uk-disp", "2026-03-14T09:00:00Z", "2026-03-29T22:59:59.999999Z"}, // 29 March has 23
		{"uk-disp", "2026-10-10T09:00:00Z", "2026-10-25T23:59:59.999999Z"}, // 25 October has 25
	} {
		p := load(t, c.pack)
		got := p.Days(moment(t, c.from), 15, false)
		if got.Format(time.RFC3339Nano) != c.want || got.Location() != time.UTC {
			t.Errorf("%s: 15 days from %s: got %s, want %s", c.pack, c.from, got.Format(time.RFC3339Nano), c.want)
		}
	}
}

// São Paulo skipped the midnight that began 4 November 2018: the day before
// ended with the jump.
func TestEndOfDayWhoseMidnightIsSkipped(t *testing.T) {
	zone, err := time.LoadLocation("America/Sao_Paulo")
	if err != nil {
		t.Fatal(err)
	}
	c := calendar{zone: zone}
	d := date(2018, time.November, 3)
	got := c.end(d)
	if want := time.Date(2018, 11, 4, 2, 59, 59, 999999000, time.UTC); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, name := range []string{"America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo", "Europe/London", "America/New_York", "Pacific/Apia"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		c := calendar{zone: zone}
		for d := date(2010, 1, 1); d < date(2024, 1, 1); d++ {
			if d == date(2011, 12, 30) && name == "Pacific/Apia" {
				continue // Samoa left this day out
			}
			e := c.end(d)
			if c.day(e) != d || c.day(e.Add(time.Microsecond)) == d {
				t.Fatalf("%s: end of %s is %v", name, d, e)
			}
		}
	}
}

func TestDaysLeft(t *testing.T) {
	p := load(t, "cn-nfra")
	due := p.Days(moment(t, "2026-03-02T09:00:00+08:00"), 15, false)
	for _, c := range []struct {
		now  string
		want int
	}{
		{"2026-03-02T09:00:00+08:00", 15},
		{"2026-03-16T23:59:59+08:00", 1},
		{"2026-03-17T00:00:00+08:00", 0},
		{"2026-03-17T23:59:59+08:00", 0},
		{"2026-03-17T16:00:00Z", -1}, // midnight in Shanghai
		{"2026-04-01T09:00:00+08:00", -15},
	} {
		if got := p.DaysLeft(due, moment(t, c.now)); got != c.want {
			t.Errorf("at %s: got %d, want %d", c.now, got, c.want)
		}
	}
}

func TestCalendarKnown(t *testing.T) {
	for pack, last := range map[string]int{"cn-nfra": 2026, "us-cfpb": 2027, "uk-disp": 2027, "in-rbi": 2026} {
		p := load(t, pack)
		for year := 2020; year < 2030; year++ {
			if got, want := p.CalendarKnown(year), year >= 2024 && year <= last; got != want {
				t.Errorf("%s %d: got %v, want %v", pack, year, got, want)
			}
		}
	}
}

func TestBusinessNamesHoliday(t *testing.T) {
	p := load(t, "uk-disp")
	if works, name := p.Business(moment(t, "2026-12-28T09:00:00Z")); works || name != "Boxing Day (substitute day)" {
		t.Errorf("got %v %q", works, name)
	}
	if works, _ := load(t, "cn-nfra").Business(moment(t, "2026-02-14T09:00:00+08:00")); !works {
		t.Error("14 February 2026 is worked in China")
	}
}

// Business days never decrease, and a day more is a later day.
func TestBusinessDaysIncrease(t *testing.T) {
	for _, p := range Packs() {
		for d := date(2024, 1, 1); d < date(2028, 12, 31); d += 5 {
			last := d
			for n := 1; n <= 12; n++ {
				next := p.calendar.after(d, n, true)
				if next <= last || !p.calendar.works(next) {
					t.Fatalf("%s: %d business days after %s is %s, after %s", p.Name, n, d, next, last)
				}
				last = next
			}
		}
	}
}

// FuzzDays holds for any moment and number: the due moment is not before from,
// and its day is the counted one.
func FuzzDays(f *testing.F) {
	f.Add(int64(1_767_225_600), 15, true)
	f.Add(int64(-62_135_596_800), 3660, false)
	f.Add(int64(1<<40), -3, true)
	f.Fuzz(func(t *testing.T, unix int64, n int, business bool) {
		from := time.Unix(unix%(1<<36), 0)
		for _, p := range Packs() {
			due := p.Days(from, n, business)
			if due.Before(from.Add(-time.Microsecond)) {
				t.Fatalf("%s: %v + %d: %v", p.Name, from, n, due)
			}
			if left := p.DaysLeft(due, from); !business && left != min(max(n, 0), maxDays) {
				t.Fatalf("%s: %v + %d: %d days left", p.Name, from, n, left)
			}
		}
	})
}
