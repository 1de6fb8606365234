// Package normalize gives every fact one spelling, so that a number written
// with full-width digits, a handle hidden behind look-alikes and an address in
// another word order meet what they are equal to. It is pure: no I/O, no clock,
// no chance. Every result of it is its own canonical form.
package normalize
