package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"bonafide"
	"bonafide/casework"
	"bonafide/store"
)

// A complaint's own track is started when it is stored and moved by people. This file
// reads and writes tracks alone: nothing that is suspected comes into it.

// History says of complaints handed in that they were answered before: their track
// begins at its end, and no clock runs.
const History = "answered before it came here"

// unknownLate is how often a complaint was late that was answered elsewhere.
const unknownLate = -1

// startTrack returns where a complaint starts on its track.
func (d *desk) startTrack(c *bonafide.Complaint, history bool, now time.Time) (row store.TrackRow, day int64) {
	pack := d.cfg.Clocks
	received := c.Received
	if received.IsZero() {
		received = now
	}
	row = trackRow(pack.Open(c.ID, received), store.TrackRow{}, now)
	row.Since = now
	if history {
		row.State, row.Ended, row.Due, row.Late = string(casework.Closed), received, time.Time{}, unknownLate
		row.Body, _ = json.Marshal(casework.Track{Complaint: c.ID, Pack: pack.Name, State: casework.Closed, Received: received, Since: received})
	}
	y, m, dd := received.In(pack.Zone()).Date()
	return row, time.Date(y, m, dd, 0, 0, 0, 0, time.UTC).Unix() / 86400
}

// trackRow puts a track over what else is stored of it.
func trackRow(t casework.Track, row store.TrackRow, now time.Time) store.TrackRow {
	row.Complaint, row.Pack, row.State, row.Received, row.Since = t.Complaint, t.Pack, string(t.State), t.Received, t.Since
	row.Outcome, row.Due, row.Ended, row.Late = string(t.Outcome), time.Time{}, time.Time{}, 0
	if c, ok := t.Due(); ok {
		row.Due = c.Due
	}
	if t.State.Ended() {
		row.Ended = t.Since
	}
	for _, c := range t.Clocks {
		if c.Late(now) {
			row.Late++
		}
	}
	// A track of strings and times can always be written.
	row.Body, _ = json.Marshal(t)
	return row
}

// TrackOf reads the track of a row; one whose clocks were not started yet gets them
// from the pack in force.
func (e *Engine) TrackOf(row store.TrackRow) (casework.Track, *casework.Pack, error) {
	if len(row.Body) == 0 && !row.Ended.IsZero() { // it ended with its content: see Tx.Erase
		return casework.Track{Complaint: row.Complaint, Pack: e.cfg.Clocks.Name, State: casework.State(row.State), Received: row.Received, Since: row.Ended}, e.cfg.Clocks, nil
	}
	if row.Pack == "" {
		return e.cfg.Clocks.Open(row.Complaint, row.Received), e.cfg.Clocks, nil
	}
	pack := e.cfg.Clocks
	if row.Pack != pack.Name {
		var err error
		if pack, err = casework.Load(row.Pack); err != nil {
			return casework.Track{}, nil, err
		}
	}
	var t casework.Track
	if err := json.Unmarshal(row.Body, &t); err != nil {
		return t, nil, fmt.Errorf("track of %s: %w", row.Complaint, err)
	}
	return t, pack, nil
}

// Move does what a person does with a complaint, and returns its track then. version is
// the one that the person saw: Conflict if it changed since.
func (e *Engine) Move(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, complaint string, version int, act casework.Act) (casework.Track, error) {
	act.By = by.ID
	return e.move(ctx, t, by, complaint, version, func(context.Context, *store.Tx) (casework.Act, error) { return act, nil })
}

// Approve extends the clock that somebody asked for; by is the other person that it
// takes. version is as for [Engine.Move].
func (e *Engine) Approve(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, complaint string, version int) (casework.Track, error) {
	return e.move(ctx, t, by, complaint, version, func(ctx context.Context, tx *store.Tx) (casework.Act, error) {
		lines, err := Lines(ctx, tx, t, complaint)
		if err != nil {
			return casework.Act{}, err
		}
		act, ok := casework.Asked(lines)
		if !ok {
			return act, &bonafide.Error{Kind: bonafide.Conflict, Msg: "no extension is asked for"}
		}
		act.Verb, act.Approver = casework.Extend, by.ID
		return act, nil
	})
}

// Lines reads the history of a complaint, the first line first. Those of an erased
// person are left out.
func Lines(ctx context.Context, tx *store.Tx, t bonafide.Tenant, complaint string) ([]casework.Line, error) {
	steps, err := tx.TrackSteps(ctx, t, complaint)
	if err != nil {
		return nil, err
	}
	lines := make([]casework.Line, 0, len(steps))
	for _, s := range steps {
		if len(s.Body) == 0 {
			continue
		}
		var l casework.Line
		if err := json.Unmarshal(s.Body, &l); err != nil {
			return nil, fmt.Errorf("step %d of %s: %w", s.N, complaint, err)
		}
		lines = append(lines, l)
	}
	return lines, nil
}

// AskExtension asks that a clock be extended, where that needs approval.
func (e *Engine) AskExtension(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, complaint string, version int, clock, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "an extension needs its reason"}
	}
	return e.note(ctx, t, by, complaint, version, casework.Ask, func(_ *store.TrackRow, l *casework.Line) { l.Act.Clock, l.Act.Reason = clock, reason })
}

// RefuseExtension says no to the extension that is asked for.
func (e *Engine) RefuseExtension(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, complaint string, version int, reason string) error {
	return e.note(ctx, t, by, complaint, version, casework.Refuse, func(_ *store.TrackRow, l *casework.Line) { l.Act.Reason = reason })
}

// move applies the act that of returns.
func (e *Engine) move(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, complaint string, version int, of func(context.Context, *store.Tx) (casework.Act, error)) (casework.Track, error) {
	var out casework.Track
	err := e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		row, err := seen(ctx, tx, t, complaint, version)
		if err != nil {
			return err
		}
		act, err := of(ctx, tx)
		if err != nil {
			return err
		}
		track, pack, err := e.TrackOf(row)
		if err != nil {
			return err
		}
		now := e.cfg.Now().UTC().Truncate(time.Microsecond)
		next, step, err := pack.Move(track, act, now)
		if err != nil {
			return err
		}
		body, err := json.Marshal(casework.Line{Step: step})
		if err != nil {
			return fmt.Errorf("write step: %w", err)
		}
		row = trackRow(next, row, now)
		row.Version++
		out = next
		return tx.SaveTrack(ctx, t, by, row, string(act.Verb), body)
	})
	return out, err
}

// seen locks and reads the track that a person saw in a version.
func seen(ctx context.Context, tx *store.Tx, t bonafide.Tenant, complaint string, version int) (store.TrackRow, error) {
	if _, err := tx.Lock(ctx, t); err != nil {
		return store.TrackRow{}, err
	}
	row, err := tx.Track(ctx, t, complaint)
	if err == nil && version != row.Version {
		err = &bonafide.Error{Kind: bonafide.Conflict, Msg: "somebody else changed the complaint meanwhile: look at it again"}
	}
	return row, err
}

// Assign says who works on a complaint; "" nobody. version is as for [Engine.Move].
func (e *Engine) Assign(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, complaint string, version int, assignee string) error {
	return e.note(ctx, t, by, complaint, version, casework.Assign, func(row *store.TrackRow, l *casework.Line) {
		row.Assignee, l.Assignee = assignee, assignee
	})
}

// Note adds what somebody says about a complaint to its history.
func (e *Engine) Note(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, complaint string, version int, text string) error {
	if strings.TrimSpace(text) == "" {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "the note is empty"}
	}
	return e.note(ctx, t, by, complaint, version, casework.Comment, func(_ *store.TrackRow, l *casework.Line) { l.Note = text })
}

func (e *Engine) note(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, complaint string, version int, verb casework.Verb, change func(*store.TrackRow, *casework.Line)) error {
	return e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		row, err := seen(ctx, tx, t, complaint, version)
		if err != nil {
			return err
		}
		l := casework.Line{Step: casework.Step{At: e.cfg.Now().UTC(), From: casework.State(row.State), To: casework.State(row.State), Act: casework.Act{Verb: verb, By: by.ID}}}
		change(&row, &l)
		body, err := json.Marshal(l)
		if err != nil {
			return fmt.Errorf("write step: %w", err)
		}
		row.Version++
		return tx.SaveTrack(ctx, t, by, row, string(verb), body)
	})
}

// startClocks starts the clocks of complaints that were stored before the program kept
// tracks: they ran all the while.
func (d *desk) startClocks(ctx context.Context) {
	for ctx.Err() == nil {
		var n int
		err := d.update(ctx, func(tx *store.Tx) error {
			if _, err := tx.Lock(ctx, d.tenant); err != nil {
				return err
			}
			rows, err := tx.Unclocked(ctx, d.tenant, part)
			if err != nil || len(rows) == 0 {
				n = 0
				return err
			}
			now := d.cfg.Now().UTC()
			for i, r := range rows {
				rows[i] = trackRow(d.cfg.Clocks.Open(r.Complaint, r.Received), r, now)
			}
			n = len(rows)
			return tx.StartClocks(ctx, d.tenant, bonafide.System("clocks"), rows)
		})
		if err != nil && ctx.Err() == nil {
			d.cfg.Log.WarnContext(ctx, "start clocks", slog.Any("tenant", d.tenant), slog.Any("err", err))
			return
		}
		if n == 0 {
			return
		}
	}
}

// involved returns who had a hand in what is held against a complaint.
func involved(rings []bonafide.Ring, tags []bonafide.Tag) []string {
	var out []string
	for _, r := range rings {
		for _, d := range r.Decisions {
			out = append(out, d.By)
		}
	}
	for _, g := range tags {
		out = append(out, g.Author)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// hands returns who spoke with people about complaints, verified something or signed it.
func (d *desk) hands(ctx context.Context, tx *store.Tx, complaints []string) ([]string, error) {
	var out []string
	for _, id := range complaints {
		contacts, verified, err := sheetsOf(ctx, tx, d.tenant, id)
		if err != nil {
			return nil, err
		}
		for _, c := range contacts {
			out = append(out, c.By)
		}
		for _, v := range verified {
			out = append(out, v.By, v.SignedBy)
			for _, a := range v.Attempts {
				out = append(out, a.By)
			}
		}
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(who string) bool { return who == "" }), nil
}
