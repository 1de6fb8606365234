package casefile

import (
	"slices"
	"strings"
	"time"

	"bonafide"
)

// An Act is what a person does with a case.
type Act struct {
	Move   bonafide.Move
	By     string
	Reason string
	Number string    // that an authority gave
	Date   time.Time // of the authority's paper; zero is now
	// Innocent is what was tested of the innocent explanations, and how.
	Innocent string
}

// Facts are what a case has besides what it says itself.
type Facts struct {
	Items    int             // in custody, not erased
	Untested []string        // complaints whose merit was not looked at
	Upheld   []string        // complaints in which the lender was found wrong
	Sealed   int             // number of the last pack for the police, 0 for none
	Changed  bool            // the case changed since that was sealed
	Held     map[string]bool // items that are there, by id
}

// A Lack is something that a case still needs before a move. Code is a key of the words
// for it, and About what it is about.
type Lack struct {
	Code  string
	About string
}

// What the moves of authorities must carry.
var (
	needNumber = []bonafide.Move{bonafide.MoveReceipt, bonafide.MoveFile, bonafide.MoveNotice, bonafide.MovePenalise, bonafide.MoveTransfer, bonafide.MoveIndict, bonafide.MoveRelease, bonafide.MoveJudge, bonafide.MoveAcquit, bonafide.MoveDropCharges}
	needReason = []bonafide.Move{
		bonafide.MoveDrop, bonafide.MoveReturn, bonafide.MovePrepare, bonafide.MoveReport, bonafide.MoveExtend, bonafide.MoveRefuse, bonafide.MoveReconsider,
		bonafide.MoveUphold, bonafide.MovePenalise, bonafide.MoveAdmonish, bonafide.MoveWithdraw, bonafide.MoveSupplement, bonafide.MoveRelease, bonafide.MoveJudge, bonafide.MoveAcquit, bonafide.MoveDropCharges, bonafide.MoveClose, bonafide.MoveReopen,
	}
	// twoPeople are the moves that two people decide.
	twoPeople = []bonafide.Move{bonafide.MoveReport}
	dated     = []bonafide.Move{
		bonafide.MoveReceipt, bonafide.MoveExamine, bonafide.MoveFile, bonafide.MoveRefuse, bonafide.MoveNotice, bonafide.MoveUphold, bonafide.MoveReconsider, bonafide.MoveInvest, bonafide.MovePenalise, bonafide.MoveAdmonish,
		bonafide.MoveWithdraw, bonafide.MoveTransfer, bonafide.MoveSupplement, bonafide.MoveResubmit, bonafide.MoveIndict, bonafide.MoveRelease, bonafide.MoveJudge, bonafide.MoveAcquit, bonafide.MoveDropCharges, bonafide.MoveExtend,
	}
)

// NeedsNumber reports whether a move carries an authority's number.
func NeedsNumber(m bonafide.Move) bool { return slices.Contains(needNumber, m) }

// NeedsReason reports whether a move needs a reason.
func NeedsReason(m bonafide.Move) bool { return slices.Contains(needReason, m) }

// NeedsTwo reports whether two people decide a move.
func NeedsTwo(m bonafide.Move) bool { return slices.Contains(twoPeople, m) }

// Dated reports whether a move bears the date of an authority's paper.
func Dated(m bonafide.Move) bool { return slices.Contains(dated, m) }

// Maximum rounds: reconsideration and a second review; and supplements.
const (
	mostRounds   = 2
	mostSupplied = 2
)

// Lacks lists everything that a case still needs before a move, whatever its stage. The
// moment is when the move is made: an application is in time by its own day, not by the day
// on which somebody writes it down.
func Lacks(c *bonafide.Case, m bonafide.Move, f Facts, at time.Time) []Lack {
	var out []Lack
	need := func(ok bool, code, about string) {
		if !ok {
			out = append(out, Lack{code, about})
		}
	}
	material := func() {
		need(f.Items > 0, "item", "")
		for _, id := range f.Untested {
			need(false, "merit", id)
		}
		for _, t := range c.Tasks {
			need(!t.Done.IsZero() || t.Template == "", "task", t.Template)
		}
	}
	prepared := func() {
		material()
		need(len(c.Offences) > 0, "offence", "")
		need(len(c.Losses) > 0, "loss", "")
		need(slices.ContainsFunc(c.Parties, func(p bonafide.Party) bool { return !p.Role.Borrows() }), "party", "")
		for _, id := range c.Offences {
			o, _ := OffenceOf(id)
			for _, e := range o.Elements {
				need(slices.ContainsFunc(c.Exhibits, func(x bonafide.Exhibit) bool {
					return x.Offence == id && x.Element == e.ID && (f.Held[x.Item] || x.Item == "" && x.Note != "")
				}), "element", id+"."+e.ID)
			}
		}
	}
	switch m {
	case bonafide.MoveOpen:
		need(len(c.Rings)+len(c.Complaints)+len(c.Adverts) > 0, "subject", "")
	case bonafide.MovePreserve:
		need(c.Assignee != "", "assignee", "")
		need(len(c.Scenarios) > 0, "scenario", "")
	case bonafide.MoveReview:
		material()
		need(len(c.Offences) > 0, "offence", "")
	case bonafide.MovePrepare:
		prepared()
	case bonafide.MoveReport:
		prepared() // since it was approved an item may be gone, or a complaint new
		need(f.Sealed > 0, "seal", "")
		need(f.Sealed == 0 || !f.Changed, "seal-old", "")
		need(slices.ContainsFunc(c.Handovers, func(h bonafide.Handover) bool {
			return h.To == "police" && h.Variant == variantPolice && h.Seal == f.Sealed && h.Seal > 0
		}), "handover", "")
	case bonafide.MoveReconsider:
		need(c.Rounds < mostRounds, "rounds", "")
		need(c.Rounds > 0 || c.Clock("refusal-notice") == nil, "notice", "")
		if k := c.Clock([]string{"reconsideration-apply", "second-review-apply"}[min(c.Rounds, 1)]); k != nil && c.Rounds < mostRounds {
			need(!at.After(k.Due), "too-late", k.Due.Format(time.DateOnly))
		}
	case bonafide.MoveNotice:
		need(c.Clock("refusal-notice") != nil, "no-notice", "")
	case bonafide.MoveSupplement:
		need(c.Supplied < mostSupplied, "supplements", "")
	case bonafide.MoveExtend:
		_, _, ok := extendable(c)
		need(ok, "no-extension", "")
	case bonafide.MoveClose:
		for _, r := range c.Requests {
			need(!r.Answered.IsZero(), "request", r.What)
		}
	}
	return out
}

// extendable returns the clock of a case that can be extended, and its period.
func extendable(c *bonafide.Case) (*bonafide.CaseClock, Period, bool) {
	for i := range c.Clocks {
		k := &c.Clocks[i]
		if p, ok := PeriodOf(k.Name); ok && k.Met.IsZero() && k.Extended < len(p.Extends) {
			return k, p, true
		}
	}
	return nil, Period{}, false
}

// lackWords are the words for what a case lacks, in English: the refusal of a move.
var lackWords = map[string]string{
	"subject":      "a ring, a complaint or an advert that it is about",
	"assignee":     "somebody who works on it",
	"scenario":     "the scenarios by which it works, as a person judges",
	"item":         "an item of evidence in custody",
	"merit":        "a look at the merit of complaint",
	"task":         "that a task of its scenarios is done:",
	"offence":      "the offence that it shows",
	"loss":         "a line in the table of losses",
	"party":        "an organiser, agent, recruiter or unknown person behind it",
	"element":      "an exhibit, or a note why there is none, for the element",
	"seal":         "a sealed pack for the police",
	"seal-old":     "a pack that is sealed again: the case changed since",
	"handover":     "a record that the sealed pack was handed to the police",
	"notice":       "the notice of the refusal",
	"no-notice":    "a refusal whose notice did not arrive yet",
	"rounds":       "nothing more: reconsideration and second review were both used",
	"too-late":     "time: the period to apply ended on",
	"supplements":  "nothing more: the procurator asked for two supplements already",
	"no-extension": "a period that can still be extended",
	"request":      "an answer to what an authority asked for:",
}

// LackCodes lists the codes of lacks.
func LackCodes() []string {
	out := make([]string, 0, len(lackWords))
	for code := range lackWords {
		out = append(out, code)
	}
	slices.Sort(out)
	return out
}

func (l Lack) text() string {
	if l.About != "" {
		return lackWords[l.Code] + " " + l.About
	}
	return lackWords[l.Code]
}

// LackError is the refusal of a move for want of something. Its text is in English; a page
// has the lacks to say them in its own words.
type LackError struct {
	Move  bonafide.Move
	Lacks []Lack
}

// Error says what is missing.
func (e *LackError) Error() string {
	texts := make([]string, len(e.Lacks))
	for i, l := range e.Lacks {
		texts[i] = l.text()
	}
	return string(e.Move) + ": the case still needs " + strings.Join(texts, "; ")
}

// Unwrap says that the case as it is does not allow it.
func (e *LackError) Unwrap() error { return bonafide.Conflict }

// Step does what a person asks of a case, and returns the case afterwards with the line of
// its history. The case that is given stays as it is. Errors are of kind Conflict if the
// stage does not allow it or something is missing (then a [LackError]), Invalid if the act
// lacks a reason or a number, Denied if somebody else must do it.
func Step(c bonafide.Case, a Act, f Facts, cal Calendar, now time.Time) (bonafide.Case, bonafide.CaseStep, error) {
	now = now.UTC().Truncate(time.Microsecond)
	fail := func(err error) (bonafide.Case, bonafide.CaseStep, error) { return c, bonafide.CaseStep{}, err }
	if c.Into != "" {
		return fail(wrong(bonafide.Conflict, "the case is part of another now: it goes on there"))
	}
	if !c.Stage.Can(a.Move) {
		return fail(wrong(bonafide.Conflict, "%s: not for a case that is %s: it allows %s", a.Move, c.Stage, listMoves(c.Stage.Moves())))
	}
	switch {
	case strings.TrimSpace(a.By) == "" || strings.HasPrefix(a.By, "system:"):
		return fail(wrong(bonafide.Denied, "%s: only a person does this", a.Move))
	case NeedsReason(a.Move) && strings.TrimSpace(a.Reason) == "":
		return fail(wrong(bonafide.Invalid, "%s: reason: missing", a.Move))
	case NeedsNumber(a.Move) && strings.TrimSpace(a.Number) == "":
		return fail(wrong(bonafide.Invalid, "%s: number: missing: it stands on the authority's paper", a.Move))
	case (a.Move == bonafide.MoveReview || a.Move == bonafide.MoveDrop) && strings.TrimSpace(a.Innocent) == "":
		return fail(wrong(bonafide.Invalid, "%s: innocent: say which innocent explanations were tested, and how", a.Move))
	case a.Date.After(now.Add(24 * time.Hour)):
		return fail(wrong(bonafide.Invalid, "%s: date: it lies in the future", a.Move))
	case !a.Date.IsZero() && a.Date.Before(c.Since.AddDate(0, 0, -400)):
		return fail(wrong(bonafide.Invalid, "%s: date: it lies more than a year before the last step", a.Move))
	}
	when := now
	if !a.Date.IsZero() {
		when = a.Date.UTC()
		if err := early(&c, a.Move, cal, when); err != nil {
			return fail(err)
		}
	}
	if lacks := Lacks(&c, a.Move, f, when); len(lacks) > 0 {
		return fail(&LackError{a.Move, lacks})
	}
	switch {
	case NeedsTwo(a.Move) && c.Pending != nil && c.Pending.What != string(a.Move):
		return fail(underWay(c.Pending))
	case a.Move == bonafide.MovePrepare && a.By == c.AskedBy:
		return fail(wrong(bonafide.Denied, "prepare: whoever asked for the legal review cannot approve it: somebody else must"))
	case c.Pending != nil && c.Pending.What == string(a.Move) && c.Pending.By == a.By:
		return fail(wrong(bonafide.Denied, "%s: two people decide this: a second person must", a.Move))
	}

	next := Clone(c)
	step := bonafide.CaseStep{At: now, By: a.By, What: string(a.Move), From: c.Stage, To: c.Stage, Reason: a.Reason, Number: strings.TrimSpace(a.Number)}
	if NeedsTwo(a.Move) {
		if c.Pending == nil || c.Pending.What != string(a.Move) {
			next.Pending = &bonafide.Pending{What: string(a.Move), By: a.By, At: now, Reason: a.Reason}
			step.What = "ask-" + string(a.Move)
			return next, step, nil
		}
		step.Second = c.Pending.By
	}
	if next.Pending != nil && (next.Pending.What != liftHold || a.Move == bonafide.MovePreserve) { // that puts the hold on
		next.Pending = nil
	}
	next.Stage = c.Stage.To(a.Move)
	if next.Stage != c.Stage {
		next.Since = now
	}
	starts := a.Move
	switch a.Move {
	case bonafide.MovePreserve:
		next.Hold = true
	case bonafide.MoveReturn:
		next.AskedBy, next.PreparedBy = "", ""
	case bonafide.MoveReview:
		next.AskedBy, next.Innocent = a.By, a.Innocent
	case bonafide.MovePrepare:
		next.PreparedBy = a.By
	case bonafide.MoveReconsider:
		next.Rounds++
		if next.Rounds == 2 {
			next.Stage, starts = bonafide.StageSecondReview, "second"
		}
	case bonafide.MoveUphold:
		if next.Rounds >= mostRounds {
			starts = "" // nothing is left to apply for
		}
	case bonafide.MoveSupplement:
		next.Supplied++
	case bonafide.MoveExtend:
		k, p, _ := extendable(&next)
		k.Extended++
		k.Due = p.due(cal, k.Started, k.Extended)
	case bonafide.MoveDrop:
		next.Exit, next.Innocent = bonafide.ExitDropped, a.Innocent
	case bonafide.MoveClose:
		next.Exit, next.Lessons = exitOf(c.Stage), a.Reason
	case bonafide.MoveReopen:
		next.Exit, next.AskedBy, next.PreparedBy, next.Rounds, next.Supplied = "", "", "", 0, 0
	}
	if step.Number != "" {
		if next.Numbers == nil {
			next.Numbers = map[string]string{}
		}
		next.Numbers[string(a.Move)] = step.Number
	}
	step.To = next.Stage
	if next.Stage == bonafide.StageClosed {
		step.Exit = next.Exit
	}
	turn(&next, a.Move, starts, cal, when)
	return next, step, nil
}

// meets reports whether a move is what a clock asks for.
func meets(k *bonafide.CaseClock, m bonafide.Move) bool {
	p, ok := PeriodOf(k.Name)
	return ok && slices.Contains(p.Met, m)
}

// early refuses the date of a move that lies before the day on which the case began, or a
// clock that the move ends.
func early(c *bonafide.Case, m bonafide.Move, cal Calendar, date time.Time) error {
	day := func(t time.Time) string { return t.In(cal.Zone()).Format(time.DateOnly) }
	if begun := day(c.Begun); day(date) < begun {
		return wrong(bonafide.Invalid, "%s: date: it lies before the case began, on %s", m, begun)
	}
	for i := range c.Clocks {
		k := &c.Clocks[i]
		ends := k.Met.IsZero() && (c.Stage.To(m) == bonafide.StageClosed || meets(k, m))
		if started := day(k.Started); ends && day(date) < started {
			return wrong(bonafide.Invalid, "%s: date: it lies before %s, when the period began that it ends", m, started)
		}
	}
	return nil
}

// underWay refuses a second decision of two while one waits for its second person.
func underWay(p *bonafide.Pending) error {
	if p.What == liftHold {
		return wrong(bonafide.Conflict, "a decision of two is under way: the legal hold is to be lifted")
	}
	return wrong(bonafide.Conflict, "a decision of two is under way: the case is to be reported")
}

// variantPolice is the pack that names borrowers.
const variantPolice = "police"

// MayPack refuses to seal a pack for the police before the legal review of the case was
// approved: nothing about borrowers leaves for the police on one person's word.
func MayPack(c *bonafide.Case, variant string) error {
	if variant != variantPolice || approved(c) {
		return nil
	}
	return wrong(bonafide.Conflict, "a pack for the police is sealed after the legal review was approved: the case is %s", c.Stage)
}

// approved reports whether the legal review of a case was approved, and still stands.
func approved(c *bonafide.Case) bool {
	if c.Stage == bonafide.StageClosed { // from wherever
		return c.PreparedBy != "" && c.Into == ""
	}
	return slices.Index(bonafide.Stages, c.Stage) >= slices.Index(bonafide.Stages, bonafide.StagePrepared)
}

// turn ends the clocks that a move meets and starts those that it starts. At the end of a
// case none runs.
func turn(c *bonafide.Case, m, starts bonafide.Move, cal Calendar, when time.Time) {
	for i := range c.Clocks {
		if k := &c.Clocks[i]; k.Met.IsZero() && (c.Stage == bonafide.StageClosed || meets(k, m)) {
			if k.Met = when; when.Before(k.Started) { // of the same day: a paper bears no hour
				k.Met = k.Started
			}
		}
	}
	if starts == "" || c.Stage == bonafide.StageClosed {
		return
	}
	for _, p := range book().Clocks {
		if slices.Contains(p.Starts, starts) {
			c.Clocks = append(c.Clocks, bonafide.CaseClock{Name: p.Name, Started: when, Due: p.due(cal, when, 0)})
		}
	}
}

func exitOf(s bonafide.Stage) bonafide.Exit {
	switch s {
	case bonafide.StagePenalty:
		return bonafide.ExitPenalty
	case bonafide.StageAdmonition:
		return bonafide.ExitAdmonition
	case bonafide.StageWithdrawn:
		return bonafide.ExitWithdrawn
	case bonafide.StageNotIndicted:
		return bonafide.ExitNotIndicted
	case bonafide.StageJudgment:
		return bonafide.ExitJudgment
	case bonafide.StageAcquitted:
		return bonafide.ExitAcquitted
	}
	return bonafide.ExitNotFiled
}

func listMoves(all []bonafide.Move) string {
	if len(all) == 0 {
		return "nothing"
	}
	texts := make([]string, len(all))
	for i, m := range all {
		texts[i] = string(m)
	}
	return strings.Join(texts, ", ")
}

// Reminders are the periods of a case that end within days, or ended and were not met.
func Reminders(c *bonafide.Case, days int, now time.Time) []bonafide.CaseClock {
	var out []bonafide.CaseClock
	for _, k := range c.Clocks {
		p, _ := PeriodOf(k.Name)
		if !k.Met.IsZero() || now.Before(k.Due.AddDate(0, 0, -days)) || p.Option && now.After(k.Due) {
			continue
		}
		out = append(out, k)
	}
	slices.SortStableFunc(out, func(a, b bonafide.CaseClock) int { return a.Due.Compare(b.Due) })
	return out
}
