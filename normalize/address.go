package normalize

import (
	"strings"
	"unicode/utf8"
)

// Place is a postal address in canonical spelling.
type Place struct {
	Exact    string // the whole address to the flat, canonical, token-sorted where order is free
	Building string // the address without flat, room and floor: one building
	Postal   string // postcode where found
}

// maxAddress is the longest address read, in bytes.
const maxAddress = 512

// ParseAddress reads a postal address in Chinese, English or Portuguese. It is
// false for junk and for what names no more than a town: thousands share it.
// Exact is its own canonical form: what reads differently once it is canonical is
// no address that somebody wrote, and is refused where that does not settle.
func ParseAddress(s string) (Place, bool) {
	p, ok := readAddress(s)
	for range 4 {
		if !ok {
			return Place{}, false
		}
		again, settled := readAddress(p.Exact)
		if settled && again.Exact == p.Exact {
			return p, true
		}
		if again.Postal == "" {
			again.Postal = p.Postal
		}
		p, ok = again, settled
	}
	return Place{}, false
}

// readAddress reads an address once.
func readAddress(s string) (Place, bool) {
	if len(s) > maxAddress || !utf8.ValidString(s) {
		return Place{}, false
	}
	s = strings.TrimSpace(Fold(s))
	if isNothing(s) {
		return Place{}, false
	}
	han := 0
	for _, r := range s {
		if isHan(r) {
			han++
		}
	}
	var p Place
	var ok bool
	if han >= 3 {
		p, ok = hanAddress(s)
	} else {
		p, ok = latinAddress(stripAccents(s))
	}
	if !ok || len(p.Exact) > maxAddress || isNothing(p.Exact) {
		return Place{}, false
	}
	return p, true
}

// simplified maps the traditional characters that addresses are written with.
var simplified = strings.NewReplacer("號", "号", "樓", "楼", "單", "单", "縣", "县", "區", "区", "鎮", "镇", "鄉", "乡", "東", "东", "門", "门",
	"層", "层", "莊", "庄", "幢", "栋", "棟", "栋", "廣", "广", "灣", "湾", "龍", "龙", "橋", "桥", "園", "园", "華", "华", "長", "长", "臺", "台",
	"國", "国", "市轄区", "", "市辖区", "", "中国", "", "＃", "#")

// hanAddress reads the Chinese order: province, city, district, road, number,
// building, unit, room. Spaces and punctuation carry nothing there.
func hanAddress(s string) (Place, bool) {
	s = simplified.Replace(s)
	r := make([]rune, 0, len(s))
	for i, c := range s {
		switch {
		case isHan(c), c < 0x80 && isAlnum(byte(c)), c == '#', c == '*':
			r = append(r, c)
		case c == '-' || c == '—' || c == '–' || c == '~' || c == '_' || c == '/':
			if n := len(r); n > 0 && r[n-1] != '-' && i > 0 {
				r = append(r, '-')
			}
		case c >= 0x80 && c != '，' && c != '。' && c != '、' && c > 0x3020:
			r = append(r, c)
		}
	}
	s = strings.Trim(countUnits(r), "-")
	// Taking one thing off can uncover another of its kind.
	var p Place
	s, p.Postal = hanPostal(s)
	base, building, entrance, room := hanTail(s)
	p.Building = base + building
	p.Exact = p.Building + entrance + room
	digit := strings.ContainsAny(p.Exact, "0123456789")
	n := utf8.RuneCountInString(base)
	if n < 2 || n+utf8.RuneCountInString(building+room) < 4 || !digit && (n < 8 || strings.HasSuffix(base, "省") || strings.HasSuffix(base, "市") ||
		strings.HasSuffix(base, "区") || strings.HasSuffix(base, "县") || strings.HasSuffix(base, "镇") || strings.HasSuffix(base, "乡") ||
		strings.HasSuffix(base, "街道")) || nothings[p.Exact] {
		return Place{}, false
	}
	return p, true
}

// hanPostal takes a six-digit postcode off either end.
func hanPostal(s string) (rest, code string) {
	for _, label := range [...]string{"邮政编码", "邮编"} {
		if before, after, ok := strings.Cut(s, label); ok {
			t := after
			if len(t) >= 6 && allDigits(t[:6]) && (len(t) == 6 || !isDigit(t[6])) {
				return before + t[6:], t[:6]
			}
		}
	}
	if len(s) > 6 && allDigits(s[:6]) && !isDigit(s[6]) && s[6] >= 0x80 {
		return s[6:], s[:6]
	}
	return s, ""
}

// counted are the words that a number stands before in an address; a Chinese
// numeral is turned to digits only there, so that road names keep theirs.
const counted = "号栋楼座层单室房户弄期排幢院#"

// countUnits writes Chinese numerals before a counting word as digits.
func countUnits(r []rune) string {
	var b strings.Builder
	for i := 0; i < len(r); {
		if _, ok := numeral(r[i]); !ok {
			b.WriteRune(r[i])
			i++
			continue
		}
		j := i
		for j < len(r) {
			if _, ok := numeral(r[j]); !ok {
				break
			}
			j++
		}
		if j < len(r) && strings.ContainsRune(counted, r[j]) {
			b.WriteString(readNumeral(r[i:j]))
		} else {
			b.WriteString(string(r[i:j]))
		}
		i = j
	}
	return b.String()
}

// numeral returns the value of a Chinese numeral, with ten and hundred.
func numeral(r rune) (int, bool) {
	switch r {
	case '十', '拾':
		return 10, true
	case '百', '佰':
		return 100, true
	case '两':
		return 2, true
	case '○':
		return 0, false
	}
	d, ok := hanDigit(r)
	return int(d - '0'), ok
}

// readNumeral writes 二十三 as 23, 一百零三 as 103 and 一零三 as 103.
func readNumeral(r []rune) string {
	spoken := false
	for _, c := range r {
		if v, _ := numeral(c); v >= 10 {
			spoken = true
		}
	}
	if !spoken || len(r) > 8 {
		var b strings.Builder
		for _, c := range r {
			v, _ := numeral(c)
			if v >= 10 {
				return string(r)
			}
			b.WriteByte(byte('0' + v))
		}
		return b.String()
	}
	total, digit := 0, 0
	for _, c := range r {
		v, _ := numeral(c)
		if v < 10 {
			digit = v
			continue
		}
		if digit == 0 {
			digit = 1
		}
		total += digit * v
		digit = 0
	}
	return itoa(total + digit)
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

// hanTail splits the end of a Chinese address into building, entrance and room,
// each in one spelling: 3栋, 2单元, 501室.
func hanTail(s string) (base, building, entrance, room string) {
	rest := s
	// Each word is taken off the end, innermost first.
	if t, n, ok := cutCount(rest, "室", "房间", "房号", "房", "户"); ok {
		rest, room = t, n
	} else if t, n, ok := cutCount(rest, ""); ok && n != "" && len(n) <= 5 && t != "" {
		if strings.HasSuffix(t, "-") || hasUnitSuffix(t) {
			rest, room = t, n // 3-501, 3栋501, A座1203
		}
	}
	rest = strings.TrimRight(rest, "-")
	if t, n, ok := cutCount(rest, "层"); ok {
		rest = t
		if room == "" {
			room = n + "层"
		}
	}
	if t, n, ok := cutCount(rest, "楼"); ok && (room != "" || hasUnitSuffix(t)) && hasUnitSuffix(t) {
		rest = t // a floor: 3栋5楼501
		if room == "" {
			room = n + "层"
		}
	}
	rest = strings.TrimRight(rest, "-")
	if t, n, ok := cutCount(rest, "单元", "门"); ok {
		rest, entrance = t, n
	} else if room != "" {
		if t, n, ok := cutCount(rest, ""); ok && n != "" && len(n) <= 2 && strings.HasSuffix(t, "-") {
			rest, entrance = t, n // 3-2-501
		}
	}
	rest = strings.TrimRight(rest, "-")
	if t, n, ok := cutCount(rest, "号楼", "号栋", "#楼", "#栋", "栋", "座", "楼", "#"); ok {
		rest, building = t, n
	} else if t, n, ok := cutCount(rest, ""); ok && n != "" && len(n) <= 3 && (entrance != "" || room != "") && t != "" {
		rest, building = t, n
	}
	rest = strings.TrimRight(rest, "-#")
	if building != "" {
		building += "栋"
	}
	if entrance != "" {
		entrance += "单元"
	}
	if room != "" && !strings.HasSuffix(room, "层") {
		room += "室"
	}
	return rest, building, entrance, room
}

// cutCount takes a number and one of the words off the end of s. The number is
// digits, or one letter with digits: 501, a, b2.
func cutCount(s string, words ...string) (rest, count string, ok bool) {
	for _, w := range words {
		t, has := strings.CutSuffix(s, w)
		if !has {
			continue
		}
		i := len(t)
		for i > 0 && isAlnum(t[i-1]) {
			i--
		}
		if n := t[i:]; n != "" && len(n) <= 6 && (w != "" || isDigit(n[0])) {
			return t[:i], n, true
		}
		if w != "" {
			return s, "", false
		}
	}
	return s, "", false
}

func hasUnitSuffix(s string) bool {
	for _, w := range [...]string{"栋", "号楼", "座", "单元", "层", "楼", "#", "门"} {
		if t, ok := strings.CutSuffix(s, w); ok && t != "" && isAlnum(t[len(t)-1]) {
			return true
		}
	}
	return false
}
