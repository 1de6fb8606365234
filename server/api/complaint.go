package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"bonafide"
	"bonafide/intake"
	"bonafide/server"
	"bonafide/server/strict"
	"bonafide/store"
)

// parseComplaint reads one complaint: its form by the letter of the contract, its
// content by the rules of intake.
func parseComplaint(b []byte) (*bonafide.Complaint, error) {
	if err := strict.Decode(b, new(bonafide.Complaint), strict.Limits{}); err != nil {
		return nil, err
	}
	return intake.ParseComplaint(b)
}

// A taken complaint is the answer to one handed in.
type taken struct {
	ID        string              `json:"id"`
	Status    bonafide.PutStatus  `json:"status"`
	Seq       int64               `json:"seq,omitempty"`
	Queued    bool                `json:"queued,omitempty"`
	Screening *bonafide.Screening `json:"screening,omitempty"`
}

func takenOf(rc Receipt) taken {
	return taken{ID: rc.ID, Status: rc.Status, Seq: rc.Seq, Queued: rc.Queued, Screening: rc.Screening}
}

// addComplaint takes one complaint.
func (a *api) addComplaint(w http.ResponseWriter, r *http.Request, who caller) error {
	ctx := r.Context()
	body, err := server.ReadBody(w, r, server.JSON, a.Limits.Body)
	if err != nil {
		return err
	}
	c, err := parseComplaint(body)
	if err != nil {
		return refused(err)
	}
	q, err := a.asked(r, who, body)
	if err != nil {
		return err
	}
	if y, found, err := a.before(ctx, who, q); err != nil {
		return err
	} else if found {
		return y.write(w)
	}
	in := Submission{Complaint: c}
	if q != nil {
		in.Once = &Once{Key: q.key, Digest: q.digest, Answer: func(rc Receipt) store.Answer {
			b, err := json.Marshal(takenOf(rc))
			if err != nil {
				panic(err) // a screening is plain data
			}
			return store.Answer{Key: q.key, Digest: q.digest, Status: http.StatusCreated, Body: b, Expires: q.expires}
		}}
	}
	got, err := a.Intake.Submit(ctx, who.tenant, who.actor, []Submission{in})
	if err != nil {
		return err
	}
	if len(got) != 1 {
		return fmt.Errorf("submit one complaint: %d receipts", len(got))
	}
	rc := got[0]
	if rc.Replayed != nil {
		return reply{status: rc.Replayed.Status, body: rc.Replayed.Body, replayed: true}.write(w)
	}
	switch rc.Status {
	case bonafide.PutCreated:
		return answer(w, http.StatusCreated, takenOf(rc))
	case bonafide.PutUnchanged:
		return a.repeat(ctx, w, who, q, takenOf(rc))
	case bonafide.PutConflict:
		// Another request with the same key may have come in between.
		if y, found, err := a.before(ctx, who, q); err != nil {
			return err
		} else if found {
			return y.write(w)
		}
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: rc.Msg}
	}
	return fmt.Errorf("submit one complaint: status %q", rc.Status)
}

// repeat answers that a complaint was here already. Nothing was changed, so the
// answer is kept in a transaction of its own.
func (a *api) repeat(ctx context.Context, w http.ResponseWriter, who caller, q *ask, v taken) error {
	y, err := rendered(http.StatusOK, v)
	if err != nil {
		return err
	}
	if q != nil {
		err := a.Store.Update(ctx, func(tx *store.Tx) error { return keep(ctx, tx, who, q, y) })
		if err != nil && !errors.Is(err, bonafide.Conflict) { // the same request, sent twice at once, has kept it
			return err
		}
	}
	return y.write(w)
}

// A complaintView is a complaint as it is shown. Content is given only where it was
// asked for with a purpose.
type complaintView struct {
	ID        string          `json:"id"`
	Seq       int64           `json:"seq"`
	Received  time.Time       `json:"received,omitzero"`
	Stored    time.Time       `json:"stored"`
	Channel   string          `json:"channel,omitempty"`
	Customer  string          `json:"customer,omitempty"` // id of the customer: a keyed hash
	State     string          `json:"state"`
	Screening json.RawMessage `json:"screening,omitempty"`
	Verdict   json.RawMessage `json:"verdict,omitempty"`
	Rings     []string        `json:"rings,omitempty"`
	Content   json.RawMessage `json:"content,omitempty"`
}

func viewOf(c store.ComplaintRow) complaintView {
	return complaintView{
		ID: c.ID, Seq: c.Seq, Received: utc(c.Received), Stored: utc(c.Stored), Channel: c.Channel, Customer: c.Subject, State: c.State, Screening: raw(c.Screening),
	}
}

// listComplaints lists complaints in the order of storing.
func (a *api) listComplaints(w http.ResponseWriter, r *http.Request, who caller) error {
	ctx := r.Context()
	after, limit, err := page(r, 0)
	if err != nil {
		return err
	}
	var rows []store.ComplaintRow
	err = a.Store.View(ctx, func(tx *store.Tx) (err error) {
		rows, err = tx.Complaints(ctx, who.tenant, after, limit)
		return err
	})
	if err != nil {
		return err
	}
	views := make([]complaintView, len(rows))
	for i, c := range rows {
		views[i] = viewOf(c)
		views[i].Screening = nil
	}
	return answer(w, http.StatusOK, paged(views, limit, func(v complaintView) int64 { return v.Seq }))
}

// gone reports whether an error of reading says only that the content of a row was
// erased, and the content is not asked for.
func gone(err error, content bool, row string) bool {
	return errors.Is(err, bonafide.NotFound) && row != "" && !content
}

// oneComplaint shows one complaint: where it stands, what its comparison found and
// what is proposed, and with a purpose its content. The reveal is logged before
// it is shown.
func (a *api) oneComplaint(w http.ResponseWriter, r *http.Request, who caller) error {
	ctx, id := r.Context(), r.PathValue("id")
	purpose, content, err := reveal(r)
	if err != nil {
		return err
	}
	var v complaintView
	show := func(tx *store.Tx) error {
		c, err := tx.Complaint(ctx, who.tenant, id)
		if err != nil && !gone(err, content, c.ID) {
			return err
		}
		v = viewOf(c)
		verdict, err := tx.Verdict(ctx, who.tenant, id)
		if err != nil && !errors.Is(err, bonafide.NotFound) {
			return err
		}
		v.Verdict = raw(verdict.Body)
		rings, err := tx.RingsOf(ctx, who.tenant, []string{id})
		if err != nil {
			return err
		}
		v.Rings = rings[id]
		if !content {
			return nil
		}
		v.Content = raw(c.Body)
		return tx.Record(ctx, who.tenant, who.actor, "complaint.revealed", "complaint:"+id, map[string]string{"purpose": purpose})
	}
	if content {
		err = a.Store.Update(ctx, show)
	} else {
		err = a.Store.View(ctx, show)
	}
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, v)
}

// addComplaints takes a stream of complaints.
func (a *api) addComplaints(w http.ResponseWriter, r *http.Request, who caller) error {
	s := stream[*bonafide.Complaint]{a: a, parse: parseComplaint}
	s.put = func(ctx context.Context, in []*bonafide.Complaint) ([]lineAnswer, error) {
		batch := make([]Submission, len(in))
		for i, c := range in {
			batch[i] = Submission{Complaint: c}
		}
		got, err := a.Intake.Submit(ctx, who.tenant, who.actor, batch)
		if err != nil {
			return nil, err
		}
		out := make([]lineAnswer, len(got))
		for i, rc := range got {
			out[i] = lineAnswer{ID: rc.ID, Status: rc.Status, Seq: rc.Seq, Queued: rc.Queued, Reason: rc.Msg}
			if rc.Screening != nil {
				out[i].Level, out[i].Links = rc.Screening.Level, len(rc.Screening.Links)+rc.Screening.More
			}
		}
		return out, nil
	}
	return s.serve(w, r, who)
}
