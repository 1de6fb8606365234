package report

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

// A picture shows who shares what. Complaints are a row of dots in the order
// of arrival; each shared thing is a lane below with a mark, a line from its
// first holder to its last and a dot under each complaint that shares it. Lanes
// cannot cross, so a large ring is no hairball. All values are in SVG units.
type picture struct {
	ID, Title, Desc string
	Width, Height   int
	Ticks           []tick
	Dots            []dot
	Threads         string // path: from each complaint down to the last thing it shares
	ThreadTop       int
	Lanes           []lane
	PerDot          int // complaints that one dot stands for
	LanesLeft       int // things that are in the table only
	Routed          bool
}

type tick struct {
	X, Anchor, Text string
}

type dot struct {
	X, R, Title string
	Hollow      bool // routed and not graded
}

type lane struct {
	Icon, Label, Count string
	Y, Top             int    // the middle of the lane, and the top of its mark
	From, To           string // ends of the line
	Weight             string
	Dots               string // path of points
	DotSize            string
}

// Bounds of a picture, so that every mark can be seen: with them it has at
// most 174 nodes.
const (
	maxDots  = 150
	maxLanes = 24
)

// Measures of a picture.
const (
	gutter     = 190 // of the labels
	dotRow     = 42  // where the complaints stand
	laneHeight = 26
	laneTop    = dotRow + 34
	plotWidth  = 720
)

// draw makes the picture of a ring whose members stand in ties, in the order of arrival.
func draw(id string, g *bonafide.Ring, ties []bonafide.Tie) *picture {
	if len(ties) < 2 || len(g.Shared) == 0 {
		return nil
	}
	per := (len(ties) + maxDots - 1) / maxDots
	n := (len(ties) + per - 1) / per
	gap := max(5, min(max(34, 90/float64(max(1, n-1))), float64(plotWidth)/float64(n)))
	r := min(5, max(1.9, gap*0.4))
	x := func(i int) float64 { return gutter + 14 + float64(i)*gap }

	p := &picture{ID: id, PerDot: per, ThreadTop: dotRow}
	column := make(map[string]int, len(ties))
	for i := range n {
		group := ties[i*per : min(len(ties), (i+1)*per)]
		d := dot{X: units(x(i)), R: units(r)}
		for j, t := range group {
			column[t.Complaint] = i
			d.Hollow = j == 0 && t.Route != "" || d.Hollow && t.Route != ""
		}
		p.Routed = p.Routed || d.Hollow
		if len(group) == 1 {
			d.Title = short(line(group[0].Complaint), 60) + ", " + day(group[0].Received)
		} else {
			d.Title = count(len(group), "complaint") + ", " + between(group[0].Received, group[len(group)-1].Received)
		}
		p.Dots = append(p.Dots, d)
	}

	things := slices.Clone(g.Shared)
	slices.SortStableFunc(things, func(a, b bonafide.SharedThing) int { return cmp.Compare(len(b.Members), len(a.Members)) })
	if len(things) > maxLanes {
		p.LanesLeft = len(things) - maxLanes
		things = things[:maxLanes]
	}
	deepest := make([]int, n)
	for i, t := range things {
		l := lane{
			Icon: icon(t.Kind), Label: short(line(t.Label), 15), Y: laneTop + i*laneHeight, Top: laneTop + i*laneHeight - 8,
			Count:  fmt.Sprintf("%s of %s", number(len(t.Members)), number(len(g.Members))),
			Weight: units(weight(t.Rarity)), DotSize: units(r * 1.8),
		}
		var at []int
		for _, m := range t.Members {
			if c, ok := column[m]; ok {
				at = append(at, c)
			}
		}
		slices.Sort(at)
		at = slices.Compact(at)
		var b strings.Builder
		for _, c := range at {
			deepest[c] = l.Y
			fmt.Fprintf(&b, "M%s %dh0", units(x(c)), l.Y)
		}
		if l.Dots = b.String(); len(at) > 0 {
			l.From, l.To = units(x(at[0])), units(x(at[len(at)-1]))
		}
		p.Lanes = append(p.Lanes, l)
	}
	var threads strings.Builder
	for i, y := range deepest {
		if y > 0 {
			fmt.Fprintf(&threads, "M%s %dV%d", units(x(i)), dotRow, y)
		}
	}
	p.Threads = threads.String()
	p.Width = max(420, int(math.Ceil(x(n-1)))+84)
	p.Height = laneTop + len(p.Lanes)*laneHeight - 6
	p.Ticks = ticks(ties, per, n, x)
	p.Title = fmt.Sprintf("%s and the %s they share", count(len(ties), "complaint"), count(len(g.Shared), "thing"))
	p.Desc = fmt.Sprintf("Complaints from left to right in the order of arrival, %s. They share %s. The tables below hold the same.",
		between(received(ties)), sharedWords(g.Shared))
	return p
}

// ticks dates the row of complaints where the day changes and there is room.
func ticks(ties []bonafide.Tie, per, n int, x func(int) float64) []tick {
	const room = 84 // of one date
	var out []tick
	free, last := 0.0, ""
	end := x(n - 1)
	for i := range n {
		text := day(ties[i*per].Received)
		at := x(i)
		if text == last || at < free || i > 0 && i < n-1 && end-at < room && day(ties[len(ties)-1].Received) != text {
			continue
		}
		out = append(out, tick{X: units(at), Anchor: "start", Text: text})
		last, free = text, at+room
	}
	return out
}

// received returns the first and the last date among ties in the order of arrival.
func received(ties []bonafide.Tie) (first, last time.Time) {
	for _, t := range ties {
		if t.Received.IsZero() {
			continue
		}
		if first.IsZero() {
			first = t.Received
		}
		last = t.Received
	}
	return first, last
}

// rare finds the figure in "1 in 90,000 phones is shared at all".
var rare = regexp.MustCompile(`(?i)\b(?:1|one) in ([0-9][0-9,.\x{202f} ]*)`)

// weight is the width of the line of a thing: the rarer, the wider.
func weight(rarity string) float64 {
	m := rare.FindStringSubmatch(rarity)
	if m == nil {
		return 2
	}
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, m[1])
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || n < 1 {
		return 2
	}
	return min(6, 1+math.Log10(n))
}

// icons are the marks of the kinds of shared thing, each in a box of 16 by 16 units.
var icons = []struct{ Kind, Path string }{
	{string(bonafide.Phone), "M4.2 2.2h2.3l1.1 3-1.5 1.3a8 8 0 0 0 3.4 3.4l1.3-1.5 3 1.1v2.3a1.6 1.6 0 0 1-1.8 1.6A10.8 10.8 0 0 1 2.6 4 1.6 1.6 0 0 1 4.2 2.2z"},
	{string(bonafide.Email), "M2 3.5h12v9H2zM2 4l6 5 6-5"},
	{string(bonafide.Handle), "M2.5 3h11v7.5H8.5l-3 3v-3h-3z"},
	{string(bonafide.Device), "M4.5 1.5h7v13h-7zM7 12.3h2"},
	{string(bonafide.IP), "M8 2a6 6 0 1 0 0 12A6 6 0 1 0 8 2zM2 8h12M8 2c-3.6 4-3.6 8 0 12M8 2c3.6 4 3.6 8 0 12"},
	{string(bonafide.Address), "M2 8l6-5.5L14 8M4 7v6.5h8V7"},
	{string(bonafide.Account), "M2 3.5h12v9H2zM2 6.5h12M4 10h3"},
	{string(bonafide.Sender), "M2 8l12-5.5-4 11.5-3-4.5zM7 9.5l7-7"},
	{"document", "M4 1.5h5.5l3 3v10H4zM9.5 1.5v3h3M6 8h4.5M6 10.8h4.5"},
	{"letter", "M3 2.5h10v11H3zM5 5.5h6M5 8h6M5 10.5h4"},
	{"other", "M8 3a5 5 0 1 0 0 10A5 5 0 1 0 8 3z"},
}

// icon returns the mark of a kind.
func icon(kind string) string {
	for _, i := range icons {
		if i.Kind == kind {
			return kind
		}
	}
	return "other"
}
