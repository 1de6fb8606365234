package app

import (
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bonafide/evidence/stamp"
	"bonafide/internal/tsa"
	"bonafide/store"
)

// The log is stamped with the time where an authority is configured, and not twice a day.
func TestLogIsStampedOnceADay(t *testing.T) {
	authority, err := tsa.New(rand.Reader, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
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
	dir := t.TempDir()
	roots := filepath.Join(dir, "roots.pem")
	if err := os.WriteFile(roots, authority.Roots, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := Defaults()
	cfg.Data, cfg.Listen, cfg.LogLevel, cfg.TSAURL, cfg.TSARoots = filepath.Join(dir, "data"), "127.0.0.1:0", "error", server.URL, roots
	a, err := New(t.Context(), cfg, Parts{Version: "test", Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	who, pem, err := cfg.authority()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := a.stampAll(t.Context(), who); err != nil {
			t.Fatal(err)
		}
	}
	trusted, err := stamp.ParseRoots(pem)
	if err != nil {
		t.Fatal(err)
	}
	err = a.DB.View(t.Context(), func(tx *store.Tx) error {
		all, err := tx.Stamps(t.Context(), Main, 0)
		if err != nil || len(all) != 1 || asked != 1 {
			t.Fatalf("%d stamps, asked %d times, %v", len(all), asked, err)
		}
		points, err := tx.Checkpoints(t.Context(), Main)
		if err != nil {
			return err
		}
		_, err = stamp.Verify(all[0].Token, points[len(points)-1].Text, trusted)
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestWhereEvidenceIsKept(t *testing.T) {
	for _, x := range []struct{ place, wrong string }{
		{"", ""},
		{"/var/lib/evidence", ""},
		{"s3+https://key:secret@storage.example/bucket", "no key in an address"},
		{"s3+https://storage.example/bucket", "BONAFIDE_EVIDENCE_KEY"},
		{"s3+https://storage.example", "not an address"},
		{"ftp://storage.example/bucket", "neither a directory"},
	} {
		c := Defaults()
		c.Evidence = x.place
		err := c.Check()
		if (err == nil) != (x.wrong == "") || err != nil && !strings.Contains(err.Error(), x.wrong) {
			t.Errorf("%s: %v", x.place, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret@") {
			t.Errorf("the error repeats the address: %v", err)
		}
	}
}
