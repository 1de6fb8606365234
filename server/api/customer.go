package api

import (
	"context"
	"fmt"
	"net/http"

	"bonafide"
	"bonafide/store"
)

// findCustomer tells the id of a customer by the customer number, which stands in the
// body because it never stands in an address. It answers whether or not anything
// is stored of the customer: the id is a keyed hash.
func (a *api) findCustomer(w http.ResponseWriter, r *http.Request, who caller) error {
	var in struct {
		Ref string `json:"ref"`
	}
	body, err := a.read(w, r, &in)
	if err != nil {
		return err
	}
	if _, err := a.asked(r, who, body); err != nil { // it changes nothing: a repetition is answered anew
		return err
	}
	id, err := a.customerID(r.Context(), who, "ref", in.Ref)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, map[string]string{"id": id})
}

// customerID returns the keyed hash that a customer number stands for.
func (a *api) customerID(ctx context.Context, who caller, field, ref string) (string, error) {
	if !bonafide.ValidID(ref) {
		return "", wrong(field, "not 1 to 128 characters of UTF-8 without control characters")
	}
	id, err := a.Hasher.Subject(ctx, who.tenant, &bonafide.Customer{Ref: ref})
	if err != nil {
		return "", fmt.Errorf("hash a customer number: %w", err)
	}
	if id == "" {
		return "", wrong(field, "a value that identifies nobody, such as unknown or 0000")
	}
	return id, nil
}

// erase makes everything sealed for a person unreadable for good. The person is named
// by the customer number or by one of their complaints.
func (a *api) erase(w http.ResponseWriter, r *http.Request, who caller) error {
	var in struct {
		CustomerRef string `json:"customer_ref"`
		Complaint   string `json:"complaint"`
		Reason      string `json:"reason"`
	}
	body, err := a.read(w, r, &in)
	if err != nil {
		return err
	}
	if err := words("reason", in.Reason, maxWords); err != nil {
		return err
	}
	switch {
	case (in.CustomerRef == "") == (in.Complaint == ""):
		return wrong("customer_ref", "give either this or complaint")
	case in.CustomerRef != "":
		if _, err = a.customerID(r.Context(), who, "customer_ref", in.CustomerRef); err != nil {
			return err
		}
	case !bonafide.ValidID(in.Complaint):
		return wrong("complaint", "not 1 to 128 characters of UTF-8 without control characters")
	}
	return a.decided(w, r, who, body, func(ctx context.Context, keep func(*store.Tx, any) error) error {
		return a.Eraser.Erase(ctx, who.tenant, who.actor, in.CustomerRef, in.Complaint, in.Reason, func(tx *store.Tx, subject string, complaints []string) error {
			return keep(tx, erased{Customer: subject, Complaints: len(complaints)})
		})
	})
}

// erased is the answer to an erasure.
type erased struct {
	Customer   string `json:"customer"`
	Complaints int    `json:"complaints"` // whose content is gone
}
