package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"bonafide"
)

const canary = "CANARY7f3a"

// serve answers one request with a handler, through everything that New puts around it.
func serve(t *testing.T, h http.Handler, r *http.Request) (*httptest.ResponseRecorder, string) {
	t.Helper()
	var log bytes.Buffer
	rec := httptest.NewRecorder()
	New(Config{
		API: h, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), Random: rand.Reader,
	}).ServeHTTP(rec, r)
	return rec, log.String()
}

// handled makes a handler that logs to the log of w.
func handled(log *bytes.Buffer, h Handler) http.Handler {
	return Handle(slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), h)
}

func TestErrorsBecomeProblems(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		detail string // a part of it
		retry  string
		logged bool
	}{
		{&bonafide.Error{Kind: bonafide.Invalid, Msg: "text: missing"}, 422, "text: missing", "", false},
		{&bonafide.Error{Kind: bonafide.NotFound, Msg: `there is no complaint "` + canary + ` \" x"`}, 404, "there is no complaint", "", false},
		{&bonafide.Error{Kind: bonafide.Conflict, Msg: "another content"}, 409, "another content", "", false},
		{&bonafide.Error{Kind: bonafide.Denied, Msg: "level 1 needs a second person"}, 403, "second person", "", false},
		{&bonafide.Error{Kind: bonafide.Busy, Msg: "loading", Err: errors.New("inner")}, 503, "loading", "2", false},
		{fmt.Errorf("submit: %w", &bonafide.Error{Kind: bonafide.NotFound, Msg: "no such ring"}), 404, "no such ring", "", false},
		{fmt.Errorf("put: %w", bonafide.Conflict), 409, "conflict", "", false},
		{bonafide.Busy, 503, "busy", "2", false},
		{&bonafide.Error{Kind: "odd", Msg: "odd"}, 500, "odd", "", true},
		{errors.New("disk full"), 500, "something went wrong here", "", true},
		{fmt.Errorf("x: %w", context.DeadlineExceeded), 503, "took too long", "2", false},
		{fmt.Errorf("x: %w", context.Canceled), 503, "send it again", "2", false},
		{fmt.Errorf("x: %w", os.ErrDeadlineExceeded), 408, "did not arrive", "", false},
		{fmt.Errorf("x: %w", io.ErrUnexpectedEOF), 400, "ends early", "", false},
		{&http.MaxBytesError{Limit: 10}, 413, "larger than 10 bytes", "", false},
		{&Refusal{Status: 429, Detail: "slow down", After: 1500 * time.Millisecond}, 429, "slow down", "2", false},
	} {
		var log bytes.Buffer
		rec, _ := serve(t, handled(&log, func(http.ResponseWriter, *http.Request) error { return c.err }), httptest.NewRequest("GET", "/v1/x", nil))
		var p Problem
		if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		if rec.Code != c.status || p.Status != c.status || !strings.Contains(p.Detail, c.detail) || rec.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%v: %d %s", c.err, rec.Code, rec.Body)
		}
		if rec.Header().Get("Retry-After") != c.retry {
			t.Errorf("%v: Retry-After %q, want %q", c.err, rec.Header().Get("Retry-After"), c.retry)
		}
		if p.RequestID == "" || p.RequestID != rec.Header().Get(RequestHeader) || p.Title == "" || !strings.HasPrefix(p.Type, "urn:bonafide:problem:") {
			t.Errorf("%v: %+v", c.err, p)
		}
		if logged := strings.Contains(log.String(), "level=ERROR"); logged != c.logged || logged && !strings.Contains(log.String(), p.RequestID) {
			t.Errorf("%v: the log has %q", c.err, &log)
		}
		if strings.Contains(rec.Body.String(), canary) || strings.Contains(rec.Body.String(), "disk full") {
			t.Errorf("%v: the answer is %s", c.err, rec.Body)
		}
	}
}

func TestPanicIsAnswered(t *testing.T) {
	rec, log := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(canary) }), httptest.NewRequest("GET", "/v1/x", nil))
	if rec.Code != 500 || strings.Contains(rec.Body.String(), canary) || strings.Contains(log, canary) || !strings.Contains(log, "server_test.go") {
		t.Errorf("%d %s\n%s", rec.Code, rec.Body, log)
	}
	var none []int
	_, log = serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { none[len(none)]++ }), httptest.NewRequest("GET", "/v1/x", nil))
	if !strings.Contains(log, "index out of range") {
		t.Errorf("the log does not say what the runtime said: %s", log)
	}
	// What was begun is cut off, so that nobody takes it for the whole.
	defer func() {
		if p := recover(); p != http.ErrAbortHandler { //nolint:errorlint // the value itself is the signal
			t.Errorf("panics with %v, want http.ErrAbortHandler", p)
		}
	}()
	serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "begun")
		panic("x")
	}), httptest.NewRequest("GET", "/v1/x", nil))
}

func TestErrorBehindTheHeaderCutsOff(t *testing.T) {
	var log bytes.Buffer
	defer func() {
		if p := recover(); p != http.ErrAbortHandler { //nolint:errorlint // the value itself is the signal
			t.Errorf("panics with %v, want http.ErrAbortHandler", p)
		}
	}()
	serve(t, handled(&log, func(w http.ResponseWriter, _ *http.Request) error {
		_, _ = io.WriteString(w, "begun")
		return errors.New("x")
	}), httptest.NewRequest("GET", "/v1/x", nil))
}

func TestUnknownAddressesAreProblems(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/things/{id}", func(http.ResponseWriter, *http.Request) {})
	for target, want := range map[string]int{
		"/": 404, "/v1": 404, "/v1/": 404, "/v1/things": 404, "/v1/things/": 404, "/v1/things/x": 200, "/v1//things/x": 404, "/v1/things/x/": 404,
		"/v1/a/../things/x": 404, "/healthz": 200, "/healthz/": 404, "/HEALTHZ": 404,
	} {
		rec, _ := serve(t, Exact(slog.New(slog.DiscardHandler), mux), httptest.NewRequest("GET", target, nil))
		if rec.Code != want || want == 404 && rec.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("GET %s: %d %v, want %d", target, rec.Code, rec.Header(), want)
		}
	}
	rec, _ := serve(t, Exact(slog.New(slog.DiscardHandler), mux), httptest.NewRequest("POST", "/v1/things/x", nil))
	if rec.Code != 405 || rec.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d, Allow %q", rec.Code, rec.Header().Get("Allow"))
	}
}

func TestExtraHandlersAndSeen(t *testing.T) {
	var seen []Seen
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	h := New(Config{
		Log: slog.New(slog.DiscardHandler), Random: rand.Reader,
		Extra: map[string]http.Handler{"GET /metrics": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "m") })},
		Now:   func() time.Time { now = now.Add(time.Second); return now },
		Seen:  func(s Seen) { seen = append(seen, s) },
	})
	for _, target := range []string{"/metrics", "/" + canary} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", target, nil))
	}
	want := []Seen{{"GET", "GET /metrics", 200, 1, time.Second}, {"GET", "", 404, seen[1].Bytes, time.Second}}
	if fmt.Sprint(seen) != fmt.Sprint(want) {
		t.Errorf("seen %+v, want %+v", seen, want)
	}
}

type ready []TenantStatus

func (r ready) Ready(context.Context) []TenantStatus { return r }

func TestReady(t *testing.T) {
	for _, c := range []struct {
		ready  ready
		ping   error
		status int
		body   string
	}{
		{nil, nil, 200, `{"ready":true,"loaded":0,"total":0}`},
		{ready{{Tenant: canary, Ready: true, Loaded: 2, Total: 2}, {Ready: false, Loaded: 1, Total: 5}}, nil, 503, `{"ready":false,"loaded":3,"total":7,"why":"loading"}`},
		{ready{{Ready: true}}, errors.New("no"), 503, `{"ready":false,"loaded":0,"total":0,"why":"database"}`},
	} {
		rec := httptest.NewRecorder()
		New(Config{Log: slog.New(slog.DiscardHandler), Random: rand.Reader, Readiness: c.ready, Ping: func(context.Context) error { return c.ping }}).
			ServeHTTP(rec, httptest.NewRequest("GET", "/readyz", nil))
		if got := strings.TrimSpace(rec.Body.String()); rec.Code != c.status || got != c.body {
			t.Errorf("%d %s, want %d %s", rec.Code, got, c.status, c.body)
		}
	}
}

func packed(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestReadBody(t *testing.T) {
	many := bytes.Repeat([]byte("x"), 1000)
	for _, c := range []struct {
		name, media, encoding string
		body                  []byte
		status                int // 0: it is read
	}{
		{"plain", "application/json", "", many, 0},
		{"with a character set", "application/json; charset=UTF-8", "", many, 0},
		{"identity", "application/json", "identity", many, 0},
		{"packed", "application/json", "GZIP", packed(t, many), 0},
		{"packed in two parts", "application/json", "gzip", append(packed(t, many[:500]), packed(t, many[500:])...), 0},
		{"one more", "application/json", "", append(many, 'x'), 413},
		{"packed, one more", "application/json", "gzip", packed(t, append(many, 'x')), 413},
		{"no type", "", "", many, 415},
		{"another type", "text/json", "", many, 415},
		{"a broken type", "application/json;;;", "", many, 415},
		{"another packing", "application/json", "zstd", many, 415},
		{"not packed", "application/json", "gzip", many, 400},
		{"nothing, packed", "application/json", "gzip", nil, 400},
		{"cut off", "application/json", "gzip", packed(t, many)[:20], 400},
		{"a wrong sum", "application/json", "gzip", append(packed(t, many)[:len(packed(t, many))-8], 0, 0, 0, 0, 0, 0, 0, 0), 400},
	} {
		for _, told := range []bool{true, false} {
			r := httptest.NewRequest("POST", "/", io.MultiReader(bytes.NewReader(c.body)))
			if told {
				r.ContentLength = int64(len(c.body))
			}
			r.Header.Set("Content-Type", c.media)
			if c.encoding != "" {
				r.Header.Set("Content-Encoding", c.encoding)
			}
			b, err := ReadBody(httptest.NewRecorder(), r, JSON, 1000)
			if c.status == 0 {
				if err != nil || !bytes.Equal(b, many) {
					t.Errorf("%s: %v, %d bytes", c.name, err, len(b))
				}
				continue
			}
			if err == nil {
				t.Errorf("%s: read, want status %d", c.name, c.status)
				continue
			}
			if got, _ := Refused(err); got.Status != c.status {
				t.Errorf("%s: status %d, want %d: %v", c.name, got.Status, c.status, err)
			}
		}
	}
}

// What unpacks to many times its size is refused, where no limit on the size is set.
func TestUnpackingInProportion(t *testing.T) {
	r := httptest.NewRequest("POST", "/", bytes.NewReader(packed(t, make([]byte, 8<<20))))
	r.Header.Set("Content-Type", "application/x-ndjson")
	r.Header.Set("Content-Encoding", "gzip")
	in, err := Body(httptest.NewRecorder(), r, NDJSON, 0)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, in)
	var refused *Refusal
	if !errors.As(err, &refused) || refused.Status != 413 || n > 4<<20 {
		t.Errorf("%d bytes read, then %v", n, err)
	}
}

func TestRate(t *testing.T) {
	var r Rate
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 3 {
		if _, ok := r.Take("a", 60, 3, now); !ok {
			t.Fatalf("request %d of a burst of 3 is refused", i+1)
		}
	}
	wait, ok := r.Take("a", 60, 3, now)
	if ok || wait != time.Second {
		t.Errorf("the fourth: %v, wait %v; want a second", ok, wait)
	}
	if _, ok := r.Left("b", 60, 3, now); !ok {
		t.Error("another name is refused")
	}
	if _, ok := r.Take("a", 60, 3, now.Add(-time.Hour)); ok {
		t.Error("a clock that goes back gives a request")
	}
	if _, ok := r.Take("a", 60, 3, now.Add(time.Second)); !ok {
		t.Error("refused after a second")
	}
	if _, ok := r.Take("a", 60, 3, now.Add(time.Second)); ok {
		t.Error("a second gives two")
	}
	for i := range 3 {
		if _, ok := r.Take("a", 60, 3, now.Add(time.Hour)); !ok {
			t.Errorf("request %d after an hour is refused", i+1)
		}
	}
	if _, ok := r.Take("a", 60, 3, now.Add(time.Hour)); ok {
		t.Error("more than the burst is kept")
	}
	for i := range 3 * maxBuckets {
		r.Take(fmt.Sprint(i), 60, 3, now.Add(time.Hour))
	}
	if len(r.buckets) > maxBuckets {
		t.Errorf("%d names are remembered, want at most %d", len(r.buckets), maxBuckets)
	}
}

func TestRateAtOnce(t *testing.T) {
	var r Rate
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var mu sync.Mutex
	var wg sync.WaitGroup
	let := 0
	for range 50 {
		wg.Go(func() {
			for range 10 {
				if _, ok := r.Take("a", 60, 100, now); ok {
					mu.Lock()
					let++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if let != 100 {
		t.Errorf("%d of 500 at once, want 100", let)
	}
}
