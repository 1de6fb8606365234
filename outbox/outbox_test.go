package outbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bonafide"
	"bonafide/internal/testdb"
	"bonafide/store"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

const bank bonafide.Tenant = "bank"

var tester = bonafide.System("test")

// A clock that a test moves.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func open(t *testing.T, url string, now func() time.Time) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), url, store.Options{RootKey: bytes.Repeat([]byte{1}, 32), Now: now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	update(t, db, func(ctx context.Context, tx *store.Tx) error { return tx.AddTenant(ctx, bank, "Bank", tester) })
	return db
}

func update(t *testing.T, db *store.DB, fn func(context.Context, *store.Tx) error) {
	t.Helper()
	if err := db.Update(t.Context(), func(tx *store.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

// emit makes an event as a change does.
func emit(t *testing.T, db *store.DB, typ bonafide.EventType) {
	const ring = "r1"
	t.Helper()
	update(t, db, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.Record(ctx, bank, tester, "test", "ring:"+ring, nil); err != nil {
			return err
		}
		return tx.Emit(ctx, bank, bonafide.Event{Type: typ, At: time.Now().UTC(), Target: bonafide.Target{Kind: bonafide.OnRing, ID: ring}, Ring: ring, Count: 3})
	})
}

func deliveries(t *testing.T, db *store.DB) []store.Delivery {
	t.Helper()
	var out []store.Delivery
	if err := db.View(t.Context(), func(tx *store.Tx) (err error) { out, err = tx.Deliveries(t.Context(), bank, "", "", 100); return err }); err != nil {
		t.Fatal(err)
	}
	return out
}

func hooks(db *store.DB, now func() time.Time, private bool) *Webhooks {
	w := &Webhooks{DB: db, Now: now, Log: slog.New(slog.DiscardHandler), Private: private}
	w.client = w.newClient()
	return w
}

func TestWebhookIsSignedAndTriedAgain(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		var c clock
		db := open(t, fresh(), c.now)
		var mu sync.Mutex
		var got []*http.Request
		var bodies [][]byte
		status := http.StatusInternalServerError
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			got, bodies = append(got, r), append(bodies, b)
			w.WriteHeader(status)
		}))
		defer srv.Close()
		secret := []byte("a secret of the receiver's own ..")
		update(t, db, func(ctx context.Context, tx *store.Tx) error {
			return tx.AddWebhook(ctx, bank, tester, store.Webhook{ID: "w1", URL: srv.URL, Secret: secret, Events: []string{"ring.formed"}, Created: c.now()})
		})
		emit(t, db, bonafide.RingFormed)
		emit(t, db, bonafide.RingGrown) // nobody asked for it
		w := hooks(db, c.now, true)
		round := func(want int) {
			t.Helper()
			if n, err := w.round(t.Context()); err != nil || n != want {
				t.Fatalf("%d deliveries made, want %d: %v", n, want, err)
			}
		}
		round(1)
		round(0) // not due yet
		d := deliveries(t, db)
		if len(d) != 1 || d[0].State != "ready" || d[0].Attempt != 1 || d[0].Status != 500 {
			t.Fatalf("after a failure: %+v", d)
		}
		c.ahead.Store(int64(6 * time.Second))
		mu.Lock()
		status = http.StatusNoContent
		mu.Unlock()
		round(1)
		if d := deliveries(t, db); d[0].State != "done" || d[0].Attempt != 2 || d[0].Error != "" {
			t.Errorf("after it was taken: %+v", d)
		}
		if got[0].Header.Get("Webhook-Id") != got[1].Header.Get("Webhook-Id") {
			t.Error("the second try has another id: a receiver could not tell that it is the same")
		}
		h := got[1].Header
		if want := Sign(secret, h.Get("Webhook-Id"), h.Get("Webhook-Timestamp"), bodies[1]); h.Get("Webhook-Signature") != want {
			t.Errorf("signature %q, want %q", h.Get("Webhook-Signature"), want)
		}
		var m message
		if err := json.Unmarshal(bodies[1], &m); err != nil || m.Type != bonafide.RingFormed || m.Data.Ring != "r1" || m.Data.Count != 3 {
			t.Errorf("%s: %v", bodies[1], err)
		}
	})
}

// A receiver that hung held up every other for as long as it may take to answer.
func TestReceiverThatHangsHoldsUpNoOther(t *testing.T) {
	db := open(t, testdb.SQLite(t), time.Now)
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer hang.Close()
	var taken atomic.Int64
	good := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { taken.Add(1) }))
	defer good.Close()
	update(t, db, func(ctx context.Context, tx *store.Tx) error {
		for id, url := range map[string]string{"a": hang.URL, "b": good.URL} {
			if err := tx.AddWebhook(ctx, bank, tester, store.Webhook{ID: id, URL: url, Secret: []byte("s"), Events: []string{"ring.formed"}, Created: time.Now()}); err != nil {
				return err
			}
		}
		return nil
	})
	const events = 20
	for range events {
		emit(t, db, bonafide.RingFormed)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	w := &Webhooks{DB: db, Now: time.Now, Log: slog.New(slog.DiscardHandler), Private: true, Every: 20 * time.Millisecond}
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	for end := time.Now().Add(2 * time.Second); taken.Load() < events && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if n := taken.Load(); n != events {
		t.Errorf("the good receiver got %d of %d events in 2 s", n, events)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The example of the specification (standardwebhooks.com).
func TestSignatureIsThatOfTheStandard(t *testing.T) {
	secret := []byte("\xc9\xf3\x7d\xd7\xad\xad\xdc\x6c\xd9\xc6\xff\x17") // any bytes
	got := Sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if !strings.HasPrefix(got, "v1,") || len(got) != 3+44 {
		t.Errorf("%q is not v1 and 32 bytes in base64", got)
	}
	// The example's own secret, MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw.
	got = Sign([]byte{0x31, 0xf2, 0x90, 0xf6, 0xbf, 0x06, 0x29, 0x8a, 0xab, 0x4f, 0x08, 0xd4, 0x3c, 0x3f, 0x08, 0x2c, 0xf6, 0x48, 0xa3, 0x62, 0xda, 0x2d, 0xa4, 0xb0},
		"msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWebhookDiesAfterItsLastTryAndIsLogged(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		var c clock
		db := open(t, fresh(), c.now)
		update(t, db, func(ctx context.Context, tx *store.Tx) error {
			return tx.AddWebhook(ctx, bank, tester, store.Webhook{ID: "w1", URL: "http://127.0.0.1:1/", Secret: []byte("s"), Events: []string{"ring.formed"}, Created: c.now()})
		})
		emit(t, db, bonafide.RingFormed)
		w := hooks(db, c.now, true)
		tries := 0
		for range 2 * len(waits) {
			n, err := w.round(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			tries += n
			c.ahead.Add(int64(25 * time.Hour))
		}
		if d := deliveries(t, db); d[0].State != "dead" || tries != len(waits)+1 {
			t.Errorf("%d tries, %+v", tries, d)
		}
	})
}

func TestWebhookReachesNoPrivateAddress(t *testing.T) {
	inside := 0
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inside++ }))
	defer srv.Close()
	db := open(t, testdb.SQLite(t), time.Now)
	w := hooks(db, time.Now, false)
	for _, u := range []string{srv.URL, strings.Replace(srv.URL, "127.0.0.1", "localhost", 1), "http://169.254.169.254/", "http://10.0.0.1/", "http://[::1]:80/", "http://[::ffff:127.0.0.1]/"} {
		_, err := w.send(t.Context(), store.Outgoing{Webhook: store.Webhook{URL: u}})
		if err == nil || !strings.Contains(err.Error(), "private") {
			t.Errorf("%s: %v", u, err)
		}
	}
	if inside > 0 {
		t.Error("a private address was reached")
	}
	for a, want := range map[string]bool{"8.8.8.8": true, "2001:4860:4860::8888": true, "100.64.1.1": false, "::1": false, "fd00::1": false, "0.0.0.0": false, "224.0.0.1": false, "64:ff9b::7f00:1": false} {
		if got := public(netip.MustParseAddr(a)); got != want {
			t.Errorf("public(%s) = %v", a, got)
		}
	}
}

func TestWebhookFollowsNoRedirect(t *testing.T) {
	followed := false
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/other" {
			followed = true
			return
		}
		http.Redirect(w, r, "/other", http.StatusTemporaryRedirect)
	}))
	defer srv.Close()
	w := hooks(open(t, testdb.SQLite(t), time.Now), time.Now, true)
	if status, err := w.send(t.Context(), store.Outgoing{Webhook: store.Webhook{URL: srv.URL}}); err == nil || status != http.StatusTemporaryRedirect || followed {
		t.Errorf("status %d, %v, followed %v", status, err, followed)
	}
}

func TestKafkaBothWays(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "in", "out", "in.rejected"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	db := open(t, testdb.SQLite(t), time.Now)
	var mu sync.Mutex
	stored := map[string]int{}
	fail := 1 // the first attempt is refused: nothing may be lost by it
	k := &Kafka{
		DB: db, Now: time.Now, Log: slog.New(slog.DiscardHandler), Brokers: cluster.ListenAddrs(), Tenant: bank, In: "in", Out: "out",
		Submit: func(_ context.Context, _ bonafide.Tenant, _ bonafide.Actor, cs []*bonafide.Complaint) ([]bonafide.PutStatus, error) {
			mu.Lock()
			defer mu.Unlock()
			if fail > 0 {
				fail--
				return nil, bonafide.Busy
			}
			out := make([]bonafide.PutStatus, len(cs))
			for i, c := range cs {
				stored[c.ID]++
				out[i] = bonafide.PutCreated
			}
			return out, nil
		},
	}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := k.Read(ctx); err != nil {
			t.Error(err)
		}
	})
	wg.Go(func() {
		if err := k.Write(ctx); err != nil {
			t.Error(err)
		}
	})
	c, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("out", "in.rejected"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i := range 5 {
		value := fmt.Sprintf(`{"id":"K%d","received":"2026-01-01T00:00:00Z","text":"I was charged twice."}`, i)
		if i == 2 {
			value = `{"id":"K2","canary":"4242"}`
		}
		if err := c.ProduceSync(ctx, &kgo.Record{Topic: "in", Value: []byte(value)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	emit(t, db, bonafide.RingFormed)
	emit(t, db, bonafide.RingGrown)
	var types, rejected []string
	wait, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for len(types) < 2 || len(rejected) < 1 {
		got := c.PollFetches(wait)
		if wait.Err() != nil {
			t.Fatalf("after 20 s: events %v, rejected %v", types, rejected)
		}
		got.EachRecord(func(r *kgo.Record) {
			if r.Topic == "out" {
				types = append(types, string(r.Headers[0].Value))
			} else {
				rejected = append(rejected, string(r.Value))
			}
		})
	}
	if d := cmp.Diff([]string{"ring.formed", "ring.grown"}, types); d != "" {
		t.Error(d)
	}
	if !strings.Contains(rejected[0], `"offset":2`) || strings.Contains(rejected[0], "4242") {
		t.Errorf("rejected: %s", rejected[0])
	}
	all := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(stored) == 4
	}
	for !all() && wait.Err() == nil { // they may come in several parts
		time.Sleep(10 * time.Millisecond)
	}
	mu.Lock()
	if d := cmp.Diff(map[string]int{"K0": 1, "K1": 1, "K3": 1, "K4": 1}, stored); d != "" {
		t.Error(d)
	}
	mu.Unlock()
	stop()
	wg.Wait()
}

func TestOneProcessLeadsACursor(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		var c clock
		db := open(t, fresh(), c.now)
		lead := func(owner string) (seq int64, mine bool) {
			update(t, db, func(ctx context.Context, tx *store.Tx) (err error) {
				seq, mine, err = tx.LeadCursor(ctx, bank, "kafka", owner, c.now(), time.Minute)
				return err
			})
			return seq, mine
		}
		if _, mine := lead("a"); !mine {
			t.Fatal("nobody leads, and a does not come to")
		}
		if _, mine := lead("b"); mine {
			t.Error("b leads beside a")
		}
		update(t, db, func(ctx context.Context, tx *store.Tx) error { return tx.MoveCursor(ctx, bank, "kafka", "a", 7) })
		c.ahead.Store(int64(2 * time.Minute))
		if seq, mine := lead("b"); !mine || seq != 7 {
			t.Errorf("after a is gone b leads %v from %d, want 7", mine, seq)
		}
		err := db.Update(t.Context(), func(tx *store.Tx) error { return tx.MoveCursor(t.Context(), bank, "kafka", "a", 9) })
		if err == nil {
			t.Error("a moved what b leads")
		}
	})
}
