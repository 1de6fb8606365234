package casework

import "slices"

// An Appeal is what somebody says against what is held against a complaint, and what
// was decided about that. It never touches the complaint's own track.
type Appeal struct {
	Reason   string `json:"reason"`             // of whoever appeals
	Decision string `json:"decision,omitempty"` // the reason of whoever decided
}

// Uninvolved reports whether by had no part in what an appeal is about: they neither
// filed it nor stand among involved. Safeguard 7.
func Uninvolved(by, filedBy string, involved []string) bool {
	return by != filedBy && !slices.Contains(involved, by)
}
