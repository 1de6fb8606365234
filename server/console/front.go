package console

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"bonafide"
	"bonafide/contact"
	"bonafide/store"
)

// Front speaks with customers: it leads conversations, verifies over ways that were
// known before, asks for material, and holds the lender's own records against what a
// customer says.
type Front interface {
	BeginContact(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, script, complaint, lang string, known bool) (id string, err error)
	Talk(ctx context.Context, tx *store.Tx, t bonafide.Tenant, id string) (c contact.Conversation, talk contact.Talk, version int, err error)
	AnswerContact(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, version int, a bonafide.Answer) error
	BackContact(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, version int) error
	EndContact(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, version int) error

	Ways(ctx context.Context, tx *store.Tx, t bonafide.Tenant, complaint string, kind bonafide.VerificationKind) ([]contact.Offer, error)
	OpenVerification(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, complaint string, kind bonafide.VerificationKind, about, reason string) (id string, err error)
	TryVerification(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, version int, a bonafide.Attempt) error
	SignVerification(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, version int, s contact.Signature) error
	Ask(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, way bonafide.Way, lang string, text func(link, code string) (subject, body string)) error
	AnswerCode(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id, code string) error
	Question(ctx context.Context, token string) (store.Confirmation, bonafide.Verification, error)
	AnswerLink(ctx context.Context, token, answer string) error

	Checklist(ctx context.Context, tx *store.Tx, t bonafide.Tenant, complaint, demand string) (contact.Needed, error)
	Material(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, complaint, demand, verb string, items []string, version int) error
	MaterialLetter(ctx context.Context, tx *store.Tx, t bonafide.Tenant, complaint, lang, lender string, day func(time.Time) string) (string, error)

	Merit(ctx context.Context, tx *store.Tx, t bonafide.Tenant, complaint string) (*bonafide.Merit, error)
}

// The states of conversations and verifications, as their sheets have them.
const (
	talkOpen   = "open"
	talkEnded  = "ended"
	talkBroken = "broken-off"
	taskOpen   = "open"
	taskSigned = "signed"
)

// A talkRow is one conversation in a list.
type talkRow struct {
	store.SheetRow
	C      contact.Conversation
	Who    string
	Title  contact.Texts // of the script
	End    contact.Texts // that was reached; nil where none was
	Erased bool
}

// Notes are what was written down beside answers.
func (r talkRow) Notes() []string {
	var out []string
	for _, a := range r.C.Answers {
		if a.Note != "" {
			out = append(out, a.Note)
		}
	}
	return out
}

// A taskRow is one verification in a list.
type taskRow struct {
	store.SheetRow
	V           bonafide.Verification
	Who, Signer string
	Late        bool
	Erased      bool
}

// talksOf reads conversations of sheets, the latest first.
func talksOf(g tongue, rows []store.SheetRow, names map[string]string) ([]talkRow, error) {
	var out []talkRow
	for _, r := range slices.Backward(rows) {
		row := talkRow{SheetRow: r, Who: g.actorName(names, r.Author), Erased: len(r.Body) == 0}
		if !row.Erased {
			if err := json.Unmarshal(row.Body, &row.C); err != nil {
				return nil, fmt.Errorf("contact %s: %w", row.ID, err)
			}
		}
		if s, err := contact.Load(row.C.Script); err == nil {
			row.Title = s.Titles
			if e := s.End(row.C.End); e != nil {
				row.End = e.Titles
			}
		}
		out = append(out, row)
	}
	return out, nil
}

// tasksOf reads verifications of sheets, the open ones first.
func (k *Console) tasksOf(g tongue, rows []store.SheetRow, names map[string]string) ([]taskRow, error) {
	var open, signed []taskRow
	for _, r := range rows {
		row := taskRow{SheetRow: r, Who: g.actorName(names, r.Author), Erased: len(r.Body) == 0}
		if !row.Erased {
			if err := json.Unmarshal(r.Body, &row.V); err != nil {
				return nil, fmt.Errorf("verification %s: %w", r.ID, err)
			}
			row.Signer = g.actorName(names, row.V.SignedBy)
		}
		if r.State == taskOpen {
			row.Late = !r.Due.IsZero() && k.Now().After(r.Due)
			open = append(open, row)
		} else {
			signed = append(signed, row)
		}
	}
	return append(open, signed...), nil
}

// readContacts reads the conversations about a complaint, what is to be verified, and
// what is still missing of its material.
func (k *Console) readContacts(ctx context.Context, tx *store.Tx, who *visit, p *complaintPage) error {
	p.Talks, p.Tasks, p.Missing = nil, nil, 0 // this may run again
	if !who.May(bonafide.ScopeContactsRead) {
		return nil
	}
	p.Speaks = true
	names, err := k.actors(ctx, tx, who.tenant)
	if err != nil {
		return err
	}
	talks, err := tx.SheetsOf(ctx, who.tenant, p.ID, store.SheetContact)
	if err != nil {
		return err
	}
	if p.Talks, err = talksOf(who.tongue, talks, names); err != nil {
		return err
	}
	tasks, err := tx.SheetsOf(ctx, who.tenant, p.ID, store.SheetVerification)
	if err != nil {
		return err
	}
	if p.Tasks, err = k.tasksOf(who.tongue, tasks, names); err != nil {
		return err
	}
	if p.Erased {
		return nil
	}
	material, err := tx.SheetsOf(ctx, who.tenant, p.ID, store.SheetMaterial)
	if err != nil {
		return err
	}
	for _, row := range material {
		var m contact.Material
		if len(row.Body) == 0 {
			continue
		}
		if err := readJSON(row.Body, &m); err != nil {
			return err
		}
		p.Missing += len(m.Missing(k.Now()))
	}
	p.Begin = beginForm{Complaint: p.ID, Lang: chooseLang(p.C.Lang, "").Tag, Langs: langs, Scripts: scripts()}
	var known contact.Known
	if r := p.C.Representative; r != nil && r.Type != bonafide.RepSelf {
		known.Representative, known.Confirmed = true, r.Confirmed
	}
	p.Begin.Script = contact.Suggest(known)
	return nil
}

// beginForm is what a conversation is begun with.
type beginForm struct {
	Complaint string
	Script    string // the one suggested
	Lang      string
	Langs     []Lang
	Scripts   []*contact.Script
}

// scripts lists the built-in scripts.
func scripts() []*contact.Script {
	var out []*contact.Script
	for _, id := range contact.List() {
		if s, err := contact.Load(id); err == nil {
			out = append(out, s)
		}
	}
	return out
}
