package api

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// A dog cuts a stream that stands still. A stream may take hours, so it has no time
// limit as a whole; and the limits of the server, which are points in time, would
// need the clock.
type dog struct {
	rc    *http.ResponseController
	pause time.Duration
	mu    sync.Mutex
	timer *time.Timer
	over  bool
}

// past is a point in time that is over whatever the clock says.
var past = time.Unix(1, 0)

// watchdog takes the place of the server's time limits for one request.
func watchdog(rc *http.ResponseController, pause time.Duration) *dog {
	d := &dog{rc: rc, pause: pause}
	_ = rc.SetReadDeadline(time.Time{}) // a test's recorder has none
	_ = rc.SetWriteDeadline(time.Time{})
	d.timer = time.AfterFunc(pause, d.cut)
	return d
}

// kick says that the stream moves.
func (d *dog) kick() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.over {
		d.timer.Reset(d.pause)
	}
}

// cut ends every read and write of the stream.
func (d *dog) cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.over {
		_ = d.rc.SetReadDeadline(past)
		_ = d.rc.SetWriteDeadline(past)
	}
}

// bite ends a read that still waits. What was written is left to arrive.
func (d *dog) bite() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.over {
		_ = d.rc.SetReadDeadline(past)
	}
}

// stop ends the watch. The connection has no deadlines after a bite that would
// outlive the request: the server sets them anew for the next one.
func (d *dog) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	d.timer.Stop()
}

// kicked is a reader that moves the stream.
type kicked struct {
	r   io.Reader
	dog *dog
}

// Read reads and kicks.
func (k kicked) Read(b []byte) (int, error) {
	n, err := k.r.Read(b)
	if n > 0 {
		k.dog.kick()
	}
	return n, err
}
