package merit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"bonafide"
)

// Records are the lender's records of one customer. What stands in them twice is
// counted twice: whoever reads them drops repeats.
type Records struct {
	Calls        []bonafide.CollectionCall
	Contracts    []bonafide.Contract
	ThirdParties []bonafide.ThirdParty
	Objections   []bonafide.CreditObjection
	Failures     []bonafide.Failure
}

// A Record is one record of any kind: one of the five is set.
type Record struct {
	Call       *bonafide.CollectionCall
	Contract   *bonafide.Contract
	ThirdParty *bonafide.ThirdParty
	Objection  *bonafide.CreditObjection
	Failure    *bonafide.Failure
}

// Kinds are the kinds of records, as a RowRef and the key "kind" of a line name them.
var Kinds = []string{"call", "contract", "third-party", "objection", "failure"}

// Add takes a record in.
func (r *Records) Add(rec Record) {
	switch {
	case rec.Call != nil:
		r.Calls = append(r.Calls, *rec.Call)
	case rec.Contract != nil:
		r.Contracts = append(r.Contracts, *rec.Contract)
	case rec.ThirdParty != nil:
		r.ThirdParties = append(r.ThirdParties, *rec.ThirdParty)
	case rec.Objection != nil:
		r.Objections = append(r.Objections, *rec.Objection)
	case rec.Failure != nil:
		r.Failures = append(r.Failures, *rec.Failure)
	}
}

// Ref returns the record's kind and id, and the customer it names.
func (rec Record) Ref() (row bonafide.RowRef, customer string) {
	switch {
	case rec.Call != nil:
		return bonafide.RowRef{Kind: "call", ID: rec.Call.ID}, rec.Call.CustomerRef
	case rec.Contract != nil:
		return bonafide.RowRef{Kind: "contract", ID: rec.Contract.ID}, rec.Contract.CustomerRef
	case rec.ThirdParty != nil:
		return bonafide.RowRef{Kind: "third-party", ID: rec.ThirdParty.ID}, rec.ThirdParty.CustomerRef
	case rec.Objection != nil:
		return bonafide.RowRef{Kind: "objection", ID: rec.Objection.ID}, rec.Objection.CustomerRef
	case rec.Failure != nil:
		return bonafide.RowRef{Kind: "failure", ID: rec.Failure.ID}, rec.Failure.CustomerRef
	}
	return bonafide.RowRef{}, ""
}

// ParseRecord reads one record from a JSON object: its fields, and "kind", which is one
// of Kinds. It is strict; the error is of kind Invalid, starts with the field, and never
// holds a value.
func ParseRecord(line []byte) (Record, error) {
	var rec Record
	kind, err := kindOf(line)
	if err != nil {
		return rec, err
	}
	switch kind {
	case "call":
		var v struct {
			Kind string `json:"kind"`
			bonafide.CollectionCall
		}
		rec.Call = &v.CollectionCall
		err = decode(line, &v, rec.Call)
	case "contract":
		var v struct {
			Kind string `json:"kind"`
			bonafide.Contract
		}
		rec.Contract = &v.Contract
		err = decode(line, &v, rec.Contract)
	case "third-party":
		var v struct {
			Kind string `json:"kind"`
			bonafide.ThirdParty
		}
		rec.ThirdParty = &v.ThirdParty
		err = decode(line, &v, rec.ThirdParty)
	case "objection":
		var v struct {
			Kind string `json:"kind"`
			bonafide.CreditObjection
		}
		rec.Objection = &v.CreditObjection
		err = decode(line, &v, rec.Objection)
	case "failure":
		var v struct {
			Kind string `json:"kind"`
			bonafide.Failure
		}
		rec.Failure = &v.Failure
		err = decode(line, &v, rec.Failure)
	case "":
		err = invalid("kind: missing: say call, contract, third-party, objection or failure")
	default:
		err = invalid("kind: not one of call, contract, third-party, objection, failure")
	}
	if err != nil {
		return Record{}, err
	}
	return rec, nil
}

// kindOf reads the kind of a record. Where it comes first, as it is mostly written, the
// line need not be read twice. Fees have a kind too: such a contract is.
func kindOf(line []byte) (string, error) {
	for _, kind := range Kinds {
		if rest, ok := bytes.CutPrefix(line, []byte(`{"kind":"`+kind+`",`)); ok && !bytes.Contains(rest, []byte(`"kind"`)) {
			return kind, nil
		}
	}
	var k struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(line, &k); err != nil {
		return "", unreadable(err)
	}
	return k.Kind, nil
}

func invalid(format string, args ...any) error {
	return &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf(format, args...)}
}

// decode reads an object, refuses fields that it does not know, and checks it.
func decode(line []byte, into any, checked interface{ Check() error }) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return unreadable(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return invalid("more than one object")
	}
	return checked.Check()
}

// unreadable says what is wrong with an object without repeating what stands in it.
func unreadable(err error) error {
	if bad, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if bad.Field == "" {
			return invalid("not a JSON object")
		}
		return invalid("%s: not what belongs there: a %s is wanted", field(bad.Field), wanted(bad.Type.String()))
	}
	if bad, ok := errors.AsType[*json.SyntaxError](err); ok {
		return invalid("damaged JSON at byte %d", bad.Offset)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return invalid("damaged JSON: cut short")
	}
	const unknown = "json: unknown field "
	if text := err.Error(); len(text) > len(unknown) && text[:len(unknown)] == unknown {
		return invalid("a field that such a record does not have: see bonafide merit --help")
	}
	return invalid("a value that cannot be read: times are written as 2024-05-31T21:30:00+08:00")
}

// field leaves out the names of Go's types that encoding/json puts before a field.
func field(path string) string {
	for _, p := range []string{"CollectionCall.", "Contract.", "ThirdParty.", "CreditObjection.", "Failure."} {
		if len(path) > len(p) && path[:len(p)] == p {
			return path[len(p):]
		}
	}
	return path
}

func wanted(goType string) string {
	switch goType {
	case "string", "bonafide.Day":
		return "text in quotes"
	case "int64":
		return "whole number"
	case "bool":
		return "true or false"
	}
	return "list or an object"
}
