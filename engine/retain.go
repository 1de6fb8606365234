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

// RetentionDays names the tenant's setting that says how many days after their last
// complaint has ended a person's data is erased. Absent or 0: it is kept.
const RetentionDays = "retention_days"

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
			if err := e.Retain(ctx, t.ID); err != nil && ctx.Err() == nil {
				e.cfg.Log.WarnContext(ctx, "retention", slog.Any("tenant", t.ID), slog.Any("err", err))
			}
		}
		if !sleep(ctx, retainEvery) {
			return nil
		}
	}
}

// Retain erases what the tenant's retention says, now.
func (e *Engine) Retain(ctx context.Context, t bonafide.Tenant) error {
	for ctx.Err() == nil {
		var ids []string
		err := e.cfg.DB.View(ctx, func(tx *store.Tx) error {
			ids = nil
			settings, err := tx.Settings(ctx, t)
			if err != nil {
				return err
			}
			days, err := strconv.Atoi(settings[RetentionDays])
			if err != nil || days <= 0 {
				return nil //nolint:nilerr // it is kept
			}
			ids, err = tx.Retired(ctx, t, e.cfg.Now().AddDate(0, 0, -days), retainSome)
			return err
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			err := e.Erase(ctx, t, bonafide.System("retention"), "", id, "retention", func(*store.Tx, string, []string) error { return nil })
			if err != nil && !errors.Is(err, bonafide.NotFound) {
				return err
			}
		}
		if len(ids) < retainSome {
			return nil
		}
	}
	return ctx.Err()
}
