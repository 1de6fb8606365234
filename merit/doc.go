// Package merit looks into the lender's own records for what it did wrong: calls at
// night, too many calls, calls to people who had refused them, a loan dearer than the
// law's lines, charges that no contract agrees, settled debts still dunned, credit
// records left wrong, and operations that failed. It is asked before anything is said
// about who is behind a complaint, and it knows nothing of that.
//
// [Pack.Check] tests the records of one customer against one [Pack] of rules;
// [Incidents] finds the breaches that many customers complain of at once. Both are
// pure: equal records give equal findings, whatever their order.
//
// # Rules
//
// A pack says which of these rules hold, with which numbers and on which basis. One
// that it does not name is off. A finding's Facts are the values within its Text, in
// this order, for wordings in other languages:
//
//	rule                       what one breach is              facts
//	third-party-after-refusal  a call to somebody else         calls
//	night-call                 a call                          calls · from · until
//	too-many-calls             a day                           days · limit · most · "day" or "week"
//	settled-still-dunned       a call                          calls · contracts
//	cost-above-line            a contract                      cost in % a year · line in % · "computed" or "stated" · the same as a simple monthly rate
//	fee-outside-contract       a charge                        kind · charged · agreed · currency · charges
//	credit-record-late         an objection                    objections · days allowed · most days taken
//	failed-operation           a failed operation              operations · what · the lender's name of the disturbance, or ""
//
// Calls are those that went out. A call that only rings disturbs too, so every attempt
// counts but for too-many-calls, where the pack says what counts. Night and day are by
// the clock of who was called: the zone that the record carries or, where it says UTC,
// the zone given to Check. Of cost-above-line there is one finding for each contract,
// of the highest line; of fee-outside-contract one for each contract and kind; of
// failed-operation one for each kind of operation and disturbance; of the others one.
//
// A breach counts if it lies within the pack's look-back before the complaint came in,
// and not after it. What is known by the day only counts on the complaint's own day.
//
// # What is tested
//
// A rule is untested where nothing was handed in that could show its breach:
//
//	night-call, too-many-calls   no call
//	third-party-after-refusal    no call; or calls to others, and neither a list of those nor a mark of refusal
//	settled-still-dunned         no call, or no contract
//	cost-above-line              no contract whose cost can be computed or is stated
//	fee-outside-contract         no contract with charges
//	credit-record-late           no objection
//	failed-operation             no failure
//
// # The all-in yearly cost
//
// It is the rate r at which what the customer receives and pays is worth nothing on the
// first day:
//
//	Σ amountᵢ / (1 + r)^((dayᵢ − day₀) / 365) = 0
//
// which is the internal rate of return by days (XIRR of the spreadsheets, Actual/365),
// and the compound form that Announcement No. 3 (2021) of the People's Bank of China
// names for the annualised rate of a loan. The customer receives the principal on the
// day of opening, and pays
//
//   - for a contract that is closed, and whose payments are known: those payments, which
//     hold fees and charges too;
//   - otherwise the instalments on the days they are due, and besides them the charges
//     that were made and the fees agreed for after the last of them or, where no charge
//     is known, all fees that were agreed, each on its day or else on the day of opening, whoever receives it: a guarantor's fee is a
//     cost of the loan. Those that the instalments hold already are not counted twice.
//     Penalties are left out: they follow from paying late, and instalments on time say
//     nothing of that.
//
// A lender's own figure is used where there is neither schedule nor payment. A line is
// exceeded when the cost, in whole basis points, is more: instalments are rounded to
// cents, and that must not carry a loan at the line over it. Some courts and lenders
// speak of the simple rate, twelve times that of a month, which is lower; a finding
// gives both.
package merit
