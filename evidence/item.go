package evidence

import (
	"encoding/hex"
	"errors"
)

// A Digest is the SHA-256 or the SM3 of something: 32 bytes, written in hexadecimal.
type Digest [32]byte

// String returns the digest in lower-case hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText writes the digest in hexadecimal.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (d *Digest) UnmarshalText(b []byte) error {
	var got Digest
	if len(b) != 2*len(got) {
		return errDigest
	}
	if _, err := hex.Decode(got[:], b); err != nil {
		return errDigest
	}
	*d = got
	return nil
}

var errDigest = errors.New("not a digest: 64 hexadecimal digits")
