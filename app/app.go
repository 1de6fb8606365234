package app

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"bonafide"
	"bonafide/casework"
	"bonafide/engine"
	"bonafide/normalize"
	"bonafide/policy"
	"bonafide/server"
	"bonafide/server/api"
	"bonafide/server/auth"
	"bonafide/server/console"
	"bonafide/signal/text"
	"bonafide/store"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sync/errgroup"
)

// Parts are what the caller of New reads and makes itself.
type Parts struct {
	Version   string
	Normalize normalize.Config
	Policy    *policy.Pack
	Public    []text.Public
	Log       io.Writer
	// Demo are the people of a demonstration, all with one password, whom the sign-in
	// page shows.
	Demo         []bonafide.Person
	DemoPassword string
	// Stamp stands for a time-stamping authority, where the config names none: of a
	// demonstration.
	Stamp      func(ctx context.Context, data []byte) ([]byte, error)
	StampRoots []byte
	// Extra are further pages, by pattern of http.ServeMux.
	Extra func(*App) map[string]http.Handler
}

// An App is a running program: a store, an engine on it, and a server in front.
type App struct {
	cfg     Config
	parts   Parts
	log     *slog.Logger
	DB      *store.DB
	Engine  *engine.Engine
	Auth    *auth.Auth
	console *console.Console
	http    *http.Server
	ln      net.Listener
	meter   *meter
	logKey  string // verifies checkpoints
	signer  note.Signer
	// stopping is closed once the program is told to stop, grace after it is how long
	// requests may take to end.
	stopping chan struct{}
	grace    time.Duration
	// First is the secret of the first administrator's key, where this start made it.
	First string

	closers []func() error
}

// Main is the tenant that the first start makes.
const Main bonafide.Tenant = "main"

// New opens the store, makes the first tenant and administrator where there is none,
// and listens. It starts nothing. Close it whatever happens.
func New(ctx context.Context, cfg Config, parts Parts) (a *App, err error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	a = &App{cfg: cfg, parts: parts, log: cfg.Logger(parts.Log), grace: stopWithin}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
			a = nil
		}
	}()
	if a.DB, err = Open(ctx, cfg, true); err != nil {
		return a, err
	}
	a.closers = append(a.closers, a.DB.Close)
	if a.First, err = firstStart(ctx, a.DB, !cfg.NoFirstKey); err != nil {
		return a, err
	}
	if a.signer, a.logKey, err = logSigner(ctx, a.DB); err != nil {
		return a, err
	}
	a.meter = newMeter(a)
	clocks, err := casework.Load(cfg.Jurisdiction)
	if err != nil {
		return a, err
	}
	sender, err := cfg.sender()
	if err != nil {
		return a, err
	}
	public := cfg.PublicURL
	if public == "" {
		public = "http://" + cfg.Listen
	}
	work := engine.Config{
		DB: a.DB, Clocks: clocks, Now: time.Now, Log: a.log, Version: parts.Version, Normalize: parts.Normalize,
		Policy: parts.Policy, Public: parts.Public, Observe: a.meter, Random: rand.Reader, Sender: sender, PublicURL: public,
	}
	if err := cfg.seals(ctx, a.signer, a.logKey, &work); err != nil {
		return a, err
	}
	if work.Stamp == nil && parts.Stamp != nil {
		work.Stamp, work.StampRoots = parts.Stamp, parts.StampRoots
	}
	a.Engine = engine.New(work)
	if err := a.openConsole(clocks); err != nil {
		return a, err
	}
	traces, stop, err := tracer(ctx, cfg.OTLP, parts.Version)
	if err != nil {
		return a, err
	}
	a.closers = append(a.closers, stop)
	handler := traces(server.New(a.serverConfig()))
	a.stopping = make(chan struct{})
	a.http = server.HTTP(endStreams(handler, a.stopping), a.log)
	a.http.RegisterOnShutdown(a.console.EndStreams)
	if a.ln, err = (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen); err != nil {
		return a, invalid("%s cannot be listened on: %v", cfg.Listen, errors.Unwrap(err))
	}
	a.closers = append(a.closers, func() error {
		if err := a.ln.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	if cfg.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(cfg.TLSCert, cfg.TLSKey)
		if err != nil {
			return a, invalid("tls_cert, tls_key: %v", err)
		}
		a.ln = tls.NewListener(a.ln, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}})
	}
	return a, nil
}

func (a *App) serverConfig() server.Config {
	ready := readiness{a.Engine}
	c := server.Config{
		API: api.New(api.Config{
			Store: a.DB, Intake: intake{a.Engine}, Hasher: a.Engine, Decider: decider{a.Engine}, Eraser: a.Engine, Front: a.Engine, Readiness: ready,
			Log: a.log, Now: time.Now, Random: rand.Reader, Version: a.parts.Version, LogKey: a.logKey,
		}),
		Readiness: ready, Ping: a.DB.Ping, Log: a.log, Random: rand.Reader, Now: time.Now, Seen: a.meter.seen,
		Extra: map[string]http.Handler{}, Missing: http.HandlerFunc(a.console.Missing),
	}
	maps.Copy(c.Extra, a.console.Handlers())
	if a.parts.Extra != nil {
		maps.Copy(c.Extra, a.parts.Extra(a))
	}
	return c
}

// Open opens the database of a config. With first, a root key that is not there is made.
// It stays where it is even if the database then cannot be opened: another process may
// run under it already.
func Open(ctx context.Context, cfg Config, first bool) (*store.DB, error) {
	if err := cfg.checkDB(); err != nil {
		return nil, err
	}
	if !cfg.Postgres() {
		dir := filepath.Dir(cfg.Database())
		if _, err := os.Stat(cfg.Database()); err != nil && !first {
			return nil, invalid("there is no database at %s", cfg.Database())
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, invalid("the data directory %s cannot be made: %v", dir, errors.Unwrap(err))
		}
	}
	var dice io.Reader
	if _, err := os.Stat(cfg.Database()); first && (errors.Is(err, fs.ErrNotExist) || cfg.Postgres()) {
		dice = rand.Reader // a database that is there has a key already
	}
	key, made, err := cfg.RootKey(dice)
	if err != nil {
		return nil, err
	}
	db, err := OpenWith(ctx, cfg.Database(), key)
	if err != nil && made {
		return nil, madeKey(err, cfg.KeyFile())
	}
	return db, err
}

// madeKey adds to an error of opening that a new root key was written just before.
func madeKey(err error, path string) error {
	out := &bonafide.Error{Kind: bonafide.Busy, Msg: err.Error(), Err: err}
	if e, ok := errors.AsType[*bonafide.Error](err); ok {
		out.Kind, out.Msg = e.Kind, e.Msg
	}
	out.Msg += fmt.Sprintf(" (there was no root key, so a new one was written to %s: if the database has another key, put that one in its place)", path)
	return out
}

// OpenWith opens a database, or makes it, under a root key.
func OpenWith(ctx context.Context, url string, key []byte) (*store.DB, error) {
	return store.Open(ctx, url, store.Options{RootKey: key, Now: time.Now, Random: rand.Reader})
}

// firstStart makes the first tenant and, with key, an administrator's key. It returns the
// key's secret, "" where there is none or there was a tenant already.
func firstStart(ctx context.Context, db *store.DB, key bool) (secret string, err error) {
	by := bonafide.System("setup")
	err = db.Update(ctx, func(tx *store.Tx) error {
		tenants, err := tx.Tenants(ctx)
		if err != nil || len(tenants) > 0 {
			return err
		}
		if err := tx.AddTenant(ctx, Main, "Main", by); err != nil {
			return err
		}
		if !key {
			return nil
		}
		secret, err = AddKey(ctx, tx, by, store.APIKey{ID: db.NewID(), Tenant: Main, Name: "administrator", Scopes: []bonafide.Scope{bonafide.ScopeAdmin}})
		return err
	})
	if errors.Is(err, bonafide.Conflict) { // another process was first
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("first start: %w", err)
	}
	return secret, nil
}

// AddKey makes an API key of what k says and returns its secret, which is kept nowhere.
func AddKey(ctx context.Context, tx *store.Tx, by bonafide.Actor, k store.APIKey) (string, error) {
	secret, hash, err := api.NewSecret(rand.Reader)
	if err != nil {
		return "", err
	}
	k.Hash, k.Created = hash, time.Now().UTC()
	return secret, tx.AddKey(ctx, k.Tenant, by, k)
}

// Log returns the program's log.
func (a *App) Log() *slog.Logger { return a.log }

// URL is where the program is reached from this machine.
func (a *App) URL() string {
	scheme := "http"
	if a.cfg.TLSCert != "" {
		scheme = "https"
	}
	return scheme + "://" + a.ln.Addr().String()
}

// stopWithin is how long requests may take to end once the program is told to stop.
const stopWithin = 20 * time.Second

// Run serves until ctx ends: then no request is taken any more, those under way are
// answered, bulk streams end after the lines that were read, what was taken is stored,
// and jobs go back to the others. It is called once.
func (a *App) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	// The engine outlives the server: requests under way still need it.
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	g.Go(func() error { return a.Engine.Run(working) })
	g.Go(func() error { return a.checkpoints(working) })
	g.Go(func() error { return a.stamps(working) })
	g.Go(func() error { return a.console.Run(working) })
	for _, part := range a.others() {
		g.Go(func() error { return part(working) })
	}
	g.Go(func() error {
		if err := a.http.Serve(a.ln); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		defer stop()
		close(a.stopping)
		began := time.Now()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.grace)
		defer cancel()
		err := a.http.Shutdown(end)
		if errors.Is(err, context.DeadlineExceeded) {
			a.log.WarnContext(end, "requests did not end: their connections are closed", slog.Duration("after", time.Since(began)))
			err = a.http.Close()
		}
		if err != nil {
			return fmt.Errorf("stop: %w", err)
		}
		return nil
	})
	err := g.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(err, a.checkpoint(last))
}

// Close releases what New took, the last first.
func (a *App) Close() error {
	var errs []error
	for _, closer := range slices.Backward(a.closers) {
		errs = append(errs, closer())
	}
	a.closers = nil
	return errors.Join(errs...)
}

// Logger returns the log that the config asks for.
func (c *Config) Logger(w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		level = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
