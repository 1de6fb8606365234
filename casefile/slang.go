package casefile

import "strings"

// A Term is a code word of the trade.
type Term struct {
	Term    string `toml:"term"`
	Meaning Text   `toml:"meaning"`
}

// Slang lists the code words that stand in a text, in the order of the glossary. They are
// explained to whoever reads the evidence, and say nothing about who wrote it.
func Slang(text string) []Term {
	low := strings.ToLower(text)
	var out []Term
	for _, t := range book().Slang {
		if strings.Contains(low, strings.ToLower(t.Term)) {
			out = append(out, t)
		}
	}
	return out
}
