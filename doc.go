// Package bonafide holds the words that every part of the program uses: what a
// complaint is, what two complaints can share, what a ring is, and what may be
// proposed about it. It imports the standard library only and does no I/O.
//
// Two questions are kept apart throughout: merit (did the lender do wrong?) and
// organisation (is an organised paid agent behind this?). Read the files in the
// order complaint, signal, link, ring, verdict, template, result.
package bonafide
