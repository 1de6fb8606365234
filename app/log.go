package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"bonafide"
	"bonafide/evidence"
	"bonafide/store"
)

// checkpoints signs the logs until ctx ends.
func (a *App) checkpoints(ctx context.Context) error {
	every, err := time.ParseDuration(a.cfg.Checkpoint)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			if err := a.checkpoint(ctx); err != nil && ctx.Err() == nil {
				a.log.WarnContext(ctx, "sign the log", slog.Any("err", err))
			}
		}
	}
}

// checkpoint signs what every tenant's log is now, in the store and in a file beside
// it: copy the file to where the database's administrator cannot reach it.
func (a *App) checkpoint(ctx context.Context) error {
	var tenants []store.TenantRow
	if err := a.DB.View(ctx, func(tx *store.Tx) (err error) { tenants, err = tx.Tenants(ctx); return err }); err != nil {
		return err
	}
	var errs []error
	for _, t := range tenants {
		errs = append(errs, a.sign(ctx, t.ID))
	}
	return errors.Join(errs...)
}

func (a *App) sign(ctx context.Context, t bonafide.Tenant) error {
	now := time.Now().UTC()
	var text []byte
	err := a.DB.Update(ctx, func(tx *store.Tx) error {
		text = nil
		tree, err := tx.LogTree(ctx, t)
		if err != nil {
			return err
		}
		last, err := tx.Checkpoints(ctx, t)
		if err != nil {
			return err
		}
		if n := len(last); tree.N == 0 || n > 0 && last[n-1].Size >= tree.N {
			return nil
		}
		if text, err = evidence.SignCheckpoint(a.signer, origin(a.signer, t), tree, now); err != nil {
			return err
		}
		return tx.AddCheckpoint(ctx, t, tree.N, text, now)
	})
	if errors.Is(err, bonafide.Conflict) || err == nil && text == nil { // another process signed it
		return nil
	}
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return a.witness(t, text)
}

// checkpointFile names the file of a tenant's checkpoints. Whatever the tenant is called,
// it is one file of the data directory, and no other tenant's.
func checkpointFile(t bonafide.Tenant) string {
	name := url.PathEscape(string(t))
	if len(name) > 200 { // file systems take 255 bytes
		name = fmt.Sprintf("%x", sha256.Sum256([]byte(t)))
	}
	return "checkpoints-" + name + ".txt"
}

// witness appends a checkpoint to the file of a tenant.
func (a *App) witness(t bonafide.Tenant, text []byte) error {
	if err := os.MkdirAll(a.cfg.Data, 0o700); err != nil {
		return fmt.Errorf("checkpoints file: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(a.cfg.Data, checkpointFile(t)), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("checkpoints file: %w", err)
	}
	_, err = f.Write(append(text, "\n\n"...))
	return errors.Join(err, f.Sync(), f.Close())
}
