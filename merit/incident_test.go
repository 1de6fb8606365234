package merit_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"bonafide"
	"bonafide/internal/synth"
	"bonafide/merit"

	godiff "github.com/google/go-cmp/cmp"
)

var start = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// stream makes a history of complaints.
type stream struct {
	r     *rand.Rand
	n     int
	found []merit.Substantiated
	days  map[bonafide.Day]int
}

func newStream(seed uint64) *stream {
	return &stream{r: rand.New(rand.NewPCG(seed, 5)), days: map[bonafide.Day]int{}}
}

// complain adds a complaint on a day, with a finding of a breach so many days before.
func (s *stream) complain(day int, rule string, before float64, facts ...string) {
	s.n++
	at := start.AddDate(0, 0, day).Add(time.Duration(s.r.IntN(86400)) * time.Second)
	breach := at.Add(-time.Duration(before * 24 * float64(time.Hour)))
	s.found = append(s.found, merit.Substantiated{
		Complaint: fmt.Sprintf("C%06d", s.n), Customer: uint64(s.n), Received: at,
		Findings: []bonafide.Finding{{Rule: rule, Standing: bonafide.Substantiated, From: breach, To: breach, Facts: facts}},
	})
	s.days[bonafide.Day(at.Format(time.DateOnly))]++
}

// others adds complaints of which nothing was found.
func (s *stream) others(day, n int) {
	s.days[bonafide.Day(start.AddDate(0, 0, day).Format(time.DateOnly))] += n
}

func (s *stream) poisson(mean float64) int {
	if mean > 30 {
		return max(int(math.Round(mean+math.Sqrt(mean)*s.r.NormFloat64())), 0)
	}
	n, p, limit := 0, 1.0, math.Exp(-mean)
	for {
		if p *= s.r.Float64(); p < limit {
			return n
		}
		n++
	}
}

// week is how many complaints a weekday brings, of the usual.
var week = []float64{0.45, 1.45, 1.3, 1.15, 1.1, 1.05, 0.5}

func TestIncidentsFindsABurst(t *testing.T) {
	s := newStream(1)
	for d := range 200 {
		s.others(d, 20)
		for range s.poisson(0.3) {
			s.complain(d, merit.NightCall, 5*s.r.Float64())
		}
	}
	for i := range 30 { // a dialler that ran all night on day 100
		s.complain(101+i%4, merit.NightCall, float64(1+i%4))
	}
	got := merit.Incidents(s.found, merit.IncidentOptions{PerDay: s.days})
	if len(got) != 1 || got[0].Customers < 30 || got[0].Customers > 36 || got[0].Rule != merit.NightCall {
		t.Fatalf("got %+v, want one incident of some 30 customers", got)
	}
	if i := got[0]; !strings.HasPrefix(i.ID, "i") || len(i.ID) != 13 || len(i.Complaints) < i.Customers || i.Expected <= 0 || i.Expected > 6 || len(i.Why) != 3 {
		t.Errorf("got %+v", i)
	}
	s.r.Shuffle(len(s.found), func(i, j int) { s.found[i], s.found[j] = s.found[j], s.found[i] })
	if d := godiff.Diff(got, merit.Incidents(s.found, merit.IncidentOptions{PerDay: s.days})); d != "" {
		t.Errorf("in another order (-first +second):\n%s", d)
	}
	for i := range 10 { // it goes on
		s.complain(105+i%2, merit.NightCall, float64(5+i%2))
	}
	if more := merit.Incidents(s.found, merit.IncidentOptions{PerDay: s.days}); len(more) != 1 || more[0].ID != got[0].ID || more[0].Customers <= got[0].Customers {
		t.Errorf("as it grows: got %+v, want %s with more customers than %d", more, got[0].ID, got[0].Customers)
	}
}

func TestWhatIsNoIncident(t *testing.T) {
	quiet := func(s *stream) {
		for d := range 200 {
			s.others(d, 20)
			for range s.poisson(0.1) {
				s.complain(d, merit.NightCall, 5*s.r.Float64())
			}
		}
	}
	for _, c := range []struct {
		name string
		make func(s *stream)
		want int
	}{
		{"eight customers in four days", func(s *stream) {
			quiet(s)
			for i := range 8 {
				s.complain(100+i%4, merit.NightCall, 1)
			}
		}, 1},
		{"four customers, seven complaints", func(s *stream) {
			quiet(s)
			for i := range 7 {
				s.complain(100+i%2, merit.NightCall, 1)
				s.found[len(s.found)-1].Customer = uint64(1e6 + i%4)
			}
		}, 0},
		{"seven customers, fourteen complaints of one day", func(s *stream) {
			for d := range 200 {
				s.others(d, 20)
			}
			for i := range 14 {
				s.complain(100, merit.NightCall, 1)
				s.found[len(s.found)-1].Customer = uint64(1e6 + i%7)
			}
		}, 0},
		{"eight customers of one day", func(s *stream) {
			for d := range 200 {
				s.others(d, 20)
			}
			for range 8 {
				s.complain(100, merit.NightCall, 1)
			}
		}, 1},
		{"twice as many, far beyond chance", func(s *stream) {
			for d := range 200 {
				s.others(d, 100)
				n := 60
				if d >= 100 && d < 105 {
					n = 120
				}
				for range n {
					s.complain(d, merit.NightCall, 1)
				}
			}
		}, 0},
		{"one customer twenty times", func(s *stream) {
			quiet(s)
			for i := range 20 {
				s.complain(100+i%4, merit.NightCall, 1)
				s.found[len(s.found)-1].Customer = 1e6
			}
		}, 0},
		{"breaches that only may be one", func(s *stream) {
			quiet(s)
			for i := range 30 {
				s.complain(100+i%4, merit.NightCall, 1)
				s.found[len(s.found)-1].Findings[0].Standing = bonafide.Indicated
			}
		}, 0},
		{"breaches of long ago", func(s *stream) {
			quiet(s)
			for i := range 30 {
				s.complain(100+i%4, merit.NightCall, 30+float64(i))
			}
		}, 0},
		{"breaches that began long ago", func(s *stream) {
			quiet(s)
			for i := range 30 {
				s.complain(100+i%4, merit.NightCall, 1)
				f := &s.found[len(s.found)-1].Findings[0]
				f.From = f.From.AddDate(0, -6, 0)
			}
		}, 0},
		{"a history too short to know what is usual", func(s *stream) {
			for i := range 40 {
				s.complain(i%10, merit.NightCall, 1)
				s.others(i%20, 1)
			}
		}, 0},
		{"a disturbance that the lender names needs no history", func(s *stream) {
			for i := range 40 {
				s.complain(i%3, merit.FailedOperation, 1, "1", "payment", "core down")
			}
		}, 1},
		{"one without a name does", func(s *stream) {
			for i := range 40 {
				s.complain(i%3, merit.FailedOperation, 1, "1", "payment", "")
			}
		}, 0},
		{"many disturbances, a few customers each", func(s *stream) {
			quiet(s)
			for i := range 40 {
				s.complain(100+i%4, merit.FailedOperation, 1, "1", "payment", fmt.Sprint("d", i/5))
			}
		}, 0},
		{"two disturbances on the same days are two", func(s *stream) {
			quiet(s)
			for i := range 40 {
				s.complain(100+i%4, merit.FailedOperation, 1, "1", "payment", fmt.Sprint("d", i%2))
			}
		}, 2},
		{"bursts months apart are two", func(s *stream) {
			quiet(s)
			for i := range 40 {
				s.complain(60+80*(i%2), merit.NightCall, 1)
			}
		}, 2},
	} {
		s := newStream(7)
		c.make(s)
		if got := merit.Incidents(s.found, merit.IncidentOptions{PerDay: s.days}); len(got) != c.want {
			t.Errorf("%s: got %d incidents, want %d: %+v", c.name, len(got), c.want, got)
		}
	}
	if got := merit.Incidents(nil, merit.IncidentOptions{}); len(got) != 0 {
		t.Errorf("nothing: got %+v", got)
	}
}

// Many complaints at once bring old breaches to light. That is a campaign, or news; it is
// no breach of those days, and must not hide behind one.
func TestManyComplaintsAtOnceAreNoIncident(t *testing.T) {
	incidents, without := 0, 0
	for seed := range uint64(40) {
		s := newStream(seed)
		for d := range 200 {
			n := s.poisson(30)
			if d >= 100 && d < 104 {
				n += 200
			}
			for range n {
				if s.r.Float64() < 0.05 { // of all customers one in twenty was called at night lately
					s.complain(d, merit.NightCall, 10*s.r.Float64())
				} else {
					s.others(d, 1)
				}
			}
		}
		incidents += len(merit.Incidents(s.found, merit.IncidentOptions{PerDay: s.days}))
		without += len(merit.Incidents(s.found, merit.IncidentOptions{}))
	}
	t.Logf("40 campaigns of 800 complaints: %d taken for incidents, %d where the complaints a day are not known", incidents, without)
	if incidents != 0 || without != 0 {
		t.Errorf("got %d and %d incidents, want none", incidents, without)
	}
}

// Steady breaches make no incident: not by chance, not by weekday, and not on days on
// which everybody complains more.
func TestSteadyBreachesMakeNoIncident(t *testing.T) {
	rules := []string{merit.NightCall, merit.TooManyCalls, merit.ThirdPartyAfterRefusal, merit.FeeOutsideContract}
	steady, uneven := 0, 0
	const histories = 300
	for seed := range uint64(histories) {
		even, busy := newStream(seed), newStream(seed)
		rate := []float64{0.05, 0.3, 1, 4, 6, 20}[seed%6] // 6 is 2 % of 300 a day
		for d := range 365 {
			for range even.poisson(rate * week[d%7]) {
				even.complain(d, rules[even.r.IntN(len(rules))], 13*even.r.Float64(), "service")
			}
			even.others(d, even.poisson(rate*49*week[d%7]))
			// Days vary by half: a gamma of shape 4.
			day := -math.Log(busy.r.Float64()*busy.r.Float64()*busy.r.Float64()*busy.r.Float64()) / 4
			for range busy.poisson(rate * week[d%7] * day) {
				busy.complain(d, merit.NightCall, 13*busy.r.Float64())
			}
			busy.others(d, busy.poisson(rate*49*week[d%7]*day))
		}
		steady += len(merit.Incidents(even.found, merit.IncidentOptions{PerDay: even.days}))
		uneven += len(merit.Incidents(busy.found, merit.IncidentOptions{PerDay: busy.days}))
	}
	t.Logf("incidents in %d steady years: %d; in as many years of uneven days: %d", histories, steady, uneven)
	if steady != 0 || uneven != 0 {
		t.Errorf("got %d and %d incidents, want none", steady, uneven)
	}
}

// The incidents behind a made-up world's waves are found, and nothing else is taken for
// one.
func TestIncidentsOfWorlds(t *testing.T) {
	p := pack(t, "cn")
	waves, found, other, complaints, covered, in, wrongly := 0, 0, 0, 0, 0, 0, 0
	for seed := range uint64(6) {
		w := synth.New(synth.Config{Seed: seed + 1, Size: 3000})
		records := synth.RecordsFor(w, seed)
		of := byCustomer(records)
		var all []merit.Substantiated
		perDay := map[bonafide.Day]int{}
		for i := range w.Complaints {
			c := &w.Complaints[i]
			perDay[bonafide.Day(c.Received.Format(time.DateOnly))]++
			r := of[c.Customer.Ref]
			if c.Customer.Ref == "" || r == nil {
				continue
			}
			m := p.Check(c.Received, *r, c.Received, nil)
			all = append(all, merit.Substantiated{Complaint: c.ID, Customer: hash(c.Customer.Ref), Received: c.Received, Findings: m.Findings})
		}
		incidents := merit.Incidents(all, merit.IncidentOptions{PerDay: perDay})
		taken := map[string]bool{}
		for _, wave := range records.Waves {
			if len(wave.Covered) < 8 {
				continue
			}
			waves++
			complaints += wave.Complaints
			covered += len(wave.Covered)
			hit := false
			for _, i := range incidents {
				if i.Rule != wave.Rule {
					continue
				}
				n := 0
				for _, id := range i.Complaints {
					if slices.Contains(wave.Covered, id) {
						n++
					}
				}
				if n > 0 {
					hit, taken[i.ID] = true, true
					in += n
					wrongly += len(i.Complaints) - n
				}
			}
			if hit {
				found++
			}
		}
		for _, i := range incidents {
			if !taken[i.ID] {
				other++
				t.Logf("seed %d: %+v", seed+1, i)
			}
		}
	}
	t.Logf("%d of %d waves found; %d of %d complaints covered by records, %d of them in incidents, %d others in them; %d other incidents",
		found, waves, covered, complaints, in, wrongly, other)
	if found != waves || other != 0 {
		t.Errorf("got %d of %d waves and %d other incidents", found, waves, other)
	}
}

func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for _, b := range []byte(s) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return h
}

func BenchmarkIncidents(b *testing.B) {
	s := newStream(1)
	for d := range 730 {
		for range s.poisson(140) {
			s.complain(d, merit.NightCall, 13*s.r.Float64())
		}
	}
	b.Logf("%d substantiated complaints", len(s.found))
	for b.Loop() {
		if got := merit.Incidents(s.found, merit.IncidentOptions{PerDay: s.days}); len(got) > 0 {
			b.Fatal(got)
		}
	}
}
