package auth

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"bonafide"
	"bonafide/server"
	"bonafide/store"
)

// Confirmation is how recently a person must have proved who they are to change how
// they sign in.
const Confirmation = 15 * time.Minute

// Limits of what a browser sends, and of what a person has.
const (
	mostBody     = 64 << 10
	mostPasskeys = 20
	mostKeyName  = 60
)

var errNoPasskeys = &bonafide.Error{Kind: bonafide.NotFound, Msg: "there are no passkeys here: set public_url to an https address, or to http://localhost"}

// ErrConfirm asks a person to prove again who they are, by Auth.Confirm, a passkey, or
// OIDCStart with again=1.
var ErrConfirm = &server.Refusal{Status: http.StatusForbidden, Detail: "confirm that it is you: give the password again, then try again", Err: bonafide.Denied}

// A user is a person as the library wants it.
type user struct {
	p    bonafide.Person
	keys []webauthn.Credential
}

// WebAuthnID is the person's id, which says nothing of them.
func (u user) WebAuthnID() []byte { return []byte(u.p.ID) }

// WebAuthnName is what the device shows.
func (u user) WebAuthnName() string { return u.p.Login }

// WebAuthnDisplayName is what the device shows.
func (u user) WebAuthnDisplayName() string { return u.p.Name }

// WebAuthnCredentials are the passkeys.
func (u user) WebAuthnCredentials() []webauthn.Credential { return u.keys }

func userOf(p bonafide.Person, keys ...store.Passkey) (user, error) {
	u := user{p: p}
	for _, k := range keys {
		var c webauthn.Credential
		if err := json.Unmarshal(k.Data, &c); err != nil {
			return u, err
		}
		u.keys = append(u.keys, c)
	}
	return u, nil
}

// A keyFlow is what the browser holds while its person touches the device.
type keyFlow struct {
	Data    webauthn.SessionData `json:"data"`
	Person  string               `json:"person,omitempty"`  // who adds a passkey
	Session []byte               `json:"session,omitempty"` // in which session
}

const addCookie, keyCookie = "passkey-add", "passkey"

// sent is what a browser sends in the second step: the credential as toJSON makes it,
// alone or with what else the page knows.
type sent struct {
	Credential json.RawMessage `json:"credential"`
	Name       string          `json:"name"` // of a new passkey
	Next       string          `json:"next"` // where to go after a sign-in
}

func readSent(w http.ResponseWriter, r *http.Request) (s sent, err error) {
	b, err := server.ReadBody(w, r, server.JSON, mostBody)
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, &server.Refusal{Status: http.StatusBadRequest, Detail: "the content is not JSON"}
	}
	if s.Credential == nil {
		s.Credential = b
	}
	return s, nil
}

// passkeyOwner returns the session of somebody who may change how they sign in.
func (a *Auth) passkeyOwner(r *http.Request) (*Session, error) {
	if !a.HasPasskeys() {
		return nil, errNoPasskeys
	}
	s, ok := From(r.Context())
	switch {
	case !ok:
		return nil, ErrNoSession
	case s.Person.MustChange:
		return nil, &bonafide.Error{Kind: bonafide.Denied, Msg: "change the password first"}
	case !s.Fresh(a.Now(), Confirmation):
		return nil, ErrConfirm
	}
	return s, nil
}

// beginPasskey answers with the options for navigator.credentials.create.
func (a *Auth) beginPasskey(w http.ResponseWriter, r *http.Request) error {
	s, err := a.passkeyOwner(r)
	if err != nil {
		return err
	}
	u, err := a.owner(r.Context(), s)
	if err != nil {
		return err
	}
	var known []protocol.CredentialDescriptor
	for _, k := range u.keys {
		known = append(known, k.Descriptor())
	}
	options, data, err := a.webauthn.BeginRegistration(u, webauthn.WithExclusions(known))
	if err != nil {
		return err
	}
	if err := setFlow(a, w, addCookie, keyFlow{Data: *data, Person: s.Person.ID, Session: s.row.Hash}); err != nil {
		return err
	}
	return server.WriteJSON(w, http.StatusOK, options)
}

func (a *Auth) owner(ctx context.Context, s *Session) (user, error) {
	keys, err := a.Passkeys(ctx, s)
	if err != nil {
		return user{}, err
	}
	if len(keys) >= mostPasskeys {
		return user{}, &bonafide.Error{Kind: bonafide.Conflict, Msg: "you have 20 passkeys: remove one first"}
	}
	return userOf(s.Person, keys...)
}

// A madeKey is the answer to a new passkey.
type madeKey struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
}

// finishPasskey adds the passkey that a device made.
func (a *Auth) finishPasskey(w http.ResponseWriter, r *http.Request) error {
	s, err := a.passkeyOwner(r)
	if err != nil {
		return err
	}
	f, err := takeFlow[keyFlow](a, w, r, addCookie)
	if err != nil {
		return err
	}
	in, err := readSent(w, r)
	if err != nil {
		return err
	}
	if f.Person != s.Person.ID || string(f.Session) != string(s.row.Hash) {
		return &server.Refusal{Status: http.StatusForbidden, Detail: "it was begun in another session: begin again"}
	}
	name, err := keyName(in.Name)
	if err != nil {
		return err
	}
	ctx := r.Context()
	u, err := a.owner(ctx, s)
	if err != nil {
		return err
	}
	c, err := a.newCredential(u, f, in)
	if err != nil {
		return &server.Refusal{Status: http.StatusUnprocessableEntity, Detail: "the device's answer is not right: begin again", Err: errors.New(detail(err))}
	}
	if !a.spent.spend("passkey "+f.Data.Challenge, a.Now()) {
		return &server.Refusal{Status: http.StatusForbidden, Detail: "the answer came before: begin again"}
	}
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	k := store.Passkey{ID: a.Store.NewID(), Tenant: s.Tenant, Person: s.Person.ID, Name: name, Credential: c.ID, Data: data, Created: a.Now().UTC()}
	if err := a.Store.Update(ctx, func(tx *store.Tx) error { return tx.AddPasskey(ctx, s.Tenant, s.Person.Actor(), k) }); err != nil {
		return err
	}
	return server.WriteJSON(w, http.StatusCreated, madeKey{k.ID, k.Name, k.Created})
}

func (a *Auth) newCredential(u user, f keyFlow, in sent) (*webauthn.Credential, error) {
	parsed, err := protocol.ParseCredentialCreationResponseBytes(in.Credential)
	if err != nil {
		return nil, err
	}
	return a.webauthn.CreateCredential(u, f.Data, parsed)
}

func keyName(s string) (string, error) {
	if s = strings.TrimSpace(s); s == "" {
		return "passkey", nil
	}
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > mostKeyName || strings.ContainsFunc(s, unicode.IsControl) {
		return "", &bonafide.Error{Kind: bonafide.Invalid, Msg: "name: up to 60 characters on one line"}
	}
	return s, nil
}

// detail is what of the library's error may stand in a log: its own words, without
// what was sent.
func detail(err error) string {
	if e, ok := errors.AsType[*protocol.Error](err); ok {
		return e.Type
	}
	return "passkey"
}

// beginSignIn answers with the options for navigator.credentials.get. They name nobody:
// the device knows whose passkeys it has.
func (a *Auth) beginSignIn(w http.ResponseWriter, _ *http.Request) error {
	if !a.HasPasskeys() {
		return errNoPasskeys
	}
	options, data, err := a.webauthn.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return err
	}
	if err := setFlow(a, w, keyCookie, keyFlow{Data: *data}); err != nil {
		return err
	}
	return server.WriteJSON(w, http.StatusOK, options)
}

// errPasskey is the one answer to a passkey that does not let anybody in.
func errPasskey(why string) error {
	return &server.Refusal{Status: http.StatusUnauthorized, Detail: "this passkey does not let you in: try again, or sign in in another way", Err: errors.Join(bonafide.Denied, errors.New(why))}
}

// finishSignIn signs in whoever holds a passkey.
func (a *Auth) finishSignIn(w http.ResponseWriter, r *http.Request) error {
	if !a.HasPasskeys() {
		return errNoPasskeys
	}
	from := a.address(r)
	if wait, ok := a.failures.Left(from, failuresPerMinute, failuresPerMinute, a.Now()); !ok {
		return tooMany(wait)
	}
	f, err := takeFlow[keyFlow](a, w, r, keyCookie)
	if err != nil {
		return err
	}
	in, err := readSent(w, r)
	if err != nil {
		return err
	}
	if err := a.byPasskey(w, r, f, in); err != nil {
		return a.failed(from, err)
	}
	return server.WriteJSON(w, http.StatusOK, map[string]string{"next": LocalPath(in.Next)})
}

func (a *Auth) byPasskey(w http.ResponseWriter, r *http.Request, f keyFlow, in sent) error {
	ctx := r.Context()
	parsed, err := protocol.ParseCredentialRequestResponseBytes(in.Credential)
	if err != nil {
		return errPasskey(detail(err))
	}
	var k store.Passkey
	var p bonafide.Person
	var broken error // not the device's fault
	_, c, err := a.webauthn.ValidatePasskeyLogin(func(id, handle []byte) (webauthn.User, error) {
		err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
			if k, err = tx.PasskeyByCredential(ctx, id); err != nil {
				return err
			}
			p, err = tx.Person(ctx, k.Tenant, k.Person)
			return err
		})
		if err != nil {
			if !errors.Is(err, bonafide.NotFound) {
				broken = err
			}
			return nil, err
		}
		if string(handle) != p.ID {
			return nil, errors.New("another person's")
		}
		u, err := userOf(p, k)
		return u, err
	}, f.Data, parsed)
	if broken != nil {
		return broken
	}
	if err != nil {
		return errPasskey(detail(err))
	}
	if !p.Disabled.IsZero() {
		return errPasskey("disabled")
	}
	if !a.spent.spend("passkey "+f.Data.Challenge, a.Now()) {
		return errPasskey("the answer came before")
	}
	if c.Authenticator.CloneWarning {
		return a.cloned(ctx, p, k)
	}
	if k.Data, err = json.Marshal(c); err != nil {
		return err
	}
	k.Used = a.Now().UTC()
	_, err = a.start(ctx, w, r, p, ByPasskey, a.Now(), func(tx *store.Tx) error { return tx.UpdatePasskey(ctx, p.Tenant, p.Actor(), k) })
	if errors.Is(err, bonafide.Denied) || errors.Is(err, bonafide.NotFound) {
		return errPasskey("removed or disabled meanwhile")
	}
	return err
}

// cloned refuses a passkey whose counter went back: somebody may have a copy.
func (a *Auth) cloned(ctx context.Context, p bonafide.Person, k store.Passkey) error {
	err := a.Store.Update(ctx, func(tx *store.Tx) error {
		return tx.Record(ctx, p.Tenant, bonafide.System("sign-in"), "passkey.suspect", "passkey:"+k.ID, map[string]any{"person": p.ID})
	})
	if err != nil {
		return err
	}
	a.Log.WarnContext(ctx, "a passkey may have been copied: refused", slog.Any("person", p), slog.String("passkey", k.ID))
	return errPasskey("its counter went back")
}

// Passkeys lists the passkeys of a session's person.
func (a *Auth) Passkeys(ctx context.Context, s *Session) (keys []store.Passkey, err error) {
	err = a.Store.View(ctx, func(tx *store.Tx) (err error) { keys, err = tx.Passkeys(ctx, s.Tenant, s.Person.ID); return err })
	return keys, err
}

// RemovePasskey removes a passkey of a session's person, who must have confirmed lately.
func (a *Auth) RemovePasskey(ctx context.Context, s *Session, id string) error {
	if !s.Fresh(a.Now(), Confirmation) {
		return ErrConfirm
	}
	return a.Store.Update(ctx, func(tx *store.Tx) error { return tx.RemovePasskey(ctx, s.Tenant, s.Person.Actor(), s.Person.ID, id) })
}
