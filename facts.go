package bonafide

import "time"

// Facts is what comparisons know of a complaint besides its letter. Personal
// values stand in it as keyed hashes only.
type Facts struct {
	Complaint string
	Received  time.Time
	Region    string // folded; "" if unknown
	Product   string // folded
	Channel   Channel

	// Self are the keys that identify the customer: customer number, national
	// id, loan, or name with phone. Complaints that share one are by one customer.
	Self []Key
	// Surname, Home and Building are 0 where unknown. Home is the whole
	// address, Building the address without the flat.
	Surname, Home, Building Key
	// Numbers and Pieces are keyed hashes of the address's numbers and of each
	// three of its runes, ascending: two spellings of one address have most in common.
	Numbers, Pieces []Key

	Filed  []Fact // what the complaint was filed with
	Known  []Fact // what the lender knew before: the customer's phone, mail, address
	Papers []Paper

	WhitePath  bool // a declared lawyer, legal aid, family member …: see [Representative.WhitePath]
	Vulnerable bool
}

// A Fact is one identifier as a keyed hash of its one spelling.
type Fact struct {
	Kind IdentifierKind
	// Key is 0 for a value that is partly hidden, such as 138****1234.
	Key Key
	// Visible is the hash of what such a mask leaves visible, for hidden and full
	// values alike, so that the two can meet. Many values share it.
	Visible Key
}

// Paper is a document that came with a complaint.
type Paper struct {
	Key      Key // of the file's SHA-256
	Kind     string
	Verified Authenticity
}

// A Relation says what is known of two customers apart from their complaints.
type Relation int

// The relations.
const (
	Unknown   Relation = iota
	SameHome           // one home: a family
	Neighbour          // one building
	Strangers          // different buildings or regions
)
