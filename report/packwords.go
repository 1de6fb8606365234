package report

import (
	"strings"

	"bonafide"
)

// A tongues is a text in Chinese, English and Portuguese. Where a document knows two
// languages the third is empty and English stands for it.
type tongues [3]string

// in returns the text in a language such as "pt-BR", in English where it is missing.
func (t tongues) in(lang string) string {
	i := 1
	switch {
	case strings.HasPrefix(lang, "zh"):
		i = 0
	case strings.HasPrefix(lang, "pt") && t[2] != "":
		i = 2
	}
	return t[i]
}

// in returns the text in a language of a pack.
func (w Words) in(lang string) string {
	if t := (tongues{w.ZH, w.EN}).in(lang); t != "" {
		return t
	}
	return w.ZH + w.EN // the one that is there
}

// both returns Chinese and English side by side.
func (t tongues) both() string { return t[0] + " / " + t[1] }

// said looks a word up; one that is not known is shown as it is.
func said[K ~string](words map[K]tongues, key K, lang string) string {
	if w, ok := words[key]; ok {
		return w.in(lang)
	}
	return string(key)
}

// saidBoth is said in Chinese and English side by side.
func saidBoth[K ~string](words map[K]tongues, key K) string {
	if w, ok := words[key]; ok {
		return w.both()
	}
	return string(key)
}

var stageWords = map[bonafide.Stage]tongues{
	bonafide.StageClue:            {"线索", "clue", "indício"},
	bonafide.StageOpened:          {"立项", "opened", "aberto"},
	bonafide.StagePreserving:      {"固证", "preserving evidence", "preservação de provas"},
	bonafide.StageLegalReview:     {"法务审查", "legal review", "análise jurídica"},
	bonafide.StagePrepared:        {"筹备完成", "prepared", "preparado"},
	bonafide.StageReported:        {"已报案", "reported", "comunicado à polícia"},
	bonafide.StageReceipt:         {"受案回执", "receipt given", "recibo emitido"},
	bonafide.StagePoliceReview:    {"立案审查", "police review", "análise policial"},
	bonafide.StageFiled:           {"立案", "filed by the police", "instaurado"},
	bonafide.StageNotFiled:        {"不予立案", "not filed", "não instaurado"},
	bonafide.StageReconsideration: {"复议", "reconsideration", "reconsideração"},
	bonafide.StageSecondReview:    {"复核", "second review", "segunda revisão"},
	bonafide.StageInvestigation:   {"侦查", "investigation", "investigação"},
	bonafide.StagePenalty:         {"行政处罚", "administrative penalty", "sanção administrativa"},
	bonafide.StageAdmonition:      {"训诫", "admonition", "advertência"},
	bonafide.StageWithdrawn:       {"撤案", "withdrawn", "retirado"},
	bonafide.StageProcurator:      {"审查起诉", "with the procurator", "no Ministério Público"},
	bonafide.StageSupplement:      {"补充侦查", "supplementary investigation", "investigação complementar"},
	bonafide.StageIndicted:        {"起诉", "indicted", "denunciado"},
	bonafide.StageNotIndicted:     {"不起诉", "not indicted", "não denunciado"},
	bonafide.StageJudgment:        {"判决", "judgment", "sentença"},
	bonafide.StageAcquitted:       {"宣告无罪", "acquitted", "absolvido"},
	bonafide.StageClosed:          {"结案", "closed", "encerrado"},
}

// stepWords says what a step of a case's history was: a move, or a change.
var stepWords = map[string]tongues{
	"begin":       {"登记线索", "the clue was written down"},
	"open":        {"立项", "the case was opened"},
	"drop":        {"终止，不再推进", "the case was dropped"},
	"preserve":    {"开始固证", "evidence began to be preserved"},
	"review":      {"提请法务审查", "the lawyers were asked to review it"},
	"return":      {"退回固证", "it was returned to the preserving of evidence"},
	"prepare":     {"法务审查通过，完成筹备", "the legal review passed it as prepared"},
	"report":      {"报案", "it was reported to the police"},
	"receipt":     {"取得受案回执", "the police gave a receipt"},
	"examine":     {"公安机关开始立案审查", "the police began their review"},
	"extend":      {"期限延长", "a period was extended"},
	"file":        {"公安机关立案", "the police filed the case"},
	"refuse":      {"公安机关不予立案", "the police did not file the case"},
	"notice":      {"收到不予立案通知书", "the notice of refusal arrived"},
	"reconsider":  {"申请复议、复核", "reconsideration was applied for"},
	"uphold":      {"维持不予立案", "the refusal was upheld"},
	"investigate": {"开始侦查", "the investigation began"},
	"penalise":    {"行政处罚", "an administrative penalty was imposed"},
	"admonish":    {"训诫", "an admonition was given"},
	"withdraw":    {"撤案", "the case was withdrawn"},
	"transfer":    {"移送审查起诉", "it was transferred to the procurator"},
	"supplement":  {"退回补充侦查", "a supplementary investigation was asked for"},
	"resubmit":    {"补充侦查后重新移送", "it was submitted again after the supplement"},
	"indict":      {"提起公诉", "an indictment was brought"},
	"not-indict":  {"不起诉", "no indictment was brought"},
	"judge":       {"判决", "judgment was given"},
	"acquit":      {"宣告无罪", "the court acquitted"},
	"close":       {"结案", "the case was closed"},
	"reopen":      {"重新立项", "the case was opened again"},

	"drop-charges": {"撤回起诉", "the indictment was withdrawn"},
	"note":         {"记录", "a note was written"}, "title": {"修改名称", "the title was changed"}, "assign": {"指定承办人", "somebody was put in charge"},
	"group": {"调整办案组", "the group was changed"}, "gang": {"调整团伙性质判断", "the judgment on gang type was changed"},
	"link": {"关联", "something was linked"}, "unlink": {"解除关联", "a link was removed"}, "scenario": {"调整作案场景", "a scenario was changed"},
	"offence": {"调整涉嫌罪名", "an offence was changed"}, "party": {"登记涉案人员或组织", "a person or organisation was written down"},
	"party-remove": {"移除涉案人员或组织", "a person or organisation was removed"}, "loss": {"登记损失", "a loss was written down"},
	"loss-remove": {"移除损失", "a loss was removed"}, "exhibit": {"证据对应要件", "an exhibit was laid to an element"},
	"exhibit-remove": {"移除证据对应", "an exhibit was taken from an element"}, "task": {"新增任务", "a task was added"},
	"task-done": {"任务完成", "a task was done"}, "handover": {"移交材料", "material was handed over"}, "request": {"收到调取要求", "material was asked for"},
	"answer": {"答复调取要求", "a request for material was answered"}, "watch": {"设置关注", "a watch was set"},
	"watch-remove": {"取消关注", "a watch was removed"}, "watched": {"关注事项有新情况", "a watch found something new"}, "hold": {"证据保全锁定", "a legal hold began"},
	"lift-hold": {"解除保全锁定", "the legal hold was lifted"}, "merge": {"并入另一案件", "it was joined with another case"},
	"merged": {"已并入其他案件", "it was merged into another case"}, "split": {"拆分案件", "a part was split off"}, "split-off": {"由其他案件拆出", "it was split off another case"},
}

// askWords says that the first of two people asks for a step.
var askWords = tongues{"第一人提请：%s（须第二人决定）", "a first person asked for this, which a second has to decide: %s"}

// stepSaid says a step of a case's history.
func stepSaid(what, lang string) string {
	if asked, ok := strings.CutPrefix(what, "ask-"); ok {
		return strings.Replace(askWords.in(lang), "%s", said(stepWords, asked, lang), 1)
	}
	return said(stepWords, what, lang)
}

var exitWords = map[bonafide.Exit]tongues{
	bonafide.ExitDropped:     {"终止", "dropped", "abandonado"},
	bonafide.ExitMerged:      {"并案", "merged into another", "unido a outro"},
	bonafide.ExitNotFiled:    {"不予立案", "not filed", "não instaurado"},
	bonafide.ExitPenalty:     {"行政处罚", "administrative penalty", "sanção administrativa"},
	bonafide.ExitAdmonition:  {"训诫", "admonition", "advertência"},
	bonafide.ExitWithdrawn:   {"撤案", "withdrawn", "retirado"},
	bonafide.ExitNotIndicted: {"不起诉", "not indicted", "não denunciado"},
	bonafide.ExitJudgment:    {"判决", "judgment", "sentença"},
	bonafide.ExitAcquitted:   {"宣告无罪", "acquitted", "absolvido"},
}

var roleWords = map[bonafide.PartyRole]tongues{
	bonafide.RoleOrganiser: {"组织者", "organiser"},
	bonafide.RoleAgent:     {"代理人", "agent"},
	bonafide.RoleRecruiter: {"招揽人", "recruiter"},
	bonafide.RoleVictim:    {"借款人（被害方）", "borrower, as a victim"},
	bonafide.RoleWilling:   {"借款人（自愿参与）", "borrower, of their own will"},
	bonafide.RoleUnknown:   {"身份未明", "unknown"},
}

var lossWords = map[string]tongues{
	"refunded":           {"已退款", "refunded"},
	"waived":             {"已减免", "waived"},
	"fees-paid-to-agent": {"借款人付给代理人的费用", "fees that borrowers paid to the agent"},
	"cost":               {"处理成本", "cost of handling"},
	"at-risk":            {"风险敞口（尚未损失）", "at risk (not lost yet)"},
}

var recipientWords = map[string]tongues{
	"police":     {"公安机关", "the police"},
	"procurator": {"检察机关", "the procurator"},
	"court":      {"法院", "the court"},
	"regulator":  {"监管机构", "the regulator"},
	"lawyer":     {"律师", "the lawyer"},
}

var itemWords = map[string]tongues{
	"physical":         {"物证", "physical evidence"},
	"documentary":      {"书证", "documentary evidence"},
	"testimony":        {"证人证言", "testimony of a witness"},
	"victim-statement": {"被害人陈述", "statement of a victim"},
	"expert-opinion":   {"鉴定意见", "expert opinion"},
	"audio-visual":     {"视听资料", "audio-visual material"},
	"electronic":       {"电子数据", "electronic data"},
}

var leftWords = map[string]tongues{
	"erased":   {"内容已删除，保留校验值", "the content was erased; the digests stay"},
	"personal": {"含个人信息，本版本未附", "holds personal data; not in this variant"},
	"unlinked": {"所涉投诉已移出本案，未附", "about a complaint that is no longer in the case; left out"},
}

// exculpatoryWords says the facts that speak for whoever complained.
var exculpatoryWords = map[string]tongues{
	"merit-substantiated": {"诉求属实：机构自身记录显示违规", "merit substantiated: the lender's own records show a breach"},
	"merit-untested":      {"诉求未能与记录核对", "merit untested: nothing could be held against the records"},
	"upheld":              {"投诉已支持客户", "the complaint was decided for the customer"},
	"vulnerable":          {"需特别照顾的客户", "somebody who needs care"},
	"own-confirmed":       {"客户经已知渠道确认本人投诉", "the customer confirmed over a known way that they complained themselves"},
	"representative":      {"代理权限已确认", "the authority of a representative was confirmed"},
	"paper-genuine":       {"出具单位确认材料真实", "the issuer confirmed a paper"},
	"appeal-upheld":       {"无关人员复核后撤销不利认定", "somebody uninvolved removed what was held against it"},
	"innocent":            {"待检验的无辜解释", "an innocent explanation that is to be tested"},
	"incident":            {"机构自身故障可以解释", "a disturbance of the lender's own explains it"},
	"verified-open":       {"核实尚未结束", "a verification was not ended"},
}

// levelPackWords says what is proposed of a complaint.
var levelPackWords = map[bonafide.Level]tongues{
	bonafide.LevelNone:   {"无建议", "nothing proposed", "nada proposto"},
	bonafide.Information: {"仅供参考", "information", "informação"},
	bonafide.Individual:  {"一类（个人行为，非灰产）", "class I (a person of their own)", "classe I (pessoa por si)"},
	bonafide.Level2:      {"二级（建议）", "level 2 (proposed)", "nível 2 (proposto)"},
	bonafide.Level1:      {"一级（建议）", "level 1 (proposed)", "nível 1 (proposto)"},
}

var routePackWords = map[bonafide.Route]tongues{
	bonafide.RouteNone:             {"", ""},
	bonafide.RouteConfirmAuthority: {"先向客户确认代理权限", "authority is confirmed with the customer first"},
	bonafide.RouteVulnerable:       {"由受训人员处理", "a trained person takes over"},
}

var variantWords = map[string]tongues{
	"police":    {"公安机关版（完整）", "for the police (complete)"},
	"lawyer":    {"律师版（个人信息已遮蔽）", "for the lawyer (personal data masked)"},
	"regulator": {"监管版（个人信息已遮蔽）", "for the regulator (personal data masked)"},
}

var outcomeWords = map[string]tongues{
	"":              {"尚无决定", "not decided"},
	"upheld":        {"支持客户", "upheld"},
	"partly-upheld": {"部分支持客户", "partly upheld"},
	"not-upheld":    {"不支持", "not upheld"},
}

var trackWords = map[string]tongues{
	"received": {"收到", "received"}, "registered": {"登记", "registered"}, "authority": {"核实身份与授权", "identity and authority are checked"},
	"investigating": {"调查中", "investigating"}, "decided": {"已决定", "decided"}, "notified": {"已告知", "the customer was told"},
	"review": {"复查", "review"}, "closed": {"办结", "closed"}, "withdrawn": {"客户撤回", "withdrawn by the customer"}, "declined": {"不予受理", "declined"},
}

var trackVerbWords = map[string]tongues{
	"receive": {"收到", "received"}, "register": {"登记", "registered"}, "check-authority": {"核实身份与授权", "identity and authority checked"},
	"investigate": {"开始调查", "investigation begun"}, "decide": {"作出决定", "decided"}, "notify": {"告知客户", "customer told"},
	"request-review": {"客户申请复查", "review asked for"}, "close": {"办结", "closed"}, "extend": {"延长期限", "period extended"},
	"withdraw": {"客户撤回", "withdrawn by the customer"}, "decline": {"不予受理", "declined"}, "reopen": {"重新处理", "reopened"},
}

var verbWords = map[bonafide.Verb]tongues{
	bonafide.Confirm: {"确认组群", "confirmed the ring"},
	bonafide.Clear:   {"排除组群（无辜解释成立）", "cleared the ring (an innocent explanation holds)"},
	bonafide.Reopen:  {"重新审视组群", "reopened the ring"},
}

// ruleWords names the rules of conduct that merit is checked against.
var ruleWords = map[string]tongues{
	"third-party-after-refusal": {"第三人拒绝后仍致电", "calls to others who had refused"},
	"night-call":                {"夜间来电", "calls at night"},
	"too-many-calls":            {"来电过多", "too many calls"},
	"settled-still-dunned":      {"结清后仍催收", "calls after the debt was paid"},
	"cost-above-line":           {"成本超过上限", "cost above the line"},
	"fee-outside-contract":      {"合同外收费", "charges outside the contract"},
	"credit-record-late":        {"征信异议逾期", "credit record put right late"},
	"failed-operation":          {"操作失败", "operations that failed"},
}

var standingWords = map[bonafide.Standing]tongues{
	bonafide.Substantiated: {"属实，应予补救", "substantiated: to be remedied"},
	bonafide.Indicated:     {"有迹象，须人工判断", "indicated: a person has to weigh it"},
}

var verifyWords = map[string]tongues{
	"identity":  {"是否本人投诉", "did the customer complain themselves"},
	"authority": {"代理权限", "may this person speak for the customer"},
	"document":  {"材料真伪", "does the issuer know the paper"},
	"situation": {"处境与困难", "situation and hardship"},
	"":          {"尚未结束", "not ended"},
	"confirmed": {"已确认", "confirmed"}, "denied": {"否认", "denied"}, "open-ended": {"未能查明", "could not be cleared up"},
	"registered-phone": {"登记电话", "registered phone"}, "registered-email": {"登记邮箱", "registered mail"}, "app": {"客户端", "app"},
	"branch": {"网点", "branch"}, "registered-post": {"挂号信", "registered post"}, "issuer": {"出具单位公布的渠道", "the issuer's published address"},
	"unreached": {"未接通", "nobody answered"}, "reached": {"已联系上", "reached"}, "other-person": {"他人接听", "somebody else answered"}, "refused": {"客户本人拒绝交谈", "the customer in person refuses to talk"},
}

// sharedKindWords names the kinds of things that complaints share.
var sharedKindWords = map[string]tongues{
	"phone": {"电话号码", "phone numbers"}, "email": {"邮箱", "mail addresses"}, "handle": {"社交账号", "chat accounts"}, "device": {"设备", "devices"},
	"ip": {"网络地址", "network addresses"}, "address": {"通讯地址", "postal addresses"}, "account": {"银行账户", "bank accounts"},
	"sender": {"寄件人", "letter senders"}, "document": {"材料", "papers"}, "letter": {"文本", "letters"},
}

var familyPackWords = map[bonafide.Family]tongues{
	bonafide.FamilyIdentity: {"身份标识", "identity", "identidade"}, bonafide.FamilyNetwork: {"网络", "network", "rede"}, bonafide.FamilyDocument: {"材料", "documents", "documentos"},
	bonafide.FamilyPayment: {"支付", "payment", "pagamento"}, bonafide.FamilyVoice: {"声音", "voice", "voz"}, bonafide.FamilyText: {"文字", "wording", "texto"},
	bonafide.FamilyTime: {"时间", "time", "tempo"}, bonafide.FamilyConduct: {"行为", "conduct", "conduta"},
}

// signWords says by what a scenario shows.
var signWords = map[string]tongues{
	"word": {"诉求用语", "words of the demand"}, "criterion": {"认定标准", "criterion"}, "fact": {"访谈所得事实", "fact from a conversation"},
	"thing": {"共用", "shared"}, "channels": {"同一文本多渠道投诉", "one letter through several channels"}, "burst": {"集中爆发", "a burst of filings"},
}

// establishedWords says what a conversation established, as far as a scenario rests on it.
var establishedWords = map[string]tongues{
	"agency-paid": {"向中介付过费", "paid an agency"},
	"paid-agent":  {"收费代理", "a paid agent"},
}

// channelWords says how a complaint came in.
var channelWords = map[string]tongues{
	"hotline": {"热线", "hotline"}, "regulator": {"监管", "regulator"}, "portal": {"网站平台", "portal"}, "letter": {"信件", "letter"}, "email": {"邮件", "mail"},
	"app": {"客户端", "app"}, "branch": {"网点", "branch"}, "social": {"社交媒体", "social media"}, "court": {"法院", "court"}, "other": {"其他", "other"},
}

// noteWords says what was found about a file when it was looked at.
var noteWords = map[string]tongues{
	"name-differs": {"扩展名与内容不符，内容为", "the name says another format than the content, which is"}, "polyglot": {"同时可作为另一格式读取：", "it can be read as another format too:"},
	"bomb": {"解压后远大于自身：", "it expands to far more than its size:"}, "overlapping-members": {"压缩包成员字节重叠", "members of the archive share bytes"},
	"path-escape": {"压缩包成员将写到目录之外：", "members of the archive would be written outside its folder:"}, "many-members": {"压缩包成员过多：", "the archive has very many members:"},
	"encrypted": {"部分内容有密码，无法读取", "some of it cannot be read without a password"}, "macros": {"含宏", "it holds macros"},
	"truncated": {"文件末尾缺失", "its end is missing"}, "embedded-executable": {"是或含有程序", "it is or holds a program"},
	"empty": {"空文件", "the file is empty"}, "partly-inspected": {"未能全部检查", "not all of it was inspected"},
}

// signSaid says a sign such as "word 退息 ×12".
func signSaid(sign, lang string) string {
	code, rest, _ := strings.Cut(sign, " ")
	kind, ok := signWords[code]
	if !ok {
		return sign
	}
	at := strings.LastIndex(rest, "×")
	if at < 0 {
		return kind.in(lang) + " " + rest
	}
	about, n := strings.TrimSpace(rest[:at]), strings.TrimSpace(rest[at:])
	switch code {
	case "thing":
		about = said(sharedKindWords, about, lang)
	case "fact":
		about = said(establishedWords, about, lang)
	}
	if about == "" {
		return kind.in(lang) + " " + n
	}
	if strings.HasPrefix(lang, "zh") {
		return kind.in(lang) + "“" + about + "” " + n
	}
	return kind.in(lang) + " \"" + about + "\" " + n
}
