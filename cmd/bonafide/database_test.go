package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bonafide"
	"bonafide/app"
	"bonafide/evidence"
	"bonafide/store"

	"golang.org/x/mod/sumdb/note"
)

// lived makes a database with two tenants, whose logs were signed, and returns its directory.
func lived(t *testing.T) string {
	t.Helper()
	cfg := app.Defaults()
	cfg.Data, cfg.Listen, cfg.Checkpoint = t.TempDir(), "127.0.0.1:0", "1h"
	parts, err := (&settings{}).parts(cfg, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	parts.Log = io.Discard
	a, err := app.New(t.Context(), cfg, parts)
	if err != nil {
		t.Fatal(err)
	}
	err = a.DB.Update(t.Context(), func(tx *store.Tx) error {
		return tx.AddTenant(t.Context(), "other", "Other", bonafide.System("test"))
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Run(ctx); err != nil { // signs the logs in the end
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	return cfg.Data
}

// set makes the settings as flags would.
func set(data string) settings {
	return settings{Flags: app.Config{Data: data}, given: []string{"data"}}
}

// Checkpoints of one tenant were held against the logs of all.
func TestCheckpointsAreHeldAgainstTheirOwnLog(t *testing.T) {
	data := lived(t)
	own := filepath.Join(data, "checkpoints-main.txt")
	for _, files := range [][]string{{own}, {own, filepath.Join(data, "checkpoints-other.txt")}} {
		var out bytes.Buffer
		c := logVerifyCmd{settings: set(data), Checkpoints: files}
		if err := c.Run(t.Context(), &streams{out: &out}); err != nil || strings.Count(out.String(), "is sound") != 2 {
			t.Errorf("%v: %v: %s", files, err, &out)
		}
	}
	c := logVerifyCmd{settings: set(lived(t)), Checkpoints: []string{own}}
	if err := c.Run(t.Context(), &streams{out: io.Discard}); err == nil || !strings.Contains(err.Error(), "checkpoints-main.txt, checkpoint 1") {
		t.Errorf("checkpoints of another database: %v", err)
	}
}

func TestCheckpointOfNoTenantIsAnError(t *testing.T) {
	data := lived(t)
	cfg := app.Defaults()
	cfg.Data = data
	db, err := app.Open(t.Context(), cfg, false)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	file := filepath.Join(t.TempDir(), "kept.txt")
	if err := os.WriteFile(file, foreign(t, db), 0o600); err != nil {
		t.Fatal(err)
	}
	c := logVerifyCmd{settings: set(data), Checkpoints: []string{file}}
	if err := c.Run(t.Context(), &streams{out: io.Discard}); err == nil || !strings.Contains(err.Error(), `there is no tenant "gone"`) {
		t.Errorf("%v", err)
	}
}

// The doctor looked at root.key in the data directory, wherever the key was.
func TestDoctorLooksAtTheRightKey(t *testing.T) {
	data := lived(t)
	key := filepath.Join(t.TempDir(), "elsewhere.key")
	if err := os.Rename(filepath.Join(data, "root.key"), key); err != nil {
		t.Fatal(err)
	}
	s := set(data)
	s.Flags.RootKeyFile, s.given = key, append(s.given, "root_key_file")
	for mode, warned := range map[os.FileMode]bool{0o600: false, 0o640: true, 0o604: true} {
		if err := os.Chmod(key, mode); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := (&doctorCmd{s}).Run(t.Context(), &streams{out: &out}); err != nil || strings.Contains(out.String(), "chmod 600 "+key) != warned {
			t.Errorf("%v: %v: %s", mode, err, &out)
		}
	}
	text, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("BONAFIDE_ROOT_KEY", strings.TrimSpace(string(text)))
	var out bytes.Buffer
	if err := (&doctorCmd{s}).Run(t.Context(), &streams{out: &out}); err != nil || strings.Contains(out.String(), "chmod") {
		t.Errorf("with the key in the environment: %v: %s", err, &out)
	}
}

// foreign signs a checkpoint of a tenant that is not there.
func foreign(t *testing.T, db *store.DB) []byte {
	t.Helper()
	var text []byte
	err := db.View(t.Context(), func(tx *store.Tx) error {
		secret, _, err := tx.SigningKey(t.Context())
		if err != nil {
			return err
		}
		signer, err := note.NewSigner(secret)
		if err != nil {
			return err
		}
		tree, err := tx.LogTree(t.Context(), app.Main)
		if err != nil {
			return err
		}
		text, err = evidence.SignCheckpoint(signer, signer.Name()+"/gone", tree, time.Now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}
