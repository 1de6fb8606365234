package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"bonafide"
)

// The states of a policy.
const (
	PolicyDraft    = "draft"
	PolicyShadow   = "shadow"   // graded beside the one in force, without effect
	PolicyPromoted = "promoted" // in force
	PolicyRetired  = "retired"
)

// A PolicyRow is a policy pack that people of a tenant wrote. Text is its TOML.
type PolicyRow struct {
	ID, Name, State, Author string
	Created, Updated        time.Time
	Version                 int // from 1; grows with every change
	Text                    string
	Body                    []byte // JSON of a PolicyBody
}

// A PolicyBody is what is known of a policy beside its text.
type PolicyBody struct {
	Basis     string          `json:"basis"`               // the pack it was copied from
	Approvals []Approval      `json:"approvals,omitempty"` // of the text as it stands
	Backtest  json.RawMessage `json:"backtest,omitempty"`
	Shadow    json.RawMessage `json:"shadow,omitempty"`
}

// An Approval is one person's word that a policy may come into force.
type Approval struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
	Digest string    `json:"digest"` // SHA-256 of the text approved, in hex
}

// SavePolicy stores a new policy, or a policy over the one whose version is one less.
// A policy comes into force only with the approvals of two people for its very text;
// the one that was in force retires. Of those in shadow one is left.
func (tx *Tx) SavePolicy(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, p PolicyRow, what string) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	if p.State == PolicyPromoted {
		if err := twoApprovals(p); err != nil {
			return tx.refuse(err)
		}
	}
	if p.State == PolicyPromoted || p.State == PolicyShadow {
		if _, err := tx.exec(ctx, `UPDATE policy SET state = $3, version = version + 1, updated = $5 WHERE tenant = $1 AND state = $2 AND id <> $4`,
			string(t), p.State, map[string]string{PolicyPromoted: PolicyRetired, PolicyShadow: PolicyDraft}[p.State], p.ID, micros(p.Updated)); err != nil {
			return err
		}
	}
	if p.Version == 1 {
		if _, err := tx.insert(ctx, "policy", "", []any{string(t), p.ID, p.Name, p.State, p.Author, micros(p.Created), micros(p.Updated), int64(1), p.Text, some(p.Body)}); err != nil {
			return otherwise(err, bonafide.Conflict, "there is a policy with this id already")
		}
	} else {
		n, err := tx.exec(ctx, `UPDATE policy SET name = $4, state = $5, updated = $6, version = $3 + 1, text = $7, body = $8 WHERE tenant = $1 AND id = $2 AND version = $3`,
			string(t), p.ID, int64(p.Version-1), p.Name, p.State, micros(p.Updated), p.Text, some(p.Body))
		if err != nil {
			return err
		}
		if n == 0 {
			return &bonafide.Error{Kind: bonafide.Conflict, Msg: "somebody else changed the policy meanwhile: look at it again"}
		}
	}
	return tx.Record(ctx, t, actor, "policy."+what, "policy:"+p.ID, map[string]any{"state": p.State, "version": p.Version, "text": digestOf(p.Text), "body": digestOf(string(p.Body))})
}

// twoApprovals refuses a policy that two different people did not approve as it is.
func twoApprovals(p PolicyRow) error {
	var body PolicyBody
	if err := json.Unmarshal(p.Body, &body); err != nil {
		return fmt.Errorf("policy %s: %w", p.ID, err)
	}
	var by []string
	for _, a := range body.Approvals {
		if a.Digest == PolicyDigest(p.Text) && a.By != "" && !slices.Contains(by, a.By) {
			by = append(by, a.By)
		}
	}
	if len(by) < 2 {
		return &bonafide.Error{Kind: bonafide.Denied, Msg: "a policy comes into force when two people have approved it as it stands"}
	}
	return nil
}

// PolicyDigest is what an approval names a policy's text by.
func PolicyDigest(text string) string { return digestOf(text) }

const policyColumns = `id, name, state, author, created, updated, version, text, body`

func scanPolicy(r row) (p PolicyRow, err error) {
	var created, updated int64
	err = r.Scan(&p.ID, &p.Name, &p.State, &p.Author, &created, &updated, &p.Version, &p.Text, &p.Body)
	p.Created, p.Updated, p.Body = instant(created), instant(updated), some(p.Body)
	return p, err
}

// Policy returns a policy of the tenant.
func (tx *Tx) Policy(ctx context.Context, t bonafide.Tenant, id string) (PolicyRow, error) {
	p, err := one(ctx, tx, scanPolicy, `SELECT `+policyColumns+` FROM policy WHERE tenant = $1 AND id = $2`, string(t), id)
	return p, otherwise(err, bonafide.NotFound, fmt.Sprintf("there is no policy %q", id))
}

// Policies lists policies of a state, or of every state if it is empty, the last
// changed first.
func (tx *Tx) Policies(ctx context.Context, t bonafide.Tenant, state string) ([]PolicyRow, error) {
	return list(ctx, tx, scanPolicy, `SELECT `+policyColumns+` FROM policy WHERE tenant = $1 AND ($2 = '' OR state = $2) ORDER BY updated DESC, id`, string(t), state)
}

// A PublicLetter is a letter that anybody may copy: its name on the first line of
// Body, then its words. It quotes letters, so the store seals it.
type PublicLetter struct {
	ID, Name, Author string
	At               time.Time
	Body             []byte
}

// PutPublicLetter marks a letter as one that anybody may copy.
func (tx *Tx) PutPublicLetter(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, p PublicLetter) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	sealed, err := tx.db.root.seal(tx.db.random, place("public_letter", string(t), p.ID), p.Body)
	if err != nil {
		return err
	}
	if _, err := tx.insert(ctx, "public_letter", overwrite("public_letter"), []any{string(t), p.ID, p.Name, p.Author, micros(p.At), sealed}); err != nil {
		return err
	}
	return tx.Record(ctx, t, actor, "letter.public", "letter:"+p.ID, map[string]any{"digest": digestOf(string(p.Body))})
}

// RemovePublicLetter takes the mark back.
func (tx *Tx) RemovePublicLetter(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, id string) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	n, err := tx.exec(ctx, `DELETE FROM public_letter WHERE tenant = $1 AND id = $2`, string(t), id)
	if err != nil {
		return err
	}
	if n == 0 {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: fmt.Sprintf("there is no public letter %q", id)}
	}
	return tx.Record(ctx, t, actor, "letter.private", "letter:"+id, nil)
}

// PublicLetters lists the tenant's own.
func (tx *Tx) PublicLetters(ctx context.Context, t bonafide.Tenant) ([]PublicLetter, error) {
	return list(ctx, tx, func(r row) (p PublicLetter, err error) {
		var at int64
		var sealed []byte
		if err = r.Scan(&p.ID, &p.Name, &p.Author, &at, &sealed); err != nil {
			return p, err
		}
		p.At = instant(at)
		p.Body, err = tx.db.root.open(place("public_letter", string(t), p.ID), sealed)
		return p, err
	}, `SELECT id, name, author, at, body FROM public_letter WHERE tenant = $1 ORDER BY id`, string(t))
}
