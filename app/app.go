package app

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"bonafide"
	"bonafide/engine"
	"bonafide/normalize"
	"bonafide/policy"
	"bonafide/server"
	"bonafide/server/api"
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
	// Extra are further pages, by pattern of http.ServeMux.
	Extra func(*App) map[string]http.Handler
}

// An App is a running program: a store, an engine on it, and a server in front.
type App struct {
	cfg    Config
	parts  Parts
	log    *slog.Logger
	DB     *store.DB
	Engine *engine.Engine
	http   *http.Server
	ln     net.Listener
	meter  *meter
	logKey string // verifies checkpoints
	signer note.Signer
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
	a = &App{cfg: cfg, parts: parts, log: cfg.Logger(parts.Log)}
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
	if err := a.openLog(ctx); err != nil {
		return a, err
	}
	a.meter = newMeter(a)
	a.Engine = engine.New(engine.Config{
		DB: a.DB, Now: time.Now, Log: a.log, Version: parts.Version, Normalize: parts.Normalize,
		Policy: parts.Policy, Public: parts.Public, Observe: a.meter,
	})
	traces, stop, err := tracer(ctx, cfg.OTLP, parts.Version)
	if err != nil {
		return a, err
	}
	a.closers = append(a.closers, stop)
	handler := traces(server.New(a.serverConfig()))
	a.http = server.HTTP(handler, a.log)
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
			Store: a.DB, Intake: intake{a.Engine}, Hasher: a.Engine, Decider: decider{a.Engine}, Eraser: a.Engine, Readiness: ready,
			Log: a.log, Now: time.Now, Random: rand.Reader, Version: a.parts.Version, LogKey: a.logKey,
		}),
		Readiness: ready, Ping: a.DB.Ping, Log: a.log, Random: rand.Reader, Now: time.Now, Seen: a.meter.seen,
		Extra: map[string]http.Handler{},
	}
	if a.parts.Extra != nil {
		c.Extra = a.parts.Extra(a)
	}
	return c
}

// Open opens the database of a config. With first, a root key that is not there is made.
func Open(ctx context.Context, cfg Config, first bool) (*store.DB, error) {
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
	if _, err := os.Stat(cfg.Database()); first && (err != nil || cfg.Postgres()) {
		dice = rand.Reader // a database that is there has a key already
	}
	key, made, err := cfg.RootKey(dice)
	if err != nil {
		return nil, err
	}
	db, err := OpenWith(ctx, cfg.Database(), key)
	if err != nil && made {
		// The database may have had another key all along: leave no wrong one lying about.
		err = errors.Join(err, os.Remove(cfg.keyFile()))
	}
	return db, err
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
		secret, err = AddKey(ctx, tx, db.NewID(), Main, by, "administrator", []bonafide.Scope{bonafide.ScopeAdmin})
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

// AddKey makes an API key and returns its secret, which is kept nowhere.
func AddKey(ctx context.Context, tx *store.Tx, id string, t bonafide.Tenant, by bonafide.Actor, name string, scopes []bonafide.Scope) (string, error) {
	secret, hash, err := api.NewSecret(rand.Reader)
	if err != nil {
		return "", err
	}
	return secret, tx.AddKey(ctx, t, by, store.APIKey{ID: id, Tenant: t, Name: name, Hash: hash, Scopes: scopes, Created: time.Now().UTC()})
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
// answered, what was taken is stored, and jobs go back to the others.
func (a *App) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	// The engine outlives the server: requests under way still need it.
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	g.Go(func() error { return a.Engine.Run(working) })
	g.Go(func() error { return a.checkpoints(working) })
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
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
		defer cancel()
		if err := a.http.Shutdown(end); err != nil {
			return errors.Join(fmt.Errorf("stop: %w", err), a.http.Close())
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
