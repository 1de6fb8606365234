package normalize

import "strings"

// nothings are the ways in which people and systems write "no value", reduced
// to letters and digits.
var nothings = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(`na none null nil nan nothing unknown unk undefined undisclosed anonymous missing
		notavailable notapplicable notprovided notgiven notknown noemail nophone noaddress nocontact refused withheld
		redacted hidden private test testing tester teste prueba sample example dummy default asdf asdfgh qwerty abc abcd abcdef
		abc123 xyz tbd tba tbc same asabove seeabove ditto void empty blank string email phone mobile address
		account device number name id handle wechat weixin whatsapp telegram unspecified other
		nenhum nenhuma naoinformado naoinformada naotem naopossui naoconsta naodisponivel naoha semnumero sememail
		semtelefone semendereco desconhecido desconhecida ignorado vazio nulo anonimo sigiloso
		ninguno ninguna sindatos desconocido nodisponible noinformado
		无 没有 未知 不详 暂无 无此项 匿名 不明 未提供 未填写 未填 空 保密 略 同上 不知道 不清楚 没填 无手机 无电话 无邮箱 无微信 测试 其他 不提供`) {
		m[w] = true
	}
	return m
}()

// bare reduces folded text to its letters and digits.
func bare(s string) string {
	clean := true
	for i := range len(s) {
		if c := s[i]; c < 0x80 && !isAlnum(c) {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c >= 0x80 || isAlnum(c) {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// isNothing reports whether folded text says that there is no value.
func isNothing(folded string) bool {
	s := bare(stripAccents(folded))
	return s == "" || nothings[s]
}

// dull reports whether s, of ASCII letters and digits, is what people type to
// get past a form: one character repeated, or a run up or down the digits.
// Hidden characters are passed over.
func dull(s string) bool {
	if s == "" {
		return true
	}
	same, up, down := true, true, true
	for i := 1; i < len(s); i++ {
		a, b := s[i-1], s[i]
		if a != b {
			same = false
		}
		if !isDigit(a) || !isDigit(b) {
			up, down = false, false
			continue
		}
		if (a-'0'+1)%10 != b-'0' {
			up = false
		}
		if (b-'0'+1)%10 != a-'0' {
			down = false
		}
	}
	return same || len(s) > 4 && (up || down) || len(s) >= 8 && repeats(s)
}

// repeats reports a pattern of two characters typed over and over: 12121212.
func repeats(s string) bool {
	for i := 2; i < len(s); i++ {
		if s[i] != s[i-2] {
			return false
		}
	}
	return true
}

// knownJunk are values that software fills in by itself, in canonical spelling.
var knownJunk = map[string]bool{
	"020000000000":     true, // Android's answer for the network card
	"9774D56D682E549C": true, // the Android id of a whole faulty batch
	"+8613800138000":   true, // China Mobile's sample number
	"358240051111110":  true, // the emulator's IMEI
	"012345678912345":  true,
	"004999010640000":  true, // sample IMEI of cheap firmware
}
