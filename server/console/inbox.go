package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"bonafide"
	"bonafide/casework"
	"bonafide/store"
)

// The inbox reads tracks and nothing else: what is suspected of a complaint has no part
// in whether it stands here, where, or until when.

// inbox is what the page shows.
type inbox struct {
	View     string // mine, unassigned, due, all
	State    string
	Channel  string
	Counts   map[string]string
	Rows     []inboxRow
	Next     string // query of the next page; "" where this is the last
	First    bool
	Query    string // of this list, for the filter that saves it
	Filters  []store.Filter
	States   []casework.State
	Channels []string
	More     bool
}

type inboxRow struct {
	store.TrackRow
	Assignee string // name
	Days     int    // left
	Past     bool
	Near     bool
	Clocked  bool
}

const (
	pageRows  = 50
	mostCount = 1000
	nearDays  = 3
)

var inboxViews = []string{"mine", "unassigned", "due", "all"}

// channels are the ways a complaint comes in, as a list offers them.
var channels = []string{"hotline", "regulator", "portal", "letter", "email", "app", "branch", "social", "court"}

func (k *Console) inbox(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx, q := r.Context(), r.URL.Query()
	page := inbox{
		View: q.Get("view"), State: q.Get("state"), Channel: q.Get("channel"), Counts: map[string]string{},
		States: casework.States, Channels: channels, First: q.Get("after") == "",
	}
	if !slices.Contains(inboxViews, page.View) {
		page.View = "mine"
	}
	if page.State != "" && !slices.Contains(casework.States, casework.State(page.State)) || page.Channel != "" && !slices.Contains(channels, page.Channel) {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "the address asks for a list that there is not"}
	}
	now := k.Now()
	f := k.inboxFilter(page.View, who, now)
	f.State, f.Channel, f.Limit = page.State, page.Channel, pageRows+1
	if after := q.Get("after"); after != "" {
		us, id, ok := strings.Cut(after, ".")
		n, err := strconv.ParseInt(us, 10, 64)
		if !ok || err != nil || !bonafide.ValidID(id) {
			return &bonafide.Error{Kind: bonafide.Invalid, Msg: "the address asks for a list that there is not"}
		}
		f.After = id
		if n > 0 {
			f.AfterDue = time.UnixMicro(n).UTC()
		}
	}
	err := k.Store.View(ctx, func(tx *store.Tx) error {
		names, err := k.names(ctx, tx, who.tenant)
		if err != nil {
			return err
		}
		rows, err := tx.Tracks(ctx, who.tenant, f)
		if err != nil {
			return err
		}
		page.More = len(rows) > pageRows
		for _, row := range rows[:min(len(rows), pageRows)] {
			v := inboxRow{TrackRow: row, Assignee: names[row.Assignee], Clocked: !row.Due.IsZero()}
			if v.Clocked {
				v.Days = k.Clocks.DaysLeft(row.Due, now)
				v.Past, v.Near = now.After(row.Due), v.Days <= nearDays
			}
			page.Rows = append(page.Rows, v)
		}
		for _, view := range inboxViews[:3] {
			n, err := tx.CountTracks(ctx, who.tenant, k.inboxFilter(view, who, now), mostCount)
			if err != nil {
				return err
			}
			page.Counts[view] = who.N(n)
			if n == mostCount {
				page.Counts[view] = who.N(mostCount-1) + "+"
			}
		}
		page.Filters, err = tx.Filters(ctx, who.tenant, who.person.ID)
		return err
	})
	if err != nil {
		return err
	}
	query := url.Values{"view": {page.View}}
	if page.State != "" {
		query.Set("state", page.State)
	}
	if page.Channel != "" {
		query.Set("channel", page.Channel)
	}
	page.Query = query.Encode()
	if page.More {
		last := page.Rows[len(page.Rows)-1]
		us := int64(0)
		if !last.Due.IsZero() {
			us = last.Due.UnixMicro()
		}
		query.Set("after", strconv.FormatInt(us, 10)+"."+last.Complaint)
		page.Next = query.Encode()
	}
	return k.ok(w, r, who, "inbox", page)
}

// inboxFilter is what one view of the inbox chooses.
func (k *Console) inboxFilter(view string, who *visit, now time.Time) store.TrackFilter {
	switch view {
	case "mine":
		return store.TrackFilter{Assignee: who.person.ID}
	case "unassigned":
		return store.TrackFilter{Unassigned: true}
	case "due":
		return store.TrackFilter{DueBefore: k.Clocks.Days(now, nearDays, false)}
	}
	return store.TrackFilter{}
}

// names maps the ids of people to their names.
func (k *Console) names(ctx context.Context, tx *store.Tx, t bonafide.Tenant) (map[string]string, error) {
	people, err := tx.People(ctx, t)
	out := make(map[string]string, len(people))
	for _, p := range people {
		out[p.ID] = p.Name
	}
	return out, err
}

// saveFilter keeps the list that somebody looks at under a name, or forgets it.
func (k *Console) saveFilter(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx := r.Context()
	f := store.Filter{Name: strings.TrimSpace(r.PostFormValue("name")), Query: r.PostFormValue("query")}
	q, err := url.ParseQuery(f.Query)
	if err != nil || f.Name == "" || len(f.Name) > 60 || len(f.Query) > 400 {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "a saved list needs a name of 1 to 60 characters"}
	}
	for name := range q {
		if !slices.Contains([]string{"view", "state", "channel"}, name) {
			return &bonafide.Error{Kind: bonafide.Invalid, Msg: "the address asks for a list that there is not"}
		}
	}
	if err := k.Store.Update(ctx, func(tx *store.Tx) error { return tx.PutFilter(ctx, who.tenant, who.actor, who.person.ID, f) }); err != nil {
		return err
	}
	return done(w, r, "/inbox?"+q.Encode(), "saved")
}
