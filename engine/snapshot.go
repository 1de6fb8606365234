package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"bonafide"
	"bonafide/evidence"
	"bonafide/evidence/custody"
	"bonafide/evidence/pack"
	"bonafide/report"
	"bonafide/store"
)

// A sealing is what a pack is made of.
type sealing struct {
	contents *pack.Contents
	manifest evidence.Digest
	snapshot snapshot
	subjects []string
	facts    evidence.Digest // of what is known of everybody in it
}

// A snapshot is what was written for a pack, which is kept: rings and verdicts go on
// changing as complaints arrive, and a sealed pack does not.
type snapshot struct {
	Name         string         `json:"name"`
	Organisation string         `json:"organisation"`
	Version      string         `json:"version"`
	Items        []snapshotItem `json:"items"`
	All          []string       `json:"all"` // items of the case then, those left out too
	Files        []snapshotFile `json:"files"`
}

type snapshotItem struct {
	Path string `json:"path"`
	Item string `json:"item"`
}

type snapshotFile struct {
	Path string `json:"path"`
	Body []byte `json:"body"`
}

// gather writes everything that a pack holds, as of the moment at, under the number of a
// seal.
func (e *Engine) gather(ctx context.Context, t bonafide.Tenant, id, variant string, number int, at time.Time) (sealing, error) {
	var f report.CaseFile
	var s sealing
	var log []store.CustodyEntry
	var items []store.ItemRow
	var result bonafide.Result
	err := e.cfg.DB.View(ctx, func(tx *store.Tx) (err error) {
		if f, items, result, err = e.caseFile(ctx, tx, t, id, variant, number, at); err != nil {
			return err
		}
		s.subjects = nil
		for _, d := range f.Dossiers {
			subject, err := tx.SubjectOf(ctx, t, d.Complaint.ID)
			if err != nil {
				return err
			}
			s.subjects = append(s.subjects, subject)
		}
		for _, i := range items {
			if i.Complaint != "" {
				s.subjects = append(s.subjects, i.Subject)
			}
		}
		s.facts = factsOf(&f)
		s.snapshot.All = nil
		for _, i := range items {
			s.snapshot.All = append(s.snapshot.All, i.ID)
		}
		log, err = tx.CustodyOf(ctx, t, s.snapshot.All, 0)
		return err
	})
	if err != nil {
		return s, err
	}
	s.snapshot.Name, s.snapshot.Organisation, s.snapshot.Version = fmt.Sprintf("case-%d-%d-%s", f.Case.Number, number, variant), e.cfg.Lender, e.cfg.Version
	if s.snapshot.Files, err = documents(&f, &result); err != nil {
		return s, err
	}
	for i, line := range f.Items {
		if line.Path != "" {
			s.snapshot.Items = append(s.snapshot.Items, snapshotItem{line.Path, items[i].ID})
		}
	}
	return s, e.contents(ctx, t, &s, store.Seal{Case: id, Variant: variant, Number: number, At: at}, items, log)
}

// contents makes of a snapshot what a pack holds.
func (e *Engine) contents(ctx context.Context, t bonafide.Tenant, s *sealing, seal store.Seal, items []store.ItemRow, log []store.CustodyEntry) error {
	c := &pack.Contents{
		Name: s.snapshot.Name, Organisation: s.snapshot.Organisation, Version: s.snapshot.Version,
		Case: seal.Case, Number: seal.Number, Variant: seal.Variant, Time: seal.At, Origin: e.origin(t), Items: map[string]int{},
	}
	for _, l := range log {
		c.Custody = append(c.Custody, pack.Custody{ID: l.Entry, Item: l.Item, N: l.N, Data: l.Data})
		c.Items[l.Item] = l.N
	}
	for _, f := range s.snapshot.Files {
		c.Files = append(c.Files, pack.Bytes(f.Path, f.Body))
	}
	rows := map[string]store.ItemRow{}
	for _, i := range items {
		rows[i.ID] = i
	}
	for _, one := range s.snapshot.Items {
		row := rows[one.Item]
		if row.Address == "" {
			return &bonafide.Error{Kind: bonafide.Conflict, Msg: "an item of this seal was erased: seal the case again"}
		}
		file := pack.File{Path: one.Path, Size: row.Size, Open: func() (io.ReadCloser, error) { return e.cfg.Keeper.Open(ctx, row.Address, row.Key) }}
		if err := errors.Join(file.SHA256.UnmarshalText([]byte(row.SHA256)), file.SM3.UnmarshalText([]byte(row.SM3))); err != nil {
			return err
		}
		c.Files = append(c.Files, file)
	}
	var err error
	s.contents = c
	_, s.manifest, err = c.Manifest()
	return err
}

// snapshotMost bounds what is written for one pack, besides its items: 1 GiB.
const snapshotMost = 1 << 30

// keep puts a snapshot into its place.
func (e *Engine) keep(ctx context.Context, s snapshot) (custody.Taken, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return custody.Taken{}, fmt.Errorf("write snapshot: %w", err)
	}
	return e.cfg.Keeper.TakeIn(ctx, bytes.NewReader(b), "snapshot.json", snapshotMost)
}

// reopen reads what was sealed.
func (e *Engine) reopen(ctx context.Context, t bonafide.Tenant, seal store.Seal) (s sealing, err error) {
	if seal.Address == "" {
		return s, &bonafide.Error{Kind: bonafide.Conflict, Msg: "somebody in this seal was erased: seal the case again"}
	}
	plain, err := e.cfg.Keeper.Open(ctx, seal.Address, seal.Key)
	if err != nil {
		return s, err
	}
	defer plain.Close()
	if err := json.NewDecoder(plain).Decode(&s.snapshot); err != nil {
		return s, fmt.Errorf("read snapshot: %w", err)
	}
	var items []store.ItemRow
	var log []store.CustodyEntry
	if err := e.cfg.DB.View(ctx, func(tx *store.Tx) (err error) {
		items = nil
		for _, one := range s.snapshot.Items { // wherever they are now: cases are merged
			i, err := tx.Item(ctx, t, one.Item)
			if err != nil {
				return err
			}
			items = append(items, i)
		}
		log, err = tx.CustodyOf(ctx, t, s.snapshot.All, seal.Entry)
		return err
	}); err != nil {
		return s, err
	}
	if err := e.contents(ctx, t, &s, seal, items, log); err != nil {
		return s, err
	}
	if !bytes.Equal(s.manifest[:], seal.Manifest) {
		return s, &bonafide.Error{Kind: bonafide.Conflict, Msg: "what was kept of this seal is not what was sealed: check the originals"}
	}
	return s, nil
}

// factsOf is a digest of what a pack says of everybody in it that others decide: where their
// complaint stands, what speaks for them, what is proposed, and where each ring stands.
func factsOf(f *report.CaseFile) evidence.Digest {
	type one struct {
		ID, State, Outcome string
		Erased             bool
		For                []report.Exculpatory
		Level              bonafide.Level
		Route              bonafide.Route
	}
	var all []any
	for i := range f.Dossiers {
		d := &f.Dossiers[i]
		x := one{ID: d.Complaint.ID, State: d.State, Outcome: d.Outcome, Erased: d.Erased, For: d.Exculpatory}
		if d.Verdict != nil {
			x.Level, x.Route = d.Verdict.Level, d.Verdict.Route
		}
		all = append(all, x)
	}
	for _, r := range f.Rings {
		all = append(all, r.ID, f.Standing[r.ID], len(r.Decisions))
	}
	b, err := json.Marshal(all)
	if err != nil {
		panic(err) // there is nothing in it that JSON lacks
	}
	return sha256.Sum256(b)
}
