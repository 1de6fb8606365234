package bonafide

import "time"

// A CollectionCall is one entry of the lender's or an outsourcer's log of
// collection calls. Merit is tested against it: hours, calls a day, third parties.
type CollectionCall struct {
	ID string `json:"id"`
	// CustomerRef is the debtor's customer number. It may be left out where
	// Contract names a contract that was handed in before.
	CustomerRef string    `json:"customer_ref,omitempty"`
	Contract    string    `json:"contract,omitempty"` // the contract's id
	Started     time.Time `json:"started"`            // in the zone of who was called: night is told by it
	Seconds     int64     `json:"duration_s"`
	Direction   string    `json:"direction"` // "out": they were called; "in": they called
	Party       string    `json:"party"`     // "debtor" or "third-party"
	Effective   bool      `json:"effective"` // somebody answered and it was spoken of the debt
	Outsourcer  string    `json:"outsourcer,omitempty"`
	PartyID     string    `json:"party_id,omitempty"` // which third party, as the contact list names them
	// AgreedHours says that the debtor had agreed to calls at this hour, Refused
	// that the third party had refused further ones before.
	AgreedHours bool `json:"agreed_hours,omitempty"`
	Refused     bool `json:"refused,omitempty"`
}

// Check reports the first field that breaks the contract.
func (c *CollectionCall) Check() error {
	switch {
	case !ValidID(c.ID):
		return wrong("id", wantID)
	case c.CustomerRef == "" && c.Contract == "":
		return wrong("customer_ref", "missing, and no contract either: say whose debt it is")
	case c.CustomerRef != "" && !ValidID(c.CustomerRef):
		return wrong("customer_ref", wantID)
	case c.Contract != "" && !ValidID(c.Contract):
		return wrong("contract", wantID)
	case c.Started.IsZero():
		return wrong("started", "missing")
	case c.Seconds < 0 || c.Seconds > 86_400:
		return wrong("duration_s", "not from 0 to 86400 seconds")
	case c.Direction != "in" && c.Direction != "out":
		return wrong("direction", "not one of in, out")
	case c.Party != "debtor" && c.Party != "third-party":
		return wrong("party", "not one of debtor, third-party")
	}
	if c.PartyID != "" && !ValidID(c.PartyID) {
		return wrong("party_id", wantID)
	}
	return short(c.Outsourcer, "outsourcer")
}
