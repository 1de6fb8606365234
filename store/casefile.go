package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"bonafide"
)

// A CaseRow is a case as it is kept. Amounts are its losses by currency. The store seals the
// case under a subject of its own, "case:" and its id.
type CaseRow struct {
	bonafide.Case
	Amounts map[string]int64
	DueAt   time.Time // of the period that ends first; zero where none runs
	Version int       // from 1; the one that is stored
	// Held are the subjects whose data the case needs while it is under legal hold. They are
	// added to those of before, and all forgotten when the hold is lifted. They are not read.
	Held []string
}

func caseSubject(id string) string { return "case:" + id }

// NextCase returns the number of the next case. The head must be locked.
func (tx *Tx) NextCase(ctx context.Context, t bonafide.Tenant) (int, error) {
	n, err := one(ctx, tx, func(r row) (n int, err error) { return n, r.Scan(&n) }, `SELECT COALESCE(MAX(number), 0) FROM case_file WHERE tenant = $1`, string(t))
	return n + 1, err
}

// SaveCase stores a case over the one whose version is one less, a new one under version 1,
// with a line of its history. Detail goes into the log and holds nothing personal. Conflict
// if it changed meanwhile.
func (tx *Tx) SaveCase(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, c CaseRow, step bonafide.CaseStep) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	keys, err := tx.subjectKeys(ctx, t, []string{caseSubject(c.ID)}, nil)
	if err != nil {
		return err
	}
	key := keys[caseSubject(c.ID)]
	body, err := json.Marshal(c.Case)
	if err != nil {
		return fmt.Errorf("write case: %w", err)
	}
	sealed, err := key.seal(tx.db.random, place("case_file", string(t), c.ID), body)
	if err != nil {
		return err
	}
	amounts, err := json.Marshal(c.Amounts)
	if err != nil {
		return fmt.Errorf("write case: %w", err)
	}
	c.Version = max(1, c.Version)
	due := dueMicros(c.DueAt)
	if c.Version == 1 {
		if _, err := tx.insert(ctx, "case_file", "", []any{
			string(t), c.ID, int64(c.Number), string(c.Stage), string(c.Exit), c.Assignee, c.Gang, c.Hold, micros(c.Begun), micros(c.Since), due, string(amounts), int64(1), sealed,
		}); err != nil {
			return otherwise(err, bonafide.Conflict, "somebody else began this meanwhile: look at it again")
		}
	} else {
		n, err := tx.exec(ctx, `UPDATE case_file SET stage = $4, outcome = $5, assignee = $6, gang = $7, hold = $8, since = $9, due = $10, amounts = $11, version = $3 + 1, body = $12
			WHERE tenant = $1 AND id = $2 AND version = $3`,
			string(t), c.ID, int64(c.Version-1), string(c.Stage), string(c.Exit), c.Assignee, c.Gang, c.Hold, micros(c.Since), due, string(amounts), sealed)
		if err != nil {
			return err
		}
		if n == 0 {
			return &bonafide.Error{Kind: bonafide.Conflict, Msg: "somebody else changed this meanwhile: look at it again"}
		}
		if _, err := tx.exec(ctx, `DELETE FROM case_link WHERE tenant = $1 AND case_id = $2`, string(t), c.ID); err != nil {
			return err
		}
	}
	var links []any
	for kind, ids := range map[string][]string{"ring": c.Rings, "complaint": c.Complaints, "advert": c.Adverts} {
		for _, id := range ids {
			links = append(links, string(t), c.ID, kind, id)
		}
	}
	if _, err := tx.insert(ctx, "case_link", "", links); err != nil {
		return err
	}
	if err := tx.hold(ctx, t, c); err != nil {
		return err
	}
	said, err := json.Marshal(step)
	if err != nil {
		return fmt.Errorf("write case: %w", err)
	}
	if said, err = key.seal(tx.db.random, place("case_step", string(t), c.ID, strconv.Itoa(c.Version)), said); err != nil {
		return err
	}
	if _, err := tx.insert(ctx, "case_step", "", []any{
		string(t), c.ID, int64(c.Version), micros(step.At), step.What, string(step.From), string(step.To), actor.ID, string(step.Exit), said,
	}); err != nil {
		return err
	}
	return tx.Record(ctx, t, actor, "case."+step.What, "case:"+c.ID, map[string]any{"version": c.Version, "from": step.From, "to": step.To})
}

// hold keeps whose data a case under legal hold needs.
func (tx *Tx) hold(ctx context.Context, t bonafide.Tenant, c CaseRow) error {
	if !c.Hold {
		_, err := tx.exec(ctx, `DELETE FROM case_held WHERE tenant = $1 AND case_id = $2`, string(t), c.ID)
		return err
	}
	var args []any
	for _, subject := range slices.Compact(slices.Sorted(slices.Values(c.Held))) {
		args = append(args, string(t), c.ID, subject)
	}
	_, err := tx.insert(ctx, "case_held", " ON CONFLICT DO NOTHING", args)
	return err
}

const caseColumns = `f.id, f.due, f.amounts, f.version, f.body, s.key`

const caseFrom = ` FROM case_file f LEFT JOIN subject s ON s.tenant = f.tenant AND s.id = 'case:' || f.id WHERE f.tenant = $1 `

func (tx *Tx) scanCase(t bonafide.Tenant) func(row) (CaseRow, error) {
	return func(r row) (c CaseRow, err error) {
		var id, amounts string
		var due int64
		var sealed, key []byte
		if err = r.Scan(&id, &due, &amounts, &c.Version, &sealed, &key); err != nil {
			return c, err
		}
		if due != noClock {
			c.DueAt = instant(due)
		}
		body, err := tx.db.unseal(t, caseSubject(id), key, sealed, "case_file", string(t), id)
		if err != nil {
			return c, err
		}
		return c, errors.Join(json.Unmarshal(body, &c.Case), json.Unmarshal([]byte(amounts), &c.Amounts))
	}
}

// Case returns a case.
func (tx *Tx) Case(ctx context.Context, t bonafide.Tenant, id string) (CaseRow, error) {
	c, err := one(ctx, tx, tx.scanCase(t), `SELECT `+caseColumns+caseFrom+`AND f.id = $2`, string(t), id)
	return c, otherwise(err, bonafide.NotFound, fmt.Sprintf("there is no case %q", id))
}

// CaseByNumber returns the case of a number.
func (tx *Tx) CaseByNumber(ctx context.Context, t bonafide.Tenant, n int) (CaseRow, error) {
	c, err := one(ctx, tx, tx.scanCase(t), `SELECT `+caseColumns+caseFrom+`AND f.number = $2`, string(t), int64(n))
	return c, otherwise(err, bonafide.NotFound, fmt.Sprintf("there is no case %d", n))
}

// A CaseFilter chooses cases. An empty field chooses all.
type CaseFilter struct {
	Stage    string
	Open     bool   // not closed
	Assignee string // a person's id
	IDs      []string
	Before   int // those whose number is less; 0 is all
	Limit    int
}

// Cases lists cases, the newest first.
func (tx *Tx) Cases(ctx context.Context, t bonafide.Tenant, f CaseFilter) ([]CaseRow, error) {
	args := []any{string(t), f.Stage, f.Open, f.Assignee, int64(f.Before), upTo(f.Limit)}
	where := ""
	if f.IDs != nil {
		args = append(args, tx.db.d.list(f.IDs))
		where = ` AND f.id IN (SELECT v.value FROM ` + tx.db.d.values(len(args)) + `)`
	}
	return list(ctx, tx, tx.scanCase(t), `SELECT `+caseColumns+caseFrom+`AND ($2 = '' OR f.stage = $2) AND (NOT $3 OR f.stage <> 'closed') AND ($4 = '' OR f.assignee = $4) AND ($5 = 0 OR f.number < $5)`+where+` ORDER BY f.number DESC LIMIT $6`, args...)
}

// CasesOf lists the cases that are about a ring, a complaint or an advert, by id.
func (tx *Tx) CasesOf(ctx context.Context, t bonafide.Tenant, kind, target string) ([]string, error) {
	return list(ctx, tx, scanText, `SELECT case_id FROM case_link WHERE tenant = $1 AND kind = $2 AND target = $3 ORDER BY case_id`, string(t), kind, target)
}

// Held lists the cases under legal hold that a subject's complaints stand in, or stood in
// since the hold began, by number: named there, as members of a ring that is, or as whom an
// item is about.
func (tx *Tx) Held(ctx context.Context, t bonafide.Tenant, subject string) ([]int, error) {
	return list(ctx, tx, func(r row) (n int, err error) { return n, r.Scan(&n) }, `SELECT f.number FROM case_file f WHERE f.tenant = $1 AND f.hold AND (
		EXISTS (SELECT 1 FROM case_link l JOIN complaint c ON c.tenant = l.tenant AND c.id = l.target WHERE l.tenant = $1 AND l.case_id = f.id AND l.kind = 'complaint' AND c.subject = $2)
		OR EXISTS (SELECT 1 FROM case_link l JOIN ring_member m ON m.tenant = l.tenant AND m.ring = l.target JOIN complaint c ON c.tenant = m.tenant AND c.id = m.complaint
			WHERE l.tenant = $1 AND l.case_id = f.id AND l.kind = 'ring' AND c.subject = $2)
		OR EXISTS (SELECT 1 FROM case_held h WHERE h.tenant = $1 AND h.case_id = f.id AND h.subject = $2)
		OR EXISTS (SELECT 1 FROM item i WHERE i.tenant = $1 AND i.case_id = f.id AND i.subject = $2)) ORDER BY f.number`, string(t), subject)
}

// CaseSteps lists the history of a case, the first step first.
func (tx *Tx) CaseSteps(ctx context.Context, t bonafide.Tenant, id string) ([]bonafide.CaseStep, error) {
	return list(ctx, tx, func(r row) (s bonafide.CaseStep, err error) {
		var n int
		var sealed, key []byte
		if err = r.Scan(&n, &sealed, &key); err != nil {
			return s, err
		}
		body, err := tx.db.unseal(t, caseSubject(id), key, sealed, "case_step", string(t), id, strconv.Itoa(n))
		if err != nil {
			return s, err
		}
		err = json.Unmarshal(body, &s)
		s.N = n
		return s, err
	}, `SELECT p.n, p.body, s.key FROM case_step p JOIN subject s ON s.tenant = p.tenant AND s.id = $3 WHERE p.tenant = $1 AND p.case_id = $2 ORDER BY p.n`, string(t), id, caseSubject(id))
}

// A StepMark is what counting needs of a step.
type StepMark struct {
	Case     string
	At       time.Time
	What     string
	From, To bonafide.Stage
	Exit     bonafide.Exit // where the step ended the case
}

// StepMarks lists what happened in all cases before a time, the first first.
func (tx *Tx) StepMarks(ctx context.Context, t bonafide.Tenant, before time.Time) ([]StepMark, error) {
	return list(ctx, tx, func(r row) (s StepMark, err error) {
		var at int64
		var from, to, exit string
		err = r.Scan(&s.Case, &at, &s.What, &from, &to, &exit)
		s.At, s.From, s.To, s.Exit = instant(at), bonafide.Stage(from), bonafide.Stage(to), bonafide.Exit(exit)
		return s, err
	}, `SELECT case_id, at, what, origin, stage, outcome FROM case_step WHERE tenant = $1 AND at < $2 ORDER BY at, case_id, n`, string(t), micros(before))
}

// A CaseHead is what counting needs of a case besides its steps.
type CaseHead struct {
	ID      string
	Number  int
	Stage   bonafide.Stage
	Gang    bool
	Exit    bonafide.Exit
	Amounts map[string]int64
}

// CaseHeads lists every case, the oldest first, without what is sealed.
func (tx *Tx) CaseHeads(ctx context.Context, t bonafide.Tenant) ([]CaseHead, error) {
	return list(ctx, tx, func(r row) (h CaseHead, err error) {
		var exit, stage, amounts string
		if err = r.Scan(&h.ID, &h.Number, &stage, &h.Gang, &exit, &amounts); err != nil {
			return h, err
		}
		h.Exit, h.Stage = bonafide.Exit(exit), bonafide.Stage(stage)
		return h, json.Unmarshal([]byte(amounts), &h.Amounts)
	}, `SELECT id, number, stage, gang, outcome, amounts FROM case_file WHERE tenant = $1 ORDER BY number`, string(t))
}

// A Seal is a pack that was sealed.
type Seal struct {
	Case, Variant string
	Number        int
	At            time.Time
	Entry, Size   int64
	Manifest      []byte // 32 bytes
	Checkpoint    []byte
	Token         []byte // empty where no authority stamped it
	Roots         []byte // in PEM: who vouched for the authority
	Facts         []byte // digest of what was known then of everybody in it
	// Address is where what was written for the pack stands, and Key opens it. Both are
	// empty once somebody in it was erased.
	Address string
	Key     [32]byte
	// Subjects are whose data stands in the pack. They are stored, and not read.
	Subjects []string
}

// AddSeal stores a seal with its entry in the log, whose detail is what a verifier reads, and
// with the checkpoint that sign makes of the log as it then is. It returns the seal with its
// entry, size and checkpoint. Conflict if a seal of that number is there.
func (tx *Tx) AddSeal(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, s Seal, detail any, sign func(tlog.Tree) ([]byte, error)) (Seal, error) {
	h, err := tx.lock(ctx, t)
	if err != nil {
		return s, err
	}
	s.Entry = h.Entries
	if err := tx.recordAt(ctx, t, actor, "case.sealed", "case:"+s.Case, detail, s.At); err != nil {
		return s, err
	}
	s.Size = h.Entries
	if s.Checkpoint, err = sign(tlog.Tree{N: h.Entries, Hash: h.Edge.Root()}); err != nil {
		return s, err
	}
	keys, err := tx.subjectKeys(ctx, t, []string{caseSubject(s.Case)}, nil)
	if err != nil {
		return s, err
	}
	body, err := keys[caseSubject(s.Case)].seal(tx.db.random, sealPlace(t, s), s.Key[:])
	if err != nil {
		return s, err
	}
	if _, err := tx.insert(ctx, "seal", "", []any{
		string(t), s.Case, s.Variant, int64(s.Number), micros(s.At), s.Entry, s.Size, s.Manifest, some(s.Checkpoint), some(s.Token), some(s.Roots), some(s.Facts), s.Address, body,
	}); err != nil {
		return s, otherwise(err, bonafide.Conflict, "somebody else sealed this meanwhile: try again")
	}
	var whose []any
	for _, subject := range slices.Compact(slices.Sorted(slices.Values(s.Subjects))) {
		whose = append(whose, string(t), s.Case, s.Variant, int64(s.Number), subject)
	}
	if _, err := tx.insert(ctx, "seal_subject", "", whose); err != nil {
		return s, err
	}
	return s, tx.AddCheckpoint(ctx, t, s.Size, s.Checkpoint, s.At)
}

func sealPlace(t bonafide.Tenant, s Seal) []byte {
	return place("seal", string(t), s.Case, s.Variant, strconv.Itoa(s.Number))
}

// StampSeal adds a time-stamp to a seal that has none.
func (tx *Tx) StampSeal(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, s Seal) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	n, err := tx.exec(ctx, `UPDATE seal SET token = $5, roots = $6 WHERE tenant = $1 AND case_id = $2 AND variant = $3 AND n = $4 AND length(token) = 0`,
		string(t), s.Case, s.Variant, int64(s.Number), some(s.Token), some(s.Roots))
	if err != nil || n == 0 {
		return err
	}
	return tx.Record(ctx, t, actor, "case.stamped", "case:"+s.Case, map[string]any{"seal": s.Number, "variant": s.Variant})
}

// Seals lists the seals of a case, of every variant if variant is empty, the first first.
func (tx *Tx) Seals(ctx context.Context, t bonafide.Tenant, id, variant string) ([]Seal, error) {
	return list(ctx, tx, func(r row) (s Seal, err error) {
		var at int64
		var body, key []byte
		if err = r.Scan(&s.Case, &s.Variant, &s.Number, &at, &s.Entry, &s.Size, &s.Manifest, &s.Checkpoint, &s.Token, &s.Roots, &s.Facts, &s.Address, &body, &key); err != nil {
			return s, err
		}
		s.At, s.Checkpoint = instant(at), some(s.Checkpoint)
		if len(s.Token) == 0 {
			s.Token = nil
		}
		if s.Address == "" || len(body) == 0 {
			return s, nil
		}
		opener, err := tx.db.unwrap(t, caseSubject(s.Case), key)
		if err != nil {
			return s, err
		}
		plain, err := opener.open(sealPlace(t, s), body)
		copy(s.Key[:], plain)
		return s, err
	}, `SELECT e.case_id, e.variant, e.n, e.at, e.entry, e.size, e.manifest, e.checkpoint, e.token, e.roots, e.facts, e.address, e.body, s.key
		FROM seal e JOIN subject s ON s.tenant = e.tenant AND s.id = $4
		WHERE e.tenant = $1 AND e.case_id = $2 AND ($3 = '' OR e.variant = $3) ORDER BY e.n, e.variant`, string(t), id, variant, caseSubject(id))
}

// A Stamp is a time-stamp of a checkpoint.
type Stamp struct {
	Size  int64
	At    time.Time
	Token []byte
}

// AddStamp stores the time-stamp of a checkpoint. Of one checkpoint the first stays.
func (tx *Tx) AddStamp(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, s Stamp) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	n, err := tx.insert(ctx, "stamp", " ON CONFLICT DO NOTHING", []any{string(t), s.Size, micros(s.At), s.Token})
	if err != nil || n == 0 {
		return err
	}
	return tx.Record(ctx, t, actor, "log.stamped", "log", map[string]any{"size": s.Size})
}

// Stamps lists the time-stamps of a tenant's checkpoints, the newest first.
func (tx *Tx) Stamps(ctx context.Context, t bonafide.Tenant, limit int) ([]Stamp, error) {
	return list(ctx, tx, func(r row) (s Stamp, err error) {
		var at int64
		err = r.Scan(&s.Size, &at, &s.Token)
		s.At = instant(at)
		return s, err
	}, `SELECT size, at, token FROM stamp WHERE tenant = $1 ORDER BY size DESC LIMIT $2`, string(t), upTo(limit))
}

// advertKind marks a sheet that is an advert: it belongs to no complaint.
const advertKind = "advert"

// SaveAdvert stores an advert, which stays as it is.
func (tx *Tx) SaveAdvert(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, a bonafide.Advert) error {
	body, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("write advert: %w", err)
	}
	return tx.SaveSheet(ctx, t, actor, SheetRow{Kind: advertKind, ID: a.ID, State: "kept", Author: actor.ID, At: a.Seen, Body: body}, "added")
}

// Adverts lists adverts, the newest first; those of ids where that is not nil.
func (tx *Tx) Adverts(ctx context.Context, t bonafide.Tenant, ids []string, limit int) ([]bonafide.Advert, error) {
	rows, err := tx.Sheets(ctx, t, advertKind, "", 0)
	if err != nil {
		return nil, err
	}
	want := "\n" + strings.Join(ids, "\n") + "\n"
	var out []bonafide.Advert
	for i := len(rows) - 1; i >= 0 && (limit <= 0 || len(out) < limit); i-- {
		if ids != nil && !strings.Contains(want, "\n"+rows[i].ID+"\n") || len(rows[i].Body) == 0 {
			continue
		}
		var a bonafide.Advert
		if err := json.Unmarshal(rows[i].Body, &a); err != nil {
			return nil, fmt.Errorf("advert %s: %w", rows[i].ID, err)
		}
		out = append(out, a)
	}
	return out, nil
}
