package report

import (
	"fmt"
	"strings"

	"bonafide"
)

// merit is said wherever something is proposed.
const merit = "Nothing here says whether a grievance is right: that is checked first and apart. " +
	"Every level is a proposal that a person decides."

// levelWords says a level in running text.
func levelWords(l bonafide.Level) string {
	switch l {
	case bonafide.Level1:
		return "level 1"
	case bonafide.Level2:
		return "level 2"
	case bonafide.Individual:
		return "class I"
	case bonafide.Information:
		return "information"
	}
	return "nothing"
}

// proposal says what is proposed for a complaint. A routed complaint goes to a
// person and is not graded.
func proposal(l bonafide.Level, r bonafide.Route) string {
	switch {
	case r != bonafide.RouteNone:
		return "not graded"
	case l == bonafide.LevelNone:
		return "nothing"
	case l == bonafide.Information:
		return "information only"
	}
	return levelWords(l)
}

// routeWords says where a complaint goes instead of being graded.
func routeWords(r bonafide.Route) string {
	switch r {
	case bonafide.RouteNone:
		return ""
	case bonafide.RouteConfirmAuthority:
		return "confirm authority"
	case bonafide.RouteVulnerable:
		return "trained person"
	}
	return clean(string(r))
}

// familyWords says what evidence of a family is about.
func familyWords(f bonafide.Family) string {
	switch f {
	case bonafide.FamilyIdentity:
		return "identity (phones, mail, accounts, devices, addresses)"
	case bonafide.FamilyNetwork:
		return "network"
	case bonafide.FamilyDocument:
		return "documents"
	case bonafide.FamilyPayment:
		return "payment"
	case bonafide.FamilyVoice:
		return "voice"
	case bonafide.FamilyText:
		return "wording"
	case bonafide.FamilyTime:
		return "time"
	case bonafide.FamilyConduct:
		return "conduct"
	}
	return clean(string(f))
}

// familyName is the short form of familyWords.
func familyName(f bonafide.Family) string {
	name, _, _ := strings.Cut(familyWords(f), " (")
	return name
}

// kindWords names n shared things of a kind.
func kindWords(kind string, n int) string {
	switch bonafide.IdentifierKind(kind) {
	case bonafide.Phone:
		return count(n, "phone number")
	case bonafide.Email:
		return count(n, "mail address")
	case bonafide.Handle:
		return count(n, "chat account")
	case bonafide.Device:
		return count(n, "device")
	case bonafide.IP:
		return count(n, "network address")
	case bonafide.Address:
		return count(n, "postal address")
	case bonafide.Account:
		return count(n, "bank account")
	case bonafide.Sender:
		return count(n, "letter sender")
	case "document":
		return count(n, "paper")
	case "letter":
		return count(n, "letter")
	}
	return count(n, "other thing")
}

// sharedWords says what things are shared: "2 phone numbers, 1 paper and 1 letter".
func sharedWords(things []bonafide.SharedThing) string {
	var kinds []string
	n := map[string]int{}
	for _, t := range things {
		if n[t.Kind]++; n[t.Kind] == 1 {
			kinds = append(kinds, t.Kind)
		}
	}
	parts := make([]string, len(kinds))
	for i, k := range kinds {
		parts[i] = kindWords(k, n[k])
	}
	return list(parts)
}

// tieWords says what a ring's score means. See [bonafide.Ring].
func tieWords(score float64) string {
	const after = " It measures the tie, not guilt, and says nothing about merit."
	switch per := int(score*100 + 0.5); {
	case !(score > 0):
		return "The strength of the tie was not estimated."
	case per >= 100:
		return "Take any two members: the evidence makes it more than 99 in 100 likely that one hand made both." + after
	case per < 1:
		return "Take any two members: the evidence makes it less than 1 in 100 likely that one hand made both." + after
	default:
		return fmt.Sprintf("Take any two members: the evidence makes it about %d in 100 likely that one hand made both.", per) + after
	}
}

// criteria says in words what each criterion is about, if it is proved.
var criteria = map[bonafide.Criterion]string{
	"K01": "false or assumed identity",
	"K02": "forged paper or seal",
	"K03": "plays lawyer, police or regulator",
	"K04": "threat joined to a demand",
	"K05": "trade in personal data",
	"K06": "paid illegal agency in the consumer’s name",
	"K07": "an agent accompanies or dictates",
	"K08": "organised, repeated complaints",
	"K09": "false evidence, and contact refused",
	"K10": "template text",
	"K11": "demand against the contract",
	"K12": "complains again after a settlement",
	"K13": "advertises illegal agency",
	"K14": "bait call or edited recording",
	"K15": "coordinated silence, answering service",
	"K16": "disorder by an individual",
}

// criterionWords says a criterion with its number: "K10 template text".
func criterionWords(c bonafide.Criterion) string {
	if w := criteria[c]; w != "" {
		return string(c) + " " + w
	}
	return clean(string(c))
}

// A word is an entry of the glossary.
type word struct{ Word, Means string }

// glossary explains the words a reader meets.
var glossary = []word{
	{"Merit", "Whether the lender did wrong. It is checked first, against call logs, contract and fees, and never on this page. A letter copied from a template can be right."},
	{"Ring", "A group of complaints by different customers that the evidence ties to one hand. Being a member says nothing against the customer: the borrowers behind an agency are often its victims."},
	{"Tie", "What one complaint shares with other members: a phone number, a paper, a letter and the like."},
	{"Family of evidence", "Evidence that would fall together if one source were wrong: identity, network, documents, payment, voice, wording, time, conduct. Families are counted, never single signals. Wording alone, or time alone, never rises above information."},
	{"Level", "What is proposed about a complaint under the policy pack. Level 2 needs two families of evidence, one of them identity, network, documents, payment or voice. Level 1 needs a verified item besides, and the decision of two people."},
	{"Class I", "Disorder by a person of their own, without links to others. It is never called grey industry."},
	{"Information", "Worth knowing when reading the letter. It says nothing against the customer and calls for no action."},
	{"Route", "Where a complaint goes instead of being graded. “Confirm authority”: somebody declared that they act for the customer; confirm it with the customer over a channel you already know. “Trained person”: the customer is flagged as vulnerable."},
	{"Skeleton", "The words that the letters of a group have in common, with ‹slots› where they differ."},
	{"Innocent explanation", "An ordinary reason for the same evidence: a family, a law firm, an outage, a public template. It is tested, and the test recorded, before anybody decides."},
	{"Set aside", "A row that could not be read (quarantine). It was not compared, so nothing is said about it."},
}
