package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bonafide"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"bonafide": func() {
		status := run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
		if path := os.Getenv("PEAK"); path != "" {
			writePeak(path)
		}
		os.Exit(status)
	}})
}

// writePeak writes how many kilobytes of memory this process has held at most,
// or nothing where the system does not tell.
func writePeak(path string) {
	body, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(body), "VmHWM:")
	peak, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	if err := os.WriteFile(path, []byte(peak), 0o644); err != nil {
		panic(err)
	}
}

// TestScripts runs the command lines of testdata/script. Beside testscript's own
// commands there are:
//
//	exits STATUS COMMAND…   run and compare the exit status
//	encode NAME FROM TO     write FROM in another encoding: gb18030, utf-16le, utf-16be
//	gzip FROM TO            compress
//	make WHAT TO            write a hostile file: see makers
//	atmost FILE MB          compare the peak memory that a command wrote for PEAK=FILE
//	member RESULT VAR       set VAR to the id of a complaint that belongs to a ring
//	private FILE… -- OUT…   fail if a personal value of the complaints in FILE stands in OUT;
//	                        ! private takes all but names
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("BONAFIDE_SECRET", "a secret of the tests")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "encode": encode, "gzip": compress, "make": makeFile, "atmost": atMost, "member": member, "private": private,
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		bad, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = bad.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

func encode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: encode NAME FROM TO")
	}
	enc, ok := map[string]encoding.Encoding{
		"gb18030":  simplifiedchinese.GB18030,
		"utf-16le": unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
		"utf-16be": unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
	}[args[0]]
	if !ok {
		ts.Fatalf("unknown encoding %s", args[0])
	}
	body, err := enc.NewEncoder().Bytes([]byte(ts.ReadFile(args[1])))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), body, 0o644))
}

func compress(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: gzip FROM TO")
	}
	body := ts.ReadFile(args[0])
	create(ts, args[1], func(w io.Writer) error {
		z := gzip.NewWriter(w)
		if _, err := io.WriteString(z, body); err != nil {
			return err
		}
		return z.Close()
	})
}

// makers write hostile files.
var makers = map[string]func(io.Writer) error{
	// bomb is 300 MB of rows in 0.3 MB of gzip.
	"bomb": func(w io.Writer) error {
		z := gzip.NewWriter(w)
		if _, err := io.WriteString(z, "id,text\n"); err != nil {
			return err
		}
		rows := strings.Repeat("C-1,"+strings.Repeat("a", 995)+"\n", 1000)
		for range 300 {
			if _, err := io.WriteString(z, rows); err != nil {
				return err
			}
		}
		return z.Close()
	},
	// cell is a cell of 5 MB between two good rows.
	"cell": func(w io.Writer) error {
		_, err := io.WriteString(w, "id,text\nC-1,a small letter\nC-2,"+strings.Repeat("a", 5_000_000)+"\nC-3,another small letter\n")
		return err
	},
	// deep is an object of 200,000 levels between two good ones.
	"deep": func(w io.Writer) error {
		const levels = 200_000
		_, err := io.WriteString(w, `{"id":"D-1","text":"a letter"}`+"\n"+
			`{"id":"D-2","text":"a letter","x":`+strings.Repeat("[", levels)+strings.Repeat("]", levels)+"}\n"+
			`{"id":"D-3","text":"another letter"}`+"\n")
		return err
	},
	// binary is no text.
	"binary": func(w io.Writer) error {
		b := make([]byte, 5000)
		for i := range b {
			b[i] = byte(i * i >> 3)
		}
		_, err := w.Write(b)
		return err
	},
	// spoiled has a header and then bytes that are text in no encoding read here.
	"spoiled": func(w io.Writer) error {
		_, err := io.WriteString(w, "id,text\n"+strings.Repeat("C-1,\xff\x80\x81\xfe\x20\xff\xff\x80\xff\n", 50))
		return err
	},
}

func makeFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 || makers[args[0]] == nil {
		ts.Fatalf("usage: make WHAT TO")
	}
	create(ts, args[1], makers[args[0]])
}

func create(ts *testscript.TestScript, name string, write func(io.Writer) error) {
	f, err := os.Create(ts.MkAbs(name))
	ts.Check(err)
	b := bufio.NewWriter(f)
	ts.Check(write(b))
	ts.Check(b.Flush())
	ts.Check(f.Close())
}

// raced reports whether the tests run under the race detector, which needs
// several times the memory.
func raced() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

func atMost(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: atmost FILE MB")
	}
	most, err := strconv.Atoi(args[1])
	ts.Check(err)
	if raced() {
		most *= 8
	}
	peak := ts.ReadFile(args[0])
	if peak == "" {
		ts.Logf("this system does not tell the peak of memory")
		return
	}
	got, err := strconv.Atoi(peak)
	ts.Check(err)
	ts.Logf("peak %d kB", got)
	if got > most*1024 {
		ts.Fatalf("held %d kB of memory, want at most %d MB", got, most)
	}
}

func member(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: member RESULT VAR")
	}
	var r bonafide.Result
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &r))
	if len(r.Rings) == 0 {
		ts.Fatalf("no ring in %s", args[0])
	}
	ts.Setenv(args[1], r.Rings[0].Members[0])
}

// private reads complaints (NDJSON) and looks for what identifies people in the
// output files. The ids of complaints may stand there: they are how a lender
// finds a complaint again. A name that stands in somebody else's letter cannot be
// told from other words, and made-up people share their names: negated, private
// leaves names out.
func private(ts *testscript.TestScript, neg bool, args []string) {
	cut := slices.Index(args, "--")
	if cut < 1 || cut == len(args)-1 {
		ts.Fatalf("usage: private FILE… -- OUT…")
	}
	values := map[string]string{}
	for _, name := range args[:cut] {
		for line := range strings.SplitSeq(strings.TrimSpace(ts.ReadFile(name)), "\n") {
			var c bonafide.Complaint
			ts.Check(json.Unmarshal([]byte(line), &c))
			for value, what := range personal(&c) {
				if neg && what == "name" {
					continue
				}
				values[value] = fmt.Sprintf("the %s of %s", what, c.ID)
			}
		}
	}
	if len(values) == 0 {
		ts.Fatalf("no personal value in %s", strings.Join(args[:cut], ", "))
	}
	for _, name := range args[cut+1:] {
		body := ts.ReadFile(name)
		for value, what := range values {
			if at := strings.Index(body, value); at >= 0 {
				ts.Fatalf("%s holds %s (%q): …%s…", name, what, value, body[max(0, at-60):min(len(body), at+len(value)+60)])
			}
		}
	}
}

// personal returns what identifies the people of c, by value. Short values are
// left out: they stand in any text.
func personal(c *bonafide.Complaint) map[string]string {
	out := map[string]string{}
	add := func(what, value string) {
		if value = strings.TrimSpace(value); len(value) >= 6 {
			out[value] = what
		}
	}
	u := c.Customer
	add("reference", u.Ref)
	add("name", u.Name)
	add("identity number", u.IDNumber)
	add("phone", u.Phone)
	add("email", u.Email)
	add("address", u.Address)
	add("loan", c.Account)
	add("outside reference", c.ExternalRef)
	if c.Representative != nil {
		add("representative", c.Representative.Name)
	}
	for _, id := range c.Contacts {
		add(string(id.Kind), id.Value)
	}
	for _, d := range c.Documents {
		add("document", d.SHA256)
	}
	return out
}
