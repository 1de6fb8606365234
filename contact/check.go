package contact

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"bonafide"
)

// Check returns what is wrong with a script that could be read, in words: ends and
// choices that no case takes, conversations that cannot come to an end, a tag or a
// vulnerability that leads astray, words that must not be said.
func (s *Script) Check() []string {
	out := s.uncovered()
	out = append(out, s.words()...)
	return append(out, s.paths()...)
}

// uncovered names the ends and choices that no case takes.
func (s *Script) uncovered() []string {
	ends, choices := map[string]bool{}, map[string]bool{}
	names := map[string]bool{}
	var out []string
	for i, c := range s.Cases {
		if c.Name == "" || names[c.Name] {
			out = append(out, fmt.Sprintf("case[%d]: a name of its own is needed", i+1))
		}
		names[c.Name] = true
		answers, err := Answers(c.Answers)
		if err != nil {
			continue // Test says so
		}
		t, err := s.Play(c.Known, answers)
		if err != nil || t.End == nil {
			continue
		}
		ends[t.End.ID] = true
		for _, a := range answers {
			choices[a.Step+":"+a.Choice] = true
		}
	}
	for _, e := range s.Ends {
		if !ends[e.ID] {
			out = append(out, fmt.Sprintf("end %s: no case reaches it", e.ID))
		}
	}
	for _, p := range s.Steps {
		for _, c := range p.Choices {
			if !choices[p.ID+":"+c.ID] {
				out = append(out, fmt.Sprintf("step %s: no case takes choice %s", p.ID, c.ID))
			}
		}
	}
	return out
}

// Words that have no place in a script. They catch slips of the pen; whoever wants
// to be unkind finds other words, so a person reads every script as well.
var (
	// emotions: a signal rests on what was said and never on how it was said.
	emotions = regexp.MustCompile(`(?i)\b(tone|emotion\w*|nervous\w*|ang(ry|er)|voice|accent|hesita\w*|aggressive\w*|stutter\w*|shouted|crying|upset|agitated|calm\w*|sounded|seemed)\b`)
	// refusals: what is said to a customer never refuses or delays the complaint, nor asks to give it up.
	refusals = regexp.MustCompile(`(?i)\b(we (refuse|decline|reject)|cannot (accept|take|handle) (your|the) complaint|complaint (is|was|will be) (refused|rejected|declined|dismissed|suspended|paused|closed)|put on hold|on hold|(drop|withdraw) (your|the) complaint|recusamos|não (aceitamos|trataremos)|reclamação (está |será |foi )?(recusada|suspensa|arquivada|encerrada|rejeitada)|(desista|desistir|retire|retirar) d?a (sua )?reclamação)\b|不予受理|不予处理|拒绝受理|不受理|暂停处理|暂停办理|中止办理|终止办理|撤诉|撤销投诉|撤回投诉|放弃投诉`)
	// suspicions are never named to a caller.
	suspicions = regexp.MustCompile(`(?i)\b(suspicio\w*|suspect\w*|malicious\w*|fraudster\w*|liar\w*|lying|grey industry|fake complaint\w*|suspeit\w*|fraudador\w*|mentir\w*)\b|má-fé|怀疑|嫌疑|可疑|恶意|黑产|反催收|异常投诉|骗子|撒谎|说谎`)
	// secrets are never asked for.
	secrets = regexp.MustCompile(`(?i)\b(passwords?|pin|cvv|one-time code|full card number|diagnos\w*|medical records?|senhas?|código de verificação|número completo do cartão|diagnóstico|prontuário)\b|密码|验证码|完整卡号|诊断|病历`)
	// promises of an outcome are never made.
	promises = regexp.MustCompile(`(?i)\b(we (promise|guarantee)|will certainly be (refunded|upheld)|prometemos|garantimos)\b|保证退|承诺退|一定会退|保证成功`)
)

// words names texts that say what must not be said.
func (s *Script) words() []string {
	var out []string
	look := func(field string, t Texts, rules ...rule) {
		for _, lang := range slices.Sorted(maps.Keys(t)) {
			for _, r := range rules {
				if found := r.is.FindString(t[lang]); found != "" {
					out = append(out, fmt.Sprintf("%s.%s: %q: %s", field, lang, found, r.why))
				}
			}
		}
	}
	said := []rule{
		{refusals, "no words refuse or delay a complaint"},
		{suspicions, "no suspicion is named to a caller"},
		{promises, "no outcome is promised"},
	}
	for _, p := range s.Steps {
		look("step "+p.ID+": ask", p.Ask, append([]rule{{secrets, "is never asked for"}}, said...)...)
		for _, c := range p.Choices {
			if g := c.Signal; g != nil {
				field := "step " + p.ID + ", choice " + c.ID + ": signal"
				look(field, Texts{"text": g.Text, "innocent": g.Innocent}, rule{emotions, "a signal rests on what was said, never on how"})
			}
		}
	}
	for _, e := range s.Ends {
		look("end "+e.ID+": titles", e.Titles, said...)
		look("end "+e.ID+": say", e.Say, said...)
		for i, o := range e.Offer {
			look(fmt.Sprintf("end %s: offer[%d]", e.ID, i+1), o, said...)
		}
	}
	return out
}

// A rule is words that must not stand somewhere, and why.
type rule struct {
	is  *regexp.Regexp
	why string
}

// A place is where a conversation can stand, as far as what follows depends on it.
type place struct {
	at    string // a step or an end
	given string // the earlier choices that conditions ask for, as "step=choice;"
	told  bonafide.Established
}

// key makes a place comparable.
func (p place) key() string {
	return p.at + "|" + p.given + "|" + p.told.Identity + "|" + p.told.Vulnerability
}

// A web is every place that conversations can come to under what is known.
type web struct {
	places map[string]place
	next   map[string][]string // from a key to keys
}

// maxPlaces bounds what Check looks at.
const maxPlaces = 50_000

// conditions returns the facts and the steps that conditions ask for.
func (s *Script) conditions() (facts []string, steps map[string]bool) {
	steps = map[string]bool{}
	for _, p := range s.Steps {
		for _, c := range p.Choices {
			for _, b := range c.Branches {
				for _, cond := range b.When {
					name := strings.TrimPrefix(cond, "!")
					if step, _, ok := strings.Cut(name, "="); ok {
						steps[step] = true
					} else if !slices.Contains(facts, name) {
						facts = append(facts, name)
					}
				}
			}
		}
	}
	return facts, steps
}

// explore follows every choice from the start. left bounds how many places it may
// still look at; it returns nil where that is not enough.
func (s *Script) explore(k Known, asked map[string]bool, left *int) *web {
	w := &web{places: map[string]place{}, next: map[string][]string{}}
	first := place{at: s.Start}
	w.places[first.key()] = first
	for todo := []place{first}; len(todo) > 0; todo = todo[1:] {
		if *left--; *left < 0 {
			return nil
		}
		from := todo[0]
		p := s.Step(from.at)
		if p == nil {
			continue
		}
		for i := range p.Choices {
			c := &p.Choices[i]
			given := map[string]string{}
			for pair := range strings.SplitSeq(from.given, ";") {
				if step, choice, ok := strings.Cut(pair, "="); ok {
					given[step] = choice
				}
			}
			given[p.ID] = c.ID
			e := establish(bonafide.Established{Identity: from.told.Identity, Vulnerability: from.told.Vulnerability}, c.Establish)
			to := place{at: c.next(k, given, e), told: e}
			for _, step := range slices.Sorted(maps.Keys(given)) {
				if asked[step] {
					to.given += step + "=" + given[step] + ";"
				}
			}
			key := to.key()
			w.next[from.key()] = append(w.next[from.key()], key)
			if _, ok := w.places[key]; !ok {
				w.places[key] = to
				todo = append(todo, to)
			}
		}
	}
	return w
}

// stuck returns a step from which no end can be come to, or whose nearest end is
// more answers away than a conversation has; "" where there is none.
func (w *web) stuck(s *Script) string {
	before := map[string][]string{}
	for from, all := range w.next {
		for _, to := range all {
			before[to] = append(before[to], from)
		}
	}
	far := map[string]int{}
	var todo []string
	for key, p := range w.places {
		if s.End(p.at) != nil {
			far[key] = 0
			todo = append(todo, key)
		}
	}
	for ; len(todo) > 0; todo = todo[1:] {
		for _, from := range before[todo[0]] {
			if _, ok := far[from]; !ok {
				far[from] = far[todo[0]] + 1
				todo = append(todo, from)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(w.places)) {
		if n, ok := far[key]; !ok || n > maxAnswers {
			return w.places[key].at
		}
	}
	return ""
}

// steps and ends are what can be come to.
func (w *web) come(s *Script) (steps, ends []string) {
	for _, p := range w.places {
		if s.End(p.at) != nil {
			ends = append(ends, p.at)
		} else {
			steps = append(steps, p.at)
		}
	}
	slices.Sort(steps)
	slices.Sort(ends)
	return slices.Compact(steps), slices.Compact(ends)
}

// paths follows every conversation under everything that can be known, and names
// what must not come of it.
func (s *Script) paths() []string {
	facts, asked := s.conditions()
	for _, always := range []string{"tagged", "vulnerable"} {
		if !slices.Contains(facts, always) {
			facts = append(facts, always)
		}
	}
	var out []string
	say := func(format string, args ...any) {
		if line := fmt.Sprintf(format, args...); !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	left := maxPlaces
	steps, ends := map[string]bool{}, map[string]bool{}
	for bits := range 1 << len(facts) {
		var k Known
		for i, f := range facts {
			*k.field(f) = bits&(1<<i) != 0
		}
		if k.Tagged {
			continue // looked at together with the contrary
		}
		plain := s.explore(k, asked, &left)
		k.Tagged = true
		tagged := s.explore(k, asked, &left)
		if plain == nil || tagged == nil {
			say("too many ways through the script to check: make it simpler")
			return out
		}
		plainSteps, plainEnds := plain.come(s)
		taggedSteps, taggedEnds := tagged.come(s)
		if !slices.Equal(plainEnds, taggedEnds) {
			say("a tag changes how a conversation can end: without %s, with %s", strings.Join(plainEnds, ", "), strings.Join(taggedEnds, ", "))
		}
		for _, p := range plainSteps {
			if !slices.Contains(taggedSteps, p) {
				say("step %s: a tag takes the question away: it may only add one", p)
			}
		}
		for _, w := range []*web{plain, tagged} {
			if p := w.stuck(s); p != "" {
				say("step %s: a conversation may not come to an end from here", p)
			}
			for _, p := range w.places {
				e := s.End(p.at)
				if e == nil {
					steps[p.at] = true
					continue
				}
				ends[p.at] = true
				if (k.Vulnerable || frail(p.told)) && !e.Vulnerable {
					say("end %s: a vulnerable person can come to it, and it routes to nobody trained", e.ID)
				}
				if p.told.Identity == "failed" && e.Track == "" && !slices.ContainsFunc(e.Verify, func(v Task) bool { return v.Kind == bonafide.VerifyIdentity }) {
					say("end %s: is reached where the identity failed, and neither registers the complaint nor asks the customer", e.ID)
				}
			}
		}
	}
	for _, p := range s.Steps {
		if !steps[p.ID] {
			say("step %s: no conversation comes to it", p.ID)
		}
		for _, c := range p.Choices {
			if !slices.Contains(c.Establish.Facts, "suicide-risk") {
				continue
			}
			for _, next := range c.leads() {
				if e := s.End(next); e == nil || !e.Vulnerable {
					say("step %s, choice %s: a risk of suicide goes to a trained person at once", p.ID, c.ID)
				}
			}
		}
	}
	for _, e := range s.Ends {
		if !ends[e.ID] {
			say("end %s: no conversation comes to it", e.ID)
		}
	}
	slices.Sort(out)
	return out
}
