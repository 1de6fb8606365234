package normalize

import (
	"encoding/csv"
	"os"
	"strings"
	"testing"

	"bonafide"
)

func TestIdentifier(t *testing.T) {
	for _, c := range []struct {
		kind    bonafide.IdentifierKind
		country string
		in      string
		want    string // "" where it must link nobody
	}{
		{bonafide.Phone, "", "+86 138 1234 5678", "+8613812345678"},
		{bonafide.Phone, "", "０１３８１２３４５６７８", "+8613812345678"},
		{bonafide.Phone, "", "86-13812345678", "+8613812345678"},
		{bonafide.Phone, "", "0086 138.1234.5678", "+8613812345678"},
		{bonafide.Phone, "", "手机：①③⑧ 1234 5678（微信同号）", "+8613812345678"},
		{bonafide.Phone, "", "一三八一二三四五六七八", "+8613812345678"},
		{bonafide.Phone, "", "138****1234", "+86138****1234"},
		{bonafide.Phone, "", "138xxxx1234", "+86138****1234"},
		{bonafide.Phone, "", "138••••1234", "+86138****1234"},
		{bonafide.Phone, "", "138＊＊＊＊1234", "+86138****1234"},
		{bonafide.Phone, "", "(213) 456-7890", "+12134567890"},
		{bonafide.Phone, "", "213.456.7890 ext. 12", "+12134567890"},
		{bonafide.Phone, "", "1-305-555-1234", "+13055551234"},
		{bonafide.Phone, "US", "13055551234", "+13055551234"},
		{bonafide.Phone, "", "(11) 98765-4321", "+5511987654321"},
		{bonafide.Phone, "BR", "13 98765-4321", "+5513987654321"},
		{bonafide.Phone, "BR", "013987654321", "+5513987654321"},
		{bonafide.Phone, "", "+44 (0)20 7946 0958", "+442079460958"},
		{bonafide.Phone, "GB", "020 7946 0958", "+442079460958"},
		{bonafide.Phone, "IN", "98765 40210", "+919876540210"},
		{bonafide.Phone, "CN", "0731-82345678", "+8673182345678"},
		{bonafide.Phone, "", "12345678901", ""},
		{bonafide.Phone, "", "11111111111", ""},
		{bonafide.Phone, "", "00000000", ""},
		{bonafide.Phone, "", "1234", ""},
		{bonafide.Phone, "", "N/A", ""},
		{bonafide.Phone, "", "未知", ""},
		{bonafide.Phone, "", "não informado", ""},
		{bonafide.Email, "", "Foo.Bar+x@GMail.com", "foobar@gmail.com"},
		{bonafide.Email, "", "someone (at) mail [dot] com", "someone@mail.com"},
		{bonafide.Email, "", "li.wei at mail dot com", "li.wei@mail.com"},
		{bonafide.Email, "", "ａ＠ｑｑ．ｃｏｍ", "a@qq.com"},
		{bonafide.Email, "", "\"Li\" <li@x.cn>", "li@x.cn"},
		{bonafide.Email, "", "zh***@qq.com", "zh***@qq.com"},
		{bonafide.Email, "", "noreply@bank.com", ""},
		{bonafide.Email, "", "none@none.com", ""},
		{bonafide.Email, "", "test@mail.cn", ""},
		{bonafide.Email, "", "a@b@c.com", ""},
		{bonafide.Handle, "", "微信:abc_12345", "abc12345"},
		{bonafide.Handle, "", "V信：Fawu668", "fawu668"},
		{bonafide.Handle, "", "加薇❤fawu668", "fawu668"},
		{bonafide.Handle, "", "ⓕⓐⓦⓤ⑥⑥⑧", "fawu668"},
		{bonafide.Handle, "", "f a w u 6 6 8", "fawu668"},
		{bonafide.Handle, "", "@FaWu_668", "fawu668"},
		{bonafide.Handle, "", "https://t.me/fawu668", "fawu668"},
		{bonafide.Handle, "", "LawO0l1I", "1aw00111"},
		{bonafide.Handle, "", "wxid_abc123", "wx1dabc123"},
		{bonafide.Handle, "", "fаwu668", "fawu668"}, // a Cyrillic а
		{bonafide.Handle, "", "扣扣三六六二九二五五五", "366292555"},
		{bonafide.Handle, "", "微信", ""},
		{bonafide.Device, "", "aa-bb-cc-dd-ee-01", "AABBCCDDEE01"},
		{bonafide.Device, "", "00000000-0000-0000-0000-000000000000", ""},
		{bonafide.Account, "", "6222 0213 **** 1234", "62220213****1234"},
		{bonafide.Account, "", "6222 0213 XXXX 1234", "62220213****1234"},
		{bonafide.Account, "", "000000000000", ""},
		{bonafide.IP, "", "::ffff:8.8.8.8", "8.8.8.8"},
		{bonafide.IP, "", "8.8.8.8:443", "8.8.8.8"},
		{bonafide.IP, "", "192.168.0.1", ""},
		{bonafide.IP, "", "127.0.0.1", ""},
		{bonafide.Sender, "", "P.O. Box 12", "pobox_12"},
		{bonafide.Sender, "", "Li, Wei. 12 Main Street", "12 li main st wei"},
		{bonafide.Sender, "", "unknown", ""},
		{bonafide.Phone, "", strings.Repeat("1", 600), ""},
	} {
		n := New(Config{Country: c.country})
		got, ok := n.Identifier(bonafide.Identifier{Kind: c.kind, Value: c.in})
		if got.Text != c.want || ok != (c.want != "") {
			t.Errorf("%s %q: got %q, %v, want %q", c.kind, c.in, got.Text, ok, c.want)
		}
		if got.Masked != strings.Contains(got.Text, "*") {
			t.Errorf("%s %q: Masked is %v", c.kind, c.in, got.Masked)
		}
	}
}

func TestHandleThatIsAMobileIsAPhone(t *testing.T) {
	n := New(Config{})
	for _, s := range []string{"微信18697610951", "wx: 186 9761 0951", "wa.me/8618697610951", "l86976lO95i"} {
		if got, _ := n.Identifier(bonafide.Identifier{Kind: bonafide.Handle, Value: s}); got != (Value{Kind: bonafide.Phone, Text: "+8618697610951"}) {
			t.Errorf("%q: got %+v", s, got)
		}
	}
}

func TestOwnAndJunkLinkNobody(t *testing.T) {
	n := New(Config{Own: []bonafide.Identifier{{Kind: bonafide.Phone, Value: "138 0000 1111"}, {Kind: bonafide.Email, Value: "Care@Bank.cn"}}, Junk: []string{"FRONT-DESK"}})
	for _, id := range []bonafide.Identifier{
		{Kind: bonafide.Phone, Value: "+8613800001111"},
		{Kind: bonafide.Phone, Value: "138****1111"},
		{Kind: bonafide.Handle, Value: "微信13800001111"},
		{Kind: bonafide.Email, Value: "care@bank.cn"},
		{Kind: bonafide.Device, Value: "front desk"},
	} {
		if got, ok := n.Identifier(id); ok {
			t.Errorf("%s: got %+v, want nothing", id.Kind, got)
		}
	}
	if _, ok := n.Identifier(bonafide.Identifier{Kind: bonafide.Phone, Value: "138****2222"}); !ok {
		t.Error("another masked number is refused")
	}
}

func TestCompatible(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"+86138****1234", "+8613856781234", true},
		{"+86138****1234", "+86138567*1234", true},
		{"+86138****1234", "+8613956781234", false},
		{"+86138****1234", "+86138***1234", false},
		{"abc", "abc", true},
		{"abc", "abd", false},
		{"张*", "张三", true},
		{"", "*", false},
	} {
		if got := Compatible(c.a, c.b); got != c.want {
			t.Errorf("Compatible(%q, %q) = %v", c.a, c.b, got)
		}
		if Compatible(c.a, c.b) != Compatible(c.b, c.a) {
			t.Errorf("Compatible(%q, %q) depends on the order", c.a, c.b)
		}
	}
}

func TestShown(t *testing.T) {
	for s, want := range map[string]int{"+86138****1234": 7, "62220213****1234": 12, "zh***@qq.com": 7, "****": 0, "": 0, "+": 0} {
		if got := Shown(s); got != want {
			t.Errorf("Shown(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"ＡＢＣ１２３": "abc123", "Ⓐ❶①⑴⒈": "a1111", "а\u200bｂ\ufe0f": "ab", "𝓕𝓪𝔀𝓾": "fawu", "ΑΒ": "ab", "São": "são", "SA\u0303O": "são",
		"ᴛɢ": "tg", "🅰🇧": "ab", "١٢٣": "123", "投诉。": "投诉。", "a\u0336b": "ab", "": "",
	} {
		if got := Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestName(t *testing.T) {
	for in, want := range map[string]PersonName{
		"LI, Wei": {"li wei", "li", "wei"}, "Wei Li": {"li wei", "li", "wei"}, "LI Wei": {"li wei", "li", "wei"}, "欧阳修": {"欧阳修", "欧阳", "修"}, "张 三 先生": {"张三", "张", "三"},
		"Maria da Silva e Souza": {"maria silva souza", "souza", "maria silva"}, "Mr. John O'Neil Jr.": {"john oneil", "oneil", "john"}, "José": {"jose", "jose", ""},
		"N/A": {}, "张*": {}, "无": {}, "": {}, "x": {},
	} {
		if got, ok := Name(in); got != want || ok != (want != PersonName{}) {
			t.Errorf("Name(%q) = %+v, %v, want %+v", in, got, ok, want)
		}
	}
}

// The numbers are the specimens of the authorities, or made up with right check digits.
func TestID(t *testing.T) {
	for in, want := range map[string]NationalID{
		"11010519491231002x": {"CN", "11010519491231002X"}, "110105491231002": {"CN", "11010519491231002X"}, "110105194912310021": {"", "110105194912310021"},
		"529.982.247-25": {"BR", "52998224725"}, "529.982.247-26": {"", "52998224726"}, "11.222.333/0001-81": {"BR", "11222333000181"},
		"219-09-1234": {"US", "219091234"}, "666-09-1234": {"", "666091234"}, "2341 2341 2346": {"IN", "234123412346"}, "2341 2341 2347": {"", "234123412347"},
		"ab 12 34 56 c": {"GB", "AB123456C"}, "X1234567": {"", "X1234567"}, "111.111.111-11": {}, "123456789": {}, "12345": {}, "110101********1234": {}, "无": {},
	} {
		if got, ok := ID(in); got != want || ok != (want != NationalID{}) {
			t.Errorf("ID(%q) = %+v, %v, want %+v", in, got, ok, want)
		}
	}
}

func TestParseAddress(t *testing.T) {
	for _, same := range []struct {
		want Place
		in   []string
	}{
		{Place{"湖南省长沙市岳麓区麓山南路1号3栋2单元501室", "湖南省长沙市岳麓区麓山南路1号3栋", ""}, []string{
			"湖南省长沙市岳麓区麓山南路１号三号楼二单元501室", "湖南省 长沙市 岳麓区 麓山南路1號3幢2單元501房", "湖南省长沙市岳麓区麓山南路1号3-2-501", "湖南省长沙市岳麓区麓山南路1号3#楼2单元5楼501",
		}},
		{Place{"北京市朝阳区建国路88号a栋1203室", "北京市朝阳区建国路88号a栋", ""}, []string{"北京市朝阳区建国路88号A座1203", "中国北京市朝阳区建国路八十八号Ａ座一二〇三室"}},
		{Place{"12 62704 apt_4 il main springfield st", "12 62704 il main springfield st", "62704"}, []string{
			"12 Main Street, Apt 4, Springfield, IL 62704", "#4, 12 Main St., Springfield, Illinois 62704-1234", "Unit 4 / 12 MAIN ST / SPRINGFIELD IL 62704 USA",
		}},
		{Place{"pobox_12", "pobox_12", ""}, []string{"P.O. Box 12", "PO BOX 12", "Post Office Box 12", "p o box #12"}},
		{Place{"01234567 123 apt_45 bl_b flores paulo rua sao sp", "01234567 123 bl_b flores paulo rua sao sp", "01234567"}, []string{
			"R. das Flores, nº 123, apto 45, bloco B, São Paulo - SP, 01234-567", "Rua das Flores 123 ap. 45 Bl B Sao Paulo SP CEP 01234-567",
		}},
		{Place{"10 downing london st sw1a2aa", "10 downing london st sw1a2aa", "sw1a2aa"}, []string{"10 Downing Street, London SW1A 2AA", "10 downing st london sw1a2aa"}},
		{Place{"20 fl_5 king leeds rd", "20 king leeds rd", ""}, []string{"5th floor, 20 King Rd, Leeds", "20 King Road, Leeds, Floor 5"}},
	} {
		for _, in := range same.in {
			if got, ok := ParseAddress(in); got != same.want || !ok {
				t.Errorf("ParseAddress(%q) = %+v, %v, want %+v", in, got, ok, same.want)
			}
		}
	}
	for _, in := range []string{"", "N/A", "未知", "北京市", "湖南省长沙市岳麓区", "London", "unknown", "não informado", strings.Repeat("a1 ", 300)} {
		if got, ok := ParseAddress(in); ok {
			t.Errorf("ParseAddress(%q) = %+v, want none", in, got)
		}
	}
}

func TestNetwork(t *testing.T) {
	for in, want := range map[string]string{
		"8.8.8.8": "8.8.8.0/24", "8.8.4.4:53": "8.8.4.0/24", "::ffff:8.8.8.8": "8.8.8.0/24", "[2001:4860:1:2::1]:80": "2001:4860:1::/48",
		"10.0.0.1": "", "127.0.0.1": "", "fe80::1%eth0": "", "100.64.1.1": "", "240.0.0.1": "", "::1": "", "x": "", "": "",
	} {
		if got := Network(in); got != want {
			t.Errorf("Network(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestHasher(t *testing.T) {
	h := NewHasher([]byte("0123456789abcdef"))
	if h.Sum("a", "bc") == h.Sum("ab", "c") || h.Sum("a", "b") == h.Sum("a", "c") {
		t.Error("kind and text run together")
	}
	if h.Sum("a", "b") != NewHasher([]byte("0123456789abcdef")).Sum("a", "b") {
		t.Error("one key gives two sums")
	}
	if h.Sum("a", "b") == NewHasher([]byte("0123456789abcdeg")).Sum("a", "b") {
		t.Error("two keys give one sum")
	}
	done := make(chan bonafide.Key)
	for range 8 {
		go func() {
			k := bonafide.Key(0)
			for range 100 {
				k = h.Sum("phone", "+8613812345678")
			}
			done <- k
		}()
	}
	for range 8 {
		if got := <-done; got != h.Sum("phone", "+8613812345678") {
			t.Error("sums differ between goroutines")
		}
	}
}

func TestFind(t *testing.T) {
	for in, want := range map[string]string{
		"请加微信：ＦａＷｕ６６８ 咨询":                                            "handle fawu668",
		"加V：13015080094":                                             "phone +8613015080094",
		"ⓥ❶③0①⑤0⑧00⑨④":                                               "phone +8613015080094",
		"加Q群~366~292555免费":                                           "handle 366292555",
		"飞机:@yckj777 t.me/ayc123":                                    "handle yckj777|handle ayc123",
		"薇：fawu_668，V信 f a w u 6 6 8 进群":                             "handle fawu668|handle fawu668",
		"我的电话是一三八一二三四五六七八，谢谢":                                        "phone +8613812345678",
		"call (213) 456-7890 or 213.456.7891.":                       "phone +12134567890|phone +12134567891",
		"mail zhang.san at mail dot com or a_b(at)qq.com":            "email zhang.san@mail.com|email a_b@qq.com",
		"met at noon. It was":                                        "",
		"CPF 529.982.247-25, (11) 98765-4321":                        "id 52998224725|phone +5511987654321",
		"card 4111 1111 1111 1111, IBAN GB82 WEST 1234 5698 7654 32": "card 4111111111111111|account GB82WEST12345698765432",
		"身份证11010519491231002X，138****1234":                          "id 11010519491231002X|phone +86138****1234",
		"WhatsApp +55 11 98765-4321":                                 "phone +5511987654321",
		"wechat is a good app, my line of credit: 20000":             "",
		"微信小程序补贴10000元，二〇一九年三月":                                      "",
		"XX/XX/2015 I paid {$1234.00} to XXXX on 2019/2/28 11:25:05": "",
	} {
		var got []string
		for _, f := range Find(in) {
			got = append(got, f.Kind+" "+f.Value)
		}
		if s := strings.Join(got, "|"); s != want {
			t.Errorf("Find(%q) = %q, want %q", in, s, want)
		}
	}
}

func TestMask(t *testing.T) {
	for in, want := range map[string]string{
		"加V：13015080094 谢谢":     "加V：‹phone› 谢谢",
		"ref ４５６７８９, paid 1234": "ref ‹number›, paid 1234",
		"a@b.cn 微信：fawu668":     "‹email› 微信：‹handle›",
		"":                      "",
	} {
		if got := Mask(in); got != want {
			t.Errorf("Mask(%q) = %q, want %q", in, got, want)
		}
	}
}

// Adverts name a handle far more often than ordinary chat does; where that stops
// being so, Find has gone blind or sees ghosts.
func TestFindInAdverts(t *testing.T) {
	f, err := os.Open("../../shared/data/adverts/messages-zh.csv")
	if err != nil {
		t.Skip("shared data is absent")
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	with, all := map[string]int{}, map[string]int{}
	for _, r := range rows[1:] {
		all[r[0]]++
		if len(Find(r[1])) > 0 {
			with[r[0]]++
		}
	}
	t.Logf("found in %d of %d adverts, %d of %d ordinary messages", with["advert"], all["advert"], with["ordinary"], all["ordinary"])
	if with["advert"]*3 < all["advert"] || with["ordinary"]*100 > all["ordinary"] {
		t.Errorf("found in %d of %d adverts, %d of %d ordinary messages", with["advert"], all["advert"], with["ordinary"], all["ordinary"])
	}
}

func BenchmarkIdentifier(b *testing.B) {
	n := New(Config{})
	for _, id := range []bonafide.Identifier{
		{Kind: bonafide.Phone, Value: "+86 138 1234 5678"},
		{Kind: bonafide.Phone, Value: "138＊＊＊＊1234"},
		{Kind: bonafide.Email, Value: "Foo.Bar+x@GMail.com"},
		{Kind: bonafide.Handle, Value: "V信：ＦａＷｕ６６８"},
		{Kind: bonafide.Address, Value: "湖南省长沙市岳麓区麓山南路１号三号楼二单元501室"},
		{Kind: bonafide.Address, Value: "12 Main Street, Apt 4, Springfield, IL 62704"},
		{Kind: bonafide.Device, Value: "aa-bb-cc-dd-ee-01"},
		{Kind: bonafide.IP, Value: "8.8.8.8"},
	} {
		b.Run(string(id.Kind), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				n.Identifier(id)
			}
		})
	}
}

func BenchmarkHasher(b *testing.B) {
	h := NewHasher([]byte("0123456789abcdef"))
	for b.Loop() {
		h.Sum("phone", "+8613812345678")
	}
}

func BenchmarkFind(b *testing.B) {
	for name, s := range map[string]string{
		"english": strings.Repeat("I paid the fee on 03/25/2015 and asked the bank to refund $1,234.56 at once. ", 2500),
		"chinese": strings.Repeat("本人于2023年5月向贵行投诉利息过高，要求退还，联系电话见信封。", 2500),
		"hostile": strings.Repeat("1 2 v:@(at) ", 16000),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(s)))
			for b.Loop() {
				Find(s)
			}
		})
	}
}
