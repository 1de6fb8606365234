package evaluate

import (
	"cmp"
	"slices"
)

// Sum pools the counts of several worlds, so that every complaint weighs the
// same, and keeps each world's figures in Worlds.
func Sum(all []Scores) Scores {
	var sum Scores
	groups := map[string]*GroupScore{}
	for _, s := range all {
		for _, g := range s.Groups {
			to := groups[g.Group]
			if to == nil {
				to = &GroupScore{Group: g.Group}
				groups[g.Group] = to
			}
			to.Complaints += g.Complaints
			to.Accused += g.Accused
			to.Information += g.Information
			to.Routed += g.Routed
			to.RoutedAccused += g.RoutedAccused
		}
		sum.Innocent += s.Innocent
		sum.FalselyAccused += s.FalselyAccused
		sum.RoutedClients += s.RoutedClients
		sum.RoutedAccused += s.RoutedAccused
		sum.Provable += s.Provable
		sum.ProvableFound += s.ProvableFound
		sum.TextOnly += s.TextOnly
		sum.TextOnlyAccused += s.TextOnlyAccused
		sum.Pairs.Predicted += s.Pairs.Predicted
		sum.Pairs.PredictedTrue += s.Pairs.PredictedTrue
		sum.Pairs.Provable += s.Pairs.Provable
		sum.Pairs.ProvableFound += s.Pairs.ProvableFound
		sum.Pairs.All += s.Pairs.All
		sum.Pairs.AllFound += s.Pairs.AllFound
		sum.Worlds = append(sum.Worlds, s.Worlds...)
	}
	for _, g := range groups {
		sum.Groups = append(sum.Groups, *g)
	}
	slices.SortFunc(sum.Groups, func(a, b GroupScore) int { return cmp.Compare(a.Group, b.Group) })
	sum.rate()
	return sum
}

// Spread returns the least, the median and the greatest of one figure over the
// worlds, as in s.Spread(func(w WorldScore) float64 { return w.Recall }).
func (s Scores) Spread(figure func(WorldScore) float64) (least, median, greatest float64) {
	if len(s.Worlds) == 0 {
		return 0, 0, 0
	}
	values := make([]float64, len(s.Worlds))
	for i, w := range s.Worlds {
		values[i] = figure(w)
	}
	slices.Sort(values)
	n := len(values)
	return values[0], (values[(n-1)/2] + values[n/2]) / 2, values[n-1]
}
