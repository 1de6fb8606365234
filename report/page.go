package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"slices"
	"strings"

	"bonafide"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string
)

// pageTemplate holds the page. Its policy allows the one style sheet and the
// one script by their digests and nothing else, so a letter that got past the
// escaping could still not run, load or send anything.
var pageTemplate = func() *template.Template {
	policy := "default-src 'none'; style-src '" + digest(pageCSS) + "'; script-src '" + digest(pageJS) +
		"'; img-src data:; base-uri 'none'; form-action 'none'"
	words := template.FuncMap{"count": count, "number": number, "between": between}
	return template.Must(template.New("page").Funcs(words).Parse(strings.Replace(pageHTML, "@POLICY@", policy, 1)))
}()

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// HTML writes r as one page that needs nothing else: no network, no other file,
// and no script to be read. It holds up to 200 rings and 2,000 complaints, fewer
// where they are long, says where the rest is, and stays under 5 MB.
func HTML(w io.Writer, r *bonafide.Result) error {
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, newPage(r)); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// Bounds of the page. Past a thousand rows nobody reads on.
const (
	maxRings      = 200
	maxComplaints = 2000
	maxLetters    = 200
	maxQuarantine = 200
	maxMembers    = 200 // rows of one ring
	maxThings     = 60  // of one ring
	maxExamples   = 3
	maxReasons    = 12
	maxID         = 80 // characters
	maxReason     = 400
	maxLetter     = 4000
)

// A purse bounds the bytes of a part of the page. Counts of rows do not: each
// may hold a letter of a megabyte.
type purse int

// What the parts may weigh, in bytes; together with the frame under 5 MB.
const (
	ringBytes      purse = 2_400_000
	letterBytes    purse = 500_000
	complaintBytes purse = 1_500_000
	restBytes      purse = 300_000
)

// pay takes n bytes, or reports that they are not there.
func (p *purse) pay(n int) bool {
	if int(*p) < n {
		return false
	}
	*p -= purse(n)
	return true
}

// text takes the cost of s on one line, cut to n characters.
func (p *purse) text(s string, n int) string { return p.keep(cut(line(s), n)) }

// keep takes the cost of s, or gives a mark that something is left out.
func (p *purse) keep(s string) string {
	if !p.pay(len(template.HTMLEscapeString(s))) {
		return "…"
	}
	return s
}

// lines takes up to n of parts as sentences and says how many are left.
func (p *purse) lines(parts []string, n int) (out []string, left int) {
	for _, s := range parts[:min(n, len(parts))] {
		out = append(out, p.text(sentence(s), maxReason))
	}
	return out, len(parts) - len(out)
}

// A page is what the template shows, all words chosen.
type page struct {
	CSS   template.CSS
	JS    template.JS
	Title string
	Icons any

	Merit    string
	Facts    []fact
	Figures  []figure
	Arrivals *chart

	Incidents []bonafide.Incident // at most maxRings, each with the first of its reasons

	Rings     []ringView
	RingsLeft int

	Letters     []letterView
	LettersLeft int

	Complaints     []row
	ComplaintsAll  int
	ComplaintsLeft int

	NotProved      []string
	Warnings       []string
	WarningsLeft   int
	Quarantine     []quarantined
	QuarantineAll  int
	QuarantineLeft int

	Glossary []word
}

// A fact is a name with its values.
type fact struct {
	Name   string
	Values []string
}

// A figure is a count in words.
type figure struct {
	Count string
	What  string
	Means string
	Class string
}

// A quarantined is a row that was set aside.
type quarantined struct {
	File, Field, Reason string
	Line, Column        int
}

// newPage chooses and words what the page shows of r.
func newPage(r *bonafide.Result) *page {
	s := newScene(r)
	p := &page{
		CSS: template.CSS(pageCSS), JS: template.JS(pageJS), Icons: icons,
		Merit: merit, Facts: facts(r), Figures: figures(r), Arrivals: s.arrivals.chart(), Glossary: glossary,
	}
	p.Title = "Complaint scan"
	if files := r.Read.Files; len(files) == 1 {
		p.Title += ": " + short(line(files[0]), 60)
	} else if len(files) > 1 {
		p.Title += ": " + count(len(files), "file")
	}
	rings, letters, complaints, rest := ringBytes, letterBytes, complaintBytes, restBytes
	// Parts link to each other, and only to what is on the page.
	p.Complaints = s.rows(&complaints)
	p.Incidents = incidents(r)
	p.Rings = s.ringViews(&rings)
	p.RingsLeft = len(r.Rings) - len(p.Rings)
	p.Letters, p.LettersLeft = s.freeLetters(&letters)
	for i := range p.Complaints {
		c := &p.Complaints[i]
		c.RingAt, c.LetterAt = s.ringAt[c.verdict.Ring], s.letterAt[c.verdict.Template]
	}
	p.ComplaintsAll = len(r.Complaints)
	p.ComplaintsLeft = len(r.Complaints) - len(p.Complaints)

	p.NotProved, _ = rest.lines(r.NotProved, 40)
	p.Warnings, p.WarningsLeft = rest.lines(r.Warnings, 40)
	for _, q := range r.Quarantine[:min(len(r.Quarantine), maxQuarantine)] {
		p.Quarantine = append(p.Quarantine, quarantined{
			File: rest.text(q.File, maxID), Field: rest.text(q.Field, maxID), Reason: rest.text(q.Reason, maxReason),
			Line: q.Line, Column: q.Column,
		})
	}
	p.QuarantineAll = max(r.Read.Quarantined, len(r.Quarantine))
	p.QuarantineLeft = p.QuarantineAll - len(p.Quarantine)
	return p
}

// A scene is a result with what joins its parts.
type scene struct {
	*bonafide.Result
	arrivals arrivals
	rings    []*bonafide.Ring // gravest and largest first
	verdicts map[string]*bonafide.Verdict
	letters  map[string]*bonafide.Template

	// Anchors of what is on the page so far.
	rowAt, ringAt, letterAt map[string]string
}

func newScene(r *bonafide.Result) *scene {
	s := &scene{
		Result: r, arrivals: newArrivals(r.Arrivals), rings: order(r.Rings),
		verdicts: make(map[string]*bonafide.Verdict, len(r.Complaints)), letters: map[string]*bonafide.Template{},
		rowAt: map[string]string{}, ringAt: map[string]string{}, letterAt: map[string]string{},
	}
	for i := range r.Complaints {
		s.verdicts[r.Complaints[i].ID] = &r.Complaints[i]
	}
	for i := range r.Templates {
		s.letters[r.Templates[i].ID] = &r.Templates[i]
	}
	return s
}

// order returns rings by level, then size, then id.
func order(rings []bonafide.Ring) []*bonafide.Ring {
	out := make([]*bonafide.Ring, len(rings))
	for i := range rings {
		out[i] = &rings[i]
	}
	slices.SortStableFunc(out, func(a, b *bonafide.Ring) int {
		return cmp.Or(b.Level.Rank()-a.Level.Rank(), len(b.Members)-len(a.Members), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// facts says what was read and how it was graded.
func facts(r *bonafide.Result) []fact {
	p := restBytes
	f := []fact{{Name: "Files"}, {Name: "Complaints", Values: []string{number(r.Read.Accepted) + " read"}}}
	for i, name := range r.Read.Files {
		if i == 20 {
			f[0].Values = append(f[0].Values, "and "+count(len(r.Read.Files)-i, "more file"))
			break
		}
		f[0].Values = append(f[0].Values, p.text(name, maxID))
	}
	if len(r.Read.Files) == 0 {
		f[0].Values = []string{"not named"}
	}
	if n := r.Read.Quarantined; n > 0 {
		f[1].Values = append(f[1].Values, number(n)+" set aside")
	}
	if n := r.Read.Repeated; n > 0 {
		f[1].Values = append(f[1].Values, number(n)+" repeated, counted once")
	}
	received := "no dates in the file"
	if !r.Read.First.IsZero() {
		received = between(r.Read.First, r.Read.Last)
	}
	f = append(f, fact{"Received", []string{received}})
	if r.Policy != "" {
		f = append(f, fact{"Graded by", []string{"policy pack " + p.text(r.Policy, maxID)}})
	}
	if r.Version != "" {
		f = append(f, fact{"Made by", []string{"bonafide " + p.text(r.Version, maxID)}})
	}
	return f
}

// A tally counts what is proposed.
type tally struct {
	level1, level2, individual, information, authority, vulnerable int
}

func tallied(vs []bonafide.Verdict) tally {
	var t tally
	for i := range vs {
		t.add(&vs[i])
	}
	return t
}

// add counts a complaint once: as routed, or else under its level.
func (t *tally) add(v *bonafide.Verdict) {
	switch {
	case v.Route == bonafide.RouteVulnerable:
		t.vulnerable++
	case v.Route != bonafide.RouteNone:
		t.authority++
	case v.Level == bonafide.Level1:
		t.level1++
	case v.Level == bonafide.Level2:
		t.level2++
	case v.Level == bonafide.Individual:
		t.individual++
	case v.Level == bonafide.Information:
		t.information++
	}
}

// figures are the counts a reader wants first, each with what it means.
func figures(r *bonafide.Result) []figure {
	t := tallied(r.Complaints)
	_, rings, _ := strings.Cut(count(len(r.Rings), "ring"), " ")
	_, letters, _ := strings.Cut(count(len(r.Templates), "shared letter"), " ")
	out := []figure{
		{number(r.Read.Accepted), "complaints compared", "each with all others", ""},
		{number(t.level2), "proposed level 2", "two families of evidence or more", "amber"},
		{number(t.level1), "proposed level 1", "a verified item; two people decide", "amber"},
		{number(t.information), "information only", "nothing is said against the customer", ""},
		{number(t.authority), "routed: confirm authority", "a declared representative; not graded", ""},
		{number(t.vulnerable), "routed: trained person", "a customer flagged as vulnerable; not graded", ""},
		{number(len(r.Rings)), rings, "different customers, tied to one hand", ""},
		{number(len(r.Templates)), letters, "used by several complaints; many are public", ""},
	}
	if t.individual > 0 {
		out = slices.Insert(out, 3, figure{number(t.individual), "proposed class I", "disorder by one person, no link to others", "amber"})
	}
	for i := range out {
		if out[i].Count == "0" {
			out[i].Class = "none"
		}
	}
	return out
}

// incidents returns those that the page shows, with reasons fit for it.
func incidents(r *bonafide.Result) []bonafide.Incident {
	var out []bonafide.Incident
	for _, inc := range r.Incidents[:min(maxRings, len(r.Incidents))] {
		inc.Rule = short(line(inc.Rule), 60)
		why := slices.Clone(inc.Why[:min(5, len(inc.Why))])
		for i, w := range why {
			why[i] = short(line(w), maxReason)
		}
		inc.Why = why
		out = append(out, inc)
	}
	return out
}
