package pack

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"bonafide/evidence"
	"bonafide/evidence/stamp"
)

// small is how large a file may be to be read once and kept; a larger one is read
// twice, for its checksum stands in front of it.
const small = 4 << 20

// Write writes a pack. Before the first byte it checks the seal as a reader will; while
// it writes it hashes every file. A file that is not what its digests say is an error
// that names it, and what was written is no pack: throw it away.
func Write(ctx context.Context, w io.Writer, c *Contents, s Seal) error {
	tags, err := c.tags(s)
	if err != nil {
		return err
	}
	files := make(map[string]File, len(c.Files))
	for _, f := range c.Files {
		files[dataDir+f.Path] = f
	}
	a := &archive{w: w, at: toDOS(c.Time)}
	for _, p := range slices.Sorted(maps.Keys(union(tags, files))) {
		if err := ctx.Err(); err != nil {
			return err
		}
		name := c.Name + "/" + p
		if f, ok := files[p]; ok {
			if err := a.file(ctx, name, f); err != nil {
				return fmt.Errorf("write %s: %w", p, err)
			}
			continue
		}
		b := tags[p]
		if err := a.begin(name, int64(len(b)), crc32.ChecksumIEEE(b)); err != nil {
			return fmt.Errorf("write %s: %w", p, err)
		}
		if _, err := a.Write(b); err != nil {
			return fmt.Errorf("write %s: %w", p, err)
		}
	}
	if err := a.close(); err != nil {
		return fmt.Errorf("write the directory of the pack: %w", err)
	}
	return nil
}

func union(tags map[string][]byte, files map[string]File) map[string]bool {
	all := make(map[string]bool, len(tags)+len(files))
	for p := range tags {
		all[p] = true
	}
	for p := range files {
		all[p] = true
	}
	return all
}

// file writes one file of the payload.
func (a *archive) file(ctx context.Context, name string, f File) error {
	if f.Size > small {
		first, err := a.hash(ctx, f, io.Discard)
		if err != nil {
			return err
		}
		if err := a.begin(name, f.Size, first.crc); err != nil {
			return err
		}
		_, err = a.hash(ctx, f, a)
		return err
	}
	buf := bytes.NewBuffer(make([]byte, 0, f.Size))
	d, err := a.hash(ctx, f, buf)
	if err != nil {
		return err
	}
	if err := a.begin(name, f.Size, d.crc); err != nil {
		return err
	}
	_, err = a.Write(buf.Bytes())
	return err
}

// hash reads a file, writes it to w, and compares it with its
// digests.
func (a *archive) hash(ctx context.Context, f File, w io.Writer) (digests, error) {
	if f.Open == nil {
		return digests{}, invalid("%s cannot be opened", show(f.Path))
	}
	m := member{path: f.Path, size: f.Size, open: func() (io.ReadCloser, error) {
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		// One byte too many is enough to tell that it is longer.
		return tee{io.TeeReader(io.LimitReader(r, f.Size+1), w), r}, nil
	}}
	d, err := digest(ctx, m, func(int) {})
	if err != nil {
		return digests{}, err
	}
	if d.size != f.Size || d.sha != f.SHA256 || d.sm3 != f.SM3 {
		return digests{}, invalid("%s is not what its digests say: the file was changed or damaged where it is kept; the pack is unusable", show(f.Path))
	}
	return d, nil
}

type tee struct {
	io.Reader
	io.Closer
}

// tags returns the files about the payload, and refuses a seal that no reader will
// accept.
func (c *Contents) tags(s Seal) (map[string][]byte, error) {
	manifest, sum, err := c.Manifest()
	if err != nil {
		return nil, err
	}
	for _, t := range []string{c.Organisation, c.Version} {
		if strings.ContainsFunc(t, hidden) {
			return nil, invalid("%s cannot stand in %s: it has to be one line of text", show(t), infoName)
		}
	}
	var size int64
	for _, f := range c.Files {
		size += f.Size
	}
	seal := sealFile{
		Format: 1, Case: c.Case, Number: c.Number, Variant: c.Variant, Time: c.Time.UTC().Round(0), Origin: c.Origin,
		Manifest: sum, Items: len(c.Items), Custody: len(c.Custody), Entry: s.Entry, Size: s.Size, Last: c.Items,
	}
	if seal.Last == nil {
		seal.Last = map[string]int{}
	}
	if !seal.valid() {
		return nil, invalid("the seal of the case cannot be written: its ids must have no spaces, its numbers not be negative, its time be from 1980 to 2107 and to the microsecond")
	}
	tags := map[string][]byte{
		bagitName:      []byte(bagit),
		infoName:       []byte(info(c.Organisation, c.Version, c.Time, seal.id(), size, len(c.Files))),
		manifestName:   manifest,
		sm3Name:        c.sums(func(f File) evidence.Digest { return f.SM3 }),
		readmeName:     []byte(readme(c, s)),
		pageName:       Page(),
		entryName:      s.EntryData,
		checkpointName: s.Checkpoint,
		keyName:        []byte(s.Key + "\n"),
	}
	if s.Token != nil {
		response, err := stamp.Response(s.Token)
		if err != nil {
			return nil, err
		}
		roots, err := stamp.ParseRoots(s.Roots)
		if err != nil {
			return nil, err
		}
		tags[responseName], tags[tokenName], tags[rootsName] = response, s.Token, rootsPEM(roots)
	}
	if tags[custodyName], tags[proofsName], err = c.proofs(s); err != nil {
		return nil, err
	}
	if tags[sealName], err = canonical(seal); err != nil {
		return nil, err
	}
	var list strings.Builder
	for _, p := range slices.Sorted(maps.Keys(tags)) {
		fmt.Fprintf(&list, "%x  %s\n", sha256.Sum256(tags[p]), p)
	}
	tags[tagmanifestName] = []byte(list.String())
	total := int64(0)
	for _, p := range slices.Sorted(maps.Keys(tags)) {
		n := int64(len(tags[p]))
		if n > maxTag(p) {
			return nil, invalid("%s would be larger than %d bytes: make several packs", p, maxTag(p))
		}
		if total += n; total > maxTags {
			return nil, invalid("the files about the payload would be larger than %d bytes together: make several packs", maxTags)
		}
	}
	check := newChecker(Options{})
	check.tags = tags
	check.files, _ = parseSums(manifest)
	check.checkSeal()
	for _, p := range check.report("").Problems {
		return nil, invalid("the pack would not be sound: %s", p.What)
	}
	return tags, nil
}

// proofs returns seal/custody.json and seal/proofs.json.
func (c *Contents) proofs(s Seal) (custody, proofs []byte, err error) {
	if s.Proof == nil {
		return nil, nil, errors.New("write a pack: there is nothing to prove entries with")
	}
	entries := custodyFile{Entries: []custodyEntry{}}
	shown := proofsFile{Entries: map[string][]evidence.Digest{}}
	prove := func(id int64) error {
		p, err := s.Proof(id)
		if err != nil {
			return fmt.Errorf("prove entry %d: %w", id, err)
		}
		shown.Entries[strconv.FormatInt(id, 10)] = hexes(p)
		return nil
	}
	if err := prove(s.Entry); err != nil {
		return nil, nil, err
	}
	sorted := slices.Clone(c.Custody)
	slices.SortFunc(sorted, func(a, b Custody) int { return cmp.Compare(a.ID, b.ID) })
	for _, e := range sorted {
		entries.Entries = append(entries.Entries, custodyEntry{ID: e.ID, Item: e.Item, N: e.N, Data: string(e.Data)})
		if err := prove(e.ID); err != nil {
			return nil, nil, err
		}
	}
	if custody, err = canonical(entries); err != nil {
		return nil, nil, err
	}
	proofs, err = canonical(shown)
	return custody, proofs, err
}

//go:embed verify/readme.txt
var readmeText string

// readme returns README.txt.
func readme(c *Contents, s Seal) string {
	text, extra, _ := strings.Cut(readmeText, "=== with a time-stamp ===\n")
	if s.Token != nil {
		text += extra
	}
	return strings.NewReplacer("{name}", c.Name, "{case}", c.Case, "{number}", strconv.Itoa(c.Number), "{variant}", c.Variant,
		"{organisation}", c.Organisation, "{time}", c.Time.UTC().Format(time.RFC3339), "{key}", s.Key, "{fingerprint}", Fingerprint([]byte(s.Key))).Replace(text)
}
