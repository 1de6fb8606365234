package text

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"bonafide"
)

//go:embed public/*.txt
var publicFiles embed.FS

// Public is a letter that anybody may copy: a regulator's sample, a consumer
// council's form. Sending it is advice followed, and says nothing about agents.
type Public struct {
	Name   string
	letter Letter
}

// ParsePublic reads a registered letter: its name on the first line, then the text.
func ParsePublic(file string) (Public, error) {
	name, body, ok := strings.Cut(strings.TrimSpace(file), "\n")
	p := Public{Name: strings.TrimSpace(name), letter: ParseLetter(body)}
	if !ok || p.Name == "" || len(p.letter) < 8 {
		return p, &bonafide.Error{Kind: bonafide.Invalid, Msg: "a public letter is its name on the first line and at least eight words after it"}
	}
	return p, nil
}

// PublicLetters returns the built-in registry.
func PublicLetters() ([]Public, error) {
	files, err := fs.Glob(publicFiles, "public/*.txt")
	if err != nil {
		return nil, fmt.Errorf("list public letters: %w", err)
	}
	var out []Public
	for _, f := range files {
		body, err := publicFiles.ReadFile(f)
		if err != nil {
			return nil, fmt.Errorf("read public letter: %w", err)
		}
		p, err := ParsePublic(string(body))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		out = append(out, p)
	}
	return out, nil
}

// publicShare is how much of a letter's wording a registered letter must cover
// for the letter to count as a copy of it.
const publicShare = 0.5

// Matches reports whether l is a copy of p with its blanks filled in: half of l
// stands in p, or l holds nearly all of p.
func (p Public) Matches(l Letter) bool {
	if len(l) == 0 {
		return false
	}
	m := NewComparer(nil)
	m.Set(p.letter)
	like := m.With(l)
	return float64(like.Words) >= publicShare*float64(like.OwnB) && like.Words >= 8 ||
		float64(like.Words) >= 0.8*float64(like.OwnA)
}
