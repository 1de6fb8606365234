package api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bonafide"
	"bonafide/server"
)

// line is a complaint as a line of a stream.
func line(id, text string) string {
	return fmt.Sprintf(`{"id":%q,"received":"2026-03-02T09:30:00Z","text":%q}`+"\n", id, text)
}

// answers reads the answer to a stream.
func answers(t *testing.T, b []byte) (lines []lineAnswer, end lineEnd) {
	t.Helper()
	for l := range bytes.Lines(b) {
		if end.End {
			t.Fatalf("a line behind the end: %s", l)
		}
		if bytes.HasPrefix(l, []byte(`{"end"`)) {
			if err := json.Unmarshal(l, &end); err != nil {
				t.Fatal(err)
			}
			continue
		}
		var a lineAnswer
		if err := json.Unmarshal(l, &a); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, a)
	}
	return lines, end
}

// Each line is answered in its order; a bad one does not hold up the others and is
// answered with its field and reason.
func TestStreamAnswersEveryLine(t *testing.T) {
	w := newWorld(t)
	body := line("C-1", "x") + "\n  \n" + line("C-2", "x") + line("C-1", "x") + line("C-2", "other") +
		`{"id":"` + canary + `","received":"2026-03-02T09:30:00Z","text":"x","customer":{"phone":471147114711471}}` + "\n" +
		`{"id":"` + canary + `","unheard_of":1}` + "\n" + canary + "\n" + strings.Repeat("[", 10_000) + "\n" + "{\"id\":\"\xff\"}\n" +
		`{"id":"` + canary + `\u0007","received":"2026-03-02T09:30:00Z","text":"x"}` + "\n" +
		`{"id":"a","id":"` + canary + `"}` + "\n" + `["` + canary + `"]` + "\n" +
		strings.TrimSuffix(line("C-3", "the last line has no line feed"), "\n")
	for _, pack := range []bool{false, true} {
		w := newWorld(t)
		var g got
		if pack {
			g = w.a.ok(200, "POST", "/complaints/bulk", packed(t, []byte(body)), with("Content-Encoding", "gzip"))
		} else {
			g = w.a.ok(200, "POST", "/complaints/bulk", body)
		}
		if s := string(g.body); strings.Contains(s, canary) || strings.Contains(s, number) {
			t.Errorf("the answer repeats a value: %s", s)
		}
		lines, end := answers(t, g.body)
		var got []string
		for _, l := range lines {
			got = append(got, fmt.Sprintf("%d %s %s %d %s", l.Line, l.ID, l.Status, l.Seq, l.Field))
		}
		want := []string{
			"1 C-1 created 1 ", "4 C-2 created 2 ", "5 C-1 unchanged 0 ", "6 C-2 conflict 0 ", "7  invalid 0 customer.phone", "8  invalid 0 unheard_of", "9  invalid 0 ",
			"10  invalid 0 ", "11  invalid 0 ", "12  invalid 0 id", "13  invalid 0 ", "14  invalid 0 ", "15 C-3 created 3 ",
		}
		if !slices.Equal(got, want) {
			t.Errorf("packed %v: got\n%s\nwant\n%s", pack, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if end.Lines != 15 || end.Reason != "" || end.Counts[bonafide.PutCreated] != 3 || end.Counts[bonafide.PutInvalid] != 8 {
			t.Errorf("packed %v: the end is %+v", pack, end)
		}
		for _, l := range lines {
			if (l.Status == bonafide.PutInvalid || l.Status == bonafide.PutConflict) != (l.Reason != "") {
				t.Errorf("line %d: status %s with the reason %q", l.Line, l.Status, l.Reason)
			}
		}
	}
	if g := w.a.ok(200, "POST", "/complaints/bulk", ""); string(g.body) != `{"end":true,"lines":0,"counts":{}}`+"\n" {
		t.Errorf("nothing is answered with %s", g.body)
	}
}

// A stream that was cut off goes on behind the lines that were answered, or from its
// beginning: what was stored is unchanged.
func TestStreamGoesOn(t *testing.T) {
	w := newWorld(t)
	body := ""
	for i := range 1000 {
		body += line(fmt.Sprintf("C-%d", i+1), "x")
	}
	cut := body[:strings.Index(body, `{"id":"C-701"`)+20]
	g := w.a.ok(200, "POST", "/complaints/bulk", cut)
	lines, end := answers(t, g.body)
	if len(lines) != 701 || lines[700].Status != bonafide.PutInvalid || end.Lines != 701 {
		t.Fatalf("%d lines, the last %+v, the end %+v", len(lines), lines[len(lines)-1], end)
	}
	lines, end = answers(t, w.a.ok(200, "POST", "/complaints/bulk?after=700", body).body)
	if len(lines) != 300 || lines[0].Line != 701 || lines[0].ID != "C-701" || end.Counts[bonafide.PutCreated] != 300 || end.Lines != 1000 {
		t.Errorf("%d lines from %+v to %+v", len(lines), lines[0], end)
	}
	_, end = answers(t, w.a.ok(200, "POST", "/complaints/bulk", body).body)
	if end.Counts[bonafide.PutUnchanged] != 1000 {
		t.Errorf("all again: %+v", end)
	}
	lines, end = answers(t, w.a.ok(200, "POST", "/complaints/bulk?after=5000", body).body)
	if len(lines) != 0 || end.Lines != 5000 {
		t.Errorf("behind the end: %d lines, %+v", len(lines), end)
	}
	if n := w.a.counts()["complaints"]; n != 1000 {
		t.Errorf("%d complaints, want 1000", n)
	}
}

// A client may wait for the answer to one line before it sends the next.
func TestStreamAnswersWhileItIsSent(t *testing.T) {
	w := newWorld(t)
	two := httptest.NewUnstartedServer(nil)
	two.Config = server.HTTP(w.srv.Config.Handler, slog.New(slog.DiscardHandler))
	two.EnableHTTP2 = true
	two.StartTLS()
	defer two.Close()
	for _, c := range []struct {
		path string
		srv  *httptest.Server
		http int
	}{{"/complaints/bulk", w.srv, 1}, {"/contracts/bulk", w.srv, 1}, {"/contracts/bulk", two, 2}} {
		path := c.path
		in, out := io.Pipe()
		r, err := http.NewRequestWithContext(t.Context(), "POST", c.srv.URL+"/v1"+path, in)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+w.a.secret)
		r.Header.Set("Content-Type", "application/x-ndjson")
		send := func(i int) {
			l := line(fmt.Sprintf("C-%d", i), "x")
			if strings.HasPrefix(path, "/contracts") {
				l = fmt.Sprintf(`{"id":"L-%d-over-%d","customer_ref":"K-1","principal":1,"currency":"CNY","opened":"2025-01-15"}`+"\n", i, c.http)
			}
			if _, err := io.WriteString(out, l); err != nil {
				t.Error(err)
			}
		}
		go send(1) // Do returns with the first answer
		resp, err := c.srv.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if resp.ProtoMajor != c.http {
			t.Fatalf("HTTP/%d, want HTTP/%d", resp.ProtoMajor, c.http)
		}
		lines := bufio.NewReader(resp.Body)
		for i := 1; i <= 20; i++ {
			l, err := lines.ReadBytes('\n')
			if err != nil {
				t.Fatal(err)
			}
			var a lineAnswer
			if err := json.Unmarshal(l, &a); err != nil || a.Line != int64(i) || a.Status != bonafide.PutCreated {
				t.Fatalf("line %d is answered with %s", i, l)
			}
			send(i + 1)
		}
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(lines)
		if err != nil || !bytes.Contains(rest, []byte(`"end":true,"lines":21`)) {
			t.Errorf("%v: the end is %s", err, rest)
		}
		_ = resp.Body.Close()
	}
}

// What arrives while a batch is stored is the next batch, up to the limit.
func TestStreamIsBatched(t *testing.T) {
	w := newWorld(t, func(l *Limits) { l.Batch = 64 })
	hold, entered := make(chan struct{}), make(chan int, 100)
	w.eng.mu.Lock()
	w.eng.hold, w.eng.before = hold, func(n int) { entered <- n }
	w.eng.mu.Unlock()
	body := ""
	for i := range 1000 {
		body += line(fmt.Sprintf("C-%d", i+1), "x")
	}
	done := make(chan got)
	go func() { done <- w.a.call("POST", "/complaints/bulk", body) }()
	<-entered
	time.Sleep(50 * time.Millisecond) // let the reader run ahead of the first batch
	close(hold)
	g := <-done
	if _, end := answers(t, g.body); end.Counts[bonafide.PutCreated] != 1000 {
		t.Errorf("the end is %+v", end)
	}
	w.eng.mu.Lock()
	defer w.eng.mu.Unlock()
	if n := slices.Max(w.eng.batches); n > 64 {
		t.Errorf("a batch of %d, want at most 64", n)
	}
	if n := len(w.eng.batches); n > 60 {
		t.Errorf("1000 lines in %d batches", n)
	}
}

// An engine that fails in mid-stream ends it; the answer says from where to go on.
func TestStreamEndsWhereTheEngineFails(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		reason string
	}{
		{"busy", &bonafide.Error{Kind: bonafide.Busy, Msg: "the program is stopping: send it again"}, "the program is stopping"},
		{"broken", errors.New("disk full of " + canary[:6]), "something went wrong here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, func(l *Limits) { l.Batch = 10 })
			body := ""
			for i := range 100 {
				body += line(fmt.Sprintf("C-%d", i+1), "x")
			}
			w.a.ok(200, "POST", "/complaints/bulk", body[:strings.Index(body, `{"id":"C-31"`)])
			w.eng.mu.Lock()
			w.eng.fail = c.err
			w.eng.mu.Unlock()
			lines, end := answers(t, w.a.ok(200, "POST", "/complaints/bulk?after=30", body).body)
			if len(lines) == 0 || lines[0].Status != failed || end.Lines != 30 || !strings.Contains(end.Reason, c.reason) {
				t.Errorf("lines %+v, end %+v", lines, end)
			}
			if strings.Contains(end.Reason, "disk full") {
				t.Errorf("the reason tells the inside: %s", end.Reason)
			}
			if c.name == "broken" && !strings.Contains(w.logs.String(), "disk full") {
				t.Error("the log does not have the error")
			}
			w.eng.mu.Lock()
			w.eng.fail = nil
			w.eng.mu.Unlock()
			if _, end = answers(t, w.a.ok(200, "POST", fmt.Sprintf("/complaints/bulk?after=%d", end.Lines), body).body); end.Counts[bonafide.PutCreated] != 70 {
				t.Errorf("going on: %+v", end)
			}
		})
	}
}

// A line that is not stored is not counted as answered, even where a bad one follows.
func TestStreamCountsUpToTheFirstFailure(t *testing.T) {
	w := newWorld(t)
	w.eng.fail = &bonafide.Error{Kind: bonafide.Busy, Msg: "loading"}
	_, end := answers(t, w.a.ok(200, "POST", "/complaints/bulk", canary+"\n"+line("C-1", "x")+canary+"\n").body)
	if end.Lines > 1 {
		t.Errorf("the end says %d lines, but line 2 was not stored: %+v", end.Lines, end)
	}
}

// Lines that are too long, streams that are all wrong and content that cannot be read
// end a stream.
func TestStreamLimits(t *testing.T) {
	w := newWorld(t, func(l *Limits) { l.Line, l.BadLines, l.Batch = 10_000, 50, 10 })
	lines, end := answers(t, w.a.ok(200, "POST", "/complaints/bulk", line("C-1", "x")+line("C-2", strings.Repeat("x", 20_000))+line("C-3", "x")).body)
	if len(lines) != 2 || lines[1].Status != bonafide.PutInvalid || end.Lines != 2 || end.Reason == "" {
		t.Errorf("a long line: %+v, %+v", lines, end)
	}
	lines, _ = answers(t, w.a.ok(200, "POST", "/complaints/bulk?after=2", line("C-1", "x")+line("C-2", strings.Repeat("x", 200_000))+line("C-3", "x")).body)
	if len(lines) != 1 || lines[0].ID != "C-3" || lines[0].Status != bonafide.PutCreated {
		t.Errorf("behind a long line: %+v", lines)
	}
	lines, end = answers(t, w.a.ok(200, "POST", "/complaints/bulk", strings.Repeat("{}\n", 10_000)).body)
	if len(lines) > 200 || !strings.Contains(end.Reason, "too many wrong lines") {
		t.Errorf("wrong lines only: %d answered, %+v", len(lines), end)
	}
	w.a.ok(400, "POST", "/complaints/bulk", line("C-1", "x"), with("Content-Encoding", "gzip"))
	w.a.ok(415, "POST", "/complaints/bulk", line("C-1", "x"), with("Content-Type", "application/json"))
	w.a.ok(400, "POST", "/complaints/bulk?after=-1", line("C-1", "x"))
	z := packed(t, []byte(line("C-4", "x")+line("C-5", "y")))
	lines, end = answers(t, w.a.ok(200, "POST", "/complaints/bulk", append(z, "trailing rubbish that is no gzip"...), with("Content-Encoding", "gzip")).body)
	if len(lines) != 2 || end.Reason == "" {
		t.Errorf("rubbish behind gzip: %+v, %+v", lines, end)
	}
}

// A key has so many streams at a time; each that ends makes room.
func TestStreamsOfAKey(t *testing.T) {
	w := newWorld(t, func(l *Limits) { l.Streams = 2 })
	var closers []io.Closer
	var wg sync.WaitGroup
	for range 2 {
		in, out := io.Pipe()
		closers = append(closers, out)
		wg.Go(func() { w.a.call("POST", "/complaints/bulk", in) })
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		w.api.mu.Lock()
		n := w.api.streams[w.a.id]
		w.api.mu.Unlock()
		if n == 2 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the streams do not open")
		}
	}
	if g := w.a.ok(429, "POST", "/calls/bulk", "\n"); g.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w.b.ok(200, "POST", "/complaints/bulk", "\n")
	for _, c := range closers {
		_ = c.Close()
	}
	wg.Wait()
	w.a.ok(200, "POST", "/calls/bulk", "\n")
}

// A stream may go on for as long as it moves, and is cut where it stands still.
func TestStreamThatStandsStill(t *testing.T) {
	w := newWorld(t, func(l *Limits) { l.Pause = 300 * time.Millisecond })
	in, out := io.Pipe()
	go func() {
		for i := range 6 {
			_, _ = io.WriteString(out, line(fmt.Sprintf("C-%d", i), "x")) // until it is cut
			time.Sleep(100 * time.Millisecond)
		}
	}()
	r, err := http.NewRequestWithContext(t.Context(), "POST", w.srv.URL+"/v1/complaints/bulk", in)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.a.secret)
	r.Header.Set("Content-Type", "application/x-ndjson")
	start := time.Now()
	resp, err := w.srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(resp.Body) // cut off
	_ = resp.Body.Close()
	_ = out.Close()
	if n := bytes.Count(b, []byte(`"created"`)); n != 6 {
		t.Errorf("%d lines answered, want 6: %s", n, b)
	}
	if took := time.Since(start); took < 800*time.Millisecond || took > 10*time.Second {
		t.Errorf("cut after %v", took)
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		w.api.mu.Lock()
		n := len(w.api.streams)
		w.api.mu.Unlock()
		if n == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the stream is still open")
		}
	}
}

// What is left of a stream that was ended early is never taken for a request: a proxy
// before this may send other people's requests over the same connection.
func TestRestOfAStreamIsNoRequest(t *testing.T) {
	w := newWorld(t, func(l *Limits) { l.BadLines, l.Batch = 1, 1 })
	inner := "GET /v1/status HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + w.a.secret + "\r\n\r\n"
	for _, c := range []struct {
		name, body string
		missing    int // bytes that are promised and not sent
	}{
		{"all is sent", strings.Repeat("{}\n", 100) + inner, 0},
		{"some is missing", strings.Repeat("{}\n", 100) + inner, 10},
		{"behind gzip", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			header, body := "", c.body
			if body == "" {
				header, body = "Content-Encoding: gzip\r\n", string(packed(t, []byte(line("C-1", "x"))))+inner
			}
			conn, err := net.Dial("tcp", w.srv.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			next, want := "", 1
			if c.missing == 0 { // the connection may serve on, and if so the next request is this
				next, want = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 2
			}
			_, err = fmt.Fprintf(conn, "POST /v1/complaints/bulk HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/x-ndjson\r\n%sContent-Length: %d\r\n\r\n%s%s",
				w.a.secret, header, len(body)+c.missing, body, next)
			if err != nil {
				t.Fatal(err)
			}
			if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(conn)
			if n := bytes.Count(b, []byte("HTTP/1.1 ")); n != want || !bytes.Contains(b, []byte(`"end":true`)) || bytes.Contains(b, []byte(`"tenant"`)) {
				t.Errorf("%d answers, want %d, with an end and no status of a tenant: %s", n, want, b)
			}
			if c.missing > 0 && err != nil {
				t.Errorf("the connection stays open: %v", err)
			}
		})
	}
}

// A connection serves on after a stream.
func TestConnectionOutlivesAStream(t *testing.T) {
	w := newWorld(t, func(l *Limits) { l.Pause = 100 * time.Millisecond })
	for i := range 5 {
		w.a.ok(200, "POST", "/complaints/bulk", line(fmt.Sprintf("C-%d", i), "x"))
		w.a.ok(200, "GET", "/status", nil)
	}
	time.Sleep(200 * time.Millisecond)
	w.a.ok(200, "GET", "/status", nil)
}

// Records of every kind come one by one and in streams: created, unchanged, updated;
// the order of fields does not matter.
func TestRecords(t *testing.T) {
	w := newWorld(t)
	put := func(path, body string) putRecord {
		t.Helper()
		var p putRecord
		w.a.ok(200, "POST", path, body).into(t, &p)
		return p
	}
	k := put("/customers", `{"ref":"K-1","name":"x"}`)
	if k.Status != bonafide.PutCreated || k.ID == "K-1" || k.ID == "" {
		t.Errorf("a customer is %+v, want created under a keyed hash", k)
	}
	var found putRecord
	w.a.ok(200, "POST", "/customers/find", `{"ref":"K-1"}`).into(t, &found)
	if found.ID != k.ID {
		t.Errorf("found %q, want %q", found.ID, k.ID)
	}
	for body, want := range map[string]bonafide.PutStatus{`{"name":"x","ref":"K-1"}`: bonafide.PutUnchanged, ` {"ref" : "K-1", "name":"\u0078"}`: bonafide.PutUnchanged} {
		if p := put("/customers", body); p.Status != want {
			t.Errorf("%s: %s, want %s", body, p.Status, want)
		}
	}
	if p := put("/customers", `{"ref":"K-1","name":"y"}`); p.Status != bonafide.PutUpdated {
		t.Errorf("another name: %s", p.Status)
	}
	var v recordView
	w.a.ok(200, "GET", "/customers/"+k.ID, nil).into(t, &v)
	if v.Version != 2 || v.Customer != k.ID {
		t.Errorf("the record is %+v", v)
	}
	call := func(id, more string) string {
		return `{"id":"` + id + `",` + more + `"started":"2026-02-27T22:40:00+08:00","duration_s":5,"direction":"out","party":"debtor","effective":true}` + "\n"
	}
	w.a.ok(200, "POST", "/contracts", `{"id":"L-1","customer_ref":"K-1","principal":1,"currency":"CNY","opened":"2025-01-15"}`)
	lines, end := answers(t, w.a.ok(200, "POST", "/calls/bulk",
		call("V-1", `"customer_ref":"K-1",`)+call("V-2", `"contract":"L-1",`)+call("V-3", `"contract":"L-9",`)+call("V-1", `"customer_ref":"K-1",`)+call("V-1", `"customer_ref":"K-1","outsourcer":"z",`)+
			call("V-4", "")+call("V-5", `"customer_ref":"unknown",`)).body)
	var got []string
	for _, l := range lines {
		got = append(got, fmt.Sprintf("%d %s %s %s", l.Line, l.ID, l.Status, l.Field))
	}
	want := []string{"1 V-1 created ", "2 V-2 created ", "3  invalid contract", "4 V-1 unchanged ", "5 V-1 updated ", "6  invalid customer_ref", "7  invalid customer_ref"}
	if !slices.Equal(got, want) || end.Counts[bonafide.PutInvalid] != 3 {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	w.a.ok(200, "GET", "/calls/V-2", nil).into(t, &v)
	if v.Customer != k.ID {
		t.Errorf("a call of a contract belongs to %q, want its customer %q", v.Customer, k.ID)
	}
	g := w.a.ok(200, "GET", "/calls/V-2?include=content", nil, with(purposeHeader, "merit"))
	if !strings.Contains(string(g.body), `22:40:00+08:00`) {
		t.Errorf("the hour of the call is lost: %s", g.body)
	}
}

// A stream of bytes in any cut is read line by line.
func FuzzReadLine(f *testing.F) {
	f.Add([]byte("a\nb\n\nc"), 3, true)
	f.Add([]byte("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nb"), 20, true)
	f.Add([]byte("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nb"), 20, false)
	f.Fuzz(func(t *testing.T, b []byte, most int, kept bool) {
		if most < 1 || most > 1000 {
			return
		}
		want := bytes.SplitAfter(b, []byte("\n"))
		r := bufio.NewReaderSize(bytes.NewReader(b), 16)
		for i := 0; ; i++ {
			got, err := readLine(r, most, kept)
			if errors.Is(err, errLine) {
				if len(want[i]) <= most {
					t.Fatalf("line %d of %d bytes is too long for %d", i, len(want[i]), most)
				}
				return
			}
			if kept && (len(got) > most+1 || !bytes.Equal(got, want[i])) {
				t.Fatalf("line %d is %q, want %q", i, got, want[i])
			}
			if err != nil {
				if i != len(want)-1 {
					t.Fatalf("ends at line %d of %d: %v", i, len(want), err)
				}
				return
			}
		}
	})
}

// The engine loading is told by /readyz with the progress, and by /status.
func TestReadiness(t *testing.T) {
	w := newWorld(t)
	ask := func() (int, string) {
		resp, err := w.srv.Client().Get(w.srv.URL + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		b, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(b)
	}
	if s, b := ask(); s != 200 || !strings.Contains(b, `"ready":true`) {
		t.Errorf("%d %s", s, b)
	}
	w.eng.mu.Lock()
	w.eng.loading = true
	w.eng.mu.Unlock()
	if s, b := ask(); s != 503 || !strings.Contains(b, `"loaded":3,"total":4`) || strings.Contains(b, "tenant") {
		t.Errorf("%d %s, want 503 with the progress and no tenant", s, b)
	}
	var v statusView
	w.a.ok(200, "GET", "/status", nil).into(t, &v)
	if v.Ready || v.Loaded != 3 || v.Tenant != "tenant-a" {
		t.Errorf("%+v", v)
	}
}

func BenchmarkParseComplaint(b *testing.B) {
	l := []byte(line("C-1", strings.Repeat("I was called at midnight although I had asked for calls by day only. ", 18)))
	b.SetBytes(int64(len(l)))
	for b.Loop() {
		if _, err := parseComplaint(l); err != nil {
			b.Fatal(err)
		}
	}
}
