package store

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"math"

	"bonafide"
)

// A Trace is what comparing needs of a complaint.
type Trace struct {
	Seq     int64
	ID      string // of the complaint
	Subject string
	Body    []byte // clear
}

// Traces lists traces behind a seq. Those of erased subjects are absent.
func (tx *Tx) Traces(ctx context.Context, t bonafide.Tenant, after int64, limit int) ([]Trace, error) {
	var all []Trace
	err := tx.openTraces(ctx, t, after, upTo(limit), func(tr Trace) bool {
		all = append(all, tr)
		return true
	})
	return all, err
}

// AllTraces streams every trace behind a seq, in its order, as [Tx.Traces] does.
// The transaction can be used for nothing else until the loop ends.
func (tx *Tx) AllTraces(ctx context.Context, t bonafide.Tenant, after int64) iter.Seq2[Trace, error] {
	return func(yield func(Trace, error) bool) {
		if err := tx.openTraces(ctx, t, after, math.MaxInt64, func(tr Trace) bool { return yield(tr, nil) }); err != nil {
			yield(Trace{}, err)
		}
	}
}

// chunk is how many traces are opened at a time.
const chunk = 256

// traceChunk is a number of traces as they were read and, when done is closed, opened.
type traceChunk struct {
	traces []Trace
	ends   [][2]int // in data: where the wrapped key of a trace and where its sealed body ends
	data   []byte
	done   chan struct{}
	err    error
}

// openTraces hands traces to emit until it returns false. While one chunk is being
// opened, the next is read.
func (tx *Tx) openTraces(ctx context.Context, t bonafide.Tenant, after, limit int64, emit func(Trace) bool) error {
	var opening *traceChunk // at most one goroutine; it ends before we do
	reading := &traceChunk{}
	deliver := func(c *traceChunk) error {
		<-c.done
		if c.err != nil {
			return c.err
		}
		for _, tr := range c.traces {
			if !emit(tr) {
				return errStop
			}
		}
		return nil
	}
	next := func() error {
		last := opening
		if last != nil {
			<-last.done
		}
		opening, reading = reading, &traceChunk{data: make([]byte, 0, len(reading.data)+len(reading.data)/8)}
		opening.done = make(chan struct{})
		go opening.open(tx.db, t)
		if last == nil {
			return nil
		}
		return deliver(last)
	}
	defer func() {
		if opening != nil {
			<-opening.done
		}
	}()
	err := tx.each(ctx, `SELECT tr.seq, tr.complaint, tr.subject, s.key, tr.body FROM trace tr
		JOIN subject s ON s.tenant = tr.tenant AND s.id = tr.subject
		WHERE tr.tenant = $1 AND tr.seq > $2 AND s.key IS NOT NULL ORDER BY tr.seq LIMIT $3`, func(r row) error {
		var tr Trace
		var key, body sql.RawBytes
		if err := r.Scan(&tr.Seq, &tr.ID, &tr.Subject, &key, &body); err != nil {
			return err
		}
		reading.add(tr, key, body)
		if len(reading.traces) < chunk {
			return nil
		}
		return next()
	}, string(t), after, limit)
	if err == nil {
		err = next()
	}
	if err == nil {
		err = deliver(opening)
	}
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}

var errStop = errors.New("enough")

func (c *traceChunk) add(tr Trace, key, body []byte) {
	c.data = append(c.data, key...)
	end := len(c.data)
	c.data = append(c.data, body...)
	c.traces = append(c.traces, tr)
	c.ends = append(c.ends, [2]int{end, len(c.data)})
}

func (c *traceChunk) open(db *DB, t bonafide.Tenant) {
	defer close(c.done)
	from := 0
	for i := range c.traces {
		tr, ends := &c.traces[i], c.ends[i]
		if tr.Body, c.err = db.unseal(t, tr.Subject, c.data[from:ends[0]], c.data[ends[0]:ends[1]], "trace", string(t), tr.ID); c.err != nil {
			return
		}
		from = ends[1]
	}
}
