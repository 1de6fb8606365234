package pack

import (
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"bonafide"
)

// Encrypt encrypts what is written to it to recipients, "age1…"; Close MUST be called,
// it does not close w. Name the file as the pack with ".age" at the end. The library
// draws a key of its own: an encrypted pack is not the same bytes twice.
func Encrypt(w io.Writer, recipients []string) (io.WriteCloser, error) {
	to := make([]age.Recipient, 0, len(recipients))
	for i, r := range recipients {
		a, err := age.ParseX25519Recipient(r)
		if err != nil {
			return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: fmt.Sprintf("recipient %d is not a key of age: it has to begin with age1", i+1), Err: err}
		}
		to = append(to, a)
	}
	if len(to) == 0 {
		return nil, invalid("nobody to encrypt the pack to: name a recipient")
	}
	e, err := age.Encrypt(w, to...)
	if err != nil {
		return nil, fmt.Errorf("encrypt the pack: %w", err)
	}
	return e, nil
}

// Decrypt returns what [Encrypt] encrypted. The identities are "AGE-SECRET-KEY-1…". What
// is read is whole only where the reader ends with io.EOF.
func Decrypt(r io.Reader, identities []string) (io.Reader, error) {
	by := make([]age.Identity, 0, len(identities))
	for i, s := range identities {
		a, err := age.ParseX25519Identity(s)
		if err != nil { // its text may repeat the secret
			return nil, invalid("identity %d is not a secret key of age: it has to begin with AGE-SECRET-KEY-1", i+1)
		}
		by = append(by, a)
	}
	d, err := age.Decrypt(r, by...)
	switch {
	case errors.As(err, new(*age.NoIdentityMatchError)):
		return nil, &bonafide.Error{Kind: bonafide.Denied, Msg: "the pack is not encrypted to you: none of your keys opens it", Err: err}
	case err != nil:
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: "the pack cannot be decrypted: it is damaged or no file of age", Err: err}
	}
	return d, nil
}
