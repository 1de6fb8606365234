package api

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bonafide"
	"bonafide/server"
	"bonafide/store"
)

// A world is the API over a real store, with a small engine that screens nothing, and
// two tenants.
type world struct {
	t     *testing.T
	db    *store.DB
	api   *api
	srv   *httptest.Server
	clock *clock
	logs  *journal
	eng   *engine
	dir   string  // of the database
	a, b  *client // keys that may do everything, of tenants a and b
}

// newWorld makes a world; change adjusts its limits.
func newWorld(t *testing.T, change ...func(*Limits)) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}, logs: &journal{}}
	w.dir = t.TempDir()
	db, err := store.Open(t.Context(), filepath.Join(w.dir, "test.db"), store.Options{
		RootKey: bytes.Repeat([]byte{7}, 32), Now: w.clock.Now, Random: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	w.db, w.eng = db, &engine{db: db, clock: w.clock}
	limits := Limits{Failures: 1_000_000}
	for _, f := range change {
		f(&limits)
	}
	log := slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.api = newAPI(Config{
		Store: db, Intake: w.eng, Hasher: w.eng, Decider: w.eng, Eraser: w.eng, Front: w.eng, Readiness: w.eng,
		Now: w.clock.Now, Random: rand.Reader, Log: log, Version: "test", LogKey: "", Limits: limits,
	})
	w.srv = httptest.NewUnstartedServer(server.New(server.Config{API: w.api.handler(), Readiness: w.eng, Ping: db.Ping, Log: log, Random: rand.Reader, Now: w.clock.Now}))
	w.srv.Config = server.HTTP(w.srv.Config.Handler, log)
	w.srv.Start()
	t.Cleanup(w.srv.Close)
	w.a, w.b = w.tenant("tenant-a"), w.tenant("tenant-b")
	return w
}

// tenant adds a tenant and returns a client with a key that may do everything.
func (w *world) tenant(name bonafide.Tenant) *client {
	w.t.Helper()
	err := w.db.Update(w.t.Context(), func(tx *store.Tx) error {
		return tx.AddTenant(w.t.Context(), name, string(name), bonafide.System("test"))
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.key(name, store.APIKey{Name: "everything of " + string(name), Scopes: []bonafide.Scope{bonafide.ScopeAdmin}})
}

// key adds a key and returns a client that uses it.
func (w *world) key(t bonafide.Tenant, k store.APIKey) *client {
	w.t.Helper()
	secret, hash, err := NewSecret(rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	k.ID, k.Tenant, k.Hash, k.Created = w.db.NewID(), t, hash, w.clock.Now()
	err = w.db.Update(w.t.Context(), func(tx *store.Tx) error { return tx.AddKey(w.t.Context(), t, bonafide.System("test"), k) })
	if err != nil {
		w.t.Fatal(err)
	}
	return &client{w: w, tenant: t, id: k.ID, secret: secret}
}

func (w *world) view(fn func(*store.Tx) error) {
	w.t.Helper()
	if err := w.db.View(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) update(fn func(*store.Tx) error) {
	w.t.Helper()
	if err := w.db.Update(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// A clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// A journal keeps log lines.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// A client sends requests with one key, and holds every answer against the contract.
type client struct {
	w      *world
	tenant bonafide.Tenant
	id     string
	secret string
}

// A got is an answer.
type got struct {
	status int
	header http.Header
	body   []byte
}

// into reads the answer's JSON.
func (g got) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(g.body, v); err != nil {
		t.Fatalf("%v: %s", err, g.body)
	}
}

func (g got) problem(t *testing.T) server.Problem {
	t.Helper()
	var p server.Problem
	g.into(t, &p)
	return p
}

// call sends a request. Body may be nil, bytes, a string, a reader, or a value that is
// sent as JSON; set adjusts the request.
func (c *client) call(method, path string, body any, set ...func(*http.Request)) got {
	c.w.t.Helper()
	var in io.Reader
	switch b := body.(type) {
	case nil:
	case []byte:
		in = bytes.NewReader(b)
	case string:
		in = strings.NewReader(b)
	case io.Reader:
		in = b
	default:
		j, err := json.Marshal(body)
		if err != nil {
			c.w.t.Fatal(err)
		}
		in = bytes.NewReader(j)
	}
	r, err := http.NewRequestWithContext(c.w.t.Context(), method, c.w.srv.URL+"/v1"+path, in)
	if err != nil {
		c.w.t.Fatal(err)
	}
	if c.secret != "" {
		r.Header.Set("Authorization", "Bearer "+c.secret)
	}
	if in != nil {
		media := server.JSON
		if strings.HasSuffix(r.URL.Path, "/bulk") {
			media = server.NDJSON
		}
		r.Header.Set("Content-Type", string(media))
	}
	for _, f := range set {
		f(r)
	}
	resp, err := c.w.srv.Client().Do(r)
	if err != nil {
		c.w.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	g := got{status: resp.StatusCode, header: resp.Header}
	if g.body, err = io.ReadAll(resp.Body); err != nil {
		c.w.t.Fatalf("%s %s: %v", method, path, err)
	}
	checkAnswer(c.w.t, method, r.URL.Path, g)
	return g
}

// ok calls and fails the test unless the answer has the status.
func (c *client) ok(status int, method, path string, body any, set ...func(*http.Request)) got {
	c.w.t.Helper()
	g := c.call(method, path, body, set...)
	if g.status != status {
		c.w.t.Fatalf("%s %s: status %d, want %d: %s", method, path, g.status, status, g.body)
	}
	return g
}

// with sets a header.
func with(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// entries returns what the log of the client's tenant has.
func (c *client) entries() []entryView {
	c.w.t.Helper()
	var all []entryView
	after := "-1"
	for {
		var page struct {
			Items []entryView
			Next  *json.Number
		}
		c.ok(200, "GET", "/log/entries?limit=1000&after="+after, nil).into(c.w.t, &page)
		all = append(all, page.Items...)
		if page.Next == nil {
			return all
		}
		after = page.Next.String()
	}
}

// actions counts the log entries of one action.
func (c *client) actions(action string) (entries []entryView) {
	c.w.t.Helper()
	for _, e := range c.entries() {
		if e.Action == action {
			entries = append(entries, e)
		}
	}
	return entries
}

// An engine stands in for the live engine: it stores what it is handed through the real
// store and compares nothing.
type engine struct {
	db    *store.DB
	clock *clock

	mu      sync.Mutex
	fail    error           // what Submit fails with
	before  func(n int)     // called by Submit with the number of complaints
	batches []int           // sizes of what Submit was handed
	loading bool            // Ready says no
	hold    <-chan struct{} // Submit waits for it
}

func (e *engine) Submit(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, in []Submission) ([]Receipt, error) {
	e.mu.Lock()
	e.batches = append(e.batches, len(in))
	fail, before, hold := e.fail, e.before, e.hold
	e.mu.Unlock()
	if before != nil {
		before(len(in))
	}
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if fail != nil {
		return nil, fail
	}
	out := make([]Receipt, len(in))
	err := e.db.Update(ctx, func(tx *store.Tx) error {
		head, err := tx.Lock(ctx, t)
		if err != nil {
			return err
		}
		ids := make([]string, len(in))
		for i, s := range in {
			ids[i] = s.Complaint.ID
		}
		known, err := tx.Known(ctx, t, ids)
		if err != nil {
			return err
		}
		if known == nil {
			known = map[string][]byte{}
		}
		var rows []store.NewComplaint
		for i, s := range in {
			body, err := json.Marshal(s.Complaint)
			if err != nil {
				return err
			}
			digest := e.sum(t, body)
			out[i] = Receipt{ID: s.Complaint.ID, Status: bonafide.PutCreated}
			if d, ok := known[s.Complaint.ID]; ok {
				out[i].Status = bonafide.PutUnchanged
				if !bytes.Equal(d, digest) {
					out[i].Status, out[i].Msg = bonafide.PutConflict, "a complaint with this id and another content is stored already: give every complaint its own id"
				}
				continue
			}
			known[s.Complaint.ID] = digest
			out[i].Seq = head.Complaints + int64(len(rows)) + 1
			out[i].Screening = &bonafide.Screening{Complaint: s.Complaint.ID, Seq: out[i].Seq, At: e.clock.Now(), Compared: out[i].Seq - 1, Route: bonafide.RouteNone}
			screening, err := json.Marshal(out[i].Screening)
			if err != nil {
				return err
			}
			subject, err := e.Subject(ctx, t, &s.Complaint.Customer)
			if err != nil {
				return err
			}
			row := store.NewComplaint{
				ID: s.Complaint.ID, Received: s.Complaint.Received, Channel: string(s.Complaint.Channel), Subject: subject,
				Digest: digest, Body: body, Trace: []byte("trace"), Screening: screening,
			}
			if s.Once != nil {
				a := s.Once.Answer(out[i])
				row.Key = &a
			}
			rows = append(rows, row)
		}
		if len(rows) == 0 {
			return nil
		}
		_, err = tx.AddComplaints(ctx, t, by, rows)
		return err
	})
	return out, err
}

func (e *engine) sum(t bonafide.Tenant, b []byte) []byte {
	h := hmac.New(sha256.New, []byte("secret of "+t))
	h.Write(b)
	return h.Sum(nil)
}

func (e *engine) short(t bonafide.Tenant, kind, value string) string {
	return hex.EncodeToString(e.sum(t, []byte(kind+":"+strings.ReplaceAll(value, " ", "")))[:8])
}

func (e *engine) Targets(_ context.Context, t bonafide.Tenant, ids []bonafide.Identifier, customerRef, complaint string) ([]bonafide.Target, error) {
	var out []bonafide.Target
	for _, id := range ids {
		if id.Value != "unknown" {
			out = append(out, bonafide.Target{Kind: bonafide.OnIdentifier, ID: string(id.Kind) + ":" + e.short(t, string(id.Kind), id.Value)})
		}
	}
	if customerRef != "" && customerRef != "unknown" {
		out = append(out, bonafide.Target{Kind: bonafide.OnCustomer, ID: e.short(t, "customer", customerRef)})
	}
	if complaint != "" {
		out = append(out, bonafide.Target{Kind: bonafide.OnComplaint, ID: complaint})
	}
	return out, nil
}

func (e *engine) Subject(_ context.Context, t bonafide.Tenant, c *bonafide.Customer) (string, error) {
	if c.Ref == "" || c.Ref == "unknown" {
		return "", nil
	}
	return e.short(t, "customer", c.Ref), nil
}

func (e *engine) Digest(_ context.Context, t bonafide.Tenant, b []byte) ([]byte, error) {
	return e.sum(t, b), nil
}

func (e *engine) Decide(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, ring string, d Decision, keep func(*store.Tx, bonafide.RingState) error) error {
	return e.db.Update(ctx, func(tx *store.Tx) error {
		row, err := tx.Ring(ctx, t, ring)
		if err != nil {
			return err
		}
		to := map[bonafide.Verb]bonafide.RingState{bonafide.Confirm: bonafide.RingIsFirm, bonafide.Clear: bonafide.RingIsCleared, bonafide.Reopen: bonafide.RingProposed}[d.Verb]
		if row.State == string(to) {
			return &bonafide.Error{Kind: bonafide.Conflict, Msg: "the ring is in this state already"}
		}
		row.State, row.Reason = string(to), d.Reason
		if err := tx.SaveRings(ctx, t, by, []store.RingRow{row}); err != nil {
			return err
		}
		ev := bonafide.Event{Type: bonafide.RingConfirmed, At: e.clock.Now(), Target: bonafide.Target{Kind: bonafide.OnRing, ID: ring}, Ring: ring, Reason: d.Reason}
		if err := tx.Emit(ctx, t, ev); err != nil {
			return err
		}
		return keep(tx, to)
	})
}

func (e *engine) pair(ctx context.Context, t bonafide.Tenant, a, b string, keep func(*store.Tx) error, do func(*store.Tx) error) error {
	return e.db.Update(ctx, func(tx *store.Tx) error {
		for _, id := range []string{a, b} {
			if _, err := tx.SubjectOf(ctx, t, id); err != nil {
				return err
			}
		}
		return errors.Join(do(tx), keep(tx))
	})
}

func (e *engine) Apart(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, a, b, reason string, keep func(*store.Tx) error) error {
	return e.pair(ctx, t, a, b, keep, func(tx *store.Tx) error { return tx.PutApart(ctx, t, by, a, b, reason) })
}

func (e *engine) Together(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, a, b, reason string, keep func(*store.Tx) error) error {
	return e.pair(ctx, t, a, b, keep, func(tx *store.Tx) error { return tx.RemoveApart(ctx, t, by, a, b, reason) })
}

func (e *engine) Erase(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, customerRef, complaint, reason string, keep func(*store.Tx, string, []string) error) error {
	subject, err := e.Subject(ctx, t, &bonafide.Customer{Ref: customerRef})
	if err != nil {
		return err
	}
	return e.db.Update(ctx, func(tx *store.Tx) error {
		if complaint != "" {
			if subject, err = tx.SubjectOf(ctx, t, complaint); err != nil {
				return err
			}
		}
		ids, err := tx.ComplaintsOf(ctx, t, subject)
		if err != nil {
			return err
		}
		if err := tx.Erase(ctx, t, by, subject, reason); err != nil {
			return err
		}
		return keep(tx, subject, ids)
	})
}

func (e *engine) Ready(context.Context) []server.TenantStatus {
	e.mu.Lock()
	defer e.mu.Unlock()
	return []server.TenantStatus{{Tenant: "tenant-a", Ready: !e.loading, Loaded: 3, Total: 4}, {Tenant: "tenant-b", Ready: true}}
}
