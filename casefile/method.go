package casefile

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"bonafide"
)

// A Filing is what the analysis of a method sees of one complaint of a case: what was
// demanded, how it came, and what people found out. It sees no letter.
type Filing struct {
	Complaint string
	Received  time.Time
	Channel   bonafide.Channel
	Demands   []string
	Criteria  []bonafide.Criterion // proposed or verified
	Facts     []string             // established in conversations
	Things    []string             // kinds of thing that it shares with others of its ring
	Template  string
}

// A Method is a scenario that the filings of a case show, with how many.
type Method struct {
	Scenario string
	Count    int // filings that show it
	Of       int
	Why      []Sign
	First    time.Time
	Last     time.Time
}

// A Sign says by what a scenario shows. Code is a key of the words for it: word, criterion,
// fact, thing, channels, burst.
type Sign struct {
	Code  string
	About string
	Count int
}

// A Spell is one month of a case's filings: what changed shows between them.
type Spell struct {
	Month     string // "2026-05"
	Filings   int
	Channels  []Share
	Demands   []Share
	Templates []Share
}

// A Share is how many of something there were.
type Share struct {
	Name  string
	Count int
}

// least is the share of filings that must show a scenario, in percent: what one in ten asks
// for is not the method of the case.
const least = 20

// burst is how many times its usual number of filings a day has at least.
const burst, burstLeast = 3, 5

// Analyse says by which scenarios the filings of a case work, those that most show first,
// and how that changes from month to month. It describes what is known to belong together
// already, and grades nobody.
func Analyse(filings []Filing, zone *time.Location) ([]Method, []Spell) {
	var out []Method
	n := len(filings)
	if n == 0 {
		return nil, nil
	}
	busiest, usual := days(filings, zone)
	channels := map[string]map[string]bool{} // of a template
	for _, f := range filings {
		if f.Template == "" {
			continue
		}
		if channels[f.Template] == nil {
			channels[f.Template] = map[string]bool{}
		}
		channels[f.Template][top(f.Channel)] = true
	}
	for _, s := range book().Scenarios {
		m := Method{Scenario: s.ID, Of: n}
		signs := map[Sign]int{}
		for _, f := range filings {
			found := s.signs(f, channels)
			if s.Burst && busiest[f.Complaint] >= max(burstLeast, burst*usual) {
				found = append(found, Sign{Code: "burst"})
			}
			if len(found) == 0 {
				continue
			}
			m.Count++
			for _, g := range found {
				signs[g]++
			}
			if m.First.IsZero() || f.Received.Before(m.First) {
				m.First = f.Received
			}
			if f.Received.After(m.Last) {
				m.Last = f.Received
			}
		}
		if m.Count == 0 || 100*m.Count < least*n {
			continue
		}
		for g, k := range signs {
			g.Count = k
			m.Why = append(m.Why, g)
		}
		slices.SortFunc(m.Why, func(a, b Sign) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code), cmp.Compare(a.About, b.About))
		})
		out = append(out, m)
	}
	slices.SortStableFunc(out, func(a, b Method) int { return cmp.Compare(b.Count, a.Count) })
	return out, spells(filings, zone)
}

// signs says by what a filing shows a scenario, each once.
func (s Scenario) signs(f Filing, channels map[string]map[string]bool) []Sign {
	var out []Sign
	add := func(code, about string) {
		if g := (Sign{Code: code, About: about}); !slices.Contains(out, g) {
			out = append(out, g)
		}
	}
	for _, d := range f.Demands {
		low := strings.ToLower(d)
		for _, w := range s.Words {
			if strings.Contains(low, w) {
				add("word", w)
				break
			}
		}
	}
	for _, c := range s.Criteria {
		// K08 says that complaints are many and organised: by itself it does not tell how.
		if slices.Contains(f.Criteria, c) && c != "K08" {
			add("criterion", string(c))
		}
	}
	for _, x := range s.Facts {
		if slices.Contains(f.Facts, x) {
			add("fact", x)
		}
	}
	for _, t := range s.Things {
		if slices.Contains(f.Things, t) {
			add("thing", t)
		}
	}
	if s.Channels > 0 && len(channels[f.Template]) >= s.Channels {
		add("channels", "")
	}
	return out
}

func top(c bonafide.Channel) string {
	name, _, _ := strings.Cut(string(c), "/")
	return cmp.Or(name, "unknown")
}

// days returns for each complaint how many were filed on its day, and the usual number a
// day: the median over days with any.
func days(filings []Filing, zone *time.Location) (busy map[string]int, usual int) {
	count := map[string]int{}
	for _, f := range filings {
		count[f.Received.In(zone).Format(time.DateOnly)]++
	}
	busy = map[string]int{}
	for _, f := range filings {
		busy[f.Complaint] = count[f.Received.In(zone).Format(time.DateOnly)]
	}
	all := slices.Sorted(maps.Values(count))
	return busy, all[len(all)/2]
}

func spells(filings []Filing, zone *time.Location) []Spell {
	type counts struct {
		n                      int
		channel, demand, sheet map[string]int
	}
	months := map[string]*counts{}
	for _, f := range filings {
		m := f.Received.In(zone).Format("2006-01")
		c := months[m]
		if c == nil {
			c = &counts{channel: map[string]int{}, demand: map[string]int{}, sheet: map[string]int{}}
			months[m] = c
		}
		c.n++
		c.channel[top(f.Channel)]++
		for _, s := range book().Scenarios {
			if slices.ContainsFunc(s.signs(f, nil), func(g Sign) bool { return g.Code == "word" }) {
				c.demand[s.ID]++
			}
		}
		if f.Template != "" {
			c.sheet[f.Template]++
		}
	}
	var out []Spell
	for _, m := range slices.Sorted(maps.Keys(months)) {
		c := months[m]
		out = append(out, Spell{m, c.n, shares(c.channel), shares(c.demand), shares(c.sheet)})
	}
	return out
}

// shares lists counts, the largest first.
func shares(of map[string]int) []Share {
	var out []Share
	for name, n := range of {
		out = append(out, Share{name, n})
	}
	slices.SortFunc(out, func(a, b Share) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
	})
	return out
}
