package console

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"bonafide"
	"bonafide/casework"
	"bonafide/store"
)

// A file with two good rows, a bad date, a missing id, a row too short and a formula.
const houseFile = `id,received,complaint,customer name,customer phone,phone,supervisor
C-1,2026-03-01 10:00,"I am Zelda Quimby, call 13812345678: my interest is wrong",Zelda Quimby,13812345678,13912345670,Otto Vance
C-2,2026-03-02 11:00,"=HYPERLINK(""http://evil.example"",""x"") the fee is wrong",=cmd|' /C calc'!A0,13812345679,13912345671,Mia Lund
C-3,yesterday <script>alert(1)</script>,too many calls at night,Ruth Osei,13812345680,13912345672,Otto Vance
,2026-03-03 11:00,a complaint without a number,Omar Said,13812345681,13912345673,Mia Lund
C-5,2026-03-04
`

// waitImport waits until an import has ended.
func (h *house) waitImport(id string) store.ImportRow {
	h.t.Helper()
	var m store.ImportRow
	h.wait("the import has ended", func() bool {
		h.view(func(tx *store.Tx) (err error) { m, err = tx.Import(h.t.Context(), houseTenant, id); return err })
		pending := false
		h.view(func(tx *store.Tx) (err error) {
			pending, err = tx.Pending(h.t.Context(), houseTenant, "import", id)
			return err
		})
		return !pending && (m.State == store.ImportDone || m.State == store.ImportStopped)
	})
	return m
}

func (h *house) quarantined(id string) (rows []store.QuarantineRow) {
	h.t.Helper()
	h.view(func(tx *store.Tx) (err error) {
		rows, err = tx.Quarantined(h.t.Context(), houseTenant, store.QuarantineOpen, id, "", 0)
		return err
	})
	return rows
}

func (h *house) stored(id string) (row store.ComplaintRow, ok bool) {
	h.t.Helper()
	err := h.db.View(h.t.Context(), func(tx *store.Tx) (err error) { row, err = tx.Complaint(h.t.Context(), houseTenant, id); return err })
	if err != nil && !errors.Is(err, bonafide.NotFound) {
		h.t.Fatal(err)
	}
	return row, err == nil
}

// start starts an import as it is guessed.
func (g *guest) start(to string) {
	g.h.t.Helper()
	g.post(to+"/start", url.Values{"version": {"1"}}).ok(g.h.t)
}

func TestImportPreviewHidesPeople(t *testing.T) {
	h := newHouse(t)
	g := h.sign("hana", bonafide.RoleHandler)
	to := g.upload("Zelda Quimby's file.csv", []byte(houseFile)).ok(t)
	page := g.get(to)
	page.shows(t, "C-1", "my interest is wrong", "•••", "5 rows were tried", "3 of them would be set aside", "no id: give every complaint its reference", "Zelda Quimby's file.csv")
	table := page.body[strings.Index(page.body, "<table"):]
	for _, hidden := range []string{"Zelda", "Quimby", "Ruth", "Otto Vance", "Mia Lund", "calc"} {
		if strings.Contains(table, hidden) {
			t.Errorf("the preview shows %q", hidden)
		}
	}
	page.hides(t, "13812345678", "13912345670")
	if strings.Contains(page.raw, "<script>alert") || strings.Contains(page.raw, `<a href="http://evil`) {
		t.Error("a cell became part of the page")
	}
	if !strings.Contains(page.raw, "<title>Import of a file · bonafide</title>") {
		t.Error("the title is not the page's own")
	}
	// As what a column is read can be changed, and the trial says what comes of it.
	form := func(as ...string) url.Values {
		v := url.Values{"version": {strconv.Itoa(h.importOf(to).Version)}, "columns": {"7"}, "zone": {"UTC"}, "order": {"ymd"}}
		for i, s := range as {
			v.Set("c"+strconv.Itoa(i), s)
		}
		return v
	}
	twice := g.post(to+"/mapping", form("id", "received", "text", "customer.name", "text", "contact:phone", ""))
	if twice.status != http.StatusUnprocessableEntity {
		t.Errorf("two columns as one field: %d", twice.status)
	}
	twice.shows(t, "two columns are read as the same field")
	none := g.post(to+"/mapping", form("id", "received", "", "customer.name", "", "", ""))
	none.shows(t, "choose the column that holds the words of the complaint")
	g.post(to+"/mapping", form("", "", "text", "customer.name", "customer.phone", "contact:phone", "")).ok(t)
	page = g.get(to)
	page.shows(t, "5 rows were tried", "1 of them would be set aside", "nothing can be said about timing")
	if stale := g.post(to+"/mapping", url.Values{"version": {"1"}, "columns": {"7"}, "c2": {"text"}}); stale.status != http.StatusConflict {
		t.Errorf("a stale form: %d, want a conflict", stale.status)
	}
	if strings.Contains(h.log.String(), "Zelda") {
		t.Error("the log names somebody")
	}
}

func (h *house) importOf(to string) (m store.ImportRow) {
	h.t.Helper()
	h.view(func(tx *store.Tx) (err error) {
		m, err = tx.Import(h.t.Context(), houseTenant, lastOf(to))
		return err
	})
	return m
}

func TestImportStoresQuarantinesAndMends(t *testing.T) {
	h := newHouse(t)
	g := h.sign("hana", bonafide.RoleHandler)
	to := g.upload("march.csv", []byte(houseFile)).ok(t)
	g.start(to)
	m := h.waitImport(lastOf(to))
	if m.State != store.ImportDone || m.Stored != 2 || m.Same != 0 || m.Bad != 3 {
		t.Fatalf("%s: %d stored, %d same, %d bad; want 2, 0, 3", m.State, m.Stored, m.Same, m.Bad)
	}
	err := h.db.View(t.Context(), func(tx *store.Tx) error {
		_, err := tx.UploadPart(t.Context(), houseTenant, m.ID, 0)
		return err
	})
	if !errors.Is(err, bonafide.NotFound) {
		t.Errorf("the file is still there: %v", err)
	}
	row, _ := h.stored("C-2")
	if !strings.Contains(string(row.Body), "=HYPERLINK") {
		t.Error("a formula is not kept as the text it is")
	}
	if track := h.track("C-1"); track.Due.IsZero() {
		t.Error("no clock runs for a new complaint")
	}

	g.get(to).shows(t, "Done", "See the rows that were set aside")
	list := g.get("/quarantine?import=" + m.ID)
	list.shows(t, "Line 4", "Line 5", "Line 6", "Date received", "no id: give every complaint its reference")
	list.hides(t, "Ruth", "Omar", "13812345680", "yesterday")
	bad := h.quarantined(m.ID)
	if len(bad) != 3 {
		t.Fatalf("%d rows in quarantine", len(bad))
	}

	// The row is shown clear, and that is logged.
	looked := h.did("quarantine.viewed")
	page := g.get("/quarantine/" + bad[0].ID)
	page.shows(t, "Ruth Osei", "13812345680", `aria-invalid="true"`, "not a date from 1990 to 2100")
	if strings.Contains(page.raw, "<script>alert") {
		t.Error("a cell became part of the page")
	}
	if h.did("quarantine.viewed") != looked+1 {
		t.Error("that the row was opened is not logged")
	}
	// Still wrong: nothing is lost.
	still := g.post("/quarantine/"+bad[0].ID+"/mend", url.Values{"f1": {"31 February"}, "f2": {"too many calls, corrected"}})
	if still.status != http.StatusUnprocessableEntity {
		t.Fatalf("a row that is still wrong: %d", still.status)
	}
	still.shows(t, "31 February", "too many calls, corrected", "Ruth Osei", "It still cannot be used")
	if _, ok := h.stored("C-3"); ok {
		t.Fatal("a row that is still wrong was stored")
	}
	if back := g.post("/quarantine/"+bad[0].ID+"/mend", url.Values{"f1": {"2026-03-03 09:00"}, "f2": {"too many calls, corrected"}}).ok(t); back != "/quarantine" {
		t.Errorf("led to %s", back)
	}
	row, ok := h.stored("C-3")
	if !ok || !strings.Contains(string(row.Body), "corrected") || !strings.Contains(string(row.Body), "Ruth Osei") || !strings.Contains(string(row.Body), "13912345672") {
		t.Errorf("the mended row is not stored whole: %s", row.Body)
	}
	h.view(func(tx *store.Tx) error {
		q, err := tx.OneQuarantined(t.Context(), houseTenant, bad[0].ID)
		if q.State != store.QuarantineMended || len(q.Body) != 0 {
			t.Errorf("the row is %s with %d bytes", q.State, len(q.Body))
		}
		return err
	})
	g.get("/quarantine/"+bad[0].ID).hides(t, "Ruth")
	if again := g.post("/quarantine/"+bad[0].ID+"/mend", url.Values{}); again.status != http.StatusConflict {
		t.Errorf("mending twice: %d", again.status)
	}
	// An id that another complaint has is refused in words.
	taken := g.post("/quarantine/"+bad[1].ID+"/mend", url.Values{"f0": {"C-1"}})
	taken.shows(t, "another content is stored already")
	// Dropping takes a reason.
	if none := g.post("/quarantine/"+bad[1].ID+"/drop", url.Values{}); none.status != http.StatusUnprocessableEntity {
		t.Errorf("dropped without a reason: %d", none.status)
	}
	g.post("/quarantine/"+bad[1].ID+"/drop", url.Values{"reason": {"duplicate"}}).ok(t)
	if left := h.quarantined(m.ID); len(left) != 1 {
		t.Errorf("%d rows left, want 1", len(left))
	}
	// The same file again stores nothing twice.
	to = g.upload("march.csv", []byte(houseFile)).ok(t)
	g.start(to)
	if m := h.waitImport(lastOf(to)); m.Stored != 0 || m.Same != 2 || m.Bad != 3 {
		t.Errorf("again: %d stored, %d same, %d bad; want 0, 2, 3", m.Stored, m.Same, m.Bad)
	}
	for _, secret := range []string{"Zelda", "Ruth", "13812345680"} {
		if strings.Contains(h.log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

func (h *house) track(id string) (row store.TrackRow) {
	h.t.Helper()
	h.view(func(tx *store.Tx) (err error) { row, err = tx.Track(h.t.Context(), houseTenant, id); return err })
	return row
}

func TestImportOfHistoryStartsNoClock(t *testing.T) {
	h := newHouse(t)
	g := h.sign("hana", bonafide.RoleHandler)
	to := g.upload("old.csv", []byte(houseFile)).ok(t)
	g.post(to+"/start", url.Values{"version": {"1"}, "history": {"yes"}}).ok(t)
	h.waitImport(lastOf(to))
	track := h.track("C-1")
	if track.State != string(casework.Closed) || !track.Due.IsZero() {
		t.Errorf("%s, due %v; want closed and no clock", track.State, track.Due)
	}
}

func TestImportOfTheContract(t *testing.T) {
	h := newHouse(t)
	g := h.sign("hana", bonafide.RoleHandler)
	file := `{"id":"N-1","received":"2026-03-01T10:00:00Z","text":"the rate is wrong","customer":{"name":"Zelda Quimby"},"contacts":[{"kind":"phone","value":"13812345678"}]}
{"id":"N-2","received":"1 March","text":"the fee is wrong","customer":{"name":"Ruth Osei"},"contacts":[{"kind":"phone","value":"13812345679"}],"amount":{"minor":1200,"currency":"CNY"}}
{"id":"N-3","received":"2026-03-01T10:00:00Z","text":"cut sho
`
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte(file)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	to := g.upload("a.ndjson.gz", zipped.Bytes()).ok(t)
	page := g.get(to)
	page.shows(t, "follows the complaint format", "2 of them would be set aside")
	page.hides(t, "Zelda", "13812345678")
	g.start(to)
	m := h.waitImport(lastOf(to))
	if m.Stored != 1 || m.Bad != 2 {
		t.Fatalf("%d stored, %d bad", m.Stored, m.Bad)
	}
	bad := h.quarantined(m.ID)
	page = g.get("/quarantine/" + bad[0].ID)
	page.shows(t, "1 March", "Ruth Osei", `[{"kind":"phone","value":"13812345679"}]`)
	form := url.Values{}
	for _, f := range regexp.MustCompile(`for="(f\d+)"><bdi>received<`).FindAllStringSubmatch(page.raw, -1) {
		form.Set(f[1], "2026-03-01T10:00:00Z")
	}
	g.post("/quarantine/"+bad[0].ID+"/mend", form).ok(t)
	row, ok := h.stored("N-2")
	if !ok || !strings.Contains(string(row.Body), `"minor":1200`) || !strings.Contains(string(row.Body), "13812345679") {
		t.Errorf("not stored whole: %s", row.Body)
	}
	// A line that could not be cut stands in one piece.
	g.get("/quarantine/"+bad[1].ID).shows(t, "The row as it stands in the file", "cut sho")
	g.post("/quarantine/"+bad[1].ID+"/mend", url.Values{"f0": {`{"id":"N-3","received":"2026-03-01T10:00:00Z","text":"cut short"}`}}).ok(t)
	if _, ok := h.stored("N-3"); !ok {
		t.Error("the mended line is not stored")
	}
}

func TestImportRefusesFiles(t *testing.T) {
	h := newHouse(t)
	g := h.sign("hana", bonafide.RoleHandler)
	for name, one := range map[string]struct {
		content []byte
		status  int
		says    string
	}{
		"binary":   {bytes.Repeat([]byte{0, 1, 2, 0xff, 'x'}, 500), http.StatusUnprocessableEntity, "not a text file"},
		"workbook": {append([]byte("PK\x03\x04"), bytes.Repeat([]byte{9}, 90)...), http.StatusUnprocessableEntity, "save it as CSV"},
		"empty":    {nil, http.StatusUnprocessableEntity, "empty file"},
		"header":   {[]byte("id,text\n"), http.StatusUnprocessableEntity, "a header and no rows"},
		"large":    {bytes.Repeat([]byte("a,b\n"), (maxFile+8)/4), http.StatusRequestEntityTooLarge, "larger than 64 MiB"},
	} {
		a := g.upload(name, one.content)
		if a.status != one.status || !strings.Contains(a.body, one.says) || strings.Contains(a.body, "file-") {
			t.Errorf("%s: %d, want %d and %q: %s", name, a.status, one.status, one.says, a.body)
		}
	}
	if a := g.post("/import", url.Values{"file": {"x"}}); a.status != http.StatusUnprocessableEntity {
		t.Errorf("no file: %d", a.status)
	}
	h.view(func(tx *store.Tx) error {
		all, err := tx.Imports(t.Context(), houseTenant, 10)
		if len(all) != 0 {
			t.Errorf("%d imports are kept of files that were refused", len(all))
		}
		return err
	})
	// A form that is no file has the limit of forms.
	if a := g.post("/import/x/mapping", url.Values{"version": {strings.Repeat("x", maxForm)}}); a.status == http.StatusSeeOther {
		t.Error("a giant form was taken")
	}
}

func TestImportStops(t *testing.T) {
	h := newHouse(t)
	g := h.sign("hana", bonafide.RoleHandler)
	var b bytes.Buffer
	b.WriteString("id,received,text\n")
	for i := range 40_000 {
		fmt.Fprintf(&b, "L-%d,2026-03-01,letter number %d says the rate was %d too high and nobody answered the telephone for %d days\n", i, i, i%97, i%31)
	}
	to := g.upload("long.csv", b.Bytes()).ok(t)
	g.start(to)
	h.wait("something is stored", func() bool { _, ok := h.stored("L-0"); return ok })
	g.post(to+"/stop", nil).ok(t)
	m := h.waitImport(lastOf(to))
	if m.State != store.ImportStopped || m.Stored == 0 || m.Stored >= 40_000 {
		t.Fatalf("%s with %d stored", m.State, m.Stored)
	}
	if n := h.complaints(); n != m.Stored {
		t.Errorf("%d are stored, the import says %d", n, m.Stored)
	}
	g.get(to).shows(t, "Stopped", "The file is deleted")
	if again := g.post(to+"/stop", nil); again.status != http.StatusConflict {
		t.Errorf("stopping twice: %d", again.status)
	}
	if again := g.post(to+"/start", url.Values{"version": {"1"}}); again.status != http.StatusConflict {
		t.Errorf("starting what was stopped: %d", again.status)
	}
}

// complaints counts those that are stored.
func (h *house) complaints() (n int64) {
	h.t.Helper()
	h.view(func(tx *store.Tx) error {
		all, err := tx.Complaints(h.t.Context(), houseTenant, 0, 0)
		n = int64(len(all))
		return err
	})
	return n
}

func TestImportNeedsItsScope(t *testing.T) {
	h := newHouse(t)
	g := h.sign("reggie", bonafide.RoleRegulator)
	for _, to := range []string{"/import", "/quarantine", "/import/x", "/quarantine/x"} {
		if a := g.get(to); a.status != http.StatusForbidden {
			t.Errorf("%s: %d", to, a.status)
		}
	}
	if a := g.upload("a.csv", []byte(houseFile)); a.status != http.StatusForbidden {
		t.Errorf("upload: %d", a.status)
	}
}
