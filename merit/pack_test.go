package merit

import (
	"errors"
	"strings"
	"testing"
	"time"

	"bonafide"

	"github.com/google/go-cmp/cmp"
)

func TestBuiltInPacksPassTheirOwnCases(t *testing.T) {
	if d := cmp.Diff([]string{"cn", "in", "uk", "us"}, List()); d != "" {
		t.Errorf("packs (-want +got):\n%s", d)
	}
	for _, id := range List() {
		p, err := Load(id)
		if err != nil {
			t.Fatal(err)
		}
		ran, failed := p.Test()
		for _, f := range failed {
			t.Errorf("%s, case %q: got %q, want %q", p.Name(), f.Case, f.Got, f.Want)
		}
		if ran == 0 {
			t.Errorf("%s carries no case", p.Name())
		}
	}
}

func TestForNamesThePackOfAJurisdiction(t *testing.T) {
	for pack, want := range map[string]string{"cn-nfra": "cn", "us-cfpb": "us", "uk-disp": "uk", "in-rbi": "in"} {
		if p, ok := For(pack); !ok || p.ID != want {
			t.Errorf("For(%s): got %v, want %s", pack, p, want)
		}
	}
	if p, ok := For("xx"); ok {
		t.Errorf("For(xx): got %v, want none", p.ID)
	}
	if _, err := Load("xx"); !errors.Is(err, bonafide.NotFound) || !strings.Contains(err.Error(), "cn, in, uk, us") {
		t.Errorf("Load(xx): got %v, want NotFound with the packs there are", err)
	}
}

const small = `id = "x"
version = "1"
title = "t"
jurisdiction = "X"
basis = "b"
zone = "Asia/Shanghai"
`

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no toml", "id = ", "line"},
		{"no id", strings.Replace(small, `id = "x"`, "", 1), "id: missing"},
		{"no rule", small, "one rule"},
		{"a key of no pack", small + "colour = 1\n", "colour: not a key"},
		{"a number without a basis", small + "look_back_days = 30\n[settled-still-dunned]\nbasis = \"b\"\n", "look_back_basis: missing"},
		{"a rule without a basis", small + "[settled-still-dunned]\n", "settled-still-dunned.basis: missing"},
		{"a standing of no kind", small + "[settled-still-dunned]\nbasis = \"b\"\nstanding = \"sure\"\n", "settled-still-dunned.standing"},
		{"no zone", strings.Replace(small, "Asia/Shanghai", "Asia/Nowhere", 1) + "[settled-still-dunned]\nbasis = \"b\"\n", "no zone"},
		{"no time of day", small + "[night-call]\nbasis = \"b\"\nfrom = \"ten\"\nuntil = \"08:00\"\n", "night-call.from"},
		{"25 o'clock", small + "[night-call]\nbasis = \"b\"\nfrom = \"22:00\"\nuntil = \"25:00\"\n", "night-call.until"},
		{"from and after", small + "[night-call]\nbasis = \"b\"\nfrom = \"22:00\"\nafter = \"22:00\"\nuntil = \"08:00\"\n", "either from or after"},
		{"no limit", small + "[too-many-calls]\nbasis = \"b\"\ncounts = \"effective\"\n", "calls_per_day"},
		{"what counts", small + "[too-many-calls]\nbasis = \"b\"\ncalls_per_day = 3\n", "too-many-calls.counts"},
		{"no line", small + "[cost-above-line]\n", "cost-above-line.line"},
		{"a line without a basis", small + "[[cost-above-line.line]]\nbp = 2400\n", "line[1].basis"},
		{"a line twice", small + "[[cost-above-line.line]]\nbp = 2400\nbasis = \"b\"\n[[cost-above-line.line]]\nbp = 2400\nbasis = \"b\"\n", "stands twice"},
		{"no days", small + "[credit-record-late]\nbasis = \"b\"\n", "credit-record-late.days"},
		{"outsourced fees", small + "[fee-outside-contract]\nbasis = \"b\"\noutsourced = true\n", "only rules of calls"},
		{"too large", strings.Repeat("#", maxPack+1), "larger"},
	} {
		_, err := Parse("mine.toml", []byte(c.text))
		if !errors.Is(err, bonafide.Invalid) || !strings.HasPrefix(err.Error(), "mine.toml: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an Invalid error with %q", c.name, err, c.want)
		}
	}
}

func TestPackSaysItsRules(t *testing.T) {
	p, err := Parse("mine.toml", []byte(small+"[settled-still-dunned]\nbasis = \"b\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Rule{{ID: SettledStillDunned, Standing: bonafide.Substantiated, Basis: "b"}}
	if d := cmp.Diff(want, p.Rules()); d != "" || p.LookBack != 365 || p.Name() != "x 1" {
		t.Errorf("%s with a look-back of %d: rules (-want +got):\n%s", p.Name(), p.LookBack, d)
	}
}

func TestParseRecordRefuses(t *testing.T) {
	for _, c := range []struct{ name, line, want string }{
		{"no JSON", `{"kind":`, "damaged JSON at byte"},
		{"cut short", `{"kind":"call",`, "damaged JSON: cut short"},
		{"no object", `7`, "not a JSON object"},
		{"no kind", `{"id":"1"}`, "kind: missing"},
		{"another kind", `{"kind":"letter"}`, "kind: not one of"},
		{"a field that calls lack", `{"kind":"call","id":"1","principal":1}`, "a field that such a record does not have"},
		{"a wrong value", `{"kind":"call","id":"1","customer_ref":"a","started":"2026-03-01T09:00:00Z","direction":"up","party":"debtor"}`, "direction: not one of in, out"},
		{"a number in quotes", `{"kind":"contract","id":"1","principal":"7"}`, "principal: not what belongs there: a whole number"},
		{"no time", `{"kind":"call","id":"1","started":"secret"}`, "times are written as"},
	} {
		_, err := ParseRecord([]byte(c.line))
		if !errors.Is(err, bonafide.Invalid) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want an Invalid error with %q", c.name, err, c.want)
		}
	}
	rec, err := ParseRecord([]byte(`{"kind":"failure","id":"7","customer_ref":"a","at":"2026-03-01T09:00:00Z","what":"payment"}`))
	row, customer := rec.Ref()
	if err != nil || row != (bonafide.RowRef{Kind: "failure", ID: "7"}) || customer != "a" {
		t.Errorf("a failure: got %v of %q, %v", row, customer, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, id := range List() {
		body, err := packs.ReadFile("packs/" + id + ".toml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Add([]byte(small + "[night-call]\nbasis = \"b\"\nfrom = \"22:00\"\nuntil = \"08:00\"\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse("fuzz", b)
		if err != nil {
			if !errors.Is(err, bonafide.Invalid) {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		if len(p.Rules()) == 0 || p.Zone() == nil {
			t.Fatal("a pack without rules or zone")
		}
		p.Test()
	})
}

func FuzzParseRecord(f *testing.F) {
	p, err := Load("cn")
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range p.cases {
		for _, r := range c.Records {
			f.Add([]byte(r))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		rec, err := ParseRecord(b)
		if err != nil {
			if !errors.Is(err, bonafide.Invalid) {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		if row, _ := rec.Ref(); row.ID == "" {
			t.Fatal("a record without an id")
		}
		var r Records
		r.Add(rec)
		p.Check(rowTime(rec), r, rowTime(rec), nil)
	})
}

// rowTime is a moment shortly after what a record tells.
func rowTime(rec Record) (at time.Time) {
	at = time.Date(2026, 3, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case rec.Call != nil:
		at = rec.Call.Started
	case rec.Failure != nil:
		at = rec.Failure.At
	}
	return at.Add(time.Hour)
}
