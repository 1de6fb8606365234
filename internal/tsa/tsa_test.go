package tsa

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
)

func TestReply(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	a, err := New(rand.Reader, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	data := []byte("data")
	query, err := timestamp.CreateRequest(bytes.NewReader(data), &timestamp.RequestOptions{Certificates: true})
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.Reply(query)
	if err != nil {
		t.Fatal(err)
	}
	got, err := timestamp.ParseResponse(b)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	if !got.Time.Equal(now) || !bytes.Equal(got.HashedMessage, sum[:]) || !got.Policy.Equal(Policy) || len(got.Certificates) != 1 {
		t.Errorf("the library reads %+v", got)
	}
	if b, err = a.Reply([]byte("nonsense")); err != nil {
		t.Fatal(err)
	}
	if got, err := timestamp.ParseResponse(b); err == nil {
		t.Errorf("nonsense was answered with %+v", got)
	}
}

func TestRoundTripRefusesWhatIsNoQuery(t *testing.T) {
	a, err := New(rand.Reader, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: a}
	for _, c := range []struct {
		method, kind string
		want         int
	}{
		{http.MethodGet, "", http.StatusMethodNotAllowed},
		{http.MethodPost, "text/plain", http.StatusUnsupportedMediaType},
		{http.MethodPost, QueryType, http.StatusOK},
	} {
		r, err := http.NewRequest(c.method, "http://tsa.example/", bytes.NewReader([]byte("x")))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", c.kind)
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if res.StatusCode != c.want {
			t.Errorf("%s of %q: %s, want %d", c.method, c.kind, res.Status, c.want)
		}
	}
}
