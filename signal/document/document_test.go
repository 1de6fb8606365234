package document

import (
	"testing"

	"bonafide"
)

func TestCompareFindsOnePaperInTwoHands(t *testing.T) {
	s := Signal{Facts: func(c *bonafide.Complaint) *bonafide.Facts {
		f := &bonafide.Facts{}
		for _, d := range c.Documents {
			f.Papers = append(f.Papers, bonafide.Paper{Key: bonafide.Key(len(d.SHA256)), Kind: d.Kind, Verified: d.Verified})
		}
		return f
	}}
	trace := func(id string, docs ...bonafide.Document) bonafide.Trace {
		tr, err := s.Extract(t.Context(), &bonafide.Complaint{ID: id, Documents: docs})
		if err != nil {
			t.Fatal(err)
		}
		return tr
	}
	a := trace("a", bonafide.Document{Kind: "certificate", SHA256: "11"}, bonafide.Document{SHA256: "2"})
	b := trace("b", bonafide.Document{Kind: "certificate", SHA256: "22"})
	c := trace("c", bonafide.Document{SHA256: "333"})
	l, ok := s.Compare(b, a)
	if !ok || l.A != "a" || l.B != "b" || len(l.Why) != 1 || l.Why[0].Family != bonafide.FamilyDocument {
		t.Errorf("got %+v, %v", l, ok)
	}
	if _, ok := s.Compare(a, c); ok {
		t.Error("different papers were linked")
	}
	if _, ok := s.Compare(trace("d"), trace("e")); ok {
		t.Error("no papers at all were linked")
	}
}
