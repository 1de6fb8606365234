package contact

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"bonafide"
)

// A Registered is a way to reach the customer, as the lender's record had it at a
// time.
type Registered struct {
	Way   bonafide.Way `json:"way"`
	Value string       `json:"value,omitempty"` // "" for app and branch
	Since time.Time    `json:"since"`           // since when it stands in the record
}

// An Offer is a way over which something may be verified, or one that is left out
// and why. Value is empty where the way is left out, so that nobody uses it.
type Offer struct {
	Way     bonafide.Way `json:"way"`
	Value   string       `json:"value,omitempty"`
	Refused string       `json:"refused,omitempty"` // why it is left out; "" where it is offered
}

// String returns the way and keeps the value out of logs.
func (o Offer) String() string { return string(o.Way) }

// String returns the way and keeps the value out of logs.
func (r Registered) String() string { return string(r.Way) }

// Why a way is left out. The texts name no value.
const (
	notForPapers = "a paper is verified with its issuer, over the issuer's own published address and never one printed on it"
	notDated     = "it is not known when the complaint arrived: nothing registered can be told from what came later"
	notSince     = "it is not known since when it stands in the record"
	tooLate      = "registered when or after the complaint arrived"
	cameAlong    = "the complaint came with it: whoever complained may hold it"
	notCompared  = "not compared with what the complaint came with"
)

// Ways returns the ways over which something about a complaint may be verified:
// registered before the dispute began and not among what the complaint came with,
// the latest registered first. The app and a branch are there always, except for a
// paper, which goes to its issuer alone. came reports whether the complaint came
// with a value, in whatever spelling.
func Ways(kind bonafide.VerificationKind, received time.Time, registered []Registered, came func(bonafide.Way, string) bool) []Offer {
	if !slices.Contains(kinds, kind) {
		return nil
	}
	registered = slices.Clone(registered)
	slices.SortStableFunc(registered, func(a, b Registered) int { return b.Since.Compare(a.Since) })
	var offered, left []Offer
	for _, r := range registered {
		if r.Way != bonafide.ByPhone && r.Way != bonafide.ByEmail && r.Way != bonafide.ByPost || strings.TrimSpace(r.Value) == "" {
			continue
		}
		why := ""
		switch {
		case kind == bonafide.VerifyDocument:
			why = notForPapers
		case received.IsZero():
			why = notDated
		case r.Since.IsZero():
			why = notSince
		case !r.Since.Before(received):
			why = tooLate
		case came == nil:
			why = notCompared
		case came(r.Way, r.Value):
			why = cameAlong
		}
		o := Offer{Way: r.Way, Value: r.Value}
		if why != "" {
			o = Offer{Way: r.Way, Refused: why}
			if !slices.Contains(left, o) {
				left = append(left, o)
			}
		} else if !slices.Contains(offered, o) {
			offered = append(offered, o)
		}
	}
	if kind == bonafide.VerifyDocument {
		offered = []Offer{{Way: bonafide.ByIssuer}}
		left = append(left, Offer{Way: bonafide.ByApp, Refused: notForPapers}, Offer{Way: bonafide.ByBranch, Refused: notForPapers})
	} else {
		offered = append(offered, Offer{Way: bonafide.ByApp}, Offer{Way: bonafide.ByBranch})
	}
	return append(offered, left...)
}

// Try adds an attempt. A way that is not offered, a verification that is signed, and
// an attempt that lies in the future or before the last one are errors.
func Try(v bonafide.Verification, a bonafide.Attempt, offers []Offer, now time.Time) (bonafide.Verification, error) {
	last := v.Opened
	if n := len(v.Attempts); n > 0 {
		last = v.Attempts[n-1].At
	}
	paper := v.Kind == bonafide.VerifyDocument
	switch {
	case v.Outcome != "":
		return v, &bonafide.Error{Kind: bonafide.Conflict, Msg: "the verification is signed: open another one"}
	case a.By == "":
		return v, invalid("by: missing: say who tried")
	case a.At.IsZero():
		return v, invalid("at: missing")
	case a.At.After(now):
		return v, invalid("at: lies in the future")
	case a.At.Before(last):
		return v, invalid("at: lies before the verification was opened or last tried")
	case a.Result != bonafide.Unreached && a.Result != bonafide.Reached && (paper || a.Result != bonafide.OtherPerson && a.Result != bonafide.RefusedTalk):
		return v, invalid("result: %q cannot come of it", a.Result)
	}
	if paper != (a.Way == bonafide.ByIssuer) {
		return v, &bonafide.Error{Kind: bonafide.Denied, Msg: "way: a paper is verified with its issuer, and nothing else is"}
	}
	if !slices.ContainsFunc(offers, func(o Offer) bool { return o.Way == a.Way && o.Refused == "" }) {
		why := "it is not a way that was known before the complaint arrived"
		if i := slices.IndexFunc(offers, func(o Offer) bool { return o.Way == a.Way }); i >= 0 {
			why = offers[i].Refused
		}
		return v, &bonafide.Error{Kind: bonafide.Denied, Msg: fmt.Sprintf("way: %s cannot be used: %s", a.Way, why)}
	}
	v.Attempts = append(slices.Clip(v.Attempts), a)
	if v.Way == "" {
		v.Way = a.Way
	}
	return v, nil
}

// Outcomes are what a person can sign.
var Outcomes = []string{"confirmed", "denied", "open-ended"}

// verifies are the criteria that a denied verification of a kind can verify.
var verifies = map[bonafide.VerificationKind][]bonafide.Criterion{
	bonafide.VerifyIdentity:  {"K01", "K07"},
	bonafide.VerifyAuthority: {"K03", "K06"},
	bonafide.VerifyDocument:  {"K02"},
}

// Sign closes a verification with what a person found. Confirmed and denied need an
// attempt that reached the right person, or the issuer; a criterion needs denied,
// the innocent explanation that was tested, and a name to answer for it. K09 is
// never signed here: see [K09].
func Sign(v bonafide.Verification, outcome, finding string, criterion bonafide.Criterion, innocent, by string, now time.Time) (bonafide.Verification, error) {
	last := v.Opened
	if n := len(v.Attempts); n > 0 {
		last = v.Attempts[n-1].At
	}
	reached := slices.ContainsFunc(v.Attempts, func(a bonafide.Attempt) bool { return a.Result == bonafide.Reached })
	finding, innocent, by = strings.TrimSpace(finding), strings.TrimSpace(innocent), strings.TrimSpace(by)
	switch {
	case v.Outcome != "":
		return v, &bonafide.Error{Kind: bonafide.Conflict, Msg: "the verification is signed already"}
	case !slices.Contains(Outcomes, outcome):
		return v, invalid("outcome: %q: only %s", outcome, strings.Join(Outcomes, ", "))
	case by == "":
		return v, invalid("by: missing: a person signs by name")
	case now.IsZero() || now.Before(last):
		return v, invalid("signed: lies before the last attempt")
	case outcome != "open-ended" && !reached:
		return v, invalid("outcome: %s needs an attempt that reached the right person, or the issuer", outcome)
	case outcome != "open-ended" && finding == "":
		return v, invalid("finding: missing: say what was found, in a sentence")
	case len([]rune(finding)) > maxText || len([]rune(innocent)) > maxText:
		return v, invalid("finding: longer than %d characters: no copy of a paper belongs here", maxText)
	}
	if criterion != "" {
		switch {
		case criterion == "K09":
			return v, invalid("criterion: K09 is never signed by itself: it needs a paper proved false and three days on which the customer in person refused to talk")
		case !slices.Contains(verifies[v.Kind], criterion):
			return v, invalid("criterion: verifying %s cannot show %s", v.Kind, criterion)
		case outcome != "denied":
			return v, invalid("criterion: only what was denied can show it")
		case innocent == "":
			return v, invalid("innocent: missing: say which innocent explanation was tested")
		}
	}
	v.Outcome, v.Finding, v.Criterion, v.Innocent, v.SignedBy, v.Signed = outcome, finding, criterion, innocent, by, now
	return v, nil
}

// apart is how far refusals must lie from each other to count as different days
// everywhere: people are called between 08:00 and 22:00.
const apart = 14 * time.Hour

// Refusals counts the days on which the customer in person refused to talk. Two
// refusals within 14 hours count once, so that the count never depends on a time
// zone: where in doubt it is lower.
func Refusals(vs []bonafide.Verification) int {
	var times []time.Time
	for _, v := range vs {
		if v.Kind == bonafide.VerifyDocument {
			continue
		}
		for _, a := range v.Attempts {
			if a.Result == bonafide.RefusedTalk {
				times = append(times, a.At)
			}
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	n := 0
	var last time.Time
	for _, t := range times {
		if n == 0 || t.Sub(last) > apart {
			n++
			last = t
		}
	}
	return n
}

// refusalsNeeded is how often the customer must have refused: domain rule K09.
const refusalsNeeded = 3

// K09 reports whether verifications of one customer show false evidence and a
// refusal to communicate, both, and says what is there or missing. A person still
// tests the innocent explanation: a hospital, fear of collectors.
func K09(vs []bonafide.Verification) (bool, string) {
	forged := slices.ContainsFunc(vs, func(v bonafide.Verification) bool {
		return v.Kind == bonafide.VerifyDocument && v.Outcome == "denied" && v.Criterion == "K02" && v.SignedBy != ""
	})
	n := Refusals(vs)
	switch {
	case !forged && n < refusalsNeeded:
		return false, fmt.Sprintf("no paper was proved false, and the customer in person refused to talk on %d of %d days: offer another way to talk", n, refusalsNeeded)
	case !forged:
		return false, fmt.Sprintf("no paper was proved false; the customer in person refused to talk on %d days, which alone shows nothing", n)
	case n < refusalsNeeded:
		return false, fmt.Sprintf("a paper was proved false; the customer in person refused to talk on %d of %d days: offer another way to talk", n, refusalsNeeded)
	}
	return true, fmt.Sprintf("a paper was proved false, and the customer in person refused to talk on %d different days; test first: a hospital, fear of collectors", n)
}
