package intake

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"time"

	"bonafide"
)

// judged is how many objects decide whether a file follows the contract.
const judged = 100

// contract reads NDJSON whose fields are those of spec/complaint.schema.json.
type contract struct {
	dated  bool // some of the first objects carry a date
	limits Limits
	tally  *tally
}

// followsContract looks at the file's head: keys id and text together are the
// contract's. dated is whether any of the first objects carries a date.
func followsContract(head []byte, limits Limits) (follows, dated bool) {
	array := bytes.TrimLeft(head, " \t\r\n")[0] == '['
	l := &lines{in: newSheet(bytes.NewReader(head), ',', limits), array: array}
	var p parser
	for range judged {
		b, err := l.next()
		var bad *problem
		if errors.As(err, &bad) && !array {
			continue
		}
		if err != nil {
			break
		}
		n, err := p.parse(b)
		if err != nil || n.kind != jsonObject {
			continue
		}
		if n.child("id") != nil && n.child("text") != nil {
			follows = true
		}
		if r := n.child("received"); r != nil && r.kind != jsonNull {
			dated = true
		}
	}
	return follows, dated
}

// asker reads fields of one object and keeps the first that is wrong.
type asker struct {
	t   *tally
	bad *problem
}

func (a *asker) wrong(field, reason string) {
	if a.bad == nil {
		a.bad = &problem{field: field, reason: reason}
	}
}

// string returns the text under key; path names it in messages.
func (a *asker) string(n *node, key, path string) string {
	v := n.child(key)
	if v == nil || v.kind == jsonNull {
		return ""
	}
	if v.kind != jsonString {
		a.wrong(path, "not a string: put it in quotes")
		return ""
	}
	return v.text
}

// object returns the object under key, or nil.
func (a *asker) object(n *node, key, path string) *node {
	v := n.child(key)
	if v == nil || v.kind == jsonNull {
		return nil
	}
	if v.kind != jsonObject {
		a.wrong(path, "not an object: see spec/complaint.schema.json")
		return nil
	}
	return v
}

// list returns the elements under key.
func (a *asker) list(n *node, key, path string, kind byte) []node {
	v := n.child(key)
	if v == nil || v.kind == jsonNull {
		return nil
	}
	if v.kind != jsonArray {
		a.wrong(path, "not an array: see spec/complaint.schema.json")
		return nil
	}
	for i := range v.items {
		if v.items[i].kind != kind {
			a.wrong(path, "an element of the wrong type: see spec/complaint.schema.json")
			return nil
		}
	}
	return v.items
}

// instant reads a date-time (RFC 3339).
func (a *asker) instant(s, path string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t, err = time.Parse("2006-01-02t15:04:05z07:00", s)
	}
	if err != nil || t.UTC().Year() < firstYear || t.UTC().Year() > lastYear {
		a.wrong(path, "not a date-time from 1990 to 2100: write it as 2024-05-31T09:30:00Z")
		return time.Time{}
	}
	return t.UTC()
}

// fields counts the keys that the contract does not have.
func (a *asker) fields(n *node, prefix string, known ...string) {
	for _, k := range n.keys {
		if !slices.Contains(known, k) {
			if len(a.t.unknown) < 1000 {
				a.t.unknown[prefix+k]++
			}
		}
	}
}

// complaint makes a complaint of one object.
func (k *contract) complaint(n *node) (*bonafide.Complaint, *problem) {
	a := &asker{t: k.tally}
	a.fields(n, "", "id", "received", "channel", "lang", "text", "customer", "representative", "contacts", "product", "account", "demands", "amount", "documents", "calls", "external_ref")
	c := &bonafide.Complaint{ID: a.string(n, "id", "id")}
	if a.bad == nil {
		if why := checkID(c.ID); why != "" {
			a.wrong("id", why)
		}
	}
	switch s := a.string(n, "received", "received"); {
	case s != "":
		c.Received = a.instant(s, "received")
	case k.dated:
		a.wrong("received", "no date, though the file has dates: give one")
	case a.bad == nil:
		k.tally.dateless++
	}
	if t := n.child("text"); t == nil || t.kind == jsonNull {
		a.wrong("text", "the field is missing: give the complaint's words")
	}
	c.Text = a.string(n, "text", "text")
	if why := checkText(c.Text, k.limits.Text); why != "" {
		a.wrong("text", why)
	}
	c.Channel = bonafide.Channel(a.string(n, "channel", "channel"))
	c.Lang = a.string(n, "lang", "lang")
	c.Product = a.string(n, "product", "product")
	c.Account = a.string(n, "account", "account")
	c.ExternalRef = a.string(n, "external_ref", "external_ref")
	for _, d := range a.list(n, "demands", "demands", jsonString) {
		c.Demands = append(c.Demands, d.text)
	}
	a.customer(n, c)
	a.representative(n, c)
	a.contacts(n, c)
	a.amount(n, c)
	a.documents(n, c)
	a.calls(n, c)
	if a.bad == nil && empty(c) {
		a.wrong("text", "no text, and no contact or document instead: nothing to compare")
	}
	if a.bad != nil {
		return nil, a.bad
	}
	return c, nil
}

func (a *asker) customer(n *node, c *bonafide.Complaint) {
	o := a.object(n, "customer", "customer")
	if o == nil {
		return
	}
	a.fields(o, "customer.", "ref", "name", "id_number", "phone", "email", "address", "region", "vulnerable")
	c.Customer = bonafide.Customer{
		Ref: a.string(o, "ref", "customer.ref"), Name: a.string(o, "name", "customer.name"), IDNumber: a.string(o, "id_number", "customer.id_number"),
		Phone: a.string(o, "phone", "customer.phone"), Email: a.string(o, "email", "customer.email"), Address: a.string(o, "address", "customer.address"),
		Region: a.string(o, "region", "customer.region"), Vulnerable: a.string(o, "vulnerable", "customer.vulnerable"),
	}
}

func (a *asker) representative(n *node, c *bonafide.Complaint) {
	o := a.object(n, "representative", "representative")
	if o == nil {
		return
	}
	a.fields(o, "representative.", "type", "name", "licence", "confirmed")
	r := &bonafide.Representative{
		Type: bonafide.RepresentativeType(a.string(o, "type", "representative.type")), Name: a.string(o, "name", "representative.name"),
		Licence: a.string(o, "licence", "representative.licence"),
	}
	switch r.Type {
	case bonafide.RepSelf, bonafide.RepLawyer, bonafide.RepLegalAid, bonafide.RepFamily, bonafide.RepGuardian, bonafide.RepHeir, bonafide.RepCharity, bonafide.RepPaidAgent, bonafide.RepUnknown:
	default:
		a.wrong("representative.type", "not one of self, lawyer, legal-aid, family, guardian, heir, charity, paid-agent, unknown")
	}
	if v := o.child("confirmed"); v != nil && v.kind != jsonNull {
		if v.kind != jsonBool {
			a.wrong("representative.confirmed", "neither true nor false")
		}
		r.Confirmed = v.text == "true"
	}
	c.Representative = r
}

func (a *asker) contacts(n *node, c *bonafide.Complaint) {
	for _, o := range a.list(n, "contacts", "contacts", jsonObject) {
		a.fields(&o, "contacts.", "kind", "value")
		id := bonafide.Identifier{Kind: bonafide.IdentifierKind(a.string(&o, "kind", "contacts.kind")), Value: a.string(&o, "value", "contacts.value")}
		if !slices.Contains(bonafide.IdentifierKinds, id.Kind) {
			a.wrong("contacts.kind", "not one of phone, email, handle, device, ip, address, account, sender")
		}
		if id.Value == "" {
			a.wrong("contacts.value", "empty: leave the contact out")
		}
		c.Contacts = append(c.Contacts, id)
	}
}

func (a *asker) amount(n *node, c *bonafide.Complaint) {
	o := a.object(n, "amount", "amount")
	if o == nil {
		return
	}
	a.fields(o, "amount.", "minor", "currency")
	m := o.child("minor")
	if m == nil || m.kind != jsonNumber {
		a.wrong("amount.minor", "not a whole number of minor units")
		return
	}
	v, err := strconv.ParseInt(m.text, 10, 64)
	if err != nil {
		a.wrong("amount.minor", "not a whole number of minor units")
	}
	currency := a.string(o, "currency", "amount.currency")
	if currency == "" {
		a.wrong("amount.currency", "missing: give the currency's three letters")
	}
	c.Amount = &bonafide.Amount{Minor: v, Currency: currency}
}

func (a *asker) documents(n *node, c *bonafide.Complaint) {
	for _, o := range a.list(n, "documents", "documents", jsonObject) {
		a.fields(&o, "documents.", "kind", "path", "sha256", "verified")
		d := bonafide.Document{
			Kind: a.string(&o, "kind", "documents.kind"), Path: a.string(&o, "path", "documents.path"), SHA256: a.string(&o, "sha256", "documents.sha256"),
			Verified: bonafide.Authenticity(a.string(&o, "verified", "documents.verified")),
		}
		if d.Kind == "" {
			a.wrong("documents.kind", "missing: say what the paper is")
		}
		switch d.Verified {
		case "", bonafide.Genuine, bonafide.Forged, bonafide.Unconfirmed:
		default:
			a.wrong("documents.verified", "not one of genuine, forged, unknown")
		}
		c.Documents = append(c.Documents, d)
	}
}

func (a *asker) calls(n *node, c *bonafide.Complaint) {
	for _, o := range a.list(n, "calls", "calls", jsonObject) {
		a.fields(&o, "calls.", "path", "started", "transcript")
		call := bonafide.Call{Path: a.string(&o, "path", "calls.path"), Transcript: a.string(&o, "transcript", "calls.transcript")}
		if s := a.string(&o, "started", "calls.started"); s != "" {
			call.Started = a.instant(s, "calls.started")
		}
		c.Calls = append(c.Calls, call)
	}
}
