package text

// Public is a letter that anybody may copy: a regulator's sample, a consumer council's form.
type Public struct {
	Name   string
	Letter Letter
}
