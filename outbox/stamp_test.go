package outbox

import (
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"bonafide"
	"bonafide/evidence/stamp"
	"bonafide/internal/tsa"
)

func TestAuthorityIsBelievedOnlyIfItsStampHolds(t *testing.T) {
	authority, err := tsa.New(rand.Reader, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		reply, err := authority.Reply(query)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(reply)
	}))
	defer server.Close()
	roots, err := stamp.ParseRoots(authority.Roots)
	if err != nil {
		t.Fatal(err)
	}
	data := []byte("a checkpoint")
	token, err := Authority{URL: server.URL, Roots: roots, Random: rand.Reader}.Stamp(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stamp.Verify(token, data, roots); err != nil {
		t.Error(err)
	}
	other, err := tsa.New(rand.Reader, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := stamp.ParseRoots(other.Roots)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (Authority{URL: server.URL, Roots: foreign, Random: rand.Reader}).Stamp(t.Context(), data); err == nil {
		t.Error("a stamp of an authority that nobody vouches for was taken")
	}
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	defer broken.Close()
	if _, err := (Authority{URL: broken.URL, Roots: roots, Random: rand.Reader}).Stamp(t.Context(), data); !errors.Is(err, bonafide.Busy) {
		t.Error(err)
	}
}
