package normalize

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"bonafide"
)

// hanMarkers are words before a handle that say which chat it belongs to, in
// plain and evasive spelling, longest first.
var hanMarkers = []string{
	"微信号码", "微信账号", "微信帐号", "微信同号", "扣扣号码", "telegram号", "whatsapp号",
	"微信号", "薇信号", "威信号", "徽信号", "维信号", "微 信", "纸飞机", "飞机号", "灰机号", "扣扣号", "企鹅号", "电报号", "蝙蝠号", "抖音号", "快手号",
	"微信", "薇信", "威信", "徽信", "维信", "v信", "vx号", "wx号", "qq号", "qq群", "v号", "扣扣", "企鹅", "飞机", "灰机", "电报", "蝙蝠", "钉钉", "抖音", "快手",
	"加薇", "加微", "加威", "加v", "加q", "薇", "徽", "❤️", "❤", "♥", "🐧", "✈",
}

// latinMarkers count only before a separator: wxid_abc is itself a handle.
var latinMarkers = []string{"whatsapp", "telegram", "wechat", "weixin", "signal", "viber", "skype", "wsapp", "zapzap", "line", "zap", "wx", "vx", "qq", "tg", "ws", "v", "q", "id"}

// chatSites are addresses whose path is the handle.
var chatSites = []string{"t.me/", "telegram.me/", "telegram.dog/", "wa.me/", "api.whatsapp.com/send?phone=", "line.me/ti/p/", "u.wechat.com/"}

// handle returns the canonical spelling of a chat account. In handles alone the
// letter o is spelt 0, and l and i are spelt 1: they look alike on a screen and
// are swapped to evade filters. Two honest handles that differ in nothing else
// are rarer than the disguise. Separators go for the same reason.
func handle(folded string) (string, bonafide.IdentifierKind, bool) {
	s := strings.TrimSpace(folded)
	whatsApp := false
	s = strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(s, "https://"), "http://"), "www.")
	for _, site := range chatSites {
		if t, ok := strings.CutPrefix(s, site); ok {
			whatsApp = strings.Contains(site, "wa")
			s = strings.TrimPrefix(strings.TrimPrefix(t, "joinchat/"), "+")
			if whatsApp {
				s = "+" + s
			}
			s, _, _ = strings.Cut(s, "?")
			s = strings.TrimRight(s, "/")
			break
		}
	}
	whatsApp = whatsApp || strings.HasPrefix(s, "whatsapp") || strings.HasPrefix(s, "zap")
	for range 4 { // "加我 微信号: wx：" carries several
		t := stripMarker(s)
		if t == s {
			break
		}
		s = t
	}
	if p, ok := handlePhone(s, whatsApp); ok {
		return p, bonafide.Phone, true
	}
	b := make([]byte, 0, len(s))
	letters, other := 0, false
	for _, r := range s {
		switch {
		case r == '@' || unicode.IsSpace(r) || r == '~' || r == '·':
			continue
		case isMask(r):
			r = '*'
		case r < 0x80 && isAlnum(byte(r)):
			letters++
		case r >= 0x80 && unicode.IsLetter(r):
			letters++
			other = true
		default:
			continue
		}
		b = utf8.AppendRune(b, r)
	}
	if other {
		if d, ok := spokenDigits(string(b)); ok {
			b = []byte(d)
		}
	}
	if w := bare(string(b)); nothings[w] || chatWord[w] {
		return "", "", false
	}
	if p, ok := handlePhone(string(b), false); ok {
		return p, bonafide.Phone, true
	}
	for i, c := range b {
		switch c {
		case 'o':
			b[i] = '0'
		case 'l', 'i':
			b[i] = '1'
		}
	}
	if p, ok := handlePhone(string(b), false); ok { // 138OO138OOO
		return p, bonafide.Phone, true
	}
	w := bare(string(b))
	if least := 5; letters < least && !(other && letters >= 4) || len(b) > 64 || dull(w) {
		return "", "", false
	}
	return string(b), bonafide.Handle, true
}

// handlePhone reads a handle that is a mobile number.
func handlePhone(s string, whatsApp bool) (string, bool) {
	if !whatsApp && !strings.HasPrefix(s, "+") {
		d := strings.Map(func(r rune) rune {
			if r < 0x80 && isDigit(byte(r)) || r == '*' {
				return r
			}
			if strings.ContainsRune(" -.@", r) {
				return -1
			}
			return 'z'
		}, s)
		if _, ok := china(d); !ok || strings.Contains(d, "z") {
			return "", false
		}
	}
	return phone(s, "")
}

// spokenDigits turns s into digits where it is made of nothing but digits and
// Chinese numerals.
func spokenDigits(s string) (string, bool) {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if d, ok := hanDigit(r); ok {
			b = append(b, d)
		} else if r < 0x80 && isDigit(byte(r)) {
			b = append(b, byte(r))
		} else {
			return "", false
		}
	}
	return string(b), len(b) >= 5
}

// chatWord holds words that stand where a handle could and are none.
var chatWord = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(`whatsapp telegram wechat weixin facebook instagram twitter tiktok douyin skype viber signal line youtube
		linkedin zapzap snapchat messenger paypal alipay zelle venmo cashapp google gmail yahoo outlook hotmail qqmail
		usdt zfb group groups account number https http www call message messages chat video support service online app
		apps code codes email phone https:// everyone here channel official customer com`) {
		m[w] = true
	}
	return m
}()

const separators = " :=~+-—→>,.·|/\t、()[]"

func stripMarker(s string) string {
	s = strings.TrimLeft(s, separators+"：")
	for _, m := range hanMarkers {
		if t, ok := strings.CutPrefix(s, m); ok && t != "" {
			return strings.TrimLeft(strings.TrimPrefix(strings.TrimLeft(t, separators), "是"), separators)
		}
		if t, ok := strings.CutSuffix(strings.TrimRight(s, ")] "), m); ok && len(m) >= 6 {
			return strings.TrimRight(t, " ([")
		}
	}
	for _, m := range latinMarkers {
		t, ok := strings.CutPrefix(s, m)
		if !ok || t == "" {
			continue
		}
		if rest := strings.TrimLeft(t, " "); rest != "" && strings.IndexByte(":=+", rest[0]) >= 0 || strings.HasPrefix(t, "号") || strings.HasPrefix(t, "群") ||
			strings.HasPrefix(t, "@") || len(m) > 1 && t[0] == ' ' {
			t = strings.TrimPrefix(strings.TrimPrefix(t, "号"), "群")
			return strings.TrimLeft(t, separators)
		}
	}
	return s
}
