package engine

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"bonafide"
	"bonafide/store"
)

// How often retention is looked at, and how many people are erased at a time.
const (
	retainEvery = time.Hour
	retainSome  = 100
)

// retain erases people whose complaints ended long ago, where the tenant wants it. Who
// stands in a ring that is proposed or confirmed is kept: it is evidence.
func (e *Engine) retain(ctx context.Context) error {
	for {
		var tenants []store.TenantRow
		if err := e.cfg.DB.View(ctx, func(tx *store.Tx) (err error) { tenants, err = tx.Tenants(ctx); return err }); err != nil && ctx.Err() == nil {
			e.cfg.Log.WarnContext(ctx, "list tenants", slog.Any("err", err))
		}
		for _, t := range tenants {
			if err := e.dropUploads(ctx, t.ID); err != nil && ctx.Err() == nil {
				e.cfg.Log.WarnContext(ctx, "drop files that nobody started", slog.Any("tenant", t.ID), slog.Any("err", err))
			}
			if err := e.Retain(ctx, t.ID); err != nil && ctx.Err() == nil {
				e.cfg.Log.WarnContext(ctx, "retention", slog.Any("tenant", t.ID), slog.Any("err", err))
			}
		}
		if n, err := e.Sweep(ctx); err != nil && ctx.Err() == nil {
			e.cfg.Log.WarnContext(ctx, "sweep evidence", slog.Any("err", err))
		} else if n > 0 {
			e.cfg.Log.InfoContext(ctx, "swept files that nobody registered", slog.Int("files", n))
		}
		if !sleep(ctx, retainEvery) {
			return nil
		}
	}
}

// uploadLife is how long a file waits for somebody to start its import.
const uploadLife = 7 * 24 * time.Hour

// dropUploads ends imports that nobody started, and with them their files.
func (e *Engine) dropUploads(ctx context.Context, t bonafide.Tenant) error {
	return e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Lock(ctx, t); err != nil {
			return err
		}
		all, err := tx.Imports(ctx, t, 1000)
		if err != nil {
			return err
		}
		for _, m := range all {
			if m.State != store.ImportOpen || e.cfg.Now().Sub(m.At) < uploadLife {
				continue
			}
			m.State = store.ImportStopped
			m.Version++
			if err := tx.SaveImport(ctx, t, bonafide.System("retention"), m); err != nil {
				return err
			}
		}
		return nil
	})
}

// errStays says that a person's data is kept after all.
var errStays = errors.New("the person's data is kept")

// Retain erases what the tenant's retention says, now.
func (e *Engine) Retain(ctx context.Context, t bonafide.Tenant) error {
	after := ""
	for ctx.Err() == nil {
		var some []store.Retiree
		var before time.Time
		err := e.cfg.DB.View(ctx, func(tx *store.Tx) error {
			some = nil
			settings, err := tx.Settings(ctx, t)
			if err != nil {
				return err
			}
			days, err := strconv.Atoi(settings[store.RetentionDays])
			if err != nil || days <= 0 {
				return nil //nolint:nilerr // it is kept
			}
			before = e.cfg.Now().AddDate(0, 0, -days)
			some, err = tx.Retired(ctx, t, before, after, retainSome)
			return err
		})
		if err != nil || len(some) == 0 {
			return err
		}
		for _, p := range some {
			after = p.Subject
			// Under the lock it is asked again: somebody may have handed in a complaint since.
			still := func(tx *store.Tx) error {
				yes, err := tx.Retires(ctx, t, before, p.Subject)
				if err == nil && !yes {
					err = errStays
				}
				return err
			}
			err := e.erase(ctx, t, bonafide.System("retention"), "", p.Complaint, "retention", still, func(*store.Tx, string, []string) error { return nil })
			if err != nil && !errors.Is(err, bonafide.NotFound) && !errors.Is(err, errStays) && !errors.As(err, new(*heldError)) {
				return err
			}
		}
		if len(some) < retainSome {
			return nil
		}
	}
	return ctx.Err()
}
