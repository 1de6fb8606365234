package normalize

import (
	"strings"
	"testing"
	"unicode/utf8"

	"bonafide"
)

// seeds are shapes that every target starts from.
var seeds = []string{
	"", "+86 138 1234 5678", "138****1234", "(11) 98765-4321", "a.b+c@gmail.com", "微信：ＦａＷｕ６６８", "加V❶③0①⑤0⑧00⑨④", "湖南省长沙市岳麓区麓山南路1号3-2-501",
	"12 Main Street, Apt 4, Springfield, IL 62704", "R. das Flores, nº 123, apto 45, bloco B", "P.O. Box 12", "LI, Wei", "欧阳修", "11010519491231002X", "529.982.247-25", "GB82 WEST 1234 5698 7654 32",
	"li at mail dot com", "\u0430\u0301\u200b\u0336", "٠١٢٣٤٥٦٧٨٩", "t.me/+abc", "8.8.8.8:53", "\xff\xfe", "ap apto o",
}

func FuzzIdentifier(f *testing.F) {
	for i, s := range seeds {
		f.Add(s, uint8(i), "")
	}
	f.Add("13 98765-4321", uint8(0), "BR")
	f.Fuzz(func(t *testing.T, s string, k uint8, country string) {
		if len(country) > 4 {
			return
		}
		n := New(Config{Country: country})
		v, ok := n.Identifier(bonafide.Identifier{Kind: bonafide.IdentifierKinds[int(k)%len(bonafide.IdentifierKinds)], Value: s})
		if !ok {
			return
		}
		if v.Text == "" || len(v.Text) > 2*maxIdentifier || !utf8.ValidString(v.Text) {
			t.Fatalf("canonical text of %d bytes", len(v.Text))
		}
		again, ok := n.Identifier(bonafide.Identifier{Kind: v.Kind, Value: v.Text})
		if !ok || again != v {
			t.Fatalf("%q gives %+v, which gives %+v, %v", s, v, again, ok)
		}
		if !Compatible(v.Text, v.Text) || Shown(v.Text) < 1 {
			t.Fatalf("%+v: not compatible with itself, or nothing shown", v)
		}
	})
}

func FuzzFold(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := Fold(s)
		if twice := Fold(once); twice != once {
			t.Fatalf("Fold(%q) = %q, again %q", s, once, twice)
		}
		if len(once) > 40*len(s)+8 {
			t.Fatalf("%d bytes grow to %d", len(s), len(once))
		}
	})
}

func FuzzFind(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
		f.Add("x " + s + " y")
	}
	f.Fuzz(func(t *testing.T, s string) {
		last := 0
		for _, x := range Find(s) {
			if x.Start < last || x.End <= x.Start || x.End > len(s) || x.Value == "" || x.Kind == "" {
				t.Fatalf("%q: found %+v behind %d", s, x, last)
			}
			last = x.End
			if utf8.ValidString(s) && (!utf8.ValidString(s[x.Start:x.End]) || len(x.Value) > 200) {
				t.Fatalf("%q: found %+v cuts a character", s, x)
			}
		}
		m := Mask(s)
		run := 0
		for i := range len(m) {
			if !isDigit(m[i]) {
				run = 0
			} else if run++; run >= longNumber {
				t.Fatalf("Mask(%q) = %q shows a long number", s, m)
			}
		}
	})
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, ok := ParseAddress(s)
		if !ok {
			return
		}
		again, ok := ParseAddress(p.Exact)
		if !ok || again.Exact != p.Exact {
			t.Fatalf("%q gives %q, which gives %q, %v", s, p.Exact, again.Exact, ok)
		}
	})
}

func FuzzName(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, ok := Name(s)
		if !ok {
			return
		}
		again, ok := Name(p.Full)
		if !ok || again.Full != p.Full {
			t.Fatalf("%q gives %q, which gives %q, %v", s, p.Full, again.Full, ok)
		}
		if strings.ContainsAny(p.Full, ",.;") {
			t.Fatalf("%q gives %q", s, p.Full)
		}
	})
}

func FuzzID(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, ok := ID(s)
		if !ok {
			return
		}
		if again, ok := ID(id.Text); !ok || again != id {
			t.Fatalf("%q gives %+v, which gives %+v, %v", s, id, again, ok)
		}
	})
}
