package pack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"

	"bonafide"
	"bonafide/evidence"
	"bonafide/evidence/stamp"
)

// forgeries are packs of a forger who makes every list and count anew, each with what
// still gives it away.
func forgeries(t testing.TB, s *sample) (zips map[string][]byte, want map[string][]string) {
	t.Helper()
	good := unpack(t, s.bytes(t))
	zips, want = map[string][]byte{}, map[string][]string{}
	forge := func(name string, change func(bag), codes ...string) {
		b := good.clone()
		change(b)
		zips[name], want[name] = b.zip(t, when), codes
	}
	custody := func(b bag, change func([]custodyEntry) []custodyEntry) {
		var f custodyFile
		if err := json.Unmarshal(b[custodyName], &f); err != nil {
			t.Fatal(err)
		}
		b[custodyName] = mustJSON(t, custodyFile{change(f.Entries)})
	}
	proofs := func(b bag, change func(map[string][]evidence.Digest)) {
		var f proofsFile
		if err := json.Unmarshal(b[proofsName], &f); err != nil {
			t.Fatal(err)
		}
		change(f.Entries)
		b[proofsName] = mustJSON(t, f)
	}
	drop := func(b bag, item string, ns ...int) {
		var ids []int64
		custody(b, func(es []custodyEntry) []custodyEntry {
			return slices.DeleteFunc(es, func(e custodyEntry) bool {
				gone := e.Item == item && slices.Contains(ns, e.N)
				if gone {
					ids = append(ids, e.ID)
				}
				return gone
			})
		})
		proofs(b, func(m map[string][]evidence.Digest) {
			for _, id := range ids {
				delete(m, fmt.Sprint(id))
			}
		})
		b.recompute(t)
	}
	changed := "seal-changed " + sealName
	missing := "custody-missing " + custodyName
	forge("first custody dropped", func(b bag) { drop(b, "I-1", 1) }, missing, changed)
	forge("middle custody dropped", func(b bag) { drop(b, "I-1", 2, 3) }, missing, changed)
	forge("last custody dropped", func(b bag) { drop(b, "I-1", 4) }, missing, changed)
	forge("last two custody dropped", func(b bag) { drop(b, "I-2", 2, 3) }, missing, changed)
	forge("item's custody dropped", func(b bag) { drop(b, "I-3", 1) }, missing, changed)
	forge("custody changed", func(b bag) {
		custody(b, func(es []custodyEntry) []custodyEntry {
			es[1].Data = strings.Replace(es[1].Data, "person:1", "person:2", 1)
			return es
		})
		b.recompute(t)
	}, "proof-wrong "+custodyName)
	forge("custody renumbered", func(b bag) {
		custody(b, func(es []custodyEntry) []custodyEntry { es[0].N = 9; return es })
		b.recompute(t)
	}, "custody-changed "+custodyName, missing, changed)
	forge("custody added", func(b bag) {
		custody(b, func(es []custodyEntry) []custodyEntry {
			data := evidence.Entry{Time: 1, Actor: "x", Action: "item.returned", Target: "item:I-3", Detail: json.RawMessage(`{"n":2}`)}.Marshal()
			return append(es, custodyEntry{ID: 12, Item: "I-3", N: 2, Data: string(data)})
		})
		proofs(b, func(m map[string][]evidence.Digest) { m["12"] = m["0"] })
		b.recompute(t)
	}, "proof-wrong "+custodyName, "custody-extra "+custodyName, changed)
	forge("custody in disorder", func(b bag) {
		custody(b, func(es []custodyEntry) []custodyEntry { es[0], es[1] = es[1], es[0]; return es })
		b.recompute(t)
	}, "custody-changed "+custodyName)

	other, vkey := signer(t, 9)
	tree := tlog.Tree{N: s.log.head.Size, Hash: s.log.head.Root()}
	checkpoint := func(b bag, cp []byte) { b[checkpointName] = cp; b.retag() }
	forge("checkpoint by another key", func(b bag) { checkpoint(b, s.sign(t, other, tree)) }, "checkpoint-forged "+checkpointName, "timestamp-foreign "+tokenName)
	forge("checkpoint of another size", func(b bag) {
		checkpoint(b, bytes.Replace(b[checkpointName], fmt.Appendf(nil, "\n%d\n", tree.N), fmt.Appendf(nil, "\n%d\n", tree.N+1), 1))
	}, "checkpoint-forged "+checkpointName, "checkpoint-other "+checkpointName, "timestamp-foreign "+tokenName)
	forge("signature altered", func(b bag) {
		cp := b[checkpointName]
		cp[len(cp)-20] ^= 1
		checkpoint(b, cp)
	}, "checkpoint-forged "+checkpointName, "timestamp-foreign "+tokenName)
	forge("another key in the pack", func(b bag) { b[keyName] = []byte(vkey + "\n"); b.retag() }, "checkpoint-forged "+checkpointName)
	another := *s
	another.Origin = "other"
	forge("checkpoint of another log", func(b bag) { checkpoint(b, another.sign(t, s.signer, tree)) }, "checkpoint-other "+checkpointName, "timestamp-foreign "+tokenName)
	forge("no checkpoint", func(b bag) { checkpoint(b, []byte("hello\n")) }, "checkpoint-forged "+checkpointName, "timestamp-foreign "+tokenName)

	forge("proofs exchanged", func(b bag) {
		proofs(b, func(m map[string][]evidence.Digest) { m["0"], m["3"] = m["3"], m["0"] })
		b.retag()
	}, "proof-wrong "+custodyName)
	forge("proof of the seal exchanged", func(b bag) {
		proofs(b, func(m map[string][]evidence.Digest) { m[fmt.Sprint(s.Entry)] = m["3"] })
		b.retag()
	}, "proof-wrong "+entryName)
	forge("proof too many", func(b bag) {
		proofs(b, func(m map[string][]evidence.Digest) { m["1"] = m["0"] })
		b.retag()
	}, "proof-wrong "+proofsName)
	forge("item replaced", func(b bag) {
		b["data/items/I-1/letter.txt"] = []byte("Dear bank, all is well.\n")
		b.recompute(t)
	}, "seal-manifest "+manifestName, changed)
	forge("item replaced and sealed anew", func(b bag) {
		b["data/items/I-1/letter.txt"] = []byte("Dear bank, all is well.\n")
		b.recompute(t)
		var seal sealFile
		if err := json.Unmarshal(b[sealName], &seal); err != nil {
			t.Fatal(err)
		}
		detail, _ := json.Marshal(Sealed{Seal: 3, Variant: "police", Manifest: seal.Manifest, Items: 3, Custody: 8, Last: lastNumbers(seal.Last)})
		b[entryName] = evidence.Entry{Time: when.UnixMicro(), Actor: "person:1", Action: SealAction, Target: "case:C-12", Detail: detail}.Marshal()
		b.retag()
	}, "proof-wrong "+entryName)
	forge("file added and listed", func(b bag) { b["data/more.txt"] = []byte("x"); b.recompute(t) }, "seal-manifest "+manifestName, changed)
	forge("file removed from the lists", func(b bag) { delete(b, "data/case.json"); b.recompute(t) }, "seal-manifest "+manifestName, changed)
	forge("extra file", func(b bag) { b["data/more.txt"] = []byte("x") }, "file-extra data/more.txt")
	forge("extra tag file", func(b bag) { b["seal/more.txt"] = []byte("x"); b.retag() }, "file-extra seal/more.txt")
	forge("missing file", func(b bag) { delete(b, "data/case.json") }, "file-missing data/case.json", "file-changed "+infoName)
	forge("missing proofs", func(b bag) { delete(b, proofsName); b.retag() }, "file-missing "+proofsName)
	forge("SM3 list changed", func(b bag) {
		digit := byte('0')
		if b[sm3Name][0] == digit {
			digit = '1'
		}
		b[sm3Name][0] = digit
		b.retag()
	}, "sm3-wrong data/case.json")
	forge("other case in the seal", func(b bag) {
		b[sealName] = bytes.Replace(b[sealName], []byte("C-12"), []byte("C-13"), 1)
		b.retag()
	}, changed, "file-changed "+infoName)
	forge("other time in the seal", func(b bag) {
		b[sealName] = bytes.Replace(b[sealName], []byte("05:06:07"), []byte("05:07:07"), 1)
		b.retag()
	}, changed, "zip-damaged zip")
	forge("other words for the seal", func(b bag) {
		b[sealName] = bytes.Replace(b[sealName], []byte(`"case":`), []byte(`"case": `), 1)
		b.retag()
	}, changed)

	stamped := func(b bag, token, roots []byte) {
		response, err := stamp.Response(token)
		if err != nil {
			t.Fatal(err)
		}
		b[responseName], b[tokenName] = response, token
		if roots != nil {
			b[rootsName] = roots
		}
		b.retag()
	}
	foreign, err := s.tsa.Stamp(s.sign(t, other, tree))
	if err != nil {
		t.Fatal(err)
	}
	forge("stamp of another checkpoint", func(b bag) { stamped(b, foreign, nil) }, "timestamp-foreign "+tokenName)
	stranger := authority(t, 5)
	by, err := stranger.Stamp(s.Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	forge("stamp by another authority", func(b bag) { stamped(b, by, nil) }, "timestamp-untrusted "+tokenName)
	forge("stamp by another authority with its roots", func(b bag) { stamped(b, by, stranger.Roots) })
	forge("response exchanged", func(b bag) { b[responseName], _ = stamp.Response(by); b.retag() }, "timestamp-invalid "+responseName)
	forge("stamp altered", func(b bag) {
		token := bytes.Clone(b[tokenName])
		token[len(token)-5] ^= 1
		stamped(b, token, nil)
	}, "timestamp-invalid "+tokenName)
	return zips, want
}

func TestForgeriesAreNamed(t *testing.T) {
	s := newSample(t)
	zips, want := forgeries(t, s)
	for name, rep := range agree(t, zips) {
		if d := cmp.Diff(slices.Compact(slices.Sorted(slices.Values(want[name]))), slices.Compact(slices.Sorted(slices.Values(found(rep))))); d != "" {
			if len(want[name])+len(rep.Problems) > 0 {
				t.Errorf("%s (-want +got):\n%s", name, d)
			}
		}
	}
	for name, what := range map[string]string{
		"first custody dropped":    "Custody entry 1 of item I-1 is missing",
		"middle custody dropped":   "Custody entries 2 to 3 of item I-1 are missing",
		"last custody dropped":     "Custody entry 4 of item I-1 is missing",
		"last two custody dropped": "Custody entries 2 to 3 of item I-2 are missing",
		"item's custody dropped":   "The seal counts 8 custody entries and the pack holds 7: some are missing, and the pack was changed to hide which",
	} {
		if rep := verify(t, zips[name], Options{}); !slices.ContainsFunc(rep.Problems, func(p Problem) bool { return p.What == what }) {
			t.Errorf("%s: %v", name, rep.Problems)
		}
	}
}

// takes makes a case with items that were taken in; what says which file stands for each in
// the pack, as its name and content.
func takes(t testing.TB, contents map[string]string, files map[string]string) *sample {
	t.Helper()
	s := &sample{Contents: Contents{
		Name: "case-12-3-police", Organisation: "Bank", Version: "v1", Case: "C-12", Number: 3, Variant: "police", Time: when, Origin: "bank", Items: map[string]int{},
	}}
	for _, item := range slices.Sorted(maps.Keys(contents)) {
		s.Items[item] = 1
		body := Bytes(item, []byte(contents[item]))
		id, data := s.log.add(when.Add(-time.Hour), TakenInAction, "item:"+item, map[string]any{"n": 1, "number": len(s.Items), "sha256": body.SHA256.String(), "sm3": body.SM3.String(), "size": body.Size})
		s.Contents.Custody = append(s.Contents.Custody, Custody{ID: id, Item: item, N: 1, Data: data})
		s.handle(item)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		s.Files = append(s.Files, Bytes(name, []byte(files[name])))
	}
	s.finish(t)
	return s
}

// resealed packs s as somebody with the key of the log does who writes packs with a program
// of their own.
func (s *sample) resealed(t testing.TB, from bag) []byte {
	t.Helper()
	b := from.clone()
	maps.DeleteFunc(b, func(p string, _ []byte) bool { return strings.HasPrefix(p, dataDir) })
	for _, f := range s.Files {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if b[dataDir+f.Path], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if b[custodyName], b[proofsName], err = s.Contents.proofs(s.Seal); err != nil {
		t.Fatal(err)
	}
	var seal sealFile
	if err := json.Unmarshal(b[sealName], &seal); err != nil {
		t.Fatal(err)
	}
	seal.Entry, seal.Size = s.Entry, s.Seal.Size
	b[sealName] = mustJSON(t, seal)
	response, err := stamp.Response(s.Token)
	if err != nil {
		t.Fatal(err)
	}
	b[entryName], b[checkpointName], b[tokenName], b[responseName], b[rootsName] = s.EntryData, s.Checkpoint, s.Token, response, s.Roots
	b.recompute(t)
	return b.zip(t, when)
}

// Who holds the key of the log and seals another file in the place of an item is found by
// the item's own entry.
func TestSwappedItemIsFound(t *testing.T) {
	contents := map[string]string{"01J-A": "what was seen", "A": "a letter", "01JB": "a call", "lost": "left out", "a": "small"}
	right := map[string]string{
		"items/0001-01J-A.txt": "what was seen", "items/0002-A.txt": "a letter", "items/0003-01JB": "a call", "items/0005-a.tar.gz": "small",
		"items/more/0002-A.txt": "in a folder", "items/A.txt": "no hyphen", "0002-A.txt": "elsewhere", "items/0009-none.txt": "of no item", "items/0002-A~.txt": "another id",
	}
	good := takes(t, contents, right)
	base := unpack(t, good.bytes(t))
	zips := map[string][]byte{"right": good.bytes(t), "right by another program": good.resealed(t, base)}
	want := map[string][]string{"right": {}, "right by another program": {}}
	for name, at := range map[string]string{"hyphen in the id": "items/0001-01J-A.txt", "letter": "items/0002-A.txt", "no ending": "items/0003-01JB", "two endings": "items/0005-a.tar.gz"} {
		files := maps.Clone(right)
		files[at] = "something else"
		s := takes(t, contents, files)
		zips[name], want[name] = s.resealed(t, base), []string{"item-other " + dataDir + at}
		if err := Write(t.Context(), io.Discard, &s.Contents, s.Seal); !errors.Is(err, bonafide.Invalid) || !strings.Contains(err.Error(), "is not the file that was taken in") {
			t.Errorf("%s: Write: %v", name, err)
		}
	}
	// An entry without a digest, and one more with another, vouch for nothing.
	for name, detail := range map[string]map[string]any{"no digest": {"n": 3}, "number for a digest": {"n": 3, "sha256": 7}, "another digest": {"n": 3, "sha256": strings.Repeat("0", 64)}} {
		s := takes(t, contents, right)
		id, data := s.log.add(when, TakenInAction, "item:A", detail)
		s.Items["A"] = 3
		s.Contents.Custody = append(s.Contents.Custody, Custody{ID: id, Item: "A", N: 3, Data: data})
		s.finish(t)
		zips[name], want[name] = s.resealed(t, base), []string{"item-other " + dataDir + "items/0002-A.txt"}
	}
	for name, rep := range agree(t, zips) {
		if d := cmp.Diff(want[name], found(rep)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		i := slices.IndexFunc(rep.Checks, func(c Check) bool { return c.Code == "items" })
		if state := rep.Checks[i].State; (state == OK) != (len(want[name]) == 0) || state == Absent {
			t.Errorf("%s: the check of items is %s", name, state)
		}
	}
}

// What a reader holds in memory is bounded, and nothing is read of what is beyond that.
func TestTagFilesAreBounded(t *testing.T) {
	good := extract(t, newSample(t).bytes(t))
	// sized makes files larger, with holes.
	sized := func(sizes map[string]int64) string {
		t.Helper()
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(good)); err != nil {
			t.Fatal(err)
		}
		for p, n := range sizes {
			if err := os.Truncate(filepath.Join(dir, p), n); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	const mib = 1 << 20
	over := map[string]int64{}
	for _, p := range tagNames {
		over[p] = maxTag(p) + 1
	}
	for name, c := range map[string]struct {
		sizes map[string]int64
		want  []string
	}{
		"each": {over, tagNames},
		"one":  {map[string]int64{readmeName: 4*mib + 1}, []string{readmeName}},
		"all together": {map[string]int64{
			custodyName: 128 * mib, proofsName: 128 * mib,
		}, []string{"zip"}},
	} {
		dir := sized(c.sizes)
		rep, err := VerifyDir(t.Context(), os.DirFS(dir), Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range rep.Problems {
			if p.Code == "limit" {
				got = append(got, p.File)
			}
		}
		slices.Sort(got)
		if d := cmp.Diff(slices.Sorted(slices.Values(c.want)), got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		js := inNode(t, dir)[0].Report
		if d := cmp.Diff(rep.Problems, js.Problems); d != "" {
			t.Errorf("%s: the browser's verifier finds something else (-Go +browser):\n%s", name, d)
		}
	}
	for p, want := range map[string]int64{manifestName: 64 * mib, tagmanifestName: 64 * mib, sm3Name: 64 * mib, custodyName: 128 * mib, proofsName: 128 * mib, pageName: 4 * mib, sealName: 4 * mib} {
		if got := maxTag(p); got != want {
			t.Errorf("%s may have %d bytes, want %d", p, got, want)
		}
	}
}

// What the pack alone cannot tell is told by a key and roots from elsewhere.
func TestTrustedAnchors(t *testing.T) {
	s := newSample(t)
	zips, _ := forgeries(t, s)
	o := roots(t, s.Roots)
	if got, want := found(verify(t, zips["stamp by another authority with its roots"], o)), []string{"timestamp-untrusted " + tokenName, "roots-other " + rootsName}; !cmp.Equal(got, want) {
		t.Errorf("another authority: %v, want %v", got, want)
	}
	var anew sample
	anew.Contents = newSample(t).Contents
	anew.Contents.Custody, anew.Items = nil, map[string]int{}
	for _, item := range []string{"I-1", "I-2", "I-3"} {
		anew.handle(item)
	}
	anew.finish(t)
	anew.signer, anew.Seal.Key = signer(t, 7)
	anew.Checkpoint = anew.sign(t, anew.signer, tlog.Tree{N: anew.log.head.Size, Hash: anew.log.head.Root()})
	anew.Token, _ = anew.tsa.Stamp(anew.Checkpoint)
	zip := anew.bytes(t)
	if rep := verify(t, zip, Options{}); len(rep.Problems) > 0 {
		t.Errorf("a pack made anew: %v", rep.Problems)
	}
	if got, want := found(verify(t, zip, Options{Key: s.Seal.Key})), []string{"checkpoint-forged " + checkpointName, "key-other " + keyName}; !cmp.Equal(got, want) {
		t.Errorf("a pack made anew: %v, want %v", got, want)
	}
}

// Both verifiers find every altered byte of a time-stamp and of the roots. What they call
// it differs for a few bytes of a certificate that Go's library refuses to read and a
// browser reads, or the other way round.
func TestStampBytes(t *testing.T) {
	s := newSample(t)
	good := unpack(t, s.bytes(t))
	dir := t.TempDir()
	var paths []string
	var reps []Report
	for _, name := range []string{tokenName, rootsName} {
		for i := range good[name] {
			if i%7 != 0 && testing.Short() {
				continue
			}
			b := bag{}
			maps.Copy(b, good)
			b[name] = bytes.Clone(b[name])
			b[name][i] ^= 1 << (i % 7)
			zip := b.zip(t, when)
			paths = append(paths, filepath.Join(dir, fmt.Sprintf("%s-%d.zip", filepath.Base(name), i)))
			if err := os.WriteFile(paths[len(paths)-1], zip, 0o600); err != nil {
				t.Fatal(err)
			}
			reps = append(reps, verify(t, zip, Options{}))
		}
	}
	other := 0
	for i, js := range inNode(t, paths...) {
		if len(js.Problems) == 0 || len(reps[i].Problems) == 0 {
			t.Errorf("%s: %d problems in Go, %d in the browser's script", filepath.Base(paths[i]), len(reps[i].Problems), len(js.Problems))
		}
		if !cmp.Equal(found(reps[i]), found(js.Report)) {
			other++
		}
	}
	t.Logf("%d of %d altered bytes are called something else", other, len(paths))
	if other > len(paths)/50 {
		t.Error("that is more than one in fifty")
	}
}

func TestHostileZips(t *testing.T) {
	s := newSample(t)
	good := s.bytes(t)
	b := unpack(t, good)
	le := func(b []byte, at int, v ...byte) []byte { b = bytes.Clone(b); copy(b[at:], v); return b }
	dir := bytes.Index(good, []byte("PK\x01\x02"))
	end := len(good) - endLen
	named := func(name string) []byte {
		x := b.clone()
		x[name] = []byte("x")
		return x.zip(t, when)
	}
	zips := map[string][]byte{
		"empty": {}, "text": []byte("hello, this is no zip at all"), "cut": good[:len(good)-9], "half": good[:len(good)/2],
		"behind": append(bytes.Clone(good), 'x'), "before": append([]byte("x"), good...),
		"comment":          append(le(good, len(good)-2, 1), 'x'),
		"central size":     le(good, dir+20, 1, 0, 0, 0, 1, 0, 0, 0),
		"central crc":      le(good, dir+16, 1, 2, 3, 4),
		"local crc":        le(good, 14, 1, 2, 3, 4),
		"compressed":       le(good, dir+10, 8),
		"encrypted":        le(good, dir+8, 1),
		"offset":           le(good, dir+42, 9),
		"link":             le(good, dir+41, 0xa1),
		"many":             le(good, end+8, 0xfe, 0xff, 0xfe, 0xff),
		"zip64":            le(good, end+8, 0xff, 0xff, 0xff, 0xff),
		"directory beyond": le(good, end+16, 0xff, 0xff, 0xff, 0x7f),
		"between":          between(t, b),
		"up":               named("../x"), "absolute": named("/x"), "backslash": named(`data\x`), "case": named("data/CASE.json"), "control": named("data/a\x1bb"),
		"not UTF-8": named("data/\xff"), "device": named("data/nul.txt"), "file as folder": named("data/case.json/x"), "bidi": named("data/\u202egpj.exe"),
		"twice": twice(t, b), "other folder": otherFolder(t, b),
	}
	for name, rep := range agree(t, zips) {
		if len(rep.Problems) == 0 {
			t.Errorf("%s: nothing found", name)
		}
		for _, p := range rep.Problems {
			if strings.ContainsFunc(p.File+p.What, hidden) {
				t.Errorf("%s: hidden characters in %q", name, p.What)
			}
		}
	}
}

// raw packs entries in a given order.
func raw(t testing.TB, names []string, body func(string) []byte, filler string) []byte {
	t.Helper()
	var buf bytes.Buffer
	a := &archive{w: &buf, at: toDOS(when)}
	for _, n := range names {
		if err := a.begin(n, int64(len(body(n))), newCRC(body(n))); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Write(append(bytes.Clone(body(n)), filler...)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func newCRC(b []byte) uint32 {
	h := newHasher()
	_, _ = h.Write(b)
	return h.crc
}

func folderNames(b bag) []string {
	var names []string
	for p := range b {
		names = append(names, "case-12-3-police/"+p)
	}
	slices.Sort(names)
	return names
}

func bodyOf(b bag) func(string) []byte {
	return func(n string) []byte { _, p, _ := strings.Cut(n, "/"); return b[p] }
}

func between(t testing.TB, b bag) []byte { return raw(t, folderNames(b), bodyOf(b), "filler") }

func twice(t testing.TB, b bag) []byte {
	names := folderNames(b)
	return raw(t, slices.Insert(names, 1, names[0]), bodyOf(b), "")
}

func otherFolder(t testing.TB, b bag) []byte {
	return raw(t, append(folderNames(b), "z/data/x"), bodyOf(b), "")
}

func FuzzVerify(f *testing.F) {
	s := newSample(f)
	// Without the page they are small enough to be mutated often.
	bare := func(zip []byte) []byte {
		b := unpack(f, zip)
		b[pageName] = []byte("page")
		b.retag()
		return b.zip(f, when)
	}
	good := bare(s.bytes(f))
	f.Add(good)
	zips, _ := forgeries(f, s)
	for _, z := range zips {
		f.Add(bare(z))
	}
	f.Add([]byte("PK\x05\x06"))
	o := roots(f, s.Roots)
	o.Key = s.Seal.Key
	f.Fuzz(func(t *testing.T, b []byte) {
		rep, err := Verify(t.Context(), bytes.NewReader(b), int64(len(b)), o)
		if err == nil && len(rep.Problems) == 0 && !bytes.Equal(b, good) {
			// Another page in a whole pack would be sound; mutation does not make one.
			t.Errorf("%d bytes that we did not write are sound", len(b))
		}
	})
}

// TestWriteSamples writes packs for the test of the page into the folder that
// BONAFIDE_PACK_SAMPLES names.
func TestWriteSamples(t *testing.T) {
	dir := os.Getenv("BONAFIDE_PACK_SAMPLES")
	if dir == "" {
		t.Skip("BONAFIDE_PACK_SAMPLES is not set")
	}
	s := newSample(t)
	zips, _ := forgeries(t, s)
	for name, z := range map[string][]byte{
		"good.zip": s.bytes(t), "replaced.zip": zips["item replaced"], "dropped.zip": zips["last custody dropped"], "stamp.zip": zips["stamp by another authority"],
		"VERIFY.html": Page(), "key.txt": []byte(s.Seal.Key),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), z, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for p, body := range unpack(t, s.bytes(t)) {
		to := filepath.Join(dir, "folder", filepath.FromSlash(p))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
