package merit

import (
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"bonafide"
)

func TestXIRRAgreesWithPublishedExamples(t *testing.T) {
	for _, c := range []struct {
		name, source string
		flows        []Flow
		want, within float64
	}{
		{
			"Excel", "support.microsoft.com, XIRR function",
			[]Flow{{"2008-01-01", -10000}, {"2008-03-01", 2750}, {"2008-10-30", 4250}, {"2009-02-15", 3250}, {"2009-04-01", 2750}},
			0.373362535, 1e-6,
		},
		{
			"OpenOffice", "wiki.openoffice.org, Calc: XIRR function; given to three places",
			[]Flow{{"2008-02-05", -2750}, {"2008-07-05", 1000}, {"2009-01-05", 2000}},
			0.124, 5e-4,
		},
		{
			"LibreOffice's algorithm", "docs.rs/xirr 0.2.2, whose crate follows LibreOffice Calc",
			[]Flow{{"2015-06-11", -1000}, {"2015-07-21", -9000}, {"2018-06-10", 20000}, {"2015-10-17", -3000}},
			0.1635371584432641, 1e-9,
		},
	} {
		got, err := XIRR(c.flows)
		if err != nil || math.Abs(got-c.want) > c.within {
			t.Errorf("%s (%s): got %.12f, %v, want %.12f", c.name, c.source, got, err, c.want)
		}
	}
}

// The references are closed forms: none is published, none needs a search.
func TestXIRRAgreesWithClosedForms(t *testing.T) {
	for _, c := range []struct {
		name  string
		flows []Flow
		want  float64
	}{
		{"a year", []Flow{{"2025-03-10", 100_000}, {"2026-03-10", -124_000}}, 0.24},
		{"in reverse order", []Flow{{"2026-03-10", -124_000}, {"2025-03-10", 100_000}}, 0.24},
		{"a leap year has 366 days", []Flow{{"2024-01-01", 100_000}, {"2025-01-01", -110_000}}, math.Pow(1.1, 365.0/366) - 1},
		{"no interest", []Flow{{"2025-03-10", 100_000}, {"2025-08-10", -50_000}, {"2026-03-10", -50_000}}, 0},
		{"a loss", []Flow{{"2025-03-10", -100_000}, {"2026-03-10", 1}}, 1e-5 - 1},
		{"a day", []Flow{{"2025-03-10", 100_000}, {"2025-03-11", -101_000}}, math.Pow(1.01, 365) - 1},
		{"a fifth a day", []Flow{{"2025-03-10", 100}, {"2025-03-11", -120}}, math.Pow(1.2, 365) - 1},
		{"twice a day counts once", []Flow{{"2025-03-10", 60_000}, {"2025-03-10", 40_000}, {"2026-03-10", -124_000}}, 0.24},
		// 1000 = 600·v + 600·v² with v = 1 / (1 + r): a square.
		{"two years", []Flow{{"2025-03-10", 1000}, {"2026-03-10", -600}, {"2027-03-10", -600}}, 1/((-1+math.Sqrt(1+4*1000.0/600))/2) - 1},
	} {
		got, err := XIRR(c.flows)
		if err != nil || math.Abs(got-c.want) > 1e-9*(1+math.Abs(c.want)) {
			t.Errorf("%s: got %.12g, %v, want %.12g", c.name, got, err, c.want)
		}
	}
}

func TestXIRRSaysWhyThereIsNoRate(t *testing.T) {
	for _, c := range []struct {
		name  string
		flows []Flow
		want  string
	}{
		{"nothing", nil, "two days at least"},
		{"one day", []Flow{{"2025-03-10", -100}, {"2025-03-10", 110}}, "two days at least"},
		{"days without money", []Flow{{"2025-03-10", -100}, {"2025-04-10", 0}}, "two days at least"},
		{"received only", []Flow{{"2025-03-10", 100}, {"2026-03-10", 100}}, "one way only"},
		{"no day", []Flow{{"2025-03-10", 100}, {"yesterday", -100}}, "2024-05-31"},
		// −100 + 230·v − 132·v² is nothing at v = 1/1.1 and at v = 1/1.2: rates of 10 and 20 %.
		{"two rates", []Flow{{"2025-03-10", -10000}, {"2026-03-10", 23000}, {"2027-03-10", -13200}}, "at least 2 rates"},
		// −100 + 100·v − 100·v² has no real root.
		{"none", []Flow{{"2025-03-10", -100}, {"2026-03-10", 100}, {"2027-03-10", -100}}, "no rate"},
		{"beyond any number", []Flow{{"2025-03-10", 1}, {"2025-03-11", -1 << 62}}, "no rate"},
	} {
		got, err := XIRR(c.flows)
		if !errors.Is(err, bonafide.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, %v, want an error with %q", c.name, got, err, c.want)
		}
	}
}

// Payments that go back and forth and yet have one rate only.
func TestXIRRFindsTheOneRateOfManyChanges(t *testing.T) {
	// −1000 + 1500·v − 200·v² + 100·v³ falls and rises between no roots but one.
	got, err := XIRR([]Flow{{"2025-03-10", -1000}, {"2026-03-10", 1500}, {"2027-03-10", -200}, {"2028-03-09", 100}})
	if err != nil {
		t.Fatal(err)
	}
	v := 1 / (1 + got)
	if rest := -1000 + 1500*v - 200*v*v + 100*v*v*v; math.Abs(rest) > 1e-6 {
		t.Errorf("at %v the sum is %v, want 0", got, rest)
	}
}

// A loan whose instalments were made from a rate costs that rate.
func TestXIRRReturnsTheRateThatMadeTheInstalments(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		rate := math.Exp(8*r.Float64()-5) - math.Exp(-5) // 0 to 2000 %
		flows, v := []Flow{{"2024-01-31", 1_000_000_000_000}}, 0.0
		opened := time.Date(2024, 1, 31, 0, 0, 0, 0, time.UTC)
		n := 1 + r.IntN(60)
		for i := range n {
			due := opened.AddDate(0, 0, 30*(i+1)+r.IntN(5))
			flows = append(flows, Flow{Day: bonafide.Day(due.Format(time.DateOnly))})
			v += math.Pow(1+rate, -due.Sub(opened).Hours()/24/365)
		}
		for i := range n {
			flows[i+1].Amount = -int64(math.Round(1e12 / v))
		}
		r.Shuffle(len(flows), func(i, j int) { flows[i], flows[j] = flows[j], flows[i] })
		got, err := XIRR(flows)
		if err != nil || math.Abs(got-rate) > 1e-8*(1+rate) { // the instalments are rounded
			t.Fatalf("%d instalments at %v: got %v, %v", n, rate, got, err)
		}
	}
}

func FuzzXIRR(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe})
	f.Add([]byte("0123456789abcdefghij0123456789"))
	f.Add([]byte("RA\xf6y\xf7\xf7A000R000000000")) // all but 1e-15 is lost
	f.Fuzz(func(t *testing.T, b []byte) {
		var flows []Flow
		for ; len(b) >= 10 && len(flows) < 300; b = b[10:] {
			day := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(binary.BigEndian.Uint16(b)%40000))
			flows = append(flows, Flow{bonafide.Day(day.Format(time.DateOnly)), int64(binary.BigEndian.Uint64(b[2:]))})
		}
		got, err := XIRR(flows)
		if err != nil {
			if !errors.Is(err, bonafide.Invalid) {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		if math.IsNaN(got) || math.IsInf(got, 0) || got <= -1 {
			t.Fatalf("got %v", got)
		}
		if got < 1e-6-1 {
			return // 1 + got has too few digits left to try it
		}
		s, _ := newSum(flows)
		var all float64
		for _, a := range s.amount {
			all += math.Abs(a)
		}
		x := math.Log1p(got)
		if low, high := s.positive(x-1e-6*(1+math.Abs(x))), s.positive(x+1e-6*(1+math.Abs(x))); low == high {
			if v, _ := s.at(x); math.Abs(v) > 1e-6*all {
				t.Fatalf("at %v the sum is %v of %v, and has one sign around it", got, v, all)
			}
		}
	})
}

func BenchmarkXIRR(b *testing.B) {
	flows := []Flow{{"2024-01-31", 1_000_000}}
	for i := range 24 {
		due := time.Date(2024, 1, 31, 0, 0, 0, 0, time.UTC).AddDate(0, 0, 30*(i+1))
		flows = append(flows, Flow{bonafide.Day(due.Format(time.DateOnly)), -60_000})
	}
	for b.Loop() {
		if _, err := XIRR(flows); err != nil {
			b.Fatal(err)
		}
	}
}
