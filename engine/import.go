package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"bonafide"
	"bonafide/intake"
	"bonafide/store"
)

// How files are read.
const (
	importRows  = 256     // handed in at once at most
	importBytes = 8 << 20 // of rows held meanwhile, about
	importSave  = time.Second
	importTries = 5      // to hand rows in while the store is busy
	importBad   = 10_000 // rows that cannot be used, at most: then the mapping is wrong
	importNotes = 50     // warnings kept
)

// StartImport has a file read that was handed in. how says how; version is the one of the
// import that the person saw.
func (e *Engine) StartImport(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, version int, how intake.Import) error {
	now := e.cfg.Now().UTC().Truncate(time.Microsecond)
	how.By, how.Started, how.Begun, how.Problem = by.ID, now, false, ""
	body, err := json.Marshal(how)
	if err != nil {
		return fmt.Errorf("write import: %w", err)
	}
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Lock(ctx, t); err != nil {
			return err
		}
		m, err := tx.Import(ctx, t, id)
		if err != nil {
			return err
		}
		if m.State != store.ImportOpen {
			return &bonafide.Error{Kind: bonafide.Conflict, Msg: "the import was started or stopped already"}
		}
		m.State, m.Version, m.Body = store.ImportRunning, version+1, body
		if err := tx.SaveImport(ctx, t, by, m); err != nil {
			return err
		}
		return tx.Enqueue(ctx, store.Job{Tenant: t, Kind: jobImport, Arg: id, Due: e.cfg.Now()})
	})
	if err == nil {
		e.wake()
	}
	return err
}

// importing is one file on its way into the store.
type importing struct {
	e    *Engine
	job  store.Job
	how  intake.Import
	by   bonafide.Actor // who handed the file in
	size int64
	// resumed says that a job before this one ended early: what that one stored counts as
	// stored by this import.
	resumed bool

	read    *intake.Reader
	rows    []importRow
	bad     []store.QuarantineRow
	held    int // bytes of both, about
	done    int64
	stored  int64
	same    int64
	badRows int64
	savedAt time.Time
}

// importRow is a row that was read and is not stored yet.
type importRow struct {
	complaint *bonafide.Complaint
	line      int
	cells     map[string]string
}

// errStopped says that somebody stopped the import.
var errStopped = errors.New("stopped")

// importFile does one such job. It reads the file from its beginning, also where a job
// before it ended early: ids tell what is stored already.
func (e *Engine) importFile(ctx context.Context, js []store.Job) error {
	j := js[0] // one is claimed at a time
	m := &importing{e: e, job: j, savedAt: e.cfg.Now()}
	err := m.begin(ctx)
	if err == nil {
		err = m.readAll(ctx)
	}
	own, known := errors.AsType[*bonafide.Error](err)
	switch {
	case err == nil:
		m.done = m.size
		err = m.save(ctx, store.ImportDone, "")
	case ctx.Err() != nil, errors.Is(err, errStopped):
	case known && own.Kind == bonafide.Invalid:
		// The file as a whole: what was read of it stays.
		if err = m.flush(ctx); err == nil || errors.Is(err, bonafide.Invalid) {
			err = m.save(ctx, store.ImportStopped, strings.TrimPrefix(own.Msg, m.how.Mark+": "))
		}
	case j.Attempt >= maxAttempts:
		e.cfg.Log.ErrorContext(ctx, "import given up", slog.Any("tenant", j.Tenant), slog.Any("import", j.Arg), slog.Any("err", err))
		err = m.save(ctx, store.ImportStopped, "it failed again and again: ask whoever runs this to look into the program's log")
	}
	if errors.Is(err, errStopped) {
		return nil // the job is finished
	}
	return err
}

// begin reads what is to be done, and notes that it was begun.
func (m *importing) begin(ctx context.Context) error {
	err := m.e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Lock(ctx, m.job.Tenant); err != nil {
			return err
		}
		if err := tx.Leased(ctx, m.job, m.e.owner); err != nil {
			return err
		}
		row, err := tx.Import(ctx, m.job.Tenant, m.job.Arg)
		if errors.Is(err, bonafide.NotFound) || err == nil && row.State != store.ImportRunning {
			if err := tx.Finish(ctx, m.job, m.e.owner); err != nil {
				return err
			}
			m.how = intake.Import{}
			return nil
		}
		if err != nil {
			return err
		}
		m.how = intake.Import{}
		if err := json.Unmarshal(row.Body, &m.how); err != nil {
			return fmt.Errorf("import %s: %w", m.job.Arg, err)
		}
		m.size, m.resumed = row.Size, m.how.Begun
		m.by = bonafide.Actor{ID: m.how.By}
		if m.how.Begun {
			return nil
		}
		m.how.Begun = true
		if row.Body, err = json.Marshal(m.how); err != nil {
			return fmt.Errorf("write import: %w", err)
		}
		row.Version++
		return tx.SaveImport(ctx, m.job.Tenant, bonafide.System(jobImport), row)
	})
	if err == nil && m.how.Mark == "" {
		return errStopped
	}
	return err
}

// readAll streams the file to the store.
func (m *importing) readAll(ctx context.Context) error {
	o := m.how.Options()
	o.Progress = func(read int64, _ int) { m.done = read }
	o.QuarantineRow = func(q bonafide.Quarantined, row map[string]string) error {
		if err := m.setAside(q, row); err != nil {
			return err
		}
		return m.flushFull(ctx)
	}
	m.read = intake.NewReader(o)
	src := m.e.cfg.DB.Upload(ctx, m.job.Tenant, m.job.Arg, m.size)
	err := m.read.Read(ctx, m.how.Mark, src, func(c *bonafide.Complaint) error {
		line, cells := m.read.Row()
		m.rows = append(m.rows, importRow{c, line, cells})
		m.held += 2 * len(c.Text)
		for _, s := range cells {
			m.held += len(s) + 64
		}
		return m.flushFull(ctx)
	})
	if err != nil {
		if errors.Is(err, store.ErrUploadGone) { // somebody stopped it
			if err := m.save(ctx, store.ImportRunning, ""); err != nil {
				return err
			}
		}
		return err
	}
	return m.flush(ctx)
}

// setAside keeps a row that cannot be used, with what stood in it.
func (m *importing) setAside(q bonafide.Quarantined, row map[string]string) error {
	body, err := json.Marshal(row)
	if err != nil {
		return fmt.Errorf("write row: %w", err)
	}
	field := q.Field
	if field == "" && q.Column > 0 {
		field = fmt.Sprintf("column %d", q.Column)
	}
	m.bad = append(m.bad, store.QuarantineRow{
		// The same each time the file is read, and in the order of its lines.
		ID:     fmt.Sprintf("%s.%09d", m.job.Arg, q.Line),
		Import: m.job.Arg, Line: int64(q.Line), At: m.e.cfg.Now().UTC(), State: store.QuarantineOpen, Field: field, Problem: q.Reason, Body: body,
	})
	m.held += len(body)
	return nil
}

// flushFull hands in what is held once it is enough.
func (m *importing) flushFull(ctx context.Context) error {
	if len(m.rows) < importRows && len(m.bad) < importRows && m.held < importBytes {
		return nil
	}
	return m.flush(ctx)
}

// flush hands in what is held.
func (m *importing) flush(ctx context.Context) error {
	if err := m.submit(ctx); err != nil {
		return err
	}
	if len(m.bad) > 0 {
		err := m.e.cfg.DB.Update(ctx, func(tx *store.Tx) error { return tx.AddQuarantine(ctx, m.job.Tenant, m.by, m.bad) })
		if err != nil {
			return err
		}
	}
	m.badRows += int64(len(m.bad))
	m.rows, m.bad, m.held = m.rows[:0], m.bad[:0], 0
	if m.e.cfg.Now().Sub(m.savedAt) >= importSave {
		if err := m.save(ctx, store.ImportRunning, ""); err != nil {
			return err
		}
	}
	if m.badRows > importBad {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "more than 10,000 rows cannot be used: look at the first of them, correct the file or how it is read, and import it again"}
	}
	return nil
}

// submit hands in the rows that were read, and sets aside those that are refused.
func (m *importing) submit(ctx context.Context) error {
	if len(m.rows) == 0 {
		return nil
	}
	got, err := m.hand(ctx, m.rows)
	if errors.Is(err, bonafide.Invalid) { // something in one of them
		got = nil
		for i := range m.rows {
			one, err := m.hand(ctx, m.rows[i:i+1])
			refused, ok := errors.AsType[*bonafide.Error](err)
			switch {
			case ok && refused.Kind == bonafide.Invalid:
				one = []Receipt{{ID: m.rows[i].complaint.ID, Status: bonafide.PutInvalid, Msg: refused.Msg}}
			case err != nil:
				return err
			}
			got = append(got, one...)
		}
	} else if err != nil {
		return err
	}
	var known []string
	for i, r := range got {
		q := bonafide.Quarantined{Line: m.rows[i].line, Reason: r.Msg}
		switch r.Status {
		case bonafide.PutCreated:
			m.stored++
			continue
		case bonafide.PutUnchanged:
			known = append(known, r.ID)
			continue
		case bonafide.PutConflict:
			q.Field = "id"
		}
		if err := m.setAside(q, m.rows[i].cells); err != nil {
			return err
		}
	}
	ours := 0
	if m.resumed && len(known) > 0 {
		err := m.e.cfg.DB.View(ctx, func(tx *store.Tx) (err error) {
			ours, err = tx.StoredSince(ctx, m.job.Tenant, known, m.how.Started)
			return err
		})
		if err != nil {
			return err
		}
	}
	m.stored += int64(ours)
	m.same += int64(len(known) - ours)
	return nil
}

// hand submits rows, again where the store is busy.
func (m *importing) hand(ctx context.Context, rows []importRow) ([]Receipt, error) {
	subs := make([]Submission, len(rows))
	for i, r := range rows {
		subs[i] = Submission{Complaint: r.complaint, History: m.how.History}
	}
	for try := 1; ; try++ {
		got, err := m.e.Submit(ctx, m.job.Tenant, m.by, subs)
		if !errors.Is(err, bonafide.Busy) || try == importTries || !sleep(ctx, time.Duration(try)*time.Second/4) {
			return got, err
		}
	}
}

// save stores how far it is, and ends the job where state is not running. Where somebody
// stopped the import meanwhile it ends the job too, with errStopped.
func (m *importing) save(ctx context.Context, state, problem string) error {
	stopped := false
	err := m.e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		t := m.job.Tenant
		if _, err := tx.Lock(ctx, t); err != nil {
			return err
		}
		if err := tx.Leased(ctx, m.job, m.e.owner); err != nil {
			return err
		}
		row, err := tx.Import(ctx, t, m.job.Arg)
		if err != nil {
			return err
		}
		if stopped = row.State != store.ImportRunning; !stopped {
			row.State = state
		}
		row.Done, row.Stored, row.Same, row.Bad = m.done, m.stored, m.same, m.badRows
		if m.read != nil {
			row.Same += int64(m.read.Summary().Repeated)
		}
		if row.State != store.ImportRunning {
			how := m.how
			how.Problem, how.Notes = problem, nil
			if m.read != nil {
				for _, n := range m.read.Summary().Warnings[:min(importNotes, len(m.read.Summary().Warnings))] {
					how.Notes = append(how.Notes, strings.TrimPrefix(n, how.Mark+": "))
				}
			}
			if row.Body, err = json.Marshal(how); err != nil {
				return fmt.Errorf("write import: %w", err)
			}
		}
		row.Version++
		if err := tx.SaveImport(ctx, t, bonafide.System(jobImport), row); err != nil {
			return err
		}
		if row.State == store.ImportRunning {
			return nil
		}
		return tx.Finish(ctx, m.job, m.e.owner)
	})
	m.savedAt = m.e.cfg.Now()
	if err == nil && stopped {
		return errStopped
	}
	return err
}

// MendRow hands in a row of the quarantine as somebody corrected it, read in the way its
// file was. Once it is stored the row is closed and its content erased; where it still
// cannot be used nothing changes, and the first value says why.
func (e *Engine) MendRow(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, row map[string]string) (*bonafide.Quarantined, error) {
	var q store.QuarantineRow
	var how intake.Import
	err := e.cfg.DB.View(ctx, func(tx *store.Tx) error {
		var err error
		if q, err = tx.OneQuarantined(ctx, t, id); err != nil {
			return err
		}
		m, err := tx.Import(ctx, t, q.Import)
		if err != nil {
			return err
		}
		how = intake.Import{}
		if err := json.Unmarshal(m.Body, &how); err != nil {
			return fmt.Errorf("import %s: %w", q.Import, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if q.State != store.QuarantineOpen {
		return nil, &bonafide.Error{Kind: bonafide.Conflict, Msg: "the row was mended or dropped already"}
	}
	c, bad := how.Mend(int(q.Line), row)
	if bad != nil {
		return bad, nil
	}
	got, err := e.Submit(ctx, t, by, []Submission{{Complaint: c, History: how.History}})
	refused, ok := errors.AsType[*bonafide.Error](err)
	switch {
	case ok && refused.Kind == bonafide.Invalid:
		return &bonafide.Quarantined{Line: int(q.Line), Reason: refused.Msg}, nil
	case err != nil:
		return nil, err
	case got[0].Status == bonafide.PutConflict:
		return &bonafide.Quarantined{Line: int(q.Line), Field: "id", Reason: got[0].Msg}, nil
	}
	return nil, e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		return tx.CloseQuarantine(ctx, t, by, id, store.QuarantineMended, "")
	})
}
