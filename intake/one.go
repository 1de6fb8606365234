package intake

import (
	"bonafide"
)

// ParseComplaint reads one complaint that follows spec/complaint.schema.json to
// the letter: unlike a file's, its date is required and its fields are those of the contract.
// An error is of kind Invalid; its message names the field and repeats nothing
// of what stood there.
func ParseComplaint(b []byte) (*bonafide.Complaint, error) {
	var p parser
	n, err := p.parse(b)
	if err != nil {
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: err.Error() + ": send one JSON object"}
	}
	if n.kind != jsonObject {
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: "not a JSON object: send one complaint, or NDJSON to the bulk address"}
	}
	if p.spoiled > 0 {
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: "bytes that are no UTF-8: send the text as UTF-8"}
	}
	t := &tally{unknown: map[string]int{}}
	k := &contract{dated: true, limits: Limits{}.withDefaults(), tally: t}
	c, bad := k.complaint(&n)
	switch {
	case bad != nil && bad.field != "":
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: bad.field + ": " + bad.reason}
	case bad != nil:
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: bad.reason}
	case len(t.unknown) > 0:
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: "a field that the contract does not have: see complaint.schema.json"}
	case t.unknownRep > 0:
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: "representative.type: none of the contract's types: see complaint.schema.json"}
	case t.badAmount > 0:
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: "amount: not a whole number of minor units with an ISO 4217 currency"}
	}
	return c, nil
}
