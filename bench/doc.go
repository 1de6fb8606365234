// Package bench measures the stages that must hold at a million letters and ten
// million edges beside what one would use in their stead, in one run, with a
// brute-force check of what they find.
//
// It holds only tests. Plain go test runs each comparison on a small input and
// checks what it finds; BONAFIDE_BENCH=full runs the sizes of README.md, which
// also says how to run each.
package bench
