package bonafide

import (
	"log/slog"
	"time"
)

// An Authority is what the lender keeps of somebody who may speak for a customer,
// and from when until when.
type Authority struct {
	ID          string             `json:"id"`
	CustomerRef string             `json:"customer_ref"`
	Type        RepresentativeType `json:"type"`
	Name        string             `json:"name,omitempty"`
	Licence     string             `json:"licence,omitempty"`
	From        time.Time          `json:"authority_from,omitzero"`
	To          time.Time          `json:"authority_to,omitzero"` // zero: until it is withdrawn
	Confirmed   bool               `json:"confirmed,omitempty"`   // by the customer over a known channel
}

// LogValue keeps the name out of logs.
func (a Authority) LogValue() slog.Value { return slog.StringValue(string(a.Type)) }

// Check reports the first field that breaks the contract.
func (a *Authority) Check() error {
	switch {
	case !ValidID(a.ID):
		return wrong("id", wantID)
	case !ValidID(a.CustomerRef):
		return wrong("customer_ref", wantID)
	case !a.From.IsZero() && !a.To.IsZero() && a.To.Before(a.From):
		return wrong("authority_to", "before authority_from")
	}
	switch a.Type {
	case RepSelf, RepLawyer, RepLegalAid, RepFamily, RepGuardian, RepHeir, RepCharity, RepPaidAgent, RepUnknown:
	default:
		return wrong("type", "not one of self, lawyer, legal-aid, family, guardian, heir, charity, paid-agent, unknown")
	}
	if err := short(a.Name, "name"); err != nil {
		return err
	}
	return short(a.Licence, "licence")
}

// CheckRecord reports the first field that a customer handed in as a record of its
// own must not lack or have wrong. The customer within a complaint may lack all.
func (c *Customer) CheckRecord() error {
	if !ValidID(c.Ref) {
		return wrong("ref", wantID)
	}
	for _, f := range [...]struct{ name, value string }{
		{"name", c.Name}, {"id_number", c.IDNumber}, {"phone", c.Phone}, {"email", c.Email}, {"address", c.Address}, {"region", c.Region}, {"vulnerable", c.Vulnerable},
	} {
		if err := short(f.value, f.name); err != nil {
			return err
		}
	}
	return nil
}
