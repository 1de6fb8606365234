package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"bonafide"
	"bonafide/casefile"
	"bonafide/casework"
	"bonafide/internal/testdb"
	"bonafide/report"
	"bonafide/store"
)

// wander stores a case that goes through random moves at random times, each as a person
// would make it.
func wander(t *testing.T, e *Engine, r *rand.Rand, number int, from time.Time) {
	t.Helper()
	ctx := t.Context()
	c := bonafide.Case{
		ID: e.cfg.DB.NewID(), Number: number, Title: fmt.Sprint("case ", number), Stage: bonafide.StageClue, Begun: from, Since: from, Rings: []string{"R"}, Assignee: "p",
		Gang: r.IntN(3) == 0, Scenarios: []string{"A6"}, Parties: []bonafide.Party{{ID: "p", Role: bonafide.RoleUnknown}}, AskedBy: "person:z",
		Losses: []bonafide.Loss{{ID: "l", Kind: "refunded", Amount: bonafide.Amount{Minor: int64(r.IntN(1e6)), Currency: []string{"CNY", "USD"}[r.IntN(2)]}}},
	}
	facts := casefile.Facts{Items: 1, Sealed: 1, Held: map[string]bool{}}
	c.Handovers = []bonafide.Handover{{To: "police", Seal: 1}}
	now := from
	row := store.CaseRow{Case: c}
	save := func(step bonafide.CaseStep) {
		err := e.cfg.DB.Update(ctx, func(tx *store.Tx) error { return e.keepCase(ctx, tx, bank, sleuth, row, step) })
		if err != nil {
			t.Fatal(err)
		}
		row.Version++
	}
	save(bonafide.CaseStep{At: now, What: "begin", To: c.Stage})
	for range r.IntN(25) {
		now = now.Add(time.Duration(r.IntN(20*24)) * time.Hour)
		moves := row.Stage.Moves()
		act := casefile.Act{Move: moves[r.IntN(len(moves))], By: []string{"person:a", "person:b"}[r.IntN(2)], Reason: "r", Number: "n", Innocent: "i"}
		if act.Move == bonafide.MoveReview {
			row.Offences = []string{"K02"}
			o, _ := casefile.OffenceOf("K02")
			for _, el := range o.Elements {
				row.Exhibits = append(row.Exhibits, bonafide.Exhibit{Offence: "K02", Element: el.ID, Note: "n"})
			}
		}
		next, step, err := casefile.Step(row.Case, act, facts, e.cfg.Clocks, now)
		if err != nil {
			continue
		}
		row.Case = next
		save(step)
	}
}

// recount counts a month again from the sealed histories themselves, and from every
// complaint's own row, without any of the queries that the sheet is made of.
func recount(ctx context.Context, tx *store.Tx, from, to time.Time) (map[string][]int, map[string]int64, map[string]int, error) {
	figures, amounts, counts := map[string][]int{}, map[string]int64{}, map[string]int{}
	cases, err := tx.Cases(ctx, bank, store.CaseFilter{})
	if err != nil {
		return nil, nil, nil, err
	}
	for _, c := range slices.Backward(cases) {
		steps, err := tx.CaseSteps(ctx, bank, c.ID)
		if err != nil {
			return nil, nil, nil, err
		}
		did := map[string]bool{}
		var stage bonafide.Stage
		var ended bonafide.Exit
		for _, s := range steps {
			if !s.At.Before(to) {
				break
			}
			stage = s.To
			if !s.At.Before(from) {
				did[s.What] = true
				if s.From != s.To && s.From == bonafide.StageClosed {
					ended = ""
				}
				if s.From != s.To && s.To == bonafide.StageClosed {
					ended = s.Exit
				}
			}
		}
		count := func(key string, yes bool) {
			if yes {
				figures[key] = append(figures[key], c.Number)
			}
		}
		count("pushed", did["open"])
		count("gang", did["open"] && c.Gang)
		count("filed", did["file"])
		count("reported", did["report"])
		count("preparation", slices.Index(bonafide.Stages, stage) >= 1 && slices.Index(bonafide.Stages, stage) <= slices.Index(bonafide.Stages, bonafide.StagePoliceReview))
		count("exit."+string(ended), ended != "")
		if did["open"] {
			for _, l := range c.Losses {
				amounts[l.Amount.Currency] += l.Amount.Minor
			}
		}
	}
	after := int64(0)
	for {
		page, err := tx.Complaints(ctx, bank, after, 100)
		if err != nil {
			return nil, nil, nil, err
		}
		for _, row := range page {
			after = row.Seq
			k, err := tx.Track(ctx, bank, row.ID)
			if err != nil {
				return nil, nil, nil, err
			}
			level := bonafide.LevelNone
			if v, err := tx.Verdict(ctx, bank, row.ID); err == nil {
				level = bonafide.Level(v.Level)
			}
			in := func(at time.Time) bool { return !at.IsZero() && !at.Before(from) && at.Before(to) }
			if in(k.Received) {
				counts["received"]++
				counts["level."+string(level)]++
			}
			if in(k.Ended) {
				counts["decided"]++
				if k.Late == 0 {
					counts["in time"]++
				}
				if level.Accuses() {
					counts["flagged"]++
					if k.Outcome == string(casework.Upheld) || k.Outcome == string(casework.PartlyUpheld) {
						counts["upheld"]++
					}
				}
			}
		}
		if len(page) < 100 {
			return figures, amounts, counts, nil
		}
	}
}

// The monthly sheet's figures are what a recount of everything gives, in random worlds.
func TestMonthEqualsARecount(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		clock := &testClock{}
		e := investigated(t, fresh(), clock)
		ctx := t.Context()
		r := rand.New(rand.NewPCG(9, 1))
		cs := append(agency(12), strangers(300)...)
		start := clock.now().AddDate(0, -3, 0)
		for i := range cs {
			cs[i].Received = start.Add(time.Duration(r.IntN(85*24)) * time.Hour)
		}
		submit(t, e, cs)
		quiet(t, e)
		for i, c := range cs {
			if i > 60 {
				break
			}
			outcome := []casework.Outcome{casework.Upheld, casework.NotUpheld, casework.PartlyUpheld}[r.IntN(3)]
			for _, act := range []casework.Act{{Verb: casework.Register}, {Verb: casework.Investigate}, {Verb: casework.Decide, Outcome: outcome, Reason: "r"}, {Verb: casework.Notify}, {Verb: casework.Close}} {
				version := view(t, e, func(ctx context.Context, tx *store.Tx) (int, error) {
					k, err := tx.Track(ctx, bank, c.ID)
					return k.Version, err
				})
				if _, err := e.Move(ctx, bank, sleuth, c.ID, version, act); err != nil {
					t.Fatal(act.Verb, err)
				}
			}
		}
		for n := range 60 {
			wander(t, e, r, n+1, start.Add(time.Duration(r.IntN(60*24))*time.Hour))
		}
		seen, decided := 0, 0
		for back := range 4 {
			month := clock.now().AddDate(0, 0, -29*back).In(e.cfg.Clocks.Zone()).Format("2006-01")
			from, to, err := e.MonthOf(month)
			if err != nil {
				t.Fatal(err)
			}
			if err := e.cfg.DB.View(ctx, func(tx *store.Tx) error {
				sheet, err := e.Month(ctx, tx, bank, month, true)
				if err != nil {
					return err
				}
				want, amounts, counts, err := recount(ctx, tx, from, to)
				if err != nil {
					return err
				}
				for _, f := range sheet.Cases {
					var got []int
					for _, c := range f.Cases {
						got = append(got, c.Number)
					}
					if d := cmp.Diff(want[f.Key], got); d != "" || f.Count != len(want[f.Key]) {
						t.Errorf("%s %s: %d, %s", month, f.Key, f.Count, d)
					}
					seen += f.Count
				}
				for _, f := range sheet.Complaints {
					if f.Count != counts[f.Key] {
						t.Errorf("%s %s: %d, a recount gives %d", month, f.Key, f.Count, counts[f.Key])
					}
					seen += f.Count
				}
				decided += counts["decided"]
				got := map[string]int64{}
				for _, a := range sheet.Amounts {
					got[a.Currency] = a.Minor
				}
				if d := cmp.Diff(amounts, got); d != "" {
					t.Errorf("%s amounts: %s", month, d)
				}
				if d := cmp.Diff([]report.MonthShare{{Part: counts["upheld"], Of: counts["flagged"]}, {Part: counts["in time"], Of: counts["decided"]}}, []report.MonthShare{sheet.Upheld, sheet.Clocks}); d != "" {
					t.Errorf("%s shares: %s", month, d)
				}
				alone, err := e.Month(ctx, tx, bank, month, false)
				for _, f := range alone.Cases {
					if len(f.Cases) > 0 {
						t.Errorf("%s: a sheet without cases has some", f.Key)
					}
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		if seen < 100 || decided < 20 {
			t.Errorf("only %d things and %d decisions were counted: the test shows little", seen, decided)
		}
	})
}
