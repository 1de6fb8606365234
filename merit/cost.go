package merit

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"bonafide"
)

// AnnualCost returns the all-in yearly cost of a contract in basis points, and whether
// it is the lender's own figure. See the package's documentation for the formula. Where
// the cost can neither be computed nor is stated, the error is of kind Invalid.
func AnnualCost(c *bonafide.Contract) (bp int64, stated bool, err error) {
	flows, ok := CashFlow(c)
	if ok {
		var r float64
		if r, err = XIRR(flows); err == nil {
			return int64(math.Round(min(r, 1e12) * 10_000)), false, nil
		}
	} else {
		err = noRate("neither a schedule nor payments of a closed contract")
	}
	if c.AnnualCost > 0 {
		return c.AnnualCost, true, nil
	}
	return 0, false, err
}

// CashFlow returns what the customer receives and pays by a contract, as the package's
// documentation says; ok is false where it has neither a schedule nor, if it is closed,
// payments.
func CashFlow(c *bonafide.Contract) (flows []Flow, ok bool) {
	flows = []Flow{{c.Opened, c.Principal}}
	if c.Closed != "" && len(c.Payments) > 0 {
		for _, p := range c.Payments {
			flows = append(flows, Flow{p.Day, -p.Amount})
		}
		return flows, true
	}
	if len(c.Schedule) == 0 {
		return nil, false
	}
	for _, s := range c.Schedule {
		flows = append(flows, Flow{s.Due, -s.Amount})
	}
	fees := c.Fees
	if len(c.Charges) > 0 { // what was really charged, and what is agreed for later
		fees = slices.Clone(c.Charges)
		last := bonafide.Day("")
		for _, f := range c.Charges {
			last = max(last, f.Day)
		}
		for _, f := range c.Fees {
			if f.Day > last {
				fees = append(fees, f)
			}
		}
	}
	for _, f := range fees {
		if f.InSchedule || f.Kind == penalty {
			continue
		}
		day := f.Day
		if day == "" {
			day = c.Opened
		}
		flows = append(flows, Flow{day, -f.Amount})
	}
	return flows, true
}

const penalty = "penalty"

// cost finds contracts that cost more than a line, of which it names the highest.
func (k *check) cost(r *rule) bool {
	tested := false
	for i := range k.records.Contracts {
		c := &k.records.Contracts[i]
		opened, ok := dayNumber(c.Opened)
		if !ok || opened > k.today {
			continue
		}
		if closed, ok := dayNumber(c.Closed); ok && closed < k.first {
			continue
		}
		bp, stated, err := AnnualCost(c)
		if err != nil {
			continue
		}
		tested = true
		at := slices.IndexFunc(r.lines, func(l line) bool { return bp > l.bp })
		if at < 0 {
			continue
		}
		how, by := "computed", "computed from its payments"
		if stated {
			how, by = "stated", "as stated by the lender"
		}
		simple := percent(simpleRate(bp))
		day := k.midnight(opened)
		l := r.lines[at]
		f := k.find(r, day, day, 1, []hit{{day, "contract", c.ID}}, []string{percent(bp), percent(l.bp), how, simple},
			"A contract costs "+percent(bp)+" % a year all in, "+by+": more than "+percent(l.bp)+" %. As a simple monthly rate that is "+simple+" % a year.")
		f.Standing, f.Basis = l.standing, l.basis
	}
	return tested
}

// simpleRate returns twelve times the monthly rate that makes a yearly one, in basis
// points.
func simpleRate(bp int64) int64 {
	return int64(math.Round(12 * math.Expm1(math.Log1p(float64(bp)/10_000)/12) * 10_000))
}

// fees finds charges beyond what the contract agrees for their kind.
func (k *check) fees(r *rule) bool {
	tested := false
	for i := range k.records.Contracts {
		c := &k.records.Contracts[i]
		if len(c.Charges) == 0 {
			continue
		}
		tested = true
		type charge struct {
			day    int
			amount int64
		}
		charged, total, agreed := map[string][]charge{}, map[string]int64{}, map[string]int64{}
		for _, f := range c.Fees {
			if !f.InSchedule {
				agreed[f.Kind] = add(agreed[f.Kind], f.Amount)
			}
		}
		for _, f := range c.Charges {
			day, ok := dayNumber(cmp.Or(f.Day, c.Opened))
			if !ok || day > k.today || f.InSchedule {
				continue
			}
			charged[f.Kind] = append(charged[f.Kind], charge{day, f.Amount})
			total[f.Kind] = add(total[f.Kind], f.Amount)
		}
		for _, kind := range feeKinds {
			if total[kind] <= max(agreed[kind], 0) {
				continue // what was charged too much was given back
			}
			list := charged[kind]
			slices.SortFunc(list, func(a, b charge) int { return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.amount, b.amount)) })
			var over []time.Time
			sum := int64(0)
			for _, f := range list {
				if sum = add(sum, f.amount); f.amount > 0 && sum > max(agreed[kind], 0) && f.day >= k.first {
					over = append(over, k.midnight(f.day))
				}
			}
			if len(over) == 0 {
				continue
			}
			text := "Charged besides the schedule as " + kind + ": " + amount(total[kind], c.Currency) + " " + c.Currency + ", "
			if _, known := agreed[kind]; known {
				text += "of which the contract agrees " + amount(agreed[kind], c.Currency) + " " + c.Currency + "."
			} else {
				text += "of which the contract agrees nothing."
			}
			f := k.find(r, over[0], over[len(over)-1], len(over), []hit{{over[0], "contract", c.ID}},
				[]string{kind, amount(total[kind], c.Currency), amount(agreed[kind], c.Currency), c.Currency, strconv.Itoa(len(over))}, text)
			if kind == penalty && agreed[kind] > 0 {
				f.Standing = bonafide.Indicated // it grows with the delay: the sum agreed may be of a day
			}
		}
	}
	return tested
}

var feeKinds = []string{"interest", "guarantee", "service", "insurance", penalty, "other"}
