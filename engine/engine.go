package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"bonafide"
	"bonafide/casework"
	"bonafide/evidence/custody"
	"bonafide/normalize"
	"bonafide/pipeline"
	"bonafide/policy"
	"bonafide/signal/text"
	"bonafide/store"

	"golang.org/x/mod/sumdb/tlog"
	"golang.org/x/sync/errgroup"
)

// Config says how an engine works.
type Config struct {
	DB        *store.DB
	Now       func() time.Time
	Log       *slog.Logger
	Version   string
	Normalize normalize.Config
	Policy    *policy.Pack   // where the tenant has put none of its own in force
	Clocks    *casework.Pack // of complaints that are stored from now on
	Public    []text.Public
	Batch     int           // complaints in one transaction at most; 0 means 256
	Workers   int           // goroutines that group; 0 means half of the cores
	Settle    time.Duration // the least time from a complaint to the next grouping; 0 means a second
	Small     int           // complaints up to which everything is joined each time; 0 means 20,000
	Observe   Observer      // may be nil
	Random    io.Reader     // of the secrets of questions to customers
	Sender    Sender        // of these questions; nil where none can be sent
	PublicURL string        // where customers reach the program

	Lender   string          // its name, in packs
	Keeper   *custody.Keeper // of evidence; nil where there is no place for it
	ItemMost int64           // bytes of the largest file that is taken in; 0 means 8 GiB
	LogKey   string          // verifies checkpoints
	// Sign signs what a tenant's log is; nil where nothing can be sealed.
	Sign   func(t bonafide.Tenant, tree tlog.Tree, at time.Time) ([]byte, error)
	Origin func(t bonafide.Tenant) string // what checkpoints call the log of a tenant
	// Stamp has an authority stamp bytes with the time; nil where there is none. StampRoots
	// are its certificates, in PEM.
	Stamp      func(ctx context.Context, data []byte) ([]byte, error)
	StampRoots []byte
}

// An Observer is told how long things took, for metrics.
type Observer interface {
	Committed(complaints int, took time.Duration) // one transaction
	Grouped(complaints int, took time.Duration)
}

// An Engine works for every tenant of one database. Any number of processes may run
// one on the same database.
type Engine struct {
	cfg   Config
	owner string // of the jobs claimed by this process
	nudge chan struct{}

	working atomic.Int64 // jobs claimed and not done

	mu    sync.Mutex
	desks map[bonafide.Tenant]*desk
	run   *errgroup.Group // while Run runs
	ctx   context.Context
}

// DefaultClocks is the pack whose clocks run where a Config names none.
const DefaultClocks = "cn-nfra"

// New returns an engine that does nothing until Run.
func New(cfg Config) *Engine {
	cfg.Batch = cmp.Or(cfg.Batch, 256)
	cfg.Settle = cmp.Or(cfg.Settle, time.Second)
	cfg.Small = cmp.Or(cfg.Small, 20_000)
	if cfg.Clocks == nil {
		var err error
		if cfg.Clocks, err = casework.Load(DefaultClocks); err != nil {
			panic(err) // it is built in
		}
	}
	return &Engine{cfg: cfg, owner: cfg.DB.NewID(), nudge: make(chan struct{}, 1), desks: map[bonafide.Tenant]*desk{}}
}

// Run works until ctx ends, then returns its jobs to the others. It MUST be called once.
func (e *Engine) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	e.mu.Lock()
	e.run, e.ctx = g, ctx
	for _, d := range e.desks {
		e.start(d)
	}
	e.mu.Unlock()
	g.Go(func() error { return e.discover(ctx) })
	g.Go(func() error { return e.work(ctx) })
	err := g.Wait()
	// The jobs go back at once; without this they would when their lease ends.
	back, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if rerr := e.cfg.DB.Release(back, e.owner); rerr != nil && err == nil {
		err = rerr
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// discover opens a desk for every tenant there is, also those added later.
func (e *Engine) discover(ctx context.Context) error {
	for {
		var tenants []store.TenantRow
		err := e.cfg.DB.View(ctx, func(tx *store.Tx) (err error) { tenants, err = tx.Tenants(ctx); return err })
		if err != nil && ctx.Err() == nil {
			e.cfg.Log.WarnContext(ctx, "list tenants", slog.Any("err", err))
		}
		for _, t := range tenants {
			if _, err := e.desk(ctx, t.ID); err != nil && ctx.Err() == nil {
				e.cfg.Log.WarnContext(ctx, "open tenant", slog.Any("tenant", t.ID), slog.Any("err", err))
			}
		}
		if !sleep(ctx, 2*time.Second) {
			return nil
		}
	}
}

// desk returns the desk of a tenant, opened and started where it is new.
func (e *Engine) desk(ctx context.Context, t bonafide.Tenant) (*desk, error) {
	e.mu.Lock()
	d := e.desks[t]
	e.mu.Unlock()
	if d != nil {
		return d, nil
	}
	d, err := e.open(ctx, t)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if have := e.desks[t]; have != nil {
		return have, nil
	}
	e.desks[t] = d
	if e.run != nil {
		e.start(d)
	}
	return d, nil
}

func (e *Engine) start(d *desk) {
	ctx := e.ctx
	e.run.Go(func() error { return d.commitLoop(ctx) })
	e.run.Go(func() error { return d.followLoop(ctx) })
	e.run.Go(func() error { return d.meritLoop(ctx) })
}

// A Status says how far the memory of one tenant is filled.
type Status struct {
	Tenant bonafide.Tenant
	Ready  bool  // every complaint is compared as it arrives
	Loaded int64 // complaints in memory
	Total  int64 // complaints stored when loading began
}

// Status lists every tenant's.
func (e *Engine) Status() []Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]Status, 0, len(e.desks))
	for _, d := range e.desks {
		out = append(out, Status{Tenant: d.tenant, Ready: d.ready.Load(), Loaded: d.live.Last(), Total: d.total.Load()})
	}
	slices.SortFunc(out, func(a, b Status) int { return cmp.Compare(a.Tenant, b.Tenant) })
	return out
}

// Targets returns what tags could stand on that belongs to the identifiers, the
// customer number and the complaint given. What identifies nobody is left out.
func (e *Engine) Targets(ctx context.Context, t bonafide.Tenant, ids []bonafide.Identifier, customerRef, complaint string) ([]bonafide.Target, error) {
	d, err := e.desk(ctx, t)
	if err != nil {
		return nil, err
	}
	var out []bonafide.Target
	k := d.live.Keeper()
	for _, id := range ids {
		if x, ok := k.Filed(id); ok {
			out = append(out, identifierTarget(x))
		}
	}
	if key := k.Self(&bonafide.Customer{Ref: customerRef}); key != 0 {
		out = append(out, bonafide.Target{Kind: bonafide.OnCustomer, ID: hexKey(key)})
	}
	if complaint != "" {
		out = append(out, bonafide.Target{Kind: bonafide.OnComplaint, ID: complaint})
	}
	return out, nil
}

func identifierTarget(x pipeline.SharedKey) bonafide.Target {
	return bonafide.Target{Kind: bonafide.OnIdentifier, ID: x.Kind + ":" + hexKey(x.Key)}
}

func hexKey(k bonafide.Key) string { return fmt.Sprintf("%016x", uint64(k)) }

// Subject names the person under whose key a customer's values are sealed; "" where
// nothing tells who it is.
func (e *Engine) Subject(ctx context.Context, t bonafide.Tenant, c *bonafide.Customer) (string, error) {
	d, err := e.desk(ctx, t)
	if err != nil {
		return "", err
	}
	if key := d.live.Keeper().Self(c); key != 0 {
		return hexKey(key), nil
	}
	return "", nil
}

// Digest returns the tenant's keyed hash of content.
func (e *Engine) Digest(ctx context.Context, t bonafide.Tenant, content []byte) ([]byte, error) {
	d, err := e.desk(ctx, t)
	if err != nil {
		return nil, err
	}
	return d.live.Keeper().Digest(content), nil
}

// sleep waits and reports whether ctx still runs.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
