package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"bonafide"
	"bonafide/engine"
	"bonafide/evidence/pack"
	"bonafide/evidence/stamp"
)

type packCmd struct {
	acting
	Case      int      `arg:"" help:"Number of the case."`
	For       string   `help:"Who reads it: police, lawyer or regulator. The last two do not see who complained." default:"police" enum:"police,lawyer,regulator"`
	To        string   `help:"Folder to write it into." default:"." type:"existingdir"`
	Anew      bool     `help:"Seal what is known now, though the case itself did not change since its last seal." xor:"which"`
	Seal      int      `help:"Write this seal again, by its number, whatever the case says now." xor:"which"`
	Recipient []string `help:"Encrypt it to this key of age (age1…); several may be given."`
}

// Help says what a pack is.
func (packCmd) Help() string {
	return `A pack is a zip that holds everything about a case and can be checked without this program: open
VERIFY.html in it, or run bonafide verify. It is sealed in the log, signed, and stamped with the time
where tsa_url is set. While the case stays as it is, packing it again gives the same bytes: what was
sealed is kept, and written anew with --anew only, or once somebody wrote into the case. An earlier seal
is written again with --seal. A file that is there already is never written over.`
}

// Run writes a pack.
func (c *packCmd) Run(ctx context.Context, s *streams) (err error) {
	if c.Seal < 0 {
		return &bonafide.Error{Kind: bonafide.Invalid, Msg: "--seal: seals are numbered from 1"}
	}
	d, row, err := c.at(ctx, bonafide.ScopeCasesWrite, c.Case)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.db.Close()) }()
	if err := d.fill(ctx, s); err != nil {
		return err
	}
	var out *whole
	seal, err := d.engine.WritePack(ctx, d.tenant, d.by, row.ID, c.For, engine.PackOptions{Anew: c.Anew, Seal: c.Seal, Recipients: c.Recipient}, func(name string) (io.Writer, error) {
		var err error
		out, err = newWhole(filepath.Join(c.To, name))
		return out, err
	})
	if out != nil {
		err = out.end(err, true)
	}
	if err != nil {
		return err
	}
	stamped := "not stamped: no time-stamping authority is configured (tsa_url)"
	if len(seal.Token) > 0 {
		stamped = "stamped with the time"
	}
	had := ""
	if out.had {
		had = " was there already, with the same bytes: it is left as it is"
	}
	fmt.Fprintf(s.out, "%s%s\nseal %d of %s for the %s, entry %d of the log, %s\nkey %s\nTell the reader this fingerprint over another channel than the pack:\n%s\n",
		out.path, had, seal.Number, seal.At.Format(time.RFC3339), c.For, seal.Entry, stamped, d.engine.LogKey(), pack.Fingerprint([]byte(d.engine.LogKey())))
	return nil
}

// A whole is a file that appears under its name once it is complete. Until then it stands
// beside it under a name of its own; what a run that was killed left of it disturbs nobody.
// It writes over no file.
type whole struct {
	*os.File
	path string
	had  bool // the same file was there already
}

func newWhole(path string) (*whole, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "bonafide-*.part")
	if err != nil {
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("%s cannot be written: %v", path, errors.Unwrap(err))}
	}
	return &whole{File: f, path: path}, nil
}

// end gives the file its name, or removes it where something went wrong. Where a file of
// that name is there already it stays: that is an error, unless again allows it to have the
// same bytes.
func (w *whole) end(err error, again bool) error {
	if err == nil {
		err = w.Sync()
	}
	if err = errors.Join(err, w.Close()); err == nil {
		err = w.name(again)
	}
	if e := os.Remove(w.Name()); e != nil && !errors.Is(e, fs.ErrNotExist) {
		err = errors.Join(err, e)
	}
	if err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(w.path))
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(w.path), err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// name links the file to its name, which replaces nothing.
func (w *whole) name(again bool) error {
	err := os.Link(w.Name(), w.path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		// A file system without links, on a stick for one.
		if _, there := os.Lstat(w.path); errors.Is(there, fs.ErrNotExist) {
			return os.Rename(w.Name(), w.path)
		}
	}
	if err == nil {
		return nil
	}
	if !again {
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: w.path + " is there already: choose another name"}
	}
	same, err := sameFile(w.Name(), w.path)
	if err == nil && !same {
		err = &bonafide.Error{Kind: bonafide.Conflict, Msg: w.path + " is there already and is another file: choose another folder, or move it away"}
	}
	w.had = err == nil
	return err
}

// sameFile reports whether a file has the bytes of another. What is no file has not.
func sameFile(a, b string) (bool, error) {
	if st, err := os.Lstat(b); err != nil || !st.Mode().IsRegular() {
		return false, err
	}
	var sums [2][]byte
	for i, path := range []string{a, b} {
		f, err := os.Open(path)
		if err != nil {
			return false, err
		}
		h := sha256.New()
		_, err = io.Copy(h, f)
		if err = errors.Join(err, f.Close()); err != nil {
			return false, err
		}
		sums[i] = h.Sum(nil)
	}
	return bytes.Equal(sums[0], sums[1]), nil
}

// writeWhole writes a file that must not exist.
func writeWhole(path string, write func(io.Writer) error) error {
	if _, err := os.Lstat(path); err == nil {
		return &bonafide.Error{Kind: bonafide.Conflict, Msg: path + " is there already: choose another name"}
	}
	w, err := newWhole(path)
	if err != nil {
		return err
	}
	return w.end(write(w), false)
}

type verifyCmd struct {
	Pack     string `arg:"" help:"The pack: a zip, its unpacked folder, or a .age that is encrypted to you." type:"path"`
	Key      string `help:"Verifying key of the sender's log, as they told it over another channel."`
	TSARoots string `name:"tsa-roots" help:"File with the root certificates of the time-stamping authority (PEM)." type:"existingfile"`
	Identity string `help:"File with your secret key of age, for a .age." type:"existingfile"`
	JSON     bool   `help:"Print the report as JSON."`
}

// Help says what is checked.
func (verifyCmd) Help() string {
	return `Checks every file against the sealed manifest, the seal against the signed log, every entry of custody
against the seal, and the time-stamp. Without --key it takes the key in the pack: who made the whole pack
anew with a key of their own is then not found, so compare the fingerprint it prints. The exit status is 0
only where nothing is wrong.`
}

// Run verifies a pack.
func (c *verifyCmd) Run(ctx context.Context, s *streams) error {
	o := pack.Options{Key: strings.TrimSpace(c.Key)}
	if c.TSARoots != "" {
		b, err := os.ReadFile(c.TSARoots)
		if err != nil {
			return fmt.Errorf("read the root certificates: %w", err)
		}
		var roots []*x509.Certificate
		if roots, err = stamp.ParseRoots(b); err != nil {
			return err
		}
		o.Roots = roots
	}
	if s.terminal {
		said := int64(-1)
		o.Progress = func(done, total int64) {
			if pct := 100 * done / max(total, 1); pct != said {
				said = pct
				fmt.Fprintf(s.err, "\rchecking … %d %%", pct)
			}
		}
	}
	rep, err := c.verify(ctx, o)
	if s.terminal {
		fmt.Fprint(s.err, "\r                    \r")
	}
	if err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		err = e.Encode(rep)
	} else {
		err = tellReport(s.out, rep, c.Key == "")
	}
	if err == nil && len(rep.Problems) > 0 {
		err = &bonafide.Error{Kind: bonafide.Invalid, Msg: strconv.Itoa(len(rep.Problems)) + " things are wrong with the pack: do not rely on it"}
	}
	return err
}

func (c *verifyCmd) verify(ctx context.Context, o pack.Options) (pack.Report, error) {
	st, err := os.Stat(c.Pack)
	if err != nil {
		return pack.Report{}, &bonafide.Error{Kind: bonafide.Invalid, Msg: c.Pack + " cannot be read: " + errors.Unwrap(err).Error()}
	}
	if st.IsDir() {
		return pack.VerifyDir(ctx, os.DirFS(c.Pack), o)
	}
	f, err := os.Open(c.Pack)
	if err != nil {
		return pack.Report{}, &bonafide.Error{Kind: bonafide.Invalid, Msg: c.Pack + " cannot be read: " + errors.Unwrap(err).Error()}
	}
	defer f.Close()
	if c.Identity == "" {
		if strings.HasSuffix(c.Pack, ".age") {
			return pack.Report{}, &bonafide.Error{Kind: bonafide.Invalid, Msg: "the pack is encrypted: give --identity, the file with your secret key"}
		}
		return pack.Verify(ctx, f, st.Size(), o)
	}
	secret, err := os.ReadFile(c.Identity)
	if err != nil {
		return pack.Report{}, fmt.Errorf("read the identity: %w", err)
	}
	var ids []string
	for line := range strings.SplitSeq(string(secret), "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			ids = append(ids, line)
		}
	}
	plain, err := pack.Decrypt(f, ids)
	if err != nil {
		return pack.Report{}, err
	}
	// What was encrypted is clear only while it is checked, in a file that has no name.
	tmp, err := os.CreateTemp("", "bonafide-verify-")
	if err != nil {
		return pack.Report{}, fmt.Errorf("verify: %w", err)
	}
	defer tmp.Close()
	if err := os.Remove(tmp.Name()); err != nil {
		return pack.Report{}, fmt.Errorf("verify: %w", err)
	}
	n, err := io.Copy(tmp, plain)
	if err != nil {
		return pack.Report{}, &bonafide.Error{Kind: bonafide.Invalid, Msg: "the pack cannot be decrypted to its end: it is damaged", Err: err}
	}
	return pack.Verify(ctx, tmp, n, o)
}

// tellReport says what was found.
func tellReport(w io.Writer, r pack.Report, own bool) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n", r.Name)
	if !r.Sealed.IsZero() {
		fmt.Fprintf(&b, "sealed %s", r.Sealed.Format(time.RFC3339))
		if !r.Stamped.IsZero() {
			fmt.Fprintf(&b, ", stamped %s by %s", r.Stamped.Format(time.RFC3339), r.Authority)
		}
		fmt.Fprintf(&b, "; %d files, %d items, %d entries of custody\n", r.Files, r.Items, r.Custody)
	}
	b.WriteString("\n")
	for _, c := range r.Checks {
		fmt.Fprintf(&b, "%-7s %s\n", c.State, c.Text)
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "\nWRONG   %s: %s", p.File, p.What)
	}
	if len(r.Problems) > 0 {
		b.WriteString("\n")
	}
	if own && r.Key != "" {
		fmt.Fprintf(&b, "\nThe key is the pack's own. Compare its fingerprint with what the sender told you:\n%s\n", r.Key)
	}
	_, err := w.Write(b.Bytes())
	return err
}
