package report

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
)

// A document is what is to be printed: blocks in reading order. It says nothing of pages.
type document struct {
	Lang   string // zh, en or pt
	Title  string // stands at the head of every page
	Mark   string // stands at the foot: of which case and seal
	Maker  string // the program with its version
	Made   time.Time
	Wide   bool // the page lies on its long side
	Blocks []block
}

// A block is one part of a document.
type block interface {
	lay(s *setter)
	// words are its texts as they are set, each part on a line: what tests read.
	words(say func(text string, most int))
}

// The blocks.
type (
	titleBlock struct{ Text, Sub string }

	headingBlock struct {
		Level int // 1 to 3
		Text  string
	}

	// A paraBlock is a paragraph. Boxed stands in a frame, Small is in small grey type.
	paraBlock struct {
		Text         string
		Small, Boxed bool
	}

	// A factsBlock is a list of names with their values.
	factsBlock [][2]string

	// A tableBlock is a table; Widths are relative. A row that does not fit goes to the next
	// page as a whole, under the repeated head, unless it is longer than a page.
	tableBlock struct {
		Heads  []string
		Widths []float64
		Right  []int // columns of numbers
		Rows   [][]string
		Strong map[int]bool // rows
		Size   float64      // of the type, in points; 0 is the usual
	}

	listBlock []string

	spaceBlock float64 // millimetres

	pageBlock struct{} // a new page

	// A drawingBlock is a picture of boxes, dots and lines. Its coordinates are in
	// millimetres from the upper left of a field as wide as the text.
	drawingBlock struct {
		Height  float64
		Caption string
		Lines   [][4]float64
		Boxes   []drawnBox
		Dots    []drawnDot
	}

	// A signBlock is one line to be signed for each label.
	signBlock []string
)

type (
	drawnBox struct {
		X, Y, W, H float64
		Text       string
		Strong     bool
	}

	drawnDot struct {
		X, Y float64
		Text string
	}
)

// Bounds of texts, in characters.
const (
	mostTitle = 400
	mostPara  = 20_000
	mostCell  = 2_000
	mostLabel = 120
)

// Measures of a page, in millimetres, and of type, in points.
const (
	mm         = 25.4 / 72 // of a point
	leftEdge   = 18.0
	rightEdge  = 18.0
	topEdge    = 22.0
	bottomEdge = 20.0
	bodySize   = 10.0
	cellSize   = 8.5
	smallSize  = 8.0
	leading    = 1.45
	cellPad    = 1.6
)

// Inks, as 0xRRGGBB.
const (
	inkText  = 0x1A1A1A
	inkQuiet = 0x5C5C5C
	inkRule  = 0xB8B8B8
	inkHead  = 0xEFEFEF
)

// A mark is something drawn on a page: text, a line, an area, a dot or a bookmark.
type mark struct {
	kind       markKind
	x, y, w, h float64
	size       float64
	ink        int
	strong     bool
	text       string
}

type markKind byte

const (
	markText markKind = iota
	markLine          // from x, y by w, h
	markArea
	markFrame
	markDot
	markEntry // in the outline; h is its level
)

// A setter sets blocks on pages.
type setter struct {
	face          *typeface
	lang          string
	width, height float64 // of the page
	pages         [][]mark
	y             float64
	entry         int // level below which the next entry of the outline may stand
}

func (s *setter) room() float64   { return s.width - leftEdge - rightEdge }
func (s *setter) bottom() float64 { return s.height - bottomEdge }

func (s *setter) add(m mark) { s.pages[len(s.pages)-1] = append(s.pages[len(s.pages)-1], m) }

func (s *setter) turn() {
	s.pages = append(s.pages, nil)
	s.y = topEdge
}

// need turns the page where h does not fit any more.
func (s *setter) need(h float64) {
	if s.y+h > s.bottom() && s.y > topEdge {
		s.turn()
	}
}

func lineHeight(size float64) float64 { return size * mm * leading }

// print sets one line of text with its upper edge at y.
func (s *setter) print(x, y float64, text string, size float64, ink int, strong bool) {
	if text == "" {
		return
	}
	h := lineHeight(size)
	s.add(mark{kind: markText, x: x, y: y + h/2 + 0.36*size*mm, size: size, ink: ink, strong: strong, text: text})
}

// flow sets text line by line over as many pages as it takes.
func (s *setter) flow(text gated, size float64, ink int, strong bool) {
	h := lineHeight(size)
	for _, l := range s.face.wrap(text, size, s.room()) {
		s.need(h)
		s.print(leftEdge, s.y, l, size, ink, strong)
		s.y += h
	}
}

func (s *setter) gate(text string, most int) gated { return s.face.gate(text, most, s.lang) }

// flat is gate for what stands on one line or in a label: line breaks become spaces.
func (s *setter) flat(text string, most int) gated {
	return gated(strings.ReplaceAll(string(s.gate(text, most)), "\n", " "))
}

func (b titleBlock) lay(s *setter) {
	s.y += 4
	s.flow(s.flat(b.Text, mostTitle), 20, inkText, true)
	if b.Sub != "" {
		s.y += 1.5
		s.flow(s.flat(b.Sub, mostTitle), 11.5, inkQuiet, false)
	}
	s.y += 3
	s.add(mark{kind: markLine, x: leftEdge, y: s.y, w: s.room(), size: 0.5, ink: inkText})
	s.y += 5
}

func (b titleBlock) words(say func(string, int)) { say(b.Text, mostTitle); say(b.Sub, mostTitle) }

func (b headingBlock) lay(s *setter) {
	size := [...]float64{15, 12, 10.5}[min(max(b.Level, 1), 3)-1]
	if s.y > topEdge {
		s.y += size * 0.35
	}
	s.need(lineHeight(size) + 22) // a heading stays with what follows
	text := s.flat(b.Text, mostTitle)
	if b.Level <= 2 {
		level := min(max(b.Level, 1)-1, s.entry)
		s.entry = level + 1
		s.add(mark{kind: markEntry, y: s.y, h: float64(level), text: string(text)})
	}
	s.flow(text, size, inkText, true)
	if b.Level <= 1 {
		s.add(mark{kind: markLine, x: leftEdge, y: s.y + 0.6, w: s.room(), size: 0.3, ink: inkRule})
		s.y += 1.2
	}
	s.y += 1.6
}

func (b headingBlock) words(say func(string, int)) { say(b.Text, mostTitle) }

func (b paraBlock) lay(s *setter) {
	size, ink, x, room := bodySize, inkText, leftEdge, s.room()
	if b.Small {
		size, ink = smallSize, inkQuiet
	}
	if !b.Boxed {
		s.flow(s.gate(b.Text, mostPara), size, ink, false)
		s.y += 2.2
		return
	}
	const pad = 3.0
	h := lineHeight(size)
	lines := s.face.wrap(s.gate(b.Text, mostPara), size, room-2*pad)
	for len(lines) > 0 {
		s.need(h + 2*pad)
		n := min(len(lines), max(1, int((s.bottom()-s.y-2*pad)/h)))
		s.add(mark{kind: markFrame, x: x, y: s.y, w: room, h: float64(n)*h + 2*pad, size: 0.3, ink: inkQuiet})
		for i, l := range lines[:n] {
			s.print(x+pad, s.y+pad+float64(i)*h, l, size, ink, false)
		}
		s.y += float64(n)*h + 2*pad
		lines = lines[n:]
	}
	s.y += 3
}

func (b paraBlock) words(say func(string, int)) { say(b.Text, mostPara) }

func (b factsBlock) lay(s *setter) {
	name := s.room() * 0.27
	h := lineHeight(bodySize)
	for _, f := range b {
		names := s.face.wrap(s.flat(f[0], mostLabel), bodySize-0.5, name-3)
		values := s.face.wrap(s.gate(f[1], mostCell), bodySize, s.room()-name)
		for i := range max(len(names), len(values)) {
			s.need(h)
			if i < len(names) {
				s.print(leftEdge, s.y, names[i], bodySize-0.5, inkQuiet, false)
			}
			if i < len(values) {
				s.print(leftEdge+name, s.y, values[i], bodySize, inkText, false)
			}
			s.y += h
		}
		s.y += 0.8
	}
	s.y += 2
}

func (b factsBlock) words(say func(string, int)) {
	for _, f := range b {
		say(f[0], mostLabel)
		say(f[1], mostCell)
	}
}

func (b tableBlock) lay(s *setter) {
	if len(b.Heads) == 0 || len(b.Heads) != len(b.Widths) {
		return
	}
	size := b.Size
	if size == 0 {
		size = cellSize
	}
	total := 0.0
	for _, w := range b.Widths {
		total += w
	}
	widths := make([]float64, len(b.Widths))
	for i, w := range b.Widths {
		widths[i] = w / total * s.room()
	}
	h := lineHeight(size)
	cells := func(texts []string) (out [][]string, most int) {
		out, most = make([][]string, len(widths)), 1
		for i := range widths {
			if i < len(texts) {
				out[i] = s.face.wrap(s.gate(texts[i], mostCell), size, widths[i]-2*cellPad)
			}
			most = max(most, len(out[i]))
		}
		return out, most
	}
	heads, headLines := cells(b.Heads)
	headHeight := float64(headLines)*h + 2*cellPad
	drawRow := func(row [][]string, from, n int, strong bool) {
		x := leftEdge
		for i, cell := range row {
			for k := from; k < min(from+n, len(cell)); k++ {
				at := x + cellPad
				for _, c := range b.Right {
					if c == i {
						at = x + widths[i] - cellPad - float64(s.face.width(cell[k]))*size*mm/1000
					}
				}
				s.print(at, s.y+cellPad+float64(k-from)*h, cell[k], size, inkText, strong)
			}
			x += widths[i]
		}
		s.y += float64(n)*h + 2*cellPad
		s.add(mark{kind: markLine, x: leftEdge, y: s.y, w: s.room(), size: 0.2, ink: inkRule})
	}
	top := func() {
		s.add(mark{kind: markArea, x: leftEdge, y: s.y, w: s.room(), h: headHeight, ink: inkHead})
		drawRow(heads, 0, headLines, true)
	}
	s.need(headHeight + 2*h + 2*cellPad)
	top()
	for i, texts := range b.Rows {
		row, lines := cells(texts)
		strong := b.Strong[i]
		for from := 0; from < lines; {
			left := s.bottom() - s.y - 2*cellPad
			whole := float64(lines - from)
			if whole*h > left && (from > 0 || whole*h <= s.bottom()-topEdge-headHeight-2*cellPad || left < 4*h) {
				s.turn()
				top()
				left = s.bottom() - s.y - 2*cellPad
			}
			n := min(lines-from, max(1, int(left/h+1e-6)))
			drawRow(row, from, n, strong)
			from += n
		}
	}
	s.y += 4
}

func (b tableBlock) words(say func(string, int)) {
	for _, h := range b.Heads {
		say(h, mostCell)
	}
	for _, row := range b.Rows {
		for _, c := range row {
			say(c, mostCell)
		}
	}
}

func (b listBlock) lay(s *setter) {
	h := lineHeight(bodySize)
	for _, text := range b {
		for i, l := range s.face.wrap(s.gate(text, mostCell), bodySize, s.room()-5) {
			s.need(h)
			if i == 0 {
				s.add(mark{kind: markDot, x: leftEdge + 1.6, y: s.y + h/2, w: 0.55, ink: inkQuiet})
			}
			s.print(leftEdge+5, s.y, l, bodySize, inkText, false)
			s.y += h
		}
		s.y += 0.9
	}
	s.y += 1.5
}

func (b listBlock) words(say func(string, int)) {
	for _, t := range b {
		say(t, mostCell)
	}
}

func (b spaceBlock) lay(s *setter) {
	if s.y > topEdge {
		s.y += float64(b)
	}
}
func (spaceBlock) words(func(string, int)) {}

func (pageBlock) lay(s *setter) {
	if s.y > topEdge {
		s.turn()
	}
}
func (pageBlock) words(func(string, int)) {}

func (b drawingBlock) lay(s *setter) {
	caption := s.face.wrap(s.gate(b.Caption, mostCell), smallSize, s.room())
	most := s.bottom() - topEdge - float64(len(caption))*lineHeight(smallSize) - 8
	high := min(b.Height, most)
	s.need(high + float64(len(caption))*lineHeight(smallSize) + 3)
	at := func(x, y float64) (float64, float64) {
		return leftEdge + min(max(x, 0), s.room()), s.y + min(max(y, 0), high)
	}
	for _, l := range b.Lines {
		x1, y1 := at(l[0], l[1])
		x2, y2 := at(l[2], l[3])
		s.add(mark{kind: markLine, x: x1, y: y1, w: x2 - x1, h: y2 - y1, size: 0.25, ink: 0x8A8A8A})
	}
	const size = 7.5
	h := lineHeight(size)
	for _, o := range b.Boxes {
		x, y := at(o.X, o.Y)
		ink := inkRule
		if o.Strong {
			ink = inkText
		}
		s.add(mark{kind: markArea, x: x, y: y, w: o.W, h: o.H, ink: 0xFFFFFF})
		s.add(mark{kind: markFrame, x: x, y: y, w: o.W, h: o.H, size: 0.35, ink: ink})
		lines := s.face.wrap(s.flat(o.Text, mostLabel), size, o.W-2)
		fit := max(1, int((o.H-0.5)/h))
		if len(lines) > fit {
			lines = lines[:fit]
			runes := []rune(lines[fit-1])
			lines[fit-1] = string(runes[:max(len(runes)-1, 0)]) + "…"
		}
		top := y + (o.H-float64(len(lines))*h)/2
		for i, l := range lines {
			w := float64(s.face.width(l)) * size * mm / 1000
			s.print(x+(o.W-w)/2, top+float64(i)*h, l, size, inkText, false)
		}
	}
	for _, d := range b.Dots {
		x, y := at(d.X, d.Y)
		s.add(mark{kind: markDot, x: x, y: y, w: 1.1, ink: inkText})
		if d.Text != "" {
			text := string(s.flat(d.Text, mostLabel))
			w := float64(s.face.width(text)) * 6.5 * mm / 1000
			s.print(x-w/2, y-1.4-lineHeight(6.5), text, 6.5, inkQuiet, false)
		}
	}
	s.y += high + 1
	for _, l := range caption {
		s.print(leftEdge, s.y, l, smallSize, inkQuiet, false)
		s.y += lineHeight(smallSize)
	}
	s.y += 3
}

func (b drawingBlock) words(say func(string, int)) {
	for _, o := range b.Boxes {
		say(o.Text, mostLabel)
	}
	for _, d := range b.Dots {
		say(d.Text, mostLabel)
	}
	say(b.Caption, mostCell)
}

func (b signBlock) lay(s *setter) {
	const high = 16.0
	cols := 2
	if s.width > s.height {
		cols = 4
	}
	w := s.room() / float64(cols)
	s.need(high * math.Ceil(float64(len(b))/float64(cols)))
	for i, label := range b {
		x := leftEdge + float64(i%cols)*w
		text := s.face.wrap(s.flat(label, mostLabel), smallSize+0.5, w-6)
		s.add(mark{kind: markLine, x: x, y: s.y + 10, w: w - 6, size: 0.3, ink: inkText})
		if len(text) > 0 {
			s.print(x, s.y+10.6, text[0], smallSize+0.5, inkQuiet, false)
		}
		if i%cols == cols-1 || i == len(b)-1 {
			s.y += high
		}
	}
}

func (b signBlock) words(say func(string, int)) {
	for _, l := range b {
		say(l, mostLabel)
	}
}

// text returns all that the document says, as it is set, one part a line.
func (d *document) text() (string, error) {
	face, err := loadFace()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	say := func(text string, most int) {
		if text != "" {
			b.WriteString(string(face.gate(text, most, d.Lang)) + "\n")
		}
	}
	for _, one := range d.Blocks {
		one.words(say)
	}
	return b.String(), nil
}

// pageWords says which page it is.
var pageWords = tongues{"第 %d 页，共 %d 页", "page %d of %d", "página %d de %d"}

// pdf writes a document as a PDF of A4 pages. The same document gives the same bytes.
func (d *document) pdf() (out []byte, err error) {
	// The library panics on what it does not expect. Nothing a person wrote may end the program.
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, fmt.Errorf("write PDF: %v", r)
		}
	}()
	face, err := loadFace()
	if err != nil {
		return nil, err
	}
	s := &setter{face: face, lang: d.Lang, width: 210, height: 297}
	orientation := "P"
	if d.Wide {
		s.width, s.height, orientation = 297, 210, "L"
	}
	s.turn()
	for _, b := range d.Blocks {
		b.lay(s)
	}
	title, foot := string(s.flat(d.Title, mostTitle)), string(s.flat(d.Mark, mostTitle))
	for i := range s.pages {
		s.frame(i, title, foot)
	}

	p := fpdf.New(orientation, "mm", "A4", "")
	made := d.Made.UTC()
	if made.IsZero() {
		made = time.Unix(0, 0).UTC()
	}
	p.SetCreationDate(made)
	p.SetModificationDate(made)
	p.SetCatalogSort(true)
	p.SetTitle(title, true)
	p.SetProducer(string(s.flat(d.Maker, mostLabel)), true)
	p.SetMargins(0, 0, 0)
	p.SetAutoPageBreak(false, 0)
	// The library writes into the font while it reads it, so each document has a copy.
	p.AddUTF8FontFromBytes("text", "", bytes.Clone(face.ttf))
	for _, page := range s.pages {
		p.AddPage()
		drawPage(p, page)
	}
	var b bytes.Buffer
	if err := p.Output(&b); err != nil {
		return nil, fmt.Errorf("write PDF: %w", err)
	}
	if !bytes.HasPrefix(b.Bytes(), []byte("%PDF-")) {
		return nil, errors.New("write PDF: no PDF came out")
	}
	return b.Bytes(), nil
}

// frame sets head and foot of a page.
func (s *setter) frame(i int, title, foot string) {
	const size = 8.0
	h := lineHeight(size)
	put := func(m mark) { s.pages[i] = append(s.pages[i], m) }
	fit := func(text string, room float64) string {
		if l := s.face.wrap(gated(text), size, room); len(l) > 1 {
			return l[0] + "…"
		}
		return text
	}
	at := func(x, y float64, text string) {
		if text != "" {
			put(mark{kind: markText, x: x, y: y + h/2 + 0.36*size*mm, size: size, ink: inkQuiet, text: text})
		}
	}
	at(leftEdge, 11, fit(title, s.room()))
	put(mark{kind: markLine, x: leftEdge, y: 16.5, w: s.room(), size: 0.2, ink: inkRule})
	page := fmt.Sprintf(pageWords.in(s.lang), i+1, len(s.pages))
	w := float64(s.face.width(page)) * size * mm / 1000
	at(leftEdge, s.height-14, fit(foot, s.room()-w-6))
	at(s.width-rightEdge-w, s.height-14, page)
}

// drawPage draws marks on the current page.
func drawPage(p *fpdf.Fpdf, page []mark) {
	rgb := func(ink int) (r, g, b int) { return ink >> 16 & 0xFF, ink >> 8 & 0xFF, ink & 0xFF }
	size, ink, strong := 0.0, -1, false
	p.SetTextRenderingMode(0)
	for _, m := range page {
		switch m.kind {
		case markText:
			if m.size != size {
				size = m.size
				p.SetFont("text", "", size)
			}
			if m.ink != ink {
				ink = m.ink
				p.SetTextColor(rgb(ink))
			}
			if m.strong {
				p.SetDrawColor(rgb(ink))
				p.SetLineWidth(m.size * 0.011)
			}
			if m.strong != strong {
				strong = m.strong
				mode := 0
				if strong {
					mode = 2 // fill and stroke: the font has one weight
				}
				p.SetTextRenderingMode(mode)
			}
			p.Text(m.x, m.y, m.text)
		case markLine:
			p.SetDrawColor(rgb(m.ink))
			p.SetLineWidth(m.size)
			p.Line(m.x, m.y, m.x+m.w, m.y+m.h)
		case markArea:
			p.SetFillColor(rgb(m.ink))
			p.Rect(m.x, m.y, m.w, m.h, "F")
		case markFrame:
			p.SetDrawColor(rgb(m.ink))
			p.SetLineWidth(m.size)
			p.Rect(m.x, m.y, m.w, m.h, "D")
		case markDot:
			p.SetFillColor(rgb(m.ink))
			p.Circle(m.x, m.y, m.w, "F")
		case markEntry:
			if size == 0 {
				size = bodySize
				p.SetFont("text", "", size)
			}
			p.Bookmark(m.text, int(m.h), m.y)
		}
	}
}
