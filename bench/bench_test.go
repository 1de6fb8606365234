package bench

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// full asks for the sizes of README.md; huge for the millions too.
var (
	full = os.Getenv("BONAFIDE_BENCH") == "full" || huge
	huge = os.Getenv("BONAFIDE_BENCH") == "huge"
)

// A table collects rows of tab-separated cells and logs them in columns.
type table struct{ rows strings.Builder }

func (t *table) row(format string, args ...any) { fmt.Fprintf(&t.rows, format+"\n", args...) }

func (t *table) log(tb testing.TB) {
	tb.Helper()
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, t.rows.String())
	w.Flush()
	tb.Log("\n" + out.String())
}

// timed returns how long work takes.
func timed(work func()) time.Duration {
	start := time.Now()
	work()
	return time.Since(start)
}

// median of xs, which it sorts.
func median(xs []time.Duration) time.Duration {
	slices.Sort(xs)
	return xs[len(xs)/2]
}

// each is d for one of n, in microseconds.
func each(d time.Duration, n int) float64 { return float64(d.Nanoseconds()) / 1e3 / float64(max(1, n)) }

// heap returns the bytes in use after a collection.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// check fails the test unless ok.
func check(tb testing.TB, ok bool, format string, args ...any) {
	tb.Helper()
	if !ok {
		tb.Errorf(format, args...)
	}
}
