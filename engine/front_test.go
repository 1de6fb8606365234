package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bonafide"
	"bonafide/audit"
	"bonafide/contact"
	"bonafide/internal/testdb"
	"bonafide/learn"
	"bonafide/pipeline"
	"bonafide/store"
)

// put hands in a record of a customer.
func put(t testing.TB, e *Engine, kind, id, ref string, v any) {
	t.Helper()
	ctx := t.Context()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	subject, err := e.Subject(ctx, bank, &bonafide.Customer{Ref: ref})
	if err != nil {
		t.Fatal(err)
	}
	if id == "" {
		id = subject
	}
	digest, err := e.Digest(ctx, bank, body)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.PutRecords(ctx, bank, tester, []store.NewRecord{{Kind: kind, ID: id, Subject: subject, Digest: digest, Body: body}})
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func view[T any](t testing.TB, e *Engine, read func(context.Context, *store.Tx) (T, error)) T {
	t.Helper()
	var out T
	if err := e.cfg.DB.View(t.Context(), func(tx *store.Tx) (err error) { out, err = read(t.Context(), tx); return err }); err != nil {
		t.Fatal(err)
	}
	return out
}

// until waits for something that a loop of the engine does.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for range 400 {
		if done() {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatal("still not: " + what)
}

func knownOfComplaint(t testing.TB, e *Engine, id string) pipeline.Known {
	t.Helper()
	return view(t, e, func(ctx context.Context, tx *store.Tx) (k pipeline.Known, err error) {
		rows, err := tx.KnownOf(ctx, bank)
		for _, r := range rows {
			if r.Complaint == id {
				err = json.Unmarshal(r.Body, &k)
			}
		}
		return k, err
	})
}

// talk leads a conversation to where its answers lead and ends it.
func talk(t testing.TB, e *Engine, script, complaint string, known bool, answers []string) bonafide.Contact {
	t.Helper()
	ctx := t.Context()
	id, err := e.BeginContact(ctx, bank, clerk, script, complaint, "en", known)
	if err != nil {
		t.Fatal(err)
	}
	as, err := contact.Answers(answers)
	if err != nil {
		t.Fatal(err)
	}
	version := 1
	for _, a := range as {
		if err := e.AnswerContact(ctx, bank, clerk, id, version, a); err != nil {
			t.Fatalf("%s %s: %v", script, a.Step, err)
		}
		version++
	}
	if err := e.AnswerContact(ctx, bank, clerk, id, version-1, as[0]); !errors.Is(err, bonafide.Conflict) {
		t.Errorf("an answer to an older version: %v", err)
	}
	if err := e.EndContact(ctx, bank, clerk, id, version); err != nil {
		t.Fatal(err)
	}
	if err := e.EndContact(ctx, bank, clerk, id, version+1); !errors.Is(err, bonafide.Conflict) {
		t.Errorf("ended twice: %v", err)
	}
	return view(t, e, func(ctx context.Context, tx *store.Tx) (bonafide.Contact, error) {
		c, _, _, err := e.Talk(ctx, tx, bank, id)
		return c.Contact, err
	})
}

// Every case of every script comes out in the service as the script says: the record,
// the complaint's own track, the tasks, and the flag of who needs care.
func TestScriptsInTheService(t *testing.T) {
	e := process(t, testdb.SQLite(t))
	n := 0
	for _, name := range contact.List() {
		s, err := contact.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, c := range s.Cases {
			if seen[c.Want.End] || c.Known != (contact.Known{}) && c.Known != (contact.Known{KnownNumber: true}) {
				continue
			}
			seen[c.Want.End] = true
			n++
			one := strangers(n)[n-1]
			submit(t, e, []bonafide.Complaint{one})
			got := talk(t, e, name, one.ID, s.NeedsKnown || c.Known.KnownNumber, c.Answers)
			if got.End != c.Want.End || got.Ended.IsZero() || len(got.Answers) != len(c.Answers) {
				t.Errorf("%s %s: ended at %q with %d answers", name, c.Name, got.End, len(got.Answers))
			}
			state := view(t, e, func(ctx context.Context, tx *store.Tx) (string, error) {
				row, err := tx.Track(ctx, bank, one.ID)
				return row.State, err
			})
			want := map[string]string{"": "received", "register": "registered", "check-authority": "authority"}[c.Want.Track]
			if state != want {
				t.Errorf("%s %s: the complaint is %s, want %s", name, c.Name, state, want)
			}
			var kinds []string
			tasks, err := tasksOf(t, e, one.ID)
			for _, v := range tasks {
				kinds = append(kinds, string(v.Kind))
			}
			if err != nil || !slices.Equal(kinds, c.Want.Verify) && len(kinds)+len(c.Want.Verify) > 0 {
				t.Errorf("%s %s: tasks %v, want %v, %v", name, c.Name, kinds, c.Want.Verify, err)
			}
			if k := knownOfComplaint(t, e, one.ID); k.Vulnerable != c.Want.Vulnerable {
				t.Errorf("%s %s: vulnerable %v, want %v", name, c.Name, k.Vulnerable, c.Want.Vulnerable)
			}
		}
	}
	if n < 30 {
		t.Errorf("only %d ends were reached", n)
	}
}

func tasksOf(t testing.TB, e *Engine, complaint string) (v []bonafide.Verification, err error) {
	err = e.cfg.DB.View(t.Context(), func(tx *store.Tx) (err error) {
		_, v, err = sheetsOf(t.Context(), tx, bank, complaint)
		return err
	})
	return v, err
}

// Somebody whom a conversation shows to need care loses every warning with its end, and
// no grouping brings one back.
func TestSafeguard12CareFoundInAConversation(t *testing.T) {
	testdb.Each(t, func(t *testing.T, url func() string) {
		e := process(t, url())
		submit(t, e, slices.Concat(strangers(80), agency(6)))
		quiet(t, e)
		victim := onlyRing(t, e).Members[1]
		on := func() int {
			return len(view(t, e, func(ctx context.Context, tx *store.Tx) ([]bonafide.Tag, error) {
				subject, err := tx.SubjectOf(ctx, bank, victim)
				if err != nil {
					return nil, err
				}
				return tx.TagsOn(ctx, bank, []bonafide.Target{{Kind: bonafide.OnComplaint, ID: victim}, {Kind: bonafide.OnCustomer, ID: subject}}, time.Now())
			}))
		}
		if on() == 0 {
			t.Fatal("nothing warns of a member: the test shows nothing")
		}
		s, err := contact.Load("hardship")
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(s.Cases, func(c contact.Case) bool { return c.Want.Vulnerable && c.Known == contact.Known{Tagged: true} })
		if i < 0 {
			i = slices.IndexFunc(s.Cases, func(c contact.Case) bool { return c.Want.Vulnerable && len(c.Answers) <= 2 })
		}
		talk(t, e, "hardship", victim, false, s.Cases[i].Answers)
		if n := on(); n != 0 {
			t.Errorf("%d tags right after the conversation", n)
		}
		quiet(t, e)
		if n := on(); n != 0 {
			t.Errorf("%d tags after the next grouping", n)
		}
		v := view(t, e, func(ctx context.Context, tx *store.Tx) (store.VerdictRow, error) {
			return tx.Verdict(ctx, bank, victim)
		})
		if bonafide.Level(v.Level).Accuses() || v.Route != string(bonafide.RouteVulnerable) {
			t.Errorf("the verdict is %s, its route %q", v.Level, v.Route)
		}
		// And with another complaint of theirs, that comes later.
		all := agency(7)
		again := all[6]
		for _, c := range all {
			if c.ID == victim {
				again.Customer = c.Customer
			}
		}
		submit(t, e, []bonafide.Complaint{again})
		quiet(t, e)
		next := view(t, e, func(ctx context.Context, tx *store.Tx) (store.VerdictRow, error) {
			return tx.Verdict(ctx, bank, again.ID)
		})
		if bonafide.Level(next.Level).Accuses() || next.Route != string(bonafide.RouteVulnerable) {
			t.Errorf("their next complaint: %s, route %q", next.Level, next.Route)
		}
	})
}

// Over random worlds, no offer and no attempt uses a value that came with the complaint,
// in whatever spelling, or that was registered after it arrived.
func TestVerificationNeverUsesWhatCame(t *testing.T) {
	e := process(t, testdb.SQLite(t))
	ctx := t.Context()
	r := rand.New(rand.NewPCG(11, 12))
	spell := func(n int) string {
		return []string{"+447800%06d", "07800 %06d", "0044 7800 %06d", "+44 (0) 7800%06d"}[r.IntN(4)][:0] +
			fmt.Sprintf([]string{"+447800%06d", "07800%06d", "00447800%06d", "+44 7800 %06d"}[r.IntN(4)], n)
	}
	offered, left := 0, 0
	for i := range 60 {
		ref := fmt.Sprint("pref", i)
		numbers := []int{100000 + r.IntN(5), 200000 + r.IntN(5)}
		mail := fmt.Sprintf("Person%d@Mail.example", r.IntN(4))
		before, after := r.IntN(4) > 0, r.IntN(2) == 0
		if before {
			put(t, e, RecordCustomer, "", ref, bonafide.Customer{Ref: ref, Phone: spell(numbers[0]), Email: mail})
		}
		c := strangers(i + 1)[i]
		c.Received = time.Time{}
		c.Customer = bonafide.Customer{Ref: ref, Phone: spell(numbers[r.IntN(2)])}
		came := numbers[r.IntN(2)]
		c.Contacts = []bonafide.Identifier{{Kind: bonafide.Phone, Value: spell(came)}}
		inLetter := 0
		if r.IntN(3) == 0 {
			inLetter = numbers[r.IntN(2)]
			c.Text += " You can reach me on " + fmt.Sprintf("+447800%06d", inLetter) + "."
		}
		if r.IntN(3) == 0 {
			c.Contacts = append(c.Contacts, bonafide.Identifier{Kind: bonafide.Email, Value: strings.ToLower(mail)})
		}
		submit(t, e, []bonafide.Complaint{c})
		if after {
			put(t, e, RecordCustomer, "", ref, bonafide.Customer{Ref: ref, Phone: spell(numbers[1]), Email: "new@mail.example"})
		}
		for _, kind := range []bonafide.VerificationKind{bonafide.VerifyIdentity, bonafide.VerifyAuthority, bonafide.VerifyDocument, bonafide.VerifySituation} {
			offers := view(t, e, func(ctx context.Context, tx *store.Tx) ([]contact.Offer, error) {
				return e.Ways(ctx, tx, bank, c.ID, kind)
			})
			id, err := e.OpenVerification(ctx, bank, clerk, c.ID, kind, "", "")
			if err != nil {
				t.Fatal(err)
			}
			version := 1
			for _, w := range []bonafide.Way{bonafide.ByPhone, bonafide.ByEmail} {
				may := false
				for _, o := range offers {
					if o.Way != w || o.Refused != "" {
						continue
					}
					may = true
					offered++
					digits := regexp.MustCompile(`\d{6}$`).FindString(o.Value)
					if w == bonafide.ByPhone && (digits == fmt.Sprint(came) || digits == fmt.Sprint(inLetter)) {
						t.Errorf("world %d: %s came with the complaint and is offered", i, o.Value)
					}
					if w == bonafide.ByEmail && len(c.Contacts) == 2 {
						t.Errorf("world %d: the mailbox came with the complaint and is offered", i)
					}
					if !before || digits == fmt.Sprint(numbers[1]) || o.Value == "new@mail.example" {
						t.Errorf("world %d: %s was registered after the complaint and is offered", i, o.Value)
					}
				}
				err := e.TryVerification(ctx, bank, clerk, id, version, bonafide.Attempt{Way: w, Result: bonafide.Unreached})
				if may != (err == nil) {
					t.Errorf("world %d: %s offered %v, and an attempt over it: %v", i, w, may, err)
				}
				if err == nil {
					version++
				} else {
					left++
				}
			}
		}
	}
	if offered < 40 || left < 40 {
		t.Errorf("%d offers, %d refused: the worlds show little", offered, left)
	}
}

// An agent's number came with an earlier complaint, and the lender took it over: it is not
// offered for the next one, and a call from it is from no known number.
func TestNumberOfAnEarlierComplaintIsNotKnown(t *testing.T) {
	e := process(t, testdb.SQLite(t))
	put(t, e, RecordCustomer, "", "K1", bonafide.Customer{Ref: "K1", Email: "k1@mail.example"})
	one := strangers(1)[0]
	one.Received, one.Customer.Ref = time.Time{}, "K1"
	one.Contacts = []bonafide.Identifier{{Kind: bonafide.Phone, Value: "+447800666666"}}
	submit(t, e, []bonafide.Complaint{one})
	put(t, e, RecordCustomer, "", "K1", bonafide.Customer{Ref: "K1", Phone: "07800 666666", Email: "k1@mail.example"})
	two := strangers(2)[1]
	two.Received, two.Customer.Ref, two.Contacts = time.Time{}, "K1", nil
	submit(t, e, []bonafide.Complaint{two})
	offers := view(t, e, func(ctx context.Context, tx *store.Tx) ([]contact.Offer, error) {
		return e.Ways(ctx, tx, bank, two.ID, bonafide.VerifyIdentity)
	})
	mail := false
	for _, o := range offers {
		if o.Way == bonafide.ByPhone && o.Refused == "" {
			t.Errorf("offered: %s", o.Value)
		}
		mail = mail || o.Way == bonafide.ByEmail && o.Refused == ""
	}
	if !mail {
		t.Error("the mailbox of before is not offered: the test shows nothing")
	}
	var h contact.Handover
	if err := e.cfg.DB.Update(t.Context(), func(tx *store.Tx) (err error) {
		h, err = e.Hand(t.Context(), tx, bank, clerk, []bonafide.Identifier{{Kind: bonafide.Phone, Value: "+44 7800 666666"}}, "K1", "", "", "en")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if h.Known.KnownNumber || h.Known.Complaint || len(h.Complaints) != 2 {
		t.Errorf("the call: %+v", h)
	}
}

// One verified item of somebody who stands in no ring proposes nothing: there would be
// nobody to confirm it.
func TestLoneComplaintIsNotAccused(t *testing.T) {
	e := process(t, testdb.SQLite(t))
	cs := strangers(60)
	submit(t, e, cs)
	id := cs[3].ID
	sign(t, e, id, bonafide.VerifyIdentity, contact.Signature{Outcome: "denied", Finding: "not she", Criterion: "K01", Innocent: "no spouse"})
	s, err := contact.Load("threat")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(s.Cases, func(c contact.Case) bool { return c.Known == contact.Known{} && slices.Contains(c.Want.Signals, "K04") })
	talk(t, e, "threat", id, false, s.Cases[i].Answers)
	quiet(t, e)
	if n := accused(t, e); n != 0 {
		t.Errorf("%d are accused", n)
	}
}

// sign verifies something at a branch and signs it.
func sign(t testing.TB, e *Engine, complaint string, kind bonafide.VerificationKind, s contact.Signature) {
	t.Helper()
	ctx := t.Context()
	id, err := e.OpenVerification(ctx, bank, clerk, complaint, kind, "", "")
	if err != nil {
		t.Fatal(err)
	}
	way := bonafide.ByBranch
	if kind == bonafide.VerifyDocument {
		way = bonafide.ByIssuer
	}
	if err := e.TryVerification(ctx, bank, clerk, id, 1, bonafide.Attempt{Way: way, Result: bonafide.Reached}); err != nil {
		t.Fatal(err)
	}
	if err := e.SignVerification(ctx, bank, clerk, id, 2, s); err != nil {
		t.Fatal(err)
	}
}

// A later verification corrects an earlier one, and a paper that an issuer does not know
// counts only where somebody signed K02 with the innocent explanation.
func TestLaterVerificationCorrects(t *testing.T) {
	e := process(t, testdb.SQLite(t))
	c := strangers(1)
	submit(t, e, c)
	id := c[0].ID
	sign(t, e, id, bonafide.VerifyIdentity, contact.Signature{Outcome: "denied", Finding: "not she", Criterion: "K01", Innocent: "no spouse"})
	if k := knownOfComplaint(t, e, id); !slices.Equal(k.Verified, []bonafide.Criterion{"K01"}) {
		t.Fatalf("known: %+v", k)
	}
	sign(t, e, id, bonafide.VerifyIdentity, contact.Signature{Outcome: "confirmed", Finding: "it was she after all"})
	if k := knownOfComplaint(t, e, id); len(k.Verified)+len(k.Families) > 0 || !k.Own {
		t.Errorf("after the correction: %+v", k)
	}
	sign(t, e, id, bonafide.VerifyDocument, contact.Signature{Outcome: "denied", Finding: "unreadable scan"})
	if k := knownOfComplaint(t, e, id); k.Forged != 0 {
		t.Errorf("a scan that nobody called forged: %+v", k)
	}
	sign(t, e, id, bonafide.VerifyDocument, contact.Signature{Outcome: "denied", Finding: "no such patient", Criterion: "K02", Innocent: "asked for the maiden name"})
	if k := knownOfComplaint(t, e, id); k.Forged != 1 {
		t.Errorf("a forged paper: %+v", k)
	}
}

// Whoever verified something does not decide the appeal, nor judge the audit.
func TestWhoVerifiedDoesNotDecide(t *testing.T) {
	e := process(t, testdb.SQLite(t))
	ctx := t.Context()
	submit(t, e, slices.Concat(strangers(80), agency(6)))
	quiet(t, e)
	victim := onlyRing(t, e).Members[1]
	if _, err := e.DrawAudit(ctx, bank, judge, 60); err != nil {
		t.Fatal(err)
	}
	sign(t, e, victim, bonafide.VerifyIdentity, contact.Signature{Outcome: "denied", Finding: "not she", Criterion: "K01", Innocent: "no spouse"})
	id, err := e.FileAppeal(ctx, bank, second, victim, "", "I wrote it")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.DecideAppeal(ctx, bank, clerk, id, false, "no"); !errors.Is(err, bonafide.Denied) {
		t.Errorf("the appeal decided by who signed K01: %v", err)
	}
	cases := view(t, e, func(ctx context.Context, tx *store.Tx) ([]audit.Case, error) {
		c, _, err := e.Audited(ctx, tx, bank)
		return c, err
	})
	for _, c := range cases {
		if c.Complaint == victim {
			if err := e.Judge(ctx, bank, clerk, c.ID, 1, audit.Organised, "x"); !errors.Is(err, bonafide.Denied) {
				t.Errorf("the audit judged by who signed K01: %v", err)
			}
		}
	}
}

// Records in bulk are all held against their complaints, however many come at one moment.
func TestBulkRecordsAreAllHeld(t *testing.T) {
	e := process(t, testdb.SQLite(t))
	ctx := t.Context()
	cs := strangers(260)
	var recs []store.NewRecord
	for i := range cs {
		cs[i].Received = time.Date(2026, 3, 5, 9, 0, 0, 0, time.UTC)
		call := bonafide.CollectionCall{ID: fmt.Sprint("V", i), CustomerRef: cs[i].Customer.Ref, Started: time.Date(2026, 3, 1, 15, 10, 0, 0, time.UTC), Direction: "out", Party: "debtor"}
		body, err := json.Marshal(call)
		if err != nil {
			t.Fatal(err)
		}
		subject, err := e.Subject(ctx, bank, &cs[i].Customer)
		if err != nil {
			t.Fatal(err)
		}
		recs = append(recs, store.NewRecord{Kind: RecordCall, ID: call.ID, Subject: subject, Digest: []byte{byte(i), 1}, Body: body})
	}
	submit(t, e, cs)
	if err := e.cfg.DB.Update(ctx, func(tx *store.Tx) error { _, err := tx.PutRecords(ctx, bank, tester, recs); return err }); err != nil {
		t.Fatal(err)
	}
	until(t, "all are substantiated", func() bool {
		return len(view(t, e, func(ctx context.Context, tx *store.Tx) ([]store.MeritRow, error) { return tx.MeritFound(ctx, bank) })) == len(cs)
	})
	if left := view(t, e, func(ctx context.Context, tx *store.Tx) ([]store.Fresh, error) { return tx.FreshRecords(ctx, bank, 10) }); len(left) > 0 {
		t.Errorf("still to be held: %v", left)
	}
}

// post keeps what is sent to customers.
type post struct {
	mu   sync.Mutex
	sent []bonafide.Message
}

func (p *post) Send(_ context.Context, m bonafide.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, m)
	return nil
}

func TestQuestionIsAnsweredOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, url func() string) {
		box := &post{}
		now := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
		var mu sync.Mutex
		clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
		pass := func(d time.Duration) { mu.Lock(); now = now.Add(d); mu.Unlock() }
		e := processOf(t, url(), clock, Config{Settle: 10 * time.Millisecond, Sender: box, PublicURL: "https://lender.example/"})
		ctx := t.Context()
		put(t, e, RecordCustomer, "", "K1", bonafide.Customer{Ref: "K1", Phone: "+447800111222", Email: "k1@mail.example"})
		pass(time.Hour)
		c := strangers(1)[0]
		c.Received, c.Customer.Ref = time.Time{}, "K1"
		submit(t, e, []bonafide.Complaint{c})
		id, err := e.OpenVerification(ctx, bank, clerk, c.ID, bonafide.VerifyIdentity, "", "")
		if err != nil {
			t.Fatal(err)
		}
		text := func(link, code string) (string, string) { return "A question", link + " " + code }
		ask := func() (token, code string) {
			t.Helper()
			pass(2 * time.Minute)
			if err := e.Ask(ctx, bank, clerk, id, bonafide.ByPhone, "en", text); err != nil {
				t.Fatal(err)
			}
			m := box.sent[len(box.sent)-1]
			if m.To != "+447800111222" {
				t.Errorf("sent to %q", m.To)
			}
			link, code, _ := strings.Cut(m.Text, " ")
			return strings.TrimPrefix(link, "https://lender.example/confirm/"), code
		}
		token, code := ask()
		if err := e.Ask(ctx, bank, clerk, id, bonafide.ByPhone, "en", text); !errors.Is(err, bonafide.Busy) {
			t.Errorf("asked twice within a minute: %v", err)
		}
		for _, bad := range []string{"", "x", token + "x", token[1:]} {
			if _, _, err := e.Question(ctx, bad); !errors.Is(err, bonafide.NotFound) {
				t.Errorf("a made-up link: %v", err)
			}
		}
		wrong := "000000"
		if code == wrong {
			wrong = "000001"
		}
		for range confirmTries {
			if err := e.AnswerCode(ctx, bank, clerk, id, wrong); !errors.Is(err, bonafide.Invalid) {
				t.Errorf("a wrong code: %v", err)
			}
		}
		if err := e.AnswerCode(ctx, bank, clerk, id, code); !errors.Is(err, bonafide.Conflict) {
			t.Errorf("the right code after %d wrong ones: %v", confirmTries, err)
		}
		if err := e.AnswerLink(ctx, token, "yes"); !errors.Is(err, bonafide.NotFound) {
			t.Errorf("its link: %v", err)
		}
		token, _ = ask()
		pass(confirmLife + time.Second)
		if err := e.AnswerLink(ctx, token, "yes"); !errors.Is(err, bonafide.NotFound) {
			t.Errorf("an old link: %v", err)
		}
		token, _ = ask()
		if err := e.AnswerLink(ctx, token, "no"); err != nil {
			t.Fatal(err)
		}
		if err := e.AnswerLink(ctx, token, "yes"); !errors.Is(err, bonafide.NotFound) {
			t.Errorf("answered twice: %v", err)
		}
		vs, err := tasksOf(t, e, c.ID)
		if err != nil || len(vs) != 1 || len(vs[0].Attempts) != 1 || vs[0].Attempts[0].Note != "answered by the link: no" || vs[0].Outcome != "" {
			t.Errorf("the verification: %+v, %v", vs, err)
		}
		// Only a person makes something of it, and says which innocent explanation they tested.
		s := contact.Signature{Outcome: "denied", Finding: "she did not write it", Criterion: "K01"}
		row := view(t, e, func(ctx context.Context, tx *store.Tx) (store.SheetRow, error) {
			return tx.Sheet(ctx, bank, store.SheetVerification, id)
		})
		if err := e.SignVerification(ctx, bank, clerk, id, row.Version, s); !errors.Is(err, bonafide.Invalid) {
			t.Errorf("signed without an innocent explanation: %v", err)
		}
		s.Innocent = "asked for the husband: he did not either"
		if err := e.SignVerification(ctx, bank, clerk, id, row.Version, s); err != nil {
			t.Fatal(err)
		}
		if k := knownOfComplaint(t, e, c.ID); !slices.Equal(k.Verified, []bonafide.Criterion{"K01"}) || !slices.Contains(k.Families, bonafide.FamilyIdentity) {
			t.Errorf("known: %+v", k)
		}
	})
}

// Level 1 needs a verified item, and a signed verification is one.
func TestVerifiedItemProposesLevelOne(t *testing.T) {
	e := process(t, testdb.SQLite(t))
	ctx := t.Context()
	submit(t, e, slices.Concat(strangers(80), agency(6)))
	quiet(t, e)
	ring := onlyRing(t, e)
	if ring.Level != string(bonafide.Level2) {
		t.Fatalf("the ring is proposed at %s", ring.Level)
	}
	id, err := e.OpenVerification(ctx, bank, clerk, ring.Members[0], bonafide.VerifyIdentity, "", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.TryVerification(ctx, bank, clerk, id, 1, bonafide.Attempt{Way: bonafide.ByBranch, Result: bonafide.Reached}); err != nil {
		t.Fatal(err)
	}
	if err := e.SignVerification(ctx, bank, clerk, id, 2, contact.Signature{Outcome: "denied", Finding: "never complained", Criterion: "K01", Innocent: "no spouse, phone not lost"}); err != nil {
		t.Fatal(err)
	}
	quiet(t, e)
	if ring = onlyRing(t, e); ring.Level != string(bonafide.Level1) || ring.State != string(bonafide.RingProposed) {
		t.Errorf("the ring is %s at %s, want proposed at level 1", ring.State, ring.Level)
	}
}

// Records are held against a complaint when it arrives, and again when they come later.
func TestMeritAtArrival(t *testing.T) {
	testdb.Each(t, func(t *testing.T, url func() string) {
		e := process(t, url())
		zone := time.FixedZone("", 8*3600)
		night := time.Date(2026, 3, 1, 23, 10, 0, 0, zone)
		call := func(id, ref string) bonafide.CollectionCall {
			return bonafide.CollectionCall{ID: id, CustomerRef: ref, Started: night, Seconds: 60, Direction: "out", Party: "debtor", Effective: true}
		}
		cs := strangers(3)
		for i := range cs {
			cs[i].Received = time.Date(2026, 3, 5, 9, 0, 0, 0, zone)
		}
		put(t, e, RecordCall, "V0", cs[0].Customer.Ref, call("V0", cs[0].Customer.Ref))
		submit(t, e, cs)
		found := func(id string) string {
			return view(t, e, func(ctx context.Context, tx *store.Tx) (string, error) {
				m, err := tx.Merit(ctx, bank, id)
				if errors.Is(err, bonafide.NotFound) {
					return "", nil
				}
				return m.Found, err
			})
		}
		until(t, "found at arrival", func() bool { return strings.Contains(found(cs[0].ID), "night-call") })
		put(t, e, RecordCall, "V1", cs[1].Customer.Ref, call("V1", cs[1].Customer.Ref))
		until(t, "found when the record came", func() bool { return strings.Contains(found(cs[1].ID), "night-call") })
		if got := found(cs[2].ID); got != "" {
			t.Errorf("found without a record: %s", got)
		}
		m := view(t, e, func(ctx context.Context, tx *store.Tx) (*bonafide.Merit, error) {
			return e.Merit(ctx, tx, bank, cs[0].ID)
		})
		if !m.Substantiated() || m.Findings[0].Rows[0].ID != "V0" || len(m.Untested) == 0 {
			t.Errorf("merit: %+v", m)
		}
		if strings.Contains(found(cs[0].ID), "V0") {
			t.Error("the id of a call stands in clear")
		}
	})
}

// What one disturbance of the lender's did to many is an incident: no ring, no level, no
// warning, though they write alike and share phones.
func TestIncidentIsNoRing(t *testing.T) {
	e := process(t, testdb.SQLite(t))
	cs := agency(12)
	for i := range cs {
		cs[i].Received = time.Date(2026, 3, 2, 8+i%9, i, 0, 0, time.UTC)
	}
	submit(t, e, slices.Concat(strangers(300), cs))
	quiet(t, e)
	if r := onlyRing(t, e); len(r.Members) < 8 {
		t.Fatalf("without records there is a ring of %d: the test shows nothing", len(r.Members))
	}
	for i, c := range cs {
		put(t, e, RecordFailure, fmt.Sprint("F", i), c.Customer.Ref, bonafide.Failure{
			ID: fmt.Sprint("F", i), CustomerRef: c.Customer.Ref, At: time.Date(2026, 3, 1, 20, i, 0, 0, time.UTC), What: "payment", Cause: "core outage",
		})
	}
	until(t, "the incident", func() bool {
		return len(view(t, e, func(ctx context.Context, tx *store.Tx) ([]store.IncidentRow, error) { return tx.Incidents(ctx, bank) })) == 1
	})
	quiet(t, e)
	until(t, "no ring", func() bool { return len(standing(t, e).Rings) == 0 })
	if n := accused(t, e); n != 0 {
		t.Errorf("%d complaints are accused", n)
	}
	if n := len(tags(t, e, "live")); n != 0 {
		t.Errorf("%d tags warn", n)
	}
	inc := view(t, e, func(ctx context.Context, tx *store.Tx) (bonafide.Incident, error) {
		rows, err := tx.Incidents(ctx, bank)
		if err != nil {
			return bonafide.Incident{}, err
		}
		return rows[0].Read()
	})
	if inc.Customers != 12 || inc.Rule != "failed-operation" {
		t.Errorf("incident: %+v", inc)
	}
}

func TestHeldMaterialIsNotAskedFor(t *testing.T) {
	e := process(t, testdb.SQLite(t))
	ctx := t.Context()
	c := strangers(1)[0]
	c.Demands = []string{"refund"}
	submit(t, e, []bonafide.Complaint{c})
	list := func() contact.Needed {
		return view(t, e, func(ctx context.Context, tx *store.Tx) (contact.Needed, error) {
			return e.Checklist(ctx, tx, bank, c.ID, "")
		})
	}
	open := func() (out []string) {
		for _, l := range list().Lines {
			if !l.Struck {
				out = append(out, l.Item.ID)
			}
		}
		return out
	}
	before := open()
	put(t, e, RecordContract, "L1", c.Customer.Ref, bonafide.Contract{
		ID: "L1", CustomerRef: c.Customer.Ref, Currency: "CNY", Opened: "2025-01-01", Schedule: []bonafide.Instalment{{Due: "2025-02-01", Amount: 1}}, Payments: []bonafide.Payment{{Day: "2025-02-01", Amount: 1}},
	})
	after := open()
	if len(after) >= len(before) {
		t.Fatalf("with the contract on record %v is open, without %v", after, before)
	}
	for _, l := range list().Lines {
		if !l.Struck {
			continue
		}
		if l.Rule == "" {
			t.Errorf("%s is struck off without a rule", l.Item.ID)
		}
		if err := e.Material(ctx, bank, clerk, c.ID, "", "ask", []string{l.Item.ID}, 0); !errors.Is(err, bonafide.Denied) {
			t.Errorf("asked for %s, which is held: %v", l.Item.ID, err)
		}
	}
	if err := e.Material(ctx, bank, clerk, c.ID, "", "ask", after, 0); err != nil {
		t.Fatal(err)
	}
	if err := e.Material(ctx, bank, clerk, c.ID, "", "receive", after[:1], 0); !errors.Is(err, bonafide.Conflict) {
		t.Errorf("a change of an older version: %v", err)
	}
	if err := e.Material(ctx, bank, clerk, c.ID, "", "receive", after[:1], 1); err != nil {
		t.Fatal(err)
	}
	letter := view(t, e, func(ctx context.Context, tx *store.Tx) (string, error) {
		return e.MaterialLetter(ctx, tx, bank, c.ID, "en", "A Lender", func(at time.Time) string { return at.Format(time.DateOnly) })
	})
	if !strings.Contains(letter, "A Lender") || !strings.Contains(letter, c.ID) {
		t.Errorf("letter: %s", letter)
	}
	if row := view(t, e, func(ctx context.Context, tx *store.Tx) (store.TrackRow, error) { return tx.Track(ctx, bank, c.ID) }); row.State != "received" || row.Version != 1 {
		t.Errorf("asking for material moved the complaint: %+v", row)
	}
}

// A blind audit finds that a kind of evidence accuses who is honest: it is switched off
// by itself, and the rings that rest on it are gone.
func TestSafeguard15DetectorSwitchesItselfOff(t *testing.T) {
	e := process(t, testdb.SQLite(t))
	ctx := t.Context()
	submit(t, e, slices.Concat(strangers(1500), agency(24)))
	quiet(t, e)
	ring := onlyRing(t, e)
	n := accused(t, e)
	if n < audit.LeastCases {
		t.Fatalf("%d are accused: too few for the test", n)
	}
	if err := e.Decide(ctx, bank, clerk, ring.ID, bonafide.Confirm, "one hand", "no family", nothing); err != nil {
		t.Fatal(err)
	}
	if err := e.Decide(ctx, bank, second, ring.ID, bonafide.Reopen, "look again", "family", nothing); err != nil {
		t.Fatal(err)
	}
	quiet(t, e)
	if drawn, err := e.DrawAudit(ctx, bank, judge, 60); err != nil || drawn < 50 {
		t.Fatalf("drawn %d, %v", drawn, err)
	}
	cases := view(t, e, func(ctx context.Context, tx *store.Tx) ([]audit.Case, error) {
		c, _, err := e.Audited(ctx, tx, bank)
		return c, err
	})
	judged := 0
	for _, c := range cases {
		j := audit.Genuine
		if c.Flagged() {
			if len(c.Detectors) == 0 || len(c.Values) != len(learn.Names) {
				t.Errorf("a flagged case without evidence: %+v", c)
			}
			if err := e.Judge(ctx, bank, clerk, c.ID, 1, j, "they know each other"); !errors.Is(err, bonafide.Denied) {
				t.Errorf("judged by who decided: %v", err)
			}
			judged++
		}
		if err := e.Judge(ctx, bank, judge, c.ID, 1, j, "they know each other"); err != nil {
			t.Fatal(err)
		}
	}
	off := view(t, e, func(ctx context.Context, tx *store.Tx) ([]store.Detector, error) { return tx.Detectors(ctx, bank) })
	if len(off) != 1 || off[0].Name != "phone" || !off[0].Off || !strings.Contains(off[0].Reason, "judged organised") {
		t.Fatalf("detectors after %d flagged ones were judged genuine: %+v", judged, off)
	}
	quiet(t, e)
	if n := accused(t, e); n != 0 {
		t.Errorf("%d are still accused", n)
	}
	if err := e.SwitchOn(ctx, bank, judge, "phone", "a switchboard was left out of the list"); err != nil {
		t.Fatal(err)
	}
	quiet(t, e)
	if accused(t, e) == 0 {
		t.Error("switched on again, it finds nothing")
	}
	if f := view(t, e, func(ctx context.Context, tx *store.Tx) (audit.Figures, error) {
		_, f, err := e.Audited(ctx, tx, bank)
		return f, err
	}); f.FalseFlags.Of != judged || f.FalseFlags.Among != judged {
		t.Errorf("figures: %+v", f.FalseFlags)
	}
}

func TestWeightsArePromotedByAnother(t *testing.T) {
	e := process(t, testdb.SQLite(t))
	ctx := t.Context()
	submit(t, e, slices.Concat(strangers(80), agency(6)))
	quiet(t, e)
	_, err := e.Learn(ctx, bank, clerk, 0.05)
	if missing, ok := errors.AsType[*learn.Missing](err); !ok || missing.Innocent == 0 {
		t.Fatalf("learned of nothing: %v", err)
	}
	if n := accused(t, e); n == 0 {
		t.Fatal("nobody is accused: the test shows nothing")
	}
	// Where a promise is wanted and cannot be given nobody is accused.
	set := func(name, value string) {
		if err := e.cfg.DB.Update(ctx, func(tx *store.Tx) error { return tx.PutSetting(ctx, bank, clerk, name, value) }); err != nil {
			t.Fatal(err)
		}
		if err := e.Regroup(ctx, bank); err != nil {
			t.Fatal(err)
		}
		quiet(t, e)
	}
	set(SettingAlpha, "50")
	if n := accused(t, e); n != 0 {
		t.Errorf("%d are accused without a promise", n)
	}
	// A model that holds nothing back, then one that holds everything.
	for _, c := range []struct {
		threshold float64
		some      bool
	}{{0, true}, {1, false}} {
		m := Weights{Model: learn.Model{
			Names: learn.Names, Mean: make([]float64, len(learn.Names)), Scale: slices.Repeat([]float64{1}, len(learn.Names)), Weights: make([]float64, len(learn.Names)),
			Slope: 1, Alpha: 0.05, Confidence: 0.95, Threshold: c.threshold,
		}}
		body, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		id := e.cfg.DB.NewID()
		if err := e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
			return tx.SaveModel(ctx, bank, clerk, store.ModelRow{ID: id, State: store.ModelDraft, Author: clerk.ID, At: time.Now(), Version: 1, Body: string(body)}, "learned")
		}); err != nil {
			t.Fatal(err)
		}
		if err := e.MoveModel(ctx, bank, second, id, 1, store.ModelActive); !errors.Is(err, bonafide.Conflict) {
			t.Errorf("into force without a shadow: %v", err)
		}
		if err := e.MoveModel(ctx, bank, clerk, id, 1, store.ModelShadow); err != nil {
			t.Fatal(err)
		}
		quiet(t, e)
		row := view(t, e, func(ctx context.Context, tx *store.Tx) (store.ModelRow, error) {
			all, err := tx.Models(ctx, bank)
			i := slices.IndexFunc(all, func(m store.ModelRow) bool { return m.ID == id })
			return all[i], err
		})
		if !strings.Contains(row.Body, `"shadow"`) {
			t.Fatalf("nothing is said of the shadow: %s", row.Body)
		}
		if err := e.MoveModel(ctx, bank, clerk, id, row.Version, store.ModelActive); !errors.Is(err, bonafide.Denied) {
			t.Errorf("promoted by who had them learned: %v", err)
		}
		if err := e.MoveModel(ctx, bank, second, id, row.Version, store.ModelActive); err != nil {
			t.Fatal(err)
		}
		quiet(t, e)
		if got := accused(t, e) > 0; got != c.some {
			t.Errorf("at threshold %v somebody is accused: %v, want %v", c.threshold, got, c.some)
		}
	}
}
