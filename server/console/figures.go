package console

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"bonafide"
	"bonafide/store"
)

// figures are counts over everything, which take a while to make: they are made in the
// background for tenants whose dashboard somebody looks at, and kept.
type figures struct {
	mu   sync.Mutex
	of   map[bonafide.Tenant]*counted
	wake chan struct{}
}

type counted struct {
	store.Figures
	At     time.Time
	Took   time.Duration
	wanted time.Time // when somebody last looked
}

func newFigures() *figures {
	return &figures{of: map[bonafide.Tenant]*counted{}, wake: make(chan struct{}, 1)}
}

// want returns the figures of a tenant as they were made last; ok is false before that.
func (f *figures) want(t bonafide.Tenant, now time.Time) (c counted, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of[t] == nil {
		f.of[t] = &counted{}
		select {
		case f.wake <- struct{}{}:
		default:
		}
	}
	f.of[t].wanted = now
	return *f.of[t], !f.of[t].At.IsZero()
}

// How often figures are made: counting takes a twentieth of the time at most.
const (
	figuresEvery = 15 * time.Second
	figuresShare = 20
	figuresFor   = 10 * time.Minute // after somebody last looked
)

// Run makes figures until ctx ends.
func (k *Console) Run(ctx context.Context) error {
	t := time.NewTicker(figuresEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		case <-k.figures.wake:
		}
		for _, tenant := range k.figures.due(k.Now()) {
			start := k.Now()
			var made store.Figures
			err := k.Store.View(ctx, func(tx *store.Tx) (err error) {
				made, err = tx.Figures(ctx, tenant, start, start.AddDate(0, 0, -chartDays))
				return err
			})
			if err != nil {
				if ctx.Err() == nil {
					k.Log.WarnContext(ctx, "count figures", slog.Any("tenant", tenant), slog.Any("err", err))
				}
				continue
			}
			k.figures.put(tenant, made, start, k.Now().Sub(start))
		}
	}
}

// due lists the tenants whose figures are old and looked at.
func (f *figures) due(now time.Time) []bonafide.Tenant {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []bonafide.Tenant
	for t, c := range f.of {
		if now.Sub(c.wanted) < figuresFor && now.Sub(c.At) >= max(figuresEvery, figuresShare*c.Took) {
			out = append(out, t)
		}
	}
	return out
}

func (f *figures) put(t bonafide.Tenant, made store.Figures, at time.Time, took time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.of[t]
	c.Figures, c.At, c.Took = made, at, took
}
