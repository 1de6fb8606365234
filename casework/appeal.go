package casework

import (
	"slices"
	"time"
)

// An Appeal is what somebody says against what is held against a complaint, and what
// was decided about that. It never touches the complaint's own track.
type Appeal struct {
	Reason   string `json:"reason"`             // of whoever appeals
	Decision string `json:"decision,omitempty"` // the reason of whoever decided
	// Values are what the verdict rested on when the appeal was filed: see package learn.
	Values  []float64 `json:"values,omitempty"`
	StoodIn string    `json:"stood_in,omitempty"` // the ring, then
}

// Uninvolved reports whether by had no part in what an appeal is about: they neither
// filed it nor stand among involved. Safeguard 7.
func Uninvolved(by, filedBy string, involved []string) bool {
	return by != filedBy && !slices.Contains(involved, by)
}

// AppealDays is how long an appeal may take, in days: as long as the shortest clock of a
// complaint. It is our own rule; no law known to us sets one for an internal warning.
const AppealDays = 15

// AppealDue is when an appeal has to be decided.
func AppealDue(filed time.Time) time.Time { return filed.AddDate(0, 0, AppealDays) }
