package auth

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"bonafide/server"
)

// flowTime is how long somebody may take between two steps of a sign-in.
const flowTime = 10 * time.Minute

// Between two steps of a sign-in the browser holds what the second needs, in a cookie
// that it can neither read nor change. Any process on the database opens it.

// A flow is what such a cookie holds.
type flow[T any] struct {
	Expires int64 `json:"expires"` // seconds since 1970
	Data    T     `json:"data"`
}

// cookieName of a name: browsers take __Host- cookies from this very host alone, over
// TLS alone.
func (a *Auth) cookieName(name string) string {
	if a.Secure {
		return "__Host-" + name
	}
	return name
}

func (a *Auth) cookie(name, value string) *http.Cookie {
	return &http.Cookie{Name: a.cookieName(name), Value: value, Path: "/", HttpOnly: true, Secure: a.Secure, SameSite: http.SameSiteLaxMode}
}

// setFlow seals v into the cookie of a kind of sign-in.
func setFlow[T any](a *Auth, w http.ResponseWriter, kind string, v T) error {
	b, err := json.Marshal(flow[T]{Expires: a.Now().Add(flowTime).Unix(), Data: v})
	if err != nil {
		return err
	}
	nonce := make([]byte, a.flows.NonceSize())
	if _, err := io.ReadFull(a.Random, nonce); err != nil {
		return fmt.Errorf("draw a nonce: %w", err)
	}
	c := a.cookie("bonafide-"+kind, base64.RawURLEncoding.EncodeToString(a.flows.Seal(nonce, nonce, b, []byte(kind))))
	c.MaxAge = int(flowTime / time.Second)
	http.SetCookie(w, c)
	return nil
}

// takeFlow opens the cookie and tells the browser to forget it.
func takeFlow[T any](a *Auth, w http.ResponseWriter, r *http.Request, kind string) (v T, err error) {
	stale := &server.Refusal{Status: http.StatusForbidden, Detail: "the sign-in took too long or was begun elsewhere: begin again"}
	gone := a.cookie("bonafide-"+kind, "")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	given := r.CookiesNamed(a.cookieName("bonafide-" + kind))
	if len(given) != 1 {
		return v, stale
	}
	b, err := base64.RawURLEncoding.DecodeString(given[0].Value)
	n := a.flows.NonceSize()
	if err != nil || len(b) < n {
		return v, stale
	}
	plain, err := a.flows.Open(nil, b[:n], b[n:], []byte(kind))
	if err != nil {
		return v, stale
	}
	var f flow[T]
	if err := json.Unmarshal(plain, &f); err != nil || a.Now().Unix() >= f.Expires {
		return v, stale
	}
	return f.Data, nil
}

// spent remembers what must not be used twice while it is valid. Only what was
// right once gets in, so that nobody can fill it.
type spent struct {
	mu   sync.Mutex
	till map[string]time.Time
}

const mostSpent = 10_000

// spend reports whether this is the first time. Where too much is remembered it
// says no rather than forget something.
func (s *spent) spend(what string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.till == nil {
		s.till = map[string]time.Time{}
	}
	if len(s.till) >= mostSpent {
		for k, t := range s.till {
			if !now.Before(t) {
				delete(s.till, k)
			}
		}
	}
	if t, ok := s.till[what]; ok && now.Before(t) || len(s.till) >= mostSpent {
		return false
	}
	s.till[what] = now.Add(flowTime)
	return true
}
