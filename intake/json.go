package intake

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep objects and arrays may nest. The contract needs three.
const maxDepth = 32

// The kinds of JSON value.
const (
	jsonObject = 'o'
	jsonArray  = 'a'
	jsonString = 's'
	jsonNumber = 'n'
	jsonBool   = 'b'
	jsonNull   = 'z'
)

// A node is one JSON value.
type node struct {
	kind  byte
	text  string   // a string's characters, a number or a truth value as written
	keys  []string // of an object, beside items
	items []node
}

// child returns the value under key; the last one where the key is repeated.
func (n *node) child(key string) *node {
	for i := len(n.keys) - 1; i >= 0; i-- {
		if n.keys[i] == key {
			return &n.items[i]
		}
	}
	return nil
}

// parser reads JSON (RFC 8259) without recursion beyond maxDepth. It tells where
// it stopped and never what stood there.
type parser struct {
	b       []byte
	i       int
	names   map[string]string // keys seen, so that each is kept once
	spoiled int               // strings with bytes that are no UTF-8
}

type syntaxError struct {
	at     int // byte, from 0
	reason string
}

func (e *syntaxError) Error() string { return fmt.Sprintf("%s at character %d", e.reason, e.at+1) }

func (p *parser) parse(b []byte) (node, error) {
	p.b, p.i = b, 0
	if p.names == nil || len(p.names) > 10_000 {
		p.names = map[string]string{}
	}
	n, err := p.value(0)
	if err != nil {
		return node{}, err
	}
	p.space()
	if p.i < len(p.b) {
		return node{}, p.wrong("more follows behind the object")
	}
	return n, nil
}

func (p *parser) wrong(reason string) error { return &syntaxError{p.i, reason} }

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

func (p *parser) value(depth int) (node, error) {
	if depth > maxDepth {
		return node{}, p.wrong(fmt.Sprintf("nested deeper than %d levels", maxDepth))
	}
	p.space()
	if p.i >= len(p.b) {
		return node{}, p.wrong("not valid JSON: it ends early")
	}
	switch c := p.b[p.i]; {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		s, err := p.str()
		return node{kind: jsonString, text: s}, err
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	}
	for _, w := range [...]struct {
		word string
		kind byte
	}{{"true", jsonBool}, {"false", jsonBool}, {"null", jsonNull}} {
		if bytes.HasPrefix(p.b[p.i:], []byte(w.word)) {
			p.i += len(w.word)
			return node{kind: w.kind, text: w.word}, nil
		}
	}
	return node{}, p.wrong("not valid JSON")
}

func (p *parser) object(depth int) (node, error) {
	n := node{kind: jsonObject}
	p.i++
	for first := true; ; first = false {
		p.space()
		if p.i >= len(p.b) {
			return n, p.wrong("not valid JSON: it ends early")
		}
		if p.b[p.i] == '}' && first {
			p.i++
			return n, nil
		}
		if !first {
			switch p.b[p.i] {
			case '}':
				p.i++
				return n, nil
			case ',':
				p.i++
				p.space()
			default:
				return n, p.wrong("not valid JSON: a comma is missing")
			}
		}
		if p.i >= len(p.b) || p.b[p.i] != '"' {
			return n, p.wrong("not valid JSON: a key in quotes is missing")
		}
		key, err := p.str()
		if err != nil {
			return n, err
		}
		if known, ok := p.names[key]; ok {
			key = known
		} else {
			p.names[key] = key
		}
		p.space()
		if p.i >= len(p.b) || p.b[p.i] != ':' {
			return n, p.wrong("not valid JSON: a colon is missing")
		}
		p.i++
		v, err := p.value(depth + 1)
		if err != nil {
			return n, err
		}
		n.keys, n.items = append(n.keys, key), append(n.items, v)
	}
}

func (p *parser) array(depth int) (node, error) {
	n := node{kind: jsonArray}
	p.i++
	for first := true; ; first = false {
		p.space()
		if p.i >= len(p.b) {
			return n, p.wrong("not valid JSON: it ends early")
		}
		if p.b[p.i] == ']' && first {
			p.i++
			return n, nil
		}
		if !first {
			switch p.b[p.i] {
			case ']':
				p.i++
				return n, nil
			case ',':
				p.i++
			default:
				return n, p.wrong("not valid JSON: a comma is missing")
			}
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return n, err
		}
		n.items = append(n.items, v)
	}
}

func (p *parser) number() (node, error) {
	start := p.i
	for p.i < len(p.b) {
		c := p.b[p.i]
		if c != '-' && c != '+' && c != '.' && c != 'e' && c != 'E' && (c < '0' || c > '9') {
			break
		}
		p.i++
	}
	s := string(p.b[start:p.i])
	if _, err := strconv.ParseFloat(s, 64); err != nil && len(s) < 300 || len(s) >= 300 {
		p.i = start
		return node{}, p.wrong("not valid JSON: not a number")
	}
	return node{kind: jsonNumber, text: s}, nil
}

// str reads a string. Unpaired surrogates and spoilt bytes become U+FFFD.
func (p *parser) str() (string, error) {
	p.i++
	start := p.i
	for p.i < len(p.b) && p.b[p.i] != '"' && p.b[p.i] != '\\' && p.b[p.i] >= 0x20 {
		p.i++
	}
	if p.i < len(p.b) && p.b[p.i] == '"' {
		raw := p.b[start:p.i]
		p.i++
		if utf8.Valid(raw) {
			return string(raw), nil
		}
		p.spoiled++
		return string(bytes.ToValidUTF8(raw, []byte("\uFFFD"))), nil
	}
	out := append(make([]byte, 0, 2*(p.i-start)+64), p.b[start:p.i]...)
	for p.i < len(p.b) {
		c := p.b[p.i]
		switch {
		case c == '"':
			p.i++
			if !utf8.Valid(out) {
				p.spoiled++
				out = bytes.ToValidUTF8(out, []byte("\uFFFD"))
			}
			return string(out), nil
		case c < 0x20:
			return "", p.wrong("not valid JSON: a control character inside a string")
		case c != '\\':
			n := p.i
			for n < len(p.b) && p.b[n] != '"' && p.b[n] != '\\' && p.b[n] >= 0x20 {
				n++
			}
			out = append(out, p.b[p.i:n]...)
			p.i = n
			continue
		}
		if p.i+1 >= len(p.b) {
			break
		}
		p.i += 2
		switch e := p.b[p.i-1]; e {
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
			r, ok := p.hex(p.i)
			if !ok {
				return "", p.wrong("not valid JSON: \\u without four hexadecimal digits")
			}
			p.i += 4
			if utf16.IsSurrogate(r) {
				low, ok := rune(0), false
				if p.i+1 < len(p.b) && p.b[p.i] == '\\' && p.b[p.i+1] == 'u' {
					low, ok = p.hex(p.i + 2)
				}
				if full := utf16.DecodeRune(r, low); ok && full != utf8.RuneError {
					r = full
					p.i += 6
				} else {
					r = utf8.RuneError
				}
			}
			out = utf8.AppendRune(out, r)
		default:
			return "", p.wrong("not valid JSON: an unknown escape")
		}
	}
	return "", p.wrong("not valid JSON: a string is not closed")
}

func (p *parser) hex(i int) (rune, bool) {
	if i+4 > len(p.b) {
		return 0, false
	}
	var r rune
	for _, c := range p.b[i : i+4] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
