// Package strict reads JSON that keeps a contract to the letter: no field that is
// unknown or repeated, no value of another type, nothing nested or counted beyond
// a limit, no text that is not UTF-8. Its errors name the place and never repeat
// what stood there.
package strict
