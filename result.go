package bonafide

import "time"

// A Result is what a scan found. Its JSON form is the contract in
// spec/result.schema.json. The same input and policy give the same bytes.
type Result struct {
	Version    string    `json:"version"`
	Policy     string    `json:"policy"` // pack and version that graded
	Read       Read      `json:"read"`
	Complaints []Verdict `json:"complaints"` // every complaint that got more than nothing
	// Incidents are breaches of the lender's own; they are said before Rings.
	Incidents []Incident `json:"incidents,omitempty"`
	Rings     []Ring     `json:"rings"`
	Templates []Template `json:"templates"`

	NotProved  []string      `json:"not_proved"`           // what the evidence does not show
	Warnings   []string      `json:"warnings,omitempty"`   // what could not be tested, and why
	Quarantine []Quarantined `json:"quarantine,omitempty"` // the first rows set aside; the quarantine file has all
	Arrivals   []Arrivals    `json:"arrivals,omitempty"`   // per day, for the timeline
}

// Read counts what was read.
type Read struct {
	Accepted    int       `json:"accepted"`
	Quarantined int       `json:"quarantined"`
	Repeated    int       `json:"repeated,omitempty"` // the same id with the same content: counted once
	Files       []string  `json:"files,omitempty"`    // base names
	First       time.Time `json:"first,omitzero"`     // earliest date received
	Last        time.Time `json:"last,omitzero"`
}

// Quarantined is a row that could not be used, with the reason. It carries no
// content of the row.
type Quarantined struct {
	File   string `json:"file"`
	Line   int    `json:"line"`             // 1-based line where the row starts
	Column int    `json:"column,omitempty"` // 1-based column of the field in a CSV, where known
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason"`
}

// Arrivals counts the complaints of one day.
type Arrivals struct {
	Day   string `json:"day"` // YYYY-MM-DD, UTC
	Count int    `json:"count"`
}
