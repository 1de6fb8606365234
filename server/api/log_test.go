package api

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"bonafide"
	"bonafide/evidence"
	"bonafide/store"
)

// 48 clients under two keys change things at once, and every line of the log names
// who did it.
func TestLogNamesTheRightActor(t *testing.T) {
	w := newWorld(t, func(l *Limits) { l.Streams = 48 })
	th := w.a.seed()
	keys := []*client{
		w.key("tenant-a", store.APIKey{Name: "one", Scopes: []bonafide.Scope{bonafide.ScopeAdmin}}),
		w.key("tenant-a", store.APIKey{Name: "two", Scopes: []bonafide.Scope{bonafide.ScopeAdmin}}),
	}
	names := []string{"one", "two"}
	seen := len(w.a.entries())
	var wg sync.WaitGroup
	for i := range 48 {
		wg.Go(func() {
			c, id := keys[i%2], fmt.Sprintf("by-%s-%d", names[i%2], i)
			mark := func(m map[string]any) map[string]any { m["reason"] = id; return m }
			c.ok(201, "POST", "/complaints", map[string]any{"id": id, "received": "2026-03-02T09:30:00Z", "text": "x", "customer": map[string]any{"ref": id}})
			c.ok(200, "POST", "/calls/bulk", fmt.Sprintf(`{"id":%q,"customer_ref":%q,"started":"2026-02-27T22:40:00+08:00","duration_s":5,"direction":"out","party":"debtor","effective":true}`+"\n", id, id))
			c.ok(200, "POST", "/complaints/bulk", fmt.Sprintf(`{"id":"%s-b","received":"2026-03-02T09:30:00Z","text":"x"}`+"\n", id))
			var tag bonafide.Tag
			c.ok(201, "POST", "/tags", mark(map[string]any{"complaint": id})).into(t, &tag)
			c.ok(200, "POST", "/tags/"+tag.ID+"/renew", mark(map[string]any{}))
			c.ok(200, "POST", "/tags/lookup", map[string]any{"complaint": id, "purpose": id})
			c.ok(200, "GET", "/complaints/"+id+"?include=content", nil, with(purposeHeader, id))
			c.ok(200, "POST", "/links/apart", mark(map[string]any{"a": id, "b": th.other}))
			c.ok(200, "POST", "/tags/"+tag.ID+"/remove", mark(map[string]any{}))
			c.ok(200, "POST", "/customers/erase", mark(map[string]any{"complaint": id}))
		})
	}
	wg.Wait()
	entries := w.a.entries()[seen:]
	if len(entries) < 48*10 {
		t.Errorf("%d entries for %d changes", len(entries), 48*10)
	}
	marked := 0
	for _, e := range entries {
		for i, name := range names {
			if strings.Contains(e.Text, "by-"+name+"-") {
				marked++
				if e.Actor != "key:"+keys[i].id {
					t.Errorf("entry %d was made by %s and names %s: %s", e.N, name, e.Actor, e.Text)
				}
			}
		}
	}
	if marked < 48*9 {
		t.Errorf("%d entries say who made them, want %d: does the test look at anything?", marked, 48*9)
	}
	_, vkey, err := evidence.NewSigner(rand.Reader, "test")
	if err != nil {
		t.Fatal(err)
	}
	rep, err := w.db.VerifyLog(t.Context(), "tenant-a", vkey, nil)
	if err != nil || rep.Problem != nil {
		t.Errorf("the log does not verify: %v, %v", err, rep.Problem)
	}
}

// Content is shown with a purpose only, and the log has who looked, at what and why.
func TestRevealsAreLogged(t *testing.T) {
	w := newWorld(t)
	th := w.a.seed()
	reader := w.key("tenant-a", store.APIKey{Name: "reader", Scopes: []bonafide.Scope{bonafide.ScopeComplaintsRead, bonafide.ScopeRecordsRead, bonafide.ScopeRingsRead}})
	for kind, id := range map[string]string{"complaint": th.complaint, "customer": th.customer, "contract": th.contract, "call": th.call, "representative": th.representative, "template": th.template} {
		path := "/" + kind + "s/" + id
		before := w.a.counts()
		if g := reader.ok(200, "GET", path, nil); strings.Contains(string(g.body), canary) || strings.Contains(string(g.body), "content\":") || strings.Contains(string(g.body), "examples") {
			t.Errorf("%s shows its content unasked: %s", path, g.body)
		}
		reader.ok(400, "GET", path+"?include=content", nil)
		if after := w.a.counts(); after["log"] != before["log"] {
			t.Errorf("%s: a look without content is logged", path)
		}
		g := reader.ok(200, "GET", path+"?include=content", nil, with(purposeHeader, "answering the complaint"))
		if want := map[bool]string{true: "examples", false: canary}[kind == "template"]; !strings.Contains(string(g.body), want) {
			t.Errorf("%s does not show its content: %s", path, g.body)
		}
		es := w.a.actions(kind + ".revealed")
		if len(es) != 1 || es[0].Actor != "key:"+reader.id || es[0].Target != kind+":"+id || string(es[0].Detail) != `{"purpose":"answering the complaint"}` {
			t.Errorf("%s: the log has %+v", path, es)
		}
	}
}

// A look-up finds what stands on the identifier, the customer, the complaint and their
// rings, and nothing else; the log has its purpose and no value.
func TestLookUp(t *testing.T) {
	w := newWorld(t)
	th := w.a.seed()
	tag := func(on map[string]any) string {
		on["reason"] = "ask who is calling"
		var made bonafide.Tag
		w.a.ok(201, "POST", "/tags", on).into(t, &made)
		return made.ID
	}
	phone := map[string]any{"kind": "phone", "value": "+86 130 0000 0002"}
	onPhone := tag(map[string]any{"identifier": phone})
	onCustomer := tag(map[string]any{"customer_ref": "a-K-1"})
	onRing := tag(map[string]any{"ring": th.ring})
	tag(map[string]any{"identifier": phone, "expires": w.clock.Now().Add(time.Hour)})
	w.clock.move(2 * time.Hour) // it has ended
	front := w.key("tenant-a", store.APIKey{Name: "softphone", Scopes: []bonafide.Scope{bonafide.ScopeTagsLookup}})
	for _, c := range []struct {
		name string
		ask  map[string]any
		want []string
	}{
		{"the phone, written otherwise", map[string]any{"identifiers": []any{map[string]any{"kind": "phone", "value": "+8613000000002"}}}, []string{onPhone}},
		{"the customer", map[string]any{"customer_ref": "a-K-1"}, []string{onCustomer}},
		{"the complaint, and its ring", map[string]any{"complaint": th.complaint}, []string{th.tag, onRing}},
		{"all", map[string]any{"identifiers": []any{phone}, "customer_ref": "a-K-1", "complaint": th.complaint}, []string{th.tag, onPhone, onCustomer, onRing}},
		{"another phone", map[string]any{"identifiers": []any{map[string]any{"kind": "phone", "value": "+86 130 0000 0003"}}}, nil},
		{"the number as another kind", map[string]any{"identifiers": []any{map[string]any{"kind": "account", "value": "+86 130 0000 0002"}}}, nil},
		{"a complaint that is none", map[string]any{"complaint": canary}, nil},
		{"a value that means none", map[string]any{"identifiers": []any{map[string]any{"kind": "phone", "value": "unknown"}}}, nil},
	} {
		c.ask["purpose"] = "incoming call"
		var got lookedUp
		front.ok(200, "POST", "/tags/lookup", c.ask).into(t, &got)
		var ids []string
		for _, tag := range got.Tags {
			ids = append(ids, tag.ID)
		}
		slices.Sort(ids)
		slices.Sort(c.want)
		if !slices.Equal(ids, c.want) {
			t.Errorf("%s: tags %v, want %v", c.name, ids, c.want)
		}
		es := w.a.actions("tags.looked-up")
		e := es[len(es)-1]
		var d struct {
			Purpose     string
			Identifiers int
			Tags        []string
		}
		if err := json.Unmarshal(e.Detail, &d); err != nil {
			t.Fatal(err)
		}
		slices.Sort(d.Tags)
		if e.Actor != "key:"+front.id || d.Purpose != "incoming call" || !slices.Equal(d.Tags, c.want) && len(d.Tags)+len(c.want) > 0 {
			t.Errorf("%s: the log has %s by %s", c.name, e.Detail, e.Actor)
		}
		if strings.Contains(e.Text, "13000000002") || strings.Contains(e.Text, "130 0000") || strings.Contains(e.Text, canary) || strings.Contains(e.Text, "a-K-1") {
			t.Errorf("%s: the log has a value: %s", c.name, e.Text)
		}
	}
	front.ok(422, "POST", "/tags/lookup", map[string]any{"customer_ref": "a-K-1"})
	front.ok(422, "POST", "/tags/lookup", map[string]any{"purpose": "incoming call"})
}

// A proof from the API shows offline that an entry is in the log of a checkpoint.
func TestProofs(t *testing.T) {
	w := newWorld(t)
	w.a.ok(404, "GET", "/log/checkpoint", nil)
	w.a.seed()
	var skey, vkey string
	w.update(func(tx *store.Tx) (err error) {
		if skey, vkey, err = tx.SigningKey(t.Context()); err != nil {
			return err
		}
		tree, err := tx.LogTree(t.Context(), "tenant-a")
		if err != nil {
			return err
		}
		signer, err := note.NewSigner(skey)
		if err != nil {
			return err
		}
		text, err := evidence.SignCheckpoint(signer, "tenant-a", tree, w.clock.Now())
		if err != nil {
			return err
		}
		return tx.AddCheckpoint(t.Context(), "tenant-a", tree.N, text, w.clock.Now())
	})
	w.a.ok(200, "POST", "/tags/lookup", map[string]any{"complaint": "a-C-1", "purpose": "incoming call"}) // the log grows on
	var cp checkpointView
	w.a.ok(200, "GET", "/log/checkpoint", nil).into(t, &cp)
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	open, err := evidence.OpenCheckpoint([]byte(cp.Text), verifier)
	if err != nil || open.N != cp.Size {
		t.Fatalf("the checkpoint does not open: %v", err)
	}
	entries := w.a.entries()
	if int64(len(entries)) <= cp.Size {
		t.Fatalf("%d entries, want more than %d", len(entries), cp.Size)
	}
	for n := range cp.Size {
		var p proofView
		w.a.ok(200, "GET", fmt.Sprintf("/log/entries/%d/proof?size=%d", n, cp.Size), nil).into(t, &p)
		if p.Root != open.Hash || p.Text != entries[n].Text {
			t.Errorf("entry %d: another root or text than the checkpoint and the list have", n)
		}
		if err := evidence.CheckRecord(p.Proof, open.Tree, n, []byte(p.Text)); err != nil {
			t.Error(err)
		}
		if evidence.CheckRecord(p.Proof, open.Tree, n, []byte(p.Text+" ")) == nil {
			t.Errorf("entry %d: the proof holds for other bytes", n)
		}
		w.a.ok(200, "GET", fmt.Sprintf("/log/entries/%d/proof", n), nil).into(t, &p)
		if err := evidence.CheckRecord(p.Proof, tlog.Tree{N: p.Size, Hash: p.Root}, n, []byte(p.Text)); err != nil {
			t.Error(err)
		}
	}
	w.a.ok(404, "GET", fmt.Sprintf("/log/entries/%d/proof?size=%d", cp.Size, cp.Size), nil)
	w.a.ok(404, "GET", "/log/entries/0/proof?size=100000", nil)
}

// A person's data is gone after an erasure; that it was there and who erased it stays.
func TestErase(t *testing.T) {
	w := newWorld(t)
	th := w.a.seed()
	eraser := w.key("tenant-a", store.APIKey{Name: "eraser", Scopes: []bonafide.Scope{bonafide.ScopeErase}})
	var done erased
	eraser.ok(200, "POST", "/customers/erase", map[string]any{"customer_ref": "a-K-1", "reason": "asked for it"}).into(t, &done)
	if done.Customer != th.customer || done.Complaints != 1 {
		t.Errorf("erased %+v, want the customer %s and 1 complaint", done, th.customer)
	}
	for _, path := range []string{"/complaints/" + th.complaint, "/customers/" + th.customer, "/contracts/" + th.contract, "/calls/" + th.call, "/representatives/" + th.representative} {
		w.a.ok(200, "GET", path, nil)
		if g := w.a.ok(404, "GET", path+"?include=content", nil, with(purposeHeader, "curious")); strings.Contains(string(g.body), canary) {
			t.Errorf("%s: %s", path, g.body)
		}
	}
	var v complaintView
	w.a.ok(200, "GET", "/complaints/"+th.complaint, nil).into(t, &v)
	if v.State != store.ComplaintErased {
		t.Errorf("state %q, want %q", v.State, store.ComplaintErased)
	}
	w.a.ok(200, "GET", "/complaints/"+th.other+"?include=content", nil, with(purposeHeader, "answering"))
	eraser.ok(404, "POST", "/customers/erase", map[string]any{"customer_ref": "a-K-1", "reason": "again"})
	es := w.a.actions("subject.erased")
	if len(es) != 1 || es[0].Actor != "key:"+eraser.id || strings.Contains(es[0].Text, "a-K-1") {
		t.Errorf("the log has %+v", es)
	}
}
