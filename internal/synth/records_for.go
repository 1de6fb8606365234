package synth

import (
	"fmt"
	"slices"
	"time"

	"bonafide"
)

// RecordsFor makes the records of the lender that a world complains to. Behind each
// outage wave stand payments that failed on its day, of one cause; behind each wave of a
// changed fee, charges that no contract agrees. Everybody else has ordinary records, and
// one in forty a breach of their own. Records go by the customer's reference: complaints
// that have lost it are covered by none, and RecordsWave says how many are.
func RecordsFor(w World, seed uint64) RecordsWorld {
	if len(w.Complaints) == 0 {
		return RecordsWorld{Near: map[string]int{}}
	}
	m := newRecordMaker(seed, w.Complaints[len(w.Complaints)-1].Received.AddDate(0, 0, 1), 1)
	m.prefix = "w"
	done := map[string]bool{}
	for _, wave := range []struct {
		group, rule string
		plant       func(began, received time.Time, name string)
	}{
		{"innocent:outage-wave", "failed-operation", func(began, received time.Time, name string) {
			at := began.Add(-time.Duration(m.r.IntN(3*3600)) * time.Second)
			if received.Sub(at) > 13*24*time.Hour { // two waves that overlap
				at = received.AddDate(0, 0, -1)
			}
			m.plant("failed-operation", bonafide.Substantiated, "failure", m.failure(at, name))
			m.Failures[len(m.Failures)-1].What = "payment"
		}},
		{"innocent:fee-change-wave", "fee-outside-contract", func(began, received time.Time, _ string) {
			c := m.loanBefore(received)
			at := began.AddDate(0, 0, -m.r.IntN(3))
			if received.Sub(at) > 10*24*time.Hour {
				at = received.AddDate(0, 0, -3)
			}
			c.Charges = []bonafide.Fee{{Kind: "service", Amount: c.Principal / 300, Day: bonafide.Day(at.In(m.zone).Format(time.DateOnly))}}
			m.plant("fee-outside-contract", bonafide.Substantiated, "contract", m.addContract(c))
		}},
	} {
		for n, list := range wavesOf(w, wave.group) {
			began := w.Complaints[list[0]].Received
			is := RecordsWave{Group: wave.group, Rule: wave.rule, Began: began, Complaints: len(list)}
			for _, i := range list {
				c := &w.Complaints[i]
				if c.Customer.Ref == "" {
					continue
				}
				is.Covered = append(is.Covered, c.ID)
				if m.ref = c.Customer.Ref; !done[m.ref] {
					done[m.ref] = true
					wave.plant(began, c.Received, fmt.Sprintf("disturbance %d", n+1))
				}
			}
			m.Waves = append(m.Waves, is)
		}
	}
	for i := range w.Complaints {
		c := &w.Complaints[i]
		if m.ref = c.Customer.Ref; m.ref == "" || done[m.ref] {
			continue
		}
		done[m.ref] = true
		m.background(c.Received)
	}
	return m.world()
}

// background makes what an ordinary customer has before they complain.
func (m *recordMaker) background(received time.Time) {
	m.addContract(m.loanBefore(received))
	days := 60
	night := m.r.IntN(40) == 0
	for range m.r.IntN(5) {
		m.call(m.dayBefore(received, 1+m.r.IntN(days), 9+m.r.IntN(11)), unanswered)
	}
	if night {
		at := m.dayBefore(received, 1+m.r.IntN(days), 22+m.r.IntN(2))
		m.plant("night-call", bonafide.Substantiated, "call", m.call(at, unanswered))
	}
}

// dayBefore is a moment of an hour, so many days before received.
func (m *recordMaker) dayBefore(received time.Time, days, hour int) time.Time {
	y, month, d := received.In(m.zone).Date()
	return time.Date(y, month, d-days, hour, m.r.IntN(60), m.r.IntN(60), 0, m.zone)
}

// loanBefore makes an ordinary loan that runs when a complaint comes in.
func (m *recordMaker) loanBefore(received time.Time) bonafide.Contract {
	first := m.first
	y, month, d := received.In(m.zone).Date()
	m.first = time.Date(y, month, d, 0, 0, 0, 0, m.zone)
	c := m.loan(0.06+0.1*m.r.Float64(), -200+m.r.IntN(100), 12, 0)
	m.first = first
	return c
}

// wavesOf returns the complaints of each wave of a group, by arrival. A wave ends where
// nobody complains for four days.
func wavesOf(w World, group string) [][]int {
	var out [][]int
	for i, row := range w.Truth.Rows {
		if row.Group != group {
			continue
		}
		if n := len(out); n > 0 {
			last := out[n-1][len(out[n-1])-1]
			if w.Complaints[i].Received.Sub(w.Complaints[last].Received) < 4*24*time.Hour {
				out[n-1] = append(out[n-1], i)
				continue
			}
		}
		out = append(out, []int{i})
	}
	return slices.Clip(out)
}
