package app

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"bonafide"
)

// errStopping ends the content of a stream: what was read before is stored and answered.
var errStopping = &bonafide.Error{Kind: bonafide.Busy, Msg: "the program is stopping: send the rest again"}

// endStreams ends the content of bulk streams once stopping is closed, since a client may
// keep one open for ever. Every other request runs to its end.
func endStreams(h http.Handler, stopping <-chan struct{}) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/bulk") {
			h.ServeHTTP(w, r)
			return
		}
		b := &ending{ReadCloser: r.Body, stopping: stopping}
		// net/http cancels a request whose content cannot be read, and so it does when wake
		// ends a read. What was read before that is still stored and answered.
		ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
		defer cancel()
		defer context.AfterFunc(r.Context(), func() {
			if !b.stops() {
				cancel()
			}
		})()
		r = r.WithContext(ctx)
		r.Body = b
		done, joined := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(joined)
			b.wake(http.NewResponseController(w), done)
		}()
		defer func() {
			close(done)
			<-joined
		}()
		h.ServeHTTP(w, r)
	})
}

// ending is content that ends with errStopping, once, when the program stops; what comes
// behind can still be read and thrown away.
type ending struct {
	io.ReadCloser
	stopping <-chan struct{}
	told     atomic.Bool
}

// Read reads, or says that the program stops.
func (e *ending) Read(p []byte) (int, error) {
	if e.stops() && e.told.CompareAndSwap(false, true) {
		return 0, errStopping
	}
	n, err := e.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && e.stops() && e.told.CompareAndSwap(false, true) {
		err = errStopping // a read that wake ended
	}
	return n, err
}

func (e *ending) stops() bool {
	select {
	case <-e.stopping:
		return true
	default:
		return false
	}
}

// wake ends a read that waits for a client, once the program stops and until the reader
// was told so.
func (e *ending) wake(rc *http.ResponseController, done <-chan struct{}) {
	select {
	case <-done:
		return
	case <-e.stopping:
	}
	t := time.NewTicker(100 * time.Millisecond)
	defer t.Stop()
	for !e.told.Load() {
		if rc.SetReadDeadline(time.Unix(1, 0)) != nil {
			return // a connection without deadlines is closed in the end
		}
		select {
		case <-done:
			return
		case <-t.C:
		}
	}
}
