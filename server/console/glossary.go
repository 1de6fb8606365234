package console

import (
	"embed"
	"fmt"
	"strings"

	"bonafide"
)

//go:embed glossary/*.md
var glossaryFiles embed.FS

// A chapter is one group of words.
type chapter struct {
	Title string
	Terms []term
}

type term struct{ Word, Means string }

// readGlossary reads what each word means, by the column of a language.
func readGlossary() (map[string][]chapter, error) {
	out := map[string][]chapter{"en": parseGlossary(bonafide.Glossary)}
	for _, l := range langs[1:] {
		b, err := glossaryFiles.ReadFile("glossary/" + l.Tag + ".md")
		if err != nil {
			return nil, fmt.Errorf("glossary: %w", err)
		}
		out[l.column] = parseGlossary(string(b))
	}
	return out, nil
}

// plain takes the marks of Markdown out of what a word means.
var plain = strings.NewReplacer("`", "", "*", "")

// parseGlossary reads "## group" and "- **word** — what it means".
func parseGlossary(s string) []chapter {
	var out []chapter
	for line := range strings.Lines(s) {
		line = strings.TrimSpace(line)
		if title, ok := strings.CutPrefix(line, "## "); ok {
			out = append(out, chapter{Title: title})
			continue
		}
		if word, means, ok := strings.Cut(strings.TrimPrefix(line, "- **"), "** — "); ok && len(out) > 0 {
			c := &out[len(out)-1]
			c.Terms = append(c.Terms, term{word, plain.Replace(means)})
		}
	}
	return out
}
