package pipeline

import (
	"math/rand/v2"
	"slices"
	"testing"

	"bonafide"
	"bonafide/internal/synth"
	"bonafide/policy"
	"bonafide/signal/text"

	"github.com/google/go-cmp/cmp"
)

func liveConfig(t testing.TB) Config {
	t.Helper()
	pack, err := policy.Load("nifa-2024")
	if err != nil {
		t.Fatal(err)
	}
	public, err := text.PublicLetters()
	if err != nil {
		t.Fatal(err)
	}
	return Config{Version: "test", Secret: []byte("another secret than the scan's"), Policy: pack, Public: public}
}

// live hands cs to a Live in batches, each through the form in which traces are
// stored, and groups them.
func live(t testing.TB, cs []bonafide.Complaint, batch int) (*Live, *Grouping) {
	t.Helper()
	l := NewLive(liveConfig(t), 0)
	for lo := 0; lo < len(cs); lo += batch {
		var rs []Reduced
		for i := lo; i < min(len(cs), lo+batch); i++ {
			r, err := l.Reduce(t.Context(), &cs[i])
			if err != nil {
				t.Fatal(err)
			}
			if r, err = ParseReduced(r.Marshal()); err != nil {
				t.Fatal(err)
			}
			rs = append(rs, r)
		}
		if _, err := l.Screen(t.Context(), int64(lo+1), rs); err != nil {
			t.Fatal(err)
		}
		l.Keep(int64(lo+1), rs)
	}
	g, err := l.Group(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return l, g
}

func shuffled(cs []bonafide.Complaint, seed uint64) []bonafide.Complaint {
	out := slices.Clone(cs)
	rand.New(rand.NewPCG(seed, 7)).Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// bare leaves out what a grouping does not have: the words of letters and its own notes.
func bare(r *bonafide.Result) *bonafide.Result {
	c := *r
	c.Templates = slices.Clone(r.Templates)
	for i := range c.Templates {
		c.Templates[i].Skeleton, c.Templates[i].Examples = "", nil
	}
	return &c
}

func TestLiveGivesWhatBatchGivesInAnyOrder(t *testing.T) {
	worlds := map[string][]bonafide.Complaint{"agency": agency(strangers(300, 1), 9)}
	for _, style := range []synth.Style{synth.Dev, synth.Held} {
		w := synth.New(synth.Config{Style: style, Seed: 77, Size: 1200})
		worlds[string(style)] = w.Complaints
	}
	for name, cs := range worlds {
		t.Run(name, func(t *testing.T) {
			want := bare(scan(t, cs))
			for seed := range uint64(3) {
				_, g := live(t, shuffled(cs, seed), []int{1, 7, 256}[seed])
				if d := cmp.Diff(want, bare(g.Result)); d != "" {
					t.Errorf("order %d: %s", seed, d)
				}
			}
			if len(want.Rings) == 0 {
				t.Error("no ring in this world: nothing was compared")
			}
		})
	}
}

// keep hands more complaints to l.
func keep(t testing.TB, l *Live, cs []bonafide.Complaint) {
	t.Helper()
	var rs []Reduced
	for i := range cs {
		r, err := l.Reduce(t.Context(), &cs[i])
		if err != nil {
			t.Fatal(err)
		}
		rs = append(rs, r)
	}
	l.Keep(l.Last()+1, rs)
}

func TestGroupAroundFindsWhatAWholeGroupingFinds(t *testing.T) {
	cs := agency(strangers(300, 1), 9)
	l, g := live(t, cs[:304], 64) // four members have arrived
	l.Belong(map[string][]string{"lasting": g.Result.Rings[0].Members}, nil)
	keep(t, l, cs[304:])
	places, more := l.Sharing(305, 100)
	if len(places) != 5 || more {
		t.Fatalf("places %v of complaints that share something, want the 5 new ones", places)
	}
	around, ok, err := l.GroupAround(t.Context(), places, nil)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	whole, err := l.Group(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(around.Result.Rings) != 1 || len(whole.Result.Rings) != 1 {
		t.Fatalf("%d rings around, %d in the whole, want one each", len(around.Result.Rings), len(whole.Result.Rings))
	}
	if d := cmp.Diff(whole.Result.Rings[0].Members, around.Result.Rings[0].Members); d != "" {
		t.Error(d)
	}
	if got, want := levels(around.Result), levels(whole.Result); cmp.Diff(got, want) != "" {
		t.Error(cmp.Diff(got, want))
	}
	if len(around.Shared[0]) != 3 {
		t.Errorf("%d shared phones, want 3", len(around.Shared[0]))
	}
}

func TestApartKeepsTwoCustomersOutOfOneRing(t *testing.T) {
	cs := agency(strangers(300, 1), 9)
	l, g := live(t, cs, 64)
	if n := len(g.Result.Rings[0].Members); n != 9 {
		t.Fatalf("%d members, want 9", n)
	}
	g, err := l.Group(t.Context(), [][2]string{{"A0000", "A0004"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range g.Result.Rings {
		if slices.Contains(r.Members, "A0000") && slices.Contains(r.Members, "A0004") {
			t.Error("two complaints that a person said are not linked stand in one ring")
		}
	}
	if len(g.Result.Rings) == 0 {
		t.Error("the rest of the ring is gone too")
	}
}

func TestForgottenComplaintsAreComparedWithNobody(t *testing.T) {
	cs := agency(strangers(300, 1), 9)
	l, _ := live(t, cs[:308], 64)
	l.Forget([]string{"A0006", "A0007"})
	r, err := l.Reduce(t.Context(), &cs[308])
	if err != nil {
		t.Fatal(err)
	}
	ss, err := l.Screen(t.Context(), 309, []Reduced{r})
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range ss[0].Links {
		if link.A == "A0006" || link.A == "A0007" {
			t.Errorf("linked with %s, which was erased", link.A)
		}
	}
	if len(ss[0].Links) == 0 {
		t.Error("linked with nobody: its letter is the others'")
	}
}

func TestComplaintsThatArriveTogetherMeet(t *testing.T) {
	cs := agency(nil, 3)
	l := NewLive(liveConfig(t), 0)
	var rs []Reduced
	for i := range cs {
		r, err := l.Reduce(t.Context(), &cs[i])
		if err != nil {
			t.Fatal(err)
		}
		rs = append(rs, r)
	}
	ss, err := l.Screen(t.Context(), 1, rs)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{0, 2, 4} { // one letter and one phone with each before it
		if got := len(ss[i].Links); got != want {
			t.Errorf("complaint %d has %d links, want %d", i, got, want)
		}
	}
}

func TestTraceThatIsCutOffIsRefused(t *testing.T) {
	cs := agency(nil, 1)
	l := NewLive(liveConfig(t), 0)
	r, err := l.Reduce(t.Context(), &cs[0])
	if err != nil {
		t.Fatal(err)
	}
	b := r.Marshal()
	for n := range b {
		if _, err := ParseReduced(b[:n]); err == nil {
			t.Errorf("%d of %d bytes were taken for the whole", n, len(b))
		}
	}
	if _, err := ParseReduced(append(b, 0)); err == nil {
		t.Error("a byte too many was taken")
	}
}

func FuzzParseReduced(f *testing.F) {
	l := NewLive(liveConfig(f), 0)
	for _, c := range agency(nil, 2) {
		r, err := l.Reduce(f.Context(), &c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(r.Marshal())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := ParseReduced(b); err == nil {
			if again, err := ParseReduced(r.Marshal()); err != nil || again.ID() != r.ID() {
				t.Errorf("read, written and read again: %v", err)
			}
		}
	})
}
