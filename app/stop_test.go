package app

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A bulk stream that was left open held the program up for 20 seconds, and made its end
// an error.
func TestStopEndsOpenBulkStream(t *testing.T) {
	cfg := Defaults()
	cfg.Data, cfg.Listen = t.TempDir(), "127.0.0.1:0"
	a := here(t, cfg, io.Discard)
	stop := run(t, a)
	pr, pw := io.Pipe()
	defer pw.Close()
	req, err := http.NewRequest(http.MethodPost, a.URL()+"/v1/complaints/bulk", pr)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+a.First)
	req.Header.Set("Content-Type", "application/x-ndjson")
	go func() { _, _ = pw.Write(append(complaint(1), '\n')) }()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	if !lines.Scan() || !strings.Contains(lines.Text(), `"status":"created"`) {
		t.Fatalf("%s %v", lines.Text(), lines.Err())
	}
	began := time.Now()
	stop()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the program took %v to stop", took)
	}
	if !lines.Scan() || !strings.Contains(lines.Text(), `"end":true`) || !strings.Contains(lines.Text(), "stopping") {
		t.Errorf("the stream ended with %s %v", lines.Text(), lines.Err())
	}
}

// What does not end is cut off, and that is no error.
func TestStopClosesWhatDoesNotEnd(t *testing.T) {
	cfg := Defaults()
	cfg.Data, cfg.Listen = t.TempDir(), "127.0.0.1:0"
	var log safe
	a := here(t, cfg, &log)
	a.grace = 200 * time.Millisecond
	stop := run(t, a)
	c, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", a.ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	// A request whose content never comes.
	if _, err := io.WriteString(c, "POST /v1/complaints HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer "+a.First+"\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	began := time.Now()
	stop() // fails the test if Run returns an error
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the program took %v to stop", took)
	}
	if !bytes.Contains(log.Bytes(), []byte("connections are closed")) {
		t.Errorf("no warning: %s", log.Bytes())
	}
}
