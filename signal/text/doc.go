// Package text finds letters that share their wording: one template signed by
// many people, spun copies of it, and the passages that any two letters have in
// common.
//
// A letter is reduced to shingles: pairs of words, or three runes of a script
// that is written without spaces. Numbers, dates, amounts and redactions are
// left out, so that a mail-merge does not hide a template. Letters are filed
// under a sample of their shingles ([Index]); those that meet are compared on
// all of them ([Corpus.Likeness]), each weighted by how rare it is in the corpus, and
// passages that many otherwise different letters quote weigh nothing
// ([Corpus.Common]).
//
// Sharing words is information and never more: many honest people copy a public
// letter, quote one statute, or live through one outage.
package text
