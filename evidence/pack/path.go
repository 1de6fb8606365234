package pack

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	dataDir    = "data/"
	maxPath    = 400 // bytes, with the folder
	maxSegment = 200
)

// reserved are names that Windows keeps for devices, with any ending.
var reserved = strings.Fields("con prn aux nul conin$ conout$ com0 com1 com2 com3 com4 com5 com6 com7 com8 com9 lpt0 lpt1 lpt2 lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9")

// safePath reports whether a path can be unpacked on every system, below the folder it
// is unpacked to, and is shown as what it is.
func safePath(p string) bool {
	if p == "" || len(p) > maxPath || !utf8.ValidString(p) || !norm.NFC.IsNormalString(p) || strings.ContainsFunc(p, unsafeRune) {
		return false
	}
	for s := range strings.SplitSeq(p, "/") {
		base, _, _ := strings.Cut(s, ".")
		if s == "" || len(s) > maxSegment || s[0] == ' ' || s[len(s)-1] == ' ' || s[len(s)-1] == '.' || slices.Contains(reserved, asciiLower(strings.TrimRight(base, " "))) {
			return false
		}
	}
	return true
}

// unsafeRune reports a character that a system refuses or a reader does not see. The
// percent sign is one: BagIt writes it in a manifest other than sha256sum reads it.
func unsafeRune(r rune) bool {
	return hidden(r) || strings.ContainsRune(`\:*?"<>|%`, r)
}

// hidden reports control characters and those that change the order of what is read.
func hidden(r rune) bool {
	return r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0xad || r == 0x61c ||
		r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2060 && r <= 0x206f ||
		r == 0xfeff || r >= 0xfff0 && r <= 0xfffd || r >= 0xe0000 && r <= 0xe0fff
}

// show makes a name safe to print: hidden characters become question marks.
func show(s string) string {
	if !utf8.ValidString(s) {
		b := []byte(s)
		for i, c := range b {
			if c >= 0x80 {
				b[i] = '?'
			}
		}
		s = string(b)
	}
	rs := []rune(s)
	for i, r := range rs {
		if hidden(r) {
			rs[i] = '?'
		}
	}
	if len(rs) > maxPath {
		rs = append(rs[:maxPath], '…')
	}
	return string(rs)
}

func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

// folds finds paths that some systems do not tell apart.
type folds struct{ by map[string]string }

func newFolds() *folds { return &folds{map[string]string{}} }

// add returns the path that was there before, and false, where one was.
func (f *folds) add(p string) (string, bool) {
	k := fold(p)
	if other, ok := f.by[k]; ok {
		return other, false
	}
	f.by[k] = p
	return "", true
}

// nested returns the first path that is a folder of another, and false.
func (f *folds) nested() (string, bool) {
	bad := ""
	for k := range f.by {
		for i := range len(k) {
			if k[i] != '/' {
				continue
			}
			if p, ok := f.by[k[:i]]; ok && (bad == "" || p < bad) {
				bad = p
			}
		}
	}
	return bad, bad == ""
}

// fold drops the differences of case, character by character.
func fold(s string) string {
	return strings.Map(func(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }, norm.NFC.String(s))
}

// validID reports whether an id can stand in a line of ids.
func validID(s string) bool {
	return s != "" && len(s) <= maxSegment && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r <= 0x20 || r == 0x7f })
}
