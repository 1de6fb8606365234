package engine

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"bonafide"
	"bonafide/casefile"
	"bonafide/report"
	"bonafide/store"
)

// MonthOf returns the first moment of a month such as "2026-11", and the first after it, in
// the zone of the lender's clocks; of "" the month of now.
func (e *Engine) MonthOf(month string) (from, to time.Time, err error) {
	zone := e.cfg.Clocks.Zone()
	if month == "" {
		month = e.cfg.Now().In(zone).Format("2006-01")
	}
	from, err = time.ParseInLocation("2006-01", month, zone)
	if err != nil || from.Year() < 2000 || from.Year() > 2200 {
		return from, to, &bonafide.Error{Kind: bonafide.Invalid, Msg: "month: not one such as 2026-11"}
	}
	return from, from.AddDate(0, 1, 0), nil
}

// Month makes the monthly sheet. With cases, each figure has the cases behind it; a regulator
// gets the figures alone.
func (e *Engine) Month(ctx context.Context, tx *store.Tx, t bonafide.Tenant, month string, cases bool) (report.MonthSheet, error) {
	from, to, err := e.MonthOf(month)
	sheet := report.MonthSheet{Lender: e.cfg.Lender, Version: e.cfg.Version, From: from, To: to, Made: e.cfg.Now().UTC().Truncate(time.Second), Zone: e.cfg.Clocks.Zone()}
	if err != nil {
		return sheet, err
	}
	rows, err := tx.CaseHeads(ctx, t)
	if err != nil {
		return sheet, err
	}
	marks, err := tx.StepMarks(ctx, t, to)
	if err != nil {
		return sheet, err
	}
	heads := make([]casefile.Headline, len(rows))
	number := map[string]store.CaseHead{}
	for i, h := range rows {
		heads[i] = casefile.Headline{Case: h.ID, Number: h.Number, Gang: h.Gang, Exit: h.Exit, Amount: h.Amounts}
		number[h.ID] = h
	}
	steps := make([]casefile.Line, len(marks))
	for i, s := range marks {
		steps[i] = casefile.Line{Case: s.Case, At: s.At, What: s.What, From: s.From, To: s.To, Exit: s.Exit}
	}
	m := casefile.Figures(heads, steps, from, to)
	add := func(key string, ids []string) error {
		f := report.MonthFigure{Key: key, Count: len(ids)}
		if cases && len(ids) > 0 {
			full, err := tx.Cases(ctx, t, store.CaseFilter{IDs: ids})
			if err != nil {
				return err
			}
			for _, c := range slices.Backward(full) {
				f.Cases = append(f.Cases, report.MonthCase{Number: c.Number, Title: c.Title, Stage: string(c.Stage)})
			}
		}
		sheet.Cases = append(sheet.Cases, f)
		return nil
	}
	for _, f := range []struct {
		key string
		ids []string
	}{{"pushed", m.Pushed}, {"filed", m.Filed}, {"preparation", m.Preparation}, {"gang", m.Gang}, {"reported", m.Reported}} {
		if err := add(f.key, f.ids); err != nil {
			return sheet, err
		}
	}
	for _, exit := range bonafide.Exits {
		if err := add("exit."+string(exit), m.Closed[exit]); err != nil {
			return sheet, err
		}
	}
	for _, currency := range slices.Sorted(maps.Keys(m.Amounts)) {
		sheet.Amounts = append(sheet.Amounts, report.MonthAmount{Currency: currency, Minor: m.Amounts[currency]})
	}
	return sheet, e.monthComplaints(ctx, tx, t, &sheet)
}

func (e *Engine) monthComplaints(ctx context.Context, tx *store.Tx, t bonafide.Tenant, sheet *report.MonthSheet) error {
	tally, err := tx.TallyMonth(ctx, t, sheet.From, sheet.To)
	if err != nil {
		return err
	}
	sheet.Complaints = []report.MonthFigure{{Key: "received", Count: int(tally.Received)}, {Key: "decided", Count: int(tally.Ended)}}
	for _, l := range []bonafide.Level{bonafide.Level1, bonafide.Level2, bonafide.Individual, bonafide.Information} {
		sheet.Complaints = append(sheet.Complaints, report.MonthFigure{Key: "level." + string(l), Count: int(tally.Levels[string(l)])})
	}
	sheet.Upheld = report.MonthShare{Part: int(tally.FlaggedUpheld), Of: int(tally.FlaggedEnded)}
	sheet.Clocks = report.MonthShare{Part: int(tally.InTime), Of: int(tally.Ended)}
	_, figures, err := e.Audited(ctx, tx, t)
	if err != nil {
		return err
	}
	off := map[string]bool{}
	detectors, err := tx.Detectors(ctx, t)
	for _, d := range detectors {
		off[d.Name] = d.Off
	}
	for _, d := range figures.Detectors {
		sheet.Detectors = append(sheet.Detectors, report.MonthDetector{Name: d.Name, Right: d.Precision.Of, Of: d.Precision.Among, Off: off[d.Name]})
	}
	slices.SortFunc(sheet.Detectors, func(a, b report.MonthDetector) int { return cmp.Or(strings.Compare(a.Name, b.Name)) })
	return err
}
