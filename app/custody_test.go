package app

import (
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bonafide"
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

// Originals are swept by the database that they belong to and by its backups, and by no
// other over the same place: it reads and takes in.
func TestOwnOriginalsAloneAreSwept(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	place := filepath.Join(dir, "evidence")
	config := func(name string) Config {
		c := Defaults()
		c.Data, c.Evidence, c.LogLevel = filepath.Join(dir, name), place, "error"
		c.RootKeyFile = filepath.Join(dir, "root.key") // a backup needs the same one
		return c
	}
	// made makes the database.
	made := func(c Config) Config {
		t.Helper()
		c.Listen = "127.0.0.1:0"
		a, err := New(ctx, c, Parts{Version: "test", Log: io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	sweep := func(c Config) (int, error) {
		t.Helper()
		db, e, err := Offline(ctx, c, Parts{Version: "test", Log: io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		return e.Sweep(ctx)
	}
	first := made(config("first"))
	keeper, err := first.keeper(ctx)
	if err != nil {
		t.Fatal(err)
	}
	taken, err := keeper.TakeIn(ctx, strings.NewReader("an original"), "a.txt", 100)
	if err != nil {
		t.Fatal(err)
	}
	object := filepath.Join(place, "objects", taken.Address[:2], taken.Address)
	age := func() {
		t.Helper()
		old := time.Now().Add(-48 * time.Hour)
		if err := os.Chtimes(object, old, old); err != nil {
			t.Fatal(err)
		}
	}
	db, _, err := Offline(ctx, first, Parts{Version: "test", Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	restored := config("restored")
	if err := os.MkdirAll(restored.Data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Backup(ctx, filepath.Join(restored.Data, "bonafide.db")), db.Close()); err != nil {
		t.Fatal(err)
	}
	age()
	if n, err := sweep(made(config("second"))); n != 0 || !errors.Is(err, bonafide.Conflict) {
		t.Errorf("an empty database sweeps %d, %v", n, err)
	}
	if _, err := os.Stat(object); err != nil {
		t.Fatal(err)
	}
	// Nobody registered it: it goes into the trash.
	for _, c := range []Config{first, restored} {
		age()
		if n, err := sweep(c); n != 1 || err != nil {
			t.Errorf("%s sweeps %d, %v", filepath.Base(c.Data), n, err)
		}
		plain, err := keeper.Open(ctx, taken.Address, taken.Key)
		if err != nil {
			t.Fatal(err)
		}
		if err := plain.Close(); err != nil {
			t.Error(err)
		}
	}
}
