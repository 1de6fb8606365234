package intake

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"bonafide"

	"github.com/google/go-cmp/cmp"
)

func TestReadObjects(t *testing.T) {
	zipped := func(s string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	long := `{"a":"` + strings.Repeat("x", 5<<20) + `"}`
	for _, c := range []struct {
		name, in    string
		want, aside []string
		err         string
	}{
		{"lines", "{\"a\":1}\n\n{\"a\":2}", []string{`1 {"a":1}`, `3 {"a":2}`}, nil, ""},
		{"an array", "[{\"a\":1},\n{\"a\":2}]", []string{`1 {"a":1}`, `2 {"a":2}`}, nil, ""},
		{"gzip", zipped("{\"a\":1}\n"), []string{`1 {"a":1}`}, nil, ""},
		{"a line too long", "{\"a\":1}\n" + long + "\n{\"a\":2}\n", []string{`1 {"a":1}`, `3 {"a":2}`}, []string{"2  a row longer than 4194304 bytes: shorten it, or raise --max-cell"}, ""},
		{"refused with a field", "{\"bad\":1}\n{\"a\":2}\n", []string{`2 {"a":2}`}, []string{"1 bad missing"}, ""},
		{"empty", "", nil, nil, "empty file"},
		{"blank", " \n \n", nil, nil, "empty file"},
		{"a sheet", "id,text\n1,a\n", nil, nil, "does not begin with a JSON object"},
		{"cut short", zipped("{\"a\":1}\n{\"a\":2}\n")[:30], nil, nil, "gzip"},
	} {
		var got, aside []string
		err := ReadObjects(context.Background(), c.name, strings.NewReader(c.in), Options{
			Quarantine: func(q bonafide.Quarantined) error {
				aside = append(aside, fmt.Sprintf("%d %s %s", q.Line, q.Field, q.Reason))
				return nil
			},
		}, func(line int, b []byte) error {
			if bytes.Contains(b, []byte("bad")) {
				return &bonafide.Error{Kind: bonafide.Invalid, Msg: "bad: missing"}
			}
			got = append(got, fmt.Sprintf("%d %s", line, b))
			return nil
		})
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
		if d := cmp.Diff(c.aside, aside); d != "" {
			t.Errorf("%s: aside (-want +got):\n%s", c.name, d)
		}
		if c.err == "" && err != nil || c.err != "" && (!errors.Is(err, bonafide.Invalid) || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.err)
		}
	}
	stop := errors.New("stop")
	if err := ReadObjects(context.Background(), "x", strings.NewReader("{}\n{}\n"), Options{}, func(int, []byte) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v, want what yield returned", err)
	}
}
