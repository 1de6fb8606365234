package synth

import (
	"math/rand/v2"
	"strings"
	"time"

	"bonafide"
)

// innocentKinds are the innocent groups that look guilty, or hinder in some
// other way, with their share of the complaints that are neither an agent's nor
// plain. file makes one unit of about n complaints at most; an innocent group's
// units are a home, a firm, a wave and the like.
var innocentKinds = []struct {
	name  string
	share float64
	file  func(m *maker, group string, n int)
}{
	{"household", 0.09, (*maker).household},
	{"dormitory", 0.055, (*maker).dormitory},
	{"outage-wave", 0.17, func(m *maker, g string, n int) { m.wave(g, "outage", n) }},
	{"fee-change-wave", 0.17, func(m *maker, g string, n int) { m.wave(g, "feechange", n) }},
	{"viral-post", 0.05, (*maker).viral},
	{"law-firm", 0.045, func(m *maker, g string, n int) { m.represented(g, bonafide.RepLawyer, n) }},
	{"legal-aid", 0.03, func(m *maker, g string, n int) { m.represented(g, bonafide.RepLegalAid, n) }},
	{"charity", 0.03, func(m *maker, g string, n int) { m.represented(g, bonafide.RepCharity, n) }},
	{"declared-family", 0.03, (*maker).declaredFamily},
	{"public-template", 0.05, (*maker).publicTemplate},
	{"quoted-statute", 0.045, (*maker).statute},
	{"office-gateway", 0.045, (*maker).office},
	{"carrier-gateway", 0.045, (*maker).carrier},
	{"switchboard", 0.03, (*maker).switchboard},
	{"kiosk", 0.03, (*maker).kiosk},
	{"masked-numbers", 0.03, (*maker).masked},
	{"repeat-customer", 0.04, (*maker).repeat},
	{"recycled-number", 0.015, (*maker).recycled},
	{"former-client", 0.02, (*maker).formerClient},
	{"junk-identifiers", 0.03, (*maker).junk},
	{"neighbours", 0.035, (*maker).neighbours},
	{"vulnerable", 0.025, (*maker).vulnerable},
}

// plain files an ordinary complaint. One in a hundred customers is vulnerable.
func (m *maker) plain() {
	f := filing{group: "innocent:plain"}
	if m.r.Float64() < 0.012 {
		f.fragile = pickZipf(m.r, frailties)
	}
	m.file(m.person(""), f)
}

// household files for people of several surnames in one home with one story:
// one phone or device between them, the address sometimes written differently
// or missing. Each tells it in their own words, or one writes for all.
func (m *maker) household(group string, n int) {
	m.home(filing{group: group, topic: m.topic(), when: m.anyTime()}, min(2+m.r.IntN(4), max(n, 2)), 21)
}

// home files for one household within some days of base.when.
func (m *maker) home(base filing, size, days int) {
	r := m.r
	var id bonafide.Identifier
	switch x := r.Float64(); {
	case x < 0.4:
		id = bonafide.Identifier{Kind: bonafide.Phone, Value: m.landline(r)}
	case x < 0.6:
		id = bonafide.Identifier{Kind: bonafide.Phone, Value: m.phone(r)}
	default:
		id = bonafide.Identifier{Kind: bonafide.Device, Value: m.device(r)}
	}
	b := &book{key: r.Uint64() | 1, loose: 0.6, same: 0.75}
	if r.IntN(2) == 0 {
		b.loose = 0.1 // one of them writes
	}
	if base.book != nil {
		b = base.book
	}
	region, address, about := m.region(r), "", base.when
	var ip string
	for i := range size {
		p := m.person(region)
		if address == "" {
			address, ip = p.address, p.ip
		}
		p.address, p.ip = address, ip
		if r.IntN(3) == 0 {
			p.address = m.rewrite(r, address)
		}
		f := base
		f.book, f.about = b, about
		f.when = base.when.Add(time.Duration(r.IntN(days*24)) * time.Hour)
		if r.Float64() < 0.9 {
			value := id.Value
			if r.IntN(4) == 0 {
				value = m.dress(r, id.Kind, value, false)
			}
			f.shared = []bonafide.Identifier{{Kind: id.Kind, Value: value}}
		}
		d := m.file(p, f)
		if i > 0 && r.IntN(4) == 0 {
			d.c.Customer.Address = ""
		}
	}
}

// dormitory files for workers of one factory who were mis-sold one product:
// one address and one gateway, but phones of their own.
func (m *maker) dormitory(group string, n int) {
	r := m.r
	size := min(5+r.IntN(20), max(n, 4))
	region, topic, from := m.region(r), m.topic(), r.IntN(m.days-60)
	address, gateway := m.address(r, region), m.ip(r)
	b := &book{key: r.Uint64() | 1, loose: 0.8, same: 0.35}
	for range size {
		p := m.person(region)
		p.address = address
		if r.IntN(3) == 0 {
			p.address = m.rewrite(r, address)
		}
		f := filing{group: group, topic: topic, book: b, when: m.timeIn(from, 60)}
		if r.Float64() < 0.6 {
			f.shared = []bonafide.Identifier{{Kind: bonafide.IP, Value: gateway}}
		}
		m.file(p, f)
	}
}

// wave files hundreds of complaints about one event within days, with some
// households among them. Half of the papers are the lender's own public notice.
func (m *maker) wave(group, topic string, n int) {
	r := m.r
	t := m.topicNamed(topic)
	from, days := r.IntN(m.days-20), 2+r.IntN(9)
	notice := bonafide.Document{Kind: "screenshot", SHA256: m.sha256(r), Verified: bonafide.Genuine}
	for made := 0; made < n; {
		f := filing{group: group, topic: t, when: m.timeIn(from, days)}
		if r.Float64() < 0.08 {
			f.docs = []bonafide.Document{notice}
		}
		if size := 2 + r.IntN(2); r.Float64() < 0.05 && made+size <= n {
			m.home(f, size, 2)
			made += size
			continue
		}
		m.file(m.person(""), f)
		made++
	}
}

// viral files letters that strangers copied from a post, nearly word for word.
func (m *maker) viral(group string, n int) {
	r := m.r
	size := min(8+r.IntN(25), max(n, 4))
	b := &book{key: r.Uint64() | 1, loose: 0.01 + 0.07*r.Float64(), same: 0.6}
	topic, from, length := m.topic(), r.IntN(m.days-40), m.length()
	post := ""
	for range size {
		f := filing{group: group, topic: topic, book: b, size: length, when: m.timeIn(from, 5+r.IntN(35))}
		if r.IntN(3) == 0 { // pasted as it was
			f.text = post
		}
		if d := m.file(m.person(""), f); post == "" {
			post = d.c.Text
		}
	}
}

// represented files through a declared firm, office or charity: its phone,
// address and letter. Some authorities are confirmed, others not yet.
func (m *maker) represented(group string, as bonafide.RepresentativeType, n int) {
	r := m.r
	size := min(3+r.IntN(14), max(n, 2))
	firm := m.person("")
	phone, mailbox := m.landline(r), m.email(r, "office", syllables(r, 2))
	b := &book{key: r.Uint64() | 1, loose: 0.03 + 0.3*r.Float64(), same: 0.1}
	topic, from := m.topic(), r.IntN(m.days/2)
	licence := digitsOf(r, 10)
	for range size {
		f := filing{group: group, topic: topic, book: b, when: m.timeIn(from, 240)}
		f.rep = &bonafide.Representative{Type: as, Name: firm.name, Licence: licence, Confirmed: r.IntN(2) == 0}
		for _, id := range []bonafide.Identifier{
			{Kind: bonafide.Phone, Value: phone},
			{Kind: bonafide.Email, Value: mailbox},
			{Kind: bonafide.Address, Value: firm.address},
			{Kind: bonafide.Sender, Value: firm.sender},
		} {
			if r.IntN(2) == 0 {
				f.shared = append(f.shared, id)
			}
		}
		if r.IntN(4) == 0 {
			topic = m.topic()
		}
		m.file(m.person(""), f)
	}
}

// declaredFamily files for a relative who speaks for one or two customers.
func (m *maker) declaredFamily(group string, n int) {
	r := m.r
	helper := m.person("")
	as := pickOne(r, []bonafide.RepresentativeType{bonafide.RepFamily, bonafide.RepFamily, bonafide.RepGuardian, bonafide.RepHeir})
	b := &book{key: r.Uint64() | 1, loose: 0.4, same: 0.5}
	topic, when := m.topic(), m.anyTime()
	for range min(1+r.IntN(3), max(n, 1)) {
		m.file(m.person(helper.region), filing{
			group: group, topic: topic, book: b, about: when, when: when.Add(time.Duration(r.IntN(500)) * time.Hour),
			rep:    &bonafide.Representative{Type: as, Name: helper.name, Confirmed: r.IntN(2) == 0},
			shared: []bonafide.Identifier{{Kind: bonafide.Phone, Value: helper.phone}, {Kind: bonafide.Device, Value: helper.device}}[:1+r.IntN(2)],
		})
	}
}

// publicTemplate files a regulator's sample letter, filled in by strangers over
// the whole span. One world has few such letters.
func (m *maker) publicTemplate(group string, n int) {
	r := m.r
	b := &book{key: mix(m.Seed, uint64(r.IntN(3))) | 1, loose: 0.02, same: 0.02}
	topic := m.bank.topics[int(b.key>>8)%len(m.bank.topics)]
	for range min(6+r.IntN(20), max(n, 3)) {
		m.file(m.person(""), filing{group: group, topic: topic, book: b, size: 90, when: m.anyTime()})
	}
}

// statute files own stories that quote the same long passage of a law.
func (m *maker) statute(group string, n int) {
	r := m.r
	quote := m.bank.sections["statute"][r.IntN(len(m.bank.sections["statute"]))]
	for range min(6+r.IntN(20), max(n, 3)) {
		v := &voice{r: r, fill: func(*rand.Rand, string) string { return "" }}
		m.file(m.person(""), filing{group: group, when: m.anyTime(), extra: []string{v.say(quote)}})
	}
}

// office files for colleagues behind one gateway, with stories of their own.
func (m *maker) office(group string, n int) {
	gateway, region := m.ip(m.r), m.region(m.r)
	for range min(4+m.r.IntN(25), max(n, 3)) {
		m.file(m.person(region), filing{group: group, when: m.anyTime(), shared: []bonafide.Identifier{{Kind: bonafide.IP, Value: gateway}}})
	}
}

// carrier files for strangers behind a mobile network's gateway.
func (m *maker) carrier(group string, n int) {
	gateway := m.carriers[m.r.IntN(len(m.carriers))]
	for range min(10+m.r.IntN(40), max(n, 3)) {
		m.file(m.person(""), filing{group: group, when: m.anyTime(), shared: []bonafide.Identifier{{Kind: bonafide.IP, Value: gateway}}})
	}
}

// switchboard files for employees who leave their company's number.
func (m *maker) switchboard(group string, n int) {
	number, region := m.landline(m.r), m.region(m.r)
	for range min(3+m.r.IntN(12), max(n, 3)) {
		value := number
		if m.r.IntN(3) == 0 {
			value += pickOne(m.r, []string{"-", " ext ", "转"}) + digitsOf(m.r, 3)
		}
		m.file(m.person(region), filing{group: group, when: m.anyTime(), shared: []bonafide.Identifier{{Kind: bonafide.Phone, Value: value}}})
	}
}

// kiosk files for strangers who used one public computer over the months.
func (m *maker) kiosk(group string, n int) {
	device, ip, region := m.device(m.r), m.ip(m.r), m.region(m.r)
	for range min(4+m.r.IntN(16), max(n, 3)) {
		m.file(m.person(region), filing{
			group: group, when: m.anyTime(), channel: "portal",
			shared: []bonafide.Identifier{{Kind: bonafide.Device, Value: device}, {Kind: bonafide.IP, Value: ip}},
		})
	}
}

// masked files strangers of one export that left three digits of every number,
// so that masks collide.
func (m *maker) masked(group string, n int) {
	topic, from := m.topic(), m.r.IntN(m.days-100)
	end := digitsOf(m.r, 3)
	for range min(4+m.r.IntN(12), max(n, 3)) {
		p := m.person("")
		number := mask(p.phone, true)
		if m.r.IntN(2) == 0 {
			number = number[:len(number)-3] + end
		}
		m.file(p, filing{group: group, topic: topic, when: m.timeIn(from, 100), shared: []bonafide.Identifier{{Kind: bonafide.Phone, Value: number}}})
	}
}

// repeat files several complaints of one customer, who comes back to the
// matter with their own phone and much the same words.
func (m *maker) repeat(group string, n int) {
	r := m.r
	p, topic := m.person(""), m.topic()
	b := &book{key: r.Uint64() | 1, loose: 0.2 + 0.5*r.Float64(), same: 0.7}
	about := m.anyTime()
	for i := range min(2+r.IntN(4), max(n, 2)) {
		f := filing{group: group, topic: topic, book: b, about: about, when: about.AddDate(0, 0, i*(3+r.IntN(40)))}
		if r.IntN(5) == 0 {
			f.topic, f.book = m.topic(), nil
		}
		m.file(p, f)
	}
}

// recycled files for an innocent who was given a number that a ring had used.
func (m *maker) recycled(group string, _ int) {
	var used []*ringRecord
	for _, rec := range m.rings {
		if len(rec.phones) > 0 && rec.last.Before(m.start.AddDate(0, 0, m.days-45)) {
			used = append(used, rec)
		}
	}
	if len(used) == 0 {
		m.file(m.person(""), filing{group: group})
		return
	}
	rec := used[m.r.IntN(len(used))]
	p := m.person("")
	p.phone = pickOne(m.r, rec.phones)
	after := int(rec.last.Sub(m.start).Hours()/24) + 30
	f := filing{group: group, when: m.timeIn(after, m.days-after), shared: []bonafide.Identifier{{Kind: bonafide.Phone, Value: p.phone}}}
	if m.r.IntN(3) == 0 {
		f.topic = rec.topic
	}
	m.file(p, f)
}

// formerClient files for a customer of a ring who now complains alone, with
// their own phone and in their own words.
func (m *maker) formerClient(group string, _ int) {
	if len(m.rings) == 0 {
		m.plain()
		return
	}
	rec := m.rings[m.r.IntN(len(m.rings))]
	p := rec.members[m.r.IntN(len(rec.members))]
	f := filing{group: group, when: m.anyTime()}
	if m.r.IntN(2) == 0 {
		f.topic = rec.topic
	}
	m.file(p, f)
}

// junk files for people who typed a placeholder where a form insisted.
func (m *maker) junk(group string, n int) {
	for range min(4+m.r.IntN(12), max(n, 2)) {
		f := filing{group: group, when: m.anyTime()}
		for _, kind := range bonafide.IdentifierKinds {
			if values := junk[kind]; values != nil && (m.r.IntN(3) == 0 || kind == bonafide.Phone) {
				f.shared = append(f.shared, bonafide.Identifier{Kind: kind, Value: pickZipf(m.r, values)})
			}
		}
		m.file(m.person(""), f)
	}
}

// neighbours files for people of one street or building with one grievance:
// their own phones, similar words.
func (m *maker) neighbours(group string, n int) {
	r := m.r
	region, topic, from := m.region(r), m.topic(), r.IntN(m.days-30)
	street := m.address(r, region)
	b := &book{key: r.Uint64() | 1, loose: 0.55 + 0.3*r.Float64(), same: 0.3}
	for range min(3+r.IntN(8), max(n, 3)) {
		p := m.person(region)
		p.address = renumber(street, digitsOf(r, 2))
		m.file(p, filing{group: group, topic: topic, book: b, when: m.timeIn(from, 30)})
	}
}

// renumber puts a new number in place of the first in an address.
func renumber(address, number string) string {
	at := strings.IndexAny(address, "123456789")
	if at < 0 {
		return number + " " + address
	}
	end := at
	for end < len(address) && address[end] >= '0' && address[end] <= '9' {
		end++
	}
	return address[:at] + strings.TrimLeft(number, "0") + "1" + address[end:]
}

// vulnerable files for a customer whom a trained person must take over.
func (m *maker) vulnerable(group string, _ int) {
	m.file(m.person(""), filing{group: group, fragile: pickZipf(m.r, frailties)})
}
