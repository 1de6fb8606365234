package bonafide

import (
	"strconv"
	"time"
)

// A Contract is a loan or card as the lender has it: what was lent, what is owed
// when, and everything it costs. Money is in minor units of Currency.
type Contract struct {
	ID          string       `json:"id"`
	CustomerRef string       `json:"customer_ref"`
	Product     string       `json:"product,omitempty"`
	Principal   int64        `json:"principal"`
	Currency    string       `json:"currency"` // ISO 4217
	Opened      Day          `json:"opened"`
	Closed      Day          `json:"closed,omitempty"`
	Schedule    []Instalment `json:"schedule,omitempty"`
	Fees        []Fee        `json:"fees,omitempty"` // what the contract agrees besides the schedule
	// Charges are what was really charged besides the schedule, Payments what the
	// customer really paid, of either kind. Both may be left out where the lender keeps
	// no more than the schedule.
	Charges  []Fee     `json:"charges,omitempty"`
	Payments []Payment `json:"payments,omitempty"`
	// AnnualCost is the all-in yearly cost in basis points, 3600 for 36 %: interest
	// and every fee, a guarantor's too. 0 is not known.
	AnnualCost int64 `json:"annual_cost_bp,omitempty"`
}

// An Instalment is what is due on a day.
type Instalment struct {
	Due    Day   `json:"due"`
	Amount int64 `json:"amount"`
	Paid   Day   `json:"paid,omitempty"`
}

// A Fee is one cost beside the principal.
type Fee struct {
	Kind   string `json:"kind"` // interest, guarantee, service, insurance, penalty, other
	Amount int64  `json:"amount"`
	To     string `json:"to,omitempty"`  // who receives it, where that is not the lender
	Day    Day    `json:"day,omitempty"` // when it is due; the day of opening where it is left out
	// InSchedule says that the instalments hold it already, as they hold interest.
	InSchedule bool `json:"in_schedule,omitempty"`
}

// A Day is a date without an hour: "2024-05-31".
type Day string

// Valid reports whether d is a day from 1990 to 2100.
func (d Day) Valid() bool {
	t, err := time.Parse(time.DateOnly, string(d))
	return err == nil && t.Year() >= 1990 && t.Year() <= 2100
}

const wantDay = "not a day from 1990 to 2100: write it as 2024-05-31"

// Check reports the first field that breaks the contract.
func (c *Contract) Check() error {
	switch {
	case !ValidID(c.ID):
		return wrong("id", wantID)
	case !ValidID(c.CustomerRef):
		return wrong("customer_ref", wantID)
	case c.Principal < 0:
		return wrong("principal", "less than nothing")
	case !currency(c.Currency):
		return wrong("currency", "not the three letters of ISO 4217")
	case !c.Opened.Valid():
		return wrong("opened", wantDay)
	case c.Closed != "" && !c.Closed.Valid():
		return wrong("closed", wantDay)
	case c.AnnualCost < 0 || c.AnnualCost > 10_000_000:
		return wrong("annual_cost_bp", "not from 0 to 10000000 basis points")
	case len(c.Schedule) > 1200:
		return wrong("schedule", "more than 1200 instalments")
	case len(c.Fees) > 1000:
		return wrong("fees", "more than 1000 fees")
	}
	for i, s := range c.Schedule {
		at := "schedule[" + strconv.Itoa(i) + "]."
		switch {
		case !s.Due.Valid():
			return wrong(at+"due", wantDay)
		case s.Paid != "" && !s.Paid.Valid():
			return wrong(at+"paid", wantDay)
		case s.Amount < 0:
			return wrong(at+"amount", "less than nothing")
		}
	}
	for i, f := range c.Fees {
		if err := f.check("fees[" + strconv.Itoa(i) + "]."); err != nil {
			return err
		}
	}
	if err := c.checkMoney(); err != nil {
		return err
	}
	return short(c.Product, "product")
}

func currency(s string) bool {
	if len(s) != 3 {
		return false
	}
	for _, c := range []byte(s) {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}
