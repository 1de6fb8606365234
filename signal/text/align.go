package text

import (
	"strings"
	"unicode/utf8"

	"bonafide"
)

// Align cuts letter a into the passages it shares with b, those only it has,
// and those that are common property. c may be nil.
func (c *Corpus) Align(a, b string) []bonafide.Span {
	ts := tokens(nil, a)
	if len(ts) > maxTokens {
		ts = ts[:maxTokens]
	}
	sa := shingles(ts)
	in := make(map[uint32]struct{}, len(b)/5)
	for _, s := range ParseLetter(b) {
		in[s] = struct{}{}
	}
	kinds := make([]bonafide.SpanKind, len(ts))
	for i := range kinds {
		kinds[i] = bonafide.SpanOwn
	}
	for i, s := range sa {
		if _, ok := in[s]; !ok {
			continue
		}
		k := bonafide.SpanShared
		if c.IsCommon(s) {
			k = bonafide.SpanCommon
		}
		for j := i; j < min(i+width(ts[i]), len(ts)); j++ {
			if kinds[j] == bonafide.SpanOwn || k == bonafide.SpanShared {
				kinds[j] = k
			}
		}
	}
	return cut(a, ts, kinds)
}

// width is how many words the shingle that starts with t spans.
func width(t token) int {
	if t.rune3 {
		return 3
	}
	return 2
}

// cut joins neighbouring words of one kind. What stands between two words goes
// with the first, except that a number or a redaction is always the writer's own.
func cut(s string, ts []token, kinds []bonafide.SpanKind) []bonafide.Span {
	var spans []bonafide.Span
	from, end := 0, 0 // of the last span
	put := func(k bonafide.SpanKind, to int) {
		switch n := len(spans); {
		case to == end:
			return
		case n > 0 && spans[n-1].Kind == k:
			spans[n-1].Text = s[from:to]
		default:
			from = end
			spans = append(spans, bonafide.Span{Kind: k, Text: s[from:to]})
		}
		end = to
	}
	last := bonafide.SpanOwn
	for i, t := range ts {
		if hasSlot(s[end:t.start]) {
			put(bonafide.SpanOwn, t.start)
		} else {
			put(last, t.start)
		}
		put(kinds[i], t.end)
		last = kinds[i]
	}
	put(bonafide.SpanOwn, len(s))
	return spans
}

// hasSlot reports whether the text between two words held a number or a
// redaction, which tokens passed over.
func hasSlot(s string) bool {
	for _, r := range s {
		if classOf(r) == classWord {
			return true
		}
	}
	return false
}

// skeletonShare is the share of the members that must have a word for it to
// belong to the skeleton.
const skeletonShare = 0.6

// Skeleton returns the words that most of others have in common with model,
// in the order of model, with ‹…› where letters differ and ‹number› where
// model has a number. limit bounds its length in bytes.
func Skeleton(model string, others []string, limit int) string {
	ts := tokens(nil, model)
	if len(ts) > maxTokens {
		ts = ts[:maxTokens]
	}
	sh := shingles(ts)
	votes := make([]int, len(ts))
	covered := make([]bool, len(ts))
	for _, o := range others {
		in := make(map[uint32]struct{}, len(o)/5)
		for _, s := range ParseLetter(o) {
			in[s] = struct{}{}
		}
		clear(covered)
		for i, s := range sh {
			if _, ok := in[s]; ok {
				for j := i; j < min(i+width(ts[i]), len(ts)); j++ {
					covered[j] = true
				}
			}
		}
		for i, ok := range covered {
			if ok {
				votes[i]++
			}
		}
	}
	var out strings.Builder
	open := false // a slot was just written
	slot := func(text string) {
		if !open {
			out.WriteString(text)
		}
		open = true
	}
	at := 0
	for i, t := range ts {
		if out.Len() > limit {
			slot("‹…›")
			return out.String()
		}
		between := model[at:t.start]
		kept := float64(votes[i]) >= skeletonShare*float64(len(others))
		switch {
		case hasSlot(between):
			lead := leading(between)
			if !open {
				out.WriteString(lead)
			}
			slot("‹number›")
			if kept {
				out.WriteString(trailing(between))
			}
		case kept || !open:
			out.WriteString(squeeze(between))
		}
		if kept {
			out.WriteString(model[t.start:t.end])
			open = false
		} else {
			slot("‹…›")
		}
		at = t.end
	}
	if rest := model[at:]; !hasSlot(rest) && !open {
		out.WriteString(strings.TrimRight(rest, " \n\t\r"))
	}
	return strings.TrimSpace(out.String())
}

// squeeze makes one space or line break of any white space.
func squeeze(s string) string {
	if strings.TrimSpace(s) != "" || s == "" {
		return s
	}
	if strings.Contains(s, "\n") {
		return "\n"
	}
	return " "
}

// leading returns what stands before the first slot in s, and trailing what
// stands after the last.
func leading(s string) string {
	for i, r := range s {
		if classOf(r) == classWord {
			return s[:i]
		}
	}
	return s
}

func trailing(s string) string {
	end := len(s)
	for end > 0 {
		r, n := utf8.DecodeLastRuneInString(s[:end])
		if classOf(r) == classWord {
			break
		}
		end -= n
	}
	return s[end:]
}
