package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"bonafide"
	"bonafide/server"
)

// A lineAnswer says what became of one line of a stream.
type lineAnswer struct {
	Line   int64              `json:"line"` // from 1
	ID     string             `json:"id,omitempty"`
	Status bonafide.PutStatus `json:"status"`
	Seq    int64              `json:"seq,omitempty"`
	Queued bool               `json:"queued,omitempty"`
	Level  bonafide.Level     `json:"level,omitempty"`
	Links  int                `json:"links,omitempty"`
	Field  string             `json:"field,omitempty"`
	Reason string             `json:"reason,omitempty"`
}

// failed is the status of a line of which nothing is known: send it again.
const failed bonafide.PutStatus = "failed"

// A lineEnd is the last line of an answer. Where it is missing, the answer was cut off.
type lineEnd struct {
	End    bool                         `json:"end"`
	Lines  int64                        `json:"lines"` // read, with those skipped: ?after of the next try
	Counts map[bonafide.PutStatus]int64 `json:"counts"`
	Reason string                       `json:"reason,omitempty"` // why not everything was read
}

// An entry is one line that was read and understood.
type entry[T any] struct {
	line  int64
	bytes int
	value T
	bad   error // instead of a value
}

// maxHeldBytes bounds what of a stream is in memory and not yet handed on; one line
// may be longer.
const maxHeldBytes = 8 << 20

// A box hands entries from who reads lines to who stores them: everything that has
// arrived while the last batch was stored is the next batch.
type box[T any] struct {
	mu      sync.Mutex
	entries []entry[T]
	bytes   int
	closed  bool
	end     error         // why reading ended; io.EOF at the end of the stream
	full    chan struct{} // of capacity 1: something was put or closed
	room    chan struct{} // of capacity 1: something was taken
}

func newBox[T any]() *box[T] {
	return &box[T]{full: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// put waits until there is room. It is false when ctx ends.
func (b *box[T]) put(ctx context.Context, e entry[T], most int) bool {
	for {
		b.mu.Lock()
		if len(b.entries) == 0 || len(b.entries) < most && b.bytes+e.bytes <= maxHeldBytes {
			b.entries = append(b.entries, e)
			b.bytes += e.bytes
			b.mu.Unlock()
			signal(b.full)
			return true
		}
		b.mu.Unlock()
		select {
		case <-b.room:
		case <-ctx.Done():
			return false
		}
	}
}

func (b *box[T]) close(end error) {
	b.mu.Lock()
	b.closed, b.end = true, end
	b.mu.Unlock()
	signal(b.full)
}

// take waits for entries and takes all. It returns why reading ended when nothing more comes.
func (b *box[T]) take(ctx context.Context) ([]entry[T], error) {
	for {
		b.mu.Lock()
		if len(b.entries) > 0 {
			got := b.entries
			b.entries, b.bytes = nil, 0
			b.mu.Unlock()
			signal(b.room)
			return got, nil
		}
		closed, end := b.closed, b.end
		b.mu.Unlock()
		if closed {
			return nil, end
		}
		select {
		case <-b.full:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// A stream is one bulk request: lines of NDJSON in, one line of answer for each out,
// in order. Reading, which parses, and storing run side by side.
type stream[T any] struct {
	a     *api
	parse func([]byte) (T, error)
	// put stores what was parsed, and answers every one of it but for the line.
	put func(ctx context.Context, in []T) ([]lineAnswer, error)
}

// errTooManyBad and errLine end a stream before its end.
var (
	errTooManyBad = errors.New("too many wrong lines: is this the right file? mend it and go on behind the lines that were read")
	errLine       = errors.New("a line that is too long: shorten it or leave it out")
)

// serve answers a bulk request.
func (s *stream[T]) serve(w http.ResponseWriter, r *http.Request, who caller) error {
	skip, _, err := page(r, 0)
	if err != nil {
		return err
	}
	if err := s.a.enter(who.key); err != nil {
		return err
	}
	defer s.a.leave(who.key)
	in, err := server.Body(w, r, server.NDJSON, 0)
	if err != nil {
		return err
	}
	rc := http.NewResponseController(w)
	if err := rc.EnableFullDuplex(); err != nil && r.ProtoMajor == 1 {
		return err
	}
	dog := watchdog(rc, s.a.Limits.Pause)
	defer dog.stop()

	ctx, cancel := context.WithCancel(r.Context())
	b := newBox[T]()
	done := make(chan struct{})
	go func() { // joined by linger, and below where write panics
		defer close(done)
		b.close(s.read(ctx, in, b, skip, dog))
	}()
	defer func() {
		cancel()
		select {
		case <-done:
		default:
			dog.bite()
			<-done
		}
	}()
	begun, err := s.write(ctx, w, rc, b, skip, dog)
	cancel()
	if !linger(r.Body, done, dog) && r.ProtoMajor == 1 {
		if begun && err == nil {
			return left(errUnread)
		}
		w.Header().Set("Connection", "close")
	}
	return err
}

// A stream that is ended early lingers: what the client still sends is read and thrown
// away for a while, so that it comes to read the answer.
const (
	lingerTime  = 2 * time.Second
	lingerBytes = 16 << 20
)

var errUnread = errors.New("the client went on sending")

// linger waits for the reader of a stream to end and reads the rest of its content. It
// is false where some is left: an HTTP/1 connection MUST then be closed, since the rest
// would be taken for the next request.
func linger(body io.Reader, done <-chan struct{}, dog *dog) bool {
	last := time.AfterFunc(lingerTime, dog.bite)
	defer last.Stop()
	<-done
	_, err := io.CopyN(io.Discard, body, lingerBytes)
	return errors.Is(err, io.EOF)
}

// read puts the lines of in into the box until it ends, and says why.
func (s *stream[T]) read(ctx context.Context, in io.Reader, b *box[T], skip int64, dog *dog) (end error) {
	defer func() {
		if p := recover(); p != nil { // a panic here would end the process
			s.a.Log.LogAttrs(ctx, slog.LevelError, "panic in a stream", slog.String("request_id", server.RequestID(ctx)), slog.String("stack", string(debug.Stack())))
			end = errors.New("something went wrong here")
		}
	}()
	lines := bufio.NewReaderSize(kicked{in, dog}, 64<<10)
	var number int64
	for {
		line, err := readLine(lines, s.a.Limits.Line, number >= skip)
		if len(line) > 0 || err == nil || errors.Is(err, errLine) {
			number++
		}
		if err != nil && !errors.Is(err, io.EOF) {
			if errors.Is(err, errLine) && number > skip {
				b.put(ctx, entry[T]{line: number, bad: errLine}, s.a.Limits.Batch)
			}
			return err
		}
		if blank := len(bytes.TrimSpace(line)) == 0; !blank && number > skip {
			e := entry[T]{line: number, bytes: len(line)}
			e.value, e.bad = s.parse(line)
			if !b.put(ctx, e, s.a.Limits.Batch) {
				return ctx.Err()
			}
		}
		if err != nil {
			return err
		}
	}
}

// readLine reads up to a line feed, and no more than most bytes. What it returns is a
// copy, since it is parsed while the next is read; of a line that is not kept it is the
// end.
func readLine(r *bufio.Reader, most int, kept bool) ([]byte, error) {
	var out []byte
	for {
		part, err := r.ReadSlice('\n')
		if !kept {
			out, most = out[:0], len(part)
		}
		if len(out)+len(part) > most+1 {
			return nil, errLine
		}
		out = append(out, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err // half a line is no line
		}
		return out, err
	}
}

// left is an error of writing to a client: it is nobody's fault here.
func left(err error) error {
	if err == nil {
		return nil
	}
	return &server.Refusal{Status: http.StatusRequestTimeout, Detail: "the client went away", Err: err}
}

// write stores what the box gives and answers it, until nothing more comes. The header
// waits for the first batch, so that content that cannot be read at all is
// answered with a problem.
func (s *stream[T]) write(ctx context.Context, w http.ResponseWriter, rc *http.ResponseController, b *box[T], skip int64, dog *dog) (begun bool, err error) {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	end := lineEnd{End: true, Lines: skip, Counts: map[bonafide.PutStatus]int64{}}
	for {
		batch, err := b.take(ctx)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return begun, ctx.Err()
		case !begun && !errors.Is(err, io.EOF):
			return false, err
		}
		if !begun {
			begun = true
			w.Header().Set("Content-Type", string(server.NDJSON))
			w.WriteHeader(http.StatusOK)
		}
		if err != nil {
			end.Reason = ended(err)
			return begun, left(errors.Join(out.Encode(end), rc.Flush()))
		}
		dog.kick()
		answers, err := s.store(ctx, batch)
		if err != nil && ctx.Err() != nil {
			return begun, ctx.Err()
		}
		dog.kick()
		end.count(answers)
		for _, l := range answers {
			if err := out.Encode(l); err != nil {
				return begun, left(err)
			}
		}
		if err := rc.Flush(); err != nil {
			return begun, left(err)
		}
		if err == nil && end.Counts[bonafide.PutInvalid] > int64(s.a.Limits.BadLines) {
			err = errTooManyBad
		}
		if err != nil {
			end.Reason = ended(err)
			return begun, left(errors.Join(out.Encode(end), rc.Flush()))
		}
	}
}

// count counts answers. Lines counts up to the first line that must be sent again.
func (e *lineEnd) count(answers []lineAnswer) {
	missed := false
	for _, l := range answers {
		if missed = missed || l.Status == failed; !missed {
			e.Lines = l.Line
		}
		e.Counts[l.Status]++
	}
}

// store stores a batch and answers its lines in their order. With an error, the lines
// that were not stored are answered as failed.
func (s *stream[T]) store(ctx context.Context, batch []entry[T]) ([]lineAnswer, error) {
	var values []T
	for _, e := range batch {
		if e.bad == nil {
			values = append(values, e.value)
		}
	}
	var put []lineAnswer
	var err error
	if len(values) > 0 {
		if put, err = s.put(ctx, values); err == nil && len(put) != len(values) {
			err = errors.New("not every line was answered")
		}
	}
	answers := make([]lineAnswer, len(batch))
	n := 0
	for i, e := range batch {
		switch {
		case e.bad != nil:
			answers[i] = spoilt(e.bad)
		case err != nil:
			answers[i] = lineAnswer{Status: failed, Reason: "nothing is known of it: send it again"}
		default:
			answers[i] = put[n]
			n++
		}
		answers[i].Line = e.line
	}
	if err != nil {
		if r, internal := server.Refused(err); internal && ctx.Err() == nil {
			s.a.Log.LogAttrs(ctx, slog.LevelError, "stream failed", slog.String("request_id", server.RequestID(ctx)), slog.String("error", err.Error()), slog.Int("status", r.Status))
		}
	}
	return answers, err
}

// spoilt answers a line that could not be used.
func spoilt(err error) lineAnswer {
	l := lineAnswer{Status: bonafide.PutInvalid}
	if l.Field, l.Reason, _ = about(err); l.Reason == "" {
		l.Reason = err.Error()
	}
	return l
}

// ended says why a stream ended before its end; "" at its end.
func ended(err error) string {
	switch {
	case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return ""
	case errors.Is(err, errTooManyBad), errors.Is(err, errLine):
		return err.Error()
	}
	r, _ := server.Refused(err)
	return r.Detail
}

// enter counts a stream of a key, of which only so many may be open.
func (a *api) enter(key string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.streams[key] >= a.Limits.Streams {
		return &server.Refusal{
			Status: http.StatusTooManyRequests, After: 5 * time.Second,
			Detail: "the key has " + strconv.Itoa(a.Limits.Streams) + " streams open: wait for one to end",
		}
	}
	a.streams[key]++
	return nil
}

func (a *api) leave(key string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.streams[key]--; a.streams[key] <= 0 {
		delete(a.streams, key)
	}
}
