package pack

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emmansun/gmsm/sm3"

	"bonafide/evidence"
)

// Names of the files about the payload.
const (
	bagitName       = "bagit.txt"
	infoName        = "bag-info.txt"
	manifestName    = "manifest-sha256.txt"
	tagmanifestName = "tagmanifest-sha256.txt"
	sm3Name         = "sm3sum.txt"
	readmeName      = "README.txt"
	pageName        = "VERIFY.html"
	sealName        = "seal/seal.json"
	entryName       = "seal/entry.json"
	custodyName     = "seal/custody.json"
	proofsName      = "seal/proofs.json"
	checkpointName  = "seal/checkpoint.txt"
	keyName         = "seal/log-key.txt"
	responseName    = "seal/timestamp.tsr"
	tokenName       = "seal/timestamp.tst"
	rootsName       = "seal/tsa-roots.pem"
)

var (
	stampNames = []string{responseName, tokenName, rootsName}
	tagNames   = append([]string{
		bagitName, infoName, manifestName, tagmanifestName, sm3Name, readmeName, pageName,
		sealName, entryName, custodyName, proofsName, checkpointName, keyName,
	}, stampNames...)
)

const bagit = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"

// A line is one of a manifest.
type line struct {
	path string
	sum  evidence.Digest
}

// parseSums reads a list in the form of sha256sum, sorted by path. It returns the lines
// that it can read, and whether all of them are as they should be.
func parseSums(b []byte) (lines []line, ok bool) {
	ok = true
	last := ""
	for s := range bytes.Lines(b) {
		var l line
		text, ended := strings.CutSuffix(string(s), "\n")
		sum, path, two := strings.Cut(text, "  ")
		if !ended || !two || strings.ToLower(sum) != sum || l.sum.UnmarshalText([]byte(sum)) != nil || !safePath(path) || path <= last {
			ok = false
			continue
		}
		l.path, last = path, path
		lines = append(lines, l)
	}
	return lines, ok
}

// readTags reads the files about the payload, and names what is there and should not be.
func (c *checker) readTags() error {
	fold := newFolds()
	for _, p := range slices.Sorted(maps.Keys(c.members)) {
		if _, ok := fold.add(p); !ok {
			c.add("path-unsafe", "path-clash", p)
		}
	}
	if p, ok := fold.nested(); !ok {
		c.add("path-unsafe", "path-clash", p)
	}
	stamped := false
	var read []member
	total := int64(0)
	for _, p := range slices.Sorted(maps.Keys(c.members)) {
		m := c.members[p]
		switch {
		case strings.HasPrefix(p, dataDir):
			continue
		case !slices.Contains(tagNames, p):
			c.add("file-extra", "file-extra", p)
			continue
		case m.size > maxTag(p):
			c.add("limit", "too-large", p, maxTag(p))
			continue
		}
		stamped = stamped || slices.Contains(stampNames, p)
		read, total = append(read, m), total+m.size
	}
	if total > maxTags { // before any is read: all of them are held in memory
		c.add("limit", "tags-large", "zip", maxTags)
		read = nil
	}
	for _, m := range read {
		b, err := c.readTag(m)
		if err != nil {
			return err
		}
		c.tags[m.path] = b
	}
	for _, p := range tagNames {
		if _, ok := c.members[p]; !ok && (stamped || !slices.Contains(stampNames, p)) {
			c.add("file-missing", "file-missing", p)
		}
	}
	return nil
}

func (c *checker) readTag(m member) ([]byte, error) {
	f, err := m.open()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", m.path, err)
	}
	defer f.Close()
	b := make([]byte, m.size)
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, fmt.Errorf("read %s: %w", m.path, err)
	}
	if c.zipped && crc32.ChecksumIEEE(b) != m.crc {
		c.add("zip-damaged", "zip-crc", m.path)
	}
	return b, nil
}

// checkTags compares the files about the payload with the tag manifest.
func (c *checker) checkTags() {
	if b, ok := c.tags[bagitName]; ok && string(b) != bagit {
		c.add("file-changed", "file-form", bagitName)
	}
	if b, ok := c.tags[manifestName]; ok {
		var good bool
		if c.files, good = parseSums(b); !good || slices.ContainsFunc(c.files, func(l line) bool { return !strings.HasPrefix(l.path, dataDir) }) {
			c.add("manifest-changed", "manifest-form", manifestName)
			c.files = slices.DeleteFunc(c.files, func(l line) bool { return !strings.HasPrefix(l.path, dataDir) })
		}
	}
	b, ok := c.tags[tagmanifestName]
	if !ok {
		return
	}
	lines, good := parseSums(b)
	listed := map[string]bool{tagmanifestName: true}
	for _, l := range lines {
		if strings.HasPrefix(l.path, dataDir) || l.path == tagmanifestName {
			good = false
			continue
		}
		listed[l.path] = true
		body, ok := c.tags[l.path]
		if _, there := c.members[l.path]; !there {
			c.add("file-missing", "file-missing", l.path)
		}
		switch {
		case !ok || sha256.Sum256(body) == l.sum:
		case l.path == manifestName:
			c.add("manifest-changed", "manifest-tag", manifestName, tagmanifestName)
		default:
			c.add("file-changed", "file-changed", l.path, tagmanifestName)
		}
	}
	if !good {
		c.add("tagmanifest-changed", "tagmanifest-form", tagmanifestName)
	}
	for p := range c.tags {
		if !listed[p] {
			c.add("tagmanifest-changed", "tagmanifest-unlisted", tagmanifestName, p)
		}
	}
	c.done["tags"] = true
}

// checkFiles hashes the payload, two files at a time.
func (c *checker) checkFiles(ctx context.Context) error {
	listed := make(map[string]evidence.Digest, len(c.files))
	var total int64
	for _, l := range c.files {
		listed[l.path] = l.sum
		m, ok := c.members[l.path]
		if !ok {
			c.add("file-missing", "file-missing", l.path)
		}
		total += m.size
	}
	if _, ok := c.tags[manifestName]; ok {
		for p := range c.members {
			if _, ok := listed[p]; !ok && strings.HasPrefix(p, dataDir) {
				c.add("file-extra", "file-extra", p)
			}
		}
		c.done["files"] = true
	}
	sm3s := map[string]evidence.Digest{}
	if b, ok := c.tags[sm3Name]; ok {
		lines, good := parseSums(b)
		same := func(a, b line) bool { return a.path == b.path }
		if !good || !slices.EqualFunc(lines, c.files, same) {
			c.add("sm3-wrong", "sm3-form", sm3Name)
		}
		for _, l := range lines {
			sm3s[l.path] = l.sum
		}
		c.done["sm3"] = c.done["files"]
	}
	var mu sync.Mutex // guards done, problems and Progress
	var done int64
	err := twoAtATime(ctx, c.files, func(ctx context.Context, l line) error {
		m, ok := c.members[l.path]
		if !ok {
			return nil
		}
		d, err := digest(ctx, m, func(n int) {
			mu.Lock()
			defer mu.Unlock()
			done += int64(n)
			if c.Progress != nil {
				c.Progress(done, total)
			}
		})
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if c.zipped && d.crc != m.crc {
			c.add("zip-damaged", "zip-crc", m.path)
		}
		if want, ok := sm3s[m.path]; d.sha != l.sum {
			c.add("file-changed", "file-changed", m.path, manifestName)
		} else if ok && d.sm3 != want {
			c.add("sm3-wrong", "sm3-wrong", m.path)
		}
		return nil
	})
	c.sum.Files = len(c.files)
	return err
}

// twoAtATime calls do for every line, in two goroutines, up to the first error.
func twoAtATime(ctx context.Context, lines []line, do func(context.Context, line) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	work := make(chan line)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for l := range work {
				if ctx.Err() != nil {
					continue
				}
				if err := do(ctx, l); err != nil {
					stop(err)
				}
			}
		})
	}
	for _, l := range lines {
		work <- l
	}
	close(work)
	wg.Wait()
	return context.Cause(ctx)
}

// digests are those of one file.
type digests struct {
	size     int64
	crc      uint32
	sha, sm3 evidence.Digest
}

// A hasher takes all digests of what is written to it.
type hasher struct {
	digests
	a, b hash.Hash
}

func newHasher() *hasher { return &hasher{a: sha256.New(), b: sm3.New()} }

func (h *hasher) Write(p []byte) (int, error) {
	h.size += int64(len(p))
	h.crc = crc32.Update(h.crc, crc32.IEEETable, p)
	h.a.Write(p)
	h.b.Write(p)
	return len(p), nil
}

func (h *hasher) sum() digests {
	h.a.Sum(h.sha[:0])
	h.b.Sum(h.sm3[:0])
	return h.digests
}

// digest reads a file to its end.
func digest(ctx context.Context, m member, read func(n int)) (digests, error) {
	f, err := m.open()
	if err != nil {
		return digests{}, fmt.Errorf("read %s: %w", m.path, err)
	}
	defer f.Close()
	h := newHasher()
	buf := make([]byte, 256<<10)
	for {
		if err := ctx.Err(); err != nil {
			return digests{}, err
		}
		n, err := f.Read(buf)
		_, _ = h.Write(buf[:n])
		read(n)
		if errors.Is(err, io.EOF) {
			return h.sum(), nil
		}
		if err != nil {
			return digests{}, fmt.Errorf("read %s: %w", m.path, err)
		}
	}
}

// info returns bag-info.txt.
func info(organisation, version string, at time.Time, id string, size int64, files int) string {
	return fmt.Sprintf("Source-Organization: %s\nBagging-Date: %s\nExternal-Identifier: %s\nPayload-Oxum: %d.%d\nBag-Software-Agent: bonafide %s\n",
		organisation, at.UTC().Format(time.DateOnly), id, size, files, version)
}

// checkInfo compares bag-info.txt with the seal and the payload. The organisation and
// the version are free.
func (c *checker) checkInfo() {
	b, ok := c.tags[infoName]
	if !ok || c.seal == nil {
		return
	}
	var got []string
	s := bufio.NewScanner(bytes.NewReader(b))
	for s.Scan() {
		got = append(got, s.Text())
	}
	var size int64
	for _, l := range c.files {
		size += c.members[l.path].size
	}
	want := strings.Split(info("", "", c.seal.Time, c.seal.id(), size, len(c.files)), "\n")
	want = want[:len(want)-1]
	if len(got) != len(want) || b[len(b)-1] != '\n' {
		c.add("file-changed", "bag-info", infoName, "Source-Organization")
		return
	}
	for i, w := range want {
		name, _, _ := strings.Cut(w, ":")
		free := i == 0 || i == len(want)-1
		if got[i] != w && (!free || !strings.HasPrefix(got[i], w)) {
			c.add("file-changed", "bag-info", infoName, name)
		}
	}
}
