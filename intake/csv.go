package intake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// rescans is how many times the reader goes back to the line behind a quote
// that never closes. A file made to trigger it costs at most this many rows.
const rescans = 64

// problem says why a row was set aside.
type problem struct {
	line   int
	column int // 1-based; 0 where it is the whole row
	field  string
	reason string
}

func (p *problem) Error() string { return p.reason }

// sheet reads CSV rows with bounded memory. Unlike encoding/csv it never holds
// more than one row limit, says where every row starts, and finds the next line
// again after a quote that is never closed.
type sheet struct {
	src     io.Reader
	comma   byte
	limits  Limits
	buf     []byte
	r, w    int // unread bytes are buf[r:w]
	end     error
	line    int // line of buf[r], from 1
	rescans int

	fields [][]byte
	at     int    // line where the row starts
	lost   []byte // the row that was skipped last, as it stood; empty where it was longer than a row may be
	over   bool   // it was
	plain  []byte // cells with doubled quotes undone
}

func newSheet(src io.Reader, comma byte, limits Limits) *sheet {
	return &sheet{src: src, comma: comma, limits: limits, buf: make([]byte, 256<<10), line: 1}
}

// fill reads more. It is false at the end of the file or on an error.
func (s *sheet) fill() bool {
	if s.end != nil {
		return false
	}
	if s.r > 0 {
		copy(s.buf, s.buf[s.r:s.w])
		s.w -= s.r
		s.r = 0
	}
	if s.w == len(s.buf) {
		grown := make([]byte, len(s.buf)*2)
		copy(grown, s.buf[:s.w])
		s.buf = grown
	}
	for range 100 {
		n, err := s.src.Read(s.buf[s.w:])
		s.w += n
		if err != nil {
			s.end = err
		}
		if n > 0 {
			return true
		}
		if err != nil {
			return false
		}
	}
	s.end = io.ErrNoProgress
	return false
}

// peekAt returns byte i of what is unread.
func (s *sheet) peekAt(i int) (byte, bool) {
	for s.r+i >= s.w {
		if !s.fill() {
			return 0, false
		}
	}
	return s.buf[s.r+i], true
}

// next reads a row into fields, which hold until the next call. A *problem is
// for this row alone; io.EOF is the end; any other error ends the file.
func (s *sheet) next() error {
	s.lost, s.over = s.lost[:0], false
	for {
		c, ok := s.peekAt(0)
		if !ok {
			return s.end
		}
		if c == '\n' {
			s.r++
			s.line++
			continue
		}
		if c == '\r' {
			if d, _ := s.peekAt(1); d == '\n' {
				s.r += 2
				s.line++
				continue
			}
		}
		break
	}
	s.at = s.line
	s.fields = s.fields[:0]
	s.plain = s.plain[:0]
	if done, err := s.quick(); done {
		return err
	}
	return s.slow()
}

// quick takes a line without quotes that is wholly in the buffer.
func (s *sheet) quick() (bool, error) {
	rest := s.buf[s.r:s.w]
	n := bytes.IndexByte(rest, '\n')
	if n < 0 || n > s.limits.Row {
		return false, nil
	}
	line := rest[:n]
	if bytes.IndexByte(line, '"') >= 0 {
		return false, nil
	}
	s.r += n + 1
	s.line++
	if n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	for {
		i := bytes.IndexByte(line, s.comma)
		if i < 0 {
			s.fields = append(s.fields, line)
			break
		}
		s.fields = append(s.fields, line[:i])
		line = line[i+1:]
	}
	return true, s.checkFields()
}

func (s *sheet) checkFields() error {
	for i, f := range s.fields {
		if len(f) > s.limits.Field {
			return &problem{line: s.at, column: i + 1, reason: fmt.Sprintf("a cell longer than %d bytes: shorten it, or raise --max-cell", s.limits.Field)}
		}
	}
	return nil
}

// cellSpan is a cell's place, counted from the start of the row.
type cellSpan struct {
	from, to int
	doubled  bool
}

// slow takes any row, byte by byte where it must.
func (s *sheet) slow() error {
	var spans []cellSpan
	pos := 0
	for {
		c, ok := s.peekAt(pos)
		if ok && c == '"' {
			span, after, err := s.quoted(pos, len(spans)+1)
			if err != nil {
				return err
			}
			spans = append(spans, span)
			pos = after
		} else {
			from := pos
			for {
				rest := s.buf[s.r+pos : s.w]
				i := 0
				for i < len(rest) && rest[i] != s.comma && rest[i] != '\n' {
					i++
				}
				pos += i
				if i < len(rest) {
					break
				}
				if pos > s.limits.Row {
					return s.tooLong(pos)
				}
				if !s.fill() {
					break
				}
			}
			to := pos
			if to > from && s.buf[s.r+to-1] == '\r' {
				to--
			}
			spans = append(spans, cellSpan{from: from, to: to})
		}
		c, ok = s.peekAt(pos)
		if ok && c == s.comma {
			pos++
			if pos > s.limits.Row {
				return s.tooLong(pos)
			}
			continue
		}
		break
	}
	if s.end != nil && s.end != io.EOF && s.r+pos >= s.w {
		return s.end
	}
	row := s.buf[s.r : s.r+pos]
	for _, sp := range spans {
		f := row[sp.from:sp.to]
		if sp.doubled {
			start := len(s.plain)
			for {
				i := bytes.IndexByte(f, '"')
				if i < 0 {
					s.plain = append(s.plain, f...)
					break
				}
				s.plain = append(s.plain, f[:i+1]...)
				f = f[min(i+2, len(f)):]
			}
			f = s.plain[start:len(s.plain):len(s.plain)]
		}
		s.fields = append(s.fields, f)
	}
	s.line += bytes.Count(row, []byte{'\n'})
	s.r += pos
	if s.r < s.w && s.buf[s.r] == '\n' {
		s.r++
		s.line++
	}
	return s.checkFields()
}

// quoted reads a quoted cell that starts at pos. after stands on the delimiter,
// the line feed or the end.
func (s *sheet) quoted(pos, column int) (span cellSpan, after int, err error) {
	span.from = pos + 1
	i := pos + 1
	for {
		n := bytes.IndexByte(s.buf[min(s.r+i, s.w):s.w], '"')
		if n < 0 {
			i = max(i, s.w-s.r)
			if i > s.limits.Row || !s.fill() {
				if s.end != nil && s.end != io.EOF {
					return span, 0, s.end
				}
				return span, 0, s.unclosed(i, column)
			}
			continue
		}
		i += n
		c, ok := s.peekAt(i + 1)
		switch {
		case !ok || c == s.comma || c == '\n':
			span.to = i
			return span, i + 1, nil
		case c == '"':
			span.doubled = true
			i += 2
			continue
		case c == '\r':
			if d, ok := s.peekAt(i + 2); !ok || d == '\n' {
				span.to = i
				return span, i + 2, nil
			}
		}
		// The cell's own line is lost, the one behind it is not.
		at := s.at
		s.skipLine(i)
		return span, 0, &problem{line: at, column: column, reason: "a quote inside a quoted cell: double it (\"\")"}
	}
}

// unclosed reports a quote without an end within one row limit, and goes back
// to the line behind the one where the row starts.
func (s *sheet) unclosed(pos, column int) error {
	p := &problem{line: s.at, column: column, reason: fmt.Sprintf("a quote that opens here is not closed within %d bytes: close it, or double it if it belongs to the text", s.limits.Row)}
	if s.end != nil {
		p.reason = "a quote that opens here is never closed: close it, or double it if it belongs to the text"
	}
	if s.rescans < rescans {
		s.rescans++
		s.skipLine(0)
		return p
	}
	s.skipLine(pos)
	p.reason += fmt.Sprintf("; lines %d to %d are lost", s.at, s.line-1)
	return p
}

func (s *sheet) tooLong(pos int) error {
	p := &problem{line: s.at, reason: fmt.Sprintf("a row longer than %d bytes: shorten it, or raise --max-cell", s.limits.Row)}
	s.skipLine(pos)
	return p
}

// skipLine moves to the line behind the one that byte pos of the row stands in.
func (s *sheet) skipLine(pos int) {
	for {
		from := min(s.r+pos, s.w)
		if n := bytes.IndexByte(s.buf[from:s.w], '\n'); n >= 0 {
			s.line += bytes.Count(s.buf[s.r:from+n+1], []byte{'\n'})
			s.lose(from + n)
			s.r = from + n + 1
			return
		}
		s.line += bytes.Count(s.buf[s.r:s.w], []byte{'\n'})
		s.lose(s.w)
		pos = 0
		s.r = s.w
		if !s.fill() {
			return
		}
	}
}

// lose keeps what is skipped, up to end in the buffer, so that a person can mend it.
func (s *sheet) lose(end int) {
	if s.over || len(s.lost)+end-s.r > s.limits.Row {
		s.lost, s.over = nil, true
		return
	}
	s.lost = append(s.lost, s.buf[s.r:end]...)
}

// delimiter tells which character separates the cells, from the file's head:
// the one that cuts most rows into as many cells as the header.
func delimiter(head []byte, limits Limits) byte {
	if i := bytes.LastIndexByte(head, '\n'); i > 0 {
		head = head[:i+1]
	}
	best, bestScore := byte(','), 0
	for _, c := range []byte{',', ';', '\t', '|'} {
		s := newSheet(bytes.NewReader(head), c, limits)
		width, same, rows := 0, 0, 0
		for rows < 50 {
			err := s.next()
			if _, ok := errors.AsType[*problem](err); ok {
				rows++
				continue
			}
			if err != nil {
				break
			}
			if width == 0 {
				if width = len(s.fields); width == 1 {
					break
				}
				continue
			}
			rows++
			if len(s.fields) == width {
				same++
			}
		}
		if width < 2 {
			continue
		}
		if score := 1 + same*100/max(rows, 1)*100 + width; score > bestScore {
			best, bestScore = c, score
		}
	}
	return best
}
