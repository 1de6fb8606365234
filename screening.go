package bonafide

import "time"

// A Screening is what is known of a complaint the moment it is stored: its
// comparison with every complaint before it. Grouping and grading follow within
// seconds and are in its Verdict. It carries no personal data, and the handling
// of the complaint does not read it.
type Screening struct {
	Complaint string    `json:"complaint"`
	Seq       int64     `json:"seq"` // place in the order of storing, from 1
	At        time.Time `json:"at"`
	Compared  int64     `json:"compared"`        // complaints it was compared with
	Links     []Link    `json:"links,omitempty"` // the strongest first, at most MaxLinks
	More      int       `json:"more,omitempty"`  // links beyond those
	Rings     []string  `json:"rings,omitempty"` // rings that complaints it is linked with belong to
	Level     Level     `json:"level"`           // proposed by what is known at once; never above information
	Route     Route     `json:"route"`
	Why       []string  `json:"why,omitempty"`
}

// MaxLinks bounds the links kept of one screening.
const MaxLinks = 32
