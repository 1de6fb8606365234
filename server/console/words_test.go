package console

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bonafide"
	"bonafide/contact"
	"bonafide/internal/synth"
	"bonafide/pipeline"
	"bonafide/policy"
	"bonafide/signal/document"
	"bonafide/signal/text"
	"bonafide/signal/timing"
)

// known fails where the phrasebook does not know a sentence, once for each.
func known(t *testing.T, g tongue, seen map[string]bool, sentences ...string) {
	t.Helper()
	for _, s := range sentences {
		shape := regexp.MustCompile(`[0-9]+`).ReplaceAllString(s, "0")
		if seen[shape] {
			continue
		}
		seen[shape] = true
		said, ok := g.say(s, sayDepth)
		if !ok {
			t.Errorf("the phrasebook does not know %q", s)
			continue
		}
		if w := english.FindString(said); w != "" {
			t.Errorf("%s: %q is said with %q: %s", g.Tag, s, w, said)
		}
	}
}

// worlds are small made-up worlds in each language.
func worlds() []synth.Config {
	var out []synth.Config
	for _, lang := range []string{"en", "zh", "pt"} {
		for seed := range uint64(3) {
			out = append(out, synth.Config{Seed: 41 + seed, Size: 300, Lang: lang, Ease: float64(seed) / 2, AgentShare: 0.35})
		}
	}
	return append(out, synth.Config{Seed: 7, Size: 300, Lang: "en", Style: synth.Held, Ease: 1}, synth.Config{Seed: 8, Size: 300, Lang: "zh", Style: synth.Held2, Ease: 1})
}

// packs are the policy packs that come with the program.
func packs(t *testing.T) []*policy.Pack {
	t.Helper()
	var out []*policy.Pack
	for _, id := range policy.List() {
		p, err := policy.Load(id)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

func TestWordsOfScans(t *testing.T) {
	zh, pt := speaking(t, "zh"), speaking(t, "pt")
	seenZH, seenPT := map[string]bool{}, map[string]bool{}
	check := func(sentences ...string) {
		t.Helper()
		known(t, zh, seenZH, sentences...)
		known(t, pt, seenPT, sentences...)
	}
	public, err := text.PublicLetters()
	if err != nil {
		t.Fatal(err)
	}
	rings, things := 0, 0
	for _, pack := range packs(t) {
		for _, w := range worlds() {
			cs := synth.New(w).Complaints
			for i := range cs { // routes, forged papers, hidden numbers
				switch i % 40 {
				case 0:
					cs[i].Customer.Vulnerable = "illness"
				case 1:
					cs[i].Representative = &bonafide.Representative{Type: bonafide.RepLawyer}
				case 2:
					cs[i].Representative = &bonafide.Representative{Type: bonafide.RepFamily, Confirmed: true}
				case 3:
					cs[i].Representative = &bonafide.Representative{Type: bonafide.RepPaidAgent}
				}
				for d := range cs[i].Documents {
					if i%3 == 0 {
						cs[i].Documents[d].Verified = bonafide.Forged
					}
				}
			}
			cfg := pipeline.Config{Version: "test", Secret: []byte("test"), Policy: pack, Public: public}
			s := pipeline.NewScanner(cfg)
			for i := range cs {
				if err := s.Add(t.Context(), &cs[i]); err != nil {
					t.Fatal(err)
				}
			}
			r, err := s.Finish(t.Context(), bonafide.Read{Accepted: len(cs)}, nil)
			if err != nil {
				t.Fatal(err)
			}
			rings += len(r.Rings)
			check(r.NotProved...)
			check(r.Warnings...)
			for _, ring := range r.Rings {
				check(ring.Why...)
				check(ring.Innocent...)
				for _, tie := range ring.Ties {
					check(tie.Why...)
				}
				for _, shared := range ring.Shared {
					things++
					check(shared.Rarity)
					if m := ofKind.FindStringSubmatch(shared.Rarity); m != nil {
						check(m[1])
					}
					if got := zh.Thing(shared.Label); got == shared.Label {
						t.Errorf("no word for %q", shared.Label)
					}
				}
			}
			for _, v := range r.Complaints {
				check(v.Why...)
				check(v.Innocent...)
			}
			live := pipeline.NewLive(cfg, len(cs))
			for lo := 0; lo < len(cs); lo += 50 {
				var batch []pipeline.Reduced
				for i := lo; i < min(len(cs), lo+50); i++ {
					one, err := live.Reduce(t.Context(), &cs[i])
					if err != nil {
						t.Fatal(err)
					}
					batch = append(batch, one)
				}
				found, err := live.Screen(t.Context(), int64(lo+1), batch)
				if err != nil {
					t.Fatal(err)
				}
				live.Keep(int64(lo+1), batch)
				for _, f := range found {
					check(f.Why...)
					for _, l := range f.Links {
						for _, why := range l.Why {
							check(why.Text)
						}
					}
				}
			}
		}
	}
	if rings < 20 || things < 20 || len(seenZH) < 40 {
		t.Errorf("the worlds have %d rings, %d shared things and %d kinds of sentence: too few to tell", rings, things, len(seenZH))
	}
}

// ofKind finds the kind of thing in how rare it is to share one.
var ofKind = regexp.MustCompile(`^of the [0-9]+ (.+) seen`)

func TestWordsOfKinds(t *testing.T) {
	for _, column := range []string{"zh", "pt"} {
		g, seen := speaking(t, column), map[string]bool{}
		for _, kind := range append(strs(bonafide.IdentifierKinds), "document") {
			known(t, g, seen, kind, "the same "+kind+", used by 2 customers")
		}
		known(t, g, seen, "phones", "emails", "chat handles", "devices", "IP addresses", "addresses", "accounts", "mail senders", "documents")
	}
}

func TestWordsOfPolicyPacks(t *testing.T) {
	g, seen := speaking(t, "zh"), map[string]bool{}
	for _, p := range packs(t) {
		for _, r := range p.Rules {
			known(t, g, seen, r.Innocent...)
			known(t, g, seen, r.Title, r.Basis, fmt.Sprintf("%s: %s (%s)", r.ID, r.Title, r.Basis))
		}
	}
}

func TestWordsOfSignals(t *testing.T) {
	g, seen := speaking(t, "pt"), map[string]bool{}
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	l, ok := timing.Signal{}.Compare(bonafide.Trace{Complaint: "a", Body: at}, bonafide.Trace{Complaint: "b", Body: at.Add(time.Minute)})
	if !ok {
		t.Fatal("two complaints within a minute are not compared")
	}
	known(t, g, seen, l.Why[0].Text)
	papers := []bonafide.Paper{{Key: 7}}
	l, ok = document.Signal{}.Compare(bonafide.Trace{Complaint: "a", Body: papers}, bonafide.Trace{Complaint: "b", Body: papers})
	if !ok {
		t.Fatal("two equal papers are not compared")
	}
	known(t, g, seen, l.Why[0].Text)
	known(t, g, seen, text.Likeness{Jaccard: 0.5, Words: 40}.Reason().Text)
}

// said are what the engine writes into rings, events, tags and verdicts.
var said = []string{
	"7 customers share things and a way of writing (proposed, not decided)",
	"7 customers share things and a way of writing (confirmed by a person)",
	"several customers were filed with this phone (proposed, not decided): ask who is calling, and verify over a contact known before",
	"several customers were filed with this device (confirmed by a person): ask who is calling, and verify over a contact known before",
	"an agent may be behind this complaint (proposed, not decided): check its merit first, and answer it in time",
	"an agent may be acting for this customer (confirmed by a person): reach them over a contact known before, warn and help",
	"the ring 01J9 no longer warns here, or in other words",
	"12 complaints by different customers share things and a way of writing",
	"it was part of another ring, whose members the evidence now divides",
	"most of its members were cleared as part of another ring",
	"3 more complaints are tied to it",
	"1 more complaint is tied to it",
	"2 complaints are no longer tied to it",
	"1 complaint is no longer tied to it",
	"another level is proposed for its members",
	"its level rose to 1: a second person has to confirm it",
	"it was cleared with 4 members and has 9 more since: look again",
	"its members are part of another ring now",
	"what ties its members is no longer out of the ordinary, or was taken back",
	"one person confirmed it; level 1 needs a second",
	"a person looked at what ties it to others and cleared it",
	"a person looked at what ties it to others and cleared it on 2026-03-01: 同一家庭",
	"what tied it to others was taken back on appeal",
	"an appeal was upheld",
	"the person was erased",
	"answered before it came here",
	"2 more complaints are written from the same playbook and share nothing else: not members, information at most",
	"1 more complaint is written from the same playbook and shares nothing else: not members, information at most",
	"it also names a partly hidden phone that would fit phone 3; a hidden number proves nothing",
	"held back: wording and time alone are information",
}

func TestWordsOfEngine(t *testing.T) {
	for _, column := range []string{"zh", "pt"} {
		known(t, speaking(t, column), map[string]bool{}, said...)
	}
	// Whatever else the engine sets as a reason is in the phrasebook too.
	g, seen := speaking(t, "zh"), map[string]bool{}
	files, err := filepath.Glob("../../engine/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		ast.Inspect(parsed(t, name), func(n ast.Node) bool {
			a, ok := n.(*ast.AssignStmt)
			if !ok || len(a.Lhs) == 0 {
				return true
			}
			if s, ok := a.Lhs[len(a.Lhs)-1].(*ast.SelectorExpr); ok && s.Sel.Name == "Reason" {
				if text, ok := literal(a.Rhs[len(a.Rhs)-1], nil); ok && text != "" {
					known(t, g, seen, text)
				}
			}
			return true
		})
	}
	if len(seen) < 5 {
		t.Errorf("only %d reasons were found in the engine", len(seen))
	}
}

func parsed(t *testing.T, name string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

var (
	quotedPart = regexp.MustCompile(` ?"(?:[^"\\]|\\.)*"`) // as server.Refused leaves it out
	verbPart   = regexp.MustCompile(`%[-+#0-9.]*[a-z]`)
)

// literal reads a message of the code: a string, a constant, or a format filled in.
func literal(e ast.Expr, consts map[string]string) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		if err != nil || e.Kind != token.STRING {
			return "", false
		}
		s = verbPart.ReplaceAllStringFunc(s, func(v string) string {
			switch v[len(v)-1] {
			case 'd':
				return "7"
			case 'q':
				return `"x"`
			}
			return "decide"
		})
		return quotedPart.ReplaceAllString(s, ""), true
	case *ast.Ident:
		s, ok := consts[e.Name]
		return s, ok
	case *ast.CallExpr:
		if f, ok := e.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Sprintf" {
			return literal(e.Args[0], consts)
		}
	}
	return "", false
}

// operators are messages for whoever runs the program, at the machine or over the API:
// no page shows them.
var operators = regexp.MustCompile(`root key|public_url: not|never written over|database to copy into|URL of the database|database file cannot be opened for writing|brought up to date by a newer program|copy into this database|key to verify the log|idempotency key|lease|a tenant needs an id|there is a tenant already|needs an id$|needs a kind and an id|no pack of complaint rules|of a tag: ask for|the webhook of a delivery is gone|there is no decide$|the content of decide was erased|^use decide|cannot be known: there are`)

func TestWordsOfErrors(t *testing.T) {
	g, seen := speaking(t, "zh"), map[string]bool{}
	found := 0
	// The functions that make errors, by the place of their message.
	makers := map[string]int{"wrong": 1, "conflict": 0, "otherwise": 2, "busy": 0, "invalid": 0}
	for _, folder := range []string{".", "../../engine", "../../casework", "../../casefile", "../../store", "../../contact", "../auth", ".."} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		consts := map[string]string{}
		var all []*ast.File
		var names []string
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			f := parsed(t, name)
			all, names = append(all, f), append(names, name)
			ast.Inspect(f, func(n ast.Node) bool {
				if v, ok := n.(*ast.ValueSpec); ok {
					for i, x := range v.Values {
						if s, ok := literal(x, nil); ok {
							consts[v.Names[i].Name] = s
						}
					}
				}
				return true
			})
		}
		for i, f := range all {
			base := filepath.Base(names[i])
			if slices.Contains([]string{"body.go", "oidc.go", "pack.go", "calendar.go", "clock.go", "parse.go"}, base) && folder != "." {
				continue // of the API, of packs and settings read when the program starts
			}
			ast.Inspect(f, func(n ast.Node) bool {
				var at ast.Expr
				prefix := ""
				switch n := n.(type) {
				case *ast.KeyValueExpr:
					if k, ok := n.Key.(*ast.Ident); ok && (k.Name == "Msg" || k.Name == "Detail") {
						at = n.Value
					}
				case *ast.CallExpr:
					if fn, ok := n.Fun.(*ast.Ident); ok {
						if place, ok := makers[fn.Name]; ok && len(n.Args) > place {
							at = n.Args[place]
							if fn.Name == "invalid" && base == "password.go" {
								prefix = "password: "
							}
						}
					}
				}
				if at == nil {
					return true
				}
				if s, ok := literal(at, consts); ok && s != "" && !operators.MatchString(s) {
					found++
					known(t, g, seen, prefix+s)
				}
				return true
			})
		}
	}
	if found < 120 {
		t.Errorf("only %d messages were found in the code", found)
	}
	known(t, g, seen, "invalid", "not found", "conflict", "denied", "busy", "larger than 1048576 bytes: send less at once",
		"decide: reason: missing", "notify: not for a complaint that is received: it allows register, withdraw",
		"letter decision: outcome: missing", "extend: decision ended on 2026-03-01: a clock that is overdue cannot be extended")
}

// What scripts hold to be evidence, why ways are left out, why something is not asked for
// and what rules rest on can be read in each language.
func TestWordsOfConversations(t *testing.T) {
	for _, column := range []string{"zh", "pt"} {
		g, seen := speaking(t, column), map[string]bool{}
		for _, s := range scripts() {
			for _, step := range s.Steps {
				for _, c := range step.Choices {
					if c.Signal != nil {
						known(t, g, seen, c.Signal.Text, c.Signal.Innocent)
					}
				}
			}
		}
		for _, kind := range taskKinds {
			at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
			ways := []contact.Registered{{Way: bonafide.ByPhone, Value: "1", Since: at}, {Way: bonafide.ByEmail, Value: "2"}, {Way: bonafide.ByPost, Value: "3", Since: at.Add(-time.Hour)}}
			for _, received := range []time.Time{at, {}} {
				for _, came := range []func(bonafide.Way, string) bool{nil, func(bonafide.Way, string) bool { return true }} {
					for _, o := range contact.Ways(kind, received, ways, came) {
						if o.Refused != "" {
							known(t, g, seen, o.Refused)
						}
					}
				}
			}
		}
		for _, j := range []string{"cn-nfra", "us-cfpb", "uk-disp", "in-rbi", "any"} {
			for _, d := range contact.Demands() {
				known(t, g, seen, contact.For(j, d).Rule)
			}
		}
		known(
			t, g, seen, "answered by the link: yes", "answered by the link: no", "answered by the link: unsure", "read out the right code",
			"12 customers complained of it within 3 days", "as many days usually bring 0.25", "their breaches lie between 2026-03-01 and 2026-03-02 (UTC)",
			"the lender's log gives all of them one cause: PAY-7", "all of them are charges of one kind: guarantee",
		)
	}
}

// A breach is said in words in each language, with its values, whatever the rule.
func TestWordsOfFindings(t *testing.T) {
	for column, want := range map[string][]string{
		"en": {"3 calls between 22:00 and 08:00.", "On 1 day more than 3 calls a day, at most 5.", "2 operations (payment) failed on the lender's side.", "no such rule"},
		"zh": {"22:00 至 08:00 之间致电 3 次。", "有 1 天每日超过 3 次，最多 5 次。", "因本机构原因，还款操作失败 2 次。", "no such rule"},
		"pt": {"3 ligações entre 22:00 e 08:00.", "Em 1 dia, mais de 3 ligações por dia, no máximo 5.", "2 operações (pagamento) falharam do lado do credor.", "no such rule"},
	} {
		g := speaking(t, column)
		for i, f := range []bonafide.Finding{
			{Rule: "night-call", Facts: []string{"3", "22:00", "08:00"}},
			{Rule: "too-many-calls", Facts: []string{"1", "3", "5", "day"}},
			{Rule: "failed-operation", Facts: []string{"2", "payment", ""}},
			{Rule: "unheard-of", Text: "no such rule"},
		} {
			if got := g.Finding(f); got != want[i] {
				t.Errorf("%s: %q, want %q", column, got, want[i])
			}
		}
	}
}

// The reasons why files and rows are not used.
func TestWordsOfIntake(t *testing.T) {
	g, seen := speaking(t, "pt"), map[string]bool{}
	files, err := filepath.Glob("../../intake/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		base := filepath.Base(name)
		if strings.HasSuffix(name, "_test.go") || base == "mapping.go" || base == "one.go" {
			continue // mappings are written by hand, and one complaint comes over the API
		}
		ast.Inspect(parsed(t, name), func(n ast.Node) bool {
			var at ast.Expr
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if k, ok := n.Key.(*ast.Ident); ok && k.Name == "reason" {
					at = n.Value
				}
			case *ast.CallExpr:
				switch f := n.Fun.(type) {
				case *ast.SelectorExpr:
					if f.Sel.Name == "bad" || f.Sel.Name == "wrong" {
						at = n.Args[len(n.Args)-1]
					}
				case *ast.Ident:
					if f.Name == "refused" {
						at = n.Args[1]
					}
				}
			}
			if at != nil {
				if s, ok := literal(at, nil); ok && strings.Contains(s, " ") {
					known(t, g, seen, s)
				}
			}
			return true
		})
	}
	known(t, g, seen, "not valid JSON: it ends early at character 17: mend the line", "file.csv: empty file: nothing to read")
	if len(seen) < 40 {
		t.Errorf("only %d reasons were found in the code", len(seen))
	}
}

func TestSay(t *testing.T) {
	for _, tt := range []struct{ column, sentence, want string }{
		{"en", "1 customer was filed with phone 3; hardly ever shared", "1 customer was filed with phone 3; hardly ever shared"},
		{"zh", "7 customers were filed with phone 3; of the 1234 phones seen, 1 in 31 is shared by several customers", "7 名客户的投诉使用了电话 3；在出现过的 1,234 个电话中，每 31 个有 1 个由多名客户共用"},
		{"pt", "1 customer was filed with phone 3; of the 1234 phones seen, 1 in 31 is shared by several customers", "1 cliente teve reclamação registrada com telefone 3; entre 1.234 telefones observados, 1 em 31 é usado por vários clientes"}, //nolint:misspell // Portuguese
		{"zh", "K06: Illegal agency in the consumers' own names (China Banking Association draft 2024, C1; NIFA guide 2024, level 2)", "K06：以消费者本人名义的非法代理（中国银行业协会 2024 年标准草案 C1；互联网金融协会 2024 年指引，二级异常）"},
		{"pt", "their letters are more alike than strangers' letters on the same topic: on average 3.4 times the usual spread above what is usual", "as cartas são mais parecidas do que cartas de desconhecidos sobre o mesmo assunto: em média, 3,4 vezes a dispersão usual acima do habitual"},
		{"zh", "5 of 9 arrived from 2026-03-01 to 2026-03-04, where the lender's own rhythm would bring 1.2", "9 件中有 5 件在2026年3月1日至2026年3月4日期间收到，而按贷款机构的通常节奏应为 1.2 件"},
		{"zh", "decide: not for a complaint that is received: it allows register, withdraw", "投诉处于“已收到”状态，不能进行“作出决定”；可进行：“登记”、“客户撤回”。"},
		{"zh", "a person wrote: this (with care)", "a person wrote: this (with care)"},
		{"pt", "", ""},
		{"zh", "text\u202e with a turn", "text with a turn"},
	} {
		if got := speaking(t, tt.column).Say(tt.sentence); got != tt.want {
			t.Errorf("%s: Say(%q) = %q, want %q", tt.column, tt.sentence, got, tt.want)
		}
	}
}

func TestSayInPseudo(t *testing.T) {
	g := speaking(t, "en")
	g.Tag = pseudo
	for sentence, want := range map[string]string{
		"an appeal was upheld":         "⟦an appeal was upheld⟧",
		"what nobody has heard of yet": "what nobody has heard of yet",
	} {
		if got := g.Say(sentence); got != want {
			t.Errorf("Say(%q) = %q, want %q", sentence, got, want)
		}
	}
	if got := g.Thing("phone 3"); got != "⟦thing.phone 3⟧" {
		t.Errorf("Thing = %q", got)
	}
}

func TestThing(t *testing.T) {
	g := speaking(t, "zh")
	for label, want := range map[string]string{
		"phone 3": "电话 3", "document 12": "材料 12", "paper": "paper", "phone x": "phone x", "": "", "<b> 1": "<b> 1", "phone 3 4": "phone 3 4",
	} {
		if got := g.Thing(label); got != want {
			t.Errorf("Thing(%q) = %q, want %q", label, got, want)
		}
	}
}

func TestChannel(t *testing.T) {
	g := speaking(t, "en")
	for c, want := range map[string]string{
		"hotline": "Hotline", "regulator/12378": "Regulator (12378)", "": "–", "other": "Other", "other/fax": "Other (fax)",
		"pigeon": "Other (pigeon)", "pigeon/3": "Other (pigeon/3)", "app/a/b": "App (a/b)", "hotline/": "Hotline",
	} {
		if got := g.Channel(c); got != want {
			t.Errorf("Channel(%q) = %q, want %q", c, got, want)
		}
		if got := g.Channel(bonafide.Channel(c)); got != want {
			t.Errorf("Channel(bonafide.Channel(%q)) = %q, want %q", c, got, want)
		}
	}
}

func TestSayBearsAnything(t *testing.T) {
	g := speaking(t, "pt")
	long := strings.Repeat("a", 200_000)
	for _, s := range []string{
		long, strings.Repeat("(", 200_000), strings.Repeat("; ", 100_000), strings.Repeat("customers were filed with ", 8_000),
		strings.Repeat("an appeal was upheld: ", 1_400), "7 customers were filed with " + strings.Repeat("; ", 10_000) + "x",
		`.*+?()[]{}|^$\`, "{0} {1} {2}", "{9}", "\x00\xff", strings.Repeat("x: y (", 5_000) + ")", "held back: {0}",
		"1 customer was filed with {1}; {2}", strings.Repeat("notify, ", 4_000), "99999999999999999999999 more complaints are tied to it",
	} {
		start := time.Now()
		got := g.Say(s)
		if took := time.Since(start); took > 500*time.Millisecond {
			t.Errorf("%d bytes took %v", len(s), took)
		}
		if len(got) > 2*len(s)+1000 {
			t.Errorf("%d bytes became %d", len(s), len(got))
		}
	}
	if got := g.Say("<script>alert(1)</script>"); got != "<script>alert(1)</script>" {
		t.Errorf("Say = %q: templates escape, not Say", got)
	}
}

func FuzzSay(f *testing.F) {
	for _, s := range said {
		f.Add(s)
	}
	all, err := readCatalogue(localeFiles)
	if err != nil {
		f.Fatal(err)
	}
	g := tongue{Lang: langs[1], all: all, zone: time.UTC}
	f.Fuzz(func(t *testing.T, s string) {
		if got := g.Say(s); s == "" && got != "" {
			t.Errorf("nothing became %q", got)
		}
		g.Thing(s)
		g.Channel(s)
	})
}

// Whoever acts has a name in each language: every part of the program that the code knows.
func TestActorNames(t *testing.T) {
	parts := map[string]bool{}
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || strings.Contains(name, "node_modules") {
			return err
		}
		b, err := os.ReadFile(name)
		for _, m := range regexp.MustCompile(`\bSystem\("([^"]+)"\)`).FindAllStringSubmatch(string(b), -1) {
			parts[m[1]] = true
		}
		return err
	})
	if err != nil || len(parts) < 8 {
		t.Fatal(err, parts)
	}
	for _, column := range []string{"en", "zh", "pt"} {
		g := speaking(t, column)
		for part := range parts {
			if got := g.actorName(nil, "system:"+part); strings.HasPrefix(got, "⟦") || got == part {
				t.Errorf("%s: nobody knows what %q is", column, part)
			}
		}
		if got := g.actorName(nil, "key:01J9ZZZZABCDEF"); !strings.Contains(got, "ABCDEF") || got == "ABCDEF" {
			t.Errorf("%s: a key is %q", column, got)
		}
		if got := g.actorName(map[string]string{"person:1": "Ana"}, "person:1") + g.actorName(nil, "person:2") + g.actorName(nil, "system:unheard-of"); got != "Anaunheard-of" {
			t.Errorf("%s: %q", column, got)
		}
	}
}
