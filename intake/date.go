package intake

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Years outside these are typing errors or placeholders such as 1900-01-01.
const firstYear, lastYear = 1990, 2100

// The orders in which a date's parts can stand.
const (
	yearFirst  = "ymd"
	monthFirst = "mdy"
	dayFirst   = "dmy"
)

var months = map[string]int{
	"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
	"fev": 2, "abr": 4, "mai": 5, "ago": 8, "set": 9, "out": 10, "dez": 12,
}

// numbersOf holds a date cut into its numbers.
type numbersOf struct {
	n      [8]int
	digits [8]int // how many digits each was written with
	count  int
	month  int // from a month's name; 0 where there is none
	named  int // how many numbers stood before the name
	pm, am bool
	zone   *time.Location
}

// cutDate reads the numbers, month names and zone of s.
func cutDate(s string) (numbersOf, bool) {
	var d numbersOf
	s = strings.TrimSpace(s)
	if len(s) > 64 {
		return d, false
	}
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case '0' <= c && c <= '9':
			j, v := i, 0
			for j < len(s) && '0' <= s[j] && s[j] <= '9' {
				if j-i < 9 {
					v = v*10 + int(s[j]-'0')
				}
				j++
			}
			if d.count == len(d.n) || j-i > 14 {
				return d, false
			}
			if j-i == 14 || j-i == 8 && d.count == 0 { // 20240510, 20240510112505
				if d.count > 0 {
					return d, false
				}
				for _, cut := range [...]int{4, 2, 2, 2, 2, 2} {
					if i >= j {
						break
					}
					d.add(atoi(s[i:i+cut]), cut)
					i += cut
				}
				continue
			}
			d.add(v, j-i)
			i = j
		case d.count >= 5 && (c == '+' || c == '-') && i+2 < len(s):
			z, ok := offset(s[i:])
			if !ok {
				return d, false
			}
			d.zone = z
			return d, true
		case (c == 'Z' || c == 'z') && d.count >= 5 && i == len(s)-1:
			d.zone = time.UTC
			return d, true
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			if !unicode.IsLetter(r) {
				i += n
				continue
			}
			j := i
			for j < len(s) {
				r, n := utf8.DecodeRuneInString(s[j:])
				if !unicode.IsLetter(r) {
					break
				}
				j += n
			}
			if !d.word(s[i:j]) {
				return d, false
			}
			i = j
		}
	}
	return d, true
}

func (d *numbersOf) add(v, digits int) {
	if d.count < len(d.n) {
		d.n[d.count], d.digits[d.count] = v, digits
		d.count++
	}
}

func atoi(s string) int {
	v := 0
	for i := range len(s) {
		v = v*10 + int(s[i]-'0')
	}
	return v
}

// word takes a letter group: a month, a half of the day, a weekday or a unit.
func (d *numbersOf) word(w string) bool {
	switch {
	case strings.Contains(w, "下午"), strings.Contains(w, "晚上"):
		d.pm = true
		return true
	case strings.Contains(w, "上午"), strings.Contains(w, "凌晨"):
		d.am = true
		return true
	case strings.Trim(w, "年月日号时點点分秒星期周一二三四五六") == "":
		return true
	}
	l := strings.ToLower(w)
	switch l {
	case "pm", "p", "m":
		d.pm = d.pm || l != "m"
		return true
	case "am", "a":
		d.am = true
		return true
	case "t", "h", "min", "s", "de", "st", "nd", "rd", "th", "of", "at", "às", "as", "utc", "gmt",
		"mon", "tue", "wed", "thu", "fri", "sat", "sun", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday":
		return true
	}
	if len(l) >= 3 && d.month == 0 {
		if m, ok := months[l[:3]]; ok {
			d.month, d.named = m, d.count
			return true
		}
	}
	return false
}

// offset reads +08:00, -0300 or +08.
func offset(s string) (*time.Location, bool) {
	digits := strings.ReplaceAll(s[1:], ":", "")
	if len(digits) != 2 && len(digits) != 4 || strings.Trim(digits, "0123456789") != "" {
		return nil, false
	}
	h, m := atoi(digits[:2]), 0
	if len(digits) == 4 {
		m = atoi(digits[2:])
	}
	if h > 15 || m > 59 {
		return nil, false
	}
	sec := h*3600 + m*60
	if s[0] == '-' {
		sec = -sec
	}
	return time.FixedZone("", sec), true
}

// parseDate reads a date in any common layout. order decides between day and
// month where the year stands last; zone is where the clock of the file stands.
func parseDate(s, order string, zone *time.Location) (time.Time, bool) {
	d, ok := cutDate(s)
	if !ok || d.count == 0 {
		return time.Time{}, false
	}
	var y, m, day, next int
	switch {
	case d.month > 0 && d.count >= 2 && d.named <= 2:
		m = d.month
		if d.digits[0] == 4 {
			y, day = d.n[0], d.n[1]
		} else {
			day, y = d.n[0], d.n[1]
			if d.digits[1] == 2 {
				y += 2000
			}
		}
		next = 2
	case d.month > 0:
		return time.Time{}, false
	case d.digits[0] == 4 && d.count >= 3:
		y, m, day, next = d.n[0], d.n[1], d.n[2], 3
	case d.count >= 3 && d.digits[0] <= 2 && (d.digits[2] == 4 || d.digits[2] == 2):
		m, day, y, next = d.n[0], d.n[1], d.n[2], 3
		if order == dayFirst {
			m, day = day, m
		}
		if d.digits[2] == 2 {
			if order == yearFirst {
				y, m, day = d.n[0], d.n[1], d.n[2]
			}
			y += 2000
		}
	case d.count <= 2 && d.digits[0] == 5 && strings.Trim(strings.TrimSpace(s), "0123456789.") == "":
		// A spreadsheet's day number, counted from 30 December 1899.
		t := time.Date(1899, 12, 30, 0, 0, 0, 0, zone).AddDate(0, 0, d.n[0])
		return t.UTC(), t.Year() >= firstYear && t.Year() <= lastYear
	default:
		return time.Time{}, false
	}
	var clock [3]int
	for i := range clock {
		if next+i < d.count {
			clock[i] = d.n[next+i]
		}
	}
	hour, minute, second := clock[0], clock[1], clock[2]
	if d.pm && hour < 12 {
		hour += 12
	}
	if d.am && hour == 12 {
		hour = 0
	}
	nano := 0
	if k := next + 3; k < d.count && d.digits[k] <= 9 {
		nano = d.n[k]
		for i := d.digits[k]; i < 9; i++ {
			nano *= 10
		}
	}
	if y < firstYear || y > lastYear || m < 1 || m > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 || second > 60 {
		return time.Time{}, false
	}
	if d.zone != nil {
		zone = d.zone
	}
	t := time.Date(y, time.Month(m), day, hour, minute, second, nano, zone)
	if hour < 24 && t.Day() != day {
		return time.Time{}, false // 30 February
	}
	return t.UTC(), true
}

// dateOrder decides from a sample of dates whether the day or the month stands
// first. sure is false where nothing in the sample tells; mixed is true where it
// tells both.
func dateOrder(sample []string) (order string, sure, mixed bool) {
	day, month, year, last := 0, 0, 0, 0
	for _, s := range sample {
		d, ok := cutDate(s)
		if !ok || d.count < 3 || d.month > 0 {
			continue
		}
		switch {
		case d.digits[0] == 4:
			year++
		case d.digits[2] == 4 || d.digits[2] == 2:
			last++
			if d.n[0] > 12 {
				day++
			} else if d.n[1] > 12 {
				month++
			}
		}
	}
	switch {
	case last == 0:
		return yearFirst, year > 0 || len(sample) == 0, false
	case day > month:
		return dayFirst, true, month > 0
	case month > 0:
		return monthFirst, true, day > 0
	}
	return "", false, false
}
