// Package evidence is the append-only log of what was done: a Merkle tree over
// entries (RFC 6962, as in Go's checksum database), signed checkpoints of it,
// proofs, and the check that finds what was changed afterwards. It is pure
// functions over bytes and knows of no database.
//
// Entry n is kept as one [Row]: its bytes, and the hashes of the tree that become
// complete with it. The hash of level L with number k therefore stands in row
// ((k+1)<<L)-1 at place L.
package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// An Entry is one line of the audit log. Its canonical bytes are what the tree
// hashes.
type Entry struct {
	Time   int64           `json:"time"`   // microseconds since 1970, UTC
	Actor  string          `json:"actor"`  // Actor.ID
	Action string          `json:"action"` // "complaint.added", "tag.removed" …
	Target string          `json:"target"` // ids only: "complaint:C-1"
	Detail json.RawMessage `json:"detail,omitempty"`
}

// Marshal returns the canonical bytes of e: compact JSON with its keys in a fixed
// order. Detail that is not JSON is kept as a JSON string, so that an entry is
// never lost.
func (e Entry) Marshal() []byte {
	b, err := json.Marshal(e)
	if err != nil { // nothing but Detail can be wrong
		e.Detail, _ = json.Marshal(string(e.Detail))
		b, _ = json.Marshal(e)
	}
	return b
}

// ParseEntry reads the canonical bytes of an entry and accepts no others.
func ParseEntry(b []byte) (Entry, error) {
	var e Entry
	if err := json.Unmarshal(b, &e); err != nil {
		return Entry{}, fmt.Errorf("read log entry: %w", err)
	}
	if !bytes.Equal(e.Marshal(), b) {
		return Entry{}, errors.New("read log entry: not in its canonical form")
	}
	return e, nil
}
