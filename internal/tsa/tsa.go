// Package tsa is a time-stamp authority (RFC 3161) for tests and demonstrations.
//
// It is NEVER for real use: its keys live in memory, its root is made up on the
// spot, its serial numbers begin anew each time and nobody audits its clock. A
// time-stamp of it proves nothing.
package tsa

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"sync"
	"time"

	"github.com/digitorus/timestamp"
)

// Policy is the object identifier under which the authority stamps, out of the arc
// for examples.
var Policy = asn1.ObjectIdentifier{2, 999, 3161, 1}

// The types of content of HTTP, RFC 3161, section 3.4.
const (
	QueryType = "application/timestamp-query"
	ReplyType = "application/timestamp-reply"
)

// maxQuery is how much of a query is read, in bytes.
const maxQuery = 64 << 10

// An Authority stamps times. It may be used by several goroutines at once.
type Authority struct {
	Roots []byte // PEM: who trusts it trusts the authority
	// Certificate is that of the signing key.
	Certificate *x509.Certificate

	random io.Reader
	now    func() time.Time
	key    crypto.Signer
	faults faults

	mu     sync.Mutex
	serial int64
}

type faults struct{ usage, mild, broad, expired, otherRoot, sha1, rsa, noESS, wrongESS bool }

// An Option makes an authority different, mostly bad.
type Option func(*faults)

// WithWrongUsage gives it a certificate that is for servers.
func WithWrongUsage() Option { return func(f *faults) { f.usage = true } }

// WithMildUsage gives it a certificate that does not say critically that it is for
// time-stamping.
func WithMildUsage() Option { return func(f *faults) { f.mild = true } }

// WithBroadUsage gives it a certificate that is for servers as well.
func WithBroadUsage() Option { return func(f *faults) { f.broad = true } }

// WithExpired gives it a certificate that was over an hour ago.
func WithExpired() Option { return func(f *faults) { f.expired = true } }

// WithOtherRoot names a root of the same name that did not sign its certificate.
func WithOtherRoot() Option { return func(f *faults) { f.otherRoot = true } }

// WithSHA1 makes it stamp the SHA-1 of data, whatever is asked.
func WithSHA1() Option { return func(f *faults) { f.sha1 = true } }

// WithRSA gives it a key of RSA, 2048 bits, instead of P-256; that is not bad.
func WithRSA() Option { return func(f *faults) { f.rsa = true } }

// WithoutSigningCertificate leaves out the attribute that names the certificate.
func WithoutSigningCertificate() Option { return func(f *faults) { f.noESS = true } }

// WithOtherSigningCertificate names another certificate in that attribute.
func WithOtherSigningCertificate() Option { return func(f *faults) { f.wrongESS = true } }

// New makes an authority with a root of its own. Its certificates hold from an hour
// before now for ten years. The random source has to be safe for use by several
// goroutines.
func New(random io.Reader, now func() time.Time, options ...Option) (*Authority, error) {
	a := &Authority{random: random, now: now}
	for _, o := range options {
		o(&a.faults)
	}
	from := now().Add(-time.Hour).UTC()
	root := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "Root for demonstrations, trust it not", Organization: []string{"Example"}},
		NotBefore:             from,
		NotAfter:              from.AddDate(10, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return nil, fmt.Errorf("make the root's key: %w", err)
	}
	shown := rootKey
	if a.faults.otherRoot {
		if shown, err = ecdsa.GenerateKey(elliptic.P256(), random); err != nil {
			return nil, fmt.Errorf("make the other root's key: %w", err)
		}
	}
	der, err := x509.CreateCertificate(random, root, root, shown.Public(), shown)
	if err != nil {
		return nil, fmt.Errorf("make the root: %w", err)
	}
	a.Roots = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if root, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("read the root: %w", err)
	}
	return a, a.makeLeaf(root, rootKey, from)
}

func (a *Authority) makeLeaf(root *x509.Certificate, rootKey crypto.Signer, from time.Time) error {
	var err error
	if a.faults.rsa {
		a.key, err = rsa.GenerateKey(a.random, 2048)
	} else {
		a.key, err = ecdsa.GenerateKey(elliptic.P256(), a.random)
	}
	if err != nil {
		return fmt.Errorf("make the authority's key: %w", err)
	}
	usage := []asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}} // id-kp-timeStamping
	server := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 1}    // id-kp-serverAuth
	switch {
	case a.faults.usage:
		usage[0] = server
	case a.faults.broad:
		usage = append(usage, server)
	}
	eku, err := asn1.Marshal(usage)
	if err != nil {
		return fmt.Errorf("write the key usage: %w", err)
	}
	leaf := &x509.Certificate{
		SerialNumber:          big.NewInt(2),
		Subject:               pkix.Name{CommonName: "Time-stamps for demonstrations, trust them not", Organization: []string{"Example"}},
		NotBefore:             from,
		NotAfter:              from.AddDate(10, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		// Go would write the usage as not critical.
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: !a.faults.mild, Value: eku}},
	}
	if a.faults.expired {
		leaf.NotBefore, leaf.NotAfter = from.Add(-time.Hour), from
	}
	// The name of the root is the same where another one is shown.
	signed := *root
	signed.PublicKey, signed.SubjectKeyId = rootKey.Public(), nil
	der, err := x509.CreateCertificate(a.random, leaf, &signed, a.key.Public(), rootKey)
	if err != nil {
		return fmt.Errorf("make the authority's certificate: %w", err)
	}
	if a.Certificate, err = x509.ParseCertificate(der); err != nil {
		return fmt.Errorf("read the authority's certificate: %w", err)
	}
	return nil
}

// Stamp returns a token over data.
func (a *Authority) Stamp(data []byte) ([]byte, error) {
	sum := sha256.Sum256(data)
	i := imprint{Algorithm: sha256Algorithm, Hash: sum[:]}
	if a.faults.sha1 {
		old := sha1.Sum(data)
		i = imprint{Algorithm: algorithm(oidSHA1), Hash: old[:]}
	}
	return a.token(i, nil)
}

// Reply answers a query in DER with a response in DER; a bad query is answered with
// a rejection.
func (a *Authority) Reply(query []byte) ([]byte, error) {
	q, err := timestamp.ParseRequest(query)
	switch {
	case err != nil:
		return reject(5) // badDataFormat
	case q.HashAlgorithm != crypto.SHA256 || len(q.HashedMessage) != sha256.Size:
		return reject(0) // badAlg
	case len(q.TSAPolicyOID) > 0 && !q.TSAPolicyOID.Equal(Policy):
		return reject(15) // unacceptedPolicy
	}
	i := imprint{Algorithm: sha256Algorithm, Hash: q.HashedMessage}
	if a.faults.sha1 {
		i = imprint{Algorithm: algorithm(oidSHA1), Hash: q.HashedMessage[:sha1.Size]}
	}
	token, err := a.token(i, q.Nonce)
	if err != nil {
		return nil, err
	}
	b, err := asn1.Marshal(reply{Token: asn1.RawValue{FullBytes: token}})
	if err != nil {
		return nil, fmt.Errorf("write the reply: %w", err)
	}
	return b, nil
}

// RoundTrip answers an HTTP request as the authority's server would, without a
// network: an http.Client with the authority as its Transport reaches it at any
// address.
func (a *Authority) RoundTrip(r *http.Request) (*http.Response, error) {
	var query []byte
	if r.Body != nil {
		defer r.Body.Close()
		var err error
		if query, err = io.ReadAll(io.LimitReader(r.Body, maxQuery)); err != nil {
			return nil, fmt.Errorf("read the query: %w", err)
		}
	}
	answer := func(status int, kind string, body []byte) *http.Response {
		return &http.Response{
			StatusCode: status, Status: fmt.Sprintf("%d %s", status, http.StatusText(status)),
			Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
			Header: http.Header{"Content-Type": {kind}}, ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
		}
	}
	switch {
	case r.Method != http.MethodPost:
		return answer(http.StatusMethodNotAllowed, "text/plain", []byte("post a time-stamp query\n")), nil
	case r.Header.Get("Content-Type") != QueryType:
		return answer(http.StatusUnsupportedMediaType, "text/plain", []byte("the content has to be "+QueryType+"\n")), nil
	}
	body, err := a.Reply(query)
	if err != nil {
		return nil, err
	}
	return answer(http.StatusOK, ReplyType, body), nil
}

var (
	oidSHA1          = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA256        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidRSA           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidECDSA         = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2} // with SHA-256
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidTSTInfo       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningCertV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}

	sha256Algorithm = algorithm(oidSHA256)
)

func algorithm(id asn1.ObjectIdentifier) pkix.AlgorithmIdentifier {
	return pkix.AlgorithmIdentifier{Algorithm: id, Parameters: asn1.NullRawValue}
}

type reply struct {
	Status replyStatus
	Token  asn1.RawValue `asn1:"optional"`
}

type replyStatus struct {
	Status int
	Fail   asn1.BitString `asn1:"optional"`
}

// reject says no, for the reason with that bit of PKIFailureInfo.
func reject(bit int) ([]byte, error) {
	fail := asn1.BitString{Bytes: make([]byte, bit/8+1), BitLength: bit + 1}
	fail.Bytes[bit/8] = 0x80 >> (bit % 8)
	b, err := asn1.Marshal(struct{ Status replyStatus }{replyStatus{Status: 2, Fail: fail}})
	if err != nil {
		return nil, fmt.Errorf("write a rejection: %w", err)
	}
	return b, nil
}

type imprint struct {
	Algorithm pkix.AlgorithmIdentifier
	Hash      []byte
}

type tstInfo struct {
	Version  int
	Policy   asn1.ObjectIdentifier
	Imprint  imprint
	Serial   *big.Int
	Time     time.Time `asn1:"generalized"`
	Accuracy struct{ Seconds int }
	Nonce    *big.Int `asn1:"optional"`
}

type attribute struct {
	Type   asn1.ObjectIdentifier
	Values []asn1.RawValue `asn1:"set"`
}

type signerInfo struct {
	Version int
	ID      struct {
		Issuer asn1.RawValue
		Serial *big.Int
	}
	Digest    pkix.AlgorithmIdentifier
	Signed    asn1.RawValue
	Algorithm pkix.AlgorithmIdentifier
	Signature []byte
}

type signedData struct {
	Version int
	Digests []pkix.AlgorithmIdentifier `asn1:"set"`
	Content struct {
		Type    asn1.ObjectIdentifier
		Content []byte `asn1:"explicit,tag:0"`
	}
	Certificates asn1.RawValue
	Signers      []signerInfo `asn1:"set"`
}

// token signs a time-stamp of now over i.
func (a *Authority) token(i imprint, nonce *big.Int) ([]byte, error) {
	a.mu.Lock()
	a.serial++
	info := tstInfo{Version: 1, Policy: Policy, Imprint: i, Serial: big.NewInt(a.serial), Time: a.now().UTC().Truncate(time.Second), Nonce: nonce}
	a.mu.Unlock()
	info.Accuracy.Seconds = 1
	content, err := asn1.Marshal(info)
	if err != nil {
		return nil, fmt.Errorf("write the time-stamp: %w", err)
	}
	set, err := a.attributes(content)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(set)
	s := signerInfo{Version: 1, Digest: sha256Algorithm, Algorithm: pkix.AlgorithmIdentifier{Algorithm: oidECDSA}}
	if a.faults.rsa {
		s.Algorithm = algorithm(oidRSA)
	}
	s.ID.Issuer.FullBytes, s.ID.Serial = a.Certificate.RawIssuer, a.Certificate.SerialNumber
	if s.Signature, err = a.key.Sign(a.random, digest[:], crypto.SHA256); err != nil {
		return nil, fmt.Errorf("sign the time-stamp: %w", err)
	}
	s.Signed.FullBytes = append([]byte{0xa0}, set[1:]...) // [0] IMPLICIT in place of SET
	sd := signedData{Version: 3, Digests: []pkix.AlgorithmIdentifier{sha256Algorithm}, Signers: []signerInfo{s}}
	sd.Content.Type, sd.Content.Content = oidTSTInfo, content
	sd.Certificates = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: a.Certificate.Raw}
	b, err := asn1.Marshal(struct {
		Type    asn1.ObjectIdentifier
		Content signedData `asn1:"explicit,tag:0"`
	}{oidSignedData, sd})
	if err != nil {
		return nil, fmt.Errorf("write the token: %w", err)
	}
	return b, nil
}

// attributes returns the DER of the SET of signed attributes.
func (a *Authority) attributes(content []byte) ([]byte, error) {
	digest := sha256.Sum256(content)
	named := sha256.Sum256(a.Certificate.Raw)
	if a.faults.wrongESS {
		named[0]++
	}
	type certID struct{ Hash []byte }
	var all []attribute
	var errs []error
	add := func(id asn1.ObjectIdentifier, v any) {
		b, err := asn1.Marshal(v)
		errs = append(errs, err)
		all = append(all, attribute{Type: id, Values: []asn1.RawValue{{FullBytes: b}}})
	}
	add(oidContentType, oidTSTInfo)
	add(oidMessageDigest, digest[:])
	if !a.faults.noESS {
		add(oidSigningCertV2, struct{ Certs []certID }{[]certID{{named[:]}}})
	}
	set, err := asn1.MarshalWithParams(all, "set")
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, fmt.Errorf("write the signed attributes: %w", err)
	}
	return set, nil
}
