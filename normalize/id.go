package normalize

import (
	"strings"
	"unicode/utf8"
)

// NationalID is an identity number without separators. Country is the ISO 3166
// alpha-2 code where the number's shape and check digits prove it, else "".
type NationalID struct{ Country, Text string }

// ID reads an identity number: China (18 digits, or 15 raised to 18), Brazil
// (CPF, CNPJ), United States (SSN), India (Aadhaar), United Kingdom (NINO). Any
// other of at least six letters and digits comes back without a country. It is
// false for junk and for numbers with hidden digits.
func ID(s string) (NationalID, bool) {
	if len(s) > 128 || !utf8.ValidString(s) {
		return NationalID{}, false
	}
	f := Fold(s)
	if isNothing(f) {
		return NationalID{}, false
	}
	b := make([]byte, 0, len(f))
	for _, r := range f {
		switch {
		case r < 0x80 && isAlnum(byte(r)):
			c := byte(r)
			if 'a' <= c {
				c -= 'a' - 'A'
			}
			b = append(b, c)
		case isMask(r):
			return NationalID{}, false
		}
	}
	t := string(b)
	if strings.Contains(t, "XXX") || len(t) < 6 || len(t) > 40 || dull(t) {
		return NationalID{}, false
	}
	switch {
	case chinaID(t):
		return NationalID{"CN", t}, true
	case len(t) == 15 && allDigits(t):
		if u := t[:6] + "19" + t[6:]; chinaBirth(u) {
			return NationalID{"CN", u + string(chinaCheck(u))}, true
		}
	case cpf(t), cnpj(t):
		return NationalID{"BR", t}, true
	case aadhaar(t):
		return NationalID{"IN", t}, true
	case ssn(t):
		return NationalID{"US", t}, true
	case nino(t):
		return NationalID{"GB", t}, true
	}
	return NationalID{"", t}, true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// chinaID checks the 18 characters of GB 11643.
func chinaID(s string) bool {
	return len(s) == 18 && allDigits(s[:17]) && chinaBirth(s) && s[17] == chinaCheck(s[:17])
}

// chinaBirth checks the province code and the date of birth.
func chinaBirth(s string) bool {
	if s[0] < '1' || s[0] > '9' || s[0] == '7' && s[1] != '1' || s[0] == '9' && s[1] != '1' {
		return false
	}
	y, m, d := number(s[6:10]), number(s[10:12]), number(s[12:14])
	days := [...]int{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	return y >= 1850 && y <= 2100 && m >= 1 && m <= 12 && d >= 1 && d <= days[m-1]
}

// chinaCheck computes the check character (ISO 7064 mod 11-2) of 17 digits.
func chinaCheck(s string) byte {
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += int(s[i]-'0') * w
	}
	return "10X98765432"[sum%11]
}

func number(s string) int {
	n := 0
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	return n
}

// cpf checks the eleven digits of a Brazilian person.
func cpf(s string) bool {
	return len(s) == 11 && allDigits(s) && mod11(s, 9, 10, 99) && mod11(s, 10, 11, 99)
}

// cnpj checks the fourteen digits of a Brazilian company.
func cnpj(s string) bool {
	return len(s) == 14 && allDigits(s) && mod11(s, 12, 5, 9) && mod11(s, 13, 6, 9)
}

// mod11 checks the digit at n: the ones before it weighted from first down to 2,
// starting over at wrap.
func mod11(s string, n, first, wrap int) bool {
	sum, w := 0, first
	for i := range n {
		sum += int(s[i]-'0') * w
		if w--; w < 2 {
			w = wrap
		}
	}
	c := 11 - sum%11
	if c >= 10 {
		c = 0
	}
	return int(s[n]-'0') == c
}

// ssn checks the shape of a United States social security number (rules since
// the randomisation of 2011) and refuses the numbers printed on sample cards.
func ssn(s string) bool {
	if len(s) != 9 || !allDigits(s) {
		return false
	}
	area := s[:3]
	return area != "000" && area != "666" && area[0] != '9' && s[3:5] != "00" && s[5:] != "0000" && s != "078051120" && s != "219099999"
}

// nino checks the shape of a United Kingdom national insurance number.
func nino(s string) bool {
	if len(s) != 9 || !allDigits(s[2:8]) || s[8] < 'A' || s[8] > 'D' {
		return false
	}
	if isDigit(s[0]) || isDigit(s[1]) || strings.IndexByte("DFIQUV", s[0]) >= 0 || strings.IndexByte("DFIOQUV", s[1]) >= 0 {
		return false
	}
	switch s[:2] {
	case "BG", "GB", "NK", "KN", "TN", "NT", "ZZ":
		return false
	}
	return true
}

// aadhaar checks the twelve digits of an Indian resident (Verhoeff's scheme).
func aadhaar(s string) bool {
	if len(s) != 12 || !allDigits(s) || s[0] < '2' {
		return false
	}
	c := byte(0)
	for i := range 12 {
		c = dihedral(c, permute(i%8, s[11-i]-'0'))
	}
	return c == 0
}

// dihedral multiplies in the group of the pentagon's ten symmetries.
func dihedral(a, b byte) byte {
	switch {
	case a < 5 && b < 5:
		return (a + b) % 5
	case a < 5:
		return 5 + (a+b-5)%5
	case b < 5:
		return 5 + (a-5+5-b)%5
	}
	return (a - b + 5) % 5
}

// permute applies Verhoeff's permutation n times to digit d.
func permute(n int, d byte) byte {
	for range n {
		d = "1576283094"[d] - '0'
	}
	return d
}

// luhn checks the last digit of a payment card number (ISO/IEC 7812).
func luhn(s string) bool {
	sum := 0
	for i := range len(s) {
		d := int(s[len(s)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// ibanLength holds the lengths of the countries that use IBANs most (ISO 13616
// registry); the others are taken by their check digits alone.
var ibanLength = map[string]int{
	"AT": 20, "BE": 16, "BR": 29, "CH": 21, "CZ": 24, "DE": 22, "DK": 18, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GR": 27,
	"HU": 28, "IE": 22, "IT": 27, "LU": 20, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24, "TR": 26, "AE": 23, "SA": 24,
}

// iban checks an international account number in upper case (mod 97).
func iban(s string) bool {
	if len(s) < 15 || len(s) > 34 {
		return false
	}
	if n, ok := ibanLength[s[:2]]; !ok || n != len(s) {
		return false
	}
	rem := 0
	for i := range len(s) {
		c := s[(i+4)%len(s)]
		switch {
		case isDigit(c):
			rem = (rem*10 + int(c-'0')) % 97
		case 'A' <= c && c <= 'Z':
			rem = (rem*100 + int(c-'A') + 10) % 97
		default:
			return false
		}
	}
	return rem == 1
}
