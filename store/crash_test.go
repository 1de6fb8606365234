package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"bonafide"
	"bonafide/internal/testdb"
)

// TestMain is also the process that TestKill kills: it stores complaints and says
// of each when it is stored.
func TestMain(m *testing.M) {
	if path := os.Getenv("BONAFIDE_STORE_UNTIL_KILLED"); path != "" {
		o, _ := testOptions(byte(os.Getpid()))
		ctx := context.Background()
		db, err := Open(ctx, path, o)
		for i := 0; err == nil; i++ {
			cs := complaints(i, 2, 300, 200, 50)
			for k := range cs {
				cs[k].ID = fmt.Sprintf("P-%d-%d-%d", os.Getpid(), i, k)
			}
			if err = db.Update(ctx, func(tx *Tx) error {
				_, err := tx.AddComplaints(ctx, lender, clerk, cs)
				return err
			}); err == nil {
				fmt.Println(cs[0].ID)
				fmt.Println(cs[1].ID)
			}
		}
		fmt.Println("error:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// A process that is killed while it stores loses nothing that it said was stored,
// and leaves no half of anything.
func TestKill(t *testing.T) {
	eachURL(t, func(t *testing.T, url string) {
		db, _ := openTest(t, url)
		var said []string
		for range 4 {
			c := exec.CommandContext(t.Context(), os.Args[0])
			c.Env = append(os.Environ(), "BONAFIDE_STORE_UNTIL_KILLED="+url)
			out, err := c.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			for n := 0; lines.Scan(); n++ {
				said = append(said, lines.Text())
				if n == 100 {
					if err := c.Process.Kill(); err != nil {
						t.Fatal(err)
					}
				}
			}
			_ = c.Wait()
			view(t, db, func(ctx context.Context, tx *Tx) error {
				known, err := tx.Known(ctx, lender, said)
				for _, id := range said {
					if known[id] == nil {
						t.Errorf("%s was said to be stored and is not", id)
					}
				}
				count, err2 := tx.CountComplaints(ctx, lender)
				traces, err3 := tx.Traces(ctx, lender, 0, 0)
				if count%2 != 0 || int64(len(traces)) != count {
					t.Errorf("%d complaints and %d traces: half of something", count, len(traces))
				}
				return errors.Join(err, err2, err3)
			})
			verified(t, db)
		}
		if len(said) < 400 {
			t.Errorf("%d complaints stored: %v", len(said), said[max(0, len(said)-1):])
		}
	})
}

// PostgreSQL falls and comes back while complaints come in: what was acknowledged
// is there, what failed says that the database is busy, and the pool recovers.
func TestPostgresRestart(t *testing.T) {
	testdb.NeedPostgres(t)
	server, err := testdb.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	db, _ := openTest(t, server.URL)
	var (
		mu     sync.Mutex
		said   []string
		failed int
		wg     sync.WaitGroup
	)
	stop := make(chan struct{})
	for w := range 3 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				cs := complaints((w*100_000 + i), 1, 100, 100, 10)
				err := db.Update(t.Context(), func(tx *Tx) error {
					_, err := tx.AddComplaints(t.Context(), lender, clerk, cs)
					return err
				})
				mu.Lock()
				if err == nil {
					said = append(said, cs[0].ID)
				} else {
					failed++
					if !errors.Is(err, bonafide.Busy) || strings.Contains(err.Error(), "postgres@") {
						t.Errorf("while the database is away: %v", err)
					}
				}
				mu.Unlock()
				if err != nil {
					time.Sleep(20 * time.Millisecond)
				}
			}
		})
	}
	for range 2 {
		time.Sleep(300 * time.Millisecond)
		if err := server.Halt(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		if err := server.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(300 * time.Millisecond)
	close(stop)
	wg.Wait()
	if failed == 0 || len(said) == 0 {
		t.Errorf("%d stored, %d failed: the test shows nothing", len(said), failed)
	}
	view(t, db, func(ctx context.Context, tx *Tx) error {
		known, err := tx.Known(ctx, lender, said)
		for _, id := range said {
			if known[id] == nil {
				t.Errorf("%s was acknowledged and is not stored", id)
			}
		}
		return err
	})
	verified(t, db)
}
