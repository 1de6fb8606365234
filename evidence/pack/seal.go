package pack

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"bonafide"
	"bonafide/evidence"
	"bonafide/evidence/stamp"
)

// A sealFile is seal/seal.json: what the pack says of its seal. None of it is believed
// until the log says the same.
type sealFile struct {
	Format   int             `json:"format"`
	Case     string          `json:"case"`
	Number   int             `json:"number"`
	Variant  string          `json:"variant"`
	Time     time.Time       `json:"time"`
	Origin   string          `json:"origin"`
	Manifest evidence.Digest `json:"manifest"`
	Items    int             `json:"items"`
	Custody  int             `json:"custody"`
	Entry    int64           `json:"entry"`
	Size     int64           `json:"size"`
	Last     map[string]int  `json:"items_custody"`
}

// id names the pack in bag-info.txt.
func (s *sealFile) id() string {
	return fmt.Sprintf("%s/%s/%d/%s", s.Origin, s.Case, s.Number, s.Variant)
}

// A custodyFile is seal/custody.json.
type custodyFile struct {
	Entries []custodyEntry `json:"entries"`
}

type custodyEntry struct {
	ID   int64  `json:"id"`
	Item string `json:"item"`
	N    int    `json:"n"`
	Data string `json:"data"`
}

// A proofsFile is seal/proofs.json.
type proofsFile struct {
	Entries map[string][]evidence.Digest `json:"entries"`
}

// canonical writes v as a pack does: compact, with a line break at the end.
func canonical(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return append(b, '\n'), nil
}

// readCanonical reads what canonical wrote and accepts nothing else.
func readCanonical(b []byte, v any) bool {
	if json.Unmarshal(b, v) != nil {
		return false
	}
	again, err := canonical(v)
	return err == nil && bytes.Equal(again, b)
}

func whole(n int64) bool { return n >= 0 && n <= maxInt }

// valid reports whether s can be what a pack says of itself.
func (s *sealFile) valid() bool {
	for _, t := range []string{s.Case, s.Variant, s.Origin} {
		if !validID(t) {
			return false
		}
	}
	for item, n := range s.Last {
		if !validID(item) || !whole(int64(n)) {
			return false
		}
	}
	return s.Format == 1 && s.Last != nil && within(s.Time) && s.Time.Location() == time.UTC && s.Time.Equal(s.Time.Truncate(time.Microsecond)) &&
		whole(int64(s.Number)) && whole(int64(s.Items)) && whole(int64(s.Custody)) && whole(s.Entry) && whole(s.Size)
}

// checkSeal checks what the log says of the pack: the sealing entry, custody, proofs,
// the checkpoint, its time-stamp.
func (c *checker) checkSeal() {
	if b, ok := c.tags[sealName]; ok {
		var s sealFile
		if readCanonical(b, &s) && s.valid() {
			c.seal = &s
			c.sum.Case, c.sum.Number, c.sum.Variant, c.sum.Sealed, c.sum.Items, c.sum.Custody = s.Case, s.Number, s.Variant, s.Time, s.Items, s.Custody
			if c.zipped && c.at != toDOS(s.Time) {
				c.add("zip-damaged", "zip-time", "zip")
			}
		} else {
			c.add("seal-changed", "seal-form", sealName)
		}
	}
	tree := c.checkCheckpoint()
	proofs := c.readProofs()
	entry := c.checkEntry(tree, proofs)
	custody := c.checkCustody(tree, proofs, entry)
	_, there := c.tags[entryName]
	c.done["proofs"] = tree != nil && proofs != nil && c.seal != nil && there && custody
	c.checkStamp()
}

// vkey returns the key that the checkpoint has to be signed with.
func (c *checker) vkey() (string, bool) {
	b, ok := c.tags[keyName]
	own := strings.TrimSuffix(string(b), "\n")
	if _, err := note.NewVerifier(own); ok && (err != nil || own+"\n" != string(b)) {
		c.add("checkpoint-forged", "checkpoint-key", keyName)
		ok = false
	}
	if c.Key == "" {
		c.why["key"] = "why.own-key"
		if ok {
			c.sum.Key = Fingerprint([]byte(own))
		}
		return own, ok
	}
	c.done["key"] = true
	if own != c.Key {
		c.add("key-other", "key-other", keyName)
	}
	c.sum.Key = Fingerprint([]byte(c.Key))
	return c.Key, true
}

// Fingerprint returns what people compare over another channel: the SHA-256, in
// hexadecimal, of a vkey or of the DER of a certificate.
func Fingerprint(b []byte) string { return evidence.Digest(sha256.Sum256(b)).String() }

// checkCheckpoint checks the signature. It returns the tree that the checkpoint claims
// even where the signature is wrong, nil where it claims none.
func (c *checker) checkCheckpoint() *tlog.Tree {
	key, ok := c.vkey()
	b, there := c.tags[checkpointName]
	if !there {
		return nil
	}
	if ok {
		c.done["checkpoint"] = true
		if v, err := note.NewVerifier(key); err != nil {
			c.add("checkpoint-forged", "checkpoint-key", keyName)
		} else if key, bad := badNote(b, v); bad {
			c.add("checkpoint-forged", key, checkpointName, v.Name())
		}
	}
	tree, origin, ok := claimed(b)
	if !ok {
		c.add("checkpoint-forged", "checkpoint-tree", checkpointName)
		return nil
	}
	if c.seal != nil && origin != c.seal.Origin {
		c.add("checkpoint-other", "checkpoint-origin", checkpointName, origin)
	}
	if c.seal != nil && tree.N != c.seal.Size {
		c.add("checkpoint-other", "checkpoint-size", checkpointName, tree.N)
	}
	return &tree
}

// badNote names what is wrong with the signature of a note.
func badNote(b []byte, v note.Verifier) (key string, bad bool) {
	_, err := note.Open(b, note.VerifierList(v))
	switch {
	case err == nil:
		return "", false
	case errors.As(err, new(*note.InvalidSignatureError)):
		return "checkpoint-signature", true
	case errors.As(err, new(*note.UnverifiedNoteError)):
		return "checkpoint-signer", true
	}
	return "checkpoint-note", true
}

// claimed reads a checkpoint without looking at its signature: signed by anyone, or by
// nobody, it reads the same.
func claimed(b []byte) (tree tlog.Tree, origin string, ok bool) {
	i := bytes.LastIndex(b, []byte("\n\n"))
	if i < 0 || !utf8.Valid(b) || bytes.ContainsRune(b, '\r') {
		return tree, "", false
	}
	text := string(b[:i+1])
	lines := strings.Split(text, "\n")
	tree, err := tlog.ParseTree([]byte(text))
	if err != nil || tree.N > maxInt || len(lines) != 6 {
		return tree, "", false
	}
	origin, named := strings.CutPrefix(lines[3], "origin ")
	when, timed := strings.CutPrefix(lines[4], "time ")
	at, err := time.Parse(time.RFC3339Nano, when)
	ok = named && timed && validID(origin) && err == nil && at.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano) == when
	return tree, origin, ok
}

// readProofs returns nil where they cannot be read.
func (c *checker) readProofs() map[string][]evidence.Digest {
	b, ok := c.tags[proofsName]
	if !ok {
		return nil
	}
	var p proofsFile
	if !readCanonical(b, &p) || p.Entries == nil || slices.ContainsFunc(slices.Collect(maps.Values(p.Entries)), func(hs []evidence.Digest) bool { return hs == nil }) {
		c.add("proof-wrong", "proof-form", proofsName)
		return nil
	}
	return p.Entries
}

// proven reports whether data is entry id of the tree.
func proven(tree *tlog.Tree, proofs map[string][]evidence.Digest, id int64, data []byte) bool {
	hashes := proofs[strconv.FormatInt(id, 10)]
	if id >= tree.N || len(hashes) > 64 {
		return false
	}
	p := make(tlog.RecordProof, len(hashes))
	for i, h := range hashes {
		p[i] = tlog.Hash(h)
	}
	return evidence.CheckRecord(p, *tree, id, data) == nil
}

// checkEntry checks the sealing entry and returns its detail, nil where it has none.
func (c *checker) checkEntry(tree *tlog.Tree, proofs map[string][]evidence.Digest) *Sealed {
	b, ok := c.tags[entryName]
	if !ok {
		return nil
	}
	if tree != nil && proofs != nil && c.seal != nil && !proven(tree, proofs, c.seal.Entry, b) {
		c.add("proof-wrong", "proof-entry", entryName, c.seal.Entry)
	}
	e, s, ok := parseSealed(b)
	if !ok {
		c.add("entry-changed", "entry-form", entryName)
		return nil
	}
	c.done["entry"] = true
	if m, ok := c.tags[manifestName]; ok {
		c.done["seal"] = c.seal != nil
		if sha256.Sum256(m) != s.Manifest {
			c.add("seal-manifest", "seal-manifest", manifestName)
		}
	}
	if c.seal == nil {
		return &s
	}
	for _, f := range []struct {
		name string
		same bool
	}{
		{"case", e.Target == SealTarget(c.seal.Case)},
		{"time", e.Time == c.seal.Time.UnixMicro()},
		{"number", s.Seal == c.seal.Number},
		{"variant", s.Variant == c.seal.Variant},
		{"manifest", s.Manifest == c.seal.Manifest},
		{"items", s.Items == c.seal.Items && s.Items == len(c.seal.Last)},
		{"custody", s.Custody == c.seal.Custody},
		{"items_custody", s.Last == lastNumbers(c.seal.Last)},
	} {
		if !f.same {
			c.add("seal-changed", "seal-field", sealName, f.name)
		}
	}
	return &s
}

// parseSealed reads the log entry that seals.
func parseSealed(b []byte) (evidence.Entry, Sealed, bool) {
	var s Sealed
	e, err := evidence.ParseEntry(b)
	if err != nil || !utf8.Valid(b) || e.Time < -maxInt || e.Time > maxInt || e.Action != SealAction || !strings.HasPrefix(e.Target, SealTarget("")) ||
		json.Unmarshal(e.Detail, &s) != nil {
		return e, s, false
	}
	again, err := json.Marshal(s)
	return e, s, err == nil && bytes.Equal(again, e.Detail) && whole(int64(s.Seal)) && whole(int64(s.Items)) && whole(int64(s.Custody))
}

// checkCustody checks every custody entry, and that no number of an item is missing. It
// reports whether the entries could be read.
func (c *checker) checkCustody(tree *tlog.Tree, proofs map[string][]evidence.Digest, sealed *Sealed) bool {
	b, ok := c.tags[custodyName]
	if !ok {
		return false
	}
	var f custodyFile
	last := int64(-1)
	wrong := func(e custodyEntry) bool {
		before := last
		last = e.ID
		return !validID(e.Item) || !whole(e.ID) || !whole(int64(e.N)) || e.N < 1 || e.ID <= before
	}
	if !readCanonical(b, &f) || f.Entries == nil || slices.ContainsFunc(f.Entries, wrong) {
		c.add("custody-changed", "custody-form", custodyName)
		return false
	}
	ids := map[string]bool{}
	if c.seal != nil {
		ids[strconv.FormatInt(c.seal.Entry, 10)] = true
	}
	numbers, taken := map[string][]int{}, map[string][]takenAs{}
	for _, e := range f.Entries {
		ids[strconv.FormatInt(e.ID, 10)] = true
		numbers[e.Item] = append(numbers[e.Item], e.N)
		if takenIn, sum, ok := custodyOf(e); !ok {
			c.add("custody-changed", "custody-entry", custodyName, e.ID, e.Item, e.N)
		} else if was := taken[e.Item]; takenIn && (len(was) == 0 || len(was) == 1 && was[0].sum != sum) {
			taken[e.Item] = append(was, takenAs{e.ID, sum}) // no file has two digests: more say nothing more
		}
		if tree != nil && proofs != nil && !proven(tree, proofs, e.ID, []byte(e.Data)) {
			c.add("proof-wrong", "proof-custody", custodyName, e.ID, e.Item, e.N)
		}
	}
	if proofs != nil && c.seal != nil && (len(ids) != len(proofs) || slices.ContainsFunc(slices.Collect(maps.Keys(proofs)), func(id string) bool { return !ids[id] })) {
		c.add("proof-wrong", "proof-set", proofsName)
	}
	c.checkNumbers(numbers, len(f.Entries), sealed)
	c.checkItems(taken)
	return true
}

// custodyOf reports whether an entry is the log entry it says it is, whether by it the item
// was taken in, and with which SHA-256.
func custodyOf(e custodyEntry) (takenIn bool, sum string, ok bool) {
	b := []byte(e.Data)
	got, err := evidence.ParseEntry(b)
	if err != nil || got.Time < -maxInt || got.Time > maxInt || got.Target != "item:"+e.Item {
		return false, "", false
	}
	var detail map[string]json.RawMessage
	if json.Unmarshal(got.Detail, &detail) != nil {
		return false, "", false
	}
	var n float64
	if json.Unmarshal(detail["n"], &n) != nil || n != float64(e.N) {
		return false, "", false
	}
	if json.Unmarshal(detail["sha256"], &sum) != nil {
		sum = ""
	}
	return got.Action == TakenInAction, sum, true
}

// TakenInAction is the action of the log entry by which an item was taken in. Its detail has
// the SHA-256 of the file as "sha256".
const TakenInAction = "item.taken-in"

// itemsDir is where the files of items stand, as NNNN-<item>.<ext>.
const itemsDir = dataDir + "items/"

// A takenAs is what an entry says of the file that was taken in by it.
type takenAs struct {
	entry int64
	sum   string // SHA-256 in hexadecimal
}

// checkItems compares the file of every item with what was taken in. An item may be without
// one: it was left out for this reader.
func (c *checker) checkItems(taken map[string][]takenAs) {
	if _, ok := c.tags[manifestName]; !ok {
		return
	}
	c.done["items"] = true
	for _, l := range c.files {
		name, ok := strings.CutPrefix(l.path, itemsDir)
		if !ok || strings.Contains(name, "/") {
			continue
		}
		item := itemOf(name, func(id string) bool { return len(taken[id]) > 0 })
		as := taken[item]
		if i := slices.IndexFunc(as, func(t takenAs) bool { return t.sum != l.sum.String() }); i >= 0 {
			c.add("item-other", "item-other", l.path, as[i].entry, item)
		}
	}
}

// itemOf finds the id in the name of an item's file: behind a hyphen, up to a dot or the
// end. Of several it takes the first, which is the longest.
func itemOf(name string, is func(id string) bool) string {
	for i, b := range []byte(name) {
		if b != '-' {
			continue
		}
		id, _, _ := strings.Cut(name[i+1:], ".")
		if is(id) {
			return id
		}
	}
	return ""
}

// checkNumbers finds the numbers that are missing or too many.
func (c *checker) checkNumbers(numbers map[string][]int, have int, sealed *Sealed) {
	if c.seal == nil {
		if sealed != nil {
			c.countCustody(sealed.Custody, have)
		}
		return
	}
	c.done["custody"] = sealed != nil
	last := maps.Clone(c.seal.Last)
	named := false
	if sealed != nil && sealed.Last != lastNumbers(last) {
		if item, n, ok := lowered(last, *sealed); ok {
			last[item] = n
		}
	}
	for _, item := range slices.Sorted(maps.Keys(last)) {
		ns := slices.Sorted(slices.Values(numbers[item]))
		next := 1
		for _, n := range append(ns, last[item]+1) {
			if n > next && next <= last[item] {
				named = true
				to := min(n-1, last[item])
				if to == next {
					c.add("custody-missing", "custody-one", custodyName, item, next)
				} else {
					c.add("custody-missing", "custody-many", custodyName, item, next, to)
				}
			}
			next = max(next, n+1)
		}
	}
	extra := false
	for item, ns := range numbers {
		seen := map[int]bool{}
		for _, n := range ns {
			if n > last[item] || seen[n] {
				extra = true
				c.add("custody-extra", "custody-extra", custodyName, item, n)
			}
			seen[n] = true
		}
	}
	if sealed != nil && !named && !extra {
		c.countCustody(sealed.Custody, have)
	}
}

func (c *checker) countCustody(want, have int) {
	switch {
	case want > have:
		c.add("custody-missing", "custody-count", custodyName, want, have)
	case want < have:
		c.add("custody-extra", "custody-surplus", custodyName, want, have)
	}
}

// lowered finds the one item whose last number was lowered to hide that its last
// entries were dropped: with the right number the list has the hash that was sealed.
func lowered(last map[string]int, sealed Sealed) (string, int, bool) {
	total, size := 0, 0
	for item, n := range last {
		total += n
		size += len(item) + 8
	}
	dropped := sealed.Custody - total
	if dropped < 1 || dropped > 1000 || size*len(last) > maxSearch {
		return "", 0, false
	}
	for _, item := range slices.Sorted(maps.Keys(last)) {
		n := last[item]
		last[item] = n + dropped
		found := lastNumbers(last) == sealed.Last
		last[item] = n
		if found {
			return item, n + dropped, true
		}
	}
	return "", 0, false
}

// maxSearch bounds the bytes that are hashed to name a dropped entry.
const maxSearch = 64 << 20

// checkStamp checks the time-stamp of the checkpoint.
func (c *checker) checkStamp() {
	token, stamped := c.tags[tokenName]
	response, answered := c.tags[responseName]
	list, listed := c.tags[rootsName]
	if !stamped && !answered && !listed {
		c.why["timestamp"], c.why["roots"] = "why.no-stamp", "why.no-stamp"
		return
	}
	own, err := stamp.ParseRoots(list)
	if listed && (err != nil || !bytes.Equal(rootsPEM(own), list)) {
		own = nil
		c.add("timestamp-invalid", "timestamp-roots", rootsName)
	}
	roots := own
	if c.Roots == nil {
		c.why["roots"] = "why.own-roots"
	} else {
		roots = c.Roots
		c.done["roots"] = true
		if listed && !slices.ContainsFunc(own, func(r *x509.Certificate) bool { return slices.ContainsFunc(roots, r.Equal) }) {
			c.add("roots-other", "roots-other", rootsName)
		}
	}
	if stamped && answered {
		if want, err := stamp.Response(token); err != nil || !bytes.Equal(want, response) {
			c.add("timestamp-invalid", "timestamp-response", responseName)
		}
	}
	checkpoint, there := c.tags[checkpointName]
	if !stamped || !there || len(roots) == 0 {
		return
	}
	c.done["timestamp"] = true
	s, err := stamp.Verify(token, checkpoint, roots)
	if err != nil {
		code := stampCode(err)
		c.add(code, code, tokenName)
		return
	}
	c.sum.Stamped, c.sum.Authority = s.Time, show(s.Authority)
}

// rootsPEM writes certificates as a pack does.
func rootsPEM(roots []*x509.Certificate) []byte {
	var b []byte
	for _, r := range roots {
		b = append(b, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Raw})...)
	}
	return b
}

// stampCode sorts what [stamp.Verify] says.
func stampCode(err error) string {
	if e, ok := errors.AsType[*bonafide.Error](err); ok {
		switch e.Msg {
		case "the time-stamp is of something else":
			return "timestamp-foreign"
		case "no root certificate that we trust vouches for its certificate":
			return "timestamp-untrusted"
		}
	}
	return "timestamp-invalid"
}

func hexes(p tlog.RecordProof) []evidence.Digest {
	out := make([]evidence.Digest, len(p))
	for i, h := range p {
		out[i] = evidence.Digest(h)
	}
	return out
}
