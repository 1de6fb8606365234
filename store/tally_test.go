package store

import (
	"context"
	"testing"
	"time"
)

// Who was erased, withdrew, or was answered elsewhere is not decided: neither in time nor
// late, and it says nothing about what was flagged.
func TestTallyMonthCountsDecisionsAlone(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		cs := complaints(1, 6, 6, 2, 1)
		ends := []struct {
			outcome string
			late    int
		}{{"upheld", 0}, {"not-upheld", 2}, {"", 0}, {"", -1}, {"upheld", -1}, {"partly-upheld", 0}}
		from, to := start, start.Add(24*time.Hour)
		update(t, db, func(ctx context.Context, tx *Tx) error {
			if _, err := tx.AddComplaints(ctx, lender, clerk, cs); err != nil {
				return err
			}
			var vs []VerdictRow
			for i, c := range cs {
				vs = append(vs, VerdictRow{Complaint: c.ID, Level: "level-2", Ring: "R", Body: []byte("{}")})
				if _, err := tx.exec(ctx, `UPDATE track SET ended = $1, outcome = $2, late = $3 WHERE tenant = $4 AND complaint = $5`,
					micros(start.Add(time.Hour)), ends[i].outcome, int64(ends[i].late), string(lender), c.ID); err != nil {
					return err
				}
			}
			return tx.SaveVerdicts(ctx, lender, clerk, vs, nil)
		})
		view(t, db, func(ctx context.Context, tx *Tx) error {
			m, err := tx.TallyMonth(ctx, lender, from, to)
			if m.Ended != 3 || m.InTime != 2 || m.FlaggedEnded != 3 || m.FlaggedUpheld != 2 {
				t.Errorf("%+v: want 3 decided, 2 in time, 3 flagged and 2 of them upheld", m)
			}
			return err
		})
	})
}
