package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"bonafide"
	"bonafide/store"
)

// A ringView is a ring as it is shown. Ring is the whole finding, given where one ring
// is asked for.
type ringView struct {
	ID        string          `json:"id"`
	State     string          `json:"state"`
	Level     string          `json:"level"`
	Size      int             `json:"size"`
	Customers int             `json:"customers"`
	Found     bool            `json:"found"` // the last grouping found it again
	Created   time.Time       `json:"created"`
	Updated   time.Time       `json:"updated"`
	Reason    string          `json:"reason,omitempty"`
	Ring      json.RawMessage `json:"ring,omitempty"`
}

func ringOf(r store.RingRow) ringView {
	return ringView{
		ID: r.ID, State: r.State, Level: r.Level, Size: r.Size, Customers: r.Customers, Found: r.Found,
		Created: utc(r.Created), Updated: utc(r.Updated), Reason: r.Reason,
	}
}

var ringStates = []string{
	string(bonafide.RingProposed), string(bonafide.RingIsFirm), string(bonafide.RingIsCleared), string(bonafide.RingIsMerged), string(bonafide.RingIsNoLonger),
}

// listRings lists rings by id.
func (a *api) listRings(w http.ResponseWriter, r *http.Request, who caller) error {
	ctx := r.Context()
	state, err := oneOf(r, "state", ringStates...)
	if err != nil {
		return err
	}
	after, limit, err := pageAfter(r)
	if err != nil {
		return err
	}
	var rows []store.RingRow
	err = a.Store.View(ctx, func(tx *store.Tx) (err error) {
		rows, err = tx.Rings(ctx, who.tenant, state, after, limit)
		return err
	})
	if err != nil {
		return err
	}
	views := make([]ringView, len(rows))
	for i, row := range rows {
		views[i] = ringOf(row)
	}
	return answer(w, http.StatusOK, paged(views, limit, func(v ringView) string { return v.ID }))
}

// oneRing shows a ring with everything it rests on.
func (a *api) oneRing(w http.ResponseWriter, r *http.Request, who caller) error {
	ctx := r.Context()
	var v ringView
	err := a.Store.View(ctx, func(tx *store.Tx) error {
		row, err := tx.Ring(ctx, who.tenant, r.PathValue("id"))
		v = ringOf(row)
		v.Ring = raw(row.Body)
		return err
	})
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, v)
}

// ringHistory shows what happened to a ring, the oldest first.
func (a *api) ringHistory(w http.ResponseWriter, r *http.Request, who caller) error {
	ctx, id := r.Context(), r.PathValue("id")
	var events []bonafide.Event
	err := a.Store.View(ctx, func(tx *store.Tx) error {
		if _, err := tx.Ring(ctx, who.tenant, id); err != nil {
			return err
		}
		var err error
		events, err = tx.RingEvents(ctx, who.tenant, id)
		return err
	})
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, paged(events, 0, func(e bonafide.Event) int64 { return e.Seq }))
}

// A decidedRing is the answer to a decision.
type decidedRing struct {
	ID    string             `json:"id"`
	State bonafide.RingState `json:"state"`
}

// decide takes a person's decision about a ring.
func decide(verb bonafide.Verb) handler {
	return func(a *api, w http.ResponseWriter, r *http.Request, who caller) error {
		id := r.PathValue("id")
		var in struct {
			Reason   string `json:"reason"`
			Innocent string `json:"innocent"`
		}
		body, err := a.read(w, r, &in)
		if err != nil {
			return err
		}
		if err := words("reason", in.Reason, maxWords); err != nil {
			return err
		}
		if err := words("innocent", in.Innocent, 2*maxWords); err != nil {
			return err
		}
		return a.decided(w, r, who, body, func(ctx context.Context, keep func(*store.Tx, any) error) error {
			return a.Decider.Decide(ctx, who.tenant, who.actor, id, Decision{Verb: verb, Reason: in.Reason, Innocent: in.Innocent}, func(tx *store.Tx, state bonafide.RingState) error {
				return keep(tx, decidedRing{ID: id, State: state})
			})
		})
	}
}
