package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"bonafide"
	"bonafide/contact"
	"bonafide/store"
)

// Front is what the front line needs of the engine.
type Front interface {
	Merit(ctx context.Context, tx *store.Tx, t bonafide.Tenant, complaint string) (*bonafide.Merit, error)
	Hand(ctx context.Context, tx *store.Tx, t bonafide.Tenant, by bonafide.Actor, ids []bonafide.Identifier, customerRef, complaint, script, lang string) (contact.Handover, error)
	Talk(ctx context.Context, tx *store.Tx, t bonafide.Tenant, id string) (contact.Conversation, contact.Talk, int, error)
}

// merit shows what the lender's records say of a complaint. It says nothing of whom
// they are about, and nothing that is suspected.
func (a *api) merit(w http.ResponseWriter, r *http.Request, who caller) error {
	ctx, id := r.Context(), r.PathValue("id")
	var m *bonafide.Merit
	err := a.Store.Update(ctx, func(tx *store.Tx) (err error) {
		if m, err = a.Front.Merit(ctx, tx, who.tenant, id); err != nil {
			return err
		}
		return tx.Record(ctx, who.tenant, who.actor, "merit.viewed", "complaint:"+id, nil)
	})
	if err != nil {
		return err
	}
	if m == nil {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: "no rules are known for this jurisdiction: a person looks at the records"}
	}
	return answer(w, http.StatusOK, m)
}

// listIncidents lists the breaches of the lender's own that many complain of.
func (a *api) listIncidents(w http.ResponseWriter, r *http.Request, who caller) error {
	ctx := r.Context()
	out := struct {
		Items []bonafide.Incident `json:"items"`
	}{[]bonafide.Incident{}}
	err := a.Store.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.Incidents(ctx, who.tenant)
		if err != nil {
			return err
		}
		out.Items = out.Items[:0]
		for _, row := range rows {
			inc, err := row.Read()
			if err != nil {
				return err
			}
			out.Items = append(out.Items, inc)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, out)
}

// A scriptView is a call script as telephone systems list it.
type scriptView struct {
	ID         string `json:"id"`
	Version    string `json:"version"`
	Title      string `json:"title"`
	Direction  string `json:"direction"`
	NeedsKnown bool   `json:"needs_known_channel"`
}

// listScripts lists the call scripts.
func (a *api) listScripts(w http.ResponseWriter, _ *http.Request, _ caller) error {
	var out struct {
		Items []scriptView `json:"items"`
	}
	for _, id := range contact.List() {
		s, err := contact.Load(id)
		if err != nil {
			return err
		}
		out.Items = append(out.Items, scriptView{s.ID, s.Version, s.Titles.In("en"), s.Direction, s.NeedsKnown})
	}
	return answer(w, http.StatusOK, out)
}

// A handoverView is what a telephone system shows whoever takes a call.
type handoverView struct {
	Contact    string         `json:"contact"`
	Script     string         `json:"script"`
	Open       string         `json:"open"` // the address in the console
	Tagged     bool           `json:"tagged"`
	Vulnerable bool           `json:"vulnerable"`
	Known      bool           `json:"known_number"`
	Complaints []string       `json:"complaints"`
	Tags       []bonafide.Tag `json:"tags"`
}

// handover takes a call over from a telephone system: it begins the conversation that
// fits. What identifies the caller is compared as keyed hashes and not kept.
func (a *api) handover(w http.ResponseWriter, r *http.Request, who caller) error {
	var in struct {
		Identifiers []bonafide.Identifier `json:"identifiers"`
		CustomerRef string                `json:"customer_ref"`
		Complaint   string                `json:"complaint"`
		Script      string                `json:"script"`
		Lang        string                `json:"lang"`
		Purpose     string                `json:"purpose"`
	}
	body, err := a.read(w, r, &in)
	if err != nil {
		return err
	}
	if err := words("purpose", in.Purpose, maxWords); err != nil {
		return err
	}
	if len(in.Identifiers) > maxIdentifiers {
		return wrong("identifiers", "more than "+strconv.Itoa(maxIdentifiers))
	}
	for i, id := range in.Identifiers {
		if err := identifier("identifiers["+strconv.Itoa(i)+"]", id); err != nil {
			return err
		}
	}
	for _, f := range [...]struct{ field, value string }{{"customer_ref", in.CustomerRef}, {"complaint", in.Complaint}, {"script", in.Script}} {
		if f.value != "" && !bonafide.ValidID(f.value) {
			return wrong(f.field, "not 1 to 128 characters of UTF-8 without control characters")
		}
	}
	if len(in.Lang) > 35 {
		return wrong("lang", "longer than 35 characters")
	}
	if in.Script != "" {
		if _, err := contact.Load(in.Script); err != nil {
			return wrong("script", "there is no such script: GET /v1/scripts lists them")
		}
	}
	return a.change(w, r, who, body, http.StatusCreated, func(ctx context.Context, tx *store.Tx) (any, error) {
		h, err := a.Front.Hand(ctx, tx, who.tenant, who.actor, in.Identifiers, in.CustomerRef, in.Complaint, in.Script, in.Lang)
		if err != nil {
			return nil, err
		}
		// What the key may not look up otherwise it is not told here either.
		if !who.actor.May(bonafide.ScopeTagsLookup) {
			h.Tags, h.Known.Tagged = nil, false
		}
		if !who.actor.May(bonafide.ScopeComplaintsRead) {
			h.Complaints = nil
		}
		ids := make([]string, len(h.Tags))
		for i, t := range h.Tags {
			ids[i] = t.ID
		}
		entry := map[string]any{"purpose": in.Purpose, "identifiers": len(in.Identifiers), "customer": in.CustomerRef != "", "tags": ids}
		if err := tx.Record(ctx, who.tenant, who.actor, "contact.handed-over", "contact:"+h.Contact, entry); err != nil {
			return nil, err
		}
		return handoverView{
			Contact: h.Contact, Script: h.Script, Open: "/contacts/" + h.Contact, Tagged: h.Known.Tagged, Vulnerable: h.Known.Vulnerable,
			Known: h.Known.KnownNumber, Complaints: noNull(h.Complaints), Tags: noNull(h.Tags),
		}, nil
	})
}

// noNull is a list that is never null in JSON.
func noNull[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// A contactView is a conversation without the notes of who led it.
type contactView struct {
	ID          string                   `json:"id"`
	Complaint   string                   `json:"complaint,omitempty"`
	Script      string                   `json:"script"`
	Version     string                   `json:"version"`
	Direction   string                   `json:"direction"`
	Known       bool                     `json:"known,omitempty"`
	State       string                   `json:"state"`
	Started     time.Time                `json:"started"`
	Ended       time.Time                `json:"ended,omitzero"`
	End         string                   `json:"end,omitempty"`
	Answers     []answerView             `json:"answers"`
	Established bonafide.Established     `json:"established"`
	Signals     []bonafide.ContactSignal `json:"signals"`
}

type answerView struct {
	Step   string `json:"step"`
	Choice string `json:"choice"`
}

// oneContact shows what a conversation established.
func (a *api) oneContact(w http.ResponseWriter, r *http.Request, who caller) error {
	ctx, id := r.Context(), r.PathValue("id")
	var v contactView
	err := a.Store.Update(ctx, func(tx *store.Tx) error {
		c, _, _, err := a.Front.Talk(ctx, tx, who.tenant, id)
		if err != nil {
			return err
		}
		row, err := tx.Sheet(ctx, who.tenant, store.SheetContact, id)
		if err != nil {
			return err
		}
		v = contactView{
			ID: c.ID, Complaint: c.Complaint, Script: c.Script, Version: c.Version, Direction: c.Direction, Known: c.Known, State: row.State,
			Started: c.Started, Ended: c.Ended, End: c.End, Answers: []answerView{}, Established: c.Established, Signals: noNull(c.Signals),
		}
		for _, x := range c.Answers {
			v.Answers = append(v.Answers, answerView{x.Step, x.Choice})
		}
		return tx.Record(ctx, who.tenant, who.actor, "contact.viewed", "contact:"+id, nil)
	})
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, v)
}
