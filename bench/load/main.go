// Command load measures a running bonafide serve: it loads a history in bulk, hands
// in complaints one by one as fast as they are taken and at a given rate, and asks
// for tags. It prints what it measured as one line each.
//
//	go run ./bench/load -url http://127.0.0.1:8484 -key bf_… -history 100000 -clients 16
//
// The complaints are made up: half of them English, the rest Portuguese and Chinese,
// about 1,000 characters long, a fifth of them from spun templates whose senders
// share a phone by threes.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"bonafide"
	"bonafide/internal/synth"
)

var (
	target   = flag.String("url", "http://127.0.0.1:8484", "addresses of the processes, with commas between")
	key      = flag.String("key", os.Getenv("BONAFIDE_KEY"), "API key (BONAFIDE_KEY)")
	history  = flag.Int("history", 0, "complaints to load in bulk first")
	from     = flag.Int("from", 0, "number of the first complaint")
	streams  = flag.Int("streams", 2, "bulk streams")
	clients  = flag.Int("clients", 16, "connections that hand in one by one")
	seconds  = flag.Int("seconds", 20, "length of each measurement")
	rate     = flag.Int("rate", 0, "complaints a second for the measurement of latency; 0 is half of what was reached")
	lookups  = flag.Int("lookups", 0, "tag look-ups a second beside the rate")
	saturate = flag.Bool("saturate", true, "measure as fast as possible")
	metrics  = flag.String("metrics", "", "address of the metrics, to count SQL round trips")
)

func main() {
	flag.Parse()
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}}

// made streams complaints from number first on.
func made(first, n int, yield func([]byte)) {
	day := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	// Letters are drawn in blocks, each from a seed of its own, so that any block can be made alone.
	const block = 5000
	for b := first / block; b*block < first+n; b++ {
		synth.Letters(uint64(b+1), block, 0.2, func(id, template int, text string) {
			no := b*block + id
			if no < first || no >= first+n {
				return
			}
			phone := 1_000_000_000 + no
			if template >= 0 && id%5 < 2 {
				phone = 2_000_000_000 + (b*1000+template)*4 + id%3
			}
			c := bonafide.Complaint{
				ID: fmt.Sprintf("L-%08d", no), Received: day.Add(time.Duration(no) * 37 * time.Second), Channel: "portal", Text: text,
				Customer: bonafide.Customer{
					Ref: fmt.Sprintf("R%08d", no), Name: fmt.Sprintf("Given%c Family%c%c", 'a'+no%26, 'a'+no/26%26, 'a'+no/676%26),
					Phone: fmt.Sprintf("+44 7%09d", no), Address: fmt.Sprintf("%d Oak Street, Town%d", no%977+1, no%4999), Region: fmt.Sprint("region ", no%20),
				},
				Contacts: []bonafide.Identifier{
					{Kind: bonafide.Phone, Value: fmt.Sprintf("+1 %010d", phone)},
					{Kind: bonafide.Email, Value: fmt.Sprintf("writer%d@mail.example", no)},
					{Kind: bonafide.Device, Value: fmt.Sprintf("dev-%016x", uint64(no)*0x9E3779B97F4A7C15)},
				},
			}
			line, err := json.Marshal(c)
			if err != nil {
				panic(err)
			}
			yield(line)
		})
	}
}

func urls() []string { return strings.Split(*target, ",") }

func request(ctx context.Context, base, path, kind string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+*key)
	req.Header.Set("Content-Type", kind)
	return client.Do(req)
}

func run(ctx context.Context) error {
	next := *from
	if *history > 0 {
		if err := bulk(ctx, next, *history); err != nil {
			return err
		}
		next += *history
	}
	reached := float64(*rate) * 2
	if *saturate {
		n, err := flat(ctx, next)
		if err != nil {
			return err
		}
		next += int(n.Load())
		reached = float64(n.Load()) / float64(*seconds)
	}
	if *rate == 0 {
		*rate = int(reached / 2)
	}
	if *rate > 0 {
		return paced(ctx, next)
	}
	return nil
}

// bulk loads n complaints in streams.
func bulk(ctx context.Context, first, n int) error {
	var wg sync.WaitGroup
	var done atomic.Int64
	errs := make(chan error, *streams)
	before := statements()
	start := time.Now()
	for s := range *streams {
		lo, hi := first+n*s/(*streams), first+n*(s+1)/(*streams)
		wg.Go(func() {
			pr, pw := io.Pipe()
			go func() {
				w := bufio.NewWriterSize(pw, 1<<16)
				made(lo, hi-lo, func(line []byte) {
					_, _ = w.Write(line) // the last error is the pipe's
					_ = w.WriteByte('\n')
				})
				pw.CloseWithError(w.Flush())
			}()
			res, err := request(ctx, urls()[s%len(urls())], "/v1/complaints/bulk", "application/x-ndjson", pr)
			if err != nil {
				errs <- err
				return
			}
			defer res.Body.Close()
			sc := bufio.NewScanner(res.Body)
			sc.Buffer(nil, 1<<20)
			var last []byte
			for sc.Scan() {
				last = append(last[:0], sc.Bytes()...)
				if bytes.Contains(last, []byte(`"status":"created"`)) {
					if k := done.Add(1); k%100_000 == 0 {
						fmt.Printf("  %d after %.0f s\n", k, time.Since(start).Seconds())
					}
				}
			}
			switch {
			case res.StatusCode != http.StatusOK:
				errs <- fmt.Errorf("bulk: status %d", res.StatusCode)
			case sc.Err() != nil:
				errs <- fmt.Errorf("bulk: the stream broke: %w", sc.Err())
			case !bytes.Contains(last, []byte(`"end":true`)) || bytes.Contains(last, []byte(`"reason":"`)):
				errs <- fmt.Errorf("bulk: the stream ended early: %s", last)
			}
		})
	}
	wg.Wait()
	took := time.Since(start)
	close(errs)
	for err := range errs {
		return err
	}
	fmt.Printf("bulk: %d complaints stored in %.1f s: %.0f/s, %d streams%s\n", done.Load(), took.Seconds(), float64(done.Load())/took.Seconds(), *streams, each(before, done.Load()))
	return nil
}

// post hands in one complaint and returns when its screening is there.
func post(ctx context.Context, base string, line []byte) error {
	res, err := request(ctx, base, "/v1/complaints", "application/json", bytes.NewReader(line))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && (res.StatusCode != http.StatusCreated || !bytes.Contains(b, []byte(`"screening"`))) {
		err = fmt.Errorf("status %d: %s", res.StatusCode, b)
	}
	return err
}

// flat hands in as fast as complaints are taken.
func flat(ctx context.Context, first int) (*atomic.Int64, error) {
	lines := make(chan []byte, 4096)
	stop := make(chan struct{})
	go func() {
		defer close(lines)
		defer func() { _ = recover() }()
		made(first, 1<<30, func(line []byte) {
			select {
			case lines <- line:
			case <-stop:
				panic("enough")
			}
		})
	}()
	for len(lines) < cap(lines) { // ahead of the clients before the clock runs
		time.Sleep(10 * time.Millisecond)
	}
	var n atomic.Int64
	var failed atomic.Pointer[error]
	took := make([][]time.Duration, *clients)
	before := statements()
	start := time.Now()
	var wg sync.WaitGroup
	for c := range *clients {
		wg.Go(func() {
			for time.Since(start) < time.Duration(*seconds)*time.Second && failed.Load() == nil {
				line := <-lines
				t := time.Now()
				if err := post(ctx, urls()[c%len(urls())], line); err != nil {
					failed.Store(&err)
					return
				}
				took[c] = append(took[c], time.Since(t))
				n.Add(1)
			}
		})
	}
	wg.Wait()
	close(stop)
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	all := slices.Concat(took...)
	fmt.Printf("one by one, %d clients: %.0f/s; %s%s\n", *clients, float64(n.Load())/time.Since(start).Seconds(), quantiles(all), each(before, n.Load()))
	return &n, nil
}

// paced hands in at a fixed rate, whatever the answers take (an open loop), and asks for
// tags beside it.
func paced(ctx context.Context, first int) error {
	total := *rate * *seconds
	lines := make([][]byte, 0, total)
	made(first, total, func(line []byte) { lines = append(lines, line) })
	took := make([]time.Duration, total)
	var asked []time.Duration
	var mu sync.Mutex
	var failed atomic.Pointer[error]
	before := statements()
	start := time.Now()
	var wg sync.WaitGroup
	stop := make(chan struct{})
	if *lookups > 0 {
		wg.Go(func() {
			t := time.NewTicker(time.Second / time.Duration(*lookups))
			defer t.Stop()
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case at := <-t.C:
					wg.Go(func() {
						if err := lookup(ctx, urls()[i%len(urls())], i); err != nil {
							failed.Store(&err)
						}
						mu.Lock()
						asked = append(asked, time.Since(at))
						mu.Unlock()
					})
				}
			}
		})
	}
	var posts sync.WaitGroup
	for i := range total {
		due := start.Add(time.Duration(i) * time.Second / time.Duration(*rate))
		time.Sleep(time.Until(due))
		posts.Go(func() {
			if err := post(ctx, urls()[i%len(urls())], lines[i]); err != nil {
				failed.Store(&err)
			}
			took[i] = time.Since(due)
		})
	}
	posts.Wait()
	close(stop)
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	fmt.Printf("at %d/s, from when it was due to its screening: %s%s\n", *rate, quantiles(took), each(before, int64(total)))
	if len(asked) > 0 {
		fmt.Printf("tag look-ups beside it, %d/s: %s\n", *lookups, quantiles(asked))
	}
	return nil
}

func lookup(ctx context.Context, base string, i int) error {
	body := fmt.Sprintf(`{"purpose":"incoming call","identifiers":[{"kind":"phone","value":"+1 %010d"},{"kind":"email","value":"writer%d@mail.example"}]}`, 2_000_000_000+i, i)
	res, err := request(ctx, base, "/v1/tags/lookup", "application/json", strings.NewReader(body))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("look-up: status %d: %s", res.StatusCode, b)
	}
	return err
}

func quantiles(d []time.Duration) string {
	if len(d) == 0 {
		return "nothing"
	}
	slices.Sort(d)
	at := func(q float64) time.Duration {
		return d[min(len(d)-1, int(q*float64(len(d))))].Round(10 * time.Microsecond)
	}
	return fmt.Sprintf("p50 %v, p90 %v, p99 %v, max %v", at(.5), at(.9), at(.99), d[len(d)-1].Round(10*time.Microsecond))
}

// statements reads how many SQL round trips the processes made; -1 where unknown.
func statements() float64 {
	if *metrics == "" {
		return -1
	}
	var sum float64
	for a := range strings.SplitSeq(*metrics, ",") {
		res, err := client.Get(a + "/metrics")
		if err != nil {
			return -1
		}
		sc := bufio.NewScanner(res.Body)
		for sc.Scan() {
			var v float64
			if _, err := fmt.Sscanf(sc.Text(), "bonafide_sql_statements_total %g", &v); err == nil {
				sum += v
			}
		}
		res.Body.Close()
	}
	return sum
}

func each(before float64, n int64) string {
	if before < 0 || n == 0 {
		return ""
	}
	return fmt.Sprintf("; %.2f SQL round trips each", (statements()-before)/float64(n))
}
