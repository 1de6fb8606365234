package intake

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"bonafide"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestMappingRoundTrip(t *testing.T) {
	m := &Mapping{
		Delimiter: "\t", DateOrder: "dmy", DateLayout: []string{"02.01.2006 15h04"}, Zone: "America/Sao_Paulo",
		Fields:   map[string]string{"id": "N\"o\\ 1", "text": "内容", "received": "quando"},
		Fixed:    map[string]string{"channel": "regulator/12378"},
		Contacts: []ContactColumn{{bonafide.Phone, "tel 1"}, {bonafide.Phone, "tel 2"}, {bonafide.Account, "pix"}},
	}
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := ReadMapping(&b)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(m, got, cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
}

func TestReadMappingSaysWhatToMend(t *testing.T) {
	for content, want := range map[string]string{
		"[fields]\ntxt = \"a\"\n":                                            `fields."txt" is no field`,
		"colour = 1\n[fields]\ntext = \"a\"\n":                               `unknown key "colour"`,
		"zone = \"Mars\"\n[fields]\ntext = \"a\"\n":                          `zone "Mars"`,
		"date_order = \"x\"\n[fields]\ntext = \"a\"\n":                       `date_order "x"`,
		"[fields]\nid = \"a\"\n":                                             "fields.text is missing",
		"[fields]\ntext = \"a\"\n[[contacts]]\nkind=\"fax\"\ncolumn=\"b\"\n": `kind "fax"`,
		"[fields\n": "mapping: toml: line",
	} {
		_, err := ReadMapping(strings.NewReader(content))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", content, err, want)
		}
	}
}

func TestReadWithMapping(t *testing.T) {
	m, err := ReadMapping(strings.NewReader("delimiter = \";\"\ndate_layout = [\"02.01.2006 15h04\"]\nzone = \"+08:00\"\n[fields]\nid = \"k\"\ntext = \"w\"\nreceived = \"d\"\n" +
		"[fixed]\nchannel = \"regulator/12378\"\n[[contacts]]\nkind = \"account\"\ncolumn = \"p\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	got, _, _, err := read(t, Options{Mapping: m}, "f", "k;w;d;p\n1;a,b;03.05.2024 09h30;77|88\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []bonafide.Complaint{{
		ID: "1", Text: "a,b", Received: time.Date(2024, 5, 3, 1, 30, 0, 0, time.UTC), Channel: "regulator/12378",
		Contacts: []bonafide.Identifier{{Kind: "account", Value: "77"}, {Kind: "account", Value: "88"}},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if _, _, _, err := read(t, Options{Mapping: m}, "f", "k;w;d\n1;a;b\n"); err == nil || !strings.Contains(err.Error(), `names the column "p"`) {
		t.Errorf("got %v, want the missing column named", err)
	}
}

func TestGuessFile(t *testing.T) {
	m, notes, err := GuessFile("f", strings.NewReader("protocolo;data;relato;outro\n1;03/04/2024;x;y\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := &Mapping{Delimiter: ";", DateOrder: "dmy", Fields: map[string]string{"id": "protocolo", "received": "data", "text": "relato"}}
	if d := cmp.Diff(want, m, cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
	if len(notes) != 2 || !strings.Contains(notes[0], "nothing tells day from month") || !strings.Contains(notes[1], `"outro"`) {
		t.Errorf("notes %q", notes)
	}
}

func TestParseDate(t *testing.T) {
	for s, want := range map[string]string{
		"2024-05-31T09:30:00Z": "2024-05-31 09:30:00", "2024-05-31T09:30:00.25+08:00": "2024-05-31 01:30:00", "2019/2/28 11:25:05": "2019-02-28 11:25:05",
		"2024年5月10日": "2024-05-10 00:00:00", "2024年5月10日下午3时20分": "2024-05-10 15:20:00", "20240510": "2024-05-10 00:00:00", "20240510112505": "2024-05-10 11:25:05",
		"03/25/2015": "2015-03-25 00:00:00", "3/5/2015 1:02 PM": "2015-03-05 13:02:00", "12:30": "", "May 10, 2024": "2024-05-10 00:00:00", "10 May 2024 08:00": "2024-05-10 08:00:00",
		"10 de maio de 2024": "2024-05-10 00:00:00", "45000": "2023-03-15 00:00:00", "2023-02-29": "", "13/13/2020": "", "1899-01-01": "", "2101-01-01": "",
		"yesterday": "", "": "", "2024": "", "99999999": "", "2024-05-10 25:00": "", "12/31/24": "2024-12-31 00:00:00",
	} {
		got, ok := parseDate(s, monthFirst, time.UTC)
		text := ""
		if ok {
			text = got.Format(time.DateTime)
		}
		if text != want {
			t.Errorf("parseDate(%q) = %q, want %q", s, text, want)
		}
	}
}

func TestMinorUnits(t *testing.T) {
	for s, want := range map[string]int64{"1,234.56": 123456, "1.234,56": 123456, "1234": 123400, "0.5": 50, "-3": -300, "1,234": 123400, "12.345.678": 1234567800} {
		if got, ok := minorUnits(s, 2); !ok || got != want {
			t.Errorf("minorUnits(%q) = %d, %v, want %d", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "abc", "12a", "99999999999999999999"} {
		if got, ok := minorUnits(s, 2); ok {
			t.Errorf("minorUnits(%q) = %d, want none", s, got)
		}
	}
}
