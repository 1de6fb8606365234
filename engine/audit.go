package engine

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"bonafide"
	"bonafide/audit"
	"bonafide/casework"
	"bonafide/store"
)

// The states of an audit's sheet.
const (
	AuditOpen   = "open"
	AuditJudged = "judged"
)

// SettingFloor names the setting of the precision below which a kind of evidence is
// switched off, in percent.
const SettingFloor = "detector_floor"

// maxDraw bounds a sample; auditWithin is how long a case of it waits.
const (
	maxDraw     = 200
	auditWithin = 14 * 24 * time.Hour
)

// DrawAudit draws a sample of complaints for a blind audit: half of them flagged, as far
// as there are so many, and half not. It returns how many were drawn. Who is vulnerable
// or was erased, and what was drawn before, is left out.
func (e *Engine) DrawAudit(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, n int) (drawn int, err error) {
	if n < 1 || n > maxDraw {
		return 0, &bonafide.Error{Kind: bonafide.Invalid, Msg: "number: from 1 to " + strconv.Itoa(maxDraw)}
	}
	now := e.cfg.Now().UTC()
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		drawn = 0
		if _, err := tx.Lock(ctx, t); err != nil {
			return err
		}
		flagged, others, err := tx.AuditFrame(ctx, t)
		if err != nil {
			return err
		}
		some, err := audit.Draw(flagged, (n+1)/2, e.intn)
		if err != nil {
			return err
		}
		rest, err := audit.Draw(others, n-len(some), e.intn)
		if err != nil {
			return err
		}
		// In an order that says nothing of which is which.
		all, err := audit.Draw(append(some, rest...), n, e.intn)
		if err != nil {
			return err
		}
		for _, id := range all {
			c, err := e.auditCase(ctx, tx, t, id, now)
			if errors.Is(err, bonafide.NotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if err := saveCase(ctx, tx, t, by, c, store.SheetRow{State: AuditOpen}, "drawn"); err != nil {
				return err
			}
			drawn++
		}
		return nil
	})
	if err == nil && drawn == 0 {
		err = &bonafide.Error{Kind: bonafide.Conflict, Msg: "there is nothing to draw from: every complaint was drawn before"}
	}
	return drawn, err
}

// intn returns a random number from 0 to n-1.
func (e *Engine) intn(n int) (int, error) {
	var b [8]byte
	if _, err := io.ReadFull(e.cfg.Random, b[:]); err != nil {
		return 0, fmt.Errorf("draw: %w", err)
	}
	return int(binary.BigEndian.Uint64(b[:]) % uint64(n)), nil
}

// auditCase reads what is kept of a complaint that was drawn: what was proposed, on what
// evidence, and of whom it is.
func (e *Engine) auditCase(ctx context.Context, tx *store.Tx, t bonafide.Tenant, id string, now time.Time) (audit.Case, error) {
	c := audit.Case{ID: e.cfg.DB.NewID(), Complaint: id, Drawn: now}
	row, err := tx.Complaint(ctx, t, id)
	if err != nil {
		return c, err
	}
	var what bonafide.Complaint
	if err := json.Unmarshal(row.Body, &what); err != nil {
		return c, fmt.Errorf("complaint %s: %w", id, err)
	}
	if what.Customer.Vulnerable != "" {
		return c, bonafide.NotFound // is not drawn
	}
	base, _, _ := strings.Cut(string(what.Channel), "/")
	lang, _, _ := strings.Cut(what.Lang, "-")
	c.Groups = audit.Groups{Region: what.Customer.Region, Channel: base, Lang: lang}
	number := what.Customer.IDNumber
	if number == "" {
		if rec, err := tx.OneRecord(ctx, t, RecordCustomer, row.Subject); err == nil {
			var who bonafide.Customer
			if err := json.Unmarshal(rec.Body, &who); err != nil {
				return c, fmt.Errorf("customer: %w", err)
			}
			number = who.IDNumber
			if c.Groups.Region == "" {
				c.Groups.Region = who.Region
			}
		} else if !errors.Is(err, bonafide.NotFound) {
			return c, err
		}
	}
	c.Groups.Age, c.Groups.Sex = audit.FromIDNumber(number, now)
	v, err := tx.Verdict(ctx, t, id)
	if errors.Is(err, bonafide.NotFound) {
		return c, nil
	}
	if err != nil {
		return c, err
	}
	c.Level, c.Ring = bonafide.Level(v.Level), v.Ring
	if v.Ring == "" {
		return c, nil
	}
	ring, err := tx.Ring(ctx, t, v.Ring)
	if err != nil {
		return c, err
	}
	var r bonafide.Ring
	if err := json.Unmarshal(ring.Body, &r); err != nil {
		return c, fmt.Errorf("ring %s: %w", v.Ring, err)
	}
	if c.Values, _, err = valuesOf(ctx, tx, t, id); err != nil {
		return c, err
	}
	for _, s := range r.Shared {
		if slices.Contains(s.Members, id) && !slices.Contains(c.Detectors, s.Kind) {
			c.Detectors = append(c.Detectors, s.Kind)
		}
	}
	for _, d := range r.Decisions {
		c.Involved = append(c.Involved, d.By)
	}
	return c, nil
}

func saveCase(ctx context.Context, tx *store.Tx, t bonafide.Tenant, by bonafide.Actor, c audit.Case, row store.SheetRow, action string) error {
	body, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("write audit: %w", err)
	}
	row.Kind, row.ID, row.Complaint, row.At, row.Due, row.Body = store.SheetAudit, c.ID, c.Complaint, c.Drawn, c.Drawn.Add(auditWithin), body
	if row.Author == "" {
		row.Author = by.ID
	}
	row.Version++
	return tx.SaveSheet(ctx, t, by, row, action)
}

// Judge writes down what somebody said of a complaint without seeing what is suspected.
// Whoever decided about its ring is Denied. A kind of evidence whose precision fell below
// the floor with it is switched off.
func (e *Engine) Judge(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, version int, j audit.Judgement, reason string) error {
	if !slices.Contains(audit.Judgements, j) {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "judgement: not one of organised, genuine, unclear"}
	}
	if strings.TrimSpace(reason) == "" {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "a decision needs its reason"}
	}
	if err := brief("reason", reason); err != nil {
		return err
	}
	return e.changed(e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Lock(ctx, t); err != nil {
			return err
		}
		row, err := tx.Sheet(ctx, t, store.SheetAudit, id)
		switch {
		case err != nil:
			return err
		case len(row.Body) == 0:
			return &bonafide.Error{Kind: bonafide.NotFound, Msg: "the content of this complaint was erased"}
		case row.Version != version:
			return &bonafide.Error{Kind: bonafide.Conflict, Msg: "somebody else changed this meanwhile: look at it again"}
		case row.State != AuditOpen:
			return &bonafide.Error{Kind: bonafide.Conflict, Msg: "it was judged already"}
		}
		var c audit.Case
		if err := json.Unmarshal(row.Body, &c); err != nil {
			return fmt.Errorf("audit %s: %w", id, err)
		}
		involved, err := e.involvedNow(ctx, tx, t, c)
		if err != nil {
			return err
		}
		if !casework.Uninvolved(by.ID, "", involved) {
			return &bonafide.Error{Kind: bonafide.Denied, Msg: "an audit is judged by somebody who had no part in what it is about"}
		}
		c.Judgement, c.Reason, c.By, c.Judged = j, reason, by.ID, e.cfg.Now().UTC()
		row.State = AuditJudged
		if err := saveCase(ctx, tx, t, by, c, row, "judged"); err != nil {
			return err
		}
		return e.switchOff(ctx, tx, t)
	}))
}

// involvedNow returns who has had a part in what is held against a complaint until now.
func (e *Engine) involvedNow(ctx context.Context, tx *store.Tx, t bonafide.Tenant, c audit.Case) ([]string, error) {
	d, err := e.desk(ctx, t)
	if err != nil {
		return nil, err
	}
	rings, err := d.ringsOf(ctx, tx, []string{c.Complaint}, c.Ring)
	if err != nil {
		return nil, err
	}
	subject, err := tx.SubjectOf(ctx, t, c.Complaint)
	if err != nil {
		return nil, err
	}
	tags, err := d.tagsOn(ctx, tx, subject, []string{c.Complaint})
	if err != nil {
		return nil, err
	}
	hands, err := d.hands(ctx, tx, []string{c.Complaint})
	return slices.Concat(c.Involved, involved(rings, tags), hands), err
}

// Audited reads every case and what they say together.
func (e *Engine) Audited(ctx context.Context, tx *store.Tx, t bonafide.Tenant) ([]audit.Case, audit.Figures, error) {
	rows, err := tx.Sheets(ctx, t, store.SheetAudit, "", 0)
	if err != nil {
		return nil, audit.Figures{}, err
	}
	var cases []audit.Case
	for _, r := range rows {
		if len(r.Body) == 0 {
			continue
		}
		var c audit.Case
		if err := json.Unmarshal(r.Body, &c); err != nil {
			return nil, audit.Figures{}, fmt.Errorf("audit %s: %w", r.ID, err)
		}
		cases = append(cases, c)
	}
	return cases, audit.Measure(cases), nil
}

// Floor is the precision below which a kind of evidence is switched off.
func Floor(ctx context.Context, tx *store.Tx, t bonafide.Tenant) (float64, error) {
	settings, err := tx.Settings(ctx, t)
	if err != nil {
		return 0, err
	}
	if n, err := strconv.Atoi(settings[SettingFloor]); err == nil && n >= 50 && n <= 100 {
		return float64(n) / 100, nil
	}
	return audit.Floor, nil
}

// switchOff leaves out the kinds of evidence that fell below the floor. What was judged
// before a person switched one on again does not count against it a second time.
func (e *Engine) switchOff(ctx context.Context, tx *store.Tx, t bonafide.Tenant) error {
	cases, _, err := e.Audited(ctx, tx, t)
	if err != nil {
		return err
	}
	floor, err := Floor(ctx, tx, t)
	if err != nil {
		return err
	}
	have, err := tx.Detectors(ctx, t)
	if err != nil {
		return err
	}
	since := map[string]time.Time{}
	for _, d := range have {
		if d.Off {
			since[d.Name] = e.cfg.Now().AddDate(1, 0, 0) // it is off already
			continue
		}
		since[d.Name] = d.At
	}
	for i, c := range cases {
		cases[i].Detectors = slices.DeleteFunc(slices.Clone(c.Detectors), func(d string) bool { return c.Judged.Before(since[d]) })
	}
	below := audit.Measure(cases).Below(floor)
	if len(below) == 0 {
		return nil
	}
	now := e.cfg.Now().UTC()
	for _, d := range below {
		reason := fmt.Sprintf("%d of %d flagged complaints that it tied were judged organised, fewer than %.0f %%", d.Precision.Of, d.Precision.Among, 100*floor)
		if err := tx.SaveDetector(ctx, t, bonafide.System("audit"), store.Detector{Name: d.Name, Off: true, At: now, Reason: reason}); err != nil {
			return err
		}
	}
	return tx.Enqueue(ctx, store.Job{Tenant: t, Kind: jobCluster, Due: now})
}

// SwitchOn lets a kind of evidence count again.
func (e *Engine) SwitchOn(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, name, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "a decision needs its reason"}
	}
	now := e.cfg.Now().UTC()
	return e.changed(e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		have, err := tx.Detectors(ctx, t)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(have, func(d store.Detector) bool { return d.Name == name && d.Off }) {
			return &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such kind of evidence that is switched off"}
		}
		if err := tx.SaveDetector(ctx, t, by, store.Detector{Name: name, At: now, Reason: reason}); err != nil {
			return err
		}
		return tx.Enqueue(ctx, store.Job{Tenant: t, Kind: jobCluster, Due: now})
	}))
}
