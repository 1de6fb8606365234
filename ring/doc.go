// Package ring turns links into rings: groups of complaints by different
// customers that the evidence ties to one hand.
package ring
