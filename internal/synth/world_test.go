package synth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"bonafide"
)

var allStyles = []Style{Dev, Held, Held2}

var worlds sync.Map // Config to func() World

// eachWorld runs f on a full world of every style and language.
func eachWorld(t *testing.T, f func(t *testing.T, w World)) {
	t.Helper()
	for _, style := range allStyles {
		for _, lang := range langs {
			t.Run(string(style)+"/"+lang, func(t *testing.T) {
				t.Parallel()
				c := Config{Seed: 11, Style: style, Lang: lang}
				world, _ := worlds.LoadOrStore(c, sync.OnceValue(func() World { return New(c) }))
				f(t, world.(func() World)())
			})
		}
	}
}

func TestNewIsDeterministic(t *testing.T) {
	for _, style := range allStyles {
		for seed := range uint64(3) {
			c := Config{Seed: seed, Size: 400, Style: style}
			var a, b bytes.Buffer
			first, second := New(c), New(c)
			if err := WriteNDJSON(&a, first.Complaints); err != nil {
				t.Fatal(err)
			}
			if err := WriteNDJSON(&b, second.Complaints); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(a.Bytes(), b.Bytes()) || !slices.Equal(first.Truth.Rows, second.Truth.Rows) {
				t.Errorf("%s, seed %d: two worlds of one config differ", style, seed)
			}
		}
	}
}

func TestNewKeepsSizeAndShares(t *testing.T) {
	for _, size := range []int{200, 1000, 5000} {
		w := New(Config{Seed: 5, Size: size, AgentShare: 0.2})
		if n := len(w.Complaints); n < size || n > size+size/20+40 {
			t.Errorf("size %d: got %d complaints", size, n)
		}
		agents := 0
		for _, row := range w.Truth.Rows {
			if row.Agent {
				agents++
			}
		}
		if share := float64(agents) / float64(len(w.Truth.Rows)); share < 0.17 || share > 0.25 {
			t.Errorf("size %d: got %.3f of complaints by agents, want 0.2", size, share)
		}
	}
}

func TestEveryGroupIsPresent(t *testing.T) {
	eachWorld(t, func(t *testing.T, w World) {
		count := map[string]int{}
		rings := map[string]map[string]int{}
		for _, row := range w.Truth.Rows {
			count[row.Group]++
			if row.Agent {
				if rings[row.Group] == nil {
					rings[row.Group] = map[string]int{}
				}
				rings[row.Group][row.Ring]++
			}
		}
		for _, k := range agentKinds {
			group := "agent:" + k.name
			if n := len(rings[group]); n < 2 {
				t.Errorf("%s: got %d rings, want several", group, n)
			}
			for ring, n := range rings[group] {
				if n < 3 || n > 40 {
					t.Errorf("%s %s: got %d members, want 3 to 40", group, ring, n)
				}
			}
		}
		for _, k := range innocentKinds {
			if count["innocent:"+k.name] < 4 {
				t.Errorf("innocent:%s: got %d complaints", k.name, count["innocent:"+k.name])
			}
		}
		if share := float64(count["innocent:plain"]) / float64(len(w.Truth.Rows)); share < 0.58 {
			t.Errorf("got %.2f plain, want about 0.6 or more", share)
		}
	})
}

func TestComplaintsFollowTheContract(t *testing.T) {
	channels := strings.Fields("hotline regulator portal letter email app branch social court")
	eachWorld(t, func(t *testing.T, w World) {
		seen := map[string]bool{}
		for i, c := range w.Complaints {
			if c.ID == "" || len(c.ID) > 128 || seen[c.ID] || c.ID != w.Truth.Rows[i].ID {
				t.Fatalf("row %d: bad or repeated id %q", i, c.ID)
			}
			seen[c.ID] = true
			if c.Received.IsZero() || i > 0 && c.Received.Before(w.Complaints[i-1].Received) {
				t.Fatalf("%s: arrival out of order", c.ID)
			}
			channel, _, _ := strings.Cut(string(c.Channel), "/")
			if c.Channel != "" && !slices.Contains(channels, channel) {
				t.Fatalf("%s: channel %q", c.ID, c.Channel)
			}
			if !utf8.ValidString(c.Text) || len(c.Text) < 100 || len(c.Text) > 20000 {
				t.Fatalf("%s: letter of %d bytes", c.ID, len(c.Text))
			}
			if strings.ContainsAny(c.Text, "<>{}[]|") && !strings.Contains(c.Text, " | ") {
				t.Fatalf("%s: grammar shows in %q", c.ID, c.Text)
			}
			for _, id := range c.Contacts {
				if id.Value == "" || !slices.Contains(bonafide.IdentifierKinds, id.Kind) {
					t.Fatalf("%s: contact of kind %q, empty %v", c.ID, id.Kind, id.Value == "")
				}
			}
			for _, d := range c.Documents {
				if len(d.SHA256) != 64 || d.Kind == "" {
					t.Fatalf("%s: document %q", c.ID, d.Kind)
				}
			}
		}
	})
}

// TestFlagsAreRight recomputes what a member shares with another customer's
// complaint of its ring by plain pairwise comparison.
func TestFlagsAreRight(t *testing.T) {
	eachWorld(t, func(t *testing.T, w World) {
		outside := map[string]map[string]int{} // value to ring to holders
		values := make([][]string, len(w.Complaints))
		rings := map[string][]int{}
		for i, row := range w.Truth.Rows {
			values[i] = plainValues(&w.Complaints[i])
			for _, v := range values[i] {
				if outside[v] == nil {
					outside[v] = map[string]int{}
				}
				outside[v][row.Ring]++
			}
			if row.Agent {
				rings[row.Ring] = append(rings[row.Ring], i)
			}
		}
		provable, agents := 0, 0
		for ring, members := range rings {
			for _, i := range members {
				want := false
				for _, j := range members {
					for _, v := range values[i] {
						all := 0
						for _, n := range outside[v] {
							all += n
						}
						if i != j && slices.Contains(values[j], v) && all-outside[v][ring] <= outside[v][ring] {
							want = true
						}
					}
				}
				row := w.Truth.Rows[i]
				if row.Provable != want {
					t.Errorf("%s of %s: provable %v, want %v", row.ID, row.Group, row.Provable, want)
				}
				if row.Provable && row.TextOnly {
					t.Errorf("%s: provable and text only", row.ID)
				}
				agents++
				if row.Provable {
					provable++
				}
			}
		}
		if share := float64(provable) / float64(agents); share < 0.45 || share > 0.85 {
			t.Errorf("got %.2f of agents' complaints provable", share)
		}
		for i, row := range w.Truth.Rows {
			if !row.Agent && (row.Provable || row.TextOnly || row.Ring != "") {
				t.Errorf("%s is innocent and has flags", row.ID)
			}
			c := &w.Complaints[i]
			if want := c.Customer.Vulnerable != "" || c.Representative.WhitePath(); row.Routed != want {
				t.Errorf("%s: routed %v, want %v", row.ID, row.Routed, want)
			}
		}
	})
}

// plainValues is a second, cruder normaliser: letters and digits of ASCII and
// Han only, folded by hand.
func plainValues(c *bonafide.Complaint) []string {
	fold := strings.NewReplacer("а", "a", "е", "e", "о", "o", "с", "c", "р", "p", "х", "x", "А", "a", "Е", "e", "О", "o", "С", "c")
	var out []string
	add := func(kind bonafide.IdentifierKind, v string) {
		if v == "" || strings.Contains(v, "*") || slices.Contains(junk[kind], v) {
			return
		}
		var b strings.Builder
		for _, r := range fold.Replace(v) {
			if r > 0xff00 && r < 0xff5f {
				r -= 0xfee0
			}
			switch {
			case r >= 'A' && r <= 'Z':
				b.WriteRune(r + 32)
			case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r > 0xbf && r != '·':
				b.WriteRune(r)
			}
		}
		s := b.String()
		switch kind {
		case bonafide.Phone:
			s = strings.NewReplacer("o", "0", "l", "1").Replace(s)
			s = s[max(0, len(s)-10):]
		case bonafide.Handle:
			for _, p := range []string{"vx", "wx", "id"} {
				if strings.HasPrefix(strings.ToLower(v), p+":") {
					s = strings.TrimPrefix(s, p)
				}
			}
		case bonafide.Address, bonafide.Sender:
			n, _ := normal(kind, v)
			s = n.key
		}
		out = append(out, string(kind)+" "+s)
	}
	for _, id := range c.Contacts {
		add(id.Kind, id.Value)
	}
	add(bonafide.Phone, c.Customer.Phone)
	add(bonafide.Email, c.Customer.Email)
	add(bonafide.Address, c.Customer.Address)
	for _, d := range c.Documents {
		out = append(out, "document "+d.SHA256)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestIDsSayNothing(t *testing.T) {
	w := New(Config{Seed: 2, Size: 3000})
	width := map[string]bool{}
	agents := [2]int{}
	for i, row := range w.Truth.Rows {
		width[fmt.Sprint(len(row.ID))] = true
		if row.Agent {
			agents[int(row.ID[len(row.ID)-1])%2]++
		}
		_ = i
	}
	if len(width) != 1 {
		t.Errorf("ids of %d lengths, want one", len(width))
	}
	if even, odd := agents[0], agents[1]; min(even, odd)*10 < max(even, odd)*8 {
		t.Errorf("agents have %d even and %d odd ids", even, odd)
	}
	// Interleaved: rarely does the next complaint come from the same ring.
	same, all := 0, 0
	for i := 1; i < len(w.Truth.Rows); i++ {
		if w.Truth.Rows[i].Agent {
			all++
			if w.Truth.Rows[i].Ring == w.Truth.Rows[i-1].Ring {
				same++
			}
		}
	}
	if same*5 > all {
		t.Errorf("%d of %d agents' complaints follow one of their own ring", same, all)
	}
}

func TestTruthReadsBack(t *testing.T) {
	want := New(Config{Seed: 4, Size: 300}).Truth
	var b bytes.Buffer
	if err := want.Write(&b); err != nil {
		t.Fatal(err)
	}
	got, err := ReadTruth(&b)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Rows, want.Rows) {
		t.Error("truth changed by writing and reading")
	}
	if _, err := ReadTruth(strings.NewReader("id,group,agent,ring,provable,text_only,routed\na,b,maybe,,true,false,false\n")); err == nil {
		t.Error("want an error for a flag that is neither true nor false")
	}
}

func TestNDJSONReadsBack(t *testing.T) {
	w := New(Config{Seed: 4, Size: 300, Lang: "zh"})
	var b bytes.Buffer
	if err := WriteNDJSON(&b, w.Complaints); err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(&b)
	dec.DisallowUnknownFields()
	for i := range w.Complaints {
		var c bonafide.Complaint
		if err := dec.Decode(&c); err != nil {
			t.Fatal(err)
		}
		if c.ID != w.Complaints[i].ID || c.Text != w.Complaints[i].Text || !slices.Equal(c.Contacts, w.Complaints[i].Contacts) {
			t.Fatalf("%s changed by writing and reading", c.ID)
		}
	}
}
