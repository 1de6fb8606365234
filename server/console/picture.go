package console

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"bonafide"
)

// A picture shows who shares what: complaints are dots from left to right in the order
// of arrival, each shared thing is a lane below with a mark and a dot under every
// complaint that shares it. Lanes cannot cross, so a large ring is no hairball. The
// layout is the same each time; the tables on the page hold all of it. Values are in SVG
// units. With its bounds it has at most 420 nodes.
type picture struct {
	Width, Height int
	Dots          []pictureDot
	Lanes         []pictureLane
	Threads       string
	Top           int
	Ticks         []pictureTick
	Title, Desc   string
	Grouped       int // complaints that one dot stands for
	LanesLeft     int
	From, To      int // of the group that is opened, 1-based; 0 where all is shown
}

type pictureDot struct {
	X, R  string
	Title string
	Href  string
	Open  bool // routed to a person, not graded
}

type pictureLane struct {
	Label, Kind, Count string
	Y                  int
	X1, X2             string
	Hits               string
	Weight             string
}

type pictureTick struct {
	X    string
	Text string
	End  bool
}

const (
	pictureDots  = 120
	pictureLanes = 30
	pictureLeft  = 176
	pictureWide  = 760
	pictureLane1 = 74
	laneStep     = 26
)

// draw lays a ring out. Where it has more complaints than there is room for, a dot
// stands for several, and open chooses one of those groups to be shown by itself.
func draw(g tongue, ring *bonafide.Ring, open int) *picture {
	ties := ring.Ties
	if len(ties) < 2 {
		return nil
	}
	p := &picture{Top: 40}
	per := (len(ties) + pictureDots - 1) / pictureDots
	if open > 0 && per > 1 {
		from := min((open-1)*per, len(ties)-1)
		p.From, p.To = from+1, min(len(ties), from+per)
		ties, per = ties[from:p.To], 1
	}
	p.Grouped = per
	n := (len(ties) + per - 1) / per
	gap := min(30, float64(pictureWide)/float64(max(1, n)))
	r := max(2, min(5.5, gap*0.36))
	x := func(i int) string { return units(pictureLeft + 16 + float64(i)*gap) }
	column := map[string]int{}
	for i := range n {
		group := ties[i*per : min(len(ties), (i+1)*per)]
		d := pictureDot{X: x(i), R: units(r)}
		for _, t := range group {
			column[t.Complaint] = i
			d.Open = d.Open || t.Route != ""
		}
		if len(group) == 1 {
			d.Title, d.Href = group[0].Complaint+" · "+g.Date(group[0].Received), complaintAt(group[0].Complaint)
		} else {
			d.Title = g.T("ring.group", len(group), g.Date(group[0].Received), g.Date(group[len(group)-1].Received))
			d.Href = "/rings/" + ring.ID + "?open=" + strconv.Itoa(i+1) + "#picture"
		}
		p.Dots = append(p.Dots, d)
	}
	things := slices.Clone(ring.Shared)
	slices.SortStableFunc(things, func(a, b bonafide.SharedThing) int { return cmp.Compare(len(b.Members), len(a.Members)) })
	deepest := make([]int, n)
	for _, t := range things {
		var at []int
		for _, m := range t.Members {
			if c, ok := column[m]; ok {
				at = append(at, c)
			}
		}
		if len(at) == 0 {
			continue
		}
		if len(p.Lanes) == pictureLanes {
			p.LanesLeft++
			continue
		}
		slices.Sort(at)
		at = slices.Compact(at)
		l := pictureLane{
			Label: t.Label, Kind: t.Kind, Count: g.T("ring.of", len(t.Members), len(ring.Members)),
			Y: pictureLane1 + len(p.Lanes)*laneStep, X1: x(at[0]), X2: x(at[len(at)-1]), Weight: units(rarityWeight(t.Rarity)),
		}
		var hits strings.Builder
		for _, c := range at {
			fmt.Fprintf(&hits, "M%s %dh.01", x(c), l.Y)
			deepest[c] = l.Y
		}
		l.Hits = hits.String()
		p.Lanes = append(p.Lanes, l)
	}
	var threads strings.Builder
	for i, y := range deepest {
		if y > 0 {
			fmt.Fprintf(&threads, "M%s %dV%d", x(i), p.Top, y)
		}
	}
	p.Threads = threads.String()
	p.Width = int(math.Ceil(pictureLeft+16+float64(n)*gap)) + 70
	p.Height = pictureLane1 + max(1, len(p.Lanes))*laneStep
	p.ticks(g, ties, per, gap)
	p.Title = g.T("ring.picture", len(ring.Ties), len(ring.Shared))
	p.Desc = g.T("ring.picture.desc")
	return p
}

// ticks dates the row of dots where the day changes and there is room.
func (p *picture) ticks(g tongue, ties []bonafide.Tie, per int, gap float64) {
	const room = 100.0
	free, last := 0.0, ""
	n := (len(ties) + per - 1) / per
	end := pictureLeft + 16 + float64(n-1)*gap
	for i := range n {
		t := ties[i*per].Received
		at := pictureLeft + 16 + float64(i)*gap
		text := g.Date(t)
		if t.Equal(time.Time{}) || text == last || at < free || i > 0 && i < n-1 && end-at < room {
			continue
		}
		p.Ticks = append(p.Ticks, pictureTick{X: units(at), Text: text, End: at > float64(p.Width)-room})
		last, free = text, at+room
	}
}

// units writes an SVG number.
func units(x float64) string { return strconv.FormatFloat(math.Round(x*10)/10, 'f', -1, 64) }

// rare finds the figure in "1 in 90,000 phones is shared at all".
var rare = regexp.MustCompile(`(?i)\b(?:1|one) in ([0-9][0-9,]*)`)

// rarityWeight is the width of the line of a thing: the rarer it is to share one, the
// wider.
func rarityWeight(rarity string) float64 {
	m := rare.FindStringSubmatch(rarity)
	if m == nil {
		return 2
	}
	n, err := strconv.ParseFloat(strings.ReplaceAll(m[1], ",", ""), 64)
	if err != nil || n < 1 {
		return 2
	}
	return min(6, 1+math.Log10(n))
}
