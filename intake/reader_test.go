package intake

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"bonafide"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// read reads one file and returns what came of it.
func read(t testing.TB, o Options, name, content string) (got []bonafide.Complaint, set []bonafide.Quarantined, sum Summary, err error) {
	t.Helper()
	o.Quarantine = func(q bonafide.Quarantined) error { set = append(set, q); return nil }
	r := NewReader(o)
	err = r.Read(context.Background(), name, strings.NewReader(content), func(c *bonafide.Complaint) error {
		got = append(got, *c)
		return nil
	})
	return got, set, r.Summary(), err
}

func zip(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, s); err != nil {
		panic(err) // a buffer takes everything
	}
	z.Close()
	return b.String()
}

func TestReadRefusesWholeFile(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"complaints.csv", "", "complaints.csv: empty file: nothing to read"},
		{"complaints.csv", "\ufeff\r\n\n", "complaints.csv: empty file: nothing to read"},
		{"complaints.csv", zip(""), "complaints.csv: empty file: nothing to read"},
		{"complaints.csv", "id,text\n", "complaints.csv: a header and no rows"},
		{"x.bin", "\x00\x01\x02\x03binary", "x.bin: not a text file (binary bytes at offset 0); give CSV, NDJSON, or gzip of either"},
		{"x.bin", "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00", "x.bin: not a text file (binary bytes at offset 0); give CSV, NDJSON, or gzip of either"},
		{"x.gz", zip(zip("id,text\n1,a\n")), "x.gz: not a text file"},
		{"x.xlsx", "PK\x03\x04aaaa", "x.xlsx: a spreadsheet or zip archive"},
		{"x.gz", zip("id,text\n1,abc\n")[:20], "x.gz: damaged or cut short gzip data"},
		{"x.csv", "a,b\n1,2\n", "x.csv: none of its 2 columns looks like the text"},
	} {
		_, _, _, err := read(t, Options{}, c.name, c.content)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want %q", c.name, err, c.want)
		}
		if !errors.Is(err, bonafide.Invalid) {
			t.Errorf("%s: error %v is not Invalid", c.name, err)
		}
	}
}

func TestReadStopsGzipBomb(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, "id,text\n"); err != nil {
		t.Fatal(err)
	}
	row := []byte("1," + strings.Repeat("a", 1000) + "\n")
	for range 120_000 {
		if _, err := z.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	z.Close()
	_, _, _, err := read(t, Options{}, "bomb.csv.gz", b.String())
	want := "bomb.csv.gz: unpacks to more than 200 times its size: refused; if the file is honest, unpack it and give the plain file"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestReadSetsRowsAside(t *testing.T) {
	for _, c := range []struct {
		name, content string
		accepted      int
		want          []bonafide.Quarantined
	}{
		{"unclosed quote", "id,text\n1,\"open\n2,b\n3,c\n", 2, []bonafide.Quarantined{{Line: 2, Column: 2, Reason: "a quote that opens here is never closed"}}},
		{"bare quote", "id,text\n1,\"a\"b\"\n2,b\n", 1, []bonafide.Quarantined{{Line: 2, Column: 2, Reason: "a quote inside a quoted cell"}}},
		{"widths", "id,text\n1\n2,b,c\n3,d,\n", 1, []bonafide.Quarantined{{Line: 2, Reason: "fewer cells"}, {Line: 3, Column: 3, Reason: "more cells"}}},
		{"dates", "id,date,text\n1,03/25/2020,a\n2,,b\n3,soon,c\n4,01/02/1899,d\n", 1, []bonafide.Quarantined{
			{Line: 3, Column: 2, Field: "received", Reason: "no date"}, {Line: 4, Column: 2, Field: "received", Reason: "not a date"}, {Line: 5, Column: 2, Field: "received", Reason: "not a date"},
		}},
		{"lines behind line breaks", "id,text\n1,\"a\nb\r\nc\"\n,d\n", 1, []bonafide.Quarantined{{Line: 5, Column: 1, Field: "id", Reason: "no id"}}},
		{"same id", "id,text\n1,a\n1,a\n1,b\n", 1, []bonafide.Quarantined{{Line: 4, Field: "id", Reason: "id already used in line 2 of f with other content"}}},
		{"no text", "id,text,phone\n1,,\n2,,13812345678\n", 1, []bonafide.Quarantined{{Line: 2, Column: 2, Field: "text", Reason: "no text"}}},
		{"id", "id,text\n" + strings.Repeat("x", 129) + ",a\n\"a\x01b\",c\n", 0, []bonafide.Quarantined{{Line: 2, Column: 1, Field: "id", Reason: "an id longer than 128"}, {Line: 3, Column: 1, Field: "id", Reason: "a control character"}}},
		{"contract", `{"id":"1","text":"a","received":"2024-05-01T00:00:00Z"}
{"id":2,"text":"b","received":"2024-05-01T00:00:00Z"}
{"text":"b","received":"2024-05-01T00:00:00Z"}
{"id":"3","received":"2024-05-01T00:00:00Z"}
{"id":"4","text":"c"}
{"id":"5","text":"d","received":"01/05/2024"}
{"id":"6","text":"e","received":"2024-05-01T00:00:00Z","contacts":[{"kind":"fax","value":"1"}]}
{"id":"7","text":"e","received":"2024-05-01T00:00:00Z","representative":{"type":"boss"}}
{"id":"8","text":"e","received":"2024-05-01T00:00:00Z","documents":[{"kind":"a","verified":"maybe"}]}
{"id":"9","text":"e"
` + strings.Repeat("[", 100_000) + "\n", 1, []bonafide.Quarantined{
			{Line: 2, Field: "id", Reason: "not a string"},
			{Line: 3, Field: "id", Reason: "no id"},
			{Line: 4, Field: "text", Reason: "the field is missing"},
			{Line: 5, Field: "received", Reason: "no date"},
			{Line: 6, Field: "received", Reason: "not a date-time"},
			{Line: 7, Field: "contacts.kind", Reason: "not one of"},
			{Line: 8, Field: "representative.type", Reason: "not one of"},
			{Line: 9, Field: "documents.verified", Reason: "not one of"},
			{Line: 10, Reason: "not valid JSON"},
			{Line: 11, Reason: "nested deeper than 32 levels"},
		}},
	} {
		got, set, sum, err := read(t, Options{}, "f", c.content)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if len(got) != c.accepted || sum.Accepted != c.accepted {
			t.Errorf("%s: accepted %d, want %d", c.name, len(got), c.accepted)
		}
		if len(set) != len(c.want) {
			t.Errorf("%s: set aside %+v, want %+v", c.name, set, c.want)
			continue
		}
		for i, q := range set {
			w := c.want[i]
			if q.File != "f" || q.Line != w.Line || q.Column != w.Column || q.Field != w.Field || !strings.HasPrefix(q.Reason, w.Reason) {
				t.Errorf("%s: set aside %+v, want %+v", c.name, q, w)
			}
		}
	}
}

func TestReadContract(t *testing.T) {
	line := `{"id":"c-1","received":"2024-05-01T08:00:00+08:00","channel":"regulator/12378","lang":"zh","text":"a\nb \u5fae",` +
		`"customer":{"ref":"r","name":"n","id_number":"i","phone":"p","email":"e","address":"a","region":"g","vulnerable":"illness"},` +
		`"representative":{"type":"lawyer","name":"l","licence":"x","confirmed":true},"contacts":[{"kind":"phone","value":"1"}],"product":"loan","account":"9",` +
		`"demands":["d"],"amount":{"minor":12345,"currency":"CNY"},"documents":[{"kind":"income","sha256":"ab","verified":"forged"}],` +
		`"calls":[{"path":"x.wav","started":"2024-05-01T00:00:00Z","transcript":"hi"}],"external_ref":"z","colour":"red"}`
	got, _, sum, err := read(t, Options{}, "f", line)
	if err != nil {
		t.Fatal(err)
	}
	want := []bonafide.Complaint{{
		ID: "c-1", Received: time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC), Channel: "regulator/12378", Lang: "zh", Text: "a\nb 微",
		Customer:       bonafide.Customer{Ref: "r", Name: "n", IDNumber: "i", Phone: "p", Email: "e", Address: "a", Region: "g", Vulnerable: "illness"},
		Representative: &bonafide.Representative{Type: "lawyer", Name: "l", Licence: "x", Confirmed: true},
		Contacts:       []bonafide.Identifier{{Kind: "phone", Value: "1"}}, Product: "loan", Account: "9", Demands: []string{"d"},
		Amount: &bonafide.Amount{Minor: 12345, Currency: "CNY"}, Documents: []bonafide.Document{{Kind: "income", SHA256: "ab", Verified: "forged"}},
		Calls: []bonafide.Call{{Path: "x.wav", Started: time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC), Transcript: "hi"}}, ExternalRef: "z",
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{`f: 1 fields that are not in the contract were ignored: "colour" (1)`}, sum.Warnings); d != "" {
		t.Error(d)
	}
}

func TestReadColumnsByName(t *testing.T) {
	for _, c := range []struct {
		name, content string
		want          bonafide.Complaint
	}{
		{
			"chinese", "投诉编号,受理时间,投诉内容,客户姓名,身份证号,联系电话,邮箱,微信,设备号,IP,地址,退款账户,渠道,产品,诉求,代理人\n" +
				"T1,2024年5月10日 下午3:20,多收费,某甲,110,13800001111；13900002222,a@b.cn,abc,dev,1.2.3.4,路1号,6222,电话,信用卡,退息;道歉,某乙\n",
			bonafide.Complaint{
				ID: "T1", Received: time.Date(2024, 5, 10, 15, 20, 0, 0, time.UTC), Text: "多收费", Channel: "hotline", Product: "信用卡", Demands: []string{"退息", "道歉"},
				Customer: bonafide.Customer{Name: "某甲", IDNumber: "110"}, Representative: &bonafide.Representative{Type: "unknown", Name: "某乙"},
				Contacts: []bonafide.Identifier{{Kind: "phone", Value: "13800001111"}, {Kind: "phone", Value: "13900002222"}, {Kind: "email", Value: "a@b.cn"}, {Kind: "handle", Value: "abc"}, {Kind: "device", Value: "dev"}, {Kind: "ip", Value: "1.2.3.4"}, {Kind: "address", Value: "路1号"}, {Kind: "account", Value: "6222"}},
			},
		},
		{
			"portuguese", "Protocolo;Data;Reclamação;Nome;CPF;Telefone;E-mail;Endereço;UF;Canal;Produto;Valor\nP1;25/03/2024;cobrança;Fulana;1;2;a@b.br;Rua 1;SP;telefone;cartão;R$ 1.234,56\n",
			bonafide.Complaint{
				ID: "P1", Received: time.Date(2024, 3, 25, 0, 0, 0, 0, time.UTC), Text: "cobrança", Channel: "hotline", Product: "cartão", Amount: &bonafide.Amount{Minor: 123456, Currency: "BRL"},
				Customer: bonafide.Customer{Name: "Fulana", IDNumber: "1", Region: "SP"},
				Contacts: []bonafide.Identifier{{Kind: "phone", Value: "2"}, {Kind: "email", Value: "a@b.br"}, {Kind: "address", Value: "Rua 1"}},
			},
		},
		{
			"english", "Complaint ID\tDate received\ttext\tCUSTOMER NAME\tcustomer_phone\tphone\tphone2\tdevice_id\tip_address\trefund_account\tsender\trepresentative_type\tdocument_sha256\tvulnerable\n" +
				"E1\t2024-05-31T09:30:00-04:00\thello\tJ D\t1\t2\t3\td\t4\t5\t6\tPaid agent\tAB;CD\tyes\n",
			bonafide.Complaint{
				ID: "E1", Received: time.Date(2024, 5, 31, 13, 30, 0, 0, time.UTC), Text: "hello", Customer: bonafide.Customer{Name: "J D", Phone: "1", Vulnerable: "flagged"},
				Representative: &bonafide.Representative{Type: "paid-agent"}, Documents: []bonafide.Document{{Kind: "document", SHA256: "ab"}, {Kind: "document", SHA256: "cd"}},
				Contacts: []bonafide.Identifier{{Kind: "phone", Value: "2"}, {Kind: "phone", Value: "3"}, {Kind: "device", Value: "d"}, {Kind: "ip", Value: "4"}, {Kind: "account", Value: "5"}, {Kind: "sender", Value: "6"}},
			},
		},
		{
			"contract paths", "id|customer.ref|contacts.phone|representative.type|documents.sha256|title|text\n1|r|2|lawyer|ab|only a title|\n",
			bonafide.Complaint{ID: "1", Text: "only a title", Customer: bonafide.Customer{Ref: "r"}, Representative: &bonafide.Representative{Type: "lawyer"}, Contacts: []bonafide.Identifier{{Kind: "phone", Value: "2"}}, Documents: []bonafide.Document{{Kind: "document", SHA256: "ab"}}},
		},
		{
			"json with other keys", `{"complaint_id":7,"body":"words","customer":{"name":"Q"},"phone":["1","2"]}`,
			bonafide.Complaint{ID: "7", Text: "words", Customer: bonafide.Customer{Name: "Q"}, Contacts: []bonafide.Identifier{{Kind: "phone", Value: "1"}, {Kind: "phone", Value: "2"}}},
		},
	} {
		got, set, _, err := read(t, Options{}, "f", c.content)
		if err != nil || len(set) > 0 {
			t.Errorf("%s: error %v, set aside %+v", c.name, err, set)
		}
		if d := cmp.Diff([]bonafide.Complaint{c.want}, got); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

func TestReadEncodings(t *testing.T) {
	text := "投诉编号,投诉内容\n1,我要投诉贷款利息过高的问题\n2,another 一\n"
	encode := func(e interface{ String(string) (string, error) }, s string) string {
		out, err := e.String(s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	le, be := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	for name, content := range map[string]string{
		"utf-8": text, "utf-8 mark": "\ufeff" + text, "gzip": zip(text), "carriage returns": strings.ReplaceAll(text, "\n", "\r"),
		"gb18030": encode(simplifiedchinese.GB18030.NewEncoder(), text), "gzip gb18030": zip(encode(simplifiedchinese.GB18030.NewEncoder(), text)),
		"utf-16le mark": "\xff\xfe" + encode(le.NewEncoder(), text), "utf-16be mark": "\xfe\xff" + encode(be.NewEncoder(), text),
		"utf-16le": encode(le.NewEncoder(), text), "utf-16be": encode(be.NewEncoder(), text),
	} {
		got, set, _, err := read(t, Options{}, "f", content)
		if err != nil || len(set) > 0 || len(got) != 2 || got[0].Text != "我要投诉贷款利息过高的问题" {
			t.Errorf("%s: got %d complaints, %v, %v", name, len(got), set, err)
		}
	}
	got, _, sum, err := read(t, Options{}, "f", encode(charmap.Windows1252.NewEncoder(), "id,text\n1,cobrança não autorizada é péssima\n"))
	if err != nil || len(got) != 1 || got[0].Text != "cobrança não autorizada é péssima" || len(sum.Warnings) == 0 {
		t.Errorf("windows-1252: got %+v, %v, %v", got, sum, err)
	}
	got, _, sum, err = read(t, Options{}, "f", "id,text\n1,投诉内容\xff好\n"+strings.Repeat("2,这是一段正常的文字\n", 40))
	if err != nil || len(got) == 0 || got[0].Text != "投诉内容\uFFFD好" || !strings.Contains(strings.Join(sum.Warnings, " "), "no UTF-8") {
		t.Errorf("spoilt UTF-8: got %+v, %v", sum, err)
	}
}

func TestReadCountsRepeatsAcrossFiles(t *testing.T) {
	var set []bonafide.Quarantined
	r := NewReader(Options{Quarantine: func(q bonafide.Quarantined) error { set = append(set, q); return nil }})
	accept := func(*bonafide.Complaint) error { return nil }
	if err := r.Read(context.Background(), "one.csv", strings.NewReader("id,text\n1,a\n2,b\n"), accept); err != nil {
		t.Fatal(err)
	}
	if err := r.Read(context.Background(), "two.ndjson", strings.NewReader(`{"id":"1","text":"a"}`+"\n"+`{"id":"2","text":"c"}`), accept); err != nil {
		t.Fatal(err)
	}
	s := r.Summary()
	if s.Accepted != 2 || s.Repeated != 1 || s.Quarantined != 1 || !strings.HasPrefix(set[0].Reason, "id already used in line 3 of one.csv") {
		t.Errorf("got %+v, %+v", s, set)
	}
}

func TestReadDecidesDateOrder(t *testing.T) {
	for _, c := range []struct {
		name, content, want string
		warned              bool
	}{
		{"month first", "id,date,text\n1,03/04/2024,a\n2,03/25/2024,b\n", "2024-03-04", false},
		{"day first", "id,date,text\n1,03/04/2024,a\n2,25/03/2024,b\n", "2024-04-03", false},
		{"english", "id,date,text\n1,03/04/2024,a\n", "2024-03-04", true},
		{"portuguese", "protocolo,data,relato\n1,03/04/2024,a\n", "2024-04-03", true},
	} {
		got, _, sum, err := read(t, Options{}, "f", c.content)
		if err != nil || len(got) == 0 || got[0].Received.Format(time.DateOnly) != c.want {
			t.Errorf("%s: got %+v, %v, want %s", c.name, got, err, c.want)
		}
		if (len(sum.Warnings) > 0) != c.warned {
			t.Errorf("%s: warnings %q", c.name, sum.Warnings)
		}
	}
}

func TestReadKeepsContentOutOfMessages(t *testing.T) {
	const canary = "CANARY13812345678"
	for _, content := range []string{
		canary + "," + canary + "@x.cn\nb,c\n",
		"id,text,date\n" + canary + ",\"" + canary + "\"x,2024\n" + canary + ",a," + canary + "\n",
		`{"id":"` + canary + `","text":1}` + "\n" + `{"id":"x","` + canary + `":"` + canary + "\n" + `{"id":"y","text":"t","` + canary + `":1}`,
	} {
		_, set, sum, err := read(t, Options{}, "f", content)
		all := fmt.Sprint(set, sum, err)
		if strings.Contains(all, canary) {
			t.Errorf("content in messages: %s", all)
		}
	}
}

// endless gives a quoted cell that never closes.
type endless struct{ n int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.n <= 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), e.n)]
	for i := range p {
		p[i] = 'x'
		if i%100 == 99 {
			p[i] = '\n'
		}
	}
	e.n -= int64(len(p))
	return len(p), nil
}

func TestReadBoundsMemory(t *testing.T) {
	for name, head := range map[string]string{"open quote": "id,text\n1,\"", "long line": "{\"id\":\"1\",\"text\":\"" + strings.Repeat("y", 6<<20)} {
		r := NewReader(Options{})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := r.Read(context.Background(), "f", io.MultiReader(strings.NewReader(head), &endless{32 << 20}), func(*bonafide.Complaint) error { return nil })
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if s := r.Summary(); s.Quarantined == 0 {
			t.Errorf("%s: nothing set aside", name)
		}
		if grown := after.HeapSys - min(before.HeapSys, after.HeapSys); grown > 128<<20 {
			t.Errorf("%s: heap grew by %d bytes", name, grown)
		}
	}
}

// A file whose every line opens a quote that never closes must not be scanned
// over and over.
func TestReadOfHostileQuotesIsLinear(t *testing.T) {
	content := "id,text\n" + strings.Repeat("\"a\"\"\n", 400_000)
	start := time.Now()
	if _, _, _, err := read(t, Options{Limits: Limits{Row: 1 << 18}}, "f", content); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestReadStopsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	r := NewReader(Options{})
	err := r.Read(ctx, "f", strings.NewReader("id,text\n"+strings.Repeat("1,a\n", 10_000)), func(*bonafide.Complaint) error { n++; cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	own := errors.New("full")
	if err := r.Read(context.Background(), "g", strings.NewReader("id,text\n2,a\n"), func(*bonafide.Complaint) error { return own }); !errors.Is(err, own) {
		t.Errorf("got %v, want the caller's error as it is", err)
	}
}

func TestReadSharedData(t *testing.T) {
	for _, c := range []struct {
		file            string
		accepted, aside int
	}{
		{"cfpb/complaints.csv", 3973, 27},
		{"zh/civic-complaints.csv", 2238, 0},
		{"pt/reclamacoes.csv", 1016, 0},
		{"formletters/one-letter-many-signers.jsonl", 1000, 0},
		{"formletters/campaign-templates.jsonl", 44, 0},
		{"formletters/shared-footer-trap.csv", 199, 0},
	} {
		b, err := os.ReadFile(filepath.Join("../../shared/data", c.file))
		if err != nil {
			t.Skip("shared data is absent")
		}
		_, set, sum, err := read(t, Options{}, filepath.Base(c.file), string(b))
		if err != nil || sum.Accepted != c.accepted || len(set) != c.aside {
			t.Errorf("%s: accepted %d, set aside %d, %v; want %d and %d", c.file, sum.Accepted, len(set), err, c.accepted, c.aside)
		}
	}
}

func BenchmarkReadCSV(b *testing.B) {
	var s strings.Builder
	s.WriteString("id,received,text,phone,email,product\n")
	for i := range 20_000 {
		fmt.Fprintf(&s, "c-%d,2024-05-%02d,\"%s, and \"\"so\"\" on\",1381234%04d,a%d@mail.cn,loan\n", i, i%28+1, strings.Repeat("words of a letter ", 50), i%10000, i)
	}
	bench(b, s.String())
}

func BenchmarkReadNDJSON(b *testing.B) {
	var s strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&s, `{"id":"c-%d","received":"2024-05-%02dT00:00:00Z","text":"%s","contacts":[{"kind":"phone","value":"13812345678"}]}`+"\n", i, i%28+1, strings.Repeat("words of a letter ", 50))
	}
	bench(b, s.String())
}

func bench(b *testing.B, content string) {
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		if err := NewReader(Options{}).Read(context.Background(), "f", strings.NewReader(content), func(*bonafide.Complaint) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
