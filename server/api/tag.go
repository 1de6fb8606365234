package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"bonafide"
	"bonafide/store"
)

// listTags lists tags by id.
func (a *api) listTags(w http.ResponseWriter, r *http.Request, who caller) error {
	ctx := r.Context()
	f := store.TagFilter{Target: param(r, "target"), Ring: param(r, "ring")}
	var err error
	if f.Kind, err = oneOf(r, "kind", string(bonafide.OnComplaint), string(bonafide.OnCustomer), string(bonafide.OnIdentifier), string(bonafide.OnRing)); err != nil {
		return err
	}
	if f.State, err = oneOf(r, "state", "live", "expired", "removed"); err != nil {
		return err
	}
	if f.After, f.Limit, err = pageAfter(r); err != nil {
		return err
	}
	var tags []bonafide.Tag
	err = a.Store.View(ctx, func(tx *store.Tx) (err error) {
		tags, err = tx.Tags(ctx, who.tenant, f)
		return err
	})
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, paged(tags, f.Limit, func(t bonafide.Tag) string { return t.ID }))
}

// oneTag shows a tag, also one that ended.
func (a *api) oneTag(w http.ResponseWriter, r *http.Request, who caller) error {
	ctx := r.Context()
	var t bonafide.Tag
	err := a.Store.View(ctx, func(tx *store.Tx) (err error) {
		t, err = tx.Tag(ctx, who.tenant, r.PathValue("id"))
		return err
	})
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, t)
}

// maxEvidence bounds what a tag rests on.
const maxEvidence = 20

// A newTag is a tag that a person sets. It stands on exactly one of Complaint, Ring,
// CustomerRef and Identifier; of the last two only keyed hashes are kept.
type newTag struct {
	Complaint   string               `json:"complaint"`
	OnRing      string               `json:"ring"`
	CustomerRef string               `json:"customer_ref"`
	Identifier  *bonafide.Identifier `json:"identifier"`
	Reason      string               `json:"reason"`
	Evidence    []string             `json:"evidence"`
	Expires     time.Time            `json:"expires"`
}

// addTag sets a tag.
func (a *api) addTag(w http.ResponseWriter, r *http.Request, who caller) error {
	var in newTag
	body, err := a.read(w, r, &in)
	if err != nil {
		return err
	}
	if err := words("reason", in.Reason, maxWords); err != nil {
		return err
	}
	if len(in.Evidence) > maxEvidence {
		return wrong("evidence", "more than "+strconv.Itoa(maxEvidence))
	}
	for i, e := range in.Evidence {
		if err := words("evidence["+strconv.Itoa(i)+"]", e, maxWords); err != nil {
			return err
		}
	}
	now := a.Now().UTC()
	expires, err := expiry(in.Expires, now)
	if err != nil {
		return err
	}
	target, err := a.target(r.Context(), who, in)
	if err != nil {
		return err
	}
	t := bonafide.Tag{Target: target, Reason: in.Reason, Evidence: in.Evidence, Author: who.actor.ID, Created: now, Expires: expires}
	if target.Kind == bonafide.OnRing {
		t.Ring = target.ID
	}
	return a.change(w, r, who, body, http.StatusCreated, func(ctx context.Context, tx *store.Tx) (any, error) {
		switch target.Kind {
		case bonafide.OnComplaint:
			if _, err := tx.SubjectOf(ctx, who.tenant, target.ID); err != nil {
				return nil, err
			}
		case bonafide.OnRing:
			if _, err := tx.Ring(ctx, who.tenant, target.ID); err != nil {
				return nil, err
			}
		}
		t.ID = a.Store.NewID()
		if err := tx.PutTags(ctx, who.tenant, who.actor, []bonafide.Tag{t}); err != nil {
			return nil, err
		}
		return t, a.emit(ctx, tx, who, bonafide.TagCreated, t)
	})
}

// target finds what a new tag stands on.
func (a *api) target(ctx context.Context, who caller, in newTag) (bonafide.Target, error) {
	n := 0
	for _, given := range [...]bool{in.Complaint != "", in.OnRing != "", in.CustomerRef != "", in.Identifier != nil} {
		if given {
			n++
		}
	}
	if n != 1 {
		return bonafide.Target{}, wrong("complaint", "give exactly one of complaint, ring, customer_ref, identifier")
	}
	for _, f := range [...]struct {
		field, id string
		kind      bonafide.TargetKind
	}{{"complaint", in.Complaint, bonafide.OnComplaint}, {"ring", in.OnRing, bonafide.OnRing}} {
		if f.id == "" {
			continue
		}
		if !bonafide.ValidID(f.id) {
			return bonafide.Target{}, wrong(f.field, "not 1 to 128 characters of UTF-8 without control characters")
		}
		return bonafide.Target{Kind: f.kind, ID: f.id}, nil
	}
	var ids []bonafide.Identifier
	field := "customer_ref"
	if in.Identifier != nil {
		field = "identifier"
		if err := identifier(field, *in.Identifier); err != nil {
			return bonafide.Target{}, err
		}
		ids = append(ids, *in.Identifier)
	} else if !bonafide.ValidID(in.CustomerRef) {
		return bonafide.Target{}, wrong(field, "not 1 to 128 characters of UTF-8 without control characters")
	}
	targets, err := a.Hasher.Targets(ctx, who.tenant, ids, in.CustomerRef, "")
	if err != nil {
		return bonafide.Target{}, err
	}
	if len(targets) == 0 {
		return bonafide.Target{}, wrong(field, "a value that identifies nobody: too short, partly hidden, or one that means no value")
	}
	return targets[0], nil
}

// expiry is when a tag ends: 90 days from now unless an earlier time is given.
func expiry(asked, now time.Time) (time.Time, error) {
	latest := now.Add(bonafide.TagLife)
	switch {
	case asked.IsZero():
		return latest, nil
	case !asked.After(now):
		return time.Time{}, wrong("expires", "not in the future")
	case asked.After(latest):
		return time.Time{}, wrong("expires", "more than 90 days ahead: a person renews a tag that is still needed")
	}
	return asked.UTC(), nil
}

// emit tells other systems of a tag.
func (a *api) emit(ctx context.Context, tx *store.Tx, who caller, what bonafide.EventType, t bonafide.Tag) error {
	return tx.Emit(ctx, who.tenant, bonafide.Event{Type: what, At: a.Now().UTC(), Target: t.Target, Ring: t.Ring, Reason: t.ID})
}

// renewTag lets a tag warn on.
func (a *api) renewTag(w http.ResponseWriter, r *http.Request, who caller) error {
	var in struct {
		Reason  string    `json:"reason"`
		Expires time.Time `json:"expires"`
	}
	body, err := a.read(w, r, &in)
	if err != nil {
		return err
	}
	if err := words("reason", in.Reason, maxWords); err != nil {
		return err
	}
	expires, err := expiry(in.Expires, a.Now().UTC())
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	return a.change(w, r, who, body, http.StatusOK, func(ctx context.Context, tx *store.Tx) (any, error) {
		if err := tx.RenewTag(ctx, who.tenant, who.actor, id, expires, in.Reason); err != nil {
			return nil, err
		}
		t, err := tx.Tag(ctx, who.tenant, id)
		if err != nil {
			return nil, err
		}
		return t, a.emit(ctx, tx, who, bonafide.TagRenewed, t)
	})
}

// removeTag ends a tag everywhere at once.
func (a *api) removeTag(w http.ResponseWriter, r *http.Request, who caller) error {
	var in struct {
		Reason string `json:"reason"`
	}
	body, err := a.read(w, r, &in)
	if err != nil {
		return err
	}
	if err := words("reason", in.Reason, maxWords); err != nil {
		return err
	}
	id := r.PathValue("id")
	return a.change(w, r, who, body, http.StatusOK, func(ctx context.Context, tx *store.Tx) (any, error) {
		t, err := tx.Tag(ctx, who.tenant, id)
		if err != nil {
			return nil, err
		}
		if !t.Removed.IsZero() {
			return nil, &bonafide.Error{Kind: bonafide.Conflict, Msg: "the tag was removed already"}
		}
		if err := tx.RemoveTags(ctx, who.tenant, who.actor, []string{id}, in.Reason); err != nil {
			return nil, err
		}
		if t, err = tx.Tag(ctx, who.tenant, id); err != nil {
			return nil, err
		}
		return t, a.emit(ctx, tx, who, bonafide.TagRemoved, t)
	})
}
