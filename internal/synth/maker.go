package synth

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"bonafide"
)

// maker holds a world while it is made.
type maker struct {
	Config
	r      *rand.Rand
	bank   *bank
	manner manner
	start  time.Time
	days   int
	drafts []*draft
	rings  []*ringRecord
	// carriers are gateways of mobile networks, behind which anybody may be.
	carriers []string
	lenders  []string // names of the one lender
}

// draft is a complaint with the truth about it, before it has an id.
type draft struct {
	c     bonafide.Complaint
	p     *person
	group string
	agent bool
	ring  string
}

// filing says how one complaint comes to be filed. Zero fields are drawn as an
// ordinary complainant's.
type filing struct {
	group   string
	ring    string // set for an agent's
	topic   *topic
	when    time.Time
	about   time.Time // when the trouble was, for people with one story; zero for when
	book    *book
	size    int // least words; 0 draws one
	channel string
	shared  []bonafide.Identifier // replace the person's own of that kind
	docs    []bonafide.Document
	rep     *bonafide.Representative
	extra   []string // passages put in as they are
	text    string   // the whole letter, where it is a copy
	fragile string   // why the customer is vulnerable
}

// file makes one complaint of a person. Everything that does not follow from
// the filing is drawn in the same way for agents and innocents.
func (m *maker) file(p *person, f filing) *draft {
	r := m.r
	d := &draft{p: p, group: f.group, ring: f.ring, agent: f.ring != ""}
	if f.topic == nil {
		f.topic = m.topic()
	}
	if f.when.IsZero() {
		f.when = m.anyTime()
	}
	if f.channel == "" {
		f.channel = m.channel()
	}
	c := &d.c
	c.Received, c.Channel, c.Lang = f.when, bonafide.Channel(f.channel), m.Lang
	c.Customer = bonafide.Customer{Ref: p.ref, Name: p.name, Phone: p.phone, Address: p.address, Region: p.region, Vulnerable: f.fragile}
	if r.Float64() < 0.3 {
		c.Customer.Email = p.email
	}
	c.Account, c.Product = p.loan, pickOne(r, f.topic.products)
	c.Representative = f.rep
	if f.rep == nil && r.Float64() < 0.2 {
		c.Representative = &bonafide.Representative{Type: bonafide.RepSelf}
	}
	c.Contacts = m.contacts(p, f)
	c.Documents = f.docs
	if len(f.docs) == 0 && r.Float64() < 0.18 {
		c.Documents = []bonafide.Document{m.paper()}
	}
	c.Text = m.write(p, f, c.Contacts)
	m.lose(c)
	m.drafts = append(m.drafts, d)
	return d
}

// contacts are the identifiers a complaint was filed with: some of the
// person's own, and those that are shared instead of the own of that kind.
func (m *maker) contacts(p *person, f filing) []bonafide.Identifier {
	r := m.r
	own := p.phone
	if r.Float64() < 0.3 {
		own = p.second
	}
	ip := p.ip
	switch x := r.Float64(); {
	case x < 0.05:
		ip = m.carriers[zipf(r, len(m.carriers))]
	case x < 0.5: // homes get a new address from their provider now and then
		ip = m.ip(r)
	}
	var out []bonafide.Identifier
	for _, o := range []struct {
		kind  bonafide.IdentifierKind
		value string
		share float64
	}{
		{bonafide.Phone, own, 0.62},
		{bonafide.Email, p.email, 0.36},
		{bonafide.Handle, p.handle, 0.16},
		{bonafide.Device, p.device, 0.42},
		{bonafide.IP, ip, 0.42},
		{bonafide.Address, p.address, 0.2},
		{bonafide.Account, p.account, 0.15},
		{bonafide.Sender, p.sender, 0.1},
	} {
		taken := slices.ContainsFunc(f.shared, func(id bonafide.Identifier) bool { return id.Kind == o.kind })
		if taken || r.Float64() >= o.share {
			continue
		}
		switch x := r.Float64(); {
		case x < 0.06:
			o.value = m.dress(r, o.kind, o.value, true)
		case x < 0.28:
			o.value = m.dress(r, o.kind, o.value, false)
		case x < 0.32 && (o.kind == bonafide.Phone || o.kind == bonafide.Account):
			o.value = mask(o.value, false)
		case x < 0.33 && junk[o.kind] != nil:
			o.value = pickZipf(r, junk[o.kind])
		}
		out = append(out, bonafide.Identifier{Kind: o.kind, Value: o.value})
	}
	out = append(out, f.shared...)
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// lose drops fields at random, as real exports do.
func (m *maker) lose(c *bonafide.Complaint) {
	for _, f := range []struct {
		field *string
		share float64
	}{
		{&c.Customer.Ref, 0.2},
		{&c.Customer.Name, 0.2},
		{&c.Customer.Phone, 0.35},
		{&c.Customer.Address, 0.4},
		{&c.Customer.Region, 0.25},
		{&c.Lang, 0.4},
		{&c.Product, 0.25},
		{&c.Account, 0.4},
	} {
		if m.r.Float64() < f.share {
			*f.field = ""
		}
	}
	if m.r.Float64() < 0.2 {
		c.Channel = ""
	}
	if m.r.Float64() < 0.1 && c.Customer.Phone != "" {
		c.Customer.Phone = mask(c.Customer.Phone, false)
	}
}

// write composes the letter of one complaint.
func (m *maker) write(p *person, f filing, contacts []bonafide.Identifier) string {
	if f.text != "" {
		return f.text
	}
	if f.about.IsZero() {
		f.about = f.when
	}
	size := f.size
	if size == 0 {
		size = m.length()
	}
	reach := p.phone
	for _, id := range contacts {
		if id.Kind == bonafide.Phone || id.Kind == bonafide.Handle || id.Kind == bonafide.Email {
			reach = id.Value
			break
		}
	}
	fill := func(r *rand.Rand, slot string) string { return m.fill(r, slot, p, f, reach) }
	text := m.bank.compose(m.r, m.Style, m.Lang, f.topic, f.book, size, fill)
	for _, s := range f.extra {
		text = m.insert(text, s)
	}
	ease := 0.0
	if f.ring != "" {
		ease = m.Ease
	}
	if m.r.Float64() >= ease {
		switch {
		case f.channel == "letter" && m.r.Float64() < 0.45:
			text = noise(m.r, text, m.Lang, 0.004+0.03*m.r.Float64())
		case m.r.Float64() < 0.2:
			text = noise(m.r, text, m.Lang, 0.002+0.006*m.r.Float64())
		}
	}
	return text
}

// insert puts a passage between two sentences of a letter.
func (m *maker) insert(text, passage string) string {
	stop := ". "
	if m.Lang == "zh" {
		stop = "。"
	}
	parts := strings.SplitAfter(text, stop)
	at := m.r.IntN(len(parts))
	if m.Lang != "zh" {
		passage += " "
	}
	return strings.Join(slices.Insert(parts, at, passage), "")
}

// length draws the least length of a letter, in words, or runes of Chinese.
func (m *maker) length() int {
	mid := map[Style]float64{Dev: 95, Held: 120, Held2: 80}[m.Style]
	n := mid * math.Exp(0.45*m.r.NormFloat64())
	n = min(max(n, 60), 330)
	if m.Lang == "zh" {
		n = min(max(n*1.5, 100), 440)
	}
	return int(n)
}

// topic draws what a complaint is about.
func (m *maker) topic() *topic {
	return m.bank.topics[zipf(m.r, len(m.bank.topics))]
}

// topicNamed returns the topic of a wave.
func (m *maker) topicNamed(name string) *topic {
	i := slices.IndexFunc(m.bank.topics, func(t *topic) bool { return t.name == name })
	return m.bank.topics[max(i, 0)]
}

func (m *maker) channel() string {
	return pickZipf(m.r, []string{"regulator/12378", "app", "portal", "letter", "email", "hotline", "branch", "social", "court"})
}

// anyTime draws a moment of the world's span, by day rather than by night.
func (m *maker) anyTime() time.Time { return m.timeIn(0, m.days) }

// timeIn draws a moment of the days from the given one on.
func (m *maker) timeIn(from, days int) time.Time {
	day := from + m.r.IntN(max(days, 1))
	hour := 14 + 4.2*m.r.NormFloat64()
	at := m.start.AddDate(0, 0, min(max(day, 0), m.days-1)).Add(time.Duration(hour * float64(time.Hour)))
	return at.Truncate(time.Second)
}

// paper is a document that a complainant really has.
func (m *maker) paper() bonafide.Document {
	d := bonafide.Document{Kind: pickZipf(m.r, paperKinds), SHA256: m.sha256(m.r)}
	switch x := m.r.Float64(); {
	case x < 0.25:
		d.Verified = bonafide.Genuine
	case x < 0.55:
		d.Verified = bonafide.Unconfirmed
	case x < 0.57: // a bad scan, or the issuer's own error
		d.Verified = bonafide.Forged
	}
	return d
}

var paperKinds = []string{"screenshot", "statement", "contract", "medical", "poverty", "call-log", "receipt"}

// fill returns the text of a slot.
func (m *maker) fill(r *rand.Rand, slot string, p *person, f filing, reach string) string {
	zh := m.Lang == "zh"
	switch slot {
	case "date":
		return m.date(r, f.about.AddDate(0, 0, -1-r.IntN(90)))
	case "hour":
		h := []int{21, 22, 23, 6, 7, 12, 13, 20}[r.IntN(8)]
		switch {
		case zh:
			return fmt.Sprintf("%d点%s", h, pickOne(r, []string{"", "半", "多", "左右"}))
		case m.Lang == "pt":
			return fmt.Sprintf("%dh%s", h, pickOne(r, []string{"", "30", "15", "40"}))
		}
		return fmt.Sprintf("%d:%02d", h, 5*r.IntN(12))
	case "n":
		return fmt.Sprint(2 + r.IntN(12))
	case "many":
		return fmt.Sprint(10 + r.IntN(60))
	case "amount":
		return m.money(r, 40*math.Exp(2.2*r.Float64()))
	case "big":
		return m.money(r, 900*math.Exp(2.6*r.Float64()))
	case "wage":
		return m.money(r, 600+1500*r.Float64())
	case "rate":
		return fmt.Sprintf("%.1f", 8+r.Float64()*45)
	case "name":
		given, surname := m.names(r)
		switch {
		case zh:
			return pickOne(r, []string{"姓" + surname + "的", "小" + surname, surname + "经理"})
		case r.IntN(2) == 0:
			return given
		}
		return given + " " + surname
	case "town":
		return pickOne(r, people[m.Lang].towns)
	case "region":
		return p.region
	case "street":
		return pickOne(r, people[m.Lang].streets)
	case "me":
		return p.name
	case "reach":
		return reach
	case "case":
		return strings.ToUpper(hexOf(r, 2)) + digitsOf(r, 4+r.IntN(4))
	case "digits":
		return digitsOf(r, 4)
	case "year":
		return fmt.Sprint(2016 + r.IntN(9))
	case "age":
		return fmt.Sprint(22 + r.IntN(55))
	case "lender":
		return pickOne(r, m.lenders)
	}
	if list := m.bank.lists[slot]; list != nil {
		return pickOne(r, list)
	}
	panic("synth: no slot " + slot)
}

func (m *maker) date(r *rand.Rand, at time.Time) string {
	switch m.Lang {
	case "zh":
		return at.Format(pickOne(r, []string{"1月2日", "2006年1月2日", "1月2号", "2006.1.2"}))
	case "pt":
		months := strings.Fields("janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro")
		if r.IntN(2) == 0 {
			return at.Format("02/01/2006")
		}
		return fmt.Sprintf("%d de %s", at.Day(), months[at.Month()-1])
	}
	return at.Format(pickOne(r, []string{"2 January", "January 2", "2/1/2006", "02.01.06", "Monday 2 January"}))
}

func (m *maker) money(r *rand.Rand, v float64) string {
	switch m.Lang {
	case "zh":
		return fmt.Sprintf(pickOne(r, []string{"%.0f元", "%.0f块", "%.2f元"}), v*5)
	case "pt":
		return strings.Replace(fmt.Sprintf(pickOne(r, []string{"R$ %.0f", "R$ %.2f", "%.0f reais"}), v*4), ".", ",", 1)
	}
	return fmt.Sprintf(pickOne(r, []string{"£%.0f", "£%.2f", "%.0f pounds"}), v)
}
