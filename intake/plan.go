package intake

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"bonafide"
)

// maxID is how many characters an id may have, as in the contract.
const maxID = 128

// A plan is a mapping bound to the columns of one file.
type plan struct {
	name     string
	limits   Limits
	order    string
	layouts  []string
	zone     *time.Location
	fields   map[string]int    // contract path → column
	fixed    map[string]string // contract path → value
	contacts []boundContact
	dated    bool // a column of dates exists
	tally    *tally
}

type boundContact struct {
	kind   bonafide.IdentifierKind
	column int
}

// tally counts what is worth one warning a file.
type tally struct {
	spoiled    int // cells or strings that were no UTF-8
	unknownRep int // representative types that are none of the contract's
	badAmount  int
	dateless   int
	unknown    map[string]int // fields that the contract does not have
}

// bind finds the mapping's columns in the header.
func (m *Mapping) bind(name string, header []string, limits Limits, t *tally) (*plan, error) {
	zone, err := m.location()
	if err != nil {
		return nil, refused(name, "the mapping's zone is unknown: use a name such as Asia/Shanghai or an offset such as +08:00")
	}
	p := &plan{name: name, limits: limits, order: m.DateOrder, layouts: m.DateLayout, zone: zone, fields: map[string]int{}, fixed: m.Fixed, tally: t}
	find := func(column string) (int, error) {
		if i := slices.Index(header, column); i >= 0 {
			return i, nil
		}
		for i, h := range header {
			if plainName(h) == plainName(column) {
				return i, nil
			}
		}
		return 0, refused(name, "the mapping names the column %q, which the file does not have", column)
	}
	for _, path := range paths {
		if column, ok := m.Fields[path]; ok {
			if p.fields[path], err = find(column); err != nil {
				return nil, err
			}
		}
	}
	for _, c := range m.Contacts {
		i, err := find(c.Column)
		if err != nil {
			return nil, err
		}
		p.contacts = append(p.contacts, boundContact{c.Kind, i})
		// A second column of the same name holds more of the same.
		for j := i + 1; j < len(header); j++ {
			if header[j] == header[i] && !slices.Contains(p.contacts, boundContact{c.Kind, j}) {
				p.contacts = append(p.contacts, boundContact{c.Kind, j})
			}
		}
	}
	slices.SortStableFunc(p.contacts, func(a, b boundContact) int { return a.column - b.column })
	p.contacts = slices.Compact(p.contacts)
	_, column := p.fields["received"]
	p.dated = column || p.fixed["received"] != ""
	return p, nil
}

// cell returns the trimmed cell of path, or the fixed value.
func (p *plan) cell(cells [][]byte, path string) string {
	if i, ok := p.fields[path]; ok && i < len(cells) {
		if s := p.clean(cells[i]); s != "" {
			return s
		}
	}
	return p.fixed[path]
}

func (p *plan) clean(b []byte) string {
	b = bytes.TrimSpace(b)
	if !utf8.Valid(b) {
		p.tally.spoiled++
		return string(bytes.ToValidUTF8(b, []byte("\uFFFD")))
	}
	return string(b)
}

// value is cell without the words that mean nothing.
func (p *plan) value(cells [][]byte, path string) string {
	s := p.cell(cells, path)
	if absent(s) {
		return ""
	}
	return s
}

// absent reports what exports write into empty cells.
func absent(s string) bool {
	switch strings.ToLower(s) {
	case "", "-", "--", "n/a", "na", "null", "none", "nil", "nan", "无", "没有", "暂无", "\\n":
		return true
	}
	return false
}

func (p *plan) bad(path, reason string) *problem {
	b := &problem{field: path, reason: reason}
	if i, ok := p.fields[path]; ok {
		b.column = i + 1
	}
	return b
}

// complaint makes a complaint of one row. line is where the row starts.
func (p *plan) complaint(cells [][]byte, line int) (*bonafide.Complaint, *problem) {
	c := &bonafide.Complaint{}
	if i, ok := p.fields["id"]; ok {
		if i < len(cells) && !utf8.Valid(cells[i]) {
			return nil, p.bad("id", "an id that is not valid UTF-8: correct the file's encoding")
		}
		c.ID = p.cell(cells, "id")
	} else {
		c.ID = fmt.Sprintf("%s:%d", clip(p.name, 100), line)
	}
	if why := checkID(c.ID); why != "" {
		return nil, p.bad("id", why)
	}
	if p.dated {
		s := p.cell(cells, "received")
		if s == "" {
			return nil, p.bad("received", "no date, though the file has dates: give one")
		}
		t, ok := p.date(s)
		if !ok {
			return nil, p.bad("received", "not a date from 1990 to 2100 that can be read: write it as 2024-05-31T09:30:00Z, or set date_order in a mapping")
		}
		c.Received = t
	}
	c.Text = p.cell(cells, "text")
	if absent(c.Text) {
		c.Text = p.cell(cells, "title")
	}
	if absent(c.Text) {
		c.Text = ""
	}
	if why := checkText(c.Text, p.limits.Text); why != "" {
		return nil, p.bad("text", why)
	}
	c.Channel = bonafide.Channel(channelName(p.value(cells, "channel")))
	c.Lang = p.value(cells, "lang")
	c.Product = p.value(cells, "product")
	c.Account = p.value(cells, "account")
	c.ExternalRef = p.value(cells, "external_ref")
	p.customer(c, cells)
	if why := p.representative(c, cells); why != nil {
		return nil, why
	}
	for _, b := range p.contacts {
		if b.column >= len(cells) {
			continue
		}
		for _, v := range several(p.clean(cells[b.column]), b.kind) {
			if id := (bonafide.Identifier{Kind: b.kind, Value: v}); !slices.Contains(c.Contacts, id) {
				c.Contacts = append(c.Contacts, id)
			}
		}
	}
	c.Demands = several(p.value(cells, "demands"), "")
	p.amount(c, cells)
	if why := p.documents(c, cells); why != nil {
		return nil, why
	}
	if path, transcript := p.value(cells, "calls.path"), p.value(cells, "calls.transcript"); path != "" || transcript != "" {
		call := bonafide.Call{Path: path, Transcript: transcript}
		if s := p.value(cells, "calls.started"); s != "" {
			call.Started, _ = p.date(s)
		}
		c.Calls = []bonafide.Call{call}
	}
	if empty(c) {
		return nil, p.bad("text", "no text, and no contact or document instead: nothing to compare")
	}
	return c, nil
}

// empty reports a complaint that says nothing anything could be compared with.
func empty(c *bonafide.Complaint) bool {
	return c.Text == "" && len(c.Contacts) == 0 && len(c.Documents) == 0
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// checkID says what is wrong with an id.
func checkID(id string) string {
	switch {
	case id == "":
		return "no id: give every complaint its reference"
	case utf8.RuneCountInString(id) > maxID:
		return fmt.Sprintf("an id longer than %d characters: shorten it", maxID)
	case !utf8.ValidString(id):
		return "an id that is not valid UTF-8: correct the file's encoding"
	}
	for _, r := range id {
		if r < 0x20 || r >= 0x7F && r < 0xA0 {
			return "a control character in the id: remove it"
		}
	}
	return ""
}

func checkText(text string, most int) string {
	if len(text) > most && utf8.RuneCountInString(text) > most {
		return fmt.Sprintf("a text longer than %d characters: shorten it", most)
	}
	return ""
}

func (p *plan) date(s string) (time.Time, bool) {
	for _, l := range p.layouts {
		if t, err := time.ParseInLocation(l, s, p.zone); err == nil {
			return t.UTC(), t.Year() >= firstYear && t.Year() <= lastYear
		}
	}
	return parseDate(s, p.order, p.zone)
}

func (p *plan) customer(c *bonafide.Complaint, cells [][]byte) {
	u := &c.Customer
	u.Ref = p.value(cells, "customer.ref")
	u.Name = p.value(cells, "customer.name")
	if u.Name == "" {
		given, surname := p.value(cells, "customer.given"), p.value(cells, "customer.surname")
		u.Name = strings.TrimSpace(given + " " + surname)
		if r := []rune(surname); len(r) > 0 && r[0] >= 0x3400 && r[0] <= 0x9FFF {
			u.Name = surname + given
		}
	}
	u.IDNumber = p.value(cells, "customer.id_number")
	u.Phone = p.value(cells, "customer.phone")
	u.Email = p.value(cells, "customer.email")
	u.Address = p.value(cells, "customer.address")
	u.Region = p.value(cells, "customer.region")
	u.Vulnerable = vulnerable(p.value(cells, "customer.vulnerable"))
}

// vulnerable reads a flag or a reason. The tags of the CFPB's export are among
// what it meets: an older consumer is flagged, a servicemember is not.
func vulnerable(s string) string {
	l := strings.ToLower(s)
	switch l {
	case "no", "n", "false", "0", "f", "否", "不是", "não", "nao", "nein", "servicemember":
		return ""
	case "yes", "y", "true", "1", "t", "是", "sim":
		return "flagged"
	}
	if strings.Contains(l, "older american") {
		return "elderly"
	}
	return s
}

// standings maps what files call a representative to the contract's words.
var standings = map[string]bonafide.RepresentativeType{
	"self": "self", "本人": "self", "自己": "self", "customer": "self", "consumer": "self", "proprio": "self", "titular": "self", "opropriotitular": "self",
	"lawyer": "lawyer", "attorney": "lawyer", "solicitor": "lawyer", "律师": "lawyer", "advogado": "lawyer", "advogada": "lawyer",
	"legalaid": "legal-aid", "法律援助": "legal-aid", "defensoria": "legal-aid", "defensoriapublica": "legal-aid",
	"family": "family", "relative": "family", "spouse": "family", "parent": "family", "亲属": "family", "家属": "family", "家人": "family", "配偶": "family", "父母": "family", "子女": "family", "familiar": "family", "parente": "family",
	"guardian": "guardian", "监护人": "guardian", "tutor": "guardian", "curador": "guardian", "heir": "heir", "executor": "heir", "继承人": "heir", "herdeiro": "heir",
	"charity": "charity", "ngo": "charity", "公益组织": "charity", "ong": "charity",
	"paidagent": "paid-agent", "agent": "paid-agent", "claimscompany": "paid-agent", "cmc": "paid-agent", "代理公司": "paid-agent", "付费代理": "paid-agent", "代理机构": "paid-agent", "agentepago": "paid-agent",
	"unknown": "unknown", "other": "unknown", "其他": "unknown", "未知": "unknown", "outro": "unknown",
}

func (p *plan) representative(c *bonafide.Complaint, cells [][]byte) *problem {
	kind, name := p.value(cells, "representative.type"), p.value(cells, "representative.name")
	licence := p.value(cells, "representative.licence")
	if kind == "" && name == "" && licence == "" {
		return nil
	}
	r := &bonafide.Representative{Type: bonafide.RepUnknown, Name: name, Licence: licence}
	if kind != "" {
		t, ok := standings[plainName(kind)]
		if !ok {
			t = bonafide.RepUnknown
			p.tally.unknownRep++
		}
		r.Type = t
	} else if name == "本人" || strings.EqualFold(name, "self") {
		r.Type, r.Name = bonafide.RepSelf, ""
	}
	switch strings.ToLower(p.value(cells, "representative.confirmed")) {
	case "", "no", "n", "false", "0", "否", "não", "nao":
	case "yes", "y", "true", "1", "是", "sim":
		r.Confirmed = true
	default:
		return p.bad("representative.confirmed", "neither yes nor no: write true or false")
	}
	c.Representative = r
	return nil
}

// several cuts a cell into its values. Addresses and senders hold semicolons of
// their own and are cut at | alone.
func several(s string, kind bonafide.IdentifierKind) []string {
	cuts := ";；|"
	if kind == bonafide.Address || kind == bonafide.Sender {
		cuts = "|"
	}
	var out []string
	for _, v := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(cuts, r) }) {
		if v = strings.TrimSpace(v); !absent(v) {
			out = append(out, v)
		}
	}
	return out
}

func (p *plan) documents(c *bonafide.Complaint, cells [][]byte) *problem {
	hashes := several(p.value(cells, "documents.sha256"), "")
	files := several(p.value(cells, "documents.path"), "")
	kinds := several(p.value(cells, "documents.kind"), "")
	verified := bonafide.Authenticity(strings.ToLower(p.value(cells, "documents.verified")))
	switch verified {
	case "", bonafide.Genuine, bonafide.Forged, bonafide.Unconfirmed:
	default:
		return p.bad("documents.verified", "not one of genuine, forged, unknown")
	}
	for i := range max(len(hashes), len(files)) {
		d := bonafide.Document{Kind: "document", Verified: verified}
		if i < len(kinds) {
			d.Kind = kinds[i]
		} else if len(kinds) == 1 {
			d.Kind = kinds[0]
		}
		if i < len(hashes) {
			d.SHA256 = strings.ToLower(hashes[i])
		}
		if i < len(files) {
			d.Path = files[i]
		}
		c.Documents = append(c.Documents, d)
	}
	return nil
}

// amount reads 1,234.56 and 1.234,56 alike. What cannot be read is left out and
// counted: a complaint is worth more than its sum.
func (p *plan) amount(c *bonafide.Complaint, cells [][]byte) {
	currency := strings.ToUpper(p.value(cells, "amount.currency"))
	if s := p.value(cells, "amount.minor"); s != "" {
		if v, ok := minorUnits(s, 0); ok && currency != "" {
			c.Amount = &bonafide.Amount{Minor: v, Currency: currency}
		} else {
			p.tally.badAmount++
		}
		return
	}
	s := p.value(cells, "amount")
	if s == "" {
		return
	}
	for _, mark := range [...]struct{ sign, code string }{{"R$", "BRL"}, {"¥", "CNY"}, {"￥", "CNY"}, {"元", "CNY"}, {"€", "EUR"}, {"£", "GBP"}, {"₹", "INR"}, {"US$", "USD"}, {"$", "USD"}} {
		if strings.Contains(s, mark.sign) {
			s = strings.ReplaceAll(s, mark.sign, "")
			if currency == "" {
				currency = mark.code
			}
		}
	}
	digits := 2
	if currency == "JPY" || currency == "KRW" || currency == "VND" || currency == "CLP" {
		digits = 0
	}
	v, ok := minorUnits(s, digits)
	if !ok || len(currency) != 3 {
		p.tally.badAmount++
		return
	}
	c.Amount = &bonafide.Amount{Minor: v, Currency: currency}
}

// minorUnits reads a decimal as a whole number of units of 10^-digits.
func minorUnits(s string, digits int) (int64, bool) {
	s = strings.ReplaceAll(strings.TrimSpace(s), " ", "")
	point := strings.LastIndexAny(s, ".,")
	// Three digits behind the only mark are thousands.
	if point >= 0 && len(s)-point-1 == 3 && strings.Count(s, s[point:point+1]) >= 1 && (digits != 3) {
		point = -1
	}
	var v int64
	after, negative := -1, strings.HasPrefix(s, "-")
	for i := range len(s) {
		switch ch := s[i]; {
		case i == point:
			after = 0
		case ch == '.' || ch == ',' || ch == '-' && i == 0 || ch == '+' && i == 0:
		case '0' <= ch && ch <= '9':
			if after >= digits {
				continue // finer than the currency
			}
			if v > 1e15 {
				return 0, false
			}
			v = v*10 + int64(ch-'0')
			if after >= 0 {
				after++
			}
		default:
			return 0, false
		}
	}
	if !strings.ContainsAny(s, "0123456789") {
		return 0, false
	}
	for after = max(after, 0); after < digits; after++ {
		v *= 10
	}
	if negative {
		v = -v
	}
	return v, true
}

// channelNames maps what files call a channel to the contract's words; others
// stay as they are.
var channelNames = map[string]string{
	"phone": "hotline", "telephone": "hotline", "call": "hotline", "hotline": "hotline", "电话": "hotline", "热线": "hotline", "telefone": "hotline",
	"web": "portal", "website": "portal", "online": "portal", "internet": "portal", "网站": "portal", "site": "portal", "portal": "portal",
	"postalmail": "letter", "mail": "letter", "post": "letter", "fax": "letter", "letter": "letter", "信函": "letter", "来信": "letter", "carta": "letter", "correio": "letter",
	"referral": "regulator/referral", "regulator": "regulator", "监管": "regulator", "监管转办": "regulator", "12378": "regulator/12378",
	"email": "email", "邮件": "email", "app": "app", "branch": "branch", "inperson": "branch", "网点": "branch", "agencia": "branch", "social": "social", "court": "court", "法院": "court",
}

func channelName(s string) string {
	if strings.Contains(s, "/") {
		return s
	}
	if c, ok := channelNames[plainName(s)]; ok {
		return c
	}
	return s
}
