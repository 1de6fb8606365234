package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"bonafide"

	"github.com/BurntSushi/toml"
)

// parseSize reads a number of bytes such as 500MB; units are powers of 1024.
func parseSize(s string) (int64, error) {
	num := strings.TrimRight(strings.ToUpper(strings.TrimSpace(s)), "B")
	shift := 0
	for i, unit := range []string{"K", "M", "G", "T"} {
		if t, ok := strings.CutSuffix(num, unit); ok {
			num, shift = t, 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(num), 10, 64)
	if err != nil || n <= 0 || n > 1<<(62-shift) {
		return 0, &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("%q is not a size such as 500MB or 16GB", s)}
	}
	return n << shift, nil
}

// maxTOML bounds a settings file.
const maxTOML = 1 << 20

// decodeTOML reads a settings file and refuses unknown fields.
func decodeTOML(path string, into any) error {
	f, err := openFile(path)
	if err != nil {
		return err
	}
	defer f.Close()
	name := filepath.Base(path)
	meta, err := toml.NewDecoder(io.LimitReader(f, maxTOML)).Decode(into)
	if err != nil {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("%s: %v", name, err), Err: err}
	}
	if rest := meta.Undecoded(); len(rest) > 0 {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("%s: unknown key %q: correct its spelling or remove it", name, rest[0].String())}
	}
	return nil
}

// progress shows on a terminal how far long work has come.
type progress struct {
	w     io.Writer
	on    bool
	start time.Time
	last  time.Time
}

// often is how often the line is drawn again.
const often = 100 * time.Millisecond

func (p *progress) show(line string) {
	if !p.on || time.Since(p.last) < often {
		return
	}
	p.last = time.Now()
	fmt.Fprintf(p.w, "\r\033[K%s  (%s)", line, time.Since(p.start).Round(time.Second))
}

func (p *progress) reading(bytes int64, rows int) {
	p.show(fmt.Sprintf("reading: %d rows, %.1f MB", rows, float64(bytes)/1e6))
}

func (p *progress) stage(name string, done, total int) {
	if total == 0 || done == 0 {
		p.show(name)
		return
	}
	p.show(fmt.Sprintf("%s: %d %%", name, 100*done/total))
}

// clear removes the line.
func (p *progress) clear() {
	if p.on {
		fmt.Fprint(p.w, "\r\033[K")
	}
}
