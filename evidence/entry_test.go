package evidence

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"
)

func TestEntryMarshal(t *testing.T) {
	for _, c := range []struct {
		in   Entry
		want string
	}{
		{Entry{}, `{"time":0,"actor":"","action":"","target":""}`},
		{
			Entry{Time: 1772600767000891, Actor: "key:1", Action: "complaint.added", Target: "complaint:客诉-1", Detail: json.RawMessage("{\n \"seq\": 7 }")},
			`{"time":1772600767000891,"actor":"key:1","action":"complaint.added","target":"complaint:客诉-1","detail":{"seq":7}}`,
		},
		{Entry{Detail: json.RawMessage(`{"a":`)}, `{"time":0,"actor":"","action":"","target":"","detail":"{\"a\":"}`},
	} {
		got := c.in.Marshal()
		if d := cmp.Diff(c.want, string(got)); d != "" {
			t.Errorf("Marshal (-want +got):\n%s", d)
		}
		if again, err := ParseEntry(got); err != nil || !bytes.Equal(again.Marshal(), got) {
			t.Errorf("ParseEntry(%s) = %+v, %v", got, again, err)
		}
	}
}

func TestParseEntryRefusesOtherForms(t *testing.T) {
	for _, s := range []string{
		``, `{}`, `null`, `[]`,
		`{"actor":"","time":0,"action":"","target":""}`,
		`{"time":0,"actor":"","action":"","target":"","more":1}`,
		`{"time":0, "actor":"","action":"","target":""}`,
		`{"time":0,"actor":"","action":"","target":""} `,
		`{"TIME":0,"actor":"","action":"","target":""}`,
		`{"time":0,"time":0,"actor":"","action":"","target":""}`,
	} {
		if e, err := ParseEntry([]byte(s)); err == nil {
			t.Errorf("ParseEntry(%s) = %+v, want an error", s, e)
		}
	}
}

func TestCheckpoint(t *testing.T) {
	s, v := keys(t, "bank.example", 1)
	tree := tlog.Tree{N: 7, Hash: tlog.RecordHash([]byte("x"))}
	text, err := SignCheckpoint(s, "bank", tree, when)
	if err != nil {
		t.Fatal(err)
	}
	again, err := SignCheckpoint(s, "bank", tree, when)
	if err != nil || !bytes.Equal(text, again) {
		t.Errorf("signed twice: %s, %v", again, err)
	}
	got, err := OpenCheckpoint(text, v)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Checkpoint{Tree: tree, Origin: "bank", Time: when}, got); d != "" {
		t.Errorf("OpenCheckpoint (-want +got):\n%s", d)
	}
	for _, origin := range []string{"", "a b", "a\nb", "a\xff"} {
		if _, err := SignCheckpoint(s, origin, tree, when); err == nil {
			t.Errorf("SignCheckpoint of %q: no error", origin)
		}
	}
	for _, name := range []string{"", "a b", "a+b"} {
		if _, _, err := NewSigner(strings.NewReader(strings.Repeat("x", 99)), name); err == nil {
			t.Errorf("NewSigner of %q: no error", name)
		}
	}
}

func FuzzParseEntry(f *testing.F) {
	f.Add(Entry{Time: 7, Actor: "key:1", Action: "tag.removed", Target: "tag:1", Detail: json.RawMessage(`{"n":1}`)}.Marshal())
	f.Add([]byte(`{"time":0,"actor":"","action":"","target":"","detail":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseEntry(b)
		if err == nil && !bytes.Equal(e.Marshal(), b) {
			t.Errorf("ParseEntry(%q) took what Marshal does not give: %q", b, e.Marshal())
		}
	})
}

func FuzzParseEdge(f *testing.F) {
	f.Add(int64(3), make([]byte, 64))
	f.Add(int64(0), []byte(nil))
	f.Fuzz(func(t *testing.T, size int64, b []byte) {
		e, err := ParseEdge(size, b)
		if err != nil {
			return
		}
		if !bytes.Equal(e.Marshal(), b) {
			t.Errorf("ParseEdge(%d, %x) = %v", size, b, e)
		}
		e.Root()
		if size < 1<<62 && len(e.Append([]byte("x"))) != completes(size)*32 {
			t.Error("Append gave another number of hashes")
		}
	})
}

func FuzzOpenCheckpoint(f *testing.F) {
	s, v := keys(f, "bank.example", 1)
	good, err := SignCheckpoint(s, "bank", tlog.Tree{N: 7, Hash: tlog.RecordHash(nil)}, time.Unix(0, 0))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("go.sum database tree\n1\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		// No signature of ours is to be had by mutation, but of the very text.
		if c, err := OpenCheckpoint(b, v); err == nil && (c.N != 7 || c.Origin != "bank") {
			t.Errorf("OpenCheckpoint(%q) = %+v", b, c)
		}
	})
}
