package engine

import (
	"context"
	"fmt"
	"slices"
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

// targets returns what the tags of a ring stand on, with the words of each. Members
// who are routed to a person are left out, and so are places: neighbours share them.
func targets(r store.RingRow, body bonafide.Ring, keys []pipeline.SharedKey, self map[string]bonafide.Key) map[bonafide.Target]string {
	out := map[bonafide.Target]string{}
	state := "proposed, not decided"
	if r.State == string(bonafide.RingIsFirm) {
		state = "confirmed by a person"
	}
	out[bonafide.Target{Kind: bonafide.OnRing, ID: r.ID}] = fmt.Sprintf("%d customers share things and a way of writing (%s)", r.Customers, state)
	for _, k := range keys {
		if k.Kind == string(bonafide.Address) || k.Kind == string(bonafide.IP) || k.Kind == "document" {
			continue
		}
		out[identifierTarget(k)] = fmt.Sprintf("several customers were filed with this %s (%s): ask who is calling, and verify over a contact known before", k.Kind, state)
	}
	routed := map[string]bool{}
	for _, t := range body.Ties {
		routed[t.Complaint] = t.Route != bonafide.RouteNone
	}
	for _, m := range r.Members {
		if routed[m] {
			continue
		}
		out[bonafide.Target{Kind: bonafide.OnComplaint, ID: m}] = fmt.Sprintf("an agent may be behind this complaint (%s): check its merit first, and answer it in time", state)
		if k := self[m]; k != 0 {
			out[bonafide.Target{Kind: bonafide.OnCustomer, ID: hexKey(k)}] = fmt.Sprintf("an agent may be acting for this customer (%s): reach them over a contact known before, warn and help", state)
		}
	}
	return out
}

// settleTags brings the tags of a ring to what it is now. What a person removed stays
// removed, and what expired is not made again.
func (d *desk) settleTags(ctx context.Context, tx *store.Tx, by bonafide.Actor, r store.RingRow, body bonafide.Ring, keys []pipeline.SharedKey, self map[string]bonafide.Key, now time.Time) ([]bonafide.Event, error) {
	want := map[bonafide.Target]string{}
	if warns(r) {
		want = targets(r, body, keys, self)
	}
	have, err := d.tagsOf(ctx, tx, r.ID)
	if err != nil {
		return nil, err
	}
	var remove []string
	var events []bonafide.Event
	for _, t := range have {
		_, still := want[t.Target]
		switch {
		case t.Live(now) && !still && t.Author == systemTags && (r.Found || !warns(r)):
			remove = append(remove, t.ID)
			events = append(events, bonafide.Event{Type: bonafide.TagRemoved, At: now, Target: t.Target, Ring: r.ID, Reason: t.ID})
		case t.Live(now) || t.Removed.IsZero() || t.RemovedBy != systemTags:
			delete(want, t.Target)
		}
	}
	order := make([]bonafide.Target, 0, len(want))
	for t := range want {
		order = append(order, t)
	}
	slices.SortFunc(order, func(a, b bonafide.Target) int {
		if a.Kind != b.Kind {
			return slices.Index(targetOrder, a.Kind) - slices.Index(targetOrder, b.Kind)
		}
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	var put []bonafide.Tag
	for _, t := range order {
		tag := bonafide.Tag{
			ID: d.cfg.DB.NewID(), Target: t, Reason: want[t], Evidence: body.Why, Ring: r.ID,
			Author: by.ID, Created: now, Expires: now.Add(bonafide.TagLife),
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
		if err := tx.RemoveTags(ctx, d.tenant, by, remove, "the ring "+r.ID+" no longer warns here"); err != nil {
			return nil, err
		}
	}
	return events, nil
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
