package pack

import (
	"cmp"
	"context"
	"crypto/x509"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Report is what checking a pack found.
type Report struct {
	Name      string    `json:"name"` // of the folder; empty for an unpacked bag
	Case      string    `json:"case"`
	Number    int       `json:"number"`
	Variant   string    `json:"variant"`
	Sealed    time.Time `json:"sealed"`
	Stamped   time.Time `json:"stamped"` // zero without a right time-stamp
	Authority string    `json:"authority"`
	Key       string    `json:"key"` // fingerprint: SHA-256 of the vkey in hexadecimal
	Files     int       `json:"files"`
	Items     int       `json:"items"`
	Custody   int       `json:"custody"`
	Checks    []Check   `json:"checks"`
	Problems  []Problem `json:"problems"`
}

// States of a [Check].
const (
	OK     = "ok"
	Failed = "failed"
	Absent = "absent" // not checked: Text says why
)

// A Check is one thing that was looked at.
type Check struct {
	Code  string `json:"code"`
	Text  string `json:"text"`
	State string `json:"state"`
}

// A Problem is one thing that is wrong.
type Problem struct {
	Code string `json:"code"`
	File string `json:"file"` // below the folder of the pack; "zip" for the file as a whole
	What string `json:"what"`
}

// String returns what is wrong.
func (p Problem) String() string { return p.What }

// Options say what the reader trusts.
type Options struct {
	Key      string                  // vkey; empty takes the pack's own, and the report says so
	Roots    []*x509.Certificate     // of time-stamping; nil takes the pack's own, and the report says so
	Progress func(done, total int64) // bytes of payload; may be nil, is called by one goroutine at a time
}

// checks are the codes of checks in the order they are reported in, each with the codes
// of its problems.
var checks = []struct {
	code     string
	problems []string
}{
	{"zip", []string{"zip-damaged", "path-unsafe", "limit"}},
	{"files", []string{"file-changed", "file-missing", "file-extra"}},
	{"sm3", []string{"sm3-wrong"}},
	{"tags", []string{"file-changed", "file-missing", "file-extra", "manifest-changed", "tagmanifest-changed"}},
	{"seal", []string{"seal-manifest", "seal-changed"}},
	{"entry", []string{"entry-changed"}},
	{"checkpoint", []string{"checkpoint-forged", "checkpoint-other"}},
	{"proofs", []string{"proof-wrong"}},
	{"custody", []string{"custody-missing", "custody-changed", "custody-extra"}},
	{"items", []string{"item-other"}},
	{"timestamp", []string{"timestamp-foreign", "timestamp-invalid", "timestamp-untrusted"}},
	{"key", []string{"key-other"}},
	{"roots", []string{"roots-other"}},
}

// Verify checks a pack and names everything that is wrong with it. The error is of
// reading, never of what was read. What each check shows and does not show stands in
// docs/pack.md.
func Verify(ctx context.Context, r io.ReaderAt, size int64, o Options) (Report, error) {
	c := newChecker(o)
	ok, err := c.readZip(ctx, r, size)
	if err != nil {
		return Report{}, err
	}
	if !ok {
		return c.report("why.zip-broken"), nil
	}
	c.done["zip"] = true
	return c.bag(ctx)
}

// VerifyDir checks an unpacked bag like [Verify]. The file system is the folder of the
// bag, or one that holds it and nothing else.
func VerifyDir(ctx context.Context, dir fs.FS, o Options) (Report, error) {
	c := newChecker(o)
	if err := c.readDir(ctx, dir); err != nil {
		return Report{}, err
	}
	c.why["zip"] = "why.zip-folder"
	return c.bag(ctx)
}

// A checker collects what is found.
type checker struct {
	Options
	zipped   bool
	at       dosTime // of the zip
	name     string
	members  map[string]member
	tags     map[string][]byte
	files    []line // of the payload, as the manifest lists them
	seal     *sealFile
	sum      Report
	done     map[string]bool   // checks that were made to their end
	why      map[string]string // why a check was not made
	problems map[Problem]bool
}

func newChecker(o Options) *checker {
	return &checker{Options: o, members: map[string]member{}, tags: map[string][]byte{}, done: map[string]bool{}, why: map[string]string{}, problems: map[Problem]bool{}}
}

// add notes a problem; what it says stands in the words under "p." and the key.
func (c *checker) add(code, key, file string, args ...any) {
	c.problems[Problem{Code: code, File: file, What: say("p."+key, file, args...)}] = true
}

// bag makes all checks but that of the zip.
func (c *checker) bag(ctx context.Context) (Report, error) {
	if err := c.readTags(); err != nil {
		return Report{}, err
	}
	c.checkTags()
	c.checkSeal()
	if err := c.checkFiles(ctx); err != nil {
		return Report{}, err
	}
	c.checkInfo()
	return c.report("why.missing"), nil
}

// report gathers what was found. Checks that were not made say why.
func (c *checker) report(why string) Report {
	rep := c.sum
	rep.Name = show(c.name)
	rep.Problems = []Problem{}
	for p := range c.problems {
		rep.Problems = append(rep.Problems, p)
	}
	order := map[string]int{}
	for i, k := range checks {
		for _, code := range k.problems {
			if _, ok := order[code]; !ok {
				order[code] = i
			}
		}
	}
	slices.SortFunc(rep.Problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(order[a.Code], order[b.Code]), cmp.Compare(a.Code, b.Code), cmp.Compare(a.File, b.File), cmp.Compare(a.What, b.What))
	})
	for _, k := range checks {
		state, text := Absent, say("check."+k.code, "")
		wrong := slices.ContainsFunc(rep.Problems, func(p Problem) bool { return slices.Contains(k.problems, p.Code) && about(k.code, p) })
		switch {
		case wrong:
			state = Failed
		case c.why[k.code] != "":
			text += ". " + say(c.why[k.code], "")
		case c.done[k.code]:
			state = OK
		default:
			text += ". " + say(why, "")
		}
		rep.Checks = append(rep.Checks, Check{Code: k.code, Text: text, State: state})
	}
	return rep
}

// about tells the problems of the payload from those of the files about it.
func about(check string, p Problem) bool {
	payload := strings.HasPrefix(p.File, dataDir)
	return check != "files" && check != "tags" || payload == (check == "files")
}

//go:embed verify/words.json
var wordsJSON []byte

// words are the English texts that both verifiers share.
var words = sync.OnceValue(func() map[string]string {
	var w struct {
		EN map[string]string `json:"en"`
	}
	if err := json.Unmarshal(wordsJSON, &w); err != nil {
		panic(fmt.Sprintf("pack: words.json: %v", err)) // cannot be: it is embedded and tested
	}
	return w.EN
})

// say fills a text: {f} is the file, {0} the first argument.
func say(key, file string, args ...any) string {
	pairs := []string{"{f}", file}
	for i, a := range args {
		pairs = append(pairs, "{"+strconv.Itoa(i)+"}", show(fmt.Sprint(a)))
	}
	return strings.NewReplacer(pairs...).Replace(words()[key])
}
