package casework

import (
	"time"
	_ "time/tzdata" // the same zones on every machine
)

// A day is a date of the civil calendar, as days since 1 January 1970. Days are
// counted in whole numbers, never in hours: a day of a clock change has 23 or 25.
type day int64

// date returns the day of a civil date; out-of-range values roll over.
func date(year int, month time.Month, d int) day {
	return day(time.Date(year, month, d, 0, 0, 0, 0, time.UTC).Unix() / 86400) // a whole number of days
}

// parseDate reads "2026-01-31".
func parseDate(s string) (day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, err
	}
	return date(t.Date()), nil
}

// utc returns the day's first moment in UTC, to take year and weekday from.
func (d day) utc() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// String returns "2026-01-31".
func (d day) String() string { return d.utc().Format(time.DateOnly) }

// A calendar knows which day a moment belongs to and on which days people work.
type calendar struct {
	zone     *time.Location
	weekend  [7]bool        // by time.Weekday
	holidays map[day]string // with names
	workdays map[day]string // weekend days that were made working days
	first    int            // year from which
	last     int            // and up to which holidays are complete
}

// day returns the day that a moment belongs to in the calendar's zone.
func (c *calendar) day(t time.Time) day { return date(t.In(c.zone).Date()) }

// end returns a day's last moment as UTC: a microsecond before the next day
// begins, whatever the clocks do that night.
func (c *calendar) end(d day) time.Time {
	y, m, n := d.utc().Date()
	next := time.Date(y, m, n+1, 0, 0, 0, 0, c.zone)
	if c.day(next) == d { // that midnight is skipped by a clock change: the day ends with it
		_, next = next.ZoneBounds()
	}
	return next.Add(-time.Microsecond).UTC()
}

// works reports whether d is a business day.
func (c *calendar) works(d day) bool {
	if _, ok := c.workdays[d]; ok {
		return true
	}
	if _, ok := c.holidays[d]; ok {
		return false
	}
	return !c.weekend[d.utc().Weekday()]
}

// maxDays bounds a period: ten years.
const maxDays = 3660

// after returns the nth day after d, which is itself not counted. It ends,
// because a weekend has at most six days and there are finitely many holidays.
func (c *calendar) after(d day, n int, business bool) day {
	n = min(max(n, 0), maxDays)
	if !business {
		return d + day(n)
	}
	for n > 0 {
		if d++; c.works(d) {
			n--
		}
	}
	return d
}

// next returns d, or the first business day after it if d is none.
func (c *calendar) next(d day) day {
	for !c.works(d) {
		d++
	}
	return d
}

// Zone returns the zone that decides which day a moment belongs to.
func (p *Pack) Zone() *time.Location { return p.calendar.zone }

// Days returns the last moment of the nth day after the day of from, as UTC. The
// day of from is not counted. With business, only business days are. n is taken
// to lie between 0 and 3660.
func (p *Pack) Days(from time.Time, n int, business bool) time.Time {
	return p.calendar.end(p.calendar.after(p.calendar.day(from), n, business))
}

// DaysLeft returns how many whole calendar days of the pack's zone lie between
// the day of now and the due day: 0 is today, below 0 is overdue.
func (p *Pack) DaysLeft(due, now time.Time) int {
	return int(p.calendar.day(due) - p.calendar.day(now))
}

// CalendarKnown reports whether the pack has all holidays of a year. In other
// years business days are counted by weekends and whatever is known, and should
// be shown with a warning.
func (p *Pack) CalendarKnown(year int) bool {
	return p.calendar.first <= year && year <= p.calendar.last
}

// Business reports whether the day of t is a business day, and the holiday's
// name if it is one.
func (p *Pack) Business(t time.Time) (works bool, holiday string) {
	d := p.calendar.day(t)
	return p.calendar.works(d), p.calendar.holidays[d]
}
