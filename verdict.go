package bonafide

// A Level is what is proposed about a complaint. A person decides.
type Level string

// The levels, from nothing to the gravest.
const (
	LevelNone   Level = ""
	Information Level = "information"
	Individual  Level = "individual" // class I: disorder by a person of their own, never called grey industry
	Level2      Level = "level-2"
	Level1      Level = "level-1"
)

// Rank orders levels; a higher rank is graver.
func (l Level) Rank() int {
	switch l {
	case Information:
		return 1
	case Individual:
		return 2
	case Level2:
		return 3
	case Level1:
		return 4
	}
	return 0
}

// Accuses reports whether the level says something against the complainant's
// side. Information does not.
func (l Level) Accuses() bool { return l.Rank() > Information.Rank() }

// A Route sends a complaint to a person instead of grading it.
type Route string

// The routes.
const (
	RouteNone             Route = ""
	RouteConfirmAuthority Route = "confirm-authority" // a declared representative: confirm with the customer first
	RouteVulnerable       Route = "vulnerable"        // a trained person takes over
)

// A Criterion is one of K01 to K16.
type Criterion string

// A Verdict is what the scan proposes for one complaint. It says nothing about
// whether the grievance is right.
type Verdict struct {
	ID       string      `json:"id"`
	Level    Level       `json:"level"`
	Ring     string      `json:"ring,omitempty"`
	Template string      `json:"template,omitempty"`
	Criteria []Criterion `json:"criteria,omitempty"`
	Why      []string    `json:"why,omitempty"`
	Innocent []string    `json:"innocent,omitempty"` // explanations to test first
	Families []Family    `json:"families,omitempty"`
	Route    Route       `json:"route,omitempty"`
}
