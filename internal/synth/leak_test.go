package synth

import (
	"slices"
	"strings"
	"testing"

	"bonafide"
)

// mayTouchRings are the innocent groups that hold a ring's values on purpose.
var mayTouchRings = []string{"innocent:recycled-number", "innocent:former-client"}

func TestInnocentsShareNothingWithRings(t *testing.T) {
	eachWorld(t, func(t *testing.T, w World) {
		byRing := map[string]bool{}
		for i, row := range w.Truth.Rows {
			if row.Agent {
				for _, v := range identifiers(&w.Complaints[i]) {
					if !v.masked {
						byRing[v.key] = true
					}
				}
			}
		}
		// A carrier's gateway has people of both sides behind it.
		carrier := map[string]int{}
		for i := range w.Complaints {
			for _, id := range w.Complaints[i].Contacts {
				if id.Kind == bonafide.IP {
					carrier[id.Value]++
				}
			}
		}
		chance := 0
		for i, row := range w.Truth.Rows {
			if row.Agent || slices.Contains(mayTouchRings, row.Group) {
				continue
			}
			for _, v := range identifiers(&w.Complaints[i]) {
				kind, ip, _ := strings.Cut(v.key, " ")
				switch {
				case v.masked || !byRing[v.key] || kind == "ip" && carrier[ip] > 1:
				case kind == "address" || kind == "sender":
					chance++ // namesakes and former tenants
				default:
					t.Errorf("%s of %s holds a ring's %s", row.ID, row.Group, kind)
				}
			}
		}
		if chance > 8 {
			t.Errorf("%d innocents hold a ring's address or sender, want hardly any", chance)
		}
	})
}

// honestAlike are innocent groups whose letters are copies by design.
var honestAlike = strings.Fields("innocent:viral-post innocent:public-template innocent:law-firm innocent:legal-aid innocent:charity innocent:declared-family innocent:household innocent:repeat-customer innocent:quoted-statute innocent:dormitory innocent:neighbours")

func TestHonestSentencesRarelyRepeat(t *testing.T) {
	eachWorld(t, func(t *testing.T, w World) {
		count := map[string]int{}
		var all []string
		for i, row := range w.Truth.Rows {
			if row.Agent || slices.Contains(honestAlike, row.Group) {
				continue
			}
			own := map[string]bool{}
			for s := range strings.FieldsFuncSeq(w.Complaints[i].Text, func(r rune) bool { return strings.ContainsRune(".\n。!?", r) }) {
				s = strings.ToLower(strings.TrimSpace(s))
				if n := len(s); n < 45 || own[s] { // short ones are headings and greetings
					continue
				}
				own[s] = true
				count[s]++
				all = append(all, s)
			}
		}
		repeated := 0
		for _, s := range all {
			if count[s] > 1 {
				repeated++
			}
		}
		share := float64(repeated) / float64(len(all))
		t.Logf("%.3f of honest sentences occur in another honest letter", share)
		if share > 0.25 {
			t.Errorf("got %.3f of honest sentences repeated, want at most 0.25", share)
		}
	})
}

// TestLikenessOverlaps keeps rings hard to tell by text: the best match of many
// ring members is no better than what strangers reach on the same topic.
func TestLikenessOverlaps(t *testing.T) {
	eachWorld(t, func(t *testing.T, w World) {
		grams := make([]map[string]bool, len(w.Complaints))
		rings := map[string][]int{}
		var plain []int
		for i, row := range w.Truth.Rows {
			if row.Agent && row.Group != "agent:naive" {
				grams[i] = runeGrams(w.Complaints[i].Text)
				rings[row.Ring] = append(rings[row.Ring], i)
			} else if row.Group == "innocent:plain" && len(plain) < 500 {
				grams[i] = runeGrams(w.Complaints[i].Text)
				plain = append(plain, i)
			}
		}
		var mates, strangers []float64
		for _, members := range rings {
			for k, i := range members {
				for _, j := range members[k+1:] {
					mates = append(mates, alike(grams[i], grams[j]))
				}
			}
		}
		for _, i := range plain[:100] {
			best := 0.0
			for _, j := range plain {
				if i != j {
					best = max(best, alike(grams[i], grams[j]))
				}
			}
			strangers = append(strangers, best)
		}
		slices.Sort(mates)
		slices.Sort(strangers)
		high := strangers[len(strangers)*95/100]
		below, _ := slices.BinarySearch(mates, high)
		share := float64(below) / float64(len(mates))
		t.Logf("%.2f of pairs in one ring are no more alike than the best strangers; medians %.2f and %.2f", share, mates[len(mates)/2], strangers[len(strangers)/2])
		if share < 0.1 {
			t.Errorf("got %.3f of pairs in one ring below the strangers' 95th percentile, want overlap", share)
		}
		if mates[len(mates)/2] <= strangers[len(strangers)/4] {
			t.Error("pairs in one ring are no more alike than strangers: nothing to find")
		}
	})
}

// runeGrams are the sequences of six letters, or two of Han.
func runeGrams(s string) map[string]bool {
	runes := []rune(strings.ToLower(s))
	n := 6
	if strings.ContainsRune(s, '。') {
		n = 2
	}
	out := map[string]bool{}
	for i := 0; i+n <= len(runes); i++ {
		out[string(runes[i:i+n])] = true
	}
	return out
}

func alike(a, b map[string]bool) float64 {
	if len(a) > len(b) {
		a, b = b, a
	}
	both := 0
	for g := range a {
		if b[g] {
			both++
		}
	}
	return float64(both) / float64(len(a)+len(b)-both)
}

// TestSurfaceSaysNothing compares what a cheap classifier would look at first:
// length, number of contacts and missing fields.
func TestSurfaceSaysNothing(t *testing.T) {
	eachWorld(t, func(t *testing.T, w World) {
		var length, contacts, missing, n [2]float64
		for i, row := range w.Truth.Rows {
			c, side := &w.Complaints[i], 0
			if row.Agent {
				side = 1
			}
			n[side]++
			length[side] += float64(len(c.Text))
			contacts[side] += float64(len(c.Contacts))
			if c.Customer.Ref == "" || c.Customer.Address == "" {
				missing[side]++
			}
		}
		for name, f := range map[string][2]float64{"length": length, "contacts": contacts, "missing fields": missing} {
			if ratio := (f[1] / n[1]) / (f[0] / n[0]); ratio < 0.8 || ratio > 1.25 {
				t.Errorf("%s of agents over innocents: got %.2f, want about 1", name, ratio)
			}
		}
	})
}

func TestEasyWorldIsEasy(t *testing.T) {
	for _, style := range allStyles {
		w := New(Config{Seed: 3, Size: 2000, Style: style, Ease: 1})
		letters := map[string]map[string]bool{}
		for i, row := range w.Truth.Rows {
			if !row.Agent {
				continue
			}
			if letters[row.Ring] == nil {
				letters[row.Ring] = map[string]bool{}
			}
			letters[row.Ring][w.Complaints[i].Text] = true
			if !row.Provable && row.Group != "agent:text-only" {
				t.Errorf("%s: %s of %s is not provable", style, row.ID, row.Group)
			}
		}
		for ring, l := range letters {
			if len(l) != 1 {
				t.Errorf("%s: ring %s has %d different letters, want 1", style, ring, len(l))
			}
		}
	}
}
