package contact

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"bonafide"

	"github.com/google/go-cmp/cmp"
)

func builtIns(t *testing.T) []*Script {
	t.Helper()
	var out []*Script
	for _, id := range List() {
		s, err := Load(id)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

func TestEveryScriptIsSoundAndItsCasesHold(t *testing.T) {
	if got := List(); !slices.Equal(got, order) {
		t.Fatalf("scripts %v, want %v", got, order)
	}
	for _, s := range builtIns(t) {
		for _, p := range s.Check() {
			t.Errorf("%s: %s", s.ID, p)
		}
		ran, failed := s.Test()
		if ran < 10 {
			t.Errorf("%s: %d cases, want at least 10", s.ID, ran)
		}
		for _, f := range failed {
			t.Errorf("%s: %s", s.ID, f)
		}
	}
}

func TestEveryScriptReachesEveryEnd(t *testing.T) {
	for _, s := range builtIns(t) {
		reached := map[string]bool{}
		for _, c := range s.Cases {
			answers, err := Answers(c.Answers)
			if err != nil {
				t.Fatal(err)
			}
			talk, err := s.Play(c.Known, answers)
			if err != nil {
				t.Fatalf("%s: %s: %v", s.ID, c.Name, err)
			}
			if talk.End != nil {
				reached[talk.End.ID] = true
			}
		}
		for _, e := range s.Ends {
			if !reached[e.ID] {
				t.Errorf("%s: no case reaches %s", s.ID, e.ID)
			}
		}
	}
}

// Safeguards 1, 5, 6 and 12, walked at random: whatever is known and answered, a
// conversation ends, no end does more than register or check authority, a
// vulnerable person comes to a trained one, a tag changes no end, and the white
// path is asked nothing more for a tag.
func TestSafeguardsHoldInEveryConversation(t *testing.T) {
	for _, s := range builtIns(t) {
		r := rand.New(rand.NewPCG(1, uint64(len(s.ID))))
		for range 3000 {
			var k Known
			for _, f := range Facts {
				*k.field(f) = r.IntN(2) == 0
			}
			var answers []bonafide.Answer
			talk, err := s.Play(k, nil)
			for err == nil && talk.End == nil {
				c := talk.Step.Choices[r.IntN(len(talk.Step.Choices))]
				left := talk.Left
				answers = append(answers, bonafide.Answer{Step: talk.Step.ID, Choice: c.ID})
				if talk, err = s.Play(k, answers); err == nil && talk.Left < left-1 {
					t.Fatalf("%s: %d questions left at least, then %d", s.ID, left, talk.Left)
				}
			}
			if err != nil {
				t.Fatalf("%s: %v", s.ID, err)
			}
			if len(answers) > 9 || !slices.Contains(Tracks, talk.End.Track) {
				t.Fatalf("%s: %d answers, track %q", s.ID, len(answers), talk.End.Track)
			}
			if (k.Vulnerable || frail(talk.Established)) && !(talk.Vulnerable && talk.End.Vulnerable) {
				t.Fatalf("%s: a vulnerable person comes to %s", s.ID, talk.End.ID)
			}
			for _, g := range talk.Signals {
				if g.Innocent == "" || g.Step == "" || g.Family.Hard() && g.Family != bonafide.FamilyIdentity {
					t.Fatalf("%s: signal %+v", s.ID, g)
				}
			}
			// Without the tag: the same answers, but for those to questions that only a
			// tag asks, lead to the same end.
			plain := k
			plain.Tagged = false
			var fewer []bonafide.Answer
			at, err := s.Play(plain, nil)
			for _, a := range answers {
				if err == nil && at.Step != nil && at.Step.ID == a.Step {
					fewer = append(fewer, a)
					at, err = s.Play(plain, fewer)
				}
			}
			if err != nil || at.End == nil || at.End.ID != talk.End.ID {
				t.Fatalf("%s: a tag changes the end from %+v to %s (%v)", s.ID, at.End, talk.End.ID, err)
			}
		}
	}
}

func TestWhitePathIsAskedNothingMoreForATag(t *testing.T) {
	s, err := Load("representative")
	if err != nil {
		t.Fatal(err)
	}
	answers, err := Answers([]string{"standing:counsel", "paper:held", "customer-there:later", "matter:told"})
	if err != nil {
		t.Fatal(err)
	}
	talk, err := s.Play(Known{Tagged: true, Representative: true, WhitePath: true}, answers)
	if err != nil || talk.Step.ID != "care" {
		t.Errorf("a lawyer is asked %+v (%v), want care", talk.Step, err)
	}
	talk, err = s.Play(Known{Tagged: true, Representative: true}, answers)
	if err != nil || talk.Step.ID != "fee" {
		t.Errorf("without the white path %+v (%v) is asked, want fee", talk.Step, err)
	}
}

func TestCallBackAsksOpenlyBeforeItNamesAnything(t *testing.T) {
	s, err := Load("call-back")
	if err != nil {
		t.Fatal(err)
	}
	if !s.NeedsKnown || s.Direction != "out" {
		t.Errorf("known channel %v, direction %s", s.NeedsKnown, s.Direction)
	}
	answers, err := Answers([]string{"right:customer"})
	if err != nil {
		t.Fatal(err)
	}
	talk, err := s.Play(Known{}, answers)
	if err != nil || !strings.Contains(talk.Step.Ask.In("en-GB"), "Did you write to us or complain to us lately") {
		t.Errorf("asked %+v (%v)", talk.Step, err)
	}
}

func TestPlayNamesTheStep(t *testing.T) {
	s, err := Load("incoming")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		answers []string
		want    string
	}{
		{[]string{"matter:calls"}, `incoming: answer 1: step who is asked here, not "matter"`},
		{[]string{"who:nobody"}, `incoming: answer 1: step who has no choice "nobody": it has self, for-another, not-said`},
		{[]string{"who:self", "matter:calls", "identity:answers", "care:danger", "wish:call"}, `incoming: answer 5: the conversation ended before with urgent`},
		{slices.Repeat([]string{"who:self"}, 61), `incoming: more than 60 answers`},
	} {
		answers, err := Answers(c.answers)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Play(Known{}, answers)
		if !errors.Is(err, bonafide.Invalid) || err.Error() != c.want {
			t.Errorf("%v: %v, want %s", c.answers, err, c.want)
		}
	}
}

// What is played twice is the same, and what a caller does with it changes no script.
func TestPlayIsPure(t *testing.T) {
	s, err := Load("incoming")
	if err != nil {
		t.Fatal(err)
	}
	answers, err := Answers(s.Cases[0].Answers)
	if err != nil {
		t.Fatal(err)
	}
	first, err := s.Play(Known{}, answers)
	if err != nil {
		t.Fatal(err)
	}
	first.Established.Facts[0] = "changed"
	second, err := s.Play(Known{}, answers)
	if err != nil || second.Established.Facts[0] != "overcharge" {
		t.Errorf("facts %v, %v", second.Established.Facts, err)
	}
}

func TestTextsFallBackToEnglish(t *testing.T) {
	x := Texts{"en": "a", "zh": "b", "pt": "c"}
	for lang, want := range map[string]string{"en": "a", "zh-CN": "b", "pt-BR": "c", "fr": "a", "": "a"} {
		if got := x.In(lang); got != want {
			t.Errorf("%q: %q, want %q", lang, got, want)
		}
	}
}

// small is a sound script that tests break in one place.
const small = `id = "small"
version = "1"
direction = "in"
start = "ask"
titles = { en = "Small", zh = "小", pt = "Pequeno" }
purpose = { en = "A test.", zh = "测试。", pt = "Um teste." }
never = [{ en = "Nothing.", zh = "无。", pt = "Nada." }]

[[step]]
id = "ask"
ask = { en = "Well?", zh = "怎么样？", pt = "E então?" }
why = { en = "To know.", zh = "了解。", pt = "Para saber." }

[[step.choice]]
id = "yes"
key = "y"
label = { en = "Yes", zh = "是", pt = "Sim" }
signal = { family = "conduct", criterion = "K04", text = "says it", innocent = "a figure of speech" }

[[step.choice.branch]]
when = ["vulnerable"]
next = "care"

[[step.choice.branch]]
next = "done"

[[step.choice]]
id = "ill"
key = "i"
label = { en = "Ill", zh = "病", pt = "Doente" }
next = "care"
establish = { vulnerability = "flagged", facts = ["illness"] }

[[step.choice]]
id = "more"
key = "m"
label = { en = "More", zh = "更多", pt = "Mais" }

[[step.choice.branch]]
when = ["tagged"]
next = "again"

[[step.choice.branch]]
when = ["vulnerable"]
next = "care"

[[step.choice.branch]]
next = "done"

[[step]]
id = "again"
ask = { en = "Again?", zh = "再来？", pt = "De novo?" }
why = { en = "To know.", zh = "了解。", pt = "Para saber." }

[[step.choice]]
id = "yes"
key = "y"
label = { en = "Yes", zh = "是", pt = "Sim" }

[[step.choice.branch]]
when = ["vulnerable"]
next = "care"

[[step.choice.branch]]
next = "done"

[[end]]
id = "done"
titles = { en = "Done", zh = "完成", pt = "Feito" }
say = { en = "Registered.", zh = "已登记。", pt = "Registrado." }
track = "register"

[[end]]
id = "care"
titles = { en = "Care", zh = "照顾", pt = "Cuidado" }
say = { en = "Registered.", zh = "已登记。", pt = "Registrado." }
track = "register"
vulnerable = true

[[case]]
name = "yes"
answers = ["ask:yes"]
want = { end = "done", signals = ["K04"], track = "register" }

[[case]]
name = "ill"
answers = ["ask:ill"]
want = { end = "care", established = { vulnerability = "flagged", facts = ["illness"] }, track = "register", vulnerable = true }

[[case]]
name = "more"
known = { tagged = true }
answers = ["ask:more", "again:yes"]
want = { end = "done", track = "register" }
`

func TestParseRefuses(t *testing.T) {
	if _, err := Parse("small.toml", []byte(small)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"an end that declines", `track = "register"`, `track = "decline"`, `end.done.track: "decline": only register and check-authority`},
		{"an end that extends", `track = "register"`, `track = "extend"`, `end.done.track: "extend"`},
		{"an end that closes", `track = "register"`, `track = "close"`, `end.done.track: "close"`},
		{"an end that withdraws", `track = "register"`, `track = "withdraw"`, `end.done.track: "withdraw"`},
		{"a letter that declines", `vulnerable = true`, "vulnerable = true\nletter = \"decline\"", `end.care.letter: "decline"`},
		{"an unknown verification", `vulnerable = true`, "verify = [{ kind = \"voice\" }]", `end.care.verify[1].kind: "voice"`},
		{"a language that is missing", `ask = { en = "Well?", zh = "怎么样？", pt = "E então?" }`, `ask = { en = "Well?", zh = "怎么样？" }`, `step.ask.ask.pt: missing`},
		{"a language nobody knows", `titles = { en = "Small",`, `titles = { xx = "?", en = "Small",`, `titles: only en, zh, pt`},
		{"no innocent explanation", `, innocent = "a figure of speech"`, ``, `step.ask.choice.yes.signal.innocent: missing`},
		{"a signal of voice", `family = "conduct"`, `family = "voice"`, `step.ask.choice.yes.signal.family: "voice"`},
		{"a criterion there is not", `"K04", text`, `"K17", text`, `step.ask.choice.yes.signal.criterion: "K17"`},
		{"a key twice", `key = "i"`, `key = "y"`, `step.ask.choice.ill.key: "y" stands twice`},
		{"a key of two letters", `key = "i"`, `key = "il"`, `step.ask.choice.ill.key: must be one letter`},
		{"the key that goes back", `key = "i"`, `key = "b"`, `step.ask.choice.ill.key: must be one letter`},
		{"a choice twice", `id = "ill"`, `id = "yes"`, `step.ask.choice[2].id`},
		{"a step that is not reached", `next = "again"`, `next = "ask"`, `step.again: cannot be reached`},
		{"an end that is not reached", "when = [\"vulnerable\"]\nnext = \"care\"\n\n[[step.choice.branch]]\nnext = \"done\"\n\n[[end]]\nid = \"done\"", "when = [\"vulnerable\"]\nnext = \"care\"\n\n[[step.choice.branch]]\nnext = \"done\"\n\n[[end]]\nid = \"third\"\ntitles = { en = \"x\", zh = \"x\", pt = \"x\" }\nsay = { en = \"x\", zh = \"x\", pt = \"x\" }\n\n[[end]]\nid = \"done\"", `end.third: cannot be reached`},
		{"a choice that leads nowhere", `next = "done"`, `next = "gone"`, `step.ask.choice.yes.branch[2].next: "gone" is neither`},
		{"an end by a tag", `next = "again"`, `next = "done"`, `a tag asks a question more`},
		{"a start that is none", `start = "ask"`, `start = "done"`, `start: "done" is no step`},
		{"an unknown condition", `["vulnerable"]`, `["rich"]`, `"rich" is neither`},
		{"a condition on no choice", `["vulnerable"]`, `["ask=maybe"]`, `"ask=maybe" names no step`},
		{"an unknown field", `direction = "in"`, "direction = \"in\"\nscore = 3", `score: not a field`},
		{"a value nobody can establish", `"flagged", facts`, `"severe", facts`, `establish.vulnerability: "severe"`},
		{"nothing that is never said", `never = [{ en = "Nothing.", zh = "无。", pt = "Nada." }]`, ``, `never: missing`},
		{"no direction", `direction = "in"`, `direction = "up"`, `direction: must be`},
		{"not TOML", `id = "small"`, `id = `, `line 1`},
	} {
		text := strings.Replace(small, c.old, c.new, 1)
		if text == small {
			t.Fatalf("%s: nothing was changed", c.name)
		}
		_, err := Parse("small.toml", []byte(text))
		if !errors.Is(err, bonafide.Invalid) || !strings.HasPrefix(fmt.Sprint(err), "small.toml: ") || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	if _, err := Parse("big.toml", make([]byte, maxScript+1)); !errors.Is(err, bonafide.Invalid) {
		t.Errorf("too large: %v", err)
	}
}

func TestCheckFinds(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"words that refuse", `say = { en = "Registered."`, `say = { en = "We cannot accept your complaint."`, `no words refuse or delay`},
		{"words that delay, in Chinese", `zh = "已登记。"`, `zh = "我们暂停处理。"`, `no words refuse or delay`},
		{"words that ask to give up", `pt = "Registrado."`, `pt = "Desista da reclamação."`, `no words refuse or delay`},
		{"a suspicion", `en = "Again?"`, `en = "We suspect an agency."`, `no suspicion is named`},
		{"a secret", `en = "Again?"`, `en = "Your password?"`, `is never asked for`},
		{"a diagnosis", `zh = "再来？"`, `zh = "您的诊断是什么？"`, `is never asked for`},
		{"a promise", `say = { en = "Registered."`, `say = { en = "We promise a refund."`, `no outcome is promised`},
		{"a tone", `text = "says it"`, `text = "sounded nervous"`, `never on how`},
		{"a case less", `answers = ["ask:ill"]`, `answers = ["ask:yes"]`, `end care: no case reaches it`},
		{"a choice that no case takes", `answers = ["ask:ill"]`, `answers = ["ask:yes"]`, `step ask: no case takes choice ill`},
		{"the vulnerable go astray", "key = \"i\"\nlabel = { en = \"Ill\", zh = \"病\", pt = \"Doente\" }\nnext = \"care\"", "key = \"i\"\nlabel = { en = \"Ill\", zh = \"病\", pt = \"Doente\" }\nnext = \"done\"", `end done: a vulnerable person can come to it`},
		{"danger that waits", "next = \"care\"\nestablish = { vulnerability = \"flagged\", facts = [\"illness\"] }", "next = \"again\"\nestablish = { vulnerability = \"flagged\", facts = [\"suicide-risk\"] }", `a risk of suicide goes to a trained person at once`},
		{"a tag that takes a question away", `when = ["tagged"]`, `when = ["!tagged"]`, `step again: a tag takes the question away`},
		{"failed and forgotten", `track = "register"`, `track = ""`, `end done: is reached where the identity failed`},
	} {
		base := small
		if c.name == "failed and forgotten" {
			base = strings.Replace(small, "signal = {", "establish = { identity = \"failed\" }\nsignal = {", 1)
		}
		text := strings.Replace(base, c.old, c.new, 1)
		if text == base {
			t.Fatalf("%s: nothing was changed", c.name)
		}
		s, err := Parse("small.toml", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := s.Check(); !slices.ContainsFunc(got, func(p string) bool { return strings.Contains(p, c.want) }) {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
	s, err := Parse("small.toml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string(nil), s.Check()); d != "" {
		t.Errorf("a sound script (-want +got):\n%s", d)
	}
}

// A loop that only its conditions close is found as well.
func TestCheckFindsALoopWithoutExit(t *testing.T) {
	text := strings.Replace(small, "[[step.choice.branch]]\nwhen = [\"tagged\"]\nnext = \"again\"", "[[step.choice.branch]]\nwhen = [\"customer\"]\nnext = \"again\"", 1)
	text = strings.Replace(text, "label = { en = \"Yes\", zh = \"是\", pt = \"Sim\" }\n\n[[step.choice.branch]]\nwhen = [\"vulnerable\"]\nnext = \"care\"", "label = { en = \"Yes\", zh = \"是\", pt = \"Sim\" }\n\n[[step.choice.branch]]\nwhen = [\"customer\"]\nnext = \"again\"", 1)
	s, err := Parse("loop.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Check(); !slices.Contains(got, "step again: a conversation may not come to an end from here") {
		t.Errorf("%v", got)
	}
}

func TestTestNamesWhatIsWrong(t *testing.T) {
	s, err := Parse("small.toml", []byte(strings.Replace(small, `want = { end = "done", signals = ["K04"], track = "register" }`, `want = { end = "care", signals = ["K01"], track = "" , verify = ["identity"], vulnerable = true, established = { purpose = "threat" } }`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	_, failed := s.Test()
	got := map[string]bool{}
	for _, f := range failed {
		got[f.Field] = true
	}
	want := map[string]bool{"end": true, "signals": true, "track": true, "verify": true, "vulnerable": true, "established": true}
	if !maps.Equal(got, want) {
		t.Errorf("failed %v, want %v", got, want)
	}
}

func TestLoadListsWhatThereIs(t *testing.T) {
	_, err := Load("secret")
	if !errors.Is(err, bonafide.NotFound) || !strings.Contains(err.Error(), "incoming, not-the-customer") {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte("id = 1"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Parse("x.toml", text)
		if err != nil {
			if !errors.Is(err, bonafide.Invalid) {
				t.Fatal(err)
			}
			return
		}
		s.Check()
		s.Test()
		for _, e := range s.Ends {
			if !slices.Contains(Tracks, e.Track) {
				t.Fatalf("track %q", e.Track)
			}
		}
	})
}
