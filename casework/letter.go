package casework

import (
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"text/template"
	"text/template/parse"
	"time"
	"unicode"

	"bonafide"
)

//go:embed letters
var letterFiles embed.FS

// parts are the sentences of a letter that depend on the jurisdiction.
type parts struct {
	Rule    string `toml:"rule"`    // by which rules the complaint is handled
	Waiting string `toml:"waiting"` // what the customer can do while waiting
	Remedy  string `toml:"remedy"`  // what the customer can do after the decision, and by when
	Review  string `toml:"review"`  // how the lender looks at its decision again
}

// A letter is one kind in one language.
type letter struct {
	title string
	body  *template.Template
}

// A LetterKind is a letter that a pack can write.
type LetterKind struct {
	Kind  string `json:"kind"` // "acknowledgement"
	Title string `json:"title"`
	Lang  string `json:"lang"` // that it would be written in
}

// LetterData is what a letter says. Dates are written in the letter's language
// and the pack's zone. A letter is for the customer: no field carries what the
// lender may think of anybody.
type LetterData struct {
	Complaint     string    // id; the customer's reference
	Received      time.Time // when the complaint was
	Today         time.Time // the date of the letter
	Due           time.Time // by when the customer hears next
	Customer      string    // name
	Lender        string    // name
	Outcome       Outcome
	Reason        string // in plain words, for the customer
	Ground        string // of declining, its title
	ExtensionDays int
	Clock         string // title of the clock that was extended
	Contact       string // whom to write to or call; the letter's sender if empty
	Materials     string // what is asked for and the lender does not hold
}

// LogValue keeps names and reasons out of logs.
func (LetterData) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// The kinds of letter that every pack has, in the order they are shown.
var standardKinds = []string{"acknowledgement", "authority-request", "extension", "decision", "decline", "review", "withdrawal"}

// titles are the kinds' names.
var titles = map[string]map[string]string{
	"en": {
		"acknowledgement": "Acknowledgement", "authority-request": "Who may speak for you", "extension": "More time needed", "decision": "Decision",
		"decline": "Complaint not taken further", "review": "Review of the decision", "withdrawal": "Withdrawal confirmed",
	},
	"zh-CN": {
		"acknowledgement": "投诉受理告知书", "authority-request": "代理授权补充告知书", "extension": "延长办理期限告知书", "decision": "投诉处理决定书",
		"decline": "投诉不予办理告知书", "review": "核查受理告知书", "withdrawal": "撤回投诉确认书",
	},
	"pt-BR": {
		"acknowledgement": "Confirmação de recebimento", "authority-request": "Quem pode falar em seu nome", "extension": "Prorrogação do prazo", "decision": "Decisão",
		"decline": "Reclamação não processada", "review": "Revisão da decisão", "withdrawal": "Confirmação da desistência",
	},
}

// months are the names by which dates are written; Chinese writes numbers.
var months = map[string][]string{
	"en":    {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
	"zh-CN": {},
	"pt-BR": {"janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro", "novembro", "dezembro"},
}

// standards parses the letters that all packs share, once. That they are sound
// is tested.
var standards = sync.OnceValue(func() map[string]map[string]*letter {
	out := map[string]map[string]*letter{}
	for lang, names := range titles {
		out[lang] = map[string]*letter{}
		for _, kind := range standardKinds {
			text, err := letterFiles.ReadFile("letters/" + lang + "/" + kind + ".txt")
			if err != nil {
				panic(err)
			}
			body := template.Must(template.New(kind).Option("missingkey=error").Parse(string(text)))
			if err := plain(body); err != nil {
				panic(err)
			}
			out[lang][kind] = &letter{title: names[kind], body: body}
		}
	}
	return out
})

// standard returns a letter that all packs share, or nil.
func standard(kind, lang string) *letter { return standards()[lang][kind] }

// view is what a template can name, all of it ready to print.
type view struct {
	Complaint, Received, Today, Due, Customer, Lender, Outcome, Reason, Ground string
	ExtensionDays, Clock, Contact, Materials                                   string
	Rule, Waiting, Remedy, Review                                              string
}

// viewFields are the names of a view's fields.
var viewFields = []string{
	"Complaint", "Received", "Today", "Due", "Customer", "Lender", "Outcome", "Reason", "Ground",
	"ExtensionDays", "Clock", "Contact", "Materials", "Rule", "Waiting", "Remedy", "Review",
}

// plain reports what a template has besides text, fields, and conditions on a
// field: letters compute nothing.
func plain(t *template.Template) error {
	if t.Tree == nil || t.Root == nil {
		return errors.New("the letter is empty")
	}
	if len(t.Templates()) > 1 {
		return errors.New("templates within templates are not allowed")
	}
	return plainNode(t.Root)
}

func plainNode(n parse.Node) error {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return nil
		}
		for _, m := range n.Nodes {
			if err := plainNode(m); err != nil {
				return err
			}
		}
		return nil
	case *parse.TextNode, *parse.CommentNode:
		return nil
	case *parse.ActionNode:
		return plainPipe(n.Pipe, false)
	case *parse.IfNode:
		if err := plainPipe(n.Pipe, true); err != nil {
			return err
		}
		if err := plainNode(n.List); err != nil {
			return err
		}
		if n.ElseList == nil {
			return nil
		}
		return plainNode(n.ElseList)
	}
	return fmt.Errorf("%s: only fields and if are allowed", n)
}

// plainPipe allows one field, and in a condition eq of a field and a word.
func plainPipe(p *parse.PipeNode, condition bool) error {
	bad := fmt.Errorf("%s: only a field is allowed: %s", p, strings.Join(viewFields, ", "))
	if len(p.Decl) > 0 || len(p.Cmds) != 1 {
		return bad
	}
	args := p.Cmds[0].Args
	if condition && len(args) == 3 {
		f, ok := args[0].(*parse.IdentifierNode)
		_, word := args[2].(*parse.StringNode)
		if !ok || f.Ident != "eq" || !word {
			return bad
		}
		args = args[1:2]
	}
	if len(args) != 1 {
		return bad
	}
	f, ok := args[0].(*parse.FieldNode)
	if !ok || len(f.Ident) != 1 || !slices.Contains(viewFields, f.Ident[0]) {
		return bad
	}
	return nil
}

// pick returns the key of a language in a map: the tag itself, or one of the same
// language; "" if there is none.
func pick[V any](lang string, of map[string]V) string {
	if _, ok := of[lang]; ok {
		return lang
	}
	base, _, _ := strings.Cut(strings.ReplaceAll(lang, "_", "-"), "-")
	found := ""
	for k := range of {
		b, _, _ := strings.Cut(k, "-")
		if base != "" && strings.EqualFold(b, base) && (found == "" || k < found) {
			found = k
		}
	}
	return found
}

// find returns a letter in the first of the languages asked for, the pack's own
// and English that has it, and that language.
func (p *Pack) find(kind, lang string) (*letter, string) {
	for _, want := range []string{lang, p.Language, "en"} {
		l := pick(want, p.texts)
		if l == "" {
			continue
		}
		if own := p.letters[kind][l]; own != nil {
			return own, l
		}
		if s := standard(kind, l); s != nil {
			return s, l
		}
	}
	return nil, ""
}

// Letters returns the letters that the pack can write, with their titles in a
// language or the one they fall back to.
func (p *Pack) Letters(lang string) []LetterKind {
	kinds := slices.Clone(standardKinds)
	for kind := range p.letters {
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds[len(standardKinds):])
	out := make([]LetterKind, 0, len(kinds))
	for _, kind := range kinds {
		l, in := p.find(kind, lang)
		out = append(out, LetterKind{Kind: kind, Title: l.title, Lang: in})
	}
	return out
}

// Letter writes a letter. A language that the pack does not have falls back to
// the pack's own, then to English. Errors are of kind NotFound for a kind that
// the pack does not have, and Invalid for data that the kind needs and lacks.
func (p *Pack) Letter(kind, lang string, d LetterData) (string, error) {
	l, in := p.find(kind, lang)
	if l == nil {
		var kinds []string
		for _, k := range p.Letters(lang) {
			kinds = append(kinds, k.Kind)
		}
		return "", wrong(bonafide.NotFound, "no letter %q: there are %s", kind, strings.Join(kinds, ", "))
	}
	if lacks := d.lacks(kind); lacks != "" {
		return "", wrong(bonafide.Invalid, "letter %s: %s: missing", kind, lacks)
	}
	if d.Outcome != "" && !slices.Contains(Outcomes, d.Outcome) {
		return "", wrong(bonafide.Invalid, "letter %s: outcome: %q is not one of %s", kind, d.Outcome, join(Outcomes))
	}
	t := p.texts[in]
	v := view{
		Complaint: line(d.Complaint), Received: p.written(d.Received, in), Today: p.written(d.Today, in), Due: p.written(d.Due, in),
		Customer: line(d.Customer), Lender: line(d.Lender), Outcome: string(d.Outcome), Reason: clean(d.Reason), Ground: line(d.Ground),
		Clock: line(d.Clock), Contact: clean(d.Contact), Materials: clean(d.Materials),
		Rule: clean(t.Rule), Waiting: clean(t.Waiting), Remedy: clean(t.Remedy), Review: clean(t.Review),
	}
	if d.ExtensionDays > 0 {
		v.ExtensionDays = fmt.Sprint(d.ExtensionDays)
	}
	var b strings.Builder
	if err := l.body.Execute(&b, v); err != nil {
		return "", fmt.Errorf("letter %s in %s: %w", kind, in, err)
	}
	return clean(b.String()) + "\n", nil
}

// lacks names the first field that a kind needs and that is empty.
func (d *LetterData) lacks(kind string) string {
	for _, f := range [...]struct {
		name  string
		empty bool
		kinds []string // nil: all
	}{
		{"complaint", strings.TrimSpace(d.Complaint) == "", nil},
		{"customer", strings.TrimSpace(d.Customer) == "", nil},
		{"lender", strings.TrimSpace(d.Lender) == "", nil},
		{"received", d.Received.IsZero(), nil},
		{"today", d.Today.IsZero(), nil},
		{"due", d.Due.IsZero(), []string{"acknowledgement", "extension"}},
		{"outcome", d.Outcome == "", []string{"decision"}},
		{"reason", strings.TrimSpace(d.Reason) == "", []string{"extension", "decision", "decline", "reg-v-frivolous"}},
		{"ground", strings.TrimSpace(d.Ground) == "", []string{"decline", "reg-v-frivolous"}},
	} {
		if f.empty && (f.kinds == nil || slices.Contains(f.kinds, kind)) {
			return f.name
		}
	}
	return ""
}

// written returns the day of a moment in the pack's zone as a language writes
// it, or nothing.
func (p *Pack) written(t time.Time, lang string) string {
	if t.IsZero() {
		return ""
	}
	y, m, d := t.In(p.calendar.zone).Date()
	switch {
	case lang == "zh-CN":
		return fmt.Sprintf("%d年%d月%d日", y, m, d)
	case lang == "pt-BR" && d == 1:
		return fmt.Sprintf("1º de %s de %d", months[lang][m-1], y)
	case lang == "pt-BR":
		return fmt.Sprintf("%d de %s de %d", d, months[lang][m-1], y)
	case p.english == "en-US":
		return fmt.Sprintf("%s %d, %d", months["en"][m-1], d, y)
	}
	return fmt.Sprintf("%d %s %d", d, months["en"][m-1], y)
}

// clean drops control characters, blanks at the ends of lines, and more than one
// empty line in a row.
func clean(s string) string {
	var out []string
	empty := true // none at the start
	for l := range strings.SplitSeq(strings.ReplaceAll(s, "\r\n", "\n"), "\n") {
		l = strings.TrimRightFunc(strings.Map(func(r rune) rune {
			if unicode.IsControl(r) && r != '\t' || unicode.Is(unicode.Bidi_Control, r) {
				return -1
			}
			return r
		}, l), unicode.IsSpace)
		if l == "" && empty {
			continue
		}
		empty = l == ""
		out = append(out, l)
	}
	return strings.TrimRight(strings.Join(out, "\n"), "\n")
}

// line is clean in one line.
func line(s string) string { return strings.Join(strings.Fields(clean(s)), " ") }
