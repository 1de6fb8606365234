package store

import (
	"context"
	"fmt"
	"time"

	"bonafide"
)

// The states of a model.
const (
	ModelDraft   = "draft"
	ModelShadow  = "shadow" // graded beside the one in force, and seen by nobody else
	ModelActive  = "active" // in force: promoted by somebody else than who made it
	ModelRetired = "retired"
)

// A ModelRow is a set of weights learned of decisions. Body is JSON.
type ModelRow struct {
	ID, State, Author string
	At                time.Time
	Version           int
	Body              string
}

// SaveModel stores a model over the one whose version is one less. One that comes into
// force, or into the shadow, takes the place of the one that was there. Who made a model
// does not promote it: Denied.
func (tx *Tx) SaveModel(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, m ModelRow, action string) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	if m.State == ModelActive && actor.ID == m.Author {
		return &bonafide.Error{Kind: bonafide.Denied, Msg: "weights are promoted by somebody else than who had them learned"}
	}
	if m.State == ModelActive || m.State == ModelShadow {
		if _, err := tx.exec(ctx, `UPDATE model SET state = $4, version = version + 1 WHERE tenant = $1 AND state = $3 AND id <> $2`, string(t), m.ID, m.State, ModelRetired); err != nil {
			return err
		}
	}
	if m.Version <= 1 {
		if _, err := tx.insert(ctx, "model", "", []any{string(t), m.ID, m.State, m.Author, micros(m.At), int64(1), m.Body}); err != nil {
			return otherwise(err, bonafide.Conflict, "there are weights with this id already")
		}
	} else {
		n, err := tx.exec(ctx, `UPDATE model SET state = $4, version = $3 + 1, body = $5 WHERE tenant = $1 AND id = $2 AND version = $3`,
			string(t), m.ID, int64(m.Version-1), m.State, m.Body)
		if err != nil {
			return err
		}
		if n == 0 {
			return &bonafide.Error{Kind: bonafide.Conflict, Msg: "somebody else changed this meanwhile: look at it again"}
		}
	}
	return tx.Record(ctx, t, actor, "model."+action, "model:"+m.ID, map[string]any{"version": max(1, m.Version), "state": m.State, "digest": digestOf(m.Body)})
}

// Models lists every set of weights, the newest first.
func (tx *Tx) Models(ctx context.Context, t bonafide.Tenant) ([]ModelRow, error) {
	return list(ctx, tx, func(r row) (m ModelRow, err error) {
		var at int64
		err = r.Scan(&m.ID, &m.State, &m.Author, &at, &m.Version, &m.Body)
		m.At = instant(at)
		return m, err
	}, `SELECT id, state, author, at, version, body FROM model WHERE tenant = $1 ORDER BY id DESC`, string(t))
}

// A Detector is a kind of evidence that audits may switch off.
type Detector struct {
	Name   string
	Off    bool
	At     time.Time
	Reason string
}

// SaveDetector switches a kind of evidence off or on again.
func (tx *Tx) SaveDetector(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, d Detector) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	if _, err := tx.insert(ctx, "detector", overwrite("detector"), []any{string(t), d.Name, d.Off, micros(d.At), d.Reason}); err != nil {
		return err
	}
	action := "detector.on"
	if d.Off {
		action = "detector.off"
	}
	return tx.Record(ctx, t, actor, action, "detector:"+d.Name, map[string]any{"reason": fmt.Sprintf("%.300s", d.Reason)})
}

// Detectors lists the kinds of evidence that were ever switched.
func (tx *Tx) Detectors(ctx context.Context, t bonafide.Tenant) ([]Detector, error) {
	return list(ctx, tx, func(r row) (d Detector, err error) {
		var at int64
		err = r.Scan(&d.Name, &d.Off, &at, &d.Reason)
		d.At = instant(at)
		return d, err
	}, `SELECT name, off, at, reason FROM detector WHERE tenant = $1 ORDER BY name`, string(t))
}
