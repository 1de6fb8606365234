package auth

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"bonafide"
	"bonafide/server"
	"bonafide/store"
)

// OIDC says which identity provider people may come from.
type OIDC struct {
	Issuer, ClientID, ClientSecret string
	// Tenant is whose people come from it; nobody else's do.
	Tenant bonafide.Tenant
	// RolesClaim names the claim that Roles maps to roles, at every sign-in. Empty:
	// people have the roles that they were given here.
	RolesClaim string
	Roles      map[string][]bonafide.Role // by value of the claim
	// Create makes a person of whoever comes with a role and is not known.
	Create bool
	// Transport speaks to the provider; nil is the usual one.
	Transport http.RoundTripper
}

// LogValue keeps the secret out of logs.
func (o OIDC) LogValue() slog.Value { return slog.StringValue("oidc " + o.Issuer) }

// callback is where the provider sends people back to.
const callback = "/sign-in/oidc/callback"

func (a *Auth) checkOIDC() error {
	o := a.OIDC
	invalid := func(msg string) error { return &bonafide.Error{Kind: bonafide.Invalid, Msg: msg} }
	u, err := url.Parse(o.Issuer)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return invalid("oidc_issuer: not an address such as https://login.example.org/realm")
	}
	switch {
	case a.PublicURL == "":
		return invalid("oidc_issuer: set public_url too, since the provider sends people back there")
	case o.ClientID == "":
		return invalid("oidc_client_id is missing")
	case o.Tenant == "":
		return invalid("oidc: the tenant is missing")
	case (o.RolesClaim == "") != (len(o.Roles) == 0):
		return invalid("oidc_roles_claim and oidc_roles: give both or none")
	case o.Create && o.RolesClaim == "":
		return invalid("oidc_create: whoever is made needs roles: set oidc_roles_claim and oidc_roles")
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// A provider asks the issuer for its addresses and keys the first time that somebody
// signs in, so that one that is down does not stop the program from starting.
type provider struct {
	mu     sync.Mutex
	found  *oidc.Provider
	failed time.Time
}

// Limits on what a provider may take and send.
const (
	providerTime  = 10 * time.Second
	providerBytes = 1 << 20
	providerPause = 5 * time.Second // after it did not answer
)

// limited bounds what a provider answers.
type limited struct{ next http.RoundTripper }

// RoundTrip sends a request.
func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, providerBytes), resp.Body}
	return resp, nil
}

func (a *Auth) client() *http.Client {
	next := a.OIDC.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	return &http.Client{
		Transport: limited{next}, Timeout: providerTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (a *Auth) discover(ctx context.Context) (*oidc.Provider, error) {
	p := &a.provider
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	away := &bonafide.Error{Kind: bonafide.Busy, Msg: "the identity provider does not answer: try again, or sign in in another way"}
	if !p.failed.IsZero() && a.Now().Sub(p.failed) < providerPause {
		return nil, away
	}
	found, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), a.client()), a.OIDC.Issuer)
	if err != nil {
		p.failed = a.Now() // whoever waited meanwhile does not ask again
		a.Log.WarnContext(ctx, "the identity provider does not answer", slog.String("issuer", a.OIDC.Issuer))
		away.Err = err
		return nil, away
	}
	p.found = found
	return found, nil
}

func (a *Auth) oauth(p *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{
		ClientID: a.OIDC.ClientID, ClientSecret: a.OIDC.ClientSecret, Endpoint: p.Endpoint(), RedirectURL: a.PublicURL + callback,
		Scopes: []string{oidc.ScopeOpenID, "email", "profile"},
	}
}

// An oidcFlow is what the browser holds while it is at the provider.
type oidcFlow struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
	Next     string `json:"next"`
	Again    bool   `json:"again"` // the person was asked to prove again who they are
}

const oidcCookie = "oidc"

var errNoOIDC = &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no identity provider: set oidc_issuer"}

// OIDCStart sends a browser to the identity provider. The query may have next, where to
// go afterwards, and again=1, to have the person prove again who they are.
func (a *Auth) OIDCStart(w http.ResponseWriter, r *http.Request) error {
	if !a.HasOIDC() {
		return errNoOIDC
	}
	p, err := a.discover(r.Context())
	if err != nil {
		return err
	}
	f := oidcFlow{Next: LocalPath(r.URL.Query().Get("next")), Again: r.URL.Query().Get("again") == "1"}
	for _, to := range []*string{&f.State, &f.Nonce, &f.Verifier} {
		if *to, err = a.newToken(); err != nil {
			return err
		}
	}
	if err := setFlow(a, w, oidcCookie, f); err != nil {
		return err
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)}
	if f.Again {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	http.Redirect(w, r, a.oauth(p).AuthCodeURL(f.State, options...), http.StatusSeeOther)
	return nil
}

// claims are what a provider says of a person.
type claims struct {
	Email    string          `json:"email"`
	Verified json.RawMessage `json:"email_verified"` // some send "true"
	Name     string          `json:"name"`
	AuthTime int64           `json:"auth_time"`
}

func (c claims) verified() bool {
	return c.Email != "" && (string(c.Verified) == "true" || string(c.Verified) == `"true"`)
}

// A refusal of the callback, in words that do not tell whether somebody is known.
func strange(why string) error {
	return &server.Refusal{Status: http.StatusForbidden, Detail: "the identity provider's answer does not let you in here: begin again, or ask an administrator to add you", Err: errors.New(why)}
}

// OIDCCallback takes a browser back from the identity provider and signs its person in.
func (a *Auth) OIDCCallback(w http.ResponseWriter, r *http.Request) error {
	if !a.HasOIDC() {
		return errNoOIDC
	}
	ctx, q := r.Context(), r.URL.Query()
	f, err := takeFlow[oidcFlow](a, w, r, oidcCookie)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(f.State)) != 1 {
		return strange("another state")
	}
	if iss := q.Get("iss"); iss != "" && iss != a.OIDC.Issuer {
		return strange("another issuer answers") // RFC 9207
	}
	if q.Get("error") != "" || q.Get("code") == "" {
		return strange("the provider refused")
	}
	if !a.spent.spend("oidc "+f.State, a.Now()) {
		return strange("the answer came before")
	}
	p, err := a.discover(ctx)
	if err != nil {
		return err
	}
	ctx = oidc.ClientContext(ctx, a.client())
	token, err := a.oauth(p).Exchange(ctx, q.Get("code"), oauth2.VerifierOption(f.Verifier))
	if err != nil {
		if _, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
			return strange("the provider does not take the code") // its own words may hold anything
		}
		return &bonafide.Error{Kind: bonafide.Busy, Msg: "the identity provider does not answer: begin again", Err: errors.New("exchange a code")}
	}
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return strange("no id token")
	}
	id, err := p.VerifierContext(ctx, &oidc.Config{ClientID: a.OIDC.ClientID, Now: a.Now}).Verify(ctx, raw)
	if err != nil {
		return strange("the id token is not right")
	}
	if id.Nonce == "" || subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(f.Nonce)) != 1 {
		return strange("another nonce")
	}
	person, c, err := a.fromProvider(ctx, id)
	if err != nil {
		return err
	}
	if _, err := a.start(ctx, w, r, person, ByOIDC, a.proved(c, f), nil); err != nil {
		return err
	}
	http.Redirect(w, r, LocalPath(f.Next), http.StatusSeeOther)
	return nil
}

// proved is when the provider last saw a proof: as it says, else now where it was told
// to ask for one, else not known.
func (a *Auth) proved(c claims, f oidcFlow) time.Time {
	now := a.Now()
	switch {
	case c.AuthTime > 0 && c.AuthTime <= now.Unix():
		return time.Unix(c.AuthTime, 0)
	case f.Again && c.AuthTime == 0:
		return now
	}
	return time.Time{}
}

// rolesOf maps the claim to roles. A claim is a text or a list of texts.
func (a *Auth) rolesOf(id *oidc.IDToken) ([]bonafide.Role, error) {
	var all map[string]json.RawMessage
	if err := id.Claims(&all); err != nil {
		return nil, err
	}
	var values []string
	raw := all[a.OIDC.RolesClaim]
	if json.Unmarshal(raw, &values) != nil {
		var one string
		if json.Unmarshal(raw, &one) == nil {
			values = []string{one}
		}
	}
	var roles []bonafide.Role
	for _, r := range bonafide.Roles {
		if slices.ContainsFunc(values, func(v string) bool { return slices.Contains(a.OIDC.Roles[v], r) }) {
			roles = append(roles, r)
		}
	}
	return roles, nil
}

// fromProvider finds the person whom the provider means: by issuer and subject, else,
// at the first sign-in, by an e-mail address that the provider has verified and that is
// the person's login. Then it links them for good.
func (a *Auth) fromProvider(ctx context.Context, id *oidc.IDToken) (p bonafide.Person, c claims, err error) {
	if err := id.Claims(&c); err != nil {
		return p, c, strange("claims cannot be read")
	}
	var roles []bonafide.Role
	if a.OIDC.RolesClaim != "" {
		if roles, err = a.rolesOf(id); err != nil {
			return p, c, strange("claims cannot be read")
		}
		if len(roles) == 0 {
			return p, c, strange("no role")
		}
	}
	newID := a.Store.NewID()
	by := bonafide.System("oidc")
	err = a.Store.Update(ctx, func(tx *store.Tx) (err error) {
		p, err = tx.PersonBySubject(ctx, id.Issuer, id.Subject)
		if errors.Is(err, bonafide.NotFound) {
			if p, err = a.firstTime(ctx, tx, c, newID, roles); err != nil {
				return err
			}
			err = tx.LinkPerson(ctx, p.Tenant, by, p.ID, id.Issuer, id.Subject)
		}
		if err != nil {
			return err
		}
		if p.Tenant != a.OIDC.Tenant || !p.Disabled.IsZero() {
			return strange("disabled, or of another tenant")
		}
		if roles == nil || slices.Equal(roles, p.Roles) {
			return nil
		}
		p.Roles = roles
		return tx.SavePerson(ctx, by, p)
	})
	if errors.Is(err, bonafide.Conflict) || errors.Is(err, bonafide.Invalid) {
		err = strange(fmt.Sprintf("the person cannot be linked or saved: %v", err))
	}
	return p, c, err
}

// firstTime finds or makes somebody who has not come from the provider before.
func (a *Auth) firstTime(ctx context.Context, tx *store.Tx, c claims, newID string, roles []bonafide.Role) (bonafide.Person, error) {
	if !c.verified() {
		return bonafide.Person{}, strange("the e-mail address is not verified")
	}
	p, err := tx.PersonByLogin(ctx, c.Email)
	if !errors.Is(err, bonafide.NotFound) {
		return p, err
	}
	if !a.OIDC.Create {
		return p, strange("nobody of this e-mail address")
	}
	p = bonafide.Person{ID: newID, Tenant: a.OIDC.Tenant, Login: c.Email, Name: c.Name, Roles: roles, Created: a.Now()}
	if p.Name == "" {
		p.Name = c.Email
	}
	return p, tx.AddPerson(ctx, bonafide.System("oidc"), p, "")
}
