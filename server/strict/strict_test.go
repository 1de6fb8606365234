package strict

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"bonafide"
)

type thing struct {
	ID    string    `json:"id"`
	Count int64     `json:"count,omitempty"`
	Share float64   `json:"share,omitempty"`
	On    bool      `json:"on,omitempty"`
	At    time.Time `json:"at,omitzero"`
	Part  *part     `json:"part,omitempty"`
	Parts []part    `json:"parts,omitempty"`
	Words []string  `json:"words,omitempty"`
	own   int
}

type part struct {
	Kind string `json:"kind"`
}

func TestDecode(t *testing.T) {
	var got thing
	err := Decode([]byte(` {"id":"a\u0062\n\ud83d\ude00", "count":-12,"share":1.5e1,"on":true,"at":"2024-05-31T23:30:00+08:00",
		"part":{"kind":"x"},"parts":[{"kind":"y"},{"kind":"z"}],"words":[]} `), &got, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := thing{
		ID: "ab\n😀", Count: -12, Share: 15, On: true, At: time.Date(2024, 5, 31, 15, 30, 0, 0, time.UTC),
		Part: &part{"x"}, Parts: []part{{"y"}, {"z"}}, Words: []string{}, own: 0,
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(thing{}), cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if _, offset := got.At.Zone(); offset != 8*3600 {
		t.Errorf("the zone is %d s, want it kept", offset)
	}
}

func TestDecodeRefuses(t *testing.T) {
	const canary = "CANARY-4711"
	for _, c := range []struct {
		name, in string
		field    string
		reason   string // a part of it
		syntax   bool
	}{
		{"empty", ``, "", "ends early", true},
		{"no object", `["` + canary + `"]`, "", "not a JSON object", false},
		{"text behind", `{"id":"x"} ` + canary, "", "more follows", true},
		{"unknown", `{"idd":"` + canary + `"}`, "idd", "does not have; it has id, count", false},
		{"unknown, named like a value", `{"` + canary + `":1}`, "", "does not have", false},
		{"unknown, inside", `{"part":{"sort":1}}`, "part.sort", "does not have; it has kind", false},
		{"in another case", `{"ID":"x"}`, "", "does not have", false},
		{"number for string", `{"id":4711}`, "id", "not a string", false},
		{"string for number", `{"count":"` + canary + `"}`, "count", "not a whole number", false},
		{"fraction", `{"count":1.5}`, "count", "not a whole number", false},
		{"too great", `{"count":9223372036854775808}`, "count", "not a whole number", false},
		{"too great a float", `{"share":1e999}`, "share", "not a number", false},
		{"string for bool", `{"on":"true"}`, "on", "neither true nor false", false},
		{"a date that is none", `{"at":"` + canary + `"}`, "at", "not a date-time", false},
		{"a date far off", `{"at":"9999-01-01T00:00:00Z"}`, "at", "not a date-time", false},
		{"null", `{"id":null}`, "id", "null", false},
		{"object for array", `{"parts":{}}`, "parts", "not an array", false},
		{"array for object", `{"part":[]}`, "part", "not an object", false},
		{"an element", `{"parts":[{"kind":"a"},{"kind":1}]}`, "parts[1].kind", "not a string", false},
		{"twice", `{"id":"a","id":"` + canary + `"}`, "", "second time", true},
		{"twice, spelt otherwise", `{"id":"a","\u0069d":"b"}`, "", "second time", true},
		{"half a pair", `{"id":"\ud83d"}`, "", "half a character", true},
		{"the other half", `{"id":"\ude00\ud83d"}`, "", "half a character", true},
		{"NUL", `{"id":"a\u0000"}`, "", "NUL", true},
		{"control character", "{\"id\":\"a\x01\"}", "", "control character", true},
		{"no UTF-8", "{\"id\":\"a\xff\"}", "", "no UTF-8", true},
		{"no UTF-8 in a key", "{\"i\xc3\":1}", "", "no UTF-8", true},
		{"escape", `{"id":"\x"}`, "", "no such escape", true},
		{"cut off in an escape", `{"id":"\`, "", "ends inside a string", true},
		{"hexadecimal", `{"id":"\u12_4"}`, "", "four hexadecimal digits", true},
		{"leading zero", `{"count":01}`, "", "not a number", true},
		{"only a sign", `{"count":-}`, "", "not a number", true},
		{"a dot behind", `{"count":1.}`, "", "not a number", true},
		{"a plus sign", `{"count":+1}`, "", "not JSON", true},
		{"a long number", `{"count":` + strings.Repeat("1", 65) + `}`, "", "not a number", true},
		{"NaN", `{"share":NaN}`, "", "not JSON", true},
		{"a comma behind", `{"id":"a",}`, "", "a key in quotes is missing", true},
		{"a comma behind in an array", `{"words":["a",]}`, "", "not JSON", true},
		{"deep", `{"words":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, "", "deeper than 32", true},
		{"very deep", strings.Repeat("[", 100_000), "", "deeper than 32", true},
		{"many", `{"words":[` + strings.Repeat("0,", 20_000) + `0]}`, "", "more than 20000 values", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var into thing
			err := Decode([]byte(c.in), &into, Limits{})
			var bad *Error
			if !errors.As(err, &bad) || !errors.Is(err, bonafide.Invalid) {
				t.Fatalf("got %v, want an *Error of kind Invalid", err)
			}
			if bad.Field != c.field || !strings.Contains(bad.Reason, c.reason) || bad.Syntax != c.syntax {
				t.Errorf("got %+v, want field %q, reason with %q, syntax %v", bad, c.field, c.reason, c.syntax)
			}
			if s := err.Error(); strings.Contains(s, canary) || strings.Contains(s, "4711") {
				t.Errorf("the error repeats the value: %s", s)
			}
		})
	}
}

// Many keys in one object are looked up in a map, and repeated ones are found there too.
func TestManyKeys(t *testing.T) {
	var b strings.Builder
	b.WriteByte('{')
	for i := range 500 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"k` + strings.Repeat("x", i) + `":0`)
	}
	if err := Check([]byte(b.String()+"}"), Limits{}); err != nil {
		t.Fatal(err)
	}
	if err := Check([]byte(b.String()+`,"kxxxxxxxxxxxxxxxxxxxx":1}`), Limits{}); err == nil {
		t.Error("a repeated key among 500 was not found")
	}
}

// What Check lets pass is JSON, and reads as encoding/json reads it.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{`{"id":"a","count":1,"parts":[{"kind":"x"}]}`, `[1,-0.5e+3,"\ud83d\ude00",true,null]`, `{"a":{"a":{}}}`, `"\u00e9"`, `01`, `{"a":1,"a":2}`, "\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := parse(b, Limits{})
		var bad *Error
		if err != nil {
			if !errors.As(err, &bad) || !bad.Syntax {
				t.Fatalf("an error of another type: %v", err)
			}
			return
		}
		if !json.Valid(b) || !utf8.Valid(b) {
			t.Fatalf("passes, but is no JSON in UTF-8: %q", b)
		}
		var want any
		d := json.NewDecoder(strings.NewReader(string(b)))
		d.UseNumber()
		if err := d.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, plain(n)); d != "" {
			t.Fatalf("reads otherwise than encoding/json (-want +got):\n%s", d)
		}
	})
}

func plain(n node) any {
	switch n.kind {
	case isObject:
		m := map[string]any{}
		for i, k := range n.keys {
			m[k] = plain(n.items[i])
		}
		return m
	case isArray:
		a := []any{}
		for _, v := range n.items {
			a = append(a, plain(v))
		}
		return a
	case isString:
		return n.text
	case isNumber:
		return json.Number(n.text)
	case isBool:
		return n.text == "true"
	}
	return nil
}

// Decoding never panics, and an error repeats no long run of what was sent.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"id":"a","count":1,"at":"2024-05-31T09:30:00Z","parts":[{"kind":"x"}],"part":{"kind":"y"},"words":["z"]}`))
	f.Add([]byte(`{"idd":"a"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var into thing
		if err := Decode(b, &into, Limits{Depth: 4, Values: 100}); err != nil {
			if !errors.Is(err, bonafide.Invalid) {
				t.Fatalf("not Invalid: %v", err)
			}
			return
		}
		again, err := json.Marshal(into)
		if err != nil {
			t.Fatal(err)
		}
		var second thing
		if err := Decode(again, &second, Limits{}); err != nil && !strings.Contains(err.Error(), "null") {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
	})
}
