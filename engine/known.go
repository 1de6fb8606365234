package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"bonafide"
	"bonafide/contact"
	"bonafide/pipeline"
	"bonafide/store"
)

// knownEvery is how often a large lender's grouping reads what is known.
const knownEvery = time.Minute

// readKnown reads what people and records say of complaints, where it changed since.
func (d *desk) readKnown(ctx context.Context, tx *store.Tx) error {
	now := d.cfg.Now()
	if d.live.Last() > int64(d.cfg.Small) && now.Sub(d.knownAt) < knownEvery {
		return nil // reading all of it takes long: the next grouping will
	}
	stamp, err := tx.KnownStamp(ctx, d.tenant)
	if err != nil || stamp == d.known {
		return err
	}
	d.knownAt = now
	rows, err := tx.KnownOf(ctx, d.tenant)
	if err != nil {
		return err
	}
	found, err := tx.MeritFound(ctx, d.tenant)
	if err != nil {
		return err
	}
	known := make(map[string]pipeline.Known, len(rows)+len(found))
	for _, r := range rows {
		var k pipeline.Known
		if err := json.Unmarshal(r.Body, &k); err != nil {
			return fmt.Errorf("what is known of %s: %w", r.Complaint, err)
		}
		known[r.Complaint] = k
	}
	for _, m := range found {
		k := known[m.Complaint]
		if err := json.Unmarshal([]byte(m.Found), &k.Found); err != nil {
			return fmt.Errorf("merit of %s: %w", m.Complaint, err)
		}
		known[m.Complaint] = k
	}
	d.live.Know(known)
	d.known = stamp
	return nil
}

// mute leaves the kinds of evidence out that are switched off.
func (d *desk) mute(detectors []store.Detector) {
	var off []string
	for _, x := range detectors {
		if x.Off {
			off = append(off, x.Name)
		}
	}
	if slices.Equal(off, d.muted) {
		return
	}
	d.muted = off
	d.live.Mute(off)
	d.rounds.wholeAt = time.Time{} // everything is joined anew
}

// families are those of what a person verified.
var families = map[bonafide.Criterion]bonafide.Family{
	"K01": bonafide.FamilyIdentity, "K02": bonafide.FamilyDocument, "K03": bonafide.FamilyIdentity,
	"K06": bonafide.FamilyIdentity, "K07": bonafide.FamilyConduct,
}

// What a signed verification can find; see [contact.Outcomes].
const (
	confirmed = "confirmed"
	denied    = "denied"
	openEnded = "open-ended"
)

// knownOf says what the conversations and verifications about a complaint found out.
func knownOf(contacts []bonafide.Contact, verified []bonafide.Verification) pipeline.Known {
	var k pipeline.Known
	add := func(f bonafide.Family) {
		if f != "" && !slices.Contains(k.Families, f) {
			k.Families = append(k.Families, f)
		}
	}
	for _, c := range contacts {
		if c.Ended.IsZero() {
			continue
		}
		k.Vulnerable = k.Vulnerable || c.Established.Vulnerability == "flagged"
		k.Own = k.Own || c.Known && c.Established.Identity == "confirmed" && c.Established.Authority == "own"
		for _, s := range c.Signals {
			// Anybody can call. Who somebody is, only a verification can say.
			if s.Family == bonafide.FamilyConduct && c.Known {
				add(s.Family)
			}
		}
	}
	for _, v := range latest(verified) {
		if v.Criterion != "" && !slices.Contains(k.Verified, v.Criterion) {
			k.Verified = append(k.Verified, v.Criterion)
			add(families[v.Criterion])
		}
		switch {
		case v.Kind == bonafide.VerifyDocument && v.Criterion == "K02":
			k.Forged++
		case v.Kind == bonafide.VerifyAuthority && v.Outcome == confirmed:
			k.Confirmed = true
		case v.Kind == bonafide.VerifyIdentity && v.Outcome == confirmed:
			k.Own = true
		}
	}
	k.Refused = contact.Refusals(verified)
	slices.Sort(k.Verified)
	slices.Sort(k.Families)
	return k
}

// latest returns the signed verification that was signed last of each kind and what it is
// about: a later one corrects an earlier one. Who complained is one question, whatever was
// noted beside it.
func latest(vs []bonafide.Verification) []bonafide.Verification {
	var out []bonafide.Verification
	for _, v := range vs {
		if v.Outcome == "" {
			continue
		}
		i := slices.IndexFunc(out, func(o bonafide.Verification) bool {
			return o.Kind == v.Kind && (o.About == v.About || v.Kind == bonafide.VerifyIdentity)
		})
		switch {
		case i < 0:
			out = append(out, v)
		case v.Outcome != openEnded && !v.Signed.Before(out[i].Signed):
			out[i] = v
		}
	}
	return out
}

// learnKnown writes anew what is known of a complaint after something was found out,
// in the same transaction, and has it graded again. Who needs care loses every warning
// at once.
func (d *desk) learnKnown(ctx context.Context, tx *store.Tx, by bonafide.Actor, complaint string) error {
	if complaint == "" {
		return nil
	}
	contacts, verified, err := sheetsOf(ctx, tx, d.tenant, complaint)
	if err != nil {
		return err
	}
	k := knownOf(contacts, verified)
	body, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("write what is known: %w", err)
	}
	now := d.cfg.Now().UTC()
	if err := tx.SaveKnown(ctx, d.tenant, by, store.KnownRow{Complaint: complaint, At: now, Body: body}); err != nil {
		return err
	}
	if k.Vulnerable || k.Confirmed {
		if err := d.untag(ctx, tx, by, complaint, now); err != nil {
			return err
		}
	}
	return tx.Enqueue(ctx, store.Job{Tenant: d.tenant, Kind: jobCluster, Due: now})
}

// cared is the reason of tags that are removed because somebody needs care, or a
// representative was confirmed.
const cared = "the customer needs care, or confirmed their representative: a person looks after them"

// untag removes every warning of a customer and their complaints.
func (d *desk) untag(ctx context.Context, tx *store.Tx, by bonafide.Actor, complaint string, now time.Time) error {
	subject, err := tx.SubjectOf(ctx, d.tenant, complaint)
	if err != nil {
		return err
	}
	ids, err := tx.ComplaintsOf(ctx, d.tenant, subject)
	if err != nil {
		return err
	}
	tags, err := d.tagsOn(ctx, tx, subject, ids)
	if err != nil || len(tags) == 0 {
		return err
	}
	var drop []string
	var events []bonafide.Event
	for _, g := range tags {
		drop = append(drop, g.ID)
		events = append(events, bonafide.Event{Type: bonafide.TagRemoved, At: now, Target: g.Target, Ring: g.Ring, Reason: g.ID})
	}
	if err := tx.RemoveTags(ctx, d.tenant, by, drop, cared); err != nil {
		return err
	}
	return tx.Emit(ctx, d.tenant, events...)
}

// sheetsOf reads the conversations and verifications about a complaint. Those of an
// erased person are left out.
func sheetsOf(ctx context.Context, tx *store.Tx, t bonafide.Tenant, complaint string) (contacts []bonafide.Contact, verified []bonafide.Verification, err error) {
	rows, err := tx.SheetsOf(ctx, t, complaint, "")
	if err != nil {
		return nil, nil, err
	}
	for _, r := range rows {
		if len(r.Body) == 0 {
			continue
		}
		switch r.Kind {
		case store.SheetContact:
			var c bonafide.Contact
			if err := json.Unmarshal(r.Body, &c); err != nil {
				return nil, nil, fmt.Errorf("contact %s: %w", r.ID, err)
			}
			contacts = append(contacts, c)
		case store.SheetVerification:
			var v bonafide.Verification
			if err := json.Unmarshal(r.Body, &v); err != nil {
				return nil, nil, fmt.Errorf("verification %s: %w", r.ID, err)
			}
			verified = append(verified, v)
		}
	}
	return contacts, verified, nil
}
