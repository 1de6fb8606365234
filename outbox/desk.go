package outbox

import (
	"time"

	"bonafide"
	"bonafide/store"
)

// A desk holds deliveries that were claimed until it is their turn, so that a receiver
// that hangs holds up its own only. One goroutine uses it.
type desk struct {
	lines    map[hook]*line
	underWay int
	done     chan hook // a delivery to it was made
}

// A hook names a webhook.
type hook struct {
	tenant bonafide.Tenant
	id     string
}

// A line is what waits for one webhook.
type line struct {
	waiting  []claimed
	underWay int
	last     time.Time // when one ended
}

type claimed struct {
	store.Outgoing
	until time.Time // by when it must have begun: the claim ends later
}

const (
	held   = 64              // deliveries that wait for one webhook at most
	moving = 2 * time.Second // a receiver that took one within this time will take the next
)

func newDesk() *desk { return &desk{lines: map[hook]*line{}, done: make(chan hook, atOnce)} }

// room reports whether more may be claimed. Claims wait for a long line that moves. One that
// does not move is not waited for.
func (d *desk) room(now time.Time) bool {
	if d.underWay >= atOnce {
		return false
	}
	for _, l := range d.lines {
		if len(l.waiting) >= held && now.Sub(l.last) < moving {
			return false
		}
	}
	return true
}

// put takes a delivery in that was claimed now. Where its line is full it is left alone: the
// claim ends by itself, and it is claimed again.
func (d *desk) put(o store.Outgoing, now time.Time) {
	id := hook{o.Tenant, o.Delivery.Webhook}
	l := d.lines[id]
	if l == nil {
		l = &line{last: now}
		d.lines[id] = l
	}
	if len(l.waiting) < held+atOnce {
		l.waiting = append(l.waiting, claimed{o, now.Add(claimFor - 2*answerIn)})
	}
}

// start begins what may be under way, at most two to each webhook.
func (d *desk) start(now time.Time, deliver func(store.Outgoing)) {
	for id, l := range d.lines {
		for len(l.waiting) > 0 && l.underWay < each && d.underWay < atOnce {
			next := l.waiting[0]
			l.waiting = l.waiting[1:]
			if now.After(next.until) {
				continue // another process may make it
			}
			l.underWay++
			d.underWay++
			go func() { // joined by done
				defer func() { d.done <- id }()
				deliver(next.Outgoing)
			}()
		}
		if len(l.waiting) == 0 && l.underWay == 0 {
			delete(d.lines, id)
		}
	}
}

// end notes that a delivery ended.
func (d *desk) end(id hook, now time.Time) {
	l := d.lines[id]
	l.underWay--
	l.last = now
	d.underWay--
}

// wait waits for what is under way.
func (d *desk) wait() {
	for ; d.underWay > 0; d.underWay-- {
		<-d.done
	}
}
