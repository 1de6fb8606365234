package normalize

import "strings"

// phone returns folded s in E.164 form: "+" country code and national number.
// Hidden digits stay as '*'. Where the country cannot be told the digits are
// returned bare. Extensions are dropped: they name a desk, not a line.
func phone(folded, country string) (string, bool) {
	d, ok := dialled(folded)
	if !ok {
		return "", false
	}
	text, national := d.e164(country)
	shown := make([]byte, 0, 16)
	for i := range len(national) {
		if national[i] != '*' {
			shown = append(shown, national[i])
		}
	}
	switch {
	case len(text) > 16, len(national) < 6, len(shown) < 4, dull(string(shown)):
		return "", false
	case len(national) >= 8 && uniform(national[len(national)-8:]):
		return "", false
	}
	if len(shown) == len(national) && len(national) < 7 {
		return "", false
	}
	return text, true
}

func uniform(s string) bool { return strings.Trim(s, s[:1]) == "" && s[0] != '*' }

// digits is a phone number as dialled.
type digits struct {
	s     string // digits and '*'
	plus  bool   // written with + or 00
	first int    // digits before the first separator, 0 where there is none
}

// dialled reads the digits of folded s, which may carry a label, separators, a
// bracketed trunk zero and an extension.
func dialled(s string) (digits, bool) {
	var d digits
	var buf [24]byte
	b := buf[:0]
	started := false
	s = lookAlikeDigits(strings.ReplaceAll(s, "(0)", ""))
	for i, r := range s {
		var c byte
		switch {
		case r < 0x80 && isDigit(byte(r)):
			c = byte(r)
		case isMask(r):
			c = '*'
		case r == 'x' && !started && (i+1 == len(s) || s[i+1] != 'x' && s[i+1] != '*' && !isDigit(s[i+1])):
			continue // the end of a label: "fax"
		case r == 'x':
			if extension(s[i+1:]) && len(b) >= 7 {
				goto done
			}
			c = '*'
		case r == '+':
			if len(b) > 0 {
				return d, false
			}
			d.plus = true
			continue
		default:
			if h, ok := hanDigit(r); ok {
				c = h
				break
			}
			if !started {
				if r >= 'a' && r <= 'z' || r > 0x7F || strings.ContainsRune(" :.-()#/'\"=,;[]&~_|!", r) {
					continue // a label: "tel:", "手机："
				}
				return d, false
			}
			switch {
			case r == 'e', r == '#', r == '转', r == '分', r == 'r', r == ',', r == ';', r == 'w', r == '(' && !strings.ContainsAny(s[i:], "0123456789*"):
				goto done // ext, 分机, ramal, (office)
			case strings.ContainsRune(" .-()/~_\t—–[]·:'", r):
				if d.first == 0 {
					d.first = len(b)
				}
				continue
			case r > 0x7F && len(b) >= 7, r >= 'a' && r <= 'z' && len(b) >= 7:
				goto done // words behind the number
			}
			return d, false
		}
		if len(b) >= 20 {
			return d, false
		}
		started = true
		b = append(b, c)
	}
done:
	d.s = string(b)
	if !d.plus && strings.HasPrefix(d.s, "00") && len(d.s) > 9 {
		d.s, d.plus = d.s[2:], true
	}
	return d, len(d.s) >= 6 && len(d.s) <= 17
}

// extension reports whether s is one to six digits and nothing else.
func extension(s string) bool {
	s = strings.Trim(s, " .:")
	if len(s) == 0 || len(s) > 6 {
		return false
	}
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// dial holds the calling codes and trunk prefixes of the countries a lender can
// be set to, beyond those with rules of their own (ITU E.164 list).
var dial = map[string]string{
	"CN": "86", "US": "1", "CA": "1", "BR": "55", "GB": "44", "IN": "91", "HK": "852", "MO": "853", "TW": "886", "SG": "65",
	"MY": "60", "ID": "62", "PH": "63", "TH": "66", "VN": "84", "JP": "81", "KR": "82", "AU": "61", "NZ": "64", "DE": "49",
	"FR": "33", "ES": "34", "IT": "39", "PT": "351", "NL": "31", "BE": "32", "IE": "353", "PL": "48", "SE": "46", "NO": "47",
	"DK": "45", "FI": "358", "CH": "41", "AT": "43", "GR": "30", "RO": "40", "CZ": "420", "HU": "36", "RU": "7", "KZ": "7",
	"UA": "380", "TR": "90", "IL": "972", "AE": "971", "SA": "966", "EG": "20", "ZA": "27", "NG": "234", "KE": "254",
	"GH": "233", "MX": "52", "AR": "54", "CL": "56", "CO": "57", "PE": "51", "PK": "92", "BD": "880", "LK": "94",
}

// callingCode returns the length of the calling code that number starts with.
func callingCode(number string) int {
	if number == "" {
		return 0
	}
	if number[0] == '1' || number[0] == '7' {
		return 1
	}
	for n := 2; n <= 3 && n <= len(number); n++ {
		if dialCodes[number[:n]] {
			return n
		}
	}
	return min(2, len(number))
}

var dialCodes = func() map[string]bool {
	m := map[string]bool{}
	for _, c := range dial {
		m[c] = true
	}
	return m
}()

// e164 returns the full number and its national part.
func (d digits) e164(country string) (text, national string) {
	s := d.s
	if d.plus {
		n := callingCode(s)
		cc, rest := s[:n], s[n:]
		if strings.HasPrefix(rest, "0") && cc != "39" && len(rest) > 7 {
			rest = strings.TrimLeft(rest, "0") // a trunk zero that does not belong abroad
		}
		return "+" + cc + rest, rest
	}
	switch country {
	case "":
	case "US", "CA":
		if t, ok := nanp(s); ok {
			return "+1" + t, t
		}
	case "BR":
		if t, ok := brazil(s); ok {
			return "+55" + t, t
		}
	case "CN":
		if t, ok := china(s); ok {
			return "+86" + t, t
		}
		if len(s) >= 10 && len(s) <= 12 && s[0] == '0' && s[1] != '0' {
			return "+86" + s[1:], s[1:]
		}
		if len(s) == 10 && (strings.HasPrefix(s, "400") || strings.HasPrefix(s, "800")) {
			return "+86" + s, s
		}
	case "IN":
		if len(s) == 10 && s[0] >= '6' {
			return "+91" + s, s
		}
	}
	if d.first == 1 {
		if t, ok := nanp(s); ok && len(s) == 11 {
			return "+1" + t, t
		}
	}
	if d.first == 2 {
		if t, ok := brazil(s); ok {
			return "+55" + t, t
		}
	}
	if t, ok := china(s); ok {
		return "+86" + t, t
	}
	if cc := dial[country]; cc != "" {
		if strings.HasPrefix(s, cc) && len(s) >= len(cc)+9 && s[0] != '0' {
			return "+" + s, s[len(cc):]
		}
		if len(s) >= 7 && len(s) <= 12 && len(s)+len(cc) <= 15 {
			if rest := strings.TrimPrefix(s, "0"); rest != "" && rest[0] != '0' && rest[0] != '*' {
				return "+" + cc + rest, rest
			}
		}
		return s, s
	}
	if t, ok := nanp(s); ok {
		return "+1" + t, t
	}
	if t, ok := brazil(s); ok && len(s) >= 11 {
		return "+55" + t, t
	}
	if len(s) == 12 && s[:2] == "91" && s[2] >= '6' {
		return "+" + s, s[2:]
	}
	if len(s) == 12 && s[:2] == "44" && strings.IndexByte("1237", s[2]) >= 0 {
		return "+" + s, s[2:]
	}
	return s, s
}

// between reports whether c is hidden or a digit from lo to hi.
func between(c, lo, hi byte) bool { return c == '*' || lo <= c && c <= hi }

// china returns the national number of a Chinese mobile: 11 digits, 13 to 19
// first, with or without 86 or a trunk zero before it.
func china(s string) (string, bool) {
	switch {
	case len(s) == 13 && s[:2] == "86":
		s = s[2:]
	case len(s) == 12 && s[0] == '0':
		s = s[1:]
	}
	return s, len(s) == 11 && s[0] == '1' && between(s[1], '3', '9')
}

// nanp returns the ten digits of a North American number: area code and
// exchange start with 2 to 9, and neither is a service code such as 911.
func nanp(s string) (string, bool) {
	if len(s) == 11 && s[0] == '1' {
		s = s[1:]
	}
	if len(s) != 10 || !between(s[0], '2', '9') || !between(s[3], '2', '9') {
		return "", false
	}
	return s, s[1:3] != "11" && s[4:6] != "11"
}

// brazil returns the national number of a Brazilian line: a valid area code
// (DDD, Anatel), then 9 and eight digits, or eight digits from 2 to 5.
func brazil(s string) (string, bool) {
	if len(s) >= 12 && s[:2] == "55" {
		s = s[2:]
	}
	if len(s) >= 11 && s[0] == '0' {
		s = s[1:]
	}
	if len(s) < 10 || !areaCode(s[0], s[1]) {
		return "", false
	}
	return s, len(s) == 11 && s[2] == '9' || len(s) == 10 && between(s[2], '2', '5')
}

// areaCode reports whether the two digits are a Brazilian area code.
func areaCode(a, b byte) bool {
	if !isDigit(a) || !isDigit(b) || a == '0' || b == '0' {
		return false
	}
	switch a {
	case '2':
		return strings.IndexByte("12478", b) >= 0
	case '3':
		return strings.IndexByte("1234578", b) >= 0
	case '5':
		return strings.IndexByte("1345", b) >= 0
	case '7':
		return strings.IndexByte("134579", b) >= 0
	}
	return true
}

// lookAlikeDigits turns the letters o, l and i into the digits they are typed
// for, where a digit or a separator and a digit stand beside them.
func lookAlikeDigits(s string) string {
	if !strings.ContainsAny(s, "oli") {
		return s
	}
	digitAt := func(i, step int) bool {
		for n := 0; n < 3 && i >= 0 && i < len(s); n++ {
			switch c := s[i]; {
			case isDigit(c):
				return true
			case c == 'o', c == 'l', c == 'i', c == '.', c == '-', c == ' ', c == '+':
			default:
				return false
			}
			i += step
		}
		return false
	}
	b := []byte(s)
	for i, c := range b {
		if c != 'o' && c != 'l' && c != 'i' {
			continue
		}
		// A letter beside it makes it part of a word: "tel 0…", "mobile".
		letter := func(j int) bool {
			return j >= 0 && j < len(s) && s[j] >= 'a' && s[j] <= 'z' && s[j] != 'o' && s[j] != 'l' && s[j] != 'i'
		}
		if letter(i-1) || letter(i+1) || !digitAt(i-1, -1) && !digitAt(i+1, 1) {
			continue
		}
		if b[i] = '1'; c == 'o' {
			b[i] = '0'
		}
	}
	return string(b)
}
