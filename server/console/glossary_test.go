package console

import (
	"regexp"
	"strings"
	"testing"

	"bonafide"
)

// The glossary says the same in each language: as many groups and words, each with a
// meaning of its own, and none left in English.
func TestGlossaryIsWholeInEachLanguage(t *testing.T) {
	words, err := readGlossary()
	if err != nil {
		t.Fatal(err)
	}
	en := words["en"]
	lines, terms := 0, 0
	for line := range strings.Lines(bonafide.Glossary) {
		if strings.HasPrefix(line, "- ") {
			lines++
		}
	}
	for _, c := range en {
		terms += len(c.Terms)
	}
	if terms != lines || terms < 110 {
		t.Errorf("%d words are read of %d lines", terms, lines)
	}
	banned := map[string]*regexp.Regexp{"zh": regexp.MustCompile(`团伙|待定|犯罪|嫌疑`), "pt": regexp.MustCompile(`(?i)\bquadrilha|\brecurso|\bredes\b`)}
	for _, l := range langs[1:] {
		got := words[l.column]
		if len(got) != len(en) {
			t.Fatalf("%s: %d groups, want %d", l.Tag, len(got), len(en))
		}
		seen := map[string]bool{}
		for i, c := range got {
			if c.Title == en[i].Title || c.Title == "" {
				t.Errorf("%s: the group %q is in English", l.Tag, c.Title)
			}
			if len(c.Terms) != len(en[i].Terms) {
				t.Errorf("%s: %q has %d words, want %d", l.Tag, c.Title, len(c.Terms), len(en[i].Terms))
				continue
			}
			for j, one := range c.Terms {
				base := en[i].Terms[j]
				if one.Means == base.Means || one.Means == "" || english.MatchString(strings.ReplaceAll(one.Means, "system:settle", "")) {
					t.Errorf("%s: %s (%s) means %q", l.Tag, one.Word, base.Word, one.Means)
				}
				if w := banned[l.column].FindString(one.Word + one.Means); w != "" {
					t.Errorf("%s: %s says %q", l.Tag, one.Word, w)
				}
				if seen[c.Title+one.Word] {
					t.Errorf("%s: %s stands twice in %s", l.Tag, one.Word, c.Title)
				}
				seen[c.Title+one.Word] = true
			}
		}
	}
	for _, c := range en {
		for _, one := range c.Terms {
			if strings.ContainsAny(one.Means, "`") || strings.Contains(one.Means, "**") {
				t.Errorf("%s: marks stand in %q", one.Word, one.Means)
			}
		}
	}
}
