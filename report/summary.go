package report

import (
	"bufio"
	"bytes"
	"cmp"
	"io"
	"slices"
	"strings"
	"unicode"

	"bonafide"
)

// SummaryOptions are how a summary is written.
type SummaryOptions struct {
	Color  bool   // ANSI colours
	Width  int    // of a line in columns; 80 where 0, at least 40
	Report string // the page that was written, to be opened next; "" if none
}

// Summary writes what a busy person needs of r: on 80 columns at most 40 lines.
func Summary(w io.Writer, r *bonafide.Result, opts SummaryOptions) error {
	b := summarize(r, opts, 2)
	if bytes.Count(b, []byte("\n")) > summaryLines {
		b = summarize(r, opts, 1)
	}
	_, err := w.Write(b)
	return err
}

// summarize writes a summary with each ring on at most perRing lines.
func summarize(r *bonafide.Result, opts SummaryOptions, perRing int) []byte {
	var b bytes.Buffer
	t := newTerminal(&b, opts)
	s := summary{t, r, opts.Report, perRing}
	s.input()
	s.incidents()
	s.proposed()
	s.ringLines()
	s.letterLines()
	s.limits()
	s.next()
	t.Flush() // to a buffer: cannot fail
	return b.Bytes()
}

type summary struct {
	*terminal
	*bonafide.Result
	report  string
	perRing int
}

func (s summary) input() {
	files := "the input"
	if n := len(s.Read.Files); n == 1 {
		files = short(line(s.Read.Files[0]), 50)
	} else if n > 1 {
		files = number(n) + " files"
	}
	text := count(s.Read.Accepted, "complaint") + " from " + files
	if !s.Read.First.IsZero() {
		text += ", received " + between(s.Read.First, s.Read.Last)
	}
	if n := s.Read.Repeated; n > 0 {
		text += "; " + number(n) + " repeated, counted once"
	}
	s.entry("Read", text, 2)
	if n := max(s.Read.Quarantined, len(s.Quarantine)); n > 0 {
		s.entry("Set aside", count(n, "row")+asideReasons(s.Quarantine), 3)
	}
}

// incidents come before everything that is said about who is behind complaints.
func (s summary) incidents() {
	for i, inc := range s.Incidents {
		if i == 3 {
			s.entry("", number(len(s.Incidents)-i)+" more incidents; the result has all of them", 1)
			return
		}
		text := count(inc.Customers, "customer") + " complained " + between(inc.From, inc.To) + " of one breach that the lender's own records show (" + inc.Rule + "): the lender's to remedy, and no ring"
		s.entry("Incident", text, 3)
	}
}

// asideReasons names the three commonest reasons with how often each holds.
func asideReasons(rows []bonafide.Quarantined) string {
	n := map[string]int{}
	var reasons []string
	for _, q := range rows {
		what := short(line(q.Reason), 60)
		if q.Field != "" {
			what = short(line(q.Field), 30) + ": " + what
		}
		if n[what]++; n[what] == 1 {
			reasons = append(reasons, what)
		}
	}
	slices.SortStableFunc(reasons, func(a, b string) int { return cmp.Compare(n[b], n[a]) })
	var parts []string
	for _, what := range reasons[:min(3, len(reasons))] {
		parts = append(parts, what+" ("+number(n[what])+")")
	}
	if len(reasons) > 3 {
		parts = append(parts, "other reasons")
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, "; ")
}

func (s summary) proposed() {
	t := tallied(s.Complaints)
	var parts []string
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, number(n)+" "+what)
		}
	}
	add(t.level1, "level 1")
	add(t.level2, "level 2")
	add(t.individual, "class I")
	add(t.information, "information only")
	if len(parts) == 0 {
		parts = []string{"nothing"}
	}
	text := strings.Join(parts, ", ")
	if s.Policy != "" {
		text += ", under " + short(line(s.Policy), 40)
	}
	s.entry("Proposed", text, 2)
	if t.authority+t.vulnerable > 0 {
		parts = nil
		add(t.vulnerable, "to a trained person (vulnerable)")
		add(t.authority, "to confirm a representative's authority")
		s.entry("Routed", strings.Join(parts, ", ")+"; not graded", 2)
	}
	s.entry("Merit", merit, 3)
}

// What a summary shows at most.
const (
	summaryLines   = 40
	summaryRings   = 8
	summaryLetters = 5
	summaryLimits  = 2
)

func (s summary) ringLines() {
	s.blank()
	if len(s.Rings) == 0 {
		s.entry("Rings", "None. Nothing here is tied by more than wording. That is the usual result and a good one.", 2)
		return
	}
	s.entry("Rings", number(len(s.Rings))+": different customers whom the evidence ties to one hand"+first(summaryRings, len(s.Rings)), 1)
	for _, g := range order(s.Rings)[:min(len(s.Rings), summaryRings)] {
		text := count(len(g.Members), "complaint")
		if len(g.Shared) > 0 {
			text += " share " + sharedWords(g.Shared)
		}
		if first, last := received(arrived(g)); !first.IsZero() {
			text += ", " + between(first, last)
		}
		if len(g.Shared) == 0 && len(g.Why) > 0 {
			text += ": " + line(g.Why[0])
		}
		level := ""
		if g.Level != bonafide.LevelNone {
			level = "[" + levelWords(g.Level) + "]"
		}
		s.item(g.ID, text, level, s.perRing)
	}
}

// first says that of all only n are shown.
func first(n, all int) string {
	if all <= n {
		return ""
	}
	return " (" + number(n) + " shown)"
}

func (s summary) letterLines() {
	if len(s.Templates) == 0 {
		s.entry("Letters", "No letter is shared.", 1)
		return
	}
	s.entry("Letters", number(len(s.Templates))+" shared; a shared letter alone is information"+first(summaryLetters, len(s.Templates)), 1)
	all := make([]*bonafide.Template, len(s.Templates))
	for i := range all {
		all[i] = &s.Templates[i]
	}
	slices.SortStableFunc(all, func(a, b *bonafide.Template) int { return cmp.Compare(len(b.Members), len(a.Members)) })
	for _, t := range all[:min(len(all), summaryLetters)] {
		text := count(len(t.Members), "complaint") + ": "
		if t.Benign != "" {
			text += "public template, " + line(t.Benign)
		} else {
			text += "“" + line(t.Skeleton) + "”"
		}
		s.item(t.ID, text, "", 1)
	}
}

func (s summary) limits() {
	s.blank()
	for _, part := range []struct {
		name  string
		lines []string
		none  string
	}{
		{"Not proved", s.NotProved, "who wrote a letter, that a customer paid an agent, or that a grievance is wrong"},
		{"Untested", s.Warnings, ""},
	} {
		if len(part.lines) == 0 {
			if part.none != "" {
				s.entry(part.name, part.none, 2)
			}
			continue
		}
		for i, text := range part.lines[:min(len(part.lines), summaryLimits)] {
			name := part.name
			if i > 0 {
				name = ""
			}
			s.entry(name, line(text), 1)
		}
		if n := len(part.lines) - summaryLimits; n > 0 {
			s.entry("", "and "+number(n)+" more in the report", 1)
		}
	}
}

func (s summary) next() {
	s.blank()
	if s.report != "" {
		s.entry("Next", "open "+clean(s.report), 2)
	} else {
		s.entry("Next", "write the page to read: --report report.html", 1)
	}
	if len(s.Complaints) > 0 {
		id := s.Complaints[0].ID
		if len(s.Rings) > 0 && len(order(s.Rings)[0].Members) > 0 {
			id = order(s.Rings)[0].Members[0]
		}
		s.entry("", "for one story: write --format json -o result.json, then bonafide explain result.json "+short(line(id), 40), 2)
	}
}

// A terminal writes wrapped text that cannot control the screen.
type terminal struct {
	*bufio.Writer
	width int
	color bool
}

const terminalIndent = 12

func newTerminal(w io.Writer, opts SummaryOptions) *terminal {
	width := opts.Width
	if width <= 0 {
		width = 80
	}
	return &terminal{bufio.NewWriter(w), max(width, 40), opts.Color}
}

func (t *terminal) blank() { t.WriteString("\n") }

// style wraps s in an ANSI style where colours are on. 1 is bold, 2 dim, 33 amber.
func (t *terminal) style(code, s string) string {
	if !t.color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// entry writes text under name, on at most n lines.
func (t *terminal) entry(name, text string, n int) {
	for i, l := range t.wrap(text, t.width-terminalIndent, n) {
		head := strings.Repeat(" ", terminalIndent)
		if i == 0 {
			head = t.style("1", name) + strings.Repeat(" ", max(1, terminalIndent-columns(name)))
		}
		t.WriteString(strings.TrimRight(head+l, " ") + "\n")
	}
}

// item writes text beside id on at most n lines, with mark at the end of the last.
func (t *terminal) item(id, text, mark string, n int) {
	id = short(line(id), 14)
	indent := max(terminalIndent, 3+columns(id))
	room := t.width - indent
	if mark != "" {
		room -= columns(mark) + 1
	}
	head := "  " + id + strings.Repeat(" ", indent-2-columns(id))
	lines := t.wrap(text, room, n)
	for i, l := range lines {
		t.WriteString(head + l)
		if i == len(lines)-1 && mark != "" {
			t.WriteString(" " + t.style("33", mark))
		}
		t.WriteString("\n")
		head = strings.Repeat(" ", indent)
	}
}

// wrap breaks text, which must be clean, into at most n lines of width columns.
func (t *terminal) wrap(text string, width, n int) []string {
	var lines []string
	var cur strings.Builder
	at := 0
	flush := func() {
		lines = append(lines, cur.String())
		cur.Reset()
		at = 0
	}
	for w := range strings.FieldsSeq(clean(text)) {
		c := columns(w)
		if at > 0 && at+1+c > width && (c <= width || at+2 >= width) {
			flush()
		}
		if at > 0 {
			cur.WriteByte(' ')
			at++
		}
		for _, r := range w { // a word wider than the line is cut into lines
			rc := runeColumns(r)
			if at+rc > width {
				flush()
			}
			cur.WriteRune(r)
			at += rc
		}
		if len(lines) > n {
			break
		}
	}
	if at > 0 || len(lines) == 0 {
		flush()
	}
	if len(lines) > n {
		lines = lines[:n]
		last := lines[n-1]
		for columns(last)+1 > width {
			r := []rune(last)
			last = string(r[:len(r)-1])
		}
		lines[n-1] = strings.TrimRight(last, " ") + "…"
	}
	return lines
}

// columns is how wide s is on a terminal.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

// runeColumns is 2 for the wide characters of East Asia and for emoji, 0 for
// marks that stand on another character.
func runeColumns(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case r >= 0x1100 && r <= 0x115F, r >= 0x2E80 && r <= 0xA4CF, r >= 0xAC00 && r <= 0xD7A3,
		r >= 0xF900 && r <= 0xFAFF, r >= 0xFE30 && r <= 0xFE6F, r >= 0xFF00 && r <= 0xFF60,
		r >= 0xFFE0 && r <= 0xFFE6, r >= 0x1F300 && r <= 0x1FAFF, r >= 0x20000 && r <= 0x3FFFD:
		return 2
	}
	return 1
}
