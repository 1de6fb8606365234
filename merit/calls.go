package merit

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"bonafide"
)

const debtor, thirdParty = "debtor", "third-party"

// mine reports whether a rule speaks of a call within the look-back.
func (k *check) mine(r *rule, c *call) bool {
	return !c.at.Before(k.from) && (!r.outsourced || c.Outsourcer != "")
}

func (c *call) hit() hit { return hit{c.at, "call", c.ID} }

// nights finds calls at night, to whomever.
func (k *check) nights(r *rule) bool {
	var hits []hit
	for i := range k.calls {
		c := &k.calls[i]
		h, m, s := c.at.Clock()
		clock := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second + time.Duration(c.at.Nanosecond())
		if k.mine(r, c) && !c.AgreedHours && r.night.has(clock) {
			hits = append(hits, c.hit())
		}
	}
	from, until := clock(r.night.from), clock(r.night.until)
	k.findCalls(r, hits, []string{strconv.Itoa(len(hits)), from, until},
		some(len(hits), "call")+" between "+from+" and "+until+" by the clock of who was called, at hours that had not been agreed.")
	return len(k.records.Calls) > 0
}

// tooMany finds days on which the debtor was called too often: on that day, or in the
// seven days that it ends.
func (k *check) tooMany(r *rule) bool {
	var calls []call
	for _, c := range k.calls {
		if c.Party == debtor && (c.Effective || r.attempts) && (!r.outsourced || c.Outsourcer != "") {
			calls = append(calls, c)
		}
	}
	contract := func(c *call) string {
		if r.perContract {
			return c.Contract
		}
		return ""
	}
	// By day, which is not by time where calls carry several zones.
	slices.SortStableFunc(calls, func(a, b call) int {
		return cmp.Or(cmp.Compare(contract(&a), contract(&b)), cmp.Compare(a.day, b.day))
	})
	for _, limit := range [...]struct {
		calls, days int
		fact, text  string
	}{{r.perDay, 1, "day", "on one day"}, {r.perWeek, 7, "week", "within seven days"}} {
		if limit.calls == 0 {
			continue
		}
		var hits []hit
		var over []time.Time // the call by which a day went over, and its last one
		n, most, shown := 0, 0, 0
		for lo, i := 0, 0; i < len(calls); {
			end := i
			for end < len(calls) && contract(&calls[end]) == contract(&calls[i]) && calls[end].day == calls[i].day {
				end++
			}
			for contract(&calls[lo]) != contract(&calls[i]) || calls[lo].day <= calls[i].day-limit.days {
				lo++
			}
			last := calls[end-1].at
			if end-lo > limit.calls && !last.Before(k.from) {
				n++
				most = max(most, end-lo)
				over = append(over, calls[max(i, lo+limit.calls)].at, last)
				for j := max(lo, shown); j < end; j++ {
					hits = append(hits, calls[j].hit())
				}
				shown = end
			}
			i = end
		}
		if n == 0 {
			continue
		}
		slices.SortStableFunc(hits, func(a, b hit) int { return a.at.Compare(b.at) })
		what := "effective calls"
		if r.attempts {
			what = "calls, answered or not,"
		}
		text := "On " + some(n, "day") + " the debtor had been given more than " + strconv.Itoa(limit.calls) + " " + what + " " + limit.text +
			", at most " + strconv.Itoa(most) + "; outsourcers' calls are counted."
		k.find(r, slices.MinFunc(over, time.Time.Compare), slices.MaxFunc(over, time.Time.Compare), n, hits,
			[]string{strconv.Itoa(n), strconv.Itoa(limit.calls), strconv.Itoa(most), limit.fact}, text)
	}
	return len(k.records.Calls) > 0
}

// thirdParties finds calls to people besides the debtor after they had refused them. A
// guarantor owes the debt and is no third party.
func (k *check) thirdParties(r *rule) bool {
	refused, guarantor := map[string]time.Time{}, map[string]bool{}
	for _, t := range k.records.ThirdParties {
		if t.Relation == "guarantor" {
			guarantor[t.ID] = true
		}
		if was, known := refused[t.ID]; !t.Refused.IsZero() && (!known || t.Refused.Before(was)) {
			refused[t.ID] = t.Refused
		}
	}
	var hits []hit
	others, marked := false, false
	for i := range k.calls {
		c := &k.calls[i]
		if c.Party != thirdParty {
			continue
		}
		others, marked = true, marked || c.Refused
		when, known := refused[c.PartyID]
		known = known && c.PartyID != "" && when.Before(c.Started)
		if k.mine(r, c) && (c.Refused || known) && !(c.PartyID != "" && guarantor[c.PartyID]) {
			hits = append(hits, c.hit())
		}
	}
	k.findCalls(r, hits, []string{strconv.Itoa(len(hits))},
		some(len(hits), "call")+" to somebody besides the debtor who had refused further calls.")
	return len(k.records.Calls) > 0 && (!others || marked || len(k.records.ThirdParties) > 0)
}

// settled finds calls about contracts that were closed on an earlier day.
func (k *check) settled(r *rule) bool {
	closed := map[string]int{}
	for i := range k.records.Contracts {
		c := &k.records.Contracts[i]
		if day, ok := dayNumber(c.Closed); ok {
			closed[c.ID] = day
		}
	}
	var hits []hit
	contracts := map[string]bool{}
	for i := range k.calls {
		c := &k.calls[i]
		day, known := closed[c.Contract]
		if c.Contract != "" && known && day < c.day && k.mine(r, c) {
			hits = append(hits, c.hit())
			contracts[c.Contract] = true
		}
	}
	k.findCalls(r, hits, []string{strconv.Itoa(len(hits)), strconv.Itoa(len(contracts))},
		some(len(hits), "call")+" about "+some(len(contracts), "contract")+" settled on an earlier day.")
	return len(k.records.Calls) > 0 && len(k.records.Contracts) > 0
}

// failed finds operations that failed on the lender's side shortly before the
// complaint, one finding for each kind and disturbance.
func (k *check) failed(r *rule) bool {
	from := k.received.AddDate(0, 0, -r.days)
	if from.Before(k.from) {
		from = k.from
	}
	var all []*bonafide.Failure
	for i := range k.records.Failures {
		f := &k.records.Failures[i]
		if !f.At.Before(from) && !f.At.After(k.received) {
			all = append(all, f)
		}
	}
	slices.SortFunc(all, func(a, b *bonafide.Failure) int {
		return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.Cause, b.Cause), a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
	})
	for i := 0; i < len(all); {
		first := all[i]
		var hits []hit
		for ; i < len(all) && all[i].What == first.What && all[i].Cause == first.Cause; i++ {
			hits = append(hits, hit{all[i].At, "failure", all[i].ID})
		}
		what := "operation (" + first.What + ")"
		text := some(len(hits), what)
		if len(hits) > 1 {
			text = strconv.Itoa(len(hits)) + " operations (" + first.What + ")"
		}
		text += " failed on the lender's side"
		if first.Cause != "" {
			text += "; the lender's log names the disturbance"
		}
		k.findCalls(r, hits, []string{strconv.Itoa(len(hits)), first.What, first.Cause}, text+".")
	}
	return len(k.records.Failures) > 0
}

// credit finds objections to a credit record that were not answered, or wrong records
// that were not corrected, in the days allowed. The day of filing is not counted.
func (k *check) credit(r *rule) bool {
	var hits []hit
	var from, to time.Time
	most := 0
	for i := range k.records.Objections {
		o := &k.records.Objections[i]
		filed, ok := dayNumber(o.Filed)
		if !ok || filed > k.today {
			continue
		}
		// What came after the complaint was not yet done on its day.
		done := func(d bonafide.Day) int {
			if day, ok := dayNumber(d); ok && day <= k.today {
				return day
			}
			return k.today
		}
		end := done(o.Answered)
		if o.Wrong {
			end = max(end, done(o.Corrected))
		}
		late := filed + r.days + 1
		if end < late || end < k.first {
			continue
		}
		begun, ended := k.midnight(late), k.midnight(end)
		if len(hits) == 0 || begun.Before(from) {
			from = begun
		}
		if ended.After(to) {
			to = ended
		}
		most = max(most, end-filed)
		hits = append(hits, hit{begun, "objection", o.ID})
	}
	if len(hits) > 0 {
		slices.SortFunc(hits, func(a, b hit) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.id, b.id)) })
		k.find(r, from, to, len(hits), hits, []string{strconv.Itoa(len(hits)), strconv.Itoa(r.days), strconv.Itoa(most)},
			some(len(hits), "objection")+" to a credit record not answered, or a wrong record not corrected, within "+some(r.days, "day")+
				"; the longest took "+some(most, "day")+" so far.")
	}
	return len(k.records.Objections) > 0
}
