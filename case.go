package bonafide

import (
	"log/slog"
	"slices"
	"time"
)

// A Stage is where a case stands: from a clue to its end at the police, the
// procurator or the court.
type Stage string

// The stages, in the order a case goes through them.
const (
	StageClue            Stage = "clue"            // 线索
	StageOpened          Stage = "opened"          // 立项: somebody works on it
	StagePreserving      Stage = "preserving"      // 固证: evidence is taken in
	StageLegalReview     Stage = "legal-review"    // 法务审查
	StagePrepared        Stage = "prepared"        // 筹备: ready to be reported
	StageReported        Stage = "reported"        // 报案
	StageReceipt         Stage = "receipt"         // 受案回执
	StagePoliceReview    Stage = "police-review"   // 立案审查
	StageFiled           Stage = "filed"           // 立案
	StageNotFiled        Stage = "not-filed"       // 不予立案
	StageReconsideration Stage = "reconsideration" // 复议
	StageSecondReview    Stage = "second-review"   // 复核
	StageInvestigation   Stage = "investigation"   // 侦查
	StagePenalty         Stage = "penalty"         // 行政处罚
	StageAdmonition      Stage = "admonition"      // 训诫
	StageWithdrawn       Stage = "withdrawn"       // 撤案, 撤回
	StageProcurator      Stage = "procurator"      // 审查起诉
	StageSupplement      Stage = "supplement"      // 补充侦查
	StageIndicted        Stage = "indicted"        // 起诉
	StageNotIndicted     Stage = "not-indicted"    // 不起诉
	StageJudgment        Stage = "judgment"        // 判决
	StageAcquitted       Stage = "acquitted"       // 宣告无罪
	StageClosed          Stage = "closed"          // 结案
)

// Stages lists every stage, in order.
var Stages = []Stage{
	StageClue, StageOpened, StagePreserving, StageLegalReview, StagePrepared, StageReported, StageReceipt, StagePoliceReview,
	StageFiled, StageNotFiled, StageReconsideration, StageSecondReview, StageInvestigation, StagePenalty, StageAdmonition,
	StageWithdrawn, StageProcurator, StageSupplement, StageIndicted, StageNotIndicted, StageJudgment, StageAcquitted, StageClosed,
}

// Preparing reports whether a case is opened and not yet decided upon by the police: what
// a monthly sheet counts as in preparation.
func (s Stage) Preparing() bool {
	switch s {
	case StageOpened, StagePreserving, StageLegalReview, StagePrepared, StageReported, StageReceipt, StagePoliceReview:
		return true
	}
	return false
}

// A Move is what happens to a case.
type Move string

// The moves.
const (
	MoveOpen        Move = "open"
	MoveDrop        Move = "drop" // nothing is in it, or it is innocent
	MovePreserve    Move = "preserve"
	MoveReview      Move = "review" // asks the lawyers
	MoveReturn      Move = "return" // back to preserving
	MovePrepare     Move = "prepare"
	MoveReport      Move = "report" // two people decide
	MoveReceipt     Move = "receipt"
	MoveExamine     Move = "examine" // the police begin their review
	MoveExtend      Move = "extend"  // of a clock of theirs, as they say
	MoveFile        Move = "file"
	MoveRefuse      Move = "refuse" // the police do not file it
	MoveNotice      Move = "notice" // of the refusal arrived
	MoveReconsider  Move = "reconsider"
	MoveUphold      Move = "uphold" // the refusal stands
	MoveInvest      Move = "investigate"
	MovePenalise    Move = "penalise"
	MoveAdmonish    Move = "admonish"
	MoveWithdraw    Move = "withdraw"
	MoveTransfer    Move = "transfer"
	MoveSupplement  Move = "supplement"
	MoveResubmit    Move = "resubmit"
	MoveIndict      Move = "indict"
	MoveRelease     Move = "not-indict"
	MoveJudge       Move = "judge"
	MoveAcquit      Move = "acquit"
	MoveDropCharges Move = "drop-charges" // the indictment is withdrawn
	MoveClose       Move = "close"
	MoveReopen      Move = "reopen"
)

// moves says from which stages a move leads, and where to. Extend leads back to where it
// came from; Reconsider and Uphold depend on the round: see package casefile.
var moves = []struct {
	move Move
	from []Stage
	to   Stage
}{
	{MoveOpen, []Stage{StageClue}, StageOpened},
	{MovePreserve, []Stage{StageOpened}, StagePreserving},
	{MoveReview, []Stage{StagePreserving}, StageLegalReview},
	{MoveReturn, []Stage{StageLegalReview, StagePrepared}, StagePreserving},
	{MovePrepare, []Stage{StageLegalReview}, StagePrepared},
	{MoveReport, []Stage{StagePrepared}, StageReported},
	{MoveReceipt, []Stage{StageReported}, StageReceipt},
	{MoveExamine, []Stage{StageReceipt}, StagePoliceReview},
	{MoveFile, []Stage{StagePoliceReview, StageReconsideration, StageSecondReview}, StageFiled},
	{MoveRefuse, []Stage{StagePoliceReview}, StageNotFiled},
	{MoveNotice, []Stage{StageNotFiled}, ""},
	{MoveReconsider, []Stage{StageNotFiled}, StageReconsideration},
	{MoveUphold, []Stage{StageReconsideration, StageSecondReview}, StageNotFiled},
	{MoveInvest, []Stage{StageFiled}, StageInvestigation},
	{MoveTransfer, []Stage{StageInvestigation}, StageProcurator},
	{MoveSupplement, []Stage{StageProcurator}, StageSupplement},
	{MoveResubmit, []Stage{StageSupplement}, StageProcurator},
	{MoveIndict, []Stage{StageProcurator}, StageIndicted},
	{MoveRelease, []Stage{StageProcurator}, StageNotIndicted},
	{MoveJudge, []Stage{StageIndicted}, StageJudgment},
	{MoveAcquit, []Stage{StageIndicted}, StageAcquitted},
	{MoveDropCharges, []Stage{StageIndicted}, StageNotIndicted},
	{MoveExtend, []Stage{StagePoliceReview, StageProcurator}, ""},
	{MovePenalise, []Stage{StagePoliceReview, StageNotFiled, StageReconsideration, StageSecondReview, StageFiled, StageInvestigation, StageNotIndicted}, StagePenalty},
	{MoveAdmonish, []Stage{StageReceipt, StagePoliceReview, StageNotFiled, StageReconsideration, StageSecondReview, StageFiled, StageInvestigation}, StageAdmonition},
	{MoveWithdraw, []Stage{StageReported, StageReceipt, StagePoliceReview, StageReconsideration, StageSecondReview, StageFiled, StageInvestigation, StageProcurator, StageSupplement}, StageWithdrawn},
	{MoveDrop, []Stage{StageClue, StageOpened, StagePreserving, StageLegalReview, StagePrepared}, StageClosed},
	{MoveClose, []Stage{StageNotFiled, StagePenalty, StageAdmonition, StageWithdrawn, StageNotIndicted, StageJudgment, StageAcquitted}, StageClosed},
	{MoveReopen, []Stage{StageClosed}, StageOpened},
}

// Moves lists what a stage allows, in the order it is shown. What a case must have besides
// is up to package casefile.
func (s Stage) Moves() []Move {
	var out []Move
	for _, m := range moves {
		if slices.Contains(m.from, s) {
			out = append(out, m.move)
		}
	}
	return out
}

// Can reports whether a stage allows a move.
func (s Stage) Can(m Move) bool { return slices.Contains(s.Moves(), m) }

// To returns the stage that a move leads to, s itself where it moves a clock alone.
func (s Stage) To(m Move) Stage {
	for _, one := range moves {
		if one.move == m && one.to != "" {
			return one.to
		}
	}
	return s
}

// An Exit says how a case ended.
type Exit string

// The exits.
const (
	ExitDropped     Exit = "dropped"
	ExitMerged      Exit = "merged" // it is part of another
	ExitNotFiled    Exit = "not-filed"
	ExitPenalty     Exit = "penalty"
	ExitAdmonition  Exit = "admonition"
	ExitWithdrawn   Exit = "withdrawn"
	ExitNotIndicted Exit = "not-indicted"
	ExitJudgment    Exit = "judgment"
	ExitAcquitted   Exit = "acquitted"
)

// Exits lists every exit, in the order they are reported.
var Exits = []Exit{ExitAdmonition, ExitPenalty, ExitNotFiled, ExitWithdrawn, ExitNotIndicted, ExitJudgment, ExitAcquitted, ExitDropped, ExitMerged}

// A PartyRole is what somebody is in a case.
type PartyRole string

// The roles of a case's people and organisations. A borrower is a victim until shown
// otherwise.
const (
	RoleOrganiser PartyRole = "organiser"
	RoleAgent     PartyRole = "agent"
	RoleRecruiter PartyRole = "recruiter"
	RoleVictim    PartyRole = "borrower-victim"
	RoleWilling   PartyRole = "borrower-willing"
	RoleUnknown   PartyRole = "unknown"
)

// PartyRoles lists every role, in the order they are shown.
var PartyRoles = []PartyRole{RoleOrganiser, RoleAgent, RoleRecruiter, RoleVictim, RoleWilling, RoleUnknown}

// Borrows reports whether the role is one of a customer's.
func (r PartyRole) Borrows() bool { return r == RoleVictim || r == RoleWilling }

// A Party is somebody in a case. A borrower has no name here: Complaint says whose it is,
// and the name stands there, where it can be erased.
type Party struct {
	ID           string       `json:"id"`
	Role         PartyRole    `json:"role"`
	Organisation bool         `json:"organisation,omitempty"`
	Name         string       `json:"name,omitempty"`
	Complaint    string       `json:"complaint,omitempty"` // of a borrower
	Identifiers  []Identifier `json:"identifiers,omitempty"`
	Under        string       `json:"under,omitempty"` // the party that it works for
	Basis        string       `json:"basis"`           // what says so
}

// LogValue keeps who it is out of logs.
func (p Party) LogValue() slog.Value { return slog.StringValue("party:" + p.ID) }

// A Loss is one line of a case's loss table.
type Loss struct {
	ID        string `json:"id"`
	Complaint string `json:"complaint,omitempty"`
	Kind      string `json:"kind"` // see LossKinds
	Amount    Amount `json:"amount"`
	Basis     string `json:"basis"` // how it was counted
}

// LossKinds are what was lost, in the order they are shown.
var LossKinds = []string{"refunded", "waived", "fees-paid-to-agent", "cost", "at-risk"}

// An Exhibit says which item shows which element of an offence. Without an item, Note says
// why none is there.
type Exhibit struct {
	Offence string `json:"offence"`
	Element string `json:"element"`
	Item    string `json:"item,omitempty"`
	Note    string `json:"note,omitempty"`
}

// A CaseTask is something to be done in a case.
type CaseTask struct {
	ID       string    `json:"id"`
	Template string    `json:"template,omitempty"` // of a scenario: "A6.issuer"
	Text     string    `json:"text,omitempty"`     // where it is of no template
	Due      time.Time `json:"due,omitzero"`
	Done     time.Time `json:"done,omitzero"`
	DoneBy   string    `json:"done_by,omitempty"`
	Note     string    `json:"note,omitempty"`
}

// A CaseClock is a period of the procedure.
type CaseClock struct {
	Name     string    `json:"name"`
	Started  time.Time `json:"started"`
	Due      time.Time `json:"due"`
	Met      time.Time `json:"met,omitzero"`
	Extended int       `json:"extended,omitempty"`
}

// Late reports whether the period passed without what it asks for.
func (c CaseClock) Late(now time.Time) bool {
	if !c.Met.IsZero() {
		return c.Met.After(c.Due)
	}
	return now.After(c.Due)
}

// A Handover is a record of what was given to whom.
type Handover struct {
	ID      string    `json:"id"`
	To      string    `json:"to"`   // police, procurator, regulator, lawyer, court
	Unit    string    `json:"unit"` // which one
	Person  string    `json:"person,omitempty"`
	Variant string    `json:"variant,omitempty"` // of the pack
	Seal    int       `json:"seal,omitempty"`    // its number
	Items   []string  `json:"items,omitempty"`   // given besides, or alone
	Receipt string    `json:"receipt,omitempty"` // the number they gave
	At      time.Time `json:"at"`
	By      string    `json:"by"`
}

// Recipients are whom a case can be handed to, in the order they are shown.
var Recipients = []string{"police", "procurator", "court", "regulator", "lawyer"}

// A MaterialRequest is what an authority asks for besides.
type MaterialRequest struct {
	ID       string    `json:"id"`
	From     string    `json:"from"` // one of Recipients
	What     string    `json:"what"`
	Asked    time.Time `json:"asked"`
	Due      time.Time `json:"due"`
	Answered time.Time `json:"answered,omitzero"`
	Answer   string    `json:"answer,omitempty"`
	By       string    `json:"by,omitempty"` // who answered
}

// A Watch tells a case of what is new. It raises a task and grades nobody.
type Watch struct {
	ID    string    `json:"id"`
	Kind  string    `json:"kind"`            // see WatchKinds
	Value string    `json:"value,omitempty"` // a ring, an advert, a scenario
	Since time.Time `json:"since"`
	Seen  []string  `json:"seen,omitempty"` // complaints or rings it told of
}

// WatchKinds are what can be watched: that a ring of the case grows, that a complaint is
// filed with what an advert names, that another ring works by a scenario.
var WatchKinds = []string{"ring", "advert", "scenario"}

// A Look is that a person looked at the merit of a complaint of which no record and no
// decision says anything, and what they found.
type Look struct {
	Complaint string    `json:"complaint"`
	Found     string    `json:"found"`
	By        string    `json:"by"`
	At        time.Time `json:"at"`
}

// A Pending is a decision that a second person has to take too.
type Pending struct {
	What   string    `json:"what"` // a Move, or "lift-hold"
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// A Case is an investigation: one or several rings, what is held about them, and where the
// case stands.
type Case struct {
	ID         string            `json:"id"`
	Number     int               `json:"number"` // of the tenant's cases, from 1
	Title      string            `json:"title"`
	Reason     string            `json:"reason"`
	Stage      Stage             `json:"stage"`
	Exit       Exit              `json:"exit,omitempty"`
	Begun      time.Time         `json:"begun"`
	Since      time.Time         `json:"since"` // of the stage
	Rings      []string          `json:"rings,omitempty"`
	Complaints []string          `json:"complaints,omitempty"`
	Adverts    []string          `json:"adverts,omitempty"`
	Assignee   string            `json:"assignee,omitempty"`
	Group      []string          `json:"group,omitempty"` // persons
	Gang       bool              `json:"gang,omitempty"`  // of gang type, as a person judges
	Scenarios  []string          `json:"scenarios,omitempty"`
	Offences   []string          `json:"offences,omitempty"`
	Parties    []Party           `json:"parties,omitempty"`
	Losses     []Loss            `json:"losses,omitempty"`
	Exhibits   []Exhibit         `json:"exhibits,omitempty"`
	Tasks      []CaseTask        `json:"tasks,omitempty"`
	Clocks     []CaseClock       `json:"clocks,omitempty"`
	Handovers  []Handover        `json:"handovers,omitempty"`
	Requests   []MaterialRequest `json:"requests,omitempty"`
	Watches    []Watch           `json:"watches,omitempty"`
	Numbers    map[string]string `json:"numbers,omitempty"` // the authorities', by the move that brought them
	Looks      []Look            `json:"looks,omitempty"`
	Innocent   string            `json:"innocent,omitempty"` // what was tested of the innocent explanations, and how
	AskedBy    string            `json:"asked_by,omitempty"` // who asked for the legal review
	PreparedBy string            `json:"prepared_by,omitempty"`
	Pending    *Pending          `json:"pending,omitempty"`
	Hold       bool              `json:"hold,omitempty"` // legal hold: nothing of it is erased
	Rounds     int               `json:"rounds,omitempty"`
	Supplied   int               `json:"supplied,omitempty"` // supplements asked for by the procurator
	Into       string            `json:"into,omitempty"`     // the case it was merged into
	From       string            `json:"from,omitempty"`     // the case it was split off
	Lessons    string            `json:"lessons,omitempty"`  // what it taught, when it was closed
}

// LogValue keeps a case's content out of logs.
func (c Case) LogValue() slog.Value { return slog.StringValue("case:" + c.ID) }

// Clock returns the period of a name that runs.
func (c *Case) Clock(name string) *CaseClock {
	for i := range slices.Backward(c.Clocks) {
		if c.Clocks[i].Name == name && c.Clocks[i].Met.IsZero() {
			return &c.Clocks[i]
		}
	}
	return nil
}

// Due returns the period that ends first of those that run.
func (c *Case) Due() (CaseClock, bool) {
	var first CaseClock
	found := false
	for _, k := range c.Clocks {
		if k.Met.IsZero() && (!found || k.Due.Before(first.Due)) {
			first, found = k, true
		}
	}
	return first, found
}

// A CaseStep is one line of a case's history.
type CaseStep struct {
	N      int       `json:"n"`
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	What   string    `json:"what"` // a Move, or what was changed
	From   Stage     `json:"from"`
	To     Stage     `json:"to"`
	Reason string    `json:"reason,omitempty"`
	Number string    `json:"number,omitempty"`
	Second string    `json:"second,omitempty"` // who decided first, where two did
	Exit   Exit      `json:"exit,omitempty"`   // where the step ended the case
}

// An Item is one piece of evidence. What it is made of is kept untouched.
type Item struct {
	ID        string    `json:"id"`
	Case      string    `json:"case"`
	Number    int       `json:"number"` // within the case, from 1
	Name      string    `json:"name"`
	Category  string    `json:"category"`            // see ItemCategories
	Complaint string    `json:"complaint,omitempty"` // whose it is
	Parent    string    `json:"parent,omitempty"`    // the item it was made of
	Size      int64     `json:"size"`
	SHA256    string    `json:"sha256"` // of the content, hex
	SM3       string    `json:"sm3"`
	MIME      string    `json:"mime"`
	Format    string    `json:"format"`
	Ext       string    `json:"ext,omitempty"`
	Notes     []Remark  `json:"notes,omitempty"` // what was found when it was looked at
	Source    string    `json:"source"`          // the system or place it came from
	Extractor string    `json:"extractor"`       // who took it out
	Second    string    `json:"second"`          // and who was with them
	Tool      string    `json:"tool"`            // with its version
	Place     string    `json:"place"`
	At        time.Time `json:"at"` // when it was taken out
	Stored    time.Time `json:"stored"`
	By        string    `json:"by"`
	Personal  bool      `json:"personal"` // holds personal data: kept out of redacted packs
	Glossary  string    `json:"glossary,omitempty"`
	Erased    bool      `json:"erased,omitempty"` // its content is gone; the digests stay
}

// A Remark is something found about a file: a code, and what it is about.
type Remark struct {
	Code  string `json:"code"`
	Value string `json:"value,omitempty"`
}

// LogValue keeps what it is called out of logs.
func (i Item) LogValue() slog.Value { return slog.StringValue("item:" + i.ID) }

// ItemCategories are the kinds of evidence of Chinese criminal procedure (article 50 of the
// Criminal Procedure Law), in its order, less what only an authority makes.
var ItemCategories = []string{"physical", "documentary", "testimony", "victim-statement", "expert-opinion", "audio-visual", "electronic"}

// An Advert is an advertisement of somebody who offers to complain for others. It speaks of
// its publisher, never of a customer.
type Advert struct {
	ID          string       `json:"id"`
	Where       string       `json:"where"` // platform or place
	URL         string       `json:"url,omitempty"`
	Seen        time.Time    `json:"seen"`
	Text        string       `json:"text,omitempty"`
	Publisher   string       `json:"publisher,omitempty"`
	Identifiers []Identifier `json:"identifiers,omitempty"`
	By          string       `json:"by"`
}

// LogValue keeps it out of logs.
func (a Advert) LogValue() slog.Value { return slog.StringValue("advert:" + a.ID) }
