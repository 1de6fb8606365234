package strict

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"bonafide"
)

// Limits bound what is read.
type Limits struct {
	Depth  int // of objects and arrays inside each other; 0 = 32
	Values int // objects, arrays, strings, numbers … together; 0 = 20,000
}

func (l Limits) withDefaults() Limits {
	if l.Depth <= 0 {
		l.Depth = 32
	}
	if l.Values <= 0 {
		l.Values = 20_000
	}
	return l
}

// An Error says what is wrong and where. It is of kind Invalid.
type Error struct {
	Field  string // path of the field: "contacts[2].kind"; "" where the whole is meant
	Reason string
	Syntax bool // it is no JSON at all, or beyond the limits
}

// Error returns the field and the reason.
func (e *Error) Error() string {
	if e.Field == "" {
		return e.Reason
	}
	return e.Field + ": " + e.Reason
}

// Unwrap says that the input is to be mended.
func (e *Error) Unwrap() error { return bonafide.Invalid }

// The kinds of value.
const (
	isObject = 'o'
	isArray  = 'a'
	isString = 's'
	isNumber = 'n'
	isBool   = 'b'
	isNull   = 'z'
)

// A node is one value.
type node struct {
	kind  byte
	text  string   // a string's characters; a number or a truth value as written
	keys  []string // of an object, beside items
	items []node
}

// A parser reads RFC 8259 JSON. Depth bounds its recursion.
type parser struct {
	b      []byte
	i      int
	limits Limits
	values int
}

// parse reads one value and nothing behind it.
func parse(b []byte, l Limits) (node, error) {
	p := parser{b: b, limits: l.withDefaults()}
	n, err := p.value(0)
	if err != nil {
		return node{}, err
	}
	if p.space(); p.i < len(b) {
		return node{}, p.wrong("more follows behind the JSON value")
	}
	return n, nil
}

func (p *parser) wrong(reason string) error {
	return &Error{Reason: fmt.Sprintf("%s, at byte %d", reason, p.i+1), Syntax: true}
}

func (p *parser) space() {
	for p.i < len(p.b) {
		switch p.b[p.i] {
		case ' ', '\t', '\r', '\n':
			p.i++
		default:
			return
		}
	}
}

// take steps over c where it is next.
func (p *parser) take(c byte) bool {
	if p.space(); p.i < len(p.b) && p.b[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *parser) value(depth int) (node, error) {
	p.space()
	if p.i >= len(p.b) {
		return node{}, p.wrong("not JSON: it ends early")
	}
	if p.values++; p.values > p.limits.Values {
		return node{}, p.wrong(fmt.Sprintf("more than %d values", p.limits.Values))
	}
	switch c := p.b[p.i]; {
	case c == '{' || c == '[':
		if depth >= p.limits.Depth {
			return node{}, p.wrong(fmt.Sprintf("nested deeper than %d levels", p.limits.Depth))
		}
		p.i++
		if c == '{' {
			return p.object(depth + 1)
		}
		return p.array(depth + 1)
	case c == '"':
		s, err := p.str()
		return node{kind: isString, text: s}, err
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	}
	for _, w := range [...]struct {
		word string
		kind byte
	}{{"true", isBool}, {"false", isBool}, {"null", isNull}} {
		if end := p.i + len(w.word); end <= len(p.b) && string(p.b[p.i:end]) == w.word {
			p.i = end
			return node{kind: w.kind, text: w.word}, nil
		}
	}
	return node{}, p.wrong("not JSON")
}

func (p *parser) object(depth int) (node, error) {
	n := node{kind: isObject}
	if p.take('}') {
		return n, nil
	}
	var seen map[string]bool
	for {
		if p.space(); p.i >= len(p.b) || p.b[p.i] != '"' {
			return n, p.wrong("not JSON: a key in quotes is missing")
		}
		start := p.i
		key, err := p.str()
		if err != nil {
			return n, err
		}
		if repeated(n.keys, seen, key) {
			p.i = start
			return n, p.wrong("a key for the second time in one object")
		}
		if !p.take(':') {
			return n, p.wrong("not JSON: a colon is missing")
		}
		v, err := p.value(depth)
		if err != nil {
			return n, err
		}
		n.keys, n.items = append(n.keys, key), append(n.items, v)
		if len(n.keys) == 16 {
			seen = make(map[string]bool, 64)
			for _, k := range n.keys {
				seen[k] = true
			}
		} else if seen != nil {
			seen[key] = true
		}
		if p.take('}') {
			return n, nil
		}
		if !p.take(',') {
			return n, p.wrong("not JSON: a comma or a closing brace is missing")
		}
	}
}

func repeated(keys []string, seen map[string]bool, key string) bool {
	if seen != nil {
		return seen[key]
	}
	return slices.Contains(keys, key)
}

func (p *parser) array(depth int) (node, error) {
	n := node{kind: isArray}
	if p.take(']') {
		return n, nil
	}
	for {
		v, err := p.value(depth)
		if err != nil {
			return n, err
		}
		n.items = append(n.items, v)
		if p.take(']') {
			return n, nil
		}
		if !p.take(',') {
			return n, p.wrong("not JSON: a comma or a closing bracket is missing")
		}
	}
}

// number reads -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
func (p *parser) number() (node, error) {
	start := p.i
	digits := func() bool {
		from := p.i
		for p.i < len(p.b) && '0' <= p.b[p.i] && p.b[p.i] <= '9' {
			p.i++
		}
		return p.i > from
	}
	is := func(set string) bool {
		if p.i < len(p.b) && strings.IndexByte(set, p.b[p.i]) >= 0 {
			p.i++
			return true
		}
		return false
	}
	is("-")
	ok := is("0") || digits()
	if ok && is(".") {
		ok = digits()
	}
	if ok && is("eE") {
		is("+-")
		ok = digits()
	}
	if !ok || p.i-start > 64 || p.i < len(p.b) && '0' <= p.b[p.i] && p.b[p.i] <= '9' {
		p.i = start
		return node{}, p.wrong("not JSON: not a number")
	}
	return node{kind: isNumber, text: string(p.b[start:p.i])}, nil
}

// str reads a string. Half a surrogate pair and NUL are refused: neither can be
// kept everywhere.
func (p *parser) str() (string, error) {
	p.i++
	start := p.i
	for p.i < len(p.b) && p.b[p.i] != '"' && p.b[p.i] != '\\' && p.b[p.i] >= 0x20 {
		p.i++
	}
	var out []byte
	if p.i < len(p.b) && p.b[p.i] == '"' {
		out = p.b[start:p.i]
		p.i++
	} else {
		out = append(make([]byte, 0, 2*(p.i-start)+64), p.b[start:p.i]...)
		var err error
		if out, err = p.escaped(out); err != nil {
			return "", err
		}
	}
	if !utf8.Valid(out) {
		p.i = start - 1
		return "", p.wrong("bytes that are no UTF-8")
	}
	return string(out), nil
}

// escaped reads the rest of a string that has escapes.
func (p *parser) escaped(out []byte) ([]byte, error) {
	for p.i < len(p.b) {
		c := p.b[p.i]
		switch {
		case c == '"':
			p.i++
			return out, nil
		case c < 0x20:
			return nil, p.wrong("not JSON: a control character inside a string")
		case c != '\\':
			out = append(out, c)
			p.i++
			continue
		}
		if p.i+1 >= len(p.b) {
			break
		}
		switch e := p.b[p.i+1]; e {
		case '"', '\\', '/':
			out = append(out, e)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, err := p.point()
			if err != nil {
				return nil, err
			}
			out = utf8.AppendRune(out, r)
			continue
		default:
			return nil, p.wrong("not JSON: no such escape")
		}
		p.i += 2
	}
	p.i = len(p.b)
	return nil, p.wrong("not JSON: it ends inside a string")
}

// point reads \uXXXX, or two of them that make one character.
func (p *parser) point() (rune, error) {
	hex := func(i int) (rune, bool) {
		if i+6 > len(p.b) || p.b[i] != '\\' || p.b[i+1] != 'u' {
			return 0, false
		}
		for _, c := range p.b[i+2 : i+6] { // ParseUint takes signs and underscores too
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return 0, false
			}
		}
		v, err := strconv.ParseUint(string(p.b[i+2:i+6]), 16, 32)
		return rune(v), err == nil
	}
	r, ok := hex(p.i)
	if !ok {
		return 0, p.wrong("not JSON: \\u without four hexadecimal digits")
	}
	if r == 0 {
		return 0, p.wrong("the character NUL")
	}
	if !utf16.IsSurrogate(r) {
		p.i += 6
		return r, nil
	}
	low, ok := hex(p.i + 6)
	if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
		return 0, p.wrong("half a character: \\u of a surrogate without its pair")
	}
	p.i += 12
	return r, nil
}
