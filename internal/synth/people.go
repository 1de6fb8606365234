package synth

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// A person is a made-up customer with the identifiers that are truly theirs.
type person struct {
	ref, name                 string
	phone, second             string // the number the lender knows, and another
	email, handle, device, ip string
	address, region           string
	account, loan             string // for refunds; the loan or card number
	sender                    string // as on the back of an envelope
}

// zipf picks an index below n with probability falling as 1/(rank+2).
func zipf(r *rand.Rand, n int) int {
	return min(int(math.Exp(r.Float64()*math.Log(float64(n+2)/2))*2)-2, n-1)
}

func pickZipf(r *rand.Rand, words []string) string { return words[zipf(r, len(words))] }

func pickOne[T any](r *rand.Rand, words []T) T { return words[r.IntN(len(words))] }

func digitsOf(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = '0' + byte(r.IntN(10))
	}
	return string(b)
}

func hexOf(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "0123456789abcdef"[r.IntN(16)]
	}
	return string(b)
}

// person makes a customer. A region of "" is drawn from the language's regions.
func (m *maker) person(region string) *person {
	r := m.r
	given, surname := m.names(r)
	p := &person{region: region}
	p.name = m.fullName(given, surname)
	if p.region == "" {
		p.region = m.region(r)
	}
	p.ref = m.ref(r)
	p.phone, p.second = m.phone(r), m.phone(r)
	p.email = m.email(r, given, surname)
	p.handle = m.handle(r)
	p.device, p.ip = m.device(r), m.ip(r)
	p.address = m.address(r, p.region)
	p.account, p.loan = m.account(r), m.loan(r)
	p.sender = m.sender(r, p.name, p.region)
	return p
}

func (m *maker) names(r *rand.Rand) (given, surname string) {
	w := people[m.Lang]
	surname = pickZipf(r, w.surnames)
	given = pickZipf(r, w.given)
	if m.Lang == "zh" && r.Float64() < 0.7 {
		given += pickZipf(r, w.given)
	}
	if m.Lang == "pt" && r.Float64() < 0.6 {
		surname = pickZipf(r, w.surnames) + " " + surname
	}
	return given, surname
}

func (m *maker) fullName(given, surname string) string {
	switch {
	case m.Lang == "zh":
		return surname + given
	case m.Style == Held2:
		return strings.ToUpper(surname) + ", " + given
	}
	return given + " " + surname
}

func (m *maker) region(r *rand.Rand) string { return pickZipf(r, people[m.Lang].regions) }

func (m *maker) ref(r *rand.Rand) string {
	switch m.Style {
	case Held:
		return "KD" + digitsOf(r, 9)
	case Held2:
		return hexOf(r, 4) + "-" + digitsOf(r, 6)
	}
	return "U" + digitsOf(r, 8)
}

// phone returns a mobile number as most people write it: eleven digits in each
// of the three countries.
func (m *maker) phone(r *rand.Rand) string {
	switch m.Lang {
	case "zh":
		return pickOne(r, []string{"13", "15", "17", "18", "19"}) + digitsOf(r, 9)
	case "pt":
		return pickZipf(r, []string{"11", "21", "31", "71", "41", "81", "85", "51", "62", "92"}) + "9" + digitsOf(r, 8)
	}
	return "07" + digitsOf(r, 9)
}

// landline returns the number of a home or a firm.
func (m *maker) landline(r *rand.Rand) string {
	switch m.Lang {
	case "zh":
		return pickOne(r, []string{"010", "021", "028", "0755", "0571"}) + "6" + digitsOf(r, 7)
	case "pt":
		return pickOne(r, []string{"11", "21", "31", "71"}) + "3" + digitsOf(r, 7)
	}
	return pickOne(r, []string{"0121", "0161", "0113", "0141"}) + "4" + digitsOf(r, 6)
}

func (m *maker) email(r *rand.Rand, given, surname string) string {
	hosts := map[string][]string{
		"en": {"mailbox.example", "post.example", "inbox.example", "home.example"},
		"zh": {"youxiang.example", "xinfeng.example", "mail.example"},
		"pt": {"correio.example", "caixa.example", "mail.example"},
	}[m.Lang]
	user := strings.ToLower(given + pickOne(r, []string{".", "", "_"}) + surname)
	if m.Lang == "zh" {
		user = syllables(r, 2)
	}
	user = strings.ReplaceAll(ascii.Replace(user), " ", "")
	return fmt.Sprintf("%s%s@%s", user, digitsOf(r, 4+r.IntN(3)), pickZipf(r, hosts))
}

// mailbox returns an address that looks like anybody's.
func (m *maker) mailbox() string {
	given, surname := m.names(m.r)
	return m.email(m.r, given, surname)
}

// ascii takes the accents off Portuguese names.
var ascii = strings.NewReplacer("á", "a", "ã", "a", "â", "a", "ç", "c", "é", "e", "ê", "e", "í", "i", "ó", "o", "ô", "o", "ú", "u")

func (m *maker) handle(r *rand.Rand) string {
	s := syllables(r, 2)
	switch m.Style {
	case Held:
		return s + digitsOf(r, 5)
	case Held2:
		return "id" + digitsOf(r, 8)
	}
	return s + "_" + digitsOf(r, 4)
}

func (m *maker) device(r *rand.Rand) string {
	switch m.Style {
	case Held:
		return fmt.Sprintf("%s-%s-%s-%s", hexOf(r, 8), hexOf(r, 4), hexOf(r, 4), hexOf(r, 12))
	case Held2:
		return "86" + digitsOf(r, 13)
	}
	return hexOf(r, 16)
}

func (m *maker) ip(r *rand.Rand) string {
	return fmt.Sprintf("%d.%d.%d.%d", 36+r.IntN(180), r.IntN(256), r.IntN(256), 1+r.IntN(254))
}

func (m *maker) account(r *rand.Rand) string {
	switch m.Lang {
	case "zh":
		return "62" + digitsOf(r, 17)
	case "pt":
		return digitsOf(r, 4) + "/" + digitsOf(r, 6) + "-" + digitsOf(r, 1)
	}
	return digitsOf(r, 2) + "-" + digitsOf(r, 2) + "-" + digitsOf(r, 2) + " " + digitsOf(r, 8)
}

func (m *maker) loan(r *rand.Rand) string {
	return map[Style]string{Dev: "L", Held: "CT-", Held2: ""}[m.Style] + digitsOf(r, 12)
}

func (m *maker) sha256(r *rand.Rand) string { return hexOf(r, 64) }

func (m *maker) sender(r *rand.Rand, name, region string) string {
	return fmt.Sprintf("%s, %s %d, %s", name, pickOne(r, people[m.Lang].streets), 1+r.IntN(300), region)
}

// address makes a home in a region; styles write addresses differently.
func (m *maker) address(r *rand.Rand, region string) string {
	w := people[m.Lang]
	street, no, flat := pickOne(r, w.streets), 1+r.IntN(600), 1+r.IntN(60)
	switch m.Lang {
	case "zh":
		switch m.Style {
		case Held:
			return fmt.Sprintf("%s%s%s%d号院%d单元%d室", region, pickOne(r, w.towns), street, no, 1+r.IntN(6), 101+100*r.IntN(20)+r.IntN(4))
		case Held2:
			return fmt.Sprintf("%s%s小区%d-%d-%d", region, syllablesHan(r, 2), 1+r.IntN(40), 1+r.IntN(4), 101+100*r.IntN(17))
		}
		return fmt.Sprintf("%s%s%s%d号%d栋%d", region, pickOne(r, w.towns), street, no, 1+r.IntN(30), 101+100*r.IntN(20)+r.IntN(4))
	case "pt":
		switch m.Style {
		case Held:
			return fmt.Sprintf("%s %s, nº %d, ap. %d, %s - %s", pickOne(r, []string{"Av.", "Travessa", "Alameda"}), street, no, flat, pickOne(r, w.towns), region)
		case Held2:
			return fmt.Sprintf("%s-%s | %s %d", digitsOf(r, 5), digitsOf(r, 3), street, no)
		}
		return fmt.Sprintf("Rua %s, %d, %s, %s", street, no, pickOne(r, w.towns), region)
	}
	switch m.Style {
	case Held:
		return fmt.Sprintf("Flat %d, %d %s, %s, %s %s", flat, no, street, pickOne(r, w.towns), region, postcode(r))
	case Held2:
		return fmt.Sprintf("%s | %d %s", postcode(r), no, street)
	}
	return fmt.Sprintf("%d %s, %s, %s", no, street, pickOne(r, w.towns), region)
}

func postcode(r *rand.Rand) string {
	const letters = "ABDEFGHJLNPQRSTUWXYZ"
	l := func() byte { return letters[r.IntN(len(letters))] }
	return fmt.Sprintf("%c%c%d %d%c%c", l(), l(), 1+r.IntN(30), r.IntN(10), l(), l())
}

// rewrite writes the same address another way, as a second person of a home does.
func (m *maker) rewrite(r *rand.Rand, address string) string {
	switch r.IntN(4) {
	case 0:
		return strings.ToUpper(address)
	case 1:
		return strings.NewReplacer(",", "", "号", "號", " Road", " Rd", " Street", " St", "Rua ", "R. ", "Av.", "Avenida", "室", "").Replace(address)
	case 2:
		return strings.NewReplacer(", ", ",", "栋", "幢", "Flat ", "Apt ", "nº ", "", "|", ",", "单元", "-").Replace(address)
	}
	return address
}

// syllables makes a pronounceable Latin word of n syllables.
func syllables(r *rand.Rand, n int) string {
	var w strings.Builder
	for range n {
		w.WriteString(pickOne(r, onsets))
		w.WriteString(pickOne(r, vowels))
	}
	return w.String()
}

var (
	onsets = strings.Fields("b c d f g h j k l m n p r s t v w x y z br ch cl dr fl gr kr pl pr sh st th tr zh qu")
	vowels = strings.Fields("a e i o u ai ei ou ia ao an en in on un ar or er")
)

func syllablesHan(r *rand.Rand, n int) string {
	var w strings.Builder
	for range n {
		w.WriteRune(placeRunes[r.IntN(len(placeRunes))])
	}
	return w.String()
}

var placeRunes = []rune("金锦阳兴和华盛丰泰安宁康乐福祥瑞嘉美景天龙凤翠湖海江河滨园林苑城新东西南北中山水云星月")
