package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"bonafide"
	"bonafide/pipeline"
	"bonafide/store"
)

// When everything is joined anew, and when only what new complaints touch.
const (
	wholeShare   = 20 // a whole grouping is due once one in so many complaints is new
	wholeEvery   = 10 * time.Minute
	wholeRest    = 5  // whole groupings take one part in so many of the time at most
	aroundPlaces = 50 // new complaints that share something, joined at a time
)

// rounds is what a desk knows of its groupings.
type rounds struct {
	upTo     int64         // the last complaint that was joined
	whole    int64         // the last complaint of the last whole grouping
	wholeAt  time.Time     // when it began, zero before the first
	wholeFor time.Duration // how long it took
	apart    [][2]string   // that it kept apart
	erased   int64         // erasures it knew of
	known    int64         // the stamp of what was known of complaints
}

// wait is how long after a change the next grouping is due: groupings take a fifth
// of the time at most, however many complaints there are.
func (d *desk) wait() time.Duration { return max(d.cfg.Settle, time.Duration(4*d.took.Load())) }

// cluster joins the evidence of a tenant and settles what changed.
func (e *Engine) cluster(ctx context.Context, js []store.Job) error {
	j := js[0] // one is claimed at a time
	d, err := e.desk(ctx, j.Tenant)
	if err != nil {
		return err
	}
	for !d.ready.Load() {
		if !sleep(ctx, poll) {
			return ctx.Err()
		}
	}
	if err := d.catchUp(ctx); err != nil {
		return err
	}
	apart, err := d.readDecided(ctx)
	if err != nil {
		return err
	}
	start := d.cfg.Now()
	if !d.wholeIsDue(start, apart) {
		err := d.clusterAround(ctx, apart, j)
		d.took.Store(int64(d.cfg.Now().Sub(start)))
		return err
	}
	erased := d.erased.Load()
	g, err := d.group(ctx, apart)
	if err != nil {
		return fmt.Errorf("group: %w", err)
	}
	count := d.weigh(g.Result)
	err = d.again(func() error { return d.settle(ctx, g, apart, j) })
	if errors.Is(err, errErased) && ctx.Err() == nil {
		return e.cluster(ctx, js)
	}
	if err != nil {
		return err
	}
	if err := d.weighShadow(ctx, count); err != nil {
		return err
	}
	took := d.cfg.Now().Sub(start)
	if err := d.shadowed(ctx, g.Result, g.Shadow, took); err != nil {
		return err
	}
	d.rounds = rounds{upTo: g.Last, whole: g.Last, wholeAt: start, wholeFor: took, apart: apart, erased: erased, known: d.known}
	if g.Last <= int64(d.cfg.Small) {
		d.took.Store(int64(took))
	}
	if d.cfg.Observe != nil {
		d.cfg.Observe.Grouped(int(g.Last), took)
	}
	return nil
}

// readDecided reads what people decided that groupings are made under: who is not linked,
// whose appeals were upheld, which letters are public, and the policy in force.
func (d *desk) readDecided(ctx context.Context) (apart [][2]string, err error) {
	var letters []store.PublicLetter
	var policies []store.PolicyRow
	var detectors []store.Detector
	var models []store.ModelRow
	var settings map[string]string
	err = d.cfg.DB.View(ctx, func(tx *store.Tx) (err error) {
		if apart, err = tx.Aparts(ctx, d.tenant); err != nil {
			return err
		}
		if d.exempt, err = tx.Exempt(ctx, d.tenant); err != nil {
			return err
		}
		if letters, err = tx.PublicLetters(ctx, d.tenant); err != nil {
			return err
		}
		if detectors, err = tx.Detectors(ctx, d.tenant); err != nil {
			return err
		}
		if policies, err = tx.Policies(ctx, d.tenant, ""); err != nil {
			return err
		}
		if models, err = tx.Models(ctx, d.tenant); err != nil {
			return err
		}
		if settings, err = tx.Settings(ctx, d.tenant); err != nil {
			return err
		}
		return d.readKnown(ctx, tx)
	})
	if err != nil {
		return nil, err
	}
	d.live.Spare(d.exempt)
	d.mute(detectors)
	d.useWeights(ctx, models, settings)
	d.usePolicy(ctx, policies, letters)
	return apart, nil
}

// group joins everything. A program that stops does not wait for it: it reads memory
// alone, and ends with the process.
func (d *desk) group(ctx context.Context, apart [][2]string) (*pipeline.Grouping, error) {
	type result struct {
		g   *pipeline.Grouping
		err error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			if p := recover(); p != nil {
				r.err = fmt.Errorf("a fault in joining: %v", p)
			}
			done <- r
		}()
		r.g, r.err = d.live.Group(ctx, apart)
	}()
	select {
	case r := <-done:
		return r.g, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// wholeIsDue reports whether everything is to be joined anew.
func (d *desk) wholeIsDue(now time.Time, apart [][2]string) bool {
	r, last := &d.rounds, d.live.Last()
	switch {
	case r.wholeAt.IsZero(), last <= int64(d.cfg.Small), !slices.Equal(apart, r.apart), d.erased.Load() != r.erased:
		return true
	case now.Before(r.wholeAt.Add(wholeRest * r.wholeFor)):
		return false
	case (last-r.whole)*wholeShare > last:
		return true
	}
	return (last > r.whole || d.known != r.known) && !now.Before(d.nextWhole())
}

// nextWhole is when a whole grouping is due if anything is new: after ten minutes, and
// after longer where it takes long.
func (d *desk) nextWhole() time.Time {
	return d.rounds.wholeAt.Add(max(wholeEvery, 10*d.rounds.wholeFor))
}

// errDecided says that a person decided something while a grouping was being settled.
var errDecided = errors.New("a person decided meanwhile")

// errErased says that somebody was erased, or an appeal upheld, while a grouping was made
// or settled: what was joined still has them, so it is joined anew.
var errErased = errors.New("a person was erased, or an appeal upheld, meanwhile")

// again settles once more where a person decided something meanwhile: what they decided
// stands, and the rest is laid against it.
func (d *desk) again(settle func() error) (err error) {
	for range 10 {
		if err = settle(); !errors.Is(err, errDecided) {
			return err
		}
	}
	return err
}

// watch makes a transaction of settling sure that the job is still this process's, and
// that nobody decided anything or was erased since settling began.
func (d *desk) watch(ctx context.Context, tx *store.Tx, j store.Job) error {
	if _, err := tx.Lock(ctx, d.tenant); err != nil {
		return err
	}
	if err := tx.Leased(ctx, j, d.owner); err != nil {
		return err
	}
	events, err := tx.Events(ctx, d.tenant, d.settling.since, 1000)
	if err != nil {
		return err
	}
	for _, ev := range events {
		switch ev.Type {
		case bonafide.RingConfirmed, bonafide.RingCleared, bonafide.RingReopened, bonafide.RingAwaits:
			return errDecided
		case bonafide.ComplaintErased:
			return errErased
		case bonafide.RingShrunk:
			if ev.Reason == appealUpheld {
				return errErased
			}
		}
	}
	return nil
}

// begin notes what happened so far, for watch. It is errErased where an appeal was upheld
// since the joining began.
func (d *desk) begin(ctx context.Context) error {
	return d.cfg.DB.View(ctx, func(tx *store.Tx) (err error) {
		if d.settling.since, err = tx.CountEvents(ctx, d.tenant); err != nil {
			return err
		}
		exempt, err := tx.Exempt(ctx, d.tenant)
		if err == nil && !slices.Equal(exempt, d.exempt) {
			return errErased
		}
		return err
	})
}

// done ends a cluster job.
func (d *desk) done(ctx context.Context, j store.Job) error {
	return d.cfg.DB.Update(ctx, func(tx *store.Tx) error { return tx.Finish(ctx, j, d.owner) })
}

// clusterAround joins what new complaints touch, some at a time.
func (d *desk) clusterAround(ctx context.Context, apart [][2]string, j store.Job) error {
	last := d.live.Last()
	places, more := d.live.Sharing(d.rounds.upTo+1, aroundPlaces)
	if more { // the rest comes next time
		last = places[len(places)-1]
	}
	g := &pipeline.Grouping{Result: &bonafide.Result{}}
	if len(places) > 0 {
		around, ok, err := d.live.GroupAround(ctx, places, apart)
		if err != nil {
			return err
		}
		if g = around; !ok { // too much is connected: a whole grouping will look at it
			g = &pipeline.Grouping{Result: &bonafide.Result{}}
		}
	}
	d.weigh(g.Result)
	// After an erasure the job is tried again, and joins without the person.
	if err := d.again(func() error { return d.settleAround(ctx, g, apart, j) }); err != nil {
		return err
	}
	d.rounds.upTo = last
	return d.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		if err := tx.Finish(ctx, j, d.owner); err != nil {
			return err
		}
		next := d.nextWhole()
		if r := &d.rounds; (last-r.whole)*wholeShare > last {
			next = r.wholeAt.Add(wholeRest * r.wholeFor)
		}
		if more {
			next = d.cfg.Now().Add(d.wait())
		}
		return tx.Enqueue(ctx, store.Job{Tenant: d.tenant, Kind: jobCluster, Due: next})
	})
}

// settleAround stores rings that formed or grew around new complaints.
func (d *desk) settleAround(ctx context.Context, g *pipeline.Grouping, apart [][2]string, j store.Job) error {
	if len(g.Result.Rings) == 0 {
		return nil
	}
	if err := d.begin(ctx); err != nil {
		return err
	}
	var before []store.RingRow
	err := d.cfg.DB.View(ctx, func(tx *store.Tx) error {
		before = nil
		var members []string
		for _, r := range g.Result.Rings {
			members = append(members, r.Members...)
		}
		of, err := tx.RingsOf(ctx, d.tenant, members)
		if err != nil {
			return err
		}
		seen := map[string]bool{}
		for _, m := range members {
			for _, id := range of[m] {
				if seen[id] {
					continue
				}
				seen[id] = true
				r, err := tx.Ring(ctx, d.tenant, id)
				if err != nil {
					return err
				}
				switch bonafide.RingState(r.State) {
				case bonafide.RingProposed, bonafide.RingIsFirm, bonafide.RingIsCleared:
					before = append(before, r)
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	now := d.cfg.Now().UTC()
	changes, lasting := d.track(before, g, now, apart, true)
	// A complaint stands in one ring: who is in one that was not joined stays there.
	held := map[string]string{}
	for _, r := range before {
		for _, m := range r.Members {
			held[m] = r.ID
		}
	}
	merged := map[string]bool{}
	for _, c := range changes {
		merged[c.row.ID] = c.row.State == string(bonafide.RingIsMerged)
	}
	members := map[string][]string{}
	for i := range changes {
		c := &changes[i]
		if !c.row.Found {
			continue
		}
		kept := slices.DeleteFunc(slices.Clone(c.row.Members), func(m string) bool {
			return held[m] != "" && held[m] != c.row.ID && !merged[held[m]]
		})
		if len(kept) < len(c.row.Members) {
			c.row.Members, c.row.Size, c.ring.Members = kept, len(kept), kept
			c.write()
		}
		d.live.Selves(g.Self, kept)
		if customersOf(kept, g.Self) < 2 { // the rest of it stands in other rings
			c.wrote, c.row.Found = false, false
			continue
		}
		members[c.row.ID] = kept
	}
	if err := d.verdictsAround(ctx, g, changes, lasting, j); err != nil {
		return err
	}
	if err := d.saveChanges(ctx, changes, g, now, j); err != nil {
		return err
	}
	d.live.Join(members)
	return nil
}

// verdictsAround stores the verdicts of the members of rings that changed.
func (d *desk) verdictsAround(ctx context.Context, g *pipeline.Grouping, changes []change, lasting map[string]string, j store.Job) error {
	wrote := map[string]*change{}
	for i := range changes {
		if c := &changes[i]; c.wrote && c.row.Found {
			wrote[c.row.ID] = c
		}
	}
	by := bonafide.System("settle")
	return d.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		if err := d.watch(ctx, tx, j); err != nil {
			return err
		}
		var put []store.VerdictRow
		for _, v := range g.Result.Complaints {
			c := wrote[lasting[v.Ring]]
			if c == nil || !slices.Contains(c.row.Members, v.ID) {
				continue
			}
			v.Ring, v.Template = c.row.ID, ""
			have, err := tx.Verdict(ctx, d.tenant, v.ID)
			switch {
			case err == nil:
				var old bonafide.Verdict
				if err := json.Unmarshal(have.Body, &old); err != nil {
					return fmt.Errorf("verdict: %w", err)
				}
				v.Template = old.Template
			case !errors.Is(err, bonafide.NotFound):
				return err
			}
			if c.row.State == string(bonafide.RingIsCleared) {
				v = clearedVerdict(v, c.ring)
			}
			row, err := verdictRow(v)
			if err != nil {
				return err
			}
			put = append(put, row)
		}
		if len(put) == 0 {
			return nil
		}
		return tx.SaveVerdicts(ctx, d.tenant, by, put, nil)
	})
}
