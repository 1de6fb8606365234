package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"bonafide"
	"bonafide/evidence"
)

// An action calls one method of Tx with arguments that fit what is stored, or that
// do not.
type action func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error

func pick(r *rand.Rand, prefix string, n int) string { return fmt.Sprint(prefix, r.IntN(n)) }

func blob(r *rand.Rand) []byte { return fmt.Appendf(nil, `{"n":%d}`, r.IntN(5)) }

// logged are the methods that change what the log is about.
var loggedActions = map[string]action{
	"AddTenant": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.AddTenant(ctx, bonafide.Tenant(pick(r, "t", 4)), "x", clerk)
	},
	"AddComplaints": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		cs := complaints(r.IntN(60), 1+r.IntN(3), 10, 10, 10)
		cs[0].Subject = pick(r, "s", 3)
		if r.IntN(3) == 0 {
			cs[0].Screening = nil
		}
		if r.IntN(3) == 0 {
			cs[0].Key = &Answer{Key: pick(r, "k", 9), Expires: now.Add(time.Duration(r.IntN(60)) * time.Minute)}
		}
		_, err := tx.AddComplaints(ctx, lender, clerk, cs)
		return err
	},
	"PutScreening": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.PutScreening(ctx, lender, clerk, pick(r, "c", 4), 1, blob(r))
	},
	"PutRecords": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		var rs []NewRecord
		for range 1 + r.IntN(4) {
			rs = append(rs, NewRecord{Kind: pick(r, "kind", 2), ID: pick(r, "r", 5), Subject: pick(r, "s", 3), Digest: blob(r), Body: blob(r)})
		}
		_, err := tx.PutRecords(ctx, lender, clerk, rs)
		return err
	},
	"Erase": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.Erase(ctx, lender, clerk, pick(r, "s", 4), "asked")
	},
	"SaveVerdicts": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.SaveVerdicts(ctx, lender, clerk, []VerdictRow{{Complaint: pick(r, "c", 5), Body: blob(r)}}, []string{pick(r, "c", 5)})
	},
	"SaveTemplates": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.SaveTemplates(ctx, lender, clerk, []TemplateRow{{ID: pick(r, "T", 3), Body: blob(r)}}, []string{pick(r, "T", 3)})
	},
	"SaveRings": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.SaveRings(ctx, lender, clerk, []RingRow{{ID: pick(r, "R", 3), Members: []string{pick(r, "c", 5), pick(r, "c", 5)}, Updated: now}, {ID: pick(r, "Q", 3)}})
	},
	"PutApart": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.PutApart(ctx, lender, clerk, pick(r, "c", 4), pick(r, "c", 4), "x")
	},
	"RemoveApart": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.RemoveApart(ctx, lender, clerk, pick(r, "c", 4), pick(r, "c", 4), "x")
	},
	"PutTags": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		g := tag(pick(r, "g", 12), bonafide.OnCustomer, pick(r, "c", 4))
		g.Expires = now.Add(time.Duration(r.IntN(90)) * time.Minute)
		return tx.PutTags(ctx, lender, clerk, []bonafide.Tag{g})
	},
	"RenewTag": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.RenewTag(ctx, lender, clerk, pick(r, "g", 12), now.Add(time.Hour), "still")
	},
	"RemoveTags": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.RemoveTags(ctx, lender, clerk, []string{pick(r, "g", 12), pick(r, "g", 12)}, "why")
	},
	"ExpireTags": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		_, err := tx.ExpireTags(ctx, now, 1+r.IntN(3))
		return err
	},
	"AddKey": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.AddKey(ctx, lender, clerk, APIKey{ID: pick(r, "K", 6), Hash: blob(r)})
	},
	"RevokeKey": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.RevokeKey(ctx, lender, clerk, pick(r, "K", 6), now)
	},
	"AddPerson": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		p := someone(pick(r, "P", 2), pick(r, "login", 5))
		p.Roles = []bonafide.Role{bonafide.Roles[r.IntN(len(bonafide.Roles))]}
		return tx.AddPerson(ctx, chief, p, "$argon2id$x")
	},
	"SavePerson": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		p := someone(pick(r, "P", 2), "")
		p.Name, p.Roles = pick(r, "n", 2), []bonafide.Role{bonafide.Roles[r.IntN(len(bonafide.Roles))]}
		if r.IntN(6) == 0 {
			p.Disabled = now
		}
		return tx.SavePerson(ctx, chief, p)
	},
	"SetPassword": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.SetPassword(ctx, lender, chief, pick(r, "P", 2), "$argon2id$y", r.IntN(2) == 0)
	},
	"RehashPassword": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		p := someone(pick(r, "P", 2), "")
		return tx.RehashPassword(ctx, lender, p.Actor(), p.ID, "$argon2id$z")
	},
	"LinkPerson": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.LinkPerson(ctx, lender, chief, pick(r, "P", 2), "https://id.example", []string{"", "a", "b"}[r.IntN(3)])
	},
	"AddPasskey": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		p := someone(pick(r, "P", 2), "")
		return tx.AddPasskey(ctx, lender, p.Actor(), Passkey{ID: pick(r, "k", 2), Person: p.ID, Credential: blob(r)})
	},
	"UpdatePasskey": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		p := someone(pick(r, "P", 2), "")
		return tx.UpdatePasskey(ctx, lender, p.Actor(), Passkey{ID: pick(r, "k", 2), Person: p.ID, Data: blob(r), Used: now})
	},
	"RemovePasskey": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.RemovePasskey(ctx, lender, chief, pick(r, "P", 2), pick(r, "k", 2))
	},
	"AddSession": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		p := someone(pick(r, "P", 2), "")
		return tx.AddSession(ctx, p.Actor(), Session{Hash: []byte(pick(r, "h", 2)), Tenant: lender, Person: p.ID, How: "password", Started: now, Seen: now})
	},
	"RenewSession": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		s, err := tx.SessionByHash(ctx, []byte(pick(r, "h", 2)))
		s.Tenant, s.Hash, s.Seen = lender, []byte(pick(r, "n", 9)), now
		return errors.Join(tx.RenewSession(ctx, chief, []byte(pick(r, "h", 2)), s), err)
	},
	"EndSession": func(ctx context.Context, tx *Tx, _ *rand.Rand, _ time.Time) error {
		s, err := tx.SessionByHash(ctx, []byte("h0"))
		if err != nil {
			s, err = tx.SessionByHash(ctx, []byte("h1"))
		}
		s.Tenant = lender
		return errors.Join(tx.EndSession(ctx, chief, s), err)
	},
	"EndSessions": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		_, err := tx.EndSessions(ctx, lender, chief, pick(r, "P", 2))
		return err
	},
	"AddWebhook": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.AddWebhook(ctx, lender, clerk, Webhook{ID: pick(r, "W", 4), Events: []string{"tag.created"}})
	},
	"DisableWebhook": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.DisableWebhook(ctx, lender, clerk, pick(r, "W", 4), now, "x")
	},
	"RemoveWebhook": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.RemoveWebhook(ctx, lender, clerk, pick(r, "W", 4))
	},
	"Record": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.Record(ctx, lender, clerk, "looked.up", "complaint:"+pick(r, "c", 4), nil)
	},
}

// deskActions are those of loggedActions that belong to the console's tables.
var deskActions = map[string]action{
	"SaveTrack": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		id := known(ctx, tx, r)
		k, err := tx.Track(ctx, lender, id)
		if err != nil {
			return err
		}
		k.State, k.Version = pick(r, "s", 3), k.Version+r.IntN(2)
		return tx.SaveTrack(ctx, lender, clerk, k, "note", blob(r))
	},
	"StartClocks": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		rows, err := tx.Unclocked(ctx, lender, 1+r.IntN(2))
		for i := range rows {
			rows[i].Pack, rows[i].Due = "p", now
		}
		return errors.Join(err, tx.StartClocks(ctx, lender, clerk, rows))
	},
	"SaveAppeal": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		a := AppealRow{ID: pick(r, "A", 4), Complaint: known(ctx, tx, r), State: AppealOpen, Filed: now, FiledBy: clerk.ID, Body: blob(r)}
		if r.IntN(2) == 0 {
			a.State = AppealUpheld
		}
		return tx.SaveAppeal(ctx, lender, clerk, a)
	},
	"SavePolicy": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		p := PolicyRow{ID: pick(r, "P", 3), State: PolicyDraft, Version: 1 + r.IntN(3), Text: pick(r, "t", 3), Body: []byte(`{}`), Updated: now}
		if r.IntN(3) == 0 {
			p.State = PolicyPromoted
		}
		return tx.SavePolicy(ctx, lender, clerk, p, "saved")
	},
	"PutPublicLetter": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.PutPublicLetter(ctx, lender, clerk, PublicLetter{ID: pick(r, "L", 3), At: now, Body: blob(r)})
	},
	"RemovePublicLetter": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.RemovePublicLetter(ctx, lender, clerk, pick(r, "L", 3))
	},
	"AddImport": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.AddImport(ctx, lender, clerk, ImportRow{ID: pick(r, "I", 3), State: ImportOpen, At: now, Body: blob(r)}, [][]byte{blob(r), blob(r)})
	},
	"SaveImport": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.SaveImport(ctx, lender, clerk, ImportRow{ID: pick(r, "I", 3), State: ImportDone, Version: 1 + r.IntN(3), Body: blob(r)})
	},
	"AddQuarantine": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.AddQuarantine(ctx, lender, clerk, []QuarantineRow{{ID: pick(r, "Q", 9), State: QuarantineOpen, At: now, Body: blob(r)}})
	},
	"CloseQuarantine": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.CloseQuarantine(ctx, lender, clerk, pick(r, "Q", 9), QuarantineMended, "x")
	},
	"PutFilter": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		f := Filter{Name: pick(r, "f", 3), Query: pick(r, "q", 100)}
		if r.IntN(3) == 0 {
			f.Query = ""
		}
		return tx.PutFilter(ctx, lender, clerk, "p1", f)
	},
	"PutSetting": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.PutSetting(ctx, lender, clerk, pick(r, "s", 3), pick(r, "v", 1_000_000))
	},
}

// frontActions are those of loggedActions that belong to the front line.
var frontActions = map[string]action{
	"SaveSheet": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		s := SheetRow{Kind: SheetContact, ID: pick(r, "S", 3), Complaint: known(ctx, tx, r), State: pick(r, "s", 2), At: now, Version: 1 + r.IntN(3), Body: blob(r)}
		return tx.SaveSheet(ctx, lender, clerk, s, "saved")
	},
	"AddConfirmation": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.AddConfirmation(ctx, lender, clerk, Confirmation{Hash: []byte(pick(r, "h", 4)), Sheet: "S", Made: now})
	},
	"TryConfirmation": func(ctx context.Context, tx *Tx, _ *rand.Rand, _ time.Time) error {
		return tx.TryConfirmation(ctx, lender, clerk, anyConfirmation(ctx, tx))
	},
	"UseConfirmation": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.UseConfirmation(ctx, lender, clerk, Confirmation{Hash: []byte(pick(r, "h", 4)), Sheet: "S"}, "yes")
	},
	"DropConfirmation": func(ctx context.Context, tx *Tx, _ *rand.Rand, _ time.Time) error {
		return tx.DropConfirmation(ctx, lender, clerk, anyConfirmation(ctx, tx))
	},
	"SaveMerit": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.SaveMerit(ctx, lender, clerk, []MeritRow{{Complaint: known(ctx, tx, r), At: now, Found: pick(r, "", 2), Body: blob(r)}})
	},
	"SaveKnown": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.SaveKnown(ctx, lender, clerk, KnownRow{Complaint: known(ctx, tx, r), At: now, Body: blob(r)})
	},
	"SaveIncidents": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.SaveIncidents(ctx, lender, clerk, []IncidentRow{{ID: pick(r, "I", 3), Rule: "r", At: now, Body: pick(r, "b", 9)}})
	},
	"SaveModel": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		state := []string{ModelDraft, ModelShadow, ModelActive}[r.IntN(3)]
		return tx.SaveModel(ctx, lender, clerk, ModelRow{ID: pick(r, "M", 3), State: state, Author: pick(r, "a", 2), At: now, Version: 1 + r.IntN(3), Body: "{}"}, "saved")
	},
	"SaveDetector": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.SaveDetector(ctx, lender, clerk, Detector{Name: pick(r, "d", 3), Off: r.IntN(2) == 0, At: now, Reason: "x"})
	},
}

func anyConfirmation(ctx context.Context, tx *Tx) Confirmation {
	all, err := tx.Confirmations(ctx, lender, "S")
	if err != nil || len(all) == 0 {
		return Confirmation{Tenant: "nobody"}
	}
	return all[0]
}

// known picks a complaint that is stored, where there is one.
func known(ctx context.Context, tx *Tx, r *rand.Rand) string {
	all, err := tx.Complaints(ctx, lender, int64(r.IntN(4)), 1)
	if err != nil || len(all) == 0 {
		return "none"
	}
	return all[0].ID
}

func init() {
	maps.Copy(loggedActions, deskActions)
	maps.Copy(loggedActions, frontActions)
	maps.Copy(loggedActions, caseActions)
}

// signed signs checkpoints with the key of the database.
func signed(ctx context.Context, tx *Tx) func(tlog.Tree) ([]byte, error) {
	return func(tree tlog.Tree) ([]byte, error) {
		skey, _, err := tx.SigningKey(ctx)
		if err != nil {
			return nil, err
		}
		s, err := note.NewSigner(skey)
		if err != nil {
			return nil, err
		}
		return evidence.SignCheckpoint(s, "x", tree, start)
	}
}

// caseActions are those of loggedActions that belong to cases.
var caseActions = map[string]action{
	"SaveCase": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		n, err := tx.NextCase(ctx, lender)
		if err != nil {
			return err
		}
		c := CaseRow{Version: 1 + r.IntN(3), Case: bonafide.Case{ID: pick(r, "F", 3), Number: n, Stage: bonafide.StageClue, Begun: now, Since: now, Complaints: []string{pick(r, "c", 5)}}}
		return tx.SaveCase(ctx, lender, clerk, c, bonafide.CaseStep{At: now, What: "note"})
	},
	"AddItem": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		digest := fmt.Sprintf("%064x", r.Uint64())
		i := ItemRow{Item: bonafide.Item{ID: pick(r, "i", 9), Case: pick(r, "F", 3), Size: 1, SHA256: digest, SM3: digest, Stored: now}, Address: digest}
		if r.IntN(2) == 0 {
			i.Complaint = known(ctx, tx, r)
		}
		_, err := tx.AddItem(ctx, lender, clerk, i)
		return err
	},
	"Custody": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		_, err := tx.Custody(ctx, lender, clerk, pick(r, "i", 9), "read", nil)
		return err
	},
	"MoveItems": func(ctx context.Context, tx *Tx, _ *rand.Rand, _ time.Time) error {
		return tx.MoveItems(ctx, lender, clerk, "F0", "F1")
	},
	"AddSeal": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		_, err := tx.AddSeal(ctx, lender, clerk, Seal{Case: pick(r, "F", 3), Variant: "police", Number: r.IntN(4), At: now, Manifest: make([]byte, 32), Address: pick(r, "a", 9), Subjects: []string{pick(r, "s", 3)}}, nil, signed(ctx, tx))
		return err
	},
	"AddStamp": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.AddStamp(ctx, lender, clerk, Stamp{Size: int64(r.IntN(4)), At: now, Token: blob(r)})
	},
	"StampSeal": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.StampSeal(ctx, lender, clerk, Seal{Case: pick(r, "F", 3), Variant: "police", Number: r.IntN(4), Token: blob(r)})
	},
	"DeclareItem": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.DeclareItem(ctx, lender, clerk, pick(r, "i", 9), r.IntN(2) == 0)
	},
	"SaveAdvert": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.SaveAdvert(ctx, lender, clerk, bonafide.Advert{ID: pick(r, "A", 5), Seen: now})
	},
}

// machinery are the methods whose changes follow from logged ones.
var machineryActions = map[string]action{
	"Emit": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.Emit(ctx, lender, bonafide.Event{Type: bonafide.TagCreated, At: now, Count: r.IntN(4)})
	},
	"TouchSession": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.TouchSession(ctx, lender, []byte(pick(r, "h", 4)), now)
	},
	"ExpireSessions": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.ExpireSessions(ctx, now.Add(-time.Duration(r.IntN(400))*time.Minute), now.Add(-12*time.Hour))
	},
	"ReserveTry": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		_, err := tx.ReserveTry(ctx, pick(r, "person:P", 3), now, func(n int) time.Duration { return time.Duration(n-2) * time.Minute })
		return err
	},
	"ForgetTries": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.ForgetTries(ctx, pick(r, "person:P", 3))
	},
	"Enqueue": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.Enqueue(ctx, Job{Tenant: lender, Kind: "screen", Arg: pick(r, "", 5), Due: now})
	},
	"Finish": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.Finish(ctx, Job{ID: pick(r, "", 5)}, "w")
	},
	"PutAnswer": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.PutAnswer(ctx, lender, clerk.ID, Answer{Key: pick(r, "k", 9), Expires: now.Add(time.Hour)})
	},
	"PutDelivery": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		return tx.PutDelivery(ctx, lender, Delivery{ID: pick(r, "D", 5), Webhook: pick(r, "W", 4), Due: now})
	},
	"AddCheckpoint": func(ctx context.Context, tx *Tx, _ *rand.Rand, _ time.Time) error {
		skey, _, err := tx.SigningKey(ctx)
		if err != nil {
			return err
		}
		return checkpoint(ctx, tx, skey)
	},
	"HeldRecords": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		some, err := tx.FreshRecords(ctx, lender, 1+r.IntN(2))
		return errors.Join(err, tx.HeldRecords(ctx, lender, some))
	},
	"LeadCursor": func(ctx context.Context, tx *Tx, r *rand.Rand, now time.Time) error {
		_, _, err := tx.LeadCursor(ctx, lender, "kafka", pick(r, "w", 2), now, time.Minute)
		return err
	},
	"MoveCursor": func(ctx context.Context, tx *Tx, r *rand.Rand, _ time.Time) error {
		return tx.MoveCursor(ctx, lender, "kafka", pick(r, "w", 2), int64(r.IntN(9)))
	},
}

// readers are the methods that change nothing.
var readers = []string{
	"Case", "CaseByNumber", "Cases", "CasesOf", "CaseSteps", "CaseHeads", "StepMarks", "NextCase", "Held", "Item", "Items", "AddressesOf", "Addressed", "Addresses", "CustodyOf", "Seals", "Stamps", "Adverts", "TallyMonth",
	"Sheet", "SheetsOf", "Sheets", "AuditFrame", "ConfirmationByHash", "Confirmations", "Merit", "MeritFound", "FreshRecords", "Arrivals", "OpenComplaints", "HaveRecords", "KnownStamp", "Cursor", "KnownOf", "Incidents", "Models", "Detectors",
	"Leased", "Track", "Tracks", "CountTracks", "Unclocked", "TrackSteps", "Tallies", "Appeal", "AppealsOf", "Appeals", "Exempt", "Policy", "Policies",
	"PublicLetters", "Import", "Imports", "UploadPart", "OneQuarantined", "Quarantined", "Filters", "Settings", "Find", "FindIn", "FoundByID", "Bodies",
	"Figures", "RecordsOf", "RingHeads", "TemplateHeads", "Retired", "Retires", "CountTags",
	"Passkeys", "PasskeyByCredential", "Password", "Pending", "People", "Person", "PersonByLogin", "PersonBySubject", "SessionByHash", "Tries",
	"Answer", "AllTraces", "Aparts", "Checkpoints", "Complaint", "Complaints", "ComplaintsOf", "CountComplaints", "CountEvents", "Deliveries", "Delivery",
	"Entries", "Events", "Hashes", "Jobs", "KeyByHash", "Keys", "Known", "Lock", "LogRow", "LogTree", "OneRecord", "RecordVersions", "Records", "Ring",
	"RingEvents", "Rings", "RingsOf", "Secret", "SigningKey", "StoredSince", "SubjectOf", "Tag", "Tags", "TagsOn", "Template", "Templates", "Tenants", "Traces", "Verdict",
	"Verdicts", "Webhook", "Webhooks",
}

// machineTables hold no more than what follows from changes that are logged.
var machineTables = []string{"meta", "head", "entry", "event", "checkpoint", "job", "answer", "delivery", "reader", "fresh", "session", "attempt"}

// Whoever adds a method says here what it does to the log.
func TestEveryMethodIsKnown(t *testing.T) {
	var got []string
	for m := range reflect.TypeFor[*Tx]().Methods() {
		got = append(got, m.Name)
	}
	want := slices.Concat(readers, slices.Collect(maps.Keys(loggedActions)), slices.Collect(maps.Keys(machineryActions)))
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("methods of Tx, those of readers, loggedActions and machineryActions (-want +got):\n%s", d)
	}
}

var errUndo = errors.New("undo")

// No change without an entry, no entry without a change that was made: over random
// actions on a store that fills up, each tried once in vain and once for good.
func TestSafeguard14NoChangeWithoutEntry(t *testing.T) {
	each(t, func(t *testing.T, db *DB, c *clock) {
		r := rand.New(rand.NewPCG(1, 2))
		all := maps.Clone(loggedActions)
		maps.Copy(all, machineryActions)
		names := slices.Sorted(maps.Keys(all))
		worked := map[string]int{}
		before := dump(t, db)
		// Each is tried as often, in an order that changes: its dumps are what takes long.
		const rounds = 12
		var order []string
		for range rounds {
			for _, k := range r.Perm(len(names)) {
				order = append(order, names[k])
			}
		}
		for i, name := range order {
			c.add(time.Minute)
			seed, now := r.Uint64(), c.now()
			run := func(tx *Tx) error { return all[name](t.Context(), tx, rand.New(rand.NewPCG(seed, 1)), now) }

			// In vain: fn fails behind it, or the context ends before the commit.
			var err error
			if i%2 == 0 {
				err = db.Update(t.Context(), func(tx *Tx) error { return errors.Join(run(tx), errUndo) })
			} else {
				ctx, cancel := context.WithCancel(t.Context())
				err = db.Update(ctx, func(tx *Tx) error {
					defer cancel()
					return run(tx)
				})
				cancel()
			}
			if err == nil {
				t.Fatalf("%s: committed what was to be undone", name)
			}
			if after := dump(t, db); !same(before, after) {
				t.Fatalf("%s failed and changed (-want +got):\n%s", name, cmp.Diff(before, after))
			}

			err = db.Update(t.Context(), run)
			after := dump(t, db)
			if err != nil {
				if !errors.As(err, new(*bonafide.Error)) {
					t.Fatalf("%s: %v", name, err)
				}
				if !same(before, after) {
					t.Fatalf("%s was refused (%v) and changed (-want +got):\n%s", name, err, cmp.Diff(before, after))
				}
				continue
			}
			worked[name]++
			changed := !same(data(before), data(after))
			entries := len(after["entry"]) - len(before["entry"])
			_, log := loggedActions[name]
			switch {
			case changed && entries == 0:
				t.Fatalf("%s changed something and left no entry", name)
			case !log && entries != 0:
				t.Fatalf("%s is machinery and left %d entries", name, entries)
			case log && !changed && entries > 0 && !slices.Contains([]string{"RevokeKey", "SaveVerdicts", "SaveTemplates", "Record", "AddSession", "RenewSession", "EndSession", "EndSessions"}, name):
				t.Fatalf("%s left an entry and changed nothing", name)
			}
			before = after
		}
		for _, name := range names {
			if worked[name] == 0 && name != "Finish" { // TestJobs
				t.Errorf("%s never worked: the test shows nothing of it", name)
			}
		}
		for _, tenant := range []bonafide.Tenant{lender, "t0", "t1"} {
			rep, err := db.VerifyLog(t.Context(), tenant, "", nil)
			if err != nil || rep.Problem != nil {
				t.Errorf("the log of %s: %+v, %v", tenant, rep.Problem, err)
			}
		}
	})
}

func same(a, b map[string][]string) bool { return maps.EqualFunc(a, b, slices.Equal) }

// data leaves the machinery out of a dump.
func data(all map[string][]string) map[string][]string {
	out := maps.Clone(all)
	for _, name := range machineTables {
		delete(out, name)
	}
	return out
}

// No method changes anything in a View.
func TestViewRefusesChanges(t *testing.T) {
	each(t, func(t *testing.T, db *DB, c *clock) {
		fill(t, db)
		before := dump(t, db)
		all := maps.Clone(loggedActions)
		maps.Copy(all, machineryActions)
		for name, fn := range all {
			for seed := range uint64(5) {
				err := db.View(t.Context(), func(tx *Tx) error { return fn(t.Context(), tx, rand.New(rand.NewPCG(seed, 1)), c.now()) })
				if err == nil && name != "ExpireTags" && name != "RemoveTags" { // with nothing to do they do nothing
					t.Errorf("%s: no error in a View", name)
				}
			}
		}
		err := db.View(t.Context(), func(tx *Tx) error {
			_, err := tx.q.ExecContext(t.Context(), `DELETE FROM entry`)
			return err
		})
		if err == nil {
			t.Error("the database allowed a change in a View")
		}
		if d := cmp.Diff(before, dump(t, db)); d != "" {
			t.Errorf("changed (-want +got):\n%s", d)
		}
	})
}

// A View sees one moment.
func TestViewIsOfOneMoment(t *testing.T) {
	each(t, func(t *testing.T, db *DB, _ *clock) {
		view(t, db, func(ctx context.Context, tx *Tx) error {
			first, err := tx.LogTree(ctx, lender)
			if err != nil {
				return err
			}
			update(t, db, func(ctx context.Context, tx *Tx) error { return tx.PutApart(ctx, lender, clerk, "a", "b", "x") })
			second, err := tx.LogTree(ctx, lender)
			if err != nil || first != second {
				t.Errorf("the log was %v and is %v, %v", first, second, err)
			}
			return nil
		})
	})
}
