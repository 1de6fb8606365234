// Package identity finds customers who were filed with the same phone, device,
// mailbox, chat account, bank account, mail sender, address or network.
//
// A shared identifier is weighed by how rare it is to share one, and by who
// shares it: one home is a family, one building a neighbourhood, a phone with
// fifty unrelated stories a switchboard, and a number that passed from one
// holder to the next was reassigned. Only what none of these explains is
// evidence, and never alone.
package identity

import (
	"context"
	"fmt"
	"math"
	"slices"

	"bonafide"
)

// A Signal compares complaints by what they were filed with.
type Signal struct {
	// Facts gives the normalised, keyed form of a complaint.
	Facts func(*bonafide.Complaint) *bonafide.Facts
	// Holders says how many different customers were filed with a key; nil
	// counts every key as shared by two.
	Holders func(bonafide.Key) int
	// Customers is how many customers there are; 0 is taken as 1,000.
	Customers int
}

// Layer says that this is the identity layer.
func (s Signal) Layer() bonafide.Layer { return bonafide.LayerIdentity }

// Extract files c under everything it was filed with.
func (s Signal) Extract(_ context.Context, c *bonafide.Complaint) (bonafide.Trace, error) {
	f := s.Facts(c)
	t := bonafide.Trace{Complaint: c.ID, Layer: bonafide.LayerIdentity, Body: f}
	for _, id := range f.Filed {
		if id.Key != 0 {
			t.Keys = append(t.Keys, id.Key)
		}
	}
	return t, nil
}

// Compare says which identifiers two complaints by different customers share.
// Complaints of one customer and of one home share nothing that counts.
func (s Signal) Compare(a, b bonafide.Trace) (bonafide.Link, bool) {
	fa, fb := a.Body.(*bonafide.Facts), b.Body.(*bonafide.Facts)
	l := bonafide.Link{A: a.Complaint, B: b.Complaint, Layer: bonafide.LayerIdentity}
	if l.A > l.B {
		l.A, l.B = l.B, l.A
	}
	if SameCustomer(fa, fb) || Related(fa, fb) == bonafide.SameHome {
		return l, false
	}
	for _, x := range fa.Filed {
		if x.Key == 0 || Place(x.Kind) {
			continue
		}
		for _, y := range fb.Filed {
			if y.Key != x.Key || y.Kind != x.Kind {
				continue
			}
			n := 2
			if s.Holders != nil {
				n = s.Holders(x.Key)
			}
			w := Rarity(s.Customers, n)
			l.Bits += w
			l.Why = append(l.Why, bonafide.Reason{
				Family: x.Kind.Family(), Bits: w,
				Text: fmt.Sprintf("the same %s, used by %d customers", x.Kind, n),
			})
			break
		}
	}
	return l, len(l.Why) > 0
}

// Place reports whether identifiers of the kind belong to places rather than
// people. Sharing a place is what neighbours, colleagues and dormitories do; it
// supports other evidence and never carries any.
func Place(k bonafide.IdentifierKind) bool { return k == bonafide.Address || k == bonafide.IP }

// Rarity is the weight in bits of sharing one identifier with n customers in
// all among as many as there are: log2(customers / n), at most 12.
func Rarity(customers, n int) float64 {
	if customers <= 0 {
		customers = 1000
	}
	return max(0, min(12, math.Log2(float64(customers)/float64(max(1, n)))))
}

// SameCustomer reports whether both complaints are by one customer.
func SameCustomer(a, b *bonafide.Facts) bool {
	for _, x := range a.Self {
		if slices.Contains(b.Self, x) {
			return true
		}
	}
	return false
}

// Related says how two customers are related by what the lender knows of them.
func Related(a, b *bonafide.Facts) bonafide.Relation {
	if a.Home != 0 && a.Home == b.Home {
		return bonafide.SameHome
	}
	if a.Building != 0 && a.Building == b.Building {
		if a.Surname != 0 && a.Surname == b.Surname {
			return bonafide.SameHome
		}
		return bonafide.Neighbour
	}
	for _, x := range a.Known {
		for _, y := range b.Known {
			if x.Key != 0 && x.Key == y.Key {
				return bonafide.SameHome
			}
		}
	}
	if sameSpelt(a, b) {
		return bonafide.Neighbour
	}
	if a.Building != 0 && b.Building != 0 || a.Region != "" && b.Region != "" && a.Region != b.Region {
		return bonafide.Strangers
	}
	return bonafide.Unknown
}

// sameSpelt reports whether two addresses may be one that is spelt in two ways: they
// share a number and at least half of their pieces.
func sameSpelt(a, b *bonafide.Facts) bool {
	if common(a.Numbers, b.Numbers) == 0 {
		return false
	}
	both := common(a.Pieces, b.Pieces)
	return 2*both >= len(a.Pieces)+len(b.Pieces)-both
}

// common counts what two ascending lists share.
func common(a, b []bonafide.Key) int {
	n := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			n++
			i++
			j++
		case a[i] < b[j]:
			i++
		default:
			j++
		}
	}
	return n
}
