package console

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"bonafide"
	"bonafide/casefile"
	"bonafide/engine"
	"bonafide/evidence/pack"
	"bonafide/store"
)

// theCase is a case of the north as it is stored.
func (o *office) theCase(id string) (row store.CaseRow) {
	o.t.Helper()
	o.view(func(tx *store.Tx) (err error) { row, err = tx.Case(o.t.Context(), "north", id); return err })
	return row
}

// changes writes into a case, and wants it taken.
func (c *client) changes(id, what string, pairs ...string) *reply {
	c.o.t.Helper()
	return c.sends(id, "change", append([]string{"what", what}, pairs...)...)
}

// sends sends a form of a case in the version that is stored.
func (c *client) sends(id, to string, pairs ...string) *reply {
	c.o.t.Helper()
	form := url.Values{"version": {strconv.Itoa(c.o.theCase(id).Version)}}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return c.post("/cases/"+id+"/"+to, form)
}

// takeIn hands a file in, with its fields before it.
func (c *client) takeIn(id, name, content string, fields map[string]string) *reply {
	c.o.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	all := map[string]string{"category": "electronic", "source": "mail archive", "extractor": "One", "second": "Other", "tool": "export 1", "place": "office", "personal": "no"}
	maps.Copy(all, fields)
	var errs []error
	for k, v := range all {
		errs = append(errs, m.WriteField(k, v))
	}
	f, err := m.CreateFormFile("file", name)
	if err == nil {
		_, err = f.Write([]byte(content))
	}
	if err := errors.Join(append(errs, err, m.Close())...); err != nil {
		c.o.t.Fatal(err)
	}
	return c.do(http.MethodPost, "/cases/"+id+"/items", &b, m.FormDataContentType())
}

// The lists that forms offer are the engine's own.
func TestCaseFormsOfferWhatTheEngineTakes(t *testing.T) {
	for name, pair := range map[string][2][]string{
		"variants": {sealVariants, engine.Variants}, "purposes": {itemPurposes, engine.Purposes}, "records": {itemRecords, engine.Records},
	} {
		if !slices.Equal(pair[0], pair[1]) {
			t.Errorf("%s: %v, the engine has %v", name, pair[0], pair[1])
		}
	}
	for _, what := range casefile.Changes {
		if changes[what] == nil || sections[what] == "" {
			t.Errorf("%s has no form, or stands in no part of the page", what)
		}
	}
	if len(changes) != len(casefile.Changes) {
		t.Errorf("%d forms, %d changes", len(changes), len(casefile.Changes))
	}
}

func TestAmountsAreRead(t *testing.T) {
	for s, want := range map[string]int64{"1200": 120000, "1,200.50": 120050, "1.200,50": 120050, " 7.5 ": 750, "1 000": 100000, "0.01": 1, "12,345": 1234500, "1.234.567": 123456700} {
		if got, ok := minorOf(s); !ok || got != want {
			t.Errorf("%q: %d %v, want %d", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "0", "-5", "x", "1e9", "12345678901234", ".", "1.2.3x", "+5"} {
		if got, ok := minorOf(s); ok && s != "+5" {
			t.Errorf("%q is %d", s, got)
		}
	}
}

// A case goes from a clue to a pack that the police are given, with every form of its page;
// what is lacking is said, in Chinese too, and by the same words on the page and in the
// answer.
func TestCaseThroughItsForms(t *testing.T) {
	o := newOffice(t)
	o.ready()
	all, other := o.signIn(o.north.People["investigator"]), o.signIn(o.north.People["reviewer"])
	id := last(all.post("/cases", url.Values{"title": {"One hand"}, "reason": {"as the ring shows"}, "ring": {o.north.Ring2}}).leads())
	at := "/cases/" + id
	for _, where := range []string{"/rings/" + o.north.Ring2, "/cases"} {
		if body := all.get(where).want(http.StatusOK).Body; !strings.Contains(body, at) {
			t.Errorf("%s does not lead to the case", where)
		}
	}
	all.sends(id, "move", "move", "preserve").want(http.StatusConflict) // it is a clue
	all.sends(id, "move", "move", "open").want(http.StatusSeeOther)
	all.post(at+"/move", url.Values{"move": {"preserve"}, "version": {"1"}}).want(http.StatusConflict)

	o.speaks(o.north.People["investigator"], "zh-CN")
	zh := o.signIn(o.north.People["investigator"])
	g := o.k.tongue(langs[1])
	page := zh.get(at).want(http.StatusOK)
	refused := zh.sends(id, "move", "move", "preserve").want(http.StatusConflict)
	for _, code := range []string{"assignee", "scenario"} {
		said := g.T("lack." + code)
		if !strings.Contains(html.UnescapeString(page.Body), said) || !strings.Contains(html.UnescapeString(refused.Body), said) {
			t.Errorf("%q is not said on the page or in the answer", said)
		}
	}
	if strings.Contains(refused.says(), "still needs") {
		t.Error("the refusal is in English: " + refused.says())
	}
	o.speaks(o.north.People["investigator"], "en")

	me := o.north.People["investigator"].ID
	all.changes(id, "assign", "name", me).want(http.StatusSeeOther)
	all.changes(id, "assign", "name", o.north.People["regulator"].ID).want(http.StatusUnprocessableEntity)
	all.changes(id, "group", "name", o.north.People["reviewer"].ID, "on", "yes").want(http.StatusSeeOther)
	all.changes(id, "gang", "on", "yes", "text", "many hands").want(http.StatusSeeOther)
	all.changes(id, "scenario", "name", "A6", "on", "yes").want(http.StatusSeeOther)
	all.changes(id, "title", "text", "One hand, many names").want(http.StatusSeeOther)
	all.changes(id, "note", "text", "called the issuer").want(http.StatusSeeOther)
	all.changes(id, "link", "kind", "advert", "name", o.north.Advert).want(http.StatusSeeOther)
	all.changes(id, "link", "kind", "ring", "name", o.south.Ring1).want(http.StatusNotFound)
	all.changes(id, "watch", "target", "advert "+o.north.Advert).want(http.StatusSeeOther)
	all.changes(id, "watch", "target", "scenario A6").want(http.StatusSeeOther)
	all.changes(id, "task", "text", "ask the council", "due", "2030-01-02").want(http.StatusSeeOther)
	all.changes(id, "no-such").want(http.StatusUnprocessableEntity)
	all.sends(id, "move", "move", "preserve").want(http.StatusSeeOther)
	if body := zh.get(at).want(http.StatusOK).Body; !strings.Contains(body, `data-watch="advert"`) {
		t.Error("the watch is not shown")
	}

	content := "%PDF-1.4\nnothing much\n%%EOF\n"
	sum := sha256.Sum256([]byte(content))
	all.takeIn(id, "../../etc/pass\u202Ewd\".pdf", content, nil).want(http.StatusSeeOther)
	all.takeIn(id, "x.pdf", content, map[string]string{"second": "one"}).want(http.StatusUnprocessableEntity)
	all.takeIn(id, "x.pdf", content, map[string]string{"complaint": o.south.Alone}).want(http.StatusUnprocessableEntity)
	all.takeIn(id, "x.pdf", content, map[string]string{"at": "yesterday"}).want(http.StatusUnprocessableEntity)
	all.post(at+"/record", url.Values{"complaint": {o.north.Of2[0]}, "record": {"letter"}, "second": {"Other"}, "place": {"office"}}).want(http.StatusSeeOther)
	all.post(at+"/record", url.Values{"complaint": {o.north.Of2[0]}, "record": {"secrets"}, "second": {"Other"}, "place": {"office"}}).want(http.StatusUnprocessableEntity)
	page = all.get(at).want(http.StatusOK)
	if !strings.Contains(page.Body, hex.EncodeToString(sum[:])) || strings.Contains(page.Body, "etc/pass") {
		t.Error("the digest is not shown, or the path of a name is")
	}
	var items []store.ItemRow
	o.view(func(tx *store.Tx) (err error) { items, err = tx.Items(t.Context(), "north", id); return err })
	if len(items) != 2 || !strings.HasSuffix(items[0].Name, `passwd".pdf`) {
		t.Fatalf("items %+v", items)
	}
	all.raw = true
	a := all.post("/items/"+items[0].ID+"/read", url.Values{"purpose": {"legal-review"}}).want(http.StatusOK)
	all.raw = false
	if _, params, err := mime.ParseMediaType(a.Header.Get("Content-Disposition")); err != nil || params["filename"] != "passwd_.pdf" || a.Body != content {
		t.Errorf("%v %v %q", err, params, a.Body)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'", "Cache-Control": "no-store", "Content-Length": strconv.Itoa(len(content)),
	} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	all.post("/items/"+items[0].ID+"/read", nil).want(http.StatusUnprocessableEntity)
	all.post("/items/"+items[0].ID+"/redact", url.Values{"second": {"Other"}}).want(http.StatusUnprocessableEntity)
	all.post("/items/"+items[1].ID+"/redact", url.Values{"second": {"Other"}}).want(http.StatusSeeOther)

	for _, task := range o.theCase(id).Tasks {
		all.changes(id, "task-done", "of", task.ID, "text", "done").want(http.StatusSeeOther)
	}
	var facts casefile.Facts
	o.view(func(tx *store.Tx) (err error) {
		facts, err = o.engine.CaseFacts(t.Context(), tx, "north", o.theCase(id))
		return err
	})
	for _, c := range facts.Untested {
		all.changes(id, "merit", "name", c, "text", "held against the contract: nothing").want(http.StatusSeeOther)
	}
	all.changes(id, "offence", "name", "K02", "on", "yes").want(http.StatusSeeOther)
	all.changes(id, "party", "role", "organiser", "name", "Sunrise Rights", "organisation", "yes", "basis", "the advert", "idkind", "phone", "value", "+447911000111").want(http.StatusSeeOther)
	boss := o.theCase(id).Parties[0].ID
	all.changes(id, "party", "role", "agent", "name", "Uncle", "under", boss, "basis", "a call").want(http.StatusSeeOther)
	all.changes(id, "party", "role", "borrower-victim", "complaint", o.north.Of2[0], "basis", "paid them").want(http.StatusSeeOther)
	all.changes(id, "party", "role", "borrower-victim", "name", "A Name", "basis", "x").want(http.StatusUnprocessableEntity)
	all.changes(id, "loss", "kind", "waived", "amount", "1,200.50", "currency", "cny", "basis", "two contracts").want(http.StatusSeeOther)
	all.changes(id, "loss", "kind", "waived", "amount", "much", "currency", "CNY", "basis", "x").want(http.StatusUnprocessableEntity)
	if l := o.theCase(id).Losses; len(l) != 1 || l[0].Amount != (bonafide.Amount{Minor: 120050, Currency: "CNY"}) {
		t.Errorf("losses %+v", l)
	}
	offence, _ := casefile.OffenceOf("K02")
	for _, e := range offence.Elements {
		all.changes(id, "exhibit", "element", "K02."+e.ID, "item", items[0].ID).want(http.StatusSeeOther)
	}
	all.changes(id, "exhibit-remove", "element", "K02.intent", "item", items[0].ID).want(http.StatusSeeOther)
	all.changes(id, "exhibit", "element", "K02.intent", "text", "not known yet").want(http.StatusSeeOther)
	all.sends(id, "move", "move", "review").want(http.StatusUnprocessableEntity)
	all.sends(id, "move", "move", "review", "innocent", "no outage, no public letter").want(http.StatusSeeOther)
	all.changes(id, "handover", "to", "police", "unit", "economic crimes", "item", items[0].ID).want(http.StatusConflict) // it is not reviewed
	all.sends(id, "move", "move", "prepare", "reason", "x").want(http.StatusForbidden)                                    // an investigator decides nothing
	other.sends(id, "change", "what", "note", "text", "x").want(http.StatusForbidden)
	other.sends(id, "move", "move", "drop", "reason", "x", "innocent", "x").want(http.StatusForbidden)
	other.sends(id, "move", "move", "prepare", "reason", "the elements are shown").want(http.StatusSeeOther)

	all.post(at+"/seal", url.Values{"variant": {"nobody"}}).want(http.StatusUnprocessableEntity)
	all.post(at+"/seal", url.Values{"variant": {"police"}}).want(http.StatusSeeOther)
	all.changes(id, "handover", "to", "police", "unit", "economic crimes", "seal", "police 1", "receipt", "E-1").want(http.StatusSeeOther)
	all.changes(id, "handover", "to", "police", "unit", "x", "seal", "police 9").want(http.StatusUnprocessableEntity)
	all.sends(id, "move", "move", "report", "reason", "to the police").want(http.StatusSeeOther)
	all.sends(id, "move", "move", "report", "reason", "to the police").want(http.StatusForbidden)
	other.sends(id, "move", "move", "report", "reason", "yes").want(http.StatusSeeOther)
	all.sends(id, "move", "move", "receipt").want(http.StatusUnprocessableEntity)
	all.sends(id, "move", "move", "receipt", "number", "R-1", "date", "2001-01-01").want(http.StatusUnprocessableEntity)
	all.sends(id, "move", "move", "receipt", "number", "R-1", "date", "soon").want(http.StatusUnprocessableEntity)
	all.sends(id, "move", "move", "receipt", "number", "R-1").want(http.StatusSeeOther)
	all.changes(id, "request", "from", "police", "text", "the statements", "due", "2030-02-01").want(http.StatusSeeOther)
	all.changes(id, "answer", "of", o.theCase(id).Requests[0].ID, "text", "given").want(http.StatusSeeOther)
	page = all.get(at).want(http.StatusOK)
	for _, want := range []string{`data-stage="receipt"`, `data-clock="police-review"`, `data-seal="police 1"`, `data-handover="police"`, `data-element="K02.paper"`, "R-1"} {
		if !strings.Contains(page.Body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	all.changes(id, "lift-hold", "text", "over").want(http.StatusSeeOther)
	all.changes(id, "lift-hold", "text", "over").want(http.StatusForbidden)
	other.sends(id, "change", "what", "lift-hold", "text", "agreed").want(http.StatusSeeOther)
	all.changes(id, "hold").want(http.StatusSeeOther)
	if c := o.theCase(id); !c.Hold {
		t.Error("the hold is not set")
	}

	// The pack is sound, and only its readers open one that is encrypted.
	all.raw = true
	a = all.post(at+"/pack", url.Values{"variant": {"police"}}).want(http.StatusOK)
	if _, err := zip.NewReader(strings.NewReader(a.Body), int64(len(a.Body))); err != nil || !strings.Contains(a.Header.Get("Content-Disposition"), "-police.zip") {
		t.Errorf("%v %v", err, a.Header)
	}
	if rep, err := pack.Verify(t.Context(), strings.NewReader(a.Body), int64(len(a.Body)), pack.Options{}); err != nil || len(rep.Problems) > 0 {
		t.Errorf("%v %+v", err, rep.Problems)
	}
	all.raw = false
	all.post(at+"/pack", url.Values{"variant": {"police"}, "recipients": {"not-a-key"}}).want(http.StatusUnprocessableEntity)
	all.post(at+"/stix", nil).want(http.StatusConflict)
	all.sends(id, "move", "move", "examine").want(http.StatusSeeOther)
	all.sends(id, "move", "move", "file", "number", "F-1").want(http.StatusSeeOther)
	all.raw = true
	if a = all.post(at+"/stix", nil).want(http.StatusOK); !strings.Contains(a.Body, `"bundle"`) {
		t.Error(a.Body)
	}
	all.raw = false

	// The month counts it, and each figure opens what is behind it.
	page = all.get("/month").want(http.StatusOK)
	if !strings.Contains(page.Body, "figure=filed&amp;month=") {
		t.Errorf("no list behind the filed: %s", page.says())
	}
	if body := all.get("/cases?figure=filed").want(http.StatusOK).Body; !strings.Contains(body, at) {
		t.Error("the case is not behind the figure")
	}
	all.get("/cases?figure=nonsense").want(http.StatusUnprocessableEntity)
	all.get("/month?m=2026-13").want(http.StatusUnprocessableEntity)
	regulator := o.signIn(o.north.People["regulator"])
	if body := regulator.get("/month").want(http.StatusOK).Body; strings.Contains(body, "/cases") {
		t.Error("the figures lead a regulator to cases")
	}
	for ext, kind := range map[string]string{"pdf": "application/pdf", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "csv": "text/csv; charset=utf-8"} {
		a := regulator.get("/month." + ext).want(http.StatusOK)
		if a.Header.Get("Content-Type") != kind || !strings.Contains(a.Header.Get("Content-Disposition"), "."+ext) || a.Body == "" {
			t.Errorf("%s: %v", ext, a.Header)
		}
		if ext == "csv" && strings.Contains(a.Body, "One hand") {
			t.Error("the file names a case to a regulator")
		}
	}
}

// Cases are merged and split on the page; what they become says where the rest is.
func TestCasesAreMergedAndSplit(t *testing.T) {
	o := newOffice(t)
	o.ready()
	me, id := o.signIn(o.north.People["compliance"]), o.north.Case
	split := last(me.sends(id, "split", "ring", o.north.Ring1, "reason", "two matters").leads())
	if c := o.theCase(split); c.From != id || !slices.Equal(c.Rings, []string{o.north.Ring1}) {
		t.Errorf("%+v", c.Case)
	}
	me.get("/cases/" + split).want(http.StatusOK)
	me.sends(id, "merge", "from", split, "reason", "they are one after all").want(http.StatusSeeOther)
	if body := me.get("/cases/" + split).want(http.StatusOK).Body; !strings.Contains(body, `href="/cases/`+id) || strings.Contains(body, `/change"`) {
		t.Error("what was merged does not lead on, or can be written into")
	}
	me.sends(id, "merge", "from", o.south.Case, "reason", "x").want(http.StatusNotFound)
	me.sends(id, "merge", "from", "no such", "reason", "x").want(http.StatusNotFound)
	me.sends(id, "merge", "from", "", "reason", "x").want(http.StatusUnprocessableEntity)
}

// A file that is larger than any form is taken in as it arrives; what stands behind it, or is
// no file, is refused.
func TestFilesAreTakenInAsTheyArrive(t *testing.T) {
	o := newOffice(t)
	o.ready()
	me, id := o.signIn(o.north.People["investigator"]), o.north.Case
	large := strings.Repeat("0123456789abcdef", 24<<16) // 24 MiB
	me.takeIn(id, "large.bin", large, nil).want(http.StatusSeeOther)
	var items []store.ItemRow
	o.view(func(tx *store.Tx) (err error) { items, err = tx.Items(t.Context(), "north", id); return err })
	if got := items[len(items)-1]; got.Size != int64(len(large)) {
		t.Errorf("%d bytes", got.Size)
	}
	me.takeIn(id, "", "no name", nil).want(http.StatusUnprocessableEntity)
	me.takeIn(id, "long.txt", "x", map[string]string{"source": strings.Repeat("x", 20<<10)}).want(http.StatusUnprocessableEntity)
	me.post("/cases/"+id+"/items", url.Values{"file": {"x"}}).want(http.StatusUnprocessableEntity)
	kind := "multipart/form-data; boundary=x"
	me.do(http.MethodPost, "/cases/"+id+"/items", strings.NewReader("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nfirst\r\n--x--\r\n"), kind).want(http.StatusUnprocessableEntity) // before its fields
	me.do(http.MethodPost, "/cases/"+id+"/items", strings.NewReader("--x\r\nContent-Disposition: form-data; name=\"source\"\r\n\r\nbroken"), kind).want(http.StatusBadRequest)
	if n := len(items); n != 2 {
		t.Errorf("%d items", n)
	}
}

// crowded begins a case about a ring and writes a text wherever one can be written.
func (c *client) crowded(ring, complaint, text string) (id string) {
	c.o.t.Helper()
	name, see := cutRunes(line(text), 190), http.StatusSeeOther
	c.post("/adverts", url.Values{"where": {name}, "url": {name}, "text": {text}, "publisher": {name}, "idkind": {"handle"}, "value": {cutRunes(line(text), 400)}}).want(see)
	id = last(c.post("/cases", url.Values{"title": {name}, "reason": {text}, "ring": {ring}}).leads())
	advert := ""
	c.o.view(func(tx *store.Tx) error {
		all, err := tx.Adverts(c.o.t.Context(), "north", nil, 1)
		advert = all[0].ID
		return err
	})
	for _, form := range [][]string{
		{"link", "kind", "advert", "name", advert},
		{"assign", "name", c.o.north.People["investigator"].ID},
		{"group", "name", c.o.north.People["all"].ID, "on", "yes"},
		{"gang", "on", "yes", "text", text},
		{"note", "text", text},
		{"scenario", "name", "A10", "on", "yes"},
		{"offence", "name", "K04", "on", "yes"},
		{"party", "role", "organiser", "name", name, "basis", text, "idkind", "handle", "value", cutRunes(line(text), 400)},
		{"party", "role", "borrower-victim", "complaint", complaint, "basis", text},
		{"loss", "kind", "refunded", "amount", "7", "currency", "CNY", "complaint", complaint, "basis", text},
		{"exhibit", "element", "K04.threat", "text", text},
		{"task", "text", text, "due", "2020-02-02"},
		{"request", "from", "court", "text", text, "due", "2020-02-02"},
		{"request", "from", "police", "text", text, "due", "2031-02-02"},
		{"watch", "target", "ring " + ring},
		{"watch", "target", "advert " + advert},
		{"merit", "name", complaint, "text", text},
		{"hold"},
		{"lift-hold", "text", text},
	} {
		c.changes(id, form[0], form[1:]...).want(see)
	}
	c.takeIn(id, name+".exe", text, map[string]string{"source": name, "tool": name, "place": name, "second": name, "complaint": complaint, "glossary": text}).want(see)
	item := ""
	c.o.view(func(tx *store.Tx) error {
		items, err := tx.Items(c.o.t.Context(), "north", id)
		item = items[0].ID
		return err
	})
	c.changes(id, "handover", "to", "lawyer", "unit", name, "person", name, "receipt", name, "item", item).want(see)
	row := c.o.theCase(id)
	c.changes(id, "answer", "of", row.Requests[1].ID, "text", text).want(see)
	c.changes(id, "task-done", "of", row.Tasks[0].ID, "text", text).want(see)
	c.sends(id, "seal", "variant", "lawyer").want(see)
	c.sends(id, "move", "move", "open").want(see)
	return id
}

// An application that was made in time is entered later with its date; a merged case goes
// nowhere by itself.
func TestCaseMovesThatAreOffered(t *testing.T) {
	late := moveRow{Move: bonafide.MoveReconsider, Dated: true, May: true, Lacks: []casefile.Lack{{Code: "too-late", About: "2026-03-09"}}}
	if !late.Ready() {
		t.Error("an application of before cannot be entered")
	}
	late.Lacks = append(late.Lacks, casefile.Lack{Code: "rounds"})
	if late.Ready() {
		t.Error("a third round is offered")
	}
	who := &visit{}
	for into, want := range map[string]int{"": 1, "other": 0} {
		p := &casePage{CaseRow: store.CaseRow{Case: bonafide.Case{Stage: bonafide.StageClosed, Into: into}}}
		p.moves(who, casefile.Facts{}, time.Now())
		if len(p.Moves) != want {
			t.Errorf("into %q: %d moves are offered", into, len(p.Moves))
		}
	}
	row := store.CaseRow{Case: bonafide.Case{Stage: bonafide.StageClosed, Into: "other"}}
	if err := new(Console).couldMove(row, casefile.Act{Move: bonafide.MoveReopen, Reason: "r"}); !errors.Is(err, bonafide.Conflict) {
		t.Error(err)
	}
}
