package bench

import (
	"sync"
	"testing"

	"bonafide/ring"
	"bonafide/signal/text"
)

// filed is a corpus that the benchmarks of one run share.
type filed struct {
	*post
	texts []string
	x     *text.Index
	c     *text.Corpus
	all   []text.Sums
}

var corpus = sync.OnceValue(func() *filed {
	n := 10_000
	if full {
		n = 100_000
	}
	f := &filed{}
	f.texts, _ = read(21, 2000, mix{planted: 0.05})
	f.post = newPost(21, n, mix{planted: 0.05})
	f.x, f.c, f.all, _ = fileSample(f.post)
	return f
})

func BenchmarkParseLetter(b *testing.B) {
	f := corpus()
	b.ReportAllocs()
	bytes := 0
	i := 0
	for b.Loop() {
		s := f.texts[i%len(f.texts)]
		text.ParseLetter(s)
		bytes += len(s)
		i++
	}
	b.SetBytes(int64(bytes / i))
}

func BenchmarkKeys(b *testing.B) {
	f := corpus()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		f.letters[i%len(f.letters)].Keys()
		i++
	}
}

func BenchmarkIndexAdd(b *testing.B) {
	f := corpus()
	n := len(f.keys)
	var x *text.Index
	i := 0
	for b.Loop() {
		if i%n == 0 {
			b.StopTimer()
			x = text.NewIndex(n, 0)
			b.StartTimer()
		}
		x.Add(f.keys[i%n])
		i++
	}
}

// BenchmarkCandidates asks for the newest tenth of the letters, as complaints
// that come in.
func BenchmarkCandidates(b *testing.B) {
	f := corpus()
	q := text.NewQuery(f.x)
	n := len(f.keys)
	i := 0
	for b.Loop() {
		at := n - 1 - i%(n/10)
		q.Candidates(f.keys[at], at, limit)
		i++
	}
}

func BenchmarkSet(b *testing.B) {
	f := corpus()
	m := text.NewComparer(f.c)
	i := 0
	for b.Loop() {
		m.Set(f.letters[i%len(f.letters)])
		i++
	}
}

// BenchmarkWithSums compares candidates, not strangers.
func BenchmarkWithSums(b *testing.B) {
	f := corpus()
	m := text.NewComparer(f.c)
	q := text.NewQuery(f.x)
	n := len(f.keys)
	i, done := n-1, 0
	var found []text.Candidate
	for b.Loop() {
		for done == len(found) {
			b.StopTimer()
			i = (i + n - 1) % n
			found = q.Candidates(f.keys[i], i, limit)
			m.Set(f.letters[i])
			done = 0
			b.StartTimer()
		}
		id := found[done].ID
		m.WithSums(f.letters[id], f.all[id])
		done++
	}
}

func BenchmarkProfile(b *testing.B) {
	f := corpus()
	bg := background(f.letters)
	i := 0
	for b.Loop() {
		bg.Profile(f.letters[i%len(f.letters)])
		i++
	}
}

func BenchmarkProfileAbove(b *testing.B) {
	f := corpus()
	p := background(f.letters).Profile(f.letters[0])
	i := 0
	for b.Loop() {
		p.Above(f.letters[i%len(f.letters)])
		i++
	}
}

// web is the graph that the benchmarks of one run share.
var web = sync.OnceValue(func() net { return planted(10_000, 100_000, 5).weighted() })

func perEdge(b *testing.B, g net) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(g.edges)), "ns/edge")
}

func BenchmarkUnion(b *testing.B) {
	g := web()
	for b.Loop() {
		components(g)
	}
	perEdge(b, g)
}

func BenchmarkNewGraph(b *testing.B) {
	g := web()
	for b.Loop() {
		ring.NewGraph(g.nodes, g.edges)
	}
	perEdge(b, g)
}

func BenchmarkPeel(b *testing.B) {
	g := web()
	h := ring.NewGraph(g.nodes, g.edges)
	for b.Loop() {
		ring.Peel(h)
	}
	perEdge(b, g)
}

func BenchmarkSplit(b *testing.B) {
	g := web()
	h := ring.NewGraph(g.nodes, g.edges)
	for b.Loop() {
		ring.Split(h, 1)
	}
	perEdge(b, g)
}

// background files the letters that stand for all of letters.
func background(letters []text.Letter) *text.Background {
	var drawn []text.Letter
	for _, i := range text.Draw(len(letters)) {
		drawn = append(drawn, letters[i])
	}
	return text.NewBackground(drawn)
}
