// Package api is the JSON for the lender's systems: complaints and records in,
// rings, tags and events out. openapi.yaml is its contract, written by hand; tests
// hold every route and every answer against it.
//
// All routes stand in one table in route.go. Addresses carry ids and never a
// personal value: a customer is addressed by the keyed hash of the customer
// number. What a request sent is repeated nowhere: not in an answer to a mistake,
// not in a log line.
package api
