package console

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"bonafide"
	"bonafide/casework"
	"bonafide/server"
	"bonafide/store"
)

// maxWords is the longest reason or note, in characters.
const maxWords = 4000

// words reads a field of a form that people write in.
func words(r *http.Request, field string) (string, error) {
	s := strings.TrimSpace(strings.ReplaceAll(r.PostFormValue(field), "\r\n", "\n"))
	if utf8.RuneCountInString(s) > maxWords {
		return "", &bonafide.Error{Kind: bonafide.Invalid, Msg: "a text is longer than 4,000 characters: shorten it"}
	}
	return clean(s), nil
}

// version is the one that the form was made from.
func version(r *http.Request) int {
	n, err := strconv.Atoi(r.PostFormValue("version"))
	if err != nil {
		return -1 // and so never the one that is stored
	}
	return n
}

// moveComplaint does what a form says with a complaint's own track.
func (k *Console) moveComplaint(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx, id, verb := r.Context(), r.PathValue("id"), casework.Verb(r.PostFormValue("verb"))
	reason, err := words(r, "reason")
	if err != nil {
		return err
	}
	act := casework.Act{
		Verb: verb, Reason: reason, Ground: r.PostFormValue("ground"),
		Outcome: casework.Outcome(r.PostFormValue("outcome")), Clock: r.PostFormValue("clock"),
	}
	switch verb {
	case casework.Assign:
		to := r.PostFormValue("assignee")
		if err = k.works(ctx, who, to); err == nil {
			err = k.Tracks.Assign(ctx, who.tenant, who.actor, id, version(r), to)
		}
	case casework.Comment:
		err = k.Tracks.Note(ctx, who.tenant, who.actor, id, version(r), reason)
	case casework.Ask:
		err = k.Extensions.AskExtension(ctx, who.tenant, who.actor, id, version(r), act.Clock, reason)
	default:
		if !slices.Contains(casework.Verbs, verb) {
			return &bonafide.Error{Kind: bonafide.Invalid, Msg: "this is not something that can be done with a complaint"}
		}
		_, err = k.Tracks.Move(ctx, who.tenant, who.actor, id, version(r), act)
	}
	if err != nil {
		return err
	}
	return done(w, r, complaintAt(id), "moved")
}

// works refuses to hand a complaint to anybody but nobody, or somebody of the house who
// works on complaints.
func (k *Console) works(ctx context.Context, who *visit, id string) error {
	if id == "" {
		return nil
	}
	var p bonafide.Person
	err := k.Store.View(ctx, func(tx *store.Tx) (err error) { p, err = tx.Person(ctx, who.tenant, id); return err })
	if errors.Is(err, bonafide.NotFound) || err == nil && (!p.Disabled.IsZero() || !p.Actor().May(bonafide.ScopeTrackWrite)) {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "choose somebody who works on complaints"}
	}
	return err
}

// answerExtension approves or refuses the extension that somebody asked for.
func (k *Console) answerExtension(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx, id := r.Context(), r.PathValue("id")
	reason, err := words(r, "reason")
	if err != nil {
		return err
	}
	if r.PostFormValue("answer") == "approve" {
		_, err = k.Extensions.Approve(ctx, who.tenant, who.actor, id, version(r))
	} else {
		err = k.Extensions.RefuseExtension(ctx, who.tenant, who.actor, id, version(r), reason)
	}
	if err != nil {
		return err
	}
	return done(w, r, complaintAt(id), "moved")
}

// take puts a complaint on the visitor's own list.
func (k *Console) take(w http.ResponseWriter, r *http.Request, who *visit) error {
	id := r.PathValue("id")
	if err := k.Tracks.Assign(r.Context(), who.tenant, who.actor, id, version(r), who.person.ID); err != nil {
		return err
	}
	return done(w, r, complaintAt(id), "taken")
}

// letterPage is a letter to the customer, to be read over, printed and sent.
type letterPage struct {
	ID    string
	Kind  string
	Kinds []casework.LetterKind
	Lang  string
	Langs []Lang
	Text  string
	Fill  casework.LetterData
}

// letter writes a letter from the pack's template. It names the customer, so it is asked
// for by a form, and writing it is logged as a reveal.
func (k *Console) letter(w http.ResponseWriter, r *http.Request, who *visit) error {
	page, err := k.readComplaint(r, who, "letter")
	if err != nil {
		return err
	}
	if page.Erased {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: "the content of the complaint was erased"}
	}
	reason, err := words(r, "reason")
	if err != nil {
		return err
	}
	out := letterPage{ID: page.ID, Kind: r.PostFormValue("kind"), Lang: chooseLang(r.PostFormValue("lang"), page.C.Lang).Tag, Langs: langs, Kinds: page.Letters}
	now := k.Now()
	d := casework.LetterData{
		Complaint: page.ID, Received: page.Trail.Row.Received, Today: now, Customer: cut(page.C.Customer.Name, 200), Lender: k.Lender,
		Outcome: page.Track.Outcome, Reason: reason, Materials: clean(r.PostFormValue("materials")),
	}
	if due, ok := page.Track.Due(); ok {
		d.Due, d.Clock = due.Due, page.Pack.ClockTitle(due.Name, out.Lang)
		for i, e := range page.Pack.Extensions(due.Name) {
			if i == max(0, due.Extended-1) {
				d.ExtensionDays = e.Days
			}
		}
	}
	if g := page.Pack.Ground(page.Track.Ground); g != nil {
		d.Ground = g.Titles.In(out.Lang)
	}
	if d.Reason == "" {
		for _, l := range page.Lines {
			if (l.Act.Verb == casework.Decide || l.Act.Verb == casework.Decline || l.Act.Verb == casework.Extend) && d.Reason == "" {
				d.Reason = l.Act.Reason
			}
		}
	}
	if out.Text, err = page.Pack.Letter(out.Kind, out.Lang, d); err != nil {
		return err
	}
	out.Fill = d
	return k.ok(w, r, who, "letter", out)
}

// An appealRow is an appeal with names.
type appealRow struct {
	store.AppealRow
	casework.Appeal
	Filer, Decider string
	Due            time.Time // by when it is to be decided
	Late           bool
}

func (k *Console) appealsOf(ctx context.Context, tx *store.Tx, who *visit, complaint string) ([]appealRow, error) {
	rows, err := tx.AppealsOf(ctx, who.tenant, complaint)
	if err != nil {
		return nil, err
	}
	return k.namedAppeals(ctx, tx, who, rows)
}

func (k *Console) namedAppeals(ctx context.Context, tx *store.Tx, who *visit, rows []store.AppealRow) ([]appealRow, error) {
	names, err := k.actors(ctx, tx, who.tenant)
	if err != nil {
		return nil, err
	}
	var out []appealRow
	for _, a := range rows {
		v := appealRow{AppealRow: a, Due: casework.AppealDue(a.Filed), Late: a.State == store.AppealOpen && k.Now().After(casework.AppealDue(a.Filed)), Filer: who.actorName(names, a.FiledBy), Decider: who.actorName(names, a.DecidedBy)}
		if len(a.Body) > 0 {
			if err := readJSON(a.Body, &v.Appeal); err != nil {
				return nil, err
			}
		}
		out = append(out, v)
	}
	return out, nil
}

// actors maps ids of actors to people's names.
func (k *Console) actors(ctx context.Context, tx *store.Tx, t bonafide.Tenant) (map[string]string, error) {
	names, err := k.names(ctx, tx, t)
	out := make(map[string]string, len(names))
	for id, n := range names {
		out["person:"+id] = n
	}
	return out, err
}

// fileAppeal records that somebody says what is held against a complaint is wrong.
func (k *Console) fileAppeal(w http.ResponseWriter, r *http.Request, who *visit) error {
	id := r.PathValue("id")
	reason, err := words(r, "reason")
	if err != nil {
		return err
	}
	if _, err := k.Decider.FileAppeal(r.Context(), who.tenant, who.actor, id, r.PostFormValue("ring"), reason); err != nil {
		return err
	}
	return done(w, r, complaintAt(id), "appealed")
}

// appealsPage lists appeals.
type appealsPage struct {
	State  string
	Rows   []appealRow
	States []string
}

func (k *Console) appeals(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx := r.Context()
	page := appealsPage{State: r.URL.Query().Get("state"), States: []string{store.AppealOpen, store.AppealUpheld, store.AppealRejected}}
	if !slices.Contains(page.States, page.State) {
		page.State = store.AppealOpen
	}
	err := k.Store.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.Appeals(ctx, who.tenant, page.State, "", 200)
		if err != nil {
			return err
		}
		page.Rows, err = k.namedAppeals(ctx, tx, who, rows)
		return err
	})
	if err != nil {
		return err
	}
	return k.ok(w, r, who, "appeals", page)
}

// decideAppeal decides one.
func (k *Console) decideAppeal(w http.ResponseWriter, r *http.Request, who *visit) error {
	reason, err := words(r, "reason")
	if err != nil {
		return err
	}
	verdict := r.PostFormValue("verdict")
	if verdict != store.AppealUpheld && verdict != store.AppealRejected {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "say whether the appeal is upheld or rejected"}
	}
	if err := k.Decider.DecideAppeal(r.Context(), who.tenant, who.actor, r.PathValue("id"), verdict == store.AppealUpheld, reason); err != nil {
		return err
	}
	return done(w, r, "/appeals", "appeal-"+verdict)
}

// livePath is the address of the stream.
const livePath = "/live"

// liveChange is how often somebody who watches is told at most that something changed.
const liveChange = 3 * time.Second

// How many streams one person, and all people, may have open.
const (
	streamsOfOne = 16
	streamsOfAll = 2000
)

// streams counts the open ones.
type streams struct {
	mu  sync.Mutex
	of  map[string]int
	all int
}

// enter counts one more, where there may be one; leave ends it.
func (s *streams) enter(who string) (leave func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[who] >= streamsOfOne || s.all >= streamsOfAll {
		return nil, false
	}
	if s.of == nil {
		s.of = map[string]int{}
	}
	s.of[who]++
	s.all++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.of[who]--; s.of[who] == 0 {
			delete(s.of, who)
		}
		s.all--
	}, true
}

// live tells a page that something of the tenant changed; the page then asks for itself.
func (k *Console) live(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx := r.Context()
	leave, ok := k.streams.enter(who.actor.ID)
	if !ok {
		return &server.Refusal{Status: http.StatusTooManyRequests, Detail: "too many pages are open: close some", After: time.Minute}
	}
	defer leave()
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	var last int64 = -1
	t := time.NewTicker(liveChange)
	defer t.Stop()
	began := k.Now()
	for k.Now().Sub(began) < 30*time.Minute { // a session is asked for again by the next stream
		var n int64
		err := k.Store.View(ctx, func(tx *store.Tx) error {
			tree, err := tx.LogTree(ctx, who.tenant)
			n = tree.N
			return err
		})
		if err != nil {
			return nil //nolint:nilerr // the browser asks again
		}
		line := ": still here\n\n"
		if n != last {
			last = n
			line = "event: changed\ndata: " + strconv.FormatInt(n, 10) + "\n\n"
		}
		_ = out.SetWriteDeadline(k.Now().Add(10 * time.Second))
		if _, err := w.Write([]byte(line)); err != nil || out.Flush() != nil {
			return nil //nolint:nilerr // it went away
		}
		select {
		case <-ctx.Done():
			return nil
		case <-k.stopping:
			return nil
		case <-t.C:
		}
		if _, err := k.session(r); err != nil {
			return nil //nolint:nilerr // it ended: the browser asks again, and is told
		}
	}
	return nil
}
