// Package live is a page that shows what happens as it happens: complaints that
// arrive, what ties them, rings that form and grow, tags that follow. It is for the
// demonstration on made-up data: it asks for no key, so it is served nowhere else.
package live

import (
	"context"
	"embed"
	"encoding/json"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"bonafide"
	"bonafide/normalize"
	"bonafide/server"
	"bonafide/store"
)

//go:embed static
var static embed.FS

// Config says what is shown.
type Config struct {
	DB     *store.DB
	Tenant bonafide.Tenant
	Now    func() time.Time
	Log    *slog.Logger
}

// New returns the page and what it asks for.
func New(c Config) http.Handler {
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the folder is embedded
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", pages(http.FileServerFS(files)))
	mux.Handle("GET /live/state", server.Handle(c.Log, c.state))
	return mux
}

// pages sets the policy under which the page runs: its own files, nothing else.
func pages(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		next.ServeHTTP(w, r)
	})
}

// A State is everything the page shows.
type State struct {
	Now        time.Time        `json:"now"`
	Complaints int64            `json:"complaints"`
	Rings      []Ring           `json:"rings"`     // the latest first
	Arrived    []Arrival        `json:"arrived"`   // the latest first
	Events     []bonafide.Event `json:"events"`    // the latest first
	Tags       int              `json:"tags"`      // that warn
	MoreTags   bool             `json:"more_tags"` // there are more than that
	Entries    int64            `json:"entries"`   // of the log
}

// An Arrival is one complaint that arrived.
type Arrival struct {
	ID       string         `json:"id"`
	Channel  string         `json:"channel"`
	Stored   time.Time      `json:"stored"`
	Excerpt  string         `json:"excerpt"` // how the letter begins, what identifies people masked
	Compared int64          `json:"compared"`
	Links    int            `json:"links"`
	Why      []string       `json:"why"`
	Level    bonafide.Level `json:"level"`
	Route    bonafide.Route `json:"route"`
	Ring     string         `json:"ring"`
}

// A Ring is one that stands.
type Ring struct {
	ID        string                 `json:"id"`
	Level     bonafide.Level         `json:"level"`
	Members   []string               `json:"members"`
	Customers int                    `json:"customers"`
	Updated   time.Time              `json:"updated"`
	Created   time.Time              `json:"created"`
	Why       []string               `json:"why"`
	Innocent  []string               `json:"innocent"`
	Shared    []bonafide.SharedThing `json:"shared"`
}

// How much the page shows.
const (
	arrivals = 14
	rings    = 12
	events   = 14
	excerpt  = 130 // runes
)

// state answers what stands now.
func (c Config) state(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	s := State{Now: c.Now().UTC(), Rings: []Ring{}, Arrived: []Arrival{}, Events: []bonafide.Event{}}
	err := c.DB.View(ctx, func(tx *store.Tx) error {
		if err := c.arrived(ctx, tx, &s); err != nil {
			return err
		}
		if err := c.rings(ctx, tx, &s); err != nil {
			return err
		}
		const most = 1000
		tags, err := tx.Tags(ctx, c.Tenant, store.TagFilter{State: "live", Limit: most})
		if err != nil {
			return err
		}
		s.Tags, s.MoreTags = len(tags), len(tags) == most
		last, err := tx.CountEvents(ctx, c.Tenant)
		if err != nil {
			return err
		}
		if s.Events, err = tx.Events(ctx, c.Tenant, max(0, last-40), 40); err != nil {
			return err
		}
		s.Events = slices.DeleteFunc(s.Events, func(e bonafide.Event) bool {
			return e.Target.Kind != bonafide.OnRing || strings.HasPrefix(string(e.Type), "tag.")
		})
		slices.Reverse(s.Events)
		s.Events = s.Events[:min(events, len(s.Events))]
		tree, err := tx.LogTree(ctx, c.Tenant)
		s.Entries = tree.N
		return err
	})
	if err != nil {
		return err
	}
	return server.WriteJSON(w, http.StatusOK, s)
}

// arrived reads the latest complaints.
func (c Config) arrived(ctx context.Context, tx *store.Tx, s *State) error {
	var err error
	if s.Complaints, err = tx.CountComplaints(ctx, c.Tenant); err != nil {
		return err
	}
	rows, err := tx.Complaints(ctx, c.Tenant, max(0, s.Complaints-arrivals), arrivals)
	if err != nil {
		return err
	}
	slices.Reverse(rows)
	for _, row := range rows {
		full, err := tx.Complaint(ctx, c.Tenant, row.ID)
		if err != nil {
			return err
		}
		a := Arrival{ID: row.ID, Channel: row.Channel, Stored: row.Stored}
		var one bonafide.Complaint
		if err := json.Unmarshal(full.Body, &one); err == nil {
			a.Excerpt = begin(normalize.Mask(one.Text))
		}
		var sc bonafide.Screening
		if err := json.Unmarshal(full.Screening, &sc); err == nil {
			others := map[string]bool{}
			for _, l := range sc.Links {
				others[l.A], others[l.B] = true, true
			}
			a.Compared, a.Links, a.Why, a.Level, a.Route = sc.Compared, max(0, len(others)-1), sc.Why, sc.Level, sc.Route
		}
		if v, err := tx.Verdict(ctx, c.Tenant, row.ID); err == nil {
			a.Level, a.Route, a.Ring = bonafide.Level(v.Level), bonafide.Route(v.Route), v.Ring
		}
		s.Arrived = append(s.Arrived, a)
	}
	return nil
}

func begin(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > excerpt {
		return string(r[:excerpt]) + "…"
	}
	return s
}

// rings reads the rings that stand, the one that changed last first.
func (c Config) rings(ctx context.Context, tx *store.Tx, s *State) error {
	for _, state := range []bonafide.RingState{bonafide.RingProposed, bonafide.RingIsFirm} {
		rows, err := tx.Rings(ctx, c.Tenant, string(state), "", 200)
		if err != nil {
			return err
		}
		for _, row := range rows {
			var r bonafide.Ring
			if err := json.Unmarshal(row.Body, &r); err != nil {
				continue
			}
			s.Rings = append(s.Rings, Ring{
				ID: row.ID, Level: bonafide.Level(row.Level), Members: row.Members, Customers: row.Customers, Updated: row.Updated,
				Created: row.Created, Why: r.Why, Innocent: r.Innocent, Shared: r.Shared,
			})
		}
	}
	slices.SortFunc(s.Rings, func(a, b Ring) int { return b.Updated.Compare(a.Updated) })
	s.Rings = s.Rings[:min(rings, len(s.Rings))]
	return nil
}
