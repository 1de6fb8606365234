package synth

import (
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Letters streams n letters for speed tests, half of them English and the rest
// Portuguese and Chinese, of about 1,000 characters (400 of Chinese). About the
// share inTemplates of them belong to planted templates of 5 to 50 letters that
// are spun and mail-merged; template numbers them from 0 and is -1 for ordinary
// letters. Templates are interleaved and none is cut off, so very few letters
// make none.
//
// An ordinary letter is words drawn one by one, and short runs of up to three
// from the phrase banks: never a whole sentence that another letter has.
func Letters(seed uint64, n int, inTemplates float64, yield func(id int, template int, text string)) {
	r := rand.New(rand.NewPCG(seed, 0x1e77))
	var langs []*lexicon
	for _, lang := range []string{"en", "en", "pt", "zh"} {
		langs = append(langs, loadLexicon(lang))
	}
	w := &scribe{r: r}
	var active []*template
	owed, made := 0, 0 // letters that active templates still need; templates so far
	budget := int(float64(n) * inTemplates)
	for id := range n {
		left := n - id
		planted := owed >= left || r.Float64() < inTemplates
		if planted && (len(active) < 64 || r.IntN(40) == 0) && owed < left {
			size := 5 + int(r.ExpFloat64()*9)
			if size = min(size, 50); owed+size <= left && size <= budget {
				budget -= size
				active = append(active, w.template(langs[r.IntN(len(langs))], made, size))
				made, owed = made+1, owed+size
			}
		}
		if !planted || len(active) == 0 {
			yield(id, -1, w.ordinary(langs[r.IntN(len(langs))]))
			continue
		}
		k := r.IntN(len(active))
		t := active[k]
		yield(id, t.number, w.spin(t))
		owed--
		if t.left--; t.left == 0 {
			active[k] = active[len(active)-1]
			active = active[:len(active)-1]
		}
	}
}

// tokens that are no word of a lexicon.
const (
	endSentence = iota
	number
	firstWord
)

// template is a planted letter and how its copies depart from it.
type template struct {
	lex    *lexicon
	tokens []uint32
	spun   uint16 // chance in 65,536 that a word is exchanged
	number int
	left   int
}

// scribe writes letters into one buffer.
type scribe struct {
	r     *rand.Rand
	bits  uint64
	have  int
	buf   []byte
	words []uint32
}

// short returns 16 random bits; one draw gives four.
func (w *scribe) short() uint16 {
	if w.have == 0 {
		w.bits, w.have = w.r.Uint64(), 4
	}
	x := uint16(w.bits)
	w.bits >>= 16
	w.have--
	return x
}

// draw fills w.words with a new letter.
func (w *scribe) draw(lex *lexicon) {
	w.words = w.words[:0]
	size := 600 + int(w.short()%800)
	if lex.han {
		size = size * 12 / 10 // bytes, at three a character
	}
	for got, sentence := 0, 8+int(w.short()%11); ; {
		token := lex.table[w.short()]
		if x := w.short(); x < 1500 {
			token = number
		}
		w.words = append(w.words, token)
		got += len(lex.words[token]) + 1
		if sentence--; sentence == 0 {
			w.words = append(w.words, endSentence)
			if got >= size {
				return
			}
			sentence = 8 + int(w.short()%11)
		}
	}
}

func (w *scribe) ordinary(lex *lexicon) string {
	w.draw(lex)
	return w.render(lex, w.words, 0)
}

func (w *scribe) template(lex *lexicon, number, size int) *template {
	w.draw(lex)
	return &template{lex: lex, tokens: append([]uint32(nil), w.words...), spun: uint16(600 + w.r.IntN(10000)), number: number, left: size}
}

func (w *scribe) spin(t *template) string { return w.render(t.lex, t.tokens, t.spun) }

// render writes tokens, exchanges words and leaves out sentences. Numbers are
// fresh in every letter.
func (w *scribe) render(lex *lexicon, tokens []uint32, spun uint16) string {
	w.buf = w.buf[:0]
	fresh, skip := true, false
	for _, token := range tokens {
		if token == endSentence {
			if !skip {
				w.buf = append(w.buf, lex.stop...)
			}
			fresh, skip = true, spun > 0 && w.short() < 3000
			continue
		}
		if skip {
			continue
		}
		if spun > 0 && w.short() < spun {
			token = lex.table[w.short()]
		}
		if !fresh && !lex.han {
			w.buf = append(w.buf, ' ')
		}
		if token == number {
			for d := 1 + w.short()%5; d > 0; d-- {
				w.buf = append(w.buf, '0'+byte(w.short()%10))
			}
			fresh = false
			continue
		}
		at := len(w.buf)
		w.buf = append(w.buf, lex.words[token]...)
		if c := w.buf[at]; fresh && c >= 'a' && c <= 'z' {
			w.buf[at] = c - 'a' + 'A'
		}
		fresh = false
	}
	return string(w.buf)
}

// A lexicon is the vocabulary of Letters in one language.
type lexicon struct {
	words []string
	table []uint32 // 65,536 tokens in proportion to their frequency
	stop  string
	han   bool
}

var lexicons sync.Map // language to func() *lexicon

func loadLexicon(lang string) *lexicon {
	load, _ := lexicons.LoadOrStore(lang, sync.OnceValue(func() *lexicon { return newLexicon(lang) }))
	return load.(func() *lexicon)()
}

// directives are what is not vocabulary in a bank: headings, remarks and slots.
var directives = regexp.MustCompile(`(?m)^[=+#].*$|<[^>]*>`)

// newLexicon gives half of all tokens to the words of the banks by their
// frequency there, a tenth to runs of two or three of them, and the rest to
// invented words by Zipf's law.
func newLexicon(lang string) *lexicon {
	const invented = 30000
	lex := &lexicon{words: make([]string, firstWord), stop: ". ", han: lang == "zh"}
	if lex.han {
		lex.stop = "。"
	}
	r := rand.New(rand.NewPCG(7, hashString(lang)))
	var weights []float64
	add := func(word string, weight float64) {
		lex.words = append(lex.words, word)
		weights = append(weights, weight)
	}
	single, runs := map[string]int{}, map[string]int{}
	var order []string // of first occurrence, so that the table is the same each time
	count := func(to map[string]int, word string) {
		if single[word]+runs[word] == 0 {
			order = append(order, word)
		}
		to[word]++
	}
	for _, style := range []Style{Dev, Held, Held2} {
		raw, err := banks.ReadFile("bank/" + string(style) + "." + lang + ".txt")
		if err != nil {
			panic("synth: " + err.Error())
		}
		text := directives.ReplaceAllString(string(raw), "|")
		for _, piece := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && r != ' ' && r != '\'' }) {
			words := strings.Fields(strings.ToLower(piece))
			if lex.han {
				words = hanWords(piece)
			}
			for i, word := range words {
				count(single, word)
				for n := 2; n <= 3 && i+n <= len(words); n++ {
					count(runs, strings.Join(words[i:i+n], map[bool]string{true: "", false: " "}[lex.han]))
				}
			}
		}
	}
	allSingle, allRuns := 0, 0
	for _, word := range order {
		allSingle += single[word]
		allRuns += runs[word]
	}
	for _, word := range order {
		add(word, 0.5*float64(single[word])/float64(allSingle)+0.1*float64(runs[word])/float64(allRuns))
	}
	sum := 0.0
	for i := range invented {
		sum += 1 / math.Pow(float64(i+5), 0.9)
	}
	for i := range invented {
		word := syllables(r, 1+r.IntN(3))
		if lex.han {
			word = inventedHan(r)
		}
		add(word, 0.4/math.Pow(float64(i+5), 0.9)/sum)
	}
	lex.fillTable(r, weights)
	return lex
}

// fillTable deals the 65,536 places by cumulative weight from a random start.
func (lex *lexicon) fillTable(r *rand.Rand, weights []float64) {
	total := 0.0
	for _, x := range weights {
		total += x
	}
	lex.table = make([]uint32, 1<<16)
	step, at, have := total/float64(len(lex.table)), 0, 0.0
	next := step * r.Float64()
	for i := range lex.table {
		for at+1 < len(weights) && have+weights[at] < next {
			have += weights[at]
			at++
		}
		lex.table[i] = uint32(firstWord + at)
		next += step
	}
}

// hanWords cuts Chinese into pieces of one or two characters.
func hanWords(s string) []string {
	var out []string
	runes := []rune(strings.ReplaceAll(s, " ", ""))
	for i := 0; i < len(runes); i += 2 {
		out = append(out, string(runes[i:min(i+2, len(runes))]))
	}
	return out
}

// inventedHan makes a word of two characters of the common block.
func inventedHan(r *rand.Rand) string {
	var b []byte
	for range 2 {
		b = utf8.AppendRune(b, rune(0x4e00+r.IntN(3500)))
	}
	return string(b)
}
