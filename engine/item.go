package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"bonafide"
	"bonafide/evidence/custody"
	"bonafide/store"
)

// itemMost is the largest file that is taken into custody, where nothing else is said: 8 GiB.
const itemMost = 8 << 30

// errNoCustody says that there is no place for evidence.
var errNoCustody = &bonafide.Error{Kind: bonafide.Conflict, Msg: "evidence cannot be kept: no place for it is configured"}

// TakeIn takes a file into the custody of a case as it is. What about says of the file is
// kept with it: name, category, source, extractor, second person, tool, place and time. The
// file stands in its place before it is registered, so that no item is ever without it.
func (e *Engine) TakeIn(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, about bonafide.Item, r io.Reader) (bonafide.Item, error) {
	if e.cfg.Keeper == nil {
		return about, errNoCustody
	}
	about.Name = cleanName(about.Name)
	if err := checkItem(about, e.cfg.Now()); err != nil {
		return about, err
	}
	check := func(tx *store.Tx) error { return e.takes(ctx, tx, t, about) }
	if err := e.cfg.DB.View(ctx, check); err != nil { // before a large file is read
		return about, err
	}
	most := e.cfg.ItemMost
	if most <= 0 {
		most = itemMost
	}
	taken, err := e.cfg.Keeper.TakeIn(ctx, r, about.Name, most)
	if err != nil {
		return about, err
	}
	about.ID, about.By, about.Stored = e.cfg.DB.NewID(), by.ID, e.cfg.Now().UTC().Truncate(time.Microsecond)
	about.Size, about.SHA256, about.SM3 = taken.Size, taken.SHA256.String(), taken.SM3.String()
	about.MIME, about.Format, about.Ext, about.Notes = taken.Format.MIME, taken.Format.Name, taken.Format.Ext, nil
	for _, n := range taken.Format.Notes {
		about.Notes = append(about.Notes, bonafide.Remark{Code: n.Code, Value: n.Value})
	}
	if about.At.IsZero() {
		about.At = about.Stored
	}
	row := store.ItemRow{Item: about, Address: taken.Address, Key: taken.Key}
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Lock(ctx, t); err != nil {
			return err
		}
		if err := check(tx); err != nil {
			return err
		}
		var err error
		row, err = tx.AddItem(ctx, t, by, row)
		return err
	})
	// What could not be registered is swept later: deleting it now could race with a
	// database that stored all the same.
	return row.Item, err
}

// takes checks that a case takes an item in.
func (e *Engine) takes(ctx context.Context, tx *store.Tx, t bonafide.Tenant, about bonafide.Item) error {
	c, err := tx.Case(ctx, t, about.Case)
	if err != nil {
		return err
	}
	if c.Into != "" {
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: "the case is part of another now: take it in there"}
	}
	if about.Parent != "" {
		p, err := tx.Item(ctx, t, about.Parent)
		if err != nil {
			return err
		}
		if p.Case != about.Case || p.Complaint != about.Complaint {
			return &bonafide.Error{Kind: bonafide.Invalid, Msg: "parent: a copy belongs to the case and the complaint of what it was made of"}
		}
	}
	return inCase(ctx, tx, t, &c.Case, about.Complaint)
}

// cleanName keeps the last part of a name, without what could be a path or a control
// character.
func cleanName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, "�"))
	return strings.TrimSpace(name)
}

func checkItem(i bonafide.Item, now time.Time) error {
	for _, f := range []struct{ name, value string }{
		{"name", i.Name}, {"source", i.Source}, {"extractor", i.Extractor}, {"second", i.Second}, {"tool", i.Tool}, {"place", i.Place},
	} {
		if strings.TrimSpace(f.value) == "" {
			return &bonafide.Error{Kind: bonafide.Invalid, Msg: f.name + ": missing: an item says where it comes from, who took it out, who was with them, with which tool, and where"}
		}
		if len([]rune(f.value)) > 500 {
			return &bonafide.Error{Kind: bonafide.Invalid, Msg: f.name + ": longer than 500 characters"}
		}
	}
	switch {
	case strings.EqualFold(strings.TrimSpace(i.Extractor), strings.TrimSpace(i.Second)):
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "second: must be somebody else than the extractor: two people take evidence"}
	case !slices.Contains(bonafide.ItemCategories, i.Category):
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "category: not one of " + strings.Join(bonafide.ItemCategories, ", ")}
	case i.At.After(now.Add(24 * time.Hour)):
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "at: it lies in the future"}
	}
	return errors.Join(brief("glossary", i.Glossary))
}

// OpenItem gives an item's content out. The access is written into its custody first, with
// its purpose.
func (e *Engine) OpenItem(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id, purpose string) (bonafide.Item, *custody.Clear, error) {
	if e.cfg.Keeper == nil {
		return bonafide.Item{}, nil, errNoCustody
	}
	if strings.TrimSpace(purpose) == "" {
		return bonafide.Item{}, nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: "purpose: missing: say what it is looked at for"}
	}
	var row store.ItemRow
	err := e.cfg.DB.Update(ctx, func(tx *store.Tx) (err error) {
		if row, err = tx.Item(ctx, t, id); err != nil {
			return err
		}
		if row.Erased {
			return &bonafide.Error{Kind: bonafide.NotFound, Msg: "the content of this item was erased"}
		}
		// Kept to a word of a list: what somebody types may name a customer, and the log stays.
		_, err = tx.Custody(ctx, t, by, id, "read", map[string]any{"purpose": purposeOf(purpose)})
		return err
	})
	if err != nil {
		return row.Item, nil, err
	}
	plain, err := e.cfg.Keeper.Open(ctx, row.Address, row.Key)
	return row.Item, plain, err
}

// Purposes are what an item is looked at for.
var Purposes = []string{"review", "legal-review", "transcription", "comparison", "hand-over", "other"}

func purposeOf(s string) string {
	if slices.Contains(Purposes, s) {
		return s
	}
	return "other"
}

// Records are what can be taken into custody of what the program itself keeps of a complaint.
var Records = []string{"letter", "complaint", "track", "merit", "contacts", "verifications", "verdict"}

// TakeRecord takes a record of the program's own into the custody of a case: as text or
// JSON, as it is now.
func (e *Engine) TakeRecord(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, caseID, complaint, record, second, place string) (bonafide.Item, error) {
	about := bonafide.Item{
		Case: caseID, Complaint: complaint, Category: "electronic", Source: "bonafide", Extractor: by.Name, Second: second,
		Tool: "bonafide " + e.cfg.Version, Place: place, Personal: true, Name: complaint + "-" + record + ".json",
	}
	var body []byte
	err := e.cfg.DB.View(ctx, func(tx *store.Tx) (err error) {
		body, err = e.recordOf(ctx, tx, t, complaint, record)
		return err
	})
	if err != nil {
		return about, err
	}
	if record == "letter" {
		about.Name, about.Category = complaint+"-letter.txt", "documentary"
	}
	return e.TakeIn(ctx, t, by, about, bytes.NewReader(body))
}

func (e *Engine) recordOf(ctx context.Context, tx *store.Tx, t bonafide.Tenant, complaint, record string) ([]byte, error) {
	var what any
	d, err := e.dossierOf(ctx, tx, t, complaint, e.cfg.Now())
	if err != nil {
		return nil, err
	}
	if d.Erased {
		return nil, &bonafide.Error{Kind: bonafide.NotFound, Msg: "the content of this complaint was erased"}
	}
	switch record {
	case "letter":
		return []byte(d.Complaint.Text), nil
	case "complaint":
		what = d.Complaint
	case "track":
		what = map[string]any{"state": d.State, "outcome": d.Outcome, "received": d.Received, "steps": d.Steps}
	case "merit":
		what = d.Merit
	case "contacts":
		what = d.Contacts
	case "verifications":
		what = d.Verifications
	case "verdict":
		what = d.Verdict
	default:
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: "record: not one of " + strings.Join(Records, ", ")}
	}
	b, err := json.MarshalIndent(what, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write record: %w", err)
	}
	return append(b, '\n'), nil
}

// redactMost is the largest text that is redacted here.
const redactMost = 8 << 20

// Redact makes a copy of a text item in which the names of all customers of the case, and
// identifiers, are hidden. The copy knows its original and what made it. It counts as
// personal until somebody read it and declares that it is not: see [Engine.Declare]. Of other
// formats a copy is made outside and taken in.
func (e *Engine) Redact(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id, second string) (bonafide.Item, error) {
	item, plain, err := e.OpenItem(ctx, t, by, id, "comparison")
	if err != nil {
		return item, err
	}
	defer plain.Close()
	kind, _, _ := mime.ParseMediaType(item.MIME)
	text, err := io.ReadAll(io.LimitReader(plain, redactMost+1))
	if err != nil {
		return item, err
	}
	if !strings.HasPrefix(kind, "text/") && kind != "application/json" || len(text) > redactMost || !utf8.Valid(text) {
		return item, &bonafide.Error{Kind: bonafide.Invalid, Msg: "only texts in UTF-8 of up to 8 MB are redacted here: redact a copy with a tool for its format, and take that in as a copy of this item"}
	}
	if kind == "application/json" || json.Valid(text) { // what is escaped would pass the mask
		var v any
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			return item, &bonafide.Error{Kind: bonafide.Invalid, Msg: "the item is called JSON and cannot be read as such"}
		}
		var b bytes.Buffer
		out := json.NewEncoder(&b)
		out.SetEscapeHTML(false)
		out.SetIndent("", "  ")
		if err := out.Encode(v); err != nil {
			return item, fmt.Errorf("redact: %w", err)
		}
		text = b.Bytes()
	}
	var mask func(string) string
	err = e.cfg.DB.View(ctx, func(tx *store.Tx) error {
		row, err := tx.Case(ctx, t, item.Case)
		if err != nil {
			return err
		}
		ids, err := complaintsOf(ctx, tx, t, &row.Case)
		if err != nil {
			return err
		}
		if item.Complaint != "" {
			ids = append(ids, item.Complaint)
		}
		mask, err = maskerOf(ctx, tx, t, ids)
		return err
	})
	if err != nil {
		return item, err
	}
	about := bonafide.Item{
		Case: item.Case, Complaint: item.Complaint, Parent: item.ID, Category: item.Category, Name: fmt.Sprintf("redacted-%d%s", item.Number, item.Ext), Personal: true,
		Source: fmt.Sprintf("item %d of the case", item.Number), Extractor: by.Name, Second: second, Tool: "bonafide " + e.cfg.Version + " redact", Place: "bonafide",
	}
	return e.TakeIn(ctx, t, by, about, strings.NewReader(mask(string(text))))
}

// Declare says that somebody read an item and that it names no customer, or that it does:
// only what was declared so stands in the packs of lawyers and regulators.
func (e *Engine) Declare(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, personal bool) error {
	return e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		item, err := tx.Item(ctx, t, id)
		if err != nil {
			return err
		}
		if err := tx.DeclareItem(ctx, t, by, id, personal); err != nil {
			return err
		}
		row, err := readCase(ctx, tx, t, item.Case, 0)
		if err != nil {
			return err
		}
		now := e.cfg.Now().UTC().Truncate(time.Microsecond)
		return e.keepCase(ctx, tx, t, by, row, bonafide.CaseStep{At: now, By: by.ID, What: "declare", From: row.Stage, To: row.Stage, Number: fmt.Sprint(item.Number)})
	})
}

// sweepAge is how old an object must be that nobody registered, to be removed.
const sweepAge = 24 * time.Hour

// Sweep removes what was left of files whose taking in was interrupted.
func (e *Engine) Sweep(ctx context.Context) (int, error) {
	if e.cfg.Keeper == nil {
		return 0, nil
	}
	return e.cfg.Keeper.Sweep(ctx, sweepAge, func(address string) (known bool, err error) {
		err = e.cfg.DB.View(ctx, func(tx *store.Tx) error {
			known, err = tx.Addressed(ctx, address)
			return err
		})
		return known, err
	})
}

// CheckEvidence reads every original and lists those whose bytes are not what they were, and
// the items whose originals are missing.
func (e *Engine) CheckEvidence(ctx context.Context) (n int, bad []string, err error) {
	if e.cfg.Keeper == nil {
		return 0, nil, errNoCustody
	}
	there := map[string]bool{}
	n, err = e.cfg.Keeper.Check(ctx, func(address string, err error) {
		there[address] = true
		if err != nil {
			bad = append(bad, fmt.Sprintf("%s: %v", address, err))
		}
	})
	if err != nil {
		return n, bad, err
	}
	err = e.cfg.DB.View(ctx, func(tx *store.Tx) error {
		addresses, err := tx.Addresses(ctx)
		for _, a := range addresses {
			if there[a] {
				continue
			}
			if plain, err := e.cfg.Keeper.Open(ctx, a, custody.Key{}); errors.Is(err, bonafide.NotFound) {
				bad = append(bad, a+": missing")
			} else if err == nil {
				_ = plain.Close() // it is there
			}
		}
		return err
	})
	return n, bad, err
}

// LogKey verifies the checkpoints of the logs.
func (e *Engine) LogKey() string { return e.cfg.LogKey }
