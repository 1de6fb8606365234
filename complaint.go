package bonafide

import (
	"log/slog"
	"time"
)

// A Complaint is one grievance as it reached the lender. Its JSON form is the
// contract in spec/complaint.schema.json.
type Complaint struct {
	ID             string          `json:"id"`       // the lender's own reference, unique within a tenant
	Received       time.Time       `json:"received"` // zero where the file has no date
	Channel        Channel         `json:"channel,omitempty"`
	Lang           string          `json:"lang,omitempty"` // BCP 47; guessed where absent
	Text           string          `json:"text"`
	Customer       Customer        `json:"customer,omitzero"`
	Representative *Representative `json:"representative,omitempty"`
	Contacts       []Identifier    `json:"contacts,omitempty"` // what this complaint was filed with
	Product        string          `json:"product,omitempty"`
	Account        string          `json:"account,omitempty"` // loan or card number
	Demands        []string        `json:"demands,omitempty"`
	Amount         *Amount         `json:"amount,omitempty"`
	Documents      []Document      `json:"documents,omitempty"`
	Calls          []Call          `json:"calls,omitempty"`
	ExternalRef    string          `json:"external_ref,omitempty"` // the regulator's or portal's reference
}

// LogValue keeps a complaint's content out of logs.
func (c Complaint) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// A Channel is the way a complaint came in: hotline, regulator, portal, letter,
// email, app, branch, social or court. A qualifier may follow a slash, as in
// "regulator/12378".
type Channel string

// Customer is the person the complaint is about, as the lender knows them.
type Customer struct {
	Ref        string `json:"ref,omitempty"` // the lender's customer number
	Name       string `json:"name,omitempty"`
	IDNumber   string `json:"id_number,omitempty"`
	Phone      string `json:"phone,omitempty"` // the number the lender knows, which need not be the one complaining
	Email      string `json:"email,omitempty"`
	Address    string `json:"address,omitempty"`
	Region     string `json:"region,omitempty"`
	Vulnerable string `json:"vulnerable,omitempty"` // why, where flagged: illness, minor, elderly, disability, language, suicide-risk
}

// LogValue keeps personal data out of logs.
func (c Customer) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// An IdentifierKind says what an identifier is.
type IdentifierKind string

// The kinds of identifier that a complaint can be filed with.
const (
	Phone   IdentifierKind = "phone"
	Email   IdentifierKind = "email"
	Handle  IdentifierKind = "handle" // a chat account: WeChat, QQ, Telegram, WhatsApp …
	Device  IdentifierKind = "device"
	IP      IdentifierKind = "ip"
	Address IdentifierKind = "address"
	Account IdentifierKind = "account" // a bank or refund account
	Sender  IdentifierKind = "sender"  // who posted a paper letter
)

// IdentifierKinds lists every kind, in the order they are reported.
var IdentifierKinds = []IdentifierKind{Phone, Email, Handle, Device, IP, Address, Account, Sender}

// An Identifier is one thing a complaint was filed with, as it was written.
type Identifier struct {
	Kind  IdentifierKind `json:"kind"`
	Value string         `json:"value"`
}

// LogValue keeps the value out of logs.
func (i Identifier) LogValue() slog.Value { return slog.StringValue(string(i.Kind) + " [redacted]") }

// A RepresentativeType is the standing in which somebody speaks for a customer.
type RepresentativeType string

// The standings a complaint can declare.
const (
	RepSelf      RepresentativeType = "self"
	RepLawyer    RepresentativeType = "lawyer"
	RepLegalAid  RepresentativeType = "legal-aid"
	RepFamily    RepresentativeType = "family"
	RepGuardian  RepresentativeType = "guardian"
	RepHeir      RepresentativeType = "heir"
	RepCharity   RepresentativeType = "charity"
	RepPaidAgent RepresentativeType = "paid-agent"
	RepUnknown   RepresentativeType = "unknown"
)

// Representative is somebody who declares that they act for the customer.
type Representative struct {
	Type      RepresentativeType `json:"type"`
	Name      string             `json:"name,omitempty"`
	Licence   string             `json:"licence,omitempty"`
	Confirmed bool               `json:"confirmed,omitempty"` // the customer confirmed the authority over a known channel
}

// LogValue keeps the name out of logs.
func (r Representative) LogValue() slog.Value { return slog.StringValue(string(r.Type)) }

// WhitePath reports whether r is of a standing that is confirmed with the
// customer first and never graded: safeguard 6.
func (r *Representative) WhitePath() bool {
	if r == nil {
		return false
	}
	switch r.Type {
	case RepLawyer, RepLegalAid, RepFamily, RepGuardian, RepHeir, RepCharity:
		return true
	}
	return false
}

// Amount is money in minor units of an ISO 4217 currency.
type Amount struct {
	Minor    int64  `json:"minor"`
	Currency string `json:"currency"`
}

// Authenticity is what the issuer said of a document.
type Authenticity string

// What verification with the issuer can find.
const (
	Genuine     Authenticity = "genuine"
	Forged      Authenticity = "forged"
	Unconfirmed Authenticity = "unknown"
)

// Document is a paper that came with a complaint.
type Document struct {
	Kind     string       `json:"kind"`
	Path     string       `json:"path,omitempty"`
	SHA256   string       `json:"sha256,omitempty"` // hex
	Verified Authenticity `json:"verified,omitempty"`
}

// Call is a recorded conversation that belongs to a complaint.
type Call struct {
	Path       string    `json:"path,omitempty"`
	Started    time.Time `json:"started,omitzero"`
	Transcript string    `json:"transcript,omitempty"`
}
