package ring

import (
	"testing"

	"bonafide"

	"github.com/google/go-cmp/cmp"
)

// world is evidence made by hand. Letters are told apart by their playbook:
// letters of one playbook are far more alike than strangers', others are not.
type world struct {
	Evidence
	playbook []int // 0: own words
	region   []int // 0: unknown
}

func (w *world) add(playbook, region int, day int32) int32 {
	i := int32(len(w.Customer))
	w.Customer = append(w.Customer, i)
	w.Day = append(w.Day, day)
	w.White = append(w.White, false)
	w.playbook = append(w.playbook, playbook)
	w.region = append(w.region, region)
	return i
}

func (w *world) share(kind string, holders ...int32) {
	f := bonafide.IdentifierKind(kind).Family()
	w.Things = append(w.Things, Thing{Kind: kind, Family: f, Holders: holders, Place: kind == "ip" || kind == "address"})
}

func (w *world) find() []Found {
	w.Alike = func(a, b int32) float64 {
		if w.playbook[a] != 0 && w.playbook[a] == w.playbook[b] {
			return 6
		}
		return -1
	}
	w.Voice = w.Alike
	w.Near = func(a int32) []int32 {
		var near []int32
		for i := range w.playbook {
			if int32(i) != a && w.playbook[i] != 0 && w.playbook[i] == w.playbook[a] {
				near = append(near, int32(i))
			}
		}
		return near
	}
	w.Relation = func(a, b int32) bonafide.Relation {
		switch {
		case w.region[a] == 0 || w.region[b] == 0:
			return bonafide.Unknown
		case w.region[a] != w.region[b]:
			return bonafide.Strangers
		}
		return bonafide.Unknown
	}
	return Find(w.Evidence, Tuned)
}

func members(found []Found) [][]int32 {
	var out [][]int32
	for _, f := range found {
		out = append(out, f.Members)
	}
	return out
}

func TestKeySharedByAThousandStrangersMakesNoRing(t *testing.T) {
	w := &world{}
	var hs []int32
	for i := range 1000 {
		hs = append(hs, w.add(0, 1+i%30, int32(i)))
	}
	for _, kind := range []string{"phone", "device", "account", "document"} {
		w.share(kind, hs...)
	}
	if found := w.find(); len(found) > 0 {
		t.Errorf("%d rings among strangers who share a switchboard", len(found))
	}
}

func TestHubDoesNotChainRings(t *testing.T) {
	w := &world{}
	var a, b, hub []int32
	for i := range 4 {
		a = append(a, w.add(1, 1+i, 0))
		b = append(b, w.add(2, 5+i, 0))
	}
	for i := range 40 {
		hub = append(hub, w.add(0, 1+i%9, 0))
	}
	w.share("phone", a...)
	w.share("phone", b...)
	w.share("device", append(append(append([]int32{}, a...), b...), hub...)...)
	if d := cmp.Diff([][]int32{a, b}, members(w.find())); d != "" {
		t.Errorf("two rings behind one kiosk: %s", d)
	}
}

func TestOneHomeIsNoRing(t *testing.T) {
	w := &world{}
	var hs []int32
	for range 5 { // one region, one story
		hs = append(hs, w.add(1, 3, 0))
	}
	w.share("phone", hs...)
	w.share("device", hs...)
	if found := w.find(); len(found) > 0 {
		t.Errorf("a household of five was called a ring: %v", members(found))
	}
}

func TestChainOfPairsIsOneRing(t *testing.T) {
	w := &world{}
	var hs []int32
	for i := range 8 {
		hs = append(hs, w.add(1, 1+i, int32(30*i)))
	}
	for i := range hs[:7] {
		w.share([]string{"account", "email"}[i%2], hs[i], hs[i+1])
	}
	if d := cmp.Diff([][]int32{hs}, members(w.find())); d != "" {
		t.Error(d)
	}
}

func TestReassignedNumberLeavesTheNewHolderOut(t *testing.T) {
	w := &world{}
	ring := []int32{w.add(1, 1, 0), w.add(1, 2, 3), w.add(1, 3, 9)}
	later := w.add(0, 4, 400)
	w.share("phone", append(append([]int32{}, ring...), later)...)
	if d := cmp.Diff([][]int32{ring}, members(w.find())); d != "" {
		t.Error(d)
	}
}

func TestRepresentativesThingTiesNobody(t *testing.T) {
	w := &world{}
	var hs []int32
	for i := range 6 {
		hs = append(hs, w.add(1, 1+i, 0))
		w.White[hs[i]] = i%2 == 0
	}
	w.share("phone", hs...)
	if found := w.find(); len(found) > 0 {
		t.Errorf("a law firm's clients were called a ring: %v", members(found))
	}
}

func TestPlaybookWithoutSharedThingIsNoRing(t *testing.T) {
	w := &world{}
	for i := range 50 {
		w.add(1, 1+i, 0)
	}
	if found := w.find(); len(found) > 0 {
		t.Errorf("letters alone made a ring: %v", members(found))
	}
}

func TestNeighboursWithOneGatewayAreNoRing(t *testing.T) {
	w := &world{}
	var hs []int32
	for range 4 {
		hs = append(hs, w.add(1, 2, 0))
	}
	w.share("ip", hs...)
	w.share("address", hs...)
	if found := w.find(); len(found) > 0 {
		t.Errorf("a dormitory was called a ring: %v", members(found))
	}
}

func TestReadersOfOneLetterAreNoRing(t *testing.T) {
	// A post that two hundred copy, and two pairs of readers share a phone.
	w := &world{}
	for i := range 200 {
		w.add(1, 1+i%20, 0)
	}
	w.share("phone", 3, 9)
	w.share("phone", 50, 61)
	if found := w.find(); len(found) > 0 {
		t.Errorf("readers of one letter were called a ring: %v", members(found))
	}
}

func TestLargeRingLosesItsHangersOn(t *testing.T) {
	w := &world{}
	var ring []int32
	for i := range 300 {
		ring = append(ring, w.add(1, 1+i%30, int32(i/10)))
	}
	for i := 0; i+1 < len(ring); i++ {
		w.share("account", ring[i], ring[i+1])
	}
	stranger := w.add(0, 7, 3) // was given a phone of the ring's
	w.share("phone", ring[4], ring[5], stranger)
	found := w.find()
	if len(found) != 1 || len(found[0].Members) != 300 {
		t.Errorf("%d rings, the first of %d; want one of 300", len(found), len(members(found)[0]))
	}
}
