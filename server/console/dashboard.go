package console

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"bonafide"
	"bonafide/audit"
	"bonafide/store"
)

// dashboardPage shows figures and nobody's file: a regulator may see it.
type dashboardPage struct {
	Ready     bool
	At        time.Time
	F         store.Figures
	Chart     *chart
	Levels    []levelRow
	Rings     []store.RingCount
	Channels  []shareRow
	Regions   []shareRow
	Flagged   int64
	AndUpheld int64
	Decided   int64 // flagged whose merit is decided
	Appeals   int64 // decided
	Wrong     int64 // of them upheld
	PerInTime float64
	HasEnded  bool
	Incidents incidentCount
	Audited   audit.Rate // flagged complaints that a blind audit judged genuine
	Off       int        // kinds of evidence that audits switched off
}

// levelRow is what became of the rings of one level.
type levelRow struct {
	Level                        string
	Proposed, Confirmed, Cleared int64
	Precision                    float64 // confirmed of those decided
	Known                        bool
}

// shareRow is one channel or region.
type shareRow struct {
	Name     string
	Arrivals int64
	Flagged  int64
	Share    float64 // flagged of arrivals
}

// chart shows arrivals by day beside what is usual for the day of the week.
type chart struct {
	Width, Height int
	Bars          []bar
	Usual         string // path
	Days          []chartTick
	Lines         []chartTick
	Desc          string
}

type bar struct {
	X, Y, W, H string
	Title      string
}

type chartTick struct{ X, Y, Text string }

const (
	chartDays   = 60
	usualWeeks  = 8
	regionsMost = 20
)

func (k *Console) dashboard(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx, now := r.Context(), k.Now()
	var page dashboardPage
	c, ok := k.figures.want(who.tenant, now)
	page.Ready, page.At, page.F = ok, c.At, c.Figures
	today := dayOf(now, k.Clocks.Zone())
	var days []store.Tally
	err := k.Store.View(ctx, func(tx *store.Tx) (err error) {
		_, figures, err := k.Audits.Audited(ctx, tx, who.tenant)
		if err != nil {
			return err
		}
		page.Audited, page.Off = figures.FalseFlags, 0
		detectors, err := tx.Detectors(ctx, who.tenant)
		if err != nil {
			return err
		}
		for _, d := range detectors {
			if d.Off {
				page.Off++
			}
		}
		if page.Incidents, err = k.countIncidents(ctx, tx, who.tenant); err != nil {
			return err
		}
		days, err = tx.Tallies(ctx, who.tenant, today-chartDays-7*usualWeeks)
		return err
	})
	if err != nil {
		return err
	}
	page.Chart = drawArrivals(who.tongue, days, today)
	page.count(days, today)
	return k.ok(w, r, who, "dashboard", page)
}

// count derives shares from counts.
func (p *dashboardPage) count(days []store.Tally, today int64) {
	levels := map[string]*levelRow{}
	for _, c := range p.F.Rings {
		row := levels[c.Level]
		if row == nil {
			row = &levelRow{Level: c.Level}
			levels[c.Level] = row
		}
		switch bonafide.RingState(c.State) {
		case bonafide.RingProposed:
			row.Proposed += c.Rings
		case bonafide.RingIsFirm:
			row.Confirmed += c.Rings
		case bonafide.RingIsCleared:
			row.Cleared += c.Rings
		}
	}
	for _, row := range levels {
		if n := row.Confirmed + row.Cleared; n > 0 {
			row.Precision, row.Known = float64(row.Confirmed)/float64(n), true
		}
		p.Levels = append(p.Levels, *row)
	}
	slices.SortFunc(p.Levels, func(a, b levelRow) int { return bonafide.Level(b.Level).Rank() - bonafide.Level(a.Level).Rank() })
	channels, regions := map[string]*shareRow{}, map[string]*shareRow{}
	at := func(m map[string]*shareRow, name string) *shareRow {
		if m[name] == nil {
			m[name] = &shareRow{Name: name}
		}
		return m[name]
	}
	for _, d := range days {
		if d.Day <= today-chartDays {
			continue
		}
		channel, _, _ := strings.Cut(d.Channel, "/")
		at(channels, channel).Arrivals += d.Count
		at(regions, d.Region).Arrivals += d.Count
	}
	for _, f := range p.F.Flagged {
		p.Flagged += f.Count
		if f.Outcome != "" {
			p.Decided += f.Count
		}
		if f.Outcome == "upheld" || f.Outcome == "partly-upheld" {
			p.AndUpheld += f.Count
		}
		if !f.Recent { // arrivals beside it are recent ones
			continue
		}
		channel, _, _ := strings.Cut(f.Channel, "/")
		at(channels, channel).Flagged += f.Count
		at(regions, f.Region).Flagged += f.Count
	}
	flat := func(m map[string]*shareRow, most int) []shareRow {
		var out []shareRow
		for _, name := range slices.Sorted(maps.Keys(m)) {
			row := *m[name]
			if row.Arrivals > 0 {
				row.Share = min(1, float64(row.Flagged)/float64(row.Arrivals))
			}
			out = append(out, row)
		}
		slices.SortStableFunc(out, func(a, b shareRow) int { return cmp.Compare(b.Arrivals, a.Arrivals) })
		return out[:min(len(out), most)]
	}
	p.Channels, p.Regions = flat(channels, 12), flat(regions, regionsMost)
	p.Wrong = p.F.Appeals[store.AppealUpheld]
	p.Appeals = p.Wrong + p.F.Appeals[store.AppealRejected]
	if n := p.F.InTime + p.F.Late; n > 0 {
		p.PerInTime, p.HasEnded = float64(p.F.InTime)/float64(n), true
	}
}

// drawArrivals draws the last days, each beside the median of the same day of the week
// in the weeks before it.
func drawArrivals(g tongue, days []store.Tally, today int64) *chart {
	by := map[int64]int64{}
	for _, d := range days {
		by[d.Day] += d.Count
	}
	if len(by) == 0 {
		return nil
	}
	const left, top, high, wide = 44, 10, 150, 880
	first := today - chartDays + 1
	usual := make([]float64, chartDays)
	most := 1.0
	for i := range usual {
		var past []int64
		for week := int64(1); week <= usualWeeks; week++ {
			past = append(past, by[first+int64(i)-7*week])
		}
		slices.Sort(past)
		usual[i] = float64(past[usualWeeks/2-1]+past[usualWeeks/2]) / 2
		most = max(most, usual[i], float64(by[first+int64(i)]))
	}
	step := float64(wide) / chartDays
	y := func(v float64) float64 { return top + high*(1-v/most) }
	c := &chart{Width: left + wide + 6, Height: top + high + 24}
	var path strings.Builder
	for i := range usual {
		day := time.Unix((first+int64(i))*86400, 0).UTC()
		n := by[first+int64(i)]
		x := left + float64(i)*step
		c.Bars = append(c.Bars, bar{
			X: units(x + 1), Y: units(y(float64(n))), W: units(step - 2), H: units(high - y(float64(n)) + top),
			Title: g.T("chart.day", int(n), g.day(day), int(math.Round(usual[i]))),
		})
		fmt.Fprintf(&path, "%s%s %sh%s", map[bool]string{true: "M", false: "L"}[i == 0], units(x), units(y(usual[i])), units(step))
		if i%10 == 0 {
			c.Days = append(c.Days, chartTick{X: units(x), Y: units(top + high + 16), Text: g.day(day)})
		}
	}
	c.Usual = path.String()
	for _, v := range []float64{0, most / 2, most} {
		c.Lines = append(c.Lines, chartTick{X: units(left), Y: units(y(v)), Text: g.N(int(math.Round(v)))})
	}
	return c
}

// day writes a day that has no zone.
func (g tongue) day(t time.Time) string {
	g.zone = time.UTC
	return g.Date(t)
}
