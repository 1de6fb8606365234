// Package server is HTTP in one place: which status an error becomes, what every
// request passes through, and how much of anything is accepted. What is served
// stands in its folders.
package server
