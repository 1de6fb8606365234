package intake

import (
	"bytes"
	"fmt"
	"io"
)

// lines cuts a stream of JSON into objects: one a line, or the members of one
// array. It holds one row limit at most.
type lines struct {
	in    *sheet // for its buffer and its line count
	array bool
	begun bool
	at    int // line where the object starts
}

// next returns the bytes of one object, which hold until the next call. A
// *problem is for this row alone; io.EOF is the end.
func (l *lines) next() ([]byte, error) {
	l.in.lost, l.in.over = l.in.lost[:0], false
	if l.array {
		return l.member()
	}
	s := l.in
	for {
		if _, ok := s.peekAt(0); !ok {
			return nil, s.end
		}
		n, from := -1, 0
		for {
			if i := bytes.IndexByte(s.buf[s.r+from:s.w], '\n'); i >= 0 {
				n = from + i
				break
			}
			from = s.w - s.r
			if from > s.limits.Row || !s.fill() {
				break
			}
		}
		if n < 0 && s.end != nil && s.end != io.EOF {
			return nil, s.end
		}
		l.at = s.line
		if n > s.limits.Row || n < 0 && s.w-s.r > s.limits.Row {
			return nil, s.tooLongAt(l.at)
		}
		if n < 0 {
			n = s.w - s.r
		}
		line := bytes.TrimSpace(s.buf[s.r : s.r+n])
		s.r = min(s.r+n+1, s.w)
		s.line++
		if len(line) > 0 {
			return line, nil
		}
	}
}

// tooLongAt sets a line aside that is longer than a row may be.
func (s *sheet) tooLongAt(line int) error {
	s.skipLine(0)
	return &problem{line: line, reason: fmt.Sprintf("a row longer than %d bytes: shorten it, or raise --max-cell", s.limits.Row)}
}

// member returns the next object of an array. What is no object ends the file:
// there is no telling where the next one starts.
func (l *lines) member() ([]byte, error) {
	s := l.in
	for {
		c, ok := s.peekAt(0)
		if !ok {
			if s.end == io.EOF {
				return nil, &problem{line: s.line, reason: "the JSON array is not closed: the file may be cut short"}
			}
			return nil, s.end
		}
		if c == '{' {
			break
		}
		switch c {
		case '\n':
			s.line++
		case ' ', '\t', '\r', ',':
		case '[':
			if l.begun {
				return nil, &problem{line: s.line, reason: "an array inside the array: give objects, best one on each line"}
			}
			l.begun = true
		case ']':
			s.r = s.w
			s.end = io.EOF
			return nil, io.EOF
		default:
			return nil, &problem{line: s.line, reason: "something other than an object in the array: give objects, best one on each line"}
		}
		s.r++
	}
	l.at = s.line
	depth, quoted := 0, false
	for i := 0; ; i++ {
		c, ok := s.peekAt(i)
		if !ok {
			if s.end != io.EOF {
				return nil, s.end
			}
			return nil, &problem{line: l.at, reason: "the object that starts here is not closed: the file may be cut short"}
		}
		if i > s.limits.Row {
			return nil, &problem{line: l.at, reason: fmt.Sprintf("an object longer than %d bytes; the rest of the array is not read: write one object on each line", s.limits.Row)}
		}
		switch {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				b := s.buf[s.r : s.r+i+1]
				s.line += bytes.Count(b, []byte{'\n'})
				s.r += i + 1
				return b, nil
			}
		}
	}
}
