package report

import (
	"fmt"
	"time"

	"bonafide"
)

// on returns an hour of a day in 2025, UTC.
func on(month time.Month, day, hour int) time.Time {
	return time.Date(2025, month, day, hour, 20, 0, 0, time.UTC)
}

// halfYear is a made-up scan of six months: an agency of 14 customers with one
// letter, a small ring in Chinese, a public template, two letters that went
// round, complaints that are routed, and rows set aside.
func halfYear() *bonafide.Result {
	r := &bonafide.Result{
		Version: "0.1.0", Policy: "nifa-2024 2024.1",
		Read: bonafide.Read{
			Accepted: 2431, Quarantined: 7, Repeated: 12, Files: []string{"complaints-2025-h1.csv"},
			First: on(1, 2, 9), Last: on(6, 30, 17),
		},
		NotProved: []string{
			"that any customer knew of an agent, or paid one",
			"who is behind a ring: a shared number says that it was used, not by whom",
			"that a grievance is wrong: call logs, contract and fees were not looked at",
		},
		Warnings: []string{
			"38 complaints have no date, so their time could not be compared",
			"no complaint came with a device, so devices could not be compared",
		},
		Quarantine: []bonafide.Quarantined{
			{File: "complaints-2025-h1.csv", Line: 118, Column: 2, Field: "received", Reason: "not a date: write 2025-03-04 or 2025-03-04T10:00:00Z"},
			{File: "complaints-2025-h1.csv", Line: 402, Column: 2, Field: "received", Reason: "not a date: write 2025-03-04 or 2025-03-04T10:00:00Z"},
			{File: "complaints-2025-h1.csv", Line: 731, Field: "text", Reason: "the letter is empty"},
			{File: "complaints-2025-h1.csv", Line: 1204, Field: "text", Reason: "the letter is empty"},
			{File: "complaints-2025-h1.csv", Line: 1388, Column: 9, Field: "contacts.phone", Reason: "longer than 4,096 bytes"},
			{File: "complaints-2025-h1.csv", Line: 1990, Field: "id", Reason: "the same id with another content stands in line 77"},
			{File: "complaints-2025-h1.csv", Line: 2440, Reason: "11 fields where the head has 12"},
		},
	}
	for d := on(1, 2, 0); d.Before(on(7, 1, 0)); d = d.AddDate(0, 0, 1) {
		n := 11 + d.YearDay()*7%9 - 3*int(d.Weekday()%6/5)
		if d.Weekday() == time.Sunday {
			n = 2
		}
		if d.Month() == 3 && d.Day() >= 3 && d.Day() <= 14 {
			n += 9
		}
		r.Arrivals = append(r.Arrivals, bonafide.Arrivals{Day: d.Format(time.DateOnly), Count: n})
	}
	agency(r)
	smallRing(r)
	freeLetters(r)
	alone(r)
	return r
}

// agency adds the ring of 14.
func agency(r *bonafide.Result) {
	regions := []string{"Easthaven", "Northmoor", "Westbrook", "Saltmarsh", "Millford"}
	id := func(i int) string { return fmt.Sprintf("C-%07d", 319000+i*137) }
	g := bonafide.Ring{
		ID: "7f3a9c", Score: 0.93, Template: "t4c1e0", Level: bonafide.Level2,
		Families: []bonafide.Family{bonafide.FamilyIdentity, bonafide.FamilyDocument, bonafide.FamilyText, bonafide.FamilyTime},
		Why: []string{
			"10 of the 13 customers gave a phone number that strangers in other regions also gave",
			"the same hospital paper came with 5 complaints by 5 customers; its issuer was not asked yet",
			"12 letters use the same 9 passages, which nobody else in the file uses",
			"9 of the 14 came within 3 working days, where 1 in such a group is usual",
		},
		Innocent: []string{
			"a law firm, a charity or a family that uses one phone",
			"a public template that is not registered here yet",
			"an outage or a change of fees in the first week of March",
			"a hospital form that looks the same for every patient",
		},
	}
	days := []int{3, 3, 4, 4, 4, 5, 5, 5, 5, 7, 11, 14, 19, 21}
	for i := range 14 {
		t := bonafide.Tie{
			Complaint: id(i), Received: on(3, days[i], 9+i%8), Region: regions[i*3%5],
			Why: []string{"same phone number as 7 other customers in 4 regions"},
		}
		v := bonafide.Verdict{
			ID: id(i), Level: bonafide.Level2, Ring: g.ID, Template: "t4c1e0",
			Criteria: []bonafide.Criterion{"K06", "K08", "K10"},
			Families: []bonafide.Family{bonafide.FamilyIdentity, bonafide.FamilyText},
			Why: []string{
				"same phone number as 7 other customers in 4 regions; 1 in 90,000 numbers is shared at all",
				"letter t4c1e0, which 12 complaints use",
			},
			Innocent: []string{"a law firm, a charity or a family that uses one phone", "a public template that is not registered here yet"},
		}
		switch {
		case i == 12:
			t.Why = []string{"same mail address as 2 other customers"}
			t.Route, v.Route, v.Level = bonafide.RouteConfirmAuthority, bonafide.RouteConfirmAuthority, bonafide.Information
			v.Why = append(v.Why, "a declared representative: confirm the authority with the customer first, nothing is graded")
		case i == 13:
			t.Why = []string{"same mail address as 2 other customers"}
			v.Level, v.Families, v.Template = bonafide.Information, []bonafide.Family{bonafide.FamilyIdentity}, ""
			v.Why = []string{"same mail address as 2 other customers", "one family of evidence alone gives no level"}
		case i%3 == 1:
			t.Why = append(t.Why, "the same hospital paper as 4 other customers")
			v.Families = append(v.Families, bonafide.FamilyDocument)
			v.Criteria = append(v.Criteria, "K02")
		}
		g.Members = append(g.Members, t.Complaint)
		g.Ties = append(g.Ties, t)
		r.Complaints = append(r.Complaints, v)
	}
	pick := func(at ...int) (ids []string) {
		for _, i := range at {
			ids = append(ids, id(i))
		}
		return ids
	}
	g.Shared = []bonafide.SharedThing{
		{Label: "phone 1", Kind: "phone", Family: bonafide.FamilyIdentity, Members: pick(0, 1, 2, 3, 5, 6, 8, 10), Rarity: "1 in 90,000 phone numbers is shared by so many strangers"},
		{Label: "phone 3", Kind: "phone", Family: bonafide.FamilyIdentity, Members: pick(7, 9, 11), Rarity: "1 in 2,400 phone numbers is shared by three strangers"},
		{Label: "mail 1", Kind: "email", Family: bonafide.FamilyIdentity, Members: pick(4, 12, 13), Rarity: "1 in 800 mail addresses is shared by three strangers"},
		{Label: "paper 1", Kind: "document", Family: bonafide.FamilyDocument, Members: pick(1, 4, 7, 10, 11), Rarity: "no other paper in the file came from two customers"},
		{Label: "letter 1", Kind: "letter", Family: bonafide.FamilyText, Members: pick(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), Rarity: "1 in 40 letters is shared at all; many are public templates"},
	}
	r.Rings = append(r.Rings, g)
	r.Templates = append(r.Templates, bonafide.Template{
		ID: "t4c1e0", Lang: "en", Members: pick(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
		Skeleton: "To the complaints department,\n\nI have held a ‹product› with you since ‹date›. I was taken ill and have been unable to work, as the enclosed paper shows. " +
			"Your collectors rang ‹person› on ‹date› and told them of my debt, which you had no right to do.\n\n" +
			"Under the consumer credit rules a lender must treat customers in difficulty with forbearance and due consideration.\n\n" +
			"I ask you to stop all interest from ‹date›, to refund ‹amount›, and to answer me in writing on ‹number› within five days. If you refuse I shall write to the regulator every day until it is done.\n\nYours faithfully,\n‹name›",
		Examples: []bonafide.Aligned{
			{Complaint: id(0), Spans: []bonafide.Span{
				{Kind: bonafide.SpanShared, Text: "To the complaints department,\n\nI have held a "},
				{Kind: bonafide.SpanOwn, Text: "cash loan"},
				{Kind: bonafide.SpanShared, Text: " with you since "},
				{Kind: bonafide.SpanOwn, Text: "May 2023"},
				{Kind: bonafide.SpanShared, Text: ". I was taken ill and have been unable to work, as the enclosed paper shows. Your collectors rang "},
				{Kind: bonafide.SpanOwn, Text: "my sister"},
				{Kind: bonafide.SpanShared, Text: " on "},
				{Kind: bonafide.SpanOwn, Text: "the 26th of February"},
				{Kind: bonafide.SpanShared, Text: " and told them of my debt, which you had no right to do.\n\n"},
				{Kind: bonafide.SpanCommon, Text: "Under the consumer credit rules a lender must treat customers in difficulty with forbearance and due consideration."},
				{Kind: bonafide.SpanShared, Text: "\n\nI ask you to stop all interest from "},
				{Kind: bonafide.SpanOwn, Text: "1 March"},
				{Kind: bonafide.SpanShared, Text: ", to refund "},
				{Kind: bonafide.SpanOwn, Text: "£840"},
				{Kind: bonafide.SpanShared, Text: ", and to answer me in writing on [phone] within five days."},
			}},
			{Complaint: id(5), Spans: []bonafide.Span{
				{Kind: bonafide.SpanShared, Text: "To the complaints department,\n\nI have held a "},
				{Kind: bonafide.SpanOwn, Text: "store card"},
				{Kind: bonafide.SpanShared, Text: " with you since "},
				{Kind: bonafide.SpanOwn, Text: "last summer. My wages were cut in January"},
				{Kind: bonafide.SpanShared, Text: ". I was taken ill and have been unable to work, as the enclosed paper shows. Your collectors rang "},
				{Kind: bonafide.SpanOwn, Text: "my manager"},
				{Kind: bonafide.SpanShared, Text: " on "},
				{Kind: bonafide.SpanOwn, Text: "3 March"},
				{Kind: bonafide.SpanShared, Text: " and told them of my debt, which you had no right to do.\n\n"},
				{Kind: bonafide.SpanCommon, Text: "Under the consumer credit rules a lender must treat customers in difficulty with forbearance and due consideration."},
			}},
		},
	})
}

// smallRing adds a ring of four with an account in common, in Chinese.
func smallRing(r *bonafide.Result) {
	g := bonafide.Ring{
		ID: "b20d41", Score: 0.71, Template: "t91aa7", Level: bonafide.Level2,
		Families: []bonafide.Family{bonafide.FamilyPayment, bonafide.FamilyText},
		Why:      []string{"4 customers in 3 regions ask for refunds to one bank account", "3 letters use the same demand in the same words"},
		Innocent: []string{"one household or business with a single bank account", "a law firm’s client account"},
		Members:  []string{"投诉-2025-0417", "投诉-2025-0421", "投诉-2025-0433", "投诉-2025-0460"},
	}
	for i, m := range g.Members {
		g.Ties = append(g.Ties, bonafide.Tie{
			Complaint: m, Received: on(5, 6+i*i, 14), Region: []string{"浙江", "浙江", "江西", "福建"}[i],
			Why: []string{"same refund account as 3 other customers in 3 regions"},
		})
		r.Complaints = append(r.Complaints, bonafide.Verdict{
			ID: m, Level: bonafide.Level2, Ring: g.ID, Template: "t91aa7", Criteria: []bonafide.Criterion{"K06", "K10"},
			Families: g.Families, Innocent: g.Innocent,
			Why: []string{"same refund account as 3 other customers in 3 regions; 1 in 6,500 accounts is shared at all"},
		})
	}
	v := &r.Complaints[len(r.Complaints)-1]
	v.Route, v.Level = bonafide.RouteVulnerable, bonafide.Information
	v.Why = append(v.Why, "the customer is flagged as vulnerable: a trained person takes over, nothing is graded")
	g.Ties[3].Route = bonafide.RouteVulnerable
	g.Shared = []bonafide.SharedThing{
		{Label: "account 2", Kind: "account", Family: bonafide.FamilyPayment, Members: g.Members, Rarity: "1 in 6,500 accounts is shared at all"},
		{Label: "letter 2", Kind: "letter", Family: bonafide.FamilyText, Members: g.Members[:3], Rarity: "1 in 40 letters is shared at all"},
	}
	r.Rings = append(r.Rings, g)
	r.Templates = append(r.Templates, bonafide.Template{
		ID: "t91aa7", Lang: "zh", Members: g.Members[:3],
		Skeleton: "贵公司于‹日期›以来频繁致电本人及‹亲属›，严重影响正常生活。现要求停止计息，减免‹金额›，并将已付费用退回指定账户‹账号›。如不解决，将向监管部门持续投诉。",
	})
}

// freeLetters adds letters that tie nobody.
func freeLetters(r *bonafide.Result) {
	ids := func(prefix string, n int) (out []string) {
		for i := range n {
			out = append(out, fmt.Sprintf("%s-%04d", prefix, 100+i*13))
		}
		return out
	}
	r.Templates = append(r.Templates,
		bonafide.Template{
			ID: "t0077b", Lang: "en", Members: ids("W", 61), Benign: "consumer council model letter: late fees, 2024 edition",
			Skeleton: "Dear Sir or Madam,\n\nI write about the late fee of ‹amount› on my account. I believe this fee is unfair because ‹reason›. Please refund it within 14 days.\n\nYours sincerely,\n‹name›",
		},
		bonafide.Template{
			ID: "tb3f52", Lang: "en", Members: ids("P", 4),
			Skeleton: "The app was down on ‹date› and my payment could not go through. Please do not report it as late.",
		},
	)
	for _, id := range ids("W", 61)[:3] {
		r.Complaints = append(r.Complaints, bonafide.Verdict{
			ID: id, Level: bonafide.Information, Template: "t0077b", Criteria: []bonafide.Criterion{"K10"},
			Families: []bonafide.Family{bonafide.FamilyText}, Innocent: []string{"a public template"},
			Why: []string{"a public template: consumer council model letter, which 61 complaints use"},
		})
	}
}

// alone adds complaints outside any ring and letter.
func alone(r *bonafide.Result) {
	r.Complaints = append(r.Complaints,
		bonafide.Verdict{
			ID: "C-0288114", Level: bonafide.Level1, Criteria: []bonafide.Criterion{"K02"},
			Families: []bonafide.Family{bonafide.FamilyDocument, bonafide.FamilyIdentity},
			Why:      []string{"the hospital named on the paper says that it did not issue it", "same phone number as 2 other customers"},
			Innocent: []string{"a bad scan", "an error of the issuer"},
		},
		bonafide.Verdict{
			ID: "C-0301977", Level: bonafide.Information, Route: bonafide.RouteConfirmAuthority,
			Why: []string{"legal aid declared that it acts for the customer: confirm the authority with the customer first, nothing is graded"},
		},
	)
}
