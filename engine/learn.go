package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"time"

	"bonafide"
	"bonafide/audit"
	"bonafide/casework"
	"bonafide/learn"
	"bonafide/store"
)

// SettingAlpha names the setting of how many of the innocent whom the standard flags may
// still be accused, in tenths of a percent. Where it is set nothing is proposed but by
// weights that promise it; where it is not the published standard alone proposes.
const SettingAlpha = "control_alpha"

// Weights are what stands in a model's body.
type Weights struct {
	learn.Model
	// Shadow says what the weights would have changed at the last grouping.
	Shadow *ShadowCount `json:"shadow,omitempty"`
}

// A ShadowCount lays what weights would do beside what was proposed.
type ShadowCount struct {
	At       time.Time `json:"at"`
	Proposed int       `json:"proposed"` // complaints against which something is proposed
	Stand    int       `json:"stand"`    // of these, how many the weights bear out
}

// Labels reads what people decided that weights can be learned from: rings confirmed and
// cleared, blind audits, and appeals that were upheld; only of complaints that the
// standard flags, since the promise is about those. What is about one ring is one group,
// and so are the parts of a ring that were decided about at once: they stand on one side
// of every split. An upheld appeal outweighs all else that was said of a complaint.
func (e *Engine) Labels(ctx context.Context, tx *store.Tx, t bonafide.Tenant) ([]learn.Example, error) {
	exempt, err := tx.Exempt(ctx, t)
	if err != nil {
		return nil, err
	}
	spared := map[string]bool{}
	for _, id := range exempt {
		spared[id] = true
	}
	exits, err := exitsOf(ctx, tx, t)
	if err != nil {
		return nil, err
	}
	var out []learn.Example
	group := map[string]string{} // of each ring
	for _, state := range []bonafide.RingState{bonafide.RingIsFirm, bonafide.RingIsCleared} {
		after := ""
		for {
			page, err := tx.Rings(ctx, t, string(state), after, part)
			if err != nil {
				return nil, err
			}
			for _, row := range page {
				if fell, err := fellThrough(ctx, tx, t, row.ID, exits); err != nil {
					return nil, err
				} else if fell {
					continue
				}
				more, name, err := ringLabels(ctx, tx, t, row, state == bonafide.RingIsFirm, spared)
				if err != nil {
					return nil, err
				}
				group[row.ID] = name
				out = append(out, more...)
			}
			if len(page) < part {
				break
			}
			after = page[len(page)-1].ID
		}
	}
	of := func(ring string) string { return cmp.Or(group[ring], "ring:"+ring) }
	cases, _, err := e.Audited(ctx, tx, t)
	if err != nil {
		return nil, err
	}
	for _, c := range cases {
		if c.Flagged() && !spared[c.Complaint] && len(c.Values) == len(learn.Names) && (c.Judgement == audit.Organised || c.Judgement == audit.Genuine) {
			out = append(out, learn.Example{X: c.Values, Organised: c.Judgement == audit.Organised, Group: of(c.Ring)})
		}
	}
	appeals, err := tx.Appeals(ctx, t, store.AppealUpheld, "", 0)
	if err != nil {
		return nil, err
	}
	for _, a := range appeals {
		var body casework.Appeal
		if len(a.Body) == 0 {
			continue
		}
		if err := json.Unmarshal(a.Body, &body); err != nil {
			return nil, fmt.Errorf("appeal %s: %w", a.ID, err)
		}
		if len(body.Values) == len(learn.Names) {
			out = append(out, learn.Example{X: body.Values, Group: of(body.StoodIn)})
		}
	}
	return out, nil
}

// ringLabels reads what was decided about the members that a person saw. Parts of one
// ring that was decided about are one group.
func ringLabels(ctx context.Context, tx *store.Tx, t bonafide.Tenant, row store.RingRow, organised bool, spared map[string]bool) (out []learn.Example, group string, err error) {
	var r bonafide.Ring
	if err := json.Unmarshal(row.Body, &r); err != nil {
		return nil, "", fmt.Errorf("ring %s: %w", row.ID, err)
	}
	last := lastDecision(r.Decisions)
	if last == nil {
		return nil, "", nil
	}
	group = fmt.Sprintf("decided:%s:%d", last.By, last.At.UnixMicro())
	for _, m := range row.Members {
		if spared[m] || !slices.Contains(last.Members, m) {
			continue
		}
		v, err := verdictOf(ctx, tx, t, m)
		if errors.Is(err, bonafide.NotFound) {
			continue
		}
		if err != nil {
			return nil, "", err
		}
		if v.Route != bonafide.RouteNone || !wouldFlag(v) {
			continue // never graded, or not flagged by the standard: the promise is about others
		}
		out = append(out, learn.Example{X: learn.Values(v, r), Organised: organised, Group: group})
	}
	return out, group, nil
}

// wouldFlag reports whether the combination rule would let a level be proposed on the
// families that a verdict rests on, whatever was held back or cleared since.
func wouldFlag(v bonafide.Verdict) bool {
	return v.Level.Accuses() || len(v.Families) >= 2 && slices.ContainsFunc(v.Families, bonafide.Family.Hard)
}

func verdictOf(ctx context.Context, tx *store.Tx, t bonafide.Tenant, complaint string) (bonafide.Verdict, error) {
	var v bonafide.Verdict
	row, err := tx.Verdict(ctx, t, complaint)
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal(row.Body, &v); err != nil {
		return v, fmt.Errorf("verdict of %s: %w", complaint, err)
	}
	return v, nil
}

// valuesOf says what a verdict on a complaint that is flagged rests on, and the ring it
// stands in; nothing where there is none.
func valuesOf(ctx context.Context, tx *store.Tx, t bonafide.Tenant, complaint string) (x []float64, ring string, err error) {
	v, err := verdictOf(ctx, tx, t, complaint)
	if errors.Is(err, bonafide.NotFound) || err == nil && (v.Ring == "" || !wouldFlag(v)) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	row, err := tx.Ring(ctx, t, v.Ring)
	if err != nil {
		return nil, "", err
	}
	var r bonafide.Ring
	if err := json.Unmarshal(row.Body, &r); err != nil {
		return nil, "", fmt.Errorf("ring %s: %w", v.Ring, err)
	}
	return learn.Values(v, r), v.Ring, nil
}

// Learn learns weights of what people decided and keeps them as a draft. Where too little
// was decided to promise alpha, the error is a *[learn.Missing] that says how much.
func (e *Engine) Learn(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, alpha float64) (id string, err error) {
	if !(alpha >= 0.001 && alpha <= 0.2) {
		return "", &bonafide.Error{Kind: bonafide.Invalid, Msg: "alpha: from 0.1 to 20 percent"}
	}
	var labels []learn.Example
	if err := e.cfg.DB.View(ctx, func(tx *store.Tx) (err error) { labels, err = e.Labels(ctx, tx, t); return err }); err != nil {
		return "", err
	}
	m, err := learn.Fit(learn.Names, labels, learn.Options{Alpha: alpha, Seed: uint64(len(labels))})
	if missing, ok := errors.AsType[*learn.Missing](err); ok {
		return "", &bonafide.Error{Kind: bonafide.Conflict, Msg: missing.Error(), Err: missing}
	}
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(Weights{Model: m})
	if err != nil {
		return "", fmt.Errorf("write weights: %w", err)
	}
	id = e.cfg.DB.NewID()
	return id, e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		return tx.SaveModel(ctx, t, by, store.ModelRow{ID: id, State: store.ModelDraft, Author: by.ID, At: e.cfg.Now().UTC(), Version: 1, Body: string(body)}, "learned")
	})
}

// MoveModel sets weights beside those in force (shadow), in force (active: by somebody
// else than who had them learned, and after they stood in the shadow), or out of use.
func (e *Engine) MoveModel(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, version int, state string) error {
	return e.changed(e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Lock(ctx, t); err != nil {
			return err
		}
		all, err := tx.Models(ctx, t)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(m store.ModelRow) bool { return m.ID == id })
		if i < 0 {
			return &bonafide.Error{Kind: bonafide.NotFound, Msg: "there are no such weights"}
		}
		m := all[i]
		var w Weights
		if err := json.Unmarshal([]byte(m.Body), &w); err != nil {
			return fmt.Errorf("weights %s: %w", id, err)
		}
		switch {
		case m.Version != version:
			return &bonafide.Error{Kind: bonafide.Conflict, Msg: "somebody else changed this meanwhile: look at it again"}
		case state == store.ModelShadow && m.State == store.ModelDraft, state == store.ModelRetired && m.State != store.ModelRetired:
		case state == store.ModelActive && m.State == store.ModelShadow:
			if w.Shadow == nil {
				return &bonafide.Error{Kind: bonafide.Conflict, Msg: "the weights have not stood in the shadow yet: wait for the next grouping"}
			}
		default:
			return &bonafide.Error{Kind: bonafide.Conflict, Msg: "weights go from draft to shadow, and from there into force"}
		}
		if state == store.ModelRetired && m.State == store.ModelActive && by.ID == m.Author {
			return &bonafide.Error{Kind: bonafide.Denied, Msg: "weights in force are retired by somebody else than who had them learned"}
		}
		m.State = state
		m.Version++
		if err := tx.SaveModel(ctx, t, by, m, state); err != nil {
			return err
		}
		return tx.Enqueue(ctx, store.Job{Tenant: t, Kind: jobCluster, Due: e.cfg.Now()})
	}))
}

// DemandPromise sets that nothing is proposed but by weights that promise alpha; 0 takes
// that back. Everything is weighed anew.
func (e *Engine) DemandPromise(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, alpha float64) error {
	value := ""
	if alpha != 0 {
		if !(alpha >= 0.001 && alpha <= 0.2) {
			return &bonafide.Error{Kind: bonafide.Invalid, Msg: "alpha: from 0.1 to 20 percent"}
		}
		value = strconv.Itoa(int(math.Round(1000 * alpha)))
	}
	return e.changed(e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		if err := tx.PutSetting(ctx, t, by, SettingAlpha, value); err != nil {
			return err
		}
		return tx.Enqueue(ctx, store.Job{Tenant: t, Kind: jobCluster, Due: e.cfg.Now()})
	}))
}

// weighing is what proposals are weighed by.
type weighing struct {
	stamp    string
	active   *learn.Model
	shadow   *Weights
	row      store.ModelRow // of shadow
	required float64        // the alpha that must be promised; 0 where none must
}

// useWeights sets what proposals are weighed by from now on.
func (d *desk) useWeights(ctx context.Context, models []store.ModelRow, settings map[string]string) {
	w := weighing{}
	if n, err := strconv.Atoi(settings[SettingAlpha]); err == nil && n > 0 {
		w.required = float64(n) / 1000
	}
	w.stamp = settings[SettingAlpha]
	for _, m := range models {
		if m.State != store.ModelActive && m.State != store.ModelShadow {
			continue
		}
		w.stamp += " " + m.ID + m.State
		var body Weights
		if err := json.Unmarshal([]byte(m.Body), &body); err != nil {
			d.cfg.Log.ErrorContext(ctx, "read weights", slog.Any("tenant", d.tenant), slog.Any("model", m.ID), slog.Any("err", err))
			continue
		}
		if m.State == store.ModelActive {
			w.active = &body.Model
		} else {
			w.shadow, w.row = &body, m
		}
	}
	if w.stamp != d.weighing.stamp {
		d.rounds.wholeAt = time.Time{} // everything is weighed anew
	}
	d.weighing = w
}

// weigh holds back what the weights in force do not bear out, and counts what those in
// the shadow would hold back. It raises nothing.
func (d *desk) weigh(g *bonafide.Result) ShadowCount {
	count := ShadowCount{At: d.cfg.Now().UTC()}
	w := &d.weighing
	if w.active == nil && w.shadow == nil && w.required == 0 {
		return count
	}
	rings := map[string]*bonafide.Ring{}
	for i := range g.Rings {
		rings[g.Rings[i].ID] = &g.Rings[i]
	}
	highest := map[string]bonafide.Level{}
	for i := range g.Complaints {
		v := &g.Complaints[i]
		r := rings[v.Ring]
		if r == nil {
			if w.required > 0 && v.Level.Accuses() { // the promise is about rings: nothing is promised here
				v.Level = bonafide.Information
				v.Why = append(v.Why, learn.Unpromised)
			}
			continue
		}
		if v.Level.Accuses() {
			count.Proposed++
			if w.shadow != nil && w.shadow.Stands(learn.Values(*v, *r)) {
				count.Stand++
			}
			switch {
			case w.required > 0 && (w.active == nil || w.active.Alpha > w.required):
				v.Level = bonafide.Information
				v.Why = append(v.Why, learn.Unpromised)
			case w.active != nil:
				w.active.Hold(v, *r)
			}
		}
		if v.Level.Rank() > highest[v.Ring].Rank() {
			highest[v.Ring] = v.Level
		}
	}
	for id, r := range rings {
		r.Level = highest[id]
	}
	return count
}

// weighShadow writes down what the weights in the shadow would have done.
func (d *desk) weighShadow(ctx context.Context, count ShadowCount) error {
	w := &d.weighing
	if w.shadow == nil || w.shadow.Shadow != nil && w.shadow.Shadow.Proposed == count.Proposed && w.shadow.Shadow.Stand == count.Stand {
		return nil
	}
	w.shadow.Shadow = &count
	body, err := json.Marshal(w.shadow)
	if err != nil {
		return fmt.Errorf("write weights: %w", err)
	}
	row := w.row
	row.Version++
	row.Body = string(body)
	err = d.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		return tx.SaveModel(ctx, d.tenant, bonafide.System("settle"), row, "shadowed")
	})
	if errors.Is(err, bonafide.Conflict) {
		return nil // somebody moved it meanwhile; the next grouping counts again
	}
	if err == nil {
		w.row = row
	}
	return err
}
