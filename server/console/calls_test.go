package console

import (
	"testing"
	"time"

	"bonafide"
)

// A call in the night that nobody agreed to is marked; by whose clock, the log says.
func TestNightCalls(t *testing.T) {
	shanghai := time.FixedZone("", 8*3600)
	for _, c := range []struct {
		call bonafide.CollectionCall
		want bool
	}{
		{bonafide.CollectionCall{Direction: "out", Started: time.Date(2026, 5, 1, 21, 59, 0, 0, shanghai)}, false},
		{bonafide.CollectionCall{Direction: "out", Started: time.Date(2026, 5, 1, 22, 0, 0, 0, shanghai)}, true},
		{bonafide.CollectionCall{Direction: "out", Started: time.Date(2026, 5, 1, 7, 59, 0, 0, shanghai)}, true},
		{bonafide.CollectionCall{Direction: "out", Started: time.Date(2026, 5, 1, 8, 0, 0, 0, shanghai)}, false},
		{bonafide.CollectionCall{Direction: "in", Started: time.Date(2026, 5, 1, 3, 0, 0, 0, shanghai)}, false},
		{bonafide.CollectionCall{Direction: "out", AgreedHours: true, Started: time.Date(2026, 5, 1, 3, 0, 0, 0, shanghai)}, false},
	} {
		if got := atNight(&c.call); got != c.want {
			t.Errorf("%v %s: %v", c.call.Started, c.call.Direction, got)
		}
	}
}

// A dialler that writes UTC is read by the clock of the jurisdiction.
func TestCallsInUTC(t *testing.T) {
	shanghai := time.FixedZone("", 8*3600)
	for at, night := range map[time.Time]bool{
		time.Date(2026, 5, 1, 14, 30, 0, 0, time.UTC): true,
		time.Date(2026, 5, 1, 7, 0, 0, 0, time.UTC):   false,
		time.Date(2026, 5, 1, 23, 0, 0, 0, shanghai):  true,
	} {
		c := bonafide.CollectionCall{Direction: "out", Started: localCall(at, shanghai)}
		if got := atNight(&c); got != night {
			t.Errorf("%v: %v", at, got)
		}
	}
}
