package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"time"

	"bonafide"
	"bonafide/store"
)

// The kinds of job of an engine.
const (
	jobScreen   = "screen"   // arg: the complaint's place
	jobCluster  = "cluster"  // join all evidence of a tenant anew, and settle
	jobBacktest = "backtest" // arg: a policy's id
	jobImport   = "import"   // arg: an import's id
)

// How jobs are claimed.
const (
	poll        = 200 * time.Millisecond
	lease       = 20 * time.Second // and is renewed while the process works, however long that takes
	screenBatch = 64
	maxAttempts = 20
)

// work runs jobs, those of one kind after another: groupings in one goroutine,
// screenings and upkeep in another, so that neither waits for the other.
func (e *Engine) work(ctx context.Context) error {
	e.mu.Lock()
	run := e.run
	e.mu.Unlock()
	run.Go(func() error { return e.jobs(ctx, jobCluster, 1, e.cluster) })
	run.Go(func() error { return e.jobs(ctx, jobBacktest, 1, e.backtest) })
	run.Go(func() error { return e.jobs(ctx, jobImport, 1, e.importFile) })
	run.Go(func() error { return e.upkeep(ctx) })
	run.Go(func() error { return e.retain(ctx) })
	run.Go(func() error { return e.watch(ctx) })
	run.Go(func() error { return e.renew(ctx) })
	return e.jobs(ctx, jobScreen, screenBatch, e.screenLate)
}

// wake makes the workers look for jobs now.
func (e *Engine) wake() {
	select {
	case e.nudge <- struct{}{}:
	default:
	}
}

// jobs claims and runs jobs of one kind until ctx ends.
func (e *Engine) jobs(ctx context.Context, kind string, limit int, do func(context.Context, []store.Job) error) error {
	for {
		if !e.ready() { // another process does them meanwhile
			if !sleep(ctx, poll) {
				return nil
			}
			continue
		}
		claimed, err := e.cfg.DB.Claim(ctx, e.owner, []string{kind}, e.cfg.Now(), lease, limit)
		if err != nil && ctx.Err() == nil {
			e.cfg.Log.WarnContext(ctx, "claim jobs", slog.Any("kind", kind), slog.Any("err", err))
		}
		e.working.Add(int64(len(claimed)))
		err = e.doAll(ctx, claimed, do)
		for _, j := range claimed {
			switch {
			case err == nil:
			case ctx.Err() != nil:
				return nil // released by Run
			case errors.Is(err, bonafide.Conflict):
				e.cfg.Log.WarnContext(ctx, "job was taken over", slog.Any("kind", kind), slog.Any("job", j.ID))
			default:
				e.later(ctx, j, err)
			}
			e.working.Add(-1)
		}
		if len(claimed) > 0 {
			continue
		}
		t := time.NewTimer(poll)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-e.nudge:
		case <-t.C:
		}
		t.Stop()
	}
}

// errTooOften buries a job that took its process down, or failed, again and again.
var errTooOften = errors.New("tried too often")

// ready reports whether every tenant's complaints are in memory.
func (e *Engine) ready() bool {
	for _, s := range e.Status() {
		if !s.Ready {
			return false
		}
	}
	return true
}

// doAll runs jobs together, a fault in which is an error and not the end.
func (e *Engine) doAll(ctx context.Context, js []store.Job, do func(context.Context, []store.Job) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("job stopped: %v", p)
		}
	}()
	if len(js) == 0 {
		return nil
	}
	if slices.ContainsFunc(js, func(j store.Job) bool { return j.Attempt > maxAttempts }) {
		return errTooOften
	}
	return do(ctx, js)
}

// later gives a job that failed back, to be tried again after a while that doubles.
func (e *Engine) later(ctx context.Context, j store.Job, why error) {
	e.cfg.Log.ErrorContext(ctx, "job failed", slog.Any("kind", j.Kind), slog.Any("job", j.ID), slog.Any("tenant", j.Tenant), slog.Any("attempt", j.Attempt), slog.Any("err", why))
	var err error
	if j.Attempt >= maxAttempts {
		err = e.cfg.DB.Bury(ctx, j, e.owner, why.Error())
	} else {
		wait := min(time.Second<<min(j.Attempt, 10), 10*time.Minute)
		err = e.cfg.DB.Retry(ctx, j, e.owner, e.cfg.Now().Add(wait), why.Error())
	}
	if err != nil && ctx.Err() == nil {
		e.cfg.Log.WarnContext(ctx, "give a job back", slog.Any("job", j.ID), slog.Any("err", err))
	}
}

// screenLate screens complaints that were stored while that was not possible, those of
// a tenant in one transaction.
func (e *Engine) screenLate(ctx context.Context, js []store.Job) error {
	of := map[bonafide.Tenant][]store.Job{}
	for _, j := range js {
		of[j.Tenant] = append(of[j.Tenant], j)
	}
	for _, t := range slices.Sorted(maps.Keys(of)) {
		if err := e.screenTenant(ctx, t, of[t]); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) screenTenant(ctx context.Context, t bonafide.Tenant, js []store.Job) error {
	d, err := e.desk(ctx, t)
	if err != nil {
		return err
	}
	if err := d.catchUp(ctx); err != nil {
		return err
	}
	bodies := make([][]byte, len(js))
	done := make([]bonafide.Screening, len(js))
	for i, j := range js {
		place, err := strconv.ParseInt(j.Arg, 10, 64)
		if err != nil {
			return fmt.Errorf("screen job: %w", err)
		}
		s, err := d.live.ScreenKept(ctx, place)
		if errors.Is(err, bonafide.NotFound) {
			continue // erased since
		}
		if err != nil {
			return err
		}
		s.At = e.cfg.Now().UTC()
		done[i] = s
		if bodies[i], err = json.Marshal(s); err != nil {
			return fmt.Errorf("write screening: %w", err)
		}
	}
	return e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		for i, j := range js {
			if bodies[i] != nil {
				if err := tx.PutScreening(ctx, t, bonafide.System(jobScreen), done[i].Complaint, done[i].Seq, bodies[i]); err != nil {
					return err
				}
			}
			if err := tx.Finish(ctx, j, e.owner); err != nil {
				return err
			}
		}
		return nil
	})
}

// renew keeps the leases of jobs under way. When the process falls they end soon, and
// another does the work.
func (e *Engine) renew(ctx context.Context) error {
	for sleep(ctx, lease/4) {
		if e.working.Load() == 0 {
			continue
		}
		if err := e.cfg.DB.Renew(ctx, e.owner, e.cfg.Now().Add(lease)); err != nil && ctx.Err() == nil {
			e.cfg.Log.WarnContext(ctx, "renew leases", slog.Any("err", err))
		}
	}
	return nil
}

// upkeep lets tags expire and forgets old answers.
func (e *Engine) upkeep(ctx context.Context) error {
	for {
		if err := e.expire(ctx); err != nil && ctx.Err() == nil {
			e.cfg.Log.WarnContext(ctx, "expire tags", slog.Any("err", err))
		}
		if _, err := e.cfg.DB.PurgeAnswers(ctx, e.cfg.Now()); err != nil && ctx.Err() == nil {
			e.cfg.Log.WarnContext(ctx, "purge answers", slog.Any("err", err))
		}
		if !sleep(ctx, 30*time.Second) {
			return nil
		}
	}
}

// expire ends the tags whose time is over.
func (e *Engine) expire(ctx context.Context) error {
	for {
		n := 0
		now := e.cfg.Now()
		err := e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
			gone, err := tx.ExpireTags(ctx, now, 500)
			if err != nil {
				return err
			}
			n = len(gone)
			for _, x := range gone {
				if err := tx.Emit(ctx, x.Tenant, bonafide.Event{Type: bonafide.TagExpired, At: now, Target: x.Tag.Target, Ring: x.Tag.Ring, Reason: x.Tag.ID}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || n == 0 {
			return err
		}
	}
}
