package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"bonafide"
	"bonafide/casework"
	"bonafide/contact"
	"bonafide/store"
)

// The states of a conversation's sheet.
const (
	ContactOpen      = "open"
	ContactEnded     = "ended"
	ContactBrokenOff = "broken-off" // before the script's end
)

// BeginContact begins a conversation by a script. Complaint may be empty; where it is
// given, what is known of it leads the script.
func (e *Engine) BeginContact(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, script, complaint, lang string, known bool) (id string, err error) {
	s, err := contact.Load(script)
	if err != nil {
		return "", err
	}
	if s.NeedsKnown && !known {
		return "", &bonafide.Error{Kind: bonafide.Invalid, Msg: "this script is for a way to reach the customer that was known before the dispute began"}
	}
	d, err := e.desk(ctx, t)
	if err != nil {
		return "", err
	}
	now := e.cfg.Now().UTC()
	c := contact.Conversation{Contact: bonafide.Contact{
		ID: e.cfg.DB.NewID(), Complaint: complaint, Script: s.ID, Version: s.Version, Lang: lang, Direction: s.Direction, Known: known, By: by.ID, Started: now,
	}}
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		if c.Facts, err = d.facts(ctx, tx, complaint, known); err != nil {
			return err
		}
		return saveContact(ctx, tx, t, by, c, store.SheetRow{State: ContactOpen}, "begun")
	})
	return c.ID, err
}

func saveContact(ctx context.Context, tx *store.Tx, t bonafide.Tenant, by bonafide.Actor, c contact.Conversation, row store.SheetRow, action string) error {
	body, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("write contact: %w", err)
	}
	row.Kind, row.ID, row.Complaint, row.Author, row.At, row.Body = store.SheetContact, c.ID, c.Complaint, c.By, c.Started, body
	row.Version++
	return tx.SaveSheet(ctx, t, by, row, action)
}

// facts says what is known of a complaint as a conversation begins.
func (d *desk) facts(ctx context.Context, tx *store.Tx, complaint string, known bool) (contact.Known, error) {
	k := contact.Known{KnownNumber: known}
	if complaint == "" {
		return k, nil
	}
	row, err := tx.Complaint(ctx, d.tenant, complaint)
	if errors.Is(err, bonafide.NotFound) && row.ID != "" {
		return k, nil // erased: the call is taken all the same
	}
	if err != nil {
		return k, err
	}
	var c bonafide.Complaint
	if err := json.Unmarshal(row.Body, &c); err != nil {
		return k, fmt.Errorf("complaint %s: %w", complaint, err)
	}
	k.Complaint, k.Customer = true, c.Customer.Ref != ""
	k.Vulnerable = c.Customer.Vulnerable != ""
	if r := c.Representative; r != nil && r.Type != bonafide.RepSelf {
		k.Representative, k.WhitePath, k.Confirmed = true, r.WhitePath(), r.Confirmed
	}
	contacts, verified, err := sheetsOf(ctx, tx, d.tenant, complaint)
	if err != nil {
		return k, err
	}
	have := knownOf(contacts, verified)
	k.Vulnerable, k.Confirmed = k.Vulnerable || have.Vulnerable, k.Confirmed || have.Confirmed
	for _, c := range contacts {
		k.Threat = k.Threat || slices.ContainsFunc(c.Signals, func(s bonafide.ContactSignal) bool { return s.Criteria == "K04" })
	}
	ids, err := tx.ComplaintsOf(ctx, d.tenant, row.Subject)
	if err != nil {
		return k, err
	}
	tags, err := d.tagsOn(ctx, tx, row.Subject, ids)
	if err != nil {
		return k, err
	}
	k.Tagged = len(tags) > 0
	track, err := tx.Track(ctx, d.tenant, complaint)
	if err != nil {
		return k, err
	}
	m, err := d.checkMerit(ctx, tx, d.tenant, row.Subject, track.Received, d.cfg.Now())
	k.Substantiated = m.Substantiated()
	return k, err
}

// readContact reads a conversation and where it stands.
func readContact(ctx context.Context, tx *store.Tx, t bonafide.Tenant, id string) (contact.Conversation, store.SheetRow, error) {
	row, err := tx.Sheet(ctx, t, store.SheetContact, id)
	if err != nil {
		return contact.Conversation{}, row, err
	}
	if len(row.Body) == 0 {
		return contact.Conversation{}, row, &bonafide.Error{Kind: bonafide.NotFound, Msg: "the content of this conversation was erased"}
	}
	var c contact.Conversation
	if err := json.Unmarshal(row.Body, &c); err != nil {
		return c, row, fmt.Errorf("contact %s: %w", id, err)
	}
	return c, row, nil
}

// Talk reads a conversation, where it stands in its script, and its version. It is read
// only: of a script that changed since, what was recorded stays.
func (e *Engine) Talk(ctx context.Context, tx *store.Tx, t bonafide.Tenant, id string) (c contact.Conversation, talk contact.Talk, version int, err error) {
	c, row, err := readContact(ctx, tx, t, id)
	if err != nil {
		return c, talk, 0, err
	}
	s, err := contact.Load(c.Script)
	if err != nil {
		return c, talk, row.Version, nil // a script that is gone: the record says what it says
	}
	talk, err = s.Play(c.Facts, c.Answers)
	if err != nil && !c.Ended.IsZero() {
		err = nil
	}
	return c, talk, row.Version, err
}

// openContact locks and reads an open conversation that a person saw in a version, and its
// script.
func openContact(ctx context.Context, tx *store.Tx, t bonafide.Tenant, id string, version int) (c contact.Conversation, row store.SheetRow, s *contact.Script, err error) {
	if _, err := tx.Lock(ctx, t); err != nil {
		return c, row, nil, err
	}
	if c, row, err = readContact(ctx, tx, t, id); err != nil {
		return c, row, nil, err
	}
	switch {
	case row.Version != version:
		return c, row, nil, &bonafide.Error{Kind: bonafide.Conflict, Msg: "somebody else changed this meanwhile: look at it again"}
	case row.State != ContactOpen:
		return c, row, nil, &bonafide.Error{Kind: bonafide.Conflict, Msg: "the conversation has ended: what was said stays as it is"}
	}
	s, err = contact.Load(c.Script)
	return c, row, s, err
}

// changeContact changes an open conversation that a person saw in a version.
func (e *Engine) changeContact(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, version int, action string, change func(tx *store.Tx, c *contact.Conversation, row *store.SheetRow, s *contact.Script) error) error {
	return e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		c, row, s, err := openContact(ctx, tx, t, id, version)
		if err != nil {
			return err
		}
		if err := change(tx, &c, &row, s); err != nil {
			return err
		}
		return saveContact(ctx, tx, t, by, c, row, action)
	})
}

// AnswerContact adds an answer to a conversation.
func (e *Engine) AnswerContact(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, version int, a bonafide.Answer) error {
	a.At = e.cfg.Now().UTC()
	if err := brief("note", a.Note); err != nil {
		return err
	}
	return e.changeContact(ctx, t, by, id, version, "answered", func(_ *store.Tx, c *contact.Conversation, _ *store.SheetRow, s *contact.Script) error {
		c.Answers = append(c.Answers, a)
		talk, err := s.Play(c.Facts, c.Answers)
		if err != nil {
			return err
		}
		c.Established, c.Signals = talk.Established, talk.Signals
		return nil
	})
}

// maxBrief bounds what a person writes at once, in runes.
const maxBrief = 4000

func brief(field, s string) error {
	if utf8.RuneCountInString(s) > maxBrief {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: field + ": longer than 4000 characters"}
	}
	return nil
}

// BackContact takes the last answer back, while the conversation goes on.
func (e *Engine) BackContact(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, version int) error {
	return e.changeContact(ctx, t, by, id, version, "stepped-back", func(_ *store.Tx, c *contact.Conversation, _ *store.SheetRow, s *contact.Script) error {
		if len(c.Answers) == 0 {
			return &bonafide.Error{Kind: bonafide.Conflict, Msg: "nothing was answered yet"}
		}
		c.Answers = c.Answers[:len(c.Answers)-1]
		talk, err := s.Play(c.Facts, c.Answers)
		c.Established, c.Signals = talk.Established, talk.Signals
		return err
	})
}

// EndContact ends a conversation. At an end of its script what the end says follows:
// a step of the complaint's own track that is possible, verifications to do, a flag
// for somebody who needs care. Before one the conversation was broken off, and nothing
// follows but what was said.
func (e *Engine) EndContact(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, version int) error {
	d, err := e.desk(ctx, t)
	if err != nil {
		return err
	}
	now := e.cfg.Now().UTC().Truncate(time.Microsecond)
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		c, row, s, err := openContact(ctx, tx, t, id, version)
		if err != nil {
			return err
		}
		talk, err := s.Play(c.Facts, c.Answers)
		if err != nil { // another version of the script: what was recorded stays, and nothing follows
			talk = contact.Talk{Established: c.Established, Signals: c.Signals}
		}
		c.Ended, row.State = now, ContactBrokenOff
		c.Established, c.Signals = talk.Established, talk.Signals
		if talk.Vulnerable {
			c.Established.Vulnerability = "flagged"
		}
		if talk.End != nil {
			c.End, row.State = talk.End.ID, ContactEnded
		}
		if err := saveContact(ctx, tx, t, by, c, row, "ended"); err != nil {
			return err
		}
		if c.Complaint == "" {
			return nil
		}
		if talk.End != nil {
			if err := d.follow(ctx, tx, by, c, *talk.End, now); err != nil {
				return err
			}
		}
		return d.learnKnown(ctx, tx, by, c.Complaint)
	})
	if err == nil {
		e.wake()
	}
	return err
}

// follow does what an end of a script says.
func (d *desk) follow(ctx context.Context, tx *store.Tx, by bonafide.Actor, c contact.Conversation, end contact.End, now time.Time) error {
	if verb := casework.Verb(end.Track); verb != "" {
		if err := d.stepOn(ctx, tx, by, c.Complaint, verb, now); err != nil {
			return err
		}
	}
	open, err := d.openTasks(ctx, tx, c.Complaint)
	if err != nil {
		return err
	}
	for _, v := range end.Verify {
		if open[string(v.Kind)+" "+v.About] {
			continue // it is being done already
		}
		task := bonafide.Verification{Complaint: c.Complaint, Kind: v.Kind, About: v.About, Reason: "contact:" + c.ID}
		if _, err := d.addVerification(ctx, tx, by, task, now); err != nil {
			return err
		}
	}
	return nil
}

// stepOn moves a complaint's own track where it may be moved so. A script's ends know
// two verbs, neither of which ends, delays or declines anything.
func (d *desk) stepOn(ctx context.Context, tx *store.Tx, by bonafide.Actor, complaint string, verb casework.Verb, now time.Time) error {
	row, err := tx.Track(ctx, d.tenant, complaint)
	if err != nil {
		return err
	}
	track, pack, err := d.TrackOf(row)
	if err != nil {
		return err
	}
	verbs := []casework.Verb{verb}
	if verb == casework.CheckAuthority && slices.Contains(pack.Can(track, now), casework.Register) {
		verbs = []casework.Verb{casework.Register, verb} // nothing is checked before it is registered
	}
	for _, v := range verbs {
		if !slices.Contains(pack.Can(track, now), v) {
			continue
		}
		next, step, err := pack.Move(track, casework.Act{Verb: v, By: by.ID}, now)
		if err != nil {
			return err
		}
		body, err := json.Marshal(casework.Line{Step: step})
		if err != nil {
			return fmt.Errorf("write step: %w", err)
		}
		row = trackRow(next, row, now)
		row.Version++
		if err := tx.SaveTrack(ctx, d.tenant, by, row, string(v), body); err != nil {
			return err
		}
		track = next
	}
	return nil
}

// Hand begins the conversation for a call that a telephone system hands over.
// Identifiers, the customer number and the complaint are what it knows of the caller;
// script may be empty for the one that fits.
func (e *Engine) Hand(ctx context.Context, tx *store.Tx, t bonafide.Tenant, by bonafide.Actor, ids []bonafide.Identifier, customerRef, complaint, script, lang string) (contact.Handover, error) {
	var h contact.Handover
	d, err := e.desk(ctx, t)
	if err != nil {
		return h, err
	}
	targets, err := e.Targets(ctx, t, ids, customerRef, complaint)
	if err != nil {
		return h, err
	}
	subject := ""
	if complaint != "" {
		if subject, err = tx.SubjectOf(ctx, t, complaint); err != nil {
			return h, err
		}
	}
	for _, x := range targets {
		if x.Kind == bonafide.OnCustomer && subject == "" {
			subject = x.ID
		}
	}
	if subject != "" {
		open, err := tx.OpenComplaints(ctx, t, []string{subject})
		if err != nil {
			return h, err
		}
		for _, a := range open {
			h.Complaints = append(h.Complaints, a.ID)
		}
		if complaint == "" && len(h.Complaints) == 1 { // of several nobody knows yet which
			complaint = h.Complaints[0]
		}
	}
	if h.Tags, err = tx.TagsOn(ctx, t, targets, e.cfg.Now()); err != nil {
		return h, err
	}
	received := e.cfg.Now()
	if complaint != "" {
		row, err := tx.Track(ctx, t, complaint)
		if err != nil {
			return h, err
		}
		received = row.Received
	}
	known, err := d.calledFrom(ctx, tx, subject, ids, received)
	if err != nil {
		return h, err
	}
	if h.Known, err = d.facts(ctx, tx, complaint, known); err != nil {
		return h, err
	}
	h.Known.Tagged = h.Known.Tagged || len(h.Tags) > 0
	h.Known.Customer = h.Known.Customer || subject != ""
	h.Script = script
	if script == "" {
		h.Script = contact.Suggest(h.Known)
	}
	s, err := contact.Load(h.Script)
	if err != nil {
		return h, err
	}
	c := contact.Conversation{Facts: h.Known, Contact: bonafide.Contact{
		ID: e.cfg.DB.NewID(), Complaint: complaint, Script: s.ID, Version: s.Version, Lang: lang, Direction: s.Direction, Known: known, By: by.ID, Started: e.cfg.Now().UTC(),
	}}
	h.Contact = c.ID
	return h, saveContact(ctx, tx, t, by, c, store.SheetRow{State: ContactOpen, Subject: subject}, "begun")
}

// calledFrom reports whether a call came from a number that the lender's record of the
// customer had before the dispute began, and that no complaint of it came with. A number
// can be forged on its way: it adds a question less, and proves nothing.
func (d *desk) calledFrom(ctx context.Context, tx *store.Tx, subject string, ids []bonafide.Identifier, received time.Time) (bool, error) {
	if subject == "" {
		return false, nil
	}
	before, came, err := d.dispute(ctx, tx, subject, received)
	if err != nil {
		return false, err
	}
	was, err := d.registered(ctx, tx, subject, before)
	if err != nil {
		return false, err
	}
	for _, o := range contact.Ways(bonafide.VerifyIdentity, before, was, came) {
		for _, id := range ids {
			if o.Refused == "" && o.Value != "" && d.same(kindOf(o.Way), o.Value, id) {
				return true, nil
			}
		}
	}
	return false, nil
}

// same reports whether two spellings are of one identifier.
func (d *desk) same(kind bonafide.IdentifierKind, value string, id bonafide.Identifier) bool {
	if kind != id.Kind {
		return false
	}
	k := d.live.Keeper()
	a, okA := k.Filed(bonafide.Identifier{Kind: kind, Value: value})
	b, okB := k.Filed(id)
	if okA && okB {
		return a.Key == b.Key
	}
	return strings.EqualFold(strings.TrimSpace(value), strings.TrimSpace(id.Value))
}

func kindOf(w bonafide.Way) bonafide.IdentifierKind {
	switch w {
	case bonafide.ByPhone:
		return bonafide.Phone
	case bonafide.ByEmail:
		return bonafide.Email
	case bonafide.ByPost:
		return bonafide.Address
	}
	return ""
}
