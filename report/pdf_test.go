package report

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// everyBlock is a document that holds a text in every place a block has.
func everyBlock(s, lang string, wide bool) *document {
	return &document{
		Lang: lang, Title: s, Mark: s, Maker: s, Wide: wide,
		Blocks: []block{
			titleBlock{s, s},
			headingBlock{3, s},
			headingBlock{1, s},
			headingBlock{2, s},
			headingBlock{3, s},
			paraBlock{Text: s},
			paraBlock{Text: s, Small: true},
			paraBlock{Text: s, Boxed: true},
			factsBlock{{s, s}, {"", ""}},
			tableBlock{Heads: []string{s, s}, Widths: []float64{1, 3}, Right: []int{1}, Rows: [][]string{{s, s}, {s}, nil, {s, s, s}}, Strong: map[int]bool{0: true}},
			tableBlock{},
			listBlock{s, s},
			spaceBlock(5),
			pageBlock{},
			drawingBlock{Height: 40, Caption: s, Lines: [][4]float64{{0, 0, 10, 10}}, Boxes: []drawnBox{{X: 1, Y: 1, W: 20, H: 10, Text: s}}, Dots: []drawnDot{{5, 5, s}}},
			signBlock{s, s, s, s, s},
		},
	}
}

func TestNothingWrittenStopsThePDF(t *testing.T) {
	texts := append([]string{strings.Repeat("一二三四五，六七八九十。abc def\n", 30_000), strings.Repeat("w", 1<<20)}, hostileTexts...)
	for i, s := range texts {
		b, err := everyBlock(s, []string{"zh", "en", "pt"}[i%3], i%2 == 0).pdf()
		soundPDF(t, b, err)
	}
}

// TestEveryAssignedSignIsSetOrEscaped writes every assigned rune, in runs of a block.
func TestEveryAssignedSignIsSetOrEscaped(t *testing.T) {
	face, err := loadFace()
	if err != nil {
		t.Fatal(err)
	}
	assigned := append([]*unicode.RangeTable{}, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z, unicode.C, unicode.Co, unicode.Cs)
	d := &document{Lang: "en"}
	var run strings.Builder
	n := 0
	flush := func() {
		if s := string(face.gate(run.String(), mostPara, "en")); !utf8.ValidString(s) {
			t.Errorf("the gate lets through what is no UTF-8: %q", s)
		}
		d.Blocks = append(d.Blocks, paraBlock{Text: run.String()})
		run.Reset()
	}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if r >= 0x40000 && r < 0xE0000 || r >= 0xF0100 && r < 0x10FF00 {
			continue // nothing, or private: alike
		}
		if unicode.In(r, assigned...) {
			if run.WriteRune(r); n%256 == 255 {
				flush()
			}
			n++
		}
	}
	flush()
	b, err := d.pdf()
	soundPDF(t, b, err)
	if n < 140_000 {
		t.Errorf("only %d signs were tried", n)
	}
}

func TestGate(t *testing.T) {
	face, err := loadFace()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ in, want string }{
		{"plain 投诉", "plain 投诉"},
		{"a😀b", "a〔U+1F600〕b"},
		{"😀👍", "〔U+1F600 U+1F44D〕"},
		{"\u202eab\u200f", "ab"},
		{"x\xffy", "x\uFFFDy"},
		{"a\tb\u00a0c", "a b c"},
		{"e\u0301", "é"},
		{"אב", "〔U+05D0 U+05D1〕"},
		{"a\n\n\n\n\nb", "a\n\nb"},
		{"\x00\x07a", "a"},
		{"㐀𠮷", "〔U+3400 U+20BB7〕"},
	} {
		if got := string(face.gate(c.in, 1000, "en")); got != c.want && !(strings.Contains(c.want, "\uFFFD") && got == "x?y") {
			t.Errorf("gate(%q): got %q, want %q", c.in, got, c.want)
		}
	}
	if got, want := string(face.gate(strings.Repeat("投", 50), 10, "zh")), strings.Repeat("投", 10)+"……（另有 40 个字符，见原件）"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := string(face.gate(strings.Repeat("😀", 1000), 80, "en")); utf8.RuneCountInString(got) > 400 || !strings.Contains(got, "more characters") {
		t.Errorf("escapes are not bounded: %q", got)
	}
}

func TestNoLineIsWiderThanItsRoom(t *testing.T) {
	face, err := loadFace()
	if err != nil {
		t.Fatal(err)
	}
	texts := append([]string{"投诉人要求（退还利息），并表示：“不还就曝光”。 Then an English sentence, with-hyphens and 2026-05-01 dates.", "a  b   c"}, hostileTexts...)
	for _, s := range texts {
		g := face.gate(s, 20_000, "en")
		for _, room := range []float64{10, 30, 170} {
			lines := face.wrap(g, 10, room)
			for _, l := range lines {
				if w := float64(face.width(l)) * 10 * mm / 1000; w > room && utf8.RuneCountInString(l) > 1 {
					t.Errorf("a line of %.1f mm where %.1f are: %q", w, room, l)
				}
				if room > 10 && len(l) > 0 && strings.HasPrefix(l, "，") {
					t.Errorf("a line begins with a comma: %q", l)
				}
			}
			bare := func(s string) string { return strings.Join(strings.Fields(s), "") }
			if got, want := bare(strings.Join(lines, "")), bare(string(g)); got != want {
				t.Errorf("wrapping changes the text: got %.80q, want %.80q", got, want)
			}
		}
	}
}

func TestRowsBreakAcrossPagesWhole(t *testing.T) {
	face, err := loadFace()
	if err != nil {
		t.Fatal(err)
	}
	s := &setter{face: face, lang: "en", width: 210, height: 297}
	s.turn()
	var rows [][]string
	for range 60 {
		rows = append(rows, []string{"first\nsecond\nthird", "x"})
	}
	rows = append(rows, []string{strings.Repeat("line\n", 150), "long"})
	tableBlock{Heads: []string{"HEAD", "B"}, Widths: []float64{3, 1}, Rows: rows}.lay(s)
	if len(s.pages) < 4 {
		t.Fatalf("%d pages", len(s.pages))
	}
	for i, page := range s.pages {
		heads, firsts, thirds := 0, 0, 0
		for _, m := range page {
			if m.kind != markText {
				continue
			}
			if m.y > s.bottom() {
				t.Errorf("page %d: %q stands below the edge", i, m.text)
			}
			switch m.text {
			case "HEAD":
				heads++
			case "first":
				firsts++
			case "third":
				thirds++
			}
		}
		if heads != 1 || firsts != thirds {
			t.Errorf("page %d: %d heads, %d rows begin and %d end", i, heads, firsts, thirds)
		}
	}
}

func TestReadFaceRefusesAnotherFile(t *testing.T) {
	for _, b := range [][]byte{nil, {0, 1, 0, 0}, []byte("not a font at all, but long enough to be looked at")} {
		if _, err := readFace(b); err == nil {
			t.Errorf("a font was read from %q", b)
		}
	}
}

// TestManySignsInARowAreFast guards the font file: the library takes cubic time for a run of
// neighbouring signs that are equally wide, so every sixteenth of the font is a hair narrower.
func TestManySignsInARowAreFast(t *testing.T) {
	var b strings.Builder
	for r := rune(0x4E00); r < 0x8000; r++ {
		b.WriteRune(r)
	}
	start := time.Now()
	out, err := (&document{Lang: "zh", Blocks: []block{paraBlock{Text: b.String()}}}).pdf()
	soundPDF(t, out, err)
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("12,800 signs took %v", took)
	}
}

// FuzzPDF writes any text into every kind of block.
func FuzzPDF(f *testing.F) {
	for _, s := range hostileTexts {
		f.Add(s)
	}
	f.Add("投诉 complaint reclamação")
	f.Fuzz(func(t *testing.T, s string) {
		d := everyBlock(s, "zh", len(s)%2 == 0)
		b, err := d.pdf()
		soundPDF(t, b, err)
		if _, err := d.text(); err != nil {
			t.Error(err)
		}
	})
}
