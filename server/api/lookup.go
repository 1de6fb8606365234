package api

import (
	"net/http"
	"slices"
	"strconv"
	"unicode/utf8"

	"bonafide"
	"bonafide/store"
)

// maxIdentifiers bounds one look-up.
const maxIdentifiers = 32

// maxValue is the longest identifier that is looked at, in characters.
const maxValue = 512

// identifier checks an identifier; field names it.
func identifier(field string, id bonafide.Identifier) error {
	if !slices.Contains(bonafide.IdentifierKinds, id.Kind) {
		return wrong(field+".kind", "not one of phone, email, handle, device, ip, address, account, sender")
	}
	if n := utf8.RuneCountInString(id.Value); n == 0 || n > maxValue {
		return wrong(field+".value", "not 1 to "+strconv.Itoa(maxValue)+" characters")
	}
	return nil
}

// lookedUp is the answer to a look-up.
type lookedUp struct {
	Tags  []bonafide.Tag `json:"tags"`
	Rings []string       `json:"rings"` // that the tags or the complaint belong to
}

// lookup tells which tags warn on what a caller or a case is known by: for a softphone
// or a CRM, before the agent says hello. What is asked for is compared as keyed
// hashes. Every look-up is logged, with its purpose and without values, before it is
// answered; it is never answered from memory, since a tag removed meanwhile must not
// warn.
func (a *api) lookup(w http.ResponseWriter, r *http.Request, who caller) error {
	ctx := r.Context()
	var in struct {
		Identifiers []bonafide.Identifier `json:"identifiers"`
		CustomerRef string                `json:"customer_ref"`
		Complaint   string                `json:"complaint"`
		Purpose     string                `json:"purpose"`
	}
	body, err := a.read(w, r, &in)
	if err != nil {
		return err
	}
	if _, err := a.asked(r, who, body); err != nil {
		return err
	}
	if err := words("purpose", in.Purpose, maxWords); err != nil {
		return err
	}
	if len(in.Identifiers) > maxIdentifiers {
		return wrong("identifiers", "more than "+strconv.Itoa(maxIdentifiers))
	}
	for i, id := range in.Identifiers {
		if err := identifier("identifiers["+strconv.Itoa(i)+"]", id); err != nil {
			return err
		}
	}
	if in.CustomerRef != "" && !bonafide.ValidID(in.CustomerRef) {
		return wrong("customer_ref", "not 1 to 128 characters of UTF-8 without control characters")
	}
	if in.Complaint != "" && !bonafide.ValidID(in.Complaint) {
		return wrong("complaint", "not 1 to 128 characters of UTF-8 without control characters")
	}
	if len(in.Identifiers) == 0 && in.CustomerRef == "" && in.Complaint == "" {
		return wrong("identifiers", "give at least one of identifiers, customer_ref, complaint")
	}
	targets, err := a.Hasher.Targets(ctx, who.tenant, in.Identifiers, in.CustomerRef, in.Complaint)
	if err != nil {
		return err
	}
	var found lookedUp
	target := "" // what is logged; an id that is none is a value like any other
	err = a.Store.View(ctx, func(tx *store.Tx) (err error) {
		if found, err = a.warnings(r, tx, who, targets, in.Complaint); err != nil || in.Complaint == "" {
			return err
		}
		known, err := tx.Known(ctx, who.tenant, []string{in.Complaint})
		if _, ok := known[in.Complaint]; ok {
			target = "complaint:" + in.Complaint
		}
		return err
	})
	if err != nil {
		return err
	}
	ids := make([]string, len(found.Tags))
	for i, t := range found.Tags {
		ids[i] = t.ID
	}
	entry := struct {
		Purpose     string   `json:"purpose"`
		Identifiers int      `json:"identifiers"`
		Customer    bool     `json:"customer,omitempty"`
		Tags        []string `json:"tags"`
	}{in.Purpose, len(in.Identifiers), in.CustomerRef != "", ids}
	err = a.Store.Update(ctx, func(tx *store.Tx) error {
		return tx.Record(ctx, who.tenant, who.actor, "tags.looked-up", target, entry)
	})
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, found)
}

// warnings finds the live tags on targets and on the rings they lead to.
func (a *api) warnings(r *http.Request, tx *store.Tx, who caller, targets []bonafide.Target, complaint string) (lookedUp, error) {
	ctx, now := r.Context(), a.Now()
	found := lookedUp{Tags: []bonafide.Tag{}, Rings: []string{}}
	if len(targets) == 0 {
		return found, nil
	}
	tags, err := tx.TagsOn(ctx, who.tenant, targets, now)
	if err != nil {
		return lookedUp{}, err
	}
	rings := map[string]bool{}
	for _, t := range tags {
		if t.Ring != "" {
			rings[t.Ring] = true
		}
	}
	if complaint != "" {
		of, err := tx.RingsOf(ctx, who.tenant, []string{complaint})
		if err != nil {
			return lookedUp{}, err
		}
		for _, id := range of[complaint] {
			rings[id] = true
		}
	}
	var on []bonafide.Target
	for id := range rings {
		on = append(on, bonafide.Target{Kind: bonafide.OnRing, ID: id})
		found.Rings = append(found.Rings, id)
	}
	slices.Sort(found.Rings)
	if len(on) > 0 {
		more, err := tx.TagsOn(ctx, who.tenant, on, now)
		if err != nil {
			return lookedUp{}, err
		}
		tags = append(tags, more...)
	}
	found.Tags = append(found.Tags, tags...)
	return found, nil
}
