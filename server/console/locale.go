package console

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

//go:embed locale/*.toml
var localeFiles embed.FS

// A Lang is a language that pages are written in.
type Lang struct {
	Tag    string // BCP 47, as in the lang attribute
	Name   string // in itself
	column string // of the catalogues
	tag    language.Tag
	group  string // between thousands
	point  string
}

// langs lists the languages, the one that others fall back to first.
var langs = []Lang{
	{"en", "English", "en", language.English, ",", "."},
	{"zh-CN", "中文", "zh", language.SimplifiedChinese, ",", "."},
	{"pt-BR", "Português", "pt", language.BrazilianPortuguese, ".", ","},
}

// pseudo is the language of a test: every message is its key in ⟦brackets⟧, so that
// what stands outside of them was written past the catalogues.
const pseudo = "qps"

// A message is what one key says in each language, by plural form; "other" is there
// always.
type message map[string]map[string]string

// A catalogue holds all messages.
type catalogue map[string]message

// readCatalogue reads the files of messages. A key stands once, and in every language.
func readCatalogue(files fs.FS) (catalogue, error) {
	names, err := fs.Glob(files, "locale/*.toml")
	if err != nil {
		return nil, err
	}
	all := catalogue{}
	for _, name := range names {
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		var raw map[string]map[string]any
		if _, err := toml.Decode(string(b), &raw); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for key, by := range raw {
			if all[key] != nil {
				return nil, fmt.Errorf("%s: %s stands twice", name, key)
			}
			if all[key], err = readMessage(by); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", name, key, err)
			}
		}
	}
	return all, nil
}

func readMessage(by map[string]any) (message, error) {
	m := message{}
	for _, l := range langs {
		switch v := by[l.column].(type) {
		case string:
			m[l.column] = map[string]string{"other": v}
		case map[string]any:
			forms := map[string]string{}
			for form, text := range v {
				s, ok := text.(string)
				if !ok || !slices.Contains([]string{"zero", "one", "two", "few", "many", "other"}, form) {
					return nil, fmt.Errorf("%s: %s is no plural form", l.column, form)
				}
				forms[form] = s
			}
			if forms["other"] == "" {
				return nil, fmt.Errorf("%s: the form other is missing", l.column)
			}
			m[l.column] = forms
		default:
			return nil, fmt.Errorf("%s is missing", l.column)
		}
	}
	if len(by) != len(langs) {
		return nil, fmt.Errorf("a language that there is not")
	}
	return m, nil
}

// A tongue says things in one language.
type tongue struct {
	Lang
	all  catalogue
	zone *time.Location
}

// T says what a key means, with args in the places {0}, {1} … of the message. Where the
// first is a number it chooses the plural form.
func (g tongue) T(key string, args ...any) string {
	m := g.all[key]
	if g.Tag == pseudo || m == nil {
		var out strings.Builder
		out.WriteString("⟦" + key)
		for _, a := range args {
			out.WriteString(" " + g.show(a))
		}
		return out.String() + "⟧"
	}
	forms := m[g.column]
	text := forms["other"]
	if len(args) > 0 && len(forms) > 1 {
		if n, ok := whole(args[0]); ok {
			if t := forms[g.form(n)]; t != "" {
				text = t
			}
		}
	}
	for i, a := range args {
		text = strings.ReplaceAll(text, "{"+strconv.Itoa(i)+"}", g.show(a))
	}
	return text
}

// Has reports whether there is a message of a key.
func (g tongue) Has(key string) bool { return g.all[key] != nil }

func whole(a any) (int, bool) {
	switch n := a.(type) {
	case int:
		return n, true
	case int64:
		return int(n), true
	}
	return 0, false
}

func (g tongue) form(n int) string {
	n = max(n, -n)
	switch plural.Cardinal.MatchPlural(g.tag, n, 0, 0, 0, 0) {
	case plural.Zero:
		return "zero"
	case plural.One:
		return "one"
	case plural.Two:
		return "two"
	case plural.Few:
		return "few"
	case plural.Many:
		return "many"
	}
	return "other"
}

func (g tongue) show(a any) string {
	switch v := a.(type) {
	case int:
		return g.N(int64(v))
	case int64:
		return g.N(v)
	case float64:
		return g.F(v, 1)
	case time.Time:
		return g.Date(v)
	case fmt.Stringer:
		return v.String()
	}
	return fmt.Sprint(a)
}

// N writes a whole number.
func (g tongue) N(n any) string {
	w, _ := whole(n)
	s := strconv.Itoa(w)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + g.group + s[i:]
	}
	return s
}

// F writes a number with some places behind the point.
func (g tongue) F(x float64, places int) string {
	s := strconv.FormatFloat(x, 'f', places, 64)
	whole, rest, broken := strings.Cut(s, ".")
	n, err := strconv.Atoi(whole)
	if err != nil {
		return s
	}
	out := g.N(n)
	if n == 0 && strings.HasPrefix(whole, "-") {
		out = "-" + out
	}
	if broken {
		out += g.point + rest
	}
	return out
}

// Percent writes a share of one.
func (g tongue) Percent(x float64) string { return g.F(100*x, 1) + " %" }

var months = map[string][]string{
	"en": {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
	"pt": {"jan", "fev", "mar", "abr", "mai", "jun", "jul", "ago", "set", "out", "nov", "dez"},
}

// Date writes a day in the zone of the clocks.
func (g tongue) Date(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	t = t.In(g.zone)
	switch g.column {
	case "zh":
		return fmt.Sprintf("%d年%d月%d日", t.Year(), t.Month(), t.Day())
	case "pt":
		return fmt.Sprintf("%d %s %d", t.Day(), months["pt"][t.Month()-1], t.Year())
	}
	return fmt.Sprintf("%d %s %d", t.Day(), months["en"][t.Month()-1], t.Year())
}

// Time writes a day and the time of it.
func (g tongue) Time(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return g.Date(t) + " " + t.In(g.zone).Format("15:04")
}

// Machine writes a moment for the datetime attribute.
func (g tongue) Machine(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Money writes an amount of minor units.
func (g tongue) Money(minor int64, currency string) string {
	return g.F(float64(minor)/100, 2) + " " + currency
}

// chooseLang returns the language that somebody reads: what they chose, else what their
// browser asks for.
func chooseLang(chosen, accept string) Lang {
	for _, want := range append([]string{chosen}, strings.Split(accept, ",")...) {
		want, _, _ = strings.Cut(strings.TrimSpace(want), ";")
		base, _, _ := strings.Cut(strings.ToLower(want), "-")
		for _, l := range langs {
			if base != "" && strings.HasPrefix(strings.ToLower(l.Tag), base) {
				return l
			}
		}
	}
	return langs[0]
}
