// Package console is where people work: pages rendered here, readable without a script,
// with a few scripts that make them quicker. No page holds a rule: who may do what is
// decided by scopes at the door of each route and by the store, and what a complaint's
// clock says is read from its own track alone.
//
// Nothing personal stands in an address, a title or the browser's storage: lists
// remember themselves by ids, searches are posted, and what is revealed is shown once.
package console

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"bonafide"
	"bonafide/casefile"
	"bonafide/casework"
	"bonafide/pipeline"
	"bonafide/policy"
	"bonafide/server"
	"bonafide/server/auth"
	"bonafide/signal/text"
	"bonafide/store"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed static
var staticFiles embed.FS

// Tracks moves complaints along their own track.
type Tracks interface {
	TrackOf(row store.TrackRow) (casework.Track, *casework.Pack, error)
	Move(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, complaint string, version int, act casework.Act) (casework.Track, error)
	Assign(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, complaint string, version int, assignee string) error
	Note(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, complaint string, version int, text string) error
}

// Extensions moves a clock where that takes two people.
type Extensions interface {
	AskExtension(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, complaint string, version int, clock, reason string) error
	RefuseExtension(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, complaint string, version int, reason string) error
	Approve(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, complaint string, version int) (casework.Track, error)
}

// Decider carries out what people decide about rings.
type Decider interface {
	Decide(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, ring string, verb bonafide.Verb, reason, innocent string, keep func(*store.Tx, bonafide.RingState) error) error
	Apart(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, a, b, reason string, keep func(*store.Tx) error) error
	FileAppeal(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, complaint, ring, reason string) (id string, err error)
	DecideAppeal(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, upheld bool, reason string) error
}

// Finder looks in what is compared.
type Finder interface {
	Holding(ctx context.Context, t bonafide.Tenant, passage string, limit int) (hits []pipeline.Hit, ok bool, err error)
	Filed(ctx context.Context, t bonafide.Tenant, id bonafide.Identifier, limit int) (ids []string, all int, ok bool, err error)
	Marks(ctx context.Context, t bonafide.Tenant, letter string, others []string) ([]text.Mark, error)
	Targets(ctx context.Context, t bonafide.Tenant, ids []bonafide.Identifier, customerRef, complaint string) ([]bonafide.Target, error)
}

// Grader tries policies and has everything graded anew.
type Grader interface {
	Backtest(ctx context.Context, t bonafide.Tenant, policy string) error
	Testing(ctx context.Context, t bonafide.Tenant, policy string) (bool, error)
	Regroup(ctx context.Context, t bonafide.Tenant) error
}

// Config is what the pages are made of.
type Config struct {
	Store      *store.DB
	Auth       *auth.Auth
	Tracks     Tracks
	Extensions Extensions
	Decider    Decider
	Finder     Finder
	Grader     Grader
	Imports    Importer
	Front      Front
	Audits     Auditor
	Cases      Cases
	Policy     *policy.Pack   // in force where a tenant has put none of its own in force
	Clocks     *casework.Pack // whose zone and calendar pages are written in
	// NewKey stores an API key and returns its secret, which is kept nowhere.
	NewKey  func(ctx context.Context, by bonafide.Actor, key store.APIKey) (secret string, err error)
	Lender  string // its name, in letters
	Now     func() time.Time
	Log     *slog.Logger
	Version string
	// Demo lists the people of a demonstration, which the sign-in page shows with the
	// password of all of them.
	Demo         []bonafide.Person
	DemoPassword string
}

// A Console is the pages and what they need while they run.
type Console struct {
	Config
	all     catalogue
	pages   map[string]*page
	assets  map[string]asset
	reveals quota
	figures *figures
	looks   recentLooks
	words   map[string][]chapter // of the glossary, by the column of a language
	asked   server.Rate          // questions to customers, by address
	uploads chan struct{}        // takes one for each file that is being handed in

	stopping chan struct{} // closed once streams are to end
	stop     sync.Once
	streams  streams
}

// New returns the console. Run keeps its figures.
func New(c Config) (*Console, error) {
	all, err := readCatalogue(localeFiles)
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	k := &Console{Config: c, all: all, figures: newFigures(), uploads: make(chan struct{}, uploadsOnce), stopping: make(chan struct{})}
	if k.words, err = readGlossary(); err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	if k.assets, err = readAssets(staticFiles); err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	if k.pages, err = k.readPages(templateFiles); err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	return k, nil
}

// EndStreams ends the streams of those who watch, which would keep a server from
// stopping: register it with [http.Server.RegisterOnShutdown].
func (k *Console) EndStreams() { k.stop.Do(func() { close(k.stopping) }) }

// A handler answers one route. An error it returns is shown as a page.
type handler func(k *Console, w http.ResponseWriter, r *http.Request, who *visit) error

// A route is one line of the table of all pages.
type route struct {
	pattern string
	scope   bonafide.Scope // needed; "" where being signed in will do
	open    bool           // for everybody
	do      handler
}

// Handlers returns every page by its pattern of [http.ServeMux].
func (k *Console) Handlers() map[string]http.Handler {
	out := map[string]http.Handler{}
	for _, rt := range routes {
		out[rt.pattern] = k.Auth.Protect(k.serve(rt))
	}
	maps.Copy(out, k.Auth.Routes())
	for name, a := range k.assets {
		out["GET "+name] = a
	}
	return out
}

// contentPolicy is what pages may do: run and load their own files, and nothing else.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// serve lets a request in and shows what goes wrong as a page.
func (k *Console) serve(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.guard(w)
		r.Body = http.MaxBytesReader(w, r.Body, cmp.Or(formLimits[rt.pattern], maxForm))
		who, err := k.visit(r)
		switch {
		case err != nil:
		case who.session == nil && !rt.open:
			k.askToSignIn(w, r)
			return
		case who.session != nil && who.person.MustChange && !rt.open && rt.pattern != "GET /me" && rt.pattern != "POST /me":
			http.Redirect(w, r, "/me", http.StatusSeeOther)
			return
		case rt.scope != "" && !who.May(rt.scope):
			err = &bonafide.Error{Kind: bonafide.Denied, Msg: "your role does not include this"}
		default:
			err = rt.do(k, w, r, who)
		}
		if err != nil {
			k.fail(w, r, who, err)
		}
	})
}

// maxForm bounds what a form may send; files are read by their own limits.
const maxForm = 1 << 20

// askToSignIn sends somebody who is not signed in to the sign-in page, and back
// afterwards where that is a page.
func (k *Console) askToSignIn(w http.ResponseWriter, r *http.Request) {
	to := "/sign-in"
	if r.Method == http.MethodGet && r.URL.Path != "/" && r.Header.Get("X-Part") == "" {
		to += "?next=" + url.QueryEscape(r.URL.EscapedPath())
	}
	if r.Header.Get("X-Part") != "" || r.URL.Path == livePath {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// fail shows an error.
func (k *Console) fail(w http.ResponseWriter, r *http.Request, who *visit, err error) {
	refusal, internal := server.Refused(err)
	ctx := r.Context()
	if internal {
		k.Log.LogAttrs(ctx, slog.LevelError, "page failed", slog.String("request_id", server.RequestID(ctx)), slog.String("route", r.Pattern), slog.String("error", err.Error()))
	}
	retryAfter(w, refusal)
	if who == nil {
		who = k.stranger(r)
	}
	if errors.Is(err, auth.ErrConfirm) {
		k.show(w, r, who, refusal.Status, "confirm", confirm{Next: back(r), OIDC: k.Auth.HasOIDC()})
		return
	}
	to := back(r)
	if refusal.Status == http.StatusNotFound {
		to = "/" // what is above is not there either
	}
	var lacks []string
	if lack, ok := errors.AsType[*casefile.LackError](err); ok { // in the reader's words
		refusal.Detail, lacks = "the case still needs something before this step", who.Lacking(lack.Lacks)
	}
	k.show(w, r, who, refusal.Status, "error", problem{Lacks: lacks, Status: refusal.Status, Detail: refusal.Detail, Request: server.RequestID(ctx), Back: to})
}

// Refuse shows a person why something outside of these pages was refused.
func (k *Console) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	k.guard(w)
	who, verr := k.visit(r)
	if verr != nil {
		who = k.stranger(r)
	}
	k.fail(w, r, who, err)
}

// Missing shows that nothing is served at an address.
func (k *Console) Missing(w http.ResponseWriter, r *http.Request) {
	k.Refuse(w, r, &bonafide.Error{Kind: bonafide.NotFound, Msg: "there is no such page"})
}

// guard says what the browser may do with a page.
func (k *Console) guard(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
}

// retryAfter says when to try again, where that is known.
func retryAfter(w http.ResponseWriter, refusal *server.Refusal) {
	if refusal.After > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(int(refusal.After.Seconds()+0.999)))
	}
}

// A problem is what the error page says.
type problem struct {
	Status  int
	Detail  string
	Request string
	Back    string
	Lacks   []string // what a case still needs
}

// back is where the error page leads: to the page that the form stood on.
func back(r *http.Request) string {
	if r.Method == http.MethodGet {
		return "/"
	}
	if strings.HasPrefix(r.URL.Path, "/items/") { // which has no page of its own
		return "/cases"
	}
	return parentOf(r.URL.EscapedPath())
}

// done answers a form that was carried out: the browser asks for the page to, which says
// the message of key once.
func done(w http.ResponseWriter, r *http.Request, to, key string) error {
	sep := "?"
	for i := range to {
		if to[i] == '?' {
			sep = "&"
		}
	}
	if key != "" {
		to += sep + "done=" + key
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}
