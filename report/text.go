package report

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// clean makes text from a complaint safe to show anywhere: control characters
// and marks that change the direction of what follows go, white space other
// than line ends becomes a space, bytes that are no UTF-8 become U+FFFD.
func clean(s string) string {
	ok := func(r rune) bool {
		return r == '\n' || r != utf8.RuneError && !unicode.IsControl(r) && !directs(r)
	}
	if strings.IndexFunc(s, func(r rune) bool { return !ok(r) }) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case ok(r) || r == utf8.RuneError:
			return r
		case r == '\t' || r == '\r' || r == '\v' || r == '\f':
			return ' '
		}
		return -1
	}, s)
}

// directs reports whether r is an invisible mark that sets the direction of text.
func directs(r rune) bool {
	return r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == 0x200E || r == 0x200F || r == 0x061C
}

// line is clean on one line.
func line(s string) string { return strings.Join(strings.Fields(clean(s)), " ") }

// cut shortens s to at most n runes and says how long it was.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	seen := 0
	for at := range s {
		if seen == n {
			return s[:at] + "… (cut: " + number(utf8.RuneCountInString(s)) + " characters in all)"
		}
		seen++
	}
	return s
}

// short shortens s to at most n runes with a bare ellipsis.
func short(s string, n int) string {
	seen := 0
	for at := range s {
		if seen == n {
			return strings.TrimRight(s[:at], " ") + "…"
		}
		seen++
	}
	return s
}

// number writes n with thousands separated.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// count writes n things: "1 paper", "2 addresses".
func count(n int, thing string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(thing, "ss"):
		thing += "es"
	default:
		thing += "s"
	}
	return number(n) + " " + thing
}

// list joins parts as a sentence does: "a, b and c".
func list(parts []string) string {
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	last := len(parts) - 1
	return strings.Join(parts[:last], ", ") + " and " + parts[last]
}

// day writes a date, or "no date".
func day(t time.Time) string {
	if t.IsZero() {
		return "no date"
	}
	return t.UTC().Format("2 Jan 2006")
}

// between writes a span of days: "3–21 Mar 2025".
func between(from, to time.Time) string {
	from, to = from.UTC(), to.UTC()
	switch {
	case from.IsZero() || to.IsZero():
		return day(from)
	case from.Format(time.DateOnly) == to.Format(time.DateOnly):
		return day(to)
	case from.Year() == to.Year() && from.Month() == to.Month():
		return from.Format("2") + "–" + day(to)
	case from.Year() == to.Year():
		return from.Format("2 Jan") + " – " + day(to)
	}
	return day(from) + " – " + day(to)
}

// sentence starts s with a capital and ends it with a full stop.
func sentence(s string) string {
	s = line(s)
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	s = string(unicode.ToUpper(r)) + s[n:]
	if end, _ := utf8.DecodeLastRuneInString(s); strings.ContainsRune(".!?。！？…", end) {
		return s
	}
	return s + "."
}
