package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bonafide"
	"bonafide/contact"
	"bonafide/internal/testdb"
	"bonafide/policy"
	"bonafide/signal/text"
	"bonafide/store"
)

// canaries are values that must stand in clear nowhere. Each is one of its kind.
var canaries = map[string]string{
	"text":       "quaxolotl the zimmerflug",
	"name":       "Zebulonia Quarkwright",
	"id_number":  "QQ987654C",
	"phone":      "+447700955123",
	"email":      "zebulonia.q@canary.example",
	"address":    "17 Xylophone Crescent, Quuxham",
	"filed":      "+447700955987",
	"handle":     "wx_quarkwright_77",
	"account":    "GB29NWBK60161331926819",
	"loan":       "LOAN-QX-556677",
	"ref":        "CUST-QX-112233",
	"agent":      "Barnaby Quillfeather",
	"licence":    "SRA-QX-99881",
	"transcript": "the wuxtry said pay me",
	"demand":     "refund every zorkmid",
}

func canaryComplaint(id, tail string) bonafide.Complaint {
	c := canaries
	return bonafide.Complaint{
		ID: id, Received: time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC), Channel: "portal",
		Text:           "My name is " + c["name"] + " and " + c["text"] + " called me at " + c["phone"] + " every night about the loan, and then my employer was called as well. " + tail,
		Customer:       bonafide.Customer{Ref: c["ref"] + tail, Name: c["name"], IDNumber: c["id_number"], Phone: c["phone"], Email: c["email"], Address: c["address"], Region: "North"},
		Representative: &bonafide.Representative{Type: bonafide.RepUnknown, Name: c["agent"], Licence: c["licence"]},
		Contacts:       []bonafide.Identifier{{Kind: bonafide.Phone, Value: c["filed"]}, {Kind: bonafide.Handle, Value: c["handle"]}, {Kind: bonafide.Account, Value: c["account"]}},
		Account:        c["loan"], Demands: []string{c["demand"]}, Calls: []bonafide.Call{{Transcript: c["transcript"]}},
	}
}

// here runs the program inside the test.
func here(t *testing.T, cfg Config, log io.Writer) *App {
	t.Helper()
	pack, err := policy.Load("nifa-2024")
	if err != nil {
		t.Fatal(err)
	}
	public, err := text.PublicLetters()
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(t.Context(), cfg, Parts{Version: "test", Policy: pack, Public: public, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// safe is a buffer that may be written and read at once.
type safe struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safe) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safe) Bytes() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.b.Bytes())
}

func TestNoPersonalValueStandsInClear(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		var log, wire safe // the program's log; everything it sent that must hold no value
		hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_ = r.Header.Write(&wire)
			_, _ = io.Copy(&wire, r.Body)
		}))
		defer hook.Close()
		cfg := Defaults()
		cfg.Data, cfg.Listen, cfg.Metrics, cfg.LogLevel, cfg.Checkpoint = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0", "debug", "100ms"
		cfg.WebhooksPrivate = true
		if url := fresh(); strings.HasPrefix(url, "postgres") {
			cfg.DB = url
		}
		a := here(t, cfg, &log)
		stop := run(t, a)
		p := &place{key: a.First}
		post := func(path string, body any, want int) []byte {
			t.Helper()
			b, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			status, answer, err := p.ask(http.MethodPost, a.URL()+"/v1"+path, bytes.NewReader(b))
			if err != nil || status != want {
				t.Fatalf("%s: %d, want %d: %s %v", path, status, want, answer, err)
			}
			_, _ = wire.Write(answer)
			return answer
		}
		post("/webhooks", map[string]any{"url": hook.URL, "events": bonafide.EventTypes}, http.StatusCreated)
		// Several customers who share everything: links, a ring, tags on what they share.
		for i := range 6 {
			c := canaryComplaint(fmt.Sprint("C-", i), fmt.Sprint(i))
			c.Customer.Name += fmt.Sprint(" ", 'a'+i)
			c.Customer.Phone, c.Customer.Email, c.Customer.IDNumber = "", "", ""
			c.Customer.Address = fmt.Sprintf("%d Other Road, Town%d", i, i)
			c.Account += fmt.Sprint(i)
			post("/complaints", c, http.StatusCreated)
		}
		whole := canaryComplaint("C-whole", "whole")
		post("/complaints", whole, http.StatusCreated)
		other := whole
		other.Text += " and more of it"
		post("/complaints", other, http.StatusConflict)
		bad := map[string]any{"id": canaries["name"] + "\x00", "received": canaries["phone"], "text": 5, canaries["email"]: canaries["address"]}
		post("/complaints", bad, http.StatusBadRequest)
		delete(bad, "id")
		post("/complaints", bad, http.StatusUnprocessableEntity)
		post("/tags/lookup", map[string]any{"purpose": "incoming call", "customer_ref": canaries["ref"], "identifiers": []any{map[string]any{"kind": "phone", "value": canaries["filed"]}}}, http.StatusOK)
		post("/customers", map[string]any{"ref": canaries["ref"], "name": canaries["name"], "phone": canaries["phone"]}, http.StatusOK)
		post("/tags", map[string]any{"identifier": map[string]any{"kind": "phone", "value": canaries["filed"]}, "reason": "ask who is calling"}, http.StatusCreated)
		post("/third-parties", map[string]any{"id": "P-1", "customer_ref": canaries["ref"] + "whole", "relation": canaries["agent"]}, http.StatusOK)
		post("/calls", map[string]any{"id": "V-1", "customer_ref": canaries["ref"] + "whole", "started": "2026-04-28T23:10:00+08:00", "duration_s": 9, "direction": "out", "party": "debtor", "effective": true, "outsourcer": canaries["agent"]}, http.StatusOK)
		post("/contacts/handover", map[string]any{"purpose": "incoming call", "customer_ref": canaries["ref"] + "whole", "identifiers": []any{map[string]any{"kind": "phone", "value": canaries["phone"]}}}, http.StatusCreated)
		id, err := a.Engine.BeginContact(t.Context(), Main, bonafide.Actor{ID: "person:x"}, "incoming", "C-whole", "en", false)
		if err != nil {
			t.Fatal(err)
		}
		script, err := contact.Load("incoming")
		if err != nil {
			t.Fatal(err)
		}
		first := bonafide.Answer{Step: script.Start, Choice: script.Step(script.Start).Choices[0].ID, Note: canaries["text"] + " " + canaries["name"]}
		if err := a.Engine.AnswerContact(t.Context(), Main, bonafide.Actor{ID: "person:x"}, id, 1, first); err != nil {
			t.Fatal(err)
		}
		if err := a.Engine.EndContact(t.Context(), Main, bonafide.Actor{ID: "person:x"}, id, 2); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Engine.OpenVerification(t.Context(), Main, bonafide.Actor{ID: "person:x"}, "C-whole", bonafide.VerifyIdentity, "", canaries["transcript"]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2500 * time.Millisecond) // a grouping, a checkpoint, deliveries
		backup := filepath.Join(t.TempDir(), "backup.db")
		if err := a.DB.Backup(t.Context(), backup); err != nil {
			t.Fatal(err)
		}
		families, err := a.meter.registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			fmt.Fprintln(&wire, f.String())
		}
		post("/customers/erase", map[string]any{"complaint": "C-0", "reason": "asked for it"}, http.StatusOK)
		stop()
		if !bytes.Contains(wire.Bytes(), []byte("webhook-signature")) && !bytes.Contains(wire.Bytes(), []byte("Webhook-Signature")) {
			t.Error("no webhook was delivered: nothing was looked through")
		}
		for name, value := range canaries {
			for where, b := range map[string][]byte{"the log": log.Bytes(), "an answer, a webhook or a metric": wire.Bytes()} {
				if found(b, value) {
					t.Errorf("%s stands in clear in %s", name, where)
				}
			}
		}
		files := []string{backup}
		err = filepath.WalkDir(cfg.Data, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(files) < 2 {
			t.Errorf("only %v was looked through", files)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for name, value := range canaries {
				if found(b, value) {
					t.Errorf("%s stands in clear in %s", name, filepath.Base(f))
				}
			}
		}
	})
}

// found looks for a value as it is, without its spaces, in small letters, and its words.
func found(b []byte, value string) bool {
	low := bytes.ToLower(b)
	forms := []string{value, strings.ReplaceAll(value, " ", ""), strings.TrimPrefix(value, "+")}
	for w := range strings.FieldsSeq(value) {
		if strings.ContainsAny(w, "qQxXzZ") && len(w) > 6 {
			forms = append(forms, w)
		}
	}
	for _, f := range forms {
		if bytes.Contains(low, []byte(strings.ToLower(f))) {
			return true
		}
	}
	return false
}

// run runs a and returns what ends it.
func run(t *testing.T, a *App) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	once := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(once)
	return once
}

func TestBackupUnderLoadIsWhole(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		p := &place{data: t.TempDir()}
		if url := fresh(); strings.HasPrefix(url, "postgres") {
			p.db = url
		}
		r := p.start(t)
		a := &acked{ids: map[string]bool{}}
		loaded := make(chan struct{})
		go func() { load(p, r.url, a); close(loaded) }()
		time.Sleep(500 * time.Millisecond)
		file := filepath.Join(t.TempDir(), "backup.db")
		out, err := p.run(t, "backup", file)
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		time.Sleep(200 * time.Millisecond)
		r.kill()
		<-loaded
		// Restored elsewhere, on the same kind of database and on the other.
		q := &place{data: t.TempDir()}
		key, err := os.ReadFile(filepath.Join(p.data, "root.key"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(q.data, "root.key"), key, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err = q.run(t, "restore", file)
		if err != nil || !strings.Contains(out, "is sound") {
			t.Errorf("restore: %v: %s", err, out)
		}
		again, err := q.run(t, "restore", file)
		if err == nil || !strings.Contains(again, "empty") {
			t.Errorf("restored over what is there: %s", again)
		}
		cfg := Defaults()
		cfg.Data = q.data
		db, err := Open(t.Context(), cfg, false)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var n int64
		if err := db.View(t.Context(), func(tx *store.Tx) (err error) { n, err = tx.CountComplaints(t.Context(), Main); return err }); err != nil || n == 0 {
			t.Errorf("%d complaints in the backup, %v", n, err)
		}
		t.Log(strings.TrimSpace(out), n, "complaints")
	})
}
