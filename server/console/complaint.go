package console

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"bonafide"
	"bonafide/casework"
	"bonafide/pipeline"
	"bonafide/server"
	"bonafide/signal/text"
	"bonafide/store"
)

// complaintPage shows one complaint in the order of justice: what the person says,
// whether it is right, what else shares it, what is proposed, and the clock, which
// depends on none of the last two.
type complaintPage struct {
	ID       string
	Row      store.ComplaintRow
	C        bonafide.Complaint
	Erased   bool
	Marks    []text.Mark
	Beside   int // letters laid beside it
	Part     int // of a letter too long for one page, from 1
	Parts    int
	Clear    *revealed // nil while masked
	Purposes []string

	Calls     []callRow
	CallsMore bool
	Merit     *bonafide.Merit // what the lender's own records say; nil where no rules are known
	Incidents []incidentRow   // breaches that many complain of, this one among them

	Speaks  bool // the visitor may see conversations
	Talks   []talkRow
	Tasks   []taskRow
	Missing int // items that the customer was asked for
	Begin   beginForm
	Cases   []caseLink // that it stands in

	Things []thing
	Shares []share
	More   int
	Screen *bonafide.Screening

	Verdict *bonafide.Verdict
	Ring    *store.RingRow
	Decided []decision
	Tags    []bonafide.Tag
	Appeals []appealRow
	Seen    bool // the visitor may see rings

	Trail
}

// revealed is what stands on the page once somebody gave their purpose.
type revealed struct {
	Purpose string
	At      time.Time
	Seconds int
}

// Trail is the complaint's own track on the page.
type Trail struct {
	Row       store.TrackRow
	Track     casework.Track
	Pack      *casework.Pack
	Stations  []station
	Clocks    []clockRow
	Can       []casework.Verb
	Asked     *casework.Act
	MayAnswer bool
	Asker     string
	Lines     []lineRow
	Assignee  string
	People    []bonafide.Person
	Outcomes  []casework.Outcome
	Letters   []casework.LetterKind
	Grounds   []casework.Ground
	Extend    []casework.Extension
	Approval  bool // an extension needs somebody else
}

type station struct {
	State      casework.State
	Past, Here bool
}

type clockRow struct {
	casework.Clock
	Title      string
	Days       int
	Past, Near bool
	Runs       bool
}

type lineRow struct {
	casework.Line
	Who, Whom string
}

type callRow struct {
	bonafide.CollectionCall
	Breaks []string // rules that a finding says it breaks
}

// thing is something a complaint was filed with, and how many others were.
type thing struct {
	Kind   bonafide.IdentifierKind
	Value  string // clear; shown only when revealed
	Others int
	IDs    []string
}

// share is another complaint that shares something.
type share struct {
	ID     string
	Why    []string
	Family []bonafide.Family
	bits   float64
}

// Bounds of the page.
const (
	letterPart   = 40_000 // runes of a letter on one page
	besideMost   = 8
	besideBytes  = 400_000
	sharesShown  = 12
	thingsShown  = 60
	marksShown   = 800 // of one page; each takes some hundred bytes
	revealFor    = 90  // seconds
	revealHourly = 60
)

var purposes = []string{"handling", "identity", "investigation", "quality", "law"}

func (k *Console) complaint(w http.ResponseWriter, r *http.Request, who *visit) error {
	page, err := k.readComplaint(r, who, "")
	if err != nil {
		return err
	}
	return k.ok(w, r, who, "complaint", page)
}

// reveal shows a complaint with what identifies people, once, to somebody who says what
// for. It is logged before it is shown.
func (k *Console) reveal(w http.ResponseWriter, r *http.Request, who *visit) error {
	purpose := r.PostFormValue("purpose")
	if !slices.Contains(purposes, purpose) {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "say what the values are needed for"}
	}
	page, err := k.readComplaint(r, who, purpose)
	if err != nil {
		return err
	}
	w.Header().Set("Refresh", strconv.Itoa(revealFor+2)+"; url="+complaintAt(page.ID))
	return k.ok(w, r, who, "complaint", page)
}

// A quota is how often each person revealed something within the last hour.
type quota struct {
	mu sync.Mutex
	of map[string][]time.Time
}

// take counts a reveal. Where it would be one too many it says when there is room again.
func (q *quota) take(who string, now time.Time) (wait time.Duration, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.of == nil {
		q.of = map[string][]time.Time{}
	}
	at := slices.DeleteFunc(q.of[who], func(t time.Time) bool { return now.Sub(t) >= time.Hour })
	if len(at) >= revealHourly {
		q.of[who] = at
		return time.Hour - now.Sub(at[0]), false
	}
	q.of[who] = append(at, now)
	return 0, true
}

// readComplaint reads all that the page shows. Every look at a person's file is logged;
// with a purpose what identifies people is shown.
func (k *Console) readComplaint(r *http.Request, who *visit, purpose string) (*complaintPage, error) {
	ctx, id := r.Context(), r.PathValue("id")
	if !bonafide.ValidID(id) {
		return nil, &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such complaint"}
	}
	if purpose != "" {
		if wait, ok := k.reveals.take(who.actor.ID, k.Now()); !ok {
			msg := fmt.Sprintf("you have revealed more than usual: wait %d minutes, or ask compliance", int(wait.Minutes())+1)
			return nil, &server.Refusal{Status: http.StatusTooManyRequests, Detail: msg, After: wait}
		}
	}
	p := &complaintPage{ID: id, Purposes: purposes, Seen: who.May(bonafide.ScopeRingsRead), Part: 1}
	err := k.looked(ctx, who, "complaint", id, purpose, func(tx *store.Tx) error {
		var err error
		if p.Row, err = tx.Complaint(ctx, who.tenant, id); err != nil {
			if p.Row.ID == "" {
				return err
			}
			p.Erased = true
		} else if err := json.Unmarshal(p.Row.Body, &p.C); err != nil {
			return fmt.Errorf("complaint %s: %w", id, err)
		}
		if err := k.readTrack(ctx, tx, who, p); err != nil {
			return err
		}
		if err := k.readCalls(ctx, tx, who, p); err != nil {
			return err
		}
		if err := k.readMerit(ctx, tx, who, p); err != nil {
			return err
		}
		if err := k.readContacts(ctx, tx, who, p); err != nil {
			return err
		}
		if p.Cases, err = k.standsIn(ctx, tx, who, "complaint", id); err != nil {
			return err
		}
		return k.readOrganisation(ctx, tx, who, p)
	})
	if err != nil {
		return nil, err
	}
	if purpose != "" && !p.Erased {
		p.Clear = &revealed{Purpose: purpose, At: k.Now(), Seconds: revealFor}
	}
	if p.Clear == nil {
		for i, d := range p.C.Demands {
			p.C.Demands[i] = pipeline.MaskLetter(d, namesIn(p.C)...)
		}
	}
	if n, err := strconv.Atoi(r.URL.Query().Get("part")); err == nil && n > 0 {
		p.Part = n
	}
	if err := k.shared(ctx, who, p); err != nil {
		return nil, err
	}
	return p, k.layBeside(ctx, who, p)
}

// callsShown bounds the collection calls on the page.
const callsShown = 30

// readCalls reads the collection calls that the lender handed in about the customer: what
// a complaint about calls is tested against.
func (k *Console) readCalls(ctx context.Context, tx *store.Tx, who *visit, p *complaintPage) error {
	if !who.May(bonafide.ScopeRecordsRead) {
		return nil
	}
	rows, err := tx.RecordsOf(ctx, who.tenant, "call", p.Row.Subject, callsShown+1)
	if err != nil {
		return err
	}
	p.Calls, p.CallsMore = nil, len(rows) > callsShown
	for _, row := range rows[:min(len(rows), callsShown)] {
		var c callRow
		if err := readJSON(row.Body, &c.CollectionCall); err != nil {
			return err
		}
		c.Started = localCall(c.Started, k.Clocks.Zone())
		p.Calls = append(p.Calls, c)
	}
	return nil
}

// localCall is when a call was by the clock of who was called: records say it in their
// zone, and where one says UTC instead it is that of the jurisdiction.
func localCall(t time.Time, zone *time.Location) time.Time {
	if _, offset := t.Zone(); offset == 0 {
		return t.In(zone)
	}
	return t
}

// looked runs read in a transaction that logs who looked at what, once in a while, and
// every reveal.
func (k *Console) looked(ctx context.Context, who *visit, kind, id, purpose string, read func(*store.Tx) error) error {
	what := who.actor.ID + " " + kind + " " + id
	if purpose == "" && k.looks.has(what, k.Now()) {
		return k.Store.View(ctx, read)
	}
	err := k.Store.Update(ctx, func(tx *store.Tx) error {
		if err := read(tx); err != nil {
			return err
		}
		if purpose != "" {
			return tx.Record(ctx, who.tenant, who.actor, kind+".revealed", kind+":"+id, map[string]string{"purpose": purpose})
		}
		return tx.Record(ctx, who.tenant, who.actor, kind+".viewed", kind+":"+id, nil)
	})
	if err == nil { // what could not be logged was not shown either
		k.looks.add(what, k.Now())
	}
	return err
}

// readTrack reads the complaint's own track.
func (k *Console) readTrack(ctx context.Context, tx *store.Tx, who *visit, p *complaintPage) error {
	p.Trail = Trail{} // this may run again
	t := &p.Trail
	var err error
	if t.Row, err = tx.Track(ctx, who.tenant, p.ID); err != nil {
		return err
	}
	if t.Track, t.Pack, err = k.Tracks.TrackOf(t.Row); err != nil {
		return err
	}
	if t.People, err = tx.People(ctx, who.tenant); err != nil {
		return err
	}
	names := map[string]string{}
	for _, one := range t.People {
		names["person:"+one.ID] = one.Name
		if one.ID == t.Row.Assignee {
			t.Assignee = one.Name
		}
	}
	t.People = slices.DeleteFunc(t.People, func(one bonafide.Person) bool {
		return !one.Disabled.IsZero() || !one.Actor().May(bonafide.ScopeTrackWrite)
	})
	steps, err := tx.TrackSteps(ctx, who.tenant, p.ID)
	if err != nil {
		return err
	}
	var lines []casework.Line
	for _, s := range steps {
		var l casework.Line
		if len(s.Body) == 0 {
			continue // erased
		}
		if err := readJSON(s.Body, &l); err != nil {
			return err // a history with a hole in it is none
		}
		lines = append(lines, l)
		t.Lines = append(t.Lines, lineRow{Line: l, Who: who.actorName(names, l.Act.By), Whom: nameOf(names, "person:"+l.Assignee)})
	}
	slices.Reverse(t.Lines)
	now := k.Now()
	if asked, ok := casework.Asked(lines); ok {
		t.Asked, t.Asker = &asked, who.actorName(names, asked.By)
		t.MayAnswer = who.May(bonafide.ScopeTrackApprove) && asked.By != who.actor.ID
	}
	t.Can = t.Pack.Can(t.Track, now)
	t.Outcomes, t.Grounds = casework.Outcomes, t.Pack.Grounds()
	t.Letters = t.Pack.Letters(who.Tag)
	for _, c := range t.Track.Clocks {
		row := clockRow{Clock: c, Title: t.Pack.ClockTitle(c.Name, who.Tag), Days: t.Pack.DaysLeft(c.Due, now), Runs: c.Runs() && !t.Track.State.Ended()}
		row.Past, row.Near = row.Runs && c.Late(now), row.Runs && !c.Option && row.Days <= nearDays
		t.Clocks = append(t.Clocks, row)
	}
	if due, ok := t.Track.Due(); ok {
		t.Extend = t.Pack.Extensions(due.Name)
		if due.Extended < len(t.Extend) {
			t.Approval = t.Extend[due.Extended].Approval
		}
	}
	past := true
	for _, s := range []casework.State{casework.Received, casework.Registered, casework.Authority, casework.Investigating, casework.Decided, casework.Notified, casework.Review, casework.Closed} {
		here := s == t.Track.State
		if here {
			past = false
		}
		if s == casework.Review && !here && t.Track.State != casework.Closed {
			continue
		}
		t.Stations = append(t.Stations, station{s, past, here})
	}
	if past { // withdrawn or declined: where it ended is not on the way
		t.Stations = []station{{casework.Received, true, false}, {t.Track.State, false, true}}
	}
	return nil
}

// nameOf is a person's name, or the id of what else acted.
func nameOf(names map[string]string, id string) string {
	if n := names[id]; n != "" {
		return n
	}
	kind, rest, _ := strings.Cut(id, ":")
	if kind == "person" {
		return ""
	}
	return cmp.Or(rest, id)
}

// actorName is a person's name, or names the key or the part of the program that acted.
func (g tongue) actorName(names map[string]string, id string) string {
	kind, rest, _ := strings.Cut(id, ":")
	part := strings.ReplaceAll(rest, " ", "-")
	switch {
	case kind == "key":
		return g.T("actor.key", shortID(rest))
	case kind == "system" && g.Has("actor."+part):
		return g.T("actor." + part)
	}
	return nameOf(names, id)
}

// readOrganisation reads what the comparison found and what is proposed and decided. It
// is shown below the letter and its merit.
func (k *Console) readOrganisation(ctx context.Context, tx *store.Tx, who *visit, p *complaintPage) error {
	p.Screen, p.Verdict, p.Ring, p.Decided = nil, nil, nil, nil // this may run again
	if len(p.Row.Screening) > 0 {
		p.Screen = &bonafide.Screening{}
		if err := json.Unmarshal(p.Row.Screening, p.Screen); err != nil {
			return fmt.Errorf("screening of %s: %w", p.ID, err)
		}
	}
	row, err := tx.Verdict(ctx, who.tenant, p.ID)
	switch {
	case errors.Is(err, bonafide.NotFound):
	case err != nil:
		return err
	default:
		p.Verdict = &bonafide.Verdict{}
		if err := json.Unmarshal(row.Body, p.Verdict); err != nil {
			return fmt.Errorf("verdict of %s: %w", p.ID, err)
		}
	}
	rings, err := tx.RingsOf(ctx, who.tenant, []string{p.ID})
	if err != nil {
		return err
	}
	for _, id := range rings[p.ID] {
		ring, err := tx.Ring(ctx, who.tenant, id)
		if err != nil {
			return err
		}
		switch bonafide.RingState(ring.State) {
		case bonafide.RingProposed, bonafide.RingIsFirm, bonafide.RingIsCleared:
			p.Ring = &ring
			if p.Decided, err = k.decisions(ctx, tx, who, ring); err != nil {
				return err
			}
		}
	}
	targets := []bonafide.Target{{Kind: bonafide.OnComplaint, ID: p.ID}, {Kind: bonafide.OnCustomer, ID: p.Row.Subject}}
	if p.Tags, err = tx.TagsOn(ctx, who.tenant, targets, k.Now()); err != nil {
		return err
	}
	if p.Appeals, err = k.appealsOf(ctx, tx, who, p.ID); err != nil {
		return err
	}
	return nil
}

// shared finds out what the complaint shares with others.
func (k *Console) shared(ctx context.Context, who *visit, p *complaintPage) error {
	if p.Erased {
		return nil
	}
	for _, c := range p.C.Contacts[:min(len(p.C.Contacts), thingsShown)] {
		ids, all, ok, err := k.Finder.Filed(ctx, who.tenant, c, 40)
		if err != nil {
			return err
		}
		t := thing{Kind: c.Kind, Value: c.Value}
		if ok {
			t.IDs = slices.DeleteFunc(ids, func(id string) bool { return id == p.ID })
			t.Others = max(0, all-1)
		}
		p.Things = append(p.Things, t)
	}
	at := map[string]int{}
	add := func(other string, l bonafide.Link) {
		i, ok := at[other]
		if !ok {
			i = len(p.Shares)
			at[other] = i
			p.Shares = append(p.Shares, share{ID: other})
		}
		s := &p.Shares[i]
		s.bits += l.Bits
		for _, why := range l.Why {
			if !slices.Contains(s.Why, why.Text) {
				s.Why = append(s.Why, why.Text)
			}
			if !slices.Contains(s.Family, why.Family) {
				s.Family = append(s.Family, why.Family)
			}
		}
	}
	if p.Screen != nil {
		for _, l := range p.Screen.Links {
			other := l.A
			if other == p.ID {
				other = l.B
			}
			add(other, l)
		}
		p.More = p.Screen.More
	}
	slices.SortStableFunc(p.Shares, func(a, b share) int { return cmp.Compare(b.bits, a.bits) })
	if len(p.Shares) > sharesShown {
		p.More += len(p.Shares) - sharesShown
		p.Shares = p.Shares[:sharesShown]
	}
	return nil
}

// layBeside marks in the letter what stands in letters that share something.
func (k *Console) layBeside(ctx context.Context, who *visit, p *complaintPage) error {
	if p.Erased {
		return nil
	}
	var ids []string
	for _, s := range p.Shares {
		ids = append(ids, s.ID)
	}
	if p.Ring != nil {
		for _, m := range p.Ring.Members {
			if m != p.ID && !slices.Contains(ids, m) {
				ids = append(ids, m)
			}
		}
	}
	ids = ids[:min(len(ids), besideMost)]
	bodies, err := k.letters(ctx, who, ids)
	if err != nil {
		return err
	}
	var others []string
	left := besideBytes
	for _, id := range ids {
		if c, ok := bodies[id]; ok && len(c.Text) <= left {
			left -= len(c.Text)
			others = append(others, pipeline.MaskLetter(c.Text, namesIn(c)...))
		}
	}
	letter := p.C.Text
	if p.Clear == nil {
		letter = pipeline.MaskLetter(letter, namesIn(p.C)...)
	}
	letter, p.Parts = partOf(letter, &p.Part)
	p.Beside = len(others)
	marks, err := k.Finder.Marks(ctx, who.tenant, clean(letter), others)
	p.Marks = calm(marks)
	return err
}

// calm leaves unmarked what stands behind the first marks of a letter, which could be made
// of nothing but marks.
func calm(marks []text.Mark) []text.Mark {
	if len(marks) <= marksShown {
		return marks
	}
	var rest strings.Builder
	for _, m := range marks[marksShown:] {
		rest.WriteString(m.Text)
	}
	return append(marks[:marksShown:marksShown], text.Mark{Text: rest.String()})
}

// partOf cuts a part out of a letter too long for one page.
func partOf(letter string, part *int) (string, int) {
	n := utf8.RuneCountInString(letter)
	parts := max(1, (n+letterPart-1)/letterPart)
	*part = min(max(1, *part), parts)
	if parts == 1 {
		return letter, 1
	}
	rs := []rune(letter)
	return string(rs[(*part-1)*letterPart : min(n, *part*letterPart)]), parts
}

// namesIn are the names that a complaint gives.
func namesIn(c bonafide.Complaint) []string {
	names := []string{c.Customer.Name}
	if c.Representative != nil {
		names = append(names, c.Representative.Name)
	}
	return names
}

// letters reads the content of complaints that were not erased.
func (k *Console) letters(ctx context.Context, who *visit, ids []string) (map[string]bonafide.Complaint, error) {
	out := map[string]bonafide.Complaint{}
	err := k.Store.View(ctx, func(tx *store.Tx) error {
		bodies, err := tx.Bodies(ctx, who.tenant, ids)
		if err != nil {
			return err
		}
		for id, b := range bodies {
			var c bonafide.Complaint
			if err := json.Unmarshal(b, &c); err != nil {
				return fmt.Errorf("complaint %s: %w", id, err)
			}
			out[id] = c
		}
		return nil
	})
	return out, err
}
