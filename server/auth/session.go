package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"bonafide"
	"bonafide/server"
	"bonafide/store"
)

// How long a session lasts without a request, and at most; and how old the note of
// its last request may get, which saves a write with every one.
const (
	idle     = 30 * time.Minute
	absolute = 12 * time.Hour
	touch    = time.Minute
)

// The ways to sign in.
const (
	ByPassword = "password"
	ByPasskey  = "passkey"
	ByOIDC     = "oidc"
)

// A Session is who sends a request.
type Session struct {
	Person  bonafide.Person // MustChange only where the password was given by somebody else and used
	Actor   bonafide.Actor  // may do nothing while Person.MustChange
	Tenant  bonafide.Tenant
	Started time.Time
	Recent  time.Time // when the person last proved who they are; zero: not known
	How     string    // ByPassword, ByPasskey or ByOIDC
	row     store.Session
}

// LogValue keeps all but the person's id out of logs.
func (s *Session) LogValue() slog.Value { return slog.StringValue(s.Actor.ID) }

// Fresh reports whether the person proved who they are no longer than d ago; ask
// again before dangerous acts.
func (s *Session) Fresh(now time.Time, d time.Duration) bool {
	return !s.Recent.IsZero() && !now.Before(s.Recent) && now.Sub(s.Recent) <= d
}

// Strong reports whether the session came from a passkey, which nobody can phish.
func (s *Session) Strong() bool { return s.How == ByPasskey }

// newSession joins a row and its person.
func newSession(row store.Session, p bonafide.Person) *Session {
	p.MustChange = p.MustChange && row.How == ByPassword
	s := &Session{Person: p, Actor: p.Actor(), Tenant: p.Tenant, Started: row.Started, Recent: row.Recent, How: row.How, row: row}
	if p.MustChange {
		s.Actor.Scopes = nil
	}
	return s
}

// ErrNoSession says that a request comes from nobody who has signed in.
var ErrNoSession = &server.Refusal{Status: http.StatusUnauthorized, Detail: "sign in first"}

const sessionCookie = "bonafide"

// token returns the token of a request, "" where there is none or more than one: then
// somebody else has set one too.
func (a *Auth) token(r *http.Request) string {
	c := r.CookiesNamed(a.cookieName(sessionCookie))
	if len(c) != 1 || len(c[0].Value) != base64.RawURLEncoding.EncodedLen(tokenSize) {
		return ""
	}
	return c[0].Value
}

const tokenSize = 32

func hashToken(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

func (a *Auth) newToken() (string, error) {
	var b [tokenSize]byte
	if _, err := io.ReadFull(a.Random, b[:]); err != nil {
		return "", fmt.Errorf("draw a token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// Session returns the session of a request; ErrNoSession where there is none, it has
// ended, or its person is disabled.
func (a *Auth) Session(r *http.Request) (*Session, error) { return a.session(r, true) }

// Watching is Session for a request that nobody made by hand, such as a page's that renews
// itself: it does not keep the session alive.
func (a *Auth) Watching(r *http.Request) (*Session, error) { return a.session(r, false) }

func (a *Auth) session(r *http.Request, active bool) (*Session, error) {
	token := a.token(r)
	if token == "" {
		return nil, ErrNoSession
	}
	ctx, now := r.Context(), a.Now()
	var row store.Session
	var p bonafide.Person
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		if row, err = tx.SessionByHash(ctx, hashToken(token)); err != nil {
			return err
		}
		p, err = tx.Person(ctx, row.Tenant, row.Person)
		return err
	})
	if errors.Is(err, bonafide.NotFound) {
		return nil, ErrNoSession
	}
	if err != nil {
		return nil, fmt.Errorf("look up session: %w", err)
	}
	if !p.Disabled.IsZero() || !live(row, now) {
		return nil, ErrNoSession
	}
	if active && now.Sub(row.Seen) >= touch {
		if err := a.Store.Update(ctx, func(tx *store.Tx) error { return tx.TouchSession(ctx, row.Tenant, row.Hash, now) }); err != nil {
			a.Log.WarnContext(ctx, "session could not be kept alive", slog.Any("error", err))
		}
	}
	return newSession(row, p), nil
}

func live(row store.Session, now time.Time) bool {
	return now.Sub(row.Seen) < idle && now.Sub(row.Started) < absolute
}

type sessionKey struct{}

// Middleware puts the session of a request, where it has one, into its context.
func (a *Auth) Middleware(next http.Handler) http.Handler {
	return server.Handle(a.Log, func(w http.ResponseWriter, r *http.Request) error {
		s, err := a.Session(r)
		switch {
		case err == nil:
			r = r.WithContext(context.WithValue(r.Context(), sessionKey{}, s))
		case !errors.Is(err, ErrNoSession):
			return err
		}
		next.ServeHTTP(w, r)
		return nil
	})
}

// From returns the session that Middleware found.
func From(ctx context.Context) (*Session, bool) {
	s, ok := ctx.Value(sessionKey{}).(*Session)
	return s, ok
}

// start begins a session for p with a new token, whatever token the request had, and
// ends the one it had. Also does, in the same transaction, what else belongs to the
// sign-in; it may run more than once.
func (a *Auth) start(ctx context.Context, w http.ResponseWriter, r *http.Request, p bonafide.Person, how string, recent time.Time, also func(*store.Tx) error) (*Session, error) {
	token, err := a.newToken()
	if err != nil {
		return nil, err
	}
	now := a.Now()
	row := store.Session{Hash: hashToken(token), Tenant: p.Tenant, Person: p.ID, How: how, Started: now, Seen: now, Recent: recent}
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		if also != nil {
			if err := also(tx); err != nil {
				return err
			}
		}
		if err := tx.AddSession(ctx, p.Actor(), row); err != nil {
			return err
		}
		if p, err = tx.Person(ctx, row.Tenant, row.Person); err != nil {
			return err
		}
		return tx.ExpireSessions(ctx, now.Add(-idle), now.Add(-absolute))
	})
	if err != nil {
		return nil, err
	}
	if err := a.end(ctx, a.token(r)); err != nil {
		return nil, err
	}
	http.SetCookie(w, a.cookie(sessionCookie, token))
	return newSession(row, p), nil
}

// end ends the session of a token, if it is one.
func (a *Auth) end(ctx context.Context, token string) error {
	if token == "" {
		return nil
	}
	err := a.Store.Update(ctx, func(tx *store.Tx) error {
		row, err := tx.SessionByHash(ctx, hashToken(token))
		if err != nil {
			return err
		}
		return tx.EndSession(ctx, bonafide.Person{ID: row.Person}.Actor(), row)
	})
	if errors.Is(err, bonafide.NotFound) {
		return nil
	}
	return err
}

// SignOut ends the session of a request and tells the browser to forget it.
func (a *Auth) SignOut(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	if err := a.end(ctx, a.token(r)); err != nil {
		return err
	}
	gone := a.cookie(sessionCookie, "")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	return nil
}
