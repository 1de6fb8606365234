package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bonafide"
	"bonafide/intake"
	"bonafide/internal/synth"
	"bonafide/internal/testdb"
	"bonafide/pipeline"
	"bonafide/policy"
	"bonafide/signal/text"
	"bonafide/store"

	crand "crypto/rand"

	gocmp "github.com/google/go-cmp/cmp"
)

const bank bonafide.Tenant = "bank"

var tester = bonafide.Actor{ID: "key:tester", Name: "tester"}

func stages(t testing.TB) (*policy.Pack, []text.Public) {
	t.Helper()
	pack, err := policy.Load("nifa-2024")
	if err != nil {
		t.Fatal(err)
	}
	public, err := text.PublicLetters()
	if err != nil {
		t.Fatal(err)
	}
	return pack, public
}

// process opens a database as one process would, and runs an engine on it.
func process(t testing.TB, url string) *Engine { return processAt(t, url, time.Now) }

// processAt runs one by a clock of the test's.
func processAt(t testing.TB, url string, now func() time.Time) *Engine {
	return processOf(t, url, now, Config{Settle: 10 * time.Millisecond})
}

func processOf(t testing.TB, url string, now func() time.Time, cfg Config) *Engine {
	t.Helper()
	db, err := store.Open(t.Context(), url, store.Options{RootKey: bytes.Repeat([]byte{7}, 32), Now: now, Random: crand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(t.Context(), func(tx *store.Tx) error { return tx.AddTenant(t.Context(), bank, "Bank", tester) })
	if err != nil && !errors.Is(err, bonafide.Conflict) {
		t.Fatal(err)
	}
	pack, public := stages(t)
	if cfg.Policy == nil {
		cfg.Policy = pack
	}
	cfg.DB, cfg.Now, cfg.Log, cfg.Version, cfg.Public, cfg.Random = db, now, slog.New(slog.DiscardHandler), "test", public, crand.Reader
	e := New(cfg)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error("run:", err)
		}
		if err := db.Close(); err != nil {
			t.Error("close:", err)
		}
	})
	waitReady(t, e)
	return e
}

// submit hands in cs and fails the test unless all are created.
func submit(t testing.TB, e *Engine, cs []bonafide.Complaint) []Receipt {
	t.Helper()
	subs := make([]Submission, len(cs))
	for i := range cs {
		subs[i].Complaint = &cs[i]
	}
	got, err := e.Submit(t.Context(), bank, tester, subs)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range got {
		if r.Status != bonafide.PutCreated {
			t.Fatalf("%s: %s %s", r.ID, r.Status, r.Msg)
		}
	}
	return got
}

// quiet waits until no job is left to do.
func quiet(t testing.TB, e *Engine) {
	t.Helper()
	calm := 0
	for range 1200 {
		busy := false
		err := e.cfg.DB.View(t.Context(), func(tx *store.Tx) error {
			for _, state := range []string{store.JobReady, store.JobLeased, store.JobDead} {
				jobs, err := tx.Jobs(t.Context(), state, 10)
				if err != nil {
					return err
				}
				if state == store.JobDead && len(jobs) > 0 {
					t.Fatalf("dead job: %s: %s", jobs[0].Kind, jobs[0].Error)
				}
				soon := func(j store.Job) bool { return time.Until(j.Due) < time.Minute } // a later one is for upkeep
				busy = busy || slices.ContainsFunc(jobs, soon)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if calm++; busy {
			calm = 0
		}
		if calm == 10 { // longer than it takes to see that a job is missing
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("jobs are left after a minute")
}

// found is what stands in the store: levels, and rings by their members.
type found struct {
	Levels map[string]bonafide.Level
	Rings  [][]string
}

func standing(t testing.TB, e *Engine) found {
	t.Helper()
	f := found{Levels: map[string]bonafide.Level{}}
	ctx := t.Context()
	err := e.cfg.DB.View(ctx, func(tx *store.Tx) error {
		vs, err := tx.Verdicts(ctx, bank, "", 100_000)
		if err != nil {
			return err
		}
		for _, v := range vs {
			f.Levels[v.Complaint] = bonafide.Level(v.Level)
		}
		rs, err := tx.Rings(ctx, bank, string(bonafide.RingProposed), "", 10_000)
		for _, r := range rs {
			f.Rings = append(f.Rings, r.Members)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(f.Rings, func(a, b []string) int { return slices.Compare(a, b) })
	return f
}

// scanned is what a scan of cs finds.
func scanned(t testing.TB, cs []bonafide.Complaint) found {
	t.Helper()
	pack, public := stages(t)
	s := pipeline.NewScanner(pipeline.Config{Version: "test", Secret: []byte("secret of a scan"), Policy: pack, Public: public})
	for i := range cs {
		if err := s.Add(t.Context(), &cs[i]); err != nil {
			t.Fatal(err)
		}
	}
	r, err := s.Finish(t.Context(), bonafide.Read{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := found{Levels: map[string]bonafide.Level{}}
	for _, v := range r.Complaints {
		f.Levels[v.ID] = v.Level
	}
	for _, r := range r.Rings {
		f.Rings = append(f.Rings, r.Members)
	}
	slices.SortFunc(f.Rings, func(a, b []string) int { return slices.Compare(a, b) })
	return f
}

// arrive hands in cs in an order of their own, in batches of random sizes, through
// random ones of the processes, some at the same time.
func arrive(t testing.TB, es []*Engine, cs []bonafide.Complaint, seed uint64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	cs = slices.Clone(cs)
	r.Shuffle(len(cs), func(i, j int) { cs[i], cs[j] = cs[j], cs[i] })
	var wg sync.WaitGroup
	for len(cs) > 0 {
		n := min(len(cs), 1+r.IntN(90))
		part := cs[:n]
		cs = cs[n:]
		e := es[r.IntN(len(es))]
		wg.Go(func() { submit(t, e, part) })
		if r.IntN(3) == 0 {
			wg.Wait()
		}
	}
	wg.Wait()
}

func TestServiceGivesWhatAScanGives(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	for _, style := range []synth.Style{synth.Dev, synth.Held, synth.Held2} {
		w := synth.New(synth.Config{Style: style, Seed: 4242, Size: 700})
		want := scanned(t, w.Complaints)
		if len(want.Rings) == 0 {
			t.Fatalf("%s: no ring in this world", style)
		}
		for processes := 1; processes <= 2; processes++ {
			t.Run(fmt.Sprintf("%s/%d", style, processes), func(t *testing.T) {
				testdb.Each(t, func(t *testing.T, fresh func() string) {
					url := fresh()
					var es []*Engine
					for range processes {
						es = append(es, process(t, url))
					}
					arrive(t, es, w.Complaints, uint64(processes))
					quiet(t, es[0])
					if d := gocmp.Diff(want, standing(t, es[0])); d != "" {
						t.Error(d)
					}
					if r, err := verifyLog(t, es[0]); err != nil || r != "" {
						t.Error(r, err)
					}
				})
			})
		}
	}
}

func TestServiceGivesWhatAScanGivesOnRealComplaints(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	const file = "../../shared/data/cfpb/complaints.csv"
	f, err := os.Open(file)
	if err != nil {
		t.Skip("no real data here: " + file)
	}
	defer f.Close()
	var cs []bonafide.Complaint
	if err := intake.NewReader(intake.Options{}).Read(t.Context(), "complaints.csv", f, func(c *bonafide.Complaint) error {
		cs = append(cs, *c)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want := scanned(t, cs)
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		url := fresh()
		es := []*Engine{process(t, url), process(t, url)}
		arrive(t, es, cs, 3)
		quiet(t, es[0])
		if d := gocmp.Diff(want, standing(t, es[0])); d != "" {
			t.Error(d)
		}
		t.Logf("%d complaints: %d verdicts, %d rings", len(cs), len(want.Levels), len(want.Rings))
	})
}

func verifyLog(t testing.TB, e *Engine) (problem string, err error) {
	t.Helper()
	var key string
	if err := e.cfg.DB.View(t.Context(), func(tx *store.Tx) (err error) { _, key, err = tx.SigningKey(t.Context()); return err }); err != nil {
		return "", err
	}
	r, err := e.cfg.DB.VerifyLog(t.Context(), bank, key, nil)
	if r.Problem != nil {
		problem = r.Problem.String()
	}
	return problem, err
}

const playbook = "I refuse to accept the interest that your company has charged on my loan, because the contract never named the yearly cost, " +
	"and I demand that every fee beyond the principal is returned within seven working days. My employer was telephoned about a private matter, " +
	"which broke the rules on contacting third parties. I suffer from sleeplessness since then and hold a certificate. Should you not settle, " +
	"I shall turn to the regulator, to the press and to the court at the same time."

// agency makes n clients of one agency, far apart, of whom each three have one phone.
func agency(n int) []bonafide.Complaint {
	var cs []bonafide.Complaint
	day := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	for i := range n {
		cs = append(cs, bonafide.Complaint{
			ID: fmt.Sprintf("A%04d", i), Received: day.Add(time.Duration(i) * 31 * time.Hour),
			Text: fmt.Sprintf("My name is client %c%c. ", 'a'+i%26, 'a'+i/26) + playbook,
			Customer: bonafide.Customer{
				Ref: fmt.Sprint("aref", i), Name: fmt.Sprintf("Cli%c Ent%c", 'a'+i%26, 'a'+i/3%26),
				Address: fmt.Sprintf("%d Elm Road, Ville%d", 7+i, i), Region: fmt.Sprint("region ", i%12),
			},
			Contacts: []bonafide.Identifier{{Kind: bonafide.Phone, Value: fmt.Sprintf("+4478000%05d", 55555+i/3)}},
		})
	}
	return cs
}

// strangers are n people with letters of their own.
func strangers(n int) []bonafide.Complaint {
	r := rand.New(rand.NewPCG(5, 0))
	everyday := strings.Fields("I my the a to and you that of on bank loan called asked paid month letter wrote never because contract fee branch money please answer")
	syllables := strings.Fields("ba be bo da di do fa fe ga go ka ki ko la le li ma mi mo na ne no pa pe ra re ri sa se so ta ti to va ve wo za zu")
	words := func() string {
		var b strings.Builder
		for range 70 + r.IntN(80) {
			b.WriteByte(' ')
			if r.IntN(2) == 0 {
				b.WriteString(everyday[r.IntN(len(everyday))])
				continue
			}
			for range 2 + r.IntN(2) {
				b.WriteString(syllables[r.IntN(len(syllables))])
			}
		}
		return b.String()
	}
	var cs []bonafide.Complaint
	for i := range n {
		cs = append(cs, bonafide.Complaint{
			ID: fmt.Sprintf("S%04d", i), Received: time.Date(2026, 1, 1+i%100, 9, i%60, 0, 0, time.UTC), Text: words(),
			Customer: bonafide.Customer{Ref: fmt.Sprint("sref", i), Address: fmt.Sprintf("%d Oak Street, Town%d", i+1, i), Region: fmt.Sprint("region ", i%12)},
			Contacts: []bonafide.Identifier{{Kind: bonafide.Phone, Value: fmt.Sprintf("+4479%08d", 13579*i%1e8)}},
		})
	}
	return cs
}

// onlyRing returns the one ring that goes on.
func onlyRing(t testing.TB, e *Engine) store.RingRow {
	t.Helper()
	var out []store.RingRow
	err := e.cfg.DB.View(t.Context(), func(tx *store.Tx) error {
		out = nil
		for _, s := range []bonafide.RingState{bonafide.RingProposed, bonafide.RingIsFirm, bonafide.RingIsCleared} {
			rs, err := tx.Rings(t.Context(), bank, string(s), "", 10)
			if err != nil {
				return err
			}
			out = append(out, rs...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) != 1 {
		t.Fatalf("%d rings stand, want one", len(out))
	}
	return out[0]
}

func events(t testing.TB, e *Engine, ring string) []bonafide.EventType {
	t.Helper()
	var out []bonafide.EventType
	err := e.cfg.DB.View(t.Context(), func(tx *store.Tx) error {
		evs, err := tx.RingEvents(t.Context(), bank, ring)
		for _, ev := range evs {
			if ev.Target.Kind == bonafide.OnRing && (len(out) == 0 || out[len(out)-1] != ev.Type) && ev.Type != bonafide.TagCreated && ev.Type != bonafide.TagRemoved {
				out = append(out, ev.Type)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func tags(t testing.TB, e *Engine, state string) []bonafide.Tag {
	t.Helper()
	var out []bonafide.Tag
	err := e.cfg.DB.View(t.Context(), func(tx *store.Tx) (err error) {
		out, err = tx.Tags(t.Context(), bank, store.TagFilter{State: state, Limit: 1000})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func accused(t testing.TB, e *Engine) int {
	n := 0
	for _, l := range standing(t, e).Levels {
		if l.Accuses() {
			n++
		}
	}
	return n
}

func nothing(*store.Tx, bonafide.RingState) error { return nil }

func TestRingKeepsItsIDAndTagsFollowIt(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		e := process(t, fresh())
		cs := agency(12)
		submit(t, e, append(strangers(300), cs[:6]...))
		quiet(t, e)
		first := onlyRing(t, e)
		if first.Size != 6 || bonafide.Level(first.Level) != bonafide.Level2 {
			t.Fatalf("ring of %d at %q, want 6 at level-2", first.Size, first.Level)
		}
		// Ring, two phones, six complaints, six customers.
		if got := len(tags(t, e, "live")); got != 1+2+6+6 {
			t.Errorf("%d tags warn, want 15", got)
		}
		submit(t, e, cs[6:])
		quiet(t, e)
		grown := onlyRing(t, e)
		if grown.ID != first.ID || grown.Size != 12 {
			t.Errorf("ring %s of %d, want %s of 12", grown.ID, grown.Size, first.ID)
		}
		if d := gocmp.Diff([]bonafide.EventType{bonafide.RingFormed, bonafide.RingGrown}, events(t, e, first.ID)); d != "" {
			t.Error(d)
		}
		targets, err := e.Targets(t.Context(), bank, []bonafide.Identifier{{Kind: bonafide.Phone, Value: "0044 78000 55555"}}, "aref3", "")
		if err != nil {
			t.Fatal(err)
		}
		var hit []bonafide.Tag
		if err := e.cfg.DB.View(t.Context(), func(tx *store.Tx) (err error) {
			hit, err = tx.TagsOn(t.Context(), bank, targets, time.Now())
			return err
		}); err != nil || len(hit) != 2 {
			t.Errorf("%d tags on the agency's phone and a client's number, want 2 (%v)", len(hit), err)
		}
	})
}

func TestClearedRingStaysClearedUntilItGrowsMuch(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		e := process(t, fresh())
		cs := agency(14)
		submit(t, e, append(strangers(300), cs[:6]...))
		quiet(t, e)
		r := onlyRing(t, e)
		if err := e.Decide(t.Context(), bank, tester, r.ID, bonafide.Clear, "a trade union wrote for its members", "shared phone of the union", nothing); err != nil {
			t.Fatal(err)
		}
		if n := accused(t, e); n != 0 {
			t.Errorf("%d complaints stand accused right after the ring was cleared", n)
		}
		if n := len(tags(t, e, "live")); n != 0 {
			t.Errorf("%d tags warn right after the ring was cleared", n)
		}
		quiet(t, e)
		submit(t, e, cs[6:8])
		quiet(t, e)
		if r := onlyRing(t, e); r.State != string(bonafide.RingIsCleared) || r.Size != 8 || accused(t, e) != 0 || len(tags(t, e, "live")) != 0 {
			t.Errorf("with two more members: %s of %d, %d accused, %d tags", r.State, r.Size, accused(t, e), len(tags(t, e, "live")))
		}
		submit(t, e, cs[8:])
		quiet(t, e)
		if r := onlyRing(t, e); r.State != string(bonafide.RingProposed) || accused(t, e) == 0 {
			t.Errorf("with eight more members: %s, %d accused: want it open again", r.State, accused(t, e))
		}
	})
}

func TestConfirmedRingKeepsItsMembers(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		e := process(t, fresh())
		submit(t, e, append(strangers(300), agency(6)...))
		quiet(t, e)
		r := onlyRing(t, e)
		if err := e.Decide(t.Context(), bank, tester, r.ID, bonafide.Confirm, "two clients named the agency", "family and union asked about", nothing); err != nil {
			t.Fatal(err)
		}
		quiet(t, e)
		for _, tag := range tags(t, e, "live") {
			if tag.Target.Kind == bonafide.OnComplaint && !strings.Contains(tag.Reason, "confirmed by a person") {
				t.Errorf("after it was confirmed a tag says %q", tag.Reason)
			}
		}
		d, err := e.desk(t.Context(), bank)
		if err != nil {
			t.Fatal(err)
		}
		// A grouping that finds less of it, and one that finds none.
		before, err := d.rings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		less := &pipeline.Grouping{Result: &bonafide.Result{Rings: []bonafide.Ring{{ID: "x", Members: []string{"A0000", "A0001", "A0002"}, Level: bonafide.Level2}}}, Shared: make([][]pipeline.SharedKey, 1), Self: map[string]bonafide.Key{}}
		changes, _ := d.track(before, less, time.Now(), nil, false)
		if c := changes[0]; len(changes) != 1 || c.row.ID != r.ID || c.row.Size != 6 || len(c.ring.Ties) != 6-3 {
			t.Errorf("found with three: %+v", c.row)
		}
		changes, _ = d.track(before, &pipeline.Grouping{Result: &bonafide.Result{}}, time.Now(), nil, false)
		if c := changes[0]; c.row.State != string(bonafide.RingIsFirm) || c.row.Size != 6 {
			t.Errorf("found no more: %+v", c.row)
		}
		// But who a person kept apart since leaves it.
		if err := e.Apart(t.Context(), bank, tester, "A0000", "A0001", "they are not linked", func(*store.Tx) error { return nil }); err != nil {
			t.Fatal(err)
		}
		quiet(t, e)
		if r := onlyRing(t, e); r.State != string(bonafide.RingIsFirm) || slices.Contains(r.Members, "A0000") && slices.Contains(r.Members, "A0001") {
			t.Errorf("%s of %v after two were kept apart", r.State, r.Members)
		}
	})
}

func TestApartTakesSomebodyOutOfAProposedRing(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		e := process(t, fresh())
		submit(t, e, append(strangers(300), agency(6)...))
		quiet(t, e)
		keep := func(*store.Tx) error { return nil }
		if err := e.Apart(t.Context(), bank, tester, "A0005", "A0000", "father and son", keep); err != nil {
			t.Fatal(err)
		}
		quiet(t, e)
		if r := onlyRing(t, e); slices.Contains(r.Members, "A0000") && slices.Contains(r.Members, "A0005") {
			t.Error("both still stand in the ring")
		}
		if err := e.Together(t.Context(), bank, tester, "A0000", "A0005", "a mistake", keep); err != nil {
			t.Fatal(err)
		}
		quiet(t, e)
		if r := onlyRing(t, e); r.Size != 6 {
			t.Errorf("%d members once it was taken back, want 6", r.Size)
		}
		if err := e.Apart(t.Context(), bank, tester, "A0000", "nobody", "x", keep); !errors.Is(err, bonafide.NotFound) {
			t.Errorf("a complaint that is not there: %v", err)
		}
	})
}

func TestSafeguard07LevelOneNeedsTwoPeople(t *testing.T) {
	row := store.RingRow{ID: "r", State: string(bonafide.RingProposed), Level: string(bonafide.Level1)}
	var body bonafide.Ring
	confirm := func(by string) (bonafide.EventType, error) {
		return decide(&row, &body, bonafide.Decision{Verb: bonafide.Confirm, By: by, Reason: "r", Innocent: "i"})
	}
	if ev, err := confirm("key:a"); err != nil || ev != bonafide.RingAwaits || row.State != string(bonafide.RingProposed) {
		t.Errorf("after one person: %s, %v", row.State, err)
	}
	kept := body
	if _, err := confirm("key:a"); !errors.Is(err, bonafide.Denied) {
		t.Errorf("the same person again: %v", err)
	}
	body = kept // a denied decision is not stored
	if ev, err := confirm("key:b"); err != nil || ev != bonafide.RingConfirmed || row.State != string(bonafide.RingIsFirm) {
		t.Errorf("after two: %s, %v", row.State, err)
	}
}

func TestRepetitionsAndConflicts(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		e := process(t, fresh())
		c := agency(2)
		submit(t, e, c[:1])
		again, other := c[0], c[0]
		other.Text = "something else, which nobody wrote before and which is long enough"
		got, err := e.Submit(t.Context(), bank, tester, []Submission{{Complaint: &again}, {Complaint: &other}, {Complaint: &c[1]}, {Complaint: &c[1]}})
		if err != nil {
			t.Fatal(err)
		}
		var statuses []bonafide.PutStatus
		for _, r := range got {
			statuses = append(statuses, r.Status)
		}
		want := []bonafide.PutStatus{bonafide.PutUnchanged, bonafide.PutConflict, bonafide.PutCreated, bonafide.PutUnchanged}
		if d := gocmp.Diff(want, statuses); d != "" {
			t.Error(d)
		}
	})
}

func TestSameKeyGivesTheSameAnswer(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		e := process(t, fresh())
		c := agency(3)
		once := func(c *bonafide.Complaint, digest string) Submission {
			return Submission{Complaint: c, Once: &Once{Key: "k1", Digest: []byte(digest), Answer: func(r Receipt) store.Answer {
				body, err := json.Marshal(r.Screening)
				if err != nil {
					t.Error(err)
				}
				return store.Answer{Key: "k1", Digest: []byte(digest), Status: 201, Body: body, Expires: time.Now().Add(time.Hour)}
			}}}
		}
		send := func(s Submission) Receipt {
			got, err := e.Submit(t.Context(), bank, tester, []Submission{s})
			if err != nil {
				t.Fatal(err)
			}
			return got[0]
		}
		submit(t, e, c[2:])
		first := send(once(&c[0], "one"))
		want, err := json.Marshal(first.Screening)
		if err != nil || first.Status != bonafide.PutCreated || len(first.Screening.Links) == 0 {
			t.Fatalf("%+v, %v", first, err)
		}
		if r := send(once(&c[0], "one")); r.Replayed == nil || !bytes.Equal(r.Replayed.Body, want) || r.Replayed.Status != 201 {
			t.Errorf("the same again: %+v", r)
		}
		if r := send(once(&c[1], "two")); r.Status != bonafide.PutConflict || r.Replayed != nil {
			t.Errorf("another body under the key: %+v", r)
		}
	})
}

func TestComplaintsThatArriveTogetherMeet(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		url := fresh()
		es := []*Engine{process(t, url), process(t, url)}
		for _, e := range es { // both follow the store before anything arrives
			waitReady(t, e)
		}
		cs := agency(3) // one phone
		var wg sync.WaitGroup
		links := make([]int, len(cs))
		for i := range cs {
			wg.Go(func() { links[i] = len(submit(t, es[i%2], cs[i:i+1])[0].Screening.Links) })
		}
		wg.Wait()
		slices.Sort(links)
		// Each sees all before it: by letter and by phone.
		if d := gocmp.Diff([]int{0, 2, 4}, links); d != "" {
			t.Error(d)
		}
	})
}

func waitReady(t testing.TB, e *Engine) {
	t.Helper()
	for range 200 {
		s := e.Status()
		if len(s) > 0 && s[0].Ready {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("not ready")
}

func TestComplaintIsStoredWhileTheMemoryIsBeingFilled(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		url := fresh()
		e := process(t, url)
		submit(t, e, agency(3))
		quiet(t, e)
		// A second process that has not read the store yet.
		late := New(e.cfg)
		d, err := late.open(t.Context(), bank)
		if err != nil {
			t.Fatal(err)
		}
		late.desks[bank] = d
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- d.commitLoop(ctx) }()
		c := agency(4)[3:]
		got, err := late.Submit(t.Context(), bank, tester, []Submission{{Complaint: &c[0]}})
		stop()
		if err != nil || got[0].Status != bonafide.PutCreated || !got[0].Queued || got[0].Screening != nil {
			t.Fatalf("%+v, %v", got, err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		quiet(t, e) // the other process screens it
		var row store.ComplaintRow
		if err := e.cfg.DB.View(t.Context(), func(tx *store.Tx) (err error) { row, err = tx.Complaint(t.Context(), bank, c[0].ID); return err }); err != nil {
			t.Fatal(err)
		}
		var s bonafide.Screening
		if err := json.Unmarshal(row.Screening, &s); err != nil || s.Compared != 3 || len(s.Links) == 0 {
			t.Errorf("screened later: %+v, %v", s, err)
		}
	})
}

func TestErasedPersonIsForgottenEverywhere(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		url := fresh()
		es := []*Engine{process(t, url), process(t, url)}
		cs := agency(4)
		submit(t, es[0], cs[:2])
		waitReady(t, es[1])
		err := es[0].Erase(t.Context(), bank, tester, "aref0", "", "asked for it", func(_ *store.Tx, _ string, ids []string) error {
			if len(ids) != 1 || ids[0] != "A0000" {
				t.Errorf("complaints %v", ids)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * follow)
		for i, e := range es {
			for _, l := range submit(t, e, cs[2+i:3+i])[0].Screening.Links {
				if l.A == "A0000" {
					t.Errorf("process %d still compares with the erased complaint", i)
				}
			}
		}
		err = es[1].cfg.DB.View(t.Context(), func(tx *store.Tx) error { _, err := tx.Complaint(t.Context(), bank, "A0000"); return err })
		if !errors.Is(err, bonafide.NotFound) {
			t.Errorf("the content can be read: %v", err)
		}
	})
}

func TestSafeguard09TagExpires(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		var ahead atomic.Int64
		e := processAt(t, fresh(), func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) })
		submit(t, e, append(strangers(300), agency(6)...))
		quiet(t, e)
		n := len(tags(t, e, "live"))
		ahead.Store(int64(bonafide.TagLife + time.Hour))
		if err := e.expire(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := len(tags(t, e, "expired")); got != n || n == 0 {
			t.Errorf("%d of %d tags expired", got, n)
		}
		// A grouping makes none of them again: a person would have had to renew them.
		submit(t, e, strangers(301)[300:])
		quiet(t, e)
		if got := len(tags(t, e, "live")); got != 0 {
			t.Errorf("%d tags warn again", got)
		}
	})
}

func TestClearedRingIsLookedAtAgainWithHalfAsManyMore(t *testing.T) {
	if got := reopens(4); got != 3 {
		t.Errorf("a ring cleared with 4 members is looked at again with %d more, want 3", got)
	}
	if got := reopens(11); got != 6 {
		t.Errorf("with 11: %d, want 6", got)
	}
}

func TestLargeLenderGroupsWhatNewComplaintsTouch(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		e := processOf(t, fresh(), time.Now, Config{Settle: 10 * time.Millisecond, Small: 100})
		cs := agency(14)
		submit(t, e, append(strangers(300), cs[:4]...))
		quiet(t, e)
		d, err := e.desk(t.Context(), bank)
		if err != nil {
			t.Fatal(err)
		}
		whole := d.rounds.whole
		first := onlyRing(t, e)
		submit(t, e, cs[4:9])
		quiet(t, e)
		grown := onlyRing(t, e)
		if grown.ID != first.ID || grown.Size != 9 || d.rounds.whole != whole {
			t.Errorf("ring %s of %d, want %s of 9 without a whole grouping (%d, then %d)", grown.ID, grown.Size, first.ID, whole, d.rounds.whole)
		}
		if got, want := accused(t, e), 9; got != want {
			t.Errorf("%d stand at level 2, want %d", got, want)
		}
		if got := len(tags(t, e, "live")); got != 1+3+9+9 {
			t.Errorf("%d tags warn, want 22", got)
		}
		// One in twenty is new: everything is joined, and agrees.
		submit(t, e, append(cs[9:], strangers(320)[300:]...))
		quiet(t, e)
		if d.rounds.whole == whole {
			t.Error("no whole grouping followed")
		}
		if d := gocmp.Diff(scanned(t, append(strangers(320), cs...)), standing(t, e)); d != "" {
			t.Error(d)
		}
	})
}

func TestClearingDuringASettlingStands(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		e := process(t, fresh())
		submit(t, e, append(strangers(300), agency(6)...))
		quiet(t, e)
		r := onlyRing(t, e)
		d, err := e.desk(t.Context(), bank)
		if err != nil {
			t.Fatal(err)
		}
		g, err := d.live.Group(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		g.Result.Rings[0].Members = append(slices.Clone(g.Result.Rings[0].Members), "S0001") // it grew
		job := store.Job{Tenant: bank, Kind: "settled by the test", Due: time.Now().Add(-time.Second)}
		if err := e.cfg.DB.Update(t.Context(), func(tx *store.Tx) error { return tx.Enqueue(t.Context(), job) }); err != nil {
			t.Fatal(err)
		}
		claimed, err := e.cfg.DB.Claim(t.Context(), e.owner, []string{job.Kind}, time.Now(), time.Minute, 1)
		if err != nil || len(claimed) != 1 {
			t.Fatal(claimed, err)
		}
		// Settling has read the rings; a person clears one; settling goes on.
		if err := d.begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		before, err := d.rings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		since := d.settling.since
		if err := e.Decide(t.Context(), bank, tester, r.ID, bonafide.Clear, "a union", "shared phone of the union", nothing); err != nil {
			t.Fatal(err)
		}
		d.settling.since = since
		changes, _ := d.track(before, g, time.Now(), nil, false)
		if err := d.saveChanges(t.Context(), changes, g, time.Now(), claimed[0]); !errors.Is(err, errDecided) {
			t.Errorf("settling went on over a decision: %v", err)
		}
		if r := onlyRing(t, e); r.State != string(bonafide.RingIsCleared) || accused(t, e) != 0 || len(tags(t, e, "live")) != 0 {
			t.Errorf("%s, %d accused, %d tags", r.State, accused(t, e), len(tags(t, e, "live")))
		}
		if err := e.cfg.DB.Update(t.Context(), func(tx *store.Tx) error { return tx.Finish(t.Context(), claimed[0], e.owner) }); err != nil {
			t.Error(err)
		}
	})
}

func TestPartsOfAClearedRingAreNotAccused(t *testing.T) {
	db := process(t, testdb.SQLite(t))
	d := &desk{Engine: db, tenant: bank}
	all := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	body, err := json.Marshal(bonafide.Ring{ID: "r1", Members: all, Decisions: []bonafide.Decision{{Verb: bonafide.Clear, By: "key:x", Members: all}}})
	if err != nil {
		t.Fatal(err)
	}
	before := []store.RingRow{{ID: "r1", State: string(bonafide.RingIsCleared), Members: all, Body: body, Found: true}}
	group := func(rings ...[]string) []change {
		g := &pipeline.Grouping{Result: &bonafide.Result{}, Self: map[string]bonafide.Key{}}
		for i, ms := range rings {
			g.Result.Rings = append(g.Result.Rings, bonafide.Ring{ID: fmt.Sprint("f", i), Members: ms, Level: bonafide.Level2})
			g.Shared = append(g.Shared, nil)
		}
		changes, _ := d.track(before, g, time.Now(), nil, false)
		return changes
	}
	for _, c := range group(all[:5], all[5:]) {
		if c.row.State != string(bonafide.RingIsCleared) {
			t.Errorf("a part of a cleared ring is %s", c.row.State)
		}
	}
	for _, c := range group([]string{"h", "p", "q", "r", "s", "t"}) {
		switch {
		case c.row.ID == "r1" && c.row.State != string(bonafide.RingIsCleared):
			t.Errorf("the cleared ring is %s because one member was found elsewhere", c.row.State)
		case c.row.ID != "r1" && c.row.State != string(bonafide.RingProposed):
			t.Errorf("a ring with one member who was cleared is %s", c.row.State)
		}
	}
}

func TestSafeguard12CustomerWhoIsVulnerableGetsNoTag(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		e := process(t, fresh())
		cs := agency(6)
		submit(t, e, append(strangers(300), cs...))
		quiet(t, e)
		again := strangers(301)[300]
		again.ID, again.Customer = "A-again", cs[2].Customer
		again.Customer.Vulnerable = "suicide-risk"
		more := agency(7)[6:] // the ring changes, too
		submit(t, e, []bonafide.Complaint{again, more[0]})
		other := agency(8)[7:]
		submit(t, e, other)
		quiet(t, e)
		self, err := e.Targets(t.Context(), bank, nil, cs[2].Customer.Ref, cs[2].ID)
		if err != nil {
			t.Fatal(err)
		}
		var hit []bonafide.Tag
		if err := e.cfg.DB.View(t.Context(), func(tx *store.Tx) (err error) {
			hit, err = tx.TagsOn(t.Context(), bank, self, time.Now())
			return err
		}); err != nil || len(hit) != 0 {
			t.Errorf("%d tags on a customer flagged as vulnerable and on an earlier complaint, %v", len(hit), err)
		}
	})
}

func TestDamagedTraceStopsNobody(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		url := fresh()
		e := process(t, url)
		cs := agency(4)
		submit(t, e, cs[:1])
		body, err := json.Marshal(cs[1])
		if err != nil {
			t.Fatal(err)
		}
		// A process of another version stores a complaint.
		if err := e.cfg.DB.Update(t.Context(), func(tx *store.Tx) error {
			_, err := tx.AddComplaints(t.Context(), bank, tester, []store.NewComplaint{{ID: cs[1].ID, Received: cs[1].Received, Digest: []byte("d"), Body: body, Trace: []byte{200, 1}, Screening: []byte("{}")}})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		got := submit(t, e, cs[2:3])
		if got[0].Screening == nil || got[0].Screening.Compared != 2 || len(got[0].Screening.Links) != 4 {
			t.Errorf("%+v: want it compared with both, the one reduced anew", got[0].Screening)
		}
		late := process(t, url)
		waitReady(t, late)
		if n := late.Status()[0].Loaded; n != 3 {
			t.Errorf("a new process has %d in memory, want 3", n)
		}
	})
}

func TestTagThatAPersonRemovedStaysAway(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		e := process(t, fresh())
		cs := agency(9)
		submit(t, e, append(strangers(300), cs[:6]...))
		quiet(t, e)
		var id string
		var target bonafide.Target
		for _, tag := range tags(t, e, "live") {
			if tag.Target.Kind == bonafide.OnCustomer {
				id, target = tag.ID, tag.Target
			}
		}
		if err := e.cfg.DB.Update(t.Context(), func(tx *store.Tx) error {
			return tx.RemoveTags(t.Context(), bank, tester, []string{id}, "a mistake")
		}); err != nil {
			t.Fatal(err)
		}
		r := onlyRing(t, e)
		d, err := e.desk(t.Context(), bank)
		if err != nil {
			t.Fatal(err)
		}
		r.ID = "another"
		var body bonafide.Ring
		if err := json.Unmarshal(r.Body, &body); err != nil {
			t.Fatal(err)
		}
		g, err := d.live.Group(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.cfg.DB.Update(t.Context(), func(tx *store.Tx) error {
			_, err := d.settleTags(t.Context(), tx, bonafide.System("settle"), r, body, nil, g.Self, time.Now())
			return err
		}); err != nil {
			t.Fatal(err)
		}
		for _, tag := range tags(t, e, "live") {
			if tag.Target == target {
				t.Error("it came back under another ring")
			}
		}
	})
}

func TestErasedPersonIsNotPutBackByASettling(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		e := process(t, fresh())
		submit(t, e, append(strangers(300), agency(9)...))
		quiet(t, e)
		d, err := e.desk(t.Context(), bank)
		if err != nil {
			t.Fatal(err)
		}
		g, err := d.live.Group(t.Context(), nil) // it still has them
		if err != nil {
			t.Fatal(err)
		}
		if err := d.begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		since := d.settling.since
		if err := e.Erase(t.Context(), bank, tester, "aref4", "", "asked for it", func(*store.Tx, string, []string) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if r := onlyRing(t, e); slices.Contains(r.Members, "A0004") {
			t.Error("an erased person stands in a ring")
		}
		quiet(t, e)
		job := store.Job{Tenant: bank, Kind: "settled by the test", Due: time.Now().Add(-time.Second)}
		if err := e.cfg.DB.Update(t.Context(), func(tx *store.Tx) error { return tx.Enqueue(t.Context(), job) }); err != nil {
			t.Fatal(err)
		}
		claimed, err := e.cfg.DB.Claim(t.Context(), e.owner, []string{job.Kind}, time.Now(), time.Minute, 1)
		if err != nil || len(claimed) != 1 {
			t.Fatal(claimed, err)
		}
		before, err := d.rings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		d.settling.since = since
		changes, _ := d.track(before, g, time.Now(), nil, false)
		if err := d.saveChanges(t.Context(), changes, g, time.Now(), claimed[0]); !errors.Is(err, errErased) {
			t.Errorf("settling went on with an erased person: %v", err)
		}
		if r := onlyRing(t, e); slices.Contains(r.Members, "A0004") || len(r.Members) != 8 {
			t.Errorf("ring of %v", r.Members)
		}
		if _, ok := standing(t, e).Levels["A0004"]; ok {
			t.Error("a verdict about an erased person stands")
		}
	})
}
