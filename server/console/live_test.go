package console

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Whoever watches is told that something changed, until the session or the server ends.
func TestLiveTellsOfChanges(t *testing.T) {
	o := newOffice(t)
	o.ready()
	if a := o.client().get("/live"); a.Status != http.StatusUnauthorized {
		t.Fatalf("nobody watches: %d", a.Status)
	}
	o.quiet()
	watch := func(c *client) (events <-chan string, done <-chan struct{}) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, o.srv.URL+"/live", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := c.http.Do(r) //nolint:bodyclose // by the goroutine below
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
			t.Fatalf("%d %s", res.StatusCode, res.Header.Get("Content-Type"))
		}
		lines, end := make(chan string, 100), make(chan struct{})
		go func() {
			defer close(end)
			defer res.Body.Close()
			for s := bufio.NewScanner(res.Body); s.Scan(); {
				if s.Text() != "" && !strings.HasPrefix(s.Text(), ":") {
					lines <- s.Text()
				}
			}
		}()
		return lines, end
	}
	within := func(what string, ch <-chan string) string {
		t.Helper()
		select {
		case s := <-ch:
			return s
		case <-time.After(15 * time.Second):
			t.Fatalf("waited in vain for %s", what)
			return ""
		}
	}
	ended := func(what string, ch <-chan struct{}) {
		t.Helper()
		select {
		case <-ch:
		case <-time.After(15 * time.Second):
			t.Fatalf("the stream goes on after %s", what)
		}
	}
	second := o.signIn(o.north.People["second"])
	lines, end := watch(o.signIn(o.north.People["handler"]))
	_, out := watch(second)
	if got := within("the first event", lines); got != "event: changed" {
		t.Fatal(got)
	}
	if data := within("its data", lines); strings.Trim(strings.TrimPrefix(data, "data: "), "0123456789") != "" {
		t.Errorf("the stream says %q", data)
	}
	for len(lines) > 0 {
		<-lines
	}
	o.submit("south", strangers("x", "SLATE", 1, o.now())...) // another lender's: nobody here is told
	o.quiet()
	time.Sleep(liveChange + 500*time.Millisecond)
	if len(lines) > 0 {
		t.Errorf("told of another lender's change: %s", <-lines)
	}
	second.post("/inbox/filters", url.Values{"name": {"x"}, "query": {"view=all"}}).want(http.StatusSeeOther)
	if got := within("a change", lines); got != "event: changed" {
		t.Error(got)
	}
	second.post("/sign-out", nil).want(http.StatusSeeOther)
	ended("the sign-out", out)
	o.srv.Config.RegisterOnShutdown(o.k.EndStreams)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := o.srv.Config.Shutdown(ctx); err != nil {
		t.Errorf("the stream keeps the server: %v", err)
	}
	ended("the server's end", end)
}
