package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"bonafide"
	"bonafide/casefile"
	"bonafide/store"
)

// feedback takes what became of a case to where it matters. A case that is dropped clears
// its rings, for the same reasons: their tags go and learning counts them as innocent; rings
// that stand in another case that goes on stay. One that ends in an admonition, a penalty or
// a judgment lets the tags of its rings and of what they share warn as long again; those of
// borrowers run out as they would. Either takes somebody who decides about rings. What the
// authorities did not bear out is left out of learning: see Labels.
func (d *desk) feedback(ctx context.Context, tx *store.Tx, by bonafide.Actor, c bonafide.Case, act casefile.Act) error {
	if c.Stage != bonafide.StageClosed || !by.May(bonafide.ScopeRingsDecide) {
		return nil
	}
	now := d.cfg.Now().UTC().Truncate(time.Microsecond)
	switch c.Exit {
	case bonafide.ExitDropped:
		for _, id := range c.Rings {
			busy, err := goesOn(ctx, tx, d.tenant, id, c.ID)
			if err != nil {
				return err
			}
			if busy {
				continue
			}
			err = d.decideIn(ctx, tx, by, id, bonafide.Clear, act.Reason, act.Innocent, now, func(*store.Tx, bonafide.RingState) error { return nil })
			if err != nil && !errors.Is(err, bonafide.Conflict) && !errors.Is(err, bonafide.NotFound) { // it is no more, or cleared already
				return err
			}
		}
	case bonafide.ExitAdmonition, bonafide.ExitPenalty, bonafide.ExitJudgment:
		for _, id := range c.Rings {
			tags, err := d.tagsOf(ctx, tx, id)
			if err != nil {
				return err
			}
			for _, g := range tags {
				if !g.Live(now) || g.Target.Kind != bonafide.OnRing && g.Target.Kind != bonafide.OnIdentifier {
					continue
				}
				if err := tx.RenewTag(ctx, d.tenant, by, g.ID, now.Add(bonafide.TagLife), fmt.Sprintf("case %d ended: %s", c.Number, c.Exit)); err != nil {
					return err
				}
				if err := tx.Emit(ctx, d.tenant, bonafide.Event{Type: bonafide.TagRenewed, At: now, Target: g.Target, Ring: g.Ring, Reason: g.ID}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// exitsOf reads how closed cases ended, by id.
func exitsOf(ctx context.Context, tx *store.Tx, t bonafide.Tenant) (map[string]bonafide.Exit, error) {
	heads, err := tx.CaseHeads(ctx, t)
	out := map[string]bonafide.Exit{}
	for _, h := range heads {
		if h.Exit != "" {
			out[h.ID] = h.Exit
		}
	}
	return out, err
}

// goesOn reports whether a ring stands in a case besides one that is not closed.
func goesOn(ctx context.Context, tx *store.Tx, t bonafide.Tenant, ring, besides string) (bool, error) {
	ids, err := tx.CasesOf(ctx, t, "ring", ring)
	if err != nil {
		return false, err
	}
	for _, id := range ids {
		if id == besides {
			continue
		}
		c, err := tx.Case(ctx, t, id)
		if err != nil || c.Stage != bonafide.StageClosed {
			return true, err
		}
	}
	return false, nil
}

// fellThrough reports whether some case about a ring ended without what the police, the
// procurator or the court could bear out: what people decided before is then no label.
func fellThrough(ctx context.Context, tx *store.Tx, t bonafide.Tenant, ring string, exits map[string]bonafide.Exit) (bool, error) {
	if len(exits) == 0 {
		return false, nil
	}
	cases, err := tx.CasesOf(ctx, t, "ring", ring)
	for _, id := range cases {
		switch exits[id] {
		case bonafide.ExitNotFiled, bonafide.ExitWithdrawn, bonafide.ExitNotIndicted, bonafide.ExitAcquitted, bonafide.ExitDropped:
			return true, err
		}
	}
	return false, err
}

// filings reads what the analysis of a method sees of the complaints of a case.
func (e *Engine) filings(ctx context.Context, tx *store.Tx, t bonafide.Tenant, ids []string, rings []bonafide.Ring) ([]casefile.Filing, error) {
	bodies, err := bodiesOf(ctx, tx, t, ids)
	if err != nil {
		return nil, err
	}
	things := map[string][]string{}
	for _, r := range rings {
		for _, s := range r.Shared {
			for _, m := range s.Members {
				if !slices.Contains(things[m], s.Kind) {
					things[m] = append(things[m], s.Kind)
				}
			}
		}
	}
	var out []casefile.Filing
	for _, id := range ids {
		c := bodies[id]
		if c == nil {
			continue
		}
		f := casefile.Filing{Complaint: id, Received: c.Received, Channel: c.Channel, Demands: c.Demands, Things: things[id]}
		if v, err := verdictOf(ctx, tx, t, id); err == nil {
			f.Criteria, f.Template = slices.Clone(v.Criteria), v.Template
		} else if !errors.Is(err, bonafide.NotFound) {
			return nil, err
		}
		contacts, verified, err := sheetsOf(ctx, tx, t, id)
		if err != nil {
			return nil, err
		}
		for _, one := range contacts {
			f.Facts = append(f.Facts, one.Established.Facts...)
		}
		for _, v := range verified {
			if v.Criterion != "" && v.Outcome == "denied" {
				f.Criteria = append(f.Criteria, v.Criterion)
			}
		}
		out = append(out, f)
	}
	return out, nil
}

// An Analysis says how the rings of a case work.
type Analysis struct {
	Methods []casefile.Method
	Months  []casefile.Spell
	Feeds   []Feed
}

// A Feed is an advert, with the complaints of the case that were filed with what it names.
type Feed struct {
	Advert     bonafide.Advert
	Complaints []string
	Linked     bool // a person put it into the case
}

// feedsMost bounds the adverts that are looked at.
const feedsMost = 1000

// Analyse says by which scenarios a case works, how that changes, and which adverts feed it.
func (e *Engine) Analyse(ctx context.Context, tx *store.Tx, t bonafide.Tenant, c *bonafide.Case) (Analysis, error) {
	var out Analysis
	ids, err := complaintsOf(ctx, tx, t, c)
	if err != nil {
		return out, err
	}
	rings, err := ringsNamed(ctx, tx, t, c.Rings)
	if err != nil {
		return out, err
	}
	filings, err := e.filings(ctx, tx, t, ids, rings)
	if err != nil {
		return out, err
	}
	out.Methods, out.Months = casefile.Analyse(filings, e.cfg.Clocks.Zone())
	adverts, err := tx.Adverts(ctx, t, nil, feedsMost)
	if err != nil {
		return out, err
	}
	for _, a := range adverts {
		fed, err := e.Fed(ctx, t, a)
		if err != nil {
			return out, err
		}
		fed = slices.DeleteFunc(fed, func(id string) bool { return !slices.Contains(ids, id) })
		if linked := slices.Contains(c.Adverts, a.ID); linked || len(fed) > 0 {
			out.Feeds = append(out.Feeds, Feed{a, fed, linked})
		}
	}
	return out, nil
}

func ringsNamed(ctx context.Context, tx *store.Tx, t bonafide.Tenant, ids []string) ([]bonafide.Ring, error) {
	var out []bonafide.Ring
	for _, id := range ids {
		row, err := tx.Ring(ctx, t, id)
		if errors.Is(err, bonafide.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		var r bonafide.Ring
		if err := json.Unmarshal(row.Body, &r); err != nil {
			return nil, fmt.Errorf("ring %s: %w", id, err)
		}
		r.ID = row.ID
		out = append(out, r)
	}
	return out, nil
}

// watchEvery is how often cases are told of what is new.
const watchEvery = 2 * time.Minute

// watch tells open cases of what is new until ctx ends.
func (e *Engine) watch(ctx context.Context) error {
	for {
		for _, s := range e.Status() {
			if err := e.Watch(ctx, s.Tenant); err != nil && ctx.Err() == nil {
				e.cfg.Log.WarnContext(ctx, "watch", slog.Any("tenant", s.Tenant), slog.Any("err", err))
			}
		}
		if !sleep(ctx, watchEvery) {
			return nil
		}
	}
}

// Watch tells every open case of a tenant what is new to its watches, now: each raises a
// task. It puts no tag and touches no complaint.
func (e *Engine) Watch(ctx context.Context, t bonafide.Tenant) error {
	var open []store.CaseRow
	err := e.cfg.DB.View(ctx, func(tx *store.Tx) (err error) {
		open, err = tx.Cases(ctx, t, store.CaseFilter{Open: true})
		return err
	})
	if err != nil {
		return err
	}
	for _, row := range open {
		if len(row.Watches) == 0 {
			continue
		}
		news, err := e.news(ctx, t, row)
		if err != nil {
			return err
		}
		if len(news) == 0 {
			continue
		}
		err = e.cfg.DB.Update(ctx, func(tx *store.Tx) error {
			row, err := readCase(ctx, tx, t, row.ID, row.Version)
			if err != nil {
				return err
			}
			now := e.cfg.Now().UTC().Truncate(time.Microsecond)
			next := casefile.Clone(row.Case)
			total := 0
			for i := range next.Watches {
				w := &next.Watches[i]
				fresh := news[w.ID]
				if len(fresh) == 0 {
					continue
				}
				total += len(fresh)
				w.Seen = append(slices.Clone(w.Seen), fresh...)
				next.Tasks = append(next.Tasks, bonafide.CaseTask{ID: e.cfg.DB.NewID(), Template: "watch." + w.Kind, Text: strings.Join(fresh[:min(len(fresh), 20)], ", "), Due: now.AddDate(0, 0, 3)})
			}
			row.Case = next
			return e.keepCase(ctx, tx, t, bonafide.System("watch"), row, bonafide.CaseStep{At: now, By: "system:watch", What: "watched", From: row.Stage, To: row.Stage, Number: fmt.Sprint(total)})
		})
		if err != nil && !errors.Is(err, bonafide.Conflict) { // somebody works on it: the next look tells
			return err
		}
	}
	return nil
}

// news lists what each watch of a case did not tell of yet.
func (e *Engine) news(ctx context.Context, t bonafide.Tenant, row store.CaseRow) (map[string][]string, error) {
	out := map[string][]string{}
	for _, w := range row.Watches {
		var now []string
		err := e.cfg.DB.View(ctx, func(tx *store.Tx) error {
			now = nil
			switch w.Kind {
			case "ring":
				r, err := tx.Ring(ctx, t, w.Value)
				if errors.Is(err, bonafide.NotFound) {
					return nil
				}
				now = r.Members
				return err
			case "advert":
				as, err := tx.Adverts(ctx, t, []string{w.Value}, 1)
				if err != nil || len(as) == 0 {
					return err
				}
				now, err = e.Fed(ctx, t, as[0])
				return err
			case "scenario":
				rows, err := tx.RingHeads(ctx, t, string(bonafide.RingProposed), "", 200)
				if err != nil {
					return err
				}
				for _, r := range rows {
					if slices.Contains(row.Rings, r.ID) || slices.Contains(w.Seen, r.ID) {
						continue
					}
					one := bonafide.Case{Rings: []string{r.ID}}
					ids, err := complaintsOf(ctx, tx, t, &one)
					if err != nil {
						return err
					}
					rings, err := ringsNamed(ctx, tx, t, one.Rings)
					if err != nil {
						return err
					}
					fs, err := e.filings(ctx, tx, t, ids, rings)
					if err != nil {
						return err
					}
					methods, _ := casefile.Analyse(fs, e.cfg.Clocks.Zone())
					if slices.ContainsFunc(methods, func(m casefile.Method) bool { return m.Scenario == w.Value && 2*m.Count > m.Of }) {
						now = append(now, r.ID)
					}
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		fresh := slices.DeleteFunc(slices.Clone(now), func(id string) bool { return slices.Contains(w.Seen, id) })
		if len(fresh) > 0 {
			out[w.ID] = fresh
		}
	}
	return out, nil
}
