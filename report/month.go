package report

import "time"

// A MonthSheet is the monthly sheet of a tenant: figures alone, and for whoever may see
// cases the cases behind each.
type MonthSheet struct {
	Lender, Version string
	From, To        time.Time // the first moment, and the first after it
	Made            time.Time
	Zone            *time.Location
	Cases           []MonthFigure // pushed, filed, preparation, gang, reported, and closed by exit
	Amounts         []MonthAmount
	Complaints      []MonthFigure   // received, decided, and by level
	Upheld          MonthShare      // of the complaints against which a level was proposed and that were decided in the month, those upheld
	Clocks          MonthShare      // of the complaints decided in the month, those decided in time
	Detectors       []MonthDetector // precision by blind audit, of all audits until now
}

// A MonthFigure is a number with what it counts. Key names it: "pushed", "exit.admonition",
// "level.level-2".
type MonthFigure struct {
	Key   string
	Count int
	Cases []MonthCase // empty where the reader may not see cases
}

// A MonthCase is a case behind a figure.
type MonthCase struct {
	Number int
	Title  string
	Stage  string
}

// A MonthAmount is what was lost, in minor units of a currency.
type MonthAmount struct {
	Currency string
	Minor    int64
}

// A MonthShare is how many of how many.
type MonthShare struct{ Part, Of int }

// A MonthDetector is a kind of evidence with how often audits found it right.
type MonthDetector struct {
	Name      string
	Right, Of int
	Off       bool
}
