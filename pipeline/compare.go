package pipeline

import (
	"context"
	"slices"

	"bonafide"
	"bonafide/policy"
	"bonafide/signal/text"
)

// Rule sets the policy that groupings from now on grade by, another that they grade by
// beside it without effect, which may be nil, and the letters that anybody may copy
// beyond those of the config.
func (l *Live) Rule(p, shadow *policy.Pack, public []text.Public) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.policy, l.shadow, l.public = p, shadow, public
}

// rules returns the config of work that goes on beside screenings. l.mu is held.
func (l *Live) rules() Config {
	c := l.beside()
	if l.policy != nil {
		c.Policy = l.policy
	}
	c.Public = slices.Concat(c.Public, l.public)
	return c
}

// Grade joins the evidence of all complaints kept once, and grades what is found by each
// of the packs: what each would propose today. Nothing that later work uses changes.
func (l *Live) Grade(ctx context.Context, apart [][2]string, packs ...*policy.Pack) ([]*bonafide.Result, error) {
	s, _, _ := l.everything(apart)
	letters, found, err := s.compare(ctx)
	if err != nil {
		return nil, err
	}
	var out []*bonafide.Result
	for _, p := range packs {
		r, err := s.graded(letters, found, p)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// graded is the result by another pack than the config's.
func (s *Scanner) graded(l *letters, r *rings, p *policy.Pack) (*bonafide.Result, error) {
	other := *s
	other.cfg.Policy = p
	w, err := other.result(l, r, bonafide.Read{Accepted: len(s.all)}, nil)
	if err != nil {
		return nil, err
	}
	return w.out, nil
}
