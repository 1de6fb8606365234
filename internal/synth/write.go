package synth

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"bonafide"
)

// WriteNDJSON writes complaints one JSON object a line, as in
// spec/complaint.schema.json.
func WriteNDJSON(w io.Writer, cs []bonafide.Complaint) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for i := range cs {
		if err := enc.Encode(&cs[i]); err != nil {
			return fmt.Errorf("write complaint: %w", err)
		}
	}
	return nil
}

// csvColumns are the fields of the contract that a flat file carries.
var csvColumns = []string{
	"id", "received", "channel", "lang", "text",
	"customer.ref", "customer.name", "customer.phone", "customer.address", "customer.region", "customer.vulnerable",
	"representative.type", "representative.name", "representative.confirmed",
	"contacts.phone", "contacts.email", "contacts.handle", "contacts.device", "contacts.ip", "contacts.address", "contacts.account", "contacts.sender",
	"product", "account", "documents.kind", "documents.sha256", "documents.verified",
}

// WriteCSV writes complaints as a flat table. Several values in one field are
// joined with a semicolon; values of documents stay in step by position.
func WriteCSV(w io.Writer, cs []bonafide.Complaint) error {
	out := csv.NewWriter(w)
	if err := out.Write(csvColumns); err != nil {
		return fmt.Errorf("write complaints: %w", err)
	}
	for i := range cs {
		if err := out.Write(flat(&cs[i])); err != nil {
			return fmt.Errorf("write complaints: %w", err)
		}
	}
	out.Flush()
	return out.Error()
}

func flat(c *bonafide.Complaint) []string {
	var rep bonafide.Representative
	confirmed := ""
	if c.Representative != nil {
		rep = *c.Representative
		confirmed = strconv.FormatBool(rep.Confirmed)
	}
	var kinds, sums, verified []string
	for _, d := range c.Documents {
		kinds = append(kinds, d.Kind)
		sums = append(sums, d.SHA256)
		verified = append(verified, string(d.Verified))
	}
	row := []string{
		c.ID, c.Received.Format(time.RFC3339), string(c.Channel), c.Lang, c.Text,
		c.Customer.Ref, c.Customer.Name, c.Customer.Phone, c.Customer.Address, c.Customer.Region, c.Customer.Vulnerable,
		string(rep.Type), rep.Name, confirmed,
	}
	for _, kind := range []bonafide.IdentifierKind{
		bonafide.Phone, bonafide.Email, bonafide.Handle, bonafide.Device,
		bonafide.IP, bonafide.Address, bonafide.Account, bonafide.Sender,
	} {
		var values []string
		for _, id := range c.Contacts {
			if id.Kind == kind {
				values = append(values, id.Value)
			}
		}
		row = append(row, strings.Join(values, ";"))
	}
	return append(row, c.Product, c.Account, strings.Join(kinds, ";"), strings.Join(sums, ";"), strings.Join(verified, ";"))
}
