// Package auth signs people in to the console: by password, by passkey, or through
// an identity provider. It keeps sessions, slows down guessing, and says who sends a
// request. It renders no pages.
//
// What it promises: a wrong name, a wrong password, a disabled person and a locked
// one are answered alike, in the same words and after the same work. Every sign-in
// makes a new token. Roles are read with every request, and new roles, a new password
// and disabling end all sessions.
package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"bonafide"
	"bonafide/server"
	"bonafide/store"
)

// A Config is what an Auth is made of. Store, Now, Random and Log are required.
type Config struct {
	Store       *store.DB
	Now         func() time.Time
	Random      io.Reader // of tokens, salts and passwords; safe for concurrent use
	Log         *slog.Logger
	Secure      bool   // browsers reach the console over TLS
	BehindProxy bool   // the last X-Forwarded-For names the client
	PublicURL   string // scheme, host and port that browsers use; passkeys and OIDC need it
	OIDC        OIDC   // the zero value is none
	// Refused renders what the callback of an identity provider, which a browser shows
	// as a page, was refused for; nil answers with a problem.
	Refused func(http.ResponseWriter, *http.Request, error)
}

// LogValue keeps the secrets out of logs.
func (c Config) LogValue() slog.Value { return slog.StringValue("sign-in at " + c.PublicURL) }

// An Auth signs people in. It is safe for concurrent use; several, in several
// processes, may share a database.
type Auth struct {
	Config
	hasher   *hasher
	failures server.Rate // wrong sign-ins, by address
	flows    cipher.AEAD // seals what a browser holds between two steps
	spent    spent
	webauthn *webauthn.WebAuthn // nil where there is no public URL that passkeys can have
	provider provider
	cross    *http.CrossOriginProtection
	unknown  []byte // key of what is counted for names that nobody has
}

// New returns an Auth. It asks no identity provider anything yet.
func New(c Config) (*Auth, error) {
	if c.Store == nil || c.Now == nil || c.Random == nil || c.Log == nil {
		return nil, errors.New("auth: Config needs a store, a clock, a random source and a log")
	}
	a := &Auth{Config: c, cross: http.NewCrossOriginProtection(), unknown: c.Store.Key("unknown logins")}
	var err error
	if a.hasher, err = newHasher(c.Random); err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(c.Store.Key("sign-in flows"))
	if err != nil {
		return nil, err
	}
	if a.flows, err = cipher.NewGCM(block); err != nil {
		return nil, err
	}
	if c.PublicURL != "" {
		if err := a.public(c.PublicURL); err != nil {
			return nil, err
		}
	}
	if c.OIDC.Issuer != "" {
		if err := a.checkOIDC(); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// public takes over the address that browsers use.
func (a *Auth) public(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "public_url: not scheme, host and port such as https://bonafide.example.org"}
	}
	origin := u.Scheme + "://" + strings.ToLower(u.Host)
	a.PublicURL = origin
	if err := a.cross.AddTrustedOrigin(origin); err != nil {
		return fmt.Errorf("public_url: %w", err)
	}
	host := strings.ToLower(u.Hostname())
	if net.ParseIP(host) != nil || u.Scheme == "http" && host != "localhost" {
		return nil // browsers give such places no passkeys
	}
	yes := true
	a.webauthn, err = webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: "Bonafide", RPOrigins: []string{origin}, AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: &yes, ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return fmt.Errorf("passkeys: %w", err)
	}
	return nil
}

// HasPasskeys reports whether people can sign in with passkeys.
func (a *Auth) HasPasskeys() bool { return a.webauthn != nil }

// HasOIDC reports whether people can sign in through an identity provider.
func (a *Auth) HasOIDC() bool { return a.OIDC.Issuer != "" }

// Protect refuses requests that change something and come from another site's page.
func (a *Auth) Protect(next http.Handler) http.Handler {
	return server.Handle(a.Log, func(w http.ResponseWriter, r *http.Request) error {
		if err := a.cross.Check(r); err != nil {
			return &server.Refusal{Status: http.StatusForbidden, Detail: "the request comes from another site: open the console itself and try again", Err: err}
		}
		next.ServeHTTP(w, r)
		return nil
	})
}

// Routes are the addresses that need no page, by pattern of http.ServeMux.
func (a *Auth) Routes() map[string]http.Handler {
	post := func(h server.Handler) http.Handler { return a.Protect(a.Middleware(server.Handle(a.Log, h))) }
	return map[string]http.Handler{
		"POST /sign-in/passkey/begin":  post(a.beginSignIn),
		"POST /sign-in/passkey/finish": post(a.finishSignIn),
		"POST /me/passkeys/begin":      post(a.beginPasskey),
		"POST /me/passkeys/finish":     post(a.finishPasskey),
		"GET /sign-in/oidc":            a.page(a.OIDCStart),
		"GET /sign-in/oidc/callback":   a.page(a.OIDCCallback),
	}
}

// page shows a refusal as a page where somebody renders one.
func (a *Auth) page(h server.Handler) http.Handler {
	return server.Handle(a.Log, func(w http.ResponseWriter, r *http.Request) error {
		err := h(w, r)
		if err == nil || a.Refused == nil {
			return err
		}
		if _, internal := server.Refused(err); internal {
			return err
		}
		a.Refused(w, r, err)
		return nil
	})
}

// LocalPath returns next where it is a path of this site, else "/". Whoever follows
// it does not leave the site.
func LocalPath(next string) string {
	const home = "/"
	if len(next) > 2000 || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") {
		return home
	}
	for _, r := range next {
		if r <= ' ' || r == '\\' || r == 0x7f {
			return home
		}
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || strings.HasPrefix(u.Path, "//") || strings.Contains(u.Path, "\\") {
		return home
	}
	return next
}
