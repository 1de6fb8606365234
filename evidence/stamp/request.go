// Package stamp asks for time-stamps (RFC 3161) and checks them. A time-stamp is
// an authority's signed word that some bytes existed at a time; whoever holds the
// bytes, the token and the authority's root certificate can check it, offline and
// without us. The package speaks to nobody: sending the request is the caller's.
//
// Only DER is read, only SHA-256 imprints count, and the token has to name exactly
// one signer. Revocation is not looked up.
package stamp

import (
	"crypto"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"
	"strings"

	"github.com/digitorus/timestamp"

	"bonafide"
)

// MaxToken is the size in bytes beyond which a token or a response is not read.
const MaxToken = 1 << 20

// Request returns a time-stamp request, in DER, over the SHA-256 of data. It asks
// for the certificates too. The answer has to repeat the nonce, 64 bits of random.
func Request(random io.Reader, data []byte) (der []byte, nonce *big.Int, err error) {
	var b [8]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return nil, nil, fmt.Errorf("draw a nonce: %w", err)
	}
	nonce = new(big.Int).SetBytes(b[:])
	sum := sha256.Sum256(data)
	r := timestamp.Request{HashAlgorithm: crypto.SHA256, HashedMessage: sum[:], Certificates: true, Nonce: nonce}
	if der, err = r.Marshal(); err != nil {
		return nil, nil, fmt.Errorf("write a time-stamp request: %w", err)
	}
	return der, nonce, nil
}

// A response is a TimeStampResp, RFC 3161, section 2.4.2.
type response struct {
	Status status
	Token  asn1.RawValue `asn1:"optional"`
}

type status struct {
	Status int
	Text   []asn1.RawValue `asn1:"optional"`
	Fail   asn1.BitString  `asn1:"optional"`
}

// failures are the bits of PKIFailureInfo that RFC 3161 knows.
var failures = map[int]string{
	0:  "it does not know the algorithm",
	2:  "it does not allow such requests",
	5:  "it cannot read the request",
	14: "its clock is not available",
	15: "it does not stamp under that policy",
	16: "it does not know an extension",
	17: "it does not have what was asked for",
	25: "its system failed",
}

// Token reads the response to a request with that nonce and returns the token in
// it, a CMS ContentInfo in DER. It looks at the status and the nonce alone:
// [Verify] tells whether the token is good. A nil nonce is not compared.
func Token(response []byte, nonce *big.Int) (token []byte, err error) {
	defer rescue(&err)
	r, err := readResponse(response)
	if err != nil {
		return nil, err
	}
	if r.Status.Status != 0 && r.Status.Status != 1 { // granted, granted with changes
		return nil, refused(r.Status)
	}
	if len(r.Token.FullBytes) == 0 {
		return nil, wrong("the answer of the time-stamp authority holds no time-stamp")
	}
	m, err := parse(r.Token.FullBytes)
	if err != nil {
		return nil, err
	}
	if nonce != nil && (m.info.Nonce == nil || m.info.Nonce.Cmp(nonce) != 0) {
		return nil, wrong("the time-stamp answers another request: its nonce is not the one we sent")
	}
	return r.Token.FullBytes, nil
}

func readResponse(b []byte) (response, error) {
	var r response
	if len(b) > MaxToken {
		return r, wrong(fmt.Sprintf("the answer of the time-stamp authority is larger than %d bytes", MaxToken))
	}
	if rest, err := asn1.Unmarshal(b, &r); err != nil || len(rest) > 0 {
		return r, &bonafide.Error{Kind: bonafide.Invalid, Msg: "the answer of the time-stamp authority is not a time-stamp response in DER", Err: err}
	}
	return r, nil
}

func refused(s status) error {
	why := []string{fmt.Sprintf("the time-stamp authority refused, with status %d", s.Status)}
	for bit, text := range failures {
		if s.Fail.At(bit) == 1 {
			why = append(why, text)
		}
	}
	for i, t := range s.Text {
		if i == 3 {
			break
		}
		why = append(why, fmt.Sprintf("%.200q", t.Bytes))
	}
	kind := bonafide.Invalid
	if s.Status == 3 || s.Fail.At(14) == 1 || s.Fail.At(25) == 1 { // waiting, no clock, system failure
		kind = bonafide.Busy
	}
	return &bonafide.Error{Kind: kind, Msg: strings.Join(why, ": ")}
}

// Response wraps a token in a response with the status "granted", which is the file
// that "openssl ts -verify -in" reads.
func Response(token []byte) ([]byte, error) {
	var v asn1.RawValue
	if rest, err := asn1.Unmarshal(token, &v); err != nil || len(rest) > 0 {
		return nil, &bonafide.Error{Kind: bonafide.Invalid, Msg: notDER, Err: err}
	}
	b, err := asn1.Marshal(struct {
		Status struct{ Status int }
		Token  asn1.RawValue
	}{Token: v})
	if err != nil {
		return nil, fmt.Errorf("write a time-stamp response: %w", err)
	}
	return b, nil
}

const notDER = "the time-stamp is not a time-stamp token in DER"

func wrong(msg string) error { return &bonafide.Error{Kind: bonafide.Invalid, Msg: msg} }

// rescue turns a panic over hostile bytes into an error.
func rescue(err *error) {
	if r := recover(); r != nil {
		*err = &bonafide.Error{Kind: bonafide.Invalid, Msg: "the time-stamp cannot be read", Err: fmt.Errorf("read a time-stamp: %v", r)}
	}
}
