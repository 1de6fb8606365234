package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A stream that broke counted as one that was stored.
func TestBrokenStreamIsReported(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		breaks bool
		good   bool
	}{
		"whole":      {answer: `{"end":true,"lines":1}`, good: true},
		"no end":     {answer: `{"line":1,"status":"created"}`},
		"broken off": {answer: `{"end":true,"lines":1}`, breaks: true},
		"a reason":   {answer: `{"end":true,"lines":1,"reason":"the program is stopping"}`},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				fmt.Fprintln(w, c.answer)
				if c.breaks {
					_ = http.NewResponseController(w).Flush()
					panic(http.ErrAbortHandler)
				}
			}))
			defer srv.Close()
			usual := *target
			defer func() { *target = usual }()
			*target = srv.URL
			if err := bulk(t.Context(), 0, 4); (err == nil) != c.good {
				t.Errorf("error %v, want one: %v", err, !c.good)
			}
		})
	}
}
