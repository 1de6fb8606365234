package bench

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"bonafide"
	"bonafide/internal/synth"
	"bonafide/signal/text"
)

// A post is one corpus with its truth.
type post struct {
	letters  []text.Letter
	keys     [][]bonafide.Key
	template []int // the planted template of each letter, -1 for an ordinary one
}

// A mix says what a post is made of.
type mix struct {
	planted float64 // share of the letters in templates
	quoting float64 // share of all letters, planted or not, that quote a passage
	// spun is the most words that a template has exchanged in each copy, as a
	// share, on top of what synth exchanges. Without it nearly all copies are alike
	// enough for any method to meet them.
	spun float64
}

// passages is how many quotations the letters of a mix draw from: enough that
// each is quoted by a few per cent of the letters that quote.
const passages = 12

// read makes n letters.
func read(seed uint64, n int, m mix) (texts []string, template []int) {
	latin, han := quotations(seed)
	r := rand.New(rand.NewPCG(seed, 0xbe7c))
	spare := map[bool][]string{} // words to exchange, by script
	synth.Letters(seed^0x5a5a0000, 2000, 0, func(_, _ int, s string) {
		spare[isHan(s)] = append(spare[isHan(s)], words(s)...)
	})
	synth.Letters(seed, n, m.planted, func(_, number int, s string) {
		if number >= 0 && m.spun > 0 {
			rate := m.spun * rand.New(rand.NewPCG(seed, uint64(number))).Float64()
			s = exchange(r, s, rate, spare[isHan(s)])
		}
		if r.Float64() < m.quoting {
			from := latin
			if isHan(s) {
				from = han
			}
			if q := from[r.IntN(len(from))]; r.IntN(2) == 0 {
				s = q + " " + s
			} else {
				s += " " + q
			}
		}
		texts, template = append(texts, s), append(template, number)
	})
	return texts, template
}

// exchange puts a spare word in place of each with chance rate.
func exchange(r *rand.Rand, s string, rate float64, spare []string) string {
	ws := words(s)
	for i := range ws {
		if r.Float64() < rate {
			ws[i] = spare[r.IntN(len(spare))]
		}
	}
	if isHan(s) {
		return strings.Join(ws, "")
	}
	return strings.Join(ws, " ")
}

// words cuts s at spaces, or into pieces of two characters.
func words(s string) []string {
	if !isHan(s) {
		return strings.Fields(s)
	}
	var out []string
	for pair := range slices.Chunk([]rune(s), 2) {
		out = append(out, string(pair))
	}
	return out
}

// quotations cuts passages of 30 to 100 words, or 60 to 200 Chinese characters,
// from letters of a seed that no post uses, so that nothing else is shared.
func quotations(seed uint64) (latin, han []string) {
	r := rand.New(rand.NewPCG(seed, 0x9007e))
	synth.Letters(seed^0xfeed0000, 40*passages, 0, func(_, _ int, s string) {
		if isHan(s) {
			runes := []rune(s)
			if len(han) < passages {
				han = append(han, string(runes[:min(len(runes), 60+r.IntN(140))]))
			}
			return
		}
		if ws := words(s); len(latin) < passages {
			latin = append(latin, strings.Join(ws[:min(len(ws), 30+r.IntN(70))], " "))
		}
	})
	return latin, han
}

func isHan(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return r >= 0x3000
}

// newPost reads and reduces n letters.
func newPost(seed uint64, n int, m mix) *post {
	texts, template := read(seed, n, m)
	p := &post{letters: make([]text.Letter, n), keys: make([][]bonafide.Key, n), template: template}
	both(n, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			p.letters[i] = text.ParseLetter(texts[i])
			p.keys[i] = p.letters[i].Keys()
		}
	})
	return p
}

// weigh learns the corpus of p and the sums of its letters.
func (p *post) weigh(x *text.Index) (*text.Corpus, []text.Sums) {
	c := text.NewCorpus(p.letters, workers, nil)
	c.LearnCommon(p.letters, x, workers, nil)
	return c, p.sums(c)
}

func (p *post) sums(c *text.Corpus) []text.Sums {
	sums := make([]text.Sums, len(p.letters))
	both(len(sums), func(lo, hi int) {
		m := text.NewComparer(c)
		for i := lo; i < hi; i++ {
			m.Set(p.letters[i])
			sums[i] = m.Sums()
		}
	})
	return sums
}

// due tells for each letter whether an earlier one has its template.
func (p *post) due() []bool {
	met := map[int]bool{}
	due := make([]bool, len(p.template))
	for i, t := range p.template {
		due[i] = t >= 0 && met[t]
		met[t] = true
	}
	return due
}

// workers is how many goroutines the pipeline's stages get here.
const workers = 2

// both runs work on chunks of 0..n in workers goroutines and waits.
func both(n int, work func(lo, hi int)) {
	const chunk = 512
	var wg sync.WaitGroup
	next := make(chan int, n/chunk+1)
	for lo := 0; lo < n; lo += chunk {
		next <- lo
	}
	close(next)
	for range workers {
		wg.Go(func() {
			for lo := range next {
				work(lo, min(n, lo+chunk))
			}
		})
	}
	wg.Wait()
}
