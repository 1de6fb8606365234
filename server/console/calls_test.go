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
