package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"bonafide"
	"bonafide/pipeline"
	"bonafide/store"
)

// A desk is the engine's work for one tenant.
type desk struct {
	*Engine
	tenant bonafide.Tenant
	live   *pipeline.Live
	queue  chan *ticket
	ready  atomic.Bool
	total  atomic.Int64
	heard  int64 // the last event looked at; under listening

	listening sync.Mutex
	busy      atomic.Int64 // when complaints were stored last, in Unix nanoseconds
	storing   atomic.Bool

	// feed is held by whoever adds to live, from looking at what is stored to adding.
	feed sync.Mutex
	next time.Time // when the cluster job that was enqueued last is due
	// unsure says that complaints were stored since then, whose job may have been taken
	// early by another process.
	unsure bool

	took     atomic.Int64 // of the last grouping, in nanoseconds
	erased   atomic.Int64 // complaints that were dropped from memory
	rounds   rounds       // of the cluster job, one at a time
	settling settled      // of the same
	exempt   []string     // complaints whose appeals were upheld; of the same
	known    int64        // the stamp of what is known of complaints; of the same
	knownAt  time.Time    // when that was read; of the same
	weighing weighing     // of the same
	muted    []string     // kinds of evidence that audits switched off; of the same
	ruling   ruling       // of the same
}

// open makes the desk of a tenant that is stored.
func (e *Engine) open(ctx context.Context, t bonafide.Tenant) (*desk, error) {
	d := &desk{Engine: e, tenant: t, queue: make(chan *ticket, 1024)}
	var secret []byte
	err := e.cfg.DB.View(ctx, func(tx *store.Tx) (err error) {
		if secret, err = tx.Secret(ctx, t); err != nil {
			return err
		}
		n, err := tx.CountComplaints(ctx, t)
		d.total.Store(n)
		if err != nil {
			return err
		}
		// What was erased until now has no trace; what is erased from now on is an event.
		d.heard, err = tx.CountEvents(ctx, t)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open tenant: %w", err)
	}
	d.live = pipeline.NewLive(pipeline.Config{
		Version: e.cfg.Version, Normalize: e.cfg.Normalize, Secret: secret,
		Policy: e.cfg.Policy, Public: e.cfg.Public, Workers: e.cfg.Workers, Pause: d.giveWay,
	}, int(d.total.Load()))
	return d, nil
}

// How groupings give way to complaints that arrive: while there are any, they work about
// a quarter of the time.
const (
	busyFor = 50 * time.Millisecond // after a commit
	makeWay = 3 * time.Millisecond
)

// giveWay holds a grouping up while complaints arrive.
func (d *desk) giveWay() {
	if d.isBusy() {
		time.Sleep(makeWay)
	}
}

// isBusy reports whether complaints are being stored, or were a moment ago.
func (d *desk) isBusy() bool {
	return d.storing.Load() || d.cfg.Now().UnixNano()-d.busy.Load() < int64(busyFor)
}

// update is a transaction of settling. While complaints arrive it is followed by a rest
// three times as long: they need the database too.
func (d *desk) update(ctx context.Context, fn func(*store.Tx) error) error {
	start := d.cfg.Now()
	err := d.cfg.DB.Update(ctx, fn)
	if d.isBusy() {
		sleep(ctx, min(3*d.cfg.Now().Sub(start), time.Second))
	}
	return err
}

// follow is how often a process looks for what others stored.
const follow = 250 * time.Millisecond

// followLoop fills the memory from the store, and then keeps up with what other
// processes store.
func (d *desk) followLoop(ctx context.Context) error {
	start := d.cfg.Now()
	for {
		err := d.catchUp(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			d.cfg.Log.WarnContext(ctx, "follow the store", slog.Any("tenant", d.tenant), slog.Any("err", err))
			err = nil
		case !d.ready.Swap(true):
			d.cfg.Log.InfoContext(ctx, "ready", slog.Any("tenant", d.tenant), slog.Any("complaints", d.live.Last()), slog.Any("took", d.cfg.Now().Sub(start).Round(time.Millisecond)))
			err = d.enqueueCluster(ctx)
			d.startClocks(ctx)
		default:
			err = d.makeSure(ctx)
		}
		if err != nil && ctx.Err() == nil {
			d.cfg.Log.WarnContext(ctx, "enqueue a grouping", slog.Any("tenant", d.tenant), slog.Any("err", err))
		}
		if !sleep(ctx, follow) {
			return nil
		}
	}
}

// makeSure enqueues a grouping for complaints that were stored without.
func (d *desk) makeSure(ctx context.Context) error {
	d.feed.Lock()
	late := d.unsure && !d.cfg.Now().Before(d.next)
	d.feed.Unlock()
	if !late {
		return nil
	}
	if err := d.enqueueCluster(ctx); err != nil {
		return err
	}
	d.feed.Lock()
	d.unsure = false
	d.feed.Unlock()
	return nil
}

func (d *desk) enqueueCluster(ctx context.Context) error {
	defer d.wake()
	return d.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		return tx.Enqueue(ctx, store.Job{Tenant: d.tenant, Kind: jobCluster, Due: d.cfg.Now()})
	})
}

// catchUp adds what is stored and not in memory. Until the desk is ready nobody
// else adds, and the lock is left alone: complaints are stored meanwhile.
func (d *desk) catchUp(ctx context.Context) error {
	d.listening.Lock()
	defer d.listening.Unlock()
	var last int64
	var events []bonafide.Event
	err := d.cfg.DB.View(ctx, func(tx *store.Tx) (err error) {
		if last, err = tx.CountComplaints(ctx, d.tenant); err != nil {
			return err
		}
		events, err = tx.Events(ctx, d.tenant, d.heard, 1000)
		return err
	})
	if err != nil {
		return err
	}
	if d.ready.Load() {
		d.listen(events)
	}
	if last <= d.live.Last() {
		return nil
	}
	if d.ready.Load() {
		d.feed.Lock()
		defer d.feed.Unlock()
	}
	return d.cfg.DB.View(ctx, func(tx *store.Tx) error { return d.read(ctx, tx, last) })
}

// Fill reads what is stored of a tenant's complaints into memory, for an engine that does
// not run.
func (e *Engine) Fill(ctx context.Context, t bonafide.Tenant) error {
	d, err := e.desk(ctx, t)
	if err != nil {
		return err
	}
	return d.catchUp(ctx)
}

// read adds the complaints after those in memory, up to last.
func (d *desk) read(ctx context.Context, tx *store.Tx, last int64) error {
	const part = 512
	var batch []pipeline.Reduced
	first := d.live.Last() + 1
	next := first
	for tr, err := range tx.AllTraces(ctx, d.tenant, d.live.Last()) {
		if err != nil {
			return err
		}
		if tr.Seq > last {
			break
		}
		r, err := pipeline.ParseReduced(tr.Body)
		if err != nil {
			if r, err = d.anew(ctx, tx, tr.ID); err != nil {
				// The complaint stays stored; it is compared with nobody.
				d.cfg.Log.ErrorContext(ctx, "a trace cannot be read", slog.Any("tenant", d.tenant), slog.Any("seq", tr.Seq), slog.Any("err", err))
				continue
			}
		}
		if tr.Seq != next || len(batch) == part {
			d.live.Keep(first, batch)
			first, batch = tr.Seq, batch[:0]
		}
		batch = append(batch, r)
		next = tr.Seq + 1
	}
	if len(batch) > 0 {
		d.live.Keep(first, batch)
	}
	d.live.Skip(last)
	return nil
}

// anew reduces a complaint again whose trace another version of the program wrote, or
// that was damaged.
func (d *desk) anew(ctx context.Context, tx *store.Tx, id string) (pipeline.Reduced, error) {
	row, err := tx.Complaint(ctx, d.tenant, id)
	if err != nil {
		return pipeline.Reduced{}, err
	}
	var c bonafide.Complaint
	if err := json.Unmarshal(row.Body, &c); err != nil {
		return pipeline.Reduced{}, fmt.Errorf("read complaint: %w", err)
	}
	return d.live.Reduce(ctx, &c)
}

// listen hears from events what other processes erased.
func (d *desk) listen(events []bonafide.Event) {
	var gone []string
	for _, ev := range events {
		if ev.Type == bonafide.ComplaintErased {
			gone = append(gone, ev.Target.ID)
		}
		d.heard = max(d.heard, ev.Seq)
	}
	d.forget(gone)
}

func (d *desk) forget(ids []string) {
	if len(ids) == 0 {
		return
	}
	d.feed.Lock()
	defer d.feed.Unlock()
	d.live.Forget(ids)
	d.erased.Add(int64(len(ids)))
}
