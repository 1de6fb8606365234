// Command bonafide finds organised campaigns in a lender's complaints and
// leaves genuine complainants alone. Run it with --help.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"bonafide"

	"github.com/alecthomas/kong"
)

// version is set by the release build with -ldflags "-X main.version=…".
var version = "0.5.0-dev"

// Exit statuses. They are part of the interface: scripts read them.
const (
	exitOK         = 0
	exitFailed     = 1 // nothing usable came out
	exitUsage      = 2 // the command line is wrong
	exitQuarantine = 3 // done, but some rows were set aside
)

// commands is the command line.
type commands struct {
	Scan    scanCmd    `cmd:"" help:"Find the organised campaigns in files of complaints."`
	Demo    demoCmd    `cmd:"" help:"Serve a made-up lender with the console: start here."`
	Serve   serveCmd   `cmd:"" help:"Take complaints as they arrive, compare each with all before it, keep tags and rings current; the console for people."`
	Config  configCmd  `cmd:"" help:"Check the settings of serve."`
	Key     keyCmd     `cmd:"" help:"Make API keys."`
	Person  personCmd  `cmd:"" help:"Add people who sign in to the console, and say what they may do."`
	Log     logCmd     `cmd:"" help:"Verify the audit log."`
	Backup  backupCmd  `cmd:"" help:"Write a backup, while complaints go on arriving."`
	Restore restoreCmd `cmd:"" help:"Restore a backup into an empty database."`
	Migrate migrateCmd `cmd:"" help:"Bring the database to this program's schema; serve does so itself."`
	Doctor  doctorCmd  `cmd:"" help:"Look at settings, database, keys and jobs, and say what is wrong."`
	Explain explainCmd `cmd:"" help:"Tell one complaint's story from the result of a scan."`
	Mapping mappingCmd `cmd:"" help:"Print the guessed mapping of a file's columns, to edit and give to scan."`
	Merit   meritCmd   `cmd:"" help:"Look into the lender's own records for what it did wrong."`
	Policy  policyCmd  `cmd:"" help:"List, show and test the policy packs that grade."`
	Script  scriptCmd  `cmd:"" help:"List, show, check and play the scripts for calls about a complaint."`
	Learn   learnCmd   `cmd:"" help:"Weights learned of decisions, and what they promise."`
	Case    caseCmd    `cmd:"" help:"List and show cases for the police and the regulator."`
	Item    itemCmd    `cmd:"" help:"Take files into the custody of a case, and check those that are there."`
	Pack    packCmd    `cmd:"" help:"Seal a case and write it as one file that its reader can check."`
	Verify  verifyCmd  `cmd:"" help:"Check a pack: every file, the seal, the custody, the time-stamp."`
	Month   monthCmd   `cmd:"" help:"Write the monthly sheet of cases and complaints."`
	Eval    evalCmd    `cmd:"" help:"Measure the scan against known truth."`
	Synth   synthCmd   `cmd:"" help:"Write a made-up world of complaints with its truth."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
	terminal bool // err is a terminal somebody watches
	colour   bool // out is a terminal that shows colours
}

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

const about = `bonafide reads complaints and answers two separate questions: did the lender do
wrong (merit), and is an organised paid agent behind this (organisation)? A scan
answers the second only. It proposes; a person decides.

Start with:  bonafide scan examples/complaints.csv --report report.html`

// run runs one command line and returns its exit status.
func run(args []string, in io.Reader, out, errs *os.File) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := &streams{in: in, out: out, err: errs, terminal: isTerminal(errs), colour: isTerminal(out) && os.Getenv("NO_COLOR") == ""}
	var cmds commands
	exited := -1
	parser, err := kong.New(&cmds, kong.Name("bonafide"), kong.Description(about), kong.UsageOnError(),
		kong.Writers(out, errs), kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(s))
	if err != nil {
		fmt.Fprintln(errs, "bonafide:", err)
		return exitFailed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if exited >= 0 { // --help was asked for and printed
		return exited
	}
	if err != nil {
		fmt.Fprintf(errs, "bonafide: %v; try bonafide --help\n", err)
		return exitUsage
	}
	err = k.Run()
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errQuarantined):
		return exitQuarantine
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(errs, "bonafide: stopped")
		return exitFailed
	}
	fmt.Fprintln(errs, "bonafide:", userMessage(err))
	return exitFailed
}

// userMessage is what a person reads of err: the message made for them where
// there is one.
func userMessage(err error) string {
	if e, ok := errors.AsType[*bonafide.Error](err); ok {
		return e.Msg
	}
	return err.Error()
}

func isTerminal(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(s *streams) error {
	_, err := fmt.Fprintln(s.out, "bonafide", version)
	return err
}
