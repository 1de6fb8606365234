package evaluate

import (
	"cmp"
	"hash/fnv"
	"slices"
	"strings"
	"unicode"

	"bonafide"
)

// ExactDuplicates accuses complaints of three or more customers with the same
// text, after trimming and lower case.
func ExactDuplicates(cs []bonafide.Complaint) Prediction {
	return accuse(cs, 3, func(i int) []string {
		return []string{strings.ToLower(strings.TrimSpace(cs[i].Text))}
	}, nil)
}

// SharedPhone accuses complaints of three or more customers that share a phone,
// compared by digits only.
func SharedPhone(cs []bonafide.Complaint) Prediction {
	return accuse(cs, 3, func(i int) []string {
		var keys []string
		for _, id := range cs[i].Contacts {
			if id.Kind == bonafide.Phone {
				keys = append(keys, digits(id.Value))
			}
		}
		return append(keys, digits(cs[i].Customer.Phone))
	}, nil)
}

// likeness is the Jaccard index of shingles from which SharedIdentifierAndText
// calls two letters alike.
const likeness = 0.3

// SharedIdentifierAndText joins two complaints that share any identifier, as
// written but for case and outer spaces, and whose letters are alike. It accuses
// every joined group of two or more customers.
func SharedIdentifierAndText(cs []bonafide.Complaint) Prediction {
	sets := make([][]uint64, len(cs))
	for i := range cs {
		sets[i] = shingles(cs[i].Text)
	}
	return accuse(cs, 2, func(i int) []string { return values(&cs[i]) }, func(i, j int) bool {
		return jaccard(sets[i], sets[j]) >= likeness
	})
}

// accuse joins complaints that share a key and are alike, and puts groups of at
// least the given number of customers at level 2. A nil alike joins all. A key
// that more than 400 complaints share is compared with neighbours only.
func accuse(cs []bonafide.Complaint, least int, keys func(int) []string, alike func(i, j int) bool) Prediction {
	holders := map[string][]int{}
	for i := range cs {
		for _, key := range keys(i) {
			if key != "" {
				holders[key] = append(holders[key], i)
			}
		}
	}
	const most = 400
	f := newForest(len(cs))
	for _, list := range holders {
		for k, i := range list {
			for _, j := range list[k+1 : min(len(list), k+1+most)] {
				if alike == nil {
					f.join(i, j)
					break
				}
				if f.root(i) != f.root(j) && alike(i, j) {
					f.join(i, j)
				}
			}
		}
	}
	groups := map[int][]int{}
	for i := range cs {
		groups[f.root(i)] = append(groups[f.root(i)], i)
	}
	p := Prediction{Levels: map[string]bonafide.Level{}}
	for _, list := range groups {
		customers := map[string]bool{}
		for _, i := range list {
			customers[customer(&cs[i])] = true
		}
		if len(customers) < least {
			continue
		}
		var ring []string
		for _, i := range list {
			ring = append(ring, cs[i].ID)
			p.Levels[cs[i].ID] = bonafide.Level2
		}
		slices.Sort(ring)
		p.Rings = append(p.Rings, ring)
	}
	slices.SortFunc(p.Rings, func(a, b []string) int { return cmp.Compare(a[0], b[0]) })
	return p
}

// customer tells customers apart as well as the row allows: by reference, else
// by name, else every row is its own.
func customer(c *bonafide.Complaint) string {
	switch {
	case c.Customer.Ref != "":
		return "ref " + c.Customer.Ref
	case c.Customer.Name != "":
		return "name " + c.Customer.Name
	}
	return "row " + c.ID
}

// values lists what c can share, each with its kind.
func values(c *bonafide.Complaint) []string {
	var out []string
	add := func(kind, value string) {
		if value = strings.ToLower(strings.TrimSpace(value)); value != "" {
			if key := kind + " " + value; !slices.Contains(out, key) {
				out = append(out, key)
			}
		}
	}
	for _, id := range c.Contacts {
		add(string(id.Kind), id.Value)
	}
	add(string(bonafide.Phone), c.Customer.Phone)
	add(string(bonafide.Email), c.Customer.Email)
	add(string(bonafide.Address), c.Customer.Address)
	for _, d := range c.Documents {
		add("document", d.SHA256)
	}
	return out
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// shingles returns the sorted hashes of a letter's pairs of neighbouring words,
// or of neighbouring runes where it is Han.
func shingles(text string) []uint64 {
	text = strings.ToLower(text)
	var words []string
	if han(text) {
		for _, r := range text {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				words = append(words, string(r))
			}
		}
	} else {
		words = strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	}
	const width = 2 // three would miss most letters in which single words are exchanged
	var out []uint64
	for i := 0; i+width <= len(words); i++ {
		h := fnv.New64a()
		for _, w := range words[i : i+width] {
			h.Write([]byte(w))
			h.Write([]byte{' '})
		}
		out = append(out, h.Sum64())
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func han(text string) bool {
	n, all := 0, 0
	for _, r := range text {
		if unicode.Is(unicode.Han, r) {
			n++
		}
		if all++; all == 200 {
			break
		}
	}
	return 4*n > all
}

// jaccard returns the share of common elements of two sorted sets.
func jaccard(a, b []uint64) float64 {
	both := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] < b[j]:
			i++
		case a[i] > b[j]:
			j++
		default:
			both, i, j = both+1, i+1, j+1
		}
	}
	if all := len(a) + len(b) - both; all > 0 {
		return float64(both) / float64(all)
	}
	return 0
}

// forest is a union-find over complaints by position.
type forest []int

func newForest(n int) forest {
	f := make(forest, n)
	for i := range f {
		f[i] = i
	}
	return f
}

func (f forest) root(i int) int {
	for f[i] != i {
		f[i] = f[f[i]]
		i = f[i]
	}
	return i
}

func (f forest) join(i, j int) { f[f.root(i)] = f.root(j) }
