package bonafide

// A PutStatus says what became of something handed in.
type PutStatus string

// What can become of something handed in.
const (
	PutCreated   PutStatus = "created"
	PutUnchanged PutStatus = "unchanged" // the same was here already
	PutUpdated   PutStatus = "updated"
	PutConflict  PutStatus = "conflict" // another content under the same id
	PutInvalid   PutStatus = "invalid"
)
