package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"bonafide/internal/testdb"
	"bonafide/store"
)

// program builds the command once for all tests of the package.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "bonafide-test-")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "bonafide")
	out, err := exec.Command("go", "build", "-o", bin, "bonafide/cmd/bonafide").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return bin, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if bin, err := program(); err == nil {
		os.RemoveAll(filepath.Dir(bin))
	}
	os.Exit(code)
}

// A running program that a test can kill.
type running struct {
	cmd  *exec.Cmd
	url  string
	err  *bytes.Buffer
	done chan error
}

// A place is where a program keeps what it has.
type place struct {
	data, db, key string
}

func (p *place) args() []string {
	args := []string{"--data", p.data}
	if p.db != "" {
		args = append(args, "--db", p.db)
	}
	return args
}

// start starts serve and waits until it listens.
func (p *place) start(t *testing.T) *running {
	t.Helper()
	bin, err := program()
	if err != nil {
		t.Fatal(err)
	}
	r := &running{err: &bytes.Buffer{}, done: make(chan error, 1)}
	r.cmd = exec.Command(bin, append([]string{"serve", "--listen", "127.0.0.1:0", "--checkpoint", "100ms", "--log-level", "warn"}, p.args()...)...)
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	r.cmd.Stderr = r.err
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	listening := make(chan struct{})
	go func() {
		sc := bufio.NewScanner(out)
		for sc.Scan() {
			line := strings.TrimSpace(sc.Text())
			if strings.HasPrefix(line, "bf_") {
				p.key = line
			}
			if _, url, ok := strings.Cut(line, "listens on "); ok {
				r.url = url
				close(listening)
			}
		}
		r.done <- r.cmd.Wait()
	}()
	select {
	case <-listening:
	case err := <-r.done:
		t.Fatalf("serve ended: %v: %s", err, r.err)
	case <-time.After(30 * time.Second):
		t.Fatal("serve does not listen")
	}
	return r
}

// kill ends the program as a power cut would.
func (r *running) kill() {
	_ = r.cmd.Process.Kill()
	if err := <-r.done; err != nil {
		r.err.WriteString(err.Error()) // "signal: killed"
	}
}

// stop ends it as an operator would.
func (r *running) stop(t *testing.T) {
	t.Helper()
	_ = r.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-r.done:
		if err != nil {
			t.Errorf("serve ended badly: %v: %s", err, r.err)
		}
	case <-time.After(30 * time.Second):
		t.Error("serve does not stop")
	}
}

// run runs another command on the place and returns what it printed.
func (p *place) run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	bin, err := program()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(bin, append(args, p.args()...)...).CombinedOutput()
	return string(out), err
}

func (p *place) ask(method, url string, body io.Reader) (int, []byte, error) {
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+p.key)
	req.Header.Set("Content-Type", "application/json")
	if strings.HasSuffix(url, "/bulk") {
		req.Header.Set("Content-Type", "application/x-ndjson")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, b, err
}

func complaint(no int) []byte {
	phone := 1_000_000 + no/4 // four of one phone
	return fmt.Appendf(nil, `{"id":"K-%06d","received":"2026-05-01T10:00:00Z","channel":"portal","text":"Complaint number %d about a loan: I was called at night by a collector named number %d, who also called my employer %d times, and nobody answered my letter of last month.","customer":{"ref":"ref-%d","region":"region %d"},"contacts":[{"kind":"phone","value":"+1 415 %07d"}]}`,
		no, no, no*7919%10007, no%9, no, no%13, phone)
}

// rounds is how often a program is killed: a few times with every test, and as often as
// BONAFIDE_CRASH_ROUNDS says when that is asked for.
func rounds(usual int) int {
	if n, err := strconv.Atoi(os.Getenv("BONAFIDE_CRASH_ROUNDS")); err == nil && n > 0 {
		return n
	}
	return usual
}

func TestKilledProgramLosesNothing(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		crash(t, &place{data: t.TempDir()}, rounds(4))
	})
	t.Run("postgres", func(t *testing.T) {
		url := testdb.Postgres(t)
		crash(t, &place{data: t.TempDir(), db: url}, rounds(3))
	})
}

// acked remembers what the program said is stored.
type acked struct {
	mu  sync.Mutex
	ids map[string]bool
	no  int
}

func (a *acked) next(n int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.no += n
	return a.no - n
}

func (a *acked) add(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ids[id] = true
}

func (a *acked) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.ids)
}

// load hands complaints in, one by one and in bulk, until the program is gone.
func load(p *place, url string, a *acked) {
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for {
				no := a.next(1)
				status, _, err := p.ask(http.MethodPost, url+"/v1/complaints", bytes.NewReader(complaint(no)))
				if err != nil {
					return
				}
				if status == http.StatusCreated {
					a.add(fmt.Sprintf("K-%06d", no))
				}
			}
		})
	}
	wg.Go(func() {
		for {
			const n = 300
			no := a.next(n)
			var lines bytes.Buffer
			for i := range n {
				lines.Write(complaint(no + i))
				lines.WriteByte('\n')
			}
			_, body, err := p.ask(http.MethodPost, url+"/v1/complaints/bulk", &lines)
			for line := range bytes.Lines(body) {
				var r struct{ ID, Status string }
				if json.Unmarshal(line, &r) == nil && r.Status == "created" {
					a.add(r.ID)
				}
			}
			if err != nil {
				return
			}
		}
	})
	wg.Wait()
}

func crash(t *testing.T, p *place, times int) {
	dice := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	a := &acked{ids: map[string]bool{}}
	for round := range times {
		r := p.start(t)
		done := make(chan struct{})
		go func() { load(p, r.url, a); close(done) }()
		time.Sleep(time.Duration(30+dice.IntN(700)) * time.Millisecond)
		r.kill()
		<-done
		if s := r.err.String(); strings.Contains(s, "panic") {
			t.Fatalf("round %d: %s", round, s)
		}
	}
	r := p.start(t)
	p.check(t, a)
	r.stop(t)
	p.verify(t)
	t.Logf("%d rounds, %d complaints acknowledged", times, len(a.ids))
	if len(a.ids) == 0 {
		t.Error("nothing was acknowledged: the rounds were too short")
	}
}

// check reads everything that is stored: each acknowledged complaint once, places without
// gaps, and every one screened in the end.
func (p *place) check(t *testing.T, a *acked) {
	t.Helper()
	cfg := Defaults()
	cfg.Data, cfg.DB = p.data, p.db
	db, err := Open(t.Context(), cfg, false)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	deadline := time.Now().Add(60 * time.Second)
	for {
		seen := map[string]int{}
		unscreened, last, gaps := 0, int64(0), 0
		for {
			var page []store.ComplaintRow
			if err := db.View(t.Context(), func(tx *store.Tx) (err error) { page, err = tx.Complaints(t.Context(), Main, last, 500); return err }); err != nil {
				t.Fatal(err)
			}
			for _, c := range page {
				seen[c.ID]++
				if c.Seq != last+1 {
					gaps++
				}
				last = c.Seq
				if c.Screening == nil {
					unscreened++
				}
			}
			if len(page) == 0 {
				break
			}
		}
		if unscreened > 0 && time.Now().Before(deadline) {
			time.Sleep(200 * time.Millisecond)
			continue
		}
		missing, twice := 0, 0
		for id := range a.ids {
			if seen[id] == 0 {
				missing++
			}
		}
		for _, n := range seen {
			if n > 1 {
				twice++
			}
		}
		if missing+twice+gaps+unscreened > 0 {
			t.Errorf("%d acknowledged complaints are missing, %d stand twice, %d gaps, %d were not screened in a minute", missing, twice, gaps, unscreened)
		}
		return
	}
}

// verify proves the log, against every checkpoint that was signed on the way.
func (p *place) verify(t *testing.T) {
	t.Helper()
	args := []string{"log", "verify"}
	if f := filepath.Join(p.data, "checkpoints-main.txt"); fileExists(f) {
		args = append(args, "--checkpoints", f)
	}
	out, err := p.run(t, args...)
	if err != nil {
		t.Errorf("log verify: %v: %s", err, out)
	}
	t.Log(strings.TrimSpace(out))
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestPostgresRestartsInMidFlight(t *testing.T) {
	testdb.NeedPostgres(t)
	ctx := t.Context()
	pg, err := testdb.Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := pg.Stop(); err != nil {
			t.Error(err)
		}
	}()
	p := &place{data: t.TempDir(), db: pg.URL}
	r := p.start(t)
	a := &acked{ids: map[string]bool{}}
	stop := make(chan struct{})
	var refused, stored int
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				no := a.next(1)
				status, body, err := p.ask(http.MethodPost, r.url+"/v1/complaints", bytes.NewReader(complaint(no)))
				mu.Lock()
				switch {
				case err == nil && status == http.StatusCreated:
					a.add(fmt.Sprintf("K-%06d", no))
					stored++
				case err == nil && status == http.StatusServiceUnavailable:
					refused++
				default:
					t.Errorf("status %d, %v: %s", status, err, body)
				}
				mu.Unlock()
				if status != http.StatusCreated {
					time.Sleep(50 * time.Millisecond)
				}
			}
		})
	}
	time.Sleep(700 * time.Millisecond)
	if err := pg.Halt(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	before := a.count()
	if err := pg.Run(context.WithoutCancel(ctx)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * time.Second)
	close(stop)
	wg.Wait()
	if a.count() == before || refused == 0 {
		t.Errorf("%d stored before the restart, %d in all, %d refused meanwhile", before, a.count(), refused)
	}
	p.check(t, a)
	r.stop(t)
	p.verify(t)
	t.Logf("%d stored, %d refused with 503 while the database was away", stored, refused)
}

func TestFullAndReadOnlyDisk(t *testing.T) {
	dir := t.TempDir()
	mount := func(options string) error {
		return exec.Command("mount", "-t", "tmpfs", "-o", options, "tmpfs", dir).Run()
	}
	if err := mount("size=6m"); err != nil {
		t.Skip("no rights to make a small disk")
	}
	defer func() { _ = exec.Command("umount", "-l", dir).Run() }()
	p := &place{data: filepath.Join(dir, "data")}
	r := p.start(t)
	a := &acked{ids: map[string]bool{}}
	hand := func() (status int, body []byte) {
		no := a.next(1)
		status, body, err := p.ask(http.MethodPost, r.url+"/v1/complaints", bytes.NewReader(complaint(no)))
		if err != nil {
			t.Fatal(err, r.err)
		}
		if status == http.StatusCreated {
			a.add(fmt.Sprintf("K-%06d", no))
		}
		return status, body
	}
	var status int
	var body []byte
	for range 20_000 {
		if status, body = hand(); status != http.StatusCreated {
			break
		}
	}
	if status != http.StatusServiceUnavailable || !bytes.Contains(body, []byte("detail")) {
		t.Fatalf("on a full disk: %d %s", status, body)
	}
	t.Logf("full after %d: %s", len(a.ids), body)
	if status, _, err := p.ask(http.MethodGet, r.url+"/v1/complaints/K-000000", nil); err != nil || status != http.StatusOK {
		t.Errorf("reading on a full disk: %d, %v", status, err)
	}
	// There is room again.
	if err := exec.Command("mount", "-o", "remount,size=64m", dir).Run(); err != nil {
		t.Fatal(err)
	}
	ok := false
	for range 50 {
		if status, _ = hand(); status == http.StatusCreated {
			ok = true
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if !ok {
		t.Errorf("with room again: %d", status)
	}
	p.check(t, a)
	r.stop(t)
	p.verify(t)
	if err := exec.Command("mount", "-o", "remount,ro", dir).Run(); err != nil {
		t.Fatal(err)
	}
	out, err := p.run(t, "serve", "--listen", "127.0.0.1:0")
	if exit := (&exec.ExitError{}); !errors.As(err, &exit) || strings.Contains(out, "panic") || !strings.Contains(out, "bonafide:") {
		t.Errorf("on a read-only disk: %v %s", err, out)
	}
	t.Logf("read-only: %s", strings.TrimSpace(out))
}
