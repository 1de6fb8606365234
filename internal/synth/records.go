package synth

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"bonafide"
)

// RecordsConfig says which records of a lender to make. Equal configs make equal
// records.
type RecordsConfig struct {
	Seed      uint64
	Customers int // 0 means 1000
	Days      int // of the log of calls; 0 means 1
	// AsOf is when the records are looked at, the noon after their last day; zero
	// means 16 June 2025, 12:00 in Shanghai.
	AsOf time.Time
}

// RecordsWorld is what a lender hands in beside complaints, with the truth: the rules of
// the built-in pack "cn" that each customer's records break. The truth is what was
// planted; it is not found by looking.
type RecordsWorld struct {
	AsOf         time.Time
	Calls        []bonafide.CollectionCall
	Contracts    []bonafide.Contract
	ThirdParties []bonafide.ThirdParty
	Objections   []bonafide.CreditObjection
	Failures     []bonafide.Failure
	Planted      []Planted // by customer and rule
	// Near counts the records that come close to a breach and are none, by what they are.
	Near map[string]int
	// Waves are the incidents behind a world's waves of complaints; see RecordsFor.
	Waves []RecordsWave
}

// Planted is one rule that one customer's records break, and the records by which.
type Planted struct {
	Customer string
	Rule     string
	Standing bonafide.Standing
	Rows     []bonafide.RowRef // by kind and id
}

// RecordsWave is a breach behind a wave of complaints.
type RecordsWave struct {
	Group      string // as Row.Group has it
	Rule       string
	Began      time.Time
	Complaints int      // of the wave
	Covered    []string // ids of those whose customer has a record of the breach
}

// recordMaker holds records while they are made.
type recordMaker struct {
	RecordsWorld
	r      *rand.Rand
	zone   *time.Location
	first  time.Time // midnight of the first day of the log
	days   int
	ids    int
	truth  map[[2]string]*Planted
	ref    string       // of the customer at hand
	taken  map[int]bool // days of the customer's log that have all their calls
	prefix string       // of ids
}

// shanghai has had no summer time since 1991.
var shanghai = time.FixedZone("CST", 8*3600)

// MakeRecords makes the records that c describes: a log of calls by day, contracts,
// contact lists, objections and failures. One customer in eight has one breach planted or
// more; most others come close to one.
func MakeRecords(c RecordsConfig) RecordsWorld {
	if c.Customers <= 0 {
		c.Customers = 1000
	}
	if c.Days <= 0 {
		c.Days = 1
	}
	if c.AsOf.IsZero() {
		c.AsOf = time.Date(2025, 6, 16, 12, 0, 0, 0, shanghai)
	}
	m := newRecordMaker(c.Seed, c.AsOf, c.Days)
	for i := range c.Customers {
		m.customer(fmt.Sprintf("R%07d", i+1))
	}
	return m.world()
}

func newRecordMaker(seed uint64, asOf time.Time, days int) *recordMaker {
	m := &recordMaker{r: rand.New(rand.NewPCG(seed, 0x7ec0)), zone: shanghai, days: days, truth: map[[2]string]*Planted{}}
	m.AsOf, m.Near = asOf.In(shanghai), map[string]int{}
	y, month, d := m.AsOf.Date()
	m.first = time.Date(y, month, d-days, 0, 0, 0, 0, m.zone)
	return m
}

// world puts the records in the order of their ids, which say nothing.
func (m *recordMaker) world() RecordsWorld {
	for _, p := range m.truth {
		slices.SortFunc(p.Rows, func(a, b bonafide.RowRef) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) })
		m.Planted = append(m.Planted, *p)
	}
	slices.SortFunc(m.Planted, func(a, b Planted) int {
		return cmp.Or(cmp.Compare(a.Customer, b.Customer), cmp.Compare(a.Rule, b.Rule))
	})
	m.r.Shuffle(len(m.Calls), func(i, j int) { m.Calls[i], m.Calls[j] = m.Calls[j], m.Calls[i] })
	return m.RecordsWorld
}

// customer makes the records of one customer: on every day of the log a plain day or one
// that is a breach or near one, and a contract that is either too.
func (m *recordMaker) customer(ref string) {
	m.ref, m.taken = ref, map[int]bool{}
	loan := m.contract()
	for d := range m.days {
		if m.taken[d] {
			continue
		}
		switch x := m.r.Float64(); {
		case x < 0.05:
			pickPlot(m.r, callBreaches)(m, d, loan)
		case x < 0.30:
			pickPlot(m.r, callNears)(m, d, loan)
		default:
			m.plainDay(d, loan)
		}
	}
	switch x := m.r.Float64(); {
	case x < 0.03:
		pickPlot(m.r, otherBreaches)(m)
	case x < 0.2:
		pickPlot(m.r, otherNears)(m)
	}
}

func pickPlot[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

func (m *recordMaker) id(kind string) string {
	m.ids++
	return fmt.Sprintf("%s%s%08d", m.prefix, kind, m.ids)
}

// plant notes a breach.
func (m *recordMaker) plant(rule string, s bonafide.Standing, kind string, ids ...string) {
	key := [2]string{m.ref, rule}
	p := m.truth[key]
	if p == nil {
		p = &Planted{Customer: m.ref, Rule: rule, Standing: s}
		m.truth[key] = p
	}
	for _, id := range ids {
		p.Rows = append(p.Rows, bonafide.RowRef{Kind: kind, ID: id})
	}
}

func (m *recordMaker) near(what string) { m.Near[what]++ }

// at is a moment of a day of the log, by the clock in Shanghai; day may lie beyond it.
func (m *recordMaker) at(day int, clock string) time.Time {
	t, err := time.Parse(time.TimeOnly, clock)
	if err != nil {
		panic(err)
	}
	return m.first.AddDate(0, 0, day).Add(time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second)
}

// daytime draws a moment from 08:00 to 21:59:59.
func (m *recordMaker) daytime(day int) time.Time {
	return m.at(day, "08:00:00").Add(time.Duration(m.r.IntN(14*3600)) * time.Second)
}

// nighttime draws a moment of a day before 08:00 or from 22:00 on.
func (m *recordMaker) nighttime(day int) time.Time {
	second := m.r.IntN(10 * 3600)
	if second >= 8*3600 {
		second += 14 * 3600
	}
	return m.at(day, "00:00:00").Add(time.Duration(second) * time.Second)
}

// outsourcers are the collectors besides the lender's own.
var outsourcers = []string{"", "", "Beacon", "Harbour", "Lotus"}

// call adds a call of the debtor that went out and was answered; change alters it.
func (m *recordMaker) call(at time.Time, change func(*bonafide.CollectionCall)) string {
	c := bonafide.CollectionCall{
		ID: m.id("K"), CustomerRef: m.ref, Started: at, Seconds: 20 + m.r.Int64N(400), Direction: "out", Party: "debtor",
		Effective: true, Outsourcer: pickOne(m.r, outsourcers),
	}
	if change != nil {
		change(&c)
	}
	if !c.Effective {
		c.Seconds = m.r.Int64N(15)
	}
	// Some logs are kept in UTC.
	if _, offset := c.Started.Zone(); offset == 8*3600 && m.r.IntN(6) == 0 {
		c.Started = c.Started.UTC()
	}
	m.Calls = append(m.Calls, c)
	return c.ID
}

func unanswered(c *bonafide.CollectionCall) { c.Effective = false }

func incoming(c *bonafide.CollectionCall) { c.Direction, c.Outsourcer = "in", "" }

// plainDay is a day without anything close to a breach.
func (m *recordMaker) plainDay(day int, loan string) {
	effective := 0
	for range m.r.IntN(6) {
		m.call(m.daytime(day), func(c *bonafide.CollectionCall) {
			if m.r.IntN(2) == 0 {
				c.Contract = loan
			}
			switch x := m.r.IntN(10); {
			case x < 1:
				incoming(c)
			case x < 3:
				c.Party, c.Effective = "third-party", m.r.IntN(2) == 0
			case x < 6 && effective < 2:
				effective++
			default:
				c.Effective = false
			}
		})
	}
}

// callBreaches are days with a breach, callNears days that come close.
var callBreaches = []func(m *recordMaker, day int, loan string){
	// The first and last second of the night, and some between.
	func(m *recordMaker, day int, _ string) {
		at := pickOne(m.r, []time.Time{m.at(day, "22:00:00"), m.at(day, "07:59:59"), m.at(day, "00:00:00"), m.nighttime(day)})
		m.plant("night-call", bonafide.Substantiated, "call", m.call(at, nil))
	},
	// It only rang; a third party was called; twice.
	func(m *recordMaker, day int, _ string) {
		for range 1 + m.r.IntN(2) {
			m.plant("night-call", bonafide.Substantiated, "call", m.call(m.nighttime(day), func(c *bonafide.CollectionCall) {
				c.Effective = false
				if m.r.IntN(2) == 0 {
					c.Party = "third-party"
				}
			}))
		}
	},
	// Night where they live, though not in Shanghai: Urumqi keeps its own clock by custom.
	func(m *recordMaker, day int, _ string) {
		m.plant("night-call", bonafide.Substantiated, "call", m.call(m.at(day, "09:30:00").In(time.FixedZone("", 6*3600)), nil))
	},
	// Four and more that got through, two collectors together.
	func(m *recordMaker, day int, loan string) {
		for range 4 + m.r.IntN(4) {
			m.plant("too-many-calls", bonafide.Substantiated, "call", m.call(m.daytime(day), func(c *bonafide.CollectionCall) {
				if m.r.IntN(2) == 0 {
					c.Contract = loan
				}
			}))
		}
		m.call(m.daytime(day), unanswered)
	},
	// Four of one day, two of them in its first hours, as was agreed: in UTC they are of
	// two days.
	func(m *recordMaker, day int, _ string) {
		for _, clock := range []string{"00:30:00", "01:30:00", "09:00:00", "20:00:00"} {
			m.plant("too-many-calls", bonafide.Substantiated, "call", m.call(m.at(day, clock), func(c *bonafide.CollectionCall) {
				c.AgreedHours = clock < "08"
			}))
		}
	},
	// A contact called after they had refused: by the list, or by the mark on the call.
	func(m *recordMaker, day int, _ string) {
		at := m.at(day, "10:00:00").Add(time.Duration(m.r.IntN(6*3600)) * time.Second)
		who := m.contact("", at.Add(-time.Duration(1+m.r.IntN(100*86400))*time.Second))
		m.plant("third-party-after-refusal", bonafide.Substantiated, "call", m.call(at, func(c *bonafide.CollectionCall) {
			c.Party, c.PartyID, c.Effective = "third-party", who, m.r.IntN(2) == 0
		}))
	},
	func(m *recordMaker, day int, _ string) {
		m.plant("third-party-after-refusal", bonafide.Substantiated, "call", m.call(m.daytime(day), func(c *bonafide.CollectionCall) {
			c.Party, c.Refused = "third-party", true
		}))
	},
	// A loan that was closed the day before, or long ago.
	func(m *recordMaker, day int, _ string) {
		ended := m.closedLoan(day - pickOne(m.r, []int{1, 1, 90}))
		m.plant("settled-still-dunned", bonafide.Substantiated, "call", m.call(m.daytime(day), func(c *bonafide.CollectionCall) {
			c.Contract, c.Effective = ended, m.r.IntN(2) == 0
		}))
	},
	// A breach that lies just within the year that is looked at.
	func(m *recordMaker, _ int, _ string) {
		at := m.AsOf.AddDate(0, 0, -365).Add(time.Duration(11) * time.Hour) // 23:00 of that day
		m.plant("night-call", bonafide.Substantiated, "call", m.call(at, unanswered))
	},
}

var callNears = []func(m *recordMaker, day int, loan string){
	func(m *recordMaker, day int, _ string) {
		m.near("the last second before the night")
		m.call(m.at(day, "21:59:59"), nil)
	},
	func(m *recordMaker, day int, _ string) {
		m.near("the first second after the night")
		m.call(m.at(day, "08:00:00"), nil)
	},
	func(m *recordMaker, day int, _ string) {
		m.near("a night call that was agreed")
		m.call(m.nighttime(day), func(c *bonafide.CollectionCall) { c.AgreedHours = true })
	},
	func(m *recordMaker, day int, _ string) {
		m.near("a night call that the debtor made")
		m.call(m.nighttime(day), incoming)
	},
	func(m *recordMaker, day int, _ string) {
		m.near("night in Shanghai, evening in Urumqi")
		m.call(m.at(day, "22:30:00").In(time.FixedZone("", 6*3600)), nil)
	},
	func(m *recordMaker, day int, _ string) {
		m.near("three that got through, and others that did not or do not count")
		for range 3 {
			m.call(m.daytime(day), nil)
		}
		m.call(m.daytime(day), unanswered)
		m.call(m.daytime(day), incoming)
		m.call(m.daytime(day), func(c *bonafide.CollectionCall) { c.Party = "third-party" })
	},
	func(m *recordMaker, day int, _ string) {
		m.near("four within hours, of two days")
		m.taken[day+1] = true
		for _, at := range []time.Time{m.at(day, "23:00:00"), m.at(day, "23:59:59"), m.at(day+1, "00:00:00"), m.at(day+1, "01:00:00")} {
			m.call(at, func(c *bonafide.CollectionCall) { c.AgreedHours = true })
		}
	},
	func(m *recordMaker, day int, _ string) {
		m.near("a contact who refused later, or at that call")
		at := m.at(day, "10:00:00")
		who := m.contact("", at.Add(time.Duration(pickOne(m.r, []int{0, 1, 3600}))*time.Second))
		m.call(at, func(c *bonafide.CollectionCall) { c.Party, c.PartyID = "third-party", who })
	},
	func(m *recordMaker, day int, _ string) {
		m.near("a contact who never refused, beside one who did")
		m.contact("", m.at(day-10, "10:00:00"))
		who := m.contact("", time.Time{})
		m.call(m.daytime(day), func(c *bonafide.CollectionCall) { c.Party, c.PartyID = "third-party", who })
	},
	func(m *recordMaker, day int, _ string) {
		m.near("a guarantor, who owes the debt")
		who := m.contact("guarantor", m.at(day-10, "10:00:00"))
		m.call(m.daytime(day), func(c *bonafide.CollectionCall) { c.Party, c.PartyID = "third-party", who })
	},
	func(m *recordMaker, day int, _ string) {
		m.near("a contact who refused and called back")
		who := m.contact("", m.at(day-10, "10:00:00"))
		m.call(m.daytime(day), func(c *bonafide.CollectionCall) { c.Party, c.PartyID, c.Direction = "third-party", who, "in" })
	},
	func(m *recordMaker, day int, _ string) {
		m.near("a loan closed the same day, or tomorrow")
		ended := m.closedLoan(day + m.r.IntN(2))
		m.call(m.daytime(day), func(c *bonafide.CollectionCall) { c.Contract = ended })
	},
	func(m *recordMaker, day int, loan string) {
		m.near("a settled loan, and a call about another")
		m.closedLoan(day - 20)
		m.call(m.daytime(day), func(c *bonafide.CollectionCall) { c.Contract = loan })
	},
	func(m *recordMaker, _ int, _ string) {
		m.near("a night call that lies too far back")
		m.call(m.AsOf.AddDate(0, 0, -366).Add(11*time.Hour), unanswered)
	},
	func(m *recordMaker, _ int, _ string) {
		m.near("a night call after the records were looked at")
		m.call(m.AsOf.Add(11*time.Hour), unanswered)
	},
}

// contact adds somebody to the customer's contact list.
func (m *recordMaker) contact(relation string, refused time.Time) string {
	if relation == "" {
		relation = pickOne(m.r, []string{"family", "friend", "employer", "other"})
	}
	t := bonafide.ThirdParty{ID: m.id("P"), CustomerRef: m.ref, Relation: relation, Refused: refused}
	m.ThirdParties = append(m.ThirdParties, t)
	return t.ID
}

// day writes a day of the log, or one before or after it.
func (m *recordMaker) day(n int) bonafide.Day {
	return bonafide.Day(m.first.AddDate(0, 0, n).Format(time.DateOnly))
}

// loan makes a contract of monthly instalments that costs a yearly rate all in; fee is
// how many hundredths of it a guarantor receives at once.
func (m *recordMaker) loan(rate float64, opened, months int, fee int64) bonafide.Contract {
	c := bonafide.Contract{
		ID: m.id("L"), CustomerRef: m.ref, Product: pickOne(m.r, []string{"cash loan", "instalment plan", "card"}),
		Principal: int64(5+m.r.IntN(300)) * 100_000, Currency: "CNY", Opened: m.day(opened),
	}
	if fee > 0 {
		fee = c.Principal * fee / 100
		c.Fees = []bonafide.Fee{{Kind: "guarantee", Amount: fee, To: "Harbour Guarantee"}}
	}
	// What is received is worth what is paid: the instalment follows from the rate.
	worth := 0.0
	due := make([]int, months)
	for i := range months {
		due[i] = opened + 30*(i+1) + m.r.IntN(2)
		worth += math.Pow(1+rate, -float64(due[i]-opened)/365)
	}
	instalment := int64(math.Round(float64(c.Principal-fee) / worth))
	for _, d := range due {
		c.Schedule = append(c.Schedule, bonafide.Instalment{Due: m.day(d), Amount: instalment})
	}
	return c
}

// contract adds an ordinary loan and returns its id.
func (m *recordMaker) contract() string {
	c := m.loan(0.06+0.16*m.r.Float64(), -200+m.r.IntN(150), 6+6*m.r.IntN(3), 0)
	m.Contracts = append(m.Contracts, c)
	return c.ID
}

// closedLoan adds a loan that was closed on a day.
func (m *recordMaker) closedLoan(closed int) string {
	c := m.loan(0.05+0.15*m.r.Float64(), closed-200, 6, 0)
	c.Closed = m.day(closed)
	m.Contracts = append(m.Contracts, c)
	return c.ID
}

func (m *recordMaker) addContract(c bonafide.Contract) string {
	m.Contracts = append(m.Contracts, c)
	return c.ID
}

// settledBy makes a loan that was closed early, and whose payments cost a rate: some
// instalments, and the rest of the debt at once.
func (m *recordMaker) settledBy(rate float64) bonafide.Contract {
	c := m.loan(0.20, -300, 12, 0) // by its schedule it would cost 20 %
	debt, last := float64(c.Principal), -300
	pay := func(day int, amount int64) {
		debt = debt*math.Pow(1+rate, float64(day-last)/365) - float64(amount)
		last = day
		c.Payments = append(c.Payments, bonafide.Payment{Day: m.day(day), Amount: amount})
	}
	for i := range 3 {
		pay(-300+30*(i+1), c.Principal/12)
	}
	end := -300 + 130
	pay(end, int64(math.Round(debt*math.Pow(1+rate, float64(end-last)/365))))
	c.Closed = m.day(end)
	return c
}

// otherBreaches are breaches of other records than calls, otherNears what comes close.
var otherBreaches = []func(m *recordMaker){
	func(m *recordMaker) { // above one line
		rate := pickOne(m.r, []float64{0.241, 0.3, 0.359})
		m.plant("cost-above-line", bonafide.Indicated, "contract", m.addContract(m.loan(rate, -150, 12, 0)))
	},
	func(m *recordMaker) { // above both
		rate := pickOne(m.r, []float64{0.361, 0.42, 0.9})
		m.plant("cost-above-line", bonafide.Substantiated, "contract", m.addContract(m.loan(rate, -150, 12, 0)))
	},
	func(m *recordMaker) { // only with the guarantor's fee
		m.plant("cost-above-line", bonafide.Substantiated, "contract", m.addContract(m.loan(0.361, -150, 12, 6)))
	},
	func(m *recordMaker) { // by what was really paid
		m.plant("cost-above-line", bonafide.Substantiated, "contract", m.addContract(m.settledBy(0.365)))
	},
	func(m *recordMaker) { // as the lender says itself
		c := m.loan(0.1, -150, 12, 0)
		c.Schedule, c.AnnualCost = nil, 3601
		m.plant("cost-above-line", bonafide.Substantiated, "contract", m.addContract(c))
	},
	func(m *recordMaker) { // a charge that no contract knows
		c := m.loan(0.1, -150, 12, 0)
		c.Charges = []bonafide.Fee{{Kind: pickOne(m.r, []string{"service", "insurance", "other", "interest"}), Amount: c.Principal / 400, Day: m.day(-20)}}
		m.plant("fee-outside-contract", bonafide.Substantiated, "contract", m.addContract(c))
	},
	func(m *recordMaker) { // one that is higher than agreed, by a cent
		c := m.loan(0.1, -150, 12, 0)
		c.Fees = []bonafide.Fee{{Kind: "service", Amount: 10_000}}
		c.Charges = []bonafide.Fee{{Kind: "service", Amount: 6000, Day: m.day(-140)}, {Kind: "service", Amount: 4001, Day: m.day(-110)}}
		m.plant("fee-outside-contract", bonafide.Substantiated, "contract", m.addContract(c))
	},
	func(m *recordMaker) { // answered on the 21st day
		m.plant("credit-record-late", bonafide.Substantiated, "objection", m.objection(-60, -39, false, 0))
	},
	func(m *recordMaker) { // not answered on the 21st
		m.plant("credit-record-late", bonafide.Substantiated, "objection", m.objection(m.days-21, 0, false, 0))
	},
	func(m *recordMaker) { // answered, found wrong and not corrected, or too late
		m.plant("credit-record-late", bonafide.Substantiated, "objection", m.objection(-60, -50, true, pickOne(m.r, []int{0, -39})))
	},
	func(m *recordMaker) { // a fortnight ago to the second
		at := m.AsOf.AddDate(0, 0, -14).Add(time.Duration(m.r.IntN(2)) * time.Hour)
		m.plant("failed-operation", bonafide.Substantiated, "failure", m.failure(at, ""))
	},
}

var otherNears = []func(m *recordMaker){
	func(m *recordMaker) {
		m.near("a loan just below a line, or on it")
		m.addContract(m.loan(pickOne(m.r, []float64{0.239, 0.24, 0.2399}), -150, 12, 0))
	},
	func(m *recordMaker) {
		m.near("a loan on the line with its guarantee fee")
		m.addContract(m.loan(0.2395, -150, 12, 5))
	},
	func(m *recordMaker) {
		m.near("a loan of 35.9 %: above one line and below the other")
		m.plant("cost-above-line", bonafide.Indicated, "contract", m.addContract(m.loan(pickOne(m.r, []float64{0.359, 0.36}), -150, 12, 0)))
	},
	func(m *recordMaker) {
		m.near("payments that cost less than the schedule")
		m.addContract(m.settledBy(0.18))
	},
	func(m *recordMaker) {
		m.near("a stated cost on the line")
		c := m.loan(0.1, -150, 12, 0)
		c.Schedule, c.AnnualCost = nil, 2400
		m.addContract(c)
	},
	func(m *recordMaker) {
		m.near("charges as agreed, in two parts")
		c := m.loan(0.1, -150, 12, 0)
		c.Fees = []bonafide.Fee{{Kind: "service", Amount: 10_000}}
		c.Charges = []bonafide.Fee{{Kind: "service", Amount: 6000, Day: m.day(-140)}, {Kind: "service", Amount: 4000, Day: m.day(-110)}}
		m.addContract(c)
	},
	func(m *recordMaker) {
		m.near("a charge that the instalments hold")
		c := m.loan(0.1, -150, 12, 0)
		c.Charges = []bonafide.Fee{{Kind: "interest", Amount: c.Principal / 10, Day: m.day(-20), InSchedule: true}}
		m.addContract(c)
	},
	func(m *recordMaker) {
		m.near("a charge that was given back")
		c := m.loan(0.1, -150, 12, 0)
		c.Charges = []bonafide.Fee{{Kind: "other", Amount: 5000, Day: m.day(-20)}, {Kind: "other", Amount: -5000, Day: m.day(-10)}}
		m.addContract(c)
	},
	func(m *recordMaker) {
		m.near("a charge that is still to come")
		c := m.loan(0.1, -150, 12, 0)
		c.Charges = []bonafide.Fee{{Kind: "other", Amount: 5000, Day: m.day(m.days + 10)}}
		m.addContract(c)
	},
	func(m *recordMaker) {
		m.near("an objection answered on the twentieth day")
		m.objection(-60, -40, false, 0)
	},
	func(m *recordMaker) {
		m.near("an objection that waits its twentieth day")
		m.objection(m.days-20, 0, false, 0)
	},
	func(m *recordMaker) {
		m.near("a wrong record corrected on the twentieth day")
		m.objection(-60, -55, true, -40)
	},
	func(m *recordMaker) {
		m.near("a failure a second too old, or after")
		m.failure(pickOne(m.r, []time.Time{m.AsOf.AddDate(0, 0, -14).Add(-time.Second), m.AsOf.Add(time.Second)}), "")
	},
}

// objection adds an objection; 0 is not answered, not corrected.
func (m *recordMaker) objection(filed, answered int, wrong bool, corrected int) string {
	o := bonafide.CreditObjection{ID: m.id("O"), CustomerRef: m.ref, Filed: m.day(filed), Wrong: wrong}
	if answered != 0 {
		o.Answered = m.day(answered)
	}
	if corrected != 0 {
		o.Corrected = m.day(corrected)
	}
	m.Objections = append(m.Objections, o)
	return o.ID
}

func (m *recordMaker) failure(at time.Time, cause string) string {
	f := bonafide.Failure{
		ID: m.id("F"), CustomerRef: m.ref, At: at, What: pickOne(m.r, []string{"payment", "transfer", "refund"}), Cause: cause,
	}
	m.Failures = append(m.Failures, f)
	return f.ID
}

// WriteNDJSON writes the records one JSON object a line, with their kind, as bonafide
// merit reads them.
func (w RecordsWorld) WriteNDJSON(to io.Writer) error {
	for _, kind := range []struct {
		name  string
		count int
		at    func(int) any
	}{
		{"contract", len(w.Contracts), func(i int) any { return &w.Contracts[i] }},
		{"third-party", len(w.ThirdParties), func(i int) any { return &w.ThirdParties[i] }},
		{"call", len(w.Calls), func(i int) any { return &w.Calls[i] }},
		{"objection", len(w.Objections), func(i int) any { return &w.Objections[i] }},
		{"failure", len(w.Failures), func(i int) any { return &w.Failures[i] }},
	} {
		for i := range kind.count {
			body, err := json.Marshal(kind.at(i))
			if err != nil {
				return fmt.Errorf("write records: %w", err)
			}
			if _, err := fmt.Fprintf(to, "{\"kind\":%q,%s\n", kind.name, body[1:]); err != nil {
				return fmt.Errorf("write records: %w", err)
			}
		}
	}
	return nil
}

// WriteTruth writes what was planted as CSV: customer, rule, standing and the records,
// joined with a semicolon.
func (w RecordsWorld) WriteTruth(to io.Writer) error {
	out := csv.NewWriter(to)
	if err := out.Write([]string{"customer", "rule", "standing", "rows"}); err != nil {
		return fmt.Errorf("write truth: %w", err)
	}
	for _, p := range w.Planted {
		var rows []string
		for _, r := range p.Rows {
			rows = append(rows, r.Kind+":"+r.ID)
		}
		if err := out.Write([]string{p.Customer, p.Rule, string(p.Standing), strings.Join(rows, ";")}); err != nil {
			return fmt.Errorf("write truth: %w", err)
		}
	}
	out.Flush()
	return out.Error()
}
