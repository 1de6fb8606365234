package text

import "bonafide"

// A Mark is a passage of a letter and in how many other letters it stands.
type Mark struct {
	Kind    bonafide.SpanKind
	Letters int // of those laid beside it; 0 for what only this letter has
	Text    string
}

// Marks cuts letter a into passages by how many of others hold each, and says which
// are common property. c may be nil.
func (c *Corpus) Marks(a string, others []string) []Mark {
	ts := tokens(nil, a)
	if len(ts) > maxTokens {
		ts = ts[:maxTokens]
	}
	sa := shingles(ts)
	votes := make([]int, len(ts))
	kinds := make([]bonafide.SpanKind, len(ts))
	for i := range kinds {
		kinds[i] = bonafide.SpanOwn
	}
	covered := make([]bool, len(ts))
	for _, o := range others {
		in := make(map[uint32]struct{}, len(o)/5)
		for _, s := range ParseLetter(o) {
			in[s] = struct{}{}
		}
		clear(covered)
		for i, s := range sa {
			if _, ok := in[s]; !ok {
				continue
			}
			k := bonafide.SpanShared
			if c.IsCommon(s) {
				k = bonafide.SpanCommon
			}
			for j := i; j < min(i+width(ts[i]), len(ts)); j++ {
				covered[j] = true
				if kinds[j] == bonafide.SpanOwn || k == bonafide.SpanShared {
					kinds[j] = k
				}
			}
		}
		for i, ok := range covered {
			if ok {
				votes[i]++
			}
		}
	}
	var out []Mark
	end := 0
	for _, s := range cut(a, ts, kinds) {
		m := Mark{Kind: s.Kind, Text: s.Text}
		end += len(s.Text)
		if s.Kind != bonafide.SpanOwn {
			for i, t := range ts {
				if t.start >= end-len(s.Text) && t.end <= end {
					m.Letters = max(m.Letters, votes[i])
				}
			}
		}
		out = append(out, m)
	}
	return out
}
