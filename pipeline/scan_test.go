package pipeline

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"bonafide"
	"bonafide/internal/synth"
	"bonafide/policy"
	"bonafide/signal/text"

	"github.com/google/go-cmp/cmp"
)

// scan runs a whole scan over cs.
func scan(t *testing.T, cs []bonafide.Complaint) *bonafide.Result {
	t.Helper()
	pack, err := policy.Load("nifa-2024")
	if err != nil {
		t.Fatal(err)
	}
	public, err := text.PublicLetters()
	if err != nil {
		t.Fatal(err)
	}
	s := NewScanner(Config{Version: "test", Secret: []byte("test"), Policy: pack, Public: public})
	for i := range cs {
		if err := s.Add(t.Context(), &cs[i]); err != nil {
			t.Fatal(err)
		}
	}
	r, err := s.Finish(t.Context(), bonafide.Read{Accepted: len(cs)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func levels(r *bonafide.Result) map[string]bonafide.Level {
	out := map[string]bonafide.Level{}
	for _, v := range r.Complaints {
		out[v.ID] = v.Level
	}
	return out
}

// story is a letter of somebody's own: everyday words beside rarer ones.
func story(r *rand.Rand) string {
	everyday := strings.Fields("I my the a to and you that of on bank loan called asked paid month letter wrote never because contract fee branch money please answer")
	syllables := strings.Fields("ba be bo da di do fa fe ga go ka ki ko la le li ma mi mo na ne no pa pe ra re ri sa se so ta ti to va ve wo za zu")
	var b strings.Builder
	for i := range 70 + r.IntN(80) {
		if i > 0 {
			b.WriteByte(' ')
		}
		if r.IntN(2) == 0 {
			b.WriteString(everyday[r.IntN(len(everyday))])
			continue
		}
		for range 2 + r.IntN(2) {
			b.WriteString(syllables[r.IntN(len(syllables))])
		}
	}
	return b.String()
}

// strangers are n people with letters of their own and nothing in common.
func strangers(n int, seed uint64) []bonafide.Complaint {
	r := rand.New(rand.NewPCG(seed, 0))
	day := time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC)
	var cs []bonafide.Complaint
	for i := range n {
		cs = append(cs, bonafide.Complaint{
			ID: fmt.Sprintf("S%04d", i), Received: day.Add(time.Duration(r.IntN(200*24)) * time.Hour), Text: story(r),
			Customer: bonafide.Customer{
				Ref: fmt.Sprint("ref", i), Name: fmt.Sprintf("Nam%c Sur%c%c", 'a'+i%26, 'a'+i/26%26, 'a'+i%7),
				Address: fmt.Sprintf("%d Oak Street, Town%d", 1+i, i%40), Region: fmt.Sprint("region ", i%12),
			},
			Contacts: []bonafide.Identifier{{Kind: bonafide.Phone, Value: fmt.Sprintf("+4479%08d", 13579*i%1e8)}},
		})
	}
	return cs
}

const playbook = "I refuse to accept the interest that your company has charged on my loan, because the contract never named the yearly cost, " +
	"and I demand that every fee beyond the principal is returned within seven working days. My employer was telephoned about a private matter, " +
	"which broke the rules on contacting third parties. I suffer from sleeplessness since then and hold a certificate. Should you not settle, " +
	"I shall turn to the regulator, to the press and to the court at the same time."

// agency appends n clients of one agency, far apart, whose letters come from one
// playbook and of whom each three have one phone.
func agency(cs []bonafide.Complaint, n int) []bonafide.Complaint {
	day := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	for i := range n {
		cs = append(cs, bonafide.Complaint{
			ID: fmt.Sprintf("A%04d", i), Received: day.Add(time.Duration(i) * 31 * time.Hour),
			Text: fmt.Sprintf("My name is client %c%c. ", 'a'+i%26, 'a'+i/26) + playbook,
			Customer: bonafide.Customer{
				Ref: fmt.Sprint("aref", i), Name: fmt.Sprintf("Cli%c Ent%c", 'a'+i%26, 'a'+i/3%26),
				Address: fmt.Sprintf("%d Elm Road, Ville%d", 7+i, i), Region: fmt.Sprint("region ", i%12),
			},
			Contacts: []bonafide.Identifier{{Kind: bonafide.Phone, Value: fmt.Sprintf("+4478000%05d", 55555+i/3)}},
		})
	}
	return cs
}

func TestScanFindsAnAgencyAndLeavesStrangersAlone(t *testing.T) {
	r := scan(t, agency(strangers(300, 1), 9))
	got := levels(r)
	for i := range 9 {
		if l := got[fmt.Sprintf("A%04d", i)]; l != bonafide.Level2 {
			t.Errorf("client %d: %q, want level-2", i, l)
		}
	}
	for id, l := range got {
		if strings.HasPrefix(id, "S") {
			t.Errorf("stranger %s: %s", id, l)
		}
	}
	if len(r.Rings) != 1 || len(r.Rings[0].Members) != 9 || len(r.Rings[0].Shared) != 3 {
		t.Fatalf("rings %+v", r.Rings)
	}
	ring := r.Rings[0]
	if !slices.Contains(ring.Families, bonafide.FamilyIdentity) || ring.Score < 0.5 || ring.Score > 1 || len(ring.Innocent) == 0 {
		t.Errorf("families %v, score %v, innocent %v", ring.Families, ring.Score, ring.Innocent)
	}
}

func TestSameInputSameResultInAnyOrder(t *testing.T) {
	cs := synth.New(synth.Config{Seed: 5, Size: 1200}).Complaints
	first := scan(t, slices.Clone(cs))
	rand.New(rand.NewPCG(3, 3)).Shuffle(len(cs), func(i, j int) { cs[i], cs[j] = cs[j], cs[i] })
	second := scan(t, cs)
	if d := cmp.Diff(first, second); d != "" {
		t.Errorf("the order of rows changed the result: %s", d)
	}
}

func TestThousandStrangersOnOneKeyMakeNoRing(t *testing.T) {
	cs := strangers(1200, 2)
	for i := range 1000 {
		cs[i].Contacts = append(cs[i].Contacts,
			bonafide.Identifier{Kind: bonafide.Phone, Value: "+442071234567"},
			bonafide.Identifier{Kind: bonafide.Device, Value: "kiosk-77aa81"},
			bonafide.Identifier{Kind: bonafide.IP, Value: "81.2.69.142"})
		cs[i].Documents = []bonafide.Document{{Kind: "leaflet", SHA256: strings.Repeat("ab", 32)}}
	}
	r := scan(t, cs)
	if len(r.Rings) > 0 {
		t.Errorf("%d rings", len(r.Rings))
	}
	for id, l := range levels(r) {
		if l.Accuses() {
			t.Errorf("%s: %s", id, l)
		}
	}
}

func TestResultHoldsNoClearPersonalValue(t *testing.T) {
	cs := agency(strangers(100, 4), 6)
	canaries := []string{"9471102", "canary@mailbox.example", "canary_handle_7", "7749 0021 5548", "Zebedee Quillfeather", "Quillfeather"}
	for i := 100; i < 106; i++ {
		c := &cs[i]
		c.Customer.Name = "Zebedee Quillfeather" + strings.Repeat("x", i-100)
		c.Contacts = append(c.Contacts, bonafide.Identifier{Kind: bonafide.Phone, Value: "+4477994711020"},
			bonafide.Identifier{Kind: bonafide.Email, Value: "canary@mailbox.example"},
			bonafide.Identifier{Kind: bonafide.Handle, Value: "canary_handle_7"},
			bonafide.Identifier{Kind: bonafide.Account, Value: "7749 0021 5548"})
		c.Text += " Call me on +44 7799 471102 or write to canary@mailbox.example. I am " + c.Customer.Name + "."
	}
	out, err := json.Marshal(scan(t, cs))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range canaries {
		if strings.Contains(string(out), c) {
			t.Errorf("the result holds %q", c)
		}
	}
}

func TestPublicLetterIsMarked(t *testing.T) {
	cs := strangers(60, 6)
	for i := range 10 {
		cs[i].Text = fmt.Sprintf("I am responding to your contact about collecting a debt. You contacted me by phone, on 3 May and identified the debt as loan %d. "+
			"I do not have any responsibility for the debt you're trying to collect. If you have good reason to believe that I am responsible for this debt, "+
			"mail me the documents that make you believe that. Stop all other communication with me and with this address, and record that I dispute having "+
			"any obligation for this debt.", 100+i)
	}
	r := scan(t, cs)
	if len(r.Templates) != 1 || len(r.Templates[0].Members) != 10 || !strings.Contains(r.Templates[0].Benign, "CFPB") {
		t.Fatalf("templates %+v", r.Templates)
	}
}

func TestOwnNumbersAndRepeatsTieNobody(t *testing.T) {
	cs := agency(strangers(100, 7), 6)
	for i := range cs {
		cs[i].Customer.Ref = "one customer" // a single person who writes a lot
	}
	if r := scan(t, cs); len(r.Rings) > 0 || len(r.Templates) > 0 {
		t.Errorf("one customer made %d rings and %d templates", len(r.Rings), len(r.Templates))
	}
}

func TestEmptyScan(t *testing.T) {
	r := scan(t, nil)
	if len(r.Complaints)+len(r.Rings)+len(r.Templates) > 0 || len(r.NotProved) == 0 {
		t.Errorf("got %+v", r)
	}
}

// A rule is named by its criterion; only what really begins its id is not said twice.
func TestRuleName(t *testing.T) {
	for _, row := range []struct {
		id, want string
		of       bonafide.Criterion
	}{
		{"K06", "K06", "K06"}, {"K06.agency", "K06 .agency", "K06"}, {"duplicate", "K10 duplicate", "K10"}, {"C1-name", "C1-name", ""}, {"K1", "K10 K1", "K10"}, {"", "K10", "K10"},
	} {
		if got := ruleName(&policy.Rule{ID: row.id, Criteria: row.of}); got != row.want {
			t.Errorf("%s of %s: %q, want %q", row.id, row.of, got, row.want)
		}
	}
}
