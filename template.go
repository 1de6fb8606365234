package bonafide

// A Template is a letter that several complaints share.
type Template struct {
	ID       string   `json:"id"`
	Members  []string `json:"members"`
	Skeleton string   `json:"skeleton"`         // the common words, with ‹slots› where letters differ
	Benign   string   `json:"benign,omitempty"` // the registered public template it matches
	Lang     string   `json:"lang,omitempty"`

	Examples []Aligned `json:"examples,omitempty"` // some members laid against the skeleton
}

// Aligned is one letter cut into passages.
type Aligned struct {
	Complaint string `json:"complaint"`
	Spans     []Span `json:"spans"`
}

// A SpanKind says what a passage is, seen beside the other letter.
type SpanKind string

// The kinds of passage.
const (
	SpanShared SpanKind = "shared" // the same words in both
	SpanOwn    SpanKind = "own"    // only here: a slot or an addition
	SpanCommon SpanKind = "common" // quoted by many otherwise different letters: statute, footer, greeting
)

// A Span is a passage of a letter. Text has identifiers masked.
type Span struct {
	Kind SpanKind `json:"kind"`
	Text string   `json:"text"`
}
