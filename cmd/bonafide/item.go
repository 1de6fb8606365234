package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"bonafide"
)

type itemCmd struct {
	Add   itemAddCmd   `cmd:"" help:"Take files into the custody of a case, as they are."`
	Check itemCheckCmd `cmd:"" help:"Read every original and name those that were changed or are missing. It removes nothing."`
}

type itemAddCmd struct {
	acting
	Case      int       `arg:"" help:"Number of the case."`
	Files     []string  `arg:"" help:"Files to take in." type:"existingfile"`
	Category  string    `help:"physical, documentary, testimony, victim-statement, expert-opinion, audio-visual or electronic." default:"electronic"`
	Complaint string    `help:"Complaint that the files are about: they can be erased with its customer."`
	Source    string    `help:"System or place that they come from." required:""`
	Extractor string    `help:"Who took them out." required:""`
	Second    string    `help:"Who was with them: somebody else." required:""`
	Tool      string    `help:"With which tool, and its version." required:""`
	Place     string    `help:"Where." required:""`
	At        time.Time `help:"When (RFC 3339). Default: now."`
	Glossary  string    `help:"Code words in them, explained."`
	Public    bool      `help:"They hold no personal data: they stand in redacted packs too."`
}

// Run takes files in.
func (c *itemAddCmd) Run(ctx context.Context, s *streams) (err error) {
	d, row, err := c.at(ctx, bonafide.ScopeCasesWrite, c.Case)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.db.Close()) }()
	for _, path := range c.Files {
		i, err := c.add(ctx, s, d, row.ID, path)
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		fmt.Fprintf(s.out, "item %d  %s  %s  %d bytes\n  sha256 %s\n  sm3    %s\n", i.Number, i.Name, i.Format, i.Size, i.SHA256, i.SM3)
		for _, n := range i.Notes {
			fmt.Fprintf(s.out, "  note   %s %s\n", n.Code, n.Value)
		}
	}
	return nil
}

func (c *itemAddCmd) add(ctx context.Context, s *streams, d *desk, caseID, path string) (bonafide.Item, error) {
	f, err := os.Open(path)
	if err != nil {
		return bonafide.Item{}, &bonafide.Error{Kind: bonafide.Invalid, Msg: "cannot be read: " + errors.Unwrap(err).Error()}
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		return bonafide.Item{}, &bonafide.Error{Kind: bonafide.Invalid, Msg: "not a file"}
	}
	var r io.Reader = f
	if s.terminal && st.Size() > 100<<20 {
		r = &taking{r: f, size: st.Size(), w: s.err}
	}
	return d.engine.TakeIn(ctx, d.tenant, d.by, bonafide.Item{
		Case: caseID, Name: filepath.Base(path), Category: c.Category, Complaint: c.Complaint, Source: c.Source, Extractor: c.Extractor, Second: c.Second,
		Tool: c.Tool, Place: c.Place, At: c.At.UTC(), Glossary: c.Glossary, Personal: !c.Public,
	}, r)
}

// taking says how much of a large file was read.
type taking struct {
	r          io.Reader
	w          io.Writer
	size, done int64
	said       int64
}

// Read reads on.
func (p *taking) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.done += int64(n)
	if pct := 100 * p.done / max(p.size, 1); pct != p.said {
		p.said = pct
		fmt.Fprintf(p.w, "\rtaking in … %d %%", pct)
	}
	if err != nil {
		fmt.Fprint(p.w, "\r                   \r")
	}
	return n, err
}

type itemCheckCmd struct {
	acting
}

// Run checks every original.
func (c *itemCheckCmd) Run(ctx context.Context, s *streams) (err error) {
	d, err := c.sit(ctx, bonafide.ScopeCasesRead)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.db.Close()) }()
	n, bad, err := d.engine.CheckEvidence(ctx)
	if err != nil {
		return err
	}
	for _, line := range bad {
		fmt.Fprintln(s.out, line)
	}
	fmt.Fprintf(s.out, "%d originals read, %d are not what they were\n", n, len(bad))
	if len(bad) > 0 {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "originals were changed or are missing: put them back from a backup"}
	}
	return nil
}
