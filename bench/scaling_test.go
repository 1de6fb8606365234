package bench

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"bonafide"
	"bonafide/internal/synth"
	"bonafide/ring"
	"bonafide/signal/text"
)

// TestScaling runs the stages of letters as a scan does, at growing sizes: the
// time of one letter must stay nearly the same.
func TestScaling(t *testing.T) {
	sizes := []int{1000, 4000}
	if full {
		sizes = []int{10_000, 100_000}
	}
	if huge {
		sizes = append(sizes, 1_000_000)
	}
	var out table
	out.row("letters\textract\tfile\tcount\tlearn\tweigh\tcompare\tµs a letter\tletters/s\ta core\tcandidates\tlinked\tB letter\tB keys\tB index\tB corpus")
	var first time.Duration
	for _, n := range sizes {
		s := stages(n)
		all := s.extract + s.filing + s.learn + s.weigh + s.compare
		out.row("%d\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.1f\t%.0f\t%.0f\t%.1f\t%.1f %%\t%d\t%d\t%d\t%d", n,
			each(s.extract, n), each(s.file, n), each(s.count, n), each(s.learn, n), each(s.weigh, n), each(s.compare, n),
			each(all, n), float64(n)/all.Seconds(), float64(n)/all.Seconds()/workers,
			float64(s.candidates)/float64(n), 100*float64(s.linked)/float64(n),
			s.letterBytes/uint64(n), s.keyBytes/uint64(n), s.indexBytes/uint64(n), s.corpusBytes/uint64(n))
		check(t, s.linked >= n/50, "%d letters: got %d linked, want most of 5 %%", n, s.linked)
		if first == 0 {
			first = all / time.Duration(n)
		}
		check(t, !full || all/time.Duration(n) < 6*first, "%d letters: %v a letter, %v at the smallest size", n, all/time.Duration(n), first)
	}
	out.row("µs of wall clock a letter, %d goroutines; file and count run side by side, one goroutine each", workers)
	out.log(t)
}

// stage is what a run of the stages took and keeps.
type stage struct {
	extract, file, count, learn, weigh, compare time.Duration
	filing                                      time.Duration // file and count side by side

	letterBytes, keyBytes, indexBytes, corpusBytes uint64

	candidates, linked int
}

// stages runs n letters, a twentieth of them in templates, through what the
// pipeline does. Texts are made batch by batch and not kept; making them is not
// counted.
func stages(n int) stage {
	var s stage
	const batch = 4096
	letters, keys := make([]text.Letter, 0, n), make([][]bonafide.Key, 0, n)
	var texts []string
	reduce := func() {
		at := len(letters)
		letters, keys = letters[:at+len(texts)], keys[:at+len(texts)]
		s.extract += timed(func() {
			both(len(texts), func(lo, hi int) {
				for i := lo; i < hi; i++ {
					letters[at+i] = text.ParseLetter(texts[i])
					keys[at+i] = letters[at+i].Keys()
				}
			})
		})
		texts = texts[:0]
	}
	synth.Letters(7, 100, 0, func(int, int, string) {}) // loads its vocabulary
	before := heap()
	synth.Letters(7, n, 0.05, func(_, _ int, one string) {
		if texts = append(texts, one); len(texts) == batch {
			reduce()
		}
	})
	reduce()
	texts = nil
	for _, k := range keys {
		s.keyBytes += 24 + 8*uint64(cap(k))
	}
	now := heap()
	s.letterBytes = now - before - s.keyBytes

	var x *text.Index
	s.file = timed(func() {
		x = text.NewIndex(n, 0)
		for _, k := range keys {
			x.Add(k)
		}
	})
	before, now = now, heap()
	s.indexBytes = now - before
	var c *text.Corpus
	s.count = timed(func() { c = text.NewCorpus(letters, workers-1, nil) })
	before, now = now, heap()
	s.corpusBytes = now - before
	c, x = nil, nil
	s.filing = timed(func() {
		var wg sync.WaitGroup
		wg.Go(func() { c = text.NewCorpus(letters, workers-1, nil) })
		x = text.NewIndex(n, 0)
		for _, k := range keys {
			x.Add(k)
		}
		wg.Wait()
	})
	s.learn = timed(func() { c.LearnCommon(letters, x, workers, nil) })
	sums := make([]text.Sums, n)
	s.weigh = timed(func() {
		both(n, func(lo, hi int) {
			m := text.NewComparer(c)
			for i := lo; i < hi; i++ {
				m.Set(letters[i])
				sums[i] = m.Sums()
			}
		})
	})
	union := ring.NewUnion(n)
	var queries sync.Pool
	queries.New = func() any { return text.NewQuery(x) }
	var mu sync.Mutex
	s.compare = timed(func() {
		both(n, func(lo, hi int) {
			q := queries.Get().(*text.Query)
			defer queries.Put(q)
			m := text.NewComparer(c)
			met := 0
			var pairs [][2]int32
			for i := lo; i < hi; i++ {
				found := q.Candidates(keys[i], i, limit)
				if len(found) == 0 {
					continue
				}
				met += len(found)
				m.Set(letters[i])
				for _, f := range found {
					if m.WithSums(letters[f.ID], sums[f.ID]).SameLetter() {
						pairs = append(pairs, [2]int32{int32(i), int32(f.ID)})
					}
				}
			}
			mu.Lock()
			defer mu.Unlock()
			s.candidates += met
			for _, p := range pairs {
				union.Join(p[0], p[1])
			}
		})
	})
	for _, set := range union.Sets(2) {
		s.linked += len(set)
	}
	runtime.KeepAlive(letters)
	runtime.KeepAlive(keys)
	return s
}
