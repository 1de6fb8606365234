// Package pipeline runs the stages: it gives complaints to the signals, what they
// share to the rings, and the rings to the policy. No stage knows another; this
// package knows them all.
package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"bonafide"
	"bonafide/normalize"
	"bonafide/policy"
	"bonafide/signal/document"
	"bonafide/signal/identity"
	"bonafide/signal/text"
)

// Config says how to scan.
type Config struct {
	Version   string           // of the program, for the result
	Normalize normalize.Config // the lender's own numbers, its country
	Secret    []byte           // key of the hashes under which personal values are compared
	Policy    *policy.Pack
	Public    []text.Public // letters that anybody may copy
	Workers   int           // 0 means all cores
	// Progress is called now and then with the stage and how much of it is done.
	Progress func(stage string, done, total int)
	// Pause is called often during long work; it may hold the work up so that other work
	// goes first. It may be nil.
	Pause func()
}

// A Scanner compares all complaints of a batch in memory. Add them, then call
// Finish once. It keeps about 4 kB for a letter of 1,000 characters,
// and needs about twice that at its peak.
type Scanner struct {
	cfg     Config
	reduce  *reducer
	pending []*bonafide.Complaint
	all     []*subject
	apart   [][2]string // complaints that a person said are not linked
	bare    bool        // no texts are kept: templates have members and no words
	known   map[string]Known
	frail   map[bonafide.Key]bool // customers whom people found to need care
	muted   []string              // kinds of shared things that are left out
	part    *learned              // what all complaints taught, where these are only some of them
}

// A subject is one complaint with what the signals keep of it.
type subject struct {
	slim
	facts  *bonafide.Facts
	letter text.Letter
	pairs  text.Letter    // beside letter in scripts without spaces; see [text.ParsePairs]
	keys   []bonafide.Key // of the letter, where they are kept
	papers []bonafide.Paper
}

// filed returns the keys under which the letter is filed.
func (s *subject) filed() []bonafide.Key {
	if s.keys != nil {
		return s.keys
	}
	return s.letter.Keys()
}

// A reducer runs the signals' Extract over complaints.
type reducer struct {
	keeper  *Keeper
	signals []bonafide.Signal
}

func newReducer(cfg normalize.Config, secret []byte) *reducer {
	k := NewKeeper(cfg, secret)
	return &reducer{keeper: k, signals: []bonafide.Signal{text.Signal{}, identity.Signal{Facts: k.Facts}, document.Signal{Facts: k.Facts}}}
}

// run reduces c to what comparisons need. Its personal values are hashed.
func (r *reducer) run(ctx context.Context, c *bonafide.Complaint) (*subject, error) {
	sub := &subject{slim: slimOf(c), pairs: text.ParsePairs(c.Text)}
	for _, sig := range r.signals {
		t, err := sig.Extract(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("%s signal: %w", sig.Layer(), err)
		}
		switch body := t.Body.(type) {
		case text.Letter:
			sub.letter, sub.keys = body, t.Keys
		case *bonafide.Facts:
			sub.facts = body
		case []bonafide.Paper:
			sub.papers = body
		}
	}
	return sub, nil
}

// batch is how many complaints are reduced at a time.
const batch = 2048

// NewScanner returns a scanner with nothing in it.
func NewScanner(cfg Config) *Scanner {
	if cfg.Workers <= 0 {
		cfg.Workers = runtime.GOMAXPROCS(0)
	}
	if cfg.Progress == nil {
		cfg.Progress = func(string, int, int) {}
	}
	return &Scanner{cfg: cfg, reduce: newReducer(cfg.Normalize, cfg.Secret)}
}

// Add takes one complaint. Its personal values are hashed at once; the scanner
// keeps the letter, the name (to mask it) and the hashes.
func (s *Scanner) Add(ctx context.Context, c *bonafide.Complaint) error {
	s.pending = append(s.pending, c)
	if len(s.pending) < batch {
		return nil
	}
	return s.extract(ctx)
}

// Len returns how many complaints were added.
func (s *Scanner) Len() int { return len(s.all) + len(s.pending) }

// extract reduces what is pending, on all cores.
func (s *Scanner) extract(ctx context.Context) error {
	from := len(s.all)
	s.all = append(s.all, make([]*subject, len(s.pending))...)
	err := s.fan(ctx, "", len(s.pending), func(lo, hi int) error {
		for i := lo; i < hi; i++ {
			sub, err := s.reduce.run(ctx, s.pending[i])
			if err != nil {
				return err
			}
			s.all[from+i] = sub
		}
		return nil
	})
	s.pending = s.pending[:0]
	return err
}

// slim is what later stages need of a complaint in the clear: the letter and the name
// (to mask it), which a service leaves out, the region, the date and in what standing
// somebody spoke. Every other personal value is gone once it is hashed.
type slim struct {
	ID, Text, Name, Region, Lang, Product string
	Channel                               bonafide.Channel
	Received                              time.Time
	Representative                        *bonafide.Representative // its name and licence left out
}

func slimOf(c *bonafide.Complaint) slim {
	s := slim{
		ID: c.ID, Text: c.Text, Name: c.Customer.Name, Region: c.Customer.Region, Lang: c.Lang, Product: c.Product,
		Channel: c.Channel, Received: c.Received,
	}
	if c.Representative != nil {
		s.Representative = &bonafide.Representative{Type: c.Representative.Type, Confirmed: c.Representative.Confirmed}
	}
	return s
}

// fan runs work on parts of 0..n on all cores and waits. Parts are small
// enough to report progress.
func (s *Scanner) fan(ctx context.Context, stage string, n int, work func(lo, hi int) error) error {
	part := 512
	if s.cfg.Pause != nil {
		part = 8
	}
	var (
		mu    sync.Mutex
		next  int
		done  int
		first error
		wg    sync.WaitGroup
	)
	for range s.cfg.Workers {
		wg.Go(func() {
			for {
				mu.Lock()
				lo := next
				hi := min(n, lo+part)
				next = hi
				stop := first != nil
				mu.Unlock()
				if lo >= n || stop {
					return
				}
				s.pause()
				err := ctx.Err()
				if err == nil {
					err = guarded(func() error { return work(lo, hi) })
				}
				mu.Lock()
				if err != nil && first == nil {
					first = err
				}
				done += hi - lo
				if stage != "" {
					s.cfg.Progress(stage, done, n)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return first
}

// guarded runs work; a fault in it is an error and not the end of the program.
func guarded(work func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a fault in comparing: %v", p)
		}
	}()
	return work()
}

// pause lets other work go first, where the caller wants that.
func (s *Scanner) pause() {
	if s.cfg.Pause != nil {
		s.cfg.Pause()
	}
}

// Finish compares all complaints and returns what was found. read and warnings
// come from intake and go into the result as they are.
func (s *Scanner) Finish(ctx context.Context, read bonafide.Read, warnings []string) (*bonafide.Result, error) {
	if err := s.extract(ctx); err != nil {
		return nil, err
	}
	l, r, err := s.compare(ctx)
	if err != nil {
		return nil, err
	}
	w, err := s.result(l, r, read, warnings)
	if err != nil {
		return nil, err
	}
	return w.out, nil
}

// compare runs the stages that look at all complaints together. The order of
// arrival does not matter to it.
func (s *Scanner) compare(ctx context.Context) (*letters, *rings, error) {
	slices.SortFunc(s.all, func(a, b *subject) int {
		if c := a.Received.Compare(b.Received); c != 0 {
			return c
		}
		return cmp.Compare(a.ID, b.ID)
	})
	letters, err := s.compareLetters(ctx)
	if err != nil {
		return nil, nil, err
	}
	rings, err := s.findRings(ctx, letters)
	if err == nil {
		rings.incidents = s.incidents(rings.customer)
		s.explained(rings, rings.incidents)
	}
	return letters, rings, err
}
