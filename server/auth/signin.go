package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"bonafide"
	"bonafide/server"
	"bonafide/store"
)

// failuresPerMinute is how many wrong sign-ins an address may send a minute.
const failuresPerMinute = 20

// lockAfter failures in a row a login is locked: for a minute, then twice as long each
// time, up to an hour. A lock keeps passwords out; passkeys and the identity provider
// still let the person in, so that nobody can be shut out by somebody else's guessing.
const lockAfter, longestLock = 5, time.Hour

func lockFor(failures int) time.Duration {
	if failures < lockAfter {
		return 0
	}
	return min(time.Minute<<min(failures-lockAfter, 10), longestLock)
}

// who names what tries are counted against. Names that nobody has are counted too,
// since their not being locked would tell them apart: by 20 bits of a keyed hash, so
// that an attacker cannot fill the database with them.
func (a *Auth) who(p bonafide.Person, login string) string {
	if p.ID != "" {
		return "person:" + p.ID
	}
	if folded, err := store.FoldLogin(login); err == nil {
		login = folded
	}
	h := hmac.New(sha256.New, a.unknown)
	h.Write([]byte(login))
	return "nobody:" + hex.EncodeToString(h.Sum(nil))[:5]
}

// A proof is a password that was right.
type proof struct {
	person bonafide.Person
	phc    string // it was right for this hash
	fresh  string // the same password hashed at today's cost, where phc was not
	who    string
}

// settle is what belongs to the transaction that acts on a proof: it fails if the
// password was changed meanwhile.
func (a *Auth) settle(ctx context.Context, tx *store.Tx, p proof) error {
	phc, err := tx.Password(ctx, p.person.Tenant, p.person.ID)
	if err != nil {
		return err
	}
	if phc != p.phc {
		return wrongSignIn(0)
	}
	if err := tx.ForgetTries(ctx, p.who); err != nil {
		return err
	}
	if p.fresh == "" {
		return nil
	}
	return tx.RehashPassword(ctx, p.person.Tenant, p.person.Actor(), p.person.ID, p.fresh)
}

// verify checks a password. A try is counted before it is made and taken back when it
// was right, so that a thousand at once are no more tries than a thousand in a row.
func (a *Auth) verify(ctx context.Context, login, password string) (proof, error) {
	var p proof
	var locked time.Time
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		p = proof{}
		if p.person, err = tx.PersonByLogin(ctx, login); err != nil && !errors.Is(err, bonafide.NotFound) {
			return err
		}
		if p.phc, err = tx.Password(ctx, p.person.Tenant, p.person.ID); err != nil {
			return err
		}
		p.who = a.who(p.person, login)
		t, err := tx.Tries(ctx, p.who)
		locked = t.Locked
		return err
	})
	if err != nil {
		return p, err
	}
	if left := locked.Sub(a.Now()); left > 0 { // without a turn; ReserveTry says so too
		return p, wrongSignIn(left)
	}
	leave, err := a.hasher.enter(ctx)
	if err != nil {
		return p, err
	}
	defer leave()
	now := a.Now()
	var try store.Try
	err = a.Store.Update(ctx, func(tx *store.Tx) (err error) {
		try, err = tx.ReserveTry(ctx, p.who, now, lockFor)
		return err
	})
	if err != nil {
		return p, err
	}
	left := max(try.Locked.Sub(now), 0)
	if !try.Allowed {
		return p, wrongSignIn(left)
	}
	phc := p.phc
	if len(password) > 4*longest {
		phc, password = "", "" // of nobody
	}
	ok, stale := a.hasher.check(phc, password)
	if ok && p.person.Disabled.IsZero() {
		if stale {
			p.fresh, err = a.hasher.hash(a.Random, password)
		}
		return p, err
	}
	if left > 0 && p.person.ID != "" {
		err = a.Store.Update(ctx, func(tx *store.Tx) error {
			return tx.Record(ctx, p.person.Tenant, bonafide.System("sign-in"), "person.locked", "person:"+p.person.ID, map[string]any{"failures": try.Failures, "until": try.Locked.UnixMicro()})
		})
		if err != nil {
			return p, err
		}
		a.Log.WarnContext(ctx, "too many wrong passwords: locked for a while", slog.Any("person", p.person), slog.Int("failures", try.Failures))
	}
	return p, wrongSignIn(left)
}

// SignIn lets in who knows the password and sets the cookie of a new session. Whoever
// does not get in gets a *server.Refusal, 401, the same whatever the reason; After says
// how long the login is locked. Before anything else than changing the password,
// look at Person.MustChange: until then the session may do nothing.
func (a *Auth) SignIn(ctx context.Context, w http.ResponseWriter, r *http.Request, login, password string) (*Session, error) {
	from := a.address(r)
	if wait, ok := a.failures.Left(from, failuresPerMinute, failuresPerMinute, a.Now()); !ok {
		return nil, tooMany(wait)
	}
	p, err := a.verify(ctx, login, password)
	if err != nil {
		return nil, a.failed(from, err)
	}
	s, err := a.start(ctx, w, r, p.person, ByPassword, a.Now(), func(tx *store.Tx) error { return a.settle(ctx, tx, p) })
	if errors.Is(err, bonafide.Denied) || errors.Is(err, bonafide.NotFound) {
		return nil, wrongSignIn(0) // disabled, or another password, since it was checked
	}
	return s, err
}

// failed counts a wrong sign-in against an address.
func (a *Auth) failed(from string, err error) error {
	if errors.Is(err, bonafide.Denied) {
		a.failures.Take(from, failuresPerMinute, failuresPerMinute, a.Now())
	}
	return err
}

func tooMany(wait time.Duration) error {
	return &server.Refusal{Status: http.StatusTooManyRequests, Detail: "too many wrong sign-ins from here: wait as long as Retry-After says", After: max(wait, time.Second)}
}

// Confirm asks the person of a session for the password again. The session goes on
// under a new token, and is Fresh.
func (a *Auth) Confirm(ctx context.Context, w http.ResponseWriter, s *Session, password string) (*Session, error) {
	p, err := a.verifyOwn(ctx, s, password)
	if err != nil {
		return nil, err
	}
	token, err := a.newToken()
	if err != nil {
		return nil, err
	}
	row := s.row
	row.Hash, row.Recent, row.Seen = hashToken(token), a.Now(), a.Now()
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		if err := a.settle(ctx, tx, p); err != nil {
			return err
		}
		return tx.RenewSession(ctx, p.person.Actor(), s.row.Hash, row)
	})
	if errors.Is(err, bonafide.NotFound) {
		return nil, ErrNoSession
	}
	if err != nil {
		return nil, err
	}
	http.SetCookie(w, a.cookie(sessionCookie, token))
	return newSession(row, p.person), nil
}

func (a *Auth) verifyOwn(ctx context.Context, s *Session, password string) (proof, error) {
	p, err := a.verify(ctx, s.Person.Login, password)
	if err == nil && p.person.ID != s.Person.ID {
		err = wrongSignIn(0)
	}
	return p, err
}

// ChangePassword changes the own password. All sessions of the person end, this one
// too: call SignIn with the new password afterwards.
func (a *Auth) ChangePassword(ctx context.Context, s *Session, old, password string) error {
	if err := CheckPassword(s.Person, password); err != nil {
		return err
	}
	p, err := a.verifyOwn(ctx, s, old)
	if err != nil {
		return err
	}
	if string(fold(old)) == string(fold(password)) {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "password: it is the old one: choose another"}
	}
	phc, err := a.hash(ctx, password)
	if err != nil {
		return err
	}
	p.fresh = ""
	return a.Store.Update(ctx, func(tx *store.Tx) error {
		if err := a.settle(ctx, tx, p); err != nil {
			return err
		}
		return tx.SetPassword(ctx, s.Tenant, p.person.Actor(), p.person.ID, phc, false)
	})
}

// hash waits for a turn and hashes a password.
func (a *Auth) hash(ctx context.Context, password string) (string, error) {
	leave, err := a.hasher.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	return a.hasher.hash(a.Random, password)
}

// SetPassword gives somebody a password, to be changed at the first sign-in, and ends
// their sessions. An empty password draws one, which is returned to be shown once. The
// store refuses who may not change people; nobody gives one to themselves.
func (a *Auth) SetPassword(ctx context.Context, by bonafide.Actor, t bonafide.Tenant, id, password string) (string, error) {
	if by.ID == (bonafide.Person{ID: id}).Actor().ID {
		return "", &bonafide.Error{Kind: bonafide.Denied, Msg: "change your own password by giving the old one"}
	}
	var p bonafide.Person
	if err := a.Store.View(ctx, func(tx *store.Tx) (err error) { p, err = tx.Person(ctx, t, id); return err }); err != nil {
		return "", err
	}
	password, phc, err := a.oneTime(ctx, p, password)
	if err != nil {
		return "", err
	}
	return password, a.Store.Update(ctx, func(tx *store.Tx) error { return tx.SetPassword(ctx, t, by, id, phc, true) })
}

// oneTime checks a password that somebody gives to p, or draws one, and hashes it.
func (a *Auth) oneTime(ctx context.Context, p bonafide.Person, given string) (password, phc string, err error) {
	if password = given; password == "" {
		password, err = NewPassword(a.Random)
	} else {
		err = CheckPassword(p, password)
	}
	if err != nil {
		return "", "", err
	}
	phc, err = a.hash(ctx, password)
	return password, phc, err
}

// AddPerson adds a person with a password to be changed at the first sign-in, and
// returns both; an empty password draws one. p needs Tenant, Login, Name and Roles.
func (a *Auth) AddPerson(ctx context.Context, by bonafide.Actor, p bonafide.Person, password string) (bonafide.Person, string, error) {
	p.ID, p.Created, p.Disabled, p.MustChange = a.Store.NewID(), a.Now().UTC(), time.Time{}, true
	password, phc, err := a.oneTime(ctx, p, password)
	if err != nil {
		return p, "", err
	}
	err = a.Store.Update(ctx, func(tx *store.Tx) error { return tx.AddPerson(ctx, by, p, phc) })
	if err != nil {
		return p, "", err
	}
	err = a.Store.View(ctx, func(tx *store.Tx) (err error) { p, err = tx.Person(ctx, p.Tenant, p.ID); return err })
	return p, password, err
}

// address returns what a client can hardly change: the IPv4 address, or the network of
// the IPv6 one. Behind a proxy it is what the proxy says.
func (a *Auth) address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if via := r.Header.Values("X-Forwarded-For"); a.BehindProxy && len(via) > 0 {
		last := via[len(via)-1]
		host = strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return "unknown"
	}
	if ip = ip.Unmap(); ip.Is6() {
		if p, err := ip.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return ip.String()
}
