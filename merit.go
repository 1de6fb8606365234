package bonafide

import (
	"strconv"
	"time"
)

// A Standing says how firmly a finding stands.
type Standing string

// How firmly a finding can stand.
const (
	Substantiated Standing = "substantiated" // the lender's own records show the breach: it is to be remedied
	Indicated     Standing = "indicated"     // a person has to weigh it
)

// A Finding is a breach of a rule of conduct, cost or correction that the lender's
// own records show. It is about the lender, and carries no personal data.
type Finding struct {
	Rule     string   `json:"rule"` // "night-call"; see package merit
	Standing Standing `json:"standing"`
	Basis    string   `json:"basis"` // where the rule stands
	Text     string   `json:"text"`  // in plain English
	// Facts are the values within Text, in the order in which the rule's wording in
	// other languages takes them.
	Facts []string  `json:"facts,omitempty"`
	From  time.Time `json:"from"`  // the first breach
	To    time.Time `json:"to"`    // and the last
	Count int       `json:"count"` // how often
	Rows  []RowRef  `json:"rows"`  // what shows it, at most MaxRows
}

// MaxRows bounds the rows that a finding names.
const MaxRows = 50

// A RowRef names a record that the lender handed in.
type RowRef struct {
	Kind string `json:"kind"` // call, contract, third-party, objection, failure
	ID   string `json:"id"`
}

// Merit is what the lender's records say of one complaint.
type Merit struct {
	Checked  time.Time `json:"checked"`
	Rules    string    `json:"rules"` // the pack that was applied: "cn 2025.1"
	Findings []Finding `json:"findings,omitempty"`
	// Tested are the rules for which there were records, Untested those for which
	// none were handed in: of them nothing is known.
	Tested   []string `json:"tested,omitempty"`
	Untested []string `json:"untested,omitempty"`
}

// Substantiated reports whether some finding is to be remedied.
func (m *Merit) Substantiated() bool {
	if m == nil {
		return false
	}
	for _, f := range m.Findings {
		if f.Standing == Substantiated {
			return true
		}
	}
	return false
}

// An Incident is one breach by the lender that many customers complain of at once.
// It is said before anything is said about the complaints of its days, and it is
// never a ring.
type Incident struct {
	ID         string    `json:"id"`
	Rule       string    `json:"rule"`
	Cause      string    `json:"cause,omitempty"` // the lender's name of a disturbance, or the kind of fee
	From       time.Time `json:"from"`            // the first complaint
	To         time.Time `json:"to"`              // and the last
	Began      time.Time `json:"began"`           // the first breach
	Ended      time.Time `json:"ended"`           // and the last
	Complaints []string  `json:"complaints"`
	Customers  int       `json:"customers"`
	Expected   float64   `json:"expected"` // complaints that the usual rhythm of such findings would bring
	Why        []string  `json:"why"`
}

// A ThirdParty is somebody besides the debtor on a contact list: who they are is
// not said, only since when they want no calls.
type ThirdParty struct {
	ID          string    `json:"id"` // as calls name it in party_id
	CustomerRef string    `json:"customer_ref"`
	Relation    string    `json:"relation,omitempty"` // family, friend, employer, guarantor, other
	Refused     time.Time `json:"refused,omitzero"`   // when they refused further calls; zero: never
}

// Check reports the first field that breaks the contract.
func (p *ThirdParty) Check() error {
	switch {
	case !ValidID(p.ID) || len(p.ID) > 64:
		return wrong("id", "not an id of at most 64 bytes: it is unique for the customer alone")
	case !ValidID(p.CustomerRef):
		return wrong("customer_ref", wantID)
	}
	return short(p.Relation, "relation")
}

// A CreditObjection is a customer's objection to what the lender reported to a
// credit register, and what became of it.
type CreditObjection struct {
	ID          string `json:"id"`
	CustomerRef string `json:"customer_ref"`
	Contract    string `json:"contract,omitempty"`
	Filed       Day    `json:"filed"`
	Answered    Day    `json:"answered,omitempty"`
	Wrong       bool   `json:"wrong,omitempty"`     // the record was found wrong
	Corrected   Day    `json:"corrected,omitempty"` // when it was put right
}

// Check reports the first field that breaks the contract.
func (o *CreditObjection) Check() error {
	switch {
	case !ValidID(o.ID):
		return wrong("id", wantID)
	case !ValidID(o.CustomerRef):
		return wrong("customer_ref", wantID)
	case o.Contract != "" && !ValidID(o.Contract):
		return wrong("contract", wantID)
	case !o.Filed.Valid():
		return wrong("filed", wantDay)
	case o.Answered != "" && !o.Answered.Valid():
		return wrong("answered", wantDay)
	case o.Corrected != "" && !o.Corrected.Valid():
		return wrong("corrected", wantDay)
	case o.Answered != "" && o.Answered < o.Filed:
		return wrong("answered", "before filed")
	}
	return nil
}

// A Failure is something that a customer tried and that failed on the lender's side,
// as the lender's own operation log has it.
type Failure struct {
	ID          string    `json:"id"`
	CustomerRef string    `json:"customer_ref"`
	Contract    string    `json:"contract,omitempty"`
	At          time.Time `json:"at"`
	What        string    `json:"what"`            // payment, transfer, login, refund, statement, other
	Cause       string    `json:"cause,omitempty"` // the lender's own name of the disturbance
}

// Check reports the first field that breaks the contract.
func (f *Failure) Check() error {
	switch {
	case !ValidID(f.ID):
		return wrong("id", wantID)
	case !ValidID(f.CustomerRef):
		return wrong("customer_ref", wantID)
	case f.Contract != "" && !ValidID(f.Contract):
		return wrong("contract", wantID)
	case f.At.IsZero():
		return wrong("at", "missing")
	}
	switch f.What {
	case "payment", "transfer", "login", "refund", "statement", "other":
	default:
		return wrong("what", "not one of payment, transfer, login, refund, statement, other")
	}
	return short(f.Cause, "cause")
}

// A Payment is money that a customer paid on a contract.
type Payment struct {
	Day    Day   `json:"day"`
	Amount int64 `json:"amount"`
}

// checkMoney reports the first wrong payment or charge of a contract.
func (c *Contract) checkMoney() error {
	switch {
	case len(c.Payments) > 2400:
		return wrong("payments", "more than 2400 payments")
	case len(c.Charges) > 2400:
		return wrong("charges", "more than 2400 charges")
	}
	for i, p := range c.Payments {
		at := "payments[" + strconv.Itoa(i) + "]."
		switch {
		case !p.Day.Valid():
			return wrong(at+"day", wantDay)
		case p.Amount < 0:
			return wrong(at+"amount", "less than nothing")
		}
	}
	for i, f := range c.Charges {
		at := "charges[" + strconv.Itoa(i) + "]."
		if !f.Day.Valid() {
			return wrong(at+"day", wantDay)
		}
		if err := f.check(at); err != nil {
			return err
		}
	}
	return nil
}

// check reports what is wrong with a fee or charge.
func (f *Fee) check(at string) error {
	switch f.Kind {
	case "interest", "guarantee", "service", "insurance", "penalty", "other":
	default:
		return wrong(at+"kind", "not one of interest, guarantee, service, insurance, penalty, other")
	}
	if f.Day != "" && !f.Day.Valid() {
		return wrong(at+"day", wantDay)
	}
	return short(f.To, at+"to")
}
