package pack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"bonafide/evidence"
	"bonafide/evidence/stamp"
	"bonafide/internal/tsa"
)

var when = time.Date(2026, 3, 4, 5, 6, 7, 891000, time.UTC)

// A logbook is a log in memory.
type logbook struct {
	rows []evidence.Row
	head evidence.Edge
}

func (l *logbook) add(at time.Time, action, target string, detail any) (int64, []byte) {
	d, err := json.Marshal(detail)
	if err != nil {
		panic(err)
	}
	data := evidence.Entry{Time: at.UnixMicro(), Actor: "person:1", Action: action, Target: target, Detail: d}.Marshal()
	id := l.head.Size
	l.rows = append(l.rows, evidence.Row{ID: id, Data: data, Nodes: l.head.Append(data)})
	return id, data
}

func (l *logbook) proof(size int64) func(int64) (tlog.RecordProof, error) {
	hashes := evidence.Hashes(func(ids []int64) (map[int64][]byte, error) {
		m := map[int64][]byte{}
		for _, id := range ids {
			m[id] = l.rows[id].Nodes
		}
		return m, nil
	})
	return func(id int64) (tlog.RecordProof, error) { return evidence.ProveRecord(size, id, hashes) }
}

// A sample is a pack and what it was made with.
type sample struct {
	Contents
	Seal
	log    logbook
	signer note.Signer
	tsa    *tsa.Authority
}

func signer(t testing.TB, seed byte) (note.Signer, string) {
	t.Helper()
	skey, vkey, err := evidence.NewSigner(rand.NewChaCha8([32]byte{seed}), "bank.example")
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	return s, vkey
}

func authority(t testing.TB, seed byte, options ...tsa.Option) *tsa.Authority {
	t.Helper()
	a, err := tsa.New(rand.NewChaCha8([32]byte{seed}), func() time.Time { return when.Add(time.Minute) }, options...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// newSample makes a case with three items whose custody has 4, 3 and 1 entries.
func newSample(t testing.TB, options ...tsa.Option) *sample {
	t.Helper()
	s := &sample{Contents: Contents{
		Name: "case-12-3-police", Organisation: "Bank of Examples 示例银行", Version: "v1.2.3",
		Case: "C-12", Number: 3, Variant: "police", Time: when, Origin: "bank", Items: map[string]int{},
		Files: []File{
			Bytes("items/I-1/letter.txt", []byte("Dear bank, I did not take this loan.\n")),
			Bytes("items/I-2/录音.txt", bytes.Repeat([]byte("call "), 300)),
			Bytes("items/I-3/empty.txt", nil),
			Bytes("case.json", []byte(`{"case":"C-12"}`)),
		},
	}}
	for _, step := range []string{"I-1", "", "I-2", "I-1", "I-3", "", "I-1", "I-2", "I-2", "I-1", ""} {
		if step == "" {
			s.log.add(when, "complaint.added", "complaint:7", map[string]int{"seq": 1})
			continue
		}
		s.handle(step)
	}
	s.finish(t, options...)
	return s
}

func (s *sample) handle(item string) {
	s.Items[item]++
	id, data := s.log.add(when.Add(-time.Hour), "item.handed-on", "item:"+item, map[string]any{"n": s.Items[item], "to": "Müller <a&b>"})
	s.Contents.Custody = append(s.Contents.Custody, Custody{ID: id, Item: item, N: s.Items[item], Data: data})
}

func (s *sample) finish(t testing.TB, options ...tsa.Option) {
	t.Helper()
	detail, err := SealDetail(&s.Contents)
	if err != nil {
		t.Fatal(err)
	}
	s.Entry, s.EntryData = s.log.add(when, SealAction, SealTarget(s.Case), detail)
	s.log.add(when, "complaint.added", "complaint:8", nil)
	s.signer, s.Seal.Key = signer(t, 1)
	s.Seal.Size = s.log.head.Size
	s.Proof = s.log.proof(s.Seal.Size)
	s.Checkpoint = s.sign(t, s.signer, tlog.Tree{N: s.log.head.Size, Hash: s.log.head.Root()})
	s.tsa = authority(t, 2, options...)
	if s.Token, err = s.tsa.Stamp(s.Checkpoint); err != nil {
		t.Fatal(err)
	}
	s.Roots = s.tsa.Roots
}

func (s *sample) sign(t testing.TB, with note.Signer, tree tlog.Tree) []byte {
	t.Helper()
	b, err := evidence.SignCheckpoint(with, s.Origin, tree, when.Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (s *sample) bytes(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(t.Context(), &b, &s.Contents, s.Seal); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A bag is a pack taken apart, to be forged.
type bag map[string][]byte

func unpack(t testing.TB, zip []byte) bag {
	t.Helper()
	c := newChecker(Options{})
	if ok, err := c.readZip(t.Context(), bytes.NewReader(zip), int64(len(zip))); !ok || err != nil {
		t.Fatal(ok, err, c.problems)
	}
	b := bag{}
	for p, m := range c.members {
		body, err := c.readTag(m)
		if err != nil {
			t.Fatal(err)
		}
		b[p] = body
	}
	return b
}

func (b bag) clone() bag {
	out := bag{}
	for p, body := range b {
		out[p] = bytes.Clone(body)
	}
	return out
}

// zip packs a bag as Write does.
func (b bag) zip(t testing.TB, at time.Time) []byte {
	t.Helper()
	var buf bytes.Buffer
	a := &archive{w: &buf, at: toDOS(at)}
	for _, p := range slices.Sorted(maps.Keys(b)) {
		if err := a.begin("case-12-3-police/"+p, int64(len(b[p])), crc32.ChecksumIEEE(b[p])); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Write(b[p]); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// recompute makes every list and count anew that a forger can: all but what is signed.
func (b bag) recompute(t testing.TB) {
	t.Helper()
	var files []File
	var size int
	for p, body := range b {
		if rest, ok := strings.CutPrefix(p, dataDir); ok {
			files = append(files, Bytes(rest, body))
			size += len(body)
		}
	}
	c := Contents{Name: "x", Files: files}
	manifest, sum, err := c.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	b[manifestName] = manifest
	b[sm3Name] = c.sums(func(f File) evidence.Digest { return f.SM3 })
	var seal sealFile
	var custody custodyFile
	if json.Unmarshal(b[sealName], &seal) != nil || json.Unmarshal(b[custodyName], &custody) != nil {
		t.Fatal("the seal cannot be read")
	}
	seal.Manifest, seal.Custody, seal.Last = sum, len(custody.Entries), map[string]int{}
	for _, e := range custody.Entries {
		seal.Last[e.Item] = max(seal.Last[e.Item], e.N)
	}
	seal.Items = len(seal.Last)
	b[sealName] = mustJSON(t, seal)
	b[infoName] = []byte(info("Bank of Examples 示例银行", "v1.2.3", seal.Time, seal.id(), int64(size), len(files)))
	b.retag()
}

// retag makes the tag manifest anew.
func (b bag) retag() {
	delete(b, tagmanifestName)
	var list strings.Builder
	for _, p := range slices.Sorted(maps.Keys(b)) {
		if !strings.HasPrefix(p, dataDir) {
			fmt.Fprintf(&list, "%x  %s\n", sha256.Sum256(b[p]), p)
		}
	}
	b[tagmanifestName] = []byte(list.String())
}

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	b, err := canonical(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func verify(t testing.TB, zip []byte, o Options) Report {
	t.Helper()
	rep, err := Verify(t.Context(), bytes.NewReader(zip), int64(len(zip)), o)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// found lists problems as "code file".
func found(rep Report) []string {
	out := []string{}
	for _, p := range rep.Problems {
		out = append(out, p.Code+" "+p.File)
	}
	return out
}

// A browserReport is what verify.js prints.
type browserReport struct {
	Report
	// In place of those of Report, which are times.
	Sealed  string  `json:"sealed"`
	Stamped string  `json:"stamped"`
	Seconds float64 `json:"seconds"`
}

// inNode runs verify.js on packs, all in one process.
func inNode(t testing.TB, paths ...string) []browserReport {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed: the browser's verifier is not compared")
	}
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, node, append([]string{filepath.Join("verify", "node.mjs"), "--all"}, paths...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, &stderr)
	}
	var reps []browserReport
	if err := json.Unmarshal(out, &reps); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return reps
}

// agree runs both verifiers on packs and compares all that they find.
func agree(t *testing.T, zips map[string][]byte) map[string]Report {
	t.Helper()
	dir := t.TempDir()
	names := slices.Sorted(maps.Keys(zips))
	var paths []string
	reps := map[string]Report{}
	for i, name := range names {
		p := filepath.Join(dir, fmt.Sprintf("%d.zip", i))
		if err := os.WriteFile(p, zips[name], 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, p)
		reps[name] = verify(t, zips[name], Options{})
	}
	for i, js := range inNode(t, paths...) {
		got, want := js.Report, reps[names[i]]
		type both struct {
			Problems []Problem
			Checks   []Check
			Name     string
			Key      string
		}
		slices.SortFunc(got.Problems, byAll)
		wantProblems := slices.Clone(want.Problems)
		slices.SortFunc(wantProblems, byAll)
		if d := cmp.Diff(both{wantProblems, want.Checks, want.Name, want.Key}, both{got.Problems, got.Checks, got.Name, got.Key}); d != "" {
			t.Errorf("%s: the browser's verifier finds something else (-Go +browser):\n%s", names[i], d)
		}
	}
	return reps
}

func byAll(a, b Problem) int {
	return strings.Compare(a.Code+"\x00"+a.File+"\x00"+a.What, b.Code+"\x00"+b.File+"\x00"+b.What)
}

func roots(t testing.TB, pem []byte) Options {
	t.Helper()
	rs, err := stamp.ParseRoots(pem)
	if err != nil {
		t.Fatal(err)
	}
	return Options{Roots: rs}
}
