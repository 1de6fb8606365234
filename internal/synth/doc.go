// Package synth makes up worlds of complaints with known truth, to measure how
// many agents a method finds and how many innocents it accuses. All people,
// firms, places and numbers are invented.
//
// # How a world is made
//
// Everybody writes from one vocabulary. A phrase bank (bank/*.txt, one a style
// and language) holds clauses by topic and by part of a letter, with choices,
// optional words and slots for details. An ordinary writer takes some clauses
// in one of several orders and chooses freely. A ring has a book: a preferred
// shape, clauses, order and wording, from which each letter departs at random
// choices, dropped, exchanged and moved clauses, and with its customer's own
// details. Letters in one ring are thereby somewhat more alike than strangers'
// letters on one topic, and the two distributions overlap. Misprints come by
// channel, not by guilt.
//
// Everybody has identifiers of their own, and shows some of them. Rings share
// little: most values have two or three holders, some members share nothing, and
// values are dressed up or masked. Fields go missing at random from both sides.
//
// The three styles differ in topics, phrases, shapes and connectives of letters,
// in how addresses, ids and devices look, in the sizes of rings and in how they
// share. Dev is for tuning; Held and Held2 are for the final measurement only.
//
// # Agents
//
//   - naive: nearly one letter and one phone.
//   - rotating-devices: a device, sometimes a gateway, for two or three each.
//   - answering-phones: the agent's phones as contact for two or three each.
//   - chains: neighbours in a chain share a refund account or a mailbox.
//   - forged-papers: one file under several customers; a third known as forged.
//   - mail-senders: a few people post the letters.
//   - obfuscated-handles: a chat account in many spellings.
//   - low-and-slow: phones and devices over a year or so.
//   - small: three to five members.
//   - twin-agencies: two rings with one bought book and nothing else in common.
//   - text-only: nothing but the letter, so that nobody may be accused.
//
// A few clients of any ring are vulnerable or come through a declared
// representative: they are Routed and must never be graded.
//
// # Innocents that look guilty
//
//   - household: several surnames, one phone or device, one story.
//   - dormitory: one factory address and gateway, one mis-sold product.
//   - outage-wave, fee-change-wave: many people in days, with households inside
//     and the lender's public notice attached.
//   - viral-post: a letter copied by strangers nearly word for word.
//   - law-firm, legal-aid, charity, declared-family: declared representatives
//     whose phone, address and letter recur; confirmed or not yet.
//   - public-template: a regulator's sample letter over the whole span.
//   - quoted-statute: one long passage of law inside own stories.
//   - office-gateway, carrier-gateway: one IP address for many.
//   - switchboard: a company's number. kiosk: a public computer.
//   - masked-numbers: masks that leave so little that strangers collide.
//   - repeat-customer: one customer several times.
//   - recycled-number: a number that a ring gave up.
//   - former-client: a ring's customer who now complains alone.
//   - junk-identifiers: placeholders. neighbours: one street, one grievance.
//   - vulnerable: must be routed. plain: everybody else, 60 % or more.
//
// # The lender's records
//
// MakeRecords makes what a lender has beside complaints — a log of collection calls,
// contracts, contact lists, objections to credit records, failed operations — with
// breaches planted and many near misses: a call at 21:59:59, a fourth call that nobody
// answered, a refusal that came after the call, a loan at 35.9 %. RecordsFor makes them
// for a world: behind its outage and fee-change waves the lender did wrong.
//
// # What a world cannot show
//
// Real letters vary far more than any grammar; strangers here are too alike in
// single clauses and never alike by chance in odd ways. Real agents adapt to
// the method that hunts them. Real base rates and real sharing are unknown, so
// figures compare methods and bound nothing in the field.
package synth
