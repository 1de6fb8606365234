package normalize

import "strings"

// email returns folded s as a canonical mailbox: disguised "at" and "dot" read,
// tags behind a plus removed, and at Gmail the dots that Gmail ignores.
func email(folded string) (string, bool) {
	s := folded
	if i := strings.IndexByte(s, '<'); i >= 0 {
		if j := strings.IndexByte(s[i:], '>'); j > 0 && strings.IndexByte(s[i:], '@') > 0 {
			s = s[i+1 : i+j]
		}
	}
	for _, label := range [...]string{"mailto:", "e-mail", "email", "邮箱"} {
		if t, ok := strings.CutPrefix(s, label); ok && (label == "mailto:" || strings.HasPrefix(t, ":") || label == "邮箱") {
			s = t
		}
	}
	s = strings.Trim(s, " \t\r\n:,;.!?\"'()[]{}，。；！")
	if strings.IndexByte(s, '@') < 0 {
		s = undisguise(s)
	} else if strings.ContainsAny(s, " ([{") {
		s = dots.Replace(s)
	}
	at := strings.IndexByte(s, '@')
	if at <= 0 || strings.LastIndexByte(s, '@') != at {
		return "", false
	}
	local, domain, ok := mailbox(s[:at], s[at+1:])
	if !ok || junkMailbox(local, domain) {
		return "", false
	}
	return local + "@" + domain, true
}

var (
	ats  = strings.NewReplacer("(at)", "@", "[at]", "@", "{at}", "@", "<at>", "@", " at ", "@", "艾特", "@", " arroba ", "@", "(arroba)", "@", "#", "@")
	dots = strings.NewReplacer("(dot)", ".", "[dot]", ".", "{dot}", ".", " dot ", ".", "[.]", ".", "(.)", ".", "点", ".", " ponto ", ".", "(ponto)", ".", "。", ".")
)

func undisguise(s string) string { return dots.Replace(ats.Replace(s)) }

// mailbox cleans the two halves of an address. It is false where they cannot be
// one.
func mailbox(local, domain string) (string, string, bool) {
	local, domain = squeeze(local), strings.TrimRight(squeeze(domain), ".")
	if i := strings.IndexByte(local, '+'); i > 0 {
		local = local[:i]
	}
	if domain == "googlemail.com" {
		domain = "gmail.com"
	}
	if domain == "gmail.com" {
		local = strings.ReplaceAll(local, ".", "")
	}
	local = strings.Trim(local, ".")
	if local == "" || len(local) > 64 || len(domain) < 4 || len(domain) > 190 {
		return "", "", false
	}
	for i := range len(local) {
		if c := local[i]; c < 0x80 && !isAlnum(c) && strings.IndexByte("._-*!#$%&'/=?^`{|}~+", c) < 0 {
			return "", "", false
		}
	}
	last := -1
	for i := range len(domain) {
		c := domain[i]
		if c == '.' {
			if i == last+1 {
				return "", "", false
			}
			last = i
			continue
		}
		if c < 0x80 && !isAlnum(c) && c != '-' && c != '*' {
			return "", "", false
		}
	}
	top := domain[last+1:]
	if last < 0 || len(top) < 2 || strings.Trim(top, "0123456789") == "" {
		return "", "", false
	}
	return local, domain, strings.Trim(local, "*") != ""
}

// squeeze removes white space.
func squeeze(s string) string {
	if strings.IndexByte(s, ' ') < 0 && strings.IndexByte(s, '\t') < 0 && strings.IndexByte(s, '\n') < 0 {
		return s
	}
	return strings.Join(strings.Fields(s), "")
}

// junkMailbox reports addresses that are nobody's, and those that machines send
// from.
func junkMailbox(local, domain string) bool {
	switch domain {
	case "example.com", "example.org", "example.net", "none.com", "no.com", "na.com", "nomail.com", "noemail.com", "null.com",
		"test.com", "email.com.invalid", "localhost.com", "xxx.com", "abc.com", "a.com", "aa.com", "asdf.com", "naotem.com", "naotem.com.br":
		return true
	}
	for _, suffix := range [...]string{".invalid", ".test", ".localhost", ".example.com", ".local"} {
		if strings.HasSuffix(domain, suffix) {
			return true
		}
	}
	l := bare(local)
	if nothings[l] || strings.HasPrefix(l, "noreply") || strings.HasPrefix(l, "donotreply") || l == "naoresponda" || l == "postmaster" || l == "mailerdaemon" {
		return true
	}
	return len(l) > 5 && !strings.Contains(local, "*") && dull(l) && !isDigit(l[0])
}
