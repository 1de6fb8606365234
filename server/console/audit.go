package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"bonafide"
	"bonafide/audit"
	"bonafide/learn"
	"bonafide/pipeline"
	"bonafide/store"
)

// Auditor is what audits and learning need of the engine.
type Auditor interface {
	DrawAudit(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, n int) (drawn int, err error)
	Judge(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, version int, j audit.Judgement, reason string) error
	Audited(ctx context.Context, tx *store.Tx, t bonafide.Tenant) ([]audit.Case, audit.Figures, error)
	SwitchOn(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, name, reason string) error
	Labels(ctx context.Context, tx *store.Tx, t bonafide.Tenant) ([]learn.Example, error)
	Learn(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, alpha float64) (id string, err error)
	MoveModel(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, id string, version int, state string) error
	DemandPromise(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, alpha float64) error
}

// auditsPage shows what blind audits say, and which cases wait for a judge.
type auditsPage struct {
	Open      []store.SheetRow
	Figures   audit.Figures
	Detectors []detectorRow
	MaySwitch bool
}

type detectorRow struct {
	audit.Detector
	Off    bool
	Reason string
}

// auditsOpen bounds the list of cases that wait.
const auditsOpen = 200

func (k *Console) audits(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx := r.Context()
	var page auditsPage
	err := k.Store.View(ctx, func(tx *store.Tx) error {
		page = auditsPage{MaySwitch: who.May(bonafide.ScopePolicyWrite)}
		var err error
		if page.Open, err = tx.Sheets(ctx, who.tenant, store.SheetAudit, "open", auditsOpen); err != nil {
			return err
		}
		if _, page.Figures, err = k.Audits.Audited(ctx, tx, who.tenant); err != nil {
			return err
		}
		page.Detectors, err = switched(ctx, tx, who.tenant, page.Figures)
		return err
	})
	if err != nil {
		return err
	}
	return k.ok(w, r, who, "audits", page)
}

// switched lists every kind of evidence that was audited or switched off.
func switched(ctx context.Context, tx *store.Tx, t bonafide.Tenant, f audit.Figures) ([]detectorRow, error) {
	have, err := tx.Detectors(ctx, t)
	if err != nil {
		return nil, err
	}
	var out []detectorRow
	for _, d := range f.Detectors {
		out = append(out, detectorRow{Detector: d})
	}
	for _, d := range have {
		if !d.Off {
			continue
		}
		i := slices.IndexFunc(out, func(r detectorRow) bool { return r.Name == d.Name })
		if i < 0 {
			out = append(out, detectorRow{Detector: audit.Detector{Name: d.Name}})
			i = len(out) - 1
		}
		out[i].Off, out[i].Reason = true, d.Reason
	}
	return out, nil
}

func (k *Console) drawAudit(w http.ResponseWriter, r *http.Request, who *visit) error {
	n, err := strconv.Atoi(r.PostFormValue("number"))
	if err != nil {
		n = 0
	}
	if _, err := k.Audits.DrawAudit(r.Context(), who.tenant, who.actor, n); err != nil {
		return err
	}
	return done(w, r, "/audits", "drawn")
}

// auditPage shows a complaint to somebody who judges it blindly: the letter, what it asks
// for and what the lender's records say. Neither its id nor anything that is suspected.
type auditPage struct {
	ID         string
	Version    int
	Letter     string
	Lang       string
	C          bonafide.Complaint
	Merit      *bonafide.Merit
	Judgements []audit.Judgement
	Judged     bool
}

// auditLetter is how many runes of a letter a judge sees.
const auditLetter = 20_000

func (k *Console) oneAudit(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx, id := r.Context(), r.PathValue("id")
	var page auditPage
	err := k.looked(ctx, who, "audit", id, "", func(tx *store.Tx) error {
		page = auditPage{ID: id, Judgements: audit.Judgements}
		row, err := tx.Sheet(ctx, who.tenant, store.SheetAudit, id)
		if err != nil {
			return err
		}
		page.Version, page.Judged = row.Version, row.State != "open"
		one, err := tx.Complaint(ctx, who.tenant, row.Complaint)
		if err != nil {
			return &bonafide.Error{Kind: bonafide.NotFound, Msg: "the content of this complaint was erased"}
		}
		if err := json.Unmarshal(one.Body, &page.C); err != nil {
			return fmt.Errorf("complaint: %w", err)
		}
		page.Merit, err = k.Front.Merit(ctx, tx, who.tenant, row.Complaint)
		return err
	})
	if err != nil {
		return err
	}
	names := namesIn(page.C)
	page.Letter, page.Lang = cut(pipeline.MaskLetter(page.C.Text, names...), auditLetter), page.C.Lang
	for i, d := range page.C.Demands {
		page.C.Demands[i] = pipeline.MaskLetter(d, names...)
	}
	if page.Merit != nil { // rows name records, and with them the customer
		for i := range page.Merit.Findings {
			page.Merit.Findings[i].Rows = nil
		}
	}
	return k.ok(w, r, who, "audit", page)
}

func (k *Console) judge(w http.ResponseWriter, r *http.Request, who *visit) error {
	reason, err := words(r, "reason")
	if err != nil {
		return err
	}
	seen := version(r)
	if err := k.Audits.Judge(r.Context(), who.tenant, who.actor, r.PathValue("id"), seen, audit.Judgement(r.PostFormValue("judgement")), reason); err != nil {
		return err
	}
	return done(w, r, "/audits", "judged")
}

func (k *Console) switchOn(w http.ResponseWriter, r *http.Request, who *visit) error {
	reason, err := words(r, "reason")
	if err != nil {
		return err
	}
	if err := k.Audits.SwitchOn(r.Context(), who.tenant, who.actor, r.PathValue("name"), reason); err != nil {
		return err
	}
	return done(w, r, "/audits", "switched-on")
}

// learningPage shows weights and what they promise.
type learningPage struct {
	Organised, Innocent int // groups decided about
	Needed              int // innocent groups for a promise of 5 %
	Demanded            float64
	Rows                []modelRow
	MayWrite            bool
}

type modelRow struct {
	store.ModelRow
	learn.Model
	Who    string
	Mine   bool
	Shadow *struct {
		Proposed int `json:"proposed"`
		Stand    int `json:"stand"`
	} `json:"shadow"`
}

// settingAlpha is the engine's: in tenths of a percent.
const settingAlpha = "control_alpha"

func (k *Console) learning(w http.ResponseWriter, r *http.Request, who *visit) error {
	ctx := r.Context()
	var page learningPage
	err := k.Store.View(ctx, func(tx *store.Tx) error {
		page = learningPage{Needed: 2 * learn.Needed(0.05, 0.95), MayWrite: who.May(bonafide.ScopePolicyWrite)}
		labels, err := k.Audits.Labels(ctx, tx, who.tenant)
		if err != nil {
			return err
		}
		count := learn.Count(labels)
		page.Organised, page.Innocent = count.OrganisedGroups, count.InnocentGroups
		settings, err := tx.Settings(ctx, who.tenant)
		if err != nil {
			return err
		}
		if n, err := strconv.Atoi(settings[settingAlpha]); err == nil {
			page.Demanded = float64(n) / 10
		}
		names, err := k.actors(ctx, tx, who.tenant)
		if err != nil {
			return err
		}
		rows, err := tx.Models(ctx, who.tenant)
		if err != nil {
			return err
		}
		for _, row := range rows[:min(50, len(rows))] {
			m := modelRow{ModelRow: row, Who: who.actorName(names, row.Author), Mine: row.Author == who.actor.ID}
			var body struct {
				learn.Model
				Shadow *struct {
					Proposed int `json:"proposed"`
					Stand    int `json:"stand"`
				} `json:"shadow"`
			}
			if err := readJSON([]byte(row.Body), &body); err != nil {
				return err
			}
			m.Model, m.Shadow = body.Model, body.Shadow
			page.Rows = append(page.Rows, m)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return k.ok(w, r, who, "learning", page)
}

// percent reads a percentage of a form as a share.
func percent(r *http.Request, field string) (float64, error) {
	p, err := strconv.ParseFloat(strings.TrimSpace(strings.Replace(r.PostFormValue(field), ",", ".", 1)), 64)
	if err != nil || !(p >= 0.1 && p <= 20) {
		return 0, &bonafide.Error{Kind: bonafide.Invalid, Msg: "alpha: from 0.1 to 20 percent"}
	}
	return p / 100, nil
}

func (k *Console) learn(w http.ResponseWriter, r *http.Request, who *visit) error {
	alpha, err := percent(r, "alpha")
	if err != nil {
		return err
	}
	if _, err := k.Audits.Learn(r.Context(), who.tenant, who.actor, alpha); err != nil {
		return err
	}
	return done(w, r, "/learning", "learned")
}

func (k *Console) moveModel(w http.ResponseWriter, r *http.Request, who *visit) error {
	seen := version(r)
	if err := k.Audits.MoveModel(r.Context(), who.tenant, who.actor, r.PathValue("id"), seen, r.PostFormValue("state")); err != nil {
		return err
	}
	return done(w, r, "/learning", "weights-moved")
}

func (k *Console) demandPromise(w http.ResponseWriter, r *http.Request, who *visit) error {
	alpha := 0.0
	if r.PostFormValue("alpha") != "" {
		var err error
		if alpha, err = percent(r, "alpha"); err != nil {
			return err
		}
	}
	if err := k.Audits.DemandPromise(r.Context(), who.tenant, who.actor, alpha); err != nil {
		return err
	}
	return done(w, r, "/learning", "promise")
}
