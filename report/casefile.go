package report

import (
	"time"

	"bonafide"
)

// A CaseFile is all that the documents of a sealed case are written from. What is not for
// its reader was masked or left out before.
type CaseFile struct {
	Case     bonafide.Case
	Lender   string
	Seal     int
	Variant  string // police, lawyer or regulator
	Sealed   time.Time
	Zone     *time.Location
	Version  string            // of the program
	People   map[string]string // names of those who acted, by Actor.ID and by person's id
	Steps    []bonafide.CaseStep
	Items    []ItemLine
	Rings    []bonafide.Ring
	Standing map[string]string // where each ring stands, a bonafide.RingState, by its id
	Dossiers []Dossier
	Offences []OffenceSheet
	Methods  []MethodLine
	Months   []MonthLine
	Adverts  []AdvertLine
	Slang    []SlangLine
}

// An ItemLine is an item with where it stands in the pack; Path is empty where it is left
// out, and Left says why: erased, personal, unlinked.
type ItemLine struct {
	bonafide.Item
	Path, Left string
	Custody    int
}

// A Words is a text in the two languages of a pack.
type Words struct{ ZH, EN string }

// An OffenceSheet says which exhibits show which element.
type OffenceSheet struct {
	ID, Statute string
	Title       Words
	Elements    []ElementLine
}

// An ElementLine is one element of an offence.
type ElementLine struct {
	ID       string
	Title    Words
	Exhibits []int    // numbers of items
	Notes    []string // why none is there, or what they show
}

// A MethodLine is a scenario by which a case works.
type MethodLine struct {
	ID        string
	Title     Words
	Judged    bool // a person says so; else it is what the filings show
	Count, Of int
	Signs     []string // "word 退息 ×12"
}

// A MonthLine is what was filed in a month.
type MonthLine struct {
	Month    string
	Filings  int
	Channels string
	Demands  string
}

// An AdvertLine is an advert that feeds a case.
type AdvertLine struct {
	bonafide.Advert
	Complaints int
}

// A SlangLine explains a code word that stands in the evidence.
type SlangLine struct {
	Term    string
	Meaning Words
	Items   []int // numbers of the items in which it stands
}

// A Dossier is what is known of one complaint, and what speaks for whoever complained.
type Dossier struct {
	Number        int // within the case, from 1
	Complaint     bonafide.Complaint
	Erased        bool
	Masked        bool // letters and names are hidden: the reader's purpose needs no more
	Role          bonafide.PartyRole
	State         string // of the complaint's own track
	Outcome       string // of the decision on its merit
	Received      time.Time
	Steps         []DossierStep
	Merit         *bonafide.Merit
	Verdict       *bonafide.Verdict
	Verifications []bonafide.Verification
	Contacts      []bonafide.Contact
	Exculpatory   []Exculpatory
	Items         []int // numbers of items about it
}

// A DossierStep is one step of a complaint's own track.
type DossierStep struct {
	At     time.Time
	What   string
	To     string
	Reason string
}

// An Exculpatory is a fact that speaks for whoever complained: a code, and what it is about.
// The codes stand in exculpatoryWords.
type Exculpatory struct {
	Code  string `json:"code"`
	About string `json:"about,omitempty"`
}

// ExculpatoryCodes are the codes of exculpatory facts.
var ExculpatoryCodes = []string{
	"merit-substantiated", // the lender's own records show a breach; About is the rule
	"merit-untested",      // nothing could be held against the records
	"upheld",              // the complaint was decided for the customer; About is the outcome
	"vulnerable",          // somebody who needs care
	"own-confirmed",       // the customer said over a known way that they complained themselves
	"representative",      // authority of a representative was confirmed
	"paper-genuine",       // an issuer confirmed a paper
	"appeal-upheld",       // somebody uninvolved removed what was held against it
	"innocent",            // an innocent explanation that is to be tested; About says which
	"incident",            // a disturbance of the lender's own explains it; About is its rule
	"verified-open",       // a verification was not ended
}
