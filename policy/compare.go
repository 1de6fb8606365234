package policy

import (
	"cmp"
	"slices"
	"time"

	"bonafide"
)

// A Comparison lays what one policy proposes beside what another does, on the same
// complaints.
type Comparison struct {
	At         time.Time     `json:"at"`
	Took       time.Duration `json:"took"`
	Digest     string        `json:"digest"` // of the text tested
	Today      string        `json:"today"`  // name of the policy in force
	Then       string        `json:"then"`
	Complaints int           `json:"complaints"`
	Levels     []LevelCount  `json:"levels"`
	Rings      []LevelCount  `json:"rings"`
	Changed    int           `json:"changed"`
	Changes    []Change      `json:"changes,omitempty"` // at most maxChanges
	Problem    string        `json:"problem,omitempty"` // why there is no result
}

// A LevelCount counts what is proposed under the policy in force and the other.
type LevelCount struct {
	Level bonafide.Level `json:"level"`
	Today int            `json:"today"`
	Then  int            `json:"then"`
}

// A Change is one complaint about which the two propose different levels.
type Change struct {
	Complaint string         `json:"complaint"`
	From      bonafide.Level `json:"from"`
	To        bonafide.Level `json:"to"`
	Why       []string       `json:"why,omitempty"`
}

const maxChanges = 200

// Compare lays two results of the same complaints beside each other.
func Compare(today, then *bonafide.Result) Comparison {
	r := Comparison{Today: today.Policy, Then: then.Policy, Complaints: today.Read.Accepted}
	was, is := map[string]bonafide.Level{}, map[string]bonafide.Verdict{}
	levels, rings := map[bonafide.Level]*LevelCount{}, map[bonafide.Level]*LevelCount{}
	at := func(m map[bonafide.Level]*LevelCount, l bonafide.Level) *LevelCount {
		if m[l] == nil {
			m[l] = &LevelCount{Level: l}
		}
		return m[l]
	}
	for _, v := range today.Complaints {
		was[v.ID] = v.Level
		at(levels, v.Level).Today++
	}
	for _, v := range then.Complaints {
		is[v.ID] = v
		at(levels, v.Level).Then++
		if was[v.ID] != v.Level {
			r.Changes = append(r.Changes, Change{Complaint: v.ID, From: was[v.ID], To: v.Level, Why: v.Why})
		}
	}
	for _, v := range today.Complaints {
		if _, ok := is[v.ID]; !ok {
			r.Changes = append(r.Changes, Change{Complaint: v.ID, From: v.Level})
		}
	}
	for _, g := range today.Rings {
		at(rings, g.Level).Today++
	}
	for _, g := range then.Rings {
		at(rings, g.Level).Then++
	}
	flat := func(m map[bonafide.Level]*LevelCount) (out []LevelCount) {
		for _, c := range m {
			out = append(out, *c)
		}
		slices.SortFunc(out, func(a, b LevelCount) int { return b.Level.Rank() - a.Level.Rank() })
		return out
	}
	r.Levels, r.Rings, r.Changed = flat(levels), flat(rings), len(r.Changes)
	// Those that would be accused, or no longer, stand first.
	slices.SortFunc(r.Changes, func(a, b Change) int {
		return cmp.Or(max(b.From.Rank(), b.To.Rank())-max(a.From.Rank(), a.To.Rank()), cmp.Compare(a.Complaint, b.Complaint))
	})
	r.Changes = r.Changes[:min(len(r.Changes), maxChanges)]
	return r
}
