package learn

import (
	"fmt"
	"math/rand/v2"
)

// A Simulation says how well a promise is kept over made-up histories of decisions.
type Simulation struct {
	Histories int
	Kept      int     // in how many the promised share of false accusations was kept
	Refused   int     // and in how many nothing was promised: too few labels
	False     float64 // mean share of innocent groups accused
	Worst     float64
	Recall    float64 // mean share of organised complaints still proposed
	// The same at a probability of one half, uncontrolled.
	PlainKept               int
	PlainFalse, PlainRecall float64
}

// A Population is made-up people whom a standard flags: groups of complaints, of which
// some are organised. Hard moves the two kinds together: 0 tells them apart at once, 1
// not at all.
type Population struct {
	Share float64 // of groups that are organised
	Hard  float64
}

// group draws the complaints of one group.
func (p Population) group(r *rand.Rand, name string, organised bool) []Example {
	n := 1 + r.IntN(6)
	shift := 0.0
	if organised {
		shift = 3.5 * (1 - p.Hard)
	}
	common := r.NormFloat64() * 0.7 // members of a group are alike
	var out []Example
	for range n {
		x := make([]float64, len(Names))
		for j := range x {
			weight := []float64{1, 0.4, 0.8, 1, 0, 0.3, 0.2, 0.5, 1, 0.9, 0.6, 0.7}[j]
			z := r.NormFloat64() + common + weight*shift
			if j < 7 {
				x[j] = truth(z > 1)
			} else {
				x[j] = z
			}
		}
		out = append(out, Example{X: x, Organised: organised, Group: name})
	}
	return out
}

func (p Population) draw(r *rand.Rand, groups int) []Example {
	var out []Example
	for g := range groups {
		out = append(out, p.group(r, fmt.Sprint("g", g), r.Float64() < p.Share)...)
	}
	return out
}

// Simulate draws histories of decisions, learns from each, and measures on people drawn
// afresh what was promised.
func Simulate(p Population, histories, groups int, o Options) Simulation {
	o = o.complete()
	out := Simulation{Histories: histories}
	r := rand.New(rand.NewPCG(o.Seed, 0x51))
	fresh := p.draw(r, 6_000)
	n := 0.0
	for h := range histories {
		o.Seed++
		m, err := Fit(Names, p.draw(rand.New(rand.NewPCG(o.Seed, uint64(h))), groups), o)
		if err != nil {
			out.Refused++
			continue
		}
		n++
		falsely, recall := m.measure(fresh, m.Threshold)
		plainFalse, plainRecall := m.measure(fresh, 0.5)
		if falsely <= o.Alpha {
			out.Kept++
		}
		if plainFalse <= o.Alpha {
			out.PlainKept++
		}
		out.False += falsely
		out.Worst = max(out.Worst, falsely)
		out.Recall += recall
		out.PlainFalse += plainFalse
		out.PlainRecall += plainRecall
	}
	if n > 0 {
		out.False, out.Recall, out.PlainFalse, out.PlainRecall = out.False/n, out.Recall/n, out.PlainFalse/n, out.PlainRecall/n
	}
	return out
}

// measure returns the share of innocent groups of whom somebody stands above a threshold,
// and of organised complaints above it.
func (m *Model) measure(fresh []Example, threshold float64) (falsely, recall float64) {
	accused := map[string]bool{}
	above, organised := 0, 0
	for _, e := range fresh {
		up := m.Probability(e.X) > threshold
		if e.Organised {
			organised++
			if up {
				above++
			}
			continue
		}
		accused[e.Group] = accused[e.Group] || up
	}
	wrong := 0
	for _, a := range accused {
		if a {
			wrong++
		}
	}
	return share(wrong, len(accused)), share(above, organised)
}
