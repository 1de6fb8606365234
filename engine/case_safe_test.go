package engine

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"bonafide"
	"bonafide/casefile"
	"bonafide/casework"
	"bonafide/internal/testdb"
	"bonafide/internal/tsa"
	"bonafide/store"
)

// world is an engine with one ring among strangers.
func world(t testing.TB) (*Engine, store.RingRow) {
	t.Helper()
	e := investigated(t, testdb.SQLite(t), &testClock{})
	submit(t, e, append(agency(9), strangers(300)...))
	quiet(t, e)
	return e, onlyRing(t, e)
}

var asked = func(*store.Tx, string, []string) error { return nil }

// What speaks for somebody after the case was sealed makes the seal old: the next pack says
// so, and the old one is not reported.
func TestWhatSpeaksForSomebodyMakesASealOld(t *testing.T) {
	e, ring := world(t)
	ctx := t.Context()
	id := prepared(t, e, ring)
	packed(t, e, id, VariantPolice)
	writeCase(t, e, id, casefile.Change{What: "handover", Handover: bonafide.Handover{To: "police", Unit: "x", Variant: VariantPolice, Seal: 1}})
	for _, act := range []casework.Act{{Verb: casework.Register}, {Verb: casework.Investigate}, {Verb: casework.Decide, Outcome: casework.Upheld, Reason: "charged twice"}} {
		version := view(t, e, func(ctx context.Context, tx *store.Tx) (int, error) {
			k, err := tx.Track(ctx, bank, ring.Members[0])
			return k.Version, err
		})
		if _, err := e.Move(ctx, bank, sleuth, ring.Members[0], version, act); err != nil {
			t.Fatal(err)
		}
	}
	err := e.MoveCase(ctx, bank, sleuth, id, 0, casefile.Act{Move: bonafide.MoveReport, Reason: "r"})
	if got := lacks(err); !slices.Contains(got, "seal-old") {
		t.Errorf("reported by a seal that does not say that a complaint was upheld: %v", err)
	}
	b, seal := packed(t, e, id, VariantPolice)
	if seal.Number != 2 || !strings.Contains(unpacked(t, b), `"code": "upheld"`) {
		t.Errorf("seal %d does not say it", seal.Number)
	}
}

// Somebody who is erased while a case is sealed does not come back in the seal.
func TestErasedWhileSealing(t *testing.T) {
	e, ring := world(t)
	ctx := t.Context()
	id, err := e.BeginCase(ctx, bank, sleuth, CaseStart{Title: "x", Reason: "y", Rings: []string{ring.ID}})
	if err != nil {
		t.Fatal(err)
	}
	at := e.cfg.Now().UTC().Truncate(time.Microsecond)
	s, err := e.gather(ctx, bank, id, VariantLawyer, 1, at)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Erase(ctx, bank, tester, "", ring.Members[0], "asked", asked); err != nil {
		t.Fatal(err)
	}
	if _, err := e.addSeal(ctx, bank, sleuth, store.Seal{Case: id, Variant: VariantLawyer, Number: 1, At: at}, s); !errors.Is(err, errMoved) {
		t.Errorf("sealed with somebody who was erased: %v", err)
	}
}

// Taking a ring out of a case under legal hold sets nobody in it free.
func TestUnlinkingLiftsNoHold(t *testing.T) {
	e, ring := world(t)
	ctx := t.Context()
	id := prepared(t, e, ring)
	writeCase(t, e, id, casefile.Change{What: "link", Kind: "complaint", Name: strangers(1)[0].ID})
	writeCase(t, e, id, casefile.Change{What: "unlink", Kind: "ring", Name: ring.ID})
	if err := e.Erase(ctx, bank, tester, "", ring.Members[0], "asked", asked); !errors.Is(err, bonafide.Conflict) {
		t.Errorf("erased under hold: %v", err)
	}
	c := caseOf(t, e, id)
	if slices.ContainsFunc(c.Parties, func(p bonafide.Party) bool { return p.Complaint != "" }) || len(c.Looks) > 0 {
		t.Errorf("the case still says something of who left it: %+v %+v", c.Parties, c.Looks)
	}
	b, _ := packed(t, e, id, VariantLawyer)
	if all := unpacked(t, b); strings.Contains(all, ring.Members[0]) {
		t.Error("the pack still speaks of a complaint that left the case")
	}
}

func TestRingThatIsNoMoreIsNotReported(t *testing.T) {
	e, ring := world(t)
	ctx := t.Context()
	id := prepared(t, e, ring)
	ring.State = string(bonafide.RingIsNoLonger)
	if err := e.cfg.DB.Update(ctx, func(tx *store.Tx) error { return tx.SaveRings(ctx, bank, tester, []store.RingRow{ring}) }); err != nil {
		t.Fatal(err)
	}
	err := e.MoveCase(ctx, bank, sleuth, id, 0, casefile.Act{Move: bonafide.MoveReport, Reason: "r"})
	if !errors.Is(err, bonafide.Conflict) || !strings.Contains(err.Error(), "no longer stands") {
		t.Errorf("reported on a ring that was dissolved: %v", err)
	}
	b, _ := packed(t, e, id, VariantPolice)
	if !strings.Contains(unpacked(t, b), string(bonafide.RingIsNoLonger)) {
		t.Error("the pack does not say that the ring was dissolved")
	}
}

// A pack that was sealed before cases were merged, or before the authority changed, can be
// written again.
func TestOldSealsCanBeWrittenAgain(t *testing.T) {
	e, ring := world(t)
	ctx := t.Context()
	id := prepared(t, e, ring)
	first, _ := packed(t, e, id, VariantPolice)
	other, err := e.BeginCase(ctx, bank, sleuth, CaseStart{Title: "x", Reason: "y", Complaints: []string{strangers(1)[0].ID}})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.MergeCases(ctx, bank, sleuth, other, id, "the same hand"); err != nil {
		t.Fatal(err)
	}
	authority, err := tsa.New(crand.Reader, e.cfg.Now)
	if err != nil {
		t.Fatal(err)
	}
	roots := e.cfg.StampRoots
	e.cfg.StampRoots, e.cfg.Stamp = authority.Roots, nil
	var b bytes.Buffer
	_, err = e.WritePack(ctx, bank, sleuth, id, VariantPolice, PackOptions{Seal: 1}, func(string) (io.Writer, error) { return &b, nil })
	if err != nil || !bytes.Equal(first, b.Bytes()) {
		t.Errorf("%d bytes of %d, %v", b.Len(), len(first), err)
	}
	e.cfg.StampRoots = roots
	sound(t, e, b.Bytes())
	err = e.MoveCase(ctx, bank, sleuth, id, 0, casefile.Act{Move: bonafide.MoveReopen, Reason: "r"})
	if !errors.Is(err, bonafide.Conflict) {
		t.Errorf("a merged case was opened again: %v", err)
	}
}

// The police get nothing that names anybody before somebody else than the investigator
// approved the case.
func TestNothingForThePoliceBeforeTheReview(t *testing.T) {
	e, ring := world(t)
	ctx := t.Context()
	id, err := e.BeginCase(ctx, bank, sleuth, CaseStart{Title: "x", Reason: "y", Rings: []string{ring.ID}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.SealCase(ctx, bank, sleuth, id, VariantPolice, false); !errors.Is(err, bonafide.Conflict) {
		t.Errorf("sealed for the police: %v", err)
	}
	if _, err := e.SealCase(ctx, bank, sleuth, id, VariantLawyer, false); err != nil {
		t.Error(err)
	}
}

// Custody says that an item was handed over only where it was in the pack.
func TestHandedOverIsWhatWasInThePack(t *testing.T) {
	e, ring := world(t)
	id := prepared(t, e, ring)
	packed(t, e, id, VariantRegulator)
	late := exhibit(t, e, id, "", "late.txt", "came after the seal")
	writeCase(t, e, id, casefile.Change{What: "handover", Handover: bonafide.Handover{To: "regulator", Unit: "x", Variant: VariantRegulator, Seal: 1}})
	items := view(t, e, func(ctx context.Context, tx *store.Tx) ([]store.ItemRow, error) { return tx.Items(ctx, bank, id) })
	for _, i := range items {
		log := view(t, e, func(ctx context.Context, tx *store.Tx) ([]store.CustodyEntry, error) {
			return tx.CustodyOf(ctx, bank, []string{i.ID}, 0)
		})
		for _, l := range log {
			if strings.Contains(string(l.Data), "handed-over") && (i.ID == late.ID || i.Personal) {
				t.Errorf("item %d was not in the pack: %s", i.Number, l.Data)
			}
		}
	}
}

// Customers are named nowhere in a case, whenever they came in.
func TestNoCustomerIsNamedInACase(t *testing.T) {
	e := investigated(t, testdb.SQLite(t), &testClock{})
	ctx := t.Context()
	cs := strangers(2)
	cs[0].Customer.Name, cs[0].ID = "Canary Quillfeather", "C-0317498"
	submit(t, e, cs)
	id, err := e.BeginCase(ctx, bank, sleuth, CaseStart{Title: "What Canary Quillfeather wrote", Reason: "y", Complaints: []string{cs[1].ID}})
	if err != nil {
		t.Fatal(err)
	}
	writeCase(t, e, id, casefile.Change{What: "link", Kind: "complaint", Name: cs[0].ID})
	if c := caseOf(t, e, id); strings.Contains(c.Title, "Quillfeather") {
		t.Errorf("title: %s", c.Title)
	}
	steps := view(t, e, func(ctx context.Context, tx *store.Tx) ([]bonafide.CaseStep, error) {
		return tx.CaseSteps(ctx, bank, id)
	})
	if got := steps[len(steps)-1].Reason; got != "complaint C-0317498" {
		t.Errorf("the history hides which complaint was linked: %q", got)
	}
	err = e.ChangeCase(ctx, bank, sleuth, id, 0, casefile.Change{What: "party", Party: bonafide.Party{Role: bonafide.RoleUnknown, Name: "canary quillfeather", Basis: "b"}})
	if !errors.Is(err, bonafide.Invalid) {
		t.Errorf("a customer was named as somebody behind the case: %v", err)
	}
	writeCase(t, e, id, casefile.Change{What: "loss", Loss: bonafide.Loss{Kind: "cost", Amount: bonafide.Amount{Minor: 1, Currency: "CNY"}, Basis: "a,b\n=1+1"}})
	b, _ := packed(t, e, id, VariantLawyer)
	if all := unpacked(t, b); strings.Contains(all, "Quillfeather") || !strings.Contains(all, "\"a,b\n=1+1\"") {
		t.Error("the pack names a customer, or a cell of the losses became two")
	}
}

// An acquittal lets tags run out and teaches nothing.
func TestAcquittalRenewsNothing(t *testing.T) {
	clock := &testClock{}
	e := investigated(t, testdb.SQLite(t), clock)
	ctx := t.Context()
	submit(t, e, append(agency(9), strangers(300)...))
	quiet(t, e)
	id := prepared(t, e, onlyRing(t, e))
	packed(t, e, id, VariantPolice)
	writeCase(t, e, id, casefile.Change{What: "handover", Handover: bonafide.Handover{To: "police", Unit: "x", Variant: VariantPolice, Seal: 1}})
	report := casefile.Act{Move: bonafide.MoveReport, Reason: "r"}
	move(t, e, id, sleuth, report)
	move(t, e, id, jurist, report)
	before := tags(t, e, "live")
	clock.pass(48 * time.Hour)
	for _, m := range []bonafide.Move{bonafide.MoveReceipt, bonafide.MoveExamine, bonafide.MoveFile, bonafide.MoveInvest, bonafide.MoveTransfer, bonafide.MoveIndict, bonafide.MoveAcquit, bonafide.MoveClose} {
		move(t, e, id, jurist, casefile.Act{Move: m, Number: "n", Reason: "r"})
	}
	if c := caseOf(t, e, id); c.Exit != bonafide.ExitAcquitted {
		t.Errorf("exit %s", c.Exit)
	}
	after := map[string]time.Time{}
	for _, g := range tags(t, e, "live") {
		after[g.ID] = g.Expires
	}
	for _, g := range before {
		if at, ok := after[g.ID]; ok && at.After(g.Expires) {
			t.Errorf("a tag warns longer after an acquittal: %s", g.Target.Kind)
		}
	}
	if _, err := e.Stix(ctx, bank, sleuth, id); !errors.Is(err, bonafide.Conflict) {
		t.Errorf("shared after an acquittal: %v", err)
	}
}
