package synth

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"bonafide"
)

// New makes the world that c describes. Equal configs make equal worlds.
func New(c Config) World {
	c = c.complete()
	m := &maker{
		Config: c,
		r:      rand.New(rand.NewPCG(c.Seed, hashString(string(c.Style)+c.Lang))),
		bank:   loadBank(c.Style, c.Lang), manner: manners[c.Style],
		days: 540,
	}
	m.start = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, m.r.IntN(300))
	for range max(3, c.Size/120) {
		m.carriers = append(m.carriers, m.ip(m.r))
	}
	m.lenders = m.bank.lists["lender"]

	agents := int(float64(c.Size) * c.AgentShare)
	odd := int(float64(c.Size) * min(0.2, max(0.40-c.AgentShare, 0.1)))
	m.spend(agents, len(agentKinds), func(k int) float64 { return agentKinds[k].share }, func(k, left int) int {
		return m.agents(agentKinds[k].name, left)
	})
	m.spend(odd, len(innocentKinds), func(k int) float64 { return innocentKinds[k].share }, func(k, left int) int {
		before := len(m.drafts)
		innocentKinds[k].file(m, "innocent:"+innocentKinds[k].name, left)
		return len(m.drafts) - before
	})
	for len(m.drafts) < c.Size {
		m.plain()
	}
	return m.world()
}

// spend makes units of the kind that is furthest behind its share until the
// budget is used. A kind is told how many complaints it has left.
func (m *maker) spend(budget, kinds int, share func(int) float64, unit func(kind, left int) int) {
	var total float64
	for k := range kinds {
		total += share(k)
	}
	made := make([]float64, kinds)
	// A seeded order of the kinds breaks ties, so that small worlds differ.
	order := m.r.Perm(kinds)
	for spent := 0; spent < budget; {
		next := order[0]
		for _, k := range order {
			if share(k)*float64(budget)/total-made[k] > share(next)*float64(budget)/total-made[next] {
				next = k
			}
		}
		left := min(int(share(next)*float64(budget)/total-made[next])+1, budget-spent)
		n := max(unit(next, left), 1)
		made[next] += float64(n)
		spent += n
	}
}

// world orders the drafts by arrival and gives ids, which say nothing but the
// order of arrival.
func (m *maker) world() World {
	m.r.Shuffle(len(m.drafts), func(i, j int) { m.drafts[i], m.drafts[j] = m.drafts[j], m.drafts[i] })
	slices.SortStableFunc(m.drafts, func(a, b *draft) int { return a.c.Received.Compare(b.c.Received) })
	no := 100000 + m.r.IntN(400000)
	var w World
	for _, d := range m.drafts {
		no += 1 + m.r.IntN(7)
		switch m.Style {
		case Held:
			d.c.ID = fmt.Sprintf("%s/%07d", d.c.Received.Format("0601"), no)
		case Held2:
			d.c.ID = fmt.Sprintf("TS%d", no)
		default:
			d.c.ID = fmt.Sprintf("C-%07d", no)
		}
		w.Complaints = append(w.Complaints, d.c)
		w.Truth.Rows = append(w.Truth.Rows, Row{
			ID: d.c.ID, Group: d.group, Agent: d.agent, Ring: d.ring,
			Routed: d.c.Customer.Vulnerable != "" || d.c.Representative.WhitePath(),
		})
	}
	m.markTruth(w.Truth.Rows)
	return w
}

// markTruth sets Provable and TextOnly from the values as they were written. A
// value proves when another customer's complaint of the same ring has it too,
// after honest normalisation, and no more outsiders than members hold it: a
// carrier's gateway proves nothing. A masked value does not prove, but a
// complaint with one is not tied by text only.
func (m *maker) markTruth(rows []Row) {
	type holder struct {
		ring string
		p    *person
	}
	holders := map[string][]holder{}
	masked := map[string][]holder{}
	for i, d := range m.drafts {
		for _, v := range identifiers(&d.c) {
			to := holders
			if v.masked {
				to = masked
			}
			to[v.key] = append(to[v.key], holder{rows[i].Ring, d.p})
		}
	}
	ties := func(list []holder, ring string, p *person) bool {
		others, outside := 0, 0
		for _, h := range list {
			switch {
			case h.ring != ring:
				outside++
			case h.p != p:
				others++
			}
		}
		return others > 0 && outside <= others+1
	}
	for i, d := range m.drafts {
		if !d.agent {
			continue
		}
		tied := false
		for _, v := range identifiers(&d.c) {
			if v.masked {
				tied = tied || ties(masked[v.key], d.ring, d.p)
			} else if ties(holders[v.key], d.ring, d.p) {
				rows[i].Provable = true
			}
		}
		rows[i].TextOnly = !rows[i].Provable && !tied
	}
}

// value is one thing a complaint could share, in normal form.
type value struct {
	key    string
	masked bool
}

// identifiers lists the values of a complaint in normal form, each once and
// without placeholders.
func identifiers(c *bonafide.Complaint) []value {
	var out []value
	add := func(kind bonafide.IdentifierKind, raw string) {
		if v, ok := normal(kind, raw); ok {
			out = append(out, v)
		}
	}
	for _, id := range c.Contacts {
		add(id.Kind, id.Value)
	}
	add(bonafide.Phone, c.Customer.Phone)
	add(bonafide.Email, c.Customer.Email)
	add(bonafide.Address, c.Customer.Address)
	for _, d := range c.Documents {
		if d.SHA256 != "" {
			out = append(out, value{key: "document " + d.SHA256})
		}
	}
	slices.SortFunc(out, func(a, b value) int { return cmp.Compare(a.key, b.key) })
	return slices.Compact(out)
}
