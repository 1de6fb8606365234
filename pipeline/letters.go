package pipeline

import (
	"context"
	"sync"

	"bonafide/ring"
	"bonafide/signal/text"
)

// letters is what the comparison of all letters found.
type letters struct {
	corpus    *text.Corpus
	index     *text.Index
	sums      []text.Sums
	groups    [][]int32 // templates: complaints that share a letter, by first member
	of        []int32   // the group of each complaint, -1 if none
	neighbors int       // pairs that share a letter
}

// candidates bounds how many earlier letters each one is compared with, those
// that share most sampled shingles first.
const candidates = 32

// compareLetters finds the letters that several complaints share.
func (s *Scanner) compareLetters(ctx context.Context) (*letters, error) {
	n := len(s.all)
	all := make([]text.Letter, n)
	for i, sub := range s.all {
		all[i] = sub.letter
	}
	// Filing is serial, counting is not bound by it: one core each.
	s.cfg.Progress("filing letters", 0, n)
	index := text.NewIndex(n, 0)
	out := &letters{index: index, sums: make([]text.Sums, n), of: make([]int32, n)}
	var wg sync.WaitGroup
	if s.part != nil {
		out.corpus = s.part.corpus
	} else {
		wg.Go(func() { out.corpus = text.NewCorpus(all, max(1, s.cfg.Workers-1), s.cfg.Pause) })
	}
	if s.cfg.Workers == 1 {
		wg.Wait()
	}
	for i, sub := range s.all {
		if i%128 == 0 {
			s.pause()
		}
		index.Add(sub.filed())
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.part == nil {
		s.cfg.Progress("learning common passages", 0, n)
		out.corpus.LearnCommon(all, index, s.cfg.Workers, s.cfg.Pause)
	}

	err := s.fan(ctx, "weighing letters", n, func(lo, hi int) error {
		m := text.NewComparer(out.corpus)
		for i := lo; i < hi; i++ {
			m.Set(all[i])
			out.sums[i] = m.Sums()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	union := ring.NewUnion(n)
	var queries sync.Pool
	queries.New = func() any { return text.NewQuery(index) }
	err = s.fan(ctx, "comparing letters", n, func(lo, hi int) error {
		q := queries.Get().(*text.Query)
		defer queries.Put(q)
		m := text.NewComparer(out.corpus)
		var pairs [][2]int32
		for i := lo; i < hi; i++ {
			found := q.Candidates(out.corpus.Own(s.all[i].filed()), i, candidates)
			if len(found) == 0 {
				continue
			}
			m.Set(all[i])
			for _, c := range found {
				if m.WithSums(all[c.ID], out.sums[c.ID]).SameLetter() {
					pairs = append(pairs, [2]int32{int32(i), int32(c.ID)})
				}
			}
		}
		mu.Lock()
		defer mu.Unlock()
		out.neighbors += len(pairs)
		for _, p := range pairs {
			union.Join(p[0], p[1])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range out.of {
		out.of[i] = -1
	}
	for _, g := range union.Sets(2) {
		for _, i := range g {
			out.of[i] = int32(len(out.groups))
		}
		out.groups = append(out.groups, g)
	}
	return out, nil
}
