package timing

import (
	"testing"
	"time"

	"bonafide"
)

func TestBurstAgainstTheLendersRhythm(t *testing.T) {
	var all []int32
	for d := range int32(365) {
		for range 10 {
			all = append(all, d)
		}
	}
	group := []int32{100, 100, 101, 101, 102, 102, 102, 103, 300}
	b, ok := NewRhythm(all).Burst(group)
	if !ok || b.Count != 7 || b.From != 100 || b.To != 102 {
		t.Errorf("got %+v, %v; want the seven of days 100 to 102", b, ok)
	}
	// The same group inside an outage, when everybody writes, is no burst.
	for range 8000 {
		all = append(all, 100, 101, 102, 103)
	}
	if b, ok := NewRhythm(all).Burst(group); ok {
		t.Errorf("an outage was called a burst: %+v", b)
	}
	if _, ok := NewRhythm(all).Burst([]int32{5, 5, 5}); ok {
		t.Error("three complaints were called a burst")
	}
}

func TestCompareNeedsATimeOfDay(t *testing.T) {
	s := Signal{PerMinute: 0.01}
	trace := func(id string, at time.Time) bonafide.Trace {
		tr, err := s.Extract(t.Context(), &bonafide.Complaint{ID: id, Received: at})
		if err != nil {
			t.Fatal(err)
		}
		return tr
	}
	day := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	if _, ok := s.Compare(trace("a", day), trace("b", day)); ok {
		t.Error("two complaints of one day without a time were called filed together")
	}
	l, ok := s.Compare(trace("b", day.Add(600*time.Minute)), trace("a", day.Add(604*time.Minute)))
	if !ok || l.A != "a" || l.Bits < 3 {
		t.Errorf("got %+v, %v", l, ok)
	}
	if _, ok := s.Compare(trace("a", day.Add(time.Hour)), trace("b", day.Add(2*time.Hour))); ok {
		t.Error("an hour apart was called filed together")
	}
	// Both slots of ten minutes overlap, so that neighbours across a border meet.
	x, y := trace("a", day.Add(609*time.Minute)), trace("b", day.Add(611*time.Minute))
	if x.Keys[1] != y.Keys[0] {
		t.Error("neighbours across a border do not meet")
	}
}
