package engine

import (
	"archive/zip"
	"bytes"
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"bonafide"
	"bonafide/casefile"
	"bonafide/evidence"
	"bonafide/evidence/custody"
	"bonafide/evidence/pack"
	"bonafide/evidence/stamp"
	"bonafide/internal/testdb"
	"bonafide/internal/tsa"
	"bonafide/store"
)

var (
	sleuth = bonafide.Actor{ID: "person:sleuth", Name: "Sleuth", Scopes: bonafide.RoleInvestigator.Scopes()}
	jurist = bonafide.Actor{ID: "person:jurist", Name: "Jurist", Scopes: bonafide.RoleCompliance.Scopes()}
)

// A testClock is a clock that a test moves.
type testClock struct {
	mu sync.Mutex
	by time.Duration
}

func (c *testClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.by)
}

func (c *testClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.by += d
}

// investigated is an engine that keeps evidence, seals packs and has them stamped.
func investigated(t testing.TB, url string, clock *testClock) *Engine {
	t.Helper()
	dir := t.TempDir()
	if !strings.HasPrefix(url, "postgres") {
		dir = filepath.Dir(url) // all that is on disk stands in one folder
	}
	objects, err := custody.OpenObjects(t.Context(), filepath.Join(dir, "objects"), custody.Credentials{})
	if err != nil {
		t.Fatal(err)
	}
	keeper, err := custody.NewKeeper(objects, filepath.Join(dir, "spool"), crand.Reader, clock.now)
	if err != nil {
		t.Fatal(err)
	}
	authority, err := tsa.New(crand.Reader, clock.now)
	if err != nil {
		t.Fatal(err)
	}
	e := processOf(t, url, clock.now, Config{
		Settle: 10 * time.Millisecond, Keeper: keeper, Lender: "A lender", StampRoots: authority.Roots,
		Origin: func(t bonafide.Tenant) string { return "test/" + string(t) },
		Stamp:  func(_ context.Context, data []byte) ([]byte, error) { return authority.Stamp(data) },
	})
	keys := view(t, e, func(ctx context.Context, tx *store.Tx) ([2]string, error) {
		skey, vkey, err := tx.SigningKey(ctx)
		return [2]string{skey, vkey}, err
	})
	signer, err := note.NewSigner(keys[0])
	if err != nil {
		t.Fatal(err)
	}
	e.cfg.LogKey = keys[1]
	e.cfg.Sign = func(t bonafide.Tenant, tree tlog.Tree, at time.Time) ([]byte, error) {
		return evidence.SignCheckpoint(signer, "test/"+string(t), tree, at)
	}
	return e
}

func caseOf(t testing.TB, e *Engine, id string) store.CaseRow {
	t.Helper()
	return view(t, e, func(ctx context.Context, tx *store.Tx) (store.CaseRow, error) { return tx.Case(ctx, bank, id) })
}

// writeCase writes into a case and fails the test unless that is taken.
func writeCase(t testing.TB, e *Engine, id string, ch casefile.Change) {
	t.Helper()
	if err := e.ChangeCase(t.Context(), bank, sleuth, id, 0, ch); err != nil {
		t.Fatalf("%s: %v", ch.What, err)
	}
}

// lacks are what a refused move lacked.
func lacks(err error) []string {
	var lack *casefile.LackError
	if !errors.As(err, &lack) {
		return nil
	}
	var out []string
	for _, l := range lack.Lacks {
		out = append(out, l.Code)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func move(t testing.TB, e *Engine, id string, by bonafide.Actor, act casefile.Act) {
	t.Helper()
	if err := e.MoveCase(t.Context(), bank, by, id, 0, act); err != nil {
		t.Fatalf("%s: %v", act.Move, err)
	}
}

func exhibit(t testing.TB, e *Engine, caseID, complaint, name, content string) bonafide.Item {
	t.Helper()
	i, err := e.TakeIn(t.Context(), bank, sleuth, bonafide.Item{
		Case: caseID, Complaint: complaint, Name: name, Category: "electronic", Source: "mail archive", Extractor: "Sleuth", Second: "Witness", Tool: "export 1.2", Place: "office", Personal: complaint != "" || strings.HasPrefix(name, "group"),
	}, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// prepared brings a case from a ring to where it can be reported.
func prepared(t testing.TB, e *Engine, ring store.RingRow) string {
	t.Helper()
	ctx := t.Context()
	id, err := e.BeginCase(ctx, bank, sleuth, CaseStart{Title: "One playbook", Reason: "a ring was confirmed", Rings: []string{ring.ID}})
	if err != nil {
		t.Fatal(err)
	}
	move(t, e, id, sleuth, casefile.Act{Move: bonafide.MoveOpen})
	err = e.MoveCase(ctx, bank, sleuth, id, 0, casefile.Act{Move: bonafide.MovePreserve})
	if got := lacks(err); !slices.Equal(got, []string{"assignee", "scenario"}) {
		t.Errorf("preserve without anything: %v", err)
	}
	person := bonafide.Person{ID: e.cfg.DB.NewID(), Tenant: bank, Login: "sleuth" + id, Name: "Sleuth", Roles: []bonafide.Role{bonafide.RoleInvestigator}}
	if err := e.cfg.DB.Update(ctx, func(tx *store.Tx) error { return tx.AddPerson(ctx, bonafide.System("test"), person, "") }); err != nil {
		t.Fatal(err)
	}
	writeCase(t, e, id, casefile.Change{What: "assign", Name: person.ID})
	writeCase(t, e, id, casefile.Change{What: "scenario", Name: "A6", On: true})
	move(t, e, id, sleuth, casefile.Act{Move: bonafide.MovePreserve})
	review := casefile.Act{Move: bonafide.MoveReview, Innocent: "no outage, no public template: both were looked at"}
	err = e.MoveCase(ctx, bank, sleuth, id, 0, review)
	if got := lacks(err); !slices.Equal(got, []string{"item", "merit", "offence", "task"}) {
		t.Errorf("review without anything: %v", err)
	}
	item := exhibit(t, e, id, ring.Members[0], "paper.txt", "the paper that nobody issued")
	for _, task := range caseOf(t, e, id).Tasks {
		writeCase(t, e, id, casefile.Change{What: "task-done", ID: task.ID, Text: "done, see the items"})
	}
	writeCase(t, e, id, casefile.Change{What: "offence", Name: "K02", On: true})
	for _, m := range ring.Members {
		writeCase(t, e, id, casefile.Change{What: "merit", Name: m, Text: "contract and calls: nothing wrong was found"})
	}
	move(t, e, id, sleuth, review)
	approve := casefile.Act{Move: bonafide.MovePrepare, Reason: "the elements are shown"}
	err = e.MoveCase(ctx, bank, jurist, id, 0, approve)
	if got := lacks(err); !slices.Equal(got, []string{"element", "loss", "party"}) {
		t.Errorf("prepare without anything: %v", err)
	}
	writeCase(t, e, id, casefile.Change{What: "party", Party: bonafide.Party{Role: bonafide.RoleOrganiser, Organisation: true, Name: "Sunrise Rights Ltd", Basis: "the advert names it", Identifiers: []bonafide.Identifier{{Kind: bonafide.Phone, Value: "+447911000111"}, {Kind: bonafide.Phone, Value: "+447800055555"}}}})
	writeCase(t, e, id, casefile.Change{What: "party", Party: bonafide.Party{Role: bonafide.RoleVictim, Complaint: ring.Members[0], Basis: "paid the agent"}})
	writeCase(t, e, id, casefile.Change{What: "loss", Loss: bonafide.Loss{Kind: "waived", Amount: bonafide.Amount{Minor: 120_000, Currency: "CNY"}, Basis: "interest of two contracts"}})
	o, _ := casefile.OffenceOf("K02")
	for _, el := range o.Elements {
		writeCase(t, e, id, casefile.Change{What: "exhibit", Exhibit: bonafide.Exhibit{Offence: "K02", Element: el.ID, Item: item.ID}})
	}
	if c := caseOf(t, e, id); c.Stage != bonafide.StagePreserving {
		t.Errorf("what the lawyers saw was changed, and the case is still %s", c.Stage)
	}
	move(t, e, id, sleuth, review)
	if err := e.MoveCase(ctx, bank, sleuth, id, 0, approve); !errors.Is(err, bonafide.Denied) {
		t.Errorf("who asked for the review approved it: %v", err)
	}
	move(t, e, id, jurist, approve)
	return id
}

func packed(t testing.TB, e *Engine, id, variant string) ([]byte, store.Seal) {
	t.Helper()
	var b bytes.Buffer
	seal, err := e.WritePack(t.Context(), bank, sleuth, id, variant, PackOptions{}, func(string) (io.Writer, error) { return &b, nil })
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), seal
}

func sound(t testing.TB, e *Engine, b []byte) pack.Report {
	t.Helper()
	roots, err := stamp.ParseRoots(e.cfg.StampRoots)
	if err != nil {
		t.Fatal(err)
	}
	rep, err := pack.Verify(t.Context(), bytes.NewReader(b), int64(len(b)), pack.Options{Key: e.cfg.LogKey, Roots: roots})
	if err != nil || len(rep.Problems) > 0 {
		t.Fatalf("%v: %+v", err, rep.Problems)
	}
	return rep
}

// From a ring to a judgment, with everything that is refused on the way.
func TestCaseFromRingToJudgment(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		ctx := t.Context()
		clock := &testClock{}
		e := investigated(t, fresh(), clock)
		submit(t, e, append(agency(9), strangers(300)...))
		quiet(t, e)
		ring := onlyRing(t, e)
		tracks := func() (out []store.TrackRow) {
			for _, m := range ring.Members {
				out = append(out, view(t, e, func(ctx context.Context, tx *store.Tx) (store.TrackRow, error) { return tx.Track(ctx, bank, m) }))
			}
			return out
		}
		before := tracks()
		id := prepared(t, e, ring)

		report := casefile.Act{Move: bonafide.MoveReport, Reason: "to the police"}
		if got := lacks(e.MoveCase(ctx, bank, sleuth, id, 0, report)); !slices.Equal(got, []string{"handover", "seal"}) {
			t.Errorf("report without a pack: %v", got)
		}
		first, seal := packed(t, e, id, VariantPolice)
		again, same := packed(t, e, id, VariantPolice)
		if !bytes.Equal(first, again) || seal.Number != 1 || same.Number != 1 {
			t.Errorf("the same case gave other bytes: %d and %d, seals %d and %d", len(first), len(again), seal.Number, same.Number)
		}
		rep := sound(t, e, first)
		if rep.Items != 1 || rep.Custody == 0 || rep.Stamped.IsZero() {
			t.Errorf("%+v", rep)
		}
		writeCase(t, e, id, casefile.Change{What: "handover", Handover: bonafide.Handover{To: "police", Unit: "economic crimes", Variant: VariantPolice, Seal: 1}})
		move(t, e, id, sleuth, report)
		if c := caseOf(t, e, id); c.Stage != bonafide.StagePrepared || c.Pending == nil {
			t.Errorf("one person reported it: %s", c.Stage)
		}
		if err := e.MoveCase(ctx, bank, sleuth, id, 0, report); !errors.Is(err, bonafide.Denied) {
			t.Errorf("the same person twice: %v", err)
		}
		move(t, e, id, jurist, report)
		for _, act := range []casefile.Act{
			{Move: bonafide.MoveReceipt, Number: "R-1"},
			{Move: bonafide.MoveExamine},
			{Move: bonafide.MoveExtend, Reason: "complex"},
			{Move: bonafide.MoveFile, Number: "F-1"},
			{Move: bonafide.MoveInvest},
			{Move: bonafide.MoveTransfer, Number: "P-1"},
			{Move: bonafide.MoveSupplement, Reason: "more victims"},
			{Move: bonafide.MoveResubmit},
			{Move: bonafide.MoveIndict, Number: "I-1"},
			{Move: bonafide.MoveJudge, Number: "J-1", Reason: "sentenced"},
			{Move: bonafide.MoveClose, Reason: "the advert came first"},
		} {
			if err := e.MoveCase(ctx, bank, sleuth, id, 0, casefile.Act{Move: bonafide.MovePrepare, Reason: "x"}); !errors.Is(err, bonafide.Conflict) {
				t.Errorf("before %s: prepare: %v", act.Move, err)
			}
			move(t, e, id, sleuth, act)
		}
		c := caseOf(t, e, id)
		if c.Exit != bonafide.ExitJudgment || c.Numbers["judge"] != "J-1" || !c.DueAt.IsZero() {
			t.Errorf("%+v", c)
		}
		if d := cmp.Diff(before, tracks()); d != "" { // safeguard 1
			t.Errorf("the case touched its complaints: %s", d)
		}
		if problem, err := verifyLog(t, e); problem != "" || err != nil {
			t.Errorf("log: %s %v", problem, err)
		}
	})
}

func TestCaseNotFiledIsReconsideredTwice(t *testing.T) {
	clock := &testClock{}
	e := investigated(t, testdb.SQLite(t), clock)
	submit(t, e, append(agency(9), strangers(300)...))
	quiet(t, e)
	ctx := t.Context()
	id := prepared(t, e, onlyRing(t, e))
	packed(t, e, id, VariantPolice)
	writeCase(t, e, id, casefile.Change{What: "handover", Handover: bonafide.Handover{To: "police", Unit: "x", Variant: VariantPolice, Seal: 1}})
	report := casefile.Act{Move: bonafide.MoveReport, Reason: "r"}
	move(t, e, id, sleuth, report)
	move(t, e, id, jurist, report)
	move(t, e, id, sleuth, casefile.Act{Move: bonafide.MoveReceipt, Number: "R"})
	move(t, e, id, sleuth, casefile.Act{Move: bonafide.MoveExamine})
	move(t, e, id, sleuth, casefile.Act{Move: bonafide.MoveRefuse, Reason: "no crime"})
	ask := casefile.Act{Move: bonafide.MoveReconsider, Reason: "the register says otherwise"}
	if got := lacks(e.MoveCase(ctx, bank, sleuth, id, 0, ask)); !slices.Equal(got, []string{"notice"}) {
		t.Errorf("before the notice: %v", got)
	}
	move(t, e, id, sleuth, casefile.Act{Move: bonafide.MoveNotice, Number: "N-1"})
	move(t, e, id, sleuth, ask)
	move(t, e, id, sleuth, casefile.Act{Move: bonafide.MoveUphold, Reason: "stands"})
	clock.pass(24 * 24 * time.Hour)
	if got := lacks(e.MoveCase(ctx, bank, sleuth, id, 0, ask)); !slices.Equal(got, []string{"too-late"}) {
		t.Errorf("after seven days: %v", got)
	}
	clock.pass(-24 * 24 * time.Hour)
	move(t, e, id, sleuth, ask)
	if c := caseOf(t, e, id); c.Stage != bonafide.StageSecondReview || c.DueAt.IsZero() {
		t.Errorf("%s %v", c.Stage, c.DueAt)
	}
	move(t, e, id, sleuth, casefile.Act{Move: bonafide.MoveUphold, Reason: "stands"})
	if got := lacks(e.MoveCase(ctx, bank, sleuth, id, 0, ask)); !slices.Equal(got, []string{"rounds"}) {
		t.Errorf("a third round: %v", got)
	}
	move(t, e, id, sleuth, casefile.Act{Move: bonafide.MoveClose, Reason: "nothing more to do"})
	if c := caseOf(t, e, id); c.Exit != bonafide.ExitNotFiled {
		t.Error(c.Exit)
	}
}

// What a reader's purpose does not need is not in their pack.
func TestRedactedPackNamesNobody(t *testing.T) {
	e := investigated(t, testdb.SQLite(t), &testClock{})
	cs := agency(9)
	for i := range cs {
		cs[i].Customer.Name = fmt.Sprintf("Canary Personsson%c", 'a'+i)
		cs[i].Customer.IDNumber = fmt.Sprintf("CANARYID%04d", i)
		cs[i].Text = cs[i].Customer.Name + " writes: " + cs[i].Text + " Call me on " + cs[i].Contacts[0].Value + "."
	}
	submit(t, e, append(cs, strangers(300)...))
	quiet(t, e)
	ring := onlyRing(t, e)
	id := prepared(t, e, ring)
	item := exhibit(t, e, id, ring.Members[1], "note.txt", "Canary Personsson says so")
	copied, err := e.Redact(t.Context(), bank, sleuth, exhibit(t, e, id, ring.Members[2], "letter.txt", "signed, "+cs[2].Customer.Name).ID, "Witness")
	if err != nil || copied.Parent == "" || !copied.Personal || strings.Contains(copied.Name, "letter") {
		t.Fatalf("%+v %v", copied, err)
	}
	if err := e.Declare(t.Context(), bank, sleuth, copied.ID, false); err != nil {
		t.Fatal(err)
	}
	group, err := e.Redact(t.Context(), bank, sleuth, exhibit(t, e, id, "", "group.json", `{"members": ["\u0043anary Personssonb", "`+cs[3].Customer.Name+`"]}`).ID, "Witness")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Declare(t.Context(), bank, sleuth, group.ID, false); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Redact(t.Context(), bank, sleuth, exhibit(t, e, id, "", "gbk.txt", "\xd5\xc5\xc8\xfd was there").ID, "Witness"); !errors.Is(err, bonafide.Invalid) {
		t.Errorf("a text that cannot be read was redacted: %v", err)
	}
	writeCase(t, e, id, casefile.Change{What: "note", Text: "met Canary Personssona today"})
	for _, variant := range []string{VariantLawyer, VariantRegulator} {
		b, _ := packed(t, e, id, variant)
		sound(t, e, b)
		all := unpacked(t, b)
		if strings.Contains(all, "Canary") || strings.Contains(all, "CANARYID") {
			i := max(strings.Index(all, "Canary"), strings.Index(all, "CANARYID"))
			t.Errorf("%s: the pack names somebody: … %q …", variant, all[max(0, i-200):min(len(all), i+60)])
		}
		if !strings.Contains(all, item.SHA256) || !strings.Contains(all, copied.SHA256) {
			t.Errorf("%s: the digests of what was left out are missing", variant)
		}
	}
	b, _ := packed(t, e, id, VariantPolice)
	if all := unpacked(t, b); !strings.Contains(all, "CANARYID0003") || !strings.Contains(all, "merit-untested") {
		t.Error("the police do not see whom it is about, or not what speaks for them")
	}
}

func unpacked(t testing.TB, b []byte) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(f.Name + "\n")
		if _, err := io.Copy(&all, r); err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}

// Legal hold keeps what a case needs; once two people lifted it, a person can be erased: no
// clear value is left in the file, and every digest and the log still verify.
func TestErasureAndLegalHold(t *testing.T) {
	e := investigated(t, testdb.SQLite(t), &testClock{})
	ctx := t.Context()
	submit(t, e, append(agency(9), strangers(300)...))
	quiet(t, e)
	ring := onlyRing(t, e)
	id := prepared(t, e, ring)
	item := view(t, e, func(ctx context.Context, tx *store.Tx) ([]store.ItemRow, error) { return tx.Items(ctx, bank, id) })[0]
	keep := func(*store.Tx, string, []string) error { return nil }
	if err := e.Erase(ctx, bank, tester, "", ring.Members[0], "asked", keep); !errors.Is(err, bonafide.Conflict) || !strings.Contains(err.Error(), "case 1") {
		t.Fatalf("erased evidence under hold: %v", err)
	}
	lift := casefile.Change{What: "lift-hold", Text: "the case rests"}
	writeCase(t, e, id, lift)
	if err := e.ChangeCase(ctx, bank, sleuth, id, 0, lift); !errors.Is(err, bonafide.Denied) {
		t.Errorf("one person lifted it: %v", err)
	}
	if err := e.ChangeCase(ctx, bank, jurist, id, 0, lift); err != nil {
		t.Fatal(err)
	}
	if err := e.Erase(ctx, bank, tester, "", ring.Members[0], "asked", keep); err != nil {
		t.Fatal(err)
	}
	if _, _, err := e.OpenItem(ctx, bank, sleuth, item.ID, "review"); !errors.Is(err, bonafide.NotFound) {
		t.Errorf("read an erased item: %v", err)
	}
	if _, err := e.cfg.Keeper.Open(ctx, item.Address, item.Key); !errors.Is(err, bonafide.NotFound) {
		t.Errorf("its file is still there: %v", err)
	}
	b, _ := packed(t, e, id, VariantPolice)
	rep := sound(t, e, b)
	if rep.Items != 1 {
		t.Errorf("%+v", rep)
	}
	if all := unpacked(t, b); strings.Contains(all, "nobody issued") || !strings.Contains(all, item.SHA256) {
		t.Error("the pack has its content, or not its digest")
	}
	if problem, err := verifyLog(t, e); problem != "" || err != nil {
		t.Errorf("log: %s %v", problem, err)
	}
}

// After somebody is erased nothing on disk holds a value of theirs in clear: not the
// database, not the originals, not what was sealed, not a backup of before; and what is left
// cannot be opened with the root key either.
func TestErasedPersonIsInNoFile(t *testing.T) {
	url := testdb.SQLite(t)
	e := investigated(t, url, &testClock{})
	ctx := t.Context()
	cs := agency(9)
	cs[0].Customer.Name, cs[0].Customer.IDNumber = "Canary Quillfeather", "CANARY-ID-77"
	cs[0].Text += " Signed, Canary Quillfeather."
	submit(t, e, append(cs, strangers(300)...))
	quiet(t, e)
	ring := onlyRing(t, e)
	id := prepared(t, e, ring)
	exhibit(t, e, id, cs[0].ID, "canary-quillfeather.txt", "statement of Canary Quillfeather")
	writeCase(t, e, id, casefile.Change{What: "note", Text: "Canary Quillfeather was called"})
	whole, _ := packed(t, e, id, VariantPolice)
	if !strings.Contains(unpacked(t, whole), "Quillfeather") {
		t.Fatal("the pack does not hold what is to be erased: the test shows nothing")
	}
	dir := filepath.Dir(url)
	if err := e.cfg.DB.Backup(ctx, filepath.Join(dir, "backup.db")); err != nil {
		t.Fatal(err)
	}
	lift := casefile.Change{What: "lift-hold", Text: "the case rests"}
	writeCase(t, e, id, lift)
	if err := e.ChangeCase(ctx, bank, jurist, id, 0, lift); err != nil {
		t.Fatal(err)
	}
	if err := e.Erase(ctx, bank, tester, "", cs[0].ID, "asked", func(*store.Tx, string, []string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		files++
		for _, never := range []string{"Quillfeather", "CANARY-ID-77", "quillfeather"} {
			if bytes.Contains(b, []byte(never)) {
				t.Errorf("%s holds %q in clear", filepath.Base(path), never)
			}
		}
		return err
	})
	if err != nil || files < 3 {
		t.Errorf("%d files, %v", files, err)
	}
	seals := view(t, e, func(ctx context.Context, tx *store.Tx) ([]store.Seal, error) {
		return tx.Seals(ctx, bank, id, VariantPolice)
	})
	if len(seals) != 1 || seals[0].Address != "" || seals[0].Key != [32]byte{} {
		t.Errorf("what was sealed can still be opened: %+v", seals)
	}
	b, seal := packed(t, e, id, VariantPolice)
	sound(t, e, b)
	if all := unpacked(t, b); seal.Number != 2 || strings.Contains(all, "Quillfeather") || strings.Contains(all, "CANARY") {
		t.Errorf("seal %d still names them", seal.Number)
	}
	if problem, err := verifyLog(t, e); problem != "" || err != nil {
		t.Errorf("log: %s %v", problem, err)
	}
	if rep, err := pack.Verify(ctx, bytes.NewReader(whole), int64(len(whole)), pack.Options{Key: e.cfg.LogKey}); err != nil || len(rep.Problems) > 0 {
		t.Errorf("a pack that was handed out before no longer verifies: %v %v", rep.Problems, err)
	}
}

// Complaints go on arriving, and rings with them: a sealed pack stays what it is.
func TestSealedPackStaysWhileComplaintsArrive(t *testing.T) {
	e := investigated(t, testdb.SQLite(t), &testClock{})
	cs := agency(12)
	submit(t, e, append(cs[:9], strangers(300)...))
	quiet(t, e)
	id := prepared(t, e, onlyRing(t, e))
	first, _ := packed(t, e, id, VariantPolice)
	more := strangers(330)[300:]
	for i := range more {
		more[i].Contacts[0].Value = cs[11].Contacts[0].Value + "0" // phones get less rare
	}
	submit(t, e, more)
	quiet(t, e)
	again, seal := packed(t, e, id, VariantPolice)
	if !bytes.Equal(first, again) || seal.Number != 1 {
		t.Errorf("other bytes under seal %d", seal.Number)
	}
	submit(t, e, cs[9:]) // they come into the ring
	quiet(t, e)
	var b bytes.Buffer
	fresh, err := e.WritePack(t.Context(), bank, sleuth, id, VariantPolice, PackOptions{Anew: true}, func(string) (io.Writer, error) { return &b, nil })
	last := "dossiers/0012/letter.txt"
	if err != nil || fresh.Number != 2 || !strings.Contains(unpacked(t, b.Bytes()), last) || strings.Contains(unpacked(t, first), last) {
		t.Errorf("sealed anew: %d, %v", fresh.Number, err)
	}
	sound(t, e, b.Bytes())
}

func TestPackIsEncryptedToItsReaders(t *testing.T) {
	e := investigated(t, testdb.SQLite(t), &testClock{})
	submit(t, e, strangers(2))
	id, err := e.BeginCase(t.Context(), bank, sleuth, CaseStart{Title: "x", Reason: "y", Complaints: []string{strangers(1)[0].ID}})
	if err != nil {
		t.Fatal(err)
	}
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	name := ""
	if _, err := e.WritePack(t.Context(), bank, sleuth, id, VariantLawyer, PackOptions{Recipients: []string{key.Recipient().String()}}, func(n string) (io.Writer, error) { name = n; return &b, nil }); err != nil {
		t.Fatal(err)
	}
	plain, err := pack.Decrypt(bytes.NewReader(b.Bytes()), []string{key.String()})
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(plain)
	if err != nil || name != "case-1-1-lawyer.zip.age" {
		t.Errorf("%s %v", name, err)
	}
	sound(t, e, got)
}

func TestCasesMergeAndSplit(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		e := investigated(t, fresh(), &testClock{})
		ctx := t.Context()
		cs := strangers(4)
		submit(t, e, cs)
		begin := func(ids ...string) string {
			id, err := e.BeginCase(ctx, bank, sleuth, CaseStart{Title: "x", Reason: "y", Complaints: ids})
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		a, b := begin(cs[0].ID, cs[1].ID), begin(cs[2].ID)
		exhibit(t, e, a, cs[0].ID, "a.txt", "a")
		exhibit(t, e, b, "", "b.txt", "b")
		if err := e.MergeCases(ctx, bank, sleuth, a, b, "the same hand"); err != nil {
			t.Fatal(err)
		}
		items := view(t, e, func(ctx context.Context, tx *store.Tx) ([]store.ItemRow, error) { return tx.Items(ctx, bank, a) })
		if len(items) != 2 || items[1].Number != 2 || items[1].Name != "b.txt" {
			t.Errorf("%+v", items)
		}
		if _, plain, err := e.OpenItem(ctx, bank, sleuth, items[1].ID, "review"); err != nil {
			t.Error(err)
		} else if got, err := io.ReadAll(plain); string(got) != "b" || err != nil {
			t.Errorf("%q %v", got, err)
		}
		if c := caseOf(t, e, b); c.Stage != bonafide.StageClosed || c.Into != a {
			t.Errorf("%+v", c)
		}
		if err := e.ChangeCase(ctx, bank, sleuth, b, 0, casefile.Change{What: "note", Text: "x"}); !errors.Is(err, bonafide.Conflict) {
			t.Errorf("wrote into a merged case: %v", err)
		}
		c, err := e.SplitCase(ctx, bank, sleuth, a, 0, nil, []string{cs[1].ID}, "another matter")
		if err != nil {
			t.Fatal(err)
		}
		if got := caseOf(t, e, c); got.From != a || !slices.Equal(got.Complaints, []string{cs[1].ID}) || got.Number != 3 {
			t.Errorf("%+v", got)
		}
		if problem, err := verifyLog(t, e); problem != "" || err != nil {
			t.Errorf("log: %s %v", problem, err)
		}
	})
}

// Dropping a case clears its ring: its tags go, and learning counts it as innocent.
func TestDroppedCaseClearsItsRing(t *testing.T) {
	e := investigated(t, testdb.SQLite(t), &testClock{})
	ctx := t.Context()
	submit(t, e, append(agency(9), strangers(300)...))
	quiet(t, e)
	ring := onlyRing(t, e)
	id, err := e.BeginCase(ctx, bank, sleuth, CaseStart{Title: "x", Reason: "y", Rings: []string{ring.ID}})
	if err != nil {
		t.Fatal(err)
	}
	if len(tags(t, e, "live")) == 0 {
		t.Fatal("the ring warns of nothing: the test shows nothing")
	}
	move(t, e, id, sleuth, casefile.Act{Move: bonafide.MoveDrop, Reason: "a public letter", Innocent: "the consumer council published it"})
	quiet(t, e)
	if n := len(tags(t, e, "live")); n != 0 {
		t.Errorf("%d tags still warn", n)
	}
}

func TestWatchTellsOfWhatIsNewOnce(t *testing.T) {
	e := investigated(t, testdb.SQLite(t), &testClock{})
	ctx := t.Context()
	cs := agency(9)
	submit(t, e, append(cs[:6], strangers(300)...))
	quiet(t, e)
	ring := onlyRing(t, e)
	advert, err := e.AddAdvert(ctx, bank, sleuth, bonafide.Advert{Where: "forum", Text: "We get your interest back! Call +447800055557", Publisher: "Sunrise"})
	if err != nil {
		t.Fatal(err)
	}
	id, err := e.BeginCase(ctx, bank, sleuth, CaseStart{Title: "x", Reason: "y", Rings: []string{ring.ID}, Adverts: []string{advert}})
	if err != nil {
		t.Fatal(err)
	}
	writeCase(t, e, id, casefile.Change{What: "watch", Kind: "ring", Name: ring.ID})
	writeCase(t, e, id, casefile.Change{What: "watch", Kind: "advert", Name: advert})
	for range 3 {
		if err := e.Watch(ctx, bank); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(caseOf(t, e, id).Tasks); n != 0 {
		t.Errorf("%d tasks for what was there already", n)
	}
	submit(t, e, cs[6:])
	quiet(t, e)
	for range 3 {
		if err := e.Watch(ctx, bank); err != nil {
			t.Fatal(err)
		}
	}
	var kinds []string
	for _, task := range caseOf(t, e, id).Tasks {
		kinds = append(kinds, task.Template)
	}
	slices.Sort(kinds)
	if !slices.Equal(kinds, []string{"watch.advert", "watch.ring"}) {
		t.Errorf("tasks: %v", kinds)
	}
	a := view(t, e, func(ctx context.Context, tx *store.Tx) (Analysis, error) {
		row, err := tx.Case(ctx, bank, id)
		if err != nil {
			return Analysis{}, err
		}
		return e.Analyse(ctx, tx, bank, &row.Case)
	})
	if len(a.Feeds) != 1 || len(a.Feeds[0].Complaints) != 3 || len(a.Months) == 0 {
		t.Errorf("%+v", a.Feeds)
	}
}

// What others are told of a case is infrastructure, and only once the police filed it or two
// people confirmed it.
func TestStixOfACaseNamesNoCustomer(t *testing.T) {
	e := investigated(t, testdb.SQLite(t), &testClock{})
	ctx := t.Context()
	cs := agency(9)
	cs[0].Customer.Phone = "+447911000111" // an agent wrote a customer's own number into an advert
	submit(t, e, append(cs, strangers(300)...))
	quiet(t, e)
	id := prepared(t, e, onlyRing(t, e))
	if _, err := e.Stix(ctx, bank, sleuth, id); !errors.Is(err, bonafide.Conflict) {
		t.Fatalf("shared before anybody but the lender believed it: %v", err)
	}
	packed(t, e, id, VariantPolice)
	writeCase(t, e, id, casefile.Change{What: "handover", Handover: bonafide.Handover{To: "police", Unit: "x", Variant: VariantPolice, Seal: 1}})
	report := casefile.Act{Move: bonafide.MoveReport, Reason: "r"}
	move(t, e, id, sleuth, report)
	move(t, e, id, jurist, report)
	move(t, e, id, sleuth, casefile.Act{Move: bonafide.MoveReceipt, Number: "R"})
	move(t, e, id, sleuth, casefile.Act{Move: bonafide.MoveExamine})
	move(t, e, id, sleuth, casefile.Act{Move: bonafide.MoveFile, Number: "F"})
	b, err := e.Stix(ctx, bank, sleuth, id)
	if err != nil {
		t.Fatal(err)
	}
	if s := string(b); strings.Contains(s, "447911000111") || !strings.Contains(s, "447800055555") || !strings.Contains(s, "Sunrise Rights Ltd") || strings.Contains(s, "Cli") {
		t.Errorf("%s", s)
	}
}

func TestItemsAreTakenInByTwoAndReadForAPurpose(t *testing.T) {
	e := investigated(t, testdb.SQLite(t), &testClock{})
	ctx := t.Context()
	submit(t, e, strangers(2))
	complaint := strangers(1)[0].ID
	id, err := e.BeginCase(ctx, bank, sleuth, CaseStart{Title: "x", Reason: "y", Complaints: []string{complaint}})
	if err != nil {
		t.Fatal(err)
	}
	good := bonafide.Item{Case: id, Name: "C:\\temp\\..\\evil\\\u202egnp.exe", Category: "electronic", Source: "a", Extractor: "Ivo", Second: "Sela", Tool: "t 1", Place: "p"}
	for what, wrong := range map[string]func(*bonafide.Item){
		"no second person": func(i *bonafide.Item) { i.Second = "" },
		"one person twice": func(i *bonafide.Item) { i.Second = "ivo" },
		"no source":        func(i *bonafide.Item) { i.Source = " " },
		"no category":      func(i *bonafide.Item) { i.Category = "gossip" },
		"a stranger":       func(i *bonafide.Item) { i.Complaint = strangers(2)[1].ID },
		"the future":       func(i *bonafide.Item) { i.At = time.Now().AddDate(1, 0, 0) },
		"another's parent": func(i *bonafide.Item) { i.Parent = "nothing" },
	} {
		i := good
		wrong(&i)
		if _, err := e.TakeIn(ctx, bank, sleuth, i, strings.NewReader("x")); err == nil {
			t.Errorf("%s: was taken in", what)
		}
	}
	item, err := e.TakeIn(ctx, bank, sleuth, good, strings.NewReader("%PDF-1.7\nx"))
	if err != nil || item.Name != "gnp.exe" || item.MIME != "application/pdf" || len(item.Notes) == 0 {
		t.Fatalf("%+v %v", item, err)
	}
	if _, _, err := e.OpenItem(ctx, bank, sleuth, item.ID, ""); !errors.Is(err, bonafide.Invalid) {
		t.Errorf("read for no purpose: %v", err)
	}
	_, plain, err := e.OpenItem(ctx, bank, sleuth, item.ID, "review")
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(plain)
	if err != nil || string(got) != "%PDF-1.7\nx" {
		t.Errorf("%q %v", got, err)
	}
	for _, record := range Records {
		if _, err := e.TakeRecord(ctx, bank, sleuth, id, complaint, record, "Sela", "office"); err != nil {
			t.Errorf("%s: %v", record, err)
		}
	}
	log := view(t, e, func(ctx context.Context, tx *store.Tx) ([]store.CustodyEntry, error) {
		items, err := tx.Items(ctx, bank, id)
		var ids []string
		for _, i := range items {
			ids = append(ids, i.ID)
		}
		if err != nil {
			return nil, err
		}
		return tx.CustodyOf(ctx, bank, ids, 0)
	})
	if len(log) != 2+len(Records) || !strings.Contains(string(log[1].Data), `"item.read"`) || !strings.Contains(string(log[1].Data), `"review"`) {
		t.Errorf("%d entries; %s", len(log), log[1].Data)
	}
	if n, bad, err := e.CheckEvidence(ctx); err != nil || n != 1+len(Records) || len(bad) > 0 {
		t.Errorf("%d %v %v", n, bad, err)
	}
}
