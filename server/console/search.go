package console

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"bonafide"
	"bonafide/casework"
	"bonafide/store"
)

// searchPage finds complaints. What is looked for can name somebody, so it is posted and
// never stands in an address.
type searchPage struct {
	Q, Kind         string
	From, To        string // days
	Channel, State  string
	Level           string
	Kinds           []string
	Channels        []string
	States          []casework.State
	Levels          []bonafide.Level
	Asked           bool
	Rows            []searchRow
	How             string // id, passage, identifier, words, list
	Count           int    // of all, where there are more than rows
	Looked          int    // letters looked through
	Until           time.Time
	BeforeAt        int64
	Before          string
	Short, Nobody   bool // the passage is too short; the identifier identifies nobody
	SeeOrganisation bool
}

type searchRow struct {
	store.Found
	Share int // of the passage, in a hundred; 0 where it is not that
}

// searchLook is how many letters one search looks through.
const searchLook = 1500

var searchKinds = []string{"any", "phone", "email", "handle", "account", "device", "ip", "address", "sender", "passage", "words"}

var searchLevels = []bonafide.Level{bonafide.Information, bonafide.Individual, bonafide.Level2, bonafide.Level1}

func (k *Console) search(w http.ResponseWriter, r *http.Request, who *visit) error {
	page := searchPage{Kinds: searchKinds, Channels: channels, States: casework.States, Levels: searchLevels, SeeOrganisation: who.May(bonafide.ScopeRingsRead)}
	if r.Method != http.MethodPost {
		return k.ok(w, r, who, "search", page)
	}
	if err := k.readSearch(r, &page); err != nil {
		return err
	}
	if err := k.find(r.Context(), who, &page); err != nil {
		return err
	}
	if page.How == "id" && len(page.Rows) == 1 {
		return done(w, r, complaintAt(page.Rows[0].ID), "")
	}
	return k.ok(w, r, who, "search", page)
}

func (k *Console) readSearch(r *http.Request, p *searchPage) error {
	invalid := &bonafide.Error{Kind: bonafide.Invalid, Msg: "the search asks for something that there is not"}
	p.Asked = true
	p.Q, p.Kind = strings.TrimSpace(r.PostFormValue("q")), r.PostFormValue("kind")
	p.From, p.To, p.Channel, p.State, p.Level = r.PostFormValue("from"), r.PostFormValue("to"), r.PostFormValue("channel"), r.PostFormValue("state"), r.PostFormValue("level")
	p.Before = r.PostFormValue("before")
	p.BeforeAt, _ = strconv.ParseInt(r.PostFormValue("before_at"), 10, 64)
	if p.Kind == "" {
		p.Kind = "any"
	}
	if !p.SeeOrganisation {
		p.Level = ""
	}
	switch {
	case utf8.RuneCountInString(p.Q) > 400, !slices.Contains(searchKinds, p.Kind),
		p.Channel != "" && !slices.Contains(channels, p.Channel), p.State != "" && !slices.Contains(casework.States, casework.State(p.State)),
		p.Level != "" && !slices.Contains(searchLevels, bonafide.Level(p.Level)), p.Before != "" && !bonafide.ValidID(p.Before):
		return invalid
	}
	for _, day := range []string{p.From, p.To} {
		if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
			return invalid
		}
	}
	return nil
}

// filter is what the form narrows the search to.
func (k *Console) filter(p *searchPage) store.FindFilter {
	f := store.FindFilter{Channel: p.Channel, State: p.State, Level: p.Level, Before: p.Before}
	if p.BeforeAt != 0 {
		f.BeforeAt = time.UnixMicro(p.BeforeAt).UTC()
	}
	if t, err := time.ParseInLocation(time.DateOnly, p.From, k.Clocks.Zone()); err == nil {
		f.From = t
	}
	if t, err := time.ParseInLocation(time.DateOnly, p.To, k.Clocks.Zone()); err == nil {
		f.To = t.AddDate(0, 0, 1)
	}
	return f
}

// find looks in the way that fits what is looked for: an id, an identifier by its keyed
// hash, a passage by its words' hashes, or words by reading letters one after the other.
func (k *Console) find(ctx context.Context, who *visit, p *searchPage) error {
	f := k.filter(p)
	if p.Q == "" {
		p.How = "list"
		f.Limit = pageRows + 1
		var rows []store.Found
		err := k.Store.View(ctx, func(tx *store.Tx) (err error) { rows, err = tx.Find(ctx, who.tenant, f); return err })
		if err != nil {
			return err
		}
		if len(rows) > pageRows {
			rows = rows[:pageRows]
			p.next(rows[pageRows-1])
		} else {
			p.Before, p.BeforeAt = "", 0
		}
		p.put(rows)
		return k.searched(ctx, who, p)
	}
	if p.Kind == "any" && bonafide.ValidID(p.Q) {
		var found map[string]store.Found
		err := k.Store.View(ctx, func(tx *store.Tx) (err error) { found, err = tx.FoundByID(ctx, who.tenant, []string{p.Q}); return err })
		if err != nil {
			return err
		}
		if one, ok := found[p.Q]; ok {
			p.How = "id"
			p.put([]store.Found{one})
			return nil
		}
	}
	for _, kind := range p.identifierKinds() {
		ids, all, ok, err := k.Finder.Filed(ctx, who.tenant, bonafide.Identifier{Kind: kind, Value: p.Q}, p.atMost())
		if err != nil {
			return err
		}
		if p.How = "identifier"; !ok {
			p.Nobody = p.Kind != "any"
			continue
		}
		if len(ids) > 0 || p.Kind != "any" {
			p.Nobody, p.Count = false, all
			return k.byID(ctx, who, p, ids, nil)
		}
	}
	if p.Kind == "passage" || p.Kind == "any" {
		hits, ok, err := k.Finder.Holding(ctx, who.tenant, p.Q, p.atMost())
		if err != nil {
			return err
		}
		if ok && (len(hits) > 0 || p.Kind == "passage") {
			p.How, p.Count = "passage", len(hits)
			ids, share := make([]string, len(hits)), map[string]int{}
			for i, h := range hits {
				ids[i], share[h.ID] = h.ID, int(100*h.Share)
			}
			return k.byID(ctx, who, p, ids, share)
		}
		p.Short = !ok && p.Kind == "passage"
	}
	if p.Kind == "words" || p.Kind == "any" {
		return k.byWords(ctx, who, p, f)
	}
	return k.searched(ctx, who, p)
}

// identifierKinds are the kinds that what is looked for could be.
func (p *searchPage) identifierKinds() []bonafide.IdentifierKind {
	if p.Kind != "any" {
		for _, kind := range bonafide.IdentifierKinds {
			if string(kind) == p.Kind {
				return []bonafide.IdentifierKind{kind}
			}
		}
		return nil
	}
	digits := 0
	for _, r := range p.Q {
		if r >= '0' && r <= '9' {
			digits++
		}
	}
	switch {
	case strings.Contains(p.Q, "@"):
		return []bonafide.IdentifierKind{bonafide.Email}
	case digits >= 6 && utf8.RuneCountInString(p.Q) <= 40:
		return []bonafide.IdentifierKind{bonafide.Phone, bonafide.Account, bonafide.Device, bonafide.Handle}
	}
	return nil
}

// byWords reads letters one after the other, the last received first, for those that
// hold every word.
func (k *Console) byWords(ctx context.Context, who *visit, p *searchPage, f store.FindFilter) error {
	p.How = "words"
	f.Limit = searchLook
	want := strings.Fields(strings.ToLower(p.Q))
	err := k.Store.View(ctx, func(tx *store.Tx) error {
		found, last, looked, err := tx.FindIn(ctx, who.tenant, f, func(body []byte) bool {
			var c bonafide.Complaint
			if readJSON(body, &c) != nil {
				return false
			}
			letter := strings.ToLower(c.Text)
			return !slices.ContainsFunc(want, func(word string) bool { return !strings.Contains(letter, word) })
		})
		if err != nil {
			return err
		}
		p.Looked, p.Until = looked, last.Received
		if p.Before, p.BeforeAt = "", 0; looked == searchLook {
			p.next(last)
		}
		p.put(found)
		return nil
	})
	if err != nil {
		return err
	}
	return k.searched(ctx, who, p)
}

func (p *searchPage) next(last store.Found) {
	p.Before, p.BeforeAt = last.ID, last.Received.UnixMicro()
}

func (p *searchPage) put(rows []store.Found) {
	for _, f := range rows {
		if !p.SeeOrganisation {
			f.Level, f.Ring = "", ""
		}
		p.Rows = append(p.Rows, searchRow{Found: f})
	}
}

// atMost is how many complaints are looked at for one page of them: more where the form
// narrows the search.
func (p *searchPage) atMost() int {
	if p.Level+p.Channel+p.State+p.From+p.To == "" {
		return pageRows
	}
	return narrowed
}

// narrowed bounds what a narrowed search looks at.
const narrowed = 2000

// byID lists complaints in the order given.
func (k *Console) byID(ctx context.Context, who *visit, p *searchPage, ids []string, share map[string]int) error {
	only := k.filter(p)
	p.Before, p.BeforeAt, p.Rows = "", 0, nil
	err := k.Store.View(ctx, func(tx *store.Tx) error {
		found, err := tx.FoundByID(ctx, who.tenant, ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			f, ok := found[id]
			if !ok || p.Level != "" && f.Level != p.Level || p.Channel != "" && f.Channel != p.Channel || p.State != "" && f.State != p.State ||
				!only.From.IsZero() && f.Received.Before(only.From) || !only.To.IsZero() && !f.Received.Before(only.To) {
				continue
			}
			if len(p.Rows) == pageRows {
				break
			}
			p.put([]store.Found{f})
			p.Rows[len(p.Rows)-1].Share = share[id]
		}
		return nil
	})
	if err != nil {
		return err
	}
	return k.searched(ctx, who, p)
}

// searched logs that somebody searched, and how, without what they looked for.
func (k *Console) searched(ctx context.Context, who *visit, p *searchPage) error {
	if p.How == "list" || p.How == "" {
		return nil
	}
	return k.Store.Update(ctx, func(tx *store.Tx) error {
		return tx.Record(ctx, who.tenant, who.actor, "complaints.searched", "complaints", map[string]any{"how": p.How, "kind": p.Kind, "found": len(p.Rows), "looked": p.Looked})
	})
}
