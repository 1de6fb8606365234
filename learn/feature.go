package learn

import (
	"math"
	"slices"

	"bonafide"
)

// Names are the values that a verdict is weighed by, in the order of [Values].
var Names = []string{
	"identity", "network", "document", "payment", "voice", "time", "conduct",
	"members", "likeness", "things", "sharers", "kinds",
}

// Values says what a verdict rests on. Nothing of it says who somebody is, where they
// live, or what they wrote.
func Values(v bonafide.Verdict, r bonafide.Ring) []float64 {
	x := make([]float64, 0, len(Names))
	for _, f := range []bonafide.Family{
		bonafide.FamilyIdentity, bonafide.FamilyNetwork, bonafide.FamilyDocument, bonafide.FamilyPayment, bonafide.FamilyVoice, bonafide.FamilyTime, bonafide.FamilyConduct,
	} {
		x = append(x, truth(slices.Contains(v.Families, f)))
	}
	things, sharers := 0, 0
	var kinds []string
	for _, s := range r.Shared {
		if !slices.Contains(kinds, s.Kind) {
			kinds = append(kinds, s.Kind)
		}
		if slices.Contains(s.Members, v.ID) {
			things++
			sharers = max(sharers, len(s.Members)-1)
		}
	}
	return append(x, math.Log2(float64(max(1, len(r.Members)))), r.Score, float64(things), math.Log2(float64(1+sharers)), float64(len(kinds)))
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Hold lowers what is proposed against a complaint where the weights do not bear it out,
// and says why. It raises nothing.
func (m *Model) Hold(v *bonafide.Verdict, r bonafide.Ring) bool {
	if !v.Level.Accuses() || m.Stands(Values(*v, r)) {
		return false
	}
	v.Level = bonafide.Information
	v.Why = append(v.Why, HeldBack)
	return true
}

// HeldBack and Unpromised say why less is proposed than the standard asks for.
const (
	HeldBack   = "held back: by the weights learned from people's decisions it is not certain enough to keep false accusations as rare as was promised"
	Unpromised = "held back: too few decisions were made yet to promise how rarely somebody honest is accused"
)
