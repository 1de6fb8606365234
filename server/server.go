package server

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"bonafide"
)

// A TenantStatus says how far the live engine of a tenant is.
type TenantStatus struct {
	Tenant bonafide.Tenant
	Ready  bool
	Loaded int64         // complaints in memory
	Total  int64         // complaints stored
	Lag    time.Duration // age of the oldest change that the engine has not followed yet
}

// Readiness tells how far the live engine is.
type Readiness interface {
	Ready(ctx context.Context) []TenantStatus
}

// A Config is what a server is made of. Log and Random are required.
type Config struct {
	API       http.Handler            // everything under /v1; from api.New
	Extra     map[string]http.Handler // further patterns of http.ServeMux, such as "GET /metrics" or "/" for pages
	Readiness Readiness               // nil is always ready
	Ping      func(context.Context) error
	Log       *slog.Logger
	Random    io.Reader // of request ids; safe for concurrent use
	Now       func() time.Time
	Seen      func(Seen) // told of every answered request, for metrics; may be nil
	// Missing shows a person, whose browser asks for a page, that nothing is served at an
	// address; nil answers with a problem, as programs are answered.
	Missing http.Handler
}

// New returns the handler of everything that is served.
func New(c Config) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /healthz", Handle(c.Log, health))
	mux.Handle("GET /readyz", Handle(c.Log, c.ready))
	if c.API != nil {
		mux.Handle("/v1/", c.API)
		mux.Handle("/v1", Handle(c.Log, nothing)) // instead of a redirect
	}
	for pattern, h := range c.Extra {
		mux.Handle(pattern, h)
	}
	return identified(c.Random, timed(c.Now, c.Seen, recovered(c.Log, guarded(c.forPeople(mux, Exact(c.Log, mux))))))
}

// forPeople shows pages instead of problems where a browser asks for what is not there.
func (c *Config) forPeople(mux *http.ServeMux, next http.Handler) http.Handler {
	if c.Missing == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asks := r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html") && !strings.HasPrefix(r.URL.Path, "/v1/")
		if asks {
			if _, pattern := mux.Handler(r); pattern == "" || !clean(r.URL.Path) {
				c.Missing.ServeHTTP(w, r)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// The time limits of [HTTP]. Streams set their own, line by line.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = 90 * time.Second // more than a complaint may wait for its screening
	idleTimeout   = 2 * time.Minute
	maxHeader     = 32 << 10
)

// HTTP returns an http.Server for h with limits on headers and times. The caller
// sets the address and starts it.
func HTTP(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// Exact answers with a problem what mux has no route for, where mux itself would
// answer with a line of text, and what it would redirect to another spelling of
// the address.
func Exact(log *slog.Logger, mux *http.ServeMux) http.Handler {
	return Handle(log, func(w http.ResponseWriter, r *http.Request) error {
		h, pattern := mux.Handler(r)
		if pattern == "" {
			p := probe{header: http.Header{}}
			h.ServeHTTP(&p, r)
			if allow := p.header.Values("Allow"); p.status == http.StatusMethodNotAllowed && len(allow) > 0 {
				return &Refusal{Status: p.status, Detail: "use " + allow[0], Header: http.Header{"Allow": allow}}
			}
			return nothing(w, r)
		}
		if !clean(r.URL.Path) {
			return nothing(w, r)
		}
		mux.ServeHTTP(w, r)
		return nil
	})
}

// clean reports whether mux takes the path as it is.
func clean(path string) bool {
	if path == "" || path[0] != '/' {
		return false
	}
	dots := func(s string) bool { return s == "" || s == "." || s == ".." }
	start := 1
	for i := 1; i < len(path); i++ {
		if path[i] == '/' {
			if dots(path[start:i]) {
				return false
			}
			start = i + 1
		}
	}
	last := path[start:]
	return last != "." && last != ".."
}

// nothing answers where nothing is served.
func nothing(http.ResponseWriter, *http.Request) error {
	return &bonafide.Error{Kind: bonafide.NotFound, Msg: "nothing is served at this address: see /v1/openapi.yaml"}
}

// A probe takes the answer of a handler that is asked for its status only.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header         { return p.header }
func (p *probe) WriteHeader(status int)      { p.status = status }
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }

// guarded sets the headers that keep answers out of caches and browsers tame.
// Pages set their own policy over it.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

// health answers that the process runs.
func health(w http.ResponseWriter, _ *http.Request) error {
	return WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// A progress is the answer of /readyz. It names no tenant, since anybody may ask.
type progress struct {
	Ready  bool   `json:"ready"`
	Loaded int64  `json:"loaded"`
	Total  int64  `json:"total"`
	Why    string `json:"why,omitempty"`
}

// ready answers whether requests are wanted: 503 with the progress while a live
// engine loads or the database does not answer.
func (c *Config) ready(w http.ResponseWriter, r *http.Request) error {
	p := progress{Ready: true}
	if c.Readiness != nil {
		for _, t := range c.Readiness.Ready(r.Context()) {
			p.Ready = p.Ready && t.Ready
			p.Loaded += t.Loaded
			p.Total += t.Total
		}
		if !p.Ready {
			p.Why = "loading"
		}
	}
	if c.Ping != nil {
		ctx, stop := context.WithTimeout(r.Context(), 2*time.Second)
		defer stop()
		if err := c.Ping(ctx); err != nil {
			c.Log.LogAttrs(ctx, slog.LevelWarn, "database does not answer", slog.String("error", err.Error()))
			p.Ready, p.Why = false, "database"
		}
	}
	if !p.Ready {
		w.Header().Set("Retry-After", "2")
		return WriteJSON(w, http.StatusServiceUnavailable, p)
	}
	return WriteJSON(w, http.StatusOK, p)
}
