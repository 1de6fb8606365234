package merit

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"bonafide"
)

// maxFindings bounds the findings on one customer; the gravest are kept.
const maxFindings = 100

// Check returns what the records of one customer show of breaches before a complaint
// that came in at received, or before now where received is zero. A complaint of midnight
// sharp has a date and no hour: the breaches of its day count. Calls that carry UTC
// are read by the clock of zone, which is the pack's own where it is nil. Findings are
// told by standing, substantiated ones first, then in the order of the package's rules,
// then by when they began. The order of the records does not matter.
func (p *Pack) Check(received time.Time, r Records, now time.Time, zone *time.Location) bonafide.Merit {
	if received.IsZero() {
		received = now
	}
	if zone == nil {
		zone = p.zone
	}
	received = endOf(received, zone)
	k := &check{
		pack: p, records: &r, zone: zone, received: received, from: received.AddDate(0, 0, -p.LookBack),
		merit: bonafide.Merit{Checked: now, Rules: p.Name()},
	}
	k.today, k.first = civil(received.In(zone)), civil(k.from.In(zone))
	k.gather()
	for i, test := range [...]func(*rule) bool{
		k.thirdParties, k.nights, k.tooMany, k.settled, k.cost, k.fees, k.credit, k.failed,
	} {
		if p.rules[i] == nil {
			continue
		}
		if test(p.rules[i]) {
			k.merit.Tested = append(k.merit.Tested, order[i])
		} else {
			k.merit.Untested = append(k.merit.Untested, order[i])
		}
	}
	slices.SortStableFunc(k.merit.Findings, func(a, b bonafide.Finding) int {
		return cmp.Or(
			cmp.Compare(gravity(a.Standing), gravity(b.Standing)),
			cmp.Compare(slices.Index(order, a.Rule), slices.Index(order, b.Rule)),
			a.From.Compare(b.From), slices.Compare(a.Facts, b.Facts), cmp.Compare(a.Rows[0].ID, b.Rows[0].ID),
		)
	})
	if len(k.merit.Findings) > maxFindings {
		k.merit.Findings = k.merit.Findings[:maxFindings]
	}
	return k.merit
}

// endOf is the end of the day of a complaint that has a date and no hour, which files
// write as midnight: what happened on that day came before it for all that is known.
func endOf(received time.Time, zone *time.Location) time.Time {
	for _, z := range []*time.Location{time.UTC, zone} {
		at := received.In(z)
		if h, m, s := at.Clock(); h+m+s == 0 && at.Nanosecond() == 0 {
			y, mo, d := at.Date()
			return time.Date(y, mo, d+1, 0, 0, 0, -1000, zone)
		}
	}
	return received
}

func gravity(s bonafide.Standing) int {
	if s == bonafide.Substantiated {
		return 0
	}
	return 1
}

// check is one call of Check.
type check struct {
	pack     *Pack
	records  *Records
	zone     *time.Location
	received time.Time
	from     time.Time // breaches before it lie too far back
	today    int       // the day of received, since 1970
	first    int       // and that of from
	calls    []call
	merit    bonafide.Merit
}

// call is a call that went out, before the complaint.
type call struct {
	*bonafide.CollectionCall
	at  time.Time // by the clock of who was called
	day int
}

// civil counts the days since 1970 by t's own clock.
func civil(t time.Time) int {
	_, offset := t.Zone()
	s := t.Unix() + int64(offset)
	if s < 0 {
		s -= 86399
	}
	return int(s / 86400)
}

// midnight is when a day begins in the zone of the check.
func (k *check) midnight(day int) time.Time {
	y, m, d := time.Unix(int64(day)*86400, 0).UTC().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, k.zone)
}

// gather picks the outgoing calls until the complaint, by time.
func (k *check) gather() {
	for i := range k.records.Calls {
		c := &k.records.Calls[i]
		if c.Direction != "out" || c.Started.After(k.received) {
			continue
		}
		at := c.Started
		if _, offset := at.Zone(); offset == 0 {
			at = at.In(k.zone)
		}
		k.calls = append(k.calls, call{c, at, civil(at)})
	}
	slices.SortFunc(k.calls, func(a, b call) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.ID, b.ID))
	})
}

// hit is a record that shows a breach.
type hit struct {
	at       time.Time
	kind, id string
}

// find adds a finding. The hits are in order and one at least; count is how many
// breaches they are.
func (k *check) find(r *rule, from, to time.Time, count int, hits []hit, facts []string, text string) *bonafide.Finding {
	f := bonafide.Finding{
		Rule: r.ID, Standing: r.Standing, Basis: r.Basis, Text: text, Facts: facts, From: from, To: to, Count: count,
	}
	for _, h := range hits[:min(len(hits), bonafide.MaxRows)] {
		f.Rows = append(f.Rows, bonafide.RowRef{Kind: h.kind, ID: h.id})
	}
	k.merit.Findings = append(k.merit.Findings, f)
	return &k.merit.Findings[len(k.merit.Findings)-1]
}

// findCalls adds a finding of which every call is a breach.
func (k *check) findCalls(r *rule, hits []hit, facts []string, text string) {
	if len(hits) > 0 {
		k.find(r, hits[0].at, hits[len(hits)-1].at, len(hits), hits, facts, text)
	}
}

// some writes a number and what it counts: "1 call", "2 calls".
func some(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + one + "s"
}

// percent writes basis points: 3612 is 36.12, 3600 is 36.
func percent(bp int64) string {
	return strconv.FormatFloat(float64(bp)/100, 'f', -1, 64)
}

// amount writes minor units of a currency in its major one.
func amount(minor int64, currency string) string {
	digits := 2
	switch currency { // ISO 4217
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF":
		digits = 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		digits = 3
	}
	unit := int64(math.Pow10(digits))
	if digits == 0 {
		return strconv.FormatInt(minor, 10)
	}
	sign := ""
	if minor < 0 {
		sign = "-"
	}
	return fmt.Sprintf("%s%d.%0*d", sign, abs(minor/unit), digits, abs(minor%unit))
}

func abs(n int64) int64 { return max(n, -n) }

// add adds two amounts and stays at the largest where they are too much.
func add(a, b int64) int64 {
	switch c := a + b; {
	case a > 0 && b > 0 && c < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && c >= 0:
		return math.MinInt64 + 1
	default:
		return c
	}
}
