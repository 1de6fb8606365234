package console

import (
	"testing"
	"time"
)

// A dialler that writes UTC is read by the clock of the jurisdiction.
func TestCallsInUTC(t *testing.T) {
	shanghai := time.FixedZone("", 8*3600)
	for at, hour := range map[time.Time]int{
		time.Date(2026, 5, 1, 14, 30, 0, 0, time.UTC): 22,
		time.Date(2026, 5, 1, 7, 0, 0, 0, time.UTC):   15,
		time.Date(2026, 5, 1, 23, 0, 0, 0, shanghai):  23,
	} {
		if got := localCall(at, shanghai).Hour(); got != hour {
			t.Errorf("%v: %d", at, got)
		}
	}
}
