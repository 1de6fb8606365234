package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"bonafide"
	"bonafide/pipeline"
	"bonafide/store"
)

// A Submission is one complaint handed in.
type Submission struct {
	Complaint *bonafide.Complaint
	Once      *Once // nil: the id of the complaint alone tells a repetition
	// History says that the complaint was answered before it came here: no clock of it
	// runs.
	History bool
}

// Once makes a request give the same answer each time it is sent.
type Once struct {
	Key    string
	Digest []byte // of the request's body
	// Answer renders what is answered, to be stored with the complaint.
	Answer func(Receipt) store.Answer
}

// A Receipt says what became of a submission. It is given once the complaint is
// durable.
type Receipt struct {
	ID        string
	Status    bonafide.PutStatus
	Seq       int64
	Screening *bonafide.Screening // nil where it was here before, or is to be screened
	Queued    bool                // stored, and a job will screen it
	Msg       string              // why, for a conflict
	Replayed  *store.Answer       // the stored answer of the same request
}

// ticket is what one call of Submit waits for.
type ticket struct {
	by    bonafide.Actor
	items []item
	done  chan error
}

// item is one complaint on its way.
type item struct {
	Submission
	reduced pipeline.Reduced
	row     store.NewComplaint
	receipt Receipt
}

// Submit stores complaints, each compared with all before it, and returns when all
// are durable. Repetitions and conflicts are receipts, not errors; an error
// means that nothing is known of any: send them again.
func (e *Engine) Submit(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, in []Submission) ([]Receipt, error) {
	if len(in) == 0 {
		return nil, nil
	}
	d, err := e.desk(ctx, t)
	if err != nil {
		return nil, err
	}
	tk := &ticket{by: by, items: make([]item, len(in)), done: make(chan error, 1)}
	if err := d.prepare(ctx, tk, in); err != nil {
		return nil, err
	}
	select {
	case d.queue <- tk:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case err = <-tk.done:
	case <-ctx.Done():
		return nil, ctx.Err() // it may be stored all the same
	}
	if err != nil {
		return nil, err
	}
	out := make([]Receipt, len(in))
	for i := range tk.items {
		out[i] = tk.items[i].receipt
	}
	return out, nil
}

// prepare does what needs no lock: reducing, hashing, writing out.
func (d *desk) prepare(ctx context.Context, tk *ticket, in []Submission) error {
	one := func(i int) error {
		it := &tk.items[i]
		it.Submission = in[i]
		c := in[i].Complaint
		body, err := json.Marshal(c)
		if err != nil {
			return fmt.Errorf("write complaint: %w", err)
		}
		if it.reduced, err = d.live.Reduce(ctx, c); err != nil {
			return err
		}
		it.receipt.ID = c.ID
		it.row = store.NewComplaint{
			ID: c.ID, Received: c.Received, Channel: string(c.Channel),
			Digest: d.live.Keeper().Digest(body), Body: body, Trace: it.reduced.Marshal(),
		}
		if key := it.reduced.Self(); key != 0 {
			it.row.Subject = hexKey(key)
		}
		track, day := d.startTrack(c, in[i].History, d.cfg.Now().UTC())
		it.row.Track, it.row.Day, it.row.Region = &track, day, c.Customer.Region
		return nil
	}
	if len(in) < 8 {
		for i := range in {
			if err := one(i); err != nil {
				return err
			}
		}
		return nil
	}
	const workers = 2
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(in) && errs[w] == nil; i += workers {
				errs[w] = one(i)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// commitLoop stores what waits, one transaction for all of it: group commit.
func (d *desk) commitLoop(ctx context.Context) error {
	var held *ticket // did not fit into the last transaction
	for {
		var batch []*ticket
		var n int
		if held != nil {
			batch, n, held = append(batch, held), len(held.items), nil
		} else {
			select {
			case <-ctx.Done():
				return d.refuse()
			case tk := <-d.queue:
				batch, n = append(batch, tk), len(tk.items)
			}
		}
	drain:
		for n < d.cfg.Batch {
			select {
			case tk := <-d.queue:
				if n+len(tk.items) > d.cfg.Batch {
					held = tk
					break drain
				}
				batch, n = append(batch, tk), n+len(tk.items)
			default:
				break drain
			}
		}
		// What is taken is stored even while the program is stopping.
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitWithin)
		d.commit(end, batch)
		cancel()
	}
}

// commitWithin bounds one transaction of intake: longer than any that works.
const commitWithin = 30 * time.Second

// refuse answers what still waits when the program stops: nothing of it is stored.
func (d *desk) refuse() error {
	for {
		select {
		case tk := <-d.queue:
			tk.done <- &bonafide.Error{Kind: bonafide.Busy, Msg: "the program is stopping: send it again"}
		default:
			return nil
		}
	}
}

// commit stores a batch, and answers every ticket of it. Where the batch fails for
// something in it, each ticket is tried alone.
func (d *desk) commit(ctx context.Context, batch []*ticket) {
	start := d.cfg.Now()
	d.storing.Store(true)
	n, err := d.store(ctx, batch, false)
	if errors.Is(err, bonafide.Conflict) { // an id that the memory does not know: ask the store
		n, err = d.store(ctx, batch, true)
	}
	d.busy.Store(d.cfg.Now().UnixNano())
	d.storing.Store(false)
	if err == nil && d.cfg.Observe != nil {
		d.cfg.Observe.Committed(n, d.cfg.Now().Sub(start))
	}
	if err != nil && len(batch) > 1 && !errors.Is(err, bonafide.Busy) {
		for _, tk := range batch {
			_, err := d.store(ctx, []*ticket{tk}, true)
			tk.done <- err
		}
		return
	}
	for _, tk := range batch {
		tk.done <- err
	}
}

// store runs the transaction of a batch and returns how many complaints are new. With
// ask, the store is asked which ids it has, also where the memory has none of them.
func (d *desk) store(ctx context.Context, batch []*ticket, ask bool) (int, error) {
	d.feed.Lock()
	defer d.feed.Unlock()
	var fresh []*item
	next := d.next
	err := d.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		fresh = fresh[:0] // Update may run this again
		head, err := tx.Lock(ctx, d.tenant)
		if err != nil {
			return err
		}
		ready := d.ready.Load()
		if ready && head.Complaints > d.live.Last() { // others stored something
			if err := d.read(ctx, tx, head.Complaints); err != nil {
				// Stored now, screened by a job: a complaint is never held up for it.
				d.cfg.Log.ErrorContext(ctx, "read what others stored", slog.Any("tenant", d.tenant), slog.Any("err", err))
				ready = false
			}
		}
		groups, err := d.classify(ctx, tx, batch, ask || !ready)
		if err != nil {
			return err
		}
		for _, g := range groups {
			fresh = append(fresh, g.items...)
		}
		if len(fresh) == 0 {
			return nil
		}
		d.screen(ctx, head.Complaints+1, fresh, ready)
		for _, g := range groups {
			rows := make([]store.NewComplaint, len(g.items))
			for i, it := range g.items {
				if it.Once != nil {
					a := it.Once.Answer(it.receipt)
					it.row.Key = &a
				}
				rows[i] = it.row
			}
			if _, err := tx.AddComplaints(ctx, d.tenant, g.by, rows); err != nil {
				return err
			}
		}
		// A job that this process enqueued and that is not due yet most likely still waits;
		// followLoop makes sure.
		if now := d.cfg.Now(); !now.Before(d.next) {
			next = now.Add(d.wait())
			return tx.Enqueue(ctx, store.Job{Tenant: d.tenant, Kind: jobCluster, Due: next})
		}
		return nil
	})
	if err != nil || len(fresh) == 0 {
		return 0, err
	}
	d.unsure = next.Equal(d.next)
	d.next = next
	if d.ready.Load() && d.live.Last() == fresh[0].receipt.Seq-1 {
		kept := make([]pipeline.Reduced, len(fresh))
		for i, it := range fresh {
			kept[i] = it.reduced
		}
		d.live.Keep(fresh[0].receipt.Seq, kept)
	}
	return len(fresh), nil
}

// byActor are the new complaints of one actor in a batch, in order.
type byActor struct {
	by    bonafide.Actor
	items []*item
}

// classify tells new complaints from repetitions and conflicts.
func (d *desk) classify(ctx context.Context, tx *store.Tx, batch []*ticket, ask bool) ([]byActor, error) {
	var ids []string
	for _, tk := range batch {
		for i := range tk.items {
			ids = append(ids, tk.items[i].Complaint.ID)
			ask = ask || d.live.Met(tk.items[i].Complaint.ID)
		}
	}
	known := map[string][]byte{}
	if ask {
		var err error
		if known, err = tx.Known(ctx, d.tenant, ids); err != nil {
			return nil, err
		}
	}
	var groups []byActor
	for _, tk := range batch {
		for i := range tk.items {
			it := &tk.items[i]
			it.receipt = Receipt{ID: it.Complaint.ID}
			if it.Once != nil {
				a, err := tx.Answer(ctx, d.tenant, tk.by.ID, it.Once.Key)
				if err == nil {
					it.replay(a)
					continue
				}
				if !errors.Is(err, bonafide.NotFound) {
					return nil, err
				}
			}
			if digest, ok := known[it.Complaint.ID]; ok {
				it.receipt.Status = bonafide.PutUnchanged
				if !bytes.Equal(digest, it.row.Digest) {
					it.receipt.Status = bonafide.PutConflict
					it.receipt.Msg = "a complaint with this id and another content is stored already: give every complaint its own id"
				}
				continue
			}
			known[it.Complaint.ID] = it.row.Digest
			it.receipt.Status = bonafide.PutCreated
			at := -1
			for k := range groups {
				if groups[k].by.ID == tk.by.ID {
					at = k
				}
			}
			if at < 0 {
				groups, at = append(groups, byActor{by: tk.by}), len(groups)
			}
			groups[at].items = append(groups[at].items, it)
		}
	}
	return groups, nil
}

// replay answers a request that was answered before.
func (it *item) replay(a store.Answer) {
	it.receipt.Replayed = &a
	it.receipt.Status = bonafide.PutUnchanged
	if !bytes.Equal(a.Digest, it.Once.Digest) {
		it.receipt.Status, it.receipt.Replayed = bonafide.PutConflict, nil
		it.receipt.Msg = "this Idempotency-Key was used with another body: use a new key for a new request"
	}
}

// screen compares the new complaints with all before them. What cannot be screened
// now is left to a job: a complaint is never held up for it.
func (d *desk) screen(ctx context.Context, first int64, fresh []*item, ready bool) {
	batch := make([]pipeline.Reduced, len(fresh))
	for i, it := range fresh {
		it.receipt.Seq = first + int64(i)
		it.receipt.Queued, it.row.Screening, it.row.Key = true, nil, nil
		batch[i] = it.reduced
	}
	if !ready {
		return
	}
	now := d.cfg.Now().UTC()
	all, err := d.screened(ctx, first, batch)
	if err != nil {
		d.cfg.Log.ErrorContext(ctx, "screen", slog.Any("tenant", d.tenant), slog.Any("first", first), slog.Any("err", err))
		return
	}
	for i, it := range fresh {
		s := all[i]
		s.At = now
		body, err := json.Marshal(s)
		if err != nil {
			d.cfg.Log.ErrorContext(ctx, "write screening", slog.Any("tenant", d.tenant), slog.Any("seq", s.Seq), slog.Any("err", err))
			continue
		}
		it.row.Screening, it.receipt.Screening, it.receipt.Queued = body, &s, false
	}
}

// screened is Live.Screen, a fault in which is an error and not the end.
func (d *desk) screened(ctx context.Context, first int64, batch []pipeline.Reduced) (all []bonafide.Screening, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("screening stopped: %v", p)
		}
	}()
	return d.live.Screen(ctx, first, batch)
}
