package console

import (
	"net/http"
	"strings"

	"bonafide"
	"bonafide/server"
	"bonafide/server/auth"
	"bonafide/store"
)

// signIn is what the sign-in page shows.
type signIn struct {
	Next     string
	Login    string
	Problem  string
	OIDC     bool
	Passkeys bool
	Demo     []bonafide.Person
	Password string // of the demonstration
	Langs    []Lang
}

func (k *Console) signInPage(w http.ResponseWriter, r *http.Request, who *visit) error {
	if who.session != nil {
		return done(w, r, "/", "")
	}
	k.show(w, r, who, http.StatusOK, "sign-in", k.signIn(r))
	return nil
}

func (k *Console) signIn(r *http.Request) signIn {
	return signIn{
		Next: auth.LocalPath(r.FormValue("next")), OIDC: k.Auth.HasOIDC(), Passkeys: k.Auth.HasPasskeys(),
		Demo: k.Demo, Password: k.DemoPassword, Langs: langs,
	}
}

func (k *Console) signInForm(w http.ResponseWriter, r *http.Request, who *visit) error {
	s, err := k.Auth.SignIn(r.Context(), w, r, r.PostFormValue("login"), r.PostFormValue("password"))
	if err != nil {
		page := k.signIn(r)
		refusal, internal := server.Refused(err)
		if internal {
			return err
		}
		page.Problem = refusal.Detail
		if refusal.After > 0 {
			retryAfter(w, refusal)
		}
		k.show(w, r, who, refusal.Status, "sign-in", page)
		return nil
	}
	if s.Person.MustChange {
		return done(w, r, "/me", "")
	}
	return done(w, r, auth.LocalPath(r.PostFormValue("next")), "")
}

func (k *Console) signOut(w http.ResponseWriter, r *http.Request, _ *visit) error {
	if err := k.Auth.SignOut(r.Context(), w, r); err != nil {
		return err
	}
	return done(w, r, "/sign-in", "signed-out")
}

// speak remembers the language that somebody reads: a stranger's in a cookie, a
// person's with the person.
func (k *Console) speak(w http.ResponseWriter, r *http.Request, who *visit) error {
	l := chooseLang(r.PostFormValue("lang"), "")
	http.SetCookie(w, &http.Cookie{Name: langCookie, Value: l.Tag, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: k.Auth.Secure, MaxAge: 365 * 86400})
	if who.session == nil {
		return done(w, r, "/sign-in", "")
	}
	p := who.person
	p.Lang = l.Tag
	if err := k.Store.Update(r.Context(), func(tx *store.Tx) error { return tx.SavePerson(r.Context(), who.person.Actor(), p) }); err != nil {
		return err
	}
	return done(w, r, "/me", "saved")
}

// account is what somebody sees of themselves.
type account struct {
	Passkeys    []store.Passkey
	HasPasskeys bool
	Langs       []Lang
	Scopes      []string
}

func (k *Console) me(w http.ResponseWriter, r *http.Request, who *visit) error {
	page := account{HasPasskeys: k.Auth.HasPasskeys(), Langs: langs}
	for _, s := range who.actor.Scopes {
		page.Scopes = append(page.Scopes, string(s))
	}
	err := k.Store.View(r.Context(), func(tx *store.Tx) (err error) {
		page.Passkeys, err = tx.Passkeys(r.Context(), who.tenant, who.person.ID)
		return err
	})
	if err != nil {
		return err
	}
	return k.ok(w, r, who, "me", page)
}

// changePassword changes it and signs in anew: every other session has ended.
func (k *Console) changePassword(w http.ResponseWriter, r *http.Request, who *visit) error {
	old, password := r.PostFormValue("old"), r.PostFormValue("password")
	if password != r.PostFormValue("again") {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "the two new passwords differ"}
	}
	if err := k.Auth.ChangePassword(r.Context(), who.session, old, password); err != nil {
		return err
	}
	if _, err := k.Auth.SignIn(r.Context(), w, r, who.person.Login, password); err != nil {
		return err
	}
	return done(w, r, "/me", "password")
}

// confirm is what somebody sees who has to say again that it is them.
type confirm struct {
	Next    string
	Problem string
	OIDC    bool
}

// confirmForm proves again who somebody is, before a dangerous act.
func (k *Console) confirmForm(w http.ResponseWriter, r *http.Request, who *visit) error {
	next := auth.LocalPath(r.PostFormValue("next"))
	if _, err := k.Auth.Confirm(r.Context(), w, who.session, r.PostFormValue("password")); err != nil {
		refusal, internal := server.Refused(err)
		if internal {
			return err
		}
		retryAfter(w, refusal)
		k.show(w, r, who, refusal.Status, "confirm", confirm{Next: next, Problem: refusal.Detail, OIDC: k.Auth.HasOIDC()})
		return nil
	}
	return done(w, r, next, "confirmed")
}

func (k *Console) removePasskey(w http.ResponseWriter, r *http.Request, who *visit) error {
	if err := k.Auth.RemovePasskey(r.Context(), who.session, r.PathValue("id")); err != nil {
		return err
	}
	return done(w, r, "/me", "saved")
}

// home leads to the page that somebody starts the day on.
func (k *Console) home(w http.ResponseWriter, r *http.Request, who *visit) error {
	for _, m := range menu {
		if who.May(m.scope) {
			return done(w, r, m.Path, "")
		}
	}
	return done(w, r, "/me", "")
}

// A menuItem is one page in the menu.
type menuItem struct {
	Path, Label, Key string
	Here             bool
	scope            bonafide.Scope
}

var menu = []menuItem{
	{"/inbox", "title.inbox", "i", false, bonafide.ScopeComplaintsRead},
	{"/contacts", "title.contacts", "c", false, bonafide.ScopeContactsRead},
	{"/rings", "title.rings", "r", false, bonafide.ScopeRingsRead},
	{"/cases", "title.cases", "e", false, bonafide.ScopeCasesRead},
	{"/templates", "title.templates", "t", false, bonafide.ScopeRingsRead},
	{"/appeals", "title.appeals", "a", false, bonafide.ScopeRingsRead},
	{"/audits", "title.audits", "b", false, bonafide.ScopeAudit},
	{"/search", "title.search", "s", false, bonafide.ScopeComplaintsRead},
	{"/dashboard", "title.dashboard", "d", false, bonafide.ScopeFiguresRead},
	{"/month", "title.month", "o", false, bonafide.ScopeFiguresRead},
	{"/policy", "title.policies", "p", false, bonafide.ScopePolicyRead},
	{"/import", "title.imports", "m", false, bonafide.ScopeComplaintsWrite},
	{"/quarantine", "title.quarantine", "q", false, bonafide.ScopeComplaintsWrite},
	{"/admin", "title.admin", "n", false, bonafide.ScopePeopleWrite},
	{"/log", "title.log", "l", false, bonafide.ScopeLogRead},
}

// Menu lists the pages that the visitor may see.
func (v view) Menu() []menuItem {
	var out []menuItem
	for _, m := range menu {
		if v.visit.May(m.scope) {
			m.Here = v.Path == m.Path || strings.HasPrefix(v.Path, m.Path+"/")
			out = append(out, m)
		}
	}
	return out
}
