package engine

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"bonafide"
	"bonafide/store"
)

// A Sender sends messages. Nothing is sent twice for one call.
type Sender interface {
	Send(ctx context.Context, m bonafide.Message) error
}

// How a question sent to a customer lives.
const (
	confirmLife  = 72 * time.Hour
	confirmTries = 5 // wrong codes
)

// noQuestion says the same of a link that never was, that expired and that was answered:
// whoever guesses learns nothing.
var noQuestion = &bonafide.Error{Kind: bonafide.NotFound, Msg: "this link is not known, was answered already, or has expired: call the lender on the number printed on your contract"}

// Ask sends the question of a verification to the customer over a known way: a link that
// can be answered once, and a code that they can read out. text makes subject and body
// of the message in the customer's language.
func (e *Engine) Ask(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, way bonafide.Way, lang string, text func(link, code string) (subject, body string)) error {
	if e.cfg.Sender == nil || e.cfg.PublicURL == "" {
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: "no sender is set up"}
	}
	if way != bonafide.ByPhone && way != bonafide.ByEmail {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "way: a link and a code go to the registered phone or e-mail address"}
	}
	d, err := e.desk(ctx, t)
	if err != nil {
		return err
	}
	token, code, err := newQuestion(e.cfg.Random)
	if err != nil {
		return err
	}
	now := e.cfg.Now().UTC()
	hash := sha256.Sum256([]byte(token))
	var m bonafide.Message
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		v, row, err := readVerification(ctx, tx, t, id, 0)
		if err != nil {
			return err
		}
		if v.Outcome != "" {
			return &bonafide.Error{Kind: bonafide.Conflict, Msg: "the verification is signed already"}
		}
		if v.Kind == bonafide.VerifyDocument {
			return &bonafide.Error{Kind: bonafide.Denied, Msg: "way: a paper is verified with its issuer, and nothing else is"}
		}
		sent, err := tx.Confirmations(ctx, t, id)
		if err != nil {
			return err
		}
		if n := len(sent); n >= 5 || n > 0 && now.Sub(sent[n-1].Made) < time.Minute {
			return &bonafide.Error{Kind: bonafide.Busy, Msg: "the customer was asked a moment ago, or five times already: nobody is pestered"}
		}
		offers, err := d.ways(ctx, tx, v.Complaint, v.Kind)
		if err != nil {
			return err
		}
		m = bonafide.Message{ID: row.ID, Way: way, Lang: lang, Made: now, Expires: now.Add(confirmLife)}
		for _, o := range offers {
			if o.Way == way && o.Refused == "" {
				m.To = o.Value
			}
		}
		if m.To == "" {
			return &bonafide.Error{Kind: bonafide.Denied, Msg: "way: it is not one that was known before the complaint arrived"}
		}
		return tx.AddConfirmation(ctx, t, by, store.Confirmation{
			Hash: hash[:], Sheet: id, Way: way, Code: d.codeHash(id, code), Made: now, Expires: m.Expires,
		})
	})
	if err != nil {
		return err
	}
	m.Subject, m.Text = text(strings.TrimSuffix(e.cfg.PublicURL, "/")+"/confirm/"+token, code)
	if err := e.cfg.Sender.Send(ctx, m); err != nil {
		if derr := e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
			return tx.DropConfirmation(ctx, t, by, store.Confirmation{Hash: hash[:], Sheet: id})
		}); derr != nil {
			err = errors.Join(err, derr)
		}
		return &bonafide.Error{Kind: bonafide.Busy, Msg: "the question could not be sent: try again, or use another way", Err: err}
	}
	return nil
}

// newQuestion makes the secret of a link, of 256 bits, and a code of six digits.
func newQuestion(random io.Reader) (token, code string, err error) {
	var b [40]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", "", fmt.Errorf("make a question: %w", err)
	}
	// 64 bits for a million codes: none is likelier than another by more than 1e-13.
	n := binary.BigEndian.Uint64(b[32:]) % 1_000_000
	return base64.RawURLEncoding.EncodeToString(b[:32]), fmt.Sprintf("%06d", n), nil
}

// codeHash is a keyed hash of a code: six digits are too few for any other.
func (d *desk) codeHash(id, code string) []byte {
	return d.live.Keeper().Digest([]byte("code " + id + " " + code))
}

// Question returns the verification that a link belongs to, and whose it is. It says the
// same of every link that is not good.
func (e *Engine) Question(ctx context.Context, token string) (store.Confirmation, bonafide.Verification, error) {
	hash := sha256.Sum256([]byte(token))
	var c store.Confirmation
	var v bonafide.Verification
	err := e.cfg.DB.View(ctx, func(tx *store.Tx) (err error) {
		c, v, err = e.question(ctx, tx, hash[:])
		return err
	})
	return c, v, err
}

func (e *Engine) question(ctx context.Context, tx *store.Tx, hash []byte) (store.Confirmation, bonafide.Verification, error) {
	c, err := tx.ConfirmationByHash(ctx, hash)
	if errors.Is(err, bonafide.NotFound) {
		return c, bonafide.Verification{}, noQuestion
	}
	if err != nil {
		return c, bonafide.Verification{}, err
	}
	if !c.Used.IsZero() || e.cfg.Now().After(c.Expires) || c.Tries >= confirmTries {
		return c, bonafide.Verification{}, noQuestion
	}
	row, err := tx.Sheet(ctx, c.Tenant, store.SheetVerification, c.Sheet)
	if err != nil || row.State != VerificationOpen || len(row.Body) == 0 {
		return c, bonafide.Verification{}, noQuestion
	}
	var v bonafide.Verification
	if err := json.Unmarshal(row.Body, &v); err != nil {
		return c, v, fmt.Errorf("verification %s: %w", c.Sheet, err)
	}
	return c, v, nil
}

// Answers are what a customer can say to the question of a verification.
var Answers = []string{"yes", "no", "unsure"}

// AnswerLink takes what a customer says over a link. A person signs what follows of it.
func (e *Engine) AnswerLink(ctx context.Context, token, answer string) error {
	if !slices.Contains(Answers, answer) {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "choose one of the answers"}
	}
	hash := sha256.Sum256([]byte(token))
	return e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		c, _, err := e.question(ctx, tx, hash[:])
		if err != nil {
			return err
		}
		return e.answered(ctx, tx, c, customerLink, "answered by the link: "+answer, answer)
	})
}

// customerLink is who acts when a customer answers a link.
var customerLink = bonafide.System("confirmation")

// AnswerCode takes the code that a customer reads out to staff.
func (e *Engine) AnswerCode(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id, code string) error {
	d, err := e.desk(ctx, t)
	if err != nil {
		return err
	}
	right := false
	err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
		right = false
		if _, err := tx.Lock(ctx, t); err != nil {
			return err
		}
		sent, err := tx.Confirmations(ctx, t, id)
		if err != nil {
			return err
		}
		if len(sent) == 0 {
			return &bonafide.Error{Kind: bonafide.NotFound, Msg: "no code was sent"}
		}
		c := sent[len(sent)-1]
		if !c.Used.IsZero() || e.cfg.Now().After(c.Expires) || c.Tries >= confirmTries {
			return &bonafide.Error{Kind: bonafide.Conflict, Msg: "the code was used, has expired, or was wrong too often: send another one"}
		}
		if subtle.ConstantTimeCompare(c.Code, d.codeHash(id, strings.TrimSpace(code))) != 1 {
			return tx.TryConfirmation(ctx, t, by, c)
		}
		right = true
		return e.answered(ctx, tx, c, by, "read out the right code", "code")
	})
	if err == nil && !right {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "code: it is not the one that was sent"}
	}
	return err
}

// answered writes an answer down as an attempt that reached somebody.
func (e *Engine) answered(ctx context.Context, tx *store.Tx, c store.Confirmation, by bonafide.Actor, note, answer string) error {
	d, err := e.desk(ctx, c.Tenant)
	if err != nil {
		return err
	}
	if err := tx.UseConfirmation(ctx, c.Tenant, by, c, answer); err != nil {
		return err
	}
	v, row, err := readVerification(ctx, tx, c.Tenant, c.Sheet, 0)
	if err != nil {
		return err
	}
	return d.attempt(ctx, tx, by, v, row, bonafide.Attempt{At: e.cfg.Now().UTC(), By: by.ID, Way: c.Way, Result: bonafide.Reached, Note: note})
}
