package console

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"bonafide"
	"bonafide/store"
)

func readJSON(b []byte, to any) error {
	if err := json.Unmarshal(b, to); err != nil {
		return fmt.Errorf("read what is stored: %w", err)
	}
	return nil
}

// ringsPage lists rings.
type ringsPage struct {
	State  string
	States []bonafide.RingState
	Rows   []ringRow
	Next   string

	Incidents incidentCount // they are told first
}

type ringRow struct {
	store.RingRow
	Why      []string
	Families []bonafide.Family
	First    bool // one of two people confirmed it
}

func (k *Console) rings(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx, q := r.Context(), r.URL.Query()
	page := ringsPage{State: q.Get("state"), States: []bonafide.RingState{bonafide.RingProposed, bonafide.RingIsFirm, bonafide.RingIsCleared, bonafide.RingIsMerged, bonafide.RingIsNoLonger}}
	if !slices.Contains(page.States, bonafide.RingState(page.State)) {
		page.State = string(bonafide.RingProposed)
	}
	after := q.Get("after")
	if after != "" && !bonafide.ValidID(after) {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "the address asks for a list that there is not"}
	}
	err := k.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		if page.Incidents, err = k.countIncidents(ctx, tx, who.tenant); err != nil {
			return err
		}
		rows, err := tx.RingHeads(ctx, who.tenant, page.State, after, pageRows+1)
		if err != nil {
			return err
		}
		if len(rows) > pageRows {
			page.Next = rows[pageRows-1].ID
			rows = rows[:pageRows]
		}
		for _, row := range rows {
			var body bonafide.Ring
			if err := readJSON(row.Body, &body); err != nil {
				return err
			}
			page.Rows = append(page.Rows, ringRow{row, body.Why, body.Families, confirmedOnce(row, body)})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return k.ok(w, r, who, "rings", page)
}

func confirmedOnce(row store.RingRow, body bonafide.Ring) bool {
	n := len(body.Decisions)
	return row.State == string(bonafide.RingProposed) && n > 0 && body.Decisions[n-1].Verb == bonafide.Confirm
}

// ringPage shows one ring.
type ringPage struct {
	Row       store.RingRow
	Ring      bonafide.Ring
	Picture   *picture
	Ties      []tieRow
	TiesFrom  int
	TiesMore  int
	Decisions []decision
	History   []happened
	Tags      int
	First     *decision // who confirmed it where a second has to
	Mine      bool      // and it was the visitor
	NeedsTwo  bool
	Verbs     []bonafide.Verb
	Open      int // group of the picture that is opened, from 1
	Labels    map[string]string
	Cases     []caseLink // that it stands in
}

// tieRow is one member of a ring.
type tieRow struct {
	bonafide.Tie
	Things []string // labels of what it shares
	Track  store.Found
}

// decision is what a person decided, with their name.
type decision struct {
	bonafide.Decision
	Who string
}

const tieRows = 100

func (k *Console) ring(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx, id := r.Context(), r.PathValue("id")
	if !bonafide.ValidID(id) {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such ring"}
	}
	page := &ringPage{Open: number(r, "open"), TiesFrom: number(r, "from")}
	err := k.looked(ctx, who, "ring", id, "", func(tx *store.Tx) error {
		row, err := tx.Ring(ctx, who.tenant, id)
		if err != nil {
			return err
		}
		page.Row = row
		if page.Cases, err = k.standsIn(ctx, tx, who, "ring", id); err != nil {
			return err
		}
		page.Ring = bonafide.Ring{}
		if err := readJSON(row.Body, &page.Ring); err != nil {
			return err
		}
		if page.Decisions, err = k.decisions(ctx, tx, who, row); err != nil {
			return err
		}
		events, err := tx.RingEvents(ctx, who.tenant, id)
		if err != nil {
			return err
		}
		page.History = story(events)
		if page.Tags, err = tx.CountTags(ctx, who.tenant, id, k.Now()); err != nil {
			return err
		}
		ties := slices.Clone(page.Ring.Ties)
		slices.SortStableFunc(ties, func(a, b bonafide.Tie) int {
			return cmp.Or(a.Received.Compare(b.Received), cmp.Compare(a.Complaint, b.Complaint))
		})
		page.Ring.Ties = ties
		page.TiesFrom = min(page.TiesFrom, max(0, len(ties)-1))
		some := ties[page.TiesFrom:min(len(ties), page.TiesFrom+tieRows)]
		page.TiesMore = len(ties) - page.TiesFrom - len(some)
		ids := make([]string, len(some))
		for i, t := range some {
			ids[i] = t.Complaint
		}
		found, err := tx.FoundByID(ctx, who.tenant, ids)
		if err != nil {
			return err
		}
		holds := make([]map[string]bool, len(page.Ring.Shared))
		for i, s := range page.Ring.Shared {
			holds[i] = make(map[string]bool, len(s.Members))
			for _, m := range s.Members {
				holds[i][m] = true
			}
		}
		page.Ties = nil // this may run again
		for _, t := range some {
			row := tieRow{Tie: t, Track: found[t.Complaint]}
			for i, s := range page.Ring.Shared {
				if holds[i][t.Complaint] {
					row.Things = append(row.Things, s.Label)
				}
			}
			page.Ties = append(page.Ties, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	page.History = page.History[:min(len(page.History), 200)]
	page.Picture = draw(who.tongue, &page.Ring, page.Open)
	page.NeedsTwo = bonafide.Level(page.Row.Level) == bonafide.Level1
	if n := len(page.Decisions); confirmedOnce(page.Row, page.Ring) && n > 0 {
		page.First = &page.Decisions[n-1]
		page.Mine = page.First.By == who.actor.ID
	}
	switch bonafide.RingState(page.Row.State) {
	case bonafide.RingProposed:
		page.Verbs = []bonafide.Verb{bonafide.Clear, bonafide.Confirm}
	case bonafide.RingIsFirm, bonafide.RingIsCleared:
		page.Verbs = []bonafide.Verb{bonafide.Reopen}
	}
	return k.ok(w, r, who, "ring", page)
}

// happened is something in a ring's history; of tags, several at once.
type happened struct {
	bonafide.Event
	Tags int // made, removed, renewed or expired together; 0 where it is about the ring
}

// story puts events in order, the last first, and those of tags that came together
// into one.
func story(events []bonafide.Event) []happened {
	var out []happened
	for _, e := range events {
		h := happened{Event: e}
		if strings.HasPrefix(string(e.Type), "tag.") {
			h.Tags, h.Reason, h.Count = 1, "", 0
			if n := len(out); n > 0 && out[n-1].Type == e.Type && e.At.Sub(out[n-1].At) < time.Minute {
				out[n-1].Tags++
				continue
			}
		}
		out = append(out, h)
	}
	slices.Reverse(out)
	return out
}

// decisions reads what people decided about a ring.
func (k *Console) decisions(ctx context.Context, tx *store.Tx, who *visit, row store.RingRow) ([]decision, error) {
	var body bonafide.Ring
	if err := readJSON(row.Body, &body); err != nil {
		return nil, err
	}
	names, err := k.actors(ctx, tx, who.tenant)
	if err != nil {
		return nil, err
	}
	var out []decision
	for _, d := range body.Decisions {
		out = append(out, decision{d, who.actorName(names, d.By)})
	}
	return out, nil
}

// Confirmers are the names of those whose confirmation holds.
func (p *ringPage) Confirmers() []string { return confirmers(p.Row, p.Decisions) }

// Confirmers are the names of those whose confirmation of the complaint's ring holds.
func (p *complaintPage) Confirmers() []string {
	if p.Ring == nil {
		return nil
	}
	return confirmers(*p.Ring, p.Decided)
}

func confirmers(row store.RingRow, ds []decision) []string {
	var out []string
	if row.State != string(bonafide.RingIsFirm) {
		return nil
	}
	for _, d := range slices.Backward(ds) {
		if d.Verb != bonafide.Confirm {
			break
		}
		out = append(out, cmp.Or(d.Who, d.By))
	}
	slices.Reverse(out)
	return out
}

// decideRing carries out what somebody decided, with the reason and the innocent
// explanations that they tested.
func (k *Console) decideRing(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx, id := r.Context(), r.PathValue("id")
	reason, err := words(r, "reason")
	if err != nil {
		return err
	}
	innocent, err := words(r, "innocent")
	if err != nil {
		return err
	}
	verb := bonafide.Verb(r.PostFormValue("verb"))
	key := "ring-" + string(verb)
	err = k.Decider.Decide(ctx, who.tenant, who.actor, id, verb, reason, innocent, func(_ *store.Tx, s bonafide.RingState) error {
		if verb == bonafide.Confirm && s == bonafide.RingProposed {
			key = "ring-first"
		}
		return nil
	})
	if err != nil {
		return err
	}
	return done(w, r, "/rings/"+id, key)
}

// cutLink records that two members of a ring are not linked.
func (k *Console) cutLink(w http.ResponseWriter, r *http.Request, who *visit) error {
	reason, err := words(r, "reason")
	if err != nil {
		return err
	}
	ctx, a, b := r.Context(), r.PostFormValue("a"), r.PostFormValue("b")
	if !bonafide.ValidID(a) || !bonafide.ValidID(b) {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "name the two complaints that are not linked"}
	}
	err = k.Store.View(ctx, func(tx *store.Tx) error { _, err := tx.Ring(ctx, who.tenant, r.PathValue("id")); return err })
	if err != nil {
		return err
	}
	if err := k.Decider.Apart(ctx, who.tenant, who.actor, a, b, reason, func(*store.Tx) error { return nil }); err != nil {
		return err
	}
	return done(w, r, "/rings/"+r.PathValue("id"), "cut")
}

// number reads a small number of the address, 0 where there is none.
func number(r *http.Request, name string) int {
	n := 0
	for _, c := range r.URL.Query().Get(name) {
		if c < '0' || c > '9' || n > 1_000_000 {
			return 0
		}
		n = 10*n + int(c-'0')
	}
	return n
}

// logView logs that a letter was looked at in a comparison.
func (k *Console) logView(r *http.Request, who *visit, id string, bodies map[string]bonafide.Complaint) error {
	if _, ok := bodies[id]; !ok {
		return nil
	}
	return k.looked(r.Context(), who, "complaint", id, "", func(*store.Tx) error { return nil })
}

// dayOf is the day of a moment in a zone, since 1970.
func dayOf(t time.Time, zone *time.Location) int64 {
	y, m, d := t.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400
}
