package text

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"bonafide"
)

// words makes a letter of n words that mean nothing, each drawn from a large vocabulary.
func words(r *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		fmt.Fprintf(&b, "w%c%c%c ", 'a'+r.IntN(26), 'a'+r.IntN(26), 'a'+r.IntN(26))
	}
	return b.String()
}

// file files letters and learns from them, as a scan does.
func file(texts []string) ([]Letter, *Index, *Corpus) {
	letters := make([]Letter, len(texts))
	x := NewIndex(len(texts), 0)
	for i, s := range texts {
		letters[i] = ParseLetter(s)
		x.Add(letters[i].Keys())
	}
	c := NewCorpus(letters, 2, nil)
	c.LearnCommon(letters, x, 2, nil)
	return letters, x, c
}

func TestLetterSurvivesMailMergeAndOCR(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	body := words(r, 120)
	same := func(a, b string) bool { return (*Corpus)(nil).Likeness(ParseLetter(a), ParseLetter(b)).SameLetter() }
	for name, copied := range map[string]string{
		"other numbers": "On 3.4.2024 account 99812 paid $1,200. " + body,
		"redacted":      "XXXX XX/XX/2024 XXXX " + body,
		"upper case":    strings.ToUpper(body),
		"full width": strings.Map(func(r rune) rune {
			if r > ' ' && r < 0x7F {
				return r + 0xFEE0
			}
			return r
		}, body),
		"zero width":      strings.ReplaceAll(body, "w", "w\u200b"),
		"a lost sentence": body[:len(body)*3/4],
		"turned round":    body[len(body)/2:] + body[:len(body)/2],
		"smudged":         strings.ReplaceAll(body, "wa", "wo"),
	} {
		if !same(body, copied) {
			t.Errorf("%s: not seen as the same letter", name)
		}
	}
	if same(body, words(r, 120)) {
		t.Error("two strangers' letters were called the same")
	}
}

func TestChineseLetterBySharedRunes(t *testing.T) {
	a := "贵公司的催收人员在晚上十点以后反复拨打我家人的电话，并且威胁要到我单位闹事，我要求立即停止骚扰并书面道歉。"
	b := "贵公司的催收人员在晚上十一点之后反复拨打我父母的电话，并且威胁要到我单位闹事，我要求立即停止骚扰并赔礼道歉！"
	other := "去年十月我在网上申请了一笔贷款，合同里没有写明服务费，后来每个月多扣了三百元，请退还多收的费用。"
	var c *Corpus
	if !c.Likeness(ParseLetter(a), ParseLetter(b)).SameLetter() {
		t.Error("a copied letter was not seen")
	}
	if c.Likeness(ParseLetter(a), ParseLetter(other)).SameLetter() {
		t.Error("two strangers' letters were called the same")
	}
}

func TestQuotationIsNoLikeness(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	statute := words(r, 60)
	var texts []string
	for range 300 {
		texts = append(texts, words(r, 90))
	}
	for i := range 20 { // own stories around one long statute
		texts[i] = words(r, 50) + statute + words(r, 50)
	}
	letters, _, c := file(texts)
	common := 0
	for _, s := range ParseLetter(statute) {
		if c.IsCommon(s) {
			common++
		}
	}
	if common < 50 {
		t.Errorf("%d of 59 pairs of the statute were learned as common property", common)
	}
	for i := range 20 {
		for j := range i {
			if l := c.Likeness(letters[i], letters[j]); l.SameLetter() {
				t.Fatalf("stories %d and %d share a quotation and were called one letter: %+v", i, j, l)
			}
		}
	}
}

func TestOneLetterOfAllIsNoQuotation(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	body := words(r, 60)
	var texts []string
	for i := range 400 {
		texts = append(texts, fmt.Sprintf("My name is w%d. ", i)+body)
	}
	letters, x, c := file(texts)
	if !c.Likeness(letters[0], letters[399]).SameLetter() {
		t.Error("the only letter of a corpus is not seen as one")
	}
	// Every key is over its cap; the letter is found under them all the same.
	q := NewQuery(x)
	if found := q.Candidates(c.Own(letters[399].Keys()), 399, 8); len(found) == 0 {
		t.Error("the last copy meets none before it")
	}
}

func TestIndexFindsWhatSharesTwoKeys(t *testing.T) {
	x := NewIndex(10, 3)
	for i := range 10 {
		x.Add([]bonafide.Key{1, bonafide.Key(100 + i/2), bonafide.Key(200 + i/5)})
	}
	q := NewQuery(x)
	for name, tc := range map[string]struct {
		keys []bonafide.Key
		want []Candidate
	}{
		"rare keys, of which none is shared twice": {[]bonafide.Key{102, 103, 104, 1}, nil},
		"a rare key and one over its cap":          {[]bonafide.Key{102, 201, 1}, []Candidate{{ID: 5, Shared: 2}}},
		"nothing but keys over their cap":          {[]bonafide.Key{1, 200}, []Candidate{{0, 2}, {1, 2}, {2, 2}}},
	} {
		if got := q.Candidates(tc.keys, 10, 5); !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
	if got := q.Candidates([]bonafide.Key{1, 200}, 2, 1); !slices.Equal(got, []Candidate{{0, 2}}) {
		t.Errorf("got %v, want the first of those below 2", got)
	}
	if n := x.Count(1); n != 10 {
		t.Errorf("Count(1) = %d, want 10", n)
	}
	n := 0
	x.Postings(1, func(int) { n++ })
	if n != 3 || x.Len() != 10 {
		t.Errorf("%d postings kept of %d letters, want 3 of 10", n, x.Len())
	}
}

func TestProfileTellsAPlaybookFromATopic(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	topic := strings.Fields(words(r, 60)) // what everybody with the trouble writes
	play := strings.Fields(words(r, 25))  // what one hand adds
	letter := func(from ...[]string) string {
		var out []string
		for range 40 {
			for _, f := range from {
				i := r.IntN(len(f) - 3)
				out = append(out, f[i:i+3]...)
			}
			out = append(out, strings.Fields(words(r, 2))...)
		}
		return strings.Join(out, " ")
	}
	var texts []string
	for range 400 {
		texts = append(texts, letter(topic))
	}
	_, _, c := file(texts)
	var drawn []Letter
	for _, i := range Draw(len(texts)) {
		drawn = append(drawn, voice(c, texts[i]))
	}
	b := NewBackground(drawn)
	p := b.Profile(voice(c, letter(topic, play)))
	mate, stranger := p.Above(voice(c, letter(topic, play))), p.Above(voice(c, letter(topic)))
	if mate < 4 || stranger > 3 {
		t.Errorf("a mate stands %.1f and a stranger %.1f deviations above strangers on the topic", mate, stranger)
	}
}

func TestPublicLettersMatchTheirCopies(t *testing.T) {
	all, err := PublicLetters()
	if err != nil || len(all) < 3 {
		t.Fatal(len(all), err)
	}
	for _, p := range all {
		if !p.Matches(p.letter) {
			t.Errorf("%s does not match itself", p.Name)
		}
		if p.Matches(ParseLetter(words(rand.New(rand.NewPCG(5, 5)), 100))) {
			t.Errorf("%s matches a stranger's letter", p.Name)
		}
	}
	if _, err := ParsePublic("only a name"); err == nil {
		t.Error("a name without a letter was taken")
	}
}

func FuzzParseLetter(f *testing.F) {
	for _, s := range []string{"", "a", "I've been told", "您好，XXXX 12", "é\u0301\u200b", "\xff\xfe a b", "ΑΒΓ абв ١٢", "x x xx xxx"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ts := tokens(nil, s)
		at := 0
		for _, tk := range ts {
			if tk.start < at || tk.end <= tk.start || tk.end > len(s) {
				t.Fatalf("%q: token %d to %d after %d", s, tk.start, tk.end, at)
			}
			at = tk.end
		}
		l := ParseLetter(s)
		if k := l.Keys(); len(k) > maxKeys || len(k) > len(l) {
			t.Fatalf("%d keys of %d shingles", len(k), len(l))
		}
		var whole strings.Builder
		for _, sp := range (*Corpus)(nil).Align(s, s+" and more") {
			whole.WriteString(sp.Text)
		}
		if len(ts) < maxTokens && whole.String() != s {
			t.Fatalf("spans of %q join to %q", s, whole.String())
		}
		if sk := Skeleton(s, []string{s}, 200); len(sk) > 400+len(s) {
			t.Fatalf("skeleton of %d bytes", len(sk))
		}
	})
}

// voice is what the writer of s is judged by.
func voice(c *Corpus, s string) Letter { return c.Voice(ParseLetter(s), ParsePairs(s)) }

func TestVoiceIsMadeOfPairsInScriptsWithoutSpaces(t *testing.T) {
	var c *Corpus
	if got := ParsePairs("I was called at night, and again at noon."); got != nil {
		t.Errorf("pairs of a Latin text: %d, want none", len(got))
	}
	a, b := "半夜打电话催收", "半夜打电话威胁"
	both := 0
	for _, s := range voice(c, b) {
		if slices.Contains(voice(c, a), s) {
			both++
		}
	}
	if both != 4 { // 半夜 夜打 打电 电话
		t.Errorf("%d pairs of runes in common, want 4", both)
	}
}
