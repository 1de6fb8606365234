package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"time"

	"bonafide"
)

// A Problem is what a client reads of a request that did not succeed (RFC 9457).
// It never repeats a value that was sent.
type Problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail,omitempty"`
	Field     string `json:"field,omitempty"` // path of the field that is wrong: "customer.phone"
	RequestID string `json:"request_id"`
}

// A Refusal is an error of which HTTP alone knows the status: a body too large, a
// method that the address does not have. Detail and Field are for the client.
type Refusal struct {
	Status        int
	Detail, Field string
	After         time.Duration // when to try again; 0 = not said
	Header        http.Header   // further headers of the answer; may be nil
	Err           error         // the cause, for the log; may be nil
}

// Error returns the message for the client.
func (r *Refusal) Error() string { return r.Detail }

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Err }

// busyAfter is when a client may try again where nobody knows better.
const busyAfter = 2 * time.Second

// kinds are the statuses of the kinds of error.
var kinds = []struct {
	kind   bonafide.Kind
	status int
}{
	{bonafide.Invalid, http.StatusUnprocessableEntity},
	{bonafide.NotFound, http.StatusNotFound},
	{bonafide.Conflict, http.StatusConflict},
	{bonafide.Denied, http.StatusForbidden},
	{bonafide.Busy, http.StatusServiceUnavailable},
}

// titles name what is wrong, by status: the last part of the problem's type, and
// its title.
var titles = map[int][2]string{
	http.StatusBadRequest:            {"malformed", "The request cannot be read"},
	http.StatusUnauthorized:          {"unauthenticated", "No valid key"},
	http.StatusForbidden:             {"denied", "Not allowed"},
	http.StatusNotFound:              {"not-found", "No such thing"},
	http.StatusMethodNotAllowed:      {"method", "The address does not have this method"},
	http.StatusRequestTimeout:        {"timeout", "The request took too long"},
	http.StatusConflict:              {"conflict", "It contradicts what is known"},
	http.StatusRequestEntityTooLarge: {"too-large", "The request is too large"},
	http.StatusUnsupportedMediaType:  {"media-type", "The content is of another type"},
	http.StatusUnprocessableEntity:   {"invalid", "The content is wrong"},
	http.StatusTooManyRequests:       {"too-many", "Too many requests"},
	http.StatusInternalServerError:   {"internal", "An error of the server"},
	http.StatusServiceUnavailable:    {"busy", "Not now"},
}

// Refused returns what a client is told of err, and whether err is the server's
// own fault and belongs into its log. It is the one place where an error becomes a
// status.
func Refused(err error) (r *Refusal, internal bool) {
	var tooLarge *http.MaxBytesError
	var own *bonafide.Error
	switch {
	case errors.As(err, &r):
		return r, r.Status == http.StatusInternalServerError && r.Err != nil
	case errors.As(err, &tooLarge):
		return &Refusal{Status: http.StatusRequestEntityTooLarge, Detail: "larger than " + strconv.FormatInt(tooLarge.Limit, 10) + " bytes: send less at once"}, false
	case errors.As(err, &own):
		r = &Refusal{Status: http.StatusInternalServerError, Detail: unquoted(own.Msg), Err: own.Err}
		for _, k := range kinds {
			if own.Kind == k.kind {
				r.Status = k.status
			}
		}
		if own.Kind == bonafide.Busy {
			r.After = busyAfter
		}
		return r, r.Status == http.StatusInternalServerError
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &Refusal{Status: http.StatusRequestTimeout, Detail: "the request did not arrive in time: send it again"}, false
	case errors.Is(err, context.DeadlineExceeded):
		return &Refusal{Status: http.StatusServiceUnavailable, Detail: "the answer took too long: try again", After: busyAfter}, false
	case errors.Is(err, context.Canceled): // the client went away, or the program is stopping
		return &Refusal{Status: http.StatusServiceUnavailable, Detail: "it was broken off: send it again", After: busyAfter, Err: err}, false
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &Refusal{Status: http.StatusBadRequest, Detail: "the request ends early: send it whole"}, false
	}
	for _, k := range kinds { // a bare kind: of a store's invariant, without words for a client
		if errors.Is(err, k.kind) {
			return &Refusal{Status: k.status, Detail: k.kind.Error(), After: after(k.kind), Err: err}, false
		}
	}
	return &Refusal{Status: http.StatusInternalServerError, Detail: "something went wrong here: give the request id to whoever runs this", Err: err}, true
}

// quoted is what a message repeats in quotation marks: an id that was asked for, which
// could be anything.
var quoted = regexp.MustCompile(` ?"(?:[^"\\]|\\.)*"`)

// unquoted leaves out of a message what it quotes. Messages for people at the machine
// name what they were given; a client knows it.
func unquoted(msg string) string { return quoted.ReplaceAllString(msg, "") }

func after(k bonafide.Kind) time.Duration {
	if k == bonafide.Busy {
		return busyAfter
	}
	return 0
}

// NewProblem returns the problem that a refusal is answered with.
func NewProblem(r *Refusal, requestID string) Problem {
	t, ok := titles[r.Status]
	if !ok {
		t = [2]string{"other", http.StatusText(r.Status)}
	}
	return Problem{Type: "urn:bonafide:problem:" + t[0], Title: t[1], Status: r.Status, Detail: r.Detail, Field: r.Field, RequestID: requestID}
}

// writeProblem answers with a problem.
func writeProblem(w http.ResponseWriter, req *http.Request, r *Refusal) {
	h := w.Header()
	maps.Copy(h, r.Header)
	if r.After > 0 {
		seconds := int64((r.After + time.Second - 1) / time.Second)
		h.Set("Retry-After", strconv.FormatInt(seconds, 10))
	}
	h.Del("Content-Length")
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	b, err := json.Marshal(NewProblem(r, RequestID(req.Context())))
	if err != nil {
		panic(err) // strings and a number
	}
	w.WriteHeader(r.Status)
	_, _ = w.Write(append(b, '\n')) // nobody is left to tell
}

// WriteJSON answers with a value as JSON.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // nobody is left to tell
	return nil
}
