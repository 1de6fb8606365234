package normalize

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// PersonName is a name folded to lower case without accents, titles and
// particles. Full has its words sorted, so that "LI, Wei" and "Wei Li" are one
// name; Surname and Given are the best guess and may be swapped where nothing
// in the spelling tells.
type PersonName struct{ Full, Surname, Given string }

// doubleSurnames are the Chinese surnames of two characters still in use.
var doubleSurnames = func() map[string]bool {
	m := map[string]bool{}
	for s := range strings.FieldsSeq(`欧阳 歐陽 上官 司马 司馬 诸葛 諸葛 夏侯 东方 東方 皇甫 尉迟 尉遲 公孙 公孫 慕容 令狐 长孙 長孫 宇文 司徒 司空 端木 南宫 南宮 独孤 獨孤
		百里 呼延 东郭 東郭 西门 西門 轩辕 軒轅 申屠 太史 公冶 濮阳 濮陽 淳于 单于 單于 钟离 鍾離 闾丘 公羊 赫连 赫連 澹台 澹臺 拓跋 万俟 萬俟 闻人 聞人 完颜 完顏 第五 梁丘 左丘 东门 南门`) {
		m[s] = true
	}
	return m
}()

var titles = wordSet(`mr mrs ms miss mx dr prof professor sir madam dame rev jr sr snr jnr ii iii iv esq phd md mba
	sra srta dona dom senhor senhora doutor doutora dra don doña señor señora attorney atty adv advogado advogada`)

var particles = wordSet(`de da do dos das e del la las los di du van von der den ter y`)

// hanTitles stand behind a Chinese name.
var hanTitles = []string{"先生", "女士", "小姐", "太太", "老师", "同志", "律师", "经理", "阿姨", "师傅", "夫人"}

func wordSet(s string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(s) {
		m[w] = true
	}
	return m
}

// Name reads a person's name. It is false where s holds none, or one with
// hidden characters: such a name would equal thousands.
func Name(s string) (PersonName, bool) {
	p, ok := readName(s)
	for range 4 {
		if !ok {
			return PersonName{}, false
		}
		again, settled := readName(p.Full)
		if settled && again.Full == p.Full {
			return p, true
		}
		p, ok = again, settled
	}
	return PersonName{}, false // reads differently each time: no name
}

// readName reads a name once.
func readName(s string) (PersonName, bool) {
	if len(s) > 256 || !utf8.ValidString(s) {
		return PersonName{}, false
	}
	upper := capitals(s)
	s = stripAccents(strings.TrimSpace(Fold(s)))
	if isNothing(s) || strings.IndexFunc(s, isMask) >= 0 {
		return PersonName{}, false
	}
	han, latin := 0, 0
	for _, r := range s {
		switch {
		case isHan(r):
			han++
		case unicode.IsLetter(r):
			latin++
		}
	}
	if han > 0 && latin == 0 {
		return hanName(s)
	}
	return latinName(s, upper)
}

func hanName(s string) (PersonName, bool) {
	var b strings.Builder
	for _, r := range s {
		if isHan(r) {
			b.WriteRune(r)
		}
	}
	s = b.String()
	for again := true; again; {
		again = false
		for _, t := range hanTitles {
			if u, ok := strings.CutSuffix(s, t); ok && u != "" {
				s, again = u, true
			}
		}
	}
	r := []rune(s)
	if len(r) < 2 || len(r) > 20 || nothings[s] || uniform3(r) {
		return PersonName{}, false
	}
	n := 1
	if len(r) > 2 && doubleSurnames[string(r[:2])] {
		n = 2
	}
	return PersonName{Full: s, Surname: string(r[:n]), Given: string(r[n:])}, true
}

func uniform3(r []rune) bool {
	for _, c := range r {
		if c != r[0] {
			return false
		}
	}
	return len(r) > 2
}

// capitals returns the words of s written in capitals, folded, where s has
// others too: "LI Wei" shows its surname so.
func capitals(s string) map[string]bool {
	var m map[string]bool
	mixed := false
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' }) {
		if utf8.RuneCountInString(w) < 2 {
			continue
		}
		if strings.ToUpper(w) == w && strings.ToLower(w) != w {
			if m == nil {
				m = map[string]bool{}
			}
			m[stripAccents(Fold(w))] = true
		} else {
			mixed = true
		}
	}
	if !mixed {
		return nil
	}
	return m
}

func latinName(s string, upper map[string]bool) (PersonName, bool) {
	last, first, comma := strings.Cut(s, ",")
	a, b := nameWords(last), nameWords(first)
	words := append(slices.Clone(a), b...)
	n := 0
	for _, w := range words {
		n += utf8.RuneCountInString(w)
	}
	if len(words) == 0 || len(words) > 12 || n < 2 || uniformWord(strings.Join(words, "")) {
		return PersonName{}, false
	}
	var p PersonName
	switch {
	case comma && len(a) > 0 && len(b) > 0:
		p.Surname, p.Given = strings.Join(a, " "), strings.Join(b, " ")
	default:
		at := len(words) - 1
		for i, w := range words {
			if upper[w] {
				at = i
			}
		}
		p.Surname = words[at]
		p.Given = strings.Join(slices.Delete(slices.Clone(words), at, at+1), " ")
	}
	slices.Sort(words)
	if nothings[strings.Join(words, "")] {
		return PersonName{}, false
	}
	p.Full = strings.Join(words, " ")
	return p, true
}

func uniformWord(s string) bool {
	for _, r := range s {
		if first, _ := utf8.DecodeRuneInString(s); r != first {
			return false
		}
	}
	return true
}

// nameWords splits at anything but letters; apostrophes and hyphens join.
func nameWords(s string) []string {
	s = strings.NewReplacer("'", "", "’", "", "`", "", "-", " ").Replace(s)
	words := strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.Is(unicode.M, r) })
	return slices.DeleteFunc(words, func(w string) bool { return titles[w] || particles[w] })
}
