package console

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"bonafide"
	"bonafide/casework"
	"bonafide/engine"
	"bonafide/evidence"
	"bonafide/evidence/custody"
	"bonafide/learn"
	"bonafide/policy"
	"bonafide/server"
	"bonafide/server/auth"
	"bonafide/signal/text"
	"bonafide/store"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// The office of these tests: two lenders on one database, each with complaints, a ring of
// level 2 and one of level 1, and people of every role. What is personal in it are
// canaries, which no title, no address and no error page may hold.

const (
	officePassword = "quiet-Heron-under-42-bridges"
	canaryName     = "Zephyra Quackworth"
	canaryPhone    = "+447700900123"
	canaryMail     = "zephyra.q@canary.example.org"
	canaryID       = "11010519491231002X"
	canaryAccount  = "GB29NWBK60161331926819"
	canaryHome     = "1 Canary Wharfside"
)

// canaries are what of a person must stand in no title and no address.
var canaries = []string{"Quackworth", "Zephyra", "7700900123", "7700 900123", "canary.example", canaryID, canaryAccount, "Canary Wharf"}

// A side is one lender and what there is at it.
type side struct {
	Tenant   bonafide.Tenant
	People   map[string]bonafide.Person // by role; also "second", another investigator, and "all", with every role
	Ring1    string
	Ring2    string
	Of1, Of2 []string // their members
	Alone    string   // a complaint of nobody's ring
	Template string
	Letter   string // public
	Appeal   string // open, of a member of Ring2
	Policy   string // a draft, tried and not approved
	Import   string // open
	Read     string // an import that was read
	Row      string // in quarantine
	Key      string
	Passkey  string // of "all"
	Public   string // name of the public letter
	Contact  string // a conversation that goes on, about Of2[1]
	Task     string // a verification of its customer, of which a question was sent
	Token    string // of that question
	Asked    string // the complaint of that verification
	Audit    string // a case of a blind audit that waits, of a complaint that is not flagged
	Model    string // weights, a draft
	Case     string // a clue, about both rings, with an item
	Spare    string // another, that may be merged with it
	Item     string // in custody of Case
	Advert   string
	Word     string // stands in everything that is this lender's
}

// An office is a database with an engine, and the console behind the server that the
// program has.
type office struct {
	t            *testing.T
	db           *store.DB
	engine       *engine.Engine
	auth         *auth.Auth
	k            *Console
	srv          *httptest.Server
	skew         atomic.Int64 // the clock is ahead by it
	still        atomic.Int64 // microseconds since 1970 where the clock stands
	log          lockedBuffer
	sent         sentBox
	stopEngine   func()
	north, south side
}

// A sentBox is a sender that keeps what it was given.
type sentBox struct {
	mu  sync.Mutex
	all []bonafide.Message
}

// Send keeps a message.
func (s *sentBox) Send(_ context.Context, m bonafide.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, m)
	return nil
}

// last is the message sent last, and the token of its link.
func (s *sentBox) last() (m bonafide.Message, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) == 0 {
		return m, ""
	}
	m = s.all[len(s.all)-1]
	_, token, _ = strings.Cut(m.Text, "/confirm/")
	token, _, _ = strings.Cut(token, "\n")
	return m, token
}

// A lockedBuffer takes a log.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *lockedBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *lockedBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// now is the office's clock.
func (o *office) now() time.Time {
	if us := o.still.Load(); us != 0 {
		return time.UnixMicro(us).UTC()
	}
	return time.Now().Add(time.Duration(o.skew.Load())).UTC()
}

func (o *office) later(d time.Duration) { o.skew.Add(int64(d)) }

// built is the database of a new office and what is in it: it is made once.
var built struct {
	once         sync.Once
	file         []byte
	objects      fstest.MapFS // what is in custody
	north, south side
}

// newOffice opens an office.
func newOffice(t *testing.T) *office {
	t.Helper()
	if testing.Short() {
		t.Skip("long")
	}
	built.once.Do(func() { buildOffice(t) })
	if built.file == nil {
		t.Fatal("the office could not be built")
	}
	path := filepath.Join(t.TempDir(), "office.db")
	if err := os.WriteFile(path, built.file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(filepath.Dir(path), "objects"), built.objects); err != nil {
		t.Fatal(err)
	}
	o := openOffice(t, path)
	o.north, o.south = built.north, built.south
	return o
}

func openOffice(t *testing.T, path string) *office {
	t.Helper()
	o := &office{t: t}
	log := slog.New(slog.NewTextHandler(&o.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	o.db, err = store.Open(t.Context(), path, store.Options{RootKey: bytes.Repeat([]byte{7}, 32), Now: o.now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	pack, err := policy.Load("nifa-2024")
	if err != nil {
		t.Fatal(err)
	}
	public, err := text.PublicLetters()
	if err != nil {
		t.Fatal(err)
	}
	clocks, err := casework.Load("cn-nfra")
	if err != nil {
		t.Fatal(err)
	}
	objects, err := custody.OpenObjects(t.Context(), filepath.Join(filepath.Dir(path), "objects"), custody.Credentials{})
	if err != nil {
		t.Fatal(err)
	}
	keeper, err := custody.NewKeeper(objects, filepath.Join(filepath.Dir(path), "spool"), rand.Reader, o.now)
	if err != nil {
		t.Fatal(err)
	}
	var secret, key string
	o.update(func(tx *store.Tx) (err error) { secret, key, err = tx.SigningKey(t.Context()); return err })
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(t bonafide.Tenant, tree tlog.Tree, at time.Time) ([]byte, error) {
		return evidence.SignCheckpoint(signer, "test/"+string(t), tree, at)
	}
	origin := func(t bonafide.Tenant) string { return "test/" + string(t) }
	o.engine = engine.New(engine.Config{Keeper: keeper, LogKey: key, Sign: sign, Origin: origin, Lender: "A Lender", DB: o.db, Now: o.now, Log: log, Version: "test", Policy: pack, Public: public, Clocks: clocks, Settle: 10 * time.Millisecond, Random: rand.Reader, Sender: &o.sent, PublicURL: "http://localhost"})
	o.srv = httptest.NewUnstartedServer(nil)
	_, port, err := net.SplitHostPort(o.srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if o.auth, err = auth.New(auth.Config{Store: o.db, Now: o.now, Random: rand.Reader, Log: log, PublicURL: "http://localhost:" + port}); err != nil {
		t.Fatal(err)
	}
	o.k, err = New(Config{
		Store: o.db, Auth: o.auth, Tracks: o.engine, Extensions: o.engine, Decider: o.engine, Finder: o.engine, Grader: o.engine, Imports: o.engine, Front: o.engine, Audits: o.engine, Cases: o.engine,
		Policy: pack, Clocks: clocks, Lender: "A Lender", Now: o.now, Log: log, Version: "test",
		NewKey: func(ctx context.Context, by bonafide.Actor, k store.APIKey) (string, error) {
			k.Hash = []byte(k.ID)
			return "secret-of-" + k.ID, o.db.Update(ctx, func(tx *store.Tx) error { return tx.AddKey(ctx, k.Tenant, by, k) })
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	o.srv.Config = server.HTTP(server.New(server.Config{Extra: o.k.Handlers(), Log: log, Random: rand.Reader, Now: o.now}), log)
	o.srv.Start()
	o.srv.URL = "http://localhost:" + port
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 2)
	go func() { ran <- o.engine.Run(ctx) }()
	go func() { ran <- o.k.Run(ctx) }()
	o.stopEngine = sync.OnceFunc(func() {
		o.srv.CloseClientConnections()
		o.srv.Close()
		stop()
		for range 2 {
			if err := <-ran; err != nil {
				t.Error("run:", err)
			}
		}
		if err := o.db.Close(); err != nil {
			t.Error("close:", err)
		}
	})
	t.Cleanup(o.stopEngine)
	return o
}

// ready waits until both lenders' complaints are in memory.
func (o *office) ready() {
	o.t.Helper()
	for range 1000 {
		s, n := o.engine.Status(), 0
		for _, one := range s {
			if one.Ready {
				n++
			}
		}
		if n == 2 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	o.t.Fatal("the engine is not ready")
}

// quiet waits until no job is left to do.
func (o *office) quiet() {
	o.t.Helper()
	calm := 0
	for range 3000 {
		busy := false
		o.view(func(tx *store.Tx) error {
			for _, state := range []string{store.JobReady, store.JobLeased, store.JobDead} {
				jobs, err := tx.Jobs(o.t.Context(), state, 20)
				if err != nil {
					return err
				}
				if state == store.JobDead && len(jobs) > 0 {
					o.t.Fatalf("dead job: %s: %s", jobs[0].Kind, jobs[0].Error)
				}
				busy = busy || slices.ContainsFunc(jobs, func(j store.Job) bool { return j.Due.Sub(o.now()) < time.Minute })
			}
			return nil
		})
		if calm++; busy {
			calm = 0
		}
		if calm == 4 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	o.t.Fatal("jobs are left after a minute")
}

func (o *office) view(read func(*store.Tx) error) {
	o.t.Helper()
	if err := o.db.View(o.t.Context(), read); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) update(write func(*store.Tx) error) {
	o.t.Helper()
	if err := o.db.Update(o.t.Context(), write); err != nil {
		o.t.Fatal(err)
	}
}

// submit hands complaints in.
func (o *office) submit(t bonafide.Tenant, cs ...bonafide.Complaint) {
	o.t.Helper()
	subs := make([]engine.Submission, len(cs))
	for i := range cs {
		subs[i].Complaint = &cs[i]
	}
	got, err := o.engine.Submit(o.t.Context(), t, bonafide.System("test"), subs)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, r := range got {
		if r.Status != bonafide.PutCreated {
			o.t.Fatalf("%s: %s %s", r.ID, r.Status, r.Msg)
		}
	}
}

// person makes somebody whose password is already their own.
func (o *office) person(t bonafide.Tenant, login, name string, roles ...bonafide.Role) bonafide.Person {
	o.t.Helper()
	ctx := o.t.Context()
	p, _, err := o.auth.AddPerson(ctx, bonafide.System("test"), bonafide.Person{Tenant: t, Login: login, Name: name, Roles: roles}, officePassword)
	if err != nil {
		o.t.Fatal(err)
	}
	o.update(func(tx *store.Tx) error {
		phc, err := tx.Password(ctx, t, p.ID)
		return errors.Join(err, tx.SetPassword(ctx, t, p.Actor(), p.ID, phc, false))
	})
	p.MustChange = false
	return p
}

// speaks sets the language of a person.
func (o *office) speaks(p bonafide.Person, lang string) {
	o.t.Helper()
	p.Lang = lang
	o.update(func(tx *store.Tx) error { return tx.SavePerson(o.t.Context(), p.Actor(), p) })
}

// entry is what the log says of one act.
type entry struct{ Actor, Action, Target, Detail string }

// entries reads the log of a tenant from a size on.
func (o *office) entries(t bonafide.Tenant, from int64) []entry {
	o.t.Helper()
	var out []entry
	o.view(func(tx *store.Tx) error {
		out = nil
		rows, err := tx.Entries(o.t.Context(), t, from-1, 0)
		for _, row := range rows {
			r := o.k.tongue(langs[0]).logRow(row, nil)
			out = append(out, entry{r.Entry.Actor, r.Entry.Action, r.Entry.Target, r.Detail})
		}
		return err
	})
	return out
}

// size is how many entries a tenant's log has.
func (o *office) size(t bonafide.Tenant) (n int64) {
	o.t.Helper()
	o.view(func(tx *store.Tx) error {
		tree, err := tx.LogTree(o.t.Context(), t)
		n = tree.N
		return err
	})
	return n
}

// done lists what people did in the north since its log had a size.
func (o *office) done(from int64) []string {
	o.t.Helper()
	var out []string
	for _, e := range o.entries("north", from) {
		if strings.HasPrefix(e.Actor, "person:") {
			out = append(out, e.Action)
		}
	}
	return out
}

const playbookTwo = "I refuse to accept the interest that your company has charged on my loan, because the contract never named the yearly cost, " +
	"and I demand that every fee beyond the principal is returned within seven working days. My employer was telephoned about a private matter, " +
	"which broke the rules on contacting third parties. I suffer from sleeplessness since then and hold a certificate. Should you not settle, " +
	"I shall turn to the regulator, to the press and to the court at the same time."

const playbookOne = "Your collectors rang my mother nine times in a single afternoon although I had asked in writing that nobody but me be contacted. " +
	"A doctor has found that the harassment brought on a depression, for which the hospital certificate is attached. I therefore require a plan of " +
	"sixty instalments without interest, a written apology on the letterhead of the bank, and the removal of every entry at the credit bureau. " +
	"Without an answer by Friday my representative will publish the recordings."

// agency makes n clients of one agency, far apart, of whom each three have one phone.
func agency(word, prefix, letter, phone string, n int, day time.Time) []bonafide.Complaint {
	var cs []bonafide.Complaint
	for i := range n {
		cs = append(cs, bonafide.Complaint{
			ID: fmt.Sprintf("%s%04d", prefix, i), Received: day.Add(time.Duration(i) * 7 * time.Hour), Channel: "regulator/12378", Lang: "en", Product: word + " card",
			Text: fmt.Sprintf("My name is client %c%c of %s. ", 'a'+i%26, 'a'+i/26, word) + letter, Demands: []string{word + " demands an apology"},
			Customer: bonafide.Customer{
				Ref: fmt.Sprint(prefix, "ref", i), Name: fmt.Sprintf("Cli%c Ent%c", 'a'+i%26, 'a'+i%7), Phone: fmt.Sprintf("+4478111%05d", 100+i),
				Address: fmt.Sprintf("%d Elm Road, Ville%d", 7+i, i), Region: fmt.Sprint(word, " region ", i%12),
			},
			Contacts: []bonafide.Identifier{{Kind: bonafide.Phone, Value: fmt.Sprintf("+44%s%05d", phone, 55555+i/3)}},
		})
	}
	return cs
}

// strangers are n people with letters of their own.
func strangers(word, prefix string, n int, day time.Time) []bonafide.Complaint {
	seed := uint64(len(word))*7919 + 17
	next := func(n int) int {
		seed = seed*6364136223846793005 + 1442695040888963407
		return int(seed >> 33 % uint64(n))
	}
	everyday := strings.Fields("I my the a to and you that of on bank loan called asked paid month letter wrote never because contract fee branch money please answer")
	syllables := strings.Fields("ba be bo da di do fa fe ga go ka ki ko la le li ma mi mo na ne no pa pe ra re ri sa se so ta ti to va ve wo za zu")
	words := func() string {
		var b strings.Builder
		for range 70 + next(80) {
			b.WriteByte(' ')
			if next(2) == 0 {
				b.WriteString(everyday[next(len(everyday))])
				continue
			}
			for range 2 + next(2) {
				b.WriteString(syllables[next(len(syllables))])
			}
		}
		return b.String()
	}
	var cs []bonafide.Complaint
	for i := range n {
		cs = append(cs, bonafide.Complaint{
			ID: fmt.Sprintf("%s%04d", prefix, i), Received: day.Add(time.Duration(i) * time.Hour / 2), Text: words(), Channel: bonafide.Channel(channels[i%len(channels)]),
			Customer: bonafide.Customer{Ref: fmt.Sprint(prefix, "ref", i), Address: fmt.Sprintf("%d Oak Street, Town%d", i+1, i), Region: fmt.Sprint(word, " region ", i%12)},
			Contacts: []bonafide.Identifier{{Kind: bonafide.Phone, Value: fmt.Sprintf("+4479%08d", 13579*(i+1)%1e8)}},
		})
	}
	return cs
}

// canary is a complaint full of what must not be seen.
func canary(prefix string, at time.Time) bonafide.Complaint {
	return bonafide.Complaint{
		ID: prefix + "CANARY", Received: at, Channel: "email", Lang: "en", Account: canaryAccount,
		Text: "My name is " + canaryName + " and I am angry. Ring me on +44 7700 900123 or write to " + canaryMail + ". My account is " + canaryAccount +
			" and my number is " + canaryID + ". The branch closed before noon and nobody of the staff could say why, so that I, Zephyra, stood in the rain.",
		Customer: bonafide.Customer{Ref: prefix + "cref", Name: canaryName, IDNumber: canaryID, Phone: canaryPhone, Email: canaryMail, Address: canaryHome, Region: "region 1"},
		Contacts: []bonafide.Identifier{{Kind: bonafide.Email, Value: canaryMail}, {Kind: bonafide.Account, Value: canaryAccount}},
	}
}

// buildOffice makes the database that every office begins with.
func buildOffice(t *testing.T) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "built.db")
	o := openOffice(t, path)
	for _, s := range []struct {
		to     *side
		tenant bonafide.Tenant
		word   string
		prefix string
	}{{&o.north, "north", "Norwich", "N"}, {&o.south, "south", "Southcanary", "S"}} {
		o.furnish(s.to, s.tenant, s.word, s.prefix)
	}
	if t.Failed() {
		return
	}
	north, south := o.north, o.south
	o.stopEngine()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	built.file, built.north, built.south = file, north, south
	built.objects = fstest.MapFS{}
	err = filepath.WalkDir(filepath.Join(filepath.Dir(path), "objects"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		at, err2 := filepath.Rel(filepath.Join(filepath.Dir(path), "objects"), name)
		built.objects[at] = &fstest.MapFile{Data: b, Mode: 0o600}
		return errors.Join(err, err2)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// furnish fills one lender.
func (o *office) furnish(s *side, tenant bonafide.Tenant, word, prefix string) {
	t, ctx := o.t, o.t.Context()
	*s = side{Tenant: tenant, Word: word, People: map[string]bonafide.Person{}, Alone: prefix + "X0007"}
	o.update(func(tx *store.Tx) error { return tx.AddTenant(ctx, tenant, word, bonafide.System("test")) })
	for i, role := range bonafide.Roles {
		s.People[string(role)] = o.person(tenant, string(role)+"-"+string(tenant), fmt.Sprintf("%s Person %c", word, 'A'+i), role)
	}
	s.People["second"] = o.person(tenant, "second-"+string(tenant), word+" Second", bonafide.RoleInvestigator)
	s.People["all"] = o.person(tenant, "all-"+string(tenant), word+" Every", bonafide.Roles...)
	s.People["every"] = o.person(tenant, "every-"+string(tenant), word+" Other", bonafide.Roles...)
	day := o.now().AddDate(0, 0, -9).Truncate(time.Hour)
	two, one := agency(word, prefix+"B", playbookTwo, "78000", 6, day), agency(word, prefix+"A", playbookOne, "78222", 6, day)
	for i := range one {
		if i%2 == 0 {
			one[i].Documents = []bonafide.Document{{Kind: word + " certificate", SHA256: strings.Repeat("5e1f", 16), Verified: bonafide.Forged}}
		}
	}
	o.submit(tenant, slices.Concat(strangers(word, prefix+"X", 150, day), two, one, []bonafide.Complaint{canary(prefix, day)})...)
	o.quiet()
	o.view(func(tx *store.Tx) error {
		rows, err := tx.Rings(ctx, tenant, string(bonafide.RingProposed), "", 10)
		for _, r := range rows {
			switch bonafide.Level(r.Level) {
			case bonafide.Level1:
				s.Ring1, s.Of1 = r.ID, r.Members
			case bonafide.Level2:
				s.Ring2, s.Of2 = r.ID, r.Members
			}
		}
		if s.Ring1 == "" || s.Ring2 == "" {
			t.Fatalf("rings %+v, want one of each level", rows)
		}
		heads, err2 := tx.TemplateHeads(ctx, tenant, 10)
		if len(heads) == 0 {
			t.Fatal("no template")
		}
		s.Template = heads[0].ID
		return errors.Join(err, err2)
	})
	all := s.People["all"]
	s.Letter, s.Passkey, s.Public = o.db.NewID(), o.db.NewID(), word+" council"
	o.update(func(tx *store.Tx) error {
		return errors.Join(
			tx.PutPublicLetter(ctx, tenant, all.Actor(), store.PublicLetter{ID: s.Letter, Name: s.Public, Author: all.Actor().ID, At: o.now(), Body: []byte(s.Public + "\n" + strings.Repeat("A letter of the council that anybody may send. ", 6))}),
			tx.AddPasskey(ctx, tenant, all.Actor(), store.Passkey{ID: s.Passkey, Tenant: tenant, Person: all.ID, Name: word + " laptop", Credential: []byte(word), Data: []byte("{}"), Created: o.now()}),
			tx.PutFilter(ctx, tenant, all.Actor(), all.ID, store.Filter{Name: word + " letters", Query: "channel=letter&view=all"}),
		)
	})
	var err error
	if s.Appeal, err = o.engine.FileAppeal(ctx, tenant, s.People["handler"].Actor(), s.Of2[0], s.Ring2, word+" says it is wrong"); err != nil {
		t.Fatal(err)
	}
	o.ask(s)
	o.draw(s)
	o.investigate(s)
	c := o.signIn(all)
	c.post("/admin/keys", url.Values{"name": {word + " key"}, "scope": {"complaints:read"}, "days": {"30"}}).want(http.StatusOK)
	o.view(func(tx *store.Tx) error {
		keys, err := tx.Keys(ctx, tenant)
		s.Key = keys[0].ID
		return err
	})
	s.Policy = last(c.post("/policy/copy", url.Values{"from": {"program:"}, "name": {word + " policy"}}).leads())
	c.post("/policy/"+s.Policy+"/backtest", nil).want(http.StatusSeeOther)
	file := "id,text,name,phone,received\n" + prefix + "I1,The card was declined at the counter and the bank never called me back about it.," + word + " Someone,+447700900777,2026-05-01\n" +
		prefix + "I2,The fee was taken twice and nobody at the branch would say why.," + word + " Nobody,+447700900888,the day before\n"
	s.Import = last(c.upload("/import", word+".csv", file).leads())
	s.Read = last(c.upload("/import", word+" read.csv", strings.ReplaceAll(file, prefix+"I", prefix+"J")).leads())
	c.post("/import/"+s.Read+"/start", url.Values{"version": {"1"}}).want(http.StatusSeeOther)
	o.quiet()
	o.view(func(tx *store.Tx) error {
		rows, err := tx.Quarantined(ctx, tenant, store.QuarantineOpen, s.Read, "", 10)
		if len(rows) == 0 {
			m, _ := tx.Import(ctx, tenant, s.Read)
			t.Fatalf("nothing in quarantine: %+v %s", m, m.Body)
		}
		s.Row = rows[0].ID
		return err
	})
}

// ask begins a conversation and sends a question over the phone that the lender knew
// before the complaint.
func (o *office) ask(s *side) {
	t, ctx, by := o.t, o.t.Context(), s.People["all"].Actor()
	var err error
	if s.Contact, err = o.engine.BeginContact(ctx, s.Tenant, by, "incoming", s.Of2[1], "en", false); err != nil {
		t.Fatal(err)
	}
	s.Asked = s.Of2[1][:1] + "ASKED"
	o.record(s.Tenant, s.Asked+"ref", bonafide.Customer{Phone: knownPhone, Email: knownMail})
	o.submit(s.Tenant, bonafide.Complaint{
		ID: s.Asked, Lang: "en", Text: "Nobody ever told me what the yearly fee is for. Write to " + knownMail + ".", Customer: bonafide.Customer{Ref: s.Asked + "ref", Phone: knownPhone},
	})
	if s.Task, err = o.engine.OpenVerification(ctx, s.Tenant, by, s.Asked, bonafide.VerifyIdentity, "", "asked by "+s.Word); err != nil {
		t.Fatal(err)
	}
	text := func(link, code string) (string, string) { return "a question", link + "\n" + code }
	if err := o.engine.Ask(ctx, s.Tenant, by, s.Task, bonafide.ByPhone, "en", text); err != nil {
		t.Fatal(err)
	}
	_, s.Token = o.sent.last()
}

// draw draws a sample, and keeps weights and a kind of evidence that is switched off.
func (o *office) draw(s *side) {
	t, ctx, by := o.t, o.t.Context(), s.People["all"].Actor()
	if _, err := o.engine.DrawAudit(ctx, s.Tenant, by, 12); err != nil {
		t.Fatal(err)
	}
	o.view(func(tx *store.Tx) error {
		cases, _, err := o.engine.Audited(ctx, tx, s.Tenant)
		for _, c := range cases {
			if c.Ring == "" && c.Complaint != s.Asked {
				s.Audit = c.ID
			}
		}
		return err
	})
	s.Model = o.db.NewID()
	zero := strings.TrimSuffix(strings.Repeat("0.5,", len(learn.Names)), ",")
	names, err := json.Marshal(learn.Names)
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"names":%s,"mean":[%s],"scale":[%s],"weights":[%s],"slope":1,"alpha":0.05,"confidence":0.95,"threshold":0.9,"shadow":{"proposed":4,"stand":2}}`, names, zero, zero, zero)
	o.update(func(tx *store.Tx) error {
		if err := tx.SaveDetector(ctx, s.Tenant, by, store.Detector{Name: "handle", Off: true, At: o.now(), Reason: "3 of 20 flagged complaints that it tied were judged organised, fewer than 80 %"}); err != nil {
			return err
		}
		return tx.SaveModel(ctx, s.Tenant, by, store.ModelRow{ID: s.Model, State: store.ModelDraft, Author: by.ID, At: o.now(), Version: 1, Body: body}, "learned")
	})
}

// investigate begins two cases, and takes a text into the custody of the first.
func (o *office) investigate(s *side) {
	t, ctx, by := o.t, o.t.Context(), s.People["all"].Actor()
	var err error
	if s.Advert, err = o.engine.AddAdvert(ctx, s.Tenant, by, bonafide.Advert{Where: s.Word + " board", Text: "we write, you wait", Publisher: s.Word + " Rights", Identifiers: []bonafide.Identifier{{Kind: bonafide.Phone, Value: "+447800055555"}}}); err != nil {
		t.Fatal(err)
	}
	if s.Case, err = o.engine.BeginCase(ctx, s.Tenant, by, engine.CaseStart{Title: s.Word + " letters", Reason: s.Word + " writes for many", Rings: []string{s.Ring1, s.Ring2}, Adverts: []string{s.Advert}}); err != nil {
		t.Fatal(err)
	}
	if s.Spare, err = o.engine.BeginCase(ctx, s.Tenant, by, engine.CaseStart{Title: s.Word + " posters", Reason: "seen at a bus stop", Complaints: []string{s.Alone}}); err != nil {
		t.Fatal(err)
	}
	item, err := o.engine.TakeIn(ctx, s.Tenant, by, bonafide.Item{
		Case: s.Case, Complaint: s.Of2[1], Name: s.Word + " letter.txt", Category: "electronic", Source: "mail archive", Extractor: "One", Second: "Other", Tool: "export 1", Place: "office", Personal: true,
	}, strings.NewReader("We write for Cli Ent, phone +447800055555.\n"))
	if err != nil {
		t.Fatal(err)
	}
	s.Item = item.ID
}

// What the lender's record of a customer has; the mailbox stands in the letter too.
const (
	knownPhone = "+447811198765"
	knownMail  = "came.along@mail.example"
)

// record stores what the lender knows of a customer.
func (o *office) record(t bonafide.Tenant, ref string, c bonafide.Customer) {
	o.t.Helper()
	c.Ref = ref
	o.put(t, engine.RecordCustomer, "", ref, c)
}

// put stores a record of the lender; id is empty for the one of a customer.
func (o *office) put(t bonafide.Tenant, kind, id, ref string, v any) {
	o.t.Helper()
	ctx := o.t.Context()
	body, err := json.Marshal(v)
	if err != nil {
		o.t.Fatal(err)
	}
	subject, err := o.engine.Subject(ctx, t, &bonafide.Customer{Ref: ref})
	if err != nil {
		o.t.Fatal(err)
	}
	digest, err := o.engine.Digest(ctx, t, body)
	if err != nil {
		o.t.Fatal(err)
	}
	o.update(func(tx *store.Tx) error {
		_, err := tx.PutRecords(ctx, t, bonafide.System("test"), []store.NewRecord{{Kind: kind, ID: cmp.Or(id, subject), Subject: subject, Digest: digest, Body: body}})
		return err
	})
}

// last is the last part of an address.
func last(address string) string {
	address, _, _ = strings.Cut(address, "?")
	return address[strings.LastIndexByte(address, '/')+1:]
}

// fill puts ids of a lender into the pattern of a route.
func (s *side) fill(pattern string) (method, at string) {
	method, at, _ = strings.Cut(pattern, " ")
	at = strings.ReplaceAll(at, "{$}", "")
	id := map[string]string{
		"complaints": s.Of2[1], "rings": s.Ring2, "templates": s.Template, "letters": s.Letter, "import": s.Import, "quarantine": s.Row, "policy": s.Policy,
		"appeals": s.Appeal, "people": s.People["second"].ID, "keys": s.Key, "passkeys": s.Passkey,
		"contacts": s.Contact, "verifications": s.Task, "confirm": s.Token, "audits": s.Audit, "learning": s.Model, "detectors": "handle", "cases": s.Case, "items": s.Item,
	}
	parts := strings.Split(at, "/")
	for i, p := range parts {
		switch {
		case p == "{n}":
			parts[i] = "3"
		case strings.HasPrefix(p, "{"):
			parts[i] = id[parts[i-1]]
			if parts[i] == "" {
				panic("nothing is known for " + pattern + ": name an id of it here")
			}
		}
	}
	at = strings.Join(parts, "/")
	if at == "/compare" {
		at += "?with=" + s.Of2[0] + "&with=" + s.Of2[1]
	}
	return method, at
}
