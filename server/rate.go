package server

import (
	"maps"
	"sync"
	"time"
)

// maxBuckets bounds how many names a Rate remembers. Past it the full buckets are
// dropped, which changes nothing, and then any until half are left: whose bucket is
// dropped gains a burst.
const maxBuckets = 10_000

// A Rate lets each name do so much a minute: a token bucket per name. It is safe for
// concurrent use. The zero value is ready.
type Rate struct {
	mu      sync.Mutex
	buckets map[string]bucket
}

type bucket struct {
	tokens float64
	at     time.Time
	full   time.Time // when it will have refilled
}

// Take takes a token of name at now, where perMinute tokens come back each minute
// and no more than burst are kept. Where none is left it returns when one will be.
func (r *Rate) Take(name string, perMinute, burst int, now time.Time) (wait time.Duration, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.refilled(name, perMinute, burst, now)
	if b.tokens < 1 {
		r.put(name, b)
		return time.Duration((1 - b.tokens) / float64(perMinute) * float64(time.Minute)), false
	}
	b.tokens--
	b.full = now.Add(time.Duration((float64(burst) - b.tokens) / float64(perMinute) * float64(time.Minute)))
	r.put(name, b)
	return 0, true
}

// Left reports whether name has a token, without taking it.
func (r *Rate) Left(name string, perMinute, burst int, now time.Time) (wait time.Duration, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.refilled(name, perMinute, burst, now)
	if b.tokens < 1 {
		return time.Duration((1 - b.tokens) / float64(perMinute) * float64(time.Minute)), false
	}
	return 0, true
}

func (r *Rate) refilled(name string, perMinute, burst int, now time.Time) bucket {
	b, known := r.buckets[name]
	if !known {
		return bucket{tokens: float64(burst), at: now}
	}
	if past := now.Sub(b.at); past > 0 {
		b.tokens = min(float64(burst), b.tokens+past.Minutes()*float64(perMinute))
		b.at = now
	}
	return b
}

func (r *Rate) put(name string, b bucket) {
	if r.buckets == nil {
		r.buckets = map[string]bucket{}
	}
	if _, known := r.buckets[name]; !known && len(r.buckets) >= maxBuckets {
		maps.DeleteFunc(r.buckets, func(_ string, old bucket) bool { return !old.full.After(b.at) })
		if len(r.buckets) >= maxBuckets {
			for n := range r.buckets {
				if delete(r.buckets, n); len(r.buckets) <= maxBuckets/2 {
					break
				}
			}
		}
	}
	r.buckets[name] = b
}
