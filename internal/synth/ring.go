package synth

import (
	"fmt"
	"math"
	"time"

	"bonafide"
)

// manner is how rings of a style behave.
type manner struct {
	size  func(m *maker) int // members of an ordinary ring
	cell  []int              // how many members share one value, drawn from these
	cover float64            // share of cells that share anything
	twice float64            // share of members that are in a second cell
	dress float64            // chance that a shared value is dressed up
	mask  float64            // chance that it is masked
	loose [2]float64         // range of a ring's voice.loose
	burst [2]int             // range of a ring's days
}

var manners = map[Style]manner{
	Dev: {
		size:  func(m *maker) int { return 4 + int(4*math.Exp(0.9*m.r.NormFloat64())) },
		cell:  []int{2, 2, 2, 3, 3},
		cover: 0.75, twice: 0.15, dress: 0.28, mask: 0.07,
		loose: [2]float64{0.02, 0.26}, burst: [2]int{12, 120},
	},
	Held: {
		size:  func(m *maker) int { return 5 + int(m.r.ExpFloat64()*7) },
		cell:  []int{2, 2, 3, 3, 4},
		cover: 0.65, twice: 0.35, dress: 0.34, mask: 0.05,
		loose: [2]float64{0.05, 0.25}, burst: [2]int{20, 200},
	},
	Held2: {
		size: func(m *maker) int {
			if m.r.IntN(3) > 0 {
				return 3 + m.r.IntN(4)
			}
			return 14 + m.r.IntN(26)
		},
		cell:  []int{2, 2, 2, 2, 3},
		cover: 0.85, twice: 0.05, dress: 0.24, mask: 0.1,
		loose: [2]float64{0.01, 0.21}, burst: [2]int{5, 90},
	},
}

// ringRecord remembers what later groups need of a ring.
type ringRecord struct {
	id      string
	topic   *topic
	members []*person
	phones  []string
	last    time.Time
}

// agentKinds are the ways in which agents work, with their share of the agents'
// complaints.
var agentKinds = []struct {
	name  string
	share float64
}{
	{"naive", 0.07},
	{"rotating-devices", 0.13},
	{"answering-phones", 0.13},
	{"chains", 0.11},
	{"forged-papers", 0.1},
	{"mail-senders", 0.08},
	{"obfuscated-handles", 0.1},
	{"low-and-slow", 0.09},
	{"small", 0.06},
	{"twin-agencies", 0.07},
	{"text-only", 0.06},
}

// agents files a ring of a kind with at most n members, in all, and returns how
// many complaints it made.
func (m *maker) agents(kind string, n int) int {
	before := len(m.drafts)
	size := min(max(m.manner.size(m), 3), 40, max(n, 3))
	topic := m.topic()
	playbook := &book{key: m.r.Uint64() | 1}
	playbook.loose = m.manner.loose[0] + m.r.Float64()*(m.manner.loose[1]-m.manner.loose[0])
	switch kind {
	case "naive":
		playbook.loose = 0.02 + 0.1*m.r.Float64()
	case "small":
		size = 3 + m.r.IntN(3)
	case "twin-agencies":
		m.ring(kind, "answering-phones", max(size/2, 3), topic, playbook)
		m.ring(kind, "rotating-devices", max(size/2, 3), topic, playbook)
		return len(m.drafts) - before
	}
	m.ring(kind, kind, size, topic, playbook)
	return len(m.drafts) - before
}

// ring files one ring that works in the given way.
func (m *maker) ring(kind, way string, size int, topic *topic, playbook *book) {
	r := m.r
	rec := &ringRecord{id: fmt.Sprintf("R%03d", len(m.rings)+1), topic: topic}
	m.rings = append(m.rings, rec)
	b := *playbook
	b.loose *= 1 - m.Ease
	b.same = max(0.12*r.Float64(), m.Ease)
	days := m.manner.burst[0] + r.IntN(m.manner.burst[1]-m.manner.burst[0])
	if way == "low-and-slow" {
		days = 300 + r.IntN(120)
	}
	days = min(days, m.days)
	from := r.IntN(m.days - days + 1)
	shared, docs := m.infrastructure(way, size, rec)
	length, first := m.length(), ""
	for i := range size {
		p := m.person("")
		rec.members = append(rec.members, p)
		f := filing{
			group: "agent:" + kind, ring: rec.id, topic: topic, book: &b,
			when: m.timeIn(from, days), shared: shared[i], docs: docs[i],
			size: int(float64(length) * (0.9 + 0.3*r.Float64())),
		}
		if r.Float64() < 2*m.Ease-1 || way == "naive" && r.IntN(3) == 0 {
			f.text = first
		}
		if way == "mail-senders" && r.IntN(5) > 0 {
			f.channel = "letter"
		}
		switch x := r.Float64(); {
		case x < 0.03:
			f.fragile = pickZipf(r, frailties)
		case x < 0.045:
			f.rep = &bonafide.Representative{Type: pickOne(r, []bonafide.RepresentativeType{bonafide.RepFamily, bonafide.RepLawyer}), Name: m.person("").name}
		case x < 0.06:
			f.rep = &bonafide.Representative{Type: bonafide.RepUnknown}
		}
		d := m.file(p, f)
		if first == "" {
			first = d.c.Text
		}
		if d.c.Received.After(rec.last) {
			rec.last = d.c.Received
		}
	}
}

var frailties = []string{"elderly", "illness", "disability", "language", "minor", "suicide-risk"}

// infrastructure draws what the members of a ring share. Most ways tie only two
// or three members by one value, and leave some with nothing.
func (m *maker) infrastructure(way string, size int, rec *ringRecord) ([][]bonafide.Identifier, [][]bonafide.Document) {
	r := m.r
	shared := make([][]bonafide.Identifier, size)
	docs := make([][]bonafide.Document, size)
	give := func(i int, kind bonafide.IdentifierKind, value string) {
		switch x := r.Float64(); {
		case x < m.manner.mask*(1-m.Ease) && (kind == bonafide.Phone || kind == bonafide.Account || kind == bonafide.Handle):
			value = mask(value, false)
		case kind == bonafide.Handle && x < 0.65*(1-m.Ease):
			value = m.dress(r, kind, value, true)
		case x < (m.manner.mask+m.manner.dress)*(1-m.Ease):
			value = m.dress(r, kind, value, r.IntN(2) == 0)
		}
		for _, id := range shared[i] {
			if id.Kind == kind && r.IntN(2) == 0 { // rarely two of a kind
				return
			}
		}
		shared[i] = append(shared[i], bonafide.Identifier{Kind: kind, Value: value})
	}
	spread := func(kind bonafide.IdentifierKind, draw func() string) {
		for _, cell := range m.cells(size) {
			value := draw()
			for _, i := range cell {
				give(i, kind, value)
			}
			if kind == bonafide.Phone {
				rec.phones = append(rec.phones, value)
			}
		}
	}
	phone := func() string { return m.phone(r) }
	device := func() string { return m.device(r) }
	ip := func() string { return m.ip(r) }
	switch way {
	case "naive":
		value := phone()
		rec.phones = append(rec.phones, value)
		for i := range size {
			if r.Float64() < 0.85 {
				give(i, bonafide.Phone, value)
			}
		}
	case "rotating-devices":
		spread(bonafide.Device, device)
		if r.IntN(3) == 0 {
			spread(bonafide.IP, ip)
		}
	case "answering-phones":
		spread(bonafide.Phone, phone)
	case "chains":
		m.chain(size, give)
	case "forged-papers":
		kind := pickOne(r, []string{"medical", "poverty", "court", "statement"})
		for _, cell := range m.cells(size) {
			d := bonafide.Document{Kind: kind, SHA256: m.sha256(r)}
			switch x := r.Float64(); {
			case x < 0.35:
				d.Verified = bonafide.Forged
			case x < 0.65:
				d.Verified = bonafide.Unconfirmed
			}
			for _, i := range cell {
				docs[i] = []bonafide.Document{d}
				if r.IntN(4) == 0 {
					docs[i] = append(docs[i], m.paper())
				}
			}
		}
	case "mail-senders":
		var senders []string
		for range 1 + size/8 {
			given, surname := m.names(r)
			senders = append(senders, m.sender(r, m.fullName(given, surname), m.region(r)))
		}
		for i := range size {
			if r.Float64() < m.manner.cover {
				give(i, bonafide.Sender, pickOne(r, senders))
			}
		}
	case "obfuscated-handles":
		var handles []string
		for range 1 + size/6 {
			handles = append(handles, m.handle(r))
		}
		for i := range size {
			if r.Float64() < m.manner.cover {
				give(i, bonafide.Handle, pickOne(r, handles))
			}
		}
	case "low-and-slow":
		spread(bonafide.Phone, phone)
		if r.IntN(2) == 0 {
			spread(bonafide.Device, device)
		}
	case "small":
		switch r.IntN(4) {
		case 0:
			spread(bonafide.Phone, phone)
		case 1:
			spread(bonafide.Device, device)
		case 2:
			spread(bonafide.Email, m.mailbox)
		case 3:
			spread(bonafide.Account, func() string { return m.account(r) })
		}
	}
	m.simplify(way, shared, rec)
	return shared, docs
}

// simplify gives members the ring's one phone and device, plainly written, to
// the degree that the world is easy. A ring tied by text only stays so.
func (m *maker) simplify(way string, shared [][]bonafide.Identifier, rec *ringRecord) {
	if m.Ease == 0 || way == "text-only" {
		return
	}
	phone, device := m.phone(m.r), m.device(m.r)
	rec.phones = append(rec.phones, phone)
	for i := range shared {
		if m.r.Float64() < m.Ease {
			shared[i] = []bonafide.Identifier{{Kind: bonafide.Phone, Value: phone}, {Kind: bonafide.Device, Value: device}}
		}
	}
}

// cells partitions members into small cells that share a value; members in no
// cell share nothing, a few are in two.
func (m *maker) cells(size int) [][]int {
	order := m.r.Perm(size)
	var out [][]int
	for len(order) > 1 {
		n := min(m.manner.cell[m.r.IntN(len(m.manner.cell))], len(order))
		if m.r.Float64() < m.manner.cover {
			cell := append([]int(nil), order[:n]...)
			if len(out) > 0 && m.r.Float64() < m.manner.twice {
				other := out[m.r.IntN(len(out))]
				cell = append(cell, other[m.r.IntN(len(other))])
			}
			out = append(out, cell)
		}
		order = order[n:]
	}
	return out
}

// chain ties each member to the next by a refund account or a mailbox, so that
// no value has more than two or three holders; some links are missing.
func (m *maker) chain(size int, give func(int, bonafide.IdentifierKind, string)) {
	r := m.r
	for i := 0; i+1 < size; i++ {
		if r.Float64() >= m.manner.cover {
			continue
		}
		kind, value := bonafide.Account, m.account(r)
		if i%2 == 1 {
			kind, value = bonafide.Email, m.mailbox()
		}
		give(i, kind, value)
		give(i+1, kind, value)
		if i+2 < size && r.Float64() < m.manner.twice {
			give(i+2, kind, value)
		}
	}
}
