package bench

import (
	"math"
	"slices"
	"testing"
	"time"

	"bonafide"
	"bonafide/signal/text"
)

// low is the likeness from which the best match counts as a link: far below
// what two copies share, above what strangers do.
const low = 0.045

// limit is how many candidates of [text.Index] are verified, as in a scan.
const limit = 32

// goals of text linking.
const (
	goalExact = 0.98 // share of the ceiling's recall
	goalLSH   = 1.2  // times the recall of LSH
)

// links is what one method found.
type links struct {
	name       string
	keys       float64 // mean for each letter
	candidates int
	reached    int // letters due whose candidates include an earlier one of the template
	same, sure int // letters due linked by SameLetter to their template; pairs linked in all
	wrong      int // pairs linked across templates
	best       []int32
	like       []float64 // of the best
	strict     []bool    // letters linked to anything by SameLetter

	build, query, verify time.Duration
}

func newLinks(name string, n int) *links {
	l := &links{name: name, best: make([]int32, n), like: make([]float64, n), strict: make([]bool, n)}
	for i := range l.best {
		l.best[i] = -1
	}
	return l
}

// judge takes what the verification of letter i and an earlier one said.
func (l *links) judge(p *post, i int, id int32, like text.Likeness, linked *bool) {
	l.candidates++
	mate := p.template[i] >= 0 && p.template[i] == p.template[id]
	if like.SameLetter() {
		l.strict[i] = true
		l.sure++
		if mate {
			*linked = true
		} else {
			l.wrong++
		}
	}
	if like.Jaccard > l.like[i] {
		l.best[i], l.like[i] = id, like.Jaccard
	}
}

// found returns how many letters due have a mate as their best match at low or
// above, and how many have any.
func (l *links) found(p *post) (right, all int) {
	for i, id := range l.best {
		if id < 0 || l.like[i] < low {
			continue
		}
		all++
		if p.template[i] >= 0 && p.template[i] == p.template[id] {
			right++
		}
	}
	return right, all
}

// careful returns the lowest threshold at which the best match is right in
// 99.5 % of the cases, and how many it links then.
func (l *links) careful(p *post) (t float64, right int) {
	order := make([]int, 0, len(l.best))
	for i, id := range l.best {
		if id >= 0 {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case l.like[a] > l.like[b]:
			return -1
		case l.like[a] < l.like[b]:
			return 1
		}
		return a - b
	})
	t = math.Inf(1)
	hits := 0
	for k, i := range order {
		if j := l.best[i]; p.template[i] >= 0 && p.template[i] == p.template[j] {
			hits++
		}
		if float64(hits) >= 0.995*float64(k+1) {
			t, right = l.like[i], hits
		}
	}
	return t, right
}

// check compares each letter with its candidates and times it.
func (l *links) check(p *post, c *text.Corpus, sums []text.Sums, candidates [][]int32, due []bool) {
	m := text.NewComparer(c)
	l.verify = timed(func() {
		for i, found := range candidates {
			if len(found) == 0 {
				continue
			}
			m.Set(p.letters[i])
			linked := false
			for _, id := range found {
				l.judge(p, i, id, m.WithSums(p.letters[id], sums[id]), &linked)
			}
			if linked {
				l.same++
			}
		}
	})
	for i, found := range candidates {
		if due[i] && slices.ContainsFunc(found, func(id int32) bool { return p.template[id] == p.template[i] }) {
			l.reached++
		}
	}
}

// fileSample files under text.Index and learns the corpus, as in a scan.
func fileSample(p *post) (*text.Index, *text.Corpus, []text.Sums, time.Duration) {
	var x *text.Index
	took := timed(func() {
		x = text.NewIndex(len(p.letters), 0)
		for i := range p.letters {
			x.Add(p.letters[i].Keys())
		}
	})
	c, sums := p.weigh(x)
	return x, c, sums, took
}

// askSample links by text.Index. Where rare is set, it asks only under keys that are not common property.
func askSample(name string, p *post, x *text.Index, c *text.Corpus, sums []text.Sums, due []bool, rare bool) *links {
	n := len(p.letters)
	l := newLinks(name, n)
	for _, k := range p.keys {
		l.keys += float64(len(k)) / float64(n)
	}
	candidates := make([][]int32, n)
	l.query = timed(func() {
		q := text.NewQuery(x)
		var some []bonafide.Key
		for i, keys := range p.keys {
			if rare {
				some = some[:0]
				for _, k := range keys {
					if !c.IsCommon(uint32(k)) {
						some = append(some, k)
					}
				}
				keys = some
			}
			for _, found := range q.Candidates(keys, i, limit) {
				candidates[i] = append(candidates[i], int32(found.ID))
			}
		}
	})
	l.check(p, c, sums, candidates, due)
	return l
}

// fileAll links by the exact index: it verifies as it counts, so that query
// holds both.
func fileAll(p *post, c *text.Corpus, sums []text.Sums) *links {
	l := newLinks("exact index", len(p.letters))
	var x *exact
	l.build = timed(func() { x = newExact(p.letters, c) })
	l.keys = float64(len(x.postings)) / float64(len(p.letters))
	l.query = timed(func() {
		for i := range p.letters {
			linked, met := false, false
			x.ask(i, sums, func(id int32, like text.Likeness) {
				l.judge(p, i, id, like, &linked)
				met = met || p.template[i] >= 0 && p.template[i] == p.template[id]
			})
			if linked {
				l.same++
			}
			if met {
				l.reached++
			}
		}
	})
	return l
}

// fileBands links by MinHash-LSH; all that meet are verified.
func fileBands(p *post, c *text.Corpus, sums []text.Sums, due []bool) *links {
	n := len(p.letters)
	l := newLinks("LSH 42×3", n)
	l.keys = bands
	x := newLSH(n)
	l.build = timed(func() {
		for _, letter := range p.letters {
			x.file(letter)
		}
	})
	candidates := make([][]int32, n)
	l.query = timed(func() {
		for i := range candidates {
			candidates[i] = x.candidates(nil, i)
		}
	})
	l.check(p, c, sums, candidates, due)
	return l
}

var mixes = []mix{{0.05, 0, 0}, {0.05, 0, 0.4}, {0.2, 0.3, 0}, {0.2, 0.3, 0.4}, {0.3, 0.3, 0.4}}

// TestLinking asks of every letter with an earlier copy of its template whether
// it is linked to one.
func TestLinking(t *testing.T) {
	n, asked := 3000, 100
	if full {
		n, asked = 20_000, 400
	}
	some := mixes
	if !full {
		some = mixes[2:4]
	}
	for _, m := range some {
		p := newPost(11, n, m)
		due := p.due()
		total := 0
		for _, d := range due {
			if d {
				total++
			}
		}
		x, c, sums, filing := fileSample(p)
		ours := askSample("sampled index", p, x, c, sums, due, true) // as a scan asks: not under common passages
		ours.build = filing
		loud := askSample("  under all keys", p, x, c, sums, due, false)
		ceiling := fileAll(p, c, sums)
		banded := fileBands(p, c, sums, due)

		share := func(x int) float64 { return 100 * float64(x) / float64(max(1, total)) }
		var out table
		out.row("%d letters, %.0f %% in templates, %.0f %% quote a passage, up to %.0f %% of the words exchanged: %d have an earlier copy", n, 100*m.planted, 100*m.quoting, 100*m.spun, total)
		out.row("method\tkeys\tcandidates\treached\tsame letter\tprecision\tbest ≥ %.3f\tprecision\tbest at 99.5 %%\tt\tbuild µs\tquery µs\tverify µs", low)
		for _, l := range []*links{ours, loud, ceiling, banded} {
			right, all := l.found(p)
			at, sure := l.careful(p)
			out.row("%s\t%.1f\t%.1f\t%.1f %%\t%.1f %%\t%.2f %%\t%.1f %%\t%.2f %%\t%.1f %%\t%.3f\t%.1f\t%.1f\t%.1f",
				l.name, l.keys, float64(l.candidates)/float64(n), share(l.reached),
				share(l.same), 100-100*float64(l.wrong)/float64(max(1, l.sure)),
				share(right), 100*float64(right)/float64(max(1, all)), share(sure), at,
				each(l.build, n), each(l.query, n), each(l.verify, n))
		}
		rightOurs, _ := ours.found(p)
		rightAll, _ := ceiling.found(p)
		rightLSH, _ := banded.found(p)
		ratio := func(a, b int) float64 { return float64(a) / float64(max(1, b)) }
		out.row("of the ceiling: same letter %.3f, best match %.3f (goal %.2f); times LSH: %.2f, %.2f (goal %.1f)",
			ratio(ours.same, ceiling.same), ratio(rightOurs, rightAll), goalExact,
			ratio(ours.same, banded.same), ratio(rightOurs, rightLSH), goalLSH)
		out.log(t)

		brute(t, p, c, sums, ceiling, asked)
		floor := 0.93 // few letters: chance weighs more
		if full {
			floor = goalExact
		}
		check(t, ratio(ours.same, ceiling.same) >= floor, "same letter: got %d links, want %.2f of %d", ours.same, floor, ceiling.same)
		check(t, ratio(rightOurs, rightAll) >= floor, "best match: got %d links, want %.2f of %d", rightOurs, floor, rightAll)
		check(t, m.spun == 0 || ratio(rightOurs, rightLSH) >= goalLSH, "best match: got %d links, want %.1f times %d", rightOurs, goalLSH, rightLSH)
		check(t, ours.keys <= bands, "got %.1f keys a letter, want at most %d", ours.keys, bands)
		check(t, ours.wrong*200 <= ours.sure, "got %d wrong of %d pairs, want 0.5 %% at most", ours.wrong, ours.sure)
	}
}

// brute compares asked letters with all earlier ones and checks the ceiling by
// what it finds.
func brute(t *testing.T, p *post, c *text.Corpus, sums []text.Sums, ceiling *links, asked int) {
	t.Helper()
	m := text.NewComparer(c)
	n := len(p.letters)
	differ := 0
	took := timed(func() {
		for k := range asked {
			i := n/2 + k*(n/2)/asked
			m.Set(p.letters[i])
			best, strict := 0.0, false
			for id := range i {
				like := m.WithSums(p.letters[id], sums[id])
				best = max(best, like.Jaccard)
				strict = strict || like.SameLetter()
			}
			if strict != ceiling.strict[i] || math.Abs(best-ceiling.like[i]) > 1e-4 {
				differ++
			}
		}
	})
	t.Logf("brute force on %d letters: %d differ from the exact index; %.0f µs a letter", asked, differ, each(took, asked))
	check(t, differ == 0, "exact index: %d of %d letters differ from brute force", differ, asked)
}
