package engine

import (
	"encoding/json"
	"slices"

	"bonafide"
	"bonafide/store"
)

// decided is what people decided about rings, by the ring.
type decided map[string]bonafide.Decision

// decisionsOf reads the last decision about each ring that is confirmed or cleared.
func decisionsOf(rings []store.RingRow) decided {
	out := decided{}
	for _, r := range rings {
		var body bonafide.Ring
		if r.State == string(bonafide.RingProposed) || json.Unmarshal(r.Body, &body) != nil {
			continue
		}
		if last := lastDecision(body.Decisions); last != nil {
			out[r.ID] = *last
		}
	}
	return out
}

// firm reports whether most of members were confirmed as part of the ring.
func (d decided) firm(ring string, members []string) bool {
	last, ok := d[ring]
	return ok && last.Verb == bonafide.Confirm && 2*common(last.Members, members) > len(members)
}

// cleared returns the clearing that holds for members: too few of them are new for it
// to be looked at again. nil where there is none.
func (d decided) cleared(members []string) *bonafide.Decision {
	var best *bonafide.Decision
	most := 0
	for _, last := range d {
		n := common(last.Members, members)
		if last.Verb == bonafide.Clear && n > 0 && len(members)-n < reopens(len(last.Members)) && n >= len(members)-n && n > most {
			best, most = &last, n
		}
	}
	return best
}

func common(a, b []string) int {
	n := 0
	for _, m := range b {
		if slices.Contains(a, m) {
			n++
		}
	}
	return n
}

// mayStay leaves out of some who is kept apart from one of members, or from one who
// stays before them.
func mayStay(some, members []string, apart [][2]string) []string {
	var out []string
	for _, m := range some {
		kept := slices.ContainsFunc(apart, func(p [2]string) bool {
			var other string
			switch m {
			case p[0]:
				other = p[1]
			case p[1]:
				other = p[0]
			default:
				return false
			}
			return slices.Contains(members, other) || slices.Contains(out, other)
		})
		if !kept {
			out = append(out, m)
		}
	}
	return out
}

// confirmers counts the different people who confirmed since anything else was decided.
func confirmers(ds []bonafide.Decision) int {
	seen := map[string]bool{}
	for _, d := range slices.Backward(ds) {
		if d.Verb != bonafide.Confirm {
			break
		}
		seen[d.By] = true
	}
	return len(seen)
}
