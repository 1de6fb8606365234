package console

import (
	"go/ast"
	"go/parser"
	"go/token"
	"html"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template/parse"
	"time"
	"unicode"

	"bonafide"
	"bonafide/casefile"
	"bonafide/casework"
	"bonafide/contact"
	"bonafide/evidence/custody"
	"bonafide/merit"
	"bonafide/store"
)

// catalogues reads the messages that the program has.
func catalogues(t *testing.T) catalogue {
	t.Helper()
	all, err := readCatalogue(localeFiles)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// speaking returns the tongue of a column.
func speaking(t *testing.T, column string) tongue {
	t.Helper()
	for _, l := range langs {
		if l.column == column {
			return tongue{Lang: l, all: catalogues(t), zone: time.UTC}
		}
	}
	panic("no language " + column)
}

// strs are the names of values in the code.
func strs[S ~string](all []S) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = string(s)
	}
	return out
}

// composed lists the values that a key is composed with, by what stands before them.
func composed(t *testing.T) map[string][]string {
	acts := append(strs(casework.Verbs), string(casework.Assign), string(casework.Comment), string(casework.Ask), string(casework.Refuse))
	appeals := []string{store.AppealOpen, store.AppealUpheld, store.AppealRejected}
	var kinds []string
	for _, name := range []string{"cn-nfra", "in-rbi", "uk-disp", "us-cfpb"} {
		pack, err := casework.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range pack.Letters("en") {
			kinds = append(kinds, k.Kind)
		}
	}
	rings := []string{string(bonafide.RingProposed), string(bonafide.RingIsFirm), string(bonafide.RingIsCleared), string(bonafide.RingIsMerged), string(bonafide.RingIsNoLonger)}
	verbs := []string{string(bonafide.Confirm), string(bonafide.Clear), string(bonafide.Reopen)}
	levels := append(strs(searchLevels), "none")
	asked := strs([]bonafide.VerificationKind{bonafide.VerifyIdentity, bonafide.VerifyAuthority, bonafide.VerifySituation})
	breaches := []string{
		merit.ThirdPartyAfterRefusal, merit.NightCall, merit.TooManyCalls, merit.SettledStillDunned, merit.CostAboveLine, merit.FeeOutsideContract, merit.CreditRecordLate, merit.FailedOperation,
	}
	var facts []string
	for _, s := range scripts() {
		for _, step := range s.Steps {
			for _, c := range step.Choices {
				facts = append(facts, c.Establish.Facts...)
			}
		}
	}
	var moves []string
	for _, s := range bonafide.Stages {
		for _, m := range s.Moves() {
			if !slices.Contains(moves, string(m)) {
				moves = append(moves, string(m))
			}
		}
	}
	var titles []string
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if base := strings.TrimSuffix(path.Base(n), ".html"); base != "frame" && base != "parts" {
			titles = append(titles, base)
		}
	}
	return map[string][]string{
		"appeal.": appeals,
		"about.":  taskAbouts,
		"aim.":    {"complaint", "hardship", "information", "other", "representation", "threat", "warning"},
		"ask.":    asked, "asked.what.": asked, "asked.question.": asked,
		"authority.": {"own", "claimed", "confirmed", "refused"},
		"breach.":    breaches, "finding.": append(slices.Clone(breaches), "failed-operation.plain"),
		"care.":          {"none", "claimed", "flagged"},
		"demand.":        contact.Demands(),
		"fact.":          facts,
		"follows.track.": slices.DeleteFunc(slices.Clone(contact.Tracks), func(s string) bool { return s == "" }),
		"identity.":      {"confirmed", "doubtful", "failed"},
		"merit.word.": {
			"day", "week", "computed", "stated", "interest", "guarantee", "service", "insurance", "penalty", "other", "payment", "transfer", "login", "refund", "statement",
		},
		"result.":         strs(allResults),
		"row.":            merit.Kinds,
		"standing.":       {string(bonafide.Substantiated), string(bonafide.Indicated)},
		"talk.direction.": {"in", "out"},
		"talk.state.":     {talkOpen, talkEnded, talkBroken},
		"task.kind.":      strs(taskKinds),
		"task.outcome.":   contact.Outcomes,
		"task.state.":     {taskOpen, taskSigned},
		"way.":            strs([]bonafide.Way{bonafide.ByPhone, bonafide.ByEmail, bonafide.ByPost, bonafide.ByApp, bonafide.ByBranch, bonafide.ByIssuer}),
		"channel.":        append(slices.Clone(channels), "other"),
		"decide.":         verbs, "decided.": verbs,
		"did.": acts, "verb.": acts,
		"error.":  {"400", "401", "403", "404", "405", "408", "409", "413", "415", "422", "429", "500", "503"},
		"event.":  strs(bonafide.EventTypes),
		"family.": strs(bonafide.Families),
		"inbox.":  inboxViews, "inbox.empty.": inboxViews,
		"kind.":        strs(bonafide.IdentifierKinds),
		"letter.kind.": kinds,
		"level.":       levels,
		"outcome.":     append(strs(casework.Outcomes), "none"),
		"paper.":       {string(bonafide.Genuine), string(bonafide.Forged), string(bonafide.Unconfirmed)},
		"party.":       {"debtor", "third-party"},
		"purpose.":     append(slices.Clone(purposes), "letter"),
		"rep.": strs([]bonafide.RepresentativeType{
			bonafide.RepSelf, bonafide.RepLawyer, bonafide.RepLegalAid, bonafide.RepFamily, bonafide.RepGuardian, bonafide.RepHeir,
			bonafide.RepCharity, bonafide.RepPaidAgent, bonafide.RepUnknown,
		}),
		"ring.state.": rings, "rings.empty.": rings,
		"role.":        strs(bonafide.Roles),
		"route.":       {string(bonafide.RouteConfirmAuthority), string(bonafide.RouteVulnerable)},
		"search.kind.": searchKinds,
		"state.":       strs(casework.States),
		"thing.":       append(strs(bonafide.IdentifierKinds), "document", "letter"),
		"title.":       titles,
		"casestep.":    append(slices.Clone(casefile.Changes), "begin", "split-off", "split", "merge", "merged", "ask-report", "ask-lift-hold", "watched", "declare"),
		"case.part.":   {"about", "merit", "methods", "parties", "losses", "offences", "items", "tasks", "clocks", "history", "handovers", "requests", "watches", "people", "hold", "packs"},
		"cases.view.":  caseViews, "cases.empty.": append(slices.Clone(caseViews), "figure"),
		"category.":         bonafide.ItemCategories,
		"exit.":             strs(bonafide.Exits),
		"figure.case.":      caseFigures,
		"figure.complaint.": {"received", "decided", "level.level-1", "level.level-2", "level.individual", "level.information"},
		"itempurpose.":      itemPurposes,
		"lack.":             casefile.LackCodes(),
		"loss.":             bonafide.LossKinds,
		"move.":             moves,
		"partyrole.":        strs(bonafide.PartyRoles),
		"recipient.":        bonafide.Recipients,
		"record.":           itemRecords,
		"remark.":           custody.Codes(),
		"sign.":             {"word", "criterion", "fact", "thing", "channels", "burst"},
		"stage.":            strs(bonafide.Stages),
		"told.watch.":       bonafide.WatchKinds, "watch.": bonafide.WatchKinds,
		"variant.": sealVariants,
		"done.":    {"saved", "case-first", "case-moved", "case-sealed", "item-taken", "item-redacted", "item-declared", "ring-confirm", "ring-clear", "ring-reopen", "ring-first", "appeal-upheld", "appeal-rejected"},
	}
}

// ahead are the prefixes of keys that are used by what is not in templates or code:
// passkeys are confirmed by the script, and pages stand in the menu before they are made.
var ahead = regexp.MustCompile(`^(?:say\.|thing\.|done\.passkey$|title\.)`)

// A use is a key that something asks for; where it is composed, only its ends are known.
type use struct {
	prefix, suffix string
	composed       bool
	where          string
}

// templateUses finds the keys in templates.
func templateUses(t *testing.T) []use {
	t.Helper()
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	var out []use
	for _, name := range names {
		b, err := fs.ReadFile(templateFiles, name)
		if err != nil {
			t.Fatal(err)
		}
		trees := map[string]*parse.Tree{}
		p := parse.New(name)
		p.Mode = parse.SkipFuncCheck
		if _, err := p.Parse(string(b), "", "", trees); err != nil {
			t.Fatal(err)
		}
		for _, tree := range trees {
			walkNode(tree.Root, func(c *parse.CommandNode) {
				if len(c.Args) < 2 || !strings.HasSuffix(c.Args[0].String(), ".T") {
					return
				}
				switch a := c.Args[1].(type) {
				case *parse.StringNode:
					out = append(out, use{prefix: a.Text, where: name})
				case *parse.PipeNode:
					args := a.Cmds[0].Args
					if args[0].String() != "print" {
						return
					}
					u := use{composed: true, where: name}
					if s, ok := args[1].(*parse.StringNode); ok {
						u.prefix = s.Text
					}
					if s, ok := args[len(args)-1].(*parse.StringNode); ok && len(args) > 2 {
						u.suffix = s.Text
					}
					out = append(out, u)
				}
			})
		}
	}
	return out
}

// walkNode visits every command of a template.
func walkNode(n parse.Node, visit func(*parse.CommandNode)) {
	pipe := func(p *parse.PipeNode) {
		if p == nil {
			return
		}
		for _, c := range p.Cmds {
			visit(c)
			for _, a := range c.Args {
				walkNode(a, visit)
			}
		}
	}
	branch := func(b *parse.BranchNode) {
		pipe(b.Pipe)
		walkNode(b.List, visit)
		if b.ElseList != nil {
			walkNode(b.ElseList, visit)
		}
	}
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, x := range n.Nodes {
			walkNode(x, visit)
		}
	case *parse.ActionNode:
		pipe(n.Pipe)
	case *parse.PipeNode:
		pipe(n)
	case *parse.TemplateNode:
		pipe(n.Pipe)
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	}
}

// codeUses finds the keys in the package's code: what T and Has are called with, what
// done is, and every other string that is a key.
func codeUses(t *testing.T, all catalogue) []use {
	t.Helper()
	var out []use
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if s, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING && all[s] != nil {
					out = append(out, use{prefix: s, where: name})
				}
			case *ast.CallExpr:
				called := ""
				switch f := n.Fun.(type) {
				case *ast.SelectorExpr:
					called = f.Sel.Name
				case *ast.Ident:
					called = f.Name
				}
				arg, prefix := 0, ""
				switch {
				case called == "T" && len(n.Args) > 0, called == "Has" && len(n.Args) == 1:
				case called == "done" && len(n.Args) == 4:
					arg, prefix = 3, "done."
				default:
					return true
				}
				switch a := n.Args[arg].(type) {
				case *ast.BasicLit:
					if s, _ := strconv.Unquote(a.Value); s != "" {
						out = append(out, use{prefix: prefix + s, where: name})
					}
				case *ast.BinaryExpr:
					if l, ok := a.X.(*ast.BasicLit); ok && a.Op == token.ADD {
						s, _ := strconv.Unquote(l.Value)
						out = append(out, use{prefix: prefix + s, composed: true, where: name})
					}
				}
			}
			return true
		})
	}
	return out
}

func TestLocaleHasEveryKey(t *testing.T) {
	all := catalogues(t)
	values := composed(t)
	used := map[string]bool{}
	want := func(key, where string) {
		used[key] = true
		if all[key] == nil {
			t.Errorf("%s: no message %q", where, key)
		}
	}
	for prefix, vs := range values {
		for _, v := range vs {
			want(prefix+v, "composed")
		}
	}
	for _, u := range append(templateUses(t), codeUses(t, all)...) {
		if !u.composed {
			want(u.prefix, u.where)
			continue
		}
		if vs, ok := values[u.prefix]; ok {
			for _, v := range vs {
				if u.prefix+v != "level.none" && u.prefix+v != "outcome.none" {
					want(u.prefix+v+u.suffix, u.where)
				}
			}
			continue
		}
		// Nothing is known of its values but that there are some.
		found := false
		for key := range all {
			if strings.HasPrefix(key, u.prefix) && strings.HasSuffix(key, u.suffix) {
				used[key], found = true, true
			}
		}
		if !found {
			t.Errorf("%s: no message begins with %q", u.where, u.prefix)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if !used[key] && !ahead.MatchString(key) {
			t.Errorf("the message %q is used nowhere", key)
		}
	}
}

var places = regexp.MustCompile(`\{[0-9]\}`)

func TestLocaleFormsFitLanguages(t *testing.T) {
	needs := map[string][]string{"en": {"one", "other"}, "zh": {"other"}, "pt": {"one", "other"}}
	may := map[string][]string{"en": {"one", "other"}, "zh": {"other"}, "pt": {"one", "many", "other"}} // many: 1 milhão de
	for key, m := range catalogues(t) {
		want := slices.Compact(slices.Sorted(slices.Values(places.FindAllString(m["en"]["other"], -1))))
		plural := false
		for column, by := range m {
			plural = plural || len(by) > 1
			for form, text := range by {
				got := slices.Compact(slices.Sorted(slices.Values(places.FindAllString(text, -1))))
				if !slices.Equal(got, want) {
					t.Errorf("%s: %s %s fills in %v, English %v", key, column, form, got, want)
				}
				if text != strings.TrimSpace(text) && key != "list.comma" {
					t.Errorf("%s: %s begins or ends with a blank", key, column)
				}
			}
		}
		for column, by := range m {
			for _, form := range needs[column] {
				if plural && by[form] == "" {
					t.Errorf("%s: %s lacks the form %s", key, column, form)
				}
			}
			for form := range by {
				if !slices.Contains(may[column], form) {
					t.Errorf("%s: %s has no form %s", key, column, form)
				}
			}
		}
		for i := range want {
			if want[i] != "{"+strconv.Itoa(i)+"}" {
				t.Errorf("%s: places are not numbered from 0: %v", key, want)
			}
		}
	}
}

// english are words that no message in another language has.
var english = regexp.MustCompile(`(?i)\b(?:the|and|of|is|was|with|this|that|customers?|complaints?|letters?|shared?|ring|please|phone|level|evidence|people|person|appeals?|handling|nobody|search|saved|paper)\b`)

func TestLocaleSaysNothingInEnglish(t *testing.T) {
	for key, m := range catalogues(t) {
		for _, column := range []string{"zh", "pt"} {
			for _, text := range m[column] {
				if w := english.FindString(text); w != "" {
					t.Errorf("%s: %s says %q: %s", key, column, w, text)
				}
			}
		}
		for _, text := range m["zh"] {
			if !strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }) && strings.ContainsFunc(places.ReplaceAllString(text, ""), unicode.IsLetter) {
				t.Errorf("%s: zh has no Chinese: %s", key, text)
			}
			if regexp.MustCompile(`\p{Han}[,;:?!]|[,;:?!]\p{Han}`).MatchString(text) {
				t.Errorf("%s: zh has Western punctuation: %s", key, text)
			}
		}
		for form, text := range m["pt"] {
			if len([]rune(places.ReplaceAllString(text, ""))) > 12 && text == m["en"][form] {
				t.Errorf("%s: pt is English: %s", key, text)
			}
		}
	}
}

// accusing are words that say more of somebody than that something is proposed.
var accusing = regexp.MustCompile(`(?i)\b(?:fraud|fraudster|criminal|guilty|culprits?|suspects?|offenders?|golpista|criminoso|culpad[oa]|fraudador)\b|犯罪|诈骗|嫌疑人|黑名单|黑灰产分子`)

func TestLocaleAccusesNobody(t *testing.T) {
	for key, m := range catalogues(t) {
		for column, by := range m {
			for _, text := range by {
				if w := accusing.FindString(text); w != "" {
					t.Errorf("%s: %s says %q: %s", key, column, w, text)
				}
			}
		}
	}
}

var (
	action  = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	tagForm = regexp.MustCompile(`(?s)<!?(/?)([A-Za-z][A-Za-z0-9]*)((?:[^<>"]|"[^"]*")*)>`)
	attrs   = regexp.MustCompile(`(?s)([a-zA-Z-]+)="([^"]*)"`)
)

// literals returns what a template says by itself.
func literals(text string) []string {
	text = action.ReplaceAllString(text, "\x00")
	var out []string
	says := func(s string) {
		s = html.UnescapeString(strings.ReplaceAll(s, "\x00", " "))
		if s = strings.TrimSpace(strings.ReplaceAll(s, "bonafide", "")); strings.ContainsFunc(s, unicode.IsLetter) {
			out = append(out, s)
		}
	}
	from, inside := 0, ""
	for _, m := range tagForm.FindAllStringSubmatchIndex(text, -1) {
		if inside != "kbd" {
			says(text[from:m[0]])
		}
		from = m[1]
		name, inTag := strings.ToLower(text[m[4]:m[5]]), text[m[6]:m[7]]
		if inside = name; m[2] != m[3] {
			inside = ""
		}
		kind := ""
		for _, a := range attrs.FindAllStringSubmatch(inTag, -1) {
			if a[1] == "type" {
				kind = a[2]
			}
		}
		for _, a := range attrs.FindAllStringSubmatch(inTag, -1) {
			switch a[1] {
			case "title", "aria-label", "aria-description", "aria-roledescription", "placeholder", "alt", "label", "data-command":
				says(a[2])
			case "value":
				if name == "input" && kind != "hidden" && kind != "radio" && kind != "checkbox" {
					says(a[2])
				}
			}
		}
	}
	says(text[from:])
	return out
}

func TestNoLiteral(t *testing.T) {
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range literals(string(b)) {
			t.Errorf("%s says %q past the catalogues", name, s)
		}
	}
}

func TestNoLiteralFindsLiterals(t *testing.T) {
	for _, s := range []string{
		`<p>Hello</p>`, `<p title="Hello">{{.X}}</p>`, `<input type="text" value="Hello">`, `<input value="a{{.X}}">`, `{{if .X}}x{{end}}`,
		`<button aria-label="Go">{{.T "x"}}</button>`, `<p>{{.T "a"}} and {{.T "b"}}</p>`, `<img alt="x">`, `<kbd>j</kbd> next`, `<p>中</p>`,
	} {
		if len(literals(s)) == 0 {
			t.Errorf("nothing found in %s", s)
		}
	}
	for _, s := range []string{
		`<p class="note">{{.T "Hello"}}: 1 &amp; 2 · →</p>`, `<kbd>j</kbd> <kbd>Enter</kbd>`, `<span translate="no">bonafide</span>`,
		`<input type="hidden" name="verb" value="note">`, `<a href="/x?a={{.B}}&amp;after=1">{{.C}}</a>`, `<!doctype html>`,
	} {
		if got := literals(s); len(got) > 0 {
			t.Errorf("%q found in %s", got, s)
		}
	}
}
