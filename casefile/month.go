package casefile

import (
	"cmp"
	"slices"
	"time"

	"bonafide"
)

// A Line is what a monthly sheet reads of a case's history: one step of it.
type Line struct {
	Case string
	At   time.Time
	What string
	From bonafide.Stage
	To   bonafide.Stage
	Exit bonafide.Exit // where the step ended the case; "" is the one of the headline
}

// A Headline is what a monthly sheet reads of a case besides: what cannot be told from its
// steps.
type Headline struct {
	Case   string
	Number int
	Gang   bool
	Exit   bonafide.Exit
	Amount map[string]int64 // minor units by currency
}

// A Month is the monthly sheet of cases. Each figure is the cases behind it, by id, the
// oldest first.
type Month struct {
	From, To    time.Time                  // the first moment, and the first after it
	Pushed      []string                   // opened in the month, and not merged into another
	Filed       []string                   // that the police filed in the month
	Reported    []string                   // handed to the police in the month
	Preparation []string                   // opened and not decided upon by the police at its end
	Gang        []string                   // of those opened in the month, of gang type
	Closed      map[bonafide.Exit][]string // in the month, and not open again at its end
	Amounts     map[string]int64           // of those opened in the month, by currency
}

// Figures counts the cases of a month from their steps. Steps are in order of time.
func Figures(heads []Headline, steps []Line, from, to time.Time) Month {
	m := Month{From: from, To: to, Closed: map[bonafide.Exit][]string{}, Amounts: map[string]int64{}}
	stage := map[string]bonafide.Stage{}
	opened, filed, reported, closed := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]Line{}
	for _, s := range steps {
		if !s.At.Before(to) {
			continue
		}
		stage[s.Case] = s.To
		if s.At.Before(from) {
			continue
		}
		switch bonafide.Move(s.What) {
		case bonafide.MoveOpen:
			opened[s.Case] = true
		case bonafide.MoveFile:
			filed[s.Case] = true
		case bonafide.MoveReport:
			reported[s.Case] = true
		}
		switch {
		case s.To != bonafide.StageClosed:
			delete(closed, s.Case)
		case s.From != bonafide.StageClosed: // what is written into a closed case closes nothing
			closed[s.Case] = s
		}
	}
	slices.SortFunc(heads, func(a, b Headline) int { return a.Number - b.Number })
	for _, h := range heads {
		if opened[h.Case] && h.Exit != bonafide.ExitMerged { // a merged one counts as the case it went into
			m.Pushed = append(m.Pushed, h.Case)
			if h.Gang {
				m.Gang = append(m.Gang, h.Case)
			}
			for currency, n := range h.Amount {
				m.Amounts[currency] += n
			}
		}
		if filed[h.Case] {
			m.Filed = append(m.Filed, h.Case)
		}
		if reported[h.Case] {
			m.Reported = append(m.Reported, h.Case)
		}
		if stage[h.Case].Preparing() {
			m.Preparation = append(m.Preparation, h.Case)
		}
		if last, ok := closed[h.Case]; ok {
			exit := cmp.Or(last.Exit, h.Exit)
			m.Closed[exit] = append(m.Closed[exit], h.Case)
		}
	}
	return m
}
