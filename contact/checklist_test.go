package contact

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"bonafide"

	"github.com/google/go-cmp/cmp"
)

func TestEveryJurisdictionHasEveryDemand(t *testing.T) {
	for _, j := range jurisdictions {
		for _, d := range Demands() {
			c := For(j, d)
			if c.ID != j+"/"+d || len(c.Items) == 0 || len(c.Items) > 5 || c.Rule == "" || len(c.Never) == 0 {
				t.Errorf("%s/%s: %+v", j, d, c)
			}
			for _, it := range c.Items {
				if it.Basis == "" {
					t.Errorf("%s: %s has no basis", c.ID, it.ID)
				}
			}
		}
	}
	if got := For("nowhere", "overcharge").ID; got != "any/overcharge" {
		t.Error(got)
	}
	if got := For("cn-nfra", "unheard-of").ID; got != "cn-nfra/other" {
		t.Error(got)
	}
	if got := For("nowhere", "unheard-of").ID; got != "any/other" {
		t.Error(got)
	}
}

// Everything that the lender holds is struck off, whatever it is.
func TestHeldMaterialIsStruckOff(t *testing.T) {
	held := map[string]bool{}
	for _, h := range Holdings {
		held[h] = true
	}
	for _, j := range jurisdictions {
		for _, d := range Demands() {
			c := For(j, d)
			for _, l := range c.Least(held) {
				if l.Struck != (l.Item.HeldBy != "") || l.Struck && l.Rule != c.Rule {
					t.Errorf("%s: %s struck %v by %q", c.ID, l.Item.ID, l.Struck, l.Rule)
				}
				var m Material
				err := m.Ask(c, held, l.Item.ID, "p", may, may.AddDate(0, 0, 7))
				if l.Struck != errors.Is(err, bonafide.Denied) || !l.Struck && err != nil {
					t.Errorf("%s: asks for %s, which is held: %v", c.ID, l.Item.ID, err)
				}
			}
			for _, l := range c.Least(nil) {
				if l.Struck {
					t.Errorf("%s: %s is struck though nothing is held", c.ID, l.Item.ID)
				}
			}
		}
	}
	_, rule := For("cn-nfra", "overcharge").Least(held)[2], For("cn-nfra", "overcharge").Rule
	if !strings.Contains(rule, "article 13") {
		t.Errorf("the Chinese rule: %s", rule)
	}
}

func TestMaterial(t *testing.T) {
	c := For("cn-nfra", "overcharge")
	held := map[string]bool{"contract": true}
	due := may.AddDate(0, 0, 7)
	var m Material
	for _, s := range []struct {
		item, by string
		due      time.Time
		want     error
	}{
		{"which-charge", "p", due, nil},
		{"which-charge", "p", due, bonafide.Conflict},
		{"contract-number", "p", due, bonafide.Denied},
		{"health-paper", "p", due, bonafide.Invalid},
		{"payment-proof", "", due, bonafide.Invalid},
		{"payment-proof", "p", may, bonafide.Invalid},
		{"payment-proof", "p", due, nil},
		{"what-happened", "p", due, nil},
	} {
		if err := m.Ask(c, held, s.item, s.by, may, s.due); !errors.Is(err, s.want) {
			t.Errorf("ask %s: %v, want %v", s.item, err, s.want)
		}
	}
	body, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var again Material
	if err := json.Unmarshal(body, &again); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(m, again); d != "" {
		t.Errorf("kept as JSON (-want +got):\n%s", d)
	}
	if n := len(m.Missing(may)); n != 3 {
		t.Errorf("%d missing, want 3", n)
	}
	if n := len(m.Missing(may.Add(-time.Hour))); n != 0 {
		t.Errorf("%d missing before anything was asked", n)
	}
	if err := m.Receive("payment-proof", "q", may.Add(time.Hour)); err != nil {
		t.Error(err)
	}
	if err := m.Receive("payment-proof", "q", may.Add(time.Hour)); !errors.Is(err, bonafide.Conflict) {
		t.Errorf("received twice: %v", err)
	}
	if err := m.Receive("contact", "q", may); !errors.Is(err, bonafide.NotFound) {
		t.Errorf("received unasked: %v", err)
	}
	if err := m.Waive("what-happened"); err != nil {
		t.Error(err)
	}
	if err := m.Waive("payment-proof"); !errors.Is(err, bonafide.Conflict) {
		t.Errorf("waived what was received: %v", err)
	}
	got := m.Missing(may.AddDate(1, 0, 0))
	if len(got) != 1 || got[0].Item != "which-charge" {
		t.Errorf("missing %+v", got)
	}
}

func TestLetter(t *testing.T) {
	c := For("cn-nfra", "calls")
	var m Material
	for _, item := range []string{"call-times", "recording", "what-happened"} {
		if err := m.Ask(c, nil, item, "p", may, may.AddDate(0, 0, 7)); err != nil {
			t.Fatal(err)
		}
	}
	date := func(t time.Time) string { return t.Format("2006-01-02") }
	held := map[string]bool{"call-recording": true} // turned up since
	for lang, want := range map[string][]string{
		"en":    {"About your complaint C-1", "1. What happened", "2. About when the calls came", "Why: ", "by 2026-05-11", "Your complaint goes on meanwhile", "bring it to a branch", "Papers about health", "Lender"},
		"zh-CN": {"关于您的投诉（编号C-1）", "1. 事情经过", "2. 大概什么时候来电", "原因：", "请在2026-05-11前提供", "照常办理", "到网点", "医疗材料"},
		"pt-BR": {"Sobre a sua reclamação C-1", "1. O que aconteceu", "2. Mais ou menos quando ligaram", "Por quê: ", "até 2026-05-11", "Sua reclamação segue enquanto isso", "agência", "Papéis de saúde"},
		"fr":    {"About your complaint C-1"},
	} {
		got := m.Letter(c, held, lang, "Lender", "C-1", may.AddDate(0, 0, 7), date)
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: %q is missing from\n%s", lang, w, got)
			}
		}
		if strings.Contains(got, "3. ") {
			t.Errorf("%s: asks for what is held:\n%s", lang, got)
		}
		for _, r := range []rule{{refusals, ""}, {suspicions, ""}, {promises, ""}} {
			if found := r.is.FindString(got); found != "" {
				t.Errorf("%s: says %q", lang, found)
			}
		}
	}
	if got := (Material{}).Letter(c, nil, "en", "Lender", "C-1", may, date); !strings.Contains(got, "We need nothing more from you") {
		t.Error(got)
	}
}

func TestDemand(t *testing.T) {
	for _, c := range []struct {
		demands []string
		want    string
	}{
		{nil, "other"},
		{[]string{"refund"}, "overcharge"},
		{[]string{"退息"}, "overcharge"},
		{[]string{"something", "stop-calls"}, "calls"},
		{[]string{"Stop_Interest"}, "hardship"},
		{[]string{"征信异议"}, "credit-record"},
		{[]string{"acordo"}, "settlement"},
		{[]string{"I want a refund because they called me at night"}, "other"}, // a letter is never read
	} {
		if got := Demand(c.demands); got != c.want {
			t.Errorf("%v: %s, want %s", c.demands, got, c.want)
		}
	}
	for w, d := range demandWords {
		if got := Demand([]string{strings.ToUpper(w)}); got != d {
			t.Errorf("%s: %s, want %s", w, got, d)
		}
	}
}

func TestChecklistFilesAreStrict(t *testing.T) {
	head := "jurisdiction = \"any\"\nrule = \"r\"\ntitles = { en = \"a\", zh = \"b\", pt = \"c\" }\n"
	for name, c := range map[string]struct{ text, want string }{
		"unknown field":        {head + "score = 1", "score: not a field"},
		"unknown jurisdiction": {strings.Replace(head, "any", "xx", 1), "jurisdiction"},
		"no rule":              {strings.Replace(head, `"r"`, `""`, 1), "rule: missing"},
		"held by nothing":      {head + "[[item]]\nid = \"x\"\nbasis = \"b\"\nheld_by = \"gossip\"", "item.x.held_by"},
		"no item":              {head + "[[checklist]]\ndemand = \"calls\"\nitems = [\"x\"]\ntitles = { en = \"a\", zh = \"b\", pt = \"c\" }", "checklist.calls.items"},
		"no demand":            {head + "[[checklist]]\ndemand = \"money\"", "checklist.money.demand"},
		"basis of nothing":     {head + "[basis]\nx = \"y\"", "basis.x"},
	} {
		if _, err := readLists([]byte(c.text), map[string]Item{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}
