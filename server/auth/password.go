package auth

import (
	"context"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"bonafide"
	"bonafide/server"
)

// A cost is what a guess costs. The numbers are OWASP's for argon2id (Password
// Storage Cheat Sheet): 19 MiB, two passes, one lane; about 25 ms here.
type cost struct {
	memory uint32 // KiB
	passes uint32
	lanes  uint8
}

var usual = cost{memory: 19 << 10, passes: 2, lanes: 1}

// No stored hash may cost more than this.
const (
	mostMemory = 256 << 10
	mostPasses = 16
	mostLanes  = 8
)

const saltSize, sumSize = 16, 32

// A hasher hashes passwords, few at a time, so that a flood of sign-ins cannot eat
// the memory.
type hasher struct {
	cost   cost
	slots  chan struct{}
	queued atomic.Int64
	wait   time.Duration
	dummy  string       // a hash of nothing that anybody knows
	checks atomic.Int64 // for tests: hashes computed to check a password
}

// How many hashes at once, how many wait for a turn, and how long.
const (
	hashesAtOnce = 2
	mostQueued   = 64
	longestWait  = 5 * time.Second
)

func newHasher(random io.Reader) (*hasher, error) {
	h := &hasher{cost: usual, slots: make(chan struct{}, hashesAtOnce), wait: longestWait}
	secret := make([]byte, sumSize)
	if _, err := io.ReadFull(random, secret); err != nil {
		return nil, fmt.Errorf("draw a secret: %w", err)
	}
	var err error
	h.dummy, err = h.hash(random, base64.RawStdEncoding.EncodeToString(secret))
	return h, err
}

// enter waits for a turn to hash; Busy if too many do.
func (h *hasher) enter(ctx context.Context) (leave func(), err error) {
	busy := &bonafide.Error{Kind: bonafide.Busy, Msg: "too many people sign in at once: try again in a moment"}
	if h.queued.Add(1) > mostQueued+hashesAtOnce {
		h.queued.Add(-1)
		return nil, busy
	}
	t := time.NewTimer(h.wait)
	defer t.Stop()
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots; h.queued.Add(-1) }, nil
	case <-t.C:
		h.queued.Add(-1)
		return nil, busy
	case <-ctx.Done():
		h.queued.Add(-1)
		return nil, ctx.Err()
	}
}

// fold makes one spelling of a password: NFKC, as NIST SP 800-63B asks.
func fold(password string) []byte { return []byte(norm.NFKC.String(password)) }

// hash returns the PHC string of a password. The caller holds a turn.
func (h *hasher) hash(random io.Reader, password string) (string, error) {
	salt := make([]byte, saltSize)
	if _, err := io.ReadFull(random, salt); err != nil {
		return "", fmt.Errorf("draw a salt: %w", err)
	}
	c := h.cost
	sum := argon2.IDKey(fold(password), salt, c.passes, c.memory, c.lanes, sumSize)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.passes, c.lanes, b64(salt), b64(sum)), nil
}

// check reports whether phc is of password, and whether it was made at another cost
// than today's. An empty phc takes as long and is of none. The caller holds a turn.
func (h *hasher) check(phc, password string) (ok, stale bool) {
	given := phc
	if phc == "" {
		phc = h.dummy
	}
	c, salt, sum, err := parsePHC(phc)
	if err != nil {
		given = ""
		if c, salt, sum, err = parsePHC(h.dummy); err != nil {
			return false, false
		}
	}
	h.checks.Add(1)
	got := argon2.IDKey(fold(password), salt, c.passes, c.memory, c.lanes, uint32(len(sum)))
	same := subtle.ConstantTimeCompare(got, sum) == 1
	return same && given != "", c != h.cost
}

var errPHC = errors.New("not an argon2id hash")

func parsePHC(s string) (c cost, salt, sum []byte, err error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, errPHC
	}
	var rest string
	if n, _ := fmt.Sscanf(parts[3]+" .", "m=%d,t=%d,p=%d %s", &c.memory, &c.passes, &c.lanes, &rest); n != 4 || rest != "." {
		return c, nil, nil, errPHC
	}
	if c.memory < 8*uint32(c.lanes) || c.memory > mostMemory || c.passes < 1 || c.passes > mostPasses || c.lanes < 1 || c.lanes > mostLanes {
		return c, nil, nil, errPHC
	}
	if salt, err = base64.RawStdEncoding.Strict().DecodeString(parts[4]); err != nil || len(salt) < 8 || len(salt) > 64 {
		return c, nil, nil, errPHC
	}
	if sum, err = base64.RawStdEncoding.Strict().DecodeString(parts[5]); err != nil || len(sum) < 16 || len(sum) > 64 {
		return c, nil, nil, errPHC
	}
	return c, salt, sum, nil
}

// The bounds of a password, in characters, after NIST SP 800-63B.
const (
	shortest = 12
	longest  = 256
)

//go:embed common.txt
var commonText string

var common = func() map[string]bool {
	m := map[string]bool{}
	for line := range strings.Lines(commonText) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			m[line] = true
		}
	}
	return m
}()

// CheckPassword says what is wrong with a new password of p. Neither digits nor signs
// are asked for: length and not being guessed first are what helps.
func CheckPassword(p bonafide.Person, password string) error {
	invalid := func(msg string) error { return &bonafide.Error{Kind: bonafide.Invalid, Msg: "password: " + msg} }
	if !utf8.ValidString(password) || len(password) > 4*longest {
		return invalid("more than 256 characters: choose a shorter one")
	}
	folded := strings.ToLower(string(fold(password)))
	n := utf8.RuneCountInString(folded)
	switch {
	case n < shortest:
		return invalid("fewer than 12 characters: choose a longer one, such as four words")
	case n > longest:
		return invalid("more than 256 characters: choose a shorter one")
	}
	plain := squeeze(folded)
	if common[folded] || common[plain] || simple(plain) {
		return invalid("one of the first that others would guess: choose another")
	}
	mailbox, _, _ := strings.Cut(p.Login, "@")
	for _, own := range []string{p.Login, mailbox, p.Name} {
		own = squeeze(strings.ToLower(string(fold(own))))
		// What is left beside the own name has to be a password's length by itself.
		if utf8.RuneCountInString(own) >= 4 && strings.Contains(plain, own) && utf8.RuneCountInString(strings.ReplaceAll(plain, own, "")) < shortest-4 {
			return invalid("it is little more than the name or the login: choose another")
		}
	}
	return nil
}

// squeeze leaves out blanks and what people put between words.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\u00a0-_.,", r) {
			return -1
		}
		return r
	}, s)
}

// simple reports whether s is few characters over and over, or one run of the keyboard
// or the alphabet.
func simple(s string) bool {
	runes := []rune(s)
	for period := 1; period <= 4 && period < len(runes); period++ {
		again := true
		for i := period; i < len(runes) && again; i++ {
			again = runes[i] == runes[i-period]
		}
		if again {
			return true
		}
	}
	steps := 0
	for i := 1; i < len(runes); i++ {
		d := runes[i] - runes[i-1]
		if d >= -1 && d <= 1 || runes[i-1] == '9' && runes[i] == '0' {
			steps++
		}
	}
	return steps >= len(runes)-2
}

// letters of a one-time password: none looks like another.
const letters = "abcdefghjkmnpqrstuvwxyz23456789"

// NewPassword draws a password to be used once: five groups of four letters and
// digits, 99 bits.
func NewPassword(random io.Reader) (string, error) {
	var out strings.Builder
	var b [1]byte
	for n := 0; n < 20; {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return "", fmt.Errorf("draw a password: %w", err)
		}
		if int(b[0]) >= 256/len(letters)*len(letters) {
			continue // so that every letter is as likely
		}
		if n > 0 && n%4 == 0 {
			out.WriteByte('-')
		}
		out.WriteByte(letters[int(b[0])%len(letters)])
		n++
	}
	return out.String(), nil
}

// wrongSignIn is the one answer to whoever does not get in. After says when a further
// try has a chance.
func wrongSignIn(after time.Duration) error {
	return &server.Refusal{Status: http.StatusUnauthorized, Detail: "the login or the password is wrong", After: after, Err: bonafide.Denied}
}
