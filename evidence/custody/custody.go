// Package custody keeps originals untouched: what comes in is sealed as it is read,
// kept under the hash of its sealed bytes, and given out only as it came in.
//
// No clear byte touches a disk. Each object has a key of its own, which the caller
// keeps; without it an object is noise, so that destroying the key destroys the
// content. Whether an object is intact can be told without any key.
//
// The crash contract: content is written to a spool file that ends in ".part", which
// [Objects] makes durable and puts in its place; only then does [Keeper.TakeIn]
// return, and only then may the caller register the object. Whenever the process or
// the machine stops, therefore, every registered object is there and whole; spool
// files and objects that nobody registered may be left, and [Keeper.Sweep] removes
// them.
//
// What a database does not know may be another's: an older backup that somebody looks
// into, an empty database, a second installation. So a place says whose it is
// ([Keeper.Own]), nobody else sweeps it, and what is swept lies in a trash for a month,
// from which it comes back when it is asked for.
package custody

import (
	"fmt"
	"log/slog"

	"bonafide/evidence"
)

// Digests are of the clear content.
type Digests struct {
	SHA256 evidence.Digest `json:"sha256"`
	SM3    evidence.Digest `json:"sm3"`
	Size   int64           `json:"size"` // in bytes
}

// A Key seals one object, and no other.
type Key [32]byte

// Format prints "[redacted]" whatever the verb.
func (Key) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte("[redacted]")) }

// LogValue is "[redacted]".
func (Key) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Taken is what taking in found out about an object.
type Taken struct {
	Digests
	Address string `json:"address"` // of the sealed bytes
	Key     Key    `json:"-"`
	Format  Format `json:"format"`
}
