package bonafide

// Kind says what a caller can do about an error. A Kind is itself an error, so
// errors.Is(err, bonafide.Invalid) works.
type Kind string

// The kinds of error.
const (
	Invalid  Kind = "invalid"   // the input is wrong: mend it
	NotFound Kind = "not found" // no such thing
	Conflict Kind = "conflict"  // it contradicts what is already known
	Denied   Kind = "denied"    // not allowed
	Busy     Kind = "busy"      // try again later
)

// Error returns the kind's name.
func (k Kind) Error() string { return string(k) }

// An Error carries a message that a user may see. Msg says what is wrong, where,
// and what to do; it never repeats personal data.
type Error struct {
	Kind Kind
	Msg  string
	Err  error // the cause, for the log; may be nil
}

// Error returns the message for the user.
func (e *Error) Error() string { return e.Msg }

// Unwrap lets errors.Is find both the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}
