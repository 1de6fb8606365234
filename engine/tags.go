package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"bonafide"
	"bonafide/pipeline"
	"bonafide/store"
)

// systemTags is the author of tags that follow a ring and are removed with it.
const systemTags = "system:settle"

// warns reports whether the members of a ring carry tags: it stands, and a level is
// proposed.
func warns(r store.RingRow) bool {
	switch bonafide.RingState(r.State) {
	case bonafide.RingProposed, bonafide.RingIsFirm:
		return bonafide.Level(r.Level).Accuses()
	}
	return false
}

// targets returns what the tags of a ring stand on, with the words of each. Who is routed
// to a person is left out, with every complaint of the same customer, and so are places:
// neighbours share them.
func targets(r store.RingRow, body bonafide.Ring, keys []pipeline.SharedKey, self map[string]bonafide.Key, routed map[string]bool) map[bonafide.Target]string {
	out := map[bonafide.Target]string{}
	confirmed := func(string) bool { return false }
	state := map[bool]string{false: "proposed, not decided", true: "confirmed by a person"}
	firm := r.State == string(bonafide.RingIsFirm)
	if last := lastDecision(body.Decisions); firm && last != nil {
		confirmed = func(m string) bool { return slices.Contains(last.Members, m) }
	}
	out[bonafide.Target{Kind: bonafide.OnRing, ID: r.ID}] = fmt.Sprintf("%d customers share things and a way of writing (%s)", r.Customers, state[firm])
	for _, k := range keys {
		if k.Kind == string(bonafide.Address) || k.Kind == string(bonafide.IP) || k.Kind == "document" {
			continue
		}
		out[identifierTarget(k)] = fmt.Sprintf("several customers were filed with this %s (%s): ask who is calling, and verify over a contact known before", k.Kind, state[firm])
	}
	tied := map[string]bool{}
	customers := map[bonafide.Key]bool{} // who are routed
	for _, t := range body.Ties {
		tied[t.Complaint] = t.Route == bonafide.RouteNone
	}
	for _, m := range r.Members {
		if k := self[m]; k != 0 && (!tied[m] || routed[m]) {
			customers[k] = true
		}
	}
	for _, m := range r.Members {
		k := self[m]
		if !tied[m] || routed[m] || k != 0 && customers[k] {
			continue
		}
		out[bonafide.Target{Kind: bonafide.OnComplaint, ID: m}] = fmt.Sprintf("an agent may be behind this complaint (%s): check its merit first, and answer it in time", state[confirmed(m)])
		if k != 0 {
			out[bonafide.Target{Kind: bonafide.OnCustomer, ID: hexKey(k)}] = fmt.Sprintf("an agent may be acting for this customer (%s): reach them over a contact known before, warn and help", state[confirmed(m)])
		}
	}
	return out
}

// settleTags brings the tags of a ring to what it is now. What a person removed stays
// removed, under whatever ring, and what expired is not made again. New words keep the
// old expiry.
func (d *desk) settleTags(ctx context.Context, tx *store.Tx, by bonafide.Actor, r store.RingRow, body bonafide.Ring, keys []pipeline.SharedKey, self map[string]bonafide.Key, now time.Time) ([]bonafide.Event, error) {
	want := map[bonafide.Target]string{}
	if warns(r) {
		want = targets(r, body, keys, self, d.live.Selves(self, r.Members))
	}
	have, err := d.tagsOf(ctx, tx, r.ID)
	if err != nil {
		return nil, err
	}
	expires := map[bonafide.Target]time.Time{}
	var remove []string
	var events []bonafide.Event
	for _, t := range have {
		words, still := want[t.Target]
		ours := t.Live(now) && t.Author == systemTags
		switch {
		case ours && (!still && (r.Found || !warns(r)) || still && words != t.Reason):
			remove = append(remove, t.ID)
			events = append(events, bonafide.Event{Type: bonafide.TagRemoved, At: now, Target: t.Target, Ring: r.ID, Reason: t.ID})
			expires[t.Target] = t.Expires
		case t.Live(now) || t.Removed.IsZero() || !isSystem(t.RemovedBy):
			delete(want, t.Target)
		}
	}
	order := make([]bonafide.Target, 0, len(want))
	for t := range want {
		removed, err := d.removedByPerson(ctx, tx, t)
		if err != nil {
			return nil, err
		}
		if !removed {
			order = append(order, t)
		}
	}
	slices.SortFunc(order, func(a, b bonafide.Target) int {
		return cmp.Or(cmp.Compare(slices.Index(targetOrder, a.Kind), slices.Index(targetOrder, b.Kind)), cmp.Compare(a.ID, b.ID))
	})
	var put []bonafide.Tag
	for _, t := range order {
		tag := bonafide.Tag{
			ID: d.cfg.DB.NewID(), Target: t, Reason: want[t], Evidence: body.Why, Ring: r.ID,
			Author: by.ID, Created: now, Expires: now.Add(bonafide.TagLife),
		}
		if e, ok := expires[t]; ok {
			tag.Expires = e
		}
		put = append(put, tag)
		events = append(events, bonafide.Event{Type: bonafide.TagCreated, At: now, Target: t, Ring: r.ID, Reason: tag.ID})
	}
	if len(put) > 0 {
		if err := tx.PutTags(ctx, d.tenant, by, put); err != nil {
			return nil, err
		}
	}
	if len(remove) > 0 {
		if err := tx.RemoveTags(ctx, d.tenant, by, remove, "the ring "+r.ID+" no longer warns here, or in other words"); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// isSystem reports whether an actor is the program itself.
func isSystem(actor string) bool { return strings.HasPrefix(actor, "system:") }

// removedByPerson reports whether a person removed a tag from a target that the program
// had put there, for whatever ring.
func (d *desk) removedByPerson(ctx context.Context, tx *store.Tx, t bonafide.Target) (bool, error) {
	if t.Kind == bonafide.OnRing {
		return false, nil
	}
	tags, err := tx.Tags(ctx, d.tenant, store.TagFilter{Kind: string(t.Kind), Target: t.ID, State: "removed", Limit: part})
	return slices.ContainsFunc(tags, func(t bonafide.Tag) bool { return t.Author == systemTags && !isSystem(t.RemovedBy) }), err
}

var targetOrder = []bonafide.TargetKind{bonafide.OnRing, bonafide.OnIdentifier, bonafide.OnComplaint, bonafide.OnCustomer}

// tagsOf reads every tag that was ever made for a ring.
func (d *desk) tagsOf(ctx context.Context, tx *store.Tx, ringID string) ([]bonafide.Tag, error) {
	var out []bonafide.Tag
	after := ""
	for {
		page, err := tx.Tags(ctx, d.tenant, store.TagFilter{Ring: ringID, After: after, Limit: part})
		if err != nil {
			return nil, err
		}
		out = append(out, page...)
		if len(page) < part {
			return out, nil
		}
		after = page[len(page)-1].ID
	}
}
