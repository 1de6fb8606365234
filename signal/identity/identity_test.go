package identity

import (
	"testing"

	"bonafide"
)

func trace(t *testing.T, id string, f *bonafide.Facts) bonafide.Trace {
	t.Helper()
	s := Signal{Facts: func(*bonafide.Complaint) *bonafide.Facts { return f }}
	tr, err := s.Extract(t.Context(), &bonafide.Complaint{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func phone(key bonafide.Key) []bonafide.Fact {
	return []bonafide.Fact{{Kind: bonafide.Phone, Key: key}}
}

func TestCompareWeighsByRarity(t *testing.T) {
	a := trace(t, "b", &bonafide.Facts{Region: "north", Filed: phone(7)})
	b := trace(t, "a", &bonafide.Facts{Region: "south", Filed: phone(7)})
	rare, ok := Signal{Customers: 4096, Holders: func(bonafide.Key) int { return 2 }}.Compare(a, b)
	if !ok || rare.A != "a" || rare.Bits != 11 || len(rare.Why) != 1 || rare.Why[0].Family != bonafide.FamilyIdentity {
		t.Errorf("got %+v, %v", rare, ok)
	}
	crowd, _ := Signal{Customers: 4096, Holders: func(bonafide.Key) int { return 2048 }}.Compare(a, b)
	if crowd.Bits != 1 {
		t.Errorf("a phone that half of all share weighs %v bits, want 1", crowd.Bits)
	}
}

func TestCompareLeavesOut(t *testing.T) {
	for name, pair := range map[string][2]*bonafide.Facts{
		"one customer":      {{Self: []bonafide.Key{1}, Filed: phone(7)}, {Self: []bonafide.Key{2, 1}, Filed: phone(7)}},
		"one home":          {{Home: 3, Filed: phone(7)}, {Home: 3, Filed: phone(7)}},
		"different phones":  {{Filed: phone(7)}, {Filed: phone(8)}},
		"partly hidden":     {{Filed: []bonafide.Fact{{Kind: bonafide.Phone, Visible: 9}}}, {Filed: []bonafide.Fact{{Kind: bonafide.Phone, Visible: 9}}}},
		"a place":           {{Filed: []bonafide.Fact{{Kind: bonafide.IP, Key: 5}}}, {Filed: []bonafide.Fact{{Kind: bonafide.IP, Key: 5}}}},
		"another kind":      {{Filed: phone(7)}, {Filed: []bonafide.Fact{{Kind: bonafide.Device, Key: 7}}}},
		"nothing was filed": {{}, {}},
	} {
		if l, ok := (Signal{}).Compare(trace(t, "a", pair[0]), trace(t, "b", pair[1])); ok {
			t.Errorf("%s: linked by %+v", name, l.Why)
		}
	}
}

func TestRelated(t *testing.T) {
	known := func(k bonafide.Key) []bonafide.Fact { return phone(k) }
	for name, tc := range map[string]struct {
		a, b bonafide.Facts
		want bonafide.Relation
	}{
		"one flat":                {bonafide.Facts{Home: 1, Building: 9}, bonafide.Facts{Home: 1, Building: 9}, bonafide.SameHome},
		"one building":            {bonafide.Facts{Home: 1, Building: 9}, bonafide.Facts{Home: 2, Building: 9}, bonafide.Neighbour},
		"one building, surname":   {bonafide.Facts{Home: 1, Building: 9, Surname: 4}, bonafide.Facts{Home: 2, Building: 9, Surname: 4}, bonafide.SameHome},
		"the lender's own record": {bonafide.Facts{Region: "n", Known: known(3)}, bonafide.Facts{Region: "s", Known: known(3)}, bonafide.SameHome},
		"two regions":             {bonafide.Facts{Region: "n"}, bonafide.Facts{Region: "s"}, bonafide.Strangers},
		"two buildings":           {bonafide.Facts{Building: 1}, bonafide.Facts{Building: 2}, bonafide.Strangers},
		"one region":              {bonafide.Facts{Region: "n"}, bonafide.Facts{Region: "n", Building: 2}, bonafide.Unknown},
		"nothing known":           {bonafide.Facts{}, bonafide.Facts{}, bonafide.Unknown},
		"one address, two spellings": {
			bonafide.Facts{Building: 1, Numbers: []bonafide.Key{34}, Pieces: []bonafide.Key{1, 2, 3, 4, 5, 6}},
			bonafide.Facts{Building: 2, Numbers: []bonafide.Key{7, 34}, Pieces: []bonafide.Key{2, 3, 4, 5, 6, 9}},
			bonafide.Neighbour,
		},
		"one street, two numbers": {
			bonafide.Facts{Building: 1, Numbers: []bonafide.Key{34}, Pieces: []bonafide.Key{1, 2, 3}},
			bonafide.Facts{Building: 2, Numbers: []bonafide.Key{35}, Pieces: []bonafide.Key{1, 2, 3}},
			bonafide.Strangers,
		},
	} {
		if got := Related(&tc.a, &tc.b); got != tc.want {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
		if got := Related(&tc.b, &tc.a); got != tc.want {
			t.Errorf("%s, the other way: got %v, want %v", name, got, tc.want)
		}
	}
}
