// Package report shows what a scan found: a page for the officer who decides
// ([HTML]), a summary for the terminal ([Summary]), one complaint's story
// ([Explain]), and rows and objects for other programs ([CSV], [JSON]).
//
// Everything is a function of the result alone, so the same result gives the
// same bytes. Whatever came out of a complaint is taken as hostile: it is
// stripped of control characters, bounded in length and escaped for the place
// where it stands.
package report
