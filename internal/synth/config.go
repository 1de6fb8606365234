package synth

import (
	"math/rand/v2"

	"bonafide"
)

// A Style names one of the independent generators. Styles share machinery but
// no phrase, and differ in how letters are built and how rings share things.
type Style string

// The styles. Tuning may look at Dev only.
const (
	Dev   Style = "dev"
	Held  Style = "held"
	Held2 Style = "held2"
)

// Config says which world to make. Equal Configs make equal worlds.
type Config struct {
	Seed  uint64
	Size  int     // complaints wanted, at least 200; 0 means 5000
	Lang  string  // "en", "zh" or "pt"; "" lets the seed choose
	Style Style   // "" means Dev
	Ease  float64 // 0 hard … 1 easy: one letter and the same plain identifiers throughout a ring
	// AgentShare is the share of complaints that agents made; 0 lets the seed
	// choose from 0.12 to 0.25.
	AgentShare float64
}

// World is a set of complaints in order of arrival, with the truth about each.
type World struct {
	Complaints []bonafide.Complaint
	Truth      Truth
}

// langs are the languages that every style has a phrase bank for.
var langs = []string{"en", "zh", "pt"}

// complete returns c with defaults chosen from the seed.
func (c Config) complete() Config {
	r := rand.New(rand.NewPCG(c.Seed, 0xc0f1))
	lang, share := langs[r.IntN(len(langs))], 0.12+0.13*r.Float64()
	if c.Size == 0 {
		c.Size = 5000
	}
	c.Size = max(c.Size, 200)
	if c.Lang == "" {
		c.Lang = lang
	}
	if c.Style == "" {
		c.Style = Dev
	}
	c.Ease = min(max(c.Ease, 0), 1)
	if c.AgentShare <= 0 {
		c.AgentShare = share
	}
	c.AgentShare = min(c.AgentShare, 0.6)
	return c
}
