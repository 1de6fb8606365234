package intake

import (
	"maps"
	"strings"
	"testing"

	"bonafide"

	"github.com/google/go-cmp/cmp"
)

// A setAside is a row that was set aside, with what stood in it.
type setAside struct {
	Line   int
	Field  string
	Reason string
	Row    map[string]string
}

// readImport reads a file as an import does.
func readImport(t *testing.T, file string) (*Import, []*bonafide.Complaint, []setAside) {
	t.Helper()
	m, _, err := Look("f", strings.NewReader(file), 100)
	if err != nil {
		t.Fatal(err)
	}
	var good []*bonafide.Complaint
	var bad []setAside
	o := m.Options()
	o.QuarantineRow = func(q bonafide.Quarantined, row map[string]string) error {
		bad = append(bad, setAside{q.Line, q.Field, q.Reason, row})
		return nil
	}
	r := NewReader(o)
	err = r.Read(t.Context(), "f", strings.NewReader(file), func(c *bonafide.Complaint) error {
		if line, row := r.Row(); line == 0 || len(row) == 0 {
			t.Errorf("no row of %s", c.ID)
		}
		good = append(good, c)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return m, good, bad
}

func TestRowsSetAsideCanBeMended(t *testing.T) {
	for name, one := range map[string]struct {
		file string
		want []setAside
		mend map[string]string // into each row
		text string            // of what is mended
	}{
		"a date in a table": {
			file: "id,received,text,phone,phone\n1,2026-03-01,fine,11,12\n2,soon,late,+447800000001,+447800000002\n",
			want: []setAside{{3, "received", "not a date from 1990 to 2100 that can be read: write it as 2024-05-31T09:30:00Z, or set date_order in a mapping", map[string]string{"id": "2", "received": "soon", "text": "late", "phone": "+447800000001", "phone (2)": "+447800000002"}}},
			mend: map[string]string{"received": "2026-03-02"}, text: "late",
		},
		"a row too short": {
			file: "id,received,text\n1,2026-03-01,fine\n2,2026-03-01\n",
			want: []setAside{{3, "", "fewer cells than the header has columns: quote line breaks and missing delimiters", map[string]string{"id": "2", "received": "2026-03-01"}}},
			mend: map[string]string{"text": "given"}, text: "given",
		},
		"a row too long": {
			file: "id,received,text\n1,2026-03-01,fine\n2,2026-03-01,so, much\n",
			want: []setAside{{3, "", "more cells than the header has columns: quote the cell that holds a delimiter", map[string]string{"id": "2", "received": "2026-03-01", "text": "so", "column 4": " much"}}},
			mend: map[string]string{"text": "so, much", "column 4": ""}, text: "so, much",
		},
		"a quote": {
			file: "id,received,text\n1,2026-03-01,fine\n2,2026-03-01,\"a \"quote\" within\"\n3,2026-03-01,fine\n",
			want: []setAside{{3, "", "a quote inside a quoted cell: double it (\"\")", map[string]string{Whole: "2,2026-03-01,\"a \"quote\" within\""}}},
			mend: map[string]string{Whole: "2,2026-03-01,\"a \"\"quote\"\" within\""}, text: "a \"quote\" within",
		},
		"JSON with a mapping": {
			file: "{\"case_no\":\"1\",\"date\":\"2026-03-01\",\"content\":\"fine\"}\n{\"case_no\":\"2\",\"content\":\"late\",\"who\":{\"mobile\":\"1\"}}\n",
			want: []setAside{{2, "received", "no date, though the file has dates: give one", map[string]string{"case_no": "2", "content": "late", "who.mobile": "1"}}},
			mend: map[string]string{"date": "2026-03-02"}, text: "late",
		},
		"the contract": {
			file: "{\"id\":\"1\",\"text\":\"fine\"}\n{\"id\":\"\",\"text\":\"late\",\"demands\":[\"a\",\"b\"],\"representative\":{\"type\":\"lawyer\",\"confirmed\":true}}\n",
			want: []setAside{{2, "id", "no id: give every complaint its reference", map[string]string{"id": "", "text": "late", "demands": `["a","b"]`, "representative.type": "lawyer", "representative.confirmed": "true"}}},
			mend: map[string]string{"id": "2"}, text: "late",
		},
		"a line that is no JSON": {
			file: "{\"id\":\"1\",\"text\":\"fine\"}\n{\"id\":\"2\",\"text\":\"la\n",
			want: []setAside{{2, "", "not valid JSON: a string is not closed at character 20: mend the line", map[string]string{Whole: "{\"id\":\"2\",\"text\":\"la"}}},
			mend: map[string]string{Whole: `{"id":"2","text":"late"}`}, text: "late",
		},
	} {
		t.Run(name, func(t *testing.T) {
			m, _, bad := readImport(t, one.file)
			for i := range bad { // where exactly a parser stops is its own affair
				if strings.Contains(bad[i].Reason, "at character") && len(one.want) > i {
					bad[i].Reason = one.want[i].Reason
				}
			}
			if diff := cmp.Diff(one.want, bad); diff != "" {
				t.Fatal(diff)
			}
			if _, q := m.Mend(bad[0].Line, bad[0].Row); q == nil {
				t.Error("the row as it was can be used")
			}
			maps.Copy(bad[0].Row, one.mend)
			c, q := m.Mend(bad[0].Line, bad[0].Row)
			if q != nil {
				t.Fatalf("mended: %s: %s", q.Field, q.Reason)
			}
			if c.ID != "2" || c.Text != one.text {
				t.Errorf("%s %q", c.ID, c.Text)
			}
		})
	}
}

func TestMendedContractKeepsEverything(t *testing.T) {
	m, _, bad := readImport(t, `{"id":"1","text":"fine","received":"2026-03-01T00:00:00Z"}
{"id":"2","received":"nonsense","text":"late","customer":{"name":"A","phone":"1"},"contacts":[{"kind":"phone","value":"+447800000001"}],"amount":{"minor":12,"currency":"CNY"},"documents":[{"kind":"contract"}]}
`)
	if len(bad) != 1 {
		t.Fatal(bad)
	}
	bad[0].Row["received"] = "2026-03-01T00:00:00Z"
	c, q := m.Mend(2, bad[0].Row)
	if q != nil {
		t.Fatal(q.Reason)
	}
	if c.Customer.Phone != "1" || len(c.Contacts) != 1 || c.Amount == nil || c.Amount.Minor != 12 || len(c.Documents) != 1 {
		t.Error("something of the row was lost")
	}
}

func TestRowsTooLongAreNotKept(t *testing.T) {
	file := "id,received,text\n1,2026-03-01,fine\n2,2026-03-01,\"" + strings.Repeat("x", 5<<20) + "\"\n3,2026-03-01,fine\n"
	_, good, bad := readImport(t, file)
	if len(bad) == 0 || len(good) != 2 {
		t.Fatalf("%d good, %d bad", len(good), len(bad))
	}
	for _, b := range bad {
		for _, v := range b.Row {
			if len(v) > 4<<20 {
				t.Errorf("%d bytes of one row are kept", len(v))
			}
		}
	}
}
