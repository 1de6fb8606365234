package bonafide

// A Link is what two complaints share in one layer.
type Link struct {
	A     string `json:"a"` // complaint ids, A < B
	B     string `json:"b"`
	Layer Layer  `json:"layer"`
	// Bits is the weight of the evidence that one hand made both rather than
	// two strangers: the binary logarithm of a likelihood ratio.
	Bits float64  `json:"bits"`
	Why  []Reason `json:"why"`
}

// A Reason is one plain sentence that a reviewer, the consumer and a court can
// read, with the figures behind it.
type Reason struct {
	Family Family  `json:"family"`
	Text   string  `json:"text"`
	Bits   float64 `json:"bits,omitempty"`
}
