package synth

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestLettersPlantTemplates(t *testing.T) {
	const n = 20000
	sizes := map[int]int{}
	sentences := map[string]int{}
	ordinary, chars, planted := 0, 0, 0
	Letters(3, n, 0.2, func(_, template int, text string) {
		chars += utf8.RuneCountInString(text)
		if template >= 0 {
			sizes[template]++
			planted++
			return
		}
		for s := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '.' || r == '。' }) {
			if s = strings.TrimSpace(s); s != "" {
				ordinary++
				sentences[s]++
			}
		}
	})
	if share := float64(planted) / n; share < 0.18 || share > 0.22 {
		t.Errorf("got %.3f of letters in templates, want about 0.2", share)
	}
	for template, size := range sizes {
		if size < 5 || size > 50 {
			t.Errorf("template %d: got %d letters, want 5 to 50", template, size)
		}
	}
	if mean := chars / n; mean < 700 || mean > 1200 {
		t.Errorf("got %d characters a letter, want about 900", mean)
	}
	repeated := 0
	for _, k := range sentences {
		if k > 1 {
			repeated += k
		}
	}
	if share := float64(repeated) / float64(ordinary); share > 0.005 {
		t.Errorf("got %.4f of the sentences of ordinary letters repeated, want hardly any", share)
	}
}

func TestLettersAreTheSameForASeed(t *testing.T) {
	read := func() (all []string) {
		Letters(9, 300, 0.3, func(_, _ int, text string) { all = append(all, text) })
		return all
	}
	a, b := read(), read()
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("letter %d differs between two runs", i)
		}
	}
}

func BenchmarkLetters(b *testing.B) {
	b.ReportAllocs()
	bytes := 0
	Letters(1, b.N, 0.2, func(_, _ int, text string) { bytes += len(text) })
	b.SetBytes(int64(bytes / max(b.N, 1)))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "letters/s")
}
