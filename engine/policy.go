package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"bonafide"
	"bonafide/policy"
	"bonafide/signal/text"
	"bonafide/store"
)

// ruling is what the groupings of a tenant are graded by.
type ruling struct {
	digest string // of the policies and letters that were set last
	shadow store.PolicyRow
}

// usePolicy sets what groupings are graded by. A policy that can no longer be read is
// said in the log, and the one of the config holds.
func (d *desk) usePolicy(ctx context.Context, rows []store.PolicyRow, letters []store.PublicLetter) {
	inForce, shadow := d.cfg.Policy, (*policy.Pack)(nil)
	var sum strings.Builder
	d.ruling.shadow = store.PolicyRow{}
	for _, r := range rows {
		if r.State != store.PolicyPromoted && r.State != store.PolicyShadow {
			continue
		}
		fmt.Fprintf(&sum, "%s %s %s\n", r.ID, r.State, store.PolicyDigest(r.Text))
		if r.State == store.PolicyShadow {
			d.ruling.shadow = r
		}
	}
	for _, l := range letters {
		sum.WriteString(l.ID + "\n")
	}
	if sum.String() == d.ruling.digest {
		return
	}
	for _, r := range rows {
		if r.State != store.PolicyPromoted && r.State != store.PolicyShadow {
			continue
		}
		p, err := policy.Parse(r.Name, []byte(r.Text))
		if err != nil {
			d.cfg.Log.ErrorContext(ctx, "read policy", slog.Any("tenant", d.tenant), slog.Any("policy", r.ID), slog.Any("err", err))
			continue
		}
		if r.State == store.PolicyPromoted {
			inForce = p
		} else {
			shadow = p
		}
	}
	var public []text.Public
	for _, l := range letters {
		p, err := text.ParsePublic(string(l.Body))
		if err != nil {
			d.cfg.Log.ErrorContext(ctx, "read public letter", slog.Any("tenant", d.tenant), slog.Any("letter", l.ID), slog.Any("err", err))
			continue
		}
		public = append(public, p)
	}
	d.live.Rule(inForce, shadow, public)
	d.ruling.digest = sum.String()
	d.rounds.wholeAt = time.Time{} // everything is graded anew
}

// Backtest has a policy tried on all complaints as they are, beside the one in force.
// The report stands in the policy's body once it is done.
func (e *Engine) Backtest(ctx context.Context, t bonafide.Tenant, id string) error {
	err := e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Policy(ctx, t, id); err != nil {
			return err
		}
		return tx.Enqueue(ctx, store.Job{Tenant: t, Kind: jobBacktest, Arg: id, Due: e.cfg.Now()})
	})
	if err == nil {
		e.wake()
	}
	return err
}

// Testing reports whether a policy is being tried, or is about to be.
func (e *Engine) Testing(ctx context.Context, t bonafide.Tenant, id string) (pending bool, err error) {
	err = e.cfg.DB.View(ctx, func(tx *store.Tx) (err error) {
		pending, err = tx.Pending(ctx, t, jobBacktest, id)
		return err
	})
	return pending, err
}

// backtest does one such job.
func (e *Engine) backtest(ctx context.Context, js []store.Job) error {
	j := js[0] // one is claimed at a time
	d, err := e.desk(ctx, j.Tenant)
	if err != nil {
		return err
	}
	if err := d.catchUp(ctx); err != nil {
		return err
	}
	var row store.PolicyRow
	var apart [][2]string
	inForce := e.cfg.Policy
	err = e.cfg.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		if row, err = tx.Policy(ctx, j.Tenant, j.Arg); err != nil {
			return err
		}
		promoted, err := tx.Policies(ctx, j.Tenant, store.PolicyPromoted)
		if err != nil {
			return err
		}
		for _, r := range promoted {
			if p, err := policy.Parse(r.Name, []byte(r.Text)); err == nil {
				inForce = p
			}
		}
		apart, err = tx.Aparts(ctx, j.Tenant)
		return err
	})
	if err != nil && !errors.Is(err, bonafide.NotFound) {
		return err
	}
	start := e.cfg.Now()
	report := policy.Comparison{}
	pack, perr := policy.Parse(row.Name, []byte(row.Text))
	if perr != nil {
		report.Problem = perr.Error()
	} else {
		results, err := d.live.Grade(ctx, apart, inForce, pack)
		if err != nil {
			return fmt.Errorf("grade: %w", err)
		}
		report = policy.Compare(results[0], results[1])
	}
	report.At, report.Took, report.Digest = e.cfg.Now().UTC(), e.cfg.Now().Sub(start), store.PolicyDigest(row.Text)
	return e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		if err := d.keepReport(ctx, tx, row.ID, "backtested", report, func(b *store.PolicyBody, r json.RawMessage) { b.Backtest = r }); err != nil {
			return err
		}
		return tx.Finish(ctx, j, e.owner)
	})
}

// keepReport stores a report with its policy.
func (d *desk) keepReport(ctx context.Context, tx *store.Tx, id, what string, report policy.Comparison, put func(*store.PolicyBody, json.RawMessage)) error {
	if _, err := tx.Lock(ctx, d.tenant); err != nil {
		return err
	}
	row, err := tx.Policy(ctx, d.tenant, id)
	if errors.Is(err, bonafide.NotFound) {
		return nil // it was removed meanwhile
	}
	if err != nil {
		return err
	}
	var body store.PolicyBody
	if err := json.Unmarshal(row.Body, &body); err != nil {
		return fmt.Errorf("policy %s: %w", id, err)
	}
	b, err := json.Marshal(report)
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	put(&body, b)
	if row.Body, err = json.Marshal(body); err != nil {
		return fmt.Errorf("write policy: %w", err)
	}
	row.Version++
	return tx.SavePolicy(ctx, d.tenant, bonafide.System("policy"), row, what)
}

// shadowed stores what the policy in shadow would have proposed.
func (d *desk) shadowed(ctx context.Context, today, then *bonafide.Result, took time.Duration) error {
	if then == nil || d.ruling.shadow.ID == "" {
		return nil
	}
	report := policy.Compare(today, then)
	report.At, report.Took, report.Digest = d.cfg.Now().UTC(), took, store.PolicyDigest(d.ruling.shadow.Text)
	return d.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		row, err := tx.Policy(ctx, d.tenant, d.ruling.shadow.ID)
		if err != nil || row.State != store.PolicyShadow || store.PolicyDigest(row.Text) != report.Digest {
			return nil // it is no longer in shadow
		}
		return d.keepReport(ctx, tx, row.ID, "shadowed", report, func(b *store.PolicyBody, r json.RawMessage) { b.Shadow = r })
	})
}

// Regroup has everything joined and graded anew, after something that it depends on
// changed.
func (e *Engine) Regroup(ctx context.Context, t bonafide.Tenant) error {
	err := e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		return tx.Enqueue(ctx, store.Job{Tenant: t, Kind: jobCluster, Due: e.cfg.Now()})
	})
	if err == nil {
		e.wake()
	}
	return err
}
