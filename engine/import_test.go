package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"bonafide"
	"bonafide/intake"
	"bonafide/internal/testdb"
	"bonafide/store"

	crand "crypto/rand"
)

// longFile is a table of n rows; every tenth has no date.
func longFile(n int) []byte {
	var b bytes.Buffer
	b.WriteString("id,received,text,phone\n")
	for i := range n {
		day := "2026-03-01"
		if i%10 == 9 {
			day = "soon"
		}
		fmt.Fprintf(&b, "F-%06d,%s,\"letter %d says that the rate was %d too high, that nobody answered for %d days\",+4478%08d\n", i, day, i, i%97, i%31, i)
	}
	return b.Bytes()
}

// handIn stores a file as the console does.
func handIn(t testing.TB, db *store.DB, file []byte) (id string, how intake.Import) {
	t.Helper()
	m, _, err := intake.Look("file-test", bytes.NewReader(file), 2000)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var parts [][]byte
	for rest := file; len(rest) > 0; {
		n := min(len(rest), 256<<10)
		parts, rest = append(parts, rest[:n]), rest[n:]
	}
	row := store.ImportRow{ID: db.NewID(), Author: tester.ID, State: store.ImportOpen, At: time.Now(), Size: int64(len(file)), Body: body}
	if err := db.Update(t.Context(), func(tx *store.Tx) error { return tx.AddImport(t.Context(), bank, tester, row, parts) }); err != nil {
		t.Fatal(err)
	}
	return row.ID, *m
}

func importRowOf(t testing.TB, db *store.DB, id string) (m store.ImportRow) {
	t.Helper()
	if err := db.View(t.Context(), func(tx *store.Tx) (err error) { m, err = tx.Import(t.Context(), bank, id); return err }); err != nil {
		t.Fatal(err)
	}
	return m
}

func countStored(t testing.TB, db *store.DB) (n int) {
	t.Helper()
	err := db.View(t.Context(), func(tx *store.Tx) error {
		head, err := tx.Complaints(t.Context(), bank, 0, 0)
		n = len(head)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func countBad(t testing.TB, db *store.DB, id string) int {
	t.Helper()
	var rows []store.QuarantineRow
	err := db.View(t.Context(), func(tx *store.Tx) (err error) {
		rows, err = tx.Quarantined(t.Context(), bank, store.QuarantineOpen, id, "", 0)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return len(rows)
}

// TestImportGoesOnAfterItsProcess reads one file by processes that fall one after the
// other: nothing is stored twice, and the counts are those of one reading.
func TestImportGoesOnAfterItsProcess(t *testing.T) {
	testdb.Each(t, func(t *testing.T, fresh func() string) {
		url := fresh()
		open := func() *store.DB {
			db, err := store.Open(t.Context(), url, store.Options{RootKey: bytes.Repeat([]byte{7}, 32), Now: time.Now, Random: crand.Reader})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			})
			return db
		}
		db := open()
		if err := db.Update(t.Context(), func(tx *store.Tx) error { return tx.AddTenant(t.Context(), bank, "Bank", tester) }); err != nil {
			t.Fatal(err)
		}
		pack, public := stages(t)
		run := func(until func() bool) {
			e := New(Config{DB: db, Now: time.Now, Log: slog.New(slog.DiscardHandler), Version: "test", Policy: pack, Public: public, Settle: time.Hour})
			ctx, stop := context.WithCancel(context.Background())
			done := make(chan error, 1)
			go func() { done <- e.Run(ctx) }()
			for range 2000 {
				if until() {
					break
				}
				time.Sleep(20 * time.Millisecond)
			}
			stop()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		const n = 8000
		id, how := handIn(t, db, longFile(n))
		e := New(Config{DB: db, Now: time.Now, Log: slog.New(slog.DiscardHandler), Policy: pack})
		if err := e.StartImport(t.Context(), bank, tester, id, 1, how); err != nil {
			t.Fatal(err)
		}
		falls := 0
		for _, part := range []int{n / 10, n / 3} {
			run(func() bool { return countStored(t, db) >= part })
			if m := importRowOf(t, db, id); m.State == store.ImportRunning {
				falls++
			}
		}
		if falls == 0 {
			t.Fatal("the file was read before any process fell: the test shows nothing")
		}
		run(func() bool { return importRowOf(t, db, id).State != store.ImportRunning })
		m := importRowOf(t, db, id)
		good := int64(n - n/10)
		if m.State != store.ImportDone || m.Stored != good || m.Same != 0 || m.Bad != n/10 || m.Done != m.Size {
			t.Errorf("%s: %d stored, %d same, %d bad, %d of %d bytes; want %d, 0, %d", m.State, m.Stored, m.Same, m.Bad, m.Done, m.Size, good, n/10)
		}
		if got := countStored(t, db); got != int(good) {
			t.Errorf("%d complaints are stored, want %d", got, good)
		}
		if got := countBad(t, db, id); got != n/10 {
			t.Errorf("%d rows are in quarantine, want %d", got, n/10)
		}
	})
}

// TestImportReadsTwice runs the job of an import again after it has stored everything, as
// after a fall between the last row and the last word.
func TestImportReadsTwice(t *testing.T) {
	e := process(t, testdb.SQLite(t))
	db := e.cfg.DB
	id, how := handIn(t, db, longFile(600))
	read := func() store.ImportRow {
		t.Helper()
		for range 500 {
			if m := importRowOf(t, db, id); m.State != store.ImportRunning && m.State != store.ImportOpen {
				return m
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Fatal("it is not read")
		return store.ImportRow{}
	}
	if err := e.StartImport(t.Context(), bank, tester, id, 1, how); err != nil {
		t.Fatal(err)
	}
	first := read()
	// Stand where the process fell: everything stored, nothing said.
	if err := json.Unmarshal(first.Body, &how); err != nil {
		t.Fatal(err)
	}
	_, fresh := handIn(t, db, longFile(600))
	fresh.By, fresh.Started, fresh.Begun = how.By, how.Started, true
	body, err := json.Marshal(fresh)
	if err != nil {
		t.Fatal(err)
	}
	second := store.ImportRow{ID: db.NewID(), Author: tester.ID, State: store.ImportRunning, At: time.Now(), Size: first.Size, Body: body}
	id = second.ID
	err = db.Update(t.Context(), func(tx *store.Tx) error {
		if err := tx.AddImport(t.Context(), bank, tester, second, [][]byte{longFile(600)}); err != nil {
			return err
		}
		return tx.Enqueue(t.Context(), store.Job{Tenant: bank, Kind: jobImport, Arg: id, Due: time.Now()})
	})
	if err != nil {
		t.Fatal(err)
	}
	if m := read(); m.Stored != first.Stored || m.Same != 0 || m.Bad != first.Bad {
		t.Errorf("%d stored, %d same, %d bad; want %d, 0, %d as at first", m.Stored, m.Same, m.Bad, first.Stored, first.Bad)
	}
	if got := countStored(t, db); got != int(first.Stored) {
		t.Errorf("%d stored, want %d", got, first.Stored)
	}
}

// TestImportStopsWhereNothingFits ends an import of which almost no row can be used.
func TestImportStopsWhereNothingFits(t *testing.T) {
	e := process(t, testdb.SQLite(t))
	var b bytes.Buffer
	b.WriteString("id,received,text\n")
	for i := range importBad + 3000 {
		fmt.Fprintf(&b, "G-%d,soon,letter %d\n", i, i)
	}
	id, how := handIn(t, e.cfg.DB, b.Bytes())
	if err := e.StartImport(t.Context(), bank, tester, id, 1, how); err != nil {
		t.Fatal(err)
	}
	var m store.ImportRow
	for range 1500 {
		if m = importRowOf(t, e.cfg.DB, id); m.State != store.ImportRunning {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err := json.Unmarshal(m.Body, &how); err != nil {
		t.Fatal(err)
	}
	if m.State != store.ImportStopped || how.Problem == "" || m.Bad > importBad+importRows || m.Bad < importBad {
		t.Errorf("%s with %d bad rows: %q", m.State, m.Bad, how.Problem)
	}
	quiet(t, e)
}

// TestImportSetsRefusedRowsAside keeps a row whose id another complaint has, and goes on.
func TestImportSetsRefusedRowsAside(t *testing.T) {
	e := process(t, testdb.SQLite(t))
	submit(t, e, []bonafide.Complaint{{ID: "F-000002", Text: "another letter altogether", Received: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}})
	file := append(longFile(5), "F-9,2026-03-01,a letter,+447800000000\nF-9,2026-03-01,a letter,+447800000000\n"...)
	id, how := handIn(t, e.cfg.DB, file)
	if err := e.StartImport(t.Context(), bank, tester, id, 1, how); err != nil {
		t.Fatal(err)
	}
	if err := e.StartImport(t.Context(), bank, tester, id, 2, how); err == nil {
		t.Error("it was started twice")
	}
	quiet(t, e)
	m := importRowOf(t, e.cfg.DB, id)
	if m.State != store.ImportDone || m.Stored != 5 || m.Same != 1 || m.Bad != 1 {
		t.Fatalf("%s: %d stored, %d same, %d bad; want 5, 1, 1", m.State, m.Stored, m.Same, m.Bad)
	}
	var rows []store.QuarantineRow
	err := e.cfg.DB.View(t.Context(), func(tx *store.Tx) (err error) {
		rows, err = tx.Quarantined(t.Context(), bank, store.QuarantineOpen, id, "", 10)
		return err
	})
	if err != nil || len(rows) != 1 || rows[0].Field != "id" || rows[0].Line != 4 {
		t.Fatalf("%v %+v", err, rows)
	}
	// Mended with an id of its own it is stored.
	row := map[string]string{"id": "F-000002", "received": "2026-03-01", "text": "letter", "phone": ""}
	if bad, err := e.MendRow(t.Context(), bank, tester, rows[0].ID, row); err != nil || bad == nil || bad.Field != "id" {
		t.Errorf("the same id again: %+v %v", bad, err)
	}
	row["id"] = "F-000002b"
	if bad, err := e.MendRow(t.Context(), bank, tester, rows[0].ID, row); err != nil || bad != nil {
		t.Errorf("an id of its own: %+v %v", bad, err)
	}
	if _, err := e.MendRow(t.Context(), bank, tester, rows[0].ID, row); err == nil {
		t.Error("mended twice")
	}
}
