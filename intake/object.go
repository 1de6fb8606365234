package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"bonafide"
)

// ReadObjects streams the JSON objects of a file to yield, one a line or members of one
// array, as text of UTF-8 and within the limits; the file may be gzip and in any encoding
// that complaints may have. It serves records that are no complaints. b holds until yield
// returns. A line that is too long, and an error of yield of kind Invalid, go to
// Quarantine: its message is "field: reason". Errors for the file as a whole are as those
// of [Reader.Read]; other errors of yield, and those of Quarantine and ctx, are returned
// as they are. Of o, Mapping and QuarantineRow are not used.
func ReadObjects(ctx context.Context, name string, src io.Reader, o Options, yield func(line int, b []byte) error) error {
	limits, rows := o.Limits.withDefaults(), 0
	var tell func(int64)
	if o.Progress != nil {
		tell = func(n int64) { o.Progress(n, rows) }
	}
	s, err := open(name, src, limits, tell)
	if err != nil {
		return err
	}
	switch head := bytes.TrimLeft(s.head, " \t\r\n"); {
	case len(head) == 0:
		return refused(name, "empty file: nothing to read")
	case head[0] != '{' && head[0] != '[':
		return refused(name, "does not begin with a JSON object: give one object on each line")
	}
	l := newLines(s, limits)
	aside := func(line int, reason string) error {
		if o.Quarantine == nil {
			return nil
		}
		q := bonafide.Quarantined{File: name, Line: line, Reason: reason}
		q.Field, q.Reason = fieldOf(reason)
		return o.Quarantine(q)
	}
	for {
		b, err := l.next()
		var bad *problem
		switch {
		case err == io.EOF:
			return nil
		case errors.As(err, &bad):
			if err := aside(bad.line, bad.reason); err != nil {
				return err
			}
			if l.array { // there is no telling where the next one starts
				return nil
			}
			continue
		case err != nil:
			if _, ok := errors.AsType[*bonafide.Error](err); ok {
				return err
			}
			return fmt.Errorf("%s: read: %w", name, err)
		}
		if rows++; rows%1024 == 1 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		switch err := yield(l.at, b); {
		case errors.Is(err, bonafide.Invalid):
			if err := aside(l.at, err.Error()); err != nil {
				return err
			}
		case err != nil:
			return err
		}
	}
}

// fieldOf parts a message "field: reason"; a reason alone has no field.
func fieldOf(message string) (field, reason string) {
	for i, c := range message {
		switch {
		case c == ':' && i > 0 && i+2 < len(message) && message[i+1] == ' ':
			return message[:i], message[i+2:]
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '_', c == '.', c == '[', c == ']':
		default:
			return "", message
		}
	}
	return "", message
}
