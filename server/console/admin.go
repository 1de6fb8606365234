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
	"bonafide/evidence"
	"bonafide/server/auth"
	"bonafide/store"
)

// adminPage is people, keys and settings.
type adminPage struct {
	People    []bonafide.Person
	Roles     []bonafide.Role
	Keys      []store.APIKey
	Scopes    []bonafide.Scope
	Retention string
	Years     []int // whose holidays the clocks' calendar does not know, of this and the next
	Made      *made
	Now       time.Time
}

// made is a secret that is shown once.
type made struct{ What, Whose, Secret string }

func (k *Console) admin(w http.ResponseWriter, r *http.Request, who *visit) error {
	return k.showAdmin(w, r, who, nil)
}

func (k *Console) showAdmin(w http.ResponseWriter, r *http.Request, who *visit, m *made) error {
	ctx, now := r.Context(), k.Now()
	page := adminPage{Roles: bonafide.Roles, Scopes: bonafide.Scopes, Made: m, Now: now}
	for y := now.Year(); y <= now.Year()+1; y++ {
		if !k.Clocks.CalendarKnown(y) {
			page.Years = append(page.Years, y)
		}
	}
	err := k.Store.View(ctx, func(tx *store.Tx) (err error) {
		if page.People, err = tx.People(ctx, who.tenant); err != nil {
			return err
		}
		if page.Keys, err = tx.Keys(ctx, who.tenant); err != nil {
			return err
		}
		settings, err := tx.Settings(ctx, who.tenant)
		page.Retention = settings[store.RetentionDays]
		return err
	})
	if err != nil {
		return err
	}
	return k.ok(w, r, who, "admin", page)
}

// roles reads the roles that a form chooses.
func roles(r *http.Request) ([]bonafide.Role, error) {
	var out []bonafide.Role
	for _, v := range r.PostForm["role"] {
		if !slices.Contains(bonafide.Roles, bonafide.Role(v)) {
			return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: "this is no role"}
		}
		out = append(out, bonafide.Role(v))
	}
	if len(out) == 0 {
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: "a person needs at least one role"}
	}
	return out, nil
}

func (k *Console) addPerson(w http.ResponseWriter, r *http.Request, who *visit) error {
	if err := k.fresh(who); err != nil {
		return err
	}
	login, name := r.PostFormValue("login"), strings.TrimSpace(r.PostFormValue("name"))
	rs, err := roles(r)
	if err != nil {
		return err
	}
	p, secret, err := k.Auth.AddPerson(r.Context(), who.actor, bonafide.Person{Tenant: who.tenant, Login: login, Name: name, Roles: rs}, "")
	if err != nil {
		return err
	}
	return k.showAdmin(w, r, who, &made{"password", p.Login, secret})
}

// changePerson gives a person other roles, keeps them out or lets them in again, or
// gives them a new password.
func (k *Console) changePerson(w http.ResponseWriter, r *http.Request, who *visit) error {
	if err := k.fresh(who); err != nil {
		return err
	}
	ctx, id := r.Context(), r.PathValue("id")
	if !bonafide.ValidID(id) {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such person"}
	}
	var p bonafide.Person
	if err := k.Store.View(ctx, func(tx *store.Tx) (err error) { p, err = tx.Person(ctx, who.tenant, id); return err }); err != nil {
		return err
	}
	switch r.PostFormValue("do") {
	case "password":
		secret, err := k.Auth.SetPassword(ctx, who.actor, who.tenant, id, "")
		if err != nil {
			return err
		}
		return k.showAdmin(w, r, who, &made{"password", p.Login, secret})
	case "disable":
		p.Disabled = k.Now().UTC()
	case "enable":
		p.Disabled = time.Time{}
	case "roles":
		_ = r.PostFormValue("role") // parses the form
		rs, err := roles(r)
		if err != nil {
			return err
		}
		p.Roles = rs
	default:
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "this is not something that can be done with a person"}
	}
	if err := k.Store.Update(ctx, func(tx *store.Tx) error { return tx.SavePerson(ctx, who.actor, p) }); err != nil {
		return err
	}
	return done(w, r, "/admin", "saved")
}

// fresh asks somebody to say again that it is them, before a dangerous act.
func (k *Console) fresh(who *visit) error {
	if who.session.Fresh(k.Now(), auth.Confirmation) {
		return nil
	}
	return auth.ErrConfirm
}

func (k *Console) addKey(w http.ResponseWriter, r *http.Request, who *visit) error {
	if err := k.fresh(who); err != nil {
		return err
	}
	ctx := r.Context()
	name := strings.TrimSpace(clean(r.PostFormValue("name")))
	if n := utf8.RuneCountInString(name); n == 0 || n > 100 {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "a key needs a name of 1 to 100 characters"}
	}
	key := store.APIKey{ID: k.Store.NewID(), Tenant: who.tenant, Name: name, Created: k.Now().UTC()}
	for _, s := range r.PostForm["scope"] {
		if !slices.Contains(bonafide.Scopes, bonafide.Scope(s)) {
			return &bonafide.Error{Kind: bonafide.Invalid, Msg: "this is no scope"}
		}
		key.Scopes = append(key.Scopes, bonafide.Scope(s))
	}
	if len(key.Scopes) == 0 {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "a key without a scope can do nothing"}
	}
	if days, err := strconv.Atoi(r.PostFormValue("days")); err == nil && days > 0 {
		key.Expires = k.Now().UTC().AddDate(0, 0, min(days, 3660))
	}
	secret, err := k.NewKey(ctx, who.actor, key)
	if err != nil {
		return err
	}
	return k.showAdmin(w, r, who, &made{"key", name, secret})
}

func (k *Console) revokeKey(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx, id := r.Context(), r.PathValue("id")
	if err := k.Store.Update(ctx, func(tx *store.Tx) error { return tx.RevokeKey(ctx, who.tenant, who.actor, id, k.Now().UTC()) }); err != nil {
		return err
	}
	return done(w, r, "/admin", "saved")
}

func (k *Console) saveSettings(w http.ResponseWriter, r *http.Request, who *visit) error {
	if err := k.fresh(who); err != nil {
		return err
	}
	ctx := r.Context()
	days, err := strconv.Atoi(strings.TrimSpace(r.PostFormValue("retention")))
	if err != nil || days < 0 || days > 36_600 || days > 0 && days < 30 {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "retention is 0, or a number of days from 30 to 36,600"}
	}
	if err := k.Store.Update(ctx, func(tx *store.Tx) error {
		return tx.PutSetting(ctx, who.tenant, who.actor, store.RetentionDays, strconv.Itoa(days))
	}); err != nil {
		return err
	}
	return done(w, r, "/admin", "saved")
}

// logPage shows the audit log, the newest entry first.
type logPage struct {
	Rows        []logRow
	Size        int64
	Root        string
	Older       int64 // the number that the next page ends before; 0 = this is the last
	Newest      bool
	Checkpoints int
	Last        *store.CheckpointRow
	Report      *evidence.Report
}

type logRow struct {
	N      int64
	Entry  evidence.Entry
	At     time.Time
	Who    string
	Broken bool
	Detail string
}

const logRows = 100

func (k *Console) log(w http.ResponseWriter, r *http.Request, who *visit) error {
	return k.showLog(w, r, who, nil)
}

func (k *Console) showLog(w http.ResponseWriter, r *http.Request, who *visit, report *evidence.Report) error {
	ctx := r.Context()
	page := logPage{Report: report}
	before := int64(number(r, "before"))
	err := k.Store.View(ctx, func(tx *store.Tx) error {
		tree, err := tx.LogTree(ctx, who.tenant)
		if err != nil {
			return err
		}
		page.Size, page.Root = tree.N, tree.Hash.String()
		page.Newest = before == 0 || before >= tree.N
		end := tree.N
		if !page.Newest {
			end = before
		}
		first := max(0, end-logRows)
		rows, err := tx.Entries(ctx, who.tenant, first-1, int(end-first))
		if err != nil {
			return err
		}
		names, err := k.actors(ctx, tx, who.tenant)
		if err != nil {
			return err
		}
		page.Rows = nil
		for _, row := range slices.Backward(rows) {
			page.Rows = append(page.Rows, who.logRow(row, names))
		}
		page.Older = first
		checkpoints, err := tx.Checkpoints(ctx, who.tenant)
		if page.Checkpoints = len(checkpoints); len(checkpoints) > 0 {
			page.Last = &checkpoints[len(checkpoints)-1]
		}
		return err
	})
	if err != nil {
		return err
	}
	return k.ok(w, r, who, "log", page)
}

func (g tongue) logRow(row evidence.Row, names map[string]string) logRow {
	out := logRow{N: row.ID}
	e, err := evidence.ParseEntry(row.Data)
	if err != nil {
		out.Broken = true
		return out
	}
	out.Entry, out.At, out.Who, out.Detail = e, time.UnixMicro(e.Time).UTC(), g.actorName(names, e.Actor), string(e.Detail)
	return out
}

// verifyLog reads the whole log and checks it against its head and every checkpoint.
func (k *Console) verifyLog(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
	defer cancel()
	report, err := k.Store.VerifyLog(ctx, who.tenant, "", nil)
	if err != nil {
		return err
	}
	return k.showLog(w, r, who, &report)
}

// proofPage proves that one entry is in the log.
type proofPage struct {
	Row   logRow
	Text  string
	Size  int64
	Root  string
	Proof []string
	Holds bool
}

func (k *Console) proof(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx := r.Context()
	n, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
	if err != nil || n < 0 {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: "the log has no such entry"}
	}
	var page proofPage
	err = k.Store.View(ctx, func(tx *store.Tx) error {
		tree, err := tx.LogTree(ctx, who.tenant)
		if err != nil {
			return err
		}
		if n >= tree.N {
			return &bonafide.Error{Kind: bonafide.NotFound, Msg: "the log has no such entry"}
		}
		row, err := tx.LogRow(ctx, who.tenant, n)
		if err != nil {
			return err
		}
		names, err := k.actors(ctx, tx, who.tenant)
		if err != nil {
			return err
		}
		proof, err := evidence.ProveRecord(tree.N, n, tx.Hashes(ctx, who.tenant))
		if err != nil {
			return err
		}
		page = proofPage{Row: who.logRow(row, names), Text: string(row.Data), Size: tree.N, Root: tree.Hash.String()}
		for _, h := range proof {
			page.Proof = append(page.Proof, h.String())
		}
		page.Holds = evidence.CheckRecord(proof, tree, n, row.Data) == nil
		return nil
	})
	if err != nil {
		return err
	}
	return k.ok(w, r, who, "proof", page)
}
