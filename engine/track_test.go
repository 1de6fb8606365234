package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"bonafide"
	"bonafide/casework"
	"bonafide/internal/synth"
	"bonafide/internal/testdb"
	"bonafide/policy"
	"bonafide/store"

	gocmp "github.com/google/go-cmp/cmp"
)

var (
	clerk  = bonafide.Actor{ID: "person:clerk", Name: "clerk"}
	second = bonafide.Actor{ID: "person:second", Name: "second"}
	judge  = bonafide.Actor{ID: "person:judge", Name: "judge"}
)

// A way is everything that a complaint's own track says, in the order of each list.
type way struct {
	Rows  []store.TrackRow
	Lists map[string][]string
	Lines map[string][]string
}

// ways reads all tracks, as the lists of the console order them.
func ways(t testing.TB, e *Engine, now time.Time) way {
	t.Helper()
	w := way{Lists: map[string][]string{}, Lines: map[string][]string{}}
	err := e.cfg.DB.View(t.Context(), func(tx *store.Tx) error {
		filters := map[string]store.TrackFilter{
			"all": {}, "mine": {Assignee: "clerk"}, "unassigned": {Unassigned: true}, "due": {DueBefore: now.AddDate(0, 0, 5)},
			"investigating": {State: "investigating"}, "regulator": {Channel: "regulator"},
		}
		for name, f := range filters {
			rows, err := tx.Tracks(t.Context(), bank, f)
			if err != nil {
				return err
			}
			w.Lists[name] = []string{}
			for _, r := range rows {
				w.Lists[name] = append(w.Lists[name], r.Complaint)
			}
		}
		all, err := tx.Find(t.Context(), bank, store.FindFilter{})
		if err != nil {
			return err
		}
		for _, f := range all {
			row, err := tx.Track(t.Context(), bank, f.ID)
			if err != nil {
				return err
			}
			w.Rows = append(w.Rows, row)
			lines, err := Lines(t.Context(), tx, bank, f.ID)
			if err != nil {
				return err
			}
			for _, l := range lines {
				w.Lines[f.ID] = append(w.Lines[f.ID], fmt.Sprintf("%s %s→%s %s", l.Act.Verb, l.From, l.To, l.Due))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// handle does random things with complaints, as people would.
func handle(t testing.TB, e *Engine, cs []bonafide.Complaint, seed uint64, tick func()) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 3))
	version := map[string]int{}
	for range 4 * len(cs) {
		tick()
		id := cs[r.IntN(len(cs))].ID
		v := version[id]
		var err error
		switch r.IntN(6) {
		case 0:
			err = e.Assign(t.Context(), bank, clerk, id, v+1, []string{"clerk", "second", ""}[r.IntN(3)])
		case 1:
			err = e.Note(t.Context(), bank, clerk, id, v+1, "looked at it")
		default:
			verb := casework.Verbs[r.IntN(len(casework.Verbs))]
			act := casework.Act{Verb: verb, Reason: "because"}
			switch verb {
			case casework.Decide:
				act.Outcome = casework.Outcomes[r.IntN(3)]
			case casework.Decline:
				act.Ground = e.cfg.Clocks.Grounds()[0].ID
			case casework.Extend:
				act.Approver = second.ID
			}
			_, err = e.Move(t.Context(), bank, clerk, id, v+1, act)
		}
		switch {
		case err == nil:
			version[id]++
		case !errors.Is(err, bonafide.Conflict) && !errors.Is(err, bonafide.Invalid) && !errors.Is(err, bonafide.Denied):
			t.Fatal(err)
		}
	}
}

// wipe takes away every verdict, tag and ring.
func wipe(t testing.TB, e *Engine) (verdicts, tags, rings int) {
	t.Helper()
	err := e.cfg.DB.Update(t.Context(), func(tx *store.Tx) error {
		vs, err := tx.Verdicts(t.Context(), bank, "", 0)
		if err != nil {
			return err
		}
		var drop []string
		for _, v := range vs {
			drop = append(drop, v.Complaint)
		}
		gs, err := tx.Tags(t.Context(), bank, store.TagFilter{State: store.TagLive})
		if err != nil {
			return err
		}
		var ids []string
		for _, g := range gs {
			ids = append(ids, g.ID)
		}
		rs, err := tx.Rings(t.Context(), bank, "", "", 0)
		if err != nil {
			return err
		}
		for i := range rs {
			rs[i].State, rs[i].Members, rs[i].Size = string(bonafide.RingIsNoLonger), nil, 0
		}
		verdicts, tags, rings = len(drop), len(ids), len(rs)
		return errors.Join(tx.SaveVerdicts(t.Context(), bank, tester, nil, drop), tx.RemoveTags(t.Context(), bank, tester, ids, "wiped"), tx.SaveRings(t.Context(), bank, tester, rs))
	})
	if err != nil {
		t.Fatal(err)
	}
	return verdicts, tags, rings
}

// Safeguard 1: what is suspected has no part in where a complaint stands, when it is
// due, or in which order lists show it. The same complaints, handled the same way, under
// a policy that accuses nobody, under the usual one, and with everything suspected taken
// away afterwards: the tracks are the same.
func TestSafeguard01TrackDoesNotReadSuspicion(t *testing.T) {
	testdb.Each(t, func(t *testing.T, url func() string) {
		for seed := range uint64(3) {
			cs := synth.New(synth.Config{Seed: 40 + seed, Size: 160, Lang: []string{"en", "zh", "pt"}[seed]}).Complaints
			var got []way
			suspected := 0
			for _, blind := range []bool{false, true} {
				var at atomic.Int64
				base := cs[len(cs)-1].Received.Add(time.Hour).UnixNano()
				at.Store(base)
				clock := func() time.Time { return time.Unix(0, at.Load()).UTC() }
				cfg := Config{Settle: time.Millisecond}
				if blind {
					cfg.Policy = innocent(t)
				}
				e := processOf(t, url(), clock, cfg)
				submit(t, e, cs)
				if !blind {
					for i := 0; !ringed(t, e) && i < 2000; i++ { // its jobs are due by the test's clock
						at.Add(int64(time.Second))
						time.Sleep(10 * time.Millisecond)
					}
				}
				at.Store(base)
				n := 0
				handle(t, e, cs, seed, func() {
					at.Add(int64(time.Hour))
					if n++; n%80 == 0 && !blind { // people decide about rings meanwhile
						decideAny(t, e, n)
					}
				})
				got = append(got, ways(t, e, clock()))
				if blind {
					continue
				}
				verdicts, tags, rings := wipe(t, e)
				suspected += verdicts + tags + rings
				got = append(got, ways(t, e, clock()))
			}
			for i, what := range []string{"", "without verdicts, tags and rings", "under a policy that accuses nobody"} {
				if d := gocmp.Diff(got[0], got[i]); d != "" {
					t.Errorf("seed %d: tracks differ %s:\n%s", seed, what, d[:min(len(d), 2000)])
				}
			}
			if len(got[0].Rows) != len(cs) || len(got[0].Lists["all"]) == len(cs) {
				t.Fatalf("seed %d: %d tracks, %d open: the test handled nothing", seed, len(got[0].Rows), len(got[0].Lists["all"]))
			}
			t.Logf("seed %d: %d verdicts, tags and rings were taken away", seed, suspected)
		}
	})
}

// innocent is a policy that asks for nothing.
func innocent(t testing.TB) *policy.Pack {
	t.Helper()
	p, _ := stages(t)
	none := *p
	none.Rules = nil
	return &none
}

// ringed reports whether a ring stands.
func ringed(t testing.TB, e *Engine) bool {
	t.Helper()
	var rings []store.RingRow
	if err := e.cfg.DB.View(t.Context(), func(tx *store.Tx) (err error) {
		rings, err = tx.RingHeads(t.Context(), bank, "proposed", "", 1)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return len(rings) > 0
}

// decideAny decides about a ring, where there is one.
func decideAny(t testing.TB, e *Engine, n int) {
	t.Helper()
	var rings []store.RingRow
	if err := e.cfg.DB.View(t.Context(), func(tx *store.Tx) (err error) {
		rings, err = tx.RingHeads(t.Context(), bank, "proposed", "", 3)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if len(rings) == 0 {
		return
	}
	verb := []bonafide.Verb{bonafide.Confirm, bonafide.Clear}[n%2]
	err := e.Decide(t.Context(), bank, judge, rings[0].ID, verb, "seen", "tested", nothing)
	if err != nil && !errors.Is(err, bonafide.Conflict) && !errors.Is(err, bonafide.Denied) && !errors.Is(err, bonafide.NotFound) {
		t.Fatal(err)
	}
}

// An extension that needs approval takes two people, and the asker is not one of them.
func TestExtensionTakesTwo(t *testing.T) {
	cs := strangers(1)
	e := processAt(t, testdb.SQLite(t), func() time.Time { return cs[0].Received.Add(time.Hour) })
	submit(t, e, cs)
	id, ctx := cs[0].ID, t.Context()
	for v, verb := range []casework.Verb{casework.Register, casework.CheckAuthority, casework.Investigate} {
		if _, err := e.Move(ctx, bank, clerk, id, v+1, casework.Act{Verb: verb}); err != nil {
			t.Fatal(err)
		}
	}
	// The first extension needs none, the second does.
	first, err := e.Move(ctx, bank, clerk, id, 4, casework.Act{Verb: casework.Extend, Reason: "the archive is in another town"})
	if err != nil {
		t.Fatal(err)
	}
	due, _ := first.Due()
	if _, err := e.Move(ctx, bank, clerk, id, 5, casework.Act{Verb: casework.Extend, Reason: "still"}); !errors.Is(err, bonafide.Denied) {
		t.Errorf("extended without approval: %v", err)
	}
	if _, err := e.Approve(ctx, bank, second, id, 5); !errors.Is(err, bonafide.Conflict) {
		t.Errorf("approved what nobody asked for: %v", err)
	}
	if err := e.AskExtension(ctx, bank, clerk, id, 5, "", "still"); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Approve(ctx, bank, clerk, id, 6); !errors.Is(err, bonafide.Denied) {
		t.Errorf("approved by who asked: %v", err)
	}
	got, err := e.Approve(ctx, bank, second, id, 6)
	if err != nil {
		t.Fatal(err)
	}
	if now, ok := got.Due(); !ok || !now.Due.After(due.Due) {
		t.Errorf("due %v, was %v", now.Due, due.Due)
	}
	if _, err := e.Approve(ctx, bank, second, id, 7); !errors.Is(err, bonafide.Conflict) {
		t.Errorf("approved twice: %v", err)
	}
}

// Two people who change a complaint at once do not overwrite each other.
func TestMoveOfAnOlderVersionIsRefused(t *testing.T) {
	cs := strangers(1)
	e := process(t, testdb.SQLite(t))
	submit(t, e, cs)
	if _, err := e.Move(t.Context(), bank, clerk, cs[0].ID, 1, casework.Act{Verb: casework.Register}); err != nil {
		t.Fatal(err)
	}
	for _, v := range []int{0, 1, 3, -1} {
		if _, err := e.Move(t.Context(), bank, second, cs[0].ID, v, casework.Act{Verb: casework.CheckAuthority}); !errors.Is(err, bonafide.Conflict) {
			t.Errorf("version %d: %v", v, err)
		}
	}
	if err := e.Assign(t.Context(), "other", clerk, cs[0].ID, 2, "clerk"); !errors.Is(err, bonafide.NotFound) {
		t.Errorf("another tenant's: %v", err)
	}
}

// A history that is handed in runs no clock, and counts as neither in time nor late.
func TestHistoryRunsNoClock(t *testing.T) {
	cs := strangers(2)
	e := process(t, testdb.SQLite(t))
	subs := []Submission{{Complaint: &cs[0], History: true}, {Complaint: &cs[1]}}
	if _, err := e.Submit(t.Context(), bank, tester, subs); err != nil {
		t.Fatal(err)
	}
	err := e.cfg.DB.View(t.Context(), func(tx *store.Tx) error {
		open, err := tx.Tracks(t.Context(), bank, store.TrackFilter{})
		if err != nil || len(open) != 1 || open[0].Complaint != cs[1].ID {
			t.Errorf("open: %v, %v", open, err)
		}
		f, err := tx.Figures(t.Context(), bank, time.Now(), time.Time{})
		if f.InTime != 0 || f.Late != 0 || f.Open != 1 {
			t.Errorf("%+v", f)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// An appeal that is upheld takes a complaint, and the customer's others, out of
// everything, by somebody who had no part in it, and for good.
func TestSafeguard07AppealUpheldTakesEverythingBack(t *testing.T) {
	testdb.Each(t, func(t *testing.T, url func() string) {
		e := process(t, url())
		cs := slices.Concat(strangers(80), agency(6))
		submit(t, e, cs)
		quiet(t, e)
		ring := onlyRing(t, e)
		victim, ctx := ring.Members[2], t.Context()
		if err := e.Decide(ctx, bank, clerk, ring.ID, bonafide.Confirm, "one hand", "no family", nothing); err != nil {
			t.Fatal(err)
		}
		quiet(t, e)
		if _, err := e.FileAppeal(ctx, bank, second, victim, ring.ID, " "); !errors.Is(err, bonafide.Invalid) {
			t.Errorf("an appeal without a reason: %v", err)
		}
		id, err := e.FileAppeal(ctx, bank, second, victim, ring.ID, "I wrote it myself")
		if err != nil {
			t.Fatal(err)
		}
		for _, by := range []bonafide.Actor{clerk, second} {
			if err := e.DecideAppeal(ctx, bank, by, id, true, "so it is"); !errors.Is(err, bonafide.Denied) {
				t.Errorf("decided by %s, who is involved: %v", by.ID, err)
			}
		}
		if err := e.DecideAppeal(ctx, "other", judge, id, true, "so it is"); !errors.Is(err, bonafide.NotFound) {
			t.Errorf("decided in another tenant: %v", err)
		}
		if err := e.DecideAppeal(ctx, bank, judge, id, true, "the sister confirmed it"); err != nil {
			t.Fatal(err)
		}
		free := func() {
			t.Helper()
			err := e.cfg.DB.View(ctx, func(tx *store.Tx) error {
				subject, err := tx.SubjectOf(ctx, bank, victim)
				if err != nil {
					return err
				}
				rings, err := tx.RingsOf(ctx, bank, []string{victim})
				if err != nil || len(rings) != 0 {
					t.Errorf("still in rings %v, %v", rings, err)
				}
				on, err := tx.TagsOn(ctx, bank, []bonafide.Target{{Kind: bonafide.OnComplaint, ID: victim}, {Kind: bonafide.OnCustomer, ID: subject}}, time.Now())
				if err != nil || len(on) != 0 {
					t.Errorf("still tagged: %v, %v", on, err)
				}
				if v, err := tx.Verdict(ctx, bank, victim); err == nil && bonafide.Level(v.Level).Accuses() {
					t.Errorf("still graded %s", v.Level)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		free()
		quiet(t, e)
		free()
		// A newcomer to the ring brings everything to be joined anew.
		more := agency(9)[6:]
		submit(t, e, more)
		quiet(t, e)
		free()
		if r := onlyRing(t, e); slices.Contains(r.Members, victim) || len(r.Members) < 7 {
			t.Errorf("the ring has %v", r.Members)
		}
		if err := e.DecideAppeal(ctx, bank, judge, id, false, "no"); !errors.Is(err, bonafide.Conflict) {
			t.Errorf("decided twice: %v", err)
		}
		// The track of the complaint knows nothing of it.
		if err := e.cfg.DB.View(ctx, func(tx *store.Tx) error {
			row, err := tx.Track(ctx, bank, victim)
			if row.Version != 1 || row.State != "received" {
				t.Errorf("its track: %+v", row)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

// Retention erases people whose complaints ended long ago, and keeps who stands in a ring.
func TestRetention(t *testing.T) {
	e := process(t, testdb.SQLite(t))
	cs := slices.Concat(strangers(60), agency(5))
	subs := make([]Submission, len(cs))
	for i := range cs {
		subs[i] = Submission{Complaint: &cs[i], History: i != 0}
	}
	if _, err := e.Submit(t.Context(), bank, tester, subs); err != nil {
		t.Fatal(err)
	}
	quiet(t, e)
	erased := func() (n int) {
		err := e.cfg.DB.View(t.Context(), func(tx *store.Tx) error {
			all, err := tx.Complaints(t.Context(), bank, 0, 0)
			for _, c := range all {
				if c.State == store.ComplaintErased {
					n++
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err := e.Retain(t.Context(), bank); err != nil || erased() != 0 {
		t.Fatalf("erased %d without being told to: %v", erased(), err)
	}
	if err := e.cfg.DB.Update(t.Context(), func(tx *store.Tx) error { return tx.PutSetting(t.Context(), bank, tester, store.RetentionDays, "30") }); err != nil {
		t.Fatal(err)
	}
	if err := e.Retain(context.Background(), bank); err != nil {
		t.Fatal(err)
	}
	if n := erased(); n != 59 {
		t.Errorf("erased %d, want 59: one is open, five are evidence", n)
	}
}

// An appeal that is upheld while a grouping is being made holds against that grouping.
func TestAppealDuringAGroupingHolds(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		e := process(t, fresh())
		submit(t, e, slices.Concat(strangers(80), agency(6)))
		quiet(t, e)
		ring := onlyRing(t, e)
		d, err := e.desk(t.Context(), bank)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.readDecided(t.Context()); err != nil {
			t.Fatal(err)
		}
		g, err := d.live.Group(t.Context(), nil) // it still has the complaint
		if err != nil {
			t.Fatal(err)
		}
		id, err := e.FileAppeal(t.Context(), bank, second, ring.Members[0], "", "I wrote it")
		if err != nil {
			t.Fatal(err)
		}
		known := slices.Clone(d.exempt)
		if err := e.DecideAppeal(t.Context(), bank, judge, id, true, "so it is"); err != nil {
			t.Fatal(err)
		}
		quiet(t, e)
		d.exempt = known // as it was when the grouping began
		if err := d.settle(t.Context(), g, nil, store.Job{}); !errors.Is(err, errErased) {
			t.Errorf("settled a grouping from before the appeal: %v", err)
		}
		if r := onlyRing(t, e); slices.Contains(r.Members, ring.Members[0]) {
			t.Error("the complaint was put back")
		}
	})
}

// An appeal that is upheld protects the customer's other complaints too, also from a
// confirmed ring.
func TestAppealProtectsTheCustomersOthers(t *testing.T) {
	e := process(t, testdb.SQLite(t))
	ag := agency(7)
	ag[6].Customer, ag[6].Contacts, ag[6].ID = ag[2].Customer, ag[3].Contacts, "Z0006"
	submit(t, e, slices.Concat(strangers(80), ag))
	quiet(t, e)
	ring := onlyRing(t, e)
	if err := e.Decide(t.Context(), bank, clerk, ring.ID, bonafide.Confirm, "one hand", "no family", nothing); err != nil {
		t.Fatal(err)
	}
	quiet(t, e)
	id, err := e.FileAppeal(t.Context(), bank, second, ag[2].ID, ring.ID, "wrong")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.DecideAppeal(t.Context(), bank, judge, id, true, "so it is"); err != nil {
		t.Fatal(err)
	}
	quiet(t, e)
	submit(t, e, agency(10)[7:])
	quiet(t, e)
	if r := onlyRing(t, e); slices.Contains(r.Members, "Z0006") || slices.Contains(r.Members, ag[2].ID) {
		t.Errorf("they are back: %v", r.Members)
	}
	for _, id := range []string{"Z0006", ag[2].ID} {
		if l := standing(t, e).Levels[id]; l.Accuses() {
			t.Errorf("%s is graded %s", id, l)
		}
	}
}

// What is left of a ring after appeals is judged by what is left of its evidence.
func TestRestOfARingIsJudgedAnew(t *testing.T) {
	e := process(t, testdb.SQLite(t))
	submit(t, e, slices.Concat(strangers(80), agency(6))) // each three share a phone
	quiet(t, e)
	ring := onlyRing(t, e)
	for _, i := range []int{1, 2, 4, 5} {
		id, err := e.FileAppeal(t.Context(), bank, second, ring.Members[i], ring.ID, "wrong")
		if err != nil {
			t.Fatal(err)
		}
		if err := e.DecideAppeal(t.Context(), bank, judge, id, true, "so it is"); err != nil {
			t.Fatal(err)
		}
		quiet(t, e)
	}
	// Nobody shares anything but words with anybody any more.
	for _, m := range ring.Members {
		if l := standing(t, e).Levels[m]; l.Accuses() {
			t.Errorf("%s is graded %s by words alone", m, l)
		}
	}
	if n := len(tags(t, e, store.TagLive)); n > 0 {
		t.Errorf("%d tags warn", n)
	}
}

// Retention asks again under the lock, and keeps who has an open appeal.
func TestRetentionKeepsWhoCameBack(t *testing.T) {
	e := process(t, testdb.SQLite(t))
	ctx := t.Context()
	cs := strangers(3)
	cs[1].Customer = cs[0].Customer
	if _, err := e.Submit(ctx, bank, tester, []Submission{{Complaint: &cs[0], History: true}, {Complaint: &cs[2], History: true}}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.FileAppeal(ctx, bank, second, cs[2].ID, "", "wrong"); err != nil {
		t.Fatal(err)
	}
	before := time.Now().AddDate(0, 0, -30)
	var some []store.Retiree
	if err := e.cfg.DB.View(ctx, func(tx *store.Tx) (err error) { some, err = tx.Retired(ctx, bank, before, "", 10); return err }); err != nil {
		t.Fatal(err)
	}
	if len(some) != 1 || some[0].Complaint != cs[0].ID {
		t.Fatalf("retired: %v", some)
	}
	submit(t, e, cs[1:2]) // the person complains again meanwhile
	err := e.erase(ctx, bank, bonafide.System("retention"), "", some[0].Complaint, "retention", func(tx *store.Tx) error {
		yes, err := tx.Retires(ctx, bank, before, some[0].Subject)
		if err == nil && !yes {
			err = errStays
		}
		return err
	}, func(*store.Tx, string, []string) error { return nil })
	if !errors.Is(err, errStays) {
		t.Errorf("erased somebody who came back: %v", err)
	}
	if err := e.cfg.DB.View(ctx, func(tx *store.Tx) error { _, err := tx.Complaint(ctx, bank, cs[1].ID); return err }); err != nil {
		t.Error(err)
	}
}

// What nobody can read any more is not due, and nothing is written about it.
func TestErasedComplaintIsNotDue(t *testing.T) {
	e := process(t, testdb.SQLite(t))
	cs := strangers(2)
	submit(t, e, cs)
	if err := e.Erase(t.Context(), bank, clerk, "", cs[0].ID, "asked", func(*store.Tx, string, []string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	err := e.cfg.DB.View(t.Context(), func(tx *store.Tx) error {
		open, err := tx.Tracks(t.Context(), bank, store.TrackFilter{})
		if err != nil || len(open) != 1 || open[0].Complaint != cs[1].ID {
			t.Errorf("open: %v, %v", open, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var row store.TrackRow
	if err := e.cfg.DB.View(t.Context(), func(tx *store.Tx) (err error) { row, err = tx.Track(t.Context(), bank, cs[0].ID); return err }); err != nil {
		t.Fatal(err)
	}
	if k, _, err := e.TrackOf(row); err != nil || k.State != casework.Closed {
		t.Errorf("its track: %+v, %v", k, err)
	}
	if err := e.Note(t.Context(), bank, clerk, cs[0].ID, 2, "Mr X called"); !errors.Is(err, bonafide.Conflict) {
		t.Errorf("a note about an erased person: %v", err)
	}
}

// A file whose import nobody starts does not stay.
func TestUploadIsDropped(t *testing.T) {
	var days atomic.Int64
	start := time.Now()
	e := processAt(t, testdb.SQLite(t), func() time.Time { return start.AddDate(0, 0, int(days.Load())) })
	m := store.ImportRow{ID: "M", State: store.ImportOpen, At: start, Body: []byte("{}")}
	if err := e.cfg.DB.Update(t.Context(), func(tx *store.Tx) error { return tx.AddImport(t.Context(), bank, tester, m, [][]byte{[]byte("a")}) }); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after int64
		state string
	}{{6, store.ImportOpen}, {8, store.ImportStopped}} {
		days.Store(c.after)
		if err := e.dropUploads(t.Context(), bank); err != nil {
			t.Fatal(err)
		}
		err := e.cfg.DB.View(t.Context(), func(tx *store.Tx) error {
			got, err := tx.Import(t.Context(), bank, "M")
			if got.State != c.state {
				t.Errorf("after %d days: %s", c.after, got.State)
			}
			if _, perr := tx.UploadPart(t.Context(), bank, "M", 0); (perr == nil) != (c.state == store.ImportOpen) {
				t.Errorf("after %d days the file: %v", c.after, perr)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
