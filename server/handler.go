package server

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"
)

// A Handler answers a request, or returns an error before it wrote anything.
type Handler func(http.ResponseWriter, *http.Request) error

// Handle is the adapter between a Handler and net/http: it turns an error into a
// problem and logs what is the server's own fault, with the request's id and
// without anything that was sent.
func Handle(log *slog.Logger, h Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		a := watch(w)
		err := h(a, req)
		if err == nil {
			return
		}
		ctx := req.Context()
		r, internal := Refused(err)
		if internal {
			log.LogAttrs(ctx, slog.LevelError, "request failed", slog.String("request_id", RequestID(ctx)), slog.String("method", req.Method),
				slog.String("route", req.Pattern), slog.String("error", err.Error()))
		} else if r.Err != nil {
			log.LogAttrs(ctx, slog.LevelDebug, "request refused", slog.String("request_id", RequestID(ctx)), slog.String("method", req.Method),
				slog.String("route", req.Pattern), slog.Int("status", r.Status), slog.String("error", r.Err.Error()))
		}
		if a.status != 0 {
			panic(http.ErrAbortHandler) // the client must not take a part for the whole
		}
		writeProblem(a, req, r)
	})
}

// An answer is a ResponseWriter that remembers what was written.
type answer struct {
	http.ResponseWriter
	status int // 0 until the header is written
	bytes  int64
}

// watch wraps w once.
func watch(w http.ResponseWriter) *answer {
	if a, ok := w.(*answer); ok {
		return a
	}
	return &answer{ResponseWriter: w}
}

// Unwrap lets http.ResponseController find what the connection can do.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader remembers the status.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write counts what is written.
func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := a.ResponseWriter.Write(b)
	a.bytes += int64(n)
	return n, err
}

type requestKey struct{}

// RequestID returns the id of the request that ctx belongs to. Problems and log
// lines carry it.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// RequestHeader carries the request's id in every answer.
const RequestHeader = "X-Request-Id"

// identified gives every request an id. One that a client sends is not taken over,
// since it would stand in the log.
func identified(random io.Reader, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b [8]byte
		if _, err := io.ReadFull(random, b[:]); err != nil {
			panic(fmt.Errorf("draw a request id: %w", err))
		}
		id := hex.EncodeToString(b[:])
		w.Header().Set(RequestHeader, id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestKey{}, id)))
	})
}

// recovered answers a request whose handler panicked, and logs where. What a panic
// says is logged only where the runtime said it: other panics may quote a value.
func recovered(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := watch(w)
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler { //nolint:errorlint // the value itself is the signal
				panic(p)
			}
			what := fmt.Sprintf("%T", p)
			var fault runtime.Error
			if err, ok := p.(error); ok && errors.As(err, &fault) {
				what = fault.Error()
			}
			log.LogAttrs(r.Context(), slog.LevelError, "panic", slog.String("request_id", RequestID(r.Context())), slog.String("method", r.Method),
				slog.String("route", r.Pattern), slog.String("what", what), slog.String("stack", string(debug.Stack())))
			if a.status != 0 {
				panic(http.ErrAbortHandler)
			}
			writeProblem(a, r, &Refusal{Status: http.StatusInternalServerError, Detail: "something went wrong here: give the request id to whoever runs this"})
		}()
		next.ServeHTTP(a, r)
	})
}

// A Seen is one answered request, as it is told to whoever counts them.
type Seen struct {
	Method string
	Route  string // the pattern, never the address
	Status int
	Bytes  int64
	Took   time.Duration
}

// timed tells seen of every request.
func timed(now func() time.Time, seen func(Seen), next http.Handler) http.Handler {
	if seen == nil || now == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, start := watch(w), now()
		defer func() {
			seen(Seen{Method: r.Method, Route: r.Pattern, Status: max(a.status, 0), Bytes: a.bytes, Took: now().Sub(start)})
		}()
		next.ServeHTTP(a, r)
	})
}
