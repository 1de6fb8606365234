// Package document finds the same file under several customers: one hospital
// paper, one poverty certificate, handed in again and again. A file is known by
// its SHA-256, so a new scan of the same paper is not found here.
package document

import (
	"context"
	"fmt"

	"bonafide"
)

// A Signal compares complaints by the files that came with them.
type Signal struct {
	// Facts gives the keyed form of a complaint.
	Facts func(*bonafide.Complaint) *bonafide.Facts
	// Holders says how many different customers handed in a file; nil counts two.
	Holders func(bonafide.Key) int
}

// Layer says that this is the document layer.
func (s Signal) Layer() bonafide.Layer { return bonafide.LayerDocument }

// Extract files c under each of its papers.
func (s Signal) Extract(_ context.Context, c *bonafide.Complaint) (bonafide.Trace, error) {
	t := bonafide.Trace{Complaint: c.ID, Layer: bonafide.LayerDocument}
	if len(c.Documents) == 0 {
		return t, nil
	}
	papers := s.Facts(c).Papers
	for _, p := range papers {
		t.Keys = append(t.Keys, p.Key)
	}
	t.Body = papers
	return t, nil
}

// Compare says which papers two complaints share.
func (s Signal) Compare(a, b bonafide.Trace) (bonafide.Link, bool) {
	l := bonafide.Link{A: min(a.Complaint, b.Complaint), B: max(a.Complaint, b.Complaint), Layer: bonafide.LayerDocument}
	pa, _ := a.Body.([]bonafide.Paper)
	pb, _ := b.Body.([]bonafide.Paper)
	for _, x := range pa {
		for _, y := range pb {
			if x.Key != y.Key {
				continue
			}
			n := 2
			if s.Holders != nil {
				n = s.Holders(x.Key)
			}
			l.Bits += paperBits
			l.Why = append(l.Why, bonafide.Reason{
				Family: bonafide.FamilyDocument, Bits: paperBits,
				Text: fmt.Sprintf("the same %s file, handed in by %d customers", kind(x), n),
			})
			break
		}
	}
	return l, len(l.Why) > 0
}

// paperBits is the weight of one file in two hands. Files are copied on
// purpose only, so it does not fall with the number of customers as a phone's
// does; a lender's own form is told apart by the number of unrelated letters.
const paperBits = 12

func kind(p bonafide.Paper) string {
	if p.Kind == "" {
		return "document"
	}
	return p.Kind
}
