package evaluate

import (
	"cmp"
	"maps"
	"slices"

	"bonafide"
	"bonafide/audit"
	"bonafide/internal/synth"
)

// Prediction is what some method says of a world, by complaint id. A complaint
// that is not in Levels has no level.
type Prediction struct {
	Levels map[string]bonafide.Level
	Rings  [][]string
}

// GroupScore counts one truth group.
type GroupScore struct {
	Group       string
	Complaints  int
	Accused     int
	Information int
	Routed      int
	// RoutedAccused are accused although they must never be graded.
	RoutedAccused int
}

// Scores are the figures of one world, or of several after Sum.
type Scores struct {
	Groups []GroupScore // by name, agents first

	// Innocents whose level accuses, with a 95 % Wilson interval of the rate.
	Innocent, FalselyAccused       int
	FalseRate, FalseLow, FalseHigh float64

	// Agents' clients who are vulnerable or come through a declared
	// representative. To accuse one is a false accusation of its own kind:
	// they must never be graded.
	RoutedClients, RoutedAccused int

	// Provable agent complaints that are not routed, and how many of them are
	// at level 2 or above.
	Provable, ProvableFound int
	Recall                  float64

	// Agent complaints that only the letter ties to a ring: nobody may accuse.
	TextOnly, TextOnlyAccused int

	// Over pairs of complaints in one ring; see pairs.
	RingPrecision, RingRecall, RingF1 float64
	RingRecallAll                     float64
	Pairs                             PairCounts

	Worlds []WorldScore // one a world, for medians and worst cases
}

// PairCounts are the counts behind the ring figures.
type PairCounts struct {
	Predicted, PredictedTrue int // pairs put in one ring, and those that are in one true ring
	Provable, ProvableFound  int // pairs of provable complaints in one true ring
	All, AllFound            int // pairs of any agent complaints in one true ring
}

// WorldScore keeps one world's headline figures.
type WorldScore struct {
	FalseRate, Recall, RingPrecision, RingRecall, RingF1 float64
	TextOnlyAccused, RoutedAccused                       int
}

// Score compares p with the truth t.
func Score(t synth.Truth, p Prediction) Scores {
	var s Scores
	groups := map[string]*GroupScore{}
	for _, row := range t.Rows {
		g := groups[row.Group]
		if g == nil {
			g = &GroupScore{Group: row.Group}
			groups[row.Group] = g
		}
		level := p.Levels[row.ID]
		accused := level.Accuses()
		g.Complaints++
		if accused {
			g.Accused++
		}
		if level == bonafide.Information {
			g.Information++
		}
		if row.Routed {
			g.Routed++
			if accused {
				g.RoutedAccused++
			}
		}
		switch {
		case !row.Agent:
			s.Innocent++
			if accused {
				s.FalselyAccused++
			}
		case row.Routed:
			s.RoutedClients++
			if accused {
				s.RoutedAccused++
			}
		case row.Provable:
			s.Provable++
			if level.Rank() >= bonafide.Level2.Rank() {
				s.ProvableFound++
			}
		case row.TextOnly:
			s.TextOnly++
			if accused {
				s.TextOnlyAccused++
			}
		}
	}
	s.Groups = slices.SortedFunc(func(yield func(GroupScore) bool) {
		for g := range maps.Values(groups) {
			if !yield(*g) {
				return
			}
		}
	}, func(a, b GroupScore) int { return cmp.Compare(a.Group, b.Group) })
	s.Pairs = pairs(t, p)
	s.rate()
	s.Worlds = []WorldScore{s.headline()}
	return s
}

// rate fills every figure that follows from the counts.
func (s *Scores) rate() {
	s.FalseRate = ratio(s.FalselyAccused, s.Innocent)
	s.FalseLow, s.FalseHigh = audit.Wilson(s.FalselyAccused, s.Innocent)
	s.Recall = ratio(s.ProvableFound, s.Provable)
	s.RingPrecision = ratio(s.Pairs.PredictedTrue, s.Pairs.Predicted)
	s.RingRecall = ratio(s.Pairs.ProvableFound, s.Pairs.Provable)
	s.RingRecallAll = ratio(s.Pairs.AllFound, s.Pairs.All)
	s.RingF1 = 0
	if sum := s.RingPrecision + s.RingRecall; sum > 0 {
		s.RingF1 = 2 * s.RingPrecision * s.RingRecall / sum
	}
}

func (s *Scores) headline() WorldScore {
	return WorldScore{
		FalseRate: s.FalseRate, Recall: s.Recall,
		RingPrecision: s.RingPrecision, RingRecall: s.RingRecall, RingF1: s.RingF1,
		TextOnlyAccused: s.TextOnlyAccused, RoutedAccused: s.RoutedAccused,
	}
}

// pairs counts pairs of complaints in one ring. A pair with a routed complaint
// counts neither for nor against; a complaint in two predicted rings is taken
// with each of them, a pair once.
func pairs(t synth.Truth, p Prediction) PairCounts {
	rows := make(map[string]*synth.Row, len(t.Rows))
	members := map[string][]string{}
	var n PairCounts
	for i := range t.Rows {
		row := &t.Rows[i]
		rows[row.ID] = row
		if row.Agent && !row.Routed {
			members[row.Ring] = append(members[row.Ring], row.ID)
		}
	}
	for _, ids := range members {
		provable := 0
		for _, id := range ids {
			if rows[id].Provable {
				provable++
			}
		}
		n.All += choose2(len(ids))
		n.Provable += choose2(provable)
	}
	type pair struct{ a, b string }
	seen := map[pair]bool{}
	for _, ring := range p.Rings {
		for i, a := range ring {
			for _, b := range ring[i+1:] {
				x, y := rows[a], rows[b]
				if x == nil || y == nil || a == b || x.Routed || y.Routed {
					continue
				}
				key := pair{min(a, b), max(a, b)}
				if seen[key] {
					continue
				}
				seen[key] = true
				n.Predicted++
				if !x.Agent || x.Ring != y.Ring {
					continue
				}
				n.PredictedTrue++
				n.AllFound++
				if x.Provable && y.Provable {
					n.ProvableFound++
				}
			}
		}
	}
	return n
}

func choose2(n int) int { return n * (n - 1) / 2 }

func ratio(k, n int) float64 {
	if n == 0 {
		return 0
	}
	return float64(k) / float64(n)
}
