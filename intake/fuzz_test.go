package intake

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"bonafide"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"", "id,text\n1,a\n", "id;text\n1;\"a\n\"\n2;b", "{\"id\":\"1\",\"text\":\"a\"}\n{", "[{\"id\":\"1\",\"text\":\"a\"}]", zip("id,text\n1,a\n"),
		"\xff\xfei\x00d\x00,\x00", "id,date,text\n1,01/02/2020,\"a\"\"b\"\r\n", "{\"no\":1,\"body\":\"x\"}", "id,text\n1,\"a\"b\n2,c",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		aside, accepted := 0, 0
		last := 0
		r := NewReader(Options{Limits: Limits{Row: 4096, Field: 1024}, Quarantine: func(q bonafide.Quarantined) error {
			aside++
			if q.Line < 1 || q.Line < last || q.Reason == "" || len(q.Reason) > 400 || !utf8.ValidString(q.Reason) {
				t.Fatalf("quarantined %+v behind line %d", q, last)
			}
			last = q.Line
			return nil
		}})
		err := r.Read(context.Background(), "f", bytes.NewReader(in), func(c *bonafide.Complaint) error {
			accepted++
			if checkID(c.ID) != "" || !utf8.ValidString(c.Text) || empty(c) {
				t.Fatalf("accepted an invalid complaint")
			}
			return nil
		})
		if err != nil && !errors.Is(err, bonafide.Invalid) {
			t.Fatalf("error %v is not Invalid", err)
		}
		if s := r.Summary(); s.Accepted != accepted || s.Quarantined != aside {
			t.Fatalf("summary %+v, counted %d and %d", s, accepted, aside)
		}
	})
}

func FuzzMapping(f *testing.F) {
	f.Add("[fields]\ntext = \"a\"\n[[contacts]]\nkind = \"phone\"\ncolumn = \"b\"\n")
	f.Add("delimiter = \"\\t\"\nzone = \"+08:00\"\n[fields]\ntext = \"\\u0001\"\n[fixed]\nid=\"x\"\n")
	f.Fuzz(func(t *testing.T, in string) {
		m, err := ReadMapping(strings.NewReader(in))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := m.Write(&b); err != nil {
			t.Fatal(err)
		}
		again, err := ReadMapping(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatalf("%v\n%s", err, b.String())
		}
		if d := cmp.Diff(m, again, cmpopts.EquateEmpty()); d != "" {
			t.Fatal(d)
		}
	})
}
