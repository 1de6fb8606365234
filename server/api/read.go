package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"bonafide"
	"bonafide/normalize"
	"bonafide/server"
	"bonafide/server/strict"
)

// read reads the JSON body of a request into a struct that is its contract.
func (a *api) read(w http.ResponseWriter, r *http.Request, into any) ([]byte, error) {
	body, err := server.ReadBody(w, r, server.JSON, a.Limits.Body)
	if err != nil {
		return nil, err
	}
	return body, refused(strict.Decode(body, into, strict.Limits{}))
}

// refused gives an error about content the form that names its field.
func refused(err error) error {
	if err == nil {
		return nil
	}
	field, reason, syntax := about(err)
	if reason == "" {
		return err
	}
	status := http.StatusUnprocessableEntity
	if syntax {
		status = http.StatusBadRequest
	}
	return &server.Refusal{Status: status, Field: field, Detail: err.Error()}
}

// fieldPath is what a message about one field begins with.
var fieldPath = regexp.MustCompile(`^[a-z_0-9]+(\[[0-9]+\])?(\.[a-z_0-9]+(\[[0-9]+\])?)*$`)

// about returns which field an error of content is about and what is wrong with it.
// Reason is empty for an error of another kind.
func about(err error) (field, reason string, syntax bool) {
	if bad, ok := errors.AsType[*strict.Error](err); ok {
		return bad.Field, bad.Reason, bad.Syntax
	}
	own, ok := errors.AsType[*bonafide.Error](err)
	if !ok || own.Kind != bonafide.Invalid {
		return "", "", false
	}
	if f, rest, ok := strings.Cut(own.Msg, ": "); ok && fieldPath.MatchString(f) {
		return f, rest, false
	}
	return "", own.Msg, false
}

func wrong(field, reason string) error {
	return &server.Refusal{Status: http.StatusUnprocessableEntity, Field: field, Detail: field + ": " + reason}
}

// maxWords is how long a reason or a purpose may be.
const maxWords = 500

// words checks what a person wrote into a field that is kept in clear: a reason, a
// purpose. It is refused where it holds what looks like a phone number, a mailbox,
// an identity number or an account: those are kept sealed only.
func words(field, s string, most int) error {
	switch n := utf8.RuneCountInString(s); {
	case strings.TrimSpace(s) == "":
		return wrong(field, "missing: say it in a few words")
	case n > most:
		return wrong(field, "longer than "+strconv.Itoa(most)+" characters")
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		return wrong(field, "a control character, or bytes that are no UTF-8")
	}
	if f := normalize.Find(s); len(f) > 0 {
		return wrong(field, "holds what looks like a value of the kind "+f[0].Kind+": it is kept in clear, so leave personal data out")
	}
	return nil
}

// purposeHeader says why content is revealed.
const purposeHeader = "Bonafide-Purpose"

// reveal reports whether content is asked for, and why. Without a purpose it is
// refused.
func reveal(r *http.Request) (purpose string, content bool, err error) {
	switch param(r, "include") {
	case "":
		return "", false, nil
	case "content":
	default:
		return "", false, &server.Refusal{Status: http.StatusBadRequest, Field: "include", Detail: "include: can be content only"}
	}
	purpose = r.Header.Get(purposeHeader)
	var bad *server.Refusal
	if err := words(purposeHeader, purpose, maxWords); errors.As(err, &bad) {
		bad.Status = http.StatusBadRequest
		return "", false, bad
	}
	return purpose, true, nil
}

// param returns a parameter of the address; known has checked it.
func param(r *http.Request, name string) string { return r.URL.Query().Get(name) }

// The sizes of a page.
const usualPage, maxPage = 100, 1000

// page reads the parameters of a list that goes by numbers; first is where after
// stands if it is absent.
func page(r *http.Request, first int64) (after int64, limit int, err error) {
	if limit, err = pageSize(r); err != nil {
		return 0, 0, err
	}
	s := param(r, "after")
	if s == "" {
		return first, limit, nil
	}
	after, err = strconv.ParseInt(s, 10, 64)
	if err != nil || after < first {
		return 0, 0, &server.Refusal{Status: http.StatusBadRequest, Field: "after", Detail: "after: not the next of an earlier page"}
	}
	return after, limit, nil
}

// pageAfter reads the parameters of a list that goes by ids.
func pageAfter(r *http.Request) (after string, limit int, err error) {
	limit, err = pageSize(r)
	return param(r, "after"), limit, err
}

func pageSize(r *http.Request) (int, error) {
	s := param(r, "limit")
	if s == "" {
		return usualPage, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxPage {
		return 0, &server.Refusal{Status: http.StatusBadRequest, Field: "limit", Detail: "limit: not from 1 to " + strconv.Itoa(maxPage)}
	}
	return n, nil
}

// oneOf checks a parameter that has few values; "" is all.
func oneOf(r *http.Request, name string, values ...string) (string, error) {
	s := param(r, name)
	if s == "" {
		return "", nil
	}
	if slices.Contains(values, s) {
		return s, nil
	}
	return "", &server.Refusal{Status: http.StatusBadRequest, Field: name, Detail: name + ": not one of " + strings.Join(values, ", ")}
}

// A list is a page. Next is given where there may be more.
type list[T, N any] struct {
	Items []T `json:"items"`
	Next  *N  `json:"next,omitempty"`
}

// paged makes a page of items; at is where the one behind it begins.
func paged[T, N any](items []T, limit int, at func(T) N) list[T, N] {
	l := list[T, N]{Items: items}
	if items == nil {
		l.Items = []T{}
	}
	if len(items) >= limit && limit > 0 {
		next := at(items[len(items)-1])
		l.Next = &next
	}
	return l
}

// utc is a time as it is shown; the zero time stays zero and is left out.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}

// raw is JSON from the store; nothing where there is none.
func raw(b []byte) json.RawMessage {
	if len(b) == 0 {
		return nil
	}
	return b
}

func answer(w http.ResponseWriter, status int, v any) error { return server.WriteJSON(w, status, v) }
