// Package learn turns what people decided into weights: a regularised logistic
// regression on what a verdict rests on, its probabilities calibrated, and a threshold
// that controls how often somebody honest is accused.
//
// Learned weights only ever hold a proposal back: none of them can raise a level that a
// published standard does not ask for. Who is accused is decided by people.
package learn

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"bonafide"
)

// An Example is one complaint that people decided about.
type Example struct {
	X         []float64
	Organised bool
	// Group names what was decided together: members of one ring are not independent of
	// each other, and stand on the same side of every split.
	Group string
}

// Options say how to learn. Zero fields mean the defaults.
type Options struct {
	Alpha      float64 // how many of the innocent whom a standard flags may still be accused; default 0.05
	Confidence float64 // with which Alpha holds; default 0.95
	Seed       uint64  // of the split into a half to learn from and a half to control with
}

func (o Options) complete() Options {
	o.Alpha = cmp.Or(o.Alpha, 0.05)
	o.Confidence = cmp.Or(o.Confidence, 0.95)
	return o
}

// A Model is what was learned.
type Model struct {
	Names   []string  `json:"names"`
	Mean    []float64 `json:"mean"`
	Scale   []float64 `json:"scale"`
	Weights []float64 `json:"weights"` // of the standardised values
	Bias    float64   `json:"bias"`
	Lambda  float64   `json:"lambda"` // strength of the penalty, chosen by cross-validation
	// Slope and Offset calibrate: probability = σ(Slope·score + Offset), Platt's form (1999).
	Slope  float64 `json:"slope"`
	Offset float64 `json:"offset"`

	Alpha      float64 `json:"alpha"`
	Confidence float64 `json:"confidence"`
	Threshold  float64 `json:"threshold"` // a proposal stands where the probability is above it
	Labels     Labels  `json:"labels"`
	Brier      float64 `json:"brier"`  // of the half that was not learned from; 0 is perfect
	Recall     float64 `json:"recall"` // of the organised in that half, at the threshold
	Plain      float64 `json:"plain"`  // and at one half, uncontrolled
	PlainFalse float64 `json:"plain_false"`
}

// Labels count what was learned from.
type Labels struct {
	Organised       int `json:"organised"`
	Innocent        int `json:"innocent"`
	OrganisedGroups int `json:"organised_groups"`
	InnocentGroups  int `json:"innocent_groups"`
	Control         int `json:"control"` // innocent groups that the threshold was set by
}

// Needed is the least number of innocent groups, set aside to control with, by which
// anything can be promised: the smallest n with (1-alpha)^n ≤ 1-confidence (Wilks 1941).
func Needed(alpha, confidence float64) int {
	return int(math.Ceil(math.Log(1-confidence)/math.Log(1-alpha) - 1e-9))
}

// leastClass is how many groups of each kind weights can be learned from, in one half.
const leastClass = 10

// A Missing is the error of labels that are too few. Nothing is proposed by them.
type Missing struct {
	Innocent, Organised int // groups that people have yet to decide about, at least
	Alpha, Confidence   float64
}

// Error says how many are missing.
func (m *Missing) Error() string {
	return fmt.Sprintf("too few decisions to promise anything: %d more innocent and %d more organised groups have to be decided before at most %.3g %% of the innocent are accused with %.0f %% confidence",
		m.Innocent, m.Organised, 100*m.Alpha, 100*m.Confidence)
}

// Unwrap makes a Missing an error of Kind Conflict.
func (m *Missing) Unwrap() error { return bonafide.Conflict }

// Fit learns weights from half of the groups, and sets the threshold by the innocent
// groups of the other half. Where the labels are too few the error is a *[Missing].
//
// The promise: over histories of decisions drawn from the same people, the share of
// innocent groups above the threshold is at most Alpha in at least Confidence of the
// histories (split conformal prediction, valid given the training set: Vovk 2012; the
// order statistic is Wilks's tolerance limit of 1941). It holds whatever the weights are
// worth: bad weights cost recall.
func Fit(names []string, examples []Example, o Options) (Model, error) {
	o = o.complete()
	m := Model{Names: names, Alpha: o.Alpha, Confidence: o.Confidence}
	for i, e := range examples {
		if len(e.X) != len(names) {
			return m, fmt.Errorf("example %d has %d values, want %d", i, len(e.X), len(names))
		}
	}
	train, control := split(examples, o.Seed)
	m.Labels = Count(examples)
	m.Labels.Control = Count(control).InnocentGroups
	if err := m.enough(train, control, o); err != nil {
		return m, err
	}
	m.standardise(train)
	x := make([][]float64, len(train))
	for i, e := range train {
		x[i] = m.scaled(e.X)
	}
	m.Lambda = penalty(x, train, o.Seed)
	m.Weights, m.Bias = regress(x, train, m.Lambda)
	m.calibrate(x, train, o.Seed)
	m.control(control)
	return m, nil
}

func (m *Model) enough(train, control []Example, o Options) error {
	t, c := Count(train), Count(control)
	need := Needed(o.Alpha, o.Confidence)
	// What is missing of one half is missing twice: new labels fall into either.
	miss := Missing{Alpha: o.Alpha, Confidence: o.Confidence}
	miss.Innocent = 2 * max(0, leastClass-t.InnocentGroups, need-c.InnocentGroups)
	miss.Organised = 2 * max(0, leastClass-t.OrganisedGroups)
	if miss.Innocent+miss.Organised > 0 {
		return &miss
	}
	return nil
}

// Count counts examples, and the groups that they were decided about in.
func Count(examples []Example) Labels {
	var l Labels
	seen := map[string]bool{}
	for _, e := range examples {
		k := fmt.Sprint(e.Organised, " ", e.Group)
		if e.Organised {
			l.Organised++
		} else {
			l.Innocent++
		}
		if seen[k] {
			continue
		}
		seen[k] = true
		if e.Organised {
			l.OrganisedGroups++
		} else {
			l.InnocentGroups++
		}
	}
	return l
}

// split puts half of the groups of each kind on either side.
func split(examples []Example, seed uint64) (train, control []Example) {
	side := sides(examples, 2, seed)
	for _, e := range examples {
		if side[e.Group] == 0 {
			train = append(train, e)
		} else {
			control = append(control, e)
		}
	}
	return train, control
}

// sides deals groups out to k hands, as evenly of each kind as can be. A group of both
// kinds counts as organised.
func sides(examples []Example, k int, seed uint64) map[string]int {
	kind := map[string]bool{}
	for _, e := range examples {
		kind[e.Group] = kind[e.Group] || e.Organised
	}
	names := make([]string, 0, len(kind))
	for g := range kind {
		names = append(names, g)
	}
	slices.Sort(names)
	r := rand.New(rand.NewPCG(seed, 0x1ea2))
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	out := map[string]int{}
	next := map[bool]int{}
	for _, g := range names {
		out[g] = next[kind[g]] % k
		next[kind[g]]++
	}
	return out
}

// standardise sets mean and scale of each value.
func (m *Model) standardise(train []Example) {
	n := len(m.Names)
	m.Mean, m.Scale = make([]float64, n), make([]float64, n)
	for j := range n {
		for _, e := range train {
			m.Mean[j] += e.X[j] / float64(len(train))
		}
		for _, e := range train {
			d := e.X[j] - m.Mean[j]
			m.Scale[j] += d * d / float64(len(train))
		}
		m.Scale[j] = math.Sqrt(m.Scale[j])
		if m.Scale[j] < 1e-9 {
			m.Scale[j] = 1 // the same everywhere: it says nothing
		}
	}
}

func (m *Model) scaled(x []float64) []float64 {
	out := make([]float64, len(x))
	for j := range x {
		out[j] = (x[j] - m.Mean[j]) / m.Scale[j]
	}
	return out
}

// penalties are tried, from weak to strong.
var penalties = []float64{0.01, 0.1, 1, 10, 100}

const folds = 5

// penalty chooses the strength under which what is left out is foretold best.
func penalty(x [][]float64, train []Example, seed uint64) float64 {
	best, least := penalties[len(penalties)-1], math.Inf(1)
	for _, l := range slices.Backward(penalties) { // of two that are as good the stronger
		scores := leftOut(x, train, l, seed)
		loss := 0.0
		for i, s := range scores {
			loss += logLoss(s, train[i].Organised)
		}
		if loss < least*(1-1e-6) {
			best, least = l, loss
		}
	}
	return best
}

// leftOut scores each example by weights learned without its group.
func leftOut(x [][]float64, train []Example, lambda float64, seed uint64) []float64 {
	fold := sides(train, folds, seed+1)
	out := make([]float64, len(train))
	for f := range folds {
		var xs [][]float64
		var es []Example
		for i, e := range train {
			if fold[e.Group] != f {
				xs, es = append(xs, x[i]), append(es, e)
			}
		}
		w, b := regress(xs, es, lambda)
		for i, e := range train {
			if fold[e.Group] == f {
				out[i] = dot(w, x[i]) + b
			}
		}
	}
	return out
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}

func sigmoid(z float64) float64 {
	if z >= 0 {
		return 1 / (1 + math.Exp(-z))
	}
	e := math.Exp(z)
	return e / (1 + e)
}

func logLoss(z float64, yes bool) float64 {
	if yes {
		z = -z
	}
	if z > 30 {
		return z
	}
	return math.Log1p(math.Exp(z))
}

// regress minimises Σ log loss + λ/2·|w|² by Newton's method, with steps halved until the
// loss falls. Each group weighs as one, however many members it has. The bias is not
// penalised.
func regress(x [][]float64, examples []Example, lambda float64) (w []float64, bias float64) {
	if len(x) == 0 {
		return nil, 0
	}
	size := map[string]float64{}
	for _, e := range examples {
		size[e.Group]++
	}
	weights := make([]float64, len(examples))
	for i, e := range examples {
		weights[i] = 1 / size[e.Group]
	}
	n := len(x[0])
	theta := make([]float64, n+1)
	loss := func(theta []float64) float64 {
		sum := lambda / 2 * dot(theta[:n], theta[:n])
		for i, e := range examples {
			sum += logLoss(dot(theta[:n], x[i])+theta[n], e.Organised) * weights[i]
		}
		return sum
	}
	now := loss(theta)
	grad, row := make([]float64, n+1), make([]float64, n+1)
	hess := make([][]float64, n+1)
	for j := range hess {
		hess[j] = make([]float64, n+1)
	}
	for range 100 {
		clear(grad)
		for j := range hess {
			clear(hess[j])
		}
		for j := range n {
			grad[j], hess[j][j] = lambda*theta[j], lambda
		}
		hess[n][n] = 1e-6 // where all are of one kind the bias has no end
		for i, e := range examples {
			p := sigmoid(dot(theta[:n], x[i]) + theta[n])
			y := 0.0
			if e.Organised {
				y = 1
			}
			copy(row, x[i])
			row[n] = 1
			slope, curve := weights[i]*(p-y), weights[i]*p*(1-p)
			for j, v := range row {
				grad[j] += slope * v
				line := hess[j]
				for k := range j + 1 {
					line[k] += curve * v * row[k]
				}
			}
		}
		step := solve(hess, grad)
		shrink, moved := 1.0, false
		for range 30 {
			next := make([]float64, n+1)
			for j := range next {
				next[j] = theta[j] - shrink*step[j]
			}
			if l := loss(next); l < now-1e-12 {
				moved = now-l > 1e-9*(1+now)
				theta, now = next, l
				break
			}
			shrink /= 2
		}
		if !moved {
			break
		}
	}
	return theta[:n], theta[n]
}

// solve solves a·x = b for a symmetric, positive definite a of which the lower half is
// given, by Cholesky's decomposition.
func solve(a [][]float64, b []float64) []float64 {
	n := len(b)
	l := make([][]float64, n)
	for i := range n {
		l[i] = make([]float64, n)
		for j := range i + 1 {
			s := a[i][j]
			for k := range j {
				s -= l[i][k] * l[j][k]
			}
			if i == j {
				l[i][i] = math.Sqrt(max(s, 1e-12))
			} else {
				l[i][j] = s / l[j][j]
			}
		}
	}
	y := make([]float64, n)
	for i := range n {
		s := b[i]
		for k := range i {
			s -= l[i][k] * y[k]
		}
		y[i] = s / l[i][i]
	}
	for i := n - 1; i >= 0; i-- {
		s := y[i]
		for k := i + 1; k < n; k++ {
			s -= l[k][i] * y[k]
		}
		y[i] = s / l[i][i]
	}
	return y
}

// calibrate fits slope and offset on scores of what was left out.
func (m *Model) calibrate(x [][]float64, train []Example, seed uint64) {
	scores := leftOut(x, train, m.Lambda, seed)
	one := make([][]float64, len(scores))
	for i, s := range scores {
		one[i] = []float64{s}
	}
	w, b := regress(one, train, 1e-3)
	m.Slope, m.Offset = w[0], b
	if m.Slope <= 0 { // weights that foretell nothing: order is kept, and everybody is alike
		m.Slope = 1e-6
	}
}

// Probability is how likely it is that an organised agent is behind a complaint of which
// x are the values, among those that a standard flags.
func (m *Model) Probability(x []float64) float64 {
	z := m.Bias
	for j := range x {
		z += m.Weights[j] * (x[j] - m.Mean[j]) / m.Scale[j]
	}
	return sigmoid(m.Slope*z + m.Offset)
}

// Stands reports whether a proposal stands against a complaint: its probability is above
// the threshold.
func (m *Model) Stands(x []float64) bool { return m.Probability(x) > m.Threshold }

// control sets the threshold by the innocent groups that nothing was learned from: each
// counts by its member who looks worst.
func (m *Model) control(control []Example) {
	worst := map[string]float64{}
	var organised []float64
	wrong := 0.0
	for _, e := range control {
		p := m.Probability(e.X)
		y := 0.0
		if e.Organised {
			organised = append(organised, p)
			y = 1
		} else if q, ok := worst[e.Group]; !ok || p > q {
			worst[e.Group] = p
		}
		wrong += (p - y) * (p - y)
	}
	m.Brier = wrong / float64(max(1, len(control)))
	var scores []float64
	plain := 0
	for _, p := range worst {
		scores = append(scores, p)
		if p > 0.5 {
			plain++
		}
	}
	m.Threshold = Threshold(scores, m.Alpha, m.Confidence)
	m.PlainFalse = share(plain, len(scores))
	above, half := 0, 0
	for _, p := range organised {
		if p > m.Threshold {
			above++
		}
		if p > 0.5 {
			half++
		}
	}
	m.Recall, m.Plain = share(above, len(organised)), share(half, len(organised))
}

func share(k, n int) float64 {
	if n == 0 {
		return 0
	}
	return float64(k) / float64(n)
}

// Threshold is the least score above which at most alpha of the innocent stand, with a
// confidence, given scores of some of them: their k-th highest, where k-1 is the most of
// n that may stand above it, P(Bin(n, alpha) ≤ k-1) ≤ 1-confidence. Where n is too small
// for that it is 1: nobody is accused.
func Threshold(innocent []float64, alpha, confidence float64) float64 {
	n := len(innocent)
	if n < Needed(alpha, confidence) {
		return 1
	}
	sorted := slices.Clone(innocent)
	slices.SortFunc(sorted, func(a, b float64) int { return cmp.Compare(b, a) })
	above := -1
	sum, log := 0.0, 0.0
	for k := range n {
		// log of C(n,k)·alpha^k·(1-alpha)^(n-k)
		if k == 0 {
			log = float64(n) * math.Log1p(-alpha)
		} else {
			log += math.Log(float64(n-k+1)/float64(k)) + math.Log(alpha) - math.Log1p(-alpha)
		}
		if sum += math.Exp(log); sum > 1-confidence {
			break
		}
		above = k
	}
	if above < 0 {
		return 1
	}
	return sorted[above]
}
