package console

import (
	"sync"
	"time"
)

// lookAgain is how long a look at a file that goes on is one look in the log.
const lookAgain = 10 * time.Minute

// mostLooks bounds what is remembered; more is logged once more.
const mostLooks = 50_000

// recentLooks are the looks at files that were logged a while ago.
type recentLooks struct {
	mu sync.Mutex
	at map[string]time.Time
}

// has reports whether the same look was logged a while ago.
func (l *recentLooks) has(what string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok := l.at[what]
	return ok && now.Sub(at) < lookAgain
}

// add remembers a look that was logged.
func (l *recentLooks) add(what string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at == nil || len(l.at) > mostLooks {
		l.at = map[string]time.Time{}
	}
	l.at[what] = now
}
