package evidence

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A Checkpoint says how large a log was at a time, and the hash of its tree.
// Whoever keeps one can tell later whether the log still begins with that tree.
type Checkpoint struct {
	tlog.Tree
	Origin string    // which log: a name without spaces
	Time   time.Time // UTC
}

// NewSigner makes a key pair for checkpoints: skey is secret, vkey is for everyone.
// The name says whose key it is; it has no spaces and no plus sign.
func NewSigner(rand io.Reader, name string) (skey, vkey string, err error) {
	skey, vkey, err = note.GenerateKey(rand, name)
	if err != nil {
		return "", "", fmt.Errorf("make a signing key: %w", err)
	}
	if _, err := note.NewVerifier(vkey); err != nil {
		return "", "", fmt.Errorf("make a signing key named %q: %w", name, err)
	}
	return skey, vkey, nil
}

// SignCheckpoint returns a signed note that says that the log origin was tree at
// a time. Its text is that of [tlog.FormatTree] and two lines more: the origin and
// the time.
func SignCheckpoint(s note.Signer, origin string, tree tlog.Tree, at time.Time) ([]byte, error) {
	if !validOrigin(origin) {
		return nil, fmt.Errorf("sign checkpoint: %q does not name a log: it must not be empty nor have spaces", origin)
	}
	text := fmt.Sprintf("%sorigin %s\ntime %s\n", tlog.FormatTree(tree), origin, at.UTC().Format(time.RFC3339Nano))
	b, err := note.Sign(&note.Note{Text: text}, s)
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint: %w", err)
	}
	return b, nil
}

// OpenCheckpoint checks the signature of a checkpoint and reads it.
func OpenCheckpoint(text []byte, v note.Verifier) (Checkpoint, error) {
	n, err := note.Open(text, note.VerifierList(v))
	switch {
	case err != nil && errors.As(err, new(*note.InvalidSignatureError)):
		return Checkpoint{}, fmt.Errorf("its signature by %s does not fit its text", v.Name())
	case err != nil && errors.As(err, new(*note.UnverifiedNoteError)):
		return Checkpoint{}, fmt.Errorf("its signature is not by %s", v.Name())
	case err != nil:
		return Checkpoint{}, errors.New("it is not a signed note")
	}
	tree, err := tlog.ParseTree([]byte(n.Text))
	if err != nil {
		return Checkpoint{}, errors.New("it is signed but describes no tree")
	}
	lines := strings.SplitAfterN(n.Text, "\n", 4)
	c := Checkpoint{Tree: tree}
	origin, when, _ := strings.Cut(lines[3], "\n")
	c.Origin, _ = strings.CutPrefix(origin, "origin ")
	at, ok := strings.CutPrefix(when, "time ")
	if c.Time, err = time.Parse(time.RFC3339Nano+"\n", at); err != nil || !ok || !validOrigin(c.Origin) || !strings.HasPrefix(origin, "origin ") {
		return Checkpoint{}, errors.New("it is signed but does not say of which log and when")
	}
	c.Time = c.Time.UTC()
	return c, nil
}

func validOrigin(s string) bool {
	return s != "" && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}
