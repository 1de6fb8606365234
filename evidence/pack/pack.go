// Package pack writes the sealed evidence of a case as one file that its reader can
// check without us: a zip that holds a BagIt bag (RFC 8493), the entry of the log that
// seals it, the custody of every item with proofs, a signed checkpoint and its
// time-stamp, and a page that checks all of it in a browser without a network. The
// format is described in docs/pack.md.
//
// The same contents and seal give the same bytes. It knows of no database, reads no
// clock and draws no random numbers, but for [Encrypt], whose library does.
package pack

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm3"
	"golang.org/x/mod/sumdb/tlog"

	"bonafide"
	"bonafide/evidence"
)

// A File is one file of the payload.
type File struct {
	Path   string // under data/, with slashes
	Size   int64
	SHA256 evidence.Digest
	SM3    evidence.Digest
	// Open gives its bytes from the first. It is called twice for a large file.
	Open func() (io.ReadCloser, error)
}

// Bytes returns a file of bytes that are in memory.
func Bytes(path string, b []byte) File {
	return File{
		Path: path, Size: int64(len(b)), SHA256: sha256.Sum256(b), SM3: sm3.Sum(b),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil },
	}
}

// Custody is one entry of the log about an item: its target is "item:<Item>" and its
// detail has N as "n".
type Custody struct {
	ID   int64 // of the log entry
	Item string
	N    int    // number among the entries of the item, from 1 without gaps
	Data []byte // exact bytes of the log entry
}

// Contents is what a pack holds and what it says of itself.
type Contents struct {
	Name         string // of the folder: one segment of a path
	Organisation string // whose it is
	Version      string // of the software
	Case         string
	Number       int    // of the seal among those of the case, from 1
	Variant      string // for whom: "police"
	// Time of the sealing entry of the log, to the microsecond.
	Time    time.Time
	Origin  string // of the log
	Files   []File
	Items   map[string]int // item id → its last custody number
	Custody []Custody
}

// Limits of a pack. A reader refuses what is beyond them.
const (
	maxFiles = 200_000
	maxDir   = 128 << 20 // of the central directory of the zip
	maxTags  = 256 << 20 // of all files about the payload together
	maxInt   = 1 << 53   // what every reader of JSON can tell from its neighbours
)

// maxTag is how large one file about the payload may be. A reader holds all of them in
// memory.
func maxTag(path string) int64 {
	switch path {
	case manifestName, tagmanifestName, sm3Name:
		return 64 << 20
	case custodyName, proofsName:
		return 128 << 20
	}
	return 4 << 20
}

// A Sealed is the detail of the log entry "case.sealed": what the log vouches for.
type Sealed struct {
	Seal     int             `json:"seal"` // [Contents.Number]
	Variant  string          `json:"variant"`
	Manifest evidence.Digest `json:"manifest"` // SHA-256 of manifest-sha256.txt
	Items    int             `json:"items"`
	Custody  int             `json:"custody"`
	Last     evidence.Digest `json:"last"` // SHA-256 over the lines "item n\n", sorted
}

// SealAction is the action of the log entry that seals.
const SealAction = "case.sealed"

// SealTarget returns the target of the log entry that seals a case.
func SealTarget(id string) string { return "case:" + id }

// SealDetail returns the detail of the log entry that seals c. The entry MUST be
// written with [SealAction], [SealTarget] and the time of c.
func SealDetail(c *Contents) (json.RawMessage, error) {
	s, err := c.sealed()
	if err != nil {
		return nil, err
	}
	return json.Marshal(s)
}

func (c *Contents) sealed() (Sealed, error) {
	_, sum, err := c.Manifest()
	if err != nil {
		return Sealed{}, err
	}
	return Sealed{Seal: c.Number, Variant: c.Variant, Manifest: sum, Items: len(c.Items), Custody: len(c.Custody), Last: lastNumbers(c.Items)}, nil
}

// lastNumbers hashes the last custody number of each item.
func lastNumbers(items map[string]int) evidence.Digest {
	lines := make([]string, 0, len(items))
	for item, n := range items {
		lines = append(lines, fmt.Sprintf("%s %d\n", item, n))
	}
	slices.Sort(lines)
	return sha256.Sum256([]byte(strings.Join(lines, "")))
}

// Manifest returns manifest-sha256.txt and its SHA-256. It refuses paths that are
// unsafe, too long or not to be told apart on every system.
func (c *Contents) Manifest() ([]byte, evidence.Digest, error) {
	if len(c.Files) > maxFiles-len(tagNames) {
		return nil, evidence.Digest{}, invalid("%d files do not fit a pack: at most %d", len(c.Files), maxFiles-len(tagNames))
	}
	if err := c.safe(); err != nil {
		return nil, evidence.Digest{}, err
	}
	b := c.sums(func(f File) evidence.Digest { return f.SHA256 })
	return b, sha256.Sum256(b), nil
}

func (c *Contents) safe() error {
	if !safePath(c.Name) || strings.Contains(c.Name, "/") {
		return invalid("%s is not a safe name of a folder: choose letters, digits, dots and hyphens", show(c.Name))
	}
	fold := newFolds()
	for _, f := range c.Files {
		switch {
		case !safePath(dataDir+f.Path) || len(c.Name)+1+len(dataDir)+len(f.Path) > maxPath:
			return invalid("%s is not a safe path in a pack: rename it to letters, digits, dots and hyphens, %d bytes at most", show(f.Path), maxPath)
		case f.Size < 0:
			return invalid("%s: a negative size", show(f.Path))
		}
		if other, ok := fold.add(dataDir + f.Path); !ok {
			return invalid("%s and %s cannot both stand in a pack: some systems do not tell them apart", show(f.Path), show(strings.TrimPrefix(other, dataDir)))
		}
	}
	if other, ok := fold.nested(); !ok {
		return invalid("%s is a file and a folder in one", show(strings.TrimPrefix(other, dataDir)))
	}
	return nil
}

// sums lists the payload in the form of sha256sum.
func (c *Contents) sums(of func(File) evidence.Digest) []byte {
	files := slices.Clone(c.Files)
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	var b bytes.Buffer
	for _, f := range files {
		fmt.Fprintf(&b, "%s  %s%s\n", of(f), dataDir, f.Path)
	}
	return b.Bytes()
}

// A Seal is what the log and the time-stamping authority say of a pack.
type Seal struct {
	Entry      int64  // id of the log entry that seals
	EntryData  []byte // its exact bytes
	Checkpoint []byte // signed note
	Size       int64  // of the checkpoint's tree
	Key        string // vkey of the note
	Token      []byte // RFC 3161, over Checkpoint; nil where there is no authority
	Roots      []byte // PEM, of the authority
	// Proof returns the proof that an entry is in the checkpoint's tree.
	Proof func(id int64) (tlog.RecordProof, error)
}

func invalid(format string, a ...any) error {
	return &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf(format, a...)}
}
