package contact

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"bonafide"

	"github.com/google/go-cmp/cmp"
)

var may = time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)

func nothingCame(bonafide.Way, string) bool { return false }

func TestWays(t *testing.T) {
	received := may
	registered := []Registered{
		{bonafide.ByPhone, "old", may.AddDate(-2, 0, 0)},
		{bonafide.ByPhone, "held by whoever complained", may.AddDate(-1, 0, 0)},
		{bonafide.ByPhone, "new", may.AddDate(0, 0, 1)},
		{bonafide.ByEmail, "same moment", may},
		{bonafide.ByPost, "undated", time.Time{}},
		{bonafide.ByPost, "", may.AddDate(-1, 0, 0)},
	}
	came := func(_ bonafide.Way, v string) bool { return strings.HasPrefix(v, "held") }
	app, branch := Offer{Way: bonafide.ByApp}, Offer{Way: bonafide.ByBranch}
	for _, c := range []struct {
		name     string
		kind     bonafide.VerificationKind
		received time.Time
		came     func(bonafide.Way, string) bool
		want     []Offer
	}{
		{"identity", bonafide.VerifyIdentity, received, came, []Offer{
			{Way: bonafide.ByPhone, Value: "old"},
			app, branch,
			{Way: bonafide.ByPhone, Refused: tooLate},
			{Way: bonafide.ByEmail, Refused: tooLate},
			{Way: bonafide.ByPhone, Refused: cameAlong},
			{Way: bonafide.ByPost, Refused: notSince},
		}},
		{"no day", bonafide.VerifyAuthority, time.Time{}, came, []Offer{
			app, branch, {Way: bonafide.ByPhone, Refused: notDated}, {Way: bonafide.ByEmail, Refused: notDated}, {Way: bonafide.ByPost, Refused: notDated},
		}},
		{"nothing compared", bonafide.VerifySituation, received, nil, []Offer{
			app, branch, {Way: bonafide.ByPhone, Refused: tooLate}, {Way: bonafide.ByEmail, Refused: tooLate}, {Way: bonafide.ByPhone, Refused: notCompared}, {Way: bonafide.ByPost, Refused: notSince},
		}},
		{"a paper", bonafide.VerifyDocument, received, nothingCame, []Offer{
			{Way: bonafide.ByIssuer},
			{Way: bonafide.ByPhone, Refused: notForPapers},
			{Way: bonafide.ByEmail, Refused: notForPapers},
			{Way: bonafide.ByPost, Refused: notForPapers},
			{Way: bonafide.ByApp, Refused: notForPapers},
			{Way: bonafide.ByBranch, Refused: notForPapers},
		}},
		{"an unknown kind", "voice", received, nothingCame, nil},
	} {
		if d := cmp.Diff(c.want, Ways(c.kind, c.received, registered, c.came)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

// In thousands of made-up worlds, no offer and no attempt uses what came with the
// complaint, in whatever spelling, or what was registered when it had arrived.
func TestNothingIsVerifiedOverWhatTheComplaintBrought(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	ways := []bonafide.Way{bonafide.ByPhone, bonafide.ByEmail, bonafide.ByPost, bonafide.ByApp, bonafide.ByBranch, bonafide.ByIssuer}
	digits := func(s string) string {
		return strings.Map(func(c rune) rune {
			if c >= '0' && c <= '9' {
				return c
			}
			return -1
		}, s)
	}
	spell := func(n int) string { // one value, several spellings
		s := fmt.Sprintf("%04d", n)
		switch r.IntN(4) {
		case 0:
			return s[:2] + "-" + s[2:]
		case 1:
			return "+" + s
		case 2:
			return "(" + s[:2] + ") " + s[2:]
		}
		return s
	}
	offered, tried, refused := 0, 0, 0
	for range 5000 {
		received := may.Add(time.Duration(r.IntN(1000)-500) * time.Hour)
		if r.IntN(20) == 0 {
			received = time.Time{}
		}
		var registered []Registered
		for range r.IntN(8) {
			g := Registered{Way: ways[r.IntN(len(ways))], Value: spell(r.IntN(12)), Since: may.Add(time.Duration(r.IntN(1200)-600) * time.Hour)}
			if r.IntN(10) == 0 {
				g.Since = received
			}
			if r.IntN(15) == 0 {
				g.Since = time.Time{}
			}
			registered = append(registered, g)
		}
		brought := map[string]bool{} // digits
		for range r.IntN(5) {
			brought[digits(spell(r.IntN(12)))] = true
		}
		came := func(_ bonafide.Way, v string) bool { return brought[digits(v)] }
		kind := kinds[r.IntN(len(kinds))]
		offers := Ways(kind, received, registered, came)
		open := map[bonafide.Way]bool{}
		for _, o := range offers {
			if o.Refused != "" {
				if o.Value != "" {
					t.Fatal("a way that is left out carries its value")
				}
				continue
			}
			open[o.Way] = true
			offered++
			if kind == bonafide.VerifyDocument && o.Way != bonafide.ByIssuer {
				t.Fatalf("a paper is verified by %s", o.Way)
			}
			if o.Value == "" {
				if o.Way != bonafide.ByApp && o.Way != bonafide.ByBranch && o.Way != bonafide.ByIssuer {
					t.Fatalf("%s without a value", o.Way)
				}
				continue
			}
			if brought[digits(o.Value)] {
				t.Fatal("offers what came with the complaint")
			}
			if received.IsZero() || !slices.ContainsFunc(registered, func(g Registered) bool {
				return g.Way == o.Way && g.Value == o.Value && !g.Since.IsZero() && g.Since.Before(received)
			}) {
				t.Fatal("offers what was not registered before the complaint arrived")
			}
		}
		for _, w := range ways {
			now := may.Add(1000 * time.Hour)
			_, err := Try(bonafide.Verification{Kind: kind}, bonafide.Attempt{At: now, By: "p", Way: w, Result: bonafide.Unreached}, offers, now)
			if (err == nil) != open[w] {
				t.Fatalf("%s by %s: %v, offered %v", kind, w, err, open[w])
			}
			if err == nil {
				tried++
			} else {
				refused++
			}
		}
	}
	if offered < 5000 || tried < 5000 || refused < 5000 {
		t.Errorf("%d offered, %d tried, %d refused: the worlds test too little", offered, tried, refused)
	}
}

func TestTry(t *testing.T) {
	offers := Ways(bonafide.VerifyIdentity, may, []Registered{{bonafide.ByPhone, "1", may.AddDate(-1, 0, 0)}, {bonafide.ByEmail, "2", may.AddDate(0, 0, 1)}}, nothingCame)
	v := bonafide.Verification{Kind: bonafide.VerifyIdentity, Opened: may, Attempts: []bonafide.Attempt{{At: may.Add(time.Hour), By: "p", Way: bonafide.ByApp, Result: bonafide.Unreached}}}
	good := bonafide.Attempt{At: may.Add(2 * time.Hour), By: "p", Way: bonafide.ByPhone, Result: bonafide.Reached}
	now := may.Add(3 * time.Hour)
	change := func(f func(*bonafide.Verification, *bonafide.Attempt)) (bonafide.Verification, bonafide.Attempt) {
		v, a := v, good
		f(&v, &a)
		return v, a
	}
	got, err := Try(v, good, offers, now)
	if err != nil || len(got.Attempts) != 2 || got.Way != bonafide.ByPhone || len(v.Attempts) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	for name, c := range map[string]struct {
		change func(*bonafide.Verification, *bonafide.Attempt)
		want   bonafide.Kind
	}{
		"signed":           {func(v *bonafide.Verification, _ *bonafide.Attempt) { v.Outcome = "denied" }, bonafide.Conflict},
		"nobody":           {func(_ *bonafide.Verification, a *bonafide.Attempt) { a.By = "" }, bonafide.Invalid},
		"no time":          {func(_ *bonafide.Verification, a *bonafide.Attempt) { a.At = time.Time{} }, bonafide.Invalid},
		"in the future":    {func(_ *bonafide.Verification, a *bonafide.Attempt) { a.At = now.Add(1) }, bonafide.Invalid},
		"before the last":  {func(_ *bonafide.Verification, a *bonafide.Attempt) { a.At = may.Add(time.Minute) }, bonafide.Invalid},
		"before it opened": {func(v *bonafide.Verification, a *bonafide.Attempt) { v.Attempts, a.At = nil, may.Add(-1) }, bonafide.Invalid},
		"no result":        {func(_ *bonafide.Verification, a *bonafide.Attempt) { a.Result = "" }, bonafide.Invalid},
		"registered since": {func(_ *bonafide.Verification, a *bonafide.Attempt) { a.Way = bonafide.ByEmail }, bonafide.Denied},
		"not on record":    {func(_ *bonafide.Verification, a *bonafide.Attempt) { a.Way = bonafide.ByPost }, bonafide.Denied},
		"an issuer":        {func(_ *bonafide.Verification, a *bonafide.Attempt) { a.Way = bonafide.ByIssuer }, bonafide.Denied},
		"a paper by phone": {func(v *bonafide.Verification, _ *bonafide.Attempt) { v.Kind = bonafide.VerifyDocument }, bonafide.Denied},
		"an issuer who sulks": {func(v *bonafide.Verification, a *bonafide.Attempt) {
			v.Kind, a.Result = bonafide.VerifyDocument, bonafide.RefusedTalk
		}, bonafide.Invalid},
	} {
		v, a := change(c.change)
		if _, err := Try(v, a, offers, now); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func TestSign(t *testing.T) {
	at := func(kind bonafide.VerificationKind, results ...bonafide.AttemptResult) bonafide.Verification {
		v := bonafide.Verification{Kind: kind, Opened: may}
		for i, r := range results {
			v.Attempts = append(v.Attempts, bonafide.Attempt{At: may.Add(time.Duration(i) * time.Hour), By: "p", Result: r})
		}
		return v
	}
	signed := at(bonafide.VerifyIdentity, bonafide.Reached)
	signed.Outcome = "confirmed"
	const ok = bonafide.Kind("")
	for _, c := range []struct {
		name             string
		v                bonafide.Verification
		outcome, finding string
		criterion        bonafide.Criterion
		innocent, by     string
		want             bonafide.Kind
	}{
		{"confirmed", at(bonafide.VerifyIdentity, bonafide.Unreached, bonafide.Reached), "confirmed", "it was theirs", "", "", "p", ok},
		{"denied, nothing more", at(bonafide.VerifyIdentity, bonafide.Reached), "denied", "not theirs", "", "", "p", ok},
		{"open-ended without an attempt", at(bonafide.VerifySituation), "open-ended", "", "", "", "p", ok},
		{"K01", at(bonafide.VerifyIdentity, bonafide.Reached), "denied", "not theirs", "K01", "no spouse, no illness", "p", ok},
		{"K07", at(bonafide.VerifyIdentity, bonafide.Reached), "denied", "dictated", "K07", "no interpreter", "p", ok},
		{"K02", at(bonafide.VerifyDocument, bonafide.Reached), "denied", "never issued", "K02", "no error of the issuer", "p", ok},
		{"K03", at(bonafide.VerifyAuthority, bonafide.Reached), "denied", "no such lawyer", "K03", "no trainee", "p", ok},
		{"K06", at(bonafide.VerifyAuthority, bonafide.Reached), "denied", "paid agency", "K06", "no law firm", "p", ok},
		{"signed before", signed, "confirmed", "x", "", "", "p", bonafide.Conflict},
		{"no such outcome", at(bonafide.VerifyIdentity, bonafide.Reached), "guilty", "x", "", "", "p", bonafide.Invalid},
		{"nobody signs", at(bonafide.VerifyIdentity, bonafide.Reached), "confirmed", "x", "", "", " ", bonafide.Invalid},
		{"nobody was reached", at(bonafide.VerifyIdentity, bonafide.Unreached), "denied", "x", "", "", "p", bonafide.Invalid},
		{"somebody else was reached", at(bonafide.VerifyIdentity, bonafide.OtherPerson), "denied", "x", "", "", "p", bonafide.Invalid},
		{"a refusal is no denial", at(bonafide.VerifyIdentity, bonafide.RefusedTalk), "denied", "x", "", "", "p", bonafide.Invalid},
		{"nothing was found", at(bonafide.VerifyIdentity, bonafide.Reached), "denied", " ", "", "", "p", bonafide.Invalid},
		{"a criterion without the innocent explanation", at(bonafide.VerifyIdentity, bonafide.Reached), "denied", "x", "K01", " ", "p", bonafide.Invalid},
		{"a criterion of what was confirmed", at(bonafide.VerifyIdentity, bonafide.Reached), "confirmed", "x", "K01", "y", "p", bonafide.Invalid},
		{"a criterion left open", at(bonafide.VerifyIdentity, bonafide.Reached), "open-ended", "x", "K01", "y", "p", bonafide.Invalid},
		{"a criterion of another kind", at(bonafide.VerifyIdentity, bonafide.Reached), "denied", "x", "K02", "y", "p", bonafide.Invalid},
		{"a situation shows none", at(bonafide.VerifySituation, bonafide.Reached), "denied", "x", "K06", "y", "p", bonafide.Invalid},
		{"K09 is not signed", at(bonafide.VerifyDocument, bonafide.Reached), "denied", "x", "K09", "y", "p", bonafide.Invalid},
	} {
		got, err := Sign(c.v, c.outcome, c.finding, c.criterion, c.innocent, c.by, may.Add(9*time.Hour))
		if c.want == ok {
			if err != nil || got.Outcome != c.outcome || got.SignedBy != c.by || got.Criterion != c.criterion || got.Signed.IsZero() {
				t.Errorf("%s: %+v, %v", c.name, got, err)
			}
		} else if !errors.Is(err, c.want) || !cmp.Equal(got, c.v) {
			t.Errorf("%s: %v, want %s and nothing changed", c.name, err, c.want)
		}
	}
	if _, err := Sign(at(bonafide.VerifyIdentity, bonafide.Reached), "confirmed", "x", "", "", "p", may.Add(-time.Hour)); !errors.Is(err, bonafide.Invalid) {
		t.Errorf("signed before the attempt: %v", err)
	}
}

func TestK09NeedsForgeryAndThreeRefusals(t *testing.T) {
	refuse := func(kind bonafide.VerificationKind, result bonafide.AttemptResult, hours ...int) bonafide.Verification {
		v := bonafide.Verification{Kind: kind}
		for _, h := range hours {
			v.Attempts = append(v.Attempts, bonafide.Attempt{At: may.Add(time.Duration(h) * time.Hour), Result: result})
		}
		return v
	}
	forged := bonafide.Verification{Kind: bonafide.VerifyDocument, Outcome: "denied", Criterion: "K02", SignedBy: "p"}
	denied := bonafide.Verification{Kind: bonafide.VerifyDocument, Outcome: "denied", SignedBy: "p"}
	for _, c := range []struct {
		name string
		vs   []bonafide.Verification
		days int
		want bool
	}{
		{"both", []bonafide.Verification{forged, refuse(bonafide.VerifyIdentity, bonafide.RefusedTalk, 0, 24, 48)}, 3, true},
		{"over several verifications", []bonafide.Verification{refuse(bonafide.VerifyIdentity, bonafide.RefusedTalk, 48), refuse(bonafide.VerifySituation, bonafide.RefusedTalk, 0, 24), forged}, 3, true},
		{"two days", []bonafide.Verification{forged, refuse(bonafide.VerifyIdentity, bonafide.RefusedTalk, 0, 24)}, 2, false},
		{"thrice on one day", []bonafide.Verification{forged, refuse(bonafide.VerifyIdentity, bonafide.RefusedTalk, 0, 1, 2)}, 1, false},
		{"from eight to ten in the evening is one day", []bonafide.Verification{forged, refuse(bonafide.VerifyIdentity, bonafide.RefusedTalk, 0, 14, 38)}, 2, false},
		{"nobody answered", []bonafide.Verification{forged, refuse(bonafide.VerifyIdentity, bonafide.Unreached, 0, 24, 48)}, 0, false},
		{"somebody else answered", []bonafide.Verification{forged, refuse(bonafide.VerifyIdentity, bonafide.OtherPerson, 0, 24, 48)}, 0, false},
		{"an issuer's refusal is not the customer's", []bonafide.Verification{forged, refuse(bonafide.VerifyDocument, bonafide.RefusedTalk, 0, 24, 48)}, 0, false},
		{"no forgery", []bonafide.Verification{refuse(bonafide.VerifyIdentity, bonafide.RefusedTalk, 0, 24, 48)}, 3, false},
		{"denied and not signed as false", []bonafide.Verification{denied, refuse(bonafide.VerifyIdentity, bonafide.RefusedTalk, 0, 24, 48)}, 3, false},
		{"nothing", nil, 0, false},
	} {
		got, why := K09(c.vs)
		if got != c.want || why == "" || Refusals(c.vs) != c.days {
			t.Errorf("%s: %v %q, %d days; want %v, %d", c.name, got, why, Refusals(c.vs), c.want, c.days)
		}
	}
}
